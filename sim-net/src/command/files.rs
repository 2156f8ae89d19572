//! Scenarios and records as files: check, run, sweep, replay, report, generate.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use holdfast_proto::identity::Region;
use holdfast_sim::control::Speed;
use holdfast_sim::exercise::Play;
use holdfast_sim::record::{Record, SCHEMA, Told, Verdict};
use holdfast_sim::scenario::generate::Draw;
use holdfast_sim::scenario::{self, Micros, Scenario};
use holdfast_sim::world::CannotRun;
use holdfast_sim::{report, swarm};
use serde_json::json;

use super::limits::{Guard, Limits};
use super::{Failed, ScaleArgs, seconds};
use crate::command::bench::Clock;

/// Where a run leaves the scenario as it was played.
const PLAYED: &str = "scenario";
/// The record of a run, in the folder of its report.
pub(super) const RECORD: &str = "report.json";
/// At a speed, limits are looked at and the progress line moves so often.
const MOMENT: Micros = 100_000;

/// How a run was asked for.
pub(super) struct Wanted {
    pub seed: u64,
    pub dir: Option<PathBuf>,
    pub json: bool,
    pub until: Option<Micros>,
    /// So many times real time; `None`: as fast as it goes.
    pub speed: Option<u64>,
    pub limits: Limits,
    /// Writes over the record that the folder holds.
    pub force: bool,
}

/// Where a record is to be written, looked at before anything is played: not over another one that nobody said may go, not beside
/// what belongs to an alliance or into the folder of a scenario, and only where files can be made.
pub(super) fn room(dir: Option<&Path>, force: bool) -> Result<(), Failed> {
    let Some(dir) = dir else { return Ok(()) };
    let shown = dir.display();
    let refused = |why: &str| Err(Failed::Other(format!("{shown} {why}; nothing was played. Give another folder")));
    if dir.join(RECORD).exists() && !force {
        return refused("holds a record already").map_err(|why| Failed::Other(format!("{why}, or --force to write over it")));
    }
    if scenario::is_theirs(dir) {
        return refused("belongs to an alliance");
    }
    if dir.join("scenario.toml").exists() {
        return refused("holds a scenario");
    }
    let trial = dir.join(".holdfast-sim-trial");
    let writable =
        std::fs::create_dir_all(dir).and_then(|()| std::fs::write(&trial, b"")).and_then(|()| std::fs::remove_file(&trial));
    writable.or_else(|why| refused(&format!("can't be written to ({})", why.kind())))
}

/// Founds what is to be played, as long as it is allowed to take.
pub(super) fn found(scenario: Scenario, seed: u64, source: &str, guard: &mut Guard) -> Result<Play, Failed> {
    let mut why = None;
    let play = Play::found(scenario, seed, source, &mut || {
        why = guard.exceeded();
        why.is_none()
    });
    match (play, why) {
        (Err(CannotRun::GivenUp), Some(why)) => {
            let why = report::why_early(why);
            Err(Failed::Other(format!("ended before STARTEX: {why}. Not all sites had started, so there is nothing to report")))
        }
        (play, _) => Ok(play?),
    }
}

/// An exercise as people call it: its id, and its title where it has one.
fn named(id: &str, title: &str) -> String {
    if title == id { id.to_owned() } else { format!("{id} {title}") }
}

