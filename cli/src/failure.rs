//! Why a command did not do what was asked, and the exit code for it: what happened, what it means, what to do, a code.

use std::fmt;
use std::io::ErrorKind;

use holdfast_proto::domain::refusal::{RefusalKind, Words};
use serde_json::{Value, json};

use crate::lang::Lang;
use crate::text;

/// The exit codes; scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// It failed; the text says why.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// No daemon answers.
    NotRunning = 3,
    /// No such thing.
    NotFound = 4,
    /// The right to do so is missing.
    Refused = 5,
    /// Saved here, not yet delivered.
    SavedHere = 6,
    /// What was waited for did not come in time.
    TimedOut = 7,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The word in the error object.
    fn kind(self) -> &'static str {
        match self {
            Self::Done | Self::Failed => "unable",
            Self::Usage => "usage",
            Self::NotRunning => "not_running",
            Self::NotFound => "not_found",
            Self::Refused => "rights",
            Self::SavedHere => "saved_here",
            Self::TimedOut => "timed_out",
        }
    }
}

impl From<RefusalKind> for Exit {
    fn from(kind: RefusalKind) -> Self {
        match kind {
            RefusalKind::Usage => Self::Usage,
            RefusalKind::NotFound => Self::NotFound,
            RefusalKind::Rights => Self::Refused,
            RefusalKind::Unable => Self::Failed,
        }
    }
}

/// The daemon's code for a token that is missing or wrong. Its own advice is for the page and for programs.
const WRONG_TOKEN: &str = "H-601";

fn other_token() -> Words {
    words(
        "Check --token-file (or HOLDFAST_TOKEN_FILE): it must be the `token_file` of the daemon at that address.",
        "請檢查 --token-file（或 HOLDFAST_TOKEN_FILE）：應為該位址背景程式設定中的 `token_file`。",
    )
}

/// What the operating system refused, in both languages; what is not among the usual stands in the system's own words.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of errors are many and grow")]
pub(crate) fn cause_of(error: &std::io::Error) -> Words {
    let (en, zh) = match error.kind() {
        ErrorKind::NotFound => ("there is no such file or folder", "沒有這個檔案或資料夾"),
        ErrorKind::PermissionDenied => ("this user may not do that", "目前的使用者沒有權限"),
        ErrorKind::AlreadyExists => ("it is there already", "已存在"),
        ErrorKind::IsADirectory => ("it is a folder", "這是資料夾"),
        ErrorKind::NotADirectory => ("a part of the path is no folder", "路徑中有一段不是資料夾"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ("the disk is full", "磁碟空間已滿"),
        ErrorKind::ReadOnlyFilesystem => ("the disk is read-only", "磁碟是唯讀的"),
        ErrorKind::InvalidData => ("it is not plain text", "內容不是純文字"),
        _ => return said(error),
    };
    words(en, zh)
}

/// An error in words of a program: English stands in quotes where Chinese is spoken.
pub(crate) fn said(error: &impl fmt::Display) -> Words {
    words(error.to_string(), format!("系統訊息「{error}」"))
}

/// The one thing to do about it.
#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of errors are many and grow")]
fn remedy_of(error: &std::io::Error) -> Words {
    let (en, zh) = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => ("Check the path.", "請確認路徑。"),
        ErrorKind::PermissionDenied => {
            ("Run this as the user it belongs to, or choose another place.", "請以擁有者的身分執行，或改用其他位置。")
        }
        ErrorKind::AlreadyExists => ("Choose another name, or move it away first.", "請換一個名稱，或先移走它。"),
        ErrorKind::IsADirectory => ("Name a file in it.", "請指定其中的檔案。"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ("Free some room on that disk, then try again.", "請清出磁碟空間後再試。")
        }
        ErrorKind::ReadOnlyFilesystem => ("Choose a place that can be written to.", "請改用可寫入的位置。"),
        ErrorKind::InvalidData => ("Check that it is the file meant.", "請確認是不是這個檔案。"),
        _ => (
            "Check that the path is right, that the disk has room and that you may use it.",
            "請確認路徑正確、磁碟還有空間，且您有使用權限。",
        ),
    };
    words(en, zh)
}

