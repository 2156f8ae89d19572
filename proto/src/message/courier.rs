//! Courier files: words that somebody carries, for a partition that nothing else crosses. A file is what a link would have brought,
//! laid down: the very frames, each with one word. Whoever wrote it is not believed for it; each word proves itself at the gate.
//!
//! | at | what |
//! | --- | --- |
//! | 0 | [`MAGIC`] |
//! | 8 | [`FORMAT`], one byte; a file of another format is refused |
//! | 9 | length of the head, 2 bytes big-endian; the head, as [`Head::fields`] lays it out |
//! | then, again and again | length of a record, 2 bytes big-endian, not 0; the record: one frame |
//! | at the end | two bytes 0; the number of records, 4 bytes big-endian; the check, 16 bytes |
//!
//! The check is a chain: it begins with the hash of all up to the end of the head, and each record makes a new one of the last and
//! its own bytes with their length. So a file can be written, read and cut piece by piece, and one that was cut short is told.

pub mod codes;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::id::NodeId;
use crate::identity::{Realm, RealmKind, clean_text, hash16};
use crate::replica::Hash16;
use crate::time::UtcMillis;

/// The first bytes of every courier file. No text, and damaged by whatever changes the ends of lines.
pub const MAGIC: [u8; 8] = *b"\x89HFCOUR\n";
/// The format written here, and the only one read.
pub const FORMAT: u8 = 1;
/// Largest head; ours are below 200 bytes.
const HEAD_BYTES_MAX: usize = 1_024;
/// Longest name of an alliance in a head.
const NAME_BYTES_MAX: usize = 128;
/// Largest file that is written or read. A county of 1,000 nodes with 200,000 entries takes about 60 MB.
pub const FILE_BYTES_MAX: u64 = 256 << 20;
/// A file passes the API in pieces of about this size, each with the head before it.
pub const PIECE_BYTES: usize = 32_768;
/// Bytes of the end of a file.
pub const END_BYTES: usize = 22;

/// What a file says of itself. Nothing of it is proven; it spares people a detour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of which alliance its words are.
    pub realm: Realm,
    /// Real, drill or simulation.
    pub kind: RealmKind,
    /// That alliance, for people.
    pub alliance: String,
    /// Who wrote it.
    pub from: NodeId,
    /// For whom: what is not for all is in it only as far as this node may have it.
    pub to: NodeId,
    /// The writer's clock.
    pub made: UtcMillis,
    /// Records that were planned. The end says how many it became.
    pub words: u32,
}

impl Head {
    /// | id | field | form |
    /// | --- | --- | --- |
    /// | 1 | realm | 32 bytes |
    /// | 2 | kind | integer: its code |
    /// | 3 | alliance | text |
    /// | 4, 5 | writer, addressee | 4 bytes each |
    /// | 6 | made | integer: milliseconds since 1970; 0 = unknown |
    /// | 7 | words | integer |
    #[must_use]
    pub fn fields(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes(1, &self.realm.0).uint(2, self.kind.code().into()).text(3, &self.alliance);
        writer.bytes(4, &self.from.to_bytes()).bytes(5, &self.to.to_bytes());
        writer.uint(6, u64::try_from(self.made.0).unwrap_or(0)).uint(7, self.words.into());
        writer.finish()
    }

    /// All up to the first record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = self.fields();
        let length = u16::try_from(fields.len()).unwrap_or(u16::MAX);
        [&MAGIC[..], &[FORMAT], &length.to_be_bytes(), &fields].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let fields = Fields::parse(bytes)?;
        let alliance = fields.text(3)?;
        Ok(Self {
            realm: Realm(fields.array(1)?),
            kind: RealmKind::from_code(fields.uint(2)?).ok_or(Malformed)?,
            alliance: clean_text(alliance, NAME_BYTES_MAX).map_err(|_| Malformed)?.to_owned(),
            from: NodeId::from_bytes(fields.array(4)?),
            to: NodeId::from_bytes(fields.array(5)?),
            made: UtcMillis(i64::try_from(fields.uint(6)?).map_err(|_| Malformed)?),
            words: u32::try_from(fields.uint(7)?).map_err(|_| Malformed)?,
        })
    }
}

