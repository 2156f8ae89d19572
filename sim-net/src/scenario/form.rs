//! One table or row being read: each key is asked for by name, what was never asked for is told to be unknown.

use std::cell::RefCell;

use super::problem::{self, Notes, Place, Wrong};
use super::text;
use super::tree::{Entry, Node, Value};

/// A table of a file with the notes it is read into.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) file: &'a str,
    /// Line or row it begins at.
    pub(super) row: u32,
    /// Put before a key in problems: `world.defaults.`.
    path: String,
    entries: Vec<Entry>,
    asked: RefCell<Vec<&'static str>>,
    pub(super) notes: &'a Notes,
}

impl<'a> Form<'a> {
    pub(super) fn new(file: &'a str, row: u32, entries: Vec<Entry>, notes: &'a Notes) -> Self {
        Self { file, row, path: String::new(), entries, asked: RefCell::default(), notes }
    }

    /// Notes a problem of the whole table.
    pub(super) fn wrong(&self, wrong: Wrong) {
        self.notes.problem(wrong.at(Place {
            file: self.file.to_owned(),
            row: self.row,
            key: self.path.trim_end_matches('.').to_owned(),
        }));
    }

    /// Notes a problem of one key.
    pub(super) fn wrong_at(&self, key: &str, row: u32, wrong: Wrong) {
        self.notes.problem(wrong.at(self.place(key, row)));
    }

    pub(super) fn place(&self, key: &str, row: u32) -> Place {
        Place { file: self.file.to_owned(), row, key: format!("{}{key}", self.path) }
    }

    /// What stands at a key.
    pub(super) fn node(&self, key: &'static str) -> Option<&Node> {
        self.asked.borrow_mut().push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    pub(super) fn has(&self, key: &'static str) -> bool {
        self.node(key).is_some()
    }

    /// Line of a key, or of the table where the key is missing.
    pub(super) fn row_of(&self, key: &str) -> u32 {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.row, |entry| entry.row)
    }

