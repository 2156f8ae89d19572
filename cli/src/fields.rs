//! The fields a node can report, as flags and words of the command line. Only this file knows the shape of the domain's tables.

use std::sync::LazyLock;

use holdfast_proto::control::ReadingView;
use holdfast_proto::domain::field::{self, Choice, Field, Kind, choice_of, field_named, fields};
use holdfast_proto::domain::item::{self, Item};
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::domain::service::{AVAILABILITY, SERVICES, service_named};
use holdfast_proto::domain::unit::unit_of;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::words;
use crate::lang::Lang;

/// The group whose first field is its place (`report status open`) and whose others have commands of their own (`report access normal`).
const PLACE_GROUP: &str = "status";

/// How a field's value is given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// `report status open`.
    Place,
    /// `report power --source mains`.
    Flag(&'static str),
    /// `report stock water=120 rice=low`: one value per name.
    Each,
}

/// One field as the command line sees it.
#[derive(Clone, Debug)]
pub(crate) struct FieldRow {
    /// `power.source`; with [`Given::Each`] the part before the dot: `stock`.
    pub(crate) name: &'static str,
    /// `power`: the word after `report`.
    pub(crate) group: &'static str,
    /// Where its value stands.
    pub(crate) given: Given,
    /// What to write, such as `L`.
    pub(crate) value: String,
    /// One sentence in each language.
    pub(crate) doc: Words,
}

static ROWS: LazyLock<Vec<FieldRow>> = LazyLock::new(|| {
    let mut rows: Vec<FieldRow> = Vec::new();
    for field in fields() {
        if field.group != PLACE_GROUP {
            rows.push(row(field, field.group, Given::Flag(field.flag)));
        } else if rows.iter().all(|row| row.group != PLACE_GROUP) {
            rows.push(row(field, field.group, Given::Place));
        } else {
            rows.push(row(field, field.group, Given::Flag(field.flag)));
            rows.push(row(field, field.flag, Given::Place));
        }
    }
    let levels = codes(item::LEVELS);
    let doc = words(
        format!("Counts (water=120) or levels (rice=low); nothing (water=) withdraws what was said; levels: {levels}"),
        format!("數量（water=120）或程度（rice=low）；留空（water=）即撤回；程度可填：{levels}"),
    );
    rows.push(each("stock", "ITEM=QTY|LEVEL", doc));
    let services = SERVICES.iter().map(|service| service.code).collect::<Vec<_>>().join(", ");
    let offered = codes(AVAILABILITY);
    let doc = words(
        format!("Words: {offered}; nothing (charging=) withdraws what was said; services: {services}"),
        format!("可填：{offered}；留空（charging=）即撤回；服務：{services}"),
    );
    rows.push(each("service", "NAME=WORD", doc));
    rows
});

fn row(field: &Field, group: &'static str, given: Given) -> FieldRow {
    let (value, choices) = match field.value {
        Kind::Choice { words } => ("WORD".to_owned(), format!(" [{}]", codes(words))),
        Kind::Integer { unit, .. } => {
            (unit_of(unit).map(|unit| unit.en).filter(|text| !text.is_empty()).unwrap_or("N").to_owned(), String::new())
        }
        Kind::Text { .. } => ("TEXT".to_owned(), String::new()),
    };
    let doc = words(format!("{}{choices}", field.doc.trim_end_matches('.')), format!("{}{choices}", field.zh));
    FieldRow { name: field.name, group, given, value, doc }
}

fn each(name: &'static str, value: &str, doc: Words) -> FieldRow {
    FieldRow { name, group: name, given: Given::Each, value: value.to_owned(), doc }
}

fn codes(words: &[Choice]) -> String {
    words.iter().map(|word| word.code).collect::<Vec<_>>().join(", ")
}

/// All fields, in the order they are shown.
pub(crate) fn rows() -> &'static [FieldRow] {
    &ROWS
}

/// The group's own sentence for `report --help`.
pub(crate) fn group_doc(group: &str) -> Words {
    let alone = rows().iter().find(|row| row.group == group && row.given == Given::Place);
    match (group, alone) {
        ("stock", _) => words("Say what is in stock, counted or estimated", "回報存量，可填數量或程度"),
        ("service", _) => words("Say which services are offered, and which are not", "回報提供與不提供的服務"),
        (_, Some(row)) => row.doc.clone(),
        (group, None) => words(format!("Readings: {}", flags(group)), format!("回報項目：{}", flags(group))),
    }
}

fn flags(group: &str) -> String {
    let of = |row: &FieldRow| match row.given {
        Given::Flag(flag) => Some(flag),
        Given::Place | Given::Each => None,
    };
    rows().iter().filter(|row| row.group == group).filter_map(of).collect::<Vec<_>>().join(", ")
}

/// The full field name for what a person typed before `=`: the name itself, `status` for `operating.status`, `fuel-litres`.
/// What is no field goes to the daemon as it is: it names the nearest.
pub(crate) fn full_name(typed: &str) -> String {
    if field_named(typed).is_some() {
        return typed.to_owned();
    }
    let place = rows().iter().find(|row| row.given == Given::Place && row.group == typed);
    let by_flag = || rows().iter().find(|row| matches!(row.given, Given::Flag(flag) if flag == typed));
    place.or_else(by_flag).map_or_else(|| typed.to_owned(), |row| row.name.to_owned())
}

/// What goods are called at a node: an alliance may have a catalogue of its own. Part of schema `holdfast.catalogue/1`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Goods {
    items: Vec<Item>,
}

