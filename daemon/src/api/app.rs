//! What all handlers share: the way to the loop with a limit on every wait, and JSON out. No routes and no rights here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use holdfast_loopback::answer::json;
use holdfast_loopback::error::ApiError;
use holdfast_loopback::feed::Feed;
use holdfast_loopback::guard::{House, Site};
use holdfast_proto::control::{Answer, Command, NodeName, Question, Reply};
use holdfast_proto::identity::{DelegationId, PublicKey};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::{ApiSettings, error, events};
use crate::handle::Handle;
use crate::public::Board;

/// A read is answered from memory; if the loop needs longer than this it is stuck.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// A write waits for the disk: slow store PCs need seconds under load. people.md 1.2 rule 1 ends every wait at 30 s.
const COMMAND_WAIT: Duration = Duration::from_secs(25);
/// `/readyz`: not ready when the loop answers nothing for so long.
const READY_WAIT: Duration = Duration::from_secs(2);

/// Shared by all handlers; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    site: Site,
    feed: Arc<Feed>,
    catalogue: Bytes,
    node: NodeName,
    realm: &'static str,
    board: Board,
    refused: AtomicU64,
    stopped: watch::Receiver<bool>,
    /// Who sits at the other end, where that is a person's desk elsewhere.
    person: Option<Person>,
}

/// A person at a desk elsewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    /// By which delegation.
    pub(super) of: DelegationId,
    /// With which key.
    pub(super) key: PublicKey,
}

impl App {
    pub(super) fn new(
        handle: Handle,
        settings: ApiSettings,
        port: u16,
        stopped: watch::Receiver<bool>,
        person: Option<Person>,
    ) -> Self {
        let realm = match settings.realm.as_str() {
            "actual" => "actual",
            "exercise" => "exercise",
            // Better a banner too many than an exercise that looks real.
            _ => "simulation",
        };
        Self(Arc::new(Inner {
            handle,
            site: Site::new(settings.token, port),
            feed: Arc::new(Feed::new(events::SCHEMA)),
            catalogue: Bytes::from(settings.catalogue.to_string()),
            node: settings.node,
            realm,
            board: settings.board,
            refused: AtomicU64::new(0),
            stopped,
            person,
        }))
    }

    /// Who sits at a desk elsewhere.
    pub(super) fn person(&self) -> Option<Person> {
        self.0.person
    }

    pub(super) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.0.feed)
    }

    pub(super) fn node(&self) -> &NodeName {
        &self.0.node
    }

    /// `actual`, `exercise`, `simulation`.
    pub(super) fn realm(&self) -> &'static str {
        self.0.realm
    }

    /// The public's board.
    pub(super) fn board(&self) -> &Board {
        &self.0.board
    }

    pub(super) fn catalogue(&self) -> Bytes {
        self.0.catalogue.clone()
    }

    /// Becomes true when the daemon stops.
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.0.stopped.clone()
    }

    /// Requests refused for their token, Host or Origin since start.
    pub(super) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Reads from the node.
    pub(super) async fn ask(&self, question: Question) -> Result<Answer, ApiError> {
        match timeout(ANSWER_WAIT, self.0.handle.ask(question)).await {
            Ok(Ok(Answer::Status(mut view))) => {
                // The node itself knows nothing of its door.
                view.board = Some(self.board()).filter(|board| board.is_used()).map(|board| Box::new(board.view()));
                Ok(Answer::Status(view))
            }
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_gone)) => Err(error::stopping()),
            Err(_late) => Err(error::busy()),
        }
    }

    /// Has a command carried out; answers when it is durable or refused.
    pub(super) async fn command(&self, command: Command) -> Result<Response, ApiError> {
        match timeout(COMMAND_WAIT, self.0.handle.command(command)).await {
            Ok(Ok(Reply::Saved(saved))) => Ok(json(StatusCode::OK, &saved)),
            Ok(Ok(Reply::CourierOut(piece))) => Ok(json(StatusCode::OK, &piece)),
            Ok(Ok(Reply::CourierIn(taken))) => Ok(json(StatusCode::OK, &taken)),
            Ok(Ok(Reply::Drafted(draft))) => Ok(json(StatusCode::OK, &draft)),
            Ok(Ok(Reply::Refused(refusal))) => Err(refusal.into()),
            Ok(Err(_gone)) => Err(error::stopping()),
            Err(_late) => Err(error::unsure()),
        }
    }

    /// True if the loop answers. Says nothing of peers: a cut network never makes a node unready.
    pub(super) async fn is_ready(&self) -> bool {
        matches!(timeout(READY_WAIT, self.0.handle.ask(Question::Digest)).await, Ok(Ok(_)))
    }

    /// Counters and gauges of the node, if it answers in time.
    pub(super) async fn counters(&self) -> Option<std::collections::BTreeMap<String, u64>> {
        let Ok(Ok(Answer::Metrics(counters))) = timeout(READY_WAIT, self.0.handle.ask(Question::Metrics)).await else {
            return None;
        };
        Some(counters)
    }
}

impl House for App {
    fn site(&self) -> &Site {
        &self.0.site
    }

    fn turned_away(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// A view that stands within others too, named where it is the whole answer.
#[derive(Serialize)]
pub(super) struct Named<'a, T> {
    /// Name and version of the shape.
    pub(super) schema: &'static str,
    /// What there is to tell.
    #[serde(flatten)]
    pub(super) view: &'a T,
}

/// An answer as JSON; a refusal as an error.
pub(super) fn answered(answer: Answer) -> Result<Response, ApiError> {
    let ok = StatusCode::OK;
    match answer {
        Answer::Status(view) => Ok(json(ok, &view)),
        Answer::Requests(view) => Ok(json(ok, &view)),
        Answer::Request(view) => Ok(json(ok, &Named { schema: "holdfast.request/1", view: &*view })),
        Answer::Peers(view) => Ok(json(ok, &view)),
        Answer::Digest(view) => Ok(json(ok, &view)),
        Answer::Delivery(view) => Ok(json(ok, &Named { schema: "holdfast.delivery/1", view: &view })),
        Answer::Metrics(map) => Ok(json(ok, &map)),
        Answer::Heads(view) => Ok(json(ok, &view)),
        Answer::Orders(view) => Ok(json(ok, &view)),
        Answer::Consignments(view) => Ok(json(ok, &view)),
        Answer::Conflicts(view) => Ok(json(ok, &view)),
        Answer::Stock(view) => Ok(json(ok, &view)),
        Answer::Person(view) => Ok(json(ok, &view)),
        Answer::Acts(view) => Ok(json(ok, &view)),
        Answer::Refused(refusal) => Err(refusal.into()),
    }
}
