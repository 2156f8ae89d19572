//! The board over real sockets and as text, with a loop that answers from a view made by hand.

mod data;
mod door;
mod hidden;
mod pages;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use holdfast_proto::control::{Answer, NodeName};
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::identity::RealmKind;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Board, BoardSettings, Limits, serve};
use crate::handle::{Ask, Handle};

/// Longest wait for anything in these tests.
const LIMIT: Duration = Duration::from_secs(20);

/// A reading of so many seconds' age.
pub(super) fn reading(value: &str, age_s: u64) -> Value {
    json!({"value": value, "age_s": age_s, "valid_s": 21_600, "stale": false, "basis": "self_reported"})
}

/// A site with these readings.
pub(super) fn node(id: &str, name: &str, region: &str, readings: &Value) -> Value {
    json!({
        "id": id, "name": name, "role": "store", "tier": 1, "firm": "Example Mart", "region": region, "operating_status": "open",
        "age_s": 5, "reachable": true, "via": "192.0.2.77:4401", "readings": readings,
    })
}

/// What is never public stands in here too.
pub(super) fn own() -> Value {
    let mut own = node(
        "1-1",
        "復興店",
        "TPE",
        &json!({
            "operating.status": reading("open", 120),
            "message.public": reading("每人限領 2 瓶，10:00 發號碼牌", 300),
            "message.staff": reading("王小明 0912-345-678 on call", 10),
            "access.status": reading("normal", 200),
            "power.source": reading("generator", 4_000),
            "stock.water": reading("low", 60),
            "stock.rice": reading("plenty", 4_200),
            "stock.bread": reading("none", 60),
            "stock.batteries_aa": reading("plenty", 15_000),
            "service.charging": reading("adequate", 60),
            "service.toilet": reading("not_offered", 60),
            "stock.water.count": {"value": 4711, "unit": "LTR", "age_s": 5, "valid_s": 21_600, "stale": false, "basis": "sensor"},
            "stock.water.floor": {"value": 815, "unit": "LTR", "age_s": 5, "valid_s": 21_600, "stale": false, "basis": "sensor"},
            "capacity.people": {"value": 1234, "unit": "C62", "age_s": 5, "valid_s": 21_600, "stale": false, "basis": "sensor"},
            "power.hours": {"value": 77, "unit": "HUR", "age_s": 5, "valid_s": 21_600, "stale": false, "basis": "inferred", "derived": true},
        }),
    );
    let seen = json!({"by": {"id": "1-2", "name": "Hub"}, "desk": "陳大文", "note": "said a runner", "readings": {}, "age_s": 9});
    own["observations"] = json!([seen]);
    own["mode"] = json!({"mode": "resilience", "cause": "staff", "reason": "no mains", "desk": "陳大文"});
    own
}

pub(super) fn status(nodes: &[Value]) -> Value {
    json!({
        "schema": "holdfast.status/1", "node": {"id": "1-1", "name": "復興店"}, "realm": "exercise", "digest": "00", "requests_open": 3,
        "conflicts": 0, "neighbours": 2, "warnings": [{"code": "H-402", "en": "clock", "zh": "時間"}], "nodes": nodes,
    })
}

/// Knows no node but what it is given, and counts how often it is asked.
pub(super) struct House {
    pub(super) board: Board,
    pub(super) asked: Arc<AtomicUsize>,
    pub(super) folder: TempDir,
}

impl House {
    pub(super) fn of(nodes: &[Value], kind: RealmKind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (board, asked) = board_in(folder.path(), nodes, kind);
        Self { board, asked, folder }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Any file of the board.
    pub(super) async fn file(&self, name: &str) -> String {
        self.board.file(name).await.expect("the node answers").unwrap_or_else(|| panic!("no {name}"))
    }
}

pub(super) fn board_in(folder: &std::path::Path, nodes: &[Value], kind: RealmKind) -> (Board, Arc<AtomicUsize>) {
    let (handle, mut desk) = Handle::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let (view, count) = (status(nodes), Arc::clone(&asked));
    tokio::spawn(async move {
        while let Some(ask) = desk.asks.recv().await {
            let Ask::Question(_, reply) = ask else { panic!("the board only asks") };
            count.fetch_add(1, Ordering::SeqCst);
            let _left = reply.send(Answer::Status(serde_json::from_value(view.clone()).expect("a status")));
        }
    });
    let items: Catalogue = toml::from_str(BUILT_IN).expect("the built-in catalogue");
    let node = NodeName { id: "1-1".to_owned(), name: "復興店".to_owned() };
    let (folder, address) = (folder.to_owned(), Some("http://board.example:8080/".to_owned()));
    let settings = BoardSettings { node, kind, items: items.items, folder, listen: None, address };
    (Board::open(handle, settings).expect("what is hidden can be read"), asked)
}

/// A board with its door open.
pub(super) struct Door {
    pub(super) house: House,
    pub(super) address: SocketAddr,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) bytes: Vec<u8>,
}

impl Got {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }
}

impl Door {
    pub(super) async fn open(nodes: &[Value], limits: Limits) -> Self {
        let house = House::of(nodes, RealmKind::Exercise);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(serve(listener, house.board.clone(), limits, std::future::pending()));
        Self { house, address }
    }

    /// Sends exactly these lines and reads until the other side closes.
    pub(super) async fn raw(&self, lines: &[&str]) -> Got {
        let mut stream = TcpStream::connect(self.address).await.expect("connected");
        let request = format!("{}\r\n\r\n", lines.join("\r\n"));
        // A door that refuses early may close before all is through: the answer still counts.
        let _sent = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let _reset = timeout(LIMIT, stream.read_to_end(&mut bytes)).await.expect("an answer in time");
        let cut = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..cut]).into_owned();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Got { status, head, bytes: bytes.get(cut + 4..).unwrap_or_default().to_vec() }
    }

    /// A GET as a phone sends it.
    pub(super) async fn get(&self, path: &str) -> Got {
        self.raw(&[&format!("GET {path} HTTP/1.1"), &format!("Host: {}", self.address), "Accept-Language: zh-TW"]).await
    }
}
