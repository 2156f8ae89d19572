//! Part 4: what was planned and what happened, drawn and as a table; then the course of events.

use super::findings::skipped;
use super::html::{Row, Text, heading, label, paragraph, push, short, table, words as column};
use super::show::{Clock, count, length, site};
use super::words::{self, Words, file};
use crate::record::{self, InjectRecord, Record};

/// Rows of a table on the page; the sheets hold all.
pub(super) const ROWS: usize = 200;
/// Injects that are drawn.
const BARS: usize = 60;
/// Differences below are not shown, microseconds.
const SAME: u64 = 1_000_000;

/// The part.
pub(super) fn timeline(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut out = String::new();
    if !record.injects.is_empty() {
        out.push_str(&chart(record));
        out.push_str(&paragraph("note", &words::CHART_NOTE.into()));
    }
    let rows: Vec<Row> = record.injects.iter().take(ROWS).map(|inject| row(record, clock, inject)).collect();
    let columns = [
        short(words::NR),
        short(words::PLANNED),
        short(words::ACTUAL),
        column(words::INJECT),
        column(words::FIRST_EFFECT),
        short(words::UNDONE_AT),
    ];
    out.push_str(&table(&columns, &rows, words::NO_INJECT));
    out.push_str(&shown_of(rows.len(), record.injects.len(), file::INJECTS));

    // Single reports and switches are many and stand in the sheet.
    let telling = || record.timeline.iter().filter(|one| !QUIET.contains(&one.kind.as_str()));
    let rows: Vec<Row> = telling()
        .take(ROWS)
        .map(|one| Row {
            attention: one.kind == VIOLATION,
            cells: vec![
                clock.both(one.at),
                words::look_up(words::KINDS, &one.kind).map_or_else(|| Text::from(one.kind.as_str()), Text::from),
                one.site.map_or_else(Text::empty, |index| site(record, index)),
                Text::from(&one.what),
            ],
        })
        .collect();
    if !rows.is_empty() {
        out.push_str(&heading(words::WHAT_HAPPENED));
        let columns = [short(words::AT), short(words::KIND), column(words::SITE), column(words::WHAT)];
        out.push_str(&table(&columns, &rows, words::NO_INJECT));
        out.push_str(&shown_of(rows.len(), record.timeline.len(), file::TIMELINE));
    }
    out
}

/// Kinds that only the sheet holds.
const QUIET: [&str; 4] = ["said", "up", "down", "inject"];
const VIOLATION: &str = "violation";

/// A sentence where a table does not hold all.
pub(super) fn shown_of(shown: usize, of: usize, file: &str) -> String {
    if shown == of {
        return String::new();
    }
    paragraph("note", &words::SHOWN_OF.with(&[count(shown), count(of), Text::from(file)]))
}

/// An effect as people call it, with its own word.
pub(super) fn effect(word: &str) -> Text {
    record::effect(word).map_or_else(|| Text::from(word), |(zh, en)| Words { zh, en }.into())
}