/// Names as a head may hold them, one behind the other as far as they fit.
#[must_use]
pub fn names(all: impl IntoIterator<Item = String>) -> String {
    let mut out = String::new();
    for name in all {
        let more = if out.is_empty() { name } else { format!(", {name}") };
        if out.len() + more.len() <= NAME_BYTES_MAX {
            out += &more;
        }
    }
    if out.is_empty() { "-".to_owned() } else { out }
}

/// Records so far, and the check over them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Records.
    pub words: u32,
    check: Hash16,
}

impl Chain {
    /// Behind the head.
    #[must_use]
    pub fn after(head: &[u8]) -> Self {
        Self { words: 0, check: hash16(head) }
    }

    /// One more record: how it stands in the file. Empty for a frame that no record takes.
    pub fn record(&mut self, frame: &[u8]) -> Vec<u8> {
        let Some(length) = u16::try_from(frame.len()).ok().filter(|length| *length > 0) else { return Vec::new() };
        let record = [&length.to_be_bytes()[..], frame].concat();
        self.words = self.words.saturating_add(1);
        self.check = hash16(&[&self.check[..], &record].concat());
        record
    }

    /// The end of the file.
    #[must_use]
    pub fn end(&self) -> [u8; END_BYTES] {
        let mut end = [0; END_BYTES];
        end[2..6].copy_from_slice(&self.words.to_be_bytes());
        end[6..].copy_from_slice(&self.check);
        end
    }
}

/// The next thing in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What it says of itself: comes first.
    Head(Head),
    /// The frame of one record.
    Word(Bytes),
    /// The end, and it fits all before it.
    End,
}

/// The bytes are no courier file, or not one that is read here. What came before stays good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It begins otherwise.
    #[error("it does not begin as a courier file does")]
    NotACourierFile,
    /// Written by a newer or older program.
    #[error("it is of format {0}, and this program reads format {FORMAT}")]
    Format(u8),
    /// What it says of itself can't be read.
    #[error("its head can't be read")]
    Head,
    /// What stands at the end does not fit what stands before.
    #[error("its end does not fit what stands before it")]
    Check,
    /// Something stands behind the end.
    #[error("something stands behind its end")]
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Head,
    Words,
    Ended,
    Broken(Flaw),
}

/// Reads a file that comes in pieces of any size. Holds no more than what was pushed and not taken, and no record is above 64 KiB.
#[derive(Clone, Debug)]
pub struct Reader {
    rest: Vec<u8>,
    at: usize,
    stage: Stage,
    chain: Chain,
    planned: u32,
}

impl Default for Reader {
    fn default() -> Self {
        Self { rest: Vec::new(), at: 0, stage: Stage::Head, chain: Chain::default(), planned: 0 }
    }
}

impl Reader {
    /// More of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.drain(..std::mem::take(&mut self.at));
        self.rest.extend_from_slice(bytes);
    }

    /// The next part; `None` until more is pushed, and behind the end.
    ///
    /// # Errors
    /// [`Flaw`]: nothing more is read. Asked again it says the same.
    pub fn next_part(&mut self) -> Result<Option<Part>, Flaw> {
        let part = match self.stage {
            Stage::Head => self.head(),
            Stage::Words => self.word(),
            Stage::Ended if self.at < self.rest.len() => Err(Flaw::After),
            Stage::Ended => Ok(None),
            Stage::Broken(flaw) => Err(flaw),
        };
        if let Err(flaw) = part {
            self.stage = Stage::Broken(flaw);
        }
        part
    }

    /// Records read.
    #[must_use]
    pub fn words(&self) -> u32 {
        self.chain.words
    }

    /// Records that the head announced.
    #[must_use]
    pub fn planned(&self) -> u32 {
        self.planned
    }

    /// True once the end was read and fits.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.stage == Stage::Ended
    }

    fn rest(&self) -> &[u8] {
        self.rest.get(self.at..).unwrap_or_default()
    }

    fn head(&mut self) -> Result<Option<Part>, Flaw> {
        const FIXED: usize = MAGIC.len() + 3;
        let rest = self.rest();
        let begun = rest.len().min(MAGIC.len());
        if rest[..begun] != MAGIC[..begun] {
            return Err(Flaw::NotACourierFile);
        }
        if let Some(format) = rest.get(MAGIC.len()).filter(|format| **format != FORMAT) {
            return Err(Flaw::Format(*format));
        }
        let Some((fixed, behind)) = rest.split_at_checked(FIXED) else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes([fixed[FIXED - 2], fixed[FIXED - 1]]));
        if length > HEAD_BYTES_MAX {
            return Err(Flaw::Head);
        }
        let Some(fields) = behind.get(..length) else { return Ok(None) };
        let head = Head::parse(fields).map_err(|Malformed| Flaw::Head)?;
        self.chain = Chain::after(&rest[..FIXED + length]);
        self.planned = head.words;
        self.at += FIXED + length;
        self.stage = Stage::Words;
        Ok(Some(Part::Head(head)))
    }

    fn word(&mut self) -> Result<Option<Part>, Flaw> {
        let rest = self.rest();
        let Some((length, behind)) = rest.split_first_chunk::<2>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 {
            let Some(end) = rest.get(..END_BYTES) else { return Ok(None) };
            if end != self.chain.end() {
                return Err(Flaw::Check);
            }
            self.at += END_BYTES;
            self.stage = Stage::Ended;
            return Ok(Some(Part::End));
        }
        let Some(frame) = behind.get(..length).map(Bytes::copy_from_slice) else { return Ok(None) };
        self.chain.record(&frame);
        self.at += 2 + length;
        Ok(Some(Part::Word(frame)))
    }
}

