//! A bench for the replica's laws: whole worlds of logbooks and boards, and a shelf that takes them as a node would. Tests only.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::digest::AuthorLeaf;
use super::super::{
    AgeMark, Change, Document, EntryRow, Floor, ForkProof, Hash16, Header, HeldDoc, Lacking, Replica, SignedDoc, Slot, Weight,
    forked_at, hash16,
};
use crate::id::{Class, DocKind, EntryId, Generation, Incarnation, LogId, NodeId};
use crate::identity::Signature;
use crate::time::UtcMillis;

pub(super) fn author(serial: u16) -> NodeId {
    NodeId { issuer: 1, serial }
}

pub(super) fn log(serial: u16, life: u16) -> LogId {
    LogId {
        author: author(serial),
        generation: Generation::default(),
        incarnation: Incarnation { count: life, random: life.wrapping_mul(7) },
    }
}

/// One entry as it travels, and the floors its body states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) header: Header,
    pub(super) bytes: Bytes,
    pub(super) hash: Hash16,
    pub(super) floors: Vec<Floor>,
}

impl Word {
    /// Entry `number` of `log` that says `story`.
    pub(super) fn new(log: LogId, number: u32, prev: Hash16, story: &Story, floors: Vec<Floor>) -> Self {
        let body = story.text.to_string();
        let header = Header {
            id: EntryId { log, number },
            prev: if number == 1 { [0; 16] } else { prev },
            class: Class::new(story.class).unwrap(),
            closed: story.closed,
            urgent: 0,
            wall: UtcMillis(1_795_000_000_000),
            body_hash: *blake3::hash(body.as_bytes()).as_bytes(),
            extra: Bytes::new(),
        };
        let bytes = header.to_bytes();
        let hash = hash16(&bytes);
        Self { header, bytes, hash, floors: if story.closed { Vec::new() } else { floors } }
    }

    pub(super) fn row(&self) -> EntryRow {
        let age = AgeMark::default();
        EntryRow { id: self.header.id, header: self.bytes.clone(), signature: Signature([0; 64]), body: None, age }
    }

    fn stated(&self) -> u32 {
        let own = self.floors.iter().filter(|floor| floor.incarnation == self.header.id.log.incarnation);
        own.map(|floor| floor.number).filter(|number| *number <= self.header.id.number).max().unwrap_or(0)
    }
}

/// What an author puts into one entry.
#[derive(Clone, Debug)]
pub(super) struct Story {
    class: u8,
    closed: bool,
    text: u32,
    /// A floor so far below the entry, and which of the numbers below it stay.
    floor: Option<(u32, u16)>,
}

impl Story {
    /// An open entry of class 2 without a floor.
    pub(super) fn plain(text: u32) -> Self {
        Self { class: 2, closed: false, text, floor: None }
    }
}

/// A second story: from `at` on the author says something else for `len` entries; `torn` gives the first a wrong previous hash.
#[derive(Clone, Debug)]
struct Branch {
    at: Index,
    len: usize,
    torn: bool,
}

fn any_story() -> impl Strategy<Value = Story> {
    let floor = proptest::option::weighted(0.2, (0..4_u32, any::<u16>()));
    (0..5_u8, proptest::bool::weighted(0.15), 0..3_u32, floor).prop_map(|(class, closed, text, floor)| Story {
        class: if floor.is_some() { 1 } else { class },
        closed,
        text,
        floor,
    })
}

fn any_branch() -> impl Strategy<Value = Branch> {
    (any::<Index>(), 1..4_usize, any::<bool>()).prop_map(|(at, len, torn)| Branch { at, len, torn })
}

/// One logbook with its second stories.
fn any_life() -> impl Strategy<Value = (Vec<Story>, Vec<Branch>)> {
    let branches = prop_oneof![3 => Just(Vec::new()).boxed(), 2 => proptest::collection::vec(any_branch(), 1..4).boxed()];
    (proptest::collection::vec(any_story(), 1..16), branches)
}

/// Chains stories behind `tip`.
fn chain(log: LogId, mut prev: Hash16, first: u32, stories: &[Story], mark: u32, out: &mut Vec<Word>) {
    for (number, story) in (first..).zip(stories) {
        let story = Story { text: story.text + mark, ..story.clone() };
        let word = Word::new(log, number, prev, &story, floors(log, number, &story, out));
        prev = word.hash;
        out.push(word);
    }
}

