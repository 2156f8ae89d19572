//! The second reader's other half: frames, as section 11 of `PROTOCOL.md` lays them out. Nothing of this crate's own decoder.

use std::collections::BTreeMap;

use super::reader::{Book, hash16, hash32, take};

fn varint(rest: &mut &[u8]) -> u64 {
    let bytes = match take(rest, 1)[0] {
        251 => take(rest, 2),
        252 => take(rest, 4),
        253 => take(rest, 8),
        small => return u64::from(small),
    };
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn counted<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let len = varint(rest) as usize;
    take(rest, len)
}

/// An entry of a frame: the header it makes again, its signature and its age.
fn wire_entry<'a>(rest: &mut &'a [u8]) -> (Vec<u8>, &'a [u8], Option<u64>) {
    let be16 = |value: u64| u16::try_from(value).expect("16 bits").to_be_bytes();
    let short = |value: u64| value.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    let mut parts: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    parts.insert(1, [be16(varint(rest)), be16(varint(rest))].concat());
    parts.insert(2, take(rest, 2).to_vec());
    parts.insert(3, [be16(varint(rest)), be16(varint(rest))].concat());
    parts.insert(4, short(varint(rest)));
    parts.insert(5, take(rest, 16).to_vec());
    parts.insert(6, short(u64::from(take(rest, 1)[0])));
    if take(rest, 1)[0] == 1 {
        parts.insert(7, vec![1]);
    }
    parts.insert(8, short(varint(rest)));
    let zigzag = varint(rest);
    assert_eq!(zigzag & 1, 0, "not before 1970");
    parts.insert(9, short(zigzag >> 1));
    parts.insert(10, if varint(rest) == 0 { hash32(counted(rest)).to_vec() } else { take(rest, 32).to_vec() });
    let mut header: Vec<u8> = parts.iter().flat_map(|(id, value)| [&[*id, value.len() as u8], &value[..]].concat()).collect();
    header.extend_from_slice(counted(rest));
    let signature = take(rest, 64);
    let age = (take(rest, 1)[0] == 1).then(|| varint(rest));
    (header, signature, age)
}

#[test]
fn courier_files_are_laid_out_as_the_text_says() {
    let book = Book::open();
    let file = book.get("courier.file");
    let mut rest = file;
    assert_eq!((take(&mut rest, 8), take(&mut rest, 1)), (&b"\x89HFCOUR\n"[..], &[1][..]), "the first bytes and the format");
    let be16 = |bytes: &[u8]| usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let length = be16(take(&mut rest, 2));
    let head = take(&mut rest, length);
    let wall = 1_795_000_000_000_u64.to_be_bytes();
    let fields: [(u8, &[u8]); 7] = [
        (1, book.get("realm")),
        (2, &[2]),
        (3, b"Example Mart"),
        (4, &[0, 1, 0, 1]),
        (5, &[0, 1, 0, 2]),
        (6, &wall[2..]),
        (7, &[2]),
    ];
    let laid: Vec<u8> = fields.iter().flat_map(|(id, value)| [&[*id, value.len() as u8], *value].concat()).collect();
    assert_eq!(head, laid, "the head");
    let mut check = hash16(&file[..11 + length]);
    for name in ["frame.Roster", "frame.Entries"] {
        let record = rest;
        let length = be16(take(&mut rest, 2));
        assert_eq!(take(&mut rest, length), book.get(name));
        check = hash16(&[&check[..], &record[..2 + length]].concat());
    }
    assert_eq!((take(&mut rest, 2), take(&mut rest, 4)), (&[0, 0][..], &[0, 0, 0, 2][..]), "the end: two records");
    assert_eq!(rest, check);
}

#[test]
fn lines_of_a_courier_file_are_laid_out_as_the_text_says() {
    let base32 = |bytes: &[u8]| {
        let symbols = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
        let symbol = |place: usize| (0..5).fold(0, |value, at| value << 1 | usize::from(bit(place * 5 + at)));
        (0..(bytes.len() * 8).div_ceil(5)).map(|place| char::from(symbols[symbol(place)])).collect::<String>()
    };
    let book = Book::open();
    let file = book.get("courier.file");
    let parts: Vec<&[u8]> = file.chunks(230).collect();
    let body = format!("HF1{}03{:02}{}", base32(&hash16(file)[..5]), parts.len(), base32(parts[2]));
    let line = format!("{body}{}", base32(&hash16(body.as_bytes())[..4]));
    assert_eq!(line.as_bytes(), book.get("courier.line.3"));
}

