//! Wants of peers: what of them is held, read from disk while the last of it is being sent, by class, newest first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Fetch;
use crate::config::{AUTHORS_MAX, FETCH_MAX};
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::io::{EntryRow, Output};
use crate::link::LinkId;
use crate::message::{Message, Want, WireDoc, WireEntry};
use crate::node::Node;
use crate::node::count::Counter;
use crate::node::link::Link;
use crate::node::spread::REPAIR_MAX;
use crate::node::trees::Stem;

/// Entries waiting to be served to one peer, and numbers looked up for one want; the rest is left to the next probe.
const SERVE_MAX: usize = 65_536;
/// Wants of one peer answered at a time; of more it hears nothing and asks again.
const SERVINGS_MAX: usize = 64;
/// Documents and fork proofs sent for one want; each costs a fraction of a frame.
const SERVE_DOCS_MAX: usize = 2 * AUTHORS_MAX;
/// A want is answered in frames of about this size.
const SERVE_FRAME: usize = 32_768;
/// Bytes of a frame beside the words in it, at most.
const FRAME_ROOM: usize = 64;
/// Fetched entries waiting for room on one link.
const READY_MAX: usize = 4 * FETCH_MAX;

/// A want we answer.
#[derive(Clone, Debug)]
pub(in crate::node) struct Serving {
    want: u32,
    ids: VecDeque<EntryId>,
    ready: VecDeque<WireEntry>,
    fetching: bool,
}

impl Serving {
    /// What waits, and the want itself.
    fn len(&self) -> usize {
        self.ids.len() + self.ready.len() + 1
    }
}

impl Node {
    /// A peer lacks these: it gets their authors' words from here from now on.
    fn graft_to(&mut self, id: LinkId, entries: &[(LogId, Vec<(u32, u32)>)], docs: &BTreeSet<(NodeId, DocKind)>) {
        let mut lacking: BTreeMap<Stem, u64> = docs.iter().map(|stem| (*stem, 1)).collect();
        for (log, ranges) in entries {
            let count: u64 = ranges.iter().map(|(first, last)| u64::from(last.saturating_sub(*first)) + 1).sum();
            let words = lacking.entry((log.author, DocKind::Board)).or_default();
            *words = words.saturating_add(count);
        }
        // More of one author is a difference that anything may have made, such as a long time apart.
        self.regraft(id, lacking.into_iter().map(|(stem, words)| (stem, words <= REPAIR_MAX as u64)).collect());
    }

    /// A peer wants something.
    pub(in crate::node) fn serve(&mut self, id: LinkId, mut want: Want) {
        let crowded = self.links.get(&id).is_some_and(|link| {
            let twice = link.serving.iter().any(|serving| serving.want == want.id);
            twice || link.serving.len() >= SERVINGS_MAX || link.serving.iter().map(Serving::len).sum::<usize>() >= SERVE_MAX
        });
        if crowded || self.does_not_read(id) {
            self.count(Counter::WantsRefused, 1);
            return;
        }
        let since = self.spelled_out(want.since.take());
        want.entries.extend(since);
        self.count(Counter::WantsIn, 1);
        let peer = self.links.get(&id).and_then(|link| link.node);
        let allowed = |node: &Self, author: NodeId, kind: DocKind| {
            kind == DocKind::Board || peer.is_some_and(|peer| node.entitled(peer, author))
        };
        let asked: BTreeSet<_> = want.docs.iter().copied().take(SERVE_DOCS_MAX).collect();
        self.graft_to(id, &want.entries, &asked);
        let docs = asked.iter().filter(|(author, kind)| allowed(self, *author, *kind)).flat_map(|(author, kind)| {
            let age = self.doc_age(*author, *kind);
            let both = [self.replica.doc(*author, *kind), self.replica.doc_contradiction(*author, *kind)];
            both.into_iter().flatten().map(move |held| WireDoc::of(held, age)).collect::<Vec<_>>()
        });
        let docs: Vec<WireDoc> = docs.collect();
        let forks: BTreeSet<LogId> = want.forks.iter().copied().take(SERVE_DOCS_MAX).collect();
        let forks = forks.iter().filter_map(|log| self.replica.fork(*log));
        let proofs = forks.filter_map(|proof| Some((self.wire_entry(id, &proof.one)?, self.wire_entry(id, &proof.other)?)));
        let proofs: Vec<_> = proofs.collect();
        let (ids, ready) = self.wanted_entries(id, &want);
        let sent = (docs.len() + ids.len() + ready.len()) as u64;
        let goal =
            self.links.get(&id).map_or(SERVE_FRAME, |link| SERVE_FRAME.min(link.profile.mtu as usize)).saturating_sub(FRAME_ROOM);
        for docs in in_frames(docs, goal, WireDoc::size) {
            self.control(id, Message::Docs { want: Some(want.id), docs });
        }
        for proofs in in_frames(proofs, goal, |(one, other)| one.size() + other.size()) {
            self.control(id, Message::Forks { proofs });
        }
        let Some(link) = self.links.get_mut(&id) else { return };
        link.healing.sent += sent;
        link.serving.push_back(Serving { want: want.id, ids, ready, fetching: false });
    }

