//! The command line as scripts and dispatchers use it: exit codes 0-7, JSON with a schema, words in both languages.

use std::fs::write;

use holdfast_tests::{Alliance, Plan, SOON, eventually};

/// Two linked nodes.
fn two() -> Alliance {
    Plan::of(2).start()
}

#[test]
fn exit_0_done() {
    let alliance = two();
    let run = alliance.node(0).cli(&["status"]).exits(0);
    assert!(run.out.contains('a') && run.err.is_empty(), "{run:?}");
    let run = alliance.node(0).cli(&["report", "stock", "water=120", "rice=30", "--json"]).exits(0);
    assert!(run.json()["delivery"]["neighbours"].as_u64() >= Some(1), "delivered before it ends: {}", run.out);
}

#[test]
fn exit_1_failed() {
    let mut alliance = Plan::of(1).make();
    alliance.node_mut(0).settings.first_lines = "[satellite]\nbaud = 1200\n".to_owned();
    alliance.node(0).write_config();
    let file = alliance.node(0).config().display().to_string();
    let run = alliance.node(0).cli(&["config", "check", &file]).exits(1);
    assert!(run.out.is_empty() && run.err.contains("H-"), "{run:?}");
}

#[test]
fn exit_2_wrong_usage() {
    let alliance = Plan::of(1).start();
    for line in [
        &["frobnicate"][..],
        &["report", "status"],
        &["report", "stock", "water"],
        &["report", "stock", "water=-3"],
        &["report", "stock", "water=99999999999999999999"],
        &["report", "status", "ajar"],
        &["request", "new"],
        &["request", "new", "--item", "watr:40"],
        &["request", "new", "--item", "water:40", "--needed-by", "31 February"],
        &["request", "new", "--item", "water:40", "--priority", "yesterday"],
        &["report", "status", "open", "--at", "the day before"],
        &["wait", "converged", "--timeout", "soon"],
        &["status", "--lang", "xx"],
    ] {
        let run = alliance.node(0).cli(line).exits(2);
        assert!(run.out.is_empty() && !run.err.is_empty(), "{line:?}: {run:?}");
    }
    let run = alliance.node(0).cli(&["request", "new", "--item", "watr:40"]).exits(2);
    assert!(run.err.contains("water"), "the nearest items are named: {}", run.err);
    assert_eq!(alliance.node(0).api().digest().expect("digest").entries, 0, "nothing was written");
}

#[test]
fn exit_3_daemon_not_running() {
    let mut alliance = Plan::of(1).start();
    alliance.node_mut(0).stop();
    let run = alliance.node(0).cli(&["status"]).exits(3);
    assert!(run.out.is_empty() && run.err.contains("holdfastd"), "it says what to start: {run:?}");
    let run = alliance.node(0).cli(&["status", "--json"]).exits(3);
    assert_eq!(error_of(&run.words())["schema"], "holdfast.error/1");
}

#[test]
fn a_request_asks_the_home_hub_unless_told_otherwise() {
    let mut alliance = Plan::of(2).make();
    let hub = alliance.node(1).id;
    alliance.node_mut(0).settings.home_hub = Some(hub);
    alliance.start();
    let ask = |more: &[&str]| {
        let line = [&["request", "new", "--item", "water:40", "--json"][..], more].concat();
        alliance.node(0).cli(&line).exits(0).json()["id"].as_str().expect("an id").to_owned()
    };
    let home = ask(&[]);
    let _ = alliance.node(0).cli(&["wait", "request", &home, "--state", "acknowledged", "--timeout", "20s"]).exits(0);
    let view = alliance.wait_request(1, &home, SOON);
    assert_eq!((view.to.map(|to| to.id), view.acknowledged_by[0].name.as_str()), (Some(hub.to_string()), "b"));
    let all = ask(&["--to", "all"]);
    assert_eq!(alliance.wait_request(1, &all, SOON).to, None);
}

#[test]
fn an_observation_too_many_says_when_the_next_may_be_made() {
    let alliance = two();
    let observe = |note: &str| alliance.node(0).cli(&["observe", "b", "operating.status=closed", "--note", note]);
    for note in ["said a runnr", "said a runner", "seen by us"] {
        let _ = observe(note).exits(0);
    }
    let run = observe("still").exits(1);
    assert!(run.err.contains("H-134") && run.err.contains("10 min"), "{run:?}");
    eventually(SOON, "the last one stands on b", || {
        let status = alliance.node(1).api().status()?;
        let b = status.nodes.into_iter().find(|n| n.name == "b").ok_or("b is not on its own board")?;
        let notes: Vec<_> = b.observations.into_iter().filter_map(|seen| seen.note).collect();
        if notes == ["seen by us"] { Ok(()) } else { Err(format!("{notes:?}")) }
    });
}

