//! Parts 11 to 13: branches, the empty improvement plan, the annex for engineers.

use super::findings::{breaches, tally};
use super::html::{Row, Text, facts, grid, heading, number, paragraph, push, short, table, words as column};
use super::show::{Clock, count, length};
use super::timeline::effect;
use super::words::{self, file};
use crate::record::Record;

/// Part 11: this run and its branches side by side.
pub(super) fn branches(record: &Record, branches: &[Record]) -> String {
    let clock = Clock::of(&record.exercise);
    let mut out = String::new();
    if let Some((name, at)) = &record.run.branch {
        out.push_str(&paragraph("", &words::BRANCH_SELF.with(&[Text::from(name.as_str()), clock.inline(*at)])));
    }
    if branches.is_empty() {
        out.push_str(&paragraph("none", &words::NO_BRANCH.into()));
    }
    let mut rows = Vec::new();
    if !branches.is_empty() {
        rows.push(outcome(clock, words::MAIN_LINE.into(), record));
    }
    for branch in branches {
        let name = branch.run.branch.as_ref().map_or_else(Text::none, |(name, _)| Text::from(name.as_str()));
        rows.push(outcome(clock, name, branch));
    }
    let columns = [
        column(words::BRANCH),
        short(words::LEFT_AT),
        number(words::MET),
        number(words::MET_LATE),
        number(words::NOT_MET),
        number(words::NOT_OBSERVED),
        number(words::BREACHES),
        number(words::CONVERGED),
    ];
    out.push_str(&grid(&columns, &rows, ""));
    out
}

fn outcome(clock: Clock, name: Text, record: &Record) -> Row {
    let left = record.run.branch.as_ref().map(|(_, at)| *at);
    let mut cells = vec![name, clock.maybe(left)];
    cells.extend(tally(record.expectations.iter()).map(count));
    cells.push(count(breaches(record)));
    cells.push(record.run.converged_after_heal.map_or_else(Text::none, length));
    Row::from(cells)
}

/// Empty rows to be written in by hand.
const PLAN_ROWS: usize = 8;

/// Part 12.
pub(super) fn improvement() -> String {
    let columns = [
        short(words::NR),
        column(words::FINDING),
        column(words::ACTION),
        column(words::OWNER),
        column(words::START),
        column(words::END),
    ];
    let row = |nr: usize| Row::from(std::iter::once(count(nr)).chain(std::iter::repeat_n(Text::empty(), 5)).collect::<Vec<_>>());
    let rows: Vec<Row> = (1..=PLAN_ROWS).map(row).collect();
    grid(&columns, &rows, "plan")
}

/// Part 13.
pub(super) fn annex(record: &Record) -> String {
    let run = &record.run;
    let code = |text: &str| Text::from(text).inside("code", "");
    let mut out = heading(words::REPLAY);
    push(&mut out, format_args!("<pre>{} {}</pre>\n", words::REPLAY_COMMAND, file::RECORD));
    out.push_str(&paragraph("", &words::REPLAY_NOTE.with(&[Text::from(file::RECORD)])));
    out.push_str(&facts(
        "long",
        &[
            (words::SEED, code(&run.seed.to_string())),
            (words::SCENARIO, if run.scenario.is_empty() { words::DRAWN.into() } else { code(&run.scenario) }),
            (words::HASH, code(&run.scenario_hash)),
            (words::FINGERPRINT, code(&run.fingerprint)),
            (words::BUILD, code(&run.build)),
            (words::SCHEMA, code(&record.schema)),
            (words::REACHED, length(run.reached)),
            (words::EVENTS, count(run.events)),
        ],
    ));
    out.push_str(&heading(words::FILES));
    let files =
        [file::RECORD, file::INJECTS, file::EXPECTATIONS, file::REQUESTS, file::KNOWLEDGE, file::INVARIANTS, file::TIMELINE];
    out.push_str(&paragraph("", &Text::join(files.map(code), &Text::markup(" "))));
    let rows: Vec<Row> = record
        .injects
        .iter()
        .map(|inject| {
            let origin = match (inject.origin.as_str(), inject.by_hand) {
                ("", true) => words::BY_PROGRAM_HAND.into(),
                ("", false) => words::BY_PROGRAM.into(),
                (origin, _) => Text::from(origin),
            };
            Row::from(vec![count(inject.nr), effect(&inject.what), origin])
        })
        .collect();
    out.push_str(&heading(words::ORIGIN));
    out.push_str(&table(&[short(words::NR), column(words::INJECT), column(words::ORIGIN)], &rows, words::NO_INJECT));
    out
}
