//! Units: the allow-list of UN/CEFACT Recommendation 20 codes, and how numbers are read from what people type. Integers only.

use serde::Serialize;

/// One unit of the allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Rec 20 code: the wire value.
    pub code: &'static str,
    /// English.
    pub en: &'static str,
    /// Traditional Chinese (Taiwan).
    pub zh: &'static str,
}

const fn unit(code: &'static str, en: &'static str, zh: &'static str) -> Unit {
    Unit { code, en, zh }
}

/// All units there are. A new one is a row here.
pub const UNITS: &[Unit] = &[
    unit("13", "rations", "份"),
    unit("C62", "", ""),
    unit("CMT", "cm", "公分"),
    unit("DAY", "days", "天"),
    unit("E32", "L/h", "公升/小時"),
    unit("GRM", "g", "公克"),
    unit("H87", "pieces", "個"),
    unit("HUR", "h", "小時"),
    unit("KGM", "kg", "公斤"),
    unit("KMT", "km", "公里"),
    unit("KWH", "kWh", "度"),
    unit("KWT", "kW", "瓩"),
    unit("LTR", "L", "公升"),
    unit("MIN", "min", "分鐘"),
    unit("MLT", "mL", "毫升"),
    unit("MTK", "m²", "平方公尺"),
    unit("MTQ", "m³", "立方公尺"),
    unit("P1", "%", "%"),
    unit("PR", "pairs", "雙"),
    unit("SET", "sets", "組"),
    unit("TNE", "t", "公噸"),
];

/// The unit with this Rec 20 code. `KTM`, as the EU list spells the kilometre, is read as `KMT`.
#[must_use]
pub fn unit_of(code: &str) -> Option<&'static Unit> {
    let code = if code == "KTM" { "KMT" } else { code };
    UNITS.iter().find(|unit| unit.code == code)
}

/// Why a number could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotANumber {
    /// Letters, several dots, nothing at all.
    Unreadable,
    /// Below zero.
    Negative,
    /// More digits after the point than the field keeps.
    TooFine,
    /// Above what 64 bits hold.
    TooLarge,
}

/// Reads a decimal number as an integer of `10^-decimals` units: "8.5" with one decimal is 85. Full-width digits and thousands
/// separators between digits are accepted.
///
/// # Errors
/// [`NotANumber`] says why.
pub fn parse_scaled(text: &str, decimals: u8) -> Result<u64, NotANumber> {
    let plain: String = text.trim().chars().map(half_width).collect();
    if let Some(rest) = plain.strip_prefix(['-', '−']) {
        return Err(if rest.starts_with(|c: char| c.is_ascii_digit()) { NotANumber::Negative } else { NotANumber::Unreadable });
    }
    let plain = plain.strip_prefix('+').unwrap_or(&plain);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let whole = ungrouped(whole)?;
    if whole.is_empty() || !fraction.chars().all(|c| c.is_ascii_digit()) || plain.ends_with('.') {
        return Err(NotANumber::Unreadable);
    }
    let kept = fraction.trim_end_matches('0');
    if kept.len() > usize::from(decimals) {
        return Err(NotANumber::TooFine);
    }
    let mut value = 0_u64;
    let padding = usize::from(decimals) - kept.len();
    for digit in whole.chars().chain(kept.chars()).chain(std::iter::repeat_n('0', padding)) {
        let digit = u64::from(digit.to_digit(10).ok_or(NotANumber::Unreadable)?);
        value = value.checked_mul(10).and_then(|value| value.checked_add(digit)).ok_or(NotANumber::TooLarge)?;
    }
    Ok(value)
}

/// Writes what [`parse_scaled`] reads: 85 with one decimal is "8.5", 80 is "8".
#[must_use]
pub fn show_scaled(value: u64, decimals: u8) -> String {
    let scale = 10_u64.saturating_pow(u32::from(decimals));
    let (whole, fraction) = (value / scale, value % scale);
    if fraction == 0 {
        return whole.to_string();
    }
    let text = format!("{whole}.{fraction:0width$}", width = usize::from(decimals));
    text.trim_end_matches('0').to_string()
}

/// "1,200" is 1200; "1,2" is nothing: it may mean 1.2.
fn ungrouped(whole: &str) -> Result<String, NotANumber> {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !digits(first) || !rest.iter().all(|group| group.len() == 3 && digits(group)) || (!rest.is_empty() && first.len() > 3) {
        return Err(NotANumber::Unreadable);
    }
    Ok(format!("{first}{}", rest.concat()))
}

fn half_width(c: char) -> char {
    match c {
        '０'..='９' | '．' | '，' | '－' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(parse_scaled("120", 0), Ok(120));
        assert_eq!(parse_scaled(" 1,200 ", 0), Ok(1_200));
        assert_eq!(parse_scaled("１２０", 0), Ok(120));
        assert_eq!(parse_scaled("8.5", 1), Ok(85));
        assert_eq!(parse_scaled("8", 1), Ok(80));
        assert_eq!(parse_scaled("8.50", 1), Ok(85));
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_reason() {
        assert_eq!(parse_scaled("-1", 0), Err(NotANumber::Negative));
        assert_eq!(parse_scaled("8.55", 1), Err(NotANumber::TooFine));
        assert_eq!(parse_scaled("99999999999999999999", 0), Err(NotANumber::TooLarge));
        for text in ["", "many", "1.2.3", "1,2", ".", "5.", "-", "0x10", "1e3", "NaN"] {
            assert_eq!(parse_scaled(text, 1), Err(NotANumber::Unreadable), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for value in [0, 5, 80, 85, 1_234] {
            assert_eq!(parse_scaled(&show_scaled(value, 1), 1), Ok(value));
        }
    }
}
