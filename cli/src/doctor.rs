//! `holdfast doctor`: checks a node and names the one command that mends each fault. Changes nothing.

use std::path::Path;

use holdfast_proto::control::{PeersView, StatusView};
use serde_json::{Value, json};

use crate::client::Client;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::target::{Target, Wish, find, tell_default};
use crate::text::{Hue, clean};
use holdfast_proto::domain::refusal::Words;

/// A clock this far from the neighbours' shows wrong ages to people.
const SKEW_WARN_S: u64 = 30;
/// Below so much free room a daemon may soon refuse writes. Guess: a month of records of 1,000 nodes.
const FREE_WARN_KIB: u64 = 512 * 1024;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Bad,
}

/// One thing looked at.
struct Finding {
    check: &'static str,
    level: Level,
    what: Words,
    /// The one command or act that mends it.
    fix: Option<Words>,
}

fn ok(check: &'static str, what: Words) -> Finding {
    Finding { check, level: Level::Ok, what, fix: None }
}

fn bad(check: &'static str, level: Level, what: Words, fix: Words) -> Finding {
    Finding { check, level, what, fix: Some(fix) }
}

/// `holdfast doctor`. Exit 1 where something is wrong.
///
/// # Errors
/// No daemon is named and no demo runs.
pub(crate) fn doctor(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let target = find(desk, wish)?;
    tell_default(desk, &target);
    let mut findings = Vec::new();
    if let Some(file) = &target.address.token_file {
        findings.push(token_file(file));
    }
    match Client::open(&target.address) {
        Ok(client) => ask(&client, &mut findings),
        Err(failure) => findings.push(from_failure("daemon", &failure)),
    }
    if let Some(folder) = data_folder(&target) {
        findings.extend(disk(&folder));
    }
    Ok(tell(desk, &findings))
}

fn from_failure(check: &'static str, failure: &Failure) -> Finding {
    let object = failure.object();
    let pair = |key: &str| {
        let part = |lang: &str| object[key][lang].as_str().unwrap_or_default().to_owned();
        words(part("en"), part("zh"))
    };
    bad(check, Level::Bad, pair("what"), pair("fix"))
}

fn ask(client: &Client, findings: &mut Vec<Finding>) {
    match client.get_text("/readyz") {
        Ok((200, _)) => findings
            .push(ok("daemon", words(format!("daemon runs at {}", client.base()), format!("背景程式執行中:{}", client.base())))),
        Ok((status, text)) => findings.push(bad(
            "daemon",
            Level::Bad,
            words(
                format!("daemon is not ready ({status}): {}", text.trim()),
                format!("背景程式尚未就緒({status}):{}", text.trim()),
            ),
            words("wait a minute; if it stays so, read the daemon's log", "請稍候一分鐘;若仍如此,請查看背景程式的紀錄"),
        )),
        Err(failure) => return findings.push(from_failure("daemon", &failure)),
    }
    match client.ask::<StatusView>("/api/v1/status") {
        Ok(view) => status(&view, findings),
        Err(failure) => findings.push(from_failure("status", &failure)),
    }
    match client.ask::<PeersView>("/api/v1/peers") {
        Ok(view) => clock(&view, findings),
        Err(failure) => findings.push(from_failure("peers", &failure)),
    }
}

fn status(view: &StatusView, findings: &mut Vec<Finding>) {
    let n = view.neighbours;
    let alone = view.nodes.len() > 1 && n == 0;
    findings.push(if alone {
        bad(
            "neighbours",
            Level::Warn,
            words("no neighbour has a link up", "沒有連線中的鄰近據點"),
            words("holdfast peers   (names each address and why it failed)", "holdfast peers (會列出各位址與失敗原因)"),
        )
    } else {
        ok("neighbours", words(format!("{n} neighbours have a link up"), format!("{n} 個鄰近據點連線中")))
    });
    for warning in &view.warnings {
        findings.push(bad(
            "warning",
            Level::Warn,
            words(format!("{} ({})", warning.en, warning.code), format!("{}({})", warning.zh, warning.code)),
            words("holdfast status", "holdfast status"),
        ));
    }
}

fn clock(view: &PeersView, findings: &mut Vec<Finding>) {
    let mut skews: Vec<i64> = view.peers.iter().filter_map(|peer| peer.clock_skew_s).collect();
    skews.sort_unstable();
    let Some(middle) = skews.get(skews.len() / 2).copied() else { return };
    let (count, off) = (skews.len(), middle.unsigned_abs());
    findings.push(if off > SKEW_WARN_S {
        let (en, zh) = if middle > 0 { ("slow", "慢") } else { ("fast", "快") };
        bad(
            "clock",
            Level::Warn,
            words(
                format!("this computer's clock is {off} s {en} against {count} neighbours (H-402)"),
                format!("這台電腦的時間比 {count} 個鄰近據點{zh}了 {off} 秒(H-402)"),
            ),
            words("sudo timedatectl set-ntp true   (or set the time by hand)", "sudo timedatectl set-ntp true (或手動校正時間)"),
        )
    } else {
        ok(
            "clock",
            words(format!("clock within {off} s of {count} neighbours"), format!("時鐘與 {count} 個鄰近據點相差 {off} 秒內")),
        )
    });
}

