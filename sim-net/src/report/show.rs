//! Numbers and times as people read them. Integers only.

use super::html::Text;
use super::words::unit;
use crate::record::{Record, Title};

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY_S: i64 = 86_400;

/// Exercise time and the clock on the wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Seconds since 1970 on the clock on the wall at STARTEX.
    start: i64,
    /// Milliseconds beyond them.
    start_ms: i64,
    /// Seconds east of UTC.
    offset: i64,
}

impl Clock {
    /// That of an exercise.
    pub(super) fn of(title: &Title) -> Self {
        let offset = i64::from(title.offset_s);
        Self {
            start: title.startex_ms.div_euclid(1_000).saturating_add(offset),
            start_ms: title.startex_ms.rem_euclid(1_000),
            offset,
        }
    }

    /// `H+01:10`, with seconds where there are any.
    pub(super) fn exercise(at: u64) -> String {
        let seconds = at / SECOND;
        let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let tail = if s == 0 { String::new() } else { format!(":{s:02}") };
        format!("{}{h:02}:{m:02}{tail}", unit::EXERCISE_TIME)
    }

    /// Seconds since 1970 on the wall.
    fn wall_s(self, at: u64) -> i64 {
        let beyond = self.start_ms.saturating_add(i64::try_from(at / 1_000).unwrap_or(i64::MAX)) / 1_000;
        self.start.saturating_add(beyond)
    }

    /// `09:10`, with seconds where exercise time has them, and `+1` on the next day.
    pub(super) fn wall(self, at: u64) -> String {
        let wall = self.wall_s(at);
        let of_day = wall.rem_euclid(DAY_S);
        let tail = if (at / SECOND).is_multiple_of(60) { String::new() } else { format!(":{:02}", of_day % 60) };
        let days = wall.div_euclid(DAY_S).saturating_sub(self.start.div_euclid(DAY_S));
        let later = if days == 0 { String::new() } else { format!(" +{days}") };
        format!("{:02}:{:02}{tail}{later}", of_day / 3_600, of_day / 60 % 60)
    }

    /// `2027-02-03 08:00:00`, as spreadsheets read it.
    pub(super) fn date(self, at: u64) -> String {
        let wall = self.wall_s(at);
        let (year, month, day) = civil(wall.div_euclid(DAY_S));
        let of_day = wall.rem_euclid(DAY_S);
        format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60)
    }

    /// `+08:00`.
    pub(super) fn zone(self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// Both times, one below the other.
    pub(super) fn both(self, at: u64) -> Text {
        Text::markup(format!("<span class=t>{}<small>{}</small></span>", Self::exercise(at), self.wall(at)))
    }

    /// Both times or nothing.
    pub(super) fn maybe(self, at: Option<u64>) -> Text {
        at.map_or_else(Text::none, |at| self.both(at))
    }

    /// `H+01:10 (09:10)` in a sentence.
    pub(super) fn inline(self, at: u64) -> Text {
        Text::markup(format!("<span class=k>{} ({})</span>", Self::exercise(at), self.wall(at)))
    }
}

/// The day of the Gregorian calendar so many days after 1970-01-01: eras of 400 years that start in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let calendar = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(calendar <= 2), calendar, of_month)
}

/// A length of time: `340 ms`, `4.2 s`, `2 min 05 s`, `3 h 10 min`, `2 d 4 h`.
pub(super) fn span(us: u64) -> String {
    use unit::{D, H, MIN, MS, S, US};
    let (seconds, minutes, hours) = (us / SECOND, us / MINUTE, us / HOUR);
    match us {
        0 => format!("0 {S}"),
        1..1_000 => format!("{us} {US}"),
        1_000..SECOND => format!("{} {MS}", us / 1_000),
        _ if seconds < 10 => format!("{seconds}.{} {S}", us / 100_000 % 10),
        _ if seconds < 60 => format!("{seconds} {S}"),
        _ if minutes < 60 && seconds % 60 == 0 => format!("{minutes} {MIN}"),
        _ if minutes < 60 => format!("{minutes} {MIN} {:02} {S}", seconds % 60),
        _ if hours < 48 && minutes % 60 == 0 => format!("{hours} {H}"),
        _ if hours < 48 => format!("{hours} {H} {:02} {MIN}", minutes % 60),
        _ => format!("{} {D} {} {H}", hours / 24, hours % 24),
    }
}

/// A length of time that is not broken over lines.
pub(super) fn length(us: u64) -> Text {
    Text::markup(format!("<span class=k>{}</span>", span(us)))
}

/// `5,668`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number.
pub(super) fn count(number: impl TryInto<u64>) -> Text {
    Text::markup(grouped(number.try_into().unwrap_or(u64::MAX)))
}

/// `18 kB`, `1.2 MB`: steps of 1,000.
pub(super) fn bytes(bytes: u64) -> Text {
    let mut scaled = bytes.saturating_mul(10);
    let mut units = unit::BYTES.iter();
    let mut name = units.next();
    while scaled >= 10_000
        && let Some(next) = units.next()
    {
        scaled /= 1_000;
        name = Some(next);
    }
    let tenth = if scaled < 100 && bytes >= 1_000 { format!(".{}", scaled % 10) } else { String::new() };
    Text::markup(format!("{}{tenth} {}", grouped(scaled / 10), name.copied().unwrap_or_default()))
}

/// Parts per million as `12.3 %`.
pub(super) fn share(ppm: u32) -> Text {
    Text::markup(format!("{}.{} {}", ppm / 10_000, ppm / 1_000 % 10, unit::PERCENT))
}

/// A site as people name it, with its id.
pub(super) fn site(record: &Record, index: usize) -> Text {
    match record.sites.get(index) {
        Some(place) if place.name.is_empty() => Text::from(place.id.as_str()),
        // Drawn names end with it.
        Some(place) if place.name.split(' ').next_back() == Some(&place.id) => Text::from(place.name.as_str()),
        Some(place) => {
            Text::from(place.name.as_str()).then(&Text::markup(" ")).then(&Text::from(place.id.as_str()).inside("small", ""))
        }
        None => Text::none(),
    }
}
