//! How much one member or a stranger may make a node keep and pass on. The figures are those of the threats they answer (T8, T10, T27).

use holdfast_proto::codec::canonical::Writer;
use holdfast_proto::config::{FACTS_MAX, HEADER_BYTES_MAX, QUOTA_BURST, QUOTA_SPARE, WINDOW_STORE};
use holdfast_proto::identity::{Reason, Revocation, RevokedBy, SecretKey};
use holdfast_proto::io::Row;

use super::attack::alliance_of;
use super::*;

/// A body of requests, as many as fit, each under a key of its own.
fn requests(number: u32) -> Vec<u8> {
    let facts = (0..FACTS_MAX as u64).map(|place| {
        let mut line = Writer::new();
        line.text(1, "water").uint(3, 1);
        let key = u64::from(number) * FACTS_MAX as u64 + place;
        let mut fact = Writer::new();
        fact.uint(0, 1).uint(8, 2).list(9, [line.finish()]).bytes(14, &key.to_be_bytes());
        fact.finish()
    });
    let mut body = Writer::new();
    body.list(1, facts);
    body.finish()
}

/// Bytes that the disk holds of an author's entries, and how many they are.
fn on_disk(siege: &Siege, author: usize) -> (usize, usize) {
    let author = siege.id(author);
    let entries = siege.rows.iter().filter_map(|row| if let Row::Entry(row) = row { Some(row) } else { None });
    let bytes =
        entries.filter(|row| row.id.log.author == author).map(|row| row.header.len() + row.body.as_ref().map_or(0, Bytes::len));
    bytes.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes))
}

fn entries(messages: Vec<Message>) -> Vec<WireEntry> {
    let entries =
        messages.into_iter().filter_map(|said| if let Message::Entries { entries, .. } = said { Some(entries) } else { None });
    entries.flatten().collect()
}

#[test]
fn a_million_keys_by_one_member_are_held_to_its_window_and_delay_nobody() {
    let mut siege = Siege::new();
    let (liar, honest) = (siege.greeted(1, LIAR), siege.greeted(2, HONEST));
    siege.heard(honest);
    let mut prev = [0; 16];
    for number in 1..=1_000_000 / FACTS_MAX as u32 {
        let row = siege.entry(LIAR, number, prev, &requests(number), |_| {});
        prev = hash16(&row.header);
        siege.say(liar, &Message::Entries { want: None, entries: pack(&[row]) });
    }
    let (count, bytes) = on_disk(&siege, LIAR);
    assert_eq!(count, WINDOW_STORE as usize, "those of the first window; the rest is refused unread");
    assert!(bytes <= WINDOW_STORE as usize * (BODY_BYTES_MAX + HEADER_BYTES_MAX), "{bytes}");
    let passed_on = entries(siege.heard(honest)).len();
    assert_eq!(passed_on, (QUOTA_BURST + QUOTA_SPARE) as usize, "no more than its rate and what all may say beyond theirs");
    let [help] = siege.logbook(OTHER, 1, 40).try_into().unwrap();
    siege.say(liar, &Message::Entries { want: None, entries: pack(&[help]) });
    assert_eq!(entries(siege.heard(honest)).len(), 1, "another's word, even by the liar's hand, goes on at once");
    siege.pass(Duration::from_secs(120));
    assert_eq!(on_disk(&siege, LIAR), (count, bytes));
}

