//! Courier files: everything held here is laid down for somebody who may lack it. What is carried here is taken in `take`.
//!
//! Nobody's word that somebody else holds it already is trusted, so all is written: who may speak and who no longer may, proofs of
//! forks, then words by class, each author's in order. A piece is written for a question and the question says where the last one
//! ended, so that nothing is kept between them; what is written here meanwhile comes in its turn or with the next file.

mod brief;
mod take;

use std::collections::BTreeSet;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::heal::Fetch;
use super::{Node, refuse};
use crate::codec::{decode, encode};
use crate::control::{CommandId, CourierCounts, CourierOut, CourierPiece, Reply};
use crate::domain::refusal::Refusal;
use crate::id::{Class, DocKind, EntryId, LogId, NodeId, Standing};
use crate::identity::is_revocation;
use crate::io::{EntryRow, Output};
use crate::link::LinkId;
use crate::message::courier::{Chain, FILE_BYTES_MAX, Head, PIECE_BYTES, names};
use crate::message::{Message, WireDoc};
use crate::replica::{Hash16, HeldDoc, Log};

pub(super) use take::Handing;

/// What was carried here came over no link of this run; links have other numbers.
pub(super) const CARRIED: LinkId = LinkId(u32::MAX);
/// For people: by which way it came.
pub(super) const LABEL: &str = "courier";
/// Entries looked up for one piece: about what it takes.
const ENTRIES_A_PIECE: usize = 128;
/// Longest spelling of where a file goes on.
const CURSOR_BYTES_MAX: usize = 256;

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// Charters, certificates, revocations, behind the one with this hash.
    Roster(Option<Hash16>),
    Forks(Option<LogId>),
    /// Logbooks of keys that were taken away, from the last word down: what chains into a cut is known from above.
    Judged(Option<EntryId>),
    Entries(Class, Option<EntryId>),
    Docs(DocKind, Option<NodeId>),
    End,
}

impl Place {
    fn next(self) -> Self {
        match self {
            Self::Roster(_) => Self::Forks(None),
            Self::Forks(_) => Self::Judged(None),
            Self::Judged(_) => Self::Entries(Class::FLASH, None),
            Self::Entries(Class::URGENT, _) => Self::Docs(DocKind::Board, None),
            Self::Docs(DocKind::Board, _) => Self::Entries(Class::ROUTINE, None),
            Self::Entries(Class::ROUTINE, _) => Self::Docs(DocKind::Detail, None),
            Self::Docs(DocKind::Detail, _) => Self::Entries(Class::DEFERRED, None),
            Self::Entries(class, _) => Class::new(class.get() + 1).map_or(Self::End, |class| Self::Entries(class, None)),
            Self::End => Self::End,
        }
    }
}

/// Where a file goes on. Spelled out to whoever asks for it, who gives it back with the next question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    to: NodeId,
    place: Place,
    chain: Chain,
    bytes: u64,
}

impl Cursor {
    fn spelled(&self) -> String {
        BASE64.encode(&encode(self))
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > CURSOR_BYTES_MAX {
            return None;
        }
        decode(&BASE64.decode(text.as_bytes()).ok()?, CURSOR_BYTES_MAX).ok()
    }
}

/// A piece that is being written.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    command: CommandId,
    cursor: Cursor,
    piece: Vec<u8>,
    holds: CourierCounts,
    /// Entries that are being fetched for it.
    asked: Vec<EntryId>,
    /// The whole file may have so many bytes.
    most: Option<usize>,
    /// What such a file has no room for.
    left: Option<CourierCounts>,
}

impl Packing {
    /// Room for another word of so many bytes: in the piece, beside the first, and in the file.
    fn takes(&self, frame: &Bytes) -> bool {
        let alone = self.holds == CourierCounts::default();
        (alone || self.piece.len() + frame.len() <= PIECE_BYTES) && self.cursor.bytes + frame.len() as u64 + 64 <= FILE_BYTES_MAX
    }

    /// False where there is no room left.
    fn put(&mut self, message: &Message, counted: impl FnOnce(&mut CourierCounts)) -> bool {
        let frame = message.to_frame();
        if !self.takes(&frame) {
            return false;
        }
        let record = self.cursor.chain.record(&frame);
        self.cursor.bytes += record.len() as u64;
        self.piece.extend(record);
        counted(&mut self.holds);
        true
    }
}

impl Node {
    /// Somebody wants a file for a node far off.
    pub(super) fn courier_out(&mut self, command: CommandId, wish: &CourierOut) {
        match self.unpacked(command, wish) {
            Ok(packing) => self.pack(packing),
            Err(refusal) => self.emit(Output::Reply { id: command, reply: Reply::Refused(refusal) }),
        }
    }

