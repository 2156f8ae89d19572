//! What is said and answered: commands, refusals, limits, events, health.

use super::*;
use holdfast_loopback::feed::LISTENERS_MAX;

#[tokio::test]
async fn every_write_reaches_the_loop_once_and_the_answer_is_the_saved_view() {
    let server = Server::start().await;
    let writes = [
        ("/api/v1/report", r#"{"values":{"stock.water":"low"}}"#),
        ("/api/v1/requests", r#"{"items":["water:40"],"priority":"urgent","key":"k"}"#),
        ("/api/v1/requests/update", r#"{"request":"R-7Q4K2M9","items":["water:50"]}"#),
        ("/api/v1/requests/cancel", r#"{"request":"R-7Q4K2M9","version":2}"#),
        ("/api/v1/requests/close", r#"{"request":"R-7Q4K2M9"}"#),
        ("/api/v1/requests/confirm", r#"{"request":"R-7Q4K2M9"}"#),
        ("/api/v1/observe", r#"{"node":"1-2","values":{"operating.status":"closed"},"note":"runner"}"#),
        ("/api/v1/mode", r#"{"mode":"resilience","reason":"no mains"}"#),
        ("/api/v1/orders", r#"{"mode":"resilience","regions":["HUA"]}"#),
        ("/api/v1/orders/judge", r#"{"order":"O-7Q4K2M9","ratify":true}"#),
        ("/api/v1/scope", r#"{"deputies":["1-2"],"after":"2h"}"#),
        ("/api/v1/fault", r#"{"cut":{"nodes":[{"issuer":1,"serial":2}]}}"#),
        ("/api/v1/fault", r#""heal""#),
    ];
    for (at, (path, body)) in writes.iter().enumerate() {
        let got = server.post(path, body).await;
        assert_eq!(got.status, 200, "{path}: {got:?}");
        assert_eq!(got.json()["id"], "R-7Q4K2M9");
        assert_eq!(got.json()["delivery"]["state"], "reached");
        assert_eq!(server.commands(), at + 1);
    }
}

#[tokio::test]
async fn bad_json_is_refused_with_the_place_and_nothing_is_saved() {
    let server = Server::start().await;
    for (body, place) in [
        ("{\"values\":\n  {\"a\": }}", "line 2 column 9"),
        (r#"{"values":{}, "colour": 1}"#, "unknown field `colour`"),
        (r#"{"act":{}}"#, "missing field `values`"),
        ("", "line 1 column 0"),
        (r#"{"values":{}} x"#, "trailing characters"),
        ("[[[[[[[[", "line 1"),
    ] {
        let got = server.post("/api/v1/report", body).await;
        assert_eq!(got.status, 400, "{body}");
        let words = got.json()["what"]["en"].as_str().expect("words").to_owned();
        assert!(words.contains(place), "{body}: {words}");
    }
    let escape = server.post("/api/v1/report", "{\"values\":{},\"\\u001b[2J\":1}").await;
    assert_eq!(escape.status, 400);
    assert!(!escape.json()["what"]["en"].as_str().expect("words").contains('\u{1b}'));
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_is_sent() {
    let server = Server::start().await;
    let body = vec![b' '; 64 * 1_024 + 1];
    let length = format!("Content-Length: {}", body.len());
    let headers = [&*server.host(), &server.bearer(), "Content-Type: application/json", &length];
    assert_eq!(server.raw("POST /api/v1/report", &headers, &body).await.status, 413);
    let mut chunked = b"10001\r\n".to_vec();
    chunked.extend_from_slice(&body);
    chunked.extend_from_slice(b"\r\n0\r\n\r\n");
    let headers = [&*server.host(), &server.bearer(), "Content-Type: application/json", "Transfer-Encoding: chunked"];
    assert_eq!(server.raw("POST /api/v1/report", &headers, &chunked).await.status, 413);
    let plain = ["Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded", "X-No: type"];
    for kind in plain {
        let headers = [&*server.host(), &server.bearer(), kind, "Content-Length: 2"];
        assert_eq!(server.raw("POST /api/v1/report", &headers, b"{}").await.status, 415, "{kind}");
    }
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn each_kind_of_refusal_has_its_status_and_both_languages() {
    for (kind, status, name) in [
        (RefusalKind::Usage, 422, "usage"),
        (RefusalKind::NotFound, 404, "not_found"),
        (RefusalKind::Rights, 403, "rights"),
        (RefusalKind::Unable, 503, "unable"),
    ] {
        let server = Server::with(Some(kind)).await;
        for got in [server.post("/api/v1/report", r#"{"values":{}}"#).await, server.get("/api/v1/requests/R-7Q4K2M9").await] {
            assert_eq!(got.status, status);
            let words = got.json();
            assert_eq!(words["kind"], name);
            assert_eq!(words["code"], "H-999");
            for part in ["what", "means", "fix"] {
                assert!(words[part]["en"].is_string() && words[part]["zh"].is_string(), "{part}");
            }
        }
    }
}

#[tokio::test]
async fn unknown_addresses_and_overlong_names_are_not_found() {
    let server = Server::start().await;
    for path in ["/api/v1/nothing", "/api/v2/status", "/../Cargo.toml", "/i18n/de.json"] {
        let got = server.get(path).await;
        assert_eq!(got.status, 404, "{path}");
        assert_eq!(got.json()["kind"], "not_found");
    }
    assert_eq!(server.get(&format!("/api/v1/requests/{}", "R".repeat(500))).await.status, 404);
}

/// A listener, and what it heard so far: the greeting and what was sent together with it.
struct Ear {
    stream: TcpStream,
    heard: String,
}

impl Ear {
    /// Everything heard until `wanted` was.
    async fn until(&mut self, wanted: &str) -> &str {
        if !self.heard.contains(wanted) {
            self.heard += &read_until(&mut self.stream, wanted).await;
        }
        &self.heard
    }
}

async fn listener(server: &Server, last: Option<&str>) -> Ear {
    let last = last.map_or_else(|| "X-No: id".to_owned(), |id| format!("Last-Event-ID: {id}"));
    let mut stream = server.open("GET /api/v1/events", &[&server.host(), &server.bearer(), &last], b"").await;
    let heard = read_until(&mut stream, "retry: 2000").await;
    Ear { stream, heard }
}

fn said(what: &str) -> Event {
    Event::Fault { what: what.to_owned() }
}

#[tokio::test]
async fn a_listener_hears_events_with_ids_and_resumes_after_the_last_one_it_heard() {
    let server = Server::start().await;
    let mut first = listener(&server, None).await;
    server.events.send(said("one")).expect("heard");
    let text = first.until("\"one\"").await;
    assert!(text.contains("event: fault"), "{text}");
    let data = text.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    assert_eq!(serde_json::from_str::<Event>(data).expect("an event"), said("one"));
    let id = text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().expect("an id").to_owned();
    drop(first);
    server.events.send(said("two")).expect("heard");
    server.events.send(said("three")).expect("heard");
    let mut second = listener(&server, Some(&id)).await;
    let text = second.until("\"three\"").await;
    assert!(text.find("\"two\"").expect("two") < text.find("\"three\"").expect("three"));
    assert!(!text.contains("\"one\"") && !text.contains("lagged"), "{text}");
}

#[tokio::test]
async fn a_listener_from_another_run_is_told_to_read_everything_again() {
    let server = Server::start().await;
    let mut stream = listener(&server, Some("00000000-no-17")).await;
    let text = stream.until("\"missed\"").await;
    assert!(text.contains("event: lagged"), "{text}");
}

#[tokio::test]
async fn listeners_beyond_the_limit_are_refused_and_a_seat_comes_free_again() {
    let server = Server::start().await;
    let mut seats = Vec::new();
    for _ in 0..LISTENERS_MAX {
        seats.push(listener(&server, None).await);
    }
    assert_eq!(server.get("/api/v1/events").await.status, 503);
    seats.pop();
    let again = async {
        loop {
            let mut stream = server.open("GET /api/v1/events", &[&server.host(), &server.bearer()], b"").await;
            if read_until(&mut stream, "\r\n\r\n").await.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    };
    timeout(LIMIT, again).await.expect("a seat in time");
}

#[tokio::test]
async fn stopping_ends_the_streams_and_the_server() {
    let mut server = Server::start().await;
    let mut stream = listener(&server, None).await;
    server.stop.take().expect("running").send(()).expect("told");
    let mut rest = Vec::new();
    timeout(LIMIT, stream.stream.read_to_end(&mut rest)).await.expect("ended in time").expect("ended");
    timeout(LIMIT, &mut server.served).await.expect("ended in time").expect("no panic").expect("no error");
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn health_needs_no_token_and_a_loop_that_ended_is_not_ready_but_alive() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.raw(&format!("GET {path}"), &[&server.host()], b"").await.status, 200, "{path}");
    }
    let metrics = server.raw("GET /metrics", &[&server.host()], b"").await.body;
    assert!(metrics.contains("holdfast_entries_total 7\n") && metrics.contains("holdfast_loop_up 1\n"), "{metrics}");
    assert!(metrics.contains("node=\"1-1\",realm=\"exercise\""), "{metrics}");

    let server = Server::without_a_loop().await;
    assert_eq!(server.raw("GET /healthz", &[&server.host()], b"").await.status, 200);
    assert_eq!(server.raw("GET /readyz", &[&server.host()], b"").await.status, 503);
    assert!(server.raw("GET /metrics", &[&server.host()], b"").await.body.contains("holdfast_loop_up 0\n"));
    assert_eq!(server.post("/api/v1/report", r#"{"values":{}}"#).await.status, 503);
    assert_eq!(server.raw("GET /", &[&server.host()], b"").await.status, 200);
}

#[tokio::test]
async fn an_address_others_can_reach_is_refused_at_start() {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let (handle, _desk) = Handle::new();
    let (board, _folder) = board(&handle);
    let settings = ApiSettings {
        board,
        token: Token::random().expect("random"),
        catalogue: Value::Null,
        node: NodeName { id: "1-1".to_owned(), name: "a".to_owned() },
        realm: "actual".to_owned(),
    };
    let refused = serve(listener, handle, settings, std::future::pending()).await.expect_err("refused");
    assert!(refused.to_string().contains("127.0.0.1:8787"), "{refused}");
}

#[tokio::test]
async fn a_loop_that_is_stuck_is_not_ready_and_the_page_still_loads() {
    let (handle, desk) = Handle::new();
    let server = Server::serving(handle, Arc::default(), desk.events.clone()).await;
    let ready = server.raw("GET /readyz", &[&server.host()], b"").await;
    assert_eq!((ready.status, ready.header("retry-after")), (503, Some("2")));
    assert_eq!(server.raw("GET /healthz", &[&server.host()], b"").await.status, 200);
    assert_eq!(server.raw("GET /", &[&server.host()], b"").await.status, 200);
    drop(desk);
}

#[tokio::test]
async fn a_list_can_be_asked_for_what_is_open_and_for_nothing_it_does_not_know() {
    let server = Server::start().await;
    for list in ["requests", "consignments"] {
        let count = async |query: &str| {
            let got = server.get(&format!("/api/v1/{list}{query}")).await;
            assert_eq!(got.status, 200, "{list}{query}");
            got.json()[list].as_array().map(Vec::len)
        };
        for (query, shown) in [("", 1), ("?open=false", 1), ("?open=true", 0)] {
            assert_eq!(count(query).await, Some(shown), "{list}{query}");
        }
        for query in ["?open=maybe", "?open=", "?opne=true", "?open=true&open=true", "?open=true&of=1-2"] {
            let got = server.get(&format!("/api/v1/{list}{query}")).await;
            assert_eq!((got.status, got.json()["code"].as_str()), (400, Some("H-614")), "{list}{query}");
        }
    }
}
