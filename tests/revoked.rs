//! A PC is stolen: its key is taken away from a half that is cut off, and after the heal everybody sees one end state. Real daemons on
//! papers made with `holdfast alliance`.

use std::path::Path;
use std::process::Command;

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, run};
use tempfile::TempDir;

#[track_caller]
fn alliance(dir: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(&binaries().holdfast);
    command.arg("alliance").args(args).arg("--dir").arg(dir).env("LC_ALL", "C.UTF-8").env("HOME", dir);
    run(&mut command, BLINK)
}

/// Two firms certify two stores and a hub each: four nodes that know each other's papers, each dialling all before it.
fn four() -> (TempDir, Vec<Node>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    let _ =
        alliance(dir, &["init", "--kind", "simulation", "--roots", "2/3", "--firm", "One", "--firm", "Two", "--firm", "County"])
            .exits(0);
    let _ = alliance(dir, &["issue", "issuer", "--number", "1", "--firm", "One"]).exits(0);
    let _ = alliance(dir, &["issue", "issuer", "--number", "2", "--firm", "Two"]).exits(0);
    let mut nodes: Vec<Node> = Vec::new();
    for (id, name, role) in
        [("1-1", "hub", "hub"), ("1-2", "stolen", "store"), ("2-1", "other", "store"), ("2-2", "far", "store")]
    {
        let out = dir.join("nodes").join(id);
        let _ = alliance(dir, &["issue", "node", "--id", id, "--name", name, "--role", role, "--region", "TPE"]).exits(0);
        let mut node = Node::new(name, id.parse().expect("a node id"), out, Settings::on_loopback());
        node.settings.sync_peers = nodes.iter().map(|other| other.settings.sync_address()).collect();
        nodes.push(node);
    }
    for node in &mut nodes {
        node.start();
    }
    (folder, nodes)
}

fn equal(nodes: &[&Node]) {
    eventually(SOON, "these are equal", || {
        let digests: Result<Vec<String>, String> = nodes.iter().map(|node| Ok(node.api().digest()?.digest)).collect();
        let digests = digests?;
        if digests.windows(2).all(|two| two[0] == two[1]) { Ok(()) } else { Err(format!("{digests:?}")) }
    });
}

/// What a node says of the stolen one: why its key was taken away, and what it shows of it.
fn sees(node: &Node) -> Result<(Option<String>, String), String> {
    let status = node.api().status()?;
    let stolen = status.nodes.into_iter().find(|other| other.id == "1-2").ok_or("it is not shown at all")?;
    Ok((stolen.revoked, stolen.operating_status))
}

fn notes(node: &Node) -> Vec<String> {
    let mut notes: Vec<String> = node.api().requests().expect("requests").requests.into_iter().filter_map(|r| r.note).collect();
    notes.sort();
    notes
}

