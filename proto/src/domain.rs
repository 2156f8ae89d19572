//! What is said: readings, facts, requests, and the fold over them. Never sees a signature, a peer or a link. Keeps P6, P7, P9.
//!
//! [`Domain`] is a pure function of the entries applied (and not withdrawn) and the documents set: in which order they came, how
//! often and how grouped leaves no trace. There is no clock in it; ages and expiry are worked out when a view is asked for.

pub mod authority;
pub mod fact;
pub mod field;
pub mod item;
pub mod mode;
pub mod observation;
mod pairs;
pub mod plan;
pub mod reading;
pub mod refusal;
pub mod request;
pub mod room;
pub mod service;
pub mod show;
pub mod spoken;
pub mod supply;
mod text;
pub mod unit;
pub mod view;
pub mod wish;

#[cfg(test)]
mod bench;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod order_rules;
#[cfg(test)]
mod plan_rules;
#[cfg(test)]
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::codec::canonical::Writer;
use crate::id::{Class, DocKind, EntryId, FactId, Generation, LogId, Names, NodeId, PerDocument, Region, Regions, Role};
use crate::time::UtcMillis;

pub use fact::{Decoded, Fact, FactKind, Floor, class_of, decode_body, floor_of, make_acknowledge, make_floor};
pub use field::{Field, fields};
pub use item::{BadCatalogue, Catalogue, Item};
pub use plan::{About, Plan, PlanInput};
pub use show::{Operating, Resolved};
pub use spoken::spoken;
pub use text::{fold, nearest, no_formula, plain};

use fact::{Deed, Inert};
use pairs::Pairs;
use request::Brief;
use supply::conflict::Conflict;
use view::PersonName;

/// What the fold reads of an entry's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryMeta {
    /// Its name.
    pub id: EntryId,
    /// Class stated.
    pub class: Class,
    /// For entitled peers only.
    pub closed: bool,
    /// The author's clock.
    pub wall: UtcMillis,
}

/// Everybody certified, as the roster knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// By id.
    pub nodes: BTreeMap<NodeId, DirectoryEntry>,
    /// What earlier keys of a node might say that its newest may not: their words stay, and are under review.
    pub former: BTreeMap<(NodeId, Generation), Former>,
}

/// What an earlier certificate of a node gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// What it was.
    pub role: Role,
    /// Where it might give orders.
    pub regions: Regions,
}

/// One certified node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// From the certificate.
    pub name: String,
    /// `store`, `hub`, `authority`.
    pub role: String,
    /// 1..=3.
    pub tier: u8,
    /// From the certificate.
    pub firm: String,
    /// From the certificate.
    pub region: String,
    /// May be asked for goods and acknowledges requests to all hubs.
    pub hub: bool,
    /// Its key was taken away: it is shown, and nothing is expected of it.
    pub revoked: bool,
    /// An authority whose orders are for every region, not for its own alone.
    pub everywhere: bool,
}

/// Why a board has no readings although one was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidReason {
    /// Two contents under one version.
    TwoStories,
    /// The key that signed it was revoked.
    Revoked,
}

/// One of an author's two documents, as the replica holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document<'a> {
    /// It counts.
    Present {
        /// Its version.
        version: u32,
        /// The author's clock.
        wall: UtcMillis,
        /// Readings, see [`reading`].
        payload: &'a Bytes,
    },
    /// It is held but does not count.
    Void(VoidReason),
    /// None is held.
    Absent,
}

#[derive(Clone, Debug)]
enum HeldDocument {
    /// Its readings are read when they are asked for: a county's take ten times the room of their bytes.
    Present {
        version: u32,
        wall: UtcMillis,
        payload: Bytes,
    },
    Void(VoidReason),
}

#[derive(Clone, Debug)]
struct HeldEntry {
    meta: EntryMeta,
    facts: Arc<[Decoded]>,
    /// Who said it through its author.
    person: Option<Arc<PersonName>>,
}

