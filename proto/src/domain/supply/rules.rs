//! The rules of promises, journeys and receipts, each by an example.

use super::super::PlanInput;
use super::super::bench::{Bench, cancel, close, log, need, node, request, update};
use super::super::fact::supply::{Amount, Commit, Consign, Counted, Journey, Load, Receipt, Release, Step, Supply};
use super::super::fact::{Deed, Fact, LineItem, Request, RequestRef};
use super::super::refusal::Refusal;
use super::super::spoken::spoken;
use super::super::view::Which;
use super::super::wish::Report;
use super::conflict::{Held, Kind, Proposal};
use super::consignment::Stage;
use super::coverage::Covered;
use super::show::{spoken_commitment, spoken_consignment};
use super::wishes::*;
use crate::id::FactId;

const STORE: u16 = 1;
const HUB: u16 = 2;
const OTHER_HUB: u16 = 4;

fn water() -> LineItem {
    LineItem::Code("water".into())
}

fn goods(quantity: u64) -> Vec<Amount> {
    vec![Amount { item: water(), quantity }]
}

fn commit(request: FactId, seen: u32, quantity: u64) -> Fact {
    let of = RequestRef { request, seen, reason: None };
    Fact::new(Deed::Supply(Supply::Commit(Commit { of, goods: goods(quantity), arrival_s: None, key: None })))
}

fn release(commitment: FactId, quantity: Option<u64>) -> Fact {
    let goods = quantity.map(goods).unwrap_or_default();
    Fact::new(Deed::Supply(Supply::Release(Release { commitment, goods, cause: 0, reason: None })))
}

fn consign(to: u16, commitment: FactId, quantity: u64) -> Fact {
    let loads = vec![Load { commitment: Some(commitment), goods: goods(quantity) }];
    Fact::new(Deed::Supply(Supply::Consign(Consign { to: node(to), carrier: Some(node(3)), loads, arrival_s: None, note: None })))
}

fn step(consignment: FactId, step: Step) -> Fact {
    Fact::new(Deed::Supply(Supply::Journey(Journey { consignment, step, note: None })))
}

fn receive(consignment: FactId, accepted: u64, damaged: u64, missing: u64) -> Fact {
    let counts = vec![Counted { item: water(), accepted, rejected: 0, damaged, missing }];
    Fact::new(Deed::Supply(Supply::Receive(Receipt { consignment, counts, reason: None })))
}

fn covered(bench: &Bench, request: FactId) -> Covered {
    bench.check_order();
    bench.domain.coverage(request).lines.get(&water()).copied().expect("asked for")
}

fn conflicts(bench: &Bench) -> Vec<(Kind, FactId)> {
    bench.check_order();
    bench.domain.conflict_list().iter().map(|conflict| (conflict.kind, conflict.about)).collect()
}

/// A store asks, a hub promises all.
fn promised(quantity: u64) -> (Bench, FactId, FactId) {
    let mut bench = Bench::new();
    let need = bench.say(log(STORE, 1), &[request(quantity)]);
    let promise = bench.say(log(HUB, 1), &[commit(need, 1, quantity)]);
    (bench, need, promise)
}

#[test]
fn goods_are_in_one_stage_after_the_other_until_the_consignee_signs() {
    let (mut bench, need, promise) = promised(40);
    assert_eq!(covered(&bench, need), Covered { requested: 40, committed: 40, ..Covered::default() });
    assert_eq!(bench.view(need).status, "committed");
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Load)]);
    assert_eq!(covered(&bench, need), Covered { requested: 40, committed: 40, ..Covered::default() });
    bench.say(log(HUB, 1), &[step(convoy, Step::Depart)]);
    assert_eq!(covered(&bench, need), Covered { requested: 40, in_transit: 40, ..Covered::default() });
    assert_eq!(bench.view(need).status, "in_transit");
    bench.say(log(3, 1), &[step(convoy, Step::Position("bridge".into())), step(convoy, Step::Arrive)]);
    bench.say(log(3, 1), &[step(convoy, Step::HandOver(goods(40)))]);
    assert_eq!(bench.view(need).status, "in_transit", "nobody signed");
    assert_eq!(conflicts(&bench), [(Kind::Unconfirmed, convoy)]);
    bench.say(log(STORE, 1), &[receive(convoy, 37, 1, 2)]);
    let now = Covered { requested: 40, accepted: 37, damaged: 1, missing: 2, ..Covered::default() };
    assert_eq!((covered(&bench, need), now.open()), (now, 3));
    assert_eq!((bench.view(need).status.as_str(), conflicts(&bench)), ("partly_fulfilled", vec![]));
    let state = bench.domain.consignment_state(convoy).expect("held");
    assert_eq!((state.stage, state.differs), (Stage::Received, true));
    assert_eq!(state.lines[0].outcome.sum(), state.lines[0].sent, "all that was sent is somewhere");
}

