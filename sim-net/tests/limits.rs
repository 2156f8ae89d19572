//! Where a computation must end before its end, it ends in order: what was reached is reported, said to be partial, and replays.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const SCENARIO: &str = r#"
exercise = { id = "LIMITS", duration = "2h" }
inject = [{ at = "01:00", what = "request", as = "site:S2", name = "ask", data = { id = "R-1", item = "water", qty = 40 } }]
[world]
generate = { sites = 6, hubs = 1, region = "HUA" }
[[expect]]
id = "X1"
text = "All know of it"
after = "name:ask"
within = "10m"
check = { every = "*", knows = "request:R-1" }
[[expect]]
id = "X2"
text = "All hold the same"
within = "90m"
check = { equal = "*" }
"#;

fn sim() -> Command {
    Command::new(env!("CARGO_BIN_EXE_holdfast-sim"))
}

fn scenario(dir: &Path, text: &str) -> PathBuf {
    let folder = dir.join("scenario");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("scenario.toml"), text).expect("a file");
    folder
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a folder holds is a whole report of a part, and playing it again gives the same part.
#[track_caller]
fn is_partial(out: &Path, why: &str) -> Value {
    let record: Value =
        serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("it is there")).expect("it is JSON");
    assert_eq!(record["run"]["ended_early"], why);
    let page = fs::read_to_string(out.join("report.html")).expect("it is there");
    assert!(page.contains("Play ended early at") && page.contains("演練提前結束於") && page.ends_with("</html>\n"));
    let again = sim().arg("replay").arg(out).output().expect("it runs");
    assert!(again.status.success(), "{}", said(&again));
    record
}

#[test]
fn a_run_that_takes_too_much_memory_reports_what_it_reached() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out");
    let folder = scenario(dir.path(), SCENARIO);
    let run = sim().arg("run").arg(folder).args(["--max-memory", "1", "--json", "--out"]).arg(&out).output().expect("it runs");
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    let line: Value = serde_json::from_slice(&run.stdout).expect("one line of JSON");
    assert_eq!(line["ended_early"], "memory");
    let record = is_partial(&out, "memory");
    let reached = record["run"]["reached"].as_u64().expect("a number");
    assert!(reached > 0 && reached < 3_600_000_000, "{reached}");
    let results: Vec<&Value> = record["expectations"].as_array().expect("a list").iter().map(|one| &one["result"]).collect();
    assert_eq!(results[0], "not_observed", "what starts its clock was not reached");
}

#[test]
fn a_run_that_takes_too_long_says_when_it_stopped_and_why() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out");
    let folder = scenario(dir.path(), SCENARIO);
    let limits = ["--max-wall", "1", "--speed", "2x", "--out"];
    let run = sim().arg("run").arg(folder).args(limits).arg(&out).output().expect("it runs");
    let told = said(&run);
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.contains("ended early at H+00:00:") && told.contains("time allowed for the computation ran out"), "{told}");
    let record = is_partial(&out, "time");
    let reached = record["run"]["reached"].as_u64().expect("a number");
    assert!((1_000_000..60_000_000).contains(&reached), "a second at twice real time: {reached}");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_run_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out");
    let folder = scenario(dir.path(), SCENARIO);
    let mut command = sim();
    command.arg("run").arg(folder).args(["--speed", "1x", "--out"]).arg(&out).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    let pid = child.id().to_string();
    // From the moment it says to the system that it takes the signal.
    let catches = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("it is told");
        u64::from_str_radix(mask.trim(), 16).expect("hex") & 0b10 != 0
    };
    while !catches() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    let run = child.wait_with_output().expect("it ends");
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    is_partial(&out, "interrupted");
}

#[test]
fn a_sweep_that_takes_too_long_sums_up_the_seeds_that_were_run() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out");
    for jobs in ["1", "2"] {
        let small =
            ["--seeds", "0..100000", "--nodes", "2", "--minutes", "1", "--once", "--max-wall", "3", "--jobs", jobs, "--out"];
        let run = sim().arg("sweep").args(small).arg(&out).output().expect("it runs");
        let told = said(&run);
        assert_eq!(run.status.code(), Some(1), "{told}");
        assert!(told.contains("ended early: ") && told.contains("were not run to their end"), "{told}");
        let summary: Value =
            serde_json::from_str(&fs::read_to_string(out.join("summary.json")).expect("it is there")).expect("JSON");
        let count = summary["count"].as_u64().expect("a number");
        assert!(count > 0 && count < 100_000 && summary["failed"] == json!({}), "{count}");
    }
}

#[test]
fn a_play_ends_in_order_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("out");
    let folder = scenario(dir.path(), SCENARIO);
    let mut command = sim();
    command.arg("play").arg(folder).args(["--max-wall", "1", "--out"]).arg(&out).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // Somebody sits at the keyboard and writes nothing.
    let keyboard = child.stdin.take();
    let run = child.wait_with_output().expect("it ends");
    drop(keyboard);
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    is_partial(&out, "time");
}

/// Five hundred sites whose lines flap: busy from the first second.
const LARGE: &str = r#"
exercise = { id = "LARGE", duration = "6h" }
inject = [{ at = "00:00", what = "flap", where = "role:store", period = "20s", lasts = "5h" }]
[world]
generate = { sites = 500, hubs = 12, region = "HUA" }
"#;

