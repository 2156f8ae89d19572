//! Whole command lines against a made-up daemon: what is sent, what is printed, with which exit code.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::*;

mod moved;
mod told;
mod walked;

/// One request as the made-up daemon heard it.
#[derive(Debug)]
struct Heard {
    line: String,
    token: Option<String>,
    body: Value,
}

/// A daemon that answers by a rule: `METHOD PATH` to status and body.
struct Fake {
    dir: tempfile::TempDir,
    api: String,
    heard: Receiver<Heard>,
}

type Rule = fn(&str) -> (u16, Value);

impl Fake {
    fn new(rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("token"), "abc\n").unwrap();
        let (tx, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(heard) = serve(&stream, rule) {
                    drop(tx.send(heard));
                }
            }
        });
        Self { dir, api, heard }
    }

    fn token_file(&self) -> PathBuf {
        self.dir.path().join("token")
    }
}

fn serve(stream: &TcpStream, rule: Rule) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (mut token, mut length) = (None, 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "authorization" => token = Some(value.trim().to_owned()),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let (status, answer) = rule(&asked);
    let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .ok()?;
    Some(Heard { line: asked, token, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// What a command line did.
#[derive(Debug)]
struct Did {
    code: u8,
    out: String,
    err: String,
}

fn typed(words: &[&str], env: &[(&str, String)]) -> Did {
    let mut out = Vec::new();
    let did = typed_into(words, env, &mut out);
    Did { out: String::from_utf8(out).unwrap(), ..did }
}

fn typed_into(words: &[&str], env: &[(&str, String)], out: &mut dyn Write) -> Did {
    let look = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let mut err = Vec::new();
    let now = "2026-11-23T10:00:00+08:00[Asia/Taipei]".parse().unwrap();
    let mut input = std::io::empty();
    let world = Surroundings { env: &look, out, err: &mut err, input: &mut input, terminal: false, width: None, now };
    let line = std::iter::once("holdfast").chain(words.iter().copied()).map(OsString::from).collect();
    let code = run(line, world).code();
    Did { code, out: String::new(), err: String::from_utf8(err).unwrap() }
}

fn env_of(fake: &Fake) -> [(&'static str, String); 2] {
    [("HOLDFAST_API", fake.api.clone()), ("HOLDFAST_TOKEN_FILE", fake.token_file().display().to_string())]
}

fn at(fake: &Fake, words: &str) -> Did {
    let words: Vec<&str> = words.split_whitespace().collect();
    typed(&words, &env_of(fake))
}

fn refusal(kind: &str) -> Value {
    json!({"schema": "holdfast.error/1", "code": "H-113", "kind": kind, "what": {"en": "unknown item", "zh": "沒有這個品項"},
        "means": {"en": "nothing changed", "zh": "沒有更改"}, "fix": {"en": "rice, water", "zh": "米、水"}})
}

fn status() -> Value {
    json!({"schema": "holdfast.status/1", "node": {"id": "1-1", "name": "甲店"}, "realm": "simulation", "digest": "00ff",
        "requests_open": 1, "conflicts": 0, "neighbours": 2, "warnings": [{"code": "H-204", "en": "alone", "zh": "孤立"}],
        "nodes": [
            {"id": "1-1", "name": "甲店", "role": "store", "tier": 1, "firm": "F", "region": "TPE", "operating_status": "open",
             "age_s": 5, "reachable": true, "readings": {
                "stock.water": {"value": "low", "age_s": 5, "valid_s": 60, "stale": false, "basis": "self_reported"},
                "stock.water.count": {"value": 120, "unit": "LTR", "age_s": 5, "valid_s": 60, "stale": false, "basis": "self_reported"},
                "stock.rice.count": {"value": 30, "unit": "KGM", "age_s": 5, "valid_s": 60, "stale": false, "basis": "self_reported"},
                "power.source": {"value": "generator", "age_s": 5, "valid_s": 60, "stale": false, "basis": "self_reported"}}},
            {"id": "1-3", "name": "evil\u{1b}[2J", "role": "store", "tier": 1, "firm": "F", "region": "TPE",
             "operating_status": "unknown", "was": "open", "unknown_because": "stale", "age_s": 9000, "reachable": false, "readings": {}},
            {"id": "1-4", "name": "silent", "role": "store", "tier": 1, "firm": "F", "region": "TPE",
             "operating_status": "unknown", "unknown_because": "never_said", "age_s": 2, "reachable": true, "readings": {}}]})
}

fn requests() -> Value {
    let request = request("submitted");
    json!({"schema": "holdfast.requests/1", "requests": [request]})
}

fn request(status: &str) -> Value {
    json!({"request": "R-7Q4KABC", "consignee": {"id": "1-1", "name": "甲店"}, "requested_by": {"id": "1-1", "name": "甲店"},
        "version": 1, "priority": "urgent", "status": status, "lines": [{"item": "water", "unit": "LTR", "requested": 40}],
        "flags": [], "acknowledged_by": [], "history": [{"act": "request", "by": {"id": "1-1", "name": "甲店"}, "version": 1, "at": 1_795_000_000_000_i64}]})
}

fn catalogue() -> Value {
    let item = |code, en, zh, unit| json!({"code": code, "en": en, "zh": zh, "unit": unit, "group": "food"});
    let items = [item("water", "Drinking water", "飲用水", "LTR"), item("rice", "Rice", "白米", "KGM")];
    json!({"schema": "holdfast.catalogue/1", "items": items, "fields": [], "services": []})
}

fn saved(state: &str) -> Value {
    json!({"schema": "holdfast.request/1", "id": "R-7Q4KABC", "already": false, "ticket": "e:1-1#5",
        "delivery": {"state": state, "neighbours": 0, "acknowledged_by": []}})
}

fn rule(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/status" => (200, status()),
        "GET /api/v1/requests" => (200, requests()),
        "GET /api/v1/catalogue" => (200, catalogue()),
        "GET /api/v1/requests/R-7Q4KABC" => (200, request("submitted")),
        "GET /api/v1/digest" => (
            200,
            json!({"schema": "holdfast.digest/1", "digest": "00ff", "converged": false, "neighbours": 2, "entries": 1, "boards": 1, "holes": 0}),
        ),
        "GET /api/v1/peers" => (
            200,
            json!({"schema": "holdfast.peers/1", "peers": [{"id": "1-2", "name": "乙倉", "addresses": ["127.0.0.1:1"],
            "links": ["quic"], "state": "up", "clock_skew_s": 1, "in_step": true}]}),
        ),
        "GET /api/v1/delivery/e%3A1-1%235" => (200, json!({"state": "reached", "neighbours": 2, "acknowledged_by": []})),
        "POST /api/v1/report" | "POST /api/v1/requests" => (200, saved("saved_here")),
        "POST /api/v1/observe" => (403, refusal("rights")),
        "POST /api/v1/requests/cancel" => (404, refusal("not_found")),
        "POST /api/v1/requests/close" => (422, refusal("usage")),
        "POST /api/v1/requests/confirm" => (503, refusal("unable")),
        "GET /api/v1/events" => (
            200,
            json!(
                ": hello\n\nid: 1\nevent: board\ndata: {\"event\":\"board\",\"node\":\"1-2\",\"version\":7}\n\n\
            id: 2\nevent: fault\ndata: {\"event\":\"fault\",\"what\":\"cut\\u001b\"}\n\n"
            ),
        ),
        "GET /readyz" => (200, json!("ready")),
        _ => (404, refusal("not_found")),
    }
}

fn nobody_has_it(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/delivery/e%3A1-1%235" => (200, json!({"state": "saved_here", "neighbours": 0, "acknowledged_by": []})),
        _ => rule(asked),
    }
}

#[test]
fn each_refusal_ends_with_its_exit_code_and_is_told_whole() {
    let fake = Fake::new(rule);
    for (line, code) in [
        ("observe 1-2 status=closed", 5),
        ("request cancel R-7Q4KABC", 4),
        ("request close R-7Q4KABC", 2),
        ("request confirm R-7Q4KABC", 1),
        ("request show R-0000000", 4),
    ] {
        let did = at(&fake, line);
        assert_eq!(did.code, code, "{line}: {did:?}");
        assert!(did.err.contains("unknown item") && did.err.contains("rice, water") && did.err.contains("H-113"), "{did:?}");
        assert!(did.out.is_empty(), "{did:?}");
        let did = at(&fake, &format!("{line} --json"));
        let object: Value = serde_json::from_str(&did.err).unwrap();
        assert_eq!(object["schema"], "holdfast.error/1");
        assert_eq!(object["exit"], code);
    }
    assert!(at(&fake, "observe 1-2 status=closed --lang zh-TW").err.contains("沒有這個品項"));
}

#[test]
fn nobody_at_the_address_is_exit_three() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "x").unwrap();
    let did = typed(&["--api", &format!("http://{free}"), "--token-file", &token.display().to_string(), "status"], &[]);
    assert_eq!(did.code, 3, "{did:?}");
    let state = dir.path().join("state").display().to_string();
    let did = typed(&["status"], &[("XDG_STATE_HOME", state)]);
    assert_eq!(did.code, 3, "{did:?}");
    assert!(did.err.contains("holdfast demo"));
    let did = typed(&["--demo-node", "a", "--dir", &dir.path().display().to_string(), "status"], &[]);
    assert_eq!(did.code, 3, "{did:?}");
}

