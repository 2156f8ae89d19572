//! Bytes from outside: through the gate, to the store, and only then into the fold. Keeps P3 and P5.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::count::Counter;
use super::courier::{CARRIED, LABEL};
use super::quota::Kind;
use super::word::ReadEntry;
use super::{Node, heal, refuse, write};
use crate::config::{BODY_BYTES_MAX, PENDING_DOCS_MAX, PENDING_MAX, PENDING_VERSIONS_MAX};
use crate::config::{REFUSALS_EVERY, REFUSALS_TOLD_MAX, STRANGER_REFUSALS_MAX};
use crate::control::{CommandId, Event, Reply};
use crate::id::{DocKind, EntryId, LogId, NodeId};
use crate::identity::Rejected;
use crate::io::{AgeMark, DocRow, EntryRow, Output, Row};
use crate::link::LinkId;
use crate::message::{WireDoc, WireEntry};
use crate::replica::{Change, DocOrder, DocOutcome, ForkProof, Header, HeldDoc, Weight, document_bytes_max, forked_at, hash16};
use crate::time::{Instant, Now, UtcMillis};

/// A verified foreign entry that waits for the store.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) read: Arc<ReadEntry>,
    pub(super) age: AgeMark,
}

/// What a write to the store was for.
#[derive(Clone, Debug)]
pub(super) enum Job {
    /// Entries and documents of others.
    Foreign { entries: Vec<EntryId>, docs: Vec<HeldDoc>, from: Option<LinkId>, over: LinkId, heard: Now },
    /// Words of our own.
    Own(Box<write::Flight>),
    /// A fork proof.
    Fork { log: LogId, proof: Box<ForkProof> },
    /// Certificates and revocations that an operator handed in: told when they are durable.
    Certified { command: CommandId, objects: Vec<Bytes> },
    /// Roster objects and small values: nothing waits for them.
    Quiet,
}

/// Age of a document, outside fold and digest (rule 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    /// Lowest age said by an authenticated peer.
    base_ms: Option<u64>,
    /// When that was said.
    since: Instant,
    /// When it came, or when this run began.
    held_since: Instant,
    /// How long it was held before this run began.
    held_before_ms: u64,
}

impl Age {
    pub(super) fn heard(age_ms: Option<u64>, now: Now) -> Self {
        Self { base_ms: age_ms, since: now.mono, held_since: now.mono, held_before_ms: 0 }
    }

    /// From a mark on disk: what our own wall clock says passed since, and never less than nothing.
    pub(super) fn restored(mark: AgeMark, now: Now) -> Self {
        let passed = now.wall.since(mark.at);
        let known = mark.at.is_known() && now.wall.is_known() && now.wall >= mark.at;
        let base_ms = mark.age_ms.filter(|_| known).map(|age| age.saturating_add(passed));
        Self { base_ms, since: now.mono, held_since: now.mono, held_before_ms: passed }
    }

    /// The lowest word of an authenticated peer counts.
    pub(super) fn lower(&mut self, age_ms: Option<u64>, now: Now) {
        let held_ms = u64::try_from(now.mono.since(self.held_since).as_millis()).unwrap_or(u64::MAX);
        // Never below the time it was held here.
        let said = age_ms.map(|said| said.max(self.held_before_ms.saturating_add(held_ms)));
        if let Some(said) = said.filter(|said| self.plain(now).is_none_or(|mine| *said < mine)) {
            self.base_ms = Some(said);
            self.since = now.mono;
        }
    }

    fn plain(&self, now: Now) -> Option<u64> {
        let passed = u64::try_from(now.mono.since(self.since).as_millis()).unwrap_or(u64::MAX);
        self.base_ms.map(|base| base.saturating_add(passed))
    }

    /// Milliseconds; `None` where it can't be bounded. Never below our clock minus the author's stamp.
    pub(super) fn now(&self, now: Now, stamp: UtcMillis) -> Option<u64> {
        self.plain(now).map(|age| age.max(now.wall.since(stamp)))
    }
}

