//! How fresh words spread: what a link is too narrow for, many that speak at once, stations that started together.

use super::gate::published;
use super::*;

pub(super) fn metric(world: &mut World, n: usize, name: &str) -> u64 {
    match world.hosts[n].node.answer(world.now, &Question::Metrics) {
        Answer::Metrics(metrics) => metrics.get(name).copied().unwrap_or(0),
        other => panic!("{other:?}"),
    }
}

fn held(world: &mut World, n: usize) -> (u64, u64) {
    match world.hosts[n].node.answer(world.now, &Question::Digest) {
        Answer::Digest(view) => (view.entries, view.holes),
        other => panic!("{other:?}"),
    }
}

/// A request whose entry takes more than 1,200 bytes.
fn long_request(world: &mut World, n: usize) {
    let items = (0..16).map(|line| format!("other:{line:02} {}=1", "tarpaulin ".repeat(6).trim())).collect();
    let reply = world.order(n, Command::RequestNew(RequestNew { items, ..Default::default() }));
    assert!(matches!(reply, Reply::Saved(_)), "{reply:?}");
}

#[test]
fn a_word_too_long_for_a_link_holds_up_nothing_and_comes_another_way() {
    let mut world = World::new(3);
    world.connect_over(0, 1, 1_200);
    world.pass(Duration::from_secs(3));
    long_request(&mut world, 0);
    world.request(0, "rice:1", None);
    world.pass(Duration::from_secs(40));
    // The short one and the hub's own acknowledgement of it.
    assert_eq!(held(&mut world, 1), (2, 1), "the short one came, and the hole below it is seen");
    assert!(metric(&mut world, 0, "words_too_long_total") > 0);
    world.connect(0, 2);
    world.connect(2, 1);
    world.pass(Duration::from_secs(40));
    assert_eq!(held(&mut world, 1).1, 0);
    world.converged();
}

#[test]
fn when_a_large_alliance_starts_at_once_each_board_comes_about_once_to_each() {
    const HOSTS: u16 = 120;
    let mut world = World::new(HOSTS);
    for n in 0..usize::from(HOSTS) {
        for step in [1, 11, 37] {
            world.connect(n, (n + step) % usize::from(HOSTS));
        }
    }
    for n in 0..usize::from(HOSTS) {
        let values = BTreeMap::from([("operating.status".to_owned(), "open".to_owned())]);
        let command = Command::Report(Report { values, act: Default::default() });
        world.inputs.push_back((n, Input::Command { id: CommandId(n as u64), command }));
    }
    world.pass(Duration::from_secs(20));
    world.converged();
    let (all, mut before) = (u64::from(HOSTS) * u64::from(HOSTS), 0);
    let mut again = |world: &mut World| {
        let count: u64 = (0..usize::from(HOSTS)).map(|n| metric(world, n, "boards_duplicate_total")).sum();
        count - std::mem::replace(&mut before, count)
    };
    let first = again(&mut world);
    assert!(first < 2 * all, "{first} boards came again, {all} came");
    for (round, word) in ["limited", "closed"].into_iter().enumerate() {
        for n in 0..usize::from(HOSTS) {
            world.report(n, "operating.status", word);
        }
        world.pass(Duration::from_secs(20));
        world.converged();
        // What was tried over a link is pruned there with its second duplicate; from then on each word takes the ways found.
        let later = again(&mut world);
        assert!(round == 0 || later < all / 10, "{later} later boards came again");
    }
}

#[test]
fn stations_that_start_together_do_not_speak_together_for_ever() {
    let mut world = World::new(2);
    let profile = LinkProfile {
        mtu: 1_000,
        rate: 150,
        reliable: false,
        broadcast: true,
        peer: None,
        dialled: None,
        label: "channel 1".to_owned(),
    };
    let beacon = Config::default().beacon;
    let mut spoke: Vec<Vec<Instant>> = Vec::new();
    for n in 0..2 {
        world.hosts[n].node.handle(world.now, Input::LinkUp { link: LinkId(9), profile: profile.clone() });
        world.drain(n);
        let mut times = vec![world.now.mono];
        for _ in 0..20 {
            let at = world.hosts[n].node.links[&LinkId(9)].probe_at.expect("the next beacon is planned");
            let wait = at.since(times[times.len() - 1]);
            assert!(wait >= beacon * 3 / 4 && wait <= beacon * 5 / 4, "{wait:?}");
            times.push(at);
            let now = Now { mono: at, ..world.now };
            world.hosts[n].node.handle(now, Input::Wake);
            world.drain(n);
        }
        spoke.push(times);
    }
    let second = Duration::from_secs(1);
    let near = |a: &Instant, b: &Instant| a.since(*b) < second && b.since(*a) < second;
    let together = spoke[0].iter().zip(&spoke[1]).skip(1).filter(|(a, b)| near(a, b)).count();
    assert!(together < 5, "{together} of 20 beacons at the same moment");
}

