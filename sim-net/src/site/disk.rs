//! The model of a store: rows behind sync points, what a crash keeps of them, and the disks people really have (full, wiped, an
//! old backup put back). It understands nothing of the rows but their keys, exactly like the real store.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use holdfast_proto::id::{DocKind, EntryId, LogId, NodeId};
use holdfast_proto::io::{EntryRow, Row, Stamp};

use crate::dice::Dice;

/// Key of a row, as [`Row`] describes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Meta(String),
    Fork(LogId),
    Doc(NodeId, DocKind, u8),
    Entry(EntryId),
}

/// One write on its way to the platter.
#[derive(Clone, Debug)]
pub struct Job {
    /// As the node named it.
    pub token: u64,
    /// What it writes.
    pub rows: Vec<Row>,
    /// Written and synced after the rows.
    pub stamp: Option<Stamp>,
}

/// How a store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskPace {
    /// Fastest sync, microseconds.
    pub sync_us_min: u64,
    /// Slowest ordinary sync, microseconds.
    pub sync_us_max: u64,
    /// Of 1,000 syncs so many stall.
    pub stall_permille: u32,
    /// Longest stall, microseconds.
    pub stall_us_max: u64,
}

impl DiskPace {
    /// An SSD: 0.1 to 3 ms a sync (`speed.md` 2.4), one in 500 stalls up to a second.
    pub const SSD: Self = Self { sync_us_min: 100, sync_us_max: 3_000, stall_permille: 2, stall_us_max: 1_000_000 };
    /// A worn USB stick: 5 to 150 ms a sync.
    pub const SLOW: Self = Self { sync_us_min: 5_000, sync_us_max: 150_000, stall_permille: 10, stall_us_max: 2_000_000 };
    /// An SSD that never stalls: for figures about the network alone.
    pub const STEADY: Self = Self { sync_us_min: 100, sync_us_max: 1_000, stall_permille: 0, stall_us_max: 0 };
}

/// What came of a job.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is durable.
    Kept(Job),
    /// Nothing of it is.
    Failed(u64),
}

/// What a crash did to the jobs that were not answered yet.
#[derive(Clone, Debug, Default)]
pub struct Wreck {
    /// Durable although nobody was told.
    pub kept: Vec<Job>,
    /// Gone.
    pub lost: usize,
    /// The rows of the last kept job are there, its stamp is not.
    pub torn: bool,
}

/// Everything durable at one moment.
#[derive(Clone, Debug, Default)]
struct Platter {
    roster: Vec<Bytes>,
    rows: BTreeMap<Key, Row>,
}

/// One node's store.
#[derive(Clone, Debug)]
pub struct Disk {
    now: Platter,
    backup: Option<Platter>,
    stamp: Option<Stamp>,
    backup_stamp: Option<Stamp>,
    jobs: VecDeque<Job>,
    free_at: u64,
    full: bool,
    pace: DiskPace,
}

impl Disk {
    /// An empty one.
    #[must_use]
    pub fn new(pace: DiskPace) -> Self {
        Self {
            now: Platter::default(),
            backup: None,
            stamp: None,
            backup_stamp: None,
            jobs: VecDeque::new(),
            free_at: 0,
            full: false,
            pace,
        }
    }

    /// Takes a write; returns when it is to be [`Self::complete`]d. Jobs end in the order they came.
    pub fn submit(&mut self, now: u64, job: Job, dice: &mut Dice) -> u64 {
        let mut took = dice.between(self.pace.sync_us_min, self.pace.sync_us_max);
        if dice.chance(self.pace.stall_permille) {
            took += dice.below(self.pace.stall_us_max);
        }
        self.free_at = self.free_at.max(now) + took;
        self.jobs.push_back(job);
        self.free_at
    }

    /// Ends the oldest job.
    pub fn complete(&mut self) -> Option<Outcome> {
        let job = self.jobs.pop_front()?;
        if self.full {
            return Some(Outcome::Failed(job.token));
        }
        self.write(&job);
        if let Some(stamp) = job.stamp {
            self.stamp = Some(stamp);
        }
        Some(Outcome::Kept(job))
    }

    fn write(&mut self, job: &Job) {
        for row in &job.rows {
            let key = match row {
                Row::Entry(entry) => {
                    let key = Key::Entry(entry.id);
                    let keep =
                        entry.body.is_none() && matches!(self.now.rows.get(&key), Some(Row::Entry(old)) if old.body.is_some());
                    if keep {
                        continue;
                    }
                    key
                }
                Row::Doc { slot, doc, author, kind } => {
                    let key = Key::Doc(*author, *kind, *slot);
                    if doc.is_none() {
                        self.now.rows.remove(&key);
                        continue;
                    }
                    key
                }
                Row::Roster { bytes } => {
                    if !self.now.roster.contains(bytes) {
                        self.now.roster.push(bytes.clone());
                    }
                    continue;
                }
                Row::Fork { log, .. } => Key::Fork(*log),
                Row::Meta { key, .. } => Key::Meta(key.clone()),
            };
            self.now.rows.insert(key, row.clone());
        }
    }

