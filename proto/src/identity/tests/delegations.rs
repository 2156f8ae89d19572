//! Delegations to persons: what may be given, what of an act fits, and what becomes of it when keys and minds change.

use super::*;
use crate::codec::canonical::Writer;
use crate::id::{EntryId, Incarnation, LogId};
use crate::time::UtcMillis;

/// Day 20,010 at noon.
const NOON_S: u64 = 20_010 * 86_400 + 43_200;

fn person() -> SecretKey {
    secret(90)
}

const OF: DelegationId = DelegationId { issuer: 1, serial: None, number: 3 };

fn value() -> Delegation {
    Delegation {
        id: OF,
        version: 1,
        key: person().public(),
        kinds: [10, 12].into_iter().collect(),
        regions: Region::from_code("TPE").into_iter().collect(),
        node: None,
        generation: None,
        not_before: 20_000,
        not_after: 20_020,
        name: "林調度".to_owned(),
        ended: None,
    }
}

fn delegation(alliance: &Alliance, change: impl FnOnce(&mut Delegation)) -> Bytes {
    let mut delegation = value();
    change(&mut delegation);
    delegation.issue(&alliance.roster.realm(), &alliance.issuers[0]).expect("issues")
}

/// Node 1-1 for itself.
fn by_node(alliance: &Alliance) -> Bytes {
    let id = DelegationId { issuer: 1, serial: Some(1), number: 1 };
    let delegation = Delegation { id, node: id.node(), generation: Some(FIRST), key: secret(91).public(), ..value() };
    delegation.issue(&alliance.roster.realm(), &alliance.nodes[0].secret).expect("issues")
}

fn pin(number: u32) -> Pin {
    Pin { log: place(number).log, number }
}

fn place(number: u32) -> EntryId {
    EntryId { log: LogId { author: id(1, 1), generation: FIRST, incarnation: Incarnation { count: 1, random: 7 } }, number }
}

/// All of it, for orders at random.
pub(super) fn story(alliance: &Alliance) -> Vec<Bytes> {
    vec![
        delegation(alliance, |_| {}),
        delegation(alliance, |delegation| (delegation.version, delegation.ended) = (2, Some(vec![pin(4)]))),
        delegation(alliance, |delegation| (delegation.version, delegation.ended) = (2, Some(vec![pin(5)]))),
        delegation(alliance, |delegation| delegation.id.number = 4),
        by_node(alliance),
    ]
}

pub(super) fn vectors(alliance: &Alliance) -> [(&'static str, Bytes); 3] {
    let ended = delegation(alliance, |delegation| (delegation.version, delegation.ended) = (2, Some(vec![pin(4)])));
    [
        ("delegation", delegation(alliance, |_| {})),
        ("delegation ended with one pin", ended),
        ("delegation by a node", by_node(alliance)),
    ]
}

/// A body of two facts that nobody here can read.
fn body() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.list(1, [b"one", b"two"]);
    writer.finish()
}

fn act(alliance: &Alliance, key: &SecretKey, at_s: u64, place: EntryId) -> Act {
    Act::sign(&alliance.roster.realm(), key, OF, at_s, place, &body()).expect("has facts")
}

fn with(envelopes: &[Bytes]) -> Roster {
    let mut roster = alliance().roster;
    for envelope in envelopes {
        assert_eq!(roster.offer(envelope), Ok(Offered::New));
    }
    roster
}

#[test]
fn nobody_delegates_more_or_longer_than_it_may() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let mut refused = |change: fn(&mut Delegation), why| {
        let before = listed(&roster);
        assert_eq!(roster.offer(&delegation(&alliance, change)), Err(why));
        assert_eq!(listed(&roster), before);
    };
    let narrow = |change: fn(&mut IssuerCertificate)| changed_issuer(&alliance, 1, change);
    refused(|delegation| delegation.id.issuer = 9, Rejected::UnknownIssuer);
    refused(|delegation| delegation.id.issuer = 2, Rejected::BadSignature);
    let mut narrowed = alliance.roster.clone();
    let _new =
        narrowed.offer(&narrow(|issuer| (issuer.version, issuer.regions) = (2, Region::from_code("LIE").into_iter().collect())));
    assert_eq!(narrowed.offer(&delegation(&alliance, |_| {})), Err(Rejected::Beyond(Beyond::Region)));
    for change in [
        (|delegation| delegation.not_after = delegation.not_before + DELEGATION_DAYS_MAX + 1) as fn(&mut Delegation),
        |delegation| delegation.not_after = delegation.not_before - 1,
        |delegation| delegation.id.number = 0,
        |delegation| delegation.version = 0,
        // Twice delegated: nobody signs in the stead of a person, and what a node gives is done through itself alone.
        |delegation| (delegation.id.serial, delegation.generation) = (Some(1), Some(FIRST)),
        |delegation| delegation.ended = Some(vec![pin(0)]),
        |delegation| delegation.ended = Some(vec![pin(4), pin(4)]),
    ] {
        let mut bad = value();
        change(&mut bad);
        assert_eq!(bad.issue(&alliance.roster.realm(), &alliance.issuers[0]), Err(CannotIssue::BadValue), "{bad:?}");
    }
    let by_person = value().issue(&alliance.roster.realm(), &person()).expect("issues");
    assert_eq!(roster.offer(&by_person), Err(Rejected::BadSignature), "a person delegates to nobody");
}

