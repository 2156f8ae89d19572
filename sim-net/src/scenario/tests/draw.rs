//! Scenarios of every shape, drawn from a seed, that make sense: all effects, all checks, awkward texts.

use holdfast_proto::identity::Region;

use super::super::generate::Draw;
use super::super::goods::GoodsDeed;
use super::super::read::effect::PRIORITIES;
use super::super::words::{ForgeKind, JourneyStep, Medium, SiteRole, Status};
use super::super::*;
use crate::dice::{Dice, Purpose};

/// Texts that sheets, lists and quotation marks could take apart.
const TEXTS: [&str; 9] = [
    "plain",
    "two words",
    "comma, semicolon; pipe | equals = ",
    "\"quoted\" and \\ slashed",
    "花蓮市,停電",
    "two\nlines",
    "'single'",
    "=1+1",
    "# no comment",
];
const VALUES: [(&str, &str); 5] = [
    ("operating.status", "closed"),
    ("power.burn", "8.5"),
    ("stock.water", "120"),
    ("message.public", "a; b=c | \"d\" \\"),
    ("capacity.people", ""),
];

struct Hand {
    dice: Dice,
    sites: usize,
    /// A site that may order.
    authority: Option<SiteNo>,
    elements: usize,
    /// A chain that has sites here.
    owner: String,
    duration: Micros,
}

impl Hand {
    fn text(&mut self) -> String {
        self.dice.pick(&TEXTS).map_or(String::new(), |text| text.trim().to_owned())
    }

    fn share(&mut self) -> Ppm {
        u32::try_from(self.dice.below(1_000_001)).unwrap_or(0)
    }

    fn span(&mut self) -> Micros {
        let unit = [1, 1_000, 1_000_000, 60_000_000, 3_600_000_000][self.dice.index(5)];
        self.dice.between(1, 90) * unit
    }

    /// Some of them, ascending, at least one.
    fn some(&mut self, of: usize) -> Vec<usize> {
        let picked: Vec<usize> = match self.dice.below(4) {
            0 => (0..of).collect(),
            1 => vec![self.dice.index(of)],
            _ => (0..of).filter(|_| self.dice.chance(400)).collect(),
        };
        if picked.is_empty() { vec![self.dice.index(of)] } else { picked }
    }

    fn sites(&mut self) -> Vec<SiteNo> {
        self.some(self.sites)
    }

    fn site(&mut self) -> SiteNo {
        self.dice.index(self.sites)
    }

    fn values(&mut self) -> Vec<(String, String)> {
        let from = self.dice.index(VALUES.len());
        let chosen = VALUES.iter().skip(from);
        let mut values: Vec<_> = chosen.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        values.push(("access.status".to_owned(), "normal".to_owned()));
        values
    }

    fn path(&mut self) -> Path {
        Path {
            delay: self.span(),
            jitter: self.span(),
            loss: self.share(),
            burst: (self.share(), self.share(), self.share()),
            duplicate: self.share(),
            reorder: self.share(),
            corrupt: self.share(),
            rate: [0, 1, 1_200, 2_500_000, self.dice.word()][self.dice.index(5)],
            queue: u32::try_from(self.dice.below(1 << 32)).unwrap_or(0),
            mtu: u32::try_from(self.dice.below(1 << 20)).unwrap_or(0),
            reliable: self.dice.chance(500),
        }
    }

    fn name(&mut self, prefix: &str, no: u32) -> Option<String> {
        self.dice.chance(500).then(|| format!("{prefix}{no}"))
    }
}

