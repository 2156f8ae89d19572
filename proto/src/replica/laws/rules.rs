//! Rules 3 to 8 one by one, where the law of convergence alone would not say which of them broke. Tests only.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{DocOutcome, Floor, Log, Weight};
use super::bench::{Shelf, Story, Word, any_delivery, any_world, author, doc, exchange, log};
use crate::config::{AHEAD_RANGES_MAX, INCARNATIONS_MAX};
use crate::id::{DocKind, EntryId};

/// `len` entries of one logbook; `floor` says what entry `number` states: a floor and what stays.
fn written(len: u32, floor: impl Fn(u32) -> Option<(u32, Vec<u32>)>) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    for number in 1..=len {
        let prev = words.last().map_or([0; 16], |word| word.hash);
        let stated = floor(number).map(|(floor, keep)| Floor {
            incarnation: log(1, 1).incarnation,
            number: floor,
            prev: if floor == number { prev } else { [3; 16] },
            keep: keep.into_iter().collect(),
        });
        words.push(Word::new(log(1, 1), number, prev, &Story::plain(number), stated.into_iter().collect()));
    }
    words
}

/// Another story under the number of `word`.
fn twin(word: &Word) -> Word {
    Word::new(word.header.id.log, word.header.id.number, word.header.prev, &Story::plain(9_999), Vec::new())
}

fn held(shelf: &Shelf) -> BTreeSet<u32> {
    shelf.view.keys().map(|id| id.number).collect()
}

#[test]
fn what_is_held_ahead_is_told_in_64_ranges_and_its_holes_are_shown() {
    let mut shelf = Shelf::new(4_096);
    for word in written(400, |_| None).iter().filter(|word| word.header.id.number % 2 == 0) {
        shelf.take(word, false);
    }
    let told = shelf.replica.leaf(author(1)).logs.remove(0);
    assert_eq!((told.head, told.ahead.len(), told.ahead[0], told.ahead[63]), (0, AHEAD_RANGES_MAX, (2, 1), (128, 1)));
    assert_eq!(shelf.replica.holes(), 200);
    shelf.check();
}

#[test]
fn a_want_names_single_numbers_where_single_numbers_are_lacking() {
    let words = written(9, |_| None);
    let (mut one, mut other) = (Shelf::new(64), Shelf::new(64));
    other.take_all(words.iter());
    one.take_all(words.iter().filter(|word| ![2, 5].contains(&word.header.id.number)));
    assert_eq!(one.lacking(&other, 100).entries, [(log(1, 1), vec![(2, 2), (5, 5)])]);
}

#[test]
fn a_floor_hides_what_is_settled_and_a_fork_that_takes_it_away_brings_it_back() {
    let words = written(8, |number| (number == 7).then_some((6, vec![2])));
    let (mut shelf, mut late) = (Shelf::new(64), Shelf::new(64));
    shelf.take_all(words.iter());
    assert_eq!(held(&shelf), BTreeSet::from([2, 6, 7, 8]));
    // Whoever never held what stays can't pass the floor.
    late.take_all(words.iter().skip(5));
    let told = late.replica.log(log(1, 1)).unwrap();
    assert_eq!((told.floor_number(), told.head(), told.holes(9)), (6, 0, vec![(2, 2)]));
    late.take(&words[1], false);
    assert_eq!(late.replica.log(log(1, 1)).unwrap().head(), 8);
    shelf.take(&twin(&words[6]), false);
    assert_eq!((held(&shelf), shelf.replica.log(log(1, 1)).unwrap().frozen()), ((1..=6).collect(), Some(7)));
    exchange(&mut shelf, &mut late);
}

