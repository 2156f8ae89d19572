//! Rule 8 in whole nodes: forks and two stories, over restarts, in one frame, and while a write is under way.

use super::*;
use crate::id::{Class, Generation, Incarnation};
use crate::identity::{Signed, Tag};
use crate::message::{Message, WireDoc, WireEntry};
use crate::replica::{Document, Header, hash16};

fn seal(world: &World, n: usize, tag: Tag, bytes: &bytes::Bytes) -> crate::identity::Signature {
    let issued = &world.alliance.nodes[n];
    let roster = &world.alliance.roster;
    Signed::seal(&issued.secret, roster, issued.node, issued.generation, tag, bytes.clone()).unwrap().into_inner().signature
}

pub(super) fn log_of(world: &World, n: usize) -> LogId {
    let issued = &world.alliance.nodes[n];
    LogId { author: issued.node, generation: issued.generation, incarnation: Incarnation { count: 1, random: 1 } }
}

/// An entry of host `n`, written by hand.
pub(super) fn entry(world: &World, n: usize, number: u32, prev: [u8; 16], text: &str) -> EntryRow {
    let log = log_of(world, n);
    entry_in(world, n, log, number, prev, text)
}

pub(super) fn entry_in(world: &World, n: usize, log: LogId, number: u32, prev: [u8; 16], text: &str) -> EntryRow {
    let body = bytes::Bytes::copy_from_slice(text.as_bytes());
    let id = EntryId { log, number };
    let body_hash = *blake3::hash(&body).as_bytes();
    let wall = world.now.wall;
    let header =
        Header { id, prev, class: Class::ROUTINE, closed: false, urgent: 0, wall, body_hash, extra: bytes::Bytes::new() };
    let header = header.to_bytes();
    let signature = seal(world, n, Tag::Entry, &header);
    EntryRow { id, header, signature, body: Some(body), age: Default::default() }
}

pub(super) fn wire(row: &EntryRow) -> WireEntry {
    WireEntry::pack(row, true, Some(0)).unwrap()
}

pub(super) fn hash(row: &EntryRow) -> [u8; 16] {
    hash16(&row.header)
}

pub(super) fn send(world: &mut World, to: usize, message: &Message) {
    let link = world.wires.keys().find(|(host, _)| *host == to).map(|(_, link)| *link).unwrap();
    world.inputs.push_back((to, Input::Received { link, frame: message.to_frame() }));
    world.settle();
}

pub(super) fn push(world: &mut World, to: usize, rows: &[&EntryRow]) {
    let entries = rows.iter().map(|row| wire(row)).collect();
    send(world, to, &Message::Entries { want: None, entries });
}

pub(super) fn frozen(world: &World, n: usize, log: LogId) -> Option<u32> {
    world.hosts[n].node.replica.log(log).and_then(crate::replica::Log::frozen)
}

#[test]
fn a_freeze_and_its_flags_stand_after_a_restart() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    world.pass(Duration::from_secs(3));
    let log = world.hosts[1].node.replica.logs_of(world.alliance.nodes[0].node).next().unwrap().0;
    let head = world.hosts[1].node.replica.log(log).unwrap().head_hash();
    let one = entry_in(&world, 0, log, 2, head, "one");
    let other = entry_in(&world, 0, log, 2, head, "other");
    push(&mut world, 1, &[&one]);
    push(&mut world, 1, &[&other]);
    assert_eq!(frozen(&world, 1, log), Some(2));
    assert!(world.requests(1)[0].flags.iter().any(|flag| flag == "requester_frozen"));
    let view = world.hosts[1].node.canonical_view();
    world.restart(1);
    assert_eq!(world.hosts[1].node.canonical_view(), view);
}

#[test]
fn a_proof_of_a_lower_fork_is_taken_although_a_higher_one_is_known() {
    let mut world = World::new(3);
    world.connect(2, 1);
    let log = log_of(&world, 0);
    let three = entry(&world, 0, 3, [3; 16], "three");
    let four = entry(&world, 0, 4, hash(&three), "four");
    let torn = entry(&world, 0, 5, [5; 16], "torn");
    push(&mut world, 1, &[&three, &four, &torn]);
    assert_eq!(frozen(&world, 1, log), Some(4));
    // Two entries under number 4 with unlike predecessors prove that number 3 is forked already.
    let deep = entry(&world, 0, 4, [4; 16], "deep");
    send(&mut world, 1, &Message::Forks { proofs: vec![(wire(&four), wire(&deep))] });
    assert_eq!(frozen(&world, 1, log), Some(3));
}

