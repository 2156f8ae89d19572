//! Fresh entries: acknowledged to visible at the last of N daemons, and the bytes each delivery costs on the wire.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::driver::{Driver, wait_until};
use crate::machine::{Dice, Goal, Outcome, Spread, Table, loopback_bytes, millis, quantile};
use crate::round::{Place, apart, hand_back, quiet_rounds};
use crate::world::{Shape, World, texts};

/// Entries sent before anything is counted.
const WARM_UP: usize = 20;
/// How long to wait for stragglers.
const STRAGGLERS_MAX: Duration = Duration::from_secs(20);

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Daemons.
    #[arg(long, default_value_t = 5)]
    pub(crate) nodes: usize,
    /// Static addresses each daemon is given; by default all at 5, and 4 above (so 8 links each).
    #[arg(long)]
    pub(crate) peers: Option<usize>,
    /// Entries a round.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) count: usize,
    /// Bytes of an entry's body; header and signature are about 120 more. The floor always carries 154.
    #[arg(long, default_value_t = crate::world::PAYLOAD_BYTES)]
    pub(crate) body: usize,
    /// Entries a second, sent on time whatever became of those before.
    #[arg(long, default_value_t = 50)]
    pub(crate) rate: u64,
    /// Seconds the network is listened to idle, before the load.
    #[arg(long, default_value_t = 5)]
    pub(crate) idle: u64,
    /// Rounds, floor and project in turn.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Seed of names and payload.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Without gossip beside sync.
    #[arg(long)]
    pub(crate) no_gossip: bool,
}

impl Settings {
    fn static_peers(&self) -> usize {
        self.peers.unwrap_or(if self.nodes <= 8 { self.nodes - 1 } else { 4 })
    }

    fn arguments(&self, what: &str, seed: u64) -> Vec<String> {
        let number = |name: &str, value: u64| [format!("--{name}"), value.to_string()];
        let wide = |value: usize| value as u64;
        let mut list = vec!["round".to_owned(), what.to_owned()];
        list.extend(number("nodes", wide(self.nodes)));
        list.extend(number("peers", wide(self.static_peers())));
        list.extend(number("count", wide(self.count)));
        list.extend(number("body", wide(self.body)));
        list.extend(number("rate", self.rate));
        list.extend(number("idle", self.idle));
        list.extend(number("seed", seed));
        if self.no_gossip {
            list.push("--no-gossip".to_owned());
        }
        list
    }
}

/// What a round measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    /// Real daemons.
    Holdfast,
    /// A star of datagrams.
    Floor,
    /// The same, each hearer writing and syncing first: what this disk and these cores leave to anybody who is durable everywhere.
    DiskFloor,
}

/// Entries of a round of the disk floor: it is steady, and there is one for every round.
const DISK_FLOOR_COUNT: usize = 300;

/// One round of one system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Result {
    /// From the acknowledgement to the last node, ms.
    pub(crate) p50: f64,
    p99: f64,
    max: f64,
    /// From the line that asked for it, ms.
    asked_p50: f64,
    asked_p99: f64,
    /// From the line to the acknowledgement, ms.
    ack_p50: f64,
    bytes: f64,
    idle_bytes_s: f64,
    missed: usize,
}

