//! Many seeds: what is kept of each, as a file of its own, and the sum of them, which is made of those files alone. So one sweep may
//! be run in any number of processes and machines: the same files, the same sum, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checker::Sometimes;
use crate::figure::quantile;
use crate::record::Verdict;
use crate::run::{Broken, Report};
use crate::scenario::{Effect, Micros, Scenario, When};

/// Named in every file of a seed.
const OUTCOME: &str = "holdfast.sim.seed/2";
/// Named in the sum.
const SUMMARY: &str = "holdfast.sim.sweep/2";

/// What came of one seed: a function of the program, the scenario and the seed, and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// `holdfast.sim.seed/2`.
    pub schema: String,
    /// What was swept, the same for all seeds of a sweep.
    pub of: String,
    /// Version of the program.
    pub build: String,
    /// The seed.
    pub seed: u64,
    /// Over everything that crossed the boundary of any node.
    pub fingerprint: String,
    /// What went wrong; empty is good.
    pub broken: Vec<Broken>,
    /// What came of each expectation.
    pub expectations: BTreeMap<String, Verdict>,
    /// How often each rule was checked.
    pub checked: BTreeMap<String, u64>,
    /// How often each thing happened.
    pub seen: BTreeMap<String, u64>,
    /// What a sweep must have seen at least once, or it proved nothing; the same for all its seeds.
    pub expected: BTreeSet<String>,
    /// Refused commands by kind and code.
    pub refused: BTreeMap<String, u64>,
    /// Acknowledged words.
    pub words: u64,
    /// Those of them that went with every store that held them.
    pub excused: u64,
    /// Events carried out.
    pub events: u64,
    /// Microseconds from the heal to equal digests; 0 where they never differed.
    pub healed_us: Micros,
}

impl Outcome {
    /// What is kept of a run. `of` says what is swept; `scenario` is the one whose seeds are swept, where it is one.
    #[must_use]
    pub fn new(of: &str, scenario: Option<&Scenario>, report: Report) -> Self {
        let mut seen: BTreeMap<String, u64> = report.seen.iter().map(|(what, count)| (format!("{what:?}"), *count)).collect();
        if scenario.is_some() {
            let faults = FAULTS.iter().filter_map(|what| report.seen.get(what)).sum();
            seen.extend((faults > 0).then(|| (ANYTHING.to_owned(), faults)));
            let observed = report.expectations.iter().filter(|(_, verdict)| *verdict != Verdict::NotObserved);
            seen.extend(observed.map(|(id, _)| (observed_name(id), 1)));
        }
        Self {
            schema: OUTCOME.to_owned(),
            of: of.to_owned(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
            seed: report.seed,
            fingerprint: report.fingerprint,
            broken: report.broken,
            expectations: report.expectations.into_iter().collect(),
            checked: report.checked.iter().map(|(rule, count)| (rule.described().0.to_owned(), *count)).collect(),
            seen,
            expected: scenario.map_or_else(|| Sometimes::EXPECTED.iter().map(|what| format!("{what:?}")).collect(), expected),
            refused: report.refused.iter().map(|((kind, code), count)| (format!("{kind} {code}"), *count)).collect(),
            words: report.words.0,
            excused: report.words.1,
            events: report.events,
            healed_us: report.healed_us.unwrap_or(0),
        }
    }

    /// Where it stands in the folder of a sweep.
    #[must_use]
    pub fn path(dir: &Path, seed: u64) -> PathBuf {
        dir.join(format!("seed-{seed}.json"))
    }

    /// Writes it into the folder of a sweep, whole or not at all.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        put(&Self::path(dir, self.seed), self)
    }

    /// Reads that of one seed.
    ///
    /// # Errors
    /// It is not there, or nothing that this program wrote.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let text = fs::read_to_string(path).map_err(|why| wrong(&why))?;
        let read: Self = serde_json::from_str(&text).map_err(|why| wrong(&why))?;
        if read.schema == OUTCOME { Ok(read) } else { Err(wrong(&format!("this is {}, not {OUTCOME}", read.schema))) }
    }
}

/// Seen where any of [`FAULTS`] was.
const ANYTHING: &str = "Anything";
/// What makes a run worth looking at, whatever the scenario.
const FAULTS: [Sometimes; 12] = [
    Sometimes::Cut,
    Sometimes::Crashed,
    Sometimes::LostStore,
    Sometimes::DiskFull,
    Sometimes::NewIncarnation,
    Sometimes::ClockStepped,
    Sometimes::PowerRanOut,
    Sometimes::Corrupted,
    Sometimes::Told,
    Sometimes::Forged,
    Sometimes::DifferedAtHeal,
    Sometimes::ShownStale,
];

