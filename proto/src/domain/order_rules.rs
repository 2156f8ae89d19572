//! The rules of rights, modes and orders, one sentence each (PROTOCOL.md 7, Rights, Modes and orders).

use std::sync::Arc;

use super::authority::{FOR_PERSONS, OrderState, Right, delegable, is_within, right};
use super::bench::*;
use super::fact::order::{ORDER_ENDED, ORDERED, STAFF};
use super::fact::{Deed, Fact, FactKind, Judged, ModeChange, Order, Scope};
use super::wish::{JudgeWish, ModeWish, OrderWish, ScopeWish};
use super::{Directory, DirectoryEntry, Former, PlanInput};
use crate::id::{FactId, NodeId};
use crate::id::{Region, Regions, Role};

const ALERT: u8 = 1;
const RESILIENCE: u8 = 2;
/// Hualien's store, hub and operations centre; Taipei's operations centre; the whole island's.
const STORE: u16 = 1;
const HUB: u16 = 2;
const HUALIEN: u16 = 5;
const TAIPEI: u16 = 6;
const ISLAND: u16 = 7;

fn island() -> Bench {
    let entry = |name: &str, role: &str, region: &str, everywhere| DirectoryEntry {
        name: name.into(),
        role: role.into(),
        region: region.into(),
        hub: role == "hub",
        everywhere,
        ..DirectoryEntry::default()
    };
    let nodes = [
        (STORE, entry("Store", "store", "HUA", false)),
        (HUB, entry("Hub", "hub", "HUA", false)),
        (3, entry("Other hub", "hub", "HUA", false)),
        (HUALIEN, entry("Hualien", "authority", "HUA", false)),
        (TAIPEI, entry("Taipei", "authority", "TPE", false)),
        (ISLAND, entry("Island", "authority", "TPE", true)),
    ];
    let mut bench = Bench::new();
    let nodes = nodes.into_iter().map(|(serial, entry)| (node(serial), entry)).collect();
    bench.directory = Directory { nodes, ..Directory::default() };
    bench.domain.set_directory(Arc::new(bench.directory.clone()));
    bench
}

fn hualien() -> Region {
    Region::from_code("HUA").expect("known")
}

fn order(mode: Option<u8>, codes: &[&str]) -> Order {
    let regions: Regions = codes.iter().filter_map(|code| Region::from_code(code)).collect();
    Order { mode, regions, acting_for: None, last_heard_s: None, seen: None, judged: None, reason: None }
}

fn given(mode: u8, codes: &[&str]) -> Fact {
    Fact::new(Deed::Order(order(Some(mode), codes)))
}

fn in_stead(mode: u8, principal: u16, seen: Option<FactId>) -> Fact {
    let order = Order { acting_for: Some(node(principal)), last_heard_s: Some(7_200), seen, ..order(Some(mode), &["HUA"]) };
    Fact::new(Deed::Order(order))
}

fn judged(how: Judged, of: FactId, mode: Option<u8>) -> Fact {
    Fact::new(Deed::Order(Order { judged: Some((how, of)), ..order(mode, &["HUA"]) }))
}

fn scope(deputies: &[u16]) -> Fact {
    Fact::new(Deed::Scope(Scope { deputies: deputies.iter().map(|serial| node(*serial)).collect(), after_s: 7_200 }))
}

/// What is followed in Hualien, and whose order it is.
fn followed(bench: &Bench) -> Option<(u8, NodeId)> {
    let one = bench.domain.orders_in(hualien()).into_iter().next()?;
    Some((one.order.mode?, one.principal))
}