#[test]
fn revocations_of_strangers_in_any_number_are_neither_kept_nor_passed_on_and_real_ones_come_through() {
    const REAL: usize = 200;
    const FALSE_EACH: u32 = 500;
    let mut siege = Siege::of(alliance_of(4 + REAL as u16, 7, RealmKind::Simulation));
    let (liar, honest, other) = (siege.greeted(1, LIAR), siege.greeted(2, HONEST), siege.greeted(3, OTHER));
    let realm = siege.alliance.roster.realm();
    let of = |node: NodeId, key: &SecretKey| {
        let (generation, reason) = (first_generation(), Reason::Stolen);
        Revocation { node, generation, by: RevokedBy::Issuer, version: 1, charter: 0, reason, cuts: None }
            .issue(&realm, key)
            .unwrap()
    };
    let (thief, rows) = (SecretKey::from_seed([77; 32]), siege.rows.len());
    siege.heard(other);
    for n in 0..REAL {
        // Names of strangers and serials nobody may have: 100,000 in all.
        let strange =
            |n: u32| if n.is_multiple_of(2) { NodeId { issuer: 9, serial: 1 } } else { NodeId { issuer: 1, serial: 60_000 } };
        let template = of(siege.id(LIAR), &thief);
        let at = template.windows(4).position(|four| four == siege.id(LIAR).to_bytes()).unwrap();
        let objects = (0..FALSE_EACH).map(|place| {
            let mut name = strange(place);
            name.serial += (place % 5_000) as u16;
            let mut envelope = template.to_vec();
            envelope[at..at + 4].copy_from_slice(&name.to_bytes());
            Bytes::from(envelope)
        });
        siege.say(liar, &Message::Roster { objects: objects.collect() });
        let real = of(siege.id(4 + n), &siege.alliance.issuers[0]);
        siege.say(honest, &Message::Roster { objects: vec![real] });
    }
    assert!(siege.metric("rejected_total") >= u64::from(FALSE_EACH) * REAL as u64);
    let kept = siege.rows.iter().skip(rows).filter(|row| matches!(row, Row::Roster { .. })).count();
    assert_eq!(kept, REAL, "the real ones are kept, and nothing else");
    let said = siege.heard(other);
    let passed_on = said.iter().filter_map(|said| if let Message::Roster { objects } = said { Some(objects) } else { None });
    let passed_on: Vec<&Bytes> = passed_on.flatten().collect();
    assert_eq!(passed_on.len(), REAL, "and passed on at once, each of them once");
    for n in 0..REAL {
        assert!(passed_on.contains(&&of(siege.id(4 + n), &siege.alliance.issuers[0])));
    }
}

#[test]
fn recorded_traffic_played_a_hundred_times_changes_nothing_and_goes_nowhere() {
    let mut siege = Siege::new();
    let (honest, other) = (siege.greeted(1, HONEST), siege.greeted(2, OTHER));
    let broadcast = siege.link(3, None);
    let mut recorded = Vec::new();
    for (who, prev) in [(HONEST, 60), (OTHER, 40)] {
        let rows = siege.logbook(who, prev, 60);
        let names = rows.iter().map(|row| row.id.number).collect();
        recorded.extend(rows.chunks(5).map(|rows| Message::Entries { want: None, entries: pack(rows) }));
        recorded.push(Message::Have { entries: vec![(siege.log(who), names)], docs: Vec::new() });
        for version in 1..=9 {
            recorded.push(Message::Docs { want: None, docs: vec![siege.board(who, version, &[], Vec::new())] });
        }
    }
    recorded.push(Message::Roster { objects: siege.alliance.objects.clone() });
    for message in &recorded {
        siege.say(honest, message);
    }
    siege.pass(Duration::from_secs(60));
    let liar = siege.greeted(4, LIAR);
    let (digest, rows) = (siege.digest(), siege.rows.len());
    siege.sent.clear();
    let mut played = 0;
    for _ in 0..100 {
        for message in &recorded {
            played += message.to_frame().len();
            siege.say(liar, message);
            siege.say(broadcast, message);
        }
    }
    assert_eq!((siege.digest(), siege.rows.len()), (digest, rows));
    let bytes = |siege: &Siege, link: LinkId| {
        siege.sent.iter().filter(|(to, _)| *to == link).map(|(_, frame)| frame.len()).sum::<usize>()
    };
    assert_eq!([honest, other, broadcast].map(|link| bytes(&siege, link)), [0; 3], "nothing is passed on");
    assert!(
        bytes(&siege, liar) * 20 < played,
        "and what the player hears is next to nothing: {} of {played}",
        bytes(&siege, liar)
    );
}
