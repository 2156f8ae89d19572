//! Links as the core knows them: by what they can do, never by name. Frames with a class; nothing of what is in them.

pub mod airtime;
pub mod outbox;
pub mod radio;

use serde::{Deserialize, Serialize};

use crate::identity::PublicKey;

/// One link of this run; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub u32);

/// What a link can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkProfile {
    /// Largest frame in bytes.
    pub mtu: u32,
    /// Bytes a second, about; 0 where unknown and plentiful.
    pub rate: u32,
    /// Delivers every frame once and in order while it is up.
    pub reliable: bool,
    /// Everyone in hearing gets every frame.
    pub broadcast: bool,
    /// The key that the other end proved in the handshake; none on broadcast links.
    pub peer: Option<PublicKey>,
    /// The address that was dialled, where we dialled.
    pub dialled: Option<String>,
    /// For people: "quic 127.0.0.1:4401".
    pub label: String,
}
