//! Keeps the real thing out: no charter, certificate, key or data folder of an alliance is ever read as a scenario.

use std::path::Path;

use holdfast_proto::identity::{ArmorKind, RealmKind, Roster, dearmor};

use super::problem::Wrong;

/// What `holdfast alliance init` and the daemon call their files.
const THEIRS: [&str; 4] = ["alliance.hf", "holdfast.db", "node.key", "root-1.key"];
/// Begins every key and certificate.
const ARMOR: &[u8] = b"-----BEGIN HOLDFAST ";
/// Begins the daemon's database.
const DATABASE: &[u8] = b"SQLite format 3\0";

/// A folder is an alliance's or a daemon's: nothing is to be written there.
#[must_use]
pub fn is_theirs(folder: &Path) -> bool {
    self::folder(folder).is_some() || THEIRS.iter().any(|name| folder.join(name).exists())
}

/// Why a folder can't hold a scenario: it, or its `data`, belongs to an alliance.
pub(super) fn folder(folder: &Path) -> Option<Wrong> {
    let inside = [folder.to_owned(), folder.join("data")];
    let found = inside.iter().flat_map(|folder| THEIRS.map(|name| folder.join(name))).find(|path| path.exists())?;
    let kind = std::fs::read(&found).ok().and_then(|bytes| kind(&bytes));
    Some(refusal(&found.display().to_string(), kind))
}

/// Why a file is no part of a scenario: it is a key, a certificate or a database.
pub(super) fn file(bytes: &[u8]) -> Option<Wrong> {
    let armored = bytes.windows(ARMOR.len()).take(100_000).any(|window| window == ARMOR);
    (armored || bytes.starts_with(DATABASE)).then(|| refusal("This file", kind(bytes)))
}

/// The kind of alliance that a file's charter founds.
fn kind(bytes: &[u8]) -> Option<RealmKind> {
    let blocks = dearmor(std::str::from_utf8(bytes).ok()?).ok()?;
    let charter = blocks.iter().find(|block| block.kind == ArmorKind::Charter)?;
    Roster::new(&charter.bytes).ok().map(|roster| roster.kind())
}

fn refusal(what: &str, kind: Option<RealmKind>) -> Wrong {
    let todo = "A scenario makes its own keys: give the folder of a scenario.toml.";
    match kind {
        Some(RealmKind::Exercise | RealmKind::Simulation) => {
            Wrong::new(format!("{what} belongs to an alliance, not to a scenario."), todo)
        }
        // A key does not say whose it is: taken for real.
        Some(RealmKind::Actual) | None => Wrong::new(format!("{what} belongs to a real alliance. Nothing of it is read."), todo),
    }
}

#[cfg(test)]
mod tests {
    use holdfast_proto::identity::{Charter, SecretKey, armor};

    use super::*;

    fn charter(kind: RealmKind) -> String {
        let key = SecretKey::from_seed([7; 32]);
        armor(ArmorKind::Charter, &Charter::found(kind, 1, &[(key, "Root 1")]).unwrap())
    }

    #[test]
    fn charters_keys_and_databases_are_refused_and_a_real_one_is_called_real() {
        assert!(file(charter(RealmKind::Actual).as_bytes()).unwrap().what.contains("real alliance"));
        assert!(!file(charter(RealmKind::Simulation).as_bytes()).unwrap().what.contains("real alliance"));
        assert!(file(armor(ArmorKind::NodeKey, &[1; 32]).as_bytes()).unwrap().what.contains("real alliance"));
        assert!(file(b"SQLite format 3\0rest").is_some());
        assert!(file(b"[exercise]\nid = \"X\"\n").is_none() && file(b"").is_none());
    }

    #[test]
    fn a_folder_with_an_alliance_in_it_is_refused_even_with_a_scenario_beside() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("scenario.toml"), "[exercise]\nduration = \"1h\"\n").unwrap();
        assert!(folder(dir.path()).is_none());
        std::fs::write(dir.path().join("alliance.hf"), charter(RealmKind::Actual)).unwrap();
        assert!(folder(dir.path()).unwrap().what.contains("real alliance"));
        for path in [dir.path().to_owned(), dir.path().join("scenario.toml"), dir.path().join("alliance.hf")] {
            let problems = crate::scenario::read(&path).unwrap_err();
            assert!(problems.len() == 1 && problems[0].what.contains("real alliance"), "{problems:?}");
        }
        std::fs::remove_file(dir.path().join("alliance.hf")).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::fs::write(dir.path().join("data/holdfast.db"), b"SQLite format 3\0").unwrap();
        assert!(folder(dir.path()).is_some());
    }
}
