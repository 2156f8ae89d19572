//! The node: takes inputs, routes them to the rooms below, hands out outputs. Keeps P2, P4 and P6.
//!
//! | room | what it does |
//! | --- | --- |
//! | `node/start` | from disk to a running node; continuity |
//! | `node/known` | everyone certified, shared by nodes of one process |
//! | `node/link` | one link: who is there, what waits, what it has |
//! | `node/table` | all links, and which of them an input touched |
//! | `node/kin` | neighbours wanted whatever the degree |
//! | `node/company` | of how many firms neighbours are, and who gives way |
//! | `node/links` | links up and down, greeting, roster exchange, what goes out when there is room |
//! | `node/ingest` | bytes from outside: gate, store, fold |
//! | `node/word` | words as read, shared by nodes of one process |
//! | `node/own` | our own chain: continuity, incarnations |
//! | `node/write` | our own words: plan, sign, store, then speak |
//! | `node/person` | who acts through us without being a node, and whose acts count |
//! | `node/room` | how large our own documents may be |
//! | `node/delivery` | how far our own words got |
//! | `node/quota` | how much of what others say is passed on at once |
//! | `node/spread` | fresh entries: push, announce, prune, pull |
//! | `node/trees` | over which links whose words go, and how |
//! | `node/notices` | what is still to be announced, and where |
//! | `node/heal` | digest, difference, wants and their answers |
//! | `node/tell` | answers to questions |
//! | `node/courier` | files that somebody carries: written for one far off, taken in here |
//! | `node/count` | what is counted for `/metrics` |

mod company;
mod count;
mod courier;
mod delivery;
mod heal;
mod ingest;
mod kin;
mod known;
mod link;
mod links;
mod mode;
mod notices;
mod own;
mod person;
mod quota;
mod radio;
mod refuse;
mod revoked;
mod room;
mod spread;
mod start;
mod table;
mod tell;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test that gets another answer than it asked for only panics")]
mod tests;
mod trees;
mod word;
mod write;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crdts::VClock;

use crate::config::Config;
use crate::control::{Answer, Command, Event, Question};
use crate::domain::Domain;
use crate::id::{DocKind, EntryId, Generation, LogId, NodeId, PerDocument};
use crate::identity::{Role, Roster, Signature, Signer};
use crate::io::{Input, Output};
use crate::peers::Peers;
use crate::replica::{DocOrder, Hash16, Replica};
use crate::rng::Rng;
use crate::time::{Instant, Now};

pub use known::Known;
pub use start::{RestoreError, Restoring, Setup};
pub use word::{ReadDoc, ReadEntry, Shelf};

/// One Holdfast node without clock, socket or disk.
///
/// The contract: one [`Self::handle`], then [`Self::poll_output`] until it is empty, then wait for an input or [`Self::deadline`].
#[derive(Clone, Debug)]
pub struct Node {
    config: Config,
    me: NodeId,
    generation: Generation,
    signer: Signer,
    known: Known,
    domain: Domain,
    replica: Replica,
    peers: Peers,
    kin: kin::Kin,
    company: company::Company,
    links: table::Links,
    agreed: heal::Agreed,
    own: own::Own,
    persons: BTreeMap<EntryId, person::Said>,
    pending: BTreeMap<EntryId, ingest::Pending>,
    pending_docs: BTreeMap<(NodeId, DocKind, DocOrder), Hash16>,
    jobs: BTreeMap<u64, ingest::Job>,
    fetches: BTreeMap<u64, heal::Fetch>,
    next_token: u64,
    wants: BTreeMap<u32, heal::Asked>,
    wanted: BTreeSet<EntryId>,
    next_want: u32,
    wanted_docs: BTreeSet<(NodeId, DocKind)>,
    grafts: spread::Grafts,
    trees: trees::Trees,
    notices: notices::Notices,
    quotas: quota::Quotas,
    /// A piece of a courier file whose words are at the gate now, and those that wait for the store.
    handing: Option<Box<courier::Handing>>,
    handed: Vec<courier::Handing>,
    /// Details as compared with peers.
    scopes: heal::Scopes,
    /// What neighbours said they hold durably of our own words.
    held_by: BTreeMap<NodeId, delivery::HeldBy>,
    ages: PerDocument<ingest::Age>,
    via: BTreeMap<NodeId, String>,
    cut: BTreeSet<NodeId>,
    counters: count::Counters,
    changed_at: Instant,
    outputs: VecDeque<Output>,
    /// See [`Self::deadline`]; as of the last input.
    alarm: Option<(Instant, Timer)>,
    now: Now,
    rng: Rng,
}

/// Who asked to be woken: a busy loop names its culprit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A greeting is overdue.
    Greeting,
    /// A digest is due to be probed.
    Probe,
    /// Announcements, receipts or a batch are due.
    Flush,
    /// An announced entry did not come.
    Graft,
    /// A want was not answered.
    Want,
    /// An address may be dialled again.
    Redial,
    /// An automatic entry is due.
    Write,
}

