//! What happened, told for the record: injects with what followed, requests, turning points, the timeline.

use std::collections::BTreeMap;

use super::expect::Watch;
use super::islands::islands;
use super::requests::{Labelled, requests};
use super::spread::Spread;
use super::{Plan, per_hour, status};
use crate::checker::Rule;
use crate::record::{
    ExpectRecord, Forged, Happened as Event, InjectRecord, Invariant, Knowledge, Load, Phrase, Place, Record, Run, SCHEMA, Title,
    TurningPoint, Verdict, Whom, Word,
};
use crate::scenario::{After, Effect, Exercise, Inject, Micros, Scenario, SiteNo, When};
use crate::world::{CannotRun, Happened, Logged, Via, World};

/// Turning points kept; a report shows a few of them.
const TURNS_MAX: usize = 64;
/// Lines of the timeline kept. A flapping link writes many.
const LINES_MAX: usize = 20_000;
/// An inject is late from here on.
const LATE: Micros = 1_000_000;
/// The picture is taken so long after what turned it: links take a while to be given up.
const TURN_AFTER: Micros = 60_000_000;

/// The story so far.
#[derive(Clone, Debug)]
pub(super) struct Story {
    exercise: Exercise,
    source: String,
    hash: String,
    injects: BTreeMap<u32, (Inject, InjectRecord)>,
    turns: Vec<TurningPoint>,
    /// What turned, and when to look.
    turning: Option<(Micros, Phrase)>,
    lines: Vec<Event>,
    left_out: u64,
    /// Lines since they were last asked for, where somebody asks.
    pub news: Option<Vec<Event>>,
    labels: Vec<(String, u32, Micros)>,
    pub spread: Spread,
    /// Who knew what when the exercise ended, by region and by medium.
    known: Option<(Vec<Knowledge>, Vec<Knowledge>)>,
    pub endex_seen: bool,
    pub ended_early: Option<String>,
}

impl Story {
    pub(super) fn new(scenario: &Scenario, source: &str) -> Self {
        let hash = scenario.hash();
        let mut story = Self {
            exercise: scenario.exercise.clone(),
            source: source.to_owned(),
            hash,
            injects: BTreeMap::new(),
            turns: Vec::new(),
            turning: Some((0, Phrase::Startex)),
            lines: Vec::new(),
            left_out: 0,
            news: None,
            labels: Vec::new(),
            spread: Spread::default(),
            known: None,
            endex_seen: false,
            ended_early: None,
        };
        scenario.injects.iter().for_each(|inject| story.add(inject));
        story
    }

    pub(super) fn add(&mut self, inject: &Inject) {
        let (planned, contingency) = match &inject.when {
            When::At(at) => ((!inject.by_hand).then_some(*at), false),
            When::Unless { by, .. } => (Some(*by), true),
        };
        let origin = &inject.origin;
        let record = InjectRecord {
            nr: inject.nr,
            what: inject.effect.what().text().to_owned(),
            on: String::new(),
            sites: u32::try_from(inject.effect.sites().len()).unwrap_or(u32::MAX),
            planned,
            happened: None,
            why_not: None,
            undone: None,
            first_effect: None,
            contingency,
            by_hand: inject.by_hand,
            say: inject.say.clone().unwrap_or_default(),
            objective: inject.objective.clone().unwrap_or_default(),
            origin: if origin.file.is_empty() { String::new() } else { format!("{}:{}", origin.file, origin.row) },
        };
        self.injects.insert(inject.nr, (inject.clone(), record));
    }

    pub(super) fn next_nr(&self) -> u32 {
        self.injects.keys().next_back().map_or(1, |nr| nr + 1)
    }

    pub(super) fn planned(&self) -> impl Iterator<Item = Micros> {
        self.injects.values().filter(|(_, record)| record.happened.is_none()).filter_map(|(_, record)| record.planned)
    }

    pub(super) fn plan(&self, now: Micros) -> Plan {
        let mut plan = Plan::default();
        for (_, record) in self.injects.values() {
            let done = u32::from(record.happened.is_some());
            if record.by_hand {
                plan.by_hand += 1;
            } else if record.contingency {
                plan.contingencies += 1;
                plan.contingencies_done += done;
            } else {
                plan.planned += 1;
                plan.done += done;
                let at = record.happened.unwrap_or(now);
                plan.late += u32::from(record.planned.is_some_and(|planned| planned + LATE < at));
            }
        }
        plan
    }

