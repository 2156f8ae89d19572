//! The store's promises, each a sentence. Power cuts and kills are tried on the whole daemon in `tests/`, not here.

mod rot;

use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use holdfast_proto::id::{DocKind, EntryId, Generation, Incarnation, LogId, NodeId};
use holdfast_proto::identity::Signature;
use holdfast_proto::io::{AgeMark, DocRow, EntryRow, Stamp};
use holdfast_proto::time::UtcMillis;
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

/// Longest a test waits for the writer.
const LIMIT: Duration = Duration::from_secs(20);

fn small() -> Options {
    Options { reserve: 64 << 10, heal_every: Duration::ZERO, ..Options::default() }
}

fn node(serial: u16) -> NodeId {
    NodeId { issuer: 1, serial }
}

fn log(serial: u16) -> LogId {
    LogId {
        author: node(serial),
        generation: Generation { count: 1, giver: 0 },
        incarnation: Incarnation { count: 1, random: 9 },
    }
}

fn entry(serial: u16, number: u32, body: Option<&[u8]>) -> EntryRow {
    let mut header = vec![0x5a; 80];
    header.extend_from_slice(&log(serial).to_bytes());
    header.extend_from_slice(&number.to_be_bytes());
    EntryRow {
        id: EntryId { log: log(serial), number },
        header: header.into(),
        signature: Signature([number.to_le_bytes()[0]; 64]),
        body: body.map(Bytes::copy_from_slice),
        age: AgeMark { age_ms: Some(5), at: UtcMillis(1_790_000_000_000) },
    }
}

fn doc(serial: u16, text: &[u8]) -> Row {
    let (author, kind) = (node(serial), DocKind::Board);
    let age = AgeMark { age_ms: None, at: UtcMillis::UNKNOWN };
    let doc = DocRow { author, kind, bytes: Bytes::copy_from_slice(text), signature: Signature([3; 64]), age };
    Row::Doc { slot: 0, doc: Some(doc), author, kind }
}

fn meta(key: &str, value: &[u8]) -> Row {
    Row::Meta { key: key.to_owned(), value: Bytes::copy_from_slice(value) }
}

fn stamp(number: u32) -> Stamp {
    let incarnation = Incarnation { count: 1, random: 9 };
    Stamp { node: node(1), incarnation, number, hash: [1; 16], board: 0, detail: 0 }
}

struct Running {
    writer: Writer,
    events: Receiver<StoreEvent>,
}

impl Running {
    fn next(&self) -> StoreEvent {
        self.events.recv_timeout(LIMIT).expect("an answer in time")
    }

    fn saved(&self, token: u64) {
        assert_eq!(self.next(), StoreEvent::Persisted { token });
    }

    fn not_saved(&self, token: u64) -> String {
        let event = self.next();
        let StoreEvent::PersistFailed { token: found, cause } = event else { panic!("{token} should have failed: {event:?}") };
        assert_eq!(found, token);
        cause
    }

    fn fetch(&self, entries: Vec<EntryId>) -> Vec<EntryRow> {
        self.writer.fetch(99, entries).expect("taken");
        let event = self.next();
        let StoreEvent::Fetched { token: 99, rows } = event else { panic!("not an answer to this fetch: {event:?}") };
        rows
    }
}

fn open(dir: &TempDir) -> Opened {
    Store::open(&dir.path().join("data"), small()).expect("opens")
}

fn stamp_file(dir: &TempDir) -> StampFile {
    StampFile::open(&dir.path().join("continuity.stamp")).expect("stamp")
}

fn start(dir: &TempDir, options: Options) -> Running {
    let store = Store::open(&dir.path().join("data"), options).expect("opens").store;
    let (tx, events) = channel();
    let answer = move |event| tx.send(event).expect("test listens");
    Running { writer: store.start(stamp_file(dir), answer).expect("thread"), events }
}

/// Writes rows and stops cleanly.
fn fill(dir: &TempDir, rows: Vec<Row>) {
    let running = start(dir, small());
    running.writer.persist(1, rows, None).expect("taken");
    running.saved(1);
    running.writer.close().expect("closes");
}

fn load(dir: &TempDir) -> (Vec<Row>, Loaded) {
    let mut rows = Vec::new();
    let loaded = open(dir).store.load(|row| rows.push(row)).expect("loads");
    (rows, loaded)
}

