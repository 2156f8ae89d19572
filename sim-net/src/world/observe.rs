//! What those above may look at besides the log: who is in reach of whom, what carried how much, what never came.

use holdfast_proto::id::{DocKind, EntryId};
use holdfast_proto::replica::{DocOrder, Document};

use super::World;
use super::links::Carrier;
use crate::checker::{Rule, Word};
use crate::network::path::Tally;
use crate::scenario::{Micros, SiteNo};

/// Why a site never held a word in the end: its PC is off, it can't reach the author, it is still on its way.
pub(super) type Never = [u64; 3];

impl World {
    /// Delays of entries are measured from now on.
    pub fn measure(&mut self) {
        self.latencies.get_or_insert_default();
    }

    /// Frames pass both ways between two sites, over a line or by radio, if their PCs run.
    #[must_use]
    pub fn in_reach(&self, a: SiteNo, b: SiteNo) -> bool {
        self.backhaul.open_both(a, b) || self.radios.iter().any(|on| on.in_reach(a, b))
    }

    /// The site whose node has this name, `1-118`.
    #[must_use]
    pub fn site_of(&self, node: &str) -> Option<SiteNo> {
        node.parse().ok().and_then(|id| self.alliance.index_of(id))
    }

    /// From ENDEX, when everything was mended, until all were last seen to differ; `None` while they still do.
    #[must_use]
    pub fn converged_after_heal(&self) -> Option<Micros> {
        let equal = !self.checker.violations.iter().any(|violation| violation.rule == Rule::EventuallyP7SameDigest);
        let checked = self.checker.checked.contains_key(&Rule::EventuallyP7SameDigest);
        (equal && checked).then(|| self.differed_at.map_or(0, |at| at.saturating_sub(self.phases.endex)))
    }

    /// What happened to frames, by what carried them.
    pub fn carried(&self) -> impl Iterator<Item = (&'static str, Tally)> {
        Carrier::ALL.into_iter().map(|(carrier, name)| (name, self.links.tallies[carrier as usize]))
    }

    /// Per site, words of others that it does not hold although they were measured.
    #[must_use]
    pub fn never_known(&self) -> Vec<Never> {
        let mut never = vec![[0; 3]; self.slots.len()];
        for id in self.latencies.iter().flat_map(super::log::Latencies::incomplete) {
            let author = self.alliance.index_of(id.log.author);
            for (site, count) in never.iter_mut().enumerate() {
                if Some(site) == author || self.slots[site].disk.entry(id).is_some() {
                    continue;
                }
                count[self.why_not(site, author)] += 1;
            }
        }
        never
    }

    fn why_not(&self, site: SiteNo, author: Option<SiteNo>) -> usize {
        if !self.runs(site) {
            0
        } else if author.is_none_or(|author| !self.runs(author) || !self.in_reach(site, author)) {
            1
        } else {
            2
        }
    }

    /// Frames that the adversary of this inject sent, and words of them that somebody keeps.
    #[must_use]
    pub fn forged_frames(&self, nr: u32) -> u64 {
        self.rogues.iter().filter(|rogue| rogue.nr == nr).map(|rogue| rogue.sent).sum()
    }

    /// The oldest version of an author's board that a running site holds; `None` where one holds none.
    fn oldest_board(&self, author: SiteNo) -> Option<DocOrder> {
        let running = self.trusted().filter(|site| self.runs(*site));
        let doc = |site: SiteNo| self.slots[site].disk.doc(self.id(author), DocKind::Board);
        let held = running.map(|site| doc(site).and_then(|doc| Document::parse(&doc.bytes).ok()));
        held.map(|doc| doc.map(|doc| doc.order())).min().flatten()
    }

    /// Acknowledged words that somebody who should hold them does not.
    #[must_use]
    pub fn words_lost(&self) -> u64 {
        let owed = self.checker.words.iter().filter(|word| !word.excused && !self.checker.planted.contains(&word.node));
        let held =
            |id: &EntryId| self.trusted().filter(|site| self.runs(*site)).all(|site| self.slots[site].disk.entry(*id).is_some());
        let boards: Vec<Option<DocOrder>> = (0..self.slots.len()).map(|author| self.oldest_board(author)).collect();
        let board = |word: &Word| word.board.is_none_or(|order| boards[word.node].is_some_and(|held| held >= order));
        owed.filter(|word| !(word.entries.iter().all(held) && board(word))).count() as u64
    }
}
