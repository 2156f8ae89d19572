//! Digest, difference, wants and their answers: what makes two nodes equal, over any link that delivers some frames.

mod changed;
mod details;
mod serve;
mod wants;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Node;
use super::courier::Packing;
use super::link::{self, Link};
use crate::config::{BUCKETS_FEW, BUCKETS_MANY, FETCH_MAX};
use crate::control::Event;
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::io::{EntryRow, Output};
use crate::link::LinkId;
use crate::message::Message;
use crate::replica::digest::{AuthorLeaf, Hash8, keyed};
use crate::replica::{DocOrder, Hash16, Lacking};
use crate::time::Instant;

use changed::State;

pub(super) use changed::Agreed;
pub(super) use details::Scopes;
pub(super) use serve::Serving;
pub(super) use wants::Asked;

/// Entries asked for at once over all links. 64 B each; a day of a whole county fits.
const WANTED_MAX: usize = 65_536;
/// Leaves of about so many bytes go into one frame.
const LEAVES_FRAME: usize = 24_000;
/// After a change the neighbours' digests are compared once it has been quiet for so long.
pub(super) const SETTLE: Duration = Duration::from_millis(250);
/// While changes keep coming digests are compared at most so often.
const SETTLE_BUSY: Duration = Duration::from_secs(1);
/// And where that only ever finds both equal, so often in the long run ...
const CALM_EVERY: Duration = Duration::from_secs(60);
/// ... after this many comparisons in a row. Pushes and announcements carry what is new; the digest only backs them up.
const CALM_ROW: u32 = 8;
/// Links with which each is compared and probed so often; with more of them each more rarely ...
const PROBE_LINKS: u32 = 4;
/// ... but no more rarely than by this.
const PROBE_RARER_MAX: u32 = 4;
/// An unequal digest within so long of a change is most likely a push under way: look again first.
const FRESH: Duration = Duration::from_millis(150);
/// For no longer than this, or a busy mesh would never repair anything.
const FRESH_MAX: Duration = Duration::from_secs(2);
/// The same on a link that loses nothing, where words may also be under way by announcements, which wait to travel together.
const FRESH_MAX_RELIABLE: Duration = Duration::from_secs(5);
/// A probe waits so long for our own writes to the store to end.
const STORE_FIRST: Duration = Duration::from_millis(5);
/// However many are heard on a broadcast link, on average somebody speaks only once in so long of what nobody asked for: each hears
/// all of it, and a frame costs a PC of a thousand neighbours about a millisecond.
const CROWD_PAUSE: Duration = Duration::from_secs(2);

/// One link's side of getting equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Healing {
    /// When the digests were first found unequal.
    started: Option<Instant>,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// Our root when both sides last agreed.
    same: Option<Hash16>,
    probed_at: Option<Instant>,
    /// A probe under way: its nonce and our state then.
    nonce: Option<(u64, State)>,
    /// Since which state, by its root, the peer was told what changed: once for each time the two are found unequal.
    told: Option<Hash8>,
    /// Probes in a row without an answer.
    unanswered: u8,
    /// Since when an unequal digest is put down to pushes under way.
    fresh_since: Option<Instant>,
    /// Moves on by [`CALM_EVERY`] with each comparison after a change that found both equal.
    calm: Instant,
    /// A comparison is due because of a change.
    moved: bool,
    /// The link just came up or was told to look: no waiting for quiet.
    pub(super) urgent: bool,
    /// Wants in a row that this peer let lapse.
    late: u8,
    /// It let several lapse: it is not asked before this, so that others are.
    doubted: Option<Instant>,
}

/// Control bytes waiting on one link beyond which digests are not answered: who does not read gets no more to read.
const CONTROL_BACKLOG_MAX: usize = 512 * 1_024;

/// How often one of so many links is looked at where each alone would be once in `period`.
fn shared_among(links: usize, link: &Link, period: Duration) -> Duration {
    if !link.profile.reliable {
        return period;
    }
    let links = u32::try_from(links).unwrap_or(u32::MAX);
    (period / PROBE_LINKS).saturating_mul(links.clamp(PROBE_LINKS, PROBE_LINKS * PROBE_RARER_MAX))
}

