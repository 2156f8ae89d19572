//! What is to happen, ordered by (time, seeded tie, sequence). Happenings lie still in their places; only short keys move.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::dice::Dice;
use crate::scenario::Micros;

/// A heap of happenings.
#[derive(Clone, Debug)]
pub(super) struct Queue<T> {
    keys: BinaryHeap<Reverse<(Micros, u32, u64, usize)>>,
    places: Vec<Option<T>>,
    free: Vec<usize>,
    sequence: u64,
    tie: Dice,
}

impl<T> Queue<T> {
    pub(super) fn new(tie: Dice) -> Self {
        Self { keys: BinaryHeap::new(), places: Vec::new(), free: Vec::new(), sequence: 0, tie }
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
        self.keys.push(Reverse((at, tie, self.sequence, place)));
    }

    /// The next happening that is not after `end`, and its time.
    pub(super) fn pop(&mut self, end: Micros) -> Option<(Micros, T)> {
        self.keys.peek().filter(|Reverse((at, ..))| *at <= end)?;
        let Reverse((at, _, _, place)) = self.keys.pop()?;
        self.free.push(place);
        self.places[place].take().map(|happening| (at, happening))
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<Micros> {
        self.keys.peek().map(|Reverse((at, ..))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

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
