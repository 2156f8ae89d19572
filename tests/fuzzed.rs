//! The corpora of `tests/fuzz`, replayed without libFuzzer: every input ever worth keeping, through the very targets that are fuzzed.

#[path = "fuzz/files.rs"]
mod files;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use holdfast_tests::workspace_root;
use targets::Target;

/// Files of one corpus, and bytes of all: what a clone carries and a replay has time for.
const FILES_MAX: usize = 150;
const BYTES_MAX: u64 = 1 << 20;

fn all() -> impl Iterator<Item = &'static Target> {
    targets::TARGETS.iter().chain(files::FILES)
}

fn corpus(target: &Target) -> PathBuf {
    workspace_root().join("tests/fuzz/corpus").join(target.name)
}

fn inputs(target: &Target) -> Vec<PathBuf> {
    let entries = fs::read_dir(corpus(target)).unwrap_or_else(|error| panic!("no corpus of {}: {error}", target.name));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// What the reader broke its promise on. Its words are on stderr above.
fn broken(target: &Target) -> Vec<String> {
    let breaks = |path: &PathBuf| {
        let bytes = fs::read(path).expect("an input");
        catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err()
    };
    inputs(target).into_iter().filter(breaks).map(|path| path.display().to_string()).collect()
}

#[test]
fn every_reader_keeps_its_promises_on_its_whole_corpus() {
    let broken: Vec<String> = all().filter(|target| target.name != "node").flat_map(broken).collect();
    none("broken promises", &broken);
}

#[test]
fn a_besieged_node_keeps_its_promises_on_its_whole_corpus() {
    let broken: Vec<String> = all().filter(|target| target.name == "node").flat_map(broken).collect();
    none("broken promises", &broken);
}

/// `HOLDFAST_WRITE_SEEDS=1` writes what is missing, once the encodings were changed on purpose.
#[test]
fn every_corpus_holds_a_valid_encoding_of_everything() {
    let mut missing = Vec::new();
    for target in all() {
        let seeds = seeds::seeds(target.name);
        assert!(!seeds.is_empty(), "{} has no seeds", target.name);
        for (name, bytes) in seeds {
            let path = corpus(target).join(format!("seed-{name}"));
            if fs::read(&path).is_ok_and(|held| held == bytes) {
                continue;
            }
            if std::env::var_os("HOLDFAST_WRITE_SEEDS").is_some() {
                fs::create_dir_all(corpus(target)).and_then(|()| fs::write(&path, bytes)).expect("written");
            } else {
                missing.push(path.display().to_string());
            }
        }
    }
    none("write them with HOLDFAST_WRITE_SEEDS=1, and fuzz for a while what changed", &missing);
}

#[test]
fn corpora_stay_small_and_belong_to_a_target() {
    let mut bytes = 0;
    for target in all() {
        let inputs = inputs(target);
        assert!(inputs.len() <= FILES_MAX, "{} has {} files: merge it", target.name, inputs.len());
        bytes += inputs.iter().map(|path| fs::metadata(path).expect("an input").len()).sum::<u64>();
    }
    assert!(bytes <= BYTES_MAX, "{bytes} bytes in all");
    let known: Vec<&str> = all().map(|target| target.name).collect();
    let folders = fs::read_dir(workspace_root().join("tests/fuzz/corpus")).expect("the corpora");
    let stray: Vec<String> = folders
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    none("corpora that nothing reads", &stray);
}
