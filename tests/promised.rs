//! From need to receipt on real daemons: what two halves promised, one conflict that is the same everywhere, and an exact end.

use holdfast_tests::{Alliance, Node, Plan, SOON, eventually};
use serde_json::{Value, json};

/// The store that asks; the hub and the other store that send.
const STORE: usize = 0;
const HUB: usize = 1;
const OTHER: usize = 2;

#[track_caller]
fn written(node: &Node, args: &[&str]) -> Value {
    let run = node.cli(&[args, &["--json"]].concat());
    assert!(run.code == 0 || run.code == 6, "{args:?}: {run:?}");
    run.json()
}

#[track_caller]
fn id_of(node: &Node, args: &[&str]) -> String {
    written(node, args)["id"].as_str().unwrap_or_else(|| panic!("{args:?}: no id")).to_owned()
}

#[track_caller]
fn told(node: &Node, args: &[&str]) -> Value {
    node.cli(&[args, &["--json"]].concat()).exits(0).json()
}

/// Asked, promised, on the road, there, lacking: of the one line of coverage.
#[track_caller]
fn coverage(node: &Node) -> [u64; 5] {
    let told = told(node, &["coverage"]);
    let line = &told["lines"][0];
    ["requested", "committed", "in_transit", "accepted", "lacking"]
        .map(|stage| line[stage].as_u64().unwrap_or_else(|| panic!("{told}")))
}

/// Waits until all nodes hold the same, then asks each of them the same.
#[track_caller]
fn alike(alliance: &Alliance, args: &[&str]) -> Value {
    alliance.wait_equal(SOON);
    let all: Vec<Value> = alliance.nodes().iter().map(|node| told(node, args)).collect();
    assert!(all.iter().all(|one| *one == all[0]), "{args:?}: {all:#?}");
    all[0].clone()
}

#[test]
fn what_two_halves_promised_is_one_conflict_everywhere_and_after_one_yes_the_goods_come_out_exact() {
    let alliance = Plan::of(3).start();
    let (store, hub, other) = (alliance.node(STORE), alliance.node(HUB), alliance.node(OTHER));
    let _ = store.cli(&["stock", "count", "water=4"]).saved();
    let _ = hub.cli(&["stock", "count", "water=120"]).saved();
    let _ = other.cli(&["stock", "count", "water=50"]).saved();
    let request = id_of(store, &["request", "new", "--item", "water:40", "--priority", "urgent"]);
    alliance.wait_equal(SOON);
    alliance.cut_off(OTHER);
    let first = id_of(hub, &["commit", &request, "--arrival", "2h"]);
    let second = id_of(other, &["commit", &request, "--item", "water:30", "--arrival", "5h"]);
    assert!(first.starts_with("P-") && second.starts_with("P-"), "{first} {second}");
    assert_eq!((coverage(hub), coverage(other)), ([40, 40, 0, 0, 0], [40, 30, 0, 0, 10]), "each half sees its own promise");
    alliance.heal();
    let listed = alike(&alliance, &["conflicts", "list"]);
    let conflict = &listed["conflicts"][0];
    assert_eq!((listed["conflicts"].as_array().map(Vec::len), &conflict["kind"]), (Some(1), &json!("over_covered")), "{listed}");
    assert_eq!(conflict["proposals"].as_array().map(Vec::len), Some(1), "{listed}");
    let proposal = &conflict["proposals"][0];
    assert_eq!((&proposal["what"], &proposal["of"], &proposal["quantity"]), (&json!("release"), &json!(second), &json!(30)));
    let name = conflict["conflict"].as_str().expect("a conflict has a name");
    // Who may not do it is told whom it waits for; nobody is asked twice, and without a yes nothing happens.
    let run = hub.cli(&["conflicts", "resolve", name, "--yes"]).exits(5);
    assert!(run.err.contains("H-250"), "{run:?}");
    let run = other.cli(&["conflicts", "resolve", name]).exits(1);
    assert!(run.err.contains("Nothing was done") && run.err.contains(&second), "{run:?}");
    let _ = other.cli(&["conflicts", "resolve", name, "--yes"]).saved();
    assert_eq!(alike(&alliance, &["conflicts", "list"])["conflicts"], json!([]));
    alike(&alliance, &["coverage"]);
    assert_eq!(coverage(store), [40, 40, 0, 0, 0]);
    delivered_short(&alliance, &request, &first);
}

