//! A courier file of a few kilobytes, for a row of codes on a screen: what is urgent first, with the certificates that prove it, and
//! a count of what is left out.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{ENTRIES_A_PIECE, Packing};
use crate::control::CourierCounts;
use crate::id::{Class, DocKind, EntryId, NodeId};
use crate::identity::is_revocation;
use crate::io::EntryRow;
use crate::message::courier::{Chain, END_BYTES};
use crate::message::{Message, WireDoc};
use crate::node::Node;

/// What is chosen for a brief file so far.
struct Choice {
    frames: Vec<Bytes>,
    bytes: usize,
    most: usize,
    holds: CourierCounts,
    told: BTreeSet<Bytes>,
}

impl Choice {
    /// All of these or none: a word without the certificates that prove it is of no use.
    fn put(&mut self, frames: Vec<Bytes>) -> bool {
        let more: usize = frames.iter().map(|frame| frame.len() + 2).sum();
        if self.bytes + more > self.most {
            return false;
        }
        self.bytes += more;
        self.frames.extend(frames);
        true
    }

    /// A word, and those certificates of its author that were not said yet.
    fn word(&mut self, chain: Vec<Bytes>, frame: Bytes) -> bool {
        let new: Vec<Bytes> = chain.into_iter().filter(|object| !self.told.contains(object)).collect();
        let papers = new.iter().map(|object| Message::Roster { objects: vec![object.clone()] }.to_frame());
        if !self.put(papers.chain([frame]).collect()) {
            return false;
        }
        self.holds.certificates += new.len() as u64;
        self.told.extend(new);
        true
    }
}

impl Node {
    /// Entries that may go into a brief file: by class; the addressee's own last, which it most likely has.
    pub(super) fn brief_entries(&self, to: NodeId) -> Vec<EntryId> {
        let classes = (0..).map_while(Class::new);
        let mut ids: Vec<EntryId> = classes.flat_map(|class| self.entries_after(class, None)).collect();
        ids.sort_by_key(|id| id.log.author == to);
        ids.truncate(ENTRIES_A_PIECE);
        ids
    }

    /// Lays down as much as fits.
    pub(super) fn brief(&mut self, mut packing: Packing, rows: &[EntryRow], most: usize) {
        let to = packing.cursor.to;
        let mut head = self.courier_head(to);
        let room = most.saturating_sub(head.to_bytes().len() + END_BYTES);
        let (holds, told) = (CourierCounts::default(), BTreeSet::new());
        let mut choice = Choice { frames: Vec::new(), bytes: 0, most: room, holds, told };
        self.brief_revocations(&mut choice);
        let good = |row: &&EntryRow| !self.own_in_flight(row.id) && self.still_good(row);
        let entries: Vec<_> = rows.iter().filter(good).filter_map(|row| Some((self.read_row(row)?, row.age))).collect();
        let (urgent, other): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(read, _)| read.header.class.is_urgent());
        for (place, some) in [urgent, other].into_iter().enumerate() {
            for (read, age) in some {
                let wire = self.wire_for(Some(to), &read, age);
                let closed = u64::from(wire.is_closed());
                let frame = Message::Entries { want: None, entries: vec![wire] }.to_frame();
                if choice.word(self.known.roster().chain(read.id().log.author), frame) {
                    choice.holds.entries += 1;
                    choice.holds.closed += closed;
                }
            }
            if place == 0 {
                self.brief_boards(&mut choice, to);
            }
        }
        head.words = u32::try_from(choice.frames.len()).unwrap_or(u32::MAX);
        packing.piece = head.to_bytes();
        packing.cursor.chain = Chain::after(&packing.piece);
        for frame in &choice.frames {
            packing.piece.extend(packing.cursor.chain.record(frame));
        }
        packing.piece.extend(packing.cursor.chain.end());
        packing.left = Some(self.left_out(to, &choice.holds));
        packing.holds = choice.holds;
        self.packed(packing, true);
    }

    fn brief_revocations(&self, choice: &mut Choice) {
        for object in self.known.roster().objects().filter(|object| is_revocation(object.envelope)) {
            let frame = Message::Roster { objects: vec![object.envelope.clone()] }.to_frame();
            choice.holds.revocations += u64::from(choice.put(vec![frame]));
        }
    }

    /// Our own board first: who carries it here asks how we are.
    fn brief_boards(&self, choice: &mut Choice, to: NodeId) {
        let mut boards: Vec<_> = self.replica.docs(DocKind::Board).filter(|(author, _)| *author != to).collect();
        boards.sort_by_key(|(author, _)| (*author != self.me, *author));
        for (author, held) in boards {
            let docs = vec![WireDoc::of(held, self.doc_age(author, DocKind::Board))];
            let frame = Message::Docs { want: None, docs }.to_frame();
            choice.holds.boards += u64::from(choice.word(self.known.roster().chain(author), frame));
        }
    }

    /// What a whole file would hold beyond this.
    fn left_out(&self, to: NodeId, holds: &CourierCounts) -> CourierCounts {
        let roster = self.known.roster();
        let revocations = roster.objects().filter(|object| is_revocation(object.envelope)).count() as u64;
        let papers = roster.objects().count() as u64;
        let details = self.replica.docs(DocKind::Detail).filter(|(author, _)| self.entitled(to, *author)).count() as u64;
        CourierCounts {
            entries: self.replica.entries().saturating_sub(holds.entries),
            closed: 0,
            boards: (self.replica.docs(DocKind::Board).count() as u64).saturating_sub(holds.boards),
            details: details.saturating_sub(holds.details),
            certificates: papers.saturating_sub(revocations).saturating_sub(holds.certificates),
            revocations: revocations.saturating_sub(holds.revocations),
            forks: (self.replica.forks().count() as u64).saturating_sub(holds.forks),
        }
    }
}
