//! What others supply: the rules of `.deny.toml` hold for what is built here, and an advisory export is read right. Offline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast_tests::supply::{Export, PUBLIC_REGISTRY, Rules, permitted, read_export, read_lock, read_rules};
use holdfast_tests::{BLINK, Run, run, workspace_root};
use semver::Version;
use tempfile::TempDir;

/// The rules of this tree.
fn rules() -> Rules {
    read_rules(&workspace_root().join(".deny.toml")).expect("the rules")
}

/// `cargo` on this workspace, offline and by the lock file.
fn cargo(arguments: &[&str]) -> String {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace_root()).args(arguments);
    run(&mut cargo, Duration::from_secs(120)).exits(0).out
}

/// Name and version of every crate that is built for this machine, tests and build scripts included, with its licence.
fn built() -> BTreeMap<(String, Version), String> {
    let tree = cargo(&[
        "tree",
        "--locked",
        "--offline",
        "--workspace",
        "--all-features",
        "-e",
        "normal,build,dev",
        "--prefix",
        "none",
        "--no-dedupe",
        "-f",
        "{p}\t{l}",
    ]);
    let crates = tree.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let (package, licence) = line.split_once('\t').unwrap_or_else(|| panic!("cargo tree was not understood: {line:?}"));
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words.next().and_then(|v| v.strip_prefix('v')).and_then(|v| v.parse().ok());
        ((name, version.unwrap_or_else(|| panic!("no version: {line:?}"))), licence.to_owned())
    });
    let built: BTreeMap<_, _> = crates.collect();
    assert!(built.len() > 100, "cargo tree was not understood: {built:?}");
    built
}

#[track_caller]
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn licences_of_all_that_is_built_are_allowed() {
    let rules = rules();
    let refused = |((name, version), licence): (&(String, Version), &String)| match permitted(licence, &rules.licences) {
        Ok(true) => None,
        Ok(false) => Some(format!("{name} {version}: {licence}")),
        Err(why) => Some(format!("{name} {version}: {why}")),
    };
    none("not allowed by .deny.toml", &built().iter().filter_map(refused).collect::<Vec<_>>());
}

#[test]
fn a_licence_expression_is_met_by_all_of_and_one_of_or() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("ISC AND (GPL-3.0 OR MIT)", true),
        ("GPL-3.0 OR ISC AND GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("(MIT)", true),
    ] {
        assert_eq!(permitted(expression, &allowed), Ok(met), "{expression}");
    }
    for nonsense in ["", "MIT AND", "(MIT", "MIT)", "OR", "MIT ISC", "MIT WITH"] {
        assert!(permitted(nonsense, &allowed).is_err(), "{nonsense}");
    }
}

#[test]
fn every_crate_comes_from_where_the_rules_say() {
    let lock = read_lock(&workspace_root().join("Cargo.lock")).expect("the lock file");
    let rules = rules();
    let allowed: BTreeSet<String> = rules.registries.iter().map(|registry| format!("registry+{registry}")).collect();
    assert_eq!(allowed, BTreeSet::from([PUBLIC_REGISTRY.to_owned()]));
    let foreign = lock.iter().filter(|locked| !allowed.contains(&locked.source));
    none("from elsewhere", &foreign.map(|locked| format!("{}: {}", locked.name, locked.source)).collect::<Vec<_>>());
}

#[test]
fn nothing_banned_is_built_in() {
    let (built, rules) = (built(), rules());
    let banned = |(name, version): &(String, Version)| {
        let why = rules.banned.iter().find(|(spec, _)| spec.means(name, version));
        why.map(|(_, why)| format!("{name} {version}: {why}"))
    };
    none("banned by .deny.toml", &built.keys().filter_map(banned).collect::<Vec<_>>());
    assert!(rules.banned.len() > 10 && rules.banned.iter().all(|(_, why)| !why.is_empty()), "each ban says why");
}

#[test]
fn a_crate_is_built_twice_only_where_the_rules_bear_it() {
    let (built, rules) = (built(), rules());
    let mut versions: BTreeMap<&str, Vec<&Version>> = BTreeMap::new();
    for (name, version) in built.keys() {
        versions.entry(name).or_default().push(version);
    }
    let borne = |name: &str, version: &Version| rules.twice.iter().any(|(spec, _)| spec.means(name, version));
    let mut found = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        if versions.iter().filter(|version| !borne(name, version)).count() > 1 {
            found.push(format!("{name}: {versions:?}"));
        }
    }
    for (spec, exception) in &rules.twice {
        let there = versions.get(spec.name.as_str()).is_some_and(|v| v.len() > 1 && v.iter().any(|v| spec.means(&spec.name, v)));
        if !there {
            found.push(format!("{}: there is no second version any more; take the exception out", exception.what));
        }
    }
    none("two versions of one crate", &found);
}

