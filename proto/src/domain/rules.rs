//! The rules of requests, observations and bodies, one sentence each (`domain.md` 3.2-3.5, design section 4).

use super::bench::*;
use super::fact::{Deed, Fact, FactKind, Floor, Inert, Observation, decode_body, encode_body, make_acknowledge, make_floor};
use super::reading::{Reading, Readings, Seen, Subject, Value};
use super::{Decoded, Domain, EntryMeta};
use crate::codec::canonical::Writer;
use crate::id::{Class, EntryId, FactId, Incarnation, LogId};
use crate::time::UtcMillis;

fn quantity(bench: &Bench, request: FactId) -> u64 {
    bench.view(request).lines[0].requested
}

#[test]
fn the_requesters_newest_version_holds() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.say(log(1, 1), &[update(need, 1, 2, 60)]);
    bench.say(log(1, 1), &[update(need, 2, 3, 50)]);
    let view = bench.view(need);
    assert_eq!((view.version, view.status.as_str(), quantity(&bench, need)), (3, "submitted", 50));
    bench.check_order();
}

#[test]
fn of_two_updates_with_one_version_the_later_in_author_order_counts_and_the_other_is_flagged() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.say(log(1, 2), &[update(need, 1, 2, 70)]);
    bench.say(log(1, 1), &[update(need, 1, 2, 60)]);
    let view = bench.view(need);
    assert_eq!((view.version, quantity(&bench, need)), (2, 70));
    assert_eq!(view.history.iter().filter(|act| act.flagged.as_deref() == Some("same_version")).count(), 1);
    bench.check_order();
}

#[test]
fn only_who_wrote_a_request_may_change_it() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.say(log(3, 1), &[update(need, 1, 9, 1)]);
    bench.say(log(3, 1), &[cancel(need, 1)]);
    bench.say(log(2, 1), &[close(need, 1)]);
    let view = bench.view(need);
    assert_eq!((view.version, view.status.as_str()), (1, "submitted"));
    assert_eq!(view.history.iter().filter(|act| act.flagged.as_deref() == Some("not_the_requester")).count(), 3);
    bench.check_order();
}

#[test]
fn a_cancel_of_the_newest_version_ends_the_need_and_a_confirmation_brings_it_back() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.say(log(1, 1), &[cancel(need, 1)]);
    assert_eq!(bench.view(need).status, "cancelled");
    assert_eq!(bench.domain.requests_open(), 0);
    bench.say(log(1, 1), &[confirm(need, 1)]);
    assert_eq!(bench.view(need).status, "submitted");
    bench.check_order();
}

#[test]
fn a_cancel_of_an_older_version_is_flagged_and_the_request_stays_open_until_settled() {
    for settle in [confirm as fn(FactId, u32) -> Fact, |of, seen| update(of, seen, 3, 10), cancel, close] {
        let mut bench = Bench::new();
        let need = bench.say(log(1, 1), &[request(40)]);
        bench.say(log(1, 1), &[update(need, 1, 2, 60)]);
        // Written on a restored computer that had not heard of version 2.
        bench.say(log(1, 2), &[cancel(need, 1)]);
        let view = bench.view(need);
        assert_eq!((view.status.as_str(), view.flags.as_slice()), ("submitted", &["cancel_of_older_version".to_string()][..]));
        assert_eq!(bench.domain.conflicts(), 1);
        bench.say(log(1, 2), &[settle(need, 2)]);
        assert_eq!((bench.view(need).flags, bench.domain.conflicts()), (Vec::new(), 0));
        bench.check_order();
    }
}

#[test]
fn a_close_ends_a_request_and_later_facts_are_kept_and_flagged() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.say(log(1, 1), &[close(need, 1)]);
    bench.say(log(1, 2), &[update(need, 1, 2, 99)]);
    let view = bench.view(need);
    assert_eq!((view.status.as_str(), view.version, view.flags), ("closed", 1, vec!["late_facts".to_string()]));
    assert_eq!(view.history.last().and_then(|act| act.flagged.clone()), Some("after_close".into()));
    bench.check_order();
}

#[test]
fn a_fact_that_refers_to_what_is_not_held_waits() {
    let mut bench = Bench::new();
    let need = bench.withhold(log(1, 1), &[request(40)]);
    let second = bench.withhold(log(1, 1), &[update(need, 1, 2, 60)]);
    bench.say(log(1, 1), &[cancel(need, 2)]);
    assert!(bench.domain.request_state(need).is_none());
    bench.bring(need);
    let view = bench.view(need);
    assert_eq!((view.status.as_str(), view.history[1].flagged.as_deref()), ("submitted", Some("waits_for_version")));
    bench.bring(second);
    assert_eq!(bench.view(need).status, "cancelled");
    bench.check_order();
}