#[test]
fn a_stolen_key_is_revoked_in_a_cut_off_half_and_after_the_heal_all_see_one_end_state() {
    let (folder, nodes) = four();
    let [hub, stolen, other, far] = &nodes[..] else { panic!("four nodes") };
    let _ = stolen.cli(&["report", "status", "open"]);
    stolen.api().ask_for("water:1", "honest", None).expect("saved");
    equal(&[hub, stolen, other, far]);
    // Cut in halves: the thief with one store, the issuer's desk with the other.
    let away = [stolen, other].map(|node| node.id);
    let here = [hub, far].map(|node| node.id);
    for node in [hub, far] {
        node.api().cut(&away).expect("cut");
    }
    for node in [stolen, other] {
        node.api().cut(&here).expect("cut");
    }
    stolen.api().ask_for("rice:900", "the thief's", None).expect("saved");
    equal(&[stolen, other]);
    assert_eq!(notes(other), ["honest", "the thief's"]);
    let dir = folder.path().display().to_string();
    let run = hub.cli(&["alliance", "revoke", "1-2", "--dir", &dir]).exits(0);
    assert!(run.out.contains("counts up to word 1/1"), "{run:?}");
    eventually(SOON, "the other one of this half hears of it", || match sees(far)? {
        (Some(reason), status) if reason == "stolen" && status == "unknown" => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
    assert_eq!(notes(far), ["honest"]);
    for node in &nodes {
        node.api().heal().expect("healed");
    }
    eventually(SOON, "the other half hears of it", || match sees(other)? {
        (Some(_), status) if status == "unknown" => Ok(()),
        seen => Err(format!("{seen:?}")),
    });
    equal(&[hub, other, far]);
    for node in [hub, other, far] {
        assert_eq!(notes(node), ["honest"], "{}", node.id);
    }
    // It gets no link any more, and says why.
    eventually(SOON, "the thief is alone", || {
        let alone = stolen.api().digest()?.neighbours == 0;
        let why = stolen.api().peers()?.peers.into_iter().filter_map(|peer| peer.last_error).collect::<Vec<_>>();
        if alone && why.iter().any(|why| why.contains("revoked")) { Ok(()) } else { Err(format!("{alone} {why:?}")) }
    });
    let shown = alliance(folder.path(), &["show", &folder.path().join("alliance.hf").display().to_string()]).exits(0);
    assert!(shown.out.contains("revoked"), "{shown:?}");
}

#[test]
fn the_paper_of_a_key_ends_it_at_any_node_and_what_is_handed_in_wrongly_changes_nothing() {
    let (folder, nodes) = four();
    let [hub, _, other, _] = &nodes[..] else { panic!("four nodes") };
    equal(&[hub, other]);
    let paper = folder.path().join("papers").join("1-2-1.hf").display().to_string();
    let key = folder.path().join("nodes").join("1-1").join("node.key").display().to_string();
    let run = other.cli(&["alliance", "hand-in", &key]).exits(2);
    assert!(run.err.contains("H-874"), "{run:?}");
    let missing = other.cli(&["alliance", "hand-in", "nowhere.hf"]).exits(4);
    assert!(missing.err.contains("H-869"), "{missing:?}");
    let unknown = other.cli(&["alliance", "revoke", "1-9", "--dir", &folder.path().display().to_string()]).exits(4);
    assert!(unknown.err.contains("H-872"), "{unknown:?}");
    assert_eq!(sees(hub).expect("status").0, None);
    let _ = other.cli(&["alliance", "hand-in", &paper]).exits(0);
    eventually(SOON, "all hear of it", || match sees(hub)?.0 {
        Some(_) => Ok(()),
        None => Err("not yet".to_owned()),
    });
    let again = other.cli(&["alliance", "hand-in", &paper]).exits(0);
    assert!(again.out.contains("already"), "{again:?}");
}

#[test]
fn what_still_counts_is_typed_as_it_is_shown_and_a_daemon_need_not_be_asked() {
    let (folder, nodes) = four();
    let [hub, stolen, other, far] = &nodes[..] else { panic!("four nodes") };
    stolen.api().ask_for("water:1", "honest", None).expect("saved");
    equal(&[hub, stolen, other, far]);
    let shown = hub.cli(&["alliance", "heads", "1-2"]).exits(0);
    let cut =
        shown.out.lines().find_map(|line| line.trim().strip_prefix("--cut ")).unwrap_or_else(|| panic!("{shown:?}")).to_owned();
    stolen.api().ask_for("rice:900", "the thief's", None).expect("saved");
    equal(&[hub, stolen, other, far]);
    let dir = folder.path();
    let wrong = alliance(dir, &["revoke", "1-2", "--cut", "1-0/1"]).exits(2);
    assert!(wrong.err.contains("H-850"), "{wrong:?}");
    let _ = alliance(dir, &["revoke", "1-2", "--cut", &cut]).exits(6);
    let file = dir.join("revoked");
    let file = std::fs::read_dir(&file).expect("a folder").next().expect("a file").expect("reads").path();
    let _ = hub.cli(&["alliance", "hand-in", &file.display().to_string()]).exits(0);
    for node in [hub, other, far] {
        eventually(SOON, "only what stands is there", || match notes(node) {
            notes if notes == ["honest"] => Ok(()),
            notes => Err(format!("{notes:?}")),
        });
    }
    equal(&[hub, other, far]);
}

#[test]
fn a_pc_that_only_ever_reported_is_taken_away_by_whoever_heard_it() {
    let (folder, nodes) = four();
    let [hub, stolen, ..] = &nodes[..] else { panic!("four nodes") };
    let _ = stolen.cli(&["report", "status", "open"]).saved();
    eventually(SOON, "the hub has its board", || match sees(hub)? {
        (None, status) if status == "open" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let dir = folder.path().display().to_string();
    let _ = hub.cli(&["alliance", "revoke", "1-2", "--dir", &dir]).exits(0);
    eventually(SOON, "it is over", || match sees(hub)? {
        (Some(why), _) if why == "stolen" => Ok(()),
        other => Err(format!("{other:?}")),
    });
}
