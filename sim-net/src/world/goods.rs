//! Goods in the simulated world: what dispatchers see, and what must hold of promises and journeys whoever did what.

use holdfast_proto::control::{
    Answer, Command, CommitWish, CommitmentView, ConflictView, ConsignWish, ConsignmentView, GoodsView, Question, ReceiveWish,
    RequestView, RequestsView, ResolveWish, StepWish, StockWish, SupplyWish, Which,
};

use super::World;
use super::order::duty_desk;
use crate::checker::{Rule, Sometimes};
use crate::network::radio::place::Place;
use crate::scenario::goods::{GoodsDeed, Lines, change_text, line_text};
use crate::scenario::words::{JourneyStep, SiteRole};
use crate::scenario::{Micros, SiteNo};
use crate::workload::Kind;
use crate::workload::goods::Shown;

impl World {
    /// What somebody at a running site sees who looks at these screens.
    pub(super) fn shown_to(&mut self, node: SiteNo, screens: &[Question]) -> Option<Shown> {
        let mut shown = Shown { me: self.alliance.members[node].id.to_string(), ..Shown::default() };
        for screen in screens {
            let answer = self.ask(node, screen)?;
            if let Answer::Requests(view) = answer {
                shown.requests = view.requests;
            } else if let Answer::Consignments(view) = answer {
                shown.consignments = view.consignments;
            } else if let Answer::Conflicts(view) = answer {
                shown.conflicts = view.conflicts;
            }
        }
        if shown.conflicts.iter().any(|conflict| conflict.kind == "over_covered") {
            self.checker.saw(Sometimes::OverCovered);
        }
        if shown.consignments.iter().any(|one| one.status == "received") {
            self.checker.saw(Sometimes::Received);
        }
        Some(shown)
    }

    /// What a running site shows of consignments.
    pub(crate) fn consignments_shown(&mut self, node: SiteNo) -> Option<Vec<ConsignmentView>> {
        self.shown_to(node, &[Question::Consignments(Which::All)]).map(|shown| shown.consignments)
    }

    /// What a running site shows that people must settle.
    pub(crate) fn conflicts_shown(&mut self, node: SiteNo) -> Option<Vec<ConflictView>> {
        self.shown_to(node, &[Question::Conflicts]).map(|shown| shown.conflicts)
    }

    /// What an inject has the desk of a site type, by what its own screen shows; `None` where it does not show yet what this is about.
    pub(super) fn goods_wish(&mut self, node: SiteNo, deed: &GoodsDeed) -> Option<SupplyWish> {
        let act = duty_desk();
        Some(match deed {
            GoodsDeed::Stock(changes) => {
                let changes = changes.iter().map(|(item, by)| change_text(item, *by)).collect();
                SupplyWish::Stock(StockWish { changes, act })
            }
            GoodsDeed::Commit { request, lines } => {
                let request = self.seen(node, request)?.1.request;
                SupplyWish::Commit(CommitWish { request, items: typed(lines), act, ..CommitWish::default() })
            }
            GoodsDeed::Consign { request, step: JourneyStep::Plan, .. } => {
                let (shown, request) = self.seen(node, request)?;
                let commitments = Some(waiting(&request, &shown.me)).filter(|waiting| !waiting.is_empty())?;
                SupplyWish::Consign(ConsignWish { commitments, act, ..ConsignWish::default() })
            }
            GoodsDeed::Consign { request, step, to } => {
                let (shown, request) = self.seen(node, request)?;
                let to = match to {
                    Some(other) => Some(self.seen(node, other)?.1.request),
                    None => None,
                };
                let consignment = expected(&shown, &request, |one| one.sender.id == shown.me)?.consignment.clone();
                let step = step.text().replace('-', "_");
                SupplyWish::Step(StepWish { consignment, step, to, act, ..StepWish::default() })
            }
            GoodsDeed::Receive { request, lines } => {
                let (shown, request) = self.seen(node, request)?;
                let left = |one: &ConsignmentView| one.to.id == shown.me && !NOT_YET.contains(&one.status.as_str());
                let consignment = expected(&shown, &request, left)?.consignment.clone();
                SupplyWish::Receive(ReceiveWish { consignment, accepted: typed(lines), act, ..ReceiveWish::default() })
            }
            GoodsDeed::Resolve { request } => {
                let (shown, request) = self.seen(node, request)?;
                let conflict = own_part(&shown, &request)?.conflict.clone();
                SupplyWish::Resolve(ResolveWish { conflict, act })
            }
        })
    }

    /// Who sends goods at a hub, or signs for them at a store, looks at the screen and types what is to be done.
    pub(super) fn depot(&mut self, node: SiteNo) {
        if self.scenario.sites[node].role == SiteRole::Hub {
            if let Some(command) = self.slots[node].depot.count() {
                self.command(node, Kind::Report, command);
            }
        } else if !self.slots[node].depot.has_to_sign() {
            return;
        }
        let Some(shown) = self.shown_to(node, &DEPOT_SCREENS) else { return };
        let mut depot = self.slots[node].depot.clone();
        let typed = depot.look(&shown, self.now, |to| self.takes_to(node, to));
        self.slots[node].depot = depot;
        for wish in typed {
            if let SupplyWish::Step(StepWish { consignment, step, .. }) = &wish
                && step == "hand_over"
                && let Some(one) = shown.consignments.iter().find(|one| one.consignment == *consignment)
                && let Some(store) = self.site_of(&one.to.id)
            {
                // The van itself stands there, whatever the network does.
                self.slots[store].depot.arrived(consignment.clone());
            }
            self.command(node, Kind::Goods, Command::Supply(wish));
        }
    }

