//! Too much of anything, from peers that ask, promise, announce and claim.

use super::*;

#[test]
fn a_liar_can_not_end_or_prolong_what_was_asked_of_another() {
    let mut siege = Siege::new();
    let (honest, liar) = (siege.greeted(1, HONEST), siege.greeted(2, LIAR));
    siege.heard(honest);
    let claim = leaves(leaf(&siege, OTHER, 50, Vec::new()));
    siege.say(honest, &claim);
    let want = siege.wants(honest).pop().expect("asked");
    // Ends the other's want: what was asked must neither be forgotten nor stay asked for ever.
    siege.say(liar, &Message::Done { id: want.id });
    assert_eq!(siege.metric("entries_wanted"), 50);
    // Prolongs it with entries nobody asked it for.
    let rows = siege.logbook(LIAR, 30, 10);
    for row in rows {
        siege.pass(Duration::from_millis(100));
        siege.say(liar, &Message::Entries { want: Some(want.id), entries: pack(&[row]) });
    }
    assert_eq!(siege.metric("entries_wanted"), 0, "the want ran out");
}

#[test]
fn who_promises_entries_and_never_sends_them_is_not_asked_first_for_ever() {
    let mut siege = Siege::new();
    let rows = siege.logbook(OTHER, 20, 20);
    let (honest, liar) = (siege.greeted(1, HONEST), siege.greeted(2, LIAR));
    let claim = leaves(leaf(&siege, OTHER, 20, Vec::new()));
    let mut asked = false;
    for _ in 0..400 {
        siege.say(liar, &claim);
        siege.say(honest, &claim);
        if siege.wants(honest).iter().any(|want| !want.entries.is_empty()) {
            asked = true;
            siege.say(honest, &Message::Entries { want: None, entries: pack(&rows) });
            break;
        }
        siege.pass(Duration::from_millis(50));
    }
    assert!(asked, "the honest neighbour was never asked");
}

#[test]
fn a_forged_entry_does_not_stop_the_search_for_the_real_one() {
    let mut siege = Siege::new();
    let rows = siege.logbook(OTHER, 1, 20);
    let (honest, liar) = (siege.greeted(1, HONEST), siege.greeted(2, LIAR));
    let broadcast = siege.link(3, None);
    siege.heard(honest);
    siege.say(honest, &Message::Have { entries: vec![(siege.log(OTHER), vec![1])], docs: Vec::new() });
    let mut forged = rows[0].clone();
    forged.signature.0[0] ^= 1;
    siege.say(liar, &Message::Entries { want: None, entries: pack(&[forged.clone()]) });
    siege.say(broadcast, &Message::Entries { want: None, entries: pack(&[forged]) });
    siege.pass(Duration::from_millis(100));
    assert_eq!(siege.wants(honest).len(), 1);
}

#[test]
fn a_want_for_everything_a_thousand_times_is_answered_within_bounds() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let rows = siege.logbook(OTHER, 300, 400);
    for some in rows.chunks(50) {
        siege.say(liar, &Message::Entries { want: None, entries: pack(some) });
    }
    let board = siege.board(OTHER, 1, &[7; 600], Vec::new());
    siege.say(liar, &Message::Docs { want: None, docs: vec![board] });
    assert_eq!(siege.metric("entries"), 300);
    siege.sent.clear();
    siege.credit = false;
    siege.input(Input::Writable { link: liar, room: 0 });
    let log = siege.log(OTHER);
    let others = (0..2_000).map(|n| (nowhere(n), vec![(0, u32::MAX)]));
    let entries: Vec<_> = std::iter::once((log, vec![(0, u32::MAX); 500])).chain(others).collect();
    let want = Want { id: 5, since: None, entries, docs: vec![(siege.id(OTHER), DocKind::Board); 9_000], forks: vec![log; 500] };
    let frame = Message::Want(want).to_frame();
    assert!(frame.len() < FRAME_BYTES_MAX);
    for _ in 0..1_000 {
        siege.input(Input::Received { link: liar, frame: frame.clone() });
    }
    siege.credit = true;
    siege.input(Input::Writable { link: liar, room: 200_000 });
    siege.pass(Duration::from_secs(5));
    let bytes: usize = siege.sent.iter().map(|(_, frame)| frame.len()).sum();
    assert!(bytes < 16 << 20, "{bytes} bytes out");
}

