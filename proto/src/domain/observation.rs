//! Observations: what nodes saw of other nodes. Of each (observer, node) the newest counts, and of an observer 64 at once.

use std::collections::BTreeSet;

use super::Domain;
use super::fact::{Deed, Observation};
use crate::id::{FactId, NodeId};

/// Observations of one author that count at once. Design section 4 rule 13.
pub const LIVE_MAX: usize = 64;

impl Domain {
    pub(crate) fn observation(&self, id: FactId) -> Option<&Observation> {
        match &self.fact(id)?.1.deed {
            Deed::Observation(observation) => Some(observation),
            Deed::Floor(_)
            | Deed::Request(_)
            | Deed::Update(_)
            | Deed::Cancel(_)
            | Deed::Confirm(_)
            | Deed::Close(_)
            | Deed::Acknowledge(_) => None,
        }
    }

    /// Every observation that counts: (node observed, fact), ascending.
    pub(crate) fn live_observations(&self) -> BTreeSet<(NodeId, FactId)> {
        self.observers.keys().flat_map(|author| self.live_of(*author)).collect()
    }

    /// Those that count of one node.
    pub(crate) fn live_about(&self, target: NodeId) -> Vec<FactId> {
        let Some(of_target) = self.observed.get(&target) else { return Vec::new() };
        let newest = of_target.values().filter_map(|facts| facts.last()).copied();
        newest.filter(|id| self.is_live(*id, target)).collect()
    }

    pub(crate) fn is_live(&self, id: FactId, target: NodeId) -> bool {
        let author = id.entry.log.author;
        if self.newest(author, target) != Some(id) {
            return false;
        }
        let targets = self.observers.get(&author).map_or(0, BTreeSet::len);
        targets <= LIVE_MAX || self.live_of(author).contains(&(target, id))
    }

    fn newest(&self, author: NodeId, target: NodeId) -> Option<FactId> {
        self.observed.get(&target).and_then(|of_target| of_target.get(&author)).and_then(|facts| facts.last()).copied()
    }

    /// The newest of each target; beyond 64 targets the older ones are settled.
    fn live_of(&self, author: NodeId) -> Vec<(NodeId, FactId)> {
        let targets = self.observers.get(&author).into_iter().flatten();
        let mut newest: Vec<(NodeId, FactId)> =
            targets.filter_map(|target| Some((*target, self.newest(author, *target)?))).collect();
        newest.sort_by_key(|(_, id)| std::cmp::Reverse(*id));
        newest.truncate(LIVE_MAX);
        newest
    }
}
