//! The API over real sockets, with a loop that only counts and answers from fixed views.

mod access;
mod described;
mod exchange;
mod pages;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_loopback::token::Token;
use holdfast_proto::control::{Answer, Delivery, DeliveryState, Event, NodeName, Question, Reply, Saved, Which};
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::domain::refusal::{Refusal, RefusalKind, Words};
use holdfast_proto::identity::RealmKind;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::api::{ApiSettings, serve};
use crate::handle::{Ask, Desk, Handle};
use crate::public::{Board, BoardSettings};

/// Longest wait for anything in these tests.
const LIMIT: Duration = Duration::from_secs(20);

/// A running API.
struct Server {
    address: SocketAddr,
    token: Token,
    commands: Arc<AtomicUsize>,
    events: broadcast::Sender<Event>,
    stop: Option<oneshot::Sender<()>>,
    _folder: TempDir,
    served: JoinHandle<Result<(), crate::api::ServeError>>,
}

/// One answer.
#[derive(Debug)]
struct Got {
    status: u16,
    head: String,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
}

impl Server {
    async fn start() -> Self {
        Self::with(None).await
    }

    /// `refuse`: what every command and question is answered with.
    async fn with(refuse: Option<RefusalKind>) -> Self {
        let (handle, desk) = Handle::new();
        let commands = Arc::new(AtomicUsize::new(0));
        let events = desk.events.clone();
        tokio::spawn(answer_all(desk, Arc::clone(&commands), refuse));
        Self::serving(handle, commands, events).await
    }

    /// An API whose loop has ended.
    async fn without_a_loop() -> Self {
        let (handle, desk) = Handle::new();
        let events = desk.events.clone();
        drop(desk);
        Self::serving(handle, Arc::default(), events).await
    }

    async fn serving(handle: Handle, commands: Arc<AtomicUsize>, events: broadcast::Sender<Event>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let token = Token::random().expect("random");
        let (board, folder) = board(&handle);
        let settings = ApiSettings {
            token: token.clone(),
            catalogue: json!({"schema": "holdfast.catalogue/1", "items": [], "fields": [], "services": []}),
            node: NodeName { id: "1-1".to_owned(), name: "a".to_owned() },
            realm: "exercise".to_owned(),
            board,
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, handle, settings, async {
            let _ended = stopped.await;
        }));
        Self { address, token, commands, events, stop: Some(stop), _folder: folder, served }
    }

    fn commands(&self) -> usize {
        self.commands.load(Ordering::SeqCst)
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}", self.token.reveal())
    }

    fn host(&self) -> String {
        format!("Host: {}", self.address)
    }

    /// Sends a request with exactly these header lines; the connection ends with it.
    async fn raw(&self, line: &str, headers: &[&str], body: &[u8]) -> Got {
        let mut stream = self.open(line, headers, body).await;
        let mut bytes = Vec::new();
        timeout(LIMIT, stream.read_to_end(&mut bytes)).await.expect("an answer in time").expect("an answer");
        let text = String::from_utf8(bytes).expect("text");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {head}"));
        Got { status, head: head.to_owned(), body: body.to_owned() }
    }

    async fn open(&self, line: &str, headers: &[&str], body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let mut request = format!("{line} HTTP/1.1\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        // A server that refuses early may close before the body is through: the answer still counts.
        let _sent = stream.write_all(body).await;
        stream
    }

    /// A read with the token.
    async fn get(&self, path: &str) -> Got {
        self.raw(&format!("GET {path}"), &[&self.host(), &self.bearer()], b"").await
    }

    /// A write with the token.
    async fn post(&self, path: &str, body: &str) -> Got {
        let length = format!("Content-Length: {}", body.len());
        let headers = [&*self.host(), &self.bearer(), "Content-Type: application/json", &length];
        self.raw(&format!("POST {path}"), &headers, body.as_bytes()).await
    }
}

/// A board without a door, and the folder that it keeps its choice in.
fn board(handle: &Handle) -> (Board, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let node = NodeName { id: "1-1".to_owned(), name: "a".to_owned() };
    let items: Catalogue = toml::from_str(BUILT_IN).expect("the built-in catalogue");
    let (kind, at) = (RealmKind::Exercise, folder.path().to_owned());
    let settings = BoardSettings { node, kind, items: items.items, folder: at, listen: None, address: None };
    (Board::open(handle.clone(), settings).expect("nothing is hidden yet"), folder)
}

/// Reads from a stream until it holds `wanted`.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    let found = async {
        while !text.contains(wanted) {
            let read = stream.read(&mut buffer).await.expect("readable");
            assert!(read > 0, "ended before {wanted:?}: {text}");
            text.push_str(std::str::from_utf8(&buffer[..read]).expect("text"));
        }
    };
    assert!(timeout(LIMIT, found).await.is_ok(), "no {wanted:?} in time");
    text
}

