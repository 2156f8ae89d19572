//! Conflicts: where what was said does not go together, with one proposal that is the same on every node (`domain.md` 3.5). Pure: equal
//! facts give equal lists. Nothing is settled by itself: whoever wrote a thing confirms what is proposed for it.

use std::collections::BTreeMap;

use super::super::Domain;
use super::super::fact::LineItem;
use super::super::request::Standing;
use super::super::spoken::spoken;
use super::consignment::{ConsignmentState, Stage};
use super::coverage::Coverage;
use super::item_to_bytes;
use crate::codec::canonical::Writer;
use crate::id::{FactId, NodeId};

/// Which of `domain.md` 3.5. The others show elsewhere: C2 is made impossible, or told to the holder by its own ledger; C6 and C8 are
/// orders; C9 and C11 are ages; C10 is refused at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// More is promised to one request than it asks for.
    OverCovered,
    /// Goods are promised or under way for a request that is cancelled or closed.
    Unneeded,
    /// A cancel names an older version of a request.
    OlderVersion,
    /// Goods were handed over, says the carrier; the consignee did not sign.
    Unconfirmed,
}

impl Kind {
    /// The letter and number people know it by.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::OverCovered => "C1",
            Self::Unneeded => "C3",
            Self::OlderVersion => "C4",
            Self::Unconfirmed => "C7",
        }
    }
}

/// Where some goods of a commitment are: in the order in which they are kept, the first first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// The consignee has them.
    Received,
    /// The carrier handed them over.
    HandedOver,
    /// On the road.
    Departed,
    /// On a vehicle.
    Loaded,
    /// Promised.
    Committed,
}

impl Held {
    /// In JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::HandedOver => "handed_over",
            Self::Departed => "departed",
            Self::Loaded => "loaded",
            Self::Committed => "committed",
        }
    }
}

/// Goods of one supplier that are in the conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What.
    pub item: LineItem,
    /// Whose.
    pub supplier: NodeId,
    /// The promise they belong to; absent: diverted here.
    pub commitment: Option<FactId>,
    /// The consignment they are in.
    pub consignment: Option<FactId>,
    /// Where they are.
    pub held: Held,
    /// Base units that are kept.
    pub kept: u64,
    /// Base units too many.
    pub surplus: u64,
}

/// What somebody is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proposal {
    /// The supplier takes so much of a promise back.
    Release {
        /// Which.
        commitment: FactId,
        /// Of what.
        item: LineItem,
        /// Base units.
        quantity: u64,
    },
    /// It takes the goods off the vehicle first.
    Unload {
        /// Which.
        consignment: FactId,
    },
    /// The sender sends it elsewhere.
    Divert {
        /// Which.
        consignment: FactId,
        /// To the node of this request.
        to: FactId,
    },
    /// The goods arrive although nobody needs them: the consignee takes them as surplus, or refuses them.
    Surplus {
        /// Which.
        consignment: FactId,
    },
    /// The consignee signs for what came.
    Receive {
        /// Which.
        consignment: FactId,
    },
    /// The requester says whether the need still stands.
    Confirm {
        /// Which.
        request: FactId,
    },
}

impl Proposal {
    /// What is to be done, with what, and where to.
    #[must_use]
    pub fn names(&self) -> (&'static str, FactId, Option<FactId>) {
        match self {
            Self::Release { commitment, .. } => ("release", *commitment, None),
            Self::Unload { consignment } => ("unload", *consignment, None),
            Self::Divert { consignment, to } => ("divert", *consignment, Some(*to)),
            Self::Surplus { consignment } => ("surplus", *consignment, None),
            Self::Receive { consignment } => ("receive", *consignment, None),
            Self::Confirm { request } => ("confirm", *request, None),
        }
    }
}

/// Something that people must settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which kind.
    pub kind: Kind,
    /// The request or consignment it is about.
    pub about: FactId,
    /// The goods in it, those kept first.
    pub parts: Vec<Part>,
    /// What is proposed, and who is to do it.
    pub proposals: Vec<(NodeId, Proposal)>,
}

impl Conflict {
    /// What people call it: `C1-7Q4KM2X`, the kind and the symbols of what it is about.
    #[must_use]
    pub fn name(&self) -> String {
        spoken(self.about).replacen('R', self.kind.code(), 1)
    }

