//! The node as a whole: a few of them wired by hand, store and links answering at once.

mod addressed;
mod ages;
mod changed;
mod company;
mod continuity;
mod courier;
mod delivered;
mod durable;
mod floors;
mod forks;
mod gate;
mod guests;
mod heals;
mod kin;
mod laws;
mod persons;
mod quota;
mod radio;
mod replay;
mod revoked;
mod room;
mod rosters;
mod spreads;
mod stored;
mod volume;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::*;
use crate::control::{Command, CommandId, Fault, Reply};
use crate::domain::Catalogue;
use crate::domain::wish::{Report, RequestAct, RequestNew};
use crate::identity::{Alliance, AlliancePlan, FirmPlan, NodePlan, PublicKey, RealmKind, Region, found_alliance};
use crate::io::{EntryRow, Row, Stamp};
use crate::link::{LinkId, LinkProfile};
use crate::time::UtcMillis;

fn alliance(nodes: u16) -> Alliance {
    let node = |n: u16| NodePlan {
        name: format!("Node {n}"),
        role: if n == 2 { Role::Hub } else { Role::Store },
        region: Region::from_code("TPE").unwrap(),
        tier: 2,
    };
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: (1..=nodes).map(node).collect() }];
    let plan = AlliancePlan { seed: [7; 32], kind: RealmKind::Simulation, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).unwrap()
}

fn catalogue() -> Catalogue {
    toml::from_str(crate::domain::item::BUILT_IN).unwrap()
}

/// One node, its disk and its stamp.
struct Host {
    node: Node,
    rows: Vec<Row>,
    stamp: Option<Stamp>,
    admitted: BTreeSet<PublicKey>,
    replies: BTreeMap<CommandId, Reply>,
    events: Vec<Event>,
    dials: BTreeSet<String>,
}

/// Some hosts and the links between them.
struct World {
    alliance: Alliance,
    hosts: Vec<Host>,
    /// Links: (host, link) to (host, link).
    wires: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    inputs: VecDeque<(usize, Input)>,
    next_link: u32,
    now: Now,
    next_command: u64,
    /// Frames from a host to another that are thrown away.
    deaf: BTreeSet<(usize, usize)>,
    /// Who is hung up on is told so.
    hangs_up: bool,
    /// Where set, frames are lost, doubled and overtaken.
    noise: Option<crate::rng::Rng>,
    /// How often each kind of message was sent, by its number in the frame.
    said: BTreeMap<u8, usize>,
}

impl World {
    fn new(count: u16) -> Self {
        Self::of(alliance(count), usize::from(count))
    }

    /// The first `count` of an alliance run.
    fn of(alliance: Alliance, count: usize) -> Self {
        let now = Now { mono: Instant(1_000_000), wall: UtcMillis(1_795_000_000_000) };
        let mut world = Self {
            alliance,
            hosts: Vec::new(),
            wires: BTreeMap::new(),
            inputs: VecDeque::new(),
            next_link: 0,
            now,
            next_command: 0,
            deaf: BTreeSet::new(),
            hangs_up: false,
            noise: None,
            said: BTreeMap::new(),
        };
        for n in 0..count {
            let node = world.boot(n, Vec::new(), None);
            world.hosts.push(Host {
                node,
                rows: Vec::new(),
                stamp: None,
                admitted: BTreeSet::new(),
                replies: BTreeMap::new(),
                events: Vec::new(),
                dials: BTreeSet::new(),
            });
            world.drain(n);
        }
        world
    }

    fn boot(&self, n: usize, rows: Vec<Row>, stamp: Option<Stamp>) -> Node {
        self.boot_with(n, rows, stamp, Config::default())
    }

    fn boot_with(&self, n: usize, rows: Vec<Row>, stamp: Option<Stamp>, config: Config) -> Node {
        Node::restore(self.setup(n, stamp, config), rows, self.now).unwrap()
    }

    fn setup(&self, n: usize, stamp: Option<Stamp>, config: Config) -> Setup {
        let issued = &self.alliance.nodes[n];
        let mut seed = [n as u8; 32];
        seed[1] = (self.now.mono.0 / 1_000) as u8;
        Setup {
            config,
            me: issued.node,
            signer: issued.secret.clone().into(),
            known: Known::of(self.alliance.roster.clone()),
            catalogue: catalogue(),
            seed,
            stamp,
        }
    }

