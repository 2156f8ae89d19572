//! Rows of the boundary to rows of SQLite and back. Everything read is checked against its own sums; nothing is understood.
//!
//! Bit rot: a header is checked against `hash`, everything else of a row (its key included) against `sum`, both the first 16
//! bytes of BLAKE3. An entry found bad gets an empty `hash`: it stays as evidence, and whatever peers send replaces it.

use bytes::Bytes;
use holdfast_proto::codec;
use holdfast_proto::config::{BODY_BYTES_MAX, HEADER_BYTES_MAX};
use holdfast_proto::id::{DocKind, EntryId, Generation, Incarnation, LogId, NodeId};
use holdfast_proto::identity::Signature;
use holdfast_proto::io::{AgeMark, DocRow, EntryRow, Row};
use holdfast_proto::time::UtcMillis;
use rusqlite::{Connection, OptionalExtension, Result, Row as Columns, params};

/// The tables. Entries live in a rowid table, so that fresh ones of a thousand authors all go to its end; the unique index over
/// the name is about 20 B an entry. Raise [`SCHEMA`] with any change.
pub(super) const CREATE: &str = "
CREATE TABLE house (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
  author INTEGER NOT NULL, generation INTEGER NOT NULL, incarnation INTEGER NOT NULL, number INTEGER NOT NULL,
  hash BLOB NOT NULL, sum BLOB NOT NULL, header BLOB NOT NULL, signature BLOB NOT NULL, body BLOB,
  age_ms INTEGER, age_at INTEGER NOT NULL,
  UNIQUE (author, generation, incarnation, number)) STRICT;
CREATE TABLE doc (
  author INTEGER NOT NULL, kind INTEGER NOT NULL, slot INTEGER NOT NULL,
  sum BLOB NOT NULL, bytes BLOB NOT NULL, signature BLOB NOT NULL, age_ms INTEGER, age_at INTEGER NOT NULL,
  PRIMARY KEY (author, kind, slot)) STRICT;
CREATE TABLE roster (place INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;
CREATE TABLE fork (log BLOB PRIMARY KEY, sum BLOB NOT NULL, proof BLOB NOT NULL) STRICT;
CREATE TABLE meta (key TEXT PRIMARY KEY, sum BLOB NOT NULL, value BLOB NOT NULL) STRICT;
";
/// Number of the schema, in `user_version`.
pub(super) const SCHEMA: u32 = 1;
/// The tables this module needs.
pub(super) const TABLES: [&str; 6] = ["house", "entry", "doc", "roster", "fork", "meta"];

const ENTRY_COLUMNS: &str =
    "author, generation, incarnation, number, hash, sum, header, signature, body, age_ms, age_at FROM entry";
const ENTRY_KEY: &str = "author = ?1 AND generation = ?2 AND incarnation = ?3 AND number = ?4";
/// Two rows and their names, with room.
const FORK_BYTES_MAX: usize = 2 * (HEADER_BYTES_MAX + BODY_BYTES_MAX + 256);

type Sum = [u8; 16];

/// What became of one stored row.
pub(super) enum Read<T> {
    /// Sums are right.
    Good(T),
    /// Bit rot or foreign hands: not to be used.
    Bad(String),
}

fn short(hash: blake3::Hash) -> Sum {
    let mut out = [0; 16];
    out.copy_from_slice(&hash.as_bytes()[..16]);
    out
}

/// First 16 bytes of BLAKE3 over parts, each with its length before it.
fn sum_of(parts: &[&[u8]]) -> Sum {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    short(hasher.finalize())
}

/// The four integers an entry is keyed by; their order is the order of [`EntryId`].
pub(super) type Key = (i64, i64, i64, i64);

pub(super) fn key_of(id: EntryId) -> Key {
    let log = id.log;
    (
        author_number(log.author),
        i64::from(u16::from_be_bytes([log.generation.count, log.generation.giver])),
        (i64::from(log.incarnation.count) << 16) | i64::from(log.incarnation.random),
        i64::from(id.number),
    )
}

pub(super) fn author_number(author: NodeId) -> i64 {
    i64::from(u32::from_be_bytes(author.to_bytes()))
}

fn author_of(number: i64) -> Option<NodeId> {
    u32::try_from(number).ok().map(|number| NodeId::from_bytes(number.to_be_bytes()))
}

fn id_of((author, generation, incarnation, number): Key) -> Option<EntryId> {
    let [count, giver] = u16::try_from(generation).ok()?.to_be_bytes();
    let [a, b, c, d] = u32::try_from(incarnation).ok()?.to_be_bytes();
    let incarnation = Incarnation { count: u16::from_be_bytes([a, b]), random: u16::from_be_bytes([c, d]) };
    let log = LogId { author: author_of(author)?, generation: Generation { count, giver }, incarnation };
    Some(EntryId { log, number: u32::try_from(number).ok()? })
}

fn age_columns(age: AgeMark) -> (Option<i64>, i64) {
    // An age beyond 292 million years is as old as that.
    (age.age_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)), age.at.0)
}