#[test]
fn two_hubs_that_promise_the_same_are_one_conflict_with_one_proposal() {
    let (mut bench, need, first) = promised(40);
    let second = bench.say(log(OTHER_HUB, 1), &[commit(need, 1, 30)]);
    let line = covered(&bench, need);
    assert_eq!((line.requested, line.committed), (40, 70));
    let list = bench.domain.conflict_list();
    assert_eq!(list.iter().map(|one| (one.kind, one.about)).collect::<Vec<_>>(), [(Kind::OverCovered, need)]);
    let one = list.first().expect("one");
    assert_eq!(one.parts.iter().map(|part| (part.kept, part.surplus)).collect::<Vec<_>>(), [(40, 0), (0, 30)]);
    let proposal = Proposal::Release { commitment: second, item: water(), quantity: 30 };
    assert_eq!(one.proposals, [(node(OTHER_HUB), proposal)], "both have one promise: the smaller name is kept");
    // What the first hub loaded is kept, whatever its name; so it is with who is on the road.
    let convoy = bench.say(log(OTHER_HUB, 1), &[consign(STORE, second, 30)]);
    bench.say(log(OTHER_HUB, 1), &[step(convoy, Step::Depart)]);
    let list = bench.domain.conflict_list();
    let proposal = Proposal::Release { commitment: first, item: water(), quantity: 30 };
    assert_eq!(list[0].proposals, [(node(HUB), proposal)]);
    assert_eq!(list[0].parts.iter().map(|part| part.held).collect::<Vec<_>>(), [Held::Departed, Held::Committed]);
    bench.say(log(HUB, 1), &[release(first, Some(30))]);
    assert_eq!((covered(&bench, need).covered(), conflicts(&bench)), (40, vec![]));
}

#[test]
fn a_cancel_while_goods_are_on_the_road_proposes_who_needs_them() {
    let (mut bench, need, promise) = promised(40);
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Depart)]);
    bench.say(log(STORE, 1), &[cancel(need, 1)]);
    let surplus = bench.domain.conflict_list();
    assert_eq!(
        (surplus[0].kind, &surplus[0].proposals),
        (Kind::Unneeded, &vec![(node(HUB), Proposal::Surplus { consignment: convoy })])
    );
    let other = bench.say(log(3, 1), &[request(25)]);
    let list = bench.domain.conflict_list();
    assert_eq!(list[0].proposals, [(node(HUB), Proposal::Divert { consignment: convoy, to: other })]);
    let wish = ResolveWish { conflict: list[0].name(), ..ResolveWish::default() };
    bench.wish(HUB, &PlanInput::Supply(&SupplyWish::Resolve(wish))).expect("its sender says yes");
    assert_eq!(conflicts(&bench), [(Kind::OverCovered, other)], "40 go where 25 are needed: it takes them as surplus or not");
    assert_eq!(covered(&bench, other).in_transit, 40);
    let refused = bench.wish(
        STORE,
        &PlanInput::Supply(&SupplyWish::Receive(ReceiveWish {
            consignment: spoken_consignment(convoy),
            ..ReceiveWish::default()
        })),
    );
    refused.expect("whoever it was sent to first may have it in the end");
    assert_eq!(bench.domain.consignment_state(convoy).expect("held").stage, Stage::Received);
}