#[test]
fn features_are_switched_on_as_the_rules_say() {
    let rules = rules();
    assert!(!rules.features.is_empty(), "the rules name features");
    for rule in &rules.features {
        let on = cargo(&[
            "tree",
            "--locked",
            "--offline",
            "--workspace",
            "--all-features",
            "-e",
            "normal,build,dev",
            "--prefix",
            "none",
            "-i",
            &rule.name,
            "--depth",
            "0",
            "-f",
            "{f}",
        ]);
        let on: BTreeSet<&str> = on.trim().split(',').filter(|feature| !feature.is_empty()).collect();
        assert!(!on.is_empty(), "{}: cargo tree was not understood", rule.name);
        let allowed: BTreeSet<&str> = rule.allow.iter().map(String::as_str).collect();
        assert!(!rule.exact || on == allowed, "{}: on {on:?}, allowed {allowed:?}: {}", rule.name, rule.reason);
        assert!(!rule.deny.iter().any(|feature| on.contains(feature.as_str())), "{}: {on:?}: {}", rule.name, rule.reason);
    }
}

/// The synthetic export.
fn export_path() -> PathBuf {
    workspace_root().join("tests/supply/export")
}

fn export() -> Export {
    read_export(&export_path()).expect("the synthetic export")
}

/// Which advisories of the export speak of that crate.
fn of(name: &str, version: &str) -> Vec<String> {
    let version = version.parse().expect("a version");
    export().advisories.into_values().filter(|a| a.affects(name, &version)).map(|a| a.id).collect()
}

#[test]
fn an_advisory_speaks_of_the_versions_it_names() {
    let (rustsec, osv) = ("RUSTSEC-2099-0001", "GHSA-anvl-0000-0001");
    for (version, expected) in [
        ("0.5.0", &[osv][..]),
        ("0.5.1", &[]),
        ("0.9.0", &[rustsec]),
        ("0.9.8", &[]),
        ("1.0.0", &[rustsec]),
        ("1.1.1", &[osv, rustsec]),
        ("1.2.3-beta.1", &[rustsec]),
        ("1.2.3", &[]),
        ("2.0.0-alpha", &[osv, rustsec]),
        ("2.0.0", &[osv]),
    ] {
        assert_eq!(of("anvil", version), expected, "anvil {version}");
    }
    assert_eq!(of("bellows", "2.9.9"), ["GHSA-bllw-0000-0002", "RUSTSEC-2099-0002"]);
    assert_eq!(of("bellows", "3.0.0"), ["RUSTSEC-2099-0002"]);
    assert_eq!(of("crucible", "1.0.0"), ["RUSTSEC-2099-0004"], "the withdrawn one is gone");
    assert_eq!(of("hammer", "1.0.0"), [""; 0]);
    assert_eq!(export().newest().map(|day| day.to_string()).as_deref(), Some("2099-02-02"));
}

/// A folder with a lock file of these crates and rules that bear these advisories.
fn folder(crates: &[(&str, &str)], borne: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut lock = "version = 4\n[[package]]\nname = \"ours\"\nversion = \"0.1.0\"\n".to_owned();
    for (name, version) in crates {
        lock += &format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{PUBLIC_REGISTRY}\"\n");
    }
    let borne: Vec<String> = borne.iter().map(|(id, reason)| format!("{{ id = \"{id}\", reason = \"{reason}\" }}")).collect();
    let rules = format!(
        "[advisories]\nignore = [{}]\n[licenses]\nallow = []\n[sources]\nallow-registry = []\n[bans]\n",
        borne.join(", ")
    );
    std::fs::write(folder.path().join("Cargo.lock"), lock).expect("written");
    std::fs::write(folder.path().join(".deny.toml"), rules).expect("written");
    folder
}

/// `holdfast-advisories EXPORT` in that folder, on a day of 2099.
fn advisories(folder: &Path, export: &Path) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast-advisories"));
    command.current_dir(folder).arg(export).args(["--today", "2099-06-01"]);
    run(&mut command, BLINK)
}

const IN_TIME: &str = "2099-01-01 to 2099-12-31: nothing else blows";
const LAPSED: &str = "2099-01-01 to 2099-06-01: nothing else blows";