/// The scenario of a seed, without origins.
pub(super) fn scenario(seed: u64) -> Scenario {
    let mut dice = Dice::new(seed, Purpose::Plan, 77);
    let regions: Vec<Region> = Region::all().filter(|region| region.code() == "HUA" || dice.chance(150)).collect();
    let count = regions.len() + 5 + dice.index(20);
    let (mut sites, elements) = Draw { radio: Some("R1".into()), ..Draw::new(count, 2, regions, seed) }.make();
    for site in &mut sites {
        if dice.chance(300) {
            site.name = TEXTS[dice.index(TEXTS.len())].trim().to_owned();
        }
        if dice.chance(300) {
            site.lan = "mall".into();
            site.media.push(Medium::Lan);
        }
        site.ups = dice.below(1 << 40);
    }
    let duration = dice.between(3_600_000_000, 1 << 42);
    let authority = sites.iter().position(|site| site.role == SiteRole::Authority);
    let owner = sites.last().map(|site| site.owner.clone()).unwrap_or_default();
    let mut hand = Hand { dice, sites: sites.len(), authority, elements: elements.len(), owner, duration };
    let objectives = vec![("O1".to_owned(), hand.text()), ("O2".to_owned(), String::new())];
    let exercise = Exercise {
        id: "DRAWN 1".into(),
        title: hand.text(),
        status: Status::ALL[hand.dice.index(3)],
        startex_ms: i64::try_from(hand.dice.below(1 << 42)).unwrap_or(0) - (1 << 41),
        offset_s: (i32::try_from(hand.dice.below(112)).unwrap_or(0) - 56) * 900,
        duration,
        seed: hand.dice.word(),
        objectives,
        settle: hand.span(),
    };
    let world = world(&mut hand);
    let mut injects = injects(&mut hand);
    let expects = expects(&mut hand, &injects);
    for inject in &mut injects {
        if !expects.is_empty() && hand.dice.chance(300) {
            inject.expect = vec![expects[0].id.clone()];
        }
        if !expects.is_empty() && hand.dice.chance(200) && matches!(inject.effect, Effect::TellController | Effect::Say) {
            inject.when = When::Unless { expect: expects[0].id.clone(), by: duration - 1 };
        }
    }
    injects.sort_by_key(Inject::order);
    Scenario { exercise, sites, elements, world, injects, expects }
}

fn world(hand: &mut Hand) -> WorldModel {
    let modulation = if hand.dice.chance(500) {
        Modulation::Rate(u32::try_from(hand.dice.between(1, 1 << 30)).unwrap_or(1))
    } else {
        Modulation::Lora {
            sf: 6 + u8::try_from(hand.dice.below(7)).unwrap_or(0),
            bw: 125_000,
            cr: 1 + u8::try_from(hand.dice.below(4)).unwrap_or(0),
        }
    };
    let r1 = Channel { modulation, keyup: hand.span(), duty: hand.share(), mtu: 60, ..Channel::named("R1") };
    let low = hand.span();
    WorldModel {
        wan: hand.path(),
        lan: hand.path(),
        gossip: hand.dice.chance(500).then(|| hand.path()),
        channels: vec![r1],
        known: hand.dice.index(9),
        slow_disks: hand.dice.chance(500),
        wrong_clocks: hand.dice.chance(500),
        partial_roster: hand.dice.chance(500),
        home_hubs: hand.dice.chance(500),
        operators: Operators {
            confirm: (low, low + hand.span()),
            night: (hand.dice.below(86_400_000_000), hand.dice.below(86_400_000_000)),
            night_slower: 1 + u32::try_from(hand.dice.below(9)).unwrap_or(0),
        },
        tempo: Tempo { boards: hand.span(), entries: hand.dice.below(2) * 77, needs: hand.dice.below(2) * 99, acts: 0 },
    }
}

fn injects(hand: &mut Hand) -> Vec<Inject> {
    let mut out: Vec<Inject> = Vec::new();
    // Earlier than everything else, so that what refers to it finds it.
    let label = "R-1".to_owned();
    let lines = vec![("water".to_owned(), 40), ("other:field kitchen".to_owned(), hand.dice.between(1, 1 << 50))];
    let priority = PRIORITIES[hand.dice.index(4)].to_owned();
    let request =
        Effect::Request { site: hand.site(), label, lines, priority, needed_by: hand.dice.chance(500).then(|| hand.span()) };
    out.push(inject(hand, 1, 0, request));
    for nr in 2..2 + u32::try_from(hand.dice.below(14)).unwrap_or(0) {
        let at = hand.dice.between(1, hand.duration - 2);
        let effect = effect(hand);
        out.push(inject(hand, nr, at, effect));
    }
    out
}

