//! Many seeds, in one process or in several: a file for each, and the sum made of those files.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use holdfast_sim::scenario::{self, Scenario};
use holdfast_sim::sweep::{self, Outcome, Summary};
use holdfast_sim::{report, run, swarm};

use super::limits::{Guard, Limits};
use super::{Failed, ScaleArgs, SweepArgs, files, seconds, shrink};

/// A failure is shrunk for so long.
const SHRINK_SECONDS: u64 = 600;

/// What is swept.
struct Swept<'a> {
    path: &'a Path,
    scale: ScaleArgs,
    /// `None`: every seed draws its own.
    scenario: Option<Scenario>,
    /// What every file says it is of.
    of: String,
}

impl<'a> Swept<'a> {
    fn open(path: &'a Path, scale: ScaleArgs) -> Result<Self, Failed> {
        if files::is_swarm(path) {
            let of = format!("swarm of {} nodes and {} minutes", scale.nodes, scale.minutes);
            return Ok(Self { path, scale, scenario: None, of });
        }
        let (scenario, _) = files::open(path, None, scale)?;
        let of = format!("{} {}", scenario.exercise.id, scenario.hash());
        Ok(Self { path, scale, scenario: Some(scenario), of })
    }

    fn scenario(&self, seed: u64) -> Scenario {
        self.scenario.clone().unwrap_or_else(|| swarm::draw(seed, self.scale.scale()))
    }

    /// `None`: it was broken off.
    fn run(&self, seed: u64, once: bool, guard: &mut Guard) -> Result<Option<Outcome>, Failed> {
        let report = run::attempt(&self.scenario(seed), seed, !once, &mut || guard.exceeded().is_some())?;
        Ok(report.map(|report| Outcome::new(&self.of, self.scenario.as_ref(), report)))
    }

    fn say(&self, out: &mut impl Write, outcome: &Outcome) -> io::Result<()> {
        let Some(first) = outcome.broken.first() else { return Ok(()) };
        let (seed, more) = (outcome.seed, outcome.broken.len() - 1);
        let how = match self.scenario {
            None => format!("--seed {seed} --nodes {} --minutes {}", self.scale.nodes, self.scale.minutes),
            Some(_) => format!("{} --seed {seed}", self.path.display()),
        };
        writeln!(out, "seed {seed} FAILED (holdfast-sim run {how}); {more} more:\n  {first}")
    }
}

/// Sweeps. True where every seed was good, and the faults that a swarm is for happened.
pub(super) fn sweep(
    out: &mut impl Write,
    path: &Path,
    scale: ScaleArgs,
    wanted: &SweepArgs,
    limits: &Limits,
) -> Result<bool, Failed> {
    let swept = Swept::open(path, scale)?;
    let mut guard = Guard::new(limits)?;
    let (first, end) = wanted.seeds;
    let (mut outcomes, mut missing) = (Vec::new(), Vec::new());
    let jobs = wanted.jobs.unwrap_or(1).min(end - first);
    if let Some(dir) = &wanted.out {
        std::fs::create_dir_all(dir)?;
        if jobs > 1 {
            children(&swept, wanted, limits, dir, jobs)?;
        }
    }
    for seed in first..end {
        progress(&format!("seed {seed} of {first} to {} ", end - 1));
        let outcome = match &wanted.out {
            Some(dir) if jobs > 1 => taken(dir, seed)?,
            Some(_) | None if guard.exceeded().is_some() => None,
            Some(dir) => keep(&swept, seed, wanted, dir, &mut guard)?,
            None => swept.run(seed, wanted.once, &mut guard)?,
        };
        progress("");
        match outcome {
            Some(outcome) => {
                swept.say(out, &outcome)?;
                outcomes.push(outcome);
            }
            None => missing.push(seed),
        }
    }
    if let Some(dir) = &wanted.out {
        summed(sweep::read(dir))?.write(dir)?;
    }
    let sum = summed(Ok(outcomes))?;
    let twice = if wanted.once { 0 } else { sum.count };
    let good = verdict(out, &sum, twice, wanted.allow_vacuous || !missing.is_empty())?;
    if let Some(seed) = missing.first() {
        let why = guard.exceeded().map_or("the process that ran them ended early", report::why_early);
        writeln!(out, "ended early: {why}; seed {seed} and {} more were not run to their end", missing.len() - 1)?;
    }
    Ok(good && missing.is_empty())
}

/// The line that moves while seeds are run, here or in a child; only on a terminal.
fn progress(text: &str) {
    if io::stderr().is_terminal() {
        // Nobody can be told that standard error is closed.
        let _ = write!(io::stderr(), "\r\u{1b}[K{text}");
    }
}

/// Sums up what lies in a folder.
pub(super) fn merge(out: &mut impl Write, dir: &Path, allow_vacuous: bool) -> Result<bool, Failed> {
    let sum = summed(sweep::read(dir))?;
    sum.write(dir)?;
    for (seed, broken) in &sum.failed {
        writeln!(out, "seed {seed} FAILED: {broken}")?;
    }
    verdict(out, &sum, 0, allow_vacuous)
}

