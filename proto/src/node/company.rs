//! In what company a node is: of how many firms its neighbours are, whom it looks for where one firm surrounds it, and who gives way
//! where there is no place for all. A firm that dials everybody fills no more than its share, and keeps nobody from hearing the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Node;
use super::kin::TRIED;
use crate::config::MEMBERS_MAX;
use crate::domain::DirectoryEntry;
use crate::id::{DocKind, NodeId};
use crate::link::LinkId;
use crate::time::Instant;

/// Other firms that a node wants neighbours of, whatever the degree, so that no single one is all it hears. trust.md T16.
const FIRMS_WANTED: usize = 2;
/// Where one other firm surrounds a node, somebody else is looked for so often, at random. trust.md T16 has 30 s.
const SEEK_EVERY: Duration = Duration::from_secs(10);
/// Of fewer links than this none is said to surround anybody.
const SURROUNDED_MIN: usize = 4;

/// Whom a node looks for beyond its kin.
#[derive(Clone, Debug, Default)]
pub(super) struct Company {
    /// Some nodes of each other firm. Nodes of one firm begin at unlike firms, and at unlike nodes of them.
    firms: Vec<(String, Vec<NodeId>)>,
    /// Somebody looked for at random.
    sought: Option<NodeId>,
    /// When the next one is; `None` while nobody surrounds this node.
    seek_at: Option<Instant>,
}

impl Company {
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.seek_at
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.seek_at.is_some_and(|at| at <= now)
    }
}

impl Node {
    /// The roster changed.
    pub(super) fn find_company(&mut self) {
        let nodes = &self.known.directory().nodes;
        let own = nodes.get(&self.me).map(|entry| entry.firm.as_str());
        let mut firms: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        // Guests are no firm: whoever gets one in gets no place in anybody's company by it.
        let counts = |node: &NodeId, entry: &DirectoryEntry| *node != self.me && !entry.revoked && !node.is_guest();
        for (node, entry) in nodes.iter().filter(|(node, entry)| counts(node, entry)) {
            if own.is_some_and(|own| entry.firm != own) {
                firms.entry(&entry.firm).or_default().push(*node);
            }
        }
        let turn = usize::from(self.me.serial);
        let some = |(firm, mut nodes): (&str, Vec<NodeId>)| {
            let first = turn % nodes.len().max(1);
            nodes.rotate_left(first);
            nodes.truncate(TRIED);
            (firm.to_owned(), nodes)
        };
        let mut firms: Vec<_> = firms.into_iter().map(some).collect();
        let first = turn % firms.len().max(1);
        firms.rotate_left(first);
        self.company.firms = firms;
    }

    /// Who is to be dialled now so that no firm is all that is heard. Their addresses are noted.
    pub(super) fn company_wanted(&mut self, linked: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut wanted = BTreeSet::new();
        let firms = std::mem::take(&mut self.company.firms);
        let near: BTreeSet<&str> = linked.iter().filter(|node| !node.is_guest()).filter_map(|node| self.firm_of(*node)).collect();
        let (have, lack): (Vec<_>, Vec<_>) = firms.iter().partition(|(firm, _)| near.contains(firm.as_str()));
        // In the first minute the boards that say where they are may still be on their way.
        let mut missing = if self.kin.waits() { 0 } else { FIRMS_WANTED.saturating_sub(have.len()) };
        for (_, nodes) in lack {
            for node in nodes.iter().filter(|_| missing > 0) {
                if self.cut.contains(node) {
                    continue;
                }
                self.note_addresses(*node);
                wanted.insert(*node);
                if self.peers.may_answer(*node) {
                    missing -= 1;
                    break;
                }
            }
        }
        self.company.firms = firms;
        self.seek(linked);
        wanted.extend(self.company.sought);
        wanted
    }

    fn firm_of(&self, node: NodeId) -> Option<&str> {
        self.known.directory().nodes.get(&node).map(|entry| entry.firm.as_str())
    }

    /// The firm, not this node's own, that holds more than half of its links while of all others there are less than half the degree.
    fn surrounding(&self, linked: &BTreeSet<NodeId>) -> Option<String> {
        let own = self.firm_of(self.me);
        let linked: Vec<NodeId> = linked.iter().copied().filter(|node| !node.is_guest()).collect();
        let mut firms: BTreeMap<&str, usize> = BTreeMap::new();
        for firm in linked.iter().filter_map(|node| self.firm_of(*node)).filter(|firm| Some(*firm) != own) {
            *firms.entry(firm).or_default() += 1;
        }
        let (firm, most) = firms.into_iter().max_by_key(|(_, links)| *links)?;
        let others = linked.len().saturating_sub(most);
        (linked.len() >= SURROUNDED_MIN && most > others && others < self.config.degree / 2).then(|| firm.to_owned())
    }

    /// Somebody at random who is not of the firm that surrounds this node, of all whose board says where they are: whoever fills the
    /// address book with itself fills none of that.
    fn seek(&mut self, linked: &BTreeSet<NodeId>) {
        let Some(firm) = self.surrounding(linked) else {
            (self.company.sought, self.company.seek_at) = (None, None);
            return;
        };
        if self.company.seek_at.is_some_and(|at| at > self.now.mono) {
            return;
        }
        let nodes = self.known.directory().nodes.iter();
        let good = nodes.filter(|(node, entry)| entry.firm != firm && !entry.revoked && **node != self.me);
        let good = good.map(|(node, _)| *node).filter(|node| !linked.contains(node) && !self.cut.contains(node));
        let placed = |node: &NodeId| self.replica.doc(*node, DocKind::Board).is_some_and(|board| !board.doc.contact.is_empty());
        let good: Vec<NodeId> = good.filter(placed).collect();
        let place = usize::try_from(self.rng.below(good.len().max(1) as u64)).unwrap_or(0);
        self.company.sought = good.get(place).copied();
        self.company.seek_at = Some(self.now.mono.after(SEEK_EVERY));
        if let Some(node) = self.company.sought {
            self.note_addresses(node);
        }
    }

    /// Somebody greets while members hold all places but those at the door: whose link ends. The youngest that was dialled from
    /// outside, of the firm that has most of them; so each firm keeps its share, whoever dials most.
    pub(super) fn crowded_out(&self, id: LinkId, node: NodeId) -> Option<LinkId> {
        let members = self.links.values().filter(|link| link.node.is_some() && !link.profile.broadcast).count();
        if members < MEMBERS_MAX {
            return None;
        }
        let mut firms: BTreeMap<&str, Vec<(bool, Instant, LinkId)>> = BTreeMap::new();
        for (of, link) in self.links.iter().filter(|(_, link)| link.profile.dialled.is_none()) {
            let who = if of == id { Some(node) } else { link.node };
            if let Some(firm) = who.filter(|who| !self.is_kin(*who)).and_then(|who| self.firm_of(who)) {
                firms.entry(firm).or_default().push((of == id, link.up_at, of));
            }
        }
        // Of equal ones the newcomer's: nobody is turned out for it.
        let most = firms.into_values().max_by_key(|links| (links.len(), links.iter().any(|(newcomer, ..)| *newcomer)))?;
        most.into_iter().max().map(|(_, _, link)| link)
    }
}
