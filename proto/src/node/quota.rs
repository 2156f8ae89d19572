//! How much of what others say is passed on at once. What goes beyond is kept like any other word and travels by the digest: late,
//! never lost. So nothing that is held depends on a rate, and equal words still give equal pictures.
//!
//! Two rates and three answers, as routers mark packets (RFC 2698): within its own rate an author's words go by their class; beyond
//! it, while what all authors say beyond theirs leaves room, behind everything else; beyond that not at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Node;
use super::count::Counter;
use super::kin::is_wide;
use crate::config::{QUOTA_BURST, QUOTA_BURST_HUB, QUOTA_EVERY, QUOTA_EVERY_HUB, QUOTA_SPARE, QUOTA_SPARE_EVERY};
use crate::id::{Class, DocKind, NodeId};
use crate::time::Instant;

/// Meters looked through for those that are full again, at least.
const SWEEP_MIN: usize = 64;

/// What is metered apart: whoever spent its rate on one kind still has it for the others, and most of all for a call for help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Entries of class 0 and 1.
    Urgent,
    /// All other entries.
    Plain,
    /// Boards or details.
    Doc(DocKind),
}

impl From<Class> for Kind {
    fn from(class: Class) -> Self {
        if class.is_urgent() { Self::Urgent } else { Self::Plain }
    }
}

/// When a fresh word goes on from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once, by its class.
    Prompt,
    /// At once where nothing else waits.
    Spare,
    /// Not at once: the digest brings it.
    Late,
}

impl Pace {
    /// The class it travels by.
    pub(super) fn class(self, own: Class) -> Class {
        if self == Self::Prompt { own } else { Class::BULK }
    }
}

/// One word in `every`, `burst` of them at once after a silence.
#[derive(Clone, Copy, Debug)]
struct Rate {
    every: Duration,
    burst: u32,
}

const STORE: Rate = Rate { every: QUOTA_EVERY, burst: QUOTA_BURST };
const HUB: Rate = Rate { every: QUOTA_EVERY_HUB, burst: QUOTA_BURST_HUB };
const SPARE: Rate = Rate { every: QUOTA_SPARE_EVERY, burst: QUOTA_SPARE };

/// A token bucket, kept as the time at which it is full again.
#[derive(Clone, Copy, Debug, Default)]
struct Meter(Instant);

impl Meter {
    fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let full = self.0.max(now).after(rate.every);
        let good = full.since(now) <= rate.every.saturating_mul(rate.burst);
        if good {
            self.0 = full;
        }
        good
    }
}

/// So many words of one author beyond its rate within [`LOUD_WITHIN`] are worth a word to staff: more than ten times that rate. Less
/// is a busy day.
const LOUD_WORDS: u32 = 100;
/// See [`LOUD_WORDS`].
const LOUD_WITHIN: Duration = Duration::from_secs(60);
/// Staff is told for so long after the last of it.
const LOUD_TOLD: Duration = Duration::from_secs(600);

/// What came of one author beyond its rate.
#[derive(Clone, Copy, Debug, Default)]
struct Loud {
    words: u32,
    since: Instant,
    told_until: Instant,
}

impl Loud {
    fn hear(&mut self, now: Instant) {
        if now.since(self.since) >= LOUD_WITHIN {
            (self.words, self.since) = (0, now);
        }
        self.words = self.words.saturating_add(1);
        if self.words >= LOUD_WORDS {
            self.told_until = now.after(LOUD_TOLD);
        }
    }
}

/// Everybody's meters.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotas {
    /// Those that are not full, and some that are.
    meters: BTreeMap<(NodeId, Kind), Meter>,
    sweep_at: usize,
    spare: Meter,
    loud: BTreeMap<NodeId, Loud>,
}

impl Quotas {
    /// Takes one word of a certified author into account.
    fn take(&mut self, author: NodeId, kind: Kind, wide: bool, now: Instant) -> Pace {
        if self.meters.len() >= self.sweep_at.max(SWEEP_MIN) {
            self.meters.retain(|_, meter| meter.0 > now);
            self.loud.retain(|_, loud| loud.told_until > now || now.since(loud.since) < LOUD_WITHIN);
            self.sweep_at = self.meters.len().saturating_mul(2);
        }
        let rate = if wide { HUB } else { STORE };
        if self.meters.entry((author, kind)).or_default().take(now, rate) {
            return Pace::Prompt;
        }
        self.loud.entry(author).or_default().hear(now);
        if self.spare.take(now, SPARE) { Pace::Spare } else { Pace::Late }
    }
}

