//! Frames that are no frames, greetings that are no greetings.

use super::*;

#[test]
fn frames_cut_anywhere_flipped_anywhere_and_padded_change_nothing_they_should_not() {
    let mut siege = Siege::new();
    let links = three_links(&mut siege);
    siege.pass(Duration::from_secs(5));
    let said = samples(&siege);
    for message in &said {
        let frame = message.to_frame();
        for end in 0..frame.len() {
            for link in links {
                siege.input(Input::Received { link, frame: frame.slice(..end) });
            }
        }
        for at in 0..frame.len() {
            for bits in [0x01, 0x80, 0xFF] {
                let mut bytes = frame.to_vec();
                bytes[at] ^= bits;
                let link = links[at % 3];
                siege.input(Input::Received { link, frame: bytes.into() });
            }
        }
        let mut padded = frame.to_vec();
        padded.push(0);
        assert!(Message::from_frame(&padded).is_err(), "padding must be refused");
        siege.input(Input::Received { link: links[0], frame: padded.into() });
        siege.sent.clear();
        siege.events.clear();
    }
    siege.pass(Duration::from_secs(60));
    assert_signed_only(&mut siege, &said);
}

/// What stood whole in a frame may have been taken, and nothing else: after all of it comes whole, there is no difference to a node
/// that never heard anything else.
fn assert_signed_only(siege: &mut Siege, said: &[Message]) {
    let mut spared = Siege::new();
    three_links(&mut spared);
    spared.pass(Duration::from_secs(5));
    let empty = spared.digest();
    for siege in [&mut *siege, &mut spared] {
        let liar = siege.greeted(50, LIAR);
        for message in said {
            siege.say(liar, message);
        }
        siege.pass(Duration::from_secs(60));
    }
    assert!(spared.digest() != empty && spared.metric("entries") > 0);
    assert_eq!(siege.metric("entries"), spared.metric("entries"));
    assert_eq!(siege.digest(), spared.digest());
}

#[test]
fn empty_oversized_unknown_and_future_frames_are_refused_and_counted() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let digest = siege.digest();
    let before = siege.metric("rejected_total");
    let lying = |kind: u8| [vec![WIRE_VERSION, kind], vec![0xFF; 12]].concat();
    let mut frames = vec![
        Vec::new(),
        vec![WIRE_VERSION],
        vec![WIRE_VERSION, 200],
        vec![WIRE_VERSION, 0xFB, 0xFF, 0xFF],
        vec![WIRE_VERSION + 1, 0, 0],
        vec![0; FRAME_BYTES_MAX + 2],
    ];
    frames.extend((0..24).map(lying));
    // Lengths near u64::MAX in every place a list may begin.
    frames.extend((0..24).flat_map(|kind| {
        (0..6).map(move |skip| {
            let mut frame = vec![WIRE_VERSION, kind];
            frame.extend(vec![1; skip]);
            frame.extend([0xFD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
            frame
        })
    }));
    let count = frames.len() as u64;
    for frame in frames {
        siege.input(Input::Received { link: liar, frame: frame.into() });
    }
    // One of them happens to be a well-made `Same` with a nonce of u64::MAX.
    assert_eq!(siege.metric("rejected_total"), before + count - 1);
    assert_eq!(siege.digest(), digest);
}

#[test]
fn a_hundred_thousand_random_frames_do_no_harm() {
    let mut siege = Siege::new();
    let links = three_links(&mut siege);
    siege.pass(Duration::from_secs(5));
    let mut dice = Dice(0xD1CE);
    let said = samples(&siege);
    let seeds: Vec<Bytes> = said.iter().map(Message::to_frame).collect();
    for round in 0..100_000 {
        let frame = if round % 2 == 0 {
            let len = dice.below(200);
            let mut bytes = dice.bytes(len);
            if let Some(first) = bytes.first_mut() {
                *first = WIRE_VERSION;
            }
            if let Some(kind) = bytes.get_mut(1) {
                *kind %= 18;
            }
            bytes
        } else {
            let mut bytes = seeds[dice.below(seeds.len())].to_vec();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                bytes[at] = (dice.next() & 0xFF) as u8;
            }
            bytes
        };
        siege.input(Input::Received { link: links[round % 3], frame: frame.into() });
        if round % 1_000 == 0 {
            siege.pass(Duration::from_millis(300));
            siege.sent.clear();
            siege.events.clear();
        }
    }
    siege.pass(Duration::from_secs(120));
    assert_signed_only(&mut siege, &said);
    assert!(siege.metric("entries_wanted") == 0 && siege.metric("wants_waiting") == 0, "wants ended");
}