impl Goods {
    /// An item's name for people; one that this catalogue does not hold stands by its code.
    pub(crate) fn name(&self, code: &str, lang: Lang) -> String {
        let item = self.items.iter().find(|item| item.code == code);
        item.map_or(code, |item| lang.of(&item.en, &item.zh)).to_owned()
    }

    /// Every code, in the catalogue's order.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.code.as_str())
    }

    /// `Drinking water 40 L`; without a unit where this catalogue does not hold the item.
    pub(crate) fn amount(&self, code: &str, quantity: u64, lang: Lang) -> String {
        let of = self.items.iter().find(|item| item.code == code).map(|item| unit(&item.unit, lang));
        format!("{} {quantity}{}", self.name(code, lang), of.unwrap_or_default())
    }
}

/// A field's label for people.
pub(crate) fn label(name: &str, goods: &Goods, lang: Lang) -> String {
    if let Some(field) = field_named(name) {
        return lang.of(field.en, field.zh).to_owned();
    }
    match name.split_once('.') {
        Some(("stock", rest)) if rest.ends_with(FLOOR) => {
            let item = goods.name(rest.trim_end_matches(FLOOR), lang);
            lang.of(format!("{item}, kept here"), format!("{item}（保留給本地）"))
        }
        Some(("stock", _)) => item_of(name).map_or_else(|| name.to_owned(), |code| goods.name(code, lang)),
        Some(("service", code)) => {
            service_named(code).map_or_else(|| code.to_owned(), |service| lang.of(service.en, service.zh).to_owned())
        }
        Some(_) | None => name.to_owned(),
    }
}

/// What is kept for the people of the place: `stock.rice.floor`.
const FLOOR: &str = ".floor";

/// The item a reading of stock is of, be it the level (`stock.rice`) or the count (`stock.rice.count`).
pub(crate) fn item_of(name: &str) -> Option<&str> {
    let code = name.strip_prefix("stock.").filter(|rest| !rest.ends_with(FLOOR))?;
    Some(code.strip_suffix(".count").unwrap_or(code))
}

/// The words a reading of this name can take.
fn words_of(name: &str) -> &'static [Choice] {
    match name.split_once('.') {
        Some(("stock", _)) => item::LEVELS,
        Some(("service", _)) => AVAILABILITY,
        Some(_) | None => field_named(name).map(Field::choices).unwrap_or_default(),
    }
}

/// A reading's value for people, with its unit.
pub(crate) fn value_text(name: &str, reading: &ReadingView, lang: Lang) -> String {
    let words = words_of(name);
    let word = match &reading.value {
        Value::String(text) => field::choice_named(words, text),
        Value::Number(number) if !words.is_empty() && reading.unit.is_none() => {
            number.as_u64().and_then(|number| choice_of(words, number))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    };
    if let Some(word) = word {
        return lang.of(word.en, word.zh).to_owned();
    }
    let text = match &reading.value {
        Value::String(text) => text.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    format!("{text}{}", reading.unit.as_deref().map(|code| unit(code, lang)).unwrap_or_default())
}

/// A unit for people, with a blank before it.
pub(crate) fn unit(code: &str, lang: Lang) -> String {
    let words = unit_of(code).map_or(code, |unit| lang.of(unit.en, unit.zh));
    if words.is_empty() { String::new() } else { format!(" {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(value: Value, unit: Option<&str>) -> ReadingView {
        ReadingView {
            value,
            unit: unit.map(str::to_owned),
            observed_at: None,
            age_s: Some(1),
            valid_s: 60,
            stale: false,
            basis: "self_reported".into(),
            derived: false,
        }
    }

    #[test]
    fn every_field_of_the_table_has_a_place_on_the_command_line() {
        for field in fields() {
            assert!(rows().iter().any(|row| row.name == field.name), "{}", field.name);
        }
    }

    #[test]
    fn short_words_find_their_field_and_strange_ones_pass() {
        assert_eq!(full_name("status"), "operating.status");
        assert_eq!(full_name("access"), "access.status");
        assert_eq!(full_name("fuel-litres"), "power.fuel");
        assert_eq!(full_name("power.source"), "power.source");
        assert_eq!(full_name("stock.water"), "stock.water");
        assert_eq!(full_name("nonsense"), "nonsense");
    }

    #[test]
    fn values_are_told_in_both_languages_with_their_unit() {
        let check = |name, value: Value, unit, en, zh| {
            let reading = reading(value, unit);
            assert_eq!((value_text(name, &reading, Lang::En).as_str(), value_text(name, &reading, Lang::Zh).as_str()), (en, zh));
        };
        check("power.source", "utility".into(), None, "mains", "市電");
        check("stock.water", 120.into(), Some("LTR"), "120 L", "120 公升");
        check("stock.water", "low".into(), None, "low", "偏少");
        check("power.hours", 15.into(), Some("HUR"), "15 h", "15 小時");
        check("stock.rice.count", 30.into(), Some("KGM"), "30 kg", "30 公斤");
        let item = serde_json::json!({"code": "diesel", "en": "Diesel", "zh": "柴油", "unit": "LTR", "group": "fuel"});
        let goods: Goods = serde_json::from_value(serde_json::json!({"items": [item]})).unwrap();
        let both = |name| (label(name, &goods, Lang::En), label(name, &goods, Lang::Zh));
        for (name, en, zh) in [
            ("stock.diesel", "Diesel", "柴油"),
            ("stock.diesel.count", "Diesel", "柴油"),
            ("stock.water", "water", "water"),
            ("service.charging", "Phone charging", "手機充電"),
        ] {
            assert_eq!(both(name), (en.to_owned(), zh.to_owned()), "{name}");
        }
    }
}