async fn answer_all(mut desk: Desk, commands: Arc<AtomicUsize>, refuse: Option<RefusalKind>) {
    while let Some(ask) = desk.asks.recv().await {
        // An asker who left is none of the loop's business.
        match ask {
            Ask::Command(_, reply) => {
                commands.fetch_add(1, Ordering::SeqCst);
                let _left =
                    reply.send(refuse.map_or_else(|| Reply::Saved(Box::new(saved())), |kind| Reply::Refused(refusal(kind))));
            }
            Ask::Question(question, reply) => {
                let _left = reply.send(refuse.map_or_else(|| view(&question), |kind| Answer::Refused(refusal(kind))));
            }
        }
    }
}

fn refusal(kind: RefusalKind) -> Refusal {
    let words = |en: &str| Words { en: en.to_owned(), zh: "字".to_owned() };
    Refusal { code: "H-999".to_owned(), kind, what: words("what"), means: words("means"), fix: words("fix") }
}

fn delivery() -> Delivery {
    Delivery { state: DeliveryState::Reached, neighbours: 2, acknowledged_by: vec!["1-2".to_owned()] }
}

fn saved() -> Saved {
    let request = serde_json::from_value(request()).expect("a request");
    let id = Some("R-7Q4K2M9".to_owned());
    Saved {
        schema: "holdfast.request/1".to_owned(),
        id,
        already: false,
        delivery: delivery(),
        request: Some(request),
        ticket: "t1".to_owned(),
    }
}

fn person() -> Value {
    json!({"name": "Lin", "delegated_by": "One", "delegation": "1/3"})
}

/// Every property set, so that the description is held against all of them.
fn request() -> Value {
    let node = json!({"id": "1-1", "name": "a"});
    json!({
        "request": "R-7Q4K2M9", "consignee": node, "requested_by": node, "to": node, "version": 2, "priority": "urgent", "status": "acknowledged",
        "lines": [{"item": "other", "text": "soap", "unit": "H87", "requested": 40, "committed": 1, "in_transit": 1, "accepted": 1,
            "rejected": 1, "damaged": 1, "missing": 1}], "note": "back door", "commitments": [promise()], "unable": [node], "needed_by": 1, "asked_at": 1,
        "desk": "d", "flags": ["late_facts"], "acknowledged_by": [node], "person": person(),
        "history": [{"act": "request", "by": node, "person": person(), "version": 1, "at": 1, "desk": "d", "reason": "r", "flagged": "f"}],
    })
}

/// Goods in every stage there is.
fn goods() -> Value {
    json!([{"item": "other", "text": "soap", "unit": "H87", "quantity": 9, "committed": 1, "in_transit": 1, "accepted": 1, "rejected": 1,
        "damaged": 1, "missing": 1, "released": 1, "diverted": 1}])
}

fn promise() -> Value {
    let node = json!({"id": "1-2", "name": "b"});
    json!({
        "commitment": "P-7Q4K2M9", "request": "R-7Q4K2M9", "supplier": node, "status": "departed", "lines": goods(),
        "consignments": ["V-7Q4K2M9"], "arrival": 1, "flags": ["overloaded"], "note": "n", "at": 1,
        "history": [{"act": "commit", "by": node, "version": 1, "at": 1, "goods": goods()}],
    })
}

fn consignment() -> Value {
    let node = json!({"id": "1-2", "name": "b"});
    json!({
        "consignment": "V-7Q4K2M9", "sender": node, "carrier": node, "to": node, "status": "handed_over", "lines": goods(),
        "commitments": ["P-7Q4K2M9"], "requests": ["R-7Q4K2M9"], "position": "bridge", "arrival": 1, "flags": ["unconfirmed_delivery"],
        "note": "n", "history": [
            {"act": "divert", "by": node, "version": 0, "at": 1, "to": node},
            {"act": "position", "by": node, "version": 0, "at": 1, "place": "bridge"},
        ],
    })
}

fn conflicts() -> Value {
    let node = json!({"id": "1-2", "name": "b"});
    json!({"schema": "holdfast.conflicts/1", "conflicts": [{
        "conflict": "C1-7Q4K2M9", "kind": "over_covered", "about": "R-7Q4K2M9", "consignee": node,
        "parts": [{"item": "water", "supplier": node, "commitment": "P-7Q4K2M9", "consignment": "V-7Q4K2M9", "held": "loaded", "kept": 30,
            "surplus": 10}],
        "proposals": [
            {"by": node, "what": "release", "of": "P-7Q4K2M9", "item": "water", "quantity": 10},
            {"by": node, "what": "divert", "of": "V-7Q4K2M9", "to": "R-7Q4K2MA"},
        ],
    }]})
}

