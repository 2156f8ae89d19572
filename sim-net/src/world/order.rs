//! What people tell nodes to do: because an inject told them, by themselves, or for figures. All of it is booked before it is
//! handed in.

use std::collections::BTreeMap;

use holdfast_proto::control::{Act, Command, CommandId, Observe, OrderWish, Reply, Report, RequestAct, RequestNew, ScopeWish};
use holdfast_proto::io::Input;
use holdfast_proto::time::UtcMillis;

use super::log::Happened;
use super::{Beat, Happening, World};
use crate::checker::{Made, Sometimes};
use crate::scenario::goods::GoodsDeed;
use crate::scenario::words::SiteRole;
use crate::scenario::{Effect, Micros, SiteNo, Subject};
use crate::site::operator::time_of_day;
use crate::workload::Kind;

/// The store failed: the node asks to try again.
const STORE_FAILED: &str = "H-503";
/// How long staff wait who do not see yet what they are to act on.
const LOOKS_AGAIN: Micros = 60_000_000;
/// Who sends goods or signs for them looks at the screen so often, on average.
const DEPOT_LOOKS: Micros = 600_000_000;

/// Who acts where an inject has staff act.
pub(super) fn duty_desk() -> Act {
    Act { desk: Some("duty desk".to_owned()), ..Act::default() }
}

impl World {
    /// Gives a command to a running node; its number, or `None` where it is not running.
    pub fn command(&mut self, node: SiteNo, kind: Kind, command: Command) -> Option<u64> {
        let number = self.book(node, kind, &command)?;
        self.give(node, Input::Command { id: CommandId(number), command });
        Some(number)
    }

    fn book(&mut self, node: SiteNo, kind: Kind, command: &Command) -> Option<u64> {
        let slot = &mut self.slots[node];
        slot.driver.as_ref()?;
        slot.next_command += 1;
        let number = slot.next_command;
        self.checker.asked(node, number, self.now, kind, command);
        Some(number)
    }

    /// A request nobody else made, by the desk of this node: for figures.
    pub fn plain_request(&mut self, node: SiteNo) {
        let command = self.slots[node].desk.plain_request();
        self.command(node, Kind::New, command);
    }

    /// Staff are told: they do it after a while.
    pub(super) fn tell(&mut self, node: SiteNo, nr: u32) {
        let exercise = &self.scenario.exercise;
        let time = time_of_day(exercise.startex_ms, exercise.offset_s, self.now);
        let takes = self.slots[node].staff.takes(&self.scenario.world.operators, time);
        self.after(takes, Happening::Told { node, nr });
    }

    /// What was in the way is gone.
    pub(super) fn tell_again(&mut self, node: SiteNo) {
        if self.slots[node].driver.is_some() {
            let waiting = self.slots[node].staff.take_waiting();
            waiting.into_iter().for_each(|nr| self.tell(node, nr));
        }
    }

    /// They would do it now.
    pub(super) fn told(&mut self, node: SiteNo, nr: u32) {
        if self.now >= self.phases.quiet {
            return self.log(Happened::NotDone { site: node, nr });
        }
        let ready = self.slots[node].staff.there() && self.slots[node].driver.is_some();
        let about_goods = self.injects.get(&nr).and_then(|inject| inject.effect.goods().cloned());
        let order = match about_goods.filter(|_| ready) {
            Some(deed) => {
                let Some(wish) = self.goods_wish(node, &deed) else {
                    return self.after(LOOKS_AGAIN, Happening::Told { node, nr });
                };
                Some((Kind::Goods, Command::Supply(wish)))
            }
            None => self.order(node, nr).filter(|_| ready),
        };
        let Some((kind, command)) = order else {
            return self.slots[node].staff.put_off(nr);
        };
        if let Command::Report(report) = &command {
            self.slots[node].desk.told(&report.values);
        }
        if let Some(number) = self.book(node, kind, &command) {
            self.slots[node].in_hand.insert(number, nr);
            self.give(node, Input::Command { id: CommandId(number), command });
        }
    }

