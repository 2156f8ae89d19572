//! PCs that start and stop, and what they find on their disks.

use std::sync::Arc;

use holdfast_proto::config::Config;
use holdfast_proto::id::NodeId;
use holdfast_proto::io::Input;
use holdfast_proto::time::UtcMillis;

use super::log::Happened;
use super::slot::Hold;
use super::{Beat, CannotRun, Happening, MINUTE, World};
use crate::checker::{Rule, Sometimes};
use crate::driver::{Driver, Start};
use crate::network::element::Route;
use crate::scenario::words::SiteRole;
use crate::scenario::{Site, SiteNo};
use crate::site::clock::YEAR_MS;
use crate::site::disk::{Damage, Disk, DiskPace, Job};
use crate::site::power::Source;

/// A PC loses power within this of the moment at which somebody began to write.
const IN_THE_ACT_US: u64 = 8_000;
/// Mates of a LAN that mDNS names, at most.
const MATES_MAX: usize = 8;
/// At the beginning nodes are started so many at a time.
const STARTS: usize = 64;

/// What became of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Bits were turned.
    Turned,
    /// The backup made for this inject is put back, of the folder or of the machine.
    PutBack { nr: u32, machine: bool },
    /// Another PC.
    Replaced,
}

impl World {
    /// Every node starts and gets its beats, in their order.
    pub(super) fn begin(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<(), CannotRun> {
        for node in 0..self.slots.len() {
            if node % STARTS == STARTS - 1 && !go_on() {
                return Err(CannotRun::GivenUp);
            }
            self.start(node);
            for beat in [Beat::Board, Beat::Entry, Beat::Act, Beat::Need, Beat::Depot] {
                self.next_beat(node, beat);
            }
        }
        self.at(self.phases.endex, Happening::Endex);
        self.at(MINUTE / 6, Happening::Sample);
        Ok(())
    }

    /// Starts a node that nothing holds down.
    pub(super) fn start(&mut self, node: usize) {
        if self.slots[node].driver.is_some() || !self.slots[node].holds.is_empty() {
            return;
        }
        let count = self.slots.len();
        let slot = &mut self.slots[node];
        slot.life += 1;
        slot.clock.boot(self.now, &mut slot.clock_dice);
        slot.had_stamp = slot.disk.stamp().is_some();
        let seed = slot.entropy.bytes32();
        let start = self.how_to_start(node, seed);
        let made = Driver::start(&self.alliance, start);
        let why = made.as_ref().err().cloned();
        self.checker.check(Rule::AlwaysRestarts, why.is_none(), self.now, Some(node), || why.unwrap_or_default());
        let Ok(driver) = made else { return };
        let slot = &mut self.slots[node];
        slot.driver = Some(driver);
        let life = slot.life;
        self.log(Happened::SiteUp { site: node });
        self.drain(node);
        let configured = self.slots[node].known.iter().map(|other| (*other, true));
        let mates = (0..count).filter(|other| *other != node && self.backhaul.route(node, *other) == Some(Route::Lan));
        let found = mates.take(MATES_MAX).map(|other| (other, false));
        let candidates: Vec<(usize, bool)> = configured.chain(found).collect();
        for (other, is_static) in candidates {
            let input = Input::Candidate { address: format!("sim:{other}"), is_static };
            self.after(0, Happening::Give { node, life, input: Box::new(input) });
        }
        self.join_air(node);
        self.join_radio(node);
        self.couriers_wait(node);
        self.tell_again(node);
    }

    /// What a node is built from that starts now, with what its disk holds.
    pub(super) fn how_to_start(&self, node: SiteNo, seed: [u8; 32]) -> Start {
        let count = self.slots.len();
        let missing = (node + 1 + usize::try_from(self.seed % (count - 1) as u64).unwrap_or(0)) % count;
        let config = Config {
            advertise: vec![format!("sim:{node}")],
            home_hub: self.home_hub(node),
            clock_floor: UtcMillis(self.scenario.exercise.startex_ms - YEAR_MS),
            ..Config::default()
        };
        let slot = &self.slots[node];
        Start {
            me: node,
            unknown: if self.scenario.world.partial_roster { vec![missing] } else { Vec::new() },
            seed,
            rows: slot.disk.rows(),
            stamp: slot.disk.stamp(),
            now: slot.clock.read(self.now),
            config,
        }
    }

    /// The hub a store asks first: the nearest of its region.
    fn home_hub(&self, node: SiteNo) -> Option<NodeId> {
        let sites = &self.scenario.sites;
        let own = &sites[node];
        if !self.scenario.world.home_hubs || own.role != SiteRole::Store {
            return None;
        }
        let far = |site: &Site| {
            let [north, east] = [i64::from(site.lat - own.lat), i64::from(site.lon - own.lon)];
            north * north + east * east
        };
        let hubs = sites.iter().enumerate().filter(|(_, site)| site.role == SiteRole::Hub && site.region == own.region);
        hubs.min_by_key(|(_, site)| far(site)).map(|(hub, _)| self.id(hub))
    }

    /// No store stalls from now on: for figures about the network alone.
    pub fn steady_disks(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.disk.set_pace(DiskPace::STEADY));
    }

