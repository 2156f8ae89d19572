//! A board as full as it gets: everybody takes every version of it, and there is room to say that the site has closed.

use proptest::prelude::*;

use super::*;
use crate::replica::{Document, document_bytes_max};

const CLOSED: (&str, &str) = ("operating.status", "closed");

/// Whether it was saved; a refusal must be for want of room.
fn said(world: &mut World, values: &[(&str, &str)], valid: Option<&str>) -> bool {
    let values = values.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
    let act = crate::control::Act { valid: valid.map(str::to_owned), ..Default::default() };
    match world.order(0, Command::Report(Report { values, act })) {
        Reply::Saved(_) => true,
        Reply::Refused(refusal) => {
            assert_eq!(refusal.code, "H-504", "{refusal:?}");
            false
        }
        other => panic!("{other:?}"),
    }
}

fn board(world: &World) -> Document {
    let held = world.hosts[1].node.replica.doc(world.alliance.nodes[0].node, DocKind::Board).unwrap();
    let max = document_bytes_max(DocKind::Board, world.hosts[1].node.window(held.author(), held.doc.log.generation));
    assert!(held.bytes.len() + 64 <= max);
    held.doc.clone()
}

fn rejected(world: &mut World) -> u64 {
    let now = world.now;
    match world.hosts[1].node.answer(now, &Question::Metrics) {
        Answer::Metrics(metrics) => metrics.get("rejected_total").copied().unwrap_or(0),
        other => panic!("{other:?}"),
    }
}

/// Says item after item, in groups of their own as time passes, until one does not fit.
fn fill(world: &mut World, every: Duration, valid: Option<&str>) -> usize {
    let items: Vec<String> = catalogue().items.iter().map(|item| format!("stock.{}", item.code)).collect();
    for (place, item) in items.iter().enumerate() {
        world.pass(every);
        if !said(world, &[(item, "low")], valid) {
            return place;
        }
    }
    panic!("all fit");
}

fn again(world: &mut World, advertise: Vec<String>) {
    let (rows, stamp) = (latest(&world.hosts[0].rows), world.hosts[0].stamp);
    world.disconnect_all(0);
    world.hosts[0].node = world.boot_with(0, rows, stamp, Config { advertise, ..Config::default() });
    world.drain(0);
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_board_ever_issued_is_taken_by_a_neighbour(
        addresses in 0..=5_usize, long in 10..60_usize, every_s in 0..50_000_u64, valid in proptest::option::of(Just("3h")),
        later_s in 0..2_000_000_u64,
    ) {
        let mut world = World::new(2);
        let advertise: Vec<String> = (0..addresses).map(|n| format!("[{}{n}]:4401", "2001:db8:".repeat(7)[..long].to_owned())).collect();
        again(&mut world, advertise.clone());
        fill(&mut world, Duration::from_secs(every_s), valid);
        world.converged();
        prop_assert!(board(&world).contact.len() <= addresses.min(4));
        // It is issued again much later: without addresses, and with them.
        for advertise in [Vec::new(), advertise] {
            world.pass(Duration::from_secs(later_s));
            again(&mut world, advertise);
            world.converged();
            board(&world);
        }
        prop_assert!(said(&mut world, &[CLOSED], Some("29d")));
        world.pass(Duration::from_secs(5));
        world.converged();
        prop_assert_eq!(world.status_of(1, 0).operating_status, "closed");
        prop_assert_eq!(rejected(&mut world), 0);
    }
}

#[test]
fn a_board_full_of_stock_takes_every_word_of_safety_and_nothing_else() {
    let mut world = World::new(2);
    world.connect(0, 1);
    fill(&mut world, Duration::from_secs(70), None);
    assert!(!said(&mut world, &[("message.public", "water here at nine, bring cups")], None));
    let safety = [
        CLOSED,
        ("access.status", "lockdown"),
        ("node.mode", "resilience"),
        ("power.utility", "off"),
        ("power.source", "generator"),
        ("power.generator", "running"),
        ("power.battery", "80"),
        ("power.fuel", "1000"),
        ("power.burn", "0.1"),
    ];
    for word in safety {
        world.pass(Duration::from_secs(70));
        assert!(said(&mut world, &[word], None), "{word:?}");
    }
    let shown = world.status_of(1, 0);
    assert!(safety[1..7].iter().all(|(field, _)| shown.readings.contains_key(*field)) && shown.operating_status == "closed");
    assert_eq!(shown.readings["power.hours"].value, 10_000);
    // What is withdrawn makes room again.
    let first = format!("stock.{}", catalogue().items[0].code);
    assert!(said(&mut world, &[(&first, "")], None) && said(&mut world, &[(&first, "none")], None));
    world.converged();
}

#[test]
fn a_refusal_for_want_of_room_says_how_much_and_what_to_withdraw() {
    let mut world = World::new(1);
    fill(&mut world, Duration::from_secs(70), None);
    let values = BTreeMap::from([("message.public".to_owned(), "x".repeat(64))]);
    let Reply::Refused(refusal) = world.order(0, Command::Report(Report { values, act: Default::default() })) else { panic!() };
    assert!(refusal.what.en.contains(" 445 "), "{}", refusal.what.en);
    assert!(refusal.fix.en.contains("stock.") && !refusal.fix.en.contains("operating"), "{}", refusal.fix.en);
}

#[test]
fn addresses_that_do_not_fit_are_not_said_again_at_every_start() {
    let mut world = World::new(2);
    let advertise: Vec<String> = (0..4).map(|n| format!("[2001:db8:1111:2222:3333:4444:5555:{n}]:4401")).collect();
    again(&mut world, advertise.clone());
    fill(&mut world, Duration::from_secs(70), None);
    let before = board(&world);
    assert!(before.contact.len() < 4 && advertise.starts_with(&before.contact));
    again(&mut world, advertise.clone());
    assert_eq!(board(&world).contact, before.contact);
    let after = board(&world).version;
    again(&mut world, advertise);
    assert_eq!(board(&world).version, after);
}
