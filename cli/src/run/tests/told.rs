//! Answers that said too little or too much: what a command leaves out, where its hints lead, which time it understood.

use super::*;

/// A demo as its folder tells it: node `a` is the made-up daemon, `b` does not run.
fn demo_of(fake: &Fake) -> String {
    let dir = fake.dir.path().join("demo");
    let node = |name: &str, pid: Option<u32>| {
        let config = dir.join(name).join("holdfast.toml");
        json!({"name": name, "id": "1-1", "api": fake.api, "token_file": fake.token_file(), "pid": pid, "config": config})
    };
    let file = json!({"schema": "holdfast.demo/1", "nodes": [node("a", Some(1)), node("b", None)], "supervisor_pid": 1});
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("demo.json"), file.to_string()).unwrap();
    dir.display().to_string()
}

fn equal(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/digest" => {
            let view = json!({"schema": "holdfast.digest/1", "digest": "00ff", "converged": true, "neighbours": 1, "entries": 1,
                "boards": 1, "holes": 0});
            (200, view)
        }
        other => rule(other),
    }
}

#[test]
fn a_demo_with_a_node_that_does_not_run_is_not_converged() {
    let fake = Fake::new(equal);
    let dir = demo_of(&fake);
    let did = typed(&["--dir", &dir, "wait", "converged", "--timeout", "1s"], &[]);
    assert!(did.code == 7 && did.err.contains("b of the demo does not run"), "{did:?}");
    let did = typed(&["--dir", &dir, "wait", "converged", "--timeout", "1s", "--json"], &[]);
    let object: Value = serde_json::from_str(&did.err).unwrap();
    assert!(object["what"]["zh"].as_str().unwrap().contains("示範據點 b 沒有在執行"), "{object}");
    let did = typed(&["--dir", &dir, "--demo-node", "a", "wait", "converged", "--timeout", "1s"], &[]);
    assert_eq!(did.code, 0, "who names the one asks only of it: {did:?}");
}

fn saved_here(asked: &str) -> (u16, Value) {
    match asked {
        "POST /api/v1/observe" => (200, saved("saved_here")),
        other => nobody_has_it(other),
    }
}

#[test]
fn a_hint_is_a_whole_command_that_reaches_the_same_node() {
    let fake = Fake::new(saved_here);
    let dir = demo_of(&fake);
    let did = typed(&["--dir", &dir, "--demo-node", "a", "report", "status", "open"], &[]);
    assert!(did.err.contains(&format!("holdfast --dir {dir} --demo-node a wait delivered e:1-1#5")), "{did:?}");
    let token = fake.token_file().display().to_string();
    let did = typed(&["--api", &fake.api, "--token-file", &token, "status"], &[]);
    let next = format!("next: holdfast --api {} --token-file {token} request show R-7Q4KABC", fake.api);
    assert!(did.out.contains(&next), "{did:?}");
    let spaced = fake.dir.path().join("my token's");
    std::fs::write(&spaced, "abc").unwrap();
    let did = typed(&["--api", &fake.api, "--token-file", &spaced.display().to_string(), "status"], &[]);
    assert!(did.out.contains(r"my token'\''s' request show"), "a shell takes it back as one word: {did:?}");
    let did = typed(&["--dir", &dir, "--demo-node", "a", "wait", "converged", "--timeout", "1s"], &[]);
    assert!(did.err.contains(&format!("`holdfast --dir {dir} --demo-node a peers`")), "{did:?}");
}

#[test]
fn the_times_that_were_understood_are_told_back() {
    let fake = Fake::new(saved_here);
    let did = at(&fake, "report status open --at 14:05");
    assert!(did.err.contains("Understood: it was so at 2026-11-22 14:05"), "{did:?}");
    let did = at(&fake, "request new --item water:1 --at 20m --needed-by 09:00 --lang zh-TW");
    assert!(did.err.contains("已理解：當時為 2026-11-23 09:40；需要時間為 2026-11-24 09:00"), "{did:?}");
    assert!(!at(&fake, "report status open").err.contains("Understood"));
    let did = at(&fake, "observe 1-2 status=open status=closed");
    assert!(did.code == 2 && did.err.contains("status is given twice"), "{did:?}");
}

