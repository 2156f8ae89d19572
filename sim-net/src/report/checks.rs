//! Parts 8 to 10: load of each medium, forged traffic, standing rules.

use super::html::{Row, Text, number, paragraph, short, table, words as column};
use super::show::{Clock, bytes, count, length, share, site};
use super::words;
use crate::record::{Forged, Invariant, Load, Record};

/// Part 8.
pub(super) fn load(record: &Record) -> String {
    let rows: Vec<Row> = record.load.iter().map(medium).collect();
    let columns = [
        column(words::MEDIUM),
        number(words::FRAMES),
        number(words::BYTES),
        number(words::LOST),
        number(words::COLLISIONS),
        number(words::AIRTIME),
        number(words::DUTY),
        number(words::QUEUE),
    ];
    let mut out = table(&columns, &rows, words::NO_LOAD);
    if rows.len() > 1 {
        out.push_str(&paragraph("note", &words::DUTY_NOTE.into()));
    }
    out
}

/// A medium for people.
pub(super) fn medium_name(medium: &str) -> Text {
    let (kind, channel) = medium.split_once(':').unwrap_or((medium, ""));
    let name = words::look_up(words::MEDIA, kind).map_or_else(|| Text::from(kind), Text::from);
    if channel.is_empty() { name } else { name.then(&Text::markup(" ")).then(&Text::from(channel)) }
}

fn medium(one: &Load) -> Row {
    // Media that nobody has to share have no airtime.
    let timed = one.airtime > 0;
    Row::from(vec![
        medium_name(&one.medium),
        count(one.frames),
        bytes(one.bytes),
        count(one.lost),
        count(one.collisions),
        if timed { length(one.airtime) } else { Text::none() },
        if timed { share(one.duty) } else { Text::none() },
        bytes(one.queue),
    ])
}

/// Part 9.
pub(super) fn forged(record: &Record) -> String {
    let rows: Vec<Row> = record.forged.iter().map(|one| forgery(record, one)).collect();
    let columns = [
        short(words::INJECT),
        column(words::HOW),
        column(words::SITE),
        number(words::SENT),
        number(words::ACCEPTED_BY),
        column(words::MEANING),
    ];
    table(&columns, &rows, words::NO_FORGED)
}

fn forgery(record: &Record, one: &Forged) -> Row {
    Row {
        attention: one.accepted_by > 0,
        cells: vec![
            count(one.inject),
            words::look_up(words::FORGERIES, &one.kind).map_or_else(|| Text::from(one.kind.as_str()), Text::from),
            site(record, one.site),
            count(one.sent),
            count(one.accepted_by),
            words::look_up(words::MEANINGS, &one.kind).map_or_else(|| Text::from(one.note.as_str()), Text::from),
        ],
    }
}

/// Part 10.
pub(super) fn invariants(record: &Record) -> String {
    let rows: Vec<Row> = record.invariants.iter().map(|one| rule(record, one)).collect();
    let columns = [short(words::NR), column(words::RULE), short(words::CHECKED), column(words::FIRST_SEEN)];
    table(&columns, &rows, words::NO_INVARIANT)
}

fn rule(record: &Record, one: &Invariant) -> Row {
    let checked = match one.checked {
        0 => words::NEVER_CHECKED.into(),
        _ => words::CHECKED_TIMES.with(&[count(one.checked), count(one.violations)]),
    };
    let first = one.first.as_ref().map(|(at, place, seen)| {
        let space = Text::markup(" ");
        let place = place.map_or_else(Text::empty, |index| site(record, index).then(&space));
        Clock::of(&record.exercise).inline(*at).then(&space).then(&place).then(&Text::from(seen.as_str()))
    });
    Row { attention: one.violations > 0, cells: vec![name(one), demand(one), checked, first.unwrap_or_else(Text::none)] }
}

/// How a rule is called.
pub(super) fn name(rule: &Invariant) -> Text {
    words::look_up(words::RULE_NAMES, &rule.id).map_or_else(|| Text::from(rule.id.as_str()), Text::from)
}

/// What a rule demands.
pub(super) fn demand(rule: &Invariant) -> Text {
    words::look_up(words::RULES, &rule.id).map_or_else(|| Text::from(rule.text.as_str()), Text::from)
}
