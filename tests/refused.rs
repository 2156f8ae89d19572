//! Bad input at the API: every refusal says what, what it means and what to do, with a code; nothing is half applied.

use std::collections::BTreeSet;

use holdfast_tests::{Alliance, Answered, Api, Plan, raw};
use serde_json::{Value, json};

/// The refusal is whole: status, kind, code, and three sentences in both languages.
#[track_caller]
fn refusal(answer: &Answered, status: u16, kind: Option<&str>) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    let error = answer.json();
    assert_eq!(error["schema"], "holdfast.error/1", "{error}");
    assert!(error["code"].as_str().is_some_and(|c| c.starts_with("H-")), "{error}");
    if let Some(kind) = kind {
        assert_eq!(error["kind"], kind, "{error}");
    }
    for part in ["what", "means", "fix"] {
        for language in ["en", "zh"] {
            assert!(error[part][language].as_str().is_some_and(|w| !w.trim().is_empty()), "{part}.{language}: {error}");
        }
    }
    error
}

/// Posts what must be refused with 422, and looks that the state is the same afterwards.
#[track_caller]
fn refused(api: &Api, path: &str, body: &Value) -> Value {
    let before = api.digest().expect("digest");
    let error = refusal(&api.post(path, body).expect("an answer"), 422, Some("usage"));
    let after = api.digest().expect("digest");
    assert_eq!((before.digest, before.entries), (after.digest, after.entries), "something of {body} was kept");
    error
}

fn report(field: &str, value: &str) -> Value {
    json!({ "values": { field: value } })
}

#[test]
fn an_unknown_item_names_the_three_nearest() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    let error = refused(&api, "/api/v1/requests", &json!({ "items": ["watr:40"] }));
    let words = error.to_string();
    assert!(words.contains("watr") && words.contains("water"), "{words}");
    let catalogue = api.get("/api/v1/catalogue").expect("an answer").json();
    let codes: Vec<&str> =
        catalogue["items"].as_array().expect("items").iter().filter_map(|item| item["code"].as_str()).collect();
    for language in ["en", "zh"] {
        let fix = error["fix"][language].as_str().expect("what to do");
        let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let named: BTreeSet<&str> = fix.split(word).filter(|word| codes.contains(word)).collect();
        assert!(named.len() == 3 && named.contains("water"), "the three nearest items are named: {fix}");
    }
    refused(&api, "/api/v1/report", &report("stock.watr", "40"));
}

#[test]
fn quantities_that_can_not_be_are_refused() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    for quantity in ["-3", "0", "1e9", "99999999999999999999", "4.5.6", "forty", "", "NaN", "0x10"] {
        refused(&api, "/api/v1/requests", &json!({ "items": [format!("water:{quantity}")] }));
    }
    for quantity in ["-3", "99999999999999999999", "some", "4.5.6", "NaN"] {
        refused(&api, "/api/v1/report", &report("stock.water", quantity));
        refused(&api, "/api/v1/report", &report("power.fuel", quantity));
    }
}

#[test]
fn words_that_are_none_are_refused() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    refused(&api, "/api/v1/report", &report("operating.status", "ajar"));
    refused(&api, "/api/v1/report", &report("power.source", "magic"));
    refused(&api, "/api/v1/report", &report("colour", "red"));
    refused(&api, "/api/v1/requests", &json!({ "items": ["water:1"], "priority": "yesterday" }));
    refused(&api, "/api/v1/requests", &json!({ "items": [] }));
    refused(&api, "/api/v1/requests", &json!({ "items": ["water"] }));
    refused(&api, "/api/v1/report", &json!({ "values": {} }));
}

#[test]
fn texts_that_are_too_long_or_not_text_are_refused() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    refused(&api, "/api/v1/requests", &json!({ "items": ["water:1"], "note": "x".repeat(65) }));
    refused(&api, "/api/v1/requests", &json!({ "items": ["water:1"], "note": "bell\u{7}" }));
    refused(&api, "/api/v1/requests", &json!({ "items": [format!("other:{}=1", "x".repeat(65))] }));
    refused(&api, "/api/v1/report", &json!({ "values": { "operating.status": "open" }, "act": { "desk": "x".repeat(33) } }));
    refused(&api, "/api/v1/report", &json!({ "values": { "operating.status": "open" }, "act": { "valid": "soon" } }));
    refused(&api, "/api/v1/report", &json!({ "values": { "operating.status": "open" }, "act": { "basis": "a feeling" } }));
}

#[test]
fn one_bad_line_refuses_the_whole_request() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    refused(&api, "/api/v1/requests", &json!({ "items": ["water:40", "unicorn:1"] }));
    refused(&api, "/api/v1/report", &json!({ "values": { "operating.status": "open", "stock.water": "-1" } }));
}

#[test]
fn a_request_that_is_not_there_is_not_found() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    refusal(&api.get("/api/v1/requests/R-2222222").expect("an answer"), 404, Some("not_found"));
    refusal(&api.get("/api/v1/requests/nonsense").expect("an answer"), 404, Some("not_found"));
    let answer = api.post("/api/v1/requests/cancel", &json!({ "request": "R-2222222" })).expect("an answer");
    refusal(&answer, 404, Some("not_found"));
    refusal(&api.post("/api/v1/observe", &json!({ "node": "nobody", "note": "?" })).expect("an answer"), 404, Some("not_found"));
}

