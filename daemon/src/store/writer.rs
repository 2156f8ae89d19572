//! The thread that owns the file: group commit, stamps, reads in between, a full or failing disk. Nothing here runs on the runtime.
//!
//! Adaptive: an idle writer commits a job at once; jobs that came meanwhile form the next group; after a large group it also
//! waits for more while they keep coming, 5 ms at most. A group is one transaction and one sync. If it fails, its jobs are done
//! one by one, so that only the bad one fails; each is a transaction of its own, all or nothing.
//!
//! A sync that failed is never just tried again (R7): the file is closed, opened, checked and its log written out anew first.
//! Then the rows are written once more; they are the same rows under the same keys, so writing them twice changes nothing.
//!
//! Own entries are a chain: one whose forerunner is not in the store is refused, or a failure in the middle of what a node has
//! under way would leave a hole in its logbook that nobody can ever fill.
//!
//! A stamp that can't be written takes its rows with it (`undo`). Where even that fails, the disk is gone: the job is answered as
//! failed and its rows may still stand in the file, ahead of the stamp and never spoken; a restart that finds them carries on
//! from there. What can't happen is the other order: an answer `Persisted` without rows and stamp synced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use holdfast_proto::id::EntryId;
use holdfast_proto::io::{EntryRow, Input, Row, Stamp};
use rusqlite::{Connection, ErrorCode};

use super::file::Disk;
use super::rows::{self, Read};
use super::undo::Before;
use super::{StoreError, sync_folder};
use crate::stamp::StampFile;

/// Unanswered jobs at once: the core's own limits (`COMMANDS_MAX` + `PENDING_MAX`) with room for reads.
const JOBS_MAX: usize = 32_768;
/// Jobs in one group: bounds how long the first one waits.
const GROUP_JOBS_MAX: usize = 4_096;
/// Bytes in one group: bounds the log and the page cache.
const GROUP_BYTES_MAX: usize = 4 << 20;
/// A group of so many jobs means load: then it pays to wait a little for more.
const LOADED_JOBS: usize = 16;
/// Under load, a pause so long ends the collecting: nobody else is coming.
const PAUSE: Duration = Duration::from_micros(200);
/// On a full disk only jobs up to so many bytes are tried: the reserve is for revocations and single words, not for bulk.
const SMALL_BYTES: usize = 4_096;

/// What the writer answers; one for each job, in the order of the jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    /// Rows and stamp are durable.
    Persisted {
        /// Which job.
        token: u64,
    },
    /// None of the rows is kept.
    PersistFailed {
        /// Which job.
        token: u64,
        /// What happened, what it means, what to do.
        cause: String,
    },
    /// What was found, in the order asked; what is missing or damaged is left out.
    Fetched {
        /// Which job.
        token: u64,
        /// The entries.
        rows: Vec<EntryRow>,
    },
}

impl From<StoreEvent> for Input {
    fn from(event: StoreEvent) -> Self {
        match event {
            StoreEvent::Persisted { token } => Self::Persisted { token },
            StoreEvent::PersistFailed { token, cause } => Self::PersistFailed { token, cause },
            StoreEvent::Fetched { token, rows } => Self::Fetched { token, rows },
        }
    }
}

/// The writer takes no job now. Nothing was changed, and no event will come for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too many jobs wait.
    #[error("the disk is too slow for what comes in: {JOBS_MAX} jobs wait. Not saved; try again in a moment")]
    Busy,
    /// The writer has ended.
    #[error("the store is closed: the daemon is shutting down. Not saved")]
    Closed,
}

enum Job {
    Persist { token: u64, rows: Vec<Row>, stamp: Option<Stamp> },
    Fetch { token: u64, entries: Vec<EntryId> },
    Close,
}

impl Job {
    fn weight(&self) -> usize {
        match self {
            Self::Persist { rows, .. } => rows.iter().map(rows::weight).sum(),
            Self::Fetch { .. } | Self::Close => 0,
        }
    }

    fn stamp(&self) -> Option<&Stamp> {
        match self {
            Self::Persist { stamp, .. } => stamp.as_ref(),
            Self::Fetch { .. } | Self::Close => None,
        }
    }
}

/// What the writer counts.
#[derive(Debug, Default)]
struct Counters {
    waiting: AtomicUsize,
    commits: AtomicU64,
    bad: AtomicU64,
    full: AtomicBool,
}

/// Figures of a running store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Jobs not answered yet.
    pub waiting: usize,
    /// Transactions committed since the start.
    pub commits: u64,
    /// Damaged rows met by reads since the start.
    pub bad: u64,
    /// The disk is full; only small jobs are tried.
    pub full: bool,
}

