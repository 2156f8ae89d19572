//! What one seed does to its alliance: links, disks, clocks and a list of faults with their times, all drawn before the run
//! starts. Each seed has its own mix of fault kinds (swarm), so that rare mixes occur and a fault kind alone is seen too.

use crate::dice::{Dice, Purpose};
use crate::disk::DiskPace;
use crate::scenario::Path;

/// One minute in microseconds.
pub const MINUTE_US: u64 = 60_000_000;
/// From the heal to the last word about it. Redial waits up to 60 s, a probe 30 s, a receipt a minute: three times the sum.
pub const LIVENESS_US: u64 = 8 * MINUTE_US;

/// What a stopped node finds when it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Its store, less what was not synced.
    Unsynced,
    /// The data folder of the last backup; the stamp outside it is newer.
    OldFolder,
    /// The whole machine of the last backup, stamp included: it can't know, and may write a second story.
    OldMachine,
    /// An empty folder, the stamp still there.
    Wiped,
    /// A new machine.
    NewMachine,
}

/// Something that goes wrong, or right again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing passes on these directed pairs.
    Cut(Vec<(usize, usize)>),
    /// The same cut ends.
    Mend(Vec<(usize, usize)>),
    /// Power gone.
    Stop(usize, Loss),
    /// Power back.
    Start(usize),
    /// Writes fail from now on, or no longer.
    Full(usize, bool),
    /// Somebody copies the data folder.
    BackUp(usize),
    /// The wall clock jumps by so many milliseconds.
    StepClock(usize, i64),
    /// The operator orders a cut from these nodes.
    OrderCut(usize, Vec<usize>),
    /// The operator takes it back.
    OrderHeal(usize),
    /// A wake nobody asked for.
    EarlyWake(usize),
}

/// What the caller decides; the rest is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Nodes, at least 2.
    pub nodes: usize,
    /// Length of the phase with faults, minutes.
    pub minutes: u64,
}

/// One seed, spelled out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed all streams derive from.
    pub seed: u64,
    /// Nodes.
    pub nodes: usize,
    /// Every node is a hub (a wide window); otherwise node 1 and every tenth.
    pub all_hubs: bool,
    /// Firms among which the nodes are spread.
    pub firms: usize,
    /// Point-to-point links.
    pub path: Path,
    /// Broadcast domain, where there is one.
    pub air: Option<Path>,
    /// Addresses each node is configured with.
    pub known: usize,
    /// Stores.
    pub pace: DiskPace,
    /// Every node's alliance file lacks the certificate of one other.
    pub partial_roster: bool,
    /// Mean time between two acts of one node, microseconds; 0 for none.
    pub work_us: u64,
    /// Clocks are wrong.
    pub clocks: bool,
    /// What happens when, ascending.
    pub faults: Vec<(u64, Fault)>,
    /// Everything is mended and all nodes are started.
    pub heal_at: u64,
    /// Nobody writes any more from here on.
    pub quiet_at: u64,
    /// The run ends.
    pub end_at: u64,
    /// An image of a whole machine was put back: a second story may be written.
    pub plants_forks: bool,
}

impl Plan {
    /// Draws the plan of a seed.
    #[must_use]
    pub fn draw(seed: u64, scale: Scale) -> Self {
        let mut dice = Dice::new(seed, Purpose::Plan, 0);
        let heal_at = scale.minutes.max(1) * MINUTE_US;
        let path = Path {
            delay: dice.between(100, 40_000),
            jitter: dice.below(20_000),
            loss: if dice.chance(500) { u32::try_from(dice.below(150_000)).unwrap_or(0) } else { 0 },
            burst: if dice.chance(200) { (10_000, 200_000, 500_000) } else { (0, 0, 0) },
            duplicate: if dice.chance(400) { 50_000 } else { 0 },
            reorder: if dice.chance(400) { 100_000 } else { 0 },
            corrupt: if dice.chance(300) { 10_000 } else { 0 },
            rate: if dice.chance(300) { dice.between(4_000, 50_000) } else { 12_500_000 },
            queue: 131_072,
            reliable: dice.chance(700),
            ..Path::LAN
        };
        let air = dice.chance(600).then_some(Path { reliable: false, loss: 50_000, rate: 12_500_000, ..path });
        let mut plan = Self {
            seed,
            nodes: scale.nodes.max(2),
            all_hubs: false,
            firms: if dice.chance(500) { 1 } else { 2 },
            path,
            air,
            known: usize::try_from(dice.between(2, 8)).unwrap_or(2),
            pace: if dice.chance(200) { DiskPace::SLOW } else { DiskPace::SSD },
            partial_roster: scale.nodes > 3 && dice.chance(300),
            work_us: dice.between(2_000_000, 30_000_000),
            clocks: dice.chance(600),
            faults: Vec::new(),
            heal_at,
            quiet_at: heal_at + MINUTE_US / 2,
            end_at: heal_at + LIVENESS_US,
            plants_forks: false,
        };
        plan.faults = FaultDraw::new(&plan, &mut dice).all(&mut dice);
        plan.plants_forks = plan.faults.iter().any(|(_, fault)| matches!(fault, Fault::Stop(_, Loss::OldMachine)));
        plan
    }

