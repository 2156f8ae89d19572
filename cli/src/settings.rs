//! `holdfast config`: what this command uses, and a check of a daemon's configuration file that names the line of each fault.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

use crate::args::ConfigCommand;
use crate::desk::Desk;
use crate::failure::{Exit, Failure, words};
use crate::lang::Lang;
use crate::target::{self, DemoFile, Wish};
use crate::when;
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::id::NodeId;

/// A daemon's configuration as it stands in the file; unknown keys are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    node: RawNode,
    #[serde(default)]
    api: RawApi,
    #[serde(default)]
    sync: RawSync,
    #[serde(default)]
    gossip: RawGossip,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    timing: std::collections::BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    #[serde(rename = "data_dir")]
    _data_dir: Spanned<PathBuf>,
    key_file: Spanned<PathBuf>,
    alliance_file: Spanned<PathBuf>,
    #[serde(rename = "stamp_file")]
    _stamp_file: Option<Spanned<PathBuf>>,
    home_hub: Option<Spanned<String>>,
    catalogue_file: Option<Spanned<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawApi {
    listen: Option<Spanned<String>>,
    #[serde(rename = "token_file")]
    _token_file: Option<Spanned<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawSync {
    #[serde(rename = "enabled")]
    _enabled: Option<bool>,
    listen: Option<Spanned<String>>,
    peers: Vec<Spanned<String>>,
    advertise: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGossip {
    #[serde(rename = "enabled")]
    _enabled: Option<bool>,
    listen: Option<Spanned<String>>,
    #[serde(rename = "mdns")]
    _mdns: Option<bool>,
    peers: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLog {
    format: Option<Spanned<String>>,
    #[serde(rename = "filter")]
    _filter: Option<Spanned<String>>,
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

/// One fault of a configuration file.
#[derive(Debug)]
struct Fault {
    line: Option<usize>,
    what: Words,
}

fn check_file(desk: &mut Desk<'_>, file: &Path) -> Result<Exit, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        if error.kind() != std::io::ErrorKind::NotFound {
            return Failure::file("H-852", ("read", "讀取"), file, &error);
        }
        Failure::new(
            Exit::NotFound,
            "H-851",
            words(format!("There is no file {}.", file.display()), format!("沒有檔案 {}。", file.display())),
            words("Nothing was checked.", "沒有檢查任何設定。"),
            words("Check the path.", "請確認路徑。"),
        )
    })?;
    let faults = faults_of(&text, file.parent().unwrap_or(Path::new(".")));
    if faults.is_empty() {
        if desk.json {
            desk.object(&json!({"schema": "holdfast.config_check/1", "ok": true, "file": file}));
        } else {
            let line = desk.lang.of(format!("{} is right.", file.display()), format!("{} 正確無誤。", file.display()));
            desk.say(&line);
        }
        return Ok(Exit::Done);
    }
    let list = |pick: fn(&Words) -> &str| {
        faults
            .iter()
            .map(|fault| fault.line.map_or_else(|| pick(&fault.what).to_owned(), |line| format!("{line}: {}", pick(&fault.what))))
            .collect::<Vec<_>>()
            .join("; ")
    };
    Err(Failure::new(
        Exit::Failed,
        "H-853",
        words(
            format!("{}: {}", file.display(), list(|words| &words.en)),
            format!("{}:{}", file.display(), list(|words| &words.zh)),
        ),
        words("A daemon would not start with this file.", "背景程式無法以此檔啟動。"),
        words("Mend the lines named, then check again.", "請修正所列的行後再檢查。"),
    ))
}

/// Whether a daemon's configuration has no fault.
#[cfg(test)]
pub(crate) fn is_right(text: &str, folder: &Path) -> bool {
    faults_of(text, folder).is_empty()
}

fn faults_of(text: &str, folder: &Path) -> Vec<Fault> {
    let raw: RawSettings = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let line = error.span().map(|span| line_of(text, span.start));
            let message = error.message().to_owned();
            return vec![Fault { line, what: words(message.clone(), message) }];
        }
    };
    let mut faults = Vec::new();
    let mut fault = |at: usize, what: Words| faults.push(Fault { line: Some(line_of(text, at)), what });
    let addresses = [&raw.api.listen, &raw.sync.listen, &raw.gossip.listen].into_iter().flatten();
    for address in addresses.chain(&raw.sync.peers).chain(&raw.sync.advertise).chain(&raw.gossip.peers) {
        if address.get_ref().parse::<SocketAddr>().is_err() {
            let typed = address.get_ref();
            fault(
                address.span().start,
                words(format!("\"{typed}\" is not ADDRESS:PORT"), format!("「{typed}」不是 位址:連接埠")),
            );
        }
    }
    if let Some(listen) = &raw.api.listen
        && listen.get_ref().parse::<SocketAddr>().is_ok_and(|address| !address.ip().is_loopback())
    {
        fault(listen.span().start, words("the API listens on loopback only", "API 只能使用本機位址"));
    }
    if let Some(hub) = raw.node.home_hub.as_ref().filter(|hub| hub.get_ref().parse::<NodeId>().is_err()) {
        fault(hub.span().start, words("home_hub is a node id such as 1-2", "home_hub 應為據點代號,例如 1-2"));
    }
    if let Some(format) = raw.log.format.as_ref().filter(|format| !matches!(format.get_ref().as_str(), "text" | "json")) {
        fault(format.span().start, words("format is \"text\" or \"json\"", "format 應為 \"text\" 或 \"json\""));
    }
    for (name, value) in &raw.timing {
        if when::length(value.get_ref()).is_err() {
            fault(
                value.span().start,
                words(format!("{name} is a length of time such as \"30s\""), format!("{name} 應為時間長度,例如 \"30s\"")),
            );
        }
    }
    for file in [Some(&raw.node.key_file), Some(&raw.node.alliance_file), raw.node.catalogue_file.as_ref()].into_iter().flatten()
    {
        let path = folder.join(file.get_ref());
        if !path.is_file() {
            fault(
                file.span().start,
                words(format!("there is no file {}", path.display()), format!("沒有檔案 {}", path.display())),
            );
        }
    }
    faults
}

