//! One station on a shared half-duplex channel: when it sends, in which bursts, and how much it lets the core give it.
//!
//! It believes nothing that a modem says about what has left: time on the air is reckoned. A burst takes about two seconds; what is
//! urgent goes before what is left of a longer message. Who is heard is told by name, proven by nothing.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::framing::{Deframer, Framing};
use super::pieces::{Listener, NoFrame, Said, Speaker};
use super::{MESSAGE_MAX, MTU_MIN};
use crate::id::NodeId;
use crate::link::airtime::Airtime;
use crate::time::Instant;

/// A burst is no longer, or is a single frame: so long an urgent word waits at most. radio.md 3.4.
const BURST: u64 = 2_000_000;
/// Slots among which a station picks where to begin, by what it has to say.
const SLOTS_URGENT: u64 = 4;
const SLOTS_ROUTINE: u64 = 16;
/// Shortest slot: what a modem takes to notice that another has begun, whatever its key-up. radio.md 1.1: 10 ms are too few.
const SLOT_MIN: u64 = 100_000;
/// Bytes of a frame keep coming at least so often while somebody sends.
const SILENCE: u64 = 200_000;
/// A word that could not be sent for so long tells an age that is no longer true: it is dropped, and said again by what repeats.
const PATIENCE: u64 = 60_000_000;
/// Where the channel seems taken for so long, by noise or by one who sends over everybody, it is sent all the same: no slower than that.
const PUSH_URGENT: u64 = 5_000_000;
const PUSH_ROUTINE: u64 = 30_000_000;
/// Stations remembered; of more the one heard longest ago is forgotten.
const HEARD_MAX: usize = 256;
/// So many bursts without one byte from the port, over at least [`DEAF_AFTER`]: nobody is in range, or the modem does nothing.
const DEAF_BURSTS: u64 = 5;
/// See [`DEAF_BURSTS`].
const DEAF_AFTER: Duration = Duration::from_secs(600);

/// What a station is like.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Who speaks.
    pub speaker: Speaker,
    /// How frames lie on the port.
    pub framing: Framing,
    /// Bits a second on the air.
    pub rate: u32,
    /// From the key to the first bit.
    pub key_up: Duration,
    /// Of an hour, in ppm.
    pub share: u32,
    /// Who was not heard for so long is not there.
    pub heard_for: Duration,
    /// Mixed into where it begins, so that two runs differ.
    pub seed: u64,
}

impl Manner {
    /// Time on the air of the longest message, in microseconds.
    #[must_use]
    pub fn longest(&self) -> u64 {
        // Full frames, each keyed alone: the worst there is.
        let mtu = self.speaker.mtu.max(MTU_MIN);
        let frames = MESSAGE_MAX.div_ceil(mtu.saturating_sub(20).max(1));
        let air = self.air();
        air.burst(self.framing.on_air(mtu)).saturating_mul(u64::try_from(frames).unwrap_or(u64::MAX))
    }

    /// Whether its share of an hour holds the longest message.
    #[must_use]
    pub fn can_speak(&self) -> bool {
        self.air().fits(self.longest())
    }

    fn air(&self) -> Airtime {
        Airtime::new(self.rate, u64::try_from(self.key_up.as_micros()).unwrap_or(u64::MAX), self.share)
    }

    /// Commands for a modem that takes some. Equal chances collide every time (radio.md 1.1), so they follow from the node's name.
    #[must_use]
    pub fn setup(&self) -> Vec<u8> {
        let place =
            u8::try_from(mix(u64::from(self.speaker.me.issuer) << 16 | u64::from(self.speaker.me.serial)) % 8).unwrap_or(0);
        let key_up = u8::try_from(self.key_up.as_millis() / 10).unwrap_or(u8::MAX);
        self.framing.setup(key_up, 30 + 20 * place, 5 + 3 * place)
    }
}

/// Something the station wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// To the port: a whole burst.
    Write(Vec<u8>),
    /// Credit for the core, in place of what it had.
    Credit {
        /// Bytes.
        room: u32,
        /// For classes 0 and 1 alone.
        urgent: bool,
    },
    /// Who is heard now, all of them, ascending.
    Near(Vec<NodeId>),
    /// A message for the core.
    Message(Bytes),
}

/// What people may want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Who was heard, and how long ago; the latest first.
    pub heard: Vec<(NodeId, Duration)>,
    /// How much of what an hour may hold is used, in ppm.
    pub used: u32,
    /// Bytes a second that go now, about: those of the channel, or those that the share leaves where the hour is full.
    pub pace_now: u32,
    /// Frames written to the port.
    pub sent: u64,
    /// Good frames of this alliance.
    pub received: u64,
    /// Frames of other alliances, and lines that were no frame.
    pub noise: u64,
    /// Frames waiting here.
    pub waiting: usize,
    /// Much was sent, and never has a byte come back.
    pub deaf: bool,
}

