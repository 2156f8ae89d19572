//! Airtime within a sliding hour: what a station has used, when it may send again, the busiest hour there was, and sums per hour.

use std::collections::VecDeque;

use crate::scenario::{Micros, Ppm};

/// The window that shares are of.
pub const HOUR: Micros = 3_600_000_000;

/// Spans of time on the air, none of them within another.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Those of the last hour, ascending, neither touching nor overlapping.
    spans: VecDeque<(Micros, Micros)>,
    worst: Micros,
    hours: Vec<Micros>,
}

impl Ledger {
    /// On the air from then until then; `from` never goes back. What overlaps counts once.
    pub fn add(&mut self, from: Micros, until: Micros) {
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
            self.hours[hour] += end - at;
            at = end;
        }
    }

    fn since(&self, begins: Micros) -> Micros {
        self.spans.iter().map(|(from, until)| until.saturating_sub(begins.max(*from))).sum()
    }

    /// From when on a station may be on the air for `takes` without any hour holding more than `share`; `now` if at once.
    /// None: never.
    #[must_use]
    pub fn free_at(&self, now: Micros, takes: Micros, share: Ppm) -> Option<Micros> {
        let limit = HOUR / 1_000_000 * u64::from(share.min(1_000_000));
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
    pub fn busiest(&self) -> Micros {
        self.worst
    }

    /// By hours since STARTEX.
    #[must_use]
    pub fn by_hour(&self) -> &[Micros] {
        &self.hours
    }
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
}
