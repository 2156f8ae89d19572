//! The command line: what may be asked, in which words, and how it ends.

mod bench;
mod files;
mod limits;
mod play;
mod recording;
mod shrink;
mod swarm;
mod sweep;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use holdfast_sim::figure::Repair;
use holdfast_sim::scenario::Problem;
use holdfast_sim::swarm::Scale;
use holdfast_sim::world::CannotRun;

use self::limits::Limits;

/// The same node in virtual time: exercises, faults, verdicts. Everything it shows is EXERCISE, NOT REAL.
#[derive(Debug, Parser)]
#[command(name = "holdfast-sim", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Wish,
}

#[derive(Debug, Subcommand)]
enum Wish {
    /// Reads a scenario and says what is wrong with it, by file and row, and what nobody could observe.
    Check {
        /// Folder of a scenario, or its scenario.toml.
        scenario: PathBuf,
    },
    /// Plays a scenario from STARTEX to its end and writes report and record. Exit code 0 only if no rule was broken and every
    /// expectation was met.
    Run {
        /// Folder of a scenario, its scenario.toml, or `swarm` for one drawn from the seed.
        #[arg(default_value = "swarm")]
        scenario: PathBuf,
        /// Where all chance comes from; the scenario's own where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// Folder for report.html, report.json, the CSV files and the scenario as it was played.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Prints one line of JSON at the end.
        #[arg(long)]
        json: bool,
        /// Stops at this exercise time and says so: `01:30`.
        #[arg(long)]
        until: Option<String>,
        /// `max`, or so many times real time: `60x`, `1x`.
        #[arg(long, default_value = "max")]
        speed: String,
        #[command(flatten)]
        scale: ScaleArgs,
        /// Prints every input and output between these virtual seconds instead (swarm only): `300..310`.
        #[arg(long, value_parser = span)]
        trace: Option<(u64, u64)>,
        /// Writes over the record that the folder holds.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        limits: Limits,
    },
    /// Runs many seeds, each twice, and checks every rule and expectation in each.
    Sweep {
        /// `swarm`: every seed draws its own scenario; or a scenario to be run with every seed.
        #[arg(default_value = "swarm")]
        scenario: PathBuf,
        #[command(flatten)]
        sweep: SweepArgs,
        #[command(flatten)]
        scale: ScaleArgs,
        #[command(flatten)]
        limits: Limits,
    },
    /// Finds the least of a scenario in which the same still goes wrong, and writes it as a scenario that says in its title what.
    Shrink {
        /// Folder of a scenario, its scenario.toml, or `swarm` for one drawn from the seed.
        #[arg(default_value = "swarm")]
        scenario: PathBuf,
        /// Where all chance comes from; the scenario's own where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        #[command(flatten)]
        scale: ScaleArgs,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
        /// Is content with what it has after so many seconds.
        #[arg(long, default_value_t = 600)]
        seconds: u64,
    },
    /// Runs again what was recorded, with everything that was done by hand, and compares the fingerprints. Exit code 0 only if it is
    /// the same run.
    Replay {
        /// The folder that `run --out` or `play --out` wrote, its report.json, or a file that a daemon with `[log] record = true` wrote.
        recording: PathBuf,
        /// Shows what a daemon's node told as it went: neighbours, entries, refusals.
        #[arg(long)]
        events: bool,
    },
    /// Writes the report of a recorded run again.
    Report {
        /// The folder that `run --out` or `play --out` wrote.
        dir: PathBuf,
    },
    /// Plays a scenario with a controller at the keyboard or over HTTP: pause, step, inject, go back, end.
    Play {
        /// Folder of a scenario, or its scenario.toml.
        scenario: PathBuf,
        /// Where all chance comes from; the scenario's own where it is not given.
        #[arg(long)]
        seed: Option<u64>,
        /// Folder for report and record at the end.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Takes orders over HTTP, too, at an address of this computer such as 127.0.0.1:8790; port 0 takes any and says which.
        #[arg(long, value_name = "ADDRESS")]
        api: Option<SocketAddr>,
        /// Whoever shows what stands in it may give orders; made where it is not there, readable by this user alone.
        #[arg(long, value_name = "FILE", default_value = "holdfast-sim.token")]
        token_file: PathBuf,
        /// Writes over the record that the folder holds.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        limits: Limits,
    },
    /// Makes synthetic sites where people live, and writes them as a scenario to go on from.
    Generate {
        /// So many sites.
        #[arg(long, default_value_t = 50)]
        sites: usize,
        /// Of them hubs.
        #[arg(long, default_value_t = 2)]
        hubs: usize,
        /// County codes, such as HUA,TTT; all where none is given.
        #[arg(long, value_delimiter = ',')]
        regions: Vec<String>,
        /// Where all chance comes from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Folder to write.
        #[arg(long)]
        out: PathBuf,
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
    /// How many times real time the simulator runs, without faults.
    Bench {
        /// Nodes, a hub among 40.
        #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(2..=20_000))]
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

#[derive(Clone, Debug, clap::Args)]
struct SweepArgs {
    /// First and one past the last seed, `0..1000`, or one alone, `7`.
    #[arg(long, value_parser = seeds, default_value = "0..100")]
    seeds: (u64, u64),
    /// Runs each seed once only: twice as fast, and P6 is not checked.
    #[arg(long)]
    once: bool,
    /// Does not fail when something expected never happened (for narrow sweeps).
    #[arg(long)]
    allow_vacuous: bool,
    /// Folder for seed-N.json of every seed, the scenario seed-N of each that failed, and summary.json of all that lie there.
    #[arg(long)]
    out: Option<PathBuf>,
    /// So many processes at once.
    #[arg(long, requires = "out", value_parser = clap::value_parser!(u64).range(1..=256))]
    jobs: Option<u64>,
    /// Shrinks the scenario of each seed that failed.
    #[arg(long, requires = "out")]
    shrink: bool,
    /// Runs nothing: sums up what sweeps left in this folder.
    #[arg(long, conflicts_with_all = ["seeds", "once", "out"])]
    merge: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct ScaleArgs {
    /// Nodes of a drawn scenario.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=200))]
    nodes: u32,
    /// Its minutes with faults; the heal and its aftermath come on top.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
}

impl ScaleArgs {
    fn scale(self) -> Scale {
        Scale { nodes: usize::try_from(self.nodes).unwrap_or(2), minutes: self.minutes }
    }
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    text.parse::<u64>().ok().and_then(|one| Some((one, one.checked_add(1)?))).map_or_else(|| span(text), Ok)
}

fn span(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("{text:?} is no range; write FIRST..END, such as 0..1000");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let range = (first.parse().map_err(|_| wrong())?, end.parse().map_err(|_| wrong())?);
    if range.0 < range.1 { Ok(range) } else { Err(wrong()) }
}

/// Reads the command line and does what it asks. 0: good; 1: a rule broken, an expectation not met, or it could not run; 2: wrong
/// usage.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = io::stdout().lock();
    match obey(&mut out, cli.command) {
        Ok(true) => ExitCode::SUCCESS,
        // A closed pipe is the reader's wish, not a failure of the run.
        Err(Failed::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // Nobody can be told that standard error is closed.
            let _ = writeln!(io::stderr(), "holdfast-sim: {why}");
            ExitCode::FAILURE
        }
    }
}

fn obey(out: &mut impl Write, wish: Wish) -> Result<bool, Failed> {
    match wish {
        Wish::Check { scenario } => files::check(out, &scenario),
        Wish::Run { scenario, seed, scale, trace: Some(span), .. } if files::is_swarm(&scenario) => {
            swarm::trace(out, seed.unwrap_or(1), scale, span)
        }
        Wish::Run { scenario, seed, out: None, json: false, until: None, scale, limits, .. } if files::is_swarm(&scenario) => {
            swarm::one(out, seed.unwrap_or(1), scale, &limits)
        }
        Wish::Run { scenario, seed, out: dir, json, until, speed, scale, trace: _, force, limits } => {
            let (scenario, source) = files::open(&scenario, seed, scale)?;
            let seed = seed.unwrap_or(scenario.exercise.seed);
            let until = files::exercise_time(until.as_deref())?;
            let wish = files::Wanted { seed, dir, json, until, speed: files::pace(&speed)?, limits, force };
            files::run(out, scenario, &source, &wish)
        }
        Wish::Sweep { sweep: SweepArgs { merge: Some(dir), allow_vacuous, .. }, .. } => sweep::merge(out, &dir, allow_vacuous),
        Wish::Sweep { scenario, sweep, scale, limits } => sweep::sweep(out, &scenario, scale, &sweep, &limits),
        Wish::Shrink { scenario, seed, scale, out: dir, seconds } => {
            let (scenario, source) = files::open(&scenario, seed, scale)?;
            let seed = seed.unwrap_or(scenario.exercise.seed);
            shrink::shrink(out, scenario, &source, seed, &dir, seconds)
        }
        Wish::Replay { recording, events } => replay(out, &recording, events),
        Wish::Report { dir } => files::report(out, &dir),
        Wish::Play { scenario, seed, out: dir, api, token_file, force, limits } => {
            play::play(out, &play::Wanted { scenario: &scenario, seed, dir: dir.as_deref(), api, token_file, force, limits })
        }
        Wish::Generate { sites, hubs, regions, seed, out: dir } => files::generate(out, (sites, hubs), &regions, seed, &dir),
        Wish::Repair { entries, loss, nodes, round, per_second, seed, reliable } => {
            let nodes = usize::try_from(nodes).unwrap_or(2);
            bench::repair(out, &Repair { seed, nodes, entries, round, per_second, loss: loss * 10_000, reliable })
        }
        Wish::Bench { nodes, minutes, per_hour, seed } => bench::speed(out, seed, nodes, minutes, per_hour),
    }
}

/// A folder with a record, the record in it, or what a daemon recorded.
fn replay(out: &mut impl Write, path: &Path, events: bool) -> Result<bool, Failed> {
    if path.is_dir() {
        return files::replay(out, path);
    }
    if !path.exists() {
        return Err(Failed::Other(format!("{}: there is no such file or folder. {}", path.display(), recording::KINDS)));
    }
    if path.file_name().is_some_and(|name| name == files::RECORD) {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return files::replay(out, dir);
    }
    recording::replay(out, path, events)
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// What came of it could not be written.
    #[error("can't write: {0}")]
    Output(#[from] io::Error),
    /// The scenario can't be run.
    #[error("{0}")]
    Run(#[from] CannotRun),
    /// The scenario can't be read.
    #[error("{}", list(.0))]
    Scenario(Vec<Problem>),
    /// A file is not what it should be.
    #[error("{0}")]
    Other(String),
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("this scenario can't be played; nothing ran.\n{}", lines.join("\n"))
}

fn seconds(us: u64) -> String {
    format!("{}.{:03} s", us / 1_000_000, us / 1_000 % 1_000)
}

fn millis(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}
