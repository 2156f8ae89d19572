//! The links of a daemon, as the loop sees them: bytes become [`Input`]s, parts of [`Output`] are taken. Decides nothing
//! about what is said; a link only moves frames, admits keys and tells how much room it has.
//!
//! The loop waits on [`Links::next`] beside its other sources and gives what comes to the node; then takes more with
//! [`Links::try_next`] up to its measure for one turn. `Transmit`, `Hangup`, `Dial` and `Admit` go to the methods of the
//! same names, none of which waits. To add a transport: a file that makes a `Port` and sends `Report`s, a setting in
//! [`LinkSettings`], a field in [`Links`].
//!
//! [`Output`]: holdfast_proto::io::Output

pub mod desk;
mod gossip;
mod intake;
mod pipe;
mod port;
mod radio;
mod sync;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a test waits for one kind of input and lets the others pass")]
mod tests;
mod tls;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use holdfast_proto::identity::PublicKey;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};
use tokio::sync::watch;

pub use self::gossip::GossipSettings;
use self::intake::{Inlet, Intake};
use self::port::{Overrun, Port};
pub use self::radio::view::radio_view;
pub use self::radio::{RadioSettings, RadioState, Trouble};
pub use self::sync::{SyncSettings, Visitor};
use crate::code::Code;

/// Which links to open; an absent one stays closed.
#[derive(Clone, Debug, Default)]
pub struct LinkSettings {
    /// Point-to-point links over QUIC.
    pub sync: Option<SyncSettings>,
    /// The one broadcast link over gossipsub.
    pub gossip: Option<GossipSettings>,
    /// A modem on a serial port.
    pub radio: Option<RadioSettings>,
}

impl LinkSettings {
    /// Looks whether the ports are free, before anything is made. Whoever takes one meanwhile is met again when the links open.
    ///
    /// # Errors
    /// [`LinkError::Listen`].
    pub fn check_free(&self) -> Result<(), LinkError> {
        let sync = self.sync.iter().map(|sync| ("sync", sync.listen));
        for (kind, address) in sync.chain(self.gossip.iter().map(|gossip| ("gossip", gossip.listen))) {
            // Dropped at once, and free again: UDP keeps no port back.
            std::net::UdpSocket::bind(address).map_err(|error| LinkError::Listen { kind, address, cause: error.to_string() })?;
        }
        Ok(())
    }
}

/// A link could not be opened; nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The address is taken or not ours.
    #[error(
        "can't listen for {kind} on {address}: {cause}. Nothing was started. Choose another address in the section [{kind}] of the configuration"
    )]
    Listen {
        /// `sync` or `gossip`.
        kind: &'static str,
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        cause: String,
    },
    /// The key can't make a certificate or a peer identity.
    #[error(
        "the node key can't be used for the links: {0}. Without a link this node would hear nobody, so nothing was started. \
         Have a new key made and certified with: holdfast alliance issue"
    )]
    Key(String),
    /// A setting the library refuses.
    #[error(
        "the {kind} link can't be set up: {cause}. Nothing was started. Correct the section [{kind}] of the configuration, or \
         set enabled = false there to run without this link"
    )]
    Setup {
        /// `sync` or `gossip`.
        kind: &'static str,
        /// Why.
        cause: String,
    },
}

impl LinkError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Listen { .. } => Code::LinkListen,
            Self::Key(_) => Code::LinkKey,
            Self::Setup { .. } => Code::LinkSetup,
        }
    }
}

/// What the links counted since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Connections from outside that were refused: key not admitted, no stream in time, too many at once.
    pub refused: u64,
    /// Frames given to a link.
    pub frames_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
    /// Frames handed to the loop.
    pub frames_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Broadcast frames lost here, either way, because a queue was full.
    pub broadcast_lost: u64,
    /// Times that a link waited because it had sent more than its share and others waited too.
    pub put_off: u64,
}

/// The counters behind [`LinkCounts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    refused: AtomicU64,
    frames_out: AtomicU64,
    bytes_out: AtomicU64,
    frames_in: AtomicU64,
    bytes_in: AtomicU64,
    broadcast_lost: AtomicU64,
}

impl Counters {
    fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn refuse(&self) {
        Self::add(&self.refused, 1);
    }

    pub(crate) fn came(&self, bytes: usize) {
        Self::add(&self.frames_in, 1);
        Self::add(&self.bytes_in, bytes);
    }

    pub(crate) fn lose(&self) {
        Self::add(&self.broadcast_lost, 1);
    }

    fn went(&self, bytes: usize) {
        Self::add(&self.frames_out, 1);
        Self::add(&self.bytes_out, bytes);
    }
}

