//! Frames on one QUIC stream: a big-endian u32 length, then so many bytes. Moves them; looks into none.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use holdfast_proto::config::FRAME_BYTES_MAX;
use holdfast_proto::link::LinkId;
use quinn::{RecvStream, SendStream};
use tokio::sync::mpsc;

use super::Report;
use super::intake::Inlet;
use super::port::Gauge;

/// Bytes of the length before each frame.
const LENGTH_BYTES: usize = 4;
/// Frames taken from the queue at once.
const FRAMES_AT_ONCE: usize = 64;
/// Frames are gathered up to here into one write: one lock of the connection for many small frames.
const WRITE_BYTES: usize = 32_768;
/// Most that is taken from the stream at once.
const READ_BYTES: usize = 65_536;

/// A frame longer than any link may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {0} bytes was announced; {FRAME_BYTES_MAX} is the most")]
pub(super) struct TooLong(u32);

/// Why reading ended.
#[derive(Debug)]
pub(super) enum ReadEnd {
    /// The other end finished its stream, or the connection is gone: its close reason tells.
    Finished,
    /// The other end broke the format.
    Bad(TooLong),
    /// The loop has ended.
    Unheard,
}

/// Hands every frame of the stream to the loop. Stops reading while its lane is full, which stalls the sender.
pub(super) async fn read(mut stream: RecvStream, link: LinkId, reports: Inlet) -> ReadEnd {
    let mut buffer = BytesMut::new();
    loop {
        match cut_frame(&mut buffer) {
            Ok(Some(frame)) => {
                if reports.send(Report::Frame(link, frame)).await.is_err() {
                    return ReadEnd::Unheard;
                }
                continue;
            }
            Ok(None) => {}
            Err(bad) => return ReadEnd::Bad(bad),
        }
        match stream.read_chunk(READ_BYTES, true).await {
            Ok(Some(chunk)) => buffer.extend_from_slice(&chunk.bytes),
            Ok(None) | Err(_) => return ReadEnd::Finished,
        }
    }
}

/// Takes one whole frame from the front. Copied out, so that a kept frame does not keep the buffer of its neighbours.
fn cut_frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, TooLong> {
    let Some(length) = buffer.first_chunk::<LENGTH_BYTES>().copied().map(u32::from_be_bytes) else {
        return Ok(None);
    };
    let bytes = usize::try_from(length).map_err(|_| TooLong(length))?;
    if bytes > FRAME_BYTES_MAX {
        return Err(TooLong(length));
    }
    let Some(frame) = buffer.get(LENGTH_BYTES..LENGTH_BYTES + bytes).map(Bytes::copy_from_slice) else {
        return Ok(None);
    };
    buffer.advance(LENGTH_BYTES + bytes);
    Ok(Some(frame))
}

/// Writes every frame of the queue, reports room, and at the end of the queue finishes the stream and waits until the other
/// end has it all. Returns early when the stream is broken.
pub(super) async fn write(
    mut stream: SendStream,
    link: LinkId,
    mut frames: mpsc::Receiver<Bytes>,
    gauge: Arc<Gauge>,
    reports: Inlet,
) {
    let mut batch = Vec::with_capacity(FRAMES_AT_ONCE);
    let mut buffer = BytesMut::new();
    while frames.recv_many(&mut batch, FRAMES_AT_ONCE).await > 0 {
        let mut gathered = 0;
        let last = batch.len() - 1;
        for (place, frame) in batch.drain(..).enumerate() {
            // The port refuses frames above the mtu, so the length fits.
            let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            buffer.put_u32(bytes);
            buffer.put(frame);
            gathered += bytes;
            if buffer.len() < WRITE_BYTES && place < last {
                continue;
            }
            if stream.write_chunk(buffer.split().freeze()).await.is_err() {
                return;
            }
            if gauge.release(std::mem::take(&mut gathered)) {
                // Fails only when the loop has ended; then the queue ends too.
                drop(reports.send(Report::Room(link)).await);
            }
        }
    }
    if stream.finish().is_ok() {
        drop(stream.stopped().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_wherever_the_packets_broke() {
        let mut wire = BytesMut::new();
        let frames: Vec<Bytes> = [0usize, 1, 300, FRAME_BYTES_MAX].into_iter().map(|n| Bytes::from(vec![7; n])).collect();
        for frame in &frames {
            wire.put_u32(u32::try_from(frame.len()).expect("short"));
            wire.put_slice(frame);
        }
        for step in [1, 3, 1_200, 100_000] {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for part in wire.chunks(step) {
                buffer.extend_from_slice(part);
                while let Some(frame) = cut_frame(&mut buffer).expect("well formed") {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, frames);
        }
    }

    #[test]
    fn a_length_above_the_mtu_is_refused_before_anything_is_kept() {
        let mut buffer = BytesMut::new();
        buffer.put_u32(u32::try_from(FRAME_BYTES_MAX).expect("short") + 1);
        assert_eq!(cut_frame(&mut buffer), Err(TooLong(65_537)));
    }
}
