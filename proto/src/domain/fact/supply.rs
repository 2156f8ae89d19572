//! Promises, journeys and receipts: what such facts say, and their bytes. What follows from them is [`crate::domain::supply`]'s.
//!
//! | id | field | kinds |
//! | --- | --- | --- |
//! | 13 | note or reason, text <= 64 B | all |
//! | 14 | idempotency key, first 8 B of its BLAKE3 | commit |
//! | 16 | the request: FactId, 15 B | commit, unable to fill, decline; divert: absent = none |
//! | 18 | version seen | commit, unable to fill, decline |
//! | 60 | goods: list of {1: item or 2: free text, 3: base units} | commit, hand over; release, lost, return: absent = all |
//! | 61 | estimated arrival, seconds UTC | commit, plan |
//! | 62 | the commitment: FactId | release |
//! | 63 | cause: number in [`CAUSES`] | release |
//! | 64 | consignee: NodeId | plan, divert |
//! | 65 | carrier: NodeId, absent = author | plan |
//! | 66 | loads: list of {1: commitment, absent = sent unasked, 2: goods} | plan |
//! | 67 | the consignment: FactId | load to refuse |
//! | 68 | where, text <= 64 B | position |
//! | 69 | counts: list of {1: item or 2: free text, 3: accepted, 4: rejected, 5: damaged, 6: missing} | receive |

use super::super::field::{Choice, choice};
use super::super::item::COUNT_MAX;
use super::{FactKind, LINES_MAX, LineItem, NOTE_BYTES_MAX, RequestRef, clean, fact_id, item, node, put_item, request_ref};
use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::id::{Class, FactId, NodeId};

/// Commitments that one consignment may carry goods of.
pub const LOADS_MAX: usize = 16;

/// Why a promise is taken back. Numbers are for ever.
pub const CAUSES: &[Choice] = &[
    choice(0, "not_needed", "not needed", "不需要了"),
    choice(1, "shortfall", "the goods are not there", "貨品不足"),
    choice(2, "other", "another reason", "其他原因"),
];
/// Others cover it, or the need is gone.
pub const NOT_NEEDED: u8 = 0;

/// So much of something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// What.
    pub item: LineItem,
    /// Base units, 1 to [`COUNT_MAX`].
    pub quantity: u64,
}

/// The author will send these goods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// For which request, which version was seen, and a note.
    pub of: RequestRef,
    /// What, each item once.
    pub goods: Vec<Amount>,
    /// When they are to be there.
    pub arrival_s: Option<u64>,
    /// Retrying with the same key adds nothing.
    pub key: Option<[u8; 8]>,
}

/// The author takes a promise back, or part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Which.
    pub commitment: FactId,
    /// What of it; all that is left where empty.
    pub goods: Vec<Amount>,
    /// Number in [`CAUSES`].
    pub cause: u8,
    /// In words.
    pub reason: Option<String>,
}

/// An addressed node will not send anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unable {
    /// Which request, which version was seen, and why.
    pub of: RequestRef,
    /// It does not want to; else it can't.
    pub declined: bool,
}

/// Goods of one commitment, or sent unasked, in a consignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Of which promise; absent: of none.
    pub commitment: Option<FactId>,
    /// What, each item once.
    pub goods: Vec<Amount>,
}

/// Goods that go on one journey to one consignee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consign {
    /// Who signs for them.
    pub to: NodeId,
    /// Who drives and writes the later acts, where not the author.
    pub carrier: Option<NodeId>,
    /// What.
    pub loads: Vec<Load>,
    /// When they are to be there.
    pub arrival_s: Option<u64>,
    /// In words.
    pub note: Option<String>,
}

/// What happened on a journey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The goods are on the vehicle.
    Load,
    /// It left.
    Depart,
    /// Where it is.
    Position(String),
    /// It is there.
    Arrive,
    /// These goods were handed over.
    HandOver(Vec<Amount>),
    /// It goes to somebody else.
    Divert {
        /// Who signs for the goods now.
        to: NodeId,
        /// For which request.
        request: Option<FactId>,
    },
    /// These goods are lost; all where empty.
    Lost(Vec<Amount>),
    /// It does not leave: the goods are off the vehicle again.
    Unload,
    /// These goods are back at the author's; all that was not received where empty.
    Return(Vec<Amount>),
}

/// One act of whoever sends or carries a consignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    /// Which.
    pub consignment: FactId,
    /// What happened.
    pub step: Step,
    /// In words.
    pub note: Option<String>,
}

/// How much of an item came, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What.
    pub item: LineItem,
    /// Taken in.
    pub accepted: u64,
    /// Sent back.
    pub rejected: u64,
    /// Unusable.
    pub damaged: u64,
    /// Not there.
    pub missing: u64,
}

