//! From events to log lines: one place, so that a line's level and fields are decided once. No stock figures at info level.

use holdfast_proto::control::Event;
use tracing::field;
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
        Event::PeerDown { node, cause } => tracing::info!(node = node.map(field::display), cause, "neighbour down"),
        Event::Healed { node, took_ms, received, sent } => tracing::info!(%node, took_ms, received, sent, "equal again"),
        Event::Rejected { node, reason } => tracing::debug!(node = node.map(field::display), reason, "refused"),
        Event::Forked { author, number } => tracing::warn!(%author, number, "two stories under one number: frozen there"),
        Event::Incarnation { count, cause } => tracing::info!(count, cause, "new incarnation"),
        Event::Stopped { cause } => tracing::error!(cause, "writing stopped"),
        Event::StoreFailed { cause } => tracing::warn!(cause, "the store did not take it"),
        Event::Delivery { ticket, delivery } => tracing::debug!(ticket, state = ?delivery.state, "delivery"),
        Event::Fault { what } => tracing::info!(what, "drill"),
        Event::Revoked { node, reason } => tracing::warn!(%node, reason, "its key was revoked"),
        Event::Bug { what } => tracing::error!(what, "this must not happen"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Where lines go that a test reads.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().map_err(|_| io::Error::other("another test ended while it wrote"))?.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_node_is_named_in_a_line_as_everywhere_else() {
        let lines = Lines::default();
        let into = lines.clone();
        let subscriber = fmt().json().with_max_level(tracing::Level::TRACE).with_writer(move || into.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            event(&Event::PeerDown { node: "1-2".parse().ok(), cause: "timed out".to_owned() });
            event(&Event::Rejected { node: None, reason: "no frame".to_owned() });
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&told[0]["fields"]["node"], told[1]["fields"].get("node")), (&"1-2".into(), None), "{text}");
    }
}
