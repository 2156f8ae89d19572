//! Requests: what a set of facts says of one need (`domain.md` 3.2-3.3, C3-C5). Pure, without a clock: `expired` is the view's.
//!
//! Within an author facts have an order (generation, incarnation, number, place); across authors none is used. The requester's
//! acts are gone through in that order; the newest version is the highest the requester numbered, of two alike the later one.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Deed, Fact, Need, Request, Update, put_item};
use super::{Decoded, Domain, EntryMeta};
use crate::codec::canonical::Writer;
use crate::id::{Class, EntryId, FactId, Generation, Incarnation, LogId, NodeId};

/// Where a request stands, before anyone's clock or directory is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It stands.
    Open,
    /// The newest version was cancelled.
    Cancelled,
    /// Ended by the requester.
    Closed,
    /// Written twice under one key; the other counts.
    Duplicate,
}

/// Why an act on a request has no effect, or not the one it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flagged {
    /// Only who wrote the request may change it.
    NotTheRequester,
    /// It stands after the close.
    AfterClose,
    /// It names a version that is no longer the newest.
    OlderVersion,
    /// It names a version that is not held yet.
    Waits,
    /// Another update made the same version later.
    SameVersion,
}

impl Flagged {
    /// As in [`super::view::HistoryView::flagged`].
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotTheRequester => "not_the_requester",
            Self::AfterClose => "after_close",
            Self::OlderVersion => "older_version",
            Self::Waits => "waits_for_version",
            Self::SameVersion => "same_version",
        }
    }
}

/// One act on a request.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// Its name.
    pub id: FactId,
    /// What it says.
    pub fact: &'a Fact,
    /// Its entry.
    pub meta: &'a EntryMeta,
    /// Version made or seen.
    pub version: u32,
    /// Without effect, and why.
    pub flagged: Option<Flagged>,
}

/// A request as the facts have it.
#[derive(Clone, Debug)]
pub struct RequestState<'a> {
    /// Its name: that of its first fact.
    pub id: FactId,
    /// The request that counts, where this one is written twice; else its own name.
    pub canonical: FactId,
    /// Who wrote it.
    pub author: NodeId,
    /// For whom.
    pub consignee: NodeId,
    /// Whom it asks; all hubs where absent.
    pub to: Option<NodeId>,
    /// Newest version that holds.
    pub version: u32,
    /// What is needed, in that version.
    pub need: &'a Need,
    /// Where it stands.
    pub standing: Standing,
    /// A cancel of an older version waits for a person to settle it.
    pub cancel_of_older_version: bool,
    /// Something was written after the close.
    pub late_facts: bool,
    /// A logbook of its author is frozen.
    pub requester_frozen: bool,
    /// The key of its author was taken away, and whether this word stands is not known.
    pub in_question: bool,
    /// Its first fact, then the requester's acts in order, then other people's.
    pub history: Vec<Act<'a>>,
    /// Who said it was received, and with which fact.
    pub acknowledged: BTreeMap<NodeId, FactId>,
}

/// Where a request stands, in short. Worked out when something about it changes: how many are open is asked far more often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Brief {
    standing: Standing,
    /// See [`RequestState::cancel_of_older_version`].
    older: bool,
}

impl Brief {
    fn is_open(self) -> bool {
        self.standing == Standing::Open
    }
}

impl Domain {
    /// Requests neither closed, cancelled nor written twice.
    #[must_use]
    pub fn requests_open(&self) -> u32 {
        self.open
    }

    /// A fact is held that was not, or no longer is: requests may stand otherwise now.
    pub(super) fn judge_again(&mut self, id: FactId, fact: &Fact) {
        match &fact.deed {
            Deed::Request(request) => {
                self.judge(id);
                // Which of all with this key counts may be another now.
                let key = super::key_of(id, request);
                let others: Vec<FactId> =
                    key.into_iter().flat_map(|key| self.keyed.of(key)).filter(|other| *other != id).collect();
                others.into_iter().for_each(|other| self.judge(other));
            }
            Deed::Update(Update { of, .. }) | Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => {
                // Nobody else's act has an effect.
                if of.request.entry.log.author == id.entry.log.author {
                    self.judge(of.request);
                }
            }
            Deed::Floor(_) | Deed::Acknowledge(_) | Deed::Observation(_) | Deed::Mode(_) | Deed::Order(_) | Deed::Scope(_) => {}
            Deed::Supply(supply) => self.touch(id, supply),
        }
    }

