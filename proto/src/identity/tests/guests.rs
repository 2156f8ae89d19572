//! Guests: whose word lets one in, and what takes it out again.

use super::*;

fn guest(change: impl FnOnce(&mut NodeCertificate)) -> NodeCertificate {
    let mut guest = NodeCertificate {
        node: id(1, 1).guest(),
        generation: FIRST,
        key: secret(90).public(),
        region: Region::from_code("HUA").expect("in the table"),
        role: Role::Guest,
        tier: 3,
        capabilities: 0,
        not_before: 20_000,
        not_after: 20_007,
        name: "慈惠堂".to_owned(),
        window: None,
    };
    change(&mut guest);
    guest
}

/// A guest with the word of these nodes of the plan, in this order.
fn vouched(alliance: &Alliance, guest: &NodeCertificate, places: &[usize]) -> Bytes {
    let voucher = |place: &usize| {
        let node = &alliance.nodes[*place];
        Voucher { node: node.node, generation: node.generation, key: &node.secret }
    };
    let realm = alliance.roster.realm();
    let (first, others) = places.split_first().expect("somebody vouches");
    let begun = invite_guest(&realm, guest, voucher(first)).expect("begins");
    others.iter().fold(begun, |draft, place| vouch_for(&realm, &draft, voucher(place)).expect("vouches"))
}

/// Two firms' nodes: 1-1, 1-2 and 2-1.
const THREE: [usize; 3] = [0, 1, 3];

pub(super) fn story(alliance: &Alliance) -> Vec<Bytes> {
    vec![
        vouched(alliance, &guest(|_| {}), &THREE),
        vouched(alliance, &guest(|guest| guest.node = id(1, 2).guest()), &[1, 0, 3]),
        vouched(alliance, &guest(|guest| (guest.node, guest.key) = (id(2, 1).guest(), secret(92).public())), &[3, 1, 2, 0]),
        vouched(alliance, &guest(|guest| (guest.generation, guest.key) = (SECOND, secret(91).public())), &THREE),
        vouched(alliance, &guest(|_| {}), &[0, 1, 2, 3]),
        own_paper(alliance),
        // The key of 1-2 under a second name, which voids both.
        changed(alliance, |node| (node.node, node.key) = (id(1, 3), alliance.nodes[1].secret.public())),
    ]
}

/// The paper of the first guest's key.
fn own_paper(alliance: &Alliance) -> Bytes {
    let revocation = Revocation {
        node: id(1, 1).guest(),
        generation: FIRST,
        by: RevokedBy::Itself,
        version: 0,
        charter: 0,
        reason: Reason::Closed,
        cuts: None,
    };
    revocation.issue(&alliance.roster.realm(), &secret(90)).expect("signs")
}

