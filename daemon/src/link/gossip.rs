//! The gossip link: gossipsub of libp2p as one lossy broadcast link, and mDNS as a hint whom to try. Frames are judged by the
//! core; here only who is connected and how much is sent.

mod contact;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use holdfast_proto::config::{FRAME_BYTES_MAX, WIRE_VERSION};
use holdfast_proto::identity::PublicKey;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::gossipsub::{
    self, IdentTopic, MessageAcceptance, MessageAuthenticity, MessageId, PublishError, TopicHash, ValidationMode,
};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, identify, identity, mdns};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use self::contact::{Hints, Static, candidate_of, multiaddr_of, peer_of, socket_of, sync_port_of};
use super::port::{Desk, Port};
use super::{LinkError, Report, Shared};

/// Topic, lengths and tags around the data of one message. Measured: under 100 bytes; the rest is room.
const OVERHEAD_BYTES: usize = 512;
/// Sent at most in one second. About what a household uplink carries to two neighbours.
const BYTES_PER_SECOND: u32 = 262_144;
/// Heartbeat, redial and renewal of credit are looked at this often.
const TICK: Duration = Duration::from_millis(500);
/// Ticks after which credit is renewed: one second.
const TICKS_PER_CREDIT: u32 = 2;
/// A peer that shows no subscription within this is deaf (mesh.md T3): two heartbeats and a slow machine.
const DEAF_AFTER: Duration = Duration::from_secs(5);
/// Connections sought among those that mDNS hints at. mesh.md 4.4.
const DEGREE: usize = 8;
/// Connections at once. mesh.md 4.4, hub.
const CONNECTIONS_MAX: u32 = 128;
/// Handshakes at once. mesh.md 4.4.
const PENDING_MAX: u32 = 16;
/// Idle connections stay: gossipsub counts one as used only while its peer is in the mesh (mesh.md T4).
const IDLE_MAX: Duration = Duration::from_secs(600);
/// Messages waiting for one peer. The library's 5,000 would be 320 MB (mesh.md T11); 64 are 4 MB.
const QUEUE_MESSAGES: usize = 64;
/// A packet now and then keeps NATs open: they forget after 20-30 s (mesh.md Q2). The library's 5 s are most of what an idle link sends.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Silence after which a peer is gone. Two packets may get lost before that.
const SILENCE_MAX_MS: u32 = 40_000;
/// Windows of one connection and of one stream. The library's 15 and 10 MB suit servers.
const CONNECTION_WINDOW: u32 = 1_048_576;
const STREAM_WINDOW: u32 = 524_288;
/// Nodes up to which the small mesh is used. mesh.md 4.4.
const SMALL_CELL: usize = 6;
/// How long opening the socket may take.
const LISTEN_MAX: Duration = Duration::from_secs(5);

/// Settings of the gossip link.
#[derive(Clone, Debug)]
pub struct GossipSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Static addresses of other gossip links; dialled for ever.
    pub peers: Vec<String>,
    /// Ask the local network who is there.
    pub mdns: bool,
    /// Names the alliance: its realm as text. Nodes of another never share a topic.
    pub realm: String,
    /// About how many nodes there are; decides the width of the mesh.
    pub nodes_expected: usize,
    /// First wait before a static address is dialled again.
    pub redial_min: Duration,
    /// Longest wait.
    pub redial_max: Duration,
}

impl GossipSettings {
    /// The usual settings.
    #[must_use]
    pub fn new(listen: SocketAddr, realm: String) -> Self {
        Self {
            listen,
            peers: Vec::new(),
            mdns: true,
            realm,
            nodes_expected: 100,
            redial_min: Duration::from_secs(1),
            redial_max: Duration::from_secs(30),
        }
    }
}

