//! What people and programs ask of a node, and what it answers. The JSON of the API, the page and the CLI is exactly these types.
//!
//! Every answer object carries `schema`; readers must ignore fields they do not know. Values travel as text as a person typed
//! them ("120", "low", "6h"): the domain parses them once, for page, CLI and scripts alike.

mod board;
mod courier;
pub mod person;
mod radio;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::domain::refusal::Refusal;
use crate::id::NodeId;
use crate::identity::{DelegationId, PublicKey};

pub use self::board::{BoardFileView, BoardFilesView, BoardView, HiddenView, HideWish};
pub use self::courier::{CourierCounts, CourierIn, CourierOut, CourierPiece, CourierRefused, CourierTaken};
pub use crate::domain::supply::wishes::{
    CommitWish, ConsignWish, ReceiveWish, ReleaseWish, ResolveWish, StepWish, StockWish, SupplyWish, UnableWish,
};
pub use crate::domain::view::{
    CommitmentView, ConflictView, ConflictsView, ConsignmentView, ConsignmentsView, Delivery, DeliveryState, GoodsView,
    HistoryView, HoldView, LineView, ModeView, NodeName, ObservationView, OrderView, PartView, PersonName, ProposalView,
    ReadingView, RequestView, ShelfView, StockView, Which,
};
pub use crate::domain::wish::{
    Act, JudgeWish, ModeWish, Observe, OrderWish, Report, RequestAct, RequestNew, RequestUpdate, ScopeWish,
};
pub use person::{ActsView, DraftView, DraftWish, PersonView, PersonWish, PinView, SignedAct, Signing};
pub use radio::{HeardView, RadioView};

/// Names one command; its [`Reply`] repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandId(pub u64);

/// What an operator wants done. Reads never need one: see [`crate::node::Node::status`] and its neighbours. Recordings hold it: a new
/// one stands last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// What this node says of itself.
    Report(Report),
    /// A new resupply request.
    RequestNew(RequestNew),
    /// A newer version of a request.
    RequestUpdate(RequestUpdate),
    /// The need is gone.
    RequestCancel(RequestAct),
    /// The need is met or given up; ends the request.
    RequestClose(RequestAct),
    /// A cancel of an older version was flagged: the need still stands.
    RequestConfirm(RequestAct),
    /// What somebody saw of another node.
    Observe(Observe),
    /// This node works in another mode.
    Mode(ModeWish),
    /// An authority, or who acts for it, orders a mode for some regions.
    Order(OrderWish),
    /// An authority ratifies or countermands what was ordered in its stead.
    Judge(JudgeWish),
    /// An authority names who acts for it when it is not heard.
    Scope(ScopeWish),
    /// Switches a drill fault on or off; refused outside the simulation realm.
    Fault(Fault),
    /// Certificates or revocations from a file, for everybody.
    Certify(Certify),
    /// What a supplier, a carrier or a consignee does.
    Supply(SupplyWish),
    /// What somebody far off lacks, for a file that is carried there.
    CourierOut(CourierOut),
    /// A piece of a file that was carried here.
    CourierIn(CourierIn),
    /// What a person would say through this node, to be signed by that person.
    Draft(DraftWish),
    /// It is signed.
    Act(SignedAct),
}

/// Certificates and revocations as an alliance file holds them. They prove themselves: whoever hands them in needs no right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certify {
    /// Armored blocks: `CHARTER`, `ISSUER`, `NODE`, `REVOCATION`.
    pub objects: String,
}

/// Faults obeyed in the simulation realm only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// No IP link to these nodes, neither dialled nor accepted nor heard.
    Cut {
        /// Whom to be cut from.
        nodes: Vec<NodeId>,
    },
    /// All cuts end.
    Heal,
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is durable on this node.
    Saved(Box<Saved>),
    /// Nothing was changed.
    Refused(Refusal),
    /// A piece of a courier file that is being written.
    CourierOut(Box<CourierPiece>),
    /// A piece of a courier file was handed in, and what is new in it is durable.
    CourierIn(Box<CourierTaken>),
    /// For the person to sign; nothing was changed.
    Drafted(Box<DraftView>),
}

