//! What every corpus begins with: a valid encoding of everything there is, from the vectors, the shipped files and a few words.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use data_encoding::BASE64;
use holdfast_proto::codec::canonical::Fields;
use holdfast_proto::config::Config;
use holdfast_proto::control::person::{DeskHello, DeskWelcome};
use holdfast_proto::control::{Command, CourierOut, Reply};
use holdfast_proto::id::{EntryId, LogId, NodeId};
use holdfast_proto::identity::enrol::{CodeKey, Offer, Talk, Welcome};
use holdfast_proto::identity::{Act, ArmorKind, DelegationId, PublicKey, Realm, Region, Role, Roster, SecretKey, armor};
use holdfast_proto::io::Input;
use holdfast_proto::link::LinkId;
use holdfast_proto::link::radio::framing::Framing;
use holdfast_proto::link::radio::pieces::Speaker;
use holdfast_proto::message::courier::codes;
use holdfast_proto::message::courier::{Chain, Head, Part as Parted, Reader};
use holdfast_proto::message::{Message, WireEntry};
use holdfast_proto::recording::{Asked, MAGIC, Part, Start, Step, frame};
use holdfast_proto::replica::Document;
use holdfast_tests::workspace_root;

use super::targets::papers::{envelopes, unhex};
use super::targets::siege::{HONEST, siege};

const VECTORS: &str = include_str!("../../proto/tests/vectors/protocol.txt");

/// A name and the bytes.
type Seed = (String, Vec<u8>);

/// What the corpus of that target begins with.
pub(super) fn seeds(target: &str) -> Vec<Seed> {
    match target {
        "air" => on_air(),
        "frame" => vectors("frame.", ""),
        "entry" => vectors("entry.", ".header"),
        "body" => [vectors("entry.", ".body"), vectors("fact.", ".body")].concat(),
        "board" => vectors("doc.", ".bytes"),
        "readings" => readings(),
        "charter" => bodies(1),
        "issuer" => bodies(2),
        "certificate" => [bodies(3), bodies(7)].concat(),
        "revocation" => bodies(4),
        "deputy" => bodies(5),
        "delegation" => bodies(6),
        "act" => acts(),
        "desk" => desks(),
        "roster" => rosters(),
        "draft" => drafts(),
        "armor" => armored(),
        "enrol" => talk(),
        "recording" => vec![seed("start", recording())],
        "node" => sieges(),
        "courier" => carried(),
        "api" => wishes(),
        "config" => files("configs", "toml"),
        "scenario" => scenarios(),
        "by-hand" => lines(),
        other => panic!("no seeds for {other}"),
    }
}

fn seed(name: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    (name.to_owned(), bytes.into())
}

fn vectors(begins: &str, ends: &str) -> Vec<Seed> {
    let line = |line: &str| {
        let (name, hex) = line.split_once(' ')?;
        let short = name.strip_prefix(begins)?.strip_suffix(ends)?;
        Some(seed(short, unhex(hex)?))
    };
    VECTORS.lines().filter_map(line).collect()
}

/// A short message and one in pieces, in every framing.
fn on_air() -> Vec<Seed> {
    let speaker = Speaker { realm: [7, 7], me: NodeId { issuer: 1, serial: 300 }, mtu: 60 };
    let call = "BV2ABC-7".parse().expect("a call sign");
    let framings = [("kiss", Framing::Kiss), ("ax25", Framing::Ax25(call)), ("cobs", Framing::Cobs)];
    let long: Vec<u8> = (0..=255).collect();
    let all = (0_u8..).zip(framings).flat_map(|(place, (name, framing))| {
        [("whole", &b"holdfast"[..]), ("pieces", &long)].map(|(what, message)| {
            let frames = speaker.cut(message).expect("short enough");
            let line: Vec<u8> = frames.iter().flat_map(|frame| framing.wrap(frame)).collect();
            seed(&format!("{name}-{what}"), [&[place + 60], &line[..]].concat())
        })
    });
    all.collect()
}

fn readings() -> Vec<Seed> {
    let of = |(name, bytes): Seed| (name, Document::parse(&bytes.into()).expect("a vector").readings.to_vec());
    vectors("doc.", ".bytes").into_iter().map(of).collect()
}

