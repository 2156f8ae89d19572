//! P6: the same config, seed and inputs give the same outputs, byte for byte.

use proptest::prelude::*;

use super::*;

/// What happens to a node; answers to what it asked for are made from what it asked.
#[derive(Clone, Debug)]
enum Happens {
    Link(u8),
    Down(u8),
    Noise(u8, Vec<u8>),
    Room(u8, u32),
    Request(u8),
    Report(bool),
    Store(bool),
    Address(u8),
    Time(u32),
}

fn any_happening() -> impl Strategy<Value = Happens> {
    prop_oneof![
        2 => (1..6_u8).prop_map(Happens::Link),
        1 => (1..6_u8).prop_map(Happens::Down),
        1 => (1..6_u8, proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(link, bytes)| Happens::Noise(link, bytes)),
        2 => (1..6_u8, 0..100_000_u32).prop_map(|(link, room)| Happens::Room(link, room)),
        3 => (1..90_u8).prop_map(Happens::Request),
        2 => any::<bool>().prop_map(Happens::Report),
        4 => any::<bool>().prop_map(Happens::Store),
        1 => any::<u8>().prop_map(Happens::Address),
        3 => (0..5_000_000_u32).prop_map(Happens::Time),
    ]
}

/// All outputs, as they print and as they are recorded.
fn run(world: &World, happenings: &[Happens]) -> (String, String) {
    let mut node = world.boot(0, Vec::new(), None);
    let mut now = world.now;
    let mut outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
    let mut waiting = VecDeque::new();
    for (n, happening) in (1_u64..).zip(happenings) {
        let link = |link: &u8| LinkId(u32::from(*link));
        let input = match happening {
            Happens::Link(n) => {
                let peer = Some(world.alliance.nodes[usize::from(*n % 2) + 1].secret.public());
                let dialled = (*n > 3).then(|| format!("host{n}"));
                let profile = LinkProfile {
                    mtu: 65_536,
                    rate: 0,
                    reliable: *n != 4,
                    broadcast: *n == 5,
                    peer,
                    dialled,
                    label: String::new(),
                };
                Input::LinkUp { link: link(n), profile }
            }
            Happens::Down(n) => Input::LinkDown { link: link(n), cause: "unplugged".to_owned() },
            Happens::Noise(n, bytes) => Input::Received { link: link(n), frame: bytes.clone().into() },
            Happens::Room(n, room) => Input::Writable { link: link(n), room: *room },
            Happens::Request(quantity) => {
                let wish = RequestNew { items: vec![format!("water:{quantity}")], ..Default::default() };
                Input::Command { id: CommandId(n), command: Command::RequestNew(wish) }
            }
            Happens::Report(open) => {
                let word = if *open { "open" } else { "closed" }.to_owned();
                let values = BTreeMap::from([("operating.status".to_owned(), word)]);
                Input::Command { id: CommandId(n), command: Command::Report(Report { values, act: Default::default() }) }
            }
            Happens::Store(keeps) => match (waiting.pop_front(), keeps) {
                (Some(token), true) => Input::Persisted { token },
                (Some(token), false) => Input::PersistFailed { token, cause: "full".to_owned() },
                (None, _) => Input::Wake,
            },
            Happens::Address(n) => Input::Candidate { address: format!("host{n}"), is_static: *n % 2 == 0 },
            Happens::Time(micros) => {
                now.mono = now.mono.after(Duration::from_micros(u64::from(*micros)));
                Input::Wake
            }
        };
        node.handle(now, input);
        while let Some(output) = node.poll_output() {
            if let Output::Persist { token, .. } = &output {
                waiting.push_back(*token);
            }
            outputs.push(output);
        }
    }
    (format!("{outputs:?} {:?}", node.deadline()), serde_json::to_string(&outputs).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..ProptestConfig::default() })]
    #[test]
    fn the_same_inputs_give_the_same_outputs_byte_for_byte(happenings in proptest::collection::vec(any_happening(), 0..60)) {
        let world = World::new(3);
        let (one, other) = (run(&world, &happenings), run(&world, &happenings));
        prop_assert_eq!(&one.0, &other.0);
        prop_assert_eq!(one.1, other.1, "outputs are recorded alike");
    }
}
