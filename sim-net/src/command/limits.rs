//! What a computation may take: memory and time on the clock. Looked at between pieces of play, never within one: it says when a run
//! ends, not what happens in it. So does Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Failed, bench::Clock};

/// Bytes of a page of memory, as `/proc/self/statm` counts them on the machines this runs on.
const PAGE: u64 = 4_096;
/// A mebibyte.
const MIB: u64 = 1_024 * 1_024;
/// Memory is looked at so often, microseconds on the clock.
const LOOK_EVERY: u64 = 20_000;

/// What a computation may take.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Limits {
    /// Ends in order above so much memory, MiB; where not given, three quarters of what the machine has free at the start.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_memory: Option<u64>,
    /// Ends in order after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 604_800, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub max_wall: u64,
}

impl Limits {
    /// MiB; `None` where nothing was given and the system does not say what is free.
    pub(super) fn memory(&self) -> Option<u64> {
        self.max_memory.or_else(|| Some(free()? / MIB / 4 * 3))
    }
}

/// Watches over the limits.
pub(super) struct Guard {
    clock: Clock,
    max_wall_us: u64,
    /// Bytes; `None`: the system says nothing of it.
    max_memory: Option<u64>,
    interrupted: Arc<AtomicBool>,
    looked: u64,
}

impl Guard {
    /// From now on. A first Ctrl-C ends in order, a second at once.
    pub(super) fn new(limits: &Limits) -> Result<Self, Failed> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&interrupted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        let max_memory = limits.memory().map(|mib| mib.saturating_mul(MIB));
        let max_wall_us = limits.max_wall.saturating_mul(1_000_000);
        Ok(Self { clock: Clock::start(), max_wall_us, max_memory, interrupted, looked: 0 })
    }

    /// Why to end now: `memory`, `time`, `interrupted`.
    pub(super) fn exceeded(&mut self) -> Option<&'static str> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some("interrupted");
        }
        let now = self.clock.elapsed_us();
        if now >= self.max_wall_us {
            return Some("time");
        }
        if now < self.looked + LOOK_EVERY && self.looked > 0 {
            return None;
        }
        self.looked = now.max(1);
        (self.max_memory? < resident()?).then_some("memory")
    }
}

/// Bytes this process holds in memory.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * PAGE)
}

/// Bytes that the machine could give.
fn free() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}
