//! Fresh entries: pushed along the author's tree at once, announced to the rest, pulled back where a push was lost.
//!
//! The plumtree family, one tree per author: the link over which an author's entries come first stays eager, links over which
//! they come again are pruned to announcements. Nothing here is needed for correctness; the digest repairs what this misses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::Node;
use super::count::Counter;
use super::ingest::Age;
use super::link::Parcel;
use super::quota::Pace;
use super::table::{Place, Set};
use super::trees::{Stem, Way, Ways};
use super::word::ReadEntry;
use crate::control::Event;
use crate::id::{Class, DocKind, EntryId, LogId, NodeId};
use crate::io::AgeMark;
use crate::link::LinkId;
use crate::message::{DocName, Message};
use crate::replica::HeldDoc;
use crate::time::Instant;

/// Announcements of one entry on a link that may lose frames. At 5 % loss three misses are 1 in 8,000.
const ANNOUNCEMENTS_LOSSY: u8 = 3;
/// A want of at most this many entries is a repair: the asker lacks what we only announced, so push to it again.
pub(super) const REPAIR_MAX: usize = 16;
/// Announced entries waited for at once.
pub(super) const GRAFTS_MAX: usize = 16_384;
/// The same of one link, so that no single neighbour takes all the room.
const GRAFTS_LINK_MAX: usize = 2_048;

/// Announced entries that no push brought yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Grafts {
    waiting: BTreeMap<EntryId, (Instant, LinkId)>,
    /// By time; what came meanwhile still stands here until its turn.
    order: VecDeque<(Instant, EntryId)>,
}

impl Grafts {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn of(&self, link: LinkId) -> usize {
        self.waiting.values().filter(|(_, of)| *of == link).count()
    }

    /// Times never fall: every entry waits equally long.
    fn wait(&mut self, id: EntryId, until: Instant, link: LinkId) {
        self.waiting.insert(id, (until, link));
        self.order.push_back((until, id));
    }

    pub(super) fn remove(&mut self, id: EntryId) {
        if self.waiting.remove(&id).is_some() {
            self.trim();
        }
    }

    pub(super) fn forget(&mut self, link: LinkId) {
        self.waiting.retain(|_, (_, of)| *of != link);
        self.trim();
    }

    fn trim(&mut self) {
        while self.order.front().is_some_and(|(at, id)| self.waiting.get(id).is_none_or(|(until, _)| until != at)) {
            self.order.pop_front();
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.order.front().map(|(at, _)| *at)
    }

    fn take_due(&mut self, now: Instant) -> Option<(EntryId, LinkId)> {
        let (_, id) = self.order.front().copied().filter(|(at, _)| *at <= now)?;
        self.order.pop_front();
        let (_, link) = self.waiting.remove(&id)?;
        self.trim();
        Some((id, link))
    }
}

impl Node {
    /// Hands a fresh, verified entry to all links but the one it came from.
    pub(super) fn spread(&mut self, read: &Arc<ReadEntry>, age: AgeMark, from: Option<LinkId>, pace: Pace) {
        let header = &read.header;
        let bytes = u32::try_from(read.body.as_ref().map_or(0, bytes::Bytes::len)).unwrap_or(u32::MAX).saturating_add(160);
        let parcel = || Parcel::Entry(Arc::clone(read), age);
        let came = from.and_then(|link| self.links.place(link));
        if let Some(place) = came {
            self.notices.heard(place, header.id);
        }
        let heard = self.trees.take_heard(header.id);
        if pace == Pace::Late {
            return self.look_soon();
        }
        let class = pace.class(header.class);
        let urgent = class.is_urgent();
        let author = header.id.log.author;
        let first = !self.replica.knows(author);
        let mut ways = self.ways_of((author, DocKind::Board), came, heard, first);
        if !urgent {
            ways.mention = ways.mention - self.links.content();
        }
        let mut too_long = self.put_in_batches(author, from, (class, bytes), &parcel);
        for place in ways.push.places() {
            let Some(state) = self.links.at_mut(place) else { continue };
            let queued = state.queue_word(class, bytes, parcel());
            state.healing.sent += u64::from(queued);
            too_long += u64::from(!queued);
        }
        let lossy = self.links.lossy();
        let named = ways.announce | ways.mention;
        self.notices.entry(header.id, named - lossy, 1);
        self.notices.entry(header.id, (named | ways.push) & lossy, ANNOUNCEMENTS_LOSSY);
        self.announce_in_time(ways, urgent);
        self.count_too_long(too_long);
    }

