//! The code of everything that keeps `holdfastd` from running: one table, so that a person can look one up or read it out.

use std::fmt;

use serde::{Serialize, Serializer};

/// `H-700` to `H-799`. Two reasons under one number don't compile; a number once given keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub enum Code {
    /// Wrong usage of the command line.
    Usage = 700,
    /// The configuration can't be read.
    ConfigUnreadable = 701,
    /// A line of it is not understood: not TOML, an unknown key, a wrong type.
    ConfigUnknown = 702,
    /// A value in it makes no sense.
    ConfigValue = 703,
    /// A variable of the environment is not understood.
    ConfigVariable = 704,
    /// The log filter is not understood.
    Log = 705,
    /// The system gives no event queue.
    Runtime = 706,
    /// The system gives no random numbers.
    Random = 707,
    /// Key, alliance file or catalogue can't be read.
    PaperUnreadable = 711,
    /// One of them does not hold what it should.
    PaperUnusable = 712,
    /// Others may read the node key.
    KeyOpen = 713,
    /// The alliance file holds no charter.
    NoCharter = 714,
    /// Its charter can't be used.
    Charter = 715,
    /// It certifies no such node and key.
    NotCertified = 716,
    /// The continuity stamp.
    Stamp = 717,
    /// The node key is another computer's.
    KeyElsewhere = 718,
    /// Another daemon runs on the data folder.
    StoreInUse = 721,
    /// No right to the data folder.
    StoreNoRight = 722,
    /// Its disk is read-only.
    StoreReadOnly = 723,
    /// Its disk is full.
    StoreFull = 724,
    /// A later version wrote the store.
    StoreNewer = 725,
    /// The built-in SQLite.
    StoreEngine = 726,
    /// The store broke while it was read.
    StoreGarbled = 727,
    /// Anything else of the disk.
    StoreDisk = 728,
    /// The API's port.
    ApiListen = 731,
    /// Others may read the token file.
    TokenOpen = 732,
    /// The token file holds no token.
    TokenMalformed = 733,
    /// The token file can't be read or made.
    TokenUnreadable = 734,
    /// The port of the public's board.
    PublicListen = 735,
    /// What the board must not show can't be read.
    PublicHidden = 736,
    /// A link's port.
    LinkListen = 741,
    /// The node key does not do for the links.
    LinkKey = 742,
    /// A link can't be set up.
    LinkSetup = 743,
    /// The radio port is not there. This and the next ones keep nothing from running: they are told, and the port is tried for ever.
    RadioMissing = 751,
    /// Another program holds it.
    RadioHeld = 752,
    /// No right to it.
    RadioNoRight = 753,
    /// It is no serial port, or takes no such speed.
    RadioUnfit = 754,
    /// It went away.
    RadioGone = 755,
    /// It takes nothing any more.
    RadioStuck = 756,
    /// Much was sent by radio and nothing ever came back.
    RadioDeaf = 757,
    /// A person's desk: the node's address is none. This and the next ones keep no node from running: they are told to that person.
    DeskAddress = 781,
    /// The node does not answer.
    DeskUnreached = 782,
    /// What answers is no node of the alliance that delegated.
    DeskStranger = 783,
    /// Others may read the person's key.
    DeskKeyOpen = 784,
    /// Key or delegation can't be read.
    DeskUnreadable = 785,
    /// What was read is no key or no delegation.
    DeskUnusable = 786,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H-{}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io;
    use std::net::SocketAddr;
    use std::path::PathBuf;

    use holdfast_loopback::token::TokenError;
    use holdfast_proto::domain::refusal::Words;
    use holdfast_proto::identity::Rejected;

    use super::*;
    use crate::config::{ConfigError, Fault};
    use crate::link::LinkError;
    use crate::log::LogError;
    use crate::paper::{Kind, PaperError};
    use crate::run::RunError;
    use crate::stamp::StampError;
    use crate::start::StartError;
    use crate::store::StoreError;

    fn cause() -> io::Error {
        io::Error::other("the cause")
    }

    fn store() -> Vec<RunError> {
        let (path, cause) = (PathBuf::from("/data"), "the cause".to_owned());
        let errors = [
            StoreError::InUse { path: path.clone() },
            StoreError::NoRight { path: path.clone(), cause: cause.clone() },
            StoreError::ReadOnly { path: path.clone(), cause: cause.clone() },
            StoreError::Full { path: path.clone(), cause: cause.clone() },
            StoreError::Newer { path: path.clone(), found: 9, known: 1 },
            StoreError::Engine { version: "3", cause: cause.clone() },
            StoreError::Garbled { path: path.clone(), cause: cause.clone() },
            StoreError::Disk { path, cause },
        ];
        errors.into_iter().map(RunError::Store).collect()
    }

    fn papers() -> Vec<PaperError> {
        let (kind, path) = (Kind::Key, PathBuf::from("/key"));
        vec![
            PaperError::Unreadable { kind, path: path.clone(), cause: cause() },
            PaperError::Unusable { kind, path: path.clone(), cause: Words { en: "empty".to_owned(), zh: "空白".to_owned() } },
            PaperError::KeyOpen(path.clone()),
            PaperError::KeyElsewhere(path.clone()),
            PaperError::NoCharter(path.clone()),
            PaperError::Charter { path: path.clone(), cause: Rejected::BadSignature },
            PaperError::NotCertified { key: path, alliance: PathBuf::from("/alliance") },
        ]
    }

    fn start() -> Vec<RunError> {
        let stamp = StartError::Stamp(StampError { path: PathBuf::from("/stamp"), action: "read", source: cause() });
        let errors = papers().into_iter().map(StartError::Paper).chain([stamp, StartError::Random("the cause".to_owned())]);
        errors.map(RunError::Start).collect()
    }

    fn rest() -> Vec<RunError> {
        let (path, address) = (PathBuf::from("/file"), SocketAddr::from(([127, 0, 0, 1], 1)));
        let wrong = |code| {
            let words = Words { en: "It is 1".to_owned(), zh: "是 1".to_owned() };
            RunError::Config(ConfigError::Wrong { path: "x.toml".into(), faults: vec![Fault { line: Some(1), code, words }] })
        };
        vec![
            RunError::Config(ConfigError::Unreadable { path: path.clone(), cause: cause() }),
            wrong(Code::ConfigUnknown),
            wrong(Code::ConfigValue),
            wrong(Code::ConfigVariable),
            RunError::Log(LogError("the cause".to_owned())),
            RunError::Runtime(cause()),
            RunError::Listen { address, cause: cause() },
            RunError::Public { address, cause: cause() },
            RunError::Hidden { folder: path.clone(), cause: cause() },
            RunError::Token(TokenError::Readable { path: path.clone(), mode: 0o644 }),
            RunError::Token(TokenError::Malformed { path: path.clone() }),
            RunError::Token(TokenError::Io { path, cause: cause() }),
            RunError::Link(LinkError::Listen { kind: "sync", address, cause: "taken".to_owned() }),
            RunError::Link(LinkError::Key("the cause".to_owned())),
            RunError::Link(LinkError::Setup { kind: "sync", cause: "the cause".to_owned() }),
        ]
    }

    #[test]
    fn each_reason_has_a_code_of_its_own_and_words_of_more_than_one_sentence() {
        let errors: Vec<RunError> = store().into_iter().chain(start()).chain(rest()).collect();
        let codes: BTreeSet<Code> = errors.iter().map(RunError::code).collect();
        assert_eq!(codes.len(), errors.len());
        for error in errors {
            let (code, said) = (error.code().to_string(), error.to_string());
            assert!(code.len() == 5 && code.starts_with("H-7"), "{code}");
            // What happened, then what to do.
            assert!((said.contains(". ") || said.contains(" again")) && !said.ends_with('?'), "{code}: {said}");
            let words = error.words();
            assert!(words.en == said && words.zh.contains('請'), "{code}: {}", words.zh);
        }
    }

    #[test]
    fn a_file_that_does_not_do_is_told_in_both_languages_and_that_nothing_was_started() {
        for error in papers() {
            let words = error.words();
            assert!(words.en.to_lowercase().contains("nothing was started"), "{}", words.en);
            assert!(words.zh.contains("沒有啟動") && words.zh.contains("/key"), "{}", words.zh);
        }
    }
}