impl Counted {
    /// All of it.
    #[must_use]
    pub fn sum(&self) -> u64 {
        [self.accepted, self.rejected, self.damaged, self.missing].into_iter().fold(0, u64::saturating_add)
    }
}

/// The consignee signs for what came, or takes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of which consignment.
    pub consignment: FactId,
    /// Each item once; empty: everything is refused.
    pub counts: Vec<Counted>,
    /// In words.
    pub reason: Option<String>,
}

/// What a supplier, a carrier or a consignee says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supply {
    /// A promise.
    Commit(Commit),
    /// Less of it.
    Release(Release),
    /// None.
    Unable(Unable),
    /// A journey.
    Consign(Consign),
    /// An act on it.
    Journey(Journey),
    /// Its end.
    Receive(Receipt),
}

impl Supply {
    pub(super) fn kind(&self) -> FactKind {
        match self {
            Self::Commit(_) => FactKind::CommitResource,
            Self::Release(_) => FactKind::ReleaseCommitment,
            Self::Unable(Unable { declined: false, .. }) => FactKind::UnableToFill,
            Self::Unable(Unable { declined: true, .. }) => FactKind::DeclineRequest,
            Self::Consign(_) => FactKind::PlanConsignment,
            Self::Journey(journey) => match journey.step {
                Step::Load => FactKind::Load,
                Step::Depart => FactKind::Depart,
                Step::Position(_) => FactKind::Position,
                Step::Arrive => FactKind::Arrive,
                Step::HandOver(_) => FactKind::HandOver,
                Step::Divert { .. } => FactKind::Divert,
                Step::Lost(_) => FactKind::Lost,
                Step::Unload => FactKind::Unload,
                Step::Return(_) => FactKind::ReturnGoods,
            },
            Self::Receive(receipt) if receipt.counts.is_empty() => FactKind::Refuse,
            Self::Receive(_) => FactKind::Receive,
        }
    }

    /// Commit, release and what recalls goods go ahead of what only informs (`domain.md` 2.6).
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Commit(_) | Self::Release(_) | Self::Receive(_) => Class::URGENT,
            Self::Unable(_) | Self::Consign(_) => Class::ROUTINE,
            Self::Journey(journey) => match journey.step {
                Step::Divert { .. } | Step::HandOver(_) | Step::Lost(_) | Step::Depart => Class::URGENT,
                Step::Load | Step::Arrive | Step::Unload | Step::Return(_) => Class::ROUTINE,
                Step::Position(_) => Class::DEFERRED,
            },
        }
    }

    /// The request a promise or an answer is about.
    pub(super) fn request_ref(&self) -> Option<&RequestRef> {
        match self {
            Self::Commit(commit) => Some(&commit.of),
            Self::Unable(unable) => Some(&unable.of),
            Self::Release(_) | Self::Consign(_) | Self::Journey(_) | Self::Receive(_) => None,
        }
    }

    /// The commitment or consignment it changes, where it changes one.
    #[must_use]
    pub fn acts_on(&self) -> Option<FactId> {
        match self {
            Self::Release(release) => Some(release.commitment),
            Self::Journey(journey) => Some(journey.consignment),
            Self::Receive(receipt) => Some(receipt.consignment),
            Self::Commit(_) | Self::Unable(_) | Self::Consign(_) => None,
        }
    }

    /// To whom goods go from then on, where it says so.
    #[must_use]
    pub fn goes_to(&self) -> Option<NodeId> {
        match self {
            Self::Consign(consign) => Some(consign.to),
            Self::Journey(Journey { step: Step::Divert { to, .. }, .. }) => Some(*to),
            Self::Journey(_) | Self::Commit(_) | Self::Release(_) | Self::Unable(_) | Self::Receive(_) => None,
        }
    }

    /// Where a convoy is, where it says so.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        if let Self::Journey(Journey { step: Step::Position(place), .. }) = self { Some(place) } else { None }
    }

    /// What was said beside it, in words.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Commit(Commit { of, .. }) | Self::Unable(Unable { of, .. }) => of.reason.as_deref(),
            Self::Release(release) => release.reason.as_deref(),
            Self::Consign(consign) => consign.note.as_deref(),
            Self::Journey(journey) => journey.note.as_deref(),
            Self::Receive(receipt) => receipt.reason.as_deref(),
        }
    }
}

