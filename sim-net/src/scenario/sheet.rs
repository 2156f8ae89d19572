//! Sheets as spreadsheet programs save them: CSV in UTF-8, with or without a byte order mark, or in Big5; commas, semicolons, tabs.

use super::problem::{Notes, Place, Wrong, quoted};
use super::tree::{Entry, Node};

/// How a sheet was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf8Bom,
    Big5,
}

impl Encoding {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 with BOM",
            Self::Big5 => "Big5",
        }
    }
}

/// One row below the headings; empty cells are left out.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// As the spreadsheet program counts, headings are row 1.
    pub(super) row: u32,
    pub(super) cells: Vec<Entry>,
}

/// Bytes as text; what is no text in any of the three is noted.
fn decode(file: &str, bytes: &[u8], notes: &Notes) -> Option<(String, Encoding)> {
    let whole = |what: &str| {
        let todo = "Save the sheet as \"CSV UTF-8\".";
        notes.problem(Wrong::new(what, todo).at(Place { file: file.to_owned(), ..Place::default() }));
    };
    let (plain, found) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, Encoding::Utf8Bom),
        None => (bytes, Encoding::Utf8),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        whole("The sheet is in UTF-16.");
        return None;
    }
    if bytes.starts_with(b"PK\x03\x04") {
        whole("This is a workbook, not a CSV sheet.");
        return None;
    }
    if let Ok(text) = std::str::from_utf8(plain) {
        return Some((text.to_owned(), found));
    }
    match encoding_rs::BIG5.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if found == Encoding::Utf8 => Some((text.into_owned(), Encoding::Big5)),
        _ => {
            whole("The sheet is neither in UTF-8 nor in Big5.");
            None
        }
    }
}

/// What stands between cells: whatever the headings have most of.
fn mark(text: &str) -> u8 {
    let headings = text.lines().next().unwrap_or_default();
    let count = |mark: u8| headings.bytes().filter(|byte| *byte == mark).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|mark| (count(*mark), *mark == b',')).unwrap_or(b',')
}

/// Reads a sheet with these columns. A heading that begins with `#` is for people only; any other unknown heading is a problem.
pub(super) fn rows(file: &str, bytes: &[u8], columns: &[&str], notes: &Notes) -> Option<Vec<Row>> {
    let (text, encoding) = decode(file, bytes, notes)?;
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(mark(&text)).from_reader(text.as_bytes());
    let (mut out, mut record, mut headings, mut inner) = (Vec::new(), csv::StringRecord::new(), None, 0_u64);
    loop {
        let at = |row: u64, key: &str| Place {
            file: file.to_owned(),
            row: u32::try_from(row).unwrap_or(u32::MAX),
            key: key.to_owned(),
        };
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let row = error.position().map_or(0, csv::Position::line);
                notes.problem(Wrong::new(format!("The sheet can't be read: {error}."), "Save it again as CSV.").at(at(row, "")));
                return None;
            }
        }
        // Lines inside of cells are no rows; empty lines are, though the reader skips them.
        inner += record.iter().map(|cell| cell.bytes().filter(|byte| *byte == b'\n').count() as u64).sum::<u64>();
        let row = reader.position().line().saturating_sub(1).saturating_sub(inner);
        let Some(known) = &headings else {
            headings = Some(headline(&record, columns, notes, |key| at(row, key)));
            continue;
        };
        let mut cells = Vec::new();
        for (place, cell) in record.iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty()) {
            match known.get(place) {
                Some(Some(key)) => {
                    let row = at(row, "").row;
                    cells.push(Entry { key: key.clone(), row, node: Node::text(row, cell.trim()) });
                }
                Some(None) => {}
                None => {
                    let wrong =
                        Wrong::new(format!("{} stands right of the last heading.", quoted(cell)), "Give the column a heading.");
                    notes.problem(wrong.at(at(row, "")));
                }
            }
        }
        if !cells.is_empty() {
            out.push(Row { row: at(row, "").row, cells });
        }
    }
    if headings.is_none() {
        let wrong = Wrong::new("The sheet is empty.", "Its first row must hold the headings.").among(columns.iter().copied());
        notes.problem(wrong.at(Place { file: file.to_owned(), ..Place::default() }));
    }
    let whole = Place { file: file.to_owned(), ..Place::default() };
    notes.remark(whole, format!("read as {}, {} rows.", encoding.text(), out.len()));
    Some(out)
}

