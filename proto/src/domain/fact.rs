//! Facts: what can be said in a logbook, one row per kind, and their bytes. Not what they mean together: that is the fold.
//!
//! A body is `{1: list of facts}`; a fact is canonical fields:
//!
//! | id | field | kinds |
//! | --- | --- | --- |
//! | 0 | kind | all |
//! | 1 | desk, text <= 32 B | all |
//! | 2 | seconds before the entry's wall stamp; 2^32-1 = can't be bounded | all |
//! | 3 | basis | all |
//! | 8 | priority, absent = routine | request, update |
//! | 9 | lines: list of {1: item or 2: free text, 3: base units} | request, update |
//! | 10 | needed by, seconds UTC | request, update |
//! | 11 | consignee, 4 B, absent = author | request |
//! | 12 | addressee, 4 B, absent = all hubs | request |
//! | 13 | note or reason, text <= 64 B | all but floor and acknowledge |
//! | 14 | idempotency key, first 8 B of its BLAKE3 | request |
//! | 16 | the request: FactId, 15 B | update, cancel, confirm, close |
//! | 17 | version made | update |
//! | 18 | version seen | update, cancel, confirm, close |
//! | 19 | facts acknowledged: list of FactIds, 15 B each | acknowledge |
//! | 20 | node observed, 4 B | observation |
//! | 21 | readings, as in a document | observation |
//! | 24 | incarnation, 4 B | floor |
//! | 25 | number | floor |
//! | 26 | hash of the entry before it, 16 B | floor |
//! | 27 | lower numbers that stay: list of gaps | floor |
//! | 40 to 49 | see [`order`] | mode, order, ratify, countermand, scope |
//! | 60 to 69 | see [`supply`] | commit to refuse |

mod floor;
mod kind;
pub mod order;
pub mod supply;

use super::field::{Choice, choice};
use super::item::{COUNT_MAX, is_code};
use super::reading::{self, Readings, basis_of};
use super::text;
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::config::FACTS_MAX;
use crate::id::{Class, FactId, NodeId};

pub use floor::Floor;
pub use kind::FactKind;
pub use order::{Judged, ModeChange, Order, Scope};
pub use supply::Supply;

/// Longest desk label in bytes.
pub const DESK_BYTES_MAX: usize = 32;
/// Longest note or reason in bytes.
pub const NOTE_BYTES_MAX: usize = 64;
/// Longest free text of a line in bytes.
pub const OTHER_BYTES_MAX: usize = 64;
/// Lines in one request.
pub const LINES_MAX: usize = 16;

/// How urgent a need is (ICS-213RR and Sahana). Numbers are for ever; in order of urgency.
pub const PRIORITIES: &[Choice] = &[
    choice(0, "immediate", "at once", "最速件"),
    choice(1, "urgent", "urgent", "速件"),
    choice(2, "routine", "normal", "普通件"),
    choice(3, "low", "can wait", "不急"),
];
/// Where nothing is said.
pub const ROUTINE: u8 = 2;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Who sat at the desk.
    pub desk: Option<String>,
    /// Seconds before the entry's wall stamp; [`reading::BEFORE_UNKNOWN`] where that can't be bounded.
    pub before_s: u32,
    /// Number in [`reading::BASES`].
    pub basis: u8,
    /// What was done.
    pub deed: Deed,
}

/// What a fact says was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See [`FactKind::Floor`].
    Floor(Floor),
    /// See [`FactKind::RequestResource`].
    Request(Request),
    /// See [`FactKind::UpdateRequest`].
    Update(Update),
    /// See [`FactKind::CancelRequest`].
    Cancel(RequestRef),
    /// See [`FactKind::ConfirmStillNeeded`].
    Confirm(RequestRef),
    /// See [`FactKind::CloseRequest`].
    Close(RequestRef),
    /// See [`FactKind::Acknowledge`]: what was received, ascending.
    Acknowledge(Vec<FactId>),
    /// See [`FactKind::Observation`].
    Observation(Observation),
    /// See [`FactKind::ModeChange`].
    Mode(ModeChange),
    /// See [`FactKind::Order`], [`FactKind::Ratify`] and [`FactKind::Countermand`].
    Order(Order),
    /// See [`FactKind::AuthorityScope`].
    Scope(Scope),
    /// What a supplier, a carrier or a consignee says: see [`FactKind::CommitResource`] to [`FactKind::Refuse`].
    Supply(Supply),
}

