//! The loop: it alone owns the node. Outputs are drained, then one thing is waited for, then handed in; everything else is a task.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use holdfast_loopback::token::{self, TokenError};
use holdfast_proto::control::{Answer, CommandId, Event, Question, Reply};
use holdfast_proto::id::NodeId;
use holdfast_proto::identity::{RealmKind, SecretKey};
use holdfast_proto::io::{Input, Output};
use holdfast_proto::node::Node;
use holdfast_proto::time::{Instant, Now, UtcMillis};
use tokio::sync::{mpsc, oneshot, watch};

use crate::code::Code;
use crate::config::{ConfigError, PublicSettings, Settings};
use crate::handle::{Ask, Desk, Handle};
use crate::link::{GossipSettings, LinkError, LinkSettings, Links, RadioSettings, SyncSettings, radio_view};
use crate::paper::{Papers, bind_key};
use crate::probe;
use crate::public::{Board, BoardSettings, Limits};
use crate::recorder::Recorder;
use crate::stamp;
use crate::start::{StartError, Started, start};
use crate::store::{self, StoreError, StoreEvent, Writer};
use crate::{api, log, public};

/// How long the loop takes what already waits before the tasks of the links, which share its thread, have their turn: longer and
/// QUIC would acknowledge too late.
const TURN_MAX: Duration = Duration::from_millis(2);
/// Whoever was heard by radio counts as there for at least so long.
const HEARD_MIN: Duration = Duration::from_secs(600);

/// Persons whose delegation has not been looked at yet.
const DESKS_WAITING: usize = 8;

/// The daemon could not start, or could not end cleanly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Logging.
    #[error(transparent)]
    Log(#[from] log::LogError),
    /// The system gives no event queue.
    #[error(
        "the system gives no event queue: {0}. Nothing was started. Raise its limit of open files (ulimit -n) and start again"
    )]
    Runtime(std::io::Error),
    /// Key, alliance, store or stamp.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A link's address.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The store would not start or close.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The API's address.
    #[error(
        "the API can't listen on {address}: {cause}. Nothing was started. Choose another port in [api] listen, or stop the program that uses it"
    )]
    Listen {
        /// As configured.
        address: std::net::SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The address of the public's board.
    #[error(
        "the public board can't listen on {address}: {cause}. Nothing was started. Choose another port in [public] listen, or stop the program that uses it"
    )]
    Public {
        /// As configured.
        address: std::net::SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// What the staff hid of the board.
    #[error(
        "what the board must not show can't be read from board.json in {folder}: {cause}. Nothing was started, so that nothing hidden is \
         shown. Mend that file and start again; delete it only if nothing has to stay hidden"
    )]
    Hidden {
        /// The data folder.
        folder: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl RunError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Config(error) => error.code(),
            Self::Log(_) => Code::Log,
            Self::Runtime(_) => Code::Runtime,
            Self::Start(error) => error.code(),
            Self::Link(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Listen { .. } => Code::ApiListen,
            Self::Public { .. } => Code::PublicListen,
            Self::Hidden { .. } => Code::PublicHidden,
            Self::Token(TokenError::Readable { .. }) => Code::TokenOpen,
            Self::Token(TokenError::Malformed { .. }) => Code::TokenMalformed,
            Self::Token(TokenError::Io { .. }) => Code::TokenUnreadable,
        }
    }
}

/// Both clocks of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
    offset_s: i64,
}

