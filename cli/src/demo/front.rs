//! The process that stands in front of a demo: starts the daemons, obeys the other terminal, ends everything on Ctrl-C.
//!
//! Each daemon holds the reading end of a pipe of ours as its stdin and ends when that closes, so none outlives us, even after
//! kill -9. Its stdout is a pipe too, on which nothing is said: when it closes, the daemon has ended.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use holdfast_proto::control::Fault;
use holdfast_proto::id::NodeId;
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::house::{self, Folder};
use super::radio::Air;
use super::{Plan, is_alive};
use crate::act::Pause;
use crate::client::{Address, Client};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::files;
use crate::holdfastd;
use crate::target::{self, DemoFile, DemoNode};

/// A daemon answers well under a second after its start; a slow disk or a busy machine takes longer.
const READY_MAX: Duration = Duration::from_secs(30);
/// A daemon asked to end has so long before it is ended by force.
const END_MAX: Duration = Duration::from_secs(5);
/// Longest path of a Unix socket that every system takes.
const SOCKET_PATH_MAX: usize = 100;
/// Longest wish taken from another terminal, bytes.
const WISH_BYTES_MAX: u64 = 4_096;
/// Nodes with a radio, the first ones.
const RADIOS: usize = 2;
/// Lines of a daemon's log shown where it did not start.
const LOG_LINES: usize = 5;

/// What can happen to the front process.
enum News {
    /// Ctrl-C, SIGTERM or the terminal is gone.
    End,
    /// A daemon's process has ended: place and run.
    Gone(usize, u64),
    /// Another terminal wants something.
    Wish(Value, Sender<Value>),
}

/// One daemon process.
struct Daemon {
    child: Child,
    run: u64,
}

/// All of a running demo.
struct Front {
    folder: Folder,
    holdfastd: PathBuf,
    file: DemoFile,
    daemons: Vec<Option<Daemon>>,
    cut: bool,
    runs: u64,
    ending: Arc<AtomicBool>,
    /// Lasts as long as the demo.
    air: Option<Air>,
    news: (Sender<News>, Receiver<News>),
}

/// Runs a demo until it is ended.
///
/// # Errors
/// What kept it from starting; then nothing is left behind.
pub(super) fn run(desk: &mut Desk<'_>, plan: &Plan) -> Result<Exit, Failure> {
    if let Some(file) = DemoFile::read(&plan.dir).filter(is_alive) {
        return Err(runs_already(&plan.dir, &file));
    }
    let holdfastd = holdfastd::find(desk)?;
    house::check_ports(plan)?;
    let folder = Folder::claim(&plan.dir)?;
    let mut front = match Front::open(folder, holdfastd, plan) {
        Ok(front) => front,
        Err((folder, failure)) => {
            folder.remove();
            return Err(failure);
        }
    };
    let ended = front.begin(plan).map(|()| {
        front.welcome(desk, plan);
        front.stand(desk);
    });
    front.end();
    ended?;
    if !plan.headless {
        desk.note("The demo has ended; nothing is left behind.", "示範已結束，沒有留下任何檔案。");
    }
    Ok(Exit::Done)
}

impl Front {
    /// Claims the socket and writes `demo.json`: from here another start in this folder is refused.
    fn open(folder: Folder, holdfastd: PathBuf, plan: &Plan) -> Result<Self, (Folder, Failure)> {
        let control = socket_path(&plan.dir);
        let file = DemoFile {
            schema: "holdfast.demo/1".to_owned(),
            nodes: house::nodes(plan),
            supervisor_pid: std::process::id(),
            control: control.clone(),
            ready: false,
            made: folder.made.clone(),
        };
        let (tx, rx) = channel();
        let ending = Arc::new(AtomicBool::new(false));
        let set_up = || -> Result<(), Failure> {
            let listener =
                UnixListener::bind(&control).map_err(|error| Failure::file("H-862", ("make", "建立"), &control, &error))?;
            listen(listener, tx.clone());
            hear_signals(plan.headless, tx.clone(), Arc::clone(&ending))
        };
        if let Err(failure) = set_up() {
            return Err((folder, failure));
        }
        let daemons = file.nodes.iter().map(|_| None).collect();
        Ok(Self { folder, holdfastd, file, daemons, cut: false, runs: 0, ending, air: None, news: (tx, rx) })
    }

