//! What one seed does to its alliance, drawn before the run starts and spelled as a [`Scenario`]: so that it can be read, shrunk
//! and written to files. Each seed has its own mix of fault kinds (swarm), so that rare mixes occur and a fault kind alone is seen.

use std::collections::BTreeSet;

use holdfast_proto::config::FRAME_BYTES_MAX;
use holdfast_proto::identity::Region;

use crate::dice::{Dice, Purpose};
use crate::scenario::words::{ElementKind, ForgeKind, Medium, SiteRole, Status, What};
use crate::scenario::{
    Channel, Effect, Element, Exercise, Inject, Micros, Modulation, Operators, Origin, Path, Scenario, Site, SiteNo, Tempo, When,
    WorldModel,
};
use crate::world::MINUTE;

/// From the heal to the last word about it. Redial waits up to 60 s, a probe 30 s, a receipt a minute: three times the sum.
pub const SETTLE: Micros = 8 * MINUTE;
/// 2026-06-01 00:00 UTC in milliseconds: what right clocks show at the start of a drawn run.
const STARTEX_MS: i64 = 1_780_272_000_000;
/// Nothing breaks before links had time to come up.
const FIRST_FAULT: Micros = MINUTE / 6;
/// Milliseconds of a year, for clocks.
const YEAR_MS: i64 = 31_557_600_000;
/// Every tenth node is a hub, counted from the second.
const HUB_EVERY: usize = 10;

/// Drawn with no site in them, these would do nothing, and no file could say them.
const NEEDS_SITES: [What; 4] = [What::Degrade, What::Flap, What::Swizzle, What::OperatorAbsent];

/// What the caller decides; the rest is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Nodes, at least 2.
    pub nodes: usize,
    /// Length of the phase with faults, minutes.
    pub minutes: u64,
}

/// Draws the scenario of a seed.
#[must_use]
pub fn draw(seed: u64, scale: Scale) -> Scenario {
    let mut dice = Dice::new(seed, Purpose::Plan, 0);
    let duration = scale.minutes.max(1) * MINUTE;
    let nodes = scale.nodes.max(2);
    let wan = draw_path(&mut dice);
    let gossip = dice.chance(600).then_some(Path { reliable: false, loss: 50_000, rate: 12_500_000, ..wan });
    let mut world = WorldModel {
        wan,
        lan: Path::LAN,
        gossip,
        channels: Vec::new(),
        known: usize::try_from(dice.between(2, 8)).unwrap_or(2),
        slow_disks: dice.chance(200),
        wrong_clocks: dice.chance(600),
        partial_roster: nodes > 3 && dice.chance(300),
        home_hubs: dice.chance(500),
        operators: Operators { confirm: (MINUTE / 60, duration / 8), night: (0, 0), night_slower: 1 },
        tempo: Tempo { boards: 0, entries: 0, needs: 0, acts: dice.between(2_000_000, 30_000_000) },
    };
    let firms = if dice.chance(500) { 1 } else { 2 };
    let mut sites: Vec<Site> = (0..nodes).map(|node| draw_site(&mut dice, node, firms, duration)).collect();
    let elements = draw_elements(&mut dice, nodes);
    // Of a stream of its own: a seed's other draws are the same with a radio and without.
    let mut air = Dice::new(seed, Purpose::Plan, 1);
    if air.chance(250) {
        let channel = draw_channel(&mut air);
        let stations = some(&mut air, nodes, 500);
        stations.iter().for_each(|site| sites[*site].media.push(Medium::Radio(channel.name.clone())));
        world.channels.extend((!stations.is_empty()).then_some(channel));
    }
    // So are authorities and what they order.
    let mut rule = Dice::new(seed, Purpose::Plan, 2);
    for site in sites.iter_mut().skip(2) {
        if rule.chance(150) {
            site.role = SiteRole::Authority;
        }
    }
    let mut scenario = Scenario {
        exercise: Exercise {
            id: format!("SWARM-{seed}"),
            title: format!("Drawn from seed {seed}: {nodes} nodes, {} minutes of faults", scale.minutes.max(1)),
            status: Status::Test,
            startex_ms: STARTEX_MS,
            offset_s: 0,
            duration,
            seed,
            objectives: Vec::new(),
            settle: SETTLE,
        },
        sites,
        elements,
        world,
        injects: Vec::new(),
        expects: Vec::new(),
    };
    let mut draw = Draw { nodes, duration, elements: scenario.elements.len(), injects: Vec::new() };
    draw.all(&mut dice, &scenario);
    draw.noise(&mut air, &scenario);
    draw.courier(&mut air);
    draw.revoke(&mut air);
    draw.orders(&mut rule, &scenario);
    scenario.injects = draw.injects;
    scenario.injects.sort_by_key(|inject| if let When::At(at) = inject.when { at } else { duration });
    scenario
}