#[test]
fn what_came_below_a_floor_is_lacking_when_a_fork_takes_that_floor_away_and_comes_when_it_is_said_again() {
    let words = written(7, |number| (number == 7).then_some((7, vec![])));
    let (mut early, mut late) = (Shelf::new(64), Shelf::new(64));
    early.take_all(words.iter());
    late.take_all(words.iter().rev());
    assert_eq!((held(&early), held(&late)), (BTreeSet::from([7]), BTreeSet::from([7])));
    // Who stored it before the floor came has it back; who was told of it below the floor has to hear it again.
    early.take(&twin(&words[6]), false);
    late.take(&twin(&words[6]), false);
    assert_eq!((held(&early), held(&late)), ((1..=6).collect(), BTreeSet::new()));
    let mut asking = late.clone();
    exchange(&mut asking, &mut early);
    late.take_all(words.iter());
    assert_eq!((held(&asking), held(&late)), ((1..=6).collect(), (1..=6).collect()));
}

#[test]
fn a_fork_found_last_is_made_good_by_saying_everything_again() {
    let words = written(13, |number| match number {
        7 | 10 => Some((number, vec![])),
        12 => Some((9, vec![6])),
        _ => None,
    });
    // Another 7, 8 and 9, the first with the same floor.
    let mut others: Vec<Word> = Vec::new();
    for number in 7..=9 {
        let before = others.last().unwrap_or(&words[5]).hash;
        let floor = Floor { incarnation: log(1, 1).incarnation, number, prev: before, keep: BTreeSet::new() };
        let floors = if number == 7 { vec![floor] } else { Vec::new() };
        others.push(Word::new(log(1, 1), number, before, &Story::plain(100 + number), floors));
    }
    let last = [&words[9], &words[12], &words[10], &words[11], &words[8], &words[7], &others[2], &words[6]];
    let said: Vec<&Word> = words[..6].iter().chain(&others[..2]).chain(last).collect();
    let (mut one, mut other) = (Shelf::new(4), Shelf::new(4));
    for shelf in [&mut one, &mut other] {
        shelf.take_all([&words[3], &words[11], &words[8]]);
    }
    one.take_all(said.iter().copied());
    other.take_all(said.iter().rev().copied());
    exchange(&mut one, &mut other);
    assert_eq!((held(&one), one.replica.log(log(1, 1)).unwrap().frozen()), (BTreeSet::from([7]), Some(8)));
    // Said below the floor of 7, and only then the other 7: of what that floor hid there is only what had been stored before it came.
    one.take_all(said.iter().copied());
    assert_eq!((held(&one), one.replica.log(log(1, 1)).unwrap().frozen()), (BTreeSet::from([4]), Some(7)));
    one.settle(&said);
    assert_eq!(held(&one), (1..=4).collect());
    one.check();
    exchange(&mut one, &mut other);
}

#[test]
fn what_a_higher_floor_keeps_comes_back_although_a_lower_one_had_hidden_it() {
    let words = written(8, |number| match number {
        5 => Some((4, vec![])),
        8 => Some((7, vec![1, 5])),
        _ => None,
    });
    let (mut up, mut down) = (Shelf::new(64), Shelf::new(64));
    up.take_all(words.iter());
    down.take_all(words.iter().rev());
    assert_eq!((held(&up), held(&down)), (BTreeSet::from([1, 5, 7, 8]), BTreeSet::from([1, 5, 7, 8])));
    assert_eq!(up.root(), down.root());
}

#[test]
fn of_two_floors_at_one_number_the_one_stated_last_counts_in_any_order() {
    let words = written(6, |number| match number {
        4 => Some((4, vec![1, 2])),
        6 => Some((4, vec![2, 3])),
        _ => None,
    });
    let (mut up, mut down) = (Shelf::new(64), Shelf::new(64));
    up.take_all(words.iter());
    down.take_all(words.iter().rev());
    assert_eq!((held(&up), held(&down)), (BTreeSet::from([2, 3, 4, 5, 6]), BTreeSet::from([2, 3, 4, 5, 6])));
}

