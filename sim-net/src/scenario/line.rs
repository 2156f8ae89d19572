//! An inject given by a controller during play: the same words as in the files, on one line or as the fields of a JSON object.
//!
//! `cut where=element:CABLE-HUA lasts=20m say="the cable is cut"`

use serde_json::{Map, Value};

use super::form::Form;
use super::problem::{Notes, Place, Problem, Wrong, quoted};
use super::read::inject::Injects;
use super::selector::Index;
use super::text;
use super::tree::{self, Entry, Node};
use super::{Inject, Micros, Scenario};

/// What problems name as the file.
const BY_HAND: &str = "by hand";
/// What is done by hand happens now: these say otherwise, or are given by the program.
const NOT_BY_HAND: [&str; 5] = ["at", "nr", "if_not", "by", "by_hand"];

/// Reads a line: the word of the effect, then `key=value`, values with spaces in quotes. It happens at `now`.
///
/// # Errors
/// Every [`Problem`] of the line; at least one.
pub fn read_line(line: &str, scenario: &Scenario, now: Micros) -> Result<Inject, Vec<Problem>> {
    let mut parts = text::split(line, ' ').into_iter().map(str::trim).filter(|part| !part.is_empty());
    let what = parts.next().unwrap_or_default();
    // A word without a value is left to be found unknown by name.
    let pairs = parts.map(|part| part.split_once('=').map_or((part, String::new()), |(key, value)| (key, text::unwrap(value))));
    let pairs: Vec<(String, Node)> = pairs.map(|(key, value)| (key.to_owned(), Node::text(1, value))).collect();
    if what.is_empty() {
        return refused(Wrong::new(
            "It is not said what is to happen.",
            "Write such as inject power-loss where=site:S1 lasts=20m.",
        ));
    }
    // A table as scenario.toml has it falls into pieces here.
    let table = line.split_once("={").and_then(|(before, _)| before.rsplit(' ').next());
    if let Some(key) = table.filter(|key| !key.contains('"')) {
        let todo =
            format!("On one line a table is {key}=\"id=R-1; item=water; qty=40\": in quotation marks, parted by semicolons.");
        return refused(Wrong::new(format!("{} is written with braces.", quoted(key)), todo));
    }
    by_hand([("what".to_owned(), Node::text(1, what))].into_iter().chain(pairs), scenario, now)
}

fn refused(wrong: Wrong) -> Result<Inject, Vec<Problem>> {
    Err(vec![wrong.at(Place { file: BY_HAND.to_owned(), ..Place::default() })])
}

/// Reads the fields of `[[inject]]` as JSON: texts, numbers, yes or no, lists and objects. It happens at `now`.
///
/// # Errors
/// Every [`Problem`] of them; at least one.
pub fn read_fields(fields: &Map<String, Value>, scenario: &Scenario, now: Micros) -> Result<Inject, Vec<Problem>> {
    by_hand(fields.iter().map(|(key, value)| (key.clone(), node(value))), scenario, now)
}

fn node(value: &Value) -> Node {
    let value = match value {
        Value::Null => tree::Value::Text(String::new()),
        Value::Bool(yes) => tree::Value::Text(if *yes { "yes" } else { "no" }.to_owned()),
        Value::Number(number) => tree::Value::Text(number.to_string()),
        Value::String(text) => tree::Value::Text(text.clone()),
        Value::Array(items) => tree::Value::List(items.iter().map(node).collect()),
        Value::Object(fields) => tree::Value::Table(fields.iter().map(|(key, value)| entry(key.clone(), node(value))).collect()),
    };
    Node { row: 1, value }
}

fn entry(key: String, node: Node) -> Entry {
    Entry { key, row: 1, node }
}

fn by_hand(given: impl Iterator<Item = (String, Node)>, scenario: &Scenario, now: Micros) -> Result<Inject, Vec<Problem>> {
    let notes = Notes::default();
    let mut entries =
        vec![entry("at".to_owned(), Node::text(1, text::show_time(now))), entry("by_hand".to_owned(), Node::text(1, "yes"))];
    let mut refused = Vec::new();
    for (key, node) in given {
        let known = entries.iter().any(|entry| entry.key == key);
        if known || NOT_BY_HAND.contains(&key.as_str()) {
            let what = format!("{} can't be said here{}.", quoted(&key), if known { " or stands there twice" } else { "" });
            refused.push(Wrong::new(what, "What is done by hand happens now and gets the next number; leave it out."));
        } else {
            entries.push(entry(key, node));
        }
    }
    let form = Form::new(BY_HAND, 1, entries, &notes);
    refused.into_iter().for_each(|wrong| form.wrong(wrong));
    let mut injects = Injects::default();
    injects.take(&form, &Index::new(&scenario.sites, &scenario.elements));
    let (_, problems) = notes.done();
    injects.only().filter(|_| problems.is_empty()).ok_or(problems)
}
