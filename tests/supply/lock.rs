//! `Cargo.lock`: which crates in which versions, from where.

use std::path::Path;

use semver::Version;
use serde::Deserialize;

/// How the public registry is written in a lock file.
pub const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A crate that was not written here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it comes from.
    pub source: String,
}

#[derive(Deserialize)]
struct File {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
    source: Option<String>,
}

/// The crates of a lock file but for those of the workspace itself.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn read_lock(path: &Path) -> Result<Vec<Locked>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("no lock file: {}: {error}", path.display()))?;
    let file: File = toml::from_str(&text).map_err(|error| format!("{} is no lock file: {error}", path.display()))?;
    let foreign = |p: Package| p.source.map(|source| Locked { name: p.name, version: p.version, source });
    let mut locked: Vec<Locked> = file.package.into_iter().filter_map(foreign).collect();
    locked.sort();
    match locked.is_empty() {
        true => Err(format!("{} names no crate of others, so that there is nothing to check", path.display())),
        false => Ok(locked),
    }
}
