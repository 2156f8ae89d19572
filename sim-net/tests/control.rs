//! A play under control over HTTP, as a program on the same computer does it: a real process, its real port.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

const SCENARIO: &str = r#"
exercise = { id = "HTTP-1", duration = "30m", settle = "4m" }
inject = [{ at = "00:05", what = "request", as = "site:S2", data = { id = "R-1", item = "water", qty = 40 } }]
[world]
generate = { sites = 8, hubs = 1, region = "HUA", areas = 2 }
[world.defaults]
operators = { confirm = "1s..5s" }
tempo = { boards = "5m", entries = "10m" }
[[expect]]
id = "X1"
text = "All know of it"
within = "25m"
check = { every = "*", knows = "request:R-1" }
"#;
/// Longest wait for any answer.
const LIMIT: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_types, reason = "calls the API as a program does")]
type Stream = std::net::TcpStream;

/// A play that listens.
struct Playing {
    child: Child,
    out: BufReader<ChildStdout>,
    host: String,
    token: String,
}

impl Drop for Playing {
    fn drop(&mut self) {
        // Over already, if all went well.
        let _over = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn sim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_holdfast-sim"))
}

impl Playing {
    fn start(dir: &Path) -> Self {
        fs::create_dir_all(dir.join("http")).expect("the play runs and answers");
        fs::write(dir.join("http/scenario.toml"), SCENARIO).expect("the play runs and answers");
        let token = dir.join("token");
        let mut child = sim()
            .args(["play", "--seed", "7", "--api", "127.0.0.1:0", "--token-file"])
            .arg(&token)
            .arg("--out")
            .arg(dir.join("out"))
            .arg(dir.join("http"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the play runs and answers");
        let mut out = BufReader::new(child.stdout.take().expect("the play runs and answers"));
        let mut line = String::new();
        while !line.starts_with("api: http://") {
            line.clear();
            assert!(out.read_line(&mut line).expect("the play runs and answers") > 0, "it ended before it listened");
        }
        let host = line.trim_start_matches("api: http://").split(' ').next().expect("the play runs and answers").to_owned();
        Self { child, out, host, token: fs::read_to_string(token).expect("the play runs and answers").trim().to_owned() }
    }

    fn open(&self, request: &str, headers: &[String], body: &str) -> Stream {
        let mut stream = Stream::connect(&self.host).expect("the play runs and answers");
        stream.set_read_timeout(Some(LIMIT)).expect("the play runs and answers");
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(stream, "{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
            .expect("the play runs and answers");
        stream
    }

    fn raw(&self, request: &str, headers: &[String], body: &str) -> (u16, Value) {
        let mut text = String::new();
        self.open(request, headers, body).read_to_string(&mut text).expect("the play runs and answers");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}: {text}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("the play runs and answers");
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn headers(&self) -> Vec<String> {
        let token = format!("Authorization: Bearer {}", self.token);
        vec![format!("Host: {}", self.host), token, "Content-Type: application/json".to_owned()]
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.raw(&format!("GET /api/v1/{path}"), &self.headers(), "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.raw(&format!("POST /api/v1/{path}"), &self.headers(), body)
    }

    /// An order that is carried out.
    #[track_caller]
    fn order(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, &body.to_string());
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Sent somewhere, it is there.
    fn sent(&self, path: &str, to: &str, events: &mut Events) {
        self.order(path, &json!({ "to": to }));
        events.until("paused");
    }
}

/// A listener's stream.
struct Events(BufReader<Stream>);

impl Events {
    /// The next event of this name; those before it are dropped.
    fn until(&mut self, name: &str) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).expect("the play runs and answers") > 0, "the stream ended before {name}");
            if let Some(event) =
                line.strip_prefix("data: ").map(|data| serde_json::from_str::<Value>(data).expect("the play runs and answers"))
                && event["event"] == name
            {
                return event;
            }
        }
    }
}

fn record(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join("out/report.json")).expect("the play runs and answers"))
        .expect("the play runs and answers")
}

