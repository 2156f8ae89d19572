//! Tests of the roster and the gate: forged, foreign and contradicting certificates, in any order.

mod cosign;
mod delegations;
mod deputies;
mod guests;
mod revocations;

use std::collections::BTreeSet;

use bytes::Bytes;
use proptest::prelude::*;

use self::revocations::{a_cut, by_roots, paper, revoked};
use super::certificate::{Parsed, open, seal};
use super::*;
use crate::id::{Generation, NodeId};

const FIRST: Generation = Generation { count: 1, giver: 0 };
const SECOND: Generation = Generation { count: 2, giver: 0 };

fn plan(seed: u8, kind: RealmKind) -> AlliancePlan {
    let node = |name: &str, role, region: &str| NodePlan {
        name: name.to_owned(),
        role,
        region: Region::from_code(region).expect("in the table"),
        tier: 2,
    };
    AlliancePlan {
        seed: [seed; 32],
        kind,
        roots: 5,
        k: 3,
        firms: vec![
            FirmPlan {
                firm: "統一超商".to_owned(),
                nodes: vec![node("信義店", Role::Store, "TPE"), node("b", Role::Hub, "NWT"), node("c", Role::Store, "LIE")],
            },
            FirmPlan { firm: "全家".to_owned(), nodes: vec![node("d", Role::Store, "HUA")] },
        ],
        not_before: 20_000,
        days: 400,
    }
}

fn alliance() -> Alliance {
    found_alliance(&plan(1, RealmKind::Simulation)).expect("issues")
}

fn id(issuer: u16, serial: u16) -> NodeId {
    NodeId { issuer, serial }
}

fn secret(n: u8) -> SecretKey {
    SecretKey::from_seed([n; 32])
}

/// The certificate of node 1-1, changed and signed by its issuer.
fn changed(alliance: &Alliance, change: impl FnOnce(&mut NodeCertificate)) -> Bytes {
    let mut certificate = alliance.roster.current(id(1, 1)).expect("known").clone();
    change(&mut certificate);
    certificate.issue(&alliance.roster.realm(), &alliance.issuers[0]).expect("issues")
}

/// The certificate of an issuer, changed and signed by all roots.
fn changed_issuer(alliance: &Alliance, number: u16, change: impl FnOnce(&mut IssuerCertificate)) -> Bytes {
    let mut issuer = alliance.roster.issuer(number).expect("known").clone();
    change(&mut issuer);
    let roots: Vec<&SecretKey> = alliance.roots.iter().collect();
    issuer.issue(&alliance.roster.realm(), alliance.roster.charter(), &roots).expect("issues")
}

/// Offers until nothing is new: what a node does that hears the roster again and again.
fn offer_all(roster: &mut Roster, objects: &[Bytes]) {
    let _all = roster.offer_all(objects);
}

fn listed(roster: &Roster) -> Vec<(ObjectKey, [u8; 16])> {
    roster.objects().map(|object| (object.key, object.hash)).collect()
}

#[test]
fn an_alliance_stands_and_its_words_are_verified() {
    let alliance = alliance();
    let roster = &alliance.roster;
    assert_eq!(roster.nodes().count(), 4);
    assert_eq!(roster.firm(id(2, 1)), Some("全家"));
    assert_eq!(roster.window(id(1, 1)), Some(crate::config::WINDOW_STORE));
    assert_eq!(roster.window(id(1, 2)), Some(crate::config::WINDOW_HUB));
    assert_eq!(roster.node_of_key(&alliance.nodes[3].secret.public()), Some((id(2, 1), FIRST)));
    assert!(roster.objects().is_sorted_by_key(|object| object.key));
    assert!(roster.objects().all(|object| roster.has(&object.hash)));
    let word =
        Signed::seal(&alliance.nodes[0].secret, roster, id(1, 1), FIRST, Tag::Entry, Bytes::from_static(b"open")).expect("seals");
    assert_eq!(word.clone().into_inner().verify(roster), Ok(word));
}