    /// A calm alliance of hubs without any fault: for figures.
    #[must_use]
    pub fn calm(seed: u64, nodes: usize, path: Path, minutes: u64) -> Self {
        Self {
            seed,
            nodes,
            all_hubs: true,
            firms: 1,
            path,
            air: None,
            known: 8,
            pace: DiskPace::STEADY,
            partial_roster: false,
            work_us: 0,
            clocks: false,
            faults: Vec::new(),
            heal_at: 0,
            quiet_at: minutes * MINUTE_US,
            end_at: minutes * MINUTE_US,
            plants_forks: false,
        }
    }
}

/// Which fault kinds this seed has.
struct FaultDraw {
    nodes: usize,
    heal_at: u64,
    cuts: bool,
    one_way: bool,
    stops: bool,
    losses: bool,
    machines: bool,
    full: bool,
    steps: bool,
    orders: bool,
    wakes: bool,
}

impl FaultDraw {
    fn new(plan: &Plan, dice: &mut Dice) -> Self {
        Self {
            nodes: plan.nodes,
            heal_at: plan.heal_at,
            cuts: dice.chance(800),
            one_way: dice.chance(300),
            stops: dice.chance(700),
            losses: dice.chance(400),
            machines: dice.chance(80),
            full: dice.chance(300),
            steps: plan.clocks && dice.chance(500),
            orders: dice.chance(200),
            wakes: dice.chance(500),
        }
    }

    /// Faults come in pairs: something breaks at a time and is mended after a while, at the latest by the heal.
    fn all(&self, dice: &mut Dice) -> Vec<(u64, Fault)> {
        let mut out = Vec::new();
        let rounds = 2 + self.heal_at / MINUTE_US;
        for _ in 0..rounds {
            let at = dice.between(MINUTE_US / 6, self.heal_at);
            let until = at + dice.between(MINUTE_US / 20, self.heal_at / 2 + MINUTE_US / 10);
            let node = dice.index(self.nodes);
            if self.cuts {
                let pairs = self.pairs(dice);
                out.push((at, Fault::Cut(pairs.clone())));
                out.push((until, Fault::Mend(pairs)));
            }
            if self.stops {
                let at = dice.between(MINUTE_US / 6, self.heal_at);
                out.push((at, Fault::Stop(node, Loss::Unsynced)));
                out.push((at + dice.between(10_000, MINUTE_US), Fault::Start(node)));
            }
            if self.full {
                let node = dice.index(self.nodes);
                out.push((at, Fault::Full(node, true)));
                out.push((until, Fault::Full(node, false)));
            }
            if self.steps {
                let years = i64::try_from(dice.below(20)).unwrap_or(0) - 10;
                out.push((at, Fault::StepClock(dice.index(self.nodes), years * 31_557_600_000)));
            }
            if self.orders {
                let others = (0..self.nodes).filter(|other| *other != node && dice.chance(500)).collect();
                out.push((at, Fault::OrderCut(node, others)));
                out.push((until, Fault::OrderHeal(node)));
            }
            if self.wakes {
                out.push((at, Fault::EarlyWake(node)));
            }
        }
        self.one_loss(dice, &mut out);
        out.retain(|(at, _)| *at < self.heal_at);
        out.sort_by_key(|(at, _)| *at);
        out
    }

    fn pairs(&self, dice: &mut Dice) -> Vec<(usize, usize)> {
        let group: Vec<bool> = (0..self.nodes).map(|_| dice.chance(400)).collect();
        let mut pairs = Vec::new();
        for (a, in_a) in group.iter().enumerate() {
            for (b, in_b) in group.iter().enumerate() {
                if *in_a && !*in_b {
                    pairs.push((a, b));
                    if !self.one_way {
                        pairs.push((b, a));
                    }
                }
            }
        }
        pairs
    }

    /// One node loses its store, at most once a run: what only it held may be gone for good.
    fn one_loss(&self, dice: &mut Dice, out: &mut Vec<(u64, Fault)>) {
        let machine = self.machines;
        if !self.losses && !machine {
            return;
        }
        let node = dice.index(self.nodes);
        let copied = dice.between(self.heal_at / 8, self.heal_at / 3);
        let at = dice.between(self.heal_at / 2, self.heal_at * 3 / 4);
        let loss = match dice.below(3) {
            _ if machine => Loss::OldMachine,
            0 => Loss::OldFolder,
            1 => Loss::Wiped,
            2.. => Loss::NewMachine,
        };
        out.push((copied, Fault::BackUp(node)));
        out.push((at, Fault::Stop(node, loss)));
        out.push((at + dice.between(100_000, MINUTE_US), Fault::Start(node)));
    }
}
