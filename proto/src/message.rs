//! Everything peers say to each other. The newcomer's first file.
//!
//! A link that comes up says [`Message::Hello`] both ways: the certificate chain. Then, roster first, each side learns who may
//! speak ([`Message::RosterList`], [`Message::Roster`]), and probes: [`Message::Probe`] carries one hash of everything held. Equal
//! states answer [`Message::Same`]. Of unequal ones, two that were equal before tell what changed since ([`Message::Changed`]); others,
//! or where that did not make them equal, by [`Message::Buckets`] and [`Message::Leaves`]. Each side asks for what it lacks by
//! [`Message::Want`], which is answered by class, newest first, and ended by [`Message::Done`].
//!
//! Fresh entries don't wait for that. They are pushed at once to the links of the author's tree ([`Message::Entries`],
//! [`Message::Docs`] without a want), announced lazily to the others ([`Message::Have`]) and pulled back where a push was lost. A
//! link over which everything came a second time is told so ([`Message::Prune`]) and from then on only announces that author.
//!
//! One frame is [`crate::config::WIRE_VERSION`], then one message in bincode. Unknown kinds are refused and counted (P9).

pub mod courier;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec::{DecodeError, decode, encode_after};
use crate::config::{FRAME_BYTES_MAX, WIRE_VERSION};
use crate::id::{Class, DocKind, EntryId, LogId, NodeId};
use crate::identity::Signature;
use crate::io::{AgeMark, DocRow, EntryRow};
use crate::replica::digest::{AuthorLeaf, DocLeaf, Hash8};
use crate::replica::{ByAuthor, Changes, DocOrder, Hash16, Header, SignedDoc};
use crate::time::UtcMillis;

/// One frame's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// First on every point-to-point link, both ways.
    Hello {
        /// Charter, issuer and node certificate of the speaker.
        chain: Vec<Bytes>,
        /// The speaker's wall clock: only ever shown.
        wall: UtcMillis,
        /// Hash of all roster objects held.
        roster: Hash16,
    },
    /// Hashes of all roster objects held whose hash lies in a span: the hearer sends what of that span is not among them.
    RosterList {
        /// The span begins with this hash.
        from: Hash16,
        /// The span ends before this hash; absent = it has no end.
        to: Option<Hash16>,
        /// 16-byte hashes, ascending.
        hashes: Vec<Hash16>,
        /// The hearer should answer with its own list.
        answer: bool,
    },
    /// Charters, issuer and node certificates, in an order that can be checked one by one.
    Roster {
        /// Envelopes.
        objects: Vec<Bytes>,
    },
    /// Entries: pushed, or in answer to a want.
    Entries {
        /// Which want they answer.
        want: Option<u32>,
        /// The entries.
        entries: Vec<WireEntry>,
    },
    /// Boards and details: pushed, or in answer to a want.
    Docs {
        /// Which want they answer.
        want: Option<u32>,
        /// The documents.
        docs: Vec<WireDoc>,
    },
    /// Proofs of forks.
    Forks {
        /// Pairs of contradicting entries.
        proofs: Vec<(WireEntry, WireEntry)>,
    },
    /// Held here, not pushed to you.
    Have {
        /// Numbers by logbook.
        entries: Vec<(LogId, Vec<u32>)>,
        /// Documents.
        docs: Vec<DocName>,
    },
    /// What you push of this author comes here by a shorter way: only announce it.
    Prune {
        /// Whose.
        author: NodeId,
        /// Its detail; or its board, and then its entries too.
        kind: DocKind,
    },
    /// Of your own words I hold these durably.
    Held {
        /// Heads of your logbooks.
        heads: Vec<(LogId, u32)>,
        /// Your documents.
        docs: Vec<DocName>,
    },
    /// One hash of everything held.
    Probe {
        /// Keys the hashes.
        nonce: u64,
        /// Root of the digest, keyed.
        root: Hash16,
        /// Root over the details both sides may hold, keyed.
        details: Hash8,
    },
    /// Everything is equal.
    Same {
        /// Of the probe.
        nonce: u64,
    },
    /// Not equal: one hash per bucket of authors.
    Buckets {
        /// Roster hash.
        roster: Hash16,
        /// 64 or 256.
        hashes: Vec<Hash8>,
    },
    /// What is held of the authors of unequal buckets.
    Leaves {
        /// How many buckets the hearer should use in its answer.
        count: u16,
        /// Unequal buckets: the hearer answers with its own leaves. Empty in the answer itself.
        answer: Vec<u16>,
        /// Leaves.
        leaves: Vec<AuthorLeaf>,
    },
    /// What is held of details both sides may hold.
    Details {
        /// The hearer should answer with its own.
        answer: bool,
        /// By author.
        leaves: Vec<(NodeId, DocLeaf)>,
    },
    /// Please send.
    Want(Want),
    /// A want is answered as far as it could be.
    Done {
        /// Which want.
        id: u32,
    },
    /// On broadcast links: one hash of everything held. A hint, nothing more.
    Beacon {
        /// Who says so; not proven.
        from: NodeId,
        /// Keys the root.
        nonce: u64,
        /// Root of the digest, keyed.
        root: Hash16,
    },
    /// Not equal, but both were in the same state once: what changed here since.
    Changed {
        /// Root of that state, cut.
        base: Hash8,
        /// Roster hash, cut.
        roster: Hash8,
        /// The hearer should answer with what changed there.
        answer: bool,
        /// What changed.
        changes: Changes,
    },
}

