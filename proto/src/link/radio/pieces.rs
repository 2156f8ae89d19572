//! Air frames: who sends, of which alliance, and a message or a piece of one, behind a check sum. A message is named by its own check
//! sum, so pieces of a repetition fill the gaps that the first time left.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::{MESSAGE_MAX, MTU_MAX, MTU_MIN};
use crate::id::NodeId;
use crate::time::Instant;

/// First byte of a frame that holds a whole message.
const WHOLE: u8 = 0x10;
/// First byte of a frame that holds a piece of one.
const PIECE: u8 = 0x11;
/// Bytes of the check sum at the end.
const CHECK: usize = 4;
/// Most pieces of one message: the longest message in frames of [`MTU_MIN`].
const PIECES_MAX: usize = 32;
/// Messages of which only some pieces came, at once; the oldest makes room.
const PARTIAL_MAX: usize = 64;
/// The same of one sender, so that none takes all the room.
const PARTIAL_SENDER_MAX: usize = 8;
/// Pieces wait so long for the rest: long enough for a repetition.
const PARTIAL_AGE: Duration = Duration::from_secs(900);

const CRC32C: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// Bytes that are no air frame of this alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoFrame {
    /// The check sum is wrong: noise, or cut short on its way.
    #[error("a garbled frame")]
    Garbled,
    /// Whole, but laid out otherwise.
    #[error("a frame of another version or layout")]
    Layout,
    /// Of another alliance on the same channel.
    #[error("a frame of another alliance")]
    Foreign,
}

/// Who speaks here.
#[derive(Clone, Copy, Debug)]
pub struct Speaker {
    /// First two bytes of the realm.
    pub realm: [u8; 2],
    /// This node.
    pub me: NodeId,
    /// Longest air frame, [`MTU_MIN`] to [`MTU_MAX`].
    pub mtu: usize,
}

impl Speaker {
    /// Air frames for a message, none longer than the mtu. `None` for a message longer than [`MESSAGE_MAX`].
    #[must_use]
    pub fn cut(&self, message: &[u8]) -> Option<Vec<Bytes>> {
        if message.len() > MESSAGE_MAX {
            return None;
        }
        let mtu = self.mtu.clamp(MTU_MIN, MTU_MAX);
        let mut head = BytesMut::with_capacity(16);
        head.put_u8(WHOLE);
        head.put_slice(&self.realm);
        put_number(&mut head, self.me.issuer);
        put_number(&mut head, self.me.serial);
        let room = mtu - CHECK - head.len();
        if message.len() <= room {
            return Some(vec![sealed(&head, message)]);
        }
        // Equal pieces: the last one is not a stub that costs a frame of its own.
        let size = message.len().div_ceil(message.len().div_ceil(room - 4));
        let count = message.len().div_ceil(size);
        let last = u8::try_from(count - 1).ok().filter(|_| count <= PIECES_MAX)?;
        head.iter_mut().take(1).for_each(|first| *first = PIECE);
        head.put_u16(tag(message));
        let pieces = (0..=last).zip(message.chunks(size));
        Some(pieces.map(|(place, piece)| sealed(&[&head[..], &[place, last]].concat(), piece)).collect())
    }
}

/// Names a message among those of one sender.
fn tag(message: &[u8]) -> u16 {
    let [.., high, low] = CRC32C.checksum(message).to_be_bytes();
    u16::from_be_bytes([high, low])
}

fn sealed(head: &[u8], rest: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(head.len() + rest.len() + CHECK);
    frame.put_slice(head);
    frame.put_slice(rest);
    let check = CRC32C.checksum(&frame);
    frame.put_u32(check);
    frame.freeze()
}

/// Seven bits a byte, the lowest first; one byte for most.
fn put_number(out: &mut BytesMut, mut number: u16) {
    while number >= 0x80 {
        out.put_u8(u8::try_from(number & 0x7F).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.put_u8(u8::try_from(number).unwrap_or(0));
}

/// Only the shortest form is read.
fn take_number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let mut number = 0_u32;
    for (place, byte) in bytes.iter().enumerate().take(3) {
        number |= u32::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let short = place == 0 || *byte != 0;
            return Some((u16::try_from(number).ok().filter(|_| short)?, bytes.get(place + 1..)?));
        }
    }
    None
}

/// What one good frame said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who sent it, by its own word.
    pub from: NodeId,
    /// The message that it completes.
    pub message: Option<Bytes>,
}

#[derive(Clone, Debug)]
struct Partial {
    from: NodeId,
    tag: u16,
    since: Instant,
    pieces: Vec<Option<Bytes>>,
}