#[test]
fn an_act_fits_one_key_text_place_alliance_and_time() {
    let alliance = alliance();
    let roster = with(&[delegation(&alliance, |_| {})]);
    let good = act(&alliance, &person(), NOON_S, place(3));
    let wall = UtcMillis(i64::try_from(NOON_S).unwrap() * 1_000);
    let judged = |act: &Act, at: EntryId, wall| roster.check_act(act, at, wall).map(|_| ());
    assert_eq!(judged(&good, place(3), wall), Ok(()));
    assert_eq!(judged(&good, place(3), UtcMillis::UNKNOWN), Ok(()), "a node without a clock serves");
    for again in
        [place(4), EntryId { log: LogId { incarnation: Incarnation { count: 2, random: 7 }, ..place(3).log }, ..place(3) }]
    {
        assert_eq!(judged(&good, again, wall), Err(NotDelegated::Signature), "said once, it stands once");
    }
    let elsewhere = EntryId { log: LogId { author: id(1, 2), ..place(3).log }, ..place(3) };
    assert_eq!(judged(&good, elsewhere, wall), Err(NotDelegated::Elsewhere), "in another region");
    let other_firm = EntryId { log: LogId { author: id(2, 1), ..place(3).log }, ..place(3) };
    assert_eq!(judged(&good, other_firm, wall), Err(NotDelegated::Elsewhere));
    assert_eq!(judged(&act(&alliance, &secret(91), NOON_S, place(3)), place(3), wall), Err(NotDelegated::Signature));
    let foreign = found_alliance(&plan(2, RealmKind::Simulation)).expect("issues");
    assert_eq!(judged(&act(&foreign, &person(), NOON_S, place(3)), place(3), wall), Err(NotDelegated::Signature));
    for changed in [Act { facts: [0; 32], ..good.clone() }, Act { at_s: NOON_S + 1, ..good.clone() }] {
        assert_eq!(judged(&changed, place(3), wall), Err(NotDelegated::Signature));
    }
    let unknown = Act { of: DelegationId { number: 5, ..OF }, ..good.clone() };
    assert_eq!(judged(&unknown, place(3), wall), Err(NotDelegated::Unknown));
    for (at_s, why) in [(0, NotDelegated::Early), (20_021 * 86_400, NotDelegated::Late), (u64::MAX, NotDelegated::Late)] {
        let act = act(&alliance, &person(), at_s, place(3));
        assert_eq!(judged(&act, place(3), wall), Err(why), "the person's clock");
        let by_wall = judged(&good, place(3), UtcMillis(i64::try_from(at_s).unwrap_or(i64::MAX).saturating_mul(1_000)));
        assert!(at_s == 0 || by_wall == Err(why), "the node's clock: {by_wall:?}");
    }
}

#[test]
fn what_was_said_before_an_end_stands_and_nothing_after() {
    let alliance = alliance();
    let ended = delegation(&alliance, |delegation| (delegation.version, delegation.ended) = (2, Some(vec![pin(4)])));
    let mut roster = with(&[delegation(&alliance, |_| {}), ended]);
    assert_eq!(roster.offer(&delegation(&alliance, |_| {})), Err(Rejected::Older), "an end is not undone by what it ended");
    let judged = |number| {
        let act = act(&alliance, &person(), NOON_S, place(number));
        roster.check_act(&act, place(number), UtcMillis::UNKNOWN).map(|_| ())
    };
    assert_eq!((judged(4), judged(5)), (Ok(()), Err(NotDelegated::Ended)));
}

#[test]
fn a_delegation_falls_with_the_key_that_gave_it() {
    let alliance = alliance();
    let mut roster = with(&[by_node(&alliance), delegation(&alliance, |_| {})]);
    assert_eq!(roster.delegations().count(), 2);
    assert_eq!(roster.offer(&revoked(&alliance, 1, None)), Ok(Offered::New));
    assert_eq!(roster.delegations().map(|delegation| delegation.id).collect::<Vec<_>>(), [OF]);
    let other = secret(77).public();
    let _new = roster.offer(&changed_issuer(&alliance, 1, |issuer| (issuer.version, issuer.key) = (2, other)));
    assert_eq!(roster.delegations().count(), 0);
}

#[test]
fn an_act_comes_back_out_of_its_body_and_nothing_rides_along() {
    let alliance = alliance();
    let act = act(&alliance, &person(), NOON_S, place(3));
    let whole = act.put(&body()).expect("a body of facts alone");
    assert_eq!(Act::of_body(&whole), Ok(Some(act.clone())));
    assert_eq!(Act::of_body(&body()), Ok(None));
    assert!(act.put(&whole).is_err(), "signed twice");
    for part in [&b""[..], b"\x01\x01\x01", &[0xff]] {
        let mut writer = Writer::new();
        writer.list(1, [b"one"]).bytes(2, part);
        assert_eq!(Act::of_body(&writer.finish()), Err(NoAct));
    }
}

#[test]
fn a_delegation_is_called_by_who_gave_it_and_its_number() {
    for (text, serial) in [("1/3", None), ("1-118/3", Some(118))] {
        let id = DelegationId { issuer: 1, serial, number: 3 };
        assert_eq!((text.parse(), id.to_string()), (Ok(id), text.to_owned()));
    }
    for wrong in ["", "1", "1/", "/3", "1-/3", "1/300", "1-2-3/4"] {
        assert_eq!(wrong.parse::<DelegationId>(), Err(NotADelegationId), "{wrong}");
    }
}
