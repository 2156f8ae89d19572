//! Guests at the door.

use super::*;
use crate::identity::{IssuedNode, NodeCertificate, SecretKey, Voucher, invite_guest, vouch_for};

/// Day of the test world's clock.
const TODAY: u32 = 20_775;

/// Two nodes of one firm, one of another, and a guest they vouch for whose days end then.
fn with_guest(not_after: u32) -> Alliance {
    let node =
        |name: &str| NodePlan { name: name.to_owned(), role: Role::Store, region: Region::from_code("TPE").unwrap(), tier: 2 };
    let firms = vec![
        FirmPlan { firm: "One".to_owned(), nodes: vec![node("a"), node("b")] },
        FirmPlan { firm: "Two".to_owned(), nodes: vec![node("c")] },
    ];
    let plan = AlliancePlan { seed: [9; 32], kind: RealmKind::Simulation, roots: 3, k: 2, firms, not_before: 20_000, days: 900 };
    let mut alliance = found_alliance(&plan).unwrap();
    let secret = SecretKey::from_seed([77; 32]);
    let certificate = NodeCertificate {
        node: alliance.nodes[0].node.guest(),
        key: secret.public(),
        role: Role::Guest,
        not_before: not_after - 7,
        not_after,
        name: "Temple".to_owned(),
        ..alliance.roster.current(alliance.nodes[0].node).unwrap().clone()
    };
    let voucher = |place: usize| {
        let IssuedNode { node, generation, secret, .. } = &alliance.nodes[place];
        Voucher { node: *node, generation: *generation, key: secret }
    };
    let realm = alliance.roster.realm();
    let begun = invite_guest(&realm, &certificate, voucher(0)).unwrap();
    let envelope = [1, 2].into_iter().fold(begun, |draft, place| vouch_for(&realm, &draft, voucher(place)).unwrap());
    alliance.roster.offer(&envelope).unwrap();
    alliance.objects.push(envelope.clone());
    let generation = certificate.generation;
    alliance.nodes.push(IssuedNode { node: certificate.node, generation, secret, envelope });
    alliance
}

#[test]
fn a_guest_past_its_days_is_let_in_by_nobody_who_knows_the_day() {
    for (not_after, let_in) in [(TODAY, true), (TODAY - 1, false)] {
        let mut world = World::of(with_guest(not_after), 4);
        world.connect(0, 3);
        world.pass(Duration::from_secs(1));
        let guest = world.alliance.nodes[3].node;
        assert_eq!(world.hosts[0].node.linked().contains(&guest), let_in, "until {not_after}");
    }
    let mut world = World::of(with_guest(TODAY - 1), 4);
    world.now.wall = UtcMillis(0);
    world.connect(0, 3);
    world.pass(Duration::from_secs(1));
    let guest = world.alliance.nodes[3].node;
    assert!(world.hosts[0].node.linked().contains(&guest), "a clock that is known to be wrong says nothing");
}

#[test]
fn a_request_that_names_a_guest_is_acknowledged_by_nobody_for_ever() {
    let mut world = World::of(with_guest(TODAY), 4);
    world.connect(0, 3);
    let name = world.alliance.nodes[3].node.to_string();
    let wish = RequestNew { items: vec!["water:1".to_owned()], to: Some(name), ..Default::default() };
    assert!(matches!(world.order(0, Command::RequestNew(wish)), Reply::Saved(_)));
    world.pass(Duration::from_secs(300));
    assert_eq!(world.requests(3).len(), 1, "it heard of it");
    let guest = world.alliance.nodes[3].node;
    assert_eq!(world.hosts[0].node.replica.logs_of(guest).count(), 0, "it wrote nothing");
}