/// The fold. See the module's first lines.
#[derive(Clone, Debug, Default)]
pub struct Domain {
    catalogue: Catalogue,
    entries: BTreeMap<EntryId, HeldEntry>,
    documents: PerDocument<HeldDocument>,
    frozen: BTreeSet<LogId>,
    /// Below which number words of a logbook are in question.
    question: BTreeMap<LogId, u32>,
    // Indexes: each follows from `entries` alone, and holds no empty sets, so that withdrawing leaves no trace.
    requests: BTreeMap<FactId, Brief>,
    /// How many requests stand.
    open: u32,
    /// Requests by what people call them, once somebody does: every node would else keep the names of all.
    names: OnceLock<Pairs<spoken::Name>>,
    acts: Pairs<FactId>,
    keyed: Pairs<Key>,
    observed: BTreeMap<NodeId, BTreeMap<NodeId, BTreeSet<FactId>>>,
    observers: BTreeMap<NodeId, BTreeSet<NodeId>>,
    modes: BTreeSet<FactId>,
    orders: BTreeSet<FactId>,
    scopes: BTreeSet<FactId>,
    supply: supply::Index,
    judged: supply::judged::Judged,
    /// Who is what: the roster's, not the facts'.
    directory: Arc<Directory>,
    /// See [`Self::orders_version`].
    orders_version: u64,
    // Outside the fold: how old this node's own documents are by a clock that never jumps, in whole seconds.
    own_ages: BTreeMap<DocKind, Option<u32>>,
}

/// Requests that are one: author, consignee, idempotency key.
type Key = (NodeId, NodeId, [u8; 8]);

impl Domain {
    /// An empty fold.
    #[must_use]
    pub fn new(catalogue: Catalogue) -> Self {
        Self { catalogue, ..Self::default() }
    }

    /// Who is certified now. It makes no difference but in time.
    pub fn rename(&mut self, names: &Names) {
        self.documents.rename(names);
    }

    /// How many seconds old this node's own document is; `None` where that can't be bounded. Said before [`Self::plan`] and
    /// [`Self::reissue`]: a reading written down again keeps its age although the wall clock was set back in between.
    pub fn note_own_age(&mut self, kind: DocKind, age_s: Option<u32>) {
        self.own_ages.insert(kind, age_s);
    }

    /// Says who is what, after the roster changed: rights follow from it.
    pub fn set_directory(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
        self.orders_version += 1;
        self.touch_all();
    }

    /// The goods this node counts.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Folds an entry in. Applying one again changes nothing. Stubs (no body held) are not applied.
    pub fn apply(&mut self, meta: &EntryMeta, body: &[u8]) {
        if self.entries.contains_key(&meta.id) {
            return;
        }
        self.apply_read(meta, read_body(meta, body));
    }

    /// The same with a body that is read already, by [`read_body`].
    pub fn apply_read(&mut self, meta: &EntryMeta, facts: Arc<[Decoded]>) {
        self.apply_said(meta, facts, None);
    }

    /// The same where a person says it through the node. Whether that one may is the caller's to judge: without a right to it, the
    /// facts come as [`Inert::NotDelegated`].
    pub fn apply_said(&mut self, meta: &EntryMeta, facts: Arc<[Decoded]>, person: Option<Arc<PersonName>>) {
        if self.entries.contains_key(&meta.id) {
            return;
        }
        for (id, fact) in facts_of(meta.id, &facts) {
            self.index(id, fact);
        }
        self.entries.insert(meta.id, HeldEntry { meta: *meta, facts: Arc::clone(&facts), person });
        for (id, fact) in facts_of(meta.id, &facts) {
            self.judge_again(id, fact);
        }
    }

    /// Takes an entry back out: afterwards all is as if it had never been applied.
    pub fn withdraw(&mut self, entry: EntryId) {
        let Some(held) = self.entries.remove(&entry) else { return };
        for (id, fact) in facts_of(entry, &held.facts) {
            self.unindex(id, fact);
        }
        for (id, fact) in facts_of(entry, &held.facts) {
            self.judge_again(id, fact);
        }
    }

    /// Sets, voids or removes one of an author's documents. The caller decides which version counts.
    pub fn set_document(&mut self, author: NodeId, kind: DocKind, document: Document<'_>) {
        let held = match document {
            Document::Present { version, wall, payload } => HeldDocument::Present { version, wall, payload: payload.clone() },
            Document::Void(reason) => HeldDocument::Void(reason),
            Document::Absent => {
                self.documents.remove(author, kind);
                return;
            }
        };
        self.documents.insert(author, kind, held);
    }

