//! Words as read: all that follows from their bytes alone. The nodes of one process share what one of them has read, where there is
//! a [`Shelf`]: a simulator runs thousands that all hear the same.

use std::sync::{Arc, OnceLock};

use super::Node;
use super::start::floors_of;
use crate::domain::{Decoded, EntryMeta, read_body};
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::identity::{Act, NoAct, PublicKey, Rejected, Signature, Signed, Tag};
use crate::io::{AgeMark, DocRow, EntryRow};
use crate::message::WireEntry;
use crate::replica::{Floor, Hash16, Header, HeldDoc, SignedDoc, hash16};
use crate::time::UtcMillis;
use bytes::Bytes;

/// Where words that were read may be found again. Nothing depends on it but time and memory: what is found is equal in every byte
/// to what would be read.
pub trait Shelf: std::fmt::Debug + Send + Sync {
    /// An entry of this name that is the same, or what `read` makes of it.
    fn entry(
        &self,
        id: EntryId,
        same: &dyn Fn(&ReadEntry) -> bool,
        read: &dyn Fn() -> Option<ReadEntry>,
    ) -> Option<Arc<ReadEntry>>;

    /// A document of this author that is the same, or what `read` makes of it.
    fn document(
        &self,
        author: NodeId,
        kind: DocKind,
        same: &dyn Fn(&ReadDoc) -> bool,
        read: &dyn Fn() -> Option<ReadDoc>,
    ) -> Option<Arc<ReadDoc>>;
}

/// A key with which the signature of a word was found good, once it was.
#[derive(Debug, Default)]
struct Proven(OnceLock<PublicKey>);

/// An entry as read. Nothing is proven by it.
#[derive(Debug)]
pub struct ReadEntry {
    pub(super) header: Header,
    pub(super) hash: Hash16,
    bytes: Bytes,
    signature: Signature,
    pub(super) body: Option<Bytes>,
    meaning: OnceLock<Meaning>,
    proven: Proven,
}

/// What a body means, worked out when it is first asked for.
#[derive(Debug)]
struct Meaning {
    floors: Vec<Floor>,
    facts: Arc<[Decoded]>,
    /// Few have one: it takes no room in the others.
    act: Result<Option<Box<Act>>, NoAct>,
}

impl ReadEntry {
    /// `None` where the header can't be read.
    pub(super) fn of(row: &EntryRow) -> Option<Self> {
        let header = Header::parse(&row.header).ok()?;
        let hash = hash16(&row.header);
        let (bytes, signature, body) = (row.header.clone(), row.signature, row.body.clone());
        Some(Self { header, hash, bytes, signature, body, meaning: OnceLock::new(), proven: Proven::default() })
    }

    pub(super) fn id(&self) -> EntryId {
        self.header.id
    }

    /// As it is stored.
    pub(super) fn row(&self, age: AgeMark) -> EntryRow {
        let (header, body) = (self.bytes.clone(), self.body.clone());
        EntryRow { id: self.header.id, header, signature: self.signature, body, age }
    }

    /// As it is sent.
    pub(super) fn wire(&self, with_body: bool, age_ms: Option<u64>) -> WireEntry {
        WireEntry::of(&self.header, self.signature, self.body.as_ref().filter(|_| with_body), age_ms)
    }

    /// Bytes it takes in a frame, about.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.body.as_ref().map_or(0, Bytes::len) + 80
    }

    /// What its body says of floors.
    pub(super) fn floors(&self) -> &[Floor] {
        if self.header.closed { &[] } else { self.meaning().map_or(&[], |meaning| &meaning.floors) }
    }

    /// What its body says; `None` for a stub.
    pub(super) fn facts(&self) -> Option<Arc<[Decoded]>> {
        self.meaning().map(|meaning| Arc::clone(&meaning.facts))
    }

    /// Who says it, where that is not the author itself.
    pub(super) fn act(&self) -> Result<Option<Act>, NoAct> {
        self.meaning().map_or(Ok(None), |meaning| meaning.act.clone().map(|act| act.map(|act| *act)))
    }

    /// What the fold reads of its header.
    pub(super) fn meta(&self) -> EntryMeta {
        let Header { id, class, closed, wall, .. } = self.header;
        EntryMeta { id, class, closed, wall }
    }

    fn meaning(&self) -> Option<&Meaning> {
        let body = self.body.as_deref()?;
        let read = || Meaning {
            floors: floors_of(body),
            facts: read_body(&self.meta(), body),
            act: Act::of_body(body).map(|act| act.map(Box::new)),
        };
        Some(self.meaning.get_or_init(read))
    }

    fn is(&self, row: &EntryRow) -> bool {
        self.signature == row.signature && self.bytes == row.header && self.body == row.body
    }
}