    /// Which links a fresh word goes over, and how; `came` and `heard` have it. `first`: nothing of it was held before.
    fn ways_of(&mut self, stem: Stem, came: Option<Place>, heard: Set, first: bool) -> Ways {
        let (author, _) = stem;
        let have = heard | self.links.to(author) | came.into_iter().collect();
        let links = self.links.greeted() - have;
        if author == self.me {
            // Our own words go straight to every neighbour: one hop is the shortest way.
            return Ways { push: links, ..Ways::default() };
        }
        self.trees.ways(stem, links, first)
    }

    /// Puts a word into the next batch of each broadcast link but the one it came from, if somebody hears it who is not linked. Where
    /// its author is heard the author says it: if all who learn of it did, a word would go on the air once for each of them.
    fn put_in_batches(
        &mut self,
        author: NodeId,
        from: Option<LinkId>,
        (class, bytes): (Class, u32),
        word: &dyn Fn() -> Parcel,
    ) -> u64 {
        let mut too_long = 0;
        let (me, now) = (self.me, self.now.mono);
        let batch = now.after(self.config.broadcast_batch);
        let came = from.and_then(|link| self.links.place(link));
        let around = self.links.broadcast();
        let silent = |place: &Place| self.links.at(*place).is_some_and(|state| !state.audible.contains(&author));
        let places: Vec<Place> = around.places().filter(|place| Some(*place) != came && silent(place)).collect();
        let places: Vec<Place> = places.into_iter().filter(|place| self.goes_on(*place, author, class)).collect();
        for place in places {
            let Some(state) = self.links.at_mut(place) else { continue };
            too_long += u64::from(!state.queue_word(class, bytes, word()));
            state.flush_at.get_or_insert(batch);
            if state.by_name && author == me {
                state.repeat(now, class, bytes, word());
            }
        }
        too_long
    }

    /// Sees to it that what is announced goes out when it should.
    fn announce_in_time(&mut self, ways: Ways, urgent: bool) {
        let (now, announce) = (self.now.mono, self.config.announce);
        let gathering = if urgent { Set::default() } else { self.links.gathering() };
        let pushed = ways.push & self.links.lossy();
        for (way, links) in [(Way::Push, pushed), (Way::Announce, ways.announce), (Way::Mention, ways.mention - gathering)] {
            for place in links.places() {
                if let Some(state) = self.links.at_mut(place) {
                    state.announce_by(way, urgent, now, announce);
                    self.links.gathers(place);
                }
            }
        }
    }

    /// Words that no frame of some link takes are not sent there: they would hold up what follows. Its peers see by digest or
    /// beacon that something is missing, and hear it over another link.
    fn count_too_long(&mut self, words: u64) {
        if words > 0 {
            self.count(Counter::WordsTooLong, words);
        }
    }

    /// Hands a fresh, verified document to all links but the one it came from.
    pub(super) fn spread_doc(&mut self, doc: &HeldDoc, from: Option<LinkId>, pace: Pace) {
        let (author, kind, order) = (doc.author(), doc.kind, doc.doc.order());
        let came = from.and_then(|link| self.links.place(link));
        if let Some(place) = came {
            self.notices.heard_doc(place, author, kind, order);
        }
        if pace == Pace::Late {
            return self.look_soon();
        }
        let bytes = u32::try_from(doc.bytes.len()).unwrap_or(u32::MAX).saturating_add(90);
        let class = pace.class(if kind == DocKind::Board { Class::ROUTINE } else { Class::DEFERRED });
        let age = Age::heard(doc.age.age_ms, self.now);
        let barred = if kind == DocKind::Board { Set::default() } else { self.not_entitled(author) };
        let first = match kind {
            DocKind::Board => !self.replica.knows(author),
            DocKind::Detail => self.replica.doc(author, kind).is_none(),
        };
        let mut ways = self.ways_of((author, kind), came, barred, first);
        ways.mention = ways.mention - self.links.content();
        let batched = kind == DocKind::Board;
        let parcel = || Parcel::Doc(doc.clone(), age);
        let mut too_long = if batched { self.put_in_batches(author, from, (class, bytes), &parcel) } else { 0 };
        for place in ways.push.places() {
            let Some(state) = self.links.at_mut(place) else { continue };
            too_long += u64::from(!state.queue_word(class, bytes, parcel()));
        }
        let lossy = self.links.lossy();
        self.notices.doc(author, kind, order, ways.announce | ways.mention | (ways.push & lossy), ways.push - lossy);
        self.announce_in_time(ways, false);
        self.count_too_long(too_long);
    }

