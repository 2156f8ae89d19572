//! Limits and periods, each with unit, source and cost (P2). What all nodes must agree on is a constant; the rest is in [`Config`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// First byte of every frame; a frame of another version is refused and counted. Not declared stable yet.
pub const WIRE_VERSION: u8 = 0;
/// Largest board of a store, bytes, signature included. Design section 4.
pub const BOARD_BYTES_MAX: usize = 512;
/// Largest board of a hub.
pub const BOARD_BYTES_MAX_HUB: usize = 1_024;
/// Bytes of every board that only access, mode and power may use; room for the operating status is kept beside it. Each of the
/// six words takes 9 B in a group of its own (length 1, offset 5, word 3), the hours worked out 13 (basis 3, one byte more).
pub const BOARD_BYTES_KEPT: usize = 6 * 9 + 13;
/// Largest detail of a store.
pub const DETAIL_BYTES_MAX: usize = 4_096;
/// Largest detail of a hub.
pub const DETAIL_BYTES_MAX_HUB: usize = 16_384;
/// Largest body of an entry: fits a gossip frame many times and, cut in bursts, a radio. Guess.
pub const BODY_BYTES_MAX: usize = 8_192;
/// Largest header of an entry: 88 B today, with room for fields of later versions.
pub const HEADER_BYTES_MAX: usize = 256;
/// Facts in one body. `FactId` has one byte for the place.
pub const FACTS_MAX: usize = 64;
/// Largest frame on any link. Gossipsub's limit as we set it.
pub const FRAME_BYTES_MAX: usize = 65_536;
/// Entries in one [`crate::io::Output::Fetch`]. About 100 kB of memory at once.
pub const FETCH_MAX: usize = 256;
/// Numbers above the floor a store may use. Design section 4 rule 6.
pub const WINDOW_STORE: u32 = 4_096;
/// Numbers above the floor a hub may use.
pub const WINDOW_HUB: u32 = 65_536;
/// Numbers above the floor a guest may use: it says hardly anything but its board, for a week.
pub const WINDOW_GUEST: u32 = 256;
/// Ranges listed of what is held ahead, per logbook and session. Design section 4 rule 3.
pub const AHEAD_RANGES_MAX: usize = 64;
/// Incarnations of one generation that count. Design section 4 rule 4.
pub const INCARNATIONS_MAX: usize = 8;
/// At so many a person is told.
pub const INCARNATIONS_WARN: usize = 6;
/// Authors one node carries. Design section 4, digest.
pub const AUTHORS_MAX: usize = 16_000;
/// Digest buckets up to [`BUCKETS_FEW_MAX`] authors.
pub const BUCKETS_FEW: usize = 64;
/// Digest buckets above.
pub const BUCKETS_MANY: usize = 256;
/// Authors up to which 64 buckets do. Design section 4, digest.
pub const BUCKETS_FEW_MAX: usize = 2_000;
/// Running time of its own after which an author raises its floor over settled facts. Design section 4 rule 6.
pub const FLOOR_AFTER: Duration = Duration::from_secs(35 * 24 * 3_600);
/// Share of the window, in percent, at which an author raises its floor.
pub const FLOOR_PERCENT: u32 = 60;
/// Share of the window at which a person is told.
pub const WINDOW_WARN_PERCENT: u32 = 80;
/// Links known at once; more are hung up.
pub const LINKS_MAX: usize = 128;
/// Of them so many are members' before one gives way to another: the rest is the door, at which a newcomer shows who it is.
pub const MEMBERS_MAX: usize = 112;
/// Links at once whose other end has not yet shown who it is. trust.md T17.
pub const STRANGERS_MAX: usize = 32;
/// Addresses remembered that are not static.
pub const CANDIDATES_MAX: usize = 64;
/// Entries queued for one link beyond which lower classes are dropped: anti-entropy brings them later.
pub const OUTBOX_MAX: usize = 4_096;
/// Bytes queued for one link, likewise. 16 MiB: a day of a county, once per neighbour.
pub const OUTBOX_BYTES_MAX: usize = 16 << 20;
/// Commands waiting for the store at once; more are refused.
pub const COMMANDS_MAX: usize = 4_096;
/// Verified foreign entries waiting for the store at once; more are dropped and come again by the digest.
pub const PENDING_MAX: usize = 16_384;
/// Verified foreign documents waiting for the store at once, likewise: one of each author.
pub const PENDING_DOCS_MAX: usize = AUTHORS_MAX;
/// Versions of one document waiting for the store at once; of more the digest brings the newest.
pub const PENDING_VERSIONS_MAX: usize = 4;
/// A store's fresh words are passed on at once up to one in this time, of each kind. trust.md T9: six a minute.
pub const QUOTA_EVERY: Duration = Duration::from_secs(10);
/// So many at once after a silence. trust.md T9.
pub const QUOTA_BURST: u32 = 30;
/// The same of hubs and authorities: thirty a minute. trust.md T9.
pub const QUOTA_EVERY_HUB: Duration = Duration::from_secs(2);
/// So many at once after a silence: as for a store what five minutes bring.
pub const QUOTA_BURST_HUB: u32 = 150;
/// What all authors together say beyond their rates is passed on at once up to one in this time, behind everything else. A hundred
/// signatures a second are about one per cent of a core.
pub const QUOTA_SPARE_EVERY: Duration = Duration::from_millis(10);
/// So many at once after a silence: a clerk's list, or what a script of an hour says, goes out like any word while nobody else does so.
pub const QUOTA_SPARE: u32 = 1_000;
/// Longest address of a peer: a full host name and a port.
pub const ADDRESS_BYTES_MAX: usize = 262;
/// Refusals of one link told in [`REFUSALS_EVERY`]; the rest is only counted.
pub const REFUSALS_TOLD_MAX: u32 = 16;
/// See [`REFUSALS_TOLD_MAX`].
pub const REFUSALS_EVERY: Duration = Duration::from_secs(60);
/// Refused frames after which a link is hung up whose other end has not yet shown who it is.
pub const STRANGER_REFUSALS_MAX: u32 = 32;

