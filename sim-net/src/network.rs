//! The model of the wires: point-to-point links with delay, loss, rate and credit, one broadcast domain, and cuts between any
//! pair in either direction. It says when a frame arrives; [`crate::world`] makes it happen.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use holdfast_proto::config::FRAME_BYTES_MAX;
use holdfast_proto::link::LinkId;

use crate::dice::{Dice, Purpose};

/// How one link behaves, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// One way, microseconds.
    pub delay_us: u64,
    /// Up to so much more, evenly spread.
    pub jitter_us: u64,
    /// Of 1,000 frames so many are lost; on a reliable link they come late instead.
    pub loss_permille: u32,
    /// Of 1,000 frames so many come twice (unreliable links only).
    pub duplicate_permille: u32,
    /// Of 1,000 frames so many are overtaken by later ones (unreliable links only).
    pub reorder_permille: u32,
    /// Of 1,000 frames so many come with a bit turned (unreliable links only).
    pub garble_permille: u32,
    /// Bytes a second, 0 for plenty.
    pub rate: u64,
    /// Bytes that wait to be sent; the credit given.
    pub queue: u32,
    /// Every frame, once, in order, while the link is up.
    pub reliable: bool,
}

impl Path {
    /// A LAN or the sync link over it: 0.2 to 0.5 ms, nothing lost.
    pub const LAN: Self = Self {
        delay_us: 200,
        jitter_us: 300,
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        garble_permille: 0,
        rate: 12_500_000,
        queue: 262_144,
        reliable: true,
    };
}

/// A frame that is to arrive.
#[derive(Clone, Debug)]
pub struct Flight {
    /// When, true microseconds.
    pub at: u64,
    /// What.
    pub frame: Bytes,
}

/// A node broke the contract of a link. Always a bug in the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Longer than the mtu.
    TooLong,
    /// Beyond the credit.
    BeyondCredit,
}

/// What happened to frames, for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames given to links.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lost, or late where the link is reliable.
    pub lost: u64,
    /// Came twice.
    pub duplicated: u64,
    /// Overtaken.
    pub reordered: u64,
    /// Came with a bit turned.
    pub garbled: u64,
}

/// One direction of a link, or a sender on the broadcast domain.
#[derive(Clone, Debug)]
pub struct Lane {
    dice: Dice,
    credit: u32,
    free_at: u64,
    departures: VecDeque<(u64, u32)>,
    last_arrival: u64,
    opens_at: u64,
    /// Frames that a reliable link keeps while it is cut.
    pub held: Vec<Bytes>,
    /// A grant of credit is on its way.
    pub grant_pending: bool,
}

impl Lane {
    fn new(dice: Dice) -> Self {
        Self {
            dice,
            credit: 0,
            free_at: 0,
            departures: VecDeque::new(),
            last_arrival: 0,
            opens_at: 0,
            held: Vec::new(),
            grant_pending: false,
        }
    }

    /// Bytes the lane takes now; also sets the credit to it.
    pub fn grant(&mut self, now: u64, path: &Path) -> u32 {
        while self.departures.front().is_some_and(|(at, _)| *at <= now) {
            self.departures.pop_front();
        }
        let queued: u64 = self.departures.iter().map(|(_, len)| u64::from(*len)).sum();
        self.credit = path.queue.saturating_sub(u32::try_from(queued).unwrap_or(u32::MAX));
        self.credit
    }

    /// When the next grant is due: as soon as something has left the queue.
    #[must_use]
    pub fn next_grant(&self, now: u64) -> u64 {
        self.departures.front().map_or(now, |(at, _)| *at).max(now + 1)
    }

    /// Takes a frame into the queue; returns when it has left.
    fn depart(&mut self, now: u64, frame: &Bytes, path: &Path) -> Result<u64, Misuse> {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if frame.len() > FRAME_BYTES_MAX {
            return Err(Misuse::TooLong);
        }
        if len > self.credit {
            return Err(Misuse::BeyondCredit);
        }
        self.credit -= len;
        let takes = (u64::from(len) * 1_000_000).checked_div(path.rate).unwrap_or(0);
        self.free_at = self.free_at.max(now) + takes;
        self.departures.push_back((self.free_at, len));
        Ok(self.free_at)
    }

