//! Observations: what nodes saw of other nodes. Of each (observer, node) the newest counts, and of an observer 64 at once.
//! A writer paces them: a few in a row, so that a slip is put right at once, and one per node in ten minutes from then on.

use std::collections::BTreeSet;

use super::Domain;
use super::fact::{Deed, Observation};
use crate::id::{FactId, NodeId};
use crate::time::UtcMillis;

/// Observations of one author that count at once. Design section 4 rule 13.
pub const LIVE_MAX: usize = 64;
/// An author makes one observation of one node in this time, milliseconds. Design section 4 rule 13.
pub const OBSERVE_EVERY_MS: i64 = 600_000;
/// Of one node so many may be made in a row before that pace begins.
pub const OBSERVE_IN_ROW: i64 = 3;

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
            | Deed::Acknowledge(_)
            | Deed::Mode(_)
            | Deed::Order(_)
            | Deed::Scope(_)
            | Deed::Supply(_) => None,
        }
    }

    /// How long `author` waits until its next observation of `target`, milliseconds; 0 = it may be made now.
    ///
    /// It follows from what is held, so that a restart forgets nothing and a write that failed cost nothing. The author's own
    /// clock measures: what it stamped later than now or not at all was stamped by a wrong clock, and holds nobody up.
    pub(crate) fn observation_wait(&self, author: NodeId, target: NodeId, now: UtcMillis) -> i64 {
        let made = self.observed.get(&target).and_then(|of_target| of_target.get(&author)).into_iter().flatten();
        let walls = made.filter_map(|id| self.fact(*id)).map(|(meta, _)| meta.wall);
        // When the last of them would have been made, had each waited its time.
        let paced = walls
            .filter(|wall| wall.is_known() && *wall <= now)
            .fold(i64::MIN, |paced, wall| paced.max(wall.0).saturating_add(OBSERVE_EVERY_MS));
        let in_row = OBSERVE_EVERY_MS * (OBSERVE_IN_ROW - 1);
        paced.saturating_sub(in_row).saturating_sub(now.0).clamp(0, OBSERVE_EVERY_MS)
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
