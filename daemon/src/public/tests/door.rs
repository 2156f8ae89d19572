//! The door: what is answered, what is refused, and what one visitor may take.

use super::*;

const PATHS: [&str; 7] = ["/", "/poster", "/status.json", "/sites.geojson", "/sites.csv", "/board.css", "/icon.svg"];

#[tokio::test]
async fn the_board_only_reads() {
    let door = Door::open(&[own()], Limits::default()).await;
    let host = format!("Host: {}", door.address);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
        for path in PATHS {
            let got = door.raw(&[&format!("{method} {path} HTTP/1.1"), &host, "Content-Length: 2", "", "{}"]).await;
            assert!(matches!(got.status, 400 | 405), "{method} {path}: {got:?}");
        }
    }
    assert_eq!(door.raw(&["POST / HTTP/1.1", &host]).await.header("allow"), Some("GET, HEAD"));
    let (whole, head) = (door.get("/board.css").await, door.raw(&["HEAD /board.css HTTP/1.1", &host]).await);
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), whole.header("content-length"));
}

#[tokio::test]
async fn nothing_of_the_staffs_api_is_behind_this_door() {
    let door = Door::open(&[own()], Limits::default()).await;
    for route in crate::api::paths() {
        let path = route.replace("{id}", "1-1").replace("{ticket}", "t1").replace("{name}", "index.html");
        let shared = PATHS.contains(&&*path);
        let got = door.get(&path).await;
        assert_eq!(got.status, if shared { 200 } else { 404 }, "{path}");
        assert!(got.header("set-cookie").is_none(), "{path}");
    }
    for path in
        ["/index.html", "/../status.json", "//status.json", "/status.json/", "/%73tatus.json", "/board.json", "/robots.txt", "*"]
    {
        let got = door.get(path).await;
        assert!(matches!(got.status, 400 | 404), "{path}: {got:?}");
    }
}

#[tokio::test]
async fn every_answer_forbids_scripts_and_none_asks_for_a_cookie() {
    let door = Door::open(&[own()], Limits::default()).await;
    for path in PATHS.into_iter().chain(["/nothing"]) {
        let got = door.get(path).await;
        let policy = got.header("content-security-policy").expect("a policy");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("script-src") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(got.header("set-cookie"), None);
        assert_eq!(got.header("access-control-allow-origin"), None);
        assert_eq!(got.header("connection"), Some("close"));
    }
}

#[tokio::test]
async fn a_name_that_is_not_this_boards_shows_nothing() {
    let door = Door::open(&[own()], Limits::default()).await;
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        let got = door.raw(&["GET / HTTP/1.1", &format!("Host: {host}")]).await;
        assert!(matches!(got.status, 400 | 421), "{host}: {got:?}");
        assert!(!String::from_utf8_lossy(&got.bytes).contains("復興店"));
    }
    assert_eq!(door.raw(&["GET / HTTP/1.1", "Host: board.example:8080"]).await.status, 200);
    assert_eq!(door.raw(&["GET / HTTP/1.1"]).await.status, 421);
}

#[tokio::test]
async fn whoever_sends_slowly_or_too_much_is_hung_up_and_others_are_served() {
    let limits = Limits { head_wait: Duration::from_millis(300), ..Limits::default() };
    let door = Door::open(&[own()], limits).await;
    let mut slow = TcpStream::connect(door.address).await.expect("connected");
    slow.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow:").await.expect("sent");
    assert_eq!(door.get("/").await.status, 200);
    let mut rest = Vec::new();
    let _reset = timeout(LIMIT, slow.read_to_end(&mut rest)).await.expect("hung up in time");
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "), "{rest:?}");
    let long = door.get(&format!("/?q={}", "x".repeat(2_000))).await;
    assert_eq!(long.status, 414);
    let huge = format!("X-Huge: {}", "x".repeat(64 << 10));
    let got = door.raw(&["GET / HTTP/1.1", "Host: 127.0.0.1", &huge]).await;
    assert!(got.status == 0 || got.status == 431 || got.status == 400, "{got:?}");
}

#[tokio::test]
async fn one_address_gets_its_share_of_connections_and_requests() {
    let door = Door::open(&[own()], Limits { per_address: 3, burst: 30, ..Limits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(door.address).await.expect("connected"));
    }
    // The fourth is hung up without an answer, and a place comes free with the first that goes.
    assert_eq!(door.get("/").await.status, 0);
    held.clear();
    let served = async { while door.get("/board.css").await.status != 200 {} };
    timeout(LIMIT, served).await.expect("a place comes free");
    let mut refused = 0;
    for _ in 0..60 {
        let got = door.get("/board.css").await;
        if got.status == 429 {
            assert!(got.header("retry-after").is_some());
            refused += 1;
        }
    }
    assert!(refused >= 15, "{refused} of 60");
}

#[tokio::test]
async fn a_crowd_costs_the_node_one_question() {
    let door = Door::open(&[own()], Limits::default()).await;
    assert_eq!(door.get("/").await.status, 200);
    let begun = std::time::Instant::now();
    let before = door.house.asked();
    for n in 0..60 {
        assert_eq!(door.get(&format!("/?q=x{n}")).await.status, 200);
    }
    let seconds = usize::try_from(begun.elapsed().as_secs()).expect("a short time") + 1;
    assert!(door.house.asked() - before <= seconds, "{} questions in {seconds} s", door.house.asked() - before);
}

#[tokio::test]
async fn pages_go_out_packed_to_whoever_takes_that() {
    let door = Door::open(&[own()], Limits::default()).await;
    let host = format!("Host: {}", door.address);
    for path in PATHS.into_iter().filter(|path| *path != "/icon.svg") {
        let got = door.raw(&[&format!("GET {path} HTTP/1.1"), &host, "Accept-Encoding: gzip, deflate"]).await;
        assert_eq!((got.status, got.header("content-encoding")), (200, Some("gzip")), "{path}");
    }
    let got = door.raw(&["GET /board.css HTTP/1.1", &host, "Accept-Encoding: gzip"]).await;
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&*got.bytes), &mut text).expect("unpacked");
    assert_eq!(text, door.get("/board.css").await.text());
}