#[test]
fn a_write_is_followed_to_its_first_neighbour() {
    let fake = Fake::new(rule);
    let did = at(&fake, "request new --item water:40 --priority urgent --needed-by 6h --at 20m --desk 1F --key K --json");
    assert_eq!(did.code, 0, "{did:?}");
    let object: Value = serde_json::from_str(&did.out).unwrap();
    assert_eq!(object["schema"], "holdfast.request/1");
    assert_eq!(object["id"], "R-7Q4KABC");
    assert_eq!(object["delivery"]["state"], "reached");
    let heard = fake.heard.recv().unwrap();
    assert_eq!(heard.line, "POST /api/v1/requests");
    assert_eq!(heard.token.as_deref(), Some("Bearer abc"));
    let now = "2026-11-23T02:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(heard.body["needed_by"], now + 6 * 3_600_000);
    assert_eq!(heard.body["act"]["at"], now - 20 * 60_000);
    assert_eq!(heard.body["act"]["desk"], "1F");
    assert_eq!(heard.body["items"], json!(["water:40"]));
    let typed: holdfast_proto::control::RequestNew = serde_json::from_value(heard.body).unwrap();
    assert_eq!(typed.key.as_deref(), Some("K"));
}

/// The hub has it before the first look.
fn received_at_once(asked: &str) -> (u16, Value) {
    match asked {
        "POST /api/v1/requests" => {
            let mut answer = saved("saved_here");
            answer.as_object_mut().unwrap().extend(request("submitted").as_object().unwrap().clone());
            (200, answer)
        }
        "GET /api/v1/requests/R-7Q4KABC" => (200, request("acknowledged")),
        "GET /api/v1/delivery/e%3A1-1%235" => (200, json!({"state": "received", "neighbours": 1, "acknowledged_by": ["乙倉"]})),
        other => rule(other),
    }
}

