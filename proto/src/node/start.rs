//! From disk to a running node: rows are folded in again, and continuity with what was spoken before is proven or given up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::ingest::Age;
use super::known::Known;
use super::own::Own;
use super::word::ReadEntry;
use super::{Node, Now};
use crate::config::Config;
use crate::domain::{Catalogue, Domain};
use crate::id::{DocKind, Generation, NodeId, PerDocument};
use crate::identity::{Offered, Rejected, Signer};
use crate::io::{AgeMark, DocRow, EntryRow, Output, Row, Stamp};
use crate::peers::Peers;
use crate::replica::{DocOutcome, Document, ForkProof, HeldDoc, Replica, Slot, Weight, document_bytes_max};
use crate::rng::Rng;

/// What a node is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Limits and periods.
    pub config: Config,
    /// Its name.
    pub me: NodeId,
    /// Its key.
    pub signer: Signer,
    /// Everyone certified, itself among them.
    pub known: Known,
    /// Items it knows.
    pub catalogue: Catalogue,
    /// Seed of all its randomness; a fresh one for every start.
    pub seed: [u8; 32],
    /// Proof of continuity, where one was found.
    pub stamp: Option<Stamp>,
}

/// The node can't start. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The alliance file is empty.
    #[error(
        "the alliance file holds no charter, so this node can't tell whom to believe. Get it again from whoever issued this node's \
         certificate"
    )]
    NoCharter,
    /// The charter can't be used.
    #[error(
        "the charter in the alliance file can't be used ({0}), so this node can't tell whom to believe. Get the file again from \
         whoever issued this node's certificate"
    )]
    Charter(Rejected),
    /// This node is not certified.
    #[error(
        "the alliance file holds no certificate for node {0} and this key, so no other node would believe this one. Put the key and \
         the alliance file in place that were issued together for this PC, or have new ones issued"
    )]
    NotCertified(NodeId),
}

impl Node {
    /// Builds a node from its setup and the rows its store holds.
    ///
    /// Stored hashes are trusted here; signatures are checked again before anything is relayed.
    ///
    /// # Errors
    /// [`RestoreError`]; then nothing runs.
    pub fn restore(setup: Setup, rows: impl IntoIterator<Item = Row>, now: Now) -> Result<Self, RestoreError> {
        let mut rows: Vec<Row> = rows.into_iter().collect();
        rows.sort_by_key(|row| match row {
            Row::Roster { .. } => 0,
            Row::Doc { .. } | Row::Fork { .. } | Row::Meta { .. } => 1,
            Row::Entry(_) => 2,
        });
        let mut restoring = Restoring::new(setup, now);
        rows.into_iter().for_each(|row| restoring.take(row));
        restoring.finish()
    }
}

/// A node that takes its stored rows one after the other, so that they never stand in memory together.
#[derive(Debug)]
pub struct Restoring {
    node: Node,
    /// Roster rows came that said something new: what follows from the roster is stale.
    learned: bool,
    /// Stand beyond the window until the entry comes that states the floor.
    beyond: Vec<EntryRow>,
    /// Documents that no node would take today.
    left_out: Vec<DocRow>,
}

impl Restoring {
    /// Begins with what the setup knows of others.
    #[must_use]
    pub fn new(setup: Setup, now: Now) -> Self {
        let mut domain = Domain::new(setup.catalogue);
        domain.set_directory(setup.known.directory_shared());
        let node = Node {
            own: Own::new(setup.stamp),
            persons: BTreeMap::new(),
            config: setup.config,
            me: setup.me,
            generation: Generation::default(),
            signer: setup.signer,
            known: setup.known,
            domain,
            replica: Replica::default(),
            peers: Peers::default(),
            kin: super::kin::Kin::default(),
            links: super::table::Links::default(),
            agreed: super::heal::Agreed::default(),
            pending: BTreeMap::new(),
            pending_docs: BTreeMap::new(),
            jobs: BTreeMap::new(),
            fetches: BTreeMap::new(),
            next_token: 0,
            wants: BTreeMap::new(),
            wanted: BTreeSet::new(),
            next_want: 0,
            wanted_docs: BTreeSet::new(),
            grafts: super::spread::Grafts::default(),
            trees: super::trees::Trees::default(),
            notices: super::notices::Notices::default(),
            quotas: super::quota::Quotas::default(),
            company: super::company::Company::default(),
            handing: None,
            handed: Vec::new(),
            scopes: super::heal::Scopes::default(),
            held_by: BTreeMap::new(),
            ages: PerDocument::default(),
            via: BTreeMap::new(),
            cut: BTreeSet::new(),
            counters: super::count::Counters::default(),
            changed_at: now.mono,
            outputs: VecDeque::new(),
            alarm: None,
            now,
            rng: Rng::new(setup.seed),
        };
        let mut node = node;
        node.rename();
        node.judge_keys();
        Self { node, learned: false, beyond: Vec::new(), left_out: Vec::new() }
    }