fn raw(dir: &TempDir) -> Connection {
    Connection::open(dir.path().join("data").join(DATABASE)).expect("raw")
}

fn one_of_each() -> Vec<Row> {
    vec![
        Row::Entry(entry(2, 2, Some(b"two"))),
        Row::Entry(entry(2, 1, None)),
        Row::Entry(entry(1, 7, Some(b""))),
        Row::Fork { log: log(3), number: 4, one: entry(3, 4, Some(b"a")), other: entry(3, 4, Some(b"b")) },
        doc(5, b"board"),
        meta("b", b"2"),
        meta("a", b""),
        Row::Roster { bytes: Bytes::from_static(b"zz charter") },
        Row::Roster { bytes: Bytes::from_static(b"aa issuer") },
    ]
}

#[test]
fn rows_come_back_whole_in_the_order_a_restore_wants() {
    let dir = tempfile::tempdir().expect("dir");
    let given = one_of_each();
    fill(&dir, given.clone());
    let (rows, loaded) = load(&dir);
    let order = [7, 8, 6, 5, 4, 3, 2, 1, 0];
    assert_eq!(rows, order.map(|place| given[place].clone()));
    assert_eq!(loaded, Loaded { rows: 9, bad: 0 });
}

#[test]
fn a_second_daemon_on_the_same_folder_is_refused_at_once() {
    let dir = tempfile::tempdir().expect("dir");
    let first = open(&dir);
    let error = Store::open(&dir.path().join("data"), small()).expect_err("refused");
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("data_dir"), "{error}");
    drop(first);
    open(&dir);
}

#[test]
fn what_decides_over_lost_words_is_read_back_from_sqlite() {
    let dir = tempfile::tempdir().expect("dir");
    let opened = open(&dir);
    let conn = opened.store.disk.conn().expect("open");
    let ask = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect("pragma");
    assert_eq!((ask("synchronous"), ask("trusted_schema"), ask("cell_size_check")), (2, 0, 1));
    assert_eq!((ask("wal_autocheckpoint"), ask("user_version")), (1_000, i64::from(rows::SCHEMA)));
    assert!(file::check_engine().is_ok(), "{}", rusqlite::version());
}

#[cfg(unix)]
#[test]
fn the_folder_is_for_its_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("dir");
    open(&dir);
    let mode = fs::metadata(dir.path().join("data")).expect("folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_clean_stop_and_a_dirty_one_are_told_apart() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, one_of_each());
    let opened = open(&dir);
    assert!(opened.was_clean && !opened.is_new);
    drop(opened);
    assert!(!open(&dir).was_clean);
}

#[test]
fn a_file_that_is_no_database_is_set_aside_and_the_next_one_too() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, one_of_each());
    let path = dir.path().join("data").join(DATABASE);
    for number in 1..=2 {
        fs::write(&path, vec![number; 9_000]).expect("garble");
        let opened = open(&dir);
        let aside = opened.set_aside.expect("set aside");
        assert_eq!(aside, dir.path().join("data").join(format!("{DATABASE}.garbled-{number}")));
        assert_eq!(fs::read(aside).expect("kept"), vec![number; 9_000]);
        assert!(opened.is_new);
        assert_eq!(opened.store.load(|_| panic!("empty")).expect("loads"), Loaded::default());
    }
}

#[test]
fn after_a_dirty_stop_broken_pages_are_found_and_set_aside() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, (1..200).map(|number| Row::Entry(entry(1, number, Some(&[7; 300])))).collect());
    drop(open(&dir));
    let path = dir.path().join("data").join(DATABASE);
    // Opening put its mark into the log; without the log the database itself is what counts.
    raw(&dir).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
    let mut bytes = fs::read(&path).expect("read");
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xff);
    fs::write(&path, bytes).expect("spoil");
    assert!(open(&dir).set_aside.is_some());
}

