//! States this node and a peer agreed on, and the short way to get equal again from there: each tells what changed since.
//!
//! A state is named by its root, so nothing is believed of the peer: whoever was in that state differs now by what changed here
//! or there since. Where that did not do, or either side has forgotten the state, buckets and leaves follow.

use std::collections::{BTreeMap, VecDeque};

use super::Lacking;
use crate::id::{LogId, NodeId};
use crate::link::LinkId;
use crate::message::Message;
use crate::node::Node;
use crate::replica::digest::{Hash8, cut};
use crate::replica::{ByAuthor, Changes, Hash16};

/// States remembered for each peer: the last word of agreement may be lost on the way, then the two remember different ones.
const STATES_MAX: usize = 4;
/// Peers for which states are remembered, 250 B each; whom this node agreed with longest ago is forgotten first.
const PEERS_MAX: usize = 256;
/// Changes that take more bytes are told by buckets and leaves, which come in several frames.
const CHANGED_BYTES_MAX: usize = 24_000;

/// A state this node was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) root: Hash16,
    /// The replica's count of changes then.
    changes: u64,
}

/// States this node was in when a peer was in the same, oldest first. Only as long as the program runs.
#[derive(Clone, Debug, Default)]
pub(in crate::node) struct Agreed {
    peers: BTreeMap<NodeId, VecDeque<State>>,
}

impl Agreed {
    fn note(&mut self, peer: NodeId, state: State) {
        let states = self.peers.entry(peer).or_default();
        states.retain(|known| known.root != state.root);
        states.push_back(state);
        if states.len() > STATES_MAX {
            states.pop_front();
        }
        if self.peers.len() > PEERS_MAX {
            let newest = |states: &VecDeque<State>| states.back().map(|state| state.changes);
            let oldest = self.peers.iter().min_by_key(|(_, states)| newest(states)).map(|(peer, _)| *peer);
            if let Some(peer) = oldest {
                self.peers.remove(&peer);
            }
        }
    }

    fn last(&self, peer: NodeId) -> Option<State> {
        self.peers.get(&peer)?.back().copied()
    }

    /// The state a root names, whoever it was shared with.
    fn named(&self, root: Hash8) -> Option<State> {
        self.peers.values().flatten().find(|state| cut(state.root) == root).copied()
    }
}

/// Heads a peer told against a state: a want up to such a head need not name its logbook.
#[derive(Clone, Debug, Default)]
pub(super) struct Heads {
    base: Hash8,
    heads: BTreeMap<LogId, u32>,
}

type Ranges = Vec<(LogId, Vec<(u32, u32)>)>;

impl Heads {
    /// Takes out of `entries` what can be said as "all from this number on".
    pub(super) fn shorten(&self, entries: Ranges) -> (Option<(Hash8, ByAuthor)>, Ranges) {
        let mut first = BTreeMap::new();
        let mut rest = Vec::new();
        for (log, ranges) in entries {
            if let [(from, to)] = ranges.as_slice()
                && self.heads.get(&log) == Some(to)
            {
                first.insert(log.author, *from);
            } else {
                rest.push((log, ranges));
            }
        }
        ((!first.is_empty()).then(|| (self.base, first.into())), rest)
    }
}

impl Node {
    pub(super) fn state(&mut self) -> State {
        State { root: self.root(), changes: self.replica.changes() }
    }

    /// A peer was found in the same state.
    pub(super) fn agree(&mut self, peer: NodeId, state: State) {
        self.agreed.note(peer, state);
    }

    /// The digests are unequal: tells what changed since both agreed, or, where that is not known or was told already, all hashes.
    pub(super) fn tell_difference(&mut self, id: LinkId) {
        let untold = self.links.get(&id).filter(|link| link.healing.told.is_none());
        let state = untold.and_then(|link| self.agreed.last(link.node?));
        if !state.is_some_and(|state| self.tell_changed(id, state, true)) {
            self.tell_buckets(id);
        }
    }

    /// False where there is too much to tell.
    fn tell_changed(&mut self, id: LinkId, state: State, answer: bool) -> bool {
        let (base, roster) = (cut(state.root), cut(self.known.hash()));
        let message = Message::Changed { base, roster, answer, changes: self.replica.changed_since(state.changes) };
        if crate::codec::encode(&message).len() > CHANGED_BYTES_MAX {
            return false;
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.healing.told = Some(base);
        }
        self.control(id, message);
        true
    }

    /// A neighbour tells what changed there since a state: ask for what we lack of it, and tell it our side if it asks.
    pub(in crate::node) fn changed(&mut self, id: LinkId, base: Hash8, roster: Hash8, answer: bool, changes: Changes) {
        if self.does_not_read(id) {
            return;
        }
        self.found_unequal(id);
        if roster != cut(self.known.hash()) {
            self.tell_roster(id, true);
        }
        let Some(state) = self.agreed.named(base) else { return self.tell_difference(id) };
        let told = self.links.get(&id).and_then(|link| link.healing.told);
        if answer && told != Some(base) && !self.tell_changed(id, state, false) {
            self.tell_buckets(id);
        }
        let mut numbers: BTreeMap<NodeId, (Option<u32>, Option<u32>)> = BTreeMap::new();
        for (author, head) in changes.heads.iter() {
            numbers.entry(author).or_default().0 = Some(head);
        }
        for (author, version) in changes.boards.iter() {
            numbers.entry(author).or_default().1 = Some(version);
        }
        let mut leaves = changes.leaves;
        let meant = |(author, (head, board))| self.replica.meant(author, state.changes, head, board);
        leaves.extend(numbers.into_iter().filter_map(meant));
        let Lacking { entries, docs, forks } = self.lacking(id, &leaves);
        let named = |(author, head)| Some((self.replica.last_log(author, state.changes)?.0, head));
        let heads = changes.heads.iter().filter_map(named).collect();
        self.want_below(id, entries, docs, forks, &Heads { base, heads });
    }

    /// What a want means by "all from this number on", as ranges.
    pub(super) fn spelled_out(&self, since: Option<(Hash8, ByAuthor)>) -> Ranges {
        let Some((base, first)) = since else { return Vec::new() };
        let Some(state) = self.agreed.named(base) else { return Vec::new() };
        let range = |(author, from): (NodeId, u32)| {
            let (log, held) = self.replica.last_log(author, state.changes)?;
            (from <= held.head()).then(|| (log, vec![(from, held.head())]))
        };
        first.iter().filter_map(range).collect()
    }
}
