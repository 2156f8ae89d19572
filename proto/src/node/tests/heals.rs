//! Whole nodes over links that lose, double and reorder frames, with restarts in between: after the heal all are equal (P7).

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Request(usize),
    Report(usize, u8),
    Connect(usize, usize),
    Unplug(usize),
    Restart(usize),
    /// The PC is put back to a copy of its disk from before, stamp and all.
    Back(usize),
    Copy(usize),
    Pass(u16),
}

const HOSTS: usize = 3;

fn any_step() -> impl Strategy<Value = Step> {
    let host = 0..HOSTS;
    prop_oneof![
        4 => host.clone().prop_map(Step::Request),
        3 => (host.clone(), 0..3_u8).prop_map(|(host, value)| Step::Report(host, value)),
        3 => (host.clone(), 1..HOSTS).prop_map(|(one, on)| Step::Connect(one, (one + on) % HOSTS)),
        1 => host.clone().prop_map(Step::Unplug),
        1 => host.clone().prop_map(Step::Restart),
        1 => host.clone().prop_map(Step::Back),
        1 => host.prop_map(Step::Copy),
        2 => (1..4_000_u16).prop_map(Step::Pass),
    ]
}

fn play(world: &mut World, steps: &[Step]) {
    let mut copies: BTreeMap<usize, (Vec<Row>, Option<Stamp>)> = BTreeMap::new();
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Request(host) => {
                let wish = RequestNew { items: vec![format!("water:{}", n + 1)], ..Default::default() };
                world.order(*host, Command::RequestNew(wish));
            }
            Step::Report(host, value) => {
                let word = ["open", "limited", "closed"][usize::from(*value)].to_owned();
                let values = BTreeMap::from([("operating.status".to_owned(), word)]);
                world.order(*host, Command::Report(Report { values, act: Default::default() }));
            }
            Step::Connect(one, other) => world.connect(*one, *other),
            Step::Unplug(host) => world.disconnect_all(*host),
            Step::Restart(host) => world.restart(*host),
            Step::Back(host) => {
                if let Some((rows, stamp)) = copies.get(host).cloned() {
                    world.hosts[*host].rows = rows;
                    world.hosts[*host].stamp = stamp;
                    world.restart(*host);
                }
            }
            Step::Copy(host) => {
                copies.insert(*host, (world.hosts[*host].rows.clone(), world.hosts[*host].stamp));
            }
            Step::Pass(ms) => world.pass(Duration::from_millis(u64::from(*ms))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..ProptestConfig::default() })]
    #[test]
    fn after_loss_repetition_reordering_copies_and_restarts_a_heal_makes_all_equal(
        steps in proptest::collection::vec(any_step(), 1..30), seed in any::<[u8; 32]>(),
    ) {
        let mut world = World::new(HOSTS as u16);
        world.noise = Some(crate::rng::Rng::new(seed));
        play(&mut world, &steps);
        world.noise = None;
        for host in 0..HOSTS {
            world.disconnect_all(host);
        }
        world.connect(0, 1);
        world.connect(1, 2);
        world.pass(Duration::from_secs(70));
        world.converged();
        // Whoever starts again from its disk holds the same.
        let before = world.digests();
        for host in 0..HOSTS {
            world.restart(host);
        }
        prop_assert_eq!(world.digests(), before);
        world.converged();
    }
}

#[test]
fn what_a_neighbour_announced_is_not_announced_back_to_it() {
    let mut world = World::new(3);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        world.connect(a, b);
    }
    // Enough that 1 and 2, who both hear 0 directly, prune each other.
    for n in 1..5 {
        world.request(0, &format!("water:{n}"), None);
    }
    world.pass(Duration::from_secs(2));
    world.request(0, "rice:1", None);
    let waiting = |world: &World| {
        let mut links = world.hosts[1].node.links.iter();
        links
            .find(|(_, link)| !world.hosts[1].node.notices.waiting(link.place).is_empty())
            .map(|(id, link)| (id, world.hosts[1].node.notices.waiting(link.place)))
    };
    let (link, ids) = waiting(&world).expect("an announcement to 2 waits");
    let entries = ids.iter().map(|id| (id.log, vec![id.number])).collect();
    world.hosts[1].node.announced(link, entries, Vec::new());
    world.drain(1);
    assert_eq!(waiting(&world), None);
}