/// So many of something.
pub(super) fn some(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The word for a scenario drawn from the seed.
pub(super) fn is_swarm(path: &Path) -> bool {
    path == Path::new("swarm")
}

/// Reads a scenario, or draws it. Remarks go to standard error.
pub(super) fn open(path: &Path, seed: Option<u64>, scale: ScaleArgs) -> Result<(Scenario, String), Failed> {
    if is_swarm(path) {
        return Ok((swarm::draw(seed.unwrap_or(1), scale.scale()), String::new()));
    }
    let (scenario, remarks) = scenario::read(path).map_err(Failed::Scenario)?;
    for remark in remarks {
        // Nobody can be told that standard error is closed.
        let _ = writeln!(io::stderr(), "note: {remark}");
    }
    Ok((scenario, path.display().to_string()))
}

/// An exercise time of the command line.
pub(super) fn exercise_time(text: Option<&str>) -> Result<Option<Micros>, Failed> {
    let wrong =
        |text: &str| Failed::Other(format!("{text:?} is no exercise time; write hours and minutes since STARTEX, such as 01:30"));
    text.map(|text| scenario::exercise_time(text).ok_or_else(|| wrong(text))).transpose()
}

/// A speed of the command line.
pub(super) fn pace(text: &str) -> Result<Option<u64>, Failed> {
    match text.parse() {
        Ok(Speed::Max) => Ok(None),
        Ok(Speed::Times(times)) => Ok(Some(times)),
        Err(refused) => Err(Failed::Other(format!("{} {}", refused.what.en, refused.fix.en))),
    }
}

pub(super) fn check(out: &mut impl Write, path: &Path) -> Result<bool, Failed> {
    match scenario::read(path) {
        Ok((scenario, remarks)) => {
            for remark in &remarks {
                writeln!(out, "note: {remark}")?;
            }
            let exercise = &scenario.exercise;
            writeln!(
                out,
                "{}. {}, {}, {}, {}, {} of exercise time. It can be played.",
                named(&exercise.id, exercise.shown()),
                some(scenario.sites.len(), "site", "sites"),
                some(scenario.elements.len(), "element", "elements"),
                some(scenario.injects.len(), "inject", "injects"),
                some(scenario.expects.len(), "expectation", "expectations"),
                scenario::show_duration(exercise.duration)
            )?;
            Ok(true)
        }
        Err(problems) => {
            for problem in &problems {
                writeln!(out, "{problem}")?;
            }
            writeln!(out, "{} to mend; nothing can be played before.", problems.len())?;
            Ok(false)
        }
    }
}

/// Plays a scenario to its end and says what came of it.
pub(super) fn run(out: &mut impl Write, scenario: Scenario, source: &str, wanted: &Wanted) -> Result<bool, Failed> {
    room(wanted.dir.as_deref(), wanted.force)?;
    let clock = Clock::start();
    let mut guard = Guard::new(&wanted.limits)?;
    let mut play = found(scenario, wanted.seed, source, &mut guard)?;
    let until = wanted.until.unwrap_or(Micros::MAX);
    let mut progress = Progress::new(play.end());
    while !play.is_over() && play.now() < until {
        let moment = wanted.speed.map_or(until, |times| play.now().saturating_add(times * MOMENT));
        play.advance_a_piece(moment.min(until));
        progress.show(play.now(), play.violations());
        if let Some(why) = guard.exceeded() {
            play.end_now(why);
        } else if let Some(times) = wanted.speed {
            clock.wait_until(play.now() / times);
        }
    }
    play.end_now("until");
    progress.end();
    let record = play.record();
    if let Some(dir) = &wanted.dir {
        keep(&play, &record, dir)?;
    }
    let wall = clock.elapsed_us();
    if wanted.json {
        writeln!(out, "{}", summary(&record, wall))?;
    } else {
        tell(out, &record, wall)?;
        if let Some(dir) = &wanted.dir {
            writeln!(out, "report: {}", dir.join("report.html").display())?;
        }
    }
    Ok(good(&record))
}

/// Report, record and the scenario with everything that was done by hand: enough to play it again.
pub(super) fn keep(play: &Play, record: &Record, dir: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(dir)?;
    report::write(record, dir)?;
    scenario::write(&play.as_played(), &dir.join(PLAYED))?;
    Ok(())
}

/// No rule broken, nothing lost, every expectation met, and played to its end.
pub(super) fn good(record: &Record) -> bool {
    let kept = record.invariants.iter().all(|rule| rule.violations == 0);
    let met = record.expectations.iter().all(|expect| expect.result == Verdict::Met);
    kept && met && record.run.lost == record.run.excused && record.run.ended_early.is_none()
}

fn summary(record: &Record, wall_us: u64) -> serde_json::Value {
    let run = &record.run;
    let invariants =
        record.invariants.iter().map(|rule| json!({ "id": rule.id, "checked": rule.checked, "violations": rule.violations }));
    let expectations = record
        .expectations
        .iter()
        .map(|expect| json!({ "id": expect.id, "result": expect.result, "late_s": expect.late.map(|late| late / 1_000_000) }));
    json!({
        "schema": "holdfast.sim.run/1",
        "fingerprint": run.fingerprint,
        "seed": run.seed,
        "nodes": record.sites.len(),
        "virtual_s": run.reached / 1_000_000,
        "wall_s": format_s(wall_us),
        "factor": run.reached / wall_us.max(1),
        "events": run.events,
        "invariants": invariants.collect::<Vec<_>>(),
        "expectations": expectations.collect::<Vec<_>>(),
        "converged_after_heal_s": run.converged_after_heal.map(|took| took / 1_000_000),
        "lost": run.lost - run.excused.min(run.lost),
        "went_with_their_stores": run.excused,
        "ended_early": run.ended_early,
    })
}

/// Seconds with milliseconds as a JSON number.
fn format_s(us: u64) -> serde_json::Value {
    serde_json::from_str(&format!("{}.{:03}", us / 1_000_000, us / 1_000 % 1_000)).unwrap_or_default()
}

fn tell(out: &mut impl Write, record: &Record, wall_us: u64) -> io::Result<()> {
    let run = &record.run;
    writeln!(out, "EXERCISE, NOT REAL: {}", named(&record.exercise.id, &record.exercise.title))?;
    if let Some(why) = &run.ended_early {
        let at = scenario::show_time(run.reached / 1_000_000 * 1_000_000);
        writeln!(out, "ended early at H+{at}: {}. What was not reached is not observed.", report::why_early(why))?;
    }
    for expect in &record.expectations {
        let late = expect.late.map_or_else(String::new, |late| format!(" by {}", scenario::show_duration(late)));
        let result = match expect.result {
            Verdict::Met => "met",
            Verdict::MetLate => "met late",
            Verdict::NotMet => "NOT MET",
            Verdict::NotObserved => "not observed",
        };
        writeln!(out, "  {:<12} {:<13}{late} {} ({})", expect.id, result, expect.text, expect.seen.both().en)?;
    }
    for rule in record.invariants.iter().filter(|rule| rule.violations > 0) {
        let first = rule.first.as_ref().map_or_else(String::new, |(at, site, what)| {
            let site = site.and_then(|site| record.sites.get(site)).map_or_else(String::new, |site| format!(" at {}", site.id));
            format!("{}{site}: {what}", seconds(*at))
        });
        writeln!(out, "  BROKEN       {} ({}): {first}", rule.id, rule.text)?;
    }
    let checked: u64 = record.invariants.iter().map(|rule| rule.checked).sum();
    let broken: u64 = record.invariants.iter().map(|rule| rule.violations).sum();
    writeln!(out, "rules checked {checked} times, broken {broken} times; words acknowledged {}, lost {}", run.words, run.lost)?;
    if let Some(took) = run.converged_after_heal {
        writeln!(out, "all equal again {} after everything was mended", scenario::show_duration(took))?;
    }
    writeln!(
        out,
        "{} nodes, {} of exercise time in {} ({} times real time), {} events, seed {}",
        record.sites.len(),
        scenario::show_duration(run.reached / 1_000_000 * 1_000_000),
        seconds(wall_us),
        run.reached / wall_us.max(1),
        run.events,
        run.seed
    )?;
    writeln!(out, "fingerprint {}", run.fingerprint)
}

/// Plays again what a folder holds; true where it is the same run to the last event.
pub(super) fn replay(out: &mut impl Write, dir: &Path) -> Result<bool, Failed> {
    let record = read_record(dir)?;
    let (scenario, _) = scenario::read(&dir.join(PLAYED)).map_err(Failed::Scenario)?;
    let mut play = Play::new(scenario, record.run.seed, &record.run.scenario)?;
    play.advance(record.run.reached);
    let fingerprint = play.world().fingerprint();
    if fingerprint == record.run.fingerprint {
        writeln!(out, "the same run: fingerprint {fingerprint}")?;
        return Ok(true);
    }
    let (recorded, build, this) = (&record.run.fingerprint, &record.run.build, env!("CARGO_PKG_VERSION"));
    writeln!(out, "another run: fingerprint {fingerprint}, recorded {recorded}")?;
    let scenario = dir.join(PLAYED);
    let why = if play.as_played().unplaced().hash() != record.run.played_hash {
        format!("{} is not what was played: it was changed since. Take the record as it was written.", scenario.display())
    } else if build != this {
        format!("It was recorded by version {build}, and this is {this}: play it again with that version.")
    } else {
        format!(
            "Version {build} recorded it, as this is: either the record was changed, or the build is another. Please report it."
        )
    };
    writeln!(out, "{why}")?;
    Ok(false)
}

/// Writes the report of a folder again.
pub(super) fn report(out: &mut impl Write, dir: &Path) -> Result<bool, Failed> {
    let record = read_record(dir)?;
    report::write(&record, dir)?;
    writeln!(out, "report: {}", dir.join("report.html").display())?;
    Ok(true)
}

fn read_record(dir: &Path) -> Result<Record, Failed> {
    let path = dir.join(RECORD);
    let unreadable = |why: &dyn std::fmt::Display| {
        Failed::Other(format!("{}: {why}. Give the folder that `run --out` or `play --out` wrote", path.display()))
    };
    let text = std::fs::read_to_string(&path).map_err(|why| unreadable(&why))?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|why| unreadable(&format!("the file is damaged or cut off ({why})")))?;
    let schema = value.get("schema").and_then(serde_json::Value::as_str).unwrap_or("of no version");
    if schema != SCHEMA {
        return Err(Failed::Other(format!(
            "{}: this record is {schema}; this program reads {SCHEMA}. Read it with the version that wrote it, or run its scenario folder again",
            path.display()
        )));
    }
    serde_json::from_value(value).map_err(|why| unreadable(&why))
}

