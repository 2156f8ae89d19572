//! The world around the nodes: one heap of events ordered by (time, seeded tie, sequence), the nodes with their stores, clocks
//! and desks, and the loop that hands inputs to the cores and carries out what they ask. It judges nothing: [`crate::checker`].
//!
//! | room | what it does |
//! | --- | --- |
//! | `world/inject` | what a scenario makes happen, and its undoing |
//! | `world/start` | PCs that start and stop, and what they find on their disks |
//! | `world/order` | commands: told to staff, said by themselves, asked for by figures |
//! | `world/wire`, `world/air`, `world/links` | links, the broadcast domain, what stands of them |
//! | `world/radio`, `world/courier` | radio channels, sticks that are carried |
//! | `world/adversary` | frames of somebody who has no right to speak, or speaks badly |
//! | `world/log` | what happened, for those above |
//! | `world/verdict` | samples and the last look |
//! | `world/queue`, `world/print`, `world/slot` | the heap, the fingerprint, one place |

mod adversary;
mod air;
mod courier;
mod goods;
mod inject;
mod links;
mod log;
mod observe;
mod order;
mod print;
mod queue;
mod radio;
mod revoke;
mod slot;
mod start;
#[cfg(test)]
mod tests;
mod verdict;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use holdfast_proto::control::{Answer, Event, Question};
use holdfast_proto::id::{EntryId, NodeId};
use holdfast_proto::io::{Input, Output, Row};
use holdfast_proto::link::LinkId;
use holdfast_proto::message::Message;
use holdfast_proto::time::Now;

use self::links::Links;
pub use self::log::{Happened, Latencies, Logged, Via};
use self::print::Print;
use self::queue::Queue;
pub use self::radio::OnAir;
use self::slot::{Admit, Slot};
use crate::checker::{Checker, Made, Rule, Sometimes};
use crate::dice::{Dice, Purpose};
use crate::driver::{Alliance, Driver};
use crate::network::element::Backhaul;
use crate::network::path::Tally;
use crate::network::radio::TransmissionNo;
use crate::scenario::{Inject, Micros, Scenario, SiteNo, Subject};
use crate::site::disk::{Job, Outcome};

/// One minute.
pub const MINUTE: Micros = 60_000_000;
/// Outputs of one input beyond which a node counts as running away: a link set of 128 with a full outbox each is far below.
const OUTPUTS_MAX: usize = 200_000;
/// Wakes of one node within one virtual second beyond which it counts as spinning.
const WAKES_MAX: u32 = 20_000;
/// Writes of one node that fail within one virtual second beyond which it hammers a full disk.
const FAILURES_MAX: u32 = 100;
/// Sites at most: authors one node carries.
const SITES_MAX: usize = holdfast_proto::config::AUTHORS_MAX;
/// After everything is mended people go on for so long, at most.
const QUIET_AFTER: Micros = MINUTE / 2;

/// Something that is to happen.
#[derive(Clone, Debug)]
enum Happening {
    Give { node: usize, life: u32, input: Box<Input> },
    Wake { node: usize, life: u32 },
    Dial { node: usize, life: u32, address: String },
    LinkUp { link: u64, side: usize },
    LinkDown { link: u64, side: usize, cause: String },
    Frame { link: u64, side: usize, frame: Bytes },
    Release { link: u64, side: usize },
    Grant { link: u64, side: usize },
    Doom { link: u64, since: Micros },
    Air { from: usize, to: usize, frame: Bytes },
    AirGrant { node: usize, life: u32 },
    Hear,
    RadioTry { net: usize, node: usize, life: u32 },
    RadioDone { net: usize, node: usize, life: u32, transmission: TransmissionNo, frame: Bytes },
    RadioGrant { net: usize, node: usize, life: u32 },
    PlugIn { node: usize },
    Unpack { visit: usize },
    Stored { node: usize, life: u32 },
    Fetched { node: usize, life: u32, token: u64, entries: Vec<EntryId> },
    Beat { node: usize, beat: Beat },
    Told { node: usize, nr: u32 },
    Inject { nr: u32 },
    Undo { nr: u32 },
    BackUp { node: usize, nr: u32 },
    Overhear { node: usize, nr: u32 },
    Forged { rogue: usize },
    Dark { node: usize },
    Stop { node: usize },
    Flap { nr: u32 },
    Swizzle { nr: u32, node: usize, off: bool },
    Endex,
    Sample,
}

