//! Links up and down, the greeting, the roster exchange, and what goes out at the moment a link has room.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Node;
use super::count::Counter;
use super::courier::CARRIED;
use super::ingest::Age;
use super::link::Parcel;
use super::notices::Taken;
use super::word::ReadEntry;
use crate::config::{LINKS_MAX, STRANGERS_MAX};
use crate::control::Event;
use crate::id::{DocKind, NodeId};
use crate::identity::{OfferedAll, PublicKey, Rejected, is_revocation};
use crate::io::{AgeMark, EntryRow, Output, Row};
use crate::link::{LinkId, LinkProfile};
use crate::message::{Message, WireDoc, WireEntry};
use crate::replica::HeldDoc;
use crate::time::UtcMillis;

/// Two links that came up within this were dialled by both ends at once. A dial may take 5 s, but mostly takes milliseconds.
const TOGETHER: Duration = Duration::from_secs(3);
/// Roster objects named in one frame, so that it stays near 32 KiB: an alliance may have 16,000.
const ROSTER_HASHES_MAX: usize = 2_000;
/// Entries are collected into frames of about this size; larger frames would hold back what is more urgent.
const FRAME_GOAL: usize = 16_384;

/// Numbers or documents in one announcement, so that its frame stays below 32 KiB.
const HAVE_NUMBERS_MAX: usize = 1_000;

impl Node {
    pub(super) fn link_up(&mut self, id: LinkId, profile: LinkProfile) {
        if let Some(address) = &profile.dialled {
            self.peers.up(address, id);
            // The key was proved by the handshake, whatever becomes of the link.
            if let Some((node, _)) = profile.peer.and_then(|key| self.known.roster().node_of_key(&key)) {
                self.peers.identified(id, node);
            }
        }
        if self.links.len() >= LINKS_MAX {
            return self.hang_up(id, "this node holds as many links as it may");
        }
        let strangers = self.links.values().filter(|link| link.greet_by.is_some()).count();
        if strangers >= STRANGERS_MAX && profile.dialled.is_none() {
            return self.hang_up(id, "too many have come and not said who they are");
        }
        let broadcast = profile.broadcast;
        let first_beacon = broadcast.then(|| self.now.mono.after(self.beacon_wait(0)));
        let Some(link) = self.links.open(id, profile, self.now.mono) else { return self.bug("a link came up twice") };
        link.probe_at = first_beacon;
        if !broadcast {
            let hello =
                Message::Hello { chain: self.known.roster().chain(self.me), wall: self.now.wall, roster: self.known.hash() };
            self.control(id, hello);
        }
    }

    pub(super) fn link_down(&mut self, id: LinkId, cause: &str) {
        self.peers.down(id, cause, self.now.mono, &self.config, &mut self.rng);
        let Some(link) = self.links.remove(&id) else { return };
        self.forget_wants(id);
        self.grafts.forget(id);
        self.trees.close(link.place);
        self.notices.close(link.place);
        self.peers.look_again();
        if let Some(node) = link.node {
            self.notify(Event::PeerDown { node: Some(node), cause: cause.to_owned() });
        }
    }

    pub(super) fn hang_up(&mut self, id: LinkId, reason: &str) {
        self.link_down(id, reason);
        self.emit(Output::Hangup { link: id, reason: reason.to_owned() });
    }

