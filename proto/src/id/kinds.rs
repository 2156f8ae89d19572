//! Sets of kinds of facts, as a delegation names them.

use serde::{Deserialize, Serialize};

/// Kinds of facts: bit `n` is the kind of number `n`. What the numbers mean is not known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kinds(pub u128);

impl Kinds {
    /// Whether a kind is in the set.
    #[must_use]
    pub fn contains(self, kind: u32) -> bool {
        kind < u128::BITS && self.0 >> kind & 1 == 1
    }
}

impl FromIterator<u32> for Kinds {
    fn from_iter<I: IntoIterator<Item = u32>>(kinds: I) -> Self {
        Self(kinds.into_iter().filter(|kind| *kind < u128::BITS).fold(0, |mask, kind| mask | 1 << kind))
    }
}