/// A set of keys that can be replaced while tasks look at it.
pub(crate) type Admitted = Arc<BTreeSet<PublicKey>>;

/// What a link task tells.
#[derive(Debug)]
pub(crate) enum Report {
    /// A link is there, and this is how to reach it.
    Up(LinkId, LinkProfile, Port),
    /// A link is gone.
    Down(LinkId, String),
    /// A link has room again. How much is reckoned when the loop takes the report, so that it is never stale.
    Room(LinkId),
    /// A link says itself what may be given to it now, in place of what it said before.
    Credit {
        /// Which.
        link: LinkId,
        /// Bytes.
        room: u32,
        /// For what is urgent alone.
        urgent: bool,
    },
    /// A frame came.
    Frame(LinkId, Bytes),
    /// Anything else.
    Other(Input),
}

/// What every link task holds.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    /// The lane of whatever belongs to no link.
    reports: Inlet,
    /// Members: on gossip nobody else is let in, because no chain is shown there.
    admitted: watch::Receiver<Admitted>,
    /// Refused at the handshake of sync. Everybody else may show a certificate chain, which the core judges.
    denied: watch::Receiver<Admitted>,
    ids: Arc<AtomicU32>,
    counters: Arc<Counters>,
}

impl Shared {
    /// A number never used before in this run.
    pub(crate) fn fresh_id(&self) -> LinkId {
        LinkId(self.ids.fetch_add(1, Ordering::Relaxed))
    }

    /// May this key show its chain now?
    pub(crate) fn hears(&self, key: &PublicKey) -> bool {
        !self.denied.borrow().contains(key)
    }
}

/// All links. Owned by the loop; nothing in it blocks except [`Self::next`] and [`Self::shutdown`].
#[derive(Debug)]
pub struct Links {
    reports: Intake,
    ready: VecDeque<Input>,
    ports: BTreeMap<LinkId, Port>,
    admitted: watch::Sender<Admitted>,
    denied: watch::Sender<Admitted>,
    shared: Shared,
    sync: Option<sync::SyncLink>,
    gossip: Option<gossip::GossipLink>,
    radio: Option<radio::RadioLink>,
}

impl Links {
    /// Opens the configured links with the node's own Ed25519 seed. Nobody is let in on gossip before the first [`Self::admit`].
    ///
    /// # Errors
    /// [`LinkError`] when an address can't be listened on; nothing is left running.
    pub async fn spawn(settings: LinkSettings, seed: &[u8; 32]) -> Result<Self, LinkError> {
        let (inlet, reports) = Intake::new();
        let (admitted, admitted_rx) = watch::channel(Admitted::default());
        let (denied, denied_rx) = watch::channel(Admitted::default());
        let shared = Shared {
            reports: inlet,
            admitted: admitted_rx,
            denied: denied_rx,
            ids: Arc::new(AtomicU32::new(1)),
            counters: Arc::new(Counters::default()),
        };
        let sync = match settings.sync {
            Some(settings) => Some(sync::SyncLink::open(settings, seed, shared.clone())?),
            None => None,
        };
        let port = sync.as_ref().map(|sync| sync.address().port());
        let gossip = match settings.gossip {
            Some(settings) => {
                let shared = Shared { reports: shared.reports.apart(intake::LANE_BYTES_BROADCAST), ..shared.clone() };
                Some(gossip::GossipLink::open(settings, seed, port, shared).await?)
            }
            None => None,
        };
        let radio = settings.radio.map(|settings| {
            let shared = Shared { reports: shared.reports.apart(intake::LANE_BYTES), ..shared.clone() };
            radio::RadioLink::open(settings, shared)
        });
        Ok(Self { reports, ready: VecDeque::new(), ports: BTreeMap::new(), admitted, denied, shared, sync, gossip, radio })
    }

    /// Where the sync link listens; with port 0 configured this tells the real one.
    #[must_use]
    pub fn sync_address(&self) -> Option<SocketAddr> {
        self.sync.as_ref().map(sync::SyncLink::address)
    }

    /// Where the gossip link listens.
    #[must_use]
    pub fn gossip_address(&self) -> Option<SocketAddr> {
        self.gossip.as_ref().map(gossip::GossipLink::address)
    }

