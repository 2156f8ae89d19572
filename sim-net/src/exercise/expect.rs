//! Expectations: each is looked at again and again from its start until it is met, broken, or the exercise is over.

use std::collections::BTreeSet;

use holdfast_proto::control::{Answer, CommitmentView, NodeView, Question, StatusView};

use super::spread::Spread;
use super::story::Story;
use super::{per_hour, status};
use crate::record::{Phrase, Reading, Verdict, Word};
use crate::scenario::{After, Check, Counted, Expect, Micros, Ppm, SiteNo, Subject};
use crate::world::World;

/// An expectation and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub expect: Expect,
    met_at: Option<Micros>,
    broken_at: Option<Micros>,
    /// As far as it was when last looked at.
    pub seen: Vec<Phrase>,
    verdict: Option<Verdict>,
}

/// What one look says.
struct Look {
    holds: bool,
    seen: Phrase,
}

impl Watch {
    pub(super) fn new(expect: Expect) -> Self {
        Self { expect, met_at: None, broken_at: None, seen: Vec::new(), verdict: None }
    }

    pub(super) fn is_met(&self) -> bool {
        self.met_at.is_some()
    }

    /// What came of it, once that is certain.
    pub(super) fn result(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Until when it should be met.
    pub(super) fn due(&self, from: Option<Micros>) -> Option<Micros> {
        from.map(|from| from.saturating_add(self.expect.within))
    }

    /// When it was met, and by how much too late.
    pub(super) fn met(&self, from: Option<Micros>) -> (Option<Micros>, Option<Micros>) {
        let late = self.met_at.zip(self.due(from)).map(|(met, due)| met.saturating_sub(due)).filter(|late| *late > 0);
        (self.met_at, late)
    }

    /// Looks at it now. It must be looked at when it is due: what has to last is certain only then.
    pub(super) fn look(&mut self, world: &mut World, from: Option<Micros>, story: &Story) {
        let (Some(from), None) = (from, self.verdict) else { return };
        let now = world.now;
        if now < from {
            return;
        }
        let due = from.saturating_add(self.expect.within);
        let (lasting, momentary): (Vec<Check>, Vec<Check>) = self.expect.checks.iter().cloned().partition(Check::lasts);
        let mut seen = Vec::new();
        let mut all = |checks: &[Check], world: &mut World| {
            let looks: Vec<Look> = checks.iter().map(|check| look_at(check, world, &story.spread, from)).collect();
            let holds: Vec<bool> = looks.iter().map(|look| look.holds).collect();
            seen.extend(looks.into_iter().map(|look| look.seen));
            holds
        };
        let unbroken = all(&lasting, world);
        let holds = all(&momentary, world).into_iter().all(|holds| holds);
        self.seen = seen;
        if holds && !momentary.is_empty() {
            self.met_at.get_or_insert(now);
        }
        if now <= due {
            // A share of all that was said until then is one at the end, not before.
            let broken = lasting.iter().zip(&unbroken).any(|(check, holds)| !holds && (now == due || !sums_up(check)));
            if broken {
                self.broken_at = Some(now);
                self.verdict = Some(Verdict::NotMet);
                return;
            }
        }
        if now < due && !lasting.is_empty() {
            return;
        }
        if lasting.iter().any(|check| !was_there(check, world, story, from)) {
            self.verdict = Some(Verdict::NotObserved);
        } else if momentary.is_empty() {
            self.met_at = Some(due);
            self.verdict = Some(Verdict::Met);
        } else if let Some(met) = self.met_at {
            self.verdict = Some(if met <= due { Verdict::Met } else { Verdict::MetLate });
        }
    }

    /// The exercise is over.
    pub(super) fn close(&mut self, from: Option<Micros>, end: Micros) {
        if self.verdict.is_some() {
            return;
        }
        let due = self.due(from);
        // Due at the very end, and nothing broke what had to last.
        if let Some(due) = due.filter(|due| *due <= end)
            && self.expect.checks.iter().all(Check::lasts)
        {
            self.met_at = Some(due);
        }
        self.verdict = Some(match (self.met_at, due) {
            (Some(met), Some(due)) if met <= due => Verdict::Met,
            (Some(_), _) => Verdict::MetLate,
            (None, Some(due)) if due <= end => Verdict::NotMet,
            (None, Some(_)) => {
                self.seen = vec![Phrase::EndedBeforeDue { until_then: std::mem::take(&mut self.seen) }];
                Verdict::NotObserved
            }
            (None, None) => {
                self.seen = vec![Phrase::NeverStarted];
                Verdict::NotObserved
            }
        });
    }
}

/// What it says of a time is known only at its end.
fn sums_up(check: &Check) -> bool {
    matches!(check, Check::TimeToKnowP95 { .. })
}

/// There was something to look at: nobody said anything, or nothing was forged, and nothing is shown by it.
fn was_there(check: &Check, world: &World, story: &Story, from: Micros) -> bool {
    match check {
        Check::TimeToKnowP95 { sites, .. } => story.spread.quantile(sites, 950).0 > 0,
        Check::NeverAccepted(nr) => story.start_of(&After::Inject(*nr)).is_some_and(|at| at <= world.now),
        Check::NeverAcceptedFrom(site) => world.said_since(*site, from),
        Check::AirtimeBelow { .. }
        | Check::Never(_)
        | Check::Knows { .. }
        | Check::Count { .. }
        | Check::Shows { .. }
        | Check::ShowsAge { .. }
        | Check::Sum { .. }
        | Check::Equal(_) => true,
    }
}

/// Looks at it now; it counts from `from` on.
fn look_at(check: &Check, world: &mut World, spread: &Spread, from: Micros) -> Look {
    match check {
        Check::Knows { sites, alive, what, at_least } => knows(world, sites, *alive, what, *at_least),
        Check::Count { what, at_least, at_most } => {
            let (count, seen) = count(world, what);
            Look { holds: count.is_some_and(|count| (*at_least..=*at_most).contains(&count)), seen }
        }
        Check::Shows { at, of, field, value } => shows(world, at, of, field, value),
        Check::Equal(sites) => equal(world, sites),
        Check::TimeToKnowP95 { sites, at_most } => {
            let (deliveries, p95) = spread.quantile(sites, 950);
            Look { holds: p95 <= *at_most, seen: Phrase::TookAtMost { deliveries, seconds: p95 / 1_000_000 } }
        }
        Check::AirtimeBelow { channel, share } => {
            let busiest = world.on_air().find(|on_air| on_air.channel == *channel).map_or(0, |on_air| on_air.busiest_hour);
            let used = per_hour(busiest);
            Look {
                holds: used <= *share,
                seen: Phrase::OnAir {
                    channel: channel.clone(),
                    percent: format!("{}.{:02}", used / 10_000, used % 10_000 / 100),
                },
            }
        }
        Check::Never(check) => {
            let Look { holds, seen } = look_at(check, world, spread, from);
            Look { holds: !holds, seen }
        }
        Check::ShowsAge { at, of, age } => shows_age(world, at, of, *age),
        Check::Sum { field, at, of, at_least, at_most } => {
            let sum = sum(world, field, *at, of);
            let site = name(world, *at);
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            let seen = sum.map_or(nobody, |sum| Phrase::Sum { site, field: Word(field.clone()), sum });
            Look { holds: sum.is_some_and(|sum| (*at_least..=*at_most).contains(&sum)), seen }
        }
        Check::NeverAcceptedFrom(site) => {
            let sites = world.keep_from(*site, from) as u64;
            Look { holds: sites == 0, seen: Phrase::KeepFrom { sites, site: name(world, *site) } }
        }
        Check::NeverAccepted(nr) => {
            let sites = world.accepted(*nr).count() as u64;
            Look { holds: sites == 0, seen: Phrase::KeepForged { sites, nr: *nr } }
        }
    }
}

fn knows(world: &World, sites: &[SiteNo], alive: bool, what: &Subject, at_least: Ppm) -> Look {
    let asked: Vec<SiteNo> = sites.iter().copied().filter(|site| !alive || world.runs(*site)).collect();
    let known = asked.iter().filter(|site| world.holds(**site, what) == Some(true)).count();
    let said = asked.first().is_none_or(|site| world.holds(*site, what).is_some());
    let enough = known as u64 * 1_000_000 >= asked.len() as u64 * u64::from(at_least);
    let seen = match (said, asked.is_empty()) {
        (false, _) => Phrase::NotSaidYet,
        (true, true) => Phrase::NoneRuns,
        (true, false) => Phrase::Know { known: known as u64, of: asked.len() as u64 },
    };
    Look { holds: said && !asked.is_empty() && enough, seen }
}

/// A site as the scenario calls it.
fn name(world: &World, site: SiteNo) -> String {
    world.scenario().sites.get(site).map_or_else(|| "?".to_owned(), |site| site.id.clone())
}

fn count(world: &mut World, what: &Counted) -> (Option<u64>, Phrase) {
    match what {
        Counted::RequestsOpen(at) => {
            let (count, site) = (status(world, *at).map(|view| u64::from(view.requests_open)), name(world, *at));
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::RequestsOpen { site, count }))
        }
        Counted::Reachable(at) => {
            let count = status(world, *at).map(|view| view.nodes.iter().skip(1).filter(|node| node.reachable).count() as u64);
            let site = name(world, *at);
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::Reachable { site, count }))
        }
        Counted::Conflicts(at) => {
            let (count, site) = (status(world, *at).map(|view| u64::from(view.conflicts)), name(world, *at));
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::Conflicts { site, count }))
        }
        Counted::Suppliers { at, request } => {
            let count = suppliers(world, *at, request);
            let site = name(world, *at);
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::Suppliers { site, count }))
        }
        Counted::Forked(at) => {
            let count = status(world, *at).map(|view| view.nodes.iter().filter(|node| node.forked).count() as u64);
            let site = name(world, *at);
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::Forked { site, count }))
        }
        Counted::Revoked(at) => {
            let revoked = |view: StatusView| view.nodes.iter().filter(|node| node.revoked.is_some()).count() as u64;
            let (count, site) = (status(world, *at).map(revoked), name(world, *at));
            let nobody = Phrase::NobodyToAsk { site: site.clone() };
            (count, count.map_or(nobody, |count| Phrase::Revoked { site, count }))
        }
        Counted::Running(sites) => {
            let count = sites.iter().filter(|site| world.runs(**site)).count() as u64;
            (Some(count), Phrase::Running { count })
        }
        Counted::Open(sites) => {
            let open = |world: &mut World, site: SiteNo| {
                let view = status(world, site)?;
                let own = view.nodes.first()?;
                Some(matches!(own.operating_status.as_str(), "open" | "limited"))
            };
            let count = sites.iter().filter(|site| open(world, **site) == Some(true)).count() as u64;
            (Some(count), Phrase::Open { count })
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// What a node shows of a field; `unknown` where it is too old or was never said.
fn shown(node: &NodeView, field: &str) -> String {
    if field == "operating.status" {
        return node.operating_status.clone();
    }
    let reading = node.readings.get(field).filter(|reading| !reading.stale);
    reading.map_or_else(unknown, |reading| reading.value.as_str().map_or_else(|| reading.value.to_string(), str::to_owned))
}

fn shows(world: &mut World, at: &[SiteNo], of: &[SiteNo], field: &str, value: &str) -> Look {
    let (mut right, mut all) = (0, 0);
    for site in at {
        let Some(view) = status(world, *site) else { continue };
        for other in of {
            let id = world.id(*other).to_string();
            let shown = view.nodes.iter().find(|node| node.id == id).map_or_else(unknown, |node| shown(node, field));
            all += 1;
            right += u64::from(shown == value);
        }
    }
    let reading = Reading { field: field.to_owned(), value: value.to_owned() };
    let seen = Phrase::Show { right, of: all, reading };
    Look { holds: all > 0 && right == all, seen }
}

/// Suppliers of which something is still promised, on the road or there.
fn suppliers(world: &mut World, at: SiteNo, label: &str) -> Option<u64> {
    let Some(id) = world.request_id(label).map(str::to_owned) else { return Some(0) };
    let Some(Answer::Request(view)) = world.ask(at, &Question::Request(id)) else { return world.runs(at).then_some(0) };
    let stands =
        |promise: &&CommitmentView| promise.lines.iter().any(|line| line.committed + line.in_transit + line.accepted > 0);
    let suppliers: BTreeSet<&str> = view.commitments.iter().filter(stands).map(|promise| promise.supplier.id.as_str()).collect();
    Some(suppliers.len() as u64)
}

fn shows_age(world: &mut World, at: &[SiteNo], of: &[SiteNo], age: Micros) -> Look {
    let (mut right, mut all) = (0, 0);
    for site in at {
        let Some(view) = status(world, *site) else { continue };
        for other in of {
            let id = world.id(*other).to_string();
            let shown = view.nodes.iter().find(|node| node.id == id).and_then(|node| node.age_s);
            all += 1;
            right += u64::from(shown.is_none_or(|seconds| seconds.saturating_mul(1_000_000) >= age));
        }
    }
    let seen = Phrase::ShowAge { right, of: all, minutes: age / 60_000_000 };
    Look { holds: all > 0 && right == all, seen }
}

/// What a number comes to, as one site shows it; stale readings are not known.
fn sum(world: &mut World, field: &str, at: SiteNo, of: &[SiteNo]) -> Option<u64> {
    let view = status(world, at)?;
    // Of stock the level stands under this name; the count, for who may see it, under the next.
    let field = if field.starts_with("stock.") { format!("{field}.count") } else { field.to_owned() };
    let ids: BTreeSet<String> = of.iter().map(|site| world.id(*site).to_string()).collect();
    let known = view.nodes.iter().filter(|node| ids.contains(&node.id));
    let readings = known.filter_map(|node| node.readings.get(&field)).filter(|reading| !reading.stale);
    Some(readings.filter_map(|reading| reading.value.as_u64()).fold(0, u64::saturating_add))
}

fn equal(world: &mut World, sites: &[SiteNo]) -> Look {
    let mut digests: Vec<String> = Vec::new();
    for site in sites {
        digests.extend(world.ask(*site, &Question::Digest).and_then(Answer::digest));
    }
    let sites = digests.len() as u64;
    digests.sort_unstable();
    digests.dedup();
    let seen = match digests.len() as u64 {
        0 => Phrase::NoneRuns,
        1 => Phrase::HoldSame { sites },
        states => Phrase::HoldDifferent { sites, states },
    };
    Look { holds: digests.len() == 1, seen }
}

#[cfg(test)]
mod tests {
    use crate::exercise::Play;
    use crate::record::Verdict;
    use crate::scenario::{Micros, read};

    #[test]
    fn the_load_of_a_channel_and_of_a_courier_is_in_the_record_and_the_airtime_is_looked_at() {
        let text = r#"
            exercise = { id = "T", duration = "3h", settle = "4m" }
            inject = [{ at = "00:30", what = "courier", from = "site:S1", to = "site:S4", lasts = "20m" }]
            [world]
            generate = { sites = 6, hubs = 1, region = "HUA", areas = 1, radio = "R1" }
            [world.defaults]
            radio = { channel = "R1", rate = 9600, mtu = 1000, range_m = 100000 }
            tempo = { boards = "10m", entries = "1h" }
            [[expect]]
            id = "WIDE"
            text = "t"
            within = "3h"
            check = { airtime = "R1", below = "90 %" }
            [[expect]]
            id = "NARROW"
            text = "t"
            within = "3h"
            check = { airtime = "R1", below = "0.01 %" }
        "#;
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("scenario.toml"), text).unwrap();
        let scenario = read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}")).0;
        let mut play = Play::new(scenario, 3, "").unwrap();
        play.advance(Micros::MAX);
        let record = play.record();
        let results: Vec<Verdict> = record.expectations.iter().map(|expect| expect.result).collect();
        assert_eq!(results, [Verdict::Met, Verdict::NotMet], "{:?}", record.expectations);
        let load = |medium: &str| record.load.iter().find(|load| load.medium == medium).unwrap();
        let (radio, courier) = (load("radio:R1"), load("courier"));
        assert!(radio.frames > 100 && radio.bytes > 20 * radio.frames && radio.airtime > 20_000 * radio.frames, "{radio:?}");
        assert!(radio.duty > 0 && radio.duty < 100_000 && radio.queue > 0, "{radio:?}");
        assert!(courier.frames > 6 && courier.bytes > 1_000 && courier.lost == 0, "{courier:?}");
    }
}
