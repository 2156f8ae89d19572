//! What a scenario makes happen, and how it is undone: by time, by its named opposite, or by the settling after ENDEX.

use holdfast_proto::control::{Command, Fault as Order};

use super::courier::JOURNEY;
use super::log::Happened;
use super::slot::Hold;
use super::start::Loss;
use super::{CannotRun, Happening, MINUTE, Phases, World};
use crate::checker::Sometimes;
use crate::dice::{Dice, Purpose};
use crate::network::Cause;
use crate::scenario::words::ForgeKind;
use crate::scenario::{Effect, Inject, Micros, SiteNo, When};
use crate::workload::Kind;

/// A swizzle whose length nobody gave.
const SWIZZLE: Micros = 10 * MINUTE;
/// To put a disk back takes between so long and so long, where nobody said.
const REPAIR: (Micros, Micros) = (100_000, MINUTE);

impl World {
    /// Takes in an inject: it happens at its time, or now if that is past. A contingency waits among [`Self::pending_injects`];
    /// giving it a time under the same number makes it happen.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing was changed.
    pub fn inject(&mut self, inject: Inject) -> Result<(), CannotRun> {
        self.check(&inject)?;
        self.slack.take(&inject.effect);
        let nr = inject.nr;
        if let When::At(at) = inject.when {
            let at = at.max(self.now);
            // Without a draw, so that what was done by hand finds every other event as it was when it is played again.
            self.queue.push_first(at, Happening::Inject { nr });
            if let Effect::OldBackup { sites, age, .. } = &inject.effect
                && !inject.by_hand
            {
                // Only a backup that could be made is: otherwise that of the day the PC was set up comes back.
                if let Some(made) = at.checked_sub(*age).filter(|made| *made >= self.now) {
                    sites.iter().for_each(|node| self.queue.push(made, Happening::BackUp { node: *node, nr }));
                }
            }
            if let Effect::Forge { kind: ForgeKind::Replay, site } = &inject.effect
                && !inject.by_hand
            {
                // Long ago: half the time until now.
                self.at(self.now + (at - self.now) / 2, Happening::Overhear { node: *site, nr });
            }
        }
        self.injects.insert(nr, inject);
        Ok(())
    }

    fn check(&self, inject: &Inject) -> Result<(), CannotRun> {
        let (nr, count) = (inject.nr, self.slots.len());
        if self.injects.get(&nr).is_some_and(|held| matches!(held.when, When::At(_))) {
            return Err(CannotRun::Bad(format!("there are two injects number {nr}")));
        }
        if let Some(site) = inject.effect.sites().into_iter().find(|site| *site >= count) {
            return Err(CannotRun::Bad(format!("inject {nr} names site number {site}, of {count}")));
        }
        match &inject.effect {
            Effect::Jam { channel, .. } => match self.channel(channel) {
                None => Err(CannotRun::Bad(format!("inject {nr} names the channel {channel}, which is not there"))),
                Some(_) => Ok(()),
            },
            Effect::Courier { from, to } if from == to => Err(CannotRun::Bad(format!("the courier of inject {nr} goes nowhere"))),
            Effect::Cut(elements) | Effect::Restore(elements) => {
                let known = self.scenario.elements.len();
                match elements.iter().find(|element| **element >= known) {
                    Some(element) => Err(CannotRun::Bad(format!("inject {nr} names element number {element}, of {known}"))),
                    None => Ok(()),
                }
            }
            Effect::PowerLoss(_)
            | Effect::PowerBack(_)
            | Effect::Degrade { .. }
            | Effect::Partition { .. }
            | Effect::Heal(_)
            | Effect::Flap { .. }
            | Effect::Swizzle(_)
            | Effect::FirmOutage(_)
            | Effect::Crash(_)
            | Effect::Restart(_)
            | Effect::ReplacePc(_)
            | Effect::DiskFull(_)
            | Effect::DiskCorrupt(_)
            | Effect::OldBackup { .. }
            | Effect::ClockJump { .. }
            | Effect::ClockDrift { .. }
            | Effect::AntennaDown(_)
            | Effect::Courier { .. }
            | Effect::Report { .. }
            | Effect::Request { .. }
            | Effect::Cancel(_)
            | Effect::Close(_)
            | Effect::Goods { .. }
            | Effect::Observe { .. }
            | Effect::Order { .. }
            | Effect::Deputies { .. }
            | Effect::OperatorAbsent(_)
            | Effect::Forge { .. }
            | Effect::Revoke { .. }
            | Effect::Say
            | Effect::TellController
            | Effect::StopExercise => Ok(()),
        }
    }