#[test]
fn limits_are_looked_at_however_large_the_alliance_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = scenario(dir.path(), LARGE);
    for (limit, why) in [(["--max-wall", "4"], "time"), (["--max-memory", "64"], "memory")] {
        let out = dir.path().join(why);
        let run = sim().arg("run").arg(&folder).args(limit).args(["--json", "--out"]).arg(&out).output().expect("it runs");
        assert_eq!(run.status.code(), Some(1), "{}", said(&run));
        if run.stdout.is_empty() {
            // On a slow machine the limit is reached before STARTEX.
            assert!(said(&run).contains("ended before STARTEX") && !out.exists(), "{}", said(&run));
            continue;
        }
        let line: Value = serde_json::from_slice(&run.stdout).expect("one line of JSON");
        assert_eq!(line["ended_early"], why);
        let wall = line["wall_s"].as_f64().expect("a number");
        assert!(wall < 12.0, "a limit of seconds held after {wall} s");
        let record: Value =
            serde_json::from_str(&fs::read_to_string(out.join("report.json")).expect("it is there")).expect("JSON");
        assert_eq!(record["run"]["ended_early"], why);
    }
}

/// Writes these lines to a play and gives up the keyboard.
fn typed(folder: &Path, lines: &str, more: &[&str]) -> Output {
    let mut command = sim();
    command.arg("play").arg(folder).args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    match child.stdin.take().expect("a keyboard").write_all(lines.as_bytes()) {
        // A play that is refused ends before it reads a line.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.expect("it reads"),
    }
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_play_without_orders_ends_where_it_stands_and_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, out) = (scenario(dir.path(), SCENARIO), dir.path().join("out"));
    let run = typed(&folder, "go 00:20\n", &["--out", out.to_str().expect("a path")]);
    assert_eq!(run.status.code(), Some(1), "{}", said(&run));
    let record = is_partial(&out, "no-orders");
    assert_eq!(record["run"]["reached"], 1_200_000_000_u64);
    let page = fs::read_to_string(out.join("report.html")).expect("it is there");
    assert!(page.contains("nobody was left to give orders") && page.contains("沒有人再下達指令"));
}

#[test]
fn no_record_is_written_over_unless_somebody_says_so() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, out) = (scenario(dir.path(), SCENARIO), dir.path().join("out"));
    let out = out.to_str().expect("a path");
    let run = |more: &[&str]| {
        sim().arg("run").arg(&folder).args(["--until", "00:01", "--out", out]).args(more).output().expect("it runs")
    };
    run(&[]);
    let record = || fs::read_to_string(Path::new(out).join("report.json")).expect("it is there");
    let first = record();
    for again in [run(&["--seed", "9"]), typed(&folder, "go 00:01\n", &["--out", out])] {
        assert_eq!(again.status.code(), Some(1));
        assert!(
            said(&again).contains("holds a record already; nothing was played") && said(&again).contains("--force"),
            "{}",
            said(&again)
        );
        assert_eq!(record(), first);
    }
    run(&["--seed", "9", "--force"]);
    assert_ne!(record(), first);
}

#[test]
fn a_record_replays_by_its_folder_and_by_its_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, out) = (scenario(dir.path(), SCENARIO), dir.path().join("out"));
    sim().arg("run").arg(&folder).args(["--until", "00:01", "--out"]).arg(&out).output().expect("it runs");
    for (file, code, words) in [
        ("", 0, "the same run"),
        ("report.json", 0, "the same run"),
        ("nosuch", 1, "there is no such file or folder. Give the folder that `run --out`"),
        ("report.html", 1, "or a file that a daemon"),
        ("scenario", 1, "Give the folder that"),
    ] {
        let replay = sim().arg("replay").arg(out.join(file)).output().expect("it runs");
        assert!(replay.status.code() == Some(code) && said(&replay).contains(words), "{file}: {}", said(&replay));
    }
    let here = sim().args(["replay", "report.json"]).current_dir(&out).output().expect("it runs");
    assert!(here.status.success(), "{}", said(&here));
}

/// Nobody says or does anything.
const VAIN: &str = r#"
exercise = { id = "VAIN", duration = "10m" }
[world]
generate = { sites = 4, hubs = 1, region = "HUA" }
[world.defaults]
tempo = { boards = "never", entries = "never" }
"#;

#[test]
fn a_sweep_of_a_scenario_fails_where_nothing_of_what_it_is_for_ever_happens() {
    let dir = tempfile::tempdir().expect("a folder");
    let sweep = |text: &str, more: &[&str]| {
        let folder = scenario(dir.path(), text);
        sim().arg("sweep").arg(folder).args(["--seeds", "1..3", "--once"]).args(more).output().expect("it runs")
    };
    let calm = VAIN;
    let told = sweep(calm, &[]);
    assert_eq!(told.status.code(), Some(1), "{}", said(&told));
    assert!(said(&told).contains("never happened, so never tested: Anything"), "{}", said(&told));
    assert_eq!(sweep(calm, &["--allow-vacuous"]).status.code(), Some(0));
    // The one who is asked to speak is off until the end: the request is never made, and nobody can look for it.
    let off = "[[inject]]\nat = \"00:01\"\nwhat = \"crash\"\nwhere = \"site:S1\"\n\
               [[inject]]\nat = \"00:02\"\nwhat = \"request\"\nname = \"ask\"\nas = \"site:S1\"\ndata = { id = \"R-1\", item = \"water\", qty = 4 }\n";
    let told = sweep(&format!("{calm}{off}"), &[]);
    assert!(said(&told).contains("never happened, so never tested: SavedRequest"), "{}", said(&told));
    let on = off.replace("00:01", "00:05").replace("site:S1\"\n[", "site:S3\"\n[");
    let told = sweep(&format!("{calm}{on}"), &[]);
    assert!(!said(&told).contains("never happened") && told.status.success(), "{}", said(&told));
}
