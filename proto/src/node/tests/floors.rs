//! The writer's half of rules 5 and 6: when a node raises its floor, how far, and when a person is told.

use super::*;
use crate::config::{FLOOR_AFTER, FLOOR_PERCENT, WINDOW_STORE, WINDOW_WARN_PERCENT};

const HOUR: Duration = Duration::from_secs(3_600);

/// The number that so many percent of a store's window reach.
fn percent(percent: u32) -> usize {
    (WINDOW_STORE * percent).div_ceil(100) as usize
}

/// All at once, so that they share writes; their spoken ids.
fn order_all(world: &mut World, commands: impl Iterator<Item = Command>) -> Vec<String> {
    let ids: Vec<CommandId> = commands
        .map(|command| {
            world.next_command += 1;
            let id = CommandId(world.next_command);
            world.inputs.push_back((0, Input::Command { id, command }));
            id
        })
        .collect();
    world.settle();
    let saved = |id: &CommandId| match world.hosts[0].replies.remove(id) {
        Some(Reply::Saved(saved)) => saved.id.unwrap(),
        other => panic!("{other:?}"),
    };
    ids.iter().map(saved).collect()
}

fn ask(world: &mut World, count: usize) -> Vec<String> {
    let wish = RequestNew { items: vec!["water:1".to_owned()], ..Default::default() };
    order_all(world, std::iter::repeat_n(Command::RequestNew(wish), count))
}

fn close(world: &mut World, requests: Vec<String>) {
    let act = |request| RequestAct { request, ..Default::default() };
    order_all(world, requests.into_iter().map(|request| Command::RequestClose(act(request))));
}

/// Floor and head of the first node's logbook, as a node sees them.
fn log(world: &World, seer: usize) -> (u32, u32) {
    let (_, log) = world.hosts[seer].node.replica.logs_of(world.alliance.nodes[0].node).next().unwrap();
    (log.floor_number(), log.head())
}

#[test]
fn after_35_days_of_running_what_is_settled_goes_below_the_floor_and_what_is_open_stays() {
    let mut world = World::new(2);
    let asked = ask(&mut world, 3);
    close(&mut world, asked[..2].to_vec());
    world.pass(FLOOR_AFTER - HOUR);
    assert_eq!(log(&world, 0), (1, 5));
    world.pass(HOUR + HOUR);
    assert_eq!(log(&world, 0), (6, 6));
    world.connect(0, 1);
    world.pass(Duration::from_secs(10));
    world.converged();
    assert_eq!(log(&world, 1), (6, 6));
    let open = world.requests(1);
    assert_eq!((open.len(), &open[0].request), (1, &asked[2]));
}

#[test]
fn at_60_percent_of_the_window_the_floor_is_raised_whatever_the_time() {
    let mut world = World::new(1);
    let asked = ask(&mut world, percent(FLOOR_PERCENT) / 2);
    let last = asked.len() - 1;
    close(&mut world, asked[..last].to_vec());
    assert_eq!(log(&world, 0).0, 1);
    close(&mut world, asked[last..].to_vec());
    let (floor, head) = log(&world, 0);
    assert_eq!(
        (floor as usize, head),
        (percent(FLOOR_PERCENT) + 1, floor),
        "at once, and nothing is left above but the floor itself"
    );
    assert!(world.requests(0).is_empty());
}

#[test]
fn more_open_matters_than_a_floor_can_name_are_left_above_it_and_a_person_is_told_in_time() {
    let mut world = World::new(1);
    let mut written = 0;
    while written < percent(FLOOR_PERCENT) * 2 + 200 {
        written += ask(&mut world, 250).len();
    }
    let (floor, head) = log(&world, 0);
    // Two bytes name one that stays: 4,000 and some fit into a body.
    assert!((3_900..4_096).contains(&floor) && head as usize > written, "{floor} {head}");
    assert_eq!((world.requests(0).len(), world.warnings(0)), (written, Vec::new()));
    while log(&world, 0).1 < floor + percent(WINDOW_WARN_PERCENT) as u32 - 1 {
        assert!(world.warnings(0).is_empty());
        ask(&mut world, 100);
    }
    assert_eq!((log(&world, 0).0, world.warnings(0)), (floor, vec!["H-403".to_owned()]));
}

#[test]
fn many_lives_of_one_store_are_told_to_people() {
    let mut world = World::new(1);
    world.request(0, "water:1", None);
    for life in 2..=6 {
        assert!(world.warnings(0).is_empty(), "{life}");
        let rows = world.copy(0).0;
        world.put_back(0, (rows, None));
        world.request(0, "water:1", None);
    }
    assert_eq!(world.warnings(0), ["H-404"]);
}
