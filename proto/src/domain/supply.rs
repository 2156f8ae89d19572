//! From need to receipt: who promised what, what is on its way, what came, and where two halves promised too much (`domain.md` 3).
//! Everything here follows from facts; nothing is stored, and there is no clock in it.
//!
//! Three objects, many to many: a request ([`super::request`]), a **commitment** of one supplier to one request ([`commitment`]), a
//! **consignment** of goods on one journey to one consignee ([`consignment`]). Of each line of a request [`coverage`] tells in which
//! of the exclusive stages its goods are; [`conflict`] lists what people must settle, with a proposal that is the same on every node.
//!
//! What is physical counts before what is on paper: goods that left can't be unloaded, goods on a vehicle can't be released, and what
//! the consignee counted is what came.

pub mod commitment;
pub mod conflict;
pub mod consignment;
pub mod coverage;
pub(super) mod judged;
#[cfg(test)]
pub(super) mod laws;
mod plan;
mod refused;
#[cfg(test)]
mod rules;
pub mod shelf;
mod show;
pub mod view;
pub mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use super::Domain;
use super::fact::supply::{Amount, Commit, Consign, Journey, Receipt, Release, Step, Supply};
use super::fact::{Deed, Fact, LineItem, put_item};
use super::pairs::Pairs;
use crate::codec::canonical::Writer;
use crate::id::{FactId, NodeId};

/// How much of which goods.
pub(crate) type Goods = BTreeMap<LineItem, u64>;

/// What goods are called in canonical bytes.
pub(crate) fn item_to_bytes(item: &LineItem) -> Vec<u8> {
    let mut out = Writer::new();
    put_item(&mut out, item);
    out.finish()
}

pub(crate) fn goods_of(amounts: &[Amount]) -> Goods {
    amounts.iter().map(|amount| (amount.item.clone(), amount.quantity)).collect()
}

/// Takes as much as there is, up to `wanted`; how much that was.
pub(crate) fn take(from: &mut u64, wanted: u64) -> u64 {
    let taken = wanted.min(*from);
    *from -= taken;
    taken
}

/// Goods that several acts named; an act that names none means all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stated {
    all: bool,
    goods: Goods,
}

impl Stated {
    pub(crate) fn add(&mut self, more: &[Amount]) {
        self.all |= more.is_empty();
        for amount in more {
            let held = self.goods.entry(amount.item.clone()).or_default();
            *held = held.saturating_add(amount.quantity);
        }
    }

    /// How much of an item was named at most.
    pub(crate) fn of(&self, item: &LineItem) -> u64 {
        if self.all { u64::MAX } else { self.goods.get(item).copied().unwrap_or(0) }
    }
}

/// Which facts speak of what.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    commitments: BTreeSet<FactId>,
    consignments: BTreeSet<FactId>,
    /// Request, as it was named: commitments and answers.
    answers: Pairs<FactId>,
    /// Commitment: what was released of it.
    releases: Pairs<FactId>,
    /// Commitment: consignments that carry goods of it.
    loads: Pairs<FactId>,
    /// Consignment: what happened to it, receipts too.
    acts: Pairs<FactId>,
    /// Request: diversions to it.
    diverted: Pairs<FactId>,
}

impl Index {
    pub(super) fn insert(&mut self, id: FactId, supply: &Supply) {
        self.change(id, supply, |pairs, key, id| pairs.insert(key, id), |set, id| _ = set.insert(id));
    }

    pub(super) fn remove(&mut self, id: FactId, supply: &Supply) {
        self.change(id, supply, |pairs, key, id| pairs.remove(key, id), |set, id| _ = set.remove(&id));
    }

    fn change(
        &mut self,
        id: FactId,
        supply: &Supply,
        pair: fn(&mut Pairs<FactId>, FactId, FactId),
        one: fn(&mut BTreeSet<FactId>, FactId),
    ) {
        match supply {
            Supply::Commit(commit) => {
                one(&mut self.commitments, id);
                pair(&mut self.answers, commit.of.request, id);
            }
            Supply::Unable(unable) => pair(&mut self.answers, unable.of.request, id),
            Supply::Release(release) => pair(&mut self.releases, release.commitment, id),
            Supply::Consign(consign) => {
                one(&mut self.consignments, id);
                let of: BTreeSet<FactId> = consign.loads.iter().filter_map(|load| load.commitment).collect();
                of.into_iter().for_each(|commitment| pair(&mut self.loads, commitment, id));
            }
            Supply::Journey(journey) => {
                pair(&mut self.acts, journey.consignment, id);
                if let Step::Divert { request: Some(request), .. } = &journey.step {
                    pair(&mut self.diverted, *request, id);
                }
            }
            Supply::Receive(receipt) => pair(&mut self.acts, receipt.consignment, id),
        }
    }
}

impl Domain {
    pub(crate) fn supply_fact(&self, id: FactId) -> Option<&Supply> {
        if let Deed::Supply(supply) = &self.fact(id)?.1.deed { Some(supply) } else { None }
    }

    pub(crate) fn commit(&self, id: FactId) -> Option<&Commit> {
        if let Supply::Commit(commit) = self.supply_fact(id)? { Some(commit) } else { None }
    }

