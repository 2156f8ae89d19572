//! What people had to settle: every conflict that the hubs listed in the course of play, each once.

use std::collections::BTreeMap;

use holdfast_proto::control::{ConflictView, ProposalView};

use super::MINUTE;
use crate::record::{ConflictRecord, ProposalRecord};
use crate::scenario::words::SiteRole;
use crate::scenario::{Micros, SiteNo};
use crate::world::World;

/// The lists are looked at so often: people settle in hours what is found in seconds.
const LOOK_EVERY: Micros = 5 * MINUTE;
/// So many hubs and authorities are looked at, evenly among all; in a large alliance the others list the same after the heal.
const WATCHED_MAX: usize = 8;

/// The conflicts so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Disputes {
    next_look: Micros,
    /// By the name that every node gives it.
    seen: BTreeMap<String, ConflictRecord>,
}

impl Disputes {
    /// Looks if it is time to.
    pub(super) fn look_by_and_by(&mut self, world: &mut World) {
        if world.now >= self.next_look {
            self.next_look = world.now + LOOK_EVERY;
            self.look(world);
        }
    }

    /// Looks at the lists of those who dispatch and run.
    pub(super) fn look(&mut self, world: &mut World) {
        let now = world.now;
        let mut listed: BTreeMap<String, u32> = BTreeMap::new();
        let mut asked = 0;
        for site in watched(world) {
            let Some(conflicts) = world.conflicts_shown(site) else { continue };
            asked += 1;
            for conflict in conflicts {
                *listed.entry(conflict.conflict.clone()).or_default() += 1;
                let proposals: Vec<ProposalRecord> =
                    conflict.proposals.iter().filter_map(|proposal| proposed(world, proposal)).collect();
                let new = || found(world, &conflict, site);
                let one = self.seen.entry(conflict.conflict.clone()).or_insert_with(new);
                one.proposals = proposals;
            }
        }
        for (name, one) in &mut self.seen {
            let by = listed.get(name).copied().unwrap_or(0);
            one.settled = if by == 0 && asked > 0 { one.settled.or(Some(now)) } else { None };
            if by == asked && asked > 0 {
                one.by_all.get_or_insert(now);
            }
        }
    }

    pub(super) fn record(&self) -> Vec<ConflictRecord> {
        let mut all: Vec<ConflictRecord> = self.seen.values().cloned().collect();
        all.sort_by(|one, other| (one.first, &one.name).cmp(&(other.first, &other.name)));
        all
    }
}

/// Hubs and authorities that run.
fn watched(world: &World) -> Vec<SiteNo> {
    let dispatches = |site: &SiteNo| world.scenario().sites[*site].role != SiteRole::Store;
    let all: Vec<SiteNo> = world.running().filter(dispatches).collect();
    all.iter().step_by(all.len().div_ceil(WATCHED_MAX).max(1)).copied().collect()
}

fn found(world: &World, conflict: &ConflictView, site: SiteNo) -> ConflictRecord {
    let goods = conflict.parts.iter().map(|part| {
        let supplier = world.site_of(&part.supplier.id).unwrap_or(site);
        (supplier, format!("{} {}", part.item, part.kept.saturating_add(part.surplus)))
    });
    ConflictRecord {
        name: conflict.conflict.clone(),
        kind: conflict.kind.clone(),
        about: conflict.about.clone(),
        consignee: world.site_of(&conflict.consignee.id).unwrap_or(site),
        goods: goods.collect(),
        proposals: Vec::new(),
        first: (world.now, site),
        by_all: None,
        settled: None,
    }
}

fn proposed(world: &World, proposal: &ProposalView) -> Option<ProposalRecord> {
    let goods = proposal.item.as_ref().zip(proposal.quantity).map(|(item, quantity)| format!("{item} {quantity}"));
    let (what, of, to) = (proposal.what.clone(), proposal.of.clone(), proposal.to.clone());
    Some(ProposalRecord { by: world.site_of(&proposal.by.id)?, what, of, goods, to })
}
