//! One direction of a WAN or LAN link: queue, credit and rate, delay and jitter, loss alone and in bursts, order, copies, turned
//! bits. Each frame given to a [`Lane`] is told when it arrives or why not, at once; nothing is kept but the queue's lengths.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::dice::Dice;
use crate::scenario::{Micros, Path};

/// A reliable link sends a frame again at most so often before it comes, 63 probe timeouts late by then.
const RETRIES_MAX: u32 = 6;
/// The longest a peer keeps an acknowledgement back, RFC 9002 (`max_ack_delay`).
const ACK_DELAY: Micros = 25_000;

/// A frame that is to arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    /// When, true microseconds.
    pub at: Micros,
    /// What.
    pub frame: Bytes,
}

/// Why a frame never arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// On its way.
    OnTheWay,
    /// The queue was full: it shrank after the credit was given.
    QueueFull,
    /// Longer than the path takes: it narrowed after the link came up.
    TooLong,
}

/// What becomes of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Once(Flight),
    /// It arrives, and a copy of it.
    Twice([Flight; 2]),
    /// It does not.
    Lost(Lost),
}

impl Fate {
    /// What arrives.
    pub fn flights(self) -> impl Iterator<Item = Flight> {
        let [first, second] = match self {
            Self::Once(flight) => [Some(flight), None],
            Self::Twice(flights) => flights.map(Some),
            Self::Lost(_) => [None, None],
        };
        first.into_iter().chain(second)
    }
}

/// A node broke the contract of a link. Always a bug in the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// Longer than the mtu it was told.
    TooLong,
    /// Beyond the credit.
    BeyondCredit,
}

/// What happened to frames, for the summary. On unreliable links `sent + duplicated = arrived + lost + dropped`, on reliable ones
/// `sent = arrived`, once all have arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames given to links.
    pub sent: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lost on the way.
    pub lost: u64,
    /// Lost before it, by a full queue or a path too narrow.
    pub dropped: u64,
    /// Late, because a reliable link had to send them again.
    pub late: u64,
    /// Came twice.
    pub duplicated: u64,
    /// Overtaken.
    pub reordered: u64,
    /// Came with a bit turned.
    pub garbled: u64,
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            bytes: self.bytes + other.bytes,
            lost: self.lost + other.lost,
            dropped: self.dropped + other.dropped,
            late: self.late + other.late,
            duplicated: self.duplicated + other.duplicated,
            reordered: self.reordered + other.reordered,
            garbled: self.garbled + other.garbled,
        }
    }
}

/// One direction of a link, or a sender on the broadcast domain.
#[derive(Clone, Debug)]
pub struct Lane {
    dice: Dice,
    mtu: u32,
    credit: u32,
    free_at: Micros,
    departures: VecDeque<(Micros, u32)>,
    waiting: u32,
    bad: bool,
    last_arrival: Micros,
    opens_at: Micros,
    /// Frames that a reliable link keeps while it is cut.
    pub held: Vec<Bytes>,
    /// A grant of credit is on its way.
    pub grant_pending: bool,
}

impl Lane {
    /// No credit yet, in the good state; frames up to `mtu` bytes are promised to be taken.
    #[must_use]
    pub fn new(dice: Dice, mtu: u32) -> Self {
        Self {
            dice,
            mtu,
            credit: 0,
            free_at: 0,
            departures: VecDeque::new(),
            waiting: 0,
            bad: false,
            last_arrival: 0,
            opens_at: 0,
            held: Vec::new(),
            grant_pending: false,
        }
    }

    /// The same; nothing arrives before this time or at it.
    #[must_use]
    pub fn opening_at(self, at: Micros) -> Self {
        Self { opens_at: at, ..self }
    }

    /// Bytes the lane takes now; also sets the credit to it.
    pub fn grant(&mut self, now: Micros, path: &Path) -> u32 {
        self.settle(now);
        self.credit = path.queue.saturating_sub(self.waiting);
        self.credit
    }

    /// Little enough credit is left that new credit is worth a word: less than half of the queue, or than the longest frame.
    #[must_use]
    pub fn is_short(&self, path: &Path) -> bool {
        self.credit < (path.queue / 2).max(self.mtu.min(path.queue))
    }

    /// When the next grant is due: as soon as something has left the queue.
    #[must_use]
    pub fn next_grant(&self, now: Micros) -> Micros {
        self.departures.front().map_or(now, |(at, _)| *at).max(now + 1)
    }