#[test]
fn a_play_over_http_is_recorded_with_all_that_was_done_and_replays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut play = Playing::start(dir.path());
    let mut stream = play.open("GET /api/v1/events", &play.headers(), "");
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut events = Events(BufReader::new(stream));

    let state = play.get("state");
    assert_eq!((&state["play"], &state["at"], &state["speed"]), (&json!("paused"), &json!("00:00"), &json!("60x")));
    play.sent("step", "inject", &mut events);
    assert_eq!(play.get("state")["injects"]["done"], 1);
    play.order("checkpoints", &json!({ "name": "asked" }));
    assert_eq!(events.until("checkpoint")["name"], "asked");
    let done = play.order("inject", &json!({ "line": "crash where=site:S3 lasts=5m" }));
    assert_eq!(done["inject"], 2);
    play.sent("go", "00:10", &mut events);
    play.order("back", &json!({ "to": "asked" }));
    assert_eq!(events.until("branch")["line"], 2);
    // Reading changes nothing of the run, whatever is asked and when.
    assert_eq!(play.get("sites")["sites"].as_array().unwrap().len(), 8);
    assert_eq!(play.get("sites?as_seen_by=S2")["as_seen_by"], "S2");
    play.order("inject", &json!({ "what": "partition", "groups": ["power_area:HUA-01"], "lasts": "4m" }));
    play.order("speed", &json!({ "speed": "100x" }));
    play.order("resume", &json!({}));
    let happened = events.until("happened");
    assert!(happened["kind"] == "inject" || happened["kind"] == "note", "{happened}");
    events.until("time");
    play.order("note", &json!({ "text": "the desk asked twice" }));
    play.order("pause", &json!({}));
    events.until("paused");
    play.order("step", &json!({ "to": "event" }));
    play.order("go", &json!({ "to": "end" }));
    let ended = events.until("ended");
    let mut said = String::new();
    play.out.read_to_string(&mut said).unwrap();
    assert!(play.child.wait().unwrap().success(), "{said}");

    let record = record(dir.path());
    assert_eq!((&record["run"]["fingerprint"], &record["run"]["line"]), (&ended["fingerprint"], &json!(2)));
    let left = &record["left"][0];
    assert_eq!((&left["nr"], &left["reached"], &left["by_hand"][0]["what"]), (&json!(1), &json!(600_000_000), &json!("crash")));
    let by_hand: Vec<&Value> = record["injects"].as_array().unwrap().iter().filter(|one| one["by_hand"] == true).collect();
    assert_eq!(by_hand.len(), 1, "{by_hand:?}");
    assert!(record["timeline"].to_string().contains("the desk asked twice"));
    let again = sim().arg("replay").arg(dir.path().join("out")).output().unwrap();
    assert!(again.status.success(), "{again:?}");
}

#[test]
fn a_real_event_over_http_ends_play_at_once_and_is_in_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut play = Playing::start(dir.path());
    play.order("speed", &json!({ "speed": "1x" }));
    play.order("resume", &json!({}));
    assert_eq!(play.order("real-event", &json!({}))["state"]["play"], "over");
    assert_eq!(play.child.wait().unwrap().code(), Some(1), "not played to its end");
    let record = record(dir.path());
    assert_eq!(
        (&record["run"]["ended_early"], &record["expectations"][0]["result"]),
        (&json!("real-event"), &json!("not_observed"))
    );
}

#[test]
fn whoever_may_not_is_refused_and_bad_orders_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let play = Playing::start(dir.path());
    play.order("step", &json!({ "to": "event" }));
    let before = play.get("state");
    let (host, json_type) = (format!("Host: {}", play.host), "Content-Type: application/json".to_owned());
    let token = |token: &str| format!("Authorization: Bearer {token}");
    let right = token(&play.token);
    let port = play.host.split(':').nth(1).unwrap();
    for (headers, status, code) in [
        (vec![host.clone(), json_type.clone()], 401, "H-601"),
        (vec![host.clone(), token(&"0".repeat(64)), json_type.clone()], 401, "H-601"),
        (vec![format!("Host: evil.example:{port}"), right.clone(), json_type.clone()], 403, "H-602"),
        (vec![host.clone(), right.clone(), json_type.clone(), "Origin: http://evil.example".to_owned()], 403, "H-603"),
        (vec![host.clone(), right.clone()], 415, "H-606"),
    ] {
        let (got, body) = play.raw("POST /api/v1/end", &headers, "{}");
        assert_eq!((got, &body["code"]), (status, &json!(code)), "{headers:?}: {body}");
    }
    for (path, body, status, code) in [
        ("inject", "{\"line\": \"crash", 400, "H-604"),
        ("inject", "[]", 400, "H-604"),
        ("inject", "{}", 422, "H-625"),
        ("inject", "{\"line\": \"explode where=site:S1\"}", 422, "H-625"),
        ("inject", "{\"what\": \"crash\", \"where\": \"site:S99\"}", 422, "H-625"),
        ("end", "{\"now\": true}", 400, "H-604"),
        ("step", "{\"to\": \"second\"}", 422, "H-622"),
        ("speed", "{\"speed\": \"-1x\"}", 422, "H-621"),
        ("back", "{\"to\": \"nowhere\"}", 404, "H-627"),
        ("frobnicate", "{}", 404, "H-607"),
        ("state", "{}", 405, "H-608"),
        ("note", &format!("{{\"text\": \"{}\"}}", "x".repeat(70_000)), 413, "H-605"),
    ] {
        let (got, answer) = play.post(path, body);
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{path} {body:.60}: {answer}");
        for part in ["what", "means", "fix"] {
            assert!(answer[part]["en"].is_string() && answer[part]["zh"].is_string(), "{answer}");
        }
    }
    assert_eq!(play.get("state"), before);
}

#[test]
fn only_this_computer_is_served_and_only_with_a_token_file_of_ones_own() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("scenario.toml"), SCENARIO).unwrap();
    let token = dir.path().join("token");
    let start = |address: &str, token: &PathBuf| {
        let output =
            sim().arg("play").arg(dir.path()).args(["--api", address, "--token-file"]).arg(token).stdin(Stdio::null()).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = start("0.0.0.0:0", &token);
    assert!(said.contains("only listen on this computer") && !token.exists(), "{said}");
    fs::write(&token, "0".repeat(64)).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
        let said = start("127.0.0.1:0", &token);
        assert!(said.contains("chmod 600"), "{said}");
    }
}
