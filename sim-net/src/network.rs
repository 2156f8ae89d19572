//! The wires: point-to-point links, one broadcast domain, and cuts between any pair in either direction. The models beneath know
//! no nodes: [`path`] one direction of a link, [`element`] what links depend on, [`radio`] a shared channel, [`courier`] a stick in
//! a pocket. They say when a frame arrives or why not; [`crate::world`] makes it happen.

pub mod courier;
pub mod element;
pub mod path;
pub mod radio;

use std::collections::BTreeMap;

use bytes::Bytes;
use holdfast_proto::link::LinkId;

use self::path::{Flight, Lane, Misuse, Tally};
use crate::dice::{Dice, Purpose};
use crate::scenario::Path;

/// Who brought something about, to take it back by; the caller's numbers, never used for two things at once.
pub type Cause = u64;

/// One end of a link.
#[derive(Clone, Debug)]
pub struct End {
    /// Index of the node.
    pub node: usize,
    /// Which life of it.
    pub life: u32,
    /// Its name for the link.
    pub link: LinkId,
    /// The node was told that it is up.
    pub up: bool,
    /// The node hung up and is not yet told that it is down.
    pub hung: bool,
    /// It is over for this end, told or about to be.
    pub closed: bool,
}

/// One point-to-point link.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who dialled first, then who was dialled.
    pub ends: [End; 2],
    /// From end 0, from end 1.
    pub lanes: [Lane; 2],
    /// How it behaves.
    pub path: Path,
    /// What was dialled.
    pub address: String,
}

/// All wires.
#[derive(Clone, Debug)]
pub struct Network {
    seed: u64,
    /// Every link of the run, by number; closed ones are dropped when both ends know.
    pub links: BTreeMap<u64, Connection>,
    next: u64,
    cuts: BTreeMap<(usize, usize), u32>,
    /// Senders on the broadcast domain.
    pub air: Vec<Lane>,
    /// How the broadcast domain behaves, where there is one.
    pub air_path: Option<Path>,
    /// What happened.
    pub tally: Tally,
}

impl Network {
    /// No links yet, nothing cut.
    #[must_use]
    pub fn new(seed: u64, nodes: usize, air_path: Option<Path>) -> Self {
        let mtu = air_path.map_or(0, |path| path.mtu);
        let air = (0..nodes).map(|node| Lane::new(Dice::new(seed, Purpose::Broadcast, node as u64), mtu)).collect();
        Self { seed, links: BTreeMap::new(), next: 0, cuts: BTreeMap::new(), air, air_path, tally: Tally::default() }
    }

    /// A new link; nobody was told yet. The dialled end is up at `accepted`, and nothing arrives there before.
    pub fn connect(&mut self, ends: [End; 2], path: Path, accepted: u64, address: String) -> u64 {
        let number = self.next;
        self.next += 1;
        let lane = |side: u64| Lane::new(Dice::new(self.seed, Purpose::Link, number * 2 + side), path.mtu);
        let lanes = [lane(0).opening_at(accepted), lane(1)];
        self.links.insert(number, Connection { ends, lanes, path, address });
        number
    }

    /// Sends over a link from `side`.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent.
    pub fn send(&mut self, link: u64, side: usize, now: u64, frame: &Bytes) -> Result<Vec<Flight>, Misuse> {
        let Some(connection) = self.links.get_mut(&link) else { return Ok(Vec::new()) };
        let fate = connection.lanes[side].send(now, frame, &connection.path, &mut self.tally)?;
        Ok(fate.flights().collect())
    }

    /// Sends to everybody in hearing: `(hearer, flight)`.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent.
    pub fn shout(&mut self, from: usize, now: u64, frame: &Bytes) -> Result<Vec<(usize, Flight)>, Misuse> {
        let Some(path) = self.air_path else { return Ok(Vec::new()) };
        let hearers: Vec<usize> = (0..self.air.len()).filter(|to| *to != from && self.open(from, *to)).collect();
        let lane = &mut self.air[from];
        let Ok(left) = lane.depart(now, frame, &path, &mut self.tally)? else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for to in hearers {
            out.extend(lane.arrive(left, frame, &path, &mut self.tally).flights().map(|flight| (to, flight)));
        }
        Ok(out)
    }

    /// Nothing passes from `a` to `b` any more, until as many [`Self::mend`]s.
    pub fn cut(&mut self, a: usize, b: usize) {
        *self.cuts.entry((a, b)).or_default() += 1;
    }

    /// Takes one cut back.
    pub fn mend(&mut self, a: usize, b: usize) {
        if let Some(count) = self.cuts.get_mut(&(a, b)) {
            *count -= 1;
            if *count == 0 {
                self.cuts.remove(&(a, b));
            }
        }
    }

    /// All cuts end.
    pub fn mend_all(&mut self) {
        self.cuts.clear();
    }

    /// Frames pass from `a` to `b`.
    #[must_use]
    pub fn open(&self, a: usize, b: usize) -> bool {
        !self.cuts.contains_key(&(a, b))
    }

    /// Frames pass both ways.
    #[must_use]
    pub fn open_both(&self, a: usize, b: usize) -> bool {
        self.open(a, b) && self.open(b, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_one_way_leaves_the_other_open() {
        let mut network = Network::new(3, 2, None);
        network.cut(0, 1);
        assert!(!network.open(0, 1) && network.open(1, 0) && !network.open_both(0, 1));
        network.mend(0, 1);
        assert!(network.open_both(0, 1));
    }
}
