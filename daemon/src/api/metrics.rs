//! `/metrics` in Prometheus text: the node's counters, the API's own, and which build this is. No stock figures, no names of goods.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What well-known counters count; others are described by their own name.
const HELP: &[(&str, &str)] = &[
    ("entries_total", "Entries held and counted."),
    ("link_put_off_total", "Times that a link waited because it had sent more than its share and others waited too."),
    ("links", "Links that are up."),
    ("neighbours", "Certified neighbours with a link up."),
    ("rejected_total", "Frames and entries refused at the gate; nothing changed."),
    ("words_late_total", "Fresh words of others left to the digest because they said too many; nothing is lost."),
    (
        "words_over_quota_total",
        "Fresh words of others beyond the rate of their author, passed on behind everything else or late.",
    ),
];

/// The API's own figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct ApiFigures {
    pub(super) listeners: usize,
    pub(super) refused: u64,
}

/// The whole text. `counters` is absent where the loop did not answer: that is told, not hidden.
pub(super) fn text(node: &str, realm: &str, api: ApiFigures, counters: Option<&BTreeMap<String, u64>>) -> String {
    let mut out = String::new();
    let info =
        format!("{{version=\"{}\",node=\"{}\",realm=\"{}\"}}", label(env!("CARGO_PKG_VERSION")), label(node), label(realm));
    family(&mut out, "holdfast_build_info", "Version of this daemon, the node and the realm it runs in.", &[(info, 1)]);
    let up = u64::from(counters.is_some());
    family(&mut out, "holdfast_loop_up", "1 if the node's loop answered within two seconds.", &[(String::new(), up)]);
    let listeners = u64::try_from(api.listeners).unwrap_or(u64::MAX);
    family(&mut out, "holdfast_api_listeners", "Pages and programs listening for events.", &[(String::new(), listeners)]);
    family(
        &mut out,
        "holdfast_api_refused_total",
        "API requests refused for their token, Host or Origin.",
        &[(String::new(), api.refused)],
    );
    for (name, samples) in families(counters) {
        let help = HELP.iter().find(|(known, _)| name == format!("holdfast_{known}")).map_or_else(
            || format!("{}.", name.trim_start_matches("holdfast_").replace('_', " ")),
            |(_, help)| (*help).to_owned(),
        );
        family(&mut out, &name, &help, &samples);
    }
    out
}

/// Samples by family name: a counter may carry labels in braces, and HELP and TYPE may stand only once.
fn families(counters: Option<&BTreeMap<String, u64>>) -> BTreeMap<String, Vec<(String, u64)>> {
    let mut families: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for (full, value) in counters.into_iter().flatten() {
        let (name, labels) = full.find('{').map_or((full.as_str(), ""), |at| full.split_at(at));
        let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
        let name = format!("holdfast_{}", clean.trim_start_matches("holdfast_"));
        families.entry(name).or_default().push((labels.to_owned(), *value));
    }
    families
}

fn family(out: &mut String, name: &str, help: &str, samples: &[(String, u64)]) {
    let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
    // Writing to a String can't fail.
    let _ok = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ok = writeln!(out, "{name}{labels} {value}");
    }
}

/// A label's value, escaped as the format asks.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_help_and_type_once_and_counters_are_told_apart() {
        let counters = BTreeMap::from([
            ("entries_total".to_owned(), 7),
            ("rejected_total{reason=\"realm\"}".to_owned(), 2),
            ("rejected_total{reason=\"signature\"}".to_owned(), 1),
            ("rejected_total_bytes".to_owned(), 3),
            ("links".to_owned(), 4),
        ]);
        let text = text("1-118 \"x\"", "simulation", ApiFigures { listeners: 2, refused: 1 }, Some(&counters));
        assert!(text.contains("holdfast_build_info{version=\"0.1.0\",node=\"1-118 \\\"x\\\"\",realm=\"simulation\"} 1\n"));
        assert!(text.contains("# TYPE holdfast_entries_total counter\nholdfast_entries_total 7\n"));
        assert!(text.contains("# TYPE holdfast_links gauge\nholdfast_links 4\n"));
        assert!(text.contains("holdfast_loop_up 1\n"));
        assert_eq!(text.matches("# TYPE holdfast_rejected_total counter").count(), 1);
        let mut seen = std::collections::BTreeSet::new();
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            assert!(seen.insert(line.to_owned()), "twice: {line}");
        }
    }

    #[test]
    fn a_loop_that_does_not_answer_is_told_as_down() {
        let text = text("1-1", "actual", ApiFigures { listeners: 0, refused: 0 }, None);
        assert!(text.contains("holdfast_loop_up 0\n"));
    }
}
