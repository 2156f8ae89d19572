//! Keeps `PROTOCOL.md` true: its vectors are made again, read by a decoder written from the text alone, and its tables compared.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `vectors.rs` | the samples, and that their bytes are those of `tests/vectors/protocol.txt` |
//! | `reader.rs`, `frames.rs` | a reader that knows `PROTOCOL.md` and nothing of this crate |
//! | `tables.rs` | the tables of `PROTOCOL.md` against the code |

mod frames;
mod reader;
mod supply;
mod tables;
mod vectors;