#[test]
fn what_is_physical_counts_before_what_is_on_paper() {
    let (mut bench, need, promise) = promised(40);
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 30)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Load), release(promise, None)]);
    assert_eq!(covered(&bench, need).committed, 30, "only what is on no vehicle can be released");
    // The carrier says it left, the sender that it was unloaded: neither heard the other.
    bench.say(log(3, 1), &[step(convoy, Step::Depart)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Unload)]);
    assert_eq!(bench.domain.consignment_state(convoy).expect("held").stage, Stage::Departed);
    assert_eq!(covered(&bench, need).in_transit, 30);
}

#[test]
fn what_was_unloaded_is_promised_as_before_and_goes_by_another_plan() {
    let (mut bench, need, promise) = promised(40);
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Load), step(convoy, Step::Unload)]);
    assert_eq!(
        (bench.domain.consignment_state(convoy).expect("held").stage, covered(&bench, need).committed),
        (Stage::Unloaded, 40)
    );
    let again = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(HUB, 1), &[step(again, Step::Depart)]);
    assert_eq!((covered(&bench, need).in_transit, covered(&bench, need).committed), (40, 0));
}

#[test]
fn nobody_acts_for_a_supplier_a_carrier_or_a_consignee() {
    let (mut bench, need, promise) = promised(40);
    bench.say(log(OTHER_HUB, 1), &[release(promise, None)]);
    assert_eq!(covered(&bench, need).committed, 40, "another hub can't release it");
    let stolen = bench.say(log(OTHER_HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(OTHER_HUB, 1), &[step(stolen, Step::Depart)]);
    assert_eq!((covered(&bench, need).committed, covered(&bench, need).in_transit), (40, 0), "nor send it");
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(OTHER_HUB, 1), &[step(convoy, Step::Depart), receive(convoy, 40, 0, 0)]);
    assert_eq!(bench.domain.consignment_state(convoy).expect("held").stage, Stage::Planned);
}

#[test]
fn the_receipt_that_counts_is_the_first_of_its_consignee() {
    let (mut bench, need, promise) = promised(40);
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    let first = bench.say(log(STORE, 1), &[receive(convoy, 38, 0, 2)]);
    let second = bench.say(log(STORE, 1), &[receive(convoy, 40, 0, 0)]);
    let state = bench.domain.consignment_state(convoy).expect("held");
    assert_eq!((state.receipt, state.more_receipts), (Some(first), vec![second]));
    assert_eq!(covered(&bench, need).accepted, 38, "and it came although nobody said that it left");
    assert!(bench.domain.consignment_views(&bench.directory, Which::All)[0].flags.contains(&"second_receipt".to_owned()));
}

#[test]
fn lost_and_returned_goods_leave_the_need_open() {
    let (mut bench, need, promise) = promised(40);
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(HUB, 1), &[step(convoy, Step::Depart)]);
    bench.say(log(3, 1), &[step(convoy, Step::Lost(goods(15)))]);
    let line = covered(&bench, need);
    assert_eq!((line.in_transit, line.missing, line.open()), (25, 15, 15));
    bench.say(log(HUB, 1), &[step(convoy, Step::Return(Vec::new()))]);
    let line = covered(&bench, need);
    assert_eq!((line.in_transit, line.released, line.missing), (0, 25, 15));
}

#[test]
fn an_answer_to_an_older_version_stands_and_is_flagged() {
    let (mut bench, need, _) = promised(40);
    bench.say(log(STORE, 1), &[update(need, 1, 2, 25)]);
    let view = bench.view(need);
    assert_eq!(view.commitments[0].flags, ["older_version"]);
    assert_eq!(conflicts(&bench), [(Kind::OverCovered, need)]);
    bench.say(log(STORE, 1), &[close(need, 2)]);
    assert_eq!(conflicts(&bench), [(Kind::Unneeded, need)]);
}

