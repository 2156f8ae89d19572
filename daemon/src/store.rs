//! The node's memory on disk: rows in one SQLite file, one writer thread, one daemon per folder. Knows nothing of what rows mean.
//!
//! [`Store::open`] locks the folder, checks the file and sets a garbled one aside; [`Store::load`] hands every row to the node;
//! [`Store::start`] gives the connection to a thread of its own, and [`Writer`] is the way to it. Answers come as [`StoreEvent`]
//! in the order asked, and `Persisted` only once rows and stamp are synced (P4). Not here: the daily copy (`VACUUM INTO`) and
//! the sweep of what lies below floors.
//!
//! | file in the folder | what |
//! | --- | --- |
//! | `holdfast.db`, `-wal` | the rows; any SQLite tool reads them while the daemon is down |
//! | `holdfast.lock` | locked by the running daemon; its content means nothing |
//! | `holdfast.reserve` | room given back when the disk is full, see [`Options::reserve`] |
//! | `holdfast.db.garbled-N` | a file that could not be read, kept for whoever wants to look |

mod file;
mod reserve;
mod rows;
mod undo;
mod writer;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_proto::io::Row;

pub use writer::{Refused, Stats, StoreEvent, Writer};

use crate::code::Code;
use crate::stamp::StampFile;
use file::Disk;

/// The database.
pub const DATABASE: &str = "holdfast.db";
/// The lock.
pub const LOCK: &str = "holdfast.lock";

/// How the store behaves. `Default` is right for a store PC.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes held back on the disk and freed when it is full, so that small urgent rows still fit. 16 MiB: trust.md R6.
    /// 0 holds nothing back.
    pub reserve: u64,
    /// While the disk is full, how often to try whether there is room again.
    pub heal_every: Duration,
    /// Longest the writer collects further jobs under load before it commits. 5 ms: trust.md section 5.
    pub gather: Duration,
    /// Largest size of the database in pages of 4 KiB, as a quota; beyond it the disk counts as full.
    pub page_limit: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve: 16 << 20, heal_every: Duration::from_secs(10), gather: Duration::from_millis(5), page_limit: None }
    }
}

/// The store can't be opened, read or closed. Each says what happened, what it means and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon runs on this folder.
    #[error(
        "the data folder {path} is in use by another holdfastd (or a tool that looks into it). Two daemons on one store would speak with one voice against each \
         other, so this one stops. Stop the other one, or give this one a data_dir of its own"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// This user may not use the folder.
    #[error(
        "no right to use the data folder {path}: {cause}. Nothing can be saved there. Give the folder to the user holdfastd runs \
         as, for example `chown -R holdfast {path}`, or set another data_dir"
    )]
    NoRight {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The disk can only be read.
    #[error(
        "the disk of the data folder {path} is read-only: {cause}. Nothing can be saved there; a failing disk often turns \
         read-only by itself. Check the disk and mount it writable, or set another data_dir"
    )]
    ReadOnly {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The disk is full, even with the reserve given back.
    #[error(
        "the disk of the data folder {path} is full: {cause}. holdfastd can't start without a little room. Free some space \
         there (20 MB will do) and start again; nothing was lost"
    )]
    Full {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// Written by a later version.
    #[error(
        "the store in {path} has schema {found}, this holdfastd knows {known}: it was written by a newer version. Nothing was \
         changed. Install the newer holdfastd again, or set another data_dir"
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Schema number in the file.
        found: u32,
        /// Highest known here.
        known: u32,
    },
    /// The SQLite this program was built with has known faults, or does not do as told.
    #[error(
        "the built-in SQLite {version} can't be trusted with the store: {cause}. Nothing was changed. Install a holdfastd that was \
         built with its own bundled SQLite"
    )]
    Engine {
        /// Its version.
        version: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The file broke while it was read: call [`Store::set_aside`].
    #[error("the store in {path} is damaged: {cause}. It can be set aside; peers then refill a fresh one. Check the disk")]
    Garbled {
        /// The folder.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// Anything else the disk or system said.
    #[error(
        "the store in {path} can't be used: {cause}. Nothing is saved until that is mended. Check that the disk is sound and the \
         folder is on a local file system"
    )]
    Disk {
        /// The folder.
        path: PathBuf,
        /// What was said.
        cause: String,
    },
}

impl StoreError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::StoreInUse,
            Self::NoRight { .. } => Code::StoreNoRight,
            Self::ReadOnly { .. } => Code::StoreReadOnly,
            Self::Full { .. } => Code::StoreFull,
            Self::Newer { .. } => Code::StoreNewer,
            Self::Engine { .. } => Code::StoreEngine,
            Self::Garbled { .. } => Code::StoreGarbled,
            Self::Disk { .. } => Code::StoreDisk,
        }
    }

    /// Sorts an error of the file system.
    fn from_io(path: &Path, error: &io::Error) -> Self {
        let (path, cause) = (path.to_owned(), error.to_string());
        let kind = error.kind();
        if kind == io::ErrorKind::PermissionDenied {
            return Self::NoRight { path, cause };
        }
        if kind == io::ErrorKind::ReadOnlyFilesystem {
            return Self::ReadOnly { path, cause };
        }
        if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Self::Full { path, cause };
        }
        Self::Disk { path, cause }
    }

    /// Sorts an error of SQLite.
    fn from_sql(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let (path, cause) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Garbled { path, cause },
            Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen | ErrorCode::AuthorizationForStatementDenied) => {
                Self::NoRight { path, cause }
            }
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path, cause },
            Some(ErrorCode::DiskFull) => Self::Full { path, cause },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            // A value of the wrong type in a STRICT table, or our own SQL refused: head or schema of the file was damaged.
            None | Some(ErrorCode::Unknown) => Self::Garbled { path, cause },
            Some(_) => Self::Disk { path, cause },
        }
    }
}

