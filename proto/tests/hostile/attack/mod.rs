//! One node under attack, driven by hand through its public door, and the means of an attacker: keys, links, forged frames. No tests.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use holdfast_proto::config::Config;
use holdfast_proto::control::{Command, CommandId, Event, Question, Reply};
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::id::{Class, DocKind, EntryId, Generation, Incarnation, LogId, NodeId};
use holdfast_proto::identity::{
    Alliance, AlliancePlan, FirmPlan, NodePlan, RealmKind, Region, Role, Roster, Signature, Signed, Tag, found_alliance,
};
use holdfast_proto::io::{AgeMark, DocRow, EntryRow, Input, Output, Row, Stamp};
use holdfast_proto::link::{LinkId, LinkProfile};
use holdfast_proto::message::{Message, Want, WireDoc, WireEntry};
use holdfast_proto::node::{Known, Node, Setup};
use holdfast_proto::replica::{Document, Hash16, Header, hash16};
use holdfast_proto::time::{Instant, Now, UtcMillis};

/// The node under attack, as an index into the alliance.
pub(crate) const VICTIM: usize = 0;
/// A hub that behaves.
pub(crate) const HONEST: usize = 1;
/// Certified, and hostile.
pub(crate) const LIAR: usize = 2;
/// A third node that behaves.
pub(crate) const OTHER: usize = 3;

/// An alliance of four, all from one seed.
pub(crate) fn alliance(seed: u8, kind: RealmKind) -> Alliance {
    alliance_of(4, seed, kind)
}

/// The same of any number of nodes.
pub(crate) fn alliance_of(nodes: u16, seed: u8, kind: RealmKind) -> Alliance {
    let node = |n: u16| NodePlan {
        name: format!("Node {n}"),
        role: if n == 2 { Role::Hub } else { Role::Store },
        region: Region::from_code("TPE").unwrap(),
        tier: 2,
    };
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: (1..=nodes).map(node).collect() }];
    let plan = AlliancePlan { seed: [seed; 32], kind, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).unwrap()
}

/// A random source for tests: splitmix64, seeded and printed by the test that uses it.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap()
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() & 0xFF) as u8).collect()
    }
}

/// The node under attack with its disk; the world around it is the test.
pub(crate) struct Siege {
    pub(crate) alliance: Alliance,
    pub(crate) node: Node,
    pub(crate) now: Now,
    pub(crate) rows: Vec<Row>,
    pub(crate) stamp: Option<Stamp>,
    /// Frames it sent, and over which link.
    pub(crate) sent: Vec<(LinkId, Bytes)>,
    pub(crate) events: Vec<Event>,
    pub(crate) hung_up: Vec<LinkId>,
    pub(crate) dialled: Vec<String>,
    pub(crate) replies: BTreeMap<CommandId, Reply>,
    /// The disk answers only while this is set.
    pub(crate) disk: bool,
    /// Links give new credit after each frame only while this is set.
    pub(crate) credit: bool,
    /// What it was given while it did not.
    late: Vec<Output>,
    waiting: Vec<Input>,
    commands: u64,
}

impl Siege {
    pub(crate) fn new() -> Self {
        Self::of(alliance(7, RealmKind::Simulation))
    }

    pub(crate) fn of(alliance: Alliance) -> Self {
        let now = Now { mono: Instant(1_000_000), wall: UtcMillis(1_795_000_000_000) };
        let mut siege = Self {
            node: boot(&alliance, Vec::new(), None, now, 1),
            alliance,
            now,
            rows: Vec::new(),
            stamp: None,
            sent: Vec::new(),
            events: Vec::new(),
            hung_up: Vec::new(),
            dialled: Vec::new(),
            replies: BTreeMap::new(),
            disk: true,
            credit: true,
            late: Vec::new(),
            waiting: Vec::new(),
            commands: 0,
        };
        siege.drain();
        siege
    }

    /// Stops it and starts it again from its disk. All links are gone.
    pub(crate) fn restart(&mut self) {
        let mut docs = BTreeMap::new();
        let mut rows = Vec::new();
        for row in &self.rows {
            match row {
                Row::Doc { slot, author, kind, .. } => drop(docs.insert((*slot, *author, *kind), row.clone())),
                Row::Entry(_) | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => rows.push(row.clone()),
            }
        }
        rows.extend(docs.into_values());
        self.waiting.clear();
        let seed = (self.now.mono.0 / 1_000 % 251) as u8;
        self.node = boot(&self.alliance, rows, self.stamp, self.now, seed);
        self.drain();
    }

