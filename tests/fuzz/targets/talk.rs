//! Joining by a code: documents as they come, and the same sealed by somebody who knows the code and lies.

use bytes::Bytes;
use holdfast_proto::identity::enrol::{CodeKey, Offer, Talk, Welcome, invitation_of, roster_of};

/// Of the code that both ends know.
const KEY: CodeKey = CodeKey::from_bytes([7; 32]);

fn talk() -> Talk {
    Talk::new(KEY)
}

/// The fields as whoever knows the code would seal them: field 15, 32 bytes over all before it.
fn sealed(fields: &[u8]) -> Vec<u8> {
    let seal = blake3::Hasher::new_keyed(&KEY.to_bytes()).update(fields).finalize();
    [fields, &[15, 32], seal.as_bytes()].concat()
}

pub(super) fn enrol(data: &[u8]) {
    let _ = invitation_of(data);
    // Not sealed, or of another talk: whoever does not know the code is not heard.
    assert!(talk().offered(data).is_err() || ends_in_its_seal(data), "a document without its seal was taken");
    let document = sealed(data);
    asked(&document);
    offered(&document);
    welcomed(&document);
    let _ = talk().is_same(&document);
    if let Ok(paper) = talk().is_done(&document) {
        assert_eq!(talk().is_done(&talk().done(&paper)), Ok(paper), "it reads back otherwise");
    }
}

fn ends_in_its_seal(data: &[u8]) -> bool {
    data.len().checked_sub(34).is_some_and(|end| sealed(&data[..end]) == data)
}

fn asked(document: &[u8]) {
    let Ok(ask) = talk().asked(document) else { return };
    let again = talk().asked(&talk().ask(ask.key, ask.nonce)).expect("what is said is heard");
    assert_eq!((again.key, again.nonce), (ask.key, ask.nonce), "it reads back otherwise");
}

fn offered(document: &[u8]) {
    let Ok(offer) = talk().offered(document) else { return };
    let _ = roster_of(&offer.objects);
    let again: Offer = talk().offered(&talk().offer(&offer)).expect("what is said is heard");
    assert_eq!(again, offer, "it reads back otherwise");
}

fn welcomed(document: &[u8]) {
    let Ok(welcome) = talk().welcomed(document) else { return };
    let again: Welcome = talk().welcomed(&talk().welcome(&welcome)).expect("what is said is heard");
    assert_eq!(again, welcome, "it reads back otherwise");
    let _: Vec<Bytes> = again.objects;
}
