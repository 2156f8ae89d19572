//! `holdfast-sim`: sweeps, single seeds and figures from the command line. Prints what came of them; decides nothing.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use holdfast_sim::checker::Violation;
use holdfast_sim::figure::{self, Repair, quantile};
use holdfast_sim::run::{self, Report, Sweep};
use holdfast_sim::scenario::{Scenario, When};
use holdfast_sim::swarm::{self, Scale};
use holdfast_sim::world::CannotRun;

/// The same node in virtual time: faults, checks, figures.
#[derive(Debug, Parser)]
#[command(name = "holdfast-sim", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Wish,
}

#[derive(Debug, Subcommand)]
enum Wish {
    /// Runs many seeds, each twice, and checks every rule in each.
    Sweep {
        /// First and one past the last seed: `0..1000`.
        #[arg(long, value_parser = seeds, default_value = "0..100")]
        seeds: (u64, u64),
        #[command(flatten)]
        scale: ScaleArgs,
        /// Runs each seed once only: twice as fast, and P6 is not checked.
        #[arg(long)]
        once: bool,
        /// Does not fail when something expected never happened (for narrow sweeps).
        #[arg(long)]
        allow_vacuous: bool,
    },
    /// Runs one seed and prints everything about it.
    Run {
        /// As printed by a sweep.
        #[arg(long)]
        seed: u64,
        #[command(flatten)]
        scale: ScaleArgs,
        /// Prints every input and output between these virtual seconds instead: `300..310`.
        #[arg(long, value_parser = seeds)]
        trace: Option<(u64, u64)>,
    },
    /// How late entries are when frames are lost and the core alone repairs it.
    Repair {
        /// Entries in all.
        #[arg(long, default_value_t = 100_000)]
        entries: u64,
        /// Frames lost, percent.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=90))]
        loss: u32,
        /// Nodes, all hubs.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100))]
        nodes: u32,
        /// Entries of one round; every round is a fresh alliance with the next seed.
        #[arg(long, default_value_t = 5_000)]
        round: u64,
        /// New entries a second over all nodes.
        #[arg(long, default_value_t = 100)]
        per_second: u64,
        /// First seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Links repair losses themselves, as QUIC does.
        #[arg(long)]
        reliable: bool,
    },
    /// How much the core carries per second of processor time, without faults.
    Speed {
        /// Nodes, a hub among 40.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(2..=10_000))]
        nodes: u32,
        /// Virtual minutes.
        #[arg(long, default_value_t = 60)]
        minutes: u64,
        /// Entries per node and hour.
        #[arg(long, default_value_t = 2)]
        per_hour: u64,
        /// Seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct ScaleArgs {
    /// Nodes.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=200))]
    nodes: u32,
    /// Minutes with faults; the heal and its aftermath come on top.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
}

impl ScaleArgs {
    fn scale(self) -> Scale {
        Scale { nodes: usize::try_from(self.nodes).unwrap_or(2), minutes: self.minutes }
    }
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text:?} is no range; write FIRST..END, such as 0..1000");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let range = (first.parse().map_err(|_| wrong())?, end.parse().map_err(|_| wrong())?);
    if range.0 < range.1 { Ok(range) } else { Err(wrong()) }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    let done = match cli.command {
        Wish::Sweep { seeds, scale, once, allow_vacuous } => sweep(&mut out, seeds, scale, once, allow_vacuous),
        Wish::Run { seed, scale, trace: None } => one(&mut out, seed, scale),
        Wish::Run { seed, scale, trace: Some(span) } => trace(&mut out, seed, scale, span),
        Wish::Repair { entries, loss, nodes, round, per_second, seed, reliable } => {
            let nodes = usize::try_from(nodes).unwrap_or(2);
            repair(&mut out, &Repair { seed, nodes, entries, round, per_second, loss: loss * 10_000, reliable })
        }
        Wish::Speed { nodes, minutes, per_hour, seed } => speed(&mut out, seed, nodes, minutes, per_hour),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        // A closed pipe is the reader's wish, not a failure of the run.
        Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Failed::Run(why)) => {
            // Nobody can be told that standard error is closed.
            let _ = writeln!(io::stderr(), "holdfast-sim: {why}");
            ExitCode::FAILURE
        }
        Ok(false) | Err(Failed::Output(_)) => ExitCode::FAILURE,
    }
}

