//! Fresh entries: pushed along the author's tree at once, announced to the rest, pulled back where a push was lost.
//!
//! The plumtree family, one tree per author: the link over which an author's entries come first stays eager, links over which
//! they come again are pruned to announcements. Nothing here is needed for correctness; the digest repairs what this misses.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Node;
use super::ingest::Age;
use super::link::Parcel;
use super::trees::Way;
use crate::control::Event;
use crate::id::{Class, DocKind, EntryId, LogId, NodeId};
use crate::io::EntryRow;
use crate::link::LinkId;
use crate::message::{DocName, Message};
use crate::replica::{Header, HeldDoc};
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
    pub(super) fn spread(&mut self, row: &EntryRow, header: &Header, from: Option<LinkId>) {
        let author = header.id.log.author;
        let bytes = u32::try_from(row.body.as_ref().map_or(0, bytes::Bytes::len)).unwrap_or(u32::MAX).saturating_add(160);
        if let Some(state) = from.and_then(|link| self.links.get_mut(&link)) {
            state.note_heard(header.id);
        }
        let me = self.me;
        let unlinked = self.unlinked_audible();
        let now = self.now.mono;
        let announce = self.config.announce;
        let batch = now.after(self.config.broadcast_batch);
        let heard = self.trees.take_heard(header.id);
        let tree = self.trees.of(author);
        let first = !self.replica.knows(author);
        let mut too_long = 0;
        for (link, state) in self.links.iter_mut().filter(|(link, _)| Some(**link) != from) {
            if state.profile.broadcast {
                if unlinked {
                    let queued = state.queue_word(header.class, bytes, Parcel::Entry(row.clone()));
                    too_long += u64::from(!queued);
                    state.flush_at.get_or_insert(batch);
                }
                continue;
            }
            if state.node.is_none() || state.node == Some(author) || heard.contains(link) {
                continue;
            }
            // Our own words go straight to every neighbour: one hop is the shortest way.
            let way = if author == me { Way::Push } else { tree.way(state.bit, &mut state.tried, first) };
            if way == Way::Push {
                let queued = state.queue_word(header.class, bytes, Parcel::Entry(row.clone()));
                state.healing.sent += u64::from(queued);
                too_long += u64::from(!queued);
            }
            let times = if state.profile.reliable { u8::from(way != Way::Push) } else { ANNOUNCEMENTS_LOSSY };
            if times > 0 {
                if state.announce.len() < GRAFTS_MAX {
                    state.announce.insert(header.id, times);
                }
                state.announce_by(way, header.class.is_urgent(), now, announce);
            }
        }
        self.count_too_long(too_long);
    }

    /// Words that no frame of some link takes are not sent there: they would hold up what follows. Its peers see by digest or
    /// beacon that something is missing, and hear it over another link.
    fn count_too_long(&mut self, words: u64) {
        if words > 0 {
            self.count("words_too_long_total", words);
        }
    }

    /// Hands a fresh, verified document to all links but the one it came from.
    pub(super) fn spread_doc(&mut self, doc: &HeldDoc, from: Option<LinkId>) {
        let (author, kind) = (doc.row.author, doc.row.kind);
        let name = DocName { author, kind, order: doc.doc.order() };
        if let Some(state) = from.and_then(|link| self.links.get_mut(&link)) {
            state.note_heard_doc(author, kind, name.order);
        }
        let bytes = u32::try_from(doc.row.bytes.len()).unwrap_or(u32::MAX).saturating_add(90);
        let unlinked = self.unlinked_audible();
        let age = Age::heard(doc.row.age.age_ms, self.now);
        let now = self.now.mono;
        let first = !self.replica.knows(author);
        let targets: Vec<LinkId> = self.links.iter().filter(|(link, _)| Some(**link) != from).map(|(link, _)| *link).collect();
        let mut too_long = 0;
        for link in targets {
            let Some(peer) = self.links.get(&link).map(|state| state.node) else { continue };
            let allowed = match kind {
                DocKind::Board => true,
                DocKind::Detail => peer.is_some_and(|peer| self.entitled(peer, author)),
            };
            let class = if kind == DocKind::Board { Class::ROUTINE } else { Class::DEFERRED };
            let me = self.me;
            let announce = self.config.announce;
            let batch = now.after(self.config.broadcast_batch);
            let Some(state) = self.links.get_mut(&link).filter(|_| allowed) else { continue };
            if state.profile.broadcast {
                if unlinked {
                    let queued = state.queue_word(class, bytes, Parcel::Doc(doc.row.clone(), age));
                    too_long += u64::from(!queued);
                    state.flush_at.get_or_insert(batch);
                }
                continue;
            }
            if peer.is_none() || peer == Some(author) {
                continue;
            }
            let way = if author == me { Way::Push } else { self.trees.of(author).way(state.bit, &mut state.tried, first) };
            if way == Way::Push {
                let queued = state.queue_word(class, bytes, Parcel::Doc(doc.row.clone(), age));
                too_long += u64::from(!queued);
            }
            if way != Way::Push || !state.profile.reliable {
                state.announce_docs.insert((author, kind), name.order);
                state.announce_by(way, false, now, announce);
            }
        }
        self.count_too_long(too_long);
    }

    /// Puts a document into the next batch of one broadcast link.
    pub(super) fn broadcast_doc(&mut self, link: LinkId, doc: &HeldDoc) {
        let Some(age) = self.ages.get(&(doc.row.author, doc.row.kind)).copied() else { return };
        let bytes = u32::try_from(doc.row.bytes.len()).unwrap_or(u32::MAX).saturating_add(90);
        let batch = self.now.mono.after(self.config.broadcast_batch);
        let Some(state) = self.links.get_mut(&link) else { return };
        let queued = state.queue_word(Class::ROUTINE, bytes, Parcel::Doc(doc.row.clone(), age));
        state.flush_at.get_or_insert(batch);
        self.count_too_long(u64::from(!queued));
    }

    /// The same came again over this link.
    pub(super) fn duplicate(&mut self, link: LinkId, author: NodeId) {
        let Some(state) = self.links.get(&link).filter(|state| !state.profile.broadcast && state.node.is_some()) else {
            return;
        };
        if self.trees.came_again(author, state.bit) && state.node != Some(author) {
            self.control(link, Message::Prune { author });
        }
    }

    /// The peer holds these; what we lack is pulled if no push brings it soon.
    pub(super) fn announced(&mut self, link: LinkId, entries: Vec<(LogId, Vec<u32>)>, docs: Vec<DocName>) {
        let deadline = self.now.mono.after(self.config.graft);
        let mut left = GRAFTS_LINK_MAX.saturating_sub(self.grafts.of(link));
        for (log, numbers) in entries {
            // What nobody certified could have written is not waited for.
            if self.known.roster().certificate(log.author, log.generation).is_none() || self.replica.too_low(log) {
                continue;
            }
            let window = self.window(log.author, log.generation);
            let top = self.replica.log(log).map_or(1, crate::replica::Log::floor_number).saturating_add(window);
            for number in numbers.into_iter().filter(|number| *number > 0 && *number < top) {
                let id = EntryId { log, number };
                if let Some(state) = self.links.get_mut(&link) {
                    // Said to us, it need not be said back.
                    state.note_heard(id);
                }
                if self.holds(id) {
                    continue;
                }
                self.trees.note_heard(id, link);
                let room = left > 0 && self.grafts.len() < GRAFTS_MAX;
                if room && !self.grafts.waiting.contains_key(&id) && !self.wanted.contains(&id) {
                    left -= 1;
                    self.grafts.wait(id, deadline, link);
                }
            }
        }
        if let Some(state) = self.links.get_mut(&link) {
            docs.iter().for_each(|doc| state.note_heard_doc(doc.author, doc.kind, doc.order));
        }
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
        if self.pending.contains_key(&id) || self.own_in_flight(id) || self.replica.too_low(id.log) {
            return true;
        }
        self.replica.log(id.log).is_some_and(|log| {
            let hidden = id.number < log.floor_number() && !log.floor().is_some_and(|floor| floor.keep.contains(&id.number));
            log.slot(id.number).is_some() || hidden || log.frozen().is_some_and(|frozen| id.number >= frozen)
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
        for (log, head) in heads {
            held.heads.apply_head(log, head);
        }
        let said = |doc: &DocName| self.replica.doc(me, doc.kind).is_some_and(|own| doc.order <= own.doc.order());
        for doc in docs.into_iter().filter(|doc| doc.author == me && said(doc)) {
            let known = held.docs.entry(doc.kind).or_insert(doc.order);
            *known = doc.order.max(*known);
        }
        self.delivery_moved();
    }

    /// Somebody who is linked wrote something that is durable here now: it hears so, a moment later and together.
    pub(super) fn receipt_due(&mut self, author: NodeId) {
        /// So many receipts travel together, at the cost of this much delay for the sender's "reached".
        const RECEIPTS_EVERY: std::time::Duration = std::time::Duration::from_millis(100);
        let at = self.now.mono.after(RECEIPTS_EVERY);
        if let Some(state) = self.links.values_mut().find(|state| state.node == Some(author)) {
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
    pub(super) fn unlinked_audible(&self) -> bool {
        if self.links.values().all(|state| state.audible.is_empty()) {
            return false;
        }
        let linked = self.linked();
        self.links.values().any(|state| state.audible.iter().any(|node| !linked.contains(node) && !self.cut.contains(node)))
    }

    pub(super) fn bug(&mut self, what: &str) {
        self.notify(Event::Bug { what: what.to_owned() });
    }
}