/// The error object among what a command said.
fn error_of(words: &str) -> serde_json::Value {
    let begin = words.find('{').unwrap_or_else(|| panic!("no JSON in {words}"));
    let end = words.rfind('}').expect("a JSON object ends");
    serde_json::from_str(&words[begin..=end]).unwrap_or_else(|e| panic!("{e} in {words}"))
}

#[test]
fn exit_4_not_found() {
    let alliance = Plan::of(1).start();
    for line in
        [&["request", "show", "R-2222222"][..], &["request", "cancel", "R-2222222"], &["observe", "nobody", "status=closed"]]
    {
        let run = alliance.node(0).cli(line).exits(4);
        assert!(run.err.contains("H-"), "a code to ask help with: {run:?}");
    }
}

#[test]
fn exit_5_refused() {
    let alliance = Plan::of(1).start();
    write(alliance.node(0).token_file(), "0".repeat(64)).expect("the token file");
    let run = alliance.node(0).cli(&["status"]).exits(5);
    assert!(run.err.contains("token"), "{}", run.err);
}

#[test]
fn exit_6_saved_here_not_yet_delivered() {
    let alliance = Plan::of(1).start();
    let run = alliance.node(0).cli(&["request", "new", "--item", "water:40", "--json"]).exits(6);
    let saved = run.json();
    assert_eq!((&saved["schema"], &saved["delivery"]["state"]), (&"holdfast.request/1".into(), &"saved_here".into()), "{saved}");
    let run = alliance.node(0).cli(&["report", "status", "open"]).exits(6);
    assert!(!run.words().trim().is_empty(), "it says that it is saved but not sent");
    assert_eq!(alliance.node(0).api().requests().expect("requests").requests.len(), 1);
}

#[test]
fn exit_7_wait_timed_out() {
    let alliance = Plan::of(1).start();
    let saved = alliance.node(0).cli(&["request", "new", "--item", "water:40", "--json"]).exits(6).json();
    let ticket = saved["ticket"].as_str().expect("a ticket to follow");
    let _ = alliance.node(0).cli(&["wait", "delivered", ticket, "--timeout", "1s"]).exits(7);
}

#[test]
fn wait_ends_when_it_is_so() {
    let alliance = two();
    let saved =
        alliance.node(0).cli(&["request", "new", "--item", "water:40", "--priority", "urgent", "--needed-by", "6h", "--json"]);
    let saved = saved.saved().json();
    let (id, ticket) = (saved["id"].as_str().expect("an id"), saved["ticket"].as_str().expect("a ticket"));
    let _ = alliance.node(0).cli(&["wait", "delivered", ticket, "--timeout", "20s"]).exits(0);
    let _ = alliance.node(1).cli(&["wait", "request", id, "--timeout", "20s"]).exits(0);
    let _ = alliance.node(1).cli(&["wait", "converged", "--timeout", "30s"]).exits(0);
}

#[test]
fn json_everywhere_names_its_schema() {
    let alliance = two();
    let node = alliance.node(0);
    let saved = node.cli(&["request", "new", "--item", "water:40", "--key", "k", "--json"]).saved().json();
    let id = saved["id"].as_str().expect("an id").to_owned();
    for (line, schema) in [
        (&["status"][..], "holdfast.status/1"),
        (&["request", "list"], "holdfast.requests/1"),
        (&["peers"], "holdfast.peers/1"),
        (&["digest"], "holdfast.digest/1"),
        (&["request", "new", "--item", "water:40", "--key", "k"], "holdfast.request/1"),
        (&["report", "stock", "water=1"], "holdfast.saved/1"),
    ] {
        let line: Vec<&str> = line.iter().copied().chain(["--json"]).collect();
        assert_eq!(node.cli(&line).saved().json()["schema"], schema, "{line:?}");
    }
    for line in [
        &["request", "show", &id, "--json"][..],
        &["doctor", "--json"],
        &["config", "path", "--json"],
        &["config", "show", "--json"],
    ] {
        let run = node.cli(line);
        let schema = run.json()["schema"].as_str().unwrap_or_default().to_owned();
        assert!(schema.starts_with("holdfast.") && schema.contains('/'), "{line:?}: {run:?}");
    }
    let status = node.cli(&["status", "--json"]).exits(0).json();
    assert_eq!((&status["node"]["name"], &status["requests_open"], &status["conflicts"]), (&"a".into(), &1.into(), &0.into()));
    let first = &status["nodes"][0];
    for key in ["id", "name", "operating_status", "reachable", "readings"] {
        assert!(!first[key].is_null(), "{key}: {first}");
    }
}

