//! Keys taken away: by whom, how often, what stands, and what never gets into the roster.

use super::*;
use crate::id::Standing;

pub(super) fn a_cut(number: u32, hash: u8) -> Cut {
    Cut { incarnation: crate::id::Incarnation { count: 1, random: 9 }, number, hash: [hash; 16] }
}

fn taken_away(by: RevokedBy, version: u32, cuts: Option<Vec<Cut>>) -> Revocation {
    let charter = u32::from(by == RevokedBy::Roots);
    Revocation { node: id(1, 1), generation: FIRST, by, version, charter, reason: Reason::Stolen, cuts }
}

/// Node 1-1 loses its key, by its issuer.
pub(super) fn revoked(alliance: &Alliance, version: u32, cuts: Option<Vec<Cut>>) -> Bytes {
    let revocation = taken_away(RevokedBy::Issuer, version, cuts);
    revocation.issue(&alliance.roster.realm(), &alliance.issuers[0]).expect("issues")
}

pub(super) fn paper(alliance: &Alliance) -> Bytes {
    let revocation = taken_away(RevokedBy::Itself, 0, None);
    revocation.issue(&alliance.roster.realm(), &alliance.nodes[0].secret).expect("issues")
}

pub(super) fn by_roots(alliance: &Alliance, version: u32, cuts: Vec<Cut>) -> Bytes {
    let revocation = taken_away(RevokedBy::Roots, version, Some(cuts));
    let roots: Vec<&SecretKey> = alliance.roots.iter().collect();
    revocation.issue_by_roots(&alliance.roster.realm(), alliance.roster.charter(), &roots).expect("issues")
}

fn stands(cuts: &[(u32, Option<u8>)]) -> Standing {
    let incarnation = a_cut(1, 0).incarnation;
    Standing::Cut(cuts.iter().map(|(number, hash)| (incarnation, (*number, hash.map(|hash| [hash; 16])))).collect())
}

#[test]
fn a_revoked_key_opens_no_link_still_proves_what_it_said_and_is_known_as_revoked() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let key = alliance.nodes[0].secret.public();
    assert_eq!(roster.offer(&revoked(&alliance, 1, Some(vec![a_cut(7, 3)]))), Ok(Offered::New));
    assert_eq!((roster.current(id(1, 1)), roster.node_of_key(&key)), (None, None));
    assert_eq!((roster.key(id(1, 1), FIRST), roster.owner_of_key(&key)), (Some(key), Some((id(1, 1), FIRST))));
    assert!(roster.keys().all(|other| other != key) && roster.members().count() == 4 && roster.nodes().count() == 3);
    let chain = alliance.roster.chain(id(1, 1));
    assert_eq!(roster.admit_chain(&chain, &key, &mut Vec::new()), Err(Rejected::Revoked));
    assert_eq!(roster.standing(id(1, 1), FIRST), stands(&[(7, Some(3))]));
    // A next generation is another key.
    let next = changed(&alliance, |node| (node.generation, node.key) = (SECOND, secret(30).public()));
    assert_eq!(roster.offer(&next), Ok(Offered::New));
    assert_eq!(roster.current(id(1, 1)).map(|node| node.generation), Some(SECOND));
    assert!(roster.is_revoked(id(1, 1), FIRST) && !roster.is_revoked(id(1, 1), SECOND));
}

