//! The laws of promises, journeys and receipts: nothing is lost or made by any set of facts, and nothing is promised twice by any
//! schedule of acts (I1, I7, I10).

use proptest::prelude::*;

use super::super::bench::{Bench, log, node, request};
use super::super::fact::supply::{Amount, Commit, Consign, Counted, Journey, Load, Receipt, Release, Step, Supply, Unable};
use super::super::fact::{Deed, Fact, LineItem, RequestRef, encode_body};
use super::super::spoken::spoken;
use super::super::wish::Report;
use super::super::{Domain, EntryMeta, PlanInput};
use super::consignment::Stage;
use super::show::{spoken_commitment, spoken_consignment};
use super::wishes::{CommitWish, ConsignWish, ReleaseWish, StepWish, SupplyWish};
use crate::id::{EntryId, FactId};
use crate::time::UtcMillis;

fn item(which: bool) -> LineItem {
    if which { LineItem::Code("water".into()) } else { LineItem::Other("tent".into()) }
}

fn any_goods() -> impl Strategy<Value = Vec<Amount>> {
    proptest::collection::btree_map(any::<bool>(), 1..60_u64, 1..=2)
        .prop_map(|goods| goods.into_iter().map(|(which, quantity)| Amount { item: item(which), quantity }).collect())
}

fn any_step(of: impl Strategy<Value = FactId>) -> impl Strategy<Value = Step> {
    let goods_or_all = || prop_oneof![any_goods(), Just(Vec::new())];
    prop_oneof![
        2 => Just(Step::Load),
        3 => Just(Step::Depart),
        1 => Just(Step::Position("bridge".into())),
        1 => Just(Step::Arrive),
        2 => any_goods().prop_map(Step::HandOver),
        2 => (1..=3_u16, proptest::option::of(of)).prop_map(|(to, request)| Step::Divert { to: node(to), request }),
        1 => goods_or_all().prop_map(Step::Lost),
        2 => Just(Step::Unload),
        1 => goods_or_all().prop_map(Step::Return),
    ]
}

/// Anything a supplier, a carrier or a consignee may say, on facts that `of` names.
pub(in super::super) fn any_supply(of: impl Strategy<Value = FactId> + Clone + 'static) -> impl Strategy<Value = Supply> {
    let named = |request, seen| RequestRef { request, seen, reason: None };
    let load = (proptest::option::weighted(0.8, of.clone()), any_goods());
    let load = load.prop_map(|(commitment, goods)| Load { commitment, goods });
    let counted =
        (any::<bool>(), 0..60_u64, 0..9_u64, 0..9_u64, 1..9_u64).prop_map(|(which, accepted, rejected, damaged, missing)| {
            Counted { item: item(which), accepted, rejected, damaged, missing }
        });
    prop_oneof![
        4 => (of.clone(), 1..3_u32, any_goods(), proptest::option::of(1..9_u64)).prop_map(move |(request, seen, goods, arrival_s)| {
            Supply::Commit(Commit { of: named(request, seen), goods, arrival_s, key: None })
        }),
        2 => (of.clone(), prop_oneof![any_goods(), Just(Vec::new())]).prop_map(|(commitment, goods)| {
            Supply::Release(Release { commitment, goods, cause: 0, reason: None })
        }),
        1 => (of.clone(), any::<bool>()).prop_map(move |(request, declined)| Supply::Unable(Unable { of: named(request, 1), declined })),
        4 => (1..=3_u16, proptest::option::of(1..=3_u16), proptest::collection::vec(load, 1..3)).prop_map(|(to, carrier, loads)| {
            Supply::Consign(Consign { to: node(to), carrier: carrier.map(node), loads, arrival_s: None, note: None })
        }),
        6 => (of.clone(), any_step(of.clone())).prop_map(|(consignment, step)| {
            Supply::Journey(Journey { consignment, step, note: None })
        }),
        2 => (of, proptest::option::weighted(0.8, counted)).prop_map(|(consignment, counted)| {
            Supply::Receive(Receipt { consignment, counts: counted.into_iter().collect(), reason: None })
        }),
    ]
}

