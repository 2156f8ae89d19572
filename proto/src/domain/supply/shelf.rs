//! The shelf of one site: what is there, what of it is promised, and what may still be. Only its own node promises from it, so no
//! partition can promise a carton twice (`domain.md` 0.4, I1).
//!
//! What is there is the count on the node's own detail: every load, return and receipt changes it in the same write as the word itself.
//! Its age stays that of the last count, for nobody looked again.

use std::collections::BTreeMap;

use super::super::fact::LineItem;
use super::super::fact::supply::Step;
use super::super::reading::{self, Reading, Readings, Subject, Value};
use super::super::{Domain, HeldDocument};
use super::consignment::Stage;
use crate::id::{DocKind, FactId, NodeId};

/// One item of it, base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Counted; absent: never, or only as a level.
    pub on_hand: Option<u64>,
    /// Kept for the people of the place: never promised.
    pub floor: u64,
    /// What holds the rest: promises that are planned for no journey yet, and journeys not loaded yet.
    pub holds: Vec<(FactId, u64)>,
}

impl Shelf {
    /// Promised and still there.
    #[must_use]
    pub fn promised(&self) -> u64 {
        self.holds.iter().fold(0, |sum, (_, held)| sum.saturating_add(*held))
    }

    /// What may still be promised; absent where nothing was counted.
    #[must_use]
    pub fn available(&self) -> Option<u64> {
        self.on_hand.map(|there| there.saturating_sub(self.floor).saturating_sub(self.promised()))
    }

    /// Promised and not there: the shelf holds less than was promised of it (C2).
    #[must_use]
    pub fn short(&self) -> u64 {
        self.on_hand.map_or(0, |there| self.promised().saturating_sub(there))
    }
}

impl Domain {
    /// What a node counted, kept and promised, by item code. Of a node of another firm the counts are not known.
    #[must_use]
    pub fn shelf(&self, node: NodeId) -> BTreeMap<LineItem, Shelf> {
        let mut shelf: BTreeMap<LineItem, Shelf> = BTreeMap::new();
        if let Some(HeldDocument::Present { payload, .. }) = self.documents.get(node, DocKind::Detail) {
            for (subject, reading) in reading::decode(payload) {
                match (subject, reading.value) {
                    (Subject::Count(code), Value::Number(count)) => {
                        shelf.entry(LineItem::Code(code)).or_default().on_hand = Some(count);
                    }
                    (Subject::Floor(code), Value::Number(kept)) => shelf.entry(LineItem::Code(code)).or_default().floor = kept,
                    (Subject::Field(_) | Subject::Level(_) | Subject::Count(_) | Subject::Service(_) | Subject::Floor(_), _) => {}
                }
            }
        }
        for state in self.commitments_of(node).filter_map(|id| self.commitment_state(id)) {
            for line in state.lines.iter().filter(|line| line.unplanned > 0) {
                shelf.entry(line.item.clone()).or_default().holds.push((state.id, line.unplanned));
            }
        }
        for id in self.consignments_of(node).filter(|id| !self.is_off_shelf(*id)) {
            let Some(state) = self.consignment_state(id).filter(|state| state.stage != Stage::Unloaded) else { continue };
            for line in state.lines.iter().filter(|line| line.sent > line.outcome.returned) {
                let held = line.sent - line.outcome.returned;
                shelf.entry(line.item.clone()).or_default().holds.push((id, held));
            }
        }
        shelf
    }

    /// Whether its sender took the goods of a consignment off the shelf.
    pub(crate) fn is_off_shelf(&self, consignment: FactId) -> bool {
        let own = self.supply.acts.of(consignment).filter(|act| act.entry.log.author == consignment.entry.log.author);
        let steps = own.filter_map(|act| self.journey(act)).map(|journey| &journey.step);
        steps.fold(false, |off, step| match step {
            Step::Load | Step::Depart => true,
            Step::Unload => false,
            Step::Position(_) | Step::Arrive | Step::HandOver(_) | Step::Divert { .. } | Step::Lost(_) | Step::Return(_) => off,
        })
    }

    /// The own documents after goods came or went: counts where there are any, and the levels that follow. `None`: nothing is counted.
    pub(crate) fn move_stock(
        &self,
        me: NodeId,
        moved: &BTreeMap<LineItem, i64>,
        now: crate::time::Now,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let (mut board, mut detail) = (self.own_readings(me, DocKind::Board, now), self.own_readings(me, DocKind::Detail, now));
        let mut touched = false;
        for (item, by) in moved {
            let LineItem::Code(code) = item else { continue };
            touched |= self.move_item(code, *by, &mut board, &mut detail);
        }
        touched.then(|| (reading::encode(&board), reading::encode(&detail)))
    }

    fn move_item(&self, code: &str, by: i64, board: &mut Readings, detail: &mut Readings) -> bool {
        let Some(reading) = detail.get_mut(&Subject::Count(code.to_owned())) else { return false };
        let Value::Number(count) = reading.value else { return false };
        let (now, seen) = (count.saturating_add_signed(by), reading.seen);
        reading.value = Value::Number(now);
        if let Some(item) = self.catalogue().item(code) {
            board.insert(Subject::Level(code.to_owned()), Reading { value: Value::Number(item.level(now)), seen });
        }
        true
    }
}
