//! What is to happen, ordered by (time, seeded tie, sequence). Happenings lie still in their places; only short keys move.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::dice::Dice;
use crate::scenario::Micros;

/// What is due so soon after the last that came goes into a heap of its own: frames on their way are few at a time, and need not
/// climb past thousands of alarms that wait for minutes.
const SOON: Micros = 20_000;

/// Time, tie, sequence, place.
type Key = Reverse<(Micros, u32, u64, usize)>;

/// Two heaps of happenings, in one order.
#[derive(Clone, Debug)]
pub(super) struct Queue<T> {
    soon: BinaryHeap<Key>,
    later: BinaryHeap<Key>,
    /// When the last that came was due.
    now: Micros,
    places: Vec<Option<T>>,
    free: Vec<usize>,
    sequence: u64,
    tie: Dice,
}

impl<T> Queue<T> {
    pub(super) fn new(tie: Dice) -> Self {
        Self { soon: BinaryHeap::new(), later: BinaryHeap::new(), now: 0, places: Vec::new(), free: Vec::new(), sequence: 0, tie }
    }

    pub(super) fn push(&mut self, at: Micros, happening: T) {
        let tie = u32::try_from(self.tie.word() >> 32).unwrap_or(0);
        self.put(at, tie.max(1), happening);
    }

    /// Before all others of its time, and without a draw: it makes no difference to them when it was pushed.
    pub(super) fn push_first(&mut self, at: Micros, happening: T) {
        self.put(at, 0, happening);
    }

    fn put(&mut self, at: Micros, tie: u32, happening: T) {
        self.sequence += 1;
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place] = Some(happening);
                place
            }
            None => {
                self.places.push(Some(happening));
                self.places.len() - 1
            }
        };
        let heap = if at < self.now + SOON { &mut self.soon } else { &mut self.later };
        heap.push(Reverse((at, tie, self.sequence, place)));
    }

    /// The next happening that is not after `end`, and its time.
    pub(super) fn pop(&mut self, end: Micros) -> Option<(Micros, T)> {
        // Reversed: the greater comes first, and an empty heap last.
        let (soon, later) = (self.soon.peek(), self.later.peek());
        let heap = if soon > later { &mut self.soon } else { &mut self.later };
        heap.peek().filter(|Reverse((at, ..))| *at <= end)?;
        let Reverse((at, _, _, place)) = heap.pop()?;
        self.now = at;
        self.free.push(place);
        self.places[place].take().map(|happening| (at, happening))
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<Micros> {
        self.soon.peek().max(self.later.peek()).map(|Reverse((at, ..))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    #[test]
    fn two_heaps_give_one_order() {
        let (mut queue, mut dice) = (Queue::new(Dice::new(1, Purpose::Tie, 0)), Dice::new(2, Purpose::Tie, 0));
        let (mut last, mut out) = (0, 0);
        for number in 0..5_000_u64 {
            queue.push(last + dice.below(4 * SOON), number);
            if dice.chance(900) {
                assert_eq!(queue.next_at(), queue.clone().pop(u64::MAX).map(|(at, _)| at));
                let (at, _) = queue.pop(u64::MAX).expect("there is one");
                assert!(at >= last);
                (last, out) = (at, out + 1);
            }
        }
        assert_eq!(
            std::iter::from_fn(|| queue.pop(u64::MAX))
                .inspect(|(at, _)| assert!(std::mem::replace(&mut last, *at) <= *at))
                .count(),
            5_000 - out
        );
    }

    #[test]
    fn times_come_in_order_whatever_was_pushed_between_and_places_are_used_again() {
        let mut queue = Queue::new(Dice::new(1, Purpose::Tie, 0));
        for at in [30, 10, 20] {
            queue.push(at, at);
        }
        assert_eq!((queue.pop(5), queue.pop(10)), (None, Some((10, 10))));
        queue.push(15, 15);
        assert_eq!(queue.next_at(), Some(15));
        let rest: Vec<u64> = std::iter::from_fn(|| queue.pop(u64::MAX)).map(|(_, value)| value).collect();
        assert_eq!(rest, [15, 20, 30]);
        assert_eq!(queue.places.len(), 3);
    }
}