/// Writes synthetic sites and the beginning of a scenario around them.
pub(super) fn generate(
    out: &mut impl Write,
    (sites, hubs): (usize, usize),
    regions: &[String],
    seed: u64,
    dir: &Path,
) -> Result<bool, Failed> {
    let known = || Region::all().map(|region| region.code()).collect::<Vec<_>>().join(", ");
    let unknown = |code: &String| Failed::Other(format!("{code:?} is no county. Known: {}", known()));
    let regions = match regions {
        [] => Region::all().collect(),
        some => some.iter().map(|code| Region::from_code(code).ok_or_else(|| unknown(code))).collect::<Result<Vec<_>, _>>()?,
    };
    if sites < 2 || hubs >= sites || sites < regions.len() {
        return Err(Failed::Other(format!(
            "{sites} sites with {hubs} hubs in {} counties: at least one store each",
            regions.len()
        )));
    }
    if dir.join("scenario.toml").exists() {
        return Err(Failed::Other(format!("{} holds a scenario already; give another folder", dir.display())));
    }
    let (sites, elements) = Draw::new(sites, hubs, regions, seed).make();
    let scenario = Scenario { sites, elements, ..Scenario::blank(seed) };
    scenario::write(&scenario, dir)?;
    writeln!(out, "{}: {} synthetic sites, {} elements", dir.display(), scenario.sites.len(), scenario.elements.len())?;
    Ok(true)
}

/// The line that moves while a run works; only on a terminal.
struct Progress {
    end: Micros,
    shown: bool,
    /// Thousandths of the whole when it moved last.
    moved: Option<Micros>,
}

impl Progress {
    fn new(end: Micros) -> Self {
        Self { end: end.max(1), shown: io::stderr().is_terminal(), moved: None }
    }

    fn show(&mut self, now: Micros, violations: usize) {
        let moved = Some(now.min(self.end) * 1_000 / self.end);
        if self.shown && std::mem::replace(&mut self.moved, moved) != moved {
            let share = now.min(self.end) * 100 / self.end;
            // Nobody can be told that standard error is closed.
            let _ = write!(io::stderr(), "\r{share:>3} %  H+{}  rules broken: {violations} ", scenario::show_time(now));
        }
    }

    fn end(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
