//! Part 6, behind the requests: what people had to settle, each once.

use super::html::{Row, Text, heading, paragraph, short, table, words as column};
use super::requests::supply;
use super::show::{Clock, site};
use super::timeline::{ROWS, shown_of};
use super::words::{self, file};
use crate::record::{ConflictRecord, ProposalRecord, Record};

/// The table.
pub(super) fn conflicts(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut out = heading(words::CONFLICTS);
    out.push_str(&paragraph("note", &words::CONFLICTS_NOTE.into()));
    let rows: Vec<Row> = record.conflicts.iter().take(ROWS).map(|one| row(record, clock, one)).collect();
    let columns = [
        short(words::CONFLICT),
        column(words::MEANS),
        column(words::GOODS),
        column(words::PROPOSED),
        short(words::SEEN_FIRST),
        short(words::SEEN_BY_ALL),
        short(words::SETTLED),
    ];
    out.push_str(&table(&columns, &rows, words::NO_CONFLICT));
    out.push_str(&shown_of(rows.len(), record.conflicts.len(), file::CONFLICTS));
    out
}

fn row(record: &Record, clock: Clock, one: &ConflictRecord) -> Row {
    let line = Text::markup("<br>");
    let about = Text::from(one.about.as_str()).then(&Text::markup(" ")).then(&site(record, one.consignee));
    let kind = words::look_up(words::CONFLICT_KINDS, &one.kind).map_or_else(|| Text::from(one.kind.as_str()), Text::from);
    let colon = Text::from(words::COLON);
    let goods = one.goods.iter().map(|(supplier, goods)| site(record, *supplier).then(&colon).then(&supply(goods)));
    let proposals = one.proposals.iter().map(|proposal| proposed(record, proposal));
    Row {
        attention: one.settled.is_none(),
        cells: vec![
            Text::from(one.name.as_str()),
            kind.then(&about.inside("small", "below")),
            Text::join(goods, &line),
            Text::join(proposals, &line),
            clock.both(one.first.0).then(&site(record, one.first.1).inside("small", "below")),
            clock.maybe(one.by_all),
            one.settled.map_or_else(|| Text::from(words::STANDS), |at| clock.both(at)),
        ],
    }
}

fn proposed(record: &Record, proposal: &ProposalRecord) -> Text {
    let space = Text::markup(" ");
    let what = words::look_up(words::PROPOSALS, &proposal.what).map_or_else(|| Text::from(proposal.what.as_str()), Text::from);
    let mut out = site(record, proposal.by).then(&Text::from(words::COLON)).then(&what);
    out = out.then(&space).then(&Text::from(proposal.of.as_str()));
    if let Some(goods) = &proposal.goods {
        out = out.then(&space).then(&supply(goods));
    }
    if let Some(to) = &proposal.to {
        out = out.then(&Text::markup(" → ")).then(&Text::from(to.as_str()));
    }
    out
}