fn age_of(age_ms: Option<i64>, at: i64) -> Option<AgeMark> {
    let age_ms = age_ms.map(u64::try_from).transpose().ok()?;
    Some(AgeMark { age_ms, at: UtcMillis(at) })
}

fn age_bytes((age_ms, at): (Option<i64>, i64)) -> [u8; 17] {
    let mut out = [0; 17];
    out[0] = u8::from(age_ms.is_some());
    out[1..9].copy_from_slice(&age_ms.unwrap_or_default().to_be_bytes());
    out[9..].copy_from_slice(&at.to_be_bytes());
    out
}

fn entry_sum(key: Key, signature: &[u8], body: Option<&[u8]>, age: (Option<i64>, i64)) -> Sum {
    let mut name = [0; 32];
    for (place, part) in name.chunks_exact_mut(8).zip([key.0, key.1, key.2, key.3]) {
        place.copy_from_slice(&part.to_be_bytes());
    }
    let has_body = [u8::from(body.is_some())];
    sum_of(&[&name, signature, &age_bytes(age), &has_body, body.unwrap_or_default()])
}

fn doc_sum(key: (i64, i64, i64), bytes: &[u8], signature: &[u8], age: (Option<i64>, i64)) -> Sum {
    let mut name = [0; 24];
    for (place, part) in name.chunks_exact_mut(8).zip([key.0, key.1, key.2]) {
        place.copy_from_slice(&part.to_be_bytes());
    }
    sum_of(&[&name, bytes, signature, &age_bytes(age)])
}

pub(super) fn kind_number(kind: DocKind) -> i64 {
    match kind {
        DocKind::Board => 0,
        DocKind::Detail => 1,
    }
}

fn kind_of(number: i64) -> Option<DocKind> {
    match number {
        0 => Some(DocKind::Board),
        1 => Some(DocKind::Detail),
        _ => None,
    }
}

/// How many bytes a row brings, near enough to tell small from large.
pub(super) fn weight(row: &Row) -> usize {
    let entry = |row: &EntryRow| 128 + row.header.len() + row.body.as_ref().map_or(0, Bytes::len);
    match row {
        Row::Entry(row) => entry(row),
        Row::Doc { doc, .. } => 128 + doc.as_ref().map_or(0, |doc| doc.bytes.len()),
        Row::Roster { bytes } => 64 + bytes.len(),
        Row::Fork { one, other, .. } => entry(one) + entry(other),
        Row::Meta { key, value } => 64 + key.len() + value.len(),
    }
}

/// Writes one row inside the transaction that is open.
pub(super) fn write(conn: &Connection, row: &Row) -> Result<()> {
    match row {
        Row::Entry(entry) => write_entry(conn, entry),
        Row::Doc { slot, doc: Some(doc), author, kind } => write_doc(conn, *slot, doc, (*author, *kind)),
        Row::Doc { slot, doc: None, author, kind } => conn
            .prepare_cached("DELETE FROM doc WHERE author = ?1 AND kind = ?2 AND slot = ?3")?
            .execute(params![author_number(*author), kind_number(*kind), slot])
            .map(drop),
        Row::Roster { bytes } => conn
            .prepare_cached(
                "INSERT INTO roster (hash, bytes) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET bytes = excluded.bytes",
            )?
            .execute(params![blake3::hash(bytes).as_bytes(), &bytes[..]])
            .map(drop),
        Row::Fork { log, number, one, other } => {
            let log = log.to_bytes();
            let proof = codec::encode(&(number, one, other));
            conn.prepare_cached("INSERT OR REPLACE INTO fork (log, sum, proof) VALUES (?1, ?2, ?3)")?
                .execute(params![log, sum_of(&[&log, &proof]), proof])
                .map(drop)
        }
        Row::Meta { key, value } => conn
            .prepare_cached("INSERT OR REPLACE INTO meta (key, sum, value) VALUES (?1, ?2, ?3)")?
            .execute(params![key, sum_of(&[key.as_bytes(), value]), &value[..]])
            .map(drop),
    }
}

fn write_entry(conn: &Connection, entry: &EntryRow) -> Result<()> {
    let key = key_of(entry.id);
    let age = age_columns(entry.age);
    let body = entry.body.as_deref();
    // A stub never takes a body away that belongs to the same header.
    conn.prepare_cached(
        "INSERT INTO entry (author, generation, incarnation, number, hash, sum, header, signature, body, age_ms, age_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (author, generation, incarnation, number) DO UPDATE SET hash = excluded.hash, sum = excluded.sum,
           header = excluded.header, signature = excluded.signature, body = excluded.body,
           age_ms = excluded.age_ms, age_at = excluded.age_at
         WHERE excluded.body IS NOT NULL OR entry.body IS NULL OR entry.hash <> excluded.hash",
    )?
    .execute(params![
        key.0,
        key.1,
        key.2,
        key.3,
        short(blake3::hash(&entry.header)),
        entry_sum(key, &entry.signature.0, body, age),
        &entry.header[..],
        entry.signature.0,
        body,
        age.0,
        age.1
    ])
    .map(drop)
}

