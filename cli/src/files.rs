//! Files this command makes: secrets for their owner only, nothing overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use holdfast_proto::identity::{ArmorKind, Machine, SecretKey, armor};

use crate::failure::{Exit, Failure, words};

/// Makes a new file only its owner may read. Never overwrites.
///
/// # Errors
/// The file is there already, or can't be made.
pub(crate) fn secret(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let made = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    made.map_err(|error| {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return Failure::file("H-862", ("make", "建立"), path, &error);
        }
        Failure::new(
            Exit::Failed,
            "H-861",
            words(format!("{} is there already.", path.display()), format!("{} 已存在。", path.display())),
            words(
                "A key is never overwritten: what it signed could not be continued.",
                "金鑰不會被覆寫，否則它簽署過的內容將無法延續。",
            ),
            words("Choose another number or folder, or move the old file away first.", "請換一個編號或資料夾，或先移走舊檔。"),
        )
    })
}

/// Writes a file whole or not at all: beside it first, then in its place.
///
/// # Errors
/// It can't be written.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create(beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(beside, path)
    };
    write().map_err(|error| Failure::file("H-862", ("write", "寫入"), path, &error))
}

/// Writes a secret whole or not at all, in the place of one that is there.
///
/// # Errors
/// It can't be written.
pub(crate) fn replace_secret(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    // What an interrupted write left behind.
    drop(std::fs::remove_file(beside));
    secret(beside, text)?;
    std::fs::rename(beside, path).map_err(|error| Failure::file("H-862", ("write", "寫入"), path, &error))
}

/// Makes a folder for its owner alone; one that is there stays as it is.
///
/// # Errors
/// It can't be made.
pub(crate) fn private_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|error| Failure::file("H-862", ("make", "建立"), path, &error))
}

/// Makes a folder and those above it.
///
/// # Errors
/// It can't be made.
pub(crate) fn folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| Failure::file("H-862", ("make", "建立"), path, &error))
}

/// A key in a file of its own.
///
/// # Errors
/// As [`secret`].
pub(crate) fn key(path: &Path, kind: ArmorKind, key: &SecretKey) -> Result<(), Failure> {
    secret(path, &armor(kind, &key.seed()))
}

/// What names this machine, where its system has a name.
pub(crate) fn machine() -> Option<Machine> {
    Machine::FILES.iter().find_map(|path| Machine::of(&std::fs::read_to_string(path).ok()?))
}

/// A key of the node that this computer is, which opens on no other one.
///
/// # Errors
/// As [`secret`].
pub(crate) fn own_key(path: &Path, key: &SecretKey) -> Result<(), Failure> {
    let Some(machine) = machine() else { return self::key(path, ArmorKind::NodeKey, key) };
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&random()?[..16]);
    secret(path, &armor(ArmorKind::BoundKey, &machine.bind(key, nonce)))
}

/// A new key from the operating system's randomness.
///
/// # Errors
/// The system gives none.
pub(crate) fn new_key() -> Result<SecretKey, Failure> {
    Ok(SecretKey::from_seed(random()?))
}

/// 32 bytes nobody can guess.
///
/// # Errors
/// The system gives none.
pub(crate) fn random() -> Result<[u8; 32], Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "H-863",
            words(format!("The system gives no random bytes: {error}."), format!("系統無法提供亂數：系統訊息「{error}」。")),
            words("No key was made.", "沒有產生任何金鑰。"),
            words("Try again; if it stays so, the computer needs repair.", "請再試一次；若仍如此，這台電腦需要檢修。"),
        )
    })?;
    Ok(seed)
}