/// A board or detail as read. Nothing is proven by it.
#[derive(Debug)]
pub struct ReadDoc {
    said: Arc<SignedDoc>,
    proven: Proven,
}

impl ReadDoc {
    fn of(row: &DocRow) -> Option<Self> {
        let said = SignedDoc::read(row.kind, row.bytes.clone(), row.signature).ok()?;
        Some(Self { said: Arc::new(said), proven: Proven::default() })
    }

    /// As it is held.
    pub(super) fn held(&self, age: AgeMark) -> HeldDoc {
        HeldDoc { said: Arc::clone(&self.said), age }
    }
}

impl Node {
    /// Reads an entry that came in this form; `None` where it can't be read.
    pub(super) fn read_wire(&self, wire: &WireEntry) -> Option<Arc<ReadEntry>> {
        let read = || ReadEntry::of(&wire.clone().unpack(UtcMillis::UNKNOWN));
        let same = |held: &ReadEntry| wire.says(&held.header, &held.signature, held.body.as_ref());
        match self.known.shelf() {
            Some(shelf) => shelf.entry(wire.id(), &same, &read),
            None => read().map(Arc::new),
        }
    }

    /// Reads an entry as it is stored; `None` where it can't be read.
    pub(super) fn read_row(&self, row: &EntryRow) -> Option<Arc<ReadEntry>> {
        let read = || ReadEntry::of(row);
        match self.known.shelf() {
            Some(shelf) => shelf.entry(row.id, &|held| held.is(row), &read),
            None => read().map(Arc::new),
        }
    }

    /// Reads a document; `None` where it can't be read.
    pub(super) fn read_doc(&self, row: &DocRow) -> Option<Arc<ReadDoc>> {
        let read = || ReadDoc::of(row);
        let same = |held: &ReadDoc| held.said.signature == row.signature && held.said.bytes == row.bytes;
        match self.known.shelf() {
            Some(shelf) => shelf.document(row.author, row.kind, &same, &read),
            None => read().map(Arc::new),
        }
    }

    /// The gate for an entry: is it its author's?
    pub(super) fn prove_entry(&self, read: &ReadEntry) -> Result<(), Rejected> {
        self.prove_word(Tag::Entry, read.header.id.log, (&read.bytes, read.signature), &read.proven)
    }

    /// The gate for a document.
    pub(super) fn prove_doc(&self, read: &ReadDoc) -> Result<(), Rejected> {
        let said = &read.said;
        let tag = match said.kind {
            DocKind::Board => Tag::Board,
            DocKind::Detail => Tag::Detail,
        };
        self.prove_word(tag, said.doc.log, (&said.bytes, said.signature), &read.proven)
    }

    /// The same bytes under the same key need one check.
    fn prove_word(&self, tag: Tag, log: LogId, word: (&Bytes, Signature), proven: &Proven) -> Result<(), Rejected> {
        let roster = self.known.roster();
        let key = roster.usable_key(log.author, log.generation)?;
        if proven.0.get() == Some(&key) {
            return Ok(());
        }
        let (bytes, signature) = (word.0.clone(), word.1);
        Signed { tag, author: log.author, generation: log.generation, bytes, signature }.verify(roster)?;
        // Where it is proven with another key already, this one is checked again the next time.
        let _ = proven.0.set(key);
        Ok(())
    }
}
