//! One link as a node keeps it: who is there, what waits for it, what it is known to have.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ingest::Age;
use super::radio::Again;
use super::table::Place;
use super::trees::Way;
use super::word::ReadEntry;
use super::{Timer, heal};
use crate::id::{Class, NodeId};
use crate::io::AgeMark;
use crate::link::LinkProfile;
use crate::link::outbox::Outbox;
use crate::message::{Message, WireDoc};
use crate::replica::HeldDoc;
use crate::time::Instant;

/// A point-to-point link that has not presented a good chain by then is hung up. trust.md T17.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// On a link that loses nothing announcements only back up a push that went another way, so they may be gathered for so many
/// times as long: under load most of them then travel together, and an end that hears the other's first has nothing left to say.
const GATHER_RELIABLE: u32 = 10;
/// Where the peer never wants any of it that time doubles so often, to some seconds, for what it has sooner from elsewhere; then
/// only what is urgent is still mentioned.
const UNASKED_MAX: u32 = 4;
/// The same of what is urgent.
const UNASKED_URGENT_MAX: u32 = 2;

/// What waits in an outbox.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    /// The frame of a message.
    Control(Bytes),
    /// A fresh entry.
    Entry(Arc<ReadEntry>, AgeMark),
    /// A fresh document, and its age when it was queued.
    Doc(HeldDoc, Age),
}

impl Parcel {
    /// Bytes of a frame that holds nothing else, with an age as long as ages get. `None` for what can't be read.
    fn measured(&self) -> Option<u32> {
        let age_ms = Some(u64::MAX);
        let frame = match self {
            Self::Control(frame) => frame.clone(),
            Self::Entry(read, _) => Message::Entries { want: None, entries: vec![read.wire(true, age_ms)] }.to_frame(),
            Self::Doc(held, _) => Message::Docs { want: None, docs: vec![WireDoc::of(held, age_ms)] }.to_frame(),
        };
        u32::try_from(frame.len()).ok()
    }
}

/// One link.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) profile: LinkProfile,
    /// Who is there: proven by chain and key.
    pub(super) node: Option<NodeId>,
    pub(super) room: u32,
    /// The room is for classes 0 and 1 alone.
    pub(super) urgent_only: bool,
    /// It proves no keys: who is heard there is known by name only, and silence does not mean that nobody hears us.
    pub(super) by_name: bool,
    /// Own words to be said again there.
    pub(super) again: VecDeque<Again>,
    pub(super) up_at: Instant,
    pub(super) outbox: Outbox<Parcel>,
    pub(super) serving: VecDeque<heal::Serving>,
    /// Where it stands among all links.
    pub(super) place: Place,
    pub(super) flush_at: Option<Instant>,
    /// Announcements in a row of which the peer wanted nothing.
    pub(super) unasked: u32,
    pub(super) receipt_at: Option<Instant>,
    pub(super) greet_by: Option<Instant>,
    pub(super) asked_roster: Option<Instant>,
    pub(super) probe_at: Option<Instant>,
    pub(super) healing: heal::Healing,
    /// Nodes heard on a broadcast link.
    pub(super) audible: BTreeSet<NodeId>,
    /// Somebody is new in a crowd: our own board goes with the next beacon.
    pub(super) retell: bool,
    /// Somebody new there was not told yet what is open.
    pub(super) owes_open: bool,
    /// When that was told last.
    pub(super) retold_at: Option<Instant>,
    pub(super) clock_skew_ms: Option<i64>,
    /// Refused frames since `refusals_since`.
    pub(super) refusals: u32,
    pub(super) refusals_since: Instant,
}

/// How long announcements are gathered at least on a link that loses nothing.
pub(super) fn gathered(announce: Duration) -> Duration {
    announce.saturating_mul(GATHER_RELIABLE)
}

impl Link {
    pub(super) fn new(profile: LinkProfile, place: Place, now: Instant) -> Self {
        let greet_by = (!profile.broadcast).then(|| now.after(GREETING_MAX));
        Self {
            profile,
            node: None,
            room: 0,
            urgent_only: false,
            by_name: false,
            again: VecDeque::new(),
            up_at: now,
            outbox: Outbox::default(),
            serving: VecDeque::new(),
            place,
            flush_at: None,
            unasked: 0,
            receipt_at: None,
            greet_by,
            asked_roster: None,
            probe_at: None,
            healing: heal::Healing::default(),
            audible: BTreeSet::new(),
            retell: false,
            owes_open: false,
            retold_at: None,
            clock_skew_ms: None,
            refusals: 0,
            refusals_since: now,
        }
    }

    /// Mentions never brought this peer anything: what it may lack all the same the digest shows, and then it asks. In a large
    /// alliance everybody would else be told each word a dozen times.
    pub(super) fn is_content(&self) -> bool {
        self.profile.reliable && self.unasked >= UNASKED_MAX
    }

    /// Something waits to go out.
    pub(super) fn is_busy(&self) -> bool {
        !self.outbox.is_empty() || !self.serving.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let greet = self.greet_by.map(|at| (at, Timer::Greeting));
        let probe = self.probe_at.map(|at| (at, Timer::Probe));
        let flush = self.flush_at.map(|at| (at, Timer::Flush));
        let receipt = self.receipt_at.map(|at| (at, Timer::Flush));
        let again = self.again.iter().map(|again| again.at).min().map(|at| (at, Timer::Flush));
        [greet, probe, flush, receipt, again].into_iter().flatten().min()
    }

    /// Who was dialled compares digests a moment later than who dialled: one comparison serves both.
    pub(super) fn second(&self) -> Duration {
        if self.profile.dialled.is_some() { Duration::ZERO } else { heal::SETTLE }
    }

    /// How long an announcement waits for others to go with it. Where frames get lost they are what brings a lost push back, so not
    /// long. Where none do, the peer mostly has it by then: the more often that was so, the longer waits what only backs up another
    /// way; and of two ends that have the same to say one waits longer, for who hears it from the other says it no more.
    fn gather(&self, announce: Duration, way: Way, urgent: bool) -> Duration {
        if !self.profile.reliable {
            return announce;
        }
        let most = if urgent { UNASKED_URGENT_MAX } else { UNASKED_MAX };
        let doubled = if way == Way::Mention { self.unasked.min(most) } else { 0 };
        gathered(announce).saturating_mul(1 << doubled).saturating_add(self.second())
    }

    /// Queues a fresh word. False where no frame of this link takes it: it would hold up all that follows. `bytes` is what it takes
    /// about; where that is too much it is measured.
    pub(super) fn queue_word(&mut self, class: Class, bytes: u32, word: Parcel) -> bool {
        let mtu = self.profile.mtu;
        let fits = bytes <= mtu || word.measured().is_some_and(|bytes| bytes <= mtu);
        if fits {
            self.outbox.push(class, bytes.min(mtu), word);
        }
        fits
    }

    /// What is announced goes out at the latest when this has waited long enough.
    pub(super) fn announce_by(&mut self, way: Way, urgent: bool, now: Instant, announce: Duration) {
        let at = now.after(self.gather(announce, way, urgent));
        self.flush_at = Some(self.flush_at.map_or(at, |known| known.min(at)));
    }
}