    pub(crate) fn id(&self, n: usize) -> NodeId {
        self.alliance.nodes[n].node
    }

    /// One input, and everything that follows from it at once.
    pub(crate) fn input(&mut self, input: Input) {
        self.node.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            while let Some(output) = self.node.poll_output() {
                self.output(output);
            }
            if self.waiting.is_empty() {
                return;
            }
            let input = self.waiting.remove(0);
            self.node.handle(self.now, input);
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Transmit { link, frame } => {
                self.sent.push((link, frame));
                if self.credit {
                    self.waiting.push(Input::Writable { link, room: 200_000 });
                }
            }
            Output::Persist { token, rows, stamp } => {
                if self.disk {
                    self.rows.extend(rows);
                    self.stamp = stamp.or(self.stamp);
                    self.waiting.push(Input::Persisted { token });
                } else {
                    self.late.push(Output::Persist { token, rows, stamp });
                }
            }
            Output::Fetch { token, entries } => {
                let find = |id: &EntryId| {
                    self.rows
                        .iter()
                        .rev()
                        .find_map(|row| if let Row::Entry(row) = row { (row.id == *id).then_some(row) } else { None })
                };
                let rows = entries.iter().filter_map(find).cloned().collect();
                self.waiting.push(Input::Fetched { token, rows });
            }
            Output::Hangup { link, .. } => self.hung_up.push(link),
            Output::Dial { address } => self.dialled.push(address),
            Output::Reply { id, reply } => drop(self.replies.insert(id, reply)),
            Output::Notify(event) => {
                assert!(!matches!(event, Event::Bug { .. }), "{event:?}");
                self.events.push(event);
            }
            Output::Admit { .. } => {}
        }
    }

    /// The disk answers again: first to what waited for it, in the order it came.
    pub(crate) fn disk_answers(&mut self) {
        self.disk = true;
        for late in std::mem::take(&mut self.late) {
            self.output(late);
            self.drain();
        }
    }

    /// Lets time pass; the node is woken when it asked for it.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        let mut wakes = 0;
        while let Some((at, who)) = self.node.deadline().filter(|(at, _)| *at <= end) {
            wakes += 1;
            assert!(wakes < 100_000, "a busy loop: {who:?}");
            self.step(at.since(self.now.mono).max(Duration::from_micros(1)));
            self.input(Input::Wake);
        }
        self.step(end.since(self.now.mono));
    }

    fn step(&mut self, step: Duration) {
        self.now.mono = self.now.mono.after(step);
        self.now.wall = UtcMillis(self.now.wall.0.saturating_add(i64::try_from(step.as_millis()).unwrap()));
    }

    pub(crate) fn profile(&self, who: Option<usize>) -> LinkProfile {
        LinkProfile {
            mtu: 65_536,
            rate: 0,
            reliable: true,
            broadcast: who.is_none(),
            peer: who.map(|n| self.alliance.nodes[n].secret.public()),
            dialled: None,
            label: "test wire".to_owned(),
        }
    }

    /// A link whose other end proved the key of `who` but has said nothing; `None`: a broadcast link.
    pub(crate) fn link(&mut self, link: u32, who: Option<usize>) -> LinkId {
        let (link, profile) = (LinkId(link), self.profile(who));
        self.input(Input::LinkUp { link, profile });
        self.input(Input::Writable { link, room: 200_000 });
        link
    }

    /// A link over which `who` has greeted.
    pub(crate) fn greeted(&mut self, link: u32, who: usize) -> LinkId {
        let link = self.link(link, Some(who));
        let hello = Message::Hello { chain: self.alliance.roster.chain(self.id(who)), wall: self.now.wall, roster: [0; 16] };
        self.say(link, &hello);
        self.pass(Duration::from_millis(50));
        link
    }

    pub(crate) fn say(&mut self, link: LinkId, message: &Message) {
        self.input(Input::Received { link, frame: message.to_frame() });
    }

    /// What it sent over a link since the last call.
    pub(crate) fn heard(&mut self, link: LinkId) -> Vec<Message> {
        let sent = std::mem::take(&mut self.sent);
        let (mine, rest): (Vec<_>, Vec<_>) = sent.into_iter().partition(|(to, _)| *to == link);
        self.sent = rest;
        mine.into_iter().map(|(_, frame)| Message::from_frame(&frame).unwrap()).collect()
    }

    /// The ids of the wants it sent over a link.
    pub(crate) fn wants(&mut self, link: LinkId) -> Vec<Want> {
        self.heard(link)
            .into_iter()
            .filter_map(|message| if let Message::Want(want) = message { Some(want) } else { None })
            .collect()
    }

    pub(crate) fn metric(&mut self, name: &str) -> u64 {
        let metrics = self.node.answer(self.now, &Question::Metrics).metrics().expect("metrics");
        metrics.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn digest(&mut self) -> String {
        self.node.answer(self.now, &Question::Digest).digest().expect("a digest")
    }

    pub(crate) fn order(&mut self, command: Command) -> Option<Reply> {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.input(Input::Command { id, command });
        self.replies.remove(&id)
    }

    pub(crate) fn log(&self, who: usize) -> LogId {
        let generation = self.alliance.nodes[who].generation;
        LogId { author: self.id(who), generation, incarnation: Incarnation { count: 1, random: 9 } }
    }

    /// A logbook of `count` entries by `who`, properly signed.
    pub(crate) fn logbook(&self, who: usize, count: u32, body_bytes: usize) -> Vec<EntryRow> {
        let mut prev = [0; 16];
        let mut rows = Vec::new();
        for number in 1..=count {
            let row = self.entry(who, number, prev, &vec![b'x'; body_bytes], |_| {});
            prev = hash16(&row.header);
            rows.push(row);
        }
        rows
    }

    /// One entry, signed by its author whatever it says.
    pub(crate) fn entry(&self, who: usize, number: u32, prev: Hash16, body: &[u8], change: impl FnOnce(&mut Header)) -> EntryRow {
        let mut header = Header {
            id: EntryId { log: self.log(who), number },
            prev,
            class: Class::ROUTINE,
            closed: false,
            urgent: 0,
            wall: self.now.wall,
            body_hash: *blake3::hash(body).as_bytes(),
            extra: Bytes::new(),
        };
        change(&mut header);
        let bytes = header.to_bytes();
        let signature = self.sign(who, Tag::Entry, &bytes);
        let age = AgeMark { age_ms: Some(0), at: self.now.wall };
        EntryRow { id: header.id, header: bytes, signature, body: Some(Bytes::copy_from_slice(body)), age }
    }

    pub(crate) fn sign(&self, who: usize, tag: Tag, bytes: &Bytes) -> Signature {
        let author = &self.alliance.nodes[who];
        let signed = Signed::seal(&author.secret, &self.alliance.roster, author.node, author.generation, tag, bytes.clone());
        signed.unwrap().into_inner().signature
    }

    /// A board by `who`.
    pub(crate) fn board(&self, who: usize, version: u32, readings: &[u8], contact: Vec<String>) -> WireDoc {
        let log = self.log(who);
        let doc = Document {
            log,
            version,
            wall: self.now.wall,
            floor: 0,
            head: 0,
            readings: Bytes::copy_from_slice(readings),
            contact,
        };
        let bytes = doc.to_bytes();
        let signature = self.sign(who, Tag::Board, &bytes);
        let age = AgeMark { age_ms: Some(0), at: self.now.wall };
        WireDoc::pack(&DocRow { author: log.author, kind: DocKind::Board, bytes, signature, age }, Some(0))
    }
}

fn boot(alliance: &Alliance, rows: Vec<Row>, stamp: Option<Stamp>, now: Now, seed: u8) -> Node {
    let me = &alliance.nodes[VICTIM];
    let setup = Setup {
        config: Config::default(),
        me: me.node,
        signer: me.secret.clone().into(),
        known: Known::of(alliance.roster.clone()),
        catalogue: CATALOGUE.clone(),
        seed: [seed; 32],
        stamp,
    };
    Node::restore(setup, rows, now).unwrap()
}

/// Read once: a node is booted often.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| toml::from_str(BUILT_IN).unwrap());

/// Entries as sent.
pub(crate) fn pack(rows: &[EntryRow]) -> Vec<WireEntry> {
    rows.iter().map(|row| WireEntry::pack(row, true, Some(0)).unwrap()).collect()
}

/// The first generation.
pub(crate) fn first_generation() -> Generation {
    Generation { count: 1, giver: 0 }
}

/// A roster of another alliance.
pub(crate) fn stranger() -> Roster {
    alliance(99, RealmKind::Simulation).roster
}
