//! Each rule is found broken where it is, and only there.

use holdfast_proto::control::{Delivery, DeliveryState, RequestNew};
use holdfast_proto::id::{Generation, Incarnation, LogId};
use holdfast_proto::io::AgeMark;

use super::*;
use crate::dice::{Dice, Purpose};
use crate::site::disk::DiskPace;
use crate::world::Via;

const AUTHOR: NodeId = NodeId { issuer: 1, serial: 1 };
const OTHER: NodeId = NodeId { issuer: 1, serial: 2 };

fn entry(number: u32, story: u8) -> EntryRow {
    let log = LogId { author: AUTHOR, generation: Generation::default(), incarnation: Incarnation::default() };
    EntryRow {
        id: EntryId { log, number },
        header: Bytes::from(vec![story; 8]),
        signature: Signature([story; 64]),
        body: Some(Bytes::from(vec![story])),
        age: AgeMark::default(),
    }
}

fn job(entry: EntryRow) -> Job {
    Job { token: 1, rows: vec![Row::Entry(entry)], stamp: None, via: Via::Other }
}

fn broken(checker: &Checker) -> Vec<Rule> {
    checker.violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn a_second_content_under_one_number_is_found() {
    let mut checker = Checker::default();
    checker.durable(0, AUTHOR, 1, &job(entry(1, 7)));
    checker.durable(0, AUTHOR, 2, &job(entry(1, 7)));
    assert!(checker.violations.is_empty());
    checker.durable(0, AUTHOR, 3, &job(entry(1, 8)));
    assert_eq!(broken(&checker), [Rule::AlwaysOneStory]);
}

#[test]
fn what_no_author_wrote_and_what_was_changed_on_the_way_are_found() {
    let mut checker = Checker::default();
    checker.durable(0, AUTHOR, 1, &job(entry(1, 7)));
    checker.durable(1, OTHER, 2, &job(entry(1, 7)));
    checker.durable(1, OTHER, 2, &job(EntryRow { body: None, ..entry(1, 7) }));
    assert!(checker.violations.is_empty());
    checker.durable(1, OTHER, 3, &job(EntryRow { body: Some(Bytes::from_static(b"forged")), ..entry(1, 7) }));
    checker.durable(1, OTHER, 4, &job(entry(2, 7)));
    assert_eq!(broken(&checker), [Rule::AlwaysP5Unchanged, Rule::AlwaysP3NothingFromThinAir]);
}

#[test]
fn what_belongs_to_another_realm_is_found() {
    let mut checker = Checker::default();
    let roster = |text: &'static [u8]| Job { rows: vec![Row::Roster { bytes: Bytes::from_static(text) }], ..job(entry(1, 7)) };
    let issued = |bytes: &Bytes| bytes == "ours";
    checker.own_realm(0, 1, &roster(b"ours"), issued);
    assert!(checker.violations.is_empty() && checker.checked[&Rule::AlwaysOwnRealm] == 1);
    checker.own_realm(0, 2, &roster(b"theirs"), issued);
    let worthless = vec![Row::Entry(entry(1, 7))];
    let key = holdfast_proto::identity::SecretKey::from_seed([7; 32]).public();
    checker.forged(3, 0, &Forgery { key, stories: Vec::new(), worthless, stolen: Vec::new(), foreign: true });
    checker.own_realm(0, 3, &job(entry(1, 8)), issued);
    checker.own_realm(0, 4, &job(entry(1, 7)), issued);
    assert_eq!(broken(&checker), [Rule::AlwaysOwnRealm; 2]);
    assert_eq!(checker.violations[1].at, 4);
}

#[test]
fn a_second_fact_under_one_key_is_found_unless_the_store_that_knew_is_gone() {
    let saved = |id: &str, already| {
        let (id, ticket) = (Some(id.to_owned()), String::new());
        let delivery = Delivery { state: DeliveryState::SavedHere, neighbours: 0, acknowledged_by: Vec::new() };
        Reply::Saved(Box::new(Saved { schema: String::new(), id, already, delivery, request: None, ticket }))
    };
    let mut checker = Checker::default();
    let mut number = 0;
    let mut ask = |checker: &mut Checker, reply: Reply| {
        number += 1;
        let new = RequestNew { key: Some("k".to_owned()), ..RequestNew::default() };
        checker.asked(0, number, number, Kind::New, &Command::RequestNew(new));
        checker.durable(0, AUTHOR, number, &job(entry(u32::try_from(number).unwrap(), 7)));
        checker.answered(0, number, number, &reply);
    };
    ask(&mut checker, saved("R-1", false));
    ask(&mut checker, saved("R-1", true));
    assert!(checker.violations.is_empty() && checker.checked[&Rule::AlwaysOneFactPerKey] == 2);
    ask(&mut checker, saved("R-2", false));
    assert_eq!(broken(&checker), [Rule::AlwaysOneFactPerKey]);
    checker.lost.insert(0, 9);
    ask(&mut checker, saved("R-3", false));
    assert_eq!(checker.violations.len(), 1);
}

#[test]
fn a_word_in_a_frame_before_it_is_durable_is_found() {
    let mut checker = Checker::default();
    let mut disk = Disk::new(DiskPace::SSD);
    disk.submit(0, job(entry(1, 7)), &mut Dice::new(1, Purpose::Disk, 0));
    let mut frame = vec![7; 31];
    frame.push(0);
    checker.spoke(0, AUTHOR, 1, &disk, &frame);
    assert!(checker.violations.is_empty());
    frame.extend_from_slice(&[7; 64]);
    checker.spoke(0, AUTHOR, 1, &disk, &frame);
    assert_eq!(broken(&checker), [Rule::AlwaysP4DurableBeforeSpoken]);
}

#[test]
fn a_lost_word_is_found_unless_every_store_that_held_it_is_gone() {
    let mut checker = Checker::default();
    let empty = Disk::new(DiskPace::SSD);
    let id_of = |_| AUTHOR;
    let word = |entries, board| Word { node: 0, at: 1, entries, board, request: None, excused: false };
    checker.words.push(word(vec![entry(1, 7).id], None));
    checker.words_kept(1, 2, &empty, &id_of);
    assert_eq!(broken(&checker), [Rule::EventuallyNoWordLost]);
    checker.store_lost(0, 3, &[&empty, &empty], &id_of);
    checker.words_kept(1, 4, &empty, &id_of);
    assert_eq!(checker.violations.len(), 1);
    checker.words.push(word(Vec::new(), Some(DocOrder::default())));
    checker.words_kept(1, 5, &empty, &id_of);
    assert_eq!(checker.violations.len(), 2, "a report is a word, too");
}
