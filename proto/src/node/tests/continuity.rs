//! Rule 7: who may go on in a logbook, and when a node stops writing.

use super::*;

fn lives(world: &World, seer: usize, seen: usize) -> usize {
    world.hosts[seer].node.replica.logs_of(world.alliance.nodes[seen].node).count()
}

fn refused(reply: &Reply) -> Option<&str> {
    if let Reply::Refused(refusal) = reply { Some(&refusal.code) } else { None }
}

fn wish(items: &str) -> Command {
    Command::RequestNew(RequestNew { items: vec![items.to_owned()], ..Default::default() })
}

#[test]
fn a_node_that_wrote_only_boards_goes_on_in_the_same_life() {
    let mut world = World::new(2);
    world.report(0, "operating.status", "open");
    let before = world.hosts[0].node.replica.doc(world.alliance.nodes[0].node, DocKind::Board).unwrap().doc.log;
    world.restart(0);
    world.report(0, "operating.status", "closed");
    let after = world.hosts[0].node.replica.doc(world.alliance.nodes[0].node, DocKind::Board).unwrap();
    assert_eq!((after.doc.log, after.doc.version), (before, 2));
}

#[test]
fn a_copied_disk_without_the_stamp_opens_a_new_life() {
    let mut world = World::new(2);
    world.request(0, "water:1", None);
    world.hosts[0].stamp = None;
    world.restart(0);
    world.request(0, "water:2", None);
    assert_eq!(lives(&world, 0, 0), 2);
    assert_eq!(world.requests(0).len(), 2, "a new life hides nothing of the old one (rule 4)");
}

#[test]
fn a_stamp_that_is_ahead_of_the_store_proves_nothing() {
    let mut world = World::new(2);
    world.report(0, "operating.status", "open");
    let backup = world.hosts[0].rows.clone();
    world.report(0, "operating.status", "closed");
    world.hosts[0].rows = backup;
    world.restart(0);
    world.report(0, "operating.status", "open");
    let doc = world.hosts[0].node.replica.doc(world.alliance.nodes[0].node, DocKind::Board).unwrap();
    assert_eq!((doc.doc.log.incarnation.count, doc.doc.version), (2, 1));
}

#[test]
fn a_pc_put_back_with_its_stamp_learns_from_a_peer_before_it_writes_and_makes_no_fork() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let copy = world.copy(0);
    world.request(0, "water:2", None);
    world.pass(Duration::from_secs(3));
    world.put_back(0, copy);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.request(0, "water:3", None);
    world.pass(Duration::from_secs(3));
    world.converged();
    assert_eq!((lives(&world, 1, 0), world.hosts[1].node.replica.forks().count(), world.requests(1).len()), (2, 0, 3));
}

#[test]
fn a_pc_that_wrote_and_then_hears_words_it_did_not_write_stops_and_says_so() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let copy = world.copy(0);
    world.request(0, "water:2", None);
    world.pass(Duration::from_secs(3));
    world.put_back(0, copy);
    world.request(0, "rice:3", None);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    let reply = world.order(0, wish("rice:4"));
    assert_eq!(refused(&reply), Some("H-502"));
    assert!(world.hosts[0].events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    world.converged();
}

#[test]
fn hearing_a_higher_life_of_oneself_stops_writing_and_a_lower_one_does_not() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let copy = world.copy(0);
    // A second PC with an empty disk speaks in a next life.
    world.put_back(0, (Vec::new(), None));
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.request(0, "water:2", None);
    world.pass(Duration::from_secs(3));
    assert!(refused(&world.order(0, wish("water:3"))).is_none(), "the first life is its past and was refilled");
    world.pass(Duration::from_secs(3));
    world.put_back(0, copy);
    world.request(0, "rice:1", None);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    assert_eq!(refused(&world.order(0, wish("rice:2"))), Some("H-502"));
}

#[test]
fn a_clone_that_wrote_only_a_board_of_the_same_version_is_noticed() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.report(0, "operating.status", "open");
    world.report(0, "stock.water", "120");
    let copy = world.copy(0);
    world.report(0, "operating.status", "closed");
    world.pass(Duration::from_secs(3));
    world.put_back(0, copy);
    world.report(0, "operating.status", "limited");
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    assert_eq!(refused(&world.order(0, wish("rice:2"))), Some("H-502"));
    world.converged();
    assert_eq!(world.status_of(1, 0).operating_status, "unknown");
}

#[test]
fn a_life_begun_anew_after_a_lost_disk_is_shown_whichever_of_both_ranks_higher_and_after_a_restart_too() {
    let mut ranks = BTreeMap::new();
    for second in 0..12 {
        let mut world = World::new(2);
        world.connect(0, 1);
        world.report(0, "operating.status", "open");
        world.pass(Duration::from_secs(3));
        let me = world.alliance.nodes[0].node;
        let life = |world: &World| world.hosts[0].node.replica.doc(me, DocKind::Board).unwrap().doc.log.incarnation;
        let first = life(&world);
        world.disconnect_all(0);
        world.pass(Duration::from_secs(second));
        world.put_back(0, (Vec::new(), None));
        world.report(0, "operating.status", "closed");
        let second = life(&world);
        assert_eq!(first.count, second.count, "it knows of nothing before");
        world.restart(0);
        world.connect(0, 1);
        world.pass(Duration::from_secs(10));
        world.converged();
        assert_eq!(world.status_of(1, 0).operating_status, "closed", "{first:?}, then {second:?}");
        *ranks.entry(first < second).or_insert(0) += 1;
    }
    assert_eq!(ranks.len(), 2, "both orders came up");
}
