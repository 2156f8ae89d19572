//! The golden vectors: a small alliance that says one of everything, from fixed seeds. Not a test of what the words mean.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use holdfast_proto::domain::fact::{
    Decoded, Deed, Fact, Floor, Judged, Line, LineItem, ModeChange, Need, Observation, Order, Request, RequestRef, Scope, Update,
    decode_body, encode_body, floor_of,
};
use holdfast_proto::domain::reading::{self, Reading, Readings, Seen, Subject, Value};
use holdfast_proto::domain::spoken;
use holdfast_proto::id::{Class, DocKind, EntryId, FactId, Incarnation, LogId, NodeId, Regions};
use holdfast_proto::identity::{
    Alliance, AlliancePlan, FirmPlan, NodePlan, RealmKind, Region, Role, Signed, Tag, found_alliance,
};
use holdfast_proto::io::{AgeMark, DocRow, EntryRow};
use holdfast_proto::message::courier::{Chain, Head, codes};
use holdfast_proto::message::{DocName, Message, Want, WireDoc, WireEntry};
use holdfast_proto::replica::digest::{cut, keyed};
use holdfast_proto::replica::{self, Changes, Document, Header, HeldDoc, Replica, SignedDoc, Slot, hash16};
use holdfast_proto::time::UtcMillis;

/// What `tests/vectors/protocol.txt` must say.
pub(crate) const GOLDEN: &str = include_str!("../vectors/protocol.txt");
/// Of every probe here.
const NONCE: u64 = 7;
/// The authors' clock at number 0; each entry is a second later.
const WALL: i64 = 1_795_000_000_000;

/// Everything the vectors are made of.
pub(crate) struct Sample {
    alliance: Alliance,
    /// Of 1-1, one of each kind; then two of 1-2.
    entries: Vec<(&'static str, EntryRow)>,
    docs: Vec<(&'static str, DocRow)>,
    fork: (EntryRow, EntryRow),
    /// One of each kind, in order of their numbers.
    pub(crate) messages: Vec<Message>,
    digest: Vec<(&'static str, Vec<u8>)>,
}

/// One logbook being written.
struct Author<'a> {
    alliance: &'a Alliance,
    at: usize,
    number: u32,
    prev: [u8; 16],
    urgent: u32,
}

impl<'a> Author<'a> {
    fn new(alliance: &'a Alliance, at: usize) -> Self {
        Self { alliance, at, number: 0, prev: [0; 16], urgent: 0 }
    }

    fn log(&self) -> LogId {
        let issued = &self.alliance.nodes[self.at];
        LogId { author: issued.node, generation: issued.generation, incarnation: Incarnation { count: 1, random: 0xbeef } }
    }

    fn sign(&self, tag: Tag, bytes: &Bytes) -> holdfast_proto::identity::Signature {
        let issued = &self.alliance.nodes[self.at];
        let sealed = Signed::seal(&issued.secret, &self.alliance.roster, issued.node, issued.generation, tag, bytes.clone());
        sealed.expect("certified").into_inner().signature
    }

    fn write(&mut self, body: Vec<u8>, class: Class, closed: bool) -> EntryRow {
        self.number += 1;
        self.urgent += u32::from(class.is_urgent());
        let header = Header {
            id: EntryId { log: self.log(), number: self.number },
            prev: self.prev,
            class,
            closed,
            urgent: self.urgent,
            wall: UtcMillis(WALL + i64::from(self.number) * 1_000),
            body_hash: *blake3::hash(&body).as_bytes(),
            extra: Bytes::new(),
        };
        let bytes = header.to_bytes();
        self.prev = hash16(&bytes);
        let signature = self.sign(Tag::Entry, &bytes);
        EntryRow { id: header.id, header: bytes, signature, body: Some(body.into()), age: AgeMark::default() }
    }

    fn document(&self, kind: DocKind, readings: &Readings) -> DocRow {
        let (tag, contact) = match kind {
            DocKind::Board => (Tag::Board, vec!["192.0.2.7:4401".to_owned()]),
            DocKind::Detail => (Tag::Detail, Vec::new()),
        };
        let doc = Document {
            log: self.log(),
            version: 3,
            wall: UtcMillis(WALL),
            floor: 8,
            head: 8,
            readings: reading::encode(readings).into(),
            contact,
        };
        let bytes = doc.to_bytes();
        DocRow { author: doc.log.author, kind, signature: self.sign(tag, &bytes), bytes, age: AgeMark::default() }
    }
}

fn found() -> Alliance {
    let node = |name: &str, role| NodePlan { name: name.to_owned(), role, region: Region::new(1).expect("Taipei"), tier: 2 };
    let nodes = vec![node("信義店", Role::Store), node("Hub North", Role::Hub), node("Dock", Role::Store)];
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes }];
    let plan = AlliancePlan { seed: [7; 32], kind: RealmKind::Simulation, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).expect("issues")
}