#[test]
fn frames_are_laid_out_as_the_text_says() {
    let book = Book::open();
    let mut rest = book.get("frame.Entries");
    assert_eq!(take(&mut rest, 4), [0, 3, 0, 2], "version, kind, no want, two entries");
    for name in ["request", "closed"] {
        let (header, signature, age) = wire_entry(&mut rest);
        assert_eq!((header.as_slice(), age), (book.get(&format!("entry.{name}.header")), Some(1_500)), "{name}");
        assert_eq!(signature, book.get(&format!("entry.{name}.signature")));
    }
    assert!(rest.is_empty());
    let mut rest = book.get("frame.Docs");
    assert_eq!(take(&mut rest, 6), [0, 4, 1, 251, 0x2c, 1], "version, kind, in answer to want 300");
    assert_eq!(take(&mut rest, 4), [1, 1, 1, 0], "one document, of 1-1, a board");
    assert_eq!((counted(&mut rest), take(&mut rest, 64)), (book.get("doc.board.bytes"), book.get("doc.board.signature")));
    assert_eq!(rest, [0], "no age");
    let mut rest = book.get("frame.Changed");
    assert_eq!(take(&mut rest, 2), [0, 17], "version, kind");
    assert_eq!((take(&mut rest, 8), take(&mut rest, 8)), (&book.get("digest.root")[..8], &book.get("digest.roster")[..8]));
    assert_eq!(take(&mut rest, 1), [1], "an answer is asked");
    let mut numbers = || (0..varint(&mut rest)).map(|_| (varint(&mut rest), varint(&mut rest))).collect::<Vec<_>>();
    assert_eq!((numbers(), numbers()), (vec![(0x1_0001, 8), (1, 300)], vec![(0x1_0001, 3)]), "1-1 and 1-2; the board of 1-1");
    assert_eq!(take(&mut rest, 3), [1, 1, 2], "one leaf, of 1-2");
    assert_eq!(take(&mut rest, 4), [1, 1, 0, 1], "one log; generation, incarnation");
    assert_eq!((varint(&mut rest), varint(&mut rest), varint(&mut rest)), (0xbeef, 1, 2), "floor and head");
    assert_eq!(take(&mut rest, 8), &hash16(book.get("entry.closed.header"))[..8]);
    assert_eq!((take(&mut rest, 1), take(&mut rest, 8)), (&[0][..], &[0; 8][..]), "nothing ahead");
    assert_eq!(rest, [0, 0], "not frozen, no board");
    let mut rest = book.get("frame.Want");
    assert_eq!(take(&mut rest, 6), [0, 14, 251, 0x2c, 1, 1], "version, kind, want 300, what follows a state");
    assert_eq!(take(&mut rest, 8), &book.get("digest.root")[..8]);
    let first: Vec<_> = (0..varint(&mut rest)).map(|_| (varint(&mut rest), varint(&mut rest))).collect();
    assert_eq!(first, [(0x1_0001, 2), (1, 300)]);
    assert_eq!(take(&mut rest, 6), [1, 1, 1, 1, 0, 1], "entries of one log, of 1-1; generation, incarnation");
    assert_eq!((varint(&mut rest), take(&mut rest, 1)), (0xbeef, &[1][..]), "one range");
    assert_eq!((varint(&mut rest), varint(&mut rest)), (2, 70_000));
    assert_eq!(take(&mut rest, 4), [1, 1, 2, 1], "one document, of 1-2, a detail");
    assert_eq!(take(&mut rest, 6), [1, 1, 3, 1, 0, 1], "the fork proof of one log, of 1-3; generation, incarnation");
    assert_eq!((varint(&mut rest), rest), (0xbeef, &[][..]));
    let mut rest = book.get("frame.Leaves");
    assert_eq!(take(&mut rest, 7), [0, 12, 64, 2, 0, 63, 2], "64 buckets, an answer about two, two leaves");
    assert_eq!(
        (take(&mut rest, 3), take(&mut rest, 3)),
        (&[1, 1, 1][..], &[1, 0, 1][..]),
        "1-1, one log; generation, incarnation"
    );
    assert_eq!((varint(&mut rest), varint(&mut rest), varint(&mut rest)), (0xbeef, 8, 8), "floor and head");
    assert_eq!(take(&mut rest, 8), &hash16(book.get("entry.floor.header"))[..8]);
    assert_eq!(take(&mut rest, 1), [0], "nothing ahead");
    let stays = hash16(&[&1_u32.to_be_bytes()[..], &hash16(book.get("entry.request.header"))].concat());
    assert_eq!(take(&mut rest, 8), &stays[..8], "but number 1 stays below the floor");
    assert_eq!(take(&mut rest, 2), [0, 1], "not frozen, a board");
    assert_eq!((take(&mut rest, 3), varint(&mut rest), varint(&mut rest)), (&[1, 0, 1][..], 0xbeef, 3), "its version");
    assert_eq!((take(&mut rest, 8), take(&mut rest, 1)), (&hash16(book.get("doc.board.bytes"))[..8], &[0][..]), "one story");
}
