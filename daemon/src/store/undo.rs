//! What rows were before a job with a stamp wrote them, so that the job can be taken back when its stamp can't be written.
//!
//! Why at all: the stamp is written after the commit, or a crash in between would leave a stamp ahead of the store and cost an
//! incarnation. If then the stamp fails, the node hears `PersistFailed` and will use the number again for other words. Were the
//! first words still in the store, a restart would speak them, and there would be two stories under one number: a fork of our
//! own making. So they are taken out again, and the stamped jobs fail as if they had never been.

use holdfast_proto::io::Row;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};

use super::rows::{author_number, key_of, kind_number};

/// One row as it was.
#[derive(Debug)]
pub(super) struct Before {
    table: &'static str,
    key: &'static str,
    name: Vec<Value>,
    old: Option<Vec<Value>>,
}

impl Before {
    /// Remembers what stands where `row` will be written.
    pub(super) fn take(conn: &Connection, row: &Row) -> Result<Self> {
        let (table, key, name): (_, _, Vec<Value>) = match row {
            Row::Entry(entry) => {
                let (a, b, c, d) = key_of(entry.id);
                let name = vec![a.into(), b.into(), c.into(), d.into()];
                ("entry", "author = ?1 AND generation = ?2 AND incarnation = ?3 AND number = ?4", name)
            }
            Row::Doc { slot, author, kind, .. } => {
                let name = vec![author_number(*author).into(), kind_number(*kind).into(), i64::from(*slot).into()];
                ("doc", "author = ?1 AND kind = ?2 AND slot = ?3", name)
            }
            Row::Roster { bytes } => ("roster", "hash = ?1", vec![blake3::hash(bytes).as_bytes().to_vec().into()]),
            Row::Fork { log, .. } => ("fork", "log = ?1", vec![log.to_bytes().to_vec().into()]),
            Row::Meta { key, .. } => ("meta", "key = ?1", vec![key.clone().into()]),
        };
        let mut statement = conn.prepare_cached(&format!("SELECT * FROM {table} WHERE {key}"))?;
        let width = statement.column_count();
        let old = statement
            .query_row(params_from_iter(&name), |columns| (0..width).map(|place| columns.get(place)).collect())
            .optional()?;
        Ok(Self { table, key, name, old })
    }

    /// Puts it back.
    pub(super) fn restore(&self, conn: &Connection) -> Result<()> {
        let Self { table, key, name, old } = self;
        conn.prepare_cached(&format!("DELETE FROM {table} WHERE {key}"))?.execute(params_from_iter(name))?;
        let Some(old) = old else { return Ok(()) };
        let places = vec!["?"; old.len()].join(", ");
        conn.prepare_cached(&format!("INSERT INTO {table} VALUES ({places})"))?.execute(params_from_iter(old)).map(drop)
    }
}