fn one_hub(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/status" => {
            let mut view = status();
            view["nodes"][0]["role"] = json!("hub");
            (200, view)
        }
        other => rule(other),
    }
}

fn two_hubs(asked: &str) -> (u16, Value) {
    let (status, mut answer) = one_hub(asked);
    if asked == "GET /api/v1/status" {
        answer["nodes"][1]["role"] = json!("hub");
    }
    (status, answer)
}

#[test]
fn a_request_that_asks_nobody_says_so() {
    let fake = Fake::new(one_hub);
    let did = at(&fake, "request new --item water:1");
    assert!(did.code == 0 && did.err.contains("There is no other hub to ask"), "{did:?}");
    let did = at(&fake, "request show R-7Q4KABC --lang zh-TW");
    assert!(did.out.contains("對象：所有集散中心（沒有其他集散中心）"), "{did:?}");
    let fake = Fake::new(two_hubs);
    assert!(!at(&fake, "request new --item water:1").err.contains("no other hub"));
    assert!(at(&fake, "request show R-7Q4KABC").out.contains("asks: every hub\n"));
}

fn far_away(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/status" => {
            let mut view = status();
            view["nodes"][1]["via"] = json!("quic 127.0.0.1:19461");
            (200, view)
        }
        other => rule(other),
    }
}

#[test]
fn a_way_that_news_came_by_is_not_shown_as_a_link() {
    let fake = Fake::new(far_away);
    assert!(at(&fake, "status").out.contains("none; last by quic 127.0.0.1:19461"));
    assert!(at(&fake, "status --lang zh-TW").out.contains("未連線；上次經 quic 127.0.0.1:19461"));
}

#[test]
fn times_of_a_request_are_told_as_in_lists() {
    let fake = Fake::new(rule);
    let out = at(&fake, "request show R-7Q4KABC").out;
    let history = out.lines().last().unwrap();
    assert!(history.contains("11-18 ") && !history.contains('T') && !out.contains("+00:00"), "{out}");
}

#[test]
fn a_token_file_that_is_not_there_does_not_say_that_no_daemon_runs() {
    let fake = Fake::new(rule);
    let gone = fake.dir.path().join("gone").display().to_string();
    let did = typed(&["--api", &fake.api, "--token-file", &gone, "status"], &[]);
    assert!(did.code == 4 && did.err.contains("H-816") && did.err.contains("no token file"), "{did:?}");
}

fn locked(asked: &str) -> (u16, Value) {
    match asked {
        "GET /readyz" => rule(asked),
        _ => (401, json!({"code": "H-601", "kind": "rights", "what": {"en": "wrong token", "zh": "權杖不對"}})),
    }
}

fn undelivered(asked: &str) -> (u16, Value) {
    match asked {
        "GET /api/v1/status" => {
            let mut view = status();
            view["warnings"] = json!([]);
            (200, view)
        }
        "GET /api/v1/requests" => {
            let mut one = request("submitted");
            one["delivery"] = json!({"state": "saved_here", "neighbours": 0, "acknowledged_by": []});
            (200, json!({"schema": "holdfast.requests/1", "requests": [one]}))
        }
        other => rule(other),
    }
}

#[test]
fn doctor_tells_a_wrong_token_once_and_a_word_that_a_link_does_not_carry() {
    let did = at(&Fake::new(locked), "doctor");
    assert_eq!(did.out.matches("wrong token").count(), 1, "{}", did.out);
    let fake = Fake::new(undelivered);
    let did = at(&fake, "doctor");
    assert!(did.code == 1 && did.out.contains("R-7Q4KABC is saved here and no neighbour has it yet"), "{did:?}");
    assert!(did.out.contains("of 1 neighbour\n"), "{}", did.out);
}