#[test]
fn every_role_and_kind_has_the_right_written_here_by_hand() {
    use FactKind::*;
    for role in Role::CERTIFIED {
        for kind in FactKind::ALL.iter().copied() {
            let expected = match kind {
                Floor | UpdateRequest | CancelRequest | ConfirmStillNeeded | CloseRequest | ModeChange => Right::Own,
                ReleaseCommitment | Load | Unload | ReturnGoods => Right::Own,
                RequestResource | CommitResource | PlanConsignment => Right::Yes,
                Acknowledge | UnableToFill | DeclineRequest => Right::Asked,
                Depart | Position | Arrive | HandOver | Divert | Lost => Right::Carrier,
                Receive | Refuse => Right::Consignee,
                Observation => Right::OfOthers,
                Order if role == Role::Authority => Right::InItsRegions,
                Order if role == Role::Hub => Right::Deputy,
                AuthorityScope if role == Role::Authority => Right::Own,
                Ratify | Countermand if role == Role::Authority => Right::InItsRegions,
                Order | Ratify | Countermand | AuthorityScope => Right::No,
            };
            assert_eq!(right(role, kind), expected, "{role:?} {kind:?}");
        }
    }
    for kind in FactKind::ALL.iter().copied() {
        let expected = if matches!(kind, Floor | ModeChange) { Right::Own } else { Right::No };
        assert_eq!(right(Role::Guest, kind), expected, "a guest, {kind:?}");
    }
}

#[test]
fn nobody_gives_a_person_more_than_it_may_say_itself_and_never_what_only_a_node_says() {
    use FactKind::*;
    let roles = Role::CERTIFIED;
    for mask in 0..8_u8 {
        let roles: Vec<Role> = roles.into_iter().filter(|role| mask >> role.code() & 1 == 1).collect();
        let given = delegable(roles.iter().copied().collect());
        for kind in FactKind::ALL.iter().copied() {
            let may = roles.iter().any(|role| right(*role, kind) != Right::No);
            let of_nodes = matches!(kind, Floor | Acknowledge | ModeChange | AuthorityScope);
            assert_eq!(given.contains(kind.number()), may && !of_nodes, "{roles:?} {kind:?}");
            assert_eq!(FOR_PERSONS.contains(&kind), !of_nodes, "{kind:?}");
        }
    }
}

#[test]
fn what_a_person_says_lies_within_its_kinds_and_an_order_within_its_regions() {
    let kinds = [FactKind::Order.number(), FactKind::Load.number()].into_iter().collect();
    let here = hualien();
    let said = |facts: &[Fact]| facts.iter().cloned().map(|fact| super::fact::Decoded::Fact(Box::new(fact))).collect::<Vec<_>>();
    let regions: Regions = [here].into_iter().collect();
    assert!(is_within(&said(&[given(RESILIENCE, &["HUA"])]), kinds, regions));
    assert!(!is_within(&said(&[given(RESILIENCE, &["HUA", "TPE"])]), kinds, regions), "one region too many");
    assert!(!is_within(&said(&[given(RESILIENCE, &["HUA"]), scope(&[HUB])]), kinds, regions), "one fact too many");
}

#[test]
fn an_order_counts_from_an_authority_in_its_own_region_and_from_nobody_else() {
    let mut bench = island();
    for serial in [STORE, HUB, TAIPEI] {
        let id = bench.say(log(serial, 1), &[given(RESILIENCE, &["HUA"])]);
        assert_eq!(bench.domain.order_state(id), OrderState::NotAuthorised, "{serial}");
    }
    let both = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA", "TPE"])]);
    assert_eq!(bench.domain.order_state(both), OrderState::NotAuthorised, "one region too many");
    assert_eq!(followed(&bench), None);
    let own = bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    assert_eq!((followed(&bench), bench.domain.order_state(own)), (Some((ALERT, node(HUALIEN))), OrderState::InForce));
    bench.say(log(ISLAND, 1), &[given(RESILIENCE, &["HUA", "TPE"])]);
    assert_eq!(followed(&bench), Some((RESILIENCE, node(ISLAND))), "of two the one that asks more");
    bench.check_order();
}

#[test]
fn of_one_authority_the_newest_act_counts_and_nothing_ordered_ends_it() {
    let mut bench = island();
    let first = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    assert_eq!((followed(&bench), bench.domain.order_state(first)), (Some((ALERT, node(HUALIEN))), OrderState::Ended));
    bench.say(log(HUALIEN, 1), &[Fact::new(Deed::Order(order(None, &["HUA"])))]);
    assert_eq!(followed(&bench), None);
    bench.check_order();
}

