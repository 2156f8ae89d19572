//! Somebody carries a stick from one PC to another. On it is what the first held durably when it left, with the certificates of
//! those whose words they are. The second reads it as if a neighbour came for a moment and went: the same gate, nothing trusted
//! because of who brought it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use holdfast_proto::id::{DocKind, NodeId};
use holdfast_proto::io::{DocRow, EntryRow, Input};
use holdfast_proto::link::{LinkId, LinkProfile};
use holdfast_proto::message::{Message, WireDoc, WireEntry};
use holdfast_proto::time::UtcMillis;

use super::log::Via;
use super::slot::Port;
use super::{Happening, MINUTE, World};
use crate::checker::Sometimes;
use crate::network::Cause;
use crate::network::courier::{Counts, Couriers, Journey, Stick};
use crate::scenario::words::SiteRole;
use crate::scenario::{Micros, SiteNo};

/// A journey whose length nobody gave.
pub(super) const JOURNEY: Micros = 60 * MINUTE;
/// From the moment the courier stands before a PC that runs until the stick is in it.
const PLUG_IN: Micros = 10_000_000;
/// Between two frames read from it.
const GAP: Micros = 100_000;
/// The stick stays in for so long after the last, and the store has it all.
const STAYS: Micros = 5_000_000;
/// What the PC may say to it: nobody listens.
const CREDIT: u32 = 1_000_000;
/// Bytes of rows in one frame, about.
const FRAME_GOAL: usize = 16_384;
/// What surrounds a row in a frame, about.
const AROUND: usize = 125;

/// Something on a stick.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    word: Word,
    /// Its age when the stick left, where that was known.
    age_ms: Option<u64>,
}

#[derive(Clone, Debug)]
enum Word {
    Entry(EntryRow),
    Doc(DocRow),
}

impl Thing {
    fn author(&self) -> NodeId {
        match &self.word {
            Word::Entry(entry) => entry.id.log.author,
            Word::Doc(doc) => doc.author,
        }
    }

    fn bytes(&self) -> usize {
        AROUND
            + match &self.word {
                Word::Entry(entry) => entry.header.len() + entry.body.as_ref().map_or(0, Bytes::len),
                Word::Doc(doc) => doc.bytes.len(),
            }
    }
}

/// What a courier brought.
#[derive(Clone, Debug)]
pub(super) struct Load {
    from: SiteNo,
    left_at: Micros,
    things: Vec<Thing>,
}

/// A stick in a PC.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    node: SiteNo,
    life: u32,
    link: LinkId,
    frames: VecDeque<Bytes>,
    /// Where the PC stops in the middle the courier begins again; none: done.
    load: Option<Load>,
}

/// Everything about couriers that a world keeps.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) under_way: Couriers<Thing>,
    /// Who stands before which PC.
    arrived: BTreeMap<SiteNo, Vec<Load>>,
    visits: Vec<Visit>,
}

impl Post {
    pub(super) fn new(seed: u64) -> Self {
        Self { under_way: Couriers::new(seed), arrived: BTreeMap::new(), visits: Vec::new() }
    }
}

impl World {
    /// A stick leaves with what a store holds, whether or not its PC runs; returns when it arrives.
    pub(super) fn courier_leaves(&mut self, cause: Cause, from: SiteNo, to: SiteNo, takes: Micros) -> Micros {
        let wall = self.clock(from).wall;
        let disk = &self.slots[from].disk;
        let docs = disk.docs().filter(|doc| doc.kind == DocKind::Board || self.entitled(to, doc.author));
        let docs = docs.map(|doc| Thing { age_ms: doc.age.at_wall(wall), word: Word::Doc(doc.clone()) });
        let entries = disk.entries().map(|entry| Thing { age_ms: entry.age.at_wall(wall), word: Word::Entry(entry.clone()) });
        let things: Vec<Thing> = docs.chain(entries).collect();
        let things = things.into_iter().map(|thing| (thing.bytes() as u64, thing)).map(|(bytes, thing)| (thing, bytes));
        let journey = Journey { from, to, takes };
        self.post.under_way.leave(self.now, cause, journey, Stick::USB, things).arrives
    }

    /// What one node may give another of an author's closed words: the same firm, or a hub or authority of the same region.
    fn entitled(&self, reader: SiteNo, author: NodeId) -> bool {
        let Some(author) = self.alliance.index_of(author) else { return false };
        let (members, sites) = (&self.alliance.members, &self.scenario.sites);
        let wide = matches!(members[reader].role, SiteRole::Hub | SiteRole::Authority);
        members[reader].firm == members[author].firm || (wide && sites[reader].region == sites[author].region)
    }

    /// The journey is over.
    pub(super) fn courier_arrives(&mut self, cause: Cause) {
        let Some(arrival) = self.post.under_way.arrive(cause) else { return };
        let Journey { from, to, takes } = arrival.journey;
        let Some(things) = arrival.load else { return };
        let load = Load { from, left_at: self.now.saturating_sub(takes), things };
        self.post.arrived.entry(to).or_default().push(load);
        self.couriers_wait(to);
    }

