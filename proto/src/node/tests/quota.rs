//! What one author may have passed on at once: others are not delayed by it, and nothing is lost.

use super::spreads::metric;
use super::*;

const QUOTA_BURST: usize = crate::config::QUOTA_BURST as usize;
const QUOTA_SPARE: usize = crate::config::QUOTA_SPARE as usize;

/// Everything beyond what a store may have passed on at once, and some more.
const FLOOD: usize = QUOTA_BURST + QUOTA_SPARE + 500;

/// Hosts in a row, equal and quiet.
fn row(hosts: u16) -> World {
    let mut world = World::new(hosts);
    for n in 1..usize::from(hosts) {
        world.connect(n - 1, n);
    }
    world.pass(Duration::from_secs(120));
    world.converged();
    world
}

/// Entries of one host that another holds.
fn held(world: &World, seer: usize, author: usize) -> usize {
    world.hosts[seer].node.replica.logs_of(world.alliance.nodes[author].node).map(|(_, log)| log.len()).sum()
}

fn ask(world: &mut World, n: usize, priority: &str) {
    let wish = RequestNew { items: vec!["water:1".to_owned()], priority: Some(priority.to_owned()), ..Default::default() };
    let reply = world.order(n, Command::RequestNew(wish));
    assert!(matches!(reply, Reply::Saved(_)), "{reply:?}");
}

#[test]
fn an_author_that_floods_is_held_everywhere_but_not_passed_on_at_once() {
    let mut world = row(4);
    for _ in 0..FLOOD {
        ask(&mut world, 0, "routine");
    }
    let at_once = QUOTA_BURST + QUOTA_SPARE;
    assert_eq!(held(&world, 3, 0), at_once, "its own rate and what all together leave room for");
    assert_eq!(metric(&mut world, 1, "words_late_total"), 500);
    assert!(world.warnings(1).contains(&"H-409".to_owned()), "staff is told");
    world.request(2, "rice:1", None);
    assert_eq!((held(&world, 0, 2), held(&world, 3, 2)), (1, 1), "another's word goes at once");
    ask(&mut world, 0, "immediate");
    assert_eq!(held(&world, 3, 0), at_once + 1, "and its own call for help");
    world.pass(Duration::from_secs(30));
    world.converged();
    assert_eq!(held(&world, 3, 0), FLOOD + 1);
}

#[test]
fn what_is_caught_up_on_is_nobodys_flood() {
    let mut world = World::new(3);
    world.connect(0, 1);
    for _ in 0..2_000 {
        ask(&mut world, 0, "routine");
    }
    let late = |world: &mut World, n| metric(world, n, "words_over_quota_total");
    assert_eq!(late(&mut world, 0), 0, "nobody limits its own words");
    world.connect(0, 2);
    world.pass(Duration::from_secs(30));
    world.converged();
    assert_eq!(late(&mut world, 2), 0);
}

#[test]
fn of_boards_said_without_end_the_newest_arrives() {
    let mut world = row(3);
    let said = |world: &World| world.said.get(&4).copied().unwrap_or(0);
    let before = said(&world);
    for n in 0..2 * (QUOTA_BURST + QUOTA_SPARE) {
        world.report(0, "operating.status", if n % 2 == 0 { "limited" } else { "open" });
    }
    world.report(0, "operating.status", "closed");
    // Each was said by its author; from there on only so many.
    let own = 2 * (QUOTA_BURST + QUOTA_SPARE) + 1;
    let relayed = said(&world) - before - own;
    assert!(relayed <= QUOTA_BURST + QUOTA_SPARE, "{relayed}");
    world.pass(Duration::from_secs(30));
    world.converged();
    let seen = world.status_of(2, 0);
    assert!(format!("{seen:?}").contains("closed"), "{seen:?}");
}
