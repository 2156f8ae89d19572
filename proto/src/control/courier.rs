//! What crosses the API of a courier file: it goes out and comes in piece by piece, so that neither side holds all of it.

use serde::{Deserialize, Serialize};

use crate::control::NodeName;

/// Everything a node far off may lack, for a file that somebody carries there. Answered by a [`CourierPiece`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierOut {
    /// For whom, such as `1-118`. What is not for all is in the file only as far as this node may have it.
    pub to: String,
    /// `next` of the piece before; absent for the first.
    #[serde(default)]
    pub after: Option<String>,
    /// A brief file of at most so many bytes, what is urgent first; absent: all.
    #[serde(default)]
    pub most: Option<u32>,
}

/// A piece of a courier file: a head and some whole records behind it. A small file is one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourierIn {
    /// In Base64.
    pub piece: String,
    /// How long it was on its way, in seconds, where a person says so; else nobody knows how old its words are.
    #[serde(default)]
    pub carried_s: Option<u64>,
}

/// The next piece of a file that is being written. All pieces, one behind the other, are the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierPiece {
    /// `holdfast.courier-piece/1`.
    pub schema: String,
    /// For whom it is.
    pub to: NodeName,
    /// In Base64.
    pub piece: String,
    /// To be given with the next question; absent: that was all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What is in this piece.
    pub holds: CourierCounts,
    /// What a brief file has no room for; absent where nothing is left out for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<CourierCounts>,
}

/// Words by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierCounts {
    /// Entries of logbooks.
    pub entries: u64,
    /// Of them with words that only some may read.
    pub closed: u64,
    /// Boards.
    pub boards: u64,
    /// Details, which only some may read.
    pub details: u64,
    /// Charters and certificates.
    pub certificates: u64,
    /// Revocations.
    pub revocations: u64,
    /// Proofs that a logbook tells two stories.
    pub forks: u64,
}

impl CourierCounts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.entries + self.boards + self.details + self.certificates + self.revocations + self.forks
    }

    /// The two together.
    #[must_use]
    pub fn and(&self, more: &Self) -> Self {
        Self {
            entries: self.entries + more.entries,
            closed: self.closed + more.closed,
            boards: self.boards + more.boards,
            details: self.details + more.details,
            certificates: self.certificates + more.certificates,
            revocations: self.revocations + more.revocations,
            forks: self.forks + more.forks,
        }
    }
}

/// What came of a piece that was handed in. What is new is durable here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierTaken {
    /// `holdfast.courier-taken/1`.
    pub schema: String,
    /// Who wrote the file, by its own word.
    pub from: NodeName,
    /// For whom it was written, by its own word.
    pub to: NodeName,
    /// By the writer's clock, milliseconds since 1970; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<i64>,
    /// What this node did not hold.
    pub new: CourierCounts,
    /// Words held here already, or that count no more.
    pub held: u64,
    /// Words that are not for this node: left out, or kept without what only some may read.
    pub withheld: u64,
    /// Words that are not taken, and why.
    pub refused: Vec<CourierRefused>,
    /// The same file may bring more when it is read again: some of its words lead to others that came behind them.
    pub again: bool,
    /// Two stories under one name came to light; both are kept.
    pub contradictions: u64,
}

/// Words that were not taken for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourierRefused {
    /// How many.
    pub words: u64,
    /// Why.
    pub en: String,
    /// Why, in Traditional Chinese.
    pub zh: String,
}
