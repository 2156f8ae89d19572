//! What is wrong with a scenario, said so that whoever wrote it can mend it: where, what, which words are known, what to do.

use std::cell::RefCell;
use std::fmt;

/// Most names shown in a hint.
const NEAREST: usize = 3;
/// Characters of a text that are shown and compared; more is somebody's whole paragraph in a wrong cell.
const SHOWN: usize = 60;

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// File name; empty: nothing was written, the program made it.
    pub file: String,
    /// Line of a text, row of a sheet, from 1; 0: the whole file.
    pub row: u32,
    /// Key or column; empty: the whole line.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sheet = self.file.ends_with(".csv");
        let mut parts = Vec::new();
        if !self.file.is_empty() {
            parts.push(self.file.clone());
        }
        if self.row > 0 {
            parts.push(format!("{} {}", if sheet { "row" } else { "line" }, self.row));
        }
        if !self.key.is_empty() {
            parts.push(format!("{} {}", if sheet { "column" } else { "key" }, self.key));
        }
        f.write_str(&if parts.is_empty() { "scenario".to_owned() } else { parts.join(", ") })
    }
}

/// Why the scenario can't be run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What was found, and what it means.
    pub what: String,
    /// The words that are known there, or the nearest three names.
    pub accepted: Vec<String>,
    /// They are the nearest of many.
    pub nearest: bool,
    /// What to do.
    pub todo: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.accepted.is_empty() {
            let what = if self.nearest { "Nearest" } else { "Known" };
            write!(f, " {what}: {}.", self.accepted.join(", "))?;
        }
        if self.todo.is_empty() { Ok(()) } else { write!(f, " {}", self.todo) }
    }
}

/// Something that may be meant so, and may not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What.
    pub what: String,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A problem before its place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) accepted: Vec<String>,
    pub(super) nearest: bool,
    pub(super) todo: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { what: what.into(), accepted: Vec::new(), nearest: false, todo: todo.into() }
    }

    /// With all the words that may stand there.
    pub(super) fn among<S: Into<String>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.accepted = words.into_iter().map(Into::into).collect();
        self
    }

    /// With the three names that were probably meant.
    pub(super) fn near<'a>(self, typed: &str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        let many = names.len() > NEAREST;
        let near = nearest(typed, names);
        Self { nearest: many, ..self.among(near) }
    }

    pub(super) fn at(self, place: Place) -> Problem {
        Problem { place, what: self.what, accepted: self.accepted, nearest: self.nearest, todo: self.todo }
    }
}

/// Collects while reading goes on, so that all is told at once.
#[derive(Debug, Default)]
pub(super) struct Notes {
    problems: RefCell<Vec<Problem>>,
    remarks: RefCell<Vec<Remark>>,
}

impl Notes {
    pub(super) fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// So many problems so far: more of them later means that what was read in between is not whole.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    pub(super) fn remark(&self, place: Place, what: impl Into<String>) {
        self.remarks.borrow_mut().push(Remark { place, what: what.into() });
    }

    /// Everything, by place, each once.
    pub(super) fn done(self) -> (Vec<Remark>, Vec<Problem>) {
        let (mut problems, remarks) = (self.problems.into_inner(), self.remarks.into_inner());
        problems.sort();
        problems.dedup();
        (remarks, problems)
    }
}

/// Text as shown in a sentence: in quotation marks, one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    format!("\"{shown}\"")
}

/// The three names nearest to what was typed, nearest first.
pub(super) fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let typed = lower(typed);
    let mut ranked: Vec<(usize, &str)> = names.into_iter().map(|name| (distance(&typed, name), name)).collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(NEAREST).map(|(_, name)| name.to_owned()).collect()
}

/// Whether one may be the other with a slip or two.
pub(super) fn alike(typed: &str, name: &str) -> bool {
    distance(&lower(typed), name) <= 2
}

fn lower(text: &str) -> Vec<char> {
    text.chars().take(SHOWN).flat_map(char::to_lowercase).collect()
}

/// Levenshtein's distance, case aside.
fn distance(typed: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (above, c) in name.chars().take(SHOWN).flat_map(char::to_lowercase).enumerate() {
        let mut corner = above;
        let mut left = above + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, typed) in row.iter_mut().skip(1).zip(typed) {
            let here = (corner + usize::from(*typed != c)).min(left + 1).min(*cell + 1);
            corner = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let words = ["power-loss", "power-back", "partition", "restore", "restart"];
        assert_eq!(nearest("powerlos", words)[0], "power-loss");
        assert_eq!(nearest("Restrat", words)[..2], ["restart".to_owned(), "restore".to_owned()]);
        assert_eq!(nearest("", ["a", "bb"]), ["a", "bb"]);
        let lev = |a: &str, b| distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!((lev("kitten", "sitting"), lev("", "abc"), lev("abc", ""), lev("same", "Same")), (3, 3, 3, 0));
    }

    #[test]
    fn a_problem_is_one_sentence_after_another() {
        let place = Place { file: "msel.csv".into(), row: 7, key: "where".into() };
        let problem = Wrong::new("\"region:HUX\" names no region.", "Write one of them.").near("HUX", ["HUA", "TPE"]).at(place);
        assert_eq!(
            problem.to_string(),
            "msel.csv, row 7, column where: \"region:HUX\" names no region. Known: HUA, TPE. Write one of them."
        );
    }
}