    /// Whoever stands before this PC with a stick plugs it in soon, if it runs.
    pub(super) fn couriers_wait(&mut self, node: SiteNo) {
        if self.runs(node) && self.post.arrived.contains_key(&node) {
            self.after(PLUG_IN, Happening::PlugIn { node });
        }
    }

    pub(super) fn plug_in(&mut self, node: SiteNo) {
        if !self.runs(node) {
            return;
        }
        for load in self.post.arrived.remove(&node).unwrap_or_default() {
            let key = self.alliance.members[load.from].key;
            if self.slots[node].admit.denies(&key) {
                continue;
            }
            let profile = LinkProfile {
                mtu: self.scenario.world.lan.mtu,
                rate: 0,
                reliable: true,
                broadcast: false,
                peer: Some(key),
                dialled: None,
                label: "sim stick".to_owned(),
            };
            let frames = self.frames_of(&load, node);
            let visit = self.post.visits.len();
            let slot = &mut self.slots[node];
            let (link, life) = (slot.new_link(), slot.life);
            slot.ports.insert(link, Port::Stick(visit));
            self.post.visits.push(Visit { node, life, link, frames, load: Some(load) });
            self.give(node, Input::LinkUp { link, profile });
            if self.slots[node].ports.contains_key(&link) {
                self.give(node, Input::Writable { link, room: CREDIT });
            }
            self.after(GAP, Happening::Unpack { visit });
        }
    }

    /// A greeting, the certificates of the authors, boards and details, entries.
    fn frames_of(&self, load: &Load, to: SiteNo) -> VecDeque<Bytes> {
        let on_the_way = (self.now - load.left_at) / 1_000;
        let hello = Message::Hello { chain: self.alliance.chain(load.from), wall: UtcMillis::UNKNOWN, roster: [0; 16] };
        let authors: BTreeSet<NodeId> = load.things.iter().map(Thing::author).collect();
        let chains = authors.iter().filter_map(|author| self.alliance.index_of(*author)).map(|node| self.alliance.chain(node));
        // Each issuer once, and before those it certified.
        let mut told = BTreeSet::new();
        let objects: Vec<Bytes> = chains.flatten().filter(|object| told.insert(object.clone())).collect();
        let (mut docs, mut entries) = (Vec::new(), Vec::new());
        for thing in &load.things {
            let age_ms = thing.age_ms.map(|age| age.saturating_add(on_the_way));
            match &thing.word {
                Word::Doc(doc) => docs.push((doc.bytes.len() + AROUND, WireDoc::pack(doc, age_ms))),
                Word::Entry(entry) => {
                    let packed = WireEntry::pack(entry, self.entitled(to, entry.id.log.author), age_ms);
                    entries.extend(packed.map(|packed| (packed.size(), packed)));
                }
            }
        }
        let objects = objects.into_iter().map(|object| (object.len(), object)).collect();
        let mut messages = vec![hello];
        messages.extend(batches(objects).into_iter().map(|objects| Message::Roster { objects }));
        messages.extend(batches(docs).into_iter().map(|docs| Message::Docs { want: None, docs }));
        messages.extend(batches(entries).into_iter().map(|entries| Message::Entries { want: None, entries }));
        messages.iter().map(Message::to_frame).collect()
    }

    /// The next frame is read, as long as the PC runs and listens.
    pub(super) fn unpack(&mut self, visit: usize) {
        let Some(state) = self.post.visits.get_mut(visit) else { return };
        let (node, life, link) = (state.node, state.life, state.link);
        if !(self.slots[node].life == life && self.slots[node].driver.is_some()) {
            if let Some(load) = state.load.take() {
                self.post.arrived.entry(node).or_default().push(load);
                self.couriers_wait(node);
            }
            return;
        }
        let Some(frame) = state.frames.pop_front() else { return self.pull_out(visit) };
        self.checker.saw(Sometimes::Carried);
        let last = state.frames.is_empty();
        self.after(if last { STAYS } else { GAP }, Happening::Unpack { visit });
        self.bring(node, Via::Courier, link, frame);
    }

    /// The stick is out: everything is read, or the PC would not go on.
    pub(super) fn pull_out(&mut self, visit: usize) {
        let Some(state) = self.post.visits.get_mut(visit) else { return };
        state.frames.clear();
        state.load = None;
        let (node, life, link) = (state.node, state.life, state.link);
        if self.alive(node, life) && self.slots[node].ports.remove(&link).is_some() {
            let cause = "the stick was pulled out".to_owned();
            self.after(0, Happening::Give { node, life, input: Box::new(Input::LinkDown { link, cause }) });
        }
    }

    /// What couriers carried.
    #[must_use]
    pub fn couriers(&self) -> Counts {
        self.post.under_way.counts
    }
}

/// Things of so many bytes each in lists that fit a frame.
fn batches<T>(things: Vec<(usize, T)>) -> Vec<Vec<T>> {
    let mut out: Vec<Vec<T>> = Vec::new();
    let mut free = 0_usize;
    for (bytes, thing) in things {
        match out.last_mut().filter(|_| bytes <= free) {
            Some(batch) => batch.push(thing),
            None => {
                out.push(vec![thing]);
                free = FRAME_GOAL;
            }
        }
        free = free.saturating_sub(bytes);
    }
    out
}
