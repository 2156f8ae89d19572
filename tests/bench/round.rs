//! One round in a network of its own: this program starts itself again behind `unshare`, and reads one line of JSON from it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Serialize, de::DeserializeOwned};

use crate::machine::{Outcome, Spread, words};

/// A round may be this much slower in the floor than the median round before it is thrown away: a neighbour was busy.
const NOISE_MAX: f64 = 1.5;

/// Runs `arguments` of this program in a private network namespace with its loopback up.
pub(crate) fn apart<T: DeserializeOwned>(arguments: &[String]) -> Outcome<T> {
    let own = std::env::current_exe().map_err(words)?;
    let root = std::fs::metadata("/proc/self").map(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0).unwrap_or(false);
    let flags: &[&str] = if root { &["-n"] } else { &["-r", "-n"] };
    let mut command = Command::new("unshare");
    command.args(flags).args(["--", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]).arg(own).args(arguments);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().map_err(|error| {
        format!("a private network can't be made: {error}. The measurement needs `unshare` (util-linux) and `ip` (iproute2)")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().rev().find(|line| line.starts_with('{'));
    let last = last.ok_or_else(|| format!("a round gave no result ({})", output.status))?;
    serde_json::from_str(last).map_err(words)
}

/// The end of such a round: its result on standard output.
pub(crate) fn hand_back(result: &impl Serialize) -> Outcome<()> {
    println!("{}", serde_json::to_string(result).map_err(words)?);
    Ok(())
}

/// A folder for one round, emptied before and removed after.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let dir = bench_dir()?.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).map_err(words)?;
        Ok(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::env::var_os("HOLDFAST_BENCH_KEEP").is_none() {
            // What can't be removed is in target/, where nobody minds.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// `target/bench`: on the disk the programs were built on.
pub(crate) fn bench_dir() -> Outcome<PathBuf> {
    let own = std::env::current_exe().map_err(words)?;
    let target = own.parent().and_then(Path::parent).ok_or("this program stands in no target folder")?;
    let dir = target.join("bench");
    std::fs::create_dir_all(&dir).map_err(words)?;
    Ok(dir)
}

/// `holdfastd` beside this program, built if it is not there.
pub(crate) fn holdfastd() -> Outcome<PathBuf> {
    let own = std::env::current_exe().map_err(words)?;
    let path = own.with_file_name("holdfastd");
    if !path.exists() {
        let built = Command::new("cargo").args(["build", "--release", "-p", "holdfast-daemon"]).status().map_err(words)?;
        if !built.success() || !path.exists() {
            return Err(format!("{} is missing. Build it: cargo build --release -p holdfast-daemon", path.display()));
        }
    }
    Ok(path)
}

/// Repeats `one` until `rounds` of them were quiet by their floor, at most twice as often as asked.
pub(crate) fn quiet_rounds<T>(
    rounds: usize,
    mut one: impl FnMut(usize) -> Outcome<(f64, T)>,
) -> Outcome<(Vec<T>, Spread, usize)> {
    let mut done: Vec<(f64, T)> = Vec::new();
    let mut thrown = 0;
    for attempt in 0..rounds * 2 {
        done.push(one(attempt)?);
        if done.len() < rounds {
            continue;
        }
        let median = Spread::of(done.iter().map(|(floor, _)| *floor)).median;
        let before = done.len();
        let more_allowed = attempt + 1 < rounds * 2;
        if more_allowed {
            done.retain(|(floor, _)| *floor <= median * NOISE_MAX);
        }
        thrown += before - done.len();
        if done.len() >= rounds {
            break;
        }
    }
    let floors = Spread::of(done.iter().map(|(floor, _)| *floor));
    Ok((done.into_iter().map(|(_, result)| result).collect(), floors, thrown))
}