    /// A fault cut us off from somebody.
    pub(super) fn hang_up_cut(&mut self) {
        let cut: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.node.is_some_and(|node| self.cut.contains(&node)))
            .map(|(id, _)| id)
            .collect();
        for link in cut {
            self.hang_up(link, "cut off for a drill");
        }
        self.peers.look_again();
        let cut = self.cut.clone();
        for id in self.links.ids() {
            if let Some(link) = self.links.get_mut(&id).filter(|link| !link.by_name) {
                link.audible.retain(|node| !cut.contains(node));
            }
        }
    }

    pub(super) fn audible(&mut self, id: LinkId, keys: &[PublicKey]) {
        let nodes = keys
            .iter()
            .filter_map(|key| self.known.roster().node_of_key(key))
            .map(|(node, _)| node)
            .filter(|node| *node != self.me);
        let nodes: BTreeSet<NodeId> = nodes.collect();
        self.hears(id, nodes);
    }

    /// These and no others are heard on a broadcast link.
    pub(super) fn hears(&mut self, id: LinkId, nodes: BTreeSet<NodeId>) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let newcomers = nodes.difference(&link.audible).next().is_some();
        let (heard, before) = (nodes.len(), link.audible.len());
        link.audible = nodes;
        link.owes_open |= newcomers && link.by_name;
        // A broadcast is not repeated: who was not there yet hears our own board again.
        if !self.is_crowd(heard) {
            if newcomers {
                self.retell(id);
            }
            return self.retell_open(id);
        }
        let next = (!self.is_crowd(before)).then(|| self.now.mono.after(self.beacon_wait(heard)));
        if let Some(link) = self.links.get_mut(&id) {
            link.retell |= newcomers;
            link.probe_at = next.or(link.probe_at);
        }
    }

    /// Says this node's own board again on a broadcast link, if anybody hears it there alone.
    pub(super) fn retell(&mut self, id: LinkId) {
        if self.is_needed_on(id)
            && let Some(doc) = self.replica.doc(self.me, DocKind::Board).cloned()
        {
            self.broadcast_doc(id, &doc);
        }
    }

    /// One frame came in.
    pub(super) fn received(&mut self, id: LinkId, frame: &[u8]) {
        let Some(link) = self.links.get(&id) else { return };
        let (known, broadcast) = (link.node.is_some(), link.profile.broadcast);
        self.count(Counter::FramesIn, 1);
        self.count(Counter::FrameBytesIn, frame.len() as u64);
        let message = match Message::from_frame(frame) {
            Ok(message) => message,
            Err(why) => return self.reject(id, &why.to_string()),
        };
        if let Message::Hello { chain, wall, roster } = message {
            return self.greeted(id, &chain, wall, roster);
        }
        if broadcast {
            return self.overheard(id, message);
        }
        if !known {
            return self.reject(id, "words before a greeting");
        }
        self.heard(id, message);
    }

    /// On a broadcast link anybody may have said it: only what proves itself counts.
    fn overheard(&mut self, id: LinkId, message: Message) {
        match message {
            Message::Entries { want: None, entries } => self.take_entries(id, None, entries),
            Message::Docs { want: None, docs } => self.take_docs(id, None, docs),
            Message::Forks { proofs } => self.take_forks(id, proofs),
            Message::Roster { objects } => self.take_roster(id, &objects),
            Message::Beacon { from, nonce, root } => self.beacon(from, nonce, root),
            Message::Entries { .. }
            | Message::Docs { .. }
            | Message::Hello { .. }
            | Message::RosterList { .. }
            | Message::Have { .. }
            | Message::Prune { .. }
            | Message::Held { .. }
            | Message::Probe { .. }
            | Message::Same { .. }
            | Message::Buckets { .. }
            | Message::Changed { .. }
            | Message::Leaves { .. }
            | Message::Details { .. }
            | Message::Want(_)
            | Message::Done { .. } => self.reject(id, "a message that makes no sense on a broadcast link"),
        }
    }

    fn heard(&mut self, id: LinkId, message: Message) {
        match message {
            Message::Entries { want, entries } => {
                let last = entries.last().map(WireEntry::id);
                self.take_entries(id, want, entries);
                if let Some(last) = last.filter(|_| want.is_none()) {
                    self.pull_hole(id, last);
                }
            }
            Message::Docs { want, docs } => self.take_docs(id, want, docs),
            Message::Forks { proofs } => self.take_forks(id, proofs),
            Message::Roster { objects } => self.take_roster(id, &objects),
            Message::RosterList { from, to, hashes, answer } => self.roster_listed(id, (from, to), &hashes, answer),
            Message::Have { entries, docs } => self.announced(id, entries, docs),
            Message::Prune { author, kind } => self.pruned(id, author, kind),
            Message::Held { heads, docs } => self.receipts(id, heads, docs),
            Message::Probe { nonce, root, details } => self.probed(id, nonce, root, details),
            Message::Same { nonce } => self.same(id, nonce),
            Message::Buckets { roster, hashes } => self.buckets(id, roster, &hashes),
            Message::Changed { base, roster, answer, changes } => self.changed(id, base, roster, answer, changes),
            Message::Leaves { count, answer, leaves } => self.leaves(id, count, &answer, &leaves),
            Message::Details { answer, leaves } => self.details(id, answer, &leaves),
            Message::Want(want) => self.serve(id, want),
            Message::Done { id: want } => self.done(id, want),
            Message::Hello { .. } | Message::Beacon { .. } => self.reject(id, "a message that makes no sense here"),
        }
    }

    /// The other end presents its chain. Only now it is somebody.
    fn greeted(&mut self, id: LinkId, chain: &[Bytes], wall: UtcMillis, roster: [u8; 16]) {
        let Some(key) = self.links.get(&id).and_then(|link| link.profile.peer) else {
            return self.reject(id, "a greeting on a link that proves no key");
        };
        let mut taken = Vec::new();
        let admitted = self.known.admit_chain(chain, &key, &mut taken);
        if !taken.is_empty() {
            let rows = taken.into_iter().map(|bytes| Row::Roster { bytes }).collect();
            self.persist(rows, None, super::ingest::Job::Quiet);
            self.roster_changed();
        }
        let node = match admitted {
            // The one date that decides something, and only here at the door: nobody's words are judged by it.
            Ok((node, _)) if self.is_guest_out_of_its_days(node) => {
                return self.hang_up(id, "it is a guest whose days are over");
            }
            Ok((node, _)) => node,
            Err(why) => {
                self.reject(id, &format!("a greeting: {why}"));
                return self.hang_up(id, &refusal_words(why));
            }
        };
        if node == self.me || self.cut.contains(&node) {
            return self.hang_up(id, if node == self.me { "that is this node itself" } else { "cut off for a drill" });
        }
        let twin = self.one_of_two(id, node).map(|twin| (twin, "another link to the same node is up"));
        let crowded = || self.crowded_out(id, node).map(|link| (link, "its firm holds more links here than any other"));
        if let Some((other, why)) = twin.or_else(crowded) {
            self.hang_up(other, why);
            if other == id {
                return;
            }
        }
        let jitter = Duration::from_micros(self.rng.below(u64::try_from(self.config.heal_jitter.as_micros()).unwrap_or(0)));
        let (now, skew) = (self.now, self.now.wall);
        let Some(link) = self.links.get_mut(&id) else { return };
        let first = link.node.is_none();
        link.node = Some(node);
        link.greet_by = None;
        link.clock_skew_ms = (wall.is_known() && skew.is_known()).then(|| wall.0.saturating_sub(skew.0));
        link.probe_at = Some(now.mono.after(jitter));
        link.healing.urgent = true;
        let label = link.profile.label.clone();
        self.peers.proven(id, node);
        if first {
            self.notify(Event::PeerUp { node, label });
        }
        if roster != self.known.hash() && !self.does_not_read(id) {
            self.tell_roster(id, false);
        }
    }

    /// Two links to one node. An older one is most likely dead: its other end restarted. Of two that came up together both ends
    /// keep the one that the lower id dialled.
    fn one_of_two(&self, id: LinkId, node: NodeId) -> Option<LinkId> {
        let (other, twin) = self.links.iter().find(|(other, link)| *other != id && link.node == Some(node))?;
        let this = self.links.get(&id)?;
        if self.now.mono.since(twin.up_at) > TOGETHER {
            return Some(other);
        }
        let (this_dialled, twin_dialled) = (this.profile.dialled.is_some(), twin.profile.dialled.is_some());
        if this_dialled == twin_dialled {
            // Both dialled by one side: that side alone decides, or the two ends might keep different ones.
            return this_dialled.then_some(id);
        }
        let keep_dialled = self.me < node;
        Some(if this_dialled == keep_dialled { other } else { id })
    }

    /// Tells which roster objects are held, in as many frames as that takes; the last one asks for an answer.
    pub(super) fn tell_roster(&mut self, id: LinkId, answer: bool) {
        let mut hashes: Vec<_> = self.known.roster().objects().map(|object| object.hash).collect();
        hashes.sort_unstable();
        let parts: Vec<_> = hashes.chunks(ROSTER_HASHES_MAX).map(<[_]>::to_vec).collect();
        let begins: Vec<_> = parts.iter().skip(1).filter_map(|part| part.first().copied()).collect();
        let mut from = [0; 16];
        for (place, hashes) in parts.into_iter().enumerate() {
            let to = begins.get(place).copied();
            self.control(id, Message::RosterList { from, to, hashes, answer: answer && to.is_none() });
            from = to.unwrap_or(from);
        }
    }

    fn roster_listed(&mut self, id: LinkId, span: ([u8; 16], Option<[u8; 16]>), hashes: &[[u8; 16]], answer: bool) {
        if self.does_not_read(id) {
            return;
        }
        if answer {
            self.tell_roster(id, false);
        }
        let theirs: BTreeSet<_> = hashes.iter().collect();
        let (from, to) = span;
        let asked = |hash: &[u8; 16]| *hash >= from && to.is_none_or(|to| *hash < to) && !theirs.contains(hash);
        let lacking = self.known.roster().objects().filter(|object| asked(&object.hash)).map(|object| object.envelope.clone());
        let mut objects = Vec::new();
        let mut frames = Vec::new();
        let mut bytes = 0;
        for object in lacking {
            if bytes + object.len() > FRAME_GOAL {
                frames.push(std::mem::take(&mut objects));
                bytes = 0;
            }
            bytes += object.len();
            objects.push(object);
        }
        frames.push(objects);
        for objects in frames.into_iter().filter(|objects| !objects.is_empty()) {
            self.control(id, Message::Roster { objects });
        }
    }

    pub(super) fn take_roster(&mut self, id: LinkId, objects: &[Bytes]) {
        let OfferedAll { new, refused } = self.known.offer_all(objects);
        let new: Vec<Bytes> = new.into_iter().map(|place| objects[place].clone()).collect();
        let refused = refused.into_iter().map(|(_, why)| why).filter(|why| *why != Rejected::Older).collect::<Vec<_>>();
        self.carried_papers(&new, objects.len().saturating_sub(new.len() + refused.len()));
        for why in refused {
            self.carried_rejected(why);
            self.reject(id, &format!("a certificate: {why}"));
        }
        if !new.is_empty() {
            let rows = new.iter().map(|object| Row::Roster { bytes: object.clone() }).collect();
            let revocations: Vec<Bytes> = new.into_iter().filter(|object| is_revocation(object)).collect();
            self.persist(rows, None, super::ingest::Job::Quiet);
            self.roster_changed();
            self.moved();
            // On a broadcast link whoever handed them in here says them, as an operator does.
            self.spread_revocations(&revocations, (id != CARRIED).then_some(id));
        }
    }

    /// Queues a message that goes before all entries.
    pub(super) fn control(&mut self, link: LinkId, message: Message) {
        let Some(state) = self.links.get_mut(&link) else { return };
        let frame = message.to_frame();
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        if bytes > state.profile.mtu {
            // It would hold up all that follows for as long as the link lives.
            return self.count(Counter::ControlTooLong, 1);
        }
        state.outbox.push_control(bytes, Parcel::Control(frame));
    }

    pub(super) fn due_links(&mut self) {
        let now = self.now.mono;
        for id in self.links.due(now) {
            let Some(link) = self.links.get_mut(&id) else { continue };
            if link.greet_by.is_some_and(|at| at <= now) {
                self.hang_up(id, "no certificate was presented in time");
                continue;
            }
            if link.receipt_at.take_if(|at| *at <= now).is_some() {
                self.send_receipt(id);
            }
            self.flush(id);
            self.say_due_again(id);
            let probing = self.links.get_mut(&id).is_some_and(|link| link.probe_at.take_if(|at| *at <= now).is_some());
            if probing {
                self.probe(id);
            }
        }
    }

    /// Announcements that are due go out; a broadcast link's batch opens.
    fn flush(&mut self, id: LinkId) {
        let now = self.now.mono;
        let again = now.after(self.config.announce);
        let Some(link) = self.links.get_mut(&id).filter(|link| link.flush_at.is_some_and(|at| at <= now)) else { return };
        link.flush_at = None;
        if link.profile.broadcast {
            return;
        }
        let Taken { entries, docs, again: repeated } = self.notices.take(link.place);
        link.flush_at = repeated.then_some(again);
        link.unasked = link.unasked.saturating_add(u32::from(!entries.is_empty() || !docs.is_empty()));
        let place = link.place;
        self.links.scattered(place);
        let mut parts = vec![Vec::new()];
        let mut count = 0;
        for (log, numbers) in entries {
            for numbers in numbers.chunks(HAVE_NUMBERS_MAX) {
                if count + numbers.len() > HAVE_NUMBERS_MAX {
                    parts.push(Vec::new());
                    count = 0;
                }
                count += numbers.len() + 2;
                parts.last_mut().into_iter().for_each(|part| part.push((log, numbers.to_vec())));
            }
        }
        for docs in docs.chunks(HAVE_NUMBERS_MAX) {
            self.control(id, Message::Have { entries: Vec::new(), docs: docs.to_vec() });
        }
        for entries in parts.into_iter().filter(|part| !part.is_empty()) {
            self.control(id, Message::Have { entries, docs: Vec::new() });
        }
    }

    pub(super) fn due_dials(&mut self) {
        let now = self.now.mono;
        if !self.kin.is_due(now) && !self.peers.is_due(now) && !self.company.is_due(now) {
            return;
        }
        let linked = self.linked();
        let wanted = &self.kin_wanted(&linked) | &self.company_wanted(&linked);
        // Whose key was taken away is not called: it could only be hung up on.
        let nodes = &self.known.directory().nodes;
        let revoked = self.replica.revoked().map(|(node, _)| node);
        let revoked = revoked.filter(|node| nodes.get(node).is_some_and(|entry| entry.revoked));
        let shunned: BTreeSet<NodeId> = self.cut.iter().copied().chain(revoked).collect();
        for address in self.peers.due(now, &linked, &shunned, &wanted, self.config.degree) {
            self.emit(Output::Dial { address });
        }
    }

    /// Sends what each link has room for.
    pub(super) fn pump_all(&mut self) {
        if self.own.unstamped {
            return;
        }
        for id in self.links.busy() {
            self.pump(id);
        }
    }

    fn pump(&mut self, id: LinkId) {
        loop {
            let Some(link) = self.links.get_mut(&id) else { return };
            // A broadcast batch waits until it is due.
            if link.profile.broadcast && link.flush_at.is_some() {
                return;
            }
            let limit = link.room.min(link.profile.mtu);
            let first = if link.urgent_only { link.outbox.pop_urgent(limit) } else { link.outbox.pop(limit) };
            let Some(first) = first else { break };
            // On a channel that loses frames each word goes alone: none is lost with another.
            let goal = if link.by_name { 0 } else { FRAME_GOAL.min(limit as usize) };
            let frame = match first {
                Parcel::Control(frame) => frame,
                Parcel::Entry(read, age) => self.entries_frame(id, (read, age), limit, goal).to_frame(),
                Parcel::Doc(held, age) => self.docs_frame(id, (held, age), limit, goal).to_frame(),
            };
            self.transmit_frame(id, frame);
        }
        self.pump_serving(id);
    }

    /// Collects waiting documents behind `first` into one frame.
    fn docs_frame(&mut self, id: LinkId, first: (HeldDoc, Age), limit: u32, goal: usize) -> Message {
        let mut rows = vec![first];
        let mut bytes = 200;
        while let Some(link) = self.links.get_mut(&id) {
            bytes += rows.last().map_or(0, |(held, _)| held.bytes.len() + 90);
            let next = matches!(link.outbox.peek(), Some(Parcel::Doc(held, _)) if bytes + held.bytes.len() + 90 <= goal);
            let Some(Parcel::Doc(held, age)) = next.then(|| link.outbox.pop(limit)).flatten() else { break };
            rows.push((held, age));
        }
        let pack = |(held, age): &(HeldDoc, Age)| WireDoc::of(held, age.now(self.now, held.doc.wall));
        Message::Docs { want: None, docs: rows.iter().map(pack).collect() }
    }

    /// Collects waiting entries behind `first` into one frame.
    fn entries_frame(&mut self, id: LinkId, first: (Arc<ReadEntry>, AgeMark), limit: u32, goal: usize) -> Message {
        let mut rows = vec![first];
        let mut bytes = 200;
        while let Some(link) = self.links.get_mut(&id) {
            bytes += rows.last().map_or(0, |(read, _)| read.size());
            let next = matches!(link.outbox.peek(), Some(Parcel::Entry(read, _)) if bytes + read.size() <= goal);
            let Some(Parcel::Entry(read, age)) = next.then(|| link.outbox.pop(limit)).flatten() else { break };
            rows.push((read, age));
        }
        let entries = rows.iter().map(|(read, age)| self.wire_read(id, read, *age)).collect();
        Message::Entries { want: None, entries }
    }

    /// An entry as this peer may have it: closed bodies to entitled peers only.
    pub(super) fn wire_entry(&self, id: LinkId, row: &EntryRow) -> Option<WireEntry> {
        Some(self.wire_read(id, self.read_row(row)?.as_ref(), row.age))
    }

    /// The same of one that is read already.
    pub(super) fn wire_read(&self, id: LinkId, read: &ReadEntry, age: AgeMark) -> WireEntry {
        self.wire_for(self.links.get(&id).and_then(|link| link.node), read, age)
    }

    /// The same for somebody who may not be linked.
    pub(super) fn wire_for(&self, peer: Option<NodeId>, read: &ReadEntry, age: AgeMark) -> WireEntry {
        let author = read.id().log.author;
        let entitled = || peer.is_some_and(|peer| self.entitled(peer, author));
        let with_body = !read.header.closed || entitled();
        let age = age.at_wall(self.now.wall).map(|plain| plain.max(self.now.wall.since(read.header.wall)));
        read.wire(with_body, age)
    }

    pub(super) fn doc_age(&self, author: NodeId, kind: DocKind) -> Option<u64> {
        let stamp = self.replica.doc(author, kind)?.doc.wall;
        self.ages.get(author, kind)?.now(self.now, stamp)
    }

    pub(super) fn transmit(&mut self, id: LinkId, message: &Message) {
        self.transmit_frame(id, message.to_frame());
    }

    fn transmit_frame(&mut self, id: LinkId, frame: Bytes) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let Ok(bytes) = u32::try_from(frame.len()) else { return };
        if bytes > link.profile.mtu {
            return self.bug("a frame larger than the link's mtu");
        }
        link.room = link.room.saturating_sub(bytes);
        self.count(Counter::FramesOut, 1);
        self.count(Counter::FrameBytesOut, u64::from(bytes));
        self.emit(Output::Transmit { link: id, frame });
    }
}

fn refusal_words(why: Rejected) -> String {
    format!("its certificate is not good here: {why}")
}