#[test]
fn digest_is_one_hex_line_and_equal_on_equal_nodes() {
    let alliance = two();
    let _ = alliance.node(0).cli(&["report", "status", "open"]).saved();
    alliance.wait_equal(SOON);
    let lines = [0, 1].map(|n| alliance.node(n).cli(&["digest"]).exits(0).out);
    assert_eq!(lines[0], lines[1]);
    assert!(lines[0].trim_end().bytes().all(|b| b.is_ascii_hexdigit()) && lines[0].len() > 16, "{:?}", lines[0]);
}

#[test]
fn what_was_typed_is_what_others_read() {
    let alliance = two();
    let a = alliance.node(0);
    let _ = a.cli(&["report", "power", "--source", "generator", "--fuel-litres", "120", "--burn", "8"]).saved();
    let _ = a.cli(&["report", "status", "limited", "--desk", "front"]).saved();
    let _ = a.cli(&["report", "stock", "water=low", "rice=30"]).saved();
    alliance.wait_equal(SOON);
    let status = alliance.node(1).cli(&["status", "--json"]).exits(0).json();
    let nodes = status["nodes"].as_array().expect("nodes");
    let seen = nodes.iter().find(|n| n["name"] == "a").expect("a is on the board");
    assert_eq!(seen["operating_status"], "limited");
    assert_eq!(seen["readings"]["power.source"]["value"], "generator");
    assert_eq!(seen["readings"]["power.hours"]["value"], 15, "120 l at 8 l/h: {seen}");
    assert_eq!(seen["readings"]["stock.water"]["value"], "low");
}

