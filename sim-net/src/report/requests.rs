//! Part 6: every request, who acknowledged it, what became of it.

use super::html::{Row, Text, short, table, words as column};
use super::show::{Clock, count, site};
use super::timeline::{ROWS, shown_of};
use super::words::{self, file};
use crate::record::{Both, Record, RequestRecord};
use crate::scenario;

/// The part.
pub(super) fn requests(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let rows: Vec<Row> = record.requests.iter().take(ROWS).map(|one| row(record, clock, one)).collect();
    let columns = [
        short(words::REQUEST),
        column(words::ASKED_BY),
        short(words::ASKED_AT),
        column(words::LINES),
        column(words::ACKNOWLEDGED),
        column(words::HISTORY),
        short(words::KNOWN),
        short(words::STATE),
    ];
    let mut out = table(&columns, &rows, words::NO_REQUEST);
    out.push_str(&shown_of(rows.len(), record.requests.len(), file::REQUESTS));
    out
}

/// `water 40` as people call it.
pub(super) fn supply(line: &str) -> Text {
    let named = line.rsplit_once(' ').and_then(|(item, quantity)| Some((scenario::item_names(item)?, quantity)));
    named.map_or_else(
        || Text::from(line),
        |((zh, en), quantity)| Text::from(Both { zh: format!("{zh} {quantity}"), en: format!("{en} {quantity}") }),
    )
}

fn row(record: &Record, clock: Clock, one: &RequestRecord) -> Row {
    let line = Text::markup("<br>");
    let space = Text::markup(" ");
    let mut name = Text::from(one.label.as_str());
    if one.id != one.label {
        name = name.then(&Text::from(one.id.as_str()).inside("small", "below"));
    }
    let priority = words::look_up(words::PRIORITIES, &one.priority).map_or_else(|| Text::from(one.priority.as_str()), Text::from);
    let lines = Text::join(one.lines.iter().map(|line| supply(line)), &line).then(&priority.inside("small", "below"));
    let hubs = one.acknowledged.iter().map(|(hub, at)| clock.inline(*at).then(&space).then(&site(record, *hub)));
    let hubs = match one.acknowledged.len() {
        0 => words::NOBODY.into(),
        1 => Text::join(hubs, &line),
        several => Text::join(hubs, &line).then(&words::BY_SEVERAL.with(&[count(several)]).inside("span", "say")),
    };
    let history = one.history.iter().map(|(at, who, what)| {
        clock
            .inline(*at)
            .then(&space)
            .then(&site(record, *who))
            .then(&Text::from(words::COLON))
            .then(&words::look_up(words::ACTS, what).map_or_else(|| Text::from(what.as_str()), Text::from))
    });
    Row {
        attention: one.acknowledged.len() != 1,
        cells: vec![
            name,
            site(record, one.site),
            clock.both(one.at),
            lines,
            hubs,
            Text::join(history, &line),
            // Nobody looked where those of no inject are held.
            if one.known.1 == 0 { Text::none() } else { words::KNOWN_VALUE.with(&[count(one.known.0), count(one.known.1)]) },
            words::look_up(words::STATES, &one.state).map_or_else(|| Text::from(one.state.as_str()), Text::from),
        ],
    }
}