/// Bodies of the envelopes whose first field says so.
fn bodies(what: u64) -> Vec<Seed> {
    let numbered = envelopes().into_iter().enumerate();
    let of = |(place, envelope): (usize, Bytes)| {
        let body = Fields::parse(&envelope).ok()?.get(1)?.to_vec();
        let is = Fields::parse(&body).ok()?.uint(1) == Ok(what);
        is.then(|| seed(&format!("vector-{place}"), body))
    };
    numbered.filter_map(of).collect()
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("short");
    [&length.to_be_bytes(), bytes].concat()
}

fn rosters() -> Vec<Seed> {
    let all: Vec<Vec<u8>> = envelopes().iter().map(|envelope| counted(envelope)).collect();
    vec![seed("in-order", all.concat()), seed("the-other-way-round", all.iter().rev().cloned().collect::<Vec<_>>().concat())]
}

fn drafts() -> Vec<Seed> {
    let roster = Roster::new(&envelopes()[0]).expect("the charter of the vectors");
    let draft = roster.charter().next(2, roster.charter().roots.clone()).and_then(|charter| charter.draft());
    let signed = envelopes().into_iter().enumerate().map(|(place, envelope)| seed(&format!("vector-{place}"), envelope));
    signed.chain([seed("charter", draft.expect("a next charter"))]).collect()
}

fn armored() -> Vec<Seed> {
    let kinds = [ArmorKind::Charter, ArmorKind::Issuer, ArmorKind::Node, ArmorKind::Revocation, ArmorKind::Deputy];
    let blocks: String = kinds.iter().zip(envelopes()).map(|(kind, bytes)| armor(*kind, &bytes)).collect();
    let keys: String = [ArmorKind::NodeKey, ArmorKind::RootKey, ArmorKind::IssuerKey].map(|kind| armor(kind, &[1; 32])).concat();
    let noted = format!("# of a store\r\n\n{}", armor(ArmorKind::BoundKey, &[2; 96]));
    vec![seed("papers", blocks), seed("keys", keys), seed("noted", noted)]
}

/// A body that a person says.
fn acts() -> Vec<Seed> {
    let roster = Roster::new(&envelopes()[0]).expect("the charter of the vectors");
    let of = DelegationId { issuer: 1, serial: None, number: 3 };
    let place = EntryId { log: LogId::lowest(NodeId { issuer: 1, serial: 1 }), number: 3 };
    let sign = |body: &[u8]| Act::sign(&roster.realm(), &SecretKey::from_seed([90; 32]), of, 1_729_000_000, place, body);
    let said = |(name, body): Seed| Some(seed(&name, sign(&body).ok()?.put(&body).ok()?));
    vectors("fact.", ".body").into_iter().filter_map(said).collect()
}