/// Why there is no answer.
enum Failed {
    Output(io::Error),
    Run(CannotRun),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<CannotRun> for Failed {
    fn from(why: CannotRun) -> Self {
        Self::Run(why)
    }
}

fn seconds(us: u64) -> String {
    format!("{}.{:03} s", us / 1_000_000, us / 1_000 % 1_000)
}

fn millis(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}

fn say(out: &mut impl Write, violation: &Violation) -> io::Result<()> {
    let node = violation.node.map_or_else(|| "all".to_owned(), |node| format!("node {node}"));
    writeln!(out, "  {:?} at {}, {node}: {}", violation.rule, seconds(violation.at), violation.what)
}

fn sweep(out: &mut impl Write, seeds: (u64, u64), args: ScaleArgs, once: bool, allow_vacuous: bool) -> Result<bool, Failed> {
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

fn one(out: &mut impl Write, seed: u64, args: ScaleArgs) -> Result<bool, Failed> {
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

fn trace(out: &mut impl Write, seed: u64, args: ScaleArgs, span: (u64, u64)) -> Result<bool, Failed> {
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

fn repair(out: &mut impl Write, wanted: &Repair) -> Result<bool, Failed> {
    let spent = Spent::start();
    let got = figure::repair(wanted)?;
    let how = if wanted.reliable { "links repair losses" } else { "only the core repairs losses" };
    writeln!(
        out,
        "{} entries, {} nodes, {} per second, {}.{} % frame loss, {how}, first seed {}",
        wanted.entries,
        wanted.nodes,
        wanted.per_second,
        wanted.loss / 10_000,
        wanted.loss / 1_000 % 10,
        wanted.seed
    )?;
    writeln!(out, "frames {}, lost {}, {} bytes", got.frames, got.lost, got.bytes)?;
    for (name, list) in
        [("acknowledged to durable at the last node", &got.last), ("acknowledged to durable, every delivery", &got.each)]
    {
        let at = |permille| millis(quantile(list, permille));
        writeln!(
            out,
            "{name} ({}): p50 {}  p90 {}  p99 {}  p99.9 {}  max {}",
            list.len(),
            at(500),
            at(900),
            at(990),
            at(999),
            at(1_000)
        )?;
    }
    let late = got.last.iter().filter(|took| **took > 1_000_000).count();
    writeln!(out, "later than 1 s: {late}; never everywhere: {}; processor time {}", got.missing, millis(spent.us()))?;
    Ok(late == 0 && got.missing == 0)
}

fn speed(out: &mut impl Write, seed: u64, nodes: u32, minutes: u64, per_hour: u64) -> Result<bool, Failed> {
    let spent = Spent::start();
    let got = figure::calm(seed, usize::try_from(nodes).unwrap_or(2), minutes, per_hour)?;
    let us = spent.us().max(1);
    writeln!(
        out,
        "{nodes} nodes, {minutes} virtual minutes, {per_hour} entries per node-hour and a board per 30 min, seed {seed}"
    )?;
    writeln!(out, "words {}, frames {}, {} bytes, events {}", got.words, got.frames, got.bytes, got.events)?;
    writeln!(
        out,
        "processor time {}: {} frames/s, {} events/s, {}x real time",
        millis(us),
        got.frames * 1_000_000 / us,
        got.events * 1_000_000 / us,
        got.seconds * 1_000_000 / us
    )?;
    Ok(true)
}

/// Processor time of this process where the system tells it (Linux), else time on the clock. For the figures only: no run sees it.
#[expect(clippy::disallowed_types, reason = "measures the simulator, never the simulated")]
struct Spent {
    cpu: Option<u64>,
    clock: std::time::Instant,
}

impl Spent {
    #[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "measures the simulator, never the simulated")]
    fn start() -> Self {
        Self { cpu: cpu_us(), clock: std::time::Instant::now() }
    }

    fn us(&self) -> u64 {
        match (self.cpu, cpu_us()) {
            (Some(before), Some(now)) => now - before,
            (None, _) | (_, None) => u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// First number of `/proc/self/schedstat`: nanoseconds on a processor.
fn cpu_us() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    Some(text.split_whitespace().next()?.parse::<u64>().ok()? / 1_000)
}
