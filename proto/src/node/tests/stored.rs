//! What a start makes of rows that today's rules would refuse, and of what waited when the node ended.

use super::*;
use crate::domain::reading::{Reading, Readings, Seen, Subject, Value, encode};
use crate::identity::{Tag, sign};
use crate::replica::{Document, document_bytes_max};

/// The board of host `n` as another build might have written it: changed, signed, and in the place of the stored one of `holder`.
fn rewrite(world: &mut World, n: usize, holder: usize, change: impl FnOnce(&mut Document)) {
    let issued = &world.alliance.nodes[n];
    let (author, secret, realm) = (issued.node, issued.secret.clone(), world.alliance.roster.realm());
    let row = world.hosts[holder].rows.iter_mut().rev().find_map(|row| match row {
        Row::Doc { slot: 0, doc: Some(doc), .. } if doc.author == author && doc.kind == DocKind::Board => Some(doc),
        _ => None,
    });
    let row = row.expect("a board is stored");
    let mut doc = Document::parse(&row.bytes).unwrap();
    change(&mut doc);
    row.bytes = doc.to_bytes();
    row.signature = sign(&secret, &realm, Tag::Board, &row.bytes);
    assert!(row.bytes.len() + 64 > document_bytes_max(DocKind::Board, crate::config::WINDOW_STORE));
}

fn with_long_addresses(doc: &mut Document) {
    doc.contact = (0..4).map(|n| format!("{}{n}:4401", "a".repeat(200))).collect();
}

fn board(world: &World, holder: usize, of: usize) -> Option<usize> {
    let held = world.hosts[holder].node.replica.doc(world.alliance.nodes[of].node, DocKind::Board)?;
    Some(held.bytes.len() + 64)
}

fn converged_among(world: &mut World, places: &[usize]) {
    let digests = world.digests();
    assert!(places.iter().all(|place| digests[*place] == digests[places[0]]), "{digests:?}");
}

/// Three nodes, the first of which said that it is open; the others know.
fn open() -> World {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.report(0, "operating.status", "open");
    world.pass(Duration::from_secs(3_600));
    converged_among(&mut world, &[0, 1]);
    world
}

#[test]
fn a_stored_board_that_nobody_would_take_is_left_out_and_comes_again() {
    let mut world = open();
    world.disconnect_all(0);
    rewrite(&mut world, 0, 1, with_long_addresses);
    world.restart(1);
    assert_eq!(board(&world, 1, 0), None);
    let setup = world.setup(1, None, Config::default());
    let mut restoring = Restoring::new(setup, world.now);
    latest(&world.hosts[1].rows).into_iter().for_each(|row| restoring.take(row));
    assert_eq!(restoring.left_out().iter().map(|row| row.author).collect::<Vec<_>>(), [world.alliance.nodes[0].node]);
    world.connect(1, 2);
    world.pass(Duration::from_secs(5));
    converged_among(&mut world, &[1, 2]);
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
    world.converged();
    assert_eq!(world.status_of(2, 0).operating_status, "open");
}

#[test]
fn what_fits_of_a_nodes_own_stored_board_is_said_again_with_its_age() {
    let mut world = open();
    rewrite(&mut world, 0, 0, with_long_addresses);
    world.restart(0);
    world.connect(0, 2);
    world.pass(Duration::from_secs(5));
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
    world.converged();
    for seer in 0..3 {
        assert!(board(&world, seer, 0) <= Some(crate::config::BOARD_BYTES_MAX));
        let seen = world.status_of(seer, 0);
        assert!(seen.operating_status == "open" && seen.readings["operating.status"].age_s >= Some(3_600), "{seen:?}");
    }
}

#[test]
fn a_nodes_own_stored_board_of_which_too_much_is_said_gives_way_to_the_next_report() {
    let mut world = open();
    world.disconnect_all(0);
    rewrite(&mut world, 0, 0, |doc| {
        let seen = Seen { before_s: 0, valid_s: None, basis: 0 };
        let low = |item: crate::domain::Item| (Subject::Level(item.code), Reading { value: Value::Number(1), seen });
        doc.readings = encode(&catalogue().items.into_iter().map(low).collect::<Readings>()).into();
    });
    world.restart(0);
    world.connect(0, 2);
    world.pass(Duration::from_secs(5));
    world.report(0, "operating.status", "closed");
    world.pass(Duration::from_secs(5));
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
    world.converged();
    assert_eq!(world.status_of(2, 0).operating_status, "closed");
}

#[test]
fn a_request_that_waited_for_its_acknowledgement_gets_it_after_a_restart() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.request(0, "water:40", None);
    world.pass(Duration::from_secs(3));
    let waits = world.request(0, "rice:30", None).id.unwrap();
    world.pass(Duration::from_secs(3));
    let status = |world: &mut World| world.requests(1).into_iter().find(|r| r.request == waits).unwrap().status;
    assert_eq!(status(&mut world), "submitted", "one acknowledgement a minute");
    // A PC that starts again every 50 s, with nobody about.
    world.restart(1);
    world.pass(Duration::from_secs(50));
    assert_eq!(status(&mut world), "acknowledged");
}