    /// What of one frame arrives at one hearer, and when.
    fn arrive(&mut self, left: u64, frame: &Bytes, path: &Path, tally: &mut Tally) -> Vec<Flight> {
        let mut at = (left + path.delay_us + self.dice.below(path.jitter_us + 1)).max(self.opens_at + 1);
        let lost = self.dice.chance(path.loss_permille);
        tally.lost += u64::from(lost);
        if path.reliable {
            if lost {
                // One probe timeout, RFC 9002 6.2: round trip plus four times its variation plus the peer's acknowledgement delay.
                at += 2 * path.delay_us + 4 * path.jitter_us + 25_000;
            }
            at = at.max(self.last_arrival + 1);
            self.last_arrival = at;
            return vec![Flight { at, frame: frame.clone() }];
        }
        if lost {
            return Vec::new();
        }
        if self.dice.chance(path.reorder_permille) {
            tally.reordered += 1;
            at += self.dice.below(4 * (path.delay_us + path.jitter_us) + 1);
        }
        let mut flights = Vec::new();
        if self.dice.chance(path.duplicate_permille) {
            tally.duplicated += 1;
            flights.push(Flight { at: at + self.dice.below(10 * path.delay_us + 1), frame: frame.clone() });
        }
        let mut frame = frame.clone();
        if self.dice.chance(path.garble_permille) && !frame.is_empty() {
            tally.garbled += 1;
            let mut bytes = frame.to_vec();
            let place = self.dice.index(bytes.len());
            bytes[place] ^= 1 << self.dice.below(8);
            frame = Bytes::from(bytes);
        }
        flights.push(Flight { at, frame });
        flights
    }
}

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
        let air = (0..nodes).map(|node| Lane::new(Dice::new(seed, Purpose::Broadcast, node as u64))).collect();
        Self { seed, links: BTreeMap::new(), next: 0, cuts: BTreeMap::new(), air, air_path, tally: Tally::default() }
    }

    /// A new link; nobody was told yet. The dialled end is up at `accepted`, and nothing arrives there before.
    pub fn connect(&mut self, ends: [End; 2], path: Path, accepted: u64, address: String) -> u64 {
        let number = self.next;
        self.next += 1;
        let lane = |side: u64| Lane::new(Dice::new(self.seed, Purpose::Link, number * 2 + side));
        let mut lanes = [lane(0), lane(1)];
        lanes[0].opens_at = accepted;
        self.links.insert(number, Connection { ends, lanes, path, address });
        number
    }

    /// Sends over a link from `side`.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent.
    pub fn send(&mut self, link: u64, side: usize, now: u64, frame: &Bytes) -> Result<Vec<Flight>, Misuse> {
        let Some(connection) = self.links.get_mut(&link) else { return Ok(Vec::new()) };
        let path = connection.path;
        let lane = &mut connection.lanes[side];
        let left = lane.depart(now, frame, &path)?;
        self.tally.sent += 1;
        self.tally.bytes += frame.len() as u64;
        Ok(lane.arrive(left, frame, &path, &mut self.tally))
    }

    /// Sends to everybody in hearing: `(hearer, flight)`.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent.
    pub fn shout(&mut self, from: usize, now: u64, frame: &Bytes) -> Result<Vec<(usize, Flight)>, Misuse> {
        let Some(path) = self.air_path else { return Ok(Vec::new()) };
        let hearers: Vec<usize> = (0..self.air.len()).filter(|to| *to != from && self.open(from, *to)).collect();
        let lane = &mut self.air[from];
        let left = lane.depart(now, frame, &path)?;
        self.tally.sent += 1;
        self.tally.bytes += frame.len() as u64;
        let mut out = Vec::new();
        for to in hearers {
            out.extend(lane.arrive(left, frame, &path, &mut self.tally).into_iter().map(|flight| (to, flight)));
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

    fn ends() -> [End; 2] {
        [0, 1].map(|node| End { node, life: 0, link: LinkId(1), up: true, hung: false, closed: false })
    }

    #[test]
    fn a_reliable_link_delivers_every_frame_in_order_even_when_it_loses_half() {
        let mut network = Network::new(3, 2, None);
        let path = Path { loss_permille: 500, jitter_us: 50_000, ..Path::LAN };
        let link = network.connect(ends(), path, 0, String::new());
        let mut last = 0;
        for round in 0..200_u64 {
            network.links.get_mut(&link).map(|connection| connection.lanes[0].grant(round * 100, &path));
            let flights = network.send(link, 0, round * 100, &Bytes::from_static(b"frame")).unwrap();
            assert_eq!(flights.len(), 1);
            assert!(flights[0].at > last);
            last = flights[0].at;
        }
        assert!(network.tally.lost > 50);
    }

    #[test]
    fn credit_is_never_exceeded_and_comes_back_when_frames_have_left() {
        let mut network = Network::new(3, 2, None);
        let path = Path { rate: 1_000, queue: 1_000, ..Path::LAN };
        let link = network.connect(ends(), path, 0, String::new());
        let frame = Bytes::from(vec![0; 600]);
        let connection = network.links.get_mut(&link).unwrap();
        assert_eq!(connection.lanes[0].grant(0, &path), 1_000);
        network.send(link, 0, 0, &frame).unwrap();
        assert_eq!(network.send(link, 0, 0, &frame).unwrap_err(), Misuse::BeyondCredit);
        let lane = &mut network.links.get_mut(&link).unwrap().lanes[0];
        assert_eq!(lane.next_grant(0), 600_000);
        assert_eq!(lane.grant(600_000, &path), 1_000);
    }

    #[test]
    fn a_cut_one_way_leaves_the_other_open() {
        let mut network = Network::new(3, 2, None);
        network.cut(0, 1);
        assert!(!network.open(0, 1) && network.open(1, 0) && !network.open_both(0, 1));
        network.mend(0, 1);
        assert!(network.open_both(0, 1));
    }
}