#[test]
fn an_affected_crate_is_named_and_the_exit_code_says_so() {
    let clean = folder(&[("anvil", "1.2.3"), ("crucible", "1.0.0")], &[]);
    let run = advisories(clean.path(), &export_path()).exits(0);
    assert!(run.out.contains("notice      crucible 1.0.0: RUSTSEC-2099-0004"), "{run:?}");
    assert!(
        run.out.ends_with(
            "5 advisories, the newest of 2099-02-02; 2 locked crates: 0 findings to act on, 1 others, 0 files unreadable\n"
        ),
        "{run:?}"
    );

    let affected = folder(&[("anvil", "1.0.0"), ("bellows", "3.0.0")], &[]);
    let run = advisories(affected.path(), &export_path()).exits(1);
    for line in
        ["AFFECTED    anvil 1.0.0: RUSTSEC-2099-0001 (vulnerable) A blow", "AFFECTED    bellows 3.0.0: RUSTSEC-2099-0002 (unm"]
    {
        assert!(run.out.contains(line), "{run:?}");
    }
}

#[test]
fn an_exception_counts_until_its_day_under_every_name_of_the_advisory() {
    let crates = [("bellows", "1.0.0")];
    let borne = folder(&crates, &[("RUSTSEC-2099-0002", IN_TIME)]);
    let run = advisories(borne.path(), &export_path()).exits(0);
    assert!(
        run.out.contains("borne       bellows 1.0.0: GHSA-bllw-0000-0002") && run.out.contains("nothing else blows"),
        "{run:?}"
    );

    let lapsed = folder(&crates, &[("RUSTSEC-2099-0002", LAPSED)]);
    let run = advisories(lapsed.path(), &export_path()).exits(1);
    assert!(run.out.contains("LAPSED      bellows 1.0.0: RUSTSEC-2099-0002"), "{run:?}");

    let unneeded = folder(&crates, &[("RUSTSEC-2099-0002", IN_TIME), ("RUSTSEC-2099-0001", IN_TIME)]);
    let run = advisories(unneeded.path(), &export_path()).exits(0);
    assert!(run.out.contains("unneeded    RUSTSEC-2099-0001"), "{run:?}");
}

#[test]
fn what_can_not_be_read_is_never_taken_for_all_is_well() {
    let good = folder(&[("anvil", "1.2.3")], &[]);
    let told = |run: Run, words: &str| assert!(run.code == 2 && run.err.contains(words), "{words}: {run:?}");
    told(advisories(good.path(), &good.path().join("nowhere")), "nowhere");
    let empty = tempfile::tempdir().expect("a temporary folder");
    told(advisories(good.path(), empty.path()), "holds no advisory");
    for (name, text) in [
        ("RUSTSEC-2099-0009.md", "# prose alone"),
        ("RUSTSEC-2099-0009.md", "```toml\n[advisory]\nid = \"x\""),
        ("RUSTSEC-2099-0009.md", "```toml\n[advisory]\nid = \"x\"\n```\n"),
        ("x.json", "{"),
        ("x.json", r#"{"id": "x", "affected": [{"package": {"ecosystem": "crates.io", "name": "a"}, "versions": ["one"]}]}"#),
    ] {
        let export = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(export.path().join(name), text).expect("written");
        let run = advisories(good.path(), export.path()).exits(2);
        assert!(run.out.contains("unreadable") && run.out.contains(name), "{text}: {run:?}");
    }
    for reason in ["", "for good", "2099-01-01: for good", "2099-01-01 to 2098-01-01: before", "2099-01-01 to 2099-02-01: "] {
        let undated = folder(&[("anvil", "1.2.3")], &[("RUSTSEC-2099-0002", reason)]);
        told(advisories(undated.path(), &export_path()), "when it was made, when it ends and why");
    }
    std::fs::write(good.path().join("Cargo.lock"), "package = []").expect("written");
    told(advisories(good.path(), &export_path()), "names no crate of others");
    std::fs::remove_file(good.path().join("Cargo.lock")).expect("removed");
    told(advisories(good.path(), &export_path()), "no lock file");
    std::fs::remove_file(good.path().join(".deny.toml")).expect("removed");
    told(advisories(good.path(), &export_path()), "no rules");
}

#[test]
fn a_crate_of_this_tree_that_an_export_names_is_found() {
    let export = tempfile::tempdir().expect("a temporary folder");
    // As T39 has it: a crate that is locked here, seeded into the export.
    let seeded = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0010\"\npackage = \"quinn\"\ndate = \"2099-01-01\"\n[versions]\npatched = []\n```\n# Seeded\n";
    std::fs::write(export.path().join("RUSTSEC-2099-0010.md"), seeded).expect("written");
    let run = advisories(workspace_root(), export.path()).exits(1);
    assert!(run.out.contains("AFFECTED    quinn "), "{run:?}");
}
