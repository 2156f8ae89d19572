//! What is looked at: samples during the run (ages, gauges, answers), and the verdict after the heal (same digest, same picture,
//! no word lost).

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::config::{COMMANDS_MAX, LINKS_MAX, OUTBOX_MAX, PENDING_MAX};
use holdfast_proto::control::{Answer, NodeView, Question};
use serde_json::Value;

use super::{Happening, World};
use crate::checker::{Rule, Sometimes};

/// Between two samples.
const SAMPLE_US: u64 = 5_000_000;
/// A command is answered within this: a stalled disk (1 s) many times over.
const PATIENCE_US: u64 = 60_000_000;
/// So many seconds and so many permille less than true is honest: a frame may wait in a thin link's queue (33 s) or in a link that
/// is cut and mended again (16 s), and clocks drift.
const AGE_SLACK: (u64, u64) = (60, 2);
/// Keys of answers that differ between nodes by right: ages, links and what follows from them.
const OWN_VIEW: [&str; 10] =
    ["age_s", "reachable", "via", "delivery", "stale", "was", "unknown_because", "operating_status", "warnings", "neighbours"];

impl World {
    pub(super) fn sample(&mut self) {
        self.checker.unanswered(self.now, PATIENCE_US);
        for node in 0..self.plan.nodes {
            self.ages(node);
            self.gauges(node);
        }
        if self.now >= self.plan.heal_at && !self.same_digest() {
            self.differed_at = Some(self.now);
        }
        if self.now < self.plan.end_at {
            self.after(SAMPLE_US, Happening::Sample);
        }
    }

    fn gauges(&mut self, node: usize) {
        let Some(Answer::Metrics(metrics)) = self.ask(node, &Question::Metrics) else { return };
        let limits = [
            ("outbox", OUTBOX_MAX * LINKS_MAX),
            ("pending", PENDING_MAX),
            ("commands_waiting", COMMANDS_MAX),
            ("links", LINKS_MAX),
        ];
        for (name, limit) in limits {
            for (metric, value) in metrics.iter().filter(|(metric, _)| metric.contains(name) && !metric.ends_with("_total")) {
                let holds = *value <= limit as u64;
                self.checker
                    .check(Rule::AlwaysP2Bounded, holds, self.now, Some(node), || format!("{metric} is {value}, limit {limit}"));
            }
        }
    }

    fn ages(&mut self, node: usize) {
        let Some(Answer::Status(status)) = self.ask(node, &Question::Status) else { return };
        for shown in &status.nodes {
            let Some(author) = self.alliance.members.iter().position(|member| member.id.to_string() == shown.id) else {
                continue;
            };
            self.reading_ages(node, author, shown);
        }
    }

    fn reading_ages(&mut self, node: usize, author: usize, shown: &NodeView) {
        for (field, reading) in shown.readings.iter().filter(|(_, reading)| !reading.derived) {
            let Some(said) = self.checker.reported.get(&(author, field.clone())).copied() else { continue };
            let true_age = (self.now - said) / 1_000_000;
            let least = (true_age.saturating_sub(AGE_SLACK.0)) * (1_000 - AGE_SLACK.1) / 1_000;
            let honest = reading.age_s.is_none_or(|age| age >= least);
            self.checker.check(Rule::AlwaysHonestAge, honest, self.now, Some(node), || {
                format!("shows {field} of node {author} {:?} s old, true age {true_age} s", reading.age_s)
            });
            let fresh = !reading.stale;
            let bounded = reading.age_s.is_some_and(|age| age <= reading.valid_s) && least <= reading.valid_s;
            self.checker.check(Rule::AlwaysHonestAge, !fresh || bounded, self.now, Some(node), || {
                format!(
                    "shows {field} of node {author} as fresh, {:?} s old, holds {} s, true age {true_age} s",
                    reading.age_s, reading.valid_s
                )
            });
            self.checker.saw_times(Sometimes::ShownStale, u64::from(reading.stale));
        }
    }

    fn digest(&mut self, node: usize) -> Option<String> {
        match self.ask(node, &Question::Digest)? {
            Answer::Digest(view) => Some(view.digest),
            Answer::Status(_)
            | Answer::Requests(_)
            | Answer::Request(_)
            | Answer::Peers(_)
            | Answer::Delivery(_)
            | Answer::Metrics(_)
            | Answer::Refused(_) => None,
        }
    }

    pub(super) fn same_digest(&mut self) -> bool {
        let digests: BTreeSet<Option<String>> = (0..self.plan.nodes).map(|node| self.digest(node)).collect();
        digests.len() == 1 && !digests.contains(&None)
    }