#[test]
fn digests_asked_in_loops_by_a_peer_that_does_not_read_stay_bounded() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    siege.credit = false;
    siege.input(Input::Writable { link: liar, room: 0 });
    let buckets = Message::Buckets { roster: [1; 16], hashes: vec![[1; 8]; 256] };
    let odd = Message::Leaves { count: u16::MAX, answer: vec![1; 9], leaves: Vec::new() };
    let many = Message::Leaves { count: 256, answer: vec![u16::MAX; 20_000], leaves: Vec::new() };
    let list = Message::RosterList { from: [0; 16], to: None, hashes: Vec::new(), answer: true };
    let details = Message::Details { answer: true, leaves: Vec::new() };
    let probe = Message::Probe { nonce: 4, root: [9; 16], details: [1; 8] };
    let changed = Message::Changed { base: [1; 8], roster: [1; 8], answer: true, changes: absurd(&siege) };
    let frames: Vec<Bytes> = [buckets, odd, many, list, details, probe, changed].iter().map(Message::to_frame).collect();
    for _ in 0..2_000 {
        for frame in &frames {
            siege.input(Input::Received { link: liar, frame: frame.clone() });
        }
    }
    assert!(siege.metric("outbox_items") < 2_000, "{}", siege.metric("outbox_items"));
    siege.credit = true;
    siege.input(Input::Writable { link: liar, room: 200_000 });
    let bytes: usize = siege.sent.iter().map(|(_, frame)| frame.len()).sum();
    assert!(bytes < 4 << 20, "{bytes} bytes out");
}

#[test]
fn a_peer_that_lies_about_what_changed_since_both_agreed_gains_nothing() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let rows = siege.logbook(OTHER, 300, 4);
    siege.say(liar, &Message::Entries { want: None, entries: pack(&rows) });
    // It claims to be equal, whatever it holds: from now on that state has a name between the two.
    siege.pass(Duration::from_secs(3));
    let probe = |message| if let Message::Probe { nonce, .. } = message { Some(nonce) } else { None };
    let nonce = siege.heard(liar).into_iter().filter_map(probe).next_back().unwrap();
    siege.say(liar, &Message::Same { nonce });
    let digest = siege.digest();
    let base: [u8; 8] = std::array::from_fn(|n| u8::from_str_radix(&digest[2 * n..2 * n + 2], 16).unwrap());
    let changed = Message::Changed { base, roster: [1; 8], answer: true, changes: absurd(&siege) };
    for _ in 0..300 {
        siege.say(liar, &changed);
    }
    let heard = siege.heard(liar);
    let told = heard.iter().filter(|message| matches!(message, Message::Changed { .. })).count();
    assert_eq!(told, 1, "our side of it is told once, however often it asks");
    let wants: Vec<&Want> = heard.iter().filter_map(|m| if let Message::Want(want) = m { Some(want) } else { None }).collect();
    assert!(wants.iter().any(|want| want.since.is_some() || !want.entries.is_empty()), "what it promises is asked for");
    assert!(wants.len() <= 64, "{} wants", wants.len());
    // A want in the short form costs no more than one in the long form.
    siege.sent.clear();
    for id in 0..100 {
        let want = Want { id, since: Some((base, everybody(0))), ..Want::default() };
        siege.say(liar, &Message::Want(want));
    }
    siege.pass(Duration::from_secs(5));
    let bytes: usize = siege.sent.iter().map(|(_, frame)| frame.len()).sum();
    assert!(bytes < 8 << 20, "{bytes} bytes out");
    assert_eq!(siege.digest(), digest);
    // An honest neighbour is served and believed as before.
    let honest = siege.greeted(2, HONEST);
    let more = siege.logbook(HONEST, 3, 4);
    siege.say(honest, &Message::Entries { want: None, entries: pack(&more) });
    assert_eq!(siege.metric("entries"), 303);
}

#[test]
fn leaves_with_absurd_ranges_cost_little_and_ask_for_little() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let rows = siege.logbook(OTHER, 800, 4);
    for some in rows.chunks(200) {
        siege.say(liar, &Message::Entries { want: None, entries: pack(some) });
    }
    let held = leaf(&siege, OTHER, 0, vec![(1, 800); 10_000]);
    let high = leaf(&siege, OTHER, u32::MAX, vec![(1, u32::MAX); 5_000]);
    let mut floors = leaf(&siege, OTHER, u32::MAX, vec![(u32::MAX, u32::MAX), (0, u32::MAX)]);
    floors.logs[0].floor = u32::MAX;
    let every_other = leaf(&siege, HONEST, 0, (1..9_000).map(|n| (n * 2, 1)).collect());
    let mut many = leaf(&siege, HONEST, 0, Vec::new());
    let log = many.logs[0].clone();
    many.logs = (0..1_500)
        .map(|n| LogLeaf { head: u32::MAX, incarnation: Incarnation { count: n, random: 1 }, frozen: Some(1), ..log.clone() })
        .collect();
    for leaf in [held, high, floors, every_other, many] {
        for _ in 0..20 {
            siege.say(liar, &leaves(leaf.clone()));
            siege.pass(Duration::from_millis(10));
        }
    }
    assert!(siege.metric("entries_wanted") <= 65_536 && siege.metric("wants_waiting") <= 64);
    siege.pass(Duration::from_secs(60));
    assert_eq!((siege.metric("entries_wanted"), siege.metric("wants_waiting")), (0, 0));
}

