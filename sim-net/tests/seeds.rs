//! Seeds as developers run them: sweeps in parts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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
