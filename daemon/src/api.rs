//! The loopback HTTP API and the page: who may ask, how answers and refusals look. Decides nothing about supplies or peers.
//!
//! Every answer is a type of [`holdfast_proto::control`] as JSON; the routes stand in [`routes`], the description of them for
//! programs in `assets/openapi.json`, which a test holds against the routes.

mod app;
mod error;
mod events;
mod guard;
mod metrics;
mod page;
mod routes;
#[cfg(test)]
mod tests;
pub mod token;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use holdfast_proto::control::NodeName;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::api::app::App;
use crate::api::token::Token;
use crate::handle::Handle;

/// Connections open at once; more wait in the kernel. A page holds at most 6, a store PC a handful of pages and the CLI.
const CONNECTIONS_MAX: usize = 256;
/// A client that has not sent its whole request head by then is hung up. hyper's own default.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// Answers on their way get so long when the daemon stops.
const STOP_WAIT: Duration = Duration::from_secs(3);
/// Pause after a failed accept (too many open files): the cause needs time to go away.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What the API must know besides the loop.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Whoever shows it may read and write. See [`token::load_or_create`].
    pub token: Token,
    /// `holdfast.catalogue/1`: items, fields and services with their words. Served as it is.
    pub catalogue: serde_json::Value,
    /// This node, for `/metrics` and the page's title.
    pub node: NodeName,
    /// `actual`, `exercise` or `simulation`; anything but `actual` puts the banner on the page.
    pub realm: String,
}

/// Why the API can't start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no local address.
    #[error("the API's listener has no address: {0}")]
    NoAddress(#[source] std::io::Error),
    /// The address is not loopback.
    #[error(
        "the API may only listen on this computer, but [api] listen is {0}. Anyone on the network could then write for this node. \
         Set it to 127.0.0.1:8787 or [::1]:8787"
    )]
    NotLoopback(SocketAddr),
}

/// Serves the API and the page until `shutdown` resolves, then lets answers on their way finish for a few seconds.
///
/// # Errors
/// [`ServeError`] before the first connection; once it serves, only `shutdown` ends it.
pub async fn serve(
    listener: TcpListener,
    handle: Handle,
    settings: ApiSettings,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::NoAddress)?;
    if !address.ip().to_canonical().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let (stop, stopped) = watch::channel(false);
    let events = handle.events();
    let app = App::new(handle, settings, address.port(), stopped.clone());
    let pump = tokio::spawn(events::pump(app.feed(), events));
    let router = routes::router(&app);
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, seat) = accept(&listener, &seats) => {
                connections.spawn(connection(stream, router.clone(), stopped.clone(), seat));
            }
        }
    }
    // No receiver is left only if no connection is: then there is nobody to tell.
    let _told = stop.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WAIT, finished).await.is_err() {
        tracing::debug!("some API connections were still open at the end and are cut");
    }
    pump.abort();
    Ok(())
}

/// The next connection from this computer, with its seat.
async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let seat = Arc::clone(seats).acquire_owned().await.expect("invariant: the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip().to_canonical().is_loopback() => return (stream, seat),
            Ok((_, peer)) => tracing::warn!(%peer, "refused an API connection from another computer"),
            Err(error) => {
                tracing::warn!(%error, "could not accept an API connection; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection to its end, or until the daemon stops.
async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>, seat: OwnedSemaphorePermit) {
    // Small answers, one after another: waiting to fill a segment only costs time.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY on an API connection");
    }
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = app::until(&mut stopped) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an API connection ended early");
    }
    drop(seat);
}
