//! Finds or builds `holdfastd`, `holdfast` and `holdfast-sim`. Cargo builds a package's programs only for that package's own tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The programs under test.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The daemon.
    pub holdfastd: PathBuf,
    /// The command line.
    pub holdfast: PathBuf,
    /// The simulator.
    pub holdfast_sim: PathBuf,
}

/// The folder of the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("invariant: tests/ is a folder of the workspace")
}

/// `target/debug` or `target/release`, whichever the running test was built into.
fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a running test knows its own path");
    let deps = test.parent().expect("invariant: a program lies in a folder");
    let profile = if deps.ends_with("deps") { deps.parent() } else { Some(deps) };
    profile.expect("invariant: deps/ lies in the profile's folder").to_path_buf()
}

pub(crate) fn target_dir() -> PathBuf {
    let profile = profile_dir();
    profile.parent().expect("invariant: the profile's folder lies in the target folder").to_path_buf()
}

/// The programs, built once per test run. `HOLDFAST_BIN_DIR` names a folder that has them already.
///
/// # Panics
/// If they can't be built; cargo's own words are on stderr.
pub fn binaries() -> &'static Binaries {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    BUILT.get_or_init(|| {
        let dir = match std::env::var_os("HOLDFAST_BIN_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => build(),
        };
        let program = |name: &str| {
            let path = dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            assert!(path.is_file(), "{} is not there", path.display());
            path
        };
        Binaries { holdfastd: program("holdfastd"), holdfast: program("holdfast"), holdfast_sim: program("holdfast-sim") }
    })
}

fn build() -> PathBuf {
    let profile = profile_dir();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace_root()).arg("build").args(["--quiet", "--bins"]);
    cargo.args(["-p", "holdfast-daemon", "-p", "holdfast-cli", "-p", "holdfast-sim"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    cargo.env("CARGO_TARGET_DIR", target_dir());
    let status = cargo.status().expect("cargo can be started");
    assert!(status.success(), "the programs under test could not be built");
    profile
}
