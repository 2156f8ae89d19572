//! What is held of one logbook, by number. Most authors say a few words a day, and a node keeps a logbook of each of thousands: a few
//! slots lie in a row that takes no more room than they do; many become a tree, into which late ones go as quickly as early ones.

use std::collections::BTreeMap;
use std::ops::RangeFrom;

use super::log::Slot;

/// A row of so many becomes a tree.
const FEW: usize = 32;

/// Slots by number, ascending.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// In a row.
    Few(Vec<(u32, Slot)>),
    /// In a tree, for good: what was many once will be again.
    Many(BTreeMap<u32, Slot>),
}

impl Default for Slots {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(row) => row.len(),
            Self::Many(tree) => tree.len(),
        }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.get(number).is_some()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Slot> {
        match self {
            Self::Few(row) => place(row, number).ok().and_then(|at| row.get(at)).map(|(_, slot)| slot),
            Self::Many(tree) => tree.get(&number),
        }
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Slot> {
        match self {
            Self::Few(row) => place(row, number).ok().and_then(|at| row.get_mut(at)).map(|(_, slot)| slot),
            Self::Many(tree) => tree.get_mut(&number),
        }
    }

    pub(super) fn insert(&mut self, number: u32, slot: Slot) {
        match self {
            Self::Few(row) => match place(row, number) {
                Ok(at) => row.splice(at..=at, [(number, slot)]).for_each(drop),
                Err(at) if row.len() < FEW => {
                    // One by one: what is said of a day must not take the room of a week.
                    row.reserve_exact(1);
                    row.insert(at, (number, slot));
                }
                Err(_) => {
                    let mut tree: BTreeMap<u32, Slot> = std::mem::take(row).into_iter().collect();
                    tree.insert(number, slot);
                    *self = Self::Many(tree);
                }
            },
            Self::Many(tree) => {
                tree.insert(number, slot);
            }
        }
    }

    pub(super) fn remove(&mut self, number: u32) {
        match self {
            Self::Few(row) => {
                if let Ok(at) = place(row, number) {
                    row.remove(at);
                }
            }
            Self::Many(tree) => {
                tree.remove(&number);
            }
        }
    }

    /// Takes out this number and all above it; which they were.
    pub(super) fn cut(&mut self, number: u32) -> Vec<u32> {
        match self {
            Self::Few(row) => {
                let at = place(row, number).unwrap_or_else(|at| at);
                row.drain(at..).map(|(number, _)| number).collect()
            }
            Self::Many(tree) => tree.split_off(&number).into_keys().collect(),
        }
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &Slot)> {
        self.from(0..)
    }

    /// From a number on, ascending.
    pub(super) fn from(&self, numbers: RangeFrom<u32>) -> impl DoubleEndedIterator<Item = (u32, &Slot)> {
        let (row, tree) = match self {
            Self::Few(row) => {
                let at = place(row, numbers.start).unwrap_or_else(|at| at);
                (row.get(at..), None)
            }
            Self::Many(tree) => (None, Some(tree.range(numbers))),
        };
        let row = row.unwrap_or_default().iter().map(|(number, slot)| (*number, slot));
        row.chain(tree.into_iter().flatten().map(|(number, slot)| (*number, slot)))
    }
}

fn place(row: &[(u32, Slot)], number: u32) -> Result<usize, usize> {
    // Mostly the next one of its author.
    if row.last().is_none_or(|(last, _)| *last < number) {
        return Err(row.len());
    }
    row.binary_search_by_key(&number, |(held, _)| *held)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::Class;
    use crate::replica::AgeMark;
    use crate::time::UtcMillis;

    fn slot(story: u8) -> Slot {
        Slot {
            hash: [story; 16],
            prev: [0; 16],
            class: Class::ROUTINE,
            stub: false,
            urgent: 0,
            wall: UtcMillis(1),
            age: AgeMark::default(),
            checked: true,
        }
    }

    proptest! {
        #[test]
        fn a_row_and_a_tree_hold_the_same(steps in proptest::collection::vec((0..4_u8, 1..80_u32, any::<u8>()), 0..120)) {
            let (mut slots, mut plain) = (Slots::default(), BTreeMap::new());
            for (step, number, story) in steps {
                match step {
                    0 | 1 => {
                        slots.insert(number, slot(story));
                        plain.insert(number, slot(story));
                    }
                    2 => {
                        slots.remove(number);
                        plain.remove(&number);
                    }
                    _ => prop_assert_eq!(slots.cut(number), plain.split_off(&number).into_keys().collect::<Vec<_>>()),
                }
                prop_assert_eq!(slots.len(), plain.len());
                prop_assert_eq!(slots.get(number), plain.get(&number));
                prop_assert_eq!(slots.get_mut(number).is_some(), slots.has(number));
                prop_assert!(slots.from(number..).eq(plain.range(number..).map(|(number, slot)| (*number, slot))));
                prop_assert!(slots.iter().rev().eq(plain.iter().rev().map(|(number, slot)| (*number, slot))));
            }
        }
    }
}