    fn begin(&mut self, plan: &Plan) -> Result<(), Failure> {
        self.write_file()?;
        if plan.radio {
            self.air = Some(
                Air::open(RADIOS).map_err(|error| Failure::file("H-897", ("make", "建立"), Path::new("/dev/ptmx"), &error))?,
            );
        }
        let radios = self.air.as_ref().map(|air| air.ports.clone()).unwrap_or_default();
        house::furnish(plan, &self.file.nodes, &radios)?;
        for place in 0..self.file.nodes.len() {
            self.spawn(place)?;
        }
        for place in 0..self.file.nodes.len() {
            self.until_ready(place)?;
        }
        self.file.ready = true;
        self.write_file()
    }

    fn write_file(&self) -> Result<(), Failure> {
        let text = serde_json::to_string(&self.file).unwrap_or_default();
        files::replace(&self.folder.dir.join("demo.json"), &text)
    }

    fn node(&self, place: usize) -> Result<&DemoNode, Failure> {
        self.file.nodes.get(place).ok_or_else(|| target::no_such_node(&place.to_string(), &self.file))
    }

    fn log_path(&self, node: &DemoNode) -> PathBuf {
        self.folder.dir.join(&node.name).join("daemon.log")
    }

    fn spawn(&mut self, place: usize) -> Result<(), Failure> {
        let node = self.node(place)?.clone();
        let path = self.log_path(&node);
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        let log = log.map_err(|error| Failure::file("H-862", ("write", "寫入"), &path, &error))?;
        let spawned = Command::new(&self.holdfastd)
            .arg("--config")
            .arg(&node.config)
            .env("HOLDFAST_EXIT_WITH_STDIN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn();
        let mut child = spawned.map_err(|error| Failure::file("H-884", ("start", "啟動"), &self.holdfastd, &error))?;
        self.runs += 1;
        let (run, tx) = (self.runs, self.news.0.clone());
        if let Some(mut stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                // Whatever is said is dropped; the end of it is the news.
                drop(std::io::copy(&mut stdout, &mut std::io::sink()));
                drop(tx.send(News::Gone(place, run)));
            });
        }
        if let Some(node) = self.file.nodes.get_mut(place) {
            node.pid = Some(child.id());
        }
        if let Some(slot) = self.daemons.get_mut(place) {
            *slot = Some(Daemon { child, run });
        }
        Ok(())
    }

    fn until_ready(&mut self, place: usize) -> Result<(), Failure> {
        let node = self.node(place)?.clone();
        let client = Client::open(&Address { api: node.api.clone(), token_file: None })?;
        let mut pause = Pause::within(READY_MAX);
        loop {
            if client.get_text("/readyz").is_ok_and(|(status, _)| status == 200) {
                return Ok(());
            }
            let ended = match self.daemons.get_mut(place) {
                Some(Some(daemon)) => daemon.child.try_wait().ok().flatten().is_some(),
                Some(None) | None => true,
            };
            if self.ending.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            if ended || !pause.wait() {
                return Err(self.not_ready(&node, ended));
            }
        }
    }

    fn not_ready(&self, node: &DemoNode, ended: bool) -> Failure {
        let path = self.log_path(node);
        let log = std::fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default().join(" / ");
        let name = &node.name;
        let (en, zh) = if ended {
            (format!("Node {name} ended at once. It said: {tail}"), format!("據點 {name} 一啟動就結束。它的訊息：{tail}"))
        } else {
            (
                format!("Node {name} is not ready after {} s. It said: {tail}", READY_MAX.as_secs()),
                format!("據點 {name} 在 {} 秒內尚未就緒。它的訊息：{tail}", READY_MAX.as_secs()),
            )
        };
        Failure::new(
            Exit::Failed,
            "H-885",
            words(en, zh),
            words("The demo was not started; what it had made is removed.", "示範沒有啟動；已建立的檔案都已移除。"),
            words(
                "Mend what it says and start again; other ports are chosen with --port-base.",
                "請依訊息處理後再啟動；可用 --port-base 改用其他連接埠。",
            ),
        )
    }

    fn welcome(&self, desk: &mut Desk<'_>, plan: &Plan) {
        if plan.headless || desk.json {
            let object = serde_json::to_value(&self.file).unwrap_or_default();
            desk.object(&object);
            return;
        }
        let lines = welcome_lines(desk, plan, &self.file);
        desk.say_all(lines);
    }

    /// Until somebody ends it.
    fn stand(&mut self, desk: &mut Desk<'_>) {
        while let Ok(news) = self.news.1.recv() {
            match news {
                News::End => return,
                News::Gone(place, run) => self.gone(desk, place, run),
                News::Wish(wished, reply) => {
                    let answer = match self.obey(&wished) {
                        Ok((en, zh)) => {
                            json!({"schema": "holdfast.demo_act/1", "ok": true, "do": wished["do"], "name": wished["name"], "en": en, "zh": zh})
                        }
                        Err(failure) => json!({"schema": "holdfast.demo_act/1", "ok": false, "error": failure.object()}),
                    };
                    // The other terminal may have left; what it wished is done all the same.
                    drop(reply.send(answer));
                }
            }
            if self.ending.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// A daemon ended without being told to.
    fn gone(&mut self, desk: &mut Desk<'_>, place: usize, run: u64) {
        let Some(slot) = self.daemons.get_mut(place) else { return };
        if slot.as_ref().is_none_or(|daemon| daemon.run != run) {
            return;
        }
        let status =
            slot.take().and_then(|mut daemon| daemon.child.wait().ok()).map(|status| status.to_string()).unwrap_or_default();
        let Some(node) = self.file.nodes.get_mut(place) else { return };
        node.pid = None;
        let name = node.name.clone();
        if let Err(failure) = self.write_file() {
            desk.fail(&failure);
        }
        let start = format!("{} demo start {name}{}", own_name(desk), self.file.dir_flag(desk));
        desk.note(
            &format!("Node {name} ended by itself ({status}); start it again: {start}"),
            &format!("據點 {name} 自行結束（{status}）；重新啟動：{start}"),
        );
    }

    /// Does what another terminal wants; the answer is a sentence in both languages.
    fn obey(&mut self, wished: &Value) -> Result<(String, String), Failure> {
        let name = wished.get("name").and_then(Value::as_str).unwrap_or_default();
        match wished.get("do").and_then(Value::as_str) {
            Some("cut") => self.cut(),
            Some("heal") => self.heal(),
            Some("kill") => self.kill(self.place(name)?),
            Some("start") => self.start(self.place(name)?),
            Some(_) | None => Err(Failure::usage(
                "H-886",
                words("The demo does not know this wish.", "示範不認得這個指令。"),
                words("Command and demo should be of the same version.", "指令與示範的版本應相同。"),
            )),
        }
    }

    fn place(&self, name: &str) -> Result<usize, Failure> {
        self.file.nodes.iter().position(|node| node.name == name).ok_or_else(|| target::no_such_node(name, &self.file))
    }

    /// Node a against all others, on both sides: either side alone would keep the link away.
    fn cut(&mut self) -> Result<(String, String), Failure> {
        for place in 0..self.file.nodes.len() {
            self.post_cut(place)?;
        }
        self.cut = true;
        Ok(("Node a is cut off from the others.".to_owned(), "據點 a 已與其他據點切斷。".to_owned()))
    }

    fn post_cut(&self, place: usize) -> Result<(), Failure> {
        let ids: Vec<NodeId> = self.file.nodes.iter().filter_map(|node| node.id.parse().ok()).collect();
        let nodes = if place == 0 { ids.into_iter().skip(1).collect() } else { ids.into_iter().take(1).collect() };
        self.post(place, &Fault::Cut { nodes })
    }

    fn heal(&mut self) -> Result<(String, String), Failure> {
        for place in 0..self.file.nodes.len() {
            self.post(place, &Fault::Heal)?;
        }
        self.cut = false;
        Ok(("All links may come back.".to_owned(), "所有連線已可恢復。".to_owned()))
    }

    /// Sets a fault on a node that runs; one that does not gets it when it is started.
    fn post(&self, place: usize, fault: &Fault) -> Result<(), Failure> {
        let node = self.node(place)?;
        if node.pid.is_none() {
            return Ok(());
        }
        Client::open(&node.address())?.post("/api/v1/fault", fault).map(|_| ())
    }

    fn kill(&mut self, place: usize) -> Result<(String, String), Failure> {
        let name = self.node(place)?.name.clone();
        let Some(mut daemon) = self.daemons.get_mut(place).and_then(Option::take) else {
            return Ok((format!("Node {name} does not run."), format!("據點 {name} 並未執行。")));
        };
        // SIGKILL: the plug is pulled. It may have ended by itself just now, which is as good.
        drop(daemon.child.kill());
        drop(daemon.child.wait());
        if let Some(node) = self.file.nodes.get_mut(place) {
            node.pid = None;
        }
        self.write_file()?;
        Ok((format!("Node {name} is dead (kill -9)."), format!("據點 {name} 已斷電（kill -9）。")))
    }

    fn start(&mut self, place: usize) -> Result<(String, String), Failure> {
        let node = self.node(place)?.clone();
        if node.pid.is_some() {
            return Ok((format!("Node {} runs already.", node.name), format!("據點 {} 已在執行。", node.name)));
        }
        self.spawn(place)?;
        self.until_ready(place)?;
        if self.cut {
            self.post_cut(place)?;
        }
        self.write_file()?;
        Ok((format!("Node {} runs again.", node.name), format!("據點 {} 已重新啟動。", node.name)))
    }

    /// Ends all daemons, first by asking, then by force, and removes what was made.
    fn end(&mut self) {
        for daemon in self.daemons.iter_mut().flatten() {
            drop(daemon.child.stdin.take());
        }
        let mut pause = Pause::within(END_MAX);
        while self.daemons.iter_mut().flatten().any(|daemon| matches!(daemon.child.try_wait(), Ok(None))) {
            if !pause.wait() {
                break;
            }
        }
        for daemon in self.daemons.iter_mut().flatten() {
            drop(daemon.child.kill());
            drop(daemon.child.wait());
        }
        drop(std::fs::remove_file(&self.file.control));
        self.folder.remove();
    }
}

fn interrupted() -> Failure {
    Failure::new(
        Exit::Failed,
        "H-887",
        words("The demo was ended while it started.", "示範在啟動時被結束。"),
        words("What it had made is removed.", "已建立的檔案都已移除。"),
        words("Start it again when you like.", "可隨時重新啟動。"),
    )
}

fn runs_already(dir: &Path, file: &DemoFile) -> Failure {
    let shown = dir.display();
    let pid = file.supervisor_pid;
    Failure::new(
        Exit::Failed,
        "H-888",
        words(format!("A demo runs in {shown} already (process {pid})."), format!("{shown} 已有執行中的示範（程序 {pid}）。")),
        words("No second one was started.", "沒有啟動第二個。"),
        words(
            "Use it, end it with Ctrl-C in its terminal, or start another with --dir DIR --port-base 9787.",
            "可直接使用；或在其終端機按 Ctrl-C 結束；或用 --dir 資料夾 --port-base 9787 另開一個。",
        ),
    )
}

/// In the folder, or in the folder for short-lived files where the path would be too long for a socket.
fn socket_path(dir: &Path) -> PathBuf {
    let inside = dir.join("control.sock");
    if inside.as_os_str().len() <= SOCKET_PATH_MAX {
        return inside;
    }
    std::env::temp_dir().join(format!("holdfast-demo-{}.sock", std::process::id()))
}

/// One line of JSON each way per connection.
fn listen(listener: UnixListener, tx: Sender<News>) {
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tx = tx.clone();
            std::thread::spawn(move || answer(&stream, &tx));
        }
    });
}