#[test]
fn a_mistyped_spoken_id_is_answered_with_candidates() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    let id = api.ask_for("water:1", "spoken", None).expect("saved").id.expect("an id");
    let last = if id.ends_with('2') { '3' } else { '2' };
    let mistyped = format!("{}{last}", &id[..id.len() - 1]);
    let error = refusal(&api.get(&format!("/api/v1/requests/{mistyped}")).expect("an answer"), 404, Some("not_found"));
    assert!(error.to_string().contains(&id), "{error}");
    assert_eq!(api.request(&id.to_lowercase()).expect("small letters are read too").request, id);
}

#[test]
fn bytes_that_are_no_json_or_no_such_command_are_refused() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    for body in ["", "{", "[]", "null", "{\"items\":\"water\"}", "{\"items\":[\"water:1\"],\"extra\":1}", "\u{0}"] {
        let answer = api.post_text("/api/v1/requests", body).expect("an answer");
        refusal(&answer, 400, None);
    }
    let huge = format!("{{\"items\":[\"{}\"]}}", "x".repeat(4 << 20));
    let status = api.post_text("/api/v1/requests", &huge).map(|a| a.status);
    assert!(matches!(status, Ok(400 | 413) | Err(_)), "{status:?}");
    assert_eq!(api.get("/api/v1/nothing").expect("an answer").status, 404);
}

#[test]
fn a_wrong_token_and_no_token_get_nothing() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    for token in ["", "0", &"0".repeat(64), &format!("{}0", api.token())] {
        for path in ["/api/v1/status", "/api/v1/requests", "/api/v1/events", "/api/v1/peers"] {
            refusal(&api.with_token(token).get(path).expect("an answer"), 401, None);
        }
        let answer = api.with_token(token).post("/api/v1/report", &report("stock.water", "1")).expect("an answer");
        refusal(&answer, 401, None);
    }
}

/// A request as a browser led astray would send it.
fn by_hand(alliance: &Alliance, method: &str, path: &str, headers: &str, body: &str) -> String {
    let port = alliance.node(0).settings.api_port;
    let length = body.len();
    let text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
    raw(port, text.as_bytes()).expect("the API listens")
}

#[test]
fn a_foreign_host_or_origin_is_refused_even_with_the_token() {
    let alliance = Plan::of(1).start();
    let (port, api) = (alliance.node(0).settings.api_port, alliance.node(0).api());
    let token = api.token();
    let authorized = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let good = format!("Host: 127.0.0.1:{port}\r\n{authorized}");
    assert!(by_hand(&alliance, "GET", "/api/v1/status", &good, "").starts_with("HTTP/1.1 200"));
    let local = format!("Host: localhost:{port}\r\n{authorized}");
    assert!(by_hand(&alliance, "GET", "/api/v1/status", &local, "").starts_with("HTTP/1.1 200"));
    for host in ["evil.example", "127.0.0.1.evil.example", "127.0.0.1:1", ""] {
        let answer = by_hand(&alliance, "GET", "/api/v1/status", &format!("Host: {host}\r\n{authorized}"), "");
        assert!(answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 400"), "{host}: {answer}");
    }
    let before = api.digest().expect("digest").digest;
    for origin in ["http://evil.example", "null", "https://127.0.0.1"] {
        let headers = format!("{good}Origin: {origin}\r\n");
        let answer = by_hand(&alliance, "POST", "/api/v1/report", &headers, &report("stock.water", "1").to_string());
        assert!(answer.starts_with("HTTP/1.1 403"), "{origin}: {answer}");
    }
    assert_eq!(api.digest().expect("digest").digest, before);
}

#[test]
fn the_page_forbids_foreign_scripts_and_frames() {
    let alliance = Plan::of(1).start();
    let host = format!("Host: 127.0.0.1:{}\r\n", alliance.node(0).settings.api_port);
    let page = by_hand(&alliance, "GET", "/", &host, "").to_lowercase();
    assert!(page.starts_with("http/1.1 200") || page.starts_with("http/1.1 30"), "{page}");
    assert!(page.contains("content-security-policy") && !page.contains("access-control-allow-origin"), "{page}");
}

#[test]
fn every_answer_names_its_schema() {
    let alliance = Plan::of(1).start();
    let api = alliance.node(0).api();
    for (path, schema) in [
        ("/api/v1/status", "holdfast.status/1"),
        ("/api/v1/requests", "holdfast.requests/1"),
        ("/api/v1/peers", "holdfast.peers/1"),
        ("/api/v1/digest", "holdfast.digest/1"),
        ("/api/v1/catalogue", "holdfast.catalogue/1"),
    ] {
        let answer = api.get(path).expect("an answer");
        assert_eq!((answer.status, &answer.json()["schema"]), (200, &json!(schema)), "{path}");
    }
    let catalogue = api.get("/api/v1/catalogue").expect("an answer").json();
    assert!(catalogue["items"].as_array().is_some_and(|items| items.len() >= 40), "about 40 crisis items");
    assert!(api.get("/api/v1/openapi.json").expect("an answer").json()["paths"].is_object());
}
