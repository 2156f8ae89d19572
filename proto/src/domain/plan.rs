//! From a wish as typed to the bytes to sign: checks everything a person can get wrong, writes nothing itself.

use std::collections::BTreeMap;

use super::fact::{
    DESK_BYTES_MAX, Deed, Fact, LINES_MAX, Line, LineItem, NOTE_BYTES_MAX, Need, OTHER_BYTES_MAX, Observation, PRIORITIES,
    ROUTINE, Request, RequestRef, Update, encode_body,
};
use super::field::{self, choice_named, field_named, fields};
use super::item::{COUNT_MAX, Item, LEVELS};
use super::reading::{self, BASES, BEFORE_UNKNOWN, Reading, Readings, Seen, Subject, VALID_S_MAX, Value};
use super::refusal::Refusal;
use super::request::{RequestState, Standing};
use super::service::{AVAILABILITY, SERVICES, service_named};
use super::show::Resolved;
use super::supply::wishes::SupplyWish;
use super::unit::{NotANumber, parse_scaled};
use super::wish::{Act, JudgeWish, ModeWish, Observe, OrderWish, Report, RequestAct, RequestNew, RequestUpdate, ScopeWish};
use super::{Directory, Domain, HeldDocument, refusal, text};
use crate::id::{Class, DocKind, FactId, NodeId};
use crate::time::{Now, UtcMillis};

/// A clock may run ahead of ours by so much before "it was so at" counts as the future.
const AHEAD_MS_MAX: i64 = 60_000;
/// What is typed for the addressee where every hub is asked.
const EVERY_HUB: [&str; 2] = ["all", "全部"];
/// The same where every region is meant.
pub(super) const EVERYWHERE: [&str; 2] = EVERY_HUB;
/// Longest idempotency key as typed: a UUID with a prefix fits.
const KEY_BYTES_MAX: usize = 128;

