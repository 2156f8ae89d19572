//! Persons who act through nodes: what is signed at a laptop is said everywhere under the person's name, and what is not theirs to say
//! is said nowhere, in whatever order words and papers come.

use super::*;
use crate::control::person::{hex, unhex, unhex_all};
use crate::control::{
    Certify, CommitWish, ConsignWish, DraftView, DraftWish, Observe, PersonName, PersonWish, RequestView, Saved, SignedAct,
    Signing, StepWish, StockView, StockWish, SupplyWish, Which,
};
use crate::domain::fact::FactKind;
use crate::identity::{Act, ArmorKind, Delegation, DelegationId, Kinds, Pin, Regions, SecretKey, armor};

const OF: DelegationId = DelegationId { issuer: 1, serial: None, number: 1 };
/// The day of [`World::of`]'s clock, and its second.
const TODAY: u32 = 20_775;
const NOW_S: u64 = 1_795_000_000;

fn person() -> SecretKey {
    SecretKey::from_seed([90; 32])
}

fn delegation(world: &World, change: impl FnOnce(&mut Delegation)) -> bytes::Bytes {
    let kinds: Kinds = [FactKind::RequestResource, FactKind::CancelRequest].into_iter().map(FactKind::number).collect();
    let mut delegation = Delegation {
        id: OF,
        version: 1,
        key: person().public(),
        kinds,
        regions: Regions::ALL,
        node: None,
        generation: None,
        not_before: TODAY - 5,
        not_after: TODAY + 5,
        name: "Lin".to_owned(),
        ended: None,
    };
    change(&mut delegation);
    delegation.issue(&world.alliance.roster.realm(), &world.alliance.issuers[0]).unwrap()
}

fn hand_in(world: &mut World, n: usize, envelope: &bytes::Bytes) {
    let reply = world.order(n, Command::Certify(Certify { objects: armor(ArmorKind::Delegation, envelope) }));
    assert!(matches!(reply, Reply::Saved(_)), "{reply:?}");
}

fn water() -> PersonWish {
    PersonWish::RequestNew(RequestNew { items: vec!["water:40".to_owned()], ..Default::default() })
}

fn draft(world: &mut World, n: usize, wish: PersonWish) -> Result<DraftView, String> {
    match world.order(n, Command::Draft(DraftWish { of: OF, wish })) {
        Reply::Drafted(draft) => Ok(*draft),
        Reply::Refused(refusal) => Err(refusal.code),
        other => panic!("{other:?}"),
    }
}

/// What the laptop makes of a draft.
fn signed(world: &World, key: &SecretKey, draft: &DraftView, at_s: u64) -> Signing {
    let (log, number) =
        unhex::<14>(&draft.place).map(|place| place.split_at(10).0.to_vec()).zip(unhex::<14>(&draft.place)).unwrap();
    let mut place_log = [0; 10];
    place_log.copy_from_slice(&log);
    let number = u32::from_be_bytes([number[10], number[11], number[12], number[13]]);
    let place = EntryId { log: LogId::from_bytes(place_log), number };
    let body = unhex_all(&draft.body).unwrap();
    let act = Act::sign(&world.alliance.roster.realm(), key, OF, at_s, place, &body).unwrap();
    Signing { at_s, facts: hex(&act.facts), signature: hex(&act.signature.0) }
}

fn say(world: &mut World, n: usize, signing: Signing) -> Result<Box<Saved>, String> {
    match world.order(n, Command::Act(SignedAct { of: OF, signing })) {
        Reply::Saved(saved) => Ok(saved),
        Reply::Refused(refusal) => Err(refusal.code),
        other => panic!("{other:?}"),
    }
}

fn requests(world: &mut World, n: usize) -> Vec<RequestView> {
    let now = world.now;
    match world.hosts[n].node.answer(now, &Question::Requests(Which::All)) {
        Answer::Requests(view) => view.requests,
        other => panic!("{other:?}"),
    }
}

/// Drafts, signs and says.
fn does(world: &mut World, n: usize, wish: PersonWish) -> Result<Box<Saved>, String> {
    let view = draft(world, n, wish)?;
    let signing = signed(world, &person(), &view, NOW_S);
    say(world, n, signing)
}

fn asked(world: &mut World) {
    does(world, 1, water()).unwrap();
}

/// What may be said, beside all else as in [`delegation`].
fn kinds(list: &[FactKind]) -> Kinds {
    list.iter().map(|kind| kind.number()).collect()
}

fn stock(world: &mut World, n: usize) -> StockView {
    let now = world.now;
    match world.hosts[n].node.answer(now, &Question::Stock) {
        Answer::Stock(view) => view,
        other => panic!("{other:?}"),
    }
}

fn on_hand(world: &mut World, n: usize) -> Option<u64> {
    stock(world, n).items.iter().find(|item| item.item == "water").and_then(|item| item.on_hand)
}