/// What one node may set for itself. `Default` is right for a store PC on a LAN.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Links this node tries to hold. 8: mesh.md 4.4; each costs about 13 kB and a keep-alive.
    pub degree: usize,
    /// First wait before dialling again.
    pub redial_min: Duration,
    /// Longest wait before dialling again; it never gives up.
    pub redial_max: Duration,
    /// Probe of an idle link: one root hash. Backs up the pushes, so it may be rare.
    pub probe: Duration,
    /// Lazy announcements wait so long to be sent together.
    pub announce: Duration,
    /// An announced entry is pulled if no push brought it within this.
    pub graft: Duration,
    /// A want unanswered for so long is asked again elsewhere.
    pub want_timeout: Duration,
    /// Fresh entries on a broadcast link are collected for so long.
    pub broadcast_batch: Duration,
    /// Digest beacon on a broadcast link. Rare: each point-to-point link says the same by its probe, and everybody passes it on.
    pub beacon: Duration,
    /// Random wait before a heal session starts: no thundering herd.
    pub heal_jitter: Duration,
    /// Addresses this node can be reached at, said on its board.
    pub advertise: Vec<String>,
    /// The hub asked by requests that name nobody; every hub where it is not set or not certified as one.
    pub home_hub: Option<crate::id::NodeId>,
    /// What this node does when the central systems are silent; nothing where it is not set.
    pub crisis: Option<Crisis>,
    /// The earliest time our clock may show: build time. Below it the clock is known to be wrong.
    pub clock_floor: crate::time::UtcMillis,
}

/// When this node switches its mode by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crisis {
    /// The probe of the central systems is silent for so long.
    pub silent_after: Duration,
    /// So many other nodes of the region say the same, and more than say otherwise.
    pub agree: u32,
    /// Number of the mode in [`crate::domain::field::MODE`].
    pub mode: u8,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            degree: 8,
            redial_min: Duration::from_secs(1),
            redial_max: Duration::from_secs(60),
            probe: Duration::from_secs(30),
            announce: Duration::from_millis(80),
            graft: Duration::from_millis(30),
            want_timeout: Duration::from_millis(200),
            broadcast_batch: Duration::from_secs(1),
            beacon: Duration::from_secs(120),
            heal_jitter: Duration::from_millis(20),
            advertise: Vec::new(),
            home_hub: None,
            crisis: None,
            clock_floor: crate::time::UtcMillis::UNKNOWN,
        }
    }
}