    pub(crate) fn consign(&self, id: FactId) -> Option<&Consign> {
        if let Supply::Consign(consign) = self.supply_fact(id)? { Some(consign) } else { None }
    }

    fn release_of(&self, id: FactId) -> Option<&Release> {
        if let Supply::Release(release) = self.supply_fact(id)? { Some(release) } else { None }
    }

    pub(crate) fn journey(&self, id: FactId) -> Option<&Journey> {
        if let Supply::Journey(journey) = self.supply_fact(id)? { Some(journey) } else { None }
    }

    pub(crate) fn receipt(&self, id: FactId) -> Option<&Receipt> {
        if let Supply::Receive(receipt) = self.supply_fact(id)? { Some(receipt) } else { None }
    }

    /// All commitments held, by name.
    pub fn commitment_ids(&self) -> impl Iterator<Item = FactId> + '_ {
        self.supply.commitments.iter().copied()
    }

    /// All consignments held, by name.
    pub fn consignment_ids(&self) -> impl Iterator<Item = FactId> + '_ {
        self.supply.consignments.iter().copied()
    }

    /// Those that one author wrote.
    pub(crate) fn by_author(set: &BTreeSet<FactId>, author: NodeId) -> impl Iterator<Item = FactId> + '_ {
        set.range(super::first_of(author)..=super::last_of(author)).copied()
    }

    /// What a node promised, by name.
    pub(crate) fn commitments_of(&self, author: NodeId) -> impl Iterator<Item = FactId> + '_ {
        Self::by_author(&self.supply.commitments, author)
    }

    /// What it sent, by name.
    pub(crate) fn consignments_of(&self, author: NodeId) -> impl Iterator<Item = FactId> + '_ {
        Self::by_author(&self.supply.consignments, author)
    }

    /// Whether this word stands for what it promises: not where its key was taken away or its logbook has two stories.
    pub(crate) fn is_sound(&self, id: FactId) -> bool {
        !self.is_in_question(id.entry) && !self.is_frozen(id.entry.log.author)
    }

    /// Whether a fact on a consignment is by its sender, or by the carrier that one named.
    pub(super) fn carries(&self, author: NodeId, fact: &Fact) -> bool {
        let Deed::Supply(Supply::Journey(journey)) = &fact.deed else { return false };
        let carrier = self.consign(journey.consignment).map(|consign| consign.carrier);
        carrier.is_some_and(|carrier| journey.consignment.entry.log.author == author || carrier == Some(author))
    }

    /// Whether a receipt is by somebody to whom the consignment is, or was on its way.
    pub(super) fn is_sent_to(&self, author: NodeId, fact: &Fact) -> bool {
        let Deed::Supply(Supply::Receive(receipt)) = &fact.deed else { return false };
        self.consignees_of(receipt.consignment).contains(&author)
    }

    /// Everybody a consignment was ever sent to.
    pub(crate) fn consignees_of(&self, consignment: FactId) -> BTreeSet<NodeId> {
        let first = self.consign(consignment).map(|consign| consign.to);
        let diverted = self.supply.acts.of(consignment).filter_map(|id| {
            let Step::Divert { to, .. } = self.journey(id)?.step else { return None };
            self.carries(id.entry.log.author, self.fact(id)?.1).then_some(to)
        });
        first.into_iter().chain(diverted).collect()
    }

    /// True where this word must stay in its logbook: the goods it speaks of are not settled, or the request they are for still stands
    /// and would read otherwise without it.
    pub(super) fn is_supply_live(&self, id: FactId, supply: &Supply) -> bool {
        match supply {
            Supply::Commit(_) => self.is_commitment_live(id),
            Supply::Release(release) => self.is_commitment_live(release.commitment),
            Supply::Unable(unable) => self.is_request_open(unable.of.request),
            Supply::Consign(_) => self.is_consignment_live(id),
            Supply::Journey(journey) => self.is_consignment_live(journey.consignment),
            Supply::Receive(receipt) => self.is_consignment_live(receipt.consignment),
        }
    }

    fn is_request_open(&self, request: FactId) -> bool {
        let state = self.request_state(request).and_then(|state| self.request_state(state.canonical));
        state.is_some_and(|state| state.standing == super::request::Standing::Open)
    }

    fn is_commitment_live(&self, id: FactId) -> bool {
        let Some(state) = self.commitment_state(id) else { return false };
        let moving = || self.supply.loads.of(id).any(|consignment| self.is_consignment_open(consignment));
        self.is_request_open(state.request) || state.lines.iter().any(|line| line.open() > 0) || moving()
    }

    fn is_consignment_open(&self, id: FactId) -> bool {
        self.consignment_state(id).is_some_and(|state| !state.stage.is_over())
    }

    fn is_consignment_live(&self, id: FactId) -> bool {
        let Some(consign) = self.consign(id) else { return false };
        let of = consign.loads.iter().filter_map(|load| load.commitment);
        let requests = of.filter_map(|commitment| self.commit(commitment)).map(|commit| commit.of.request);
        let mut requests = requests.chain(self.consignment_state(id).and_then(|state| state.diverted_to));
        self.is_consignment_open(id) || requests.any(|request| self.is_request_open(request))
    }
}
