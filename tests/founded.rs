//! An alliance founded by hand with `holdfast alliance`, as its people would, and daemons that run on these papers.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, run};
use tempfile::TempDir;

/// `holdfast alliance ARGS --dir DIR`.
#[track_caller]
fn alliance(dir: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(&binaries().holdfast);
    command.arg("alliance").args(args).arg("--dir").arg(dir).env("LC_ALL", "C.UTF-8").env("HOME", dir);
    run(&mut command, BLINK)
}

/// A founded alliance with one issuer.
fn founded() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let _ =
        alliance(folder.path(), &["init", "--kind", "simulation", "--roots", "2/3", "--firm", "One", "--firm", "Two"]).exits(0);
    let _ = alliance(folder.path(), &["issue", "issuer", "--number", "1", "--firm", "One"]).exits(0);
    folder
}

/// A certified node with its folder.
fn certified(folder: &Path, serial: u16, name: &str, role: &str) -> Node {
    let id = format!("1-{serial}");
    let dir: PathBuf = folder.join(&id);
    let out = dir.display().to_string();
    let line = ["issue", "node", "--id", &id, "--name", name, "--role", role, "--region", "TPE", "--out", &out];
    let _ = alliance(folder, &line).exits(0);
    Node::new(name, id.parse().expect("a node id"), dir, Settings::on_loopback())
}

#[test]
fn a_node_certified_later_is_known_by_the_papers_it_shows() {
    let folder = founded();
    // The first node's alliance file was written before the second was certified.
    let mut first = certified(folder.path(), 1, "甲店", "store");
    let mut second = certified(folder.path(), 2, "乙倉", "hub");
    second.settings.sync_peers = vec![first.settings.sync_address()];
    first.start();
    second.start();
    first.api().ask_for("water:1", "from the first", None).expect("saved");
    second.api().ask_for("water:1", "from the second", None).expect("saved");
    eventually(SOON, "both know both", || {
        let (one, two) = (first.api().digest()?, second.api().digest()?);
        let requests = first.api().requests()?.requests.len();
        if one.digest == two.digest && requests == 2 { Ok(()) } else { Err(format!("{one:?} {two:?}")) }
    });
    let names: Vec<String> = first.api().status().expect("status").nodes.into_iter().map(|n| n.name).collect();
    assert!(names.contains(&"乙倉".to_owned()), "{names:?}");
}

#[test]
fn keys_are_for_their_owner_alone_and_never_shown() {
    let folder = founded();
    let node = certified(folder.path(), 1, "store", "store");
    let key = node.dir().join("node.key");
    assert_eq!(key.metadata().expect("the key").permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&key).expect("the key");
    let secret = secret.lines().nth(1).expect("the second line holds the key");
    for file in [key.clone(), node.dir().join("alliance.hf")] {
        let shown = alliance(folder.path(), &["show", &file.display().to_string()]).exits(0);
        assert!(!shown.words().contains(secret), "{shown:?}");
    }
}

#[test]
fn nothing_is_founded_or_certified_twice() {
    let folder = founded();
    let _ = certified(folder.path(), 1, "store", "store");
    for line in [
        &["init", "--kind", "simulation"][..],
        &["issue", "issuer", "--number", "1", "--firm", "One"],
        &["issue", "node", "--id", "1-1", "--name", "again", "--region", "TPE"],
    ] {
        let run = alliance(folder.path(), line);
        assert!(run.code != 0 && !run.err.is_empty(), "{line:?}: {run:?}");
    }
    let foreign = alliance(folder.path(), &["issue", "node", "--id", "2-1", "--name", "no issuer", "--region", "TPE"]);
    assert!(foreign.code != 0, "{foreign:?}");
}
