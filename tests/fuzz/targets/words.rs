//! Frames, entries, bodies, boards and readings: what peers say to each other.

use bytes::Bytes;
use holdfast_proto::config::{BODY_BYTES_MAX, FACTS_MAX, FRAME_BYTES_MAX};
use holdfast_proto::domain::fact::{Decoded, Deed, class_of, decode_body, encode_body, floor_of};
use holdfast_proto::domain::reading;
use holdfast_proto::message::{Message, WireDoc, WireEntry};
use holdfast_proto::replica::{Document, Header};
use holdfast_proto::time::UtcMillis;

/// Where a row is made, this is when.
const NOW: UtcMillis = UtcMillis(1_795_000_000_000);

pub(super) fn frame(data: &[u8]) {
    let Ok(message) = Message::from_frame(data) else { return };
    assert!(data.len() <= FRAME_BYTES_MAX + 1, "a frame longer than any may be was read");
    let again = message.to_frame();
    assert!(again.len() <= data.len(), "what was read is longer than what came");
    assert_eq!(Message::from_frame(&again).as_ref(), Ok(&message), "what was read reads back otherwise");
    if let Message::Entries { entries, .. } = message {
        entries.into_iter().for_each(wire_entry);
    } else if let Message::Forks { proofs } = message {
        proofs.into_iter().flat_map(|(one, other)| [one, other]).for_each(wire_entry);
    } else if let Message::Docs { docs, .. } = message {
        docs.into_iter().for_each(wire_doc);
    }
}

/// An entry is told by what is left when all that can be made again is left out: making it again must give one header.
fn wire_entry(entry: WireEntry) {
    let row = entry.unpack(NOW);
    let Ok(header) = Header::parse(&row.header) else { return };
    assert_eq!(header.id, row.id, "a header says another name than its entry");
    if let Some(body) = &row.body {
        assert!(header.owns(body) || body.len() > BODY_BYTES_MAX, "a body is not the one its header names");
    }
    let packed = WireEntry::pack(&row, true, None).expect("its header reads");
    assert_eq!(packed.unpack(NOW).header, row.header, "a header sent on is another");
    entry_bytes(&row.header);
    row.body.iter().for_each(|body| self::body(body));
}

fn wire_doc(doc: WireDoc) {
    board(&doc.unpack(NOW).bytes);
}

pub(super) fn entry(data: &[u8]) {
    entry_bytes(data);
}

fn entry_bytes(data: &[u8]) {
    if let Ok(header) = Header::parse(data) {
        assert_eq!(header.to_bytes(), data, "a header has two spellings");
    }
}

pub(super) fn body(data: &[u8]) {
    let facts = decode_body(data);
    assert!(facts.len() <= FACTS_MAX + 1, "{} facts were read", facts.len());
    let (mut classes, mut floors) = (Vec::new(), Vec::new());
    for decoded in facts {
        let Decoded::Fact(fact) = decoded else { continue };
        classes.push(fact.class());
        if let Deed::Floor(floor) = &fact.deed {
            floors.push(floor.clone());
        }
        let again = encode_body(std::slice::from_ref(&fact));
        assert_eq!(decode_body(&again), [Decoded::Fact(fact)], "a fact reads back otherwise");
    }
    assert_eq!(class_of(data), classes.into_iter().min(), "a body has another class than its facts");
    assert_eq!(floor_of(data), floors, "a floor is seen by one reader and not by the other");
}

pub(super) fn board(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(document) = Document::parse(&bytes) else { return };
    let again = document.to_bytes();
    assert!(again.len() <= data.len(), "what was read is longer than what came");
    assert_eq!(Document::parse(&again).as_ref(), Ok(&document), "a document reads back otherwise");
    readings(&document.readings);
}

pub(super) fn readings(data: &[u8]) {
    let read = reading::decode(data);
    let again = reading::encode(&read);
    assert_eq!(reading::decode(&again), read, "readings read back otherwise");
}
