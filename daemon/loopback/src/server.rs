//! Connections from this computer, so many at once, each with limits; an orderly end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Connections open at once; more wait in the kernel. A page holds at most 6, a store PC a handful of pages and the CLI.
const CONNECTIONS_MAX: usize = 256;
/// A client that has not sent its whole request head by then is hung up. hyper's own default.
const HEAD_WAIT: Duration = Duration::from_secs(30);
/// Answers on their way get so long when the program stops.
const STOP_WAIT: Duration = Duration::from_secs(3);
/// Pause after a failed accept (too many open files): the cause needs time to go away.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why the API can't start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener has no local address.
    #[error("the API's listener has no address: {0}")]
    NoAddress(#[source] std::io::Error),
    /// The address is not loopback.
    #[error(
        "the API may only listen on this computer, but it was given {0}. Anyone on the network could then write here. \
         Give it an address of this computer alone, such as 127.0.0.1:8787 or [::1]:8787"
    )]
    NotLoopback(SocketAddr),
}

/// The address of a listener, if only this computer can reach it.
///
/// # Errors
/// [`ServeError`].
pub fn address(listener: &TcpListener) -> Result<SocketAddr, ServeError> {
    loopback(listener.local_addr().map_err(ServeError::NoAddress)?)
}

/// An address, if only this computer can reach it.
///
/// # Errors
/// [`ServeError::NotLoopback`].
pub fn loopback(address: SocketAddr) -> Result<SocketAddr, ServeError> {
    if address.ip().to_canonical().is_loopback() { Ok(address) } else { Err(ServeError::NotLoopback(address)) }
}

/// Serves until `shutdown` resolves, says so through `stop`, then lets answers on their way finish for a few seconds.
pub async fn serve(listener: TcpListener, router: Router, stop: watch::Sender<bool>, shutdown: impl Future<Output = ()> + Send) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, seat) = accept(&listener, &seats) => {
                connections.spawn(connection(stream, router.clone(), stop.subscribe(), seat));
            }
        }
    }
    // No receiver is left only if no connection is: then there is nobody to tell.
    let _told = stop.send(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_WAIT, finished).await.is_err() {
        tracing::debug!("some API connections were still open at the end and are cut");
    }
}

/// Resolves when the program stops, or when nobody is left who could say so.
pub async fn until(stopped: &mut watch::Receiver<bool>) {
    let _stopped = stopped.wait_for(|stop| *stop).await;
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

/// Serves one connection to its end, or until the program stops.
async fn connection(stream: TcpStream, router: Router, stopped: watch::Receiver<bool>, seat: OwnedSemaphorePermit) {
    // Small answers, one after another: waiting to fill a segment only costs time.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY on an API connection");
    }
    talk(stream, router, stopped).await;
    drop(seat);
}

/// Serves one connection of any kind to its end, or until the program stops.
pub async fn talk<S>(stream: S, router: Router, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = until(&mut stopped) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an API connection ended early");
    }
}
