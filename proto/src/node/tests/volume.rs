//! Rule 13: how much a node says at most, and that nothing it acknowledged is lost by it.

use super::*;
use crate::domain::wish::Observe;

fn acknowledges(world: &World, n: usize) -> usize {
    world.hosts[n].rows.iter().filter_map(entry_of).filter(|row| row.id.log.author == world.alliance.nodes[n].node).count()
}

#[test]
fn all_requests_of_a_minute_are_acknowledged_in_one_entry() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    world.request(0, "water:1", None);
    world.pass(Duration::from_secs(1));
    assert_eq!(acknowledges(&world, 1), 1, "the first at once");
    for n in 0..20 {
        world.request(0, &format!("rice:{}", n + 1), None);
        world.pass(Duration::from_secs(2));
    }
    assert_eq!(acknowledges(&world, 1), 1, "the rest wait for their minute");
    world.pass(Duration::from_secs(25));
    assert_eq!(acknowledges(&world, 1), 2, "and go together");
    assert!(world.requests(0).iter().all(|request| request.status == "acknowledged"));
}

#[test]
fn an_observation_too_many_is_refused_and_those_saved_outlive_a_restart() {
    let mut world = World::new(2);
    let observe = |status: &str| {
        let values = BTreeMap::from([("operating.status".to_owned(), status.to_owned())]);
        Command::Observe(Observe { node: "1-2".to_owned(), values, ..Default::default() })
    };
    for status in ["open", "limited", "closed"] {
        assert!(matches!(world.order(0, observe(status)), Reply::Saved(_)));
    }
    world.restart(0);
    world.pass(Duration::from_secs(540));
    let Reply::Refused(refusal) = world.order(0, observe("open")) else { panic!("one too many") };
    assert_eq!(refusal.code, "H-134");
    let shown = world.status_of(0, 1).observations;
    assert_eq!(shown[0].readings["operating.status"].value, "closed");
    world.pass(Duration::from_secs(60));
    assert!(matches!(world.order(0, observe("open")), Reply::Saved(_)));
}