/// The convoy drives, two are missing on arrival, and the request is closed.
#[track_caller]
fn delivered_short(alliance: &Alliance, request: &str, promise: &str) {
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    let convoy = id_of(hub, &["convoy", "plan", promise, "--arrival", "2h"]);
    let _ = hub.cli(&["convoy", "load", &convoy]).saved();
    let _ = hub.cli(&["convoy", "depart", &convoy]).saved();
    let run = hub.cli(&["release", promise]).exits(2);
    assert!(run.err.contains("H-236"), "what left is not released: {run:?}");
    alliance.wait_equal(SOON);
    assert_eq!(coverage(store), [40, 0, 40, 0, 0]);
    assert_eq!(told(hub, &["stock"])["items"][0]["on_hand"], json!(80), "what left is no longer there");
    let run = store.cli(&["receive", &convoy, "--accepted", "water:41"]).exits(2);
    assert!(run.err.contains("H-249"), "{run:?}");
    let _ = store.cli(&["receive", &convoy, "--accepted", "water:38", "--reason", "two burst"]).saved();
    let run = store.cli(&["receive", &convoy]).exits(2);
    assert!(run.err.contains("H-247"), "a second receipt: {run:?}");
    alike(alliance, &["coverage"]);
    assert_eq!(coverage(hub), [40, 0, 0, 38, 2]);
    assert_eq!(told(store, &["stock"])["items"][0]["on_hand"], json!(42), "what came is there");
    let _ = store.cli(&["request", "close", request]).saved();
    assert_eq!(alike(alliance, &["conflicts", "list"])["conflicts"], json!([]));
    let acts = alike(alliance, &["timeline", request])["acts"].clone();
    let acts = acts.as_array().expect("acts").iter().filter_map(|act| act["act"].as_str());
    // A hub acknowledges when it has a moment.
    let acts: Vec<&str> = acts.filter(|act| *act != "acknowledge").collect();
    let wanted = ["request", "commit", "commit", "release", "plan_consignment", "load", "depart", "receive", "close"];
    assert_eq!(acts, wanted, "from need to receipt");
    let story = alliance.node(OTHER).cli(&["timeline", request]).exits(0);
    let line = format!("a signed for Drinking water 38 L; missing: Drinking water 2 L ({convoy}): \"two burst\"");
    assert!(story.out.contains(&line), "{story:?}");
}

#[test]
fn stock_is_never_promised_twice_and_whoever_holds_it_is_named() {
    let alliance = Plan::of(2).start();
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    let _ = hub.cli(&["stock", "count", "water=50"]).saved();
    let _ = hub.cli(&["stock", "floor", "water=10"]).saved();
    let one = id_of(store, &["request", "new", "--item", "water:30"]);
    let two = id_of(store, &["request", "new", "--item", "water:20", "--note", "another"]);
    let never = id_of(store, &["request", "new", "--item", "rice:5"]);
    alliance.wait_equal(SOON);
    let promise = id_of(hub, &["commit", &one]);
    let run = hub.cli(&["commit", &two]).exits(2);
    let symbols = promise.trim_start_matches("P-");
    assert!(
        run.err.contains("H-231") && run.err.contains("10 left") && run.err.contains(symbols),
        "the holder is named: {run:?}"
    );
    let run = hub.cli(&["commit", &never]).exits(2);
    assert!(run.err.contains("H-230"), "nobody counted it: {run:?}");
    let shown = hub.cli(&["stock"]).exits(0);
    assert!(shown.out.contains(&format!("{promise} 30")), "{shown:?}");
    let shelf = told(hub, &["stock"])["items"][0].clone();
    assert_eq!(
        (&shelf["on_hand"], &shelf["floor"], &shelf["promised"], &shelf["available"]),
        (&json!(50), &json!(10), &json!(30), &json!(10))
    );
    // A key makes a retry add nothing, and what is released can be promised again.
    let again = |key: &str| written(hub, &["commit", &two, "--item", "water:10", "--key", key]);
    assert_eq!((again("K")["already"].clone(), again("K")["already"].clone()), (json!(false), json!(true)));
    let _ = hub.cli(&["release", &promise, "--item", "water:20", "--cause", "other"]).saved();
    let _ = hub.cli(&["commit", &two, "--item", "water:10"]).saved();
    eventually(SOON, "the store sees what is covered", || {
        let lines = told(store, &["coverage"])["lines"].clone();
        let found: Vec<_> =
            lines.as_array().into_iter().flatten().map(|line| (line["requested"].as_u64(), line["lacking"].as_u64())).collect();
        let wanted = [(Some(30), Some(20)), (Some(20), Some(0)), (Some(5), Some(5))];
        if wanted.iter().all(|line| found.contains(line)) { Ok(()) } else { Err(format!("{found:?}")) }
    });
    let waiting = told(store, &["request", "list", "--open"]);
    assert_eq!(waiting["requests"].as_array().map(Vec::len), Some(2), "{waiting}");
}
