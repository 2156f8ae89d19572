//! A partition that a driver's stick alone closes: real daemons that share no network, and files that are not what they should be.

use std::fs::{self, File};
use std::path::Path;

use holdfast_proto::identity::RealmKind;
use holdfast_proto::message::courier::{FILE_BYTES_MAX, FORMAT, MAGIC};
use holdfast_tests::{Alliance, LONG, Node, Plan, eventually, run_typed};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The store, and the hub it asks.
const STORE: usize = 0;
const HUB: usize = 1;

/// Two that never hear each other.
fn apart() -> Alliance {
    Plan::of(2).without_gossip().without_sync().start()
}

fn stick() -> TempDir {
    tempfile::Builder::new().prefix("holdfast-stick-").tempdir().expect("a temporary folder")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

#[track_caller]
fn out(node: &Node, to: &Node, file: &Path) -> Value {
    node.cli(&["courier", "out", "--to", &to.id.to_string(), "--out", text(file), "--json"]).exits(0).json()
}

#[track_caller]
fn taken(node: &Node, file: &Path) -> Value {
    node.cli(&["courier", "in", text(file), "--carried", "3h", "--json"]).exits(0).json()
}

#[track_caller]
fn request(node: &Node, id: &str) -> Value {
    node.cli(&["request", "show", id, "--json"]).exits(0).json()
}

#[test]
fn what_was_asked_and_promised_crosses_by_a_drivers_stick_alone() {
    let mut alliance = apart();
    let stick = stick();
    let (there, back) = (stick.path().join("there.hfc"), stick.path().join("back.hfc"));
    let _ = alliance.node(HUB).cli(&["stock", "count", "water=120"]).saved();
    let asked = alliance.node(STORE).cli(&["request", "new", "--item", "water:40", "--priority", "urgent", "--json"]).json();
    let id = asked["id"].as_str().expect("an id").to_owned();
    let file = out(alliance.node(STORE), alliance.node(HUB), &there);
    assert!(file["holds"]["entries"].as_u64() >= Some(1) && file["whole"] == json!(true), "{file}");
    assert_eq!(file["bytes"].as_u64(), fs::metadata(&there).map(|file| file.len()).ok(), "{file}");
    assert!(!stick.path().join("there.hfc.new").exists());
    let first = taken(alliance.node(HUB), &there);
    assert!(first["new"]["entries"].as_u64() >= Some(1) && first["whole"] == json!(true), "{first}");
    assert_eq!((&first["refused"], &first["from"]["name"]), (&json!([]), &json!("a")), "{first}");
    let again = alliance.node(HUB).cli(&["courier", "in", text(&there)]).exits(0);
    assert!(again.out.contains("Nothing in it was new"), "{again:?}");
    // What was said to be saved outlives the plug.
    alliance.node_mut(HUB).kill();
    alliance.node_mut(HUB).start();
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    eventually(LONG, "the hub acknowledges", || {
        let view = hub.cli(&["request", "show", &id, "--json"]).json();
        if view["status"] == "acknowledged" { Ok(()) } else { Err(view.to_string()) }
    });
    let _ = hub.cli(&["commit", &id, "--arrival", "2h"]).saved();
    let alone = request(store, &id);
    let heard = alone["acknowledged_by"].as_array().is_some_and(|by| !by.is_empty());
    assert!(!heard && alone["lines"][0]["committed"] != json!(40), "nothing came by itself: {alone}");
    out(hub, store, &back);
    taken(store, &back);
    let view = request(store, &id);
    assert_eq!(
        (&view["acknowledged_by"][0]["id"], &view["lines"][0]["committed"]),
        (&json!(hub.id.to_string()), &json!(40)),
        "{view}"
    );
    // The way there once more, and both hold the same.
    out(store, hub, &there);
    taken(hub, &there);
    let digest = |node: &Node| node.api().digest().expect("a digest").digest;
    assert_eq!(digest(store), digest(hub));
}

#[test]
fn a_file_that_is_cut_gives_what_is_whole_and_is_told() {
    let alliance = apart();
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    for n in 0..20 {
        store.api().ask_for("water:1", &format!("word {n:02}"), None).expect("saved");
    }
    let stick = stick();
    let file = stick.path().join("cut.hfc");
    out(store, hub, &file);
    let whole = fs::read(&file).expect("the file");
    fs::write(&file, &whole[..whole.len() - 1_500]).expect("cut");
    let run = hub.cli(&["courier", "in", text(&file)]).exits(1);
    assert!(run.err.contains("H-842") && run.err.contains(" of "), "{run:?}");
    let held = alliance.notes(HUB).len();
    assert!((1..20).contains(&held), "{held}: {run:?}");
    fs::write(&file, &whole).expect("written again");
    taken(hub, &file);
    assert_eq!(alliance.notes(HUB).len(), 20);
    let mut changed = whole;
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&file, &changed).expect("damaged");
    let run = hub.cli(&["courier", "in", text(&file)]).exits(1);
    assert!(run.err.contains("H-843"), "{run:?}");
}

