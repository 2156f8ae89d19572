//! Seeds as developers run them: sweeps in parts, failures shrunk to a folder, and every scenario that was kept of earlier ones.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use holdfast_sim::{run, scenario};

fn sim<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_holdfast-sim")).args(args).output().expect("the program was built with this test")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ends with this code; what it said.
#[track_caller]
fn ends(code: i32, output: &Output) -> String {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Every file below a folder, by its path.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("the folder was written") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).expect("it can be read"));
        }
    }
    found
}

#[test]
fn a_sweep_in_parts_leaves_the_same_bytes_as_in_one() {
    let dir = tempfile::tempdir().unwrap();
    let (one, parts, jobs) = (dir.path().join("one"), dir.path().join("parts"), dir.path().join("jobs"));
    let small = ["--nodes", "3", "--minutes", "1", "--allow-vacuous"];
    let part = |seeds: &str, out: &Path, more: &[&str]| {
        let mut args = vec!["sweep", "--seeds", seeds, "--out", out.to_str().unwrap()];
        args.extend(small.iter().chain(more));
        sim(args)
    };
    let whole = ends(0, &part("0..5", &one, &[]));
    ends(0, &part("4", &parts, &["--once"]));
    ends(0, &part("0..4", &parts, &["--once"]));
    let merged = ends(0, &sim(["sweep", "--merge", parts.to_str().unwrap(), "--allow-vacuous"]));
    let in_jobs = ends(0, &part("0..5", &jobs, &["--jobs", "2"]));
    let names: Vec<String> = files(&one).into_keys().collect();
    assert_eq!(names, ["seed-0.json", "seed-1.json", "seed-2.json", "seed-3.json", "seed-4.json", "summary.json"]);
    assert!(files(&one) == files(&parts) && files(&one) == files(&jobs));
    assert_eq!(whole, in_jobs);
    let print = |said: &str| said.lines().find(|line| line.starts_with("fingerprint")).map(str::to_owned);
    assert!(print(&whole).is_some() && print(&whole) == print(&merged));
    assert!(whole.ends_with("5 seeds, 0 failed: good\n") && merged.ends_with("5 seeds, 0 failed: good\n"));
    // Another sweep in the same folder would be summed up with it.
    let other = sim(["sweep", "--seeds", "9", "--nodes", "4", "--minutes", "1", "--once", "--out", parts.to_str().unwrap()]);
    ends(1, &other);
    assert!(text(&other.stderr).contains("one folder holds one sweep"), "{}", text(&other.stderr));
}

/// A site is cut off, asks for something, and nobody hears it in time. What else happens has nothing to do with it.
const UNHEARD: &str = r#"
[exercise]
id = "UNHEARD"
duration = "1h"
[world]
generate = { sites = 6, hubs = 1, region = "HUA" }
[world.defaults]
operators = { confirm = "1s..5s" }
[[inject]]
at = "00:05"
what = "crash"
where = "site:S3"
lasts = "2m"
[[inject]]
at = "00:10"
what = "partition"
groups = ["site:S1"]
lasts = "30m"
[[inject]]
at = "00:12"
what = "request"
as = "site:S1"
data = { id = "R-1", item = "water", qty = 40 }
[[inject]]
at = "00:20"
what = "flap"
where = "site:S2; site:S4"
period = "1m"
lasts = "10m"
[[expect]]
id = "X1"
text = "All know it within ten minutes"
after = "00:12"
within = "10m"
check = { every = "*", knows = "request:R-1" }
"#;

#[test]
fn what_fails_is_left_as_the_least_scenario_that_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("unheard")).unwrap();
    fs::write(at("unheard/scenario.toml"), UNHEARD).unwrap();
    let path = at("unheard").display().to_string();
    let said = ends(1, &sim(["sweep", &path, "--seeds", "7", "--once", "--shrink", "--out", at("swept").to_str().unwrap()]));
    assert!(said.contains("seed 7 FAILED (holdfast-sim run ") && said.contains("1 seeds, 1 failed: NOT GOOD"), "{said}");
    assert!(text(&files(&at("swept"))["summary.json"]).contains("expectation X1 not met in time"));
    let (least, _) = scenario::read(&at("swept/seed-7")).unwrap();
    assert_eq!((least.exercise.seed, least.injects.len(), least.sites.len()), (7, 2, 2), "{least:#?}");
    let title = "Seed 7: expectation X1 not met in time at 00:22 (All know it within ten minutes): ";
    assert!(least.exercise.title.starts_with(title), "{}", least.exercise.title);
    ends(0, &sim(["shrink", &path, "--seed", "7", "--out", at("shrunk").to_str().unwrap()]));
    assert_eq!(files(&at("shrunk")), files(&at("swept/seed-7")));
    let again = ends(1, &sim(["run", at("shrunk").to_str().unwrap()]));
    assert!(again.contains("  X1 "), "{again}");
    // Not cut off, it is heard: nothing is left to shrink.
    fs::write(at("unheard/scenario.toml"), UNHEARD.replace("00:10", "00:25")).unwrap();
    let said = ends(1, &sim(["shrink", &path, "--seed", "7", "--out", at("none").to_str().unwrap()]));
    assert!(said.contains("there is nothing to shrink") && !at("none").exists(), "{said}");
}

/// What was hard once stays mastered. Each is small and says in its title what it is about.
#[test]
fn every_scenario_of_the_corpus_is_good_and_the_same_twice() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut folders: Vec<_> = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 5, "{folders:?}");
    for folder in folders {
        let (scenario, _) = scenario::read(&folder).unwrap_or_else(|problems| panic!("{}: {problems:?}", folder.display()));
        assert!(scenario.exercise.title.len() > 20, "{} does not say what it is about", folder.display());
        let seed = scenario.exercise.seed;
        assert_eq!(run::run_twice(&scenario, seed).unwrap().broken, [], "holdfast-sim run {}", folder.display());
    }
}
