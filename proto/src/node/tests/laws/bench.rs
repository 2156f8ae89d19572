//! Two PCs whose disks answer late, out of turn and not at all, that crash, lose their stamp and get old backups back; and whoever
//! reads every frame they send, against what was on the sender's disk at that moment. Tests only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use super::super::*;
use super::{Crash, DiskFate, Says, StampFate, Step};
use crate::domain::wish::{Report, RequestNew};
use crate::id::Incarnation;
use crate::identity::Alliance;
use crate::io::{Row, Stamp};
use crate::message::Message;
use crate::node::delivery::Ticket;
use crate::replica::digest::AuthorLeaf;
use crate::replica::{Changes, Document, hash16};

/// A store opens so many lives at most in one history: only eight of them would count.
const LIVES_MAX: usize = 6;
/// Credit of a link, bytes.
const ROOM: u32 = 200_000;

static ALLIANCE: LazyLock<Alliance> = LazyLock::new(|| alliance(2));
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(catalogue);

/// Rows on their way to a disk.
struct Batch {
    token: u64,
    rows: Vec<Row>,
    stamp: Option<Stamp>,
}

/// One PC: the node, its disk, and what was promised of it.
pub(super) struct Pc {
    pub(super) node: Node,
    rows: Vec<Row>,
    entries: BTreeMap<EntryId, Hash16>,
    docs: BTreeMap<(NodeId, DocKind), BTreeMap<DocOrder, Hash16>>,
    stamp: Option<Stamp>,
    waiting: VecDeque<Batch>,
    /// Written or failed, and the node does not know it yet.
    unsaid: Vec<(u64, bool)>,
    backups: Vec<Vec<Row>>,
    /// A backup was put back and no stamp was written since.
    rolled_back: bool,
    stamps: Vec<Stamp>,
    /// Every life it ever opened.
    lives: BTreeSet<Incarnation>,
    /// The life it may write in without opening one.
    goes_on: Option<Incarnation>,
    /// Acknowledged to a person.
    acknowledged: BTreeSet<EntryId>,
    acknowledged_boards: BTreeSet<DocOrder>,
    boots: u8,
}

/// Both PCs, the wire between them, and all that was ever said over it.
pub(super) struct Bench {
    pub(super) pcs: Vec<Pc>,
    now: Now,
    salt: [u8; 4],
    next: u32,
    plugged: Option<[LinkId; 2]>,
    /// Its end of a link that the other hung up.
    hung_up: Option<LinkId>,
    wire: VecDeque<(usize, LinkId, bytes::Bytes)>,
    said: BTreeMap<EntryId, Hash16>,
    said_docs: BTreeMap<(NodeId, DocKind, DocOrder), Hash16>,
    /// Two lives of one count drew the same random number, as one in 65,536 may (section 3): the history ends there.
    pub(super) same_draw: bool,
}

impl Pc {
    fn me(&self) -> NodeId {
        self.node.me
    }

    fn boot(&mut self, n: usize, salt: [u8; 4], now: Now) {
        let issued = &ALLIANCE.nodes[n];
        self.boots += 1;
        let mut seed = [n as u8; 32];
        seed[1] = self.boots;
        seed[2..6].copy_from_slice(&salt);
        let known = Known::of(ALLIANCE.roster.clone());
        let (me, secret, catalogue, stamp) = (issued.node, issued.secret.clone(), CATALOGUE.clone(), self.stamp);
        let setup = Setup { config: Config::default(), me, signer: secret.into(), known, catalogue, seed, stamp };
        self.node = Node::restore(setup, latest(&self.rows), now).unwrap();
        self.goes_on = self.node.own.open.then_some(self.node.own.mark.incarnation);
    }

    /// Rows become durable.
    fn keep(&mut self, rows: Vec<Row>) {
        for row in &rows {
            match row {
                Row::Entry(entry) => {
                    self.entries.insert(entry.id, hash16(&entry.header));
                }
                Row::Doc { doc: Some(doc), author, kind, .. } => {
                    let order = Document::parse(&doc.bytes).unwrap().order();
                    self.docs.entry((*author, *kind)).or_default().insert(order, hash16(&doc.bytes));
                }
                _ => {}
            }
        }
        self.rows.extend(rows);
    }