/// At most one roster question a link in this time: unknown authors come in bursts.
const ROSTER_ASK_EVERY: Duration = Duration::from_secs(1);

impl Node {
    /// Entries came over a link: pushed, or in answer to want `want`.
    pub(super) fn take_entries(&mut self, link: LinkId, want: Option<u32>, entries: Vec<WireEntry>) {
        let (mut rows, mut ids) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        let fresh = self.asked_fresh(link, want);
        let mut entries = entries;
        if self.replica.revoked().next().is_some() {
            // From the last down: what chains into a cut is known from above.
            entries.sort_by_key(|wire| std::cmp::Reverse(wire.id()));
        }
        for wire in entries {
            let id = wire.id();
            let judged = self.judge(link, want.is_some(), &wire);
            if let Some(pending) = &judged {
                self.carried_entry(pending.read.header.closed && pending.read.body.is_some());
            }
            if judged.is_some() || self.holds(id) {
                // Not before it proved itself: a forged one would stop the search for the real one.
                self.arrived(link, want, id);
            }
            if let Some(pending) = judged {
                // Nothing in our own name before it is durable, whoever wrote it.
                // What is urgent goes on at once, though somebody carried it here; the rest the digests bring.
                let urgent = link == CARRIED && pending.read.header.class.is_urgent();
                if (fresh || urgent) && id.log.author != self.me {
                    let pace = self.pace(id.log.author, pending.read.header.class.into());
                    self.spread(&pending.read, pending.age, Some(link), pace);
                } else {
                    self.trees.take_heard(id);
                }
                ids.push(id);
                rows.push(Row::Entry(pending.read.row(pending.age)));
                self.pending.insert(id, pending);
            }
        }
        if let Some(state) = self.links.get_mut(&link) {
            state.healing.received += ids.len() as u64;
        }
        if !rows.is_empty() {
            self.persist(
                rows,
                None,
                Job::Foreign { entries: ids, docs: Vec::new(), from: (!fresh).then_some(link), over: link, heard: self.now },
            );
        }
    }

    /// The gate for one entry. `Some` if it is new, verified and may be stored.
    fn judge(&mut self, link: LinkId, asked: bool, wire: &WireEntry) -> Option<Pending> {
        if self.pending.len() >= PENDING_MAX || wire.body_len() > BODY_BYTES_MAX {
            self.count(Counter::EntriesRefused, 1);
            self.carried_put_off("no room for more at once", "暫時無法再收更多");
            return None;
        }
        let age = AgeMark { age_ms: wire.age_ms, at: self.now.wall };
        let Some(read) = self.read_wire(wire) else {
            self.carried_rejected(Rejected::Malformed);
            self.reject(link, "an entry whose header can't be read");
            return None;
        };
        let header = &read.header;
        if !header.closed && read.body.is_none() {
            self.carried_rejected(Rejected::Malformed);
            self.reject(link, "an open entry without its body");
            return None;
        }
        let waiting = self.pending.get(&header.id).map(|other| (other.read.hash == read.hash, other.read.body.is_some()));
        let window = self.window(header.id.log.author, header.id.log.generation);
        let weight = self.weigh(&read, window);
        if weight == Weight::Known || waiting == Some((true, true)) {
            self.count(Counter::EntriesDuplicate, 1);
            self.carried_held(1);
            if let Some(place) = self.links.place(link) {
                self.notices.heard(place, header.id);
            }
            if !asked {
                self.duplicate(link, header.id.log.author, DocKind::Board);
            }
            return None;
        }
        if weight == Weight::Waits && !self.leads_to_pending(&read) {
            self.carried_put_off(
                "nobody knows yet whether they stand: the key was taken away",
                "金鑰已被撤銷，還無法確定是否有效",
            );
            return None;
        }
        if weight == Weight::BeyondWindow {
            self.count(Counter::EntriesBeyondWindow, 1);
            self.carried_put_off("numbers beyond what their author may use", "編號超出該據點可用的範圍");
            return None;
        }
        self.verify_entry(link, &read)?;
        if header.id.log.author == self.me {
            self.heard_of_myself(header.id);
        }
        if let Weight::Contradicts(number) = weight {
            self.carried_contradicts();
            self.dispute(read.row(age), number);
            return None;
        }
        if waiting.is_some_and(|(same, _)| !same) {
            let other = self.pending.get(&header.id).map(|pending| pending.read.row(pending.age))?;
            self.carried_contradicts();
            self.prove(read.row(age), other);
            return None;
        }
        Some(Pending { read, age })
    }

