//! Broadcast links that prove no keys: radio. What goes there is little: a node's own words, and what is urgent of others.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::Node;
use super::count::Counter;
use super::heal::Fetch;
use super::link::{Link, Parcel};
use super::table::Place;
use crate::id::{Class, EntryId, LogId, NodeId};
use crate::io::{EntryRow, Output};
use crate::link::LinkId;
use crate::message::Message;
use crate::time::Instant;

/// An own word is said again so long after each time: nobody there can say that it missed one. At a fifth of frames lost, an urgent word
/// of two frames is missed by one hearer in 60 after four times; by the first alone, by one in three.
const AGAIN_URGENT: [Duration; 3] = [Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(240)];
/// What is not urgent, likewise.
const AGAIN: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(300)];
/// Words that are to be said again on one link; the oldest gives way.
const AGAIN_MAX: usize = 64;

/// So many own words are said to whoever is new on the air, the urgent and then the newest first: a dozen take a minute at 1,200 bit/s.
const RETOLD_MAX: usize = 12;
/// And no sooner again: where stations come and go all the time, the channel would carry nothing else. Beyond so many stations the times
/// grow and the words get fewer with their number, since all of them owe each other the same.
const RETOLD_EVERY: Duration = Duration::from_secs(600);
const RETOLD_CROWD: usize = 4;

/// A word that will be said again.
#[derive(Clone, Debug)]
pub(super) struct Again {
    pub(super) at: Instant,
    said: usize,
    class: Class,
    bytes: u32,
    pub(super) word: Parcel,
}

impl Again {
    fn next(self, now: Instant) -> Option<Self> {
        let waits: &[Duration] = if self.class.is_urgent() { &AGAIN_URGENT } else { &AGAIN };
        let wait = waits.get(self.said).copied()?;
        Some(Self { at: now.after(wait), said: self.said + 1, ..self })
    }
}

impl Link {
    /// An own word was queued: it is said again later. A newer board takes the place of an older one.
    pub(super) fn repeat(&mut self, now: Instant, class: Class, bytes: u32, word: Parcel) {
        if matches!(word, Parcel::Doc(..)) {
            self.again.retain(|again| !matches!(again.word, Parcel::Doc(..)));
        }
        if self.again.len() >= AGAIN_MAX {
            self.again.pop_front();
        }
        self.again.extend(Again { at: now, said: 0, class, bytes, word }.next(now));
    }
}

impl Node {
    /// Own words whose time has come are said once more, if still anybody may lack them.
    pub(super) fn say_due_again(&mut self, id: LinkId) {
        let now = self.now.mono;
        let is_due = |again: &Again| again.at <= now;
        if !self.links.get(&id).is_some_and(|link| link.again.iter().any(is_due)) {
            return;
        }
        let needed = self.is_needed_on(id);
        let Some(link) = self.links.get_mut(&id) else { return };
        for again in std::mem::take(&mut link.again) {
            if !is_due(&again) {
                link.again.push_back(again);
                continue;
            }
            if needed {
                link.queue_word(again.class, again.bytes, again.word.clone());
            }
            link.again.extend(again.next(now));
        }
    }

