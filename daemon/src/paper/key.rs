//! The node's key file: for its owner alone, and bound to this machine from the first start on.

use std::fs::{File, OpenOptions};
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

use holdfast_proto::identity::{ArmorKind, Block, Machine, NotHere, SecretKey, armor, dearmor};

use super::{Kind, PaperError, armor_words, both, read, unusable};

/// What names this machine, where its system has a name.
fn machine() -> Option<Machine> {
    Machine::FILES.iter().find_map(|path| Machine::of(&std::fs::read_to_string(path).ok()?))
}

/// Reads a key that is this machine's, or nobody's yet.
///
/// # Errors
/// [`PaperError`].
pub(super) fn read_key(path: &Path) -> Result<SecretKey, PaperError> {
    let text = read(Kind::Key, path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).map(|data| data.permissions().mode()).unwrap_or(0);
        if mode & 0o077 != 0 {
            return Err(PaperError::KeyOpen(path.to_owned()));
        }
    }
    opened(&text, machine().as_ref(), path)
}

fn opened(text: &str, machine: Option<&Machine>, path: &Path) -> Result<SecretKey, PaperError> {
    let blocks = dearmor(text).map_err(|error| unusable(Kind::Key, path, armor_words(error)))?;
    let malformed = |en: &str, zh: &str| unusable(Kind::Key, path, both(en, zh));
    let key = blocks.iter().find(|block| matches!(block.kind, ArmorKind::NodeKey | ArmorKind::BoundKey));
    let Block { kind, bytes, .. } =
        key.ok_or_else(|| malformed("there is no NODE KEY block in it", "裡面沒有據點金鑰（NODE KEY 區塊）"))?;
    if *kind == ArmorKind::BoundKey {
        let opened = machine.map_or(Err(NotHere::Elsewhere), |machine| machine.open(bytes));
        return opened.map_err(|why| match why {
            NotHere::Elsewhere => PaperError::KeyElsewhere(path.to_owned()),
            NotHere::Malformed => malformed("the key is not 96 bytes long", "金鑰不是 96 位元組"),
        });
    }
    let seed =
        <[u8; 32]>::try_from(bytes.as_ref()).map_err(|_| malformed("the key is not 32 bytes long", "金鑰不是 32 位元組"))?;
    Ok(SecretKey::from_seed(seed))
}

/// Binds a key that came as it was made to this machine. What keeps it from doing so is told and no more: a node that can't bind its
/// key still speaks.
pub(crate) fn bind_key(path: &Path, secret: &SecretKey) {
    let plain = std::fs::read_to_string(path).ok().and_then(|text| dearmor(&text).ok());
    if plain.is_none_or(|blocks| !matches!(&blocks[..], [block] if block.kind == ArmorKind::NodeKey)) {
        return;
    }
    let Some(machine) = machine() else {
        tracing::warn!(path = %path.display(), "this system has no machine id, so the node key opens on any computer it is copied to");
        return;
    };
    match bind(path, secret, &machine) {
        Ok(()) => tracing::info!(path = %path.display(), "the node key now opens on this computer only"),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the node key could not be bound to this computer, so a copy opens anywhere")
        }
    }
}

/// Whole or not at all: beside it first, then in its place.
fn bind(path: &Path, secret: &SecretKey, machine: &Machine) -> std::io::Result<()> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(|error| Error::other(error.to_string()))?;
    let text = armor(ArmorKind::BoundKey, &machine.bind(secret, nonce));
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What an interrupted write left behind.
    drop(std::fs::remove_file(&beside));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    #[cfg(unix)]
    {
        // The key stays with whom it belonged to, whoever starts the daemon.
        use std::os::unix::fs::MetadataExt;
        let owner = std::fs::metadata(path)?;
        std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(digit: char) -> Machine {
        Machine::of(&digit.to_string().repeat(32)).unwrap()
    }

    #[test]
    fn a_key_that_was_moved_to_another_computer_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let secret = SecretKey::from_seed([5; 32]);
        std::fs::write(&path, armor(ArmorKind::NodeKey, &secret.seed())).unwrap();
        bind(&path, &secret, &machine('a')).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(opened(&text, Some(&machine('a')), &path).unwrap().seed(), secret.seed());
        for elsewhere in [Some(machine('b')), None] {
            let error = opened(&text, elsewhere.as_ref(), &path).unwrap_err();
            assert!(matches!(error, PaperError::KeyElsewhere(_)), "{error}");
            assert!(error.words().en.contains("holdfast replace") && error.words().zh.contains("holdfast replace"), "{error}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn an_interrupted_binding_leaves_the_key_and_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let secret = SecretKey::from_seed([5; 32]);
        std::fs::write(&path, armor(ArmorKind::NodeKey, &secret.seed())).unwrap();
        std::fs::write(folder.path().join("node.key.new"), "-----BEGIN HOLD").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(opened(&text, None, &path).unwrap().seed(), secret.seed());
        bind(&path, &secret, &machine('a')).unwrap();
        assert!(!folder.path().join("node.key.new").exists());
    }
}
