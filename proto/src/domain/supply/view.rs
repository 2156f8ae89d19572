//! Promises, consignments, conflicts and stock as people and programs read them.

use serde::{Deserialize, Serialize};

use super::super::view::{HistoryView, NodeName};
use crate::time::UtcMillis;

/// One item in exclusive stages, base units. What is zero is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsView {
    /// Item code, or `other`.
    pub item: String,
    /// What, for `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Rec 20 code.
    pub unit: String,
    /// Promised, or to be sent.
    pub quantity: u64,
    /// Not departed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub committed: u64,
    /// Departed, not received.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub in_transit: u64,
    /// Taken in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub accepted: u64,
    /// Sent back by the consignee.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rejected: u64,
    /// Unusable.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub damaged: u64,
    /// Not there, or lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missing: u64,
    /// Taken back by the supplier.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub released: u64,
    /// On their way to somebody else.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub diverted: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
pub(crate) fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentView {
    /// Spoken id, `P-...`.
    pub commitment: String,
    /// The request, `R-...`.
    pub request: String,
    /// Who promised.
    pub supplier: NodeName,
    /// `committed`, `planned`, `loaded`, `departed`, `arrived`, `handed_over`, `received`, `refused`, `released`, `diverted`, `lost`.
    pub status: String,
    /// Item by item.
    pub lines: Vec<GoodsView>,
    /// Consignments that carry its goods, `V-...`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consignments: Vec<String>,
    /// When the goods are to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<UtcMillis>,
    /// `older_version`: it answers an older version of the request; `in_question`; `overloaded`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMillis>,
    /// The promise as it was made, and what was taken back of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<HistoryView>,
}

/// One consignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsignmentView {
    /// Spoken id, `V-...`.
    pub consignment: String,
    /// Who sends it.
    pub sender: NodeName,
    /// Who drives, where not the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<NodeName>,
    /// Who signs for it.
    pub to: NodeName,
    /// `planned`, `loaded`, `departed`, `arrived`, `handed_over`, `received`, `refused`, `unloaded`, `lost`, `returned`.
    pub status: String,
    /// Item by item.
    pub lines: Vec<GoodsView>,
    /// Promises it keeps, `P-...`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<String>,
    /// Requests it serves, `R-...`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<String>,
    /// Where it was said to be last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// When it is to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<UtcMillis>,
    /// `diverted`, `unconfirmed_delivery`, `short_shipped`, `second_receipt`, `in_question`, `unasked`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What happened, by author and in its order.
    pub history: Vec<HistoryView>,
}

/// `GET /api/v1/consignments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsignmentsView {
    /// `holdfast.consignments/1`.
    pub schema: String,
    /// Those under way first.
    pub consignments: Vec<ConsignmentView>,
}

/// Goods in a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartView {
    /// Item code, or what, in words.
    pub item: String,
    /// Whose.
    pub supplier: NodeName,
    /// The promise, `P-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// The consignment, `V-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consignment: Option<String>,
    /// `received`, `handed_over`, `departed`, `loaded`, `committed`.
    pub held: String,
    /// Base units kept.
    pub kept: u64,
    /// Base units too many.
    pub surplus: u64,
}

/// What somebody is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalView {
    /// Who.
    pub by: NodeName,
    /// `release`, `unload`, `divert`, `surplus`, `receive`, `confirm`.
    pub what: String,
    /// Of what: `P-...`, `V-...` or `R-...`.
    pub of: String,
    /// Item and quantity, for a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Base units, for a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// The request to which goods are diverted, `R-...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// Something that people must settle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictView {
    /// `C1-7Q4KM2X`.
    pub conflict: String,
    /// `over_covered`, `unneeded`, `older_version`, `unconfirmed`.
    pub kind: String,
    /// The request, `R-...`, or the consignment, `V-...`.
    pub about: String,
    /// For whom the goods are.
    pub consignee: NodeName,
    /// The goods, those kept first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartView>,
    /// What is proposed. `conflicts resolve` does this node's part of it.
    pub proposals: Vec<ProposalView>,
}

/// `GET /api/v1/conflicts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictsView {
    /// `holdfast.conflicts/1`.
    pub schema: String,
    /// By kind, then by name. Equal facts give equal lists on every node.
    pub conflicts: Vec<ConflictView>,
}

/// What holds stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    /// `P-...` or `V-...`.
    pub by: String,
    /// Base units.
    pub quantity: u64,
}

/// One item of this site's stock, base units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfView {
    /// Item code, or what, in words.
    pub item: String,
    /// Rec 20 code.
    pub unit: String,
    /// Counted; absent where it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<u64>,
    /// Kept for the people of the place.
    pub floor: u64,
    /// Promised and still there.
    pub promised: u64,
    /// What may still be promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// Promised and not there: a promise must be released as a shortfall.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub short: u64,
    /// What holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldView>,
}

/// `GET /api/v1/stock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockView {
    /// `holdfast.stock/1`.
    pub schema: String,
    /// This node.
    pub node: NodeName,
    /// By item.
    pub items: Vec<ShelfView>,
}
