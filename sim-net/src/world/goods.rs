//! Goods in the simulated world: what dispatchers see, and what must hold of promises and journeys whoever did what.

use holdfast_proto::control::{Answer, ConflictsView, ConsignmentsView, GoodsView, Question, RequestsView};

use super::World;
use crate::checker::{Rule, Sometimes};
use crate::scenario::SiteNo;
use crate::workload::goods::Shown;

impl World {
    /// What a dispatcher sees who is about to do something about goods.
    pub(super) fn shown_to(&mut self, node: SiteNo) -> Option<Shown> {
        let me = self.alliance.members[node].id.to_string();
        let Some(Answer::Requests(requests)) = self.ask(node, &Question::Requests) else { return None };
        let (consignments, conflicts) = self.goods_shown(node)?;
        if conflicts.conflicts.iter().any(|conflict| conflict.kind == "over_covered") {
            self.checker.saw(Sometimes::OverCovered);
        }
        if consignments.consignments.iter().any(|one| one.status == "received") {
            self.checker.saw(Sometimes::Received);
        }
        Some(Shown { me, requests, consignments, conflicts })
    }

    pub(super) fn goods_shown(&mut self, node: SiteNo) -> Option<(ConsignmentsView, ConflictsView)> {
        let Some(Answer::Consignments(consignments)) = self.ask(node, &Question::Consignments) else { return None };
        let Some(Answer::Conflicts(conflicts)) = self.ask(node, &Question::Conflicts) else { return None };
        Some((consignments, conflicts))
    }

    /// Every unit is in exactly one stage, as a node shows it at the end (I10); none is taken in that nobody signed for (I7).
    pub(super) fn conserved(&mut self, node: SiteNo, view: &RequestsView) {
        for promise in view.requests.iter().flat_map(|request| &request.commitments) {
            let whole = promise.lines.iter().all(|line| sum(line) == line.quantity);
            self.checker.check(Rule::EventuallyConserved, whole, self.now, Some(node), || {
                format!("of promise {} units are lost or made: {:?}", promise.commitment, promise.lines)
            });
        }
        let Some((view, _)) = self.goods_shown(node) else { return };
        for one in &view.consignments {
            let whole = one.status == "unloaded" || one.lines.iter().all(|line| sum(line) == line.quantity);
            let signed = one.history.iter().any(|act| act.act == "receive" && act.flagged.is_none());
            let taken_in = one.lines.iter().any(|line| line.accepted > 0);
            self.checker.check(Rule::EventuallyConserved, whole && (signed || !taken_in), self.now, Some(node), || {
                format!("of consignment {} units are lost, made, or taken in unsigned: {:?}", one.consignment, one.lines)
            });
        }
    }
}

fn sum(line: &GoodsView) -> u64 {
    let stages =
        [line.committed, line.in_transit, line.accepted, line.rejected, line.damaged, line.missing, line.released, line.diverted];
    stages.into_iter().sum()
}
