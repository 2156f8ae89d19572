//! `holdfast doctor`: checks a node and names the one command that mends each fault. Changes nothing.

use std::path::Path;
use std::time::Duration;

use holdfast_proto::control::{DeliveryState, PeersView, RequestView, RequestsView, StatusView, Warning};
use serde_json::{Value, json};

use crate::act::Pause;
use crate::board as door;
use crate::client::Client;
use crate::demo;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, cause_of, words};
use crate::lang::Lang;
use crate::target::{Target, Wish, find, open, tell_default};
use crate::text::{Hue, clean};
use crate::view::is_over;
use holdfast_proto::domain::refusal::Words;

/// A clock this far from the neighbours' shows wrong ages to people.
const SKEW_WARN_S: u64 = 30;
/// Below so much free room a daemon may soon refuse writes. Guess: a month of records of 1,000 nodes.
const FREE_WARN_KIB: u64 = 512 * 1024;

/// A word reaches a neighbour that is there well within so long.
const UNHEARD_AFTER: Duration = Duration::from_secs(2);

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
    let mut findings = Vec::new();
    if wish.person.is_some() {
        // A person's computer holds nothing of the node: what the node says of itself is all there is to look at.
        let (target, client) = open(desk, wish)?;
        let route = Route::of(desk, &target);
        ask(&client, &route, &mut findings);
        return Ok(tell(desk, &findings));
    }
    let target = find(desk, wish)?;
    tell_default(desk, &target);
    let route = Route::of(desk, &target);
    if let Some(file) = &target.address.token_file {
        findings.push(token_file(file));
    }
    findings.extend(route.stopped());
    match Client::open(&target.address) {
        Ok(_) if route.is_stopped => {}
        Ok(client) => ask(&client, &route, &mut findings),
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

fn ask(client: &Client, route: &Route, findings: &mut Vec<Finding>) {
    match client.get_text("/readyz") {
        Ok((200, _)) => findings
            .push(ok("daemon", words(format!("daemon runs at {}", client.base()), format!("背景程式執行中：{}", client.base())))),
        Ok((status, text)) => findings.push(bad(
            "daemon",
            Level::Bad,
            words(
                format!("daemon is not ready ({status}): {}", text.trim()),
                format!("背景程式尚未就緒（{status}）：{}", text.trim()),
            ),
            words("wait a minute; if it stays so, read the daemon's log", "請稍候一分鐘；若仍如此，請查看背景程式的紀錄"),
        )),
        Err(failure) => return findings.push(from_failure("daemon", &failure)),
    }
    let peers = client.ask::<PeersView>("/api/v1/peers");
    match client.ask::<StatusView>("/api/v1/status") {
        Ok(view) => {
            if let Ok(peers) = &peers {
                neighbours(&view, peers, route, findings);
            }
            if view.neighbours > 0 {
                findings.extend(unheard(client, route));
            }
            findings.extend(view.radio.as_ref().map(|radio| ok("radio", words(radio.en.clone(), radio.zh.clone()))));
            let board = view.board.as_ref().filter(|board| board.listen.is_some() || !board.hidden.is_empty());
            findings.extend(board.map(|board| ok("board", words(door::line(board, Lang::En), door::line(board, Lang::Zh)))));
            findings.extend(view.warnings.iter().map(|one| warning(one, route)));
        }
        // What keeps one from being asked keeps the other too.
        Err(failure) => return findings.push(from_failure("status", &failure)),
    }
    match peers {
        Ok(view) => clock(&view, findings),
        Err(failure) => findings.push(from_failure("peers", &failure)),
    }
}

/// A word of ours that no neighbour has, though a link is up: the other end may have just died, which shows within a minute. A
/// word just written gets a moment.
fn unheard(client: &Client, route: &Route) -> Option<Finding> {
    let mut pause = Pause::within(UNHEARD_AFTER);
    loop {
        let view: RequestsView = client.ask("/api/v1/requests").ok()?;
        let waits = |request: &&RequestView| request.delivery.as_ref().is_some_and(|it| it.state == DeliveryState::SavedHere);
        let waiting = view.requests.iter().filter(|request| !is_over(request)).find(waits)?;
        if !pause.wait() {
            let (id, own) = (&waiting.request, &route.own);
            let what = words(
                format!("{id} is saved here and no neighbour has it yet, though a link is up: the other end may have gone"),
                format!("{id} 已存在本機，雖有連線但還沒有鄰近據點收到：對方可能已中斷"),
            );
            let fix = words(
                format!("{own} peers   (a link that died shows there within a minute)"),
                format!("{own} peers（中斷的連線一分鐘內會顯示）"),
            );
            return Some(bad("delivery", Level::Warn, what, fix));
        }
    }
}

/// How a command that mends reaches the same node, or the demo it belongs to.
struct Route {
    /// `holdfast` with the flags that name the node.
    own: String,
    /// ` --dir DIR` where the demo needs it.
    dir: String,
    /// Nodes of a running demo that do not run.
    stopped: Vec<String>,
    /// The node looked at is one of them.
    is_stopped: bool,
}

impl Route {
    fn of(desk: &Desk<'_>, target: &Target) -> Self {
        let demo = target.demo.as_ref().filter(|demo| demo::is_alive(demo));
        let dir = demo.map(|demo| demo.dir_flag(desk)).unwrap_or_default();
        let stopped: Vec<_> = demo.iter().flat_map(|demo| &demo.nodes).filter(|node| node.pid.is_none()).collect();
        Self {
            own: desk.own.clone(),
            is_stopped: stopped.iter().any(|node| node.api == target.address.api),
            stopped: stopped.into_iter().map(|node| node.name.clone()).collect(),
            dir,
        }
    }

    /// Nodes of the demo whose plug was pulled: their neighbours may take a while to notice, the demo knows at once.
    fn stopped(&self) -> impl Iterator<Item = Finding> {
        self.stopped.iter().map(|name| {
            let start = format!("holdfast demo start {name}{}", self.dir);
            let what = words(format!("node {name} of the demo does not run"), format!("示範據點 {name} 沒有在執行"));
            bad("demo", Level::Bad, what, words(start.clone(), start))
        })
    }

    /// What brings a neighbour back: the configuration, or a closer look.
    fn mend(&self, peers: &PeersView) -> Words {
        if peers.peers.is_empty() {
            return words(
                "name a neighbour as `peers` under [sync] in the configuration, then restart holdfastd",
                "請在設定的 [sync] 以 `peers` 寫上鄰近據點，再重新啟動 holdfastd",
            );
        }
        let own = &self.own;
        words(format!("{own} peers   (names each address and why it failed)"), format!("{own} peers（會列出各位址與失敗原因）"))
    }
}

fn neighbours(view: &StatusView, peers: &PeersView, route: &Route, findings: &mut Vec<Finding>) {
    let n = view.neighbours;
    let cut = peers.peers.iter().filter(|peer| peer.state == "cut").count();
    if cut > 0 {
        let what = words(
            format!("this node is cut off from {cut} others, as a drill: what is written here waits"),
            format!("演練中，本據點與 {cut} 個據點的連線已切斷：寫下的內容會等待送出"),
        );
        let heal = format!("holdfast demo heal{}", route.dir);
        findings.push(bad("cut", Level::Warn, what, words(heal.clone(), heal)));
    }
    if n > 0 {
        let (en, zh) = (format!("{n} with a link up"), format!("{n} 個鄰近據點連線中"));
        findings.push(ok("neighbours", words(format!("neighbours: {en}"), zh)));
    } else if cut == 0 && route.stopped.is_empty() {
        let what = words(
            "no neighbour has a link up: what is written here reaches nobody yet",
            "沒有連線中的鄰近據點：寫下的內容還傳不出去",
        );
        findings.push(bad("neighbours", Level::Warn, what, route.mend(peers)));
    }
}

/// A warning of the daemon, with what mends it.
fn warning(warning: &Warning, route: &Route) -> Finding {
    let (en, zh) = match warning.code.as_str() {
        "H-402" => ("holdfast peers   (CLOCK shows whose clock is off)", "holdfast peers（「時差」會顯示是誰的時鐘不準）"),
        "H-403" => (
            "holdfast request list   (then holdfast request close ID)",
            "holdfast request list（再以 holdfast request close 代號 結案）",
        ),
        "H-404" => (
            "have the disk of this computer checked: sudo smartctl -a /dev/sda",
            "請檢查這台電腦的硬碟：sudo smartctl -a /dev/sda",
        ),
        "H-406" => {
            ("mend `home_hub` in the configuration, then restart holdfastd", "請修正設定中的 `home_hub`，再重新啟動 holdfastd")
        }
        "H-405" | "H-407" | "H-408" => (
            "ask the issuer of the node named for a new certificate   (holdfast status marks it)",
            "請該據點的核發者重新核發憑證（holdfast status 會標示是哪一個）",
        ),
        "H-502" => (
            "end the other program that runs as this node, then restart holdfastd",
            "請結束另一個以本據點身分執行的程式，再重新啟動 holdfastd",
        ),
        _ => ("holdfast status", "holdfast status"),
    };
    let own = |text: &str| text.replace("holdfast ", &format!("{} ", route.own));
    let (en, zh) = (own(en), own(zh));
    let what = words(format!("{} ({})", warning.en, warning.code), format!("{}（{}）", warning.zh, warning.code));
    bad("warning", Level::Warn, what, words(en, zh))
}

fn clock(view: &PeersView, findings: &mut Vec<Finding>) {
    let mut skews: Vec<i64> = view.peers.iter().filter_map(|peer| peer.clock_skew_s).collect();
    skews.sort_unstable();
    let Some(middle) = skews.get(skews.len() / 2).copied() else { return };
    let off = middle.unsigned_abs();
    let (count, of) =
        (skews.len(), if skews.len() == 1 { "1 neighbour".to_owned() } else { format!("{} neighbours", skews.len()) });
    findings.push(if off > SKEW_WARN_S {
        let (en, zh) = if middle > 0 { ("slow", "慢") } else { ("fast", "快") };
        bad(
            "clock",
            Level::Warn,
            words(
                format!("this computer's clock is {off} s {en} against {of} (H-402)"),
                format!("這台電腦的時間比 {count} 個鄰近據點{zh}了 {off} 秒（H-402）"),
            ),
            words("sudo timedatectl set-ntp true   (or set the time by hand)", "sudo timedatectl set-ntp true（或手動校正時間）"),
        )
    } else {
        ok("clock", words(format!("clock within {off} s of {of}"), format!("時鐘與 {count} 個鄰近據點相差 {off} 秒內")))
    });
}

fn unseen(path: &Path, error: &std::io::Error) -> Words {
    let (shown, cause) = (path.display(), cause_of(error));
    words(format!("the token file {shown} can't be looked at: {}", cause.en), format!("無法查看權杖檔 {shown}：{}", cause.zh))
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
            unseen(path, &error),
            words("start the daemon, or run this as the daemon's user", "請啟動背景程式，或以其使用者執行"),
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
            unseen(path, &error),
            words("start the daemon, or run this as the daemon's user", "請啟動背景程式，或以其使用者執行"),
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
                format!("請清出空間：du -xh --max-depth=2 {shown}"),
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
            let line = format!("        {}{}", desk.lang.of("fix: ", "處理："), clean(desk.lang.words(fix)));
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

    fn peer(state: &str, clock_skew_s: Option<i64>) -> holdfast_proto::control::PeerView {
        holdfast_proto::control::PeerView {
            id: None,
            name: None,
            addresses: vec![],
            links: vec![],
            state: state.into(),
            retry_s: None,
            last_error: None,
            last_error_zh: None,
            clock_skew_s,
            in_step: true,
        }
    }

    #[test]
    fn a_node_that_reaches_nobody_is_never_all_well() {
        let view: StatusView = serde_json::from_value(json!({"schema": "holdfast.status/1", "node": {"id": "1-1", "name": "a"},
            "realm": "simulation", "digest": "00", "nodes": [], "requests_open": 1, "conflicts": 0, "neighbours": 0, "warnings": []}))
        .unwrap();
        let fix = |peers: Vec<_>| {
            let (own, dir) = ("holdfast".to_owned(), " --dir x".to_owned());
            let route = Route { own, dir, stopped: Vec::new(), is_stopped: false };
            let mut findings = Vec::new();
            neighbours(&view, &PeersView { schema: String::new(), peers }, &route, &mut findings);
            assert_eq!((findings.len(), findings[0].level), (1, Level::Warn));
            findings[0].fix.clone().unwrap().en
        };
        assert!(fix(vec![]).contains("`peers` under [sync]"));
        assert!(fix(vec![peer("waiting", None)]).starts_with("holdfast peers"));
        assert_eq!(fix(vec![peer("cut", None), peer("waiting", None)]), "holdfast demo heal --dir x");
    }

    #[test]
    fn a_clock_far_from_the_neighbours_is_told_with_a_fix() {
        let peers = |skew| PeersView { schema: "holdfast.peers/1".into(), peers: vec![peer("up", Some(skew))] };
        let mut findings = Vec::new();
        clock(&peers(-720), &mut findings);
        clock(&peers(2), &mut findings);
        assert_eq!(findings[0].level, Level::Warn);
        assert!(findings[0].what.en.contains("fast") && findings[0].fix.is_some());
        assert_eq!(findings[1].level, Level::Ok);
    }
}
