//! What is in conflict, what is open and what is over: worked out when something about it changed, for it is asked far more often.
//! A fact only marks what it touches; [`Domain::settle`] judges what is marked. Whoever asks before that gets the same answer, later.

use std::collections::BTreeSet;

use super::super::Domain;
use super::super::fact::supply::{Consign, Step, Supply};
use super::super::request::Standing;
use super::conflict::{Held, Kind};
use super::consignment::Stage;
use crate::id::{FactId, NodeId};

/// What was found when it was judged last, and what was touched since. Of what is touched nothing else here counts.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Judged {
    conflicts: BTreeSet<(Kind, FactId)>,
    /// Requests of which all that was asked for was taken in.
    fulfilled: BTreeSet<FactId>,
    /// Promises of which something is not received.
    open: BTreeSet<FactId>,
    /// Consignments of which nothing more is expected.
    over: BTreeSet<FactId>,
    /// Requests, with the promises to them.
    touched: BTreeSet<FactId>,
    /// Consignments.
    moved: BTreeSet<FactId>,
}

/// Kinds of conflict that are about a request.
const OF_REQUESTS: [Kind; 3] = [Kind::OverCovered, Kind::Unneeded, Kind::OlderVersion];

impl Domain {
    /// The request stands otherwise than before, or may.
    pub(in super::super) fn touch_standing(&mut self, request: FactId) {
        let was = |kind| self.judged.conflicts.contains(&(kind, request));
        // Most requests are neither: they are not worth the room.
        let was_fulfilled = || self.judged.fulfilled.contains(&request);
        if self.is_older_version(request) || OF_REQUESTS.into_iter().any(was) || self.is_answered(request) || was_fulfilled() {
            self.touch_request(request);
        }
    }

    fn touch_request(&mut self, request: FactId) {
        let alike = self.written_alike(request);
        self.judged.touched.extend(alike);
        self.judged.touched.insert(request);
    }

    /// A fact is held that was not, or no longer is.
    pub(in super::super) fn touch(&mut self, id: FactId, supply: &Supply) {
        match supply {
            Supply::Commit(commit) => {
                self.judged.open.remove(&id);
                self.touch_request(commit.of.request);
            }
            // It promises nothing.
            Supply::Unable(_) => {}
            Supply::Release(release) => self.touch_commitment(release.commitment),
            Supply::Consign(consign) => {
                let consign = consign.clone();
                self.touch_consignment(id, Some(&consign));
            }
            Supply::Journey(journey) => {
                if let Step::Divert { request: Some(request), .. } = journey.step {
                    self.touch_request(request);
                }
                self.touch_consignment(journey.consignment, self.consign(journey.consignment).cloned().as_ref());
            }
            Supply::Receive(receipt) => {
                self.touch_consignment(receipt.consignment, self.consign(receipt.consignment).cloned().as_ref());
            }
        }
    }

    fn touch_commitment(&mut self, id: FactId) {
        if let Some(request) = self.commit(id).map(|commit| commit.of.request) {
            self.touch_request(request);
        }
    }

    fn touch_consignment(&mut self, id: FactId, consign: Option<&Consign>) {
        self.judged.moved.insert(id);
        let of: BTreeSet<FactId> = consign.into_iter().flat_map(|one| &one.loads).filter_map(|load| load.commitment).collect();
        of.into_iter().for_each(|commitment| self.touch_commitment(commitment));
        let diverted = self.supply.acts.of(id).filter_map(|act| {
            let Step::Divert { request, .. } = self.journey(act)?.step else { return None };
            request
        });
        diverted.collect::<BTreeSet<_>>().into_iter().for_each(|request| self.touch_request(request));
    }

    /// Whose word counts is another now: any promise and any journey may read otherwise.
    pub(in super::super) fn touch_all(&mut self) {
        let answered: BTreeSet<FactId> = self.supply.answers.keys().chain(self.supply.diverted.keys()).collect();
        answered.into_iter().for_each(|request| self.touch_request(request));
        self.judged.moved.extend(self.supply.consignments.iter().copied());
    }

