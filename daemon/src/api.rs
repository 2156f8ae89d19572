//! The loopback HTTP API and the page. Who may ask and how refusals look is `holdfast_loopback`'s; nothing is decided about supplies or
//! peers.
//!
//! Every answer is a type of [`holdfast_proto::control`] as JSON; the routes stand in [`routes`], the description of them for
//! programs in `assets/openapi.json`, which a test holds against the routes.

mod app;
mod board;
mod desk;
mod error;
mod events;
mod metrics;
mod page;
mod routes;
#[cfg(test)]
mod tests;

use std::future::Future;

pub use self::desk::{Hall, receive};

use holdfast_loopback::server;
pub use holdfast_loopback::server::ServeError;
use holdfast_loopback::token::Token;
use holdfast_proto::control::NodeName;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::app::App;
use crate::handle::Handle;
use crate::public::Board;

/// What the API must know besides the loop.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Whoever shows it may read and write. See [`holdfast_loopback::token::load_or_create`].
    pub token: Token,
    /// `holdfast.catalogue/1`: items, fields and services with their words. Served as it is.
    pub catalogue: serde_json::Value,
    /// This node, for `/metrics` and the page's title.
    pub node: NodeName,
    /// `actual`, `exercise` or `simulation`; anything but `actual` puts the banner on the page.
    pub realm: String,
    /// The public's board, of which the staff has the say.
    pub board: Board,
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
    let address = server::address(&listener)?;
    let (stop, stopped) = watch::channel(false);
    let events = handle.events();
    let app = App::new(handle, settings, address.port(), stopped, None);
    let pump = tokio::spawn(events::pump(app.feed(), events));
    server::serve(listener, routes::router(&app), stop, shutdown).await;
    pump.abort();
    Ok(())
}

/// Every address of the API, for who must not answer to any of them.
#[cfg(test)]
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    routes::table().into_iter().map(|route| route.path)
}