#[test]
fn a_missing_table_counts_as_garbled_and_a_newer_schema_is_left_alone() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, one_of_each());
    raw(&dir).execute_batch("DROP TABLE fork").expect("drop");
    assert!(open(&dir).set_aside.is_some());
    raw(&dir).pragma_update(None, "user_version", rows::SCHEMA + 1).expect("raise");
    assert!(open(&dir).set_aside.is_some(), "raised in one place only: a flipped bit");
    raw(&dir).pragma_update(None, "user_version", rows::SCHEMA + 1).expect("raise");
    raw(&dir).execute("UPDATE house SET value = value + 1 WHERE key = 'schema'", []).expect("raise");
    let error = Store::open(&dir.path().join("data"), small()).expect_err("refused");
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}

#[test]
fn a_store_can_be_set_aside_while_it_is_open() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, one_of_each());
    let opened = open(&dir).store.set_aside().expect("fresh");
    assert!(opened.is_new && opened.set_aside.is_some_and(|path| path.exists()));
    assert!(matches!(Store::open(&dir.path().join("data"), small()), Err(StoreError::InUse { .. })), "lock is kept");
}

#[test]
fn a_folder_that_can_not_be_made_is_named_in_the_error() {
    let dir = tempfile::tempdir().expect("dir");
    fs::write(dir.path().join("data"), b"a file").expect("file");
    let error = Store::open(&dir.path().join("data"), small()).expect_err("refused").to_string();
    assert!(error.contains("data") && error.contains("Check"), "{error}");
}

#[test]
fn a_flipped_bit_in_any_column_is_noticed_and_the_row_not_used() {
    for (table, columns) in [
        ("entry", &["hash", "sum", "header", "signature", "body"][..]),
        ("doc", &["sum", "bytes", "signature"]),
        ("roster", &["hash", "bytes"]),
        ("fork", &["log", "sum", "proof"]),
        ("meta", &["sum", "value"]),
    ] {
        for column in columns {
            let dir = tempfile::tempdir().expect("dir");
            fill(&dir, one_of_each());
            let conn = raw(&dir);
            let choose = format!("SELECT rowid, {column} FROM {table} WHERE length({column}) > 0");
            let (row, mut bytes) = conn
                .query_row(&choose, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .expect("a row with bytes");
            let last = bytes.len() - 1;
            bytes[last] ^= 0x10;
            conn.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE rowid = ?2"), (bytes, row)).expect("flip");
            drop(conn);
            assert_eq!(load(&dir).1, Loaded { rows: 8, bad: 1 }, "{table}.{column}");
        }
    }
}

#[test]
fn changed_numbers_of_a_row_are_noticed_too() {
    for change in [
        "entry SET number = number + 100",
        "entry SET age_ms = age_ms + 1",
        "entry SET age_at = 0",
        "entry SET body = NULL WHERE body IS NOT NULL",
        "doc SET slot = 1",
        "doc SET author = author + 1",
        "meta SET key = key || 'x'",
    ] {
        let dir = tempfile::tempdir().expect("dir");
        fill(&dir, one_of_each());
        let changed = raw(&dir).execute(&format!("UPDATE {change}"), []).expect("change");
        assert_eq!(load(&dir).1.bad, changed as u64, "{change}");
    }
}

#[test]
fn a_damaged_entry_is_not_fetched_and_even_a_stub_from_a_peer_replaces_it() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, vec![Row::Entry(entry(1, 1, Some(b"one"))), Row::Entry(entry(1, 2, Some(b"two")))]);
    raw(&dir).execute("UPDATE entry SET body = x'00' WHERE number = 1", []).expect("spoil");
    let running = start(&dir, small());
    let ids = vec![entry(1, 1, None).id, entry(1, 2, None).id];
    assert_eq!(running.fetch(ids.clone()), [entry(1, 2, Some(b"two"))]);
    assert_eq!(running.writer.stats().bad, 1);
    running.writer.persist(1, vec![Row::Entry(entry(1, 1, None))], None).expect("taken");
    running.saved(1);
    assert_eq!(running.fetch(ids), [entry(1, 1, None), entry(1, 2, Some(b"two"))]);
}

#[test]
fn a_stub_gives_way_to_a_body_and_never_takes_one_away() {
    let dir = tempfile::tempdir().expect("dir");
    let running = start(&dir, small());
    for (token, body) in [(1, None), (2, Some(&b"body"[..])), (3, None)] {
        running.writer.persist(token, vec![Row::Entry(entry(1, 1, body))], None).expect("taken");
        running.saved(token);
        let held = running.fetch(vec![entry(1, 1, None).id]);
        assert_eq!(held[0].body.as_deref(), (token > 1).then_some(&b"body"[..]));
    }
}

