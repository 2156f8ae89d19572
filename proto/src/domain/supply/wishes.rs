//! What a supplier, a carrier or a consignee wishes, as typed.

use serde::{Deserialize, Serialize};

use super::super::wish::Act;
use crate::time::UtcMillis;

/// A promise to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitWish {
    /// Spoken id, `R-...`.
    pub request: String,
    /// `water:40`; empty: all that nobody covers yet.
    #[serde(default)]
    pub items: Vec<String>,
    /// When the goods are to be there.
    #[serde(default)]
    pub arrival: Option<UtcMillis>,
    /// Free text, at most 64 bytes.
    #[serde(default)]
    pub note: Option<String>,
    /// Retrying with the same key adds nothing.
    #[serde(default)]
    pub key: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// An answer to a request: nothing will be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnableWish {
    /// Spoken id, `R-...`.
    pub request: String,
    /// It will not; else it can't.
    #[serde(default)]
    pub declined: bool,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// A promise taken back, or part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseWish {
    /// Spoken id, `P-...`.
    pub commitment: String,
    /// `water:10`; empty: all that is not on a vehicle.
    #[serde(default)]
    pub items: Vec<String>,
    /// `not_needed`, `shortfall`, `other`; `not_needed` where absent.
    #[serde(default)]
    pub cause: Option<String>,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// Goods for one journey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsignWish {
    /// Promises whose goods go, `P-...`: all that is left of each.
    #[serde(default)]
    pub commitments: Vec<String>,
    /// Goods sent without a promise, `water:40`.
    #[serde(default)]
    pub items: Vec<String>,
    /// The consignee, by id or name; that of the promises where absent.
    #[serde(default)]
    pub to: Option<String>,
    /// Who drives, by id or name; this node where absent.
    #[serde(default)]
    pub carrier: Option<String>,
    /// When they are to be there.
    #[serde(default)]
    pub arrival: Option<UtcMillis>,
    /// Free text, at most 64 bytes.
    #[serde(default)]
    pub note: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// What happened on a journey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepWish {
    /// Spoken id, `V-...`.
    pub consignment: String,
    /// `load`, `depart`, `position`, `arrive`, `hand_over`, `divert`, `lost`, `unload`, `return`.
    pub step: String,
    /// With `hand_over`, `lost` and `return`: which goods; all where empty.
    #[serde(default)]
    pub items: Vec<String>,
    /// With `position`: where, at most 64 bytes.
    #[serde(default)]
    pub place: Option<String>,
    /// With `divert`: to which request, `R-...`, or to which node.
    #[serde(default)]
    pub to: Option<String>,
    /// Free text, at most 64 bytes.
    #[serde(default)]
    pub note: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiveWish {
    /// Spoken id, `V-...`.
    pub consignment: String,
    /// Taken in, `water:38`; where nothing is counted at all, everything came and is taken in.
    #[serde(default)]
    pub accepted: Vec<String>,
    /// Sent back.
    #[serde(default)]
    pub rejected: Vec<String>,
    /// Unusable.
    #[serde(default)]
    pub damaged: Vec<String>,
    /// Nothing is taken.
    #[serde(default)]
    pub refuse: bool,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// What is proposed to this node in a conflict is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveWish {
    /// As listed, `C1-...`.
    pub conflict: String,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// Goods of this site changed without a journey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockWish {
    /// `water=-3` or `water=+12`: by how much the count changes.
    pub changes: Vec<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// Any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupplyWish {
    /// A promise.
    Commit(CommitWish),
    /// An answer without one.
    Unable(UnableWish),
    /// Less of it.
    Release(ReleaseWish),
    /// A journey.
    Consign(ConsignWish),
    /// What happened on it.
    Step(StepWish),
    /// What came.
    Receive(ReceiveWish),
    /// What is proposed.
    Resolve(ResolveWish),
    /// Goods that changed otherwise.
    Stock(StockWish),
}
