//! Views: the fold as people and programs read it, with ages and expiry, which the fold itself does not know.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::fact::{Deed, Fact, LineItem, PRIORITIES};
use super::field::{self, Kind, OPERATING, choice_of, field_of};
use super::item::LEVELS;
use super::pairs::Pairs;
use super::reading::{self, BEFORE_UNKNOWN, Reading, Readings, Subject, Value, basis_word};
use super::request::{Act, RequestState, Standing};
use super::service::AVAILABILITY;
use super::spoken::{Heard, Name, hear, name_of, spoken};
use super::supply::coverage::Coverage;
use super::unit::show_scaled;
use super::view::{HistoryView, LineView, NodeName, ObservationView, ReadingView, RequestView, Which};
use super::{Directory, Domain, EntryMeta, HeldDocument, VoidReason};
use crate::id::{DocKind, EntryId, FactId, NodeId};
use crate::time::{Now, UtcMillis};

/// A node's operating status as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operating {
    /// `open`, `limited`, `closed`, `evacuating`, `unknown`. `unknown` too when stale or void.
    pub word: &'static str,
    /// What it said last, where unknown only for age.
    pub was: Option<&'static str>,
    /// Why unknown: `two_stories`, `revoked`, `stale`, `never_said`.
    pub because: Option<&'static str>,
}

/// What a spoken id names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// This request.
    Found(FactId),
    /// Well formed, but no such request is held.
    NotFound,
    /// The check symbol is wrong; the requests held that are one slip away.
    Mistyped(Vec<FactId>),
    /// Two requests share it: about one in 887 million pairs.
    Ambiguous(Vec<FactId>),
}

impl Directory {
    /// The name of a node; its id where it has no certificate here.
    #[must_use]
    pub fn name(&self, node: NodeId) -> NodeName {
        let name = self.nodes.get(&node).map_or_else(|| node.to_string(), |entry| entry.name.clone());
        NodeName { id: node.to_string(), name }
    }

    pub(super) fn is_hub(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|entry| entry.hub)
    }
}

impl Domain {
    /// What a node says of itself, by name. `board_age_ms` and `detail_age_ms` are the ages of its documents in milliseconds,
    /// `None` where they can't be bounded. Levels are `stock.ITEM`, counts `stock.ITEM.count`.
    #[must_use]
    pub fn readings(
        &self,
        author: NodeId,
        board_age_ms: Option<u64>,
        detail_age_ms: Option<u64>,
    ) -> BTreeMap<String, ReadingView> {
        let mut views = BTreeMap::new();
        // The board last: where both state a thing, what everybody reads counts.
        for (kind, age_ms) in [(DocKind::Detail, detail_age_ms), (DocKind::Board, board_age_ms)] {
            if let Some(HeldDocument::Present { wall, payload, .. }) = self.documents.get(author, kind) {
                views.extend(self.views_of(&reading::decode(payload), *wall, age_ms));
            }
        }
        derive(&mut views);
        views
    }

    /// Whether a node runs, as far as its board can be believed at this age.
    #[must_use]
    pub fn operating_status(&self, author: NodeId, board_age_ms: Option<u64>) -> Operating {
        let unknown = |because| Operating { word: "unknown", was: None, because: Some(because) };
        let readings = match self.documents.get(author, DocKind::Board) {
            None => return unknown("never_said"),
            Some(HeldDocument::Void(VoidReason::TwoStories)) => return unknown("two_stories"),
            Some(HeldDocument::Void(VoidReason::Revoked)) => return unknown("revoked"),
            Some(HeldDocument::Present { payload, .. }) => reading::decode(payload),
        };
        let subject = Subject::Field(field::OPERATING_STATUS);
        let Some(reading) = readings.get(&subject) else { return unknown("never_said") };
        let Value::Number(number) = reading.value else { return unknown("never_said") };
        let word = choice_of(OPERATING, number).map_or("unknown", |word| word.code);
        if is_stale(age_s(reading, board_age_ms), reading.valid_s(&subject)) {
            return Operating { word: "unknown", was: Some(word), because: Some("stale") };
        }
        Operating { word, was: None, because: None }
    }

    /// The number that a node's board states for a field, where it still holds at this age.
    #[must_use]
    pub fn number_of(&self, author: NodeId, field: u32, board_age_ms: Option<u64>) -> Option<u64> {
        let Some(HeldDocument::Present { payload, .. }) = self.documents.get(author, DocKind::Board) else { return None };
        let subject = Subject::Field(field);
        let reading = reading::decode(payload).remove(&subject)?;
        let Value::Number(number) = reading.value else { return None };
        (!is_stale(age_s(&reading, board_age_ms), reading.valid_s(&subject))).then_some(number)
    }

