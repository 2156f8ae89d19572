//! What changed since a state this replica was in: a number for each author where that says it all, else the author's leaf.
//!
//! Nothing is kept of what a state was, only when each author last changed. Two sides that were once in the same state differ at
//! most in what one or the other changed since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::{AuthorLeaf, DocLeaf, LogLeaf};
use super::{DocOrder, Log, Replica};
use crate::id::{DocKind, LogId, NodeId};

/// One number for each of some authors, ascending. On the wire an author is told by its distance from the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByAuthor(Vec<(u32, u32)>);

impl From<BTreeMap<NodeId, u32>> for ByAuthor {
    fn from(numbers: BTreeMap<NodeId, u32>) -> Self {
        let mut before = 0;
        let step = |(author, number): (NodeId, u32)| {
            let place = u32::from_be_bytes(author.to_bytes());
            let step = place - std::mem::replace(&mut before, place);
            (step, number)
        };
        Self(numbers.into_iter().map(step).collect())
    }
}

impl ByAuthor {
    /// Authors and their numbers, ascending, each once. Where the sender broke that, the list ends.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        let mut before: Option<u32> = None;
        self.0.iter().map_while(move |(step, number)| {
            let place = before.map_or(Some(*step), |before| before.checked_add(*step).filter(|place| *place > before))?;
            before = Some(place);
            Some((NodeId::from_bytes(place.to_be_bytes()), *number))
        })
    }
}

/// What changed since a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Authors whose last logbook grew: its head now.
    pub heads: ByAuthor,
    /// Authors whose board was replaced in the same life of their store: its version now.
    pub boards: ByAuthor,
    /// Authors of whom more changed than that.
    pub leaves: Vec<AuthorLeaf>,
}

/// What of an author's state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Its last logbook grew.
    Head,
    /// Its board has a new version of the same life.
    Board,
    /// Anything else: a logbook opened, dropped or frozen, an older one grew, a floor moved, two boards contradict.
    Rest,
}

/// When each part of an author's state last changed, by the replica's count of changes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamps {
    head: u64,
    board: u64,
    rest: u64,
}

impl Replica {
    /// How many changes there were so far. Names a state of this replica for as long as it runs.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn touch(&mut self, author: NodeId, part: Part) {
        self.changes += 1;
        let stamps = self.stamps.or_default(author);
        match part {
            Part::Head => stamps.head = self.changes,
            Part::Board => stamps.board = self.changes,
            Part::Rest => stamps.rest = self.changes,
        }
        self.dirty.insert(author);
        self.root = None;
    }

    /// What changed after the first `since` changes.
    #[must_use]
    pub fn changed_since(&self, since: u64) -> Changes {
        let (mut heads, mut boards, mut leaves) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (author, stamps) in self.stamps.iter() {
            let log = self.logs_of(author).next_back().map(|(_, log)| log).filter(|_| stamps.head > since);
            if stamps.rest > since || log.is_some_and(|log| !log.ahead(1).is_empty()) {
                leaves.push(self.leaf(author));
                continue;
            }
            heads.extend(log.map(|log| (author, log.head())));
            let board = self.doc_leaf(author, DocKind::Board).filter(|_| stamps.board > since);
            boards.extend(board.map(|board| (author, board.order.version)));
        }
        Changes { heads: heads.into(), boards: boards.into(), leaves }
    }

    /// The author's last logbook, which was its last one too after the first `since` changes. `None` where that can't be told.
    #[must_use]
    pub fn last_log(&self, author: NodeId, since: u64) -> Option<(LogId, &Log)> {
        self.stamps.get(author).filter(|stamps| stamps.rest <= since)?;
        self.logs_of(author).next_back()
    }

    /// The leaf that a peer means by `head` and the version of a `board`: all it does not tell is as it is here. `None` where
    /// more changed here since, so that it can't be told what is meant; the buckets find what that leaves unsaid.
    #[must_use]
    pub fn meant(&self, author: NodeId, since: u64, head: Option<u32>, board: Option<u32>) -> Option<AuthorLeaf> {
        self.stamps.get(author).filter(|stamps| stamps.rest <= since)?;
        let mut mine = self.leaf(author);
        let log = head.and_then(|head| Some(LogLeaf { head, ahead: Vec::new(), ..mine.logs.pop()? }));
        let versioned = |held: DocLeaf, version| DocLeaf { order: DocOrder { version, ..held.order }, ..held };
        let board = board.and_then(|version| mine.board.map(|held| versioned(held, version)));
        Some(AuthorLeaf { author, logs: log.into_iter().collect(), board })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};

    fn node(issuer: u16, serial: u16) -> NodeId {
        NodeId { issuer, serial }
    }

    #[test]
    fn authors_are_told_by_their_distances_and_read_back() {
        let numbers =
            BTreeMap::from([(node(0, 0), 1), (node(1, 5), 210), (node(1, 25), 0), (node(u16::MAX, u16::MAX), u32::MAX)]);
        let told = ByAuthor::from(numbers.clone());
        assert_eq!(told.iter().collect::<BTreeMap<_, _>>(), numbers);
        let usual: BTreeMap<_, _> = (1..=50).map(|n| (node(1, n * 20), 210)).collect();
        let bytes = encode(&ByAuthor::from(usual.clone()));
        assert_eq!(bytes.len(), 1 + 4 + 50 * 2, "two bytes an author, and four more for the first one's issuer");
        assert_eq!(decode::<ByAuthor>(&bytes, 200).unwrap().iter().collect::<BTreeMap<_, _>>(), usual);
    }

    #[test]
    fn a_list_that_does_not_ascend_ends_there() {
        for step in [0, u32::MAX] {
            let told = ByAuthor(vec![(7, 1), (1, 2), (step, 3), (1, 4)]);
            assert_eq!(told.iter().collect::<Vec<_>>(), [(node(0, 7), 1), (node(0, 8), 2)]);
        }
    }
}
