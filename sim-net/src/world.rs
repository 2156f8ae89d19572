//! The world around the nodes: one heap of events ordered by (time, seeded tie, sequence), the nodes with their stores, clocks
//! and desks, and the loop that hands inputs to the cores and carries out what they ask. It judges nothing: [`crate::checker`].

mod fault;
mod order;
mod verdict;
mod wire;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use bytes::Bytes;
use holdfast_proto::codec;
use holdfast_proto::config::Config;
use holdfast_proto::control::{Answer, CommandId, Question, Reply};
use holdfast_proto::id::{EntryId, NodeId};
use holdfast_proto::identity::PublicKey;
use holdfast_proto::io::{Input, Output, Row};
use holdfast_proto::link::LinkId;
use holdfast_proto::message::Message;
use holdfast_proto::time::{Now, UtcMillis};

use crate::checker::{Checker, Rule, Sometimes};
use crate::clock::{Clock, EPOCH_MS};
use crate::dice::{Dice, Purpose};
use crate::disk::{Disk, Job, Outcome};
use crate::driver::{Alliance, Driver, Start};
use crate::network::Network;
use crate::plan::{Fault, Loss, MINUTE_US, Plan};
use crate::workload::Desk;

/// Outputs of one input beyond which a node counts as running away: a link set of 128 with a full outbox each is far below.
const OUTPUTS_MAX: usize = 200_000;
/// Wakes of one node within one virtual second beyond which it counts as spinning.
const WAKES_MAX: u32 = 20_000;
/// Writes of one node that fail within one virtual second beyond which it hammers a full disk.
const FAILURES_MAX: u32 = 100;

/// Something that is to happen.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most happenings are inputs; a box for each would cost more than it saves")]
enum Happening {
    Give { node: usize, life: u32, input: Input },
    Wake { node: usize, life: u32 },
    Dial { node: usize, life: u32, address: String },
    LinkUp { link: u64, side: usize },
    LinkDown { link: u64, side: usize, cause: String },
    Frame { link: u64, side: usize, frame: Bytes },
    Release { link: u64, side: usize },
    Grant { link: u64, side: usize },
    Doom { link: u64 },
    Air { from: usize, to: usize, frame: Bytes },
    AirGrant { node: usize, life: u32 },
    Hear,
    Stored { node: usize, life: u32 },
    Fetched { node: usize, life: u32, token: u64, entries: Vec<EntryId> },
    Act { node: usize },
    Fault(Fault),
    Stop { node: usize, loss: Loss },
    Heal,
    Sample,
}

/// What a link number of a node leads to.
#[derive(Clone, Copy, Debug)]
enum Port {
    Wire { link: u64, side: usize },
    Air,
}

/// One place in the alliance: a node that may be running or not, with all that outlives it.
struct Slot {
    driver: Option<Driver>,
    life: u32,
    disk: Disk,
    disk_dice: Dice,
    clock: Clock,
    clock_dice: Dice,
    entropy: Dice,
    desk: Desk,
    admit: Vec<PublicKey>,
    denied: Vec<PublicKey>,
    failures: (u64, u32),
    ports: BTreeMap<LinkId, Port>,
    next_link: u32,
    next_command: u64,
    wake_at: Option<u64>,
    wakes: (u64, u32),
    loss: Loss,
    had_stamp: bool,
    heard: Vec<PublicKey>,
}

/// Delays of entries from acknowledged to durable at other nodes, for figures.
#[derive(Debug, Default)]
pub struct Latencies {
    born: BTreeMap<EntryId, (u64, usize)>,
    /// Microseconds until the last node had it, one per entry that reached all.
    pub last: Vec<u64>,
    /// Microseconds of every delivery.
    pub each: Vec<u64>,
}

impl Latencies {
    /// Entries that some node has not got.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.born.len() as u64
    }
}