/// Why entries were fetched from disk.
#[derive(Clone, Debug)]
pub(super) enum Fetch {
    /// For a peer that wants them.
    Serve { link: LinkId, want: u32 },
    /// The held half of a fork proof; the other half is in here.
    Dispute(Box<EntryRow>),
    /// A floor fell away: these count again.
    Revive,
    /// For a file that is being written.
    Courier(Box<Packing>),
    /// Own words that somebody new on the air may lack.
    Retell { link: LinkId },
}

impl Node {
    /// Sends a digest: one hash.
    pub(super) fn probe(&mut self, id: LinkId) {
        let now = self.now.mono;
        if self.links.get(&id).is_some_and(|link| link.profile.broadcast) {
            return self.say_beacon(id);
        }
        let busy = !self.jobs.is_empty();
        let awaiting = self.awaits(id);
        let probe = self.probe_every(id);
        let lost = self.config.want_timeout.saturating_mul(2);
        let Some(link) = self.links.get_mut(&id) else { return };
        if busy {
            link.probe_at = Some(now.after(STORE_FIRST));
            return;
        }
        if awaiting {
            // It is known to be unequal, and what makes it equal is on its way; its end probes again.
            link.probe_at = Some(now.after(SETTLE));
            return;
        }
        // Where frames get lost an unanswered probe is said again, ever more rarely.
        let again = lost.saturating_mul(1 << link.healing.unanswered.min(10)).min(probe);
        link.probe_at = Some(now.after(if link.profile.reliable { probe } else { again }));
        link.healing.unanswered = link.healing.unanswered.saturating_add(1);
        link.healing.probed_at = Some(now);
        let (nonce, state) = (self.rng.next_u64(), self.state());
        if let Some(link) = self.links.get_mut(&id) {
            link.healing.nonce = Some((nonce, state));
        }
        let details = self.details_root(id, nonce);
        self.control(id, Message::Probe { nonce, root: keyed(state.root, nonce), details });
    }

    /// How often an idle link is probed. Each of many links more rarely: what a node lacks any of its neighbours shows it.
    fn probe_every(&mut self, id: LinkId) -> Duration {
        let links = self.links.greeted().len();
        self.links.get(&id).map_or(self.config.probe, |link| shared_among(links, link, self.config.probe))
    }

    fn say_beacon(&mut self, id: LinkId) {
        let Some((heard, by_name)) = self.links.get(&id).map(|link| (link.audible.len(), link.by_name)) else { return };
        let next = self.now.mono.after(self.beacon_wait(heard));
        let Some(link) = self.links.get_mut(&id) else { return };
        link.probe_at = Some(next);
        let retell = std::mem::take(&mut link.retell);
        if heard > 0 || by_name {
            let (nonce, root) = (self.rng.next_u64(), self.root());
            self.control(id, Message::Beacon { from: self.me, nonce, root: keyed(root, nonce) });
        }
        if retell {
            self.retell(id);
        }
        self.retell_open(id);
    }

    /// Until the next beacon where so many are heard: three to five quarters of the period. Stations that started together, as after
    /// a power cut, would otherwise speak at the same moment for ever, and on a radio channel nobody would hear them.
    pub(super) fn beacon_wait(&mut self, heard: usize) -> Duration {
        let crowd = CROWD_PAUSE.saturating_mul(u32::try_from(heard).unwrap_or(u32::MAX));
        let quarter = self.config.beacon.max(crowd) / 4;
        let spread = u64::try_from(quarter.as_micros()).unwrap_or(u64::MAX / 2).saturating_mul(2);
        quarter.saturating_mul(3).saturating_add(Duration::from_micros(self.rng.below(spread.saturating_add(1))))
    }

