//! One link as a node keeps it: who is there, what waits for it, what it is known to have.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;

use super::ingest::Age;
use super::{Timer, heal};
use crate::config::SEEN_MAX;
use crate::id::{Class, DocKind, EntryId, LogId, NodeId};
use crate::io::{DocRow, EntryRow};
use crate::link::LinkProfile;
use crate::link::outbox::Outbox;
use crate::message::{Message, WireDoc, WireEntry};
use crate::replica::DocOrder;
use crate::time::Instant;

/// A point-to-point link that has not presented a good chain by then is hung up. trust.md T17.
const GREETING_MAX: Duration = Duration::from_secs(5);
/// On a link that loses nothing announcements only back up a push that went another way, so they may be gathered for so many
/// times as long: under load most of them then travel together, and an end that hears the other's first has nothing left to say.
const GATHER_RELIABLE: u32 = 10;
/// Where the peer never wants any of it that time doubles so often, to some seconds.
const UNASKED_MAX: u32 = 2;
/// Authors whose words are pushed over a link before it showed whether the peer has them sooner from elsewhere.
const TRIED_MAX: usize = 32;

/// What waits in an outbox.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    /// The frame of a message.
    Control(Bytes),
    /// A fresh entry.
    Entry(EntryRow),
    /// A fresh document, and its age when it was queued.
    Doc(DocRow, Age),
}

impl Parcel {
    /// Bytes of a frame that holds nothing else, with an age as long as ages get. `None` for what can't be read.
    fn measured(&self) -> Option<u32> {
        let age_ms = Some(u64::MAX);
        let frame = match self {
            Self::Control(frame) => frame.clone(),
            Self::Entry(row) => Message::Entries { want: None, entries: vec![WireEntry::pack(row, true, age_ms)?] }.to_frame(),
            Self::Doc(row, _) => Message::Docs { want: None, docs: vec![WireDoc::pack(row, age_ms)] }.to_frame(),
        };
        u32::try_from(frame.len()).ok()
    }
}

/// How an author's fresh words go to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stance {
    /// Whole and at once.
    Pushed,
    /// By name: the peer has them from elsewhere sooner.
    Announced,
}

/// One link.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) profile: LinkProfile,
    /// Who is there: proven by chain and key.
    pub(super) node: Option<NodeId>,
    pub(super) room: u32,
    pub(super) up_at: Instant,
    pub(super) outbox: Outbox<Parcel>,
    pub(super) serving: VecDeque<heal::Serving>,
    /// How this peer hears authors from here, as far as that showed.
    pub(super) stances: BTreeMap<NodeId, Stance>,
    pub(super) duplicates: BTreeMap<NodeId, u8>,
    /// Highest number of each logbook that came from there or was announced.
    seen: BTreeMap<LogId, u32>,
    pub(super) announce: BTreeMap<EntryId, u8>,
    pub(super) announce_docs: BTreeMap<(NodeId, DocKind), DocOrder>,
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
    pub(super) fn new(profile: LinkProfile, now: Instant) -> Self {
        let greet_by = (!profile.broadcast).then(|| now.after(GREETING_MAX));
        Self {
            profile,
            node: None,
            room: 0,
            up_at: now,
            outbox: Outbox::default(),
            serving: VecDeque::new(),
            stances: BTreeMap::new(),
            duplicates: BTreeMap::new(),
            seen: BTreeMap::new(),
            announce: BTreeMap::new(),
            announce_docs: BTreeMap::new(),
            flush_at: None,
            unasked: 0,
            receipt_at: None,
            greet_by,
            asked_roster: None,
            probe_at: None,
            healing: heal::Healing::default(),
            audible: BTreeSet::new(),
            clock_skew_ms: None,
            refusals: 0,
            refusals_since: now,
        }
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        let greet = self.greet_by.map(|at| (at, Timer::Greeting));
        let probe = self.probe_at.map(|at| (at, Timer::Probe));
        let flush = self.flush_at.map(|at| (at, Timer::Flush));
        let receipt = self.receipt_at.map(|at| (at, Timer::Flush));
        [greet, probe, flush, receipt].into_iter().flatten().min()
    }

    /// Who was dialled compares digests a moment later than who dialled: one comparison serves both.
    pub(super) fn second(&self) -> Duration {
        if self.profile.dialled.is_some() { Duration::ZERO } else { heal::SETTLE }
    }

    /// How long announcements wait to go together. Where frames get lost they are what brings a lost push back, so not long. Where
    /// none do, the peer mostly has all of it by the time: the more often that was so, the longer they wait, and of two ends that
    /// have the same to say one waits longer, for who hears it from the other says it no more.
    pub(super) fn gather(&self, announce: Duration) -> Duration {
        if !self.profile.reliable {
            return announce;
        }
        gathered(announce).saturating_mul(1 << self.unasked.min(UNASKED_MAX)).saturating_add(self.second())
    }

    /// True where an author's fresh word is only announced here. The first few authors are tried: pushed until the peer says that
    /// it has them from elsewhere. Of a large alliance that would be each word of everybody over each link, so further authors
    /// are announced until the peer asks for a word of theirs.
    pub(super) fn announces(&mut self, author: NodeId) -> bool {
        let tried = self.stances.len() < TRIED_MAX;
        let stance = self.stances.get(&author).copied();
        if stance.is_none() && tried {
            self.stances.insert(author, Stance::Pushed);
        }
        stance.map_or(!tried, |stance| stance == Stance::Announced)
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

    /// The peer has this entry, or had it announced: it need not hear of it from here.
    pub(super) fn note_heard(&mut self, id: EntryId) {
        self.note_seen(id);
        self.announce.remove(&id);
    }

    /// The same for a document.
    pub(super) fn note_heard_doc(&mut self, author: NodeId, kind: DocKind, order: DocOrder) {
        if self.announce_docs.get(&(author, kind)).is_some_and(|mine| *mine <= order) {
            self.announce_docs.remove(&(author, kind));
        }
    }

    pub(super) fn note_seen(&mut self, id: EntryId) {
        // Names cost nothing to make up: beyond the bound the peer is sent what it may have already.
        if self.seen.len() < SEEN_MAX || self.seen.contains_key(&id.log) {
            let seen = self.seen.entry(id.log).or_default();
            *seen = id.number.max(*seen);
        }
    }

    pub(super) fn has_seen(&self, id: EntryId) -> bool {
        self.seen.get(&id.log).is_some_and(|seen| *seen >= id.number)
    }
}