fn floors(log: LogId, number: u32, story: &Story, before: &[Word]) -> Vec<Floor> {
    let Some((back, keep)) = story.floor else { return Vec::new() };
    let floor = number.saturating_sub(back).max(1);
    let keep = (1..floor).filter(|number| keep & (1 << (number % 16)) != 0 && number % 3 == 0).collect();
    let prev = before.iter().find(|word| word.header.id.number + 1 == floor).map_or([0; 16], |word| word.hash);
    vec![Floor { incarnation: log.incarnation, number: floor, prev, keep }]
}

fn life_words(log: LogId, stories: &[Story], branches: &[Branch]) -> Vec<Word> {
    let mut words = Vec::new();
    chain(log, [0; 16], 1, stories, 0, &mut words);
    let main = words.clone();
    for (mark, branch) in (100..).step_by(100).zip(branches) {
        let at = branch.at.index(main.len());
        let prev = if branch.torn { [9; 16] } else { at.checked_sub(1).map_or([0; 16], |before| main[before].hash) };
        let end = (at + branch.len).min(main.len());
        chain(log, prev, u32::try_from(at).unwrap() + 1, &stories[at..end], mark, &mut words);
    }
    words
}

pub(super) fn doc(log: LogId, version: u32, story: u8) -> HeldDoc {
    let readings = Bytes::copy_from_slice(&[story]);
    let doc = Document { log, version, wall: UtcMillis(1), floor: 0, head: 0, readings, contact: Vec::new() };
    let said = SignedDoc::read(DocKind::Board, doc.to_bytes(), Signature([0; 64])).expect("just written");
    HeldDoc { said: said.into(), age: AgeMark::default() }
}

/// Everything that was ever said.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) window: u32,
    pub(super) words: Vec<Word>,
    pub(super) docs: Vec<HeldDoc>,
}

/// One author with two or three long logbooks, one with up to eleven short ones, boards with versions and second stories.
pub(super) fn any_world() -> impl Strategy<Value = World> {
    let long = proptest::collection::vec(any_life(), 1..3);
    let short = proptest::collection::vec(1..3_usize, 0..12);
    let boards = proptest::collection::vec((1..3_u16, 1..3_u16, 1..4_u32, 0..3_u8), 0..8);
    (4..20_u32, long, short, boards).prop_map(|(window, long, short, boards)| {
        let mut words = Vec::new();
        for (life, (stories, branches)) in (1..).zip(&long) {
            words.extend(life_words(log(1, life), stories, branches));
        }
        let plain = Story::plain(0);
        for (life, len) in (1..).zip(short) {
            chain(log(2, life), [0; 16], 1, &vec![plain.clone(); len], 0, &mut words);
        }
        words.sort_by_key(|word| (word.header.id, word.hash));
        words.dedup();
        let docs = boards.into_iter().map(|(serial, life, version, story)| doc(log(serial, life), version, story)).collect();
        World { window, words, docs }
    })
}

/// What reaches one side before the exchange: places in the world's words and boards, in order, with repetition and loss.
pub(super) fn any_delivery() -> impl Strategy<Value = Vec<(Index, bool)>> {
    proptest::collection::vec((any::<Index>(), proptest::bool::weighted(0.9)), 0..60)
}

/// One side: a replica, its disk, and what a fold above would hold.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    pub(super) replica: Replica,
    pub(super) window: u32,
    disk: BTreeMap<EntryId, Word>,
    /// What was handed up and not withdrawn (rule 10).
    pub(super) view: BTreeMap<EntryId, Hash16>,
    proofs: BTreeMap<LogId, (Word, Word)>,
}

impl Shelf {
    pub(super) fn new(window: u32) -> Self {
        Self { replica: Replica::default(), window, disk: BTreeMap::new(), view: BTreeMap::new(), proofs: BTreeMap::new() }
    }

    pub(super) fn deliver(&mut self, world: &World, delivery: &[(Index, bool)]) {
        for (at, entry) in delivery {
            if *entry || world.docs.is_empty() {
                let word = at.get(&world.words);
                self.take(word, word.header.closed && at.index(2) == 0);
            } else {
                self.replica.commit_doc(at.get(&world.docs).clone());
            }
        }
    }