#[test]
fn files_that_are_not_for_this_alliance_or_no_courier_files_are_refused_by_name() {
    let (alliance, drill) = (apart(), Plan::of(2).in_realm(RealmKind::Exercise).without_gossip().without_sync().start());
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    let stick = stick();
    let file = stick.path().join("courier.hfc");
    let before = hub.api().digest().expect("a digest").digest;
    let refused = |code: &str, exit: i32, words: &str| {
        let run = hub.cli(&["courier", "in", text(&file)]).exits(exit);
        assert!(run.err.contains(code) && run.err.contains(words), "{run:?}");
        assert_eq!(hub.api().digest().expect("a digest").digest, before, "{code}");
    };
    refused("H-835", 4, "no file");
    out(drill.node(STORE), drill.node(HUB), &file);
    refused("H-511", 2, "exercise");
    let mut newer = fs::read(&file).expect("the file");
    newer[MAGIC.len()] = FORMAT + 1;
    fs::write(&file, newer).expect("written");
    refused("H-840", 2, &format!("format {}", FORMAT + 1));
    fs::write(&file, "# shopping list\n").expect("written");
    refused("H-840", 2, "no courier file");
    // Nor is it written over.
    let run = store.cli(&["courier", "out", "--to", "b", "--out", text(&file)]).exits(2);
    assert!(run.err.contains("H-837"), "{run:?}");
    assert_eq!(fs::read_to_string(&file).expect("still there"), "# shopping list\n");
    File::create(&file).and_then(|file| file.set_len(FILE_BYTES_MAX + 1)).expect("a file with a hole");
    refused("H-839", 2, "at most");
    let run = store.cli(&["courier", "out", "--to", "a", "--out", text(&stick.path().join("own.hfc"))]).exits(2);
    assert!(run.err.contains("H-514"), "{run:?}");
    assert!(!stick.path().join("own.hfc").exists());
}

#[test]
fn codes_on_a_screen_are_scanned_in_any_order_and_those_lacking_are_named() {
    let alliance = apart();
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    for n in 0..10 {
        store.api().ask_for("water:1", &format!("word {n:02}"), None).expect("saved");
    }
    let to = hub.id.to_string();
    let shown = store.cli(&["courier", "out", "--to", &to, "--qr", "--json"]).exits(0).json();
    let codes: Vec<&str> = shown["codes"].as_array().expect("codes").iter().filter_map(Value::as_str).collect();
    assert!((2..=40).contains(&codes.len()), "{shown}");
    let scan = |codes: &[&str]| {
        let typed = format!("noise\n{}\n", codes.join("\r\n").to_lowercase());
        run_typed(&mut hub.command(&["courier", "in", "-"]), &typed, LONG)
    };
    let turned: Vec<&str> = codes.iter().rev().copied().collect();
    let missing = scan(&turned[..turned.len() - 1]).exits(1);
    assert!(missing.err.contains("H-844") && missing.err.contains(": 1."), "{missing:?}");
    let all = scan(&turned).exits(0);
    assert!(all.out.contains("New and saved here") && all.err.contains("no line"), "{all:?}");
    assert_eq!(alliance.notes(HUB).len(), 10);
    assert!(scan(&codes).exits(0).out.contains("Nothing in it was new"));
    let pictures = store.cli(&["courier", "out", "--to", &to, "--qr"]).exits(0);
    assert!(pictures.out.contains(&format!("1/{}", codes.len())) && pictures.out.contains('\u{2588}'), "{pictures:?}");
    let run = run_typed(&mut hub.command(&["courier", "in", "-"]), "HF1 is no code\n", LONG).exits(2);
    assert!(run.err.contains("H-845"), "{run:?}");
}
