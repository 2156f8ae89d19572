//! People at a desk: they do what they are told, but not at once, more slowly at night, not while nobody is there, and again if
//! the PC went off under their hands.

use std::collections::BTreeSet;

use crate::dice::Dice;
use crate::scenario::{Micros, Operators};

/// One day.
const DAY: Micros = 86_400_000_000;

/// The staff of one site. What they are told is named by the inject that tells it.
#[derive(Clone, Debug)]
pub struct Staff {
    dice: Dice,
    absent: BTreeSet<u32>,
    /// Told, and not done because something was in the way.
    waiting: Vec<u32>,
}

impl Staff {
    /// At their desk.
    #[must_use]
    pub fn new(dice: Dice) -> Self {
        Self { dice, absent: BTreeSet::new(), waiting: Vec::new() }
    }

    /// How long they take to do what they are told at this time of day.
    pub fn takes(&mut self, operators: &Operators, time_of_day: Micros) -> Micros {
        let (least, most) = operators.confirm;
        let takes = self.dice.between(least, most);
        if is_night(operators.night, time_of_day) { takes * u64::from(operators.night_slower.max(1)) } else { takes }
    }

    /// Nobody is there because of this inject, or that is over.
    pub fn leave(&mut self, nr: u32, away: bool) {
        if away {
            self.absent.insert(nr);
        } else {
            self.absent.remove(&nr);
        }
    }

    /// Everybody is back.
    pub fn return_all(&mut self) {
        self.absent.clear();
    }

    /// Somebody is at the desk.
    #[must_use]
    pub fn there(&self) -> bool {
        self.absent.is_empty()
    }

    /// It can't be done now.
    pub fn put_off(&mut self, nr: u32) {
        self.waiting.push(nr);
    }

    /// What was put off, to be told again.
    pub fn take_waiting(&mut self) -> Vec<u32> {
        if self.there() { std::mem::take(&mut self.waiting) } else { Vec::new() }
    }
}

/// The time of day at `now`, for a run whose clock on the wall shows `startex_ms` and is `offset_s` ahead of UTC.
#[must_use]
pub fn time_of_day(startex_ms: i64, offset_s: i32, now: Micros) -> Micros {
    let start = i128::from(startex_ms) * 1_000 + i128::from(offset_s) * 1_000_000;
    u64::try_from((start + i128::from(now)).rem_euclid(i128::from(DAY))).unwrap_or(0)
}

fn is_night((from, to): (Micros, Micros), time: Micros) -> bool {
    if from <= to { (from..to).contains(&time) } else { time >= from || time < to }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    const HOUR: Micros = 3_600_000_000;

    #[test]
    fn the_night_may_span_midnight() {
        let night = (22 * HOUR, 6 * HOUR);
        assert!(is_night(night, 23 * HOUR) && is_night(night, 0) && !is_night(night, 6 * HOUR) && !is_night(night, 12 * HOUR));
        assert!(!is_night((HOUR, HOUR), HOUR));
        assert_eq!(time_of_day(0, 8 * 3_600, 17 * HOUR), HOUR);
        assert_eq!(time_of_day(-1_000, 0, 0), DAY - 1_000_000);
    }

    #[test]
    fn they_take_longer_at_night_and_wait_for_each_other_to_come_back() {
        let operators = Operators { confirm: (60, 60), night: (0, HOUR), night_slower: 4 };
        let mut staff = Staff::new(Dice::new(1, Purpose::Staff, 0));
        assert_eq!((staff.takes(&operators, 0), staff.takes(&operators, HOUR)), (240, 60));
        staff.leave(7, true);
        staff.put_off(9);
        assert!(staff.take_waiting().is_empty());
        staff.leave(7, false);
        assert_eq!(staff.take_waiting(), [9]);
    }
}