fn need() -> Need {
    let water = Line { item: LineItem::Code("water".into()), requested: 40 };
    let tent = Line { item: LineItem::Other("tent".into()), requested: 2 };
    Need { priority: 1, lines: vec![water, tent], needed_by_s: Some(1_767_229_200), note: Some("dock 2".into()) }
}

fn readings(of: &[(Subject, u64)]) -> Readings {
    let plain = |value: &u64| Reading { value: Value::Number(*value), seen: Seen::default() };
    of.iter().map(|(subject, value)| (subject.clone(), plain(value))).collect()
}

fn board() -> Readings {
    let mut board = readings(&[
        (Subject::Field(1), 1),
        (Subject::Field(25), 14),
        (Subject::Level("water".into()), 0),
        (Subject::Level("gas".into()), 3),
        (Subject::Service(1), 0),
        (Subject::Service(5), 1),
        (Subject::Service(8), 2),
    ]);
    let later = Seen { before_s: 600, valid_s: Some(7_200), basis: 3 };
    board.insert(Subject::Field(40), Reading { value: Value::Text("水 12:00".into()), seen: later });
    board
}

/// One entry of each kind of fact, in one logbook.
fn each_kind(author: &mut Author<'_>) -> Vec<(&'static str, EntryRow)> {
    let (store, hub, dock) = (author.alliance.nodes[0].node, author.alliance.nodes[1].node, author.alliance.nodes[2].node);
    let first = FactId { entry: EntryId { log: author.log(), number: 1 }, index: 0 };
    let of = |reason: Option<&str>| RequestRef { request: first, seen: 1, reason: reason.map(str::to_owned) };
    let seen = readings(&[(Subject::Field(1), 3)]);
    let deeds = [
        Deed::Request(Request { need: need(), consignee: Some(dock), to: Some(hub), key: Some([5; 8]) }),
        Deed::Update(Update { of: of(None), version: 2, need: need() }),
        Deed::Cancel(of(Some("came"))),
        Deed::Confirm(of(Some("more"))),
        Deed::Close(of(None)),
        Deed::Acknowledge(vec![first]),
        Deed::Observation(Observation { node: dock, readings: seen, note: Some("dark".into()) }),
    ];
    assert_eq!(store, author.log().author);
    let mut rows = Vec::new();
    let mut write = |author: &mut Author<'_>, deed| {
        let fact = Fact { desk: Some("Lin".into()), before_s: 600, basis: 1, deed };
        rows.push((fact.kind().word(), author.write(encode_body(std::slice::from_ref(&fact)), fact.class(), false)));
    };
    for deed in deeds {
        write(author, deed);
    }
    let floor = Floor { incarnation: author.log().incarnation, number: 8, previous: author.prev, stay: vec![1] };
    write(author, Deed::Floor(floor));
    rows
}

/// Bodies of modes and orders: 1-2 acts for 1-1, which judges, and 1-3 follows.
fn orders(first: FactId) -> Vec<(&'static str, Vec<u8>)> {
    let node = first.entry.log.author;
    let of = |serial| NodeId { serial, ..node };
    let regions: Regions = [Region::from_code("HUA"), Region::from_code("TTT")].into_iter().flatten().collect();
    let order = Order {
        mode: Some(2),
        regions,
        acting_for: None,
        last_heard_s: None,
        seen: None,
        judged: None,
        reason: Some("typhoon".into()),
    };
    let stead = Order { acting_for: Some(of(1)), last_heard_s: Some(7_800), seen: Some(first), ..order.clone() };
    let deeds = [
        ("mode", Deed::Mode(ModeChange { mode: 2, cause: 1, order: Some(first), reason: None })),
        ("order", Deed::Order(stead)),
        ("ratify", Deed::Order(Order { judged: Some((Judged::Ratified, first)), ..order.clone() })),
        ("countermand", Deed::Order(Order { mode: None, judged: Some((Judged::Countermanded, first)), ..order })),
        ("scope", Deed::Scope(Scope { deputies: vec![of(2), of(3)], after_s: 7_200 })),
    ];
    deeds.into_iter().map(|(name, deed)| (name, encode_body(&[Fact::new(deed)]))).collect()
}

