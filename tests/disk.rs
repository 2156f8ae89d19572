//! A disk that is full: nothing is half done, reads go on, and it heals by itself.

use std::fs::{File, create_dir, remove_file};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast_tests::{Alliance, Plan, SOON, eventually, missing, try_run};

/// A small disk in memory; taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Result<Self, String> {
        create_dir(at).map_err(|e| e.to_string())?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=4m", "none"]).arg(at);
        let run = try_run(&mut mount, Duration::from_secs(10))?;
        if run.code == 0 { Ok(Self(at.to_path_buf())) } else { Err(run.err) }
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).expect("a file on the small disk");
        for block in [65_536, 4_096, 1] {
            while file.write_all(&vec![b'x'; block]).is_ok() {}
        }
    }

    fn free(&self) {
        remove_file(self.0.join("filler")).expect("the filler");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = try_run(Command::new("umount").arg("-l").arg(&self.0), Duration::from_secs(10));
    }
}

/// Two nodes, the first with its data on a small disk.
fn on_small_disk(test: &str) -> Option<(Alliance, SmallDisk)> {
    let mut alliance = Plan::of(2).make();
    let at = alliance.node(0).dir().join("disk");
    let disk = match SmallDisk::mount(&at) {
        Ok(disk) => disk,
        Err(error) => {
            missing(test, &format!("the right to mount a small disk: {error}"));
            return None;
        }
    };
    alliance.node_mut(0).settings.data_dir = PathBuf::from("disk/data");
    alliance.start();
    Some((alliance, disk))
}

#[test]
fn a_disk_full_at_the_start_is_named_and_nothing_runs() {
    let mut alliance = Plan::of(1).make();
    let at = alliance.node(0).dir().join("disk");
    let disk = match SmallDisk::mount(&at) {
        Ok(disk) => disk,
        Err(error) => return missing("a disk full at the start", &format!("the right to mount a small disk: {error}")),
    };
    alliance.node_mut(0).settings.data_dir = PathBuf::from("disk/data");
    disk.fill();
    let run = alliance.node(0).refuses().exits(1);
    assert!(run.err.contains("is full") && run.err.ends_with("\ncode: H-724\n"), "{}", run.err);
    disk.free();
    alliance.node_mut(0).start();
    alliance.node_mut(0).stop();
}

#[test]
fn a_full_disk_refuses_new_words_clearly_and_heals_by_itself() {
    let Some((mut alliance, disk)) = on_small_disk("a full disk") else { return };
    let api = alliance.node(0).api();
    api.ask_for("water:1", "before", None).expect("saved");
    disk.fill();
    let mut acknowledged = vec!["before".to_owned()];
    // The store may have room left in pages it holds already: writes go on until one is refused, and that one left nothing behind.
    let refused = eventually(SOON, "a write is refused", || {
        let note = format!("while full {}", acknowledged.len());
        let answer = api.post("/api/v1/requests", &serde_json::json!({ "items": ["water:1"], "note": note }))?;
        match answer.status {
            200 => {
                acknowledged.push(note);
                Err("it was saved".to_owned())
            }
            _ => Ok(answer),
        }
    });
    assert_eq!(refused.status, 503, "{}", refused.body);
    let error = refused.json();
    assert_eq!(error["kind"], "unable");
    assert!(error["what"]["en"].as_str().is_some_and(|w| w.contains("disk") || w.contains("full")), "{error}");
    assert!(error["fix"]["zh"].as_str().is_some_and(|w| !w.is_empty()), "{error}");
    // Exit code 1: it failed, and nothing was saved.
    let run = alliance.node(0).cli(&["request", "new", "--item", "water:1"]).exits(1);
    assert!(!run.err.is_empty());
    assert_eq!(api.get("/api/v1/status").expect("reads go on").status, 200);
    assert_eq!(alliance.notes(0).len(), acknowledged.len());
    disk.free();
    eventually(SOON, "writes go on once there is room", || api.ask_for("water:1", "after", Some("after")));
    acknowledged.push("after".to_owned());
    acknowledged.sort();
    alliance.wait_equal(SOON);
    assert_eq!(alliance.notes(1), acknowledged);
    // What was acknowledged survives the plug being pulled.
    alliance.node_mut(0).kill();
    alliance.node_mut(0).start();
    assert_eq!(alliance.notes(0), acknowledged);
    // The daemon ends before the disk goes.
    alliance.node_mut(0).stop();
}
