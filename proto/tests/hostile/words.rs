//! Words, documents, commands and clocks that make no sense.

use super::*;

#[test]
fn addresses_on_boards_can_not_hide_a_configured_address_or_fill_the_book() {
    let mut siege = Siege::new();
    siege.input(Input::Candidate { address: "hub.example:4401".to_owned(), is_static: true });
    siege.input(Input::DialFailed { address: "hub.example:4401".to_owned(), cause: "refused".to_owned() });
    let liar = siege.greeted(1, LIAR);
    for version in 1..200 {
        let contact = vec!["hub.example:4401".to_owned(), format!("10.0.0.{version}:1"), format!("10.0.1.{version}:1")];
        let board = siege.board(LIAR, version, b"", contact);
        siege.say(liar, &Message::Docs { want: None, docs: vec![board] });
    }
    let board = siege.board(OTHER, 1, b"", vec!["other.example:4401".to_owned()]);
    siege.say(liar, &Message::Docs { want: None, docs: vec![board] });
    siege.dialled.retain(|address| address != "hub.example:4401");
    for _ in 0..200 {
        siege.pass(Duration::from_secs(1));
        for address in std::mem::take(&mut siege.dialled) {
            if address == "hub.example:4401" || address == "other.example:4401" {
                siege.replies.clear();
                siege.hung_up.push(LinkId(if address.starts_with("hub") { 7_001 } else { 7_002 }));
            }
            siege.input(Input::DialFailed { address, cause: "x".repeat(100_000) });
        }
    }
    assert!(siege.hung_up.contains(&LinkId(7_001)), "the configured address is still dialled");
    assert!(siege.hung_up.contains(&LinkId(7_002)), "an honest node's address found room");
}

#[test]
fn a_replayed_board_on_the_broadcast_link_does_not_become_young_again() {
    let mut siege = Siege::new();
    let honest = siege.greeted(1, HONEST);
    let broadcast = siege.link(3, None);
    siege.now.wall = UtcMillis(0);
    let board = siege.board(OTHER, 1, b"", Vec::new());
    siege.say(honest, &Message::Docs { want: None, docs: vec![board.clone()] });
    siege.pass(Duration::from_secs(3_600));
    siege.say(broadcast, &Message::Docs { want: None, docs: vec![board] });
    let Answer::Status(view) = siege.node.answer(siege.now, &Question::Status) else { panic!("no status") };
    let other = view.nodes.iter().find(|node| node.id == siege.id(OTHER).to_string()).unwrap();
    assert!(other.age_s.is_none_or(|age| age >= 3_600), "{:?}", other.age_s);
}

#[test]
fn absurd_entries_of_a_certified_author_are_kept_out_or_kept_harmless() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let first = siege.entry(LIAR, 1, [0; 16], b"x", |header| {
        header.urgent = u32::MAX;
        header.wall = UtcMillis(i64::MAX);
        header.class = holdfast_proto::id::Class::FLASH;
    });
    let prev = hash16(&first.header);
    let large = vec![9; BODY_BYTES_MAX + 1];
    let rows = [
        first,
        siege.entry(LIAR, 2, prev, &large, |_| {}),
        siege.entry(LIAR, u32::MAX, [1; 16], b"", |_| {}),
        siege.entry(LIAR, u32::MAX - 1, [1; 16], b"", |_| {}),
        siege.entry(LIAR, 4_096, [1; 16], b"", |_| {}),
        siege.entry(LIAR, 4_097, [1; 16], b"", |_| {}),
    ];
    for row in rows {
        for age in [Some(u64::MAX), Some(0), None] {
            let mut row = row.clone();
            row.age = AgeMark { age_ms: age, at: UtcMillis(i64::MIN) };
            let entry = WireEntry::pack(&row, true, age).unwrap();
            siege.say(liar, &Message::Entries { want: None, entries: vec![entry] });
        }
    }
    assert_eq!(siege.metric("entries"), 2);
    siege.pass(Duration::from_secs(40));
    let _ = siege.node.answer(siege.now, &Question::Status);
}

#[test]
fn contradictions_poured_in_make_one_proof_and_no_queue() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let rows = siege.logbook(LIAR, 5, 9);
    siege.say(liar, &Message::Entries { want: None, entries: pack(&rows) });
    siege.disk = false;
    for n in 0..300_u32 {
        let lie = siege.entry(LIAR, 3, hash16(&rows[1].header), &n.to_be_bytes(), |_| {});
        let proof = (pack(&rows[2..3]).remove(0), pack(std::slice::from_ref(&lie)).remove(0));
        siege.say(liar, &Message::Entries { want: None, entries: pack(&[lie]) });
        siege.say(liar, &Message::Forks { proofs: vec![proof] });
    }
    assert!(siege.metric("store_jobs_waiting") < 20, "{}", siege.metric("store_jobs_waiting"));
}

#[test]
fn boards_poured_in_while_the_disk_is_slow_stay_bounded() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    siege.disk = false;
    for version in 1..=3_000 {
        let board = siege.board(LIAR, version, &[1; 500], Vec::new());
        siege.say(liar, &Message::Docs { want: None, docs: vec![board] });
    }
    assert!(siege.metric("store_jobs_waiting") <= 64, "{}", siege.metric("store_jobs_waiting"));
}

