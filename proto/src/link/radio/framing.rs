//! How frames lie on a serial port: KISS, KISS with an AX.25 header, or COBS for modems that carry plain bytes. Reading finds its way
//! back from any byte, keeps no more than one frame, and never believes a length.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// Ends a KISS frame.
const FEND: u8 = 0xC0;
/// Announces that the next byte stands for another.
const FESC: u8 = 0xDB;
/// Stands for [`FEND`] after [`FESC`].
const TFEND: u8 = 0xDC;
/// Stands for [`FESC`] after [`FESC`].
const TFESC: u8 = 0xDD;
/// AX.25: an unnumbered information frame, and no protocol above it.
const UI: [u8; 2] = [0x03, 0xF0];
/// Bytes of one AX.25 address.
const ADDRESS: usize = 7;
/// Addresses of a frame that came over repeaters, at most.
const ADDRESSES_MAX: usize = 10;
/// To everybody, as amateurs write it.
const EVERYBODY: Callsign = Callsign { letters: *b"QST   ", ssid: 0 };
/// What an AX.25 modem adds on the air: the check sequence and a flag.
const MODEM_BYTES: usize = 3;
/// A stuffed bit after five ones: one in 62 of random bits.
const STUFFING: usize = 62;
/// Longest frame on the wire before unescaping, whatever the framing: twice the longest air frame, and its header.
const LINE_BYTES_MAX: usize = 2 * (super::MTU_MAX + ADDRESS * ADDRESSES_MAX + UI.len()) + 2;

/// The call sign of a station, with its number: `BV2ABC-7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callsign {
    letters: [u8; 6],
    ssid: u8,
}

/// No call sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a call sign: up to six letters and digits, and perhaps - and a number up to 15, such as BV2ABC-7")]
pub struct NoCallsign;

impl FromStr for Callsign {
    type Err = NoCallsign;

    fn from_str(text: &str) -> Result<Self, NoCallsign> {
        let (name, number) = text.split_once('-').unwrap_or((text, "0"));
        let ssid = number.parse().ok().filter(|ssid| *ssid < 16 && !number.starts_with('+')).ok_or(NoCallsign)?;
        let good = (1..=6).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !good {
            return Err(NoCallsign);
        }
        let mut letters = *b"      ";
        letters.iter_mut().zip(name.bytes()).for_each(|(letter, byte)| *letter = byte.to_ascii_uppercase());
        Ok(Self { letters, ssid })
    }
}

impl fmt::Display for Callsign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::from_utf8_lossy(&self.letters).trim_end())?;
        if self.ssid > 0 { write!(f, "-{}", self.ssid) } else { Ok(()) }
    }
}

impl Callsign {
    /// As in a header: each letter moved up by one bit; the lowest bit of the last byte says that no address follows.
    fn address(self, is_last: bool) -> [u8; ADDRESS] {
        let mut address = [0; ADDRESS];
        address.iter_mut().zip(self.letters).for_each(|(byte, letter)| *byte = letter << 1);
        if let Some(last) = address.last_mut() {
            *last = 0x60 | (self.ssid << 1) | u8::from(is_last);
        }
        address
    }
}

/// How frames lie on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// KISS, the frame as it is: modems that carry any bytes.
    Kiss,
    /// KISS, the frame behind an AX.25 header with this station's call sign: modems that look at it, such as Direwolf.
    Ax25(Callsign),
    /// COBS between zero bytes: modems that carry plain bytes.
    Cobs,
}

impl Framing {
    /// What is written to the port for one air frame.
    #[must_use]
    pub fn wrap(self, frame: &[u8]) -> Vec<u8> {
        match self {
            Self::Kiss => kiss(&[frame]),
            Self::Ax25(own) => kiss(&[&EVERYBODY.address(false), &own.address(true), &UI, frame]),
            Self::Cobs => {
                // A zero first too: whatever noise came before ends there.
                let mut line = vec![0];
                line.extend(cobs::encode_vec(frame));
                line.push(0);
                line
            }
        }
    }

    /// Bytes that an air frame of `len` takes on the air, about: header, check sequence and stuffed bits too.
    #[must_use]
    pub fn on_air(self, len: usize) -> usize {
        match self {
            Self::Kiss => stuffed(len + MODEM_BYTES),
            Self::Ax25(_) => stuffed(len + 2 * ADDRESS + UI.len() + MODEM_BYTES),
            Self::Cobs => cobs::max_encoding_length(len) + 2,
        }
    }

