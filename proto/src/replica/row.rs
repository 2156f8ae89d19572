//! Entries and documents as stored and relayed: the very bytes that were verified, and how old they were when they came.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::id::{DocKind, EntryId, NodeId};
use crate::identity::Signature;
use crate::time::UtcMillis;

/// How old something was when it came, kept beside it and never signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeMark {
    /// Lowest age said by an authenticated peer, in milliseconds; absent where nobody could bound it.
    pub age_ms: Option<u64>,
    /// Our wall clock when that was said; unknown where our clock was.
    pub at: UtcMillis,
}

/// A wall clock set back by no more than this is being disciplined, not broken.
const STEP_BACK_MS: i64 = 10_000;

impl AgeMark {
    /// Age at `wall`, in milliseconds. `None` where nobody said it or our clock can't tell how long it was held: set back or
    /// unknown, it would show old news as new.
    #[must_use]
    pub fn at_wall(self, wall: UtcMillis) -> Option<u64> {
        let bounded = self.at.is_known() && wall.is_known() && wall.0 >= self.at.0.saturating_sub(STEP_BACK_MS);
        self.age_ms.filter(|_| bounded).map(|age| age.saturating_add(wall.since(self.at)))
    }
}

/// One entry as stored and relayed: the very bytes that were verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Its name, equal to what the header says.
    pub id: EntryId,
    /// Signed canonical bytes.
    pub header: Bytes,
    /// The author's signature over them.
    pub signature: Signature,
    /// The body whose hash the header states; absent for a stub.
    pub body: Option<Bytes>,
    /// Age when it came.
    pub age: AgeMark,
}

/// One board or detail as stored and relayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocRow {
    /// Whose.
    pub author: NodeId,
    /// Which.
    pub kind: DocKind,
    /// Signed canonical bytes.
    pub bytes: Bytes,
    /// The author's signature over them.
    pub signature: Signature,
    /// Age when it came.
    pub age: AgeMark,
}