    /// Takes one row. The order is the store's: roster first, entries last; entries of one logbook in any order.
    ///
    /// Stored hashes are trusted here; signatures are checked again before anything is relayed.
    pub fn take(&mut self, row: Row) {
        if let Row::Roster { bytes } = row {
            // What does not fit is left out; whether we ourselves are in is checked at the end.
            self.learned |= self.node.known.offer(&bytes) == Ok(Offered::New);
            return;
        }
        self.follow();
        let node = &mut self.node;
        match row {
            Row::Doc { doc: Some(doc), .. } => self.left_out.extend(node.restore_doc(doc)),
            Row::Fork { log, number, one, other } => {
                let window = node.window(log.author, log.generation);
                node.replica.prove_fork(log, ForkProof { number, one, other }, window);
                node.domain.set_frozen(log, node.replica.fork(log).is_some());
                node.question(log);
            }
            Row::Entry(entry) => {
                if !node.restore_entry(&entry) {
                    self.beyond.push(entry);
                }
            }
            Row::Doc { doc: None, .. } | Row::Meta { .. } | Row::Roster { .. } => {}
        }
    }

    /// Documents larger than every node takes them: of an earlier build, with other limits. Held, they could never be passed on and
    /// would keep this node from ever being equal to another; the author's next one takes their place.
    #[must_use]
    pub fn left_out(&self) -> &[DocRow] {
        &self.left_out
    }

    /// All rows were taken: is this node certified, and is its continuity proven?
    ///
    /// # Errors
    /// [`RestoreError::NotCertified`]; then nothing runs.
    pub fn finish(mut self) -> Result<Node, RestoreError> {
        self.follow();
        let Self { mut node, mut beyond, left_out, .. } = self;
        // Whose key was taken away starts all the same: people see why, and what others say.
        let certified = node.known.roster().owner_of_key(&node.signer.public()).filter(|(of, _)| *of == node.me);
        (_, node.generation) = certified.ok_or(RestoreError::NotCertified(node.me))?;
        // From the last down: what chains into a cut is known from above.
        beyond.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        loop {
            let before = beyond.len();
            beyond.retain(|row| !node.restore_entry(row));
            if beyond.is_empty() || beyond.len() == before {
                break;
            }
        }
        node.find_certified();
        node.kin.wait(node.now.mono);
        node.find_kin();
        node.find_company();
        node.remember_addresses();
        node.admit();
        node.own_restored();
        let me = node.me;
        left_out.iter().filter(|row| row.author == me).for_each(|row| node.say_again(row));
        // What waited when this node ended has waited long enough.
        node.acknowledge_soon();
        node.due_dials();
        node.set_alarm();
        Ok(node)
    }

    fn follow(&mut self) {
        if std::mem::take(&mut self.learned) {
            self.node.known.follow();
            self.node.domain.set_directory(self.node.known.directory_shared());
            self.node.rename();
            self.node.judge_keys();
            self.node.judge_persons();
        }
    }
}

impl Node {
    /// False where it may count once more is restored.
    fn restore_entry(&mut self, row: &EntryRow) -> bool {
        let Some(read) = self.read_row(row) else { return true };
        !matches!(self.fold_in(&read, row.age, false), Weight::BeyondWindow | Weight::Waits)
    }

    /// Gives the row back where no node would take it.
    fn restore_doc(&mut self, row: DocRow) -> Option<DocRow> {
        let held = self.read_doc(&row)?.held(row.age);
        let most = document_bytes_max(row.kind, self.window(row.author, held.doc.log.generation));
        if row.bytes.len() + row.signature.0.len() > most {
            return Some(row);
        }
        let key = (row.author, row.kind);
        let age = Age::restored(row.age, self.now);
        // A row of an older version says nothing of the age of the newer one.
        if self.replica.commit_doc(held) == DocOutcome::Newer {
            self.ages.insert(key.0, key.1, age);
        }
        self.show_document(key.0, key.1);
        None
    }

    /// A document of our own that no node would take: if its readings alone fit, they are said again, as old as they are.
    fn say_again(&mut self, row: &DocRow) {
        use crate::domain::Document as Shown;
        let Ok(doc) = Document::parse(&row.bytes) else { return };
        if self.replica.doc(self.me, row.kind).is_some() {
            return;
        }
        let age_ms = Age::restored(row.age, self.now).now(self.now, doc.wall);
        let shown = Shown::Present { version: doc.version, wall: doc.wall, payload: &doc.readings };
        self.domain.set_document(self.me, row.kind, shown);
        self.domain.note_own_age(row.kind, age_ms.map(|ms| u32::try_from(ms / 1_000).unwrap_or(u32::MAX)));
        let payload = Bytes::from(self.domain.reissue(self.me, row.kind, self.now));
        self.domain.set_document(self.me, row.kind, Shown::Absent);
        if self.fits(row.kind, &payload) {
            self.own.outranked.insert(row.kind, payload);
        }
    }

