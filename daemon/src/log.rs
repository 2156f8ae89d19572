//! From events to log lines: one place, so that a line's level and fields are decided once. No stock figures at info level.

use holdfast_proto::control::Event;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::LogFormat;

/// Nothing can be logged, so nothing is started.
#[derive(Debug, thiserror::Error)]
#[error(
    "[log] filter is not understood: {0}. Nothing was started. Give a level, such as `info`, or `info,holdfast_daemon=debug`"
)]
pub struct LogError(pub String);

/// Starts logging to standard error.
///
/// # Errors
/// [`LogError`] if the filter can't be read.
pub fn start(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| LogError(error.to_string()))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| LogError(error.to_string()))
}

/// Logs one event.
pub fn event(event: &Event) {
    match event {
        Event::Board { node, version } => tracing::debug!(%node, version, "board"),
        Event::Entries { author, first, count } => tracing::debug!(%author, first, count, "entries"),
        Event::Withdrawn { author, number } => tracing::debug!(%author, number, "withdrawn"),
        Event::PeerUp { node, label } => tracing::info!(%node, link = label, "neighbour up"),
        Event::PeerDown { node, cause } => tracing::info!(node = ?node.map(|node| node.to_string()), cause, "neighbour down"),
        Event::Healed { node, took_ms, received, sent } => tracing::info!(%node, took_ms, received, sent, "equal again"),
        Event::Rejected { node, reason } => tracing::debug!(node = ?node.map(|node| node.to_string()), reason, "refused"),
        Event::Forked { author, number } => tracing::warn!(%author, number, "two stories under one number: frozen there"),
        Event::Incarnation { count, cause } => tracing::info!(count, cause, "new incarnation"),
        Event::Stopped { cause } => tracing::error!(cause, "writing stopped"),
        Event::StoreFailed { cause } => tracing::warn!(cause, "the store did not take it"),
        Event::Delivery { ticket, delivery } => tracing::debug!(ticket, state = ?delivery.state, "delivery"),
        Event::Fault { what } => tracing::info!(what, "drill"),
        Event::Bug { what } => tracing::error!(what, "this must not happen"),
    }
}