    /// Takes a frame and says what becomes of it.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent or counted.
    pub fn send(&mut self, now: Micros, frame: Bytes, path: &Path, tally: &mut Tally) -> Result<Fate, Misuse> {
        Ok(match self.depart(now, &frame, path, tally)? {
            Ok(left) => self.arrive(left, frame, path, tally),
            Err(why) => Fate::Lost(why),
        })
    }

    /// What has left the queue by now has left.
    fn settle(&mut self, now: Micros) {
        while let Some((at, len)) = self.departures.front()
            && *at <= now
        {
            self.waiting -= len;
            self.departures.pop_front();
        }
    }

    /// Takes a frame into the queue and says when it has left. A path that narrowed since the node was given its credit drops
    /// what no longer fits; a reliable link would only send it again, so there it waits.
    ///
    /// # Errors
    /// [`Misuse`], and nothing is sent or counted.
    pub fn depart(&mut self, now: Micros, frame: &Bytes, path: &Path, tally: &mut Tally) -> Result<Result<Micros, Lost>, Misuse> {
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if len > self.mtu {
            return Err(Misuse::TooLong);
        }
        if len > self.credit {
            return Err(Misuse::BeyondCredit);
        }
        self.credit -= len;
        tally.sent += 1;
        tally.bytes += u64::from(len);
        self.settle(now);
        if !path.reliable {
            let why = [(len > path.mtu, Lost::TooLong), (self.waiting + len > path.queue, Lost::QueueFull)];
            if let Some((_, why)) = why.into_iter().find(|(so, _)| *so) {
                tally.dropped += 1;
                return Ok(Err(why));
            }
        }
        let takes = (u64::from(len) * 1_000_000).checked_div(path.rate).unwrap_or(0);
        self.free_at = self.free_at.max(now) + takes;
        self.departures.push_back((self.free_at, len));
        self.waiting += len;
        self.step(path);
        Ok(Ok(self.free_at))
    }

    /// Gilbert-Elliott: one step a frame between the good state and the bad.
    fn step(&mut self, path: &Path) {
        let (enters, leaves, _) = path.burst;
        // Without a way in there is no bad state; a path that lost its own frees the lane.
        self.bad = enters > 0 && if self.bad { !self.dice.chance_ppm(leaves) } else { self.dice.chance_ppm(enters) };
    }

    fn loses(&mut self, path: &Path) -> bool {
        let loss = if self.bad { path.burst.2 } else { path.loss };
        self.dice.chance_ppm(loss)
    }

    /// What of one frame arrives at one hearer, and when. All hearers of a frame share its state, not its luck.
    pub fn arrive(&mut self, left: Micros, frame: Bytes, path: &Path, tally: &mut Tally) -> Fate {
        let at = (left + path.delay + self.dice.below(path.jitter + 1)).max(self.opens_at + 1);
        if path.reliable { self.come(at, frame, path, tally) } else { self.fly(at, frame, path, tally) }
    }

    /// On a reliable link: in the end, and in order.
    fn come(&mut self, mut at: Micros, frame: Bytes, path: &Path, tally: &mut Tally) -> Fate {
        // One probe timeout, RFC 9002 6.2: round trip, four times its variation, the peer's acknowledgement delay. It doubles.
        let timeout = 2 * path.delay + 4 * path.jitter + ACK_DELAY;
        let mut tries = 0;
        while tries < RETRIES_MAX && self.loses(path) {
            at += timeout << tries;
            tries += 1;
            self.step(path);
        }
        tally.late += u64::from(tries > 0);
        at = at.max(self.last_arrival + 1);
        self.last_arrival = at;
        Fate::Once(Flight { at, frame })
    }

    /// On an unreliable link: perhaps.
    fn fly(&mut self, mut at: Micros, frame: Bytes, path: &Path, tally: &mut Tally) -> Fate {
        if self.loses(path) {
            tally.lost += 1;
            return Fate::Lost(Lost::OnTheWay);
        }
        if self.dice.chance_ppm(path.reorder) {
            tally.reordered += 1;
            at += self.dice.below(4 * (path.delay + path.jitter) + 1);
        }
        let copy = self.dice.chance_ppm(path.duplicate).then(|| at + self.dice.below(10 * path.delay + 1));
        let first = Flight { at, frame: self.perhaps_garbled(&frame, path, tally) };
        match copy {
            None => Fate::Once(first),
            Some(at) => {
                tally.duplicated += 1;
                Fate::Twice([first, Flight { at, frame }])
            }
        }
    }