#[test]
fn a_header_with_a_field_of_the_highest_number_is_no_crash() {
    let mut siege = Siege::new();
    let links = three_links(&mut siege);
    for id in [u32::MAX, u32::MAX - 1] {
        let mut extra = Vec::new();
        let mut rest = u64::from(id);
        while rest >= 0x80 {
            extra.push((rest & 0x7F) as u8 | 0x80);
            rest >>= 7;
        }
        extra.extend([rest as u8, 0]);
        // Written by hand: our own writer would refuse to.
        let mut row = siege.entry(LIAR, 1, [0; 16], b"x", |_| {});
        let mut header = row.header.to_vec();
        header.extend(&extra);
        row.header = header.clone().into();
        assert_eq!(Header::parse(&header).is_ok(), id != u32::MAX);
        // On the wire the extra fields travel apart.
        let entry = siege.entry(LIAR, 1, [0; 16], b"x", |header| header.extra = extra.clone().into());
        let mut stripped = entry.clone();
        stripped.header = siege.entry(LIAR, 1, [0; 16], b"x", |_| {}).header;
        let mut frame = Message::Entries { want: None, entries: pack(&[stripped]) }.to_frame().to_vec();
        let signature_at = frame.len() - 64 - 2;
        frame.truncate(signature_at - 1);
        frame.push(extra.len() as u8);
        frame.extend(&extra);
        frame.extend(entry.signature.0);
        frame.extend([1, 0]);
        assert!(Message::from_frame(&frame).is_ok(), "the frame itself is well made");
        for link in links {
            siege.input(Input::Received { link, frame: frame.clone().into() });
        }
    }
}

#[test]
fn nobody_is_somebody_before_a_greeting_and_false_greetings_are_hung_up() {
    let mut siege = Siege::new();
    let silent = siege.link(1, Some(LIAR));
    let rows = siege.logbook(LIAR, 2, 20);
    for message in samples(&siege).into_iter().filter(|message| !matches!(message, Message::Hello { .. })) {
        siege.say(silent, &message);
    }
    siege.say(silent, &Message::Entries { want: None, entries: pack(&rows) });
    assert_eq!(siege.metric("entries"), 0);
    let own = siege.alliance.roster.chain(siege.id(VICTIM));
    let honest = siege.alliance.roster.chain(siege.id(HONEST));
    let foreign = stranger().chain(siege.id(LIAR));
    let drill = alliance(7, RealmKind::Exercise).roster.chain(siege.id(LIAR));
    let long = vec![own[0].clone(); 100];
    for (n, chain) in
        [own, honest, foreign, drill, Vec::new(), long, vec![Bytes::from(vec![0xFF; 60_000])]].into_iter().enumerate()
    {
        let link = siege.link(10 + n as u32, Some(LIAR));
        siege.say(link, &Message::Hello { chain, wall: UtcMillis(0), roster: [0; 16] });
        assert!(siege.hung_up.contains(&link), "chain {n}");
    }
    assert!(!siege.events.iter().any(|event| matches!(event, Event::PeerUp { .. })));
}

#[test]
fn a_stranger_that_only_makes_noise_is_hung_up_before_its_time() {
    let mut siege = Siege::new();
    let silent = siege.link(1, Some(LIAR));
    for _ in 0..1_000 {
        siege.input(Input::Received { link: silent, frame: Bytes::from_static(&[WIRE_VERSION, 99]) });
    }
    assert!(siege.hung_up.contains(&silent));
    assert!(siege.events.len() < 100, "{} events", siege.events.len());
}

#[test]
fn refused_frames_of_a_certified_peer_do_not_flood_the_log() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    for _ in 0..10_000 {
        siege.input(Input::Received { link: liar, frame: Bytes::from_static(&[WIRE_VERSION, 99]) });
    }
    assert!(!siege.hung_up.contains(&liar), "a newer program may say what we don't know");
    assert!(siege.events.len() < 100, "{} events", siege.events.len());
    assert!(siege.metric("rejected_total") >= 10_000);
}

#[test]
fn greeting_again_and_again_changes_nothing_and_two_links_of_one_node_become_one() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let hello = Message::Hello { chain: siege.alliance.roster.chain(siege.id(LIAR)), wall: UtcMillis(i64::MAX), roster: [9; 16] };
    siege.credit = false;
    for _ in 0..5_000 {
        siege.say(liar, &hello);
    }
    assert_eq!(siege.events.iter().filter(|event| matches!(event, Event::PeerUp { .. })).count(), 1);
    assert!(siege.metric("outbox_items") < 4_000);
    siege.credit = true;
    siege.pass(Duration::from_secs(10));
    siege.greeted(2, LIAR);
    assert_eq!(siege.metric("links"), 1);
}
