//! From a wish as typed to the bytes to sign: what a supplier, a carrier or a consignee can get wrong is said here, nothing is written.

use std::collections::BTreeMap;

use super::super::fact::supply::{
    Amount, CAUSES, Commit, Consign, Counted, Journey, LOADS_MAX, Load, NOT_NEEDED, Receipt, Release, Step, Supply, Unable,
};
use super::super::fact::{Deed, Fact, Line, LineItem, NOTE_BYTES_MAX, RequestRef, encode_body};
use super::super::field::choice_named;
use super::super::item::COUNT_MAX;
use super::super::plan::{Plan, body, common, key_of, needed_by, note_of};
use super::super::refusal::{self, Refusal};
use super::super::request::{RequestState, Standing};
use super::super::wish::Act;
use super::super::{Directory, Domain, text};
use super::commitment::CommitmentState;
use super::conflict::Proposal;
use super::consignment::{ConsignmentState, Stage};
use super::wishes::{
    CommitWish, ConsignWish, ReceiveWish, ReleaseWish, ResolveWish, StepWish, StockWish, SupplyWish, UnableWish,
};
use super::{Goods, goods_of, refused, take};
use crate::id::{Class, NodeId};
use crate::time::Now;

/// Of what holds stock so much is named in a refusal; `stock` shows all.
const HOLDERS_SHOWN: usize = 4;

/// By how much the counts of a site change.
type Moved = BTreeMap<LineItem, i64>;

impl Domain {
    pub(in super::super) fn plan_supply(
        &self,
        me: NodeId,
        directory: &Directory,
        input: &SupplyWish,
        now: Now,
    ) -> Result<Plan, Refusal> {
        match input {
            SupplyWish::Commit(wish) => self.plan_commit(me, wish, now),
            SupplyWish::Unable(wish) => self.plan_unable(me, wish, now),
            SupplyWish::Release(wish) => self.plan_release(me, wish, now),
            SupplyWish::Consign(wish) => self.plan_consign(me, directory, wish, now),
            SupplyWish::Step(wish) => self.plan_step(me, directory, wish, now),
            SupplyWish::Receive(wish) => self.plan_receive(me, directory, wish, now),
            SupplyWish::Resolve(wish) => self.plan_resolve(me, directory, wish, now),
            SupplyWish::Stock(wish) => self.plan_stock(me, wish, now),
        }
    }

    fn plan_commit(&self, me: NodeId, wish: &CommitWish, now: Now) -> Result<Plan, Refusal> {
        let state = self.standing_request(&wish.request)?;
        let key = wish.key.as_deref().map(key_of).transpose()?;
        if let Some(held) = key.and_then(|key| self.commitment_by_key(me, state.id, key)) {
            return Ok(Plan { already: Some(held), ..Plan::default() });
        }
        let coverage = self.coverage(state.id);
        let goods = if wish.items.is_empty() {
            let open = coverage.lines.iter().filter(|(_, line)| line.open() > 0);
            open.map(|(item, line)| Amount { item: item.clone(), quantity: line.open() }).collect()
        } else {
            let asked: Vec<&LineItem> =
                coverage.lines.iter().filter(|(_, line)| line.requested > 0).map(|(item, _)| item).collect();
            let goods = self.amounts_of(&wish.items, &asked)?;
            if let Some(other) = goods.iter().find(|amount| !asked.contains(&&amount.item)) {
                return Err(refused::not_asked_for(state.id, &other.item, &asked));
            }
            goods
        };
        if goods.is_empty() {
            return Err(refused::covered_already(state.id));
        }
        self.check_available(me, &goods_of(&goods))?;
        let of = RequestRef { request: state.id, seen: state.version, reason: note_of("note", wish.note.as_deref())? };
        let arrival_s = wish.arrival.map(|by| needed_by(by, now)).transpose()?;
        Self::plan_of(&wish.act, now, Supply::Commit(Commit { of, goods, arrival_s, key }))
    }

