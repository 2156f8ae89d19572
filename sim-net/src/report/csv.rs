//! The sheets beside the page: UTF-8 with a mark in front, so that spreadsheets do not take it for Big5; every row says that it is
//! an exercise. Cells that a spreadsheet would compute get an apostrophe.

use super::show::Clock;
use super::words::{self, column, file};
use crate::record::{Place, ProposalRecord, Record, Told, Verdict};

/// Rows, grown cell by cell.
struct Sheet {
    text: String,
    mark: String,
    fresh: bool,
}

impl Sheet {
    fn of(record: &Record, columns: &[&str]) -> Self {
        let mark = format!("{} {} / {}", record.exercise.id, words::MARK.zh, words::MARK.en);
        let mut sheet = Self { text: String::from("\u{feff}"), mark, fresh: true };
        for column in columns {
            sheet.cell(column);
        }
        sheet.end();
        sheet
    }

    fn cell(&mut self, text: &str) {
        if !self.fresh {
            self.text.push(',');
        }
        self.fresh = false;
        let computed = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        if computed || text.contains([',', '"', '\n', '\r']) {
            let quoted = text.replace('"', "\"\"");
            self.text.push_str(&format!("\"{}{quoted}\"", if computed { "'" } else { "" }));
        } else {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        self.text.push_str("\r\n");
        self.fresh = true;
    }

    fn row(&mut self, cells: &[String]) {
        let mark = self.mark.clone();
        self.cell(&mark);
        for cell in cells {
            self.cell(cell);
        }
        self.end();
    }
}

/// All sheets: name and content.
pub(super) fn sheets(record: &Record) -> Vec<(&'static str, String)> {
    vec![
        (file::INJECTS, injects(record)),
        (file::EXPECTATIONS, expectations(record)),
        (file::REQUESTS, requests(record)),
        (file::CONFLICTS, conflicts(record)),
        (file::KNOWLEDGE, knowledge(record)),
        (file::INVARIANTS, invariants(record)),
        (file::TIMELINE, timeline(record)),
    ]
}

fn time(at: Option<u64>) -> String {
    at.map(Clock::exercise).unwrap_or_default()
}

/// Microseconds as seconds with three places.
fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us / 1_000 % 1_000)
}

fn since(planned: Option<u64>, happened: Option<u64>) -> String {
    match (planned, happened) {
        (Some(planned), Some(at)) if at < planned => format!("-{}", seconds(planned - at)),
        (Some(planned), Some(at)) => seconds(at - planned),
        _ => String::new(),
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "1" } else { "0" }.to_owned()
}

fn place(record: &Record, index: usize) -> (String, String) {
    record.sites.get(index).map(|site: &Place| (site.id.clone(), site.name.clone())).unwrap_or_default()
}

fn injects(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut sheet = Sheet::of(record, column::INJECTS);
    for one in &record.injects {
        let (first_at, first) = one.first_effect.clone().map_or((None, String::new()), |(at, seen)| (Some(at), seen.to_string()));
        sheet.row(&[
            one.nr.to_string(),
            one.what.clone(),
            one.on.clone(),
            one.sites.to_string(),
            time(one.planned),
            time(one.happened),
            one.happened.map(|at| clock.date(at)).unwrap_or_default(),
            one.happened.map(seconds).unwrap_or_default(),
            since(one.planned, one.happened),
            one.why_not.as_ref().map(ToString::to_string).unwrap_or_default(),
            time(one.undone),
            time(first_at),
            first,
            yes_no(one.contingency),
            yes_no(one.by_hand),
            one.say.clone(),
            one.objective.clone(),
            one.origin.clone(),
        ]);
    }
    sheet.text
}

fn expectations(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut sheet = Sheet::of(record, column::EXPECTATIONS);
    for one in &record.expectations {
        let result = match one.result {
            Verdict::Met => words::MET,
            Verdict::MetLate => words::MET_LATE,
            Verdict::NotMet => words::NOT_MET,
            Verdict::NotObserved => words::NOT_OBSERVED,
        };
        sheet.row(&[
            one.id.clone(),
            one.text.clone(),
            one.objective.clone(),
            format!("{} / {}", result.zh, result.en),
            time(one.from),
            time(one.due),
            time(one.met_at),
            one.met_at.map(|at| clock.date(at)).unwrap_or_default(),
            one.met_at.map(seconds).unwrap_or_default(),
            one.late.map(seconds).unwrap_or_default(),
            one.seen.both().en,
        ]);
    }
    sheet.text
}