/// Cuts a file that comes in parts of any size into pieces that are handed in one by one, each with the head before it.
#[derive(Clone, Debug, Default)]
pub struct Cutter {
    reader: Reader,
    head: Option<Head>,
    piece: Vec<u8>,
    given: bool,
}

impl Cutter {
    /// More of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// The next piece that is full; `None` until more is pushed.
    ///
    /// # Errors
    /// [`Flaw`]: nothing more is read. What came before it is the last piece.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Flaw> {
        while let Some(part) = self.reader.next_part()? {
            match part {
                Part::Head(head) => {
                    self.piece = head.to_bytes();
                    self.head = Some(head);
                }
                Part::Word(frame) => {
                    let full = self.piece.len() + frame.len() > PIECE_BYTES;
                    let before = full.then(|| self.cut());
                    self.piece.extend(Chain::default().record(&frame));
                    if before.is_some() {
                        return Ok(before);
                    }
                }
                Part::End => {}
            }
        }
        Ok(None)
    }

    /// What is left when the file is over, whole or not. `None` where not even its head came, or all was given.
    pub fn last_piece(&mut self) -> Option<Vec<u8>> {
        let begins = self.head.as_ref().map_or(0, |head| head.to_bytes().len());
        (self.head.is_some() && (self.piece.len() > begins || !self.given)).then(|| self.cut())
    }

    fn cut(&mut self) -> Vec<u8> {
        self.given = true;
        std::mem::replace(&mut self.piece, self.head.as_ref().map(Head::to_bytes).unwrap_or_default())
    }

    /// What the file says of itself, once that was read.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// How far it was read.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(words: u32) -> Head {
        Head {
            realm: Realm([7; 32]),
            kind: RealmKind::Exercise,
            alliance: "Example Mart, 範例超市".to_owned(),
            from: NodeId { issuer: 1, serial: 2 },
            to: NodeId { issuer: 3, serial: 4 },
            made: UtcMillis(1_795_000_000_000),
            words,
        }
    }

    fn file(frames: &[Vec<u8>]) -> Vec<u8> {
        let mut out = head(u32::try_from(frames.len()).unwrap()).to_bytes();
        let mut chain = Chain::after(&out);
        frames.iter().for_each(|frame| out.extend(chain.record(frame)));
        out.extend(chain.end());
        out
    }

    /// What is read until there is no more, and the flaw that ended it.
    fn read(pieces: &[&[u8]]) -> (Vec<Part>, Option<Flaw>, Reader) {
        let (mut reader, mut parts) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.push(piece);
            loop {
                match reader.next_part() {
                    Ok(Some(part)) => parts.push(part),
                    Ok(None) => break,
                    Err(flaw) => {
                        assert_eq!(reader.next_part(), Err(flaw));
                        return (parts, Some(flaw), reader);
                    }
                }
            }
        }
        (parts, None, reader)
    }

    fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..12)
    }

    proptest! {
        #[test]
        fn a_file_comes_back_however_it_is_cut_into_pieces(frames in frames(), size in 1..700_usize) {
            let bytes = file(&frames);
            let (parts, flaw, reader) = read(&bytes.chunks(size).collect::<Vec<_>>());
            let words = frames.iter().map(|frame| Part::Word(frame.clone().into()));
            let all: Vec<Part> = [Part::Head(head(frames.len() as u32))].into_iter().chain(words).chain([Part::End]).collect();
            prop_assert_eq!((parts, flaw), (all, None));
            prop_assert!(reader.is_whole());
        }

        #[test]
        fn a_file_cut_at_any_byte_loses_no_whole_record_before_it_and_is_told(frames in frames(), at: prop::sample::Index) {
            let bytes = file(&frames);
            let at = at.index(bytes.len());
            let (parts, flaw, reader) = read(&[&bytes[..at]]);
            prop_assert_eq!(flaw, None);
            prop_assert!(!reader.is_whole());
            let mut end = head(frames.len() as u32).to_bytes().len();
            let whole = frames.iter().take_while(|frame| { end += 2 + frame.len(); end <= at }).count();
            let words = parts.iter().filter(|part| matches!(part, Part::Word(_))).count();
            prop_assert_eq!(words, whole);
            prop_assert_eq!(reader.words() as usize, whole);
        }

        #[test]
        fn one_changed_byte_is_told_and_nothing_panics(frames in frames(), at: prop::sample::Index, with in 1..=255_u8) {
            let mut bytes = file(&frames);
            let at = at.index(bytes.len());
            bytes[at] ^= with;
            let (_, flaw, reader) = read(&[&bytes]);
            prop_assert!(flaw.is_some() || !reader.is_whole());
        }

        #[test]
        fn its_pieces_hold_all_its_records_in_order_and_each_is_read_alone(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9_000), 0..20), size in 1..50_000_usize
        ) {
            let bytes = file(&frames);
            let (mut cutter, mut pieces) = (Cutter::default(), Vec::new());
            for part in bytes.chunks(size) {
                cutter.push(part);
                while let Some(piece) = cutter.next_piece().unwrap() {
                    pieces.push(piece);
                }
            }
            pieces.extend(cutter.last_piece());
            prop_assert_eq!(cutter.last_piece(), None);
            prop_assert!(cutter.reader().is_whole());
            let mut words = Vec::new();
            for piece in &pieces {
                prop_assert!(piece.len() <= PIECE_BYTES + 200);
                let (parts, flaw, _) = read(&[piece]);
                prop_assert_eq!((&parts[0], flaw), (&Part::Head(head(frames.len() as u32)), None));
                words.extend(parts.into_iter().skip(1));
            }
            let all: Vec<Part> = frames.iter().map(|frame| Part::Word(frame.clone().into())).collect();
            prop_assert_eq!(words, all);
            prop_assert!(!pieces.is_empty());
        }

        #[test]
        fn noise_is_read_to_no_good(bytes: Vec<u8>) {
            let (parts, ..) = read(&[&bytes]);
            prop_assert!(parts.is_empty());
        }
    }

    #[test]
    fn what_is_no_courier_file_or_of_another_format_is_told_apart() {
        assert_eq!(read(&[b"PK\x03\x04"]).1, Some(Flaw::NotACourierFile));
        let mut newer = file(&[]);
        newer[MAGIC.len()] = 9;
        assert_eq!(read(&[&newer]).1, Some(Flaw::Format(9)));
        let longer = [file(&[b"a".to_vec()]), b"x".to_vec()].concat();
        let (parts, flaw, _) = read(&[&longer]);
        assert_eq!((parts.len(), flaw), (3, Some(Flaw::After)), "what is before it is read");
    }

    #[test]
    fn names_of_an_alliance_fit_its_head() {
        let many = names((0..40).map(|n| format!("Firm {n}")));
        assert!(many.len() <= NAME_BYTES_MAX && many.starts_with("Firm 0, Firm 1"), "{many}");
        assert_eq!(names([]), "-");
    }
}
