//! What a newcomer ran into: slips answered with the wrong advice, and answers that hid what matters.

use super::*;

fn token(dir: &tempfile::TempDir, text: &str) -> String {
    let file = dir.path().join("token");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn where_nobody_was_reached_nothing_may_have_been_done() {
    let dir = tempfile::tempdir().unwrap();
    let good = token(&dir, "abc");
    for api in ["nobody.invalid:1", "127.0.0.1:99999"] {
        let did = typed(&["--api", api, "--token-file", &good, "request", "new", "--item", "water:1"], &[]);
        assert!(did.code == 2 && did.err.contains("H-815") && did.err.contains("Nothing was sent"), "{did:?}");
    }
    let bad = token(&dir, "no token\nat all");
    let did = typed(&["--api", "127.0.0.1:1", "--token-file", &bad, "status"], &[]);
    assert!(did.code == 2 && did.err.contains("H-816") && did.err.contains("There is no token in"), "{did:?}");
}

#[test]
fn a_look_that_got_half_an_answer_changed_nothing_and_a_write_may_have() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            drop(stream.read(&mut [0; 512]));
            drop(stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{"));
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let file = token(&dir, "abc");
    let did = typed(&["--api", &api, "--token-file", &file, "peers"], &[]);
    assert!(did.err.contains("H-813") && did.err.contains("nothing was changed"), "{did:?}");
    let did = typed(&["--api", &api, "--token-file", &file, "report", "status", "open"], &[]);
    assert!(did.err.contains("H-813") && did.err.contains("may or may not"), "{did:?}");
}

#[test]
fn a_token_file_is_never_taken_for_a_daemon_it_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let (file, home) = (token(&dir, "abc"), dir.path().display().to_string());
    let did = typed(&["--demo-node", "a", "--token-file", &file, "status"], &[]);
    assert!(did.code == 2 && did.err.contains("H-820"), "{did:?}");
    for line in [&["--token-file", &file, "status"][..], &["--dir", &home, "--token-file", &file, "status"]] {
        let did = typed(line, &[]);
        assert!(did.code == 2 && did.err.contains("H-819"), "{did:?}");
    }
}

fn crowded(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/requests" => {
            let one = |number: u64| {
                let mut one = request(if number == 2 { "closed" } else { "submitted" });
                one["request"] = json!(format!("R-{number:07}"));
                one["priority"] = json!(if number >= 10 { "urgent" } else { "routine" });
                one["asked_at"] = json!(1_795_000_000_000 + number);
                one
            };
            (200, json!({"schema": "holdfast.requests/1", "requests": (0..12).map(one).collect::<Vec<_>>()}))
        }
        other => rule(other),
    }
}

#[test]
fn the_newest_urgent_request_comes_first_and_the_rest_is_counted() {
    let fake = Fake::new(crowded);
    let out = at(&fake, "status").out;
    let shown: Vec<&str> = out.lines().filter_map(|line| line.trim().strip_prefix("R-")).map(|line| &line[..7]).collect();
    assert_eq!(shown, ["0000011", "0000010", "0000009", "0000008", "0000007"], "{out}");
    assert!(out.contains("6 more: holdfast request list") && out.contains("next: holdfast request show R-0000011"), "{out}");
    assert!(at(&fake, "status --lang zh-TW").out.contains("另有 6 筆：holdfast request list"));
    let out = at(&fake, "request list --all").out;
    let first = out.lines().nth(1).unwrap();
    assert!(first.starts_with("R-0000011") && out.lines().last().unwrap().starts_with("R-0000002"), "{out}");
}

fn mistyped(asked: &str) -> (u16, Value) {
    let code = match asked {
        "GET /api/v1/requests/R-0000000" => "H-213",
        "GET /api/v1/requests/R-2222222" => "H-212",
        other => return rule(other),
    };
    let mut refusal = refusal("not_found");
    refusal["code"] = json!(code);
    refusal["means"] = json!({"en": "Nothing was saved or sent.", "zh": "沒有儲存，也沒有送出任何資料。"});
    (404, refusal)
}

