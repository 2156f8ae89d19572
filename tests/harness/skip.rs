//! What a machine may lack. In CI that is a failure; elsewhere the test says so and `tests/run.sh` prints it.

use std::fs::{OpenOptions, create_dir_all};
use std::io::Write;
use std::path::PathBuf;

use crate::binaries::target_dir;

/// Where tests leave what a person may want to see: screenshots, the list of what was skipped.
///
/// # Panics
/// If the folder can't be made.
#[must_use]
pub fn artefacts() -> PathBuf {
    let dir = target_dir().join("holdfast-tests");
    create_dir_all(&dir).expect("a folder for screenshots below the target folder");
    dir
}

/// Notes that `test` could not be tried here because `what` is missing.
///
/// # Panics
/// In CI, where nothing may be missing.
pub fn missing(test: &str, what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} needs {what}");
    eprintln!("SKIPPED {test}: needs {what}");
    let file = OpenOptions::new().create(true).append(true).open(artefacts().join("skipped.txt"));
    if let Ok(mut file) = file {
        let _ = writeln!(file, "{test}: needs {what}");
    }
}