    /// The state changed: compare digests again once it is quiet.
    pub(super) fn settle_probes(&mut self) {
        let now = self.now.mono;
        let links = self.links.greeted().len();
        for place in self.links.settle().places() {
            let Some(link) = self.links.planned(place) else { continue };
            let row = shared_among(links, link, CALM_EVERY).saturating_mul(CALM_ROW);
            let ahead = u64::try_from(row.as_micros()).unwrap_or(u64::MAX);
            let quiet = now.after(SETTLE.saturating_add(link.second()));
            let at = link.healing.probed_at.map_or(quiet, |last| quiet.max(last.after(SETTLE_BUSY)));
            let at = at.max(Instant(link.healing.calm.0.saturating_sub(ahead)));
            link.healing.moved = true;
            link.probe_at = Some(link.probe_at.map_or(at, |known| known.min(at)));
        }
    }

    /// Something is here that nobody will be told of: once it is stored, digests are compared as soon as after any change, however
    /// long they were equal before.
    pub(super) fn look_soon(&mut self) {
        for place in self.links.greeted().places() {
            if let Some(link) = self.links.at_mut(place) {
                link.healing.calm = Instant::default();
            }
        }
    }

    /// What came by reconciliation is not pushed on: the other neighbours are told to look.
    pub(super) fn probe_others_soon(&mut self, from: LinkId) {
        let at = self.now.mono.after(self.config.heal_jitter);
        let from = self.links.place(from);
        for place in self.links.greeted().places().filter(|place| Some(*place) != from) {
            let Some(link) = self.links.at_mut(place) else { continue };
            link.healing.urgent = true;
            link.probe_at = Some(link.probe_at.map_or(at, |known| known.min(at)));
        }
    }

    /// A neighbour says its digest.
    pub(super) fn probed(&mut self, id: LinkId, nonce: u64, root: Hash16, details: Hash8) {
        if self.does_not_read(id) {
            return;
        }
        let state = self.state();
        let now = self.now.mono;
        let my_details = self.details_root(id, nonce);
        let same_root = keyed(state.root, nonce) == root;
        if same_root && my_details == details {
            self.control(id, Message::Same { nonce });
            return self.in_step(id, state);
        }
        let busy = !self.jobs.is_empty();
        let awaiting = self.awaits(id);
        let patience = self.want_wait(id);
        let announce = self.config.announce;
        let Some(link) = self.links.get_mut(&id) else { return };
        // Announcements wait to travel together, here and at the other end.
        let announced = if link.profile.reliable { link::gathered(announce).saturating_add(SETTLE) } else { Duration::ZERO };
        let fresh = now.since(self.changed_at) < FRESH.saturating_add(announced);
        let since = *link.healing.fresh_since.get_or_insert(now);
        let longest = if link.profile.reliable { FRESH_MAX_RELIABLE } else { FRESH_MAX };
        if (busy || awaiting || (fresh && !link.healing.urgent)) && now.since(since) < longest {
            let later = SETTLE.max(if awaiting { Duration::ZERO } else { announced });
            link.probe_at = Some(now.after(if busy { STORE_FIRST } else { later }.saturating_add(link.second())));
            return;
        }
        link.healing.fresh_since = None;
        link.healing.calm = Instant::default();
        // The peer will answer what it is told now: no need to ask the same the other way round.
        let later = now.after(patience);
        link.probe_at = Some(link.probe_at.map_or(later, |known| known.max(later)));
        link.healing.started.get_or_insert(now);
        if !same_root {
            self.tell_difference(id);
        }
        if my_details != details {
            self.send_details(id, true);
        }
    }

    /// A neighbour found our digest equal.
    pub(super) fn same(&mut self, id: LinkId, nonce: u64) {
        let asked = self.links.get_mut(&id).and_then(|link| link.healing.nonce.take_if(|(asked, _)| *asked == nonce));
        if let Some((_, state)) = asked {
            self.in_step(id, state);
        }
    }

    /// True while much that this peer was asked for is still to come.
    fn awaits(&self, id: LinkId) -> bool {
        self.wants.values().any(|asked| asked.link == id && asked.large)
    }

    /// Our probe is answered: the two are not equal.
    fn found_unequal(&mut self, id: LinkId) {
        let now = self.now.mono;
        if let Some(link) = self.links.get_mut(&id) {
            link.healing.started.get_or_insert(now);
            link.healing.unanswered = 0;
            link.healing.calm = Instant::default();
        }
    }

