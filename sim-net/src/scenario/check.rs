//! What a scenario must be to make sense, whoever made it: numbers and names fit, times lie in the exercise, every inject touches
//! something. Works on the data alone, so that drawn and shrunk scenarios can be checked too.

mod effects;

use std::collections::{BTreeMap, BTreeSet};

use super::goods::GoodsDeed;
use super::problem::{Notes, Place, Problem, Remark, Wrong, quoted};
use super::read::Gaps;
use super::read::sites::SITES_MAX;
use super::text::{show_duration, show_time};
use super::words::Medium;
use super::{After, Check, Counted, Effect, Expect, Inject, Micros, Origin, Path, Scenario, SiteNo, Subject, When};

/// Remarks and problems of a scenario. Nothing that is a problem can be run.
#[must_use]
pub fn check(scenario: &Scenario) -> (Vec<Remark>, Vec<Problem>) {
    check_rest(scenario, &Gaps::default())
}

/// The same of a scenario that could not be read throughout: of what is whole, as far as it does not depend on the rest.
pub(super) fn check_rest(scenario: &Scenario, gaps: &Gaps) -> (Vec<Remark>, Vec<Problem>) {
    let notes = Notes::default();
    let checker = Checker::new(scenario, gaps, &notes);
    checker.frame();
    checker.world();
    for inject in scenario.injects.iter().filter(|inject| !gaps.is_torn(&inject.origin)) {
        checker.inject(inject);
        checker.effect(inject);
    }
    for expect in scenario.expects.iter().filter(|expect| !gaps.is_torn(&expect.origin)) {
        checker.expect(expect);
    }
    notes.done()
}

/// A scenario with what is asked of it often.
struct Checker<'a> {
    scenario: &'a Scenario,
    gaps: &'a Gaps,
    notes: &'a Notes,
    injects: BTreeMap<u32, &'a Inject>,
    /// When each request is made, by label.
    requests: BTreeMap<&'a str, Micros>,
    /// Sites that have each channel.
    heard: BTreeMap<&'a str, BTreeSet<SiteNo>>,
    /// The earliest word that ends it all.
    stop: Micros,
}

/// Where something was written.
fn place(origin: &Origin, key: &str) -> Place {
    Place { file: origin.file.clone(), row: origin.row, key: key.to_owned() }
}

/// When an inject happens, if it does.
fn time(inject: &Inject) -> Micros {
    match inject.when {
        When::At(at) => at,
        When::Unless { by, .. } => by,
    }
}

/// When the exercise ends; where that could not be read, never.
fn end(scenario: &Scenario, gaps: &Gaps) -> Micros {
    let duration = scenario.exercise.duration;
    if gaps.exercise && duration == 0 { Micros::MAX } else { duration }
}

impl<'a> Checker<'a> {
    fn new(scenario: &'a Scenario, gaps: &'a Gaps, notes: &'a Notes) -> Self {
        let mut requests = BTreeMap::new();
        let mut stop = end(scenario, gaps);
        for inject in &scenario.injects {
            if let Effect::Request { label, .. } = &inject.effect {
                requests.entry(label.as_str()).or_insert(time(inject));
            }
            if inject.effect == Effect::StopExercise && matches!(inject.when, When::At(_)) && !inject.by_hand {
                stop = stop.min(time(inject));
            }
        }
        let mut heard: BTreeMap<&str, BTreeSet<SiteNo>> = BTreeMap::new();
        for (no, site) in scenario.sites.iter().enumerate() {
            for medium in &site.media {
                if let Medium::Radio(channel) = medium {
                    heard.entry(channel).or_default().insert(no);
                }
            }
        }
        let injects = scenario.injects.iter().map(|inject| (inject.nr, inject)).collect();
        Self { scenario, gaps, notes, injects, requests, heard, stop }
    }

    fn wrong(&self, origin: &Origin, key: &str, wrong: Wrong) {
        self.notes.problem(wrong.at(place(origin, key)));
    }

