//! Links that know stations by name only.

use super::*;
use crate::link::radio::MESSAGE_MAX;
use crate::message::Message;

const AIR: LinkId = LinkId(99);

/// Each of these hosts has a radio on one channel. What is said there goes nowhere by itself.
fn with_radios(world: &mut World, hosts: &[usize]) {
    for n in hosts {
        let profile = LinkProfile {
            mtu: u32::try_from(MESSAGE_MAX).unwrap(),
            rate: 150,
            reliable: false,
            broadcast: true,
            peer: None,
            dialled: None,
            label: "radio".to_owned(),
        };
        world.inputs.push_back((*n, Input::LinkUp { link: AIR, profile }));
        near(world, *n, &[]);
    }
    world.settle();
}

fn near(world: &mut World, n: usize, others: &[usize]) {
    let nodes = others.iter().map(|other| world.alliance.nodes[*other].node).collect();
    world.inputs.push_back((n, Input::Near { link: AIR, nodes }));
}

fn urgent(world: &mut World, n: usize) {
    let items = vec!["rice:3".to_owned()];
    let reply =
        world.order(n, Command::RequestNew(RequestNew { items, priority: Some("urgent".to_owned()), ..Default::default() }));
    assert!(matches!(reply, Reply::Saved(_)), "{reply:?}");
}

fn waiting(world: &World, n: usize) -> usize {
    world.hosts[n].node.links[&AIR].outbox.len()
}

/// What host 0 puts on the air for an input.
fn sent_with(world: &mut World, input: Input) -> Vec<bytes::Bytes> {
    let now = world.now;
    world.hosts[0].node.handle(now, input);
    let outputs = std::iter::from_fn(|| world.hosts[0].node.poll_output());
    outputs.filter_map(|output| if let Output::Transmit { link: AIR, frame } = output { Some(frame) } else { None }).collect()
}

#[test]
fn where_nobody_was_heard_own_words_are_said_all_the_same_and_where_all_are_linked_none() {
    let mut world = World::new(3);
    world.connect(0, 1);
    with_radios(&mut world, &[0]);
    let before = waiting(&world, 0);
    world.report(0, "operating.status", "open");
    assert_eq!(waiting(&world, 0), before + 1, "a call that nobody answers is still a call");
    near(&mut world, 0, &[1]);
    world.settle();
    let before = waiting(&world, 0);
    world.report(0, "operating.status", "closed");
    assert_eq!(waiting(&world, 0), before, "who is heard has it by the link");
    near(&mut world, 0, &[1, 2]);
    world.settle();
    assert_eq!(waiting(&world, 0), before + 1, "a newcomer is told the board");
}

#[test]
fn a_drill_that_cuts_ip_leaves_the_radio_alone() {
    let mut world = World::new(2);
    world.connect(0, 1);
    with_radios(&mut world, &[0]);
    near(&mut world, 0, &[1]);
    world.settle();
    let other = world.alliance.nodes[1].node;
    let _ = world.order(0, Command::Fault(Fault::Cut { nodes: vec![other] }));
    let before = waiting(&world, 0);
    world.report(0, "operating.status", "closed");
    assert_eq!(waiting(&world, 0), before + 1);
}

#[test]
fn of_others_only_what_is_urgent_goes_by_radio_and_from_one_station_alone() {
    let mut world = World::new(4);
    world.connect(0, 1);
    world.connect(0, 2);
    world.connect(1, 2);
    with_radios(&mut world, &[1, 2]);
    // Both hear each other and host 3, which has no link; the author has no radio.
    near(&mut world, 1, &[2, 3]);
    near(&mut world, 2, &[1, 3]);
    world.settle();
    let count = |world: &World| [1, 2].map(|n| waiting(world, n));
    let before = count(&world);
    world.report(0, "operating.status", "open");
    world.request(0, "rice:2", None);
    assert_eq!(count(&world), before, "routine of others is no matter for the radio");
    urgent(&mut world, 0);
    let after = count(&world);
    assert_eq!([after[0] - before[0], after[1] - before[1]], [1, 0]);
}

#[test]
fn with_credit_for_the_urgent_alone_a_board_waits_and_a_call_goes() {
    let mut world = World::new(2);
    with_radios(&mut world, &[0]);
    world.report(0, "operating.status", "open");
    urgent(&mut world, 0);
    world.pass(Duration::from_secs(2));
    let before = waiting(&world, 0);
    let room = u32::try_from(MESSAGE_MAX).unwrap();
    let sent = sent_with(&mut world, Input::WritableUrgent { link: AIR, room });
    assert_eq!(sent.len(), 1);
    assert!(matches!(Message::from_frame(&sent[0]), Ok(Message::Entries { want: None, entries }) if entries.len() == 1));
    assert!(sent[0].len() <= 330, "an urgent request takes {} bytes", sent[0].len());
    assert_eq!(waiting(&world, 0), before - 1);
    let sent = sent_with(&mut world, Input::Writable { link: AIR, room });
    assert!(
        sent.iter().any(|frame| matches!(Message::from_frame(frame), Ok(Message::Docs { want: None, docs }) if docs.len() == 1))
    );
}