impl Clock {
    /// The machine's clocks; `offset_s` is added to the wall clock, for drills of wrong clocks.
    #[must_use]
    pub fn new(offset_s: i64) -> Self {
        Self { start: std::time::Instant::now(), offset_s }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Now {
        let mono = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
        Now { mono: Instant(mono), wall: UtcMillis(wall.saturating_add(self.offset_s.saturating_mul(1_000))) }
    }
}

/// The runtime a daemon runs on: one thread for loop, links and API, so that a frame goes from the socket to the node and on to
/// the next neighbour without waking a thread. The disk has a thread of its own.
///
/// # Errors
/// The system gives no event queue.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// What keeps store, stamp and token from being opened or made, as far as that can be seen without leaving anything behind. A store
/// in use by a daemon that runs is nothing wrong.
fn check_folders(settings: &Settings) -> Vec<RunError> {
    let store = store::check(&settings.data_dir).err().map(RunError::Store);
    let stamp = stamp::check(&settings.stamp_file).err().map(|error| StartError::from(error).into());
    let path = &settings.token_file;
    let token = token::check(path).and_then(|()| {
        let folder = path.parent().unwrap_or(path);
        store::check_folder(folder).map_err(|cause| TokenError::Io { path: path.clone(), cause })
    });
    let folder = &settings.data_dir;
    // What keeps the store from being there at all is said once.
    let hidden = if store.is_none() { public::check(folder).err() } else { None };
    let hidden = hidden.map(|cause| RunError::Hidden { folder: folder.clone(), cause });
    [store, stamp, token.err().map(RunError::Token), hidden].into_iter().flatten().collect()
}

/// Everything that would keep a daemon from starting with these settings, but what other programs do at the moment.
#[must_use]
pub fn check(settings: &Settings) -> Vec<RunError> {
    let papers = Papers::read(settings).err().map(|error| StartError::from(error).into());
    papers.into_iter().chain(check_folders(settings)).collect()
}

/// Runs a node until `shutdown` resolves. `ready` is called once it serves, with the way to talk to it.
///
/// # Errors
/// [`RunError`]; each says what to do.
pub async fn run(
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send,
    ready: impl FnOnce(Handle) + Send,
) -> Result<(), RunError> {
    // Whatever can be refused comes before the store: a start that was refused leaves nothing behind, neither files nor a recording.
    let papers = Papers::read(&settings).map_err(StartError::Paper)?;
    if let Some(error) = check_folders(&settings).into_iter().next() {
        return Err(error);
    }
    store::check_unused(&settings.data_dir)?;
    let listener = tokio::net::TcpListener::bind(settings.api_listen).await;
    let listener = listener.map_err(|cause| RunError::Listen { address: settings.api_listen, cause })?;
    let door = door(settings.public.listen).await?;
    link_settings(&settings, &papers.roster, papers.me).check_free()?;
    let token = token::load_or_create(&settings.token_file)?;

    let (kind, seed, items) = (papers.roster.kind(), papers.secret.seed(), papers.catalogue.items.clone());
    let Started { node, store, stamp, me, catalogue, recorder } = start(&settings, papers, Clock::new(0).now())?;
    bind_key(&settings.key_file, &SecretKey::from_seed(seed));
    // Wrong clocks are a drill: obeyed in the simulation realm only.
    let offset = std::env::var("HOLDFAST_WALL_OFFSET_S").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let clock = Clock::new(if kind == RealmKind::Simulation { offset } else { 0 });
    let mut link_settings = link_settings(&settings, node.roster(), me);
    let (desks, visitors) = mpsc::channel(DESKS_WAITING);
    if let Some(sync) = &mut link_settings.sync {
        sync.desks = Some(desks);
    }
    let links = Links::spawn(link_settings, &seed).await?;
    // At most one event per unanswered job, and the writer takes no more jobs than its own limit.
    let (answers, store_events) = mpsc::unbounded_channel();
    let writer = store.start(stamp, move |event| drop(answers.send(event)))?;

    let (handle, desk) = Handle::new();
    let name = node.roster().current(me).map(|certificate| certificate.name.clone()).unwrap_or_default();
    let node_name = holdfast_proto::control::NodeName { id: me.to_string(), name };
    let PublicSettings { listen, address } = settings.public;
    let folder = settings.data_dir;
    let board = BoardSettings { node: node_name.clone(), kind, items, folder: folder.clone(), listen, address };
    let board = Board::open(handle.clone(), board).map_err(|cause| RunError::Hidden { folder, cause })?;
    let realm = kind.text().to_owned();
    let api_settings = api::ApiSettings { token, catalogue, node: node_name.clone(), realm, board: board.clone() };
    let (stop, stopped) = watch::channel(());
    let until = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
    let hall = api::Hall { handle: handle.clone(), settings: api_settings.clone(), chain: node.roster().chain(me) };
    let hall = tokio::spawn(api::receive(visitors, hall));
    let api = tokio::spawn(api::serve(listener, handle.clone(), api_settings, until(stopped.clone())));
    let door = door.map(|door| tokio::spawn(public::serve(door, board, Limits::default(), until(stopped))));

    tracing::info!(node = %node_name.id, name = %node_name.name, realm = kind.text(), api = %settings.api_listen, "ready");
    ready(handle);
    let mut shell = Shell {
        node,
        recorder,
        links,
        writer,
        clock,
        desk,
        waiting: BTreeMap::new(),
        inputs: VecDeque::new(),
        next_command: 0,
        central: probe::spawn(settings.probe.clone()),
    };
    shell.turn(store_events, shutdown).await;

    let Shell { links, writer, .. } = shell;
    drop(stop);
    if let Ok(Err(error)) = api.await {
        tracing::error!(%error, "the API ended badly");
    }
    if let Some(Err(error)) = maybe(door).await {
        tracing::error!(%error, "the public board ended badly");
    }
    hall.abort();
    links.shutdown().await;
    let closed = tokio::task::spawn_blocking(move || writer.close()).await;
    closed.unwrap_or(Ok(()))?;
    Ok(())
}

/// The door of the public's board, where there is to be one.
async fn door(listen: Option<std::net::SocketAddr>) -> Result<Option<tokio::net::TcpListener>, RunError> {
    let Some(address) = listen else { return Ok(None) };
    let bound = tokio::net::TcpListener::bind(address).await;
    bound.map(Some).map_err(|cause| RunError::Public { address, cause })
}

/// What a task came to, where there is one.
async fn maybe<T>(task: Option<tokio::task::JoinHandle<T>>) -> Option<Result<T, tokio::task::JoinError>> {
    match task {
        Some(task) => Some(task.await),
        None => None,
    }
}

fn link_settings(settings: &Settings, roster: &holdfast_proto::identity::Roster, me: NodeId) -> LinkSettings {
    let sync = settings.sync.clone().map(|(listen, peers)| SyncSettings { peers, ..SyncSettings::new(listen) });
    let gossip = settings.gossip.clone().map(|(listen, peers, mdns)| {
        let nodes_expected = roster.nodes().count();
        GossipSettings { peers, mdns, nodes_expected, ..GossipSettings::new(listen, roster.realm().to_string()) }
    });
    let radio = settings.radio.as_ref().map(|radio| {
        // A few beacons may be lost before somebody counts as gone.
        let heard_for = (settings.node.beacon * 5).max(HEARD_MIN);
        let realm = roster.realm().0;
        let tag = realm.first_chunk::<2>().copied().unwrap_or_default();
        // Without random numbers two runs of one node begin in the same slots, and nothing else.
        let manner = radio.manner(me, tag, heard_for, getrandom::u64().unwrap_or(0));
        RadioSettings { port: radio.port.clone(), baud: radio.baud, manner }
    });
    LinkSettings { sync, gossip, radio }
}

struct Shell {
    node: Node,
    recorder: Option<Recorder>,
    links: Links,
    writer: Writer,
    clock: Clock,
    desk: Desk,
    waiting: BTreeMap<CommandId, oneshot::Sender<Reply>>,
    /// What the shell itself has to say to the node.
    inputs: VecDeque<Input>,
    next_command: u64,
    /// Whether the central systems answered when they were asked.
    central: mpsc::Receiver<bool>,
}

impl Shell {
    async fn turn(&mut self, mut store: mpsc::UnboundedReceiver<StoreEvent>, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        self.drain();
        self.record(self.clock.now(), None);
        loop {
            let begun = std::time::Instant::now();
            while let Some(input) = self.ready(&mut store) {
                self.hand_in(input);
                if begun.elapsed() >= TURN_MAX {
                    tokio::task::yield_now().await;
                    break;
                }
            }
            let wake = self.until_deadline();
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                Some(event) = store.recv() => self.hand_in(event.into()),
                Some(ask) = self.desk.asks.recv() => self.ask(ask),
                Some(answers) = self.central.recv() => self.hand_in(Input::Central { answers }),
                input = self.links.next() => self.hand_in(input),
                () = tokio::time::sleep(wake) => self.hand_in(Input::Wake),
            }
        }
    }

