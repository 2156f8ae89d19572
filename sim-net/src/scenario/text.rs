//! Times, lengths, rates and shares as people write them, read into integers and shown again. What is shown reads back the same.

use super::problem::{Wrong, quoted};
use super::{Micros, Ppm};
use crate::site::clock::WRONG_MAX_MS;

/// One second.
pub(super) const SECOND: Micros = 1_000_000;
/// One minute.
pub(super) const MINUTE: Micros = 60 * SECOND;
/// One hour.
pub(super) const HOUR: Micros = 60 * MINUTE;
/// One day.
pub(super) const DAY: Micros = 24 * HOUR;

/// Units of lengths of time, largest first.
const UNITS: [(&str, Micros); 6] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1_000), ("us", 1)];

/// A decimal number as `digits * 10^-places`, never a float. Exactly that many places or fewer must have been written.
fn decimal(text: &str, places: u32) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    let width = usize::try_from(places).ok()?;
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > width || text.ends_with('.') {
        return None;
    }
    let scale = 10_u128.checked_pow(places)?;
    let padded = format!("{part:0<width$}");
    let fraction: u128 = if padded.is_empty() { 0 } else { padded.parse().ok()? };
    whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(fraction)
}

/// `digits * 10^-places` without trailing zeros.
fn show_decimal(value: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    let (whole, part) = (value / scale, value % scale);
    if part == 0 {
        return whole.to_string();
    }
    let width = usize::try_from(places).unwrap_or(0);
    format!("{whole}.{}", format!("{part:0width$}").trim_end_matches('0'))
}

/// A length of time: `18ms`, `3h`, `90s`, `2d`, `1h30m`, `1.5h`, `0`.
pub(super) fn duration(text: &str) -> Result<Micros, Wrong> {
    let wrong =
        || Wrong::new(format!("{} is no length of time.", quoted(text)), "Write such as 18ms, 90s, 20m, 3h, 2d or 1h30m.");
    lengths(text.trim()).ok_or_else(wrong)
}

fn lengths(text: &str) -> Option<Micros> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut sum, mut largest) = (text, 0_u64, usize::MAX);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let stop = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(stop)?;
        let place = UNITS.iter().position(|(name, _)| *name == unit)?;
        // Each unit once, largest first: `30m1h` is a slip.
        if largest != usize::MAX && place <= largest {
            return None;
        }
        largest = place;
        let micros = UNITS.get(place)?.1;
        // Six places of the unit; finer than a microsecond can't be.
        let scaled = decimal(number, 6)?.checked_mul(u128::from(micros))?;
        if !scaled.is_multiple_of(1_000_000) {
            return None;
        }
        sum = sum.checked_add(u64::try_from(scaled / 1_000_000).ok()?)?;
        rest = tail.trim_start();
    }
    (largest != usize::MAX).then_some(sum)
}

/// As [`duration`] reads it: `1d2h`, `0s`.
#[must_use]
pub fn show_duration(mut value: Micros) -> String {
    if value == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, micros) in UNITS {
        if value >= micros {
            out.push_str(&format!("{}{name}", value / micros));
            value %= micros;
        }
    }
    out
}

/// Exercise time: `00:20`, `05:00:30`, `1d 02:00`; also a length of time after STARTEX.
pub(super) fn time(text: &str) -> Result<Micros, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{} is no exercise time.", quoted(text)),
            "Write hours and minutes after STARTEX, such as 00:20, 05:00:30 or 1d 02:00.",
        )
    };
    clock(text.trim()).or_else(|| lengths(text.trim())).ok_or_else(wrong)
}

fn clock(text: &str) -> Option<Micros> {
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) => (number(days.trim())?, rest.trim_start()),
        None => (0, text),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, *seconds),
        _ => return None,
    };
    // After days the hours are those of a day; without days `36:00` is fine.
    let (hours, minutes, micros) = (number(hours)?, number(minutes)?, u64::try_from(decimal(seconds, 6)?).ok()?);
    if minutes >= 60 || micros >= MINUTE || (text.contains('d') && hours >= 24) {
        return None;
    }
    let day = days.checked_mul(DAY)?;
    day.checked_add(hours.checked_mul(HOUR)?)?.checked_add(minutes * MINUTE)?.checked_add(micros)
}