    fn keep_stamp(&mut self, stamp: Option<Stamp>) {
        self.stamp = stamp.or(self.stamp);
        self.stamps.extend(stamp);
        self.rolled_back &= stamp.is_none();
    }

    fn write(&mut self, count: usize) {
        for _ in 0..count {
            let Some(batch) = self.waiting.pop_front() else { return };
            self.keep(batch.rows);
            self.keep_stamp(batch.stamp);
            self.unsaid.push((batch.token, true));
        }
    }

    /// What an honest reader of rule 7 says of this disk: is it at or beyond its stamp?
    fn is_continuous(&self) -> bool {
        let Some(stamp) = self.stamp else { return false };
        let generation = self.node.generation;
        let log = LogId { author: self.me(), generation, incarnation: stamp.incarnation };
        let reached = |kind, version| {
            let order = DocOrder { generation, incarnation: stamp.incarnation, version };
            version == 0 || self.newest(self.me(), kind) >= Some(order)
        };
        (stamp.number == 0 || self.entries.get(&EntryId { log, number: stamp.number }) == Some(&stamp.hash))
            && reached(DocKind::Board, stamp.board)
            && reached(DocKind::Detail, stamp.detail)
    }

    fn newest(&self, author: NodeId, kind: DocKind) -> Option<DocOrder> {
        self.docs.get(&(author, kind)).and_then(|docs| docs.keys().next_back()).copied()
    }

    fn holds_doc(&self, author: NodeId, kind: DocKind, order: DocOrder) -> bool {
        self.docs.get(&(author, kind)).is_some_and(|docs| docs.contains_key(&order))
    }

    fn holds_run(&self, log: LogId, first: u32, count: u32) -> bool {
        (first..first + count).all(|number| self.entries.contains_key(&EntryId { log, number }))
    }

    /// Everything a leaf tells is on this disk.
    fn holds_leaf(&self, leaf: &AuthorLeaf) -> bool {
        let told = leaf.logs.iter().all(|log| {
            let id = LogId { author: leaf.author, generation: log.generation, incarnation: log.incarnation };
            log.floor == 1
                && self.holds_run(id, 1, log.head)
                && log.ahead.iter().all(|(first, count)| self.holds_run(id, *first, *count))
        });
        told && leaf.board.is_none_or(|board| self.holds_doc(leaf.author, DocKind::Board, board.order))
    }

    fn holds_changes(&self, changes: &Changes) -> bool {
        let lives = |author| {
            let (low, high) = (LogId::lowest(author), LogId::highest(author));
            let ids = self.entries.range(EntryId { log: low, number: 0 }..=EntryId { log: high, number: u32::MAX });
            ids.map(|(id, _)| id.log).collect::<BTreeSet<_>>()
        };
        let versions = |author| self.docs.get(&(author, DocKind::Board)).into_iter().flat_map(BTreeMap::keys);
        changes.heads.iter().all(|(author, head)| lives(author).into_iter().any(|log| self.holds_run(log, 1, head)))
            && changes.boards.iter().all(|(author, version)| versions(author).any(|order| order.version == version))
            && changes.leaves.iter().all(|leaf| self.holds_leaf(leaf))
    }

