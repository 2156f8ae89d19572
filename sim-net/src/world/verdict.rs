//! What is looked at: samples during the run (ages, gauges, answers), and the verdict after the heal (same digest, same picture,
//! no word lost).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_proto::config::{COMMANDS_MAX, LINKS_MAX, OUTBOX_MAX, PENDING_MAX};
use holdfast_proto::control::{Answer, NodeView, Question, RequestView, RequestsView, StatusView, Which};
use holdfast_proto::identity::Region;
use serde_json::Value;

use super::{Happening, World};
use crate::checker::{Rule, Sometimes};
use crate::scenario::words::SiteRole;
use crate::scenario::{Effect, Micros, Path, Scenario, SiteNo};

/// Between two samples.
const SAMPLE: Micros = 5_000_000;
/// A sample looks at about so many boards as nodes show them, of one node after the other: all of a small alliance, and of a large
/// one no more than it costs to run it.
const BOARDS_A_SAMPLE: usize = 25;
/// In the end so many nodes are asked for their whole picture, spread evenly; the digests of all are compared.
const PICTURES: usize = 64;
/// A command is answered within this: a stalled disk (1 s) many times over.
const PATIENCE: Micros = 60_000_000;
/// Keys of answers that differ between nodes by right: ages, links and what follows from them.
const OWN_VIEW: [&str; 11] = [
    "age_s",
    "reachable",
    "via",
    "delivery",
    "stale",
    "lapsed",
    "was",
    "unknown_because",
    "operating_status",
    "warnings",
    "neighbours",
];

/// How much less than true an age may be shown and still be honest.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgeSlack {
    seconds: u64,
    /// Seconds that a frame may wait on its way.
    waits: u64,
    permille: u64,
    /// By how much clocks drift, together.
    ppm: u64,
}

/// Seconds.
fn waits(path: &Path) -> u64 {
    u64::from(path.queue).checked_div(path.rate).unwrap_or(0) + path.delay / 1_000_000
}

impl AgeSlack {
    /// A frame may wait in the queue of a thin link, and in a link that is cut and mended again (16 s); clocks drift.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let model = &scenario.world;
        let by_radio = model.channels.iter().map(|channel| super::radio::longest_wait(channel).div_ceil(1_000_000)).max();
        Self { seconds: 27, waits: waits(&model.wan).max(waits(&model.lan)).max(by_radio.unwrap_or(0)), permille: 2, ppm: 0 }
    }

    /// What an inject adds to it, from the plan or by hand.
    pub(super) fn take(&mut self, effect: &Effect) {
        if let Effect::Degrade { path, .. } = effect {
            self.waits = self.waits.max(waits(path));
        }
        if let Effect::ClockDrift { ppm, .. } = effect {
            self.ppm += u64::from(ppm.unsigned_abs());
        }
    }

    fn least(self, true_age_s: u64) -> u64 {
        let permille = 1_000_u64.saturating_sub(self.permille + self.ppm / 1_000);
        true_age_s.saturating_sub(self.seconds + self.waits) * permille / 1_000
    }
}

/// What the first node asked shows, and who that is.
#[derive(Debug, Default)]
struct Pictures {
    boards: BTreeMap<(usize, SiteRole, Region), (SiteNo, String)>,
    requests: Option<(SiteNo, Vec<RequestView>)>,
    goods: Option<(SiteNo, String)>,
}

/// Whose turn it is to be looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watch {
    next: SiteNo,
    credit: usize,
}

impl World {
    pub(super) fn sample(&mut self) {
        self.checker.unanswered(self.now, PATIENCE);
        let count = self.slots.len();
        self.watch.credit += BOARDS_A_SAMPLE;
        while self.watch.credit >= count {
            self.watch.credit -= count;
            let node = self.watch.next;
            self.watch.next = (node + 1) % count;
            self.ages(node);
            self.gauges(node);
        }
        let settling = self.now >= self.phases.endex && self.phases.end > self.phases.endex;
        if settling && !self.same_digest() {
            self.differed_at = Some(self.now);
        }
        if self.now < self.phases.end {
            self.after(SAMPLE, Happening::Sample);
        }
    }

    /// Nodes whose whole picture is looked at in the end.
    fn looked_at(&self) -> Vec<SiteNo> {
        let count = self.slots.len();
        let asked = count.min(PICTURES);
        (0..asked).map(|place| place * count / asked).filter(|node| !self.revoked.contains(node)).collect()
    }

    fn gauges(&mut self, node: usize) {
        let Some(metrics) = self.ask(node, &Question::Metrics).and_then(Answer::metrics) else { return };
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
        let Some(status) = self.ask(node, &Question::Status).and_then(Answer::status) else { return };
        for shown in &status.nodes {
            let Some(author) = shown.id.parse().ok().and_then(|id| self.alliance.index_of(id)) else { continue };
            // A thief of its key may have said something since.
            if !self.checker.planted.contains(&author) {
                self.reading_ages(node, author, shown);
            }
        }
    }