#[test]
fn the_first_deputy_named_acts_and_one_not_named_does_not() {
    let mut bench = island();
    let early = bench.say(log(3, 1), &[in_stead(RESILIENCE, HUALIEN, None)]);
    assert_eq!(bench.domain.order_state(early), OrderState::NotAuthorised, "nobody was named");
    bench.say(log(HUALIEN, 1), &[scope(&[HUB, 3])]);
    assert_eq!(followed(&bench), Some((RESILIENCE, node(HUALIEN))), "named since: it counts, whenever the words came");
    let first = bench.say(log(HUB, 1), &[in_stead(ALERT, HUALIEN, None)]);
    assert_eq!((followed(&bench), bench.domain.order_state(first)), (Some((ALERT, node(HUALIEN))), OrderState::InForce));
    assert_eq!(bench.domain.order_state(early), OrderState::Ended, "the first in the list goes before");
    bench.say(log(HUALIEN, 1), &[scope(&[])]);
    assert_eq!(bench.domain.order_state(first), OrderState::UnderReview, "nobody any more");
    bench.say(log(HUALIEN, 1), &[Fact::new(Deed::Order(order(None, &["HUA"])))]);
    assert_eq!(followed(&bench), None);
    bench.check_order();
}

#[test]
fn an_authority_that_acts_again_overrules_deputies_who_had_not_seen_it() {
    let mut bench = island();
    bench.say(log(HUALIEN, 1), &[scope(&[HUB])]);
    let before = bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    bench.say(log(HUB, 1), &[in_stead(RESILIENCE, HUALIEN, None)]);
    assert_eq!(followed(&bench), Some((ALERT, node(HUALIEN))), "the deputy had not seen that order");
    let knowing = bench.say(log(HUB, 1), &[in_stead(RESILIENCE, HUALIEN, Some(before))]);
    assert_eq!((followed(&bench), bench.domain.order_state(knowing)), (Some((RESILIENCE, node(HUALIEN))), OrderState::InForce));
    bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    assert_eq!(followed(&bench), Some((ALERT, node(HUALIEN))));
    bench.check_order();
}

#[test]
fn a_deputys_order_is_ratified_or_countermanded_and_everybody_sees_by_what() {
    for how in [Judged::Ratified, Judged::Countermanded] {
        let mut bench = island();
        bench.say(log(HUALIEN, 1), &[scope(&[HUB])]);
        let id = bench.say(log(HUB, 1), &[in_stead(RESILIENCE, HUALIEN, None)]);
        let stranger = bench.say(log(TAIPEI, 1), &[judged(Judged::Countermanded, id, None)]);
        assert_eq!(bench.domain.order_state(stranger), OrderState::NotAuthorised);
        assert_eq!(bench.domain.order_state(id), OrderState::InForce);
        let mode = if how == Judged::Ratified { Some(RESILIENCE) } else { None };
        let by = bench.say(log(HUALIEN, 1), &[judged(how, id, mode)]);
        let (state, now) = match how {
            Judged::Ratified => (OrderState::Ratified(by), Some((RESILIENCE, node(HUALIEN)))),
            Judged::Countermanded => (OrderState::Countermanded(by), None),
        };
        assert_eq!((bench.domain.order_state(id), followed(&bench)), (state, now));
        bench.check_order();
    }
}

#[test]
fn an_order_in_question_is_not_followed() {
    let mut bench = island();
    let id = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    bench.domain.set_question(id.entry.log, Some(u32::MAX));
    assert_eq!((followed(&bench), bench.domain.order_state(id)), (None, OrderState::InQuestion));
}

/// The store does what is due, as its node would.
fn follow(bench: &mut Bench) -> Option<ModeChange> {
    let change = bench.domain.mode_due(node(STORE))?;
    bench.say(log(STORE, 1), &[Fact::new(Deed::Mode(change.clone()))]);
    Some(change)
}