    fn verify_entry(&mut self, link: LinkId, read: &ReadEntry) -> Option<()> {
        let Err(why) = self.prove_entry(read) else { return Some(()) };
        self.carried_rejected(why);
        let log = read.id().log;
        if self.known.roster().certificate(log.author, log.generation).is_none() {
            self.ask_roster(link);
        }
        self.reject(link, &format!("an entry of {}: {why}", log.author));
        None
    }

    /// Somebody speaks whom we don't know: ask who that is.
    fn ask_roster(&mut self, link: LinkId) {
        let now = self.now.mono;
        let Some(state) = self.links.get_mut(&link) else { return };
        if state.node.is_some() && state.asked_roster.is_none_or(|at| now.since(at) >= ROSTER_ASK_EVERY) {
            state.asked_roster = Some(now);
            self.tell_roster(link, true);
        }
    }

    /// Boards and details came over a link.
    pub(super) fn take_docs(&mut self, link: LinkId, want: Option<u32>, docs: Vec<WireDoc>) {
        let (mut rows, mut held) = (Vec::with_capacity(2 * docs.len()), Vec::with_capacity(docs.len()));
        let fresh = self.asked_fresh(link, want);
        for wire in docs {
            let row = wire.unpack(self.now.wall);
            let Some(doc) = self.judge_doc(link, want.is_some(), row) else { continue };
            if fresh && doc.author() != self.me {
                let pace = self.pace(doc.author(), Kind::Doc(doc.kind));
                self.spread_doc(&doc, Some(link), pace);
            }
            rows.extend(self.doc_rows(&doc));
            self.carried_doc(doc.kind);
            self.pending_docs.insert((doc.author(), doc.kind, doc.doc.order()), doc.hash);
            held.push(doc);
        }
        if let Some(state) = self.links.get_mut(&link) {
            state.healing.received += held.len() as u64;
        }
        if !rows.is_empty() {
            self.persist(
                rows,
                None,
                Job::Foreign { entries: Vec::new(), docs: held, from: (!fresh).then_some(link), over: link, heard: self.now },
            );
        }
    }

    /// Where a document goes on disk: beside the other story of its version, held or on its way to the store, or in the place of all.
    fn doc_rows(&self, doc: &HeldDoc) -> Vec<Row> {
        let (author, kind, order) = (doc.author(), doc.kind, doc.doc.order());
        let row = |slot, doc| Row::Doc { slot, doc, author, kind };
        let two = self.replica.weigh_doc(author, kind, order, doc.hash) == DocOutcome::TwoStories;
        if two || self.pending_docs.contains_key(&(author, kind, order)) {
            return vec![row(1, Some(doc.row()))];
        }
        vec![row(1, None), row(0, Some(doc.row()))]
    }