    /// Links whose peer may not have this author's details.
    fn not_entitled(&mut self, author: NodeId) -> Set {
        let links = self.links.greeted();
        links - self.links.to_such(links, |peer| self.entitled(peer, author))
    }

    /// Puts a document into the next batch of one broadcast link.
    pub(super) fn broadcast_doc(&mut self, link: LinkId, doc: &HeldDoc) {
        let Some(age) = self.ages.get(doc.author(), doc.kind).copied() else { return };
        let bytes = u32::try_from(doc.bytes.len()).unwrap_or(u32::MAX).saturating_add(90);
        let batch = self.now.mono.after(self.config.broadcast_batch);
        let Some(state) = self.links.get_mut(&link) else { return };
        let queued = state.queue_word(Class::ROUTINE, bytes, Parcel::Doc(doc.clone(), age));
        state.flush_at.get_or_insert(batch);
        self.count_too_long(u64::from(!queued));
    }

    /// The same came again over this link.
    pub(super) fn duplicate(&mut self, link: LinkId, author: NodeId, kind: DocKind) {
        let Some(state) = self.links.get(&link).filter(|state| !state.profile.broadcast && state.node.is_some()) else {
            return;
        };
        if self.trees.came_again((author, kind), state.place) && state.node != Some(author) {
            self.control(link, Message::Prune { author, kind });
        }
    }

    /// The peer holds these; what we lack is pulled if no push brings it soon.
    pub(super) fn announced(&mut self, link: LinkId, entries: Vec<(LogId, Vec<u32>)>, docs: Vec<DocName>) {
        let deadline = self.now.mono.after(self.config.graft);
        let Some(place) = self.links.place(link) else { return };
        let mut left = GRAFTS_LINK_MAX.saturating_sub(self.grafts.of(link));
        for (log, numbers) in entries {
            // What nobody certified could have written is not waited for.
            if self.known.roster().certificate(log.author, log.generation).is_none() || self.replica.is_shut(log) {
                continue;
            }
            let window = self.window(log.author, log.generation);
            let top = self.replica.log(log).map_or(1, crate::replica::Log::floor_number).saturating_add(window);
            for number in numbers.into_iter().filter(|number| *number > 0 && *number < top) {
                let id = EntryId { log, number };
                // Said to us, it need not be said back.
                self.notices.heard(place, id);
                if self.holds(id) {
                    continue;
                }
                self.trees.note_heard(id, place);
                let room = left > 0 && self.grafts.len() < GRAFTS_MAX;
                if room && !self.grafts.waiting.contains_key(&id) && !self.wanted.contains(&id) {
                    left -= 1;
                    self.grafts.wait(id, deadline, link);
                }
            }
        }
        docs.iter().for_each(|doc| self.notices.heard_doc(place, doc.author, doc.kind, doc.order));
        let newer = |node: &Self, doc: &DocName| {
            let waiting = node.pending_docs.contains_key(&(doc.author, doc.kind, doc.order));
            !waiting
                && !node.wanted_docs.contains(&(doc.author, doc.kind))
                && node.known.directory().nodes.contains_key(&doc.author)
                && node.replica.doc(doc.author, doc.kind).is_none_or(|held| doc.order > held.doc.order())
        };
        let docs: BTreeSet<_> = docs.into_iter().filter(|doc| newer(self, doc)).map(|doc| (doc.author, doc.kind)).collect();
        let docs: Vec<_> = docs.into_iter().collect();
        self.want_fresh(link, Vec::new(), docs);
    }

    /// True if an entry is held, or verified and waiting for the store, or of no use.
    pub(super) fn holds(&self, id: EntryId) -> bool {
        if self.pending.contains_key(&id) || self.own_in_flight(id) || self.replica.is_shut(id.log) {
            return true;
        }
        self.replica.log(id.log).is_some_and(|log| {
            let hidden = id.number < log.floor_number() && !log.floor().is_some_and(|floor| floor.keep.contains(&id.number));
            log.slot(id.number).is_some() || hidden || id.number >= log.closed_from()
        })
    }