#[test]
fn a_word_fails_with_any_part_changed() {
    let alliance = alliance();
    let roster = &alliance.roster;
    let good = Signed::seal(&alliance.nodes[0].secret, roster, id(1, 1), FIRST, Tag::Entry, Bytes::from_static(b"open"))
        .expect("seals")
        .into_inner();
    for (bad, why) in [
        (Signed { tag: Tag::Board, ..good.clone() }, Rejected::BadSignature),
        (Signed { tag: Tag::Node, ..good.clone() }, Rejected::WrongKind),
        (Signed { author: id(1, 2), ..good.clone() }, Rejected::BadSignature),
        (Signed { author: id(1, 9), ..good.clone() }, Rejected::UnknownAuthor),
        (Signed { generation: SECOND, ..good.clone() }, Rejected::UnknownAuthor),
        (Signed { bytes: Bytes::from_static(b"opeN"), ..good.clone() }, Rejected::BadSignature),
    ] {
        assert_eq!(bad.verify(roster), Err(why));
    }
    for bit in 0..512 {
        let mut signature = good.signature;
        signature.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Signed { signature, ..good.clone() }.verify(roster), Err(Rejected::BadSignature), "bit {bit}");
    }
    let other = Signed::seal(&secret(9), roster, id(1, 1), FIRST, Tag::Entry, Bytes::new());
    assert_eq!(other, Err(Rejected::KeyMismatch));
}

#[test]
fn any_object_with_a_byte_flipped_cut_or_padded_is_refused() {
    let alliance = alliance();
    let refused = |at: usize, bytes: &[u8]| match at {
        0 => Roster::new(bytes).is_err(),
        _ => {
            let mut roster = Roster::new(&alliance.objects[0]).expect("founds");
            if at > 2 {
                roster.offer(&alliance.objects[1]).expect("good");
            }
            roster.offer(bytes).is_err()
        }
    };
    for at in [0, 1, 3] {
        let good = &alliance.objects[at];
        assert!(!refused(at, good));
        for place in 0..good.len() {
            for bit in [0x01, 0x80] {
                let mut bad = good.to_vec();
                bad[place] ^= bit;
                assert!(refused(at, &bad), "object {at}, byte {place} flipped");
            }
            assert!(refused(at, &good[..place]), "object {at} cut at {place}");
        }
        for pad in [&[0][..], &[4, 0], &[9, 1, 7]] {
            assert!(refused(at, &[good, pad].concat()), "object {at} padded");
        }
    }
}

#[test]
fn fewer_roots_than_the_charter_asks_for_are_refused_and_one_root_counts_once() {
    let alliance = alliance();
    let envelope = changed_issuer(&alliance, 1, |issuer| issuer.version = 2);
    let opened = open(&envelope).expect("opens");
    let Parsed::Issuer { own, .. } = opened.parsed else { panic!("an issuer") };
    let mut roster = Roster::new(&alliance.objects[0]).expect("founds");
    assert_eq!(roster.offer(&seal(opened.body, &own[..2], &[])), Err(Rejected::TooFewRoots { have: 2, want: 3 }));
    assert_eq!(roster.offer(&seal(opened.body, &[], &[])), Err(Rejected::TooFewRoots { have: 0, want: 3 }));
    assert_eq!(roster.offer(&seal(opened.body, &[own[0], own[0], own[1]], &[])), Err(Rejected::Malformed));
    assert_eq!(roster.offer(&seal(opened.body, &[own[0], own[1], (9, own[2].1)], &[])), Err(Rejected::BadSignature));
    assert_eq!(roster.offer(&seal(opened.body, &own[..3], &own[..1])), Err(Rejected::Malformed));
    assert_eq!(roster.offer(&seal(opened.body, &own[1..4], &[])), Ok(Offered::New));
    let first = open(&alliance.objects[0]).expect("opens");
    let Parsed::Charter { own, .. } = first.parsed else { panic!("a charter") };
    assert_eq!(Roster::new(&seal(first.body, &own[..2], &[])), Err(Rejected::TooFewRoots { have: 2, want: 3 }));
}

