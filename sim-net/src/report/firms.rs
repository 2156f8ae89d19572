//! What depends on whom: firms and counties by what they have, what stood still at the worst moment, who asked and who answered.
//! Principle 7: what happens when one firm or one cable disappears is a question the tool answers.

use std::collections::BTreeMap;

use super::html::{Row, Text, heading, number, paragraph, short, table};
use super::show::{Clock, count, share};
use super::words::{self, Words};
use crate::record::{Place, Record, RequestRecord};

/// What one firm, or the sites of one county, came to.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sites: u64,
    /// Running when fewest of them were, and when that was first seen.
    fewest: Option<(u64, u64)>,
    asked: u64,
    /// Of these, acknowledged by nobody.
    unheard: u64,
    /// Acknowledgements by its hubs.
    answers: u64,
}

/// The two tables, behind the requests.
pub(super) fn firms(record: &Record) -> String {
    let mut out = heading(words::DEPENDENCE);
    out.push_str(&paragraph("note", &words::DEPENDENCE_NOTE.into()));
    out.push_str(&by(record, words::FIRM, |site| &site.owner));
    out.push_str(&by(record, words::REGION, |site| &site.region));
    out
}

fn by(record: &Record, what: Words, group: impl Fn(&Place) -> &String) -> String {
    let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
    for site in &record.sites {
        sums.entry(group(site)).or_default().sites += 1;
    }
    for moment in &record.turning_points {
        let mut running: BTreeMap<&str, u64> = sums.keys().map(|name| (*name, 0)).collect();
        for (site, _) in record.sites.iter().zip(&moment.islands).filter(|(_, island)| **island > 0) {
            *running.entry(group(site)).or_default() += 1;
        }
        for (name, count) in running {
            let fewest = &mut sums.entry(name).or_default().fewest;
            *fewest = Some(fewest.filter(|(least, _)| *least <= count).unwrap_or((count, moment.at)));
        }
    }
    for request in &record.requests {
        asked(&mut sums, record, request, &group);
    }
    let clock = Clock::of(&record.exercise);
    let (sites, answers) = (record.sites.len() as u64, sums.values().map(|sum| sum.answers).sum());
    let rows: Vec<Row> = sums.iter().map(|(name, sum)| row(clock, name, sum, (sites, answers))).collect();
    let columns = [
        short(what),
        number(words::SITES),
        number(words::SHARE),
        number(words::FEWEST),
        short(words::FEWEST_AT),
        number(words::ASKED),
        number(words::UNHEARD),
        number(words::ANSWERS),
        number(words::SHARE),
    ];
    table(&columns, &rows, words::NO_REQUEST)
}

fn asked<'a>(
    sums: &mut BTreeMap<&'a str, Sum>,
    record: &'a Record,
    request: &RequestRecord,
    group: &impl Fn(&'a Place) -> &'a String,
) {
    if let Some(site) = record.sites.get(request.site) {
        let sum = sums.entry(group(site)).or_default();
        sum.asked += 1;
        sum.unheard += u64::from(request.acknowledged.is_empty());
    }
    for hub in request.acknowledged.iter().filter_map(|(hub, _)| record.sites.get(*hub)) {
        sums.entry(group(hub)).or_default().answers += 1;
    }
}

fn row(clock: Clock, name: &str, sum: &Sum, (sites, answers): (u64, u64)) -> Row {
    let part = |of: u64, all: u64| (of * 1_000_000).checked_div(all).and_then(|ppm| u32::try_from(ppm).ok());
    let shown = |part: Option<u32>| part.map_or_else(Text::none, share);
    let (fewest, at) = sum.fewest.map_or_else(|| (Text::none(), Text::none()), |(least, at)| (count(least), clock.inline(at)));
    let cells = vec![
        Text::from(name),
        count(sum.sites),
        shown(part(sum.sites, sites)),
        fewest,
        at,
        count(sum.asked),
        count(sum.unheard),
        count(sum.answers),
        shown(part(sum.answers, answers)),
    ];
    // Nothing of it ran, or somebody's need came to nobody.
    Row { attention: sum.unheard > 0 || sum.fewest.is_some_and(|(least, _)| least == 0), cells }
}
