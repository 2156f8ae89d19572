//! Which daemon a command speaks to: the flags decide, then the environment, then a demo that runs in the default folder.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::{Deserialize, Serialize};

use crate::client::{Address, Client};
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::person::Person;

/// `DIR/demo.json`: what a running demo says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DemoFile {
    /// `holdfast.demo/1`.
    pub(crate) schema: String,
    /// In the order of their names.
    pub(crate) nodes: Vec<DemoNode>,
    /// The process that stands in front.
    pub(crate) supervisor_pid: u32,
    /// Where it takes wishes.
    #[serde(default)]
    pub(crate) control: PathBuf,
    /// All nodes answered once.
    #[serde(default)]
    pub(crate) ready: bool,
    /// Folders that were made for it, deepest first: they go with it.
    #[serde(default)]
    pub(crate) made: Vec<PathBuf>,
}

/// One node of a demo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DemoNode {
    /// `a`, `b`, ...
    pub(crate) name: String,
    /// `1-1`, ...
    pub(crate) id: String,
    /// `http://127.0.0.1:8787`.
    pub(crate) api: String,
    /// Token of its API.
    pub(crate) token_file: PathBuf,
    /// Its process, where it runs.
    pub(crate) pid: Option<u32>,
    /// Its configuration.
    pub(crate) config: PathBuf,
}

impl DemoFile {
    /// Reads the file of a demo in this folder; `None` where there is none or it can't be read.
    pub(crate) fn read(dir: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(dir.join("demo.json")).ok()?;
        let file: Self = serde_json::from_str(&text).ok()?;
        (file.schema == "holdfast.demo/1").then_some(file)
    }

    /// The node of this name.
    pub(crate) fn node(&self, name: &str) -> Option<&DemoNode> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// ` --dir DIR` where a command in another terminal must name the folder, else nothing.
    pub(crate) fn dir_flag(&self, desk: &Desk<'_>) -> String {
        let folder = self.folder();
        let default = demo_dir(desk, None).ok();
        match folder {
            Some(folder) if default.as_deref() != Some(folder) => format!(" --dir {}", shell_word(&folder.display().to_string())),
            Some(_) | None => String::new(),
        }
    }

    /// Where the demo lies: above the folder of any node.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.nodes.first()?.config.parent()?.parent()
    }

    /// The names, for messages.
    pub(crate) fn names(&self) -> String {
        self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl DemoNode {
    /// Where its API is.
    pub(crate) fn address(&self) -> Address {
        Address { api: self.api.clone(), token_file: Some(self.token_file.clone()) }
    }
}

/// What the flags say of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// `--demo-node`.
    pub(crate) demo_node: Option<String>,
    /// `--dir`.
    pub(crate) dir: Option<PathBuf>,
    /// `--api`.
    pub(crate) api: Option<String>,
    /// `--token-file`.
    pub(crate) token_file: Option<PathBuf>,
    /// `--as`.
    pub(crate) person: Option<PathBuf>,
    /// `--hub`.
    pub(crate) hub: Option<String>,
}

impl Wish {
    /// `holdfast` with the flags that name the same daemon again, as a shell reads them.
    pub(crate) fn command(&self) -> String {
        let mut command = "holdfast".to_owned();
        let path = |path: &PathBuf| path.display().to_string();
        for (flag, value) in [
            ("--dir", self.dir.as_ref().map(path)),
            ("--demo-node", self.demo_node.clone()),
            ("--api", self.api.clone()),
            ("--token-file", self.token_file.as_ref().map(path)),
            ("--as", self.person.as_ref().map(path)),
            ("--hub", self.hub.clone()),
        ] {
            if let Some(value) = value {
                command.push_str(&format!(" {flag} {}", shell_word(&value)));
            }
        }
        command
    }
}

/// A word as a shell takes it back.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-:=@%+,~[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The daemon found.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where it is.
    pub(crate) address: Address,
    /// Who said so: `flag`, `environment`, `demo`.
    pub(crate) source: &'static str,
    /// The demo it belongs to, where one is meant.
    pub(crate) demo: Option<DemoFile>,
    /// The demo as a whole is meant, no node of it named.
    pub(crate) whole_demo: bool,
    /// Its configuration file, where known.
    pub(crate) config: Option<PathBuf>,
}

/// Where a demo keeps its things when no folder is named: two terminals find the same demo.
///
/// # Errors
/// There is no home folder.
pub(crate) fn demo_dir(desk: &Desk<'_>, flag: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(dir) = flag {
        return std::path::absolute(dir).map_err(|error| Failure::file("H-834", ("use", "使用"), dir, &error));
    }
    if let Some(state) = desk.env("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        return Ok(state.join("holdfast").join("demo"));
    }
    let base = etcetera::choose_base_strategy().map_err(|_| {
        Failure::usage(
            "H-818",
            words("There is no home folder to keep the demo in.", "找不到可存放示範的家目錄。"),
            words("Give one: --dir DIR.", "請用 --dir 資料夾 指定。"),
        )
    })?;
    let state = base.state_dir().unwrap_or_else(|| base.data_dir());
    Ok(state.join("holdfast").join("demo"))
}

