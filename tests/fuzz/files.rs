//! Files that people write: the daemon's configuration, a scenario with its sheets, and what a controller types.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use holdfast_daemon::config::Settings;
use holdfast_sim::scenario::{Scenario, read, read_line, write};

use super::targets::Target;

/// Those readers; they need the daemon and the simulator.
pub(crate) const FILES: &[Target] = &[
    Target { name: "config", run: config },
    Target { name: "scenario", run: scenario },
    Target { name: "by-hand", run: by_hand },
];

/// Larger worlds are read, but not written again.
const SITES_MAX: usize = 64;

fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parse = || Settings::parse(Path::new("/nowhere/store.toml"), text, std::iter::empty());
    match parse() {
        Ok(settings) => assert_eq!(format!("{settings:?}"), format!("{:?}", parse().expect("it did before")), "read otherwise"),
        Err(error) => {
            let faults = error.faults();
            assert!(!faults.is_empty(), "refused without a word");
            for fault in faults {
                let lines = text.lines().count().max(1);
                assert!(fault.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{fault:?} of {lines} lines");
                assert!(!fault.words.en.is_empty() && !fault.words.zh.is_empty(), "{fault:?}");
            }
        }
    }
}

/// What stands between the files of a scenario: a line of its own, with the name of the next.
const NEXT: &str = "\n=== ";
/// The files there may be beside `scenario.toml`.
const SHEETS: [&str; 3] = ["sites.csv", "elements.csv", "msel.csv"];

/// A folder of this process and thread, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "-");
        let folder = std::env::temp_dir().join(format!("holdfast-fuzz-{}-{thread}{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `scenario.toml`, then sheets.
fn scenario(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let folder = Scratch::new("read");
    let mut parts = text.split(NEXT);
    fs::write(folder.0.join("scenario.toml"), parts.next().unwrap_or_default()).expect("written");
    for part in parts {
        let (name, sheet) = part.split_once('\n').unwrap_or((part, ""));
        if SHEETS.contains(&name) {
            fs::write(folder.0.join(name), sheet).expect("written");
        }
    }
    match read(&folder.0) {
        Ok((scenario, _)) => written_again(scenario),
        Err(problems) => assert!(!problems.is_empty(), "refused without a word"),
    }
}

fn written_again(scenario: Scenario) {
    let folder = Scratch::new("written");
    // What the calendar can't show can't be written, and says so.
    if scenario.sites.len() > SITES_MAX || write(&scenario, &folder.0).is_err() {
        return;
    }
    match read(&folder.0) {
        Ok((again, _)) => assert_eq!(again.unplaced(), scenario.unplaced(), "a scenario reads back otherwise"),
        Err(problems) => panic!("a scenario that was written can't be read: {problems:?}"),
    }
}

/// The demo, into which orders are given.
static STAGE: LazyLock<Scenario> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("configs").is_dir());
    let folder = folder.expect("the tree").join("configs/scenarios/s-demo");
    read(&folder).unwrap_or_else(|problems| panic!("the demo: {problems:?}")).0
});

fn by_hand(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    if let Err(problems) = read_line(line, &STAGE, 60_000_000) {
        assert!(!problems.is_empty(), "refused without a word");
    }
}
