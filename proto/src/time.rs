//! Own time: a monotonic [`Instant`] that orders deadlines and a wall clock that is only ever shown or stamped (house rule D6, D7).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Microseconds since an arbitrary start; never goes back. Written in tests, stored in recordings, has no `now()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(pub u64);

impl Instant {
    /// Time since `earlier`, zero if that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This instant moved on by `step`, saturating.
    #[must_use]
    pub fn after(self, step: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(step.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Milliseconds since 1970 by some wall clock. May be wrong by decades; decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// The author knew its own clock to be wrong and stamped nothing.
    pub const UNKNOWN: Self = Self(0);

    /// False where the author knew no time.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.0 > 0
    }

    /// Milliseconds from `earlier` to here; zero if `earlier` lies ahead or either is unknown.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        if !self.is_known() || !earlier.is_known() {
            return 0;
        }
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

/// Both clocks at the moment of an input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// Orders deadlines and ages.
    pub mono: Instant,
    /// Shown and stamped.
    pub wall: UtcMillis,
}
