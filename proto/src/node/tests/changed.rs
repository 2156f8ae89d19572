//! Two nodes that were equal once tell each other only what changed since; where that is not enough, all hashes.

use super::*;
use crate::message::Message;
use crate::replica::Changes;

fn said(world: &World, message: &Message) -> usize {
    world.said.get(&message.to_frame()[1]).copied().unwrap_or(0)
}

/// How often what changed, and how often all hashes were told.
fn told(world: &World) -> (usize, usize) {
    let changed = Message::Changed { base: [0; 8], roster: [0; 8], answer: false, changes: Changes::default() };
    (said(world, &changed), said(world, &Message::Buckets { roster: [0; 16], hashes: Vec::new() }))
}

/// Two nodes that wrote a little, are equal and then apart.
fn apart() -> World {
    let mut world = World::new(3);
    world.connect(0, 1);
    for n in [0, 1] {
        world.request(n, "water:1", None);
        world.report(n, "power.source", "generator");
    }
    world.pass(Duration::from_secs(5));
    world.converged_pair();
    world.disconnect_all(0);
    world.said.clear();
    world
}

impl World {
    fn converged_pair(&mut self) {
        let digests = self.digests();
        assert_eq!(digests[0], digests[1]);
    }

    fn heal(&mut self) {
        self.connect(0, 1);
        self.pass(Duration::from_secs(5));
        self.converged_pair();
    }
}

#[test]
fn who_agreed_before_tells_each_other_only_what_changed_since() {
    let mut world = apart();
    for n in 1..30 {
        world.request(0, &format!("water:{n}"), None);
        world.request(1, &format!("rice:{n}"), None);
    }
    world.report(0, "power.source", "battery");
    world.heal();
    assert_eq!(told(&world), (2, 0), "each side once, and no hashes");
    assert_eq!(world.requests(1).len(), 60);
}

#[test]
fn a_new_logbook_is_told_whole_among_what_changed() {
    let mut world = apart();
    world.hosts[0].stamp = None;
    world.restart(0);
    world.request(1, "rice:4", None);
    // Node 1 still knows what it agreed on; node 0 started anew and does not.
    world.heal();
    assert!(told(&world).1 > 0, "node 0 has forgotten: all hashes are told");
    world.disconnect_all(0);
    world.connect(0, 2);
    world.request(2, "water:9", None);
    world.request(0, "water:10", None);
    world.disconnect_all(2);
    world.said.clear();
    world.heal();
    assert_eq!(told(&world), (2, 0), "the logbooks opened since are told whole");
}

#[test]
fn a_state_that_one_side_forgot_still_heals() {
    for forgetful in [0, 1] {
        let mut world = apart();
        for n in 1..30 {
            world.request(0, &format!("water:{n}"), None);
            world.request(1, &format!("rice:{n}"), None);
        }
        world.restart(forgetful);
        world.heal();
        assert!(told(&world).1 > 0, "all hashes are told");
        assert_eq!(world.requests(0).len(), 60);
    }
}

#[test]
fn states_are_remembered_for_each_peer_through_a_long_time_with_others() {
    let mut world = apart();
    world.connect(0, 2);
    for n in 1..100 {
        world.request(0, &format!("water:{n}"), None);
        world.pass(Duration::from_secs(2));
    }
    world.said.clear();
    world.heal();
    assert_eq!(told(&world), (2, 0));
}

#[test]
fn a_word_that_both_sides_learned_apart_is_not_sent_again() {
    let mut world = apart();
    world.connect(0, 2);
    world.connect(1, 2);
    world.request(2, "water:7", None);
    world.pass(Duration::from_secs(3));
    world.converged();
    world.disconnect_all(2);
    world.request(1, "rice:7", None);
    world.said.clear();
    world.heal();
    assert_eq!(told(&world), (2, 0));
    assert_eq!(world.requests(0).len(), 4);
}
