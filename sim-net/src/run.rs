//! One scenario and seed from start to verdict. Safety under faults first, then heal and liveness with a bound.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checker::{Rule, Sometimes, Violation};
use crate::exercise::Play;
use crate::network::path::Tally;
use crate::record::{Told, Verdict};
use crate::scenario::{self, Micros, Scenario};
use crate::swarm::{self, Scale};
use crate::world::{CannotRun, World};

/// Words of what was seen, at most, in one sentence about it.
const SEEN_MAX: usize = 200;

/// What came of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What went wrong: rules broken, then expectations not met; empty is good.
    pub broken: Vec<Broken>,
    /// What came of each expectation.
    pub expectations: Vec<(String, Verdict)>,
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

/// Something that should not have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// `rule P7.same-digest broken`, or `expectation X1 not met in time`: two runs that fail alike have the same.
    pub what: String,
    /// What it demands, in words.
    pub text: String,
    /// True microseconds at which it was seen; `None` where it belongs to no moment.
    pub at_us: Option<Micros>,
    /// Id of the site, where it is one site's.
    pub site: Option<String>,
    /// What was seen.
    pub seen: String,
}

impl Broken {
    fn rule(violation: &Violation, sites: &[scenario::Site]) -> Self {
        let (id, text) = violation.rule.described();
        let site = violation.node.and_then(|node| sites.get(node)).map(|site| site.id.clone());
        let at_us = Some(violation.at).filter(|_| violation.rule != Rule::AlwaysP6SameFingerprint);
        Self { what: format!("rule {id} broken"), text: text.to_owned(), at_us, site, seen: violation.what.clone() }
    }
}

/// One sentence on one line: what, when, where, and what was seen.
impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if let Some(at) = self.at_us {
            write!(f, " at {}", scenario::show_time(at / 1_000_000 * 1_000_000))?;
        }
        if let Some(site) = &self.site {
            write!(f, " by {site}")?;
        }
        let seen: Vec<&str> = self.seen.split_whitespace().collect();
        let seen: String = seen.join(" ").chars().take(SEEN_MAX).collect();
        write!(f, " ({}): {seen}", self.text.trim_end_matches('.'))
    }
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
    let mut play = Play::new(scenario, seed, "")?;
    play.advance(Micros::MAX);
    Ok(report(&mut play))
}

/// Asked between pieces of play, about every ten milliseconds: to be broken off now.
pub type Stop<'a> = &'a mut dyn FnMut() -> bool;

/// Runs a scenario to its verdict, once or twice; `None`: it was broken off, and nothing is known of it.
///
/// # Errors
/// [`CannotRun`].
pub fn attempt(scenario: &Scenario, seed: u64, twice: bool, stop: Stop<'_>) -> Result<Option<Report>, CannotRun> {
    let Some(mut play) = founded(scenario.clone(), seed, stop)? else { return Ok(None) };
    if !to_its_end(&mut play, stop) {
        return Ok(None);
    }
    let mut report = report(&mut play);
    if twice {
        let Some(mut again) = again(&mut play, stop)? else { return Ok(None) };
        report.broken.extend(differ(&mut play, &mut again));
    }
    Ok(Some(report))
}

/// `None`: it was broken off.
fn founded(scenario: Scenario, seed: u64, stop: Stop<'_>) -> Result<Option<Play>, CannotRun> {
    match Play::found(scenario, seed, "", &mut || !stop()) {
        Err(CannotRun::GivenUp) => Ok(None),
        founded => founded.map(Some),
    }
}

