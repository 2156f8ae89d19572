//! Who may ask: token, cookie, Host, Origin (trust note T33).

use super::*;
use crate::api::routes;
use holdfast_loopback::guard::Access;

/// An address with its parameters filled in.
fn filled(path: &str) -> String {
    path.replace("{id}", "R-7Q4K2M9").replace("{ticket}", "t1").replace("{name}", "index.html")
}

#[tokio::test]
async fn without_the_right_token_nothing_is_told_and_nothing_is_done() {
    let server = Server::start().await;
    let wrong = format!("Authorization: Bearer {}", Token::random().expect("random").reveal());
    let basic = server.bearer().replace("Bearer", "Basic");
    let short = server.bearer()[..60].to_owned();
    for route in routes::table().into_iter().filter(|route| route.access != Access::Open) {
        let line = format!("{} {}", route.method, filled(route.path));
        for header in ["X-Nothing: 1", &wrong, &basic, &short, "Authorization: Bearer ", "Cookie: holdfast_1=1"] {
            let got = server.raw(&line, &[&server.host(), header], b"").await;
            assert_eq!(got.status, 401, "{line} with {header}");
            assert_eq!(got.json()["schema"], "holdfast.error/1");
        }
    }
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn a_foreign_host_is_refused_everywhere_so_a_rebound_name_reaches_nothing() {
    let server = Server::start().await;
    let port = server.address.port();
    let hosts = [
        "Host: evil.example".to_owned(),
        format!("Host: evil.example:{port}"),
        "Host: 127.0.0.1".to_owned(),
        format!("Host: 127.0.0.1:{}", port.wrapping_add(1)),
        format!("Host: 127.0.0.1:{port}.evil.example"),
        format!("Host: LOCALHOST.:{port}"),
        "Host:".to_owned(),
        format!("Host: 127.0.0.1:{port}\r\nHost: evil.example"),
        "X-No-Host: 1".to_owned(),
    ];
    for route in routes::table() {
        let line = format!("{} {}", route.method, filled(route.path));
        for host in &hosts {
            let got = server.raw(&line, &[host, &server.bearer()], b"").await;
            // hyper itself refuses some of these as malformed.
            assert!(got.status == 403 || got.status == 400, "{line} with {host}: {}", got.status);
            assert_eq!(got.header("set-cookie"), None, "{line} with {host}");
        }
    }
    let absolute = server.raw("GET http://evil.example/api/v1/status", &[&server.host(), &server.bearer()], b"").await;
    assert_eq!(absolute.status, 403);
    assert_eq!(server.commands(), 0);
    for name in ["127.0.0.1", "localhost", "[::1]"] {
        let got = server.raw("GET /api/v1/status", &[&format!("Host: {name}:{port}"), &server.bearer()], b"").await;
        assert_eq!(got.status, 200, "{name}");
    }
}

#[tokio::test]
async fn another_origin_is_refused_even_with_the_token() {
    let server = Server::start().await;
    let port = server.address.port();
    let foreign = [
        "Origin: http://evil.example".to_owned(),
        "Origin: null".to_owned(),
        format!("Origin: https://127.0.0.1:{port}"),
        format!("Origin: http://localhost:{port}"),
        format!("Origin: http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("Origin: http://127.0.0.1:{port}.evil.example"),
        "Sec-Fetch-Site: cross-site".to_owned(),
        "Sec-Fetch-Site: same-site".to_owned(),
    ];
    for route in routes::table().into_iter().filter(|route| route.access != Access::Open) {
        let line = format!("{} {}", route.method, filled(route.path));
        for header in &foreign {
            let got = server.raw(&line, &[&server.host(), &server.bearer(), header], b"").await;
            assert_eq!(got.status, 403, "{line} with {header}");
            assert_eq!(got.header("access-control-allow-origin"), None);
        }
    }
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn a_form_on_another_page_changes_nothing_though_the_browser_sends_the_cookie() {
    let server = Server::start().await;
    let cookie = cookie(&server).await;
    let body = br#"{"values":{"operating.status":"closed"}}"#;
    let length = format!("Content-Length: {}", body.len());
    let host = server.host();
    for extra in [
        &["Content-Type: text/plain", "Origin: http://evil.example", "Sec-Fetch-Site: cross-site"][..],
        &["Content-Type: application/json", "Origin: http://evil.example"],
        &["Content-Type: application/json", "Sec-Fetch-Site: cross-site"],
        // No Origin at all: no browser that obeys the rules sends such a POST.
        &["Content-Type: application/json"],
        &["Content-Type: text/plain", "Sec-Fetch-Site: none"],
    ] {
        let headers: Vec<&str> = [&*host, &cookie, &length].into_iter().chain(extra.iter().copied()).collect();
        let got = server.raw("POST /api/v1/report", &headers, body).await;
        assert_eq!(got.status, 403, "{extra:?}");
    }
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn the_page_may_write_with_its_cookie_and_the_cookie_is_not_the_token() {
    let server = Server::start().await;
    let page = server.raw("GET /", &[&server.host()], b"").await;
    let set = page.header("set-cookie").expect("a cookie");
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && !set.contains(server.token.reveal()), "{set}");
    let cookie = cookie(&server).await;
    let origin = format!("Origin: http://{}", server.address);
    let body = br#"{"values":{"operating.status":"open"}}"#;
    let length = format!("Content-Length: {}", body.len());
    let headers = [&*server.host(), &cookie, &length, &origin, "Sec-Fetch-Site: same-origin", "Content-Type: application/json"];
    assert_eq!(server.raw("POST /api/v1/report", &headers, body).await.status, 200);
    assert_eq!(server.commands(), 1);
    // As a bearer token the cookie's secret is worth nothing.
    let secret = cookie.split_once('=').expect("name and value").1;
    let bearer = format!("Authorization: Bearer {secret}");
    assert_eq!(server.raw("GET /api/v1/status", &[&server.host(), &bearer], b"").await.status, 401);
    assert_eq!(server.raw("GET /api/v1/status", &[&server.host(), &cookie], b"").await.status, 200);
}

#[tokio::test]
async fn no_get_ever_reaches_the_loop_as_a_command() {
    let server = Server::start().await;
    for route in routes::table() {
        if route.path == "/api/v1/events" {
            continue;
        }
        for method in ["GET", "HEAD"] {
            let got = server.raw(&format!("{method} {}", filled(route.path)), &[&server.host(), &server.bearer()], b"").await;
            assert!([200, 405].contains(&got.status), "{method} {}: {}", route.path, got.status);
        }
    }
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let got = server.raw(&format!("{method} /api/v1/report"), &[&server.host(), &server.bearer()], b"").await;
        assert_eq!(got.status, 405, "{method}");
    }
    assert_eq!(server.commands(), 0);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_other_pages_out() {
    let server = Server::start().await;
    for path in ["/", "/app.js", "/api/v1/status", "/healthz", "/nothing/here", "/api/v1/report"] {
        let got = server.get(path).await;
        let policy = got.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(got.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(got.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
}

/// The cookie the page gets, as a browser would send it back.
async fn cookie(server: &Server) -> String {
    let page = server.raw("GET /", &[&server.host()], b"").await;
    let set = page.header("set-cookie").expect("a cookie");
    format!("Cookie: other=1; {}", set.split(';').next().expect("a pair"))
}