    /// What an inject tells staff of a site to type; `None` where they wait for an answer about the request first.
    fn order(&self, node: SiteNo, nr: u32) -> Option<(Kind, Command)> {
        let act = duty_desk();
        let map = |values: &[(String, String)]| values.iter().cloned().collect::<BTreeMap<_, _>>();
        let about = |label: &String| self.requests.get(label).map(|(_, request)| request.clone());
        let end = |label| about(label).map(|request| RequestAct { request, act: act.clone(), ..RequestAct::default() });
        let effect = &self.injects.get(&nr)?.effect;
        if let Effect::Report { values, .. } = effect {
            return Some((Kind::Report, Command::Report(Report { values: map(values), act })));
        }
        if let Effect::Observe { of, values, .. } = effect {
            let node = self.id(*of).to_string();
            return Some((Kind::Observe, Command::Observe(Observe { node, values: map(values), note: None, act })));
        }
        if let Effect::Request { label, lines, priority, needed_by, .. } = effect {
            let wall = self.clock(node).wall.0;
            let new = RequestNew {
                items: lines.iter().map(|(item, quantity)| format!("{item}:{quantity}")).collect(),
                priority: Some(priority.clone()).filter(|priority| !priority.is_empty()),
                needed_by: needed_by.map(|within| UtcMillis(wall + i64::try_from(within / 1_000).unwrap_or(0))),
                key: Some(format!("inject {nr} {label}")),
                act,
                ..RequestNew::default()
            };
            return Some((Kind::New, Command::RequestNew(new)));
        }
        if let Effect::Order { site, acting_for, mode } = effect {
            let whose = self.scenario.sites[acting_for.unwrap_or(*site)].region;
            let acting_for = acting_for.map(|principal| self.id(principal).to_string());
            let wish = OrderWish { mode: mode.clone(), regions: vec![whose.code().to_owned()], acting_for, reason: None, act };
            return Some((Kind::Order, Command::Order(wish)));
        }
        if let Effect::Deputies { of, after, .. } = effect {
            let deputies = of.iter().map(|deputy| self.id(*deputy).to_string()).collect();
            let after = format!("{}s", (after / 1_000_000).max(1));
            return Some((Kind::Order, Command::Scope(ScopeWish { deputies, after, act })));
        }
        if let Effect::Cancel(label) = effect {
            return end(label).map(|act| (Kind::Cancel, Command::RequestCancel(act)));
        }
        let Effect::Close(label) = effect else { return None };
        end(label).map(|act| (Kind::Close, Command::RequestClose(act)))
    }

    /// A node answered: the checker looks first, then whoever asked.
    pub(super) fn reply(&mut self, node: usize, id: CommandId, reply: &Reply) {
        let made = self.checker.answered(node, id.0, self.now, reply);
        if let Reply::Saved(saved) = reply
            && let Some(request) = &saved.id
        {
            self.slots[node].desk.learn(request.clone());
        }
        self.courier_answered(node, id, reply);
        self.replied(node, id, reply, made);
    }

    fn replied(&mut self, node: SiteNo, id: CommandId, reply: &Reply, made: Option<Made>) {
        let nr = self.slots[node].in_hand.remove(&id.0);
        let (saved, made) = match (reply, made) {
            (Reply::Saved(saved), Some(made)) => (saved, made),
            (Reply::Refused(refusal), _) => {
                let Some(nr) = nr else { return };
                let again = refusal.code == STORE_FAILED;
                self.log(Happened::Refused { site: node, nr, code: refusal.code.clone(), again });
                if again {
                    self.tell(node, nr);
                }
                return;
            }
            // Files for couriers and what persons sign are no orders of the exercise.
            (Reply::Saved(_), None) | (Reply::CourierOut(_) | Reply::CourierIn(_) | Reply::Drafted(_), _) => return,
        };
        let mut made = made;
        if let Some(nr) = nr {
            self.checker.saw(Sometimes::Told);
            if let Some(begun) = self.slots[node].begun.remove(&nr) {
                made.entries.extend(begun.entries);
                made.docs.extend(begun.docs);
            }
            self.keep(node, nr, saved.id.as_deref(), &made);
        }
        self.log(Happened::Acknowledged { site: node, nr, request: saved.id.clone(), made });
    }

