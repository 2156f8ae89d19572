//! Clocks that are wrong: ten years either way, or dead at 1970. They inform, they decide nothing.

use holdfast_tests::{Alliance, BLINK, LONG, Plan, SOON, eventually};
use serde_json::json;

/// Ten years, seconds.
const TEN_YEARS: i64 = 10 * 365 * 24 * 3_600;

/// Three nodes, the first with its clock off by `seconds`.
fn with_clock_off_by(seconds: i64) -> Alliance {
    let mut alliance = Plan::of(3).make();
    // Obeyed by daemons of the simulation realm alone; moves the wall clock, not the monotonic one.
    alliance.node_mut(0).env.insert("HOLDFAST_WALL_OFFSET_S".to_owned(), seconds.to_string());
    alliance.start();
    alliance
}

#[track_caller]
fn all_work_together(alliance: &Alliance) {
    for (n, node) in alliance.nodes().iter().enumerate() {
        node.api().report(&[("operating.status", "open"), ("capacity.people", &(10 + n).to_string())]).expect("saved");
        node.api().ask_for("water:1", &format!("from {n}"), None).expect("saved");
    }
    alliance.wait_equal(SOON);
    for reader in 0..3 {
        for of in 0..3 {
            alliance.wait_reading(reader, of, "capacity.people", &json!(10 + of), BLINK);
        }
        assert_eq!(alliance.notes(reader), ["from 0", "from 1", "from 2"]);
    }
    // The later word of the node with the wrong clock still replaces its earlier one, and so do the others'.
    for (n, node) in alliance.nodes().iter().enumerate() {
        node.api().report(&[("capacity.people", &(20 + n).to_string())]).expect("saved");
    }
    for reader in 0..3 {
        for of in 0..3 {
            alliance.wait_reading(reader, of, "capacity.people", &json!(20 + of), BLINK);
        }
    }
}

#[test]
fn a_clock_ten_years_ahead_changes_nothing() {
    let alliance = with_clock_off_by(TEN_YEARS);
    all_work_together(&alliance);
}

#[test]
fn a_clock_ten_years_behind_changes_nothing() {
    let alliance = with_clock_off_by(-TEN_YEARS);
    all_work_together(&alliance);
}

#[test]
fn a_dead_clock_at_1970_joins_and_writes() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("this machine's clock is past 1970");
    let alliance = with_clock_off_by(60 - i64::try_from(now.as_secs()).expect("a small number"));
    all_work_together(&alliance);
}

#[test]
fn the_clock_may_jump_between_two_runs_of_one_node() {
    let mut alliance = Plan::of(2).start();
    for (n, offset) in [TEN_YEARS, -TEN_YEARS, 0].into_iter().enumerate() {
        alliance.node_mut(0).stop();
        alliance.node_mut(0).env.insert("HOLDFAST_WALL_OFFSET_S".to_owned(), offset.to_string());
        alliance.node_mut(0).start();
        alliance.node(0).api().report(&[("capacity.people", &n.to_string())]).expect("saved");
        alliance.node(0).api().ask_for("water:1", &format!("jump {n}"), None).expect("saved");
        alliance.wait_reading(1, 0, "capacity.people", &json!(n), SOON);
    }
    alliance.wait_equal(LONG);
    assert_eq!(alliance.notes(1), ["jump 0", "jump 1", "jump 2"]);
}

#[test]
fn a_neighbours_wrong_clock_is_shown_to_people() {
    let alliance = with_clock_off_by(TEN_YEARS);
    let wrong = alliance.node(0).id.to_string();
    eventually(SOON, "b says that a's clock is off", || {
        let peers = alliance.node(1).api().peers()?.peers;
        let a = peers.iter().find(|p| p.id.as_deref() == Some(wrong.as_str())).ok_or("a is no peer")?;
        if a.clock_skew_s.is_some_and(|s| s > TEN_YEARS - 3_600) { Ok(()) } else { Err(format!("{a:?}")) }
    });
}
