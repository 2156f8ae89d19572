//! A small courier file as lines of capital letters and digits: shown as QR codes, read by a scanner that types as a keyboard does.
//!
//! A line is `HF1`, the name of the file (8 symbols), which part it is and of how many (two digits each), the part in Base32 without
//! padding, and 7 symbols of check: Base32 of the first 4 bytes of the hash of all before them. Parts are of one length, the last may be
//! shorter. Nothing in a line is another on any keyboard that has the letters and digits where they are expected.

use std::collections::BTreeMap;

use data_encoding::BASE32_NOPAD;

use crate::identity::hash16;

/// The first symbols of every line; another number is another form and is refused.
const MARK: &str = "HF1";
/// Bytes of the file in a line: fits a QR code of 57 modules, which a terminal of 33 lines shows.
const PART_BYTES: usize = 230;
/// Lines of one file, at most: nobody scans more.
pub const CODES_MAX: usize = 40;
/// Largest file that goes into lines.
pub const SHOWN_BYTES_MAX: usize = CODES_MAX * PART_BYTES;
/// Symbols of the name of a file.
const NAME: usize = 8;
/// Symbols of the check.
const CHECK: usize = 7;
/// Symbols before the part.
const BEFORE: usize = MARK.len() + NAME + 4;
/// Longest line.
const LINE_MAX: usize = BEFORE + (PART_BYTES * 8).div_ceil(5) + CHECK;

/// The lines of a file; `None` where it takes too many.
#[must_use]
pub fn lines(file: &[u8]) -> Option<Vec<String>> {
    let parts: Vec<&[u8]> = file.chunks(PART_BYTES).collect();
    if parts.is_empty() || parts.len() > CODES_MAX {
        return None;
    }
    let name = BASE32_NOPAD.encode(&hash16(file)[..5]);
    let line = |(place, part): (usize, &&[u8])| {
        let body = format!("{MARK}{name}{:02}{:02}{}", place + 1, parts.len(), BASE32_NOPAD.encode(part));
        format!("{body}{}", check(&body))
    };
    Some(parts.iter().enumerate().map(line).collect())
}

fn check(body: &str) -> String {
    BASE32_NOPAD.encode(&hash16(body.as_bytes())[..4])
}

/// A line that is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFlaw {
    /// It does not look like one.
    #[error("no line of a courier file")]
    Strange,
    /// Something in it was read or typed wrong.
    #[error("read wrong: its check does not fit")]
    Check,
    /// Of another file than the lines before.
    #[error("of another file")]
    OtherFile,
}

/// Gathers lines in any order until the file is whole.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    name: Option<String>,
    count: usize,
    parts: BTreeMap<usize, Vec<u8>>,
}

impl Gathered {
    /// Takes a line; capital or small letters, with whatever blanks a scanner puts around. True where it is new.
    ///
    /// # Errors
    /// [`LineFlaw`]; what was gathered before stays.
    pub fn take(&mut self, line: &str) -> Result<bool, LineFlaw> {
        let line = line.trim().to_ascii_uppercase();
        if line.len() > LINE_MAX || line.len() <= BEFORE + CHECK || !line.is_ascii() || !line.starts_with(MARK) {
            return Err(LineFlaw::Strange);
        }
        let (body, given) = line.split_at(line.len() - CHECK);
        if check(body) != given {
            return Err(LineFlaw::Check);
        }
        let number = |at: usize| body.get(at..at + 2).and_then(|digits| digits.parse::<usize>().ok());
        let (name, part) = (&body[MARK.len()..MARK.len() + NAME], &body[BEFORE..]);
        let (Some(place), Some(count)) = (number(BEFORE - 4), number(BEFORE - 2)) else { return Err(LineFlaw::Strange) };
        let part = BASE32_NOPAD.decode(part.as_bytes()).map_err(|_| LineFlaw::Strange)?;
        if !(1..=count).contains(&place) || count > CODES_MAX || (place < count && part.len() != PART_BYTES) {
            return Err(LineFlaw::Strange);
        }
        if *self.name.get_or_insert_with(|| name.to_owned()) != name || (self.count != 0 && self.count != count) {
            return Err(LineFlaw::OtherFile);
        }
        self.count = count;
        Ok(self.parts.insert(place, part).is_none())
    }

    /// How many there are; 0 before the first.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those that are lacking, by number.
    #[must_use]
    pub fn lacking(&self) -> Vec<usize> {
        (1..=self.count).filter(|place| !self.parts.contains_key(place)).collect()
    }

    /// True once all are there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.count > 0 && self.parts.len() == self.count
    }

    /// The file as far as it goes without a gap: all of it, or what stands before the first part that is lacking.
    #[must_use]
    pub fn file(&self) -> Vec<u8> {
        (1..=self.count).map_while(|place| self.parts.get(&place)).flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lines_in_any_order_and_any_number_of_times_are_the_file(
            file in prop::collection::vec(any::<u8>(), 1..4_000), turns in prop::collection::vec(any::<prop::sample::Index>(), 0..60)
        ) {
            let lines = lines(&file).unwrap();
            let mut gathered = Gathered::default();
            for turn in turns {
                let line = &lines[turn.index(lines.len())];
                prop_assert!(line.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()));
                prop_assert!(line.len() <= LINE_MAX);
                gathered.take(&format!(" {}\r\n", line.to_lowercase())).unwrap();
            }
            let lacking = gathered.lacking();
            prop_assert!(file.starts_with(&gathered.file()));
            for line in lines.iter().rev() {
                gathered.take(line).unwrap();
            }
            prop_assert!(lacking.iter().all(|place| (1..=lines.len()).contains(place)));
            prop_assert!(gathered.is_whole() && gathered.lacking().is_empty());
            prop_assert_eq!(gathered.file(), file);
        }

        #[test]
        fn a_symbol_read_wrong_is_told(file in prop::collection::vec(any::<u8>(), 1..600), at: prop::sample::Index, with in 0..36_u8) {
            let mut line = lines(&file).unwrap().remove(0).into_bytes();
            let at = at.index(line.len());
            let symbol = if with < 26 { b'A' + with } else { b'0' + with - 26 };
            prop_assume!(line[at] != symbol);
            line[at] = symbol;
            let mut gathered = Gathered::default();
            prop_assert!(gathered.take(std::str::from_utf8(&line).unwrap()).is_err());
            prop_assert_eq!(gathered.count(), 0);
        }

        #[test]
        fn noise_is_no_line(text: String) {
            prop_assert!(Gathered::default().take(&text).is_err());
        }
    }

    #[test]
    fn lines_of_two_files_are_not_mixed_and_too_long_a_file_has_none() {
        let (one, other) = (lines(b"one").unwrap(), lines(&[7; 500]).unwrap());
        let mut gathered = Gathered::default();
        assert_eq!(gathered.take(&other[2]), Ok(true));
        assert_eq!(gathered.take(&other[2]), Ok(false));
        assert_eq!(gathered.take(&one[0]), Err(LineFlaw::OtherFile));
        assert_eq!(gathered.lacking(), [1, 2]);
        assert!(lines(&vec![0; SHOWN_BYTES_MAX]).is_some());
        assert!(lines(&vec![0; SHOWN_BYTES_MAX + 1]).is_none() && lines(&[]).is_none());
    }
}