/// Two facts of one of three nodes each; references meet often, and some requests are written twice under one key.
fn any_supply_entries() -> impl Strategy<Value = Vec<(EntryMeta, Vec<u8>)>> {
    let of = (1..=3_u16, 1..=6_u32, 0..2_u8);
    let of = of.prop_map(|(author, number, index)| FactId { entry: EntryId { log: log(author, 1), number }, index });
    let asked = (1..60_u64, proptest::option::weighted(0.3, Just([7; 8]))).prop_map(|(quantity, key)| {
        let mut fact = request(quantity);
        if let Deed::Request(request) = &mut fact.deed {
            request.key = key;
        }
        fact
    });
    let fact = prop_oneof![
        1 => asked,
        4 => any_supply(of).prop_map(|supply| Fact::new(Deed::Supply(supply))),
    ];
    proptest::collection::vec((fact.clone(), fact), 18).prop_map(|facts| {
        let entry = |(place, (one, other)): (u16, (Fact, Fact))| {
            let id = EntryId { log: log(place % 3 + 1, 1), number: u32::from(place / 3) + 1 };
            let body = encode_body(&[one, other]);
            let class = super::super::class_of(&body).expect("known facts");
            (EntryMeta { id, class, closed: false, wall: UtcMillis(1) }, body)
        };
        (0_u16..).zip(facts).map(entry).collect()
    })
}

fn any_supply_world() -> impl Strategy<Value = Domain> {
    any_supply_entries().prop_map(|entries| {
        let mut domain = Bench::new().domain;
        entries.iter().for_each(|(meta, body)| domain.apply(meta, body));
        domain
    })
}

proptest! {
    #[test]
    fn every_unit_that_was_promised_or_sent_is_in_exactly_one_stage(domain in any_supply_world()) {
        for state in domain.consignment_ids().filter_map(|id| domain.consignment_state(id)) {
            let unloaded = state.stage == Stage::Unloaded;
            for line in &state.lines {
                prop_assert_eq!(line.outcome.sum(), if unloaded { 0 } else { line.sent }, "{:?}", state);
            }
            let signed = state.receipt.is_some();
            let taken_in = state.lines.iter().any(|line| line.outcome.accepted > 0);
            prop_assert!(signed || !taken_in, "nothing is taken in without the consignee's word");
        }
        for state in domain.commitment_ids().filter_map(|id| domain.commitment_state(id)) {
            for line in &state.lines {
                let all = line.unplanned + line.released + line.diverted + line.outcome.sum();
                prop_assert_eq!(all, line.quantity, "{:?}", state);
            }
        }
    }

    #[test]
    fn what_is_kept_in_a_conflict_covers_the_request_and_no_more(domain in any_supply_world()) {
        for conflict in domain.conflict_list() {
            let coverage = domain.coverage(conflict.about);
            for (item, line) in &coverage.lines {
                let parts = conflict.parts.iter().filter(|part| part.item == *item);
                let (kept, surplus) = parts.fold((0, 0), |(kept, surplus), part| (kept + part.kept, surplus + part.surplus));
                prop_assert!(kept <= line.requested);
                prop_assert!(surplus == 0 || kept == line.requested || domain.standing_of(conflict.about)
                    != Some(super::super::request::Standing::Open));
            }
            let named: std::collections::BTreeSet<_> = conflict.proposals.iter().collect();
            prop_assert_eq!(named.len(), conflict.proposals.len(), "each proposal once");
        }
    }
}