/// A write that is durable here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// `holdfast.saved/1`, or `holdfast.request/1` flattened with the request for request commands.
    pub schema: String,
    /// Spoken id of what it is about: request `R-...`, order `O-...`, promise `P-...`, consignment `V-...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// True where the same idempotency key had been used: nothing new was written.
    #[serde(default)]
    pub already: bool,
    /// How far it got when this was answered; ask again for news.
    pub delivery: Delivery,
    /// The request as it now reads.
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub request: Option<RequestView>,
    /// Ticket for `/api/v1/delivery/TICKET`: which entry or board version to follow.
    pub ticket: String,
}

/// One node on everyone's board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// `1-118`.
    pub id: String,
    /// From the certificate.
    pub name: String,
    /// `store`, `hub`, `authority`.
    pub role: String,
    /// 1..=3, from the certificate.
    pub tier: u8,
    /// From the certificate.
    pub firm: String,
    /// From the certificate.
    pub region: String,
    /// `open`, `limited`, `closed`, `evacuating`, `unknown`. `unknown` too when stale or void.
    pub operating_status: String,
    /// What it said last, where `operating_status` is unknown only for age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Why unknown: `two_stories`, `revoked`, `stale`, `never_said`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_because: Option<String>,
    /// Age of its board in seconds; absent where it can't be bounded or none was heard.
    pub age_s: Option<u64>,
    /// A link to it is up now, or it is this node.
    pub reachable: bool,
    /// By which way its newest board came, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Readings by field name.
    pub readings: BTreeMap<String, ReadingView>,
    /// What others saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<ObservationView>,
    /// In which mode it works, who switched it and why; absent where it never said why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeView>,
    /// Its certificate is past its end, by this node's clock: nothing is cut off for that, and it should be renewed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapsed: bool,
    /// Its logbook is frozen: two stories under one number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forked: bool,
    /// Why its key was taken away: `stolen`, `replaced`, `closed`, `misused`, `other`. Absent: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

/// `GET /api/v1/heads/ID`: the last word held of each of a node's logbooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsView {
    /// `holdfast.heads/1`.
    pub schema: String,
    /// Of which alliance, 64 hex digits.
    pub realm: String,
    /// Whose.
    pub node: NodeName,
    /// Generation of its newest certificate: how many keys it had, and who gave this one.
    pub generation: [u8; 2],
    /// Its logbooks under that key.
    pub logbooks: Vec<HeadView>,
    /// Its board is held and says that its logbook is empty: it only ever reported how it is.
    #[serde(default)]
    pub wrote_nothing: bool,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadView {
    /// Which life of its store: count and random half.
    pub incarnation: [u16; 2],
    /// Last number of the unbroken run, or the last that is old enough; 0: none.
    pub number: u32,
    /// Hash of that entry, hex.
    pub hash: String,
    /// Words above it that are held.
    pub beyond: u32,
    /// Two words under one number, where somebody told two stories: the number, and the hash of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked: Option<(u32, [String; 2])>,
}

/// `GET /api/v1/orders`: what authorities ordered, newest of each author first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersView {
    /// `holdfast.orders/1`.
    pub schema: String,
    /// The order that this node's region follows, `O-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<String>,
    /// All that are held.
    pub orders: Vec<OrderView>,
    /// Who acts for which authority.
    pub scopes: Vec<ScopeView>,
}

/// Who acts for an authority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeView {
    /// The authority.
    pub principal: NodeName,
    /// The first first.
    pub deputies: Vec<NodeName>,
    /// After so many seconds unheard.
    pub after_s: u32,
}