    pub(super) fn take_all<'a>(&mut self, words: impl IntoIterator<Item = &'a Word>) {
        for word in words {
            self.take(word, false);
        }
    }

    /// Is told all of `words` until nothing more can come of it. What came while a floor hid it was not kept, and a fork found later
    /// may take that floor away: so it is told again, until two rounds running find no fork. Of those the first brings the highest
    /// floor, the second all that this floor lets stand.
    pub(super) fn settle(&mut self, words: &[&Word]) {
        // At each number one fork is found at most, for what is forked lower is not looked at again.
        let rounds = 2 * (words.len() + 1);
        let mut calm = 0;
        for _ in 0..rounds {
            let before = self.freezes();
            self.take_all(words.iter().copied());
            calm = if self.freezes() == before { calm + 1 } else { 0 };
            if calm == 2 {
                return;
            }
        }
        panic!("forks are still found after all was said {rounds} times");
    }

    fn freezes(&self) -> Vec<(LogId, u32)> {
        self.replica.forks().map(|(log, proof)| (log, proof.number)).collect()
    }

    /// Takes one entry as a node takes it: weighs it, stores it, folds it in, or proves a fork with what is held.
    pub(super) fn take(&mut self, word: &Word, stub: bool) -> Weight {
        let weight = self.replica.weigh(&word.header, word.hash, !stub, self.window, word.stated());
        match weight {
            Weight::Known | Weight::BeyondWindow | Weight::Waits => {}
            Weight::New | Weight::Body => {
                self.disk.insert(word.header.id, word.clone());
                let slot = Slot::new(&word.header, hash16(&word.bytes), stub, AgeMark::default(), true);
                let floors = if stub { Vec::new() } else { word.floors.clone() };
                let change = self.replica.commit(word.header.id, slot, &floors, self.window);
                self.view.insert(word.header.id, word.hash);
                self.absorb(change);
            }
            Weight::Contradicts(number) => {
                let held = self.disk[&EntryId { log: word.header.id.log, number }].clone();
                self.prove(word, &held);
            }
        }
        weight
    }

    pub(super) fn prove(&mut self, one: &Word, other: &Word) {
        let Some((log, number)) = forked_at((&one.header, one.hash), (&other.header, other.hash)) else { return };
        if self.replica.fork(log).is_some_and(|held| held.number <= number) {
            return;
        }
        self.proofs.insert(log, (one.clone(), other.clone()));
        let change = self.replica.prove_fork(log, ForkProof { number, one: one.row(), other: other.row() }, self.window);
        self.absorb(change);
    }

    fn absorb(&mut self, change: Change) {
        for id in change.withdrawn {
            assert!(self.view.remove(&id).is_some(), "{id} was withdrawn and had never been applied");
        }
        for (log, first, last) in change.revive {
            assert!(last - first <= self.window + 64, "a whole life is read back from disk");
            for number in first..=last {
                if let Some(word) = self.disk.get(&EntryId { log, number }).cloned() {
                    self.take(&word, false);
                }
            }
        }
    }

    /// Everything asked of `other`, by its leaves.
    pub(super) fn lacking(&self, other: &Self, max: usize) -> Lacking {
        let authors: BTreeSet<NodeId> = other.replica.authors().collect();
        self.lacking_of(authors.into_iter().map(|author| other.replica.leaf(author)), max)
    }

    fn lacking_of(&self, leaves: impl Iterator<Item = AuthorLeaf>, max: usize) -> Lacking {
        let mut lacking = Lacking::default();
        let mut left = max;
        for leaf in leaves {
            left -= self.replica.lacking(&leaf, self.window, left, &|_| false, &mut lacking);
        }
        lacking
    }

    /// What is served of a want: what counts here, urgent first, newest first.
    fn serve(&self, ranges: &[(LogId, Vec<(u32, u32)>)]) -> Vec<Word> {
        let mut words = Vec::new();
        for (log, ranges) in ranges {
            for number in ranges.iter().flat_map(|(first, last)| *first..=*last) {
                let id = EntryId { log: *log, number };
                if self.replica.log(*log).is_some_and(|log| log.slot(number).is_some()) {
                    words.push(self.disk[&id].clone());
                }
            }
        }
        words.sort_by_key(|word| (word.header.class, Reverse(word.header.id.number)));
        words
    }

    /// One question to `other` and its answer, in frames of any size. True where something was asked.
    pub(super) fn ask(&mut self, other: &Self) -> bool {
        let lacking = self.lacking(other, 1_000);
        self.fetch(other, &lacking)
    }

    /// One question about what changed at `other` since both were in one state: after so many changes here and there.
    pub(super) fn ask_since(&mut self, other: &Self, (here, there): (u64, u64)) -> bool {
        let changes = other.replica.changed_since(there);
        let heads = changes.heads.iter().map(|(author, head)| (author, Some(head), None));
        let boards = changes.boards.iter().map(|(author, version)| (author, None, Some(version)));
        let meant = heads.chain(boards).filter_map(|(author, head, board)| self.replica.meant(author, here, head, board));
        let leaves: Vec<AuthorLeaf> = changes.leaves.iter().cloned().chain(meant).collect();
        let lacking = self.lacking_of(leaves.into_iter(), 1_000);
        self.fetch(other, &lacking)
    }

    fn fetch(&mut self, other: &Self, lacking: &Lacking) -> bool {
        for log in &lacking.forks {
            let (one, two) = other.proofs[log].clone();
            self.prove(&one, &two);
        }
        for word in other.serve(&lacking.entries) {
            self.take(&word, false);
        }
        for (author, kind) in &lacking.docs {
            let both = [other.replica.doc(*author, *kind), other.replica.doc_contradiction(*author, *kind)];
            for held in both.into_iter().flatten() {
                self.replica.commit_doc(held.clone());
            }
        }
        !lacking.is_empty()
    }

    pub(super) fn root(&mut self) -> Hash16 {
        self.replica.root([0; 16])
    }

    /// What must hold of every logbook at any time (rules 3 to 6).
    pub(super) fn check(&self) {
        for (id, log) in self.replica.logs() {
            let floor = log.floor_number();
            let held: BTreeSet<u32> = log.slots().map(|(number, _)| number).collect();
            for number in &held {
                assert!(!log.hidden(*number), "{id}#{number} is below the floor and held");
                assert!(*number < floor + self.window, "{id}#{number} is beyond the window and held");
                assert!(log.frozen().is_none_or(|frozen| *number < frozen), "{id}#{number} is above the freeze and held");
                assert_eq!(self.view.get(&EntryId { log: id, number: *number }), log.slot(*number).map(|slot| &slot.hash));
            }
            let stays = log.floor().is_none_or(|floor| floor.keep.range(..floor.number).all(|number| held.contains(number)));
            assert!(log.head() < floor || stays, "{id}: the head passed a floor although what stays is not all held");
            assert!((floor..=log.head()).all(|number| held.contains(&number)), "{id}: the head stands above a hole");
            assert!(!stays || !held.contains(&(log.head() + 1)), "{id}: the head lags");
            let holes: Vec<u32> = log.holes(usize::MAX).iter().flat_map(|(first, last)| *first..=*last).collect();
            assert!(holes.iter().all(|number| !held.contains(number)), "{id}: a hole that is held");
        }
        assert_eq!(self.view.len() as u64, self.replica.entries(), "what was handed up is what counts (rule 10)");
        for (id, word) in &self.disk {
            let weight = self.replica.weigh(&word.header, word.hash, false, self.window, word.stated());
            assert_ne!(weight, Weight::New, "{id} was stored, could count and does not");
        }
    }
}

/// Both sides ask until neither lacks anything the other tells of; then they must be equal.
pub(super) fn exchange(one: &mut Shelf, other: &mut Shelf) {
    for _ in 0..100 {
        let asked = one.ask(other);
        let asked = other.ask(one) || asked;
        if !asked {
            break;
        }
    }
    assert_equal(one, other);
}

pub(super) fn assert_equal(one: &mut Shelf, other: &mut Shelf) {
    one.check();
    other.check();
    let authors: BTreeSet<NodeId> = one.replica.authors().chain(other.replica.authors()).collect();
    for author in authors {
        assert_eq!(one.replica.leaf(author), other.replica.leaf(author), "leaves");
    }
    assert_eq!(one.view, other.view, "what counts");
    assert_eq!(one.replica.holes(), other.replica.holes(), "holes");
    assert_eq!(one.root(), other.root(), "roots");
}
