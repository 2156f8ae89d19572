//! An index: which facts belong to a key. One flat set, for most keys have one fact or none, and a set for each takes ten times the
//! room.

use std::collections::BTreeSet;

use crate::id::{EntryId, FactId, LogId, NodeId};

/// The first fact there can be.
const FIRST: NodeId = NodeId { issuer: 0, serial: 0 };
/// The last author there can be.
const LAST: NodeId = NodeId { issuer: u16::MAX, serial: u16::MAX };

/// Keys and facts.
#[derive(Clone, Debug)]
pub(super) struct Pairs<K>(BTreeSet<(K, FactId)>);

impl<K> Default for Pairs<K> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<K: Copy + Ord> Pairs<K> {
    pub(super) fn insert(&mut self, key: K, fact: FactId) {
        self.0.insert((key, fact));
    }

    pub(super) fn remove(&mut self, key: K, fact: FactId) {
        self.0.remove(&(key, fact));
    }

    /// Every key, once for each of its facts.
    pub(super) fn keys(&self) -> impl Iterator<Item = K> {
        self.0.iter().map(|(key, _)| *key)
    }

    /// The facts of a key, ascending.
    pub(super) fn of(&self, key: K) -> impl Iterator<Item = FactId> {
        let fact = |log, number, index| FactId { entry: EntryId { log, number }, index };
        let (first, last) = (fact(LogId::lowest(FIRST), 0, 0), fact(LogId::highest(LAST), u32::MAX, u8::MAX));
        self.0.range((key, first)..=(key, last)).map(|(_, fact)| *fact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_facts_in_order_and_loses_only_those() {
        let fact = |author: NodeId, number, index| FactId { entry: EntryId { log: LogId::highest(author), number }, index };
        let (low, high) = (fact(FIRST, 0, 0), fact(LAST, u32::MAX, u8::MAX));
        let mut pairs = Pairs::default();
        for (key, fact) in [(2, high), (1, high), (2, low), (1, low), (3, low)] {
            pairs.insert(key, fact);
        }
        assert_eq!(pairs.of(2).collect::<Vec<_>>(), [low, high]);
        pairs.remove(2, low);
        assert_eq!(pairs.of(2).collect::<Vec<_>>(), [high]);
        assert_eq!((pairs.of(1).count(), pairs.of(3).count(), pairs.of(0).count()), (2, 1, 0));
    }
}