fn number(text: &str) -> Option<u64> {
    decimal(text, 0).and_then(|value| u64::try_from(value).ok())
}

/// As [`time`] reads it: `00:20`, `1d 02:00:30.5`.
#[must_use]
pub fn show_time(value: Micros) -> String {
    let (days, rest) = (value / DAY, value % DAY);
    let mut out = if days > 0 { format!("{days}d ") } else { String::new() };
    out.push_str(&format!("{:02}:{:02}", rest / HOUR, rest % HOUR / MINUTE));
    let micros = rest % MINUTE;
    if micros > 0 {
        out.push_str(&format!(":{:02}", micros / SECOND));
        if !micros.is_multiple_of(SECOND) {
            out.push_str(show_decimal(micros % SECOND, 6).trim_start_matches('0'));
        }
    }
    out
}

/// A share in percent, `0.2` or `0.2%`, as parts per million.
pub(super) fn share(text: &str) -> Result<Ppm, Wrong> {
    let digits = text.trim().trim_end_matches(['%', '%']).trim_end();
    decimal(digits, 4).and_then(|ppm| Ppm::try_from(ppm).ok()).filter(|ppm| *ppm <= 1_000_000).ok_or_else(|| {
        Wrong::new(
            format!("{} is no share.", quoted(text)),
            "Write percent from 0 to 100 with at most four decimals, such as 0.2.",
        )
    })
}

/// As [`share`] reads it.
pub(super) fn show_share(ppm: Ppm) -> String {
    show_decimal(u64::from(ppm), 4)
}

/// Units of rates in bits a second.
const RATES: [(&str, u64); 4] = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// Bits a second: `20Mbit`, `9600`.
pub(super) fn bits(text: &str) -> Result<u64, Wrong> {
    let plain = text.trim();
    let (digits, scale) =
        RATES.iter().find_map(|(unit, scale)| Some((plain.strip_suffix(unit)?.trim_end(), *scale))).unwrap_or((plain, 1));
    let scaled = decimal(digits, 6).and_then(|value| value.checked_mul(u128::from(scale)));
    scaled.filter(|value| value.is_multiple_of(1_000_000)).and_then(|value| u64::try_from(value / 1_000_000).ok()).ok_or_else(
        || Wrong::new(format!("{} is no rate.", quoted(text)), "Write bits a second, such as 9600, 64kbit or 20Mbit."),
    )
}

/// As [`bits`] reads it.
pub(super) fn show_bits(bits: u64) -> String {
    let fits = RATES.iter().find(|(_, scale)| bits > 0 && bits.is_multiple_of(*scale));
    fits.map_or_else(|| bits.to_string(), |(unit, scale)| format!("{}{unit}", bits / scale))
}

/// Bytes a second out of bits a second, or `plenty`, which is 0; also `N byte` for whole bytes.
pub(super) fn rate(text: &str) -> Result<u64, Wrong> {
    let plain = text.trim();
    if plain == "plenty" {
        return Ok(0);
    }
    if let Some(bytes) = plain.strip_suffix("byte").and_then(|digits| number(digits.trim_end())).filter(|bytes| *bytes > 0) {
        return Ok(bytes);
    }
    let bits = bits(plain)?;
    if bits < 8 || !bits.is_multiple_of(8) {
        return Err(Wrong::new(
            format!("{} is no whole number of bytes a second.", quoted(text)),
            "Write a multiple of 8, or plenty.",
        ));
    }
    Ok(bits / 8)
}

/// As [`rate`] reads it.
pub(super) fn show_rate(bytes: u64) -> String {
    match bytes.checked_mul(8) {
        Some(0) => "plenty".to_owned(),
        Some(bits) if bits.is_multiple_of(1_000) => show_bits(bits),
        _ => format!("{bytes}byte"),
    }
}