#[test]
fn announcements_of_what_can_not_exist_do_not_crowd_out_real_ones() {
    let mut siege = Siege::new();
    let (honest, liar) = (siege.greeted(1, HONEST), siege.greeted(2, LIAR));
    siege.heard(honest);
    for n in 0..30 {
        let entries = (0..3_000).map(|m| (nowhere(n * 3_000 + m), vec![u32::MAX, 1, 2])).collect();
        siege.say(liar, &Message::Have { entries, docs: Vec::new() });
    }
    for n in 0..3_000 {
        let docs = vec![DocName { author: NodeId { issuer: 9, serial: n }, kind: DocKind::Board, order: order(u32::MAX) }];
        siege.say(liar, &Message::Have { entries: Vec::new(), docs });
    }
    assert!(siege.metric("wants_waiting") <= 128, "{}", siege.metric("wants_waiting"));
    siege.say(honest, &Message::Have { entries: vec![(siege.log(OTHER), vec![1])], docs: Vec::new() });
    siege.pass(Duration::from_millis(70));
    let found = siege.wants(honest).iter().any(|want| want.entries.iter().any(|(log, _)| *log == siege.log(OTHER)));
    assert!(found, "the real announcement was pulled");
    siege.pass(Duration::from_secs(60));
    assert_eq!((siege.metric("entries_wanted"), siege.metric("grafts_waiting")), (0, 0));
}

#[test]
fn a_neighbour_that_only_claims_to_know_our_words_can_not_make_us_start_anew() {
    let mut siege = Siege::new();
    siege.order(Command::RequestNew(RequestNew { items: vec!["water:4".to_owned()], ..Default::default() }));
    let opened = |siege: &Siege| siege.events.iter().filter(|event| matches!(event, Event::Incarnation { .. })).count();
    assert_eq!(opened(&siege), 1);
    for round in 0..10 {
        siege.restart();
        let liar = siege.greeted(100 + round, LIAR);
        let Some(Event::Incarnation { .. }) = siege.events.iter().find(|event| matches!(event, Event::Incarnation { .. })) else {
            panic!("opened")
        };
        let mut lie = leaf(&siege, VICTIM, 4_000, vec![(u32::MAX, u32::MAX)]);
        let log = lie.logs[0].clone();
        for count in [0, 1, 2, u16::MAX] {
            lie.logs.push(LogLeaf { incarnation: Incarnation { count, random: u16::MAX }, ..log.clone() });
        }
        siege.say(liar, &leaves(lie));
        let reply = siege.order(Command::RequestNew(RequestNew { items: vec!["rice:4".to_owned()], ..Default::default() }));
        drop(reply);
        siege.pass(Duration::from_secs(5));
    }
    assert_eq!(opened(&siege), 1, "all of it stands in one logbook");
    assert_eq!(siege.metric("entries_written_total"), 1);
    assert_eq!(siege.metric("commands_waiting"), 0);
}

#[test]
fn entries_in_our_own_name_are_refused_when_forged_and_stop_the_writing_when_real() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    siege.order(Command::RequestNew(RequestNew { items: vec!["water:4".to_owned()], ..Default::default() }));
    let mut forged = siege.logbook(VICTIM, 2, 9);
    for row in &mut forged {
        row.signature = siege.sign(LIAR, holdfast_proto::identity::Tag::Entry, &row.header);
    }
    siege.say(liar, &Message::Entries { want: None, entries: pack(&forged) });
    assert!(!siege.events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    let mut real = siege.logbook(VICTIM, 1, 9);
    real[0] = siege.entry(VICTIM, 1, [0; 16], b"x", |header| header.id.log.incarnation.count = 9);
    siege.say(liar, &Message::Entries { want: None, entries: pack(&real) });
    assert!(siege.events.iter().any(|event| matches!(event, Event::Stopped { .. })));
    let reply = siege.order(Command::RequestNew(RequestNew { items: vec!["water:4".to_owned()], ..Default::default() }));
    assert!(matches!(reply, Some(Reply::Refused(_))));
}

#[test]
fn absurd_receipts_count_for_the_liar_only_and_never_beyond_what_was_written() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let doc = DocName { author: siege.id(VICTIM), kind: DocKind::Board, order: order(u32::MAX) };
    let ours = siege.log(VICTIM);
    let lie = |n: u32| {
        let incarnation = Incarnation { count: n as u16, random: 3 };
        (LogId { incarnation, ..ours }, u32::MAX)
    };
    siege.say(liar, &Message::Held { heads: (0..3_000).map(lie).collect(), docs: vec![doc] });
    let saved = siege.order(Command::RequestNew(RequestNew { items: vec!["water:4".to_owned()], ..Default::default() }));
    let Some(Reply::Saved(saved)) = saved else { panic!("{saved:?}") };
    assert_eq!(saved.delivery.neighbours, 0);
    let values = BTreeMap::from([("operating.status".to_owned(), "open".to_owned())]);
    let Some(Reply::Saved(saved)) = siege.order(Command::Report(Report { values, act: Act::default() })) else {
        panic!("refused")
    };
    assert_eq!(saved.delivery.neighbours, 0);
}