    /// What the disk and the stamp become. True where neither lost anything.
    fn lose(&mut self, crash: Crash) -> bool {
        let many = self.lives.len() >= LIVES_MAX;
        let plain = many || (crash.stamp == StampFate::Kept && crash.disk == DiskFate::Kept);
        if plain {
            return true;
        }
        // An old stamp beside an old store is another PC that runs as this one: no disk can tell (rule 8 is about that).
        let newest = self.stamp.is_some() && self.stamp == self.stamps.last().copied();
        self.stamp = match (crash.stamp, crash.disk) {
            (StampFate::Kept, DiskFate::Kept) => self.stamp,
            (StampFate::Kept, DiskFate::Backup(_)) => self.stamp.filter(|_| newest),
            (StampFate::Older(which), DiskFate::Kept) if !self.stamps.is_empty() && !self.rolled_back => {
                Some(self.stamps[which % self.stamps.len()])
            }
            (StampFate::Older(_) | StampFate::Lost, _) => None,
        };
        if let DiskFate::Backup(which) = crash.disk {
            let backup = if self.backups.is_empty() { Vec::new() } else { self.backups[which % self.backups.len()].clone() };
            self.rolled_back = true;
            self.rows.clear();
            self.entries.clear();
            self.docs.clear();
            self.keep(backup);
            // What this disk lost may be with the neighbour, or nowhere.
            self.acknowledged.retain(|id| self.entries.contains_key(id));
            self.acknowledged_boards.clear();
        }
        false
    }

    /// What a person was told is saved is held by `node`.
    fn check_acknowledged(&self, node: &Node, own: bool) {
        for id in &self.acknowledged {
            let held = node.replica.log(id.log).is_some_and(|log| log.slot(id.number).is_some());
            assert!(held, "{id} was acknowledged and is lost, here: {own}");
        }
        let newest = node.replica.doc(self.me(), DocKind::Board).map(|doc| doc.doc.order());
        assert!(newest >= self.acknowledged_boards.last().copied(), "a board was acknowledged and is lost, here: {own}");
    }
}

impl Bench {
    pub(super) fn new(salt: u32) -> Self {
        let now = Now { mono: Instant(1_000_000), wall: UtcMillis(1_795_000_000_000) };
        let pc = |n: usize| {
            let issued = &ALLIANCE.nodes[n];
            let known = Known::of(ALLIANCE.roster.clone());
            let (me, secret, catalogue) = (issued.node, issued.secret.clone(), CATALOGUE.clone());
            let setup =
                Setup { config: Config::default(), me, signer: secret.into(), known, catalogue, seed: [0; 32], stamp: None };
            Pc {
                node: Node::restore(setup, Vec::new(), now).unwrap(),
                rows: Vec::new(),
                entries: BTreeMap::new(),
                docs: BTreeMap::new(),
                stamp: None,
                waiting: VecDeque::new(),
                unsaid: Vec::new(),
                backups: Vec::new(),
                rolled_back: false,
                stamps: Vec::new(),
                lives: BTreeSet::new(),
                goes_on: None,
                acknowledged: BTreeSet::new(),
                acknowledged_boards: BTreeSet::new(),
                boots: 0,
            }
        };
        let mut bench = Self {
            pcs: vec![pc(0), pc(1)],
            now,
            salt: salt.to_be_bytes(),
            next: 0,
            plugged: None,
            hung_up: None,
            wire: VecDeque::new(),
            said: BTreeMap::new(),
            said_docs: BTreeMap::new(),
            same_draw: false,
        };
        for n in 0..2 {
            bench.pcs[n].boot(n, bench.salt, now);
            bench.drain(n, &mut VecDeque::new());
        }
        bench
    }

