//! One seed as a developer looks at it: what it draws, what came of it, what crossed the boundaries.

use std::io::{self, Write};

use holdfast_sim::scenario::{Scenario, When};
use holdfast_sim::sweep::{Outcome, Summary};
use holdfast_sim::{report, run, swarm};

use super::limits::{Guard, Limits};
use super::{Failed, ScaleArgs, seconds, sweep};

pub(super) fn one(out: &mut impl Write, seed: u64, args: ScaleArgs, limits: &Limits) -> Result<bool, Failed> {
    let mut guard = Guard::new(limits)?;
    let scenario = swarm::draw(seed, args.scale());
    let Some(report) = run::attempt(&scenario, seed, true, &mut || guard.exceeded().is_some())? else {
        let why = guard.exceeded().map_or("", report::why_early);
        writeln!(out, "seed {seed} was not run to its end: {why}")?;
        return Ok(false);
    };
    let sum = Summary::of(&[Outcome::new("swarm", None, report.clone())]).map_err(Failed::Other)?;
    writeln!(out, "seed {seed}, {} nodes, {} minutes", args.nodes, args.minutes)?;
    writeln!(out, "fingerprint {}", report.fingerprint)?;
    describe(out, &scenario)?;
    sweep::tell(out, &sum, 1)?;
    let tally = report.tally;
    writeln!(
        out,
        "frames {} ({} bytes), lost {}, late {}, twice {}, overtaken {}, garbled {}",
        tally.sent,
        tally.bytes,
        tally.lost + tally.dropped,
        tally.late,
        tally.duplicated,
        tally.reordered,
        tally.garbled
    )?;
    for broken in &report.broken {
        writeln!(out, "  {broken}")?;
    }
    writeln!(out, "{}", if report.broken.is_empty() { "good" } else { "NOT GOOD" })?;
    Ok(report.broken.is_empty())
}

pub(super) fn trace(out: &mut impl Write, seed: u64, args: ScaleArgs, span: (u64, u64)) -> Result<bool, Failed> {
    let lines = run::trace(seed, args.scale(), (span.0 * 1_000_000, span.1 * 1_000_000))?;
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(true)
}

fn describe(out: &mut impl Write, scenario: &Scenario) -> io::Result<()> {
    let model = &scenario.world;
    writeln!(out, "{}", scenario.exercise.title)?;
    writeln!(out, "links {:?}", model.wan)?;
    writeln!(out, "broadcast {:?}", model.gossip)?;
    writeln!(
        out,
        "slow disks {}, partial rosters {}, home hubs {}, wrong clocks {}, an act of each node every {} on average",
        model.slow_disks,
        model.partial_roster,
        model.home_hubs,
        model.wrong_clocks,
        seconds(model.tempo.acts)
    )?;
    for element in &scenario.elements {
        writeln!(out, "{} carries {:?}", element.id, element.used_by)?;
    }
    for inject in &scenario.injects {
        let at = if let When::At(at) = inject.when { seconds(at) } else { "perhaps".to_owned() };
        let lasts = inject.lasts.map_or_else(String::new, |lasts| format!(" for {}", seconds(lasts)));
        writeln!(out, "  {at:>10} {:>3} {:?}{lasts}", inject.nr, inject.effect)?;
    }
    writeln!(out, "  {:>10} everything is mended", seconds(scenario.exercise.duration))
}