    /// Marks a logbook as forked or mended: its author's requests are flagged.
    pub fn set_frozen(&mut self, log: LogId, frozen: bool) {
        let changed = if frozen { self.frozen.insert(log) } else { self.frozen.remove(&log) };
        if changed {
            self.touch_all();
        }
    }

    /// Marks the words of a logbook below a number as in question: its key was taken away, and what leads to its last word that counts
    /// is not held, or nobody said which word that is. `None`: none of them is.
    pub fn set_question(&mut self, log: LogId, below: Option<u32>) {
        let before = match below {
            Some(below) => self.question.insert(log, below),
            None => self.question.remove(&log),
        };
        if before != below {
            self.touch_all();
        }
        self.orders_version += 1;
    }

    /// True where this word is in question.
    #[must_use]
    pub fn is_in_question(&self, entry: EntryId) -> bool {
        self.question.get(&entry.log).is_some_and(|below| entry.number < *below)
    }

    /// True if some logbook of this author is frozen.
    #[must_use]
    pub fn is_frozen(&self, author: NodeId) -> bool {
        self.frozen.iter().any(|log| log.author == author)
    }

    /// Entries folded in.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// The facts of an entry that was applied, for tools and tests.
    #[must_use]
    pub fn facts(&self, entry: EntryId) -> Option<&[Decoded]> {
        self.entries.get(&entry).map(|held| &*held.facts)
    }

    /// Who said it through its author, where a person did.
    #[must_use]
    pub fn person(&self, entry: EntryId) -> Option<PersonName> {
        self.entries.get(&entry)?.person.as_deref().cloned()
    }

    /// Everything derived, as canonical bytes: equal facts and documents give equal bytes (P7). No age, no expiry.
    #[must_use]
    pub fn canonical_view(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.list(1, self.request_states().map(|state| state.to_bytes()));
        out.list(
            2,
            self.live_observations().into_iter().map(|(target, id)| {
                let mut item = Writer::new();
                item.bytes(1, &target.to_bytes()).bytes(2, &id.to_bytes());
                if let Some(observation) = self.observation(id) {
                    item.bytes(3, &reading::encode(&observation.readings)).maybe_text(4, observation.note.as_deref());
                }
                item.finish()
            }),
        );
        out.list(
            3,
            self.documents.iter().map(|(author, kind, held)| {
                let mut item = Writer::new();
                item.bytes(1, &author.to_bytes()).uint(2, u64::from(kind == DocKind::Detail));
                match held {
                    HeldDocument::Present { version, payload, .. } => item.uint(3, u64::from(*version)).bytes(4, payload),
                    HeldDocument::Void(reason) => item.uint(5, u64::from(*reason == VoidReason::Revoked)),
                };
                item.finish()
            }),
        );
        out.list(4, Region::all().flat_map(|region| self.orders_in(region)).map(|one| one.id.to_bytes()));
        out.list(5, self.commitment_ids().filter_map(|id| self.commitment_state(id)).map(|state| state.to_bytes()));
        out.list(6, self.consignment_ids().filter_map(|id| self.consignment_state(id)).map(|state| state.to_bytes()));
        out.list(7, self.conflict_list().iter().map(Conflict::to_bytes));
        out.finish()
    }

    /// A fact that counts, with the header of its entry.
    fn fact(&self, id: FactId) -> Option<(&EntryMeta, &Fact)> {
        let held = self.entries.get(&id.entry)?;
        match held.facts.get(usize::from(id.index))? {
            Decoded::Fact(fact) => Some((&held.meta, fact)),
            Decoded::Inert(_) => None,
        }
    }

    fn index(&mut self, id: FactId, fact: &Fact) {
        match &fact.deed {
            Deed::Floor(_) => {}
            Deed::Request(request) => {
                if let Some(names) = self.names.get_mut() {
                    names.insert(spoken::name_of(id), id);
                }
                if let Some(key) = key_of(id, request) {
                    self.keyed.insert(key, id);
                }
            }
            Deed::Update(fact::Update { of, .. }) | Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => {
                self.acts.insert(of.request, id);
            }
            Deed::Acknowledge(facts) => {
                for fact in facts {
                    self.acts.insert(*fact, id);
                }
            }
            Deed::Observation(observation) => {
                let author = id.entry.log.author;
                self.observed.entry(observation.node).or_default().entry(author).or_default().insert(id);
                self.observers.entry(author).or_default().insert(observation.node);
            }
            Deed::Mode(_) => _ = self.modes.insert(id),
            Deed::Order(_) => {
                self.orders.insert(id);
                self.orders_version += 1;
            }
            Deed::Scope(_) => {
                self.scopes.insert(id);
                self.orders_version += 1;
            }
            Deed::Supply(supply) => self.supply.insert(id, supply),
        }
    }

