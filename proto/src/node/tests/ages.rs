//! Rule 11: how old a board is said to be, whatever clocks show and whoever speaks.

use proptest::prelude::*;

use super::super::ingest::Age;
use super::*;
use crate::io::AgeMark;

const DAY_MS: i64 = 86_400_000;

fn at(mono_ms: u64, wall_ms: i64) -> Now {
    Now { mono: Instant(mono_ms * 1_000), wall: UtcMillis(wall_ms) }
}

proptest! {
    #[test]
    fn an_age_is_never_below_the_time_held_nor_below_own_clock_minus_stamp(
        first in proptest::option::of(0..1_000_000_u64),
        said in proptest::collection::vec((1..100_000_u64, proptest::option::of(0..1_000_000_u64)), 0..12),
        stamp_before in 0..2_000_000_i64,
    ) {
        let wall = 1_795_000_000_000;
        let mut age = Age::heard(first, at(0, wall));
        let (mut passed, mut bound) = (0, first);
        for (step, word) in said {
            passed += step;
            bound = bound.map(|bound| bound + step);
            let now = at(passed, wall + i64::try_from(passed).unwrap());
            age.lower(word, now);
            bound = match (bound, word) {
                (Some(bound), Some(word)) => Some(bound.min(word.max(passed))),
                (bound, word) => bound.or(word.map(|word| word.max(passed))),
            };
            prop_assert_eq!(age.now(now, UtcMillis::UNKNOWN), bound, "the lowest word counts, and never below the time held");
            let stamp = UtcMillis(wall - stamp_before);
            let least = u64::try_from(stamp_before).unwrap() + passed;
            prop_assert_eq!(age.now(now, stamp), bound.map(|bound| bound.max(least)));
        }
    }

    #[test]
    fn after_a_restart_an_age_goes_on_or_is_unknown_and_never_starts_anew(
        held_ms in 0..10_000_000_i64, told in proptest::option::of(0..1_000_000_u64), later in 0..1_000_000_u64, word in 0..1_000_000_u64,
    ) {
        let came = 1_795_000_000_000_i64;
        let mark = AgeMark { age_ms: told, at: UtcMillis(came) };
        let start = at(5, came + held_ms);
        let held = u64::try_from(held_ms).unwrap();
        let mut age = Age::restored(mark, start);
        let now = at(5 + later, came + held_ms + i64::try_from(later).unwrap());
        prop_assert_eq!(age.now(now, UtcMillis::UNKNOWN), told.map(|told| told + held + later));
        age.lower(Some(word), now);
        let said = word.max(held + later);
        prop_assert_eq!(age.now(now, UtcMillis::UNKNOWN), Some(told.map_or(said, |told| said.min(told + held + later))));
        // A clock that went back since can bound nothing.
        prop_assert_eq!(Age::restored(mark, at(5, came - 1)).now(at(5, came - 1), UtcMillis::UNKNOWN), None);
        prop_assert_eq!(Age::restored(mark, at(5, 0)).now(at(5, 0), UtcMillis::UNKNOWN), None);
    }
}

#[test]
fn a_neighbour_whose_clock_is_years_ahead_still_knows_how_old_a_board_is() {
    let mut world = World::new(2);
    world.report(0, "operating.status", "open");
    world.pass(Duration::from_secs(600));
    world.connect(0, 1);
    world.pass(Duration::from_secs(5));
    // A millisecond may be lost in rounding.
    let told = world.status_of(1, 0).age_s;
    assert!(matches!(told, Some(604 | 605)), "{told:?}");
    // The author's stamp says 2026; this clock says 1970 plus a day: it can bound nothing from below, the word said still counts.
    let wrong = Now { mono: world.now.mono, wall: UtcMillis(DAY_MS) };
    let view = |world: &mut World, now: Now| match world.hosts[1].node.answer(now, &Question::Status) {
        Answer::Status(view) => view.nodes[1].age_s,
        other => panic!("{other:?}"),
    };
    assert_eq!(view(&mut world, wrong), told);
    // Ten years ahead the board can only be older than it is, never younger.
    let ahead = Now { mono: world.now.mono, wall: UtcMillis(world.now.wall.0 + 3_650 * DAY_MS) };
    assert!(view(&mut world, ahead).unwrap() > 3_000 * 86_400);
}

#[test]
fn a_board_that_waited_for_a_slow_store_is_as_old_as_it_is() {
    let mut world = World::new(2);
    world.connect(0, 1);
    world.report(0, "operating.status", "open");
    // Host 1's store takes a minute over the next board.
    world.report(0, "operating.status", "closed");
    let author = world.alliance.nodes[0].node;
    let row = world.hosts[0].node.replica.doc(author, DocKind::Board).expect("said").row();
    let mut late = World::new(2);
    late.connect(0, 1);
    let link = *late.wires.keys().find(|(host, _)| *host == 1).map(|(_, link)| link).expect("linked");
    let frame =
        crate::message::Message::Docs { want: None, docs: vec![crate::message::WireDoc::pack(&row, Some(1_000))] }.to_frame();
    late.hosts[1].node.handle(late.now, Input::Received { link, frame });
    let mut token = None;
    while let Some(output) = late.hosts[1].node.poll_output() {
        if let Output::Persist { token: of, .. } = output {
            token = Some(of);
        }
    }
    late.advance(Duration::from_secs(60));
    late.hosts[1].node.handle(late.now, Input::Persisted { token: token.expect("it goes to the store") });
    late.drain(1);
    let age = late.hosts[1].node.doc_age(author, DocKind::Board);
    assert!(age.is_some_and(|age| age >= 61_000), "{age:?}");
}
