//! Our own words: planned by the domain, signed, made durable, and only then spoken and acknowledged. Keeps P4.
//!
//! One write is under way at a time; what arrives meanwhile goes together into the next. So a write that fails leaves no hole in
//! the chain: nothing stands on it yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::count::Counter;
use super::delivery::Ticket;
use super::ingest::{Age, Job};
use super::own::Mark;
use super::quota::Pace;
use super::{Node, refuse};
use crate::config::{BODY_BYTES_MAX, COMMANDS_MAX, FLOOR_AFTER, FLOOR_PERCENT};
use crate::control::{Command, CommandId, Delivery, DeliveryState, Event, Fault, Reply, Saved};
use crate::domain::refusal::Refusal;
use crate::domain::{About, Plan, PlanInput, make_acknowledge, make_floor};
use crate::id::{Class, DocKind, EntryId, FactId, Incarnation, NodeId};
use crate::identity::{RealmKind, Signed, Tag};
use crate::io::{AgeMark, EntryRow, Output, Row};
use crate::replica::{DocOutcome, Header, HeldDoc, SignedDoc, hash16};
use crate::time::{Instant, UtcMillis};

/// Commands that go into one write. The store syncs once for all of them.
const BATCH_MAX: usize = 256;
/// One Acknowledge entry in this time names all that is due (rule 13).
const ACKNOWLEDGE_EVERY: Duration = Duration::from_secs(60);
/// Automatic words wait so long after a start: peers may first tell what they hold of us (rule 7).
const SETTLE_AFTER_START: Duration = Duration::from_secs(2);
/// Automatic words wait so long after the store failed: a full disk stays full for a while.
const RETRY_AFTER_FAILURE: Duration = Duration::from_secs(10);
/// A floor that can't go all the way is raised only where it frees so large a part of the window: one in 16.
const FLOOR_WORTH: u32 = 16;
/// Tickets whose delivery is followed.
const TICKETS_MAX: usize = 64;

/// Saved, and no word that could be followed.
pub(super) fn plainly_saved(delivery: Delivery, already: bool) -> Reply {
    let schema = "holdfast.saved/1".to_owned();
    Reply::Saved(Box::new(Saved { schema, id: None, already, delivery, request: None, ticket: String::new() }))
}

/// What a command became, until the store answers.
#[derive(Clone, Debug)]
pub(super) struct Promise {
    pub(super) command: CommandId,
    pub(super) about: Option<FactId>,
    pub(super) already: bool,
    pub(super) ticket: Ticket,
}

/// Own documents as they will read once they are written.
pub(super) type Drafts = BTreeMap<DocKind, Bytes>;

/// One write under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    entries: Vec<(Header, EntryRow)>,
    docs: Vec<HeldDoc>,
    before: Vec<(DocKind, Option<Bytes>)>,
    pub(super) promises: Vec<Promise>,
    mark: Mark,
}

impl From<Mark> for Flight {
    /// With nothing in it yet; `mark` is where the chain stands if it fails.
    fn from(mark: Mark) -> Self {
        Self { entries: Vec::new(), docs: Vec::new(), before: Vec::new(), promises: Vec::new(), mark }
    }
}

impl Node {
    /// An operator's wish.
    pub(super) fn command(&mut self, id: CommandId, mut command: Command) {
        if let Command::Fault(fault) = command {
            let reply = self.fault(fault);
            return self.emit(Output::Reply { id, reply });
        }
        if let Command::Certify(handed) = &command {
            return self.certify(id, handed);
        }
        if self.own.queue.len() >= COMMANDS_MAX {
            let refusal = refuse::too_busy();
            return self.emit(Output::Reply { id, reply: Reply::Refused(refusal) });
        }
        if let Command::RequestNew(wish) = &mut command
            && wish.to.is_none()
        {
            wish.to = self.home_hub().map(|hub| hub.to_string());
        }
        self.own.queue.push_back((id, command));
    }

    /// The hub that requests without an addressee ask. One that is not certified as a hub here could answer nobody.
    pub(super) fn home_hub(&self) -> Option<NodeId> {
        let is_hub = |hub: &NodeId| self.known.directory().nodes.get(hub).is_some_and(|entry| entry.hub);
        self.config.home_hub.filter(|hub| *hub != self.me && is_hub(hub))
    }

