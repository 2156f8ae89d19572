//! The loopback API beside a play: a thread of its own that serves HTTP, and the way from there to the thread that plays.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use holdfast_loopback::error::ApiError;
use holdfast_loopback::feed::Feed;
use holdfast_loopback::guard::{House, Site};
use holdfast_loopback::{server, token};
use holdfast_sim::control::{News, busy, over};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::routes;
use super::talk::{Answer, Ask, Call, Heard};
use crate::command::Failed;

/// Of every event.
const SCHEMA: &str = "holdfast.sim.event/1";
/// A question that is not answered by then is given up: a copy of a thousand sites takes its time.
const ANSWER_WAIT: Duration = Duration::from_secs(25);

/// Shared by all handlers.
#[derive(Clone)]
pub(super) struct Desk(Arc<Inner>);

struct Inner {
    site: Site,
    feed: Arc<Feed>,
    heard: SyncSender<Heard>,
    stopped: watch::Receiver<bool>,
}

impl House for Desk {
    fn site(&self) -> &Site {
        &self.0.site
    }

    // The answer says it to whoever knocked; nobody reads counts of a play.
    fn turned_away(&self) {}
}

impl Desk {
    pub(super) fn feed(&self) -> &Arc<Feed> {
        &self.0.feed
    }

    /// Becomes true when play is over.
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.0.stopped.clone()
    }

    /// Asks the thread that plays.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Answer, ApiError> {
        let (answer, answered) = oneshot::channel();
        match self.0.heard.try_send(Heard::Call(Call { ask, answer })) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(busy().into()),
            Err(TrySendError::Disconnected(_)) => return Err(over().into()),
        }
        match tokio::time::timeout(ANSWER_WAIT, answered).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_gone)) => Err(over().into()),
            Err(_late) => Err(busy().into()),
        }
    }
}

/// A running API.
pub(super) struct Api {
    address: SocketAddr,
    feed: Arc<Feed>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

/// One event on the wire.
#[derive(Serialize)]
struct Told<'a> {
    schema: &'static str,
    #[serde(flatten)]
    news: &'a News,
}

impl Api {
    /// Listens on an address of this computer alone; port 0 takes any.
    pub(super) fn start(address: SocketAddr, token_file: &Path, heard: SyncSender<Heard>) -> Result<Self, Failed> {
        let other = |why: &dyn std::fmt::Display| Failed::Other(format!("the API can't start: {why}"));
        server::loopback(address).map_err(|why| other(&why))?;
        let token = token::load_or_create(token_file).map_err(|why| other(&why))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| other(&why))?;
        let listener = runtime.block_on(TcpListener::bind(address));
        let listener = listener.map_err(|why| other(&format!("{address}: {why}. Give another port, or 0 for any")))?;
        let address = server::address(&listener).map_err(|why| other(&why))?;
        let feed = Arc::new(Feed::new(SCHEMA));
        let (stop, stopping) = oneshot::channel();
        let (told, stopped) = watch::channel(false);
        let desk = Desk(Arc::new(Inner { site: Site::new(token, address.port()), feed: Arc::clone(&feed), heard, stopped }));
        let serving = async move {
            server::serve(listener, routes::router(&desk), told, async {
                let _stopped = stopping.await;
            })
            .await;
        };
        Ok(Self { address, feed, stop, served: spawn(move || runtime.block_on(serving)) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells every listener.
    pub(super) fn say(&self, news: &News) {
        let told = serde_json::to_value(Told { schema: SCHEMA, news }).unwrap_or_default();
        let name = told.get("event").and_then(serde_json::Value::as_str).unwrap_or("message");
        self.feed.say(name, &told.to_string());
    }

    /// Lets answers on their way finish, then stops.
    pub(super) fn stop(self) {
        // Only if its thread is gone already.
        let _gone = self.stop.send(());
        let _panicked = self.served.join();
    }
}

#[expect(clippy::disallowed_methods, reason = "serves requests; the run is one thread")]
fn spawn(serve: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(serve)
}
