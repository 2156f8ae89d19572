//! P4 and rule 12: nothing of ours leaves before the store has it, nothing of others counts before; and rule 13's pace.

use super::*;
use crate::message::Message;

/// Number of a want in its frame.
const WANT: u8 = 14;

/// Hands one input in and takes all outputs, answering nothing.
fn step(world: &mut World, n: usize, input: Input) -> Vec<Output> {
    let now = world.now;
    world.hosts[n].node.handle(now, input);
    std::iter::from_fn(|| world.hosts[n].node.poll_output()).collect()
}

fn token(outputs: &[Output]) -> u64 {
    outputs.iter().find_map(|output| if let Output::Persist { token, .. } = output { Some(*token) } else { None }).unwrap()
}

fn persisted(outputs: &[Output]) -> Vec<Row> {
    outputs.iter().find_map(|output| if let Output::Persist { rows, .. } = output { Some(rows.clone()) } else { None }).unwrap()
}

fn frames(outputs: &[Output]) -> Vec<Message> {
    let frame = |output: &Output| if let Output::Transmit { frame, .. } = output { Some(frame.clone()) } else { None };
    outputs.iter().filter_map(frame).map(|frame| Message::from_frame(&frame).unwrap()).collect()
}

fn both(items: &str) -> [Command; 2] {
    let values = BTreeMap::from([("operating.status".to_owned(), "open".to_owned())]);
    let request = RequestNew { items: vec![items.to_owned()], ..Default::default() };
    [Command::RequestNew(request), Command::Report(Report { values, act: Default::default() })]
}

#[test]
fn nothing_of_ours_is_sent_told_or_acknowledged_before_it_is_durable() {
    for command in both("water:40") {
        let mut world = World::new(2);
        world.connect(0, 1);
        world.pass(Duration::from_secs(4));
        let before = world.digests();
        let wait = CommandId(9_000);
        let outputs = step(&mut world, 0, Input::Command { id: wait, command });
        let persist = token(&outputs);
        assert!(frames(&outputs).is_empty() && !outputs.iter().any(|output| matches!(output, Output::Reply { .. })));
        // Peers probe and time passes: still nothing of it is told.
        for _ in 0..40 {
            world.advance(Duration::from_secs(1));
            let outputs = step(&mut world, 0, Input::Wake);
            for message in frames(&outputs) {
                assert!(!matches!(message, Message::Entries { .. } | Message::Docs { .. } | Message::Have { .. }), "{message:?}");
            }
            assert!(!outputs.iter().any(|output| matches!(output, Output::Reply { .. } | Output::Persist { .. })));
        }
        assert_eq!(world.digests(), before);
        let outputs = step(&mut world, 0, Input::Persisted { token: persist });
        assert!(frames(&outputs).iter().any(|message| matches!(message, Message::Entries { .. } | Message::Docs { .. })));
        assert!(outputs.iter().any(|output| matches!(output, Output::Reply { .. })));
    }
}

#[test]
fn a_foreign_word_is_relayed_at_once_and_counts_only_once_it_is_durable() {
    for command in both("water:40") {
        let mut world = World::new(3);
        world.connect(0, 1);
        world.connect(1, 2);
        world.pass(Duration::from_secs(4));
        let (before, view) = (world.digests(), world.hosts[1].node.canonical_view());
        let outputs = step(&mut world, 0, Input::Command { id: CommandId(9_000), command });
        let outputs = step(&mut world, 0, Input::Persisted { token: token(&outputs) });
        let mut relayed = 0;
        let mut persist = None;
        for output in outputs {
            let Output::Transmit { link, frame } = output else { continue };
            let (to, link) = world.wires[&(0, link)];
            let outputs = step(&mut world, to, Input::Received { link, frame });
            relayed += frames(&outputs).iter().filter(|m| matches!(m, Message::Entries { .. } | Message::Docs { .. })).count();
            persist = persist.or_else(|| outputs.iter().any(|o| matches!(o, Output::Persist { .. })).then(|| token(&outputs)));
        }
        assert_eq!((relayed, world.digests()[1] == before[1]), (1, true), "relayed, and not counted");
        assert_eq!(world.hosts[1].node.canonical_view(), view);
        world.advance(Duration::from_millis(150));
        let outputs = step(&mut world, 1, Input::Wake);
        assert!(!frames(&outputs).iter().any(|message| matches!(message, Message::Held { .. })), "no receipt before the disk");
        step(&mut world, 1, Input::Persisted { token: persist.unwrap() });
        assert!(world.digests()[1] != before[1] && world.hosts[1].node.canonical_view() != view);
        world.advance(Duration::from_millis(150));
        let outputs = step(&mut world, 1, Input::Wake);
        assert!(frames(&outputs).iter().any(|message| matches!(message, Message::Held { .. })));
    }
}

