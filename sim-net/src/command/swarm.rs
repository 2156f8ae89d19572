//! Seeds as a developer runs them: drawn, run twice, summed up.

use std::io::{self, Write};

use holdfast_sim::checker::Violation;
use holdfast_sim::figure::quantile;
use holdfast_sim::run::{self, Report, Sweep};
use holdfast_sim::scenario::{Scenario, When};
use holdfast_sim::swarm;

use super::{Failed, ScaleArgs, seconds};

fn say(out: &mut impl Write, violation: &Violation) -> io::Result<()> {
    let node = violation.node.map_or_else(|| "all".to_owned(), |node| format!("node {node}"));
    writeln!(out, "  {:?} at {}, {node}: {}", violation.rule, seconds(violation.at), violation.what)
}

pub(super) fn sweep(
    out: &mut impl Write,
    seeds: (u64, u64),
    args: ScaleArgs,
    once: bool,
    allow_vacuous: bool,
) -> Result<bool, Failed> {
    let mut sum = Sweep::default();
    for seed in seeds.0..seeds.1 {
        let report = if once { run::run(seed, args.scale()) } else { run::run_twice(seed, args.scale()) }?;
        if !report.violations.is_empty() {
            let more = report.violations.len() - 1;
            writeln!(
                out,
                "seed {seed} FAILED (holdfast-sim run --seed {seed} --nodes {} --minutes {}); {more} more:",
                args.nodes, args.minutes
            )?;
            report.violations.first().map_or(Ok(()), |violation| say(out, violation))?;
        }
        sum.add(report);
    }
    summary(out, &sum)?;
    let vacuous = sum.vacuous();
    if !vacuous.is_empty() {
        writeln!(out, "never happened, so never tested: {vacuous:?}")?;
    }
    let good = sum.failed.is_empty() && (vacuous.is_empty() || allow_vacuous);
    writeln!(out, "{} seeds, {} failed: {}", sum.seeds, sum.failed.len(), if good { "good" } else { "NOT GOOD" })?;
    Ok(good)
}

fn summary(out: &mut impl Write, sum: &Sweep) -> io::Result<()> {
    writeln!(out, "checks:")?;
    for (rule, count) in &sum.checked {
        writeln!(out, "  {:<36} {count:>12} times", format!("{rule:?}"))?;
    }
    writeln!(out, "happened:")?;
    for (what, count) in &sum.seen {
        writeln!(out, "  {:<36} {count:>12} times", format!("{what:?}"))?;
    }
    if !sum.refused.is_empty() {
        writeln!(out, "refused commands:")?;
    }
    for ((kind, code), count) in &sum.refused {
        writeln!(out, "  {:<36} {count:>12} times", format!("{kind} {code}"))?;
    }
    let mut healed = sum.healed_us.clone();
    healed.sort_unstable();
    writeln!(out, "acknowledged words {}, of which {} went with every store that held them", sum.words.0, sum.words.1)?;
    writeln!(
        out,
        "events {}; heal to equal digests (to 5 s) p50 {}, max {}",
        sum.events,
        seconds(quantile(&healed, 500)),
        seconds(quantile(&healed, 1_000))
    )
}

pub(super) fn one(out: &mut impl Write, seed: u64, args: ScaleArgs) -> Result<bool, Failed> {
    let report: Report = run::run_twice(seed, args.scale())?;
    let mut sum = Sweep::default();
    sum.add(report.clone());
    writeln!(out, "seed {seed}, {} nodes, {} minutes", args.nodes, args.minutes)?;
    writeln!(out, "fingerprint {}", report.fingerprint)?;
    describe(out, &swarm::draw(seed, args.scale()))?;
    summary(out, &sum)?;
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
    for violation in &report.violations {
        say(out, violation)?;
    }
    writeln!(out, "{}", if report.violations.is_empty() { "good" } else { "NOT GOOD" })?;
    Ok(report.violations.is_empty())
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
        "slow disks {}, partial rosters {}, wrong clocks {}, an act of each node every {} on average",
        model.slow_disks,
        model.partial_roster,
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
