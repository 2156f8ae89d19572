//! How QUIC is set up for the sync link: windows, times, and what a restart needs. Opens nothing.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use quinn::crypto::{CryptoError, HmacKey};
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout, TimeSource, TransportConfig, VarInt};
use tokio::time::Instant;

/// Unacknowledged bytes QUIC holds for one link. The peer's windows are no wider together.
const SEND_WINDOW: u64 = 1_048_576;
/// What a peer may have on its way to us, per connection and per stream. trust.md T44.
const RECEIVE_WINDOW: u32 = 1_048_576;
/// One stream carries everything here; 256 KiB at 50 ms of round trip are 5 MB/s.
const STREAM_WINDOW: u32 = 262_144;
/// Streams a peer may open. One is used; the rest is room for later versions. trust.md T44.
const STREAMS_MAX: u32 = 8;
/// A packet now and then keeps NATs open: they forget after 20-30 s. mesh.md Q2.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Silence after which a peer is gone. trust.md T44.
const IDLE_MAX_MS: u32 = 30_000;
/// First guess of the round trip. Sets the first repeat of a dial to 300 ms; a slower line repeats once or twice for nothing.
const RTT_GUESS: Duration = Duration::from_millis(100);

/// See the constants for whence. Left at quinn's defaults on purpose: CUBIC (a LAN and a mobile line are what it is made for),
/// 1,200 bytes at first and probing up to 1,452 (tunnels), segmentation offload, fairness among streams (there is one), and
/// acknowledgements (they delay no data; frames leave at once, nothing like Nagle's algorithm waits).
pub(in crate::link) fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS_MAX))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(RECEIVE_WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .initial_rtt(RTT_GUESS)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MAX_MS))));
    transport
}

/// A restarted daemon can tell its peers at once that their old connection is gone, because the key of the stateless resets
/// comes from the node's seed.
pub(in crate::link) fn endpoint_config(seed: &[u8; 32]) -> EndpointConfig {
    let key = blake3::derive_key("holdfast 2026 stateless reset of the sync link", seed);
    let mut config = EndpointConfig::new(Arc::new(ResetKey(key)));
    config.cid_generator(|| Box::new(RandomId));
    config
}

struct ResetKey([u8; 32]);

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        for (out, byte) in signature_out.iter_mut().zip(blake3::keyed_hash(&self.0, data).as_bytes()) {
            *out = *byte;
        }
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        // Comparing two hashes takes the same time whatever they are.
        let right = <[u8; 32]>::try_from(signature).is_ok_and(|got| blake3::keyed_hash(&self.0, data) == got);
        if right { Ok(()) } else { Err(CryptoError) }
    }
}

/// Connection ids of eight random bytes. The library's default marks its ids with a key of the process and ignores all others,
/// and so would never answer for a connection of the process before.
struct RandomId;

impl ConnectionIdGenerator for RandomId {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; 8];
        getrandom::fill(&mut id).expect("invariant: a system without random numbers could not have made its key either");
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        8
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// Time for the age of retry tokens, which only this process reads: a jump of the wall clock must not refuse anybody.
pub(super) struct Uptime(pub(super) Instant);

impl TimeSource for Uptime {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.0.elapsed()
    }
}
