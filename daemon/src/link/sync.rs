//! The sync link: raw QUIC between admitted keys, one stream of frames per connection. Dials when told, answers always;
//! whom to dial and what to say is the core's business.

pub(super) mod meet;
pub(super) mod setup;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use holdfast_proto::config::{FRAME_BYTES_MAX, LINKS_MAX};
use holdfast_proto::identity::PublicKey;
use holdfast_proto::io::Input;
use holdfast_proto::link::{LinkId, LinkProfile};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Endpoint, Incoming, ServerConfig, TokioRuntime, VarInt};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use self::meet::{CODE_BAD_FRAME, CODE_ENDED, CODE_NOT_ADMITTED, Met, REASON_WAIT, Welcomed, close, ended, reach, welcome};
use self::setup::{Uptime, endpoint_config, transport};
use super::intake::{Inlet, LANE_BYTES};
use super::pipe::{self, ReadEnd};
use super::port::{Desk, Port};
use super::tls::{Gate, Identity};
use super::{LinkError, Report, Shared};

/// Bytes queued here for one link, beyond what QUIC itself holds. Four of the largest frames.
const QUEUE_BYTES: u32 = 262_144;
/// Connections whose handshake has not ended. trust.md T44.
const PENDING_MAX: usize = 64;
/// Beyond so many, an address must first answer a retry, so that forged addresses cost nothing.
const PENDING_TRUSTED: usize = 16;
/// Pending from one address, other than this machine's own: several stores may share one NAT.
const PENDING_PER_IP: u32 = 8;
/// Early packets kept for connections not yet looked at, each and together. trust.md T44.
const INCOMING_BYTES: u64 = 16_384;
const INCOMING_BYTES_ALL: u64 = 262_144;
/// How long a closing link may still send what it was given.
const DRAIN_MAX: Duration = Duration::from_millis(500);
/// How long the last packets may take at shutdown.
const GOODBYE_MAX: Duration = Duration::from_millis(700);
/// Dials waiting to be looked at.
const DIALS_MAX: usize = 256;
/// Settings of the sync link.
#[derive(Clone, Debug)]
pub struct SyncSettings {
    /// Where to listen, and from where to dial.
    pub listen: SocketAddr,
    /// Static addresses; each is told to the core once as a candidate.
    pub peers: Vec<String>,
    /// A connection that is not admitted by then is closed. 5 s: trust.md T17.
    pub admission_max: Duration,
    /// A dial that did not get through by then has failed.
    pub dial_max: Duration,
    /// Who serves persons at a desk elsewhere; `None`: they are not served.
    pub desks: Option<mpsc::Sender<Visitor>>,
}

/// A person at a desk elsewhere: connected, with the key proved and nothing else.
#[derive(Debug)]
pub struct Visitor {
    pub(crate) connection: quinn::Connection,
    pub(crate) key: PublicKey,
}

impl SyncSettings {
    /// The usual times.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, peers: Vec::new(), admission_max: Duration::from_secs(5), dial_max: Duration::from_secs(5), desks: None }
    }
}

/// The running sync link.
#[derive(Debug)]
pub(super) struct SyncLink {
    dials: mpsc::Sender<String>,
    task: JoinHandle<()>,
    address: SocketAddr,
}

impl SyncLink {
    /// Binds the socket and starts answering.
    ///
    /// # Errors
    /// [`LinkError`] if the key or the address can't be used.
    pub(super) fn open(settings: SyncSettings, seed: &[u8; 32], shared: Shared) -> Result<Self, LinkError> {
        let identity = Identity::new(seed)?;
        Self::open_as(settings, &identity, seed, shared)
    }

