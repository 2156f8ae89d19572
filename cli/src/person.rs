//! Acting through a node as a person: `--as FOLDER --hub ADDRESS`. The daemon's program carries the node's API here; what is written
//! is signed here, with the person's key, after a look at what it says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use holdfast_proto::control::person::{hex, unhex, unhex_all};
use holdfast_proto::control::{DraftView, Signing};
use holdfast_proto::domain::{Decoded, decode_body};
use holdfast_proto::id::{EntryId, LogId};
use holdfast_proto::identity::{Act, ArmorKind, DelegationId, Realm, Roster, SecretKey};
use serde_json::{Value, json};

use crate::alliance::delegate::PERSON_KEY;
use crate::alliance::held::{blocks, read_key};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::holdfastd;

/// Who acts, and the program that carries it there.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    key: SecretKey,
    realm: Realm,
    of: DelegationId,
    /// Ends with this: its standard input closes.
    _carrier: Arc<Carrier>,
    /// Where it answers here.
    pub(crate) api: String,
    /// What opens it.
    pub(crate) token: String,
}

#[derive(Debug)]
struct Carrier(Child);

impl Drop for Carrier {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself; waiting leaves no zombie.
        drop(self.0.wait());
    }
}

/// What can be had by a delegation: the address of the API, how the node calls the wish, and which kinds of facts that wish becomes.
const WISHES: &[(&str, &[&str], &[&str])] = &[
    ("/api/v1/requests", &["request_new"], &["request"]),
    ("/api/v1/requests/update", &["request_update"], &["update"]),
    ("/api/v1/requests/cancel", &["request_cancel"], &["cancel"]),
    ("/api/v1/requests/close", &["request_close"], &["close"]),
    ("/api/v1/requests/confirm", &["request_confirm"], &["confirm"]),
    ("/api/v1/requests/unable", &["supply", "unable"], &["unable_to_fill", "decline"]),
    ("/api/v1/observe", &["observe"], &["observation"]),
    ("/api/v1/orders", &["order"], &["order"]),
    ("/api/v1/orders/judge", &["judge"], &["ratify", "countermand"]),
    ("/api/v1/commitments", &["supply", "commit"], &["commit"]),
    ("/api/v1/commitments/release", &["supply", "release"], &["release"]),
    ("/api/v1/consignments", &["supply", "consign"], &["plan_consignment"]),
    (
        "/api/v1/consignments/step",
        &["supply", "step"],
        &["load", "depart", "position", "arrive", "hand_over", "divert", "lost", "unload", "return_goods"],
    ),
    ("/api/v1/consignments/receive", &["supply", "receive"], &["receive", "refuse"]),
    (RESOLVE, &["supply", "resolve"], &["release", "divert", "unload"]),
];
/// The one wish that may become several facts.
const RESOLVE: &str = "/api/v1/conflicts/resolve";

/// How the node calls what is wished at an address, and what it may become. `None`: it can't be had by a delegation.
fn wish_of(path: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    WISHES.iter().find_map(|(known, wish, kinds)| (*known == path).then_some((*wish, *kinds)))
}

