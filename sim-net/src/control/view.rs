//! What a controller is shown: the state, the sites as others see them, checkpoints, and what is new. Times are microseconds since
//! STARTEX with `_us`, and as people read them without.

use holdfast_proto::domain::refusal::Refusal;
use serde::Serialize;

use super::{Control, Goal, refuse};
use crate::exercise::{Plan, status};
use crate::record::{Both, Phrase, Told, Verdict};
use crate::scenario::words::SiteRole;
use crate::scenario::{self, Micros, SiteNo};

/// Violations shown, the newest.
const VIOLATIONS: usize = 10;

/// Where play stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateView {
    /// `holdfast.sim.state/1`.
    pub schema: &'static str,
    /// Id of the exercise.
    pub exercise: String,
    /// Its title.
    pub title: String,
    /// `exercise`, `rehearsal` or `test`; never actual.
    pub status: String,
    /// Exercise time, `01:30`.
    pub at: String,
    /// The same.
    pub at_us: Micros,
    /// ENDEX.
    pub endex_us: Micros,
    /// ENDEX and the settling after it.
    pub end_us: Micros,
    /// STARTEX in milliseconds since 1970 UTC.
    pub startex_ms: i64,
    /// `running`: by itself at the speed set; `sent`: to a time or an event as fast as it goes; `paused`; `over`.
    pub play: &'static str,
    /// `max` or `60x`.
    pub speed: String,
    /// Line of play, from 1; another begins with each going back.
    pub line: u32,
    /// All chance comes from it.
    pub seed: u64,
    /// Over everything that crossed the boundary of any node.
    pub fingerprint: String,
    /// Sites, and those whose PC runs.
    pub sites: usize,
    /// Sites whose PC runs.
    pub sites_running: usize,
    /// Injects.
    pub injects: Plan,
    /// Injects in force.
    pub in_force: Vec<InForce>,
    /// Every expectation.
    pub expectations: Vec<ExpectView>,
    /// Rules broken so far.
    pub violations: usize,
    /// The newest of them.
    pub last_violations: Vec<ViolationView>,
}

/// An inject in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// Its number.
    pub nr: u32,
    /// Its word.
    pub what: String,
}

/// An expectation as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExpectView {
    /// `X1`.
    pub id: String,
    /// In words.
    pub text: String,
    /// `met`, `met_late`, `not_met`, `not_observed`; `open` while it is not certain.
    pub result: &'static str,
    /// Until when it should be met, once that is known.
    pub due_us: Option<Micros>,
    /// How far it is.
    pub seen: Both,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ViolationView {
    /// `P4.spoken`.
    pub rule: String,
    /// When.
    pub at_us: Micros,
    /// Where, if at one site.
    pub site: Option<String>,
    /// What was seen.
    pub what: String,
}

/// All sites, for a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SitesView {
    /// `holdfast.sim.sites/1`.
    pub schema: &'static str,
    /// Exercise time.
    pub at_us: Micros,
    /// Whose view of the others this is; absent: nobody runs.
    pub as_seen_by: Option<String>,
    /// In the order of the scenario.
    pub sites: Vec<SiteView>,
}

/// One site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteView {
    /// `S117`.
    pub id: String,
    /// As people name it.
    pub name: String,
    /// `store`, `hub`, `authority`.
    pub role: String,
    /// Firm.
    pub owner: String,
    /// `TPE`.
    pub region: String,
    /// Millionths of a degree north.
    pub lat: i32,
    /// Millionths of a degree east.
    pub lon: i32,
    /// Its PC runs. The truth: nobody else may know.
    pub running: bool,
    /// What the one asked shows of it: `open`, `limited`, `closed`, `evacuating`, `unknown`.
    pub shown: String,
    /// How old that is, where it is known.
    pub age_s: Option<u64>,
    /// The one asked has a link to it.
    pub reachable: bool,
}

/// All checkpoints, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointsView {
    /// `holdfast.sim.checkpoints/1`.
    pub schema: &'static str,
    /// Oldest first.
    pub checkpoints: Vec<CheckpointView>,
}

/// A moment to go back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointView {
    /// As `back` wants it.
    pub name: String,
    /// When.
    pub at_us: Micros,
    /// On which line of play.
    pub line: u32,
}

/// Something new, for those who listen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum News {
    /// Something happened in the exercise.
    Happened {
        /// `inject`, `undone`, `up`, `down`, `said`, `expectation`, `violation`, `real-event`, `note`.
        kind: String,
        /// When.
        #[serde(rename = "at_us")]
        at: Micros,
        /// Where, if at one site.
        site: Option<String>,
        /// What.
        what: Phrase,
        /// The same in words.
        text: Both,
    },
    /// A checkpoint was made.
    Checkpoint {
        /// When.
        #[serde(rename = "at_us")]
        at: Micros,
        /// As `back` wants it.
        name: String,
    },
    /// Play went back: another line begins.
    Branch {
        /// Where it begins.
        #[serde(rename = "at_us")]
        at: Micros,
        /// Its number.
        line: u32,
        /// The line that the checkpoint was made on.
        of: u32,
    },
    /// Play goes on.
    Playing {
        /// From here.
        #[serde(rename = "at_us")]
        at: Micros,
    },
    /// Play stands.
    Paused {
        /// Here.
        #[serde(rename = "at_us")]
        at: Micros,
    },
    /// Another speed was set.
    Speed {
        /// When.
        #[serde(rename = "at_us")]
        at: Micros,
        /// `max` or `60x`.
        speed: String,
    },
    /// So late is it; told a few times a second at most.
    Time {
        /// Exercise time.
        #[serde(rename = "at_us")]
        at: Micros,
    },
    /// Play is over.
    Ended {
        /// Virtual time reached.
        #[serde(rename = "at_us")]
        at: Micros,
        /// Why before its end; absent: it was played to its end.
        early: Option<String>,
        /// Over everything that crossed the boundary of any node.
        fingerprint: String,
    },
}