#[test]
fn strangers_other_alliances_and_drills_are_refused() {
    let ours = alliance();
    let theirs = found_alliance(&plan(2, RealmKind::Simulation)).expect("issues");
    let drill = found_alliance(&plan(1, RealmKind::Exercise)).expect("issues");
    assert_ne!(ours.roster.realm(), drill.roster.realm());
    for other in [&theirs, &drill] {
        let mut roster = ours.roster.clone();
        assert_eq!(roster.offer(&other.objects[0]), Err(Rejected::OtherRealm));
        assert_eq!(roster.offer(&other.objects[1]), Err(Rejected::BadSignature));
        assert_eq!(roster.offer(&other.objects[3]), Err(Rejected::BadSignature));
        let key = other.nodes[0].secret.public();
        assert_eq!(roster.admit_chain(&other.roster.chain(id(1, 1)), &key, &mut Vec::new()), Err(Rejected::OtherRealm));
        assert_eq!(roster, ours.roster);
        assert_ne!(ours.nodes[0].secret.public(), key, "not even the keys are the same");
    }
    let (mut roster, elsewhere) = (ours.roster.clone(), drill.roster.realm());
    let roots: Vec<&SecretKey> = ours.roots.iter().collect();
    let mut issuer = roster.issuer(1).expect("known").clone();
    issuer.version = 2;
    let issuer = issuer.issue(&elsewhere, roster.charter(), &roots).expect("issues");
    assert_eq!(roster.offer(&issuer), Err(Rejected::BadSignature), "our keys, but for the drill");
    let mut node = roster.current(id(1, 1)).expect("known").clone();
    node.not_before += 1;
    let node = node.issue(&elsewhere, &ours.issuers[0]).expect("issues");
    assert_eq!(roster.offer(&node), Err(Rejected::BadSignature), "our keys, but for the drill");
    let mut empty = Roster::new(&ours.objects[0]).expect("founds");
    assert_eq!(empty.offer(&ours.objects[3]), Err(Rejected::UnknownIssuer));
}

#[test]
fn a_chain_admits_its_own_key_and_no_other() {
    let alliance = alliance();
    let chain = alliance.roster.chain(id(1, 2));
    assert_eq!(chain.len(), 3);
    let (right, wrong) = (alliance.nodes[1].secret.public(), alliance.nodes[0].secret.public());
    let mut roster = Roster::new(&alliance.objects[0]).expect("founds");
    assert_eq!(roster.admit_chain(&chain, &wrong, &mut Vec::new()), Err(Rejected::KeyMismatch));
    assert_eq!(roster.admit_chain(&chain[..2], &right, &mut Vec::new()), Err(Rejected::WrongKind));
    assert_eq!(roster.admit_chain(&[], &right, &mut Vec::new()), Err(Rejected::WrongKind));
    assert_eq!(roster.admit_chain(&chain, &right, &mut Vec::new()), Ok((id(1, 2), FIRST)));
    assert_eq!(roster.keys().collect::<Vec<_>>(), [right]);
}

#[test]
fn an_issuer_gives_only_what_it_was_given() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let narrow = changed_issuer(&alliance, 1, |issuer| {
        issuer.version = 2;
        issuer.roles = [Role::Store].into_iter().collect();
        issuer.regions = Region::from_code("TPE").into_iter().collect();
    });
    assert_eq!(roster.offer(&narrow), Ok(Offered::New));
    assert_eq!(
        roster.nodes().map(|node| node.node).collect::<Vec<_>>(),
        [id(1, 1), id(2, 1)],
        "the others fell with the old version"
    );
    for (envelope, what) in [
        (changed(&alliance, |node| node.node.serial = 4), Beyond::Serial),
        (changed(&alliance, |node| node.node.serial = 0), Beyond::Serial),
        (changed(&alliance, |node| node.role = Role::Hub), Beyond::Role),
        (changed(&alliance, |node| node.region = Region::new(0).expect("first")), Beyond::Region),
    ] {
        assert_eq!(roster.offer(&envelope), Err(Rejected::Beyond(what)));
    }
    assert_eq!(
        roster.offer(&changed(&alliance, |node| node.node.issuer = 2)),
        Err(Rejected::BadSignature),
        "another firm's node"
    );
    assert_eq!(roster.offer(&alliance.objects[1]), Err(Rejected::Older), "an older version can't come back");
}