pub(super) fn put(out: &mut Writer, supply: &Supply) {
    let (journey, receipt) = match supply {
        Supply::Journey(journey) => (Some(journey), None),
        Supply::Receive(receipt) => (None, Some(receipt)),
        Supply::Commit(_) | Supply::Release(_) | Supply::Unable(_) | Supply::Consign(_) => (None, None),
    };
    out.maybe_text(13, supply.note());
    if let Supply::Commit(Commit { key: Some(key), .. }) = supply {
        out.bytes(14, key);
    }
    let diverted_to = if let Some(Step::Divert { request, .. }) = journey.map(|journey| &journey.step) { *request } else { None };
    if let Some(request) = diverted_to.or_else(|| supply.request_ref().map(|of| of.request)) {
        out.bytes(16, &request.to_bytes());
    }
    out.maybe_uint(18, supply.request_ref().map(|of| u64::from(of.seen)));
    match supply {
        Supply::Commit(commit) => {
            put_goods(out, 60, &commit.goods);
            out.maybe_uint(61, commit.arrival_s);
        }
        Supply::Release(release) => {
            put_goods(out, 60, &release.goods);
            out.bytes(62, &release.commitment.to_bytes()).uint(63, u64::from(release.cause));
        }
        Supply::Consign(consign) => put_consign(out, consign),
        Supply::Unable(_) | Supply::Journey(_) | Supply::Receive(_) => {}
    }
    if let Some(journey) = journey {
        put_step(out, journey);
    }
    if let Some(receipt) = receipt {
        out.bytes(67, &receipt.consignment.to_bytes());
        out.list(69, receipt.counts.iter().map(counted_to_bytes));
    }
}

fn put_consign(out: &mut Writer, consign: &Consign) {
    out.maybe_uint(61, consign.arrival_s).bytes(64, &consign.to.to_bytes());
    if let Some(carrier) = consign.carrier {
        out.bytes(65, &carrier.to_bytes());
    }
    out.list(
        66,
        consign.loads.iter().map(|load| {
            let mut item = Writer::new();
            if let Some(commitment) = load.commitment {
                item.bytes(1, &commitment.to_bytes());
            }
            put_goods(&mut item, 2, &load.goods);
            item.finish()
        }),
    );
}

fn put_step(out: &mut Writer, journey: &Journey) {
    match &journey.step {
        Step::HandOver(goods) | Step::Lost(goods) | Step::Return(goods) => put_goods(out, 60, goods),
        Step::Divert { to, .. } => _ = out.bytes(64, &to.to_bytes()),
        Step::Load | Step::Depart | Step::Position(_) | Step::Arrive | Step::Unload => {}
    }
    out.bytes(67, &journey.consignment.to_bytes());
    if let Step::Position(place) = &journey.step {
        out.text(68, place);
    }
}

fn put_goods(out: &mut Writer, id: u32, goods: &[Amount]) {
    let bytes = goods.iter().map(|amount| {
        let mut item = Writer::new();
        put_item(&mut item, &amount.item);
        item.uint(3, amount.quantity);
        item.finish()
    });
    out.list(id, bytes);
}

fn counted_to_bytes(counted: &Counted) -> Vec<u8> {
    let mut out = Writer::new();
    put_item(&mut out, &counted.item);
    for (id, count) in [(3, counted.accepted), (4, counted.rejected), (5, counted.damaged), (6, counted.missing)] {
        out.maybe_uint(id, (count != 0).then_some(count));
    }
    out.finish()
}

