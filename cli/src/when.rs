//! Times as people type them: `2026-11-23T14:05:00+08:00`, `2026-11-23`, `14:05`, `20m`. Read once here; the daemon gets milliseconds.

use std::time::Duration;

use holdfast_proto::time::UtcMillis;
use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, ToSpan, Zoned};

use crate::failure::{Failure, words};

/// Which way a bare `14:05` or `20m` points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It was so then: `14:05` is the last one, `20m` is ago.
    Past,
    /// By then: `14:05` is the next one, `6h` is from now.
    Future,
}

/// Reads a point in time.
///
/// # Errors
/// A usage failure that shows the forms.
pub(crate) fn moment(text: &str, way: Way, now: &Zoned) -> Result<UtcMillis, Failure> {
    let text = text.trim();
    let found = absolute(text, now).or_else(|| clock(text, way, now)).or_else(|| relative(text, way, now));
    let found = found.or_else(|| date(text, way, now));
    let near = |at: &Timestamp| at.duration_since(now.timestamp()).abs() <= FAR;
    found.filter(near).map(|at| UtcMillis(at.as_millisecond())).filter(|at| at.is_known()).ok_or_else(|| {
        let (en, zh) = match way {
            Way::Past => ("20m (ago), 14:05, \"2026-11-23 14:05\"", "20m（20 分鐘前）、14:05、\"2026-11-23 14:05\""),
            Way::Future => (
                "6h (from now), 14:05, 2026-11-24 (by the end of that day), \"2026-11-24 14:05\"",
                "6h（6 小時後）、14:05、2026-11-24（當天結束前）、\"2026-11-24 14:05\"",
            ),
        };
        Failure::usage(
            "H-821",
            if found.is_some() || is_far(text) {
                words(format!("\"{text}\" lies too far away: more than ten years."), format!("「{text}」太遠了：超過十年。"))
            } else if way == Way::Past && text.len() == 10 && text.parse::<Date>().is_ok() {
                words(
                    format!("\"{text}\" is a whole day; when it was so needs a time of day too."),
                    format!("「{text}」是一整天；當時的時間還需要幾點幾分。"),
                )
            } else {
                words(format!("\"{text}\" is no time."), format!("「{text}」不是時間。"))
            },
            words(format!("Write {en}, or 2026-11-24T14:05:00+08:00."), format!("請寫成 {zh}，或 2026-11-24T14:05:00+08:00。")),
        )
    })
}

/// Reads a length of time such as `30s`, `20m`, `6h`, `1d`, `1h30m`.
///
/// # Errors
/// A usage failure that shows the form.
pub(crate) fn length(text: &str) -> Result<Duration, Failure> {
    span(text).and_then(|length| Duration::try_from(length).ok()).ok_or_else(|| {
        Failure::usage(
            "H-822",
            words(format!("\"{text}\" is no length of time."), format!("「{text}」不是時間長度。")),
            words("Write it as 30s, 20m, 6h or 1d.", "請寫成 30s、20m、6h 或 1d。"),
        )
    })
}