#[test]
fn entries_are_fetched_in_the_order_asked_and_answers_keep_the_order_of_jobs() {
    let dir = tempfile::tempdir().expect("dir");
    let running = start(&dir, small());
    let rows = (1..=3).map(|number| Row::Entry(entry(1, number, None))).collect();
    running.writer.persist(1, rows, None).expect("taken");
    let ids = [3, 9, 1, 2, 3].map(|number| entry(1, number, None).id);
    running.writer.fetch(2, ids.to_vec()).expect("taken");
    running.writer.persist(3, vec![meta("k", b"v")], None).expect("taken");
    running.saved(1);
    let rows = [3, 1, 2, 3].map(|number| entry(1, number, None)).to_vec();
    assert_eq!(running.next(), StoreEvent::Fetched { token: 2, rows });
    running.saved(3);
}

/// A writer that stands still inside its first answer until the gate opens: everything sent meanwhile is one group.
fn gated(dir: &TempDir) -> (Running, std::sync::mpsc::Sender<()>) {
    let store = open(dir).store;
    let (tx, events) = channel();
    let (gate, opened) = channel();
    let mut first = true;
    let answer = move |event| {
        tx.send(event).expect("test listens");
        if std::mem::take(&mut first) {
            opened.recv_timeout(LIMIT).expect("gate opens");
        }
    };
    let running = Running { writer: store.start(stamp_file(dir), answer).expect("thread"), events };
    running.writer.persist(0, vec![meta("first", b"")], None).expect("taken");
    running.saved(0);
    (running, gate)
}

#[test]
fn jobs_that_wait_share_one_commit_and_are_answered_in_order() {
    let dir = tempfile::tempdir().expect("dir");
    let (running, gate) = gated(&dir);
    for token in 1..=500 {
        let own = (token % 5 == 0).then(|| stamp(token));
        running.writer.persist(token.into(), vec![Row::Entry(entry(1, token, None))], own).expect("taken");
    }
    gate.send(()).expect("open");
    for token in 1..=500 {
        running.saved(token);
    }
    assert_eq!(running.writer.stats().commits, 2);
    assert_eq!(running.writer.stats().waiting, 0);
    running.writer.close().expect("closes");
    assert_eq!(stamp_file(&dir).found(), Ok(stamp(500)));
    assert_eq!(load(&dir).1.rows, 501);
}

#[test]
fn of_a_group_only_the_bad_job_fails_and_it_changes_nothing() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, vec![meta("kept", b"old")]);
    raw(&dir)
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON meta WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .expect("trigger");
    let (running, gate) = gated(&dir);
    let send = |token, rows| running.writer.persist(token, rows, None).expect("taken");
    send(1, vec![meta("one", b"1")]);
    send(2, vec![meta("kept", b"new"), meta("two", b"2"), meta("bad", b"")]);
    send(3, vec![meta("three", b"3")]);
    gate.send(()).expect("open");
    running.saved(1);
    assert!(running.not_saved(2).contains("Not saved"));
    running.saved(3);
    running.writer.close().expect("closes");
    let expected = [meta("first", b""), meta("kept", b"old"), meta("one", b"1"), meta("three", b"3")];
    assert_eq!(load(&dir).0, expected);
}

#[test]
fn after_an_own_word_failed_those_that_follow_it_fail_too_until_it_is_said_again() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, vec![]);
    raw(&dir)
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON meta WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END")
        .expect("trigger");
    let (running, gate) = gated(&dir);
    let send = |token, rows, own| running.writer.persist(token, rows, own).expect("taken");
    send(1, vec![Row::Entry(entry(1, 1, None))], Some(stamp(1)));
    send(2, vec![Row::Entry(entry(1, 2, Some(b"lost"))), meta("bad", b"")], Some(stamp(2)));
    send(3, vec![Row::Entry(entry(1, 3, None)), Row::Entry(entry(1, 4, None))], Some(stamp(4)));
    send(4, vec![Row::Entry(entry(2, 9, None))], None);
    gate.send(()).expect("open");
    running.saved(1);
    running.not_saved(2);
    assert!(running.not_saved(3).contains("#2 was not saved"));
    running.saved(4);
    send(5, vec![Row::Entry(entry(1, 2, Some(b"again")))], Some(stamp(2)));
    send(6, vec![Row::Entry(entry(1, 3, None))], Some(stamp(3)));
    running.saved(5);
    running.saved(6);
    running.writer.close().expect("closes");
    assert_eq!(stamp_file(&dir).found(), Ok(stamp(3)));
}