/// The key of each column, none for one that is for people.
fn headline(record: &csv::StringRecord, columns: &[&str], notes: &Notes, at: impl Fn(&str) -> Place) -> Vec<Option<String>> {
    let mut keys: Vec<Option<String>> = Vec::new();
    for heading in record {
        let key = heading.trim().to_lowercase().replace([' ', '-'], "_");
        if key.is_empty() || key.starts_with('#') {
            keys.push(None);
            continue;
        }
        if !columns.contains(&key.as_str()) {
            let todo = "Mend the heading, or begin it with # if the column is for people only.";
            let wrong = Wrong::new(format!("{} is no column of this sheet.", quoted(heading)), todo);
            notes.problem(wrong.near(&key, columns.iter().copied()).at(at("")));
            keys.push(None);
        } else if keys.contains(&Some(key.clone())) {
            notes.problem(Wrong::new("Two columns have this heading.", "Keep one of them.").at(at(&key)));
            keys.push(None);
        } else {
            keys.push(Some(key));
        }
    }
    keys
}

/// A sheet as text: byte order mark, so that spreadsheet programs take it for UTF-8, headings, rows.
pub(super) fn write(columns: &[&str], rows: &[Vec<String>]) -> std::io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(b"\xef\xbb\xbf".to_vec());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[&str] = &["id", "name"];

    /// Rows with their cells, remarks, problems.
    type Shown = (Vec<(u32, Vec<String>)>, Vec<String>, Vec<String>);

    fn read(bytes: &[u8]) -> Shown {
        let notes = Notes::default();
        let rows = rows("s.csv", bytes, COLUMNS, &notes).unwrap_or_default();
        let text = |entry: &Entry| match &entry.node.value {
            super::super::tree::Value::Text(text) => format!("{}={text}", entry.key),
            super::super::tree::Value::List(_) | super::super::tree::Value::Table(_) => panic!("a cell is text: {entry:?}"),
        };
        let shown = rows.iter().map(|row| (row.row, row.cells.iter().map(text).collect())).collect();
        let (remarks, problems) = notes.done();
        (shown, remarks.iter().map(ToString::to_string).collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn utf8_with_and_without_bom_and_big5_read_the_same() {
        let utf8 = "id,name\r\nS1,花蓮市\r\n";
        let bom = format!("\u{feff}{utf8}");
        let (big5, _, _) = encoding_rs::BIG5.encode(utf8);
        for (bytes, says) in [(utf8.as_bytes(), "UTF-8,"), (bom.as_bytes(), "UTF-8 with BOM,"), (&*big5, "Big5,")] {
            let (rows, remarks, problems) = read(bytes);
            assert_eq!(rows, [(2, vec!["id=S1".to_owned(), "name=花蓮市".to_owned()])]);
            assert_eq!(remarks, [format!("s.csv: read as {says} 1 rows.")]);
            assert!(problems.is_empty(), "{problems:?}");
        }
        for bytes in [&b"id,name\nS1,\xff\xff\n"[..], b"\xff\xfei\0d\0", b"PK\x03\x04...", b"\xef\xbb\xbfid\n\xff"] {
            assert_eq!(read(bytes).2.len(), 1, "{bytes:?}");
        }
    }

    #[test]
    fn rows_count_as_the_spreadsheet_program_counts_them() {
        let (rows, _, _) = read(b"id,name\n\nS1,\"two\nlines\"\n,\nS2,b\n\n\nS3,c");
        assert_eq!(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 5, 8]);
        let (rows, _, _) = read(b"ID; Name\r\nS1;a\r\n\r\nS2;b\r\n");
        assert_eq!(rows.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(rows[1].1, ["id=S2", "name=b"]);
    }

    #[test]
    fn unknown_headings_are_told_once_and_notes_for_people_are_left_alone() {
        let (rows, _, problems) = read(b"id,nmae,#why,\nS1,a,because,more\nS2,b,,\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("\"nmae\"") && problems[0].contains("Known: name, id."), "{problems:?}");
        assert!(read(b"id,id\n").2[0].contains("Two columns"));
        assert!(read(b"").2[0].contains("empty"));
        assert!(read(b"id\nS1,more\n").2[0].contains("right of the last heading"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let rows = vec![vec!["S1".to_owned(), "a, \"b\"\nc".to_owned()]];
        let bytes = write(COLUMNS, &rows).unwrap();
        assert!(bytes.starts_with(b"\xef\xbb\xbf"));
        assert_eq!(read(&bytes).0, [(2, vec!["id=S1".to_owned(), "name=a, \"b\"\nc".to_owned()])]);
    }
}
