//! How far a write got, told again after the node that made it was started anew.

use super::*;
use crate::control::{Delivery, DeliveryState};

fn delivery(world: &mut World, n: usize, ticket: &str) -> Option<Delivery> {
    let now = world.now;
    match world.hosts[n].node.answer(now, &Question::Delivery(ticket.to_owned())) {
        Answer::Delivery(delivery) => Some(delivery),
        Answer::Refused(refusal) => {
            assert_eq!(refusal.code, "H-201");
            None
        }
        other => panic!("{other:?}"),
    }
}

fn reached(world: &mut World, n: usize, ticket: &str) -> u32 {
    delivery(world, n, ticket).expect("its ticket is known").neighbours
}

/// Reports as host 0 and gives back the ticket.
fn report(world: &mut World, value: &str) -> String {
    let values = BTreeMap::from([("operating.status".to_owned(), value.to_owned())]);
    match world.order(0, Command::Report(Report { values, act: Default::default() })) {
        Reply::Saved(saved) => saved.ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_that_started_again_says_how_far_its_words_got_before() {
    let mut world = World::new(3);
    world.connect(0, 2);
    world.pass(Duration::from_secs(3));
    let (board, request) = (report(&mut world, "open"), world.request(0, "water:40", None).ticket);
    world.pass(Duration::from_secs(2));
    assert_eq!((reached(&mut world, 0, &board), reached(&mut world, 0, &request)), (1, 1));
    world.restart(0);
    assert_eq!((reached(&mut world, 0, &board), reached(&mut world, 0, &request)), (0, 0), "nobody has said anything yet");
    world.connect(0, 2);
    world.pass(Duration::from_secs(3));
    assert_eq!((reached(&mut world, 0, &board), reached(&mut world, 0, &request)), (1, 1));
    let state = delivery(&mut world, 0, &board).map(|delivery| delivery.state);
    assert_eq!(state, Some(DeliveryState::Reached));
}

#[test]
fn what_a_neighbour_got_only_after_the_start_counts_and_what_it_lacks_does_not() {
    let mut world = World::new(3);
    let board = report(&mut world, "open");
    world.restart(0);
    world.connect(0, 2);
    world.pass(Duration::from_secs(3));
    assert_eq!(reached(&mut world, 0, &board), 1);
    world.disconnect_all(0);
    let later = report(&mut world, "closed");
    assert_eq!((reached(&mut world, 0, &board), reached(&mut world, 0, &later)), (1, 0));
}

#[test]
fn a_ticket_of_a_word_that_is_not_held_here_is_not_one() {
    let mut world = World::new(2);
    let board = report(&mut world, "open");
    let request = world.request(0, "water:40", None).ticket;
    assert!(delivery(&mut world, 0, &board).is_some() && delivery(&mut world, 0, &request).is_some());
    for unknown in [
        "b1",
        "b",
        "x1",
        "e00",
        &format!("e{}", "0".repeat(30)),
        &format!("b{}", "0".repeat(30)),
        &format!("b{}é", "0".repeat(28)),
    ] {
        assert_eq!(delivery(&mut world, 0, unknown), None, "{unknown}");
    }
    let _ = world.order(
        1,
        Command::Report(Report {
            values: BTreeMap::from([("operating.status".to_owned(), "open".to_owned())]),
            act: Default::default(),
        }),
    );
    for ticket in [&board, &request] {
        assert_eq!(delivery(&mut world, 1, ticket), None, "another node's, though it has a board too");
    }
    world.put_back(0, (Vec::new(), None));
    assert_eq!(delivery(&mut world, 0, &request), None, "lost with the store");
}

#[test]
fn who_follows_a_request_hears_of_its_acknowledgement_when_it_comes() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    let ticket = world.request(0, "water:40", None).ticket;
    world.pass(Duration::from_secs(1));
    let told = |event: &Event| match event {
        Event::Delivery { ticket: of, delivery } if *of == ticket => Some(delivery.clone()),
        _ => None,
    };
    let told: Vec<Delivery> = world.hosts[0].events.iter().filter_map(told).collect();
    assert_eq!(told.last(), delivery(&mut world, 0, &ticket).as_ref(), "what was told last is how it stands");
    assert_eq!(told.last().map(|delivery| delivery.state), Some(DeliveryState::Received));
}