    fn reading_ages(&mut self, node: usize, author: usize, shown: &NodeView) {
        for (field, reading) in shown.readings.iter().filter(|(_, reading)| !reading.derived) {
            let Some(said) = self.checker.reported_at(author, field) else { continue };
            let true_age = (self.now - said) / 1_000_000;
            let least = self.slack.least(true_age);
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
        self.ask(node, &Question::Digest)?.digest()
    }

    /// All running nodes hold the same; false where one does not run.
    pub fn same_digest(&mut self) -> bool {
        let trusted: Vec<SiteNo> = self.trusted().collect();
        let first = trusted.first().and_then(|node| self.digest(*node));
        first.is_some() && trusted.iter().skip(1).all(|node| self.digest(*node) == first)
    }

    /// The last look, once, at the end. After a settling everybody must hold the same and show the same.
    pub fn verdict(&mut self) {
        self.checker.unanswered(self.now, PATIENCE);
        if self.phases.end == self.phases.endex {
            return;
        }
        let end = self.now;
        // A receipt may be on its way at the very moment of the look: look again for half a minute.
        while !self.same_digest() && self.now < end + 30_000_000 {
            let next = self.now + 500_000;
            self.run_until(next);
        }
        let same = self.same_digest();
        let told = if same { Vec::new() } else { (0..self.slots.len()).map(|node| self.differences(node)).collect() };
        self.checker.check(Rule::EventuallyP7SameDigest, same, self.now, None, || {
            format!("{} s after the heal: {}", (self.now - self.phases.endex) / 1_000_000, told.join("; "))
        });
        for node in self.trusted().collect::<Vec<_>>() {
            let alliance = Arc::clone(&self.alliance);
            self.checker.words_kept(node, self.now, &self.slots[node].disk, &|author| alliance.members[author].id);
        }
        let mut pictures = Pictures::default();
        for node in self.looked_at() {
            if let Some(status) = self.ask(node, &Question::Status).and_then(Answer::status) {
                self.last_status(node, &status);
                self.same_boards(node, status, &mut pictures);
            }
            if let Some(Answer::Requests(view)) = self.ask(node, &Question::Requests(Which::All)) {
                self.requests_listed(node, &view);
                self.conserved(node, &view);
                self.same_requests(node, view, &mut pictures);
            }
            self.same_goods(node, &mut pictures);
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

    /// Nodes of one firm, role and region are entitled to the same, so they show the same.
    fn same_boards(&mut self, node: usize, mut status: StatusView, pictures: &mut Pictures) {
        let member = &self.alliance.members[node];
        let group = (member.firm, member.role, self.scenario.sites[node].region);
        status.nodes.sort_by(|a, b| a.id.cmp(&b.id));
        status.nodes.iter_mut().for_each(|shown| shown.readings.retain(|_, reading| !reading.derived));
        let text = canonical(serde_json::to_value(&status.nodes).unwrap_or_default());
        let (first, held) = pictures.boards.entry(group).or_insert_with(|| (node, text.clone()));
        self.checker.check(Rule::EventuallyP7SamePicture, *held == text, self.now, Some(node), || {
            format!("shows other boards than node {first}: {}", first_difference(held, &text))
        });
    }

    /// Requests are the same for all.
    fn same_requests(&mut self, node: usize, view: RequestsView, pictures: &mut Pictures) {
        let shown = plain(view);
        let (first, held) = pictures.requests.get_or_insert_with(|| (node, shown.clone()));
        let texts = || [&*held, &shown].map(|requests| canonical(serde_json::to_value(requests).unwrap_or_default()));
        // Spelled out only where they are not plainly the same: there are thousands.
        let same = *held == shown || matches!(texts(), [one, other] if one == other);
        self.checker.check(Rule::EventuallyP7SamePicture, same, self.now, Some(node), || {
            let [one, other] = texts();
            format!("shows other requests than node {first}: {}", first_difference(&one, &other))
        });
    }

    /// Goods on their way, and what people must settle about them, are the same for all.
    fn same_goods(&mut self, node: usize, pictures: &mut Pictures) {
        let Some(consignments) = self.consignments_shown(node) else { return };
        let Some(conflicts) = self.conflicts_shown(node) else { return };
        let text = canonical(serde_json::json!([consignments, conflicts]));
        let (first, held) = pictures.goods.get_or_insert_with(|| (node, text.clone()));
        self.checker.check(Rule::EventuallyP7SamePicture, *held == text, self.now, Some(node), || {
            format!("shows other consignments or conflicts than node {first}: {}", first_difference(held, &text))
        });
    }

    fn requests_listed(&mut self, node: usize, view: &RequestsView) {
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
    fn last_status(&mut self, node: usize, status: &StatusView) {
        let shown: BTreeMap<&str, &NodeView> = status.nodes.iter().map(|shown| (shown.id.as_str(), shown)).collect();
        for (author, (at, values)) in self.checker.status.clone() {
            let lost = self.checker.lost.get(&author).is_some_and(|lost| *lost >= at);
            if lost || self.checker.planted.contains(&author) {
                continue;
            }
            let shown = shown.get(self.id(author).to_string().as_str());
            let text = shown.map(|shown| shown.was.clone().unwrap_or_else(|| shown.operating_status.clone()));
            let kept = text.as_ref().is_some_and(|text| values.contains(text));
            self.checker.check(Rule::EventuallyNoWordLost, kept, self.now, Some(node), || {
                format!("shows node {author} as {text:?}, but {values:?} was acknowledged at {at} us")
            });
        }
    }
}

/// Requests without what differs between nodes by right.
fn plain(view: RequestsView) -> Vec<RequestView> {
    view.requests.into_iter().map(|request| RequestView { delivery: None, ..request }).collect()
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