/// What is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Number in [`PRIORITIES`].
    pub priority: u8,
    /// 1 to 16.
    pub lines: Vec<Line>,
    /// Seconds UTC by the author's clock.
    pub needed_by_s: Option<u64>,
    /// Free text.
    pub note: Option<String>,
}

/// One line of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub item: LineItem,
    /// Base units, 1 to [`COUNT_MAX`].
    pub requested: u64,
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineItem {
    /// An item code, in this node's catalogue or not.
    Code(String),
    /// In words, where no item fits; counted in pieces.
    Other(String),
}

/// A resupply request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub need: Need,
    /// The node the goods are for, where not the author.
    pub consignee: Option<NodeId>,
    /// The node asked; all hubs where absent.
    pub to: Option<NodeId>,
    /// Retrying with the same key adds nothing.
    pub key: Option<[u8; 8]>,
}

/// A newer version: the whole need as it now is, so that no older version is needed to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Which request, which version was seen.
    pub of: RequestRef,
    /// Version made, from 2.
    pub version: u32,
    /// What; its note stands in `of`.
    pub need: Need,
}

/// A reference to a request, with the version that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRef {
    /// Which.
    pub request: FactId,
    /// From 1.
    pub seen: u32,
    /// Why; unused in an update.
    pub reason: Option<String>,
}

/// What was seen of another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which node.
    pub node: NodeId,
    /// What was seen.
    pub readings: Readings,
    /// In words.
    pub note: Option<String>,
}

/// One place in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A fact that counts.
    Fact(Box<Fact>),
    /// Kept and carried, folded nowhere.
    Inert(Inert),
}

/// Why a fact has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Inert {
    /// Of a later version.
    #[error("kind {0} is not known to this version: kept and carried, not interpreted")]
    UnknownKind(u64),
    /// A field is missing, out of range or not canonical.
    #[error("a field is missing, out of range or not canonical")]
    Malformed,
    /// The body as a whole can't be split into facts.
    #[error("the body can't be split into facts")]
    Body,
    /// More facts than one body may have.
    #[error("beyond the {FACTS_MAX} facts one body may have")]
    TooMany,
    /// A guest says it, and may not.
    #[error("a guest says only how it is itself")]
    OfGuest,
    /// The entry's header states a class its facts do not have.
    #[error("the entry states another class than its facts have")]
    WrongClass,
    /// An open kind in a closed entry.
    #[error("this kind may not stand in a closed entry")]
    Closed,
    /// Somebody says it through a node who has no delegation for it.
    #[error("who says it through this node has no delegation for it")]
    NotDelegated,
}

impl Fact {
    /// A fact of now, by nobody named.
    #[must_use]
    pub fn new(deed: Deed) -> Self {
        Self { desk: None, before_s: 0, basis: 0, deed }
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        match &self.deed {
            Deed::Floor(_) => FactKind::Floor,
            Deed::Request(_) => FactKind::RequestResource,
            Deed::Update(_) => FactKind::UpdateRequest,
            Deed::Cancel(_) => FactKind::CancelRequest,
            Deed::Confirm(_) => FactKind::ConfirmStillNeeded,
            Deed::Close(_) => FactKind::CloseRequest,
            Deed::Acknowledge(_) => FactKind::Acknowledge,
            Deed::Observation(_) => FactKind::Observation,
            Deed::Mode(_) => FactKind::ModeChange,
            Deed::Order(order) => order.kind(),
            Deed::Scope(_) => FactKind::AuthorityScope,
            Deed::Supply(supply) => supply.kind(),
        }
    }

    /// How urgently it travels: by its kind, and for a need by its priority.
    #[must_use]
    pub fn class(&self) -> Class {
        let of_need = |need: &Need| if need.priority < ROUTINE { Class::URGENT } else { Class::ROUTINE };
        match &self.deed {
            Deed::Floor(_) | Deed::Cancel(_) | Deed::Confirm(_) | Deed::Order(_) => Class::URGENT,
            Deed::Request(request) => of_need(&request.need),
            Deed::Update(update) => of_need(&update.need),
            Deed::Close(_) | Deed::Mode(_) | Deed::Scope(_) => Class::ROUTINE,
            Deed::Acknowledge(_) | Deed::Observation(_) => Class::DEFERRED,
            Deed::Supply(supply) => supply.class(),
        }
    }

