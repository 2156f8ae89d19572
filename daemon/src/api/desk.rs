//! Persons at a desk elsewhere: each comes over `sync` with a key and a delegation, and is served the API over the streams of that
//! connection. Whether it may be here is asked anew for each stream and every few seconds, so that a delegation taken away ends there too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use holdfast_loopback::server;
use holdfast_loopback::token::Token;
use holdfast_proto::control::person::{DeskHello, DeskWelcome};
use holdfast_proto::control::{Answer, Certify, Command, PersonView, Question, Reply};
use holdfast_proto::domain::refusal::Refusal;
use holdfast_proto::identity::{ArmorKind, DelegationId, PublicKey, dearmor, delegation_in};
use quinn::{Connection, SendStream, VarInt};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::api::app::{App, Person};
use crate::api::{ApiSettings, events, routes};
use crate::handle::Handle;
use crate::link::Visitor;
use crate::link::desk::counted;
use crate::visitors::{Limits, Visitors};

/// Desks served at once: dispatchers of one hub.
const DESKS_MAX: usize = 16;
/// Connections that have not yet proven a delegation, together and of one address: a crowd of strangers keeps no dispatcher out.
const LOBBY_MAX: usize = 64;
const LOBBY_OF_ADDRESS_MAX: u32 = 8;
/// The first word must be there by then.
const HELLO_MAX: Duration = Duration::from_secs(5);
/// How long a refusal may take to get there before the connection ends.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long a person may go on reading after its delegation ended.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Why a connection ends, for other versions.
const CODE_REFUSED: u32 = 1;
const TOO_MANY: &[u8] = b"this node serves no more desks now";

/// What serving a desk takes.
#[derive(Clone, Debug)]
pub struct Hall {
    /// The way to the loop.
    pub handle: Handle,
    /// As for this computer; the token is each desk's own.
    pub settings: ApiSettings,
    /// What proves this node.
    pub chain: Vec<Bytes>,
}

/// Serves all who come, until nobody can come any more.
pub async fn receive(mut visitors: mpsc::Receiver<Visitor>, hall: Hall) {
    let seats = Arc::new(Semaphore::new(DESKS_MAX));
    let lobby = Arc::new(Semaphore::new(LOBBY_MAX));
    let waiting = Visitors::new(Limits { per_address: LOBBY_OF_ADDRESS_MAX, ..Limits::default() });
    let mut desks = JoinSet::new();
    while let Some(Visitor { connection, key }) = visitors.recv().await {
        while desks.try_join_next().is_some() {}
        let place = Arc::clone(&lobby).try_acquire_owned();
        let (Ok(place), Some(chair)) = (place, waiting.sit(connection.remote_address().ip(), Instant::now())) else {
            connection.close(VarInt::from_u32(CODE_REFUSED), TOO_MANY);
            continue;
        };
        let (hall, seats) = (hall.clone(), Arc::clone(&seats));
        desks.spawn(async move {
            let admitted = greeted(&connection, key, &hall).await;
            // Whoever stays needs a desk, whoever does not needs nothing: both make room for the next at the door.
            drop((place, chair));
            match (admitted, seats.try_acquire_owned()) {
                (Some(person), Ok(_seat)) => serve(&connection, person, &hall).await,
                (Some(_), Err(_)) => return connection.close(VarInt::from_u32(CODE_REFUSED), TOO_MANY),
                (None, _) => tracing::debug!("a desk was not served"),
            }
            connection.close(VarInt::from_u32(0), b"");
        });
    }
}

/// A person who proved who it is.
struct Admitted {
    person: Person,
    token: Token,
    port: u16,
}