    /// All of it, canonical: what every node must see alike.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.text(1, self.kind.code()).bytes(2, &self.about.to_bytes());
        out.list(
            3,
            self.parts.iter().map(|part| {
                let mut item = Writer::new();
                item.bytes(1, &item_to_bytes(&part.item)).text(2, part.held.word()).uint(3, part.kept).uint(4, part.surplus);
                item.finish()
            }),
        );
        out.list(
            4,
            self.proposals.iter().map(|(by, proposal)| {
                let (kind, of, to) = proposal.names();
                let mut item = Writer::new();
                item.bytes(1, &by.to_bytes()).text(2, kind).bytes(3, &of.to_bytes());
                item.bytes(4, &to.map(FactId::to_bytes).unwrap_or_default());
                item.finish()
            }),
        );
        out.finish()
    }
}

/// Requests that could still use goods: what each lacks of an item. Goods proposed to one are no longer lacking.
type Lacking = BTreeMap<FactId, BTreeMap<LineItem, u64>>;

impl Domain {
    /// Everything that people must settle, by kind and then by name.
    #[must_use]
    pub fn conflict_list(&self) -> Vec<Conflict> {
        let mut lacking: Option<Lacking> = None;
        let mut conflict = |(kind, about): (Kind, FactId)| {
            let (parts, proposals) = match kind {
                Kind::OlderVersion => (Vec::new(), vec![(about.entry.log.author, Proposal::Confirm { request: about })]),
                Kind::Unconfirmed => {
                    let to = self.consignment_state(about)?.to;
                    (Vec::new(), vec![(to, Proposal::Receive { consignment: about })])
                }
                Kind::OverCovered | Kind::Unneeded => {
                    let parts = self.parts_of(&self.coverage(about), self.standing_of(about)?);
                    let proposals = self.propose(about, &parts, &mut lacking);
                    (parts, proposals)
                }
            };
            Some(Conflict { kind, about, parts, proposals })
        };
        self.conflict_names().into_iter().filter_map(&mut conflict).collect()
    }

    /// The goods of one request in their keep-order: received before handed over, departed, loaded, promised; then whoever is there
    /// first; then the supplier with fewer open promises; then the smallest name. What the request asks for is kept, in this order.
    pub(super) fn parts_of(&self, coverage: &Coverage, standing: Standing) -> Vec<Part> {
        let mut parts: Vec<(Held, u64, usize, FactId, Part)> = Vec::new();
        let mut add = |rank: (Held, Option<u64>, usize, FactId), part: Part| {
            parts.push((rank.0, rank.1.unwrap_or(u64::MAX), rank.2, rank.3, part));
        };
        for state in coverage.commitments.iter().filter(|state| state.is_sound) {
            let open = self.open_commitments(state.supplier);
            let moving: Vec<ConsignmentState> =
                state.consignments.iter().filter_map(|id| self.consignment_state(*id)).filter(|one| !one.is_diverted).collect();
            for line in &state.lines {
                let part = |held, consignment, quantity| Part {
                    item: line.item.clone(),
                    supplier: state.supplier,
                    commitment: Some(state.id),
                    consignment,
                    held,
                    kept: quantity,
                    surplus: 0,
                };
                add((Held::Committed, state.arrival_s, open, state.id), part(Held::Committed, None, line.unplanned));
                for one in &moving {
                    let of = one.loads.iter().filter(|load| load.commitment == Some(state.id)).flat_map(|load| &load.lines);
                    for carried in of.filter(|carried| carried.item == line.item) {
                        let (held, quantity) = held_of(one.stage, &carried.outcome);
                        add((held, state.arrival_s, open, state.id), part(held, Some(one.id), quantity));
                    }
                }
            }
        }
        for state in &coverage.diverted {
            for line in &state.lines {
                let (held, quantity) = held_of(state.stage, &line.outcome);
                let part = Part {
                    item: line.item.clone(),
                    supplier: state.sender,
                    commitment: None,
                    consignment: Some(state.id),
                    held,
                    kept: quantity,
                    surplus: 0,
                };
                add((held, None, 0, state.id), part);
            }
        }
        parts.retain(|(.., part)| part.kept > 0);
        parts.sort_by_key(|(held, arrival, open, name, _)| (*held, *arrival, *open, *name));
        let mut wanted: BTreeMap<&LineItem, u64> = coverage
            .lines
            .iter()
            .map(|(item, line)| (item, if standing == Standing::Open { line.requested } else { 0 }))
            .collect();
        let mut out: Vec<Part> = parts.into_iter().map(|(.., part)| part).collect();
        for part in &mut out {
            let there = part.kept;
            part.kept = wanted.get_mut(&part.item).map_or(0, |wanted| super::take(wanted, there));
            part.surplus = there - part.kept;
        }
        out
    }

