//! What a node knows, written out for whoever works through it after the event.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use holdfast_tests::{Alliance, LONG, Plan, eventually, workspace_root};
use serde_json::Value;

const STORE: usize = 0;
const HUB: usize = 1;

/// One request that was promised, sent and received but for two; and one that nobody answered, with a note that means harm.
fn after_some_hours() -> Alliance {
    let alliance = Plan::of(2).start();
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    let _ = hub.cli(&["stock", "count", "water=120"]).saved();
    let asked = store.cli(&["request", "new", "--item", "water:40", "--priority", "urgent", "--json"]).saved().json();
    let id = asked["id"].as_str().expect("an id").to_owned();
    let _ = store.cli(&["request", "new", "--item", "other:tarps=3", "--note", "=HYPERLINK(\"x\"), 中文"]).saved();
    eventually(LONG, "the hub has it", || {
        let run = hub.cli(&["commit", &id, "--json"]);
        if run.code == 0 || run.code == 6 { Ok(()) } else { Err(run.words()) }
    });
    let promise = hub.api().request(&id).expect("held").commitments[0].commitment.clone();
    let planned = hub.cli(&["convoy", "plan", &promise, "--json"]).saved().json();
    let convoy = planned["id"].as_str().expect("an id").to_owned();
    for step in ["load", "depart"] {
        let _ = hub.cli(&["convoy", step, &convoy]).saved();
    }
    eventually(LONG, "the store signs", || {
        let run = store.cli(&["receive", &convoy, "--accepted", "water:38", "--json"]);
        if run.code == 0 || run.code == 6 { Ok(()) } else { Err(run.words()) }
    });
    alliance.wait_equal(LONG);
    alliance
}

fn rows(file: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(file).expect("a sheet");
    let text = text.strip_prefix('\u{feff}').expect("marked as UTF-8");
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row like its head")).collect()
}

#[test]
fn the_sheets_and_the_lines_hold_everything_that_was_done_and_say_whether_it_was_real() {
    let alliance = after_some_hours();
    let hub = alliance.node(HUB);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("after");
    let shown = hub.cli(&["export", "csv", "--out", out.to_str().expect("a plain path")]).exits(0);
    assert!(shown.out.contains("6 sheets written to"), "{shown:?}");
    let sheet = |name: &str| rows(&out.join(name));
    let requests = sheet("requests.csv");
    let water = requests.iter().find(|row| row["item"] == "water").expect("the request");
    assert_eq!((&*water["requested"], &*water["accepted"], &*water["missing"]), ("40", "38", "2"), "{water:?}");
    let tarps = requests.iter().find(|row| row["text"] == "tarps").expect("the other");
    assert_eq!(tarps["note"], "'=HYPERLINK(\"x\"), 中文");
    assert_eq!(sheet("promises.csv")[0]["accepted"], "38");
    assert_eq!(sheet("convoys.csv")[0]["requests"], water["request"]);
    assert_eq!(sheet("sites.csv").len(), 2);
    assert!(sheet("conflicts.csv").is_empty());
    let acts: Vec<String> = sheet("acts.csv").into_iter().map(|row| row["act"].clone()).collect();
    for act in ["request", "acknowledge", "commit", "plan_consignment", "load", "depart", "receive"] {
        assert!(acts.iter().any(|done| done == act), "{act} is in {acts:?}");
    }
    assert!(sheet("acts.csv").iter().all(|row| row["realm"] == "simulation"));

    // What the ready questions read is there.
    let questions = fs::read_to_string(workspace_root().join("configs/after-action.sql")).expect("it ships");
    for view in questions.split("CREATE VIEW ").skip(1) {
        let view = view.split_once(';').map_or(view, |(view, _)| view);
        let (name, rest) = view.split_once(' ').expect("a name");
        let text = fs::read_to_string(out.join(format!("{name}.csv"))).expect("a sheet of that name");
        let head: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
        for column in rest.split("CAST(").skip(1).filter_map(|cast| cast.split(' ').next()) {
            assert!(head.contains(&column), "{column} of {name}: {head:?}");
        }
    }

    let file = folder.path().join("after.jsonl");
    let _ = hub.cli(&["export", "jsonl", "--out", file.to_str().expect("a plain path")]).exits(0);
    let text = fs::read_to_string(&file).expect("the file");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["schema"], "holdfast.record/1");
    assert!(lines.iter().all(|line| line["realm"] == "simulation" && line["kind"].is_string()), "{text}");
    let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((count("site"), count("request"), count("consignment"), count("act")), (2, 2, 1, acts.len()));
    let paper = folder.path().join("sheet.html");
    let _ = hub.cli(&["export", "ics213rr", &water["request"], "--out", paper.to_str().expect("a plain path")]).exits(0);
    let page = fs::read_to_string(&paper).expect("the sheet");
    assert!(page.contains(&water["request"]) && page.contains("飲用水") && page.contains("EXERCISE, NOT REAL"), "{page}");
    let to_terminal = hub.cli(&["export", "jsonl"]).exits(0);
    assert_eq!(to_terminal.out.lines().count(), lines.len());
}

#[test]
fn a_folder_that_cannot_be_made_is_told_and_nothing_is_written() {
    let alliance = Plan::of(1).start();
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let under = file.path().join("after");
    let run = alliance.node(0).cli(&["export", "csv", "--out", under.to_str().expect("a plain path"), "--json"]).exits(1);
    assert!(run.out.is_empty() && run.err.contains("H-862"), "{run:?}");
}
