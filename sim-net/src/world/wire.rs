//! Links as events: dialling, frames on their way, credit, and how links are cut, mended and die. What a frame suffers is decided
//! in [`crate::network::path`]; this file only makes it happen at the right moment.

use std::collections::BTreeSet;

use bytes::Bytes;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};

use super::links::{Carrier, End};
use super::log::Happened;
use super::slot::Port;
use super::{Happening, World};
use crate::checker::{Rule, Sometimes};
use crate::network::Cause;
use crate::network::element::Route;
use crate::scenario::{Micros, Path, SiteNo};

/// Idle time after which a cut link counts as dead at both ends, shortest and longest (`mesh.md` 3.2: idle timeout 15 s).
const IDLE: (Micros, Micros) = (5_000_000, 15_000_000);

/// The node of an address.
fn target(address: &str, count: usize) -> Option<usize> {
    address.strip_prefix("sim:")?.parse().ok().filter(|target| *target < count)
}

impl World {
    /// How a link to an address would behave.
    pub(super) fn path_to(&self, node: SiteNo, address: &str) -> Path {
        target(address, self.slots.len()).map_or(self.scenario.world.wan, |target| *self.backhaul.path(node, target))
    }

    pub(super) fn dial(&mut self, node: usize, life: u32, address: &str) {
        if !self.alive(node, life) {
            return;
        }
        let Err((delay, cause)) = self.try_dial(node, address) else { return };
        let input = Input::DialFailed { address: address.to_owned(), cause: cause.to_owned() };
        self.after(delay, Happening::Give { node, life, input: Box::new(input) });
    }

    fn try_dial(&mut self, node: usize, address: &str) -> Result<(), (Micros, &'static str)> {
        let target = target(address, self.slots.len()).ok_or((0, "no such address"))?;
        if target == node {
            return Err((0, "that is this node"));
        }
        if !self.backhaul.open_both(node, target) {
            return Err((self.chance.between(2_000_000, 5_000_000), "timed out"));
        }
        let path = *self.backhaul.path(node, target);
        if self.slots[target].driver.is_none() {
            return Err((path.delay, "connection refused"));
        }
        let keys = [self.alliance.members[node].key, self.alliance.members[target].key];
        if self.slots[target].admit.denies(&keys[0]) || self.slots[node].admit.denies(&keys[1]) {
            return Err((path.delay, "key denied"));
        }
        let ends = [node, target].map(|node| {
            let slot = &mut self.slots[node];
            End { node, life: slot.life, link: slot.new_link(), up: false, hung: false, closed: false }
        });
        let carrier = if self.backhaul.route(node, target) == Some(Route::Lan) { Carrier::Lan } else { Carrier::Wan };
        // The accepting side is up last, as with QUIC: it waits for the dialler's certificate.
        let accepted = self.now + path.delay + path.jitter + 1;
        let link = self.links.connect(ends, (path, carrier), accepted, address.to_owned());
        for node in [node, target] {
            self.slots[node].wires.insert(link);
        }
        self.after(0, Happening::LinkUp { link, side: 0 });
        self.at(accepted, Happening::LinkUp { link, side: 1 });
        Ok(())
    }

