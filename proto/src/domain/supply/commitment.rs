//! A commitment: what one supplier promised to one request, and where those goods are.

use super::super::Domain;
use super::super::fact::LineItem;
use super::consignment::{Outcome, Stage};
use super::{Goods, Stated, goods_of, item_to_bytes, take};
use crate::codec::canonical::Writer;
use crate::id::{FactId, NodeId};

/// One item of a promise: exclusive stages, base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// What.
    pub item: LineItem,
    /// Promised.
    pub quantity: u64,
    /// Taken back.
    pub released: u64,
    /// Planned for no journey yet.
    pub unplanned: u64,
    /// On their way to somebody else.
    pub diverted: u64,
    /// Those on journeys to the requester.
    pub outcome: Outcome,
}

impl Promised {
    /// Promised and not departed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.unplanned.saturating_add(self.outcome.waiting)
    }

    /// Not received yet.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.committed().saturating_add(self.outcome.in_transit)
    }
}

/// A commitment as the facts have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentState {
    /// Its name.
    pub id: FactId,
    /// Who promised.
    pub supplier: NodeId,
    /// The request as it was named.
    pub request: FactId,
    /// The version that was seen.
    pub seen: u32,
    /// When the goods are to be there.
    pub arrival_s: Option<u64>,
    /// Whether the promise counts for the request: not where its author's word is in question.
    pub is_sound: bool,
    /// Item by item, as promised.
    pub lines: Vec<Promised>,
    /// Consignments that carry goods of it, in the order they were planned.
    pub consignments: Vec<FactId>,
    /// The furthest that one of them got.
    pub stage: Option<Stage>,
    /// Goods were loaded beyond what was promised.
    pub is_overloaded: bool,
}

impl CommitmentState {
    /// Where it stands, in JSON: `committed`, `loaded`, `departed` and so on by its consignments, `released`, `received`, `diverted`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let all = |which: fn(&Promised) -> u64| self.lines.iter().all(|line| which(line) == line.quantity);
        let open = self.lines.iter().any(|line| line.open() > 0);
        match self.stage {
            _ if all(|line| line.released.saturating_add(line.outcome.returned)) => "released",
            _ if all(|line| line.diverted.saturating_add(line.released)) => "diverted",
            Some(stage) if !open || stage != Stage::Received => stage.word(),
            Some(_) => "departed",
            None => "committed",
        }
    }

    /// Everything the facts say of it, canonical.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(1, &self.id.to_bytes()).text(2, self.word()).uint(3, u64::from(self.is_sound));
        out.list(
            4,
            self.lines.iter().map(|line| {
                let mut item = Writer::new();
                item.bytes(1, &item_to_bytes(&line.item)).uint(2, line.quantity).uint(3, line.released);
                item.uint(4, line.unplanned).uint(5, line.diverted).bytes(6, &line.outcome.to_bytes());
                item.finish()
            }),
        );
        out.finish()
    }
}

impl Domain {
    /// A commitment by name; `None` where its fact is not held.
    #[must_use]
    pub fn commitment_state(&self, id: FactId) -> Option<CommitmentState> {
        let commit = self.commit(id)?;
        let mut state = CommitmentState {
            id,
            supplier: id.entry.log.author,
            request: commit.of.request,
            seen: commit.of.seen,
            arrival_s: commit.arrival_s,
            is_sound: self.is_sound(id),
            lines: Vec::new(),
            consignments: Vec::new(),
            stage: None,
            is_overloaded: false,
        };
        let mut left = goods_of(&commit.goods);
        let mut lines: Vec<Promised> = commit.goods.iter().map(|amount| promised(&amount.item, amount.quantity)).collect();
        // What is on a vehicle can't be released: the journeys first.
        let supplier = state.supplier;
        for consignment in self.supply.loads.of(id).filter(|other| other.entry.log.author == supplier) {
            self.follow(consignment, &mut state, &mut left, &mut lines);
        }
        let released = self.released_of(id);
        for line in &mut lines {
            line.unplanned = left.get_mut(&line.item).map_or(0, std::mem::take);
            line.released = take(&mut line.unplanned, released.of(&line.item));
        }
        state.lines = lines;
        Some(state)
    }

    fn follow(&self, consignment: FactId, state: &mut CommitmentState, left: &mut Goods, lines: &mut [Promised]) {
        let Some(journey) = self.consignment_state(consignment).filter(|state| state.stage != Stage::Unloaded) else { return };
        state.consignments.push(consignment);
        state.stage = state.stage.max(Some(journey.stage));
        for load in journey.loads.iter().filter(|load| load.commitment == Some(state.id)) {
            for carried in &load.lines {
                let taken = left.get_mut(&carried.item).map_or(0, |left| take(left, carried.sent));
                state.is_overloaded |= taken < carried.sent;
                let Some(line) = lines.iter_mut().find(|line| line.item == carried.item) else { continue };
                if journey.is_diverted {
                    line.diverted = line.diverted.saturating_add(taken);
                } else {
                    line.outcome.add(&carried.outcome.part(taken));
                }
            }
        }
    }

    /// What the supplier took back of it.
    fn released_of(&self, id: FactId) -> Stated {
        let mut sum = Stated::default();
        for act in self.supply.releases.of(id).filter(|act| act.entry.log.author == id.entry.log.author) {
            if let Some(release) = self.release_of(act) {
                sum.add(&release.goods);
            }
        }
        sum
    }

    /// A commitment of this author under this key: what a retry finds.
    pub(crate) fn commitment_by_key(&self, author: NodeId, request: FactId, key: [u8; 8]) -> Option<FactId> {
        let own = self.supply.answers.of(request).filter(|id| id.entry.log.author == author);
        let mut own = own.filter(|id| self.commit(*id).is_some_and(|commit| commit.key == Some(key)));
        own.next()
    }
}

fn promised(item: &LineItem, quantity: u64) -> Promised {
    Promised { item: item.clone(), quantity, released: 0, unplanned: 0, diverted: 0, outcome: Outcome::default() }
}