fn write_doc(conn: &Connection, slot: u8, doc: &DocRow, (author, kind): (NodeId, DocKind)) -> Result<()> {
    let key = (author_number(author), kind_number(kind), i64::from(slot));
    let age = age_columns(doc.age);
    conn.prepare_cached(
        "INSERT OR REPLACE INTO doc (author, kind, slot, sum, bytes, signature, age_ms, age_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        key.0,
        key.1,
        key.2,
        doc_sum(key, &doc.bytes, &doc.signature.0, age),
        &doc.bytes[..],
        doc.signature.0,
        age.0,
        age.1
    ])
    .map(drop)
}

/// A value of the wrong type or range is bit rot of that row, not of the file.
fn tolerant<T>(read: Result<Read<T>>) -> Result<Read<T>> {
    match read {
        Err(error) if error.sqlite_error_code().is_none() => Ok(Read::Bad(error.to_string())),
        other => other,
    }
}

/// One entry by name; `None` if there is none.
pub(super) fn fetch(conn: &Connection, id: EntryId) -> Result<Option<Read<EntryRow>>> {
    let key = key_of(id);
    conn.prepare_cached(&format!("SELECT {ENTRY_COLUMNS} WHERE {ENTRY_KEY}"))?
        .query_row(params![key.0, key.1, key.2, key.3], |columns| tolerant(read_entry(columns)))
        .optional()
}

/// True if something stands under that name, sound or not.
pub(super) fn has(conn: &Connection, id: EntryId) -> Result<bool> {
    let key = key_of(id);
    conn.prepare_cached(&format!("SELECT 1 FROM entry WHERE {ENTRY_KEY}"))?.exists(params![key.0, key.1, key.2, key.3])
}

/// Marks an entry as not to be trusted; whatever comes under its name replaces it.
pub(super) fn spoil(conn: &Connection, key: Key) -> Result<()> {
    conn.prepare_cached(&format!("UPDATE entry SET hash = x'' WHERE {ENTRY_KEY}"))?
        .execute(params![key.0, key.1, key.2, key.3])
        .map(drop)
}

fn read_entry(columns: &Columns<'_>) -> Result<Read<EntryRow>> {
    let key: Key = (columns.get(0)?, columns.get(1)?, columns.get(2)?, columns.get(3)?);
    let (hash, sum) = (columns.get_ref(4)?.as_blob()?, columns.get_ref(5)?.as_blob()?);
    let (header, signature) = (columns.get_ref(6)?.as_blob()?, columns.get_ref(7)?.as_blob()?);
    let body = columns.get_ref(8)?.as_blob_or_null()?;
    let age: (Option<i64>, i64) = (columns.get(9)?, columns.get(10)?);
    if hash != short(blake3::hash(header)) || sum != entry_sum(key, signature, body, age) {
        return Ok(Read::Bad(format!("entry {key:?}")));
    }
    let (Some(id), Ok(signature), Some(age)) = (id_of(key), signature.try_into(), age_of(age.0, age.1)) else {
        return Ok(Read::Bad(format!("entry {key:?}")));
    };
    Ok(Read::Good(EntryRow {
        id,
        header: Bytes::copy_from_slice(header),
        signature: Signature(signature),
        body: body.map(Bytes::copy_from_slice),
        age,
    }))
}

fn read_doc(columns: &Columns<'_>) -> Result<Read<Row>> {
    let key: (i64, i64, i64) = (columns.get(0)?, columns.get(1)?, columns.get(2)?);
    let sum = columns.get_ref(3)?.as_blob()?;
    let (bytes, signature) = (columns.get_ref(4)?.as_blob()?, columns.get_ref(5)?.as_blob()?);
    let age: (Option<i64>, i64) = (columns.get(6)?, columns.get(7)?);
    let known = (author_of(key.0), kind_of(key.1), u8::try_from(key.2), age_of(age.0, age.1), signature.try_into());
    let (Some(author), Some(kind), Ok(slot), Some(mark), Ok(signed)) = known else {
        return Ok(Read::Bad(format!("document {key:?}")));
    };
    if sum != doc_sum(key, bytes, signature, age) {
        return Ok(Read::Bad(format!("document {key:?}")));
    }
    let doc = DocRow { author, kind, bytes: Bytes::copy_from_slice(bytes), signature: Signature(signed), age: mark };
    Ok(Read::Good(Row::Doc { slot, doc: Some(doc), author, kind }))
}