/// What nodes say without being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    Board,
    Entry,
    /// A store asks for goods.
    Need,
    /// Who sends goods or signs for them looks at the screen.
    Depot,
    Act,
}

/// The scenario can't be run; nothing was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotRun {
    /// Something in it is not there, or out of range.
    Bad(String),
    /// Whoever founded it gave up before all nodes had started.
    GivenUp,
}

impl std::fmt::Display for CannotRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bad(what) => f.write_str(what),
            Self::GivenUp => f.write_str("it was given up before all sites had started; nothing was played"),
        }
    }
}

impl std::error::Error for CannotRun {}

/// When the phases of a run end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phases {
    /// Injects end; where there is a settling, everything is mended.
    endex: Micros,
    /// Nobody writes any more from here on.
    quiet: Micros,
    /// The run ends.
    end: Micros,
}

impl Phases {
    fn new(endex: Micros, settle: Micros) -> Self {
        Self { endex, quiet: endex + QUIET_AFTER.min(settle / 16), end: endex + settle }
    }
}

/// One run. A clone of it goes on from here by itself: another branch.
#[derive(Clone)]
pub struct World {
    /// The rules and what came of them.
    pub checker: Checker,
    /// True microseconds since STARTEX.
    pub now: Micros,
    /// Events carried out.
    pub events: u64,
    /// Frames handed to nodes.
    pub delivered: u64,
    /// Frames handed to nodes and their bytes, by the number of their kind of message.
    pub kinds: BTreeMap<u8, (u64, u64)>,
    /// Filled where delays are wanted.
    pub latencies: Option<Latencies>,
    /// Everything that crosses the boundary between these true microseconds is written down in words.
    pub trace: Option<(Micros, Micros)>,
    /// What was written down.
    pub lines: Vec<String>,
    /// True microseconds at which digests were last seen to differ after the heal.
    pub differed_at: Option<Micros>,
    scenario: Arc<Scenario>,
    seed: u64,
    alliance: Arc<Alliance>,
    slots: Vec<Slot>,
    links: Links,
    radios: Vec<radio::Net>,
    post: courier::Post,
    backhaul: Backhaul,
    queue: Queue<Happening>,
    phases: Phases,
    /// Every inject there is, by number.
    injects: BTreeMap<u32, Inject>,
    /// Injects that are in force.
    standing: BTreeSet<u32>,
    /// Spoken ids of requests by their label, and who asked.
    requests: BTreeMap<String, (SiteNo, String)>,
    /// Links of adversaries, and what they noted down for which inject.
    rogues: Vec<adversary::Rogue>,
    /// Sites whose key was taken away.
    revoked: BTreeSet<SiteNo>,
    overheard: BTreeMap<u32, Vec<Row>>,
    /// What was made durable because of what.
    said: BTreeMap<Subject, Vec<(SiteNo, Made)>>,
    log: Vec<Logged>,
    slack: verdict::AgeSlack,
    watch: verdict::Watch,
    chance: Dice,
    print: Print,
    hearing: bool,
    /// What brought the input that is being carried out.
    via: Via,
    /// ENDEX was.
    over: bool,
    /// A node runs away: nothing more happens.
    ended: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("seed", &self.seed).field("now", &self.now).finish_non_exhaustive()
    }
}

impl World {
    /// Founds the alliance of a scenario and starts every node at STARTEX. Every chance comes from `seed`.
    ///
    /// # Errors
    /// [`CannotRun`].
    pub fn new(scenario: Scenario, seed: u64) -> Result<Self, CannotRun> {
        Self::found(scenario, seed, &mut || true)
    }