fn observed_name(expectation: &str) -> String {
    format!("Observed {expectation}")
}

/// What the seeds of a scenario must show at least once: what its injects are for, and each of its expectations observed.
fn expected(scenario: &Scenario) -> BTreeSet<String> {
    let planned = scenario.injects.iter().filter(|inject| matches!(inject.when, When::At(_)));
    let meant = planned.filter_map(|inject| meant(&inject.effect)).map(|what| format!("{what:?}"));
    let observed = scenario.expects.iter().map(|expect| observed_name(&expect.id));
    meant.chain(observed).chain([ANYTHING.to_owned()]).collect()
}

/// What an inject is for, where that is one thing and certain to be seen if the inject does anything at all.
fn meant(effect: &Effect) -> Option<Sometimes> {
    match effect {
        Effect::Cut(_) | Effect::Partition { .. } | Effect::Flap { .. } | Effect::Swizzle(_) => Some(Sometimes::Cut),
        Effect::Crash(_) | Effect::FirmOutage(_) => Some(Sometimes::Crashed),
        Effect::ReplacePc(_) | Effect::OldBackup { .. } => Some(Sometimes::LostStore),
        Effect::DiskFull(_) => Some(Sometimes::DiskFull),
        Effect::DiskCorrupt(_) => Some(Sometimes::Corrupted),
        Effect::ClockJump { .. } => Some(Sometimes::ClockStepped),
        Effect::Forge { .. } => Some(Sometimes::Forged),
        Effect::Report { .. } => Some(Sometimes::SavedReport),
        Effect::Request { .. } => Some(Sometimes::SavedRequest),
        Effect::Cancel(_) | Effect::Close(_) => Some(Sometimes::SavedFollowUp),
        Effect::Goods { .. } => Some(Sometimes::SavedGoods),
        Effect::Observe { .. } => Some(Sometimes::SavedObservation),
        // A battery may carry on, an antenna may not be needed, nobody may have been at the desk: that is no fault of the scenario.
        Effect::PowerLoss(_)
        | Effect::PowerBack(_)
        | Effect::Restore(_)
        | Effect::Degrade { .. }
        | Effect::Heal(_)
        | Effect::Restart(_)
        | Effect::ClockDrift { .. }
        | Effect::Jam { .. }
        | Effect::AntennaDown(_)
        | Effect::Courier { .. }
        | Effect::Revoke { .. }
        | Effect::Order { .. }
        | Effect::Deputies { .. }
        | Effect::OperatorAbsent(_)
        | Effect::Say
        | Effect::TellController
        | Effect::StopExercise => None,
    }
}

/// Everything that a folder holds of a sweep, by seed.
///
/// # Errors
/// In words: the folder or one of its files can't be read.
pub fn read(dir: &Path) -> Result<Vec<Outcome>, String> {
    let wrong = |why: io::Error| format!("{}: {why}. Give the folder that `sweep --out` wrote", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_prefix("seed-").and_then(|rest| rest.strip_suffix(".json")).is_some() {
            found.push(Outcome::read(&path)?);
        }
    }
    found.sort_by_key(|outcome| outcome.seed);
    Ok(found)
}

/// The sum over the seeds of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// `holdfast.sim.sweep/2`.
    pub schema: String,
    /// What was swept.
    pub of: String,
    /// Version of the program.
    pub build: String,
    /// Seeds run: (first, last) of each stretch without a gap.
    pub seeds: Vec<(u64, u64)>,
    /// How many those are.
    pub count: u64,
    /// Hash over all fingerprints.
    pub fingerprint: String,
    /// Seeds that were not good, and the first thing that went wrong.
    pub failed: BTreeMap<u64, Broken>,
    /// What should have happened at least once in a sweep and never did: so it was never tested.
    pub never: BTreeSet<String>,
    /// Expectations: how many seeds met them, were late, did not, could not be observed.
    pub expectations: BTreeMap<String, [u64; 4]>,
    /// Sum over all.
    pub checked: BTreeMap<String, u64>,
    /// Sum over all.
    pub seen: BTreeMap<String, u64>,
    /// Sum over all.
    pub refused: BTreeMap<String, u64>,
    /// Sum over all.
    pub words: u64,
    /// Sum over all.
    pub excused: u64,
    /// Sum over all.
    pub events: u64,
    /// From the heal to equal digests: half of the seeds took at most this, and the slowest this.
    pub healed_us: (Micros, Micros),
}