#[test]
fn two_stories_of_a_board_in_one_frame_are_both_on_disk_and_void_it_after_a_restart_too() {
    let mut world = World::new(3);
    world.connect(2, 1);
    let doc = |text: &'static str| {
        let readings = bytes::Bytes::from_static(text.as_bytes());
        let log = log_of(&world, 0);
        let doc = Document { log, version: 1, wall: world.now.wall, floor: 0, head: 0, readings, contact: Vec::new() };
        let bytes = doc.to_bytes();
        let signature = seal(&world, 0, Tag::Board, &bytes);
        let row = crate::io::DocRow { author: log.author, kind: DocKind::Board, bytes, signature, age: Default::default() };
        WireDoc::pack(&row, Some(0))
    };
    let docs = vec![doc(""), doc("x")];
    send(&mut world, 1, &Message::Docs { want: None, docs });
    let author = world.alliance.nodes[0].node;
    assert!(world.hosts[1].node.replica.doc_contradiction(author, DocKind::Board).is_some());
    let (digest, view) = (world.digests()[1].clone(), world.hosts[1].node.canonical_view());
    world.restart(1);
    assert_eq!((world.digests()[1].clone(), world.hosts[1].node.canonical_view()), (digest, view));
    assert_eq!(world.status_of(1, 0).operating_status, "unknown");
}

#[test]
fn a_write_under_way_when_its_logbook_is_frozen_counts_nowhere() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    world.pass(Duration::from_secs(3));
    let log = world.hosts[0].node.current_log().unwrap();
    let head = world.hosts[0].node.replica.log(log).unwrap().head_hash();
    let one = entry_in(&world, 0, log, 2, head, "one");
    let other = entry_in(&world, 0, log, 2, head, "other");
    let command = Command::RequestNew(RequestNew { items: vec!["rice:7".to_owned()], ..Default::default() });
    world.hosts[0].node.handle(world.now, Input::Command { id: CommandId(9_000), command });
    let outputs: Vec<_> = std::iter::from_fn(|| world.hosts[0].node.poll_output()).collect();
    let token = outputs.iter().find_map(|o| if let Output::Persist { token, .. } = o { Some(*token) } else { None }).unwrap();
    send(&mut world, 0, &Message::Forks { proofs: vec![(wire(&one), wire(&other))] });
    assert_eq!(frozen(&world, 0, log), Some(2));
    world.inputs.push_back((0, Input::Persisted { token }));
    world.settle();
    assert_eq!(world.requests(0).len(), 1);
    world.pass(Duration::from_secs(5));
    world.converged();
}

#[test]
fn more_than_eight_lives_with_a_freeze_among_the_oldest_leave_the_same_view_everywhere() {
    let mut world = World::new(3);
    world.connect(0, 1);
    let issued = (world.alliance.nodes[2].node, Generation::default());
    let life = |count| LogId {
        author: issued.0,
        generation: world.alliance.nodes[2].generation,
        incarnation: Incarnation { count, random: 0 },
    };
    let first = [entry_in(&world, 2, life(1), 1, [0; 16], "one"), entry_in(&world, 2, life(1), 1, [0; 16], "other")];
    let later: Vec<EntryRow> = (2..=9).map(|count| entry_in(&world, 2, life(count), 1, [0; 16], "one")).collect();
    world.deaf.extend([(0, 1), (1, 0)]);
    push(&mut world, 0, &[&first[0]]);
    push(&mut world, 0, &[&first[1]]);
    push(&mut world, 0, &later.iter().collect::<Vec<_>>());
    push(&mut world, 1, &later.iter().rev().collect::<Vec<_>>());
    world.deaf.clear();
    world.pass(Duration::from_secs(40));
    let digests = world.digests();
    assert_eq!(digests[0], digests[1]);
    assert_eq!(world.hosts[0].node.canonical_view(), world.hosts[1].node.canonical_view());
    assert!(!world.hosts[0].node.domain.is_frozen(issued.0));
}