#[test]
fn a_node_follows_an_order_once_and_its_people_may_go_back() {
    let mut bench = island();
    bench.wish(STORE, &PlanInput::Mode(&ModeWish { mode: "alert".into(), reason: None, act: Default::default() })).expect("own");
    assert_eq!(follow(&mut bench), None);
    let id = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    let change = follow(&mut bench).expect("due");
    assert_eq!((change.mode, change.cause, change.order), (RESILIENCE, ORDERED, Some(id)));
    assert_eq!(follow(&mut bench), None, "once");
    bench.wish(STORE, &PlanInput::Mode(&ModeWish { mode: "standby".into(), ..ModeWish::default() })).expect("own");
    assert_eq!(follow(&mut bench), None, "what its people chose stands");
    let view = bench.domain.mode_view(node(STORE), &bench.directory).expect("said");
    assert_eq!((view.mode.as_str(), view.cause.as_str()), ("standby", "staff"));
    let next = bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    assert_eq!(follow(&mut bench).and_then(|change| change.order), Some(next), "until another order");
    bench.check_order();
}

#[test]
fn when_the_order_followed_ends_a_node_goes_back_to_what_it_was_in_before() {
    let mut bench = island();
    bench.wish(STORE, &PlanInput::Mode(&ModeWish { mode: "alert".into(), ..ModeWish::default() })).expect("own");
    let id = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    follow(&mut bench).expect("due");
    bench.say(log(HUALIEN, 1), &[Fact::new(Deed::Order(order(None, &["HUA"])))]);
    let change = follow(&mut bench).expect("due");
    assert_eq!((change.mode, change.cause, change.order), (ALERT, ORDER_ENDED, Some(id)));
    assert_eq!(follow(&mut bench), None);
}

#[test]
fn a_mode_is_said_on_the_board_and_in_the_logbook_by_whichever_way_staff_set_it() {
    for typed in ["report", "mode"] {
        let mut bench = island();
        let report =
            super::wish::Report { values: [("node.mode".to_owned(), "resilience".to_owned())].into(), ..Default::default() };
        let mode = ModeWish { mode: "resilience".into(), reason: Some("no mains".into()), act: Default::default() };
        let input = if typed == "report" { PlanInput::Report(&report) } else { PlanInput::Mode(&mode) };
        bench.wish(STORE, &input).expect("own");
        let (_, change) = bench.domain.mode_of(node(STORE)).expect("said");
        assert_eq!((change.mode, change.cause), (RESILIENCE, STAFF), "{typed}");
        assert_eq!(bench.domain.number_of(node(STORE), super::field::NODE_MODE, Some(0)), Some(u64::from(RESILIENCE)));
    }
}

#[test]
fn whoever_may_not_order_is_told_so_at_the_desk_and_nothing_is_written() {
    let mut bench = island();
    bench.say(log(HUALIEN, 1), &[scope(&[HUB])]);
    let wish = |regions: &[&str], acting_for: Option<&str>| OrderWish {
        mode: "resilience".into(),
        regions: regions.iter().map(|code| (*code).to_owned()).collect(),
        acting_for: acting_for.map(str::to_owned),
        ..OrderWish::default()
    };
    for (serial, wish, heard_s, code) in [
        (STORE, wish(&["HUA"], None), None, "H-221"),
        (HUB, wish(&["HUA"], None), None, "H-221"),
        (HUALIEN, wish(&["TPE"], None), None, "H-222"),
        (HUALIEN, wish(&["all"], None), None, "H-222"),
        (3, wish(&["HUA"], Some("1-5")), None, "H-223"),
        (HUB, wish(&["HUA"], Some("1-5")), Some(600), "H-224"),
        (HUB, wish(&["TPE"], Some("Hualien")), None, "H-222"),
        (HUALIEN, wish(&["XYZ"], None), None, "H-137"),
        (HUALIEN, wish(&[], None), None, "H-137"),
    ] {
        let refusal = bench.wish(serial, &PlanInput::Order(&wish, heard_s)).expect_err("refused");
        assert_eq!(refusal.code, code, "{serial} {wish:?}");
    }
    let (_, id) = bench.wish(HUB, &PlanInput::Order(&wish(&["HUA"], Some("1-5")), Some(8_000))).expect("named");
    let order = bench.domain.order(id.expect("written")).expect("an order").clone();
    assert_eq!((order.acting_for, order.last_heard_s), (Some(node(HUALIEN)), Some(8_000)));
    let judge = |order: &str, ratify| JudgeWish { order: order.into(), ratify, ..JudgeWish::default() };
    let name = bench.domain.order_views(&bench.directory)[0].order.clone();
    for (serial, wish, code) in
        [(TAIPEI, judge(&name, true), "H-226"), (HUALIEN, judge("O-2222222", true), "H-225"), (HUB, judge(&name, false), "H-226")]
    {
        assert_eq!(bench.wish(serial, &PlanInput::Judge(&wish)).expect_err("refused").code, code);
    }
    bench.wish(HUALIEN, &PlanInput::Judge(&judge(&name.to_lowercase().replace("o-", ""), true))).expect("its deputy's");
    for (serial, deputies, code) in
        [(STORE, vec!["1-2"], "H-221"), (HUALIEN, vec!["1-1"], "H-136"), (HUALIEN, vec!["1-2", "1-2"], "H-136")]
    {
        let wish =
            ScopeWish { deputies: deputies.into_iter().map(str::to_owned).collect(), after: "2h".into(), ..ScopeWish::default() };
        assert_eq!(bench.wish(serial, &PlanInput::Scope(&wish)).expect_err("refused").code, code);
    }
}

