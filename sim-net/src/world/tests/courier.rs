//! A stick brings what was held where it left, when it arrives and somebody can read it.

use super::*;

fn two_islands() -> Scenario {
    let mut scenario = calm();
    scenario.injects = vec![inject(1, MINUTE, Effect::Partition { groups: vec![vec![0, 1, 2], vec![3, 4, 5]], one_way: false })];
    scenario
}

#[test]
fn what_is_carried_is_known_where_it_arrives_and_beyond_but_nothing_said_since() {
    let mut scenario = two_islands();
    scenario.injects.extend([
        inject(2, 2 * MINUTE, request(0, "R-1")),
        inject(3, 2 * MINUTE, report(1)),
        lasting(4, 5 * MINUTE, 10 * MINUTE, Effect::Courier { from: 2, to: 4 }),
        inject(5, 6 * MINUTE, request(0, "R-2")),
    ]);
    let mut world = world(scenario);
    let [first, second] = ["R-1", "R-2"].map(|label| Subject::Request(label.to_owned()));
    world.run_until(15 * MINUTE - 1);
    assert_eq!(who_knows(&world, &first), [0, 1, 2]);
    world.run_until(17 * MINUTE);
    assert_eq!(who_knows(&world, &first), [0, 1, 2, 3, 4, 5]);
    assert_eq!(who_knows(&world, &Subject::Inject(3)), [0, 1, 2, 3, 4, 5]);
    assert_eq!(who_knows(&world, &second), [0, 1, 2]);
    let age = |world: &mut World, site| {
        let Some(Answer::Status(status)) = world.ask(site, &Question::Status) else { panic!("a node answers") };
        let name = world.id(1).to_string();
        let shown = status.nodes.iter().find(|node| node.id == name).unwrap();
        shown.readings["operating.status"].age_s
    };
    let said = age(&mut world, 2).unwrap();
    let carried = age(&mut world, 4).unwrap();
    assert!(carried.abs_diff(said) <= 2, "{carried} s by stick, {said} s at its neighbour");
    let counts = world.couriers();
    assert!(counts.carried > 3 && counts.carried == counts.offered && counts.bytes > 1_000, "{counts:?}");
    good(world);
}

#[test]
fn a_courier_waits_at_a_pc_that_is_off_and_begins_again_where_it_stops_in_the_middle() {
    let mut scenario = two_islands();
    scenario.injects.extend([
        inject(2, 2 * MINUTE, request(0, "R-1")),
        lasting(3, 3 * MINUTE, 12 * MINUTE, Effect::Crash(vec![4])),
        lasting(4, 4 * MINUTE, MINUTE, Effect::Courier { from: 0, to: 4 }),
        // Ten seconds after it started the stick is in; a moment later it is off again.
        lasting(5, 15 * MINUTE + 10_050_000, 2 * MINUTE, Effect::Crash(vec![4])),
    ]);
    let mut world = world(scenario);
    let request = Subject::Request("R-1".to_owned());
    world.run_until(17 * MINUTE);
    assert_eq!(who_knows(&world, &request), [0, 1, 2]);
    world.run_until(19 * MINUTE);
    assert_eq!(who_knows(&world, &request), [0, 1, 2, 3, 4, 5]);
    good(world);
}