#[test]
fn a_stolen_issuer_key_mints_no_more_nodes_than_its_range_has() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    for serial in 0..300_u16 {
        let mut key = [9; 32];
        key[..2].copy_from_slice(&serial.to_be_bytes());
        let minted = changed(&alliance, |node| {
            (node.node.serial, node.generation, node.key) = (serial * 200, SECOND, SecretKey::from_seed(key).public());
        });
        assert!(roster.offer(&minted).is_err());
    }
    assert_eq!(roster, alliance.roster);
}

#[test]
fn a_replaced_issuer_key_takes_its_certificates_with_it() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let replaced = changed_issuer(&alliance, 1, |issuer| (issuer.version, issuer.key) = (2, secret(7).public()));
    assert_eq!(roster.offer(&replaced), Ok(Offered::New));
    assert_eq!(roster.nodes().count(), 1);
    assert_eq!(roster.offer(&alliance.nodes[0].envelope), Err(Rejected::BadSignature));
    let again = alliance.roster.current(id(1, 1)).expect("known").issue(&roster.realm(), &secret(7)).expect("issues");
    assert_eq!(roster.offer(&again), Ok(Offered::New));
    assert_eq!(roster.node_of_key(&alliance.nodes[0].secret.public()), Some((id(1, 1), FIRST)));
}

#[test]
fn two_keys_for_one_name_are_void_until_a_next_generation() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let word = Signed::seal(&alliance.nodes[0].secret, &roster, id(1, 1), FIRST, Tag::Board, Bytes::new()).expect("seals");
    let forked = changed(&alliance, |node| node.key = secret(7).public());
    assert_eq!(roster.offer(&forked), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)), None);
    assert_eq!(roster.node_of_key(&secret(7).public()), None);
    assert_eq!(word.clone().into_inner().verify(&roster), Err(Rejected::Void));
    assert_eq!(roster.alarms(), [Alarm::ForkedName(id(1, 1), FIRST)]);
    assert_eq!(roster.objects().count(), alliance.objects.len() + 1, "both are kept as evidence");
    let next = changed(&alliance, |node| (node.generation, node.key) = (SECOND, secret(8).public()));
    assert_eq!(roster.offer(&next), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)).map(|node| node.generation), Some(SECOND));
}

#[test]
fn a_next_generation_replaces_the_key_on_links_and_old_words_still_verify() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let word = Signed::seal(&alliance.nodes[0].secret, &roster, id(1, 1), FIRST, Tag::Entry, Bytes::new()).expect("seals");
    let (old_chain, old_key) = (roster.chain(id(1, 1)), alliance.nodes[0].secret.public());
    roster.offer(&changed(&alliance, |node| (node.generation, node.key) = (SECOND, secret(8).public()))).expect("good");
    assert!(word.into_inner().verify(&roster).is_ok());
    assert_eq!(roster.admit_chain(&old_chain, &old_key, &mut Vec::new()), Err(Rejected::Replaced));
    assert!(roster.keys().all(|key| key != old_key));
    let new_chain = roster.chain(id(1, 1));
    assert_eq!(roster.admit_chain(&new_chain, &secret(8).public(), &mut Vec::new()), Ok((id(1, 1), SECOND)));
}

