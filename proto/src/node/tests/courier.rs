//! Files that somebody carries: what no link brings comes whole, proves itself like any word, and twice does no harm.

use bytes::Bytes;
use data_encoding::BASE64;
use proptest::prelude::*;

use super::*;
use crate::control::{CourierIn, CourierOut, CourierTaken};
use crate::message::courier::{Chain, Cutter, FORMAT, Head, MAGIC, Part, Reader};

impl World {
    /// The file that a host writes for another.
    fn file(&mut self, n: usize, to: usize) -> Vec<u8> {
        let (mut file, mut after) = (Vec::new(), None);
        loop {
            let to = self.alliance.nodes[to].node.to_string();
            let Reply::CourierOut(piece) = self.order(n, Command::CourierOut(CourierOut { to, after, most: None })) else {
                panic!("refused")
            };
            file.extend(BASE64.decode(piece.piece.as_bytes()).unwrap());
            after = piece.next;
            if after.is_none() {
                return file;
            }
        }
    }

    fn hand(&mut self, n: usize, piece: &[u8], carried_s: Option<u64>) -> Reply {
        self.order(n, Command::CourierIn(CourierIn { piece: BASE64.encode(piece), carried_s }))
    }

    /// All of a file, piece by piece.
    fn read(&mut self, n: usize, file: &[u8]) -> Vec<CourierTaken> {
        let mut cutter = Cutter::default();
        cutter.push(file);
        let mut pieces = Vec::new();
        while let Ok(Some(piece)) = cutter.next_piece() {
            pieces.push(piece);
        }
        pieces.extend(cutter.last_piece());
        let taken = pieces.into_iter().map(|piece| match self.hand(n, &piece, None) {
            Reply::CourierIn(taken) => *taken,
            other => panic!("{other:?}"),
        });
        taken.collect()
    }
}

fn new(taken: &[CourierTaken]) -> u64 {
    taken.iter().map(|piece| piece.new.all()).sum()
}

fn refused(reply: &Reply) -> &str {
    match reply {
        Reply::Refused(refusal) => &refusal.code,
        other => panic!("{other:?}"),
    }
}

/// The frames of a file and its head.
fn opened(file: &[u8]) -> (Head, Vec<Bytes>) {
    let mut reader = Reader::default();
    reader.push(file);
    let Ok(Some(Part::Head(head))) = reader.next_part() else { panic!("no head") };
    let mut frames = Vec::new();
    while let Ok(Some(Part::Word(frame))) = reader.next_part() {
        frames.push(frame);
    }
    (head, frames)
}

fn closed(head: &Head, frames: &[Bytes]) -> Vec<u8> {
    let mut file = head.to_bytes();
    let mut chain = Chain::after(&file);
    frames.iter().for_each(|frame| file.extend(chain.record(frame)));
    file.extend(chain.end());
    file
}

/// Two firms of two nodes each; the second of each is a hub.
fn two_firms() -> Alliance {
    let node = |name: &str, role| NodePlan { name: name.to_owned(), role, region: Region::from_code("TPE").unwrap(), tier: 2 };
    let firm = |firm: &str, names: [&str; 2]| FirmPlan {
        firm: firm.to_owned(),
        nodes: vec![node(names[0], Role::Store), node(names[1], Role::Store)],
    };
    let firms = vec![firm("Example Mart", ["A", "B"]), firm("Sample Foods", ["C", "D"])];
    let plan = AlliancePlan { seed: [9; 32], kind: RealmKind::Simulation, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).unwrap()
}

#[test]
fn two_that_never_shared_a_network_are_equal_after_a_file_each_way() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(5));
    let saved = world.request(0, "water:40", None);
    world.report(1, "operating.status", "open");
    let there = world.file(0, 1);
    let taken = world.read(1, &there);
    assert_eq!((taken[0].new.entries, taken[0].new.boards), (1, 1), "{taken:?}");
    assert_eq!(taken[0].from.name, "Node 1");
    // The hub acknowledges what was asked of it, and the answer goes back by hand too.
    world.pass(Duration::from_secs(120));
    assert_eq!(world.requests(1)[0].status, "acknowledged");
    let back = world.file(1, 0);
    assert!(new(&world.read(0, &back)) >= 2);
    assert_eq!(world.requests(0)[0].status, "acknowledged");
    assert_eq!(world.requests(0)[0].request, saved.id.unwrap());
    let digests = world.digests();
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn the_same_file_again_brings_nothing_new_and_says_so() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(5));
    world.request(0, "water:40", None);
    let file = world.file(0, 1);
    let first = world.read(1, &file);
    let before = world.digests();
    let again = world.read(1, &file);
    assert!(new(&first) > 0 && new(&again) == 0, "{again:?}");
    assert_eq!(again[0].held, first[0].held + new(&first), "{again:?}");
    assert!(again[0].refused.is_empty() && !again[0].again);
    assert_eq!(world.digests(), before);
}

