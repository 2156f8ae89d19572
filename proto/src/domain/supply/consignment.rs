//! A consignment: goods on one journey to one consignee, as the facts of its sender, its carrier and its consignee have it.

use super::super::Domain;
use super::super::fact::LineItem;
use super::super::fact::supply::{Counted, Load, Step};
use super::{Stated, item_to_bytes, take};
use crate::codec::canonical::Writer;
use crate::id::{FactId, NodeId};

/// How far it got; the furthest that anybody entitled said counts, whatever came in between was not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// To be loaded.
    Planned,
    /// On the vehicle.
    Loaded,
    /// On its way.
    Departed,
    /// There.
    Arrived,
    /// Handed over, says the carrier; the consignee did not sign yet.
    HandedOver,
    /// The consignee signed.
    Received,
    /// The consignee takes nothing.
    Refused,
    /// It does not leave.
    Unloaded,
    /// It is lost.
    Lost,
    /// All of it is back.
    Returned,
}

impl Stage {
    /// In JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Loaded => "loaded",
            Self::Departed => "departed",
            Self::Arrived => "arrived",
            Self::HandedOver => "handed_over",
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Unloaded => "unloaded",
            Self::Lost => "lost",
            Self::Returned => "returned",
        }
    }

    /// Whether nothing more is expected of it. What was refused must still come back.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Received | Self::Unloaded | Self::Lost | Self::Returned)
    }

    /// Whether its goods left and nobody signed for them, so that they can still be diverted.
    #[must_use]
    pub fn is_moving(self) -> bool {
        matches!(self, Self::Departed | Self::Arrived | Self::HandedOver)
    }
}

/// What became of some goods: exclusive stages, base units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// On the vehicle or to be loaded.
    pub waiting: u64,
    /// Left, and nobody signed.
    pub in_transit: u64,
    /// Taken in.
    pub accepted: u64,
    /// Sent back by the consignee.
    pub rejected: u64,
    /// Unusable.
    pub damaged: u64,
    /// Not there, or lost.
    pub missing: u64,
    /// Back at the sender's.
    pub returned: u64,
}

/// One item of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What.
    pub item: LineItem,
    /// Base units that were to be sent.
    pub sent: u64,
    /// What became of them.
    pub outcome: Outcome,
}

/// Goods of one load and what became of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadState {
    /// Of which promise; absent: sent unasked.
    pub commitment: Option<FactId>,
    /// What became of its goods.
    pub lines: Vec<Carried>,
}

/// A consignment as the facts have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsignmentState {
    /// Its name: that of its first fact.
    pub id: FactId,
    /// Who sends it.
    pub sender: NodeId,
    /// Who drives, where not the sender.
    pub carrier: Option<NodeId>,
    /// Who signs for it, after all diversions.
    pub to: NodeId,
    /// The request it was diverted to.
    pub diverted_to: Option<FactId>,
    /// It was sent somewhere else than to whom its loads were promised.
    pub is_diverted: bool,
    /// How far it got.
    pub stage: Stage,
    /// The newest position said.
    pub position: Option<FactId>,
    /// The receipt that counts.
    pub receipt: Option<FactId>,
    /// Receipts beyond the one that counts.
    pub more_receipts: Vec<FactId>,
    /// What the consignee counted is not what was sent.
    pub differs: bool,
    /// Load by load.
    pub loads: Vec<LoadState>,
    /// Item by item, all loads together.
    pub lines: Vec<Carried>,
}

impl Domain {
    /// A consignment by name; `None` where its first fact is not held.
    #[must_use]
    pub fn consignment_state(&self, id: FactId) -> Option<ConsignmentState> {
        let consign = self.consign(id)?;
        let mut state = ConsignmentState {
            id,
            sender: id.entry.log.author,
            carrier: consign.carrier,
            to: consign.to,
            diverted_to: None,
            is_diverted: false,
            stage: Stage::Planned,
            position: None,
            receipt: None,
            more_receipts: Vec::new(),
            differs: false,
            loads: Vec::new(),
            lines: Vec::new(),
        };
        let (lost, returned) = self.walk(&mut state);
        self.read_receipts(&mut state);
        let counts = state.receipt.and_then(|receipt| self.receipt(receipt)).map(|receipt| &*receipt.counts);
        state.share_out(&consign.loads, counts, &lost, &returned);
        Some(state)
    }

    fn walk_of(&self, id: FactId, by: NodeId, see: &mut dyn FnMut(FactId, &Step)) {
        for act in self.supply.acts.of(id).filter(|act| act.entry.log.author == by) {
            if let Some((journey, (_, fact))) = self.journey(act).zip(self.fact(act))
                && self.is_authorised(act, fact)
            {
                see(act, &journey.step);
            }
        }
    }

