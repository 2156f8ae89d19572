//! The files a node is given before its first start: key, alliance file, catalogue of items. Read and checked, nothing changed.

mod key;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use holdfast_proto::domain::Catalogue;
use holdfast_proto::domain::item::BUILT_IN;
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::id::NodeId;
use holdfast_proto::identity::{ArmorError, Rejected, Roster, SecretKey, dearmor};

pub(crate) use self::key::bind_key;
use self::key::read_key;
use crate::code::Code;
use crate::config::{Settings, line_of};
use crate::told;

/// Largest key, alliance or catalogue file. 16,000 certificates in text are about 5 MB.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A kind of file, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The node's secret key.
    Key,
    /// Charter, issuers and certificates.
    Alliance,
    /// The items that may be named.
    Catalogue,
}

impl Kind {
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Key => ("node key", "據點金鑰"),
            Self::Alliance => ("alliance file", "聯盟檔案"),
            Self::Catalogue => ("catalogue of items", "物資目錄"),
        }
    }

    fn fix(self) -> (&'static str, &'static str) {
        match self {
            Self::Key => ("It is made by: holdfast alliance issue node", "請以此指令產生：holdfast alliance issue node"),
            Self::Alliance => ("Get it from whoever issued this node's certificate", "請向核發本據點憑證的人索取"),
            Self::Catalogue => ("Compare it with configs/items.toml", "請對照 configs/items.toml"),
        }
    }
}

