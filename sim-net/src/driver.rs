//! The one file that touches the node itself: how an alliance is founded and how a [`Node`] is built from what its store holds.
//! Everything else drives it through these few functions and the boundary types.

use std::cell::RefCell;
use std::collections::BTreeMap;

use bytes::Bytes;
use holdfast_proto::config::Config;
use holdfast_proto::control::{Answer, Question};
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::id::NodeId;
use holdfast_proto::identity::{AlliancePlan, FirmPlan, NodePlan, PublicKey, RealmKind, Region, Role, SecretKey, found_alliance};
use holdfast_proto::io::{Input, Output, Row, Stamp};
use holdfast_proto::node::{Known, Node, Setup};
use holdfast_proto::time::{Instant, Now};

use crate::dice::{Dice, Purpose};

/// Days from 1970 to the start of every run, 2026-06-01.
const EPOCH_DAYS: u32 = 20_605;
/// Every tenth node is a hub, counted from the second.
const HUB_EVERY: usize = 10;

/// One node of the alliance.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub id: NodeId,
    /// Its key.
    pub key: PublicKey,
    /// Which firm, from 0.
    pub firm: usize,
    /// A hub; otherwise a store.
    pub hub: bool,
    secret: SecretKey,
}

/// All nodes of a run and what their alliance file holds.
#[derive(Clone, Debug)]
pub struct Alliance {
    /// By index of the node.
    pub members: Vec<Member>,
    objects: Vec<Bytes>,
    /// Everybody's roster, made once.
    known: Known,
    catalogue: Catalogue,
}

/// What a node is built from.
#[derive(Debug)]
pub struct Start {
    /// Index of the node.
    pub me: usize,
    /// Fresh for every start.
    pub seed: [u8; 32],
    /// What its store holds.
    pub rows: Vec<Row>,
    /// The proof of continuity.
    pub stamp: Option<Stamp>,
    /// Its clocks.
    pub now: Now,
    /// Its periods and limits.
    pub config: Config,
    /// Nodes whose certificates its alliance file lacks.
    pub unknown: Vec<usize>,
}

impl Alliance {
    /// Founds the alliance of a seed: all in one region, spread over `firms`.
    #[must_use]
    pub fn make(seed: u64, nodes: usize, all_hubs: bool, firms: usize) -> Self {
        let hub = |node: usize| all_hubs || node % HUB_EVERY == 1;
        let firms = firms.clamp(1, nodes);
        let plan = |node: usize| NodePlan {
            name: format!("node {node}"),
            role: if hub(node) { Role::Hub } else { Role::Store },
            region: Region::new(0).expect("invariant: there is a first region"),
            tier: 1,
        };
        let firm_plans = (0..firms)
            .map(|firm| FirmPlan { firm: format!("firm {firm}"), nodes: (firm..nodes).step_by(firms).map(plan).collect() })
            .collect();
        let plan = AlliancePlan {
            seed: Dice::new(seed, Purpose::Keys, 0).bytes32(),
            kind: RealmKind::Simulation,
            roots: 3,
            k: 2,
            firms: firm_plans,
            not_before: EPOCH_DAYS,
            days: 3_650,
        };
        let made = found_alliance(&plan).expect("invariant: every value of this plan is in range");
        // Issued firm by firm; members are counted across firms.
        let mut order: Vec<usize> = (0..nodes).collect();
        order.sort_by_key(|node| (node % firms, node / firms));
        let mut members: Vec<(usize, Member)> = order
            .into_iter()
            .zip(made.nodes)
            .map(|(node, issued)| {
                let key = issued.secret.public();
                (node, Member { id: issued.node, key, firm: node % firms, hub: hub(node), secret: issued.secret })
            })
            .collect();
        members.sort_by_key(|(node, _)| *node);
        let mut roster = made.roster;
        roster.remember_verdicts(remember);
        let catalogue = toml::from_str(BUILT_IN).expect("invariant: proto's own test parses the built-in catalogue");
        Self {
            members: members.into_iter().map(|(_, member)| member).collect(),
            objects: made.objects,
            known: Known::of(roster),
            catalogue,
        }
    }

    /// Whom a node knows before it meets anybody.
    fn known_without(&self, unknown: &[usize]) -> Known {
        if unknown.is_empty() {
            return self.known.clone();
        }
        let first = self.objects.len() - self.members.len();
        let mut order: Vec<usize> = (0..self.members.len()).collect();
        order.sort_by_key(|node| self.members[*node].id);
        let known = order.iter().zip(&self.objects[first..]).filter(|(node, _)| !unknown.contains(node));
        let objects: Vec<Bytes> = self.objects[..first].iter().chain(known.map(|(_, object)| object)).cloned().collect();
        Known::read(&objects).expect("invariant: the first object is the charter that was just founded")
    }
}

thread_local! {
    /// Verdicts on signatures by hash of key, message and signature. One run is one thread.
    static VERDICTS: RefCell<BTreeMap<[u8; 32], bool>> = const { RefCell::new(BTreeMap::new()) };
}

/// Every node checks every word, and a word is the same to all of them. Bytes that a fault has touched hash to something else and
/// are checked for real.
fn remember(hash: [u8; 32], check: &dyn Fn() -> bool) -> bool {
    VERDICTS.with_borrow_mut(|verdicts| *verdicts.entry(hash).or_insert_with(check))
}

/// A running node.
#[derive(Debug)]
pub struct Driver(Node);

impl Driver {
    /// Builds a node of `alliance`.
    ///
    /// # Errors
    /// In words, why the core refused to start.
    pub fn start(alliance: &Alliance, start: Start) -> Result<Self, String> {
        let member = &alliance.members[start.me];
        let setup = Setup {
            config: start.config,
            me: member.id,
            secret: member.secret.clone(),
            known: alliance.known_without(&start.unknown),
            catalogue: alliance.catalogue.clone(),
            seed: start.seed,
            stamp: start.stamp,
        };
        Node::restore(setup, start.rows, start.now).map(Self).map_err(|error| error.to_string())
    }

    /// Hands in one input.
    pub fn handle(&mut self, now: Now, input: Input) {
        self.0.handle(now, input);
    }

    /// The next thing it asks of the world.
    pub fn poll(&mut self) -> Option<Output> {
        self.0.poll_output()
    }

    /// When it wants to be woken, by its own clock.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline().map(|(at, _)| at)
    }

    /// Who asked to be woken, in words.
    #[must_use]
    pub fn alarm(&self) -> String {
        self.0.deadline().map_or_else(String::new, |(at, timer)| format!("{timer:?} at {}", at.0))
    }

    /// Asks it.
    pub fn answer(&mut self, now: Now, question: &Question) -> Answer {
        self.0.answer(now, question)
    }
}
