//! Names of authors, logbooks, entries and facts, as `PROTOCOL.md` section "Names" has them. Not keys, not addresses.

mod kinds;
mod per_node;
mod region;
mod role;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crdts::Dot;
use serde::{Deserialize, Serialize};

pub use kinds::Kinds;
pub use per_node::{Names, PerDocument, PerNode};
pub use region::{Region, Regions};
pub use role::{Role, Roles};

/// Highest issuer number of a certified issuer; guests use the numbers above it (issuer of the first voucher + 32,768).
pub const ISSUER_MAX: u16 = 32_767;

/// A node: issuer number and serial below that issuer. It is the author, the roster key and the radio name. A guest has the serial of
/// the node that vouched first and the number of that one's issuer + 32,768.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId {
    /// Number given to the issuer by the root, never reused.
    pub issuer: u16,
    /// Serial within the issuer's range.
    pub serial: u16,
}

impl NodeId {
    /// Four bytes, big-endian: issuer, serial.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 4] {
        let [a, b] = self.issuer.to_be_bytes();
        let [c, d] = self.serial.to_be_bytes();
        [a, b, c, d]
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 4]) -> Self {
        let [a, b, c, d] = bytes;
        Self { issuer: u16::from_be_bytes([a, b]), serial: u16::from_be_bytes([c, d]) }
    }

    /// Whether it is nobody's certified node, but a guest that others vouch for.
    #[must_use]
    pub fn is_guest(self) -> bool {
        self.issuer > ISSUER_MAX
    }

    /// The name of the one guest that this node may be the first to vouch for; of a guest, itself.
    #[must_use]
    pub fn guest(self) -> Self {
        Self { issuer: self.issuer | (ISSUER_MAX + 1), serial: self.serial }
    }

    /// Who vouched for this guest first; of a certified node, itself.
    #[must_use]
    pub fn host(self) -> Self {
        Self { issuer: self.issuer & ISSUER_MAX, serial: self.serial }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.issuer, self.serial)
    }
}

/// The text is not `ISSUER-SERIAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node id is two numbers with a dash, such as 1-118")]
pub struct NotANodeId;

impl FromStr for NodeId {
    type Err = NotANodeId;

    fn from_str(text: &str) -> Result<Self, NotANodeId> {
        let (issuer, serial) = text.split_once('-').ok_or(NotANodeId)?;
        Ok(Self { issuer: issuer.parse().map_err(|_| NotANodeId)?, serial: serial.parse().map_err(|_| NotANodeId)? })
    }
}

/// One life of a node's key. Orders before everything else of that author.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Generation {
    /// Raised with every new key.
    pub count: u8,
    /// 0 = the issuer; deputies have numbers of their own.
    pub giver: u8,
}

/// One life of a node's store. A new one opens whenever continuity can't be proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation {
    /// One above the highest known.
    pub count: u16,
    /// Keeps two restored copies apart that both count one up.
    pub random: u16,
}

/// Which words of one key count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// All of them.
    #[default]
    Whole,
    /// It was taken away and nobody said what stands.
    InQuestion,
    /// In the lives named here all up to and with one entry; of other lives nothing. Hash `None`: two cuts name unlike entries under
    /// the number after this one, so that no entry is known to lead there.
    Cut(BTreeMap<Incarnation, (u32, Option<[u8; 16]>)>),
}

/// One logbook: what one author wrote in one life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogId {
    /// Who writes it.
    pub author: NodeId,
    /// Under which key.
    pub generation: Generation,
    /// In which life of the store.
    pub incarnation: Incarnation,
}

impl LogId {
    /// Ten bytes: author, generation, incarnation, all big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 10] {
        let mut out = [0; 10];
        out[..4].copy_from_slice(&self.author.to_bytes());
        out[4] = self.generation.count;
        out[5] = self.generation.giver;
        out[6..8].copy_from_slice(&self.incarnation.count.to_be_bytes());
        out[8..].copy_from_slice(&self.incarnation.random.to_be_bytes());
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 10]) -> Self {
        let [a, b, c, d, count, giver, i, j, k, l] = bytes;
        Self {
            author: NodeId::from_bytes([a, b, c, d]),
            generation: Generation { count, giver },
            incarnation: Incarnation { count: u16::from_be_bytes([i, j]), random: u16::from_be_bytes([k, l]) },
        }
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}-{:04x}",
            self.author, self.generation.count, self.generation.giver, self.incarnation.count, self.incarnation.random
        )
    }
}

/// One entry: its logbook and its number there, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntryId {
    /// The logbook.
    pub log: LogId,
    /// Counted from 1, without holes.
    pub number: u32,
}

impl EntryId {
    /// The same name as the CRDT literature writes it.
    #[must_use]
    pub fn dot(self) -> Dot<LogId> {
        Dot::new(self.log, u64::from(self.number))
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.log, self.number)
    }
}

/// One fact: its entry and its place in the entry's body, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactId {
    /// The entry it stands in.
    pub entry: EntryId,
    /// Place in the body, from 0.
    pub index: u8,
}

impl FactId {
    /// Fifteen bytes: logbook, number, index, big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 15] {
        let mut out = [0; 15];
        out[..10].copy_from_slice(&self.entry.log.to_bytes());
        out[10..14].copy_from_slice(&self.entry.number.to_be_bytes());
        out[14] = self.index;
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 15]) -> Self {
        let mut log = [0; 10];
        log.copy_from_slice(&bytes[..10]);
        let number = u32::from_be_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]);
        Self { entry: EntryId { log: LogId::from_bytes(log), number }, index: bytes[14] }
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entry, self.index)
    }
}

/// What to send first: 0 emergency and revocation, 1 what moves goods or frees a log, 2 requests, 3 observations, 4 the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Class(u8);

impl Class {
    /// Life safety, revocations.
    pub const FLASH: Self = Self(0);
    /// Urgent requests, promises and cancellations, floors.
    pub const URGENT: Self = Self(1);
    /// Ordinary requests and boards.
    pub const ROUTINE: Self = Self(2);
    /// Observations, acknowledgements, details.
    pub const DEFERRED: Self = Self(3);
    /// Positions, history.
    pub const BULK: Self = Self(4);

    /// Reads a class; `None` above 4.
    #[must_use]
    pub fn new(value: u8) -> Option<Self> {
        (value <= 4).then_some(Self(value))
    }

    /// 0..=4.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// Classes 0 and 1, which `urgent` counts and radio always carries.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self.0 <= 1
    }
}

/// Which of an author's two documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DocKind {
    /// Anyone may read it.
    Board,
    /// For entitled peers only.
    Detail,
}
