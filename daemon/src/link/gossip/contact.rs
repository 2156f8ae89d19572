//! Whom the gossip link tries: static addresses for ever, hints of mDNS up to a limit; and names turned into addresses.
//! Plain bookkeeping, no sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use holdfast_proto::identity::PublicKey;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, identity};
use tokio::time::Instant;

/// Peers remembered from mDNS. trust.md T32.
const HINTS_MAX: usize = 64;
/// Addresses remembered for each: a machine with Wi-Fi, Ethernet and a tunnel.
const ADDRESSES_MAX: usize = 4;
/// Between two dials of hints. trust.md T32.
const HINT_PACE: Duration = Duration::from_secs(1);
/// Between two dials of one hint.
const HINT_AGAIN: Duration = Duration::from_secs(30);

/// An address from the configuration. Dialled for ever.
#[derive(Debug)]
pub(super) struct Static {
    pub(super) address: Multiaddr,
    /// Who answered there last.
    pub(super) peer: Option<PeerId>,
    /// The dial under way.
    pub(super) dialling: Option<ConnectionId>,
    due: Option<Instant>,
    wait: Duration,
}

impl Static {
    /// `None`, and a warning, if the text is no address.
    pub(super) fn parse(text: &str, now: Instant) -> Option<Self> {
        let Ok(address) = text.parse::<SocketAddr>() else {
            tracing::warn!(address = text, "a gossip peer is not an address; write it as 192.168.1.20:4501");
            return None;
        };
        Some(Self { address: multiaddr_of(address), peer: None, dialling: None, due: Some(now), wait: Duration::ZERO })
    }

    /// Connected.
    pub(super) fn reached(&mut self, peer: PeerId) {
        self.peer = Some(peer);
        self.dialling = None;
    }

    /// The address is our own: never again.
    pub(super) fn is_self(&mut self) {
        self.dialling = None;
        self.due = None;
    }

    /// Connected and of use: the next loss starts from the shortest wait.
    pub(super) fn settled(&mut self) {
        self.wait = Duration::ZERO;
    }

    /// Failed or gone: later again. Waits double, each with up to a quarter more or less, so that two ends that collided part.
    pub(super) fn lost(&mut self, now: Instant, min: Duration, max: Duration) {
        self.dialling = None;
        self.wait = self.wait.saturating_mul(2).clamp(min, max.max(min));
        if self.due.is_some() {
            self.due = Some(now + self.wait * 3 / 4 + self.wait / 2 * random_permille() / 1_000);
        }
    }

    /// Tries at once.
    pub(super) fn hurry(&mut self, now: Instant) {
        if let Some(due) = &mut self.due {
            *due = now.min(*due);
        }
    }

    pub(super) fn is_due(&self, now: Instant, is_here: impl Fn(&PeerId) -> bool) -> bool {
        self.dialling.is_none() && self.due.is_some_and(|due| due <= now) && !self.peer.as_ref().is_some_and(is_here)
    }
}

fn random_permille() -> u32 {
    // Without random numbers the jitter is lost and nothing else.
    getrandom::u32().map_or(500, |n| n % 1_001)
}

#[derive(Debug)]
struct Hint {
    addresses: Vec<Multiaddr>,
    again: Option<Instant>,
}

/// What mDNS said. Anybody on the network can say anything, so it is bounded and paced, and the key decides.
#[derive(Debug, Default)]
pub(super) struct Hints {
    peers: BTreeMap<PeerId, Hint>,
    paced: Option<Instant>,
}

impl Hints {
    /// Remembers an address. Where the table is full, strangers make room for admitted keys, never the other way.
    pub(super) fn heard(&mut self, peer: PeerId, address: Multiaddr, is_admitted: impl Fn(&PeerId) -> bool) {
        if !self.peers.contains_key(&peer) && self.peers.len() >= HINTS_MAX {
            let stranger = self.peers.keys().copied().find(|known| !is_admitted(known));
            match stranger {
                Some(stranger) if is_admitted(&peer) => self.forget(&stranger),
                Some(_) | None => return,
            }
        }
        let hint = self.peers.entry(peer).or_insert(Hint { addresses: Vec::new(), again: None });
        if !hint.addresses.contains(&address) {
            hint.addresses.push(address);
            if hint.addresses.len() > ADDRESSES_MAX {
                hint.addresses.remove(0);
            }
        }
    }

    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// The next to dial, at most one a second.
    pub(super) fn next(&mut self, now: Instant, wanted: impl Fn(&PeerId) -> bool) -> Option<(PeerId, Vec<Multiaddr>)> {
        if self.paced.is_some_and(|paced| now < paced) {
            return None;
        }
        let due = |hint: &Hint| hint.again.is_none_or(|again| again <= now);
        let (peer, hint) =
            self.peers.iter_mut().filter(|(peer, hint)| wanted(peer) && due(hint)).min_by_key(|(_, hint)| hint.again)?;
        hint.again = Some(now + HINT_AGAIN);
        self.paced = Some(now + HINT_PACE);
        Some((*peer, hint.addresses.clone()))
    }
}