    /// Announced entries whose time is up are asked for where they were announced.
    pub(super) fn due_grafts(&mut self) {
        let now = self.now.mono;
        let mut by_link: BTreeMap<LinkId, Vec<EntryId>> = BTreeMap::new();
        while let Some((id, link)) = self.grafts.take_due(now) {
            if !self.holds(id) {
                by_link.entry(link).or_default().push(id);
            }
        }
        for (link, ids) in by_link {
            self.want_ids(link, &ids);
        }
    }

    /// A pushed entry stands above a hole: pull what is between, from whoever pushed.
    pub(super) fn pull_hole(&mut self, link: LinkId, id: EntryId) {
        let Some(before) = id.number.checked_sub(1).filter(|before| *before > 0) else { return };
        let previous = EntryId { log: id.log, number: before };
        if self.holds(previous) || self.wanted.contains(&previous) {
            return;
        }
        let from = self.replica.log(id.log).map_or(1, |log| log.head().saturating_add(1).max(log.floor_number()));
        let first = from.max(id.number.saturating_sub(REPAIR_MAX as u32));
        let missing: Vec<EntryId> = (first..id.number).map(|number| EntryId { log: id.log, number }).collect();
        let missing: Vec<EntryId> = missing.into_iter().filter(|id| !self.holds(*id) && !self.wanted.contains(id)).collect();
        self.want_ids(link, &missing);
    }

    /// A neighbour said how far it holds our own words.
    pub(super) fn receipts(&mut self, link: LinkId, heads: Vec<(LogId, u32)>, docs: Vec<DocName>) {
        let Some(peer) = self.links.get(&link).and_then(|state| state.node) else { return };
        let me = self.me;
        let held_here = |log: &LogId, head: u32| self.replica.log(*log).is_some_and(|mine| head <= mine.highest());
        let heads: Vec<_> = heads.into_iter().filter(|(log, head)| log.author == me && held_here(log, *head)).collect();
        let held = self.held_by.entry(peer).or_default();
        let before = held.clone();
        let mut moved = false;
        for (log, head) in heads {
            moved |= held.heads.apply_head(log, head);
        }
        let said = |doc: &DocName| self.replica.doc(me, doc.kind).is_some_and(|own| doc.order <= own.doc.order());
        for doc in docs.into_iter().filter(|doc| doc.author == me && said(doc)) {
            let known = held.docs.entry(doc.kind).or_default();
            moved |= doc.order > *known;
            *known = doc.order.max(*known);
        }
        if moved {
            self.holds_more(peer, &before);
        }
    }

    /// Somebody who is linked wrote something that is durable here now: it hears so, a moment later and together.
    pub(super) fn receipt_due(&mut self, author: NodeId) {
        /// So many receipts travel together, at the cost of this much delay for the sender's "reached".
        const RECEIPTS_EVERY: std::time::Duration = std::time::Duration::from_millis(100);
        let at = self.now.mono.after(RECEIPTS_EVERY);
        if let Some(state) = self.links.to(author).places().next().and_then(|place| self.links.at_mut(place)) {
            state.receipt_at.get_or_insert(at);
        }
    }

    /// Sends a neighbour the heads of its own logbooks as held here.
    pub(super) fn send_receipt(&mut self, link: LinkId) {
        let Some(peer) = self.links.get(&link).and_then(|state| state.node) else { return };
        let newest = self.replica.logs_of(peer).next_back().map(|(id, log)| (id, log.head()));
        let heads = newest.into_iter().filter(|(_, head)| *head > 0).collect();
        let docs = [DocKind::Board, DocKind::Detail].into_iter();
        let docs = docs
            .filter_map(|kind| self.replica.doc(peer, kind).map(|doc| DocName { author: peer, kind, order: doc.doc.order() }));
        let docs = docs.collect();
        self.control(link, Message::Held { heads, docs });
    }

    /// True if somebody certified is heard on a broadcast link to whom no point-to-point link goes.
    pub(super) fn unlinked_audible(&mut self) -> bool {
        if self.links.broadcast().is_empty() {
            return false;
        }
        let linked = self.linked();
        let unlinked = |node: &NodeId| !linked.contains(node) && !self.cut.contains(node);
        self.links.values().filter(|state| !state.by_name).any(|state| state.audible.iter().any(unlinked))
    }

    pub(super) fn bug(&mut self, what: &str) {
        self.notify(Event::Bug { what: what.to_owned() });
    }
}