/// False where it was broken off.
fn to_its_end(play: &mut Play, stop: Stop<'_>) -> bool {
    while !play.is_over() {
        play.advance_a_piece(Micros::MAX);
        if stop() {
            return false;
        }
    }
    true
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

/// Runs a scenario twice: the second time must cross the boundary byte for byte like the first (P6).
///
/// # Errors
/// [`CannotRun`].
pub fn run_twice(scenario: &Scenario, seed: u64) -> Result<Report, CannotRun> {
    let mut play = Play::new(scenario.clone(), seed, "")?;
    play.advance(Micros::MAX);
    let mut report = report(&mut play);
    report.broken.extend(differs(&mut play)?);
    Ok(report)
}

/// Runs again what was played to its end; what is wrong with it if that is another run.
///
/// # Errors
/// [`CannotRun`].
pub fn differs(play: &mut Play) -> Result<Option<Broken>, CannotRun> {
    Ok(again(play, &mut || false)?.and_then(|mut again| differ(play, &mut again)))
}

/// The same again, to its end.
fn again(play: &mut Play, stop: Stop<'_>) -> Result<Option<Play>, CannotRun> {
    let Some(mut again) = founded(play.as_played(), play.world().seed(), stop)? else { return Ok(None) };
    Ok(to_its_end(&mut again, stop).then_some(again))
}

fn differ(first: &mut Play, second: &mut Play) -> Option<Broken> {
    let (first, second) = (first.world().fingerprint(), second.world().fingerprint());
    let what = format!("{first} the first time, {second} the second");
    let violation = Violation { rule: Rule::AlwaysP6SameFingerprint, at: 0, node: None, what };
    (first != second).then(|| Broken::rule(&violation, &[]))
}

/// What came of a run that was played to its end.
pub fn report(play: &mut Play) -> Report {
    let expected = !play.world().scenario().expects.is_empty();
    let expectations = if expected { play.record().expectations } else { Vec::new() };
    let world = play.world();
    let tally = world.tally();
    let (seed, fingerprint, events) = (world.seed(), world.fingerprint(), world.events);
    let healed_us = world.differed_at.map(|at| at.saturating_sub(world.endex()));
    let sites = &world.scenario().sites;
    let rules = world.checker.violations.iter().map(|violation| Broken::rule(violation, sites));
    let missed = expectations.iter().filter_map(|expect| {
        let result = match expect.result {
            Verdict::Met => return None,
            // Which of the two depends on how long one looks.
            Verdict::MetLate | Verdict::NotMet => "not met in time",
            Verdict::NotObserved => "not observed",
        };
        let what = format!("expectation {} {result}", expect.id);
        Some(Broken { what, text: expect.text.clone(), at_us: expect.due, site: None, seen: expect.seen.both().en })
    });
    let mut report = Report {
        seed,
        fingerprint,
        tally,
        events,
        words: (world.checker.words.len() as u64, world.checker.words.iter().filter(|word| word.excused).count() as u64),
        healed_us,
        broken: rules.chain(missed).collect(),
        expectations: expectations.iter().map(|expect| (expect.id.clone(), expect.result)).collect(),
        checked: world.checker.checked.clone(),
        seen: world.checker.seen.clone(),
        refused: world.checker.refused.clone(),
    };
    for (what, times) in [
        (Sometimes::LostFrames, tally.lost + tally.late),
        (Sometimes::BadFrames, tally.duplicated + tally.reordered + tally.garbled),
    ] {
        if times > 0 {
            *report.seen.entry(what).or_default() += times;
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{Outcome, Summary};

    /// Small enough for every build; `holdfast-sim sweep` goes on from here.
    #[test]
    fn sixty_seeds_of_five_nodes_keep_every_rule_and_see_every_fault() {
        let run = |seed| Outcome::new("swarm", None, run(seed, Scale { nodes: 5, minutes: 2 }).unwrap());
        let summary = Summary::of(&(0..60).map(run).collect::<Vec<_>>()).unwrap();
        let failed = &summary.failed;
        assert!(failed.is_empty(), "reproduce with holdfast-sim run --seed N --nodes 5 --minutes 2: {failed:#?}");
        assert!(summary.never.is_empty(), "never happened: {:?}", summary.never);
    }

    #[test]
    fn a_seed_run_twice_crosses_every_boundary_byte_for_byte_the_same() {
        for seed in [3, 7] {
            let scale = Scale { nodes: 4, minutes: 1 };
            assert_eq!(run_twice(&swarm::draw(seed, scale), seed).unwrap().broken, [], "seed {seed}");
            assert_eq!(run(seed, scale).unwrap().fingerprint, run(seed, scale).unwrap().fingerprint, "seed {seed}");
        }
    }

    #[test]
    fn another_seed_is_another_run() {
        let scale = Scale { nodes: 3, minutes: 1 };
        assert_ne!(run(1, scale).unwrap().fingerprint, run(2, scale).unwrap().fingerprint);
    }
}
