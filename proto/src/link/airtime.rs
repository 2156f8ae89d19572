//! Time on the air, as modelled here: what a burst takes, what an hour has held, and when the next one may go. No modem tells when it
//! has really sent, so nothing but this is believed. radio.md 3.4.
//!
//! Times are microseconds of one clock that never goes back.

use std::collections::VecDeque;

/// The window that shares are of.
pub const HOUR: u64 = 3_600_000_000;
/// What of its share a station keeps for classes 0 and 1, in ppm. radio.md 3.4.
const RESERVE: u64 = 100_000;
/// Others are heard so much, in ppm of the last five minutes, before routine words of this station wait for longer than their slot.
const POLITE_FROM: u64 = 50_000;
/// What is heard is weighed over so long.
const HEARD_WINDOW: u64 = 300_000_000;
/// Longest politeness: a station that sends over everyone must not silence the others.
const POLITE_MAX: u64 = 60_000_000;

/// Spans of time on the air, none of them within another.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Those of the last hour, ascending, neither touching nor overlapping.
    spans: VecDeque<(u64, u64)>,
    worst: u64,
    hours: Vec<u64>,
}

impl Ledger {
    /// On the air from then until then; `from` never goes back. What overlaps counts once.
    pub fn add(&mut self, from: u64, until: u64) {
        let last = self.spans.back().map_or(0, |(_, end)| *end);
        let from = from.max(last);
        if until <= from {
            return;
        }
        match self.spans.back_mut() {
            Some((_, end)) if *end == from => *end = until,
            Some(_) | None => self.spans.push_back((from, until)),
        }
        let begins = until.saturating_sub(HOUR);
        while self.spans.front().is_some_and(|(_, end)| *end <= begins) {
            self.spans.pop_front();
        }
        // The busiest hour always ends with a span: moved on, it can only lose; moved back, it loses what is at its end.
        self.worst = self.worst.max(self.since(begins));
        let mut at = from;
        while at < until {
            let hour = usize::try_from(at / HOUR).unwrap_or(usize::MAX);
            let end = until.min((at / HOUR + 1) * HOUR);
            if self.hours.len() <= hour {
                self.hours.resize(hour + 1, 0);
            }
            if let Some(held) = self.hours.get_mut(hour) {
                *held += end - at;
            }
            at = end;
        }
    }

    /// What was on the air from then on, as far as it lies within the hour before the last span.
    #[must_use]
    pub fn since(&self, begins: u64) -> u64 {
        self.spans.iter().map(|(from, until)| until.saturating_sub(begins.max(*from))).sum()
    }

    /// From when on a station may be on the air for `takes` without any hour holding more than `share`, in ppm; `now` if at once.
    /// None: never.
    #[must_use]
    pub fn free_at(&self, now: u64, takes: u64, share: u32) -> Option<u64> {
        let limit = limit(share);
        if takes > limit {
            return None;
        }
        let begins = (now + takes).saturating_sub(HOUR);
        let mut excess = (self.since(begins) + takes).saturating_sub(limit);
        if excess == 0 {
            return Some(now);
        }
        for (from, until) in &self.spans {
            let from = begins.max(*from);
            let visible = until.saturating_sub(from);
            if visible >= excess {
                return Some(from + excess + HOUR - takes);
            }
            excess -= visible;
        }
        Some(now)
    }

    /// The most that any hour held.
    #[must_use]
    pub fn busiest(&self) -> u64 {
        self.worst
    }

    /// By hours since the clock began.
    #[must_use]
    pub fn by_hour(&self) -> &[u64] {
        &self.hours
    }
}

/// What an hour may hold of a share in ppm.
fn limit(share: u32) -> u64 {
    HOUR / 1_000_000 * u64::from(share.min(1_000_000))
}

/// What one station on one channel may still send.
#[derive(Clone, Debug)]
pub struct Airtime {
    /// Bits a second.
    rate: u32,
    /// From the key to the first bit.
    key_up: u64,
    /// Of an hour, in ppm.
    share: u32,
    own: Ledger,
    others: Ledger,
}

impl Airtime {
    /// Nothing sent yet. `rate` in bit/s on the air, at least 1; `key_up` in microseconds; `share` of an hour in ppm.
    #[must_use]
    pub fn new(rate: u32, key_up: u64, share: u32) -> Self {
        Self { rate: rate.max(1), key_up, share, own: Ledger::default(), others: Ledger::default() }
    }

    /// What so many bytes take with one key-up.
    #[must_use]
    pub fn burst(&self, bytes: usize) -> u64 {
        self.key_up.saturating_add(self.bytes(bytes))
    }

    /// What so many bytes take without a key-up.
    #[must_use]
    pub fn bytes(&self, bytes: usize) -> u64 {
        u64::try_from(bytes).unwrap_or(u64::MAX / 8_000_000).saturating_mul(8_000_000) / u64::from(self.rate)
    }

    /// From when on something may be sent that takes so long; none: never. What is not urgent leaves a tenth of the share alone.
    #[must_use]
    pub fn ready(&self, now: u64, takes: u64, urgent: bool) -> Option<u64> {
        self.own.free_at(now, takes, if urgent { self.share } else { routine(self.share) })
    }

    /// Sent.
    pub fn sent(&mut self, from: u64, until: u64) {
        self.own.add(from, until);
    }

    /// Somebody else was heard until now, for as long as so many bytes take.
    pub fn heard(&mut self, now: u64, bytes: usize) {
        self.others.add(now.saturating_sub(self.bytes(bytes)), now);
    }