fn row(record: &Record, clock: Clock, inject: &InjectRecord) -> Row {
    let space = Text::markup(" ");
    let mut what = effect(&inject.what).inside("b", "").then(&space).then(&Text::from(inject.on.as_str()));
    if inject.sites > 1 {
        what = what.then(&space).then(&words::ON_SITES.with(&[count(inject.sites)]).inside("small", ""));
    }
    if inject.by_hand {
        what = what.then(&Text::markup(" ◆ ")).then(&Text::from(words::BY_HAND).inside("span", "tag"));
    }
    if inject.contingency {
        what = what.then(&space).then(&Text::from(words::CONTINGENCY).inside("span", "tag"));
    }
    if !inject.say.is_empty() {
        what = what.then(&Text::from(inject.say.as_str()).inside("span", "say"));
    }
    let actual = match (inject.happened, inject.planned) {
        (Some(at), Some(planned)) if at > planned.saturating_add(SAME) => {
            clock.both(at).then(&words::DELAYED.with(&[length(at - planned)]).inside("small", "off"))
        }
        (Some(at), Some(planned)) if at.saturating_add(SAME) < planned => {
            clock.both(at).then(&words::EARLIER.with(&[length(planned - at)]).inside("small", "off"))
        }
        (Some(at), _) => clock.both(at),
        (None, _) => Text::from(words::NEVER_HAPPENED)
            .then(&inject.why_not.as_ref().map_or_else(Text::empty, Text::from).inside("span", "say")),
    };
    let first = inject.first_effect.as_ref().map(|(at, seen)| clock.both(*at).then(&Text::from(seen)));
    Row {
        attention: skipped(record, inject),
        cells: vec![
            count(inject.nr),
            clock.maybe(inject.planned),
            actual,
            what,
            first.unwrap_or_else(Text::none),
            clock.maybe(inject.undone),
        ],
    }
}

/// Left edge of the time axis, its width, and the height of a row, in units of the drawing.
const LEFT: i64 = 190;
const WIDTH: i64 = 780;
const HEIGHT: i64 = 20;

/// Steps that an axis may have, minutes.
const STEPS: [u64; 10] = [1, 5, 10, 30, 60, 120, 240, 720, 1_440, 10_080];
/// An axis has at most so many steps.
const MARKS: u64 = 8;

fn chart(record: &Record) -> String {
    let end = record.exercise.duration.max(record.run.reached).max(1);
    let x = |at: u64| LEFT + i64::try_from(u128::from(at.min(end)) * WIDTH.unsigned_abs() as u128 / u128::from(end)).unwrap_or(0);
    let drawn = record.injects.len().min(BARS);
    let bottom = 14 + i64::try_from(drawn).unwrap_or(0) * HEIGHT;
    let mut out = format!("<svg class=chart viewBox=\"0 0 1000 {}\" role=img>\n", bottom + 26);
    let step = STEPS.iter().map(|minutes| minutes * 60_000_000).find(|step| end / step <= MARKS).unwrap_or(end);
    let mut at = 0;
    while at <= end {
        push(&mut out, format_args!("<path class=grid d=\"M{0} 8V{bottom}\"/>", x(at)));
        out.push_str(&label(x(at), bottom + 18, "mid", &Text::markup(Clock::exercise(at))));
        at += step;
    }
    out.push('\n');
    if record.run.reached < record.exercise.duration {
        let from = x(record.run.reached);
        push(
            &mut out,
            format_args!("<rect class=unplayed x={from} y=8 width={} height={} />\n", LEFT + WIDTH - from, bottom - 8),
        );
    }
    for (place, inject) in record.injects.iter().take(BARS).enumerate() {
        let y = 14 + i64::try_from(place).unwrap_or(0) * HEIGHT + HEIGHT / 2;
        let name = count(inject.nr).then(&Text::markup(" ")).then(&effect(&inject.what));
        out.push_str(&label(4, y + 5, "", &name));
        if let Some(planned) = inject.planned {
            push(&mut out, format_args!("<path class=plan d=\"M{} {}v14\"/>", x(planned), y - 7));
        }
        match inject.happened {
            Some(at) => {
                let until = inject.undone.unwrap_or(at);
                let class = if inject.by_hand { "bar hand" } else { "bar" };
                push(&mut out, format_args!("<path class=\"{class}\" d=\"M{} {y}H{}\"/>", x(at), x(until).max(x(at) + 5)));
                if inject.by_hand {
                    push(&mut out, format_args!("<path class=hand d=\"M{} {y}l6 -6l6 6l-6 6z\"/>", x(at) - 6));
                }
            }
            None => {
                let at = inject.planned.unwrap_or(0);
                push(&mut out, format_args!("<circle class=never cx={} cy={y} r=5 />", x(at)));
            }
        }
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}