    fn fault(&mut self, fault: Fault) -> Reply {
        if self.known.roster().kind() != RealmKind::Simulation {
            return Reply::Refused(refuse::no_faults_here());
        }
        let what = match fault {
            Fault::Cut { nodes } => {
                self.cut = nodes.into_iter().filter(|node| *node != self.me).collect();
                self.hang_up_cut();
                let names: Vec<String> = self.cut.iter().map(ToString::to_string).collect();
                format!("cut off from {}", names.join(", "))
            }
            Fault::Heal => {
                self.cut.clear();
                self.peers.retry_now(self.now.mono);
                "all cuts ended".to_owned()
            }
        };
        self.admit();
        self.notify(Event::Fault { what });
        let delivery = Delivery { state: DeliveryState::SavedHere, neighbours: 0, acknowledged_by: Vec::new() };
        plainly_saved(delivery, false)
    }

    /// When automatic words fall due.
    pub(super) fn write_deadline(&self) -> Option<Instant> {
        if self.own.in_flight || self.own.stopped.is_some() || !self.own.certified {
            return None;
        }
        let settled = self.own.started.map(|at| at.after(SETTLE_AFTER_START));
        let board = settled.filter(|_| self.wants_board());
        let again = self.own.started.filter(|_| !self.own.outranked.is_empty());
        let stamp = self.own.started.filter(|_| self.own.unstamped);
        let mode = settled.filter(|_| self.mode_may_change());
        let due = [self.own.acknowledge_at, board, mode, self.own.floor_at, again, stamp].into_iter().flatten().min()?;
        [self.own.not_before, self.waits_until()].into_iter().flatten().chain([due]).max()
    }

    /// A board must say where we can be reached.
    fn wants_board(&self) -> bool {
        !self.own.announce_board && !self.own.found
    }

    /// An entry was folded in: does it ask us for an acknowledgement, or bring us one?
    pub(super) fn asked_by(&mut self, entry: EntryId) {
        let hub = self.i_am_hub();
        let asks = self.domain.asked_in(entry).into_iter().filter(|id| self.domain.is_acknowledgement_due(*id, self.me, hub));
        self.own.asking.extend(asks);
        self.own.answered = self.own.answered || self.domain.acknowledges(entry, self.me);
    }

    /// An entry was taken back, or others are hubs now: what was settled may ask again, and an answer may count no longer.
    pub(super) fn asked_again(&mut self) {
        (self.own.asked, self.own.answered) = (true, true);
    }

    /// Requests may have come that are addressed to us.
    pub(super) fn acknowledge_soon(&mut self) {
        if self.own.acknowledge_at.is_some() {
            return;
        }
        let (any, asking) = (std::mem::take(&mut self.own.asked), std::mem::take(&mut self.own.asking));
        let (me, hub) = (self.me, self.i_am_hub());
        let due = asking.into_iter().any(|id| self.domain.is_acknowledgement_due(id, me, hub))
            || (any && !self.domain.acknowledgements_due(me, hub).is_empty());
        if !due {
            return;
        }
        let settled = self.own.started.map_or(self.now.mono, |at| at.after(SETTLE_AFTER_START));
        let paced = self.own.acknowledged.map_or(self.now.mono, |at| at.after(ACKNOWLEDGE_EVERY));
        self.own.acknowledge_at = Some(settled.max(paced).max(self.now.mono));
    }

    /// Whether our key signs for our name. Where two certificates contradict each other neither does, and nobody would believe us.
    pub(super) fn find_certified(&mut self) {
        let key = self.known.roster().usable_key(self.me, self.generation);
        let revoked = self.known.roster().is_revoked(self.me, self.generation);
        self.own.certified = !revoked && key.is_ok_and(|key| key == self.signer.public());
    }

    fn i_am_hub(&self) -> bool {
        self.known.directory().nodes.get(&self.me).is_some_and(|entry| entry.hub)
    }

    /// Starts the next write, if none is under way and something waits.
    pub(super) fn due_writes(&mut self) {
        if self.own.in_flight {
            return;
        }
        if self.waits_until().is_some() {
            return;
        }
        if self.own.unstamped {
            // Somebody who waits for an answer is worth another try.
            if !self.own.queue.is_empty() || !self.store_rests() {
                self.stamp_again();
            }
            return;
        }
        let automatic = self.write_deadline().is_some_and(|at| at <= self.now.mono);
        if self.own.queue.is_empty() && !automatic {
            return;
        }
        let mut flight = Flight::from(self.own.mark);
        let mut drafts = Drafts::new();
        let outranked = if self.own.certified { self.own.outranked.clone() } else { BTreeMap::new() };
        for (kind, payload) in outranked {
            self.open_incarnation(&mut flight);
            self.draft_again(kind, payload, &mut flight, &mut drafts);
        }
        for _ in 0..BATCH_MAX {
            let Some((id, command)) = self.own.queue.pop_front() else { break };
            if let Err(refusal) = self.carry_out(id, &command, &mut flight, &mut drafts) {
                self.emit(Output::Reply { id, reply: Reply::Refused(refusal) });
            }
        }
        if automatic {
            self.write_automatic(&mut flight, &mut drafts);
        }
        self.take_off(flight, drafts);
    }

