//! Details reach all that may hold them: each node sees to a link to a hub of its region and to the next of its firm.

use super::*;

/// Five nodes of one firm, 1-2 the hub, each to be found at `host<n>`, that try to hold `degree` links.
fn world(degree: usize) -> World {
    let mut world = World::new(5);
    for n in 0..5 {
        let config = Config { degree, advertise: vec![format!("host{n}:1")], ..Config::default() };
        world.hosts[n].node = world.boot_with(n, Vec::new(), None, config);
        world.drain(n);
    }
    world
}

#[test]
fn a_node_with_links_enough_dials_a_hub_of_its_region_and_the_next_of_its_firm_all_the_same() {
    let mut world = world(1);
    for n in [0, 1, 3] {
        world.connect(n, 4);
    }
    world.pass(Duration::from_secs(10));
    // Of 1-1 the next of the firm is the hub, of 1-4 it is 1-5, which it is linked to.
    assert_eq!(world.hosts[0].dials, ["host1:1".to_owned()].into());
    assert_eq!(world.hosts[3].dials, ["host1:1".to_owned()].into());
    // 1-5 holds a link to the hub and to the first after it.
    assert!(world.hosts[4].dials.is_empty(), "{:?}", world.hosts[4].dials);
}

#[test]
fn where_the_next_one_does_not_answer_the_one_after_it_is_dialled_too() {
    let mut world = world(1);
    for n in [0, 1, 2, 3] {
        world.connect(n, 4);
    }
    world.pass(Duration::from_secs(10));
    assert_eq!(world.hosts[1].dials, ["host2:1".to_owned()].into());
    for _ in 0..2 {
        let failed = Input::DialFailed { address: "host2:1".to_owned(), cause: "nobody is there".to_owned() };
        world.inputs.push_back((1, failed));
        world.pass(Duration::from_secs(10));
    }
    assert_eq!(world.hosts[1].dials, ["host2:1".to_owned(), "host3:1".to_owned()].into());
}

#[test]
fn who_starts_waits_a_minute_for_the_board_of_its_hub_before_it_takes_another() {
    let mut world = world(1);
    // 1-2, which comes next, is heard by nobody yet; 1-3 is.
    for n in [0, 2] {
        world.connect(n, 4);
    }
    world.pass(Duration::from_secs(50));
    assert!(world.hosts[0].dials.is_empty(), "{:?}", world.hosts[0].dials);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.hosts[0].dials, ["host2:1".to_owned()].into());
}

/// How often 1-1, linked to 1-5 alone, tries the hub in an hour, some time after it began to refuse.
fn tries_of_a_full_hub(degree: usize) -> usize {
    let mut world = world(degree);
    for n in [0, 1] {
        world.connect(n, 4);
    }
    let settled = world.now.mono.after(Duration::from_secs(1_800));
    let mut tries = 0;
    while world.now.mono < settled.after(Duration::from_secs(3_600)) {
        world.pass(Duration::from_secs(1));
        if world.hosts[0].dials.remove("host1:1") {
            tries += usize::from(world.now.mono > settled);
            let cause = "too busy for another link".to_owned();
            world.inputs.push_back((0, Input::DialFailed { address: "host1:1".to_owned(), cause }));
        }
    }
    tries
}

#[test]
fn a_hub_that_keeps_refusing_is_tried_more_rarely_while_there_are_links_enough_and_never_given_up() {
    let (lacking, enough) = (tries_of_a_full_hub(2), tries_of_a_full_hub(1));
    assert!(enough > 0 && lacking >= 4 * enough, "{lacking} times an hour where links lack, else {enough}");
}

#[test]
fn after_a_restart_a_node_dials_whom_it_knew() {
    let mut world = world(8);
    world.connect(0, 4);
    world.pass(Duration::from_secs(10));
    let rows = std::mem::take(&mut world.hosts[0].rows);
    let stamp = world.hosts[0].stamp;
    world.disconnect_all(0);
    world.hosts[0].dials.clear();
    world.hosts[0].node = world.boot(0, rows, stamp);
    world.drain(0);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.hosts[0].dials, ["host4:1".to_owned()].into());
}
