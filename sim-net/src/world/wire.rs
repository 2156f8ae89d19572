//! Links as events: dialling, frames on their way, credit, hearing, and how links die. What a frame suffers is decided in
//! [`crate::network`]; this file only makes it happen at the right moment.

use bytes::Bytes;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};

use super::{Happening, Port, World};
use crate::checker::{Rule, Sometimes};
use crate::network::End;
use crate::scenario::Path;

/// Idle time after which a cut link counts as dead at both ends, shortest and longest (`mesh.md` 3.2: idle timeout 15 s).
const IDLE_US: (u64, u64) = (5_000_000, 15_000_000);

impl World {
    pub(super) fn dial(&mut self, node: usize, life: u32, address: &str) {
        if !self.alive(node, life) {
            return;
        }
        let Err((delay, cause)) = self.try_dial(node, address) else { return };
        let input = Input::DialFailed { address: address.to_owned(), cause: cause.to_owned() };
        self.after(delay, Happening::Give { node, life, input });
    }

    fn try_dial(&mut self, node: usize, address: &str) -> Result<(), (u64, &'static str)> {
        let target = address.strip_prefix("sim:").and_then(|number| number.parse::<usize>().ok());
        let target = target.filter(|target| *target < self.slots.len()).ok_or((0, "no such address"))?;
        if target == node {
            return Err((0, "that is this node"));
        }
        if !self.network.open_both(node, target) {
            return Err((self.chance.between(2_000_000, 5_000_000), "timed out"));
        }
        if self.slots[target].driver.is_none() {
            return Err((self.plan.path.delay, "connection refused"));
        }
        let keys = [self.alliance.members[node].key, self.alliance.members[target].key];
        if self.slots[target].denied.contains(&keys[0]) || self.slots[node].denied.contains(&keys[1]) {
            return Err((self.plan.path.delay, "key denied"));
        }
        let ends = [node, target].map(|node| {
            let slot = &mut self.slots[node];
            End { node, life: slot.life, link: slot.new_link(), up: false, hung: false, closed: false }
        });
        let path = self.plan.path;
        // The accepting side is up last, as with QUIC: it waits for the dialler's certificate.
        let accepted = self.now + path.delay + path.jitter + 1;
        let link = self.network.connect(ends, path, accepted, address.to_owned());
        self.after(0, Happening::LinkUp { link, side: 0 });
        self.at(accepted, Happening::LinkUp { link, side: 1 });
        Ok(())
    }