/// One run.
pub struct World {
    /// What this seed does.
    pub plan: Plan,
    /// The rules and what came of them.
    pub checker: Checker,
    /// True microseconds since the start.
    pub now: u64,
    /// The wires.
    pub network: Network,
    /// Events carried out.
    pub events: u64,
    /// Frames handed to nodes.
    pub delivered: u64,
    /// Filled where figures are wanted.
    pub latencies: Option<Latencies>,
    /// Everything that crosses the boundary between these true microseconds is written down in words.
    pub trace: Option<(u64, u64)>,
    /// What was written down.
    pub lines: Vec<String>,
    /// True microseconds at which digests were last seen to differ after the heal.
    pub differed_at: Option<u64>,
    alliance: Alliance,
    slots: Vec<Slot>,
    heap: BinaryHeap<Reverse<(u64, u32, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    sequence: u64,
    tie: Dice,
    chance: Dice,
    print: blake3::Hasher,
    ended: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("seed", &self.plan.seed).field("now", &self.now).finish_non_exhaustive()
    }
}

impl World {
    /// Builds the alliance of a plan and starts every node at time 0.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let seed = plan.seed;
        let alliance = Alliance::make(seed, plan.nodes, plan.all_hubs, plan.firms);
        let slots = (0..plan.nodes).map(|node| Slot::new(&plan, node)).collect();
        let mut world = Self {
            checker: Checker::default(),
            now: 0,
            network: Network::new(seed, plan.nodes, plan.air),
            events: 0,
            delivered: 0,
            latencies: None,
            differed_at: None,
            trace: None,
            lines: Vec::new(),
            alliance,
            slots,
            heap: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            sequence: 0,
            tie: Dice::new(seed, Purpose::Tie, 0),
            chance: Dice::new(seed, Purpose::Faults, 0),
            print: blake3::Hasher::new(),
            ended: false,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for node in 0..self.plan.nodes {
            self.start(node);
            if self.plan.work_us > 0 {
                let at = self.slots[node].desk.next_at(self.now, self.plan.work_us);
                self.at(at, Happening::Act { node });
            }
        }
        let faults = std::mem::take(&mut self.plan.faults);
        for (at, fault) in &faults {
            self.at(*at, Happening::Fault(fault.clone()));
        }
        self.plan.faults = faults;
        if self.plan.heal_at > 0 {
            self.at(self.plan.heal_at, Happening::Heal);
            self.at(MINUTE_US / 6, Happening::Sample);
        }
    }

    /// Puts something on the heap.
    fn at(&mut self, at: u64, happening: Happening) {
        let tie = u32::try_from(self.tie.word() >> 32).unwrap_or(0);
        self.sequence += 1;
        self.heap.push(Reverse((at.max(self.now), tie, self.sequence)));
        self.happenings.insert(self.sequence, happening);
    }

    fn after(&mut self, delay: u64, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    /// Runs until the heap is past `end`; false if a runaway node ended the run.
    pub fn run_until(&mut self, end: u64) -> bool {
        while let Some(Reverse((at, _, _))) = self.heap.peek() {
            if *at > end || self.ended {
                break;
            }
            let Some(Reverse((at, _, sequence))) = self.heap.pop() else { break };
            let Some(happening) = self.happenings.remove(&sequence) else { continue };
            self.now = at;
            self.events += 1;
            self.happen(happening);
        }
        self.now = self.now.max(end);
        !self.ended
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Give { node, life, input } => {
                if self.alive(node, life) {
                    self.give(node, input);
                }
            }
            Happening::Wake { node, life } => self.wake(node, life),
            Happening::Dial { node, life, address } => self.dial(node, life, &address),
            Happening::LinkUp { link, side } => self.link_up(link, side),
            Happening::LinkDown { link, side, cause } => self.link_down(link, side, cause),
            Happening::Frame { link, side, frame } => self.frame(link, side, frame),
            Happening::Release { link, side } => self.release(link, side),
            Happening::Grant { link, side } => self.grant(link, side),
            Happening::Doom { link } => self.doom(link),
            Happening::Air { from, to, frame } => self.air(from, to, frame),
            Happening::AirGrant { node, life } => self.air_grant(node, life),
            Happening::Hear => self.hear(),
            Happening::Stored { node, life } => self.stored(node, life),
            Happening::Fetched { node, life, token, entries } => {
                if self.alive(node, life) {
                    let rows = self.slots[node].disk.fetch(&entries);
                    self.checker.saw(Sometimes::Fetched);
                    self.give(node, Input::Fetched { token, rows });
                }
            }
            Happening::Act { node } => self.act(node),
            Happening::Fault(fault) => self.fault(fault),
            Happening::Stop { node, loss } => self.stop(node, loss),
            Happening::Heal => self.heal(),
            Happening::Sample => self.sample(),
        }
    }

