//! Boards and details: one signed document per author and kind, the newest counts; two stories under one version void it.
//!
//! | id | field | form |
//! | --- | --- | --- |
//! | 1-3 | author, generation, incarnation | as in an entry's header |
//! | 4 | version | integer, from 1 |
//! | 5 | wall | integer: milliseconds since 1970; 0 = the author knew no time |
//! | 6 | floor | integer: floor of the author's logbook; absent = none |
//! | 7 | head | integer: lower bound of that logbook's head; absent = 0 |
//! | 8 | readings | the domain's bytes |
//! | 9 | contact | list of addresses the node can be reached at |

use std::sync::Arc;

use bytes::Bytes;
use crdts::LWWReg;

use super::entry::{Hash16, hash16, parse_log};
use super::row::{AgeMark, DocRow};
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::config::{BOARD_BYTES_MAX, BOARD_BYTES_MAX_HUB, DETAIL_BYTES_MAX, DETAIL_BYTES_MAX_HUB, WINDOW_HUB};
use crate::id::{DocKind, Generation, Incarnation, LogId, NodeId};
use crate::identity::Signature;
use crate::time::UtcMillis;

/// Orders the versions of one author's document. No clock in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct DocOrder {
    /// Key's life.
    pub generation: Generation,
    /// Store's life.
    pub incarnation: Incarnation,
    /// From 1.
    pub version: u32,
}

impl DocOrder {
    /// Above all others.
    #[must_use]
    pub fn highest() -> Self {
        let generation = Generation { count: u8::MAX, giver: u8::MAX };
        Self { generation, incarnation: Incarnation { count: u16::MAX, random: u16::MAX }, version: u32::MAX }
    }
}

/// What the author signs of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Whose, and in which life.
    pub log: LogId,
    /// From 1, raised with every change.
    pub version: u32,
    /// The author's wall clock.
    pub wall: UtcMillis,
    /// Floor of the author's logbook of this incarnation.
    pub floor: u32,
    /// Lower bound of that logbook's head.
    pub head: u32,
    /// The domain's bytes.
    pub readings: Bytes,
    /// Addresses.
    pub contact: Vec<String>,
}

/// Bytes a document may have, its signature included: whom the certificate gives a hub's window it gives a hub's documents.
///
/// The window decides rather than the role because it is never lowered within a generation: what one node took, every node takes
/// once it holds the same certificates, in whatever order they came.
#[must_use]
pub fn document_bytes_max(kind: DocKind, window: u32) -> usize {
    match (kind, window >= WINDOW_HUB) {
        (DocKind::Board, false) => BOARD_BYTES_MAX,
        (DocKind::Board, true) => BOARD_BYTES_MAX_HUB,
        (DocKind::Detail, false) => DETAIL_BYTES_MAX,
        (DocKind::Detail, true) => DETAIL_BYTES_MAX_HUB,
    }
}

/// Addresses in a document beyond which the rest is not read.
pub(crate) const CONTACTS_MAX: usize = 4;

impl Document {
    /// The canonical bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut writer = Writer::new();
        let log = self.log.to_bytes();
        writer.bytes(1, &log[..4]).bytes(2, &log[4..6]).bytes(3, &log[6..]);
        writer.uint(4, u64::from(self.version)).uint(5, u64::try_from(self.wall.0).unwrap_or(0));
        writer.maybe_uint(6, (self.floor > 0).then_some(u64::from(self.floor)));
        writer.maybe_uint(7, (self.head > 0).then_some(u64::from(self.head)));
        writer.bytes(8, &self.readings).list(9, self.contact.iter().take(CONTACTS_MAX));
        writer.finish().into()
    }

    /// Reads and checks the layout.
    ///
    /// # Errors
    /// [`Malformed`]: nothing of it may be used.
    pub fn parse(bytes: &Bytes) -> Result<Self, Malformed> {
        if bytes.len() > DETAIL_BYTES_MAX_HUB.max(DETAIL_BYTES_MAX) {
            return Err(Malformed);
        }
        let fields = Fields::parse(bytes)?;
        let number = |id| fields.maybe_uint(id)?.map_or(Ok(0), |value| u32::try_from(value).map_err(|_| Malformed));
        let contact = fields.list(9)?.into_iter().take(CONTACTS_MAX);
        let version = number(4)?;
        if version == 0 {
            return Err(Malformed);
        }
        Ok(Self {
            log: parse_log(&fields)?,
            version,
            wall: UtcMillis(i64::try_from(fields.uint(5)?).map_err(|_| Malformed)?),
            floor: number(6)?,
            head: number(7)?,
            readings: bytes.slice_ref(fields.bytes(8)?),
            contact: contact.filter_map(|item| std::str::from_utf8(item).ok().map(str::to_owned)).collect(),
        })
    }

    /// Its place among the versions.
    #[must_use]
    pub fn order(&self) -> DocOrder {
        DocOrder { generation: self.log.generation, incarnation: self.log.incarnation, version: self.version }
    }
}

