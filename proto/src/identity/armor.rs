//! Text armor for keys and certificates in files: hex between two marker lines. Not a check of what is inside.
//!
//! Lines outside blocks that are empty or begin with `#` are skipped, so that people can write notes between blocks.

use std::fmt::Write as _;

use bytes::Bytes;

use super::bound::BOUND_KEY_BYTES;
use super::certificate::{Parsed, open};

/// Hex digits on a full line.
const LINE_DIGITS: usize = 64;
/// Bytes in one block: above any certificate, far below a mistake with a wrong file.
const BLOCK_BYTES_MAX: usize = 16_384;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArmorKind {
    /// 32-byte seed of a node; the file's mode is 0600.
    NodeKey,
    /// A node's key as its machine keeps it, see [`super::Machine`]; the file's mode is 0600.
    BoundKey,
    /// 32-byte seed of a root.
    RootKey,
    /// 32-byte seed of an issuer or a deputy.
    IssuerKey,
    /// A charter's envelope.
    Charter,
    /// An issuer certificate's envelope.
    Issuer,
    /// A node certificate's envelope.
    Node,
    /// A revocation's envelope.
    Revocation,
    /// A deputy certificate's envelope.
    Deputy,
    /// An envelope that roots are still to sign, see [`super::cosign`].
    Draft,
    /// 32-byte seed of a person, on that person's laptop.
    PersonKey,
    /// A delegation's envelope.
    Delegation,
}

impl ArmorKind {
    const ALL: [Self; 12] = [
        Self::NodeKey,
        Self::BoundKey,
        Self::RootKey,
        Self::IssuerKey,
        Self::Charter,
        Self::Issuer,
        Self::Node,
        Self::Revocation,
        Self::Deputy,
        Self::Draft,
        Self::PersonKey,
        Self::Delegation,
    ];

    /// The words in the marker lines.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NodeKey => "NODE KEY",
            Self::BoundKey => "BOUND NODE KEY",
            Self::RootKey => "ROOT KEY",
            Self::IssuerKey => "ISSUER KEY",
            Self::Charter => "CHARTER",
            Self::Issuer => "ISSUER",
            Self::Node => "NODE",
            Self::Revocation => "REVOCATION",
            Self::Deputy => "DEPUTY",
            Self::Draft => "DRAFT",
            Self::PersonKey => "PERSON KEY",
            Self::Delegation => "DELEGATION",
        }
    }

    /// The block that an envelope belongs in; nothing is checked but its form. A guest's certificate is a node's.
    #[must_use]
    pub fn of(envelope: &[u8]) -> Option<Self> {
        Some(match open(envelope).ok()?.parsed {
            Parsed::Charter { .. } => Self::Charter,
            Parsed::Issuer { .. } => Self::Issuer,
            Parsed::Node { .. } | Parsed::Guest { .. } => Self::Node,
            Parsed::Deputy { .. } => Self::Deputy,
            Parsed::Revocation { .. } => Self::Revocation,
            Parsed::Delegation { .. } => Self::Delegation,
        })
    }

    /// Whether it is a key, which stays where it was made.
    #[must_use]
    pub fn is_secret(self) -> bool {
        match self {
            Self::NodeKey | Self::BoundKey | Self::RootKey | Self::IssuerKey | Self::PersonKey => true,
            Self::Charter | Self::Issuer | Self::Node | Self::Revocation | Self::Deputy | Self::Draft | Self::Delegation => false,
        }
    }
}

/// One block of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// What it says it holds.
    pub kind: ArmorKind,
    /// What it holds.
    pub bytes: Bytes,
    /// Where it begins in the file, counted from 1.
    pub line: usize,
}

impl std::fmt::Debug for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A key's bytes must not reach a log.
        write!(f, "Block({}, {} bytes, line {})", self.kind.text(), self.bytes.len(), self.line)
    }
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArmorFault {
    /// Something else than a block, an empty line or a note.
    #[error("expected `-----BEGIN HOLDFAST ...-----`, an empty line or a note beginning with #")]
    NotABlock,
    /// A kind this version does not know.
    #[error("this version knows no such kind of block")]
    UnknownKind,
    /// Something else than small hex digits in pairs.
    #[error("expected pairs of hex digits 0-9 a-f")]
    NotHex,
    /// A line that is not 64 digits before the last.
    #[error("expected 64 hex digits on every line but the last of a block: a line was cut or joined")]
    LineLength,
    /// A line ends a block that is not open, or of another kind.
    #[error("the END line does not fit the BEGIN line")]
    WrongEnd,
    /// The file ends inside a block.
    #[error("the file ends inside a block: it was cut")]
    Cut,
    /// No bytes, more than any block may have, or a key that is not 32 bytes.
    #[error("the block is empty, too long, or not as long as a key is")]
    Size,
}

impl ArmorFault {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::NotABlock => "應為 `-----BEGIN HOLDFAST ...-----`、空行，或以 # 開頭的備註",
            Self::UnknownKind => "這個版本不認得這種區塊",
            Self::NotHex => "應為成對的十六進位數字 0-9 a-f",
            Self::LineLength => "區塊除了最後一行，每行應有 64 個十六進位數字：這一行被截斷或接在一起",
            Self::WrongEnd => "END 行與 BEGIN 行不符",
            Self::Cut => "檔案在區塊中間結束：內容被截斷",
            Self::Size => "區塊是空的、太長，或不是金鑰的長度",
        }
    }
}

/// A file of blocks can't be read. Nothing was used from it; mend the line or copy the file again. Whoever shows it names the line
/// together with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ArmorError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub fault: ArmorFault,
}

