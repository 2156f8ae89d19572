//! What is still to be announced, and over which links: one record a word, however many links are to hear of it.

use std::collections::BTreeMap;

use super::spread::GRAFTS_MAX;
use super::table::{Place, Set};
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::message::DocName;
use crate::replica::DocOrder;

/// How often an entry is still to be announced where: zero to three times a link, as two binary digits.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    ones: Set,
    twos: Set,
}

impl Times {
    fn put(&mut self, links: Set, times: u8) {
        *self = Self { ones: self.ones - links, twos: self.twos - links };
        self.ones = if times & 1 != 0 { self.ones | links } else { self.ones };
        self.twos = if times & 2 != 0 { self.twos | links } else { self.twos };
    }

    fn is_over(self) -> bool {
        (self.ones | self.twos).is_empty()
    }

    fn less(&mut self, place: Place) {
        let one = self.ones.has(place);
        self.ones.set(place, !one && self.twos.has(place));
        if !one {
            self.twos.remove(place);
        }
    }
}

/// All announcements that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Notices {
    entries: BTreeMap<EntryId, Times>,
    docs: BTreeMap<(NodeId, DocKind), (DocOrder, Set)>,
}

/// What goes out over one link now.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) entries: BTreeMap<LogId, Vec<u32>>,
    pub(super) docs: Vec<DocName>,
    /// Some of it is to be said again.
    pub(super) again: bool,
}

impl Notices {
    /// An entry is to be announced so many times, 3 at most.
    pub(super) fn entry(&mut self, id: EntryId, links: Set, times: u8) {
        // Beyond the bound the digest tells of it.
        if !links.is_empty() && (self.entries.len() < GRAFTS_MAX || self.entries.contains_key(&id)) {
            self.entries.entry(id).or_default().put(links, times);
        }
    }

    /// A document is to be announced to `links`; `pushed` are those that get it whole.
    pub(super) fn doc(&mut self, author: NodeId, kind: DocKind, order: DocOrder, links: Set, pushed: Set) {
        if links.is_empty() && !self.docs.contains_key(&(author, kind)) {
            return;
        }
        let (known, whom) = self.docs.entry((author, kind)).or_default();
        (*known, *whom) = (order.max(*known), (*whom - pushed) | links);
        if whom.is_empty() {
            self.docs.remove(&(author, kind));
        }
    }

    /// The peer has this entry, or had it announced: it need not hear of it from here.
    pub(super) fn heard(&mut self, place: Place, id: EntryId) {
        if let Some(times) = self.entries.get_mut(&id) {
            times.put([place].into_iter().collect(), 0);
            if times.is_over() {
                self.entries.remove(&id);
            }
        }
    }

    /// The same for a document.
    pub(super) fn heard_doc(&mut self, place: Place, author: NodeId, kind: DocKind, order: DocOrder) {
        if let Some((mine, whom)) = self.docs.get_mut(&(author, kind))
            && *mine <= order
        {
            whom.remove(place);
            if whom.is_empty() {
                self.docs.remove(&(author, kind));
            }
        }
    }

    /// All that one link is to hear.
    pub(super) fn take(&mut self, place: Place) -> Taken {
        let mut taken = Taken::default();
        self.entries.retain(|id, times| {
            if (times.ones | times.twos).has(place) {
                taken.entries.entry(id.log).or_default().push(id.number);
                times.less(place);
                taken.again |= (times.ones | times.twos).has(place);
            }
            !times.is_over()
        });
        self.docs.retain(|(author, kind), (order, whom)| {
            if whom.has(place) {
                taken.docs.push(DocName { author: *author, kind: *kind, order: *order });
                whom.remove(place);
            }
            !whom.is_empty()
        });
        taken
    }

    /// A link is down.
    pub(super) fn close(&mut self, place: Place) {
        let gone: Set = [place].into_iter().collect();
        self.entries.retain(|_, times| {
            times.put(gone, 0);
            !times.is_over()
        });
        self.docs.retain(|_, (_, whom)| {
            whom.remove(place);
            !whom.is_empty()
        });
    }

    /// Entries that wait to be announced over one link.
    #[cfg(test)]
    pub(super) fn waiting(&self, place: Place) -> Vec<EntryId> {
        self.entries.iter().filter(|(_, times)| (times.ones | times.twos).has(place)).map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Generation, Incarnation};

    fn entry(number: u32) -> EntryId {
        let author = NodeId { issuer: 1, serial: 1 };
        let log = LogId { author, generation: Generation::default(), incarnation: Incarnation { count: 1, random: 0 } };
        EntryId { log, number }
    }

    fn set(places: &[u8]) -> Set {
        places.iter().map(|place| Place::of(*place)).collect()
    }

    #[test]
    fn an_entry_is_announced_as_often_as_was_asked_and_no_more_to_who_heard_of_it() {
        let mut notices = Notices::default();
        notices.entry(entry(1), set(&[0, 5]), 3);
        notices.entry(entry(1), set(&[7]), 1);
        let mut times = [0; 8];
        for _ in 0..5 {
            for place in [0, 5, 7] {
                let taken = notices.take(Place::of(place));
                times[usize::from(place)] += taken.entries.len();
                assert_eq!(taken.again, taken.entries.len() == 1 && place != 7 && times[usize::from(place)] < 3);
            }
            notices.heard(Place::of(5), entry(1));
        }
        assert_eq!(times, [3, 0, 0, 0, 0, 1, 0, 1]);
        assert!(notices.entries.is_empty());
    }

    #[test]
    fn only_the_newest_version_is_announced_and_not_to_who_gets_it_whole() {
        let mut notices = Notices::default();
        let author = NodeId { issuer: 1, serial: 1 };
        let order = |version| DocOrder { version, ..DocOrder::default() };
        notices.doc(author, DocKind::Board, order(1), set(&[0, 1, 2]), Set::default());
        notices.doc(author, DocKind::Board, order(2), set(&[0]), set(&[1]));
        notices.heard_doc(Place::of(2), author, DocKind::Board, order(1));
        assert!(notices.take(Place::of(1)).docs.is_empty());
        for place in [0, 2] {
            assert_eq!(notices.take(Place::of(place)).docs, [DocName { author, kind: DocKind::Board, order: order(2) }]);
        }
        notices.doc(author, DocKind::Board, order(2), Set::default(), set(&[0]));
        assert!(notices.docs.is_empty());
    }

    #[test]
    fn a_new_link_inherits_nothing_of_the_one_that_had_its_place() {
        let mut notices = Notices::default();
        notices.entry(entry(1), set(&[3, 4]), 2);
        notices.doc(NodeId { issuer: 1, serial: 1 }, DocKind::Board, DocOrder::default(), set(&[3]), Set::default());
        notices.close(Place::of(3));
        let taken = notices.take(Place::of(3));
        assert!(taken.entries.is_empty() && taken.docs.is_empty());
        assert_eq!(notices.waiting(Place::of(4)), [entry(1)]);
    }
}