    fn connect(&mut self, a: usize, b: usize) {
        self.connect_over(a, b, 65_536);
    }

    /// The same over a link that takes frames of at most `mtu` bytes.
    fn connect_over(&mut self, a: usize, b: usize, mtu: u32) {
        self.wire(a, b, mtu, format!("host{b}"));
    }

    /// The same, dialled at this address.
    fn wire(&mut self, a: usize, b: usize, mtu: u32, address: String) {
        let (x, y) = (LinkId(self.next_link), LinkId(self.next_link + 1));
        self.next_link += 2;
        self.wires.insert((a, x), (b, y));
        self.wires.insert((b, y), (a, x));
        for (host, link, other, dialled) in [(a, x, b, true), (b, y, a, false)] {
            let profile = LinkProfile {
                mtu,
                rate: 0,
                reliable: true,
                broadcast: false,
                peer: Some(self.alliance.nodes[other].secret.public()),
                dialled: dialled.then(|| address.clone()),
                label: format!("wire to {other}"),
            };
            self.inputs.push_back((host, Input::LinkUp { link, profile }));
            self.inputs.push_back((host, Input::Writable { link, room: 200_000 }));
        }
        self.settle();
    }

    fn disconnect_all(&mut self, n: usize) {
        let gone: Vec<_> = self.wires.iter().filter(|((a, _), (b, _))| *a == n || *b == n).map(|(from, _)| *from).collect();
        for (host, link) in gone {
            self.wires.remove(&(host, link));
            self.inputs.push_back((host, Input::LinkDown { link, cause: "unplugged".to_owned() }));
        }
        self.settle();
    }

    fn drain(&mut self, n: usize) {
        while let Some(output) = self.hosts[n].node.poll_output() {
            match output {
                Output::Transmit { link, frame } => {
                    *self.said.entry(frame[1]).or_default() += 1;
                    let Some((to, other)) = self.wires.get(&(n, link)).copied() else { continue };
                    if !self.deaf.contains(&(n, to)) {
                        self.carry(to, Input::Received { link: other, frame });
                    }
                    self.inputs.push_back((n, Input::Writable { link, room: 200_000 }));
                }
                Output::Persist { token, rows, stamp } => {
                    self.hosts[n].rows.extend(rows);
                    self.hosts[n].stamp = stamp.or(self.hosts[n].stamp);
                    self.inputs.push_back((n, Input::Persisted { token }));
                }
                Output::Fetch { token, entries } => {
                    let find =
                        |id: &EntryId| self.hosts[n].rows.iter().rev().find_map(|row| entry_of(row).filter(|row| row.id == *id));
                    let rows: Vec<EntryRow> = entries.iter().filter_map(find).cloned().collect();
                    self.inputs.push_back((n, Input::Fetched { token, rows }));
                }
                Output::Reply { id, reply } => {
                    self.hosts[n].replies.insert(id, reply);
                }
                Output::Admit { keys, .. } => self.hosts[n].admitted = keys.into_iter().collect(),
                Output::Notify(event) => {
                    assert!(!matches!(event, Event::Bug { .. }), "{event:?}");
                    self.hosts[n].events.push(event);
                }
                Output::Dial { address } => {
                    self.hosts[n].dials.insert(address);
                }
                Output::Hangup { link, reason } => {
                    if let Some((to, other)) = self.wires.get(&(n, link)).copied().filter(|_| self.hangs_up) {
                        self.wires.retain(|from, _| *from != (n, link) && *from != (to, other));
                        self.inputs.push_back((to, Input::LinkDown { link: other, cause: reason }));
                    }
                }
            }
        }
    }

    fn carry(&mut self, to: usize, frame: Input) {
        let Some(noise) = &mut self.noise else { return self.inputs.push_back((to, frame)) };
        let copies = [1, 1, 1, 1, 1, 1, 2, 2, 0, 0][noise.below(10) as usize];
        for _ in 0..copies {
            let place = noise.below(self.inputs.len() as u64 + 1) as usize;
            self.inputs.insert(place, (to, frame.clone()));
        }
    }

    /// Delivers everything that is under way, without time passing.
    fn settle(&mut self) {
        while let Some((n, input)) = self.inputs.pop_front() {
            self.hosts[n].node.handle(self.now, input);
            self.drain(n);
        }
    }