/// Puts pieces together. Bounded, whoever sends what.
#[derive(Clone, Debug)]
pub struct Listener {
    realm: [u8; 2],
    /// Oldest first.
    partial: VecDeque<Partial>,
}

impl Listener {
    /// Nothing heard yet.
    #[must_use]
    pub fn new(realm: [u8; 2]) -> Self {
        Self { realm, partial: VecDeque::new() }
    }

    /// Takes one air frame.
    ///
    /// # Errors
    /// [`NoFrame`]; nothing of it is kept.
    pub fn take(&mut self, now: Instant, frame: &[u8]) -> Result<Said, NoFrame> {
        let (body, check) = frame.split_last_chunk::<CHECK>().ok_or(NoFrame::Garbled)?;
        if CRC32C.checksum(body) != u32::from_be_bytes(*check) {
            return Err(NoFrame::Garbled);
        }
        let (kind, rest) = body.split_first().ok_or(NoFrame::Layout)?;
        let (realm, rest) = rest.split_first_chunk::<2>().ok_or(NoFrame::Layout)?;
        if *kind != WHOLE && *kind != PIECE {
            return Err(NoFrame::Layout);
        }
        if *realm != self.realm {
            return Err(NoFrame::Foreign);
        }
        let (issuer, rest) = take_number(rest).ok_or(NoFrame::Layout)?;
        let (serial, rest) = take_number(rest).ok_or(NoFrame::Layout)?;
        let from = NodeId { issuer, serial };
        if *kind == WHOLE {
            return Ok(Said { from, message: Some(Bytes::copy_from_slice(rest)) });
        }
        let ([high, low, place, last], piece) = rest.split_first_chunk::<4>().ok_or(NoFrame::Layout)?;
        let (place, last) = (usize::from(*place), usize::from(*last));
        if place > last || last >= PIECES_MAX || last == 0 || piece.is_empty() {
            return Err(NoFrame::Layout);
        }
        let message = self.piece(now, (from, u16::from_be_bytes([*high, *low])), (place, last), piece);
        Ok(Said { from, message })
    }

    fn piece(&mut self, now: Instant, (from, tag): (NodeId, u16), (place, last): (usize, usize), piece: &[u8]) -> Option<Bytes> {
        self.partial.retain(|partial| now.since(partial.since) < PARTIAL_AGE);
        let is_it = |partial: &Partial| partial.from == from && partial.tag == tag && partial.pieces.len() == last + 1;
        let mut partial = match self.partial.iter().position(is_it).and_then(|at| self.partial.remove(at)) {
            Some(partial) => partial,
            None => Partial { from, tag, since: now, pieces: vec![None; last + 1] },
        };
        *partial.pieces.get_mut(place)? = Some(Bytes::copy_from_slice(piece));
        let bytes: usize = partial.pieces.iter().flatten().map(Bytes::len).sum();
        if bytes > MESSAGE_MAX {
            return None;
        }
        if partial.pieces.iter().all(Option::is_some) {
            let whole: Vec<u8> = partial.pieces.iter().flatten().flat_map(|piece| piece.iter().copied()).collect();
            // Pieces of two messages under one name: neither is there.
            return (self::tag(&whole) == tag).then(|| whole.into());
        }
        self.make_room(from);
        self.partial.push_back(partial);
        None
    }

    fn make_room(&mut self, from: NodeId) {
        if self.partial.iter().filter(|partial| partial.from == from).count() >= PARTIAL_SENDER_MAX
            && let Some(oldest) = self.partial.iter().position(|partial| partial.from == from)
        {
            self.partial.remove(oldest);
        }
        if self.partial.len() >= PARTIAL_MAX {
            self.partial.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REALM: [u8; 2] = [1, 2];

    fn speaker(me: NodeId, mtu: usize) -> Speaker {
        Speaker { realm: REALM, me, mtu }
    }

    fn node() -> impl Strategy<Value = NodeId> {
        (any::<u16>(), any::<u16>()).prop_map(|(issuer, serial)| NodeId { issuer, serial })
    }

    fn message() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..=MESSAGE_MAX)
    }

