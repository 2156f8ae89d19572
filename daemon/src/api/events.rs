//! What the loop says, as server-sent events.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use holdfast_loopback::error::ApiError;
use holdfast_loopback::feed::Feed;
use holdfast_proto::control::Event;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::api::app::{App, Named};

/// Of every event.
pub(super) const SCHEMA: &str = "holdfast.event/1";

/// An event as its listeners read it.
pub(super) fn told(event: &Event) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(Named { schema: SCHEMA, view: event })
}

/// Numbers what the loop says, until the loop ends.
pub(super) async fn pump(feed: Arc<Feed>, mut events: broadcast::Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(event) => match told(&event) {
                Ok(value) => {
                    let name = value.get("event").and_then(serde_json::Value::as_str).unwrap_or("message");
                    feed.say(name, &value.to_string());
                }
                Err(error) => tracing::error!(%error, "an event could not be written as JSON"),
            },
            Err(RecvError::Lagged(missed)) => feed.say_lagged(missed),
            Err(RecvError::Closed) => return,
        }
    }
}

/// `GET /api/v1/events`.
pub(super) async fn listen(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    app.feed().follow(&headers, app.stopped())
}
