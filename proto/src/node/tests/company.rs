//! A firm with two fifths of all certificates surrounds everybody: its nodes dial all others, fill their address books and say nothing.
//! The others find each other all the same (T16).

use super::*;
use crate::config::MEMBERS_MAX;
use crate::message::{Message, WireDoc};
use crate::replica::Document;
use crate::rng::Rng;

/// Nodes of the three firms that behave, and of the one that does not: 10 of 24.
const HONEST: [u16; 3] = [6, 5, 3];
const EVIL: u16 = 10;
/// Nobody may be without the majority of the others for longer. trust.md T16.
const ALONE_MAX: Duration = Duration::from_secs(300);

fn firms(sizes: &[u16], hub_of: usize) -> Alliance {
    let node = |firm: usize, n: u16| NodePlan {
        name: format!("Node {firm} {n}"),
        role: if firm == hub_of && n == 1 { Role::Hub } else { Role::Store },
        region: Region::from_code("TPE").unwrap(),
        tier: 2,
    };
    let firm = |(firm, size): (usize, &u16)| FirmPlan {
        firm: format!("Firm {firm}"),
        nodes: (1..=*size).map(|n| node(firm, n)).collect(),
    };
    let firms = sizes.iter().enumerate().map(firm).collect();
    let plan = AlliancePlan { seed: [7; 32], kind: RealmKind::Simulation, roots: 3, k: 2, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).unwrap()
}

/// The world of one seed.
struct Surrounded {
    world: World,
    honest: usize,
    dice: Rng,
    /// Since when a node is without the majority.
    alone: BTreeMap<usize, Instant>,
}

impl Surrounded {
    fn of(seed: u64, sizes: &[u16], hub_of: usize, honest: usize) -> Self {
        let mut world = World::of(firms(sizes, hub_of), honest);
        world.hangs_up = true;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        Self { world, honest, dice: Rng::new(bytes), alone: BTreeMap::new() }
    }

    /// All have met and know everybody's board. Then the power goes, and comes back.
    fn new(seed: u64) -> Self {
        // Sometimes the only hub of the region is the enemy's.
        let sizes = [&HONEST[..], &[EVIL]].concat();
        let honest = usize::from(HONEST.iter().sum::<u16>());
        let mut siege = Self::of(seed, &sizes, if seed.is_multiple_of(2) { HONEST.len() } else { 0 }, honest);
        (0..honest).for_each(|n| siege.restart(n));
        for n in 0..honest {
            siege.world.connect(n, (n + 1) % honest);
        }
        let boards = (honest..honest + usize::from(EVIL)).map(|evil| siege.board(evil)).collect();
        siege.press(0, honest, None);
        let link = LinkId(siege.world.next_link - 1);
        siege.world.inputs.push_back((0, Input::Received { link, frame: Message::Docs { want: None, docs: boards }.to_frame() }));
        siege.world.pass(Duration::from_secs(90));
        siege.world.converged();
        (0..honest).for_each(|n| siege.restart(n));
        siege
    }

    fn restart(&mut self, n: usize) {
        self.world.disconnect_all(n);
        let (rows, stamp) = (std::mem::take(&mut self.world.hosts[n].rows), self.world.hosts[n].stamp);
        let config = Config { advertise: vec![format!("host{n}:1")], ..Config::default() };
        let node = self.world.boot_with(n, rows.clone(), stamp, config);
        let host = &mut self.world.hosts[n];
        (host.node, host.rows, host.stamp) = (node, rows, stamp);
        host.dials.clear();
        self.world.drain(n);
    }

    /// A board that fills address books.
    fn board(&self, evil: usize) -> WireDoc {
        let issued = &self.world.alliance.nodes[evil];
        let incarnation = crate::id::Incarnation { count: 1, random: 1 };
        let contact = (1..=4).map(|port| format!("evil{evil}:{port}")).collect();
        let log = LogId { author: issued.node, generation: issued.generation, incarnation };
        let doc =
            Document { log, version: 1, wall: UtcMillis::UNKNOWN, floor: 0, head: 0, readings: Default::default(), contact };
        let bytes: bytes::Bytes = doc.to_bytes();
        let realm = self.world.alliance.roster.realm();
        let signature = crate::identity::sign(&issued.secret, &realm, crate::identity::Tag::Board, &bytes);
        let age = crate::io::AgeMark::default();
        WireDoc::pack(&crate::io::DocRow { author: issued.node, kind: DocKind::Board, bytes, signature, age }, None)
    }