    /// What others saw of a node, by observer. `age_of` gives the age of an entry in milliseconds, where it can be bounded.
    #[must_use]
    pub fn observations_of(
        &self,
        node: NodeId,
        directory: &Directory,
        age_of: &dyn Fn(EntryId) -> Option<u64>,
    ) -> Vec<ObservationView> {
        let views = self.live_about(node).into_iter().filter_map(|id| {
            let (meta, fact) = self.fact(id)?;
            let observation = self.observation(id)?;
            let entry_age = age_of(id.entry).filter(|_| fact.before_s != BEFORE_UNKNOWN);
            let age_ms = entry_age.map(|age| age.saturating_add(u64::from(fact.before_s) * 1_000));
            Some(ObservationView {
                by: directory.name(id.entry.log.author),
                person: self.person(id.entry),
                desk: fact.desk.clone(),
                note: observation.note.clone(),
                readings: self.views_of(&observation.readings, happened_at(meta, fact).unwrap_or(UtcMillis::UNKNOWN), age_ms),
                age_s: age_ms.map(|age| age / 1_000),
            })
        });
        views.collect()
    }

    /// Requests and their names: open ones first, then by priority, then by spoken id.
    #[must_use]
    pub fn requests(&self, directory: &Directory, now: Now, which: Which) -> Vec<(FactId, RequestView)> {
        let rank = |state: &RequestState<'_>| (state.standing != Standing::Open, state.need.priority);
        let waits = |id: &FactId| self.standing_of(*id) == Some(Standing::Open) && !self.is_fulfilled(*id);
        let shown = self.requests.keys().filter(|id| which == Which::All || waits(id));
        let states = shown.filter_map(|id| self.request_state(*id));
        let mut views: Vec<_> = states.map(|state| (rank(&state), state.id, self.view_of(&state, directory, now))).collect();
        views.sort_by(|(a, _, one), (b, _, other)| (a, &one.request).cmp(&(b, &other.request)));
        views.into_iter().map(|(_, id, view)| (id, view)).collect()
    }

    /// One request.
    #[must_use]
    pub fn request(&self, id: FactId, directory: &Directory, now: Now) -> Option<RequestView> {
        self.request_state(id).map(|state| self.view_of(&state, directory, now))
    }

    /// What a spoken id names, as typed or heard: case, spaces, dashes and `R-` do not matter.
    #[must_use]
    pub fn resolve(&self, typed: &str) -> Resolved {
        let names = self.names.get_or_init(|| {
            let mut names = Pairs::default();
            self.requests.keys().for_each(|id| names.insert(name_of(*id), *id));
            names
        });
        let held = |near: &[Name]| near.iter().flat_map(|name| names.of(*name)).collect::<Vec<FactId>>();
        match hear(typed) {
            Heard::Right(name) => match held(&[name]).as_slice() {
                [] => Resolved::NotFound,
                [one] => Resolved::Found(*one),
                many => Resolved::Ambiguous(many.to_vec()),
            },
            Heard::Wrong(near) => Resolved::Mistyped(held(&near)),
        }
    }

    fn views_of(&self, readings: &Readings, wall: UtcMillis, age_ms: Option<u64>) -> BTreeMap<String, ReadingView> {
        readings.iter().map(|(subject, reading)| (subject.name(), self.view_of_reading(subject, reading, wall, age_ms))).collect()
    }

    fn view_of_reading(&self, subject: &Subject, reading: &Reading, wall: UtcMillis, age_ms: Option<u64>) -> ReadingView {
        let valid_s = reading.valid_s(subject);
        let age_s = age_s(reading, age_ms);
        let (value, unit) = self.shown(subject, &reading.value);
        let known = wall.is_known() && reading.seen.before_s != BEFORE_UNKNOWN;
        ReadingView {
            value,
            unit,
            observed_at: known.then(|| UtcMillis(wall.0.saturating_sub(i64::from(reading.seen.before_s) * 1_000))),
            age_s,
            valid_s: u64::from(valid_s),
            stale: is_stale(age_s, valid_s),
            basis: basis_word(reading.seen.basis),
            derived: false,
        }
    }

    fn shown(&self, subject: &Subject, value: &Value) -> (Json, Option<String>) {
        let word = |words, number: u64| choice_of(words, number).map_or_else(|| Json::from(number), |word| Json::from(word.code));
        let number = match value {
            Value::Text(text) => return (Json::from(text.as_str()), None),
            Value::Raw(bytes) => return (Json::from(hex(bytes)), None),
            Value::Number(number) => *number,
        };
        match subject {
            Subject::Level(_) => (word(LEVELS, number), None),
            Subject::Service(_) => (word(AVAILABILITY, number), None),
            Subject::Count(code) | Subject::Floor(code) => {
                (Json::from(number), self.catalogue.item(code).map(|item| item.unit.clone()))
            }
            Subject::Field(id) => match field_of(*id).map(|field| field.value) {
                Some(Kind::Choice { words }) => (word(words, number), None),
                Some(Kind::Integer { unit, decimals, .. }) => (decimal(number, decimals), Some(unit.to_string())),
                Some(Kind::Text { .. }) | None => (Json::from(number), None),
            },
        }
    }

