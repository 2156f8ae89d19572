//! What somebody carried here: each word through the gate that every link's words pass, and told when the last of it is durable.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use data_encoding::BASE64;

use super::CARRIED;
use crate::control::{CommandId, CourierCounts, CourierIn, CourierRefused, CourierTaken, Reply};
use crate::domain::refusal::Refusal;
use crate::id::DocKind;
use crate::identity::{Rejected, is_revocation};
use crate::io::Output;
use crate::message::courier::{Flaw, Head, PIECE_BYTES, Part, Reader};
use crate::message::{Message, WireDoc, WireEntry};
use crate::node::{Node, refuse};

/// Largest piece taken: what is written here is about [`PIECE_BYTES`], and one record more may have gone into it.
const PIECE_TAKEN_MAX: usize = 2 * PIECE_BYTES + 65_536;
/// Pieces that wait for the store at once; who hands in more waits for an answer first.
const HANDED_MAX: usize = 8;
/// Reasons told apart in one answer.
const REASONS_MAX: usize = 16;

/// A piece of a courier file whose words are at the gate or on their way to the store.
#[derive(Clone, Debug)]
pub(in crate::node) struct Handing {
    command: CommandId,
    head: Head,
    new: CourierCounts,
    held: u64,
    withheld: u64,
    refused: BTreeMap<String, (String, u64)>,
    again: bool,
    contradictions: u64,
    /// What the store was asked and has not answered.
    waits: BTreeSet<u64>,
    failed: Option<String>,
}

impl Handing {
    fn refuse(&mut self, en: &str, zh: &str) {
        let room = self.refused.len() < REASONS_MAX || self.refused.contains_key(en);
        let (en, zh) = if room { (en, zh) } else { ("for other reasons", "其他原因") };
        self.refused.entry(en.to_owned()).or_insert_with(|| (zh.to_owned(), 0)).1 += 1;
    }
}

/// The words of a piece, by what they are.
#[derive(Default)]
struct Words {
    roster: Vec<Bytes>,
    forks: Vec<(WireEntry, WireEntry)>,
    docs: Vec<WireDoc>,
    entries: Vec<WireEntry>,
    /// Records that hold no word.
    strange: u64,
}

impl Node {
    /// A piece of a courier file is handed in.
    pub(in crate::node) fn courier_in(&mut self, command: CommandId, wish: &CourierIn) {
        match self.opened(wish) {
            Ok((head, frames)) => self.take_carried(command, head, &frames, wish.carried_s),
            Err(refusal) => self.emit(Output::Reply { id: command, reply: Reply::Refused(refusal) }),
        }
    }

    /// What it says of itself, and its frames, if it is of this alliance. Nothing of it is believed yet.
    fn opened(&self, wish: &CourierIn) -> Result<(Head, Vec<Bytes>), Refusal> {
        if self.handed.len() >= HANDED_MAX {
            return Err(refuse::too_busy());
        }
        let bytes = BASE64.decode(wish.piece.as_bytes()).map_err(|_| refuse::no_courier_file(Flaw::NotACourierFile))?;
        if bytes.len() > PIECE_TAKEN_MAX {
            return Err(refuse::piece_too_long(bytes.len(), PIECE_TAKEN_MAX));
        }
        let mut reader = Reader::default();
        reader.push(&bytes);
        let first = reader.next_part().map_err(refuse::no_courier_file)?;
        let Some(Part::Head(head)) = first else { return Err(refuse::no_courier_file(Flaw::Head)) };
        let roster = self.known.roster();
        if head.realm != roster.realm() {
            return Err(refuse::other_alliance(&head, roster.kind()));
        }
        let mut frames = Vec::new();
        // What stands before a flaw is good for itself; that the file is damaged is told by who read all of it.
        while let Ok(Some(part)) = reader.next_part() {
            if let Part::Word(frame) = part {
                frames.push(frame);
            }
        }
        Ok((head, frames))
    }

    fn take_carried(&mut self, command: CommandId, head: Head, frames: &[Bytes], carried_s: Option<u64>) {
        let mut words = Words::default();
        for frame in frames {
            sort(frame, &mut words);
        }
        let mut handing = Handing {
            command,
            head,
            new: CourierCounts::default(),
            held: 0,
            withheld: 0,
            refused: BTreeMap::new(),
            again: false,
            contradictions: 0,
            waits: BTreeSet::new(),
            failed: None,
        };
        for _ in 0..words.strange {
            handing.refuse("records that hold no word", "不含任何內容的紀錄");
        }
        // How old a word was when it left, and how long it was on its way: where either is unknown, so is its age.
        let aged = |age: Option<u64>| Some(age?.saturating_add(carried_s?.saturating_mul(1_000)));
        words.docs.iter_mut().for_each(|doc| doc.age_ms = aged(doc.age_ms));
        words.entries.iter_mut().for_each(|entry| entry.age_ms = aged(entry.age_ms));
        let entries = words.entries.into_iter().map(|wire| match self.entitled(self.me, wire.id().log.author) {
            true => wire,
            false => {
                handing.withheld += u64::from(wire.is_closed());
                wire.opened()
            }
        });
        let entries: Vec<WireEntry> = entries.collect();
        self.handing = Some(Box::new(handing));
        if !words.roster.is_empty() {
            self.take_roster(CARRIED, &words.roster);
        }
        self.take_forks(CARRIED, words.forks);
        self.take_docs(CARRIED, Some(0), words.docs);
        self.take_entries(CARRIED, Some(0), entries);
        if let Some(handing) = self.handing.take() {
            self.lay_by(*handing);
        }
    }