/// The line a byte stands in, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "[node]\ndata_dir = \"data\"\nkey_file = \"k\"\nalliance_file = \"k\"\nstamp_file = \"s\"\n\n[api]\nlisten = \"127.0.0.1:8787\"\ntoken_file = \"t\"\n";

    fn check(more: &str, expect: &[(usize, &str)]) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("k"), "x").unwrap();
        let faults = faults_of(&format!("{RIGHT}{more}"), dir.path());
        assert_eq!(faults.len(), expect.len(), "{faults:?}");
        for (fault, (line, part)) in faults.iter().zip(expect) {
            assert_eq!(fault.line, Some(*line), "{faults:?}");
            assert!(fault.what.en.contains(part), "{faults:?}");
        }
    }

    #[test]
    fn a_right_file_has_no_faults() {
        check("", &[]);
        check("[sync]\nlisten = \"127.0.0.1:1\"\npeers = [\"127.0.0.1:2\"]\n[timing]\nprobe = \"30s\"\n", &[]);
    }

    #[test]
    fn an_unknown_key_or_a_wrong_type_is_named_with_its_line() {
        check("[sync]\nlissten = \"127.0.0.1:1\"\n", &[(11, "unknown field")]);
        check("[sync]\nenabled = 3\n", &[(11, "invalid type")]);
        check("[sync]\npeers = [\n  \"nowhere\",\n]\n", &[(12, "ADDRESS:PORT")]);
    }

    #[test]
    fn an_api_open_to_the_network_is_a_fault() {
        let text = RIGHT.replace("127.0.0.1:8787", "0.0.0.0:8787");
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("k"), "x").unwrap();
        assert!(faults_of(&text, dir.path())[0].what.en.contains("loopback"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(faults_of(RIGHT, dir.path()).len(), 2);
    }
}
