//! Coverage: of each line of a request, in which of the exclusive stages its goods are (`domain.md` 2.2), all suppliers together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fact::LineItem;
use super::super::request::{Standing, as_request};
use super::super::{Domain, fact};
use super::commitment::CommitmentState;
use super::consignment::{ConsignmentState, Outcome};
use crate::id::{FactId, NodeId};

/// One line: base units. Covered are `committed`, `in_transit` and `accepted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// Asked for in the newest version; 0 where nobody asked for it.
    pub requested: u64,
    /// Promised and not departed.
    pub committed: u64,
    /// Departed and not received.
    pub in_transit: u64,
    /// Taken in.
    pub accepted: u64,
    /// Sent back.
    pub rejected: u64,
    /// Unusable.
    pub damaged: u64,
    /// Not there, or lost.
    pub missing: u64,
    /// Taken back by suppliers.
    pub released: u64,
}

impl Covered {
    /// All that is promised, on its way or there.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.committed.saturating_add(self.in_transit).saturating_add(self.accepted)
    }

    /// What nobody covers.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.requested.saturating_sub(self.covered())
    }
}

/// Everything that is said of one request's goods.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By item: those asked for, and those sent although nobody asked.
    pub lines: BTreeMap<LineItem, Covered>,
    /// Promises to it, by name.
    pub commitments: Vec<CommitmentState>,
    /// Consignments diverted to it, by name.
    pub diverted: Vec<ConsignmentState>,
    /// Who said that it can't or will not send anything: whether it will not, and with which fact.
    pub unable: BTreeMap<NodeId, (bool, FactId)>,
}

impl Coverage {
    /// Headline of a request that stands, where its goods say one: `fulfilled`, `partly_fulfilled`, `in_transit`, `committed`,
    /// `partly_committed`.
    #[must_use]
    pub fn headline(&self) -> Option<&'static str> {
        let asked = || self.lines.values().filter(|line| line.requested > 0);
        let every = |which: fn(&Covered) -> u64| asked().all(|line| which(line) >= line.requested);
        let any = |which: fn(&Covered) -> u64| asked().any(|line| which(line) > 0);
        if every(|line| line.accepted) {
            Some("fulfilled")
        } else if any(|line| line.accepted) {
            Some("partly_fulfilled")
        } else if any(|line| line.in_transit) {
            Some("in_transit")
        } else if every(Covered::covered) {
            Some("committed")
        } else {
            any(Covered::covered).then_some("partly_committed")
        }
    }
}

impl Domain {
    /// What is promised to a request and where it is; of requests written twice all count for the one that counts.
    #[must_use]
    pub fn coverage(&self, request: FactId) -> Coverage {
        let mut coverage = Coverage::default();
        let Some(state) = self.request_state(request) else { return coverage };
        for line in &state.need.lines {
            let asked = &mut coverage.lines.entry(line.item.clone()).or_default().requested;
            *asked = asked.saturating_add(line.requested);
        }
        for member in self.written_alike(request) {
            self.add_answers(member, &mut coverage);
        }
        coverage
    }

    /// A request and all that are written under its key.
    pub(crate) fn written_alike(&self, request: FactId) -> BTreeSet<FactId> {
        let key =
            self.fact(request).and_then(|(_, fact)| as_request(fact)).and_then(|first| super::super::key_of(request, first));
        let alike = key.map(|key| self.keyed.of(key).collect::<BTreeSet<FactId>>());
        alike.unwrap_or_else(|| BTreeSet::from([request]))
    }

    /// Whether anybody answered it: the rest of [`Self::coverage`] is then worth working out.
    #[must_use]
    pub fn is_answered(&self, request: FactId) -> bool {
        let spoken_of =
            |member: FactId| self.supply.answers.of(member).next().is_some() || self.supply.diverted.of(member).next().is_some();
        self.written_alike(request).into_iter().any(spoken_of)
    }

    fn add_answers(&self, request: FactId, coverage: &mut Coverage) {
        for id in self.supply.answers.of(request) {
            if let Some(state) = self.commitment_state(id) {
                if state.is_sound {
                    coverage.add_promise(&state);
                }
                coverage.commitments.push(state);
            } else if let Some(fact::Supply::Unable(unable)) = self.supply_fact(id)
                && self.is_asked(id.entry.log.author, request)
            {
                coverage.unable.insert(id.entry.log.author, (unable.declined, id));
            }
        }
        let diverted: BTreeSet<FactId> =
            self.supply.diverted.of(request).filter_map(|act| self.journey(act)).map(|journey| journey.consignment).collect();
        for state in diverted.into_iter().filter_map(|id| self.consignment_state(id)) {
            if state.diverted_to == Some(request) && self.is_sound(state.id) {
                state.lines.iter().for_each(|line| coverage.add_outcome(&line.item, &line.outcome));
                coverage.diverted.push(state);
            }
        }
    }

    /// Requests that stand and are the ones that count, by name.
    pub(crate) fn open_requests(&self) -> impl Iterator<Item = FactId> + '_ {
        self.requests.keys().copied().filter(|id| self.standing_of(*id) == Some(Standing::Open))
    }
}

impl Coverage {
    fn add_promise(&mut self, state: &CommitmentState) {
        for line in &state.lines {
            self.add_outcome(&line.item, &line.outcome);
            let covered = self.lines.entry(line.item.clone()).or_default();
            covered.committed = covered.committed.saturating_add(line.unplanned);
            covered.released = covered.released.saturating_add(line.released);
        }
    }

    fn add_outcome(&mut self, item: &LineItem, outcome: &Outcome) {
        let covered = self.lines.entry(item.clone()).or_default();
        for (sum, more) in [
            (&mut covered.committed, outcome.waiting),
            (&mut covered.in_transit, outcome.in_transit),
            (&mut covered.accepted, outcome.accepted),
            (&mut covered.rejected, outcome.rejected),
            (&mut covered.damaged, outcome.damaged),
            (&mut covered.missing, outcome.missing),
            (&mut covered.released, outcome.returned),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}