fn answer(stream: &UnixStream, tx: &Sender<News>) {
    let mut line = String::new();
    if BufReader::new(stream.take(WISH_BYTES_MAX)).read_line(&mut line).is_err() {
        return;
    }
    let Ok(wished) = serde_json::from_str(&line) else { return };
    let (reply, replied) = channel();
    if tx.send(News::Wish(wished, reply)).is_err() {
        return;
    }
    let answered: Result<Value, RecvTimeoutError> = replied.recv_timeout(READY_MAX * 2);
    if let Ok(value) = answered {
        let mut stream = stream;
        // The other terminal may have left.
        drop(writeln!(stream, "{value}"));
    }
}

fn hear_signals(headless: bool, tx: Sender<News>, ending: Arc<AtomicBool>) -> Result<(), Failure> {
    // A headless demo may be left running by a terminal that closes.
    let wanted: &[i32] = if headless { &[SIGINT, SIGTERM] } else { &[SIGINT, SIGTERM, SIGHUP] };
    let mut signals = signal_hook::iterator::Signals::new(wanted)
        .map_err(|error| Failure::file("H-889", ("hear signals for", "接收訊號："), Path::new("holdfast"), &error))?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            ending.store(true, Ordering::Relaxed);
            if tx.send(News::End).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// How a person types this command in another terminal.
fn own_name(desk: &Desk<'_>) -> String {
    if desk.env("CARGO_PKG_NAME").as_deref() == Some(env!("CARGO_PKG_NAME")) {
        return "cargo run -q --".to_owned();
    }
    let Ok(own) = std::env::current_exe() else { return "holdfast".to_owned() };
    let search = desk.env("PATH").unwrap_or_default();
    if std::env::split_paths(&search).any(|folder| folder.join("holdfast") == own) {
        return "holdfast".to_owned();
    }
    let here = std::env::current_dir().ok();
    let short = here.and_then(|here| own.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(own);
    short.display().to_string()
}

fn welcome_lines(desk: &Desk<'_>, plan: &Plan, file: &DemoFile) -> Vec<String> {
    let lang = desk.lang;
    let default = target::demo_dir(desk, None).is_ok_and(|dir| dir == plan.dir);
    let dir = if default { String::new() } else { format!(" --dir {}", plan.dir.display()) };
    let own = own_name(desk);
    let count = file.nodes.len();
    let mut lines = vec![
        String::new(),
        lang.of(format!("  {count} practice nodes run on this computer"), format!("  這台電腦上有 {count} 個演練據點在執行")),
    ];
    for (place, node) in file.nodes.iter().enumerate() {
        lines.push(format!("    {}  {}  {}  {}", node.name, crate::text::pad(house::shop(place), 14), node.id, node.api));
    }
    let first = file.nodes.first().map(|node| node.api.clone()).unwrap_or_default();
    lines.push(String::new());
    lines.push(lang.of(format!("  Open   {first}      (中文 / English)"), format!("  開啟   {first}      (中文 / English)")));
    let mut label = lang.of("  Try    ", "  試試   ").to_owned();
    for act in [
        "--demo-node a report stock water=120 rice=low",
        "--demo-node b status",
        "demo cut",
        "--demo-node a request new --item water:40 --priority urgent --needed-by 6h",
        "demo heal",
        "wait converged --timeout 30s",
    ] {
        lines.push(format!("{label}{own} {act}{dir}"));
        label = "         ".to_owned();
    }
    lines.push(String::new());
    lines.push(
        lang.of(
            "  This is a practice alliance. Nothing leaves this computer. Ctrl-C stops it; nothing is left behind.",
            "  這是演練聯盟，資料不會離開這台電腦。按 Ctrl-C 結束，不留下任何檔案。",
        )
        .to_owned(),
    );
    lines.push(lang.of("  以中文顯示：--lang zh-TW 或 HOLDFAST_LANG=zh-TW", "  In English: --lang en").to_owned());
    lines.push(String::new());
    lines
}
