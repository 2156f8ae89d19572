//! Plugs pulled, stores garbled, deleted and rolled back: no acknowledged word is lost or doubled, and nobody tells two stories.

use std::collections::BTreeMap;
use std::fs::{copy, create_dir_all, read, read_dir, remove_dir_all, write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use holdfast_tests::{Alliance, Api, LONG, Plan, SOON, eventually};

/// Between two writes of one writer under load: some 50 a second and node.
const PACE: Duration = Duration::from_millis(20);
/// Times each node is killed.
const ROUNDS: usize = 3;

/// Writes requests until told to stop; a write without an answer is tried again with its key until it is acknowledged.
fn write_until(stop: &mpsc::Receiver<()>, api: &Api, name: &str) -> Vec<String> {
    let (mut acknowledged, mut number, mut stopping) = (Vec::new(), 0, false);
    loop {
        let note = format!("{name} {number:04}");
        if api.ask_for("water:1", &note, Some(&note)).is_ok() {
            acknowledged.push(note);
            number += 1;
            if stopping {
                return acknowledged;
            }
        }
        match stop.recv_timeout(PACE) {
            // One more, so that a write which was under way at the kill is settled.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => stopping = true,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn counted(notes: Vec<String>) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for note in notes {
        *count.entry(note).or_insert(0) += 1;
    }
    count
}

/// Every acknowledged word once on every node, and nothing twice.
#[track_caller]
fn always_each_word_once(alliance: &Alliance, acknowledged: &[String]) {
    for reader in 0..alliance.nodes().len() {
        let held = counted(alliance.notes(reader));
        let lost: Vec<&String> = acknowledged.iter().filter(|note| !held.contains_key(*note)).collect();
        let twice: Vec<&String> = held.iter().filter(|(_, n)| **n > 1).map(|(note, _)| note).collect();
        assert!(lost.is_empty() && twice.is_empty(), "node {reader}: lost {lost:?}, twice {twice:?}");
    }
}

#[test]
fn killing_each_node_under_load_loses_and_doubles_no_acknowledged_word() {
    let mut alliance = Plan::of(3).start();
    let apis: Vec<Api> = alliance.nodes().iter().map(holdfast_tests::Node::api).collect();
    let acknowledged: Vec<String> = std::thread::scope(|scope| {
        let mut writers = Vec::new();
        for (n, api) in apis.iter().enumerate() {
            let (stop, stopped) = mpsc::channel();
            writers.push((stop, scope.spawn(move || write_until(&stopped, api, &format!("writer {n}")))));
        }
        for round in 0..ROUNDS * 3 {
            let victim = round % 3;
            // A different moment of the load each time: after so many more words of the victim.
            let before = apis[victim].digest().map(|d| d.entries).unwrap_or_default();
            eventually(SOON, "the load goes on", || {
                let now = apis[victim].digest()?.entries;
                if now > before + 5 + round as u64 * 3 { Ok(()) } else { Err(format!("{now} entries")) }
            });
            alliance.node_mut(victim).kill();
            alliance.node_mut(victim).start();
        }
        for (stop, _) in &writers {
            let _ = stop.send(());
        }
        writers.into_iter().flat_map(|(_, writer)| writer.join().expect("a writer ends")).collect()
    });
    alliance.wait_equal(LONG);
    assert!(acknowledged.len() > 100, "only {} words: no load", acknowledged.len());
    always_each_word_once(&alliance, &acknowledged);
}

#[test]
fn all_killed_at_once_know_everything_after_the_restart() {
    let mut alliance = Plan::of(3).start();
    let mut acknowledged = Vec::new();
    for n in 0..30 {
        let note = format!("word {n:02}");
        alliance.node(n % 3).api().ask_for("water:1", &note, None).expect("saved");
        acknowledged.push(note);
    }
    for n in 0..3 {
        alliance.node_mut(n).kill();
    }
    alliance.start();
    alliance.wait_equal(SOON);
    always_each_word_once(&alliance, &acknowledged);
}

#[test]
fn a_restart_in_good_order_keeps_the_incarnation_and_the_digest() {
    let mut alliance = Plan::of(1).start();
    alliance.node(0).api().ask_for("water:1", "kept", None).expect("saved");
    alliance.node(0).api().report(&[("operating.status", "open")]).expect("saved");
    let before = alliance.node(0).api().digest().expect("digest");
    alliance.node_mut(0).stop();
    alliance.node_mut(0).start();
    let after = alliance.node(0).api().digest().expect("digest");
    assert_eq!(before.digest, after.digest);
    assert_eq!(alliance.node(0).api().status().expect("status").nodes[0].operating_status, "open");
}

/// Files of a folder, those in folders below it too.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = read_dir(folder).expect("the data folder can be read").flatten().map(|e| e.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Fills three nodes, waits until all hold the same, and stops the last.
fn filled() -> (Alliance, Vec<String>) {
    let mut alliance = Plan::of(3).start();
    let mut acknowledged = Vec::new();
    for n in 0..30 {
        let note = format!("word {n:02}");
        alliance.node(n % 3).api().ask_for("water:1", &note, None).expect("saved");
        acknowledged.push(note);
    }
    alliance.wait_equal(SOON);
    alliance.node_mut(2).stop();
    (alliance, acknowledged)
}

/// The last node runs again, is refilled by the others, writes, and nobody saw two stories.
#[track_caller]
fn back_in_service(alliance: &mut Alliance, mut acknowledged: Vec<String>) {
    alliance.node_mut(2).start();
    alliance.wait_linked();
    let note = "after the mishap".to_owned();
    eventually(SOON, "the node writes again", || alliance.node(2).api().ask_for("water:1", &note, Some(&note)));
    acknowledged.push(note);
    alliance.wait_equal(LONG);
    always_each_word_once(alliance, &acknowledged);
    for node in alliance.nodes() {
        let status = node.api().status().expect("status");
        assert!(status.nodes.iter().all(|n| !n.forked), "{} shows a fork: {:?}", node.name, status.nodes);
    }
}

#[test]
fn a_garbled_store_is_set_aside_and_refilled_under_a_new_incarnation() {
    let (mut alliance, acknowledged) = filled();
    let data = alliance.node(2).data_dir();
    let before = files(&data).len();
    for path in files(&data) {
        let mut bytes = read(&path).expect("a file of the store");
        for (n, byte) in bytes.iter_mut().enumerate().filter(|(n, _)| n % 3 == 0) {
            *byte = byte.wrapping_mul(31).wrapping_add(n.to_le_bytes()[0]);
        }
        write(&path, bytes).expect("a file of the store");
    }
    back_in_service(&mut alliance, acknowledged);
    assert!(files(&data).len() > before, "the garbled file is kept for people to look at: {:?}", files(&data));
}

#[test]
fn a_store_garbled_in_the_middle_is_noticed_not_believed() {
    let (mut alliance, acknowledged) = filled();
    let data = alliance.node(2).data_dir();
    let largest = files(&data).into_iter().max_by_key(|p| p.metadata().map(|m| m.len()).unwrap_or_default());
    let largest = largest.expect("the store has a file");
    let mut bytes = read(&largest).expect("a file of the store");
    let middle = bytes.len() / 2;
    for byte in bytes.iter_mut().skip(middle).take(8_192) {
        *byte ^= 0x5a;
    }
    write(&largest, bytes).expect("a file of the store");
    back_in_service(&mut alliance, acknowledged);
}

#[test]
fn a_deleted_store_comes_back_from_the_others() {
    let (mut alliance, acknowledged) = filled();
    remove_dir_all(alliance.node(2).data_dir()).expect("the data folder can be removed");
    back_in_service(&mut alliance, acknowledged);
}

fn copy_folder(from: &Path, to: &Path) {
    create_dir_all(to).expect("a folder for the backup");
    for path in files(from) {
        let relative = path.strip_prefix(from).expect("invariant: files() lists what is below");
        let target = to.join(relative);
        create_dir_all(target.parent().expect("invariant: a file lies in a folder")).expect("a folder for the backup");
        copy(&path, target).expect("a file of the backup");
    }
}

/// Words said after the backup was taken; then the data folder is rolled back to it.
fn rolled_back() -> (Alliance, Vec<String>) {
    let (mut alliance, mut acknowledged) = filled();
    let (data, backup) = (alliance.node(2).data_dir(), alliance.node(2).dir().join("backup"));
    copy_folder(&data, &backup);
    alliance.node_mut(2).start();
    alliance.wait_linked();
    for n in 0..10 {
        let note = format!("after the backup {n}");
        alliance.node(2).api().ask_for("water:1", &note, None).expect("saved");
        acknowledged.push(note);
    }
    alliance.wait_equal(SOON);
    alliance.node_mut(2).stop();
    remove_dir_all(&data).expect("the data folder can be removed");
    copy_folder(&backup, &data);
    (alliance, acknowledged)
}

#[test]
fn an_old_backup_put_back_makes_no_fork() {
    let (mut alliance, acknowledged) = rolled_back();
    back_in_service(&mut alliance, acknowledged);
}

#[test]
fn an_old_backup_makes_no_fork_even_where_the_stamp_went_with_it() {
    let (mut alliance, acknowledged) = rolled_back();
    std::fs::remove_file(alliance.node(2).dir().join("continuity.stamp")).expect("the stamp stands outside the data folder");
    back_in_service(&mut alliance, acknowledged);
}

#[test]
fn an_old_backup_makes_no_fork_even_if_it_writes_before_it_meets_anyone() {
    let (mut alliance, mut acknowledged) = rolled_back();
    alliance.node_mut(0).stop();
    alliance.node_mut(1).stop();
    alliance.node_mut(2).start();
    alliance.node(2).api().ask_for("water:1", "alone with a backup", None).expect("saved");
    acknowledged.push("alone with a backup".to_owned());
    alliance.node_mut(2).stop();
    alliance.node_mut(0).start();
    alliance.node_mut(1).start();
    back_in_service(&mut alliance, acknowledged);
}
