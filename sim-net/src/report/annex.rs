//! Parts 11 to 13: lines of play, the empty improvement plan, the annex for engineers.

use super::findings::{breaches, tally};
use super::html::{Row, Text, facts, grid, heading, number, paragraph, push, short, table, words as column};
use super::show::{Clock, count, length};
use super::timeline::effect;
use super::words::{self, file};
use crate::record::{InjectRecord, Line, Record};

/// Part 11: the lines of play that were left, and the one that this report is about.
pub(super) fn lines(record: &Record) -> String {
    if record.left.is_empty() {
        return paragraph("none", &words::NO_LINE.into());
    }
    let clock = Clock::of(&record.exercise);
    let run = &record.run;
    let mut rows: Vec<Row> = record.left.iter().map(|line| left(clock, line)).collect();
    let began = run.parent.map_or(0, |(_, at)| at);
    let by_hand = record.injects.iter().filter(|inject| inject.by_hand && inject.happened.is_none_or(|at| at >= began));
    let mut cells = begun(clock, run.line, run.parent);
    cells.push(clock.both(run.reached));
    cells.push(done(clock, by_hand));
    cells.extend(tally(record.expectations.iter()).map(count));
    cells.push(count(breaches(record)));
    rows.push(Row { attention: true, cells });
    let columns = [
        short(words::LINE),
        short(words::BEGAN),
        short(words::PLAYED_TO),
        column(words::DONE_BY_HAND),
        number(words::MET),
        number(words::MET_LATE),
        number(words::NOT_MET),
        number(words::NOT_OBSERVED),
        number(words::BREACHES),
    ];
    paragraph("", &words::LINE_SELF.with(&[count(run.line), count(record.left.len())])) + &grid(&columns, &rows, "")
}

fn left(clock: Clock, line: &Line) -> Row {
    let mut cells = begun(clock, line.nr, line.parent);
    cells.push(clock.both(line.reached));
    let notes = line.notes.iter().map(|(at, text)| clock.inline(*at).then(&Text::markup(" ")).then(&Text::from(text.as_str())));
    let by_hand =
        if line.by_hand.is_empty() && !line.notes.is_empty() { Text::empty() } else { done(clock, line.by_hand.iter()) };
    cells.push(Text::join(std::iter::once(by_hand).filter(|text| !text.is_empty()).chain(notes), &Text::markup("<br>")));
    cells.extend(tally(line.expectations.iter()).map(count));
    cells.push(count(line.violations));
    Row::from(cells)
}

/// Its number and where it began.
fn begun(clock: Clock, nr: u32, parent: Option<(u32, u64)>) -> Vec<Text> {
    let from = match parent {
        Some((of, at)) => clock.both(at).then(&words::OUT_OF.with(&[count(of)]).inside("small", "")),
        None => words::STARTEX.into(),
    };
    vec![count(nr), from]
}

fn done<'a>(clock: Clock, injects: impl Iterator<Item = &'a InjectRecord>) -> Text {
    let one = |inject: &InjectRecord| {
        let at = inject.happened.map_or_else(Text::empty, |at| clock.inline(at));
        let space = Text::markup(" ");
        at.then(&space).then(&effect(&inject.what)).then(&space).then(&Text::from(inject.on.as_str()))
    };
    let all = Text::join(injects.map(one), &Text::markup("<br>"));
    if all.is_empty() { Text::none() } else { all }
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
    push(&mut out, format_args!("<pre>{}</pre>\n", words::REPLAY_COMMAND));
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
