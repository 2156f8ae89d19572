//! The SQLite file of the store: opening, settings, schema, clean mark, setting aside. Not what rows mean, not when to commit.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::reserve::Reserve;
use super::{DATABASE, Options, StoreError, rows, sync_folder};

/// Below it SQLite can lose commits at a WAL reset (3.7.0-3.51.2). trust.md section 5.
const ENGINE_MIN: i32 = 3_051_003;
/// `PRAGMA synchronous`: FULL.
const FULL: i64 = 2;
/// Negative: KiB. Four times SQLite's own default would be too much of the 40 MiB a daemon may use.
const CACHE_KIB: i64 = -4_096;

/// The open file with all that belongs to it.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    options: Options,
    conn: Option<Connection>,
    reserve: Reserve,
    lock: Option<File>,
}

/// What the file looked like.
pub(super) struct Found {
    pub(super) was_clean: bool,
    pub(super) is_new: bool,
}

/// Refuses an SQLite with known faults.
pub(super) fn check_engine() -> Result<(), StoreError> {
    if rusqlite::version_number() >= ENGINE_MIN {
        return Ok(());
    }
    let cause = "it is older than 3.51.3 and can lose saved data".to_owned();
    Err(StoreError::Engine { version: rusqlite::version(), cause })
}

impl Disk {
    /// Opens the file, gives the reserve back if that is what it takes.
    ///
    /// # Errors
    /// As [`super::Store::open`], and `Garbled`.
    pub(super) fn open(folder: &Path, options: &Options) -> Result<(Self, Found), StoreError> {
        let reserve = Reserve::new(folder, options.reserve);
        reserve.drop_half();
        let (conn, found) = match connect(folder, options) {
            Err(StoreError::Full { path, cause }) => {
                if !reserve.free() {
                    return Err(StoreError::Full { path, cause });
                }
                connect(folder, options)?
            }
            other => other?,
        };
        if let Err(error) = reserve.hold() {
            tracing::warn!(%error, folder = %folder.display(), "no room for the reserve: the disk is nearly full");
        }
        let disk = Self { folder: folder.to_owned(), options: options.clone(), conn: Some(conn), reserve, lock: None };
        Ok((disk, found))
    }