#[test]
fn many_words_go_out_in_pieces_and_are_whole_together() {
    let mut world = World::new(3);
    world.pass(Duration::from_secs(5));
    for n in 0..500 {
        world.request(n % 2, "water:1", Some(&format!("key {n}")));
    }
    let there = world.file(0, 2);
    let rest = world.file(1, 2);
    let (head, frames) = opened(&there);
    assert_eq!(head.words as usize, frames.len(), "as many as were announced");
    let (first, second) = (world.read(2, &there), world.read(2, &rest));
    assert!(first.len() >= 2, "{} pieces", first.len());
    let entries: u64 = first.iter().chain(&second).map(|piece| piece.new.entries).sum();
    assert_eq!(entries, 500);
    assert_eq!(world.requests(2).len(), 500);
}

#[test]
fn a_cut_file_gives_all_that_stands_whole_before_the_cut() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(5));
    for n in 0..8 {
        world.request(0, "water:1", Some(&format!("key {n}")));
    }
    let file = world.file(0, 1);
    world.read(1, &file[..file.len() - 700]);
    let held = world.requests(1).len();
    assert!((1..8).contains(&held), "{held}");
    world.read(1, &file);
    assert_eq!(world.requests(1).len(), 8);
}

#[test]
fn files_of_another_alliance_another_format_or_of_nothing_are_refused_by_name() {
    let mut world = World::new(2);
    let file = world.file(0, 1);
    let mut stranger = World::of(two_firms(), 1);
    let other = stranger.hand(0, &file, None);
    assert_eq!(refused(&other), "H-511");
    let Reply::Refused(refusal) = other else { unreachable!() };
    assert!(refusal.what.en.contains("Example Mart"), "{}", refusal.what.en);
    let mut newer = file.clone();
    newer[MAGIC.len()] = FORMAT + 1;
    let reply = world.hand(1, &newer, None);
    assert_eq!(refused(&reply), "H-510");
    let Reply::Refused(refusal) = reply else { unreachable!() };
    assert!(refusal.what.en.contains(&format!("format {}", FORMAT + 1)), "{}", refusal.what.en);
    assert_eq!(refused(&world.hand(1, b"PK\x03\x04", None)), "H-510");
    let reply = world.order(1, Command::CourierIn(CourierIn { piece: "%".to_owned(), carried_s: None }));
    assert_eq!(refused(&reply), "H-510");
}

#[test]
fn no_file_is_written_for_oneself_or_for_nobody() {
    let mut world = World::new(2);
    let out = |to: &str, after: Option<&str>| {
        Command::CourierOut(CourierOut { to: to.to_owned(), after: after.map(str::to_owned), most: None })
    };
    let me = world.alliance.nodes[0].node.to_string();
    assert_eq!(refused(&world.order(0, out(&me, None))), "H-514");
    assert!(matches!(world.order(0, out("9-9", None)), Reply::Refused(_)));
    assert_eq!(refused(&world.order(0, out(&me, Some("x")))), "H-513");
}

#[test]
fn exact_counts_go_only_to_who_may_have_them() {
    let mut world = World::of(two_firms(), 4);
    world.pass(Duration::from_secs(5));
    world.report(0, "stock.water", "120");
    world.pass(Duration::from_secs(5));
    let details = |file: &[u8]| {
        let is = |frame: &Bytes| match crate::message::Message::from_frame(frame).unwrap() {
            crate::message::Message::Docs { docs, .. } => docs[0].name().1 == DocKind::Detail,
            _ => false,
        };
        opened(file).1.iter().filter(|frame| is(frame)).count()
    };
    let (own, other) = (world.file(0, 1), world.file(0, 2));
    assert_eq!((details(&own), details(&other)), (1, 0));
    // A file for somebody else is taken for what is open to all.
    let taken = world.read(2, &own);
    assert_eq!((taken[0].withheld, taken[0].new.details), (1, 0), "{taken:?}");
    assert!(taken[0].new.boards > 0 && taken[0].refused.is_empty());
    assert_eq!(world.read(1, &own)[0].new.details, 1);
}

