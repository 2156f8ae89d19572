//! One entry of a logbook: its signed header, the body the header names by hash, and how both are read and made.
//!
//! | id | field | form |
//! | --- | --- | --- |
//! | 1 | author | 4 B: issuer, serial, big-endian |
//! | 2 | generation | 2 B: count, giver |
//! | 3 | incarnation | 4 B: count, random, big-endian |
//! | 4 | number | integer, from 1 |
//! | 5 | previous hash | 16 B; zeros for number 1 |
//! | 6 | class | integer 0..=4 |
//! | 7 | closed | absent = open, 1 = closed |
//! | 8 | urgent | integer: entries of class 0-1 up to and with this one |
//! | 9 | wall | integer: milliseconds since 1970; 0 = the author knew no time |
//! | 10 | body hash | 32 B: BLAKE3 of the body |
//! | above 10 | of later versions | kept as they are |

use bytes::Bytes;

use crate::codec::canonical::{Fields, Malformed, Writer};
use crate::config::{BODY_BYTES_MAX, HEADER_BYTES_MAX};
use crate::id::{Class, EntryId, Generation, Incarnation, LogId, NodeId};
use crate::time::UtcMillis;

/// First 16 bytes of BLAKE3 over the signed canonical bytes, without prefix and signature: identity and chain.
pub type Hash16 = [u8; 16];

/// Hash of signed bytes as chains and digests use it.
#[must_use]
pub fn hash16(bytes: &[u8]) -> Hash16 {
    let mut out = [0; 16];
    out.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    out
}

/// What the author signs of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Logbook and number.
    pub id: EntryId,
    /// Hash of the entry before; zeros for number 1.
    pub prev: Hash16,
    /// Precedence.
    pub class: Class,
    /// The body goes to entitled peers only.
    pub closed: bool,
    /// Entries of class 0-1 up to and with this one.
    pub urgent: u32,
    /// The author's wall clock.
    pub wall: UtcMillis,
    /// BLAKE3 of the body.
    pub body_hash: [u8; 32],
    /// Fields of later versions, as they came.
    pub extra: Bytes,
}

impl Header {
    /// The canonical bytes that are signed.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut writer = Writer::new();
        let log = self.id.log;
        writer.bytes(1, &log.author.to_bytes());
        writer.bytes(2, &[log.generation.count, log.generation.giver]);
        let mut incarnation = [0; 4];
        incarnation[..2].copy_from_slice(&log.incarnation.count.to_be_bytes());
        incarnation[2..].copy_from_slice(&log.incarnation.random.to_be_bytes());
        writer.bytes(3, &incarnation);
        writer.uint(4, u64::from(self.id.number)).bytes(5, &self.prev).uint(6, u64::from(self.class.get()));
        if self.closed {
            writer.uint(7, 1);
        }
        writer.uint(8, u64::from(self.urgent)).uint(9, u64::try_from(self.wall.0).unwrap_or(0));
        writer.bytes(10, &self.body_hash);
        let mut out = writer.finish();
        out.extend_from_slice(&self.extra);
        out.into()
    }

    /// Reads and checks the layout; the bytes are proven to be what [`Self::to_bytes`] makes of the result.
    ///
    /// # Errors
    /// [`Malformed`]: nothing of it may be used.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > HEADER_BYTES_MAX {
            return Err(Malformed);
        }
        let fields = Fields::parse(bytes)?;
        let log = parse_log(&fields)?;
        let number = u32::try_from(fields.uint(4)?).map_err(|_| Malformed)?;
        let prev: Hash16 = fields.array(5)?;
        if number == 0 || (number == 1) != (prev == [0; 16]) {
            return Err(Malformed);
        }
        let closed = match fields.maybe_uint(7)? {
            None => false,
            Some(1) => true,
            Some(_) => return Err(Malformed),
        };
        let mut extra = Writer::new();
        for (id, value) in fields.iter().filter(|(id, _)| *id > 10) {
            extra.bytes(id, value);
        }
        if fields.get(0).is_some() {
            return Err(Malformed);
        }
        Ok(Self {
            id: EntryId { log, number },
            prev,
            class: u8::try_from(fields.uint(6)?).ok().and_then(Class::new).ok_or(Malformed)?,
            closed,
            urgent: u32::try_from(fields.uint(8)?).map_err(|_| Malformed)?,
            wall: UtcMillis(i64::try_from(fields.uint(9)?).map_err(|_| Malformed)?),
            body_hash: fields.array(10)?,
            extra: extra.finish().into(),
        })
    }

    /// True if `body` is the one the author meant.
    #[must_use]
    pub fn owns(&self, body: &[u8]) -> bool {
        body.len() <= BODY_BYTES_MAX && blake3::hash(body).as_bytes() == &self.body_hash
    }
}

/// Author, generation and incarnation: fields 1 to 3 of headers and documents alike.
pub(super) fn parse_log(fields: &Fields<'_>) -> Result<LogId, Malformed> {
    let [count, giver] = fields.array(2)?;
    let [a, b, c, d] = fields.array(3)?;
    Ok(LogId {
        author: NodeId::from_bytes(fields.array(1)?),
        generation: Generation { count, giver },
        incarnation: Incarnation { count: u16::from_be_bytes([a, b]), random: u16::from_be_bytes([c, d]) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(number: u32, closed: bool, extra: &'static [u8]) -> Header {
        let log = LogId { author: NodeId { issuer: 1, serial: 118 }, ..LogId::from_bytes([0; 10]) };
        let prev = if number == 1 { [0; 16] } else { [7; 16] };
        Header {
            id: EntryId { log, number },
            prev,
            class: Class::ROUTINE,
            closed,
            urgent: 0,
            wall: UtcMillis(1_795_000_000_000),
            body_hash: *blake3::hash(b"body").as_bytes(),
            extra: Bytes::from_static(extra),
        }
    }

    #[test]
    fn what_is_written_reads_back_to_the_same_bytes() {
        for entry in [header(1, false, &[]), header(300, true, &[]), header(2, false, &[11, 1, 5, 20, 0])] {
            let bytes = entry.to_bytes();
            let read = Header::parse(&bytes).unwrap();
            assert_eq!(read, entry);
            assert_eq!(read.to_bytes(), bytes);
        }
        assert!(header(1, false, &[]).owns(b"body") && !header(1, false, &[]).owns(b"bodY"));
    }

    #[test]
    fn a_header_cut_anywhere_is_refused() {
        let bytes = header(2, false, &[]).to_bytes();
        for end in 0..bytes.len() {
            assert!(Header::parse(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn number_one_has_no_previous_and_all_others_have_one() {
        let mut entry = header(1, false, &[]);
        entry.prev = [1; 16];
        assert!(Header::parse(&entry.to_bytes()).is_err());
        let mut entry = header(2, false, &[]);
        entry.prev = [0; 16];
        assert!(Header::parse(&entry.to_bytes()).is_err());
    }
}
