//! What must always hold, what must hold in the end, and what must happen sometimes. It sees what crosses the boundary of the
//! nodes and what their stores hold, and keeps its own books; it never asks a node to judge itself. Rules cite the numbers on
//! proto's door.

mod domain;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use holdfast_proto::control::{Command, Event, Reply, Saved};
use holdfast_proto::id::{DocKind, EntryId, NodeId};
use holdfast_proto::identity::Signature;
use holdfast_proto::io::{DocRow, EntryRow, Row};
use holdfast_proto::replica::{DocOrder, Document};

pub use self::rule::{Rule, Sometimes};
use crate::site::adversary::Forgery;
use crate::site::disk::{Disk, Job};
use crate::workload::Kind;

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// True microseconds.
    pub at: u64,
    /// Index of the node, where it is one node's.
    pub node: Option<usize>,
    /// What was seen.
    pub what: String,
}

/// A command on its way.
#[derive(Clone, Debug)]
struct Open {
    kind: Kind,
    at: u64,
    made: Made,
    status: Option<String>,
    key: Option<String>,
}

/// What a command made durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// Entries.
    pub entries: Vec<EntryId>,
    /// Versions of the author's documents.
    pub docs: Vec<(DocKind, DocOrder)>,
}

/// Something a node acknowledged.
#[derive(Clone, Debug)]
pub struct Word {
    /// Index of the node.
    pub node: usize,
    /// True microseconds of the acknowledgement.
    pub at: u64,
    /// Entries that carry it.
    pub entries: Vec<EntryId>,
    /// The version of the author's board that first said it; any later one stands for it.
    pub board: Option<DocOrder>,
    /// Spoken id, where it made a request.
    pub request: Option<String>,
    /// Every store that held it was destroyed.
    pub excused: bool,
}

/// What of one entry must not change.
#[derive(Clone, Debug)]
struct Content {
    header: Bytes,
    signature: Signature,
    body: Option<Bytes>,
}

impl Content {
    fn new(entry: &EntryRow) -> Self {
        Self { header: entry.header.clone(), signature: entry.signature, body: entry.body.clone() }
    }

    fn same_header(&self, entry: &EntryRow) -> bool {
        self.header == entry.header && self.signature == entry.signature
    }
}

/// The books of one run.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    /// Broken rules, in the order found.
    pub violations: Vec<Violation>,
    /// How often each rule was broken.
    pub broken: BTreeMap<Rule, u64>,
    /// How often each rule was checked.
    pub checked: BTreeMap<Rule, u64>,
    /// How often each thing happened.
    pub seen: BTreeMap<Sometimes, u64>,
    /// Refusals of commands by kind and code.
    pub refused: BTreeMap<(&'static str, String), u64>,
    /// What was acknowledged.
    pub words: Vec<Word>,
    reported: BTreeMap<usize, BTreeMap<String, u64>>,
    /// The last operating status each author had acknowledged, and after it those it was asked to say when it crashed: they may
    /// have become durable unacknowledged.
    pub status: BTreeMap<usize, (u64, Vec<String>)>,
    /// What a node saved under a key, and when it said so.
    keys: BTreeMap<(usize, String), (u64, String)>,
    /// Nodes whose store was lost, and when.
    pub lost: BTreeMap<usize, u64>,
    /// Nodes that may tell two stories.
    pub planted: BTreeSet<usize>,
    /// What adversaries made, by signature: which inject, and whether anybody may keep it.
    forged: BTreeMap<[u8; 32], (u32, bool)>,
    /// Of these, what belongs to another realm.
    foreign: BTreeSet<[u8; 32]>,
    /// Who keeps something of it.
    accepted: BTreeMap<u32, BTreeSet<usize>>,
    written: BTreeMap<EntryId, Vec<Content>>,
    documents: BTreeSet<(NodeId, DocKind, [u8; 32])>,
    spoken: BTreeMap<NodeId, [u8; 32]>,
    open: BTreeMap<(usize, u64), Open>,
}

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;
/// At most so many violations are kept of one run.
const VIOLATIONS_MAX: usize = 20;