#[test]
fn how_old_carried_words_are_nobody_knows_unless_a_person_says_how_long_it_took() {
    for carried_s in [None, Some(7_200)] {
        let mut world = World::new(2);
        world.pass(Duration::from_secs(5));
        world.report(0, "operating.status", "open");
        world.pass(Duration::from_secs(60));
        let file = world.file(0, 1);
        world.pass(Duration::from_secs(7_200));
        let Reply::CourierIn(_) = world.hand(1, &file, carried_s) else { panic!("refused") };
        let seen = world.status_of(1, 0);
        let known = seen.age_s.is_some_and(|age| (7_255..7_300).contains(&age));
        assert_eq!((seen.age_s.is_some(), known), (carried_s.is_some(), carried_s.is_some()), "{seen:?}");
        assert_eq!(seen.via.as_deref(), Some("courier"));
        // What is held already grows no younger by a file.
        let again = world.hand(1, &file, Some(0));
        assert!(matches!(again, Reply::CourierIn(_)));
        assert_eq!(world.status_of(1, 0).age_s, seen.age_s);
    }
}

#[test]
fn a_forged_word_is_left_out_and_the_rest_is_taken() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(5));
    world.request(0, "water:40", None);
    let file = world.file(0, 1);
    let (head, mut frames) = opened(&file);
    let whole = frames.len() as u64;
    // Each record's last bytes belong to a signature or an age.
    let spoilt = frames.iter().position(|frame| frame[1] == 3).unwrap();
    let mut bytes = frames[spoilt].to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    frames[spoilt] = bytes.into();
    frames.push(crate::message::Message::Same { nonce: 1 }.to_frame());
    frames.push(Bytes::from_static(b"\x00\xff noise"));
    let taken = world.read(1, &closed(&head, &frames));
    let (new, held) = (new(&taken), taken[0].held);
    assert_eq!(taken[0].refused.iter().map(|refused| refused.words).sum::<u64>(), 3, "{taken:?}");
    assert_eq!(new + held, whole - 1, "{taken:?}");
    assert!(world.requests(1).is_empty());
    assert!(taken[0].refused.iter().all(|refused| !refused.zh.is_empty()));
}

#[test]
fn nothing_is_said_to_be_taken_that_the_store_did_not_keep() {
    let mut world = World::new(2);
    world.pass(Duration::from_secs(5));
    world.request(0, "water:40", None);
    let file = world.file(0, 1);
    let (id, now) = (CommandId(77), world.now);
    let command = Command::CourierIn(CourierIn { piece: BASE64.encode(&file), carried_s: None });
    let mut tokens = Vec::new();
    let node = &mut world.hosts[1].node;
    node.handle(now, Input::Command { id, command });
    while let Some(output) = node.poll_output() {
        match output {
            Output::Persist { token, .. } => tokens.push(token),
            Output::Reply { id: of, .. } => assert_ne!(of, id, "answered before it is durable"),
            _ => {}
        }
    }
    assert!(tokens.len() >= 2, "boards and entries");
    let mut replies = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let cause = "full".to_owned();
        let input = if place == 0 { Input::PersistFailed { token: *token, cause } } else { Input::Persisted { token: *token } };
        node.handle(now, input);
        while let Some(output) = node.poll_output() {
            if let Output::Reply { reply, .. } = output {
                replies.push(reply);
            }
        }
        assert_eq!(replies.len(), usize::from(place + 1 == tokens.len()), "one answer, and only when all are done");
    }
    assert_eq!(refused(&replies[0]), "H-503");
}

