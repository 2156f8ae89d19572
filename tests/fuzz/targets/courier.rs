//! A courier file from somebody's stick: cut into pieces and handed to a node, as the command does.

use data_encoding::BASE64;
use holdfast_proto::control::{Command, CourierIn, Reply};
use holdfast_proto::message::courier::codes::{CODES_MAX, Gathered, SHOWN_BYTES_MAX};
use holdfast_proto::message::courier::{Cutter, FILE_BYTES_MAX, Part, Reader};

use super::siege::siege;

/// The first byte says how the stick gives the rest. Whatever it is, what is read fits the bytes, every piece is answered, and the
/// same once more brings nothing new.
pub(super) fn file(data: &[u8]) {
    let Some((how, file)) = data.split_first() else { return };
    assert!(file.len() as u64 <= FILE_BYTES_MAX);
    let size = 1 + usize::from(*how) * 7;
    let (mut reader, mut words, mut bytes) = (Reader::default(), 0, 0);
    'read: for part in file.chunks(size) {
        reader.push(part);
        loop {
            match reader.next_part() {
                Ok(Some(Part::Word(frame))) => {
                    words += 1;
                    bytes += frame.len();
                }
                Ok(Some(Part::Head(_) | Part::End)) => {}
                Ok(None) => break,
                Err(_) => break 'read,
            }
        }
    }
    assert_eq!(reader.words(), words);
    assert!(bytes <= file.len());
    let mut gathered = Gathered::default();
    for line in String::from_utf8_lossy(file).lines() {
        let _ = gathered.take(line);
    }
    assert!(gathered.count() <= CODES_MAX && gathered.file().len() <= SHOWN_BYTES_MAX);
    let mut siege = siege();
    let (mut again, mut new) = (true, 0);
    for _ in 0..2 {
        let settled = !std::mem::take(&mut again);
        let mut cutter = Cutter::default();
        let mut pieces = Vec::new();
        for part in file.chunks(size) {
            cutter.push(part);
            while let Ok(Some(piece)) = cutter.next_piece() {
                pieces.push(piece);
            }
        }
        pieces.extend(cutter.last_piece());
        for piece in pieces {
            let wish = CourierIn { piece: BASE64.encode(&piece), carried_s: how.checked_sub(1).map(u64::from) };
            let before = siege.digest();
            match siege.order(Command::CourierIn(wish)).expect("every piece is answered") {
                Reply::CourierIn(taken) => {
                    again |= taken.again;
                    new += taken.new.all();
                }
                Reply::Refused(_) => assert_eq!(siege.digest(), before, "a refused piece changed something"),
                Reply::Saved(_) | Reply::CourierOut(_) | Reply::Drafted(_) => panic!("a piece is answered by what came of it"),
            }
        }
        assert!(!settled || new == 0, "the same file brought more");
        new = 0;
    }
    siege.restart();
}