    fn judge_doc(&mut self, link: LinkId, asked: bool, row: DocRow) -> Option<HeldDoc> {
        let Some(read) = self.read_doc(&row) else {
            self.carried_rejected(Rejected::Malformed);
            self.reject(link, "a board that can't be read");
            return None;
        };
        let held = read.held(row.age);
        let (author, order, hash) = (held.author(), held.doc.order(), held.hash);
        let most = document_bytes_max(row.kind, self.window(author, order.generation));
        if author != row.author || row.bytes.len() + row.signature.0.len() > most {
            self.carried_rejected(Rejected::TooLong);
            self.reject(link, "a board under another name, or too long for its author's certificate");
            return None;
        }
        if row.kind == DocKind::Detail && !self.entitled(self.me, author) {
            self.carried_withheld();
            return None;
        }
        let outcome = self.replica.weigh_doc(author, row.kind, order, hash);
        let waiting = self.pending_docs.get(&(author, row.kind, order)).is_some_and(|pending| *pending == hash);
        if outcome == DocOutcome::Known || waiting {
            self.count(Counter::BoardsDuplicate, 1);
            self.carried_held(1);
            if let Some(place) = self.links.place(link) {
                self.notices.heard_doc(place, author, row.kind, order);
            }
            let same = self.replica.doc(author, row.kind).is_some_and(|held| held.hash == hash);
            // Only somebody who proved who it is may make it younger (rule 11).
            let proven = self.links.get(&link).is_some_and(|state| state.node.is_some());
            if same
                && proven
                && let Some(age) = self.ages.get_mut(author, row.kind)
            {
                age.lower(row.age.age_ms, self.now);
            }
            if !asked {
                self.duplicate(link, author, row.kind);
            }
            return None;
        }
        let (low, high) = (DocOrder::default(), DocOrder::highest());
        let mut pending = self.pending_docs.range((author, row.kind, low)..=(author, row.kind, high));
        // The store writes in the order it is given: an older one behind a newer would take its place there. If the newer fails,
        // the digests show what is lacking.
        if pending.next_back().is_some_and(|((.., newest), _)| *newest > order) {
            self.count(Counter::BoardsDuplicate, 1);
            self.carried_held(1);
            return None;
        }
        let versions = self.pending_docs.range((author, row.kind, low)..=(author, row.kind, high)).count();
        if versions >= PENDING_VERSIONS_MAX || self.pending_docs.len() >= PENDING_DOCS_MAX {
            self.count(Counter::BoardsPutOff, 1);
            self.carried_put_off("no room for more at once", "暫時無法再收更多");
            return None;
        }
        if let Err(why) = self.prove_doc(&read) {
            self.carried_rejected(why);
            self.reject(link, &format!("a board of {author}: {why}"));
            return None;
        }
        if author == self.me {
            self.heard_own_doc(&held.doc);
        }
        Some(held)
    }

    /// An entry contradicts what is held under `number`: fetch that, it is the other half of the proof.
    pub(super) fn dispute(&mut self, row: EntryRow, number: u32) {
        let asked = |fetch: &heal::Fetch| matches!(fetch, heal::Fetch::Dispute(one) if one.id.log == row.id.log && one.id.number <= row.id.number);
        if self.fetches.values().any(asked) || self.proof_waits(row.id.log, number) {
            return;
        }
        let token = self.token();
        self.piece_waits(token);
        let held = EntryId { log: row.id.log, number };
        self.fetches.insert(token, heal::Fetch::Dispute(Box::new(row)));
        self.emit(Output::Fetch { token, entries: vec![held] });
    }

    /// True where a proof as low is on its way to the store: one is enough.
    fn proof_waits(&self, log: LogId, number: u32) -> bool {
        self.jobs.values().any(|job| matches!(job, Job::Fork { log: of, proof } if *of == log && proof.number <= number))
    }

    /// Two verified entries: if they contradict each other, that is stored and freezes the logbook.
    pub(super) fn prove(&mut self, one: EntryRow, other: EntryRow) {
        let (Ok(first), Ok(second)) = (Header::parse(&one.header), Header::parse(&other.header)) else { return };
        let Some((log, number)) = forked_at((&first, hash16(&one.header)), (&second, hash16(&other.header))) else { return };
        if self.replica.fork(log).is_some_and(|held| held.number <= number) || self.proof_waits(log, number) {
            return;
        }
        let row = Row::Fork { log, number, one: one.clone(), other: other.clone() };
        let proof = Box::new(ForkProof { number, one, other });
        self.persist(vec![row], None, Job::Fork { log, proof });
    }

