//! One logbook: what is held of it, how far its prefix is unbroken, what its author put below the floor, where it is frozen.
//!
//! All of this is a function of the set of entries and fork proofs held, never of their order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{Hash16, Header};
use super::row::AgeMark;
use super::slots::Slots;
use crate::id::{Class, Incarnation, LogId};
use crate::time::UtcMillis;

/// What an author says of its own logbook: lower numbers are settled but for those that stay. Read from a class-1 fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The life it speaks of; others are ignored.
    pub incarnation: Incarnation,
    /// First number that is not below it.
    pub number: u32,
    /// Hash of the entry before that one.
    pub prev: Hash16,
    /// Lower numbers that stay.
    pub keep: BTreeSet<u32>,
}

/// What is kept in memory of one durable entry; its bytes live on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Hash of the header.
    pub hash: Hash16,
    /// Hash it names as the one before.
    pub prev: Hash16,
    /// Precedence.
    pub class: Class,
    /// A closed entry of which only the stub is held.
    pub stub: bool,
    /// Entries of class 0-1 up to and with this one.
    pub urgent: u32,
    /// Author's wall clock.
    pub wall: UtcMillis,
    /// Age when it came.
    pub age: AgeMark,
    /// Signature checked in this run; what was loaded from disk is checked again before it is relayed.
    pub checked: bool,
}

impl Slot {
    /// The slot of an entry.
    #[must_use]
    pub fn new(header: &Header, hash: Hash16, stub: bool, age: AgeMark, checked: bool) -> Self {
        Self { hash, prev: header.prev, class: header.class, stub, urgent: header.urgent, wall: header.wall, age, checked }
    }
}

/// What an entry would be to this logbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Not held, fits.
    New,
    /// Held, or below the floor, or above a freeze: nothing to do.
    Known,
    /// Held as a stub; this one brings the body.
    Body,
    /// At or above floor + window. A rule on the number, never held against the giver.
    BeyondWindow,
    /// Contradicts the entry held under this number.
    Contradicts(u32),
    /// Two stories stand under it, a cut says which of them counts, and what lies between that cut and this one is not held yet:
    /// worth another look when it is.
    Waits,
}

/// The last entry that counts of a key that was taken away (rule 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its number.
    pub number: u32,
    /// Its hash; `None` where no entry can be it.
    pub hash: Option<Hash16>,
}

/// What a change of the logbook means for the fold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Numbers that count no more.
    pub withdrawn: Vec<u32>,
    /// A floor changed: these ranges (first, last) may be on disk and count again.
    pub revive: Vec<(u32, u32)>,
}

/// One logbook.
#[derive(Clone, Debug)]
pub struct Log {
    window: u32,
    slots: Slots,
    /// Floors by the number of the entry that states them.
    floors: BTreeMap<u32, Floor>,
    /// Number of the entry that states the floor that counts.
    stated_at: Option<u32>,
    frozen: Option<u32>,
    pin: Option<Pin>,
    /// From here to the pin all chain into it; beyond it while nothing does.
    joined: u32,
    /// Numbers up to here may lie on disk without being held: a freeze took the floor away that hid or allowed them.
    archived: u32,
    head: u32,
}

