//! Wants: what is asked of whom, until when, and what follows where no answer comes.

use std::time::Duration;

use super::changed::Heads;
use super::{Fetch, STORE_FIRST, WANTED_MAX};
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::link::LinkId;
use crate::message::{Message, Want};
use crate::node::count::Counter;
use crate::node::{Node, spread};
use crate::time::Instant;

/// On a reliable link an answer gets so many times the usual time: behind a slow disk or a long queue it still comes.
const RELIABLE_PATIENCE: u32 = 10;
/// Wants under way on one link. A heal needs a few at once; announced documents add one each.
const WANTS_MAX: usize = 64;
/// Ranges and documents in one want, so that its frame stays below 32 KiB: a range costs at most 10 B, a logbook 14 B more.
const WANT_PARTS_MAX: usize = 1_000;
/// A peer that let so many wants lapse in a row is left alone for a while. One may be a lost frame.
const LATE_MAX: u8 = 2;

/// A want we sent.
#[derive(Clone, Debug)]
pub(in crate::node) struct Asked {
    pub(in crate::node) link: LinkId,
    pub(in crate::node) deadline: Instant,
    ids: Vec<EntryId>,
    docs: Vec<(NodeId, DocKind)>,
    /// Much, or what only the digest shows: the digests are compared when all of it is there.
    pub(super) large: bool,
    /// Announced to us, or below a hole of what was pushed: it goes on from here like a push.
    fresh: bool,
}

impl Asked {
    /// Something came: the rest gets its time anew.
    pub(in crate::node) fn progress(&mut self, now: Instant, wait: Duration) {
        self.deadline = now.after(wait);
    }
}

impl Node {
    /// Asks a peer for what the digest shows to be lacking.
    pub(in crate::node) fn want(
        &mut self,
        link: LinkId,
        entries: Vec<(LogId, Vec<(u32, u32)>)>,
        docs: Vec<(NodeId, DocKind)>,
        forks: Vec<LogId>,
    ) {
        self.want_below(link, entries, docs, forks, &Heads::default());
    }

    /// Asks a peer for fresh words that it announced.
    pub(in crate::node) fn want_fresh(
        &mut self,
        link: LinkId,
        entries: Vec<(LogId, Vec<(u32, u32)>)>,
        docs: Vec<(NodeId, DocKind)>,
    ) {
        if self.store_rests() || (entries.is_empty() && docs.is_empty()) {
            return;
        }
        for part in parts_of(entries, docs, Vec::new()) {
            self.want_part(link, part, &Heads::default(), true);
        }
    }

    /// True where what comes for this want is fresh.
    pub(in crate::node) fn asked_fresh(&self, link: LinkId, want: Option<u32>) -> bool {
        want.is_none_or(|want| self.wants.get(&want).is_some_and(|asked| asked.link == link && asked.fresh))
    }

    /// Asks a peer, in fewer bytes where it told the `heads` that are wanted up to.
    pub(super) fn want_below(
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
            self.want_part(link, part, heads, false);
        }
    }

    fn want_part(&mut self, link: LinkId, want: Want, heads: &Heads, fresh: bool) {
        let Want { entries, docs, forks, .. } = want;
        let under_way = self.wants.values().filter(|asked| asked.link == link).count();
        if under_way >= WANTS_MAX || self.wanted.len() >= WANTED_MAX {
            self.count(Counter::WantsPutOff, 1);
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
        self.wanted_docs.extend(docs.iter().copied());
        let deadline = self.now.mono.after(self.want_wait(link));
        let large = !fresh && (ids.len() + docs.len() > spread::REPAIR_MAX || !forks.is_empty());
        self.wants.insert(id, Asked { link, deadline, ids, docs: docs.clone(), large, fresh });
        self.count(Counter::WantsOut, 1);
        let (since, entries) = heads.shorten(entries);
        self.control(link, Message::Want(Want { id, since, entries, docs, forks }));
    }

    /// How long an answer may take: on a reliable link it is only late, not lost.
    pub(in crate::node) fn want_wait(&self, link: LinkId) -> Duration {
        let reliable = self.links.get(&link).is_some_and(|state| state.profile.reliable);
        if reliable { self.config.want_timeout.saturating_mul(RELIABLE_PATIENCE) } else { self.config.want_timeout }
    }

    /// Asks for single entries that a push or an announcement showed.
    pub(in crate::node) fn want_ids(&mut self, link: LinkId, ids: &[EntryId]) {
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
        self.want_fresh(link, entries, Vec::new());
    }

    /// An entry came that proved itself or is held: it is asked for no more, and whom we asked for it gets its time anew.
    pub(in crate::node) fn arrived(&mut self, link: LinkId, want: Option<u32>, id: EntryId) {
        let wait = self.want_wait(link);
        self.grafts.remove(id);
        let asked = self.wanted.remove(&id);
        if let Some(want) = want.and_then(|want| self.wants.get_mut(&want)).filter(|want| asked && want.link == link) {
            want.progress(self.now.mono, wait);
            if let Some(state) = self.links.get_mut(&link) {
                state.healing.late = 0;
            }
        }
    }

    /// A want is answered as far as it could be.
    pub(in crate::node) fn done(&mut self, link: LinkId, want: u32) {
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
        if asked.large
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
        for doc in &asked.docs {
            self.wanted_docs.remove(doc);
        }
    }

    pub(in crate::node) fn forget_wants(&mut self, link: LinkId) {
        let gone: Vec<u32> = self.wants.iter().filter(|(_, asked)| asked.link == link).map(|(id, _)| *id).collect();
        for id in gone {
            if let Some(asked) = self.wants.remove(&id) {
                self.release(&asked);
            }
        }
        self.fetches.retain(|_, fetch| !matches!(fetch, Fetch::Serve { link: of, .. } if *of == link));
    }

    /// Wants nobody answered: the entries may be asked for elsewhere, and the digest is compared again.
    pub(in crate::node) fn due_wants(&mut self) {
        let now = self.now.mono;
        let late: Vec<u32> = self.wants.iter().filter(|(_, asked)| asked.deadline <= now).map(|(id, _)| *id).collect();
        for id in late {
            let Some(asked) = self.wants.remove(&id) else { continue };
            self.release(&asked);
            self.count(Counter::WantsLate, 1);
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
    pub(super) fn doubt(&mut self, id: LinkId) {
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