    /// It happens now.
    pub(super) fn carry_out(&mut self, nr: u32) {
        let Some(inject) = self.injects.get(&nr).cloned() else { return };
        if self.now >= self.phases.endex {
            return;
        }
        let cause = Cause::from(nr);
        self.log(Happened::Injected { nr });
        if stands(&inject.effect) {
            self.standing.insert(nr);
        }
        if let Some(lasts) = inject.lasts {
            self.after(lasts, Happening::Undo { nr });
        }
        let mends = mends(&inject.effect);
        match inject.effect {
            Effect::PowerLoss(nodes) => {
                for node in nodes {
                    let at = self.slots[node].power.lose(self.now, nr);
                    self.at(at, Happening::Dark { node });
                }
            }
            Effect::PowerBack(nodes) => nodes.into_iter().for_each(|node| self.mains_back(node, None)),
            Effect::Cut(elements) => {
                let touched = self.backhaul.cut(cause, &elements);
                self.changed(&touched);
            }
            Effect::Restore(elements) => {
                let touched = self.backhaul.restore(&elements);
                self.changed(&touched);
            }
            Effect::Degrade { sites, path } => {
                let touched = self.backhaul.degrade(cause, &sites, path);
                self.changed(&touched);
            }
            Effect::Partition { groups, one_way } => {
                let touched = self.backhaul.partition(cause, &groups, one_way);
                self.changed(&touched);
            }
            Effect::Heal(sites) => {
                let touched = self.backhaul.heal(&sites);
                self.changed(&touched);
                self.mend_radio(&sites);
            }
            Effect::Flap { sites, period } => {
                let touched = self.backhaul.flap(cause, &sites, period);
                self.changed(&touched);
                self.next_swing(nr);
            }
            Effect::Swizzle(sites) => self.plan_swizzle(nr, &sites, inject.lasts.unwrap_or(SWIZZLE)),
            Effect::FirmOutage(owner) => {
                self.firm(&owner).into_iter().for_each(|node| self.hold(node, Hold::Inject(nr)));
            }
            Effect::Crash(nodes) => nodes.into_iter().for_each(|node| self.hold(node, Hold::Inject(nr))),
            Effect::Restart(nodes) => {
                for node in nodes {
                    self.slots[node].holds.retain(|hold| *hold == Hold::Power);
                    self.start(node);
                }
            }
            Effect::ReplacePc(nodes) => self.repair(nr, &nodes, inject.lasts, Loss::Replaced),
            Effect::DiskCorrupt(nodes) => self.repair(nr, &nodes, inject.lasts, Loss::Turned),
            Effect::OldBackup { sites, machine, .. } => self.repair(nr, &sites, inject.lasts, Loss::PutBack { nr, machine }),
            Effect::DiskFull(nodes) => nodes.into_iter().for_each(|node| self.slots[node].disk.fill(nr, true)),
            Effect::ClockJump { sites, by_ms } => self.jump(&sites, by_ms),
            Effect::ClockDrift { sites, ppm } => self.drift(&sites, i64::from(ppm)),
            Effect::Report { sites, .. } => sites.into_iter().for_each(|node| self.tell(node, nr)),
            Effect::Request { site, .. }
            | Effect::Goods { site, .. }
            | Effect::Observe { site, .. }
            | Effect::Order { site, .. }
            | Effect::Deputies { site, .. } => {
                self.tell(site, nr);
            }
            Effect::Cancel(label) | Effect::Close(label) => {
                if let Some(site) = self.who_asked(&label) {
                    self.tell(site, nr);
                }
            }
            Effect::OperatorAbsent(nodes) => nodes.into_iter().for_each(|node| self.slots[node].staff.leave(nr, true)),
            Effect::StopExercise => {
                self.phases = Phases::new(self.now, self.scenario.exercise.settle);
                self.endex_now();
            }
            Effect::Forge { kind, site } => self.attack(nr, kind, site),
            Effect::Revoke { site, at } => self.revoke(nr, site, at),
            Effect::Say | Effect::TellController => {}
            Effect::Jam { channel, sites } => self.jam(cause, &channel, &sites),
            Effect::AntennaDown(sites) => self.antenna_down(cause, &sites),
            Effect::Courier { from, to } => {
                let arrives = self.courier_leaves(cause, from, to, inject.lasts.unwrap_or(JOURNEY));
                if inject.lasts.is_none() {
                    self.at(arrives, Happening::Undo { nr });
                }
            }
        }
        if mends {
            let over: Vec<u32> = self.standing.iter().copied().filter(|nr| !self.is_felt(*nr)).collect();
            for nr in over {
                self.standing.remove(&nr);
                self.log(Happened::Undone { nr });
            }
        }
    }