fn inject(hand: &mut Hand, nr: u32, at: Micros, effect: Effect) -> Inject {
    let swizzle = matches!(effect, Effect::Swizzle(_));
    let spoken = matches!(effect, Effect::Say | Effect::TellController);
    Inject {
        nr,
        when: When::At(at),
        lasts: (swizzle || hand.dice.chance(500)).then(|| hand.span()),
        name: hand.name("n", nr),
        say: (spoken || hand.dice.chance(300)).then(|| hand.text()),
        objective: hand.dice.chance(300).then(|| "O2".to_owned()),
        expect: Vec::new(),
        by_hand: hand.dice.chance(200),
        origin: Origin::default(),
        effect,
    }
}

fn effect(hand: &mut Hand) -> Effect {
    let site = hand.site();
    let other = (site + 1) % hand.sites;
    let authority = hand.authority.unwrap_or(site);
    match hand.dice.below(33) {
        0 => Effect::PowerLoss(hand.sites()),
        1 => Effect::PowerBack(hand.sites()),
        2 => Effect::Cut(hand.some(hand.elements)),
        3 => Effect::Restore(hand.some(hand.elements)),
        4 => Effect::Degrade { sites: hand.sites(), path: hand.path() },
        5 => {
            let a: Vec<SiteNo> = vec![site];
            let b: Vec<SiteNo> = (0..hand.sites).filter(|no| *no != site).collect();
            Effect::Partition { groups: if hand.dice.chance(500) { vec![b, a] } else { vec![a] }, one_way: hand.dice.chance(500) }
        }
        6 => Effect::Heal(if hand.dice.chance(500) { Vec::new() } else { hand.sites() }),
        7 => Effect::Flap { sites: hand.sites(), period: 1 + hand.span() },
        8 => Effect::Swizzle(hand.sites()),
        9 => Effect::FirmOutage(hand.owner.clone()),
        10 => Effect::Crash(hand.sites()),
        11 => Effect::Restart(hand.sites()),
        12 => Effect::ReplacePc(hand.sites()),
        13 => Effect::DiskFull(hand.sites()),
        14 => Effect::DiskCorrupt(hand.sites()),
        15 => Effect::OldBackup { sites: hand.sites(), age: hand.span(), machine: hand.dice.chance(500) },
        16 => Effect::ClockJump { sites: hand.sites(), by_ms: i64::try_from(hand.dice.below(1 << 50)).unwrap_or(0) - (1 << 49) },
        17 => Effect::ClockDrift { sites: hand.sites(), ppm: i32::try_from(hand.dice.below(1 << 20)).unwrap_or(0) - (1 << 19) },
        18 => Effect::Jam { channel: "R1".into(), sites: if hand.dice.chance(500) { Vec::new() } else { hand.sites() } },
        // The first hub has a radio whatever the dice say.
        19 => Effect::AntennaDown((0..hand.sites).collect()),
        20 => Effect::Courier { from: site, to: other },
        21 => Effect::Forge { kind: ForgeKind::ALL[hand.dice.index(ForgeKind::ALL.len())], site },
        22 => Effect::Report { sites: hand.sites(), values: hand.values() },
        23 => Effect::Cancel("R-1".into()),
        24 => Effect::Close("R-1".into()),
        25 if hand.dice.chance(500) => Effect::Goods { site, deed: goods(hand) },
        25 => Effect::Observe { site, of: other, values: hand.values() },
        26 => Effect::OperatorAbsent(hand.sites()),
        27 => Effect::Say,
        28 => Effect::TellController,
        29 => Effect::Revoke { site, at: other },
        30 if hand.authority.is_some() => {
            let stead = other != authority && hand.dice.chance(500);
            let (site, acting_for) = if stead { (other, Some(authority)) } else { (authority, None) };
            Effect::Order { site, acting_for, mode: if hand.dice.chance(500) { "none" } else { "resilience" }.into() }
        }
        31 if hand.authority.is_some() => Effect::Deputies { site: authority, of: hand.sites(), after: 1 + hand.span() },
        _ => Effect::Crash(vec![site]),
    }
}