/// What libp2p runs for us.
#[derive(NetworkBehaviour)]
struct Behaviour {
    // First: whoever is not admitted gets no further.
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    gossip: gossipsub::Behaviour,
    identify: identify::Behaviour,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// The running gossip link.
#[derive(Debug)]
pub(super) struct GossipLink {
    task: JoinHandle<()>,
    address: SocketAddr,
}

impl GossipLink {
    /// Listens and starts. The link goes up at once, with or without anybody in hearing.
    ///
    /// # Errors
    /// [`LinkError`] if the key, a setting or the address can't be used.
    pub(super) async fn open(
        settings: GossipSettings,
        seed: &[u8; 32],
        sync_port: Option<u16>,
        shared: Shared,
    ) -> Result<Self, LinkError> {
        let mut swarm = swarm(&settings, seed, sync_port)?;
        let topic = IdentTopic::new(blake3::hash(settings.realm.as_bytes()).to_hex().as_str());
        let setup = |cause: String| LinkError::Setup { kind: "gossip", cause };
        swarm.behaviour_mut().gossip.subscribe(&topic).map_err(|error| setup(error.to_string()))?;
        let address = listen(&mut swarm, settings.listen).await?;

        let link = shared.fresh_id();
        let mtu = u32::try_from(FRAME_BYTES_MAX - OVERHEAD_BYTES).unwrap_or(u32::MAX);
        let profile = LinkProfile {
            mtu,
            rate: BYTES_PER_SECOND,
            reliable: false,
            broadcast: true,
            peer: None,
            dialled: None,
            // One link for everybody in hearing: there is no address to name.
            label: "gossip".to_owned(),
        };
        let (port, desk) = Port::new(BYTES_PER_SECOND, mtu);
        let now = Instant::now();
        let statics = settings.peers.iter().filter_map(|text| Static::parse(text, now)).collect();
        let table = Table {
            swarm,
            topic: topic.hash(),
            link,
            shared,
            settings,
            keys: BTreeMap::new(),
            peers: BTreeMap::new(),
            statics,
            hints: Hints::default(),
            audible: None,
            spent: 0,
        };
        let task = tokio::spawn(table.run(profile, port, desk));
        Ok(Self { task, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the gossip link did not end in order");
        }
    }
}

fn swarm(settings: &GossipSettings, seed: &[u8; 32], sync_port: Option<u16>) -> Result<Swarm<Behaviour>, LinkError> {
    let setup = |cause: String| LinkError::Setup { kind: "gossip", cause };
    let mut copy = *seed;
    let pair = identity::Keypair::ed25519_from_bytes(&mut copy).map_err(|error| LinkError::Key(error.to_string()))?;
    let own = pair.public().to_peer_id();

    let mut config = gossipsub::ConfigBuilder::default();
    let (n, low, high, outbound) = if settings.nodes_expected < SMALL_CELL { (3, 2, 6, 1) } else { (6, 4, 12, 2) };
    let config = config
        .mesh_n(n)
        .mesh_n_low(low)
        .mesh_n_high(high)
        .mesh_outbound_min(outbound)
        .heartbeat_interval(Duration::from_secs(1))
        .heartbeat_initial_delay(Duration::from_millis(500))
        .history_length(10)
        .history_gossip(6)
        .max_transmit_size(FRAME_BYTES_MAX)
        .connection_handler_queue_len(QUEUE_MESSAGES)
        .flood_publish(true)
        // Entries carry their own signatures: libp2p's would add 120 bytes and say nothing new (mesh.md T9).
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        // By content, so that a frame published by two nodes is one message (mesh.md T8).
        .message_id_fn(|message| MessageId::new(&blake3::hash(&message.data).as_bytes()[..16]))
        .build()
        .map_err(|error| setup(error.to_string()))?;
    let gossip = gossipsub::Behaviour::new(MessageAuthenticity::Anonymous, config).map_err(|error| setup(error.to_owned()))?;

    let limits = ConnectionLimits::default()
        .with_max_established(Some(CONNECTIONS_MAX))
        // With a second one, a peer that restarted would stay half deaf (mesh.md T3).
        .with_max_established_per_peer(Some(1))
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_pending_outgoing(Some(PENDING_MAX));

    // Gossip addresses are of no use to anybody else; the port of the sync link is.
    let agent = match sync_port {
        Some(port) => format!("holdfast/{} sync={port}", env!("CARGO_PKG_VERSION")),
        None => format!("holdfast/{}", env!("CARGO_PKG_VERSION")),
    };
    let identify = identify::Config::new("holdfast/0".to_owned(), pair.public())
        .with_agent_version(agent)
        .with_cache_size(0)
        .with_hide_listen_addrs(true);

    let mdns = if settings.mdns {
        mdns::tokio::Behaviour::new(mdns::Config::default(), own)
            .inspect_err(|error| tracing::warn!(%error, "mDNS is not available; only static addresses will be dialled"))
            .ok()
    } else {
        None
    };

    let behaviour = Behaviour {
        allowed: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(limits),
        gossip,
        identify: identify::Behaviour::new(identify),
        mdns: Toggle::from(mdns),
    };
    let swarm = SwarmBuilder::with_existing_identity(pair)
        .with_tokio()
        .with_quic_config(|mut quic| {
            quic.max_connection_data = CONNECTION_WINDOW;
            quic.max_stream_data = STREAM_WINDOW;
            quic.keep_alive_interval = KEEP_ALIVE;
            quic.max_idle_timeout = SILENCE_MAX_MS;
            quic.max_concurrent_stream_limit = 32;
            quic
        })
        .with_behaviour(|_| behaviour)
        .map_err(|error| setup(error.to_string()))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_MAX))
        .build();
    Ok(swarm)
}

