//! The digest: what a replica holds, told shortly. Equal states cost one hash; unequal ones are told by bucket, then by author.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::entry::Hash16;
use super::{DocOrder, Replica};
use crate::config::{AHEAD_RANGES_MAX, BUCKETS_FEW, BUCKETS_FEW_MAX, BUCKETS_MANY};
use crate::id::{DocKind, Generation, Incarnation, NodeId};

/// Hashes inside the digest are 16 bytes; what is sent is cut to 8.
pub type Hash8 = [u8; 8];

/// What one author's state is, told to a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorLeaf {
    /// Whose.
    pub author: NodeId,
    /// Its logbooks, ascending.
    pub logs: Vec<LogLeaf>,
    /// Its board.
    pub board: Option<DocLeaf>,
}

/// What is held of one logbook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLeaf {
    /// Key's life.
    pub generation: Generation,
    /// Store's life.
    pub incarnation: Incarnation,
    /// First number not below the floor.
    pub floor: u32,
    /// Last number of the unbroken prefix.
    pub head: u32,
    /// Hash of the entry there.
    pub head_hash: Hash8,
    /// Held but not covered by the head: (first, count), lowest first.
    pub ahead: Vec<(u32, u32)>,
    /// Hash over all that is held ahead and all that stays below the floor; zeros where there is nothing.
    pub ahead_hash: Hash8,
    /// Lowest forked number.
    pub frozen: Option<u32>,
}

/// What is held of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocLeaf {
    /// Version held.
    pub order: DocOrder,
    /// Its hash.
    pub hash: Hash8,
    /// Two stories are held under it.
    pub two: bool,
}

/// Cuts an inner hash to what is sent.
#[must_use]
pub fn cut(hash: Hash16) -> Hash8 {
    let mut out = [0; 8];
    out.copy_from_slice(&hash[..8]);
    out
}

impl Replica {
    /// Hash over one author's logbooks and board. Only what is equal on equal sets goes in.
    pub(super) fn author_hash(&self, author: NodeId) -> Hash16 {
        let mut hasher = blake3::Hasher::new();
        for (id, log) in self.logs_of(author).filter(|(_, log)| log.says()) {
            hasher.update(&id.to_bytes());
            hasher.update(&log.floor_number().to_be_bytes());
            hasher.update(&log.head().to_be_bytes());
            hasher.update(&log.head_hash());
            hasher.update(&log.ahead_hash());
            hasher.update(&log.frozen().unwrap_or(0).to_be_bytes());
        }
        if let Some(register) = self.docs.get(author, DocKind::Board) {
            let order = register.order();
            hasher.update(&[order.generation.count, order.generation.giver]);
            hasher.update(&order.incarnation.count.to_be_bytes());
            hasher.update(&order.incarnation.random.to_be_bytes());
            hasher.update(&order.version.to_be_bytes());
            hasher.update(&register.leaf_hash());
        }
        truncate(&hasher)
    }

    /// The root: equal exactly where all logbooks, boards and the roster are equal.
    pub fn root(&mut self, roster: Hash16) -> Hash16 {
        if let Some((_, root)) = self.root.filter(|(with, _)| *with == roster) {
            return root;
        }
        self.refresh();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&roster);
        hasher.update(self.leaves.as_flattened());
        let root = truncate(&hasher);
        self.root = Some((roster, root));
        root
    }

    /// One hash per bucket of authors.
    pub fn buckets(&mut self, count: usize) -> Vec<Hash8> {
        self.refresh();
        let mut hashers = vec![blake3::Hasher::new(); count];
        for line in &self.leaves {
            if let Some(hasher) = hashers.get_mut(bucket_of(author_of(line), count)) {
                hasher.update(line);
            }
        }
        hashers.iter().map(|hasher| cut(truncate(hasher))).collect()
    }

    /// How many buckets to use for what is held.
    #[must_use]
    pub fn bucket_count(&self) -> usize {
        if self.authors().count() > BUCKETS_FEW_MAX { BUCKETS_MANY } else { BUCKETS_FEW }
    }

    /// The leaves of all authors in the named buckets.
    #[must_use]
    pub fn leaves_in(&self, buckets: &[u16], count: usize) -> Vec<AuthorLeaf> {
        let buckets: BTreeSet<u16> = buckets.iter().copied().collect();
        let wanted = |author: &NodeId| u16::try_from(bucket_of(*author, count)).is_ok_and(|bucket| buckets.contains(&bucket));
        self.authors().filter(wanted).map(|author| self.leaf(author)).collect()
    }

    /// One author's leaf.
    #[must_use]
    pub fn leaf(&self, author: NodeId) -> AuthorLeaf {
        let logs = self.logs_of(author).filter(|(_, log)| log.says()).map(|(id, log)| LogLeaf {
            generation: id.generation,
            incarnation: id.incarnation,
            floor: log.floor_number(),
            head: log.head(),
            head_hash: cut(log.head_hash()),
            ahead: log.ahead(AHEAD_RANGES_MAX),
            ahead_hash: cut(log.ahead_hash()),
            frozen: log.frozen(),
        });
        AuthorLeaf { author, logs: logs.collect(), board: self.doc_leaf(author, DocKind::Board) }
    }

    /// What is held of one document.
    #[must_use]
    pub fn doc_leaf(&self, author: NodeId, kind: DocKind) -> Option<DocLeaf> {
        let register = self.docs.get(author, kind)?;
        Some(DocLeaf { order: register.order(), hash: cut(register.leaf_hash()), two: register.other().is_some() })
    }

    /// Where an author's line is, or would be. Where all that are certified have said something it is their place.
    pub(super) fn place_of(&self, author: NodeId) -> Result<usize, usize> {
        let named = self.stamps.place(author);
        let there = named.filter(|place| self.leaves.get(*place).is_some_and(|line| author_of(line) == author));
        there.map_or_else(|| self.leaves.binary_search_by_key(&author, author_of), Ok)
    }

    fn refresh(&mut self) {
        for author in std::mem::take(&mut self.dirty) {
            // Whose key was taken away may be as if nothing had ever come of it.
            if self.docs.get(author, DocKind::Board).is_none() && !self.logs_of(author).any(|(_, log)| log.says()) {
                if let Ok(place) = self.place_of(author) {
                    self.leaves.remove(place);
                }
                continue;
            }
            let leaf = self.author_hash(author);
            let mut line = [0; 20];
            line[..4].copy_from_slice(&author.to_bytes());
            line[4..].copy_from_slice(&leaf);
            match self.place_of(author) {
                Ok(place) => self.leaves[place] = line,
                Err(place) => self.leaves.insert(place, line),
            }
        }
    }
}

/// What the root is made of for one author: name and leaf hash.
pub(super) type Line = [u8; 20];

pub(super) fn author_of(line: &Line) -> NodeId {
    NodeId::from_bytes([line[0], line[1], line[2], line[3]])
}

/// Which bucket an author falls in: the low bits of a hash, so that 64 and 256 buckets nest.
#[must_use]
pub fn bucket_of(author: NodeId, count: usize) -> usize {
    usize::from(blake3::hash(&author.to_bytes()).as_bytes()[0]) % count.max(1)
}

/// A root as said in one session: keyed, so that equal answers can't be replayed from another.
#[must_use]
pub fn keyed(root: Hash16, nonce: u64) -> Hash16 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&nonce.to_be_bytes());
    hasher.update(&root);
    truncate(&hasher)
}

fn truncate(hasher: &blake3::Hasher) -> Hash16 {
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    out
}