/// Bodies of the kinds that no entry of the sample holds.
fn later_kinds(first: FactId) -> Vec<(&'static str, Vec<u8>)> {
    orders(first).into_iter().chain(super::supply::bodies(first)).collect()
}

impl Sample {
    pub(crate) fn make() -> Self {
        let alliance = found();
        let mut store = Author::new(&alliance, 0);
        let mut entries = each_kind(&mut store);
        let mut hub = Author::new(&alliance, 1);
        let told = Fact::new(Deed::Acknowledge(vec![FactId { entry: entries[0].1.id, index: 0 }]));
        entries.push(("two_facts", hub.write(encode_body(&[told.clone(), told]), Class::DEFERRED, false)));
        // A kind no version knows yet, in a closed entry: {1: [{0: 120}]}.
        entries.push(("closed", hub.write(vec![1, 4, 3, 0, 1, 120], Class::BULK, true)));
        let counts = readings(&[(Subject::Count("water".into()), 120), (Subject::Field(23), 300), (Subject::Field(24), 85)]);
        let docs =
            vec![("board", store.document(DocKind::Board, &board())), ("detail", store.document(DocKind::Detail, &counts))];
        let fork = fork(&alliance);
        let mut held = replica(&entries, &docs);
        let mut names = Vec::new();
        alliance.roster.objects().for_each(|object| names.extend_from_slice(&object.hash));
        let roster = hash16(&names);
        let messages = messages(&alliance, &entries, &docs, &fork, &mut held, roster);
        let root = held.root(roster);
        let buckets = held.buckets(64).concat();
        let digest = vec![
            ("roster", roster.to_vec()),
            ("root", root.to_vec()),
            ("keyed", keyed(root, NONCE).to_vec()),
            ("buckets", buckets),
        ];
        Self { entries, docs, fork, messages, digest, alliance }
    }

    fn text(&self) -> String {
        let mut out = String::from(
            "# Golden vectors of PROTOCOL.md: a name and hex. Made and compared by `cargo test -p holdfast-proto --test protocol`.\n",
        );
        let mut line = |name: &str, bytes: &[u8]| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(out, "{name} {hex}").expect("a String takes all");
        };
        for (object, name) in self.alliance.objects.iter().zip(["charter", "issuer.1", "node.1-1", "node.1-2", "node.1-3"]) {
            line(name, object);
        }
        line("realm", &self.alliance.roster.realm().0);
        let fork = [("fork_one", &self.fork.0), ("fork_other", &self.fork.1)];
        for (name, row) in self.entries.iter().map(|(name, row)| (*name, row)).chain(fork) {
            line(&format!("entry.{name}.header"), &row.header);
            line(&format!("entry.{name}.signature"), &row.signature.0);
            line(&format!("entry.{name}.body"), row.body.as_deref().unwrap_or_default());
        }
        for (name, body) in later_kinds(FactId { entry: self.entries[0].1.id, index: 0 }) {
            line(&format!("fact.{name}.body"), &body);
        }
        for (name, row) in &self.docs {
            line(&format!("doc.{name}.bytes"), &row.bytes);
            line(&format!("doc.{name}.signature"), &row.signature.0);
        }
        for (name, hash) in &self.digest {
            line(&format!("digest.{name}"), hash);
        }
        for message in &self.messages {
            line(&format!("frame.{}", name_of(message)), &message.to_frame());
        }
        line("courier.file", &self.courier());
        line("courier.line.3", codes::lines(&self.courier()).expect("short enough")[2].as_bytes());
        for (_, row) in self.entries.iter().take(3) {
            let fact = FactId { entry: row.id, index: 0 };
            line(&format!("spoken.{}", spoken(fact)), &fact.to_bytes());
        }
        out
    }

    /// A courier file of two records: a roster, and entries.
    fn courier(&self) -> Vec<u8> {
        let head = Head {
            realm: self.alliance.roster.realm(),
            kind: RealmKind::Simulation,
            alliance: "Example Mart".to_owned(),
            from: self.alliance.nodes[0].node,
            to: self.alliance.nodes[1].node,
            made: UtcMillis(WALL),
            words: 2,
        };
        let mut file = head.to_bytes();
        let mut chain = Chain::after(&file);
        for name in ["Roster", "Entries"] {
            let message = self.messages.iter().find(|message| name_of(message) == name).expect("one of each");
            file.extend(chain.record(&message.to_frame()));
        }
        file.extend(chain.end());
        file
    }
}