/// A whole date and time; without an offset it is local.
fn absolute(text: &str, now: &Zoned) -> Option<Timestamp> {
    if !text.contains('-') || !text.contains(':') {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let local: DateTime = text.parse().ok()?;
    Some(local.to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// `2026-11-24`: by the end of that day. Of what was so, a day alone says too little: ages would be wrong by hours.
fn date(text: &str, way: Way, now: &Zoned) -> Option<Timestamp> {
    let day: Date = text.parse().ok().filter(|_| way == Way::Future && text.len() == 10)?;
    Some(day.at(23, 59, 0, 0).to_zoned(now.time_zone().clone()).ok()?.timestamp())
}

/// `14:05`: the last one or the next one.
fn clock(text: &str, way: Way, now: &Zoned) -> Option<Timestamp> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.is_empty() || hours.len() > 2 || minutes.len() != 2 {
        return None;
    }
    let time = Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()?;
    let today = now.date().to_datetime(time).to_zoned(now.time_zone().clone()).ok()?;
    let day = match way {
        Way::Past if today > *now => today.checked_sub(1.day()).ok()?,
        Way::Future if today < *now => today.checked_add(1.day()).ok()?,
        Way::Past | Way::Future => today,
    };
    Some(day.timestamp())
}

/// `20m`, ago or from now.
fn relative(text: &str, way: Way, now: &Zoned) -> Option<Timestamp> {
    let length = span(text)?;
    match way {
        Way::Past => now.timestamp().checked_sub(length).ok(),
        Way::Future => now.timestamp().checked_add(length).ok(),
    }
}

/// Further away nothing is meant.
const FAR: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// A time that can be read, but lies beyond what a calendar here holds.
fn is_far(text: &str) -> bool {
    let length = any_span(text).is_some_and(|length| length > FAR);
    length || text.parse::<Date>().is_ok_and(|day| day.year() >= 9_999)
}

/// A positive length of at most ten years; months are not taken, `m` means minutes.
fn span(text: &str) -> Option<SignedDuration> {
    any_span(text).filter(|length| *length <= FAR)
}

fn any_span(text: &str) -> Option<SignedDuration> {
    let text = text.trim();
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (length >= SignedDuration::ZERO).then_some(length)
}

/// RFC 3339 with the local offset, to the second; what a person and a script can both read.
pub(crate) fn rfc3339(at: UtcMillis) -> Option<String> {
    let stamp = Timestamp::from_millisecond(at.0).ok()?;
    let zoned = stamp.to_zoned(jiff::tz::TimeZone::system());
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// `2026-11-23 14:05`, in the local zone.
pub(crate) fn full(at: UtcMillis, now: &Zoned) -> String {
    let Ok(stamp) = Timestamp::from_millisecond(at.0) else { return "?".to_owned() };
    stamp.to_zoned(now.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `14:05` today, `11-23 14:05` this year, else `2025-11-23 14:05`, in the local zone.
pub(crate) fn short(at: UtcMillis, now: &Zoned) -> String {
    let Ok(stamp) = Timestamp::from_millisecond(at.0) else { return "?".to_owned() };
    let zoned = stamp.to_zoned(now.time_zone().clone());
    if zoned.year() != now.year() {
        return full(at, now);
    }
    let form = if zoned.date() == now.date() { "%H:%M" } else { "%m-%d %H:%M" };
    zoned.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    fn now() -> Zoned {
        "2026-11-23T10:00:00+08:00[Asia/Taipei]".parse().unwrap()
    }

    fn check(text: &str, way: Way, expect: &str) {
        let expect: Timestamp = expect.parse().unwrap();
        assert_eq!(moment(text, way, &now()).unwrap().0, expect.as_millisecond(), "{text}");
    }

    #[test]
    fn the_forms_of_a_time_are_read() {
        check("2026-11-23T01:30:00Z", Way::Past, "2026-11-23T01:30:00Z");
        check("2026-11-23 09:30", Way::Past, "2026-11-23T01:30:00Z");
        check("09:30", Way::Past, "2026-11-23T01:30:00Z");
        check("20m", Way::Past, "2026-11-23T01:40:00Z");
        check("6h", Way::Future, "2026-11-23T08:00:00Z");
        check("1d", Way::Future, "2026-11-24T02:00:00Z");
        check("1h30m", Way::Future, "2026-11-23T03:30:00Z");
        check("2026-11-24 14:05", Way::Future, "2026-11-24T06:05:00Z");
        check("2026-11-24", Way::Future, "2026-11-24T15:59:00Z");
    }

    #[test]
    fn a_clock_time_points_to_the_last_or_the_next_one() {
        check("14:05", Way::Past, "2026-11-22T06:05:00Z");
        check("14:05", Way::Future, "2026-11-23T06:05:00Z");
        check("9:05", Way::Future, "2026-11-24T01:05:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_as_wrong_usage() {
        for text in [
            "",
            "soon",
            "25:00",
            "14:5",
            "-20m",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "99999d",
            "3 months",
            "20",
            "2026-11-22",
        ] {
            let failure = moment(text, Way::Past, &now()).unwrap_err();
            assert_eq!(failure.exit().code(), 2, "{text}");
        }
        for text in ["-3h", "2026-11-31", "20261124", "11-24"] {
            let said = moment(text, Way::Future, &now()).unwrap_err().lines(Lang::En).concat();
            for form in ["6h", "14:05", "2026-11-24 (by the end of that day)", "\"2026-11-24 14:05\"", "T14:05:00+08:00"] {
                assert!(said.contains(form), "{text}: {form}: {said}");
            }
        }
    }

    #[test]
    fn a_time_that_is_one_is_told_what_is_wrong_with_it() {
        for (text, way, part) in [
            ("9999-12-31", Way::Future, "too far away"),
            ("2126-01-01", Way::Future, "too far away"),
            ("10000d", Way::Past, "too far away"),
            ("1999-01-01 10:00", Way::Past, "too far away"),
            ("2026-11-22", Way::Past, "needs a time of day too"),
            ("soon", Way::Past, "is no time"),
        ] {
            let failure = moment(text, way, &now()).unwrap_err();
            assert!(failure.lines(Lang::En)[0].contains(part) && failure.code() == "H-821", "{text}: {failure}");
        }
    }

    #[test]
    fn a_time_is_told_as_short_as_it_stays_clear() {
        let check = |text: &str, expect: &str| {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!(short(UtcMillis(at.as_millisecond()), &now()), expect);
        };
        check("2026-11-23T01:30:00Z", "09:30");
        check("2026-11-22T01:30:00Z", "11-22 09:30");
        check("2025-11-22T01:30:00Z", "2025-11-22 09:30");
    }

    #[test]
    fn lengths_are_read_and_nonsense_is_refused() {
        assert_eq!(length("30s").unwrap(), Duration::from_secs(30));
        assert_eq!(length("1h30m").unwrap(), Duration::from_secs(5_400));
        assert!(length("-3s").is_err());
        assert!(length("fast").is_err());
    }
}
