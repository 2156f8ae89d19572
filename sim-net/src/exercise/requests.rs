//! Every request for the record, from need to receipt: who took it, what was promised, what left, what was signed for.

use std::collections::BTreeMap;

use holdfast_proto::control::{Answer, ConsignmentView, HistoryView, Question, RequestView, Which};

use crate::record::RequestRecord;
use crate::scenario::words::SiteRole;
use crate::scenario::{Micros, SiteNo, Subject};
use crate::world::World;

/// A request that an inject made.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    /// As the scenario calls it.
    pub label: String,
    /// Who asked.
    pub site: SiteNo,
    /// When it was acknowledged to the asker.
    pub at: Micros,
    /// Item and quantity.
    pub lines: Vec<(String, u64)>,
    /// `urgent`.
    pub priority: String,
}

/// Those of injects first, each as its asker's own node shows it; then all others, as a node that dispatches shows them.
pub(super) fn requests(world: &mut World, labelled: &[Labelled]) -> Vec<RequestRecord> {
    let startex_ms = world.scenario().exercise.startex_ms;
    let journeys = witness(world).and_then(|site| world.consignments_shown(site)).map(by_request);
    let journeys = journeys.unwrap_or_default();
    let mut out = Vec::new();
    for one in labelled {
        let id = world.request_id(&one.label).unwrap_or_default().to_owned();
        let view = world.ask(one.site, &Question::Request(id.clone()));
        let mut record = RequestRecord { id, known: known(world, &one.label), ..of_scenario(one) };
        if let Some(Answer::Request(view)) = view {
            record.state.clone_from(&view.status);
            tell(world, &mut record, &view, &journeys, startex_ms);
        }
        out.push(record);
    }
    let told: Vec<String> = out.iter().map(|one| one.id.clone()).collect();
    let shown = witness(world).and_then(|site| world.ask(site, &Question::Requests(Which::All)));
    let Some(Answer::Requests(shown)) = shown else { return out };
    for view in shown.requests.iter().filter(|view| !told.contains(&view.request)) {
        let Some(site) = world.site_of(&view.requested_by.id) else { continue };
        let at = view.asked_at.map_or(0, |wall| since(wall.0, startex_ms));
        let lines = view.lines.iter().map(|line| format!("{} {}", line.text.as_ref().unwrap_or(&line.item), line.requested));
        let mut record = RequestRecord {
            label: view.request.clone(),
            id: view.request.clone(),
            site,
            at,
            lines: lines.collect(),
            priority: view.priority.clone(),
            acknowledged: Vec::new(),
            history: Vec::new(),
            known: (0, 0),
            state: view.status.clone(),
        };
        tell(world, &mut record, view, &journeys, startex_ms);
        out.push(record);
    }
    out
}

fn of_scenario(one: &Labelled) -> RequestRecord {
    RequestRecord {
        label: one.label.clone(),
        id: String::new(),
        site: one.site,
        at: one.at,
        lines: one.lines.iter().map(|(item, quantity)| format!("{item} {quantity}")).collect(),
        priority: one.priority.clone(),
        acknowledged: Vec::new(),
        history: Vec::new(),
        known: (0, 0),
        state: "asker-off".to_owned(),
    }
}

/// A node that runs, best one that dispatches.
fn witness(world: &World) -> Option<SiteNo> {
    let hub = |site: &SiteNo| world.scenario().sites[*site].role == SiteRole::Hub;
    world.running().find(hub).or_else(|| world.running().next())
}

fn by_request(consignments: Vec<ConsignmentView>) -> BTreeMap<String, Vec<HistoryView>> {
    let mut out: BTreeMap<String, Vec<HistoryView>> = BTreeMap::new();
    for one in consignments {
        for request in &one.requests {
            out.entry(request.clone()).or_default().extend(one.history.iter().cloned());
        }
    }
    out
}

/// Sites that hold it, of those that run.
fn known(world: &World, label: &str) -> (u32, u32) {
    let subject = Subject::Request(label.to_owned());
    let running: Vec<SiteNo> = world.running().collect();
    let known = running.iter().filter(|site| world.holds(**site, &subject) == Some(true)).count();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (count(known), count(running.len()))
}

/// What was done, ascending by time.
fn tell(
    world: &World,
    record: &mut RequestRecord,
    view: &RequestView,
    journeys: &BTreeMap<String, Vec<HistoryView>>,
    startex_ms: i64,
) {
    let promises = view.commitments.iter().flat_map(|promise| &promise.history);
    let journeys = journeys.get(&record.id).into_iter().flatten();
    for act in view.history.iter().chain(promises).chain(journeys) {
        let when = act.at.map_or(record.at, |wall| since(wall.0, startex_ms));
        let Some(by) = world.site_of(&act.by.id) else { continue };
        if act.act == "acknowledge" {
            record.acknowledged.push((by, when));
        } else if act.version > 1 || act.act != "request" {
            record.history.push((when, by, act.act.clone()));
        }
    }
    record.history.sort();
}

/// Microseconds since STARTEX of a time that a node's own clock showed.
fn since(wall_ms: i64, startex_ms: i64) -> Micros {
    u64::try_from(wall_ms.saturating_sub(startex_ms)).unwrap_or(0).saturating_mul(1_000)
}