    /// Proofs of forks came over a link: both halves pass the gate like any entry.
    pub(super) fn take_forks(&mut self, link: LinkId, proofs: Vec<(WireEntry, WireEntry)>) {
        for (one, other) in proofs {
            let (one, other) = (one.unpack(self.now.wall), other.unpack(self.now.wall));
            let (Some(first), Some(second)) = (self.read_row(&one), self.read_row(&other)) else {
                self.carried_rejected(Rejected::Malformed);
                self.reject(link, "a fork proof that can't be read");
                continue;
            };
            let proven = forked_at((&first.header, first.hash), (&second.header, second.hash));
            let Some((log, number)) = proven else {
                self.carried_refused("pairs of entries that do not contradict each other", "彼此並不矛盾的紀錄");
                self.reject(link, "a pair of entries that do not contradict each other");
                continue;
            };
            let known = self.replica.fork(log).is_some_and(|held| held.number <= number);
            if known {
                self.carried_held(1);
                continue;
            }
            if self.verify_entry(link, &first).is_none() || self.verify_entry(link, &second).is_none() {
                continue;
            }
            self.carried_fork();
            self.prove(one, other);
        }
    }

    /// Hands rows to the store.
    pub(super) fn persist(&mut self, rows: Vec<Row>, stamp: Option<crate::io::Stamp>, job: Job) {
        let token = self.token();
        self.piece_waits(token);
        self.jobs.insert(token, job);
        self.emit(Output::Persist { token, rows, stamp });
    }

    /// The store kept it: now, and only now, it counts.
    pub(super) fn persisted(&mut self, token: u64) {
        match self.jobs.remove(&token) {
            Some(Job::Foreign { entries, docs, from, over, heard }) => self.foreign_durable(entries, docs, (from, over), heard),
            Some(Job::Own(flight)) => self.own_durable(*flight),
            Some(Job::Fork { log, proof }) => self.fork_durable(log, *proof),
            Some(Job::Certified { command, objects }) => self.certified(command, &objects),
            Some(Job::Quiet) | None => {}
        }
    }

    /// The store kept nothing of it.
    pub(super) fn persist_failed(&mut self, token: u64, cause: &str) {
        self.count(Counter::StoreFailures, 1);
        self.notify(Event::StoreFailed { cause: cause.to_owned() });
        self.rest_store();
        match self.jobs.remove(&token) {
            Some(Job::Foreign { entries, docs, .. }) => {
                for id in entries {
                    self.pending.remove(&id);
                }
                for doc in docs {
                    self.pending_docs.remove(&(doc.author(), doc.kind, doc.doc.order()));
                }
            }
            Some(Job::Own(flight)) => self.own_failed(*flight, cause),
            Some(Job::Certified { command, .. }) => {
                let reply = Reply::Refused(refuse::not_saved(cause));
                self.emit(Output::Reply { id: command, reply });
            }
            Some(Job::Fork { .. } | Job::Quiet) | None => {}
        }
    }

    fn foreign_durable(&mut self, entries: Vec<EntryId>, docs: Vec<HeldDoc>, (from, over): (Option<LinkId>, LinkId), heard: Now) {
        let mut runs: Vec<(NodeId, u32, u32)> = Vec::new();
        let many = !entries.is_empty();
        for id in entries {
            let Some(Pending { read, age }) = self.pending.remove(&id) else { continue };
            self.fold_in(&read, age, true);
            self.receipt_due(id.log.author);
            match runs.last_mut() {
                Some((author, first, count)) if *author == id.log.author && first.checked_add(*count) == Some(id.number) => {
                    *count += 1
                }
                Some(_) | None => runs.push((id.log.author, id.number, 1)),
            }
        }
        for (author, first, count) in runs {
            self.count(Counter::EntriesTaken, u64::from(count));
            self.notify(Event::Entries { author, first, count });
        }
        for doc in docs {
            self.doc_durable(doc, over, heard);
        }
        if let Some(link) = from.filter(|_| many) {
            // Learned by reconciliation: neighbours are not pushed to, they are told to look.
            self.probe_others_soon(link);
        }
        self.moved();
    }

