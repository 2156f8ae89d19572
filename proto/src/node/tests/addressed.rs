//! Whom a request asks: the home hub where one is configured, a node that was named, or every hub.

use super::*;

/// A request of node 1, whose home hub is `home`, to `to`; whom it asks and what the status warns of.
fn asked(home: u16, to: Option<&str>) -> (Option<String>, Vec<String>) {
    let mut world = World::new(3);
    world.hosts[0].node.config.home_hub = Some(NodeId { issuer: 1, serial: home });
    world.connect(0, 1);
    world.pass(Duration::from_secs(3));
    let items = vec!["water:40".to_owned()];
    let wish = RequestNew { items, to: to.map(str::to_owned), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestNew(wish)), Reply::Saved(_)));
    world.pass(Duration::from_secs(1));
    let here = world.requests(0).remove(0);
    assert_eq!(here.to, world.requests(1).remove(0).to, "what was signed is what others read");
    assert_eq!(here.acknowledged_by.first().map(|hub| hub.id.as_str()), Some("1-2"));
    let now = world.now;
    let Answer::Status(status) = world.hosts[0].node.answer(now, &Question::Status) else { panic!("a status") };
    (here.to.map(|node| node.id), status.warnings.into_iter().map(|warning| warning.code).collect())
}

#[test]
fn a_request_that_names_nobody_asks_the_home_hub_which_acknowledges_it() {
    assert_eq!(asked(2, None), (Some("1-2".to_owned()), Vec::new()));
}

#[test]
fn all_asks_every_hub_though_there_is_a_home_hub() {
    assert_eq!(asked(2, Some("all")), (None, Vec::new()));
}

#[test]
fn a_home_hub_that_is_none_holds_up_no_request_and_is_told() {
    for home in [3, 9] {
        assert_eq!(asked(home, None), (None, vec!["H-406".to_owned()]));
    }
}