    fn unpacked(&self, command: CommandId, wish: &CourierOut) -> Result<Packing, Refusal> {
        let (piece, cursor) = match &wish.after {
            Some(after) => (Vec::new(), Cursor::read(after).ok_or_else(refuse::no_such_piece)?),
            None => {
                let to = self.known.directory().find(&wish.to)?;
                let head = self.courier_head(to).to_bytes();
                let bytes = head.len() as u64;
                let cursor = Cursor { to, place: Place::Roster(None), chain: Chain::after(&head), bytes };
                (head, cursor)
            }
        };
        if cursor.to == self.me {
            return Err(refuse::courier_to_myself());
        }
        match self.known.directory().nodes.get(&cursor.to) {
            None => return Err(refuse::no_such_piece()),
            Some(entry) if entry.revoked => return Err(refuse::courier_to_revoked(&entry.name)),
            Some(_) => {}
        }
        // What the disk has no proof of must not be spoken, on a stick no less than over a link.
        if self.own.unstamped {
            return Err(refuse::not_yet_spoken());
        }
        let most = wish.most.map(|most| (most as usize).min(PIECE_BYTES));
        Ok(Packing { command, cursor, piece, holds: CourierCounts::default(), asked: Vec::new(), most, left: None })
    }

    fn courier_head(&self, to: NodeId) -> Head {
        let roster = self.known.roster();
        let details = self.replica.docs(DocKind::Detail).filter(|(author, _)| self.entitled(to, *author)).count();
        let papers = roster.objects().count() + self.replica.forks().count();
        let docs = self.replica.docs(DocKind::Board).count() + details;
        let words = (papers as u64).saturating_add(docs as u64).saturating_add(self.replica.entries());
        Head {
            realm: roster.realm(),
            kind: roster.kind(),
            alliance: names(roster.issuers().map(|issuer| issuer.firm.clone()).collect::<BTreeSet<_>>()),
            from: self.me,
            to,
            made: self.wall(),
            words: u32::try_from(words).unwrap_or(u32::MAX),
        }
    }

    /// Fills the piece; what stands on disk is fetched first.
    fn pack(&mut self, mut packing: Packing) {
        if let Some(most) = packing.most {
            packing.asked = self.brief_entries(packing.cursor.to);
            if packing.asked.is_empty() {
                return self.brief(packing, &[], most);
            }
            return self.fetch_for(packing);
        }
        loop {
            let room = match packing.cursor.place {
                Place::Roster(after) => self.pack_roster(&mut packing, after),
                Place::Forks(after) => self.pack_forks(&mut packing, after),
                Place::Docs(kind, after) => self.pack_docs(&mut packing, kind, after),
                Place::Judged(after) => {
                    packing.asked = self.judged_after(after);
                    true
                }
                Place::Entries(class, after) => {
                    packing.asked = self.entries_after(class, after);
                    true
                }
                Place::End => {
                    packing.piece.extend(packing.cursor.chain.end());
                    return self.packed(packing, true);
                }
            };
            if !packing.asked.is_empty() {
                return self.fetch_for(packing);
            }
            if !room {
                return self.packed(packing, false);
            }
            packing.cursor.place = packing.cursor.place.next();
        }
    }

    fn fetch_for(&mut self, packing: Packing) {
        let (token, entries) = (self.token(), packing.asked.clone());
        self.fetches.insert(token, Fetch::Courier(Box::new(packing)));
        self.emit(Output::Fetch { token, entries });
    }

    fn packed(&mut self, mut packing: Packing, last: bool) {
        let full = packing.holds == CourierCounts::default() && !last;
        if full {
            // The file is as large as one may be: it ends here, and its end says with how many.
            packing.piece.extend(packing.cursor.chain.end());
        }
        let piece = CourierPiece {
            schema: "holdfast.courier-piece/1".to_owned(),
            to: self.name_of(packing.cursor.to),
            piece: BASE64.encode(&packing.piece),
            next: (!last && !full).then(|| packing.cursor.spelled()),
            holds: packing.holds,
            left: packing.left,
        };
        self.emit(Output::Reply { id: packing.command, reply: Reply::CourierOut(Box::new(piece)) });
    }

    fn pack_roster(&self, packing: &mut Packing, after: Option<Hash16>) -> bool {
        let objects: Vec<_> = self.known.roster().objects().map(|object| (object.hash, object.envelope.clone())).collect();
        // Where that one was replaced meanwhile all are said again: twice does no harm.
        let done = after.and_then(|after| objects.iter().position(|(hash, _)| *hash == after)).map_or(0, |place| place + 1);
        for (hash, envelope) in objects.into_iter().skip(done) {
            let revocation = is_revocation(&envelope);
            let count = |holds: &mut CourierCounts| match revocation {
                true => holds.revocations += 1,
                false => holds.certificates += 1,
            };
            if !packing.put(&Message::Roster { objects: vec![envelope] }, count) {
                return false;
            }
            packing.cursor.place = Place::Roster(Some(hash));
        }
        true
    }

