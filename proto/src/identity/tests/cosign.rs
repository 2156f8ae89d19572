//! Roots that are not in one place: drafts that go round.

use super::*;

fn charters(roster: &Roster) -> Vec<Charter> {
    roster.charters().cloned().collect()
}

fn issuer_draft(alliance: &Alliance) -> Bytes {
    let mut issuer = alliance.roster.issuer(1).expect("known").clone();
    (issuer.number, issuer.key, issuer.firm) = (3, secret(30).public(), "New".to_owned());
    (issuer.first, issuer.max_nodes) = (1, 10);
    issuer.draft().expect("drafts")
}

#[test]
fn an_issuer_signed_by_roots_one_after_the_other_stands_as_soon_as_there_are_enough() {
    let alliance = alliance();
    let (realm, held) = (alliance.roster.realm(), charters(&alliance.roster));
    let mut roster = alliance.roster.clone();
    let mut draft = issuer_draft(&alliance);
    assert_eq!(drafted(&draft), Ok(Drafted::Issuer(3, "New".to_owned())));
    for (place, root) in alliance.roots.iter().take(3).enumerate() {
        let who = &alliance.roster.charter().roots[place].firm;
        assert!(roster.offer(&draft).is_err(), "no node takes a draft");
        let signed = cosign(&realm, &draft, &held, &[root]).expect("signs");
        assert_eq!((signed.added, signed.own.have, signed.own.want), (1, place + 1, 3));
        assert_eq!(signed.is_whole(), place == 2);
        assert_eq!(signed.own.waiting.len(), 4 - place, "{who} is not waited for any more");
        assert_eq!(cosign(&realm, &signed.envelope, &held, &[root]).expect("signs").added, 0, "once each");
        draft = signed.envelope;
    }
    assert_eq!(roster.offer(&draft), Ok(Offered::New));
    assert_eq!(roster.issuer(3).map(|issuer| issuer.firm.as_str()), Some("New"));
}

#[test]
fn a_signature_in_a_draft_that_does_not_hold_is_dropped_and_a_strangers_key_adds_none() {
    let alliance = alliance();
    let (realm, held) = (alliance.roster.realm(), charters(&alliance.roster));
    let draft = issuer_draft(&alliance);
    let body = open(&draft).expect("opens").body.to_vec();
    let forged = seal(&body, &[(0, sign(&secret(99), &realm, Tag::Issuer, &body))], &[]);
    let signed = cosign(&realm, &forged, &held, &[&alliance.roots[1], &secret(98)]).expect("signs");
    assert_eq!((signed.added, signed.own.have), (1, 1));
    let whole = cosign(&realm, &signed.envelope, &held, &alliance.roots.iter().collect::<Vec<_>>()).expect("signs");
    assert_eq!(alliance.roster.clone().offer(&whole.envelope), Ok(Offered::New));
    // Of another alliance: what was signed for it says nothing here.
    let other = found_alliance(&plan(2, RealmKind::Simulation)).expect("issues").roster.realm();
    assert_eq!(cosign(&other, &whole.envelope, &held, &[]).expect("reads").own.have, 0);
}

#[test]
fn a_charter_needs_its_own_and_those_before_and_what_names_no_charter_held_is_refused() {
    let alliance = alliance();
    let realm = alliance.roster.realm();
    let new = secret(20);
    let mut roots = alliance.roster.charter().roots.clone();
    roots[0] = RootKey { key: new.public(), firm: "New".to_owned() };
    let next = alliance.roster.charter().next(3, roots).expect("follows");
    let draft = next.draft().expect("drafts");
    assert_eq!(cosign(&realm, &draft, &[], &[]), Err(Rejected::UnknownCharter));
    let mut held = charters(&alliance.roster);
    let by_new = cosign(&realm, &draft, &held, &[&new]).expect("signs");
    assert_eq!((by_new.own.have, by_new.before.as_ref().map(|tally| tally.have)), (1, Some(0)));
    let old: Vec<&SecretKey> = alliance.roots.iter().skip(1).take(3).collect();
    let whole = cosign(&realm, &by_new.envelope, &held, &old).expect("signs");
    assert!(whole.is_whole());
    // An issuer drafted beside it is signed under it before it stands anywhere.
    held.push(next);
    let mut issuer = alliance.roster.issuer(1).expect("known").clone();
    (issuer.version, issuer.charter) = (2, 2);
    let issuer = issuer.draft().expect("drafts");
    let issuer = cosign(&realm, &issuer, &held, &[&new, old[0], old[1]]).expect("signs");
    let mut roster = alliance.roster.clone();
    let all = roster.offer_all(&[issuer.envelope, whole.envelope]);
    assert_eq!((all.new.len(), all.refused.len()), (2, 0), "{all:?}");
    assert_eq!((roster.charter().version, roster.issuer(1).map(|issuer| issuer.version)), (2, Some(2)));
    assert!(roster.current(id(1, 1)).is_some(), "its nodes go on");
}

#[test]
fn what_roots_do_not_sign_is_no_draft() {
    let alliance = alliance();
    let node = alliance.roster.chain(id(1, 1)).pop().expect("certified");
    assert_eq!(drafted(&node), Err(Rejected::WrongKind));
    assert_eq!(cosign(&alliance.roster.realm(), &node, &[], &[]), Err(Rejected::WrongKind));
    assert!(drafted(b"nonsense").is_err());
}