/// Writes one block. For a key the text is as secret as the key.
#[must_use]
pub fn armor(kind: ArmorKind, bytes: &[u8]) -> String {
    let mut out = format!("-----BEGIN HOLDFAST {}-----\n", kind.text());
    for line in bytes.chunks(LINE_DIGITS / 2) {
        for byte in line {
            // Writing to a String can't fail.
            let _ = write!(out, "{byte:02x}");
        }
        out.push('\n');
    }
    let _ = writeln!(out, "-----END HOLDFAST {}-----", kind.text());
    out
}

/// Reads all blocks of a file, in order. No blocks is an empty list.
///
/// # Errors
/// [`ArmorError`] with the first line that is wrong.
pub fn dearmor(text: &str) -> Result<Vec<Block>, ArmorError> {
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    let mut last = 0;
    for (index, raw) in text.lines().enumerate() {
        last = index + 1;
        let fail = |fault| ArmorError { line: index + 1, fault };
        let line = raw.trim_end();
        match open.as_mut() {
            None if line.is_empty() || line.starts_with('#') => {}
            None => open = Some(Open::begin(line, index + 1).map_err(fail)?),
            Some(block) if line.starts_with('-') => {
                if marker(line, "END") != Some(block.kind.text()) {
                    return Err(fail(ArmorFault::WrongEnd));
                }
                blocks.extend(open.take().map(Open::finish).transpose().map_err(fail)?);
            }
            Some(block) => block.line(line).map_err(fail)?,
        }
    }
    if open.is_some() {
        return Err(ArmorError { line: last, fault: ArmorFault::Cut });
    }
    Ok(blocks)
}

/// A block whose END line has not come.
struct Open {
    kind: ArmorKind,
    line: usize,
    bytes: Vec<u8>,
    /// A short line was read: it must have been the last.
    ended: bool,
}

impl Open {
    fn begin(line: &str, number: usize) -> Result<Self, ArmorFault> {
        if line.starts_with("-----END HOLDFAST ") {
            return Err(ArmorFault::WrongEnd);
        }
        let name = marker(line, "BEGIN").ok_or(ArmorFault::NotABlock)?;
        let kind = ArmorKind::ALL.into_iter().find(|kind| kind.text() == name).ok_or(ArmorFault::UnknownKind)?;
        Ok(Self { kind, line: number, bytes: Vec::new(), ended: false })
    }

    fn line(&mut self, line: &str) -> Result<(), ArmorFault> {
        if self.ended || line.is_empty() || line.len() > LINE_DIGITS {
            return Err(ArmorFault::LineLength);
        }
        let (pairs, rest) = line.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(ArmorFault::NotHex);
        }
        for [high, low] in pairs {
            let byte = digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low).ok_or(ArmorFault::NotHex)?;
            self.bytes.push(byte);
        }
        self.ended = line.len() < LINE_DIGITS;
        if self.bytes.len() > BLOCK_BYTES_MAX { Err(ArmorFault::Size) } else { Ok(()) }
    }

    fn finish(self) -> Result<Block, ArmorFault> {
        let fits = match self.kind {
            ArmorKind::NodeKey | ArmorKind::RootKey | ArmorKind::IssuerKey | ArmorKind::PersonKey => self.bytes.len() == 32,
            ArmorKind::BoundKey => self.bytes.len() == BOUND_KEY_BYTES,
            ArmorKind::Charter
            | ArmorKind::Issuer
            | ArmorKind::Node
            | ArmorKind::Revocation
            | ArmorKind::Deputy
            | ArmorKind::Draft
            | ArmorKind::Delegation => !self.bytes.is_empty(),
        };
        if !fits {
            return Err(ArmorFault::Size);
        }
        Ok(Block { kind: self.kind, bytes: self.bytes.into(), line: self.line })
    }
}

fn marker<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(" HOLDFAST ")?.strip_suffix("-----")
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_blocks_with_notes_come_back() {
        let text = format!("# alliance\n{}\n{}", armor(ArmorKind::Charter, &[7; 70]), armor(ArmorKind::NodeKey, &[1; 32]));
        let blocks = dearmor(&text.replace('\n', "\r\n")).expect("reads");
        assert_eq!(
            blocks.iter().map(|block| (block.kind, block.bytes.len(), block.line)).collect::<Vec<_>>(),
            [(ArmorKind::Charter, 70, 2), (ArmorKind::NodeKey, 32, 8)]
        );
        assert_eq!(dearmor(""), Ok(Vec::new()));
    }

    #[test]
    fn each_mistake_names_its_line() {
        let good = armor(ArmorKind::Node, &[0xa5; 70]);
        for (text, line, fault) in [
            (good.replace("a5", "A5"), 2, ArmorFault::NotHex),
            (good.replacen("a5", "", 1), 3, ArmorFault::LineLength),
            (good.replacen("a5", "a", 1), 2, ArmorFault::NotHex),
            (good.replace("END HOLDFAST NODE", "END HOLDFAST ISSUER"), 5, ArmorFault::WrongEnd),
            (good.replace("NODE", "TOAD"), 1, ArmorFault::UnknownKind),
            (good.replace("-----END HOLDFAST NODE-----\n", ""), 4, ArmorFault::Cut),
            (format!("{good}hello\n"), 6, ArmorFault::NotABlock),
            (armor(ArmorKind::NodeKey, &[1; 31]), 3, ArmorFault::Size),
            (armor(ArmorKind::Node, &[]), 2, ArmorFault::Size),
        ] {
            assert_eq!(dearmor(&text), Err(ArmorError { line, fault }), "{text}");
        }
    }
}
