//! The difference: what a peer's leaves show that is not held here. A peer's claims are only ever a list of what to ask for.

use std::collections::BTreeSet;

use super::digest::{AuthorLeaf, DocLeaf, LogLeaf, cut};
use super::{Log, Replica};
use crate::config::{AHEAD_RANGES_MAX, INCARNATIONS_MAX};
use crate::id::{DocKind, EntryId, LogId, NodeId};

/// Logbooks of one author weighed in one leaf: eight generations with all their incarnations.
const LOGS_MAX: usize = 8 * INCARNATIONS_MAX;

/// What to ask a peer for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// Entries, by logbook, as ascending (first, last) ranges.
    pub entries: Vec<(LogId, Vec<(u32, u32)>)>,
    /// Documents.
    pub docs: Vec<(NodeId, DocKind)>,
    /// Logbooks whose fork proof is wanted.
    pub forks: Vec<LogId>,
}

impl Lacking {
    /// True where nothing is lacking.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.docs.is_empty() && self.forks.is_empty()
    }
}

impl Replica {
    /// What `leaf` shows that is not held here. `skip` names entries that are on their way already. At most `max` entries.
    pub fn lacking(
        &self,
        leaf: &AuthorLeaf,
        window: u32,
        max: usize,
        skip: &dyn Fn(EntryId) -> bool,
        out: &mut Lacking,
    ) -> usize {
        let mut taken = 0;
        let mut told = None;
        for theirs in leaf.logs.iter().take(LOGS_MAX) {
            // Ours are told ascending, each once. Whoever tells otherwise only wants us to look again and again.
            let name = Some((theirs.generation, theirs.incarnation));
            if name <= told {
                continue;
            }
            told = name;
            let id = LogId { author: leaf.author, generation: theirs.generation, incarnation: theirs.incarnation };
            if self.is_shut(id) {
                continue;
            }
            let mine = self.log(id);
            let frozen = mine.and_then(Log::frozen);
            if theirs.frozen.is_some_and(|number| frozen.is_none_or(|held| number < held)) {
                out.forks.push(id);
            }
            let ranges = self.lacking_entries(id, theirs, window, max.saturating_sub(taken), skip);
            taken += ranges.iter().map(|(first, last)| (last - first) as usize + 1).sum::<usize>();
            if !ranges.is_empty() {
                out.entries.push((id, ranges));
            }
        }
        if leaf.board.is_some_and(|board| self.lacks_doc(leaf.author, DocKind::Board, &board)) {
            out.docs.push((leaf.author, DocKind::Board));
        }
        taken
    }

    /// True where a peer's document is newer than ours or tells another story.
    #[must_use]
    pub fn lacks_doc(&self, author: NodeId, kind: DocKind, theirs: &DocLeaf) -> bool {
        if self.is_revoked(author, theirs.order.generation) {
            return false;
        }
        self.doc_leaf(author, kind).is_none_or(|mine| {
            theirs.order > mine.order || (theirs.order == mine.order && !mine.two && (theirs.two || theirs.hash != mine.hash))
        })
    }

    fn lacking_entries(
        &self,
        id: LogId,
        theirs: &LogLeaf,
        window: u32,
        max: usize,
        skip: &dyn Fn(EntryId) -> bool,
    ) -> Vec<(u32, u32)> {
        let empty = self.blank(id, window);
        let mine = self.log(id).unwrap_or(&empty);
        let floor = mine.floor_number();
        let below = mine.closed_from();
        let top = theirs.floor.max(floor).saturating_add(window).min(below).saturating_sub(1);
        let mut wants = Wants { numbers: BTreeSet::new(), max };
        let mut want = |number: u32| {
            let lacking = number > 0 && number <= top && mine.slot(number).is_none() && !mine.hidden(number);
            !lacking || skip(EntryId { log: id, number }) || wants.push(number)
        };
        // What the floor keeps and we lack: a peer whose head passed its floor holds all of it.
        let passed = theirs.head.saturating_add(1) >= floor;
        let kept = mine.holes(AHEAD_RANGES_MAX).into_iter().take_while(|(_, last)| *last < floor);
        let kept = kept.flat_map(|(first, last)| first..=last);
        let _ = kept.filter(|number| passed || (theirs.floor..=theirs.head).contains(number)).all(&mut want);
        let next = mine.head().saturating_add(1).max(floor);
        let _ = (next.max(theirs.floor)..=theirs.head.min(top)).all(&mut want);
        for (first, count) in theirs.ahead.iter().take(AHEAD_RANGES_MAX).filter(|(_, count)| *count > 0) {
            let last = first.saturating_add(count - 1).min(top);
            let stay = mine.floor().filter(|_| *first < floor).map(|floor| floor.keep.range(first..).copied());
            let stay = stay.into_iter().flatten().take_while(|number| *number <= last && *number < floor);
            if !stay.chain(next.max(*first)..=last).all(&mut want) {
                break;
            }
        }
        if wants.numbers.is_empty() {
            other_stories(mine, theirs).take_while(|number| wants.push(*number)).for_each(drop);
        }
        wants.into_ranges()
    }
}

/// Numbers of which both sides hold something and the hashes tell that it is not the same.
fn other_stories<'a>(mine: &'a Log, theirs: &'a LogLeaf) -> impl Iterator<Item = u32> + 'a {
    let head = (theirs.head == mine.head() && theirs.head_hash != cut(mine.head_hash())).then_some(theirs.head);
    // Where there are more ranges than are told, what is beyond them may be all the difference.
    let told = theirs.ahead.len() < AHEAD_RANGES_MAX
        && theirs.floor == mine.floor_number()
        && theirs.ahead_hash != cut(mine.ahead_hash());
    let ahead = if told && theirs.ahead == mine.ahead(AHEAD_RANGES_MAX) { theirs.ahead.as_slice() } else { &[] };
    let stay = mine.slots().map(|(number, _)| number).take_while(move |number| told && *number < mine.floor_number());
    let ahead = ahead.iter().flat_map(|(first, count)| *first..first.saturating_add(*count));
    head.into_iter().chain(stay).chain(ahead).filter(|number| mine.slot(*number).is_some())
}

/// Collects numbers up to a bound.
struct Wants {
    numbers: BTreeSet<u32>,
    max: usize,
}

impl Wants {
    /// False once the bound is reached.
    fn push(&mut self, number: u32) -> bool {
        if self.numbers.len() >= self.max {
            return false;
        }
        self.numbers.insert(number);
        true
    }

    fn into_ranges(self) -> Vec<(u32, u32)> {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in self.numbers {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                Some(_) | None => ranges.push((number, number)),
            }
        }
        ranges
    }
}