/// The way to the writer's thread. Jobs are taken in order and never block the caller.
#[derive(Debug)]
pub struct Writer {
    jobs: Sender<Job>,
    counters: Arc<Counters>,
    thread: JoinHandle<Result<(), StoreError>>,
}

pub(super) type Answer = Box<dyn FnMut(StoreEvent) + Send>;

impl Writer {
    pub(super) fn start(disk: Disk, stamp: StampFile, answer: Answer) -> Result<Self, StoreError> {
        let (jobs, inbox) = channel();
        let counters = Arc::new(Counters::default());
        counters.full.store(!disk.reserve().is_held(), Ordering::Relaxed);
        let folder = disk.folder().to_owned();
        let work = Work { disk, stamp, answer, inbox, counters: Arc::clone(&counters), loaded: false, healed_at: Instant::now() };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work.run())
            .map_err(|error| StoreError::from_io(&folder, &error))?;
        Ok(Self { jobs, counters, thread })
    }

    /// Has rows made durable, all or nothing, then the stamp. Answered by `Persisted` or `PersistFailed`.
    ///
    /// # Errors
    /// [`Refused`]: not taken, no event comes.
    pub fn persist(&self, token: u64, rows: Vec<Row>, stamp: Option<Stamp>) -> Result<(), Refused> {
        self.submit(Job::Persist { token, rows, stamp })
    }

    /// Reads entries back. Answered by `Fetched`.
    ///
    /// # Errors
    /// As [`Self::persist`].
    pub fn fetch(&self, token: u64, entries: Vec<EntryId>) -> Result<(), Refused> {
        self.submit(Job::Fetch { token, entries })
    }

    fn submit(&self, job: Job) -> Result<(), Refused> {
        if self.counters.waiting.fetch_add(1, Ordering::Relaxed) >= JOBS_MAX {
            self.counters.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Refused::Busy);
        }
        self.jobs.send(job).map_err(|_| Refused::Closed)
    }

    /// Figures for status and metrics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.counters;
        Stats {
            waiting: counters.waiting.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            bad: counters.bad.load(Ordering::Relaxed),
            full: counters.full.load(Ordering::Relaxed),
        }
    }

    /// Does and answers all that waits, empties the log into the database, marks the store clean, unlocks the folder. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] if the disk refused the last step; nothing acknowledged is lost, the next start checks the file.
    ///
    /// # Panics
    /// If the writer's thread panicked.
    pub fn close(self) -> Result<(), StoreError> {
        // A writer that is gone already says why below.
        drop(self.jobs.send(Job::Close));
        match self.thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

/// What became of a job.
enum Outcome {
    Saved,
    Failed(String),
    Found(Vec<EntryRow>),
}

/// Why a transaction came to nothing.
enum Trouble {
    /// No room.
    Full,
    /// The disk failed or lies; what SQLite holds in memory can't be trusted.
    Disk(String),
    /// One of the rows can't be stored.
    Row(String),
    /// An own entry whose forerunner, named here, is not in the store.
    Gap(EntryId),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::InternalMalfunction,
            ) => Self::Disk(error.to_string()),
            Some(_) | None => Self::Row(error.to_string()),
        }
    }
}

struct Work {
    disk: Disk,
    stamp: StampFile,
    answer: Answer,
    inbox: Receiver<Job>,
    counters: Arc<Counters>,
    /// The last group was large.
    loaded: bool,
    /// When room, or a way back to the disk, was last looked for.
    healed_at: Instant,
}

impl Work {
    fn run(mut self) -> Result<(), StoreError> {
        let mut open = true;
        while open {
            let Ok(first) = self.inbox.recv() else { break };
            let (group, closing) = self.gather(first);
            self.loaded = group.len() >= LOADED_JOBS;
            self.carry_out(group);
            open = !closing;
        }
        self.disk.close()
    }

    /// All jobs that are there; under load also those that come within a moment. True if the last was `Close`.
    fn gather(&self, first: Job) -> (Vec<Job>, bool) {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        let until = Instant::now() + self.disk.options().gather;
        while let Some(job) = next {
            if matches!(job, Job::Close) {
                return (group, true);
            }
            bytes += job.weight();
            group.push(job);
            if group.len() >= GROUP_JOBS_MAX || bytes >= GROUP_BYTES_MAX {
                break;
            }
            next = self.inbox.try_recv().ok().or_else(|| self.wait_for_more(until));
        }
        (group, false)
    }

    fn wait_for_more(&self, until: Instant) -> Option<Job> {
        let left = until.saturating_duration_since(Instant::now());
        if !self.loaded || left.is_zero() {
            return None;
        }
        self.inbox.recv_timeout(PAUSE.min(left)).ok()
    }

