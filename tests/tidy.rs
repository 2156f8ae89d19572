//! The house rules as tests (P1, P8 and the style of the house). Reads the tree; starts nothing but `cargo tree`.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast_tests::{run, workspace_root};

/// Longest file, lines. house.md 3.2.
const LINES_MAX: usize = 600;
/// Files that are longer, how long they may be, and why. The numbers only go down.
const LONGER: &[(&str, usize, &str)] = &[];

/// The rungs of `proto`, from the bottom; those on one rung do not know each other, but for the leaves.
const RUNGS: &[&[&str]] = &[
    &["id", "codec", "time", "config", "rng"],
    &["identity", "domain", "link"],
    &["replica"],
    &["peers"],
    &["control"],
    &["io"],
    &["message"],
    &["node"],
    &["recording"],
];

/// Where one rung may name its neighbour after all: (module, path, why).
const ACROSS: &[(&str, &str, &str)] =
    &[("link", "identity::PublicKey", "a link's profile carries the key that the other end proved")];

/// What may not be below `proto`: each would bring a socket, a thread, a runtime or the machine's randomness (P1).
const IMPURE: &[&str] =
    &["tokio", "quinn", "libp2p", "mio", "getrandom", "socket2", "rustls", "rusqlite", "axum", "async-std", "polling"];

/// A file of the tree, path relative to the root, and its text.
struct Source {
    path: String,
    text: String,
}

/// All files that the repository holds or would take, but for those without text.
fn tree() -> Vec<Source> {
    let mut command = Command::new("git");
    command.current_dir(workspace_root()).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let listed = run(&mut command, Duration::from_secs(30));
    let paths: Vec<String> = match listed.code {
        0 => listed.out.lines().map(str::to_owned).collect(),
        // An unpacked archive has no history: then walk the folders.
        _ => walk(workspace_root()),
    };
    let read = |path: String| read_to_string(workspace_root().join(&path)).ok().map(|text| Source { path, text });
    paths.into_iter().filter_map(read).collect()
}

fn walk(root: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path);
            } else if let Ok(relative) = path.strip_prefix(root) {
                found.push(relative.display().to_string());
            }
        }
    }
    found
}

fn rust() -> Vec<Source> {
    tree().into_iter().filter(|s| s.path.ends_with(".rs")).collect()
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn every_rust_file_says_on_its_first_line_what_it_is() {
    let silent: Vec<String> = rust().into_iter().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path).collect();
    none("line 1 must be `//!` and say what the file is", &silent);
}

#[test]
fn no_file_outgrows_a_readers_patience() {
    let mut found = Vec::new();
    for source in rust() {
        let lines = source.text.lines().count();
        let allowed = LONGER.iter().find(|(path, _, _)| *path == source.path);
        let limit = allowed.map_or(LINES_MAX, |(_, lines, _)| *lines);
        if lines > limit {
            found.push(format!("{}: {lines} lines, at most {limit}", source.path));
        } else if allowed.is_some() && lines <= LINES_MAX {
            found.push(format!("{}: {lines} lines, take it off the list of longer files", source.path));
        }
    }
    none("split by idea", &found);
}

/// The rung of a module of `proto`.
fn rung(module: &str) -> Option<usize> {
    RUNGS.iter().position(|modules| modules.contains(&module))
}

/// What of this crate a file names, module first, with line numbers; tests and comments left out.
fn named(text: &str) -> BTreeSet<(usize, String)> {
    let mut out = BTreeSet::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        for part in code.split("crate::").skip(1) {
            if let Some(group) = part.strip_prefix('{') {
                // `use crate::{id::NodeId, time::Now};`
                let inner = group.split('}').next().unwrap_or_default();
                out.extend(inner.split(',').map(|name| (number + 1, path(name.trim()))));
            } else {
                out.insert((number + 1, path(part)));
            }
        }
    }
    out.retain(|(_, name)| !name.is_empty());
    out
}

fn path(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == ':').collect()
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// Whether a file of module `from` may name this path.
fn allowed(from: &str, path: &str) -> bool {
    let to = first_word(path);
    match (rung(from), rung(&to)) {
        _ if ACROSS.iter().any(|(module, across, _)| *module == from && *across == path) => true,
        _ if from == to => true,
        (Some(0), Some(0)) => true,
        (Some(high), Some(low)) => high > low,
        _ => false,
    }
}

