//! What an operator wishes, as typed: parsed once, in [`super::plan`], for page, CLI and scripts alike. Not commands: see `control`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::time::UtcMillis;

/// Who sits at the desk and when it was seen: on every act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Act {
    /// Written down late: when it was so. RFC 3339 or "14:05" or "20m" ago is parsed by the caller; here it is milliseconds.
    pub at: Option<UtcMillis>,
    /// Free label of the desk or person, at most 32 bytes.
    pub desk: Option<String>,
    /// How it is known: `self_reported`, `sensor`, `inferred`, `inspected`, `crowd`, `carried`.
    pub basis: Option<String>,
    /// How long it holds, such as "2h"; the field's own default where absent.
    pub valid: Option<String>,
}

/// Readings by field name, such as `operating.status` = `open`, `power.fuel` = `120`; stock as `stock.ITEM` = `120` or `low`;
/// services as `service.NAME` = `adequate`. An empty value withdraws a reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Field name to value, both as typed.
    pub values: BTreeMap<String, String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// A resupply request as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestNew {
    /// `water:40`, or `other:TEXT=QTY`.
    pub items: Vec<String>,
    /// `immediate`, `urgent`, `routine`, `low`; routine where absent.
    #[serde(default)]
    pub priority: Option<String>,
    /// Milliseconds UTC.
    #[serde(default)]
    pub needed_by: Option<UtcMillis>,
    /// The node the goods are for, by id or name, where not this one.
    #[serde(default, rename = "for")]
    pub on_behalf_of: Option<String>,
    /// The node asked, by id or name, or `all` hubs; where absent the home hub of the writing node, or all hubs if it has none.
    #[serde(default)]
    pub to: Option<String>,
    /// Free text, at most 64 bytes.
    #[serde(default)]
    pub note: Option<String>,
    /// Retrying with the same key adds nothing; another wish under it is refused.
    #[serde(default)]
    pub key: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// A newer version of a request: what is given replaces, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestUpdate {
    /// Spoken id, `R-...`.
    pub request: String,
    /// The version the writer saw; the newest held where absent.
    #[serde(default)]
    pub version: Option<u32>,
    /// Replaces all lines.
    #[serde(default)]
    pub items: Vec<String>,
    /// Replaces the priority.
    #[serde(default)]
    pub priority: Option<String>,
    /// Replaces the time.
    #[serde(default)]
    pub needed_by: Option<UtcMillis>,
    /// Replaces the note.
    #[serde(default)]
    pub note: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// Cancel, close or confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestAct {
    /// Spoken id, `R-...`.
    pub request: String,
    /// The version the writer saw; the newest held where absent.
    #[serde(default)]
    pub version: Option<u32>,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// In which mode this node works from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeWish {
    /// `standby`, `alert`, `resilience`, `recovery`, `drill`, `suspended`.
    pub mode: String,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// In which mode the nodes of some regions shall work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderWish {
    /// As in [`ModeWish`], or `none`: nothing is ordered any more.
    pub mode: String,
    /// Codes such as `HUA`, or `all`.
    pub regions: Vec<String>,
    /// The authority acted for, by id or name, where it is not heard.
    #[serde(default)]
    pub acting_for: Option<String>,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// What becomes of an order that a deputy gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeWish {
    /// Its spoken id, `O-...`.
    pub order: String,
    /// True: it is one's own. False: it counts no more.
    pub ratify: bool,
    /// With a countermand: what is ordered in its place; nothing where absent.
    #[serde(default)]
    pub mode: Option<String>,
    /// Why, at most 64 bytes.
    #[serde(default)]
    pub reason: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// Who acts for this authority when it is not heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeWish {
    /// By id or name, the first first; none ends it.
    pub deputies: Vec<String>,
    /// After how long unheard, such as "2h".
    pub after: String,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}

/// What somebody saw of another node: shown beside that node's own word, never replacing it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observe {
    /// The node seen, by id or name.
    pub node: String,
    /// Readings as in [`Report`].
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// Said by whom, how; at most 64 bytes.
    #[serde(default)]
    pub note: Option<String>,
    /// When, by whom.
    #[serde(default)]
    pub act: Act,
}