    /// Goes through the acts of the sender, then of the carrier, each in its own order: what the carrier says of the road comes last.
    fn walk(&self, state: &mut ConsignmentState) -> (Stated, Stated) {
        let (mut lost, mut returned) = (Stated::default(), Stated::default());
        let mut at = (false, Stage::Planned);
        let first = state.to;
        let carrier = state.carrier.filter(|carrier| *carrier != state.sender);
        for author in [state.sender].into_iter().chain(carrier) {
            self.walk_of(state.id, author, &mut |act, step| {
                at = next(at, step);
                match step {
                    Step::Position(_) => state.position = Some(act),
                    Step::Divert { to, request } => (state.to, state.diverted_to) = (*to, *request),
                    Step::Lost(goods) => lost.add(goods),
                    Step::Return(goods) => returned.add(goods),
                    Step::Load | Step::Depart | Step::Arrive | Step::HandOver(_) | Step::Unload => {}
                }
            });
        }
        state.is_diverted = state.to != first || state.diverted_to.is_some();
        state.stage = if at.0 && at.1 < Stage::Departed { Stage::Unloaded } else { at.1 };
        (lost, returned)
    }

    /// Whoever signed has the goods. Of several receipts that of the consignee counts, and of one node the first.
    fn read_receipts(&self, state: &mut ConsignmentState) {
        let receipts = self.supply.acts.of(state.id).filter(|act| self.receipt(*act).is_some());
        let mut receipts: Vec<FactId> =
            receipts.filter(|act| self.fact(*act).is_some_and(|(_, fact)| self.is_authorised(*act, fact))).collect();
        receipts.sort_by_key(|act| (act.entry.log.author != state.to, *act));
        let mut receipts = receipts.into_iter();
        state.receipt = receipts.next();
        state.more_receipts = receipts.collect();
        if let Some(receipt) = state.receipt.and_then(|act| self.receipt(act)) {
            state.stage = if receipt.counts.is_empty() { Stage::Refused } else { Stage::Received };
        }
    }
}

/// Whether it was unloaded, and how far it got. What left is not unloaded. What was unloaded is over, for its goods may be planned for
/// another journey since; if it left all the same, it left.
fn next((unloaded, stage): (bool, Stage), step: &Step) -> (bool, Stage) {
    let reached = match step {
        Step::Load => Stage::Loaded,
        Step::Depart => Stage::Departed,
        Step::Position(_) => Stage::Departed,
        Step::Arrive => Stage::Arrived,
        Step::HandOver(_) => Stage::HandedOver,
        Step::Unload => return (unloaded || stage < Stage::Departed, stage),
        Step::Divert { .. } | Step::Lost(_) | Step::Return(_) => return (unloaded, stage),
    };
    (unloaded && reached < Stage::Departed, stage.max(reached))
}

