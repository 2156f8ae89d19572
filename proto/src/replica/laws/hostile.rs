//! Leaves and entries that no honest node would tell: no panic, no overflow, bounded work and bounded wants (P2, P9). Tests only.

use std::cell::Cell;

use proptest::prelude::*;

use super::super::digest::{AuthorLeaf, LogLeaf};
use super::super::{Floor, Lacking};
use super::bench::{Shelf, Story, Word, any_delivery, any_world, author, log};
use crate::id::Generation;

/// Numbers where arithmetic breaks first.
fn edge() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), 2..40_u32, Just(u32::MAX - 1), Just(u32::MAX), any::<u32>()]
}

fn any_leaf() -> impl Strategy<Value = LogLeaf> {
    let ahead = proptest::collection::vec((edge(), edge()), 0..100);
    (edge(), edge(), ahead, proptest::option::of(edge()), 0..12_u16, any::<[u8; 8]>()).prop_map(
        |(floor, head, ahead, frozen, life, hash)| LogLeaf {
            generation: Generation::default(),
            incarnation: log(1, life).incarnation,
            floor,
            head,
            head_hash: hash,
            ahead,
            ahead_hash: hash,
            frozen,
        },
    )
}

fn lone(leaf: LogLeaf) -> AuthorLeaf {
    AuthorLeaf { author: author(1), logs: vec![leaf], board: None }
}

proptest! {
    #[test]
    fn any_leaf_at_all_makes_bounded_ascending_wants_and_no_panic(
        world in any_world(), delivery in any_delivery(), logs in proptest::collection::vec(any_leaf(), 0..30), max in 0..5_000_usize,
    ) {
        let mut shelf = Shelf::new(world.window);
        shelf.deliver(&world, &delivery);
        let mut lacking = Lacking::default();
        let leaf = AuthorLeaf { author: author(1), logs, board: None };
        let taken = shelf.replica.lacking(&leaf, world.window, max, &|_| false, &mut lacking);
        let ranges: Vec<(u32, u32)> = lacking.entries.iter().flat_map(|(_, ranges)| ranges.clone()).collect();
        let named: u64 = ranges.iter().map(|(first, last)| u64::from(last - first) + 1).sum();
        prop_assert!(named <= max as u64 && named == taken as u64);
        for (_, ranges) in &lacking.entries {
            prop_assert!(ranges.iter().all(|(first, last)| first <= last && *first > 0));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn entries_at_the_edges_of_all_numbers_do_no_harm(
        entries in proptest::collection::vec((edge(), edge(), proptest::collection::vec(edge(), 0..4), any::<bool>()), 1..30),
        window in prop_oneof![Just(1), Just(8), Just(crate::config::WINDOW_HUB)],
    ) {
        let mut shelf = Shelf::new(window);
        for (number, floor, keep, twin) in entries.into_iter().filter(|(number, ..)| *number > 0) {
            let stated = Floor { incarnation: log(1, 1).incarnation, number: floor, prev: [1; 16], keep: keep.into_iter().collect() };
            let story = Story::plain(u32::from(twin));
            shelf.take(&Word::new(log(1, 1), number, [1; 16], &story, vec![stated]), false);
            let told = shelf.replica.leaf(author(1));
            let _ = (shelf.replica.holes(), shelf.root(), told);
            for log in shelf.replica.logs().map(|(_, log)| log) {
                let _ = (log.window_percent(), log.highest());
            }
        }
    }
}

#[test]
fn thousands_of_overlapping_ranges_cost_no_more_than_what_is_held() {
    let mut shelf = Shelf::new(4_096);
    let mut prev = [0; 16];
    for number in 1..=2_000 {
        let word = Word::new(log(1, 1), number, prev, &Story::plain(0), Vec::new());
        prev = word.hash;
        if number != 1 {
            shelf.take(&word, false);
        }
    }
    let hostile = LogLeaf {
        generation: Generation::default(),
        incarnation: log(1, 1).incarnation,
        floor: u32::MAX,
        head: u32::MAX,
        head_hash: [7; 8],
        ahead: vec![(1, u32::MAX); 10_000],
        ahead_hash: [7; 8],
        frozen: None,
    };
    let looked_up = Cell::new(0_u32);
    let look = |_| {
        looked_up.set(looked_up.get() + 1);
        false
    };
    let leaf = AuthorLeaf { logs: vec![hostile.clone(); 3_000], ..lone(hostile) };
    let mut lacking = Lacking::default();
    assert_eq!(shelf.replica.lacking(&leaf, 4_096, 1_000, &look, &mut lacking), 1_000);
    assert!(looked_up.get() <= 1_001, "{} look-ups", looked_up.get());
    assert_eq!(lacking.entries.len(), 1);
}