/// Node 1-3 says two things under number 2.
fn fork(alliance: &Alliance) -> (EntryRow, EntryRow) {
    let mut dock = Author::new(alliance, 2);
    let asks = |note: &str| {
        let need = Need { priority: 2, needed_by_s: None, note: Some(note.to_owned()), ..need() };
        let fact = Fact::new(Deed::Request(Request { need, consignee: None, to: None, key: None }));
        (encode_body(std::slice::from_ref(&fact)), fact.class())
    };
    let (body, class) = asks("first");
    dock.write(body, class, false);
    let (number, prev) = (dock.number, dock.prev);
    let (body, class) = asks("one story");
    let one = dock.write(body, class, false);
    (dock.number, dock.prev) = (number, prev);
    let (body, class) = asks("another");
    (one, dock.write(body, class, false))
}

fn replica(entries: &[(&'static str, EntryRow)], docs: &[(&'static str, DocRow)]) -> Replica {
    let mut held = Replica::default();
    for (_, row) in entries {
        let header = Header::parse(&row.header).expect("ours");
        let body = row.body.as_deref().filter(|_| !header.closed);
        let floors = body.map(floor_of).unwrap_or_default().into_iter().map(|floor| replica::Floor {
            incarnation: floor.incarnation,
            number: floor.number,
            prev: floor.previous,
            keep: floor.stay.into_iter().collect(),
        });
        let slot = Slot::new(&header, hash16(&row.header), header.closed, row.age, true);
        held.commit(row.id, slot, &floors.collect::<Vec<_>>(), 4_096);
    }
    for (_, row) in docs {
        let said = SignedDoc::read(row.kind, row.bytes.clone(), row.signature).expect("ours");
        held.commit_doc(HeldDoc { said: said.into(), age: row.age });
    }
    held
}