pub(super) fn vectors(alliance: &Alliance) -> [(&'static str, Bytes); 1] {
    [("guest", vouched(alliance, &guest(|_| {}), &THREE))]
}

#[test]
fn three_nodes_of_two_firms_let_a_guest_in_and_nobody_less() {
    let alliance = alliance();
    let guest = guest(|_| {});
    for few in [&[0][..], &[0, 3], &[0, 1, 2]] {
        let mut roster = alliance.roster.clone();
        assert_eq!(roster.offer(&vouched(&alliance, &guest, few)), Err(Rejected::TooFewVouchers), "{few:?}");
        assert_eq!(roster, alliance.roster);
    }
    let mut roster = alliance.roster.clone();
    let envelope = vouched(&alliance, &guest, &THREE);
    assert_eq!(roster.offer(&envelope), Ok(Offered::New));
    assert_eq!(roster.current(guest.node).map(|held| held.role), Some(Role::Guest));
    assert_eq!((roster.firm(guest.node), roster.window(guest.node)), (None, Some(crate::config::WINDOW_GUEST)));
    let draft = GuestDraft::read(&alliance.roster, &envelope).expect("reads");
    assert!(draft.is_whole() && draft.vouchers.len() == 3 && draft.firms == ["全家", "統一超商"], "{draft:?}");

    let mut stranger = Roster::new(&alliance.objects[0]).expect("founds");
    let admitted = stranger.admit_chain(&roster.chain(guest.node), &guest.key, &mut Vec::new());
    assert_eq!(admitted, Ok((guest.node, FIRST)), "its chain proves it to whoever has the first charter alone");
}

#[test]
fn a_word_for_a_guest_holds_for_one_text_one_alliance_and_from_its_own_key_alone() {
    let alliance = alliance();
    let whole = vouched(&alliance, &guest(|_| {}), &THREE);
    for at in 0..whole.len() {
        let mut bad = whole.to_vec();
        bad[at] ^= 1;
        let mut roster = alliance.roster.clone();
        assert!(roster.offer(&bad).is_err(), "byte {at}");
        assert_eq!(roster, alliance.roster, "byte {at}");
    }
    let other = found_alliance(&plan(1, RealmKind::Exercise)).expect("issues");
    assert!(other.roster.clone().offer(&whole).is_err(), "of another alliance");
    let forged = Alliance { nodes: found_alliance(&plan(2, RealmKind::Simulation)).expect("issues").nodes, ..alliance.clone() };
    assert_eq!(alliance.roster.clone().offer(&vouched(&forged, &guest(|_| {}), &THREE)), Err(Rejected::BadSignature));
}

#[test]
fn a_guest_is_named_for_who_vouched_first_and_has_nothing_but_a_week() {
    let alliance = alliance();
    let realm = alliance.roster.realm();
    let first = Voucher { node: id(1, 1), generation: FIRST, key: &alliance.nodes[0].secret };
    type Change = fn(&mut NodeCertificate);
    let bad: [(&str, Change); 7] = [
        ("another's name", |guest| guest.node = id(1, 2).guest()),
        ("a certified name", |guest| guest.node = id(1, 1)),
        ("a certified role", |guest| guest.role = Role::Store),
        ("a deputy's", |guest| guest.generation.giver = 3),
        ("eight days", |guest| guest.not_after = guest.not_before + 8),
        ("a capability", |guest| guest.capabilities = CAPABILITY_EVERYWHERE),
        ("a window", |guest| guest.window = Some(4_096)),
    ];
    for (what, change) in bad {
        assert_eq!(invite_guest(&realm, &guest(change), first), Err(CannotIssue::BadValue), "{what}");
    }
    let named_for_another = guest(|guest| guest.node = id(1, 3).guest());
    let first = Voucher { node: id(1, 3), generation: FIRST, key: &alliance.nodes[0].secret };
    let draft = invite_guest(&realm, &named_for_another, first).expect("begins");
    assert!(alliance.roster.clone().offer(&draft).is_err(), "under a name whose key it is not");
    let as_node = changed(&alliance, |node| node.role = Role::Store);
    assert!(vouch_for(&realm, &as_node, Voucher { node: id(1, 1), ..first }).is_err(), "a node's certificate is no guest's");
    let issued = guest(|_| {}).issue(&realm, &alliance.issuers[0]).expect("signs");
    assert_eq!(alliance.roster.clone().offer(&issued), Err(Rejected::Malformed), "no issuer gives a guest");
}

#[test]
fn a_guest_vouches_for_nobody_and_lets_no_person_act() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    roster.offer(&vouched(&alliance, &guest(|_| {}), &THREE)).expect("is in");
    let voucher = Voucher { node: id(1, 1).guest(), generation: FIRST, key: &secret(90) };
    let next = guest(|guest| (guest.node, guest.key) = (id(2, 1).guest(), secret(93).public()));
    let draft = vouch_for(&roster.realm(), &vouched(&alliance, &next, &[3, 0]), voucher).expect("writes");
    assert_eq!(roster.offer(&draft), Err(Rejected::Malformed));
}

#[test]
fn a_guest_is_one_no_more_when_too_few_still_vouch_and_what_it_said_can_be_checked_for_good() {
    let alliance = alliance();
    for (places, stays) in [(&[1, 0, 3][..], false), (&[1, 0, 2, 3], true)] {
        let (mut early, mut late) = (alliance.roster.clone(), alliance.roster.clone());
        let envelope = vouched(&alliance, &guest(|guest| guest.node = id(1, 2).guest()), places);
        let revocation = revoked(&alliance, 1, None);
        early.offer(&envelope).expect("is in");
        early.offer(&revocation).expect("1-1 is revoked");
        late.offer(&revocation).expect("1-1 is revoked");
        late.offer(&envelope).expect("somebody may have heard it before");
        assert_eq!(early, late, "{places:?}");
        assert_eq!(early.current(id(1, 2).guest()).is_some(), stays, "{places:?}");
        assert!(early.certificate(id(1, 2).guest(), FIRST).is_some(), "its words verify");
        let (mut stranger, chain) = (Roster::new(&alliance.objects[0]).expect("founds"), early.chain(id(1, 2).guest()));
        if stays {
            let admitted = stranger.admit_chain(&chain, &secret(90).public(), &mut Vec::new());
            assert_eq!(admitted, Ok((id(1, 2).guest(), FIRST)), "its chain holds without the one that fell");
        } else {
            assert!(chain.is_empty());
            let held = late.admit_held_chain(&[alliance.objects[0].clone(), envelope], &secret(90).public());
            assert_eq!(held, Err(Rejected::TooFewVouchers));
        }
    }
    let mut roster = alliance.roster.clone();
    roster.offer(&vouched(&alliance, &guest(|_| {}), &[0, 1, 2, 3])).expect("is in");
    let successor = changed(&alliance, |node| (node.generation, node.key) = (SECOND, secret(70).public()));
    roster.offer(&successor).expect("1-1 has a successor");
    assert_eq!(roster.current(id(1, 1).guest()), None, "the one it is named for no longer says so");
}