    fn in_step(&mut self, id: LinkId, state: State) {
        let (now, probe, links) = (self.now.mono, self.probe_every(id), self.links.greeted().len());
        let Some(link) = self.links.get_mut(&id) else { return };
        let calm = shared_among(links, link, CALM_EVERY);
        let healing = &mut link.healing;
        healing.same = Some(state.root);
        healing.told = None;
        // Whoever asked: one comparison a link is enough.
        healing.probed_at = Some(now);
        healing.fresh_since = None;
        healing.urgent = false;
        healing.unanswered = 0;
        if std::mem::take(&mut healing.moved) {
            healing.calm = healing.calm.max(now).after(calm);
        }
        let started = healing.started.take();
        let (received, sent) = (std::mem::take(&mut healing.received), std::mem::take(&mut healing.sent));
        link.probe_at = Some(now.after(probe.saturating_add(link.second())));
        let Some(node) = link.node else { return };
        self.agree(node, state);
        if self.state() == state {
            self.holds_ours(node);
        }
        if let Some(started) = started.filter(|_| received + sent > 0) {
            let took_ms = u64::try_from(now.since(started).as_millis()).unwrap_or(u64::MAX);
            self.notify(Event::Healed { node, took_ms, received, sent });
        }
    }

    fn tell_buckets(&mut self, id: LinkId) {
        let count = self.replica.bucket_count();
        let hashes = self.replica.buckets(count);
        self.control(id, Message::Buckets { roster: self.known.hash(), hashes });
    }

    /// A neighbour's bucket hashes: tell it what we hold of those that differ.
    pub(super) fn buckets(&mut self, id: LinkId, roster: Hash16, hashes: &[Hash8]) {
        if self.does_not_read(id) {
            return;
        }
        self.found_unequal(id);
        if roster != self.known.hash() {
            self.tell_roster(id, true);
        }
        let count = hashes.len();
        if count != BUCKETS_FEW && count != BUCKETS_MANY {
            return self.reject(id, "a digest with an odd number of buckets");
        }
        let mine = self.replica.buckets(count);
        let differ = mine.iter().zip(hashes).enumerate().filter(|(_, (mine, theirs))| mine != theirs);
        let differ: Vec<u16> = differ.filter_map(|(bucket, _)| u16::try_from(bucket).ok()).collect();
        if !differ.is_empty() {
            self.send_leaves(id, count, &differ, differ.clone());
        }
    }

    /// Tells what is held of `buckets`; the last frame asks for an answer about `answer`.
    fn send_leaves(&mut self, id: LinkId, count: usize, buckets: &[u16], answer: Vec<u16>) {
        let wire_count = u16::try_from(count).unwrap_or(0);
        let mut leaves: Vec<AuthorLeaf> = Vec::new();
        let mut bytes = 0;
        for leaf in self.replica.leaves_in(buckets, count) {
            bytes += 40 + leaf.logs.iter().map(|log| 30 + 10 * log.ahead.len()).sum::<usize>();
            leaves.push(leaf);
            if bytes > LEAVES_FRAME {
                bytes = 0;
                self.control(id, Message::Leaves { count: wire_count, answer: Vec::new(), leaves: std::mem::take(&mut leaves) });
            }
        }
        self.control(id, Message::Leaves { count: wire_count, answer, leaves });
    }

    /// A neighbour tells what it holds: ask for what we lack, and tell it our side if it asks.
    pub(super) fn leaves(&mut self, id: LinkId, count: u16, answer: &[u16], leaves: &[AuthorLeaf]) {
        let Lacking { entries, docs, forks } = self.lacking(id, leaves);
        self.want(id, entries, docs, forks);
        let count = usize::from(count);
        if !answer.is_empty()
            && answer.len() <= count
            && (count == BUCKETS_FEW || count == BUCKETS_MANY)
            && !self.does_not_read(id)
        {
            self.send_leaves(id, count, answer, Vec::new());
        }
    }