#[test]
fn what_is_urgent_goes_on_at_once_and_the_rest_by_the_digests() {
    let mut world = World::new(4);
    world.connect(1, 2);
    world.pass(Duration::from_secs(30));
    let wish = RequestNew { items: vec!["water:40".to_owned()], priority: Some("immediate".to_owned()), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestNew(wish)), Reply::Saved(_)));
    world.report(0, "operating.status", "open");
    let file = world.file(0, 1);
    let Reply::CourierIn(_) = world.hand(1, &file, Some(0)) else { panic!("refused") };
    assert_eq!(world.requests(2).len(), 1, "no time passed");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.status_of(2, 0).operating_status, "open");
    let digests = world.digests();
    assert_eq!(digests[1], digests[2]);
}

#[test]
fn a_revocation_and_what_stands_before_its_cut_are_carried_together() {
    let mut world = World::new(3);
    world.pass(Duration::from_secs(5));
    world.connect(0, 1);
    for n in 0..5 {
        world.request(0, "water:1", Some(&format!("key {n}")));
    }
    world.pass(Duration::from_secs(30));
    super::revoked::take_key_away(&mut world, 1, 0);
    let file = world.file(1, 2);
    let taken = world.read(2, &file);
    assert_eq!(taken.iter().map(|piece| piece.new.revocations).sum::<u64>(), 1, "{taken:?}");
    assert!(taken.iter().all(|piece| piece.refused.is_empty()), "{taken:?}");
    let back = world.file(2, 1);
    world.read(1, &back);
    let digests = world.digests();
    assert_eq!(world.requests(2).len(), world.requests(1).len());
    assert_eq!(digests[1], digests[2]);
}

#[test]
fn a_brief_file_holds_what_is_urgent_and_what_proves_it_and_says_what_it_leaves_out() {
    let mut world = World::new(3);
    world.pass(Duration::from_secs(5));
    for n in 0..60 {
        world.request(0, "water:1", Some(&format!("routine {n}")));
    }
    let urgent = RequestNew { items: vec!["water:40".to_owned()], priority: Some("immediate".to_owned()), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestNew(urgent)), Reply::Saved(_)));
    let to = world.alliance.nodes[1].node.to_string();
    for most in [3_000, 9_000] {
        let command = Command::CourierOut(CourierOut { to: to.clone(), after: None, most: Some(most) });
        let Reply::CourierOut(piece) = world.order(0, command) else { panic!("refused") };
        let file = BASE64.decode(piece.piece.as_bytes()).unwrap();
        assert!(file.len() <= most as usize && file.len() > most as usize / 2, "{} of {most}", file.len());
        assert_eq!(piece.next, None);
        let left = piece.left.unwrap();
        assert_eq!((left.entries + piece.holds.entries, left.boards), (61, 0), "{left:?}");
        assert!(left.entries > 0 && left.certificates > 0, "who says nothing needs no certificate: {left:?}");
        let mut reader = Reader::default();
        reader.push(&file);
        while reader.next_part().unwrap().is_some() {}
        assert!(reader.is_whole() && reader.words() == reader.planned());
        let mut there = World::of(world.alliance.clone(), 2);
        assert_eq!(new(&there.read(1, &file)), piece.holds.entries + piece.holds.boards, "all certificates are held");
        let requests = there.requests(1);
        assert!(requests.iter().any(|request| request.priority == "immediate"), "what is urgent is in it");
        assert_eq!(requests.len() as u64, piece.holds.entries);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn files_read_in_any_order_and_with_any_words_gone_end_in_one_state(
        order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(), cuts in prop::collection::vec(0..3_000_usize, 4), turn: u64,
    ) {
        let mut world = World::new(4);
        world.pass(Duration::from_secs(5));
        for n in 0..12 {
            world.request(n % 3, "water:1", Some(&format!("key {n}")));
        }
        let first = world.file(0, 3);
        world.read(1, &first);
        let files = [first, world.file(1, 3), world.file(2, 3)];
        for (place, cut) in order.iter().zip(cuts) {
            let file = &files[place % 3];
            // Of a broken file what was whole is in already; its records may come in any order as well.
            let (head, mut frames) = opened(&file[..file.len().saturating_sub(cut).max(300)]);
            let at = (turn as usize) % frames.len().max(1);
            frames.rotate_left(at);
            world.read(3, &closed(&head, &frames));
        }
        for file in &files {
            world.read(3, file);
        }
        let back = world.file(3, 2);
        world.read(2, &back);
        let digests = world.digests();
        prop_assert_eq!(&digests[2], &digests[3]);
        prop_assert_eq!(world.requests(3).len(), 12);
    }
}