    fn input(&mut self, n: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.pcs[n].node.handle(self.now, input);
            self.drain(n, &mut inputs);
        }
        if let Some(link) = self.hung_up.take() {
            self.input(1 - n, Input::LinkDown { link, cause: "the other end hung up".to_owned() });
        }
    }

    /// Takes what a node asks of the world, and checks it against its disk as it is now.
    fn drain(&mut self, n: usize, inputs: &mut VecDeque<Input>) {
        while let Some(output) = self.pcs[n].node.poll_output() {
            match output {
                Output::Transmit { link, frame } => {
                    self.overhear(n, &Message::from_frame(&frame).unwrap());
                    inputs.push_back(Input::Writable { link, room: ROOM });
                    if let Some(links) = self.plugged.filter(|links| links[n] == link) {
                        self.wire.push_back((1 - n, links[1 - n], frame));
                    }
                }
                Output::Persist { token, rows, stamp } => {
                    if let Some(stamp) = stamp {
                        self.opens(n, stamp.incarnation);
                    }
                    self.pcs[n].waiting.push_back(Batch { token, rows, stamp });
                }
                Output::Fetch { token, entries } => {
                    let held =
                        |id: &EntryId| self.pcs[n].rows.iter().rev().find_map(|row| entry_of(row).filter(|row| row.id == *id));
                    let rows = entries.iter().filter_map(held).cloned().collect();
                    inputs.push_back(Input::Fetched { token, rows });
                }
                Output::Hangup { link, .. } => {
                    if let Some(links) = self.plugged.take_if(|links| links[n] == link) {
                        self.wire.clear();
                        self.hung_up = Some(links[1 - n]);
                    }
                }
                Output::Reply { reply: Reply::Saved(saved), .. } => self.promised(n, &saved),
                Output::Notify(event) => assert!(!matches!(event, Event::Bug { .. } | Event::Forked { .. }), "{event:?}"),
                _ => {}
            }
        }
    }

    /// A write names its life: the one it was proven to go on in, or one that never was before.
    fn opens(&mut self, n: usize, life: Incarnation) {
        let pc = &mut self.pcs[n];
        if pc.goes_on == Some(life) {
            return;
        }
        let is_new = pc.lives.insert(life);
        // Whether the store was continuous was checked at its start; here the number drawn can only be a chance.
        self.same_draw |= !is_new;
        pc.goes_on = Some(life);
    }

    /// A person was told that it is saved.
    fn promised(&mut self, n: usize, saved: &crate::control::Saved) {
        let pc = &mut self.pcs[n];
        let life = pc.node.own.mark.incarnation;
        match pc.node.ticket(&saved.ticket).unwrap() {
            Ticket::Board(_, 0) => {}
            Ticket::Board(_, version) => {
                let order = DocOrder { generation: pc.node.generation, incarnation: life, version };
                assert!(
                    pc.holds_doc(pc.me(), DocKind::Board, order),
                    "a board was acknowledged before it was durable: {order:?}"
                );
                pc.acknowledged_boards.insert(order);
            }
            Ticket::Fact(fact) => {
                assert!(pc.entries.contains_key(&fact.entry), "acknowledged before it was durable: {fact}");
                pc.acknowledged.insert(fact.entry);
            }
        }
    }

    /// Reads a frame as it leaves: what it tells is on the sender's disk, and nobody ever said anything else under that name.
    fn overhear(&mut self, n: usize, message: &Message) {
        let pc = &self.pcs[n];
        let me = pc.me();
        // What was open at a start or opened since is covered by a stamp that says so.
        let stamp = pc.stamp.filter(|stamp| pc.node.own.open && stamp.incarnation == pc.node.own.mark.incarnation);
        match message {
            Message::Entries { entries, .. } => {
                for entry in entries {
                    let row = entry.clone().unpack(UtcMillis::UNKNOWN);
                    let hash = hash16(&row.header);
                    assert_eq!(*self.said.entry(row.id).or_insert(hash), hash, "two contents of {}", row.id);
                    if row.id.log.author == me {
                        assert_eq!(pc.entries.get(&row.id), Some(&hash), "said before it was durable: {}", row.id);
                        let covered =
                            |stamp: &Stamp| stamp.incarnation != row.id.log.incarnation || row.id.number <= stamp.number;
                        assert!(stamp.as_ref().is_none_or(covered), "said before the stamp was durable: {}", row.id);
                    }
                }
            }
            Message::Docs { docs, .. } => {
                for doc in docs {
                    let row = doc.clone().unpack(UtcMillis::UNKNOWN);
                    let order = Document::parse(&row.bytes).unwrap().order();
                    let hash = hash16(&row.bytes);
                    let name = (row.author, row.kind, order);
                    assert_eq!(*self.said_docs.entry(name).or_insert(hash), hash, "two contents of {name:?}");
                    if row.author == me {
                        let held = pc.docs.get(&(me, row.kind)).and_then(|docs| docs.get(&order));
                        assert_eq!(held, Some(&hash), "said before it was durable: {name:?}");
                        let version = |stamp: &Stamp| if row.kind == DocKind::Board { stamp.board } else { stamp.detail };
                        let covered = |stamp: &Stamp| stamp.incarnation != order.incarnation || order.version <= version(stamp);
                        assert!(stamp.as_ref().is_none_or(covered), "said before the stamp was durable: {name:?}");
                    }
                }
            }
            Message::Have { entries, docs } => {
                // What others wrote is passed on once it is verified.
                for (log, numbers) in entries.iter().filter(|(log, _)| log.author == me) {
                    assert!(numbers.iter().all(|number| pc.holds_run(*log, *number, 1)), "{message:?}");
                }
                let mut docs = docs.iter().filter(|doc| doc.author == me);
                assert!(docs.all(|doc| pc.holds_doc(me, doc.kind, doc.order)), "{message:?}");
            }
            Message::Held { heads, docs } => {
                assert!(heads.iter().all(|(log, head)| pc.holds_run(*log, 1, *head)), "{message:?}");
                assert!(docs.iter().all(|doc| pc.holds_doc(doc.author, doc.kind, doc.order)), "{message:?}");
            }
            Message::Leaves { leaves, .. } => assert!(leaves.iter().all(|leaf| pc.holds_leaf(leaf)), "{message:?}"),
            Message::Details { leaves, .. } => {
                let mut leaves = leaves.iter();
                assert!(leaves.all(|(author, leaf)| pc.holds_doc(*author, DocKind::Detail, leaf.order)), "{message:?}");
            }
            Message::Changed { changes, .. } => assert!(pc.holds_changes(changes), "{message:?}"),
            Message::Forks { .. } => panic!("a fork of an honest node: {message:?}"),
            _ => {}
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Say(n, says) => self.say(n, says),
            Step::Write(n, count) => self.pcs[n].write(count),
            Step::Confirm(n, which) => self.confirm(n, which),
            Step::Fail(n) => {
                let failed = self.pcs[n].waiting.pop_front();
                self.pcs[n].unsaid.extend(failed.map(|batch| (batch.token, false)));
            }
            Step::Carry(count) => self.carry(count),
            Step::Pass(ms) => self.pass(Duration::from_millis(ms)),
            Step::Plug => self.plug(),
            Step::Unplug => self.unplug(),
            Step::Backup(n) => {
                let rows = self.pcs[n].rows.clone();
                self.pcs[n].backups.push(rows);
            }
            Step::Crash(n, crash) => self.crash(n, crash),
        }
    }

    fn say(&mut self, n: usize, says: Says) {
        self.next += 1;
        let id = CommandId(u64::from(self.next));
        let report = |field: &str, value: String| {
            Command::Report(Report { values: BTreeMap::from([(field.to_owned(), value)]), act: Default::default() })
        };
        let command = match says {
            Says::Need(quantity) => {
                Command::RequestNew(RequestNew { items: vec![format!("water:{}", quantity.max(1))], ..Default::default() })
            }
            Says::Board(open) => report("operating.status", if open { "open" } else { "closed" }.to_owned()),
            Says::Stock(count) => report("stock.water", count.to_string()),
        };
        self.input(n, Input::Command { id, command });
    }

    fn confirm(&mut self, n: usize, which: usize) {
        if self.pcs[n].unsaid.is_empty() {
            return;
        }
        let which = which % self.pcs[n].unsaid.len();
        let (token, kept) = self.pcs[n].unsaid.remove(which);
        let failed = || Input::PersistFailed { token, cause: "disk full".to_owned() };
        self.input(n, if kept { Input::Persisted { token } } else { failed() });
    }

    fn carry(&mut self, count: usize) {
        for _ in 0..count {
            let Some((to, link, frame)) = self.wire.pop_front() else { return };
            self.input(to, Input::Received { link, frame });
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        self.now.wall = UtcMillis(self.now.wall.0 + i64::try_from(time.as_millis()).unwrap());
        for n in 0..2 {
            self.input(n, Input::Wake);
        }
    }

    fn plug(&mut self) {
        if self.plugged.is_some() {
            return;
        }
        self.next += 2;
        let links = [LinkId(self.next), LinkId(self.next + 1)];
        self.plugged = Some(links);
        for (n, link) in links.into_iter().enumerate() {
            let profile = LinkProfile {
                mtu: 65_536,
                rate: 0,
                reliable: true,
                broadcast: false,
                peer: Some(ALLIANCE.nodes[1 - n].secret.public()),
                dialled: None,
                label: String::new(),
            };
            self.input(n, Input::LinkUp { link, profile });
            self.input(n, Input::Writable { link, room: ROOM });
        }
    }

    fn unplug(&mut self) {
        self.wire.clear();
        for (n, link) in self.plugged.take().into_iter().flatten().enumerate() {
            self.input(n, Input::LinkDown { link, cause: "unplugged".to_owned() });
        }
    }

    /// Stops a PC and starts it again from what its disk then holds.
    fn crash(&mut self, n: usize, crash: Crash) {
        let (now, salt) = (self.now, self.salt);
        self.wire.clear();
        if let Some(links) = self.plugged.take() {
            self.input(1 - n, Input::LinkDown { link: links[1 - n], cause: "it is gone".to_owned() });
        }
        let pc = &mut self.pcs[n];
        let (open, life) = (pc.node.own.open, pc.node.own.mark.incarnation);
        let quiet = pc.waiting.is_empty() && pc.unsaid.is_empty();
        let before = (pc.node.root(), pc.node.canonical_view());
        pc.write(crash.written);
        let torn = pc.waiting.pop_front().filter(|_| crash.torn);
        pc.keep(torn.map(|batch| batch.rows).unwrap_or_default());
        pc.waiting.clear();
        pc.unsaid.clear();
        let plain = pc.lose(crash);
        pc.boot(n, salt, now);
        assert!(!pc.node.own.open || pc.is_continuous(), "goes on although the store stands behind the stamp");
        let stamped = pc.stamp.is_some_and(|stamp| stamp.incarnation == life);
        if plain && open && stamped {
            assert_eq!((pc.node.own.open, pc.node.own.mark.incarnation), (true, life), "a proven life ended");
        }
        if plain && quiet {
            assert_eq!((pc.node.root(), pc.node.canonical_view()), before, "a restart changed what is held");
        }
        pc.check_acknowledged(&pc.node, true);
        let mut inputs = VecDeque::new();
        self.drain(n, &mut inputs);
        assert!(inputs.is_empty(), "nothing is sent before anything happens");
    }

    /// Runs on without faults until both are equal.
    pub(super) fn finish(&mut self) {
        let mut rounds = 0;
        while !self.is_equal() {
            rounds += 1;
            assert!(rounds < 200, "they do not become equal");
            let due = self.pcs.iter().filter_map(|pc| pc.node.deadline()).map(|(at, _)| at).min();
            self.pass(due.map_or(Duration::ZERO, |at| at.since(self.now.mono)).max(Duration::from_millis(1)));
        }
        for pc in &self.pcs {
            assert_eq!(pc.node.replica.forks().count(), 0);
            for other in &self.pcs {
                pc.check_acknowledged(&other.node, false);
            }
        }
    }

    /// True where both hold the same once all that is under way has come.
    fn is_equal(&mut self) -> bool {
        self.plug();
        self.settle();
        let [one, other] = [0, 1].map(|n: usize| {
            let node = &mut self.pcs[n].node;
            // Details stand in the picture and not in the root.
            (node.root(), node.canonical_view())
        });
        self.plugged.is_some() && one == other
    }

    fn settle(&mut self) {
        while !self.wire.is_empty() || self.pcs.iter().any(|pc| !pc.waiting.is_empty() || !pc.unsaid.is_empty()) {
            for n in 0..2 {
                self.pcs[n].write(usize::MAX);
                self.confirm(n, 0);
            }
            self.carry(1);
        }
    }
}