#[test]
fn an_acknowledgement_of_somebody_who_was_not_asked_says_nothing() {
    let mut bench = island();
    let need = bench.say(log(STORE, 1), &[request(40)]);
    bench.say(log(HUALIEN, 1), &[acknowledge(need)]);
    assert_eq!(bench.view(need).status, "submitted", "an authority is no hub");
    bench.say(log(HUB, 1), &[acknowledge(need)]);
    assert_eq!(bench.view(need).status, "acknowledged");
    bench.check_order();
}

#[test]
fn below_a_floor_goes_what_later_words_replaced_and_what_counts_stays() {
    let mut bench = island();
    bench.say(log(HUALIEN, 1), &[scope(&[HUB])]);
    bench.say(log(HUALIEN, 1), &[scope(&[HUB, 3])]);
    bench.say(log(HUALIEN, 1), &[given(ALERT, &["HUA"])]);
    bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    assert_eq!(bench.domain.unsettled(log(HUALIEN, 1), 5), [2, 4]);
    let mode = |mode: &str| ModeWish { mode: mode.into(), ..ModeWish::default() };
    for word in ["alert", "standby"] {
        bench.wish(STORE, &PlanInput::Mode(&mode(word))).expect("own");
    }
    follow(&mut bench).expect("due");
    assert_eq!(bench.domain.unsettled(log(STORE, 1), 4), [2, 3], "the newest, and what comes back after the order");
}

#[test]
fn an_order_of_a_deputy_who_had_not_heard_that_it_is_none_any_more_stays_until_somebody_decides() {
    let mut bench = island();
    let named = bench.say(log(HUALIEN, 1), &[scope(&[HUB])]);
    let unaware = bench.say(log(HUB, 1), &[in_stead(RESILIENCE, HUALIEN, None)]);
    let withdrawn = bench.say(log(HUALIEN, 1), &[scope(&[3])]);
    assert_eq!(
        (followed(&bench), bench.domain.order_state(unaware)),
        (Some((RESILIENCE, node(HUALIEN))), OrderState::UnderReview)
    );
    let knew = bench.say(log(HUB, 1), &[in_stead(ALERT, HUALIEN, Some(withdrawn))]);
    assert_eq!(bench.domain.order_state(knew), OrderState::NotAuthorised, "whoever knew it is held to it");
    let never = bench.say(log(STORE, 1), &[in_stead(ALERT, HUALIEN, None)]);
    assert_eq!(bench.domain.order_state(never), OrderState::NotAuthorised);
    let next = bench.say(log(3, 1), &[in_stead(ALERT, HUALIEN, Some(withdrawn))]);
    assert_eq!(
        (followed(&bench), bench.domain.order_state(next)),
        (Some((ALERT, node(HUALIEN))), OrderState::InForce),
        "{named:?}"
    );
    let by = bench.say(log(HUALIEN, 1), &[judged(Judged::Countermanded, unaware, None)]);
    assert_eq!((followed(&bench), bench.domain.order_state(unaware)), (None, OrderState::Countermanded(by)));
    bench.check_order();
}

