//! THE FIELD TABLE: one row per reading a node can give of itself. Ids, names, units, bounds, validity, words, labels, the CLI's
//! flags and the page's form all follow from the row; adding a reading touches this file only.

use serde::Serialize;

use super::unit::{NotANumber, parse_scaled};
use crate::id::{Class, DocKind};

/// One word a field can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    /// Wire value, for ever.
    pub number: u32,
    /// As typed and as in JSON.
    pub code: &'static str,
    /// English label.
    pub en: &'static str,
    /// Traditional Chinese (Taiwan) label.
    pub zh: &'static str,
}

pub(crate) const fn choice(number: u32, code: &'static str, en: &'static str, zh: &'static str) -> Choice {
    Choice { number, code, en, zh }
}

/// The words of a list, by any of their spellings.
#[must_use]
pub fn choice_named(words: &'static [Choice], typed: &str) -> Option<&'static Choice> {
    let folded = super::text::fold(typed);
    words.iter().find(|word| [word.code, word.en, word.zh].iter().any(|own| super::text::fold(own) == folded))
}

/// The word with this number.
#[must_use]
pub fn choice_of(words: &'static [Choice], number: u64) -> Option<&'static Choice> {
    words.iter().find(|word| u64::from(word.number) == number)
}

/// What a field's value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// One word of a list.
    Choice {
        /// The words.
        words: &'static [Choice],
    },
    /// A whole number of `10^-decimals` units, from 0.
    Integer {
        /// Rec 20 code.
        unit: &'static str,
        /// Digits kept after the point.
        decimals: u8,
        /// Largest value, in steps of `10^-decimals`.
        max: u64,
    },
    /// Free text.
    Text {
        /// Bytes of UTF-8.
        bytes_max: usize,
    },
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Wire number, for ever; a retired row stays.
    pub id: u32,
    /// Name in JSON and in `report --set`.
    pub name: &'static str,
    /// What it can be.
    #[serde(flatten)]
    pub value: Kind,
    /// Board or detail.
    pub document: DocKind,
    /// How urgently a change of it travels.
    pub class: Class,
    /// Holds so long unless said otherwise, in seconds.
    pub valid_s: u32,
    /// CLI: `holdfast report GROUP`.
    pub group: &'static str,
    /// CLI: `--FLAG`.
    pub flag: &'static str,
    /// English label.
    pub en: &'static str,
    /// Traditional Chinese (Taiwan) label.
    pub zh: &'static str,
    /// One line for help texts.
    pub doc: &'static str,
}

/// Is it running (SABER, EDXL-HAVE).
pub const OPERATING: &[Choice] = &[
    choice(0, "unknown", "unknown", "狀況不明"),
    choice(1, "open", "open", "開放"),
    choice(2, "limited", "limited", "部分開放"),
    choice(3, "closed", "closed", "關閉"),
    choice(4, "evacuating", "evacuating", "撤離中"),
];
/// May the public enter (EDXL-HAVE security codes).
pub const ACCESS: &[Choice] = &[
    choice(0, "normal", "normal", "正常出入"),
    choice(1, "elevated", "elevated", "加強管制"),
    choice(2, "restricted_access", "restricted access", "限制出入"),
    choice(3, "lockdown", "lockdown", "封閉"),
    choice(4, "quarantine", "quarantine", "隔離"),
];
/// In which mode the node works.
pub const MODE: &[Choice] = &[
    choice(0, "standby", "standby", "待命"),
    choice(1, "alert", "alert", "警戒"),
    choice(2, "resilience", "resilience mode", "韌性模式"),
    choice(3, "recovery", "recovery", "復原"),
    choice(4, "drill", "drill", "演練"),
    choice(5, "suspended", "suspended", "暫停"),
];
/// Whether the central systems answer this site.
pub const REACH: &[Choice] = &[choice(0, "reachable", "answering", "有回應"), choice(1, "silent", "silent", "沒有回應")];
/// Room for people (EDXL-HAVE).
pub const CAPACITY: &[Choice] = &[
    choice(0, "inactive", "not in use", "未啟用"),
    choice(1, "open", "room left", "尚有空間"),
    choice(2, "full", "full", "額滿"),
    choice(3, "exceeded", "over capacity", "超收"),
];
/// State of the mains and of other public nets.
pub const UTILITY: &[Choice] = &[
    choice(0, "unknown", "unknown", "狀況不明"),
    choice(1, "on", "on", "正常"),
    choice(2, "off", "off", "中斷"),
    choice(3, "intermittent", "intermittent", "時有時無"),
];
/// What the node runs on.
pub const SOURCE: &[Choice] = &[
    choice(0, "none", "none", "停電"),
    choice(1, "utility", "mains", "市電"),
    choice(2, "generator", "generator", "發電機"),
    choice(3, "battery", "battery", "電池"),
    choice(4, "solar", "solar", "太陽能"),
    choice(5, "vehicle", "vehicle", "車輛供電"),
];
/// State of the generator; `inlet` is wired for one that must be brought.
pub const GENERATOR: &[Choice] = &[
    choice(0, "not_installed", "not installed", "未設置"),
    choice(1, "inlet", "inlet only", "預留接口"),
    choice(2, "standby", "standby", "備用"),
    choice(3, "running", "running", "運轉中"),
    choice(4, "failed", "failed", "故障"),
];

const HOUR: u32 = 3_600;
const BOARD: DocKind = DocKind::Board;
const DETAIL: DocKind = DocKind::Detail;

/// Running or not: the one field every board should have.
pub const OPERATING_STATUS: u32 = 1;
/// `node.mode`.
pub const NODE_MODE: u32 = 3;
/// `network.central`.
pub const CENTRAL: u32 = 32;
/// People it can serve.
pub const CAPACITY_PEOPLE: u32 = 10;
/// People now in it.
pub const CAPACITY_OCCUPANCY: u32 = 11;
/// Litres of fuel on hand.
pub const POWER_FUEL: u32 = 23;
/// Litres an hour.
pub const POWER_BURN: u32 = 24;
/// Hours of fuel left.
pub const POWER_HOURS: u32 = 25;

const fn words(words: &'static [Choice]) -> Kind {
    Kind::Choice { words }
}

const fn number(unit: &'static str, decimals: u8, max: u64) -> Kind {
    Kind::Integer { unit, decimals, max }
}

const fn text(bytes_max: usize) -> Kind {
    Kind::Text { bytes_max }
}

macro_rules! rows {
    ($($id:tt $name:literal $value:expr, $document:ident $class:ident $valid:expr, $group:literal $flag:literal $en:literal $zh:literal $doc:literal;)*) => {
        &[$(Field { id: $id, name: $name, value: $value, document: $document, class: Class::$class, valid_s: $valid, group: $group,
            flag: $flag, en: $en, zh: $zh, doc: $doc }),*]
    };
}

/// Every field there is. Validity: how fast the thing itself changes; domain.md 2.3-2.4, figures are guesses.
#[rustfmt::skip]
pub const FIELDS: &[Field] = rows![
    1 "operating.status" words(OPERATING), BOARD URGENT 4 * HOUR, "status" "operating" "Operating" "營運狀況" "Whether the site is running.";
    2 "access.status" words(ACCESS), BOARD ROUTINE 12 * HOUR, "status" "access" "Access" "出入管制" "Whether the public may enter.";
    3 "node.mode" words(MODE), BOARD ROUTINE 24 * HOUR, "status" "mode" "Mode" "運作模式" "In which mode the site works.";
    10 "capacity.people" number("C62", 0, 1_000_000), BOARD ROUTINE 24 * HOUR, "capacity" "people" "People it can serve" "可服務人數" "How many people the site can serve at once.";
    11 "capacity.occupancy" number("C62", 0, 1_000_000), BOARD ROUTINE 2 * HOUR, "capacity" "occupancy" "People now" "目前人數" "How many people are there now.";
    12 "capacity.state" words(CAPACITY), BOARD ROUTINE 2 * HOUR, "capacity" "state" "Room" "容納狀況" "Whether there is room left.";
    13 "capacity.staff" number("C62", 0, 100_000), DETAIL ROUTINE 8 * HOUR, "capacity" "staff" "Staff on duty" "值班人數" "How many staff are on duty.";
    20 "power.utility" words(UTILITY), BOARD ROUTINE 4 * HOUR, "power" "utility" "Mains" "市電" "State of the mains.";
    21 "power.source" words(SOURCE), BOARD ROUTINE 4 * HOUR, "power" "source" "Power from" "供電" "What the site runs on now.";
    22 "power.generator" words(GENERATOR), BOARD ROUTINE 12 * HOUR, "power" "generator" "Generator" "發電機" "State of the generator.";
    23 "power.fuel" number("LTR", 0, 1_000_000), DETAIL ROUTINE 4 * HOUR, "power" "fuel-litres" "Fuel on hand" "存油量" "Litres of generator fuel on hand.";
    24 "power.burn" number("E32", 1, 100_000), DETAIL ROUTINE 24 * HOUR, "power" "burn" "Fuel used" "耗油量" "Litres of fuel the generator burns in an hour, such as 8.5.";
    25 "power.hours" number("HUR", 0, 10_000), BOARD ROUTINE 4 * HOUR, "power" "hours" "Hours of fuel left" "油料可撐時數" "Hours of power left; worked out where fuel and burn are given.";
    26 "power.battery" number("P1", 0, 100), BOARD ROUTINE 2 * HOUR, "power" "battery" "Battery" "電池電量" "State of charge of the battery, percent.";
    27 "power.load" number("KWT", 1, 100_000), DETAIL ROUTINE 4 * HOUR, "power" "load" "Load" "負載" "Power drawn now, kilowatts.";
    30 "network.internet" words(UTILITY), BOARD ROUTINE 2 * HOUR, "network" "internet" "Internet" "網際網路" "Whether the internet can be reached from the site.";
    31 "network.mobile" words(UTILITY), BOARD ROUTINE 2 * HOUR, "network" "mobile" "Mobile network" "行動網路" "Whether mobile phones work at the site.";
    32 "network.central" words(REACH), BOARD ROUTINE HOUR, "network" "central" "Central systems" "中央系統" "Whether the central systems answer the site; said by its probe.";
    40 "message.public" text(64), BOARD ROUTINE 12 * HOUR, "message" "public" "Notice" "公告" "One line everybody may read, at most 64 bytes.";
    41 "message.staff" text(200), DETAIL ROUTINE 12 * HOUR, "message" "staff" "Note for colleagues" "內部備註" "One line for entitled sites, at most 200 bytes.";
];

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    a.len() == b.len() && i == a.len()
}

