//! The two doors to bytes: [`canonical`] for what is signed, and [`encode`]/[`decode`] (bincode) for what is not.
//!
//! Nothing else in the workspace names bincode (`tests/tidy.rs`). Keeps P9.

pub mod canonical;

use bincode::Options;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The bytes can't be read as what they claim to be. Nothing was changed; on a network this is normal noise or an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than this kind may have; refused before reading.
    #[error("{len} bytes, at most {max} allowed")]
    TooLong {
        /// Bytes received.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Cut, padded, or of a shape this version does not know.
    #[error("cut short, padded or of an unknown shape")]
    Malformed,
}

fn options() -> impl Options {
    bincode::DefaultOptions::new().with_varint_encoding().reject_trailing_bytes()
}

/// Encodes for peers, recordings and store rows: bincode 1.3.3, variable-length integers.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Our own types hold no maps with unserializable keys, so this can't fail; an empty frame is refused by every reader.
    options().serialize(value).unwrap_or_default()
}

/// The same behind one byte, written once into a buffer of its very size.
#[must_use]
pub fn encode_after<T: Serialize>(first: u8, value: &T) -> Vec<u8> {
    let bytes = options().serialized_size(value).unwrap_or_default();
    let mut out = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default().saturating_add(1));
    out.push(first);
    if options().serialize_into(&mut out, value).is_err() {
        out.truncate(1);
    }
    out
}

/// Decodes what [`encode`] wrote.
///
/// # Errors
/// [`DecodeError`] if longer than `max`, cut, padded or malformed.
pub fn decode<T: DeserializeOwned>(bytes: &[u8], max: usize) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLong { len: bytes.len(), max });
    }
    options().deserialize(bytes).map_err(|_| DecodeError::Malformed)
}