    fn judge(&mut self, id: FactId) {
        let now = self.brief_of(id);
        let before = match now {
            Some(now) => self.requests.insert(id, now),
            None => self.requests.remove(&id),
        };
        let is_open = |brief: Option<Brief>| u32::from(brief.is_some_and(Brief::is_open));
        self.open = self.open.saturating_add(is_open(now)).saturating_sub(is_open(before));
        self.touch_standing(id);
    }

    /// Whether a cancel of an older version of a request that stands waits for a person to settle it.
    pub(super) fn is_older_version(&self, id: FactId) -> bool {
        self.requests.get(&id).is_some_and(|brief| brief.is_open() && brief.older)
    }

    /// Where a request stands; `None` where it is not held.
    #[must_use]
    pub fn standing_of(&self, id: FactId) -> Option<Standing> {
        self.requests.get(&id).map(|brief| brief.standing)
    }

    fn brief_of(&self, id: FactId) -> Option<Brief> {
        let request = self.fact(id).and_then(|(_, fact)| as_request(fact))?;
        let acts = |act: Act<'_>| !matches!(act.fact.deed, Deed::Acknowledge(_)) && self.is_authorised(act.id, act.fact);
        if request.key.is_none() && !self.acts_on(id).any(acts) {
            // Most of them, and for good.
            return Some(Brief { standing: Standing::Open, older: false });
        }
        let state = self.request_state(id)?;
        Some(Brief { standing: state.standing, older: state.cancel_of_older_version })
    }