#[test]
fn only_whoever_gave_a_key_the_roots_and_the_key_itself_take_it_away_and_no_stranger_fills_the_roster() {
    let alliance = alliance();
    let (realm, mut roster) = (alliance.roster.realm(), alliance.roster.clone());
    let before = roster.clone();
    let sign = |revocation: &Revocation, key: &SecretKey| revocation.issue(&realm, key).expect("issues");
    let mut other = taken_away(RevokedBy::Issuer, 1, None);
    assert_eq!(roster.offer(&sign(&other, &alliance.issuers[1])), Err(Rejected::BadSignature), "another firm's issuer");
    assert_eq!(roster.offer(&sign(&other, &alliance.nodes[0].secret)), Err(Rejected::BadSignature), "the key, as its issuer");
    let own = taken_away(RevokedBy::Itself, 0, None);
    assert_eq!(roster.offer(&sign(&own, &alliance.nodes[1].secret)), Err(Rejected::BadSignature), "another node");
    other.node = id(1, 4);
    assert_eq!(roster.offer(&sign(&other, &alliance.issuers[0])), Err(Rejected::Beyond(Beyond::Serial)));
    let few: Vec<&SecretKey> = alliance.roots.iter().take(2).collect();
    let by_few = taken_away(RevokedBy::Roots, 1, Some(Vec::new())).issue_by_roots(&realm, roster.charter(), &few);
    assert_eq!(by_few, Err(CannotIssue::TooFewRoots { have: 2, want: 3 }));
    let thief = SecretKey::from_seed([77; 32]);
    let mut unknown = taken_away(RevokedBy::Issuer, 1, None);
    let template = sign(&unknown, &thief);
    for n in 0..100_000_u32 {
        // Names of strangers and serials nobody may have; what they are signed with does not matter then.
        let (issuer, serial) = if n % 2 == 0 { (9, 1) } else { (1, 60_000) };
        unknown.node = id(issuer, serial + u16::try_from(n % 5_000).expect("small"));
        let body = unknown.body();
        let mut envelope = template.to_vec();
        let at = envelope.windows(4).position(|four| four == id(1, 1).to_bytes()).expect("its name");
        envelope[at..at + 4].copy_from_slice(&unknown.node.to_bytes());
        assert_eq!(open(&envelope).expect("opens").body, body);
        assert!(matches!(roster.offer(&envelope), Err(Rejected::UnknownIssuer | Rejected::Beyond(Beyond::Serial))));
    }
    assert_eq!(roster, before, "100,000 refused, nothing kept");
}

#[test]
fn a_hostile_issuer_gets_no_more_nodes_than_it_was_given() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let wide = changed_issuer(&alliance, 2, |issuer| (issuer.version, issuer.max_nodes) = (2, 50));
    assert_eq!(roster.offer(&wide), Ok(Offered::New));
    let mut certificate = roster.current(id(2, 1)).expect("known").clone();
    let mut taken = BTreeSet::new();
    for n in 0..100_000_u32 {
        certificate.node.serial = u16::try_from(n % 65_536).expect("16 bits");
        certificate.not_before = 20_000 + n / 65_536;
        let envelope = certificate.issue(&roster.realm(), &alliance.issuers[1]).expect("issues");
        if roster.offer(&envelope).is_ok() {
            taken.insert(certificate.node);
        }
    }
    assert_eq!(taken.len(), 50);
    assert!(roster.objects().count() <= alliance.objects.len() + 50);
}

#[test]
fn of_several_cuts_what_all_leave_stands_and_the_roots_have_the_last_word() {
    let alliance = alliance();
    let mut roster = alliance.roster.clone();
    let mut offer = |envelope: &Bytes| roster.offer(envelope).map(|_| roster.standing(id(1, 1), FIRST));
    assert_eq!(offer(&paper(&alliance)), Ok(Standing::InQuestion));
    assert_eq!(offer(&revoked(&alliance, 1, Some(vec![a_cut(9, 1)]))), Ok(stands(&[(9, Some(1))])));
    assert_eq!(offer(&revoked(&alliance, 2, Some(vec![a_cut(5, 2)]))), Ok(stands(&[(5, Some(2))])), "the lower counts");
    assert_eq!(offer(&revoked(&alliance, 3, None)), Ok(stands(&[(5, Some(2))])), "saying nothing raises nothing");
    assert_eq!(offer(&revoked(&alliance, 4, Some(vec![a_cut(5, 3)]))), Ok(stands(&[(4, None)])), "nothing leads into both");
    assert_eq!(offer(&by_roots(&alliance, 1, vec![a_cut(8, 4)])), Ok(stands(&[(8, Some(4))])));
    assert_eq!(offer(&by_roots(&alliance, 2, Vec::new())), Ok(stands(&[])), "nothing stands");
    assert_eq!(offer(&by_roots(&alliance, 1, vec![a_cut(9, 9)])), Err(Rejected::Older));
    let mut none = roster.clone();
    let elsewhere = changed_issuer(&alliance, 1, |issuer| (issuer.version, issuer.key) = (2, secret(90).public()));
    assert_eq!(none.offer(&elsewhere), Ok(Offered::New));
    assert!(none.is_revoked(id(1, 1), FIRST), "what the roots took away stays so when the issuer's key is replaced");
}