/// Hualien's operations centre has another key since, and is a store by it.
fn demoted() -> Bench {
    let mut bench = island();
    let former = Former { role: Role::Authority, regions: [hualien()].into_iter().collect() };
    bench.directory.former.insert((node(HUALIEN), log(HUALIEN, 1).generation), former);
    bench.directory.nodes.get_mut(&node(HUALIEN)).expect("known").role = "store".into();
    bench.domain.set_directory(Arc::new(bench.directory.clone()));
    bench
}

#[test]
fn what_an_authority_ordered_by_a_key_that_was_one_stays_under_review_when_its_next_key_is_none() {
    for how in [Judged::Ratified, Judged::Countermanded] {
        let mut bench = demoted();
        let id = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
        assert_eq!(
            (followed(&bench), bench.domain.order_state(id)),
            (Some((RESILIENCE, node(HUALIEN))), OrderState::UnderReview)
        );
        let mut newer = log(HUALIEN, 1);
        newer.generation.count += 1;
        let after = bench.say(newer, &[given(ALERT, &["HUA"])]);
        assert_eq!(bench.domain.order_state(after), OrderState::NotAuthorised, "its next key may not");
        let stranger = bench.say(log(TAIPEI, 1), &[judged(how, id, None)]);
        assert_eq!(bench.domain.order_state(stranger), OrderState::NotAuthorised);
        assert_eq!(bench.domain.order_state(id), OrderState::UnderReview, "Taipei has no say in Hualien");
        let mode = if how == Judged::Ratified { Some(RESILIENCE) } else { None };
        let by = bench.say(log(ISLAND, 1), &[judged(how, id, mode)]);
        let expected = match how {
            Judged::Ratified => (OrderState::Ratified(by), Some(RESILIENCE)),
            Judged::Countermanded => (OrderState::Countermanded(by), None),
        };
        assert_eq!((bench.domain.order_state(id), followed(&bench).map(|(mode, _)| mode)), expected);
        bench.check_order();
    }
}

#[test]
fn whoever_may_order_there_decides_at_the_desk_on_an_order_under_review_and_nobody_else() {
    let mut bench = demoted();
    let id = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
    let order = bench.domain.order_name(id).expect("named");
    let wish = JudgeWish { order, ratify: false, ..JudgeWish::default() };
    assert_eq!(bench.wish(TAIPEI, &PlanInput::Judge(&wish)).expect_err("not its region").code, "H-222");
    bench.wish(ISLAND, &PlanInput::Judge(&wish)).expect("may");
    assert_eq!(followed(&bench), None);
}

#[test]
fn a_next_key_has_nothing_of_what_only_the_one_before_had_and_takes_nothing_back_that_it_has_too() {
    for (region, everywhere, expected) in [("TPE", false, OrderState::UnderReview), ("TPE", true, OrderState::InForce)] {
        let mut bench = demoted();
        let entry = bench.directory.nodes.get_mut(&node(HUALIEN)).expect("known");
        (entry.role, entry.region, entry.everywhere) = ("authority".into(), region.into(), everywhere);
        bench.domain.set_directory(Arc::new(bench.directory.clone()));
        let before = bench.say(log(HUALIEN, 1), &[given(RESILIENCE, &["HUA"])]);
        assert_eq!(bench.domain.order_state(before), expected, "everywhere: {everywhere}");
        let mut newer = log(HUALIEN, 1);
        newer.generation.count += 1;
        let after = bench.say(newer, &[given(ALERT, &["HUA"])]);
        let may = if everywhere { OrderState::InForce } else { OrderState::NotAuthorised };
        assert_eq!(bench.domain.order_state(after), may, "everywhere: {everywhere}");
        bench.check_order();
    }
}
