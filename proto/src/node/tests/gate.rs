//! Rule 1 and P3: a frame with any byte changed changes nothing, unless what it brings is the very word that was signed.

use super::*;
use crate::message::Message;

/// Frames with fresh words of host 0, as they go to host 1, and what they say.
fn fresh(world: &mut World) -> Vec<(LinkId, bytes::Bytes)> {
    let values = BTreeMap::from([("operating.status".to_owned(), "open".to_owned())]);
    let request = RequestNew { items: vec!["water:40".to_owned()], ..Default::default() };
    let mut frames = Vec::new();
    for command in [Command::RequestNew(request), Command::Report(Report { values, act: Default::default() })] {
        world.hosts[0].node.handle(world.now, Input::Command { id: CommandId(9_000), command });
        let mut persisted = Vec::new();
        loop {
            match world.hosts[0].node.poll_output() {
                Some(Output::Persist { token, rows, stamp }) => {
                    world.hosts[0].rows.extend(rows);
                    world.hosts[0].stamp = stamp;
                    persisted.push(token);
                }
                Some(Output::Transmit { link, frame }) => frames.push((world.wires[&(0, link)].1, frame)),
                Some(_) => {}
                None => match persisted.pop() {
                    Some(token) => world.hosts[0].node.handle(world.now, Input::Persisted { token }),
                    None => break,
                },
            }
        }
    }
    frames.retain(|(_, frame)| {
        matches!(Message::from_frame(frame), Ok(Message::Entries { want: None, .. } | Message::Docs { want: None, .. }))
    });
    frames
}

/// What was signed, without what travels beside it.
fn words(rows: &[Row]) -> Vec<(bytes::Bytes, Option<bytes::Bytes>, crate::identity::Signature)> {
    let words = rows.iter().filter_map(|row| match row {
        Row::Entry(row) => Some((row.header.clone(), row.body.clone(), row.signature)),
        Row::Doc { doc: Some(row), .. } => Some((row.bytes.clone(), None, row.signature)),
        Row::Doc { .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => None,
    });
    words.collect()
}

#[test]
fn a_frame_with_any_byte_changed_brings_the_word_that_was_signed_or_nothing() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(4));
    let empty = world.digests()[1].clone();
    let view = world.hosts[1].node.canonical_view();
    let frames = fresh(&mut world);
    assert_eq!(frames.len(), 2);
    let signed = words(&world.hosts[0].rows);
    let mut brought = 0;
    for (link, frame) in &frames {
        for (place, flip) in (0..frame.len()).flat_map(|place| [(place, 1_u8), (place, 0x80), (place, 0xff)]) {
            let mut bytes = frame.to_vec();
            bytes[place] ^= flip;
            let rows = world.hosts[1].rows.len();
            world.hosts[1].node.handle(world.now, Input::Received { link: *link, frame: bytes.into() });
            let mut persisted = Vec::new();
            while let Some(output) = world.hosts[1].node.poll_output() {
                if let Output::Persist { token, rows, .. } = output {
                    world.hosts[1].rows.extend(rows);
                    persisted.push(token);
                }
            }
            let new = words(&world.hosts[1].rows[rows..]);
            assert!(new.iter().all(|word| signed.contains(word)), "byte {place} changed and something unsigned was stored");
            if persisted.is_empty() {
                assert_eq!((&world.digests()[1], &world.hosts[1].node.canonical_view()), (&empty, &view), "byte {place}");
                continue;
            }
            // Only what travels beside the signed bytes was changed: the store refuses, and the next byte gets its turn.
            brought += 1;
            for token in persisted {
                world.hosts[1].node.handle(world.now, Input::PersistFailed { token, cause: "full".to_owned() });
                while world.hosts[1].node.poll_output().is_some() {}
            }
        }
    }
    assert!(brought < 60, "{brought} changed bytes did not matter");
    for (link, frame) in frames {
        world.inputs.push_back((1, Input::Received { link, frame }));
    }
    world.settle();
    world.converged();
    assert_ne!(world.digests()[1], empty);
}