/// `holdfast status --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusView {
    /// `holdfast.status/1`.
    pub schema: String,
    /// This node.
    pub node: NodeName,
    /// The hub that a request made here asks where it names nobody; absent where that is every hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_hub: Option<NodeName>,
    /// `actual`, `exercise`, `simulation`.
    pub realm: String,
    /// Hex; equal exactly where state is equal.
    pub digest: String,
    /// Everyone, this node first, then by id.
    pub nodes: Vec<NodeView>,
    /// Requests neither closed, cancelled nor declined.
    pub requests_open: u32,
    /// Things people must settle.
    pub conflicts: u32,
    /// Neighbours with a link up.
    pub neighbours: u32,
    /// What a person at this node should know, in words.
    pub warnings: Vec<Warning>,
    /// Its radio; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radio: Option<Box<RadioView>>,
    /// The public's board at its door; absent where it is off and leaves nothing out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<Box<BoardView>>,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// `H-...`.
    pub code: String,
    /// What, in English.
    pub en: String,
    /// What, in Traditional Chinese.
    pub zh: String,
}

/// `holdfast request list --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestsView {
    /// `holdfast.requests/1`.
    pub schema: String,
    /// Open first, then by priority, then by id.
    pub requests: Vec<RequestView>,
}

/// One peer as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// `1-118`, absent before its certificate is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// From the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Addresses known, best first.
    pub addresses: Vec<String>,
    /// Links that are up: label of each.
    pub links: Vec<String>,
    /// `up`, `connecting`, `waiting`, `cut`.
    pub state: String,
    /// Seconds until the next dial, where waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_s: Option<u64>,
    /// Why the last link ended or failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The same in Chinese, without the address; as it came where it is none of the usual causes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_zh: Option<String>,
    /// Clock of the peer minus ours, in seconds, where it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_skew_s: Option<i64>,
    /// Both sides' digests agreed when last compared.
    pub in_step: bool,
}

/// `holdfast peers --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeersView {
    /// `holdfast.peers/1`.
    pub schema: String,
    /// By id.
    pub peers: Vec<PeerView>,
}

/// `holdfast digest --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestView {
    /// `holdfast.digest/1`.
    pub schema: String,
    /// Hex; equal exactly where state is equal.
    pub digest: String,
    /// Every neighbour with a link up had an equal digest when last compared, and nothing waits to be stored or sent.
    pub converged: bool,
    /// Neighbours with a link up.
    pub neighbours: u32,
    /// Entries held and counted.
    pub entries: u64,
    /// Boards held.
    pub boards: u64,
    /// Holes below what is held ahead: shown, never waited on.
    pub holes: u64,
}

/// What the page, `watch` and the logs hear. One JSON object each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The picture changed: a board or detail.
    Board {
        /// Whose.
        #[serde(with = "spelled")]
        node: NodeId,
        /// Its version.
        version: u32,
    },
    /// Entries became durable and were folded in.
    Entries {
        /// Whose.
        #[serde(with = "spelled")]
        author: NodeId,
        /// First number.
        first: u32,
        /// How many.
        count: u32,
    },
    /// An entry was taken back out of the fold.
    Withdrawn {
        /// Whose.
        #[serde(with = "spelled")]
        author: NodeId,
        /// Which.
        number: u32,
    },
    /// A link to a certified peer is up.
    PeerUp {
        /// Who.
        #[serde(with = "spelled")]
        node: NodeId,
        /// Over what.
        label: String,
    },
    /// A link went down.
    PeerDown {
        /// Who, where known.
        #[serde(default, with = "spelled::where_known")]
        node: Option<NodeId>,
        /// Why, in words.
        cause: String,
    },
    /// A heal ended: both digests agree.
    Healed {
        /// With whom.
        #[serde(with = "spelled")]
        node: NodeId,
        /// Milliseconds from the unequal digest to the equal one.
        took_ms: u64,
        /// Entries and documents received.
        received: u64,
        /// Entries and documents sent.
        sent: u64,
    },
    /// Bytes from outside were refused; nothing changed.
    Rejected {
        /// Of which peer, where known.
        #[serde(default, with = "spelled::where_known")]
        node: Option<NodeId>,
        /// Why.
        reason: String,
    },
    /// Two stories under one number: the logbook is frozen there.
    Forked {
        /// Whose.
        #[serde(with = "spelled")]
        author: NodeId,
        /// Lowest forked number.
        number: u32,
    },
    /// This node opened a new incarnation.
    Incarnation {
        /// Its count.
        count: u16,
        /// Why, in words.
        cause: String,
    },
    /// This node stopped writing: another PC seems to run as this one.
    Stopped {
        /// Why, in words.
        cause: String,
    },
    /// The store refused a write; nothing of it was said or kept.
    StoreFailed {
        /// Why, in words.
        cause: String,
    },
    /// Delivery of something written here advanced.
    Delivery {
        /// Ticket of the write.
        ticket: String,
        /// How far.
        delivery: Delivery,
    },
    /// A command was carried out or a fault set.
    Fault {
        /// In words.
        what: String,
    },
    /// Must not happen: a bug. The simulator fails on it.
    Bug {
        /// What.
        what: String,
    },
    /// The key of a node was taken away: what it says from now on counts no more.
    Revoked {
        /// Whose.
        #[serde(with = "spelled")]
        node: NodeId,
        /// `stolen`, `replaced`, `closed`, `misused`, `other`.
        reason: String,
    },
}