pub(super) fn read(kind: FactKind, fields: &Fields<'_>) -> Result<Supply, Malformed> {
    Ok(match kind {
        FactKind::CommitResource => Supply::Commit(Commit {
            of: request_ref(fields)?,
            goods: some(goods(fields, 60)?)?,
            arrival_s: fields.maybe_uint(61)?,
            key: fields.get(14).map(|key| <[u8; 8]>::try_from(key).map_err(|_| Malformed)).transpose()?,
        }),
        FactKind::ReleaseCommitment => Supply::Release(Release {
            commitment: fact_id(fields.bytes(62)?)?,
            goods: goods(fields, 60)?,
            cause: u8::try_from(fields.uint(63)?).ok().filter(|cause| usize::from(*cause) < CAUSES.len()).ok_or(Malformed)?,
            reason: note(fields)?,
        }),
        FactKind::UnableToFill => Supply::Unable(Unable { of: request_ref(fields)?, declined: false }),
        FactKind::DeclineRequest => Supply::Unable(Unable { of: request_ref(fields)?, declined: true }),
        FactKind::PlanConsignment => Supply::Consign(read_consign(fields)?),
        FactKind::Receive | FactKind::Refuse => {
            let counts: Vec<Counted> = fields.list(69)?.into_iter().map(counted).collect::<Result<_, _>>()?;
            let distinct = is_distinct(counts.iter().map(|counted| &counted.item));
            if counts.is_empty() == (kind == FactKind::Receive) || counts.len() > LINES_MAX || !distinct {
                return Err(Malformed);
            }
            Supply::Receive(Receipt { consignment: fact_id(fields.bytes(67)?)?, counts, reason: note(fields)? })
        }
        FactKind::Load => step(fields, Step::Load)?,
        FactKind::Depart => step(fields, Step::Depart)?,
        FactKind::Position => {
            let place = clean(fields, 68, NOTE_BYTES_MAX)?.filter(|place| !place.is_empty());
            step(fields, Step::Position(place.ok_or(Malformed)?))?
        }
        FactKind::Arrive => step(fields, Step::Arrive)?,
        FactKind::HandOver => step(fields, Step::HandOver(some(goods(fields, 60)?)?))?,
        FactKind::Divert => {
            let to = node(fields, 64)?.ok_or(Malformed)?;
            step(fields, Step::Divert { to, request: fields.get(16).map(fact_id).transpose()? })?
        }
        FactKind::Lost => step(fields, Step::Lost(goods(fields, 60)?))?,
        FactKind::Unload => step(fields, Step::Unload)?,
        FactKind::ReturnGoods => step(fields, Step::Return(goods(fields, 60)?))?,
        FactKind::Floor
        | FactKind::RequestResource
        | FactKind::UpdateRequest
        | FactKind::CancelRequest
        | FactKind::ConfirmStillNeeded
        | FactKind::CloseRequest
        | FactKind::Acknowledge
        | FactKind::Observation
        | FactKind::ModeChange
        | FactKind::Order
        | FactKind::Ratify
        | FactKind::Countermand
        | FactKind::AuthorityScope => return Err(Malformed),
    })
}

fn step(fields: &Fields<'_>, step: Step) -> Result<Supply, Malformed> {
    Ok(Supply::Journey(Journey { consignment: fact_id(fields.bytes(67)?)?, step, note: note(fields)? }))
}

fn read_consign(fields: &Fields<'_>) -> Result<Consign, Malformed> {
    let loads = fields.list(66)?;
    if loads.is_empty() || loads.len() > LOADS_MAX {
        return Err(Malformed);
    }
    let loads = loads.into_iter().map(|bytes| {
        let fields = Fields::parse(bytes)?;
        Ok(Load { commitment: fields.get(1).map(fact_id).transpose()?, goods: some(goods(&fields, 2)?)? })
    });
    Ok(Consign {
        to: node(fields, 64)?.ok_or(Malformed)?,
        carrier: node(fields, 65)?,
        loads: loads.collect::<Result<_, Malformed>>()?,
        arrival_s: fields.maybe_uint(61)?,
        note: note(fields)?,
    })
}

fn note(fields: &Fields<'_>) -> Result<Option<String>, Malformed> {
    clean(fields, 13, NOTE_BYTES_MAX)
}

/// Each item once.
fn goods(fields: &Fields<'_>, id: u32) -> Result<Vec<Amount>, Malformed> {
    let amount = |bytes: &[u8]| {
        let fields = Fields::parse(bytes)?;
        let quantity = fields.uint(3).ok().filter(|quantity| (1..=COUNT_MAX).contains(quantity)).ok_or(Malformed)?;
        Ok(Amount { item: item(&fields)?, quantity })
    };
    let goods: Vec<Amount> = fields.list(id)?.into_iter().map(amount).collect::<Result<_, Malformed>>()?;
    let distinct = is_distinct(goods.iter().map(|amount| &amount.item));
    if goods.len() <= LINES_MAX && distinct { Ok(goods) } else { Err(Malformed) }
}

fn is_distinct<'a>(items: impl Iterator<Item = &'a LineItem> + Clone) -> bool {
    let all: std::collections::BTreeSet<&LineItem> = items.clone().collect();
    all.len() == items.count()
}

fn some(goods: Vec<Amount>) -> Result<Vec<Amount>, Malformed> {
    if goods.is_empty() { Err(Malformed) } else { Ok(goods) }
}

fn counted(bytes: &[u8]) -> Result<Counted, Malformed> {
    let fields = Fields::parse(bytes)?;
    let count = |id| fields.maybe_uint(id).map(Option::unwrap_or_default);
    let counted =
        Counted { item: item(&fields)?, accepted: count(3)?, rejected: count(4)?, damaged: count(5)?, missing: count(6)? };
    let sound = (1..=COUNT_MAX).contains(&counted.sum());
    if sound { Ok(counted) } else { Err(Malformed) }
}