#[test]
fn one_key_of_one_author_and_consignee_is_one_request() {
    let keyed = |key: u8, consignee: Option<u16>| {
        let mut fact = request(40);
        if let Deed::Request(request) = &mut fact.deed {
            request.key = Some([key; 8]);
            request.consignee = consignee.map(node);
        }
        fact
    };
    let mut bench = Bench::new();
    let later = bench.say(log(1, 2), &[keyed(1, None)]);
    let first = bench.say(log(1, 1), &[keyed(1, None)]);
    let others = [
        bench.say(log(1, 1), &[keyed(1, Some(3))]),
        bench.say(log(3, 1), &[keyed(1, None)]),
        bench.say(log(1, 1), &[keyed(2, None)]),
    ];
    let view = bench.view(later);
    assert_eq!((view.status, view.flags), ("duplicate".into(), vec![format!("duplicate_of:{}", super::spoken(first))]));
    assert_eq!(bench.view(first).status, "submitted");
    assert!(others.iter().all(|other| bench.view(*other).status == "submitted"));
    assert_eq!(bench.domain.requests_open(), 4);
    bench.check_order();
}

#[test]
fn an_acknowledgement_counts_from_whom_was_asked_only() {
    let mut bench = Bench::new();
    let to_all = bench.say(log(1, 1), &[request(40)]);
    let mut asked = request(10);
    if let Deed::Request(request) = &mut asked.deed {
        request.to = Some(node(3));
    }
    let to_three = bench.say(log(1, 1), &[asked]);
    for author in [1, 2, 3] {
        bench.say(log(author, 1), &[acknowledge(to_all)]);
        bench.say(log(author, 1), &[acknowledge(to_three)]);
    }
    let by = |bench: &Bench, request| bench.view(request).acknowledged_by.into_iter().map(|name| name.id).collect::<Vec<_>>();
    assert_eq!(by(&bench, to_all), ["1-2"]);
    assert_eq!(by(&bench, to_three), ["1-3"]);
    assert_eq!(bench.view(to_all).status, "acknowledged");
    bench.check_order();
}

#[test]
fn a_node_owes_an_acknowledgement_for_every_open_request_that_asks_it_once() {
    let mut bench = Bench::new();
    let first = bench.say(log(1, 1), &[request(40)]);
    let closed = bench.say(log(3, 1), &[request(1)]);
    bench.say(log(3, 1), &[close(closed, 1)]);
    let own = bench.say(log(2, 1), &[request(5)]);
    assert_eq!(bench.domain.acknowledgements_due(node(2), true), [first]);
    assert_eq!(bench.domain.acknowledgements_due(node(3), false), []);
    assert_eq!(bench.domain.acknowledgements_due(node(4), true), [first, own]);
    let (body, class) = make_acknowledge(&[own, first]);
    let id = EntryId { log: log(4, 1), number: 1 };
    bench.domain.apply(&EntryMeta { id, class, closed: false, wall: UtcMillis(1) }, &body);
    assert_eq!(bench.domain.acknowledgements_due(node(4), true), []);
}

#[test]
fn needed_by_expires_in_the_view_only() {
    let mut bench = Bench::new();
    let mut fact = request(40);
    if let Deed::Request(request) = &mut fact.deed {
        request.need.needed_by_s = Some(u64::try_from(START / 1_000).unwrap() + 60);
    }
    let need = bench.say(log(1, 1), &[fact]);
    let before = bench.domain.canonical_view();
    assert_eq!(bench.view(need).status, "submitted");
    bench.pass(61);
    let view = bench.view(need);
    assert_eq!((view.status.as_str(), view.flags), ("expired", vec!["expired".to_string()]));
    assert_eq!((bench.domain.canonical_view(), bench.domain.requests_open()), (before, 1));
}

#[test]
fn a_forked_requester_is_flagged() {
    let mut bench = Bench::new();
    let need = bench.say(log(1, 1), &[request(40)]);
    bench.domain.set_frozen(log(1, 2), true);
    assert_eq!(bench.view(need).flags, ["requester_frozen"]);
    bench.domain.set_frozen(log(1, 2), false);
    assert!(bench.view(need).flags.is_empty());
}

fn observation(of: u16, status: u64) -> Fact {
    let reading = Reading { value: Value::Number(status), seen: Seen::default() };
    let readings = Readings::from([(Subject::Field(1), reading)]);
    Fact::new(Deed::Observation(Observation { node: node(of), readings, note: None }))
}