    /// Says again on the air what is not settled of this node's own words: who is new there, or whose radio was off, can't ask for it.
    pub(super) fn retell_open(&mut self, id: LinkId) {
        let now = self.now.mono;
        let crowd = |link: &Link| link.audible.len().div_ceil(RETOLD_CROWD).max(1);
        let wait = |link: &Link| RETOLD_EVERY.saturating_mul(u32::try_from(crowd(link)).unwrap_or(u32::MAX));
        let owes = |link: &&mut Link| link.owes_open && link.retold_at.is_none_or(|last| now.since(last) >= wait(link));
        if !self.own.certified || self.links.get_mut(&id).filter(owes).is_none() || !self.is_needed_on(id) {
            return;
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        let most = RETOLD_MAX / crowd(link);
        (link.owes_open, link.retold_at) = (false, Some(now));
        let said = |word: &Again| if let Parcel::Entry(read, _) = &word.word { Some(read.id()) } else { None };
        let coming: BTreeSet<EntryId> = link.again.iter().filter_map(said).collect();
        let logs: Vec<LogId> = self.replica.logs_of(self.me).map(|(log, _)| log).collect();
        let open = logs.into_iter().flat_map(|log| self.domain.open_words(log));
        let mut open: Vec<(bool, EntryId)> =
            open.filter(|(_, id)| !coming.contains(id)).map(|(class, id)| (!class.is_urgent(), id)).collect();
        open.sort_by(|(calm, one), (other_calm, other)| calm.cmp(other_calm).then(other.cmp(one)));
        let entries: Vec<EntryId> = open.into_iter().take(most.max(1)).map(|(_, id)| id).collect();
        if !entries.is_empty() {
            let token = self.token();
            self.fetches.insert(token, Fetch::Retell { link: id });
            self.emit(Output::Fetch { token, entries });
        }
    }

    /// They were read back. In a crowd they go behind all that is fresh, and once.
    pub(super) fn retold(&mut self, id: LinkId, rows: &[EntryRow]) {
        let (now, batch) = (self.now.mono, self.now.mono.after(self.config.broadcast_batch));
        for row in rows {
            let Some(read) = self.read_row(row) else { continue };
            let bytes = u32::try_from(read.size()).unwrap_or(u32::MAX);
            let Some(link) = self.links.get_mut(&id) else { return };
            let few = link.audible.len() <= RETOLD_CROWD;
            let class = if few && read.header.class.is_urgent() { Class::URGENT } else { Class::BULK };
            let word = Parcel::Entry(read, row.age);
            if link.queue_word(class, bytes, word.clone()) {
                link.flush_at.get_or_insert(batch);
                if few {
                    link.repeat(now, class, bytes, word);
                }
            }
        }
    }

    /// Who was heard of late on a link that knows stations by name only. The first such list, empty or not, says that it is one.
    pub(super) fn near(&mut self, id: LinkId, nodes: &[NodeId]) {
        let certified = &self.known.directory().nodes;
        let nodes: BTreeSet<NodeId> =
            nodes.iter().copied().filter(|node| *node != self.me && certified.contains_key(node)).collect();
        let Some(link) = self.links.get_mut(&id).filter(|link| link.profile.broadcast) else { return };
        link.by_name = true;
        self.hears(id, nodes);
    }

    /// Somebody may hear a broadcast link who is not linked. On radio nobody heard means nothing: they may hear us all the same.
    pub(super) fn is_needed_on(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get(&id) else { return false };
        if !link.by_name {
            return self.unlinked_audible();
        }
        let linked = self.linked();
        link.audible.is_empty() || link.audible.iter().any(|node| !linked.contains(node))
    }

    /// Whether a fresh word goes onto a broadcast link. Radio gets no flood from elsewhere: a node's own words, and of others what is
    /// urgent, from one of those who heard it, the one with the lowest name.
    pub(super) fn goes_on(&mut self, place: Place, author: NodeId, class: Class) -> bool {
        let Some(link) = self.links.at(place) else { return false };
        if !link.by_name {
            return self.unlinked_audible();
        }
        let linked = self.linked();
        let needed = link.audible.is_empty() || link.audible.iter().any(|node| !linked.contains(node));
        let first = || link.audible.iter().filter(|node| linked.contains(node)).all(|node| *node > self.me);
        // What a guest calls urgent need not be.
        needed && (author == self.me || (class.is_urgent() && !author.is_guest() && first()))
    }

    /// Whether revocations go onto a radio: what this node was told itself, or, of those who heard them by a line, from the one with the
    /// lowest name.
    pub(super) fn says_revocations_on(&mut self, id: LinkId, told_here: bool) -> bool {
        let me = self.me;
        let linked = self.linked();
        let first = |link: &Link| link.audible.iter().filter(|node| linked.contains(node)).all(|node| *node > me);
        let first = self.links.get(&id).is_some_and(first);
        self.is_needed_on(id) && (told_here || first)
    }

    /// Says each of these, and says it again as other urgent words are.
    pub(super) fn say_revocations(&mut self, id: LinkId, objects: &[Bytes]) {
        let (now, batch) = (self.now.mono, self.now.mono.after(self.config.broadcast_batch));
        for object in objects {
            let frame = Message::Roster { objects: vec![object.clone()] }.to_frame();
            let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            let Some(link) = self.links.get_mut(&id) else { return };
            let word = Parcel::Control(frame);
            if link.queue_word(Class::FLASH, bytes, word.clone()) {
                link.flush_at.get_or_insert(batch);
                link.repeat(now, Class::FLASH, bytes, word);
            } else {
                self.count(Counter::ControlTooLong, 1);
            }
        }
    }

    /// What waits to go out by radio: words and their bytes.
    #[must_use]
    pub fn waits_by_radio(&self) -> (usize, usize) {
        let waiting =
            self.links.values().filter(|link| link.by_name).map(|link| (link.outbox.len(), link.outbox.waiting_bytes()));
        waiting.fold((0, 0), |(words, bytes), (more, long)| (words + more, bytes + long))
    }
}
