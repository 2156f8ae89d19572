//! Two daemons that share nothing but the air, each with a real modem: Direwolf, which makes sound of frames and frames of sound.

use std::time::Duration;

use holdfast_tests::{Alliance, Modems, Node, Plan, RadioSettings, eventually, missing};
use serde_json::{Value, json};

/// The store, and the hub it asks.
const STORE: usize = 0;
const HUB: usize = 1;
/// On a channel of 1,200 bit/s a word and its answer take some seconds, and a lost one is said again after a while.
const ON_AIR: Duration = Duration::from_secs(120);

/// Modems at a speed and daemons on them; `None` where this machine has no modem program.
fn by_radio(test: &str, baud: u32) -> Option<(Modems, Alliance)> {
    if !Modems::are_there() {
        missing(test, "direwolf");
        return None;
    }
    let modems = Modems::start(2, baud);
    let mut alliance = Plan::of(2).strangers().without_gossip().without_sync().make();
    for n in [STORE, HUB] {
        let callsign = format!("N0CALL-{}", n + 1);
        alliance.node_mut(n).settings.radio = Some(RadioSettings { port: modems.port(n), callsign, rate: baud });
    }
    alliance.start();
    Some((modems, alliance))
}

#[track_caller]
fn request(node: &Node, id: &str) -> Value {
    node.cli(&["request", "show", id, "--json"]).exits(0).json()
}

/// A request goes one way and what the hub does with it the other.
fn a_request_and_its_answer(test: &str, baud: u32) {
    let Some((_modems, alliance)) = by_radio(test, baud) else { return };
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    let asked = store.cli(&["request", "new", "--item", "water:40", "--priority", "urgent", "--json"]).saved().json();
    let id = asked["id"].as_str().expect("an id").to_owned();
    eventually(ON_AIR, "the store knows that the hub has it", || {
        let view = request(store, &id);
        if view["acknowledged_by"][0]["id"] == json!(hub.id.to_string()) { Ok(()) } else { Err(view.to_string()) }
    });
    let _ = hub.cli(&["stock", "count", "water=120"]).saved();
    let _ = hub.cli(&["commit", &id, "--arrival", "2h"]).saved();
    eventually(ON_AIR, "the store sees the promise", || {
        let view = request(store, &id);
        if view["lines"][0]["committed"] == json!(40) { Ok(()) } else { Err(view.to_string()) }
    });
    let heard = |node: &Node, other: &str| {
        let line = node.cli(&["status"]).exits(0).out;
        assert!(line.contains(&format!("radio: heard {other}")), "{line}");
    };
    heard(store, "b");
    heard(hub, "a");
}

#[test]
fn a_request_and_its_answer_cross_by_two_modems_of_1200_baud() {
    a_request_and_its_answer("a_request_and_its_answer_cross_by_two_modems_of_1200_baud", 1_200);
}

#[test]
fn a_request_and_its_answer_cross_by_two_modems_of_9600_baud() {
    a_request_and_its_answer("a_request_and_its_answer_cross_by_two_modems_of_9600_baud", 9_600);
}

#[test]
fn a_modem_that_is_switched_off_is_told_and_once_it_is_back_what_waited_crosses() {
    let test = "a_modem_that_is_switched_off_is_told_and_once_it_is_back_what_waited_crosses";
    let Some((mut modems, alliance)) = by_radio(test, 9_600) else { return };
    let (store, hub) = (alliance.node(STORE), alliance.node(HUB));
    modems.switch_off(STORE);
    let asked = store.cli(&["request", "new", "--item", "water:40", "--priority", "urgent", "--json"]).saved().json();
    let id = asked["id"].as_str().expect("an id").to_owned();
    eventually(ON_AIR, "the store is told of its modem", || {
        let status = store.cli(&["status", "--json"]).exits(0).json();
        let line = status["radio"]["en"].as_str().unwrap_or_default();
        if line.contains("the port is not open") { Ok(()) } else { Err(status["radio"].to_string()) }
    });
    modems.switch_on(STORE);
    eventually(ON_AIR, "the hub has the request", || {
        let run = hub.cli(&["request", "show", &id, "--json"]);
        if run.code == 0 { Ok(()) } else { Err(run.words()) }
    });
}