    fn pack_forks(&self, packing: &mut Packing, after: Option<LogId>) -> bool {
        for (log, proof) in self.replica.forks().filter(|(log, _)| after.is_none_or(|after| *log > after)) {
            let wire = |row: &EntryRow| Some(self.wire_for(Some(packing.cursor.to), self.read_row(row)?.as_ref(), row.age));
            if let (Some(one), Some(other)) = (wire(&proof.one), wire(&proof.other))
                && !packing.put(&Message::Forks { proofs: vec![(one, other)] }, |holds| holds.forks += 1)
            {
                return false;
            }
            packing.cursor.place = Place::Forks(Some(log));
        }
        true
    }

    fn pack_docs(&self, packing: &mut Packing, kind: DocKind, after: Option<NodeId>) -> bool {
        let to = packing.cursor.to;
        let allowed = |author: NodeId| kind == DocKind::Board || self.entitled(to, author);
        let rest = self.replica.docs(kind).filter(|(author, _)| after.is_none_or(|after| *author > after) && allowed(*author));
        for (author, newest) in rest {
            let age = self.doc_age(author, kind);
            let both: [Option<&HeldDoc>; 2] = [Some(newest), self.replica.doc_contradiction(author, kind)];
            for held in both.into_iter().flatten() {
                let docs = vec![WireDoc::of(held, age)];
                let count = |holds: &mut CourierCounts| match kind {
                    DocKind::Board => holds.boards += 1,
                    DocKind::Detail => holds.details += 1,
                };
                if !packing.put(&Message::Docs { want: None, docs }, count) {
                    return false;
                }
            }
            packing.cursor.place = Place::Docs(kind, Some(author));
        }
        true
    }

    /// The next words of this class, by author, each in order.
    fn entries_after(&self, class: Class, after: Option<EntryId>) -> Vec<EntryId> {
        let mut ids = Vec::new();
        for (id, log) in self.replica.logs().filter(|(id, _)| after.is_none_or(|after| *id >= after.log)) {
            if !self.is_whole(id) {
                continue;
            }
            let above = after.filter(|after| after.log == id).map_or(0, |after| after.number);
            let of = |(number, slot): (u32, &crate::replica::Slot)| (number > above && slot.class == class).then_some(number);
            ids.extend(log.slots().filter_map(of).map(|number| EntryId { log: id, number }).take(ENTRIES_A_PIECE - ids.len()));
            if ids.len() >= ENTRIES_A_PIECE {
                break;
            }
        }
        ids
    }

    /// The next words of keys that were taken away, from the last down.
    fn judged_after(&self, after: Option<EntryId>) -> Vec<EntryId> {
        let mut ids = Vec::new();
        let rest = self.replica.logs().filter(|(id, _)| after.is_none_or(|after| *id >= after.log) && !self.is_whole(*id));
        for (id, log) in rest {
            let below = after.filter(|after| after.log == id).map_or(u32::MAX, |after| after.number);
            ids.extend(numbers_down(log, below).map(|number| EntryId { log: id, number }).take(ENTRIES_A_PIECE - ids.len()));
            if ids.len() >= ENTRIES_A_PIECE {
                break;
            }
        }
        ids
    }

    fn is_whole(&self, log: LogId) -> bool {
        *self.replica.standing(log.author, log.generation) == Standing::Whole
    }

    /// Entries for a piece came back from disk.
    pub(super) fn courier_fetched(&mut self, mut packing: Packing, rows: &[EntryRow]) {
        if let Some(most) = packing.most {
            return self.brief(packing, rows, most);
        }
        let asked = std::mem::take(&mut packing.asked);
        let place = packing.cursor.place;
        let at = |id: EntryId| match place {
            Place::Judged(_) => Place::Judged(Some(id)),
            Place::Entries(class, _) => Place::Entries(class, Some(id)),
            Place::Roster(_) | Place::Forks(_) | Place::Docs(..) | Place::End => place,
        };
        for row in rows {
            // Own words that are not yet durable were never spoken; what rotted on disk proves nothing.
            if self.own_in_flight(row.id) || !self.still_good(row) {
                continue;
            }
            let Some(read) = self.read_row(row) else { continue };
            let wire = self.wire_for(Some(packing.cursor.to), &read, row.age);
            let closed = wire.is_closed();
            let message = Message::Entries { want: None, entries: vec![wire] };
            let count = |holds: &mut CourierCounts| {
                holds.entries += 1;
                holds.closed += u64::from(closed);
            };
            if !packing.put(&message, count) {
                return self.packed(packing, false);
            }
            packing.cursor.place = at(row.id);
        }
        if let Some(last) = asked.last() {
            packing.cursor.place = at(*last);
        }
        if packing.piece.len() < PIECE_BYTES / 2 {
            return self.pack(packing);
        }
        self.packed(packing, false);
    }
}

fn numbers_down(log: &Log, below: u32) -> impl Iterator<Item = u32> + '_ {
    log.slots().rev().map(|(number, _)| number).filter(move |number| *number < below)
}
