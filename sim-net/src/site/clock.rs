//! The clocks of one node: a wall clock that may be years off, drift and jump, and a monotonic one that starts anew with every
//! start. True time is the simulator's alone.

use holdfast_proto::time::{Instant, Now, UtcMillis};

use crate::dice::Dice;

/// True wall time at the start of every run: 2026-06-01 00:00 UTC in milliseconds.
pub const EPOCH_MS: i64 = 1_780_272_000_000;

/// Both clocks of one node.
#[derive(Clone, Debug)]
pub struct Clock {
    offset_ms: i64,
    drift_ppm: i64,
    booted: u64,
    mono_at_boot: u64,
}

impl Clock {
    /// A right clock.
    #[must_use]
    pub fn right() -> Self {
        Self { offset_ms: 0, drift_ppm: 0, booted: 0, mono_at_boot: 1_000_000 }
    }

    /// One in three is right, one in three seconds to minutes off, one in three years off; drift up to 100 ppm.
    pub fn draw(dice: &mut Dice) -> Self {
        let span = match dice.below(3) {
            0 => 0,
            1 => 300_000,
            2.. => 10 * 31_557_600_000,
        };
        let offset_ms = i64::try_from(dice.below(2 * span + 1)).unwrap_or(0) - i64::try_from(span).unwrap_or(0);
        let drift_ppm = i64::try_from(dice.below(201)).unwrap_or(0) - 100;
        Self { offset_ms, drift_ppm, booted: 0, mono_at_boot: dice.below(1_000_000_000) }
    }

    /// The node starts: the monotonic clock begins anew.
    pub fn boot(&mut self, now: u64, dice: &mut Dice) {
        self.booted = now;
        self.mono_at_boot = dice.below(1_000_000_000);
    }

    /// The wall clock jumps.
    pub fn step(&mut self, by_ms: i64) {
        self.offset_ms = (self.offset_ms + by_ms).clamp(-50 * 31_557_600_000, 50 * 31_557_600_000);
    }

    fn stretched(&self, true_us: u64) -> u64 {
        let long = i128::from(true_us) * i128::from(1_000_000 + self.drift_ppm) / 1_000_000;
        u64::try_from(long).unwrap_or(0)
    }

    /// What the node reads at a true time.
    #[must_use]
    pub fn read(&self, now: u64) -> Now {
        let mono = self.mono_at_boot + self.stretched(now.saturating_sub(self.booted));
        let wall = EPOCH_MS + self.offset_ms + i64::try_from(self.stretched(now) / 1_000).unwrap_or(0);
        Now { mono: Instant(mono), wall: UtcMillis(wall) }
    }

    /// The true time at which the node's monotonic clock reaches `deadline`, not before `now`.
    #[must_use]
    pub fn when(&self, deadline: Instant, now: u64) -> u64 {
        let ahead = i128::from(deadline.0.saturating_sub(self.mono_at_boot));
        let rate = i128::from(1_000_000 + self.drift_ppm);
        let true_us = (ahead * 1_000_000 + rate - 1) / rate;
        (self.booted.saturating_add(u64::try_from(true_us).unwrap_or(u64::MAX))).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    #[test]
    fn a_wake_at_the_computed_time_finds_the_deadline_passed() {
        for seed in 0..500 {
            let mut dice = Dice::new(seed, Purpose::Clock, 0);
            let mut clock = Clock::draw(&mut dice);
            clock.boot(dice.below(1_000_000_000), &mut dice);
            let deadline = Instant(clock.mono_at_boot + dice.below(10_000_000_000));
            let at = clock.when(deadline, 0);
            assert!(clock.read(at).mono >= deadline, "seed {seed}");
            assert!(at == clock.booted || clock.read(at - 1).mono < deadline, "seed {seed}: a microsecond too late");
        }
    }
}
