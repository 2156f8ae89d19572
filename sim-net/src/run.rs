//! One seed from start to verdict, and sweeps over many. Safety under faults first, then heal and liveness with a bound.

use std::collections::BTreeMap;

use crate::checker::{Rule, Sometimes, Violation};
use crate::network::path::Tally;
use crate::scenario::{Micros, Scenario};
use crate::swarm::{self, Scale};
use crate::world::{CannotRun, World};

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Broken rules; empty is good.
    pub violations: Vec<Violation>,
    /// How often each rule was checked.
    pub checked: BTreeMap<Rule, u64>,
    /// How often each thing happened.
    pub seen: BTreeMap<Sometimes, u64>,
    /// Refused commands by kind and code.
    pub refused: BTreeMap<(&'static str, String), u64>,
    /// Hash over everything that crossed the boundary of every node.
    pub fingerprint: String,
    /// Frames.
    pub tally: Tally,
    /// Events carried out.
    pub events: u64,
    /// Acknowledged words, and those excused because every store that held them was destroyed.
    pub words: (u64, u64),
    /// Microseconds from the heal until digests were last seen to differ; `None` if never.
    pub healed_us: Option<Micros>,
}

/// Runs the scenario of one seed to its verdict.
///
/// # Errors
/// [`CannotRun`].
pub fn run(seed: u64, scale: Scale) -> Result<Report, CannotRun> {
    run_scenario(swarm::draw(seed, scale), seed)
}

/// Runs a scenario to its verdict.
///
/// # Errors
/// [`CannotRun`].
pub fn run_scenario(scenario: Scenario, seed: u64) -> Result<Report, CannotRun> {
    let mut world = World::new(scenario, seed)?;
    if to_the_end(&mut world) {
        world.verdict();
    }
    Ok(report(world))
}

/// ENDEX may come earlier than planned; false if a runaway node ended the run.
fn to_the_end(world: &mut World) -> bool {
    while let Some(next) = world.next_event() {
        if !world.run_until(next) {
            return false;
        }
    }
    world.run_until(world.end())
}

/// Runs one seed and writes down everything that crosses a boundary between two true times, in microseconds.
///
/// # Errors
/// [`CannotRun`].
pub fn trace(seed: u64, scale: Scale, span: (Micros, Micros)) -> Result<Vec<String>, CannotRun> {
    let mut world = World::new(swarm::draw(seed, scale), seed)?;
    world.trace = Some(span);
    world.run_until(world.end().min(span.1));
    Ok(world.lines)
}

/// Runs one seed twice: the second time must cross the boundary byte for byte like the first (P6).
///
/// # Errors
/// [`CannotRun`].
pub fn run_twice(seed: u64, scale: Scale) -> Result<Report, CannotRun> {
    let mut first = run(seed, scale)?;
    let second = run(seed, scale)?;
    *first.checked.entry(Rule::AlwaysP6SameFingerprint).or_default() += 1;
    if first.fingerprint != second.fingerprint {
        let what = format!("{} the first time, {} the second", first.fingerprint, second.fingerprint);
        first.violations.push(Violation { rule: Rule::AlwaysP6SameFingerprint, at: 0, node: None, what });
    }
    Ok(first)
}

fn report(mut world: World) -> Report {
    let tally = world.tally();
    world.checker.saw_times(Sometimes::LostFrames, tally.lost + tally.late);
    world.checker.saw_times(Sometimes::BadFrames, tally.duplicated + tally.reordered + tally.garbled);
    let excused = world.checker.words.iter().filter(|word| word.excused).count() as u64;
    Report {
        seed: world.seed(),
        fingerprint: world.fingerprint(),
        tally,
        events: world.events,
        words: (world.checker.words.len() as u64, excused),
        healed_us: world.differed_at.map(|at| at - world.endex()),
        violations: world.checker.violations,
        checked: world.checker.checked,
        seen: world.checker.seen,
        refused: world.checker.refused,
    }
}
/// What came of many seeds.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Seeds run.
    pub seeds: u64,
    /// Reports of those that broke a rule.
    pub failed: Vec<Report>,
    /// Sum over all.
    pub checked: BTreeMap<Rule, u64>,
    /// Sum over all.
    pub seen: BTreeMap<Sometimes, u64>,
    /// Sum over all.
    pub refused: BTreeMap<(&'static str, String), u64>,
    /// Sum over all: acknowledged, excused.
    pub words: (u64, u64),
    /// Sum over all.
    pub events: u64,
    /// Microseconds from heal to equal digests, one per seed, in the order run; 0 where they never differed.
    pub healed_us: Vec<u64>,
}

impl Sweep {
    /// Counts one report in.
    pub fn add(&mut self, report: Report) {
        self.seeds += 1;
        report.checked.iter().for_each(|(rule, count)| *self.checked.entry(*rule).or_default() += count);
        report.seen.iter().for_each(|(what, count)| *self.seen.entry(*what).or_default() += count);
        report.refused.iter().for_each(|(key, count)| *self.refused.entry(key.clone()).or_default() += count);
        self.words = (self.words.0 + report.words.0, self.words.1 + report.words.1);
        self.events += report.events;
        self.healed_us.push(report.healed_us.unwrap_or(0));
        if !report.violations.is_empty() {
            self.failed.push(report);
        }
    }

    /// What should have happened at least once and never did.
    #[must_use]
    pub fn vacuous(&self) -> Vec<Sometimes> {
        Sometimes::EXPECTED.into_iter().filter(|what| !self.seen.contains_key(what)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small enough for every build; `holdfast-sim sweep` goes on from here.
    #[test]
    fn twenty_seeds_of_five_nodes_keep_every_rule_and_see_every_fault() {
        let mut sweep = Sweep::default();
        for seed in 0..20 {
            sweep.add(run(seed, Scale { nodes: 5, minutes: 2 }).unwrap());
        }
        let failed: Vec<_> = sweep.failed.iter().map(|report| (report.seed, &report.violations)).collect();
        assert!(failed.is_empty(), "reproduce with holdfast-sim run --seed N --nodes 5 --minutes 2: {failed:#?}");
        let vacuous = sweep.vacuous();
        assert!(vacuous.is_empty(), "never happened: {vacuous:?}");
    }

    #[test]
    fn a_seed_run_twice_crosses_every_boundary_byte_for_byte_the_same() {
        for seed in [3, 7] {
            let scale = Scale { nodes: 4, minutes: 1 };
            assert_eq!(run(seed, scale).unwrap().fingerprint, run(seed, scale).unwrap().fingerprint, "seed {seed}");
        }
    }

    #[test]
    fn another_seed_is_another_run() {
        let scale = Scale { nodes: 3, minutes: 1 };
        assert_ne!(run(1, scale).unwrap().fingerprint, run(2, scale).unwrap().fingerprint);
    }
}
