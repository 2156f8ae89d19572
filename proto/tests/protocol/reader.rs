//! A second reader, written from `PROTOCOL.md` alone: BLAKE3, Ed25519 and nothing of this crate. If it reads the vectors, the text is enough.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, VerifyingKey};

type Doc<'a> = BTreeMap<u64, &'a [u8]>;

pub(crate) fn hash32(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

pub(crate) fn hash16(bytes: &[u8]) -> [u8; 16] {
    first(&hash32(bytes))
}

pub(crate) fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("long enough")
}

pub(crate) fn take<'a>(rest: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (front, tail) = rest.split_at_checked(count).expect("cut short");
    *rest = tail;
    front
}

// ---- Canonical layout

fn leb128(rest: &mut &[u8]) -> u64 {
    let (mut value, mut place) = (0, 0);
    loop {
        let byte = take(rest, 1)[0];
        value |= u64::from(byte & 0x7f) << place;
        place += 7;
        if byte & 0x80 == 0 {
            assert!(byte != 0 || place == 7, "not the shortest");
            return value;
        }
    }
}

fn doc(mut rest: &[u8]) -> Doc<'_> {
    let mut fields = Doc::new();
    while !rest.is_empty() {
        let id = leb128(&mut rest);
        assert!(fields.last_key_value().is_none_or(|(last, _)| *last < id), "ids must ascend");
        let len = leb128(&mut rest) as usize;
        fields.insert(id, take(&mut rest, len));
    }
    fields
}

fn list(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut items = Vec::new();
    while !rest.is_empty() {
        let len = leb128(&mut rest) as usize;
        items.push(take(&mut rest, len));
    }
    items
}

fn uint(bytes: &[u8]) -> u64 {
    assert!(bytes.len() <= 8 && bytes.first() != Some(&0), "not the shortest");
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// ---- Vectors and roster

pub(crate) struct Book {
    vectors: BTreeMap<String, Vec<u8>>,
    realm: [u8; 32],
    /// By node id and generation.
    keys: BTreeMap<Vec<u8>, [u8; 32]>,
}

impl Book {
    pub(crate) fn open() -> Self {
        let lines = super::vectors::GOLDEN.lines().filter(|line| !line.starts_with('#'));
        let vectors = lines.map(|line| {
            let (name, digits) = line.split_once(' ').expect("a name and hex");
            let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
            (name.to_owned(), (0..digits.len()).step_by(2).map(byte).collect())
        });
        let mut book = Self { vectors: vectors.collect(), realm: [0; 32], keys: BTreeMap::new() };
        book.read_roster();
        book
    }

    pub(crate) fn get(&self, name: &str) -> &[u8] {
        self.vectors.get(name).unwrap_or_else(|| panic!("no vector {name}"))
    }

    fn signed(&self, key: &[u8], tag: &str, bytes: &[u8], signature: &[u8]) -> bool {
        let message = [b"holdfast-v1:", tag.as_bytes(), b":", &self.realm, bytes].concat();
        let key = VerifyingKey::from_bytes(&first(key)).expect("a key");
        key.verify_strict(&message, &Signature::from_bytes(&first(signature))).is_ok()
    }

    fn read_roster(&mut self) {
        let vectors = self.vectors.clone();
        let charter = doc(&vectors["charter"]);
        let body = doc(charter[&1]);
        assert_eq!((uint(body[&1]), uint(body[&2])), (1, 1), "a first charter");
        let kind = u8::try_from(uint(body[&3])).expect("a byte");
        self.realm = hash32(&[&[kind], charter[&1]].concat());
        assert_eq!(self.realm[..], vectors["realm"]);
        let roots = list(body[&5]);
        let by_roots = |book: &Self, tag: &str, envelope: &Doc<'_>| {
            let signatures = list(envelope[&2]);
            let good = signatures.iter().filter(|s| book.signed(&roots[usize::from(s[0])][..32], tag, envelope[&1], &s[1..]));
            assert!(good.count() as u64 >= uint(body[&4]), "k roots of the charter must have signed");
        };
        by_roots(self, "charter", &charter);
        let issuer = doc(&vectors["issuer.1"]);
        by_roots(self, "issuer", &issuer);
        let given = doc(issuer[&1]);
        for name in ["node.1-1", "node.1-2", "node.1-3"] {
            let envelope = doc(&vectors[name]);
            assert!(self.signed(given[&5], "node", envelope[&1], envelope[&2]), "{name}");
            let node = doc(envelope[&1]);
            let number = |bytes: &[u8]| u64::from(u16::from_be_bytes(first(bytes)));
            let has_bit = |mask: &[u8], bit: &[u8]| uint(mask) >> uint(bit) & 1 == 1;
            assert_eq!(number(node[&2]), uint(given[&2]), "{name}: issuer");
            assert!((0..uint(given[&10])).contains(&(number(&node[&2][2..]) - uint(given[&9]))), "{name}: serial");
            assert!(has_bit(given[&8], node[&6]) && has_bit(given[&7], node[&5]), "{name}: role and region");
            self.keys.insert([node[&2], node[&3]].concat(), first(node[&4]));
        }
    }

    /// One entry in words, once its signature, its body's hash and its place in the chain are right.
    fn entry(&self, name: &str, prev: [u8; 16]) -> String {
        let header = doc(self.get(&format!("entry.{name}.header")));
        let body = self.get(&format!("entry.{name}.body"));
        let key = &self.keys[&[header[&1], header[&2]].concat()];
        let signature = self.get(&format!("entry.{name}.signature"));
        assert!(self.signed(key, "entry", self.get(&format!("entry.{name}.header")), signature), "{name}");
        assert_eq!((header[&10], header[&5]), (&hash32(body)[..], &prev[..]), "{name}: body hash, chain");
        let closed = if header.contains_key(&7) { " closed" } else { "" };
        let (number, class, urgent, wall) = (uint(header[&4]), uint(header[&6]), uint(header[&8]), uint(header[&9]));
        let facts: Vec<String> = list(doc(body)[&1]).into_iter().map(fact).collect();
        format!("{number} class {class}{closed} urgent {urgent} wall {wall}: {}", facts.join("; "))
    }
}