    fn carry_out(&mut self, group: Vec<Job>) {
        if group.is_empty() {
            return;
        }
        self.heal();
        if self.is_full() {
            self.one_by_one(group);
            return;
        }
        match self.attempt(&group) {
            Ok(outcomes) => self.reply(group, outcomes),
            Err(Trouble::Full) => {
                self.run_full();
                self.one_by_one(group);
            }
            Err(Trouble::Row(_) | Trouble::Gap(_)) => self.one_by_one(group),
            Err(Trouble::Disk(cause)) => self.after_failure(group, &cause),
        }
    }

    /// Each job a transaction of its own.
    fn one_by_one(&mut self, group: Vec<Job>) {
        for job in group {
            if self.is_full() && job.weight() > SMALL_BYTES {
                let outcome = failed(&job, &self.full_text());
                self.reply(vec![job], vec![outcome]);
                continue;
            }
            match self.attempt(std::slice::from_ref(&job)) {
                Ok(outcomes) => self.reply(vec![job], outcomes),
                Err(Trouble::Full) if self.run_full() => self.one_by_one(vec![job]),
                Err(Trouble::Full) => {
                    let outcome = failed(&job, &self.full_text());
                    self.reply(vec![job], vec![outcome]);
                }
                Err(Trouble::Row(cause)) => {
                    let cause = format!("a row can't be stored: {cause}. Not saved; please report this as a fault of holdfastd");
                    let outcome = failed(&job, &cause);
                    self.reply(vec![job], vec![outcome]);
                }
                Err(Trouble::Gap(before)) => {
                    let cause =
                        format!("this node's entry {before} was not saved, so what follows it can't be. Not saved; say it again");
                    let outcome = failed(&job, &cause);
                    self.reply(vec![job], vec![outcome]);
                }
                Err(Trouble::Disk(cause)) => self.after_failure(vec![job], &cause),
            }
        }
    }

    /// After an error of the disk: open the file anew and write once more; if that fails too, nothing is kept.
    fn after_failure(&mut self, group: Vec<Job>, cause: &str) {
        tracing::error!(cause, "the disk failed under the store; opening the file anew");
        let again = match self.disk.reopen() {
            Ok(()) => self.attempt(&group),
            Err(error) => Err(Trouble::Disk(error.to_string())),
        };
        match again {
            Ok(outcomes) => self.reply(group, outcomes),
            Err(Trouble::Full | Trouble::Disk(_) | Trouble::Row(_) | Trouble::Gap(_)) => {
                let text = format!(
                    "the disk under {} failed: {cause}. Not saved. Check the disk; holdfastd keeps trying to open the store",
                    self.disk.folder().display()
                );
                let outcomes = group.iter().map(|job| failed(job, &text)).collect();
                self.reply(group, outcomes);
            }
        }
    }

    /// One transaction over all jobs, one sync, then the newest stamp.
    fn attempt(&mut self, group: &[Job]) -> Result<Vec<Outcome>, Trouble> {
        let conn = self.disk.conn().map_err(|error| Trouble::Disk(error.to_string()))?;
        let mut befores = Vec::new();
        let mut bad = Vec::new();
        let transaction = conn.unchecked_transaction()?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            outcomes.push(work_off(&transaction, job, &mut befores, &mut bad)?);
        }
        transaction.commit()?;
        self.counters.bad.fetch_add(bad.len() as u64, Ordering::Relaxed);
        spoil(conn, &bad);
        if group.iter().any(|job| matches!(job, Job::Persist { .. })) {
            self.counters.commits.fetch_add(1, Ordering::Relaxed);
        }
        let Some(stamp) = group.iter().rev().find_map(Job::stamp) else { return Ok(outcomes) };
        if let Err(error) = self.stamp.write(stamp) {
            tracing::error!(%error, "the stamp could not be written; taking the rows back");
            take_back(conn, group, &befores)?;
            for (job, outcome) in group.iter().zip(&mut outcomes) {
                if job.stamp().is_some() {
                    *outcome = Outcome::Failed(format!("{error}. Not saved"));
                }
            }
        }
        Ok(outcomes)
    }

    fn reply(&mut self, group: Vec<Job>, outcomes: Vec<Outcome>) {
        for (job, outcome) in group.into_iter().zip(outcomes) {
            let token = match job {
                Job::Persist { token, .. } | Job::Fetch { token, .. } => token,
                Job::Close => continue,
            };
            self.counters.waiting.fetch_sub(1, Ordering::Relaxed);
            (self.answer)(match outcome {
                Outcome::Saved => StoreEvent::Persisted { token },
                Outcome::Failed(cause) => StoreEvent::PersistFailed { token, cause },
                Outcome::Found(rows) => StoreEvent::Fetched { token, rows },
            });
        }
    }

    fn is_full(&self) -> bool {
        self.counters.full.load(Ordering::Relaxed)
    }

    /// Notes that the disk is full and gives the reserve back. True if that made room.
    fn run_full(&mut self) -> bool {
        if !self.counters.full.swap(true, Ordering::Relaxed) {
            tracing::error!(folder = %self.disk.folder().display(), "the disk is full; only small rows are still saved");
            self.healed_at = Instant::now();
        }
        self.disk.reserve().free() && sync_folder(self.disk.folder()).is_ok()
    }

    fn full_text(&self) -> String {
        format!(
            "the disk of {} is full. Not saved. What is shown and relayed goes on; free some space there and saving resumes by itself",
            self.disk.folder().display()
        )
    }

    /// Now and then: is there room again, does the file open again?
    fn heal(&mut self) {
        let is_lost = self.disk.conn().is_err();
        if !(is_lost || self.is_full()) || self.healed_at.elapsed() < self.disk.options().heal_every {
            return;
        }
        self.healed_at = Instant::now();
        if is_lost {
            match self.disk.reopen() {
                Ok(()) => tracing::info!("the store opens again"),
                Err(error) => tracing::warn!(%error, "the store still does not open"),
            }
        }
        if self.is_full() && self.disk.reserve().hold().is_ok() {
            self.counters.full.store(false, Ordering::Relaxed);
            tracing::info!("there is room on the disk again; everything is saved again");
        }
    }
}