    fn perhaps_garbled(&mut self, frame: &Bytes, path: &Path, tally: &mut Tally) -> Bytes {
        if frame.is_empty() || !self.dice.chance_ppm(path.corrupt) {
            return frame.clone();
        }
        tally.garbled += 1;
        let mut bytes = frame.to_vec();
        let place = self.dice.index(bytes.len());
        bytes[place] ^= 1 << self.dice.below(8);
        Bytes::from(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dice::Purpose;

    fn lane(seed: u64, path: &Path) -> Lane {
        Lane::new(Dice::new(seed, Purpose::Link, 0), path.mtu)
    }

    /// Sends `frames` of these lengths, one every `gap`, with as much credit as there is; returns what was told of each.
    fn run(seed: u64, path: &Path, gap: Micros, frames: &[usize]) -> (Vec<Result<Fate, Misuse>>, Tally) {
        let (mut lane, mut tally) = (lane(seed, path), Tally::default());
        let mut fates = Vec::new();
        for (number, len) in frames.iter().enumerate() {
            let now = number as u64 * gap;
            lane.grant(now, path);
            assert!(lane.waiting <= path.queue);
            let frame = Bytes::from(vec![number.to_le_bytes()[0]; *len]);
            fates.push(lane.send(now, frame, path, &mut tally));
            assert!(lane.waiting <= path.queue, "{} bytes wait where {} fit", lane.waiting, path.queue);
            assert_eq!(u64::from(lane.waiting), lane.departures.iter().map(|(_, len)| u64::from(*len)).sum::<u64>());
        }
        (fates, tally)
    }

    fn any_path() -> impl Strategy<Value = Path> {
        let chance = || prop_oneof![Just(0_u32), 0..1_000_001_u32];
        let times = (0..50_000_u64, 0..50_000_u64);
        let burst = (chance(), chance(), chance());
        let size = (prop_oneof![Just(0_u64), 100..100_000_u64], 0..8_000_u32, 0..2_000_u32);
        (times, chance(), burst, (chance(), chance(), chance()), size, any::<bool>()).prop_map(
            |((delay, jitter), loss, burst, (duplicate, reorder, corrupt), (rate, queue, mtu), reliable)| Path {
                delay,
                jitter,
                loss,
                burst,
                duplicate,
                reorder,
                corrupt,
                rate,
                queue,
                mtu,
                reliable,
            },
        )
    }

    proptest! {
        #[test]
        fn every_frame_is_refused_delivered_or_lost_once_and_counted(
            seed: u64, path in any_path(), gap in 0..20_000_u64, frames in prop::collection::vec(0..2_500_usize, 1..60)
        ) {
            let (fates, tally) = run(seed, &path, gap, &frames);
            let (mut sent, mut bytes, mut arrived, mut lost, mut dropped, mut garbled) = (0, 0, 0, 0, 0, 0);
            let mut last = 0;
            for (number, (fate, len)) in fates.iter().zip(&frames).enumerate() {
                let Ok(fate) = fate else { continue };
                sent += 1;
                bytes += *len as u64;
                match fate {
                    Fate::Lost(Lost::OnTheWay) => lost += 1,
                    Fate::Lost(Lost::QueueFull | Lost::TooLong) => dropped += 1,
                    Fate::Once(_) | Fate::Twice(_) => {}
                }
                for flight in fate.clone().flights() {
                    arrived += 1;
                    prop_assert!(flight.at >= number as u64 * gap + path.delay);
                    prop_assert_eq!(flight.frame.len(), *len);
                    let whole = flight.frame.iter().all(|byte| *byte == number.to_le_bytes()[0]);
                    garbled += u64::from(!whole);
                    prop_assert!(whole || !path.reliable);
                    prop_assert!(flight.at > last || !path.reliable, "out of order");
                    last = flight.at;
                }
            }
            prop_assert_eq!((sent, bytes), (tally.sent, tally.bytes));
            prop_assert_eq!((lost, dropped, garbled), (tally.lost, tally.dropped, tally.garbled));
            prop_assert_eq!(sent + tally.duplicated, arrived + lost + dropped);
            prop_assert!(!path.reliable || arrived == sent);
        }

        #[test]
        fn the_same_seed_tells_every_frame_the_same(seed: u64, path in any_path(), frames in prop::collection::vec(0..2_000_usize, 1..40)) {
            prop_assert_eq!(run(seed, &path, 700, &frames), run(seed, &path, 700, &frames));
        }
    }

    #[test]
    fn bursts_lose_what_the_chain_says_and_lose_it_together() {
        for (loss, burst) in [(1_000, (20_000, 200_000, 500_000)), (0, (5_000, 50_000, 1_000_000)), (50_000, (0, 0, 0))] {
            let path = Path { loss, burst, reliable: false, ..Path::LAN };
            let frames = 400_000_u64;
            let (mut lane, mut tally) = (lane(9, &path), Tally::default());
            let (mut after_loss, mut runs, mut before) = (0_u64, 0_u64, false);
            for number in 0..frames {
                lane.grant(number * 100, &path);
                let fate = lane.send(number * 100, Bytes::from_static(b"x"), &path, &mut tally).unwrap();
                let lost = matches!(fate, Fate::Lost(Lost::OnTheWay));
                runs += u64::from(lost && before);
                after_loss += u64::from(before);
                before = lost;
            }
            let (enters, leaves, bad) = (u64::from(burst.0), u64::from(burst.1), u64::from(burst.2));
            let share = (enters * bad + leaves * u64::from(loss)).checked_div(enters + leaves).unwrap_or(u64::from(loss));
            let got = tally.lost * 1_000_000 / frames;
            assert!(got.abs_diff(share) * 10 <= share, "{got} ppm lost, the chain says {share}");
            let again = runs * 1_000_000 / after_loss;
            if enters > 0 {
                assert!(again > 5 * share, "a burst: {again} ppm after a loss, {share} ppm altogether");
            } else {
                assert!(again.abs_diff(share) * 10 <= share, "no burst: {again} ppm after a loss, {share} ppm altogether");
            }
        }
    }

    #[test]
    fn a_reliable_link_delivers_every_frame_in_order_even_when_it_loses_half() {
        let path = Path { loss: 500_000, jitter: 50_000, ..Path::LAN };
        let (fates, tally) = run(3, &path, 100, &[5; 200]);
        let at: Vec<u64> = fates.into_iter().flat_map(|fate| fate.unwrap().flights()).map(|flight| flight.at).collect();
        assert_eq!(at.len(), 200);
        assert!(at.is_sorted_by(|a, b| a < b));
        assert!(tally.late > 50 && tally.lost == 0);
    }

    #[test]
    fn credit_is_never_exceeded_and_comes_back_when_frames_have_left() {
        let path = Path { rate: 1_000, queue: 1_000, ..Path::LAN };
        let (mut lane, mut tally) = (lane(3, &path), Tally::default());
        let frame = Bytes::from(vec![0; 600]);
        assert_eq!(lane.grant(0, &path), 1_000);
        lane.send(0, frame.clone(), &path, &mut tally).unwrap();
        assert_eq!(lane.send(0, frame, &path, &mut tally), Err(Misuse::BeyondCredit));
        assert_eq!(lane.next_grant(0), 600_000);
        assert_eq!(lane.grant(600_000, &path), 1_000);
        assert_eq!(tally.sent, 1);
    }

    #[test]
    fn a_path_that_narrows_drops_what_was_promised_a_place_unless_it_is_reliable() {
        for reliable in [false, true] {
            let wide = Path { reliable, ..Path::LAN };
            let narrow = Path { rate: 1_000, queue: 1_000, mtu: 800, ..wide };
            let (mut lane, mut tally) = (lane(3, &wide), Tally::default());
            lane.grant(0, &wide);
            let mut send = |len| lane.send(0, Bytes::from(vec![0; len]), &narrow, &mut tally).unwrap();
            let fates = [send(900), send(700), send(700)];
            let lost = fates.map(|fate| if let Fate::Lost(why) = fate { Some(why) } else { None });
            let expected = if reliable { [None; 3] } else { [Some(Lost::TooLong), None, Some(Lost::QueueFull)] };
            assert_eq!(lost, expected);
            assert_eq!(tally.dropped, if reliable { 0 } else { 2 });
        }
    }

    #[test]
    fn a_thin_link_takes_its_time() {
        let path = Path { rate: 1_000, jitter: 0, ..Path::LAN };
        let (fates, _) = run(3, &path, 0, &[500, 250]);
        let at: Vec<u64> = fates.into_iter().flat_map(|fate| fate.unwrap().flights()).map(|flight| flight.at).collect();
        assert_eq!(at, [500_200, 750_200]);
    }
}