#[test]
fn p8_dependencies_in_proto_point_down_the_ladder() {
    let mut found = Vec::new();
    for source in rust() {
        let Some(inside) = source.path.strip_prefix("proto/src/") else { continue };
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        if module == "lib" {
            continue;
        }
        if rung(module).is_none() {
            found.push(format!("{}: module {module} stands on no rung", source.path));
        }
        for (line, to) in named(&source.text) {
            if !allowed(module, &to) {
                found.push(format!("{}:{line}: {module} names {to}", source.path));
            }
        }
    }
    none("the ladder is drawn in proto/src/lib.rs", &found);
}

/// What `replica` may take from `identity`: it carries opaque bytes and never asks who may say what.
const REPLICA_MAY_NAME: &[&str] =
    &["Verified", "Signed", "Signature", "PublicKey", "Realm", "Tag", "Roster", "Rejected", "Hash", "hash", "hash16", "self"];

#[test]
fn the_replica_takes_only_signed_things_from_identity() {
    let mut found = Vec::new();
    for source in rust().iter().filter(|s| s.path.starts_with("proto/src/replica")) {
        for (number, line) in source.text.lines().enumerate() {
            let Some((_, names)) = line.split("//").next().unwrap_or_default().split_once("crate::identity::") else { continue };
            let names = names.trim_start_matches('{').split(['}', ';', '(', '<', ' ']).next().unwrap_or_default();
            for name in names.split(',').map(|n| first_word(n.trim())).filter(|n| !n.is_empty()) {
                if !REPLICA_MAY_NAME.contains(&name.as_str()) {
                    found.push(format!("{}:{}: {name}", source.path, number + 1));
                }
            }
        }
    }
    none("replica names of identity only what is signed and verified", &found);
}