    /// Lets time pass, waking nodes when they asked for it.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        self.settle();
        while let Some(at) =
            self.hosts.iter().filter_map(|host| host.node.deadline()).map(|(at, _)| at).min().filter(|at| *at <= end)
        {
            let step = at.since(self.now.mono).max(Duration::from_micros(1));
            self.advance(step);
            for n in 0..self.hosts.len() {
                self.inputs.push_back((n, Input::Wake));
            }
            self.settle();
        }
        self.advance(end.since(self.now.mono));
    }

    fn advance(&mut self, step: Duration) {
        self.now.mono = self.now.mono.after(step);
        self.now.wall = UtcMillis(self.now.wall.0 + i64::try_from(step.as_millis()).unwrap());
    }

    fn order(&mut self, n: usize, command: Command) -> Reply {
        self.next_command += 1;
        let id = CommandId(self.next_command);
        self.inputs.push_back((n, Input::Command { id, command }));
        self.settle();
        self.hosts[n].replies.remove(&id).expect("answered")
    }

    fn report(&mut self, n: usize, field: &str, value: &str) {
        let values = BTreeMap::from([(field.to_owned(), value.to_owned())]);
        let reply = self.order(n, Command::Report(Report { values, act: Default::default() }));
        assert!(matches!(reply, Reply::Saved(_)), "{reply:?}");
    }

    fn request(&mut self, n: usize, items: &str, key: Option<&str>) -> crate::control::Saved {
        let wish = RequestNew { items: vec![items.to_owned()], key: key.map(str::to_owned), ..Default::default() };
        match self.order(n, Command::RequestNew(wish)) {
            Reply::Saved(saved) => *saved,
            other => panic!("{other:?}"),
        }
    }

    fn digests(&mut self) -> Vec<String> {
        let now = self.now;
        let digest = |host: &mut Host| match host.node.answer(now, &Question::Digest) {
            Answer::Digest(view) => view.digest,
            other => panic!("{other:?}"),
        };
        self.hosts.iter_mut().map(digest).collect()
    }

    fn converged(&mut self) {
        let digests = self.digests();
        assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
        let views: Vec<_> = self.hosts.iter().map(|host| host.node.canonical_view()).collect();
        assert!(views.windows(2).all(|pair| pair[0] == pair[1]));
    }

    fn status_of(&mut self, seer: usize, seen: usize) -> crate::control::NodeView {
        let now = self.now;
        let id = self.alliance.nodes[seen].node.to_string();
        match self.hosts[seer].node.answer(now, &Question::Status) {
            Answer::Status(view) => view.nodes.into_iter().find(|node| node.id == id).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn warnings(&mut self, n: usize) -> Vec<String> {
        let now = self.now;
        match self.hosts[n].node.answer(now, &Question::Status) {
            Answer::Status(view) => view.warnings.into_iter().map(|warning| warning.code).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn requests(&mut self, n: usize) -> Vec<crate::control::RequestView> {
        let now = self.now;
        match self.hosts[n].node.answer(now, &Question::Requests(crate::control::Which::All)) {
            Answer::Requests(view) => view.requests,
            other => panic!("{other:?}"),
        }
    }

    /// What a copy of its disk, stamp included, would hold.
    fn copy(&self, n: usize) -> (Vec<Row>, Option<Stamp>) {
        (self.hosts[n].rows.clone(), self.hosts[n].stamp)
    }

    /// Starts it again from a copy.
    fn put_back(&mut self, n: usize, copy: (Vec<Row>, Option<Stamp>)) {
        self.disconnect_all(n);
        (self.hosts[n].rows, self.hosts[n].stamp) = copy;
        self.restart(n);
    }

    fn restart(&mut self, n: usize) {
        self.disconnect_all(n);
        let (rows, stamp) = (latest(&self.hosts[n].rows), self.hosts[n].stamp);
        self.hosts[n].node = self.boot(n, rows, stamp);
        self.drain(n);
        self.settle();
    }
}

fn entry_of(row: &Row) -> Option<&EntryRow> {
    if let Row::Entry(entry) = row { Some(entry) } else { None }
}

/// What a store would hold: the newest of each key.
fn latest(rows: &[Row]) -> Vec<Row> {
    let mut docs = BTreeMap::new();
    let mut others = Vec::new();
    for row in rows {
        if let Row::Doc { slot, author, kind, .. } = row {
            docs.insert((*slot, *author, *kind), row.clone());
        } else {
            others.push(row.clone());
        }
    }
    others.extend(docs.into_values());
    others
}

#[test]
fn a_report_made_on_one_node_is_on_its_neighbours_at_once() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.connect(1, 2);
    world.report(0, "operating.status", "open");
    assert_eq!(world.status_of(2, 0).operating_status, "open");
    world.pass(Duration::from_secs(5));
    world.converged();
    assert_eq!(world.status_of(1, 0).age_s, Some(5));
}

#[test]
fn two_halves_go_on_alone_and_are_equal_after_the_heal() {
    let mut world = World::new(3);
    world.connect(1, 2);
    for n in 0..30 {
        world.request(0, &format!("water:{}", n + 1), None);
        world.request(1, &format!("rice:{}", n + 1), None);
    }
    world.report(0, "power.source", "generator");
    world.report(2, "power.source", "battery");
    world.connect(0, 2);
    world.pass(Duration::from_secs(10));
    world.converged();
    assert_eq!(world.requests(2).len(), 60);
}

#[test]
fn a_request_is_acknowledged_by_the_hub_and_its_delivery_is_told() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    let saved = world.request(0, "water:40", None);
    world.pass(Duration::from_secs(1));
    let now = world.now;
    let answer = world.hosts[0].node.answer(now, &Question::Delivery(saved.ticket));
    let Answer::Delivery(delivery) = answer else { panic!("{answer:?}") };
    assert_eq!((delivery.neighbours, delivery.acknowledged_by), (1, vec!["Node 2".to_owned()]));
    assert_eq!(world.requests(0)[0].status, "acknowledged");
}

#[test]
fn the_same_key_twice_is_one_request() {
    let mut world = World::new(1);
    let first = world.request(0, "water:40", Some("form-7"));
    let second = world.request(0, "water:40", Some("form-7"));
    assert_eq!((first.id.clone(), second.already), (second.id, true));
    assert_eq!(world.requests(0).len(), 1);
    let close = RequestAct { request: first.id.unwrap(), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestClose(close)), Reply::Saved(_)));
    assert_eq!(world.requests(0)[0].status, "closed");
}