    fn propose(&self, request: FactId, parts: &[Part], lacking: &mut Option<Lacking>) -> Vec<(NodeId, Proposal)> {
        let mut proposals: Vec<(NodeId, Proposal)> = Vec::new();
        let surplus = |part: &&Part| part.surplus > 0;
        for part in parts.iter().filter(surplus) {
            match (part.held, part.commitment, part.consignment) {
                (Held::Received, ..) => {}
                (Held::Committed, Some(commitment), _) => {
                    let release = Proposal::Release { commitment, item: part.item.clone(), quantity: part.surplus };
                    proposals.push((part.supplier, release));
                }
                (held, _, Some(consignment)) => {
                    let whole = parts.iter().filter(|other| other.consignment == Some(consignment)).all(|other| other.kept == 0);
                    let proposal = self.propose_for(request, consignment, held, whole, lacking);
                    if !proposals.iter().any(|(_, other)| *other == proposal) {
                        proposals.push((part.supplier, proposal));
                    }
                }
                (Held::Committed | Held::Loaded | Held::Departed | Held::HandedOver, ..) => {}
            }
        }
        proposals
    }

    /// What to do with a consignment of which some, or all, is too much.
    fn propose_for(
        &self,
        request: FactId,
        consignment: FactId,
        held: Held,
        whole: bool,
        lacking: &mut Option<Lacking>,
    ) -> Proposal {
        if held == Held::Loaded && whole {
            return Proposal::Unload { consignment };
        }
        let mut elsewhere = || self.elsewhere(request, consignment, lacking.get_or_insert_with(|| self.lacking()));
        let elsewhere = if whole && held == Held::Departed { elsewhere() } else { None };
        elsewhere.map_or(Proposal::Surplus { consignment }, |to| Proposal::Divert { consignment, to })
    }

    /// The most urgent request in the same region that lacks any of these goods.
    fn elsewhere(&self, request: FactId, consignment: FactId, lacking: &mut Lacking) -> Option<FactId> {
        let region_of = |node: NodeId| self.directory.nodes.get(&node).map(|entry| entry.region.as_str());
        let consignee_of = |id: FactId| self.request_state(id).map(|state| state.consignee);
        let here = consignee_of(request).and_then(region_of)?;
        let state = self.consignment_state(consignment)?;
        let could_use =
            |wants: &BTreeMap<LineItem, u64>| state.lines.iter().any(|line| wants.get(&line.item).is_some_and(|left| *left > 0));
        let near = lacking
            .iter()
            .filter(|(id, wants)| **id != request && could_use(wants) && consignee_of(**id).and_then(region_of) == Some(here));
        let rank = |id: FactId| {
            let need = self.request_state(id).map(|state| state.need.clone());
            need.map(|need| (need.priority, need.needed_by_s.unwrap_or(u64::MAX)))
        };
        let to = near.map(|(id, _)| *id).min_by_key(|id| (rank(*id), *id))?;
        let wants = lacking.get_mut(&to)?;
        for line in &state.lines {
            if let Some(left) = wants.get_mut(&line.item) {
                *left = left.saturating_sub(line.outcome.sum());
            }
        }
        Some(to)
    }

    fn lacking(&self) -> Lacking {
        let lacks = |id: FactId| {
            let lines = self.coverage(id).lines.into_iter().map(|(item, line)| (item, line.open()));
            (id, lines.filter(|(_, open)| *open > 0).collect::<BTreeMap<_, _>>())
        };
        self.open_requests().filter(|id| self.is_sound(*id)).map(lacks).filter(|(_, wants)| !wants.is_empty()).collect()
    }

    /// What is proposed to one node, of everything: its own list.
    #[must_use]
    pub fn proposed_to(&self, node: NodeId) -> Vec<(Conflict, Vec<Proposal>)> {
        let own = |conflict: Conflict| {
            let proposals: Vec<Proposal> =
                conflict.proposals.iter().filter(|(by, _)| *by == node).map(|(_, proposal)| proposal.clone()).collect();
            (!proposals.is_empty()).then_some((conflict, proposals))
        };
        self.conflict_list().into_iter().filter_map(own).collect()
    }
}

/// Where goods of a consignment are and how many of them count for the request.
fn held_of(stage: Stage, outcome: &super::consignment::Outcome) -> (Held, u64) {
    match stage {
        Stage::Planned | Stage::Loaded => (Held::Loaded, outcome.waiting),
        Stage::Departed | Stage::Arrived => (Held::Departed, outcome.in_transit),
        Stage::HandedOver => (Held::HandedOver, outcome.in_transit),
        Stage::Received | Stage::Refused | Stage::Unloaded | Stage::Lost | Stage::Returned => (Held::Received, outcome.accepted),
    }
}