#[test]
fn one_key_under_two_names_of_an_issuer_is_void_but_no_firm_can_void_anothers_node() {
    let alliance = alliance();
    let victim = alliance.nodes[0].secret.public();
    let mut roster = alliance.roster.clone();
    roster.offer(&changed(&alliance, |node| (node.node, node.key) = (id(1, 3), victim))).expect("evidence of a fork");
    assert_eq!((roster.current(id(1, 1)), roster.current(id(1, 3))), (None, None));
    assert_eq!(roster.node_of_key(&victim), None);

    let mut roster = alliance.roster.clone();
    let mut copied = roster.current(id(2, 1)).expect("known").clone();
    copied.generation = SECOND;
    copied.key = victim;
    let copied = copied.issue(&roster.realm(), &alliance.issuers[1]).expect("issues");
    assert_eq!(roster.offer(&copied), Ok(Offered::New));
    assert!(roster.current(id(1, 1)).is_some());
    assert_eq!(roster.node_of_key(&victim), None, "ambiguous: only a chain tells");
    assert_eq!(roster.alarms().len(), 2);
    let chain = roster.chain(id(1, 1));
    assert_eq!(roster.admit_chain(&chain, &victim, &mut Vec::new()), Ok((id(1, 1), FIRST)));
}

#[test]
fn a_weak_key_is_not_certified() {
    let alliance = alliance();
    let mut weak = alliance.roster.current(id(1, 1)).expect("known").clone();
    weak.key = PublicKey([0; 32]);
    assert_eq!(weak.issue(&alliance.roster.realm(), &alliance.issuers[0]), Err(CannotIssue::WeakKey));
    let body = weak.body();
    let signature = sign(&alliance.issuers[0], &alliance.roster.realm(), Tag::Node, &body);
    assert_eq!(alliance.roster.clone().offer(&super::certificate::seal_one(&body, &signature)), Err(Rejected::WeakKey));
}

#[test]
fn a_branch_is_certified_under_its_full_name_and_a_name_that_does_not_fit_is_told_its_size() {
    let alliance = alliance();
    let issue = |name: &str| {
        let mut named = alliance.roster.current(id(1, 1)).expect("known").clone();
        (named.name, named.not_before) = (name.to_owned(), named.not_before + 1);
        named.issue(&alliance.roster.realm(), &alliance.issuers[0])
    };
    let envelope = issue("全家便利商店復興南路門市").expect("12 characters, 36 bytes");
    let mut roster = alliance.roster.clone();
    assert_eq!(roster.offer(&envelope), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)).map(|node| node.name.as_str()), Some("全家便利商店復興南路門市"));
    assert!(issue(&"店".repeat(16)).is_ok());
    let long = issue(&"店".repeat(17)).expect_err("too long");
    assert_eq!(long, CannotIssue::NameLength { bytes: 51 });
    assert!(long.to_string().contains("51 bytes") && long.zh().contains("51 位元組"), "{long}");
    assert_eq!(issue(""), Err(CannotIssue::NameLength { bytes: 0 }));
    assert_eq!(issue("a\u{202e}b"), Err(CannotIssue::NameUnclean));
}

#[test]
fn fields_of_a_later_version_are_kept_and_change_nothing_else() {
    let alliance = alliance();
    let mut body = alliance.roster.current(id(1, 1)).expect("known").body();
    body.extend_from_slice(&[40, 2, 7, 7]);
    let signature = sign(&alliance.issuers[0], &alliance.roster.realm(), Tag::Node, &body);
    let envelope = super::certificate::seal_one(&body, &signature);
    let mut roster = Roster::new(&alliance.objects[0]).expect("founds");
    roster.offer(&alliance.objects[1]).expect("good");
    assert_eq!(roster.offer(&envelope), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)), alliance.roster.current(id(1, 1)));
    assert!(roster.chain(id(1, 1)).contains(&envelope), "handed on as it came");
}

#[test]
fn a_window_is_never_lowered_within_a_generation() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let wide = changed(&alliance, |node| node.window = Some(10_000));
    let later = changed(&alliance, |node| node.not_before += 30);
    assert_eq!(roster.offer(&wide), Ok(Offered::New));
    assert_eq!(roster.offer(&later), Err(Rejected::Older));
    assert_eq!(roster.window(id(1, 1)), Some(10_000));
    let mut narrow = roster.current(id(1, 1)).expect("known").clone();
    narrow.window = Some(4_095);
    assert_eq!(narrow.issue(&roster.realm(), &alliance.issuers[0]), Err(CannotIssue::BadValue));
}