    /// Answers, or waits for the store.
    fn lay_by(&mut self, handing: Handing) {
        if !handing.waits.is_empty() {
            return self.handed.push(handing);
        }
        let command = handing.command;
        let reply = match handing.failed {
            Some(cause) => Reply::Refused(refuse::not_saved(&cause)),
            None => Reply::CourierIn(Box::new(self.taken(handing))),
        };
        self.emit(Output::Reply { id: command, reply });
    }

    fn taken(&self, handing: Handing) -> CourierTaken {
        let refused = handing.refused.into_iter().map(|(en, (zh, words))| CourierRefused { words, en, zh });
        CourierTaken {
            schema: "holdfast.courier-taken/1".to_owned(),
            from: self.name_of(handing.head.from),
            to: self.name_of(handing.head.to),
            made: handing.head.made.is_known().then_some(handing.head.made.0),
            new: handing.new,
            held: handing.held,
            withheld: handing.withheld,
            refused: refused.collect(),
            again: handing.again,
            contradictions: handing.contradictions,
        }
    }

    /// Does what follows from an answer of the store, and where a carried piece waited for it, notes what that brings for the piece.
    pub(in crate::node) fn within_piece(&mut self, token: u64, failed: Option<&str>, then: impl FnOnce(&mut Self)) {
        let place = self.handed.iter().position(|handing| handing.waits.contains(&token));
        let Some(mut handing) = place.map(|place| self.handed.remove(place)) else { return then(self) };
        handing.waits.remove(&token);
        if let Some(cause) = failed {
            handing.failed.get_or_insert_with(|| cause.to_owned());
        }
        self.handing = Some(Box::new(handing));
        then(self);
        if let Some(handing) = self.handing.take() {
            self.lay_by(*handing);
        }
    }

    /// The store was asked something that the piece at the gate waits for.
    pub(in crate::node) fn piece_waits(&mut self, token: u64) {
        if let Some(handing) = &mut self.handing {
            handing.waits.insert(token);
        }
    }

    fn count_carried(&mut self, count: impl FnOnce(&mut Handing)) {
        if let Some(handing) = &mut self.handing {
            count(handing);
        }
    }

    /// A carried word did not pass the gate.
    pub(in crate::node) fn carried_refused(&mut self, en: &str, zh: &str) {
        self.count_carried(|handing| handing.refuse(en, zh));
    }

    /// The same, of what the gate for signatures says.
    pub(in crate::node) fn carried_rejected(&mut self, why: Rejected) {
        self.count_carried(|handing| handing.refuse(&why.to_string(), &why.zh()));
    }

    /// A carried word leads to others that did not come yet, or there was no room: the file may be read again.
    pub(in crate::node) fn carried_put_off(&mut self, en: &str, zh: &str) {
        self.count_carried(|handing| {
            handing.refuse(en, zh);
            handing.again = true;
        });
    }

    /// A carried word is here already, or counts no more.
    pub(in crate::node) fn carried_held(&mut self, words: usize) {
        self.count_carried(|handing| handing.held += words as u64);
    }

    /// A carried word is not for this node.
    pub(in crate::node) fn carried_withheld(&mut self) {
        self.count_carried(|handing| handing.withheld += 1);
    }

    /// A carried word tells another story than what is held.
    pub(in crate::node) fn carried_contradicts(&mut self) {
        self.count_carried(|handing| handing.contradictions += 1);
    }

    /// A carried entry is new.
    pub(in crate::node) fn carried_entry(&mut self, closed: bool) {
        self.count_carried(|handing| {
            handing.new.entries += 1;
            handing.new.closed += u64::from(closed);
        });
    }

    /// A carried document is new.
    pub(in crate::node) fn carried_doc(&mut self, kind: DocKind) {
        self.count_carried(|handing| match kind {
            DocKind::Board => handing.new.boards += 1,
            DocKind::Detail => handing.new.details += 1,
        });
    }

    /// A carried proof of a fork is new.
    pub(in crate::node) fn carried_fork(&mut self) {
        self.count_carried(|handing| handing.new.forks += 1);
    }

    /// Carried certificates and revocations are new.
    pub(in crate::node) fn carried_papers(&mut self, new: &[Bytes], others: usize) {
        let revocations = new.iter().filter(|object| is_revocation(object)).count();
        self.count_carried(|handing| {
            handing.new.revocations += revocations as u64;
            handing.new.certificates += (new.len() - revocations) as u64;
            handing.held += others as u64;
        });
    }
}

/// Only words may stand in a file; whatever belongs to a conversation has no meaning there.
fn sort(frame: &[u8], words: &mut Words) {
    match Message::from_frame(frame) {
        Ok(Message::Roster { objects }) => words.roster.extend(objects),
        Ok(Message::Forks { proofs }) => words.forks.extend(proofs),
        Ok(Message::Docs { want: None, docs }) => words.docs.extend(docs),
        Ok(Message::Entries { want: None, entries }) => words.entries.extend(entries),
        Ok(
            Message::Docs { .. }
            | Message::Entries { .. }
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
            | Message::Done { .. }
            | Message::Beacon { .. },
        )
        | Err(_) => words.strange += 1,
    }
}