    /// One piece of text, or a list of them, read into something.
    pub(super) fn get<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let node = self.node(key)?;
        self.parse(key, node, parse)
    }

    /// The same for one node of a list.
    pub(super) fn parse<T>(&self, key: &str, node: &Node, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let text = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::List(_) | Value::Table(_) => None,
        };
        // A list is its parts between semicolons, as in a cell.
        let whole = match &node.value {
            Value::List(items) => items.iter().map(text).collect::<Option<Vec<_>>>().map(|parts| parts.join("; ")),
            Value::Text(_) | Value::Table(_) => text(node),
        };
        let read = match whole {
            Some(whole) => parse(&whole),
            None => Err(Wrong::new("Here stands a table.", "Write one value.")),
        };
        read.map_err(|wrong| self.wrong_at(key, node.row, wrong)).ok()
    }

    /// The same, where something must stand.
    pub(super) fn need<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, Wrong>) -> Option<T> {
        if self.has(key) { self.get(key, parse) } else { self.missing(key) }
    }

    /// Says that a key is missing, and which one may be it, misspelled.
    pub(super) fn missing<T>(&self, key: &str) -> Option<T> {
        let asked = self.asked.borrow();
        let slip = self.entries.iter().find(|entry| !asked.contains(&entry.key.as_str()) && problem::alike(&entry.key, key));
        let (row, todo) = match slip {
            Some(entry) => (entry.row, format!("Should {} be {key}?", problem::quoted(&entry.key))),
            None => (self.row, format!("Add {key}; {}", example(key))),
        };
        self.wrong_at(key, row, Wrong::new(format!("{key} is missing."), todo));
        None
    }

    /// The same with a value for where nothing stands, or something wrong that was noted.
    pub(super) fn or<T>(&self, key: &'static str, default: T, parse: impl Fn(&str) -> Result<T, Wrong>) -> T {
        self.get(key, parse).unwrap_or(default)
    }

    /// Words as they are.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.get(key, |text| Ok(text.trim().to_owned())).filter(|text| !text.is_empty())
    }

    /// A list, or the parts of one text between marks.
    pub(super) fn list(&self, key: &'static str, mark: char) -> Option<Vec<Node>> {
        let node = self.node(key)?;
        Some(match &node.value {
            Value::List(items) => items.clone(),
            Value::Text(text) => {
                text::split(text, mark).into_iter().map(|part| Node::text(node.row, text::unwrap(part))).collect()
            }
            Value::Table(_) => vec![node.clone()],
        })
    }

    /// A table, or `key=value; key=value` in one text.
    pub(super) fn table(&self, key: &'static str) -> Option<Self> {
        let node = self.node(key)?.clone();
        self.inner(key, &node)
    }

    /// One node as a table.
    pub(super) fn inner(&self, key: &str, node: &Node) -> Option<Self> {
        let entries = match &node.value {
            Value::Table(entries) => entries.clone(),
            Value::Text(text) => self.pairs_of(key, node.row, text)?,
            Value::List(_) => {
                self.wrong_at(key, node.row, Wrong::new("Here stands a list.", "Write a table: { name = \"value\" }."));
                return None;
            }
        };
        let path = format!("{}{key}.", self.path);
        Some(Self { file: self.file, row: node.row, path, entries, asked: RefCell::default(), notes: self.notes })
    }

    fn pairs_of(&self, key: &str, row: u32, text: &str) -> Option<Vec<Entry>> {
        let mut entries = Vec::new();
        for part in text::split(text, ';') {
            let at = text::split(part, '=').first().map_or(0, |name| name.len());
            let (name, rest) = part.split_at_checked(at)?;
            let Some(value) = rest.trim_start().strip_prefix('=') else {
                let wrong = Wrong::new(format!("{} has no = in it.", problem::quoted(part)), "Write name=value; name=value.");
                self.wrong_at(key, row, wrong);
                return None;
            };
            entries.push(Entry { key: text::unwrap(name), row, node: Node::text(row, text::unwrap(value)) });
        }
        Some(entries)
    }

    /// A list of tables.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let Some(node) = self.node(key).cloned() else { return Vec::new() };
        match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.inner(key, item)).collect(),
            Value::Text(_) | Value::Table(_) => self.inner(key, &node).into_iter().collect(),
        }
    }

    /// All keys with their text, tables inside joined by a dot.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        self.flat("", &self.entries, &mut out);
        out
    }

    fn flat(&self, before: &str, entries: &[Entry], out: &mut Vec<(String, String)>) {
        for entry in entries {
            let key = format!("{before}{}", entry.key);
            match &entry.node.value {
                Value::Text(text) => out.push((key, text.clone())),
                Value::Table(inner) => self.flat(&format!("{key}."), inner, out),
                Value::List(_) => self.wrong_at(&key, entry.row, Wrong::new("Here stands a list.", "Write one value.")),
            }
        }
    }

    /// Names every key that was never asked for.
    pub(super) fn done(&self) {
        let asked = self.asked.borrow();
        for entry in self.entries.iter().filter(|entry| !asked.contains(&entry.key.as_str())) {
            let what = format!("{} is not known here.", problem::quoted(&entry.key));
            let wrong = Wrong::new(what, "Mend the spelling or take it out.").near(&entry.key, asked.iter().copied());
            self.wrong_at(&entry.key, entry.row, wrong);
        }
        let mut keys: Vec<&str> = self.entries.iter().map(|entry| entry.key.as_str()).collect();
        keys.sort_unstable();
        for pair in keys.windows(2) {
            if let [a, b] = pair
                && a == b
            {
                self.wrong_at(a, self.row, Wrong::new(format!("{a} stands here twice."), "Keep one of them."));
            }
        }
    }
}

/// What a missing key could look like.
fn example(key: &str) -> &'static str {
    match key {
        "id" => "each needs a name of its own, such as S117.",
        "duration" => "how long the exercise takes, such as 6h.",
        "at" => "when it happens, such as 00:20.",
        "what" => "what happens, such as power-loss.",
        "where" | "as" | "of" | "from" | "to" => "which sites, such as site:S117 or region:HUA.",
        "lasts" => "how long, such as 20m.",
        "region" => "the county, such as HUA.",
        "within" => "how much later at the latest, such as 15m.",
        "groups" => "who is parted, such as groups = [\"region:HUA\", \"region:TTT\"].",
        _ => "see configs/scenarios/README.md.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_reads_as_a_table_would() {
        let notes = Notes::default();
        let cell = Entry { key: "data".into(), row: 3, node: Node::text(3, "id=R-17; item=infant formula; note=\"a; b=c\"") };
        let form = Form::new("msel.csv", 3, vec![cell], &notes);
        let pairs = form.table("data").unwrap().pairs();
        let want = [("id", "R-17"), ("item", "infant formula"), ("note", "a; b=c")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(pairs, want);
        form.done();
        drop(form);
        assert!(notes.done().1.is_empty());
    }

    #[test]
    fn keys_nobody_asked_for_are_named_with_the_nearest() {
        let notes = Notes::default();
        let entries = vec![Entry { key: "wehre".into(), row: 9, node: Node::text(9, "*") }];
        let form = Form::new("scenario.toml", 8, entries, &notes);
        assert_eq!(form.text("where"), None);
        assert_eq!(form.get("lasts", text::duration), None);
        form.done();
        drop(form);
        let problems = notes.done().1;
        assert_eq!((problems[0].place.row, problems[0].accepted[0].as_str()), (9, "where"));
    }
}