    /// What a peer's leaves show that is neither held here nor on its way; nothing of a peer in doubt.
    fn lacking(&mut self, id: LinkId, leaves: &[AuthorLeaf]) -> Lacking {
        let mut lacking = Lacking::default();
        let doubted = self.links.get(&id).and_then(|link| link.healing.doubted).is_some_and(|until| self.now.mono < until);
        let mut left = if doubted { 0 } else { WANTED_MAX.saturating_sub(self.wanted.len()) };
        let mut told = BTreeSet::new();
        // An author told twice in one frame is looked up once.
        for leaf in leaves.iter().filter(|leaf| told.insert(leaf.author)) {
            // Of somebody without a certificate here nothing could be verified; the roster comes first.
            if self.known.roster().newest(leaf.author).is_none() {
                continue;
            }
            let window = leaf.logs.iter().map(|log| self.window(leaf.author, log.generation)).max().unwrap_or(0);
            let skip = |id: EntryId| self.wanted.contains(&id) || self.holds(id);
            left -= self.replica.lacking(leaf, window, left, &skip, &mut lacking).min(left);
            if leaf.author == self.me {
                self.heard_leaf_of_myself(id, leaf);
            }
        }
        let waits = |author: NodeId, kind: DocKind| {
            let (low, high) = (DocOrder::default(), DocOrder::highest());
            self.pending_docs.range((author, kind, low)..=(author, kind, high)).next().is_some()
        };
        lacking.docs.retain(|(author, kind)| !waits(*author, *kind) && !self.wanted_docs.contains(&(*author, *kind)));
        if doubted { Lacking::default() } else { lacking }
    }

    /// A peer's leaf about ourselves: does it know words of ours that we don't hold?
    fn heard_leaf_of_myself(&mut self, from: LinkId, leaf: &AuthorLeaf) {
        for theirs in &leaf.logs {
            let log = LogId { author: self.me, generation: theirs.generation, incarnation: theirs.incarnation };
            let highest = self.replica.log(log).map_or(0, crate::replica::Log::highest);
            let top = theirs.ahead.iter().map(|(first, count)| first.saturating_add(count.saturating_sub(1))).max().unwrap_or(0);
            let shown = theirs.head.max(top);
            if shown > highest && !self.own_in_flight(EntryId { log, number: shown }) && !self.own.wrote() {
                // Only a claim: it gives the entries themselves, which prove it, time to come before our first write.
                self.wait_for_own_past(from);
                return;
            }
        }
    }

    /// True where so much waits for a peer to read it that its questions are not answered.
    pub(super) fn does_not_read(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| link.outbox.control_bytes() > CONTROL_BACKLOG_MAX)
    }

    /// A floor fell away: what it hid may be on disk.
    pub(super) fn revive(&mut self, log: LogId, first: u32, last: u32) {
        let numbers: Vec<EntryId> = (first..=last).map(|number| EntryId { log, number }).collect();
        for entries in numbers.rchunks(FETCH_MAX) {
            let token = self.token();
            self.fetches.insert(token, Fetch::Revive);
            self.emit(Output::Fetch { token, entries: entries.to_vec() });
        }
    }

    /// So many are heard on a broadcast link that one who is new there is not answered by all at once.
    pub(super) fn is_crowd(&self, heard: usize) -> bool {
        CROWD_PAUSE.saturating_mul(u32::try_from(heard).unwrap_or(u32::MAX)) > self.config.beacon
    }

    /// On a broadcast link somebody says its digest: a hint to compare with that neighbour.
    pub(super) fn beacon(&mut self, from: NodeId, nonce: u64, root: Hash16) {
        if keyed(self.root(), nonce) == root || self.now.mono.since(self.changed_at) < FRESH {
            return;
        }
        let now = self.now.mono;
        if let Some(link) = self.links.to(from).places().next().and_then(|place| self.links.at_mut(place)) {
            // Anybody may say it, as often as they like.
            let at = link.healing.probed_at.map_or(now, |last| now.max(last.after(SETTLE_BUSY)));
            link.probe_at = Some(link.probe_at.map_or(at, |known| known.min(at)));
        }
    }

    /// True if this link's peer had an equal digest at our present state.
    pub(super) fn is_in_step(link: &Link, root: Hash16) -> bool {
        link.healing.same == Some(root)
    }
}