    pub(super) fn link_up(&mut self, link: u64, side: usize) {
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let other = self.alliance.members[connection.ends[1 - side].node].key;
        let path = connection.path;
        let dialled = (side == 0).then(|| connection.address.clone());
        let end = &mut connection.ends[side];
        if end.closed {
            return;
        }
        let (node, life, name) = (end.node, end.life, end.link);
        if self.slots[node].driver.is_none() || self.slots[node].life != life {
            end.closed = true;
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

    pub(super) fn link_down(&mut self, link: u64, side: usize, cause: String) {
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let end = &mut connection.ends[side];
        let (node, life, name) = (end.node, end.life, end.link);
        let told = end.up && !end.closed;
        end.closed = true;
        end.up = false;
        if connection.ends.iter().all(|end| end.closed) {
            self.network.links.remove(&link);
        }
        if told && self.alive(node, life) {
            self.slots[node].ports.remove(&name);
            self.give(node, Input::LinkDown { link: name, cause });
        }
    }

    pub(super) fn hang_up(&mut self, node: usize, link: LinkId, reason: &str) {
        let Some(Port::Wire { link, side }) = self.slots[node].ports.get(&link).copied() else { return };
        if let Some(connection) = self.network.links.get_mut(&link) {
            connection.ends[side].hung = true;
        }
        let near = self.chance.below(1_000);
        let far = self.plan.path.delay + self.plan.path.jitter + near;
        self.after(near, Happening::LinkDown { link, side, cause: "closed here".to_owned() });
        self.after(far, Happening::LinkDown { link, side: 1 - side, cause: format!("closed by the other side: {reason}") });
    }

    pub(super) fn transmit(&mut self, node: usize, name: LinkId, frame: &Bytes) {
        let id = self.id(node);
        self.checker.spoke(node, id, self.now, &self.slots[node].disk, frame);
        let port = self.slots[node].ports.get(&name).copied();
        let misuse = match port {
            Some(Port::Wire { link, side }) => self.send_wire(link, side, frame).err(),
            Some(Port::Air) => self.send_air(node, frame).err(),
            None => Some("over a link that is not up".to_owned()),
        };
        self.checker.check(Rule::AlwaysLinkContract, misuse.is_none(), self.now, Some(node), || {
            format!("sent {} bytes {} (link {})", frame.len(), misuse.unwrap_or_default(), name.0)
        });
    }

    fn send_wire(&mut self, link: u64, side: usize, frame: &Bytes) -> Result<(), String> {
        if self.network.links.get(&link).is_some_and(|connection| connection.ends[side].hung) {
            return Err("over a link it hung up".to_owned());
        }
        let flights = self.network.send(link, side, self.now, frame).map_err(|misuse| format!("{misuse:?}"))?;
        for flight in flights {
            self.at(flight.at, Happening::Frame { link, side: 1 - side, frame: flight.frame });
        }
        if let Some(connection) = self.network.links.get_mut(&link) {
            let lane = &mut connection.lanes[side];
            if !lane.grant_pending {
                lane.grant_pending = true;
                let at = lane.next_grant(self.now);
                self.at(at, Happening::Grant { link, side });
            }
        }
        Ok(())
    }

    pub(super) fn frame(&mut self, link: u64, side: usize, frame: Bytes) {
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let (from, to) = (connection.ends[1 - side].node, connection.ends[side].node);
        let end = &connection.ends[side];
        let (life, name) = (end.life, end.link);
        if !end.up {
            return;
        }
        let lane = &mut connection.lanes[1 - side];
        let waits = connection.path.reliable && !lane.held.is_empty();
        let passes = self.network.open(from, to);
        if waits || !passes {
            // Borrowed anew: whether the pair is open is the network's to say.
            let Some(connection) = self.network.links.get_mut(&link) else { return };
            if connection.path.reliable {
                connection.lanes[1 - side].held.push(frame);
            } else {
                self.network.tally.lost += 1;
            }
            return;
        }
        if self.alive(to, life) {
            self.give(to, Input::Received { link: name, frame });
        }
    }

    pub(super) fn release(&mut self, link: u64, side: usize) {
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let (from, to) = (connection.ends[1 - side].node, connection.ends[side].node);
        if !self.network.open(from, to) {
            return;
        }
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let held = std::mem::take(&mut connection.lanes[1 - side].held);
        for frame in held {
            self.frame(link, side, frame);
        }
    }

    pub(super) fn grant(&mut self, link: u64, side: usize) {
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let (from, to) = (connection.ends[side].node, connection.ends[1 - side].node);
        let path = connection.path;
        let end = &connection.ends[side];
        let (life, name, up) = (end.life, end.link, end.up && !end.hung);
        let lane = &mut connection.lanes[side];
        lane.grant_pending = false;
        if !up {
            return;
        }
        if path.reliable && !self.network.open_both(from, to) {
            // No acknowledgements come back, so the window stays as it is; mending grants again.
            return;
        }
        let Some(connection) = self.network.links.get_mut(&link) else { return };
        let room = connection.lanes[side].grant(self.now, &path);
        if self.alive(from, life) {
            self.give(from, Input::Writable { link: name, room });
        }
    }

    /// Links over a pair that was cut or mended: doomed if cut for too long, released when open again.
    pub(super) fn pairs_changed(&mut self, pairs: &[(usize, usize)]) {
        let touched: Vec<(u64, [usize; 2])> = self
            .network
            .links
            .iter()
            .map(|(link, connection)| (*link, [connection.ends[0].node, connection.ends[1].node]))
            .filter(|(_, [a, b])| pairs.iter().any(|pair| *pair == (*a, *b) || *pair == (*b, *a)))
            .collect();
        for (link, [a, b]) in touched {
            if self.network.open_both(a, b) {
                let delay = self.plan.path.delay;
                for side in [0, 1] {
                    self.after(delay, Happening::Release { link, side });
                    self.after(delay, Happening::Grant { link, side });
                }
            } else {
                let idle = self.chance.between(IDLE_US.0, IDLE_US.1);
                self.after(idle, Happening::Doom { link });
            }
        }
        self.hear_soon();
    }

    pub(super) fn doom(&mut self, link: u64) {
        let Some(connection) = self.network.links.get(&link) else { return };
        if self.network.open_both(connection.ends[0].node, connection.ends[1].node) {
            return;
        }
        for side in [0, 1] {
            let delay = self.chance.below(1_000_000);
            self.after(delay, Happening::LinkDown { link, side, cause: "timed out".to_owned() });
        }
    }

    /// A node is gone without a word: its neighbours notice by and by.
    pub(super) fn drop_links(&mut self, node: usize) {
        let ports = std::mem::take(&mut self.slots[node].ports);
        for port in ports.into_values() {
            let Port::Wire { link, side } = port else { continue };
            if let Some(connection) = self.network.links.get_mut(&link) {
                connection.ends[side].closed = true;
                connection.ends[side].up = false;
            }
            let delay = self.chance.between(10_000, IDLE_US.1);
            self.after(delay, Happening::LinkDown { link, side: 1 - side, cause: "timed out".to_owned() });
        }
        self.hear_soon();
    }

    pub(super) fn join_air(&mut self, node: usize) {
        let Some(path) = self.plan.air else { return };
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
        self.after(0, Happening::Give { node, life, input: Input::LinkUp { link: name, profile } });
        self.after(1, Happening::AirGrant { node, life });
        self.hear_soon();
    }

    fn air_link(&self, node: usize) -> Option<LinkId> {
        self.slots[node].ports.iter().find(|(_, port)| matches!(port, Port::Air)).map(|(name, _)| *name)
    }

    fn send_air(&mut self, node: usize, frame: &Bytes) -> Result<(), String> {
        let flights = self.network.shout(node, self.now, frame).map_err(|misuse| format!("{misuse:?} on the air"))?;
        for (to, flight) in flights {
            self.at(flight.at, Happening::Air { from: node, to, frame: flight.frame });
        }
        let lane = &mut self.network.air[node];
        if !lane.grant_pending {
            lane.grant_pending = true;
            let at = lane.next_grant(self.now);
            let life = self.slots[node].life;
            self.at(at, Happening::AirGrant { node, life });
        }
        Ok(())
    }

    pub(super) fn air(&mut self, from: usize, to: usize, frame: Bytes) {
        if !self.network.open(from, to) || !self.hears(to, from) || self.slots[to].driver.is_none() {
            return;
        }
        let Some(link) = self.air_link(to) else { return };
        self.checker.saw(Sometimes::OnAir);
        self.give(to, Input::Received { link, frame });
    }

    pub(super) fn air_grant(&mut self, node: usize, life: u32) {
        self.network.air[node].grant_pending = false;
        let (Some(path), Some(link)) = (self.plan.air, self.air_link(node)) else { return };
        if self.alive(node, life) {
            let room = self.network.air[node].grant(self.now, &path);
            self.give(node, Input::Writable { link, room });
        }
    }

    /// Both admit each other.
    fn hears(&self, to: usize, from: usize) -> bool {
        let (here, there) = (self.alliance.members[to].key, self.alliance.members[from].key);
        self.slots[to].admit.contains(&there) && self.slots[from].admit.contains(&here)
    }

    pub(super) fn hear_soon(&mut self) {
        if self.plan.air.is_some() {
            let delay = self.chance.between(100_000, 3_000_000);
            self.after(delay, Happening::Hear);
        }
    }

    pub(super) fn hear(&mut self) {
        for node in 0..self.slots.len() {
            let Some(link) = self.air_link(node) else { continue };
            let keys: Vec<_> = (0..self.slots.len())
                .filter(|other| *other != node && self.slots[*other].driver.is_some())
                .filter(|other| self.network.open_both(node, *other) && self.hears(node, *other))
                .map(|other| self.alliance.members[other].key)
                .collect();
            if self.slots[node].driver.is_some() && self.slots[node].heard != keys {
                self.slots[node].heard.clone_from(&keys);
                self.give(node, Input::Audible { link, keys });
            }
        }
    }

    /// The path new links take from now on.
    pub fn set_path(&mut self, path: Path) {
        self.plan.path = path;
        for connection in self.network.links.values_mut() {
            connection.path = path;
        }
    }
}