    pub(super) fn open_as(
        settings: SyncSettings,
        identity: &Identity,
        seed: &[u8; 32],
        shared: Shared,
    ) -> Result<Self, LinkError> {
        let gate = Gate::new(identity.key(), Some(shared.clone()));
        let transport = Arc::new(transport());
        let setup = |error: &dyn std::error::Error| LinkError::Setup { kind: "sync", cause: error.to_string() };

        let server = QuicServerConfig::try_from(identity.server(&gate)?).map_err(|error| setup(&error))?;
        let mut server = ServerConfig::with_crypto(Arc::new(server));
        server
            .transport_config(Arc::clone(&transport))
            .max_incoming(PENDING_MAX)
            .incoming_buffer_size(INCOMING_BYTES)
            .incoming_buffer_size_total(INCOMING_BYTES_ALL)
            .time_source(Arc::new(Uptime(Instant::now())));

        let client = QuicClientConfig::try_from(identity.client(&gate)?).map_err(|error| setup(&error))?;
        let mut client = ClientConfig::new(Arc::new(client));
        client.transport_config(transport);

        let listen =
            |error: &std::io::Error| LinkError::Listen { kind: "sync", address: settings.listen, cause: error.to_string() };
        let socket = UdpSocket::bind(settings.listen).map_err(|error| listen(&error))?;
        let endpoint =
            Endpoint::new(endpoint_config(seed), Some(server), socket, Arc::new(TokioRuntime)).map_err(|e| listen(&e))?;
        let address = endpoint.local_addr().map_err(|error| listen(&error))?;

        let (dials, commands) = mpsc::channel(DIALS_MAX);
        let (closing, closed) = watch::channel(());
        let manager = Manager {
            endpoint,
            client,
            own: identity.key(),
            settings,
            shared,
            stages: JoinSet::new(),
            links: JoinSet::new(),
            dialling: BTreeSet::new(),
            pending: BTreeMap::new(),
            closed,
        };
        let task = tokio::spawn(manager.run(commands, closing));
        Ok(Self { dials, task, address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts a dial.
    ///
    /// # Errors
    /// The address and why it was not even tried.
    pub(super) fn dial(&self, address: String) -> Result<(), (String, String)> {
        self.dials.try_send(address).map_err(|error| match error {
            mpsc::error::TrySendError::Full(address) => (address, "too many dials are under way; try later".to_owned()),
            mpsc::error::TrySendError::Closed(address) => (address, "the sync link is shutting down".to_owned()),
        })
    }

    /// Ends the task; links that were hung up finish what they were given.
    pub(super) async fn close(self) {
        drop(self.dials);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the sync link did not end in order");
        }
    }
}

/// What a handshake came to.
enum Stage {
    Answered { ip: IpAddr, met: Result<Welcomed, String> },
    Dialled { address: String, met: Result<Met, String> },
}

struct Manager {
    endpoint: Endpoint,
    client: ClientConfig,
    own: PublicKey,
    settings: SyncSettings,
    shared: Shared,
    stages: JoinSet<Stage>,
    links: JoinSet<()>,
    dialling: BTreeSet<String>,
    pending: BTreeMap<IpAddr, u32>,
    closed: watch::Receiver<()>,
}

impl Manager {
    async fn run(mut self, mut dials: mpsc::Receiver<String>, closing: watch::Sender<()>) {
        for address in std::mem::take(&mut self.settings.peers) {
            self.tell(Input::Candidate { address, is_static: true }).await;
        }
        loop {
            tokio::select! {
                dial = dials.recv() => match dial {
                    Some(address) => self.dial(address),
                    None => break,
                },
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.answer(incoming),
                    None => break,
                },
                Some(stage) = self.stages.join_next() => match stage {
                    Ok(stage) => self.staged(stage).await,
                    Err(error) => tracing::error!(%error, "a handshake task failed"),
                },
                Some(ended) = self.links.join_next() => if let Err(error) = ended {
                    tracing::error!(%error, "a link task failed");
                },
            }
        }
        self.endpoint.set_server_config(None);
        drop(closing);
        let all = async { while self.links.join_next().await.is_some() {} };
        if timeout(DRAIN_MAX + REASON_WAIT, all).await.is_err() {
            tracing::debug!("some links did not take their last frames in time");
        }
        self.stages.shutdown().await;
        self.links.shutdown().await;
        self.endpoint.close(VarInt::from_u32(CODE_ENDED), b"the node is shutting down");
        drop(timeout(GOODBYE_MAX, self.endpoint.wait_idle()).await);
    }

    async fn tell(&self, input: Input) {
        // Fails only when the loop has ended; then nobody wants to know.
        drop(self.shared.reports.send(Report::Other(input)).await);
    }

    fn dial(&mut self, address: String) {
        if !self.dialling.insert(address.clone()) {
            return;
        }
        let (endpoint, client, own) = (self.endpoint.clone(), self.client.clone(), self.own);
        let limit = self.settings.dial_max;
        self.stages.spawn(async move {
            let met = reach(&endpoint, client, own, &address, limit).await;
            Stage::Dialled { address, met }
        });
    }

    fn answer(&mut self, incoming: Incoming) {
        let ip = incoming.remote_address().ip().to_canonical();
        let all = self.pending.values().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).sum::<usize>();
        let here = self.pending.get(&ip).copied().unwrap_or(0);
        // Addresses of this machine are not counted singly: whoever can use them has better ways to harm it.
        let crowded = here >= PENDING_PER_IP && !ip.is_loopback();
        if all >= PENDING_MAX || crowded || self.links.len() >= LINKS_MAX {
            self.shared.counters.refuse();
            incoming.refuse();
            return;
        }
        if all >= PENDING_TRUSTED && incoming.may_retry() {
            // The only error is that it may not retry, which the line above excludes.
            drop(incoming.retry());
            return;
        }
        *self.pending.entry(ip).or_insert(0) += 1;
        let limit = self.settings.admission_max;
        self.stages.spawn(async move { Stage::Answered { ip, met: welcome(incoming, limit).await } });
    }

