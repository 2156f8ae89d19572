//! Logbooks and documents as opaque bytes with an author and a number: order, heads, floors, forks, digest and difference.
//!
//! Never names a field, never parses a body: floors are handed in by the node, which asked the domain. Keeps P5 and P7.
//! Only what is durable is in here; what came and waits for the store is the node's.

pub mod changes;
pub mod difference;
pub mod digest;
pub mod document;
pub mod entry;
#[cfg(test)]
mod laws;
pub mod log;
mod logs;
pub mod row;
mod slots;

use std::collections::{BTreeMap, BTreeSet};

pub use changes::{ByAuthor, Changes};
pub use difference::Lacking;
pub(crate) use document::CONTACTS_MAX;
pub use document::{DocOrder, DocOutcome, Document, HeldDoc, SignedDoc, document_bytes_max};
pub use entry::{Hash16, Header, hash16};
pub use log::{Effect, Floor, Log, Pin, Slot, Weight, forked_at};
pub use row::{AgeMark, DocRow, EntryRow};

use crate::config::{INCARNATIONS_MAX, WINDOW_HUB};
use crate::id::{DocKind, EntryId, Generation, Incarnation, LogId, Names, NodeId, PerDocument, PerNode, Standing};
use changes::{Part, Stamps};
use document::Register;
use logs::Logs;

/// Two signed entries that contradict each other: proof enough on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// Lowest number the pair proves forked.
    pub number: u32,
    /// One story.
    pub one: EntryRow,
    /// The other.
    pub other: EntryRow,
}

/// What a change means for the fold above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Entries that count no more.
    pub withdrawn: Vec<EntryId>,
    /// May be on disk and count again: logbook, first, last.
    pub revive: Vec<(LogId, u32, u32)>,
    /// Logbooks that count no more at all: eight higher incarnations are held, or their key was taken away and no cut names them.
    pub dropped: Vec<LogId>,
    /// Documents that are held no more: their key was taken away.
    pub docs: Vec<(NodeId, DocKind)>,
}

/// Everybody's logbooks and documents.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    logs: Logs,
    docs: PerDocument<Register>,
    forks: BTreeMap<LogId, ForkProof>,
    /// Of keys that were taken away.
    standings: BTreeMap<(NodeId, Generation), Standing>,
    /// By author, ascending: one run of bytes, for it is hashed as a whole.
    leaves: Vec<digest::Line>,
    dirty: BTreeSet<NodeId>,
    /// The root as last worked out, beside the roster hash it was worked out with.
    root: Option<(Hash16, Hash16)>,
    entries: u64,
    changes: u64,
    stamps: PerNode<Stamps>,
}

impl Replica {
    /// Who is certified now. It makes no difference but in time: what is held of them is found at once.
    pub fn rename(&mut self, names: &Names) {
        self.logs.rename(names);
        self.docs.rename(names);
        self.stamps.rename(names);
    }

    /// One logbook.
    #[must_use]
    pub fn log(&self, id: LogId) -> Option<&Log> {
        self.logs.get(id)
    }

    /// All logbooks, ascending.
    pub fn logs(&self) -> impl Iterator<Item = (LogId, &Log)> {
        self.logs.iter()
    }

    /// All logbooks of one author, ascending: older lives first.
    pub fn logs_of(&self, author: NodeId) -> impl DoubleEndedIterator<Item = (LogId, &Log)> {
        self.logs.of(author)
    }

