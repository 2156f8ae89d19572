//! In which mode this node works. Orders are followed by a word of its own; where the central systems are silent and neighbours say so
//! too, it switches by itself; and its people switch it whenever they like. Nothing central is needed to go back.

use super::Node;
use super::delivery::Ticket;
use super::write::{Drafts, Flight};
use crate::control::{Act, OrderWish, OrdersView, ScopeView};
use crate::domain::fact::ModeChange;
use crate::domain::fact::order::{HEARD, SILENT};
use crate::domain::refusal::Refusal;
use crate::domain::{Plan, PlanInput, field};
use crate::id::{DocKind, NodeId};
use crate::identity::NodeCertificate;

/// Numbers in [`field::REACH`].
const REACHABLE: u8 = 0;
const UNREACHABLE: u8 = 1;
/// Days that two clocks may be apart, and a guest's first day by one be tomorrow by the other.
const CLOCKS_APART_DAYS: i64 = 1;
/// Number of "recovery" in [`field::MODE`]: what follows when the central systems answer again.
const RECOVERY: u8 = 3;

impl Node {
    /// An order as wished, with how long ago whoever it is in the stead of was heard here.
    pub(super) fn plan_order<'a>(&self, wish: &'a OrderWish) -> Result<PlanInput<'a>, Refusal> {
        let principal = wish.acting_for.as_deref().map(|name| self.known.directory().find(name)).transpose()?;
        Ok(PlanInput::Order(wish, principal.and_then(|principal| self.heard_s(principal))))
    }

    /// The central systems were probed.
    pub(super) fn central_probed(&mut self, answers: bool) {
        if self.config.crisis.is_none() {
            return;
        }
        if self.own.central.is_none_or(|(before, _)| before != answers) {
            self.own.central = Some((answers, self.now.mono));
        }
        self.own.central_due = true;
    }

    /// Whether there is anything to look at since the last time.
    pub(super) fn mode_may_change(&self) -> bool {
        self.own.central_due || self.own.orders_seen != Some(self.domain.orders_version())
    }

    /// Writes what follows from orders and from the probe.
    pub(super) fn write_mode(&mut self, flight: &mut Flight, drafts: &mut Drafts) {
        self.own.orders_seen = Some(self.domain.orders_version());
        let probed = std::mem::take(&mut self.own.central_due);
        let change = self.domain.mode_due(self.me).or_else(|| if probed { self.central_change() } else { None });
        if let Some(change) = change {
            self.note_own_ages(drafts);
            // Only a clock that knows no time refuses, and no time is given here.
            let Ok(plan) = self.domain.plan_mode_change(self.me, change, &Act::default(), self.now) else { return };
            let fits = self.check_sizes(&plan).is_ok();
            self.open_incarnation(flight);
            let Plan { board, body, .. } = plan;
            if let Some(board) = board.filter(|_| fits) {
                self.draft(DocKind::Board, board.into(), flight, drafts);
            }
            if let Some((body, class)) = body {
                self.append(body.into(), class, flight);
            }
        }
        if probed {
            self.say_central(flight, drafts);
        }
    }

    /// What the probe comes to: nothing while it is not silent for long enough.
    fn central_word(&self) -> Option<u8> {
        let (crisis, (answers, since)) = (self.config.crisis?, self.own.central?);
        let long = self.now.mono.since(since) >= crisis.silent_after;
        if answers { Some(REACHABLE) } else { long.then_some(UNREACHABLE) }
    }

    /// The board says it, so that neighbours can agree: when it changes, and again before it no longer holds.
    fn say_central(&mut self, flight: &mut Flight, drafts: &mut Drafts) {
        let Some(word) = self.central_word() else { return };
        let half = field::field_of(field::CENTRAL).map_or(0, |field| u64::from(field.valid_s) * 1_000 / 2);
        let age = self.doc_age(self.me, DocKind::Board).map(|age| age.saturating_add(half));
        if self.domain.number_of(self.me, field::CENTRAL, age) == Some(u64::from(word)) {
            return;
        }
        self.note_own_ages(drafts);
        let Ok(plan) = self.domain.plan_central(self.me, word, self.now) else { return };
        if let Some(board) = plan.board.clone().filter(|_| self.check_sizes(&plan).is_ok()) {
            self.open_incarnation(flight);
            self.draft(DocKind::Board, board.into(), flight, drafts);
        }
    }

    /// The switch that follows from the probe: once for each silence, so that what people choose afterwards stands.
    fn central_change(&self) -> Option<ModeChange> {
        let (crisis, (_, since)) = (self.config.crisis?, self.own.central?);
        let switched = self.domain.modes_of(self.me).find(|(_, mode)| matches!(mode.cause, SILENT | HEARD));
        let in_silence = switched.is_some_and(|(_, mode)| mode.cause == SILENT);
        let newest = self.domain.mode_of(self.me);
        let change = |mode, cause| Some(ModeChange { mode, cause, order: None, reason: None });
        match self.central_word()? {
            UNREACHABLE if !in_silence && self.neighbours_agree(crisis.agree) => change(crisis.mode, SILENT),
            REACHABLE if in_silence && self.now.mono.since(since) >= crisis.silent_after => {
                let (_, newest) = newest?;
                change(if newest.cause == SILENT { RECOVERY } else { newest.mode }, HEARD)
            }
            _ => None,
        }
    }

    /// Whether enough other nodes of the region say that the central systems are silent, and more than say that they answer.
    fn neighbours_agree(&self, enough: u32) -> bool {
        let nodes = &self.known.directory().nodes;
        let Some(region) = nodes.get(&self.me).map(|entry| &entry.region) else { return false };
        let others = nodes
            .iter()
            .filter(|(node, entry)| **node != self.me && entry.region == *region && !entry.revoked && !node.is_guest());
        let said =
            others.filter_map(|(node, _)| self.domain.number_of(*node, field::CENTRAL, self.doc_age(*node, DocKind::Board)));
        let (mut silent, mut answering) = (0_u32, 0_u32);
        for word in said {
            if word == u64::from(UNREACHABLE) { silent += 1 } else { answering += 1 }
        }
        silent >= enough && (silent > answering || enough == 0)
    }

    /// Seconds since a node was last heard here: by a link to it that is up, or by its newest board. `None`: never, or nobody can say.
    pub(super) fn heard_s(&self, node: NodeId) -> Option<u32> {
        if self.links.values().any(|link| link.node == Some(node) || link.audible.contains(&node)) {
            return Some(0);
        }
        let age_s = self.doc_age(node, DocKind::Board)? / 1_000;
        Some(u32::try_from(age_s).unwrap_or(u32::MAX))
    }

    /// Whether a node's certificate is past its end by our clock. A clock that is known to be wrong says nothing.
    pub(super) fn has_lapsed(&self, node: NodeId) -> bool {
        let wall = self.wall();
        let until = self.known.roster().current(node).map(|certificate| i64::from(certificate.not_after) + 1);
        wall.is_known() && until.is_some_and(|days| wall.0 / 86_400_000 >= days)
    }

    /// Whether today is none of the days that a guest was given, by our clock.
    pub(super) fn is_guest_out_of_its_days(&self, node: NodeId) -> bool {
        let begun =
            |certificate: &NodeCertificate| self.wall().0 / 86_400_000 + CLOCKS_APART_DAYS >= i64::from(certificate.not_before);
        let early = || self.wall().is_known() && !self.known.roster().current(node).is_none_or(begun);
        node.is_guest() && (self.has_lapsed(node) || early())
    }

    /// The spoken id of an order just written.
    pub(super) fn fact_name(&self, ticket: Ticket) -> Option<String> {
        let Ticket::Fact(fact) = ticket else { return None };
        self.domain.fact_name(fact)
    }

    pub(super) fn orders_view(&self) -> OrdersView {
        let directory = self.known.directory();
        let scopes = self.domain.scopes(directory);
        OrdersView {
            schema: "holdfast.orders/1".to_owned(),
            followed: self.domain.followed(self.me),
            orders: self.domain.order_views(directory),
            scopes: scopes
                .into_iter()
                .map(|(principal, scope)| ScopeView {
                    principal: directory.name(principal),
                    deputies: scope.deputies.iter().map(|deputy| directory.name(*deputy)).collect(),
                    after_s: scope.after_s,
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_here_are_those_of_the_tables() {
        let code = |words: &'static [field::Choice], number: u8| {
            words.iter().find(|word| word.number == u32::from(number)).map(|word| word.code)
        };
        assert_eq!(code(field::REACH, REACHABLE), Some("reachable"));
        assert_eq!(code(field::REACH, UNREACHABLE), Some("silent"));
        assert_eq!(code(field::MODE, RECOVERY), Some("recovery"));
    }
}
