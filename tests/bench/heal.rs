//! Heal: five daemons, one cut off, both sides go on writing; then time and bytes until all are equal again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use holdfast_daemon::store::{Options, Store};
use holdfast_proto::io::Row;
use serde::{Deserialize, Serialize};

use crate::driver::{Driver, wait_until};
use crate::machine::{Dice, Goal, Outcome, Spread, Table, words};
use crate::round::{Place, apart, hand_back, quiet_rounds};
use crate::spread;
use crate::world::{PAYLOAD_BYTES, alliance, texts};

const NODES: usize = 5;
/// Entries asked for and not yet acknowledged: below what a daemon queues.
const UNDER_WAY: usize = 512;

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// New entries on each side.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seed of names and payload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Result {
    heal_ms: f64,
    linked_ms: f64,
    /// Frame bytes received by each daemon from heal to equal, over the bytes of what it lacked.
    ratios: Vec<f64>,
    missing_bytes: f64,
    duplicates: f64,
    late: f64,
}

/// Runs all rounds, each after a short floor that says how noisy the machine is.
pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    let (results, floors, thrown) = quiet_rounds(settings.rounds, |attempt| {
        let seed = (settings.seed + attempt as u64).to_string();
        let floor = ["round", "floor", "--nodes", "5", "--count", "300", "--rate", "200", "--idle", "0", "--seed", &seed];
        let floor: spread::Result = apart(&floor.map(str::to_owned))?;
        let entries = settings.entries.to_string();
        let result: Result = apart(&["round", "heal", "--entries", &entries, "--seed", &seed].map(str::to_owned))?;
        eprintln!("round {}: floor p50 {:.2} ms; {result:?}", attempt + 1, floor.p50);
        Ok((floor.p50, result))
    })?;
    let over = |read: fn(&Result) -> f64| Spread::of(results.iter().map(read));
    let mut table = Table::new(format!("Heal: {NODES} daemons, one cut off, {} new entries on each side", settings.entries));
    table.add("heal to all digests equal", over(|r| r.heal_ms / 1_000.0), "s", Goal::Most(1.5));
    table.add("of that, until the first link was up", over(|r| r.linked_ms / 1_000.0), "s", Goal::None);
    let worst = |r: &Result| r.ratios.iter().copied().fold(0.0, f64::max);
    table.add(
        "frame bytes received, gossip included, over the bytes of the missing entries; worst daemon",
        over(worst),
        "x",
        Goal::Most(1.3),
    );
    table.add("the same, the daemon that was cut off", over(|r| r.ratios.first().copied().unwrap_or(f64::NAN)), "x", Goal::None);
    table.add("entries received twice, all daemons", over(|r| r.duplicates), "", Goal::None);
    table.add("wants answered too late, all daemons", over(|r| r.late), "", Goal::None);
    table.add("bytes one daemon lacked (header, body, signature)", over(|r| r.missing_bytes / 1e6), "MB", Goal::None);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
    let checks = crate::ingest::checks_per_cpu_s(&alliance(NODES, settings.seed)?)?;
    let floor = (NODES * settings.entries) as f64 / checks / cores;
    table.add("floor: each daemon's signature checks alone, on all cores", Spread::of([floor]), "s", Goal::None);
    table.add("UDP floor beside it, p50", floors, "ms", Goal::None);
    table.note(format!("{} rounds, seeds from {}; {thrown} thrown away for noise.", results.len(), settings.seed));
    Ok(table)
}