#[test]
fn a_word_goes_on_the_air_once_by_its_author_and_by_others_only_where_the_author_is_not_heard() {
    let air = LinkId(99);
    let mut world = World::new(4);
    for n in 0..3 {
        world.connect(n, n + 1);
    }
    let profile = LinkProfile {
        mtu: 60_000,
        rate: 0,
        reliable: false,
        broadcast: true,
        peer: None,
        dialled: None,
        label: "air".to_owned(),
    };
    let key = |world: &World, n: usize| world.alliance.nodes[n].secret.public();
    for n in 0..4 {
        // Host 2 hears host 0 no more than it is linked to it.
        let keys = (0..4).filter(|other| *other != n && (n, *other) != (2, 0)).map(|other| key(&world, other)).collect();
        world.inputs.push_back((n, Input::LinkUp { link: air, profile: profile.clone() }));
        world.inputs.push_back((n, Input::Audible { link: air, keys }));
    }
    world.settle();
    // Their own boards are said again to whoever is new there.
    let waiting = |world: &World| [0, 1, 2, 3].map(|n| world.hosts[n].node.links[&air].outbox.len());
    let before = waiting(&world);
    world.request(0, "rice:2", None);
    let more = |world: &World| [0, 1, 2, 3].map(|n| waiting(world)[n] - before[n]);
    // Host 2 has links to 1 and 3 and hears nobody else, so that nothing goes on the air there.
    assert_eq!(more(&world), [1, 0, 0, 0], "whoever heard host 0 leaves it to host 0");
    let keys = vec![key(&world, 3)];
    world.inputs.push_back((1, Input::Audible { link: air, keys }));
    world.settle();
    world.request(0, "rice:3", None);
    assert_eq!(more(&world), [2, 1, 0, 0], "host 1 hears host 3, which is not linked to it, and not the author");
}

#[test]
fn in_a_crowd_a_newcomer_is_told_our_board_with_the_next_beacon_and_not_by_all_at_once() {
    let air = LinkId(99);
    let mut world = World::new(4);
    let profile = LinkProfile {
        mtu: 60_000,
        rate: 0,
        reliable: false,
        broadcast: true,
        peer: None,
        dialled: None,
        label: "air".to_owned(),
    };
    let keys = |world: &World, others: &[usize]| others.iter().map(|n| world.alliance.nodes[*n].secret.public()).collect();
    // Three heard are a crowd for one whose beacon is this often, and nobody is for the other.
    world.hosts[0].node.config.beacon = Duration::from_secs(3);
    for n in [0, 3] {
        world.report(n, "operating.status", "open");
        let others: Vec<usize> = (0..4).filter(|other| *other != n).collect();
        world.inputs.push_back((n, Input::LinkUp { link: air, profile: profile.clone() }));
        world.inputs.push_back((n, Input::Audible { link: air, keys: keys(&world, &others) }));
    }
    world.settle();
    let waiting = |world: &World, n: usize| world.hosts[n].node.links[&air].outbox.len();
    assert_eq!((waiting(&world, 0), waiting(&world, 3)), (0, 1));
    let due = |world: &World| world.hosts[0].node.links[&air].probe_at.expect("the next beacon is planned");
    let wait = due(&world).since(world.now.mono);
    assert!(wait >= Duration::from_millis(4_500) && wait <= Duration::from_millis(7_500), "{wait:?}");
    let mut more = Vec::new();
    for _ in 0..2 {
        let (before, at) = (waiting(&world, 0), due(&world));
        world.hosts[0].node.handle(Now { mono: at, ..world.now }, Input::Wake);
        world.drain(0);
        more.push(waiting(&world, 0) - before);
    }
    // A beacon and the board; a beacon.
    assert_eq!(more, [2, 1]);
}

#[test]
fn details_that_fill_more_than_one_frame_all_arrive() {
    let mut world = World::new(20);
    world.connect(0, 1);
    let link = world.wires.keys().find(|(host, _)| *host == 0).unwrap().1;
    for n in 2..20 {
        let frame = published(&world, n, DocKind::Detail, crate::config::DETAIL_BYTES_MAX);
        world.inputs.push_back((0, Input::Received { link, frame }));
    }
    world.settle();
    world.pass(Duration::from_secs(5));
    for host in 0..2 {
        assert_eq!(world.hosts[host].node.replica.docs(DocKind::Detail).count(), 18, "host {host}");
    }
}