/// Opens the socket and waits until it is open.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is libp2p's and grows; only opening is waited for")]
async fn listen(swarm: &mut Swarm<Behaviour>, address: SocketAddr) -> Result<SocketAddr, LinkError> {
    let failed = |cause: String| LinkError::Listen { kind: "gossip", address, cause };
    swarm.listen_on(multiaddr_of(address)).map_err(|error| failed(chain(&error)))?;
    let opened = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address: got, .. } => {
                    return socket_of(&got).ok_or_else(|| failed(format!("unexpected address {got}")));
                }
                SwarmEvent::ListenerClosed { reason: Err(error), .. } | SwarmEvent::ListenerError { error, .. } => {
                    return Err(failed(chain(&error)));
                }
                _ => {}
            }
        }
    };
    timeout(LISTEN_MAX, opened).await.unwrap_or_else(|_| Err(failed("no answer from the system".to_owned())))
}

/// An error with its sources: libp2p's outer ones say little or nothing.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    let mut words: Vec<String> = sources.map(ToString::to_string).filter(|words| !words.is_empty()).collect();
    words.dedup();
    if words.is_empty() { format!("{error:?}") } else { words.join(": ") }
}

/// One connected peer.
#[derive(Debug)]
struct Contact {
    since: Instant,
    remote: Option<SocketAddr>,
}

struct Table {
    swarm: Swarm<Behaviour>,
    topic: TopicHash,
    link: LinkId,
    shared: Shared,
    settings: GossipSettings,
    keys: BTreeMap<PeerId, PublicKey>,
    peers: BTreeMap<PeerId, Contact>,
    statics: Vec<Static>,
    hints: Hints,
    /// What the core was last told; `None` before the first time and after a report that found no room.
    audible: Option<Vec<PublicKey>>,
    spent: u32,
}