fn written(asked: &str) -> (u16, Value) {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// The first look finds nothing: what the event speaks of came after it.
    static LOOKED: AtomicBool = AtomicBool::new(false);
    match asked {
        "GET /api/v1/events" => {
            let entries = json!({"event": "entries", "author": "1-1", "first": 14, "count": 1});
            (200, json!(format!("data: {entries}\n\n")))
        }
        "GET /api/v1/requests" if !LOOKED.swap(true, Ordering::SeqCst) => {
            (200, json!({"schema": "holdfast.requests/1", "requests": []}))
        }
        other => rule(other),
    }
}

#[test]
fn watch_tells_what_was_written() {
    let fake = Fake::new(written);
    let mut out = Head { lines: 1, read: Vec::new() };
    let did = typed_into(&["watch"], &env_of(&fake), &mut out);
    let out = String::from_utf8(out.read).unwrap();
    assert!(did.code == 0 && out.contains("1-1 wrote entry 14: R-7Q4KABC"), "{out}");
}

#[test]
fn help_says_what_the_bare_command_does_and_the_manual_names_no_page_that_is_not_there() {
    let help = typed(&["--help"], &[]).out;
    assert!(help.contains("Without a command: starts the demo and stays until Ctrl-C"), "{help}");
    let man = typed(&["man"], &[]).out;
    assert!(!man.contains("(1)") && man.contains("holdfast demo"), "{man}");
    let act = typed(&["report", "status", "--help"], &[]).out;
    assert!(act.contains("How it is known: self_reported, sensor"), "{act}");
}

#[test]
fn a_language_goes_by_its_usual_names_and_another_one_is_said_not_to_be_there() {
    assert!(typed(&["--lang", "zh", "--help"], &[]).out.contains("結束代碼"));
    let fake = Fake::new(rule);
    let [api, token] = env_of(&fake);
    let did = typed(&["digest"], &[api, token, ("HOLDFAST_LANG", "fr".to_owned())]);
    assert!(did.code == 0 && did.err.contains("HOLDFAST_LANG is \"fr\""), "{did:?}");
}

#[test]
fn what_is_certified_already_is_named_and_who_signs_alone_is_said() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().display().to_string();
    let run = |line: &str| {
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace("DIR", &dir)).collect();
        typed(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[])
    };
    let did = run("alliance init --dir DIR --kind exercise --roots 2/3 --firm A --firm B");
    assert!(did.code == 0 && did.err.contains("\"A\" holds 2 of the root keys") && did.err.contains("--dir"), "{did:?}");
    assert_eq!(run("alliance issue issuer --dir DIR --number 1 --firm A").code, 0);
    let did = run("alliance issue issuer --dir DIR --number 1 --firm A");
    assert!(did.code == 1 && did.err.contains("issuer 1 is certified already"), "{did:?}");
    assert_eq!(run("alliance issue node --dir DIR --id 1-118 --name X --region TPE").code, 0);
    let did = run("alliance issue node --dir DIR --id 1-118 --name X --region TPE --out DIR/elsewhere");
    assert!(did.code == 1 && did.err.contains("1-118 is certified already") && !did.err.contains("elsewhere"), "{did:?}");
    for days in ["0", "99999"] {
        let did = run(&format!("alliance issue node --dir DIR --id 1-119 --name X --region TPE --days {days}"));
        assert!(did.code == 2 && did.err.contains("from 1 to 3660"), "{did:?}");
    }
    let shared = tempfile::tempdir().unwrap().path().join("x").display().to_string();
    let line = ["alliance", "init", "--dir", &shared, "--kind", "exercise", "--firm", "A", "--firm", "B", "--firm", "C"];
    let did = typed(&line, &[]);
    assert!(did.code == 0 && !did.err.contains("holds"), "{did:?}");
}