    fn plan_unable(&self, me: NodeId, wish: &UnableWish, now: Now) -> Result<Plan, Refusal> {
        let state = self.standing_request(&wish.request)?;
        if !self.is_asked(me, state.id) {
            return Err(refused::not_asked(state.id));
        }
        let of = RequestRef { request: state.id, seen: state.version, reason: note_of("reason", wish.reason.as_deref())? };
        Self::plan_of(&wish.act, now, Supply::Unable(Unable { of, declined: wish.declined }))
    }

    fn plan_release(&self, me: NodeId, wish: &ReleaseWish, now: Now) -> Result<Plan, Refusal> {
        let state = self.find_commitment(&wish.commitment)?;
        if state.supplier != me {
            return Err(refused::not_your_promise(&wish.commitment, state.supplier));
        }
        let there: Goods = state.lines.iter().map(|line| (line.item.clone(), line.unplanned)).collect();
        let goods = self.amounts_of(&wish.items, &there.keys().collect::<Vec<_>>())?;
        if there.values().all(|left| *left == 0) {
            return Err(refused::nothing_to_release(&state));
        }
        for amount in &goods {
            let left = there.get(&amount.item).copied().unwrap_or(0);
            if amount.quantity > left {
                return Err(refused::more_than_is_there(&amount.item, amount.quantity, left));
            }
        }
        let cause = match wish.cause.as_deref() {
            None => NOT_NEEDED,
            Some(word) => {
                let choice = choice_named(CAUSES, word).ok_or_else(|| refusal::unknown_word("cause", word, CAUSES))?;
                u8::try_from(choice.number).unwrap_or(NOT_NEEDED)
            }
        };
        let reason = note_of("reason", wish.reason.as_deref())?;
        Self::plan_of(&wish.act, now, Supply::Release(Release { commitment: state.id, goods, cause, reason }))
    }

    fn plan_consign(&self, me: NodeId, directory: &Directory, wish: &ConsignWish, now: Now) -> Result<Plan, Refusal> {
        let mut loads = Vec::new();
        let mut to = wish.to.as_deref().map(|name| directory.find(name)).transpose()?;
        for typed in &wish.commitments {
            let state = self.find_commitment(typed)?;
            if state.supplier != me {
                return Err(refused::not_your_promise(typed, state.supplier));
            }
            let consignee = self.request_state(state.request).map(|request| request.consignee);
            match (to, consignee) {
                (Some(to), Some(consignee)) if to != consignee => {
                    return Err(refused::two_consignees(typed, consignee, directory));
                }
                _ => to = to.or(consignee),
            }
            let left = state.lines.iter().filter(|line| line.unplanned > 0);
            let goods: Vec<Amount> = left.map(|line| Amount { item: line.item.clone(), quantity: line.unplanned }).collect();
            if goods.is_empty() || loads.iter().any(|load: &Load| load.commitment == Some(state.id)) {
                return Err(refused::nothing_to_load(&state));
            }
            loads.push(Load { commitment: Some(state.id), goods });
        }
        if !wish.items.is_empty() {
            let goods = self.amounts_of(&wish.items, &[])?;
            self.check_available(me, &goods_of(&goods))?;
            loads.push(Load { commitment: None, goods });
        }
        if loads.is_empty() {
            return Err(refusal::nothing_given());
        }
        if loads.len() > LOADS_MAX {
            return Err(refusal::too_many_lines(loads.len()));
        }
        let to = to.ok_or_else(refused::no_consignee)?;
        if to == me {
            return Err(refused::sent_to_oneself());
        }
        let carrier = wish.carrier.as_deref().map(|name| directory.find(name)).transpose()?.filter(|carrier| *carrier != me);
        let arrival_s = wish.arrival.map(|by| needed_by(by, now)).transpose()?;
        let note = note_of("note", wish.note.as_deref())?;
        Self::plan_of(&wish.act, now, Supply::Consign(Consign { to, carrier, loads, arrival_s, note }))
    }