    /// Folds in one durable entry whose hashes are right: replica, then domain. Says what it was.
    pub(super) fn fold_in(&mut self, read: &ReadEntry, age: AgeMark, checked: bool) -> Weight {
        let id = read.id();
        let window = self.window(id.log.author, id.log.generation);
        let slot = Slot::new(&read.header, read.hash, read.body.is_none(), age, checked);
        let weight = self.weigh(read, window);
        match weight {
            Weight::New | Weight::Body => {}
            Weight::Known | Weight::BeyondWindow | Weight::Waits => return weight,
            Weight::Contradicts(number) => {
                self.dispute(read.row(age), number);
                return weight;
            }
        }
        let change = self.replica.commit(id, slot, read.floors(), window);
        if let Some(facts) = read.facts() {
            self.fold_said(&read.meta(), facts, read.act());
            self.asked_by(id);
        }
        self.absorb(change);
        self.question(id.log);
        self.changed_at = self.now.mono;
        weight
    }

    /// What an entry would be here.
    pub(super) fn weigh(&self, read: &ReadEntry, window: u32) -> Weight {
        let (header, hash, has_body) = (&read.header, read.hash, read.body.is_some());
        let weight = self.replica.weigh(header, hash, has_body, window, 0);
        if weight != Weight::BeyondWindow || !has_body || header.closed {
            return weight;
        }
        // Only where it decides is the body read: an entry that states a floor may stand above a floor not held yet.
        let own = read.floors().iter().filter(|floor| floor.incarnation == header.id.log.incarnation);
        let stated = own.map(|floor| floor.number).filter(|number| *number <= header.id.number).max().unwrap_or(0);
        self.replica.weigh(header, hash, true, window, stated)
    }

    /// Whoever could be reached before the restart is worth a dial after it.
    fn remember_addresses(&mut self) {
        let said = |doc: &HeldDoc| doc.doc.contact.iter().map(|address| (doc.author(), address.clone())).collect::<Vec<_>>();
        let boards = self.replica.docs(DocKind::Board).filter(|(author, _)| *author != self.me);
        let addresses: Vec<_> = boards.flat_map(|(_, doc)| said(doc)).collect();
        for (author, address) in addresses {
            self.peers.add(address, false, Some(author), self.now.mono);
        }
        self.peers.look_again();
    }

    /// The roster changed: everybody who depends on it learns of it.
    pub(super) fn roster_changed(&mut self) {
        self.known.follow();
        self.domain.set_directory(self.known.directory_shared());
        self.rename();
        self.judge_keys();
        self.judge_persons();
        self.find_certified();
        self.asked_again();
        self.scopes.forget();
        self.find_kin();
        self.find_company();
        self.admit();
    }

    /// What is held of whoever is certified moves to its place.
    fn rename(&mut self) {
        let names = self.known.names();
        self.replica.rename(names);
        self.domain.rename(names);
        self.trees.rename(names);
        self.ages.rename(names);
    }

    /// Says whose keys may connect.
    pub(super) fn admit(&mut self) {
        let allowed = |node: &NodeId| *node != self.me && !self.cut.contains(node) && !self.is_guest_out_of_its_days(*node);
        let keys = self.known.roster().nodes().filter(|node| allowed(&node.node)).map(|node| node.key);
        let keys: BTreeSet<_> = keys.collect();
        let denied = self.known.roster().nodes().filter(|node| self.cut.contains(&node.node)).map(|node| node.key).collect();
        self.emit(Output::Admit { keys: keys.into_iter().collect(), denied });
    }

    /// Tells the domain what an author's document says now.
    pub(super) fn show_document(&mut self, author: NodeId, kind: DocKind) {
        use crate::domain::{Document, VoidReason};
        if author == self.me && kind == DocKind::Board {
            let contact = self.replica.doc(author, kind).map(|held| &held.doc.contact);
            self.own.found = contact == Some(&self.config.advertise);
        }
        let two = self.replica.doc_contradiction(author, kind).is_some();
        let Some(held) = self.replica.doc(author, kind) else {
            let revoked = self.known.directory().nodes.get(&author).is_some_and(|entry| entry.revoked);
            let shown = if revoked && kind == DocKind::Board { Document::Void(VoidReason::Revoked) } else { Document::Absent };
            return self.domain.set_document(author, kind, shown);
        };
        let shown = if two {
            Document::Void(VoidReason::TwoStories)
        } else {
            Document::Present { version: held.doc.version, wall: held.doc.wall, payload: &held.doc.readings }
        };
        self.domain.set_document(author, kind, shown);
    }
}

/// What a body says of floors, as the replica understands it.
pub(super) fn floors_of(body: &[u8]) -> Vec<crate::replica::Floor> {
    let read = |floor: crate::domain::fact::Floor| crate::replica::Floor {
        incarnation: floor.incarnation,
        number: floor.number,
        prev: floor.previous,
        keep: floor.stay.into_iter().collect(),
    };
    crate::domain::fact::floor_of(body).into_iter().map(read).collect()
}