    fn carry_out(&mut self, id: CommandId, command: &Command, flight: &mut Flight, drafts: &mut Drafts) -> Result<(), Refusal> {
        if let Some(cause) = &self.own.stopped {
            return Err(refuse::stopped(cause));
        }
        if !self.own.certified {
            let revoked = self.known.roster().is_revoked(self.me, self.generation);
            return Err(if revoked { refuse::revoked() } else { refuse::not_certified() });
        }
        if let Command::Draft(draft) = command {
            return self.draft_for_person(id, draft, flight);
        }
        if let Command::Act(act) = command {
            return self.act_of_person(id, act, flight, drafts);
        }
        let Some(input) = self.plan_input(command)? else { return Ok(()) };
        self.note_own_ages(drafts);
        self.domain.settle();
        let plan = self.domain.plan(self.me, self.known.directory(), &input, self.now)?;
        self.check_sizes(&plan)?;
        self.open_incarnation(flight);
        let Plan { board, detail, body, about, already } = plan;
        for (kind, payload) in [(DocKind::Board, board), (DocKind::Detail, detail)] {
            if let Some(payload) = payload {
                self.draft(kind, payload.into(), flight, drafts);
            }
        }
        let written = body.and_then(|(body, class)| self.append(body.into(), class, flight));
        let fact = already.or(match about {
            Some(About::Held(fact)) => Some(fact),
            Some(About::New { index }) => written.map(|entry| FactId { entry, index }),
            None => None,
        });
        let ticket = match (already, written) {
            (Some(fact), _) => Ticket::Fact(fact),
            (None, Some(entry)) => Ticket::Fact(FactId { entry, index: 0 }),
            (None, None) => Ticket::Board(self.own_log(self.own.mark.incarnation), self.own.mark.board),
        };
        flight.promises.push(Promise { command: id, about: fact, already: already.is_some(), ticket });
        Ok(())
    }

    /// Tells the domain how old our documents are; one drafted in this very write is new.
    pub(super) fn note_own_ages(&mut self, drafts: &Drafts) {
        for kind in [DocKind::Board, DocKind::Detail] {
            let fresh = drafts.contains_key(&kind) || self.replica.doc(self.me, kind).is_none();
            let age_ms = if fresh { Some(0) } else { self.doc_age(self.me, kind) };
            self.domain.note_own_age(kind, age_ms.map(|ms| u32::try_from(ms / 1_000).unwrap_or(u32::MAX)));
        }
    }

    pub(super) fn open_incarnation(&mut self, flight: &mut Flight) {
        self.own.written = true;
        if self.own.open {
            return;
        }
        let heard = self.replica.logs_of(self.me).map(|(id, _)| id.incarnation.count).max().unwrap_or(0);
        let count = self.own.heard.max(heard).max(self.own.mark.incarnation.count).saturating_add(1);
        let random = u16::try_from(self.rng.below(1 << 16)).unwrap_or(0);
        self.own.mark = Mark { incarnation: Incarnation { count, random }, ..Mark::default() };
        self.own.heard = count;
        self.own.open = true;
        flight.mark = self.own.mark;
        let cause = self.own.why_new.to_owned();
        self.notify(Event::Incarnation { count, cause });
    }

    pub(super) fn wall(&self) -> UtcMillis {
        // A clock that shows a time before this program was built is known to be wrong, and stamps nothing.
        if self.now.wall < self.config.clock_floor { UtcMillis::UNKNOWN } else { self.now.wall }
    }