fn desks() -> Vec<Seed> {
    let papers = envelopes().iter().map(|bytes| armor(ArmorKind::Delegation, bytes)).collect();
    let hello = DeskHello { token: "ab".repeat(32), port: 4_711, papers };
    let welcome = DeskWelcome { chain: envelopes(), json: r#"{"schema":"holdfast.person/1"}"#.to_owned() };
    vec![seed("hello", hello.to_bytes()), seed("welcome", welcome.to_bytes())]
}

/// Documents of one talk, without their seals.
fn talk() -> Vec<Seed> {
    let mut talk = Talk::new(CodeKey::from_bytes([7; 32]));
    let node = NodeId { issuer: 1, serial: 2 };
    let region = Region::from_code("TPE").expect("Taipei");
    let offer = Offer { objects: envelopes(), node, called: "甲店".to_owned(), role: Role::Store, region, nonce: [2; 16] };
    let welcome = Welcome { objects: envelopes(), peers: vec!["192.0.2.7:4401".to_owned()], home_hub: Some(node) };
    let documents = [
        ("ask", talk.ask(PublicKey([3; 32]), [1; 16])),
        ("offer", talk.offer(&offer)),
        ("same", talk.same()),
        ("welcome", talk.welcome(&welcome)),
        ("done", talk.done(&Bytes::from_static(b"paper"))),
    ];
    documents.into_iter().map(|(name, document)| seed(name, &document[..document.len() - 34])).collect()
}

/// A node that starts, gets a link, and is greeted.
fn recording() -> Vec<u8> {
    let siege = siege();
    let me = &siege.alliance.nodes[0];
    let catalogue: serde_json::Value = toml::from_str(holdfast_proto::domain::item::BUILT_IN).expect("the catalogue");
    let start = Start {
        build: "seed".to_owned(),
        config: Config::default(),
        me: me.node,
        key: me.secret.public(),
        objects: siege.alliance.objects.clone(),
        catalogue: catalogue.to_string(),
        seed: [9; 32],
        stamp: None,
        now: siege.now,
    };
    let (link, profile) = (LinkId(1), siege.profile(Some(HONEST)));
    let hello = Message::Hello { chain: siege.alliance.roster.chain(siege.id(HONEST)), wall: siege.now.wall, roster: [0; 16] };
    let inputs = [
        None,
        Some(Input::LinkUp { link, profile }),
        Some(Input::Writable { link, room: 200_000 }),
        Some(Input::Received { link, frame: hello.to_frame() }),
    ];
    let step = |input| Part::Step(Step { now: siege.now, input, signatures: Vec::new(), asked: Asked::default() });
    let parts = [Part::Start(Box::new(start))].into_iter().chain(inputs.map(step));
    [MAGIC.to_vec()].into_iter().chain(parts.map(|part| frame(&part))).collect::<Vec<_>>().concat()
}

/// What happens to a besieged node: see `targets/siege.rs` for the numbers.
fn sieges() -> Vec<Seed> {
    let said = |link: u8, seeds: Vec<Seed>| -> Vec<u8> {
        seeds.iter().flat_map(|(_, frame)| [&[link][..], &counted(frame)].concat()).collect()
    };
    let written = |how: [u8; 2]| -> Vec<u8> {
        vectors("entry.", ".body").iter().flat_map(|(_, body)| [&[3, how[0], how[1]][..], &counted(body)].concat()).collect()
    };
    let boards: Vec<u8> = readings()
        .iter()
        .flat_map(|(_, readings)| [&[4, 1][..], &counted(readings), &counted(b"192.0.2.7:1")].concat())
        .collect();
    vec![
        seed("liar", said(0, vectors("frame.", ""))),
        seed("stranger", said(1, vectors("frame.", ""))),
        seed("broadcast", said(2, vectors("frame.", ""))),
        seed("chain", [written([0x40, 0]), vec![5, 40], boards.clone()].concat()),
        seed("holes", [written([0x43, 5]), vec![7], written([0x40, 0]), vec![7, 6], boards].concat()),
    ]
}

/// A file a node wrote, one of a liar's words, the same cut and changed, and one of another alliance.
fn carried() -> Vec<Seed> {
    let with = |file: &[u8]| [&[9][..], file].concat();
    let mut siege = siege();
    let to = siege.id(HONEST).to_string();
    let reply = siege.order(Command::CourierOut(CourierOut { to, after: None, most: None }));
    let Some(Reply::CourierOut(first)) = reply else { panic!("{reply:?}") };
    let head = BASE64.decode(first.piece.as_bytes()).expect("Base64");
    let mut reader = Reader::default();
    reader.push(&head);
    let Ok(Some(Parted::Head(head))) = reader.next_part() else { panic!("no head") };
    let roster = siege.alliance.objects.iter().map(|object| Message::Roster { objects: vec![object.clone()] }.to_frame());
    let spoken = siege.logbook(HONEST, 3, 40);
    let spoken = spoken.iter().filter_map(|row| WireEntry::pack(row, true, Some(5)));
    let spoken = spoken.map(|entry| Message::Entries { want: None, entries: vec![entry] }.to_frame());
    let frames: Vec<Bytes> =
        roster.chain(spoken).chain(vectors("frame.", "").into_iter().map(|(_, frame)| frame.into())).collect();
    let file = |head: &Head| {
        let mut file = head.to_bytes();
        let mut chain = Chain::after(&file);
        frames.iter().for_each(|frame| file.extend(chain.record(frame)));
        file.extend(chain.end());
        file
    };
    let whole = file(&head);
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let stranger = file(&Head { realm: Realm([1; 32]), ..head });
    let typed = codes::lines(&whole[..4_000]).expect("short enough").join("\n").into_bytes();
    let seeds = [
        ("lines", &typed[..]),
        ("whole", &whole[..]),
        ("cut", &whole[..whole.len() * 2 / 3]),
        ("changed", &changed),
        ("stranger", &stranger),
    ];
    seeds.into_iter().map(|(name, file)| seed(name, with(file))).collect()
}

fn wishes() -> Vec<Seed> {
    let bodies = [
        r#"{"values":{"operating.status":"open","stock.water":"120","power.source":"generator"},"act":{"desk":"front"}}"#,
        r#"{"items":["water:40","other:tent=2"],"priority":"urgent","needed_by":1795000600000,"to":"1-2","note":"dock 2","key":"k"}"#,
        r#"{"request":"R-7Q4KM2X","version":1,"items":["rice:3"],"priority":"low"}"#,
        r#"{"request":"R-7Q4KM2X","reason":"met"}"#,
        r#"{"request":"R-7Q4KM2X","version":2}"#,
        r#"{"request":"R-7Q4KM2X","act":{"desk":"night"}}"#,
        r#"{"node":"1-3","values":{"operating.status":"closed"},"note":"said a runner"}"#,
    ];
    let papers = envelopes().iter().map(|bytes| armor(ArmorKind::Node, bytes)).collect::<String>();
    let certify = serde_json::json!({ "objects": papers }).to_string();
    let rest = [
        certify.as_str(),
        r#"{"cut":{"nodes":[]}}"#,
        "R-7Q4KM2X",
        "1-3",
        "D-1-1-1",
        r#"{"mode":"resilience","reason":"no mains"}"#,
        r#"{"mode":"none","regions":["HUA","all"],"acting_for":"1-2","reason":"typhoon"}"#,
        r#"{"order":"O-7Q4KM2X","ratify":false,"mode":"alert"}"#,
        r#"{"deputies":["1-2","1-3"],"after":"2h"}"#,
    ];
    let numbered = (0_u8..).zip(bodies.into_iter().chain(rest));
    numbered.map(|(number, body)| seed(&format!("address-{number}"), [&[number][..], body.as_bytes()].concat())).collect()
}

fn files(folder: &str, ending: &str) -> Vec<Seed> {
    let entries = fs::read_dir(workspace_root().join(folder)).expect("a folder of the tree");
    let mut seeds: Vec<Seed> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == ending))
        .map(|path| seed(&path.file_stem().unwrap_or_default().to_string_lossy(), fs::read(&path).expect("a file")))
        .collect();
    seeds.sort();
    seeds
}

