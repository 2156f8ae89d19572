//! One daemon and its machine: what it needs to start, what it says when it can't, how it ends.

use std::fs::{read_to_string, remove_file, write};
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

use holdfast_tests::{BLINK, Node, Plan, Run, binaries, eventually, run};

/// A refusal to start: exit code 1, words in both languages and this code on standard error alone, and no backtrace.
#[track_caller]
fn refused(run: Run, code: &str, words: &[&str]) {
    let run = run.exits(1);
    assert!(run.out.is_empty(), "standard output is for nobody: {}", run.out);
    assert!(!run.err.contains("panicked") && !run.err.contains("RUST_BACKTRACE"), "a crash is no answer: {}", run.err);
    assert!(run.err.ends_with(&format!("\ncode: {code}\n")), "{code} is not said: {}", run.err);
    let said = |prefix: &str| run.err.lines().any(|line| line.strip_prefix(prefix).is_some_and(|words| !words.is_empty()));
    assert!(said("holdfastd could not run: ") && said("holdfastd 無法執行："), "in both languages: {}", run.err);
    for word in words {
        assert!(run.err.to_lowercase().contains(&word.to_lowercase()), "{word:?} is not said: {}", run.err);
    }
}

#[test]
fn a_second_daemon_on_one_folder_leaves_within_a_second() {
    let mut alliance = Plan::of(2).make();
    alliance.node_mut(0).start();
    // Its own ports, so that the folder alone is in the way.
    let mut settings = alliance.node(1).settings.clone();
    settings.data_dir = alliance.node(0).data_dir();
    let first = alliance.node(0);
    let second_dir = first.dir().join("second");
    std::fs::create_dir(&second_dir).expect("a folder");
    for file in ["node.key", "alliance.hf", "continuity.stamp"] {
        std::fs::copy(first.dir().join(file), second_dir.join(file)).expect("the first node's file");
    }
    let second = Node::new("second", first.id, second_dir, settings);
    let run = second.refuses();
    assert!(run.took < Duration::from_secs(1), "it took {:?}", run.took);
    refused(run, "H-721", &["in use by another", "data"]);
    first.api().ask_for("water:1", "the first goes on", None).expect("saved");
}

#[test]
fn an_api_port_in_use_is_named() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let _taken = TcpListener::bind(("127.0.0.1", node.settings.api_port)).expect("the port is free");
    refused(node.refuses(), "H-731", &[&node.settings.api_port.to_string(), "in use", "已被其他程式使用"]);
    left_as_it_was(node);
}

/// A start that was refused made nothing: no data, no stamp, no token.
#[track_caller]
fn left_as_it_was(node: &Node) {
    let listed = std::fs::read_dir(node.dir()).expect("the node's folder").map(|entry| entry.expect("readable").file_name());
    let mut files: Vec<String> = listed.map(|name| name.to_string_lossy().into_owned()).collect();
    files.sort();
    assert_eq!(files, ["alliance.hf", "holdfast.toml", "node.key"]);
}

#[test]
fn a_sync_port_in_use_is_named() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let _taken = UdpSocket::bind(("127.0.0.1", node.settings.sync_port)).expect("the port is free");
    refused(node.refuses(), "H-741", &[&node.settings.sync_port.to_string(), "in use", "已被其他程式使用"]);
    left_as_it_was(node);
}

