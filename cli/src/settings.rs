//! `holdfast config`: what this command uses, and what a daemon says of its configuration file, with the line of each fault.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use holdfast_proto::domain::refusal::Words;
use serde::Deserialize;
use serde_json::json;

use crate::args::ConfigCommand;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::holdfastd;
use crate::lang::Lang;
use crate::target::{self, DemoFile, Wish};
use crate::text::clean;

/// What a daemon says of a configuration file. Schema `holdfast.config_check/1`.
#[derive(Debug, Deserialize)]
struct Verdict {
    faults: Vec<Fault>,
}

/// One thing that is wrong in it.
#[derive(Debug, Deserialize)]
struct Fault {
    line: Option<usize>,
    code: String,
    #[serde(flatten)]
    words: Words,
}

/// `holdfast config`.
///
/// # Errors
/// The file can't be read, or is wrong: exit 1 with the line.
pub(crate) fn config(desk: &mut Desk<'_>, wish: &Wish, command: ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Show => show(desk, wish),
        ConfigCommand::Path => path(desk, wish),
        ConfigCommand::Check { file } => check_file(desk, &file),
    }
}

fn show(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let found = target::find(desk, wish).ok();
    let dir = target::demo_dir(desk, wish.dir.as_deref())?;
    let lang = match desk.lang {
        Lang::En => "en",
        Lang::Zh => "zh-TW",
    };
    let (api, token, source) =
        found.map_or((None, None, "none"), |found| (Some(found.address.api), found.address.token_file, found.source));
    if desk.json {
        desk.object(&json!({"schema": "holdfast.config/1", "api": api, "token_file": token, "source": source, "lang": lang, "demo_dir": dir}));
        return Ok(Exit::Done);
    }
    let none = desk.lang.of("(none)", "（無）").to_owned();
    let token = token.map_or_else(|| none.clone(), |path| path.display().to_string());
    desk.say(&format!("api         {}  ({source})", api.unwrap_or(none)));
    desk.say(&format!("token_file  {token}"));
    desk.say(&format!("lang        {lang}"));
    desk.say(&format!("demo_dir    {}", dir.display()));
    Ok(Exit::Done)
}

fn path(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let dir = target::demo_dir(desk, wish.dir.as_deref())?;
    let configs: Vec<PathBuf> = DemoFile::read(&dir).into_iter().flat_map(|demo| demo.nodes).map(|node| node.config).collect();
    if desk.json {
        desk.object(&json!({"schema": "holdfast.paths/1", "demo_dir": dir, "daemon_configs": configs}));
        return Ok(Exit::Done);
    }
    desk.say(&dir.display().to_string());
    for config in configs {
        desk.say(&config.display().to_string());
    }
    Ok(Exit::Done)
}

fn check_file(desk: &mut Desk<'_>, file: &Path) -> Result<Exit, Failure> {
    if !file.exists() {
        return Err(Failure::new(
            Exit::NotFound,
            "H-851",
            words(format!("There is no file {}.", file.display()), format!("沒有檔案 {}。", file.display())),
            words("Nothing was checked.", "沒有檢查任何設定。"),
            words("Check the path.", "請確認路徑。"),
        ));
    }
    let faults = judge(desk, file)?;
    if faults.is_empty() {
        if desk.json {
            desk.object(&json!({"schema": "holdfast.config_check/1", "ok": true, "file": file}));
        } else {
            let line = desk.lang.of(format!("{} is right.", file.display()), format!("{} 正確無誤。", file.display()));
            desk.say(&line);
        }
        return Ok(Exit::Done);
    }
    Err(wrong(file, &faults))
}

/// One fault has its own code; several stand each with theirs.
fn wrong(file: &Path, faults: &[Fault]) -> Failure {
    let shown = file.display();
    let line_of = |fault: &Fault, lang: Lang| {
        let line = fault.line.map(|line| lang.of(format!("line {line}: "), format!("第 {line} 行：")));
        format!("{}{}", line.unwrap_or_default(), lang.words(&fault.words))
    };
    let list = |lang: Lang| match faults {
        [only] => line_of(only, lang),
        _ => {
            let of = |fault| {
                lang.of(
                    format!("{} ({})", line_of(fault, lang), fault.code),
                    format!("{}（{}）", line_of(fault, lang), fault.code),
                )
            };
            faults.iter().map(of).collect::<Vec<_>>().join(lang.of("; ", "；"))
        }
    };
    let code = if let [only] = faults { only.code.as_str() } else { "H-853" };
    Failure::new(
        Exit::Failed,
        code,
        words(format!("{shown}: {}", list(Lang::En)), format!("{shown}：{}", list(Lang::Zh))),
        words("A daemon would not start with this file.", "背景程式無法以此檔啟動。"),
        if faults.iter().all(|fault| fault.line.is_some()) {
            words("Mend the lines named, then check again.", "請修正所列的行後再檢查。")
        } else {
            words("Mend what is named, then check again.", "請修正上述問題後再檢查。")
        },
    )
}

/// The daemon itself judges, as it would at its start: there is one schema, and it is the daemon's.
fn judge(desk: &mut Desk<'_>, file: &Path) -> Result<Vec<Fault>, Failure> {
    let daemon = holdfastd::find(desk)?;
    let told = Command::new(&daemon).arg("--check").arg("--config").arg(file).stdin(Stdio::null()).output();
    let told = told.map_err(|error| Failure::file("H-884", ("start", "啟動"), &daemon, &error))?;
    let verdict: Verdict = serde_json::from_slice(&told.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&told.stderr);
        let said = clean(said.lines().next().unwrap_or_default());
        Failure::new(
            Exit::Failed,
            "H-854",
            words(
                format!("{} gave no verdict ({error}). It said \"{said}\".", daemon.display()),
                format!("{} 沒有回覆檢查結果（系統訊息「{error}」）。它的訊息「{said}」。", daemon.display()),
            ),
            words("Nothing was checked.", "沒有檢查任何設定。"),
            words("Is it of the same version? See `holdfastd --version`.", "版本是否相同？請看 `holdfastd --version`。"),
        )
    })?;
    Ok(verdict.faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: Option<usize>, code: &str) -> Fault {
        Fault { line, code: code.to_owned(), words: words("it is wrong.", "不對。") }
    }

    #[test]
    fn a_fault_without_a_line_does_not_send_anybody_to_look_for_one() {
        let said = |faults: &[Fault]| wrong(Path::new("x.toml"), faults).lines(Lang::En).join("\n");
        let paper = said(&[fault(None, "H-716")]);
        assert!(!paper.contains("line") && paper.ends_with("H-716") && paper.matches("H-").count() == 1, "{paper}");
        let line = said(&[fault(Some(3), "H-702")]);
        assert!(
            line.contains("line 3: it is wrong.") && line.contains("Mend the lines") && line.matches("H-").count() == 1,
            "{line}"
        );
        let both = said(&[fault(Some(3), "H-702"), fault(None, "H-716")]);
        assert!(both.contains("(H-702)") && both.contains("(H-716)") && both.ends_with("H-853"), "{both}");
    }
}