    fn plan_step(&self, me: NodeId, directory: &Directory, wish: &StepWish, now: Now) -> Result<Plan, Refusal> {
        let state = self.find_consignment(&wish.consignment)?;
        let step = self.step_of(&state, directory, wish)?;
        let own = state.sender == me;
        let senders_alone = matches!(step, Step::Load | Step::Unload | Step::Return(_));
        if !own && (senders_alone || state.carrier != Some(me)) {
            return Err(refused::not_your_consignment(&state, directory));
        }
        let off_shelf = self.is_off_shelf(state.id);
        let sent = |by: i64| -> Moved {
            let signed = |quantity: u64| i64::try_from(quantity).unwrap_or(i64::MAX).saturating_mul(by);
            state.lines.iter().map(|line| (line.item.clone(), signed(line.sent - line.outcome.returned))).collect()
        };
        let moved = match &step {
            Step::Load | Step::Depart if own && !off_shelf => sent(-1),
            Step::Unload if off_shelf => sent(1),
            Step::Return(goods) => {
                let back = returned_goods(&state, goods)?;
                // Where a carrier said that it left and the sender never did, the goods were not taken off the count.
                if off_shelf { back } else { Moved::new() }
            }
            Step::Load
            | Step::Depart
            | Step::Unload
            | Step::Position(_)
            | Step::Arrive
            | Step::HandOver(_)
            | Step::Divert { .. }
            | Step::Lost(_) => Moved::new(),
        };
        let note = note_of("note", wish.note.as_deref())?;
        let supply = Supply::Journey(Journey { consignment: state.id, step, note });
        Ok(self.with_stock(me, Self::plan_of(&wish.act, now, supply)?, &moved, now))
    }

    fn step_of(&self, state: &ConsignmentState, directory: &Directory, wish: &StepWish) -> Result<Step, Refusal> {
        let items: Vec<&LineItem> = state.lines.iter().map(|line| &line.item).collect();
        let stage = state.stage;
        let late = || Err(refused::too_late(state, &wish.step));
        Ok(match wish.step.as_str() {
            "load" if stage == Stage::Planned => Step::Load,
            "depart" if stage < Stage::Departed => Step::Depart,
            "unload" if stage < Stage::Departed => Step::Unload,
            "position" if stage <= Stage::Arrived => {
                let place = wish.place.as_deref().unwrap_or_default();
                let place = text::clean(place, NOTE_BYTES_MAX).map_err(|bad| refusal::bad_text("place", NOTE_BYTES_MAX, bad))?;
                if place.is_empty() {
                    return Err(refusal::nothing_given());
                }
                Step::Position(place.to_owned())
            }
            "arrive" if stage < Stage::Arrived => Step::Arrive,
            "hand_over" if stage < Stage::HandedOver => {
                let goods = self.amounts_of(&wish.items, &items)?;
                let all = state.lines.iter().filter(|line| line.sent > line.outcome.returned + line.outcome.missing);
                let all = all.map(|line| Amount {
                    item: line.item.clone(),
                    quantity: line.sent - line.outcome.returned - line.outcome.missing,
                });
                let goods = if goods.is_empty() { all.collect() } else { goods };
                within_sent(state, &goods)?;
                Step::HandOver(goods)
            }
            "divert" if stage <= Stage::HandedOver => self.divert_of(state, directory, wish)?,
            "lost" if stage <= Stage::HandedOver => {
                let goods = self.amounts_of(&wish.items, &items)?;
                within_sent(state, &goods)?;
                Step::Lost(goods)
            }
            "return" if stage.is_moving() || stage == Stage::Refused || stage == Stage::Received => {
                Step::Return(self.amounts_of(&wish.items, &items)?)
            }
            "load" | "depart" | "unload" | "position" | "arrive" | "hand_over" | "divert" | "lost" | "return" => return late(),
            other => return Err(refused::unknown_step(other)),
        })
    }

    fn divert_of(&self, state: &ConsignmentState, directory: &Directory, wish: &StepWish) -> Result<Step, Refusal> {
        let typed = wish.to.as_deref().ok_or_else(refused::no_consignee)?;
        let (to, request) = match directory.find(typed) {
            Ok(node) => (node, None),
            Err(_) => {
                let request = self.standing_request(typed)?;
                (request.consignee, Some(request.id))
            }
        };
        if to == state.to && request == state.diverted_to {
            return Err(refused::goes_there_already(state, directory));
        }
        Ok(Step::Divert { to, request })
    }