fn expects(hand: &mut Hand, injects: &[Inject]) -> Vec<Expect> {
    let forged = injects.iter().find(|inject| matches!(inject.effect, Effect::Forge { .. })).map(|inject| inject.nr);
    (0..hand.dice.below(4))
        .map(|no| {
            let at = hand.dice.below(hand.duration / 2);
            let after = if hand.dice.chance(300) { After::Inject(1) } else { After::Time(at) };
            let within = hand.dice.between(1, hand.duration / 2);
            let mut checks: Vec<Check> = (0..=hand.dice.below(3)).map(|_| check(hand)).collect();
            checks.extend(forged.filter(|_| hand.dice.chance(500)).map(Check::NeverAccepted));
            Expect {
                id: format!("X{no}"),
                objective: hand.dice.chance(500).then(|| "O1".to_owned()),
                text: hand.text(),
                after,
                within,
                checks,
                origin: Origin::default(),
            }
        })
        .collect()
}

fn goods(hand: &mut Hand) -> GoodsDeed {
    let request = "R-1".to_owned();
    let some = |hand: &mut Hand| hand.dice.chance(500);
    let lines = |hand: &mut Hand| {
        let other = ("other:tents, large".to_owned(), 1 + hand.dice.below(9));
        if some(hand) { vec![("water".to_owned(), 1 + hand.dice.below(400)), other] } else { Vec::new() }
    };
    match hand.dice.index(5) {
        0 => GoodsDeed::Commit { request, lines: lines(hand) },
        1 => {
            let step = JourneyStep::ALL[hand.dice.index(JourneyStep::ALL.len())];
            GoodsDeed::Consign { to: (step == JourneyStep::Divert).then(|| request.clone()), request, step }
        }
        2 => GoodsDeed::Receive { request, lines: lines(hand) },
        3 => GoodsDeed::Resolve { request },
        _ => GoodsDeed::Stock(vec![("rice".to_owned(), -3), ("water".to_owned(), 1 + i64::from(hand.dice.below(9) as u32))]),
    }
}

fn check(hand: &mut Hand) -> Check {
    let (at_least, at_most) = if hand.dice.chance(500) { (1, u64::MAX) } else { (0, hand.dice.below(1 << 40)) };
    match hand.dice.below(9) {
        0 => Check::Knows {
            sites: hand.sites(),
            alive: hand.dice.chance(500),
            what: Subject::Request("R-1".into()),
            at_least: hand.share(),
        },
        1 => Check::Knows { sites: hand.sites(), alive: hand.dice.chance(500), what: Subject::Inject(1), at_least: 1_000_000 },
        2 if hand.dice.chance(500) => Check::Count { what: Counted::Conflicts(hand.site()), at_least, at_most },
        2 if hand.dice.chance(300) => Check::NeverAcceptedFrom(hand.site()),
        2 if hand.dice.chance(300) => {
            Check::Sum { field: "stock.water".into(), at: hand.site(), of: hand.sites(), at_least, at_most }
        }
        2 => Check::Count { what: Counted::RequestsOpen(hand.site()), at_least, at_most },
        3 if hand.dice.chance(500) => Check::Count { what: Counted::Forked(hand.site()), at_least, at_most },
        3 => Check::Count { what: Counted::Reachable(hand.site()), at_least, at_most },
        4 if hand.dice.chance(300) => {
            let count = Check::Count { what: Counted::Forked(hand.site()), at_least, at_most };
            Check::Never(Box::new(count))
        }
        4 if hand.dice.chance(300) => Check::ShowsAge { at: hand.sites(), of: hand.sites(), age: hand.span() },
        4 => Check::Count { what: Counted::Running(hand.sites()), at_least, at_most },
        5 => Check::Count { what: Counted::Open(hand.sites()), at_least, at_most },
        6 => {
            let value = if hand.dice.chance(500) { "unknown" } else { "closed" };
            Check::Shows { at: hand.sites(), of: hand.sites(), field: "operating.status".into(), value: value.into() }
        }
        7 => Check::TimeToKnowP95 { sites: hand.sites(), at_most: hand.span() },
        _ if hand.dice.chance(500) => Check::AirtimeBelow { channel: "R1".into(), share: hand.share() },
        _ => Check::Equal(hand.sites()),
    }
}