/// A folder as one input: `scenario.toml`, then each sheet behind a line with its name.
fn scenario(folder: &Path) -> Vec<u8> {
    let mut text = fs::read_to_string(folder.join("scenario.toml")).expect("a scenario");
    for name in ["sites.csv", "elements.csv", "msel.csv"] {
        if let Ok(sheet) = fs::read_to_string(folder.join(name)) {
            text += &format!("\n=== {name}\n{sheet}");
        }
    }
    text.into_bytes()
}

fn scenarios() -> Vec<Seed> {
    let corpus = ["flaps-under-loss", "forged-while-split", "fork-heals", "old-backup-of-the-data", "torn-stamp-and-full-disk"];
    let kept = corpus.map(|name| seed(name, scenario(&workspace_root().join("sim-net/corpus").join(name))));
    let shipped =
        ["s-demo", "p-planted"].map(|name| seed(name, scenario(&workspace_root().join("configs/scenarios").join(name))));
    kept.into_iter().chain(shipped).collect()
}

fn lines() -> Vec<Seed> {
    let lines = [
        "partition groups=power_area:HUA-01 lasts=20m",
        "cut where=element:CABLE-HUA lasts=20m say=\"the cable is cut\"",
        "power-loss where=site:S1 lasts=20m",
        "request site=site:S1 table=\"id=R-1; item=water; qty=40\"",
    ];
    (1..).zip(lines).map(|(number, line)| seed(&format!("line-{number}"), line)).collect()
}