#[test]
fn what_a_request_reads_and_how_far_it_got_are_of_one_moment() {
    let fake = Fake::new(received_at_once);
    let did = at(&fake, "request new --item water:40 --json");
    let object: Value = serde_json::from_str(&did.out).unwrap();
    assert_eq!((did.code, &object["status"], &object["delivery"]["state"]), (0, &json!("acknowledged"), &json!("received")));
    assert_eq!(
        (&object["schema"], &object["id"], &object["ticket"]),
        (&json!("holdfast.request/1"), &json!("R-7Q4KABC"), &json!("e:1-1#5"))
    );
}

#[test]
fn a_state_no_write_can_reach_yet_can_not_be_waited_for() {
    let did = typed(&["wait", "delivered", "e:1-1#5", "--state", "acted-on"], &[]);
    assert_eq!(did.code, 2, "{did:?}");
    assert!(did.err.contains("reached, received") && did.err.contains("H-820"), "{did:?}");
}

#[test]
fn saved_here_but_with_no_neighbour_is_exit_six() {
    let fake = Fake::new(nobody_has_it);
    let did = at(&fake, "report status open");
    assert_eq!(did.code, 6, "{did:?}");
    assert!(did.out.contains("Saved here, not sent yet"), "{did:?}");
    assert!(at(&fake, "report stock water=120 --lang zh-TW").out.contains("已存在本機，尚未送出"));
    let heard = fake.heard.recv().unwrap();
    assert_eq!(heard.body["values"], json!({"operating.status": "open"}));
}