#[test]
fn a_word_in_our_own_name_that_another_brings_is_not_passed_on_before_it_is_durable_either() {
    for command in both("water:40") {
        let mut world = World::new(3);
        world.connect(1, 0);
        world.pass(Duration::from_secs(4));
        let outputs = step(&mut world, 1, Input::Command { id: CommandId(9_000), command });
        let outputs = step(&mut world, 1, Input::Persisted { token: token(&outputs) });
        let said = outputs.iter().find_map(|o| if let Output::Transmit { frame, .. } = o { Some(frame.clone()) } else { None });
        // Its disk is lost, or somebody else has its key: either way it hears its own name.
        world.put_back(1, (Vec::new(), None));
        world.connect(1, 0);
        world.connect(1, 2);
        world.pass(Duration::from_secs(4));
        let from = world.wires.iter().find_map(|((n, link), (to, _))| (*n == 1 && *to == 0).then_some(*link)).unwrap();
        let outputs = step(&mut world, 1, Input::Received { link: from, frame: said.unwrap() });
        let named = |message: &Message| matches!(message, Message::Entries { .. } | Message::Docs { .. } | Message::Have { .. });
        assert!(!frames(&outputs).iter().any(named), "{outputs:?}");
        world.inputs.push_back((1, Input::Persisted { token: token(&outputs) }));
        world.hosts[1].rows.extend(persisted(&outputs));
        world.pass(Duration::from_secs(40));
        world.converged();
    }
}

#[test]
fn what_the_store_refused_of_a_neighbour_counts_nowhere_and_is_asked_for_again() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(4));
    let [command, _] = both("water:40");
    let outputs = step(&mut world, 0, Input::Command { id: CommandId(9_000), command });
    // The first node's disk, which this test plays, must know its own word to serve it.
    world.hosts[0].rows.extend(persisted(&outputs));
    let outputs = step(&mut world, 0, Input::Persisted { token: token(&outputs) });
    let frame =
        outputs.iter().find_map(|o| if let Output::Transmit { link, frame } = o { Some((*link, frame.clone())) } else { None });
    let (link, frame) = frame.unwrap();
    let (_, link) = world.wires[&(0, link)];
    let outputs = step(&mut world, 1, Input::Received { link, frame });
    step(&mut world, 1, Input::PersistFailed { token: token(&outputs), cause: "disk full".to_owned() });
    assert!(world.requests(1).is_empty());
    let wants = |world: &World| world.said.get(&WANT).copied().unwrap_or(0);
    let before = wants(&world);
    world.pass(Duration::from_secs(60));
    assert!(wants(&world) > before && world.requests(1).len() == 1, "asked for again, once the store has rested");
    world.converged();
}

#[test]
fn a_hub_acknowledges_at_once_then_all_that_is_due_together_once_a_minute() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
    let acknowledged = |world: &World| {
        world.hosts[1].node.replica.logs_of(world.alliance.nodes[1].node).map(|(_, log)| log.len()).sum::<usize>()
    };
    world.request(0, "water:1", None);
    world.pass(Duration::from_secs(1));
    assert_eq!(acknowledged(&world), 1);
    for n in 2..12 {
        world.request(0, &format!("water:{n}"), None);
        world.pass(Duration::from_secs(3));
    }
    assert_eq!(acknowledged(&world), 1, "paced");
    world.pass(Duration::from_secs(31));
    assert_eq!(acknowledged(&world), 2, "one entry names all");
    assert!(world.requests(0).iter().all(|request| request.status == "acknowledged"));
}

#[test]
fn a_node_that_can_not_write_the_stamp_it_lacks_refuses_what_it_is_told_and_goes_on_once_it_can() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.request(0, "water:1", None);
    let older = world.hosts[0].stamp;
    world.request(0, "water:2", None);
    let rows = world.hosts[0].rows.clone();
    world.disconnect_all(0);
    // The crash kept the rows and lost their stamp; the disk is full.
    world.hosts[0].node = world.boot(0, rows, older);
    let first: Vec<Output> = std::iter::from_fn(|| world.hosts[0].node.poll_output()).collect();
    let mut token_of_stamp = token(&first);
    let fails = |token| Input::PersistFailed { token, cause: "disk full".to_owned() };
    let refused = |outputs: &[Output]| {
        outputs.iter().any(|output| matches!(output, Output::Reply { reply: Reply::Refused(no), .. } if no.code == "H-503"))
    };
    let [command, _] = both("rice:3");
    // One that comes while the stamp is on its way, and one that comes while the store is left alone.
    let _ = step(&mut world, 0, Input::Command { id: CommandId(9_001), command: command.clone() });
    assert!(refused(&step(&mut world, 0, fails(token_of_stamp))));
    token_of_stamp = token(&step(&mut world, 0, Input::Command { id: CommandId(9_002), command: command.clone() }));
    assert!(refused(&step(&mut world, 0, fails(token_of_stamp))));
    let outputs = step(&mut world, 0, Input::Command { id: CommandId(9_003), command });
    let outputs = step(&mut world, 0, Input::Persisted { token: token(&outputs) });
    let outputs = step(&mut world, 0, Input::Persisted { token: token(&outputs) });
    assert!(outputs.iter().any(|output| matches!(output, Output::Reply { reply: Reply::Saved(_), .. })), "{outputs:?}");
}