fn step(consignment: &str, step: &str) -> PersonWish {
    let (consignment, step) = (consignment.to_owned(), step.to_owned());
    PersonWish::Supply(SupplyWish::Step(StepWish { consignment, step, ..Default::default() }))
}

#[test]
fn what_a_person_signs_is_said_everywhere_under_its_name_and_counts_until_its_end() {
    let mut world = World::new(3);
    world.connect(0, 1);
    world.connect(1, 2);
    let given = delegation(&world, |_| {});
    hand_in(&mut world, 1, &given);
    asked(&mut world);
    world.pass(Duration::from_secs(30));
    world.converged();
    let lin = PersonName { name: "Lin".to_owned(), delegated_by: "Example Mart".to_owned(), delegation: "1/1".to_owned() };
    for n in 0..3 {
        let all = requests(&mut world, n);
        assert_eq!((all.len(), all[0].person.clone(), all[0].requested_by.name.as_str()), (1, Some(lin.clone()), "Node 2"));
    }
    let log = world.hosts[1].node.replica.logs_of(world.alliance.nodes[1].node).map(|(id, _)| id).next().unwrap();
    let number = world.hosts[1].node.replica.log(log).unwrap().head();
    let ended = delegation(&world, |delegation| (delegation.version, delegation.ended) = (2, Some(vec![Pin { log, number }])));
    hand_in(&mut world, 0, &ended);
    world.pass(Duration::from_secs(120));
    world.converged();
    assert_eq!(draft(&mut world, 1, water()), Err("H-522".to_owned()));
    for n in 0..3 {
        assert_eq!(requests(&mut world, n).len(), 1, "what was said before it stands");
    }
    let voided = delegation(&world, |delegation| (delegation.version, delegation.ended) = (3, Some(Vec::new())));
    hand_in(&mut world, 2, &voided);
    world.pass(Duration::from_secs(120));
    world.converged();
    for n in 0..3 {
        assert_eq!(requests(&mut world, n), Vec::new(), "and nothing where its end says so");
    }
}