    fn plan_receive(&self, me: NodeId, directory: &Directory, wish: &ReceiveWish, now: Now) -> Result<Plan, Refusal> {
        let state = self.find_consignment(&wish.consignment)?;
        if !self.consignees_of(state.id).contains(&me) {
            return Err(refused::not_sent_to_you(&state, directory));
        }
        if let Some(receipt) = state.receipt {
            return Err(refused::signed_already(&state, receipt.entry.log.author, directory));
        }
        if matches!(state.stage, Stage::Unloaded | Stage::Returned) {
            return Err(refused::too_late(&state, "receive"));
        }
        let reason = note_of("reason", wish.reason.as_deref())?;
        let counts = if wish.refuse { Vec::new() } else { self.counts_of(&state, wish)? };
        let moved = counts.iter().map(|counted| (counted.item.clone(), i64::try_from(counted.accepted).unwrap_or(i64::MAX)));
        let moved: Moved = moved.filter(|(_, by)| *by > 0).collect();
        let supply = Supply::Receive(Receipt { consignment: state.id, counts, reason });
        Ok(self.with_stock(me, Self::plan_of(&wish.act, now, supply)?, &moved, now))
    }

    /// What was counted, item by item; what of the goods sent nobody counted is missing.
    fn counts_of(&self, state: &ConsignmentState, wish: &ReceiveWish) -> Result<Vec<Counted>, Refusal> {
        let items: Vec<&LineItem> = state.lines.iter().map(|line| &line.item).collect();
        let read = |typed: &[String]| self.amounts_of(typed, &items).map(|amounts| goods_of(&amounts));
        let (accepted, rejected, damaged) = (read(&wish.accepted)?, read(&wish.rejected)?, read(&wish.damaged)?);
        for item in accepted.keys().chain(rejected.keys()).chain(damaged.keys()) {
            if !items.contains(&item) {
                return Err(refused::not_in_it(item, &items));
            }
        }
        let lines = state.lines.iter().map(|line| {
            let of = |goods: &Goods| goods.get(&line.item).copied().unwrap_or(0);
            let sent = line.sent - line.outcome.returned;
            let (rejected, damaged) = (of(&rejected), of(&damaged));
            // Without a count of what is good, all that is not bad is.
            let good = sent.saturating_sub(rejected).saturating_sub(damaged);
            let accepted = if accepted.is_empty() { good } else { of(&accepted) };
            let counted = accepted.saturating_add(rejected).saturating_add(damaged);
            if counted > sent {
                return Err(refused::more_than_sent(&line.item, counted, sent));
            }
            Ok(Counted { item: line.item.clone(), accepted, rejected, damaged, missing: sent - counted })
        });
        let counts: Vec<Counted> = lines.collect::<Result<_, _>>()?;
        Ok(counts.into_iter().filter(|counted| counted.sum() > 0).collect())
    }

    /// Does what is proposed to this node in a conflict: all of it in one entry, so that it counts as a whole.
    fn plan_resolve(&self, me: NodeId, directory: &Directory, wish: &ResolveWish, now: Now) -> Result<Plan, Refusal> {
        let conflict = self.find_conflict(&wish.conflict)?;
        let own = conflict.proposals.iter().filter(|(by, _)| *by == me).map(|(_, proposal)| proposal);
        let supplies: Vec<(Supply, Moved)> = own.filter_map(|proposal| self.done_by(me, proposal)).collect();
        if supplies.is_empty() {
            let others: Vec<NodeId> = conflict.proposals.iter().map(|(by, _)| *by).collect();
            return Err(refused::nothing_for_you(&conflict.name(), &others, directory));
        }
        let (first, _) = common(&wish.act, now)?;
        let mut moved = Moved::new();
        let mut facts = Vec::new();
        for (supply, by) in supplies {
            facts.push(Fact { deed: Deed::Supply(supply), ..first.clone() });
            for (item, by) in by {
                let sum = moved.entry(item).or_default();
                *sum = sum.saturating_add(by);
            }
        }
        let class = facts.iter().map(Fact::class).min().unwrap_or(Class::URGENT);
        let plan = Plan { body: Some((encode_body(&facts), class)), ..Plan::default() };
        Ok(self.with_stock(me, plan, &moved, now))
    }