    /// An input that waits already.
    fn ready(&mut self, store: &mut mpsc::UnboundedReceiver<StoreEvent>) -> Option<Input> {
        let own = self.inputs.pop_front();
        own.or_else(|| store.try_recv().ok().map(Input::from)).or_else(|| self.links.try_next())
    }

    /// How long until the node wants to be woken.
    fn until_deadline(&self) -> Duration {
        let now = self.clock.now().mono;
        self.node.deadline().map_or(Duration::from_secs(3_600), |(at, _)| at.since(now))
    }

    fn hand_in(&mut self, input: Input) {
        let now = self.clock.now();
        let recorded = self.recorder.is_some().then(|| input.clone());
        self.node.handle(now, input);
        self.drain();
        self.record(now, recorded);
    }

    fn record(&mut self, now: Now, input: Option<Input>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.step(now, input, self.node.signatures());
        }
    }

    fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Command(command, reply) => {
                self.next_command += 1;
                let id = CommandId(self.next_command);
                self.waiting.insert(id, reply);
                self.hand_in(Input::Command { id, command });
            }
            Ask::Question(question, answer) => {
                let mut told = self.node.answer(self.clock.now(), &question);
                if let (Question::Metrics, Answer::Metrics(metrics)) = (&question, &mut told) {
                    self.add_metrics(metrics);
                }
                if let (Some(state), Answer::Status(view)) = (self.links.radio(), &mut told) {
                    let name = |node| self.node.roster().current(node).map(|known| known.name.clone()).unwrap_or_default();
                    let (radio, warning) = radio_view(&state, self.node.waits_by_radio(), name);
                    view.radio = Some(Box::new(radio));
                    view.warnings.extend(warning);
                }
                // Whoever asked may have gone away meanwhile.
                drop(answer.send(told));
            }
        }
    }

    fn add_metrics(&self, metrics: &mut BTreeMap<String, u64>) {
        let links = self.links.counts();
        let store = self.writer.stats();
        let more = [
            ("link_refused_total", links.refused),
            ("link_bytes_out_total", links.bytes_out),
            ("link_bytes_in_total", links.bytes_in),
            ("broadcast_lost_total", links.broadcast_lost),
            ("link_put_off_total", links.put_off),
            ("store_commits_total", store.commits),
            ("store_bad_rows_total", store.bad),
            ("store_full", u64::from(store.full)),
        ];
        metrics.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }

    fn drain(&mut self) {
        while let Some(output) = self.node.poll_output() {
            if let Some(recorder) = &mut self.recorder {
                recorder.output(&output);
            }
            match output {
                Output::Transmit { link, frame } => self.links.transmit(link, frame),
                Output::Persist { token, rows, stamp } => {
                    if let Err(refused) = self.writer.persist(token, rows, stamp) {
                        self.inputs.push_back(Input::PersistFailed { token, cause: refused.to_string() });
                    }
                }
                Output::Fetch { token, entries } => {
                    if self.writer.fetch(token, entries).is_err() {
                        self.inputs.push_back(Input::Fetched { token, rows: Vec::new() });
                    }
                }
                Output::Dial { address } => self.links.dial(address),
                Output::Hangup { link, reason } => self.links.hangup(link, reason),
                Output::Admit { keys, denied } => self.links.admit(keys, denied),
                Output::Reply { id, reply } => {
                    if let Some(waiting) = self.waiting.remove(&id) {
                        drop(waiting.send(reply));
                    }
                }
                Output::Notify(event) => self.notify(event),
            }
        }
    }

    fn notify(&self, event: Event) {
        log::event(&event);
        // Nobody may be listening.
        drop(self.desk.events.send(event));
    }
}
