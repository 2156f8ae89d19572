//! The alliance in two halves and together again: nothing lost, both halves equal, old words not shown as new.

use holdfast_proto::control::DeliveryState;
use holdfast_proto::identity::RealmKind;
use holdfast_tests::{BLINK, LONG, Plan, SOON, eventually};
use serde_json::json;

#[test]
fn halves_go_on_alone_and_are_equal_again_after_the_heal() {
    let alliance = Plan::of(3).start();
    alliance.node(0).api().ask_for("water:1", "before", None).expect("saved");
    alliance.wait_equal(SOON);
    alliance.cut_off(0);
    for n in 0..20 {
        alliance.node(0).api().ask_for("water:1", &format!("alone {n:02}"), None).expect("the lone half takes writes");
        alliance.node(1 + n % 2).api().ask_for("rice:1", &format!("others {n:02}"), None).expect("the larger half takes writes");
    }
    alliance.node(0).api().report(&[("capacity.people", "7")]).expect("saved");
    alliance.node(1).api().report(&[("capacity.people", "8")]).expect("saved");
    let larger = alliance.wait_equal_among(&[1, 2], SOON);
    let lone = alliance.node(0).api().digest().expect("digest");
    assert_ne!(lone.digest, larger.digest, "a cut that does not cut");
    assert_eq!(alliance.notes(0).len(), 21);
    assert_eq!(alliance.notes(2).len(), 21);
    alliance.heal();
    alliance.wait_equal(SOON);
    for reader in 0..3 {
        assert_eq!(alliance.notes(reader).len(), 41, "node {reader}");
        alliance.wait_reading(reader, 0, "capacity.people", &json!(7), BLINK);
        alliance.wait_reading(reader, 1, "capacity.people", &json!(8), BLINK);
    }
}

#[test]
fn a_cut_is_seen_on_both_sides_and_a_word_says_that_it_has_not_left() {
    let alliance = Plan::of(2).start();
    alliance.cut_off(1);
    let lone = alliance.node(0).api();
    let saved = lone.ask_for("water:1", "waiting", None).expect("saved");
    assert_eq!(saved.delivery.state, DeliveryState::SavedHere);
    let other = alliance.node(1).id.to_string();
    eventually(BLINK, "the neighbour is shown as not reachable", || {
        let status = lone.status()?;
        let node = status.nodes.iter().find(|n| n.id == other).ok_or("not on the board")?;
        if node.reachable { Err("still reachable".to_owned()) } else { Ok(()) }
    });
    alliance.heal();
    eventually(SOON, "the word reached a neighbour", || {
        let delivery = lone.delivery(&saved.ticket)?;
        if delivery.state != DeliveryState::SavedHere { Ok(()) } else { Err(format!("{delivery:?}")) }
    });
}

#[test]
fn cut_and_heal_again_and_again_while_all_write() {
    let alliance = Plan::of(3).start();
    let mut expected = 0;
    for round in 0..4 {
        alliance.cut_off(round % 3);
        for (n, node) in alliance.nodes().iter().enumerate() {
            for write in 0..5 {
                node.api().ask_for("water:1", &format!("{round} {n} {write}"), None).expect("saved");
                expected += 1;
            }
        }
        alliance.heal();
        // Written while the links come back.
        alliance.node(round % 3).api().ask_for("rice:1", &format!("{round} healing"), None).expect("saved");
        expected += 1;
    }
    alliance.wait_equal(LONG);
    for reader in 0..3 {
        assert_eq!(alliance.notes(reader).len(), expected, "node {reader}");
    }
}

#[test]
fn a_large_difference_on_both_sides_heals() {
    let alliance = Plan::of(2).start();
    alliance.cut_off(1);
    std::thread::scope(|scope| {
        for node in alliance.nodes() {
            scope.spawn(move || {
                for n in 0..300 {
                    node.api().ask_for("water:1", &format!("{} {n:03}", node.name), None).expect("saved");
                }
            });
        }
    });
    alliance.heal();
    let view = alliance.wait_equal(LONG);
    assert!(view.entries >= 600, "{view:?}");
    assert_eq!((alliance.notes(0).len(), alliance.notes(1).len()), (600, 600));
}

#[test]
fn faults_are_obeyed_in_the_simulation_realm_only() {
    let alliance = Plan::of(2).in_realm(RealmKind::Exercise).start();
    let refused = alliance.node(0).api().cut(&[alliance.node(1).id]).expect_err("an exercise node obeys no fault");
    assert!(refused.contains("403"), "{refused}");
    alliance.node(0).api().ask_for("water:1", "still linked", None).expect("saved");
    alliance.wait_equal(SOON);
    assert_eq!(alliance.notes(1), ["still linked"]);
}
