//! Crisis mode on real daemons: ordered by an authority or its deputy, switched by the silence of the central systems, and always to be
//! switched back by a site's own people. And a drill that runs beside the actual alliance on the same PC.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use holdfast_tests::{BLINK, Node, Run, SOON, Settings, binaries, eventually, holds_for, run};
use serde_json::Value;
use tempfile::TempDir;

#[track_caller]
fn alliance(dir: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(&binaries().holdfast);
    command.arg("alliance").args(args).arg("--dir").arg(dir).env("LC_ALL", "C.UTF-8").env("HOME", dir);
    run(&mut command, BLINK)
}

/// One firm certifies these nodes, each dialling all before it; none runs yet.
fn nodes_of(kind: &str, list: &[(&str, &str, &str, &str)], settings: impl Fn() -> Settings) -> (TempDir, Vec<Node>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path();
    let _ = alliance(dir, &["init", "--kind", kind, "--roots", "1/1", "--firm", "One"]).exits(0);
    let _ = alliance(dir, &["issue", "issuer", "--number", "1", "--firm", "One"]).exits(0);
    for (id, name, role, region) in list {
        let _ = alliance(dir, &["issue", "node", "--id", id, "--name", name, "--role", role, "--region", region]).exits(0);
    }
    let mut nodes: Vec<Node> = Vec::new();
    for (id, name, ..) in list {
        let out = dir.join("nodes").join(id);
        let mut node = Node::new(name, id.parse().expect("a node id"), out, settings());
        node.settings.sync_peers = nodes.iter().map(|other| other.settings.sync_address()).collect();
        nodes.push(node);
    }
    (folder, nodes)
}

/// `resilience by order`: what `seer` shows of `seen`.
fn mode(seer: &Node, seen: &Node) -> Result<String, String> {
    let status = seer.api().status()?;
    let node = status.nodes.into_iter().find(|node| node.id == seen.id.to_string()).ok_or("it is not shown at all")?;
    Ok(node.mode.map_or_else(|| "none".to_owned(), |mode| format!("{} by {}", mode.mode, mode.cause)))
}

#[track_caller]
fn becomes(seer: &Node, seen: &Node, wanted: &str) {
    eventually(SOON, wanted, || match mode(seer, seen)? {
        found if found == wanted => Ok(()),
        found => Err(found),
    });
}