    /// Something of an inject that stands is still there; what others can't mend always is.
    fn is_felt(&self, nr: u32) -> bool {
        let cause = Cause::from(nr);
        match self.injects.get(&nr).map(|inject| &inject.effect) {
            Some(Effect::Partition { .. } | Effect::Cut(_) | Effect::Flap { .. }) => self.backhaul.holds(cause),
            Some(Effect::Jam { .. } | Effect::AntennaDown(_)) => self.is_on_air(cause),
            Some(Effect::PowerLoss(nodes)) => nodes.iter().any(|node| self.slots[*node].power.is_lost(nr)),
            Some(Effect::Crash(_) | Effect::FirmOutage(_)) => {
                self.slots.iter().any(|slot| slot.holds.contains(&Hold::Inject(nr)))
            }
            Some(_) | None => true,
        }
    }

    /// Its time is over.
    pub(super) fn undo(&mut self, nr: u32) {
        let Some(effect) = self.injects.get(&nr).map(|inject| inject.effect.clone()) else { return };
        if !self.standing.remove(&nr) {
            return;
        }
        self.log(Happened::Undone { nr });
        match effect {
            Effect::PowerLoss(nodes) => nodes.into_iter().for_each(|node| self.mains_back(node, Some(nr))),
            Effect::Cut(_) | Effect::Degrade { .. } | Effect::Partition { .. } | Effect::Flap { .. } => {
                let touched = self.backhaul.end(Cause::from(nr));
                self.changed(&touched);
            }
            Effect::Swizzle(sites) => sites.into_iter().for_each(|site| self.cut_off(nr, site, false)),
            Effect::Jam { .. } | Effect::AntennaDown(_) => self.end_radio(Cause::from(nr)),
            Effect::Courier { .. } => self.courier_arrives(Cause::from(nr)),
            Effect::FirmOutage(owner) => {
                self.firm(&owner).into_iter().for_each(|node| self.lift(node, Hold::Inject(nr)));
            }
            Effect::Crash(nodes)
            | Effect::ReplacePc(nodes)
            | Effect::DiskCorrupt(nodes)
            | Effect::OldBackup { sites: nodes, .. } => {
                nodes.into_iter().for_each(|node| self.lift(node, Hold::Inject(nr)));
            }
            Effect::DiskFull(nodes) => nodes.into_iter().for_each(|node| self.slots[node].disk.fill(nr, false)),
            Effect::ClockJump { sites, by_ms } => self.jump(&sites, by_ms.saturating_neg()),
            Effect::ClockDrift { sites, ppm } => self.drift(&sites, -i64::from(ppm)),
            Effect::OperatorAbsent(nodes) => {
                for node in nodes {
                    self.slots[node].staff.leave(nr, false);
                    self.tell_again(node);
                }
            }
            Effect::PowerBack(_)
            | Effect::Restore(_)
            | Effect::Heal(_)
            | Effect::Restart(_)
            | Effect::Forge { .. }
            | Effect::Revoke { .. }
            | Effect::Report { .. }
            | Effect::Request { .. }
            | Effect::Cancel(_)
            | Effect::Close(_)
            | Effect::Goods { .. }
            | Effect::Observe { .. }
            | Effect::Order { .. }
            | Effect::Deputies { .. }
            | Effect::Say
            | Effect::TellController
            | Effect::StopExercise => {}
        }
    }

    fn mains_back(&mut self, node: SiteNo, nr: Option<u32>) {
        if self.slots[node].power.back(self.now, nr) {
            self.lift(node, Hold::Power);
        }
    }

    fn next_swing(&mut self, nr: u32) {
        if let Some(half) = self.backhaul.swings_after(Cause::from(nr)) {
            self.after(half, Happening::Flap { nr });
        }
    }

    /// What flaps goes down or comes up, as long as it is not over.
    pub(super) fn swing(&mut self, nr: u32) {
        let touched = self.backhaul.swing(Cause::from(nr));
        self.changed(&touched);
        self.next_swing(nr);
    }

    /// In the first half of its time all go off one by one, in the second all come back in another order.
    fn plan_swizzle(&mut self, nr: u32, sites: &[SiteNo], lasts: Micros) {
        let mut dice = Dice::new(self.seed, Purpose::Faults, u64::from(nr) + 1);
        let step = lasts / 2 / (sites.len() as u64).max(1);
        for (half, off) in [(0, true), (lasts / 2, false)] {
            let mut order = sites.to_vec();
            for place in (1..order.len()).rev() {
                order.swap(place, dice.index(place + 1));
            }
            for (turn, node) in (0_u64..).zip(order) {
                self.after(half + turn * step, Happening::Swizzle { nr, node, off });
            }
        }
    }

    pub(super) fn swizzle(&mut self, nr: u32, node: SiteNo, off: bool) {
        if self.standing.contains(&nr) {
            self.cut_off(nr, node, off);
        }
    }