#[cfg(unix)]
fn token_file(path: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 == 0 => {
            ok("token", words("only its owner reads the token file", "權杖檔只有擁有者可讀"))
        }
        Ok(_) => bad(
            "token",
            Level::Bad,
            words(format!("others may read the token file {shown}"), format!("其他人也能讀取權杖檔 {shown}")),
            words(format!("chmod 600 {shown}"), format!("chmod 600 {shown}")),
        ),
        Err(error) => bad(
            "token",
            Level::Bad,
            words(format!("the token file {shown} can't be looked at: {error}"), format!("無法查看權杖檔 {shown}:{error}")),
            words("start the daemon, or run this as the daemon's user", "請啟動背景程式,或以其使用者執行"),
        ),
    }
}

#[cfg(not(unix))]
fn token_file(path: &Path) -> Finding {
    let shown = path.display();
    match std::fs::metadata(path) {
        Ok(_) => ok("token", words("the token file is there", "權杖檔存在")),
        Err(error) => bad(
            "token",
            Level::Bad,
            words(format!("the token file {shown} can't be looked at: {error}"), format!("無法查看權杖檔 {shown}:{error}")),
            words("start the daemon, or run this as the daemon's user", "請啟動背景程式,或以其使用者執行"),
        ),
    }
}

/// The folder the daemon writes to, as far as it can be known from here.
fn data_folder(target: &Target) -> Option<std::path::PathBuf> {
    let beside = target.config.as_deref().or(target.address.token_file.as_deref())?;
    beside.parent().map(Path::to_path_buf)
}

/// Free room, as `df` tells it: the standard library can't.
fn disk(folder: &Path) -> Option<Finding> {
    let output = std::process::Command::new("df").arg("-Pk").arg("--").arg(folder).output().ok()?;
    let free_kib = free_of(&String::from_utf8_lossy(&output.stdout))?;
    let (mib, shown) = (free_kib / 1024, folder.display());
    Some(if free_kib < FREE_WARN_KIB {
        bad(
            "disk",
            Level::Warn,
            words(format!("only {mib} MiB free for {shown}"), format!("{shown} 所在磁碟只剩 {mib} MiB")),
            words(
                format!("free some room on that disk: du -xh --max-depth=2 {shown}"),
                format!("請清出空間:du -xh --max-depth=2 {shown}"),
            ),
        )
    } else {
        ok("disk", words(format!("{mib} MiB free"), format!("磁碟剩餘 {mib} MiB")))
    })
}

/// The fourth column of the second line of `df -Pk`.
fn free_of(text: &str) -> Option<u64> {
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn tell(desk: &mut Desk<'_>, findings: &[Finding]) -> Exit {
    let wrong = findings.iter().filter(|finding| finding.level != Level::Ok).count();
    let exit = if wrong == 0 { Exit::Done } else { Exit::Failed };
    if desk.json {
        let list: Vec<Value> = findings
            .iter()
            .map(|finding| json!({"check": finding.check, "ok": finding.level == Level::Ok, "level": level(finding.level), "what": finding.what, "fix": finding.fix}))
            .collect();
        desk.object(&json!({"schema": "holdfast.doctor/1", "ok": wrong == 0, "findings": list}));
        return exit;
    }
    for finding in findings {
        let (word, hue) = match finding.level {
            Level::Ok => (desk.lang.of("ok  ", "正常"), Hue::Green),
            Level::Warn => (desk.lang.of("warn", "注意"), Hue::Yellow),
            Level::Bad => (desk.lang.of("bad ", "錯誤"), Hue::Red),
        };
        let line = format!("  {}  {}", desk.paint(hue, word), clean(desk.lang.words(&finding.what)));
        desk.say(&line);
        if let Some(fix) = &finding.fix {
            let line = format!("        {}{}", desk.lang.of("fix: ", "處理:"), clean(desk.lang.words(fix)));
            desk.say(&line);
        }
    }
    let line = match (wrong, desk.lang) {
        (0, lang) => lang.of("  all well", "  一切正常").to_owned(),
        (n, lang) => lang.of(format!("  {n} to mend"), format!("  {n} 項待處理")),
    };
    desk.say(&line);
    exit
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Ok => "ok",
        Level::Warn => "warn",
        Level::Bad => "bad",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_room_is_read_from_df() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 40 60 40% /\n";
        assert_eq!(free_of(text), Some(60));
        assert_eq!(free_of("garbage"), None);
    }

    #[test]
    fn a_clock_far_from_the_neighbours_is_told_with_a_fix() {
        let peers = |skew| PeersView {
            schema: "holdfast.peers/1".into(),
            peers: vec![holdfast_proto::control::PeerView {
                id: None,
                name: None,
                addresses: vec![],
                links: vec![],
                state: "up".into(),
                retry_s: None,
                last_error: None,
                last_error_zh: None,
                clock_skew_s: Some(skew),
                in_step: true,
            }],
        };
        let mut findings = Vec::new();
        clock(&peers(-720), &mut findings);
        clock(&peers(2), &mut findings);
        assert_eq!(findings[0].level, Level::Warn);
        assert!(findings[0].what.en.contains("fast") && findings[0].fix.is_some());
        assert_eq!(findings[1].level, Level::Ok);
    }
}