#[test]
fn what_one_peer_asks_is_answered_in_frames_that_fit_however_often_it_is_asked_at_once() {
    let mut world = World::new(2);
    world.connect(0, 1);
    for n in 0..40 {
        world.request(0, &format!("water:{}", n + 1), None);
    }
    world.report(0, "operating.status", "open");
    world.pass(Duration::from_secs(4));
    let me = world.alliance.nodes[0].node;
    let log = world.hosts[0].node.replica.logs_of(me).next().unwrap().0;
    let link = *world.wires.keys().find(|(host, _)| *host == 0).map(|(_, link)| link).unwrap();
    let want = crate::message::Want {
        id: 7,
        since: None,
        entries: vec![(log, vec![(1, u32::MAX); 500]); 20],
        docs: vec![(me, DocKind::Board); 3_000],
        forks: vec![log; 2_000],
    };
    let frame = Message::Want(want).to_frame();
    for _ in 0..50 {
        world.hosts[0].node.handle(world.now, Input::Received { link, frame: frame.clone() });
        while let Some(output) = world.hosts[0].node.poll_output() {
            assert!(!matches!(output, Output::Notify(Event::Bug { .. })), "{output:?}");
            if let Output::Transmit { frame, .. } = output {
                assert!(frame.len() <= 65_536);
            }
        }
    }
    // The link is not blocked by what does not fit.
    world.inputs.push_back((0, Input::Writable { link, room: 200_000 }));
    world.settle();
    let waiting = world.hosts[0].node.links[&link].outbox.len();
    world.inputs.push_back((0, Input::Writable { link, room: 200_000 }));
    world.settle();
    assert!(world.hosts[0].node.links[&link].outbox.len() <= waiting);
}

#[test]
fn a_document_is_taken_at_the_size_its_authors_certificate_gives_and_no_larger() {
    use crate::config::{BOARD_BYTES_MAX, BOARD_BYTES_MAX_HUB, DETAIL_BYTES_MAX, DETAIL_BYTES_MAX_HUB};
    // Host 1 is the hub.
    for (author, kind, most) in [
        (2, DocKind::Board, BOARD_BYTES_MAX),
        (2, DocKind::Detail, DETAIL_BYTES_MAX),
        (1, DocKind::Board, BOARD_BYTES_MAX_HUB),
        (1, DocKind::Detail, DETAIL_BYTES_MAX_HUB),
    ] {
        for (len, taken) in [(most + 1, false), (most, true)] {
            let mut world = World::new(3);
            world.connect(0, 1);
            let link = world.wires.keys().find(|(host, _)| *host == 0).unwrap().1;
            let frame = published(&world, author, kind, len);
            world.inputs.push_back((0, Input::Received { link, frame }));
            world.settle();
            let held = world.hosts[0].node.replica.doc(world.alliance.nodes[author].node, kind).is_some();
            assert_eq!(held, taken, "{kind:?} of host {author}, {len} B");
        }
    }
}

/// A frame with one signed document of host `n`, all of it `len` bytes long, signature included.
pub(super) fn published(world: &World, n: usize, kind: DocKind, len: usize) -> bytes::Bytes {
    let issued = &world.alliance.nodes[n];
    let incarnation = crate::id::Incarnation { count: 1, random: 1 };
    let with = |readings: usize| crate::replica::Document {
        log: LogId { author: issued.node, generation: issued.generation, incarnation },
        version: 1,
        wall: UtcMillis::UNKNOWN,
        floor: 0,
        head: 0,
        readings: vec![0; readings].into(),
        contact: Vec::new(),
    };
    let bytes = (0..len).rev().map(|readings| with(readings).to_bytes()).find(|bytes| bytes.len() + 64 <= len).unwrap();
    assert_eq!(bytes.len() + 64, len);
    let tag = if kind == DocKind::Board { crate::identity::Tag::Board } else { crate::identity::Tag::Detail };
    let signature = crate::identity::sign(&issued.secret, &world.alliance.roster.realm(), tag, &bytes);
    let row = crate::io::DocRow { author: issued.node, kind, bytes, signature, age: crate::io::AgeMark::default() };
    crate::message::Message::Docs { want: None, docs: vec![crate::message::WireDoc::pack(&row, None)] }.to_frame()
}