    /// One site of a swizzle is cut from everybody, or no longer.
    fn cut_off(&mut self, nr: u32, site: SiteNo, off: bool) {
        let cause = ((site as u64 + 1) << 32) | Cause::from(nr);
        let touched = if off { self.backhaul.partition(cause, &[vec![site]], false) } else { self.backhaul.end(cause) };
        self.changed(&touched);
    }

    fn firm(&self, owner: &str) -> Vec<SiteNo> {
        let sites = self.scenario.sites.iter().enumerate();
        sites.filter(|(_, site)| site.owner == owner).map(|(node, _)| node).collect()
    }

    /// Stops PCs, changes what is on their disks, and starts them again after a while.
    fn repair(&mut self, nr: u32, nodes: &[SiteNo], lasts: Option<Micros>, loss: Loss) {
        for node in nodes {
            self.slots[*node].holds.insert(Hold::Inject(nr));
            self.stop(*node, false);
            self.lose(*node, loss);
        }
        if lasts.is_none() {
            let takes = self.chance.between(REPAIR.0, REPAIR.1);
            self.after(takes, Happening::Undo { nr });
        }
    }

    fn jump(&mut self, sites: &[SiteNo], by_ms: i64) {
        for site in sites {
            self.checker.saw(Sometimes::ClockStepped);
            self.slots[*site].clock.step(self.now, by_ms);
        }
    }

    fn drift(&mut self, sites: &[SiteNo], ppm: i64) {
        for site in sites {
            self.slots[*site].clock.drift(self.now, ppm);
            self.slots[*site].wake_at = None;
            self.set_alarm(*site);
        }
    }

    fn who_asked(&self, label: &str) -> Option<SiteNo> {
        self.injects.values().find_map(|inject| {
            let Effect::Request { site, label: theirs, .. } = &inject.effect else { return None };
            (theirs == label).then_some(*site)
        })
    }

    /// Injects end. Where there is a settling everything is mended, every node runs, no operator holds a cut.
    pub(super) fn endex_now(&mut self) {
        if self.over || self.now < self.phases.endex {
            return;
        }
        self.over = true;
        self.log(Happened::Endex);
        if self.phases.end == self.phases.endex {
            return;
        }
        // Who is on the way with a stick still arrives.
        let injects = &self.injects;
        let carried = |nr: &u32| matches!(injects.get(nr), Some(Inject { effect: Effect::Courier { .. }, .. }));
        self.standing.retain(carried);
        let touched = self.backhaul.mend_all();
        self.changed(&touched);
        self.mend_radio(&[]);
        for node in 0..self.slots.len() {
            let slot = &mut self.slots[node];
            slot.disk.make_room();
            slot.staff.return_all();
            slot.power.back(self.now, None);
            slot.holds.clear();
            self.start(node);
            self.tell_again(node);
            if self.scenario.world.tempo.acts > 0 {
                self.command(node, Kind::Fault, Command::Fault(Order::Heal));
            }
        }
        if !self.same_digest() {
            self.checker.saw(Sometimes::DifferedAtHeal);
        }
    }
}

/// What others did may be over by it.
fn mends(effect: &Effect) -> bool {
    matches!(effect, Effect::Heal(_) | Effect::Restore(_) | Effect::PowerBack(_) | Effect::Restart(_))
}

/// It goes on until it is undone.
fn stands(effect: &Effect) -> bool {
    match effect {
        Effect::PowerLoss(_)
        | Effect::Cut(_)
        | Effect::Degrade { .. }
        | Effect::Partition { .. }
        | Effect::Flap { .. }
        | Effect::Swizzle(_)
        | Effect::FirmOutage(_)
        | Effect::Crash(_)
        | Effect::ReplacePc(_)
        | Effect::DiskFull(_)
        | Effect::DiskCorrupt(_)
        | Effect::OldBackup { .. }
        | Effect::ClockJump { .. }
        | Effect::ClockDrift { .. }
        | Effect::Jam { .. }
        | Effect::AntennaDown(_)
        | Effect::Courier { .. }
        | Effect::OperatorAbsent(_) => true,
        Effect::PowerBack(_)
        | Effect::Restore(_)
        | Effect::Heal(_)
        | Effect::Restart(_)
        | Effect::Forge { .. }
        | Effect::Revoke { .. }
        | Effect::Report { .. }
        | Effect::Request { .. }
        | Effect::Cancel(_)
        | Effect::Close(_)
        | Effect::Goods { .. }
        | Effect::Observe { .. }
        | Effect::Order { .. }
        | Effect::Deputies { .. }
        | Effect::Say
        | Effect::TellController
        | Effect::StopExercise => false,
    }
}
