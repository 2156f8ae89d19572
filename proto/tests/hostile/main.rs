//! A node under attack through its public door: from certified peers, strangers, the broadcast link and odd inputs. Not its own rules.

#![expect(clippy::unwrap_used, reason = "a test that can not be set up only panics")]

mod attack;
mod floods;
mod frames;
mod quotas;
mod signatures;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use attack::{Dice, HONEST, LIAR, OTHER, Siege, VICTIM, alliance, first_generation, pack, stranger};
use bytes::Bytes;
use holdfast_proto::config::{BODY_BYTES_MAX, COMMANDS_MAX, FRAME_BYTES_MAX, WIRE_VERSION};
use holdfast_proto::control::{Act, Answer, Command, Event, Observe, Question, Reply, Report, RequestAct, RequestNew};
use holdfast_proto::id::{DocKind, EntryId, Incarnation, LogId, NodeId};
use holdfast_proto::identity::RealmKind;
use holdfast_proto::io::{AgeMark, Input};
use holdfast_proto::link::LinkId;
use holdfast_proto::message::{DocName, Message, Want, WireEntry};
use holdfast_proto::replica::digest::{AuthorLeaf, DocLeaf, LogLeaf};
use holdfast_proto::replica::{ByAuthor, Changes, DocOrder, Header, hash16};
use holdfast_proto::time::{Instant, Now, UtcMillis};

fn nowhere(n: u32) -> LogId {
    let incarnation = Incarnation { count: (n >> 16) as u16, random: n as u16 };
    LogId { author: NodeId { issuer: 1, serial: 2 }, generation: first_generation(), incarnation }
}

fn order(version: u32) -> DocOrder {
    DocOrder { generation: first_generation(), incarnation: Incarnation { count: 1, random: 9 }, version }
}

fn leaf(siege: &Siege, who: usize, head: u32, ahead: Vec<(u32, u32)>) -> AuthorLeaf {
    let log = siege.log(who);
    let log = LogLeaf {
        generation: log.generation,
        incarnation: log.incarnation,
        floor: 1,
        head,
        head_hash: [7; 8],
        ahead,
        ahead_hash: [0; 8],
        frozen: None,
    };
    AuthorLeaf { author: siege.id(who), logs: vec![log], board: None }
}

fn leaves(leaf: AuthorLeaf) -> Message {
    Message::Leaves { count: 64, answer: Vec::new(), leaves: vec![leaf] }
}

/// One of each kind of message, as an attacker would fill it.
fn samples(siege: &Siege) -> Vec<Message> {
    let rows = siege.logbook(LIAR, 3, 40);
    let name = DocName { author: siege.id(HONEST), kind: DocKind::Board, order: order(u32::MAX) };
    let entries = pack(&rows);
    vec![
        Message::Hello { chain: siege.alliance.roster.chain(siege.id(LIAR)), wall: UtcMillis(i64::MIN), roster: [1; 16] },
        Message::RosterList { from: [0; 16], to: None, hashes: vec![[3; 16]; 10], answer: true },
        Message::Roster { objects: siege.alliance.objects.clone() },
        Message::Entries { want: Some(u32::MAX), entries: entries.clone() },
        Message::Docs { want: None, docs: vec![siege.board(LIAR, 3, b"", Vec::new())] },
        Message::Forks { proofs: vec![(entries[0].clone(), entries[1].clone())] },
        Message::Have { entries: vec![(siege.log(HONEST), vec![0, 1, u32::MAX])], docs: vec![name] },
        Message::Prune { author: siege.id(VICTIM), kind: DocKind::Board },
        Message::Held { heads: vec![(siege.log(VICTIM), u32::MAX)], docs: vec![name] },
        Message::Probe { nonce: u64::MAX, root: [1; 16], details: [2; 8] },
        Message::Same { nonce: 0 },
        Message::Buckets { roster: [0; 16], hashes: vec![[1; 8]; 64] },
        leaves(leaf(siege, HONEST, u32::MAX, vec![(u32::MAX, u32::MAX), (0, 0), (5, 1)])),
        Message::Details { answer: true, leaves: vec![(siege.id(HONEST), DocLeaf { order: order(9), hash: [1; 8], two: true })] },
        Message::Want(Want {
            id: 0,
            since: Some(([0; 8], everybody(u32::MAX))),
            entries: vec![(siege.log(LIAR), vec![(0, u32::MAX), (u32::MAX, 0)])],
            docs: vec![(siege.id(HONEST), DocKind::Detail)],
            forks: vec![siege.log(HONEST)],
        }),
        Message::Done { id: 77 },
        Message::Beacon { from: siege.id(HONEST), nonce: 1, root: [0; 16] },
        Message::Changed { base: [0; 8], roster: [0; 8], answer: true, changes: absurd(siege) },
    ]
}

/// A number for every author there can be below the first issuers, known here or not.
fn everybody(number: u32) -> ByAuthor {
    let nodes = (0..4).flat_map(|issuer| (0..500).map(move |serial| NodeId { issuer, serial }));
    nodes.map(|node| (node, number)).collect::<BTreeMap<_, _>>().into()
}

/// Changes that no honest node has.
fn absurd(siege: &Siege) -> Changes {
    let leaves = vec![leaf(siege, HONEST, u32::MAX, vec![(u32::MAX, u32::MAX), (0, 0), (5, 1)])];
    Changes { heads: everybody(u32::MAX), boards: everybody(u32::MAX), leaves }
}

/// A certified liar, a stranger that has not greeted, and the broadcast link.
fn three_links(siege: &mut Siege) -> [LinkId; 3] {
    let liar = siege.greeted(1, LIAR);
    let silent = siege.link(2, Some(OTHER));
    let broadcast = siege.link(3, None);
    [liar, silent, broadcast]
}