#[test]
fn a_word_in_question_covers_nothing_and_holds_its_stock() {
    let (mut bench, need, _) = promised(40);
    count(&mut bench, HUB, "water", "50");
    bench.domain.set_question(log(HUB, 1), Some(u32::MAX));
    assert_eq!(bench.domain.coverage(need).lines[&water()].committed, 0);
    assert_eq!(bench.domain.shelf(node(HUB))[&water()].available(), Some(10));
}

fn count(bench: &mut Bench, serial: u16, item: &str, typed: &str) {
    let values = [(format!("stock.{item}"), typed.to_owned())].into();
    bench.wish(serial, &PlanInput::Report(&Report { values, ..Report::default() })).expect("counted");
}

fn wish(bench: &mut Bench, serial: u16, wish: SupplyWish) -> Result<Option<FactId>, Refusal> {
    bench.wish(serial, &PlanInput::Supply(&wish)).map(|(_, fact)| fact)
}

fn code(refused: Result<Option<FactId>, Refusal>) -> String {
    let refusal = refused.expect_err("refused");
    assert!(!refusal.what.zh.is_empty() && !refusal.fix.en.is_empty());
    refusal.code
}

#[test]
fn stock_is_promised_once_and_the_refusal_says_what_holds_it() {
    let mut bench = Bench::new();
    let need = bench.say(log(STORE, 1), &[request(40)]);
    let other = bench.say(log(3, 1), &[request(40)]);
    let commit = |request, items: &[&str]| {
        let items = items.iter().map(|item| (*item).to_owned()).collect();
        SupplyWish::Commit(CommitWish { request: spoken(request), items, ..CommitWish::default() })
    };
    assert_eq!(code(wish(&mut bench, HUB, commit(need, &[]))), "H-230", "never counted");
    count(&mut bench, HUB, "water", "60");
    count(&mut bench, HUB, "water.floor", "10");
    let promise = wish(&mut bench, HUB, commit(need, &[])).expect("there").expect("written");
    assert_eq!(bench.domain.shelf(node(HUB))[&water()].available(), Some(10));
    let refusal = wish(&mut bench, HUB, commit(other, &["water:11"])).expect_err("not there");
    assert_eq!(refusal.code, "H-231");
    assert!(refusal.what.en.contains(&spoken_commitment(promise)) && refusal.what.en.contains("10 left"), "{}", refusal.what.en);
    wish(&mut bench, HUB, commit(other, &["water:10"])).expect("there");
    // Loading takes it off the shelf with the same word; unloading puts it back.
    let plan = ConsignWish { commitments: vec![spoken_commitment(promise)], ..ConsignWish::default() };
    let convoy = wish(&mut bench, HUB, SupplyWish::Consign(plan)).expect("planned").expect("written");
    let act = |step: &str| {
        SupplyWish::Step(StepWish { consignment: spoken_consignment(convoy), step: step.into(), ..StepWish::default() })
    };
    let shelf = |bench: &Bench| {
        let shelf = bench.domain.shelf(node(HUB))[&water()].clone();
        (shelf.on_hand.expect("counted"), shelf.promised(), shelf.available().expect("counted"))
    };
    assert_eq!(shelf(&bench), (60, 50, 0));
    wish(&mut bench, HUB, act("load")).expect("loaded");
    assert_eq!(shelf(&bench), (20, 10, 0));
    wish(&mut bench, HUB, act("unload")).expect("unloaded");
    assert_eq!(shelf(&bench), (60, 50, 0));
    assert_eq!(code(wish(&mut bench, HUB, act("load"))), "H-243", "its goods may be planned for another journey since");
    let plan = ConsignWish { commitments: vec![spoken_commitment(promise)], ..ConsignWish::default() };
    let convoy = wish(&mut bench, HUB, SupplyWish::Consign(plan)).expect("planned").expect("written");
    let act = |step: &str| {
        SupplyWish::Step(StepWish { consignment: spoken_consignment(convoy), step: step.into(), ..StepWish::default() })
    };
    wish(&mut bench, HUB, act("load")).expect("loaded");
    wish(&mut bench, HUB, act("depart")).expect("left");
    assert_eq!(shelf(&bench), (20, 10, 0), "it left the shelf once");
    assert_eq!(code(wish(&mut bench, HUB, act("unload"))), "H-243");
    // A count below what is promised is a shortfall that is said, not hidden.
    count(&mut bench, HUB, "water", "4");
    assert_eq!(bench.domain.shelf(node(HUB))[&water()].short(), 6);
}