    /// `over`: which link it came over. `heard`: when it came. The store may have kept it waiting, and it grew older meanwhile.
    fn doc_durable(&mut self, doc: HeldDoc, over: LinkId, heard: Now) {
        let (author, kind, order) = (doc.author(), doc.kind, doc.doc.order());
        self.pending_docs.remove(&(author, kind, order));
        let age = Age::heard(doc.age.age_ms, heard);
        let (version, said) = (doc.doc.version, Arc::clone(&doc.said));
        let known = self.replica.doc(author, kind).is_some_and(|held| held.doc.contact == said.doc.contact);
        if self.replica.commit_doc(doc) == DocOutcome::Known {
            return;
        }
        self.ages.insert(author, kind, age);
        self.show_document(author, kind);
        if kind == DocKind::Detail {
            self.detail_changed(author);
        }
        // What it said before and there was no room for, there is no room for now.
        if author != self.me && (!known || self.peers.takes_hints()) {
            for address in &said.doc.contact {
                self.peers.add(address.clone(), false, Some(author), self.now.mono);
            }
        }
        self.kin_may_be_found(author);
        let carried = || (over == CARRIED).then(|| LABEL.to_owned());
        if let Some(label) = self.links.get(&over).map(|link| link.profile.label.clone()).or_else(carried) {
            self.via.insert(author, label);
        }
        self.receipt_due(author);
        self.count(Counter::BoardsTaken, 1);
        self.notify(Event::Board { node: author, version });
    }

    fn fork_durable(&mut self, log: LogId, proof: ForkProof) {
        let window = self.window(log.author, log.generation);
        let number = proof.number;
        let change = self.replica.prove_fork(log, proof, window);
        self.absorb(change);
        self.domain.set_frozen(log, self.replica.fork(log).is_some());
        self.question(log);
        self.count(Counter::Forks, 1);
        self.notify(Event::Forked { author: log.author, number });
        if log.author == self.me {
            self.forked_myself(log);
        }
        self.moved();
    }

    /// What the replica took back or wants back.
    pub(super) fn absorb(&mut self, change: Change) {
        for id in change.withdrawn {
            self.withdraw_said(id);
            self.asked_again();
            self.notify(Event::Withdrawn { author: id.log.author, number: id.number });
        }
        for log in change.dropped {
            self.domain.set_frozen(log, false);
        }
        for (log, first, last) in change.revive {
            self.revive(log, first, last);
        }
    }

    /// The state moved on: neighbours in step are no longer known to be.
    pub(super) fn moved(&mut self) {
        self.changed_at = self.now.mono;
        self.settle_probes();
        self.acknowledge_soon();
        if self.own.answered {
            self.acknowledgements_came();
        }
    }

    /// Bytes were refused; nothing changed. Told a few times, then only counted: an attack must not fill the log too.
    pub(super) fn reject(&mut self, link: LinkId, reason: &str) {
        self.count(Counter::Rejected, 1);
        let now = self.now.mono;
        let Some(state) = self.links.get_mut(&link) else { return };
        if now.since(state.refusals_since) >= REFUSALS_EVERY {
            (state.refusals, state.refusals_since) = (0, now);
        }
        state.refusals = state.refusals.saturating_add(1);
        let (refusals, node, stranger) = (state.refusals, state.node, state.greet_by.is_some());
        if refusals <= REFUSALS_TOLD_MAX {
            self.notify(Event::Rejected { node, reason: reason.to_owned() });
        }
        if stranger && refusals > STRANGER_REFUSALS_MAX {
            self.hang_up(link, "it presented no certificate and sent what can't be read");
        }
    }
}