    /// Signs the next entry and folds it in here. It is not spoken before the store has it.
    pub(super) fn append(&mut self, body: Bytes, class: Class, flight: &mut Flight) -> Option<EntryId> {
        let log = self.own_log(self.own.mark.incarnation);
        let number = self.own.mark.number.checked_add(1)?;
        let header = Header {
            id: EntryId { log, number },
            prev: self.own.mark.hash,
            class,
            closed: false,
            urgent: self.own.mark.urgent.saturating_add(u32::from(class.is_urgent())),
            wall: self.wall(),
            body_hash: *blake3::hash(&body).as_bytes(),
            extra: Bytes::new(),
        };
        let bytes = header.to_bytes();
        let signed = Signed::seal(&mut self.signer, self.known.roster(), self.me, self.generation, Tag::Entry, bytes.clone());
        let Ok(signed) = signed else {
            self.bug("own key does not sign for own name");
            return None;
        };
        let age = AgeMark { age_ms: Some(0), at: self.now.wall };
        let signature = signed.get().signature;
        self.own.mark.number = number;
        self.own.mark.hash = hash16(&bytes);
        self.own.mark.urgent = header.urgent;
        self.own.flying.push(header.id);
        let meta = crate::domain::EntryMeta { id: header.id, class, closed: false, wall: header.wall };
        self.fold_said(&meta, crate::domain::read_body(&meta, &body), crate::identity::Act::of_body(&body));
        let row = EntryRow { id: header.id, header: bytes, signature, body: Some(body), age };
        let id = header.id;
        flight.entries.push((header, row));
        Some(id)
    }

    /// Notes the new readings of a document and shows them to the domain, so that the next report builds on them.
    pub(super) fn draft(&mut self, kind: DocKind, payload: Bytes, flight: &mut Flight, drafts: &mut Drafts) {
        if !drafts.contains_key(&kind) {
            let held = self.replica.doc(self.me, kind).map(|doc| doc.doc.readings.clone());
            flight.before.push((kind, held));
            let version = match kind {
                DocKind::Board => &mut self.own.mark.board,
                DocKind::Detail => &mut self.own.mark.detail,
            };
            *version = version.saturating_add(1);
        }
        let version = if kind == DocKind::Board { self.own.mark.board } else { self.own.mark.detail };
        let wall = self.wall();
        self.domain.set_document(self.me, kind, crate::domain::Document::Present { version, wall, payload: &payload });
        drafts.insert(kind, payload);
    }

    /// The same for readings that are issued again, not reported. A document that everybody would refuse is not issued: what was
    /// said before stands, and grows older where it is.
    fn draft_again(&mut self, kind: DocKind, payload: Bytes, flight: &mut Flight, drafts: &mut Drafts) {
        if self.fits(kind, &payload) {
            self.draft(kind, payload, flight, drafts);
        } else {
            self.own.outranked.remove(&kind);
        }
    }

    fn write_automatic(&mut self, flight: &mut Flight, drafts: &mut Drafts) {
        let now = self.now.mono;
        if self.own.acknowledge_at.is_some_and(|at| at <= now) {
            self.own.acknowledge_at = None;
            self.own.asking.clear();
            let due = self.domain.acknowledgements_due(self.me, self.i_am_hub());
            if !due.is_empty() {
                self.own.acknowledged = Some(now);
                // Not all may fit, and the store may refuse it: look again.
                self.own.asked = true;
                self.open_incarnation(flight);
                let (body, class) = make_acknowledge(&due);
                self.append(body.into(), class, flight);
            }
        }
        let settled = self.own.started.is_some_and(|at| at.after(SETTLE_AFTER_START) <= now);
        if settled && self.wants_board() {
            self.own.announce_board = true;
            self.note_own_ages(drafts);
            let payload = Bytes::from(self.domain.reissue(self.me, DocKind::Board, self.now));
            let said = self.replica.doc(self.me, DocKind::Board).map(|doc| &doc.doc.contact);
            // Where not all addresses fit, the same ones need not be said again.
            if said != Some(&self.own_document(DocKind::Board, payload.clone()).contact) {
                self.open_incarnation(flight);
                self.draft_again(DocKind::Board, payload, flight, drafts);
            }
        }
        if settled && self.mode_may_change() {
            self.write_mode(flight, drafts);
        }
        if self.own.floor_at.is_some_and(|at| at <= now) {
            self.raise_floor(flight);
        }
    }