impl Checker {
    /// Counts one check of a rule; says so if it is broken.
    pub fn check(&mut self, rule: Rule, holds: bool, at: u64, node: Option<usize>, what: impl FnOnce() -> String) {
        *self.checked.entry(rule).or_default() += 1;
        if holds {
            return;
        }
        *self.broken.entry(rule).or_default() += 1;
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { rule, at, node, what: what() });
        }
    }

    /// Something happened that a sweep wants to see.
    pub fn saw(&mut self, what: Sometimes) {
        self.saw_times(what, 1);
    }

    /// The same, more than once.
    pub fn saw_times(&mut self, what: Sometimes, times: u64) {
        if times > 0 {
            *self.seen.entry(what).or_default() += times;
        }
    }

    /// Entries that their authors made durable.
    #[must_use]
    pub fn entries_written(&self) -> u64 {
        self.written.len() as u64
    }

    /// A command was given to a node.
    pub fn asked(&mut self, node: usize, number: u64, at: u64, kind: Kind, command: &Command) {
        let values = if let Command::Report(report) = command { Some(&report.values) } else { None };
        let key = if let Command::RequestNew(new) = command { new.key.clone() } else { None };
        for field in values.into_iter().flat_map(BTreeMap::keys) {
            self.reported.entry(node).or_default().insert(field.clone(), at);
        }
        let status = values.and_then(|values| values.get("operating.status").cloned());
        self.open.insert((node, number), Open { kind, at, made: Made::default(), status, key });
    }

    /// When an author last reported a field (true microseconds).
    #[must_use]
    pub fn reported_at(&self, author: usize, field: &str) -> Option<u64> {
        self.reported.get(&author)?.get(field).copied()
    }

    /// A node answered a command. What it made, where it was saved.
    pub fn answered(&mut self, node: usize, command: u64, at: u64, reply: &Reply) -> Option<Made> {
        let Some(open) = self.open.remove(&(node, command)) else {
            self.check(Rule::AlwaysAnswers, false, at, Some(node), || format!("answered command {command} twice or unasked"));
            return None;
        };
        self.check(Rule::AlwaysAnswers, true, at, Some(node), String::new);
        let saved = match reply {
            Reply::Saved(saved) => saved,
            Reply::Refused(refusal) => {
                *self.refused.entry((open.kind.name(), refusal.code.clone())).or_default() += 1;
                return None;
            }
            Reply::CourierOut(_) | Reply::CourierIn(_) => return Some(open.made),
            // Nobody acts through a node of the simulator.
            Reply::Drafted(_) => return None,
        };
        self.saved(node, at, saved, &open);
        Some(open.made)
    }

    fn saved(&mut self, node: usize, at: u64, saved: &Saved, open: &Open) {
        let made = open.made != Made::default();
        if !matches!(open.kind, Kind::Fault | Kind::Certify) && !saved.already {
            let kind = open.kind.name();
            self.check(Rule::AlwaysP4DurableBeforeAcknowledged, made, at, Some(node), || {
                format!("{kind} acknowledged ({}), but the store was given nothing durable of it", saved.ticket)
            });
        }
        if let Some((key, id)) = open.key.clone().zip(saved.id.clone()) {
            self.once(node, at, (key, id), saved.already);
        }
        self.count_saved(open.kind, saved.already);
        if let Some(status) = &open.status {
            self.status.insert(node, (at, vec![status.clone()]));
        }
        // A used key adds nothing: the word that first had it stands for both.
        let request = (matches!(open.kind, Kind::New | Kind::Again) && !saved.already).then(|| saved.id.clone()).flatten();
        let board = open.made.docs.iter().filter(|(kind, _)| *kind == DocKind::Board).map(|(_, order)| *order).max();
        self.words.push(Word { node, at, entries: open.made.entries.clone(), board, request, excused: false });
    }

    fn count_saved(&mut self, kind: Kind, already: bool) {
        if already {
            self.saw(Sometimes::KeyUsedAgain);
        }
        match kind {
            Kind::Report => self.saw(Sometimes::SavedReport),
            Kind::New | Kind::Again => self.saw(Sometimes::SavedRequest),
            Kind::Update | Kind::Cancel | Kind::Close | Kind::Confirm => self.saw(Sometimes::SavedFollowUp),
            Kind::Observe => self.saw(Sometimes::SavedObservation),
            Kind::Fault => self.saw(Sometimes::OrderedCut),
            Kind::Mode => self.saw(Sometimes::SavedReport),
            Kind::Goods => self.saw(Sometimes::SavedGoods),
            Kind::Order | Kind::Courier => {}
            Kind::Certify => self.saw(Sometimes::Revoked),
        }
    }

    /// Commands a node never answered although it stayed up for `patience` microseconds.
    pub fn unanswered(&mut self, now: u64, patience: u64) {
        let late: Vec<(usize, u64)> =
            self.open.iter().filter(|(_, open)| now.saturating_sub(open.at) > patience).map(|(key, _)| *key).collect();
        for key in late {
            if let Some(open) = self.open.remove(&key) {
                let kind = open.kind.name();
                self.check(Rule::AlwaysAnswers, false, now, Some(key.0), || {
                    format!("no answer to {kind} given at {} us", open.at)
                });
            }
        }
    }

    /// A node is gone; what it was asked is void. What of it is durable all the same, by command.
    pub fn stopped(&mut self, node: usize) -> BTreeMap<u64, Made> {
        let mut made = BTreeMap::new();
        for ((_, command), open) in self.open.range((node, 0)..=(node, u64::MAX)) {
            if let (Some(status), Some((_, said))) = (&open.status, self.status.get_mut(&node)) {
                said.push(status.clone());
            }
            made.insert(*command, open.made.clone());
        }
        self.open.retain(|(owner, _), _| *owner != node);
        made
    }

    /// A job of a node became durable.
    pub fn durable(&mut self, node: usize, id: NodeId, at: u64, job: &Job) {
        for row in &job.rows {
            if !self.forged.is_empty() {
                self.kept(node, at, row);
            }
            match row {
                Row::Entry(entry) if entry.id.log.author == id => self.own_entry(node, at, entry),
                Row::Entry(entry) => self.foreign_entry(node, at, entry),
                Row::Doc { doc: Some(doc), .. } => self.document(node, id, at, doc),
                Row::Doc { doc: None, .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => {}
            }
        }
    }

    /// An adversary is about to say this, with the key of `site` where it is `stolen`.
    pub fn forged(&mut self, nr: u32, site: usize, forgery: &Forgery) {
        for row in forgery.worthless.iter().filter(|_| forgery.foreign) {
            self.foreign.extend(signature(row).map(|signature| half(&signature.0)));
        }
        for row in &forgery.worthless {
            self.forged.extend(mark(row).map(|mark| (mark, (nr, false))));
        }
        for row in &forgery.stolen {
            self.planted.insert(site);
            self.forged.extend(mark(row).map(|mark| (mark, (nr, true))));
            if let Row::Entry(entry) = row {
                self.written.entry(entry.id).or_default().push(Content::new(entry));
            }
            if let Row::Doc { doc: Some(doc), .. } = row {
                self.documents.insert((doc.author, doc.kind, *blake3::hash(&doc.bytes).as_bytes()));
            }
        }
    }

    fn kept(&mut self, node: usize, at: u64, row: &Row) {
        let made = mark(row).and_then(|mark| self.forged.get(&mark).copied());
        let worthless = made.is_some_and(|(_, believable)| !believable);
        self.check(Rule::NeverForgedKept, !worthless, at, Some(node), || "keeps what an adversary made up".to_owned());
        if let Some((nr, _)) = made {
            self.accepted.entry(nr).or_default().insert(node);
        }
    }

    /// Nodes that keep something that this inject forged.
    pub fn kept_of(&self, nr: u32) -> impl Iterator<Item = usize> {
        self.accepted.get(&nr).into_iter().flatten().copied()
    }

    fn own_entry(&mut self, node: usize, at: u64, entry: &EntryRow) {
        let stories = self.written.entry(entry.id).or_default();
        let same = stories.iter().any(|story| story.same_header(entry));
        let second = !same && !stories.is_empty();
        if !same {
            stories.push(Content::new(entry));
            self.spoken.insert(entry.id.log.author, half(&entry.signature.0));
        }
        let allowed = !second || self.planted.contains(&node);
        self.check(Rule::AlwaysOneStory, allowed, at, Some(node), || format!("wrote a second content under {}", entry.id));
        for (_, open) in self.open.range_mut((node, 0)..=(node, u64::MAX)) {
            open.made.entries.push(entry.id);
        }
    }

    fn foreign_entry(&mut self, node: usize, at: u64, entry: &EntryRow) {
        let stories = self.written.get(&entry.id).map_or(&[][..], Vec::as_slice);
        let told = !stories.is_empty();
        let same = stories.iter().any(|story| story.same_header(entry) && (entry.body.is_none() || story.body == entry.body));
        self.check(Rule::AlwaysP3NothingFromThinAir, told, at, Some(node), || {
            format!("keeps {}, which its author never made durable", entry.id)
        });
        if !told {
            return;
        }
        self.check(Rule::AlwaysP5Unchanged, same, at, Some(node), || {
            format!("keeps {} in other bytes than its author", entry.id)
        });
    }

    fn document(&mut self, node: usize, id: NodeId, at: u64, doc: &DocRow) {
        let key = (doc.author, doc.kind, *blake3::hash(&doc.bytes).as_bytes());
        if doc.author == id {
            self.documents.insert(key);
            self.spoken.insert(id, half(&doc.signature.0));
            if let Ok(read) = Document::parse(&doc.bytes) {
                for (_, open) in self.open.range_mut((node, 0)..=(node, u64::MAX)) {
                    open.made.docs.push((doc.kind, read.order()));
                }
            }
            return;
        }
        let known = self.documents.contains(&key);
        self.check(Rule::AlwaysP5Unchanged, known, at, Some(node), || {
            format!("keeps a {:?} of {} that its author never made durable", doc.kind, doc.author)
        });
    }

    /// A node sends a frame: none of the words its store still works on may be in it.
    pub fn spoke(&mut self, node: usize, id: NodeId, at: u64, disk: &Disk, frame: &[u8]) {
        // Most frames are too short for a signature.
        let long = frame.len() > SIGNATURE_BYTES;
        if long && self.spoken.get(&id).is_some_and(|last| contains(frame, last)) {
            self.saw(Sometimes::WordInFrame);
        }
        let mut early = None;
        let mut looked = false;
        for row in disk.pending().flat_map(|job| &job.rows) {
            let (author, signature) = match row {
                Row::Entry(entry) => (entry.id.log.author, entry.signature),
                Row::Doc { doc: Some(doc), .. } => (doc.author, doc.signature),
                Row::Doc { doc: None, .. } | Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => continue,
            };
            if author != id || matches!(row, Row::Entry(entry) if self.written.contains_key(&entry.id)) {
                continue;
            }
            looked = true;
            if long && contains(frame, &half(&signature.0)) {
                early = Some(row);
            }
        }
        if looked {
            self.check(Rule::AlwaysP4DurableBeforeSpoken, early.is_none(), at, Some(node), || {
                format!("sent its own {} before it was durable", early.map_or_else(String::new, name))
            });
        }
    }

    /// A store is destroyed or put back: what only it held can't be asked for any more.
    pub fn store_lost(&mut self, node: usize, at: u64, disks: &[&Disk], id_of: &dyn Fn(usize) -> NodeId) {
        self.saw(Sometimes::LostStore);
        self.lost.insert(node, at);
        self.only_held_by(disks, id_of);
    }

    /// What none of these stores holds can't be asked for any more.
    pub fn only_held_by(&mut self, disks: &[&Disk], id_of: &dyn Fn(usize) -> NodeId) {
        for word in &mut self.words {
            let held = |entry: &EntryId| disks.iter().any(|disk| disk.entry(*entry).is_some());
            let board = word.board.is_none_or(|order| disks.iter().any(|disk| holds_board(disk, id_of(word.node), order)));
            if !board || !word.entries.iter().all(held) {
                word.excused = true;
            }
        }
    }

    /// A node says that something happened.
    pub fn noticed(&mut self, node: usize, at: u64, event: &Event, index_of: impl Fn(NodeId) -> Option<usize>) {
        match event {
            Event::Bug { what } => self.check(Rule::NeverBug, false, at, Some(node), || what.clone()),
            Event::Forked { author, number } => {
                let planted = index_of(*author).is_some_and(|author| self.planted.contains(&author));
                self.check(Rule::NeverForked, planted, at, Some(node), || format!("says {author} forked at {number}"));
            }
            Event::Stopped { cause } => {
                let planted = self.planted.contains(&node);
                self.check(Rule::NeverForked, planted, at, Some(node), || format!("stopped writing: {cause}"));
            }
            Event::StoreFailed { .. } => self.saw(Sometimes::DiskFull),
            Event::Board { .. }
            | Event::Entries { .. }
            | Event::Withdrawn { .. }
            | Event::PeerUp { .. }
            | Event::PeerDown { .. }
            | Event::Healed { .. }
            | Event::Rejected { .. }
            | Event::Incarnation { .. }
            | Event::Revoked { .. }
            | Event::Delivery { .. }
            | Event::Fault { .. } => {}
        }
        *self.checked.entry(Rule::NeverBug).or_default() += 1;
    }

    /// Every acknowledged word that must be with everybody is in this store.
    pub fn words_kept(&mut self, node: usize, at: u64, disk: &Disk, id_of: &dyn Fn(usize) -> NodeId) {
        let mut missing = Vec::new();
        let mut boards: BTreeMap<usize, (DocOrder, u64)> = BTreeMap::new();
        for word in self.words.iter().filter(|word| !word.excused && !self.planted.contains(&word.node)) {
            missing.extend(word.entries.iter().filter(|id| disk.entry(**id).is_none()).map(|id| (id.to_string(), word.at)));
            if let Some(order) = word.board {
                let newest = boards.entry(word.node).or_insert((order, word.at));
                *newest = (*newest).max((order, word.at));
            }
        }
        let old = boards.iter().filter(|(author, (order, _))| !holds_board(disk, id_of(**author), *order));
        missing.extend(old.map(|(author, (order, at))| (format!("board {} of {}", order.version, id_of(*author)), *at)));
        let count = missing.len();
        self.check(Rule::EventuallyNoWordLost, missing.is_empty(), at, Some(node), || {
            let (id, said) = missing.first().expect("invariant: only described when one is missing");
            format!("holds {count} acknowledged words too few, first {id} (acknowledged at {said} us)")
        });
    }
}