/// Hears the first word of a connection and answers it; `None` where it was not let in.
async fn greeted(connection: &Connection, key: PublicKey, hall: &Hall) -> Option<Admitted> {
    let (mut send, hello) = timeout(HELLO_MAX, first(connection)).await.ok()??;
    let token = Token::parse(&hello.token)?;
    let admitted = admit(&hall.handle, &hello.papers, key).await?;
    let (json, person) = match admitted {
        Ok((of, view)) => (serde_json::to_string(&view).ok()?, Some((Person { of, key }, view))),
        Err(refusal) => (refused_json(&refusal)?, None),
    };
    let welcome = DeskWelcome { chain: hall.chain.clone(), json }.to_bytes();
    let length = u32::try_from(welcome.len()).ok()?;
    send.write_all(&[&length.to_be_bytes()[..], &welcome].concat()).await.ok()?;
    send.finish().ok()?;
    let Some((person, view)) = person else {
        // The refusal is read there, and then that end hangs up.
        drop(timeout(GOODBYE, connection.closed()).await);
        return None;
    };
    tracing::info!(name = %view.name, delegation = %view.delegation, "a desk elsewhere is served");
    Some(Admitted { person, token, port: hello.port })
}

/// Serves one desk to its end.
async fn serve(connection: &Connection, Admitted { person, token, port }: Admitted, hall: &Hall) {
    let (stop, stopped) = watch::channel(false);
    let settings = ApiSettings { token, ..hall.settings.clone() };
    let events = hall.handle.events();
    let app = App::new(hall.handle.clone(), settings, port, stopped.clone(), Some(person));
    let pump = tokio::spawn(events::pump(app.feed(), events));
    let mut talks = JoinSet::new();
    let mut again = interval(ASK_AGAIN);
    loop {
        let opened = tokio::select! {
            opened = connection.accept_bi() => Some(opened),
            _ = again.tick() => None,
        };
        while talks.try_join_next().is_some() {}
        if opened.as_ref().is_some_and(Result::is_err) || !still(&hall.handle, person).await {
            break;
        }
        if let Some(Ok((send, recv))) = opened {
            talks.spawn(server::talk(tokio::io::join(recv, send), routes::router(&app), stopped.clone()));
        }
    }
    pump.abort();
    // Nobody listens where all talks have ended.
    let _told = stop.send(true);
    talks.shutdown().await;
}

async fn first(connection: &Connection) -> Option<(SendStream, DeskHello)> {
    let (send, mut recv) = connection.accept_bi().await.ok()?;
    Some((send, DeskHello::read(&counted(&mut recv).await?).ok()?))
}

/// Takes the papers in and asks who that is. They prove themselves; whoever brings them needs no right.
async fn admit(handle: &Handle, papers: &str, key: PublicKey) -> Option<Result<(DelegationId, PersonView), Refusal>> {
    let blocks = dearmor(papers).ok()?;
    let delegation = blocks.iter().find(|block| block.kind == ArmorKind::Delegation)?;
    let of = delegation_in(&delegation.bytes)?.id;
    let certify = Certify { objects: papers.to_owned() };
    let taken = handle.command(Command::Certify(certify)).await.ok()?;
    match handle.ask(Question::Person { of, key }).await.ok()? {
        Answer::Person(view) => Some(Ok((of, view))),
        // Why its papers were not taken says more than that they are not known.
        Answer::Refused(refusal) => Some(Err(if let Reply::Refused(why) = taken { why } else { refusal })),
        Answer::Status(_)
        | Answer::Requests(_)
        | Answer::Request(_)
        | Answer::Peers(_)
        | Answer::Digest(_)
        | Answer::Delivery(_)
        | Answer::Metrics(_)
        | Answer::Heads(_)
        | Answer::Orders(_)
        | Answer::Consignments(_)
        | Answer::Conflicts(_)
        | Answer::Stock(_)
        | Answer::Acts(_) => None,
    }
}

async fn still(handle: &Handle, Person { of, key }: Person) -> bool {
    matches!(handle.ask(Question::Person { of, key }).await, Ok(Answer::Person(_)))
}

/// As the API writes a refusal.
fn refused_json(refusal: &Refusal) -> Option<String> {
    let mut value = serde_json::to_value(refusal).ok()?;
    value.as_object_mut()?.insert("schema".to_owned(), "holdfast.error/1".into());
    Some(value.to_string())
}
