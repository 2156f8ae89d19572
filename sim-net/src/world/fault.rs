//! Faults as events: cuts, crashes, lost stores, full disks, jumping clocks, and the heal that ends them all.

use holdfast_proto::control::{Command, Fault as Order};
use holdfast_proto::io::Input;

use super::{Happening, World};
use crate::checker::Sometimes;
use crate::disk::Disk;
use crate::plan::{Fault, Loss};
use crate::workload::Kind;

impl World {
    pub(super) fn fault(&mut self, fault: Fault) {
        if self.now >= self.plan.heal_at {
            return;
        }
        match fault {
            Fault::Cut(pairs) => {
                self.checker.saw(Sometimes::Cut);
                pairs.iter().for_each(|(a, b)| self.network.cut(*a, *b));
                self.pairs_changed(&pairs);
            }
            Fault::Mend(pairs) => {
                pairs.iter().for_each(|(a, b)| self.network.mend(*a, *b));
                self.pairs_changed(&pairs);
            }
            Fault::Stop(node, loss) => self.stop_in_the_act(node, loss),
            Fault::Start(node) => self.start(node),
            Fault::Full(node, full) => self.slots[node].disk.set_full(full),
            Fault::BackUp(node) => self.slots[node].disk.back_up(),
            Fault::StepClock(node, by_ms) => {
                self.checker.saw(Sometimes::ClockStepped);
                self.slots[node].clock.step(by_ms);
            }
            Fault::OrderCut(node, others) => {
                let nodes = others.iter().map(|other| self.id(*other)).collect();
                self.command(node, Kind::Fault, Command::Fault(Order::Cut { nodes }));
            }
            Fault::OrderHeal(node) => self.command(node, Kind::Fault, Command::Fault(Order::Heal)),
            Fault::EarlyWake(node) => {
                if self.slots[node].driver.is_some() {
                    self.give(node, Input::Wake);
                }
            }
        }
    }

    /// Power likes to fail while somebody writes: a few words, and a moment later the lights go out.
    fn stop_in_the_act(&mut self, node: usize, loss: Loss) {
        if self.slots[node].driver.is_some() && self.chance.chance(700) {
            for _ in 0..self.chance.between(1, 4) {
                self.operator(node);
            }
        }
        let delay = self.chance.below(8_000);
        self.after(delay, Happening::Stop { node, loss });
    }

    /// Power is cut, and perhaps worse.
    pub(super) fn stop(&mut self, node: usize, loss: Loss) {
        if self.slots[node].driver.is_none() {
            return;
        }
        self.checker.saw(Sometimes::Crashed);
        let id = self.id(node);
        let slot = &mut self.slots[node];
        slot.driver = None;
        slot.wake_at = None;
        slot.loss = loss;
        let wreck = slot.disk.crash(&mut slot.disk_dice);
        // What a store kept unanswered and then lost altogether was never anybody's: its numbers are free.
        for job in wreck.kept.iter().filter(|_| loss == Loss::Unsynced) {
            self.checker.durable(node, id, self.now, job);
        }
        self.checker.saw_times(Sometimes::LostUnsynced, wreck.lost as u64);
        self.checker.saw_times(Sometimes::KeptUnanswered, wreck.kept.len() as u64);
        self.checker.saw_times(Sometimes::TornStamp, u64::from(wreck.torn));
        self.checker.stopped(node);
        self.drop_links(node);
        let disk = &mut self.slots[node].disk;
        let lost = match loss {
            Loss::Unsynced => false,
            Loss::OldFolder => disk.restore_folder(),
            Loss::OldMachine => disk.restore_machine(),
            Loss::Wiped => {
                disk.wipe(false);
                true
            }
            Loss::NewMachine => {
                disk.wipe(true);
                true
            }
        };
        if lost {
            if loss == Loss::OldMachine {
                self.checker.planted.insert(node);
            }
            let disks: Vec<&Disk> = self.slots.iter().map(|slot| &slot.disk).collect();
            self.checker.store_lost(node, self.now, &disks);
        }
    }

    /// Everything is mended, every node runs, no operator holds a cut.
    pub(super) fn heal(&mut self) {
        self.network.mend_all();
        let all: Vec<(usize, usize)> =
            (0..self.plan.nodes).flat_map(|a| (0..self.plan.nodes).map(move |b| (a, b))).filter(|(a, b)| a != b).collect();
        self.pairs_changed(&all);
        for node in 0..self.plan.nodes {
            self.slots[node].disk.set_full(false);
            self.start(node);
            self.command(node, Kind::Fault, Command::Fault(Order::Heal));
        }
        if !self.same_digest() {
            self.checker.saw(Sometimes::DifferedAtHeal);
        }
    }
}
