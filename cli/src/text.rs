//! Text for a terminal: what peers wrote made harmless, tables by display width (a Chinese character takes two places).

use unicode_width::UnicodeWidthStr;

/// Makes text from a peer safe to print: control characters and those that turn the writing direction are shown, not obeyed.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for JSON text: such characters stand only inside strings there, where `\uXXXX` says the same.
pub(crate) fn clean_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// C0, C1 and DEL, line separators, and the marks and overrides of writing direction.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{061c}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Places a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// A text filled up with blanks to so many places; longer text stays whole.
pub(crate) fn pad(text: &str, places: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', places.saturating_sub(width(text))));
    out
}

/// How a cell is coloured on a terminal that shows colour. Shape and word say the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hue {
    /// As it is.
    Plain,
    /// Good.
    Green,
    /// Take care.
    Yellow,
    /// Bad.
    Red,
    /// Old or unimportant.
    Dim,
}

impl Hue {
    /// The text in this colour, or as it is.
    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Green => 32,
            Self::Yellow => 33,
            Self::Red => 31,
            Self::Dim => 2,
        };
        if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Rows of cells, aligned when rendered. The first row is the head.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, Hue)>>,
}

impl Table {
    /// A table with these column heads.
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| ((*head).to_owned(), Hue::Dim)).collect()] }
    }

    /// Adds a row; cells are made harmless here.
    pub(crate) fn row(&mut self, cells: Vec<(String, Hue)>) {
        self.rows.push(cells.into_iter().map(|(text, hue)| (clean(&text), hue)).collect());
    }

    /// Lines with two blanks between columns, none at the end.
    pub(crate) fn lines(&self, colour: bool) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|(text, _)| width(text)).max().unwrap_or(0))
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let last = row.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0);
                let mut line = String::new();
                for ((text, hue), places) in row.iter().zip(&widths).take(last + 1) {
                    line.push_str(&hue.paint(text, colour));
                    line.extend(std::iter::repeat_n(' ', places.saturating_sub(width(text)) + 2));
                }
                line.trim_end().to_owned()
            })
            .collect()
    }
}

/// A cell without colour.
pub(crate) fn plain(text: impl Into<String>) -> (String, Hue) {
    (text.into(), Hue::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_in_both_scripts() {
        let mut table = Table::new(&["名稱", "state"]);
        table.row(vec![plain("Store A 甲店"), plain("open")]);
        table.row(vec![plain("乙"), plain("closed")]);
        let lines = table.lines(false);
        let starts: Vec<usize> = [(0, "state"), (1, "open"), (2, "closed")]
            .iter()
            .map(|(row, word)| width(lines[*row].split(word).next().unwrap_or_default()))
            .collect();
        assert_eq!(starts, vec![14, 14, 14]);
    }

    #[test]
    fn what_a_peer_wrote_cannot_steer_the_terminal() {
        let wild = "\u{1b}[2Jhi\u{9b}31m\u{202e}evil\r\n\u{7f}";
        for safe in [clean(wild), clean_json(wild)] {
            assert!(!safe.chars().any(is_harmful), "{safe:?}");
            assert!(safe.contains("hi") && safe.contains("evil"));
        }
        let json = clean_json(&serde_json::to_string(&wild).unwrap());
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), wild);
    }

    #[test]
    fn colour_is_absent_unless_asked_for() {
        let mut table = Table::new(&["a"]);
        table.row(vec![("open".into(), Hue::Green)]);
        assert!(!table.lines(false).concat().contains('\u{1b}'));
        assert!(table.lines(true).concat().contains('\u{1b}'));
    }

    #[test]
    fn padding_counts_places_not_characters() {
        assert_eq!(pad("甲店", 6), "甲店  ");
        assert_eq!(pad("too long", 2), "too long");
    }
}
