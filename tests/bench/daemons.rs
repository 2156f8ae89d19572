//! Single figures of real `holdfastd` processes: memory, idle cost, start. HTTP is spoken by hand so that a poll costs nothing.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::machine::{Goal, Outcome, Spread, Table, cpu_nanos, loopback_bytes, memory_mib, millis, words};
use crate::round::{Place, apart, hand_back, holdfastd};
use crate::world::{Shape, World};

/// Longest that a daemon may take to answer.
const READY_MAX: Duration = Duration::from_secs(60);
/// Between two looks whether it answers.
const LOOK: Duration = Duration::from_micros(250);

/// One `holdfastd`, killed when dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) child: Child,
    address: String,
    pub(crate) started: Instant,
}

impl Daemon {
    pub(crate) fn start(world: &World, place: usize) -> Outcome<Self> {
        let log = File::options().create(true).append(true).open(world.folder(place).join("log")).map_err(words)?;
        let mut command = Command::new(holdfastd()?);
        command.arg("--config").arg(world.config(place)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().map_err(words)?;
        let address = World::api(place).trim_start_matches("http://").to_owned();
        Ok(Self { child, address, started })
    }

    /// Time from exec to the first 200 of `path`.
    pub(crate) fn answers(&mut self, path: &str) -> Outcome<Duration> {
        while self.started.elapsed() < READY_MAX {
            if ok(&self.address, path) {
                return Ok(self.started.elapsed());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("holdfastd ended: {status}"));
            }
            std::thread::sleep(LOOK);
        }
        Err(format!("no answer to {path} within {READY_MAX:?}"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails where it has ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ok(address: &str, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut head = [0; 12];
    asked.is_ok() && stream.read_exact(&mut head).is_ok() && head.ends_with(b" 200")
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Figures {
    values: Vec<f64>,
}

fn argument(name: &str, value: impl ToString) -> [String; 2] {
    [format!("--{name}"), value.to_string()]
}

/// Memory of a daemon that carries many authors.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Memory {
    /// Authors.
    #[arg(long, default_value_t = 1_000)]
    authors: usize,
    /// Entries held, spread evenly.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

impl Memory {
    pub(crate) fn measure(&self) -> Outcome<Table> {
        let mut command = vec!["round".to_owned(), "memory".to_owned()];
        command.extend(argument("authors", self.authors));
        command.extend(argument("entries", self.entries));
        let results: Vec<Figures> = (0..self.rounds).map(|_| apart(&command)).collect::<Outcome<_>>()?;
        let over = |n: usize| Spread::of(results.iter().map(|one| one.values[n]));
        let mut table =
            Table::new(format!("Memory of a daemon with {} authors, a board each and {} entries", self.authors, self.entries));
        table.add("proportional (Pss), 5 s after it is ready", over(0), "MiB", Goal::Most(40.0));
        table.add("private", over(1), "MiB", Goal::None);
        Ok(table)
    }

    pub(crate) fn round(&self) -> Outcome<()> {
        let place = Place::new("memory")?;
        let shape = Shape { authors: self.authors, daemons: 1, peers: 0, gossip: true };
        let world = World::make(place.path(), shape, 1)?;
        world.fill(0, self.entries)?;
        let mut daemon = Daemon::start(&world, 0)?;
        daemon.answers("/readyz")?;
        std::thread::sleep(Duration::from_secs(5));
        let (pss, private) = memory_mib(daemon.child.id())?;
        hand_back(&Figures { values: vec![pss, private] })
    }
}

/// Idle daemons.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Idle {
    /// Seconds measured, after 20 s of settling.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Rounds.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
}

impl Idle {
    /// Six daemons, all linked to all.
    const DAEMONS: usize = 6;

    pub(crate) fn measure(&self) -> Outcome<Table> {
        let mut command = vec!["round".to_owned(), "idle".to_owned()];
        command.extend(argument("seconds", self.seconds));
        let results: Vec<Figures> = (0..self.rounds).map(|_| apart(&command)).collect::<Outcome<_>>()?;
        let over = |n: usize| Spread::of(results.iter().map(|one| one.values[n]));
        let mut table = Table::new(format!("Idle: {} daemons, 5 links each, sync and gossip, {} s", Self::DAEMONS, self.seconds));
        table.add("CPU per daemon, of one core", over(0), "%", Goal::Most(0.1));
        table.add("sent per daemon, everything on the wire", over(1), "B/s", Goal::Most(200.0));
        table.add("proportional memory per daemon (Pss)", over(2), "MiB", Goal::None);
        Ok(table)
    }

    pub(crate) fn round(&self) -> Outcome<()> {
        let place = Place::new("idle")?;
        let shape = Shape { authors: Self::DAEMONS, daemons: Self::DAEMONS, peers: Self::DAEMONS - 1, gossip: true };
        let world = World::make(place.path(), shape, 1)?;
        let mut daemons: Vec<Daemon> = (0..Self::DAEMONS).map(|n| Daemon::start(&world, n)).collect::<Outcome<_>>()?;
        for daemon in &mut daemons {
            daemon.answers("/readyz")?;
        }
        std::thread::sleep(Duration::from_secs(20));
        let cpu = |daemons: &[Daemon]| daemons.iter().map(|daemon| cpu_nanos(daemon.child.id())).sum::<Outcome<u64>>();
        let (before, bytes, start) = (cpu(&daemons)?, loopback_bytes()?, Instant::now());
        std::thread::sleep(Duration::from_secs(self.seconds));
        let (after, more, took) = (cpu(&daemons)?, loopback_bytes()?, start.elapsed().as_secs_f64());
        let memory: Vec<f64> = daemons.iter().filter_map(|one| memory_mib(one.child.id()).ok()).map(|(pss, _)| pss).collect();
        let each = Self::DAEMONS as f64;
        let percent = (after - before) as f64 / 1e9 / took / each * 100.0;
        hand_back(&Figures { values: vec![percent, (more - bytes) as f64 / took / each, Spread::of(memory).median] })
    }
}

/// From exec to the first answer.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Start {
    /// Entries in the store, of 1,000 authors.
    #[arg(long, default_value_t = 50_000)]
    entries: usize,
    /// Starts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

impl Start {
    pub(crate) fn measure(&self) -> Outcome<Table> {
        let mut command = vec!["round".to_owned(), "start".to_owned()];
        command.extend(argument("entries", self.entries));
        command.extend(argument("rounds", self.rounds));
        let figures: Figures = apart(&command)?;
        let part = |n: usize| Spread::of(figures.values.iter().skip(n).step_by(4).copied());
        let mut table = Table::new(format!("Start with {} entries of 1,000 authors in the store", self.entries));
        table.add("exec to /readyz", part(0), "ms", Goal::None);
        table.add("exec to the page", part(1), "ms", Goal::Most(500.0));
        table.add("after kill -9: exec to the page", part(2), "ms", Goal::None);
        table.add("proportional memory (Pss)", part(3), "MiB", Goal::None);
        table.note(format!(
            "{} starts each; page cache warm. Every stored sum is checked; signatures again before relay.",
            self.rounds
        ));
        Ok(table)
    }

    pub(crate) fn round(&self) -> Outcome<()> {
        let place = Place::new("start")?;
        let shape = Shape { authors: 1_000, daemons: 1, peers: 0, gossip: true };
        let world = World::make(place.path(), shape, 1)?;
        world.fill(0, self.entries)?;
        let mut figures = Vec::new();
        for _ in 0..self.rounds {
            let mut daemon = Daemon::start(&world, 0)?;
            let ready = daemon.answers("/readyz")?;
            let page = daemon.answers("/")?;
            let (pss, _) = memory_mib(daemon.child.id())?;
            drop(daemon);
            let mut again = Daemon::start(&world, 0)?;
            let dirty = again.answers("/")?;
            end(&mut again)?;
            figures.extend([millis(ready), millis(page), millis(dirty), pss]);
        }
        hand_back(&Figures { values: figures })
    }
}

/// Asks a daemon to end, and waits: its store is then clean.
fn end(daemon: &mut Daemon) -> Outcome<()> {
    let status = Command::new("kill").args(["-TERM", &daemon.child.id().to_string()]).status().map_err(words)?;
    if !status.success() {
        return Err("the daemon could not be asked to end".to_owned());
    }
    daemon.child.wait().map_err(words)?;
    Ok(())
}

/// The token of a daemon that has started once.
pub(crate) fn token(folder: &Path) -> Outcome<String> {
    let path: PathBuf = folder.join("api.token");
    Ok(std::fs::read_to_string(path).map_err(words)?.trim().to_owned())
}
