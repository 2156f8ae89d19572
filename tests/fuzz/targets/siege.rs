//! A whole node: frames from a certified liar, a stranger and the broadcast link, the liar's own signed words, time, restarts; and
//! recordings, which are files.

#[path = "../../../proto/tests/hostile/attack/mod.rs"]
#[expect(clippy::unwrap_used, reason = "what can not be set up only panics")]
mod attack;

use std::sync::LazyLock;
use std::time::Duration;

pub(crate) use attack::HONEST;
use attack::{LIAR, OTHER, Siege, alliance};
use bytes::Bytes;
use holdfast_proto::control::{Answer, Question, Which};
use holdfast_proto::id::Class;
use holdfast_proto::identity::{Alliance, RealmKind};
use holdfast_proto::io::Input;
use holdfast_proto::link::LinkId;
use holdfast_proto::message::{Message, WireEntry};
use holdfast_proto::recording::Replay;
use holdfast_proto::replica::hash16;

use super::Reader;

/// Things that happen in one input, and steps of one recording.
const STEPS_MAX: usize = 128;
/// Entries that the node may write of itself within one input.
const OWN_MAX: u64 = 16;

/// What the liar has said so far.
#[derive(Default)]
struct Said {
    number: u32,
    prev: [u8; 16],
    board: u32,
    entries: u64,
}

/// Founded once: signing it takes longer than most inputs.
static ALLIANCE: LazyLock<Alliance> = LazyLock::new(|| alliance(7, RealmKind::Simulation));

/// A node that nobody has spoken to yet.
pub(crate) fn siege() -> Siege {
    Siege::of(ALLIANCE.clone())
}

pub(super) fn node(data: &[u8]) {
    let (mut siege, mut reader, mut said) = (siege(), Reader(data), Said::default());
    let mut links = meet(&mut siege);
    for _ in 0..STEPS_MAX {
        let Some(what) = reader.byte() else { break };
        match what % 8 {
            0..=2 => {
                let frame = Bytes::copy_from_slice(reader.counted());
                siege.input(Input::Received { link: links[usize::from(what % 8)], frame });
            }
            3 => write(&mut siege, links[0], &mut said, &mut reader),
            4 => board(&mut siege, links[0], &mut said, &mut reader),
            5 => siege.pass(Duration::from_secs(reader.byte().unwrap_or(1).into())),
            6 => {
                siege.restart();
                links = meet(&mut siege);
            }
            _ => siege.disk = !siege.disk,
        }
    }
    siege.disk = true;
    siege.restart();
    let entries = siege.metric("entries");
    assert!(entries <= said.entries + OWN_MAX, "{entries} entries, of which the liar signed {}", said.entries);
    for question in [Question::Status, Question::Requests(Which::All), Question::Peers, Question::Digest] {
        let answer = siege.node.answer(siege.now, &question);
        assert!(!matches!(answer, Answer::Refused(_)), "{question:?} is not answered");
    }
}

/// The liar has greeted, another has not, and there is a link for everybody.
fn meet(siege: &mut Siege) -> [LinkId; 3] {
    [siege.greeted(1, LIAR), siege.link(2, Some(OTHER)), siege.link(3, None)]
}

/// An entry that the liar signs: the next one, or one under any number, with any body.
fn write(siege: &mut Siege, link: LinkId, said: &mut Said, reader: &mut Reader<'_>) {
    let (how, shift) = (reader.byte().unwrap_or(0), reader.byte().unwrap_or(0));
    let number = said.number.saturating_add(1) ^ (u32::from(shift) << (how % 25));
    let prev = match (number, said.number) {
        (1, _) => [0; 16],
        // Above a hole it names something before that nobody has.
        (_, 0) => [1; 16],
        (_, _) => said.prev,
    };
    let row = siege.entry(LIAR, number, prev, reader.counted(), |header| {
        header.class = Class::new(how >> 5).unwrap_or(Class::ROUTINE);
        header.closed = how & 0x10 != 0;
    });
    if shift == 0 {
        (said.number, said.prev) = (number, hash16(&row.header));
    }
    // Number 0 can't even be told.
    let Some(entry) = WireEntry::pack(&row, true, Some(0)) else { return };
    said.entries += 1;
    siege.say(link, &Message::Entries { want: None, entries: vec![entry] });
}

fn board(siege: &mut Siege, link: LinkId, said: &mut Said, reader: &mut Reader<'_>) {
    // The same version twice is a second story.
    said.board += u32::from(reader.byte().unwrap_or(1) % 2);
    let readings = reader.counted();
    let contact = vec![String::from_utf8_lossy(reader.counted()).into_owned()];
    let board = siege.board(LIAR, said.board.max(1), readings, contact);
    siege.say(link, &Message::Docs { want: None, docs: vec![board] });
}

/// A recording comes from a daemon's folder; what is in it is played, whatever it is.
pub(super) fn recording(data: &[u8]) {
    let Ok(mut replay) = Replay::new(data) else { return };
    for step in 1..=STEPS_MAX as u64 {
        match replay.step() {
            Ok(Some(_)) => assert_eq!(replay.steps(), step),
            Ok(None) | Err(_) => break,
        }
    }
}