/// Any whole number, `1_000` and `1,000` too.
pub(super) fn whole<T: TryFrom<u64>>(text: &str) -> Result<T, Wrong> {
    let plain: String = text.trim().chars().filter(|c| !matches!(c, '_' | ',')).collect();
    number(&plain).and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
        Wrong::new(format!("{} is no whole number that fits here.", quoted(text)), "Write digits only, such as 25.")
    })
}

/// A whole number that may be negative.
pub(super) fn signed<T: TryFrom<i64>>(text: &str) -> Result<T, Wrong> {
    let value = text.trim().trim_start_matches('+').parse::<i64>().ok();
    value
        .and_then(|value| T::try_from(value).ok())
        .ok_or_else(|| Wrong::new(format!("{} is no whole number that fits here.", quoted(text)), "Write such as -50 or 200."))
}

/// Where a clock begins whose battery is dead.
const DEAD_BATTERY: &str = "1970";

/// Forward or back, in milliseconds: `2h`, `-30m`; `1970`: to where a clock begins whose battery is dead.
pub(super) fn jump(text: &str) -> Result<i64, Wrong> {
    let plain = text.trim();
    if plain == DEAD_BATTERY {
        return Ok(-WRONG_MAX_MS);
    }
    let (sign, length) = plain.strip_prefix('-').map_or((1, plain.trim_start_matches('+')), |rest| (-1, rest));
    let micros = duration(length)?;
    if !micros.is_multiple_of(1_000) {
        return Err(Wrong::new(format!("{} is finer than a clock can be set.", quoted(text)), "Write whole milliseconds."));
    }
    i64::try_from(micros / 1_000)
        .map(|ms| sign * ms)
        .map_err(|_| Wrong::new(format!("{} is too long.", quoted(text)), "Write a shorter length."))
}

/// As [`jump`] reads it.
pub(super) fn show_jump(ms: i64) -> String {
    if ms == -WRONG_MAX_MS {
        return DEAD_BATTERY.to_owned();
    }
    let length = show_duration(ms.unsigned_abs().saturating_mul(1_000));
    if ms < 0 { format!("-{length}") } else { length }
}

/// Degrees with up to six decimals, as millionths; `limit` degrees either way.
pub(super) fn degrees(text: &str, limit: i32) -> Result<i32, Wrong> {
    let plain = text.trim();
    let (sign, digits) = plain.strip_prefix('-').map_or((1, plain), |rest| (-1, rest));
    // More than six decimals come out of map programs: 11 cm is enough.
    let cut = digits.find('.').map_or(digits, |dot| digits.get(..dot + 7).unwrap_or(digits));
    let rest = digits.get(cut.len()..).unwrap_or_default();
    decimal(cut, 6)
        .filter(|_| rest.chars().all(|c| c.is_ascii_digit()))
        .and_then(|value| i32::try_from(value).ok())
        .filter(|value| *value <= limit * 1_000_000)
        .map(|value| sign * value)
        .ok_or_else(|| {
            let example = if limit == 90 { "23.991" } else { "121.611" };
            Wrong::new(format!("{} is no place.", quoted(text)), format!("Write degrees, at most {limit}, such as {example}."))
        })
}

/// As [`degrees`] reads it.
pub(super) fn show_degrees(value: i32) -> String {
    let shown = show_decimal(u64::from(value.unsigned_abs()), 6);
    if value < 0 { format!("-{shown}") } else { shown }
}

/// `yes` or `no`.
pub(super) fn yes(text: &str) -> Result<bool, Wrong> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "x" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(Wrong::new(format!("{} is neither yes nor no.", quoted(text)), "").among(["yes", "no"])),
    }
}

/// Text that stands in a list or after `key=` in one cell: in quotation marks where it would be taken apart.
pub(super) fn wrap(text: &str) -> String {
    let plain = !text.is_empty() && text.trim() == text && !text.contains([';', '|', '=', '"', '\\', '\n', '\r']);
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// Undoes [`wrap`].
pub(super) fn unwrap(text: &str) -> String {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return text.to_owned() };
    let (mut out, mut escaped) = (String::new(), false);
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            out.push(c);
        }
    }
    out
}

