//! Something of each node, found without a walk through a tree wherever the node is certified: every word that comes meets half a
//! dozen such tables, and of a thousand nodes none lies near the one before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DocKind, NodeId};

/// Names of certified nodes, ascending. Nodes of one process share them.
#[derive(Clone, Debug, Default)]
pub struct Names(Arc<[NodeId]>);

impl Names {
    /// These, which ascend.
    #[must_use]
    pub fn new(ascending: impl IntoIterator<Item = NodeId>) -> Self {
        Self(ascending.into_iter().collect())
    }

    fn place(&self, node: NodeId) -> Option<usize> {
        self.0.binary_search(&node).ok()
    }
}

/// A map by node. Those that are named have a place each in a row; others, as before anybody is, stand in a tree.
#[derive(Clone, Debug)]
pub struct PerNode<T> {
    names: Names,
    /// Empty until the first of them has something.
    named: Vec<Option<T>>,
    others: BTreeMap<NodeId, T>,
}

impl<T> Default for PerNode<T> {
    fn default() -> Self {
        Self { names: Names::default(), named: Vec::new(), others: BTreeMap::new() }
    }
}

impl<T> PerNode<T> {
    /// Other nodes are certified now: what is held moves to its place.
    pub fn rename(&mut self, names: &Names) {
        if Arc::ptr_eq(&self.names.0, &names.0) {
            return;
        }
        let before = std::mem::replace(self, Self { names: names.clone(), ..Self::default() });
        let named = before.names.0.iter().copied().zip(before.named).filter_map(|(node, value)| Some((node, value?)));
        for (node, value) in named.chain(before.others) {
            self.insert(node, value);
        }
    }

    /// What is held of a node.
    #[must_use]
    pub fn get(&self, node: NodeId) -> Option<&T> {
        match self.names.place(node) {
            Some(place) => self.named.get(place)?.as_ref(),
            None => self.others.get(&node),
        }
    }

    /// The same, for change.
    pub fn get_mut(&mut self, node: NodeId) -> Option<&mut T> {
        match self.names.place(node) {
            Some(place) => self.named.get_mut(place)?.as_mut(),
            None => self.others.get_mut(&node),
        }
    }

    /// What is held of a node, from now on at least the default.
    pub fn or_default(&mut self, node: NodeId) -> &mut T
    where
        T: Default,
    {
        match self.names.place(node) {
            Some(place) => self.room()[place].get_or_insert_default(),
            None => self.others.entry(node).or_default(),
        }
    }

    /// Holds this of a node; what was held before.
    pub fn insert(&mut self, node: NodeId, value: T) -> Option<T> {
        match self.names.place(node) {
            Some(place) => self.room()[place].replace(value),
            None => self.others.insert(node, value),
        }
    }

    /// A place for each that is named.
    fn room(&mut self) -> &mut [Option<T>] {
        if self.named.is_empty() {
            self.named.resize_with(self.names.0.len(), || None);
        }
        &mut self.named
    }

    /// Where a named node stands in the row of all.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.names.place(node)
    }

    /// All of it, ascending by node.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &T)> {
        let named = self.names.0.iter().zip(&self.named).filter_map(|(node, value)| Some((*node, value.as_ref()?)));
        let (mut named, mut others) = (named.peekable(), self.others.iter().map(|(node, value)| (*node, value)).peekable());
        std::iter::from_fn(move || match (named.peek(), others.peek()) {
            (Some((one, _)), Some((other, _))) if other < one => others.next(),
            (Some(_), _) => named.next(),
            (None, _) => others.next(),
        })
    }

    /// All of it, for change.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.named.iter_mut().flatten().chain(self.others.values_mut())
    }
}

/// A map by node and which of its two documents.
#[derive(Clone, Debug)]
pub struct PerDocument<T>(PerNode<[Option<T>; 2]>);

impl<T> Default for PerDocument<T> {
    fn default() -> Self {
        Self(PerNode::default())
    }
}

impl<T> PerDocument<T> {
    /// As [`PerNode::rename`].
    pub fn rename(&mut self, names: &Names) {
        self.0.rename(names);
    }

    /// What is held of a document.
    #[must_use]
    pub fn get(&self, node: NodeId, kind: DocKind) -> Option<&T> {
        self.0.get(node)?[kind as usize].as_ref()
    }

    /// The same, for change.
    pub fn get_mut(&mut self, node: NodeId, kind: DocKind) -> Option<&mut T> {
        self.0.get_mut(node)?[kind as usize].as_mut()
    }

    /// Holds this of a document; what was held before.
    pub fn insert(&mut self, node: NodeId, kind: DocKind, value: T) -> Option<T> {
        self.0.or_default(node)[kind as usize].replace(value)
    }

    /// Holds nothing of a document any more.
    pub fn remove(&mut self, node: NodeId, kind: DocKind) -> Option<T> {
        self.0.get_mut(node)?[kind as usize].take()
    }

    /// All of it, ascending by node, boards first.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, DocKind, &T)> {
        let kinds = [DocKind::Board, DocKind::Detail];
        self.0.iter().flat_map(move |(node, both)| {
            kinds.into_iter().zip(both).filter_map(move |(kind, held)| Some((node, kind, held.as_ref()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_tree_would_whoever_is_named(steps in proptest::collection::vec((0..5_u8, 0..12_u16, any::<u8>()), 0..80)) {
            let node = |serial| NodeId { issuer: serial % 2, serial };
            let (mut held, mut plain) = (PerNode::default(), BTreeMap::new());
            for (step, serial, value) in steps {
                match step {
                    0 | 1 => prop_assert_eq!(held.insert(node(serial), value), plain.insert(node(serial), value)),
                    2 => prop_assert_eq!(held.or_default(node(serial)), plain.entry(node(serial)).or_default()),
                    3 => {
                        let mut named: Vec<NodeId> = (0..serial).filter(|n| value >> (n % 8) & 1 == 1).map(node).collect();
                        named.sort_unstable();
                        held.rename(&Names::new(named));
                    }
                    _ => held.values_mut().chain(plain.values_mut()).for_each(|held| *held ^= value),
                }
                prop_assert_eq!(held.get(node(serial)), plain.get(&node(serial)));
                prop_assert_eq!(held.get_mut(node(serial)), plain.get_mut(&node(serial)));
                prop_assert!(held.iter().eq(plain.iter().map(|(node, value)| (*node, value))));
            }
        }
    }
}
