//! Over which links whose words go, and how: each author's tree as far as this node sees it.
//!
//! One small record an author, with a bit for each link: a word meets one record, however many links there are.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::spread::GRAFTS_MAX;
use crate::config::LINKS_MAX;
use crate::id::{EntryId, NodeId};
use crate::link::LinkId;

/// Authors whose words are pushed over a link before it showed whether the peer has them sooner from elsewhere.
const TRIED_MAX: u32 = 32;

/// The bit of a link; free again once the link is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bit(u128);

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

/// One author over all links. No link is both pushed and announced.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tree {
    pushed: u128,
    announced: u128,
    /// A word came a second time from there.
    again: u128,
}

impl Tree {
    /// How a fresh word goes over one link. `tried` counts the authors pushed there without being asked.
    ///
    /// The first few authors are tried: pushed until the peer says that it has them from elsewhere. Of a large alliance that would
    /// be each word of everybody over each link, so further authors are announced until the peer asks for a word of theirs: soon if
    /// this is the first that came here of an author, for then nobody may have it.
    pub(super) fn way(&mut self, bit: Bit, tried: &mut u32, first: bool) -> Way {
        if self.announced & bit.0 != 0 {
            return Way::Mention;
        }
        if self.pushed & bit.0 == 0 {
            if *tried >= TRIED_MAX {
                return if first { Way::Announce } else { Way::Mention };
            }
            *tried += 1;
            self.pushed |= bit.0;
        }
        Way::Push
    }
}

/// Everybody's trees, and what was announced here and has not come.
#[derive(Clone, Debug, Default)]
pub(super) struct Trees {
    authors: BTreeMap<NodeId, Tree>,
    /// Bits in use.
    taken: u128,
    /// Who announced what is still to come: once it does, they need not get it from here.
    heard: BTreeMap<EntryId, Vec<LinkId>>,
}

impl Trees {
    /// A bit for a link that came up. There are as many as links.
    pub(super) fn open(&mut self) -> Bit {
        const { assert!(LINKS_MAX <= 128, "a bit for each link") };
        let free = !self.taken;
        let bit = free & free.wrapping_neg();
        self.taken |= bit;
        Bit(bit)
    }

    /// A link is down.
    pub(super) fn close(&mut self, link: LinkId, bit: Bit) {
        self.taken &= !bit.0;
        for tree in self.authors.values_mut() {
            for links in [&mut tree.pushed, &mut tree.announced, &mut tree.again] {
                *links &= !bit.0;
            }
        }
        self.heard.retain(|_, links| {
            links.retain(|known| *known != link);
            !links.is_empty()
        });
    }

    /// An author's tree. The caller saw to it that the author is certified, or anybody could fill the table.
    pub(super) fn of(&mut self, author: NodeId) -> &mut Tree {
        self.authors.entry(author).or_default()
    }

    /// The peer gets this author by a shorter way.
    pub(super) fn prune(&mut self, author: NodeId, bit: Bit) {
        let tree = self.of(author);
        tree.pushed &= !bit.0;
        tree.announced |= bit.0;
    }

    /// The peer asked for words of this author. Where it had said that it has them from elsewhere only a handful is a sign that it
    /// no longer has.
    pub(super) fn graft(&mut self, author: NodeId, bit: Bit, handful: bool) {
        let tree = self.of(author);
        if handful {
            tree.announced &= !bit.0;
        }
        tree.pushed |= bit.0 & !tree.announced;
    }

    /// A word came from there that was there already. True the second time: one may be a race; corrosion prunes after several too.
    pub(super) fn came_again(&mut self, author: NodeId, bit: Bit) -> bool {
        let tree = self.of(author);
        tree.again ^= bit.0;
        tree.again & bit.0 == 0
    }

    /// Somebody announced what is not here.
    pub(super) fn note_heard(&mut self, id: EntryId, link: LinkId) {
        // Names cost nothing to make up: beyond the bound the peer is sent what it may have already.
        if self.heard.len() >= GRAFTS_MAX && !self.heard.contains_key(&id) {
            return;
        }
        let links = self.heard.entry(id).or_default();
        if !links.contains(&link) {
            links.push(link);
        }
    }

    /// It came: who announced it?
    pub(super) fn take_heard(&mut self, id: EntryId) -> Vec<LinkId> {
        self.heard.remove(&id).unwrap_or_default()
    }
}