    async fn staged(&mut self, stage: Stage) {
        match stage {
            Stage::Answered { ip, met } => {
                if let Some(n) = self.pending.get_mut(&ip) {
                    *n = n.saturating_sub(1);
                    if *n == 0 {
                        self.pending.remove(&ip);
                    }
                }
                match met {
                    Ok(Welcomed::Peer(met)) => self.start(met, None),
                    Ok(Welcomed::Person(connection, key)) => self.visited(Visitor { connection, key }),
                    Err(cause) => {
                        self.shared.counters.refuse();
                        tracing::debug!(%ip, cause, "a connection was not let in");
                    }
                }
            }
            Stage::Dialled { address, met } => {
                self.dialling.remove(&address);
                match met {
                    Ok(met) => self.start(met, Some(address)),
                    Err(cause) => self.tell(Input::DialFailed { address, cause }).await,
                }
            }
        }
    }

    /// Hands a person over to who serves them; there are few seats.
    fn visited(&self, visitor: Visitor) {
        let connection = visitor.connection.clone();
        if self.settings.desks.as_ref().is_none_or(|desks| desks.try_send(visitor).is_err()) {
            self.shared.counters.refuse();
            close(&connection, CODE_NOT_ADMITTED, "this node serves no more desks now");
        }
    }

    fn start(&mut self, met: Met, dialled: Option<String>) {
        if met.key == self.own {
            met.connection.close(VarInt::from_u32(CODE_NOT_ADMITTED), b"this is the same node");
            return;
        }
        let link = self.shared.fresh_id();
        let mtu = u32::try_from(FRAME_BYTES_MAX).unwrap_or(u32::MAX);
        let address = dialled.clone().unwrap_or_else(|| met.connection.remote_address().to_string());
        let profile = LinkProfile {
            mtu,
            rate: 0,
            reliable: true,
            broadcast: false,
            peer: Some(met.key),
            dialled,
            label: format!("quic {address}"),
        };
        let (port, desk) = Port::new(QUEUE_BYTES, mtu);
        let (shared, closed) = (self.shared.clone(), self.closed.clone());
        let reports = shared.reports.apart(LANE_BYTES);
        self.links.spawn(async move {
            if reports.send(Report::Up(link, profile, port)).await.is_err() {
                return;
            }
            let cause = serve(met, link, desk, &reports, &shared, closed).await;
            tracing::debug!(link = link.0, cause, "link down");
            drop(reports.send(Report::Down(link, cause)).await);
        });
    }
}

/// Carries frames until the link ends; says why it did.
async fn serve(met: Met, link: LinkId, desk: Desk, reports: &Inlet, shared: &Shared, mut closed: watch::Receiver<()>) -> String {
    let Met { connection, key, send, recv } = met;
    let Desk { frames, gauge, mut hangup } = desk;
    let mut denied = shared.denied.clone();
    let writer = pipe::write(send, link, frames, gauge, reports.clone());
    tokio::pin!(writer);
    let withdrawn = async {
        // Denied are only those that a drill cuts off; whoever else may not be here is hung up on by the node. Ends never by itself
        // when the loop is gone; the hang-up does then.
        if denied.wait_for(|keys| keys.contains(&key)).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let (code, cause, drain) = tokio::select! {
        biased;
        () = withdrawn => (CODE_NOT_ADMITTED, "cut off for a drill".to_owned(), false),
        reason = &mut hangup => (CODE_ENDED, reason.unwrap_or_else(|_| "the node is shutting down".to_owned()), true),
        _ = closed.changed() => (CODE_ENDED, "the node is shutting down".to_owned(), true),
        () = &mut writer => (CODE_ENDED, ended(&connection).await, false),
        end = pipe::read(recv, link, reports.clone()) => match end {
            ReadEnd::Finished => (CODE_ENDED, ended(&connection).await, false),
            ReadEnd::Bad(bad) => (CODE_BAD_FRAME, bad.to_string(), false),
            ReadEnd::Unheard => (CODE_ENDED, "the node is shutting down".to_owned(), true),
        },
    };
    if drain {
        // The queue has ended with the port; what was in it goes out first.
        drop(timeout(DRAIN_MAX, writer).await);
    }
    close(&connection, code, &cause);
    cause
}