#[test]
fn an_older_board_that_comes_while_a_newer_waits_for_the_disk_does_not_end_up_there() {
    let mut siege = Siege::new();
    let (near, far) = (siege.greeted(1, LIAR), siege.greeted(2, HONEST));
    siege.disk = false;
    for (link, version) in [(near, 7), (far, 6)] {
        let board = siege.board(OTHER, version, &[1; 20], Vec::new());
        siege.say(link, &Message::Docs { want: None, docs: vec![board] });
    }
    siege.disk_answers();
    let before = siege.digest();
    siege.restart();
    assert_eq!(siege.digest(), before, "what it holds is what it keeps");
}

#[test]
fn inputs_out_of_order_are_ignored() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let row = siege.entry(OTHER, 1, [0; 16], b"x", |_| {});
    for n in [0, 1, 2, 3, 500, u64::MAX] {
        siege.input(Input::Persisted { token: n });
        siege.input(Input::PersistFailed { token: n, cause: String::new() });
        siege.input(Input::Fetched { token: n, rows: vec![row.clone(); 3] });
    }
    for link in [liar, LinkId(9), LinkId(u32::MAX)] {
        for room in [0, 1, 31, 32, 63, 64, 65, u32::MAX] {
            siege.input(Input::Writable { link, room });
            siege.say(liar, &Message::Probe { nonce: 1, root: [0; 16], details: [0; 8] });
        }
        siege.input(Input::Audible { link, keys: Vec::new() });
        siege.input(Input::LinkDown { link, cause: "x".to_owned() });
        siege.input(Input::LinkDown { link, cause: "x".to_owned() });
    }
    siege.input(Input::DialFailed { address: "nowhere".to_owned(), cause: String::new() });
    for n in 0..5_000 {
        siege.input(Input::Candidate { address: format!("host{n}:1"), is_static: false });
    }
    siege.input(Input::Candidate { address: "x".repeat(1 << 20), is_static: false });
    let Answer::Peers(view) = siege.node.answer(siege.now, &Question::Peers) else { panic!("no peers") };
    assert!(view.peers.len() < 80);
    for link in 0..400 {
        siege.link(1_000 + link, Some(OTHER));
    }
    assert!(siege.metric("links") <= 128);
    siege.pass(Duration::from_secs(20));
    assert_eq!(siege.metric("links"), 0);
}

#[test]
fn clocks_that_jump_anywhere_break_nothing_and_show_nothing_old_as_new() {
    let mut siege = Siege::new();
    let honest = siege.greeted(1, HONEST);
    let board = siege.board(OTHER, 1, b"", Vec::new());
    siege.say(honest, &Message::Docs { want: None, docs: vec![board] });
    let log = siege.logbook(OTHER, 2, 9);
    siege.say(honest, &Message::Entries { want: None, entries: pack(&log) });
    let start = siege.now;
    siege.pass(Duration::from_secs(7_200));
    for wall in [i64::MIN, -1, 0, 1, i64::MAX, start.wall.0 - 86_400_000, start.wall.0] {
        for mono in [0, u64::MAX / 2, siege.now.mono.0] {
            let now = Now { mono: Instant(mono), wall: UtcMillis(wall) };
            siege.node.handle(now, Input::Wake);
            while siege.node.poll_output().is_some() {}
            for question in [
                Question::Status,
                Question::Requests(holdfast_proto::control::Which::All),
                Question::Peers,
                Question::Digest,
                Question::Metrics,
            ] {
                let answer = siege.node.answer(now, &question);
                if let Answer::Status(view) = answer {
                    let other = view.nodes.iter().find(|node| node.id == siege.id(OTHER).to_string()).unwrap();
                    assert!(other.age_s.is_none_or(|age| age >= 7_000), "{:?} at {wall}", other.age_s);
                }
            }
            let command = Command::RequestNew(RequestNew { items: vec!["water:1".to_owned()], ..Default::default() });
            siege.node.handle(now, Input::Command { id: holdfast_proto::control::CommandId(900_000), command });
            while siege.node.poll_output().is_some() {}
        }
    }
}