#[test]
fn without_a_stamp_the_own_rows_are_taken_back_and_the_others_stay() {
    let dir = tempfile::tempdir().expect("dir");
    let before = vec![doc(1, b"old board"), meta("next", b"1"), Row::Entry(entry(1, 1, None))];
    fill(&dir, before);
    let store = open(&dir).store;
    let mut broken = stamp_file(&dir);
    broken.break_it();
    let (tx, events) = channel();
    let (gate, opened) = channel::<()>();
    let mut gate_is_open = false;
    let answer = move |event| {
        tx.send(event).expect("test listens");
        gate_is_open = gate_is_open || opened.recv_timeout(LIMIT).is_err();
    };
    let running = Running { writer: store.start(broken, answer).expect("thread"), events };
    let send = |token, rows, stamp| running.writer.persist(token, rows, stamp).expect("taken");
    send(0, vec![meta("first", b"")], None);
    running.saved(0);
    send(1, vec![doc(1, b"new board"), meta("next", b"2"), Row::Entry(entry(1, 1, Some(b"body")))], Some(stamp(2)));
    send(2, vec![meta("next", b"other"), doc(2, b"foreign")], None);
    send(3, vec![meta("next", b"3"), Row::Roster { bytes: Bytes::from_static(b"r") }], Some(stamp(3)));
    drop(gate);
    assert!(running.not_saved(1).contains("continuity stamp"));
    running.saved(2);
    assert!(running.not_saved(3).contains("Not saved"));
    running.writer.close().expect("closes");
    let expected =
        [meta("first", b""), meta("next", b"other"), doc(1, b"old board"), doc(2, b"foreign"), Row::Entry(entry(1, 1, None))];
    assert_eq!(load(&dir).0, expected);
}

#[test]
fn a_full_disk_refuses_with_a_clear_text_reads_on_and_heals_by_itself() {
    let dir = tempfile::tempdir().expect("dir");
    let running = start(&dir, Options { page_limit: Some(60), ..small() });
    running.writer.persist(1, vec![Row::Entry(entry(1, 1, Some(b"kept"))), meta("big", &[1; 100_000])], None).expect("taken");
    running.saved(1);
    running.writer.persist(2, vec![meta("more", &[2; 200_000])], None).expect("taken");
    let cause = running.not_saved(2);
    assert!(cause.contains("full") && cause.contains("free some space"), "{cause}");
    assert!(running.writer.stats().full);
    assert_eq!(running.fetch(vec![entry(1, 1, None).id]), [entry(1, 1, Some(b"kept"))]);
    running.writer.persist(3, vec![meta("big", b"")], None).expect("taken");
    running.saved(3);
    running.writer.persist(4, vec![meta("more", &[2; 100_000])], None).expect("taken");
    running.saved(4);
    assert!(!running.writer.stats().full);
}

#[test]
fn a_disk_that_fails_under_a_running_store_refuses_and_comes_back_by_itself() {
    let dir = tempfile::tempdir().expect("dir");
    fill(&dir, (1..500).map(|number| Row::Entry(entry(1, number, Some(&[7; 300])))).collect());
    let path = dir.path().join("data").join(DATABASE);
    let sound = fs::read(&path).expect("read");
    let running = start(&dir, small());
    let spoilt: Vec<u8> = sound.iter().enumerate().map(|(at, byte)| if at < 4_096 { *byte } else { 0xff }).collect();
    fs::write(&path, spoilt).expect("spoil");
    assert_eq!(running.fetch(vec![entry(1, 250, None).id]), []);
    running.writer.persist(1, vec![meta("a", b"")], Some(stamp(1))).expect("taken");
    let cause = running.not_saved(1);
    assert!(cause.contains("Check the disk"), "{cause}");
    fs::write(&path, sound).expect("mend");
    assert_eq!(running.fetch(vec![entry(1, 250, None).id]), [entry(1, 250, Some(&[7; 300]))]);
    running.writer.persist(2, vec![meta("a", b"")], Some(stamp(1))).expect("taken");
    running.saved(2);
    running.writer.close().expect("closes");
    assert_eq!(load(&dir).1, Loaded { rows: 500, bad: 0 });
}