    fn alive(&self, node: usize, life: u32) -> bool {
        self.slots[node].life == life && self.slots[node].driver.is_some()
    }

    /// What the clocks of a node show now.
    #[must_use]
    pub fn clock(&self, node: usize) -> Now {
        self.slots[node].clock.read(self.now)
    }

    /// Asks a node; `None` where it is not running.
    pub fn ask(&mut self, node: usize, question: &Question) -> Option<Answer> {
        let now = self.clock(node);
        self.slots[node].driver.as_mut().map(|driver| driver.answer(now, question))
    }

    fn id(&self, node: usize) -> NodeId {
        self.alliance.members[node].id
    }

    fn mark(&mut self, node: usize, kind: u8, bytes: &[u8]) {
        self.print.update(&self.now.to_be_bytes());
        self.print.update(&(node as u64).to_be_bytes());
        self.print.update(&[kind]);
        self.print.update(&(bytes.len() as u64).to_be_bytes());
        self.print.update(bytes);
    }

    /// Hex of a hash over everything that crossed the boundary of every node so far, with its time.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.print.finalize().to_hex().to_string()
    }

    /// Hands one input to a running node and carries out all it asks.
    fn give(&mut self, node: usize, input: Input) {
        if let Input::Received { link, frame } = &input {
            self.delivered += 1;
            self.mark(node, 0, &link.0.to_be_bytes());
            self.mark(node, 1, frame);
        } else {
            let bytes = codec::encode(&input);
            self.mark(node, 2, &bytes);
        }
        let now = self.clock(node);
        self.note(node, || {
            if let Input::Received { link, frame } = &input {
                return format!("<- {} {}", link.0, words(frame));
            }
            format!("<- {input:?}")
        });
        if let Some(driver) = &mut self.slots[node].driver {
            driver.handle(now, input);
        }
        self.drain(node);
    }

    fn drain(&mut self, node: usize) {
        let mut count = 0;
        while let Some(output) = self.slots[node].driver.as_mut().and_then(Driver::poll) {
            count += 1;
            if count > OUTPUTS_MAX {
                break;
            }
            self.output(node, output);
        }
        let bounded = count <= OUTPUTS_MAX;
        self.ended |= !bounded;
        self.checker.check(Rule::AlwaysP2Bounded, bounded, self.now, Some(node), || "one input, endless outputs".to_owned());
        self.set_alarm(node);
    }

    fn set_alarm(&mut self, node: usize) {
        let slot = &mut self.slots[node];
        let Some(deadline) = slot.driver.as_ref().and_then(Driver::deadline) else { return };
        let at = slot.clock.when(deadline, self.now + 1);
        if slot.wake_at.is_some_and(|set| set <= at) {
            return;
        }
        slot.wake_at = Some(at);
        let life = slot.life;
        self.at(at, Happening::Wake { node, life });
    }

    fn wake(&mut self, node: usize, life: u32) {
        if !self.alive(node, life) || self.slots[node].wake_at != Some(self.now) {
            return;
        }
        let second = self.now / 1_000_000;
        let slot = &mut self.slots[node];
        slot.wake_at = None;
        let due = slot.driver.as_ref().and_then(Driver::deadline).is_some_and(|at| at <= slot.clock.read(self.now).mono);
        if !due {
            self.set_alarm(node);
            return;
        }
        slot.wakes = if slot.wakes.0 == second { (second, slot.wakes.1 + 1) } else { (second, 1) };
        let calm = slot.wakes.1 <= WAKES_MAX;
        self.ended |= !calm;
        self.checker.check(Rule::AlwaysP2Bounded, calm, self.now, Some(node), || {
            let alarm = self.slots[node].driver.as_ref().map(Driver::alarm).unwrap_or_default();
            format!("its deadline never moves on: {alarm}")
        });
        self.give(node, Input::Wake);
    }

    fn output(&mut self, node: usize, output: Output) {
        if let Output::Transmit { link, frame } = &output {
            self.mark(node, 3, &link.0.to_be_bytes());
            self.mark(node, 4, frame);
        } else {
            // Not the wire's encoder: replies hold values it can't spell.
            self.mark(node, 5, format!("{output:?}").as_bytes());
        }
        self.note(node, || {
            if let Output::Transmit { link, frame } = &output {
                return format!("-> {} {}", link.0, words(frame));
            }
            format!("-> {output:?}")
        });
        let life = self.slots[node].life;
        match output {
            Output::Transmit { link, frame } => self.transmit(node, link, &frame),
            Output::Persist { token, rows, stamp } => {
                let slot = &mut self.slots[node];
                let at = slot.disk.submit(self.now, Job { token, rows, stamp }, &mut slot.disk_dice);
                self.at(at, Happening::Stored { node, life });
            }
            Output::Fetch { token, entries } => {
                let delay = self.slots[node].disk_dice.between(50, 500);
                self.after(delay, Happening::Fetched { node, life, token, entries });
            }
            Output::Dial { address } => {
                let delay = 3 * self.plan.path.delay + 500;
                self.after(delay, Happening::Dial { node, life, address });
            }
            Output::Hangup { link, reason } => self.hang_up(node, link, &reason),
            Output::Admit { keys, denied } => {
                let slot = &mut self.slots[node];
                (slot.admit, slot.denied) = (keys, denied);
            }
            Output::Reply { id, reply } => self.reply(node, id, &reply),
            Output::Notify(event) => {
                let members = &self.alliance.members;
                let index = |id| members.iter().position(|member| member.id == id);
                self.checker.noticed(node, self.now, &event, index);
                if let holdfast_proto::control::Event::Incarnation { cause, .. } = event {
                    self.incarnation(node, &cause);
                }
            }
        }
    }

    fn note(&mut self, node: usize, what: impl FnOnce() -> String) {
        if self.trace.is_some_and(|(from, to)| (from..to).contains(&self.now)) {
            let line = format!("{:>12} node {node} {}", self.now, what());
            self.lines.push(line);
        }
    }

    fn reply(&mut self, node: usize, id: CommandId, reply: &Reply) {
        self.checker.answered(node, id.0, self.now, reply);
        if let Reply::Saved(saved) = reply
            && let Some(request) = &saved.id
        {
            self.slots[node].desk.learn(request.clone());
        }
    }

    fn incarnation(&mut self, node: usize, cause: &str) {
        let slot = &self.slots[node];
        if slot.life <= 1 {
            return;
        }
        self.checker.saw(Sometimes::NewIncarnation);
        let excused = slot.loss != Loss::Unsynced || !slot.had_stamp || self.checker.lost.contains_key(&node);
        self.checker.check(Rule::AlwaysContinuity, excused, self.now, Some(node), || {
            format!("new incarnation after a crash that lost nothing synced: {cause}")
        });
    }

    fn stored(&mut self, node: usize, life: u32) {
        if !self.alive(node, life) {
            return;
        }
        match self.slots[node].disk.complete() {
            Some(Outcome::Kept(job)) => {
                let id = self.id(node);
                self.checker.durable(node, id, self.now, &job);
                self.time_entries(node, &job);
                self.give(node, Input::Persisted { token: job.token });
            }
            Some(Outcome::Failed(token)) => {
                self.checker.saw(Sometimes::DiskFull);
                let second = self.now / 1_000_000;
                let slot = &mut self.slots[node];
                slot.failures = if slot.failures.0 == second { (second, slot.failures.1 + 1) } else { (second, 1) };
                let calm = slot.failures.1 <= FAILURES_MAX;
                self.checker.check(Rule::AlwaysP2Bounded, calm, self.now, Some(node), || {
                    "writes to a full disk without pause".to_owned()
                });
                self.give(node, Input::PersistFailed { token, cause: "no space left on device".to_owned() });
            }
            None => {}
        }
    }

    fn time_entries(&mut self, node: usize, job: &Job) {
        let Some(latencies) = &mut self.latencies else { return };
        let others = self.alliance.members.len() - 1;
        let id = self.alliance.members[node].id;
        for row in &job.rows {
            let Row::Entry(entry) = row else { continue };
            if entry.id.log.author == id {
                latencies.born.insert(entry.id, (self.now, others));
            } else if let Some((born, left)) = latencies.born.get_mut(&entry.id) {
                let took = self.now - *born;
                latencies.each.push(took);
                *left -= 1;
                if *left == 0 {
                    latencies.last.push(took);
                    latencies.born.remove(&entry.id);
                }
            }
        }
    }

    fn act(&mut self, node: usize) {
        if self.now >= self.plan.quiet_at {
            return;
        }
        let at = self.slots[node].desk.next_at(self.now, self.plan.work_us);
        self.at(at, Happening::Act { node });
        self.operator(node);
    }

    /// The operator of a running node does the next thing.
    fn operator(&mut self, node: usize) {
        let others: Vec<String> = self
            .alliance
            .members
            .iter()
            .filter(|member| member.id != self.id(node))
            .map(|member| member.id.to_string())
            .collect();
        let (kind, command) = self.slots[node].desk.act(&others);
        self.command(node, kind, command);
    }

    /// Starts a node that is not running.
    fn start(&mut self, node: usize) {
        if self.slots[node].driver.is_some() {
            return;
        }
        let slot = &mut self.slots[node];
        slot.life += 1;
        slot.clock.boot(self.now, &mut slot.clock_dice);
        slot.had_stamp = slot.disk.stamp().is_some();
        let config = Config {
            advertise: vec![format!("sim:{node}")],
            clock_floor: UtcMillis(EPOCH_MS - 31_557_600_000),
            ..Config::default()
        };
        let missing = (node + 1 + self.plan.seed as usize % (self.plan.nodes - 1).max(1)) % self.plan.nodes;
        let start = Start {
            me: node,
            unknown: if self.plan.partial_roster { vec![missing] } else { Vec::new() },
            seed: slot.entropy.bytes32(),
            rows: slot.disk.rows(),
            stamp: slot.disk.stamp(),
            now: slot.clock.read(self.now),
            config,
        };
        let made = Driver::start(&self.alliance, start);
        let why = made.as_ref().err().cloned();
        self.checker.check(Rule::AlwaysRestarts, why.is_none(), self.now, Some(node), || why.unwrap_or_default());
        let Ok(driver) = made else { return };
        slot.driver = Some(driver);
        let life = slot.life;
        self.drain(node);
        let mut near: Vec<usize> = (1..self.plan.nodes).map(|step| (node + step) % self.plan.nodes).collect();
        near.truncate(self.plan.known);
        for other in near {
            let input = Input::Candidate { address: format!("sim:{other}"), is_static: true };
            self.after(0, Happening::Give { node, life, input });
        }
        if self.plan.air.is_some() {
            self.join_air(node);
        }
    }
}

/// A frame in words.
fn words(frame: &[u8]) -> String {
    Message::from_frame(frame).map_or_else(|why| format!("{} bytes: {why}", frame.len()), |message| format!("{message:?}"))
}

impl Slot {
    fn new(plan: &Plan, node: usize) -> Self {
        let entity = node as u64;
        let mut clock_dice = Dice::new(plan.seed, Purpose::Clock, entity);
        Self {
            driver: None,
            life: 0,
            disk: Disk::new(plan.pace),
            disk_dice: Dice::new(plan.seed, Purpose::Disk, entity),
            clock: if plan.clocks { Clock::draw(&mut clock_dice) } else { Clock::right() },
            clock_dice,
            entropy: Dice::new(plan.seed, Purpose::Entropy, entity),
            desk: Desk::new(plan.seed, node),
            admit: Vec::new(),
            denied: Vec::new(),
            failures: (0, 0),
            ports: BTreeMap::new(),
            next_link: 0,
            next_command: 0,
            wake_at: None,
            wakes: (0, 0),
            loss: Loss::Unsynced,
            had_stamp: false,
            heard: Vec::new(),
        }
    }

    fn new_link(&mut self) -> LinkId {
        self.next_link += 1;
        LinkId(self.next_link)
    }
}
