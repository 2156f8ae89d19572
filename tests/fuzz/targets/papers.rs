//! Charters, certificates, revocations, the roster that takes them, and the files they are carried in.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::LazyLock;

use bytes::Bytes;
use holdfast_proto::codec::canonical::{Fields, Writer};
use holdfast_proto::control::person::{DeskHello, DeskWelcome};
use holdfast_proto::identity::{
    Act, ArmorKind, Charter, Delegation, DeputyCertificate, IssuerCertificate, NodeCertificate, Offered, Rejected, Revocation,
    Roster, armor, cosign, dearmor, drafted,
};

const VECTORS: &str = include_str!("../../../proto/tests/vectors/identity.txt");

/// Envelopes of the vectors, in their order: a charter, an issuer, nodes, revocations, a deputy and its node.
pub(crate) fn envelopes() -> Vec<Bytes> {
    VECTORS
        .split('\n')
        .filter_map(unhex)
        .filter(|bytes| Fields::parse(bytes).is_ok_and(|fields| fields.get(1).is_some()))
        .collect()
}

/// Bytes of a line of hex digits and nothing else.
pub(crate) fn unhex(line: &str) -> Option<Bytes> {
    let (pairs, rest) = line.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() && !pairs.is_empty() { pairs.iter().map(pair).collect() } else { None }
}

/// A roster that holds its charter alone, and the bodies that were really signed for it.
static FOUNDED: LazyLock<(Roster, BTreeSet<Bytes>)> = LazyLock::new(|| {
    let envelopes = envelopes();
    let roster = Roster::new(envelopes.first().expect("the vectors hold a charter")).expect("the charter of the vectors");
    (roster, envelopes.iter().filter_map(|envelope| body_of(envelope)).collect())
});

/// What an envelope holds. Around one body there may be fewer or more signatures of those it asks for.
fn body_of(envelope: &[u8]) -> Option<Bytes> {
    Fields::parse(envelope).ok()?.get(1).map(Bytes::copy_from_slice)
}

fn is_signed(envelope: &[u8]) -> bool {
    body_of(envelope).is_some_and(|body| FOUNDED.1.contains(&body))
}

/// A body that reads must say the same when it is written and read again.
fn again<T: PartialEq + Debug>(data: &[u8], read: impl Fn(&Fields<'_>) -> Result<T, Rejected>, body: impl Fn(&T) -> Vec<u8>) {
    let Ok(fields) = Fields::parse(data) else { return };
    let Ok(value) = read(&fields) else { return };
    let written = body(&value);
    let fields = Fields::parse(&written).expect("what is written is laid out");
    assert_eq!(read(&fields).as_ref(), Ok(&value), "it reads back otherwise");
}

pub(super) fn charter(data: &[u8]) {
    again(data, Charter::read, Charter::body);
}

pub(super) fn issuer(data: &[u8]) {
    again(data, IssuerCertificate::read, IssuerCertificate::body);
}

pub(super) fn certificate(data: &[u8]) {
    again(data, NodeCertificate::read, NodeCertificate::body);
}

pub(super) fn deputy(data: &[u8]) {
    again(data, DeputyCertificate::read, DeputyCertificate::body);
}

pub(super) fn delegation(data: &[u8]) {
    again(data, Delegation::read, Delegation::body);
    let Ok(fields) = Fields::parse(data) else { return };
    let Ok(delegation) = Delegation::read(&fields) else { return };
    let called = delegation.id.to_string();
    assert_eq!(called.parse(), Ok(delegation.id), "it is called otherwise than it reads");
}

/// A person's part of a body.
pub(super) fn act(data: &[u8]) {
    let Ok(Some(act)) = Act::of_body(data) else { return };
    let Some(facts) = Fields::parse(data).expect("it was read").get(1).map(<[u8]>::to_vec) else { return };
    let mut alone = Writer::new();
    alone.bytes(1, &facts);
    let whole = act.put(&alone.finish()).expect("facts alone");
    assert_eq!(Act::of_body(&whole), Ok(Some(act)), "it reads back otherwise");
}

/// The first words at a person's desk, either way.
pub(super) fn desk(data: &[u8]) {
    if let Ok(hello) = DeskHello::read(data) {
        assert_eq!(DeskHello::read(&hello.to_bytes()), Ok(hello));
    }
    if let Ok(welcome) = DeskWelcome::read(data) {
        assert_eq!(DeskWelcome::read(&welcome.to_bytes()), Ok(welcome));
    }
}

pub(super) fn revocation(data: &[u8]) {
    again(data, Revocation::read, Revocation::body);
}

/// Envelopes one after the other, each behind its length: nothing enters but what was signed.
pub(super) fn roster(data: &[u8]) {
    let founded = &FOUNDED.0;
    let (mut roster, mut reader) = (founded.clone(), super::Reader(data));
    while !reader.0.is_empty() {
        let envelope = reader.counted();
        let before = roster.objects().count();
        match roster.offer(envelope) {
            // Known by its body: its signatures are not looked at, and nothing of it is kept.
            Ok(Offered::Known) | Err(_) => assert_eq!(roster.objects().count(), before, "what was not taken changed the roster"),
            Ok(_) => assert!(is_signed(envelope), "what nobody signed was taken"),
        }
    }
    for object in roster.objects() {
        assert!(is_signed(object.envelope), "the roster holds what nobody signed");
    }
}

/// A draft that more roots are to sign: nobody is here who could.
pub(super) fn draft(data: &[u8]) {
    let founded = &FOUNDED.0;
    let charters: Vec<Charter> = founded.charters().cloned().collect();
    let read = drafted(data);
    let Ok(cosigned) = cosign(&founded.realm(), data, &charters, &[]) else { return };
    assert!(read.is_ok(), "what can be signed can be shown first");
    assert_eq!(cosigned.added, 0, "a signature came from nowhere");
    let again = cosign(&founded.realm(), &cosigned.envelope, &charters, &[]).expect("what was signed can be signed on");
    assert_eq!(again, cosigned, "without a new key nothing changes");
    let taken = founded.clone().offer(&cosigned.envelope) == Ok(Offered::New);
    assert!(!taken || is_signed(&cosigned.envelope), "what nobody signed was taken");
}

pub(super) fn armored(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match dearmor(text) {
        Ok(blocks) => {
            let written: String = blocks.iter().map(|block| armor(block.kind, &block.bytes)).collect();
            let what = |blocks: Vec<holdfast_proto::identity::Block>| -> Vec<(ArmorKind, Bytes)> {
                blocks.into_iter().map(|block| (block.kind, block.bytes)).collect()
            };
            assert_eq!(what(dearmor(&written).expect("what is written reads")), what(blocks), "a file reads back otherwise");
        }
        Err(error) => assert!((1..=text.lines().count()).contains(&error.line), "the line {} is not in the file", error.line),
    }
}