/// One act of a hub that is asked by two stores.
#[derive(Clone, Debug)]
enum Act {
    Count(u64),
    Commit(bool, u64),
    Release(usize),
    Plan(usize),
    Push(u64),
    Step(usize, &'static str),
}

fn any_act() -> impl Strategy<Value = Act> {
    let steps = prop_oneof![Just("load"), Just("depart"), Just("unload"), Just("return"), Just("arrive"), Just("lost")];
    prop_oneof![
        1 => (0..200_u64).prop_map(Act::Count),
        4 => (any::<bool>(), 1..80_u64).prop_map(|(which, quantity)| Act::Commit(which, quantity)),
        1 => (0..8_usize).prop_map(Act::Release),
        3 => (0..8_usize).prop_map(Act::Plan),
        1 => (1..50_u64).prop_map(Act::Push),
        5 => (0..8_usize, steps).prop_map(|(which, step)| Act::Step(which, step)),
    ]
}

fn do_act(bench: &mut Bench, needs: [FactId; 2], act: &Act) {
    let hub = 2;
    let nth = |ids: Vec<FactId>, which: usize| ids.get(which % ids.len().max(1)).copied();
    let promise = |bench: &Bench, which| nth(bench.domain.commitments_of(node(hub)).collect(), which).map(spoken_commitment);
    let convoy = |bench: &Bench, which| nth(bench.domain.consignments_of(node(hub)).collect(), which).map(spoken_consignment);
    let wish = match act {
        Act::Count(count) => {
            let values = [("stock.water".to_owned(), count.to_string())].into();
            let report = Report { values, ..Report::default() };
            bench.wish(hub, &PlanInput::Report(&report)).expect("counting is always possible");
            return;
        }
        Act::Commit(which, quantity) => SupplyWish::Commit(CommitWish {
            request: spoken(needs[usize::from(*which)]),
            items: vec![format!("water:{quantity}")],
            ..CommitWish::default()
        }),
        Act::Release(which) => {
            let commitment = promise(bench, *which).unwrap_or_default();
            SupplyWish::Release(ReleaseWish { commitment, ..ReleaseWish::default() })
        }
        Act::Plan(which) => {
            let commitments = promise(bench, *which).into_iter().collect();
            SupplyWish::Consign(ConsignWish { commitments, ..ConsignWish::default() })
        }
        Act::Push(quantity) => SupplyWish::Consign(ConsignWish {
            items: vec![format!("water:{quantity}")],
            to: Some("1-3".into()),
            ..ConsignWish::default()
        }),
        Act::Step(which, step) => {
            let consignment = convoy(bench, *which).unwrap_or_default();
            SupplyWish::Step(StepWish { consignment, step: (*step).into(), ..StepWish::default() })
        }
    };
    // What is refused changes nothing; what is not must keep the law.
    let _ = bench.wish(hub, &PlanInput::Supply(&wish));
}

proptest! {
    #[test]
    fn no_schedule_of_acts_promises_more_than_is_there(acts in proptest::collection::vec(any_act(), 1..40)) {
        let mut bench = Bench::new();
        let needs = [1, 3].map(|store| bench.say(log(store, 1), &[request(1_000)]));
        let water = item(true);
        do_act(&mut bench, needs, &Act::Count(120));
        let shelf = |bench: &Bench| bench.domain.shelf(node(2)).get(&water).cloned().expect("counted");
        for act in &acts {
            let before = shelf(&bench);
            do_act(&mut bench, needs, act);
            let after = shelf(&bench);
            let short = after.short();
            // Only a count of fewer than were promised leaves a shortfall, and no act makes it larger.
            prop_assert!(short == 0 || matches!(act, Act::Count(_)) || short <= before.short(), "{act:?}: {before:?} {after:?}");
        }
    }
}

/// What is worked out once and kept.
fn found(domain: &Domain) -> impl PartialEq + std::fmt::Debug + use<> {
    let over: Vec<bool> = domain.consignment_ids().map(|id| domain.is_over(id)).collect();
    let fulfilled: Vec<bool> = domain.request_states().map(|state| domain.is_fulfilled(state.id)).collect();
    let open = [1, 2, 3].map(|author| domain.open_commitments(node(author)));
    (domain.conflict_list(), domain.conflicts(), over, fulfilled, open)
}

proptest! {
    #[test]
    fn what_is_judged_as_facts_come_and_go_is_what_is_judged_at_once(
        entries in any_supply_entries(),
        turns in proptest::collection::vec((0..18_usize, 0..6_u8), 1..60),
    ) {
        let mut by_and_by = Bench::new().domain;
        let mut held = std::collections::BTreeSet::new();
        let (mut frozen, mut question) = (false, false);
        for (place, deed) in turns {
            let (meta, body) = &entries[place];
            match deed {
                0 => by_and_by.settle(),
                1 => {
                    by_and_by.withdraw(meta.id);
                    held.remove(&place);
                }
                2 => {
                    frozen = !frozen;
                    by_and_by.set_frozen(log(2, 1), frozen);
                }
                3 => {
                    question = !question;
                    by_and_by.set_question(log(1, 1), question.then_some(4));
                }
                _ => {
                    by_and_by.apply(meta, body);
                    held.insert(place);
                }
            }
        }
        let mut at_once = Bench::new().domain;
        held.iter().for_each(|place| at_once.apply(&entries[*place].0, &entries[*place].1));
        at_once.set_frozen(log(2, 1), frozen);
        at_once.set_question(log(1, 1), question.then_some(4));
        prop_assert_eq!(found(&by_and_by), found(&at_once), "touched or not");
        by_and_by.settle();
        prop_assert_eq!(found(&by_and_by), found(&at_once), "and once it is settled");
    }
}