#[test]
fn only_the_codec_names_bincode() {
    let mut found = Vec::new();
    for source in rust().iter().filter(|s| s.path != "proto/src/codec.rs" && s.path != "tests/tidy.rs") {
        for (number, line) in source.text.lines().enumerate() {
            if line.split("//").next().unwrap_or_default().contains("bincode::") {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    none("bincode is named in proto/src/codec.rs alone", &found);
}

/// Samples of what is typed, where the half-width mark belongs.
const TYPED: &[&str] = &["品項:數量", "白米:1,000", "飲用水:3"];

#[test]
fn chinese_sentences_have_chinese_punctuation() {
    let spoken = |path: &str| {
        let rust = path.ends_with(".rs") && (path.starts_with("proto/src/") || path.starts_with("daemon/src/"));
        rust || path == "daemon/assets/i18n/zh-TW.json"
    };
    let chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c) || "」）。，：；？！".contains(c);
    let mut found = Vec::new();
    for source in tree().iter().filter(|s| spoken(&s.path)) {
        for (number, line) in source.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let line = TYPED.iter().fold(line.to_owned(), |line, typed| line.replace(typed, ""));
            let pairs = line.chars().zip(line.chars().skip(1));
            if pairs.filter(|(before, _)| chinese(*before)).any(|(_, mark)| ",:;?!(".contains(mark)) {
                found.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    none("write ，：；？！（ after Chinese", &found);
}

/// The packages below `package`, or its direct dependencies.
fn dependencies(package: &str, direct: bool) -> BTreeSet<String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace_root()).args([
        "tree",
        "--locked",
        "--offline",
        "-p",
        package,
        "-e",
        "normal",
        "--prefix",
        "none",
    ]);
    if direct {
        cargo.args(["--depth", "1"]);
    }
    let tree = run(&mut cargo, Duration::from_secs(120)).exits(0);
    tree.out.lines().filter_map(|line| line.split(' ').next()).filter(|name| *name != package).map(str::to_owned).collect()
}

#[test]
fn p1_nothing_below_proto_can_open_a_socket_or_ask_the_clock() {
    let below = dependencies("holdfast-proto", false);
    assert!(below.contains("blake3"), "cargo tree was not understood: {below:?}");
    let found: Vec<String> = IMPURE.iter().filter(|name| below.contains(**name)).map(|name| (*name).to_owned()).collect();
    none("proto must stay without runtime, socket and randomness", &found);
}

#[test]
fn of_our_own_crates_each_knows_only_proto_and_who_serves_http_how() {
    let mut found = Vec::new();
    let serves = ["holdfast-daemon", "holdfast-sim"];
    for package in ["holdfast-proto", "holdfast-loopback", "holdfast-cli"].into_iter().chain(serves) {
        let may = |name: &str| name == "holdfast-proto" || (name == "holdfast-loopback" && serves.contains(&package));
        for name in dependencies(package, true).into_iter().filter(|name| name.starts_with("holdfast-") && !may(name)) {
            found.push(format!("{package} depends on {name}"));
        }
    }
    none("cli, daemon and sim-net do not know each other; what two of them need lies below", &found);
}

#[test]
fn one_crypto_provider_is_in_the_daemon() {
    let below = dependencies("holdfast-daemon", false);
    assert!(below.contains("aws-lc-rs"), "the provider is named explicitly");
    assert!(!below.contains("openssl"), "no OpenSSL");
}

#[test]
fn nothing_is_left_for_later_in_the_tree() {
    let marks = ["FIX", "TO"].map(|first| format!("{first}{}", if first == "FIX" { "ME" } else { "DO" }));
    let macros = [format!("to{}!(", "do"), format!("unimple{}!(", "mented")];
    let mut found = Vec::new();
    for source in tree().iter().filter(|s| s.path != "LICENSE" && s.path != "Cargo.lock") {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().chain(&macros).any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    none("finish it or leave it out", &found);
}

#[test]
fn tests_wait_for_conditions_and_do_not_sleep() {
    // Measuring waits by the clock on purpose.
    let may = ["tests/harness/wait.rs", "tests/harness/process.rs", "tests/tidy.rs"];
    let mut found = Vec::new();
    for source in rust()
        .iter()
        .filter(|s| s.path.starts_with("tests/") && !s.path.starts_with("tests/bench/") && !may.contains(&s.path.as_str()))
    {
        for (number, _) in source.text.lines().enumerate().filter(|(_, line)| line.contains("thread::sleep")) {
            found.push(format!("{}:{}", source.path, number + 1));
        }
    }
    none("wait with `eventually`", &found);
}

#[test]
fn every_configuration_in_configs_is_toml() {
    let mut found = Vec::new();
    for source in tree().iter().filter(|s| s.path.starts_with("configs/") && s.path.ends_with(".toml")) {
        if let Err(error) = source.text.parse::<toml::Table>() {
            found.push(format!("{}: {error}", source.path));
        }
    }
    none("a file in configs/ that can't be read", &found);
}

#[test]
fn manifests_inherit_what_is_common() {
    let mut found = Vec::new();
    for source in tree().iter().filter(|s| s.path.ends_with("/Cargo.toml")) {
        for common in ["edition.workspace = true", "rust-version.workspace = true", "[lints]\nworkspace = true"] {
            if !source.text.contains(common) {
                found.push(format!("{}: {common}", source.path));
            }
        }
    }
    none("missing", &found);
}

#[test]
fn the_lock_file_names_no_registry_but_the_public_one() {
    let lock = read_to_string(workspace_root().join("Cargo.lock")).expect("the lock file is committed");
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let foreign: Vec<String> = lock.lines().filter(|l| l.starts_with("source = ") && *l != public).map(str::to_owned).collect();
    none("a clone elsewhere could not be built", &foreign);
    let settings: Vec<PathBuf> = [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml"].map(PathBuf::from).into();
    let found = settings.iter().filter(|p| workspace_root().join(p).exists()).map(|p| p.display().to_string());
    none("settings of one machine do not belong in the tree", &found.collect::<Vec<_>>());
}

#[test]
fn shell_scripts_can_be_parsed() {
    let mut found = Vec::new();
    for path in ["configs/toolchain.sh", "configs/up.sh", "tests/run.sh", "tests/fuzz/run.sh"] {
        let run = run(Command::new("sh").arg("-n").arg(workspace_root().join(path)), Duration::from_secs(10));
        if run.code != 0 {
            found.push(format!("{path}: {}", run.err));
        }
    }
    none("a script that no shell reads", &found);
}

#[test]
fn scripts_compare_versions_by_number() {
    for (have, wanted, enough) in [
        ("1.90", "1.90", true),
        ("1.100.0", "1.90", true),
        ("2.0", "1.90", true),
        ("1.9", "1.90", false),
        ("1.89.2", "1.90", false),
        ("", "1.90", false),
    ] {
        let script = format!(". {}/configs/toolchain.sh; at_least '{have}' '{wanted}'", workspace_root().display());
        let run = run(Command::new("sh").args(["-c", &script]), Duration::from_secs(10));
        assert_eq!(run.code == 0, enough, "{have} against {wanted}: {run:?}");
    }
}

#[test]
fn every_test_that_security_md_names_is_there() {
    let table = read_to_string(workspace_root().join("proto/SECURITY.md")).expect("proto/SECURITY.md");
    let text: String = rust().into_iter().map(|source| source.text).collect();
    let named: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    let gone: Vec<String> =
        named.iter().filter(|name| !text.contains(&format!("fn {name}("))).map(|&name| name.to_owned()).collect();
    none("proto/SECURITY.md names tests that are there", &gone);
    assert!(named.len() > 20, "the table was read: {named:?}");
}