    fn view_of(&self, state: &RequestState<'_>, directory: &Directory, now: Now) -> RequestView {
        let first = state.history.first();
        let needed_by = utc(state.need.needed_by_s);
        let expired = needed_by.is_some_and(|by| now.wall.is_known() && by < now.wall) && state.standing == Standing::Open;
        let coverage = self.coverage(state.id);
        let acknowledged_by: Vec<NodeName> = state.acknowledged.keys().map(|node| directory.name(*node)).collect();
        let status = match state.standing {
            Standing::Duplicate => "duplicate",
            Standing::Closed => "closed",
            Standing::Cancelled => "cancelled",
            Standing::Open => open_word(&coverage, state, expired),
        };
        let mut flags = Vec::new();
        let mut flag = |on: bool, word: &str| flags.extend(on.then(|| word.to_string()));
        flag(coverage.lines.values().any(|line| line.requested > 0 && line.covered() > line.requested), "over_covered");
        flag(state.cancel_of_older_version, "cancel_of_older_version");
        flag(state.late_facts, "late_facts");
        flag(expired, "expired");
        flag(state.requester_frozen, "requester_frozen");
        flag(state.in_question, "in_question");
        flag(state.standing == Standing::Duplicate, &format!("duplicate_of:{}", spoken(state.canonical)));
        let acts = state.history.iter().map(|act| history_view(self, act, directory));
        let answers = coverage.unable.values().filter_map(|(_, id)| history_view_of(self, *id, directory));
        RequestView {
            request: spoken(state.id),
            consignee: directory.name(state.consignee),
            requested_by: directory.name(state.author),
            person: self.person(state.id.entry),
            to: state.to.map(|node| directory.name(node)),
            version: state.version,
            priority: choice_of(PRIORITIES, u64::from(state.need.priority)).map_or("routine", |word| word.code).to_string(),
            status: status.to_string(),
            lines: state.need.lines.iter().map(|line| self.covered_view(&line.item, line.requested, &coverage)).collect(),
            note: state.need.note.clone(),
            needed_by,
            asked_at: first.and_then(|act| happened_at(act.meta, act.fact)),
            desk: first.and_then(|act| act.fact.desk.clone()),
            flags,
            acknowledged_by,
            commitments: coverage.commitments.iter().map(|state| self.commitment_view(state, directory)).collect(),
            unable: coverage.unable.keys().map(|node| directory.name(*node)).collect(),
            history: acts.chain(answers).collect(),
            delivery: None,
        }
    }

    fn covered_view(&self, item: &LineItem, requested: u64, coverage: &Coverage) -> LineView {
        let covered = coverage.lines.get(item).copied().unwrap_or_default();
        LineView {
            committed: covered.committed,
            in_transit: covered.in_transit,
            accepted: covered.accepted,
            rejected: covered.rejected,
            damaged: covered.damaged,
            missing: covered.missing,
            ..self.line_view(item, requested)
        }
    }

    pub(super) fn line_view(&self, item: &LineItem, requested: u64) -> LineView {
        match item {
            LineItem::Code(code) => LineView {
                item: code.clone(),
                text: None,
                // An item of somebody else's catalogue: counted in ones.
                unit: self.catalogue.item(code).map_or_else(|| "C62".to_string(), |item| item.unit.clone()),
                requested,
                ..LineView::default()
            },
            LineItem::Other(text) => LineView {
                item: "other".to_string(),
                text: Some(text.clone()),
                unit: "H87".to_string(),
                requested,
                ..LineView::default()
            },
        }
    }
}