#[test]
fn what_the_consignee_takes_in_is_on_its_shelf() {
    let (mut bench, need, promise) = promised(40);
    count(&mut bench, STORE, "water", "5");
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    let receive = |accepted: &[&str], damaged: &[&str]| {
        let list = |typed: &[&str]| typed.iter().map(|typed| (*typed).to_owned()).collect();
        SupplyWish::Receive(ReceiveWish {
            consignment: spoken_consignment(convoy),
            accepted: list(accepted),
            damaged: list(damaged),
            ..ReceiveWish::default()
        })
    };
    assert_eq!(code(wish(&mut bench, STORE, receive(&["water:41"], &[]))), "H-249");
    assert_eq!(code(wish(&mut bench, STORE, receive(&["rice:1"], &[]))), "H-248");
    assert_eq!(code(wish(&mut bench, OTHER_HUB, receive(&[], &[]))), "H-246");
    wish(&mut bench, STORE, receive(&["water:38"], &["water:1"])).expect("signed");
    assert_eq!(code(wish(&mut bench, STORE, receive(&[], &[]))), "H-247");
    let line = covered(&bench, need);
    assert_eq!((line.accepted, line.damaged, line.missing), (38, 1, 1));
    assert_eq!(bench.domain.shelf(node(STORE))[&water()].on_hand, Some(43));
    assert!(bench.domain.readings(node(STORE), Some(0), Some(0)).contains_key("stock.water"));
    let change = |typed: &str| SupplyWish::Stock(StockWish { changes: vec![typed.into()], ..StockWish::default() });
    wish(&mut bench, STORE, change("water=-3")).expect("adjusted");
    assert_eq!(bench.domain.shelf(node(STORE))[&water()].on_hand, Some(40));
    assert_eq!(code(wish(&mut bench, STORE, change("water=-41"))), "H-238");
    assert_eq!(code(wish(&mut bench, STORE, change("water"))), "H-251");
}

#[test]
fn a_retry_under_one_key_promises_once() {
    let mut bench = Bench::new();
    let need = bench.say(log(STORE, 1), &[request(40)]);
    count(&mut bench, HUB, "water", "100");
    let commit = CommitWish { request: spoken(need), key: Some("shift-3".into()), ..CommitWish::default() };
    let first = wish(&mut bench, HUB, SupplyWish::Commit(commit.clone())).expect("promised").expect("written");
    let (again, written) = bench.wish(HUB, &PlanInput::Supply(&SupplyWish::Commit(commit))).expect("the same");
    assert_eq!((again.already, written), (Some(first), None));
}

#[test]
fn acts_on_what_ended_or_is_somebody_elses_are_refused() {
    let (mut bench, need, promise) = promised(40);
    let release = |promise| SupplyWish::Release(ReleaseWish { commitment: spoken_commitment(promise), ..ReleaseWish::default() });
    assert_eq!(code(wish(&mut bench, OTHER_HUB, release(promise))), "H-235");
    wish(&mut bench, HUB, release(promise)).expect("its own");
    assert_eq!(code(wish(&mut bench, HUB, release(promise))), "H-236");
    let plan = ConsignWish { commitments: vec![spoken_commitment(promise)], ..ConsignWish::default() };
    assert_eq!(code(wish(&mut bench, HUB, SupplyWish::Consign(plan))), "H-237");
    bench.say(log(STORE, 1), &[cancel(need, 1)]);
    let commit = CommitWish { request: spoken(need), ..CommitWish::default() };
    assert_eq!(code(wish(&mut bench, HUB, SupplyWish::Commit(commit))), "H-131");
    let show = StepWish { consignment: "V-2222222".into(), step: "depart".into(), ..StepWish::default() };
    assert_eq!(code(wish(&mut bench, HUB, SupplyWish::Step(show))), "H-252");
    let resolve = ResolveWish { conflict: "C1-2222222".into(), ..ResolveWish::default() };
    assert_eq!(code(wish(&mut bench, HUB, SupplyWish::Resolve(resolve))), "H-252");
}