#[test]
fn a_wait_that_runs_out_is_exit_seven_and_says_how_far_it_got() {
    let fake = Fake::new(nobody_has_it);
    for line in [
        "wait converged --timeout 1s",
        "wait delivered e:1-1#5 --timeout 1s",
        "wait request R-7Q4KABC --state closed --timeout 1s",
    ] {
        let did = at(&fake, line);
        assert_eq!(did.code, 7, "{line}: {did:?}");
        assert!(did.err.contains("H-841"), "{did:?}");
    }
    let fake = Fake::new(rule);
    assert_eq!(at(&fake, "wait delivered e:1-1#5 --timeout 1s").code, 0);
    assert_eq!(at(&fake, "wait request R-7Q4KABC --timeout 1s").code, 0);
}

#[test]
fn status_is_told_in_both_languages_without_an_escape() {
    let fake = Fake::new(rule);
    let did = at(&fake, "status");
    assert_eq!(did.code, 0, "{did:?}");
    for part in [
        "甲店",
        "open",
        "Rice 30 kg, Drinking water low 120 L",
        "generator",
        "unknown (was open)",
        "R-7Q4KABC",
        "alone (H-204)",
        "09:59 (5 s ago)",
    ] {
        assert!(did.out.contains(part), "{part}: {}", did.out);
    }
    let silent = did.out.lines().find(|line| line.contains("silent")).unwrap();
    assert!(silent.contains("never said") && !silent.contains("ago"), "an empty board has no age to tell: {silent}");
    let zh = at(&fake, "status --lang zh-TW").out;
    assert!(!did.out.contains(".count") && !zh.contains(".count"), "{}", did.out);
    for part in ["開放", "白米 30 公斤、飲用水 偏少 120 公升", "發電機", "狀況不明（原為開放）", "速件", "孤立"]
    {
        assert!(zh.contains(part), "{part}: {zh}");
    }
    for line in ["status", "status --lang zh-TW", "status --json", "peers", "request list", "request show R-7Q4KABC"] {
        let did = at(&fake, line);
        assert!(!did.out.contains('\u{1b}') && !did.err.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn json_is_the_daemons_object_as_it_came() {
    let fake = Fake::new(rule);
    let object: Value = serde_json::from_str(&at(&fake, "status --json").out).unwrap();
    assert_eq!(object, status());
    let object: Value = serde_json::from_str(&at(&fake, "request list --json").out).unwrap();
    assert_eq!(object, requests());
    for line in ["request show R-7Q4KABC", "peers", "digest", "version", "config show", "config path", "doctor"] {
        let did = at(&fake, &format!("{line} --json"));
        let object: Value = serde_json::from_str(&did.out).unwrap_or_else(|error| panic!("{line}: {error} {did:?}"));
        assert!(object["schema"].as_str().is_some_and(|schema| schema.starts_with("holdfast.")), "{line}: {object}");
    }
    assert_eq!(at(&fake, "digest").out, "00ff\n");
}

/// A reader that leaves after some lines, as `head` does.
struct Head {
    lines: usize,
    read: Vec<u8>,
}

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.read.iter().filter(|byte| **byte == b'\n').count() >= self.lines {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.read.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn watch_prints_a_line_per_change_and_waits_for_a_daemon_that_ends() {
    // This daemon hangs up after two events.
    let fake = Fake::new(rule);
    let watched = |words: &[&str]| {
        let mut out = Head { lines: 5, read: Vec::new() };
        let did = typed_into(words, &env_of(&fake), &mut out);
        assert_eq!(did.code, 0, "{did:?}");
        String::from_utf8(out.read).unwrap()
    };
    let out = watched(&["watch"]);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].ends_with("1-2 said how it is (v7)") && lines[4].ends_with("1-2 said how it is (v7)"), "{out}");
    assert!(lines[2].contains("the daemon has ended") && lines[3].contains("the daemon is back"), "{out}");
    let out = watched(&["watch", "--json"]);
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["schema"] == "holdfast.event/1"), "{out}");
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!(names, ["board", "fault", "daemon_lost", "daemon_back", "board"]);
    assert!(!out.contains('\u{1b}'));
}