impl Table {
    async fn run(mut self, profile: LinkProfile, port: Port, desk: Desk) {
        let Desk { mut frames, gauge, mut hangup } = desk;
        if self.shared.reports.send(Report::Up(self.link, profile, port)).await.is_err() {
            return;
        }
        let mut admitted = self.shared.admitted.clone();
        admitted.mark_changed();
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut ticks, mut owed) = (0u32, false);
        let cause = loop {
            tokio::select! {
                reason = &mut hangup => break reason.unwrap_or_else(|_| "the node is shutting down".to_owned()),
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(frame) = frames.recv() => self.publish(frame),
                Ok(()) = admitted.changed() => {
                    let keys = admitted.borrow_and_update().clone();
                    self.on_admitted(&keys);
                }
                _ = tick.tick() => {
                    self.on_tick(Instant::now());
                    ticks = ticks.wrapping_add(1);
                    if ticks.is_multiple_of(TICKS_PER_CREDIT) && self.spent > 0 {
                        owed |= gauge.release(std::mem::take(&mut self.spent));
                    }
                    // Where the loop is busy, the next tick tells it.
                    owed = owed && self.shared.reports.try_send(Report::Room(self.link)).is_err();
                }
            }
        };
        drop(self.shared.reports.send(Report::Down(self.link, cause)).await);
    }

    fn publish(&mut self, frame: Bytes) {
        self.spent = self.spent.saturating_add(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        let topic = self.topic.clone();
        match self.swarm.behaviour_mut().gossip.publish(topic, Vec::from(frame)) {
            // Nobody in hearing is no error, nor is a frame said before (mesh.md T1): the core says it again elsewhere.
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {}
            Err(error @ (PublishError::AllQueuesFull(_) | PublishError::MessageTooLarge)) => {
                self.shared.counters.lose();
                tracing::debug!(%error, "a broadcast frame was lost");
            }
            Err(error @ (PublishError::SigningError(_) | PublishError::TransformFailed(_))) => {
                self.shared.counters.lose();
                tracing::error!(%error, "a broadcast frame could not be made");
            }
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is libp2p's and grows; the rest is not ours to act on")]
    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let remote = socket_of(endpoint.get_remote_address());
                self.peers.insert(peer_id, Contact { since: Instant::now(), remote });
                if let Some(known) = self.static_of(connection_id) {
                    known.reached(peer_id);
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.peers.remove(&peer_id);
                let (now, settings) = (Instant::now(), &self.settings);
                for known in self.statics.iter_mut().filter(|known| known.peer == Some(peer_id)) {
                    known.lost(now, settings.redial_min, settings.redial_max);
                }
                self.tell_audible();
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.on_dial_error(connection_id, peer_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                self.shared.counters.refuse();
                tracing::debug!(%error, "a gossip connection was not let in");
                self.doubt(peer_id);
            }
            _ => {}
        }
    }

    /// A connected peer that dials again has lost the connection we still believe in: it restarted. Ended here, it is not in the
    /// way when the peer tries once more. A young one stays: both ends may have dialled at once.
    fn doubt(&mut self, peer: Option<PeerId>) {
        let old = |contact: &Contact| Instant::now() >= contact.since + DEAF_AFTER;
        if let Some(peer) = peer.filter(|peer| self.peers.get(peer).is_some_and(old)) {
            self.swarm.disconnect_peer_id(peer).unwrap_or_default();
        }
    }

    fn on_dial_error(&mut self, connection: ConnectionId, peer: Option<PeerId>, error: &DialError) {
        let connected = peer.filter(|peer| self.peers.contains_key(peer));
        let (now, min, max) = (Instant::now(), self.settings.redial_min, self.settings.redial_max);
        let Some(known) = self.static_of(connection) else { return };
        match (error, connected) {
            // It is already here by a connection of its own.
            (DialError::Denied { .. }, Some(peer)) => known.reached(peer),
            (DialError::LocalPeerId { .. }, _) => known.is_self(),
            _ => {
                tracing::debug!(address = %known.address, %error, "gossip dial failed");
                known.lost(now, min, max);
            }
        }
    }

    fn static_of(&mut self, connection: ConnectionId) -> Option<&mut Static> {
        self.statics.iter_mut().find(|known| known.dialling == Some(connection))
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(gossipsub::Event::Message { propagation_source, message_id, message }) => {
                self.on_message(propagation_source, &message_id, message.data);
            }
            BehaviourEvent::Gossip(gossipsub::Event::Subscribed { .. } | gossipsub::Event::Unsubscribed { .. }) => {
                self.tell_audible()
            }
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                let remote = self.peers.get(&peer_id).and_then(|contact| contact.remote);
                if let (Some(remote), Some(port)) = (remote, sync_port_of(&info.agent_version)) {
                    let address = candidate_of(remote, port);
                    // A hint: lost where the loop is busy, and said again at the next connection.
                    drop(self.shared.reports.try_send(Report::Other(Input::Candidate { address, is_static: false })));
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    self.hints.heard(peer, address, |peer| self.keys.contains_key(peer));
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Expired(gone)) => {
                for (peer, _) in gone {
                    self.hints.forget(&peer);
                }
            }
            BehaviourEvent::Gossip(gossipsub::Event::SlowPeer { .. }) => self.shared.counters.lose(),
            BehaviourEvent::Gossip(gossipsub::Event::GossipsubNotSupported { .. })
            | BehaviourEvent::Identify(_)
            | BehaviourEvent::Allowed(_)
            | BehaviourEvent::Limits(_) => {}
        }
    }

    fn on_message(&mut self, source: PeerId, id: &MessageId, data: Vec<u8>) {
        // Passed on as soon as it comes from an admitted peer, in our version and size. The core checks signatures and rates
        // after that: its verdict would cost every hop a trip through the loop, and a false frame is dropped by every core
        // it reaches, while its sender is known by key and can be cut.
        let verdict = match data.first() {
            _ if !self.keys.contains_key(&source) => MessageAcceptance::Ignore,
            Some(&WIRE_VERSION) if data.len() <= FRAME_BYTES_MAX - OVERHEAD_BYTES => MessageAcceptance::Accept,
            // Another version is no misdeed: ours may be the old one.
            Some(_) | None => MessageAcceptance::Ignore,
        };
        let accepted = matches!(verdict, MessageAcceptance::Accept);
        self.swarm.behaviour_mut().gossip.report_message_validation_result(id, &source, verdict);
        if !accepted {
            self.shared.counters.lose();
            return;
        }
        // Never waits: this link may lose frames, the reliable ones behind the same queue may not.
        if self.shared.reports.try_send(Report::Frame(self.link, Bytes::from(data))).is_err() {
            self.shared.counters.lose();
        }
    }

    fn on_admitted(&mut self, keys: &BTreeSet<PublicKey>) {
        let new: BTreeMap<PeerId, PublicKey> = keys.iter().filter_map(|key| Some((peer_of(key)?, *key))).collect();
        if new == self.keys {
            return;
        }
        let allowed = &mut self.swarm.behaviour_mut().allowed;
        for peer in self.keys.keys().filter(|peer| !new.contains_key(peer)) {
            allowed.disallow_peer(*peer);
        }
        for peer in new.keys().filter(|peer| !self.keys.contains_key(peer)) {
            allowed.allow_peer(*peer);
        }
        self.keys = new;
        // Whoever was refused before may be welcome now.
        for known in &mut self.statics {
            known.hurry(Instant::now());
        }
        self.tell_audible();
    }

    fn subscribed(&self) -> BTreeSet<PeerId> {
        let gossip = &self.swarm.behaviour().gossip;
        gossip.all_peers().filter(|(_, topics)| topics.contains(&&self.topic)).map(|(peer, _)| *peer).collect()
    }

    fn tell_audible(&mut self) {
        let keys: BTreeSet<PublicKey> = self
            .subscribed()
            .iter()
            .filter(|peer| self.peers.contains_key(peer))
            .filter_map(|peer| self.keys.get(peer).copied())
            .collect();
        let keys: Vec<PublicKey> = keys.into_iter().collect();
        if self.audible.as_ref() == Some(&keys) {
            return;
        }
        let report = Report::Other(Input::Audible { link: self.link, keys: keys.clone() });
        // Where the loop is busy, the next tick tries again.
        self.audible = self.shared.reports.try_send(report).is_ok().then_some(keys);
    }

    fn on_tick(&mut self, now: Instant) {
        self.tell_audible();
        let subscribed = self.subscribed();
        let deaf: Vec<PeerId> = self
            .peers
            .iter()
            .filter(|(peer, contact)| !subscribed.contains(peer) && now >= contact.since + DEAF_AFTER)
            .map(|(peer, _)| *peer)
            .collect();
        for peer in deaf {
            tracing::debug!(%peer, "shows no subscription; dialled anew");
            // It may be gone already.
            self.swarm.disconnect_peer_id(peer).unwrap_or_default();
        }
        for known in &mut self.statics {
            if known.peer.is_some_and(|peer| subscribed.contains(&peer)) {
                known.settled();
            }
            if !known.is_due(now, |peer| self.peers.contains_key(peer)) {
                continue;
            }
            let options = DialOpts::unknown_peer_id().address(known.address.clone()).build();
            known.dialling = Some(options.connection_id());
            if self.swarm.dial(options).is_err() {
                known.lost(now, self.settings.redial_min, self.settings.redial_max);
            }
        }
        if self.peers.len() < DEGREE {
            let (keys, peers) = (&self.keys, &self.peers);
            let next = self.hints.next(now, |peer| keys.contains_key(peer) && !peers.contains_key(peer));
            if let Some((peer, addresses)) = next {
                self.dial_hint(peer, addresses);
            }
        }
    }

    fn dial_hint(&mut self, peer: PeerId, addresses: Vec<Multiaddr>) {
        let options = DialOpts::peer_id(peer).addresses(addresses).condition(PeerCondition::DisconnectedAndNotDialing).build();
        if let Err(error) = self.swarm.dial(options) {
            tracing::debug!(%peer, %error, "a hint of mDNS came to nothing");
        }
    }
}
