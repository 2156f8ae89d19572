//! Parts 1 to 3: cover, half a page in plain words, objectives with a box for the evaluator.

use super::findings::{all, breaches, ended_early, tally};
use super::html::{Row, Text, facts, grid, heading, paragraph, push, short, table, words as column};
use super::show::{Clock, count, length};
use super::words::{self, Words, unit};
use crate::record::{ExpectRecord, Record, Told, Verdict};

/// What, when, how, and four numbers.
pub(super) fn cover(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let (exercise, run) = (&record.exercise, &record.run);
    let mut out = format!("<p class=eyebrow>{}</p>\n", Text::from(words::REPORT));
    push(&mut out, format_args!("<h1>{}</h1>\n", Text::from(exercise.title.as_str())));
    push(&mut out, format_args!("<p class=stamp>{}</p>\n", Text::from(words::MARK)));
    if let Some(text) = ended_early(record) {
        out.push_str(&paragraph("early", &text));
    }
    out.push_str(&figures(record));
    let dated = |at| Text::markup(format!("{} <small>UTC{}</small>", clock.date(at), clock.zone()));
    let status =
        words::look_up(words::STATUSES, &exercise.status).map_or_else(|| Text::from(exercise.status.as_str()), Text::from);
    let mut regions: Vec<&str> = record.sites.iter().map(|site| site.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    let scenario = if run.scenario.is_empty() { words::DRAWN.into() } else { Text::from(run.scenario.as_str()) };
    out.push_str(&facts(
        "facts",
        &[
            (words::EXERCISE_ID, Text::from(exercise.id.as_str())),
            (words::STATUS, status),
            (words::STARTEX, dated(0)),
            (words::ENDEX, dated(run.reached)),
            (words::PLANNED_LENGTH, length(exercise.duration)),
            (words::PLAYED, length(run.reached)),
            (words::SITES, words::SITES_VALUE.with(&[count(record.sites.len()), count(regions.len())])),
            (words::MODE, words::MODE_VIRTUAL.into()),
            (words::SCENARIO, scenario),
            (words::BUILD, Text::from(run.build.as_str())),
            (words::SEED, Text::markup(run.seed.to_string())),
            (words::FINGERPRINT, Text::from(run.fingerprint.as_str()).inside("code", "")),
        ],
    ));
    out.push_str(&paragraph("note", &words::TIMES_NOTE.with(&[Text::markup(clock.zone())])));
    out
}

fn figures(record: &Record) -> String {
    let [met, ..] = tally(record.expectations.iter());
    let missing = record.run.lost.saturating_sub(record.run.excused);
    let broken = breaches(record);
    let expected = record.expectations.len();
    let met_of = Text::markup(format!("{met}<small> / {expected}</small>"));
    let figures: [(Text, Words, bool); 4] = [
        (met_of, words::FIGURE_EXPECTED, usize::try_from(met) != Ok(expected)),
        (count(missing), words::FIGURE_LOST, missing > 0),
        (count(broken), words::FIGURE_BROKEN, broken > 0),
        (record.run.converged_after_heal.map_or_else(Text::none, length), words::FIGURE_CONVERGED, false),
    ];
    let mut out = String::from("<ul class=figures>\n");
    for (number, what, attention) in figures {
        let class = if attention { " class=bad" } else { "" };
        push(&mut out, format_args!("<li{class}><b>{number}</b> {}</li>\n", Text::from(what)));
    }
    out.push_str("</ul>\n");
    out
}

/// How many findings the summary holds.
const WORST: usize = 3;

/// What was played, what was met, and the three worst findings.
pub(super) fn summary(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let planned = || record.injects.iter().filter(|inject| !inject.by_hand && !inject.contingency);
    let by_hand = record.injects.iter().filter(|inject| inject.by_hand).count();
    let happened = planned().filter(|inject| inject.happened.is_some()).count();
    let mut out = String::new();
    if let Some(text) = ended_early(record) {
        out.push_str(&paragraph("early", &text));
    }
    out.push_str(&paragraph(
        "",
        &words::SAID_PLAY.with(&[
            Text::from(record.exercise.title.as_str()),
            clock.inline(record.run.reached),
            count(record.sites.len()),
            count(planned().count()),
            count(happened),
            count(by_hand),
        ]),
    ));
    let [met, late, not, unseen] = tally(record.expectations.iter()).map(count);
    let mut expected = words::SAID_EXPECTED.with(&[count(record.expectations.len()), met, late, not, unseen]);
    let names = record.expectations.iter().filter(|one| matches!(one.result, Verdict::Met | Verdict::MetLate));
    let names = Text::join(names.map(|one| Text::from(one.id.as_str())), &words::COMMA.into());
    if !names.is_empty() {
        expected = expected.then(&Text::markup(" ")).then(&words::SAID_MET.with(&[names]));
    }
    out.push_str(&paragraph("", &expected));
    let run = &record.run;
    out.push_str(&paragraph("", &words::SAID_WORDS.with(&[count(run.words), count(run.lost), count(run.excused)])));
    let converged = run.converged_after_heal.map(|after| words::SAID_CONVERGED.with(&[length(after)]));
    let checked: u64 = record.invariants.iter().map(|rule| rule.checked).sum();
    let rules = words::SAID_RULES.with(&[count(record.invariants.len()), count(checked), count(breaches(record))]);
    let agreed = converged.unwrap_or_else(|| words::SAID_APART.into());
    out.push_str(&paragraph("", &agreed.then(&Text::markup(" ")).then(&rules)));

    out.push_str(&heading(words::WORST));
    let found = all(record);
    if found.is_empty() {
        return out + &paragraph("none", &words::NOTHING_FOUND.into());
    }
    out.push_str("<ol class=findings>\n");
    for finding in found.iter().take(WORST) {
        push(&mut out, format_args!("<li>{finding}</li>\n"));
    }
    out.push_str("</ol>\n");
    if found.len() > WORST {
        out.push_str(&paragraph("note", &words::MORE_FINDINGS.with(&[count(found.len() - WORST)])));
    }
    out
}

/// A result as sign and word.
pub(super) fn verdict(result: Verdict) -> Text {
    let (sign, word) = match result {
        Verdict::Met => ("✓", words::MET),
        Verdict::MetLate => ("◔", words::MET_LATE),
        Verdict::NotMet => ("✗", words::NOT_MET),
        Verdict::NotObserved => (unit::NONE, words::NOT_OBSERVED),
    };
    Text::markup(format!("<span class=k><i>{sign}</i> {}</span>", Text::from(word)))
}

/// What the expectations of an objective come to.
fn proposal(of: &[&ExpectRecord]) -> Text {
    let [met, late, not, unseen] = tally(of.iter().copied());
    match (met, late, not, unseen) {
        (0, 0, 0, 0) => words::NO_EXPECTATION.into(),
        (_, 0, 0, 0) => verdict(Verdict::Met),
        (_, _, 0, 0) => verdict(Verdict::MetLate),
        (0, 0, _, 0) => verdict(Verdict::NotMet),
        (0, 0, 0, _) => verdict(Verdict::NotObserved),
        _ => Text::markup(format!("<span class=k><i>◐</i> {}</span>", Text::from(words::PARTLY))),
    }
}

/// Objectives with result and rating box, then every expectation.
pub(super) fn objectives(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let of = |id: &str| -> Vec<&ExpectRecord> { record.expectations.iter().filter(|one| one.objective == id).collect() };
    let known = |id: &str| record.exercise.objectives.iter().any(|(one, _)| one == id);
    let row = |name: Text, of: &[&ExpectRecord]| {
        let each = of.iter().map(|one| {
            let id = Text::from(one.id.as_str());
            Text::markup(format!("<span class=k>{id} {}</span>", verdict(one.result)))
        });
        Row::from(vec![name, Text::join(each, &Text::markup("<br>")), proposal(of), Text::empty()])
    };
    let mut rows: Vec<Row> = Vec::new();
    for (id, text) in &record.exercise.objectives {
        let name = Text::from(id.as_str()).inside("b", "").then(&Text::markup(" ")).then(&Text::from(text.as_str()));
        rows.push(row(name, &of(id)));
    }
    let others: Vec<&ExpectRecord> = record.expectations.iter().filter(|one| !known(&one.objective)).collect();
    if !others.is_empty() {
        rows.push(row(words::NO_OBJECTIVE.into(), &others));
    }
    let columns = [column(words::OBJECTIVE), short(words::EXPECTED), short(words::RESULT), column(words::RATING)];
    let mut out = paragraph("note", &words::RATING_NOTE.into());
    out.push_str(&grid(&columns, &rows, "rating"));

    out.push_str(&heading(words::EXPECTATIONS));
    let rows: Vec<Row> = record.expectations.iter().map(|one| expectation(clock, one)).collect();
    let columns = [
        short(words::NR),
        column(words::EXPECTED),
        short(words::RESULT),
        short(words::FROM),
        short(words::DUE),
        short(words::MET_AT),
        short(words::LATE_BY),
        column(words::SEEN),
    ];
    out.push_str(&table(&columns, &rows, words::NO_EXPECTATION));
    out
}

fn expectation(clock: Clock, one: &ExpectRecord) -> Row {
    Row {
        attention: matches!(one.result, Verdict::NotMet | Verdict::MetLate),
        cells: vec![
            Text::from(one.id.as_str()),
            Text::from(one.text.as_str()),
            verdict(one.result),
            clock.maybe(one.from),
            clock.maybe(one.due),
            clock.maybe(one.met_at),
            one.late.map_or_else(Text::none, length),
            Text::from(one.seen.both()),
        ],
    }
}