fn read_roster(columns: &Columns<'_>) -> Result<Read<Row>> {
    let (hash, bytes) = (columns.get_ref(0)?.as_blob()?, columns.get_ref(1)?.as_blob()?);
    if hash != blake3::hash(bytes).as_bytes() {
        return Ok(Read::Bad("certificate".to_owned()));
    }
    Ok(Read::Good(Row::Roster { bytes: Bytes::copy_from_slice(bytes) }))
}

fn read_meta(columns: &Columns<'_>) -> Result<Read<Row>> {
    let key = columns.get_ref(0)?.as_bytes()?;
    let (sum, value) = (columns.get_ref(1)?.as_blob()?, columns.get_ref(2)?.as_blob()?);
    match std::str::from_utf8(key) {
        Ok(name) if sum == sum_of(&[key, value]) => {
            Ok(Read::Good(Row::Meta { key: name.to_owned(), value: Bytes::copy_from_slice(value) }))
        }
        Ok(_) | Err(_) => Ok(Read::Bad(format!("own value {}", String::from_utf8_lossy(key)))),
    }
}

fn read_fork(columns: &Columns<'_>) -> Result<Read<Row>> {
    let (log, sum) = (columns.get_ref(0)?.as_blob()?, columns.get_ref(1)?.as_blob()?);
    let proof = columns.get_ref(2)?.as_blob()?;
    let bad = || Ok(Read::Bad("fork proof".to_owned()));
    if sum != sum_of(&[log, proof]) {
        return bad();
    }
    let (Ok(log), Ok((number, one, other))) = (log.try_into(), codec::decode::<(u32, EntryRow, EntryRow)>(proof, FORK_BYTES_MAX))
    else {
        return bad();
    };
    Ok(Read::Good(Row::Fork { log: LogId::from_bytes(log), number, one, other }))
}

/// Hands over every row in the order a restore wants: roster as it came, own values, documents, forks, entries by name.
/// Returns how many were bad; bad entries are marked so that peers' copies replace them.
pub(super) fn load(conn: &Connection, mut each: impl FnMut(Row)) -> Result<u64> {
    let mut bad = 0_u64;
    let mut take = |read: Read<Row>| match read {
        Read::Good(row) => each(row),
        Read::Bad(what) => {
            bad += 1;
            tracing::error!(row = what, "a stored row is damaged and not used; peers will be asked for it");
        }
    };
    type Reader = fn(&Columns<'_>) -> Result<Read<Row>>;
    let tables: [(&str, Reader); 4] = [
        ("SELECT hash, bytes FROM roster ORDER BY place", read_roster),
        ("SELECT key, sum, value FROM meta ORDER BY key", read_meta),
        ("SELECT author, kind, slot, sum, bytes, signature, age_ms, age_at FROM doc ORDER BY author, kind, slot", read_doc),
        ("SELECT log, sum, proof FROM fork ORDER BY log", read_fork),
    ];
    for (sql, reader) in tables {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(columns) = rows.next()? {
            take(tolerant(reader(columns))?);
        }
    }
    let mut spoilt = Vec::new();
    {
        let mut statement = conn.prepare(&format!("SELECT {ENTRY_COLUMNS} ORDER BY author, generation, incarnation, number"))?;
        let mut rows = statement.query([])?;
        while let Some(columns) = rows.next()? {
            match tolerant(read_entry(columns))? {
                Read::Good(entry) => take(Read::Good(Row::Entry(entry))),
                Read::Bad(what) => {
                    spoilt.push((columns.get(0)?, columns.get(1)?, columns.get(2)?, columns.get(3)?));
                    take(Read::Bad(what));
                }
            }
        }
    }
    for key in spoilt {
        // Only a help for later repair: on a full disk the row stays as it is and is found bad again.
        if let Err(error) = spoil(conn, key) {
            tracing::warn!(%error, "a damaged entry couldn't be marked");
        }
    }
    // What was read in passing is not read again soon; the cache is for the pages that are written.
    conn.execute_batch("PRAGMA shrink_memory")?;
    Ok(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_go_there_and_back_and_keep_the_order_of_names(a in any::<[u8; 14]>(), b in any::<[u8; 14]>()) {
            let name = |bytes: [u8; 14]| {
                let mut log = [0; 10];
                log.copy_from_slice(&bytes[..10]);
                let number = u32::from_be_bytes([bytes[10], bytes[11], bytes[12], bytes[13]]);
                EntryId { log: LogId::from_bytes(log), number }
            };
            prop_assert_eq!(id_of(key_of(name(a))), Some(name(a)));
            prop_assert_eq!(key_of(name(a)).cmp(&key_of(name(b))), name(a).cmp(&name(b)));
        }
    }
}
