//! An adversary's links: it dials neighbours of its target like any node and says what [`crate::site::adversary`] prepared.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use holdfast_proto::io::{Input, Row};
use holdfast_proto::link::{LinkId, LinkProfile};

use super::slot::Port;
use super::{Happening, World};
use crate::checker::Sometimes;
use crate::dice::{Dice, Purpose};
use crate::driver::Alliance;
use crate::scenario::words::ForgeKind;
use crate::scenario::{Micros, Site, SiteNo};
use crate::site::adversary::{Loot, SYBILS, forge};

/// So many nodes are spoken to.
const NEIGHBOURS: usize = 3;
/// Between two frames to one of them.
const GAP: Micros = 20_000;
/// What a node may send to it: it never reads.
const CREDIT: u32 = 1_000_000;

/// One link of an adversary.
#[derive(Clone, Debug)]
pub(super) struct Rogue {
    node: SiteNo,
    life: u32,
    link: LinkId,
    frames: VecDeque<Bytes>,
    /// Whose doing it is.
    pub(super) nr: u32,
    /// Frames handed over so far.
    pub(super) sent: u64,
}

impl World {
    /// Somebody notes down what a site says, to say it again in this inject.
    pub(super) fn overhear(&mut self, nr: u32, node: SiteNo) {
        let id = self.id(node);
        let disk = &self.slots[node].disk;
        let entries = disk.entries().filter(|entry| entry.id.log.author == id).cloned().map(Row::Entry);
        let docs = disk.docs().filter(|doc| doc.author == id);
        let docs = docs.map(|doc| Row::Doc { slot: 0, author: doc.author, kind: doc.kind, doc: Some(doc.clone()) });
        self.overheard.insert(nr, entries.chain(docs).collect());
    }

    pub(super) fn attack(&mut self, nr: u32, kind: ForgeKind, site: SiteNo) {
        let mut dice = Dice::new(self.seed, Purpose::Adversary, u64::from(nr));
        if !self.overheard.contains_key(&nr) {
            self.overhear(nr, site);
        }
        // Only founded where somebody needs it.
        let startex = self.scenario.exercise.startex_ms;
        let foreign = match kind {
            // The same sites under roots of its own.
            ForgeKind::ForeignCertificate => Alliance::make(!self.seed, &self.scenario.sites, startex).ok(),
            // The same roots, and an issuer that was given more than it was.
            ForgeKind::HostileIssuer => {
                let more = std::iter::repeat_n(&self.scenario.sites[site], SYBILS);
                let sites: Vec<Site> = self.scenario.sites.iter().chain(more).cloned().collect();
                Alliance::make(self.seed, &sites, startex).ok()
            }
            ForgeKind::BadSignature
            | ForgeKind::Replay
            | ForgeKind::Equivocate
            | ForgeKind::Flood
            | ForgeKind::Malformed
            | ForgeKind::AbsurdQuantity
            | ForgeKind::StolenKey => None,
        };
        let loot = Loot {
            alliance: &self.alliance,
            foreign: foreign.as_ref().unwrap_or(&self.alliance),
            site,
            now: self.clock(site),
            rows: self.slots[site].disk.rows(),
            stamp: self.slots[site].disk.stamp(),
            overheard: self.overheard.get(&nr).cloned().unwrap_or_default(),
            mtu: self.scenario.world.wan.mtu,
        };
        let forgery = forge(kind, &loot, &mut dice);
        self.checker.forged(nr, site, &forgery);
        for (turn, node) in self.around(site, &mut dice).into_iter().enumerate() {
            let Some(frames) = forgery.stories.get(turn % forgery.stories.len().max(1)) else { return };
            let profile = LinkProfile {
                mtu: self.scenario.world.wan.mtu,
                rate: u32::try_from(self.scenario.world.wan.rate).unwrap_or(0),
                reliable: true,
                broadcast: false,
                peer: Some(forgery.key),
                dialled: None,
                label: "sim stranger".to_owned(),
            };
            let slot = &mut self.slots[node];
            let (link, life) = (slot.new_link(), slot.life);
            let rogue = self.rogues.len();
            slot.ports.insert(link, Port::Rogue(rogue));
            self.rogues.push(Rogue { node, life, link, frames: frames.iter().cloned().collect(), nr, sent: 0 });
            self.give(node, Input::LinkUp { link, profile });
            self.after(self.scenario.world.wan.delay, Happening::Forged { rogue });
        }
    }

    /// Running nodes that could hear it: first those that have no link to the site, so that it looks like news.
    fn around(&self, site: SiteNo, dice: &mut Dice) -> Vec<SiteNo> {
        let wires = &self.slots[site].wires;
        let linked: BTreeSet<SiteNo> =
            wires.iter().filter_map(|link| self.links.open.get(*link)).flat_map(|connection| connection.nodes()).collect();
        let running = |node: &SiteNo| *node != site && self.slots[*node].driver.is_some() && self.backhaul.open_both(site, *node);
        let (mut near, mut far): (Vec<SiteNo>, Vec<SiteNo>) =
            (0..self.slots.len()).filter(running).partition(|node| linked.contains(node));
        let mut chosen = Vec::new();
        while chosen.len() < NEIGHBOURS && !(near.is_empty() && far.is_empty()) {
            let list = if far.is_empty() { &mut near } else { &mut far };
            let place = dice.index(list.len());
            chosen.push(list.swap_remove(place));
        }
        chosen
    }

    /// It says the next thing, as long as it is listened to.
    pub(super) fn forged(&mut self, rogue: usize) {
        let over = self.over;
        let Some(state) = self.rogues.get_mut(rogue) else { return };
        let (node, life, link) = (state.node, state.life, state.link);
        let frame = state.frames.pop_front();
        state.sent += u64::from(frame.is_some());
        let listens = self.alive(node, life) && self.slots[node].ports.contains_key(&link);
        match frame.filter(|_| listens && !over) {
            Some(frame) => {
                self.checker.saw(Sometimes::Forged);
                self.after(GAP, Happening::Forged { rogue });
                self.give(node, Input::Writable { link, room: CREDIT });
                self.give(node, Input::Received { link, frame });
            }
            None => self.drop_rogue(rogue, "closed by the other side"),
        }
    }

    /// The link of an adversary ends.
    pub(super) fn drop_rogue(&mut self, rogue: usize, cause: &str) {
        let Some(state) = self.rogues.get_mut(rogue) else { return };
        state.frames.clear();
        let (node, life, link) = (state.node, state.life, state.link);
        if self.alive(node, life) && self.slots[node].ports.remove(&link).is_some() {
            self.after(0, Happening::Give { node, life, input: Box::new(Input::LinkDown { link, cause: cause.to_owned() }) });
        }
    }

    /// Sites that keep something that this inject forged.
    pub fn accepted(&self, nr: u32) -> impl Iterator<Item = SiteNo> {
        self.checker.kept_of(nr)
    }
}