#[test]
fn a_restart_goes_on_in_the_same_logbook_and_a_wiped_disk_in_a_new_one() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    world.restart(0);
    world.connect(0, 1);
    world.request(0, "water:2", None);
    world.pass(Duration::from_secs(3));
    assert_eq!(world.hosts[1].node.replica.logs_of(world.alliance.nodes[0].node).count(), 1);
    world.hosts[0].rows.clear();
    world.restart(0);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.request(0, "water:3", None);
    world.pass(Duration::from_secs(3));
    world.converged();
    assert_eq!(world.requests(0).len(), 3);
    assert_eq!(world.hosts[1].node.replica.logs_of(world.alliance.nodes[0].node).count(), 2);
    assert_eq!(world.hosts[1].node.replica.forks().count(), 0);
}

#[test]
fn an_old_backup_makes_a_new_incarnation_and_no_fork() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let backup = world.copy(0).0;
    world.request(0, "water:2", None);
    let stamp = world.hosts[0].stamp;
    world.put_back(0, (backup, stamp));
    world.request(0, "water:3", None);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.converged();
    assert_eq!(world.requests(1).len(), 3);
    assert_eq!(world.hosts[1].node.replica.forks().count(), 0);
}

#[test]
fn a_cloned_pc_that_writes_is_found_and_frozen_the_same_everywhere() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let before = world.copy(0);
    world.disconnect_all(0);
    world.request(0, "water:2", None);
    // The clone: same key, same disk, same stamp, seen by host 2 only.
    let one = world.hosts[0].rows.clone();
    world.put_back(0, before.clone());
    world.request(0, "rice:9", None);
    world.connect(0, 2);
    world.pass(Duration::from_secs(3));
    world.put_back(0, (one, before.1));
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.disconnect_all(0);
    world.connect(1, 2);
    world.pass(Duration::from_secs(5));
    let digests = world.digests();
    assert_eq!(digests[1], digests[2]);
    assert_eq!(world.hosts[1].node.canonical_view(), world.hosts[2].node.canonical_view());
    assert_eq!(world.hosts[1].node.replica.forks().count(), 1);
    assert!(world.status_of(1, 0).forked);
    assert!(world.warnings(1).contains(&"H-405".to_owned()) && world.warnings(2).contains(&"H-405".to_owned()));
}