/// A pair of texts: English, Traditional Chinese.
pub(crate) fn words(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}

/// Why a command ends with something else than 0. Boxed: it travels through every `Result`.
#[derive(Debug)]
pub(crate) struct Failure(Box<Story>);

#[derive(Debug)]
struct Story {
    exit: Exit,
    code: String,
    what: Words,
    means: Words,
    fix: Words,
}

impl Failure {
    /// A failure of this program's own finding.
    pub(crate) fn new(exit: Exit, code: &str, what: Words, means: Words, fix: Words) -> Self {
        Self(Box::new(Story { exit, code: code.to_owned(), what, means, fix }))
    }

    /// What was typed can't be read.
    pub(crate) fn usage(code: &str, what: Words, fix: Words) -> Self {
        Self::new(Exit::Usage, code, what, words("Nothing was sent or changed.", "沒有送出或更改任何資料。"), fix)
    }

    /// A file or folder could not be used.
    pub(crate) fn file(code: &str, verb: (&str, &str), path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = path.display();
        let cause = cause_of(error);
        Self::new(
            Exit::Failed,
            code,
            words(format!("Could not {} {path}: {}.", verb.0, cause.en), format!("無法{} {path}：{}。", verb.1, cause.zh)),
            words("The command stopped here.", "指令在此停止。"),
            remedy_of(error),
        )
    }

    /// What a daemon answered with an error status; a body that is no error object still gives the right exit code.
    pub(crate) fn from_answer(status: u16, body: &str) -> Self {
        let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        let by_kind =
            value.get("kind").cloned().and_then(|kind| serde_json::from_value::<RefusalKind>(kind).ok()).map(Exit::from);
        let exit = by_kind.unwrap_or(match status {
            401 | 403 => Exit::Refused,
            404 => Exit::NotFound,
            422 => Exit::Usage,
            400..=599 => Exit::Failed,
            _ => Exit::Failed,
        });
        let pair = |key: &str| value.get(key).cloned().and_then(|words| serde_json::from_value::<Words>(words).ok());
        let code = value.get("code").and_then(Value::as_str).unwrap_or("H-812");
        let failure = Self::new(
            exit,
            code,
            pair("what").unwrap_or_else(|| {
                words(format!("The daemon answered with HTTP status {status}."), format!("背景程式回覆 HTTP 狀態 {status}。"))
            }),
            pair("means").unwrap_or_else(|| words("What was asked was not done.", "要求的事沒有完成。")),
            pair("fix").unwrap_or_else(|| {
                words(
                    "Check with `holdfast doctor`; command and daemon should be of the same version.",
                    "請用 `holdfast doctor` 檢查；指令與背景程式的版本應相同。",
                )
            }),
        );
        if code == WRONG_TOKEN { failure.with_fix(other_token()) } else { failure }
    }

    /// Reads back what [`Self::object`] wrote, from a demo in another terminal.
    pub(crate) fn from_object(value: &Value) -> Self {
        let exit = value.get("exit").and_then(Value::as_u64).unwrap_or(1);
        let known = [Exit::Usage, Exit::NotRunning, Exit::NotFound, Exit::Refused, Exit::SavedHere, Exit::TimedOut];
        let exit = known.into_iter().find(|known| u64::from(known.code()) == exit).unwrap_or(Exit::Failed);
        let Self(mut story) = Self::from_answer(503, &value.to_string());
        story.exit = exit;
        Self(story)
    }

    /// The same with another thing to do, where who asked knows better.
    pub(crate) fn with_fix(self, fix: Words) -> Self {
        let Self(mut story) = self;
        story.fix = fix;
        Self(story)
    }

