//! The least scenario of a failure, as files.

use std::io::Write;
use std::path::Path;

use holdfast_sim::run;
use holdfast_sim::scenario::{self, Scenario};
use holdfast_sim::shrink::{self, Limits, Shrunk};

use super::Failed;
use crate::command::bench::Clock;

/// Runs at most: a scenario of a hundred injects takes a few hundred.
const RUNS_MAX: u32 = 5_000;

/// Shrinks the first thing that goes wrong in a scenario, and writes what is left. False where nothing goes wrong.
pub(super) fn shrink(
    out: &mut impl Write,
    scenario: Scenario,
    source: &str,
    seed: u64,
    dir: &Path,
    seconds: u64,
) -> Result<bool, Failed> {
    let report = run::run_twice(&scenario, seed)?;
    let Some(broken) = report.broken.first() else {
        let of = if source.is_empty() { "this drawn scenario" } else { source };
        writeln!(out, "nothing goes wrong in {of} with seed {seed}: there is nothing to shrink")?;
        return Ok(false);
    };
    writeln!(out, "seed {seed}: {broken}")?;
    let Some(shrunk) = least(scenario.clone(), seed, &broken.what, seconds) else {
        return Err(Failed::Other(format!("{} did not come again: this run is not a function of its seed", broken.what)));
    };
    scenario::write(&shrunk.scenario, dir)?;
    tell(out, &scenario, &shrunk)?;
    writeln!(out, "holdfast-sim run {} --out DIR", dir.display())?;
    Ok(true)
}

/// The least scenario in which the same goes wrong, or the least that was found in that time.
pub(super) fn least(scenario: Scenario, seed: u64, what: &str, seconds: u64) -> Option<Shrunk> {
    let clock = Clock::start();
    let late = || clock.elapsed_us() / 1_000_000 >= seconds;
    shrink::shrink(scenario, seed, &shrink::same(what), Limits { runs: RUNS_MAX, late: &late })
}

fn tell(out: &mut impl Write, before: &Scenario, shrunk: &Shrunk) -> Result<(), Failed> {
    let after = &shrunk.scenario;
    writeln!(out, "{}", after.exercise.title)?;
    writeln!(
        out,
        "{} of {} injects, {} of {} sites, {} of {}, after {} runs; {}",
        after.injects.len(),
        before.injects.len(),
        after.sites.len(),
        before.sites.len(),
        scenario::show_duration(after.exercise.duration),
        scenario::show_duration(before.exercise.duration),
        shrunk.runs,
        if shrunk.least { "nothing more can be left out" } else { "broken off: it may become less still" }
    )?;
    Ok(())
}