    /// Power is cut: a prefix of the unanswered jobs is kept, of its last one perhaps not the stamp.
    pub fn crash(&mut self, dice: &mut Dice) -> Wreck {
        let keep = dice.index(self.jobs.len() + 1);
        let jobs: Vec<Job> = self.jobs.drain(..).collect();
        let mut wreck = Wreck { lost: jobs.len() - keep, ..Wreck::default() };
        self.free_at = 0;
        if self.full {
            wreck.lost = jobs.len();
            return wreck;
        }
        for (place, job) in jobs.into_iter().take(keep).enumerate() {
            self.write(&job);
            let torn = place + 1 == keep && dice.chance(500);
            if torn && job.stamp.is_some() {
                wreck.torn = true;
            } else if job.stamp.is_some() {
                self.stamp = job.stamp;
            }
            wreck.kept.push(job);
        }
        wreck
    }

    /// Every row, roster first, in the order of keys.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let roster = self.now.roster.iter().map(|bytes| Row::Roster { bytes: bytes.clone() });
        roster.chain(self.now.rows.values().cloned()).collect()
    }

    /// The proof of continuity.
    #[must_use]
    pub fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Reads entries back in the order asked; what is not there is left out.
    #[must_use]
    pub fn fetch(&self, wanted: &[EntryId]) -> Vec<EntryRow> {
        wanted.iter().filter_map(|id| self.entry(*id).cloned()).collect()
    }

    /// One durable entry.
    #[must_use]
    pub fn entry(&self, id: EntryId) -> Option<&EntryRow> {
        match self.now.rows.get(&Key::Entry(id)) {
            Some(Row::Entry(entry)) => Some(entry),
            Some(Row::Doc { .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. }) | None => None,
        }
    }

    /// Durable entries.
    pub fn entries(&self) -> impl Iterator<Item = &EntryRow> {
        self.now.rows.values().filter_map(|row| match row {
            Row::Entry(entry) => Some(entry),
            Row::Doc { .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => None,
        })
    }

    /// Jobs not answered yet.
    pub fn pending(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// From now on writes fail, or no longer.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// Somebody copies the data folder, and a whole-machine image the stamp too.
    pub fn back_up(&mut self) {
        self.backup = Some(self.now.clone());
        self.backup_stamp = self.stamp;
    }

    /// The data folder is replaced by the last backup; the stamp outside it stays. False where no backup was made.
    pub fn restore_folder(&mut self) -> bool {
        let Some(backup) = &self.backup else { return false };
        self.now = backup.clone();
        true
    }

    /// The whole machine is put back to the last backup, stamp included: continuity looks proven and is not.
    pub fn restore_machine(&mut self) -> bool {
        self.stamp = if self.backup.is_some() { self.backup_stamp } else { self.stamp };
        self.restore_folder()
    }

    /// A new data folder; with `stamp_too` a new machine.
    pub fn wipe(&mut self, stamp_too: bool) {
        self.now = Platter::default();
        if stamp_too {
            self.stamp = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    fn job(token: u64, key: &str) -> Job {
        Job { token, rows: vec![Row::Meta { key: key.to_owned(), value: Bytes::new() }], stamp: None }
    }

    #[test]
    fn a_crash_keeps_a_prefix_of_what_was_not_answered() {
        for seed in 0..200 {
            let mut dice = Dice::new(seed, Purpose::Disk, 0);
            let mut disk = Disk::new(DiskPace::SSD);
            for (token, key) in ["a", "b", "c"].iter().enumerate() {
                disk.submit(0, job(token as u64, key), &mut dice);
            }
            assert!(matches!(disk.complete(), Some(Outcome::Kept(_))));
            let wreck = disk.crash(&mut dice);
            assert_eq!(wreck.kept.len() + wreck.lost, 2);
            let held: Vec<Row> = disk.rows();
            assert_eq!(held.len(), 1 + wreck.kept.len());
            assert!(disk.pending().next().is_none());
        }
    }

    #[test]
    fn a_full_disk_keeps_nothing_of_a_job() {
        let mut dice = Dice::new(1, Purpose::Disk, 0);
        let mut disk = Disk::new(DiskPace::SSD);
        disk.submit(0, job(7, "a"), &mut dice);
        disk.set_full(true);
        assert!(matches!(disk.complete(), Some(Outcome::Failed(7))));
        assert!(disk.rows().is_empty());
    }
}
