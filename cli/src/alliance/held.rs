//! The file that all certificates of an alliance stand in, and the keys beside it.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::identity::{ArmorKind, Block, Roster, SecretKey, armor, dearmor};

use super::faults;
use crate::failure::{Exit, Failure, words};
use crate::files;

/// Most root keys a charter can name.
pub(super) const ROOTS_MAX: usize = 16;
/// The file all certificates of an alliance stand in.
pub(crate) const ALLIANCE_FILE: &str = "alliance.hf";

/// An alliance file read and checked: every object stands in the roster.
pub(crate) struct Held {
    pub(crate) path: PathBuf,
    pub(crate) roster: Roster,
}

impl Held {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let blocks = blocks(path)?;
        let charter =
            blocks.iter().find(|block| block.kind == ArmorKind::Charter).ok_or_else(|| faults::without(path, "CHARTER"))?;
        let mut roster =
            Roster::new(&charter.bytes).map_err(|error| faults::unsound(path, charter.line, &faults::of_roster(error)))?;
        let certificates: Vec<&Block> = blocks.iter().filter(|block| !block.kind.is_secret()).collect();
        let objects: Vec<Bytes> = certificates.iter().map(|block| block.bytes.clone()).collect();
        if let Some((place, error)) = roster.offer_all(&objects).refused.first() {
            return Err(faults::unsound(path, certificates[*place].line, &faults::of_roster(*error)));
        }
        Ok(Self { path: path.to_owned(), roster })
    }

    /// An alliance that did not stand in a file before; the file is not written yet.
    pub(crate) fn found(path: &Path, objects: &[Bytes]) -> Result<Self, Failure> {
        let first = objects.first().ok_or_else(|| faults::without(path, "CHARTER"))?;
        let roster = Roster::new(first).map_err(|error| faults::refused_by_nodes(error, None))?;
        Ok(Self { path: path.to_owned(), roster })
    }

    /// Takes several in that belong together, whatever their order: all or none.
    pub(crate) fn add_all(&mut self, objects: &[Bytes]) -> Result<(), Failure> {
        let mut with = self.roster.clone();
        match with.offer_all(objects).refused.first() {
            Some((_, error)) => Err(faults::refused_by_nodes(*error, None)),
            None => {
                self.roster = with;
                Ok(())
            }
        }
    }

    /// Takes a new certificate in, as every node would.
    pub(crate) fn add(&mut self, envelope: &Bytes, issuer: Option<u16>) -> Result<(), Failure> {
        let offered = self.roster.offer(envelope).map(|_| ());
        offered.map_err(|error| faults::refused_by_nodes(error, issuer.and_then(|number| self.roster.issuer(number))))
    }

    /// Charters, issuers, nodes, in this order.
    pub(crate) fn text(&self) -> String {
        self.roster.objects().map(|object| armor(object.key.armor(), object.envelope)).collect()
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        files::replace(&self.path, &self.text())
    }
}

/// Envelopes as a file holds them.
pub(crate) fn text_of(envelopes: &[Bytes]) -> String {
    let block = |envelope: &Bytes| ArmorKind::of(envelope).map(|kind| armor(kind, envelope));
    envelopes.iter().filter_map(block).collect()
}

/// The blocks of a file.
pub(crate) fn blocks(path: &Path) -> Result<Vec<Block>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        if path.is_dir() {
            let inside = path.join(ALLIANCE_FILE).display().to_string();
            let failure = Failure::file("H-862", ("read", "讀取"), path, &error);
            return failure.with_fix(words(format!("Name the file in it: {inside}."), format!("請指定其中的檔案：{inside}。")));
        }
        if error.kind() != std::io::ErrorKind::NotFound {
            return Failure::file("H-862", ("read", "讀取"), path, &error);
        }
        Failure::new(
            Exit::NotFound,
            "H-869",
            words(format!("There is no file {}.", path.display()), format!("沒有檔案 {}。", path.display())),
            words("Nothing was read or signed.", "沒有讀取或簽署任何內容。"),
            words(
                "Check the path; a new alliance begins with `holdfast alliance init`.",
                "請確認路徑；新聯盟請先執行 `holdfast alliance init`。",
            ),
        )
    })?;
    dearmor(&text).map_err(|error| faults::unsound(path, error.line, &faults::of_armor(error.fault)))
}

/// A secret key from its file.
pub(crate) fn read_key(path: &Path, kind: ArmorKind) -> Result<SecretKey, Failure> {
    let found = blocks(path)?.into_iter().find(|block| block.kind == kind);
    let seed = found.and_then(|block| <[u8; 32]>::try_from(block.bytes.as_ref()).ok());
    seed.map(SecretKey::from_seed).ok_or_else(|| faults::without(path, kind.text()))
}

/// The key of the node that this computer is.
///
/// # Errors
/// It is not there, is no key, or is another computer's.
pub(crate) fn read_own_key(path: &Path) -> Result<SecretKey, Failure> {
    let found = blocks(path)?.into_iter().find(|block| block.kind == ArmorKind::BoundKey);
    let Some(bound) = found else { return read_key(path, ArmorKind::NodeKey) };
    files::machine().and_then(|machine| machine.open(&bound.bytes).ok()).ok_or_else(|| faults::elsewhere(path))
}

/// All root keys at hand; the charter says how many are needed. Numbers go on where roots were replaced.
pub(crate) fn root_keys(dir: &Path) -> Result<Vec<SecretKey>, Failure> {
    let paths = (1..=ROOTS_MAX * 4).map(|number| dir.join(format!("root-{number}.key"))).filter(|path| path.exists());
    paths.map(|path| read_key(&path, ArmorKind::RootKey)).collect()
}