#[test]
fn goods_that_only_a_carrier_saw_leave_are_not_counted_twice_when_they_come_back() {
    let mut bench = Bench::new();
    let need = bench.say(log(STORE, 1), &[request(40)]);
    count(&mut bench, HUB, "water", "60");
    let promise = wish(&mut bench, HUB, SupplyWish::Commit(CommitWish { request: spoken(need), ..CommitWish::default() }));
    let promise = promise.expect("there").expect("written");
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    bench.say(log(3, 1), &[step(convoy, Step::Depart)]);
    let back = StepWish { consignment: spoken_consignment(convoy), step: "return".into(), ..StepWish::default() };
    wish(&mut bench, HUB, SupplyWish::Step(back)).expect("they are back");
    let shelf = bench.domain.shelf(node(HUB))[&water()].clone();
    assert_eq!((shelf.on_hand, shelf.promised(), shelf.available()), (Some(60), 0, Some(60)));
}

#[test]
fn what_is_open_is_listed_alone_on_demand() {
    let (mut bench, need, promise) = promised(40);
    let requests = |bench: &Bench, which| bench.domain.requests(&bench.directory, bench.now, which).len();
    let convoys = |bench: &Bench, which| bench.domain.consignment_views(&bench.directory, which).len();
    let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 40)]);
    assert_eq!((requests(&bench, Which::Open), convoys(&bench, Which::Open)), (1, 1));
    bench.say(log(STORE, 1), &[receive(convoy, 38, 0, 2)]);
    assert_eq!((requests(&bench, Which::Open), convoys(&bench, Which::Open)), (1, 0), "two are lacking");
    let rest = bench.say(log(OTHER_HUB, 1), &[commit(need, 1, 2)]);
    let second = bench.say(log(OTHER_HUB, 1), &[consign(STORE, rest, 2)]);
    bench.say(log(STORE, 1), &[receive(second, 2, 0, 0)]);
    assert_eq!((requests(&bench, Which::Open), convoys(&bench, Which::Open)), (0, 0), "it stands, and all of it came");
    let other = bench.say(log(STORE, 1), &[request(5)]);
    assert_eq!(requests(&bench, Which::Open), 1);
    bench.say(log(STORE, 1), &[close(other, 1)]);
    assert_eq!((requests(&bench, Which::Open), requests(&bench, Which::All), convoys(&bench, Which::All)), (0, 2, 2));
}

#[test]
fn a_need_written_twice_is_open_again_when_the_one_that_was_answered_is_taken_back() {
    for answered in [0, 1] {
        let mut bench = Bench::new();
        let twice = Fact::new(Deed::Request(Request { need: need(20), consignee: None, to: None, key: Some([7; 8]) }));
        let needs = [1, 2].map(|life| bench.say(log(STORE, life), std::slice::from_ref(&twice)));
        let promise = bench.say(log(HUB, 1), &[commit(needs[answered], 1, 20)]);
        let convoy = bench.say(log(HUB, 1), &[consign(STORE, promise, 20)]);
        bench.say(log(HUB, 1), &[step(convoy, Step::Load)]);
        bench.say(log(STORE, 1), &[receive(convoy, 20, 0, 0)]);
        bench.domain.settle();
        assert!(needs.iter().all(|need| bench.domain.is_fulfilled(*need)), "written alike, answered alike");
        bench.domain.withdraw(needs[answered].entry);
        bench.domain.settle();
        assert!(!bench.domain.is_fulfilled(needs[1 - answered]), "nothing answers it now");
    }
}
