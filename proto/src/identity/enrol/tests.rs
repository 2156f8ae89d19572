//! A PC joins: both ends of the talk, and whoever stands between them.

use super::*;
use crate::identity::{
    Alliance, AlliancePlan, FirmPlan, NodePlan, Offered, RealmKind, Reason, Revocation, RevokedBy, found_alliance,
};

fn alliance() -> Alliance {
    let node = NodePlan {
        name: "復興店".to_owned(),
        role: Role::Store,
        region: Region::from_code("TPE").expect("in the table"),
        tier: 1,
    };
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: vec![node] }];
    let plan = AlliancePlan { seed: [4; 32], kind: RealmKind::Exercise, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).expect("issues")
}

fn code() -> Code {
    Code::new([7, 23, 4, 19, 20, 2, 29])
}

/// Not made of a code, which takes its time.
const KEY: CodeKey = CodeKey::from_bytes([5; 32]);

/// Everything said in one good talk, host and PC in turn; `between` may change each document on its way.
fn talk(between: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Result<(Roster, Bytes), (usize, Broken)> {
    let alliance = alliance();
    let secret = &alliance.nodes[0].secret;
    let (mut pc, mut host) = (Talk::new(KEY), Talk::new(KEY));
    let at = |place: usize| move |broken| (place, broken);

    let ask = between(1, pc.ask(secret.public(), [1; 16]));
    let asked = host.asked(&ask).map_err(at(1))?;
    assert_eq!(invitation_of(&ask), Some(KEY.name()));
    let offer = Offer {
        objects: alliance.objects[..2].to_vec(),
        node: alliance.nodes[0].node,
        called: "復興店".to_owned(),
        role: Role::Store,
        region: Region::from_code("TPE").expect("in the table"),
        nonce: [2; 16],
    };
    let offered = pc.offered(&between(2, host.offer(&offer))).map_err(at(2))?;
    assert_eq!(offered, offer);
    let mut roster = roster_of(&offered.objects).unwrap_or_else(|why| panic!("stands: {why:?}"));
    let issuer = roster.issuer(1).unwrap_or_else(|| panic!("held")).key;
    let own = Ask { name: KEY.name(), key: secret.public(), nonce: [1; 16] };
    assert_eq!(words_of(&roster.realm(), &own, &issuer, &offered), words_of(&roster.realm(), &asked, &issuer, &offer));

    host.is_same(&between(3, pc.same())).map_err(at(3))?;
    let welcome = Welcome {
        objects: vec![alliance.nodes[0].envelope.clone()],
        peers: vec!["192.0.2.10:4401".to_owned()],
        home_hub: Some(NodeId { issuer: 1, serial: 2 }),
    };
    let welcomed = pc.welcomed(&between(4, host.welcome(&welcome))).map_err(at(4))?;
    assert_eq!(welcomed, welcome);
    assert_eq!(roster.offer_all(&welcomed.objects).refused, []);
    let paper = Revocation {
        node: offered.node,
        generation: alliance.nodes[0].generation,
        by: RevokedBy::Itself,
        version: 0,
        charter: 0,
        reason: Reason::Stolen,
        cuts: None,
    };
    let paper = paper.issue(&roster.realm(), secret).unwrap_or_else(|why| panic!("signs: {why:?}"));
    let kept = host.is_done(&between(5, pc.done(&paper))).map_err(at(5))?;
    Ok((roster, kept))
}

#[test]
fn a_pc_and_its_host_come_to_the_same_roster_words_and_paper() {
    let (mut roster, paper) = talk(|_, document| document).expect("joined");
    assert_eq!(roster.nodes().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["復興店"]);
    assert_eq!(roster.offer(&paper), Ok(Offered::New));
    assert_eq!(roster.nodes().count(), 0, "the paper ends the key");
}

#[test]
fn whatever_is_changed_on_the_way_is_noticed_at_once() {
    for place in 1..=5 {
        for at in 0..40 {
            for flip in [1, 0x80] {
                let changed = talk(|now, mut document| {
                    let length = document.len();
                    if now == place
                        && let Some(byte) = document.get_mut(at * length / 40)
                    {
                        *byte ^= flip;
                    }
                    document
                });
                let (noticed, broken) = changed.expect_err("noticed");
                assert!(noticed == place && broken != Broken::Refused(Refused::Unknown), "{place} {at}: {noticed} {broken:?}");
            }
        }
        let (noticed, _) = talk(|now, document| if now == place { document[..document.len() - 1].to_vec() } else { document })
            .expect_err("cut short");
        assert_eq!(noticed, place);
    }
}

#[test]
fn nothing_said_without_the_code_or_in_another_talk_is_taken() {
    let (key, wrong) = (KEY, CodeKey::from_bytes([6; 32]));
    let mut host = Talk::new(key);
    let stranger = Talk::new(wrong).ask(PublicKey([1; 32]), [1; 16]);
    assert_eq!(host.asked(&stranger), Err(Broken::Forged));
    // The host still hears who knows it; what was sealed in an earlier talk fits no later one.
    let mut pc = Talk::new(key);
    let ask = pc.ask(PublicKey([1; 32]), [1; 16]);
    let mut earlier = Talk::new(key);
    earlier.asked(&ask).expect("good");
    let same_of_another = {
        let mut other = Talk::new(key);
        let _ask = other.ask(PublicKey([2; 32]), [9; 16]);
        other.same()
    };
    assert_eq!(earlier.is_same(&same_of_another), Err(Broken::Forged));
    assert_eq!(host.asked(&ask).map(|ask| ask.key), Ok(PublicKey([1; 32])));
    assert_eq!(host.asked(&ask), Err(Broken::Forged), "the same again");
}

#[test]
fn a_refusal_is_heard_with_its_reason_by_whoever_waits() {
    for why in Refused::ALL {
        let mut pc = Talk::new(KEY);
        let _ask = pc.ask(PublicKey([1; 32]), [1; 16]);
        assert_eq!(pc.offered(&why.document()), Err(Broken::Refused(why)));
    }
    for noise in [&[][..], &[0], &[1, 1, 2], &[0xff; 40]] {
        assert_eq!(Talk::new(KEY).offered(noise), Err(Broken::Malformed));
    }
}

#[test]
fn codes_are_read_as_people_type_them_and_slips_are_noticed() {
    let code = code();
    let shown = code.to_string();
    assert_eq!(shown, "7Q4K-M2X2");
    for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), " 7q4k m2x2 ".to_owned()] {
        assert_eq!(typed.parse::<Code>(), Ok(code), "{typed}");
    }
    let zeros = Code::new([0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(zeros.to_string().replace('0', "o").replace('1', "l").parse::<Code>(), Ok(zeros));
    assert_eq!("7Q4K-M2X".parse::<Code>(), Err(NotACode::Length(7)));
    assert_eq!("".parse::<Code>(), Err(NotACode::Length(0)));
    assert_eq!("7Q4K-M2X!".parse::<Code>(), Err(NotACode::Symbol('!')));
    let symbols: Vec<char> = shown.chars().filter(|c| *c != '-').collect();
    for place in 0..symbols.len() - 1 {
        let mut swapped = symbols.clone();
        swapped.swap(place, place + 1);
        assert_eq!(swapped.iter().collect::<String>().parse::<Code>(), Err(NotACode::Check), "{place}");
    }
}

/// Frozen: other builds must come to the same.
#[test]
fn code_name_and_words_stay_what_they_are() {
    let key = code().key();
    let name: String = key.name().iter().map(|byte| format!("{byte:02x}")).collect();
    let words = check_words([3; 32]).map(|word| word.en);
    assert_eq!((name.as_str(), words), ("9f6ef7a4814b5dc5", ["harbour", "train", "tomato"]));
}