    /// A request by name; `None` where its first fact is not held.
    #[must_use]
    pub fn request_state(&self, id: FactId) -> Option<RequestState<'_>> {
        let (meta, fact) = self.fact(id)?;
        let request = as_request(fact)?;
        let author = id.entry.log.author;
        let mut state = RequestState {
            id,
            canonical: self.canonical_of(id, request),
            author,
            consignee: request.consignee.unwrap_or(author),
            to: request.to,
            version: 1,
            need: &request.need,
            standing: Standing::Open,
            cancel_of_older_version: false,
            late_facts: false,
            requester_frozen: self.is_frozen(author),
            in_question: self.is_in_question(id.entry),
            history: vec![Act { id, fact, meta, version: 1, flagged: None }],
            acknowledged: BTreeMap::new(),
        };
        let mut others = Vec::new();
        let mut own = Vec::new();
        for act in self.acts_on(id) {
            if matches!(act.fact.deed, Deed::Acknowledge(_)) {
                if self.is_receipt(&act, id) {
                    // Ascending, so the newest of each author is what remains.
                    state.acknowledged.insert(act.id.entry.log.author, act.id);
                }
            } else if self.is_authorised(act.id, act.fact) {
                own.push(act);
            } else {
                others.push(Act { flagged: Some(Flagged::NotTheRequester), ..act });
            }
        }
        state.fold_own(own);
        let newest: BTreeSet<FactId> = state.acknowledged.values().copied().collect();
        let acknowledged = self.acts_on(id).filter(|act| newest.contains(&act.id));
        others.extend(acknowledged);
        others.sort_by_key(|act| act.id);
        state.history.extend(others);
        if state.canonical != id {
            state.standing = Standing::Duplicate;
        }
        Some(state)
    }

    /// All requests held, by name.
    pub fn request_states(&self) -> impl Iterator<Item = RequestState<'_>> {
        self.requests.keys().filter_map(|id| self.request_state(*id))
    }

    /// Requests that an entry makes, or may have opened again: only of these may an acknowledgement have fallen due.
    #[must_use]
    pub fn asked_in(&self, entry: EntryId) -> Vec<FactId> {
        let facts = self.entries.get(&entry).into_iter().flat_map(|held| super::facts_of(entry, &held.facts));
        let asks = facts.filter_map(|(id, fact)| match &fact.deed {
            Deed::Request(_) => Some(id),
            Deed::Update(Update { of, .. }) | Deed::Confirm(of) => Some(of.request),
            Deed::Floor(_)
            | Deed::Cancel(_)
            | Deed::Close(_)
            | Deed::Acknowledge(_)
            | Deed::Observation(_)
            | Deed::Mode(_)
            | Deed::Order(_)
            | Deed::Scope(_)
            | Deed::Supply(_) => None,
        });
        asks.collect()
    }

    /// True if an entry acknowledges a request of this node.
    #[must_use]
    pub fn acknowledges(&self, entry: EntryId, me: NodeId) -> bool {
        let facts = self.entries.get(&entry).into_iter().flat_map(|held| super::facts_of(entry, &held.facts));
        let mut named =
            facts.flat_map(|(_, fact)| if let Deed::Acknowledge(named) = &fact.deed { named.as_slice() } else { &[] });
        named.any(|request| request.entry.log.author == me)
    }

    /// Who said that a request was received, as [`RequestState::acknowledged`] has it.
    #[must_use]
    pub fn acknowledged_by(&self, request: FactId) -> BTreeSet<NodeId> {
        let acts = self.acts_on(request).filter(|act| self.is_receipt(act, request));
        acts.map(|act| act.id.entry.log.author).collect()
    }

    /// True if this act says that a request was received, by somebody who was asked.
    fn is_receipt(&self, act: &Act<'_>, request: FactId) -> bool {
        let by = act.id.entry.log.author;
        matches!(act.fact.deed, Deed::Acknowledge(_))
            && by != request.entry.log.author
            && self.is_asked(by, request)
            && self.is_authorised(act.id, act.fact)
    }

    /// Requests that ask this node, or all hubs where it is one, and that it did not acknowledge yet.
    #[must_use]
    pub fn acknowledgements_due(&self, me: NodeId, i_am_hub: bool) -> Vec<FactId> {
        self.requests.keys().copied().filter(|id| self.is_acknowledgement_due(*id, me, i_am_hub)).collect()
    }

    /// The same of one of them.
    #[must_use]
    pub fn is_acknowledgement_due(&self, id: FactId, me: NodeId, i_am_hub: bool) -> bool {
        // A guest's would count for nobody, and so be due for ever.
        if me.is_guest() {
            return false;
        }
        let asks_me = |request: &Request| request.to.map_or(i_am_hub, |to| to == me);
        id.entry.log.author != me
            && self.requests.get(&id).is_some_and(|brief| brief.is_open())
            && self.fact(id).and_then(|(_, fact)| as_request(fact)).is_some_and(asks_me)
            && !self.acts_on(id).any(|act| act.id.entry.log.author == me && matches!(act.fact.deed, Deed::Acknowledge(_)))
    }

    /// Numbers below `below` of a logbook that must stay if its floor is raised there: what is not settled yet. Entries not
    /// applied (stubs, holes) are not listed; they are the caller's.
    #[must_use]
    pub fn unsettled(&self, log: LogId, below: u32) -> Vec<u32> {
        let floors = self.highest_floors(log.author);
        let mut stay = BTreeSet::new();
        // An entry stays whole, so one open fact may hold up others and what they belong to: repeat until nothing is added.
        loop {
            let leaving = Leaving { log, below, stay: &stay };
            let range = EntryId { log, number: 0 }..EntryId { log, number: below };
            let now: BTreeSet<u32> = self
                .entries
                .range(range)
                .filter(|(id, held)| stay.contains(&id.number) || self.holds_unsettled(**id, &held.facts, &leaving, &floors))
                .map(|(id, _)| id.number)
                .collect();
            if now.len() == stay.len() {
                return now.into_iter().collect();
            }
            stay = now;
        }
    }

    /// Words of a logbook that are not settled yet, and their classes: see [`Self::unsettled`].
    pub fn open_words(&self, log: LogId) -> impl Iterator<Item = (Class, EntryId)> {
        let open = self.unsettled(log, u32::MAX).into_iter().map(move |number| EntryId { log, number });
        open.filter_map(|id| self.entries.get(&id).map(|held| (held.meta.class, id)))
    }

    fn holds_unsettled(&self, entry: EntryId, facts: &[Decoded], leaving: &Leaving<'_>, floors: &Floors) -> bool {
        // Of an unknown kind a later version may know what it means.
        let unknown = facts.iter().any(|decoded| matches!(decoded, Decoded::Inert(super::Inert::UnknownKind(_))));
        unknown || super::facts_of(entry, facts).any(|(id, fact)| self.is_unsettled(id, fact, leaving, floors))
    }

    /// The request that counts among those with this one's key: the earliest in author order.
    fn canonical_of(&self, id: FactId, request: &Request) -> FactId {
        super::key_of(id, request).and_then(|key| self.keyed.of(key).next()).unwrap_or(id)
    }

    /// The request that counts for an author, consignee and key.
    pub(crate) fn request_by_key(&self, author: NodeId, consignee: NodeId, key: [u8; 8]) -> Option<FactId> {
        self.keyed.of((author, consignee, key)).next()
    }

    fn acts_on(&self, request: FactId) -> impl Iterator<Item = Act<'_>> {
        self.acts.of(request).filter_map(|id| {
            let (meta, fact) = self.fact(id)?;
            let version = match &fact.deed {
                Deed::Update(update) => update.version,
                Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => of.seen,
                Deed::Floor(_)
                | Deed::Request(_)
                | Deed::Acknowledge(_)
                | Deed::Observation(_)
                | Deed::Mode(_)
                | Deed::Order(_)
                | Deed::Scope(_)
                | Deed::Supply(_) => 0,
            };
            Some(Act { id, fact, meta, version, flagged: None })
        })
    }

    fn is_unsettled(&self, id: FactId, fact: &Fact, leaving: &Leaving<'_>, floors: &Floors) -> bool {
        let author = id.entry.log.author;
        match &fact.deed {
            Deed::Floor(floor) => floors.get(&floor_key(id, floor.incarnation)).is_some_and(|(_, highest)| *highest == id),
            Deed::Request(_) => !self.is_group_settled(id, leaving),
            Deed::Update(update) => {
                let newest = self.request_state(update.of.request).is_some_and(|state| state.version == update.version);
                newest && self.holds_up(update.of.request, author, leaving)
            }
            Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => self.holds_up(of.request, author, leaving),
            Deed::Acknowledge(facts) => facts
                .iter()
                .filter_map(|fact| self.request_state(*fact))
                .any(|state| state.standing == Standing::Open && state.acknowledged.get(&author) == Some(&id)),
            Deed::Observation(observation) => self.is_live(id, observation.node),
            Deed::Mode(_) => self.is_mode_live(id),
            Deed::Order(order) => self.is_order_live(id, order),
            Deed::Scope(_) => self.scopes.range(id..=super::last_of(author)).nth(1).is_none(),
            Deed::Supply(supply) => self.is_supply_live(id, supply),
        }
    }

    /// An act must stay as long as its request does, or the request would read otherwise. On what is gone or somebody else's it
    /// has no effect, so it need not.
    fn holds_up(&self, request: FactId, author: NodeId, leaving: &Leaving<'_>) -> bool {
        request.entry.log.author == author && self.requests.contains_key(&request) && !self.is_group_settled(request, leaving)
    }

    /// A request and all written under its key leave together, with all acts on them, or not at all: else a closed one would
    /// open again, or a duplicate would come to count.
    fn is_group_settled(&self, id: FactId, leaving: &Leaving<'_>) -> bool {
        let Some(state) = self.request_state(id) else { return true };
        let Some(canonical) = self.request_state(state.canonical) else { return true };
        if !matches!(canonical.standing, Standing::Closed | Standing::Cancelled) {
            return false;
        }
        let key = self.fact(id).and_then(|(_, fact)| as_request(fact)).and_then(|request| super::key_of(id, request));
        let leaves = |fact: FactId| leaving.leaves(fact.entry);
        let gone = |member: FactId| {
            leaves(member) && self.acts_on(member).all(|act| act.id.entry.log.author != leaving.log.author || leaves(act.id))
        };
        key.map_or_else(|| gone(id), |key| self.keyed.of(key).all(gone))
    }

    /// Of each logbook the highest floor its author set.
    fn highest_floors(&self, author: NodeId) -> Floors {
        let mut floors = BTreeMap::new();
        let first = LogId { author, generation: Generation::default(), incarnation: Incarnation::default() };
        let own = self.entries.range(EntryId { log: first, number: 0 }..).take_while(|(id, _)| id.log.author == author);
        for (entry, held) in own {
            for (id, fact) in super::facts_of(*entry, &held.facts) {
                if let Deed::Floor(floor) = &fact.deed {
                    let highest = floors.entry(floor_key(id, floor.incarnation)).or_insert((floor.number, id));
                    *highest = (*highest).max((floor.number, id));
                }
            }
        }
        floors
    }
}

