//! Somebody carries a stick: it leaves with what a site holds, as much of it as fits, and arrives after the journey, or never.
//! What is on it is the caller's business.

use std::collections::BTreeMap;

use super::Cause;
use crate::dice::{Dice, Purpose};
use crate::scenario::{Micros, Ppm, SiteNo};

/// What is carried on, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stick {
    /// Bytes.
    pub capacity: u64,
    /// Journeys that never arrive.
    pub loss: Ppm,
}

impl Stick {
    /// A USB stick of 16 GB in careful hands.
    pub const USB: Self = Self { capacity: 16_000_000_000, loss: 0 };
}

/// From where to where, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Where it leaves.
    pub from: SiteNo,
    /// Where it arrives.
    pub to: SiteNo,
    /// From leaving to arriving.
    pub takes: Micros,
}

/// A stick has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    /// When [`Couriers::arrive`] is due.
    pub arrives: Micros,
    /// Things that did not fit.
    pub left_behind: u64,
}

/// What came of a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival<T> {
    /// The journey.
    pub journey: Journey,
    /// What was on the stick, in the order it was put there; none: it never arrived.
    pub load: Option<Vec<T>>,
}

/// What happened to things. `offered = carried + lost + left_behind` when nobody is on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Held where a stick left.
    pub offered: u64,
    /// Arrived.
    pub carried: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Did not fit.
    pub left_behind: u64,
    /// Bytes that left.
    pub bytes: u64,
}

#[derive(Clone, Debug)]
struct UnderWay<T> {
    journey: Journey,
    load: Vec<T>,
    lost: bool,
}

/// All that are on the way.
#[derive(Clone, Debug)]
pub struct Couriers<T> {
    seed: u64,
    under_way: BTreeMap<Cause, UnderWay<T>>,
    /// What happened.
    pub counts: Counts,
}

impl<T> Couriers<T> {
    /// Nobody is on the way.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, under_way: BTreeMap::new(), counts: Counts::default() }
    }

    /// A stick leaves with the first of these things that fit, each of so many bytes; the most important come first. A stick of
    /// the same cause that is still on the way is lost.
    pub fn leave(
        &mut self,
        now: Micros,
        cause: Cause,
        journey: Journey,
        stick: Stick,
        things: impl IntoIterator<Item = (T, u64)>,
    ) -> Departure {
        let (mut load, mut free, mut left_behind) = (Vec::new(), stick.capacity, 0);
        for (thing, bytes) in things {
            // As copying does: the first that does not fit ends it.
            match free.checked_sub(bytes).filter(|_| left_behind == 0) {
                Some(rest) => {
                    free = rest;
                    load.push(thing);
                }
                None => left_behind += 1,
            }
        }
        self.counts.offered += load.len() as u64 + left_behind;
        self.counts.left_behind += left_behind;
        self.counts.bytes += stick.capacity - free;
        let lost = Dice::new(self.seed, Purpose::Courier, cause).chance_ppm(stick.loss);
        if let Some(former) = self.under_way.insert(cause, UnderWay { journey, load, lost }) {
            self.counts.lost += former.load.len() as u64;
        }
        Departure { arrives: now + journey.takes, left_behind }
    }

    /// The journey is over; none: nobody is on the way for this cause.
    pub fn arrive(&mut self, cause: Cause) -> Option<Arrival<T>> {
        let UnderWay { journey, load, lost } = self.under_way.remove(&cause)?;
        *(if lost { &mut self.counts.lost } else { &mut self.counts.carried }) += load.len() as u64;
        Some(Arrival { journey, load: (!lost).then_some(load) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_is_carried_lost_or_left_behind_once(
            seed: u64, loss in 0..1_000_001_u32, capacity in 0..2_000_u64,
            trips in prop::collection::vec((0..6_u64, any::<bool>(), prop::collection::vec(0..300_u64, 0..20)), 1..20)
        ) {
            let mut couriers = Couriers::new(seed);
            let mut carried = 0;
            let mut arrive = |couriers: &mut Couriers<usize>, cause| -> Result<(), TestCaseError> {
                if let Some(load) = couriers.arrive(cause).and_then(|arrival| arrival.load) {
                    carried += load.len() as u64;
                    prop_assert!(load.iter().copied().eq(0..load.len()), "in the order they were put there");
                }
                prop_assert_eq!(couriers.counts.carried, carried);
                Ok(())
            };
            for (cause, comes, sizes) in &trips {
                let journey = Journey { from: 1, to: 2, takes: 60 };
                let things = sizes.iter().copied().enumerate();
                let departure = couriers.leave(7, *cause, journey, Stick { capacity, loss }, things);
                let fit = sizes.len() - usize::try_from(departure.left_behind).unwrap();
                prop_assert!(sizes[..fit].iter().sum::<u64>() <= capacity);
                prop_assert!(fit == sizes.len() || sizes[..=fit].iter().sum::<u64>() > capacity);
                prop_assert_eq!(departure.arrives, 67);
                if *comes {
                    arrive(&mut couriers, *cause)?;
                }
            }
            for cause in 0..6 {
                arrive(&mut couriers, cause)?;
            }
            let counts = couriers.counts;
            prop_assert_eq!(counts.offered, trips.iter().map(|(.., sizes)| sizes.len() as u64).sum::<u64>());
            prop_assert_eq!(counts.offered, counts.carried + counts.lost + counts.left_behind);
        }
    }

    #[test]
    fn as_many_journeys_fail_as_the_stick_says_and_others_do_not_change_which() {
        let fails = |seed, cause| {
            let mut couriers = Couriers::new(seed);
            couriers.leave(0, cause, Journey { from: 0, to: 1, takes: 1 }, Stick { loss: 250_000, ..Stick::USB }, [((), 1)]);
            couriers.arrive(cause).unwrap().load.is_none()
        };
        let failed: Vec<bool> = (0..2_000).map(|cause| fails(3, cause)).collect();
        let share = failed.iter().filter(|failed| **failed).count();
        assert!((440..560).contains(&share), "{share} of 2,000 with a quarter to be lost");
        assert!((0..2_000).rev().map(|cause| fails(3, cause)).eq(failed.into_iter().rev()));
        assert!(Couriers::<()>::new(1).arrive(5).is_none());
    }
}