    /// Puts settled facts below the floor: the author only, over its own logbook only.
    fn raise_floor(&mut self, flight: &mut Flight) {
        self.own.floor_at = Some(self.now.mono.after(FLOOR_AFTER));
        let Some(log) = self.current_log().filter(|_| self.own.mark.number > 0) else { return };
        // The entry that states the floor is the first that stands above it.
        let mut number = self.own.mark.number.saturating_add(1);
        let mut previous = self.own.mark.hash;
        let (body, class) = loop {
            let stay = self.domain.unsettled(log, number);
            let floor = crate::domain::Floor { incarnation: log.incarnation, number, previous, stay: stay.clone() };
            let (body, class) = make_floor(floor);
            if body.len() <= BODY_BYTES_MAX {
                break (body, class);
            }
            // Not all that stay can be named: only as far as they can. Where that frees little, the rest of the window is left for
            // words; a person is told when it runs short.
            let Some(lower) = stay.get((stay.len() * BODY_BYTES_MAX / body.len()).saturating_sub(1)) else { return };
            let held = self.replica.log(log);
            let now = held.map_or(1, crate::replica::Log::floor_number);
            let worth = now.saturating_add(self.window(self.me, self.generation) / FLOOR_WORTH);
            let before = held.and_then(|held| held.slot(lower - 1)).filter(|_| *lower >= worth);
            let Some(before) = before else { return };
            (number, previous) = (*lower, before.hash);
        };
        self.append(body.into(), class, flight);
    }

    /// Signs the drafted documents and hands everything to the store.
    fn take_off(&mut self, mut flight: Flight, drafts: Drafts) {
        for (kind, readings) in drafts {
            let doc = self.own_document(kind, readings);
            let tag = match kind {
                DocKind::Board => Tag::Board,
                DocKind::Detail => Tag::Detail,
            };
            let bytes = doc.to_bytes();
            let signed = Signed::seal(&mut self.signer, self.known.roster(), self.me, self.generation, tag, bytes.clone());
            let Ok(signed) = signed else {
                self.bug("own key does not sign for own name");
                continue;
            };
            let age = AgeMark { age_ms: Some(0), at: self.now.wall };
            let (hash, signature) = (hash16(&bytes), signed.get().signature);
            flight.docs.push(HeldDoc { said: Arc::new(SignedDoc { doc, kind, bytes, signature, hash }), age });
        }
        if flight.entries.is_empty() && flight.docs.is_empty() {
            // Nothing new was said: answers to repeated keys need no disk.
            return self.fulfil(flight.promises);
        }
        let mut rows: Vec<Row> = flight.entries.iter().map(|(_, row)| Row::Entry(row.clone())).collect();
        for doc in &flight.docs {
            let (author, kind) = (self.me, doc.kind);
            rows.push(Row::Doc { slot: 1, doc: None, author, kind });
            rows.push(Row::Doc { slot: 0, doc: Some(doc.row()), author, kind });
        }
        self.own.in_flight = true;
        self.persist(rows, Some(self.new_stamp()), Job::Own(Box::new(flight)));
    }

    /// Writes a stamp without words, where the one on disk does not cover what the store holds.
    pub(super) fn stamp_again(&mut self) {
        if self.own.unstamped && !self.own.in_flight {
            self.own.in_flight = true;
            let flight = Flight::from(self.own.mark);
            self.persist(Vec::new(), Some(self.new_stamp()), Job::Own(Box::new(flight)));
        }
    }

    /// Our words are durable: now they count, are spoken and acknowledged.
    pub(super) fn own_durable(&mut self, flight: Flight) {
        self.own.in_flight = false;
        self.own.unstamped = false;
        self.own.flying.clear();
        for (header, row) in flight.entries {
            let Some(read) = self.read_row(&row) else {
                self.bug("an entry of our own that can't be read");
                continue;
            };
            self.fold_in(&read, row.age, true);
            if self.replica.log(header.id.log).is_none_or(|log| log.slot(header.id.number).is_none()) {
                // A freeze came first: it does not count here, as it does not with anybody else.
                self.withdraw_said(header.id);
            }
            self.spread(&read, row.age, None, Pace::Prompt);
            self.count(Counter::EntriesWritten, 1);
            self.notify(Event::Entries { author: self.me, first: header.id.number, count: 1 });
        }
        for doc in flight.docs {
            let (kind, version) = (doc.kind, doc.doc.version);
            self.spread_doc(&doc, None, Pace::Prompt);
            if self.own.open && doc.doc.log.incarnation == self.own.mark.incarnation {
                self.own.outranked.remove(&kind);
            }
            if self.replica.commit_doc(doc) != DocOutcome::Known {
                self.ages.insert(self.me, kind, Age::heard(Some(0), self.now));
                self.show_document(self.me, kind);
                if kind == DocKind::Detail {
                    self.detail_changed(self.me);
                }
            }
            self.count(Counter::BoardsWritten, 1);
            self.notify(Event::Board { node: self.me, version });
        }
        self.moved();
        self.fulfil(flight.promises);
        let crowded =
            self.current_log().and_then(|log| self.replica.log(log)).is_some_and(|log| log.window_percent() >= FLOOR_PERCENT);
        if crowded {
            self.own.floor_at = Some(self.now.mono);
        }
    }

