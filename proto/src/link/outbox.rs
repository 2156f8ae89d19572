//! What waits to go out on one link, by precedence. Bounded; picks the best at the moment the link can send.

use std::collections::VecDeque;

use crate::config::{OUTBOX_BYTES_MAX, OUTBOX_MAX};
use crate::id::Class;

/// Lanes: one for control, one per class.
const LANES: usize = 6;

/// What waits on one link. Control goes first and in order, then class 0 to 4, oldest first within a class.
#[derive(Clone, Debug)]
pub struct Outbox<T> {
    lanes: [VecDeque<(u32, T)>; LANES],
    bytes: [usize; LANES],
    len: usize,
    dropped: u64,
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self { lanes: std::array::from_fn(|_| VecDeque::new()), bytes: [0; LANES], len: 0, dropped: 0 }
    }
}

impl<T> Outbox<T> {
    /// Queues control: greetings, digests, wants. Small, in order, before everything else.
    pub fn push_control(&mut self, bytes: u32, item: T) {
        self.push_lane(0, bytes, item);
    }

    /// Queues by class. When full, the oldest of the lowest class makes room, or the new one where only higher ones wait:
    /// anti-entropy brings it later.
    pub fn push(&mut self, class: Class, bytes: u32, item: T) {
        self.push_lane(usize::from(class.get()) + 1, bytes, item);
    }

    /// The next item if it is at most `room` bytes; a smaller one never overtakes it.
    pub fn pop(&mut self, room: u32) -> Option<T> {
        let lane = self.lanes.iter().position(|lane| !lane.is_empty())?;
        if self.lanes.get(lane)?.front().is_some_and(|(bytes, _)| *bytes > room) {
            return None;
        }
        self.take(lane)
    }

    /// The same of classes 0 and 1 alone.
    pub fn pop_urgent(&mut self, room: u32) -> Option<T> {
        let lane = (1..=2).find(|lane| self.lanes.get(*lane).is_some_and(|lane| !lane.is_empty()))?;
        if self.lanes.get(lane)?.front().is_some_and(|(bytes, _)| *bytes > room) {
            return None;
        }
        self.take(lane)
    }

    /// The next item, unsent.
    #[must_use]
    pub fn peek(&self) -> Option<&T> {
        self.lanes.iter().find_map(|lane| lane.front().map(|(_, item)| item))
    }

    /// Items waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Items dropped since the link came up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn push_lane(&mut self, lane: usize, bytes: u32, item: T) {
        while self.len >= OUTBOX_MAX || (self.len > 0 && self.waiting_bytes() + bytes as usize > OUTBOX_BYTES_MAX) {
            let lowest = self.lanes.iter().rposition(|lane| !lane.is_empty()).unwrap_or(0);
            self.dropped += 1;
            if lowest < lane || lowest == 0 {
                // Only what matters more waits: the new one gives way. A greeting must not make room for a later question.
                return;
            }
            drop(self.take(lowest));
        }
        if let (Some(queue), Some(sum)) = (self.lanes.get_mut(lane), self.bytes.get_mut(lane)) {
            queue.push_back((bytes, item));
            *sum += bytes as usize;
            self.len += 1;
        }
    }

    /// Bytes of control waiting.
    #[must_use]
    pub fn control_bytes(&self) -> usize {
        self.bytes[0]
    }

    /// Bytes waiting.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    fn take(&mut self, lane: usize) -> Option<T> {
        let queue = self.lanes.get_mut(lane)?;
        let (bytes, item) = queue.pop_front()?;
        if queue.is_empty() {
            // Most of the time nothing waits, on any of many links: then nothing takes room.
            *queue = VecDeque::new();
        }
        if let Some(sum) = self.bytes.get_mut(lane) {
            *sum = sum.saturating_sub(bytes as usize);
        }
        self.len -= 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_call_for_help_overtakes_old_routine() {
        let mut outbox = Outbox::default();
        outbox.push(Class::BULK, 10, "position");
        outbox.push(Class::FLASH, 10, "help");
        outbox.push_control(10, "hello");
        assert_eq!(
            (outbox.pop(10), outbox.pop(9), outbox.pop(10), outbox.pop(10)),
            (Some("hello"), None, Some("help"), Some("position"))
        );
    }

    #[test]
    fn where_only_the_urgent_may_go_nothing_else_does() {
        let mut outbox = Outbox::default();
        outbox.push_control(10, "beacon");
        outbox.push(Class::ROUTINE, 10, "board");
        assert_eq!(outbox.pop_urgent(10), None);
        outbox.push(Class::URGENT, 10, "request");
        outbox.push(Class::FLASH, 10, "help");
        assert_eq!((outbox.pop_urgent(9), outbox.pop_urgent(10), outbox.pop_urgent(10)), (None, Some("help"), Some("request")));
        assert_eq!((outbox.pop_urgent(10), outbox.len()), (None, 2));
    }

    #[test]
    fn when_full_the_oldest_of_the_lowest_class_makes_room() {
        let mut outbox = Outbox::default();
        for n in 0..OUTBOX_MAX {
            outbox.push(Class::BULK, 1, n);
        }
        outbox.push(Class::FLASH, 1, usize::MAX);
        assert_eq!((outbox.len(), outbox.dropped(), outbox.pop(1), outbox.pop(1)), (OUTBOX_MAX, 1, Some(usize::MAX), Some(1)));
    }
}