impl Log {
    /// An empty logbook.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self {
            window,
            slots: Slots::default(),
            floors: BTreeMap::new(),
            stated_at: None,
            frozen: None,
            pin: None,
            joined: 0,
            archived: 0,
            head: 0,
        }
    }

    /// The highest floor stated by an entry that counts; of equal ones the one stated last.
    #[must_use]
    pub fn floor(&self) -> Option<&Floor> {
        self.stated_at.and_then(|number| self.floors.get(&number))
    }

    /// Number of the entry that states the floor that counts.
    pub(super) fn stated_at(&self) -> Option<u32> {
        self.stated_at
    }

    /// First number not below the floor; 1 without a floor.
    #[must_use]
    pub fn floor_number(&self) -> u32 {
        self.floor().map_or(1, |floor| floor.number)
    }

    /// Last number of the unbroken prefix; 0 where nothing is.
    #[must_use]
    pub fn head(&self) -> u32 {
        self.head
    }

    /// Hash of the entry at the head; what the floor states where nothing above it is held.
    #[must_use]
    pub fn head_hash(&self) -> Hash16 {
        match self.slots.get(self.head) {
            Some(slot) => slot.hash,
            None => self.floor().filter(|floor| floor.number == self.head.saturating_add(1)).map_or([0; 16], |floor| floor.prev),
        }
    }

    /// Lowest forked number, where there is one.
    #[must_use]
    pub fn frozen(&self) -> Option<u32> {
        self.frozen
    }

    /// The last entry that counts, where its key was taken away.
    #[must_use]
    pub fn pin(&self) -> Option<Pin> {
        self.pin
    }

    /// Below this number nothing is known to chain into the cut: such words are in question. `None`: none of them is.
    #[must_use]
    pub fn in_question_below(&self) -> Option<u32> {
        self.pin.map(|_| self.joined).filter(|joined| *joined > self.floor_number())
    }

    /// First number that is not looked for any more: what is above a cut, or from a fork on where there is no cut.
    #[must_use]
    pub fn closed_from(&self) -> u32 {
        match (self.pin, self.frozen) {
            (Some(pin), _) => pin.number.saturating_add(1),
            (None, Some(frozen)) => frozen,
            (None, None) => u32::MAX,
        }
    }

    /// What is held of one number.
    #[must_use]
    pub fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(number)
    }

    pub(super) fn slot_mut(&mut self, number: u32) -> Option<&mut Slot> {
        self.slots.get_mut(number)
    }

    /// Everything held, ascending.
    pub fn slots(&self) -> impl DoubleEndedIterator<Item = (u32, &Slot)> {
        self.slots.iter()
    }

    /// How many entries are held and count.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True where nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    /// There is something to tell of it: an entry or a fork.
    pub(super) fn says(&self) -> bool {
        !self.is_empty() || self.frozen.is_some()
    }

    /// True where the number is the floor's to hide: below it and not among those that stay.
    #[must_use]
    pub fn hidden(&self, number: u32) -> bool {
        self.floor().is_some_and(|floor| number < floor.number && !floor.keep.contains(&number))
    }

    /// First number that is refused: floor and window together.
    fn end(&self) -> u32 {
        self.floor_number().saturating_add(self.window)
    }

    /// What an entry would be here. `stated` is the highest floor it states itself, 0 without one: an entry may open the window it
    /// stands in, or nobody who joins late could ever follow an author whose floor has passed the first window.
    #[must_use]
    pub fn weigh(&self, header: &Header, hash: Hash16, has_body: bool, stated: u32) -> Weight {
        let number = header.id.number;
        if self.hidden(number) {
            return Weight::Known;
        }
        match self.due_at_joint() {
            _ if number >= self.closed_from() => return Weight::Known,
            // What chains into a cut is settled, whatever else was said.
            Some((_, joined)) if number >= joined => {
                let body = self.slots.get(number).is_some_and(|slot| slot.hash == hash && slot.stub && has_body);
                return if body { Weight::Body } else { Weight::Known };
            }
            Some((wanted, joined)) if number.checked_add(1) == Some(joined) && wanted.is_some() => {
                if wanted != Some(hash) {
                    return Weight::Known;
                }
                // In the place of another one it would be a contradiction; here it is the answer.
                let Some(slot) = self.slots.get(number).filter(|slot| slot.hash == hash) else { return Weight::New };
                return if slot.stub && has_body { Weight::Body } else { Weight::Known };
            }
            Some(_) if self.frozen.is_some_and(|frozen| number >= frozen) => return Weight::Waits,
            Some(_) | None => {}
        }
        if number >= self.end().max(stated.min(number).saturating_add(self.window)) {
            return Weight::BeyondWindow;
        }
        if let Some(slot) = self.slots.get(number) {
            return match (slot.hash == hash, slot.stub && has_body) {
                (true, true) => Weight::Body,
                (true, false) => Weight::Known,
                (false, _) => Weight::Contradicts(number),
            };
        }
        let before = number.checked_sub(1).and_then(|before| self.slots.get(before).map(|slot| (before, slot)));
        if let Some((before, _)) = before.filter(|(_, slot)| slot.hash != header.prev) {
            return Weight::Contradicts(before);
        }
        let after = number.saturating_add(1);
        if self.slots.get(after).is_some_and(|slot| slot.prev != hash) {
            return Weight::Contradicts(after);
        }
        Weight::New
    }

    /// Takes an entry that [`Self::weigh`] found `New` or `Body`.
    pub fn insert(&mut self, number: u32, slot: Slot, floors: Vec<Floor>) -> Effect {
        self.slots.insert(number, slot);
        // Several in one entry: the highest counts.
        let stated =
            floors.into_iter().filter(|floor| floor.number <= number && floor.number > 0).max_by_key(|floor| floor.number);
        let stated = stated.filter(|_| !self.floors.contains_key(&number));
        if stated.is_none() && self.pin.is_none() {
            self.advance();
            return Effect::default();
        }
        let (before, states) = (self.floor().cloned(), stated.is_some());
        self.floors.extend(stated.map(|floor| (number, floor)));
        let mut withdrawn = self.join();
        if !states && withdrawn.is_empty() {
            self.advance();
            return Effect::default();
        }
        // What stood in the way of the chain may have been counted by the head, or have stated a floor.
        let mut effect = self.refloor(before);
        withdrawn.append(&mut effect.withdrawn);
        Effect { withdrawn, ..effect }
    }

    /// Its key was taken away: of this logbook only what chains into the pin counts. `None`: all of it does again.
    pub fn set_pin(&mut self, pin: Option<Pin>) -> Effect {
        if self.pin == pin {
            return Effect::default();
        }
        let before = self.floor().cloned();
        let (closed, highest) = (self.closed_from(), self.highest());
        self.archived = self.archived.max(highest).max(self.floor_number().saturating_sub(1));
        self.pin = pin;
        self.joined = pin.map_or(0, |pin| pin.number.saturating_add(1));
        let mut withdrawn = self.slots.cut(self.closed_from());
        self.floors.split_off(&self.closed_from());
        withdrawn.append(&mut self.join());
        if let Some(frozen) = self.frozen {
            // As after a freeze: only what chains into the pin stands there.
            withdrawn.append(&mut self.drop_between(frozen, self.joined));
        }
        let mut effect = self.refloor(before);
        withdrawn.append(&mut effect.withdrawn);
        // What stood beyond may be on disk.
        let last = self.closed_from().saturating_sub(1).min(self.archived).min(self.end().saturating_sub(1));
        let frozen = self.frozen.unwrap_or(u32::MAX).min(closed);
        if frozen <= last {
            effect.revive.push((frozen, last));
        }
        Effect { withdrawn, ..effect }
    }

    /// Takes out what is held from `first` to below `end`, with the floors stated there.
    fn drop_between(&mut self, first: u32, end: u32) -> Vec<u32> {
        let dropped: Vec<u32> = self.slots.from(first..).map(|(held, _)| held).take_while(|held| *held < end).collect();
        for held in &dropped {
            self.slots.remove(*held);
        }
        self.floors.retain(|stated_at, _| *stated_at < first || *stated_at >= end);
        dropped
    }

    /// Number and hash wanted next below what chains into the pin, and where that begins.
    fn due_at_joint(&self) -> Option<(Option<Hash16>, u32)> {
        let pin = self.pin?;
        let wanted = if self.joined > pin.number { pin.hash } else { self.slots.get(self.joined).map(|slot| slot.prev) };
        Some((wanted, self.joined))
    }

    /// Follows the chain down from the pin as far as it is held. What stands in its way is another story and goes.
    fn join(&mut self) -> Vec<u32> {
        let mut withdrawn = Vec::new();
        while let Some((Some(wanted), joined)) = self.due_at_joint() {
            let number = joined.saturating_sub(1);
            match self.slots.get(number).map(|slot| slot.hash == wanted) {
                Some(true) => self.joined = number,
                Some(false) => {
                    self.slots.remove(number);
                    self.floors.remove(&number);
                    withdrawn.push(number);
                    break;
                }
                None => break,
            }
        }
        withdrawn
    }

    /// Freezes at `number`; a lower freeze stays.
    pub fn freeze(&mut self, number: u32) -> Effect {
        if self.frozen.is_some_and(|frozen| frozen <= number) {
            return Effect::default();
        }
        self.frozen = Some(number);
        let before = self.floor().cloned();
        self.archived = self.archived.max(self.highest()).max(self.floor_number().saturating_sub(1));
        // What chains into a cut stands all the same.
        let settled = self.pin.map_or(u32::MAX, |_| self.joined);
        let mut withdrawn = self.drop_between(number, settled);
        let mut effect = self.refloor(before);
        withdrawn.append(&mut effect.withdrawn);
        Effect { withdrawn, ..effect }
    }

    /// The floors changed: what the one that counts now hides or no longer allows is taken out, what it no longer hides comes back.
    fn refloor(&mut self, before: Option<Floor>) -> Effect {
        let highest = self.floors.iter().max_by_key(|(stated_at, floor)| (floor.number, **stated_at));
        self.stated_at = highest.map(|(stated_at, _)| *stated_at);
        self.head = 0;
        let mut effect = Effect::default();
        if self.floor() != before.as_ref() {
            let end = self.end();
            effect.withdrawn =
                self.slots.iter().map(|(number, _)| number).filter(|number| *number >= end || self.hidden(*number)).collect();
            for number in &effect.withdrawn {
                self.slots.remove(*number);
            }
            let beyond = effect.withdrawn.last().copied().filter(|number| *number >= end);
            self.archived = self.archived.max(beyond.unwrap_or(0));
            effect.revive = self.uncovered_by(before.as_ref());
        }
        self.advance();
        effect
    }

    /// What did not count under the floor `before`, does now, and may be on disk.
    fn uncovered_by(&self, before: Option<&Floor>) -> Vec<(u32, u32)> {
        let low = before.map_or(1, |floor| floor.number);
        let high = low.saturating_add(self.window);
        let counted = |number: u32| match before {
            Some(floor) if number < low => floor.keep.contains(&number),
            Some(_) | None => (low..high).contains(&number),
        };
        let stay = self.floor().into_iter().flat_map(|floor| floor.keep.range(..floor.number).copied());
        let above =
            self.floor_number()..=self.archived.min(self.end().saturating_sub(1)).min(self.closed_from().saturating_sub(1));
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in stay.chain(above).filter(|number| !counted(*number) && !self.slots.has(*number)) {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                Some(_) | None => ranges.push((number, number)),
            }
        }
        ranges
    }

    /// Moves the head over the unbroken prefix, and past the floor only once all that stay are held.
    fn advance(&mut self) {
        let base = self.floor_number().saturating_sub(1);
        if self.head < base {
            let complete = self.floor().is_none_or(|floor| floor.keep.range(..floor.number).all(|n| self.slots.has(*n)));
            if !complete {
                return;
            }
            self.head = base;
        }
        while self.slots.has(self.head.saturating_add(1)) {
            self.head += 1;
        }
    }

    /// What is held but not covered by the head, as ascending ranges (first, count).
    #[must_use]
    pub fn ahead(&self, ranges_max: usize) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in self.uncovered() {
            if let Some((first, count)) = ranges.last_mut()
                && first.saturating_add(*count) == number
            {
                *count += 1;
                continue;
            }
            if ranges.len() >= ranges_max {
                break;
            }
            ranges.push((number, 1));
        }
        ranges
    }

    /// Hash over what is held but not vouched for by the hash at the head: what is ahead, and what stays below the floor, where
    /// the chain is broken. Zeros where there is nothing.
    #[must_use]
    pub fn ahead_hash(&self) -> Hash16 {
        let mut any = false;
        let mut hasher = blake3::Hasher::new();
        let floor = self.floor_number();
        let below = self.slots.iter().take_while(|(number, _)| *number < floor);
        for (number, slot) in below.chain(self.slots.from(floor.max(self.head.saturating_add(1))..)) {
            any = true;
            hasher.update(&number.to_be_bytes());
            hasher.update(&slot.hash);
        }
        if !any {
            return [0; 16];
        }
        let mut out = [0; 16];
        out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        out
    }

    fn uncovered(&self) -> impl Iterator<Item = u32> + '_ {
        // The head stays below the floor as long as something that stays is missing: then all held counts as ahead.
        let from = if self.head.saturating_add(1) >= self.floor_number() { self.head.saturating_add(1) } else { 0 };
        self.slots.from(from..).map(|(number, _)| number)
    }

    /// Numbers missing below what is held, and those the floor keeps: (first, last) ranges, lowest first, at most `max`.
    #[must_use]
    pub fn holes(&self, max: usize) -> Vec<(u32, u32)> {
        let mut holes = Vec::new();
        if let Some(floor) = self.floor() {
            holes.extend(floor.keep.range(..floor.number).filter(|n| !self.slots.has(**n)).map(|n| (*n, *n)).take(max));
        }
        let mut next = self.floor_number().max(self.head.saturating_add(1));
        for (number, _) in self.slots.from(next..) {
            if holes.len() >= max {
                break;
            }
            if number > next {
                holes.push((next, number - 1));
            }
            next = number.saturating_add(1);
        }
        holes.truncate(max);
        holes
    }

    /// Highest number held, 0 where nothing is.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.slots.iter().next_back().map_or(0, |(number, _)| number).max(self.head)
    }

    /// Share of the window in use, in percent.
    #[must_use]
    pub fn window_percent(&self) -> u32 {
        let used = u64::from(self.highest().saturating_sub(self.floor_number().saturating_sub(1)));
        u32::try_from(used * 100 / u64::from(self.window.max(1))).unwrap_or(100)
    }

    /// Widens the window; it is never lowered within a generation.
    pub fn widen(&mut self, window: u32) {
        self.window = self.window.max(window);
    }
}

/// Where a pair of contradicting entries freezes their logbook, or `None` if they do not contradict.
///
/// Two contents under one number with different predecessors prove a fork one lower. An entry whose previous hash isn't the
/// hash of the one before proves a fork at the lower number.
#[must_use]
pub fn forked_at(one: (&Header, Hash16), other: (&Header, Hash16)) -> Option<(LogId, u32)> {
    let ((low, low_hash), (high, high_hash)) = if one.0.id.number <= other.0.id.number { (one, other) } else { (other, one) };
    if low.id.log != high.id.log {
        return None;
    }
    if low.id.number == high.id.number {
        let lower = if low.prev == high.prev { low.id.number } else { low.id.number.saturating_sub(1) };
        return (low_hash != high_hash && lower > 0).then_some((low.id.log, lower));
    }
    let adjacent = low.id.number.checked_add(1) == Some(high.id.number);
    (adjacent && high.prev != low_hash).then_some((low.id.log, low.id.number))
}