/// Each node is configured with so many others, and as many are with it: together the links a node tries to hold.
const CALM_KNOWN: usize = 4;

/// A calm alliance in which nothing happens but what nodes say, with a hub among so many sites, of so many firms: for figures.
#[must_use]
pub fn calm(nodes: usize, (hub_every, firms): (usize, usize), wan: Path, minutes: u64, tempo: Tempo) -> Scenario {
    let role = |node: usize| if node.is_multiple_of(hub_every) { SiteRole::Hub } else { SiteRole::Store };
    let site = |node| Site { role: role(node), ..plain_site(node, firms) };
    Scenario {
        exercise: Exercise {
            id: "CALM".to_owned(),
            title: format!("{nodes} nodes and no fault"),
            status: Status::Test,
            startex_ms: STARTEX_MS,
            offset_s: 0,
            duration: minutes * MINUTE,
            seed: 1,
            objectives: Vec::new(),
            settle: 0,
        },
        sites: (0..nodes).map(site).collect(),
        elements: Vec::new(),
        world: WorldModel {
            wan,
            lan: Path::LAN,
            gossip: None,
            channels: Vec::new(),
            known: CALM_KNOWN,
            slow_disks: false,
            wrong_clocks: false,
            partial_roster: false,
            home_hubs: true,
            operators: Operators { confirm: (0, 0), night: (0, 0), night_slower: 1 },
            tempo,
        },
        injects: Vec::new(),
        expects: Vec::new(),
    }
}

fn plain_site(node: usize, firms: usize) -> Site {
    Site {
        id: format!("S{node}"),
        name: format!("node {node}"),
        lat: 25_000_000,
        lon: 121_500_000 + i32::try_from(node).unwrap_or(0) * 1_000,
        role: if node % HUB_EVERY == 1 { SiteRole::Hub } else { SiteRole::Store },
        owner: format!("firm {}", node % firms),
        region: Region::new(0).expect("invariant: there is a first region"),
        power_area: format!("P{}", node % 3),
        lan: String::new(),
        ups: 0,
        generator: 0,
        media: vec![Medium::Wan, Medium::Lan],
    }
}

fn draw_site(dice: &mut Dice, node: usize, firms: usize, duration: Micros) -> Site {
    Site {
        lan: if dice.chance(300) { format!("L{}", dice.below(2)) } else { String::new() },
        ups: dice.below(duration / 8),
        generator: if dice.chance(300) { dice.below(duration / 4) } else { 0 },
        ..plain_site(node, firms)
    }
}

fn draw_path(dice: &mut Dice) -> Path {
    Path {
        delay: dice.between(100, 40_000),
        jitter: dice.below(20_000),
        loss: if dice.chance(500) { ppm(dice.below(150_000)) } else { 0 },
        burst: if dice.chance(200) { (ppm(dice.below(20_000)), 200_000, 600_000) } else { (0, 0, 0) },
        duplicate: if dice.chance(400) { 50_000 } else { 0 },
        reorder: if dice.chance(400) { 100_000 } else { 0 },
        corrupt: if dice.chance(300) { 10_000 } else { 0 },
        rate: if dice.chance(300) { dice.between(4_000, 50_000) } else { 12_500_000 },
        queue: 131_072,
        mtu: u32::try_from(FRAME_BYTES_MAX).unwrap_or(u32::MAX),
        reliable: dice.chance(700),
    }
}

/// Sites stand about a hundred metres apart, so that a short range hides some from each other.
fn draw_channel(dice: &mut Dice) -> Channel {
    let rate = *dice.pick(&[1_200, 2_400, 9_600]).expect("invariant: there are rates");
    Channel {
        modulation: Modulation::Rate(rate),
        duty: if dice.chance(500) { 100_000 } else { ppm(dice.between(10_000, 1_000_000)) },
        range_m: ppm(dice.between(150, 5_000)),
        mtu: ppm(dice.between(60, 1_000)),
        loss: if dice.chance(500) { ppm(dice.below(200_000)) } else { 0 },
        ..Channel::named("R1")
    }
}