/// Splits a cell at a mark that stands outside of quotation marks; empty parts are left out.
pub(super) fn split(text: &str, mark: char) -> Vec<&str> {
    let (mut parts, mut from, mut inside, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ if c == mark && !inside => {
                parts.push(text.get(from..at).unwrap_or_default());
                from = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_as_people_write_them() {
        assert_eq!(time("00:20"), Ok(20 * MINUTE));
        assert_eq!(time("05:00:30"), Ok(5 * HOUR + 30 * SECOND));
        assert_eq!(time("1d 02:00"), Ok(26 * HOUR));
        assert_eq!(time(" 36:00 "), Ok(36 * HOUR));
        assert_eq!(time("90m"), Ok(90 * MINUTE));
        for slip in ["", "0020", "00:61", "00:00:60", "1d 25:00", "d 01:00", "-1:00", "00:20:", "1:2:3:4", "20 min", "1d"] {
            let read = time(slip);
            assert!(read.is_err() || slip == "1d", "{slip} read as {read:?}");
        }
    }

    #[test]
    fn lengths_rates_and_shares_as_people_write_them() {
        assert_eq!(duration("1h30m"), Ok(90 * MINUTE));
        assert_eq!(duration("1h 30m"), Ok(90 * MINUTE));
        assert_eq!(duration("1.5h"), Ok(90 * MINUTE));
        assert_eq!(duration("18ms"), Ok(18_000));
        assert_eq!(duration("0"), Ok(0));
        for slip in ["", "3", "h", "30m1h", "1h1h", "3 hours", "-3h", "1.5us", "99999999999999d", "3H"] {
            assert!(duration(slip).is_err(), "{slip}");
        }
        assert_eq!((rate("20Mbit"), rate("9600"), rate("plenty"), rate("64 kbit")), (Ok(2_500_000), Ok(1_200), Ok(0), Ok(8_000)));
        assert!(rate("7").is_err() && rate("0").is_err() && rate("fast").is_err());
        assert_eq!((share("0.2"), share("100%"), share("0.0001")), (Ok(2_000), Ok(1_000_000), Ok(1)));
        assert!(share("100.1").is_err() && share("0.00001").is_err() && share("a lot").is_err());
        assert_eq!((degrees("121.611", 180), degrees("-0.5", 90)), (Ok(121_611_000), Ok(-500_000)));
        assert_eq!(degrees("23.99100000001", 90), Ok(23_991_000));
        assert!(degrees("91", 90).is_err() && degrees("23,99", 90).is_err() && degrees("23.1.2", 90).is_err());
        assert_eq!((jump("-2h"), jump("+1s")), (Ok(-7_200_000), Ok(1_000)));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(
            value: u64, small in 0_u64..200_000_000_000, ppm in 0..=1_000_000_u32, ms: i32, deg in -90_000_000..=90_000_000_i32
        ) {
            for value in [value, small] {
                prop_assert_eq!(duration(&show_duration(value)), Ok(value));
                prop_assert_eq!(time(&show_time(value)), Ok(value));
                prop_assert_eq!(rate(&show_rate(value)), Ok(value));
                prop_assert_eq!(bits(&show_bits(value)), Ok(value));
            }
            prop_assert_eq!(share(&show_share(ppm)), Ok(ppm));
            prop_assert_eq!(jump(&show_jump(i64::from(ms))), Ok(i64::from(ms)));
            prop_assert_eq!(degrees(&show_degrees(deg), 90), Ok(deg));
        }

        #[test]
        fn any_texts_survive_being_listed_in_one_cell(texts in proptest::collection::vec(any::<String>(), 1..5)) {
            let cell = texts.iter().map(|text| wrap(text)).collect::<Vec<_>>().join("; ");
            let back: Vec<String> = split(&cell, ';').into_iter().map(unwrap).collect();
            prop_assert_eq!(back, texts);
        }

        #[test]
        fn no_text_makes_a_reader_panic(text: String) {
            let _ = (duration(&text), time(&text), rate(&text), share(&text), degrees(&text, 180), jump(&text), yes(&text));
            let _ = (split(&text, '='), unwrap(&text), whole::<u8>(&text), signed::<i32>(&text));
        }
    }
}
