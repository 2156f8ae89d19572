//! Over which links whose words go, and how: each author's tree as far as this node sees it.
//!
//! One small record an author, with a bit for each link: a word meets one record, however many links there are.

use std::collections::BTreeMap;

use super::Node;
use super::spread::GRAFTS_MAX;
use super::table::{Place, Set};
use crate::id::{DocKind, EntryId, Names, NodeId, PerNode};
use crate::link::LinkId;

/// Authors whose words are pushed over a link before it showed whether the peer has them sooner from elsewhere.
const TRIED_MAX: u32 = 32;

/// How a fresh word goes over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Whole and at once.
    Push,
    /// By name, soon: nobody may have heard this author yet.
    Announce,
    /// By name, when there is more to say: the peer has this author's words sooner from elsewhere, or never asked for one.
    Mention,
}

/// Which links a fresh word goes over in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ways {
    pub(super) push: Set,
    pub(super) announce: Set,
    pub(super) mention: Set,
}

/// What goes by one tree: an author's entries and board, which everybody carries, or its detail. A detail goes only to those entitled
/// to it, and whoever has the board soonest from somebody else may have the detail from nobody.
pub(in crate::node) type Stem = (NodeId, DocKind);

/// One stem over all links. No link is both pushed and announced.
#[derive(Clone, Copy, Debug, Default)]
struct Tree {
    pushed: Set,
    announced: Set,
    /// A word came a second time from there.
    again: Set,
}

/// Everybody's trees, and what was announced here and has not come.
#[derive(Clone, Debug, Default)]
pub(super) struct Trees {
    stems: PerNode<[Tree; 2]>,
    /// Stems pushed to each peer without being asked, by the place of its link.
    tried: Vec<u32>,
    /// Links over which no more are.
    full: Set,
    /// Who announced what is still to come: once it does, they need not get it from here.
    heard: BTreeMap<EntryId, Set>,
}

impl Trees {
    /// How a fresh word goes over each of these links. The caller saw to it that the author is certified, or anybody could fill
    /// the table.
    ///
    /// The first few authors are tried: pushed until the peer says that it has them from elsewhere. Of a large alliance that would
    /// be each word of everybody over each link, so further authors are announced until the peer asks for a word of theirs: soon if
    /// this is the first that came here of an author, for then nobody may have it.
    pub(super) fn ways(&mut self, stem: Stem, links: Set, first: bool) -> Ways {
        let (author, kind) = stem;
        let tree = &mut self.stems.or_default(author)[kind as usize];
        let unknown = links - tree.announced - tree.pushed;
        let late = unknown & self.full;
        for place in (unknown - late).places() {
            if self.tried.len() <= place.index() {
                self.tried.resize(place.index() + 1, 0);
            }
            let Some(tried) = self.tried.get_mut(place.index()) else { continue };
            *tried += 1;
            self.full.set(place, *tried >= TRIED_MAX);
            tree.pushed.insert(place);
        }
        let known = links & tree.announced;
        let (announce, mention) = if first { (late, known) } else { (Set::default(), known | late) };
        Ways { push: links & tree.pushed, announce, mention }
    }

    /// Who is certified now.
    pub(super) fn rename(&mut self, names: &Names) {
        self.stems.rename(names);
    }

    /// A link is down.
    pub(super) fn close(&mut self, place: Place) {
        for tree in self.stems.values_mut().flatten() {
            for links in [&mut tree.pushed, &mut tree.announced, &mut tree.again] {
                links.remove(place);
            }
        }
        if let Some(tried) = self.tried.get_mut(place.index()) {
            *tried = 0;
        }
        self.full.remove(place);
        self.heard.retain(|_, links| {
            links.remove(place);
            !links.is_empty()
        });
    }

    fn of(&mut self, (author, kind): Stem) -> &mut Tree {
        &mut self.stems.or_default(author)[kind as usize]
    }

    /// The peer gets this author by a shorter way.
    pub(super) fn prune(&mut self, stem: Stem, place: Place) {
        let tree = self.of(stem);
        tree.pushed.remove(place);
        tree.announced.insert(place);
    }

    /// The peer asked for words of this author. Where it had said that it has them from elsewhere only a handful is a sign that it
    /// no longer has.
    pub(super) fn graft(&mut self, stem: Stem, place: Place, handful: bool) {
        let tree = self.of(stem);
        if handful {
            tree.announced.remove(place);
        }
        tree.pushed.set(place, !tree.announced.has(place));
    }

    /// A word came from there that was there already. True the second time: one may be a race; corrosion prunes after several too.
    pub(super) fn came_again(&mut self, stem: Stem, place: Place) -> bool {
        let tree = self.of(stem);
        let second = tree.again.has(place);
        tree.again.set(place, !second);
        second
    }

    /// Somebody announced what is not here.
    pub(super) fn note_heard(&mut self, id: EntryId, place: Place) {
        // Names cost nothing to make up: beyond the bound the peer is sent what it may have already.
        if self.heard.len() < GRAFTS_MAX || self.heard.contains_key(&id) {
            self.heard.entry(id).or_default().insert(place);
        }
    }

