//! Deputies: what they may give, what they may not, and what becomes of it when their issuer changes its mind.

use super::*;

const GIVEN: Generation = Generation { count: 1, giver: 3 };

fn deputy_key() -> SecretKey {
    secret(80)
}

/// Deputy 3 of issuer 1, for serial 3 in Lienchiang, changed and signed by the issuer.
fn deputy(alliance: &Alliance, change: impl FnOnce(&mut DeputyCertificate)) -> Bytes {
    let mut deputy = DeputyCertificate {
        issuer: 1,
        giver: 3,
        version: 1,
        key: deputy_key().public(),
        regions: Region::from_code("LIE").into_iter().collect(),
        roles: [Role::Store].into_iter().collect(),
        first: 3,
        max_nodes: 1,
        not_before: 20_000,
        not_after: 20_030,
        name: "馬祖區經理".to_owned(),
    };
    change(&mut deputy);
    deputy.issue(&alliance.roster.realm(), &alliance.issuers[0]).expect("issues")
}

/// A store that the deputy certifies, changed.
fn given(alliance: &Alliance, change: impl FnOnce(&mut NodeCertificate)) -> Bytes {
    let mut certificate = alliance.roster.current(id(1, 3)).expect("known").clone();
    (certificate.generation, certificate.key) = (GIVEN, secret(81).public());
    change(&mut certificate);
    certificate.issue(&alliance.roster.realm(), &deputy_key()).expect("issues")
}

/// The successor of 1-1, which does not lie in the deputy's range.
fn successor(alliance: &Alliance) -> Bytes {
    given(alliance, |node| {
        (node.node, node.generation, node.key) = (id(1, 1), Generation { count: 2, giver: 3 }, secret(82).public());
    })
}

/// All of it, for orders at random.
pub(super) fn story(alliance: &Alliance) -> Vec<Bytes> {
    vec![
        deputy(alliance, |_| {}),
        deputy(alliance, |deputy| (deputy.version, deputy.max_nodes) = (2, 2)),
        given(alliance, |_| {}),
        given(alliance, |node| (node.node, node.key) = (id(1, 4), secret(83).public())),
        successor(alliance),
    ]
}

pub(super) fn vectors(alliance: &Alliance) -> (Bytes, Bytes) {
    (deputy(alliance, |_| {}), given(alliance, |_| {}))
}

#[test]
fn a_deputy_certifies_its_own_serials_within_what_its_issuer_gave_it() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    assert_eq!(roster.offer(&given(&alliance, |_| {})), Err(Rejected::UnknownIssuer), "before the deputy is known");
    assert_eq!(roster.offer(&deputy(&alliance, |_| {})), Ok(Offered::New));
    for (envelope, why) in [
        (given(&alliance, |node| node.node.serial = 2), Rejected::Beyond(Beyond::Giver)),
        (given(&alliance, |node| node.role = Role::Hub), Rejected::Beyond(Beyond::Role)),
        (given(&alliance, |node| node.region = Region::new(0).expect("first")), Rejected::Beyond(Beyond::Region)),
        (given(&alliance, |node| node.generation.giver = 4), Rejected::UnknownIssuer),
        (given(&alliance, |node| node.generation.giver = 0), Rejected::BadSignature),
        (given(&alliance, |node| node.node.issuer = 2), Rejected::Beyond(Beyond::Serial)),
    ] {
        assert_eq!(roster.offer(&envelope), Err(why));
    }
    let good = given(&alliance, |_| {});
    assert_eq!(roster.offer(&good), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 3)).map(|node| node.generation), Some(GIVEN));
    assert!(roster.objects().is_sorted_by_key(|object| object.key));
    // Whoever has only the first charter believes it by its chain.
    let mut stranger = Roster::new(&alliance.objects[0]).expect("founds");
    let key = secret(81).public();
    assert_eq!(stranger.admit_chain(&roster.chain(id(1, 3)), &key, &mut Vec::new()), Ok((id(1, 3), GIVEN)));
}

#[test]
fn no_deputy_gets_more_than_its_issuer_has_or_fifty_nodes() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    for (envelope, what) in [
        (deputy(&alliance, |deputy| deputy.first = 0), Beyond::Serial),
        (deputy(&alliance, |deputy| deputy.max_nodes = 2), Beyond::Serial),
        (deputy(&alliance, |deputy| deputy.roles = Roles(1 << 9)), Beyond::Role),
        (deputy(&alliance, |deputy| deputy.regions = Regions(1 << 30)), Beyond::Region),
    ] {
        assert_eq!(roster.offer(&envelope), Err(Rejected::Beyond(what)));
    }
    assert_eq!(roster.offer(&deputy(&alliance, |deputy| deputy.issuer = 2)), Err(Rejected::Beyond(Beyond::Serial)));
    assert_eq!(roster.offer(&deputy(&alliance, |deputy| (deputy.issuer, deputy.first) = (2, 1))), Err(Rejected::BadSignature));
    let many = DeputyCertificate { max_nodes: DEPUTY_NODES_MAX + 1, ..roster_deputy(&alliance) };
    assert_eq!(many.issue(&alliance.roster.realm(), &alliance.issuers[0]), Err(CannotIssue::BadValue));
    assert_eq!(roster, alliance.roster);
}

fn roster_deputy(alliance: &Alliance) -> DeputyCertificate {
    let mut roster = alliance.roster.clone();
    roster.offer(&deputy(alliance, |_| {})).expect("good");
    roster.deputy(1, 3).expect("held").clone()
}

#[test]
fn a_deputy_replaces_a_pc_elsewhere_only_where_the_paper_of_its_key_is_held() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    roster.offer(&deputy(&alliance, |_| {})).expect("good");
    assert_eq!(roster.offer(&successor(&alliance)), Err(Rejected::Beyond(Beyond::Giver)), "a thief of its key takes no place");
    roster.offer(&revoked(&alliance, 1, Some(vec![a_cut(7, 3)]))).expect("good");
    assert_eq!(
        roster.offer(&successor(&alliance)),
        Err(Rejected::Beyond(Beyond::Giver)),
        "what an issuer took away it gives again"
    );
    roster.offer(&paper(&alliance)).expect("good");
    assert_eq!(roster.offer(&successor(&alliance)), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)).map(|node| node.generation), Some(Generation { count: 2, giver: 3 }));
    let mut stranger = Roster::new(&alliance.objects[0]).expect("founds");
    let key = secret(82).public();
    let admitted = stranger.admit_chain(&roster.chain(id(1, 1)), &key, &mut Vec::new());
    assert_eq!(admitted, Ok((id(1, 1), Generation { count: 2, giver: 3 })), "its chain holds the paper");
}

#[test]
fn a_deputy_that_ends_takes_its_nodes_with_it_and_so_does_an_issuer_that_gives_less() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    roster.offer(&deputy(&alliance, |_| {})).expect("good");
    roster.offer(&given(&alliance, |_| {})).expect("good");
    let mut ended = roster.clone();
    assert_eq!(ended.offer(&deputy(&alliance, |deputy| (deputy.version, deputy.max_nodes) = (2, 0))), Ok(Offered::New));
    assert_eq!(ended.current(id(1, 3)).map(|node| node.generation), Some(FIRST));
    assert_eq!(ended.offer(&deputy(&alliance, |_| {})), Err(Rejected::Older));
    let narrow = changed_issuer(&alliance, 1, |issuer| (issuer.version, issuer.max_nodes) = (2, 2));
    assert_eq!(roster.offer(&narrow), Ok(Offered::New));
    assert_eq!((roster.deputy(1, 3), roster.current(id(1, 3))), (None, None));
}