    pub(super) fn locked_by(mut self, lock: File) -> Self {
        self.lock = Some(lock);
        self
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// The connection.
    ///
    /// # Errors
    /// [`StoreError::Disk`] after the disk failed and could not be opened again.
    pub(super) fn conn(&self) -> Result<&Connection, StoreError> {
        self.conn.as_ref().ok_or_else(|| StoreError::Disk {
            path: self.folder.clone(),
            cause: "the disk failed and the file could not be opened again yet".to_owned(),
        })
    }

    /// Closes and opens the file after a failed write or sync: what SQLite holds in memory can't be trusted then, and what the
    /// file says is the truth (R7). Everything in the log is written into the database and synced anew.
    ///
    /// # Errors
    /// As [`super::Store::open`]; then there is no connection until this succeeds.
    pub(super) fn reopen(&mut self) -> Result<(), StoreError> {
        // The error of closing says nothing that opening won't say better.
        drop(self.conn.take());
        let (conn, _) = connect(&self.folder, &self.options)?;
        checkpoint(&conn).map_err(|error| StoreError::from_sql(&self.folder, &error))?;
        self.conn = Some(conn);
        Ok(())
    }

    /// Empties the log into the database, leaves the clean mark and closes.
    ///
    /// # Errors
    /// [`StoreError`] of the disk; then the next start checks the file through.
    pub(super) fn close(mut self) -> Result<(), StoreError> {
        let fail = |error: rusqlite::Error| StoreError::from_sql(&self.folder, &error);
        let Some(conn) = self.conn.take() else { return Ok(()) };
        mark(&conn, true).map_err(fail)?;
        checkpoint(&conn).map_err(fail)?;
        conn.close().map_err(|(_, error)| fail(error))
    }

    /// Closes without a mark, keeps the lock.
    ///
    /// # Panics
    /// Never: a disk handed out by [`super::Store`] is locked.
    pub(super) fn release(self) -> (PathBuf, Options, File) {
        drop(self.conn);
        (self.folder, self.options, self.lock.expect("invariant: Store holds only locked disks"))
    }
}

fn connect(folder: &Path, options: &Options) -> Result<(Connection, Found), StoreError> {
    let path = folder.join(DATABASE);
    let fail = |error: rusqlite::Error| StoreError::from_sql(folder, &error);
    let conn = Connection::open(&path).map_err(fail)?;
    settle(&conn, options).map_err(fail)?;
    check_settings(&conn).map_err(fail)?.map_or(Ok(()), |cause| Err(engine(cause)))?;
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
    let is_new = version == 0 && tables(&conn).map_err(fail)?.is_empty();
    if !is_new {
        check_version(&conn, folder, version)?;
    }
    if is_new {
        create(&conn).map_err(fail)?;
        sync_folder(folder).map_err(|error| StoreError::from_io(folder, &error))?;
    }
    let was_clean = check(&conn, folder)?;
    // The first write of this run: a read-only or full disk shows itself here, not at the first word of a person.
    mark(&conn, false).map_err(fail)?;
    Ok((conn, Found { was_clean, is_new }))
}

/// The number stands twice, in the file's head and in `house`, so that a flipped bit doesn't pass for a newer version.
fn check_version(conn: &Connection, folder: &Path, version: u32) -> Result<(), StoreError> {
    let ask = "SELECT value FROM house WHERE key = 'schema'";
    let second: u32 = conn.query_row(ask, [], |row| row.get(0)).map_err(|error| StoreError::from_sql(folder, &error))?;
    let path = folder.to_owned();
    if second != version || version < rows::SCHEMA {
        let cause = format!("its schema number is {version} in one place and {second} in the other");
        return Err(StoreError::Garbled { path, cause });
    }
    if version > rows::SCHEMA {
        return Err(StoreError::Newer { path, found: version, known: rows::SCHEMA });
    }
    Ok(())
}

fn engine(cause: String) -> StoreError {
    StoreError::Engine { version: rusqlite::version(), cause }
}

fn settle(conn: &Connection, options: &Options) -> rusqlite::Result<()> {
    // Before the first read, or the log would be opened in shared memory.
    conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", CACHE_KIB)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 1_000)?;
    // A log grown in a storm is cut back at the next checkpoint.
    conn.pragma_update(None, "journal_size_limit", 8 << 20)?;
    if let Some(pages) = options.page_limit {
        conn.pragma_update(None, "max_page_count", pages)?;
    }
    conn.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Reads back what decides over lost words. `Some` says what was not obeyed.
fn check_settings(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let mode: String = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = conn.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    let locking: String = conn.pragma_query_value(None, "locking_mode", |row| row.get(0))?;
    let mmap: Option<i64> = conn.pragma_query_value(None, "mmap_size", |row| row.get(0)).optional()?;
    let obeyed = mode == "wal" && synchronous == FULL && locking == "exclusive" && mmap.unwrap_or(0) == 0;
    let said = format!("journal_mode={mode} synchronous={synchronous} locking_mode={locking} mmap_size={mmap:?}");
    Ok((!obeyed).then(|| format!("it does not take its settings ({said})")))
}

fn create(conn: &Connection) -> rusqlite::Result<()> {
    let transaction = conn.unchecked_transaction()?;
    transaction.execute_batch(rows::CREATE)?;
    transaction.pragma_update(None, "user_version", rows::SCHEMA)?;
    transaction.execute("INSERT INTO house (key, value) VALUES ('schema', ?1)", [rows::SCHEMA])?;
    mark(&transaction, true)?;
    transaction.commit()
}

fn tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Checks the schema, and after a dirty stop the whole file. True if the last stop was clean.
fn check(conn: &Connection, folder: &Path) -> Result<bool, StoreError> {
    let fail = |error: rusqlite::Error| StoreError::from_sql(folder, &error);
    let garbled = |cause: String| StoreError::Garbled { path: folder.to_owned(), cause };
    let found = tables(conn).map_err(fail)?;
    if let Some(missing) = rows::TABLES.iter().find(|name| !found.iter().any(|found| found == *name)) {
        return Err(garbled(format!("table {missing} is missing")));
    }
    let probe = "SELECT author, generation, incarnation, number, hash, sum, header, signature, body, age_ms, age_at FROM entry";
    conn.prepare(probe).map_err(fail)?;
    let clean: Option<i64> =
        conn.query_row("SELECT value FROM house WHERE key = 'clean'", [], |row| row.get(0)).optional().map_err(fail)?;
    if clean == Some(1) {
        return Ok(true);
    }
    let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fail)?;
    if verdict == "ok" { Ok(false) } else { Err(garbled(verdict)) }
}

fn mark(conn: &Connection, clean: bool) -> rusqlite::Result<()> {
    conn.execute("INSERT OR REPLACE INTO house (key, value) VALUES ('clean', ?1)", [i64::from(clean)]).map(drop)
}

fn checkpoint(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)).map(drop)
}

/// Renames the database and its log to the first free `holdfast.db.garbled-N`.
///
/// # Errors
/// What the file system says.
pub(super) fn set_aside(folder: &Path) -> io::Result<PathBuf> {
    let from = folder.join(DATABASE);
    let name = |number: u32, tail: &str| folder.join(format!("{DATABASE}.garbled-{number}{tail}"));
    let taken = |number: &u32| ["", "-wal"].iter().any(|tail| name(*number, tail).exists());
    let number = (1..u32::MAX).find(|number| !taken(number)).unwrap_or(u32::MAX);
    let to = name(number, "");
    // The database first: SQLite throws a log away that has no database, but would take a database without its log for whole.
    fs::rename(from, &to)?;
    for tail in ["-wal", "-shm", "-journal"] {
        match fs::rename(folder.join(format!("{DATABASE}{tail}")), name(number, tail)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sync_folder(folder)?;
    Ok(to)
}