    pub(super) fn link_up(&mut self, link: u64, side: usize) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        let other = self.alliance.members[connection.ends[1 - side].node].key;
        let path = connection.path;
        let dialled = (side == 0).then(|| connection.address.clone());
        let end = &mut connection.ends[side];
        let (node, life, name) = (end.node, end.life, end.link);
        if end.closed {
            return;
        }
        if self.slots[node].driver.is_none() || self.slots[node].life != life {
            self.close_end(link, side);
            return;
        }
        end.up = true;
        let profile = LinkProfile {
            mtu: path.mtu,
            rate: u32::try_from(path.rate).unwrap_or(0),
            reliable: path.reliable,
            broadcast: false,
            peer: Some(other),
            dialled,
            label: format!("sim {link}"),
        };
        self.slots[node].ports.insert(name, Port::Wire { link, side });
        self.after(0, Happening::Grant { link, side });
        self.give(node, Input::LinkUp { link: name, profile });
    }

    /// One end is over. A link of which both are is forgotten.
    fn close_end(&mut self, link: u64, side: usize) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        connection.ends[side].closed = true;
        connection.ends[side].up = false;
        if connection.ends.iter().all(|end| end.closed) {
            for node in connection.nodes() {
                self.slots[node].wires.remove(&link);
            }
            self.links.open.remove(link);
        }
    }

    pub(super) fn link_down(&mut self, link: u64, side: usize, cause: String) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        let end = &connection.ends[side];
        let (node, life, name) = (end.node, end.life, end.link);
        let told = end.up && !end.closed;
        self.close_end(link, side);
        if told && self.alive(node, life) {
            self.slots[node].ports.remove(&name);
            self.give(node, Input::LinkDown { link: name, cause });
        }
    }

    pub(super) fn hang_up(&mut self, node: usize, link: LinkId, reason: &str) {
        let (link, side) = match self.slots[node].ports.get(&link).copied() {
            Some(Port::Wire { link, side }) => (link, side),
            Some(Port::Rogue(rogue)) => return self.drop_rogue(rogue, "closed here"),
            Some(Port::Air | Port::Radio(_)) | None => return,
        };
        let Some(connection) = self.links.open.get_mut(link) else { return };
        connection.ends[side].hung = true;
        let path = connection.path;
        let near = self.chance.below(1_000);
        let far = path.delay + path.jitter + near;
        self.after(near, Happening::LinkDown { link, side, cause: "closed here".to_owned() });
        self.after(far, Happening::LinkDown { link, side: 1 - side, cause: format!("closed by the other side: {reason}") });
    }

    pub(super) fn transmit(&mut self, node: usize, name: LinkId, frame: Bytes) {
        let (id, len) = (self.id(node), frame.len());
        self.checker.spoke(node, id, self.now, &self.slots[node].disk, &frame);
        let port = self.slots[node].ports.get(&name).copied();
        let misuse = match port {
            Some(Port::Wire { link, side }) => self.send_wire(link, side, frame).err(),
            Some(Port::Air) => self.send_air(node, &frame).err(),
            Some(Port::Radio(net)) => self.send_radio(net, node, &frame).err().map(|misuse| format!("{misuse:?} by radio")),
            Some(Port::Rogue(_)) => None,
            None => Some("over a link that is not up".to_owned()),
        };
        self.checker.check(Rule::AlwaysLinkContract, misuse.is_none(), self.now, Some(node), || {
            format!("sent {len} bytes {} (link {})", misuse.unwrap_or_default(), name.0)
        });
    }

    fn send_wire(&mut self, link: u64, side: usize, frame: Bytes) -> Result<(), String> {
        if self.links.open.get(link).is_some_and(|connection| connection.ends[side].hung) {
            return Err("over a link it hung up".to_owned());
        }
        let fate = self.links.send(link, side, self.now, frame).map_err(|misuse| format!("{misuse:?}"))?;
        for flight in fate.into_iter().flat_map(|fate| fate.flights()) {
            self.at(flight.at, Happening::Frame { link, side: 1 - side, frame: flight.frame });
        }
        if let Some(connection) = self.links.open.get_mut(link) {
            let lane = &mut connection.lanes[side];
            if !lane.grant_pending && lane.is_short(&connection.path) {
                lane.grant_pending = true;
                let at = lane.next_grant(self.now);
                self.at(at, Happening::Grant { link, side });
            }
        }
        Ok(())
    }

    pub(super) fn frame(&mut self, link: u64, side: usize, frame: Bytes) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        let (from, to) = (connection.ends[1 - side].node, connection.ends[side].node);
        let end = &connection.ends[side];
        let (life, name) = (end.life, end.link);
        if !end.up {
            return;
        }
        let via = connection.carrier.into();
        let lane = &mut connection.lanes[1 - side];
        let waits = connection.path.reliable && !lane.held.is_empty();
        if waits || !self.backhaul.open(from, to) {
            if connection.path.reliable {
                lane.held.push(frame);
            } else {
                self.links.tallies[connection.carrier as usize].lost += 1;
            }
            return;
        }
        if self.alive(to, life) {
            self.bring(to, via, name, frame);
        }
    }

    pub(super) fn release(&mut self, link: u64, side: usize) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        let (from, to) = (connection.ends[1 - side].node, connection.ends[side].node);
        if !self.backhaul.open(from, to) {
            return;
        }
        let held = std::mem::take(&mut connection.lanes[1 - side].held);
        for frame in held {
            self.frame(link, side, frame);
        }
    }

    pub(super) fn grant(&mut self, link: u64, side: usize) {
        let Some(connection) = self.links.open.get_mut(link) else { return };
        let (from, to) = (connection.ends[side].node, connection.ends[1 - side].node);
        let end = &connection.ends[side];
        let (life, name, up) = (end.life, end.link, end.up && !end.hung);
        let lane = &mut connection.lanes[side];
        lane.grant_pending = false;
        // No acknowledgements come back over a cut link, so the window stays as it is; mending grants again.
        if !up || (connection.path.reliable && !self.backhaul.open_both(from, to)) {
            return;
        }
        let room = lane.grant(self.now, &connection.path);
        if self.alive(from, life) {
            self.give(from, Input::Writable { link: name, room });
        }
    }

    /// Something changed about these sites: their links that stand are cut, mended or behave otherwise from now on.
    pub(super) fn changed(&mut self, touched: &[SiteNo]) {
        let links: BTreeSet<u64> = touched.iter().flat_map(|site| self.slots[*site].wires.iter().copied()).collect();
        let (mut cut, mut mended) = (0, 0);
        for link in links {
            let Some([a, b]) = self.links.open.get(link).map(|connection| connection.nodes()) else { continue };
            let (open, path) = (self.backhaul.open_both(a, b), *self.backhaul.path(a, b));
            let Some(connection) = self.links.open.get_mut(link) else { continue };
            connection.path = path;
            match (open, connection.cut_at) {
                (true, Some(_)) => {
                    connection.cut_at = None;
                    mended += 1;
                    for side in [0, 1] {
                        self.after(path.delay, Happening::Release { link, side });
                        self.after(path.delay, Happening::Grant { link, side });
                    }
                }
                (false, None) => {
                    connection.cut_at = Some(self.now);
                    cut += 1;
                    let idle = self.chance.between(IDLE.0, IDLE.1);
                    self.after(idle, Happening::Doom { link, since: self.now });
                }
                // Still cut, but perhaps no longer in both directions.
                (false, Some(_)) => {
                    for side in [0, 1] {
                        self.after(path.delay, Happening::Release { link, side });
                    }
                }
                (true, None) => {}
            }
        }
        self.checker.saw_times(Sometimes::Cut, u64::from(cut));
        if cut + mended > 0 {
            self.log(Happened::Links { cut, mended });
        }
        self.hear_soon();
    }

    pub(super) fn doom(&mut self, link: u64, since: Micros) {
        if self.links.open.get(link).is_none_or(|connection| connection.cut_at != Some(since)) {
            return;
        }
        for side in [0, 1] {
            let delay = self.chance.below(1_000_000);
            self.after(delay, Happening::LinkDown { link, side, cause: "timed out".to_owned() });
        }
    }

    /// A node is gone without a word: its neighbours notice by and by.
    pub(super) fn drop_links(&mut self, node: usize) {
        self.slots[node].ports.clear();
        self.leave_radio(node);
        for link in std::mem::take(&mut self.slots[node].wires) {
            let Some(connection) = self.links.open.get(link) else { continue };
            let side = usize::from(connection.ends[1].node == node);
            self.close_end(link, side);
            let delay = self.chance.between(10_000, IDLE.1);
            self.after(delay, Happening::LinkDown { link, side: 1 - side, cause: "timed out".to_owned() });
        }
        self.hear_soon();
    }

    /// WAN links behave like this from now on: for figures.
    pub fn set_wan(&mut self, path: Path) {
        let all: Vec<SiteNo> = (0..self.slots.len()).collect();
        let touched = self.backhaul.degrade(Cause::MAX, &all, path);
        self.changed(&touched);
    }
}