/// A store holds this version of an author's board, or a later one.
fn holds_board(disk: &Disk, author: NodeId, order: DocOrder) -> bool {
    let held = disk.doc(author, DocKind::Board).and_then(|doc| Document::parse(&doc.bytes).ok());
    held.is_some_and(|held| held.order() >= order)
}

fn signature(row: &Row) -> Option<Signature> {
    match row {
        Row::Entry(entry) => Some(entry.signature),
        Row::Doc { doc, .. } => doc.as_ref().map(|doc| doc.signature),
        Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => None,
    }
}

/// What a row of an adversary is known by.
fn mark(row: &Row) -> Option<[u8; 32]> {
    if let Row::Roster { bytes } = row { Some(*blake3::hash(bytes).as_bytes()) } else { Some(half(&signature(row)?.0)) }
}

/// A row in few words.
fn name(row: &Row) -> String {
    match row {
        Row::Entry(entry) => entry.id.to_string(),
        Row::Doc { kind, .. } => format!("{kind:?}"),
        Row::Roster { .. } | Row::Fork { .. } | Row::Meta { .. } => String::new(),
    }
}

/// The first half of a signature names it well enough to find it in a frame.
fn half(signature: &[u8; 64]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&signature[..32]);
    out
}

fn contains(frame: &[u8], needle: &[u8; 32]) -> bool {
    let mut rest = frame;
    while let Some(place) = memchr::memchr(needle[0], rest) {
        rest = &rest[place..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests;