/// What is wished, borrowed from the command.
#[derive(Clone, Copy, Debug)]
pub enum PlanInput<'a> {
    /// What this node says of itself.
    Report(&'a Report),
    /// A new resupply request.
    RequestNew(&'a RequestNew),
    /// A newer version of a request.
    RequestUpdate(&'a RequestUpdate),
    /// The need is gone.
    RequestCancel(&'a RequestAct),
    /// The need is met or given up.
    RequestClose(&'a RequestAct),
    /// The need still stands.
    RequestConfirm(&'a RequestAct),
    /// What somebody saw of another node.
    Observe(&'a Observe),
    /// This node works in another mode.
    Mode(&'a ModeWish),
    /// An authority, or who acts for it, orders a mode; how many seconds ago the one it acts for was last heard here.
    Order(&'a OrderWish, Option<u32>),
    /// An authority ratifies or countermands what was ordered in its stead.
    Judge(&'a JudgeWish),
    /// An authority names who acts for it.
    Scope(&'a ScopeWish),
    /// What a supplier, a carrier or a consignee wishes.
    Supply(&'a SupplyWish),
}

/// What a plan is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A request made by the body: its fact has this place in the entry.
    New {
        /// Place in the body, from 0.
        index: u8,
    },
    /// A request held.
    Held(FactId),
}

/// What to write: documents and at most one entry. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// New payload of the own board.
    pub board: Option<Vec<u8>>,
    /// New payload of the own detail.
    pub detail: Option<Vec<u8>>,
    /// New entry: body and class.
    pub body: Option<(Vec<u8>, Class)>,
    /// The request concerned.
    pub about: Option<About>,
    /// The same key was used before: this request stands for it, nothing is written.
    pub already: Option<FactId>,
}

impl Domain {
    /// Checks a wish of `me` and works out what to write. Changes nothing.
    ///
    /// # Errors
    /// [`Refusal`] says what is wrong and what to type instead.
    pub fn plan(&self, me: NodeId, directory: &Directory, wish: &PlanInput<'_>, now: Now) -> Result<Plan, Refusal> {
        if me.is_guest() && !matches!(wish, PlanInput::Report(_) | PlanInput::Mode(_)) {
            return Err(refusal::authority::only_a_guest());
        }
        match wish {
            PlanInput::Report(report) => self.plan_report(me, report, now),
            PlanInput::RequestNew(new) => self.plan_new(me, directory, new, now),
            PlanInput::RequestUpdate(update) => self.plan_update(me, update, now),
            PlanInput::RequestCancel(act) => self.plan_act(me, act, now, Deed::Cancel),
            PlanInput::RequestClose(act) => self.plan_act(me, act, now, Deed::Close),
            PlanInput::RequestConfirm(act) => self.plan_act(me, act, now, Deed::Confirm),
            PlanInput::Observe(observe) => self.plan_observe(me, directory, observe, now),
            PlanInput::Mode(wish) => self.plan_mode(me, wish, now),
            PlanInput::Order(wish, heard_s) => self.plan_order(me, directory, wish, *heard_s, now),
            PlanInput::Judge(wish) => self.plan_judge(me, directory, wish, now),
            PlanInput::Scope(wish) => self.plan_scope(me, directory, wish, now),
            PlanInput::Supply(input) => self.plan_supply(me, directory, input, now),
        }
    }

    /// The payload of an own document as it would be written now: the current readings, each as much older as time has passed
    /// by the author's clock. For boards that are issued again without a report.
    #[must_use]
    pub fn reissue(&self, me: NodeId, kind: DocKind, now: Now) -> Vec<u8> {
        reading::encode(&self.own_readings(me, kind, now))
    }

    pub(super) fn own_readings(&self, me: NodeId, kind: DocKind, now: Now) -> Readings {
        let Some(HeldDocument::Present { wall, payload, .. }) = self.documents.get(me, kind) else { return Readings::new() };
        // Both are lower bounds: the wall clock may have been set back, and the age is cut to whole seconds at each re-issue.
        let by_wall = seconds_between(*wall, now.wall);
        let passed = match self.own_ages.get(&kind) {
            Some(age_s) => age_s.map(|age_s| age_s.max(by_wall.unwrap_or(0))),
            None => by_wall,
        };
        let moved = |reading: &Reading| Reading {
            seen: Seen { before_s: passed.map_or(BEFORE_UNKNOWN, |s| reading.seen.before_s.saturating_add(s)), ..reading.seen },
            value: reading.value.clone(),
        };
        reading::decode(payload).into_iter().map(|(subject, reading)| (subject, moved(&reading))).collect()
    }

    fn plan_report(&self, me: NodeId, report: &Report, now: Now) -> Result<Plan, Refusal> {
        if report.values.is_empty() {
            return Err(refusal::nothing_given());
        }
        let (_, seen) = common(&report.act, now)?;
        let changes = self.read_values(&report.values)?;
        let mut plan = Plan::default();
        let (mut board, mut detail) = (self.own_readings(me, DocKind::Board, now), self.own_readings(me, DocKind::Detail, now));
        let mut touched = (false, false);
        for (subject, value) in changes {
            let (readings, touched) = match subject.document() {
                DocKind::Board => (&mut board, &mut touched.0),
                DocKind::Detail => (&mut detail, &mut touched.1),
            };
            // Written down late, it may not undo what was seen since.
            if readings.get(&subject).is_some_and(|held| held.seen.before_s < seen.before_s) {
                return Err(refusal::older_than_held(&subject.name()));
            }
            *touched |= match value {
                Some(value) => {
                    readings.insert(subject, Reading { value, seen });
                    true
                }
                None => readings.remove(&subject).is_some(),
            };
        }
        touched.0 |= note_hours(&report.values, &mut board, &detail);
        plan.board = touched.0.then(|| reading::encode(&board));
        plan.detail = touched.1.then(|| reading::encode(&detail));
        // Who switched the mode is a word of its own, also where it stands among other readings.
        if report.values.keys().any(|name| field_named(name).is_some_and(|field| field.id == field::NODE_MODE)) {
            let change = Self::staff_mode(&board).map(|change| body(&report.act, now, Deed::Mode(change)));
            plan.body = change.transpose()?;
        }
        Ok(plan)
    }

    /// Subjects and values of a report as typed; `None` withdraws.
    fn read_values(&self, values: &BTreeMap<String, String>) -> Result<BTreeMap<Subject, Option<Value>>, Refusal> {
        let mut changes = BTreeMap::new();
        for (name, typed) in values {
            if let Some(item) = name.trim().strip_prefix("stock.").and_then(|item| item.strip_suffix(".floor")) {
                let item = self.item_named(item)?;
                let kept = if typed.trim().is_empty() { None } else { Some(read_count(item, typed, true)?) };
                if changes.insert(Subject::Floor(item.code.clone()), kept.map(Value::Number)).is_some() {
                    return Err(refusal::item_twice(&item.code, &item.zh));
                }
            } else if let Some(item) = name.trim().strip_prefix("stock.") {
                // Under two of its names: which of the values is meant nobody can tell.
                for (subject, value) in self.read_stock(item, typed)? {
                    if changes.insert(subject, value).is_some() {
                        let item = self.item_named(item)?;
                        return Err(refusal::item_twice(&item.code, &item.zh));
                    }
                }
            } else if let Some(service) = name.trim().strip_prefix("service.") {
                let service = service_named(service).ok_or_else(|| refusal::unknown_service(service))?;
                let value = match typed.trim() {
                    "" => None,
                    word => {
                        Some(choice_named(AVAILABILITY, word).ok_or_else(|| refusal::unknown_word(name, word, AVAILABILITY))?)
                    }
                };
                changes.insert(Subject::Service(service.number), value.map(|word| Value::Number(u64::from(word.number))));
            } else {
                let field = field_named(name).ok_or_else(|| refusal::unknown_field(name, fields()))?;
                let value = match typed.trim() {
                    "" => None,
                    typed => Some(field.parse(typed).map_err(|unfit| refusal::unfit(field, typed, unfit))?),
                };
                changes.insert(Subject::Field(field.id), value);
            }
        }
        Ok(changes)
    }

    /// A level word sets the level and withdraws the count, which is outdated by it; a count sets both.
    fn read_stock(&self, name: &str, typed: &str) -> Result<[(Subject, Option<Value>); 2], Refusal> {
        let item = self.item_named(name)?;
        let (level, count) = match typed.trim() {
            "" => (None, None),
            word => match choice_named(LEVELS, word) {
                Some(level) => (Some(u64::from(level.number)), None),
                None => {
                    let count = read_count(item, word, true)?;
                    (Some(item.level(count)), Some(count))
                }
            },
        };
        let code = || item.code.clone();
        Ok([(Subject::Level(code()), level.map(Value::Number)), (Subject::Count(code()), count.map(Value::Number))])
    }

    pub(super) fn item_named(&self, name: &str) -> Result<&Item, Refusal> {
        self.catalogue.named(name).ok_or_else(|| refusal::unknown_item(name, &self.catalogue))
    }

    fn plan_new(&self, me: NodeId, directory: &Directory, new: &RequestNew, now: Now) -> Result<Plan, Refusal> {
        let consignee = new.on_behalf_of.as_deref().map(|name| directory.find(name)).transpose()?.filter(|node| *node != me);
        let to = new.to.as_deref().filter(|name| !EVERY_HUB.contains(&text::fold(name).as_str()));
        let to = to.map(|name| directory.find(name)).transpose()?;
        if to == Some(me) {
            return Err(refusal::asking_oneself());
        }
        let key = new.key.as_deref().map(key_of).transpose()?;
        if new.items.is_empty() {
            return Err(refusal::nothing_given());
        }
        let need = Need {
            priority: new.priority.as_deref().map(priority_of).transpose()?.unwrap_or(ROUTINE),
            lines: self.lines_of(&new.items)?,
            needed_by_s: None,
            note: note_of("note", new.note.as_deref())?,
        };
        if let Some(held) = key.and_then(|key| self.request_by_key(me, consignee.unwrap_or(me), key)) {
            // As it was first asked. The times are those of the retry: "6h" is later by then, and may have passed.
            let is_same = |first: &Request| first.to == to && Need { needed_by_s: None, ..first.need.clone() } == need;
            if self.fact(held).is_some_and(|(_, fact)| !matches!(&fact.deed, Deed::Request(first) if is_same(first))) {
                return Err(refusal::other_under_key(held));
            }
            return Ok(Plan { about: Some(About::Held(held)), already: Some(held), ..Plan::default() });
        }
        let need = Need { needed_by_s: new.needed_by.map(|by| needed_by(by, now)).transpose()?, ..need };
        let body = body(&new.act, now, Deed::Request(Request { need, consignee, to, key }))?;
        Ok(Plan { body: Some(body), about: Some(About::New { index: 0 }), ..Plan::default() })
    }

    fn plan_update(&self, me: NodeId, wish: &RequestUpdate, now: Now) -> Result<Plan, Refusal> {
        let state = self.own_request(me, &wish.request)?;
        refuse_ended(&state, true)?;
        if wish.items.is_empty() && wish.priority.is_none() && wish.needed_by.is_none() && wish.note.is_none() {
            return Err(refusal::nothing_given());
        }
        let seen = version_of(&state, wish.version)?;
        let lines = if wish.items.is_empty() { state.need.lines.clone() } else { self.lines_of(&wish.items)? };
        let need = Need {
            priority: wish.priority.as_deref().map(priority_of).transpose()?.unwrap_or(state.need.priority),
            lines,
            needed_by_s: wish.needed_by.map(|by| needed_by(by, now)).transpose()?.or(state.need.needed_by_s),
            note: if wish.note.is_some() { note_of("note", wish.note.as_deref())? } else { state.need.note.clone() },
        };
        let version = state.version.checked_add(1).ok_or_else(|| refusal::unknown_version(u32::MAX, state.version))?;
        let of = RequestRef { request: state.id, seen, reason: None };
        let body = body(&wish.act, now, Deed::Update(Update { of, version, need }))?;
        Ok(Plan { body: Some(body), about: Some(About::Held(state.id)), ..Plan::default() })
    }

    fn plan_act(&self, me: NodeId, wish: &RequestAct, now: Now, deed: fn(RequestRef) -> Deed) -> Result<Plan, Refusal> {
        let state = self.own_request(me, &wish.request)?;
        let seen = version_of(&state, wish.version)?;
        let of = RequestRef { request: state.id, seen, reason: note_of("reason", wish.reason.as_deref())? };
        let deed = deed(of);
        refuse_ended(&state, matches!(deed, Deed::Cancel(_)))?;
        if matches!(deed, Deed::Confirm(_)) && state.standing == Standing::Open && !state.cancel_of_older_version {
            return Err(refusal::nothing_to_confirm(state.id));
        }
        Ok(Plan { body: Some(body(&wish.act, now, deed)?), about: Some(About::Held(state.id)), ..Plan::default() })
    }

    fn plan_observe(&self, me: NodeId, directory: &Directory, wish: &Observe, now: Now) -> Result<Plan, Refusal> {
        let node = directory.find(&wish.node)?;
        if node == me {
            return Err(refusal::observing_oneself());
        }
        let (fact, seen) = common(&wish.act, now)?;
        let note = note_of("note", wish.note.as_deref())?;
        // When it was so stands in the fact; in the readings it would count twice.
        let seen = Seen { before_s: 0, ..seen };
        let values = self.read_values(&wish.values)?;
        let readings: Readings =
            values.into_iter().filter_map(|(subject, value)| Some((subject, Reading { value: value?, seen }))).collect();
        if readings.is_empty() && note.is_none() {
            return Err(refusal::nothing_given());
        }
        let wait_ms = self.observation_wait(me, node, now.wall);
        if wait_ms > 0 {
            let name = directory.nodes.get(&node).map_or_else(|| node.to_string(), |entry| format!("{} ({node})", entry.name));
            return Err(refusal::observed_often(&name, wait_ms));
        }
        let fact = Fact { deed: Deed::Observation(Observation { node, readings, note }), ..fact };
        Ok(Plan { body: Some((encode_body(std::slice::from_ref(&fact)), fact.class())), ..Plan::default() })
    }

    pub(super) fn lines_of(&self, items: &[String]) -> Result<Vec<Line>, Refusal> {
        if items.len() > LINES_MAX {
            return Err(refusal::too_many_lines(items.len()));
        }
        let lines: Vec<Line> = items.iter().map(|typed| self.line_of(typed)).collect::<Result<_, _>>()?;
        let twice = |(place, line): &(usize, &Line)| lines.iter().take(*place).any(|before| same_item(&before.item, &line.item));
        match lines.iter().enumerate().find(twice).map(|(_, line)| &line.item) {
            Some(LineItem::Other(what)) => Err(refusal::item_twice(what, what)),
            Some(LineItem::Code(code)) => {
                let item = self.catalogue.named(code);
                Err(item.map_or_else(|| refusal::item_twice(code, code), |item| refusal::item_twice(&item.code, &item.zh)))
            }
            None => Ok(lines),
        }
    }

    /// `water:40`, `water:3packs`, `other:TEXT=QTY`.
    fn line_of(&self, typed: &str) -> Result<Line, Refusal> {
        let unreadable = || refusal::unreadable_line(typed);
        let (name, rest) = typed.split_once([':', '：']).ok_or_else(unreadable)?;
        if text::fold(name) == "other" {
            let (what, quantity) = rest.rsplit_once(['=', '＝']).ok_or_else(unreadable)?;
            let what = text::clean(what, OTHER_BYTES_MAX).map_err(|bad| refusal::bad_text("other", OTHER_BYTES_MAX, bad))?;
            if what.is_empty() {
                return Err(unreadable());
            }
            let requested = parse_scaled(quantity, 0).map_err(|why| refusal::not_a_quantity(quantity, why, false))?;
            return Ok(Line { item: LineItem::Other(what.to_string()), requested: in_range(quantity, requested, false)? });
        }
        let item = self.item_named(name)?;
        Ok(Line { item: LineItem::Code(item.code.clone()), requested: read_count(item, rest, false)? })
    }

    /// The request meant, if it is this node's to change. Of requests written twice, the one that counts.
    fn own_request(&self, me: NodeId, typed: &str) -> Result<RequestState<'_>, Refusal> {
        let id = self.find_request(typed)?;
        let state = self.request_state(id).and_then(|state| self.request_state(state.canonical));
        let state = state.ok_or_else(|| refusal::request_not_found(typed))?;
        if state.author != me {
            return Err(refusal::not_yours(typed, state.author));
        }
        Ok(state)
    }

    /// The request a spoken id names.
    ///
    /// # Errors
    /// [`Refusal`] if it is not held, mistyped or ambiguous; candidates are listed.
    pub fn find_request(&self, typed: &str) -> Result<FactId, Refusal> {
        match self.resolve(typed) {
            Resolved::Found(id) => Ok(id),
            Resolved::NotFound => Err(refusal::request_not_found(typed)),
            Resolved::Mistyped(near) => Err(refusal::request_mistyped(typed, &near)),
            Resolved::Ambiguous(many) => Err(refusal::request_ambiguous(typed, &many)),
        }
    }
}

impl Directory {
    /// The node a person means: by id (`1-118`) or by name.
    ///
    /// # Errors
    /// [`Refusal`] if nobody or more than one answers to it.
    pub fn find(&self, typed: &str) -> Result<NodeId, Refusal> {
        let typed = typed.trim();
        if let Ok(id) = typed.parse::<NodeId>()
            && self.nodes.contains_key(&id)
        {
            return Ok(id);
        }
        let folded = text::fold(typed);
        let named: Vec<NodeId> =
            self.nodes.iter().filter(|(_, entry)| text::fold(&entry.name) == folded).map(|(id, _)| *id).collect();
        match named.as_slice() {
            [one] => Ok(*one),
            [] => Err(refusal::unknown_node(typed, self)),
            many => Err(refusal::ambiguous_node(typed, many)),
        }
    }
}

/// Whole seconds of the author's clock between two stamps; zero where it was set back, `None` where it knew no time. Each stamp
/// is rounded by itself, so that many small steps add up to the true sum.
fn seconds_between(earlier: UtcMillis, later: UtcMillis) -> Option<u32> {
    let known = earlier.is_known() && later.is_known();
    known.then(|| u32::try_from((later.0 / 1_000 - earlier.0 / 1_000).max(0)).unwrap_or(BEFORE_UNKNOWN))
}

/// Hours of fuel for everybody, from fuel and burn, which stand in the detail. True if the board changed.
fn note_hours(values: &BTreeMap<String, String>, board: &mut Readings, detail: &Readings) -> bool {
    let given = |name: &str| values.keys().any(|key| key.trim() == name);
    if given("power.hours") || !(given("power.fuel") || given("power.burn")) {
        return false;
    }
    let hours = Subject::Field(field::POWER_HOURS);
    let of = |id| detail.get(&Subject::Field(id));
    let (Some(fuel), Some(burn)) = (of(field::POWER_FUEL), of(field::POWER_BURN)) else {
        // One of them was withdrawn: the old figure no longer follows from anything said.
        return values.values().any(|value| value.trim().is_empty()) && board.remove(&hours).is_some();
    };
    let (Value::Number(litres), Value::Number(tenths)) = (&fuel.value, &burn.value) else { return false };
    let Some(left) = litres.saturating_mul(10).checked_div(*tenths) else { return board.remove(&hours).is_some() };
    let before_s = fuel.seen.before_s.max(burn.seen.before_s);
    let seen = Seen { before_s, valid_s: fuel.seen.valid_s, basis: INFERRED };
    board.insert(hours, Reading { value: Value::Number(left.min(10_000)), seen });
    true
}

/// Number of "inferred" in [`BASES`].
const INFERRED: u8 = 2;

pub(super) fn body(act: &Act, now: Now, deed: Deed) -> Result<(Vec<u8>, Class), Refusal> {
    let (fact, _) = common(act, now)?;
    let fact = Fact { deed, ..fact };
    Ok((encode_body(std::slice::from_ref(&fact)), fact.class()))
}

/// What every act has: desk, when, how known, how long it holds. The fact's deed is to be replaced.
pub(super) fn common(act: &Act, now: Now) -> Result<(Fact, Seen), Refusal> {
    let desk = act.desk.as_deref().map(|desk| text::clean(desk, DESK_BYTES_MAX)).transpose();
    let desk = desk.map_err(|bad| refusal::bad_text("desk", DESK_BYTES_MAX, bad))?.filter(|desk| !desk.is_empty());
    let before_s = match act.at {
        None => 0,
        Some(at) if !at.is_known() || !now.wall.is_known() => return Err(refusal::time_without_clock()),
        Some(at) if at.0.saturating_sub(now.wall.0) > AHEAD_MS_MAX => return Err(refusal::time_ahead()),
        Some(at) => {
            let before_s = u32::try_from(now.wall.since(at) / 1_000).ok().filter(|before_s| *before_s <= VALID_S_MAX);
            before_s.ok_or_else(refusal::time_long_past)?
        }
    };
    let basis = act.basis.as_deref().map(|word| {
        choice_named(BASES, word).map(|choice| choice.number).ok_or_else(|| refusal::unknown_word("basis", word, BASES))
    });
    let basis = u8::try_from(basis.transpose()?.unwrap_or(0)).unwrap_or(0);
    let valid_s = act.valid.as_deref().map(duration_s).transpose()?;
    let fact = Fact { desk: desk.map(str::to_string), before_s, basis, ..Fact::new(Deed::Acknowledge(Vec::new())) };
    Ok((fact, Seen { before_s, valid_s, basis }))
}

/// "90s", "30m", "2h", "1d": one second to 30 days.
pub(super) fn duration_s(typed: &str) -> Result<u32, Refusal> {
    let plain = typed.trim();
    let unit = plain.chars().last().ok_or_else(|| refusal::unreadable_duration(typed))?;
    let factor = match unit.to_ascii_lowercase() {
        's' | '秒' => 1,
        'm' | '分' => 60,
        'h' | '時' => 3_600,
        'd' | '天' => 86_400,
        _ => return Err(refusal::unreadable_duration(typed)),
    };
    let number = plain.strip_suffix(unit).unwrap_or_default();
    let seconds = parse_scaled(number, 0).ok().and_then(|number| number.checked_mul(factor));
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| (1..=VALID_S_MAX).contains(seconds));
    seconds.ok_or_else(|| refusal::unreadable_duration(typed))
}

fn priority_of(typed: &str) -> Result<u8, Refusal> {
    let word = choice_named(PRIORITIES, typed).ok_or_else(|| refusal::unknown_word("priority", typed, PRIORITIES))?;
    Ok(u8::try_from(word.number).unwrap_or(ROUTINE))
}

pub(super) fn note_of(name: &str, typed: Option<&str>) -> Result<Option<String>, Refusal> {
    let Some(typed) = typed else { return Ok(None) };
    let note = text::clean(typed, NOTE_BYTES_MAX).map_err(|bad| refusal::bad_text(name, NOTE_BYTES_MAX, bad))?;
    Ok((!note.is_empty()).then(|| note.to_string()))
}

pub(super) fn needed_by(by: UtcMillis, now: Now) -> Result<u64, Refusal> {
    if !by.is_known() || (now.wall.is_known() && by < now.wall) {
        return Err(refusal::needed_by_past());
    }
    Ok(u64::try_from(by.0 / 1_000).unwrap_or(0))
}

pub(super) fn key_of(typed: &str) -> Result<[u8; 8], Refusal> {
    let key = text::clean(typed, KEY_BYTES_MAX).map_err(|bad| refusal::bad_text("key", KEY_BYTES_MAX, bad))?;
    if key.is_empty() {
        return Err(refusal::bad_key());
    }
    Ok(blake3::hash(key.as_bytes()).as_bytes().first_chunk().copied().unwrap_or_default())
}

fn version_of(state: &RequestState<'_>, typed: Option<u32>) -> Result<u32, Refusal> {
    match typed {
        None => Ok(state.version),
        Some(version) if version == 0 || version > state.version => Err(refusal::unknown_version(version, state.version)),
        Some(version) => Ok(version),
    }
}

fn refuse_ended(state: &RequestState<'_>, cancelled_too: bool) -> Result<(), Refusal> {
    match state.standing {
        Standing::Closed => Err(refusal::already_closed(state.id)),
        Standing::Cancelled if cancelled_too => Err(refusal::already_cancelled(state.id)),
        Standing::Cancelled | Standing::Open | Standing::Duplicate => Ok(()),
    }
}

fn same_item(one: &LineItem, other: &LineItem) -> bool {
    match (one, other) {
        (LineItem::Code(one), LineItem::Code(other)) => one == other,
        (LineItem::Other(one), LineItem::Other(other)) => text::fold(one) == text::fold(other),
        (LineItem::Code(_), LineItem::Other(_)) | (LineItem::Other(_), LineItem::Code(_)) => false,
    }
}

/// A count in base units, or in packs where the item has a pack size.
fn read_count(item: &Item, typed: &str, zero_allowed: bool) -> Result<u64, Refusal> {
    let plain = typed.trim().to_lowercase();
    let in_packs = ["packs", "pack", "箱", "包"].into_iter().find_map(|suffix| plain.strip_suffix(suffix));
    let (number, size) = match (in_packs, item.pack_size) {
        (Some(number), Some(size)) => (number, size),
        (Some(_), None) => return Err(refusal::no_pack_size(item)),
        (None, _) => (plain.as_str(), 1),
    };
    let count = parse_scaled(number, 0).and_then(|count| count.checked_mul(size).ok_or(NotANumber::TooLarge));
    in_range(typed, count.map_err(|why| refusal::not_a_quantity(typed, why, zero_allowed))?, zero_allowed)
}

fn in_range(typed: &str, count: u64, zero_allowed: bool) -> Result<u64, Refusal> {
    if count > COUNT_MAX || (count == 0 && !zero_allowed) {
        return Err(refusal::absurd_quantity(typed));
    }
    Ok(count)
}

/// Codes and names of all services, for suggestions.
pub(crate) fn service_names() -> impl Iterator<Item = (&'static str, [&'static str; 3])> {
    SERVICES.iter().map(|service| (service.code, [service.code, service.en, service.zh]))
}