    /// The next thing that happened on any link. Safe to drop half-way: nothing is lost.
    pub async fn next(&mut self) -> Input {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return input;
            }
            let report = self.reports.next().await;
            self.take(report);
        }
    }

    /// Like [`Self::next`] without waiting: for taking many at one turn.
    pub fn try_next(&mut self) -> Option<Input> {
        loop {
            if let Some(input) = self.ready.pop_front() {
                return Some(input);
            }
            let report = self.reports.try_next()?;
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        match report {
            Report::Up(link, profile, port) => {
                // One that says itself what it takes has taken nothing yet.
                let room = port.grants().then(|| port.grant());
                self.ports.insert(link, port);
                self.ready.push_back(Input::LinkUp { link, profile });
                self.ready.extend(room.map(|room| Input::Writable { link, room }));
            }
            Report::Down(link, cause) => {
                self.ports.remove(&link);
                self.ready.push_back(Input::LinkDown { link, cause });
            }
            Report::Room(link) => {
                if let Some(port) = self.ports.get(&link) {
                    self.ready.push_back(Input::Writable { link, room: port.grant() });
                }
            }
            Report::Credit { link, room, urgent } => {
                if let Some(port) = self.ports.get(&link) {
                    port.allow(room);
                    let credit = if urgent { Input::WritableUrgent { link, room } } else { Input::Writable { link, room } };
                    self.ready.push_back(credit);
                }
            }
            Report::Frame(link, frame) => {
                // A link that was hung up is silent at once, whatever was under way.
                if self.ports.contains_key(&link) {
                    self.shared.counters.came(frame.len());
                    self.ready.push_back(Input::Received { link, frame });
                }
            }
            Report::Other(input) => self.ready.push_back(input),
        }
    }

    /// Gives one frame to a link. A frame for a link that is gone is dropped: its `LinkDown` is on the way. One beyond the
    /// credit or the mtu ends the link, because a reliable link must not lose a frame in silence.
    pub fn transmit(&mut self, link: LinkId, frame: Bytes) {
        let Some(port) = self.ports.get(&link) else { return };
        let bytes = frame.len();
        match port.push(frame) {
            Ok(()) => self.shared.counters.went(bytes),
            Err(Overrun) => {
                tracing::error!(link = link.0, bytes, "more was given to a link than it had room for; the link is closed");
                self.hangup(link, "more was given to the link than it had room for".to_owned());
            }
        }
    }

    /// Ends a link. What was given before is still sent where that takes less than half a second; nothing more is received.
    /// `LinkDown` follows. Gossip that was hung up stays down until the daemon starts again; a radio
    /// is opened anew.
    pub fn hangup(&mut self, link: LinkId, reason: String) {
        if let Some(port) = self.ports.remove(&link) {
            port.hangup(reason);
        }
    }

    /// Tries to reach somebody over a sync link. Ends in `LinkUp` with `dialled` set, or in `DialFailed`; a second dial of an
    /// address being dialled is ignored.
    pub fn dial(&mut self, address: String) {
        let refused = match &self.sync {
            Some(sync) => sync.dial(address),
            None => Err((address, "the sync link is switched off in the configuration of this node".to_owned())),
        };
        if let Err((address, cause)) = refused {
            self.ready.push_back(Input::DialFailed { address, cause });
        }
    }

    /// Replaces who may connect: `keys` are the members, alone let in on gossip; `denied` are refused on sync, where everybody
    /// else shows a certificate chain for the core to judge. Connections of keys that may not any more are ended.
    pub fn admit(&mut self, keys: Vec<PublicKey>, denied: Vec<PublicKey>) {
        for (sender, keys) in [(&self.admitted, keys), (&self.denied, denied)] {
            let keys: BTreeSet<PublicKey> = keys.into_iter().collect();
            sender.send_if_modified(|known| {
                let changed = **known != keys;
                if changed {
                    *known = Arc::new(keys);
                }
                changed
            });
        }
    }

    /// How the radio is, where there is one.
    #[must_use]
    pub fn radio(&self) -> Option<RadioState> {
        self.radio.as_ref().map(radio::RadioLink::state)
    }

    /// What was counted since start.
    #[must_use]
    pub fn counts(&self) -> LinkCounts {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LinkCounts {
            refused: read(&counters.refused),
            frames_out: read(&counters.frames_out),
            bytes_out: read(&counters.bytes_out),
            frames_in: read(&counters.frames_in),
            bytes_in: read(&counters.bytes_in),
            broadcast_lost: read(&counters.broadcast_lost),
            put_off: self.reports.put_off(),
        }
    }

    /// Says what was given, says goodbye, and ends all tasks. At most about two seconds.
    pub async fn shutdown(mut self) {
        // Ports still under way count as hung up too.
        self.reports.close();
        self.ports.clear();
        if let Some(sync) = self.sync.take() {
            sync.close().await;
        }
        if let Some(gossip) = self.gossip.take() {
            gossip.close().await;
        }
        if let Some(radio) = self.radio.take() {
            radio.close().await;
        }
    }
}
