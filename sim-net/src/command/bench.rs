//! Figures in virtual time: how late entries can be, and how fast the simulator is. Nothing here is a verdict on a scenario.

use std::io::Write;

use holdfast_sim::figure::{self, Carried, Repair, quantile};
use holdfast_sim::world::MINUTE;

use super::{Failed, millis};

pub(super) fn repair(out: &mut impl Write, wanted: &Repair) -> Result<bool, Failed> {
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

pub(super) fn speed(out: &mut impl Write, seed: u64, nodes: u32, minutes: u64, per_hour: u64) -> Result<bool, Failed> {
    let tempos = [
        (minutes, format!("{per_hour} entries per node-hour and a board per 30 min"), figure::quiet(per_hour)),
        ((minutes / 4).max(2), "a request per node-day and a board per 5 min".to_owned(), figure::CRISIS),
    ];
    for (minutes, said, tempo) in tempos {
        let spent = Spent::start();
        let mut world = figure::calm(seed, usize::try_from(nodes).unwrap_or(2), minutes, tempo)?;
        // All links come up and everybody speaks at once: apart, for it is over soon.
        world.run_until(MINUTE);
        let (first, first_us) = (Carried::by(&world), spent.us());
        world.run_until(world.end());
        let (got, us) = (Carried::by(&world), spent.us().max(1));
        writeln!(out, "{nodes} nodes, {minutes} virtual minutes, {said}, seed {seed}")?;
        let per_hour = got.entries * 360_000 / (u64::from(nodes) * got.seconds).max(1);
        writeln!(
            out,
            "words {}, new entries {} ({}.{:02} a node-hour), frames {}, {} bytes, events {}",
            got.words,
            got.entries,
            per_hour / 100,
            per_hour % 100,
            got.frames,
            got.bytes,
            got.events
        )?;
        writeln!(
            out,
            "processor time {}: {} frames/s, {} events/s, {}x real time",
            millis(us),
            got.frames * 1_000_000 / us,
            got.events * 1_000_000 / us,
            got.seconds * 1_000_000 / us
        )?;
        let kinds = world.kinds.iter().map(|(kind, (frames, bytes))| {
            let name = KINDS.get(usize::from(*kind)).copied().unwrap_or("unknown");
            format!("{name} {frames} ({bytes} B)")
        });
        writeln!(out, "frames: {}", kinds.collect::<Vec<_>>().join(", "))?;
        let rest = us.saturating_sub(first_us).max(1);
        writeln!(
            out,
            "the first minute {} and {} frames; after it {}x real time",
            millis(first_us),
            first.frames,
            (got.seconds - first.seconds) * 1_000_000 / rest
        )?;
    }
    Ok(true)
}

/// Kinds of messages by number, as in `PROTOCOL.md` section 11.
const KINDS: [&str; 18] = [
    "Hello",
    "RosterList",
    "Roster",
    "Entries",
    "Docs",
    "Forks",
    "Have",
    "Prune",
    "Held",
    "Probe",
    "Same",
    "Buckets",
    "Leaves",
    "Details",
    "Want",
    "Done",
    "Beacon",
    "Changed",
];

/// Time on the clock since a run began: for people who wait, never for the run.
#[expect(clippy::disallowed_types, reason = "paces and measures the simulator, never the simulated")]
pub(super) struct Clock(std::time::Instant);

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        reason = "paces and measures the simulator, never the simulated"
    )]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Microseconds since the start.
    pub(super) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Waits until so many microseconds after the start.
    pub(super) fn wait_until(&self, us: u64) {
        std::thread::sleep(std::time::Duration::from_micros(us.saturating_sub(self.elapsed_us())));
    }
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