    fn unindex(&mut self, id: FactId, fact: &Fact) {
        match &fact.deed {
            Deed::Floor(_) => {}
            Deed::Request(request) => {
                if let Some(names) = self.names.get_mut() {
                    names.remove(spoken::name_of(id), id);
                }
                if let Some(key) = key_of(id, request) {
                    self.keyed.remove(key, id);
                }
            }
            Deed::Update(fact::Update { of, .. }) | Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => {
                self.acts.remove(of.request, id);
            }
            Deed::Acknowledge(facts) => {
                for fact in facts {
                    self.acts.remove(*fact, id);
                }
            }
            Deed::Observation(observation) => self.forget_observation(id, observation.node),
            Deed::Mode(_) => _ = self.modes.remove(&id),
            Deed::Order(_) => {
                self.orders.remove(&id);
                self.orders_version += 1;
            }
            Deed::Scope(_) => {
                self.scopes.remove(&id);
                self.orders_version += 1;
            }
            Deed::Supply(supply) => self.supply.remove(id, supply),
        }
    }

    fn forget_observation(&mut self, id: FactId, target: NodeId) {
        let author = id.entry.log.author;
        let Some(of_target) = self.observed.get_mut(&target) else { return };
        drop_from(of_target, &author, id);
        if !of_target.contains_key(&author) {
            drop_from(&mut self.observers, &author, target);
        }
        if of_target.is_empty() {
            self.observed.remove(&target);
        }
    }
}

/// The first fact there can be of an author.
fn first_of(author: NodeId) -> FactId {
    FactId { entry: EntryId { log: LogId::lowest(author), number: 0 }, index: 0 }
}

/// The last.
fn last_of(author: NodeId) -> FactId {
    FactId { entry: EntryId { log: LogId::highest(author), number: u32::MAX }, index: u8::MAX }
}

fn drop_from<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: V) {
    if let Some(set) = index.get_mut(key) {
        set.remove(&value);
        if set.is_empty() {
            index.remove(key);
        }
    }
}

fn key_of(id: FactId, request: &fact::Request) -> Option<Key> {
    let author = id.entry.log.author;
    request.key.map(|key| (author, request.consignee.unwrap_or(author), key))
}

fn facts_of(entry: EntryId, facts: &[Decoded]) -> impl Iterator<Item = (FactId, &Fact)> {
    facts.iter().enumerate().filter_map(move |(place, decoded)| match decoded {
        Decoded::Fact(fact) => Some((FactId { entry, index: u8::try_from(place).ok()? }, fact.as_ref())),
        Decoded::Inert(_) => None,
    })
}

/// What a body says and what of it counts, whoever holds it.
#[must_use]
pub fn read_body(meta: &EntryMeta, body: &[u8]) -> Arc<[Decoded]> {
    effective(meta, fact::decode_body(body)).into()
}

/// What of a body counts: nothing of ours in a closed entry, nothing under a class its facts do not have, little of a guest.
fn effective(meta: &EntryMeta, mut facts: Vec<Decoded>) -> Vec<Decoded> {
    if meta.id.log.author.is_guest() {
        authority::leave_to_guest(&mut facts);
    }
    let holds_unknown = facts.iter().any(|decoded| matches!(decoded, Decoded::Inert(Inert::UnknownKind(_))));
    let wrong_class = !holds_unknown && fact::implied_class(&facts).is_some_and(|class| class != meta.class);
    let why = if meta.closed {
        Inert::Closed
    } else if wrong_class {
        Inert::WrongClass
    } else {
        return facts;
    };
    for decoded in &mut facts {
        if matches!(decoded, Decoded::Fact(_)) {
            *decoded = Decoded::Inert(why);
        }
    }
    facts
}
