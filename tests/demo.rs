//! `holdfast demo` as a newcomer runs it: it starts, is cut and healed, loses a node and gets it back, and leaves nothing behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use holdfast_tests::{Run, SOON, binaries, eventually, free_base, run, signal};
use serde_json::Value;

/// A running demo; ended when dropped.
struct Demo {
    dir: tempfile::TempDir,
    child: Child,
}

fn holdfast(dir: &Path) -> Command {
    let mut command = Command::new(&binaries().holdfast);
    for name in ["HOLDFAST_API", "HOLDFAST_TOKEN_FILE", "HOLDFAST_LANG"] {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C.UTF-8").env("HOME", dir).env("XDG_STATE_HOME", dir.join("state"));
    command
}

impl Demo {
    fn start(nodes: u16) -> Self {
        Self::start_with(nodes, &[])
    }

    fn start_with(nodes: u16, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let words = File::create(dir.path().join("words")).expect("a file for what the demo says");
        let mut command = holdfast(dir.path());
        command.args(["demo", "--headless", "--nodes", &nodes.to_string(), "--port-base", &free_base(nodes).to_string()]);
        command.args(more).arg("--dir").arg(dir.path().join("demo"));
        command.stdin(Stdio::null()).stdout(words.try_clone().expect("a file handle can be doubled")).stderr(words);
        let child = command.spawn().expect("holdfast can be started");
        let mut demo = Self { dir, child };
        eventually(SOON, "the demo is ready", || {
            if let Ok(Some(status)) = demo.child.try_wait() {
                panic!("the demo ended with {status}: {}", demo.words());
            }
            let ready = demo.words().lines().any(|l| l.contains("holdfast.demo/1"));
            if ready { Ok(()) } else { Err(demo.words()) }
        });
        demo
    }

    fn words(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("words")).unwrap_or_default()
    }

    fn dir(&self) -> PathBuf {
        self.dir.path().join("demo")
    }

    #[track_caller]
    fn run(&self, args: &[&str]) -> Run {
        run(holdfast(self.dir.path()).args(args).arg("--dir").arg(self.dir()), Duration::from_secs(60))
    }

    /// `holdfast --demo-node NAME ARGS`.
    #[track_caller]
    fn on(&self, node: &str, args: &[&str]) -> Run {
        self.run(&[&["--demo-node", node], args].concat())
    }

    #[track_caller]
    fn digests(&self) -> Vec<String> {
        ["a", "b", "c"].map(|node| self.on(node, &["digest"]).exits(0).out).into()
    }

    fn pids(&self) -> Vec<u64> {
        let file = std::fs::read_to_string(self.dir().join("demo.json")).expect("demo.json");
        let file: Value = serde_json::from_str(&file).expect("demo.json is JSON");
        file["nodes"].as_array().expect("nodes").iter().filter_map(|n| n["pid"].as_u64()).collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the demo said\n{}", self.words());
        }
        if let Ok(None) = self.child.try_wait() {
            signal(self.child.id(), "TERM");
            let child = &mut self.child;
            let _ = holdfast_tests::eventually_or(Duration::from_secs(10), || match child.try_wait() {
                Ok(Some(_)) => Ok(()),
                Ok(None) | Err(_) => Err(()),
            });
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[test]
fn cut_write_on_both_sides_heal_and_all_three_are_equal() {
    let demo = Demo::start(3);
    let paths = demo.run(&["config", "path", "--json"]).exits(0).json();
    let configs = paths["daemon_configs"].as_array().expect("the demo's configurations");
    assert_eq!(configs.len(), 3);
    for config in configs {
        let _ = demo.run(&["config", "check", config.as_str().expect("a path")]).exits(0);
    }
    let _ = demo.on("a", &["report", "stock", "water=120"]).exits(0);
    let _ = demo.run(&["wait", "converged", "--timeout", "30s"]).exits(0);
    let _ = demo.run(&["demo", "cut"]).exits(0);
    let _ = demo.on("a", &["request", "new", "--item", "water:40", "--priority", "urgent"]).exits(6);
    let _ = demo.on("b", &["request", "new", "--item", "rice:5"]).exits(0);
    let [a, b, _] = <[String; 3]>::try_from(demo.digests()).expect("three digests");
    assert_ne!(a, b, "a is cut off from b");
    let doctor = demo.on("a", &["doctor"]).exits(1);
    assert!(doctor.out.contains("holdfast demo heal --dir") && !doctor.out.contains("all well"), "{doctor:?}");
    let _ = demo.run(&["demo", "heal"]).exits(0);
    let _ = demo.run(&["wait", "converged", "--timeout", "30s"]).exits(0);
    for node in ["a", "b", "c"] {
        let list = demo.on(node, &["request", "list", "--json"]).exits(0).json();
        assert_eq!(list["requests"].as_array().map(Vec::len), Some(2), "{node}: {list}");
    }
    let digests = demo.digests();
    assert!(digests.iter().all(|d| *d == digests[0]), "{digests:?}");
}

#[test]
fn cut_off_from_every_line_a_report_still_comes_by_radio_and_status_says_so() {
    let demo = Demo::start_with(2, &["--radio"]);
    let _ = demo.run(&["wait", "converged", "--timeout", "30s"]).exits(0);
    let _ = demo.run(&["demo", "cut"]).exits(0);
    let _ = demo.on("a", &["report", "stock", "water=low"]).saved();
    let minutes = Duration::from_secs(120);
    eventually(minutes, "the report is at b", || {
        let status = demo.on("b", &["status", "--json"]).exits(0).json();
        let a = status["nodes"].as_array().expect("nodes").iter().find(|n| n["id"] == "1-1").cloned().expect("a is listed");
        let level = a["readings"]["stock.water"]["value"] == "low";
        let via = a["via"].as_str().unwrap_or_default().starts_with("radio /dev/");
        if level && via { Ok(()) } else { Err(a.to_string()) }
    });
    eventually(minutes, "a has heard b too", || {
        let status = demo.on("a", &["status", "--json"]).exits(0).json();
        let line = status["radio"]["en"].as_str().unwrap_or_default();
        if line.starts_with("radio: heard Hub B") { Ok(()) } else { Err(status["radio"].to_string()) }
    });
    let shown = demo.on("b", &["status"]).exits(0);
    assert!(shown.out.contains("radio: heard Store A") && shown.out.contains("last by radio /dev/"), "{}", shown.out);
}

#[test]
fn a_killed_node_comes_back_with_what_it_missed() {
    let demo = Demo::start(3);
    let _ = demo.on("b", &["request", "new", "--item", "water:1"]).exits(0);
    let _ = demo.run(&["demo", "kill", "b"]).exits(0);
    let told = demo.on("b", &["status"]).exits(3);
    assert!(told.err.contains("holdfast demo start b") && !told.err.contains("--config"), "{}", told.err);
    let status = demo.run(&["demo", "status", "--json"]).exits(0).json();
    let b = status["nodes"].as_array().expect("nodes").iter().find(|n| n["name"] == "b").cloned().expect("b is listed");
    assert!(b["pid"].is_null() || b["running"] == false, "{b}");
    let _ = demo.on("a", &["request", "new", "--item", "rice:1"]).exits(0);
    for node in ["a", "b"] {
        let doctor = demo.on(node, &["doctor"]).exits(1);
        assert!(doctor.out.contains("holdfast demo start b --dir") && !doctor.out.contains("--config"), "{doctor:?}");
    }
    let _ = demo.run(&["demo", "start", "b"]).exits(0);
    let _ = demo.run(&["wait", "converged", "--timeout", "30s"]).exits(0);
    let list = demo.on("b", &["request", "list", "--json"]).exits(0).json();
    assert_eq!(list["requests"].as_array().map(Vec::len), Some(2), "{list}");
}

#[test]
fn sigterm_ends_all_of_it_and_leaves_no_daemon_behind() {
    let mut demo = Demo::start(3);
    let pids = demo.pids();
    assert_eq!(pids.len(), 3);
    signal(demo.child.id(), "TERM");
    eventually(SOON, "the demo ends", || match demo.child.try_wait() {
        Ok(Some(status)) if status.success() => Ok(()),
        other => Err(format!("{other:?}")),
    });
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "daemon {pid} was left behind");
    }
    let _ = demo.on("a", &["status"]).exits(3);
}