#[test]
fn of_one_observers_words_on_one_node_the_newest_counts() {
    let mut bench = Bench::new();
    bench.say(log(1, 1), &[observation(3, 1)]);
    let newest = bench.say(log(1, 1), &[observation(3, 3)]);
    bench.say(log(2, 1), &[observation(3, 2)]);
    let views = bench.domain.observations_of(node(3), &bench.directory, &|_| Some(5_000));
    let said: Vec<_> = views.iter().map(|view| (view.by.id.as_str(), view.readings["operating.status"].value.as_str())).collect();
    assert_eq!(said, [("1-1", Some("closed")), ("1-2", Some("limited"))]);
    assert_eq!(views[0].age_s, Some(5));
    assert_eq!(bench.domain.unsettled(log(1, 1), 10), [newest.entry.number]);
    bench.check_order();
}

#[test]
fn at_most_64_observations_of_one_author_are_live() {
    let mut bench = Bench::new();
    for of in 100..170 {
        bench.say(log(1, 1), &[observation(of, 1)]);
    }
    assert_eq!(bench.domain.live_observations().len(), 64);
    assert!(bench.domain.observations_of(node(105), &bench.directory, &|_| None).is_empty());
    assert_eq!(bench.domain.observations_of(node(106), &bench.directory, &|_| None).len(), 1);
    assert_eq!(bench.domain.unsettled(log(1, 1), 100).len(), 64);
    bench.check_order();
}

#[test]
fn what_is_closed_with_all_its_facts_below_the_floor_is_settled_and_nothing_else() {
    let mut bench = Bench::new();
    let open = bench.say(log(1, 1), &[request(1)]);
    let ended = bench.say(log(1, 1), &[request(2)]);
    bench.say(log(1, 1), &[update(open, 1, 2, 3)]);
    bench.say(log(1, 1), &[update(open, 2, 3, 4)]);
    bench.say(log(1, 1), &[close(ended, 1)]);
    // The older update of the open request is superseded; the close stands above 5 but below 6.
    assert_eq!(bench.domain.unsettled(log(1, 1), 5), [1, 2, 4]);
    assert_eq!(bench.domain.unsettled(log(1, 1), 6), [1, 4]);
    assert!(bench.domain.unsettled(log(1, 2), 6).is_empty());
}

#[test]
fn a_duplicate_that_shares_its_entry_with_an_open_request_holds_up_the_one_that_counts() {
    let mut keyed = request(40);
    if let Deed::Request(request) = &mut keyed.deed {
        request.key = Some([1; 8]);
    }
    let mut bench = Bench::new();
    let first = bench.say(log(1, 1), std::slice::from_ref(&keyed));
    bench.say(log(1, 1), &[keyed, request(7)]);
    bench.say(log(1, 1), &[close(first, 1)]);
    // Without entry 1 the duplicate in entry 2 would come to count.
    assert_eq!(bench.domain.unsettled(log(1, 1), 4), [1, 2, 3]);
}

#[test]
fn of_the_floors_of_a_logbook_the_highest_stays() {
    let mut bench = Bench::new();
    let floor = |number| Floor { incarnation: Incarnation { count: 1, random: 7 }, number, previous: [9; 16], stay: vec![1, 4] };
    bench.say(log(1, 1), &[Fact::new(Deed::Floor(floor(5)))]);
    bench.say(log(1, 1), &[Fact::new(Deed::Floor(floor(9)))]);
    assert_eq!(bench.domain.unsettled(log(1, 1), 10), [2]);
    let (body, class) = make_floor(floor(9));
    assert_eq!((super::floor_of(&body), class), (vec![floor(9)], Class::URGENT));
}

fn apply_one(body: &[u8], class: Class, closed: bool) -> Vec<Decoded> {
    let mut domain = Domain::default();
    let id = EntryId { log: log(1, 1), number: 1 };
    domain.apply(&EntryMeta { id, class, closed, wall: UtcMillis(1) }, body);
    domain.facts(id).unwrap().to_vec()
}

fn body_of(facts: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.list(1, facts);
    writer.finish()
}

fn raw(kind: u64) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.uint(0, kind).bytes(200, b"later");
    writer.finish()
}

fn one(fact: &Fact) -> Vec<u8> {
    let body = encode_body(std::slice::from_ref(fact));
    // A body of one fact: id, length, the fact's own length, the fact.
    let fields = crate::codec::canonical::Fields::parse(&body).unwrap();
    fields.list(1).unwrap()[0].to_vec()
}

#[test]
fn a_malformed_fact_makes_only_itself_inert() {
    let broken = {
        let mut writer = Writer::new();
        writer.uint(0, 10);
        writer.finish()
    };
    let facts = apply_one(&body_of(&[one(&request(40)), broken, vec![0xff]]), Class::ROUTINE, false);
    assert!(matches!(facts.as_slice(), [Decoded::Fact(_), Decoded::Inert(Inert::Malformed), Decoded::Inert(Inert::Malformed)]));
}

