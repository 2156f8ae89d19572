//! What stands in files, before anybody asks what it means: text, lists and tables with their lines. A row of a sheet and a table
//! of the scenario file look the same from here on, so each thing is read in one place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Notes, Place, Wrong};

/// Something written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Line or row, from 1.
    pub(super) row: u32,
    pub(super) value: Value,
}

/// Numbers and yes/no are text: `40` and `"40"` mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Line of the key.
    pub(super) row: u32,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn text(row: u32, text: impl Into<String>) -> Self {
        Self { row, value: Value::Text(text.into()) }
    }
}

/// Reads a TOML file; every mistake in its spelling is noted with its line.
pub(super) fn toml(file: &str, bytes: &[u8], notes: &Notes) -> Option<Vec<Entry>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let row = u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).unwrap_or(u32::MAX);
            let wrong = Wrong::new("The file is not in UTF-8 from here on.", "Save it as UTF-8; only sheets may be in Big5.");
            notes.problem(wrong.at(Place { file: file.to_owned(), row, key: String::new() }));
            return None;
        }
    };
    let lines = Lines::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let row = lines.of(error.span().map_or(0, |span| span.start));
        let wrong =
            Wrong::new(format!("This is no TOML: {}.", error.message()), "Compare the line with configs/scenarios/README.md.");
        notes.problem(wrong.at(Place { file: file.to_owned(), row, key: String::new() }));
    }
    errors.is_empty().then(|| entries(table.get_ref(), &lines))
}

fn entries(table: &DeTable<'_>, lines: &Lines) -> Vec<Entry> {
    let mut out: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry { key: key.get_ref().to_string(), row: lines.of(key.span().start), node: node(value, lines) })
        .collect();
    // In the order in which they were written, not by name.
    out.sort_by_key(|entry| entry.row);
    out
}

fn node(value: &Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let text = |text: &str| Value::Text(text.to_owned());
    let value_read = match value.get_ref() {
        DeValue::String(s) => text(s),
        DeValue::Integer(number) if number.radix() == 10 => text(&number.as_str().replace('_', "")),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            u64::from_str_radix(&digits, number.radix()).map_or_else(|_| text(&digits), |value| text(&value.to_string()))
        }
        DeValue::Float(number) => text(&number.as_str().replace('_', "")),
        DeValue::Boolean(yes) => text(if *yes { "yes" } else { "no" }),
        DeValue::Datetime(when) => text(&when.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, lines)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, lines)),
    };
    Node { row: lines.of(value.span().start), value: value_read }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    fn of(&self, at: usize) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < at) + 1).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line_and_numbers_stay_as_written() {
        let notes = Notes::default();
        let read =
            toml("s.toml", "\u{feff}a = 0.2\n[b]\n# note\nc = [\n  18446744073709551615,\n true]\n".as_bytes(), &notes).unwrap();
        assert_eq!((read[0].row, read[1].row), (1, 2));
        assert_eq!(read[0].node, Node::text(1, "0.2"));
        let Value::Table(b) = &read[1].node.value else { panic!("{read:?}") };
        assert_eq!(b[0].row, 4);
        assert_eq!(b[0].node.value, Value::List(vec![Node::text(5, "18446744073709551615"), Node::text(6, "yes")]));
        assert!(notes.done().1.is_empty());
    }

    #[test]
    fn mistakes_in_the_spelling_are_all_told_with_their_lines() {
        let notes = Notes::default();
        assert!(toml("s.toml", b"a = = 1\nb = 2\nc = \"open\nd 4\n", &notes).is_none());
        let rows: Vec<u32> = notes.done().1.iter().map(|problem| problem.place.row).collect();
        assert!(rows.contains(&1) && rows.contains(&3), "{rows:?}");
        let notes = Notes::default();
        assert!(toml("s.toml", b"a = 1\nb = \"\xa4\xa4\"\n", &notes).is_none());
        assert_eq!(notes.done().1[0].place.row, 2);
    }
}
