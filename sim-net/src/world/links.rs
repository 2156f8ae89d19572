//! Links as they stand: whose ends, which lanes, and the senders of the broadcast domain. What a frame suffers is decided in
//! [`crate::network::path`]; when things happen, in [`super::wire`].

use bytes::Bytes;
use holdfast_proto::link::LinkId;

use super::log::Via;
use crate::dice::{Dice, Purpose};
use crate::network::path::{Fate, Lane, Misuse, Tally};
use crate::scenario::{Micros, Path};

/// One end of a link.
#[derive(Clone, Debug)]
pub(super) struct End {
    /// Index of the node.
    pub(super) node: usize,
    /// Which life of it.
    pub(super) life: u32,
    /// Its name for the link.
    pub(super) link: LinkId,
    /// The node was told that it is up.
    pub(super) up: bool,
    /// The node hung up and is not yet told that it is down.
    pub(super) hung: bool,
    /// It is over for this end, told or about to be.
    pub(super) closed: bool,
}

/// One point-to-point link.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Who dialled first, then who was dialled.
    pub(super) ends: [End; 2],
    /// From end 0, from end 1.
    pub(super) lanes: [Lane; 2],
    /// How it behaves.
    pub(super) path: Path,
    /// What it runs over.
    pub(super) carrier: Carrier,
    /// What was dialled.
    pub(super) address: String,
    /// Since when it is cut in one direction at least.
    pub(super) cut_at: Option<Micros>,
}

impl Connection {
    /// Index of the node at each end.
    pub(super) fn nodes(&self) -> [usize; 2] {
        [self.ends[0].node, self.ends[1].node]
    }
}

/// Links by number; closed ones are dropped when both ends know. In a row: every frame asks for its own twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Vec<Option<Box<Connection>>>);

impl Open {
    pub(super) fn get(&self, link: u64) -> Option<&Connection> {
        self.0.get(usize::try_from(link).ok()?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, link: u64) -> Option<&mut Connection> {
        self.0.get_mut(usize::try_from(link).ok()?)?.as_deref_mut()
    }

    pub(super) fn remove(&mut self, link: u64) {
        if let Some(place) = usize::try_from(link).ok().and_then(|place| self.0.get_mut(place)) {
            *place = None;
        }
    }
}

/// All links.
#[derive(Clone, Debug)]
pub(super) struct Links {
    seed: u64,
    pub(super) open: Open,
    /// Senders on the broadcast domain.
    pub(super) air: Vec<Lane>,
    /// What happened to frames, by what carried them.
    pub(super) tallies: [Tally; 3],
}

/// What carries frames, as a place in [`Links::tallies`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The internet.
    Wan,
    /// The LAN of a compound.
    Lan,
    /// The broadcast domain.
    Gossip,
}

impl From<Carrier> for Via {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Wan => Self::Wan,
            Carrier::Lan => Self::Lan,
            Carrier::Gossip => Self::Gossip,
        }
    }
}

impl Carrier {
    pub(super) const ALL: [(Self, &'static str); 3] = [(Self::Wan, "wan"), (Self::Lan, "lan"), (Self::Gossip, "gossip")];
}

impl Links {
    /// None yet.
    pub(super) fn new(seed: u64, nodes: usize, air: Option<&Path>) -> Self {
        let lane = |node: usize, path: &Path| Lane::new(Dice::new(seed, Purpose::Broadcast, node as u64), path.mtu);
        let air = air.map_or_else(Vec::new, |path| (0..nodes).map(|node| lane(node, path)).collect());
        Self { seed, open: Open::default(), air, tallies: [Tally::default(); 3] }
    }

    /// A new link; nobody was told yet. The dialled end is up at `accepted`, and nothing arrives there before.
    pub(super) fn connect(&mut self, ends: [End; 2], (path, carrier): (Path, Carrier), accepted: Micros, address: String) -> u64 {
        let number = self.open.0.len() as u64;
        let lane = |side: u64| Lane::new(Dice::new(self.seed, Purpose::Link, number * 2 + side), path.mtu);
        let lanes = [lane(0).opening_at(accepted), lane(1)];
        self.open.0.push(Some(Box::new(Connection { ends, lanes, path, carrier, address, cut_at: None })));
        number
    }

    /// Sends over a link from `side`; `None` where it is gone.
    pub(super) fn send(&mut self, link: u64, side: usize, now: Micros, frame: Bytes) -> Result<Option<Fate>, Misuse> {
        let Some(connection) = self.open.get_mut(link) else { return Ok(None) };
        let tally = &mut self.tallies[connection.carrier as usize];
        connection.lanes[side].send(now, frame, &connection.path, tally).map(Some)
    }
}