    /// The same where nothing was to be written anyway: a look that finds nothing has not "saved or sent nothing".
    pub(crate) fn of_a_look(self) -> Self {
        let Self(mut story) = self;
        if matches!(story.exit, Exit::NotFound | Exit::Usage) {
            story.means = words("There is nothing to show.", "沒有可以顯示的內容。");
        }
        Self(story)
    }

    /// Its code, `H-...`.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The error object of `--json`, the same shape as the daemon's.
    pub(crate) fn object(&self) -> Value {
        let story = &self.0;
        json!({
            "schema": "holdfast.error/1", "code": story.code, "kind": story.exit.kind(), "exit": story.exit.code(),
            "what": story.what, "means": story.means, "fix": story.fix,
        })
    }

    /// What a person reads on stderr.
    pub(crate) fn lines(&self, lang: Lang) -> Vec<String> {
        let story = &self.0;
        let line = |label: &str, words: &Words| format!("{label}{}", text::clean(lang.words(words)));
        vec![
            line(lang.of("holdfast: ", "holdfast："), &story.what),
            line(lang.of("  means:  ", "  影響："), &story.means),
            line(lang.of("  to do:  ", "  處理："), &story.fix),
            format!("{}{}", lang.of("  code:   ", "  代碼："), text::clean(&story.code)),
        ]
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.what.en, self.0.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_refusal_has_its_exit_code() {
        for (kind, status, code) in [("usage", 422, 2), ("not_found", 404, 4), ("rights", 403, 5), ("unable", 503, 1)] {
            let body = format!(
                r#"{{"schema":"holdfast.error/1","code":"H-1","kind":"{kind}","what":{{"en":"e","zh":"z"}},"means":{{"en":"","zh":""}},"fix":{{"en":"","zh":""}}}}"#
            );
            let failure = Failure::from_answer(status, &body);
            assert_eq!(failure.exit().code(), code, "{kind}");
            assert_eq!(failure.object()["kind"], kind);
        }
    }

    #[test]
    fn a_status_alone_decides_where_the_body_is_no_error_object() {
        for (status, code) in [(401, 5), (403, 5), (404, 4), (422, 2), (400, 1), (500, 1), (503, 1)] {
            assert_eq!(Failure::from_answer(status, "<html>").exit().code(), code, "{status}");
        }
    }

    #[test]
    fn what_the_system_refused_is_told_in_one_language_at_a_time() {
        let path = std::path::Path::new("/x");
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::PermissionDenied,
            ErrorKind::IsADirectory,
            ErrorKind::StorageFull,
            ErrorKind::ReadOnlyFilesystem,
        ] {
            let zh = Failure::file("H-862", ("read", "讀取"), path, &kind.into()).lines(Lang::Zh).concat();
            let words = zh.replace("holdfast", "").replace("/x", "").replace("H-862", "");
            assert!(!words.contains(|c: char| c.is_ascii_alphabetic()), "{zh}");
        }
        let strange = Failure::file("H-862", ("read", "讀取"), path, &std::io::Error::other("wet")).lines(Lang::Zh).concat();
        assert!(strange.contains("系統訊息「wet」"), "what is not known here is not hidden: {strange}");
    }

    #[test]
    fn a_wrong_token_is_mended_where_the_command_names_it() {
        let body = r#"{"code":"H-601","kind":"rights","fix":{"en":"On the page: load it again.","zh":"請重新整理"}}"#;
        let failure = Failure::from_answer(401, body);
        assert!(failure.lines(Lang::En)[2].contains("--token-file"), "{failure:?}");
        assert!(failure.lines(Lang::Zh)[2].contains("--token-file"), "{failure:?}");
    }

    #[test]
    fn a_refusal_is_told_in_the_chosen_language_with_its_code() {
        let failure = Failure::usage("H-801", words("no", "不"), words("do", "做"));
        assert!(failure.lines(Lang::Zh)[0].contains("不"));
        assert!(failure.lines(Lang::En)[2].contains("do"));
        assert!(failure.lines(Lang::En)[3].contains("H-801"));
    }
}
