//! One place in the alliance: a node that may be running or not, with all that outlives it.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::identity::PublicKey;
use holdfast_proto::link::LinkId;

use crate::checker::Made;
use crate::dice::{Dice, Purpose};
use crate::driver::Driver;
use crate::scenario::{Micros, Scenario};
use crate::site::clock::Clock;
use crate::site::disk::{Disk, DiskPace};
use crate::site::operator::Staff;
use crate::site::power::Power;
use crate::workload::Desk;
use crate::workload::depot::Depot;
use crate::workload::goods::Dispatcher;

/// What a link number of a node leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Port {
    Wire {
        link: u64,
        side: usize,
    },
    Air,
    /// A radio channel.
    Radio(usize),
    Rogue(usize),
}

/// Why a PC does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// Nothing feeds it.
    Power,
    /// This inject stopped it.
    Inject(u32),
}

/// Whom a node lets in.
#[derive(Clone, Debug, Default)]
pub(super) struct Admit {
    everybody: bool,
    keys: Vec<PublicKey>,
    denied: Vec<PublicKey>,
}

impl Admit {
    /// `keys` ascend. Where they are all the others, they need not be kept.
    pub(super) fn new(keys: Vec<PublicKey>, denied: Vec<PublicKey>, everybody: bool) -> Self {
        let keys = if everybody { Vec::new() } else { keys };
        Self { everybody, keys, denied }
    }

    pub(super) fn hears(&self, key: &PublicKey) -> bool {
        self.everybody || self.keys.binary_search(key).is_ok()
    }

    pub(super) fn denies(&self, key: &PublicKey) -> bool {
        self.denied.contains(key)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) driver: Option<Driver>,
    pub(super) life: u32,
    pub(super) disk: Disk,
    pub(super) disk_dice: Dice,
    pub(super) clock: Clock,
    pub(super) clock_dice: Dice,
    pub(super) power: Power,
    pub(super) staff: Staff,
    pub(super) desk: Desk,
    pub(super) dispatcher: Dispatcher,
    pub(super) depot: Depot,
    pub(super) tempo: Dice,
    pub(super) entropy: Dice,
    /// Nodes whose addresses it is configured with.
    pub(super) known: Vec<usize>,
    pub(super) admit: Admit,
    /// Why it does not run; empty: it runs, or is about to.
    pub(super) holds: BTreeSet<Hold>,
    /// Its store is not what it was when it stopped.
    pub(super) disk_lost: bool,
    pub(super) had_stamp: bool,
    pub(super) ports: BTreeMap<LinkId, Port>,
    /// Links of which it is an end.
    pub(super) wires: BTreeSet<u64>,
    pub(super) next_link: u32,
    pub(super) next_command: u64,
    /// Commands that staff were told to give, by the inject that told them.
    pub(super) in_hand: BTreeMap<u64, u32>,
    /// What of them was durable already when the PC went off, by inject.
    pub(super) begun: BTreeMap<u32, Made>,
    pub(super) wake_at: Option<Micros>,
    pub(super) wakes: (u64, u32),
    pub(super) failures: (u64, u32),
    pub(super) heard: Vec<PublicKey>,
}

impl Slot {
    pub(super) fn new(scenario: &Scenario, seed: u64, node: usize) -> Self {
        let (site, model, entity) = (&scenario.sites[node], &scenario.world, node as u64);
        let mut clock_dice = Dice::new(seed, Purpose::Clock, entity);
        let epoch = scenario.exercise.startex_ms;
        let pace = if model.slow_disks { DiskPace::SLOW } else { DiskPace::SSD };
        Self {
            driver: None,
            life: 0,
            disk: Disk::new(pace),
            disk_dice: Dice::new(seed, Purpose::Disk, entity),
            clock: if model.wrong_clocks { Clock::draw(epoch, &mut clock_dice) } else { Clock::right(epoch) },
            clock_dice,
            power: Power::new(site.ups, site.generator),
            staff: Staff::new(Dice::new(seed, Purpose::Staff, entity)),
            desk: Desk::new(seed, node),
            dispatcher: Dispatcher::new(seed, node),
            depot: Depot::new(seed, node),
            tempo: Dice::new(seed, Purpose::Tempo, entity),
            entropy: Dice::new(seed, Purpose::Entropy, entity),
            known: known(&mut Dice::new(seed, Purpose::Addresses, entity), node, scenario.sites.len(), model.known),
            admit: Admit::default(),
            holds: BTreeSet::new(),
            disk_lost: false,
            had_stamp: false,
            ports: BTreeMap::new(),
            wires: BTreeSet::new(),
            next_link: 0,
            next_command: 0,
            in_hand: BTreeMap::new(),
            begun: BTreeMap::new(),
            wake_at: None,
            wakes: (0, 0),
            failures: (0, 0),
            heard: Vec::new(),
        }
    }

    pub(super) fn new_link(&mut self) -> LinkId {
        self.next_link += 1;
        LinkId(self.next_link)
    }
}

/// Addresses a node is configured with: half of them its next in the list, so that all hang together; half of them anybody's.
fn known(dice: &mut Dice, node: usize, count: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.min(count - 1);
    let mut out: BTreeSet<usize> = (1..=wanted.div_ceil(2)).map(|step| (node + step) % count).collect();
    while out.len() < wanted {
        out.insert((node + 1 + dice.index(count - 1)) % count);
    }
    out.into_iter().collect()
}
