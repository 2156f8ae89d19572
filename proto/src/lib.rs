//! The Holdfast protocol and domain: one [`node::Node`], pure, without clock, socket, file, thread or ambient randomness.
//!
//! Read [`message`] for what peers say to each other, [`io`] for what crosses the boundary to the world, [`control`] for what
//! people and programs ask, and `PROTOCOL.md` beside this crate for the bytes. Dependencies point one way, down this ladder:
//!
//! ```text
//! recording                     what happened to a node, played again
//! node                          routes; decides nothing
//! message  io  control          the unions: peers, boundary, operator
//! peers                         who is reachable, whom to dial next
//! replica                       logbooks and documents as opaque bytes, digest and difference
//! identity | domain | link      know nothing of each other: who may speak, what is said, how frames queue
//! id  codec  rng  time  config  leaves
//! ```
//!
//! The invariants on the door; tests and checkers cite the numbers:
//! - **P1** no clock, socket, file, thread or ambient randomness in here (`clippy.toml`, and the dependency check in `tests/`).
//! - **P2** `handle` never fails and never blocks; each queue, loop and map has a limit named in [`config`].
//! - **P3** no byte from outside changes state before it is [`identity::Verified`].
//! - **P4** no word of our own is transmitted or acknowledged before the store said it is durable.
//! - **P5** what was verified is stored and relayed unchanged.
//! - **P6** same config, seed and inputs give the same outputs, byte for byte.
//! - **P7** nodes that hold the same entries and boards show the same picture.
//! - **P8** dependencies point down the ladder above (`tests/tidy.rs`).
//! - **P9** an unknown field or message kind is kept or refused, never a crash.

pub mod codec;
pub mod config;
pub mod control;
pub mod domain;
pub mod id;
pub mod identity;
pub mod io;
pub mod link;
pub mod message;
pub mod node;
pub mod peers;
pub mod recording;
pub mod replica;
pub mod rng;
pub mod time;