#[test]
fn two_stories_in_what_stays_below_the_floor_are_found() {
    let words = written(6, |number| (number == 6).then_some((6, vec![2])));
    let (mut one, mut other) = (Shelf::new(64), Shelf::new(64));
    for (shelf, second) in [(&mut one, words[1].clone()), (&mut other, twin(&words[1]))] {
        shelf.take(&second, false);
        shelf.take(&words[5], false);
    }
    assert_ne!(one.root(), other.root());
    exchange(&mut one, &mut other);
    assert_eq!(one.replica.log(log(1, 1)).unwrap().frozen(), Some(2));
}

#[test]
fn two_stories_ahead_of_a_hole_that_nobody_can_fill_are_found() {
    let words = written(5, |_| None);
    let (mut one, mut other) = (Shelf::new(64), Shelf::new(64));
    one.take(&words[4], false);
    other.take(&twin(&words[4]), false);
    exchange(&mut one, &mut other);
    assert_eq!(one.replica.log(log(1, 1)).unwrap().frozen(), Some(5));
}

#[test]
fn a_number_beyond_the_window_is_refused_until_the_floor_is_raised_whoever_asks() {
    let words = written(20, |number| (number == 8).then_some((8, vec![])));
    let mut shelf = Shelf::new(8);
    assert_eq!(shelf.take(&words[8], false), Weight::BeyondWindow);
    assert_eq!(shelf.take(&words[7], false), Weight::New);
    assert_eq!((shelf.take(&words[14], false), shelf.take(&words[15], false)), (Weight::New, Weight::BeyondWindow));
    assert_eq!(Log::new(8).weigh(&words[7].header, words[7].hash, true, 0), Weight::New);
}

#[test]
fn whoever_joins_after_the_floor_passed_the_first_window_can_follow() {
    let words = written(60, |number| (number % 5 == 0).then(|| (number - 2, vec![])));
    let (mut old, mut new) = (Shelf::new(8), Shelf::new(8));
    old.take_all(words.iter());
    exchange(&mut new, &mut old);
    assert_eq!((new.replica.log(log(1, 1)).unwrap().head(), held(&new)), (60, (58..=60).collect()));
}

#[test]
fn a_freeze_that_takes_the_floor_away_takes_away_what_only_that_floor_allowed() {
    let words = written(60, |number| (number == 50).then_some((48, vec![])));
    let (mut one, mut other) = (Shelf::new(8), Shelf::new(8));
    one.take_all(words.iter().skip(46));
    one.take_all(words.iter().skip(46));
    assert_eq!(held(&one), (48..=55).collect());
    one.prove(&words[48], &twin(&words[48]));
    other.prove(&words[48], &twin(&words[48]));
    other.take_all(words.iter().skip(46));
    assert_eq!((held(&one), held(&other)), (BTreeSet::new(), BTreeSet::new()));
    exchange(&mut one, &mut other);
}

