//! The laws of the fold, for any set of facts: order, repetition, grouping and withdrawal leave no trace (rules 2 and 10, I3, I4).

use proptest::prelude::*;

use super::bench::{Bench, acknowledge, cancel, close, confirm, log, node, request, update};
use super::fact::{Deed, Fact, Floor, Observation, encode_body};
use super::observation::{OBSERVE_EVERY_MS, OBSERVE_IN_ROW};
use super::reading::{self, Reading, Readings, Seen, Subject, Value};
use super::request::Standing;
use super::supply::conflict::Kind;
use super::{DocKind, Document, Domain, EntryMeta};
use crate::id::{Class, EntryId, FactId, Incarnation};
use crate::time::UtcMillis;

const AUTHORS: u16 = 3;
const NUMBERS: u32 = 5;

/// Any fact id of a small world, so that references often meet.
fn any_ref() -> impl Strategy<Value = FactId> + Clone + use<> {
    (1..=AUTHORS, 1..=2_u16, 1..=NUMBERS, 0..2_u8)
        .prop_map(|(author, life, number, index)| FactId { entry: EntryId { log: log(author, life), number }, index })
}

fn any_readings() -> impl Strategy<Value = Readings> {
    let subject = prop_oneof![
        (0..50_u32).prop_map(Subject::Field),
        Just(Subject::Level("water".into())),
        Just(Subject::Count("rice".into())),
        (0..30_u8).prop_map(Subject::Service),
    ];
    proptest::collection::vec((subject, 0..4_u64, 0..3_u32), 0..6).prop_map(|said| {
        said.into_iter()
            .map(|(subject, number, before_s)| {
                (subject, Reading { value: Value::Number(number), seen: Seen { before_s, ..Seen::default() } })
            })
            .collect()
    })
}

fn any_fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        3 => (1..100_u64, any::<bool>(), proptest::option::of(1..=AUTHORS)).prop_map(|(quantity, keyed, consignee)| {
            let mut fact = request(quantity);
            if let Deed::Request(request) = &mut fact.deed {
                request.key = keyed.then_some([1; 8]);
                request.consignee = consignee.map(node);
            }
            fact
        }),
        3 => (any_ref(), 1..4_u32, 2..4_u32, 1..100_u64).prop_map(|(of, seen, version, quantity)| update(of, seen, version, quantity)),
        2 => (any_ref(), 1..4_u32).prop_map(|(of, seen)| cancel(of, seen)),
        1 => (any_ref(), 1..4_u32).prop_map(|(of, seen)| confirm(of, seen)),
        1 => (any_ref(), 1..4_u32).prop_map(|(of, seen)| close(of, seen)),
        2 => any_ref().prop_map(acknowledge),
        2 => (1..=AUTHORS, any_readings()).prop_map(|(seen, readings)| {
            Fact::new(Deed::Observation(Observation { node: node(seen), readings, note: None }))
        }),
        6 => super::supply::laws::any_supply(any_ref()).prop_map(|supply| Fact::new(Deed::Supply(supply))),
        1 => (1..=NUMBERS).prop_map(|number| {
            Fact::new(Deed::Floor(Floor { incarnation: Incarnation { count: 1, random: 7 }, number, previous: [0; 16], stay: Vec::new() }))
        }),
    ]
}

/// A world: some entries of every logbook, some with a wrong class, some closed.
fn any_world() -> impl Strategy<Value = Vec<(EntryMeta, Vec<u8>)>> {
    let entry = (proptest::collection::vec(any_fact(), 1..3), 0..12_u8);
    let count = usize::from(AUTHORS) * 2 * usize::try_from(NUMBERS).expect("small");
    proptest::collection::vec(proptest::option::weighted(0.8, entry), count).prop_map(|entries| {
        let ids = (1..=AUTHORS).flat_map(|author| (1..=2).map(move |life| log(author, life)));
        let ids = ids.flat_map(|log| (1..=NUMBERS).map(move |number| EntryId { log, number }));
        let written = ids.zip(entries).filter_map(|(id, entry)| entry.map(|entry| (id, entry)));
        written
            .map(|(id, (facts, odd))| {
                let body = encode_body(&facts);
                let class = if odd == 0 { Class::BULK } else { super::class_of(&body).expect("known facts") };
                (EntryMeta { id, class, closed: odd == 1, wall: UtcMillis(i64::from(id.number)) }, body)
            })
            .collect()
    })
}

fn fold(entries: &[(EntryMeta, Vec<u8>)]) -> Domain {
    let mut domain = Domain::default();
    for (meta, body) in entries {
        domain.apply(meta, body);
    }
    domain
}

/// Everything that must leave no trace, indexes included.
fn whole(domain: &Domain) -> (Vec<u8>, String) {
    let open = || domain.request_states().filter(|state| state.standing == Standing::Open);
    let older = domain.conflict_list().iter().filter(|conflict| conflict.kind == Kind::OlderVersion).count();
    assert_eq!(older, open().filter(|state| state.cancel_of_older_version).count());
    let counts = (open().count(), domain.conflict_list().len());
    assert_eq!((domain.requests_open() as usize, domain.conflicts() as usize), counts, "counted as they stand");
    let mut domain = domain.clone();
    domain.settle();
    (domain.canonical_view(), format!("{domain:?}"))
}

