//! A bench for the domain's tests: nodes that write entries into one fold, by hand or by plan. Tests only.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::fact::{Deed, Fact, Line, LineItem, Need, ROUTINE, Request, RequestRef, Update, encode_body};
use super::refusal::Refusal;
use super::{Catalogue, Directory, DirectoryEntry, DocKind, Document, Domain, EntryMeta, Plan, PlanInput};
use crate::id::{EntryId, FactId, Generation, Incarnation, LogId, NodeId};
use crate::time::{Instant, Now, UtcMillis};

/// 2026-01-01 00:00 UTC.
pub(super) const START: i64 = 1_767_225_600_000;

/// Stores 1 and 3, hubs 2 and 4, each with its latest incarnation's number.
pub(super) struct Bench {
    pub(super) domain: Domain,
    pub(super) directory: Directory,
    pub(super) now: Now,
    /// All that was written, to be applied elsewhere in other orders.
    pub(super) written: Vec<(EntryMeta, Vec<u8>)>,
    next: BTreeMap<LogId, u32>,
    versions: BTreeMap<(NodeId, DocKind), u32>,
}

pub(super) fn node(serial: u16) -> NodeId {
    NodeId { issuer: 1, serial }
}

pub(super) fn log(serial: u16, incarnation: u16) -> LogId {
    LogId { author: node(serial), generation: Generation::default(), incarnation: Incarnation { count: incarnation, random: 7 } }
}

pub(super) fn need(quantity: u64) -> Need {
    let lines = vec![Line { item: LineItem::Code("water".into()), requested: quantity }];
    Need { priority: ROUTINE, lines, needed_by_s: None, note: None }
}

pub(super) fn request(quantity: u64) -> Fact {
    Fact::new(Deed::Request(Request { need: need(quantity), consignee: None, to: None, key: None }))
}

pub(super) fn of(request: FactId, seen: u32) -> RequestRef {
    RequestRef { request, seen, reason: None }
}

pub(super) fn update(request: FactId, seen: u32, version: u32, quantity: u64) -> Fact {
    Fact::new(Deed::Update(Update { of: of(request, seen), version, need: need(quantity) }))
}

pub(super) fn cancel(request: FactId, seen: u32) -> Fact {
    Fact::new(Deed::Cancel(of(request, seen)))
}

pub(super) fn confirm(request: FactId, seen: u32) -> Fact {
    Fact::new(Deed::Confirm(of(request, seen)))
}

pub(super) fn close(request: FactId, seen: u32) -> Fact {
    Fact::new(Deed::Close(of(request, seen)))
}

pub(super) fn acknowledge(request: FactId) -> Fact {
    Fact::new(Deed::Acknowledge(vec![request]))
}

pub(super) fn built_in() -> Catalogue {
    toml::from_str(super::item::BUILT_IN).expect("the built-in catalogue parses")
}

impl Bench {
    pub(super) fn new() -> Self {
        let entry = |name: &str, hub: bool| DirectoryEntry {
            name: name.into(),
            role: if hub { "hub" } else { "store" }.into(),
            tier: 2,
            firm: "seven".into(),
            region: "TPE".into(),
            hub,
            revoked: false,
            everywhere: false,
        };
        let names = [(1, "Songshan", false), (2, "Taipei Hub", true), (3, "Neihu", false), (4, "Keelung Hub", true)];
        let directory = Directory {
            nodes: names.into_iter().map(|(n, name, hub)| (node(n), entry(name, hub))).collect(),
            ..Directory::default()
        };
        let mut domain = Domain::new(built_in());
        domain.set_directory(std::sync::Arc::new(directory.clone()));
        Self {
            domain,
            directory,
            now: Now { mono: Instant(0), wall: UtcMillis(START) },
            written: Vec::new(),
            next: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    /// Time goes by, in seconds.
    pub(super) fn pass(&mut self, seconds: i64) {
        self.now.wall.0 += seconds * 1_000;
    }

    /// Writes one entry; the name of its first fact.
    pub(super) fn say(&mut self, log: LogId, facts: &[Fact]) -> FactId {
        let id = self.withhold(log, facts);
        self.bring(id);
        id
    }

    /// Writes an entry that does not arrive yet.
    pub(super) fn withhold(&mut self, log: LogId, facts: &[Fact]) -> FactId {
        let number = self.next.entry(log).or_insert(0);
        *number += 1;
        let id = EntryId { log, number: *number };
        let body = encode_body(facts);
        let class = super::class_of(&body).expect("known facts");
        self.written.push((EntryMeta { id, class, closed: false, wall: self.now.wall }, body));
        FactId { entry: id, index: 0 }
    }

    /// A withheld entry arrives.
    pub(super) fn bring(&mut self, fact: FactId) {
        let (meta, body) = self.written.iter().find(|(meta, _)| meta.id == fact.entry).expect("written");
        self.domain.apply(meta, body);
    }

    /// Plans and writes what was planned, as a node would.
    pub(super) fn wish(&mut self, serial: u16, input: &PlanInput<'_>) -> Result<(Plan, Option<FactId>), Refusal> {
        let plan = self.domain.plan(node(serial), &self.directory, input, self.now)?;
        for (kind, payload) in [(DocKind::Board, &plan.board), (DocKind::Detail, &plan.detail)] {
            if let Some(payload) = payload {
                self.publish(serial, kind, payload);
            }
        }
        let written = plan.body.clone().map(|(body, class)| {
            let log = log(serial, 1);
            let number = self.next.entry(log).or_insert(0);
            *number += 1;
            let id = EntryId { log, number: *number };
            assert_eq!(super::class_of(&body), Some(class));
            let meta = EntryMeta { id, class, closed: false, wall: self.now.wall };
            self.domain.apply(&meta, &body);
            self.written.push((meta, body));
            FactId { entry: id, index: 0 }
        });
        Ok((plan, written))
    }

    pub(super) fn publish(&mut self, serial: u16, kind: DocKind, payload: &[u8]) {
        let version = self.versions.entry((node(serial), kind)).or_insert(0);
        *version += 1;
        let payload = &Bytes::copy_from_slice(payload);
        self.domain.set_document(node(serial), kind, Document::Present { version: *version, wall: self.now.wall, payload });
    }

    pub(super) fn view(&self, request: FactId) -> super::view::RequestView {
        self.domain.request(request, &self.directory, self.now).expect("held")
    }

    /// The same entries in another fold, backwards, give the same picture.
    pub(super) fn check_order(&self) {
        let mut other = Domain::new(self.domain.catalogue().clone());
        other.set_directory(std::sync::Arc::clone(&self.domain.directory));
        for (meta, body) in self.written.iter().rev().filter(|(meta, _)| self.domain.facts(meta.id).is_some()) {
            other.apply(meta, body);
        }
        for (author, kind) in self.versions.keys() {
            if let Some(super::HeldDocument::Present { version, wall, payload, .. }) = self.domain.documents.get(*author, *kind) {
                other.set_document(*author, *kind, Document::Present { version: *version, wall: *wall, payload });
            }
        }
        assert_eq!(other.canonical_view(), self.domain.canonical_view());
    }
}
