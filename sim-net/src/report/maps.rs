//! Part 7: who could reach whom at turning points. Dots of one path per group, so that thousands of sites stay small.

use std::fmt::Write as _;

use super::html::{Text, label, paragraph, push};
use super::information::region;
use super::show::{Clock, count};
use super::words::{self, Words};
use crate::record::{Place, Record, TurningPoint};

/// The outline of a county by its code: rings of (north, east) in millionths of a degree. Empty: not known.
pub type Outline<'a> = &'a dyn Fn(&str) -> Vec<Vec<(i32, i32)>>;

/// Maps on the page.
const MAPS: usize = 8;
/// Names of sites under a map, per group.
const NAMES: usize = 8;
/// Width of the sign of a site where there are dozens of them.
const LARGE: i64 = 16;
/// Width of a map in its own units.
const WIDTH: i64 = 1_000;

/// The part.
pub(super) fn maps(record: &Record, outline: Outline<'_>) -> String {
    if record.turning_points.is_empty() || record.sites.is_empty() {
        return paragraph("none", &words::NO_MAP.into());
    }
    let shown = chosen(&record.turning_points);
    let mut out = paragraph("note", &words::MAP_NOTE.into());
    if shown.len() < record.turning_points.len() {
        out.push_str(&paragraph("note", &words::MAP_LIMIT.with(&[count(shown.len()), count(record.turning_points.len())])));
    }
    let ground = Ground::of(&record.sites);
    let land = land(record, &ground, outline);
    push(&mut out, format_args!("<svg class=defs><defs><path id=land d=\"{land}\"/></defs></svg>\n<div class=maps>\n"));
    let clock = Clock::of(&record.exercise);
    for point in shown {
        let open = words::MAP_OPEN.with(&[count(point.running), count(record.sites.len()), count(point.requests_open)]);
        push(
            &mut out,
            format_args!("<figure><h3>{} {}</h3><p class=note>{open}</p>\n", clock.inline(point.at), Text::from(&point.what)),
        );
        out.push_str(&map(record, &ground, point));
        out.push_str("</figure>\n");
    }
    out.push_str("</div>\n");
    if !land.is_empty() {
        out.push_str(&paragraph("note", &words::MAP_SOURCE.into()));
    }
    out
}

/// Those at which most sites changed, and the last; by time.
fn chosen(all: &[TurningPoint]) -> Vec<&TurningPoint> {
    let changed = |place: usize| {
        let before = place.checked_sub(1).and_then(|before| all.get(before));
        let after = all.get(place);
        match (before, after) {
            (Some(before), Some(after)) => before.islands.iter().zip(&after.islands).filter(|(a, b)| a != b).count(),
            _ => usize::MAX,
        }
    };
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by_key(|place| (*place + 1 != all.len(), std::cmp::Reverse(changed(*place)), *place));
    places.truncate(MAPS);
    places.sort_unstable();
    places.iter().filter_map(|place| all.get(*place)).collect()
}

/// From degrees to the units of a map: a flat one, true at its middle.
struct Ground {
    west: i64,
    north: i64,
    /// Shrinks a degree of longitude, thousandths.
    narrow: i64,
    /// Millionths of a degree of latitude across the map.
    across: i64,
    height: i64,
}

impl Ground {
    fn of(sites: &[Place]) -> Self {
        let lat = || sites.iter().map(|site| i64::from(site.at.0));
        let lon = || sites.iter().map(|site| i64::from(site.at.1));
        let (south, north) = (lat().min().unwrap_or(0), lat().max().unwrap_or(0));
        let (west, east) = (lon().min().unwrap_or(0), lon().max().unwrap_or(0));
        let narrow = cosine(i64::midpoint(south, north));
        let (tall, wide) = (north - south, (east - west) * narrow / 1_000);
        // A twelfth of room on each side; neither side below two thirds of the other, nor below a village.
        let tall_side = tall.max(wide * 2 / 3).max(20_000) * 7 / 6;
        let wide_side = wide.max(tall * 2 / 3).max(20_000) * 7 / 6;
        Self {
            west: i64::midpoint(west, east) - wide_side * 500 / narrow.max(1),
            north: i64::midpoint(south, north) + tall_side / 2,
            narrow,
            across: wide_side,
            height: tall_side * WIDTH / wide_side,
        }
    }

    fn xy(&self, (lat, lon): (i32, i32)) -> (i64, i64) {
        let x = (i64::from(lon) - self.west) * self.narrow / 1_000 * WIDTH / self.across;
        (x, (self.north - i64::from(lat)) * WIDTH / self.across)
    }
}

/// Cosine of a latitude in millionths of a degree, thousandths: Bhaskara's fraction, within 0.2 %.
fn cosine(lat: i64) -> i64 {
    let hundredths = lat / 10_000;
    let square = hundredths * hundredths;
    (324_000_000 - 4 * square) * 1_000 / (324_000_000 + square)
}