#[test]
fn words_that_come_before_their_delegation_count_once_it_is_there() {
    let mut world = World::new(3);
    let given = delegation(&world, |_| {});
    hand_in(&mut world, 1, &given);
    asked(&mut world);
    let rows: Vec<Row> = world.hosts[1].rows.iter().filter(|row| matches!(row, Row::Entry(_))).cloned().collect();
    let mut node = world.boot(0, rows.clone(), None);
    let count = |node: &mut Node, now| match node.answer(now, &Question::Requests(Which::All)) {
        Answer::Requests(view) => view.requests.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(count(&mut node, world.now), 0, "nobody here knows the delegation");
    let roster = Row::Roster { bytes: given };
    for order in [[&rows[..], std::slice::from_ref(&roster)].concat(), [std::slice::from_ref(&roster), &rows[..]].concat()] {
        assert_eq!(count(&mut world.boot(0, order, None), world.now), 1);
    }
}

#[test]
fn whoever_is_not_who_signs_or_wants_more_or_later_is_told_so_and_says_nothing() {
    let mut world = World::new(3);
    assert_eq!(draft(&mut world, 1, water()), Err("H-520".to_owned()), "nobody delegated that");
    let given = delegation(&world, |delegation| delegation.node = Some(world.alliance.nodes[1].node));
    for n in 0..2 {
        hand_in(&mut world, n, &given);
    }
    assert_eq!(draft(&mut world, 0, water()), Err("H-521".to_owned()), "through another node");
    let observe = Observe {
        node: "1-3".to_owned(),
        values: BTreeMap::from([("operating.status".to_owned(), "closed".to_owned())]),
        ..Default::default()
    };
    assert_eq!(draft(&mut world, 1, PersonWish::Observe(observe)), Err("H-526".to_owned()), "what it was not given");
    let view = draft(&mut world, 1, water()).unwrap();
    for (key, at_s, code) in
        [(SecretKey::from_seed([91; 32]), NOW_S, "H-525"), (person(), 0, "H-523"), (person(), NOW_S + 30 * 86_400, "H-524")]
    {
        let view = draft(&mut world, 1, water()).unwrap();
        let signing = signed(&world, &key, &view, at_s);
        assert_eq!(say(&mut world, 1, signing), Err(code.to_owned()));
    }
    let signing = signed(&world, &person(), &view, NOW_S);
    say(&mut world, 1, signing.clone()).unwrap();
    assert_eq!(say(&mut world, 1, signing), Err("H-527".to_owned()), "the same again");
    let view = draft(&mut world, 1, water()).unwrap();
    world.request(1, "rice:1", None);
    let signing = signed(&world, &person(), &view, NOW_S);
    assert_eq!(say(&mut world, 1, signing), Err("H-527".to_owned()), "another word took the place");
    world.advance(Duration::from_secs(6 * 86_400));
    assert_eq!(draft(&mut world, 1, water()), Err("H-524".to_owned()), "past its end");
    assert_eq!(requests(&mut world, 1).len(), 2);
}

#[test]
fn a_person_promises_and_sends_a_nodes_goods_and_its_counts_follow() {
    use FactKind::{CommitResource, Depart, Load, PlanConsignment};
    let mut world = World::new(2);
    world.connect(0, 1);
    let given = delegation(&world, |delegation| delegation.kinds = kinds(&[CommitResource, PlanConsignment, Load, Depart]));
    hand_in(&mut world, 1, &given);
    world.report(1, "stock.water", "120");
    let request = world.request(0, "water:40", None).id.unwrap();
    world.pass(Duration::from_secs(30));
    let commit =
        |request: &str| PersonWish::Supply(SupplyWish::Commit(CommitWish { request: request.to_owned(), ..Default::default() }));
    let promise = does(&mut world, 1, commit(&request)).unwrap().id.unwrap();
    let consign = ConsignWish { commitments: vec![promise], ..Default::default() };
    let convoy = does(&mut world, 1, PersonWish::Supply(SupplyWish::Consign(consign))).unwrap().id.unwrap();
    assert_eq!(on_hand(&mut world, 1), Some(120));
    let view = draft(&mut world, 1, step(&convoy, "load")).unwrap();
    let signing = signed(&world, &person(), &view, NOW_S);
    // Staff counts while the person signs: what is loaded comes off the newer count.
    world.report(1, "stock.water", "100");
    say(&mut world, 1, signing).unwrap();
    assert_eq!(on_hand(&mut world, 1), Some(60));
    does(&mut world, 1, step(&convoy, "depart")).unwrap();
    assert_eq!(on_hand(&mut world, 1), Some(60), "it left the shelf once");
    assert_eq!(does(&mut world, 1, step(&convoy, "arrive")), Err("H-526".to_owned()), "what it was not given");
    let adjust = StockWish { changes: vec!["water=-3".to_owned()], ..Default::default() };
    let adjusted = does(&mut world, 1, PersonWish::Supply(SupplyWish::Stock(adjust)));
    assert_eq!(adjusted, Err("H-526".to_owned()), "how a site is, is the node's own word");
    assert_eq!(on_hand(&mut world, 1), Some(60));
    world.pass(Duration::from_secs(30));
    world.converged();
    for n in 0..2 {
        let all = requests(&mut world, n);
        let promise = all[0].commitments.first().unwrap();
        let who = promise.history.iter().map(|act| act.person.as_ref().map(|person| person.name.as_str())).collect::<Vec<_>>();
        assert_eq!((who, promise.supplier.id.as_str()), (vec![Some("Lin")], "1-2"));
    }
}

#[test]
fn what_the_store_refused_is_nobodys_word_and_a_later_one_at_its_place_is_the_nodes_own() {
    let mut world = World::new(1);
    let given = delegation(&world, |delegation| delegation.node = Some(world.alliance.nodes[0].node));
    hand_in(&mut world, 0, &given);
    let view = draft(&mut world, 0, water()).unwrap();
    let signing = signed(&world, &person(), &view, NOW_S);
    let id = CommandId(9_999);
    world.hosts[0].node.handle(world.now, Input::Command { id, command: Command::Act(SignedAct { of: OF, signing }) });
    let token = std::iter::from_fn(|| world.hosts[0].node.poll_output())
        .find_map(|output| if let Output::Persist { token, .. } = output { Some(token) } else { None })
        .unwrap();
    world.inputs.push_back((0, Input::PersistFailed { token, cause: "disk full".to_owned() }));
    world.settle();
    assert!(matches!(world.hosts[0].replies.remove(&id), Some(Reply::Refused(refusal)) if refusal.code == "H-503"));
    assert_eq!(requests(&mut world, 0), Vec::new());
    world.request(0, "rice:7", None);
    let voided = delegation(&world, |delegation| {
        delegation.node = Some(world.alliance.nodes[0].node);
        (delegation.version, delegation.ended) = (2, Some(Vec::new()));
    });
    hand_in(&mut world, 0, &voided);
    let all = requests(&mut world, 0);
    assert_eq!((all.len(), all[0].lines[0].item.as_str(), all[0].person.clone()), (1, "rice", None));
}

#[test]
fn a_delegation_that_comes_to_less_while_a_person_signs_lets_nothing_more_be_said() {
    let mut world = World::new(1);
    let given = delegation(&world, |_| {});
    hand_in(&mut world, 0, &given);
    let view = draft(&mut world, 0, water()).unwrap();
    let signing = signed(&world, &person(), &view, NOW_S);
    let less = delegation(&world, |delegation| {
        (delegation.version, delegation.kinds) = (2, kinds(&[FactKind::CancelRequest]));
    });
    hand_in(&mut world, 0, &less);
    assert_eq!(say(&mut world, 0, signing), Err("H-526".to_owned()));
    assert_eq!(requests(&mut world, 0), Vec::new());
}