#[test]
fn piped_output_has_no_colour_and_chinese_is_chinese() {
    let alliance = two();
    for lang in ["en", "zh-TW"] {
        let run = alliance.node(0).cli(&["--lang", lang, "status"]).exits(0);
        assert!(!run.out.contains('\u{1b}'), "escape bytes off a terminal: {:?}", run.out);
        let chinese = run.out.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert_eq!(chinese, lang == "zh-TW", "{}", run.out);
    }
    let run = alliance.node(0).cli_with(&["request", "show", "R-2222222"], &[("HOLDFAST_LANG", "zh-TW")]).exits(4);
    assert!(run.err.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", run.err);
}

#[test]
fn help_manual_and_completions_need_no_daemon() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    for line in [
        &["--help"][..],
        &["man"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["version"],
        &["request", "new", "--help"],
    ] {
        let run = node.cli(line).exits(0);
        assert!(!run.out.trim().is_empty(), "{line:?}");
    }
    let help = node.cli(&["--help"]).exits(0).out;
    for word in ["Exit codes", "saved here, not yet delivered", "report", "request", "demo"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let zh = node.cli_with(&["request", "new", "--help"], &[("HOLDFAST_LANG", "zh-TW")]).exits(0).out;
    assert!(zh.contains("提出補給需求") && !zh.contains("Ask for supplies") && !zh.contains("Usage"), "{zh}");
}

#[test]
fn a_slip_of_the_keyboard_is_answered_in_the_chosen_language_with_the_usage_meant() {
    let alliance = Plan::of(1).make();
    for (line, en, zh) in [
        (&["report", "stock"][..], "<ITEM=QTY|LEVEL>... is missing", "缺少 <ITEM=QTY|LEVEL>..."),
        (&["requst"], "Did you mean `holdfast request`?", "您是指 `holdfast request` 嗎？"),
    ] {
        let run = alliance.node(0).cli(line).exits(2);
        assert!(run.err.contains(en) && run.err.contains("Usage: `holdfast ") && run.err.lines().count() == 4, "{run:?}");
        let run = alliance.node(0).cli_with(line, &[("HOLDFAST_LANG", "zh-TW")]).exits(2);
        assert!(run.err.contains(zh) && run.err.contains("用法：`holdfast ") && !run.err.contains("Usage"), "{run:?}");
    }
}

#[test]
fn config_check_names_the_line_of_each_fault_as_the_daemon_would() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let file = node.config().display().to_string();
    let good = node.settings.to_toml();
    write(node.config(), &good).expect("the configuration");
    let _ = node.cli(&["config", "check", &file]).exits(0);
    for (from, to, says, zh_says) in [
        ("[log]", "[satellite]", "there is no section [satellite]", "沒有 [satellite] 這個區段"),
        ("mdns = false", "mdsn = false", "Did you mean mdns?", "您是指 mdns 嗎"),
        ("mdns = false", "mdns = 3", "it must be true or false", "應為 true 或 false"),
        ("probe = \"1s\"", "probe = \"1 s\"", "30s", "30s"),
        ("peers = []", "peers = [\"store-b\"]", "192.168.1.20:4401", "192.168.1.20:4401"),
        ("listen = \"127.0.0.1:", "listen = \"0.0.0.0:", "only listen on this computer", "只能在這台電腦上使用"),
        ("mdns = false", "mdns = off", "the value can't be read", "看不懂設定值"),
    ] {
        let bad = good.replacen(from, to, 1);
        write(node.config(), &bad).expect("the configuration");
        let line = bad.lines().position(|line| line.contains(to)).expect("it was changed") + 1;
        let run = node.cli(&["config", "check", &file]).exits(1);
        assert!(run.err.contains(&format!("{line}: ")) && run.err.contains(says), "{to}: {run:?}");
        let zh = node.cli(&["--lang", "zh-TW", "config", "check", &file]).exits(1);
        assert!(zh.err.contains(&format!("第 {line} 行：")) && zh.err.contains(zh_says), "{to}: {zh:?}");
        assert!(zh.err.contains("背景程式無法以此檔啟動"), "{to}: {zh:?}");
        let refused = node.refuses_as_written();
        assert!(refused.err.contains(&format!("line {line}: ")) && refused.err.contains(says), "{to}: {refused:?}");
    }
    for (from, to, code) in [
        ("data_dir = \"data\"", "data_dir = \"/proc/nope\"", "H-728"),
        ("stamp_file = \"continuity.stamp\"", "stamp_file = \"/proc/x.stamp\"", "H-717"),
        ("token_file = \"api.token\"", "token_file = \"/proc/nope/api.token\"", "H-734"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        write(node.config(), bad).expect("the configuration");
        let run = node.cli(&["config", "check", &file]).exits(1);
        assert!(run.err.contains(code), "{to}: {run:?}");
        let refused = node.refuses_as_written();
        assert!(refused.err.contains(code), "{to}: {refused:?}");
    }
    write(node.config(), good.replace("node.key", "lost.key")).expect("the configuration");
    assert!(node.cli(&["config", "check", &file]).exits(1).err.contains("lost.key"));
    write(node.config(), &good).expect("the configuration");
    std::fs::copy(Plan::of(1).make().node(0).dir().join("node.key"), node.dir().join("node.key")).expect("a key of another");
    let run = node.cli(&["--lang", "zh-TW", "config", "check", &file]).exits(1);
    assert!(run.err.contains("H-716") && run.err.contains("其他據點不會相信這台電腦"), "{run:?}");
}

#[test]
fn doctor_finds_a_healthy_node_healthy() {
    let alliance = two();
    let run = alliance.node(0).cli(&["doctor"]);
    assert!(run.code == 0 && run.out.lines().count() > 2, "{run:?}");
}

#[test]
fn an_act_written_down_late_says_when_it_was_so() {
    let alliance = two();
    let _ = alliance.node(0).cli(&["report", "status", "closed", "--at", "20m", "--desk", "1F"]).saved();
    eventually(SOON, "the age counts from when it was so", || {
        let status = alliance.node(1).api().status()?;
        let a = status.nodes.iter().find(|n| n.name == "a").ok_or("a is not on the board")?;
        let age = a.readings.get("operating.status").and_then(|r| r.age_s);
        if age.is_some_and(|age| (1_200..1_300).contains(&age)) { Ok(()) } else { Err(format!("{age:?}")) }
    });
}

#[test]
fn every_example_configuration_would_start_a_daemon_once_it_has_its_papers() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let mut checked = 0;
    for entry in std::fs::read_dir(holdfast_tests::workspace_root().join("configs")).expect("configs/").flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if !entry.file_name().to_string_lossy().ends_with(".toml") || !text.contains("[node]") {
            continue;
        }
        // With this test's own papers in place of those of a service.
        write(node.config(), text.replace("/etc/holdfast", &node.dir().display().to_string())).expect("the configuration");
        let run = node.cli(&["config", "check", &node.config().display().to_string()]);
        assert_eq!(run.code, 0, "{:?}: {}", entry.file_name(), run.words());
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} examples");
}
