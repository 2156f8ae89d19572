//! Where the daemon's program is, for the demo and for what only the daemon can judge.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};

/// `HOLDFASTD`, else the one beside this program. Under `cargo run` it is built first, so that it is of the same source.
///
/// # Errors
/// It is not there, or could not be built.
pub(crate) fn find(desk: &mut Desk<'_>) -> Result<PathBuf, Failure> {
    if let Some(path) = desk.env("HOLDFASTD").map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(missing(&path)) };
    }
    let own = std::env::current_exe().map_err(|error| Failure::file("H-890", ("find", "找到"), Path::new("holdfast"), &error))?;
    let beside = own.with_file_name(format!("holdfastd{}", std::env::consts::EXE_SUFFIX));
    // Cargo sets this for the package it runs, and for no other.
    if desk.env("CARGO_PKG_NAME").as_deref() == Some(env!("CARGO_PKG_NAME")) {
        build(desk, &own)?;
    }
    if beside.is_file() { Ok(beside) } else { Err(missing(&beside)) }
}

fn build(desk: &mut Desk<'_>, own: &Path) -> Result<(), Failure> {
    desk.note("Building holdfastd (the first time takes a few minutes) ...", "正在建置 holdfastd（第一次需要幾分鐘）……");
    let cargo = desk.env("CARGO").unwrap_or_else(|| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "holdfast-daemon"]).stdin(Stdio::null());
    if own.parent().and_then(Path::file_name).is_some_and(|profile| profile == "release") {
        command.arg("--release");
    }
    if let Some(folder) = desk.env("CARGO_MANIFEST_DIR") {
        command.current_dir(folder);
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(Failure::new(
            Exit::Failed,
            "H-891",
            words("holdfastd could not be built.", "holdfastd 建置失敗。"),
            words("Nothing was started.", "沒有啟動任何程式。"),
            words(
                "See the messages above; `sh configs/up.sh` sets up what a build needs.",
                "請看上方訊息；`sh configs/up.sh` 會備妥建置環境。",
            ),
        )),
    }
}

fn missing(path: &Path) -> Failure {
    let shown = path.display();
    Failure::new(
        Exit::Failed,
        "H-892",
        words(format!("There is no holdfastd at {shown}."), format!("{shown} 沒有 holdfastd。")),
        words(
            "The demo runs real daemons, and a daemon checks its own configuration.",
            "示範使用真正的背景程式，設定檔也由它檢查。",
        ),
        words(
            "Build it: cargo build -p holdfast-daemon; or name it: HOLDFASTD=/path/to/holdfastd.",
            "請建置：cargo build -p holdfast-daemon；或以 HOLDFASTD=路徑 指定。",
        ),
    )
}
