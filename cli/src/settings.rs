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
    let none = desk.lang.of("(none)", "(無)").to_owned();
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
    let list = |lang: Lang| {
        let told = faults.iter().map(|fault| {
            let line = fault.line.map(|line| lang.of(format!("line {line}: "), format!("第 {line} 行:")));
            format!("{}{} ({})", line.unwrap_or_default(), lang.words(&fault.words), fault.code)
        });
        told.collect::<Vec<_>>().join("; ")
    };
    Err(Failure::new(
        Exit::Failed,
        "H-853",
        words(format!("{}: {}", file.display(), list(Lang::En)), format!("{}:{}", file.display(), list(Lang::Zh))),
        words("A daemon would not start with this file.", "背景程式無法以此檔啟動。"),
        words("Mend the lines named, then check again.", "請修正所列的行後再檢查。"),
    ))
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
                format!("{} gave no verdict: {error}. {said}", daemon.display()),
                format!("{} 沒有回覆檢查結果:{error}。{said}", daemon.display()),
            ),
            words("Nothing was checked.", "沒有檢查任何設定。"),
            words("Is it of the same version? See `holdfastd --version`.", "版本是否相同?請看 `holdfastd --version`。"),
        )
    })?;
    Ok(verdict.faults)
}