    /// The store kept nothing: take everything back. Nothing was spoken, nothing stands on it.
    pub(super) fn own_failed(&mut self, flight: Flight, cause: &str) {
        self.own.in_flight = false;
        self.own.flying.clear();
        for (header, _) in &flight.entries {
            self.withdraw_said(header.id);
            self.asked_again();
        }
        for (kind, _) in flight.before {
            if self.replica.doc(self.me, kind).is_some() {
                self.show_document(self.me, kind);
            } else {
                self.domain.set_document(self.me, kind, crate::domain::Document::Absent);
            }
        }
        self.own.mark = flight.mark;
        self.own.announce_board = false;
        self.own.orders_seen = None;
        self.acknowledge_soon();
        for promise in flight.promises {
            let refusal = refuse::not_saved(cause);
            self.emit(Output::Reply { id: promise.command, reply: Reply::Refused(refusal) });
        }
        if self.own.unstamped {
            // They waited for the stamp alone, and nothing can be written without it.
            for (id, _) in std::mem::take(&mut self.own.queue) {
                self.emit(Output::Reply { id, reply: Reply::Refused(refuse::not_saved(cause)) });
            }
        }
    }

    /// The store refused a write: nothing automatic is tried for a while, or a full disk and all neighbours would be kept busy
    /// with what can't be kept.
    pub(super) fn rest_store(&mut self) {
        let until = self.now.mono.after(RETRY_AFTER_FAILURE);
        self.own.not_before = Some(until);
        for place in self.links.greeted().places() {
            if let Some(link) = self.links.at_mut(place) {
                link.probe_at = Some(until);
            }
        }
    }

    /// True while the store is left alone.
    pub(super) fn store_rests(&self) -> bool {
        self.own.not_before.is_some_and(|until| self.now.mono < until)
    }

    fn fulfil(&mut self, promises: Vec<Promise>) {
        for promise in promises {
            let mut request = promise.about.and_then(|fact| self.request_view(fact));
            if let Some(request) = &mut request {
                // It stands once, beside the request.
                request.delivery = None;
            }
            let is_request = request.is_some();
            let schema = if is_request { "holdfast.request/1" } else { "holdfast.saved/1" };
            let saved = Saved {
                schema: schema.to_owned(),
                id: request.as_ref().map(|request| request.request.clone()).or_else(|| self.fact_name(promise.ticket)),
                already: promise.already,
                delivery: self.delivery(promise.ticket),
                request,
                ticket: promise.ticket.to_string(),
            };
            self.own.tickets.push_back((promise.ticket, saved.delivery.clone()));
            if self.own.tickets.len() > TICKETS_MAX {
                self.own.tickets.pop_front();
            }
            self.emit(Output::Reply { id: promise.command, reply: Reply::Saved(Box::new(saved)) });
        }
    }

    fn plan_input<'a>(&self, command: &'a Command) -> Result<Option<PlanInput<'a>>, Refusal> {
        Ok(Some(match command {
            Command::Report(wish) => PlanInput::Report(wish),
            Command::RequestNew(wish) => PlanInput::RequestNew(wish),
            Command::RequestUpdate(wish) => PlanInput::RequestUpdate(wish),
            Command::RequestCancel(wish) => PlanInput::RequestCancel(wish),
            Command::RequestClose(wish) => PlanInput::RequestClose(wish),
            Command::RequestConfirm(wish) => PlanInput::RequestConfirm(wish),
            Command::Observe(wish) => PlanInput::Observe(wish),
            Command::Mode(wish) => PlanInput::Mode(wish),
            Command::Order(wish) => self.plan_order(wish)?,
            Command::Judge(wish) => PlanInput::Judge(wish),
            Command::Scope(wish) => PlanInput::Scope(wish),
            Command::Supply(wish) => PlanInput::Supply(wish),
            Command::Fault(_)
            | Command::Certify(_)
            | Command::CourierOut(_)
            | Command::CourierIn(_)
            | Command::Draft(_)
            | Command::Act(_) => return Ok(None),
        }))
    }
}