impl Control {
    /// Where play stands.
    pub fn state(&mut self) -> StateView {
        let (at, end, over) = (self.play.now(), self.play.end(), self.play.is_over());
        let injects = self.play.plan();
        let expectations = self.play.expectations().map(|(expect, certain)| ExpectView {
            id: expect.id,
            text: expect.text,
            result: if certain { result(expect.result) } else { "open" },
            due_us: expect.due,
            seen: expect.seen.both(),
        });
        let expectations = expectations.collect();
        let play = match self.goal {
            _ if over => "over",
            None => "paused",
            Some(Goal::End) => "running",
            Some(Goal::Time(_) | Goal::Violation(_)) => "sent",
        };
        let (speed, line) = (self.speed.to_string(), self.line);
        let world = self.play.world();
        let exercise = &world.scenario().exercise;
        let violations = &world.checker.violations;
        let name = |site: SiteNo| world.scenario().sites.get(site).map(|site| site.id.clone());
        let newest = violations.iter().rev().take(VIOLATIONS).map(|one| ViolationView {
            rule: one.rule.described().0.to_owned(),
            at_us: one.at,
            site: one.node.and_then(name),
            what: one.what.clone(),
        });
        StateView {
            schema: "holdfast.sim.state/1",
            exercise: exercise.id.clone(),
            title: exercise.shown().to_owned(),
            status: exercise.status.text().to_owned(),
            at: scenario::show_time(at / 1_000_000 * 1_000_000),
            at_us: at,
            endex_us: world.endex(),
            end_us: end,
            startex_ms: exercise.startex_ms,
            play,
            speed,
            line,
            seed: world.seed(),
            fingerprint: world.fingerprint(),
            sites: world.scenario().sites.len(),
            sites_running: world.running().count(),
            injects,
            in_force: world
                .standing()
                .map(|inject| InForce { nr: inject.nr, what: inject.effect.what().text().to_owned() })
                .collect(),
            expectations,
            violations: violations.len(),
            last_violations: newest.collect(),
        }
    }

    /// All sites as one of them shows them: the one named, or a running hub, or whoever runs.
    ///
    /// # Errors
    /// The one named is no site or does not run.
    pub fn sites(&mut self, as_seen_by: Option<&str>) -> Result<SitesView, Box<Refusal>> {
        let at_us = self.play.now();
        let world = self.play.world();
        let sites = world.scenario().sites.clone();
        let asked = match as_seen_by {
            Some(name) => {
                let found = sites.iter().position(|site| site.id == name).filter(|site| world.runs(*site));
                Some(found.ok_or_else(|| refuse::no_site(name))?)
            }
            None => {
                let hub = world.running().find(|site| sites.get(*site).is_some_and(|site| site.role == SiteRole::Hub));
                hub.or_else(|| world.running().next())
            }
        };
        let seen = asked.and_then(|site| status(world, site));
        let nodes = seen.iter().flat_map(|view| &view.nodes);
        let nodes: std::collections::BTreeMap<&str, _> = nodes.map(|node| (node.id.as_str(), node)).collect();
        let view = |(number, site): (SiteNo, &scenario::Site)| {
            let node = nodes.get(world.id(number).to_string().as_str()).copied();
            SiteView {
                id: site.id.clone(),
                name: site.name.clone(),
                role: site.role.text().to_owned(),
                owner: site.owner.clone(),
                region: site.region.code().to_owned(),
                lat: site.lat,
                lon: site.lon,
                running: world.runs(number),
                shown: node.map_or_else(|| "unknown".to_owned(), |node| node.operating_status.clone()),
                age_s: node.and_then(|node| node.age_s),
                reachable: node.is_some_and(|node| node.reachable),
            }
        };
        Ok(SitesView {
            schema: "holdfast.sim.sites/1",
            at_us,
            as_seen_by: asked.and_then(|site| sites.get(site)).map(|site| site.id.clone()),
            sites: sites.iter().enumerate().map(view).collect(),
        })
    }

    /// Moments to go back to.
    #[must_use]
    pub fn checkpoints(&self) -> CheckpointsView {
        let view = |kept: &super::Checkpoint| CheckpointView { name: kept.name.clone(), at_us: kept.at, line: kept.line };
        CheckpointsView { schema: "holdfast.sim.checkpoints/1", checkpoints: self.kept.iter().map(view).collect() }
    }
}

fn result(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::MetLate => "met_late",
        Verdict::NotMet => "not_met",
        Verdict::NotObserved => "not_observed",
    }
}