    /// The second phase: long after the heal everybody holds the same and shows the same. Call once, at the end of the plan.
    pub fn verdict(&mut self) {
        let end = self.now;
        // A receipt may be on its way at the very moment of the look: look again for half a minute.
        while !self.same_digest() && self.now < end + 30_000_000 {
            let next = self.now + 500_000;
            self.run_until(next);
        }
        let digests: Vec<String> = (0..self.plan.nodes).map(|node| self.differences(node)).collect();
        let same = self.same_digest();
        self.checker.check(Rule::EventuallyP7SameDigest, same, self.now, None, || {
            format!("{} s after the heal: {}", (self.now - self.plan.heal_at) / 1_000_000, digests.join("; "))
        });
        self.checker.unanswered(self.now, PATIENCE_US);
        self.same_picture();
        for node in 0..self.plan.nodes {
            self.checker.words_kept(node, self.now, &self.slots[node].disk);
            self.requests_listed(node);
            self.last_status(node);
        }
    }

    fn differences(&mut self, node: usize) -> String {
        match self.ask(node, &Question::Digest) {
            Some(Answer::Digest(view)) => format!(
                "node {node} {} ({} entries, {} boards, {} holes, {} neighbours)",
                view.digest.get(..8).unwrap_or_default(),
                view.entries,
                view.boards,
                view.holes,
                view.neighbours
            ),
            Some(other) => format!("node {node} answers {other:?}"),
            None => format!("node {node} is down"),
        }
    }

    /// Nodes of one firm and one role are entitled to the same, so they show the same; requests are the same for all.
    fn same_picture(&mut self) {
        let mut pictures: BTreeMap<(usize, bool), (usize, String)> = BTreeMap::new();
        let mut requests: Option<(usize, String)> = None;
        for node in 0..self.plan.nodes {
            let group = (self.alliance.members[node].firm, self.alliance.members[node].hub);
            if let Some(Answer::Status(mut status)) = self.ask(node, &Question::Status) {
                status.nodes.sort_by(|a, b| a.id.cmp(&b.id));
                status.nodes.iter_mut().for_each(|shown| shown.readings.retain(|_, reading| !reading.derived));
                let text = canonical(serde_json::to_value(&status.nodes).unwrap_or_default());
                let (first, held) = pictures.entry(group).or_insert_with(|| (node, text.clone())).clone();
                self.checker.check(Rule::EventuallyP7SamePicture, held == text, self.now, Some(node), || {
                    format!("shows other boards than node {first}: {}", first_difference(&held, &text))
                });
            }
            if let Some(Answer::Requests(view)) = self.ask(node, &Question::Requests) {
                let text = canonical(serde_json::to_value(&view.requests).unwrap_or_default());
                let (first, held) = requests.get_or_insert_with(|| (node, text.clone())).clone();
                self.checker.check(Rule::EventuallyP7SamePicture, held == text, self.now, Some(node), || {
                    format!("shows other requests than node {first}: {}", first_difference(&held, &text))
                });
            }
        }
    }

    fn requests_listed(&mut self, node: usize) {
        let Some(Answer::Requests(view)) = self.ask(node, &Question::Requests) else { return };
        let shown: BTreeSet<&str> = view.requests.iter().map(|request| request.request.as_str()).collect();
        let owed = self.checker.words.iter().filter(|word| !word.excused && !self.checker.planted.contains(&word.node));
        let missing: Vec<String> =
            owed.filter_map(|word| word.request.clone()).filter(|id| !shown.contains(id.as_str())).collect();
        self.checker.check(Rule::EventuallyNoWordLost, missing.is_empty(), self.now, Some(node), || {
            format!(
                "does not list {} acknowledged requests, first {}",
                missing.len(),
                missing.first().cloned().unwrap_or_default()
            )
        });
    }

    /// The operating status each author had acknowledged last is what everybody shows of it, or shows that it was.
    fn last_status(&mut self, node: usize) {
        let Some(Answer::Status(status)) = self.ask(node, &Question::Status) else { return };
        for (author, (at, values)) in self.checker.status.clone() {
            let lost = self.checker.lost.get(&author).is_some_and(|lost| *lost >= at);
            if lost || self.checker.planted.contains(&author) {
                continue;
            }
            let id = self.alliance.members[author].id.to_string();
            let shown = status.nodes.iter().find(|shown| shown.id == id);
            let text = shown.map(|shown| shown.was.clone().unwrap_or_else(|| shown.operating_status.clone()));
            let kept = text.as_ref().is_some_and(|text| values.contains(text));
            self.checker.check(Rule::EventuallyNoWordLost, kept, self.now, Some(node), || {
                format!("shows node {author} as {text:?}, but {values:?} was acknowledged at {at} us")
            });
        }
    }
}

/// The same text for the same picture: keys that differ by right are taken out.
fn canonical(mut value: Value) -> String {
    strip(&mut value);
    value.to_string()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| !OWN_VIEW.contains(&key.as_str()));
            map.values_mut().for_each(strip);
        }
        Value::Array(list) => list.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A window around the first byte that differs.
fn first_difference(a: &str, b: &str) -> String {
    let place = a.bytes().zip(b.bytes()).position(|(x, y)| x != y).unwrap_or(a.len().min(b.len()));
    let window = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[place.saturating_sub(80)..(place + 80).min(text.len())]).into_owned()
    };
    format!("{} | {}", window(a), window(b))
}
