//! `holdfast demo`: a practice alliance of real daemons on this computer, and the commands that steer it from another terminal.

#[cfg(unix)]
mod front;
mod house;
#[cfg(unix)]
mod radio;

use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_proto::control::{DigestView, PeersView};
use serde_json::{Value, json};

use crate::args::{DemoArgs, DemoCommand};
use crate::client::Client;
use crate::desk::Desk;
#[cfg(not(unix))]
use crate::failure::words;
use crate::failure::{Exit, Failure};
use crate::target::{self, DemoFile, DemoNode, Wish};
use crate::text::{Hue, Table, plain};

/// Nodes of a demo nobody described.
const NODES: u8 = 3;
/// First port of a demo nobody described.
const PORT_BASE: u16 = 8787;
/// A demo answers at once, but may be starting a node.
const WISH_MAX: Duration = Duration::from_secs(40);

/// What a demo is to be.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Its folder.
    pub(crate) dir: PathBuf,
    /// 2..=9.
    pub(crate) nodes: u8,
    /// First port.
    pub(crate) port_base: u16,
    /// One JSON line when ready, nothing else.
    pub(crate) headless: bool,
    /// The first two have a radio between them.
    pub(crate) radio: bool,
}

/// `holdfast demo ...`.
///
/// # Errors
/// What keeps it from starting, or no demo runs in the folder.
pub(crate) fn demo(desk: &mut Desk<'_>, wish: &Wish, args: DemoArgs) -> Result<Exit, Failure> {
    let dir = target::demo_dir(desk, wish.dir.as_deref())?;
    match args.act {
        None => {
            start(desk, &Plan { dir, nodes: args.nodes, port_base: args.port_base, headless: args.headless, radio: args.radio })
        }
        Some(DemoCommand::Status) => status(desk, &dir),
        Some(DemoCommand::Cut) => steer(desk, &dir, &json!({"do": "cut"})),
        Some(DemoCommand::Heal) => steer(desk, &dir, &json!({"do": "heal"})),
        Some(DemoCommand::Kill { name }) => steer(desk, &dir, &json!({"do": "kill", "name": name})),
        Some(DemoCommand::Start { name }) => steer(desk, &dir, &json!({"do": "start", "name": name})),
    }
}

/// The demo of `holdfast` alone.
///
/// # Errors
/// What keeps it from starting.
pub(crate) fn start_default(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let dir = target::demo_dir(desk, wish.dir.as_deref())?;
    start(desk, &Plan { dir, nodes: NODES, port_base: PORT_BASE, headless: false, radio: false })
}

/// Whether the process that stands in front of this demo still does.
#[cfg(unix)]
pub(crate) fn is_alive(file: &DemoFile) -> bool {
    std::os::unix::net::UnixStream::connect(&file.control).is_ok()
}

#[cfg(unix)]
fn start(desk: &mut Desk<'_>, plan: &Plan) -> Result<Exit, Failure> {
    front::run(desk, plan)
}

/// Whether the process that stands in front of this demo still does.
#[cfg(not(unix))]
pub(crate) fn is_alive(_file: &DemoFile) -> bool {
    false
}

#[cfg(not(unix))]
fn start(_desk: &mut Desk<'_>, _plan: &Plan) -> Result<Exit, Failure> {
    Err(Failure::new(
        Exit::Failed,
        "H-880",
        words("The demo does not run on this system yet.", "此系統尚不支援示範。"),
        words("Nothing was started.", "沒有啟動任何程式。"),
        words("Run it on Linux or macOS; the daemon itself runs here.", "請在 Linux 或 macOS 執行；背景程式本身可在此執行。"),
    ))
}

/// A demo in this folder whose front process answers.
fn alive(dir: &Path) -> Result<DemoFile, Failure> {
    DemoFile::read(dir).filter(is_alive).ok_or_else(|| target::no_demo(dir))
}

/// Tells the front process what is wished and waits until it is done.
fn steer(desk: &mut Desk<'_>, dir: &Path, wished: &Value) -> Result<Exit, Failure> {
    let file = alive(dir)?;
    if let Some(name) = wished.get("name").and_then(Value::as_str)
        && file.node(name).is_none()
    {
        return Err(target::no_such_node(name, &file));
    }
    let answer = tell(&file, wished, dir)?;
    if answer.get("ok").and_then(Value::as_bool) != Some(true) {
        return Err(Failure::from_object(answer.get("error").unwrap_or(&Value::Null)));
    }
    if desk.json {
        desk.object(&answer);
        return Ok(Exit::Done);
    }
    let said = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = desk.lang.of(said("en"), said("zh"));
    desk.say(&crate::text::clean(&line));
    Ok(Exit::Done)
}