fn messages(
    alliance: &Alliance,
    entries: &[(&'static str, EntryRow)],
    docs: &[(&'static str, DocRow)],
    fork: &(EntryRow, EntryRow),
    held: &mut Replica,
    roster: [u8; 16],
) -> Vec<Message> {
    let wire = |row: &EntryRow| WireEntry::pack(row, false, Some(1_500)).expect("ours");
    let (store, hub) = (alliance.nodes[0].node, alliance.nodes[1].node);
    let (log, other) = (entries[0].1.id.log, fork.0.id.log);
    let name = |row: &DocRow| {
        let order = Document::parse(&row.bytes).expect("ours").order();
        DocName { author: row.author, kind: row.kind, order }
    };
    let root = held.root(roster);
    let mut hashes: Vec<_> = alliance.roster.objects().map(|object| object.hash).collect();
    hashes.sort_unstable();
    let detail = held.doc_leaf(store, DocKind::Detail).expect("held");
    vec![
        Message::Hello { chain: alliance.roster.chain(store), wall: UtcMillis(WALL), roster },
        Message::RosterList { from: [0; 16], to: None, hashes, answer: true },
        Message::Roster { objects: vec![alliance.objects[4].clone()] },
        Message::Entries { want: None, entries: vec![wire(&entries[0].1), wire(&entries[9].1)] },
        Message::Docs { want: Some(300), docs: vec![WireDoc::pack(&docs[0].1, None)] },
        Message::Forks { proofs: vec![(wire(&fork.0), wire(&fork.1))] },
        Message::Have { entries: vec![(log, vec![1, 8])], docs: vec![name(&docs[0].1)] },
        Message::Prune { author: hub, kind: DocKind::Board },
        Message::Held { heads: vec![(log, 8)], docs: vec![name(&docs[1].1)] },
        Message::Probe { nonce: NONCE, root: keyed(root, NONCE), details: cut(keyed([0; 16], NONCE)) },
        Message::Same { nonce: NONCE },
        Message::Buckets { roster, hashes: held.buckets(64) },
        Message::Leaves { count: 64, answer: vec![0, 63], leaves: vec![held.leaf(store), held.leaf(hub)] },
        Message::Details { answer: true, leaves: vec![(store, detail)] },
        Message::Want(Want {
            id: 300,
            since: Some((cut(root), BTreeMap::from([(store, 2), (hub, 300)]).into())),
            entries: vec![(log, vec![(2, 70_000)])],
            docs: vec![(hub, DocKind::Detail)],
            forks: vec![other],
        }),
        Message::Done { id: 300 },
        Message::Beacon { from: hub, nonce: u64::MAX, root: keyed(root, u64::MAX) },
        Message::Changed {
            base: cut(root),
            roster: cut(roster),
            answer: true,
            changes: Changes {
                heads: BTreeMap::from([(store, 8), (hub, 300)]).into(),
                boards: BTreeMap::from([(store, 3)]).into(),
                leaves: vec![held.leaf(hub)],
            },
        },
    ]
}

/// No `_` here: whoever adds a message adds a sample, a vector and a row of the table.
pub(crate) fn name_of(message: &Message) -> &'static str {
    match message {
        Message::Hello { .. } => "Hello",
        Message::RosterList { .. } => "RosterList",
        Message::Roster { .. } => "Roster",
        Message::Entries { .. } => "Entries",
        Message::Docs { .. } => "Docs",
        Message::Forks { .. } => "Forks",
        Message::Have { .. } => "Have",
        Message::Prune { .. } => "Prune",
        Message::Held { .. } => "Held",
        Message::Probe { .. } => "Probe",
        Message::Same { .. } => "Same",
        Message::Buckets { .. } => "Buckets",
        Message::Leaves { .. } => "Leaves",
        Message::Details { .. } => "Details",
        Message::Want(_) => "Want",
        Message::Done { .. } => "Done",
        Message::Beacon { .. } => "Beacon",
        Message::Changed { .. } => "Changed",
    }
}

#[test]
fn the_bytes_are_those_of_the_vectors() {
    let now = Sample::make().text();
    assert!(
        now == GOLDEN,
        "THE BYTES OF THE PROTOCOL CHANGED. Nodes of the old and the new bytes can't talk or can't check each other's words. If that \
         was meant: put what follows into proto/tests/vectors/protocol.txt and a dated line into `Changes of bytes` in \
         proto/PROTOCOL.md. If not: undo it.\n{now}"
    );
}

#[test]
fn every_body_of_a_mode_or_order_reads_back_and_none_that_was_cut_does() {
    let sample = Sample::make();
    for (name, body) in later_kinds(FactId { entry: sample.entries[0].1.id, index: 0 }) {
        let [Decoded::Fact(fact)] = &decode_body(&body)[..] else { panic!("{name} is a fact") };
        assert_eq!((fact.kind().word(), encode_body(std::slice::from_ref(fact))), (name, body.clone()));
        for end in 0..body.len() {
            assert!(!decode_body(&body[..end]).iter().any(|decoded| matches!(decoded, Decoded::Fact(_))), "{name} cut at {end}");
        }
    }
}

#[test]
fn every_frame_reads_back_and_no_cut_or_padded_frame_does() {
    for (number, message) in Sample::make().messages.iter().enumerate() {
        let frame = message.to_frame();
        assert_eq!(Message::from_frame(&frame).as_ref(), Ok(message));
        assert_eq!(usize::from(frame[1]), number, "messages are numbered in the order they are declared");
        for end in 0..frame.len() {
            assert!(Message::from_frame(&frame[..end]).is_err(), "{} cut at {end}", name_of(message));
        }
        assert!(Message::from_frame(&[&frame[..], &[0]].concat()).is_err());
    }
}

#[test]
fn every_sample_passes_the_gate() {
    let sample = Sample::make();
    let fork = [&sample.fork.0, &sample.fork.1];
    for row in sample.entries.iter().map(|(_, row)| row).chain(fork) {
        let log = row.id.log;
        let (bytes, signature) = (row.header.clone(), row.signature);
        let signed = Signed { tag: Tag::Entry, author: log.author, generation: log.generation, bytes, signature };
        assert!(signed.verify(&sample.alliance.roster).is_ok());
        assert!(Header::parse(&row.header).is_ok_and(|header| header.owns(row.body.as_deref().unwrap_or_default())));
    }
}