/// The highest floor of each logbook.
type Floors = BTreeMap<LogId, (u32, FactId)>;

/// What is about to leave a logbook.
struct Leaving<'a> {
    log: LogId,
    below: u32,
    /// Numbers known to stay.
    stay: &'a BTreeSet<u32>,
}

impl Leaving<'_> {
    fn leaves(&self, entry: EntryId) -> bool {
        entry.log == self.log && entry.number < self.below && !self.stay.contains(&entry.number)
    }
}

fn floor_key(id: FactId, incarnation: Incarnation) -> LogId {
    LogId { incarnation, ..id.entry.log }
}

impl<'a> RequestState<'a> {
    /// Goes through the requester's acts in their order.
    fn fold_own(&mut self, own: Vec<Act<'a>>) {
        let close = own.iter().find(|act| matches!(act.fact.deed, Deed::Close(_))).map(|act| act.id);
        let counts = |act: &Act<'_>| close.is_none_or(|close| act.id <= close);
        let newest = own.iter().filter(|act| counts(act)).filter_map(|act| match &act.fact.deed {
            Deed::Update(update) => Some((update.version, act.id, &update.need)),
            Deed::Floor(_)
            | Deed::Request(_)
            | Deed::Cancel(_)
            | Deed::Confirm(_)
            | Deed::Close(_)
            | Deed::Acknowledge(_)
            | Deed::Observation(_)
            | Deed::Mode(_)
            | Deed::Order(_)
            | Deed::Scope(_)
            | Deed::Supply(_) => None,
        });
        let newest = newest.max_by_key(|(version, id, _)| (*version, *id));
        if let Some((version, _, need)) = newest {
            self.version = version;
            self.need = need;
        }
        let newest_update = newest.map(|(_, id, _)| id);
        for mut act in own {
            if counts(&act) {
                act.flagged = self.step(&act, newest_update);
            } else {
                act.flagged = Some(Flagged::AfterClose);
                self.late_facts = true;
            }
            self.history.push(act);
        }
        if self.standing == Standing::Closed {
            self.cancel_of_older_version = false;
        }
    }