    /// It came: who announced it?
    pub(super) fn take_heard(&mut self, id: EntryId) -> Set {
        self.heard.remove(&id).unwrap_or_default()
    }
}

impl Node {
    /// The peer gets this author by a shorter way.
    pub(super) fn pruned(&mut self, link: LinkId, author: NodeId, kind: DocKind) {
        // Our own words go straight to every neighbour: one hop is the shortest way.
        if author != self.me
            && self.known.directory().nodes.contains_key(&author)
            && let Some(place) = self.links.place(link)
        {
            self.trees.prune((author, kind), place);
        }
    }

    /// The peer asked for words of these, of each for a handful or more: it gets them from here from now on.
    pub(super) fn regraft(&mut self, link: LinkId, stems: Vec<(Stem, bool)>) {
        let Some(state) = self.links.get_mut(&link) else { return };
        // Half-way: it may have been the first word of somebody, which says little of all the others.
        state.unasked /= 2;
        let place = state.place;
        self.links.scattered(place);
        let certified = |(stem, _): &(Stem, bool)| stem.0 != self.me && self.known.directory().nodes.contains_key(&stem.0);
        for (stem, handful) in stems.into_iter().filter(certified) {
            self.trees.graft(stem, place, handful);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Generation, Incarnation, LogId};

    fn author(serial: u16) -> Stem {
        (NodeId { issuer: 1, serial }, DocKind::Board)
    }

    /// The way over one link.
    fn way(trees: &mut Trees, stem: Stem, place: Place, first: bool) -> Way {
        let ways = trees.ways(stem, [place].into_iter().collect(), first);
        match [ways.push, ways.announce, ways.mention].map(|links| links.has(place)) {
            [true, false, false] => Way::Push,
            [false, true, false] => Way::Announce,
            [false, false, true] => Way::Mention,
            other => panic!("one way and no more: {other:?}"),
        }
    }

    #[test]
    fn a_few_authors_are_tried_and_those_beyond_are_named_until_the_peer_asks() {
        let (mut trees, place) = (Trees::default(), Place::of(3));
        for serial in 0..TRIED_MAX as u16 {
            assert_eq!(way(&mut trees, author(serial), place, true), Way::Push);
        }
        let late = author(1_000);
        assert_eq!(way(&mut trees, late, place, true), Way::Announce, "nobody may have heard this author");
        assert_eq!(way(&mut trees, late, place, false), Way::Mention);
        assert_eq!(way(&mut trees, late, Place::of(4), true), Way::Push, "each link by itself");
        trees.graft(late, place, true);
        assert_eq!(way(&mut trees, late, place, false), Way::Push);
        assert_eq!(way(&mut trees, author(0), place, false), Way::Push, "who is tried stays so until the peer says otherwise");
    }

    #[test]
    fn a_pruned_author_is_mentioned_until_a_handful_is_wanted() {
        let (mut trees, here, there) = (Trees::default(), Place::of(0), Place::of(127));
        let who = author(1);
        trees.prune(who, here);
        assert_eq!(way(&mut trees, who, here, false), Way::Mention);
        assert_eq!(way(&mut trees, who, there, false), Way::Push, "each link by itself");
        assert_eq!(way(&mut trees, (who.0, DocKind::Detail), here, false), Way::Push, "its detail goes a way of its own");
        trees.graft(who, here, false);
        assert_eq!(way(&mut trees, who, here, false), Way::Mention, "a large difference says nothing about the tree");
        trees.graft(who, here, true);
        assert_eq!(way(&mut trees, who, here, false), Way::Push);
    }

    #[test]
    fn the_second_duplicate_prunes_and_counting_starts_again() {
        let (mut trees, here, there) = (Trees::default(), Place::of(0), Place::of(1));
        let said: Vec<bool> = (0..4).map(|_| trees.came_again(author(1), here)).collect();
        assert_eq!(said, [false, true, false, true]);
        assert!(!trees.came_again(author(1), there), "each link by itself");
    }

    #[test]
    fn a_new_link_inherits_nothing_of_the_one_that_had_its_place() {
        let (mut trees, gone) = (Trees::default(), Place::of(5));
        let (generation, incarnation) = (Generation { count: 0, giver: 0 }, Incarnation { count: 1, random: 0 });
        let log = LogId { author: author(1).0, generation, incarnation };
        let (who, id) = (author(1), EntryId { log, number: 1 });
        for serial in 0..TRIED_MAX as u16 {
            way(&mut trees, author(serial), gone, true);
        }
        trees.prune(who, gone);
        trees.came_again(who, gone);
        trees.note_heard(id, gone);
        trees.note_heard(id, Place::of(6));
        trees.close(gone);
        assert_eq!(way(&mut trees, who, gone, false), Way::Push);
        assert!(!trees.came_again(who, gone));
        assert_eq!(trees.take_heard(id), [Place::of(6)].into_iter().collect());
        assert!(trees.take_heard(id).is_empty());
    }
}