/// One station.
#[derive(Debug)]
pub struct Station {
    manner: Manner,
    air: Airtime,
    deframer: Deframer,
    listener: Listener,
    acts: VecDeque<Act>,
    /// Frames to be sent, and until when they are worth it.
    urgent: VecDeque<(u64, Bytes)>,
    routine: VecDeque<(u64, Bytes)>,
    /// What the core may give now: none after it used it.
    granted: Option<bool>,
    /// By reckoning the last burst is out by then.
    on_air: u64,
    /// Routine words wait until then.
    polite: u64,
    /// Somebody else is on the air until then, as far as can be told.
    busy: u64,
    /// When the next burst begins.
    begin: Option<u64>,
    /// Since when something waits for the channel.
    since: Option<u64>,
    bursts: u64,
    heard: BTreeMap<NodeId, Instant>,
    /// The core was told of these.
    told: Option<Vec<NodeId>>,
    sent: u64,
    received: u64,
    noise: u64,
    bytes_in: u64,
    first_burst: Option<Instant>,
}

/// A well mixed number (splitmix64).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Station {
    /// A station that has neither sent nor heard.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        Self {
            air: manner.air(),
            deframer: Deframer::new(manner.framing),
            listener: Listener::new(manner.speaker.realm),
            manner,
            acts: VecDeque::new(),
            urgent: VecDeque::new(),
            routine: VecDeque::new(),
            granted: None,
            on_air: 0,
            polite: 0,
            busy: 0,
            begin: None,
            since: None,
            bursts: 0,
            heard: BTreeMap::new(),
            told: None,
            sent: 0,
            received: 0,
            noise: 0,
            bytes_in: 0,
            first_burst: None,
        }
    }

    /// The port was opened anew: what the core was told is void, half a frame is no frame, and what was sent before still counts.
    pub fn reopened(&mut self) {
        self.deframer = Deframer::new(self.manner.framing);
        self.acts.clear();
        self.urgent.clear();
        self.routine.clear();
        self.granted = None;
        (self.begin, self.since) = (None, None);
        self.told = None;
        self.bytes_in = 0;
        self.first_burst = None;
    }

    /// Bytes came from the port.
    pub fn received(&mut self, now: Instant, bytes: &[u8]) {
        self.bytes_in = self.bytes_in.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let refused = self.deframer.refused();
        for frame in self.deframer.push(bytes) {
            self.air.heard(now.0, self.manner.framing.on_air(frame.len()));
            match self.listener.take(now, &frame) {
                Ok(Said { from, message }) => {
                    self.received += 1;
                    // An echo, or a twin: no neighbour.
                    if from != self.manner.speaker.me {
                        self.hears(now, from);
                        self.acts.extend(message.map(Act::Message));
                    }
                }
                Err(NoFrame::Garbled | NoFrame::Layout | NoFrame::Foreign) => self.noise += 1,
            }
        }
        self.noise += self.deframer.refused() - refused;
        let quiet = now.0.saturating_add(if self.deframer.is_within() { SILENCE } else { 0 });
        self.busy = self.busy.max(quiet);
        // Where several waited for the same end, each begins in a slot of its own.
        self.begin = None;
    }

    fn hears(&mut self, now: Instant, from: NodeId) {
        self.heard.insert(from, now);
        if self.heard.len() > HEARD_MAX
            && let Some(oldest) = self.heard.iter().min_by_key(|(_, at)| **at).map(|(node, _)| *node)
        {
            self.heard.remove(&oldest);
        }
    }

    /// The core has given a message within its credit, of class 0 or 1 or not. False where it is longer than any that can be carried.
    pub fn say(&mut self, now: Instant, message: &[u8], urgent: bool) -> bool {
        self.granted = None;
        let Some(frames) = self.manner.speaker.cut(message) else { return false };
        let due = now.0.saturating_add(PATIENCE).saturating_add(self.manner.longest());
        let queue = if urgent { &mut self.urgent } else { &mut self.routine };
        queue.extend(frames.into_iter().map(|frame| (due, frame)));
        true
    }

    /// The next thing to be done now; ask until there is none.
    pub fn poll(&mut self, now: Instant) -> Option<Act> {
        if let Some(act) = self.acts.pop_front() {
            return Some(act);
        }
        if let Some(near) = self.near(now) {
            return Some(Act::Near(near));
        }
        self.burst(now).map(Act::Write).or_else(|| self.credit(now))
    }

    fn near(&mut self, now: Instant) -> Option<Vec<NodeId>> {
        let heard_for = self.manner.heard_for;
        self.heard.retain(|_, at| now.since(*at) < heard_for);
        if self.told.as_ref().is_some_and(|told| told.len() == self.heard.len() && told.iter().eq(self.heard.keys())) {
            return None;
        }
        let near: Vec<NodeId> = self.heard.keys().copied().collect();
        self.told = Some(near.clone());
        Some(near)
    }

    fn slot(&self) -> u64 {
        u64::try_from(self.manner.key_up.as_micros()).unwrap_or(SLOT_MIN).max(SLOT_MIN)
    }

    /// When the next burst begins.
    fn begin_at(&mut self, now: u64) -> u64 {
        if let Some(at) = self.begin {
            return at;
        }
        let (slots, free, push) = match self.urgent.is_empty() {
            true => (SLOTS_ROUTINE, self.polite, PUSH_ROUTINE),
            false => (SLOTS_URGENT, 0, PUSH_URGENT),
        };
        let since = *self.since.get_or_insert(now.max(self.on_air).max(free));
        let latest = since.saturating_add(push).max(self.on_air).max(now);
        let me = u64::from(self.manner.speaker.me.issuer) << 16 | u64::from(self.manner.speaker.me.serial);
        let drawn = mix(mix(me) ^ self.bursts ^ self.manner.seed.rotate_left(17) ^ self.received.rotate_left(33));
        let (slot, within) = ((drawn >> 32) % slots, ((drawn & 0xFFFF_FFFF) * self.slot()) >> 32);
        let at = now.max(self.on_air).max(self.busy).max(free).saturating_add(slot * self.slot()).saturating_add(within);
        let at = at.min(latest);
        self.begin = Some(at);
        at
    }

    fn burst(&mut self, now: Instant) -> Option<Vec<u8>> {
        for queue in [&mut self.urgent, &mut self.routine] {
            queue.retain(|(due, _)| *due > now.0);
        }
        if self.urgent.is_empty() && self.routine.is_empty() {
            (self.begin, self.since) = (None, None);
            return None;
        }
        if self.begin_at(now.0) > now.0 {
            return None;
        }
        let (mut line, mut on_air, mut count) = (Vec::new(), 0, 0);
        let urgent = !self.urgent.is_empty();
        // Nothing routine rides along: the slot was an urgent one's.
        let queue = if urgent { &mut self.urgent } else { &mut self.routine };
        while let Some((_, frame)) = queue.front() {
            let more = self.manner.framing.on_air(frame.len());
            if count > 0 && self.air.burst(on_air + more) > BURST {
                break;
            }
            line.extend(self.manner.framing.wrap(frame));
            on_air += more;
            count += 1;
            queue.pop_front();
        }
        let takes = self.air.burst(on_air);
        self.on_air = now.0.saturating_add(takes);
        self.air.sent(now.0, self.on_air);
        if !urgent {
            self.polite = self.on_air.saturating_add(self.air.pause(now.0, takes));
        }
        (self.begin, self.since) = (None, None);
        self.bursts = self.bursts.wrapping_add(1);
        self.sent += count;
        self.first_burst.get_or_insert(now);
        Some(line)
    }

    /// What the core may give: anything while nothing waits and the hour has room; else what is urgent, where even that has room.
    fn credit(&mut self, now: Instant) -> Option<Act> {
        let idle = self.urgent.is_empty() && self.routine.is_empty() && self.on_air.max(self.polite) <= now.0;
        let longest = self.manner.longest();
        let free = |urgent: bool| self.air.ready(now.0, longest, urgent).is_some_and(|at| at <= now.0);
        let urgent = match self.granted {
            Some(false) => return None,
            _ if idle && free(false) => false,
            None if self.urgent.is_empty() && free(true) => true,
            None | Some(true) => return None,
        };
        self.granted = Some(urgent);
        Some(Act::Credit { room: u32::try_from(MESSAGE_MAX).unwrap_or(u32::MAX), urgent })
    }

    /// When to [`Self::poll`] again, if nothing happens before.
    #[must_use]
    pub fn deadline(&self, now: Instant) -> Instant {
        let gone = self.heard.values().min().map(|at| at.after(self.manner.heard_for).0);
        let credit = (self.granted != Some(false)).then(|| {
            let waits = self.on_air.max(self.polite);
            let ready = self.air.ready(now.0, self.manner.longest(), false).unwrap_or(u64::MAX);
            waits.max(ready)
        });
        let at = [gone, credit, self.begin].into_iter().flatten().filter(|at| *at > now.0).min();
        Instant(at.unwrap_or(u64::MAX))
    }

    /// What people may want to know.
    #[must_use]
    pub fn report(&self, now: Instant) -> Report {
        let mut heard: Vec<(NodeId, Duration)> = self.heard.iter().map(|(node, at)| (*node, now.since(*at))).collect();
        heard.sort_by_key(|(_, ago)| *ago);
        let sends = self.bursts_since().is_some_and(|(bursts, since)| bursts >= DEAF_BURSTS && now.since(since) >= DEAF_AFTER);
        let full = self.air.ready(now.0, self.manner.longest(), false).is_none_or(|at| at > now.0);
        // Half goes for key-ups, slots and what others say.
        let of = if full { self.manner.share } else { 500_000 };
        let pace = u64::from(self.manner.rate) / 8 * u64::from(of) / 1_000_000;
        Report {
            heard,
            used: self.air.used(now.0),
            pace_now: u32::try_from(pace).unwrap_or(u32::MAX).max(1),
            sent: self.sent,
            received: self.received,
            noise: self.noise,
            waiting: self.urgent.len() + self.routine.len(),
            deaf: sends && self.bytes_in == 0,
        }
    }

    fn bursts_since(&self) -> Option<(u64, Instant)> {
        self.first_burst.map(|at| (self.bursts, at))
    }
}

#[cfg(test)]
mod tests;