/// A document as its author signed it, and read: the same to all who hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedDoc {
    /// What it says.
    pub doc: Document,
    /// Which of its author's two.
    pub kind: DocKind,
    /// The very bytes, for relaying and storing.
    pub bytes: Bytes,
    /// Over these bytes.
    pub signature: Signature,
    /// Of these bytes.
    pub hash: Hash16,
}

impl SignedDoc {
    /// Reads what was signed. Nothing is proven by it.
    ///
    /// # Errors
    /// [`Malformed`]: nothing of it may be used.
    pub fn read(kind: DocKind, bytes: Bytes, signature: Signature) -> Result<Self, Malformed> {
        Ok(Self { doc: Document::parse(&bytes)?, kind, hash: hash16(&bytes), bytes, signature })
    }

    /// Whose.
    #[must_use]
    pub fn author(&self) -> NodeId {
        self.doc.log.author
    }
}

/// A verified document as held here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDoc {
    /// What was signed; nodes of one process share it.
    pub said: Arc<SignedDoc>,
    /// As it was when it came.
    pub age: AgeMark,
}

impl HeldDoc {
    /// As it is stored.
    #[must_use]
    pub fn row(&self) -> DocRow {
        let SignedDoc { kind, bytes, signature, .. } = self.said.as_ref();
        DocRow { author: self.author(), kind: *kind, bytes: bytes.clone(), signature: *signature, age: self.age }
    }
}

impl std::ops::Deref for HeldDoc {
    type Target = SignedDoc;

    fn deref(&self) -> &SignedDoc {
        &self.said
    }
}

/// One author's document of one kind: the newest version, and its contradiction where there is one.
#[derive(Clone, Debug)]
pub(super) struct Register {
    newest: LWWReg<HeldDoc, DocOrder>,
    /// Rare, so apart.
    other: Option<Box<HeldDoc>>,
}

/// What came of offering a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocOutcome {
    /// Newer than what was held: it counts now.
    Newer,
    /// Held already, or older.
    Known,
    /// A second story under the newest version: void until a newer one.
    TwoStories,
}

impl Register {
    pub(super) fn new(held: HeldDoc) -> Self {
        let marker = held.doc.order();
        Self { newest: LWWReg { val: held, marker }, other: None }
    }

    /// What offering `held` would do, without doing it.
    pub(super) fn weigh(&self, order: DocOrder, hash: Hash16) -> DocOutcome {
        if order > self.newest.marker {
            DocOutcome::Newer
        } else if order < self.newest.marker || hash == self.newest.val.hash || self.other.is_some() {
            DocOutcome::Known
        } else {
            DocOutcome::TwoStories
        }
    }

    pub(super) fn offer(&mut self, held: HeldDoc) -> DocOutcome {
        let order = held.doc.order();
        let outcome = self.weigh(order, held.hash);
        match outcome {
            DocOutcome::Newer => {
                self.newest.update(held, order);
                self.other = None;
            }
            DocOutcome::TwoStories => self.other = Some(Box::new(held)),
            DocOutcome::Known => {}
        }
        outcome
    }

    pub(super) fn order(&self) -> DocOrder {
        self.newest.marker
    }

    pub(super) fn newest(&self) -> &HeldDoc {
        &self.newest.val
    }

    pub(super) fn other(&self) -> Option<&HeldDoc> {
        self.other.as_deref()
    }

    /// Equal on all nodes that hold the newest version, whichever two stories they hold.
    pub(super) fn leaf_hash(&self) -> Hash16 {
        if self.other.is_some() { hash16(b"two stories") } else { self.newest.val.hash }
    }
}
