//! Seeded chance: one ChaCha8 stream per (seed, purpose, entity), never one for all, so that a change in one place leaves
//! every other draw as it was. Integers only. Keeps P6.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::scenario::Ppm;

/// What a stream decides. Part of its key: two purposes never share draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Keys of the alliance.
    Keys,
    /// The seed given to a node at each start.
    Entropy,
    /// Which faults this seed has, and how hard.
    Plan,
    /// When faults happen.
    Faults,
    /// Order of what happens at the same microsecond.
    Tie,
    /// Loss, delay, order on one direction of one link.
    Link,
    /// Loss and delay on the broadcast domain, per sender.
    Broadcast,
    /// What of the frames of one station nobody disturbed is lost all the same, per channel and station.
    Radio,
    /// How long a station waits for its turn on a channel, per channel and station.
    Access,
    /// Which journeys fail.
    Courier,
    /// Delays and losses of a store.
    Disk,
    /// Offset and drift of a clock.
    Clock,
    /// When a node says something by itself.
    Tempo,
    /// How long staff take.
    Staff,
    /// Which addresses a node is configured with.
    Addresses,
    /// What an adversary makes.
    Adversary,
    /// What operators do.
    Work,
    /// What suppliers, carriers and consignees do.
    Goods,
    /// What stores need, and what of it comes.
    Depot,
    /// Where the sites of a generated scenario stand, and whose they are.
    Places,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Entropy => "entropy",
            Self::Plan => "plan",
            Self::Faults => "faults",
            Self::Tie => "tie",
            Self::Link => "link",
            Self::Broadcast => "broadcast",
            Self::Radio => "radio",
            Self::Access => "access",
            Self::Courier => "courier",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::Tempo => "tempo",
            Self::Staff => "staff",
            Self::Addresses => "addresses",
            Self::Adversary => "adversary",
            Self::Work => "work",
            Self::Goods => "goods",
            Self::Depot => "depot",
            Self::Places => "places",
        }
    }
}

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of `(seed, purpose, entity)`.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose, entity: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"holdfast-sim dice");
        hasher.update(&seed.to_be_bytes());
        hasher.update(purpose.name().as_bytes());
        hasher.update(&entity.to_be_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// Any 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `0..end`, or 0 where `end` is 0. The bias of the remainder is below 2^-32 for the small ranges used here.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.next_u64() % end }
    }

    /// `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True in `permille` of 1,000 cases.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// True in `ppm` of 1,000,000 cases.
    pub fn chance_ppm(&mut self, ppm: Ppm) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }

    /// One of `choices`, `None` where there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let place = self.below(choices.len() as u64);
        choices.get(usize::try_from(place).unwrap_or(0))
    }

    /// An index below `len`, 0 where `len` is 0.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// 32 bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut out = [0; 32];
        self.0.fill_bytes(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_key_same_stream_and_any_other_key_another() {
        let draw = |seed, purpose, entity| Dice::new(seed, purpose, entity).word();
        assert_eq!(draw(1, Purpose::Link, 2), draw(1, Purpose::Link, 2));
        assert_ne!(draw(1, Purpose::Link, 2), draw(1, Purpose::Disk, 2));
        assert_ne!(draw(1, Purpose::Link, 2), draw(1, Purpose::Link, 3));
        assert_ne!(draw(1, Purpose::Link, 2), draw(2, Purpose::Link, 2));
    }
}
