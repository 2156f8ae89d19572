//! Digest, difference, wants and their answers: what makes two nodes equal, over any link that delivers some frames.

mod changed;
mod details;
mod serve;

use std::collections::BTreeSet;
use std::time::Duration;

use super::links::Link;
use super::{Node, spread};
use crate::config::{BUCKETS_FEW, BUCKETS_MANY, FETCH_MAX};
use crate::control::Event;
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::io::{EntryRow, Output};
use crate::link::LinkId;
use crate::message::{Message, Want};
use crate::replica::digest::{AuthorLeaf, Hash8, keyed};
use crate::replica::{DocOrder, Hash16, Lacking};
use crate::time::Instant;

use changed::{Heads, State};

pub(super) use changed::Agreed;
pub(super) use serve::Serving;

/// Entries asked for at once over all links. 64 B each; a day of a whole county fits.
const WANTED_MAX: usize = 65_536;
/// Leaves of about so many bytes go into one frame.
const LEAVES_FRAME: usize = 24_000;
/// After a change the neighbours' digests are compared once it has been quiet for so long.
const SETTLE: Duration = Duration::from_millis(250);
/// While changes keep coming digests are compared at most so often.
const SETTLE_BUSY: Duration = Duration::from_secs(1);
/// An unequal digest within so long of a change is most likely a push under way: look again first.
const FRESH: Duration = Duration::from_millis(150);
/// On a reliable link an answer gets so many times the usual time: behind a slow disk or a long queue it still comes.
const RELIABLE_PATIENCE: u32 = 10;
/// For no longer than this, or a busy mesh would never repair anything.
const FRESH_MAX: Duration = Duration::from_secs(2);
/// A probe waits so long for our own writes to the store to end.
const STORE_FIRST: Duration = Duration::from_millis(5);

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
    /// The link just came up or was told to look: no waiting for quiet.
    pub(super) urgent: bool,
    /// Wants in a row that this peer let lapse.
    late: u8,
    /// It let several lapse: it is not asked before this, so that others are.
    doubted: Option<Instant>,
}

/// A want we sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) link: LinkId,
    pub(super) deadline: Instant,
    ids: Vec<EntryId>,
}

/// Wants under way on one link. A heal needs a few at once; announced documents add one each.
const WANTS_MAX: usize = 64;
/// Ranges and documents in one want, so that its frame stays below 32 KiB: a range costs at most 10 B, a logbook 14 B more.
const WANT_PARTS_MAX: usize = 1_000;
/// A peer that let so many wants lapse in a row is left alone for a while. One may be a lost frame.
const LATE_MAX: u8 = 2;
/// Control bytes waiting on one link beyond which digests are not answered: who does not read gets no more to read.
const CONTROL_BACKLOG_MAX: usize = 512 * 1_024;

impl Asked {
    /// Much or documents: the digests are compared when all of it is there.
    fn is_large(&self) -> bool {
        self.ids.len() > spread::REPAIR_MAX || self.ids.is_empty()
    }

    /// Something came: the rest gets its time anew.
    pub(super) fn progress(&mut self, now: Instant, wait: Duration) {
        self.deadline = now.after(wait);
    }
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
}

impl Node {
    /// Sends a digest: one hash.
    pub(super) fn probe(&mut self, id: LinkId) {
        let now = self.now.mono;
        let busy = !self.jobs.is_empty();
        let awaiting = self.awaits(id);
        let state = self.state();
        let root = state.root;
        let nonce = self.rng.next_u64();
        let (probe, beacon) = (self.config.probe, self.config.beacon);
        let lost = self.config.want_timeout.saturating_mul(2);
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.profile.broadcast {
            link.probe_at = Some(now.after(beacon));
            let heard = !link.audible.is_empty();
            let message = Message::Beacon { from: self.me, nonce, root: keyed(root, nonce) };
            if heard {
                self.control(id, message);
            }
            return;
        }
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
        link.healing.nonce = Some((nonce, state));
        let details = self.details_root(id, nonce);
        self.control(id, Message::Probe { nonce, root: keyed(root, nonce), details });
    }