proptest! {
    #[test]
    fn observations_of_one_node_keep_their_pace_however_they_are_tried(gaps in proptest::collection::vec(0..900_i64, 1..80)) {
        let mut bench = Bench::new();
        let mut made = Vec::new();
        for gap_s in gaps {
            bench.pass(gap_s);
            let wait_ms = bench.domain.observation_wait(node(1), node(3), bench.now.wall);
            prop_assert!(wait_ms <= OBSERVE_EVERY_MS);
            prop_assert!(wait_ms == 0 || made.last().is_some_and(|last| bench.now.wall.0 - last < OBSERVE_EVERY_MS));
            if wait_ms > 0 {
                continue;
            }
            bench.say(log(1, 1), &[Fact::new(Deed::Observation(Observation { node: node(3), readings: Readings::new(), note: None }))]);
            made.push(bench.now.wall.0);
        }
        for (n, from) in made.iter().enumerate() {
            for (more, to) in made.iter().enumerate().skip(n) {
                let most = OBSERVE_IN_ROW + (to - from) / OBSERVE_EVERY_MS;
                let count = i64::try_from(more - n).unwrap() + 1;
                prop_assert!(count <= most, "{count} in {} ms", to - from);
            }
        }
    }

    #[test]
    fn order_and_repetition_leave_no_trace(
        (world, shuffled) in any_world().prop_flat_map(|world| {
            let twice: Vec<_> = world.iter().chain(&world).cloned().collect();
            (Just(world), Just(twice).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(whole(&fold(&shuffled)), whole(&fold(&world)));
    }

    #[test]
    fn what_is_applied_and_withdrawn_was_never_there(
        (world, order, gone) in any_world().prop_flat_map(|world| {
            let count = world.len();
            (Just(world.clone()), Just(world).prop_shuffle(), proptest::collection::vec(any::<bool>(), count))
        }),
    ) {
        let gone: std::collections::BTreeSet<EntryId> =
            world.iter().zip(gone).filter(|(_, gone)| *gone).map(|((meta, _), _)| meta.id).collect();
        let left: Vec<_> = world.into_iter().filter(|(meta, _)| !gone.contains(&meta.id)).collect();
        let mut domain = fold(&order);
        for id in &gone {
            domain.withdraw(*id);
            domain.withdraw(*id);
        }
        prop_assert_eq!(whole(&domain), whole(&fold(&left)));
    }

    #[test]
    fn two_halves_that_meet_are_one(world in any_world(), cut in 0..30_usize) {
        // Both sides of a partition held the first third; each brings the other its own.
        let cut = cut.min(world.len());
        let (left, right) = world.split_at(cut);
        let common = &world[..world.len() / 3];
        let one = fold(&[common, left, right].concat());
        let other = fold(&[common, right, left].concat());
        prop_assert_eq!(whole(&one), whole(&other));
    }

    #[test]
    fn raising_a_floor_over_what_is_settled_changes_nothing_that_stands(world in any_world(), below in 1..=NUMBERS + 1) {
        let before = fold(&world);
        for log in (1..=AUTHORS).flat_map(|author| (1..=2).map(move |life| log(author, life))) {
            let stay = before.unsettled(log, below);
            let mut after = before.clone();
            for number in (1..below).filter(|number| !stay.contains(number)) {
                after.withdraw(EntryId { log, number });
            }
            for state in before.request_states().filter(|state| state.standing == Standing::Open) {
                let now = after.request_state(state.id);
                prop_assert!(now.is_some(), "an open request went below the floor");
                let now = now.expect("checked");
                prop_assert_eq!((now.version, now.need, now.standing, now.cancel_of_older_version),
                    (state.version, state.need, state.standing, state.cancel_of_older_version));
                prop_assert_eq!(now.acknowledged.keys().collect::<Vec<_>>(), state.acknowledged.keys().collect::<Vec<_>>());
            }
            for state in after.request_states().filter(|state| state.standing == Standing::Open) {
                let was = before.request_state(state.id).map(|state| state.standing);
                prop_assert_eq!(was, Some(Standing::Open), "a settled request opened again");
            }
            for state in before.request_states().filter(|state| state.standing == Standing::Open) {
                prop_assert_eq!(after.coverage(state.id).lines, before.coverage(state.id).lines, "what covers an open request went");
            }
            prop_assert_eq!(after.live_observations(), before.live_observations());
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut domain = Domain::default();
        let id = EntryId { log: log(1, 1), number: 1 };
        domain.apply(&EntryMeta { id, class: Class::ROUTINE, closed: false, wall: UtcMillis(1) }, &body);
        domain.set_document(node(1), DocKind::Board, Document::Present { version: 1, wall: UtcMillis(1), payload: &body.clone().into() });
        let _ = (domain.canonical_view(), domain.readings(node(1), Some(0), None), super::floor_of(&body));
    }

    #[test]
    fn facts_read_back_as_they_were_written(facts in proptest::collection::vec(any_fact(), 1..5)) {
        let facts: Vec<Fact> = facts.into_iter().map(only_known).collect();
        let read: Vec<Fact> = super::decode_body(&encode_body(&facts)).into_iter().filter_map(|decoded| match decoded {
            super::Decoded::Fact(fact) => Some(*fact),
            super::Decoded::Inert(_) => None,
        }).collect();
        let floors = facts.iter().filter_map(|fact| if let Deed::Floor(floor) = &fact.deed { Some(floor.clone()) } else { None });
        prop_assert_eq!(super::floor_of(&encode_body(&facts)), floors.collect::<Vec<_>>());
        prop_assert_eq!(read, facts);
    }

    #[test]
    fn what_a_payload_says_is_written_one_way_only(readings in any_readings()) {
        let once = reading::decode(&reading::encode(&readings));
        prop_assert_eq!(reading::decode(&reading::encode(&once)), once.clone());
        let bytes = reading::encode(&once);
        prop_assert_eq!(reading::encode(&reading::decode(&bytes)), bytes);
    }
}

/// Drops readings that no writer of this version would make.
fn only_known(mut fact: Fact) -> Fact {
    if let Deed::Observation(observation) = &mut fact.deed {
        observation.readings = reading::decode(&reading::encode(&observation.readings));
    }
    fact
}
