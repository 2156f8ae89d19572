//! A caller of the daemon's API, with its token, and a raw one for requests no proper client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use holdfast_proto::control::{Delivery, DigestView, PeersView, RequestView, RequestsView, Saved, StatusView};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Longest wait for one answer: a slow disk under load included.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Whole body.
    pub body: String,
}

impl Answered {
    /// The body as JSON; `null` if it isn't.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The body read as `T`, if the status is 2xx.
    ///
    /// # Errors
    /// The whole answer as text.
    pub fn into<T: DeserializeOwned>(self) -> Result<T, String> {
        if !(200..300).contains(&self.status) {
            return Err(format!("HTTP {}: {}", self.status, self.body));
        }
        serde_json::from_str(&self.body).map_err(|e| format!("{e} in {}", self.body))
    }
}

/// One daemon's API.
#[derive(Clone, Debug)]
pub struct Api {
    base: String,
    token: String,
    agent: ureq::Agent,
}

impl Api {
    /// The API at `127.0.0.1:port`.
    #[must_use]
    pub fn new(port: u16, token: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_MAX)).build();
        Self { base: format!("http://127.0.0.1:{port}"), token: token.trim().to_owned(), agent: config.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The token it sends.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The same API, called with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Any GET.
    ///
    /// # Errors
    /// If no answer came.
    pub fn get(&self, path: &str) -> Result<Answered, String> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("Authorization", format!("Bearer {}", self.token));
        answered(request.call())
    }

    /// Any POST of JSON.
    ///
    /// # Errors
    /// If no answer came; then nothing is known of the write.
    pub fn post(&self, path: &str, body: &Value) -> Result<Answered, String> {
        self.post_text(path, &body.to_string())
    }

    /// A POST of anything.
    ///
    /// # Errors
    /// If no answer came.
    pub fn post_text(&self, path: &str, body: &str) -> Result<Answered, String> {
        let request = self.agent.post(format!("{}{path}", self.base)).header("Authorization", format!("Bearer {}", self.token));
        answered(request.content_type("application/json").send(body))
    }

    /// Everyone's board.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn status(&self) -> Result<StatusView, String> {
        self.get("/api/v1/status")?.into()
    }

    /// All requests.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn requests(&self) -> Result<RequestsView, String> {
        self.get("/api/v1/requests")?.into()
    }

    /// One request.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn request(&self, id: &str) -> Result<RequestView, String> {
        self.get(&format!("/api/v1/requests/{id}"))?.into()
    }

    /// Whom it can reach.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn peers(&self) -> Result<PeersView, String> {
        self.get("/api/v1/peers")?.into()
    }

    /// One hash of the state.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn digest(&self) -> Result<DigestView, String> {
        self.get("/api/v1/digest")?.into()
    }

    /// How far a write got.
    ///
    /// # Errors
    /// The answer, or why there is none.
    pub fn delivery(&self, ticket: &str) -> Result<Delivery, String> {
        self.get(&format!("/api/v1/delivery/{ticket}"))?.into()
    }

    /// Readings of this node, as typed.
    ///
    /// # Errors
    /// The refusal, or why there is no answer.
    pub fn report(&self, values: &[(&str, &str)]) -> Result<Saved, String> {
        let values: serde_json::Map<String, Value> = values.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
        self.post("/api/v1/report", &json!({ "values": values }))?.into()
    }

    /// A new request for one item, with a note to find it by.
    ///
    /// # Errors
    /// The refusal, or why there is no answer.
    pub fn ask_for(&self, item: &str, note: &str, key: Option<&str>) -> Result<Saved, String> {
        self.post("/api/v1/requests", &json!({ "items": [item], "note": note, "key": key }))?.into()
    }

    /// Cuts this node off from `nodes`, both ways on its side.
    ///
    /// # Errors
    /// The refusal, or why there is no answer.
    pub fn cut(&self, nodes: &[holdfast_proto::id::NodeId]) -> Result<Answered, String> {
        let answer = self.post("/api/v1/fault", &json!({ "cut": { "nodes": nodes } }))?;
        if answer.status == 200 { Ok(answer) } else { Err(format!("HTTP {}: {}", answer.status, answer.body)) }
    }

    /// Ends all cuts of this node.
    ///
    /// # Errors
    /// The refusal, or why there is no answer.
    pub fn heal(&self) -> Result<Answered, String> {
        let answer = self.post("/api/v1/fault", &json!("heal"))?;
        if answer.status == 200 { Ok(answer) } else { Err(format!("HTTP {}: {}", answer.status, answer.body)) }
    }
}

fn answered(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answered, String> {
    let mut response = result.map_err(|e| e.to_string())?;
    let status = response.status().as_u16();
    let body = response.body_mut().read_to_string().map_err(|e| e.to_string())?;
    Ok(Answered { status, body })
}

/// Sends bytes to `127.0.0.1:port` and gives back all that comes until the other side closes or falls silent.
///
/// # Errors
/// If there is no connection.
pub fn raw(port: u16, bytes: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(bytes)?;
    let (mut answer, mut block) = (Vec::new(), [0; 4_096]);
    while let Ok(n) = stream.read(&mut block) {
        if n == 0 {
            break;
        }
        answer.extend_from_slice(&block[..n]);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