fn status() -> Value {
    let reading = json!({"value": "open", "unit": "LTR", "observed_at": 1, "age_s": 3, "valid_s": 60, "stale": false, "basis": "sensor", "derived": true});
    let seen = json!({"by": {"id": "1-2", "name": "b"}, "person": person(), "desk": "d", "note": "n", "readings": {"power.source": reading}, "age_s": null});
    json!({
        "schema": "holdfast.status/1", "node": {"id": "1-1", "name": "a"}, "realm": "exercise", "digest": "00", "requests_open": 1,
        "conflicts": 0, "neighbours": 2, "warnings": [{"code": "H-402", "en": "clock", "zh": "時間"}],
        "nodes": [{
            "id": "1-1", "name": "a", "role": "store", "tier": 2, "firm": "f", "region": "r", "operating_status": "unknown", "was": "open",
            "unknown_because": "stale", "age_s": 3, "reachable": true, "via": "quic", "readings": {"operating.status": reading},
            "observations": [seen], "forked": true, "revoked": "stolen",
        }],
    })
}

/// What the loop answers.
fn view(question: &Question) -> Answer {
    fn of<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).expect("the view fits its type")
    }
    match question {
        Question::Status => Answer::Status(of(status())),
        Question::Requests(Which::Open) => Answer::Requests(of(json!({"schema": "holdfast.requests/1", "requests": []}))),
        Question::Requests(Which::All) => Answer::Requests(of(json!({"schema": "holdfast.requests/1", "requests": [request()]}))),
        Question::Request(_) => Answer::Request(Box::new(of(request()))),
        Question::Peers => Answer::Peers(of(json!({"schema": "holdfast.peers/1", "peers": [{
            "id": "1-2", "name": "b", "addresses": ["127.0.0.1:1"], "links": ["quic"], "state": "up", "retry_s": 1, "last_error": "e",
            "last_error_zh": "錯", "clock_skew_s": -1, "in_step": true,
        }]}))),
        Question::Digest => Answer::Digest(of(json!({
            "schema": "holdfast.digest/1", "digest": "00", "converged": true, "neighbours": 2, "entries": 1, "boards": 1, "holes": 0,
        }))),
        Question::Delivery(_) => Answer::Delivery(delivery()),
        Question::Heads(_) => Answer::Heads(of(json!({
            "schema": "holdfast.heads/1", "realm": "00", "node": {"id": "1-1", "name": "a"}, "generation": [1, 0],
            "logbooks": [{"incarnation": [1, 7], "number": 9, "hash": "00", "beyond": 0}],
        }))),
        Question::Orders => Answer::Orders(of(json!({
            "schema": "holdfast.orders/1", "followed": "O-7Q4K2M9",
            "orders": [{"order": "O-7Q4K2M9", "act": "order", "by": {"id": "1-2", "name": "Hub"}, "person": person(), "mode": "resilience",
                "regions": ["HUA"], "acting_for": {"id": "9-1", "name": "EOC"}, "last_heard_s": 8_000, "reason": "typhoon",
                "state": "ratified", "judged_by": "O-7Q4K2MA"}],
            "scopes": [{"principal": {"id": "9-1", "name": "EOC"}, "deputies": [{"id": "1-2", "name": "Hub"}], "after_s": 7_200}],
        }))),
        Question::Consignments(Which::Open) => {
            Answer::Consignments(of(json!({"schema": "holdfast.consignments/1", "consignments": []})))
        }
        Question::Consignments(Which::All) => {
            Answer::Consignments(of(json!({"schema": "holdfast.consignments/1", "consignments": [consignment()]})))
        }
        Question::Conflicts => Answer::Conflicts(of(conflicts())),
        Question::Stock => Answer::Stock(of(json!({
            "schema": "holdfast.stock/1", "node": {"id": "1-1", "name": "a"},
            "items": [{"item": "water", "unit": "LTR", "on_hand": 120, "floor": 20, "promised": 110, "available": 0, "short": 10,
                "holds": [{"by": "P-7Q4K2M9", "quantity": 110}]}],
        }))),
        Question::Person { .. } => unreachable!("asked by desks alone"),
        Question::Acts(_) => Answer::Acts(of(json!({
            "schema": "holdfast.acts/1", "delegation": "1/3", "last": [{"node": {"id": "1-1", "name": "a"}, "log": "00", "number": 9}],
        }))),
        Question::Metrics => Answer::Metrics(BTreeMap::from([("entries_total".to_owned(), 7)])),
    }
}