/// Finds the daemon a command is for.
///
/// # Errors
/// Exit 3 with what to do where no daemon is named and no demo runs; exit 4 where the demo has no such node.
pub(crate) fn find(desk: &Desk<'_>, wish: &Wish) -> Result<Target, Failure> {
    if wish.token_file.is_some() && wish.api.is_none() && (wish.dir.is_some() || desk.env("HOLDFAST_API").is_none()) {
        return Err(token_of_nobody());
    }
    if wish.demo_node.is_some() || (wish.dir.is_some() && wish.api.is_none()) {
        return in_demo(desk, wish);
    }
    let token_file = wish.token_file.clone().or_else(|| desk.env("HOLDFAST_TOKEN_FILE").map(PathBuf::from));
    if let Some(api) = &wish.api {
        return named(api.clone(), token_file, "flag");
    }
    if let Some(api) = desk.env("HOLDFAST_API") {
        return named(api, token_file, "environment");
    }
    let dir = demo_dir(desk, None)?;
    let Some(demo) = DemoFile::read(&dir) else { return Err(nobody()) };
    let node = demo.nodes.first().cloned().ok_or_else(nobody)?;
    Ok(Target { address: node.address(), source: "demo", config: Some(node.config), demo: Some(demo), whole_demo: true })
}

/// Says which node of a demo is asked, where nobody named one.
pub(crate) fn tell_default(desk: &mut Desk<'_>, target: &Target) {
    let Some(demo) = target.demo.as_ref().filter(|_| target.whole_demo) else { return };
    let Some(node) = demo.nodes.first() else { return };
    desk.note(
        &format!("(demo node {} at {}; choose another with --demo-node {})", node.name, node.api, demo.names()),
        &format!("（示範據點 {}，{}；可用 --demo-node 選擇 {}）", node.name, node.api, demo.names()),
    );
}

/// Finds the daemon and opens it.
///
/// # Errors
/// As [`find`], and a token that can't be read.
pub(crate) fn open(desk: &mut Desk<'_>, wish: &Wish) -> Result<(Target, Client), Failure> {
    if let Some((folder, hub)) = wish.person.as_ref().zip(wish.hub.as_ref()) {
        let person = Person::open(desk, folder, hub)?;
        let address = Address { api: person.api.clone(), token_file: None };
        let target = Target { address, source: "flag", demo: None, whole_demo: false, config: None };
        return Ok((target, Client::of_person(person)?));
    }
    let target = find(desk, wish)?;
    let client = Client::open(&target.address)?;
    desk.detail(&format!("(asking {})", client.base()), &format!("（詢問 {}）", client.base()));
    Ok((target, client))
}

fn named(api: String, token_file: Option<PathBuf>, source: &'static str) -> Result<Target, Failure> {
    if token_file.is_none() {
        return Err(Failure::usage(
            "H-819",
            words(format!("No token file is given for {api}."), format!("沒有指定 {api} 的權杖檔。")),
            words(
                "Give --token-file FILE or HOLDFAST_TOKEN_FILE: the `token_file` of the daemon's configuration.",
                "請用 --token-file 檔案 或 HOLDFAST_TOKEN_FILE 指定背景程式設定中的 `token_file`。",
            ),
        ));
    }
    Ok(Target { address: Address { api, token_file }, source, demo: None, whole_demo: false, config: None })
}

/// A token file opens one daemon; those of a demo have their own.
fn token_of_nobody() -> Failure {
    Failure::usage(
        "H-819",
        words("--token-file is given, but not the daemon it opens.", "指定了 --token-file，但沒有指定它所屬的背景程式。"),
        words(
            "Give --api URL with it, or leave it out: the nodes of a demo have their own.",
            "請一併指定 --api 位址；示範據點有自己的權杖，請勿指定。",
        ),
    )
}

fn in_demo(desk: &Desk<'_>, wish: &Wish) -> Result<Target, Failure> {
    let dir = demo_dir(desk, wish.dir.as_deref())?;
    let Some(demo) = DemoFile::read(&dir) else { return Err(no_demo(&dir)) };
    let node = match &wish.demo_node {
        Some(name) => demo.node(name).cloned().ok_or_else(|| no_such_node(name, &demo))?,
        None => demo.nodes.first().cloned().ok_or_else(|| no_demo(&dir))?,
    };
    let whole_demo = wish.demo_node.is_none();
    Ok(Target { address: node.address(), source: "demo", config: Some(node.config), demo: Some(demo), whole_demo })
}

/// There is no demo in this folder.
pub(crate) fn no_demo(dir: &Path) -> Failure {
    let shown = dir.display();
    Failure::new(
        Exit::NotRunning,
        "H-831",
        words(format!("No demo runs in {shown}."), format!("{shown} 沒有執行中的示範。")),
        words("There is nobody to ask; nothing was sent.", "沒有對象可以詢問；沒有送出任何資料。"),
        words(
            "Start one in another terminal: `holdfast demo`, with --dir where yours has one.",
            "請在另一個終端機執行 `holdfast demo`；若有自訂資料夾請加 --dir。",
        ),
    )
}

/// The demo has no node of this name.
pub(crate) fn no_such_node(name: &str, demo: &DemoFile) -> Failure {
    Failure::new(
        Exit::NotFound,
        "H-832",
        words(format!("The demo has no node \"{name}\"."), format!("示範中沒有據點「{name}」。")),
        words("Nothing was sent.", "沒有送出任何資料。"),
        words(format!("Name one of these: {}.", demo.names()), format!("請指定其中之一：{}。", demo.names())),
    )
}

fn nobody() -> Failure {
    Failure::new(
        Exit::NotRunning,
        "H-833",
        words("No daemon was named and no demo runs.", "沒有指定背景程式，也沒有執行中的示範。"),
        words("There is nobody to ask; nothing was sent.", "沒有對象可以詢問；沒有送出任何資料。"),
        words(
            "To try: `holdfast demo` in another terminal. For a daemon: --api URL --token-file FILE, or HOLDFAST_API and HOLDFAST_TOKEN_FILE.",
            "試用：在另一個終端機執行 `holdfast demo`。使用背景程式：--api 位址 --token-file 檔案，或設定 HOLDFAST_API 與 HOLDFAST_TOKEN_FILE。",
        ),
    )
}