    /// A PC is stopped, and stays so until this hold is lifted. Power likes to fail while somebody writes.
    pub(super) fn hold(&mut self, node: usize, hold: Hold) {
        self.slots[node].holds.insert(hold);
        if self.slots[node].driver.is_none() {
            return;
        }
        if self.scenario.world.tempo.acts > 0 && self.chance.chance(700) {
            for _ in 0..self.chance.between(1, 4) {
                self.operator(node, false);
            }
        }
        let delay = self.chance.below(IN_THE_ACT_US);
        self.after(delay, Happening::Stop { node });
    }

    /// One reason for a PC to be off is gone.
    pub(super) fn lift(&mut self, node: usize, hold: Hold) {
        self.slots[node].holds.remove(&hold);
        self.start(node);
    }

    /// Power is cut. What the store kept although nobody was told counts, unless it is about to be lost altogether: then it was
    /// never anybody's, and its numbers are free.
    pub(super) fn stop(&mut self, node: usize, store_stays: bool) {
        let slot = &mut self.slots[node];
        if slot.driver.is_none() || slot.holds.is_empty() {
            return;
        }
        slot.driver = None;
        slot.wake_at = None;
        slot.disk_lost = false;
        let wreck = slot.disk.crash(&mut slot.disk_dice);
        let dark = slot.holds.contains(&Hold::Power);
        let in_hand = std::mem::take(&mut slot.in_hand);
        in_hand.values().for_each(|nr| slot.staff.put_off(*nr));
        self.checker.saw(Sometimes::Crashed);
        wreck.kept.iter().filter(|_| store_stays).for_each(|job| self.durable(node, job));
        self.checker.saw_times(Sometimes::LostUnsynced, wreck.lost as u64);
        self.checker.saw_times(Sometimes::KeptUnanswered, wreck.kept.len() as u64);
        self.checker.saw_times(Sometimes::TornStamp, u64::from(wreck.torn));
        let made = self.checker.stopped(node);
        let begun = made.into_iter().filter_map(|(command, made)| in_hand.get(&command).map(|nr| (*nr, made)));
        self.slots[node].begun.extend(begun);
        self.drop_links(node);
        self.log(Happened::SiteDown { site: node, dark });
    }

    /// What became durable is looked at.
    pub(super) fn durable(&mut self, node: usize, job: &Job) {
        let id = self.id(node);
        self.checker.durable(node, id, self.now, job);
        let alliance = &self.alliance;
        self.checker.own_realm(node, self.now, job, |object| alliance.has_issued(object));
    }

    /// The store of a stopped PC is not what it was.
    pub(super) fn lose(&mut self, node: usize, loss: Loss) {
        let slot = &mut self.slots[node];
        slot.disk_lost = true;
        match loss {
            Loss::Turned => {
                self.checker.saw(Sometimes::Corrupted);
                if slot.disk.turn_bits(&mut slot.disk_dice) == Damage::BadRows(0) {
                    return;
                }
            }
            Loss::PutBack { nr, machine } => {
                slot.disk.put_back(nr, machine);
                if machine {
                    self.checker.planted.insert(node);
                }
            }
            Loss::Replaced => slot.disk.replace(),
        }
        let alliance = Arc::clone(&self.alliance);
        let disks: Vec<&Disk> = self.slots.iter().map(|slot| &slot.disk).collect();
        self.checker.store_lost(node, self.now, &disks, &|author| alliance.members[author].id);
    }

    /// UPS and tank are empty, unless mains came back in between.
    pub(super) fn dark(&mut self, node: usize) {
        if self.slots[node].power.source(self.now) == Source::Dead && !self.slots[node].holds.contains(&Hold::Power) {
            self.checker.saw(Sometimes::PowerRanOut);
            self.hold(node, Hold::Power);
        }
    }

    /// A node opened a new incarnation.
    pub(super) fn incarnation(&mut self, node: usize, cause: &str) {
        let slot = &self.slots[node];
        if slot.life <= 1 {
            return;
        }
        self.checker.saw(Sometimes::NewIncarnation);
        let changed = self.checker.lost.contains_key(&node) || self.checker.planted.contains(&node);
        let excused = slot.disk_lost || !slot.had_stamp || changed;
        self.checker.check(Rule::AlwaysContinuity, excused, self.now, Some(node), || {
            format!("new incarnation after a crash that lost nothing synced: {cause}")
        });
    }
}
