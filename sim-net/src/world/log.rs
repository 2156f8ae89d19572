//! What happened, for those above: an append-only log that they drain, delays of entries, and who holds what.

use std::collections::BTreeMap;

use holdfast_proto::id::EntryId;
use holdfast_proto::io::Row;
use holdfast_proto::replica::Document;

use super::World;
use super::slot::Hold;
use crate::checker::Made;
use crate::scenario::{Inject, Micros, SiteNo, Subject, When};
use crate::site::disk::Job;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// True microseconds since STARTEX.
    pub at: Micros,
    /// What.
    pub what: Happened,
}

/// What may have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// An inject was carried out.
    Injected {
        /// Its number.
        nr: u32,
    },
    /// It was undone, by time or by its opposite.
    Undone {
        /// Its number.
        nr: u32,
    },
    /// A PC runs.
    SiteUp {
        /// Where.
        site: SiteNo,
    },
    /// A PC stopped.
    SiteDown {
        /// Where.
        site: SiteNo,
        /// Nothing feeds it; otherwise something else stopped it.
        dark: bool,
    },
    /// What an inject or its undoing did to links that stood.
    Links {
        /// Cut in one direction at least.
        cut: u32,
        /// Open again.
        mended: u32,
    },
    /// A node said that something is saved.
    Acknowledged {
        /// Where.
        site: SiteNo,
        /// Which inject told staff to; none: they said it by themselves.
        nr: Option<u32>,
        /// The request's spoken id, where it is about one.
        request: Option<String>,
        /// What is durable of it.
        made: Made,
    },
    /// A node refused what staff were told to say.
    Refused {
        /// Where.
        site: SiteNo,
        /// Which inject told them.
        nr: u32,
        /// `H-...`.
        code: String,
        /// They will try again.
        again: bool,
    },
    /// Staff never did what they were told: ENDEX came before.
    NotDone {
        /// Where.
        site: SiteNo,
        /// Which inject told them.
        nr: u32,
    },
    /// ENDEX; where there is a settling, everything is mended now.
    Endex,
}

/// What brought a word to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// The internet.
    Wan,
    /// The LAN of a compound.
    Lan,
    /// The broadcast domain.
    Gossip,
    /// A radio channel, by its number in the scenario.
    Radio(usize),
    /// A stick.
    Courier,
    /// None of these: an adversary's wire, or a store that was put back.
    Other,
}

/// Delays of entries from durable at their author to durable elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    born: BTreeMap<EntryId, (Micros, usize)>,
    /// Microseconds until the last node had it, one per entry that reached all.
    pub last: Vec<Micros>,
    /// Where, by what, and after how many microseconds: every delivery.
    pub each: Vec<(SiteNo, Via, Micros)>,
}

impl Latencies {
    pub(super) fn born(&mut self, id: EntryId, now: Micros, others: usize) {
        self.born.insert(id, (now, others));
    }

    pub(super) fn came(&mut self, id: EntryId, now: Micros, (site, via): (SiteNo, Via)) {
        let Some((born, left)) = self.born.get_mut(&id) else { return };
        let took = now - *born;
        self.each.push((site, via, took));
        *left -= 1;
        if *left == 0 {
            self.last.push(took);
            self.born.remove(&id);
        }
    }

    /// Entries that some node has not got.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.born.len() as u64
    }

    /// Their names.
    pub(super) fn incomplete(&self) -> impl Iterator<Item = EntryId> {
        self.born.keys().copied()
    }
}

impl World {
    pub(super) fn log(&mut self, what: Happened) {
        self.log.push(Logged { at: self.now, what });
    }

    /// What happened since the last call, in order.
    pub fn drain_log(&mut self) -> Vec<Logged> {
        std::mem::take(&mut self.log)
    }

    /// Sites whose PC runs.
    pub fn running(&self) -> impl Iterator<Item = SiteNo> {
        (0..self.slots.len()).filter(|site| self.slots[*site].driver.is_some())
    }

    /// The PC of this site runs.
    #[must_use]
    pub fn runs(&self, site: SiteNo) -> bool {
        self.slots[site].driver.is_some()
    }

    /// The PC of this site stopped because nothing feeds it.
    #[must_use]
    pub fn is_dark(&self, site: SiteNo) -> bool {
        self.slots[site].holds.contains(&Hold::Power)
    }

    /// When its words and those of others came into a store.
    pub(super) fn time_entries(&mut self, node: usize, job: &Job) {
        let Some(latencies) = &mut self.latencies else { return };
        let id = self.alliance.members[node].id;
        let others = self.alliance.members.len() - 1;
        for row in &job.rows {
            let Row::Entry(entry) = row else { continue };
            if entry.id.log.author == id {
                // What comes back by a link was said before, or by a thief with its key.
                if job.via == Via::Other {
                    latencies.born(entry.id, self.now, others);
                }
            } else {
                latencies.came(entry.id, self.now, (node, job.via));
            }
        }
    }

    /// Contingencies: injects whose time depends on an expectation. Those above decide: [`Self::inject`] with a time under the same
    /// number, or [`Self::waive`].
    pub fn pending_injects(&self) -> impl Iterator<Item = &Inject> {
        self.injects.values().filter(|inject| matches!(inject.when, When::Unless { .. }))
    }

    /// This contingency is not needed.
    pub fn waive(&mut self, nr: u32) {
        if self.injects.get(&nr).is_some_and(|inject| matches!(inject.when, When::Unless { .. })) {
            self.injects.remove(&nr);
        }
    }

    /// Injects that are in force now.
    pub fn standing(&self) -> impl Iterator<Item = &Inject> {
        self.standing.iter().filter_map(|nr| self.injects.get(nr))
    }

    /// The spoken id of a request by its label; `None` before it was acknowledged.
    #[must_use]
    pub fn request_id(&self, label: &str) -> Option<&str> {
        self.requests.get(label).map(|(_, id)| id.as_str())
    }

    /// Whether a site holds all of it durably now; `None` before anything of it was said.
    #[must_use]
    pub fn holds(&self, site: SiteNo, what: &Subject) -> Option<bool> {
        let said = self.said.get(what)?;
        Some(said.iter().all(|(author, made)| self.has(site, *author, made)))
    }

    /// Whether staff of a site had anything saved since then.
    pub(crate) fn said_since(&self, author: SiteNo, from: Micros) -> bool {
        self.checker.words.iter().any(|word| word.node == author && word.at >= from)
    }

    /// How many other running sites keep an entry that staff of this site had saved since then.
    pub(crate) fn keep_from(&self, author: SiteNo, from: Micros) -> usize {
        let said = self.checker.words.iter().filter(|word| word.node == author && word.at >= from);
        let entries: Vec<EntryId> = said.flat_map(|word| &word.entries).copied().collect();
        let keeps = |site: &SiteNo| entries.iter().any(|id| self.slots[*site].disk.entry(*id).is_some());
        self.running().filter(|site| *site != author).filter(keeps).count()
    }

    fn has(&self, site: SiteNo, author: SiteNo, made: &Made) -> bool {
        let disk = &self.slots[site].disk;
        let newer = |kind, order| {
            let held = disk.doc(self.id(author), kind).and_then(|doc| Document::parse(&doc.bytes).ok());
            held.is_some_and(|held| held.order() >= order)
        };
        made.entries.iter().all(|id| disk.entry(*id).is_some()) && made.docs.iter().all(|(kind, order)| newer(*kind, *order))
    }
}