/// Runs all rounds.
pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    let (mut floors, mut disks) = (Vec::new(), Vec::new());
    let few = Settings { count: settings.count.min(DISK_FLOOR_COUNT), idle: 0, ..*settings };
    let (results, _, thrown) = quiet_rounds(settings.rounds, |attempt| {
        let seed = settings.seed + attempt as u64;
        let floor: Result = apart(&settings.arguments("floor", seed))?;
        let disk: Result = apart(&few.arguments("disk-floor", seed))?;
        let ours: Result = apart(&settings.arguments("spread", seed))?;
        eprintln!(
            "N={} round {}: floor p50 {:.2} p99 {:.2} ms; with disk {:.2} {:.2} ms; Holdfast p50 {:.2} p99 {:.2} max {:.1} ms, {:.0} B",
            settings.nodes,
            attempt + 1,
            floor.p50,
            floor.p99,
            disk.p50,
            disk.p99,
            ours.p50,
            ours.p99,
            ours.max,
            ours.bytes
        );
        floors.push(floor.clone());
        disks.push(disk);
        Ok((floor.p50, ours))
    })?;
    let over = |list: &[Result], read: fn(&Result) -> f64| Spread::of(list.iter().map(read));
    let (p50, p99, bytes) = if settings.nodes <= 8 { (1.5, 5.0, None) } else { (2.5, 5.0, Some(300.0)) };
    let title = format!(
        "Fresh entry, signed and durable everywhere, {} daemons ({} entries of {} B body at {}/s, {} static peers each)",
        settings.nodes,
        settings.count,
        settings.body,
        settings.rate,
        settings.static_peers()
    );
    let mut table = Table::new(title);
    table.add("acknowledged to visible at the last, p50", over(&results, |r| r.p50), "ms", Goal::Most(p50));
    table.add("the same, p99", over(&results, |r| r.p99), "ms", Goal::Most(p99));
    table.add("the same, worst", over(&results, |r| r.max), "ms", Goal::None);
    table.add("asked to acknowledged (durable here), p50", over(&results, |r| r.ack_p50), "ms", Goal::None);
    table.add("asked to visible at the last, p50", over(&results, |r| r.asked_p50), "ms", Goal::None);
    table.add("the same, p99", over(&results, |r| r.asked_p99), "ms", Goal::None);
    table.add("UDP floor: asked to visible at the last, p50", over(&floors, |r| r.p50), "ms", Goal::None);
    table.add("UDP floor, p99", over(&floors, |r| r.p99), "ms", Goal::None);
    table.add("UDP and disk floor: each hearer syncs two pages, p50", over(&disks, |r| r.p50), "ms", Goal::None);
    table.add("UDP and disk floor, p99", over(&disks, |r| r.p99), "ms", Goal::None);
    let goal = bytes.map_or(Goal::None, Goal::Most);
    table.add("wire bytes per entry and delivery, idle subtracted", over(&results, |r| r.bytes), "B", goal);
    table.add("UDP floor, the same", over(&floors, |r| r.bytes), "B", Goal::None);
    table.add("idle bytes per daemon, before the load", over(&results, |r| r.idle_bytes_s), "B/s", Goal::None);
    let missed: usize = results.iter().map(|r| r.missed).sum();
    table.note(format!(
        "{} rounds, seeds from {}; {thrown} thrown away for noise; {missed} deliveries missed. The body is one request with a \
         free-text line and a note, all random.",
        results.len(),
        settings.seed
    ));
    Ok(table)
}

/// One round, inside its own network.
pub(crate) fn round(settings: &Settings, system: System) -> Outcome<()> {
    let floor = system != System::Holdfast;
    let place = Place::new(if floor { "floor" } else { "spread" })?;
    let mut drivers = match system {
        System::Holdfast => node_drivers(settings, place.path(), false)?,
        System::Floor | System::DiskFloor => floor_drivers(settings, place.path(), system == System::DiskFloor)?,
    };
    let result = load(settings, &mut drivers, floor)?;
    for driver in &mut drivers {
        driver.end();
    }
    hand_back(&result)
}

/// The floor's adapters.
pub(crate) fn floor_drivers(settings: &Settings, dir: &Path, durable: bool) -> Outcome<Vec<Driver>> {
    let one = |n: usize| {
        let list = ["drive-floor", "--place", &n.to_string(), "--nodes", &settings.nodes.to_string()].map(str::to_owned);
        let file = durable.then(|| ["--file".to_owned(), dir.join(format!("pages{n}")).display().to_string()]);
        let list: Vec<String> = list.into_iter().chain(file.into_iter().flatten()).collect();
        Driver::start(&list, &dir.join(format!("floor{n}.log")))
    };
    // The star's middle last: the others must listen when it sends.
    let mut drivers: Vec<Driver> = (1..settings.nodes).map(one).collect::<Outcome<_>>()?;
    wait_until("the floor", Duration::from_secs(10), || Ok(drivers.iter().all(|driver| driver.members() > 0)))?;
    drivers.insert(0, one(0)?);
    Ok(drivers)
}

/// Daemons behind the contract, all linked and equal. `quiet`: deliveries are not said.
pub(crate) fn node_drivers(settings: &Settings, dir: &Path, quiet: bool) -> Outcome<Vec<Driver>> {
    let nodes = settings.nodes;
    let shape = Shape { authors: nodes, daemons: nodes, peers: settings.static_peers(), gossip: !settings.no_gossip };
    let world = World::make(dir, shape, settings.seed)?;
    let first = world.alliance.nodes.first().ok_or("no nodes")?.node.to_string();
    let first = if quiet { "0-0".to_owned() } else { first };
    let one = |n: usize| {
        let config = world.config(n).display().to_string();
        let list = ["drive-node", "--config", &config, "--first", &first].map(str::to_owned);
        Driver::start(&list, &world.folder(n).join("log"))
    };
    let mut drivers: Vec<Driver> = (0..nodes).map(one).collect::<Outcome<_>>()?;
    let few = settings.static_peers().min(nodes - 1);
    wait_until("all daemons linked", Duration::from_secs(60), || Ok(drivers.iter().all(|driver| driver.members() >= few)))?;
    // Boards that say where a daemon is reached go round first.
    std::thread::sleep(Duration::from_secs(4));
    wait_until("all digests equal", Duration::from_secs(60), || equal(&mut drivers))?;
    Ok(drivers)
}