const _: () = {
    let mut i = 0;
    while i < FIELDS.len() {
        let mut j = i + 1;
        while j < FIELDS.len() {
            assert!(FIELDS[i].id < FIELDS[j].id, "two fields with one id, or ids out of order");
            assert!(!same(FIELDS[i].name, FIELDS[j].name), "two fields with one name");
            assert!(!same(FIELDS[i].flag, FIELDS[j].flag) || !same(FIELDS[i].group, FIELDS[j].group), "two fields with one flag");
            j += 1;
        }
        i += 1;
    }
};

/// All rows, for command lines, pages and docs.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter()
}

/// The row with this id.
#[must_use]
pub fn field_of(id: u32) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.id == id)
}

/// The row with this name.
#[must_use]
pub fn field_named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name.trim())
}

/// Why a typed value does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Not among the words.
    Word,
    /// Not a number.
    Number(NotANumber),
    /// A number above the bound.
    TooLarge,
    /// A text that can't stand.
    Text(super::text::BadText),
}

impl Field {
    /// The words, where it takes one of a list; empty otherwise.
    #[must_use]
    pub fn choices(&self) -> &'static [Choice] {
        match self.value {
            Kind::Choice { words } => words,
            Kind::Integer { .. } | Kind::Text { .. } => &[],
        }
    }

    /// Rec 20 code, where it has one.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        match self.value {
            Kind::Integer { unit, .. } => Some(unit),
            Kind::Choice { .. } | Kind::Text { .. } => None,
        }
    }

    /// Reads what a person typed.
    pub(crate) fn parse(&self, typed: &str) -> Result<super::reading::Value, Unfit> {
        use super::reading::Value;
        match self.value {
            Kind::Choice { words } => {
                choice_named(words, typed).map(|word| Value::Number(u64::from(word.number))).ok_or(Unfit::Word)
            }
            Kind::Integer { decimals, max, .. } => match parse_scaled(typed, decimals).map_err(Unfit::Number)? {
                value if value > max => Err(Unfit::TooLarge),
                value => Ok(Value::Number(value)),
            },
            Kind::Text { bytes_max } => {
                super::text::clean(typed, bytes_max).map(|text| Value::Text(text.to_string())).map_err(Unfit::Text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::Value;

    #[test]
    fn every_row_reads_its_own_words_and_names_a_unit_of_the_list() {
        for field in fields() {
            assert_eq!(field_named(field.name), Some(field));
            assert_eq!(field_of(field.id), Some(field));
            assert!(field.valid_s > 0 && !field.doc.is_empty() && !field.zh.is_empty());
            for word in field.choices() {
                for spelling in [word.code, word.en, word.zh] {
                    assert_eq!(field.parse(spelling), Ok(Value::Number(u64::from(word.number))), "{} {spelling}", field.name);
                }
            }
            if let Some(unit) = field.unit() {
                assert!(super::super::unit::unit_of(unit).is_some(), "{unit}");
            }
        }
    }

    #[test]
    fn a_row_reads_as_json_for_pages_and_command_lines() {
        let row = serde_json::to_value(field_of(OPERATING_STATUS)).unwrap();
        assert_eq!(
            (&row["kind"], &row["words"][1]["code"], &row["flag"]),
            (&"choice".into(), &"open".into(), &"operating".into())
        );
        let row = serde_json::to_value(field_of(POWER_BURN)).unwrap();
        assert_eq!((&row["kind"], &row["unit"], &row["decimals"]), (&"integer".into(), &"E32".into(), &1.into()));
    }

    #[test]
    fn bounds_come_from_the_row() {
        let battery = field_of(26).unwrap();
        assert_eq!(battery.parse("100"), Ok(Value::Number(100)));
        assert_eq!(battery.parse("101"), Err(Unfit::TooLarge));
        assert_eq!(field_of(POWER_BURN).unwrap().parse("8.5"), Ok(Value::Number(85)));
    }
}