/// What `holdfastd --check` finds, as codes; it makes nothing.
fn checked(node: &Node) -> Vec<String> {
    node.write_config();
    let mut command = Command::new(&binaries().holdfastd);
    let told = run(command.arg("--check").arg("--config").arg(node.config()), BLINK);
    left_as_it_was(node);
    let faults = told.json()["faults"].as_array().cloned().unwrap_or_default();
    assert_eq!(told.code, i32::from(!faults.is_empty()), "{}", told.out);
    assert!(faults.iter().all(|fault| ["en", "zh"].iter().all(|lang| fault[lang].is_string())), "{}", told.out);
    faults.iter().filter_map(|fault| fault["code"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_check_finds_what_a_start_would_refuse_and_makes_nothing() {
    let mut alliance = Plan::of(1).make();
    assert_eq!(checked(alliance.node(0)), Vec::<String>::new());
    let key = alliance.node(0).dir().join("node.key");
    alliance.node_mut(0).settings.data_dir = key.join("data");
    assert_eq!(checked(alliance.node(0)), ["H-728"], "below a file there is no folder");
    // The stamp lies beside it: in the very folder it would prove.
    let folder = alliance.node(0).dir().to_owned();
    alliance.node_mut(0).settings.data_dir = folder;
    assert_eq!(checked(alliance.node(0)), ["H-703"], "a copy of the data would bring its stamp along");
    refused(alliance.node(0).refuses(), "H-703", &["stamp_file", "data_dir", "不可放在 data_dir 裡"]);
}

#[test]
fn a_folder_without_right_is_named() {
    let mut alliance = Plan::of(1).make();
    // Nobody may make a folder there, not even root.
    alliance.node_mut(0).settings.data_dir = "/sys/holdfast-data".into();
    refused(alliance.node(0).refuses(), "H-722", &["/sys/holdfast-data"]);
}

#[test]
fn a_data_folder_that_is_a_file_is_named() {
    let alliance = Plan::of(1).make();
    write(alliance.node(0).data_dir(), "not a folder").expect("a file");
    refused(alliance.node(0).refuses(), "H-728", &["data"]);
}

#[test]
fn a_missing_key_is_named_and_none_is_made_up() {
    let alliance = Plan::of(1).make();
    let key = alliance.node(0).dir().join("node.key");
    remove_file(&key).expect("the key was there");
    refused(alliance.node(0).refuses(), "H-711", &["node.key"]);
    assert!(!key.exists());
}

#[test]
fn a_key_file_that_is_no_key_is_named_and_not_shown() {
    let alliance = Plan::of(1).make();
    let key = alliance.node(0).dir().join("node.key");
    let text = read_to_string(&key).expect("the key");
    write(&key, text.replace("BEGIN", "BEGINS")).expect("the key");
    let run = alliance.node(0).refuses();
    let secret = text.lines().nth(1).expect("the second line holds the key");
    assert!(!run.words().contains(secret), "a refusal must not print the key");
    refused(run, "H-712", &["node.key", "line 1:", "第 1 行："]);
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused_with_its_line() {
    let mut alliance = Plan::of(1).make();
    alliance.node_mut(0).settings.first_lines = "# a comment\n\n[satellite]\nbaud = 1200\n\n".to_owned();
    refused(alliance.node(0).refuses(), "H-702", &["satellite", "line 3", "holdfast.toml"]);
}

#[test]
fn a_wrong_type_in_the_configuration_is_refused_with_its_line() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let text = node.settings.to_toml().replacen("enabled = true", "enabled = \"perhaps\"", 1);
    let line = text.lines().position(|l| l.contains("perhaps")).expect("the line is there") + 1;
    write(node.config(), text).expect("the configuration");
    refused(node.refuses_as_written(), "H-702", &["enabled", &format!("line {line}")]);
}

#[test]
fn an_address_that_is_none_is_refused_with_its_key() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let api = format!("listen = \"127.0.0.1:{}\"", node.settings.api_port);
    write(node.config(), node.settings.to_toml().replace(&api, "listen = \"the till\"")).expect("the configuration");
    refused(node.refuses_as_written(), "H-702", &["listen", "the till"]);
}

#[test]
fn an_api_address_beyond_loopback_is_refused() {
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    let api = format!("listen = \"127.0.0.1:{}\"", node.settings.api_port);
    let open = format!("listen = \"0.0.0.0:{}\"", node.settings.api_port);
    write(node.config(), node.settings.to_toml().replace(&api, &open)).expect("the configuration");
    refused(node.refuses_as_written(), "H-703", &["listen", "this computer"]);
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let alliance = Plan::of(1).make();
    refused(alliance.node(0).refuses_as_written(), "H-701", &["holdfast.toml"]);
}

#[test]
fn wrong_usage_of_the_daemon_is_told_in_both_languages() {
    for (args, en, zh) in [
        (&[][..], "--config <FILE> is missing", "缺少 --config <FILE>"),
        (&["--config"], "--config <FILE> has no value", "--config <FILE> 沒有填值"),
        (&["--confg", "x"], "it does not take \"--confg\"", "不接受「--confg」"),
    ] {
        let mut command = std::process::Command::new(&holdfast_tests::binaries().holdfastd);
        let run = holdfast_tests::run(command.args(args), BLINK).exits(2);
        assert!(run.err.contains(en) && run.err.contains(zh) && run.err.contains("H-700"), "{run:?}");
        assert_eq!(run.err.lines().count(), 3, "{run:?}");
    }
}

#[test]
fn a_token_file_others_may_read_and_one_without_a_token_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let alliance = Plan::of(1).make();
    let node = alliance.node(0);
    write(node.token_file(), "no token").expect("the token file");
    let may = |mode| std::fs::set_permissions(node.token_file(), std::fs::Permissions::from_mode(mode)).expect("rights");
    may(0o644);
    refused(node.refuses(), "H-732", &["api.token", "chmod 600"]);
    may(0o600);
    refused(node.refuses(), "H-733", &["api.token", "delete it"]);
}

#[test]
fn a_key_the_alliance_does_not_know_is_refused() {
    let alliance = Plan::of(1).make();
    let other = Plan::of(1).make();
    let node = alliance.node(0);
    std::fs::copy(other.node(0).dir().join("node.key"), node.dir().join("node.key")).expect("another alliance's key");
    refused(node.refuses(), "H-716", &["holds no certificate", "node.key", "alliance.hf", "nothing was started"]);
}

#[test]
fn a_log_filter_and_a_variable_that_mean_nothing_are_refused() {
    let mut alliance = Plan::of(1).make();
    let text = alliance.node(0).settings.to_toml().replacen("filter = \"info", "filter = \"info=loud", 1);
    write(alliance.node(0).config(), text).expect("the configuration");
    refused(alliance.node(0).refuses_as_written(), "H-703", &["filter", "trace"]);
    alliance.node_mut(0).env.insert("HOLDFAST_SYNC__ENABLED".to_owned(), "perhaps".to_owned());
    refused(alliance.node(0).refuses(), "H-704", &["HOLDFAST_SYNC__ENABLED"]);
}

#[test]
fn the_environment_overrides_the_file() {
    let mut alliance = Plan::of(1).make();
    let port = holdfast_tests::free_port();
    alliance.node_mut(0).env.insert("HOLDFAST_API__LISTEN".to_owned(), format!("127.0.0.1:{port}"));
    alliance.node_mut(0).spawn();
    eventually(BLINK, "the port from the environment answers", || holdfast_tests::Api::new(port, "").get("/healthz"));
}

#[test]
fn the_token_is_made_at_the_first_start_for_this_user_alone_and_kept() {
    use std::os::unix::fs::PermissionsExt;
    let mut alliance = Plan::of(1).start();
    let file = alliance.node(0).token_file();
    let token = read_to_string(&file).expect("the token");
    assert_eq!(token.trim().len(), 64);
    assert!(token.trim().bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(file.metadata().expect("the token").permissions().mode() & 0o777, 0o600);
    alliance.node_mut(0).stop();
    alliance.node_mut(0).start();
    assert_eq!(read_to_string(&file).expect("the token"), token);
}

#[test]
fn health_readiness_and_metrics_need_no_token_and_a_lonely_node_is_ready() {
    let mut alliance = Plan::of(2).make();
    alliance.node_mut(0).start();
    let api = alliance.node(0).api().with_token("");
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(api.get(path).expect("an answer").status, 200, "{path}");
    }
    let metrics = api.get("/metrics").expect("an answer").body;
    assert!(metrics.lines().any(|l| l.starts_with("holdfast_") && l.split(' ').count() == 2), "{metrics}");
}

#[test]
fn a_running_daemon_says_nothing_on_standard_output_and_ends_on_sigterm() {
    let mut alliance = Plan::of(1).start();
    alliance.node_mut(0).stop();
    let log = alliance.node(0).log();
    assert!(log.contains("ready") && log.contains("INFO asked to end by=\"SIGTERM\""), "{log}");
}