    /// The request it acts on, where it acts on one.
    #[must_use]
    pub fn request_ref(&self) -> Option<&RequestRef> {
        match &self.deed {
            Deed::Update(update) => Some(&update.of),
            Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => Some(of),
            Deed::Floor(_)
            | Deed::Request(_)
            | Deed::Acknowledge(_)
            | Deed::Observation(_)
            | Deed::Mode(_)
            | Deed::Order(_)
            | Deed::Scope(_) => None,
            Deed::Supply(supply) => supply.request_ref(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.uint(0, u64::from(self.kind().number())).maybe_text(1, self.desk.as_deref());
        out.maybe_uint(2, (self.before_s != 0).then_some(u64::from(self.before_s)));
        out.maybe_uint(3, (self.basis != 0).then_some(u64::from(self.basis)));
        match &self.deed {
            Deed::Floor(floor) => floor::put(&mut out, floor),
            Deed::Mode(mode) => order::put_mode(&mut out, mode),
            Deed::Order(order) => order::put_order(&mut out, order),
            Deed::Scope(scope) => order::put_scope(&mut out, scope),
            Deed::Supply(supply) => supply::put(&mut out, supply),
            Deed::Request(request) => {
                put_need(&mut out, &request.need);
                for (id, node) in [(11, request.consignee), (12, request.to)] {
                    if let Some(node) = node {
                        out.bytes(id, &node.to_bytes());
                    }
                }
                out.maybe_text(13, request.need.note.as_deref());
                if let Some(key) = &request.key {
                    out.bytes(14, key);
                }
            }
            Deed::Update(update) => {
                put_need(&mut out, &update.need);
                out.maybe_text(13, update.need.note.as_deref());
                out.bytes(16, &update.of.request.to_bytes()).uint(17, u64::from(update.version));
                out.uint(18, u64::from(update.of.seen));
            }
            Deed::Cancel(of) | Deed::Confirm(of) | Deed::Close(of) => {
                out.maybe_text(13, of.reason.as_deref());
                out.bytes(16, &of.request.to_bytes()).uint(18, u64::from(of.seen));
            }
            Deed::Acknowledge(facts) => {
                out.list(19, facts.iter().map(|fact| fact.to_bytes()));
            }
            Deed::Observation(observation) => {
                out.maybe_text(13, observation.note.as_deref());
                out.bytes(20, &observation.node.to_bytes());
                if !observation.readings.is_empty() {
                    out.bytes(21, &reading::encode(&observation.readings));
                }
            }
        }
        out.finish()
    }
}

/// What goods are called: field 1 or 2 of whatever names them.
pub(super) fn put_item(out: &mut Writer, item: &LineItem) {
    match item {
        LineItem::Code(code) => out.text(1, code),
        LineItem::Other(text) => out.text(2, text),
    };
}

fn item(fields: &Fields<'_>) -> Result<LineItem, Malformed> {
    match (fields.maybe_text(1)?, clean(fields, 2, OTHER_BYTES_MAX)?) {
        (Some(code), None) if is_code(code) => Ok(LineItem::Code(code.to_string())),
        (None, Some(text)) if !text.is_empty() => Ok(LineItem::Other(text)),
        _ => Err(Malformed),
    }
}

fn put_need(out: &mut Writer, need: &Need) {
    out.maybe_uint(8, (need.priority != ROUTINE).then_some(u64::from(need.priority)));
    out.list(
        9,
        need.lines.iter().map(|line| {
            let mut item = Writer::new();
            put_item(&mut item, &line.item);
            item.uint(3, line.requested);
            item.finish()
        }),
    );
    out.maybe_uint(10, need.needed_by_s);
}

/// Writes a body of 1 to [`FACTS_MAX`] facts.
#[must_use]
pub fn encode_body(facts: &[Fact]) -> Vec<u8> {
    let mut out = Writer::new();
    out.list(1, facts.iter().map(Fact::encode));
    out.finish()
}

/// Reads a body. A malformed fact makes only itself inert.
#[must_use]
pub fn decode_body(body: &[u8]) -> Vec<Decoded> {
    let Ok(facts) = Fields::parse(body).and_then(|fields| fields.list(1)) else { return vec![Decoded::Inert(Inert::Body)] };
    facts
        .into_iter()
        .enumerate()
        .take(FACTS_MAX + 1)
        .map(|(place, bytes)| match decode_fact(bytes) {
            _ if place >= FACTS_MAX => Decoded::Inert(Inert::TooMany),
            Ok(fact) => Decoded::Fact(Box::new(fact)),
            Err(inert) => Decoded::Inert(inert),
        })
        .collect()
}

/// The class the known facts of a body imply: that of the most urgent. `None` where it holds no known fact.
#[must_use]
pub fn class_of(body: &[u8]) -> Option<Class> {
    implied_class(&decode_body(body))
}

pub(crate) fn implied_class(facts: &[Decoded]) -> Option<Class> {
    let classes = facts.iter().filter_map(|decoded| match decoded {
        Decoded::Fact(fact) => Some(fact.class()),
        Decoded::Inert(_) => None,
    });
    classes.min()
}

/// How a fact that sets a floor begins: field 0, one byte, the kind. No other fact can begin so.
const FLOOR_BEGINS: [u8; 3] = [0, 1, 1];

/// The floors a body sets. Every entry is asked and hardly any sets one, so only what is one is read.
#[must_use]
pub fn floor_of(body: &[u8]) -> Vec<Floor> {
    let facts = Fields::parse(body).and_then(|fields| fields.list(1)).unwrap_or_default();
    let floors = facts.into_iter().take(FACTS_MAX).filter(|bytes| bytes.starts_with(&FLOOR_BEGINS));
    let floors = floors.filter_map(|bytes| {
        let Deed::Floor(floor) = decode_fact(bytes).ok()?.deed else { return None };
        Some(floor)
    });
    floors.collect()
}

/// A body that raises a floor.
#[must_use]
pub fn make_floor(floor: Floor) -> (Vec<u8>, Class) {
    let fact = Fact::new(Deed::Floor(floor));
    (encode_body(std::slice::from_ref(&fact)), fact.class())
}

/// Bodies that acknowledge what was received, as few as hold them all; see [`FACTS_PER_ACKNOWLEDGE`].
#[must_use]
pub fn make_acknowledge(facts: &[FactId]) -> (Vec<u8>, Class) {
    let mut facts: Vec<FactId> = facts.iter().copied().take(FACTS_PER_ACKNOWLEDGE).collect();
    facts.sort();
    facts.dedup();
    let fact = Fact::new(Deed::Acknowledge(facts));
    (encode_body(std::slice::from_ref(&fact)), fact.class())
}

/// FactIds one Acknowledge names at most: 16 B each, in a body of 8 KiB. What is beyond waits for the next.
pub const FACTS_PER_ACKNOWLEDGE: usize = 500;

fn decode_fact(bytes: &[u8]) -> Result<Fact, Inert> {
    let fields = Fields::parse(bytes).map_err(|_| Inert::Malformed)?;
    let number = fields.uint(0).map_err(|_| Inert::Malformed)?;
    let kind = FactKind::of(number).ok_or(Inert::UnknownKind(number))?;
    decode_known(kind, &fields).map_err(|_| Inert::Malformed)
}

fn decode_known(kind: FactKind, fields: &Fields<'_>) -> Result<Fact, Malformed> {
    let deed = match kind {
        FactKind::Floor => Deed::Floor(floor::read(fields)?),
        FactKind::RequestResource => Deed::Request(Request {
            need: need(fields)?,
            consignee: node(fields, 11)?,
            to: node(fields, 12)?,
            key: fields.get(14).map(|key| <[u8; 8]>::try_from(key).map_err(|_| Malformed)).transpose()?,
        }),
        FactKind::UpdateRequest => {
            let version = u32::try_from(fields.uint(17)?).ok().filter(|version| *version >= 2).ok_or(Malformed)?;
            let of = RequestRef { reason: None, ..request_ref(fields)? };
            Deed::Update(Update { of, version, need: need(fields)? })
        }
        FactKind::CancelRequest => Deed::Cancel(request_ref(fields)?),
        FactKind::ConfirmStillNeeded => Deed::Confirm(request_ref(fields)?),
        FactKind::CloseRequest => Deed::Close(request_ref(fields)?),
        FactKind::Acknowledge => Deed::Acknowledge(acknowledged(fields)?),
        FactKind::Observation => {
            let payload = fields.get(21).unwrap_or_default();
            if !reading::is_laid_out(payload) {
                return Err(Malformed);
            }
            let node = node(fields, 20)?.ok_or(Malformed)?;
            Deed::Observation(Observation { node, readings: reading::decode(payload), note: clean(fields, 13, NOTE_BYTES_MAX)? })
        }
        FactKind::ModeChange => Deed::Mode(order::read_mode(fields)?),
        FactKind::Order => Deed::Order(order::read_order(fields, None)?),
        FactKind::Ratify => Deed::Order(order::read_order(fields, Some(Judged::Ratified))?),
        FactKind::Countermand => Deed::Order(order::read_order(fields, Some(Judged::Countermanded))?),
        FactKind::AuthorityScope => Deed::Scope(order::read_scope(fields)?),
        FactKind::CommitResource
        | FactKind::ReleaseCommitment
        | FactKind::UnableToFill
        | FactKind::DeclineRequest
        | FactKind::PlanConsignment
        | FactKind::Load
        | FactKind::Depart
        | FactKind::Position
        | FactKind::Arrive
        | FactKind::HandOver
        | FactKind::Divert
        | FactKind::Lost
        | FactKind::Unload
        | FactKind::ReturnGoods
        | FactKind::Receive
        | FactKind::Refuse => Deed::Supply(supply::read(kind, fields)?),
    };
    Ok(Fact {
        desk: clean(fields, 1, DESK_BYTES_MAX)?,
        before_s: u32::try_from(fields.maybe_uint(2)?.unwrap_or(0)).map_err(|_| Malformed)?,
        basis: basis_of(fields.maybe_uint(3)?)?,
        deed,
    })
}

fn clean(fields: &Fields<'_>, id: u32, bytes_max: usize) -> Result<Option<String>, Malformed> {
    match fields.maybe_text(id)? {
        Some(said) if !text::is_clean(said, bytes_max) => Err(Malformed),
        said => Ok(said.map(str::to_string)),
    }
}

fn node(fields: &Fields<'_>, id: u32) -> Result<Option<NodeId>, Malformed> {
    fields.get(id).map(|bytes| bytes.try_into().map(NodeId::from_bytes).map_err(|_| Malformed)).transpose()
}

fn fact_id(bytes: &[u8]) -> Result<FactId, Malformed> {
    bytes.try_into().map(FactId::from_bytes).map_err(|_| Malformed)
}

fn request_ref(fields: &Fields<'_>) -> Result<RequestRef, Malformed> {
    let seen = u32::try_from(fields.uint(18)?).ok().filter(|seen| *seen >= 1).ok_or(Malformed)?;
    Ok(RequestRef { request: fact_id(fields.bytes(16)?)?, seen, reason: clean(fields, 13, NOTE_BYTES_MAX)? })
}

fn need(fields: &Fields<'_>) -> Result<Need, Malformed> {
    let priority = fields.maybe_uint(8)?.map_or(Ok(ROUTINE), u8::try_from).map_err(|_| Malformed)?;
    let lines = fields.list(9)?;
    if lines.is_empty() || lines.len() > LINES_MAX || usize::from(priority) >= PRIORITIES.len() {
        return Err(Malformed);
    }
    let lines = lines.into_iter().map(line).collect::<Result<_, _>>()?;
    Ok(Need { priority, lines, needed_by_s: fields.maybe_uint(10)?, note: clean(fields, 13, NOTE_BYTES_MAX)? })
}

fn line(bytes: &[u8]) -> Result<Line, Malformed> {
    let fields = Fields::parse(bytes)?;
    let item = item(&fields)?;
    let requested = fields.uint(3)?;
    if requested == 0 || requested > COUNT_MAX {
        return Err(Malformed);
    }
    Ok(Line { item, requested })
}

fn acknowledged(fields: &Fields<'_>) -> Result<Vec<FactId>, Malformed> {
    let facts = fields.list(19)?.into_iter().map(fact_id).collect::<Result<Vec<_>, _>>()?;
    // Ascending and each once: one set, one spelling.
    if facts.is_empty() || !facts.is_sorted_by(|a, b| a < b) {
        return Err(Malformed);
    }
    Ok(facts)
}