    /// What tells a modem behind KISS how to take its turn: key-up, chance to take a slot, length of a slot, and no full duplex.
    /// `key_up` and `slot` in units of 10 ms; `persistence` of 255. Nothing where the modem takes no commands.
    #[must_use]
    pub fn setup(self, key_up: u8, persistence: u8, slot: u8) -> Vec<u8> {
        match self {
            Self::Kiss | Self::Ax25(_) => [(1, key_up), (2, persistence), (3, slot), (5, 0)]
                .into_iter()
                .flat_map(|(what, value)| command(what, value))
                .collect(),
            Self::Cobs => Vec::new(),
        }
    }
}

fn stuffed(len: usize) -> usize {
    len + len.div_ceil(STUFFING)
}

fn command(what: u8, value: u8) -> Vec<u8> {
    let mut line = vec![FEND, what];
    escape(&[value], &mut line);
    line.push(FEND);
    line
}

fn kiss(parts: &[&[u8]]) -> Vec<u8> {
    let mut line = vec![FEND, 0];
    parts.iter().for_each(|part| escape(part, &mut line));
    line.push(FEND);
    line
}

fn escape(bytes: &[u8], line: &mut Vec<u8>) {
    for byte in bytes {
        match *byte {
            FEND => line.extend([FESC, TFEND]),
            FESC => line.extend([FESC, TFESC]),
            other => line.push(other),
        }
    }
}

fn unescape(line: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.iter();
    while let Some(byte) = rest.next() {
        if *byte != FESC {
            bytes.push(*byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(&TFEND) => FEND,
            Some(&TFESC) => FESC,
            Some(_) | None => return None,
        });
    }
    Some(bytes)
}

/// What stands behind the addresses and the two bytes of an AX.25 information frame.
fn behind_header(frame: &[u8]) -> Option<&[u8]> {
    let (addresses, _) = frame.as_chunks::<ADDRESS>();
    let last = addresses.iter().take(ADDRESSES_MAX).position(|address| address.iter().any(|byte| byte & 1 == 1))?;
    // Destination and source at least, and only a last byte ends them.
    let ends_well = last >= 1 && addresses.get(last)?.iter().rev().skip(1).all(|byte| byte & 1 == 0);
    frame.get((last + 1) * ADDRESS..)?.strip_prefix(&UI).filter(|_| ends_well)
}

/// Takes frames out of what comes from a port, wherever it was cut.
#[derive(Clone, Debug)]
pub struct Deframer {
    framing: Framing,
    line: Vec<u8>,
    /// The present line is longer than any frame: it is thrown away up to its end.
    too_long: bool,
    refused: u64,
}

