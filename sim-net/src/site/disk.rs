//! The model of a store: rows behind sync points, what a crash keeps of them, and the disks people really have (full, wiped, an
//! old backup put back). It understands nothing of the rows but their keys, exactly like the real store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use holdfast_proto::id::{DocKind, EntryId, LogId, NodeId};
use holdfast_proto::io::{DocRow, EntryRow, Row, Stamp};

use crate::dice::Dice;
use crate::world::Via;

/// Key of a rare row, as [`Row`] describes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Meta(String),
    Fork(LogId),
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
    /// What brought it, where it is of others.
    pub via: Via,
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

/// What the store finds of itself after bits were turned (`daemon/src/store`: rows have a sum each, pages a structure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The file can't be read: it is set aside and an empty one begun.
    SetAside,
    /// So many rows are bad and left out.
    BadRows(usize),
}

/// Of 1,000 turned files so many can't be read at all; in the others single rows are bad.
const UNREADABLE: u32 = 400;
/// Of 1,000 rows of a file with bad rows so many are.
const BAD_ROWS: u32 = 100;

/// Everything durable at one moment. Rows of one kind lie by themselves and take no room for the largest of another: a county has
/// millions.
#[derive(Clone, Debug, Default)]
struct Platter {
    roster: Vec<Bytes>,
    others: BTreeMap<Key, Row>,
    docs: BTreeMap<(NodeId, DocKind, u8), Box<DocRow>>,
    entries: BTreeMap<EntryId, Box<EntryRow>>,
}

impl Platter {
    /// Rows but for the roster's.
    fn len(&self) -> usize {
        self.others.len() + self.docs.len() + self.entries.len()
    }
}

/// One node's store.
#[derive(Clone, Debug)]
pub struct Disk {
    now: Platter,
    stamp: Option<Stamp>,
    backups: BTreeMap<u32, (Platter, Option<Stamp>)>,
    jobs: VecDeque<Job>,
    free_at: u64,
    full: BTreeSet<u32>,
    pace: DiskPace,
}

impl Disk {
    /// An empty one.
    #[must_use]
    pub fn new(pace: DiskPace) -> Self {
        Self {
            now: Platter::default(),
            stamp: None,
            backups: BTreeMap::new(),
            jobs: VecDeque::new(),
            free_at: 0,
            full: BTreeSet::new(),
            pace,
        }
    }

    /// From now on it behaves like this.
    pub fn set_pace(&mut self, pace: DiskPace) {
        self.pace = pace;
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
        if !self.full.is_empty() {
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
            match row {
                Row::Entry(entry) => {
                    let keep = entry.body.is_none() && self.entry(entry.id).is_some_and(|old| old.body.is_some());
                    if !keep {
                        self.now.entries.insert(entry.id, Box::new(entry.clone()));
                    }
                }
                Row::Doc { slot, doc: Some(doc), author, kind } => {
                    let place = self.now.docs.entry((*author, *kind, *slot));
                    place.and_modify(|held| held.as_mut().clone_from(doc)).or_insert_with(|| Box::new(doc.clone()));
                }
                Row::Doc { slot, doc: None, author, kind } => {
                    self.now.docs.remove(&(*author, *kind, *slot));
                }
                Row::Roster { bytes } => {
                    if !self.now.roster.contains(bytes) {
                        self.now.roster.push(bytes.clone());
                    }
                }
                Row::Fork { log, .. } => {
                    self.now.others.insert(Key::Fork(*log), row.clone());
                }
                Row::Meta { key, .. } => {
                    self.now.others.insert(Key::Meta(key.clone()), row.clone());
                }
            }
        }
    }

