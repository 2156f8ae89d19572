//! Modes, orders and who acts for whom: what such facts say, and their bytes. What counts of them is [`crate::domain::authority`]'s.
//!
//! | id | field | kinds |
//! | --- | --- | --- |
//! | 13 | reason, text <= 64 B | all |
//! | 40 | mode: number in [`MODE`] | mode; order, ratify, countermand: absent = none |
//! | 41 | cause: number in [`CAUSES`] | mode |
//! | 42 | the order followed, or followed no more: FactId, 15 B | mode |
//! | 43 | regions: bit n is region n, at least one | order, ratify, countermand |
//! | 44 | acting for: NodeId | order |
//! | 45 | seconds since the principal was last heard; absent = never | order that acts for another |
//! | 46 | the newest of the principal's acts that was seen: FactId; absent = none | order that acts for another |
//! | 47 | the order judged: FactId | ratify, countermand |
//! | 48 | deputies: list of NodeIds, the first first, each once, at most 8 | scope |
//! | 49 | seconds unheard after which they act | scope |

use super::super::field::{Choice, MODE, choice};
use super::{FactKind, NOTE_BYTES_MAX, clean, fact_id, node};
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::id::Regions;
use crate::id::{FactId, NodeId};

/// Deputies one authority may name.
pub const DEPUTIES_MAX: usize = 8;

/// Why a node changed its mode. Numbers are for ever.
pub const CAUSES: &[Choice] = &[
    choice(0, "staff", "by its own staff", "由據點人員"),
    choice(1, "order", "by an order", "依命令"),
    choice(2, "order_ended", "the order ended", "命令已終止"),
    choice(3, "silent", "central systems are silent", "中央系統沒有回應"),
    choice(4, "heard", "central systems answer again", "中央系統恢復回應"),
];
/// By its own staff.
pub const STAFF: u8 = 0;
/// An order is followed.
pub const ORDERED: u8 = 1;
/// The order that was followed is over.
pub const ORDER_ENDED: u8 = 2;
/// The central probe is silent and neighbours agree.
pub const SILENT: u8 = 3;
/// It answers again.
pub const HEARD: u8 = 4;

/// The author works in another mode now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// Number in [`MODE`].
    pub mode: u8,
    /// Number in [`CAUSES`].
    pub cause: u8,
    /// The order followed, or followed no more.
    pub order: Option<FactId>,
    /// In words.
    pub reason: Option<String>,
}

/// What became of a deputy's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judged {
    /// It is the principal's own.
    Ratified,
    /// It counts no more.
    Countermanded,
}

/// In which mode the nodes of some regions shall work. A ratification or countermand is one too: it says what holds from then on, so
/// that of an authority's acts the newest is always enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Number in [`MODE`]; absent: nothing is ordered any more.
    pub mode: Option<u8>,
    /// Where.
    pub regions: Regions,
    /// For which authority, where not for oneself.
    pub acting_for: Option<NodeId>,
    /// Seconds since that one was last heard by whoever acts for it; absent where it never was, or nobody could say.
    pub last_heard_s: Option<u32>,
    /// The newest of that one's acts that was seen.
    pub seen: Option<FactId>,
    /// A deputy's order, and what becomes of it.
    pub judged: Option<(Judged, FactId)>,
    /// In words.
    pub reason: Option<String>,
}

impl Order {
    pub(super) fn kind(&self) -> FactKind {
        match self.judged {
            None => FactKind::Order,
            Some((Judged::Ratified, _)) => FactKind::Ratify,
            Some((Judged::Countermanded, _)) => FactKind::Countermand,
        }
    }
}

/// Who acts for an authority that is not heard, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The first first; none ends it.
    pub deputies: Vec<NodeId>,
    /// After so many seconds unheard.
    pub after_s: u32,
}

pub(super) fn put_mode(out: &mut Writer, mode: &ModeChange) {
    out.maybe_text(13, mode.reason.as_deref()).uint(40, u64::from(mode.mode)).uint(41, u64::from(mode.cause));
    if let Some(order) = mode.order {
        out.bytes(42, &order.to_bytes());
    }
}