impl Person {
    /// Opens a desk at a node.
    ///
    /// # Errors
    /// Key or delegation can't be read, the node can't be reached, or does not let the person in.
    pub(crate) fn open(desk: &mut Desk<'_>, folder: &Path, hub: &str) -> Result<Self, Failure> {
        let daemon = holdfastd::find(desk)?;
        let mut command = Command::new(&daemon);
        command.arg("--desk").arg(folder).arg("--hub").arg(hub).env("HOLDFAST_EXIT_WITH_STDIN", "1");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|error| Failure::file("H-884", ("start", "啟動"), &daemon, &error))?;
        let out = child.stdout.take();
        let carrier = Arc::new(Carrier(child));
        let mut line = String::new();
        // Nothing read is told below as no JSON.
        let _read = out.map(|out| BufReader::new(out).read_line(&mut line));
        let said: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let text = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
        let (Some(api), Some(token)) = (text("api"), text("token")) else { return Err(Failure::from_answer(503, &line)) };
        let key = read_key(&folder.join(PERSON_KEY), ArmorKind::PersonKey)?;
        let papers = blocks(&folder.join("delegation.hf"))?;
        let charter = papers.iter().find(|block| block.kind == ArmorKind::Charter);
        let realm = charter.and_then(|charter| Roster::new(&charter.bytes).ok()).map(|roster| roster.realm());
        let of = said.pointer("/person/delegation").and_then(Value::as_str).and_then(|of| of.parse().ok());
        let (Some(realm), Some(of)) = (realm, of) else { return Err(Failure::from_answer(503, &line)) };
        Ok(Self { key, realm, of, _carrier: carrier, api, token })
    }

    /// What is to be asked of the node before anything is signed.
    ///
    /// # Errors
    /// It is nothing that a delegation can give.
    pub(crate) fn wish(&self, path: &str, body: Value) -> Result<Value, Failure> {
        let (wish, _) = wish_of(path).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                "H-856",
                words("That can only be done at the node itself.", "這件事只能在據點本身操作。"),
                words(
                    "A delegation is for requests, promises, convoys, observations and orders; how a node is, is that node's own word. Nothing was sent.",
                    "授權可用於需求、承諾、運送、觀察與命令；據點現況由據點自行回報。沒有送出任何資料。",
                ),
                words("Ask whoever is there.", "請聯絡在場人員。"),
            )
        })?;
        Ok(wish.iter().rev().fold(body, |wished, name| json!({ *name: wished })))
    }

    /// Signs what the node drafted, if it is what was asked for.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn sign(&self, path: &str, wished: &Value, draft: &DraftView, now_s: u64) -> Result<Signing, Failure> {
        let parts = unhex::<14>(&draft.place).zip(unhex_all(&draft.body));
        let (place, body) = parts.filter(|(_, body)| is_meant(path, wished, body)).ok_or_else(strange)?;
        let (mut log, mut number) = ([0; 10], [0; 4]);
        log.copy_from_slice(&place[..10]);
        number.copy_from_slice(&place[10..]);
        let place = EntryId { log: LogId::from_bytes(log), number: u32::from_be_bytes(number) };
        let act = Act::sign(&self.realm, &self.key, self.of, now_s, place, &body).map_err(|_| strange())?;
        Ok(Signing { at_s: now_s, facts: hex(&act.facts), signature: hex(&act.signature.0) })
    }
}

/// Whether a body says what was asked for: its kind, and one thing only but where a conflict is settled.
fn is_meant(path: &str, wished: &Value, body: &[u8]) -> bool {
    let facts = decode_body(body);
    let one = |kinds: &[&str]| {
        let fits = |decoded: &Decoded| matches!(decoded, Decoded::Fact(fact) if kinds.contains(&fact.kind().word()));
        (facts.len() == 1 || (path == RESOLVE && !facts.is_empty())) && facts.iter().all(fits)
    };
    let chosen = |name: &str, yes: &'static str, no: &'static str| {
        if wished.get(name).and_then(Value::as_bool).unwrap_or(false) { one(&[yes]) } else { one(&[no]) }
    };
    match (path, wished.get("step").and_then(Value::as_str)) {
        (_, Some("return")) => one(&["return_goods"]),
        (_, Some(step)) => one(&[step]),
        ("/api/v1/requests/unable", None) => chosen("declined", "decline", "unable_to_fill"),
        ("/api/v1/consignments/receive", None) => chosen("refuse", "refuse", "receive"),
        ("/api/v1/orders/judge", None) => chosen("ratify", "ratify", "countermand"),
        (_, None) => wish_of(path).is_some_and(|(_, kinds)| one(kinds)),
    }
}

fn strange() -> Failure {
    Failure::new(
        Exit::Refused,
        "H-860",
        words("The node asked for a signature on something else than what was wished.", "據點要求簽署的內容與您的要求不同。"),
        words("Nothing was signed or said in your name.", "沒有以您的名義簽署或送出任何內容。"),
        words("Do not use this node; tell your firm.", "請勿使用這個據點，並通知公司。"),
    )
}