// ---- Facts and readings

fn fields(bytes: &[u8], show: impl Fn(u64, &[u8]) -> String) -> String {
    doc(bytes).into_iter().map(|(id, value)| format!("{id}={}", show(id, value))).collect::<Vec<_>>().join(" ")
}

fn items(bytes: &[u8], show: impl Fn(&[u8]) -> String) -> String {
    format!("[{}]", list(bytes).into_iter().map(show).collect::<Vec<_>>().join(", "))
}

fn fact(bytes: &[u8]) -> String {
    fields(bytes, |id, value| match id {
        0 | 2 | 3 | 8 | 10 | 17 | 18 | 25 => uint(value).to_string(),
        1 | 13 => text(value).to_owned(),
        9 => {
            items(value, |line| fields(line, |id, value| if id == 3 { uint(value).to_string() } else { text(value).to_owned() }))
        }
        19 => items(value, hex),
        21 => readings(value),
        27 => items(value, |gap| uint(gap).to_string()),
        _ => hex(value),
    })
}

fn readings(payload: &[u8]) -> String {
    items(doc(payload)[&1], |group| {
        fields(group, |id, value| match id {
            1..=3 => uint(value).to_string(),
            6..=9 => items(value, |code| text(code).to_owned()),
            10 => items(value, |count| format!("{} {}", text(doc(count)[&1]), uint(doc(count)[&2]))),
            56 => text(value).to_owned(),
            4 | 5 => hex(value),
            _ => uint(value).to_string(),
        })
    })
}

#[test]
fn entries_and_documents_say_what_the_text_says_they_say() {
    let book = Book::open();
    let mut prev = [0; 16];
    for (name, said) in ENTRIES {
        if *name == "two_facts" {
            prev = [0; 16];
        }
        assert_eq!(book.entry(name, prev), *said, "{name}");
        prev = hash16(book.get(&format!("entry.{name}.header")));
    }
    for (name, said) in DOCUMENTS {
        let bytes = book.get(&format!("doc.{name}.bytes"));
        let fields = doc(bytes);
        let key = &book.keys[&[fields[&1], fields[&2]].concat()];
        assert!(book.signed(key, name, bytes, book.get(&format!("doc.{name}.signature"))));
        let numbers = [4, 5, 6, 7].map(|id| uint(fields[&id]).to_string()).join(" ");
        let contact = fields.get(&9).map(|list| items(list, |address| text(address).to_owned())).unwrap_or_default();
        assert_eq!(format!("{numbers} {} {contact}", readings(fields[&8])), *said);
    }
}

