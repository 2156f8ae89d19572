//! Somebody carries a stick from one PC to another. The file on it is written and read by the very commands that staff give in the
//! field: the node that stands there writes all it holds durably, and the other takes it in piece by piece, through the gate.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use data_encoding::BASE64;
use holdfast_proto::control::{Command, CommandId, CourierIn, CourierOut, Reply};
use holdfast_proto::io::{Input, Output};
use holdfast_proto::message::courier::{Chain, Cutter, END_BYTES, Part, Reader};

use super::log::Via;
use super::{Happening, MINUTE, World};
use crate::checker::Sometimes;
use crate::driver::Driver;
use crate::network::Cause;
use crate::network::courier::{Counts, Couriers, Journey, Stick};
use crate::scenario::{Micros, SiteNo};
use crate::workload::Kind;

/// A journey whose length nobody gave.
pub(super) const JOURNEY: Micros = 60 * MINUTE;
/// From the moment the courier stands before a PC that runs until the stick is in it.
const PLUG_IN: Micros = 10_000_000;
/// Before each piece that is read from it.
const GAP: Micros = 100_000;
/// The command of whoever writes a stick; nobody else counts so far.
const WRITE: CommandId = CommandId(u64::MAX);

/// What a courier brought: a file, whole or as much of it as fitted.
#[derive(Clone, Debug)]
pub(super) struct Load {
    left_at: Micros,
    file: Bytes,
}

/// A stick in a PC.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    node: SiteNo,
    life: u32,
    pieces: VecDeque<Vec<u8>>,
    /// The command that hands in the last piece read, until it is answered.
    asked: Option<u64>,
    /// Where the PC stops in the middle the courier begins again; none: done.
    load: Option<Load>,
}