    proptest! {
        #[test]
        fn a_message_comes_whole_once_its_last_piece_is_there_in_any_order(
            me in node(), mtu in MTU_MIN..=MTU_MAX, message in message(), turn in any::<usize>()
        ) {
            let mut frames = speaker(me, mtu).cut(&message).expect("any message up to the longest can be cut");
            let turn = turn % frames.len();
            frames.rotate_left(turn);
            prop_assert!(frames.iter().all(|frame| frame.len() <= mtu));
            let mut listener = Listener::new(REALM);
            for (place, frame) in frames.iter().enumerate() {
                let said = listener.take(Instant(5), frame).expect("good");
                let whole = (place + 1 == frames.len()).then(|| message.clone().into());
                prop_assert_eq!(said, Said { from: me, message: whole });
            }
            prop_assert!(listener.partial.is_empty());
        }

        #[test]
        fn a_frame_with_any_byte_changed_or_cut_anywhere_is_refused(
            message in prop::collection::vec(any::<u8>(), 0..100), at in any::<usize>(), flip in 1..=255_u8
        ) {
            let frame = speaker(NodeId { issuer: 1, serial: 300 }, 200).cut(&message).expect("short").remove(0);
            let mut listener = Listener::new(REALM);
            let mut broken = frame.to_vec();
            let at = at % broken.len();
            broken[at] ^= flip;
            prop_assert_eq!(listener.take(Instant(0), &broken), Err(NoFrame::Garbled));
            prop_assert_eq!(listener.take(Instant(0), &frame[..at]), Err(NoFrame::Garbled));
            prop_assert!(listener.partial.is_empty());
        }

        #[test]
        fn what_is_taken_is_written_the_same_way_again(body in prop::collection::vec(any::<u8>(), 0..80)) {
            let frame = sealed(&[&[WHOLE], &REALM[..]].concat(), &body);
            if let Ok(Said { from, message: Some(message) }) = Listener::new(REALM).take(Instant(0), &frame) {
                prop_assert_eq!(speaker(from, MTU_MAX).cut(&message), Some(vec![frame]));
            }
        }
    }

    #[test]
    fn pieces_of_a_repetition_fill_the_gaps() {
        let me = NodeId { issuer: 1, serial: 2 };
        let message: Vec<u8> = (0..=255).cycle().take(700).collect();
        let frames = speaker(me, 200).cut(&message).expect("short enough");
        let mut listener = Listener::new(REALM);
        let lost = 1;
        for (_, frame) in frames.iter().enumerate().filter(|(place, _)| *place != lost) {
            assert_eq!(listener.take(Instant(0), frame).map(|said| said.message), Ok(None));
        }
        let said = listener.take(Instant(60_000_000), &frames[lost]).expect("good");
        assert_eq!(said.message, Some(message.into()));
    }

    #[test]
    fn a_flood_of_first_pieces_takes_bounded_room_and_leaves_others_theirs() {
        let mut listener = Listener::new(REALM);
        let other = NodeId { issuer: 1, serial: 1 };
        let frames = speaker(other, 60).cut(&[9; 100]).expect("short");
        listener.take(Instant(0), &frames[0]).expect("good");
        for n in 0..10_000_u32 {
            let flood = speaker(NodeId { issuer: 1, serial: 2 }, 60).cut(&n.to_be_bytes().repeat(30)).expect("short");
            listener.take(Instant(0), &flood[0]).expect("good");
        }
        assert!(listener.partial.len() <= PARTIAL_SENDER_MAX + 1);
        assert!(frames[1..].iter().any(|frame| listener.take(Instant(0), frame).is_ok_and(|said| said.message.is_some())));
        for n in 0..10_000_u16 {
            let flood = speaker(NodeId { issuer: n, serial: 2 }, 60).cut(&[1; 100]).expect("short");
            listener.take(Instant(0), &flood[0]).expect("good");
        }
        assert_eq!(listener.partial.len(), PARTIAL_MAX);
    }

    #[test]
    fn lengths_that_lie_and_other_alliances_are_refused() {
        let mut listener = Listener::new(REALM);
        let head = |kind: u8, realm: [u8; 2]| [&[kind], &realm[..], &[1, 2]].concat();
        for rest in [&[0, 0, 2, 1, 7][..], &[0, 0, 0, 255, 7], &[0, 0, 0, 0, 7], &[0, 0, 0, 1], &[0, 0]] {
            assert_eq!(listener.take(Instant(0), &sealed(&head(PIECE, REALM), rest)), Err(NoFrame::Layout), "{rest:?}");
        }
        assert_eq!(listener.take(Instant(0), &sealed(&head(WHOLE, [9, 9]), b"x")), Err(NoFrame::Foreign));
        assert_eq!(listener.take(Instant(0), &sealed(&head(0x20, REALM), b"x")), Err(NoFrame::Layout));
        assert_eq!(
            listener.take(Instant(0), &sealed(&[WHOLE, 1, 2, 0x81, 0x00, 1], b"x")),
            Err(NoFrame::Layout),
            "not the shortest"
        );
        assert_eq!(speaker(NodeId { issuer: 1, serial: 1 }, 200).cut(&vec![0; MESSAGE_MAX + 1]), None);
    }
}