    /// Judges again what was touched. It makes no difference but in time.
    pub fn settle(&mut self) {
        for request in std::mem::take(&mut self.judged.touched) {
            let kinds = self.kinds_of(request);
            for kind in OF_REQUESTS {
                keep(&mut self.judged.conflicts, (kind, request), kinds.contains(&kind));
            }
            let fulfilled = self.works_out_fulfilled(request);
            keep(&mut self.judged.fulfilled, request, fulfilled);
            let promises: Vec<FactId> = self.supply.answers.of(request).filter(|id| self.commit(*id).is_some()).collect();
            for id in promises {
                let open = self.works_out_open(id);
                keep(&mut self.judged.open, id, open);
            }
        }
        for id in std::mem::take(&mut self.judged.moved) {
            let stage = self.consignment_state(id).map(|state| state.stage);
            keep(&mut self.judged.conflicts, (Kind::Unconfirmed, id), stage == Some(Stage::HandedOver));
            keep(&mut self.judged.over, id, stage.is_some_and(Stage::is_over));
        }
    }

    /// Everything that people must settle, by kind and then by name.
    pub(super) fn conflict_names(&self) -> BTreeSet<(Kind, FactId)> {
        let Judged { conflicts, touched, moved, .. } = &self.judged;
        let stands = |(kind, about): &(Kind, FactId)| match kind {
            Kind::OverCovered | Kind::Unneeded | Kind::OlderVersion => !touched.contains(about),
            Kind::Unconfirmed => !moved.contains(about),
        };
        let mut names: BTreeSet<(Kind, FactId)> = conflicts.iter().copied().filter(stands).collect();
        names.extend(touched.iter().flat_map(|request| self.kinds_of(*request).into_iter().map(|kind| (kind, *request))));
        let waits = |id: &FactId| self.consignment_state(*id).is_some_and(|state| state.stage == Stage::HandedOver);
        names.extend(moved.iter().filter(|id| waits(id)).map(|id| (Kind::Unconfirmed, *id)));
        names
    }

    /// How many there are: see [`Self::conflict_list`].
    #[must_use]
    pub fn conflicts(&self) -> u32 {
        let settled = self.judged.touched.is_empty() && self.judged.moved.is_empty();
        let count = if settled { self.judged.conflicts.len() } else { self.conflict_names().len() };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Whether all that a request asks for was taken in.
    pub(in super::super) fn is_fulfilled(&self, request: FactId) -> bool {
        if self.judged.touched.contains(&request) {
            return self.works_out_fulfilled(request);
        }
        self.judged.fulfilled.contains(&request)
    }

    /// Whether nothing more is expected of a consignment.
    pub(super) fn is_over(&self, consignment: FactId) -> bool {
        if self.judged.moved.contains(&consignment) {
            return self.consignment_state(consignment).is_some_and(|state| state.stage.is_over());
        }
        self.judged.over.contains(&consignment)
    }

    /// How many promises a supplier has of which something is not received.
    pub(super) fn open_commitments(&self, supplier: NodeId) -> usize {
        let touched = |id: &FactId| self.commit(*id).is_some_and(|commit| self.judged.touched.contains(&commit.of.request));
        let known = Self::by_author(&self.judged.open, supplier).filter(|id| !touched(id)).count();
        let again = self.judged.touched.iter().flat_map(|request| self.supply.answers.of(*request));
        known + again.filter(|id| id.entry.log.author == supplier && self.works_out_open(*id)).count()
    }

    fn works_out_open(&self, commitment: FactId) -> bool {
        self.commitment_state(commitment).is_some_and(|state| state.lines.iter().any(|line| line.open() > 0))
    }

    fn works_out_fulfilled(&self, request: FactId) -> bool {
        self.standing_of(request).is_some() && self.is_answered(request) && self.coverage(request).headline() == Some("fulfilled")
    }

    /// In what ways a request is in conflict.
    fn kinds_of(&self, request: FactId) -> BTreeSet<Kind> {
        let mut kinds = BTreeSet::new();
        let Some(standing) = self.standing_of(request) else { return kinds };
        if self.is_older_version(request) {
            kinds.insert(Kind::OlderVersion);
        }
        if standing == Standing::Duplicate || !self.is_answered(request) {
            return kinds;
        }
        let parts = self.parts_of(&self.coverage(request), standing);
        if parts.iter().any(|part| part.surplus > 0 && part.held != Held::Received) {
            kinds.insert(if standing == Standing::Open { Kind::OverCovered } else { Kind::Unneeded });
        }
        kinds
    }
}

fn keep<T: Ord>(set: &mut BTreeSet<T>, one: T, is_in: bool) {
    if is_in {
        set.insert(one);
    } else {
        set.remove(&one);
    }
}