#[test]
fn own_words_are_said_again_while_somebody_may_lack_them_and_a_newer_board_takes_the_place_of_the_older() {
    let mut world = World::new(2);
    with_radios(&mut world, &[0]);
    let before = waiting(&world, 0);
    urgent(&mut world, 0);
    world.report(0, "operating.status", "open");
    world.report(0, "operating.status", "closed");
    let again = |world: &World| world.hosts[0].node.links[&AIR].again.len();
    assert_eq!((waiting(&world, 0) - before, again(&world)), (3, 2));
    world.pass(Duration::from_secs(50));
    assert_eq!(waiting(&world, 0) - before, 4, "the urgent one comes again first");
    world.pass(Duration::from_secs(900));
    assert_eq!(again(&world), 0, "and not for ever");
    let beacons = world.hosts[0].node.links[&AIR].outbox.control_bytes() / 20;
    assert!(waiting(&world, 0) - before <= 3 + 3 + 2 + beacons, "three times more, and the board twice");
}

#[test]
fn a_beacon_goes_whether_or_not_anybody_was_heard_and_names_nobody_certified_count_for_nothing() {
    let mut world = World::new(2);
    with_radios(&mut world, &[0]);
    let nobody = NodeId { issuer: 9, serial: 9 };
    world.inputs.push_back((0, Input::Near { link: AIR, nodes: vec![nobody, world.alliance.nodes[0].node] }));
    world.settle();
    assert!(world.hosts[0].node.links[&AIR].audible.is_empty());
    let before = waiting(&world, 0);
    world.pass(Duration::from_secs(160));
    assert!(waiting(&world, 0) > before);
}

#[test]
fn whoever_is_new_on_the_air_is_told_what_is_open_and_not_what_is_settled() {
    let mut world = World::new(2);
    let settled = world.request(0, "rice:1", None);
    let close = RequestAct { request: settled.id.clone().unwrap(), version: Some(1), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestClose(close)), Reply::Saved(_)));
    urgent(&mut world, 0);
    world.request(0, "rice:2", None);
    // All that was said while the radio was off.
    with_radios(&mut world, &[0]);
    assert_eq!(waiting(&world, 0), 0);
    near(&mut world, 0, &[1]);
    world.settle();
    let again = |world: &World| world.hosts[0].node.links[&AIR].again.len();
    assert_eq!((waiting(&world, 0), again(&world)), (2, 2), "the two open requests");
    world.pass(Duration::from_secs(4));
    let sent = sent_with(&mut world, Input::WritableUrgent { link: AIR, room: u32::try_from(MESSAGE_MAX).unwrap() });
    let messages: Vec<_> = sent.iter().map(|frame| Message::from_frame(frame)).collect();
    assert!(
        matches!(&messages[..], [Ok(Message::Entries { entries, .. })] if entries.len() == 1),
        "the urgent one goes where there is room for no other: {messages:?}"
    );
    let entries = |world: &World| {
        let said = |again: &super::super::radio::Again| matches!(again.word, super::super::link::Parcel::Entry(..));
        world.hosts[0].node.links[&AIR].again.iter().filter(|again| said(again)).count()
    };
    world.pass(Duration::from_secs(400));
    assert_eq!(entries(&world), 0, "it was said often enough");
    near(&mut world, 0, &[]);
    near(&mut world, 0, &[1]);
    world.settle();
    assert_eq!(entries(&world), 0, "whoever comes and goes is not told each time");
    world.pass(Duration::from_secs(300));
    assert_eq!(entries(&world), 2, "and is told by and by");
}

/// The roster messages among these frames, and how many objects each has.
fn rosters(frames: &[bytes::Bytes]) -> Vec<usize> {
    let of = |frame: &bytes::Bytes| match Message::from_frame(frame) {
        Ok(Message::Roster { objects }) => Some(objects.len()),
        Ok(_) | Err(_) => None,
    };
    frames.iter().filter_map(of).collect()
}

#[test]
fn a_key_that_was_taken_away_is_told_by_radio_before_all_else_again_and_again_and_taken_in_there() {
    let mut world = World::new(3);
    with_radios(&mut world, &[0, 1]);
    urgent(&mut world, 0);
    super::revoked::take_key_away(&mut world, 0, 2);
    world.pass(Duration::from_secs(5));
    let room = u32::try_from(MESSAGE_MAX).unwrap();
    let sent = sent_with(&mut world, Input::WritableUrgent { link: AIR, room });
    assert_eq!(rosters(&sent[..1]), [1], "before a call of the same moment");
    world.inputs.push_back((1, Input::Received { link: AIR, frame: sent[0].clone() }));
    world.settle();
    let revoked = world.alliance.nodes[2].node;
    assert!(world.hosts[1].node.roster().current(revoked).is_none(), "taken in from the air");
    assert!(
        !world.hosts[1].node.links[&AIR].again.iter().any(|again| matches!(again.word, super::super::link::Parcel::Control(_)))
    );
    // Nothing may go for a while, and then all that has waited.
    world.inputs.push_back((0, Input::WritableUrgent { link: AIR, room: 0 }));
    world.pass(Duration::from_secs(400));
    let later = (0..20).map(|_| rosters(&sent_with(&mut world, Input::WritableUrgent { link: AIR, room })).len());
    let times = 1 + later.sum::<usize>();
    assert_eq!(times, 4, "as often as any urgent word");
}

#[test]
fn a_revocation_heard_by_a_line_goes_on_by_radio_from_one_station_alone() {
    let mut world = World::new(4);
    world.connect(0, 1);
    world.connect(0, 2);
    world.connect(1, 2);
    with_radios(&mut world, &[1, 2]);
    near(&mut world, 1, &[2, 3]);
    near(&mut world, 2, &[1, 3]);
    world.settle();
    let count = |world: &World| [1, 2].map(|n| waiting(world, n));
    let before = count(&world);
    super::revoked::take_key_away(&mut world, 0, 0);
    let after = count(&world);
    assert_eq!([after[0] - before[0], after[1] - before[1]], [1, 0]);
}