    /// The state changed: compare digests again once it is quiet.
    pub(super) fn settle_probes(&mut self) {
        let now = self.now.mono;
        for link in self.links.values_mut().filter(|link| link.node.is_some()) {
            let quiet = now.after(SETTLE);
            let at = link.healing.probed_at.map_or(quiet, |last| quiet.max(last.after(SETTLE_BUSY)));
            link.probe_at = Some(link.probe_at.map_or(at, |known| known.min(at)));
        }
    }

    /// What came by reconciliation is not pushed on: the other neighbours are told to look.
    pub(super) fn probe_others_soon(&mut self, from: LinkId) {
        let at = self.now.mono.after(self.config.heal_jitter);
        for (_, link) in self.links.iter_mut().filter(|(id, link)| **id != from && link.node.is_some()) {
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
        let fresh = now.since(self.changed_at) < FRESH;
        let busy = !self.jobs.is_empty();
        let awaiting = self.awaits(id);
        let patience = self.want_wait(id);
        let Some(link) = self.links.get_mut(&id) else { return };
        let since = *link.healing.fresh_since.get_or_insert(now);
        if (busy || awaiting || (fresh && !link.healing.urgent)) && now.since(since) < FRESH_MAX {
            let at = now.after(if busy { STORE_FIRST } else { SETTLE });
            link.probe_at = Some(link.probe_at.map_or(at, |known| known.min(at)));
            return;
        }
        link.healing.fresh_since = None;
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
        self.wants.values().any(|asked| asked.link == id && asked.is_large())
    }

    /// Our probe is answered: the two are not equal.
    fn found_unequal(&mut self, id: LinkId) {
        let now = self.now.mono;
        if let Some(link) = self.links.get_mut(&id) {
            link.healing.started.get_or_insert(now);
            link.healing.unanswered = 0;
        }
    }

    fn in_step(&mut self, id: LinkId, state: State) {
        let (now, probe) = (self.now.mono, self.config.probe);
        let Some(link) = self.links.get_mut(&id) else { return };
        let healing = &mut link.healing;
        healing.same = Some(state.root);
        healing.told = None;
        // Whoever asked: one comparison a link is enough.
        healing.probed_at = Some(now);
        healing.fresh_since = None;
        healing.urgent = false;
        healing.unanswered = 0;
        link.probe_at = Some(now.after(probe));
        let started = healing.started.take();
        let (received, sent) = (std::mem::take(&mut healing.received), std::mem::take(&mut healing.sent));
        let Some(node) = link.node else { return };
        self.agree(node, state);
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
            if self.known.roster().current(leaf.author).is_none() {
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
        lacking.docs.retain(|(author, kind)| !waits(*author, *kind));
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

    /// Asks a peer.
    pub(super) fn want(
        &mut self,
        link: LinkId,
        entries: Vec<(LogId, Vec<(u32, u32)>)>,
        docs: Vec<(NodeId, DocKind)>,
        forks: Vec<LogId>,
    ) {
        self.want_below(link, entries, docs, forks, &Heads::default());
    }

    /// Asks a peer, in fewer bytes where it told the `heads` that are wanted up to.
    fn want_below(
        &mut self,
        link: LinkId,
        entries: Vec<(LogId, Vec<(u32, u32)>)>,
        docs: Vec<(NodeId, DocKind)>,
        forks: Vec<LogId>,
        heads: &Heads,
    ) {
        if self.store_rests() || (entries.is_empty() && docs.is_empty() && forks.is_empty()) {
            // While the store rests nothing that came could be kept; the probe at the end of the rest asks again.
            return;
        }
        for part in parts_of(entries, docs, forks) {
            self.want_part(link, part, heads);
        }
    }

    fn want_part(&mut self, link: LinkId, want: Want, heads: &Heads) {
        let Want { entries, docs, forks, .. } = want;
        let under_way = self.wants.values().filter(|asked| asked.link == link).count();
        if under_way >= WANTS_MAX || self.wanted.len() >= WANTED_MAX {
            self.count("wants_put_off_total", 1);
            return;
        }
        self.next_want = self.next_want.wrapping_add(1);
        let id = self.next_want;
        let expand = |(log, ranges): &(LogId, Vec<(u32, u32)>)| {
            let log = *log;
            ranges.clone().into_iter().flat_map(move |(first, last)| (first..=last).map(move |number| EntryId { log, number }))
        };
        let ids: Vec<EntryId> = entries.iter().flat_map(expand).collect();
        self.wanted.extend(ids.iter().copied());
        let deadline = self.now.mono.after(self.want_wait(link));
        self.wants.insert(id, Asked { link, deadline, ids });
        self.count("wants_out_total", 1);
        let (since, entries) = heads.shorten(entries);
        self.control(link, Message::Want(Want { id, since, entries, docs, forks }));
    }

    /// How long an answer may take: on a reliable link it is only late, not lost.
    pub(super) fn want_wait(&self, link: LinkId) -> Duration {
        let reliable = self.links.get(&link).is_some_and(|state| state.profile.reliable);
        if reliable { self.config.want_timeout.saturating_mul(RELIABLE_PATIENCE) } else { self.config.want_timeout }
    }

    /// Asks for single entries.
    pub(super) fn want_ids(&mut self, link: LinkId, ids: &[EntryId]) {
        let mut entries: Vec<(LogId, Vec<(u32, u32)>)> = Vec::new();
        for id in ids {
            match entries.last_mut().filter(|(log, _)| *log == id.log) {
                Some((_, ranges)) => match ranges.last_mut().filter(|(_, last)| last.checked_add(1) == Some(id.number)) {
                    Some((_, last)) => *last = id.number,
                    None => ranges.push((id.number, id.number)),
                },
                None => entries.push((id.log, vec![(id.number, id.number)])),
            }
        }
        if !entries.is_empty() {
            self.want(link, entries, Vec::new(), Vec::new());
        }
    }

    /// An entry came that proved itself or is held: it is asked for no more, and whom we asked for it gets its time anew.
    pub(super) fn arrived(&mut self, link: LinkId, want: Option<u32>, id: EntryId) {
        let wait = self.want_wait(link);
        self.grafts.remove(&id);
        let asked = self.wanted.remove(&id);
        if let Some(want) = want.and_then(|want| self.wants.get_mut(&want)).filter(|want| asked && want.link == link) {
            want.progress(self.now.mono, wait);
            if let Some(state) = self.links.get_mut(&link) {
                state.healing.late = 0;
            }
        }
    }

    /// A want is answered as far as it could be.
    pub(super) fn done(&mut self, link: LinkId, want: u32) {
        // Numbers are easy to guess: only who was asked may say that it is done.
        if self.wants.get(&want).is_none_or(|asked| asked.link != link) {
            return;
        }
        let Some(asked) = self.wants.remove(&want) else { return };
        self.release(&asked);
        if !asked.ids.is_empty() && !asked.ids.iter().any(|id| self.holds(*id)) {
            // It promised all of this and had none of it.
            return self.doubt(link);
        }
        if let Some(state) = self.links.get_mut(&link) {
            state.healing.late = 0;
        }
        let last = !self.wants.values().any(|other| other.link == link);
        if asked.is_large()
            && last
            && let Some(state) = self.links.get_mut(&link)
        {
            state.healing.urgent = true;
            let at = self.now.mono.after(STORE_FIRST);
            state.probe_at = Some(state.probe_at.map_or(at, |known| known.min(at)));
        }
    }

    fn release(&mut self, asked: &Asked) {
        for id in &asked.ids {
            self.wanted.remove(id);
        }
    }

    pub(super) fn forget_wants(&mut self, link: LinkId) {
        let gone: Vec<u32> = self.wants.iter().filter(|(_, asked)| asked.link == link).map(|(id, _)| *id).collect();
        for id in gone {
            if let Some(asked) = self.wants.remove(&id) {
                self.release(&asked);
            }
        }
        self.fetches.retain(|_, fetch| !matches!(fetch, Fetch::Serve { link: of, .. } if *of == link));
    }

    /// Wants nobody answered: the entries may be asked for elsewhere, and the digest is compared again.
    pub(super) fn due_wants(&mut self) {
        let now = self.now.mono;
        let late: Vec<u32> = self.wants.iter().filter(|(_, asked)| asked.deadline <= now).map(|(id, _)| *id).collect();
        for id in late {
            let Some(asked) = self.wants.remove(&id) else { continue };
            self.release(&asked);
            self.count("wants_late_total", 1);
            let missing: Vec<EntryId> = asked.ids.iter().copied().filter(|id| !self.holds(*id)).collect();
            let lossy = self.links.get(&asked.link).is_some_and(|link| !link.profile.reliable);
            if lossy && !missing.is_empty() && missing.len() <= spread::REPAIR_MAX {
                self.want_ids(asked.link, &missing);
            } else {
                self.doubt(asked.link);
            }
        }
    }

    /// A want lapsed. Once is a lost frame, and the digest is compared again; who lets them lapse in a row is left alone for
    /// ever longer and the other neighbours are asked, or a peer that promises and never sends would be asked first for ever.
    fn doubt(&mut self, id: LinkId) {
        let (now, wait, longest) = (self.now.mono, self.config.want_timeout, self.config.probe);
        let Some(link) = self.links.get_mut(&id) else { return };
        let healing = &mut link.healing;
        healing.urgent = true;
        healing.late = healing.late.saturating_add(1);
        let Some(more) = healing.late.checked_sub(LATE_MAX) else {
            link.probe_at = Some(now);
            return;
        };
        let until = now.after(wait.saturating_mul(2 << more.min(10)).min(longest));
        healing.doubted = Some(until);
        link.probe_at = Some(until);
        self.probe_others_soon(id);
    }

    /// True where so much waits for a peer to read it that its questions are not answered.
    pub(super) fn does_not_read(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| link.outbox.control_bytes() > CONTROL_BACKLOG_MAX)
    }

    /// A floor fell away: what it hid may be on disk.
    pub(super) fn revive(&mut self, log: LogId, first: u32, last: u32) {
        let numbers: Vec<EntryId> = (first..=last).map(|number| EntryId { log, number }).collect();
        for entries in numbers.chunks(FETCH_MAX) {
            let token = self.token();
            self.fetches.insert(token, Fetch::Revive);
            self.emit(Output::Fetch { token, entries: entries.to_vec() });
        }
    }

    /// On a broadcast link somebody says its digest: a hint to compare with that neighbour.
    pub(super) fn beacon(&mut self, from: NodeId, nonce: u64, root: Hash16) {
        if keyed(self.root(), nonce) == root || self.now.mono.since(self.changed_at) < FRESH {
            return;
        }
        let now = self.now.mono;
        if let Some(link) = self.links.values_mut().find(|link| link.node == Some(from)) {
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

/// Cuts a want into some that fit a frame.
fn parts_of(entries: Vec<(LogId, Vec<(u32, u32)>)>, docs: Vec<(NodeId, DocKind)>, forks: Vec<LogId>) -> Vec<Want> {
    let mut parts = vec![Want::default()];
    let mut used = 0;
    let mut room = |parts: &mut Vec<Want>, need: usize| {
        if used + need > WANT_PARTS_MAX && used > 0 {
            parts.push(Want::default());
            used = 0;
        }
        used += need;
    };
    for (log, ranges) in entries {
        for ranges in ranges.chunks(WANT_PARTS_MAX / 2) {
            room(&mut parts, ranges.len() + 2);
            if let Some(part) = parts.last_mut() {
                part.entries.push((log, ranges.to_vec()));
            }
        }
    }
    for doc in docs {
        room(&mut parts, 1);
        if let Some(part) = parts.last_mut() {
            part.docs.push(doc);
        }
    }
    for log in forks {
        room(&mut parts, 2);
        if let Some(part) = parts.last_mut() {
            part.forks.push(log);
        }
    }
    parts
}