/// What one side asks of the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Named in the answer.
    pub id: u32,
    /// Of each author's last logbook in the state with this root, all entries from this number on.
    pub since: Option<(Hash8, ByAuthor)>,
    /// Ascending (first, last) ranges by logbook.
    pub entries: Vec<(LogId, Vec<(u32, u32)>)>,
    /// Documents.
    pub docs: Vec<(NodeId, DocKind)>,
    /// Logbooks whose fork proof is wanted.
    pub forks: Vec<LogId>,
}

/// One version of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DocName {
    /// Whose.
    pub author: NodeId,
    /// Which.
    pub kind: DocKind,
    /// Version.
    pub order: DocOrder,
}

/// An entry without what the hearer can make again: the layout of the header, and the hash of a body that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireEntry {
    id: EntryId,
    prev: Hash16,
    class: Class,
    closed: bool,
    urgent: u32,
    wall: i64,
    body: WireBody,
    extra: Bytes,
    signature: Signature,
    /// Age in milliseconds as the speaker bounds it.
    pub age_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum WireBody {
    Whole(Bytes),
    Stub([u8; 32]),
}

impl WireEntry {
    /// From what is stored. `None` if the header can't be read, which would be damage on disk.
    #[must_use]
    pub fn pack(row: &EntryRow, with_body: bool, age_ms: Option<u64>) -> Option<Self> {
        let header = Header::parse(&row.header).ok()?;
        Some(Self::of(&header, row.signature, row.body.as_ref().filter(|_| with_body || !header.closed), age_ms))
    }

    /// From what was read. Without a body it is a stub.
    pub(crate) fn of(header: &Header, signature: Signature, body: Option<&Bytes>, age_ms: Option<u64>) -> Self {
        let body = body.map_or(WireBody::Stub(header.body_hash), |body| WireBody::Whole(body.clone()));
        Self {
            id: header.id,
            prev: header.prev,
            class: header.class,
            closed: header.closed,
            urgent: header.urgent,
            wall: header.wall.0,
            body,
            extra: header.extra.clone(),
            signature,
            age_ms,
        }
    }

    /// True where it says just this, whatever its age.
    pub(crate) fn says(&self, header: &Header, signature: &Signature, body: Option<&Bytes>) -> bool {
        let same_body = match (&self.body, body) {
            (WireBody::Whole(mine), Some(body)) => mine == body,
            (WireBody::Stub(hash), None) => *hash == header.body_hash,
            (WireBody::Whole(_), None) | (WireBody::Stub(_), Some(_)) => false,
        };
        same_body
            && self.signature == *signature
            && (self.id, self.prev, self.class, self.closed) == (header.id, header.prev, header.class, header.closed)
            && (self.urgent, self.wall) == (header.urgent, header.wall.0)
            && self.extra == header.extra
    }

    /// Bytes of its body; 0 for a stub.
    pub(crate) fn body_len(&self) -> usize {
        if let WireBody::Whole(body) = &self.body { body.len() } else { 0 }
    }