impl Deframer {
    /// Nothing read yet.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self { framing, line: Vec::new(), too_long: false, refused: 0 }
    }

    /// Takes in bytes; gives what frames they complete. Whether such a frame is anybody's is for [`super::pieces`] to say.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Bytes> {
        let end = match self.framing {
            Framing::Kiss | Framing::Ax25(_) => FEND,
            Framing::Cobs => 0,
        };
        let mut frames = Vec::new();
        for byte in bytes {
            if *byte != end {
                self.too_long |= self.line.len() >= LINE_BYTES_MAX;
                if !self.too_long {
                    self.line.push(*byte);
                }
                continue;
            }
            let (line, too_long) = (std::mem::take(&mut self.line), std::mem::take(&mut self.too_long));
            if line.is_empty() && !too_long {
                continue;
            }
            match self.read(&line).filter(|_| !too_long) {
                Some(frame) => frames.push(frame),
                None => self.refused += 1,
            }
        }
        frames
    }

    fn read(&self, line: &[u8]) -> Option<Bytes> {
        match self.framing {
            Framing::Cobs => cobs::decode_vec(line).ok().map(Bytes::from),
            Framing::Kiss | Framing::Ax25(_) => {
                let (kind, rest) = line.split_first()?;
                // The low half says data, the high half by which of the modem's ports.
                let frame = unescape(rest).filter(|_| kind & 0x0F == 0)?;
                match self.framing {
                    Framing::Ax25(_) => behind_header(&frame).map(Bytes::copy_from_slice),
                    Framing::Kiss | Framing::Cobs => Some(frame.into()),
                }
            }
        }
    }

    /// A frame has begun and not ended: somebody is on the air, or noise.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.line.is_empty() || self.too_long
    }

    /// Lines that were no frame.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::MTU_MAX;
    use super::*;

    fn all() -> [Framing; 3] {
        [Framing::Kiss, Framing::Ax25("BV2ABC-7".parse().expect("a call sign")), Framing::Cobs]
    }

    fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let byte = prop_oneof![any::<u8>(), Just(FEND), Just(FESC), Just(TFEND), Just(TFESC), Just(0)];
        prop::collection::vec(prop::collection::vec(byte, 1..300), 0..6)
    }

    fn read(framing: Framing, wire: &[u8], step: usize) -> Vec<Bytes> {
        let mut deframer = Deframer::new(framing);
        wire.chunks(step).flat_map(|part| deframer.push(part)).collect()
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_wherever_the_port_cut_them(frames in frames(), step in 1..400_usize) {
            for framing in all() {
                let wire: Vec<u8> = frames.iter().flat_map(|frame| framing.wrap(frame)).collect();
                prop_assert_eq!(read(framing, &wire, step), frames.clone());
            }
        }

        #[test]
        fn after_noise_and_a_frame_cut_anywhere_the_next_one_is_heard(
            noise in prop::collection::vec(any::<u8>(), 0..3_000), cut in 0..100_usize, step in 1..400_usize
        ) {
            for framing in all() {
                let whole = framing.wrap(&[7; 100]);
                let broken = &whole[..cut.min(whole.len() - 1)];
                let wire = [&noise, broken, &framing.wrap(b"what follows")].concat();
                let heard = read(framing, &wire, step);
                prop_assert_eq!(heard.last().map(|frame| &frame[..]), Some(&b"what follows"[..]));
            }
        }

        #[test]
        fn noise_never_takes_more_room_than_a_frame(noise in prop::collection::vec(1..=0x7F_u8, 10_000..20_000)) {
            for framing in all() {
                let mut deframer = Deframer::new(framing);
                prop_assert!(deframer.push(&noise).is_empty());
                prop_assert!(deframer.line.capacity() <= 2 * LINE_BYTES_MAX && deframer.is_within());
            }
        }

        #[test]
        fn what_is_reckoned_for_the_air_is_about_what_is_written(len in 1..=MTU_MAX) {
            let on_air = Framing::Cobs.on_air(len);
            let wire = Framing::Cobs.wrap(&vec![1; len]).len();
            prop_assert!(wire <= on_air && on_air <= wire + 6, "{len}: {wire} written, {on_air} reckoned");
        }
    }

    #[test]
    fn the_longest_frame_passes_where_every_byte_is_escaped() {
        let frame = vec![FEND; MTU_MAX];
        for framing in all() {
            assert_eq!(read(framing, &framing.wrap(&frame), 64), [Bytes::from(frame.clone())]);
        }
    }

    #[test]
    fn an_ax25_frame_is_laid_out_as_direwolf_wants_it_and_may_come_over_repeaters() {
        let framing = all()[1];
        let wire = framing.wrap(b"x");
        let header = [0xA2, 0xA6, 0xA8, 0x40, 0x40, 0x40, 0x60, 0x84, 0xAC, 0x64, 0x82, 0x84, 0x86, 0x6F, 0x03, 0xF0];
        assert_eq!(wire, [&[FEND, 0], &header[..], b"x", &[FEND]].concat());
        let mut repeated = header.to_vec();
        repeated[13] &= !1;
        let repeater = "BV0R-1".parse::<Callsign>().expect("a call sign").address(true);
        repeated.splice(14..14, repeater);
        let wire = [&[FEND, 0x10], &repeated[..], b"y", &[FEND]].concat();
        assert_eq!(read(framing, &wire, 9), [Bytes::from_static(b"y")]);
    }

    #[test]
    fn what_is_no_information_frame_is_refused() {
        let mut deframer = Deframer::new(all()[1]);
        for line in [&[FEND, 0, 1, 2, 3, FEND][..], &[FEND, 1, 30, FEND], &[FEND, 0, FESC, 9, FEND], &[FEND, 0, FEND]] {
            assert!(deframer.push(line).is_empty());
        }
        assert_eq!(deframer.refused(), 4);
    }

    #[test]
    fn call_signs_are_read_and_written() {
        for (text, written) in [("bv2abc-7", "BV2ABC-7"), ("N0CALL", "N0CALL"), ("A-0", "A"), ("X1-15", "X1-15")] {
            assert_eq!(text.parse::<Callsign>().map(|call| call.to_string()).as_deref(), Ok(written));
        }
        for text in ["", "-1", "TOOLONG", "BV2ABC-16", "BV2ABC-", "BV 2", "店", "BV2ABC-+7", "BV2-1-2"] {
            assert!(text.parse::<Callsign>().is_err(), "{text}");
        }
    }
}