impl Summary {
    /// Sums up, in the order given; by seed it is the same whoever ran which.
    ///
    /// # Errors
    /// In words: there are none, or not all are of one sweep and one program.
    pub fn of(outcomes: &[Outcome]) -> Result<Self, String> {
        let first = outcomes.first().ok_or("no seed was run: there is nothing to sum up")?;
        let mut sum = Self { schema: SUMMARY.to_owned(), of: first.of.clone(), build: first.build.clone(), ..Self::default() };
        let (mut print, mut healed) = (blake3::Hasher::new(), Vec::new());
        for outcome in outcomes {
            if (&outcome.of, &outcome.build) != (&sum.of, &sum.build) {
                return Err(format!(
                    "seed {} is of {} by version {}, seed {} of {} by version {}: one folder holds one sweep. Take another folder",
                    first.seed, sum.of, sum.build, outcome.seed, outcome.of, outcome.build
                ));
            }
            print.update(outcome.fingerprint.as_bytes());
            healed.push(outcome.healed_us);
            sum.add(outcome);
        }
        healed.sort_unstable();
        sum.healed_us = (quantile(&healed, 500), quantile(&healed, 1_000));
        sum.fingerprint = print.finalize().to_hex().to_string();
        let expected = outcomes.iter().flat_map(|outcome| &outcome.expected);
        sum.never = expected.filter(|what| !sum.seen.contains_key(*what)).cloned().collect();
        Ok(sum)
    }

    fn add(&mut self, outcome: &Outcome) {
        match self.seeds.last_mut() {
            Some((_, last)) if *last + 1 == outcome.seed => *last = outcome.seed,
            Some(_) | None => self.seeds.push((outcome.seed, outcome.seed)),
        }
        self.count += 1;
        if let Some(broken) = outcome.broken.first() {
            self.failed.insert(outcome.seed, broken.clone());
        }
        for (id, verdict) in &outcome.expectations {
            let place = match verdict {
                Verdict::Met => 0,
                Verdict::MetLate => 1,
                Verdict::NotMet => 2,
                Verdict::NotObserved => 3,
            };
            self.expectations.entry(id.clone()).or_default()[place] += 1;
        }
        for (sum, counts) in
            [(&mut self.checked, &outcome.checked), (&mut self.seen, &outcome.seen), (&mut self.refused, &outcome.refused)]
        {
            counts.iter().for_each(|(key, count)| *sum.entry(key.clone()).or_default() += count);
        }
        self.words += outcome.words;
        self.excused += outcome.excused;
        self.events += outcome.events;
    }

    /// Writes it beside the files it was made of.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        put(&dir.join("summary.json"), self)
    }
}

/// Others may be reading and writing there: a file appears whole.
fn put(path: &Path, what: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(what)?;
    bytes.push(b'\n');
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    fs::write(&unfinished, bytes)?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run;
    use crate::swarm::Scale;

    #[test]
    fn a_sum_is_the_same_in_whichever_order_files_were_written_and_refuses_strangers() {
        let scale = Scale { nodes: 3, minutes: 1 };
        let outcomes: Vec<Outcome> = [4, 5, 7].map(|seed| Outcome::new("swarm", None, run(seed, scale).unwrap())).into();
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        outcomes.iter().for_each(|outcome| outcome.write(one.path()).unwrap());
        outcomes.iter().rev().for_each(|outcome| outcome.write(other.path()).unwrap());
        let sum = Summary::of(&read(one.path()).unwrap()).unwrap();
        assert_eq!(sum, Summary::of(&read(other.path()).unwrap()).unwrap());
        assert_eq!((sum.seeds.clone(), sum.count), (vec![(4, 5), (7, 7)], 3));
        assert!(sum.checked["honest-age"] > 0 && sum.words > 0);
        Outcome { of: "another".into(), seed: 9, ..outcomes[0].clone() }.write(other.path()).unwrap();
        assert!(Summary::of(&read(other.path()).unwrap()).unwrap_err().contains("seed 9 of another"));
        assert!(Summary::of(&[]).is_err());
    }
}