/// One round, inside its own network.
pub(crate) fn round(settings: &Settings) -> Outcome<()> {
    let place = Place::new("heal")?;
    let line = format!("spread --nodes {NODES} --seed {}", settings.seed);
    let crate::What::Spread(shape) = crate::typed(&line)? else { return Err("no such settings".to_owned()) };
    let mut drivers = spread::node_drivers(&shape, place.path(), true)?;
    drivers[0].ask("!cut 1-2 1-3 1-4 1-5")?;
    for driver in drivers.iter_mut().skip(1) {
        driver.ask("!cut 1-1")?;
    }
    write_on_both_sides(settings, &mut drivers)?;
    wait_until("the larger side is equal", Duration::from_secs(60), || spread::equal(&mut drivers[1..]))?;
    // Probes and receipts of the writing have ended.
    std::thread::sleep(Duration::from_secs(2));
    let before: Vec<BTreeMap<String, u64>> = drivers.iter_mut().map(metrics).collect::<Outcome<_>>()?;
    let start = Instant::now();
    for driver in &mut drivers {
        driver.say("!heal")?;
    }
    for driver in &mut drivers {
        driver.answer()?;
    }
    let mut linked = None;
    wait_until("all digests equal", Duration::from_secs(120), || {
        if drivers[0].members() > 0 {
            linked.get_or_insert(start.elapsed());
        }
        spread::equal(&mut drivers)
    })?;
    let took = start.elapsed();
    let after: Vec<BTreeMap<String, u64>> = drivers.iter_mut().map(metrics).collect::<Outcome<_>>()?;
    for driver in &mut drivers {
        driver.end();
    }
    let (of_one, of_others) = stored_bytes(&place.path().join("n0/data"))?;
    let delta = |n: usize, name: &str| {
        let value = |list: &[BTreeMap<String, u64>]| list[n].get(name).copied().unwrap_or(0);
        value(&after).saturating_sub(value(&before)) as f64
    };
    let missing = |n: usize| if n == 0 { of_others } else { of_one };
    hand_back(&Result {
        heal_ms: took.as_secs_f64() * 1_000.0,
        linked_ms: linked.unwrap_or(took).as_secs_f64() * 1_000.0,
        ratios: (0..NODES).map(|n| delta(n, "frame_bytes_in_total") / missing(n)).collect(),
        missing_bytes: of_one,
        duplicates: (0..NODES).map(|n| delta(n, "entries_duplicate_total")).sum(),
        late: (0..NODES).map(|n| delta(n, "wants_late_total")).sum(),
    })
}

fn write_on_both_sides(settings: &Settings, drivers: &mut [Driver]) -> Outcome<()> {
    let mut dice = Dice::new(settings.seed);
    let quotas: Vec<usize> = (0..NODES).map(|n| if n == 0 { settings.entries } else { settings.entries / (NODES - 1) }).collect();
    let mut said = [0; NODES];
    wait_until("the writing", Duration::from_secs(300), || {
        for (n, driver) in drivers.iter_mut().enumerate() {
            while said[n] < quotas[n] && said[n] < driver.acknowledged() + driver.refused() + UNDER_WAY {
                let (other, note) = texts(&mut dice, PAYLOAD_BYTES);
                driver.say(&format!("{} {other} {note}", said[n]))?;
                said[n] += 1;
            }
        }
        Ok(drivers.iter().zip(&quotas).all(|(driver, quota)| driver.acknowledged() + driver.refused() >= *quota))
    })?;
    let refused: usize = drivers.iter().map(Driver::refused).sum();
    if refused > 0 { Err(format!("{refused} entries were refused")) } else { Ok(()) }
}

/// Counters of a daemon by name.
pub(crate) fn metrics(driver: &mut Driver) -> Outcome<BTreeMap<String, u64>> {
    let line = driver.ask("!metrics")?;
    let pairs = line.split(' ').filter_map(|word| word.split_once('='));
    Ok(pairs.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}

/// Bytes of the first node's entries and of all others', as they are stored: header, body, signature.
fn stored_bytes(folder: &Path) -> Outcome<(f64, f64)> {
    let opened = Store::open(folder, Options::default()).map_err(words)?;
    let (mut of_one, mut of_others) = (0.0, 0.0);
    let each = |row: Row| {
        if let Row::Entry(entry) = row {
            let bytes = (entry.header.len() + entry.body.map_or(0, |body| body.len()) + 64) as f64;
            if entry.id.log.author.serial == 1 {
                of_one += bytes;
            } else {
                of_others += bytes;
            }
        }
    };
    opened.store.load(each).map_err(words)?;
    Ok((of_one, of_others))
}
