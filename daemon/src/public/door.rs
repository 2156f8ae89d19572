//! The door: connections of visitors, so many at once, each with limits, one request each. An orderly end.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer;
use super::board::Board;
use crate::visitors::{Limits, Seat, Visitors};

/// Pause after a failed accept (too many open files): the cause needs time to go away.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// Answers on their way get so long when the program stops.
const STOP_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a request head that are read.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Shows the board to whoever comes until `shutdown` resolves.
pub async fn serve(listener: TcpListener, board: Board, limits: Limits, shutdown: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let visitors = Visitors::new(limits);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (stream, from, place) = accept(&listener, &places) => {
                // Who holds too many already is hung up at once: the rest of the house stays open for others.
                if let Some(seat) = visitors.sit(from, Instant::now()) {
                    connections.spawn(connection(stream, board.clone(), limits, seat, place));
                }
            }
        }
    }
    let finished = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_WAIT, finished).await.is_err() {
        tracing::debug!("some visitors of the board were still reading at the end and are cut");
    }
}

/// The next visitor, with a place.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await.expect("invariant: the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, from)) => return (stream, from.ip(), place),
            Err(error) => {
                tracing::warn!(%error, "could not accept a visitor of the board; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one visitor: one request, then the place is another's. Idle and slow connections would only keep others out.
async fn connection(stream: TcpStream, board: Board, limits: Limits, seat: Seat, place: OwnedSemaphorePermit) {
    let seat = Arc::new(seat);
    let service = service_fn(|request| {
        let (board, seat) = (board.clone(), Arc::clone(&seat));
        async move {
            let may = seat.may_ask(Instant::now());
            Ok::<_, Infallible>(if may { answer::answer(board, request).await } else { answer::too_many() })
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(limits.whole_wait, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a visitor of the board left early"),
        Err(_slow) => tracing::debug!("a visitor of the board took too long and was hung up"),
    }
    drop((seat, place));
}
