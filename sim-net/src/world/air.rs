//! The broadcast domain: one lossy medium over which fresh entries are heard by everybody who is not cut off (gossip).

use bytes::Bytes;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};

use super::links::Carrier;
use super::log::Via;
use super::slot::Port;
use super::{Happening, World};
use crate::checker::Sometimes;
use crate::network::path::{Flight, Misuse};

impl World {
    pub(super) fn join_air(&mut self, node: usize) {
        let Some(path) = self.scenario.world.gossip else { return };
        let slot = &mut self.slots[node];
        let name = slot.new_link();
        slot.heard = Vec::new();
        slot.ports.insert(name, Port::Air);
        let life = slot.life;
        let profile = LinkProfile {
            mtu: path.mtu,
            rate: u32::try_from(path.rate).unwrap_or(0),
            reliable: false,
            broadcast: true,
            peer: None,
            dialled: None,
            label: "sim air".to_owned(),
        };
        self.after(0, Happening::Give { node, life, input: Box::new(Input::LinkUp { link: name, profile }) });
        self.after(1, Happening::AirGrant { node, life });
        self.hear_soon();
    }

    fn air_link(&self, node: usize) -> Option<LinkId> {
        // The first link of a life, and most often the only one that is no wire.
        self.slots[node].ports.iter().find(|(_, port)| matches!(port, Port::Air)).map(|(name, _)| *name)
    }

    pub(super) fn send_air(&mut self, node: usize, frame: &Bytes) -> Result<(), String> {
        let flights = self.shout(node, frame).map_err(|misuse| format!("{misuse:?} on the air"))?;
        for (to, flight) in flights {
            self.at(flight.at, Happening::Air { from: node, to, frame: flight.frame });
        }
        let Some(path) = self.scenario.world.gossip else { return Ok(()) };
        let lane = &mut self.links.air[node];
        if !lane.grant_pending && lane.is_short(&path) {
            lane.grant_pending = true;
            let at = lane.next_grant(self.now);
            let life = self.slots[node].life;
            self.at(at, Happening::AirGrant { node, life });
        }
        Ok(())
    }

    /// What of a frame arrives where.
    fn shout(&mut self, from: usize, frame: &Bytes) -> Result<Vec<(usize, Flight)>, Misuse> {
        let Some(path) = self.scenario.world.gossip else { return Ok(Vec::new()) };
        let (backhaul, tally) = (&self.backhaul, &mut self.links.tallies[Carrier::Gossip as usize]);
        let lane = &mut self.links.air[from];
        let Ok(left) = lane.depart(self.now, frame, &path, tally)? else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for to in backhaul.open_from(from).iter().copied().filter(|to| *to != from) {
            out.extend(lane.arrive(left, frame.clone(), &path, tally).flights().map(|flight| (to, flight)));
        }
        Ok(out)
    }

    pub(super) fn air(&mut self, from: usize, to: usize, frame: Bytes) {
        if self.slots[to].driver.is_none() || !self.backhaul.open(from, to) || !self.hears(to, from) {
            return;
        }
        let Some(link) = self.air_link(to) else { return };
        self.checker.saw(Sometimes::OnAir);
        self.bring(to, Via::Gossip, link, frame);
    }

    pub(super) fn air_grant(&mut self, node: usize, life: u32) {
        self.links.air[node].grant_pending = false;
        let (Some(path), Some(link)) = (self.scenario.world.gossip, self.air_link(node)) else { return };
        if self.alive(node, life) {
            let room = self.links.air[node].grant(self.now, &path);
            self.give(node, Input::Writable { link, room });
        }
    }

    /// Both admit each other.
    pub(super) fn hears(&self, to: usize, from: usize) -> bool {
        let (here, there) = (&self.alliance.members[to].key, &self.alliance.members[from].key);
        self.slots[to].admit.hears(there) && self.slots[from].admit.hears(here)
    }

    /// Who hears whom may have changed; all notice it together, a little later.
    pub(super) fn hear_soon(&mut self) {
        if (self.scenario.world.gossip.is_some() || !self.radios.is_empty()) && !self.hearing {
            self.hearing = true;
            let delay = self.chance.between(100_000, 3_000_000);
            self.after(delay, Happening::Hear);
        }
    }

    pub(super) fn hear(&mut self) {
        self.hearing = false;
        self.hear_radios();
        if self.scenario.world.gossip.is_none() {
            return;
        }
        for node in 0..self.slots.len() {
            let Some(link) = self.air_link(node).filter(|_| self.slots[node].driver.is_some()) else { continue };
            let others = self.backhaul.open_with(node).iter().copied().filter(|other| *other != node);
            let heard = others.filter(|other| self.slots[*other].driver.is_some() && self.hears(node, *other));
            let keys: Vec<_> = heard.map(|other| self.alliance.members[other].key).collect();
            if self.slots[node].heard != keys {
                self.slots[node].heard.clone_from(&keys);
                self.give(node, Input::Audible { link, keys });
            }
        }
    }
}