    /// Power is cut: a prefix of the unanswered jobs is kept, of its last one perhaps not the stamp.
    pub fn crash(&mut self, dice: &mut Dice) -> Wreck {
        let keep = dice.index(self.jobs.len() + 1);
        let jobs: Vec<Job> = self.jobs.drain(..).collect();
        let mut wreck = Wreck { lost: jobs.len() - keep, ..Wreck::default() };
        self.free_at = 0;
        if !self.full.is_empty() {
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
        let docs = self.now.docs.iter().map(|((author, kind, slot), doc)| Row::Doc {
            slot: *slot,
            author: *author,
            kind: *kind,
            doc: Some(doc.as_ref().clone()),
        });
        let entries = self.now.entries.values().map(|entry| Row::Entry(entry.as_ref().clone()));
        roster.chain(self.now.others.values().cloned()).chain(docs).chain(entries).collect()
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
        self.now.entries.get(&id).map(Box::as_ref)
    }

    /// Durable entries.
    pub fn entries(&self) -> impl Iterator<Item = &EntryRow> {
        self.now.entries.values().map(Box::as_ref)
    }

    /// Jobs not answered yet.
    pub fn pending(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// The newest document of an author.
    #[must_use]
    pub fn doc(&self, author: NodeId, kind: DocKind) -> Option<&DocRow> {
        self.now.docs.get(&(author, kind, 0)).map(Box::as_ref)
    }

    /// Documents, contradictions too.
    pub fn docs(&self) -> impl Iterator<Item = &DocRow> {
        self.now.docs.values().map(Box::as_ref)
    }

    /// Writes fail because of this inject, or no longer because of it.
    pub fn fill(&mut self, nr: u32, full: bool) {
        if full {
            self.full.insert(nr);
        } else {
            self.full.remove(&nr);
        }
    }

    /// Somebody makes room.
    pub fn make_room(&mut self) {
        self.full.clear();
    }

    /// Somebody copies the data folder, and a whole-machine image the stamp too, to be put back by this inject.
    pub fn back_up(&mut self, nr: u32) {
        self.backups.insert(nr, (self.now.clone(), self.stamp));
    }

    /// The data folder is replaced by the backup made for this inject; where nobody made one, by that of the day the PC was set
    /// up, which is empty. The stamp outside the folder stays, unless the whole `machine` is put back: then continuity looks
    /// proven and is not.
    pub fn put_back(&mut self, nr: u32, machine: bool) {
        let (platter, stamp) = self.backups.remove(&nr).unwrap_or_default();
        self.now = platter;
        if machine {
            self.stamp = stamp;
        }
    }

    /// Another PC: nothing of the old one is there.
    pub fn replace(&mut self) {
        self.now = Platter::default();
        self.stamp = None;
    }

    /// Bits of the file are turned. The certificates are read from the alliance file again, so their rows cost nothing.
    pub fn turn_bits(&mut self, dice: &mut Dice) -> Damage {
        if dice.chance(UNREADABLE) {
            self.now = Platter::default();
            return Damage::SetAside;
        }
        let before = self.now.len();
        self.now.others.retain(|_, _| !dice.chance(BAD_ROWS));
        self.now.docs.retain(|_, _| !dice.chance(BAD_ROWS));
        self.now.entries.retain(|_, _| !dice.chance(BAD_ROWS));
        Damage::BadRows(before - self.now.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    fn job(token: u64, key: &str) -> Job {
        Job { token, rows: vec![Row::Meta { key: key.to_owned(), value: Bytes::new() }], stamp: None, via: Via::Other }
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
        disk.fill(1, true);
        assert!(matches!(disk.complete(), Some(Outcome::Failed(7))));
        assert!(disk.rows().is_empty());
    }

    #[test]
    fn a_backup_comes_back_as_it_was_and_its_stamp_only_with_the_machine() {
        let mut dice = Dice::new(1, Purpose::Disk, 0);
        let mut disk = Disk::new(DiskPace::SSD);
        let mut write = |disk: &mut Disk, key: &str, board| {
            let node = NodeId { issuer: 1, serial: 1 };
            let stamp = Stamp { node, incarnation: Default::default(), number: 0, hash: [0; 16], board, detail: 0 };
            disk.submit(0, Job { stamp: Some(stamp), ..job(1, key) }, &mut dice);
            disk.complete();
        };
        write(&mut disk, "a", 1);
        disk.back_up(7);
        disk.back_up(8);
        write(&mut disk, "b", 2);
        let board = |disk: &Disk| disk.stamp().map(|stamp| stamp.board);
        disk.put_back(7, false);
        assert_eq!((disk.rows().len(), board(&disk)), (1, Some(2)));
        disk.put_back(8, true);
        assert_eq!((disk.rows().len(), board(&disk)), (1, Some(1)));
        disk.put_back(9, true);
        assert_eq!((disk.rows().len(), board(&disk)), (0, None));
    }

    #[test]
    fn turned_bits_cost_the_file_or_some_rows_and_never_add_any() {
        let (mut aside, mut bad) = (0, 0);
        for seed in 0..100 {
            let mut dice = Dice::new(seed, Purpose::Disk, 0);
            let mut disk = Disk::new(DiskPace::SSD);
            for number in 0..50 {
                disk.submit(0, job(number, &number.to_string()), &mut dice);
                disk.complete();
            }
            match disk.turn_bits(&mut dice) {
                Damage::SetAside => {
                    aside += 1;
                    assert!(disk.rows().is_empty());
                }
                Damage::BadRows(rows) => {
                    bad += rows;
                    assert_eq!(disk.rows().len(), 50 - rows);
                }
            }
        }
        assert!(aside > 20 && bad > 100, "{aside} files, {bad} rows");
    }
}