/// A file can't be used. Nothing was started or changed.
#[derive(Debug)]
pub enum PaperError {
    /// It can't be read.
    Unreadable {
        /// Which kind of file.
        kind: Kind,
        /// Where.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It does not hold what it should.
    Unusable {
        /// Which kind of file.
        kind: Kind,
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        cause: Words,
    },
    /// Others on this computer may read the key.
    KeyOpen(PathBuf),
    /// The key was bound to another computer.
    KeyElsewhere(PathBuf),
    /// The alliance file is empty.
    NoCharter(PathBuf),
    /// Its charter can't be used.
    Charter {
        /// The alliance file.
        path: PathBuf,
        /// What is wrong with it.
        cause: Rejected,
    },
    /// The alliance file certifies no such key.
    NotCertified {
        /// The key file.
        key: PathBuf,
        /// The alliance file.
        alliance: PathBuf,
    },
}

impl PaperError {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::PaperUnreadable,
            Self::Unusable { .. } => Code::PaperUnusable,
            Self::KeyOpen(_) => Code::KeyOpen,
            Self::KeyElsewhere(_) => Code::KeyElsewhere,
            Self::NoCharter(_) => Code::NoCharter,
            Self::Charter { .. } => Code::Charter,
            Self::NotCertified { .. } => Code::NotCertified,
        }
    }

    /// What happened, what it means, what to do.
    #[must_use]
    pub fn words(&self) -> Words {
        let (en, zh) = match self {
            Self::Unreadable { kind, path, cause } => {
                let (path, name) = (path.display(), kind.name());
                // A file that is there must not be made anew: that would be another key.
                let fix = if cause.kind() == ErrorKind::PermissionDenied {
                    let mode = if *kind == Kind::Key { "600" } else { "644" };
                    let commands = format!("chown holdfast {path} ; chmod {mode} {path}");
                    (
                        format!(
                            "It is there, and holdfastd's user has no right to read it: give it to that user, such as: {commands}"
                        ),
                        format!("檔案存在，但執行 holdfastd 的使用者沒有讀取權限。請把檔案交給該使用者，例如：{commands}"),
                    )
                } else {
                    (kind.fix().0.to_owned(), kind.fix().1.to_owned())
                };
                (
                    format!("the {} {path} can't be read: {cause}. Nothing was started. {}", name.0, fix.0),
                    format!("無法讀取{} {path}：{}。沒有啟動。{}", name.1, told::system(cause), fix.1),
                )
            }
            Self::Unusable { kind, path, cause } => {
                let (path, name, fix) = (path.display(), kind.name(), kind.fix());
                (
                    format!("the {} {path} is not usable: {}. Nothing was started. {}", name.0, cause.en, fix.0),
                    format!("{} {path} 的內容無法使用：{}。沒有啟動。{}", name.1, cause.zh, fix.1),
                )
            }
            Self::KeyOpen(path) => {
                let path = path.display();
                (
                    format!(
                        "the node key {path} may be read by other users of this computer, so it is no secret any more and nothing \
                         was started. Make it private: chmod 600 {path}"
                    ),
                    format!(
                        "這台電腦的其他使用者也能讀取據點金鑰 {path}，金鑰因此不再保密，沒有啟動。請設為私密：chmod 600 {path}"
                    ),
                )
            }
            Self::KeyElsewhere(path) => {
                let path = path.display();
                (
                    format!(
                        "the node key {path} belongs to another computer, or this one's system was installed anew. Two computers with \
                         one key would be taken for one node that contradicts itself, so nothing was started. Whoever issues for this \
                         firm gives this computer the node's place: holdfast replace ID there, holdfast join CODE here"
                    ),
                    format!(
                        "據點金鑰 {path} 屬於另一台電腦，或這台電腦的系統已重新安裝。兩台電腦共用一把金鑰會被視為自相矛盾的同一據點，\
                         因此沒有啟動。請貴企業的核發者讓這台電腦接替該據點：對方執行 holdfast replace 代號，這裡執行 holdfast join 加入碼"
                    ),
                )
            }
            Self::NoCharter(path) => {
                let path = path.display();
                (
                    format!(
                        "the alliance file {path} holds no charter, so this node can't tell whom to believe and nothing was \
                         started. Get the file again from whoever issued this node's certificate"
                    ),
                    format!("聯盟檔案 {path} 裡沒有聯盟章程，無法分辨該相信誰，沒有啟動。請向核發本據點憑證的人重新索取此檔"),
                )
            }
            Self::Charter { path, cause } => {
                let path = path.display();
                (
                    format!(
                        "the charter in the alliance file {path} can't be used: {cause}. Without it this node can't tell whom to \
                         believe, so nothing was started. Get the file again from whoever issued this node's certificate"
                    ),
                    format!(
                        "聯盟檔案 {path} 裡的聯盟章程無法使用：{}。無法分辨該相信誰，沒有啟動。請向核發本據點憑證的人重新索取此檔",
                        cause.zh()
                    ),
                )
            }
            Self::NotCertified { key, alliance } => {
                let (key, alliance) = (key.display(), alliance.display());
                (
                    format!(
                        "the alliance file {alliance} holds no certificate for the node key {key}. No other node would believe this \
                         one, so nothing was started. Put node.key and alliance.hf in place as they were issued together for this \
                         PC; if they are lost, have new ones issued"
                    ),
                    format!(
                        "聯盟檔案 {alliance} 裡沒有據點金鑰 {key} 的憑證。其他據點不會相信這台電腦，因此沒有啟動。\
                         請放回為這台電腦一起核發的 node.key 與 alliance.hf；若已遺失，請重新核發"
                    ),
                )
            }
        };
        Words { en, zh }
    }
}

impl std::fmt::Display for PaperError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words().en)
    }
}

impl std::error::Error for PaperError {}

/// What a node is given.
#[derive(Debug)]
pub(crate) struct Papers {
    pub(crate) me: NodeId,
    pub(crate) secret: SecretKey,
    pub(crate) catalogue: Catalogue,
    pub(crate) roster: Roster,
    /// What the roster was read from, charter first.
    pub(crate) objects: Vec<Bytes>,
}

impl Papers {
    /// Reads key, alliance file and catalogue, and looks that the key is certified.
    ///
    /// # Errors
    /// [`PaperError`] names the file and says what to do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, PaperError> {
        let secret = read_key(&settings.key_file)?;
        let alliance = read_alliance(&settings.alliance_file)?;
        let catalogue = read_catalogue(settings.catalogue_file.as_deref())?;
        let roster = roster_of(&alliance, &settings.alliance_file)?;
        let Some((me, _)) = roster.owner_of_key(&secret.public()) else {
            let (key, alliance) = (settings.key_file.clone(), settings.alliance_file.clone());
            return Err(PaperError::NotCertified { key, alliance });
        };
        Ok(Self { me, secret, catalogue, roster, objects: alliance })
    }
}

