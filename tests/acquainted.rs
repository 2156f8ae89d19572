//! Nodes that were given one address find the others by what stands on the boards.

use holdfast_tests::{LONG, Plan, SOON, eventually};

#[test]
fn an_address_on_a_board_is_dialled_by_who_was_never_given_it() {
    let mut alliance = Plan::of(3).strangers().without_gossip().make();
    let a = alliance.node(0).settings.sync_address();
    for place in [1, 2] {
        alliance.node_mut(place).settings.sync_peers = vec![a.clone()];
    }
    alliance.start();
    let c = alliance.node(2).id.to_string();
    eventually(LONG, "b is linked to c", || {
        let peers = alliance.node(1).cli(&["peers", "--json"]).exits(0).json();
        let seen = peers["peers"].as_array().and_then(|peers| peers.iter().find(|peer| peer["id"] == c.as_str())).cloned();
        let linked = seen.as_ref().is_some_and(|c| c["state"] == "up" && c["links"].as_array().is_some_and(|l| !l.is_empty()));
        if linked { Ok(()) } else { Err(format!("{peers}")) }
    });
    // It carries words by itself: the one both were given goes.
    alliance.node_mut(0).kill();
    let id = alliance.node(2).api().ask_for("water:1", "past a", None).expect("saved").id.expect("an id");
    alliance.wait_request(1, &id, SOON);
}
