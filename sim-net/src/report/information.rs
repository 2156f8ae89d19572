//! Part 5: how long words took, per region, and who never got them.

use super::checks::medium_name;
use super::findings::never;
use super::html::{Column, Row, Text, label, number, paragraph, push, table, words as column};
use super::show::{count, length, span};
use super::words;
use crate::record::{Knowledge, Record};
use holdfast_proto::identity::Region;

/// A region in both languages; a code that is none is shown as it is.
pub(super) fn region(code: &str) -> Text {
    if code.is_empty() {
        return words::EVERYWHERE.into();
    }
    Region::from_code(code).map_or_else(|| Text::from(code), |region| words::Words { zh: region.zh(), en: region.en() }.into())
}

/// The part.
pub(super) fn information(record: &Record) -> String {
    let known = &record.knowledge;
    let mut out = paragraph("note", &words::INFORMATION_NOTE.into());
    let everywhere = known.iter().find(|one| one.of.is_empty());
    let drawable = |one: &&Knowledge| !one.curve.is_empty();
    if known.iter().any(|one| drawable(&one)) {
        let axis = Axis::of(known);
        out.push_str("<div class=plots>\n");
        for one in known.iter().filter(drawable) {
            out.push_str(&plot(&axis, one, everywhere.filter(|all| all.of != one.of)));
        }
        out.push_str("</div>\n");
        out.push_str(&paragraph("note", &words::CURVE_THIS.into()));
    }
    let rows: Vec<Row> = known.iter().map(row).collect();
    let columns: [Column; 8] = [
        column(words::REGION),
        number(words::DELIVERIES),
        number(words::HALF),
        number(words::P95),
        number(words::SLOWEST),
        number(words::NEVER_OFF),
        number(words::NEVER_CUT),
        number(words::NEVER_WAY),
    ];
    out.push_str(&table(&columns, &rows, words::NO_KNOWLEDGE));
    if !record.by_medium.is_empty() {
        out.push_str(&by_medium(&record.by_medium));
    }
    out
}

/// The same words by what brought them.
fn by_medium(media: &[Knowledge]) -> String {
    let columns =
        [column(words::MEDIUM), number(words::DELIVERIES), number(words::HALF), number(words::P95), number(words::SLOWEST)];
    let row = |one: &Knowledge| {
        Row::from(vec![medium_name(&one.of), count(one.deliveries), length(one.p50), length(one.p95), length(one.slowest)])
    };
    let rows: Vec<Row> = media.iter().map(row).collect();
    paragraph("note", &words::BY_MEDIUM.into()) + &table(&columns, &rows, words::NO_KNOWLEDGE)
}

fn row(one: &Knowledge) -> Row {
    let took = |us| if one.deliveries == 0 { Text::none() } else { length(us) };
    let mut cells = vec![region(&one.of), count(one.deliveries), took(one.p50), took(one.p95), took(one.slowest)];
    cells.extend(one.never.map(count));
    Row { attention: never(&one.never) > 0 && !one.of.is_empty(), cells }
}

/// Marks of the time axis, microseconds.
const MARKS: [u64; 10] =
    [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 60_000_000, 600_000_000, 3_600_000_000, 21_600_000_000, 172_800_000_000];

/// A time axis in steps of doubling.
struct Axis {
    from: u64,
    to: u64,
}

/// The frame of one plot, in units of the drawing.
const LEFT: i64 = 34;
const WIDTH: i64 = 270;
const TOP: i64 = 30;
const HEIGHT: i64 = 110;

impl Axis {
    fn of(all: &[Knowledge]) -> Self {
        let times = || all.iter().flat_map(|one| one.curve.iter().map(|(took, _)| *took));
        let (least, most) = (times().min().unwrap_or(1), times().max().unwrap_or(1));
        let from = MARKS.iter().rev().find(|mark| **mark <= least).copied().unwrap_or(MARKS[0]);
        let to = MARKS.iter().find(|mark| **mark >= most && **mark > from).copied().unwrap_or(most.max(from + 1));
        Self { from, to }
    }

    fn x(&self, us: u64) -> i64 {
        let (from, to) = (doublings(self.from), doublings(self.to));
        let at = doublings(us.clamp(self.from, self.to));
        LEFT + (at - from) * WIDTH / (to - from).max(1)
    }
}

/// How often 1 is doubled to get there, in 1,024ths; straight in between.
fn doublings(number: u64) -> i64 {
    let number = number.max(1);
    let whole = number.ilog2();
    let rest = u128::from(number - (1 << whole)) * 1_024 / (1_u128 << whole);
    i64::from(whole) * 1_024 + i64::try_from(rest).unwrap_or(0)
}

/// Where a share of all words is drawn.
fn y(part: u64, of: u64) -> i64 {
    TOP + HEIGHT - i64::try_from(u128::from(part) * HEIGHT.unsigned_abs() as u128 / u128::from(of.max(1))).unwrap_or(0)
}

fn plot(axis: &Axis, one: &Knowledge, all: Option<&Knowledge>) -> String {
    let mut out = format!("<svg viewBox=\"0 0 320 170\" role=img>{}\n", label(LEFT, 16, "head", &region(&one.of)));
    for percent in [0, 50, 100] {
        let at = y(percent, 100);
        push(&mut out, format_args!("<path class=grid d=\"M{LEFT} {at}h{WIDTH}\"/>"));
        out.push_str(&label(LEFT - 5, at + 4, "end", &Text::markup(percent.to_string())));
    }
    let mut free = 0;
    for mark in MARKS.iter().filter(|mark| (axis.from..=axis.to).contains(*mark)) {
        let x = axis.x(*mark);
        push(&mut out, format_args!("<path class=grid d=\"M{x} {TOP}v{HEIGHT}\"/>"));
        if x >= free {
            out.push_str(&label(x, TOP + HEIGHT + 16, "mid", &Text::markup(span(*mark))));
            free = x + 44;
        }
    }
    out.push('\n');
    if let Some(all) = all {
        curve(&mut out, axis, all, "curve all");
    }
    curve(&mut out, axis, one, "curve");
    let of = one.deliveries.saturating_add(never(&one.never));
    if one.deliveries > 0 {
        push(&mut out, format_args!("<circle cx={} cy={} r=4 />", axis.x(one.p50), y(one.deliveries / 2, of)));
        let p95 = u64::try_from(u128::from(one.deliveries) * 95 / 100).unwrap_or(0);
        push(&mut out, format_args!("<rect x={} y={} width=7 height=7 />\n", axis.x(one.p95) - 3, y(p95, of) - 3));
    }
    if never(&one.never) > 0 {
        let name = Text::from(words::NEVER).then(&Text::markup(" ")).then(&count(never(&one.never)));
        out.push_str(&label(LEFT + WIDTH, 16, "end bad", &name));
    }
    out.push_str("</svg>\n");
    out
}

/// Steps: so many had it by then.
fn curve(out: &mut String, axis: &Axis, one: &Knowledge, class: &str) {
    let of = one.deliveries.saturating_add(never(&one.never));
    push(out, format_args!("<path class=\"{class}\" d=\"M{LEFT} {}", y(0, of)));
    for (took, had) in &one.curve {
        push(out, format_args!("H{}V{}", axis.x(*took), y(*had, of)));
    }
    push(out, format_args!("H{}\"/>\n", LEFT + WIDTH));
}
