//! Our own documents and the size everybody takes them at: one measure for what is typed and for what is issued again.

use bytes::Bytes;

use super::{Node, refuse};
use crate::config::BOARD_BYTES_KEPT;
use crate::domain::refusal::Refusal;
use crate::domain::{Plan, room};
use crate::id::DocKind;
use crate::replica::{CONTACTS_MAX, Document, document_bytes_max};
use crate::time::UtcMillis;

/// A signature beside the document.
const SIGNATURE_BYTES: usize = 64;

impl Node {
    /// Bytes a document takes, signature included: what every node measures it by.
    fn measure(doc: &Document) -> usize {
        doc.to_bytes().len() + SIGNATURE_BYTES
    }

    fn bytes_max(&self, kind: DocKind) -> usize {
        document_bytes_max(kind, self.window(self.me, self.generation))
    }

    /// Our document with these readings, as it would be signed now. Addresses take what room the readings leave, the first first.
    pub(super) fn own_document(&self, kind: DocKind, readings: Bytes) -> Document {
        let log = self.own_log(self.own.mark.incarnation);
        let (floor, head) = self.replica.log(log).map_or((0, 0), |held| (held.floor_number(), held.head()));
        let version = if kind == DocKind::Board { self.own.mark.board } else { self.own.mark.detail };
        let contact = if kind == DocKind::Board { self.config.advertise.as_slice() } else { &[] };
        let contact = contact.iter().take(CONTACTS_MAX).cloned().collect();
        let floor = if floor > 1 { floor } else { 0 };
        let mut doc = Document { log, version, wall: self.wall(), floor, head, readings, contact };
        while Self::measure(&doc) > self.bytes_max(kind) && doc.contact.pop().is_some() {}
        doc
    }

    /// True where everybody takes a document of ours with these readings, as it would be signed now.
    pub(super) fn fits(&self, kind: DocKind, readings: &[u8]) -> bool {
        // The version is not counted up before it is known to fit, and addresses give way.
        let doc = self.own_document(kind, Bytes::copy_from_slice(readings));
        Self::measure(&Document { version: u32::MAX, contact: Vec::new(), ..doc }) <= self.bytes_max(kind)
    }

    /// Bytes a document with these readings takes at most, whatever its version, our logbook and the clock will be.
    fn largest(&self, readings: Vec<u8>) -> usize {
        let log = self.own_log(self.own.mark.incarnation);
        // Six bytes of milliseconds do until the year 10,889.
        let wall = UtcMillis((1 << 48) - 1);
        let (version, floor, head) = (u32::MAX, u32::MAX, u32::MAX);
        Self::measure(&Document { log, version, wall, floor, head, readings: readings.into(), contact: Vec::new() })
    }

    /// What the domain planned must be taken by everybody, now and whenever it is issued again. What makes a document no larger is
    /// taken as long as it fits now: else one that is too full could not be emptied.
    pub(super) fn check_sizes(&self, plan: &Plan) -> Result<(), Refusal> {
        for (kind, payload) in [(DocKind::Board, &plan.board), (DocKind::Detail, &plan.detail)] {
            let Some(payload) = payload else { continue };
            let room_of = if kind == DocKind::Board { room::of_board } else { room::of_detail };
            let (room, before) = (room_of(payload), room_of(&self.domain.reissue(self.me, kind, self.now)));
            let max = self.bytes_max(kind);
            let kept = if kind == DocKind::Board { BOARD_BYTES_KEPT } else { 0 };
            let over = |now: &[u8], before: &[u8], max: usize| {
                let bytes = self.largest(now.to_vec());
                (bytes > max && now.len() > before.len()).then_some((bytes, max))
            };
            let full = over(&room.plain, &before.plain, max - kept).or_else(|| over(&room.all, &before.all, max));
            let full = full.or_else(|| (!self.fits(kind, payload)).then(|| (self.largest(payload.clone()), max)));
            if let Some((bytes, max)) = full {
                return Err(refuse::document_full(kind, bytes, max, &room::withdrawable(payload)));
            }
        }
        Ok(())
    }
}
