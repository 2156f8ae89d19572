//! What feeds a PC: mains, then the UPS, then the generator, then nothing. The UPS charges again ten times slower than it drains;
//! nobody brings fuel.

use std::collections::BTreeSet;

use crate::scenario::Micros;

/// A UPS drained in one hour is full again after so many.
const CHARGE: u64 = 10;

/// What feeds it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// As always.
    Mains,
    /// For minutes.
    Ups,
    /// For hours.
    Generator,
    /// Nothing.
    Dead,
}

/// The supply of one site.
#[derive(Clone, Debug)]
pub struct Power {
    ups_full: Micros,
    ups: Micros,
    tank: Micros,
    since: Micros,
    lost: BTreeSet<u32>,
}

impl Power {
    /// On mains, with a full UPS and a full tank that last so long.
    #[must_use]
    pub fn new(ups: Micros, generator: Micros) -> Self {
        Self { ups_full: ups, ups, tank: generator, since: 0, lost: BTreeSet::new() }
    }

    /// Mains are gone because of this inject. Says when the PC stops, unless they come back before.
    pub fn lose(&mut self, now: Micros, nr: u32) -> Micros {
        self.settle(now);
        self.lost.insert(nr);
        now + self.ups + self.tank
    }

    /// What this inject took away is there again, or all of it. True if there are mains now.
    pub fn back(&mut self, now: Micros, nr: Option<u32>) -> bool {
        self.settle(now);
        match nr {
            Some(nr) => {
                self.lost.remove(&nr);
            }
            None => self.lost.clear(),
        }
        self.lost.is_empty()
    }

    /// This inject took mains away, and nobody brought them back.
    #[must_use]
    pub fn is_lost(&self, nr: u32) -> bool {
        self.lost.contains(&nr)
    }

    /// What feeds the PC at a time not before the last change.
    #[must_use]
    pub fn source(&self, now: Micros) -> Source {
        let gone = now.saturating_sub(self.since);
        if self.lost.is_empty() {
            Source::Mains
        } else if gone < self.ups {
            Source::Ups
        } else if gone < self.ups + self.tank {
            Source::Generator
        } else {
            Source::Dead
        }
    }

    fn settle(&mut self, now: Micros) {
        let gone = now.saturating_sub(self.since);
        if self.lost.is_empty() {
            self.ups = (self.ups + gone / CHARGE).min(self.ups_full);
        } else {
            self.tank -= gone.saturating_sub(self.ups).min(self.tank);
            self.ups -= gone.min(self.ups);
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ups_carries_first_then_the_tank_then_nothing() {
        let mut power = Power::new(600, 3_600);
        assert_eq!(power.lose(1_000, 1), 5_200);
        let at = |power: &Power, now| power.source(now);
        assert_eq!(
            [at(&power, 1_599), at(&power, 1_600), at(&power, 5_199)],
            [Source::Ups, Source::Generator, Source::Generator]
        );
        assert_eq!(at(&power, 5_200), Source::Dead);
        assert!(power.back(6_000, Some(1)));
        assert_eq!(at(&power, 6_000), Source::Mains);
    }

    #[test]
    fn a_short_break_between_two_losses_charges_a_little_and_fuels_nothing() {
        let mut power = Power::new(600, 100);
        power.lose(0, 1);
        power.back(650, None);
        assert_eq!(power.lose(1_650, 2), 1_650 + 100 + 50);
    }

    #[test]
    fn two_losses_at_once_end_with_the_last() {
        let mut power = Power::new(600, 0);
        power.lose(0, 1);
        power.lose(10, 2);
        assert!(!power.back(20, Some(1)));
        assert_eq!(power.source(600), Source::Dead);
        assert!(power.back(700, Some(2)));
    }
}