impl ConsignmentState {
    /// Everything the facts say of it, canonical.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(1, &self.id.to_bytes()).text(2, self.stage.word()).bytes(3, &self.to.to_bytes());
        out.uint(4, u64::from(self.differs)).bytes(5, &self.receipt.map(FactId::to_bytes).unwrap_or_default());
        out.list(
            6,
            self.lines.iter().map(|line| {
                let mut item = Writer::new();
                item.bytes(1, &item_to_bytes(&line.item)).uint(2, line.sent).bytes(3, &line.outcome.to_bytes());
                item.finish()
            }),
        );
        out.finish()
    }

    /// Works out, load by load, what became of the goods. What was counted is given to the loads in their order.
    fn share_out(&mut self, loads: &[Load], counts: Option<&[Counted]>, lost: &Stated, returned: &Stated) {
        let items: std::collections::BTreeSet<&LineItem> =
            loads.iter().flat_map(|load| &load.goods).map(|amount| &amount.item).collect();
        self.loads = loads.iter().map(|load| LoadState { commitment: load.commitment, lines: Vec::new() }).collect();
        for item in items {
            let sent = |load: &Load| load.goods.iter().find(|amount| amount.item == *item).map_or(0, |amount| amount.quantity);
            let counted = counts.and_then(|counts| counts.iter().find(|counted| counted.item == *item));
            let mut left = self.pool(counted, counts.is_some(), lost.of(item), returned.of(item));
            let mut sum = Carried { item: item.clone(), sent: 0, outcome: Outcome::default() };
            for (load, state) in loads.iter().zip(&mut self.loads) {
                let quantity = sent(load);
                if quantity == 0 {
                    continue;
                }
                let outcome = left.draw(quantity, self.stage);
                sum.sent = sum.sent.saturating_add(quantity);
                sum.outcome.add(&outcome);
                state.lines.push(Carried { item: item.clone(), sent: quantity, outcome });
            }
            self.differs |= counts.is_some_and(|counts| !counts.is_empty())
                && counted.map_or(0, |counted| counted.accepted.saturating_add(counted.rejected)) != sum.sent;
            self.lines.push(sum);
        }
        self.differs |=
            counts.is_some_and(|counts| counts.iter().any(|counted| self.lines.iter().all(|line| line.item != counted.item)));
        let all = |which: fn(&Outcome) -> u64| {
            !self.lines.is_empty() && self.lines.iter().all(|line| which(&line.outcome) == line.sent)
        };
        if self.receipt.is_none() && self.stage != Stage::Unloaded && all(|outcome| outcome.missing) {
            self.stage = Stage::Lost;
        } else if all(|outcome| outcome.returned) {
            self.stage = Stage::Returned;
        }
    }

    /// What is known of an item of it, to be given to the loads.
    fn pool(&self, counted: Option<&Counted>, signed: bool, lost: u64, returned: u64) -> Pool {
        if !signed {
            return Pool { signed, lost, returned, ..Pool::default() };
        }
        let refused = self.stage == Stage::Refused;
        Pool {
            signed,
            accepted: counted.map_or(0, |counted| counted.accepted),
            rejected: if refused { u64::MAX } else { counted.map_or(0, |counted| counted.rejected) },
            damaged: counted.map_or(0, |counted| counted.damaged),
            lost: 0,
            returned,
        }
    }
}

/// What was stated of an item, as far as no load has it yet.
#[derive(Clone, Copy, Debug, Default)]
struct Pool {
    signed: bool,
    accepted: u64,
    rejected: u64,
    damaged: u64,
    lost: u64,
    returned: u64,
}

impl Pool {
    fn draw(&mut self, quantity: u64, stage: Stage) -> Outcome {
        let mut left = quantity;
        let mut out = Outcome::default();
        if stage == Stage::Unloaded {
            return out;
        }
        if self.signed {
            out.accepted = take(&mut left, self.accepted);
            out.rejected = take(&mut left, self.rejected);
            out.damaged = take(&mut left, self.damaged);
            // Whatever nobody counted is not there.
            out.missing = left;
            self.accepted -= out.accepted;
            self.rejected -= out.rejected;
            self.damaged -= out.damaged;
            // Only what was sent back can come back.
            out.returned = take(&mut out.rejected, self.returned);
            self.returned -= out.returned;
            return out;
        }
        out.missing = take(&mut left, self.lost);
        self.lost -= out.missing;
        out.returned = take(&mut left, self.returned);
        self.returned -= out.returned;
        if stage >= Stage::Departed {
            out.in_transit = left
        } else {
            out.waiting = left
        }
        out
    }
}

impl Outcome {
    pub(crate) fn add(&mut self, other: &Self) {
        let sums = [
            (&mut self.waiting, other.waiting),
            (&mut self.in_transit, other.in_transit),
            (&mut self.accepted, other.accepted),
            (&mut self.rejected, other.rejected),
            (&mut self.damaged, other.damaged),
            (&mut self.missing, other.missing),
            (&mut self.returned, other.returned),
        ];
        for (sum, more) in sums {
            *sum = sum.saturating_add(more);
        }
    }

    /// All of it, canonical.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Writer::new();
        out.uint(1, self.waiting).uint(2, self.in_transit).uint(3, self.accepted).uint(4, self.rejected);
        out.uint(5, self.damaged).uint(6, self.missing).uint(7, self.returned);
        out.finish()
    }

    /// Of a part of the goods: what came is given out first.
    pub(crate) fn part(&self, mut wanted: u64) -> Self {
        let mut of = |there: u64| {
            let taken = there.min(wanted);
            wanted -= taken;
            taken
        };
        Self {
            accepted: of(self.accepted),
            in_transit: of(self.in_transit),
            waiting: of(self.waiting),
            rejected: of(self.rejected),
            damaged: of(self.damaged),
            missing: of(self.missing),
            returned: of(self.returned),
        }
    }

    /// All of it.
    #[must_use]
    pub fn sum(&self) -> u64 {
        let all = [self.waiting, self.in_transit, self.accepted, self.rejected, self.damaged, self.missing, self.returned];
        all.into_iter().fold(0, u64::saturating_add)
    }
}
