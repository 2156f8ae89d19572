//! Who may speak is learned from any neighbour, however many there are.

use super::*;
use crate::identity::AlliancePlan;
use crate::message::Message;

/// More certificates than one frame could name.
const MANY: u16 = 4_200;

fn large() -> Alliance {
    let node =
        |n: u16| NodePlan { name: format!("Node {n}"), role: Role::Store, region: Region::from_code("TPE").unwrap(), tier: 2 };
    let firms = vec![FirmPlan { firm: "Example Mart".to_owned(), nodes: (1..=MANY).map(node).collect() }];
    let plan = AlliancePlan { seed: [8; 32], kind: RealmKind::Simulation, roots: 1, k: 1, firms, not_before: 20_000, days: 400 };
    found_alliance(&plan).unwrap()
}

#[test]
fn a_newcomer_learns_of_more_members_than_one_frame_can_name() {
    let alliance = large();
    let now = Now { mono: Instant(1_000_000), wall: UtcMillis(1_795_000_000_000) };
    let boot = |place: usize, roster: Vec<bytes::Bytes>| {
        let issued = &alliance.nodes[place];
        let setup = Setup {
            config: Config::default(),
            me: issued.node,
            signer: issued.secret.clone().into(),
            known: Known::read(&roster).unwrap(),
            catalogue: catalogue(),
            seed: [place as u8; 32],
            stamp: None,
        };
        Node::restore(setup, Vec::new(), now).unwrap()
    };
    let few = alliance.roster.chain(alliance.nodes[1].node);
    let mut nodes = [boot(0, alliance.objects.clone()), boot(1, few)];
    let mut inputs: VecDeque<(usize, Input)> = VecDeque::new();
    let link = LinkId(1);
    for (place, other) in [(0, 1), (1, 0)] {
        while nodes[place].poll_output().is_some() {}
        let profile = LinkProfile {
            mtu: 65_536,
            rate: 0,
            reliable: true,
            broadcast: false,
            peer: Some(alliance.nodes[other].secret.public()),
            dialled: None,
            label: "wire".to_owned(),
        };
        inputs.push_back((place, Input::LinkUp { link, profile }));
        inputs.push_back((place, Input::Writable { link, room: 200_000 }));
    }
    while let Some((place, input)) = inputs.pop_front() {
        nodes[place].handle(now, input);
        while let Some(output) = nodes[place].poll_output() {
            if let Output::Transmit { frame, .. } = output {
                inputs.push_back((1 - place, Input::Received { link, frame }));
                inputs.push_back((place, Input::Writable { link, room: 200_000 }));
            } else if let Output::Persist { token, .. } = output {
                inputs.push_back((place, Input::Persisted { token }));
            } else {
                assert!(!matches!(output, Output::Notify(Event::Bug { .. })), "{output:?}");
            }
        }
    }
    assert_eq!(nodes[1].known.roster().nodes().count(), usize::from(MANY));
    assert_eq!(nodes[0].known.hash(), nodes[1].known.hash());
}

#[test]
fn a_name_certified_twice_and_a_key_with_two_names_are_told_to_people() {
    let mut world = World::new(3);
    assert!(world.warnings(0).is_empty());
    let roster = world.alliance.roster.clone();
    let mut offer = |change: fn(&mut crate::identity::NodeCertificate, PublicKey)| {
        let mut certificate = roster.current(world.alliance.nodes[1].node).unwrap().clone();
        change(&mut certificate, world.alliance.nodes[2].secret.public());
        let envelope = certificate.issue(&roster.realm(), &world.alliance.issuers[0]).unwrap();
        world.hosts[0].node.known.offer(&envelope).unwrap();
        world.warnings(0)
    };
    assert_eq!(offer(|second, _| second.not_before += 1), Vec::<String>::new(), "said anew is not said twice");
    assert_eq!(offer(|next, other| (next.generation.count, next.key) = (9, other)), ["H-408"], "the key of 1-3 for 1-2 too");
    assert_eq!(offer(|fork, other| fork.key = other), ["H-407", "H-408"]);
}

#[test]
fn a_node_whose_name_was_certified_twice_says_that_nothing_was_saved() {
    let mut world = World::new(2);
    world.connect(0, 1);
    let roster = world.alliance.roster.clone();
    let mut fork = roster.current(world.alliance.nodes[0].node).unwrap().clone();
    fork.key = crate::identity::SecretKey::from_seed([99; 32]).public();
    let envelope = fork.issue(&roster.realm(), &world.alliance.issuers[0]).unwrap();
    world.hosts[0].node.known.offer(&envelope).unwrap();
    world.hosts[0].node.roster_changed();
    while world.hosts[0].node.poll_output().is_some() {}
    let rows = world.hosts[0].rows.len();
    let request = RequestNew { items: vec!["rice:2".to_owned()], ..RequestNew::default() };
    let values = [("stock.water".to_owned(), "low".to_owned())].into();
    for command in [Command::RequestNew(request), Command::Report(Report { values, act: Default::default() })] {
        let reply = world.order(0, command);
        assert!(matches!(&reply, Reply::Refused(refusal) if refusal.code == "H-505"), "{reply:?}");
    }
    world.pass(Duration::from_secs(120));
    let me = world.alliance.nodes[0].node;
    let is_own = |row: &&Row| match row {
        Row::Entry(entry) => entry.id.log.author == me,
        Row::Doc { author, .. } => *author == me,
        Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => false,
    };
    let own: Vec<&Row> = world.hosts[0].rows[rows..].iter().filter(is_own).collect();
    assert!(own.is_empty(), "written by itself: {own:?}");
}

#[test]
fn a_greeting_puts_nothing_into_the_store_that_was_not_verified() {
    let world = World::new(2);
    let (alliance, now) = (&world.alliance, world.now);
    // It knows the issuer and itself, not who greets it.
    let few = alliance.roster.chain(alliance.nodes[1].node);
    let setup = Setup { known: Known::read(&few).unwrap(), ..world.setup(1, None, Config::default()) };
    let mut node = Node::restore(setup, Vec::new(), now).unwrap();
    let profile = LinkProfile {
        mtu: 65_536,
        rate: 0,
        reliable: false,
        broadcast: false,
        peer: Some(alliance.nodes[0].secret.public()),
        dialled: None,
        label: "wire".to_owned(),
    };
    let mut chain = alliance.roster.chain(alliance.nodes[0].node);
    for held in [0, 1] {
        let mut garbled = chain[held].to_vec();
        *garbled.last_mut().unwrap() ^= 8;
        chain[held] = garbled.into();
    }
    let frame = Message::Hello { chain, wall: now.wall, roster: [0; 16] }.to_frame();
    while node.poll_output().is_some() {}
    let mut stored = Vec::new();
    for input in [Input::LinkUp { link: LinkId(1), profile }, Input::Received { link: LinkId(1), frame }] {
        node.handle(now, input);
        while let Some(output) = node.poll_output() {
            if let Output::Persist { rows, .. } = output {
                stored
                    .extend(rows.into_iter().filter_map(|row| if let Row::Roster { bytes } = row { Some(bytes) } else { None }));
            }
        }
    }
    assert_eq!(stored, alliance.roster.chain(alliance.nodes[0].node)[2..], "what it held keeps its own bytes");
}
