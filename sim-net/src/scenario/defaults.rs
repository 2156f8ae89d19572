//! How things behave where a scenario does not say: an ordinary fixed line, people who answer within a quarter of an hour.

use holdfast_proto::config::FRAME_BYTES_MAX;

use super::text::{DAY, HOUR, MINUTE};
use super::{Channel, Modulation, Operators, Path, Tempo, WorldModel};

/// The longest frame of a link.
const MTU: u32 = FRAME_BYTES_MAX as u32;

impl Path {
    /// A fixed line with the sync link over it.
    pub const WAN: Self = Self {
        delay: 18_000,
        jitter: 6_000,
        loss: 2_000,
        burst: (0, 0, 0),
        duplicate: 0,
        reorder: 0,
        corrupt: 0,
        rate: 2_500_000,
        queue: 131_072,
        mtu: MTU,
        reliable: true,
    };
    /// The wires of one building.
    pub const LAN: Self = Self { delay: 200, jitter: 300, loss: 0, rate: 12_500_000, queue: 262_144, ..Self::WAN };
    /// Broadcast of fresh entries over fixed lines.
    pub const GOSSIP: Self = Self { loss: 10_000, reliable: false, ..Self::WAN };
}

impl Channel {
    /// A 9,600 bit/s half-duplex channel.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            modulation: Modulation::Rate(9_600),
            keyup: 60_000,
            turnaround: 40_000,
            sense: 20_000,
            duty: 100_000,
            capture_db: 6,
            range_m: 15_000,
            mtu: 240,
            loss: 10_000,
        }
    }
}

impl Default for Operators {
    fn default() -> Self {
        Self { confirm: (2 * MINUTE, 15 * MINUTE), night: (22 * HOUR, 6 * HOUR), night_slower: 4 }
    }
}

impl Default for Tempo {
    fn default() -> Self {
        Self { boards: HOUR, entries: DAY, needs: 0, acts: 0 }
    }
}

impl Default for WorldModel {
    fn default() -> Self {
        Self {
            wan: Path::WAN,
            lan: Path::LAN,
            gossip: Some(Path::GOSSIP),
            channels: Vec::new(),
            known: 8,
            slow_disks: false,
            wrong_clocks: false,
            partial_roster: false,
            home_hubs: true,
            operators: Operators::default(),
            tempo: Tempo::default(),
        }
    }
}
