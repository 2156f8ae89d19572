//! Neighbours wanted whatever the degree. A detail is kept only by those entitled to it, so it reaches them all only where they are
//! linked among themselves: each firm and the hubs of each region form a ring by id, and each store holds on to a hub of its region.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Node;
use crate::domain::DirectoryEntry;
use crate::id::{DocKind, NodeId};
use crate::identity::Role;
use crate::time::Instant;

/// How many of a row are tried to find one that answers; where all of them are down, it takes until one is back.
pub(super) const TRIED: usize = 4;

/// After a start boards, which say where their authors are to be found, take a moment to come. Who passes over all that are not heard
/// yet takes whoever is heard first, and so do all others: one hub would hold on to a whole county.
const HEARD_WITHIN: Duration = Duration::from_secs(60);

/// Whom this node wants a link to, nearest first; one of each row that answers will do. Follows from the roster.
#[derive(Clone, Debug, Default)]
pub(super) struct Kin {
    rows: Vec<Vec<NodeId>>,
    /// Until then somebody whose address is not known is waited for.
    waits_until: Option<Instant>,
}

impl Kin {
    /// The node starts.
    pub(super) fn wait(&mut self, now: Instant) {
        self.waits_until = Some(now.after(HEARD_WITHIN));
    }

    /// When others are looked for in the place of those whose address is still not known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waits_until
    }

    /// True while somebody may still be waited for.
    pub(super) fn waits(&self) -> bool {
        self.waits_until.is_some()
    }

    /// True once, when that time has come.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        self.waits_until.take_if(|until| *until <= now).is_some()
    }
}

/// Hubs and authorities: they speak for many.
pub(super) fn is_wide(entry: &DirectoryEntry) -> bool {
    entry.hub || entry.role == Role::Authority.text()
}

impl Node {
    /// The roster changed, and with it who comes next.
    pub(super) fn find_kin(&mut self) {
        let nodes = &self.known.directory().nodes;
        let Some(own) = nodes.get(&self.me) else {
            self.kin.rows.clear();
            return;
        };
        let behind = |wanted: &dyn Fn(&DirectoryEntry) -> bool, from: NodeId| -> Vec<NodeId> {
            let after = nodes.range(from..).skip_while(|(node, _)| **node == self.me);
            let around = after.chain(nodes.range(..from));
            let others = around.filter(|(node, entry)| **node != self.me && wanted(entry));
            others.map(|(node, _)| *node).take(TRIED).collect()
        };
        let firm = |entry: &DirectoryEntry| !entry.revoked && !own.firm.is_empty() && entry.firm == own.firm;
        let hub = |entry: &DirectoryEntry| !entry.revoked && is_wide(entry) && entry.region == own.region;
        // Stores begin at unlike hubs, so that they share the stores; a home hub is the one that will be asked.
        let home = self.config.home_hub.filter(|_| !is_wide(own));
        let hubs = nodes.values().filter(|entry| hub(entry)).count().max(1);
        let turn = usize::from(self.me.serial) % hubs;
        let first = || nodes.iter().filter(|(_, entry)| hub(entry)).nth(turn).map(|(node, _)| *node);
        let from = if is_wide(own) { Some(self.me) } else { home.or_else(first) };
        self.kin.rows = vec![behind(&firm, self.me), from.map_or_else(Vec::new, |from| behind(&hub, from))];
    }

    /// Who of them is to be dialled now: of each row all up to the first that is linked, or may well answer. Their addresses are noted.
    pub(super) fn kin_wanted(&mut self, linked: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let mut wanted = BTreeSet::new();
        let rows = std::mem::take(&mut self.kin.rows);
        for row in &rows {
            for node in row.iter().take_while(|node| !linked.contains(node)) {
                if self.cut.contains(node) {
                    continue;
                }
                self.note_addresses(*node);
                wanted.insert(*node);
                let waited_for = self.kin.waits_until.is_some() && !self.peers.knows(*node);
                if waited_for || self.peers.may_answer(*node) {
                    break;
                }
            }
        }
        self.kin.rows = rows;
        wanted
    }

    /// A board came that may say where somebody is to be found who is wanted.
    pub(super) fn kin_may_be_found(&mut self, author: NodeId) {
        if self.is_kin(author) {
            self.peers.look_again();
        }
    }

    /// True of whom this node sees to a link with.
    pub(super) fn is_kin(&self, node: NodeId) -> bool {
        self.kin.rows.iter().flatten().any(|kin| *kin == node)
    }

    pub(super) fn note_addresses(&mut self, node: NodeId) {
        let said = self.replica.doc(node, DocKind::Board).map(|held| held.doc.contact.clone());
        for address in said.unwrap_or_default() {
            self.peers.add_wanted(address, node, self.now.mono);
        }
    }
}