    /// A link between a node and one that greets and then keeps silent.
    fn press(&mut self, n: usize, evil: usize, dialled: Option<String>) {
        let (link, issued) = (LinkId(self.world.next_link), &self.world.alliance.nodes[evil]);
        self.world.next_link += 1;
        let (peer, label) = (Some(issued.secret.public()), "wire".to_owned());
        let profile = LinkProfile { mtu: 65_536, rate: 0, reliable: true, broadcast: false, peer, dialled, label };
        let chain = self.world.alliance.roster.chain(issued.node);
        let hello = Message::Hello { chain, wall: UtcMillis::UNKNOWN, roster: self.world.hosts[n].node.known.hash() };
        self.world.inputs.push_back((n, Input::LinkUp { link, profile }));
        self.world.inputs.push_back((n, Input::Writable { link, room: u32::MAX }));
        self.world.inputs.push_back((n, Input::Received { link, frame: hello.to_frame() }));
        self.world.settle();
    }

    fn linked(&self, n: usize, other: usize) -> bool {
        self.world.hosts[n].node.linked().contains(&self.world.alliance.nodes[other].node)
    }

    /// Whoever is not linked to the enemy is dialled by it; then whom the others dial is reached, if it is there.
    fn second(&mut self) {
        for n in 0..self.honest {
            for evil in self.honest..self.honest + usize::from(EVIL) {
                if !self.linked(n, evil) {
                    self.press(n, evil, None);
                }
            }
        }
        self.world.pass(Duration::from_secs(1));
        for n in 0..self.honest {
            for address in std::mem::take(&mut self.world.hosts[n].dials) {
                let number = |name: &str| address.strip_prefix(name)?.split(':').next()?.parse::<usize>().ok();
                match (number("host"), number("evil")) {
                    (Some(other), _) => self.world.wire(n, other, 65_536, address),
                    (None, Some(evil)) => self.press(n, evil, Some(address)),
                    (None, None) => panic!("{address}"),
                }
            }
        }
    }

    /// Nodes that hear each other over honest links only, by the lowest of them.
    fn islands(&self) -> Vec<usize> {
        let mut island: Vec<usize> = (0..self.honest).collect();
        for a in 0..self.honest {
            for b in (0..a).filter(|b| self.linked(a, *b) && self.linked(*b, a)) {
                let (low, high) = (island[a].min(island[b]), island[a].max(island[b]));
                island.iter_mut().filter(|other| **other == high).for_each(|other| *other = low);
            }
        }
        island
    }

    /// How long the loneliest node has been without the majority of the others.
    fn loneliest(&mut self) -> Duration {
        let (island, now) = (self.islands(), self.world.now.mono);
        let with = |n: usize| island.iter().filter(|other| **other == island[n]).count();
        for n in 0..self.honest {
            if with(n) * 2 > self.honest {
                self.alone.remove(&n);
            } else {
                self.alone.entry(n).or_insert(now);
            }
        }
        self.alone.values().map(|since| now.since(*since)).max().unwrap_or_default()
    }
}

fn besiege(seed: u64) {
    let mut siege = Surrounded::new(seed);
    let mut longest = Duration::ZERO;
    for second in 1..=600_u64 {
        siege.second();
        if second.is_multiple_of(60) {
            let fallen = siege.dice.below(siege.honest as u64) as usize;
            siege.restart(fallen);
        }
        longest = longest.max(siege.loneliest());
    }
    assert!(longest <= ALONE_MAX, "seed {seed}: somebody was alone for {} s", longest.as_secs());
    siege.world.request(0, "water:1", None);
    (0..60).for_each(|_| siege.second());
    siege.world.converged();
}

#[test]
fn a_firm_that_dials_everybody_keeps_nobody_from_the_majority_of_the_others() {
    (0..16).for_each(besiege);
}

#[test]
fn where_places_run_out_the_firm_that_has_most_of_them_gives_way_and_no_other() {
    let mut siege = Surrounded::of(1, &[2, 9, 130], 0, 1);
    let (others, evil) = (2..11, 11..141);
    let count = |siege: &Surrounded, nodes: std::ops::Range<usize>| nodes.filter(|other| siege.linked(0, *other)).count();
    evil.clone().for_each(|node| siege.press(0, node, None));
    assert_eq!(count(&siege, evil.clone()), MEMBERS_MAX, "while nobody else comes");
    others.clone().for_each(|node| siege.press(0, node, None));
    siege.press(0, 1, None);
    assert_eq!((count(&siege, others.clone()), count(&siege, evil.clone())), (9, MEMBERS_MAX - 10));
    evil.clone()
        .filter(|node| !siege.linked(0, *node))
        .collect::<Vec<_>>()
        .into_iter()
        .for_each(|node| siege.press(0, node, None));
    assert_eq!((count(&siege, others), count(&siege, evil)), (9, MEMBERS_MAX - 10), "however often it comes again");
    assert!(siege.linked(0, 1));
}