fn read(kind: Kind, path: &Path) -> Result<String, PaperError> {
    let unreadable = |cause| PaperError::Unreadable { kind, path: path.to_owned(), cause };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        let most = FILE_BYTES_MAX >> 20;
        let cause = both(format!("it has {size} bytes, more than {most} MiB"), format!("有 {size} 位元組，超過 {most} MiB"));
        return Err(unusable(kind, path, cause));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn unusable(kind: Kind, path: &Path, cause: Words) -> PaperError {
    PaperError::Unusable { kind, path: path.to_owned(), cause }
}

fn read_alliance(path: &Path) -> Result<Vec<Bytes>, PaperError> {
    let text = read(Kind::Alliance, path)?;
    let unusable = |cause: Words| unusable(Kind::Alliance, path, cause);
    let blocks = dearmor(&text).map_err(|error| unusable(armor_words(error)))?;
    if let Some(secret) = blocks.iter().find(|block| block.kind.is_secret()) {
        let line = secret.line;
        let en = format!("line {line} holds a secret key, which must not be in here");
        return Err(unusable(both(en, format!("第 {line} 行是私密金鑰，不可放在這裡"))));
    }
    Ok(blocks.into_iter().map(|block| block.bytes).collect())
}

fn roster_of(alliance: &[Bytes], path: &Path) -> Result<Roster, PaperError> {
    let first = alliance.first().ok_or_else(|| PaperError::NoCharter(path.to_owned()))?;
    let charter = |cause: Rejected| PaperError::Charter { path: path.to_owned(), cause };
    let mut roster = Roster::new(first).map_err(charter)?;
    for (_, why) in roster.offer_all(alliance).refused {
        tracing::warn!(path = %path.display(), %why, "a certificate in the alliance file is left out");
    }
    Ok(roster)
}

fn read_catalogue(path: Option<&Path>) -> Result<Catalogue, PaperError> {
    let text = match path {
        Some(path) => read(Kind::Catalogue, path)?,
        None => BUILT_IN.to_owned(),
    };
    let path = path.map_or_else(|| "built in".into(), Path::to_owned);
    let unusable = |cause: Words| unusable(Kind::Catalogue, &path, cause);
    let catalogue: Catalogue = toml::from_str(&text).map_err(|error| {
        let (line, said) = (error.span().map_or(1, |span| line_of(&text, span.start)), error.message());
        unusable(both(format!("line {line}: {said}"), format!("看不懂第 {line} 行（{said}）")))
    })?;
    catalogue.check().map_err(|error| unusable(both(error.to_string(), error.zh())))?;
    Ok(catalogue)
}

fn both(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}

fn armor_words(ArmorError { line, fault }: ArmorError) -> Words {
    both(format!("line {line}: {fault}"), format!("第 {line} 行：{}", fault.zh()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_may_not_be_read_is_not_to_be_made_anew() {
        let told = |kind: ErrorKind| {
            let path = PathBuf::from("/etc/holdfast/node.key");
            PaperError::Unreadable { kind: Kind::Key, path, cause: kind.into() }.words()
        };
        let (denied, missing) = (told(ErrorKind::PermissionDenied), told(ErrorKind::NotFound));
        assert!(denied.en.contains("chmod 600") && !denied.en.contains("issue node"), "{denied:?}");
        assert!(denied.zh.contains("沒有權限") && denied.zh.contains("chown") && !denied.zh.contains("issue node"), "{denied:?}");
        assert!(missing.en.contains("issue node") && missing.zh.contains("沒有這個檔案或資料夾"), "{missing:?}");
    }

    #[test]
    fn a_line_that_is_wrong_is_named_once_and_in_each_language_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        std::fs::write(&path, "# mine\nhello\n").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let words = read_key(&path).expect_err("no key").words();
        assert_eq!((words.en.matches("line 2").count(), words.zh.matches("第 2 行").count()), (1, 1), "{words:?}");
        assert!(!words.zh.contains("expected"), "{}", words.zh);
    }
}