    /// How long a van drives to the site of that node.
    fn takes_to(&self, node: SiteNo, to: &str) -> Micros {
        let place = |site: SiteNo| {
            let site = &self.scenario.sites[site];
            Place { lat: site.lat, lon: site.lon }
        };
        let metres = self.site_of(to).map_or(0, |to| place(node).metres(place(to)));
        UNDER_WAY + u64::from(metres) * MICROS_PER_METRE
    }

    /// What a site shows, and a request that it shows.
    fn seen(&mut self, node: SiteNo, label: &str) -> Option<(Shown, RequestView)> {
        let name = self.requests.get(label)?.1.clone();
        let shown = self.shown_to(node, &SCREENS)?;
        let request = shown.requests.iter().find(|request| request.request == name)?.clone();
        Some((shown, request))
    }

    /// Every unit is in exactly one stage, as a node shows it at the end (I10); none is taken in that nobody signed for (I7).
    pub(super) fn conserved(&mut self, node: SiteNo, view: &RequestsView) {
        for promise in view.requests.iter().flat_map(|request| &request.commitments) {
            let whole = promise.lines.iter().all(|line| sum(line) == line.quantity);
            self.checker.check(Rule::EventuallyConserved, whole, self.now, Some(node), || {
                format!("of promise {} units are lost or made: {:?}", promise.commitment, promise.lines)
            });
        }
        let Some(consignments) = self.consignments_shown(node) else { return };
        for one in &consignments {
            let whole = one.status == "unloaded" || one.lines.iter().all(|line| sum(line) == line.quantity);
            let signed = one.history.iter().any(|act| act.act == "receive" && act.flagged.is_none());
            let taken_in = one.lines.iter().any(|line| line.accepted > 0);
            self.checker.check(Rule::EventuallyConserved, whole && (signed || !taken_in), self.now, Some(node), || {
                format!("of consignment {} units are lost, made, or taken in unsigned: {:?}", one.consignment, one.lines)
            });
        }
    }
}

/// Everything about goods, as who carries out an inject looks at it.
const SCREENS: [Question; 3] = [Question::Requests(Which::All), Question::Consignments(Which::All), Question::Conflicts];
/// What waits, as the people of a depot look at it again and again.
const DEPOT_SCREENS: [Question; 3] = [Question::Requests(Which::Open), Question::Consignments(Which::Open), Question::Conflicts];
/// From the gate to the road and from the road to the door.
const UNDER_WAY: Micros = 20 * 60_000_000;
/// 25 km/h as the crow flies, in a bad week.
const MICROS_PER_METRE: u64 = 144_000;
/// Nothing left the sender.
const NOT_YET: [&str; 2] = ["planned", "loaded"];
/// Nothing is expected of these any more.
const OVER: [&str; 4] = ["received", "unloaded", "lost", "returned"];

fn typed(lines: &Lines) -> Vec<String> {
    lines.iter().map(|(item, quantity)| line_text(item, *quantity)).collect()
}

/// Promises of a supplier to a request of which something is not on its way yet.
fn waiting(request: &RequestView, supplier: &str) -> Vec<String> {
    let here = |promise: &&CommitmentView| promise.supplier.id == supplier && promise.lines.iter().any(|line| line.committed > 0);
    request.commitments.iter().filter(here).map(|promise| promise.commitment.clone()).collect()
}

/// The first conflict about goods for a request in which something is asked of who looks.
fn own_part<'s>(shown: &'s Shown, request: &RequestView) -> Option<&'s ConflictView> {
    let carries = |name: &String| {
        let all = &shown.consignments;
        all.iter().any(|one| one.consignment == *name && one.requests.contains(&request.request))
    };
    let mine = |conflict: &&ConflictView| {
        conflict.proposals.iter().any(|proposal| proposal.by.id == shown.me)
            && (conflict.about == request.request || carries(&conflict.about))
    };
    shown.conflicts.iter().find(mine)
}

/// The last consignment for a request that is still expected and that fits.
fn expected<'s>(shown: &'s Shown, request: &RequestView, fits: impl Fn(&ConsignmentView) -> bool) -> Option<&'s ConsignmentView> {
    let for_it =
        |one: &&ConsignmentView| one.requests.contains(&request.request) && !OVER.contains(&one.status.as_str()) && fits(one);
    shown.consignments.iter().rev().find(for_it)
}

fn sum(line: &GoodsView) -> u64 {
    let stages =
        [line.committed, line.in_transit, line.accepted, line.rejected, line.damaged, line.missing, line.released, line.diverted];
    stages.into_iter().sum()
}
