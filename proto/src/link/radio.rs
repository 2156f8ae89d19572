//! The radio link below the frames of the core, without IO: framing on the port, air frames and their pieces, and when a station may
//! send. `PROTOCOL.md` has the tables. Signed and in clear: there is no branch here that could hide anything.

pub mod framing;
pub mod pieces;
pub mod station;

/// Shortest longest air frame that a modem may have, in bytes.
pub const MTU_MIN: usize = 60;
/// Longest; a modem that was given more has cut it silently. radio.md 1.1.
pub const MTU_MAX: usize = 1_000;
/// What suits most modems. radio.md 1.
pub const MTU_DEFAULT: usize = 200;
/// Longest message of the core that is carried, in pieces: a hub's board and what stands around it.
pub const MESSAGE_MAX: usize = 1_200;
