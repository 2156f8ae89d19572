//! Whatever reached whom in whatever order: after the exchange all are equal (rules 3 to 8, P7).

use proptest::prelude::*;

use super::bench::{Shelf, Word, any_delivery, any_world, assert_equal, exchange};

proptest! {
    #[test]
    fn any_order_repetition_loss_and_grouping_ends_in_equal_digests_and_views(
        world in any_world(), first in any_delivery(), second in any_delivery(),
    ) {
        let mut one = Shelf::new(world.window);
        let mut other = Shelf::new(world.window);
        let mut empty = Shelf::new(world.window);
        one.deliver(&world, &first);
        other.deliver(&world, &second);
        one.check();
        other.check();
        // A third only ever hears of the rest by exchange. A freeze may bring back what one of them has on disk, so go round again.
        for _ in 0..4 {
            exchange(&mut one, &mut empty);
            exchange(&mut other, &mut empty);
            exchange(&mut one, &mut other);
        }
        assert_equal(&mut one, &mut empty);
        assert_equal(&mut other, &mut empty);
    }

    #[test]
    fn what_changed_since_both_agreed_and_then_the_leaves_end_in_equal_digests(
        world in any_world(), before in any_delivery(), first in any_delivery(), second in any_delivery(),
    ) {
        let mut one = Shelf::new(world.window);
        one.deliver(&world, &before);
        let mut other = one.clone();
        let since = (one.replica.changes(), other.replica.changes());
        one.deliver(&world, &first);
        other.deliver(&world, &second);
        one.ask_since(&other, since);
        other.ask_since(&one, (since.1, since.0));
        one.check();
        other.check();
        exchange(&mut one, &mut other);
    }

    #[test]
    fn where_one_side_only_went_on_what_changed_says_all_that_leaves_would(
        world in any_world(), before in any_delivery(), first in any_delivery(),
    ) {
        let mut behind = Shelf::new(world.window);
        behind.deliver(&world, &before);
        let mut ahead = behind.clone();
        let since = (behind.replica.changes(), ahead.replica.changes());
        ahead.deliver(&world, &first);
        let mut by_leaves = behind.clone();
        by_leaves.ask(&ahead);
        behind.ask_since(&ahead, since);
        assert_equal(&mut behind, &mut by_leaves);
    }

    #[test]
    fn saying_everything_again_in_another_order_changes_nothing(
        (world, again) in any_world().prop_flat_map(|world| {
            let order: Vec<usize> = (0..world.words.len()).collect();
            (Just(world), Just(order).prop_shuffle())
        }),
        first in any_delivery(), second in any_delivery(),
    ) {
        let mut one = Shelf::new(world.window);
        let mut other = Shelf::new(world.window);
        one.deliver(&world, &first);
        one.deliver(&world, &second);
        other.deliver(&world, &second);
        other.deliver(&world, &first);
        let again: Vec<&Word> = again.iter().map(|at| &world.words[*at]).collect();
        one.take_all(again.iter().copied());
        other.take_all(again.iter().rev().copied());
        exchange(&mut one, &mut other);
        one.settle(&again);
        let (root, view) = (one.root(), one.view.clone());
        one.take_all(again.into_iter().rev());
        one.check();
        prop_assert_eq!((one.root(), &one.view), (root, &view));
        exchange(&mut one, &mut other);
    }
}