impl Node {
    /// The peer gets this author by a shorter way.
    pub(super) fn pruned(&mut self, link: LinkId, author: NodeId) {
        // Our own words go straight to every neighbour: one hop is the shortest way.
        if author != self.me
            && self.known.directory().nodes.contains_key(&author)
            && let Some(state) = self.links.get(&link)
        {
            self.trees.prune(author, state.bit);
        }
    }

    /// The peer asked for words of these authors: it gets them from here from now on.
    pub(super) fn regraft(&mut self, link: LinkId, authors: BTreeSet<NodeId>, handful: bool) {
        let Some(state) = self.links.get_mut(&link) else { return };
        state.unasked = 0;
        let certified = |author: &NodeId| *author != self.me && self.known.directory().nodes.contains_key(author);
        for author in authors.into_iter().filter(certified) {
            self.trees.graft(author, state.bit, handful);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Generation, Incarnation, LogId};

    fn author(serial: u16) -> NodeId {
        NodeId { issuer: 1, serial }
    }

    #[test]
    fn a_few_authors_are_tried_and_those_beyond_are_named_until_the_peer_asks() {
        let mut trees = Trees::default();
        let (bit, mut tried) = (trees.open(), 0);
        for serial in 0..TRIED_MAX as u16 {
            assert_eq!(trees.of(author(serial)).way(bit, &mut tried, true), Way::Push);
        }
        let late = author(1_000);
        assert_eq!(trees.of(late).way(bit, &mut tried, true), Way::Announce, "nobody may have heard this author");
        assert_eq!(trees.of(late).way(bit, &mut tried, false), Way::Mention);
        trees.graft(late, bit, true);
        assert_eq!(trees.of(late).way(bit, &mut tried, false), Way::Push);
        assert_eq!(
            trees.of(author(0)).way(bit, &mut tried, false),
            Way::Push,
            "who is tried stays so until the peer says otherwise"
        );
    }

    #[test]
    fn a_pruned_author_is_mentioned_until_a_handful_is_wanted() {
        let mut trees = Trees::default();
        let (here, there, mut tried) = (trees.open(), trees.open(), 0);
        let who = author(1);
        trees.prune(who, here);
        assert_eq!(trees.of(who).way(here, &mut tried, false), Way::Mention);
        assert_eq!(trees.of(who).way(there, &mut tried, false), Way::Push, "each link by itself");
        trees.graft(who, here, false);
        assert_eq!(trees.of(who).way(here, &mut tried, false), Way::Mention, "a large difference says nothing about the tree");
        trees.graft(who, here, true);
        assert_eq!(trees.of(who).way(here, &mut tried, false), Way::Push);
    }

    #[test]
    fn the_second_duplicate_prunes_and_counting_starts_again() {
        let mut trees = Trees::default();
        let (here, there) = (trees.open(), trees.open());
        let said: Vec<bool> = (0..4).map(|_| trees.came_again(author(1), here)).collect();
        assert_eq!(said, [false, true, false, true]);
        assert!(!trees.came_again(author(1), there), "each link by itself");
    }

    #[test]
    fn a_new_link_inherits_nothing_of_the_one_that_had_its_bit() {
        let mut trees = Trees::default();
        let all: Vec<Bit> = (0..LINKS_MAX).map(|_| trees.open()).collect();
        assert!(all.iter().enumerate().all(|(n, bit)| bit.0 != 0 && !all[..n].contains(bit)));
        let (generation, incarnation) = (Generation { count: 0, giver: 0 }, Incarnation { count: 1, random: 0 });
        let log = LogId { author: author(1), generation, incarnation };
        let (who, id) = (author(1), EntryId { log, number: 1 });
        trees.prune(who, all[5]);
        trees.came_again(who, all[5]);
        trees.note_heard(id, LinkId(5));
        trees.note_heard(id, LinkId(6));
        trees.close(LinkId(5), all[5]);
        let new = trees.open();
        assert_eq!(new, all[5]);
        assert_eq!(trees.of(who).way(new, &mut 0, false), Way::Push);
        assert!(!trees.came_again(who, new));
        assert_eq!(trees.take_heard(id), [LinkId(6)]);
        assert!(trees.take_heard(id).is_empty());
    }
}