    /// The word that does what is proposed, and how it changes this site's counts. What only its consignee or the requester can do
    /// needs more than a yes.
    fn done_by(&self, me: NodeId, proposal: &Proposal) -> Option<(Supply, Moved)> {
        let journey = |consignment, step| Supply::Journey(Journey { consignment, step, note: None });
        match proposal {
            Proposal::Release { commitment, item, quantity } => {
                let goods = vec![Amount { item: item.clone(), quantity: *quantity }];
                let release = Release { commitment: *commitment, goods, cause: NOT_NEEDED, reason: None };
                Some((Supply::Release(release), Moved::new()))
            }
            Proposal::Divert { consignment, to } => {
                let consignee = self.request_state(*to)?.consignee;
                Some((journey(*consignment, Step::Divert { to: consignee, request: Some(*to) }), Moved::new()))
            }
            Proposal::Unload { consignment } => {
                let state = self.consignment_state(*consignment).filter(|state| state.sender == me)?;
                let back = |line: &super::consignment::Carried| (line.item.clone(), i64::try_from(line.sent).unwrap_or(i64::MAX));
                let moved = if self.is_off_shelf(*consignment) { state.lines.iter().map(back).collect() } else { Moved::new() };
                Some((journey(*consignment, Step::Unload), moved))
            }
            Proposal::Surplus { .. } | Proposal::Receive { .. } | Proposal::Confirm { .. } => None,
        }
    }

    fn plan_stock(&self, me: NodeId, wish: &StockWish, now: Now) -> Result<Plan, Refusal> {
        let shelf = self.shelf(me);
        let mut moved = Moved::new();
        for typed in &wish.changes {
            let (name, by) = typed.split_once(['=', '＝']).ok_or_else(|| refused::unreadable_change(typed))?;
            let item = self.item_named(name)?;
            let by = by.trim().replace('＋', "+").replace(['－', '−'], "-").parse::<i64>().ok().filter(|by| *by != 0);
            let by = by.filter(|by| by.unsigned_abs() <= COUNT_MAX).ok_or_else(|| refused::unreadable_change(typed))?;
            let line = LineItem::Code(item.code.clone());
            let Some(there) = shelf.get(&line).and_then(|shelf| shelf.on_hand) else { return Err(refused::not_counted(&line)) };
            if by < 0 && by.unsigned_abs() > there {
                return Err(refused::more_than_is_there(&line, by.unsigned_abs(), there));
            }
            if moved.insert(line, by).is_some() {
                return Err(refusal::item_twice(&item.code, &item.zh));
            }
        }
        if moved.is_empty() {
            return Err(refusal::nothing_given());
        }
        common(&wish.act, now)?;
        Ok(self.with_stock(me, Plan::default(), &moved, now))
    }

    fn plan_of(act: &Act, now: Now, supply: Supply) -> Result<Plan, Refusal> {
        Ok(Plan { body: Some(body(act, now, Deed::Supply(supply))?), ..Plan::default() })
    }

    /// Adds to a plan what it changes on the shelf: one write, so that word and count never disagree.
    fn with_stock(&self, me: NodeId, plan: Plan, moved: &Moved, now: Now) -> Plan {
        match self.move_stock(me, moved, now) {
            Some((board, detail)) => Plan { board: Some(board), detail: Some(detail), ..plan },
            None => plan,
        }
    }

