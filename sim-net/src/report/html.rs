//! Markup: escaping, text in two languages, tables. Nothing that comes from a file gets here unescaped.

use std::fmt::{self, Display, Write as _};

use super::words::{Words, unit};
use crate::record::{Both, Phrase, Told};

/// Text for a page: what has markup in it is escaped already. In tables of one language both are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    zh: String,
    en: String,
}

/// As text between tags or in a quoted attribute. Characters that turn the direction of what follows, and controls, are left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

impl Text {
    /// The same markup in both languages; the caller escaped what is in it.
    pub(super) fn markup(markup: impl Into<String>) -> Self {
        let zh = markup.into();
        Self { en: zh.clone(), zh }
    }

    /// Nothing.
    pub(super) fn empty() -> Self {
        Self::markup("")
    }

    /// What was not.
    pub(super) fn none() -> Self {
        Self::markup(unit::NONE)
    }

    /// Whether there is nothing to see.
    pub(super) fn is_empty(&self) -> bool {
        self.zh.is_empty() && self.en.is_empty()
    }

    /// Inside an element of its own, in both languages.
    pub(super) fn inside(self, element: &str, class: &str) -> Self {
        let open = if class.is_empty() { format!("<{element}>") } else { format!("<{element} class={class}>") };
        Self::markup(format!("{open}{self}</{element}>"))
    }

    /// One after another.
    pub(super) fn then(mut self, next: &Self) -> Self {
        self.zh.push_str(&next.zh);
        self.en.push_str(&next.en);
        self
    }

    /// All of them with something in between.
    pub(super) fn join(all: impl IntoIterator<Item = Self>, between: &Self) -> Self {
        all.into_iter().reduce(|list, one| list.then(between).then(&one)).unwrap_or_else(Self::empty)
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.zh == self.en {
            return f.write_str(&self.zh);
        }
        write!(f, "<span lang=zh-TW>{}</span><span lang=en>{}</span>", self.zh, self.en)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::markup(escape(text))
    }
}

impl From<&Phrase> for Text {
    fn from(phrase: &Phrase) -> Self {
        Self::from(phrase.both())
    }
}

impl From<Both> for Text {
    fn from(both: Both) -> Self {
        Self { zh: escape(&both.zh), en: escape(&both.en) }
    }
}

impl From<Words> for Text {
    fn from(words: Words) -> Self {
        Self { zh: escape(words.zh), en: escape(words.en) }
    }
}

impl Words {
    /// With its places filled in. One pass: an argument is never read for places.
    pub(super) fn with(self, arguments: &[Text]) -> Text {
        let fill = |template: &str, side: fn(&Text) -> &str| {
            let mut out = String::new();
            let mut rest = template;
            while let Some((before, place, after)) = next_place(rest) {
                out.push_str(&escape(before));
                out.push_str(arguments.get(place).map_or("", side));
                rest = after;
            }
            out.push_str(&escape(rest));
            out
        };
        Text { zh: fill(self.zh, |text| &text.zh), en: fill(self.en, |text| &text.en) }
    }
}

/// What stands before the first `{n}`, its number, and what stands after it.
fn next_place(template: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = template.split_once('{')?;
    let (number, after) = rest.split_once('}')?;
    Some((before, number.parse().ok()?, after))
}

/// A column: its head and whether it holds numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    head: Words,
    class: &'static str,
}

/// A column of words.
pub(super) const fn words(head: Words) -> Column {
    Column { head, class: "" }
}

/// A column of numbers, set to the right.
pub(super) const fn number(head: Words) -> Column {
    Column { head, class: " class=n" }
}

/// A column that does not break its lines.
pub(super) const fn short(head: Words) -> Column {
    Column { head, class: " class=s" }
}

/// A row and whether something in it wants attention.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Fell short.
    pub(super) attention: bool,
    /// One per column.
    pub(super) cells: Vec<Text>,
}

impl From<Vec<Text>> for Row {
    fn from(cells: Vec<Text>) -> Self {
        Self { attention: false, cells }
    }
}

/// A table; without rows the sentence instead.
pub(super) fn table(columns: &[Column], rows: &[Row], otherwise: Words) -> String {
    if rows.is_empty() { paragraph("none", &otherwise.into()) } else { grid(columns, rows, "") }
}

/// A table, whatever is in it.
pub(super) fn grid(columns: &[Column], rows: &[Row], class: &str) -> String {
    let mut out =
        format!("<div class=wide><table{}><thead><tr>", if class.is_empty() { String::new() } else { format!(" class={class}") });
    for column in columns {
        push(&mut out, format_args!("<th scope=col{}>{}</th>", column.class, Text::from(column.head)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str(if row.attention { "<tr class=bad>" } else { "<tr>" });
        for (column, cell) in columns.iter().zip(&row.cells) {
            push(&mut out, format_args!("<td{}>{cell}</td>", column.class));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A paragraph.
pub(super) fn paragraph(class: &str, text: &Text) -> String {
    if class.is_empty() { format!("<p>{text}</p>\n") } else { format!("<p class={class}>{text}</p>\n") }
}

/// A heading inside a part.
pub(super) fn heading(words: Words) -> String {
    format!("<h3>{}</h3>\n", Text::from(words))
}

/// Names and values.
pub(super) fn facts(class: &str, facts: &[(Words, Text)]) -> String {
    let mut out = format!("<dl class={class}>\n");
    for (name, value) in facts {
        push(&mut out, format_args!("<div><dt>{}</dt><dd>{value}</dd></div>\n", Text::from(*name)));
    }
    out.push_str("</dl>\n");
    out
}

/// Text of a drawing, once per language where they differ.
pub(super) fn label(x: i64, y: i64, class: &str, text: &Text) -> String {
    let one = |lang: &str, words: &str| format!("<text{lang} class=\"{class}\" x={x} y={y}>{words}</text>");
    if text.zh == text.en {
        return one("", &text.zh);
    }
    one(" lang=zh-TW", &text.zh) + &one(" lang=en", &text.en)
}

/// Writing into a string cannot fail.
pub(super) fn push(out: &mut String, what: fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}