proptest! {
    #[test]
    fn only_the_eight_highest_incarnations_count_whatever_the_order(
        order in Just((1..=12_u16).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut shelf = Shelf::new(64);
        for life in order {
            shelf.take(&Word::new(log(1, life), 1, [0; 16], &Story::plain(0), Vec::new()), false);
        }
        let lives: Vec<u16> = shelf.replica.logs().map(|(id, _)| id.incarnation.count).collect();
        prop_assert_eq!(lives, (5..=12).collect::<Vec<u16>>());
        prop_assert_eq!(shelf.view.len(), INCARNATIONS_MAX);
        prop_assert!(shelf.replica.is_shut(log(1, 4)) && !shelf.replica.is_shut(log(1, 13)));
    }

    #[test]
    fn a_logbook_is_frozen_at_its_lowest_fork_whatever_the_order_of_the_proofs(
        order in Just((2..=9_usize).collect::<Vec<_>>()).prop_shuffle(), some in 1..8_usize,
    ) {
        let words = written(10, |_| None);
        let mut shelf = Shelf::new(64);
        shelf.take_all(words.iter());
        let order = &order[..some];
        for at in order {
            shelf.prove(&words[*at], &twin(&words[*at]));
        }
        let lowest = u32::try_from(*order.iter().min().unwrap()).unwrap() + 1;
        prop_assert_eq!(shelf.replica.log(log(1, 1)).unwrap().frozen(), Some(lowest));
        prop_assert_eq!(held(&shelf), (1..lowest).collect());
    }

    #[test]
    fn a_board_with_two_stories_is_void_until_a_newer_one_in_any_order(
        order in Just(vec![(1, 0), (2, 0), (2, 1), (2, 2), (1, 1)]).prop_shuffle(),
    ) {
        let mut shelf = Shelf::new(8);
        for (version, story) in order {
            shelf.replica.commit_doc(doc(log(1, 1), version, story));
        }
        let told = shelf.replica.doc_leaf(author(1), DocKind::Board).unwrap();
        prop_assert!(told.two && told.order.version == 2);
        prop_assert_eq!(shelf.replica.commit_doc(doc(log(1, 1), 3, 0)), DocOutcome::Newer);
        prop_assert!(shelf.replica.doc_contradiction(author(1), DocKind::Board).is_none());
    }

    #[test]
    fn the_difference_asks_for_what_the_other_holds_and_we_lack_and_for_nothing_else(
        world in any_world(), first in any_delivery(), second in any_delivery(), max in 0..40_usize,
    ) {
        let (mut one, mut other) = (Shelf::new(world.window), Shelf::new(world.window));
        one.deliver(&world, &first);
        other.deliver(&world, &second);
        let all = asked(&one, &other, usize::MAX);
        for id in &all {
            let mine = one.replica.log(id.log);
            let theirs = other.replica.log(id.log).and_then(|log| log.slot(id.number));
            let (Some(slot), Some(theirs)) = (mine.and_then(|log| log.slot(id.number)), theirs) else {
                let stays = mine.and_then(Log::floor).is_some_and(|floor| floor.keep.contains(&id.number));
                // Its head may stand on a floor whose entry before is another than ours: asking is the only way to find out.
                let at_head = other.replica.log(id.log).is_some_and(|log| log.head() == id.number);
                prop_assert!(theirs.is_some() || stays || at_head, "{} is asked for and the other does not hold it", id);
                prop_assert!(mine.is_none_or(|log| !log.hidden(id.number)), "{} is below our floor", id);
                prop_assert!(mine.and_then(Log::frozen).is_none_or(|frozen| id.number < frozen), "{} is above our freeze", id);
                continue;
            };
            let told = |shelf: &Shelf| shelf.replica.leaf(id.log.author).logs;
            prop_assert!(slot.hash != theirs.hash || told(&one) != told(&other), "{} is held here", id);
        }
        for (log, theirs) in other.replica.logs().filter(|(log, _)| !one.replica.is_shut(*log)) {
            let mine = one.replica.log(log);
            let end = mine.map_or(1, Log::floor_number).max(theirs.floor_number()).saturating_add(world.window);
            for number in theirs.slots().map(|(number, _)| number).filter(|number| *number >= theirs.floor_number()) {
                let wanted = mine.is_none_or(|mine| {
                    let open = mine.frozen().is_none_or(|frozen| number < frozen) && !mine.hidden(number);
                    open && mine.slot(number).is_none()
                });
                let id = EntryId { log, number };
                prop_assert!(!wanted || number >= end || all.contains(&id), "{} is lacking and not asked for", id);
            }
        }
        prop_assert!(asked(&one, &other, max).len() <= max);
    }
}

/// Asked for, one by one; nothing twice.
fn asked(one: &Shelf, other: &Shelf, max: usize) -> BTreeSet<EntryId> {
    let mut all = BTreeSet::new();
    for (log, ranges) in one.lacking(other, max).entries {
        for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
            assert!(all.insert(EntryId { log, number }), "asked for twice");
        }
    }
    all
}