/// True if all nodes have one digest.
pub(crate) fn equal(drivers: &mut [Driver]) -> Outcome<bool> {
    let digests: Vec<String> = drivers.iter_mut().map(|driver| driver.ask("!digest")).collect::<Outcome<_>>()?;
    Ok(digests.windows(2).all(|pair| pair[0] == pair[1]))
}

fn load(settings: &Settings, drivers: &mut [Driver], floor: bool) -> Outcome<Result> {
    let mut dice = Dice::new(settings.seed);
    let every = Duration::from_nanos(1_000_000_000 / settings.rate.max(1));
    let mut asked: Vec<Instant> = Vec::new();
    let publisher = |drivers: &mut [Driver], asked: &mut Vec<Instant>, dice: &mut Dice, count: usize| -> Outcome<()> {
        let start = Instant::now();
        for n in 0..count {
            let due = start + every * u32::try_from(n).unwrap_or(u32::MAX);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let (other, note) = texts(dice, settings.body);
            let line = format!("{} {other} {note}", asked.len());
            // The floor's line is padded to the payload by its own text.
            let line = if floor { format!("{line}{}", dice.text(crate::world::PAYLOAD_BYTES)) } else { line };
            asked.push(Instant::now());
            drivers[0].say(&line)?;
        }
        Ok(())
    };
    let all_there = |drivers: &[Driver], count: usize| drivers.iter().all(|driver| driver.delivered() >= count);
    publisher(drivers, &mut asked, &mut dice, WARM_UP)?;
    wait_until("the warm-up", STRAGGLERS_MAX, || Ok(all_there(drivers, WARM_UP)))?;
    std::thread::sleep(Duration::from_secs(2));
    let (before, started) = (loopback_bytes()?, Instant::now());
    std::thread::sleep(Duration::from_secs(settings.idle));
    let idle = (loopback_bytes()? - before) as f64 / started.elapsed().as_secs_f64();
    let (before, started) = (loopback_bytes()?, Instant::now());
    publisher(drivers, &mut asked, &mut dice, settings.count)?;
    let total = WARM_UP + settings.count;
    // A straggler is counted as missed below, never waited for longer.
    let _ = wait_until("stragglers", STRAGGLERS_MAX, || Ok(all_there(drivers, total)));
    // Announcements and receipts that belong to the last entries.
    std::thread::sleep(Duration::from_millis(500));
    let bytes = (loopback_bytes()? - before) as f64 - idle * started.elapsed().as_secs_f64();
    Ok(evaluate(drivers, &asked, bytes, idle / drivers.len() as f64, floor))
}

fn evaluate(drivers: &[Driver], asked: &[Instant], bytes: f64, idle_bytes_s: f64, floor: bool) -> Result {
    let total = asked.len();
    let mut last: Vec<Option<Instant>> = asked.iter().copied().map(Some).collect();
    let mut missed = 0;
    for driver in drivers {
        let mut seen: Vec<Option<Instant>> = vec![None; total];
        for (seq, at) in driver.heard().1 {
            if let Some(place) = seen.get_mut(seq) {
                place.get_or_insert(at);
            }
        }
        missed += seen.iter().filter(|at| at.is_none()).count();
        for (last, at) in last.iter_mut().zip(seen) {
            *last = last.zip(at).map(|(last, at)| last.max(at));
        }
    }
    let mut acknowledged: Vec<Option<Instant>> = vec![None; total];
    for (seq, at) in drivers.first().map(|driver| driver.heard().0).unwrap_or_default() {
        if let Some(place) = acknowledged.get_mut(seq) {
            *place = Some(at);
        }
    }
    let (mut from_ack, mut from_asked, mut to_ack) = (Vec::new(), Vec::new(), Vec::new());
    for n in WARM_UP..total {
        let (Some(last), Some(ack)) = (last[n], acknowledged[n]) else { continue };
        from_ack.push(millis(last.saturating_duration_since(ack)));
        from_asked.push(millis(last.saturating_duration_since(asked[n])));
        to_ack.push(millis(ack.saturating_duration_since(asked[n])));
    }
    // The floor acknowledges nothing: its time begins with the line.
    let mut counted = if floor { from_asked.clone() } else { from_ack };
    let deliveries = ((total - WARM_UP) * (drivers.len() - 1)) as f64;
    Result {
        p50: quantile(&mut counted, 0.5),
        p99: quantile(&mut counted, 0.99),
        max: counted.last().copied().unwrap_or(f64::NAN),
        asked_p50: quantile(&mut from_asked, 0.5),
        asked_p99: quantile(&mut from_asked, 0.99),
        ack_p50: quantile(&mut to_ack, 0.5),
        bytes: bytes / deliveries,
        idle_bytes_s,
        missed,
    }
}