impl Quotas {
    /// Whose words far beyond its rate came here lately.
    pub(super) fn loud(&self, now: Instant) -> impl Iterator<Item = NodeId> {
        self.loud.iter().filter(move |(_, loud)| loud.told_until > now).map(|(author, _)| *author)
    }
}

impl Node {
    /// When a fresh and verified word of somebody else goes on.
    pub(super) fn pace(&mut self, author: NodeId, kind: Kind) -> Pace {
        let wide = self.known.directory().nodes.get(&author).is_some_and(is_wide);
        let pace = self.quotas.take(author, kind, wide, self.now.mono);
        match pace {
            Pace::Prompt => {}
            Pace::Spare => self.count(Counter::WordsOverQuota, 1),
            Pace::Late => {
                self.count(Counter::WordsOverQuota, 1);
                self.count(Counter::WordsLate, 1);
            }
        }
        pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: NodeId = NodeId { issuer: 1, serial: 1 };

    fn after(seconds: u64) -> Instant {
        Instant::default().after(Duration::from_secs(seconds))
    }

    fn taken(quotas: &mut Quotas, kind: Kind, wide: bool, now: Instant, words: usize) -> [usize; 3] {
        let paces: Vec<Pace> = (0..words).map(|_| quotas.take(WHO, kind, wide, now)).collect();
        [Pace::Prompt, Pace::Spare, Pace::Late].map(|pace| paces.iter().filter(|other| **other == pace).count())
    }

    #[test]
    fn a_store_has_thirty_at_once_then_six_a_minute_and_a_hub_five_times_that() {
        let mut quotas = Quotas::default();
        assert_eq!(taken(&mut quotas, Kind::Plain, false, after(0), 40), [30, 10, 0]);
        for minute in 1..=4 {
            assert_eq!(taken(&mut quotas, Kind::Plain, false, after(60 * minute), 10), [6, 4, 0]);
        }
        assert_eq!(taken(&mut quotas, Kind::Urgent, false, after(240), 40), [30, 10, 0], "a call for help has a rate of its own");
        assert_eq!(taken(&mut quotas, Kind::Plain, false, after(100_000), 40), [30, 10, 0], "no more after a longer silence");
        let mut quotas = Quotas::default();
        assert_eq!(taken(&mut quotas, Kind::Plain, true, after(0), 160), [150, 10, 0]);
        assert_eq!(taken(&mut quotas, Kind::Plain, true, after(60), 40), [30, 10, 0]);
    }

    #[test]
    fn what_all_say_beyond_their_rates_goes_on_only_while_there_is_room() {
        let mut quotas = Quotas::default();
        let burst = QUOTA_SPARE as usize;
        assert_eq!(taken(&mut quotas, Kind::Plain, false, after(0), 30 + burst + 7), [30, burst, 7]);
        let other = NodeId { serial: 2, ..WHO };
        assert_eq!(quotas.take(other, Kind::Plain, false, after(0)), Pace::Prompt, "others keep their own");
        assert_eq!(taken(&mut quotas, Kind::Plain, false, after(1), 200), [0, 100, 100]);
    }

    #[test]
    fn staff_is_told_of_a_flood_and_not_of_a_busy_day() {
        let mut quotas = Quotas::default();
        for second in 0..3_600 {
            // Sixty a minute, ten times the rate.
            quotas.take(WHO, Kind::Plain, false, after(second));
        }
        assert_eq!(quotas.loud(after(3_600)).next(), None);
        taken(&mut quotas, Kind::Plain, false, after(3_600), 100);
        assert_eq!(quotas.loud(after(4_199)).collect::<Vec<_>>(), [WHO]);
        assert_eq!(quotas.loud(after(4_200)).next(), None);
    }

    #[test]
    fn who_is_silent_costs_no_memory() {
        let mut quotas = Quotas::default();
        for serial in 0..10_000 {
            let second = u64::from(serial);
            assert_eq!(quotas.take(NodeId { issuer: 1, serial }, Kind::Plain, false, after(second)), Pace::Prompt);
        }
        assert!(quotas.meters.len() <= SWEEP_MIN, "{}", quotas.meters.len());
    }
}