    pub(super) fn by_hand(&self) -> Vec<Inject> {
        self.injects.values().filter(|(inject, _)| inject.by_hand).map(|(inject, _)| inject.clone()).collect()
    }

    /// When the clock of an expectation starts.
    pub(super) fn start_of(&self, after: &After) -> Option<Micros> {
        match after {
            After::Time(at) => Some(*at),
            After::Inject(nr) => self.injects.get(nr).and_then(|(_, record)| record.happened),
        }
    }

    pub(super) fn say(&mut self, at: Micros, kind: &str, site: Option<SiteNo>, what: Phrase) {
        let line = Event { at, kind: kind.to_owned(), site, what };
        if let Some(news) = &mut self.news {
            news.push(line.clone());
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn waived(&mut self, nr: u32, expect: &str) {
        if let Some((_, record)) = self.injects.get_mut(&nr) {
            record.why_not = Some(Phrase::MetBefore { expect: expect.to_owned() });
        }
    }

    pub(super) fn impossible(&mut self, nr: u32, why: &CannotRun) {
        if let Some((_, record)) = self.injects.get_mut(&nr) {
            record.why_not = Some(Phrase::Impossible { cause: why.to_string() });
        }
    }

    /// One thing that happened.
    pub(super) fn take(&mut self, logged: &Logged, world: &mut World) {
        let at = logged.at;
        match &logged.what {
            Happened::Injected { nr } => self.injected(*nr, at, world),
            Happened::Undone { nr } => {
                if let Some((inject, record)) = self.injects.get_mut(nr) {
                    record.undone = Some(at);
                    let what = Phrase::Undone { nr: *nr, what: Word(inject.effect.what().text().to_owned()) };
                    self.say(at, "undone", None, what.clone());
                    // Where something else ended it, the picture is named for that.
                    if self.turning.as_ref().is_none_or(|(due, _)| *due != at + TURN_AFTER) {
                        self.turning = Some((at + TURN_AFTER, what));
                    }
                }
            }
            Happened::SiteUp { site } => {
                if at > 0 {
                    self.say(at, "up", Some(*site), Phrase::Runs);
                }
            }
            Happened::SiteDown { site, dark } => {
                let what = if *dark { Phrase::Dark } else { Phrase::Stopped };
                self.say(at, "down", Some(*site), what.clone());
                self.effect_at(*site, at, what);
                self.turning.get_or_insert((at + TURN_AFTER, Phrase::SomeStopped));
            }
            Happened::Links { cut, mended } => {
                let what = match (*cut, *mended) {
                    (0, mended) => Phrase::LinksMended { mended },
                    (cut, 0) => Phrase::LinksCut { cut },
                    (cut, mended) => Phrase::LinksChanged { cut, mended },
                };
                self.effect_of_last(at, what);
            }
            Happened::Acknowledged { site, nr, request, .. } => {
                let Some(nr) = nr else { return };
                let what = match request {
                    Some(id) => Phrase::SavedAs { id: id.clone() },
                    None => Phrase::Saved,
                };
                self.say(at, "said", Some(*site), Phrase::Of { nr: *nr, what: Box::new(what.clone()) });
                self.effect(*nr, at, what);
                let asked = self.injects.get(nr).and_then(|(inject, _)| inject.effect.request()).map(str::to_owned);
                if let Some(label) = asked {
                    self.labels.push((label, *nr, at));
                }
            }
            Happened::Refused { site, nr, code, again } => {
                let code = code.clone();
                let what = if *again { Phrase::RefusedForNow { code } } else { Phrase::Refused { code } };
                self.say(at, "said", Some(*site), Phrase::Of { nr: *nr, what: Box::new(what.clone()) });
                self.effect(*nr, at, what);
            }
            Happened::NotDone { site, nr } => {
                self.say(at, "said", Some(*site), Phrase::Of { nr: *nr, what: Box::new(Phrase::NeverDone) });
                if let Some((_, record)) = self.injects.get_mut(nr).filter(|(_, record)| record.first_effect.is_none()) {
                    record.why_not = Some(Phrase::NeverCameToIt);
                }
            }
            Happened::Endex => {
                self.endex_seen = true;
                self.know(world);
                self.say(at, "note", None, Phrase::Endex);
                self.turn_now(world, Phrase::Endex);
            }
        }
    }

    fn injected(&mut self, nr: u32, at: Micros, world: &World) {
        let Some((inject, record)) = self.injects.get_mut(&nr) else { return };
        record.happened = Some(at);
        record.on = on(&inject.effect, world.scenario());
        let (word, on) = (Word(record.what.clone()), Whom(record.on.clone()));
        let what = match record.say.clone() {
            say if say.is_empty() => Phrase::Injected { nr, what: word, on },
            say => Phrase::InjectedSaying { nr, what: word, on, say },
        };
        let turns = inject.effect.turns();
        self.say(at, "inject", None, what.clone());
        if turns {
            self.turning = Some((at + TURN_AFTER, what));
        }
    }

    fn effect(&mut self, nr: u32, at: Micros, what: Phrase) {
        if let Some((_, record)) = self.injects.get_mut(&nr) {
            record.first_effect.get_or_insert((at, what));
        }
    }

    /// What an inject did to links is logged at its own time.
    fn effect_of_last(&mut self, at: Micros, what: Phrase) {
        let last =
            self.injects.values().filter(|(_, record)| record.happened == Some(at)).map(|(_, record)| record.nr).next_back();
        if let Some(nr) = last {
            self.effect(nr, at, what);
        }
    }

    fn effect_at(&mut self, site: SiteNo, at: Micros, what: Phrase) {
        let touching = |(inject, record): &&(Inject, InjectRecord)| {
            record.happened.is_some() && record.undone.is_none() && inject.effect.sites().contains(&site)
        };
        let nr = self.injects.values().filter(touching).map(|(_, record)| (record.happened, record.nr)).max();
        if let Some((_, nr)) = nr {
            self.effect(nr, at, what);
        }
    }

    /// Takes the picture that is due.
    pub(super) fn turn(&mut self, world: &mut World) {
        if let Some((_, what)) = self.turning.take_if(|(due, _)| *due <= world.now) {
            self.turn_now(world, what);
        }
    }

    fn turn_now(&mut self, world: &mut World, what: Phrase) {
        if self.turns.len() >= TURNS_MAX {
            return;
        }
        let sites = world.scenario().sites.len();
        let running: Vec<SiteNo> = world.running().collect();
        let asked = running.first().copied();
        self.turns.push(TurningPoint {
            at: world.now,
            what,
            islands: islands(world, sites),
            running: u32::try_from(running.len()).unwrap_or(u32::MAX),
            requests_open: asked.and_then(|site| status(world, site)).map_or(0, |view| view.requests_open),
        });
    }

    /// All of it.
    pub(super) fn record(&self, world: &mut World, watches: &[Watch]) -> Record {
        let exercise = &self.exercise;
        let title = Title {
            id: exercise.id.clone(),
            title: exercise.shown().to_owned(),
            status: exercise.status.text().to_owned(),
            startex_ms: exercise.startex_ms,
            offset_s: exercise.offset_s,
            duration: exercise.duration,
            objectives: exercise.objectives.clone(),
        };
        let words = world.checker.words.len() as u64;
        let excused = world.checker.words.iter().filter(|word| word.excused).count() as u64;
        let settled = world.now >= world.end() && world.end() > world.endex();
        let run = Run {
            scenario: self.source.clone(),
            scenario_hash: self.hash.clone(),
            played_hash: String::new(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
            seed: world.seed(),
            fingerprint: world.fingerprint(),
            reached: world.now,
            ended_early: self.ended_early.clone(),
            events: world.events,
            converged_after_heal: settled.then(|| world.converged_after_heal()).flatten(),
            words,
            lost: excused + if settled { world.words_lost() } else { 0 },
            excused,
            line: 1,
            parent: None,
        };
        let (knowledge, by_medium) = self.known.clone().unwrap_or_else(|| self.knowledge_now(world));
        Record {
            schema: SCHEMA.to_owned(),
            exercise: title,
            run,
            sites: world.scenario().sites.iter().map(place).collect(),
            injects: self.injects.values().map(|(_, record)| record.clone()).collect(),
            expectations: watches.iter().map(|watch| self.expectation(watch)).collect(),
            knowledge,
            by_medium,
            requests: requests(world, &self.labelled()),
            conflicts: Vec::new(),
            turning_points: self.turns.clone(),
            load: loads(world),
            forged: self.forged(world),
            invariants: invariants(world),
            timeline: self.timeline(),
            left: Vec::new(),
        }
    }

    fn timeline(&self) -> Vec<Event> {
        let mut lines = self.lines.clone();
        if self.left_out > 0 {
            let at = lines.last().map_or(0, |line| line.at);
            lines.push(Event { at, kind: "note".to_owned(), site: None, what: Phrase::LeftOut { lines: self.left_out } });
        }
        lines
    }

    pub(super) fn expectation(&self, watch: &Watch) -> ExpectRecord {
        let expect = &watch.expect;
        let from = self.start_of(&expect.after);
        let (met_at, late) = watch.met(from);
        ExpectRecord {
            id: expect.id.clone(),
            text: expect.text.clone(),
            objective: expect.objective.clone().unwrap_or_default(),
            result: watch.result().unwrap_or(Verdict::NotObserved),
            from,
            due: watch.due(from),
            met_at,
            late,
            seen: watch.seen.clone(),
        }
    }

    /// The exercise is about to end: who knew what by then is settled. Afterwards everything is mended and all learn everything.
    pub(super) fn know(&mut self, world: &World) {
        if self.known.is_none() {
            self.known = Some(self.knowledge_now(world));
        }
    }

    fn knowledge_now(&self, world: &World) -> (Vec<Knowledge>, Vec<Knowledge>) {
        (self.knowledge(world), self.spread.by_medium(|via| medium(world, via)))
    }

    fn knowledge(&self, world: &World) -> Vec<Knowledge> {
        let sites = &world.scenario().sites;
        let mut regions: BTreeMap<&str, Vec<SiteNo>> = BTreeMap::new();
        for (number, site) in sites.iter().enumerate() {
            regions.entry(site.region.code()).or_default().push(number);
        }
        let never = world.never_known();
        let sum = |members: &[SiteNo]| {
            members
                .iter()
                .filter_map(|site| never.get(*site))
                .fold([0; 3], |sum, one| [0, 1, 2].map(|place| sum[place] + one[place]))
        };
        let all: Vec<SiteNo> = (0..sites.len()).collect();
        let whole = self.spread.knowledge("", &all, sum(&all));
        let parts = regions.iter().map(|(region, members)| self.spread.knowledge(region, members, sum(members)));
        [whole].into_iter().chain(parts).collect()
    }

    /// Requests of injects, in the order in which they were acknowledged.
    fn labelled(&self) -> Vec<Labelled> {
        let labelled = self.labels.iter().map(|(label, nr, at)| {
            let (site, lines, priority) = match self.injects.get(nr).map(|(inject, _)| &inject.effect) {
                Some(Effect::Request { site, lines, priority, .. }) => (*site, lines.clone(), priority.clone()),
                _ => (0, Vec::new(), String::new()),
            };
            Labelled { label: label.clone(), site, at: *at, lines, priority }
        });
        labelled.collect()
    }

    fn forged(&self, world: &World) -> Vec<Forged> {
        let forged = self.injects.values().filter(|(_, record)| record.happened.is_some());
        let forged = forged.filter_map(|(inject, record)| inject.effect.forgery().map(|(kind, site)| (record.nr, kind, site)));
        forged
            .map(|(nr, kind, site)| {
                let accepted_by = u32::try_from(world.accepted(nr).count()).unwrap_or(u32::MAX);
                let sent = world.forged_frames(nr);
                let note = kind.meaning().to_owned();
                Forged { inject: nr, kind: kind.text().to_owned(), site, sent, accepted_by, note }
            })
            .collect()
    }
}

fn place(site: &crate::scenario::Site) -> Place {
    Place {
        id: site.id.clone(),
        name: site.name.clone(),
        at: (site.lat, site.lon),
        role: site.role.text().to_owned(),
        owner: site.owner.clone(),
        region: site.region.code().to_owned(),
    }
}

/// Whom or what an inject touches, shortly.
fn on(effect: &Effect, scenario: &Scenario) -> String {
    const SHOWN: usize = 4;
    let named = |names: Vec<&str>| {
        let more = names.len().saturating_sub(SHOWN);
        let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{shown} +{more}") } else { shown }
    };
    let sites =
        |list: &[SiteNo]| named(list.iter().filter_map(|site| scenario.sites.get(*site)).map(|site| site.id.as_str()).collect());
    match effect {
        Effect::Cut(elements) | Effect::Restore(elements) => named(
            elements.iter().filter_map(|element| scenario.elements.get(*element)).map(|element| element.id.as_str()).collect(),
        ),
        Effect::FirmOutage(owner) => owner.clone(),
        Effect::Partition { groups, .. } => groups.iter().map(|group| sites(group)).collect::<Vec<_>>().join(" | "),
        Effect::Cancel(label) | Effect::Close(label) => label.clone(),
        Effect::Goods { site, deed } => match deed.requests().next() {
            Some(label) => format!("{label} ({})", sites(&[*site])),
            None => sites(&[*site]),
        },
        Effect::Request { site, label, .. } => format!("{label} ({})", sites(&[*site])),
        Effect::Jam { channel, .. } => channel.clone(),
        Effect::PowerLoss(_)
        | Effect::PowerBack(_)
        | Effect::Degrade { .. }
        | Effect::Heal(_)
        | Effect::Flap { .. }
        | Effect::Swizzle(_)
        | Effect::Crash(_)
        | Effect::Restart(_)
        | Effect::ReplacePc(_)
        | Effect::DiskFull(_)
        | Effect::DiskCorrupt(_)
        | Effect::OldBackup { .. }
        | Effect::ClockJump { .. }
        | Effect::ClockDrift { .. }
        | Effect::AntennaDown(_)
        | Effect::Courier { .. }
        | Effect::Forge { .. }
        | Effect::Revoke { .. }
        | Effect::Report { .. }
        | Effect::Observe { .. }
        | Effect::Order { .. }
        | Effect::Deputies { .. }
        | Effect::OperatorAbsent(_)
        | Effect::Say
        | Effect::TellController
        | Effect::StopExercise => sites(&effect.sites()),
    }
}

/// A medium as the record names it.
fn medium(world: &World, via: Via) -> Option<String> {
    match via {
        Via::Wan => Some("wan".to_owned()),
        Via::Lan => Some("lan".to_owned()),
        Via::Gossip => Some("gossip".to_owned()),
        Via::Radio(net) => world.on_air().nth(net).map(|on_air| format!("radio:{}", on_air.channel)),
        Via::Courier => Some("courier".to_owned()),
        Via::Other => None,
    }
}

fn loads(world: &World) -> Vec<Load> {
    let used = world.carried().filter(|(_, tally)| tally.sent > 0);
    let load = |(medium, tally): (&str, crate::network::path::Tally)| Load {
        medium: medium.to_owned(),
        frames: tally.sent,
        bytes: tally.bytes,
        lost: tally.lost + tally.dropped + tally.late,
        ..Load::default()
    };
    let by_radio = world.on_air().filter(|on_air| on_air.frames + on_air.lost > 0).map(|on_air| Load {
        medium: format!("radio:{}", on_air.channel),
        frames: on_air.frames,
        bytes: on_air.bytes,
        lost: on_air.lost,
        airtime: on_air.airtime,
        duty: per_hour(on_air.busiest_sender),
        collisions: on_air.collisions,
        queue: on_air.queue,
    });
    let couriers = world.couriers();
    let carried = Load {
        medium: "courier".to_owned(),
        frames: couriers.offered - couriers.left_behind,
        bytes: couriers.bytes,
        lost: couriers.lost,
        ..Load::default()
    };
    used.map(load).chain(by_radio).chain((carried.frames > 0).then_some(carried)).collect()
}

fn invariants(world: &World) -> Vec<Invariant> {
    let checker = &world.checker;
    Rule::ALL
        .iter()
        .map(|rule| {
            let broken: Vec<_> = checker.violations.iter().filter(|violation| violation.rule == *rule).collect();
            let (id, text) = rule.described();
            Invariant {
                id: id.to_owned(),
                text: text.to_owned(),
                checked: checker.checked.get(rule).copied().unwrap_or(0),
                violations: checker.broken.get(rule).copied().unwrap_or(0),
                first: broken.first().map(|violation| (violation.at, violation.node, violation.what.clone())),
            }
        })
        .collect()
}
