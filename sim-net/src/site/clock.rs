//! The clocks of one node: a wall clock that may be years off, drift and jump, and a monotonic one that starts anew with every
//! start. True time is the simulator's alone.

use holdfast_proto::time::{Instant, Now, UtcMillis};

use crate::dice::Dice;
use crate::scenario::Micros;

/// Milliseconds of a Julian year.
pub const YEAR_MS: i64 = 31_557_600_000;
/// No clock is wound further away from the truth, milliseconds.
pub const WRONG_MAX_MS: i64 = 100 * YEAR_MS;
/// No clock runs faster or slower by more, parts per million: at half speed it still moves.
const DRIFT_MAX_PPM: i64 = 500_000;

/// Both clocks of one node.
#[derive(Clone, Debug)]
pub struct Clock {
    epoch_ms: i64,
    offset_ms: i64,
    drift_ppm: i64,
    /// True time of the last change of speed, and what both clocks had counted by then, microseconds.
    since: Micros,
    mono: u64,
    wall: u64,
    /// Jumps that did not go as far as was asked: what was asked, and how far, milliseconds.
    cut_short: Vec<(i64, i64)>,
}

impl Clock {
    /// A right clock that shows `epoch_ms` (1970 UTC) at the start of the run.
    #[must_use]
    pub fn right(epoch_ms: i64) -> Self {
        Self { epoch_ms, offset_ms: 0, drift_ppm: 0, since: 0, mono: 1_000_000, wall: 0, cut_short: Vec::new() }
    }

    /// One in three is right, one in three seconds to minutes off, one in three years off; drift up to 100 ppm.
    pub fn draw(epoch_ms: i64, dice: &mut Dice) -> Self {
        let span = match dice.below(3) {
            0 => 0,
            1 => 300_000,
            2.. => 10 * 31_557_600_000,
        };
        let offset_ms = i64::try_from(dice.below(2 * span + 1)).unwrap_or(0) - i64::try_from(span).unwrap_or(0);
        let drift_ppm = i64::try_from(dice.below(201)).unwrap_or(0) - 100;
        Self { offset_ms, drift_ppm, mono: dice.below(1_000_000_000), ..Self::right(epoch_ms) }
    }

    /// The node starts: the monotonic clock begins anew.
    pub fn boot(&mut self, now: Micros, dice: &mut Dice) {
        self.settle(now);
        self.mono = dice.below(1_000_000_000);
    }

    /// The wall clock jumps, not to before 1970: there one begins whose battery is dead. A jump back by as much takes it back.
    pub fn step(&mut self, now: Micros, by_ms: i64) {
        let taken_back = self.cut_short.iter().position(|(asked, _)| *asked == by_ms.saturating_neg());
        let by_ms = taken_back.map_or(by_ms, |place| self.cut_short.remove(place).1.saturating_neg());
        let before = self.offset_ms;
        let since_1970 = self.read(now).wall.0.saturating_sub(before);
        self.offset_ms = before.saturating_add(by_ms).clamp((1 - since_1970).max(-WRONG_MAX_MS), WRONG_MAX_MS);
        let stepped = self.offset_ms - before;
        if stepped != by_ms {
            self.cut_short.push((by_ms, stepped));
        }
    }

    /// Both clocks run faster or slower by so much more from now on.
    pub fn drift(&mut self, now: Micros, by_ppm: i64) {
        self.settle(now);
        self.drift_ppm = (self.drift_ppm + by_ppm).clamp(-DRIFT_MAX_PPM, DRIFT_MAX_PPM);
    }

    fn settle(&mut self, now: Micros) {
        let ran = self.ran(now);
        (self.mono, self.wall, self.since) = (self.mono + ran, self.wall + ran, now);
    }

    /// What both clocks counted since the last change of speed.
    fn ran(&self, now: Micros) -> u64 {
        if self.drift_ppm == 0 {
            return now.saturating_sub(self.since);
        }
        let long = i128::from(now.saturating_sub(self.since)) * i128::from(1_000_000 + self.drift_ppm) / 1_000_000;
        u64::try_from(long).unwrap_or(0)
    }

    /// What the node reads at a true time.
    #[must_use]
    pub fn read(&self, now: Micros) -> Now {
        let ran = self.ran(now);
        let counted = i64::try_from((self.wall + ran) / 1_000).unwrap_or(i64::MAX);
        let wall = self.epoch_ms.saturating_add(self.offset_ms).saturating_add(counted);
        Now { mono: Instant(self.mono + ran), wall: UtcMillis(wall) }
    }

    /// The true time at which the node's monotonic clock reaches `deadline`, not before `now`.
    #[must_use]
    pub fn when(&self, deadline: Instant, now: Micros) -> Micros {
        if self.drift_ppm == 0 {
            return self.since.saturating_add(deadline.0.saturating_sub(self.mono)).max(now);
        }
        let ahead = i128::from(deadline.0.saturating_sub(self.mono));
        let rate = i128::from(1_000_000 + self.drift_ppm);
        let true_us = (ahead * 1_000_000 + rate - 1) / rate;
        (self.since.saturating_add(u64::try_from(true_us).unwrap_or(u64::MAX))).max(now)
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
            let mut clock = Clock::draw(0, &mut dice);
            clock.boot(dice.below(1_000_000_000), &mut dice);
            if dice.chance(500) {
                clock.drift(clock.since + dice.below(1_000_000), 300);
            }
            let deadline = Instant(clock.mono + dice.below(10_000_000_000));
            let at = clock.when(deadline, 0);
            assert!(clock.read(at).mono >= deadline, "seed {seed}");
            assert!(at == clock.since || clock.read(at - 1).mono < deadline, "seed {seed}: a microsecond too late");
        }
    }

    #[test]
    fn no_clock_shows_a_time_before_1970_and_a_jump_is_taken_back_as_far_as_it_went() {
        let mut clock = Clock::right(1_000_000);
        clock.step(5_000_000, -WRONG_MAX_MS);
        assert_eq!(clock.read(5_000_000).wall, UtcMillis(1));
        assert_eq!(clock.read(7_000_000).wall, UtcMillis(2_001), "and it goes on from there");
        clock.step(7_000_000, WRONG_MAX_MS);
        assert_eq!(clock.read(7_000_000).wall, UtcMillis(1_007_000));
    }

    #[test]
    fn a_change_of_speed_moves_no_clock_back_and_loses_nothing() {
        let mut clock = Clock::right(1_000_000);
        clock.drift(10_000_000, 1_000);
        assert_eq!(clock.read(10_000_000).wall, UtcMillis(1_010_000));
        assert_eq!(clock.read(20_000_000).wall, UtcMillis(1_020_010));
        clock.drift(20_000_000, -1_000);
        assert_eq!(clock.read(30_000_000).wall, UtcMillis(1_030_010));
        assert_eq!(clock.read(30_000_000).mono, Instant(31_010_000));
    }
}