impl Node {
    /// Takes one input. Never fails, never blocks; what is wrong with it becomes an event or a refusal.
    ///
    /// # Panics
    /// In debug builds, if outputs of the last input were not drained.
    pub fn handle(&mut self, now: Now, input: Input) {
        debug_assert!(self.outputs.is_empty(), "drain poll_output before the next handle");
        self.now = Now { mono: now.mono.max(self.now.mono), wall: now.wall };
        match input {
            Input::LinkUp { link, profile } => self.link_up(link, profile),
            Input::LinkDown { link, cause } => self.link_down(link, &cause),
            Input::Received { link, frame } => self.received(link, &frame),
            Input::Writable { link, room } => {
                if let Some(state) = self.links.get_mut(&link) {
                    (state.room, state.urgent_only) = (room, false);
                }
            }
            Input::WritableUrgent { link, room } => {
                if let Some(state) = self.links.get_mut(&link) {
                    (state.room, state.urgent_only) = (room, true);
                }
            }
            Input::Audible { link, keys } => self.audible(link, &keys),
            Input::Near { link, nodes } => self.near(link, &nodes),
            Input::Candidate { address, is_static } => self.peers.add(address, is_static, None, self.now.mono),
            Input::DialFailed { address, cause } => {
                self.peers.failed(&address, &cause, self.now.mono, &self.config, &mut self.rng);
            }
            Input::Command { id, command: Command::CourierOut(wish) } => self.courier_out(id, &wish),
            Input::Command { id, command: Command::CourierIn(wish) } => self.courier_in(id, &wish),
            Input::Command { id, command } => self.command(id, command),
            Input::Persisted { token } => self.within_piece(token, None, |node| node.persisted(token)),
            Input::PersistFailed { token, cause } => {
                self.within_piece(token, Some(&cause), |node| node.persist_failed(token, &cause));
            }
            Input::Fetched { token, rows } => self.within_piece(token, None, |node| node.fetched(token, rows)),
            Input::Central { answers } => self.central_probed(answers),
            Input::Wake => {}
        }
        self.turn();
    }

    /// The next thing asked of the world; empty until the next [`Self::handle`] once it says `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle`] with [`Input::Wake`] at the latest, and who asked for it. Ask again after each `handle`.
    #[must_use]
    pub fn deadline(&self) -> Option<(Instant, Timer)> {
        self.alarm
    }

    /// Works out when something falls due next.
    fn set_alarm(&mut self) {
        let redial = self
            .peers
            .deadline()
            .into_iter()
            .chain(self.kin.deadline())
            .chain(self.company.deadline())
            .min()
            .map(|at| (at, Timer::Redial));
        let graft = self.grafts.deadline().map(|at| (at, Timer::Graft));
        let want = self.wants.values().map(|asked| (asked.deadline, Timer::Want)).min();
        let write = self.write_deadline().into_iter().chain(self.queue_deadline()).min().map(|at| (at, Timer::Write));
        self.links.look();
        self.alarm = [redial, graft, want, write, self.links.deadline()].into_iter().flatten().min();
    }

    /// Answers from memory, without effect.
    #[must_use]
    pub fn answer(&mut self, now: Now, question: &Question) -> Answer {
        self.now = Now { mono: now.mono.max(self.now.mono), wall: now.wall };
        self.tell(question)
    }

    /// What falls due after every input: timers, own writes, sending.
    fn turn(&mut self) {
        self.due_links();
        self.due_grafts();
        self.due_wants();
        self.due_writes();
        self.due_dials();
        self.pump_all();
        self.set_alarm();
    }

    fn emit(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    fn notify(&mut self, event: Event) {
        self.outputs.push_back(Output::Notify(event));
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// Nodes with an authenticated point-to-point link.
    fn linked(&self) -> BTreeSet<NodeId> {
        self.links.values().filter_map(|link| link.node).collect()
    }

    /// Numbers above the floor that an author may use.
    fn window(&self, author: NodeId, generation: Generation) -> u32 {
        self.known.roster().window_of(author, generation).unwrap_or(crate::config::WINDOW_STORE)
    }

    /// What this node signed since the last time, where its [`Signer`] keeps it.
    pub fn signatures(&mut self) -> Vec<Signature> {
        self.signer.take()
    }

    /// What the next words were signed with when they were recorded.
    pub fn foresee(&mut self, signatures: impl IntoIterator<Item = Signature>) {
        self.signer.foresee(signatures);
    }

    /// The alliance as known here.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.known.roster()
    }

    /// Hash of everything that is equal on nodes with equal state.
    fn root(&mut self) -> Hash16 {
        self.replica.root(self.known.hash())
    }

    /// True if what `peer` asks of `author`'s closed words and details may be given.
    fn entitled(&self, peer: NodeId, author: NodeId) -> bool {
        let (Some(asker), Some(owner)) = (self.known.directory().nodes.get(&peer), self.known.directory().nodes.get(&author))
        else {
            return false;
        };
        let wide = asker.hub || asker.role == Role::Authority.text();
        // Guests are of no firm, and so of none together.
        let firm = !peer.is_guest() && asker.firm == owner.firm;
        peer == author || firm || (wide && asker.region == owner.region)
    }

    /// Heads of all logbooks as the CRDT literature writes them.
    #[must_use]
    pub fn heads(&self) -> VClock<LogId> {
        self.replica.logs().map(|(id, log)| crdts::Dot::new(id, u64::from(log.head()))).collect()
    }
}