#[test]
fn an_id_that_can_not_be_is_not_waited_for_and_a_look_speaks_of_no_saving() {
    let fake = Fake::new(mistyped);
    let did = at(&fake, "wait request R-0000000 --timeout 10m");
    assert!(did.code == 4 && did.err.contains("H-213"), "{did:?}");
    let did = at(&fake, "wait request R-2222222 --timeout 1s");
    assert!(did.code == 7 && did.err.contains("H-841"), "{did:?}");
    let did = at(&fake, "request show R-2222222");
    assert!(did.code == 4 && !did.err.contains("saved") && did.err.contains("nothing to show"), "{did:?}");
    assert!(at(&fake, "request show R-2222222 --lang zh-TW").err.contains("沒有可以顯示的內容"));
}

fn answered_late(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/requests/R-7Q4KABC" => {
            let act = |act: &str, version: u32, at: Option<u64>| json!({"act": act, "by": {"id": "1-1", "name": "甲店"}, "version": version, "at": at});
            let mut one = request("submitted");
            let t = 1_795_000_000_000;
            one["history"] = json!([
                act("request", 1, Some(t)),
                act("update", 2, Some(t + 9_000_000)),
                act("acknowledge", 0, Some(t + 60_000))
            ]);
            (200, one)
        }
        other => rule(other),
    }
}

#[test]
fn a_history_is_told_in_the_order_of_time() {
    let fake = Fake::new(answered_late);
    let out = at(&fake, "request show R-7Q4KABC").out;
    let place = |word: &str| out.find(word).unwrap_or_else(|| panic!("{word}: {out}"));
    assert!(place("requested") < place("received") && place("received") < place("changed"), "{out}");
    assert!(out.contains("v2") && !out.contains("v0"), "{out}");
}

#[test]
fn a_time_before_now_is_refused_as_a_time_not_as_a_flag() {
    let fake = Fake::new(rule);
    let did = at(&fake, "request new --item water:40 --needed-by -3h");
    assert!(did.code == 2 && did.err.contains("H-821") && did.err.contains("-3h"), "{did:?}");
    let did = at(&fake, "request new --item water:40 --needed-by 2026-11-24");
    assert_eq!(did.code, 0, "{did:?}");
}

#[test]
fn founding_names_the_one_thing_that_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().display().to_string();
    let run = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace("DIR", &dir).replace('_', " ")).collect();
        typed(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    let did = run("alliance init --dir DIR --kind actual --firm Example_Mart --firm 一二三四五六七八九十甲乙丙丁戊己庚");
    assert!(did.code == 2 && did.err.contains("51 bytes; at most 48") && did.err.contains("H-871"), "{did:?}");
    assert_eq!(run("alliance init --dir DIR --kind actual --firm Example_Mart --firm Example_County").code, 0);
    let did = run("alliance issue issuer --dir DIR --number 1 --firm Nobody");
    assert!(did.code == 0 && did.err.contains("Example County, Example Mart"), "it is said whose keys there are: {did:?}");
    let did = run("alliance issue issuer --dir DIR --number 2 --firm Example_Mart --max-nodes 2");
    assert!(did.code == 0 && did.err.is_empty(), "{did:?}");
    let did = run("alliance issue node --dir DIR --id 2-9 --name X --region TPE");
    assert!(did.code == 5 && did.err.contains("2-1 up to 2-2") && !did.err.contains("Serial"), "{did:?}");
    let did = run("alliance issue issuer --dir DIR --number 3 --firm X --first 65000 --max-nodes 600");
    assert!(did.code == 2 && did.err.contains("--max-nodes 536"), "{did:?}");
    let shown = run("alliance show DIR/alliance.hf").out;
    assert!(shown.starts_with("alliance (actual)"), "{shown}");
    let did = run("alliance show DIR");
    assert!(did.code == 1 && did.err.contains(&format!("{dir}/alliance.hf")) && did.err.contains("it is a folder"), "{did:?}");
    let file = home.path().join("alliance.hf");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("-----END", "x\n-----END", 1)).unwrap();
    for (lang, part) in [("en", "expected 64 hex digits"), ("zh-TW", "每行應有 64 個十六進位數字")] {
        let did = run(&format!("alliance show DIR/alliance.hf --lang {lang}"));
        assert!(did.code == 1 && did.err.contains(part) && !did.err.contains("line 5: line"), "{did:?}");
    }
    for number in [1, 2] {
        std::fs::remove_file(home.path().join(format!("root-{number}.key"))).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    let did = run("alliance issue issuer --dir DIR --number 4 --firm Example_Mart --lang zh-TW");
    assert!(
        did.code == 6 && did.err.contains("尚未簽署的有 Example County, Example Mart") && !did.err.contains("Not in force"),
        "{did:?}"
    );
}