    /// Everybody of whom anything is held.
    pub fn authors(&self) -> impl Iterator<Item = NodeId> + '_ {
        let new = self.dirty.iter().filter(|author| self.place_of(**author).is_err()).copied();
        self.leaves.iter().map(digest::author_of).chain(new)
    }

    /// True where anything was ever held of this author.
    #[must_use]
    pub fn knows(&self, author: NodeId) -> bool {
        self.stamps.get(author).is_some()
    }

    /// Entries held and counted.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Holes below what is held ahead, over all logbooks.
    #[must_use]
    pub fn holes(&self) -> u64 {
        let count = |log: &Log| log.holes(usize::MAX).iter().map(|(first, last)| u64::from(last - first) + 1).sum::<u64>();
        self.logs.iter().map(|(_, log)| count(log)).sum()
    }

    /// One author's document.
    #[must_use]
    pub fn doc(&self, author: NodeId, kind: DocKind) -> Option<&HeldDoc> {
        self.docs.get(author, kind).map(Register::newest)
    }

    /// The contradiction of one author's document, where there is one.
    #[must_use]
    pub fn doc_contradiction(&self, author: NodeId, kind: DocKind) -> Option<&HeldDoc> {
        self.docs.get(author, kind).and_then(Register::other)
    }

    /// All documents of one kind, by author.
    pub fn docs(&self, kind: DocKind) -> impl Iterator<Item = (NodeId, &HeldDoc)> {
        self.docs.iter().filter(move |(_, held, _)| *held == kind).map(|(author, _, register)| (author, register.newest()))
    }

    /// The proof that froze a logbook.
    #[must_use]
    pub fn fork(&self, log: LogId) -> Option<&ForkProof> {
        self.forks.get(&log)
    }

    /// Logbooks that are frozen.
    pub fn forks(&self) -> impl Iterator<Item = (LogId, &ForkProof)> {
        self.forks.iter().map(|(log, proof)| (*log, proof))
    }

    /// True where nothing of this logbook counts: eight higher incarnations of the same generation are held, and it reads as below a
    /// floor; or its key was taken away and no cut names it.
    #[must_use]
    pub fn is_shut(&self, id: LogId) -> bool {
        if self.pin_of(id) == Some(None) {
            return true;
        }
        !self.logs.has(id) && self.logs.from(id).count() >= INCARNATIONS_MAX
    }

    /// What an entry would be, without taking it. `stated` is the highest floor it states itself, 0 without one.
    #[must_use]
    pub fn weigh(&self, header: &Header, hash: Hash16, has_body: bool, window: u32, stated: u32) -> Weight {
        if self.is_shut(header.id.log) {
            return Weight::Known;
        }
        match self.logs.get(header.id.log) {
            Some(log) => log.weigh(header, hash, has_body, stated),
            None => self.blank(header.id.log, window).weigh(header, hash, has_body, stated),
        }
    }

    /// Takes an entry that is verified and durable. The caller weighed it.
    pub fn commit(&mut self, id: EntryId, slot: Slot, floors: &[Floor], window: u32) -> Change {
        let mut change = Change::default();
        if self.is_shut(id.log) {
            return change;
        }
        let last = self.logs_of(id.log.author).next_back().is_some_and(|(last, _)| last == id.log);
        self.open_log(id.log, window, &mut change);
        let Some(log) = self.logs.get_mut(id.log) else { return change };
        log.widen(window);
        let (before, floor) = (log.len(), log.stated_at());
        let own = floors.iter().filter(|floor| floor.incarnation == id.log.incarnation).cloned().collect();
        let effect = log.insert(id.number, slot, own);
        let (after, grew) = (log.len(), last && log.stated_at() == floor);
        self.count(before, after);
        self.absorb(id.log, effect, if grew { Part::Head } else { Part::Rest }, &mut change);
        change
    }

    /// Freezes a logbook on a verified proof. A lower freeze stays.
    pub fn prove_fork(&mut self, log_id: LogId, proof: ForkProof, window: u32) -> Change {
        let mut change = Change::default();
        if self.is_shut(log_id) || self.forks.get(&log_id).is_some_and(|held| held.number <= proof.number) {
            return change;
        }
        self.open_log(log_id, window, &mut change);
        let Some(log) = self.logs.get_mut(log_id) else { return change };
        let before = log.len();
        let effect = log.freeze(proof.number);
        let after = log.len();
        self.forks.insert(log_id, proof);
        self.count(before, after);
        self.absorb(log_id, effect, Part::Rest, &mut change);
        change
    }

    /// What offering a document would do.
    #[must_use]
    pub fn weigh_doc(&self, author: NodeId, kind: DocKind, order: DocOrder, hash: Hash16) -> DocOutcome {
        if self.is_revoked(author, order.generation) {
            return DocOutcome::Known;
        }
        self.docs.get(author, kind).map_or(DocOutcome::Newer, |register| register.weigh(order, hash))
    }

    /// Takes a document that is verified and durable.
    pub fn commit_doc(&mut self, held: HeldDoc) -> DocOutcome {
        let (author, kind) = (held.author(), held.kind);
        if self.is_revoked(author, held.doc.order().generation) {
            return DocOutcome::Known;
        }
        let before = self.doc_leaf(author, kind);
        let outcome = match self.docs.get_mut(author, kind) {
            Some(register) => register.offer(held),
            None => {
                self.docs.insert(author, kind, Register::new(held));
                DocOutcome::Newer
            }
        };
        // Details are not in the digest: not all may hold them.
        if kind == DocKind::Board {
            let life = |leaf: digest::DocLeaf| (leaf.order.generation, leaf.order.incarnation, leaf.two);
            let same = before.map(life) == self.doc_leaf(author, DocKind::Board).map(life);
            self.touch(author, if same { Part::Board } else { Part::Rest });
        }
        outcome
    }

    /// Marks an entry's signature as checked in this run.
    pub fn mark_checked(&mut self, id: EntryId) {
        if let Some(slot) = self.logs.get_mut(id.log).and_then(|log| log.slot_mut(id.number)) {
            slot.checked = true;
        }
    }

    fn open_log(&mut self, id: LogId, window: u32, change: &mut Change) {
        if !self.logs.has(id) {
            self.logs.insert(id, self.blank(id, window));
            self.drop_lowest_incarnation(id, change);
        }
    }

    /// A logbook of which nothing is held yet.
    fn blank(&self, id: LogId, window: u32) -> Log {
        let mut log = Log::new(window);
        if let Some(Some(pin)) = self.pin_of(id) {
            log.set_pin(Some(pin));
        }
        log
    }

    /// Where a key was taken away with a cut: the last entry of this logbook that counts, or `Some(None)` where none does.
    fn pin_of(&self, id: LogId) -> Option<Option<Pin>> {
        let Standing::Cut(stand) = self.standings.get(&(id.author, id.generation))? else { return None };
        Some(stand.get(&id.incarnation).map(|(number, hash)| Pin { number: *number, hash: *hash }))
    }

    /// Which words of a key count, as far as it was told.
    #[must_use]
    pub fn standing(&self, author: NodeId, generation: Generation) -> &Standing {
        self.standings.get(&(author, generation)).unwrap_or(&Standing::Whole)
    }

    /// Keys that were taken away, as far as it was told.
    pub fn revoked(&self) -> impl Iterator<Item = (NodeId, Generation)> + '_ {
        self.standings.keys().copied()
    }

    fn is_revoked(&self, author: NodeId, generation: Generation) -> bool {
        // Nor counts a document of an older key than one that was taken away.
        let newest = Generation { count: u8::MAX, giver: u8::MAX };
        !self.standings.is_empty() && self.standings.range((author, generation)..=(author, newest)).next().is_some()
    }

    /// A key was taken away, or it turned out otherwise: which of its words count follows (rule 9).
    pub fn set_standing(&mut self, author: NodeId, generation: Generation, standing: Standing) -> Change {
        let mut change = Change::default();
        if standing == Standing::Whole {
            self.standings.remove(&(author, generation));
        } else {
            self.standings.insert((author, generation), standing);
            for kind in [DocKind::Board, DocKind::Detail] {
                let theirs = |register: &Register| register.order().generation <= generation;
                if self.docs.get(author, kind).is_some_and(theirs) {
                    self.docs.remove(author, kind);
                    change.docs.push((author, kind));
                }
            }
        }
        // Lives that fell and are named now may be on disk.
        if let Some(Standing::Cut(stand)) = self.standings.get(&(author, generation)) {
            for (incarnation, (number, _)) in stand {
                let id = LogId { author, generation, incarnation: *incarnation };
                if !self.logs.has(id) {
                    change.revive.push((id, number.saturating_sub(WINDOW_HUB).max(1), *number));
                }
            }
        }
        let logs: Vec<LogId> = self.logs_of(author).map(|(id, _)| id).filter(|id| id.generation == generation).collect();
        for id in logs {
            let pin = self.pin_of(id);
            let Some(log) = self.logs.get_mut(id) else { continue };
            let before = log.len();
            if pin == Some(None) {
                change.withdrawn.extend(log.slots().map(|(number, _)| EntryId { log: id, number }));
                self.logs.remove(id);
                self.forks.remove(&id);
                change.dropped.push(id);
                self.count(before, 0);
                continue;
            }
            let effect = log.set_pin(pin.flatten());
            let after = log.len();
            self.count(before, after);
            self.absorb(id, effect, Part::Rest, &mut change);
        }
        self.touch(author, Part::Rest);
        change
    }

    fn drop_lowest_incarnation(&mut self, id: LogId, change: &mut Change) {
        let low = LogId { incarnation: Incarnation::default(), ..id };
        if self.logs.from(low).count() <= INCARNATIONS_MAX {
            return;
        }
        let Some(lowest) = self.logs.from(low).next() else { return };
        if let Some(log) = self.logs.remove(lowest) {
            self.count(log.len(), 0);
            change.withdrawn.extend(log.slots().map(|(number, _)| EntryId { log: lowest, number }));
            self.forks.remove(&lowest);
            change.dropped.push(lowest);
        }
    }

    fn absorb(&mut self, log: LogId, effect: Effect, part: Part, change: &mut Change) {
        change.withdrawn.extend(effect.withdrawn.into_iter().map(|number| EntryId { log, number }));
        change.revive.extend(effect.revive.into_iter().map(|(first, last)| (log, first, last)));
        self.touch(log.author, part);
    }

    fn count(&mut self, before: usize, after: usize) {
        self.entries = self.entries.saturating_add(after as u64).saturating_sub(before as u64);
    }
}

impl LogId {
    /// The first logbook an author can have.
    #[must_use]
    pub fn lowest(author: NodeId) -> Self {
        Self { author, generation: crate::id::Generation::default(), incarnation: Incarnation::default() }
    }

    /// The last logbook an author can have.
    #[must_use]
    pub fn highest(author: NodeId) -> Self {
        let generation = crate::id::Generation { count: u8::MAX, giver: u8::MAX };
        Self { author, generation, incarnation: Incarnation { count: u16::MAX, random: u16::MAX } }
    }
}