/// Headline of a request that stands: what its goods say, else whether time is up, else whether somebody answered.
fn open_word(coverage: &Coverage, state: &RequestState<'_>, expired: bool) -> &'static str {
    let asked_said_no = state.to.and_then(|to| coverage.unable.get(&to)).map(|(declined, _)| *declined);
    match coverage.headline() {
        Some(word) => word,
        None if expired => "expired",
        None if asked_said_no == Some(true) => "declined",
        None if asked_said_no == Some(false) => "unable_to_fill",
        None if state.acknowledged.is_empty() => "submitted",
        None => "acknowledged",
    }
}

/// One fact as a line of a history, by whoever wrote it.
pub(super) fn history_view_of(domain: &Domain, id: FactId, directory: &Directory) -> Option<HistoryView> {
    let (meta, fact) = domain.fact(id)?;
    let flagged = (!domain.is_authorised(id, fact)).then(|| "not_authorised".to_owned());
    let view = history_view(
        domain,
        &Act { id, fact, meta, version: fact.request_ref().map_or(0, |of| of.seen), flagged: None },
        directory,
    );
    let Deed::Supply(supply) = &fact.deed else { return Some(HistoryView { flagged, ..view }) };
    let (to, place) = (supply.goes_to().map(|to| directory.name(to)), supply.place().map(str::to_owned));
    Some(HistoryView { flagged, goods: domain.goods_named(supply), to, place, ..view })
}

fn history_view(domain: &Domain, act: &Act<'_>, directory: &Directory) -> HistoryView {
    let reason = act.fact.request_ref().and_then(|of| of.reason.clone());
    HistoryView {
        act: act.fact.kind().word().to_string(),
        by: directory.name(act.id.entry.log.author),
        person: domain.person(act.id.entry),
        version: act.version,
        at: happened_at(act.meta, act.fact),
        desk: act.fact.desk.clone(),
        reason: reason.or_else(|| note_of(act.fact)),
        flagged: act.flagged.map(|flagged| flagged.word().to_string()),
        goods: Vec::new(),
        to: None,
        place: None,
    }
}

fn note_of(fact: &Fact) -> Option<String> {
    match &fact.deed {
        Deed::Request(request) => request.need.note.clone(),
        Deed::Update(update) => update.need.note.clone(),
        Deed::Floor(_)
        | Deed::Cancel(_)
        | Deed::Confirm(_)
        | Deed::Close(_)
        | Deed::Acknowledge(_)
        | Deed::Observation(_)
        | Deed::Mode(_)
        | Deed::Order(_)
        | Deed::Scope(_) => None,
        Deed::Supply(supply) => supply.note().map(str::to_owned),
    }
}

/// Seconds UTC as a time.
pub(super) fn utc(seconds: Option<u64>) -> Option<UtcMillis> {
    seconds.map(|s| UtcMillis(i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000)))
}

/// When it was so, by the writer's clock.
pub(super) fn happened_at(meta: &EntryMeta, fact: &Fact) -> Option<UtcMillis> {
    let known = meta.wall.is_known() && fact.before_s != BEFORE_UNKNOWN;
    known.then(|| UtcMillis(meta.wall.0.saturating_sub(i64::from(fact.before_s) * 1_000)))
}

/// What follows from two readings of a node; a derived reading is as old as the older and holds as long as the shorter.
fn derive(views: &mut BTreeMap<String, ReadingView>) {
    let people = views.get("capacity.people").zip(views.get("capacity.occupancy"));
    let free = people.and_then(|(people, now)| {
        let free = people.value.as_u64()?.saturating_sub(now.value.as_u64()?);
        Some(derived(people, now, free, "C62"))
    });
    let hours = views.get("power.fuel").zip(views.get("power.burn")).and_then(|(fuel, burn)| {
        let tenths = tenths_of(&burn.value)?;
        let hours = fuel.value.as_u64()?.checked_mul(10)?.checked_div(tenths)?;
        Some(derived(fuel, burn, hours, "HUR"))
    });
    views.extend(free.map(|view| ("capacity.available".to_string(), view)));
    views.extend(hours.map(|view| ("power.hours".to_string(), view)));
}

fn derived(one: &ReadingView, other: &ReadingView, value: u64, unit: &str) -> ReadingView {
    ReadingView {
        value: Json::from(value),
        unit: Some(unit.to_string()),
        observed_at: one.observed_at.min(other.observed_at),
        age_s: one.age_s.zip(other.age_s).map(|(one, other)| one.max(other)),
        valid_s: one.valid_s.min(other.valid_s),
        stale: one.stale || other.stale,
        basis: "inferred".to_string(),
        derived: true,
    }
}

/// "8.5" as 85: the one number with a decimal that something is derived from.
fn tenths_of(value: &Json) -> Option<u64> {
    super::unit::parse_scaled(&value.to_string(), 1).ok()
}

fn decimal(value: u64, decimals: u8) -> Json {
    let shown = show_scaled(value, decimals);
    shown.parse::<serde_json::Number>().map_or_else(|_| Json::from(shown), Json::Number)
}

fn age_s(reading: &Reading, document_age_ms: Option<u64>) -> Option<u64> {
    let age_ms = document_age_ms.filter(|_| reading.seen.before_s != BEFORE_UNKNOWN)?;
    Some(age_ms.saturating_add(u64::from(reading.seen.before_s) * 1_000) / 1_000)
}

fn is_stale(age_s: Option<u64>, valid_s: u32) -> bool {
    age_s.is_none_or(|age| age > u64::from(valid_s))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