#[test]
fn a_second_demo_in_the_same_folder_is_refused() {
    let demo = Demo::start(3);
    let mut second = holdfast(demo.dir.path());
    second.args(["demo", "--headless", "--port-base", &free_base(3).to_string()]).arg("--dir").arg(demo.dir());
    let second = run(&mut second, Duration::from_secs(20));
    assert!(second.code != 0 && !second.err.is_empty(), "{second:?}");
    let _ = demo.on("a", &["status"]).exits(0);
}

#[test]
fn a_demo_whose_port_is_taken_says_which() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let base = free_base(3);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", base)).expect("the port is free");
    let mut command = holdfast(dir.path());
    command.args(["demo", "--headless", "--port-base", &base.to_string()]).arg("--dir").arg(dir.path().join("demo"));
    let run = run(&mut command, Duration::from_secs(20)).exits(1);
    assert!(run.err.contains(&base.to_string()), "{}", run.err);
}

#[test]
fn the_script_that_starts_it_speaks_the_language_of_the_terminal() {
    let script = format!(". {}/configs/toolchain.sh; say ready 就緒", holdfast_tests::workspace_root().display());
    for (name, value, said) in [("LANG", "C.UTF-8", "ready"), ("LANG", "zh_TW.UTF-8", "就緒"), ("HOLDFAST_LANG", "zh-TW", "就緒")]
    {
        let mut command = Command::new("sh");
        command.args(["-c", &script]).env_remove("HOLDFAST_LANG").env_remove("LC_ALL").env(name, value);
        assert_eq!(run(&mut command, Duration::from_secs(10)).exits(0).out, said, "{name}={value}");
    }
}

#[test]
fn steering_a_demo_that_does_not_run_says_so() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for act in ["status", "cut", "heal"] {
        let run = run(holdfast(dir.path()).args(["demo", act, "--dir"]).arg(dir.path()), Duration::from_secs(20)).exits(3);
        assert!(run.err.contains("holdfast demo"), "it says how to start one: {}", run.err);
    }
}