fn failed(job: &Job, cause: &str) -> Outcome {
    match job {
        Job::Persist { .. } => Outcome::Failed(cause.to_owned()),
        Job::Fetch { .. } | Job::Close => Outcome::Found(Vec::new()),
    }
}

fn work_off(conn: &Connection, job: &Job, befores: &mut Vec<Before>, bad: &mut Vec<EntryId>) -> Result<Outcome, Trouble> {
    match job {
        Job::Persist { rows, stamp, .. } => {
            for row in rows {
                if stamp.is_some() {
                    befores.push(Before::take(conn, row)?);
                }
                if let (Row::Entry(entry), Some(stamp)) = (row, stamp) {
                    check_forerunner(conn, entry.id, stamp)?;
                }
                rows::write(conn, row)?;
            }
            Ok(Outcome::Saved)
        }
        Job::Fetch { entries, .. } => {
            let mut found = Vec::with_capacity(entries.len());
            for id in entries {
                match rows::fetch(conn, *id)? {
                    Some(Read::Good(row)) => found.push(row),
                    Some(Read::Bad(what)) => {
                        tracing::error!(row = what, "a stored row is damaged and not used; peers will be asked for it");
                        bad.push(*id);
                    }
                    None => {}
                }
            }
            Ok(Outcome::Found(found))
        }
        Job::Close => Ok(Outcome::Saved),
    }
}

/// Refuses an own entry that would stand in the store without the one before it.
fn check_forerunner(conn: &Connection, id: EntryId, stamp: &Stamp) -> Result<(), Trouble> {
    let is_own = id.log.author == stamp.node && id.log.incarnation == stamp.incarnation;
    let before = EntryId { number: id.number.saturating_sub(1), ..id };
    if !is_own || before.number == 0 || rows::has(conn, before)? {
        return Ok(());
    }
    Err(Trouble::Gap(before))
}

/// Marks damaged entries so that whatever comes for them is taken, unless the same group already brought it. A help for later
/// repair only: where it fails the row is found bad again.
fn spoil(conn: &Connection, bad: &[EntryId]) {
    for id in bad {
        let done = match rows::fetch(conn, *id) {
            Ok(Some(Read::Bad(_))) => rows::spoil(conn, rows::key_of(*id)),
            Ok(Some(Read::Good(_)) | None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, entry = %id, "a damaged entry couldn't be marked");
        }
    }
}

/// Takes every stamped job of a committed group back and writes the others again, which a stamped one may have stood before.
fn take_back(conn: &Connection, group: &[Job], befores: &[Before]) -> Result<(), Trouble> {
    let transaction = conn.unchecked_transaction()?;
    for before in befores.iter().rev() {
        before.restore(&transaction)?;
    }
    for job in group {
        match job {
            Job::Persist { rows, stamp: None, .. } => {
                rows.iter().try_for_each(|row| rows::write(&transaction, row))?;
            }
            Job::Persist { .. } | Job::Fetch { .. } | Job::Close => {}
        }
    }
    transaction.commit()?;
    Ok(())
}