#[test]
fn when_the_store_refuses_nothing_is_said_and_the_next_write_goes_on() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let wish = RequestNew { items: vec!["water:2".to_owned()], ..Default::default() };
    let id = CommandId(9_999);
    world.hosts[0].node.handle(world.now, Input::Command { id, command: Command::RequestNew(wish) });
    let token = std::iter::from_fn(|| world.hosts[0].node.poll_output())
        .find_map(|output| if let Output::Persist { token, .. } = output { Some(token) } else { None })
        .unwrap();
    world.inputs.push_back((0, Input::PersistFailed { token, cause: "disk full".to_owned() }));
    world.settle();
    assert!(matches!(world.hosts[0].replies.remove(&id), Some(Reply::Refused(refusal)) if refusal.code == "H-503"));
    assert_eq!(world.requests(0).len(), 1);
    world.request(0, "water:3", None);
    world.pass(Duration::from_secs(3));
    world.converged();
    assert_eq!(world.requests(1).len(), 2);
}

#[test]
fn a_lost_push_is_pulled_by_the_next_one_and_by_the_digest() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.deaf.insert((0, 1));
    world.request(0, "water:1", None);
    world.deaf.clear();
    world.request(0, "water:2", None);
    assert_eq!(world.requests(1).len(), 2, "the hole is pulled at once");
    world.deaf.insert((0, 1));
    world.request(0, "water:3", None);
    world.deaf.clear();
    world.pass(Duration::from_secs(3));
    world.converged();
}

#[test]
fn a_cut_is_obeyed_and_a_heal_ends_it() {
    let mut world = World::new(2);
    world.connect(0, 1);
    let nodes = vec![world.alliance.nodes[1].node];
    world.order(0, Command::Fault(Fault::Cut { nodes }));
    assert!(world.hosts[0].node.linked().is_empty() && world.hosts[0].admitted.is_empty());
    world.order(0, Command::Fault(Fault::Heal));
    assert_eq!(world.hosts[0].admitted.len(), 1);
}

/// A signed entry of the third node, in the order (number, previous, text that makes it unlike others).
fn told(world: &World, number: u32, prev: [u8; 16], body: &'static [u8]) -> (crate::message::WireEntry, [u8; 16]) {
    let issued = &world.alliance.nodes[2];
    let incarnation = crate::id::Incarnation { count: 1, random: 1 };
    let header = crate::replica::Header {
        id: EntryId { log: LogId { author: issued.node, generation: issued.generation, incarnation }, number },
        prev,
        class: crate::id::Class::ROUTINE,
        closed: false,
        urgent: 0,
        wall: UtcMillis::UNKNOWN,
        body_hash: *blake3::hash(body).as_bytes(),
        extra: bytes::Bytes::new(),
    };
    let bytes = header.to_bytes();
    let signature = crate::identity::sign(&issued.secret, &world.alliance.roster.realm(), crate::identity::Tag::Entry, &bytes);
    let row = EntryRow {
        id: header.id,
        header: bytes.clone(),
        signature,
        body: Some(bytes::Bytes::from_static(body)),
        age: crate::io::AgeMark::default(),
    };
    (crate::message::WireEntry::pack(&row, true, None).unwrap(), crate::replica::hash16(&bytes))
}

#[test]
fn a_proof_of_a_lower_fork_lowers_the_freeze_though_its_entries_stand_higher() {
    let mut world = World::new(3);
    world.connect(0, 1);
    let (_, one) = told(&world, 1, [0; 16], b"one");
    let (_, two_a) = told(&world, 2, one, b"a");
    let (_, two_b) = told(&world, 2, one, b"b");
    let (three_a, _) = told(&world, 3, two_a, b"a");
    let (three_b, hash) = told(&world, 3, two_b, b"b");
    let (four_b, _) = told(&world, 4, hash, b"b");
    let log = three_a.id().log;
    let link = world.wires.keys().find(|(host, _)| *host == 1).unwrap().1;
    for (proof, frozen) in [((three_a.clone(), four_b), 3), ((three_a, three_b), 2)] {
        let frame = crate::message::Message::Forks { proofs: vec![proof] }.to_frame();
        world.inputs.push_back((1, Input::Received { link, frame }));
        world.settle();
        assert_eq!(world.hosts[1].node.replica.fork(log).map(|proof| proof.number), Some(frozen));
    }
}