    /// The same, which for thousands of nodes takes a while: again and again `go_on` is asked whether to.
    ///
    /// # Errors
    /// [`CannotRun`]; [`CannotRun::GivenUp`] where `go_on` said no.
    pub fn found(scenario: Scenario, seed: u64, go_on: &mut dyn FnMut() -> bool) -> Result<Self, CannotRun> {
        let count = scenario.sites.len();
        if !(2..=SITES_MAX).contains(&count) {
            return Err(CannotRun::Bad(format!("{count} sites: a run has 2 to {SITES_MAX}")));
        }
        if let Some(element) = scenario.elements.iter().find(|element| element.used_by.iter().any(|site| *site >= count)) {
            return Err(CannotRun::Bad(format!("element {} is used by a site that is not there", element.id)));
        }
        let exercise = &scenario.exercise;
        let alliance = Alliance::make(seed, &scenario.sites, exercise.startex_ms).map_err(CannotRun::Bad)?;
        let phases = Phases::new(exercise.duration, exercise.settle);
        let slots = (0..count).map(|node| Slot::new(&scenario, seed, node)).collect();
        let mut world = Self {
            checker: Checker::default(),
            now: 0,
            events: 0,
            delivered: 0,
            kinds: BTreeMap::new(),
            latencies: None,
            trace: None,
            lines: Vec::new(),
            differed_at: None,
            seed,
            alliance: Arc::new(alliance),
            slots,
            links: Links::new(seed, count, scenario.world.gossip.as_ref()),
            radios: radio::Net::all(&scenario, seed)?,
            post: courier::Post::new(seed),
            backhaul: Backhaul::new(&scenario.sites, &scenario.elements, scenario.world.wan, scenario.world.lan),
            queue: Queue::new(Dice::new(seed, Purpose::Tie, 0)),
            phases,
            injects: BTreeMap::new(),
            standing: BTreeSet::new(),
            requests: BTreeMap::new(),
            rogues: Vec::new(),
            revoked: BTreeSet::new(),
            overheard: BTreeMap::new(),
            said: BTreeMap::new(),
            log: Vec::new(),
            slack: verdict::AgeSlack::new(&scenario),
            watch: verdict::Watch::default(),
            chance: Dice::new(seed, Purpose::Faults, 0),
            print: Print::default(),
            hearing: false,
            via: Via::Other,
            over: false,
            ended: false,
            scenario: Arc::new(scenario),
        };
        for inject in world.scenario.injects.clone() {
            world.inject(inject)?;
        }
        world.begin(go_on)?;
        Ok(world)
    }

    /// Puts something on the heap.
    fn at(&mut self, at: Micros, happening: Happening) {
        self.queue.push(at.max(self.now), happening);
    }

    fn after(&mut self, delay: Micros, happening: Happening) {
        self.at(self.now + delay, happening);
    }

    /// What is being run.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Where all chance comes from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// When everything is mended, or simply ENDEX: as planned, or as it was stopped.
    #[must_use]
    pub fn endex(&self) -> Micros {
        self.phases.endex
    }

    /// When the run ends: ENDEX and the settling.
    #[must_use]
    pub fn end(&self) -> Micros {
        self.phases.end
    }