#[rustfmt::skip]
const ENTRIES: &[(&str, &str)] = &[
    ("request", "1 class 1 urgent 1 wall 1795000001000: 0=10 1=Lin 2=600 3=1 8=1 9=[1=water 3=40, 2=tent 3=2] 10=1767229200 11=00010003 12=00010002 13=dock 2 14=0505050505050505"),
    ("update", "2 class 1 urgent 2 wall 1795000002000: 0=11 1=Lin 2=600 3=1 8=1 9=[1=water 3=40, 2=tent 3=2] 10=1767229200 13=dock 2 16=0001000101000001beef0000000100 17=2 18=1"),
    ("cancel", "3 class 1 urgent 3 wall 1795000003000: 0=12 1=Lin 2=600 3=1 13=came 16=0001000101000001beef0000000100 18=1"),
    ("confirm", "4 class 1 urgent 4 wall 1795000004000: 0=13 1=Lin 2=600 3=1 13=more 16=0001000101000001beef0000000100 18=1"),
    ("close", "5 class 2 urgent 4 wall 1795000005000: 0=14 1=Lin 2=600 3=1 16=0001000101000001beef0000000100 18=1"),
    ("acknowledge", "6 class 3 urgent 4 wall 1795000006000: 0=15 1=Lin 2=600 3=1 19=[0001000101000001beef0000000100]"),
    ("observation", "7 class 3 urgent 4 wall 1795000007000: 0=30 1=Lin 2=600 3=1 13=dark 20=00010003 21=[17=3]"),
    ("floor", "8 class 1 urgent 5 wall 1795000008000: 0=1 1=Lin 2=600 3=1 24=0001beef 25=8 26=7ee4335624a1d164e47740b8733d602f 27=[1]"),
    ("two_facts", "1 class 3 urgent 0 wall 1795000001000: 0=15 19=[0001000101000001beef0000000100]; 0=15 19=[0001000101000001beef0000000100]"),
    ("closed", "2 class 4 closed urgent 0 wall 1795000002000: 0=120"),
];
const DOCUMENTS: &[(&str, &str)] = &[
    (
        "board",
        "3 1795000000000 8 8 [4=01000501 5=08 6=[water] 9=[gas] 17=1 41=14, 1=600 2=7200 3=3 56=水 12:00] [192.0.2.7:4401]",
    ),
    ("detail", "3 1795000000000 8 8 [10=[water 120] 39=300 40=85] "),
];

// ---- Digest, forks, spoken ids

#[test]
fn the_digest_is_worked_out_as_the_text_says() {
    let book = Book::open();
    let names = ["charter", "issuer.1", "node.1-1", "node.1-2", "node.1-3"];
    let roster = hash16(&names.map(|name| hash16(doc(book.get(name))[&1])).concat());
    assert_eq!(roster[..], *book.get("digest.roster"));
    let stays = hash16(&[&1_u32.to_be_bytes()[..], &hash16(book.get("entry.request.header"))].concat());
    let log = |last: &str, floor: u32, head: u32, ahead: [u8; 16]| {
        let header = doc(book.get(&format!("entry.{last}.header")));
        let head_hash = hash16(book.get(&format!("entry.{last}.header")));
        [header[&1], header[&2], header[&3], &floor.to_be_bytes(), &head.to_be_bytes(), &head_hash, &ahead, &[0; 4]].concat()
    };
    let board = doc(book.get("doc.board.bytes"));
    let board = [board[&2], board[&3], &3_u32.to_be_bytes(), &hash16(book.get("doc.board.bytes"))].concat();
    let leaves = [
        ([0, 1, 0, 1], hash16(&[log("floor", 8, 8, stays), board].concat())),
        ([0, 1, 0, 2], hash16(&log("closed", 1, 2, [0; 16]))),
    ];
    let pairs = leaves.map(|(author, leaf)| [&author[..], &leaf].concat());
    let root = hash16(&[&roster[..], &pairs.concat()].concat());
    assert_eq!(root[..], *book.get("digest.root"));
    assert_eq!(hash16(&[&7_u64.to_be_bytes()[..], &root].concat())[..], *book.get("digest.keyed"));
    let mut buckets = vec![Vec::new(); 64];
    for (pair, (author, _)) in pairs.iter().zip(leaves) {
        buckets[usize::from(hash32(&author)[0]) % 64].extend_from_slice(pair);
    }
    let buckets: Vec<u8> = buckets.iter().flat_map(|bucket| first::<8>(&hash32(bucket))).collect();
    assert_eq!(buckets, book.get("digest.buckets"));
}

#[test]
fn the_fork_pair_proves_number_two() {
    let book = Book::open();
    let pair = ["one", "other"].map(|name| book.get(&format!("entry.fork_{name}.header")));
    let [one, other] = pair.map(doc);
    assert_eq!((uint(one[&4]), one[&5]), (uint(other[&4]), other[&5]), "one number, one entry before");
    assert_ne!(hash16(pair[0]), hash16(pair[1]));
    let _words = ["one", "other"].map(|name| book.entry(&format!("fork_{name}"), first(one[&5])));
}

#[test]
fn spoken_ids_are_spelt_as_the_text_says() {
    let book = Book::open();
    let spoken: Vec<_> = book.vectors.iter().filter(|(name, _)| name.starts_with("spoken.")).collect();
    assert_eq!(spoken.len(), 3);
    for (name, fact) in spoken {
        let mut value = u64::from_be_bytes(first(&hash32(fact)));
        let mut digits = Vec::new();
        for _ in 0..6 {
            digits.push(value % 31);
            value /= 31;
        }
        let sum: u64 = digits.iter().zip([7, 6, 5, 4, 3, 2]).map(|(digit, weight)| digit * weight).sum();
        digits.push((31 - sum % 31) % 31);
        let symbols = digits.iter().map(|digit| char::from(b"23456789ABCDEFGHJKMNPQRSTUVWXYZ"[*digit as usize]));
        assert_eq!(*name, format!("spoken.R-{}", symbols.collect::<String>()));
    }
}
