//! What happened to a real daemon is played again by the simulator, from the file alone.

use std::fs::{read, read_dir, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast_tests::{Node, Plan, Run, SOON, binaries, eventually, run};

/// Longest a replay of some seconds may take.
const REPLAY_MAX: Duration = Duration::from_secs(60);

fn replay(file: &Path, more: &[&str]) -> Run {
    run(Command::new(&binaries().holdfast_sim).arg("replay").arg(file).args(more), REPLAY_MAX)
}

/// Recordings of a node, oldest first.
fn recordings(node: &Node) -> Vec<PathBuf> {
    let folder = read_dir(node.data_dir().join("recordings")).expect("the folder is made at the start");
    let mut found: Vec<PathBuf> = folder.map(|entry| entry.expect("readable").path()).collect();
    found.sort();
    found
}

#[test]
fn a_start_that_was_refused_is_not_recorded_and_pushes_no_recording_out() {
    let mut alliance = Plan::of(1).make();
    alliance.node_mut(0).env.insert("HOLDFAST_LOG__RECORD".to_owned(), "true".to_owned());
    alliance.node_mut(0).start();
    alliance.node_mut(0).stop();
    let real = recordings(alliance.node(0));
    let taken = std::net::TcpListener::bind(("127.0.0.1", alliance.node(0).settings.api_port)).expect("the port is free");
    for _ in 0..4 {
        assert!(alliance.node(0).refuses().exits(1).err.contains("H-731"));
    }
    drop(taken);
    assert_eq!((real.len(), recordings(alliance.node(0))), (1, real));
}

#[test]
fn a_daemon_that_was_killed_is_played_again_step_by_step() {
    let mut alliance = Plan::of(2).make();
    alliance.node_mut(0).env.insert("HOLDFAST_LOG__RECORD".to_owned(), "true".to_owned());
    alliance.node_mut(0).start();
    alliance.node_mut(1).start();
    let (recorded, other) = (alliance.node(0).api(), alliance.node(1).api());
    recorded.report(&[("stock.water", "low")]).expect("saved");
    other.ask_for("water:1", "heard from the other", None).expect("saved");
    eventually(SOON, "both know the request", || match recorded.requests()?.requests.len() {
        1 => Ok(()),
        count => Err(format!("{count} requests")),
    });
    alliance.node_mut(0).kill();

    // Another life on the same store: its rows are part of the second recording.
    alliance.node_mut(0).start();
    alliance.node(0).api().ask_for("rice:2", "of the second life", None).expect("saved");
    alliance.wait_linked();
    alliance.node_mut(0).stop();

    let files = recordings(alliance.node(0));
    assert_eq!(files.len(), 2, "{files:?}");
    for file in &files {
        let told = replay(file, &["--events"]).exits(0);
        assert!(told.out.contains("each the same") && told.out.contains("realm simulation"), "{}", told.out);
        assert!(told.out.contains("PeerUp"), "{}", told.out);
        assert_eq!(told.out, replay(file, &["--events"]).exits(0).out);
    }
    assert!(alliance.node_mut(1).running() && !alliance.node(1).data_dir().join("recordings").exists(), "recorded unasked");

    let bytes = read(&files[1]).expect("its bytes");
    let key = std::fs::read_to_string(alliance.node(0).dir().join("node.key")).expect("its key");
    let blocks = holdfast_proto::identity::dearmor(&key).expect("armored");
    assert!(!bytes.windows(32).any(|window| window == blocks[0].bytes.as_ref()), "the key is in the recording");

    // A word that was changed is not said again: the signature is of another.
    let at = bytes.windows(6).rposition(|window| window == b"rice:2").expect("the command is in it");
    let changed = alliance.node(0).dir().join("changed.recording");
    write(&changed, [&bytes[..at], b"milk", &bytes[at + 4..]].concat()).expect("written");
    let told = replay(&changed, &[]).exits(1);
    assert!(told.out.contains("another one than recorded") && told.out.contains("milk"), "{}", told.out);

    for (name, bytes, words) in [
        ("later", [b"holdfast.recording/7\n".as_slice(), &bytes[21..]].concat(), "is holdfast.recording/7"),
        ("foreign", b"{\"schema\":\"x\"}".to_vec(), "no recording"),
        ("short", bytes[..200].to_vec(), "before the node had started"),
    ] {
        let path = alliance.node(0).dir().join(name);
        write(&path, bytes).expect("written");
        let told = replay(&path, &[]).exits(1);
        assert!(told.err.contains(words), "{name}: {}", told.err);
    }
}