#[test]
fn an_entry_under_a_class_its_facts_do_not_have_is_inert() {
    let body = body_of(&[one(&request(40))]);
    assert!(matches!(apply_one(&body, Class::FLASH, false).as_slice(), [Decoded::Inert(Inert::WrongClass)]));
    assert!(matches!(apply_one(&body, Class::ROUTINE, false).as_slice(), [Decoded::Fact(_)]));
}

#[test]
fn an_unknown_kind_is_kept_and_lets_its_entry_have_another_class() {
    let facts = apply_one(&body_of(&[one(&request(40)), raw(999)]), Class::FLASH, false);
    assert!(matches!(facts.as_slice(), [Decoded::Fact(_), Decoded::Inert(Inert::UnknownKind(999))]));
}

#[test]
fn of_a_guest_only_its_mode_and_its_floor_count() {
    let guest = LogId { author: node(1).guest(), ..log(1, 1) };
    let id = EntryId { log: guest, number: 1 };
    let need = FactId { entry: EntryId { log: log(1, 1), number: 1 }, index: 0 };
    let floor = Floor { incarnation: log(1, 1).incarnation, number: 1, previous: [0; 16], stay: Vec::new() };
    for (fact, counts) in [
        (request(40), false),
        (acknowledge(need), false),
        (cancel(need, 1), false),
        (observation(3, 1), false),
        (Fact::new(Deed::Floor(floor)), true),
    ] {
        let class = super::fact::implied_class(&[Decoded::Fact(Box::new(fact.clone()))]).expect("has one");
        let facts = super::read_body(&EntryMeta { id, class, closed: false, wall: UtcMillis(1) }, &encode_body(&[fact]));
        let inert = facts.as_ref() == [Decoded::Inert(Inert::OfGuest)];
        assert_eq!(inert, !counts, "{facts:?}");
    }
}

#[test]
fn open_kinds_in_a_closed_entry_are_inert() {
    let body = body_of(&[one(&request(40))]);
    assert!(matches!(apply_one(&body, Class::ROUTINE, true).as_slice(), [Decoded::Inert(Inert::Closed)]));
}

#[test]
fn beyond_64_facts_a_body_says_nothing() {
    let body = body_of(&vec![one(&acknowledge(FactId { entry: EntryId { log: log(1, 1), number: 1 }, index: 0 })); 70]);
    let facts = decode_body(&body);
    assert_eq!(facts.len(), 65);
    assert_eq!(facts[64], Decoded::Inert(Inert::TooMany));
}

#[test]
fn urgent_needs_and_what_stops_goods_travel_first() {
    let mut urgent = request(1);
    if let Deed::Request(request) = &mut urgent.deed {
        request.need.priority = 1;
    }
    let id = FactId { entry: EntryId { log: log(1, 1), number: 1 }, index: 0 };
    assert_eq!(urgent.class(), Class::URGENT);
    assert_eq!(request(1).class(), Class::ROUTINE);
    assert_eq!(cancel(id, 1).class(), Class::URGENT);
    assert_eq!(acknowledge(id).class(), Class::DEFERRED);
    assert_eq!(super::class_of(&encode_body(&[acknowledge(id), cancel(id, 1)])), Some(Class::URGENT));
}

#[test]
fn every_kind_has_a_number_of_its_own() {
    let numbers: std::collections::BTreeSet<u32> = FactKind::ALL.iter().copied().map(FactKind::number).collect();
    assert_eq!(numbers.len(), FactKind::ALL.len());
    assert!(FactKind::ALL.iter().copied().all(|kind| FactKind::of(u64::from(kind.number())) == Some(kind)));
}

#[test]
fn what_is_written_down_late_undoes_nothing_that_was_seen_since() {
    let mut bench = Bench::new();
    let report = |bench: &mut Bench, word: &str, ago_s: Option<u64>| {
        let at = ago_s.map(|ago_s| UtcMillis(bench.now.wall.0 - i64::try_from(ago_s * 1_000).unwrap()));
        let act = super::wish::Act { at, ..Default::default() };
        let values = [("operating.status".to_owned(), word.to_owned())].into_iter().collect();
        let wish = super::wish::Report { values, act };
        bench.wish(1, &super::PlanInput::Report(&wish)).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(report(&mut bench, "open", Some(7_200)), Ok(()));
    assert_eq!(report(&mut bench, "limited", Some(3_600)), Ok(()), "later than what is held");
    assert_eq!(report(&mut bench, "closed", Some(5_400)), Err("H-139".to_owned()));
    assert_eq!(report(&mut bench, "closed", None), Ok(()));
}
