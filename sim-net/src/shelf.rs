//! Words that some node of a run has read, for all the others: a word is the same to everybody, so it lies in memory once and its
//! signature is checked once. Bytes that a fault has touched are other bytes, and are read and checked for themselves.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use holdfast_proto::id::{DocKind, EntryId, NodeId};
use holdfast_proto::node::{ReadDoc, ReadEntry, Shelf};

/// Versions of one document kept for those who hear of them late; whoever hears of an older one reads it anew.
const VERSIONS: usize = 4;

/// Of one document, oldest first.
type Versions = VecDeque<Arc<ReadDoc>>;

/// All words of one run.
#[derive(Debug, Default)]
pub(crate) struct Words {
    entries: Mutex<BTreeMap<EntryId, Vec<Arc<ReadEntry>>>>,
    documents: Mutex<BTreeMap<(NodeId, DocKind), Versions>>,
}

impl Shelf for Words {
    fn entry(
        &self,
        id: EntryId,
        same: &dyn Fn(&ReadEntry) -> bool,
        read: &dyn Fn() -> Option<ReadEntry>,
    ) -> Option<Arc<ReadEntry>> {
        let Ok(mut entries) = self.entries.lock() else { return read().map(Arc::new) };
        if let Some(held) = entries.get(&id).and_then(|stories| stories.iter().find(|story| same(story))) {
            return Some(Arc::clone(held));
        }
        let story = Arc::new(read()?);
        entries.entry(id).or_default().push(Arc::clone(&story));
        Some(story)
    }

    fn document(
        &self,
        author: NodeId,
        kind: DocKind,
        same: &dyn Fn(&ReadDoc) -> bool,
        read: &dyn Fn() -> Option<ReadDoc>,
    ) -> Option<Arc<ReadDoc>> {
        let Ok(mut documents) = self.documents.lock() else { return read().map(Arc::new) };
        let versions = documents.entry((author, kind)).or_default();
        if let Some(held) = versions.iter().rev().find(|version| same(version)) {
            return Some(Arc::clone(held));
        }
        let version = Arc::new(read()?);
        if versions.len() >= VERSIONS {
            versions.pop_front();
        }
        versions.push_back(Arc::clone(&version));
        Some(version)
    }
}
