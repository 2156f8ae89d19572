//! What a node counts for `/metrics`: one number each, raised with every frame, so they lie side by side.

use super::Node;

macro_rules! counters {
    ($($counter:ident = $name:literal),+ $(,)?) => {
        /// Something that is counted.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Counter {
            $($counter),+
        }

        const NAMES: &[&str] = &[$($name),+];
    };
}

counters! {
    BoardsDuplicate = "boards_duplicate_total",
    BoardsPutOff = "boards_put_off_total",
    BoardsTaken = "boards_taken_total",
    BoardsWritten = "boards_written_total",
    ControlTooLong = "control_too_long_total",
    EntriesBeyondWindow = "entries_beyond_window_total",
    EntriesDuplicate = "entries_duplicate_total",
    EntriesRefused = "entries_refused_total",
    EntriesTaken = "entries_taken_total",
    EntriesWritten = "entries_written_total",
    Forks = "forks_total",
    FrameBytesIn = "frame_bytes_in_total",
    FrameBytesOut = "frame_bytes_out_total",
    FramesIn = "frames_in_total",
    FramesOut = "frames_out_total",
    Rejected = "rejected_total",
    StoreFailures = "store_failures_total",
    WantsIn = "wants_in_total",
    WantsLate = "wants_late_total",
    WantsOut = "wants_out_total",
    WantsPutOff = "wants_put_off_total",
    WantsRefused = "wants_refused_total",
    WordsLate = "words_late_total",
    WordsOverQuota = "words_over_quota_total",
    WordsTooLong = "words_too_long_total",
}

/// All counters of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters([u64; NAMES.len()]);

impl Counters {
    /// Those that counted anything, by name.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> {
        NAMES.iter().copied().zip(self.0).filter(|(_, value)| *value > 0)
    }
}

impl Node {
    pub(super) fn count(&mut self, counter: Counter, by: u64) {
        if let Some(value) = self.counters.0.get_mut(counter as usize) {
            *value = value.saturating_add(by);
        }
    }
}