/// Everything about couriers that a world keeps.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub(super) under_way: Couriers<Bytes>,
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
        let file = self.file_for(from, to);
        let things = segments(&file).into_iter().map(|segment| (segment.clone(), segment.len() as u64));
        let journey = Journey { from, to, takes };
        self.post.under_way.leave(self.now, cause, journey, Stick::USB, things).arrives
    }

    /// The file that a node writes. A PC that is off is switched on for it and for nothing else; one that can't start writes none.
    fn file_for(&mut self, from: SiteNo, to: SiteNo) -> Vec<u8> {
        let (now, to) = (self.clock(from), self.id(to).to_string());
        let running = self.slots[from].driver.clone();
        let Some(mut writer) = running.or_else(|| Driver::start(&self.alliance, self.how_to_start(from, [0; 32])).ok()) else {
            return Vec::new();
        };
        while writer.poll().is_some() {}
        let (mut file, mut after) = (Vec::new(), None);
        loop {
            let command = Command::CourierOut(CourierOut { to: to.clone(), after, most: None });
            let mut inputs = VecDeque::from([Input::Command { id: WRITE, command }]);
            let mut written = None;
            while let Some(input) = inputs.pop_front() {
                writer.handle(now, input);
                while let Some(output) = writer.poll() {
                    if let Output::Reply { id: WRITE, reply: Reply::CourierOut(piece) } = output {
                        written = Some(piece);
                    } else if let Output::Fetch { token, entries } = output {
                        inputs.push_back(Input::Fetched { token, rows: self.slots[from].disk.fetch(&entries) });
                    }
                }
            }
            let Some(piece) = written else { return Vec::new() };
            file.extend(BASE64.decode(piece.piece.as_bytes()).unwrap_or_default());
            after = piece.next;
            if after.is_none() {
                return file;
            }
        }
    }

    /// The journey is over.
    pub(super) fn courier_arrives(&mut self, cause: Cause) {
        let Some(arrival) = self.post.under_way.arrive(cause) else { return };
        let Journey { to, takes, .. } = arrival.journey;
        let Some(segments) = arrival.load.filter(|segments| !segments.is_empty()) else { return };
        let load = Load { left_at: self.now.saturating_sub(takes), file: segments.concat().into() };
        self.post.arrived.entry(to).or_default().push(load);
        self.couriers_wait(to);
    }

    /// Whoever stands before this PC with a stick plugs it in soon, if it runs. Where it stopped in the middle it is read again.
    pub(super) fn couriers_wait(&mut self, node: SiteNo) {
        let life = self.slots[node].life;
        for visit in self.post.visits.iter_mut().filter(|visit| visit.node == node && visit.life != life) {
            if let Some(load) = visit.load.take() {
                self.post.arrived.entry(node).or_default().push(load);
            }
        }
        if self.runs(node) && self.post.arrived.contains_key(&node) {
            self.after(PLUG_IN, Happening::PlugIn { node });
        }
    }

    pub(super) fn plug_in(&mut self, node: SiteNo) {
        if !self.runs(node) {
            return;
        }
        for load in self.post.arrived.remove(&node).unwrap_or_default() {
            let mut cutter = Cutter::default();
            cutter.push(&load.file);
            let mut pieces = VecDeque::new();
            while let Ok(Some(piece)) = cutter.next_piece() {
                pieces.push_back(piece);
            }
            pieces.extend(cutter.last_piece());
            let visit = self.post.visits.len();
            let life = self.slots[node].life;
            self.post.visits.push(Visit { node, life, pieces, asked: None, load: Some(load) });
            self.after(GAP, Happening::Unpack { visit });
        }
    }

    /// The next piece is handed in, if the PC still runs.
    pub(super) fn unpack(&mut self, visit: usize) {
        let Some(state) = self.post.visits.get_mut(visit) else { return };
        let (node, life) = (state.node, state.life);
        if !(self.slots[node].life == life && self.slots[node].driver.is_some()) {
            return;
        }
        let Some(piece) = state.pieces.pop_front() else {
            state.load = None;
            return;
        };
        let carried_s = state.load.as_ref().map(|load| (self.now - load.left_at) / 1_000_000);
        // It may be answered before this is over.
        state.asked = Some(self.slots[node].next_command + 1);
        let wish = CourierIn { piece: BASE64.encode(&piece), carried_s };
        self.via = Via::Courier;
        self.command(node, Kind::Courier, Command::CourierIn(wish));
        self.via = Via::Other;
    }

    /// A PC answered what came of a piece.
    pub(super) fn courier_answered(&mut self, node: SiteNo, id: CommandId, reply: &Reply) {
        let life = self.slots[node].life;
        let mut visits = self.post.visits.iter_mut().enumerate();
        let its = |visit: &Visit| visit.node == node && visit.life == life && visit.asked == Some(id.0);
        let Some((place, visit)) = visits.find(|(_, visit)| its(visit)) else { return };
        visit.asked = None;
        if let Reply::CourierIn(_) = reply {
            self.checker.saw(Sometimes::Carried);
            return self.after(GAP, Happening::Unpack { visit: place });
        }
        // The disk was full, or too much waited for it: the courier stays and tries again.
        visit.pieces.clear();
        if let Some(load) = visit.load.take() {
            self.post.arrived.entry(node).or_default().push(load);
            self.after(PLUG_IN, Happening::PlugIn { node });
        }
    }

    /// What couriers carried.
    #[must_use]
    pub fn couriers(&self) -> Counts {
        self.post.under_way.counts
    }
}

/// A file as it is copied: its head, its records, its end. One that can't be read has none of them.
fn segments(file: &[u8]) -> Vec<Bytes> {
    let mut reader = Reader::default();
    reader.push(file);
    let mut out: Vec<Bytes> = Vec::new();
    while let Ok(Some(part)) = reader.next_part() {
        out.push(match part {
            Part::Head(head) => head.to_bytes().into(),
            Part::Word(frame) => Chain::default().record(&frame).into(),
            Part::End => Bytes::copy_from_slice(&file[file.len() - END_BYTES..]),
        });
    }
    out
}