    /// What happened to frames.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.links.tallies.iter().fold(Tally::default(), |sum, one| sum + *one)
    }

    /// When the next event is due, if any is left before the end.
    #[must_use]
    pub fn next_event(&self) -> Option<Micros> {
        self.queue.next_at().filter(|at| *at <= self.phases.end && !self.ended)
    }

    /// Runs until the heap is past `until`; false if a runaway node ended the run.
    pub fn run_until(&mut self, until: Micros) -> bool {
        self.run_some(until, u64::MAX)
    }

    /// The same, but only to the end of the moment in which the last of so many events is carried out: [`Self::now`] may be before
    /// `until` then, and nothing of that moment is left. In one call or in many, it is the same run.
    pub fn run_some(&mut self, until: Micros, events: u64) -> bool {
        let last = self.events.saturating_add(events);
        while !self.ended {
            let due = if self.events < last { until } else { until.min(self.now) };
            let Some((at, happening)) = self.queue.pop(due) else { break };
            self.now = at;
            self.events += 1;
            self.happen(happening);
        }
        if self.ended || self.queue.next_at().is_none_or(|at| at > until) {
            self.now = self.now.max(until);
        }
        !self.ended
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Give { node, life, input } => {
                if self.alive(node, life) {
                    self.give(node, *input);
                }
            }
            Happening::Wake { node, life } => self.wake(node, life),
            Happening::Dial { node, life, address } => self.dial(node, life, &address),
            Happening::LinkUp { link, side } => self.link_up(link, side),
            Happening::LinkDown { link, side, cause } => self.link_down(link, side, cause),
            Happening::Frame { link, side, frame } => self.frame(link, side, frame),
            Happening::Release { link, side } => self.release(link, side),
            Happening::Grant { link, side } => self.grant(link, side),
            Happening::Doom { link, since } => self.doom(link, since),
            Happening::Air { from, to, frame } => self.air(from, to, frame),
            Happening::AirGrant { node, life } => self.air_grant(node, life),
            Happening::Hear => self.hear(),
            Happening::RadioTry { net, node, life } => self.radio_try(net, node, life),
            Happening::RadioDone { net, node, life, transmission, frame } => {
                self.radio_done(net, (node, life), transmission, &frame);
            }
            Happening::RadioGrant { net, node, life } => self.radio_grant(net, node, life),
            Happening::PlugIn { node } => self.plug_in(node),
            Happening::Unpack { visit } => self.unpack(visit),
            Happening::Stored { node, life } => self.stored(node, life),
            Happening::Fetched { node, life, token, entries } => {
                if self.alive(node, life) {
                    let rows = self.slots[node].disk.fetch(&entries);
                    self.checker.saw(Sometimes::Fetched);
                    self.give(node, Input::Fetched { token, rows });
                }
            }
            Happening::Beat { node, beat } => self.beat(node, beat),
            Happening::Told { node, nr } => self.told(node, nr),
            Happening::Inject { nr } => self.carry_out(nr),
            Happening::Undo { nr } => self.undo(nr),
            Happening::BackUp { node, nr } => self.slots[node].disk.back_up(nr),
            Happening::Overhear { node, nr } => self.overhear(nr, node),
            Happening::Forged { rogue } => self.forged(rogue),
            Happening::Dark { node } => self.dark(node),
            Happening::Stop { node } => self.stop(node, true),
            Happening::Flap { nr } => self.swing(nr),
            Happening::Swizzle { nr, node, off } => self.swizzle(nr, node, off),
            Happening::Endex => self.endex_now(),
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

    /// The name of a site's node.
    #[must_use]
    pub fn id(&self, node: usize) -> NodeId {
        self.alliance.members[node].id
    }

    /// Hex of a hash over everything that crossed the boundary of every node so far, with its time.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.print.hex()
    }

    /// Hands a frame to a running node.
    fn bring(&mut self, node: usize, via: Via, link: LinkId, frame: Bytes) {
        self.via = via;
        self.give(node, Input::Received { link, frame });
        self.via = Via::Other;
    }

    /// Hands one input to a running node and carries out all it asks.
    fn give(&mut self, node: usize, input: Input) {
        if let Input::Received { frame, .. } = &input {
            self.delivered += 1;
            let (frames, bytes) = self.kinds.entry(frame.get(1).copied().unwrap_or_default()).or_default();
            *frames += 1;
            *bytes += frame.len() as u64;
        }
        self.print.input(self.now, node, &input);
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
        self.print.output(self.now, node, &output);
        self.note(node, || {
            if let Output::Transmit { link, frame } = &output {
                return format!("-> {} {}", link.0, words(frame));
            }
            format!("-> {output:?}")
        });
        let life = self.slots[node].life;
        match output {
            Output::Transmit { link, frame } => self.transmit(node, link, frame),
            Output::Persist { token, rows, stamp } => {
                let slot = &mut self.slots[node];
                let at = slot.disk.submit(self.now, Job { token, rows, stamp, via: self.via }, &mut slot.disk_dice);
                self.at(at, Happening::Stored { node, life });
            }
            Output::Fetch { token, entries } => {
                let delay = self.slots[node].disk_dice.between(50, 500);
                self.after(delay, Happening::Fetched { node, life, token, entries });
            }
            Output::Dial { address } => {
                let delay = 3 * self.path_to(node, &address).delay + 500;
                self.after(delay, Happening::Dial { node, life, address });
            }
            Output::Hangup { link, reason } => self.hang_up(node, link, &reason),
            Output::Admit { keys, denied } => {
                let everybody = keys.len() + 1 == self.slots.len();
                self.slots[node].admit = Admit::new(keys, denied, everybody);
            }
            Output::Reply { id, reply } => self.reply(node, id, &reply),
            Output::Notify(event) => {
                let alliance = &self.alliance;
                self.checker.noticed(node, self.now, &event, |id| alliance.index_of(id));
                if let Event::Incarnation { cause, .. } = event {
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

    fn stored(&mut self, node: usize, life: u32) {
        if !self.alive(node, life) {
            return;
        }
        match self.slots[node].disk.complete() {
            Some(Outcome::Kept(job)) => {
                self.durable(node, &job);
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
}

/// A frame in words.
fn words(frame: &[u8]) -> String {
    Message::from_frame(frame).map_or_else(|why| format!("{} bytes: {why}", frame.len()), |message| format!("{message:?}"))
}