fn orders(node: &Node) -> Vec<Value> {
    node.cli(&["order", "list", "--json"]).exits(0).json()["orders"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_county_is_ordered_into_crisis_by_a_deputy_which_its_authority_ratifies_when_it_is_back() {
    let (_folder, mut nodes) = nodes_of(
        "simulation",
        &[
            ("1-1", "Hub", "hub", "HUA"),
            ("1-2", "Store", "store", "HUA"),
            ("1-3", "Elsewhere", "store", "TPE"),
            ("1-4", "Centre", "authority", "HUA"),
        ],
        Settings::on_loopback,
    );
    nodes.iter_mut().for_each(Node::start);
    let [hub, store, elsewhere, centre] = &mut nodes[..] else { panic!("four nodes") };
    let run = store.cli(&["order", "give", "resilience", "--region", "HUA"]).exits(5);
    assert!(run.err.contains("H-221"), "{run:?}");
    let run = centre.cli(&["order", "give", "resilience", "--region", "TPE"]).exits(5);
    assert!(run.err.contains("H-222") && run.err.contains("HUA"), "{run:?}");
    let _ = centre.cli(&["order", "deputies", "Hub", "--after", "2s"]).exits(0);
    let _ = centre.cli(&["report", "status", "open"]).exits(0);
    eventually(SOON, "the hub knows that it is a deputy", || {
        let run = hub.cli(&["order", "give", "resilience", "--region", "HUA", "--acting-for", "Centre"]);
        if run.err.contains("H-224") { Ok(()) } else { Err(run.err) }
    });
    centre.stop();
    // Unheard for long enough, the deputy may act; who it acted for and how long that one was unheard stands in the act.
    let given = eventually(SOON, "the deputy acts", || {
        let run = hub.cli(&[
            "order",
            "give",
            "resilience",
            "--region",
            "HUA",
            "--acting-for",
            "Centre",
            "--reason",
            "typhoon",
            "--json",
        ]);
        if run.code == 0 { Ok(run.json()) } else { Err(run.err) }
    });
    let id = given["id"].as_str().expect("an order has an id").to_owned();
    assert!(id.starts_with("O-"), "{given}");
    for node in [&*hub, &*store] {
        becomes(elsewhere, node, "resilience by order");
    }
    let listed = orders(elsewhere);
    assert_eq!((listed[0]["state"].as_str(), listed[0]["acting_for"]["name"].as_str()), (Some("in_force"), Some("Centre")));
    assert!(listed[0]["last_heard_s"].as_u64().is_some_and(|seconds| seconds >= 2), "{listed:?}");
    assert_eq!(mode(store, elsewhere).expect("told"), "none", "another county");
    // The store's people go back, and the order does not take it from them again.
    let _ = store.cli(&["mode", "standby", "--reason", "no damage"]).exits(0);
    becomes(hub, store, "standby by staff");
    centre.start();
    let ratified = eventually(SOON, "the centre hears of the order", || {
        let run = centre.cli(&["order", "ratify", &id]);
        if run.code == 0 { Ok(run) } else { Err(run.err) }
    });
    assert!(ratified.out.contains("O-"), "{ratified:?}");
    eventually(SOON, "everybody sees it ratified", || {
        let listed = orders(elsewhere);
        let states: Vec<_> = listed.iter().map(|order| order["state"].as_str().unwrap_or_default().to_owned()).collect();
        if states.contains(&"ratified".to_owned()) { Ok(()) } else { Err(format!("{states:?}")) }
    });
    // The ratification is a new act of the centre: it is followed once. Then it ends, and both go back to what they were in.
    becomes(elsewhere, store, "resilience by order");
    let _ = centre.cli(&["order", "give", "none", "--region", "HUA"]).exits(0);
    becomes(elsewhere, store, "standby by order_ended");
    becomes(elsewhere, hub, "standby by order_ended");
    let shown = elsewhere.cli(&["order", "list"]).exits(0);
    assert!(shown.out.contains("Hub for Centre, unheard for") && shown.out.contains("ratified"), "{shown:?}");
}

#[test]
fn the_silence_of_the_central_systems_switches_sites_that_agree_and_their_answer_brings_recovery() {
    let central = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = central.local_addr().expect("an address");
    let settings = || Settings {
        first_lines: format!("[crisis]\nprobe = \"{at}\"\nevery = \"1s\"\nsilent_after = \"2s\"\nagree = 1\n"),
        ..Settings::on_loopback()
    };
    let (_folder, mut nodes) = nodes_of(
        "simulation",
        &[("1-1", "a", "store", "HUA"), ("1-2", "b", "store", "HUA"), ("1-3", "c", "store", "TPE")],
        settings,
    );
    nodes.iter_mut().for_each(Node::start);
    let [a, b, alone] = &nodes[..] else { panic!("three nodes") };
    eventually(SOON, "all say that the central systems answer", || {
        let status = a.api().status()?;
        let said =
            |node: &holdfast_proto::control::NodeView| node.readings.get("network.central").map(|reading| reading.value.clone());
        let all: Vec<_> = status.nodes.iter().map(said).collect();
        if all.iter().all(|said| *said == Some("reachable".into())) { Ok(()) } else { Err(format!("{all:?}")) }
    });
    drop(central);
    becomes(b, a, "resilience by silent");
    becomes(a, b, "resilience by silent");
    assert_eq!(mode(a, alone).expect("told"), "none", "nobody of its county agrees");
    // People go back, and the same silence does not take it from them.
    let _ = a.cli(&["mode", "standby"]).exits(0);
    holds_for(Duration::from_secs(3), "staff has the last word", || match mode(b, a)? {
        found if found == "resilience by silent" || found == "standby by staff" => Ok::<(), String>(()),
        found => Err(found),
    });
    becomes(b, a, "standby by staff");
    let _central = TcpListener::bind(at).expect("the same port");
    becomes(a, b, "recovery by heard");
    becomes(b, a, "standby by heard");
}

#[test]
fn a_drill_runs_beside_the_actual_alliance_on_one_pc_and_nothing_crosses() {
    let two = [("1-1", "Hub", "hub", "HUA"), ("1-2", "Store", "store", "HUA")];
    let (real, mut actual) = nodes_of("actual", &two, Settings::on_loopback);
    let (drill, mut exercise) = nodes_of("exercise", &two, Settings::on_loopback);
    // As badly configured as can be: each daemon is told to dial the other alliance's too.
    let addresses: Vec<String> = actual.iter().map(|node| node.settings.sync_address()).collect();
    exercise.iter_mut().for_each(|node| node.settings.sync_peers.extend(addresses.clone()));
    actual.iter_mut().for_each(Node::start);
    exercise.iter_mut().for_each(Node::start);
    exercise[1].api().ask_for("water:900", "only a drill", None).expect("saved");
    actual[1].api().ask_for("rice:5", "for real", None).expect("saved");
    let notes = |node: &Node| {
        let requests = node.api().requests()?.requests;
        Ok::<Vec<String>, String>(requests.into_iter().filter_map(|request| request.note).collect())
    };
    for (node, wanted) in [(&exercise[0], "only a drill"), (&actual[0], "for real")] {
        eventually(SOON, wanted, || match notes(node)? {
            found if found == [wanted] => Ok(()),
            found => Err(format!("{found:?}")),
        });
    }
    for (node, kind) in [(&exercise[1], "exercise"), (&actual[1], "actual")] {
        assert_eq!(node.api().status().expect("told").realm, kind);
        assert!(node.cli(&["status"]).out.starts_with(&format!("Holdfast ({kind})")), "marked on every screen");
    }
    // What one alliance signed is worth nothing to the other, by hand too.
    let paper = drill.path().join("papers/1-2-1.hf").display().to_string();
    let run = actual[0].cli(&["alliance", "hand-in", &paper]);
    assert!(run.code != 0 && run.code != 6, "{run:?}");
    assert_eq!(actual[0].api().status().expect("told").nodes.iter().filter(|node| node.revoked.is_some()).count(), 0);
    let wrong = actual[0].api().post("/api/v1/fault", &serde_json::json!({"cut": {"nodes": []}})).expect("an answer");
    assert_eq!(wrong.status, 403, "faults are for simulations");
    holds_for(Duration::from_secs(3), "nothing crosses", || {
        let (one, other) = (notes(&exercise[0])?, notes(&actual[0])?);
        if one == ["only a drill"] && other == ["for real"] { Ok(()) } else { Err(format!("{one:?} {other:?}")) }
    });
    drop(real);
}
