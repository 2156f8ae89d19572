//! The fingerprint of a run: a hash over everything that crosses the boundary of every node, with its time.

use holdfast_proto::codec;
use holdfast_proto::control::{Event, Reply};
use holdfast_proto::id::{EntryId, NodeId};
use holdfast_proto::io::{Input, Output, Row};

use crate::scenario::Micros;

/// Lines are hashed together once they are so many bytes: long runs of bytes hash several times faster.
const TOGETHER: usize = 32_768;

/// Running hash. What is said in few bytes stands for the whole: signatures for what they sign, frames for themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Print {
    hasher: blake3::Hasher,
    /// Lines not hashed yet, and where the last one begins.
    line: Vec<u8>,
    begun: usize,
}

impl Print {
    pub(super) fn hex(&self) -> String {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.line);
        hasher.finalize().to_hex().to_string()
    }

    fn begin(&mut self, now: Micros, node: usize, kind: u8) {
        if self.line.len() >= TOGETHER {
            self.hasher.update(&self.line);
            self.line.clear();
        }
        self.begun = self.line.len();
        self.number(now);
        self.number(node as u64);
        self.line.push(kind);
    }

    /// One line, its length last so that lines can't run into each other.
    fn end(&mut self) {
        self.number((self.line.len() - self.begun) as u64);
    }

    fn number(&mut self, value: u64) {
        self.line.extend_from_slice(&value.to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.line.extend_from_slice(text.as_bytes());
    }

    fn node(&mut self, node: NodeId) {
        self.line.extend_from_slice(&node.to_bytes());
    }

    fn entry(&mut self, id: EntryId) {
        self.line.extend_from_slice(&id.log.to_bytes());
        self.line.extend_from_slice(&id.number.to_be_bytes());
    }

    pub(super) fn input(&mut self, now: Micros, node: usize, input: &Input) {
        self.begin(now, node, 0);
        match input {
            Input::Received { link, frame } => {
                self.number(u64::from(link.0));
                self.line.extend_from_slice(frame);
            }
            Input::Writable { link, room } => {
                self.line.push(1);
                self.number(u64::from(link.0));
                self.number(u64::from(*room));
            }
            Input::Persisted { token } => {
                self.line.push(2);
                self.number(*token);
            }
            Input::Wake => self.line.push(3),
            Input::Central { answers } => self.line.extend_from_slice(&[4, u8::from(*answers)]),
            Input::LinkUp { .. }
            | Input::LinkDown { .. }
            | Input::Audible { .. }
            | Input::Near { .. }
            | Input::WritableUrgent { .. }
            | Input::Candidate { .. }
            | Input::DialFailed { .. }
            | Input::Command { .. }
            | Input::PersistFailed { .. }
            | Input::Fetched { .. } => {
                self.line.push(4);
                self.line.extend_from_slice(&codec::encode(input));
            }
        }
        self.end();
    }

    pub(super) fn output(&mut self, now: Micros, node: usize, output: &Output) {
        // Not the wire's encoder: replies and events hold values it can't spell.
        match output {
            Output::Transmit { link, frame } => {
                self.begin(now, node, 2);
                self.number(u64::from(link.0));
                self.line.extend_from_slice(frame);
            }
            Output::Persist { token, rows, stamp } => {
                self.begin(now, node, 3);
                self.number(*token);
                rows.iter().for_each(|row| self.row(row));
                if let Some(stamp) = stamp {
                    self.number(u64::from(stamp.number));
                    self.number(u64::from(stamp.board));
                    self.line.extend_from_slice(&stamp.hash);
                }
            }
            Output::Fetch { token, entries } => {
                self.begin(now, node, 4);
                self.number(*token);
                entries.iter().for_each(|id| self.entry(*id));
            }
            Output::Dial { address } => {
                self.begin(now, node, 5);
                self.text(address);
            }
            Output::Hangup { link, reason } => {
                self.begin(now, node, 6);
                self.number(u64::from(link.0));
                self.text(reason);
            }
            Output::Admit { keys, denied } => {
                self.begin(now, node, 7);
                self.number(keys.len() as u64);
                self.number(denied.len() as u64);
            }
            Output::Reply { id, reply } => {
                self.begin(now, node, 8);
                self.number(id.0);
                match reply {
                    Reply::Saved(saved) => self.text(&saved.ticket),
                    Reply::Refused(refusal) => self.text(&refusal.code),
                    Reply::CourierOut(piece) => self.text(&piece.piece),
                    Reply::CourierIn(taken) => self.number(taken.new.all()),
                    Reply::Drafted(draft) => self.text(&draft.place),
                }
            }
            Output::Notify(event) => {
                self.begin(now, node, 9);
                self.event(event);
            }
        }
        self.end();
    }

    fn row(&mut self, row: &Row) {
        match row {
            Row::Entry(entry) => {
                self.line.push(0);
                self.entry(entry.id);
                self.line.extend_from_slice(&entry.signature.0);
                self.number(entry.body.as_ref().map_or(0, |body| 1 + body.len() as u64));
                self.number(entry.age.age_ms.unwrap_or(u64::MAX));
            }
            Row::Doc { slot, doc, author, kind } => {
                self.line.push(1);
                self.line.extend_from_slice(&[*slot, u8::from(*kind == holdfast_proto::id::DocKind::Board)]);
                self.node(*author);
                if let Some(doc) = doc {
                    self.line.extend_from_slice(&doc.signature.0);
                    self.number(doc.age.age_ms.unwrap_or(u64::MAX));
                }
            }
            Row::Roster { bytes } => {
                self.line.push(2);
                self.line.extend_from_slice(bytes);
            }
            Row::Fork { number, one, other, .. } => {
                self.line.push(3);
                self.number(u64::from(*number));
                [one, other].iter().for_each(|story| self.line.extend_from_slice(&story.signature.0));
            }
            Row::Meta { key, value } => {
                self.line.push(4);
                self.text(key);
                self.line.extend_from_slice(value);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        let (kind, node, numbers, text): (u8, Option<NodeId>, [u64; 2], &str) = match event {
            Event::Board { node, version } => (0, Some(*node), [u64::from(*version), 0], ""),
            Event::Entries { author, first, count } => (1, Some(*author), [u64::from(*first), u64::from(*count)], ""),
            Event::Withdrawn { author, number } => (2, Some(*author), [u64::from(*number), 0], ""),
            Event::PeerUp { node, label } => (3, Some(*node), [0; 2], label),
            Event::PeerDown { node, cause } => (4, *node, [0; 2], cause),
            Event::Healed { node, took_ms, received, sent } => (5, Some(*node), [*took_ms, (*received << 32) ^ *sent], ""),
            Event::Rejected { node, reason } => (6, *node, [0; 2], reason),
            Event::Forked { author, number } => (7, Some(*author), [u64::from(*number), 0], ""),
            Event::Incarnation { count, cause } => (8, None, [u64::from(*count), 0], cause),
            Event::Stopped { cause } => (9, None, [0; 2], cause),
            Event::StoreFailed { cause } => (10, None, [0; 2], cause),
            Event::Delivery { ticket, delivery } => (11, None, [u64::from(delivery.neighbours), delivery.state as u64], ticket),
            Event::Fault { what } => (12, None, [0; 2], what),
            Event::Bug { what } => (13, None, [0; 2], what),
            Event::Revoked { node, reason } => (14, Some(*node), [0; 2], reason),
        };
        self.line.push(kind);
        if let Some(node) = node {
            self.node(node);
        }
        self.number(numbers[0]);
        self.number(numbers[1]);
        self.text(text);
    }
}