/// A store that is open, and what opening it found.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Where a garbled file was put. If so the store is empty: open a new incarnation and refill from peers.
    pub set_aside: Option<PathBuf>,
    /// The last daemon here ended by [`Writer::close`]; otherwise the file was checked through.
    pub was_clean: bool,
    /// There was no store here before (also after setting one aside).
    pub is_new: bool,
}

/// What [`Store::load`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows handed over.
    pub rows: u64,
    /// Rows that are damaged and were not.
    pub bad: u64,
}

/// An open store whose writer doesn't run yet. Dropping it unlocks the folder.
#[derive(Debug)]
pub struct Store {
    disk: Disk,
}

impl Store {
    /// Opens the store in `folder`, making it (0700) if missing. Blocks; up to seconds after a dirty stop of a large store.
    ///
    /// # Errors
    /// Every [`StoreError`] but `Garbled`: a garbled file is set aside.
    pub fn open(folder: &Path, options: Options) -> Result<Opened, StoreError> {
        file::check_engine()?;
        make_folder(folder).map_err(|error| StoreError::from_io(folder, &error))?;
        let lock = lock(folder)?;
        Self::open_locked(folder, options, lock)
    }

    fn open_locked(folder: &Path, options: Options, lock: File) -> Result<Opened, StoreError> {
        let mut set_aside = None;
        let (disk, found) = match Disk::open(folder, &options) {
            Err(StoreError::Garbled { cause, .. }) => {
                let to = file::set_aside(folder).map_err(|error| StoreError::from_io(folder, &error))?;
                tracing::error!(%cause, to = %to.display(), "the store is garbled; set aside, starting empty, peers will refill it");
                set_aside = Some(to);
                Disk::open(folder, &options)?
            }
            other => other?,
        };
        let store = Self { disk: disk.locked_by(lock) };
        Ok(Opened { store, set_aside, was_clean: found.was_clean, is_new: found.is_new })
    }

    /// Hands over every row: roster as it came, own values, documents, forks, then entries by logbook and number. Each is
    /// checked against its stored sums; damaged ones are counted, logged and left out.
    ///
    /// # Errors
    /// [`StoreError::Garbled`] if the file breaks underway: forget the rows handed over and call [`Self::set_aside`].
    pub fn load(&self, mut each: impl FnMut(Row)) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        let conn = self.disk.conn()?;
        loaded.bad = rows::load(conn, |row| {
            loaded.rows += 1;
            each(row);
        })
        .map_err(|error| StoreError::from_sql(self.disk.folder(), &error))?;
        Ok(loaded)
    }

    /// Puts the file away as garbled and opens a fresh one, still under the same lock.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn set_aside(self) -> Result<Opened, StoreError> {
        let (folder, options, lock) = self.disk.release();
        let to = file::set_aside(&folder).map_err(|error| StoreError::from_io(&folder, &error))?;
        let opened = Self::open_locked(&folder, options, lock)?;
        Ok(Opened { set_aside: Some(to), ..opened })
    }

    /// Starts the writer. `answer` is called on the writer's thread, must not block, and gets one event for each job, in order.
    ///
    /// # Errors
    /// [`StoreError::Disk`] if the system gives no thread.
    pub fn start(self, stamp: StampFile, answer: impl FnMut(StoreEvent) + Send + 'static) -> Result<Writer, StoreError> {
        Writer::start(self.disk, stamp, Box::new(answer))
    }
}

/// Looks whether a store could be opened or made in `folder`, as far as that can be seen without making anything.
///
/// # Errors
/// [`StoreError`]: something is in the way.
pub fn check(folder: &Path) -> Result<(), StoreError> {
    file::check_engine()?;
    check_folder(folder).map_err(|error| StoreError::from_io(folder, &error))
}

/// Looks whether another daemon runs on `folder`.
///
/// # Errors
/// [`StoreError::InUse`], or what the system says of the lock.
pub fn check_unused(folder: &Path) -> Result<(), StoreError> {
    if folder.join(LOCK).exists() { lock(folder).map(drop) } else { Ok(()) }
}

/// True errors only: of the folder, or of the nearest above it that is there, in which it would be made. Rights alone say too
/// little, least of all for root on a file system that the kernel makes up: a folder is made there and taken away again.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    let mut there = folder;
    let found = loop {
        match (fs::metadata(there), there.parent()) {
            (Err(error), Some(above)) if error.kind() == io::ErrorKind::NotFound => {
                there = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            }
            (found, _) => break found?,
        }
    };
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?;
    let probe = there.join(format!(".holdfast-check-{}", std::process::id()));
    match fs::create_dir(&probe) {
        Ok(()) => fs::remove_dir(&probe),
        // A store that is there starts on a full disk too.
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Ok(()),
        Err(error) => Err(error),
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let open = File::options().read(true).write(true).create(true).truncate(false).open(folder.join(LOCK));
    let file = open.map_err(|error| StoreError::from_io(folder, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StoreError::from_io(folder, &error)),
    }
}

/// Makes a folder and those above it, for this user only (0700) where it is new.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes new names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests;