    /// What was said because of an inject is remembered by its number and by its request's label.
    fn keep(&mut self, node: SiteNo, nr: u32, request: Option<&str>, made: &Made) {
        self.said.entry(Subject::Inject(nr)).or_default().push((node, made.clone()));
        let effect = self.injects.get(&nr).map(|inject| &inject.effect);
        if let Some(GoodsDeed::Commit { request, .. }) = effect.and_then(Effect::goods) {
            let subject = Subject::Commitment(request.clone());
            self.said.entry(subject).or_default().push((node, made.clone()));
            return;
        }
        let Some(Effect::Request { label, .. }) = effect else { return };
        let label = label.clone();
        self.said.entry(Subject::Request(label.clone())).or_default().push((node, made.clone()));
        if let Some(request) = request {
            self.requests.insert(label, (node, request.to_owned()));
            self.tell_again(node);
        }
    }

    /// When a node next says something by itself.
    pub(super) fn next_beat(&mut self, node: SiteNo, beat: Beat) {
        let mean = self.mean(beat, self.scenario.sites[node].role);
        if mean > 0 {
            let wait = self.slots[node].tempo.between(mean / 10, mean * 2 - mean / 10);
            self.after(wait, Happening::Beat { node, beat });
        }
    }

    fn mean(&self, beat: Beat, role: SiteRole) -> Micros {
        let tempo = &self.scenario.world.tempo;
        match beat {
            Beat::Board => tempo.boards,
            Beat::Entry => tempo.entries,
            Beat::Need if role == SiteRole::Store => tempo.needs,
            Beat::Depot if tempo.needs > 0 => DEPOT_LOOKS,
            Beat::Need | Beat::Depot => 0,
            Beat::Act => tempo.acts,
        }
    }

    pub(super) fn beat(&mut self, node: SiteNo, beat: Beat) {
        if self.now >= self.phases.quiet {
            return;
        }
        self.next_beat(node, beat);
        match beat {
            Beat::Act => self.operator(node, self.now < self.phases.endex),
            Beat::Board | Beat::Entry | Beat::Need | Beat::Depot
                if self.slots[node].driver.is_none() || !self.slots[node].staff.there() => {}
            Beat::Board => {
                let command = self.slots[node].desk.plain_report();
                self.command(node, Kind::Report, command);
            }
            Beat::Need => {
                let command = self.slots[node].depot.need();
                self.command(node, Kind::New, command);
            }
            Beat::Depot => self.depot(node),
            Beat::Entry => {
                let (kind, command) = self.slots[node].desk.routine();
                self.command(node, kind, command);
            }
        }
    }

    /// The operator of a running node does the next thing; with `drills`, perhaps orders a cut or wakes the node for nothing.
    pub(super) fn operator(&mut self, node: SiteNo, drills: bool) {
        if self.slots[node].driver.is_none() {
            return;
        }
        if drills && self.slots[node].desk.wakes_early() {
            return self.give(node, Input::Wake);
        }
        if let Some(next) = self.slots[node].dispatcher.next_deed()
            && let Some(shown) = self.shown_to(node, next.screens())
            && let Some(wish) = self.slots[node].dispatcher.act(next, &shown)
        {
            self.command(node, Kind::Goods, Command::Supply(wish));
            return;
        }
        let alliance = &self.alliance;
        let names = |other: usize| alliance.members[other].id;
        let (kind, command) = self.slots[node].desk.act(alliance.members.len(), drills, names);
        self.command(node, kind, command);
    }
}
