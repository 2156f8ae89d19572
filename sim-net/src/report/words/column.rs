//! Headers of the sheets: one word per column, for spreadsheets and programs alike.

pub(in super::super) const INJECTS: &[&str] = &[
    "exercise",
    "nr",
    "what",
    "on",
    "sites",
    "planned",
    "happened",
    "happened_local",
    "happened_s",
    "delay_s",
    "why_not",
    "undone",
    "first_effect_at",
    "first_effect",
    "contingency",
    "by_hand",
    "say",
    "objective",
    "origin",
];
pub(in super::super) const EXPECTATIONS: &[&str] =
    &["exercise", "id", "text", "objective", "result", "from", "due", "met_at", "met_at_local", "met_at_s", "late_s", "seen"];
pub(in super::super) const REQUESTS: &[&str] = &[
    "exercise",
    "label",
    "id",
    "site",
    "site_name",
    "region",
    "asked",
    "asked_local",
    "asked_s",
    "lines",
    "priority",
    "acknowledged",
    "history",
    "known",
    "running",
    "state",
];
pub(in super::super) const CONFLICTS: &[&str] = &[
    "exercise",
    "conflict",
    "kind",
    "about",
    "consignee",
    "goods",
    "proposals",
    "first_seen",
    "first_seen_by",
    "seen_by_all",
    "settled",
];
pub(in super::super) const KNOWLEDGE: &[&str] = &[
    "exercise",
    "region",
    "medium",
    "deliveries",
    "p50_ms",
    "p95_ms",
    "slowest_ms",
    "never_hearer_off",
    "never_cut_off",
    "never_on_the_way",
];
pub(in super::super) const INVARIANTS: &[&str] =
    &["exercise", "id", "text", "checked", "violations", "first_at", "first_site", "first_seen"];
pub(in super::super) const TIMELINE: &[&str] = &["exercise", "at", "local", "at_s", "kind", "site", "site_name", "what"];
