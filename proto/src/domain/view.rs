//! What is shown: readings, observations and requests as people and programs read them. Derived, never stored or signed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::supply::view::is_zero;
pub use super::supply::view::{
    CommitmentView, ConflictView, ConflictsView, ConsignmentView, ConsignmentsView, GoodsView, HoldView, PartView, ProposalView,
    ShelfView, StockView,
};
use crate::time::UtcMillis;

/// How much of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// Everything held.
    #[default]
    All,
    /// Requests that stand and did not get all they ask for; consignments of which something is still expected.
    Open,
}

/// How far a write got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Stored, no neighbour has it.
    SavedHere,
    /// At least one neighbour has it durably.
    Reached,
    /// The addressee's daemon acknowledged it.
    Received,
    /// Somebody acted on it.
    ActedOn,
}

/// Delivery of one write, from neighbours' heads and the addressee's `Acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Furthest state reached.
    pub state: DeliveryState,
    /// Neighbours that hold it durably.
    pub neighbours: u32,
    /// Addressees that acknowledged it.
    pub acknowledged_by: Vec<String>,
}

/// This node's name in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeName {
    /// `1-118`.
    pub id: String,
    /// From the certificate.
    pub name: String,
}

/// Who said it through a node without being one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    /// From the delegation.
    pub name: String,
    /// Who delegated it: the firm, or the node.
    pub delegated_by: String,
    /// `1/3` or `1-118/3`.
    pub delegation: String,
}

/// One reading as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingView {
    /// A word, a number or a text. Past its validity it still stands here; `stale` says so.
    pub value: serde_json::Value,
    /// Rec 20 code, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Milliseconds UTC since 1970; absent where the author knew no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<UtcMillis>,
    /// Seconds since it was observed; absent where it can't be bounded.
    pub age_s: Option<u64>,
    /// Seconds it holds.
    pub valid_s: u64,
    /// Past its validity, or its age can't be bounded: shown as unknown.
    pub stale: bool,
    /// How it is known.
    pub basis: String,
    /// Derived by the reader (such as hours of fuel), not said by the node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub derived: bool,
}

/// In which mode a node works, who switched it and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeView {
    /// `standby`, `alert`, `resilience`, `recovery`, `drill`, `suspended`.
    pub mode: String,
    /// `staff`, `order`, `order_ended`, `silent`, `heard`.
    pub cause: String,
    /// The order followed, or followed no more, `O-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Who gave that order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_by: Option<NodeName>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Desk label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// Wall time of the author, where it knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMillis>,
}

/// One order, ratification or countermand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Spoken id, `O-...`.
    pub order: String,
    /// `order`, `ratify`, `countermand`.
    pub act: String,
    /// Who wrote it.
    pub by: NodeName,
    /// Who said it through that node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// The mode ordered; absent: nothing is ordered any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Where, codes such as `HUA`.
    pub regions: Vec<String>,
    /// For whom, where not for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<NodeName>,
    /// Seconds since that one was last heard by whoever acted for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heard_s: Option<u32>,
    /// The order judged, `O-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Desk label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// Wall time of the author, where it knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMillis>,
    /// `in_force`, `under_review`, `ended`, `ratified`, `countermanded`, `not_authorised`, `in_question`.
    pub state: String,
    /// The act that ratified or countermanded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_by: Option<String>,
}

/// What somebody said of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservationView {
    /// Who observed.
    pub by: NodeName,
    /// Who said it through that node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// Desk label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// What was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Readings by field name.
    pub readings: BTreeMap<String, ReadingView>,
    /// Seconds since it was so; absent where it can't be bounded.
    pub age_s: Option<u64>,
}

/// One line of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// Item code, or `other`.
    pub item: String,
    /// What, for `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Rec 20 code.
    pub unit: String,
    /// Asked for, in base units.
    pub requested: u64,
    /// Promised by suppliers, not departed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub committed: u64,
    /// On the road.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_transit: u64,
    /// Taken in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub accepted: u64,
    /// Sent back.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected: u64,
    /// Unusable.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub damaged: u64,
    /// Not there, or lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
}

/// A request as all nodes with the same entries derive it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Spoken id, `R-...`; equals `Saved::id`. Named `request` so that it can stand flattened beside `id`.
    pub request: String,
    /// The node the goods are for.
    pub consignee: NodeName,
    /// Who wrote it.
    pub requested_by: NodeName,
    /// Who said it through that node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// The node asked; absent where every hub is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<NodeName>,
    /// Newest version that holds, from 1.
    pub version: u32,
    /// `immediate`, `urgent`, `routine`, `low`.
    pub priority: String,
    /// Headline: `submitted`, `acknowledged`, `declined`, `unable_to_fill`, `partly_committed`, `committed`, `in_transit`,
    /// `partly_fulfilled`, `fulfilled`, `cancelled`, `closed`, `expired`, `duplicate`.
    pub status: String,
    /// Lines.
    pub lines: Vec<LineView>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Needed by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_by: Option<UtcMillis>,
    /// When it was so, by the writer's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<UtcMillis>,
    /// Desk label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// `over_covered`, `cancel_of_older_version`, `late_facts`, `expired`, `requester_frozen`, `in_question`.
    pub flags: Vec<String>,
    /// Who acknowledged.
    pub acknowledged_by: Vec<NodeName>,
    /// What suppliers promised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<CommitmentView>,
    /// Who can't or will not send anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unable: Vec<NodeName>,
    /// History, oldest first: version, act, author.
    pub history: Vec<HistoryView>,
    /// Filled by the node that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// One act on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// `request`, `update`, `cancel`, `confirm`, `close`, `acknowledge`; of answers, promises and journeys `unable_to_fill`,
    /// `decline`, `commit`, `release`, `plan_consignment`, `load`, `depart`, `position`, `arrive`, `hand_over`, `divert`, `lost`,
    /// `unload`, `return_goods`, `receive`, `refuse`.
    pub act: String,
    /// Who.
    pub by: NodeName,
    /// Who said it through that node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// Version seen or made.
    pub version: u32,
    /// Wall time of the author, where it knew one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMillis>,
    /// Desk label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk: Option<String>,
    /// Reason or note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Kept and shown, but without effect, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flagged: Option<String>,
    /// Of how much it speaks, where it names goods; of a receipt what was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<GoodsView>,
    /// To whom goods go from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NodeName>,
    /// Where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}