/// Outlines of the counties that sites stand in, as one path.
fn land(record: &Record, ground: &Ground, outline: Outline<'_>) -> String {
    let mut regions: Vec<&str> = record.sites.iter().map(|site| site.region.as_str()).collect();
    regions.sort_unstable();
    regions.dedup();
    let mut out = String::new();
    for ring in regions.iter().flat_map(|code| outline(code)) {
        let mut last = None;
        for point in ring {
            let (x, y) = ground.xy(point);
            if last != Some((x, y)) {
                let _ = write!(out, "{}{x} {y}", if last.is_none() { 'M' } else { 'L' });
            }
            last = Some((x, y));
        }
        if last.is_some() {
            out.push('Z');
        }
    }
    out
}

/// Groups of sites: class and word. The first is for those that are off.
const GROUPS: [(&str, Words); 5] = [
    ("g0", words::ISLAND_OFF),
    ("g1", words::ISLAND_1),
    ("g2", words::ISLAND_2),
    ("g3", words::ISLAND_3),
    ("g4", words::ISLAND_REST),
];

/// The sign of a group so many units high and wide: cross, dot, square, ring, plus. The dot is as wide as its stroke.
fn sign(group: usize, wide: i64) -> String {
    let half = wide / 2;
    match group {
        0 => format!("m-{half} -{half}l{wide} {wide}m-{wide} 0l{wide} -{wide}"),
        1 => "h0".to_owned(),
        2 => format!("m-{half} -{half}h{wide}v{wide}h-{wide}z"),
        3 => format!("m-{half} 0a{half} {half} 0 1 0 {wide} 0a{half} {half} 0 1 0 -{wide} 0"),
        _ => format!("m-{half} 0h{wide}m-{half} -{half}v{wide}"),
    }
}

fn map(record: &Record, ground: &Ground, point: &TurningPoint) -> String {
    // Signs shrink with the number of sites: full size for dozens, a third for thousands.
    let (size, wide) = match record.sites.len() {
        0..=80 => ("large", LARGE),
        81..=800 => ("middle", LARGE / 2),
        _ => ("small", LARGE / 3),
    };
    let mut out = format!(
        "<svg class=\"map {size}\" viewBox=\"0 0 {WIDTH} {}\" role=img><use href=\"#land\" class=land />\n",
        ground.height
    );
    for ((x, y), code) in names(record, ground) {
        out.push_str(&label(x, y, "place", &region(code)));
    }
    let in_group = |group: usize| {
        let of = record.sites.iter().zip(&point.islands);
        of.filter(move |(_, island)| usize::from(**island).min(GROUPS.len() - 1) == group).map(|(site, _)| site)
    };
    let mut legend = String::from("<ul class=legend>\n");
    for (group, (class, word)) in GROUPS.iter().enumerate() {
        let mut members = in_group(group).peekable();
        if members.peek().is_none() {
            continue;
        }
        let (mut path, strokes) = (String::new(), sign(group, wide));
        for site in members {
            let (x, y) = ground.xy(site.at);
            let _ = write!(path, "M{x} {y}{strokes}");
        }
        push(&mut out, format_args!("<path class={class} d=\"{path}\"/>\n"));
        let sites: Vec<&Place> = in_group(group).collect();
        let key = format!(
            "<svg class=\"map large\" viewBox=\"0 0 28 28\"><path class={class} d=\"M14 14{}\"/></svg>",
            sign(group, LARGE)
        );
        let mut entry = Text::from(*word).then(&Text::markup(" ")).then(&count(sites.len()).inside("b", ""));
        // The largest group is everybody else.
        if group != 1 {
            let names = sites.iter().take(NAMES).map(|site| Text::from(site.id.as_str()));
            entry = entry.then(&words::COLON.into()).then(&Text::join(names, &words::COMMA.into()));
            if sites.len() > NAMES {
                entry = entry.then(&Text::markup(" ")).then(&words::AND_MORE.with(&[count(sites.len() - NAMES)]));
            }
        }
        push(&mut legend, format_args!("<li>{key}{entry}</li>\n"));
    }
    out.push_str("</svg>\n");
    out + &legend + "</ul>\n"
}

/// Where the name of each region stands: above its sites.
fn names<'a>(record: &'a Record, ground: &Ground) -> Vec<((i64, i64), &'a str)> {
    let mut regions: Vec<(&str, i64, i64, i64)> = Vec::new();
    for site in &record.sites {
        let (x, y) = ground.xy(site.at);
        match regions.iter_mut().find(|(code, ..)| *code == site.region) {
            Some((_, west, east, top)) => (*west, *east, *top) = (x.min(*west), x.max(*east), y.min(*top)),
            None => regions.push((&site.region, x, x, y)),
        }
    }
    regions.into_iter().map(|(code, west, east, top)| ((i64::midpoint(west, east), top - LARGE), code)).collect()
}