    /// What of a want is held, by class, newest first; what is on its way to the store is at hand already.
    fn wanted_entries(&self, id: LinkId, want: &Want) -> (VecDeque<EntryId>, VecDeque<WireEntry>) {
        let mut ids = Vec::new();
        let mut ready = VecDeque::new();
        // Numbers looked up, held or not, and what still waits to be served: a peer that asks and does not listen costs no more.
        let waiting = self.links.get(&id).map_or(0, |link| link.serving.iter().map(Serving::len).sum());
        let mut left = SERVE_MAX.saturating_sub(waiting);
        for (log_id, ranges) in &want.entries {
            let log = self.replica.log(*log_id);
            for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
                if left == 0 {
                    break;
                }
                left -= 1;
                let entry = EntryId { log: *log_id, number };
                if let Some(pending) = self.pending.get(&entry) {
                    ready.push_back(self.wire_read(id, &pending.read, pending.age));
                } else if let Some(slot) = log.and_then(|log| log.slot(number)) {
                    ids.push((slot.class, Reverse(number), entry));
                }
            }
        }
        ids.sort_unstable();
        (ids.into_iter().map(|(_, _, id)| id).collect(), ready)
    }

    /// Answers wants as far as there is room.
    pub(in crate::node) fn pump_serving(&mut self, id: LinkId) {
        loop {
            let Some(link) = self.links.get_mut(&id) else { return };
            let (limit, mtu) = (link.room.min(link.profile.mtu), link.profile.mtu as usize);
            let Some(serving) = link.serving.front_mut() else { return };
            let want = serving.want;
            if serving.ready.front().is_some_and(|next| next.size() + FRAME_ROOM > mtu) {
                // No frame of this link takes it; the asker hears that this was all, and asks elsewhere.
                serving.ready.pop_front();
                self.count(Counter::WordsTooLong, 1);
                continue;
            }
            if !serving.ready.is_empty() {
                let Some(entries) = take_frame(&mut serving.ready, limit as usize) else { break };
                self.transmit(id, &Message::Entries { want: Some(want), entries });
                continue;
            }
            if serving.fetching || !serving.ids.is_empty() {
                break;
            }
            if limit < 32 {
                return;
            }
            link.serving.pop_front();
            self.transmit(id, &Message::Done { id: want });
        }
        self.fetch_ahead(id);
    }

    /// Reads the next entries of the front want from disk while the last ones are being sent.
    fn fetch_ahead(&mut self, id: LinkId) {
        let Some(serving) = self.links.get_mut(&id).and_then(|link| link.serving.front_mut()) else { return };
        if serving.fetching || serving.ids.is_empty() || serving.ready.len() >= READY_MAX / 2 {
            return;
        }
        let entries: Vec<EntryId> = serving.ids.drain(..serving.ids.len().min(FETCH_MAX)).collect();
        serving.fetching = true;
        let want = serving.want;
        let token = self.token();
        self.fetches.insert(token, Fetch::Serve { link: id, want });
        self.emit(Output::Fetch { token, entries });
    }

    /// Entries came back from disk.
    pub(in crate::node) fn fetched(&mut self, token: u64, rows: Vec<EntryRow>) {
        match self.fetches.remove(&token) {
            Some(Fetch::Serve { link, want }) => self.fetched_for_peer(link, want, &rows),
            Some(Fetch::Dispute(one)) => {
                if let Some(other) = rows.into_iter().next() {
                    self.prove(*one, other);
                }
            }
            Some(Fetch::Revive) => {
                // From the last down: what chains into a cut is known from above.
                for row in rows.into_iter().rev() {
                    if let Some(read) = self.read_row(&row) {
                        self.fold_in(&read, row.age, false);
                    }
                }
                self.moved();
            }
            Some(Fetch::Courier(packing)) => self.courier_fetched(*packing, &rows),
            Some(Fetch::Retell { link }) => self.retold(link, &rows),
            None => {}
        }
    }

    fn fetched_for_peer(&mut self, id: LinkId, want: u32, rows: &[EntryRow]) {
        let good: Vec<WireEntry> =
            rows.iter().filter(|row| self.still_good(row)).filter_map(|row| self.wire_entry(id, row)).collect();
        for entry in &good {
            self.replica.mark_checked(entry.id());
        }
        let find = |link: &mut Link| {
            link.serving.iter_mut().find(|serving| serving.want == want).map(|serving| {
                serving.fetching = false;
                serving.ready.extend(good);
            })
        };
        if let Some(link) = self.links.get_mut(&id) {
            find(link);
        }
    }

    /// What was loaded from disk in an earlier run is checked again before it is relayed.
    pub(in crate::node) fn still_good(&self, row: &EntryRow) -> bool {
        let slot = self.replica.log(row.id.log).and_then(|log| log.slot(row.id.number));
        if slot.is_some_and(|slot| slot.checked) {
            return true;
        }
        self.read_row(row).is_some_and(|read| self.prove_entry(&read).is_ok())
    }
}

/// Cuts into runs that each fit a frame; one that is larger alone goes alone.
fn in_frames<T>(items: Vec<T>, goal: usize, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut frames: Vec<Vec<T>> = Vec::new();
    let mut bytes = usize::MAX;
    for item in items {
        let more = size(&item);
        bytes = bytes.saturating_add(more);
        if bytes > goal {
            frames.push(Vec::new());
            bytes = more;
        }
        if let Some(frame) = frames.last_mut() {
            frame.push(item);
        }
    }
    frames
}

/// As many entries as fit into one frame; `None` where not even the first does.
fn take_frame(ready: &mut VecDeque<WireEntry>, limit: usize) -> Option<Vec<WireEntry>> {
    let goal = SERVE_FRAME.min(limit.saturating_sub(FRAME_ROOM));
    let mut bytes = 0;
    let mut entries = Vec::new();
    while let Some(next) = ready.front().filter(|next| bytes + next.size() <= goal) {
        bytes += next.size();
        entries.extend(ready.pop_front());
    }
    // One that is larger than the goal goes alone if the link takes it at all.
    if entries.is_empty() && ready.front().is_some_and(|next| next.size() + FRAME_ROOM <= limit) {
        entries.extend(ready.pop_front());
    }
    (!entries.is_empty()).then_some(entries)
}