/// Version 2 of the charter: root 0 gives way to a new key.
fn next_charter(alliance: &Alliance, new: &SecretKey) -> Bytes {
    let mut roots = alliance.roster.charter().roots.clone();
    roots[0] = RootKey { key: new.public(), firm: "New".to_owned() };
    let old: Vec<&SecretKey> = alliance.roots.iter().skip(1).collect();
    let own: Vec<&SecretKey> = old.iter().copied().chain([new]).collect();
    Charter::follow(&alliance.roster.realm(), &alliance.objects[0], 3, roots, &old, &own).expect("signs")
}

#[test]
fn a_next_charter_needs_old_and_new_roots_and_a_replaced_root_mints_nothing() {
    let alliance = alliance();
    let new = secret(20);
    let next = next_charter(&alliance, &new);
    let opened = open(&next).expect("opens");
    let Parsed::Charter { own, before, .. } = opened.parsed else { panic!("a charter") };
    let mut roster = alliance.roster.clone();
    let few = Err(Rejected::TooFewRoots { have: 2, want: 3 });
    assert_eq!(roster.offer(&seal(opened.body, &own[..2], &before)), few);
    assert_eq!(roster.offer(&seal(opened.body, &own, &before[..2])), few);
    assert_eq!(roster.offer(&next), Ok(Offered::New));
    assert_eq!(roster.charter().version, 2);
    assert_eq!(roster.realm(), alliance.roster.realm());
    assert_eq!(roster.nodes().count(), 4, "issuers signed by all roots stand");
    assert_eq!(roster.chain(id(1, 1)).len(), 4);

    // Signed with the replaced root and two others, under the old charter: one too few now.
    let thief: Vec<&SecretKey> = alliance.roots.iter().take(3).collect();
    let mut minted = roster.issuer(1).expect("known").clone();
    (minted.number, minted.version) = (5, 1);
    let minted = minted.issue(&roster.realm(), alliance.roster.charter(), &thief).expect("signs");
    assert_eq!(roster.offer(&minted), few);
    let mut before = alliance.roster.clone();
    assert_eq!(before.offer(&minted), Ok(Offered::New));
    assert_eq!(before.offer(&next), Ok(Offered::New));
    assert_eq!(listed(&before), listed(&roster), "whichever came first");
}