    fn whole(&self, key: &str, wrong: Wrong) {
        self.notes.problem(wrong.at(Place { key: key.to_owned(), ..Place::default() }));
    }

    /// Each of these once; `what` says what they are.
    fn once<'b>(&self, what: &str, key: &str, names: impl Iterator<Item = (&'b str, Option<&'b Origin>)>) {
        let mut seen = BTreeSet::new();
        for (name, origin) in names {
            if !seen.insert(name) {
                let wrong = Wrong::new(format!("The {what} {} is there twice.", quoted(name)), "Give each its own.");
                self.wrong(origin.unwrap_or(&Origin::default()), key, wrong);
            }
        }
    }

    /// When the exercise ends, as far as it is known.
    fn end(&self) -> Micros {
        end(self.scenario, self.gaps)
    }

    fn frame(&self) {
        let Scenario { exercise, sites, elements, injects, expects, .. } = self.scenario;
        if exercise.duration == 0 && !self.gaps.exercise {
            self.whole("exercise.duration", Wrong::new("The exercise takes no time.", "Write how long it takes, such as 6h."));
        }
        if !self.gaps.sites && !(2..=SITES_MAX).contains(&sites.len()) {
            let what = format!("{} sites take part.", sites.len());
            self.whole("world.sites", Wrong::new(what, format!("At least 2 and at most {SITES_MAX} can.")));
        }
        if !self.gaps.sites {
            self.once("site", "world.sites", sites.iter().map(|site| (site.id.as_str(), None)));
            self.once("element", "world.elements", elements.iter().map(|element| (element.id.as_str(), None)));
        }
        self.once("objective", "exercise.objectives", exercise.objectives.iter().map(|(id, _)| (id.as_str(), None)));
        self.once("expectation", "id", expects.iter().map(|expect| (expect.id.as_str(), Some(&expect.origin))));
        let named = injects.iter().filter_map(|inject| Some((inject.name.as_deref()?, Some(&inject.origin))));
        self.once("name of an inject", "name", named);
        let numbers: Vec<String> = injects.iter().map(|inject| inject.nr.to_string()).collect();
        self.once("number", "nr", numbers.iter().zip(injects).map(|(nr, inject)| (nr.as_str(), Some(&inject.origin))));
        let labels = injects.iter().filter_map(|inject| {
            let Effect::Request { label, .. } = &inject.effect else { return None };
            Some((label.as_str(), Some(&inject.origin)))
        });
        self.once("request", "data.id", labels);
    }

    /// QUIC repairs these on its own: on a path that loses nothing they would do nothing.
    fn repaired(&self, place: Place, path: &Path) {
        if path.reliable && path.duplicate + path.reorder + path.corrupt > 0 {
            let what = "duplicate, reorder and corrupt do nothing on a reliable path; write reliable = \"no\" to see them.";
            self.notes.remark(place, what);
        }
    }

    fn world(&self) {
        let Scenario { sites, elements, world, .. } = self.scenario;
        for (key, path) in [("world.defaults.wan", &world.wan), ("world.defaults.lan", &world.lan)] {
            self.repaired(Place { key: key.to_owned(), ..Place::default() }, path);
        }
        self.once("radio channel", "world.defaults.radio", world.channels.iter().map(|channel| (channel.name.as_str(), None)));
        let known: BTreeSet<&str> = world.channels.iter().map(|channel| channel.name.as_str()).collect();
        for (channel, users) in &self.heard {
            if !known.contains(channel) && !self.gaps.world {
                let first = users.first().and_then(|no| sites.get(*no)).map_or("", |site| &site.id);
                let what = format!(
                    "Site {} and {} more have the radio channel {}, which is not described.",
                    first,
                    users.len() - 1,
                    quoted(channel)
                );
                let todo = format!("Add radio = {{ channel = \"{channel}\" }} to [world.defaults].");
                self.whole("world.defaults.radio", Wrong::new(what, todo).near(channel, known.iter().copied()));
            }
        }
        for name in known.iter().filter(|name| !self.heard.contains_key(*name)) {
            let place = Place { key: "world.defaults.radio".to_owned(), ..Place::default() };
            self.notes.remark(place, format!("no site has the radio channel {name}: write radio:{name} into media."));
        }
        for site in sites.iter().filter(|site| site.media.is_empty()) {
            let what = format!("Site {} has nothing to speak over.", site.id);
            self.whole("world.sites", Wrong::new(what, "Write wan, lan or radio:CHANNEL into media."));
        }
        let mut users: BTreeMap<&str, usize> = BTreeMap::new();
        for site in sites.iter().filter(|site| site.media.contains(&Medium::Lan)) {
            *users.entry(&site.lan).or_default() += 1;
        }
        for site in sites.iter().filter(|site| site.media.contains(&Medium::Lan)) {
            if site.lan.is_empty() || users.get(site.lan.as_str()) == Some(&1) {
                let place = Place { key: "world.sites".to_owned(), ..Place::default() };
                self.notes.remark(place, format!("site {} has a LAN with nobody else on it.", site.id));
            }
        }
        for element in elements.iter().filter(|element| element.used_by.iter().any(|no| *no >= sites.len())) {
            self.whole(
                "world.elements",
                Wrong::new(format!("{} is used by sites that are not there.", element.id), "Mend used_by."),
            );
        }
    }

    fn objective(&self, origin: &Origin, objective: Option<&String>) {
        let known = &self.scenario.exercise.objectives;
        if let Some(id) = objective.filter(|id| !self.gaps.exercise && !known.iter().any(|(known, _)| known == *id)) {
            let wrong = Wrong::new(
                format!("There is no objective {}.", quoted(id)),
                "Add it to [exercise] objectives, or mend the name.",
            );
            self.wrong(origin, "objective", wrong.near(id, known.iter().map(|(id, _)| id.as_str())));
        }
    }

    fn expectation(&self, origin: &Origin, key: &str, id: &str) -> Option<&'a Expect> {
        let found = self.scenario.expects.iter().find(|expect| expect.id == id);
        if found.is_none() && !self.gaps.expects {
            let wrong = Wrong::new(
                format!("There is no expectation {}.", quoted(id)),
                "Add an [[expect]] with this id, or mend the name.",
            );
            self.wrong(origin, key, wrong.near(id, self.scenario.expects.iter().map(|expect| expect.id.as_str())));
        }
        found.filter(|expect| !self.gaps.is_torn(&expect.origin))
    }

    fn inject(&self, inject: &Inject) {
        let (at, end, origin) = (time(inject), self.end(), &inject.origin);
        let key = if matches!(inject.when, When::At(_)) { "at" } else { "by" };
        if inject.nr == 0 {
            self.wrong(origin, "nr", Wrong::new("Numbers begin at 1.", "Write another number."));
        }
        if at >= end {
            let what = format!("{} is not before the end of the exercise, {}.", show_time(at), show_time(end));
            self.wrong(origin, key, Wrong::new(what, "Write an earlier time, or a longer duration."));
        } else if at > self.stop {
            let what = format!("It never happens: the exercise is stopped at {}.", show_time(self.stop));
            self.wrong(origin, key, Wrong::new(what, "Write an earlier time."));
        }
        match inject.lasts {
            Some(0) => self.wrong(origin, "lasts", Wrong::new("It lasts no time.", "Write how long, or leave lasts out.")),
            Some(lasts) if lasts > end.saturating_sub(at) && at < end => {
                let place = place(origin, "lasts");
                self.notes.remark(place, format!("it still lasts at the end of the exercise, {}.", show_time(end)));
            }
            Some(_) | None => {}
        }
        self.objective(origin, inject.objective.as_ref());
        for id in &inject.expect {
            self.expectation(origin, "expect", id);
        }
        if let When::Unless { expect, by } = &inject.when
            && let Some(expected) = self.expectation(origin, "if_not", expect)
            && self.start(&expected.after).is_some_and(|from| from >= *by)
        {
            let what = format!(
                "Expectation {} does not begin to count before {}: it can't be met by then.",
                expected.id,
                show_time(*by)
            );
            self.wrong(origin, "by", Wrong::new(what, "Write a later time."));
        }
    }

    /// When an expectation begins to count, as far as that is known before.
    fn start(&self, after: &After) -> Option<Micros> {
        match after {
            After::Time(at) => Some(*at),
            After::Inject(nr) => {
                self.injects.get(nr).filter(|inject| !self.gaps.is_torn(&inject.origin)).map(|inject| time(inject))
            }
        }
    }

    fn expect(&self, expect: &Expect) {
        let (origin, end) = (&expect.origin, self.end());
        self.objective(origin, expect.objective.as_ref());
        if let After::Inject(nr) = expect.after {
            self.happens(origin, "after", nr);
        }
        let start = self.start(&expect.after).unwrap_or(0);
        if start >= end {
            self.wrong(
                origin,
                "after",
                Wrong::new("It would count only after the end of the exercise.", "Write an earlier time."),
            );
        } else if expect.within == 0 || expect.within > end - start {
            let what = format!(
                "From {} on, {} do not lie within the exercise of {}.",
                show_time(start),
                show_duration(expect.within),
                show_duration(end)
            );
            self.wrong(
                origin,
                "within",
                Wrong::new(what, "Write a length that ends before the exercise does, or a longer duration."),
            );
        }
        if expect.checks.is_empty() {
            self.wrong(origin, "check", Wrong::new("Nothing is looked at.", "Add a check."));
        }
        for check in &expect.checks {
            self.look(origin, check, start.saturating_add(expect.within));
        }
    }

    /// An inject that is referred to must be there.
    fn happens(&self, origin: &Origin, key: &str, nr: u32) -> Option<&'a Inject> {
        let found = self.injects.get(&nr).copied();
        if found.is_none() && !self.gaps.injects {
            let numbers: Vec<String> = self.injects.keys().map(u32::to_string).collect();
            let wrong = Wrong::new(format!("There is no inject {nr}: this never happens."), "Write the number of one.");
            self.wrong(origin, key, wrong.near(&nr.to_string(), numbers.iter().map(String::as_str)));
        }
        found.filter(|inject| !self.gaps.is_torn(&inject.origin))
    }

    fn label(&self, origin: &Origin, key: &str, label: &str, by: Micros) {
        match self.requests.get(label) {
            None if self.gaps.injects => {}
            None => {
                let wrong = Wrong::new(
                    format!("No inject makes a request {}.", quoted(label)),
                    "Mend the name, or add an inject what = \"request\".",
                );
                self.wrong(origin, key, wrong.near(label, self.requests.keys().copied()));
            }
            Some(asked) if *asked > by => {
                let what = format!("The request {} is made only at {}.", quoted(label), show_time(*asked));
                self.wrong(origin, key, Wrong::new(what, "Write a later time here, or an earlier one there."));
            }
            Some(_) => {}
        }
    }

    fn look(&self, origin: &Origin, check: &Check, by: Micros) {
        let sites: &[SiteNo] = match check {
            Check::Knows { sites, what, .. } => {
                match what {
                    Subject::Request(label) => self.label(origin, "check.knows", label, by),
                    Subject::Commitment(label) => {
                        self.label(origin, "check.knows", label, by);
                        let promised = |inject: &Inject| matches!(inject.effect.goods(), Some(GoodsDeed::Commit { request, .. }) if request == label);
                        if !self.scenario.injects.iter().any(promised) {
                            let what = format!("Nobody promises anything to {}.", quoted(label));
                            self.wrong(origin, "check.knows", Wrong::new(what, "Add an inject what = \"commit\"."));
                        }
                    }
                    Subject::Inject(nr) => {
                        let spoken = |effect: &Effect| {
                            matches!(
                                effect,
                                Effect::Report { .. }
                                    | Effect::Request { .. }
                                    | Effect::Goods { .. }
                                    | Effect::Observe { .. }
                                    | Effect::Cancel(_)
                                    | Effect::Close(_)
                                    | Effect::Order { .. }
                                    | Effect::Deputies { .. }
                            )
                        };
                        if self.happens(origin, "check.knows", *nr).is_some_and(|inject| !spoken(&inject.effect)) {
                            let what = format!("Inject {nr} makes nobody say anything that could be known.");
                            let todo = "Name an inject with report, request, commit, consign, receive, resolve, stock, observe, cancel, close, order or deputies.";
                            self.wrong(origin, "check.knows", Wrong::new(what, todo));
                        }
                    }
                }
                sites
            }
            Check::Count { what: Counted::Running(of) | Counted::Open(of), at_least, .. } => {
                if *at_least > of.len() as u64 && !self.gaps.sites {
                    let what = format!("At least {at_least} of {} sites can't be.", of.len());
                    self.wrong(origin, "check.at_least", Wrong::new(what, "Write a smaller number, or more sites."));
                }
                of
            }
            Check::Count {
                what:
                    Counted::RequestsOpen(at)
                    | Counted::Conflicts(at)
                    | Counted::Reachable(at)
                    | Counted::Forked(at)
                    | Counted::Revoked(at),
                ..
            }
            | Check::NeverAcceptedFrom(at) => std::slice::from_ref(at),
            Check::Count { what: Counted::Suppliers { at, request }, .. } => {
                self.label(origin, "check.request", request, by);
                std::slice::from_ref(at)
            }
            Check::Shows { at, of, .. } | Check::ShowsAge { at, of, .. } => {
                self.there(origin, of);
                at
            }
            Check::Sum { at, of, .. } => {
                self.there(origin, of);
                std::slice::from_ref(at)
            }
            Check::Never(check) => return self.look(origin, check, by),
            Check::Equal(sites) | Check::TimeToKnowP95 { sites, .. } => sites,
            Check::AirtimeBelow { channel, .. } => {
                self.channel(origin, "check.airtime", channel);
                return;
            }
            Check::NeverAccepted(nr) => {
                let found = self.happens(origin, "check.never_accepted", *nr);
                if found.is_some_and(|inject| !matches!(inject.effect, Effect::Forge { .. })) {
                    let wrong = Wrong::new(format!("Inject {nr} forges nothing."), "Name an inject with what = \"forge\".");
                    self.wrong(origin, "check.never_accepted", wrong);
                } else if let Some(inject) = found
                    && by < time(inject)
                {
                    let what = format!("it is looked at until {}, and inject {nr} forges later: not observed.", show_time(by));
                    self.notes.remark(place(origin, "check.never_accepted"), what);
                }
                return;
            }
        };
        self.there(origin, sites);
    }

    /// The sites are some, and sites of this scenario.
    fn there(&self, origin: &Origin, sites: &[SiteNo]) {
        if self.gaps.sites {
            return;
        }
        if sites.is_empty() {
            self.wrong(origin, "", Wrong::new("No site is touched by this.", "Mend the selector."));
        }
        if sites.iter().any(|no| *no >= self.scenario.sites.len()) {
            self.wrong(origin, "", Wrong::new("This names sites that are not there.", "Mend the selector."));
        }
    }

    fn channel(&self, origin: &Origin, key: &str, channel: &str) {
        let known = &self.scenario.world.channels;
        if !self.gaps.world && !known.iter().any(|one| one.name == channel) {
            let wrong =
                Wrong::new(format!("There is no radio channel {}.", quoted(channel)), "Describe it in [world.defaults] radio.");
            self.wrong(origin, key, wrong.near(channel, known.iter().map(|one| one.name.as_str())));
        }
    }
}