pub(super) fn put_order(out: &mut Writer, order: &Order) {
    out.maybe_text(13, order.reason.as_deref()).maybe_uint(40, order.mode.map(u64::from));
    out.uint(43, u64::from(order.regions.0));
    if let Some(principal) = order.acting_for {
        out.bytes(44, &principal.to_bytes());
    }
    out.maybe_uint(45, order.last_heard_s.map(u64::from));
    for (id, fact) in [(46, order.seen), (47, order.judged.map(|(_, fact)| fact))] {
        if let Some(fact) = fact {
            out.bytes(id, &fact.to_bytes());
        }
    }
}

pub(super) fn put_scope(out: &mut Writer, scope: &Scope) {
    out.list(48, scope.deputies.iter().map(|node| node.to_bytes())).uint(49, u64::from(scope.after_s));
}

fn maybe_fact(fields: &Fields<'_>, id: u32) -> Result<Option<FactId>, Malformed> {
    fields.get(id).map(fact_id).transpose()
}

fn maybe_mode(fields: &Fields<'_>) -> Result<Option<u8>, Malformed> {
    let known = |mode: u64| u8::try_from(mode).ok().filter(|mode| usize::from(*mode) < MODE.len()).ok_or(Malformed);
    fields.maybe_uint(40)?.map(known).transpose()
}

fn seconds(value: u64) -> Result<u32, Malformed> {
    u32::try_from(value).map_err(|_| Malformed)
}

pub(super) fn read_mode(fields: &Fields<'_>) -> Result<ModeChange, Malformed> {
    let mode = maybe_mode(fields)?.ok_or(Malformed)?;
    let cause = u8::try_from(fields.uint(41)?).ok().filter(|cause| usize::from(*cause) < CAUSES.len()).ok_or(Malformed)?;
    let order = maybe_fact(fields, 42)?;
    // What follows an order names it, and nothing else does.
    if order.is_some() != matches!(cause, ORDERED | ORDER_ENDED) {
        return Err(Malformed);
    }
    Ok(ModeChange { mode, cause, order, reason: clean(fields, 13, NOTE_BYTES_MAX)? })
}

pub(super) fn read_order(fields: &Fields<'_>, judged: Option<Judged>) -> Result<Order, Malformed> {
    let regions = Regions(u32::try_from(fields.uint(43)?).map_err(|_| Malformed)?);
    let fact = maybe_fact(fields, 47)?;
    let order = Order {
        mode: maybe_mode(fields)?,
        regions,
        acting_for: node(fields, 44)?,
        last_heard_s: fields.maybe_uint(45)?.map(seconds).transpose()?,
        seen: maybe_fact(fields, 46)?,
        judged: judged.zip(fact),
        reason: clean(fields, 13, NOTE_BYTES_MAX)?,
    };
    // Whoever judges speaks for itself; only who acts for another says what it knew of that one.
    let acts = order.acting_for.is_some();
    let sound = regions.0 != 0
        && judged.is_some() == fact.is_some()
        && !(acts && judged.is_some())
        && (acts || (order.last_heard_s.is_none() && order.seen.is_none()));
    if sound { Ok(order) } else { Err(Malformed) }
}

pub(super) fn read_scope(fields: &Fields<'_>) -> Result<Scope, Malformed> {
    let list = fields.list(48)?;
    let deputies: Vec<NodeId> = list
        .into_iter()
        .map(|bytes| bytes.try_into().map(NodeId::from_bytes).map_err(|_| Malformed))
        .collect::<Result<_, _>>()?;
    let distinct: std::collections::BTreeSet<&NodeId> = deputies.iter().collect();
    if deputies.len() > DEPUTIES_MAX || distinct.len() != deputies.len() {
        return Err(Malformed);
    }
    Ok(Scope { deputies, after_s: seconds(fields.uint(49)?)? })
}