    /// The same without what only some may read: a stub.
    #[must_use]
    pub fn opened(self) -> Self {
        let hash = |body: &Bytes| *blake3::hash(body).as_bytes();
        let body = match &self.body {
            WireBody::Whole(body) if self.closed => WireBody::Stub(hash(body)),
            WireBody::Whole(_) | WireBody::Stub(_) => self.body,
        };
        Self { body, ..self }
    }

    /// True where it holds what only some may read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed && matches!(self.body, WireBody::Whole(_))
    }

    /// Which entry it claims to be.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// Bytes it takes in a frame, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let body = match &self.body {
            WireBody::Whole(body) => body.len(),
            WireBody::Stub(_) => 32,
        };
        body + self.extra.len() + 125
    }

    /// Makes the signed bytes again. Nothing is proven by this: the signature decides.
    #[must_use]
    pub fn unpack(self, at: UtcMillis) -> EntryRow {
        let (body, body_hash) = match self.body {
            WireBody::Whole(body) => {
                let hash = *blake3::hash(&body).as_bytes();
                (Some(body), hash)
            }
            WireBody::Stub(hash) => (None, hash),
        };
        let header = Header {
            id: self.id,
            prev: self.prev,
            class: self.class,
            closed: self.closed,
            urgent: self.urgent,
            wall: UtcMillis(self.wall),
            body_hash,
            extra: self.extra,
        };
        let age = AgeMark { age_ms: self.age_ms, at };
        EntryRow { id: self.id, header: header.to_bytes(), signature: self.signature, body, age }
    }
}

/// A document as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireDoc {
    author: NodeId,
    kind: DocKind,
    bytes: Bytes,
    signature: Signature,
    /// Age in milliseconds as the speaker bounds it.
    pub age_ms: Option<u64>,
}

impl WireDoc {
    /// From what is stored.
    #[must_use]
    pub fn pack(row: &DocRow, age_ms: Option<u64>) -> Self {
        Self { author: row.author, kind: row.kind, bytes: row.bytes.clone(), signature: row.signature, age_ms }
    }

    /// From what is held.
    #[must_use]
    pub fn of(doc: &SignedDoc, age_ms: Option<u64>) -> Self {
        Self { author: doc.author(), kind: doc.kind, bytes: doc.bytes.clone(), signature: doc.signature, age_ms }
    }

    /// Whose it claims to be, and which.
    #[must_use]
    pub fn name(&self) -> (NodeId, DocKind) {
        (self.author, self.kind)
    }

    /// Bytes it takes in a frame, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len() + 80
    }

    /// The row it would be. Nothing is proven by this: the signature decides.
    #[must_use]
    pub fn unpack(self, at: UtcMillis) -> DocRow {
        let age = AgeMark { age_ms: self.age_ms, at };
        DocRow { author: self.author, kind: self.kind, bytes: self.bytes, signature: self.signature, age }
    }
}

/// Bytes that are no frame of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No bytes at all.
    #[error("an empty frame")]
    Empty,
    /// Of another version: a newer or older program speaks there.
    #[error("a frame of version {0}; this program speaks version {WIRE_VERSION}")]
    Version(u8),
    /// Cut, padded, too long or of an unknown kind.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

impl Message {
    /// True where it holds what is of class 0 or 1: such entries, or certificates and revocations.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Entries { entries, .. } => entries.iter().any(|entry| entry.class.is_urgent()),
            Self::Roster { .. } => true,
            Self::Hello { .. }
            | Self::RosterList { .. }
            | Self::Docs { .. }
            | Self::Forks { .. }
            | Self::Have { .. }
            | Self::Prune { .. }
            | Self::Held { .. }
            | Self::Probe { .. }
            | Self::Same { .. }
            | Self::Buckets { .. }
            | Self::Leaves { .. }
            | Self::Details { .. }
            | Self::Want(_)
            | Self::Done { .. }
            | Self::Beacon { .. }
            | Self::Changed { .. } => false,
        }
    }

    /// The frame.
    #[must_use]
    pub fn to_frame(&self) -> Bytes {
        encode_after(WIRE_VERSION, self).into()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`]; nothing was changed. On an open network this is noise or an attack.
    pub fn from_frame(frame: &[u8]) -> Result<Self, FrameError> {
        let (version, rest) = frame.split_first().ok_or(FrameError::Empty)?;
        if *version != WIRE_VERSION {
            return Err(FrameError::Version(*version));
        }
        Ok(decode(rest, FRAME_BYTES_MAX)?)
    }
}