    /// Refuses to promise or send what is not there beyond the floor and beyond what is promised (I1).
    fn check_available(&self, me: NodeId, goods: &Goods) -> Result<(), Refusal> {
        let shelf = self.shelf(me);
        for (item, quantity) in goods {
            // What has no code is counted by nobody; whoever promises it has looked.
            if matches!(item, LineItem::Other(_)) {
                continue;
            }
            let held = shelf.get(item).cloned().unwrap_or_default();
            let Some(available) = held.available() else { return Err(refused::not_counted(item)) };
            if available < *quantity {
                let named = held.holds.iter().take(HOLDERS_SHOWN);
                let named = named.filter_map(|(id, held)| Some(format!("{held} {}", self.fact_name(*id)?)));
                return Err(refused::not_available(item, *quantity, &held, &named.collect::<Vec<_>>()));
            }
        }
        Ok(())
    }

    /// Amounts as typed; a line in words is that of `known` which reads the same.
    fn amounts_of(&self, typed: &[String], known: &[&LineItem]) -> Result<Vec<Amount>, Refusal> {
        let same = |line: &Line| {
            let folded = |item: &LineItem| if let LineItem::Other(text) = item { Some(text::fold(text)) } else { None };
            let held = known.iter().find(|item| folded(item).is_some() && folded(item) == folded(&line.item));
            held.map_or_else(|| line.item.clone(), |item| (*item).clone())
        };
        let lines = self.lines_of(typed)?;
        Ok(lines.iter().map(|line| Amount { item: same(line), quantity: line.requested }).collect())
    }

    /// A request that stands; of requests written twice, the one that counts.
    fn standing_request(&self, typed: &str) -> Result<RequestState<'_>, Refusal> {
        let id = self.find_request(typed)?;
        let state = self.request_state(id).and_then(|state| self.request_state(state.canonical));
        let state = state.ok_or_else(|| refusal::request_not_found(typed))?;
        match state.standing {
            Standing::Cancelled => Err(refusal::already_cancelled(state.id)),
            Standing::Closed => Err(refusal::already_closed(state.id)),
            Standing::Open | Standing::Duplicate => Ok(state),
        }
    }

    fn find_commitment(&self, typed: &str) -> Result<CommitmentState, Refusal> {
        let id = super::show::find(typed, 'P', self.commitment_ids())?;
        self.commitment_state(id).ok_or_else(|| refused::not_found(typed, 'P', &[]))
    }

    fn find_consignment(&self, typed: &str) -> Result<ConsignmentState, Refusal> {
        let id = super::show::find(typed, 'V', self.consignment_ids())?;
        self.consignment_state(id).ok_or_else(|| refused::not_found(typed, 'V', &[]))
    }
}

/// What comes back: what was named, or all that nobody has.
fn returned_goods(state: &ConsignmentState, goods: &[Amount]) -> Result<Moved, Refusal> {
    let named = goods_of(goods);
    let mut moved = Moved::new();
    for line in &state.lines {
        let there = line.outcome.in_transit.saturating_add(line.outcome.rejected).saturating_add(line.outcome.waiting);
        let wanted = if named.is_empty() { there } else { named.get(&line.item).copied().unwrap_or(0) };
        let mut left = there;
        if take(&mut left, wanted) < wanted {
            return Err(refused::more_than_is_there(&line.item, wanted, there));
        }
        if wanted > 0 {
            moved.insert(line.item.clone(), i64::try_from(wanted).unwrap_or(i64::MAX));
        }
    }
    if let Some(other) = named.keys().find(|item| state.lines.iter().all(|line| line.item != **item)) {
        return Err(refused::not_in_it(other, &state.lines.iter().map(|line| &line.item).collect::<Vec<_>>()));
    }
    if moved.is_empty() { Err(refused::too_late(state, "return")) } else { Ok(moved) }
}

fn within_sent(state: &ConsignmentState, goods: &[Amount]) -> Result<(), Refusal> {
    for amount in goods {
        let sent = state.lines.iter().find(|line| line.item == amount.item).map_or(0, |line| line.sent);
        if amount.quantity > sent {
            return Err(refused::more_than_sent(&amount.item, amount.quantity, sent));
        }
    }
    Ok(())
}