    /// How much of what an hour may hold the last one held, in ppm; the reserve counts as a part.
    #[must_use]
    pub fn used(&self, now: u64) -> u32 {
        let held = self.own.since(now.saturating_sub(HOUR));
        let limit = limit(self.share).max(1);
        u32::try_from(held.saturating_mul(1_000_000) / limit).unwrap_or(u32::MAX).min(1_000_000)
    }

    /// How long routine words wait after a burst of that length, for those who were heard: the busier the channel, the longer.
    #[must_use]
    pub fn pause(&self, now: u64, burst: u64) -> u64 {
        let window = HEARD_WINDOW.min(now.max(1));
        let busy = self.others.since(now.saturating_sub(window)).saturating_mul(1_000_000) / window;
        if busy <= POLITE_FROM {
            return 0;
        }
        (burst.saturating_mul(busy) / 1_000_000_u64.saturating_sub(busy).max(1)).min(POLITE_MAX)
    }

    /// Whether a message that takes so long could ever go as routine.
    #[must_use]
    pub fn fits(&self, takes: u64) -> bool {
        takes <= limit(routine(self.share))
    }
}

/// What of a share is for words that are not urgent.
fn routine(share: u32) -> u32 {
    let left = u64::from(share).saturating_mul(1_000_000 - RESERVE) / 1_000_000;
    u32::try_from(left).unwrap_or(share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The most on the air in any hour, by trying every hour that ends or begins with a span.
    fn busiest(spans: &[(u64, u64)]) -> u64 {
        let held = |begins: u64| -> u64 {
            let ends = begins + HOUR;
            spans.iter().map(|(from, until)| until.clamp(&begins, &ends) - from.clamp(&begins, &ends)).sum()
        };
        spans.iter().flat_map(|(from, until)| [*from, until.saturating_sub(HOUR)]).map(held).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn a_station_that_asks_never_exceeds_its_share_and_waits_no_longer_than_it_must(
            share in 500..300_000_u32, asks in prop::collection::vec((0..HOUR / 8, 1..HOUR / 40), 1..40)
        ) {
            let (mut ledger, mut spans, mut now) = (Ledger::default(), Vec::new(), 0);
            let limit = HOUR / 1_000_000 * u64::from(share);
            for (gap, takes) in asks {
                now += gap;
                let Some(at) = ledger.free_at(now, takes, share) else {
                    prop_assert!(takes > limit);
                    continue;
                };
                prop_assert!(at >= now);
                if at > now {
                    let sooner: Vec<_> = spans.iter().copied().chain([(at - 1, at - 1 + takes)]).collect();
                    prop_assert!(busiest(&sooner) > limit, "could have sent before {at}");
                }
                now = at;
                ledger.add(now, now + takes);
                spans.push((now, now + takes));
                now += takes;
                prop_assert!(busiest(&spans) <= limit);
            }
            prop_assert_eq!(ledger.busiest(), busiest(&spans));
            prop_assert_eq!(ledger.by_hour().iter().sum::<u64>(), spans.iter().map(|(from, until)| until - from).sum::<u64>());
        }
    }

    #[test]
    fn what_overlaps_counts_once_and_hours_are_split() {
        let mut ledger = Ledger::default();
        for (from, until) in [(10, 30), (20, 40), (25, 35), (50, 60), (HOUR - 5, HOUR + 5)] {
            ledger.add(from, until);
        }
        assert_eq!(ledger.by_hour(), [45, 5]);
        assert_eq!(ledger.busiest(), 50);
    }

    #[test]
    fn when_the_hour_is_full_of_routine_a_tenth_is_left_for_the_urgent() {
        let mut air = Airtime::new(1_200, 300_000, 100_000);
        let takes = air.burst(200);
        let (mut now, mut sent) = (0, 0);
        while air.ready(now, takes, false) == Some(now) {
            air.sent(now, now + takes);
            now += takes;
            sent += takes;
        }
        assert!((324_000_000 - takes..=324_000_000).contains(&sent), "nine tenths of a tenth of an hour, not {sent}");
        assert!((880_000..=900_000).contains(&air.used(now)));
        let mut urgent = 0;
        while air.ready(now, takes, true) == Some(now) {
            air.sent(now, now + takes);
            now += takes;
            urgent += takes;
        }
        assert!((36_000_000 - takes..=36_000_000 + takes).contains(&urgent), "the rest, not {urgent}");
        assert!(air.ready(now, takes, true).is_some_and(|at| at > HOUR / 2), "then an hour must pass");
        assert_eq!(air.used(now + HOUR), 0);
    }

    #[test]
    fn the_busier_the_channel_the_longer_routine_waits_but_never_for_ever() {
        let mut air = Airtime::new(1_200, 0, 100_000);
        assert_eq!(air.pause(HOUR, 2_000_000), 0, "nobody else is there");
        let mut last = 0;
        for share in [10_u64, 30, 60, 99, 100] {
            let from = HOUR * share;
            for step in 0..300 {
                air.others.add(from + step * 1_000_000, from + step * 1_000_000 + share * 10_000);
            }
            let pause = air.pause(from + HEARD_WINDOW, 2_000_000);
            assert!(pause > last || pause == POLITE_MAX, "{share} %: {pause}");
            last = pause;
        }
        assert_eq!(last, POLITE_MAX);
    }
}