#[test]
fn absurd_commands_are_refused_or_saved_and_never_crash() {
    let mut siege = Siege::new();
    let texts = [
        String::new(),
        "\u{0}\u{1b}[31m\u{202e}x".to_owned(),
        "é".repeat(40_000),
        "9".repeat(400),
        "-1".to_owned(),
        "1e308".to_owned(),
        "NaN".to_owned(),
        "18446744073709551616".to_owned(),
        "18446744073709551615".to_owned(),
        "99999999999999999d".to_owned(),
        "water:".to_owned(),
        ":".to_owned(),
        "=".to_owned(),
        "other:=".to_owned(),
        "other:\u{7}=5".to_owned(),
        "water:18446744073709551615".to_owned(),
        "other:x=18446744073709551615".to_owned(),
        "R-".to_owned(),
        "R-ÄÖÜÄÖÜÄ".to_owned(),
        "1-1".to_owned(),
        "65536-1".to_owned(),
        "\u{1F600}".repeat(16),
    ];
    let fields =
        ["operating.status", "power.fuel", "power.burn", "stock.water", "capacity.total", "service.medical", "", "stock.", "x.y"];
    let ats = [None, Some(UtcMillis(i64::MIN)), Some(UtcMillis(i64::MAX)), Some(UtcMillis(0)), Some(UtcMillis(-5))];
    for (n, text) in texts.iter().enumerate() {
        let at = ats[n % ats.len()];
        let some = Some(text.clone());
        let act =
            Act { at, desk: some.clone(), basis: (n % 3 == 0).then(|| text.clone()), valid: (n % 2 == 0).then(|| text.clone()) };
        for field in fields {
            let values = BTreeMap::from([(field.to_owned(), text.clone())]);
            siege.order(Command::Report(Report { values: values.clone(), act: act.clone() }));
            siege.order(Command::Report(Report { values: values.clone(), act: Act { at, ..Act::default() } }));
            siege.order(Command::Observe(Observe { node: "1-2".to_owned(), values, note: some.clone(), act: act.clone() }));
        }
        let wish = RequestNew {
            items: vec![text.clone()],
            priority: some.clone(),
            needed_by: at,
            on_behalf_of: some.clone(),
            to: some.clone(),
            note: some.clone(),
            key: some.clone(),
            act: act.clone(),
        };
        siege.order(Command::RequestNew(wish.clone()));
        siege.order(Command::RequestNew(RequestNew {
            items: vec!["water:1".to_owned()],
            note: some.clone(),
            ..Default::default()
        }));
        siege.order(Command::RequestNew(RequestNew {
            items: vec!["water:1".to_owned()],
            needed_by: at,
            key: some.clone(),
            ..Default::default()
        }));
        siege.order(Command::RequestNew(RequestNew { items: vec!["water:1".to_owned(); 5_000], ..wish }));
        let act = RequestAct { request: text.clone(), version: Some(u32::MAX), reason: some, act };
        siege.order(Command::RequestCancel(act.clone()));
        siege.order(Command::RequestClose(act.clone()));
        siege.order(Command::RequestConfirm(act));
        for question in
            [Question::Request(text.clone()), Question::Delivery(text.clone()), Question::Delivery(format!("e{text}"))]
        {
            let _ = siege.node.answer(siege.now, &question);
        }
        for len in [29, 30, 31] {
            let _ = siege.node.answer(siege.now, &Question::Delivery(format!("e{}", "é".repeat(len / 2))));
        }
    }
    let Answer::Requests(view) = siege.node.answer(siege.now, &Question::Requests(holdfast_proto::control::Which::All)) else {
        panic!("no requests")
    };
    let shown = serde_json::to_string(&view).unwrap();
    assert!(!shown.contains("\\u001b") && !shown.contains('\u{202e}') && !shown.contains("\\u0000"), "control characters shown");
    let Answer::Status(view) = siege.node.answer(siege.now, &Question::Status) else { panic!("no status") };
    let shown = serde_json::to_string(&view).unwrap();
    assert!(!shown.contains("\\u001b") && !shown.contains('\u{202e}') && !shown.contains("\\u0000"), "control characters shown");
}

#[test]
fn ten_thousand_commands_at_once_are_all_answered() {
    let mut siege = Siege::new();
    siege.disk = false;
    let wish = |n: u32| RequestNew { items: vec![format!("water:{}", n + 1)], ..Default::default() };
    let mut refused = 0;
    for n in 0..10_000 {
        if matches!(siege.order(Command::RequestNew(wish(n))), Some(Reply::Refused(_))) {
            refused += 1;
        }
    }
    assert!(siege.metric("commands_waiting") <= COMMANDS_MAX as u64 + 1);
    assert!(refused >= 10_000 - COMMANDS_MAX - 300, "{refused}");
}

#[test]
fn a_stub_or_a_row_of_another_entry_from_the_disk_is_not_served_as_the_one_asked_for() {
    let mut siege = Siege::new();
    let liar = siege.greeted(1, LIAR);
    let rows = siege.logbook(OTHER, 3, 30);
    siege.say(liar, &Message::Entries { want: None, entries: pack(&rows) });
    let mut forged = rows[1].clone();
    forged.signature.0[3] ^= 1;
    siege.rows = vec![holdfast_proto::io::Row::Entry(rows[0].clone()), holdfast_proto::io::Row::Entry(forged)];
    siege.restart();
    let liar = siege.greeted(5, LIAR);
    for id in 1..4 {
        siege.heard(liar);
        let want = Want { id, entries: vec![(siege.log(OTHER), vec![(1, 3)])], ..Want::default() };
        siege.say(liar, &Message::Want(want));
        let heard = siege.heard(liar);
        let ids: Vec<EntryId> = heard
            .iter()
            .flat_map(|message| {
                if let Message::Entries { entries, .. } = message {
                    entries.iter().map(WireEntry::id).collect()
                } else {
                    Vec::new()
                }
            })
            .collect();
        assert_eq!(ids, vec![rows[0].id], "asked the {id}. time");
    }
}