/// A read. Answered at once from memory, never an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Everyone's board.
    Status,
    /// Requests.
    Requests(Which),
    /// One request by spoken id.
    Request(String),
    /// Whom this node can reach.
    Peers,
    /// One hash of the state.
    Digest,
    /// How far a write got, by ticket.
    Delivery(String),
    /// Counters and gauges.
    Metrics,
    /// What authorities ordered.
    Orders,
    /// Consignments.
    Consignments(Which),
    /// What people must settle.
    Conflicts,
    /// This site's stock, and what holds it.
    Stock,
    /// What is held of a node's logbooks, for a cut: `1-118`; with `1-118@7200` as far as it is that many seconds old.
    Heads(String),
    /// Whether a person with this key may act through this node by a delegation.
    Person {
        /// Which delegation.
        of: DelegationId,
        /// The key the person proved.
        key: PublicKey,
    },
    /// Where acts by a delegation stand, for its end: `1/3`.
    Acts(String),
}

/// The answer to a [`Question`], same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Everyone's board.
    Status(StatusView),
    /// All requests.
    Requests(RequestsView),
    /// One request.
    Request(Box<RequestView>),
    /// Whom this node can reach.
    Peers(PeersView),
    /// One hash of the state.
    Digest(DigestView),
    /// How far a write got.
    Delivery(Delivery),
    /// Name to value; names end in units (`_total`, `_bytes`, `_seconds`).
    Metrics(BTreeMap<String, u64>),
    /// Not found, ambiguous or mistyped.
    Refused(Refusal),
    /// What is held of a node's logbooks.
    Heads(HeadsView),
    /// What authorities ordered.
    Orders(OrdersView),
    /// Goods on their way.
    Consignments(ConsignmentsView),
    /// What people must settle.
    Conflicts(ConflictsView),
    /// This site's stock.
    Stock(StockView),
    /// Who the person is and what it may.
    Person(PersonView),
    /// Where its acts stand.
    Acts(ActsView),
}

/// What was asked for, if it is what was answered.
impl Answer {
    /// Everyone's board.
    #[must_use]
    pub fn status(self) -> Option<StatusView> {
        if let Self::Status(view) = self { Some(view) } else { None }
    }

    /// The hash of the state.
    #[must_use]
    pub fn digest(self) -> Option<String> {
        if let Self::Digest(view) = self { Some(view.digest) } else { None }
    }

    /// Counters and gauges.
    #[must_use]
    pub fn metrics(self) -> Option<BTreeMap<String, u64>> {
        if let Self::Metrics(all) = self { Some(all) } else { None }
    }
}

/// A node id as all of the API spells it, `1-118`.
mod spelled {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::id::NodeId;

    pub(super) fn serialize<S: Serializer>(id: &NodeId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }

    pub(super) mod where_known {
        use super::{Deserialize, Deserializer, NodeId, Serializer, de};

        #[expect(clippy::ref_option, reason = "the shape serde asks for")]
        pub(in super::super) fn serialize<S: Serializer>(id: &Option<NodeId>, serializer: S) -> Result<S::Ok, S::Error> {
            match id {
                Some(id) => serializer.collect_str(id),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NodeId>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
        }
    }
}
