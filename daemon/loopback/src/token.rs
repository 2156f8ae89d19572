//! The token file and what is derived from it: who may write over the API. Not the node's key, which never comes near HTTP.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of a token before hex: as many as a key, so that nobody guesses it. Trust note T33.
const TOKEN_BYTES: usize = 32;
/// Hex digits of a token.
const TOKEN_DIGITS: usize = 2 * TOKEN_BYTES;
/// A file longer than this is no token file.
const FILE_BYTES_MAX: u64 = 1_024;
/// Separates the page's secret from every other use of the token.
const SESSION_CONTEXT: &str = "holdfast-v1 loopback page session from the API token";

/// Whoever shows it may read and write over the API. Never printed: `Debug` hides it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Reads 64 hex digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let good = text.len() == TOKEN_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        good.then(|| Self(text.to_ascii_lowercase()))
    }

    /// A fresh token from the system's randomness.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn random() -> io::Result<Self> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(format!("no randomness from the system: {error}")))?;
        Ok(Self(hex(&bytes)))
    }

    /// True if `shown` is this token. Takes equally long wherever they differ: hashes are compared in constant time.
    #[must_use]
    pub fn is(&self, shown: &str) -> bool {
        same(&self.0, shown)
    }

    /// The 64 hex digits, for the file and for programs that call the API.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the page's cookie holds: derived, so that the token itself never enters a browser. Stays the same over
    /// restarts of the daemon, so that an open page goes on working; changes with the token.
    pub(crate) fn session(&self) -> Session {
        Session(hex(&blake3::derive_key(SESSION_CONTEXT, self.0.as_bytes())))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// The secret in the page's cookie.
#[derive(Clone)]
pub(crate) struct Session(String);

impl Session {
    /// True if `shown` is this secret, in constant time.
    pub(crate) fn is(&self, shown: &str) -> bool {
        same(&self.0, shown)
    }

    /// For the `Set-Cookie` header only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(hidden)")
    }
}

/// Why there is no token: the API does not start without one.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Others on this computer could read the file.
    #[error(
        "the token file {path} can be read by other users of this computer (mode {mode:04o}), so it is \
         no secret. Delete it and start again (a new token is made), or run: chmod 600 {path}",
        path = path.display()
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error(
        "the token file {path} does not hold a token (64 hex digits). It may be half written or another file. \
         Check which file is named as token file; if it is the right one, delete it and start again: a new token is made",
        path = path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// It can't be read or made.
    #[error("the token file {path} can't be read or made: {cause}. Nothing was started. Check that its folder can be made and that this user may write there", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// Reads the token, or makes one at the first start, readable by this user only.
///
/// # Errors
/// [`TokenError`]: the file is open to others, holds something else, or can't be read or made.
pub fn load_or_create(path: &Path) -> Result<Token, TokenError> {
    let io_error = |cause| TokenError::Io { path: path.to_owned(), cause };
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path).map_err(io_error),
        Err(error) => Err(io_error(error)),
    }
}

/// Looks whether a token file that is there would be taken; one that is not there is made at the first start.
///
/// # Errors
/// As [`load_or_create`].
pub fn check(path: &Path) -> Result<(), TokenError> {
    match File::open(path) {
        Ok(file) => read(path, file).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(TokenError::Io { path: path.to_owned(), cause }),
    }
}

/// Reads an open token file. Permissions are asked of the open file, so that nobody can swap it in between.
fn read(path: &Path, file: File) -> Result<Token, TokenError> {
    let io_error = |cause| TokenError::Io { path: path.to_owned(), cause };
    let metadata = file.metadata().map_err(io_error)?;
    if let Some(mode) = open_to_others(&metadata) {
        return Err(TokenError::Readable { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    match file.take(FILE_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => Token::parse(text.trim()).ok_or_else(|| TokenError::Malformed { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(TokenError::Malformed { path: path.to_owned() }),
        Err(error) => Err(io_error(error)),
    }
}

/// Writes a fresh token beside the place and moves it there: a crash leaves no half token.
fn create(path: &Path) -> io::Result<Token> {
    let token = Token::random()?;
    let mut name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?.to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    match fs::remove_file(&fresh) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = private().open(&fresh)?;
    file.write_all(token.reveal().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    Ok(token)
}

/// Makes the folder and those above it where they are not there, for this user only.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(unix)]
fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// The mode if group or others have any right on the file.
#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Elsewhere the folder's own access list decides; there is no mode to read.
#[cfg(not(unix))]
fn open_to_others(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

/// Equal, in time that depends on neither text: `blake3::Hash` compares in constant time.
fn same(ours: &str, shown: &str) -> bool {
    blake3::hash(ours.as_bytes()) == blake3::hash(shown.as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        // Writing to a String can't fail.
        let _ok = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_a_private_token_and_later_starts_read_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("not/yet/api.token");
        check(&path).expect("it can be made");
        let first = load_or_create(&path).expect("made");
        let second = load_or_create(&path).expect("read");
        assert!(first.is(second.reveal()));
        assert_eq!(first.reveal().len(), TOKEN_DIGITS);
        check(&path).expect("it would be taken");
        assert!(!path.with_file_name("api.token.new").exists());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(&dir.path().join("not"))), (0o600, 0o700));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_token_others_may_read_is_refused_and_the_words_say_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("api.token");
        load_or_create(&path).expect("made");
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            assert!(matches!(check(&path), Err(TokenError::Readable { .. })));
            let refused = load_or_create(&path).expect_err("refused");
            assert!(matches!(refused, TokenError::Readable { .. }), "{refused}");
            assert!(refused.to_string().contains("chmod 600"), "{refused}");
        }
    }

    #[test]
    fn a_file_without_a_token_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("api.token");
        for text in [&b""[..], b"zz", b"\xff\xfe", &[b'a'; 63], &[b'a'; 65]] {
            fs::write(&path, text).expect("written");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
            }
            assert!(matches!(load_or_create(&path), Err(TokenError::Malformed { .. })));
            assert_eq!(fs::read(&path).expect("still there"), text);
        }
    }

    #[test]
    fn neither_token_nor_session_can_be_printed_and_one_does_not_show_the_other() {
        let token = Token::random().expect("random");
        let session = token.session();
        assert_eq!(format!("{token:?} {session:?}"), "Token(hidden) Session(hidden)");
        assert!(session.is(token.session().reveal()));
        assert!(!session.is(token.reveal()));
        assert!(!token.is(session.reveal()));
        assert!(!token.is(""));
    }
}