/// Good, renewed, forked, shared and superseding objects of one alliance.
fn everything(alliance: &Alliance) -> Vec<Bytes> {
    let victim = alliance.nodes[0].secret.public();
    let mut objects = alliance.objects[1..].to_vec();
    objects.extend([
        next_charter(alliance, &secret(20)),
        next_charter(alliance, &secret(21)),
        changed_issuer(alliance, 1, |issuer| (issuer.version, issuer.max_nodes) = (2, 9)),
        changed_issuer(alliance, 1, |issuer| (issuer.version, issuer.firm) = (2, "7-ELEVEN".to_owned())),
        changed(alliance, |node| node.not_before += 1),
        changed(alliance, |node| node.name = "renamed".to_owned()),
        changed(alliance, |node| node.window = Some(5_000)),
        changed(alliance, |node| (node.node, node.key) = (id(1, 6), victim)),
        changed(alliance, |node| (node.generation, node.key) = (SECOND, secret(30).public())),
    ]);
    objects.extend((40..44).map(|n| changed(alliance, |node| (node.node, node.key) = (id(1, 2), secret(n).public()))));
    objects.extend((3..14).map(|count| {
        let generation = Generation { count, giver: 0 };
        changed(alliance, |node| (node.node, node.generation, node.key) = (id(1, 3), generation, secret(50 + count).public()))
    }));
    objects.extend((1..7).map(|n| revoked(alliance, n, (n > 1).then(|| vec![a_cut(20 - n, 1)]))));
    objects.extend(deputies::story(alliance));
    objects.extend(delegations::story(alliance));
    objects.extend(guests::story(alliance));
    objects.extend([paper(alliance), by_roots(alliance, 1, vec![a_cut(3, 3)]), by_roots(alliance, 1, vec![a_cut(4, 3)])]);
    objects
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_order_of_offers_ends_in_the_same_roster(order in Just(everything(&alliance())).prop_shuffle()) {
        let alliance = alliance();
        let mut straight = Roster::new(&alliance.objects[0]).expect("founds");
        offer_all(&mut straight, &everything(&alliance));
        let mut shuffled = Roster::new(&alliance.objects[0]).expect("founds");
        offer_all(&mut shuffled, &order);
        let (left, right) = (listed(&shuffled), listed(&straight));
        let only = |one: &[(ObjectKey, [u8; 16])], other: &[(ObjectKey, [u8; 16])]| {
            one.iter().filter(|object| !other.contains(object)).map(|(key, _)| *key).collect::<Vec<_>>()
        };
        prop_assert_eq!((only(&left, &right), only(&right, &left)), (Vec::new(), Vec::new()));
        prop_assert_eq!(&shuffled, &straight);
        let mut copied = Roster::new(&alliance.objects[0]).expect("founds");
        let held: Vec<Bytes> = shuffled.objects().map(|object| object.envelope.clone()).collect();
        prop_assert_eq!(copied.offer_all(&held).refused, Vec::new(), "what is held can be handed on");
        prop_assert_eq!(&copied, &straight);
        let held: BTreeSet<[u8; 16]> = copied.objects().map(|object| object.hash).collect();
        for object in everything(&alliance) {
            let hash = open(&object).expect("opens").hash;
            prop_assert_eq!(copied.has(&hash), held.contains(&hash), "the index of hashes says the same as the objects");
        }
    }

    #[test]
    fn noise_never_panics_and_never_enters(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut roster = Roster::new(&alliance().objects[0]).expect("founds");
        prop_assert!(roster.offer(&bytes).is_err());
        prop_assert!(Roster::new(&bytes).is_err());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn golden_vectors_of_all_certificates() {
    let alliance = alliance();
    let word =
        Signed::seal(&alliance.nodes[0].secret, &alliance.roster, id(1, 1), FIRST, Tag::Entry, Bytes::from_static(b"holdfast"));
    let mut now = format!("realm {}\n", alliance.roster.realm());
    for (name, object) in [("charter", 0), ("issuer", 1), ("node", 3)].map(|(name, at)| (name, &alliance.objects[at])) {
        let body = open(object).expect("opens").body.len();
        now += &format!("{name} body {body} envelope {}\n{}\n", object.len(), hex(object));
    }
    for (name, envelope) in [
        ("revocation by the issuer with one cut", revoked(&alliance, 1, Some(vec![a_cut(7, 3)]))),
        ("revocation by the key itself", paper(&alliance)),
        ("revocation by roots with nothing left standing", by_roots(&alliance, 1, Vec::new())),
    ] {
        let body = open(&envelope).expect("opens").body.len();
        now += &format!("{name} body {body} envelope {}\n{}\n", envelope.len(), hex(&envelope));
    }
    let (deputy, given) = deputies::vectors(&alliance);
    for (name, envelope) in [("deputy", deputy), ("node given by a deputy", given)] {
        let body = open(&envelope).expect("opens").body.len();
        now += &format!("{name} body {body} envelope {}\n{}\n", envelope.len(), hex(&envelope));
    }
    for (name, envelope) in delegations::vectors(&alliance) {
        let body = open(&envelope).expect("opens").body.len();
        now += &format!("{name} body {body} envelope {}\n{}\n", envelope.len(), hex(&envelope));
    }
    for (name, envelope) in guests::vectors(&alliance) {
        let body = open(&envelope).expect("opens").body.len();
        now += &format!("{name} body {body} envelope {}\n{}\n", envelope.len(), hex(&envelope));
    }
    now += &format!("entry signature over `holdfast` by 1-1\n{}\n", hex(&word.expect("seals").get().signature.0));
    let golden = include_str!("../../tests/vectors/identity.txt");
    assert!(now == golden, "the bytes changed; if that was meant, put these into tests/vectors/identity.txt:\n{now}");
}