#[test]
fn closing_does_what_waits_and_leaves_no_log() {
    let dir = tempfile::tempdir().expect("dir");
    let running = start(&dir, small());
    for token in 1..=50 {
        running.writer.persist(token, vec![Row::Entry(entry(1, token as u32, None))], None).expect("taken");
    }
    running.writer.close().expect("closes");
    assert_eq!(running.events.iter().count(), 50);
    assert!(!dir.path().join("data/holdfast.db-wal").exists());
    assert_eq!(load(&dir).1.rows, 50);
}

/// A disk of so many KiB of its own. Taken away at the end.
struct Disk {
    dir: TempDir,
}

impl Disk {
    fn new(kib: u32) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let size = format!("size={kib}k,mode=700");
        let done = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).status();
        assert!(done.expect("mount runs").success(), "mounting needs root");
        Self { dir }
    }

    fn fill(&self) -> PathBuf {
        let path = self.dir.path().join("ballast");
        let mut file = File::create(&path).expect("ballast");
        while io::Write::write_all(&mut file, &[1; 4_096]).is_ok() {}
        path
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let done = std::process::Command::new("mount").args(["-o", &options]).arg(self.dir.path()).status();
        assert!(done.expect("mount runs").success(), "remounting");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(self.dir.path()).status().expect("umount runs");
    }
}

#[test]
fn a_reserve_left_half_filled_is_taken_away_at_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    for options in [small(), Options { reserve: 0, ..small() }] {
        drop(Store::open(dir.path(), options.clone()).expect("opens"));
        let half = dir.path().join("holdfast.reserve.new");
        fs::write(&half, [1; 100]).expect("left behind");
        drop(Store::open(dir.path(), options).expect("opens"));
        assert!(!half.exists());
    }
}

#[test]
#[ignore = "needs root: mounts a small disk"]
fn on_a_disk_that_is_really_full_the_reserve_lets_small_rows_through_until_there_is_room() {
    let disk = Disk::new(4_096);
    let running = start(&disk.dir, Options { reserve: 512 << 10, ..small() });
    running.writer.persist(1, vec![Row::Entry(entry(1, 1, Some(b"kept")))], Some(stamp(1))).expect("taken");
    running.saved(1);
    let ballast = disk.fill();
    let rows = |from: u32| (from..from + 100).map(|number| Row::Entry(entry(2, number, Some(&[1; 2_000])))).collect();
    running.writer.persist(2, rows(1), None).expect("taken");
    assert!(running.not_saved(2).contains("full"));
    running.writer.persist(3, vec![Row::Entry(entry(1, 2, Some(b"revoked")))], Some(stamp(2))).expect("taken");
    running.saved(3);
    assert_eq!(running.fetch(vec![entry(1, 2, None).id]), [entry(1, 2, Some(b"revoked"))]);
    fs::remove_file(ballast).expect("room");
    running.writer.persist(4, rows(1), None).expect("taken");
    running.saved(4);
    assert!(!running.writer.stats().full);
    running.writer.close().expect("closes");
    assert_eq!(load(&disk.dir).1, Loaded { rows: 102, bad: 0 });
}

#[test]
#[ignore = "needs root: mounts a small disk"]
fn a_disk_full_or_read_only_at_the_start_is_an_error_of_its_own() {
    let disk = Disk::new(1_024);
    let ballast = disk.fill();
    let error = Store::open(&disk.dir.path().join("data"), small()).expect_err("full");
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    fs::remove_file(ballast).expect("room");
    fill(&disk.dir, one_of_each());
    disk.fill();
    assert_eq!(load(&disk.dir).1.rows, 9, "the reserve is given back to start");
    disk.remount("ro");
    let error = Store::open(&disk.dir.path().join("data"), small()).expect_err("read-only");
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
    disk.remount("rw");
}