fn summed(outcomes: Result<Vec<Outcome>, String>) -> Result<Summary, Failed> {
    outcomes.and_then(|outcomes| Summary::of(&outcomes)).map_err(Failed::Other)
}

/// Runs one seed and keeps what came of it, unless it was broken off: where it failed, with the scenario, shrunk where that was asked for.
fn keep(swept: &Swept<'_>, seed: u64, wanted: &SweepArgs, dir: &Path, guard: &mut Guard) -> Result<Option<Outcome>, Failed> {
    let folder = dir.join(format!("seed-{seed}"));
    gone(std::fs::remove_dir_all(&folder))?;
    gone(std::fs::remove_file(Outcome::path(dir, seed)))?;
    let Some(outcome) = swept.run(seed, wanted.once, guard)? else { return Ok(None) };
    if let Some(first) = outcome.broken.first() {
        let mut scenario = swept.scenario(seed);
        scenario.exercise.seed = seed;
        scenario.exercise.title = format!("Seed {seed}: {first}");
        let shrunk = wanted.shrink.then(|| shrink::least(scenario.clone(), seed, &first.what, SHRINK_SECONDS)).flatten();
        scenario::write(&shrunk.map_or(scenario, |shrunk| shrunk.scenario), &folder)?;
    }
    outcome.write(dir)?;
    Ok(Some(outcome))
}

/// Of an earlier sweep there may be something to remove, or nothing.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|why| if why.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(why) })
}

/// Runs the same sweep in parts, each in a process of its own, and waits for all.
fn children(swept: &Swept<'_>, wanted: &SweepArgs, limits: &Limits, dir: &Path, jobs: u64) -> Result<(), Failed> {
    let (first, end) = wanted.seeds;
    for seed in first..end {
        // Whatever lies there afterwards is of this sweep.
        gone(std::fs::remove_file(Outcome::path(dir, seed)))?;
    }
    let (program, memory) = (std::env::current_exe()?, limits.memory());
    let size = (end - first).div_ceil(jobs);
    let mut running = Vec::new();
    for from in (first..end).step_by(usize::try_from(size).unwrap_or(usize::MAX)) {
        let mut child = Command::new(&program);
        child.arg("sweep").arg(swept.path).args(["--seeds", &format!("{from}..{}", (from + size).min(end)), "--allow-vacuous"]);
        child.arg("--out").arg(dir);
        child.args(["--nodes", &swept.scale.nodes.to_string(), "--minutes", &swept.scale.minutes.to_string()]);
        child.args(["--max-wall", &limits.max_wall.to_string()]);
        child.args(memory.map(|mib| format!("--max-memory={}", (mib / jobs).max(1))));
        child.args(wanted.once.then_some("--once")).args(wanted.shrink.then_some("--shrink"));
        running.push(child.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?);
    }
    for mut child in running {
        // How it ended says no more than the files it left, or did not.
        child.wait()?;
    }
    Ok(())
}

/// What a child left of a seed; `None`: it did not come so far.
fn taken(dir: &Path, seed: u64) -> Result<Option<Outcome>, Failed> {
    let path = Outcome::path(dir, seed);
    if !path.exists() {
        return Ok(None);
    }
    Outcome::read(&path).map(Some).map_err(Failed::Other)
}

fn verdict(out: &mut impl Write, sum: &Summary, twice: u64, vacuous: bool) -> Result<bool, Failed> {
    tell(out, sum, twice)?;
    writeln!(out, "fingerprint {}", sum.fingerprint)?;
    if !sum.never.is_empty() && !vacuous {
        let never: Vec<&str> = sum.never.iter().map(String::as_str).collect();
        writeln!(out, "never happened, so never tested: {}", never.join(", "))?;
    }
    let good = sum.failed.is_empty() && (sum.never.is_empty() || vacuous);
    writeln!(out, "{} seeds, {} failed: {}", sum.count, sum.failed.len(), if good { "good" } else { "NOT GOOD" })?;
    Ok(good)
}

/// The sum, for people. `twice`: seeds that were run a second time and were the same.
pub(super) fn tell(out: &mut impl Write, sum: &Summary, twice: u64) -> io::Result<()> {
    writeln!(out, "checks:")?;
    let same = (twice > 0).then(|| ("P6.same-fingerprint".to_owned(), twice));
    for (rule, count) in sum.checked.iter().map(|(rule, count)| (rule.clone(), *count)).chain(same) {
        writeln!(out, "  {rule:<36} {count:>12} times")?;
    }
    for (name, counts) in [("happened:", &sum.seen), ("refused commands:", &sum.refused)] {
        if !counts.is_empty() {
            writeln!(out, "{name}")?;
        }
        for (what, count) in counts {
            writeln!(out, "  {what:<36} {count:>12} times")?;
        }
    }
    for (id, [met, late, not, unseen]) in &sum.expectations {
        writeln!(out, "expectation {id}: met {met}, late {late}, not met {not}, not observed {unseen}")?;
    }
    writeln!(out, "acknowledged words {}, of which {} went with every store that held them", sum.words, sum.excused)?;
    let (half, slowest) = sum.healed_us;
    writeln!(out, "events {}; heal to equal digests (to 5 s) p50 {}, max {}", sum.events, seconds(half), seconds(slowest))
}