#[test]
fn more_words_for_a_guest_take_the_place_of_fewer_in_any_order() {
    let alliance = alliance();
    let (few, more) = (vouched(&alliance, &guest(|_| {}), &THREE), vouched(&alliance, &guest(|_| {}), &[0, 1, 2, 3]));
    let (mut up, mut down) = (alliance.roster.clone(), alliance.roster.clone());
    assert_eq!((up.offer(&few), up.offer(&more)), (Ok(Offered::New), Ok(Offered::New)));
    assert_eq!((down.offer(&more), down.offer(&few)), (Ok(Offered::New), Err(Rejected::Older)));
    assert_eq!(up, down);
}

#[test]
fn nobody_loses_its_name_because_others_vouched_for_its_key() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let victim = alliance.nodes[2].secret.public();
    for (node, places) in [(id(1, 1), [0, 1, 3]), (id(2, 1), [3, 0, 1])] {
        let guest = guest(|guest| (guest.node, guest.key) = (node.guest(), victim));
        roster.offer(&vouched(&alliance, &guest, &places)).expect("they may be mistaken");
    }
    assert_eq!(roster.owner_of_key(&victim), Some((id(1, 3), FIRST)));
    assert!(roster.current(id(1, 3)).is_some());
    // A guest that comes a second week, by another host: its newest name.
    let again = guest(|guest| (guest.node, guest.not_before, guest.not_after) = (id(1, 2).guest(), 20_010, 20_017));
    for (guest, places) in [(guest(|guest| guest.generation = SECOND), [0, 1, 3]), (again, [1, 0, 3])] {
        roster.offer(&vouched(&alliance, &guest, &places)).expect("is in");
    }
    assert_eq!(roster.owner_of_key(&secret(90).public()), Some((id(1, 2).guest(), FIRST)));
}

#[test]
fn a_guest_ends_by_the_issuer_of_who_vouched_first() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    roster.offer(&vouched(&alliance, &guest(|_| {}), &THREE)).expect("is in");
    let over = |issuer: usize| {
        let revocation = Revocation {
            node: id(1, 1).guest(),
            generation: FIRST,
            by: RevokedBy::Issuer,
            version: 1,
            charter: 0,
            reason: Reason::Misused,
            cuts: Some(Vec::new()),
        };
        revocation.issue(&roster.realm(), &alliance.issuers[issuer]).expect("signs")
    };
    let (own, others) = (over(0), over(1));
    assert_eq!(roster.offer(&others), Err(Rejected::BadSignature));
    assert_eq!(roster.offer(&own), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1).guest()), None);
    assert_eq!(roster.admit_chain(&roster.chain(id(1, 1)), &secret(90).public(), &mut Vec::new()), Err(Rejected::KeyMismatch));
}

#[test]
fn an_issuer_that_is_certified_again_leaves_guests_and_delegations_standing() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    roster.offer(&vouched(&alliance, &guest(|_| {}), &THREE)).expect("is in");
    offer_all(&mut roster, &delegations::story(&alliance));
    let before: Vec<_> = listed(&roster).into_iter().filter(|(key, _)| !matches!(key, ObjectKey::Issuer(1))).collect();
    roster.offer(&changed_issuer(&alliance, 1, |issuer| issuer.version = 2)).expect("is newer");
    let after: Vec<_> = listed(&roster).into_iter().filter(|(key, _)| !matches!(key, ObjectKey::Issuer(1))).collect();
    assert_eq!(after, before);
}