#[test]
fn help_manual_and_completions_are_there() {
    let help = typed(&["--help"], &[]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("6 saved here, not yet delivered"), "{}", help.out);
    let man = typed(&["man"], &[]);
    assert!(man.out.contains(".TH") && man.out.contains("HOLDFAST REPORT POWER"), "{}", man.out);
    for shell in ["bash", "zsh", "fish"] {
        assert!(typed(&["completions", shell], &[]).out.contains("holdfast"), "{shell}");
    }
    for (line, part) in [
        ("report power --help", "fuel-litres"),
        ("report power --help", "Readings: utility, source"),
        ("report status --help", "Whether the site is running"),
        ("request new --help", "Ask for supplies"),
        ("observe --help", "what somebody saw"),
        ("demo --help", "practice alliance"),
        ("wait --help", "Wait until something is so"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let help = typed(&words, &[]).out;
        assert!(help.contains(part), "{line}: {help}");
    }
}

#[test]
fn wrong_usage_is_exit_two_and_an_object_where_json_is_wanted() {
    let did = typed(&["requst", "--json"], &[]);
    assert_eq!(did.code, 2);
    let object: Value = serde_json::from_str(&did.err).unwrap();
    assert_eq!((&object["kind"], &object["code"]), (&json!("usage"), &json!("H-820")));
    let told = typed(&["requst"], &[]);
    assert_eq!(told.code, 2);
    assert!(told.err.contains("requst") && told.err.ends_with("\n  code:   H-820\n"), "{}", told.err);
    assert_eq!(
        typed(&["report", "status", "open", "--at", "soon", "--api", "http://127.0.0.1:1", "--token-file", "/dev/null"], &[])
            .code,
        2
    );
}

#[test]
fn doctor_names_what_is_wrong_and_how_to_mend_it() {
    let fake = Fake::new(rule);
    let did = at(&fake, "doctor");
    assert_eq!(did.code, 1, "the status carries a warning: {did:?}");
    assert!(did.out.contains("H-204") && did.out.contains("fix:") && did.out.contains("clock within"), "{}", did.out);
    #[cfg(unix)]
    assert!(did.out.contains("chmod 600"), "{}", did.out);
}

#[test]
fn an_alliance_is_founded_issued_and_shown() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("alliance").display().to_string();
    let run = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace("DIR", &dir)).collect();
        typed(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    assert_eq!(run("alliance init --dir DIR --kind exercise --roots 2/3 --firm A --firm B").code, 0);
    assert_eq!(run("alliance init --dir DIR --kind exercise").code, 1, "an alliance is never overwritten");
    assert_eq!(run("alliance issue issuer --dir DIR --number 1 --firm Fresh").code, 0);
    let issued = run("alliance issue node --dir DIR --id 1-118 --name Xinyi --role hub --tier 2 --region TPE");
    assert_eq!(issued.code, 0, "{issued:?}");
    assert_eq!(run("alliance issue node --dir DIR --id 1-118 --name Again --region TPE").code, 1);
    assert_eq!(run("alliance issue node --dir DIR --id 2-1 --name Stranger --region TPE").code, 4, "no such issuer");
    assert_eq!(run("alliance issue node --dir DIR --id 1-119 --name X --region XXX").code, 2);
    let shown = run("alliance show DIR/nodes/1-118/alliance.hf --json");
    let object: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(object["kind"], "exercise");
    assert_eq!(object["charter"]["k"], 2);
    assert_eq!(object["nodes"][0]["id"], "1-118");
    assert_eq!(object["nodes"][0]["firm"], "Fresh");
    assert!(run("alliance show DIR/nodes/1-118/alliance.hf --lang zh-TW").out.contains("演練"));
    let seed = std::fs::read_to_string(home.path().join("alliance/nodes/1-118/node.key")).unwrap();
    let hex = seed.lines().nth(1).unwrap();
    let key = run("alliance show DIR/nodes/1-118/node.key");
    assert!(key.out.contains("node key") && !key.out.contains(hex), "{key:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in ["root-1.key", "issuer-1.key", "nodes/1-118/node.key"] {
            let mode = std::fs::metadata(home.path().join("alliance").join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}

#[test]
fn too_few_root_keys_make_a_draft_that_other_roots_complete() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().display().to_string();
    assert_eq!(typed(&["alliance", "init", "--dir", &dir, "--kind", "actual", "--roots", "2/3"], &[]).code, 0);
    std::fs::remove_file(home.path().join("root-1.key")).unwrap();
    let elsewhere = home.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::rename(home.path().join("root-2.key"), elsewhere.join("root-2.key")).unwrap();
    let did = typed(&["alliance", "issue", "issuer", "--dir", &dir, "--number", "1", "--firm", "F"], &[]);
    assert!(did.code == 6 && did.err.contains("not yet signed by Root 1, Root 2"), "{did:?}");
    let draft = format!("{dir}/draft-issuer-1.hf");
    let node = ["alliance", "issue", "node", "--dir", &dir, "--id", "1-1", "--name", "n", "--region", "TPE"];
    assert_ne!(typed(&node, &[]).code, 0, "the issuer is not in force yet");
    let did = typed(&["alliance", "hand-in", &draft], &[]);
    assert!(did.code == 2 && did.err.contains("H-895"), "{did:?}");
    let did = typed(&["alliance", "sign", &draft, "--dir", &dir, "--yes"], &[]);
    assert!(did.code == 4 && did.err.contains("H-893"), "the one here has signed: {did:?}");
    // The other root's computer has the alliance file and its own key.
    std::fs::copy(home.path().join("alliance.hf"), elsewhere.join("alliance.hf")).unwrap();
    let there = elsewhere.display().to_string();
    let did = typed(&["alliance", "sign", &draft, "--dir", &there], &[]);
    assert!(did.code == 1 && did.err.contains("issuer 1 of F") && did.err.contains("H-894"), "nobody said yes: {did:?}");
    assert_eq!(typed(&["alliance", "sign", &draft, "--dir", &there, "--yes"], &[]).code, 0);
    // Back where it was drafted.
    assert_eq!(typed(&["alliance", "sign", &draft, "--dir", &dir], &[]).code, 0);
    assert_eq!(typed(&node, &[]).code, 0);
    assert_eq!(typed(&["alliance", "verify", &dir], &[]).code, 0);
}

#[test]
fn roots_whose_keys_never_leave_home_found_an_alliance_and_one_of_them_is_replaced() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).display().to_string();
    let key = |name: &str, firm: &str| {
        let did = typed(&["alliance", "key", "--dir", &at(name), "--firm", firm, "--json"], &[]);
        serde_json::from_str::<serde_json::Value>(&did.out).unwrap()["root"].as_str().unwrap().to_owned()
    };
    let (mart, county) = (key("mart", "Mart"), key("county", "County"));
    let did = typed(
        &[
            "alliance",
            "init",
            "--dir",
            &at("bus"),
            "--kind",
            "actual",
            "--roots",
            "2/3",
            "--firm",
            "Bus",
            "--root",
            &mart,
            "--root",
            &county,
        ],
        &[],
    );
    assert_eq!(did.code, 6, "{did:?}");
    let draft = format!("{}/draft-charter-1.hf", at("bus"));
    assert_eq!(typed(&["alliance", "sign", &draft, "--dir", &at("mart"), "--yes"], &[]).code, 0);
    assert_eq!(typed(&["alliance", "sign", &draft, "--dir", &at("bus")], &[]).code, 0);
    assert_eq!(typed(&["alliance", "sign", &draft, "--dir", &at("county"), "--yes"], &[]).code, 0);
    // An issuer stands; then County goes, and City comes.
    assert_eq!(typed(&["alliance", "issue", "issuer", "--dir", &at("mart"), "--number", "1", "--firm", "Mart"], &[]).code, 6);
    let issuer = format!("{}/draft-issuer-1.hf", at("mart"));
    for place in ["bus", "mart"] {
        assert_eq!(typed(&["alliance", "sign", &issuer, "--dir", &at(place), "--yes"], &[]).code, 0, "{place}");
    }
    assert_eq!(typed(&["alliance", "rotate", "--dir", &at("mart")], &[]).code, 2, "nothing would change");
    let rotate = ["alliance", "rotate", "--dir", &at("mart"), "--drop", "County", "--firm", "City"];
    let did = typed(&rotate, &[]);
    assert!(did.code == 6 && did.err.contains("Bus"), "two of the old ones must sign: {did:?}");
    let next = format!("{}/charter-2.hf", at("mart"));
    assert_eq!(typed(&["alliance", "sign", &next, "--dir", &at("bus"), "--yes"], &[]).code, 0);
    assert_eq!(typed(&["alliance", "sign", &next, "--dir", &at("mart")], &[]).code, 0);
    let shown = typed(&["alliance", "show", &format!("{}/alliance.hf", at("mart"))], &[]).out;
    assert!(shown.contains("charter 2: 2 of 3 roots") && shown.contains("City") && !shown.contains("County"), "{shown}");
    let node =
        ["alliance", "issue", "node", "--dir", &at("mart"), "--id", "1-1", "--name", "n", "--region", "TPE", "--days", "30"];
    assert_eq!(typed(&node, &[]).code, 0, "the issuer was signed again");
    let did = typed(&["alliance", "verify", &at("mart")], &[]);
    assert!(did.code == 0 && did.out.contains("1-1 n ends on"), "{did:?}");
    let did = typed(&["alliance", "renew", "--dir", &at("mart"), "--within", "90"], &[]);
    assert!(did.out.contains("1-1 holds until"), "{did:?}");
    let did = typed(&["alliance", "verify", &at("mart")], &[]);
    assert!(did.code == 0 && !did.out.contains("ends on"), "{did:?}");
    // Somebody opens a key to all.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = home.path().join("mart/root-1.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let did = typed(&["alliance", "verify", &at("mart")], &[]);
        assert!(did.code == 1 && did.out.contains("chmod 600"), "{did:?}");
    }
}