#[cfg(unix)]
fn tell(file: &DemoFile, wished: &Value, dir: &Path) -> Result<Value, Failure> {
    use std::io::{BufRead, BufReader, Write};
    let talk = || -> std::io::Result<String> {
        let mut stream = std::os::unix::net::UnixStream::connect(&file.control)?;
        stream.set_read_timeout(Some(WISH_MAX))?;
        writeln!(stream, "{wished}")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    };
    let line = talk().map_err(|_| target::no_demo(dir))?;
    serde_json::from_str(&line).map_err(|_| target::no_demo(dir))
}

#[cfg(not(unix))]
fn tell(_file: &DemoFile, _wished: &Value, dir: &Path) -> Result<Value, Failure> {
    Err(target::no_demo(dir))
}

/// One node as `demo status` shows it.
struct Seen {
    node: DemoNode,
    running: bool,
    digest: Option<DigestView>,
    /// Whom it is cut off from.
    cut_from: Vec<String>,
}

fn look(node: &DemoNode) -> Seen {
    let client = node.pid.and_then(|_| Client::open(&node.address()).ok());
    let digest = client.as_ref().and_then(|client| client.ask::<DigestView>("/api/v1/digest").ok());
    let peers = client.as_ref().filter(|_| digest.is_some()).and_then(|client| client.ask::<PeersView>("/api/v1/peers").ok());
    let cut = peers.into_iter().flat_map(|view| view.peers).filter(|peer| peer.state == "cut");
    let cut_from =
        cut.map(|peer| peer.id.or_else(|| peer.addresses.first().cloned()).unwrap_or_else(|| "?".to_owned())).collect();
    Seen { node: node.clone(), running: digest.is_some(), digest, cut_from }
}

fn status(desk: &mut Desk<'_>, dir: &Path) -> Result<Exit, Failure> {
    let file = alive(dir)?;
    let seen: Vec<Seen> = file.nodes.iter().map(look).collect();
    let cut = seen.iter().any(|seen| !seen.cut_from.is_empty());
    if desk.json {
        let nodes: Vec<Value> = seen
            .iter()
            .map(|seen| {
                json!({"name": seen.node.name, "id": seen.node.id, "api": seen.node.api, "pid": seen.node.pid, "running": seen.running,
                    "digest": seen.digest.as_ref().map(|view| &view.digest), "neighbours": seen.digest.as_ref().map(|view| view.neighbours),
                    "converged": seen.digest.as_ref().map(|view| view.converged), "cut": !seen.cut_from.is_empty(), "cut_from": seen.cut_from})
            })
            .collect();
        desk.object(
            &json!({"schema": "holdfast.demo_status/1", "dir": dir, "supervisor_pid": file.supervisor_pid, "ready": file.ready,
            "cut": cut, "nodes": nodes}),
        );
        return Ok(Exit::Done);
    }
    let lang = desk.lang;
    let mut table = Table::new(&lang.of(
        ["NODE", "ID", "ADDRESS", "PID", "RUNNING", "NEIGHBOURS", "DIGEST", "CUT OFF FROM"],
        ["據點", "代號", "位址", "程序", "執行中", "鄰近據點", "摘要", "已切斷"],
    ));
    let yes = |value: bool| lang.of(if value { "yes" } else { "no" }, if value { "是" } else { "否" });
    for seen in &seen {
        let digest = seen.digest.as_ref();
        table.row(vec![
            plain(seen.node.name.clone()),
            plain(seen.node.id.clone()),
            plain(seen.node.api.clone()),
            plain(seen.node.pid.map(|pid| pid.to_string()).unwrap_or_default()),
            (yes(seen.running).to_owned(), if seen.running { Hue::Green } else { Hue::Red }),
            plain(digest.map(|view| view.neighbours.to_string()).unwrap_or_default()),
            plain(digest.map(|view| view.digest.chars().take(16).collect::<String>()).unwrap_or_default()),
            (seen.cut_from.join(" "), Hue::Yellow),
        ]);
    }
    let lines = table.lines(desk.colour);
    desk.say_all(lines);
    Ok(Exit::Done)
}