fn ppm(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn draw_elements(dice: &mut Dice, nodes: usize) -> Vec<Element> {
    let kinds = [ElementKind::Cable, ElementKind::Exchange, ElementKind::Mast, ElementKind::Provider];
    let mut draw = |(place, kind): (usize, &ElementKind)| Element {
        id: format!("{}-{place}", kind.text().to_uppercase()),
        kind: *kind,
        used_by: some(dice, nodes, 400),
    };
    kinds.iter().enumerate().map(&mut draw).filter(|element| !element.used_by.is_empty()).collect()
}

/// Each site with this chance of 1,000.
fn some(dice: &mut Dice, nodes: usize, permille: u32) -> Vec<SiteNo> {
    (0..nodes).filter(|_| dice.chance(permille)).collect()
}

/// The injects of a run as they are drawn.
struct Draw {
    nodes: usize,
    duration: Micros,
    elements: usize,
    injects: Vec<Inject>,
}

/// Which faults a seed has: of 1,000 seeds so many, and how often in two minutes.
type Kind = (u32, fn(&mut Draw, &mut Dice, &Scenario));

/// Faults that come again and again.
const OFTEN: [Kind; 11] = [
    (800, Draw::partition),
    (700, Draw::crash),
    (300, Draw::disk_full),
    (300, Draw::clock),
    (300, Draw::elements),
    (250, Draw::power),
    (200, Draw::degrade),
    (150, Draw::flap),
    (150, Draw::swizzle),
    (500, Draw::told),
    (100, Draw::absent),
];

impl Draw {
    fn all(&mut self, dice: &mut Dice, scenario: &Scenario) {
        let kinds: Vec<&Kind> = OFTEN.iter().filter(|(permille, _)| dice.chance(*permille)).collect();
        let rounds = 2 + self.duration / MINUTE;
        for _ in 0..rounds {
            for (_, fault) in &kinds {
                fault(self, dice, scenario);
            }
        }
        if dice.chance(50) {
            let owner = scenario.sites[dice.index(self.nodes)].owner.clone();
            self.add(dice, Effect::FirmOutage(owner), Some((MINUTE / 20, MINUTE)));
        }
        if dice.chance(150) {
            let kind = *dice.pick(ForgeKind::ALL).expect("invariant: there are kinds");
            let site = dice.index(self.nodes);
            self.add(dice, Effect::Forge { kind, site }, None);
        }
        self.loss(dice);
    }

    /// At a time of its own, for a while between these two.
    fn add(&mut self, dice: &mut Dice, effect: Effect, lasts: Option<(Micros, Micros)>) {
        let at = dice.between(FIRST_FAULT, self.duration);
        let lasts = lasts.map(|(least, most)| dice.between(least, most));
        self.at(at, effect, lasts);
    }

    fn at(&mut self, at: Micros, effect: Effect, lasts: Option<Micros>) {
        if at >= self.duration || (effect.sites().is_empty() && NEEDS_SITES.contains(&effect.what())) {
            return;
        }
        let nr = u32::try_from(self.injects.len() + 1).unwrap_or(u32::MAX);
        self.injects.push(Inject {
            nr,
            when: When::At(at),
            effect,
            lasts,
            name: None,
            say: None,
            objective: None,
            expect: Vec::new(),
            by_hand: false,
            origin: Origin::default(),
        });
    }

    fn long(&self) -> Option<(Micros, Micros)> {
        Some((MINUTE / 20, self.duration / 2 + MINUTE / 10))
    }

    fn site(&self, dice: &mut Dice) -> Vec<SiteNo> {
        vec![dice.index(self.nodes)]
    }

    fn partition(&mut self, dice: &mut Dice, _: &Scenario) {
        let group = some(dice, self.nodes, 400);
        let rest: Vec<SiteNo> = (0..self.nodes).filter(|site| !group.contains(site)).collect();
        if group.is_empty() || rest.is_empty() {
            return;
        }
        let groups = if dice.chance(300) { vec![group] } else { vec![group, rest] };
        let one_way = dice.chance(300);
        self.add(dice, Effect::Partition { groups, one_way }, self.long());
    }

    fn crash(&mut self, dice: &mut Dice, _: &Scenario) {
        let sites = self.site(dice);
        self.add(dice, Effect::Crash(sites), Some((10_000, MINUTE)));
    }

    fn disk_full(&mut self, dice: &mut Dice, _: &Scenario) {
        let sites = self.site(dice);
        self.add(dice, Effect::DiskFull(sites), self.long());
    }

    fn clock(&mut self, dice: &mut Dice, _: &Scenario) {
        let sites = self.site(dice);
        let effect = if dice.chance(700) {
            let years = i64::try_from(dice.below(20)).unwrap_or(0) - 10;
            Effect::ClockJump { sites, by_ms: years * YEAR_MS }
        } else {
            Effect::ClockDrift { sites, ppm: i32::try_from(dice.below(2_001)).unwrap_or(0) - 1_000 }
        };
        self.add(dice, effect, None);
    }

    fn elements(&mut self, dice: &mut Dice, _: &Scenario) {
        if self.elements > 0 {
            let element = vec![dice.index(self.elements)];
            self.add(dice, Effect::Cut(element), self.long());
        }
    }

    fn power(&mut self, dice: &mut Dice, scenario: &Scenario) {
        let area = &scenario.sites[dice.index(self.nodes)].power_area;
        let sites = (0..self.nodes).filter(|site| scenario.sites[*site].power_area == *area).collect();
        self.add(dice, Effect::PowerLoss(sites), self.long());
    }

    fn degrade(&mut self, dice: &mut Dice, scenario: &Scenario) {
        let sites = some(dice, self.nodes, 400);
        // Whether a link is reliable is agreed when it comes up.
        let path = Path { reliable: scenario.world.wan.reliable, ..draw_path(dice) };
        self.add(dice, Effect::Degrade { sites, path }, self.long());
    }

    fn flap(&mut self, dice: &mut Dice, _: &Scenario) {
        let (sites, period) = (some(dice, self.nodes, 300), dice.between(2_000_000, 40_000_000));
        self.add(dice, Effect::Flap { sites, period }, self.long());
    }

    fn swizzle(&mut self, dice: &mut Dice, _: &Scenario) {
        let sites = some(dice, self.nodes, 600);
        self.add(dice, Effect::Swizzle(sites), self.long());
    }

    /// What disturbs a radio channel, if there is one.
    fn noise(&mut self, dice: &mut Dice, scenario: &Scenario) {
        let Some(channel) = scenario.world.channels.first() else { return };
        if dice.chance(400) {
            let sites = if dice.chance(500) { Vec::new() } else { self.site(dice) };
            self.add(dice, Effect::Jam { channel: channel.name.clone(), sites }, self.long());
        }
        let has_one = |site: &SiteNo| scenario.sites[*site].media.contains(&Medium::Radio(channel.name.clone()));
        let stations: Vec<SiteNo> = (0..self.nodes).filter(has_one).collect();
        if let Some(site) = dice.pick(&stations).copied().filter(|_| dice.chance(400)) {
            self.add(dice, Effect::AntennaDown(vec![site]), self.long());
        }
    }

    /// A key is taken away at another site's desk, at most one a run: whoever loses it takes no further part.
    fn revoke(&mut self, dice: &mut Dice) {
        let (site, at) = (dice.index(self.nodes), dice.index(self.nodes));
        if site != at && self.nodes > 3 && dice.chance(150) {
            self.add(dice, Effect::Revoke { site, at }, None);
        }
    }

    /// Somebody carries a stick from one site to another.
    fn courier(&mut self, dice: &mut Dice) {
        let (from, to) = (dice.index(self.nodes), dice.index(self.nodes));
        if from != to && dice.chance(200) {
            self.add(dice, Effect::Courier { from, to }, Some((MINUTE / 20, self.duration / 4)));
        }
    }

    fn absent(&mut self, dice: &mut Dice, _: &Scenario) {
        let sites = some(dice, self.nodes, 400);
        self.add(dice, Effect::OperatorAbsent(sites), self.long());
    }

    /// Authorities order modes, end what they ordered, and name deputies, who act for them whether they are heard or not.
    fn orders(&mut self, dice: &mut Dice, scenario: &Scenario) {
        for principal in (0..self.nodes).filter(|site| scenario.sites[*site].role == SiteRole::Authority) {
            let able = |site: &SiteNo| *site != principal && scenario.sites[*site].role != SiteRole::Store;
            let able: Vec<SiteNo> = (0..self.nodes).filter(able).collect();
            for _ in 0..=dice.below(2 + self.duration / MINUTE) {
                let mode = ["alert", "resilience", "none"][dice.index(3)].to_owned();
                let effect = match (dice.below(3), dice.pick(&able).copied()) {
                    (0, Some(deputy)) => {
                        Effect::Deputies { site: principal, of: vec![deputy], after: dice.between(1, 20) * MINUTE / 60 }
                    }
                    (1, Some(deputy)) => Effect::Order { site: deputy, acting_for: Some(principal), mode },
                    _ => Effect::Order { site: principal, acting_for: None, mode },
                };
                self.add(dice, effect, None);
            }
        }
    }

    /// Staff are told to report, to ask, and to take it back.
    fn told(&mut self, dice: &mut Dice, _: &Scenario) {
        let (site, of, at) = (dice.index(self.nodes), dice.index(self.nodes), dice.between(FIRST_FAULT, self.duration));
        let word = |field: &str, value: &str| vec![(field.to_owned(), value.to_owned())];
        match dice.below(3) {
            0 => {
                let sites = BTreeSet::from([site, of]).into_iter().collect();
                self.at(at, Effect::Report { sites, values: word("operating.status", "limited") }, None);
            }
            1 if of != site => self.at(at, Effect::Observe { site, of, values: word("operating.status", "closed") }, None),
            1.. => {
                let label = format!("R-{}", self.injects.len() + 1);
                let (lines, priority) = (vec![("water".to_owned(), 1 + dice.below(90))], "urgent".to_owned());
                self.at(at, Effect::Request { site, label: label.clone(), lines, priority, needed_by: None }, None);
                let end = at + dice.below(self.duration / 4);
                self.at(end, if dice.chance(500) { Effect::Cancel(label) } else { Effect::Close(label) }, None);
            }
        }
    }

    /// One node loses its store or part of it, at most once a run: what only it held may be gone for good.
    fn loss(&mut self, dice: &mut Dice) {
        let sites = self.site(dice);
        let at = dice.between(self.duration / 2, self.duration * 3 / 4);
        let lasts = dice.between(100_000, MINUTE);
        let age = dice.between(at / 4, at * 7 / 8);
        let effect = match dice.below(1_000) {
            0..80 => Effect::OldBackup { sites, age, machine: true },
            80..200 => Effect::OldBackup { sites, age, machine: false },
            // Older than the PC: the data folder is empty, the stamp outside it still there.
            200..320 => Effect::OldBackup { sites, age: at + 1, machine: false },
            320..440 => Effect::ReplacePc(sites),
            440..560 => Effect::DiskCorrupt(sites),
            560.. => return,
        };
        self.at(at, effect, Some(lasts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCALE: Scale = Scale { nodes: 6, minutes: 3 };

    #[test]
    fn the_same_seed_draws_the_same_and_another_seed_another() {
        assert_eq!(draw(3, SCALE), draw(3, SCALE));
        assert_ne!(draw(3, SCALE).injects, draw(4, SCALE).injects);
    }

    #[test]
    fn what_a_seed_draws_can_be_written_down_and_read_again() {
        for seed in 0..60 {
            let (drawn, dir) = (draw(seed, SCALE), tempfile::tempdir().unwrap());
            crate::scenario::write(&drawn, dir.path()).unwrap();
            let read = crate::scenario::read(dir.path());
            assert_eq!(read.map(|(scenario, _)| scenario.unplaced()), Ok(drawn), "seed {seed}");
        }
    }

    #[test]
    fn many_seeds_draw_every_kind_of_fault_and_every_inject_has_its_own_number() {
        let mut kinds = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let scenario = draw(seed, SCALE);
            let mut numbers: Vec<u32> = scenario.injects.iter().map(|inject| inject.nr).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), scenario.injects.len());
            for inject in &scenario.injects {
                assert!(matches!(inject.when, When::At(at) if at < scenario.exercise.duration));
                kinds.insert(format!("{:?}", inject.effect).split([' ', '(']).next().unwrap_or_default().to_owned());
            }
        }
        assert!(kinds.len() >= 18, "{kinds:?}");
    }
}
