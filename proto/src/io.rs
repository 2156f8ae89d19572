//! Everything that crosses the boundary between a node and the world. Closed and serializable: a recording replays exactly.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::control::{Command, CommandId, Event, Reply};
use crate::id::{DocKind, EntryId, Incarnation, LogId, NodeId};
use crate::identity::PublicKey;
use crate::link::{LinkId, LinkProfile};
pub use crate::replica::{AgeMark, DocRow, EntryRow};

/// Everything that can happen to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A link is there.
    LinkUp {
        /// Its number, never used again in this run.
        link: LinkId,
        /// What it can do.
        profile: LinkProfile,
    },
    /// A link is gone.
    LinkDown {
        /// Which.
        link: LinkId,
        /// Why, in words.
        cause: String,
    },
    /// Bytes came in: one whole frame.
    Received {
        /// Over which link.
        link: LinkId,
        /// At most the link's mtu.
        frame: Bytes,
    },
    /// Credit: how many bytes the link can take now beyond what it was given. Replaces earlier credit.
    Writable {
        /// Which link.
        link: LinkId,
        /// Bytes.
        room: u32,
    },
    /// Who is audible on a broadcast link now (a whole list; replaces the last).
    Audible {
        /// Which link.
        link: LinkId,
        /// Their keys; only those on the roster count.
        keys: Vec<PublicKey>,
    },
    /// Somebody might be reachable there (configuration, mDNS). A hint, never trusted.
    Candidate {
        /// Where.
        address: String,
        /// Static addresses are never forgotten.
        is_static: bool,
    },
    /// A dial came to nothing.
    DialFailed {
        /// Where.
        address: String,
        /// Why, in words.
        cause: String,
    },
    /// An operator wants something done.
    Command {
        /// Repeated by the reply.
        id: CommandId,
        /// What.
        command: Command,
    },
    /// The rows of a [`Output::Persist`] are durable, stamp included.
    Persisted {
        /// Which.
        token: u64,
    },
    /// The rows of a [`Output::Persist`] are not kept, none of them.
    PersistFailed {
        /// Which.
        token: u64,
        /// Why, in words.
        cause: String,
    },
    /// Answer to [`Output::Fetch`]: what was found, in the order asked.
    Fetched {
        /// Which.
        token: u64,
        /// Only rows that exist and whose stored hash is right.
        rows: Vec<EntryRow>,
    },
    /// The central systems were probed. Said as often as they are: what follows from it is looked at then.
    Central {
        /// They answered.
        answers: bool,
    },
    /// A deadline passed; harmless if early.
    Wake,
    /// Credit as by [`Self::Writable`], but for classes 0 and 1 alone: what is left of the hour on the air is theirs.
    WritableUrgent {
        /// Which link.
        link: LinkId,
        /// Bytes.
        room: u32,
    },
    /// Who was heard of late on a broadcast link that proves no keys (a whole list; replaces the last). By their own word: anybody
    /// can say any name, so nothing but what is worth saying there may depend on it.
    Near {
        /// Which link.
        link: LinkId,
        /// Their names; only those on the roster count.
        nodes: Vec<NodeId>,
    },
}

/// Everything a node asks of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// Send one frame, never beyond the credit granted.
    Transmit {
        /// Over which link.
        link: LinkId,
        /// The bytes.
        frame: Bytes,
    },
    /// Make durable, in this order, all or nothing. Answered by `Persisted` or `PersistFailed`.
    Persist {
        /// Names it.
        token: u64,
        /// Rows to write.
        rows: Vec<Row>,
        /// Continuity stamp to write and sync after the rows, before the answer. Only with own words.
        stamp: Option<Stamp>,
    },
    /// Read entries back from disk. Answered by `Fetched`.
    Fetch {
        /// Names it.
        token: u64,
        /// Which, at most [`crate::config::FETCH_MAX`].
        entries: Vec<EntryId>,
    },
    /// Try to reach somebody over a point-to-point link.
    Dial {
        /// As configured or heard: `127.0.0.1:4401`.
        address: String,
    },
    /// End a link.
    Hangup {
        /// Which.
        link: LinkId,
        /// Why, in words.
        reason: String,
    },
    /// Who may connect. Replaces the last word.
    Admit {
        /// Everybody certified and not cut off, ascending: only these on links that present no certificate chain (gossip).
        keys: Vec<PublicKey>,
        /// Refused at the handshake on every link. All others show a chain first (sync) and are hung up on if it is no good.
        denied: Vec<PublicKey>,
    },
    /// Answer to a command.
    Reply {
        /// Which command.
        id: CommandId,
        /// The answer.
        reply: Reply,
    },
    /// Something happened that people, logs or checkers may want to know.
    Notify(Event),
}

/// One row of the store. The store keeps the newest of each key; it understands nothing else of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// Key: the entry's id. A stub row may be replaced by one with a body.
    Entry(EntryRow),
    /// Key: author and kind, and `slot`: 0 the newest, 1 its contradiction where there are two stories.
    Doc {
        /// 0 or 1.
        slot: u8,
        /// The document; `None` removes the slot.
        doc: Option<DocRow>,
        /// Whose.
        author: NodeId,
        /// Which.
        kind: DocKind,
    },
    /// Key: hash of the bytes. Charter, issuer or node certificate.
    Roster {
        /// Envelope as offered to the roster.
        bytes: Bytes,
    },
    /// Key: the logbook. The proof of the lowest fork known.
    Fork {
        /// Which logbook.
        log: LogId,
        /// Lowest forked number.
        number: u32,
        /// One story.
        one: EntryRow,
        /// The other.
        other: EntryRow,
    },
    /// Key: name. Small values of the node's own.
    Meta {
        /// Name.
        key: String,
        /// Value.
        value: Bytes,
    },
}

/// The proof of continuity, kept outside the data folder and outside backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Whose store this is.
    pub node: NodeId,
    /// Incarnation it was written in.
    pub incarnation: Incarnation,
    /// Last own number.
    pub number: u32,
    /// Hash of that entry's header.
    pub hash: [u8; 16],
    /// Last own board version.
    pub board: u32,
    /// Last own detail version.
    pub detail: u32,
}