    fn step(&mut self, act: &Act<'_>, newest_update: Option<FactId>) -> Option<Flagged> {
        match &act.fact.deed {
            Deed::Update(update) => {
                // Whoever writes a version after a cancel knows of the cancel or overrules it: the need stands.
                self.standing = Standing::Open;
                self.cancel_of_older_version = false;
                (update.version == self.version && newest_update != Some(act.id)).then_some(Flagged::SameVersion)
            }
            Deed::Cancel(of) if of.seen == self.version => {
                self.standing = Standing::Cancelled;
                self.cancel_of_older_version = false;
                None
            }
            Deed::Cancel(of) if of.seen < self.version => {
                self.cancel_of_older_version = self.standing == Standing::Open;
                Some(Flagged::OlderVersion)
            }
            Deed::Confirm(of) if of.seen == self.version => {
                self.standing = Standing::Open;
                self.cancel_of_older_version = false;
                None
            }
            Deed::Confirm(of) if of.seen < self.version => Some(Flagged::OlderVersion),
            Deed::Cancel(_) | Deed::Confirm(_) => Some(Flagged::Waits),
            Deed::Close(_) => {
                self.standing = Standing::Closed;
                None
            }
            Deed::Floor(_)
            | Deed::Request(_)
            | Deed::Acknowledge(_)
            | Deed::Observation(_)
            | Deed::Mode(_)
            | Deed::Order(_)
            | Deed::Scope(_)
            | Deed::Supply(_) => None,
        }
    }

    /// Everything the facts say of it, canonical.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.bytes(1, &self.id.to_bytes()).bytes(2, &self.canonical.to_bytes());
        out.bytes(3, &self.consignee.to_bytes()).bytes(4, &self.to.map(NodeId::to_bytes).unwrap_or_default());
        out.uint(5, u64::from(self.version)).uint(6, u64::from(self.need.priority));
        out.list(
            7,
            self.need.lines.iter().map(|line| {
                let mut item = Writer::new();
                put_item(&mut item, &line.item);
                item.uint(3, line.requested);
                item.finish()
            }),
        );
        out.maybe_uint(8, self.need.needed_by_s).maybe_text(9, self.need.note.as_deref()).uint(10, self.standing as u64);
        let flags = [self.cancel_of_older_version, self.late_facts, self.requester_frozen];
        out.bytes(11, &flags.map(u8::from));
        out.list(
            12,
            self.history.iter().map(|act| {
                let mut item = Writer::new();
                item.bytes(1, &act.id.to_bytes()).uint(2, u64::from(act.version));
                item.maybe_text(3, act.flagged.map(Flagged::word));
                item.finish()
            }),
        );
        out.list(13, self.acknowledged.keys().map(|node| node.to_bytes()));
        out.finish()
    }
}

pub(crate) fn as_request(fact: &Fact) -> Option<&Request> {
    match &fact.deed {
        Deed::Request(request) => Some(request),
        Deed::Floor(_)
        | Deed::Update(_)
        | Deed::Cancel(_)
        | Deed::Confirm(_)
        | Deed::Close(_)
        | Deed::Acknowledge(_)
        | Deed::Observation(_)
        | Deed::Mode(_)
        | Deed::Order(_)
        | Deed::Scope(_)
        | Deed::Supply(_) => None,
    }
}
