//! Goods from need to receipt: told by injects, and as people go about it by themselves.

use holdfast_proto::control::{RequestView, Which};

use super::*;
use crate::scenario::goods::GoodsDeed;
use crate::scenario::words::JourneyStep;

fn deed(nr: u32, at: Micros, site: SiteNo, deed: GoodsDeed) -> Inject {
    inject(nr, at, Effect::Goods { site, deed })
}

fn of(label: &str) -> String {
    label.to_owned()
}

fn requests(world: &mut World, site: SiteNo) -> Vec<RequestView> {
    let Some(Answer::Requests(view)) = world.ask(site, &Question::Requests(Which::All)) else { panic!("a node answers") };
    view.requests
}

fn consign(nr: u32, minute: u64, step: JourneyStep) -> Inject {
    deed(nr, minute * MINUTE, 0, GoodsDeed::Consign { request: of("R-1"), step, to: None })
}

#[test]
fn what_injects_have_people_do_takes_a_request_from_need_to_receipt() {
    let mut scenario = calm();
    let counted = Effect::Report { sites: vec![0], values: vec![("stock.rice".to_owned(), "50".to_owned())] };
    let asked = Effect::Request {
        site: 3,
        label: of("R-1"),
        lines: vec![("rice".to_owned(), 30)],
        priority: "urgent".to_owned(),
        needed_by: None,
    };
    scenario.injects = vec![
        inject(1, MINUTE, counted),
        inject(2, MINUTE, asked),
        deed(3, 3 * MINUTE, 0, GoodsDeed::Commit { request: of("R-1"), lines: vec![("rice".to_owned(), 20)] }),
        consign(4, 4, JourneyStep::Plan),
        consign(5, 5, JourneyStep::Depart),
        consign(6, 6, JourneyStep::HandOver),
        deed(7, 7 * MINUTE, 3, GoodsDeed::Receive { request: of("R-1"), lines: vec![("rice".to_owned(), 18)] }),
        deed(8, 8 * MINUTE, 0, GoodsDeed::Stock(vec![("rice".to_owned(), -5)])),
    ];
    let mut world = world(scenario);
    world.run_until(12 * MINUTE);
    let shown = requests(&mut world, 5);
    let line = &shown[0].commitments[0].lines[0];
    assert_eq!((line.quantity, line.accepted, line.missing, line.committed, line.in_transit), (20, 18, 2, 0, 0));
    let Some(Answer::Stock(stock)) = world.ask(0, &Question::Stock) else { panic!("a node answers") };
    let rice = stock.items.iter().find(|item| item.item == "rice").unwrap();
    assert_eq!((rice.on_hand, rice.promised), (Some(25), 0));
    good(world);
}

#[test]
fn who_does_not_see_yet_what_to_act_on_looks_again_until_it_is_there() {
    let mut scenario = calm();
    let halves = vec![vec![0, 1, 2], vec![3, 4, 5]];
    scenario.injects = vec![
        inject(1, MINUTE, Effect::Report { sites: vec![0], values: vec![("stock.water".to_owned(), "500".to_owned())] }),
        lasting(2, 2 * MINUTE, 6 * MINUTE, Effect::Partition { groups: halves, one_way: false }),
        inject(3, 3 * MINUTE, request(3, "R-1")),
        deed(4, 4 * MINUTE, 0, GoodsDeed::Commit { request: of("R-1"), lines: Vec::new() }),
    ];
    let mut world = world(scenario);
    let promised = Subject::Commitment(of("R-1"));
    world.run_until(8 * MINUTE - 1);
    assert_eq!(world.holds(0, &promised), None);
    world.run_until(14 * MINUTE);
    assert_eq!(who_knows(&world, &promised), [0, 1, 2, 3, 4, 5]);
    good(world);
}

#[test]
fn what_stores_ask_for_by_themselves_is_promised_sent_and_signed_for() {
    let tempo = Tempo { needs: 4 * HOUR, ..SILENT };
    let mut scenario = swarm::calm(8, (4, 1), Path { delay: 10_000, ..Path::LAN }, 16 * 60, tempo);
    scenario.exercise.settle = swarm::SETTLE;
    let mut world = world(scenario);
    world.run_until(world.endex());
    let shown = requests(&mut world, 0);
    let (made, met) = (shown.len(), shown.iter().filter(|request| request.status == "fulfilled").count());
    assert!(made > 8 && met * 3 > made, "{met} of {made}: {:?}", shown.iter().map(|one| &one.status).collect::<Vec<_>>());
    for request in shown.iter().filter(|request| request.status == "fulfilled") {
        let line = &request.commitments[0].lines[0];
        assert!(line.accepted > 0 && line.accepted + line.missing == line.quantity, "{request:?}");
    }
    good(world);
}