/// `/ip4/127.0.0.1/udp/4501/quic-v1`.
pub(super) fn multiaddr_of(address: SocketAddr) -> Multiaddr {
    Multiaddr::empty().with(Protocol::from(address.ip())).with(Protocol::Udp(address.port())).with(Protocol::QuicV1)
}

/// The other way.
pub(super) fn socket_of(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let (first, second) = (parts.next()?, parts.next()?);
    let Protocol::Udp(port) = second else { return None };
    if let Protocol::Ip4(ip) = first {
        return Some(SocketAddr::new(IpAddr::V4(ip), port));
    }
    let Protocol::Ip6(ip) = first else { return None };
    Some(SocketAddr::new(IpAddr::V6(ip), port))
}

/// The name libp2p gives a key; `None` if the bytes are no key.
pub(super) fn peer_of(key: &PublicKey) -> Option<PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(&key.0).ok()?;
    Some(identity::PublicKey::from(key).to_peer_id())
}

/// The port of the sync link in the agent version of a peer: `holdfast/0.1.0 sync=4401`.
pub(super) fn sync_port_of(agent: &str) -> Option<u16> {
    let rest = agent.strip_prefix("holdfast/")?;
    let port = rest.split(' ').find_map(|word| word.strip_prefix("sync="))?.parse().ok()?;
    (port != 0).then_some(port)
}

/// Where the sync link of a gossip peer may be: its address as we saw it, with the port it named.
pub(super) fn candidate_of(remote: SocketAddr, port: u16) -> String {
    SocketAddr::new(remote.ip(), port).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> PeerId {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&n.to_be_bytes());
        identity::Keypair::ed25519_from_bytes(seed).expect("a key").public().to_peer_id()
    }

    #[test]
    fn a_flood_of_mdns_answers_fills_no_memory_and_displaces_nobody_admitted() {
        let good = peer(1_000_000);
        let (mut hints, address) = (Hints::default(), multiaddr_of(([127, 0, 0, 1], 4501).into()));
        for n in 0..500 {
            hints.heard(peer(n), address.clone(), |p| *p == good);
        }
        hints.heard(good, address.clone(), |p| *p == good);
        for n in 500..1_000 {
            hints.heard(peer(n), address.clone(), |p| *p == good);
        }
        assert_eq!(hints.peers.len(), HINTS_MAX);
        let now = Instant::now();
        assert_eq!(hints.next(now, |p| *p == good).map(|(p, _)| p), Some(good));
        assert_eq!(hints.next(now, |_| true), None, "one dial a second");
        assert!(hints.next(now + HINT_PACE, |_| true).is_some_and(|(p, _)| p != good));
    }

    #[test]
    fn static_addresses_are_tried_for_ever_with_growing_waits() {
        let now = Instant::now();
        let mut known = Static::parse("127.0.0.1:4501", now).expect("an address");
        assert!(known.is_due(now, |_| false));
        let (min, max) = (Duration::from_secs(1), Duration::from_secs(30));
        for _ in 0..100 {
            known.lost(now, min, max);
        }
        assert!(!known.is_due(now + Duration::from_secs(22), |_| false));
        assert!(known.is_due(now + Duration::from_secs(38), |_| false));
        known.hurry(now);
        assert!(known.is_due(now, |_| false));
        known.is_self();
        known.lost(now, min, max);
        assert!(!known.is_due(now + Duration::from_secs(1_000), |_| false));
        assert!(Static::parse("store.example:4501", now).is_none());
    }

    #[test]
    fn only_our_agents_name_a_sync_port() {
        assert_eq!(sync_port_of("holdfast/0.1.0 sync=4401"), Some(4401));
        assert_eq!(sync_port_of("holdfast/0.1.0"), None);
        assert_eq!(sync_port_of("holdfast/0.1.0 sync=0"), None);
        assert_eq!(sync_port_of("holdfast/0.1.0 sync=99999"), None);
        assert_eq!(sync_port_of("other/1 sync=4401"), None);
        let address: SocketAddr = ([127, 0, 0, 1], 4501).into();
        assert_eq!(socket_of(&multiaddr_of(address)), Some(address));
    }
}