fn requests(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut sheet = Sheet::of(record, column::REQUESTS);
    for one in &record.requests {
        let (site, name) = place(record, one.site);
        let acknowledged = one.acknowledged.iter().map(|(hub, at)| format!("{} {}", Clock::exercise(*at), place(record, *hub).0));
        let history =
            one.history.iter().map(|(at, who, what)| format!("{} {} {what}", Clock::exercise(*at), place(record, *who).0));
        sheet.row(&[
            one.label.clone(),
            one.id.clone(),
            site,
            name,
            record.sites.get(one.site).map(|site| site.region.clone()).unwrap_or_default(),
            Clock::exercise(one.at),
            clock.date(one.at),
            seconds(one.at),
            one.lines.join("; "),
            one.priority.clone(),
            acknowledged.collect::<Vec<_>>().join("; "),
            history.collect::<Vec<_>>().join("; "),
            one.known.0.to_string(),
            one.known.1.to_string(),
            one.state.clone(),
        ]);
    }
    sheet.text
}

fn conflicts(record: &Record) -> String {
    let mut sheet = Sheet::of(record, column::CONFLICTS);
    for one in &record.conflicts {
        let goods = one.goods.iter().map(|(supplier, goods)| format!("{} {goods}", place(record, *supplier).0));
        let proposals = one.proposals.iter().map(|proposal| {
            let ProposalRecord { by, what, of, goods, to } = proposal;
            let more = goods.iter().chain(to).map(|more| format!(" {more}"));
            format!("{} {what} {of}{}", place(record, *by).0, more.collect::<String>())
        });
        sheet.row(&[
            one.name.clone(),
            one.kind.clone(),
            one.about.clone(),
            place(record, one.consignee).0,
            goods.collect::<Vec<_>>().join("; "),
            proposals.collect::<Vec<_>>().join("; "),
            Clock::exercise(one.first.0),
            place(record, one.first.1).0,
            time(one.by_all),
            time(one.settled),
        ]);
    }
    sheet.text
}

fn knowledge(record: &Record) -> String {
    let mut sheet = Sheet::of(record, column::KNOWLEDGE);
    let regions = record.knowledge.iter().map(|one| (one, ""));
    let media = record.by_medium.iter().map(|one| (one, one.of.as_str()));
    for (one, medium) in regions.chain(media) {
        let ms = |us: u64| (us / 1_000).to_string();
        let region = if medium.is_empty() { one.of.clone() } else { String::new() };
        let mut cells = vec![region, medium.to_owned(), one.deliveries.to_string(), ms(one.p50), ms(one.p95), ms(one.slowest)];
        cells.extend(one.never.map(|never| never.to_string()));
        sheet.row(&cells);
    }
    sheet.text
}

fn invariants(record: &Record) -> String {
    let mut sheet = Sheet::of(record, column::INVARIANTS);
    for one in &record.invariants {
        let (at, site, seen) = one.first.clone().map_or((None, None, String::new()), |(at, site, seen)| (Some(at), site, seen));
        let site = site.map(|index| place(record, index).0).unwrap_or_default();
        sheet.row(&[one.id.clone(), one.text.clone(), one.checked.to_string(), one.violations.to_string(), time(at), site, seen]);
    }
    sheet.text
}

fn timeline(record: &Record) -> String {
    let clock = Clock::of(&record.exercise);
    let mut sheet = Sheet::of(record, column::TIMELINE);
    for one in &record.timeline {
        let (site, name) = one.site.map(|index| place(record, index)).unwrap_or_default();
        let (at, local) = (Clock::exercise(one.at), clock.date(one.at));
        sheet.row(&[at, local, seconds(one.at), one.kind.clone(), site, name, one.what.to_string()]);
    }
    sheet.text
}
