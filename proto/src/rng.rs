//! A named, seeded stream of random numbers: BLAKE3 of (seed, counter). The only randomness in the core (P1, P6).

/// Same seed, same numbers, on every machine and in every version.
#[derive(Clone, Debug)]
pub struct Rng {
    seed: [u8; 32],
    counter: u64,
}

impl Rng {
    /// A stream that starts at its beginning.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let block = blake3::keyed_hash(&self.seed, &self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        let mut out = [0; 8];
        out.copy_from_slice(&block.as_bytes()[..8]);
        u64::from_be_bytes(out)
    }

    /// A number below `bound`; 0 where the bound is 0. The bias is below 2^-32 for the bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }
}
