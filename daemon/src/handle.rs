//! The one way from tasks to the loop that owns the node: commands, questions, events. Bounded.

use holdfast_proto::control::{Answer, Command, Event, Question, Reply};
use tokio::sync::{broadcast, mpsc, oneshot};

/// Asks waiting for the loop at once; more wait at the sender.
const ASKS_MAX: usize = 1_024;
/// Events a slow listener may fall behind before it misses some.
const EVENTS_MAX: usize = 4_096;

/// The loop has ended: the daemon is shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the daemon is shutting down")]
pub struct Gone;

/// What a task wants of the loop.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved once through a channel; a box would only cost an allocation")]
pub enum Ask {
    /// Do this; the answer comes when it is durable.
    Command(Command, oneshot::Sender<Reply>),
    /// Tell this; answered at once.
    Question(Question, oneshot::Sender<Answer>),
}

/// Cheap to clone; held by the API and whoever else talks to the loop.
#[derive(Clone, Debug)]
pub struct Handle {
    asks: mpsc::Sender<Ask>,
    events: broadcast::Sender<Event>,
}

/// The loop's end of a [`Handle`].
#[derive(Debug)]
pub struct Desk {
    /// What tasks want.
    pub asks: mpsc::Receiver<Ask>,
    /// Where the loop says what happened.
    pub events: broadcast::Sender<Event>,
}

impl Handle {
    /// A handle and the loop's end of it.
    #[must_use]
    pub fn new() -> (Self, Desk) {
        let (asks, rx) = mpsc::channel(ASKS_MAX);
        let (events, _) = broadcast::channel(EVENTS_MAX);
        (Self { asks, events: events.clone() }, Desk { asks: rx, events })
    }

    /// Has a command carried out; answers when it is durable or refused.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is shutting down; then nothing may be assumed of the command.
    pub async fn command(&self, command: Command) -> Result<Reply, Gone> {
        let (tx, rx) = oneshot::channel();
        self.asks.send(Ask::Command(command, tx)).await.map_err(|_| Gone)?;
        rx.await.map_err(|_| Gone)
    }

    /// Reads from the node.
    ///
    /// # Errors
    /// [`Gone`] if the daemon is shutting down.
    pub async fn ask(&self, question: Question) -> Result<Answer, Gone> {
        let (tx, rx) = oneshot::channel();
        self.asks.send(Ask::Question(question, tx)).await.map_err(|_| Gone)?;
        rx.await.map_err(|_| Gone)
    }

    /// Everything that happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }
}
