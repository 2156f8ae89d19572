//! The configuration file as written, checked into [`Settings`]: unknown keys refused, every error names file, line and key.
//!
//! `HOLDFAST_SECTION__KEY` in the environment overrides a key, such as `HOLDFAST_API__LISTEN=127.0.0.1:9000`.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_proto::config::Config;
use holdfast_proto::domain::refusal::Words;
use holdfast_proto::id::NodeId;
use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

pub use self::public::PublicSettings;
pub use self::radio::RadioPort;
use crate::code::Code;
use crate::probe::ProbeSettings;
use crate::run::RunError;
use crate::told;

mod crisis;
mod public;
mod radio;
mod schema;

/// One thing that is wrong in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Line of the file, from 1; absent where it stands in the environment or in no line.
    pub line: Option<usize>,
    /// Its code.
    pub code: Code,
    /// What is wrong and what would do.
    #[serde(flatten)]
    pub words: Words,
}

impl Fault {
    /// What is wrong with a file or folder that the configuration names.
    #[must_use]
    pub fn of_run(error: &RunError) -> Self {
        Self { line: None, code: error.code(), words: error.words() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.words.en)
    }
}

/// The configuration can't be used. Nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the configuration {path} can't be read: {cause}. Nothing was started. Check the path given with --config")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Something in it, or in what overrides it, is not understood or makes no sense.
    #[error("the configuration {path} can't be used, so nothing was started:{}\nCorrect that and start again", listed(.faults))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, never empty.
        faults: Vec<Fault>,
    },
}

impl ConfigError {
    /// Its code; where several values are wrong, that of the first.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::ConfigUnreadable,
            Self::Wrong { faults, .. } => faults.first().map_or(Code::ConfigValue, |fault| fault.code),
        }
    }

    /// The same as faults, for whoever shows them in a language of their own.
    #[must_use]
    pub fn faults(self) -> Vec<Fault> {
        match self {
            Self::Wrong { faults, .. } => faults,
            Self::Unreadable { cause, .. } => {
                let words = both(
                    format!("the file can't be read: {cause}. Check its path and that you may read it"),
                    format!("無法讀取設定檔（{}）。請確認路徑，以及您有讀取權限", told::system(&cause)),
                );
                vec![Fault { line: None, code: Code::ConfigUnreadable, words }]
            }
        }
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

fn both(en: impl Into<String>, zh: impl Into<String>) -> Words {
    Words { en: en.into(), zh: zh.into() }
}

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
    public: public::RawPublic,
    #[serde(default)]
    radio: radio::RawRadio,
    #[serde(default)]
    log: RawLog,
    #[serde(default)]
    crisis: crisis::RawCrisis,
    #[serde(default)]
    timing: RawTiming,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNode {
    data_dir: PathBuf,
    key_file: PathBuf,
    alliance_file: PathBuf,
    stamp_file: PathBuf,
    home_hub: Option<String>,
    catalogue_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawApi {
    listen: SocketAddr,
    token_file: PathBuf,
}

impl Default for RawApi {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8787)), token_file: "api.token".into() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawSync {
    enabled: bool,
    listen: SocketAddr,
    peers: Vec<String>,
    advertise: Vec<String>,
}

impl Default for RawSync {
    fn default() -> Self {
        let listen = SocketAddr::from(([0, 0, 0, 0], 4_401));
        Self { enabled: true, listen, peers: Vec::new(), advertise: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGossip {
    enabled: bool,
    listen: SocketAddr,
    mdns: bool,
    peers: Vec<String>,
}

impl Default for RawGossip {
    fn default() -> Self {
        Self { enabled: true, listen: SocketAddr::from(([0, 0, 0, 0], 4_501)), mdns: true, peers: Vec::new() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLog {
    format: LogFormat,
    filter: String,
    record: bool,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned(), record: false }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people at a terminal.
    Text,
    /// One JSON object a line, for a service.
    Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTiming {
    probe: Option<String>,
    redial_min: Option<String>,
    redial_max: Option<String>,
    beacon: Option<String>,
    broadcast_batch: Option<String>,
    reserve_mib: Option<i64>,
}

/// A configuration that makes sense: no unknown keys, paths absolute or relative to the file's folder, durations read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the store lives.
    pub data_dir: PathBuf,
    /// The node's secret key.
    pub key_file: PathBuf,
    /// Charter, issuers and certificates known at start.
    pub alliance_file: PathBuf,
    /// Proof of continuity.
    pub stamp_file: PathBuf,
    /// Items, where not the built-in ones.
    pub catalogue_file: Option<PathBuf>,
    /// Where API and page listen; loopback only.
    pub api_listen: SocketAddr,
    /// Holds what a program shows to read and write. No wall between the users of one PC: anybody who can open a connection on
    /// this PC can load the page and write as this node.
    pub token_file: PathBuf,
    /// The public's board.
    pub public: PublicSettings,
    /// The sync link, where switched on: address and static peers.
    pub sync: Option<(SocketAddr, Vec<String>)>,
    /// The gossip link, where switched on: address, static peers, mDNS.
    pub gossip: Option<(SocketAddr, Vec<String>, bool)>,
    /// The radio, where there is one.
    pub radio: Option<RadioPort>,
    /// Log lines.
    pub log_format: LogFormat,
    /// Which.
    pub log_filter: String,
    /// Whether all that happens to the node is written down, to be played again elsewhere.
    pub record: bool,
    /// Bytes held back on disk for urgent rows; the store's own default where absent.
    pub reserve_bytes: Option<u64>,
    /// The central system that is asked whether it is there.
    pub probe: Option<ProbeSettings>,
    /// Limits and periods of the node.
    pub node: Config,
}

impl Settings {
    /// Reads a configuration file and what overrides it in the environment.
    ///
    /// # Errors
    /// [`ConfigError`]: names file, line and key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(path, &text, std::env::vars())
    }

    /// As [`Self::load`], from text and variables at hand.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(path: &Path, text: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let wrong = |faults| ConfigError::Wrong { path: path.to_owned(), faults };
        // Checked as it stands, so that a fault has its line; overrides come after.
        let broken = |cause: toml::de::Error| wrong(vec![schema::broken(text, &cause)]);
        let mut table: toml::Table = toml::from_str(text).map_err(broken)?;
        let faults = schema::check(text, &table);
        if !faults.is_empty() {
            return Err(wrong(faults));
        }
        for (variable, typed) in variables {
            let Some((section, key)) = variable.strip_prefix("HOLDFAST_").and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let plain = toml::Value::String(typed.clone());
            let value = typed.parse().ok().filter(|value| schema::misfit(&section, &key, value).is_none()).unwrap_or(plain);
            if let Some(cause) = schema::misfit(&section, &key, &value) {
                let en = format!("the environment variable {variable} can't be used: {}", cause.en);
                let words = both(en, format!("無法使用環境變數 {variable}：{}", cause.zh));
                return Err(wrong(vec![Fault { line: None, code: Code::ConfigVariable, words }]));
            }
            let inside = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            inside.as_table_mut().map(|inside| inside.insert(key, value));
        }
        let raw: RawSettings = table.try_into().map_err(broken)?;
        raw.check(path, text).map_err(wrong)
    }
}

/// What is wrong with single values, collected: a person mends all lines at once.
struct Faults<'a> {
    text: &'a str,
    /// The file with the place of each value.
    places: Option<toml::Spanned<DeTable<'a>>>,
    found: Vec<Fault>,
}

impl<'a> Faults<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, places: DeTable::parse(text).ok(), found: Vec::new() }
    }

    /// Notes that a value would do only if it were as `expected`.
    fn note(&mut self, section: &str, key: &str, value: &str, expected: (&str, &str)) {
        let line = self.line(section, key, value);
        let en = format!("[{section}] {key} is {value:?}, but {}", expected.0);
        let words = both(en, format!("[{section}] {key} 是 {value:?}，{}", expected.1));
        self.found.push(Fault { line, code: Code::ConfigValue, words });
    }

    /// Where the value stands, alone or in a list; nowhere if the environment says it.
    fn line(&self, section: &str, key: &str, value: &str) -> Option<usize> {
        let said = self.places.as_ref()?.get_ref().get(section)?.get_ref().get(key)?;
        let is_it = |place: &&toml::Spanned<DeValue<'_>>| {
            let place = place.get_ref();
            place.as_str().or_else(|| place.as_integer().map(toml::de::DeInteger::as_str)) == Some(value)
        };
        let place = match said.get_ref().as_array() {
            Some(list) => list.iter().find(is_it)?,
            None => Some(said).filter(is_it)?,
        };
        Some(line_of(self.text, place.span().start))
    }
}

/// The line a byte stands in, from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// How much is logged, least first.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// `info`, or `info,holdfast_daemon=debug`. A bare word that is no level would be taken for the name of a module that says nothing.
fn is_filter(text: &str) -> bool {
    let mut parts = text.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level));
    parts.all(|level| LEVELS.contains(&level))
}

/// All addresses of a machine, or no port: good to listen on, none to dial.
fn leads_nowhere(address: &SocketAddr) -> bool {
    address.ip().is_unspecified() || address.port() == 0
}

/// Addresses said on a board; more would crowd out what it is for.
const ADVERTISE_MAX: usize = 4;
/// More than a day of a county's rows; beyond it the reserve itself would be what fills the disk.
const RESERVE_MIB_MAX: u64 = 1_024;

impl RawSettings {
    fn check(self, path: &Path, text: &str) -> Result<Settings, Vec<Fault>> {
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let file = |name: PathBuf| base.join(name);
        let mut faults = Faults::new(text);
        if !self.api.listen.ip().is_loopback() {
            let expected =
                ("the API may only listen on this computer: 127.0.0.1:PORT", "API 只能在這台電腦上使用：請填 127.0.0.1:連接埠");
            faults.note("api", "listen", &self.api.listen.to_string(), expected);
        }
        let mut node = Config::default();
        if let Some(typed) = self.node.home_hub {
            node.home_hub = typed.parse::<NodeId>().ok();
            if node.home_hub.is_none() {
                faults.note("node", "home_hub", &typed, ("it must be a node id such as 1-2", "應為據點代號，例如 1-2"));
            }
        }
        let addresses = [
            ("sync", "peers", &self.sync.peers),
            ("sync", "advertise", &self.sync.advertise),
            ("gossip", "peers", &self.gossip.peers),
        ];
        for (section, key, list) in addresses {
            for address in list.iter().filter(|address| address.parse::<SocketAddr>().is_err()) {
                let expected = (
                    "it must be an IP address and a port, such as 192.168.1.20:4401",
                    "應為 IP 位址與連接埠，例如 192.168.1.20:4401",
                );
                faults.note(section, key, address, expected);
            }
        }
        for (section, key, list) in addresses {
            for address in list.iter().filter(|address| address.parse().is_ok_and(|at| leads_nowhere(&at))) {
                let expected = (
                    "nobody can dial that: give the address at which it is reached, such as 192.168.1.20:4401",
                    "無法連線到這種位址：請填實際可連到的位址，例如 192.168.1.20:4401",
                );
                faults.note(section, key, address, expected);
            }
        }
        if !is_filter(&self.log.filter) {
            let expected = (
                format!("it must be one of {}, or such a word with TARGET=WORD after it, parted by commas", LEVELS.join(", ")),
                format!("應為 {} 之一，或再以逗號加上 目標=等級", LEVELS.join("、")),
            );
            faults.note("log", "filter", &self.log.filter, (&expected.0, &expected.1));
        }
        if let Some(more) = self.sync.advertise.get(ADVERTISE_MAX) {
            let expected = (
                format!("a node advertises at most {ADVERTISE_MAX} addresses: take this one and those after it out"),
                format!("一個據點最多公布 {ADVERTISE_MAX} 個位址：請刪去這個和之後的位址"),
            );
            faults.note("sync", "advertise", more, (&expected.0, &expected.1));
        }
        if base.join(&self.node.stamp_file).starts_with(base.join(&self.node.data_dir)) {
            let expected = (
                "it must not lie inside data_dir: a copy or backup of the store would bring it along, and then prove nothing",
                "不可放在 data_dir 裡：複製或備份資料時會一起帶走，就無法證明資料是最新的",
            );
            faults.note("node", "stamp_file", &self.node.stamp_file.display().to_string(), expected);
        }
        node.advertise = self.sync.advertise;
        let reserve_mib = self.timing.reserve_mib.and_then(|mib| u64::try_from(mib).ok()).filter(|mib| *mib <= RESERVE_MIB_MAX);
        if let Some(mib) = self.timing.reserve_mib.filter(|_| reserve_mib.is_none()) {
            let expected = (
                format!("it must be from 0 to {RESERVE_MIB_MAX}, in MiB: it is held back on the disk"),
                format!("應為 0 到 {RESERVE_MIB_MAX}（MiB）：這是磁碟上預留的空間"),
            );
            faults.note("timing", "reserve_mib", &mib.to_string(), (&expected.0, &expected.1));
        }
        self.timing.check(&mut node, &mut faults);
        let probe = self.crisis.check(&mut node, &mut faults);
        let radio = self.radio.check(&mut faults);
        let public = self.public.check(self.api.listen, &mut faults);
        if !faults.found.is_empty() {
            return Err(faults.found);
        }
        Ok(Settings {
            data_dir: file(self.node.data_dir),
            key_file: file(self.node.key_file),
            alliance_file: file(self.node.alliance_file),
            stamp_file: file(self.node.stamp_file),
            catalogue_file: self.node.catalogue_file.map(file),
            api_listen: self.api.listen,
            token_file: file(self.api.token_file),
            public,
            sync: self.sync.enabled.then_some((self.sync.listen, self.sync.peers)),
            gossip: self.gossip.enabled.then_some((self.gossip.listen, self.gossip.peers, self.gossip.mdns)),
            radio,
            log_format: self.log.format,
            log_filter: self.log.filter,
            record: self.log.record,
            reserve_bytes: reserve_mib.map(|mib| mib << 20),
            probe,
            node,
        })
    }
}

/// A period of the node.
type Period = fn(&mut Config) -> &mut Duration;
/// The periods that may be set: key, shortest, longest.
const PERIODS: [(&str, &str, &str, Period); 5] = [
    ("probe", "100ms", "24h", |node| &mut node.probe),
    ("redial_min", "10ms", "1h", |node| &mut node.redial_min),
    ("redial_max", "10ms", "24h", |node| &mut node.redial_max),
    ("beacon", "100ms", "24h", |node| &mut node.beacon),
    ("broadcast_batch", "10ms", "1h", |node| &mut node.broadcast_batch),
];

impl RawTiming {
    /// Sets the periods that are given, each within what it is good for: shorter, a node would burn its own CPU and its
    /// neighbours'; longer, nobody would see that it still does anything.
    fn check(self, node: &mut Config, faults: &mut Faults<'_>) {
        let redial_typed = [("redial_min", self.redial_min.clone()), ("redial_max", self.redial_max.clone())];
        let typed = [self.probe, self.redial_min, self.redial_max, self.beacon, self.broadcast_batch];
        for (typed, (key, min, max, period)) in typed.into_iter().zip(PERIODS) {
            let Some(typed) = typed else { continue };
            let fits = |length: &Duration| duration(min) <= Some(*length) && Some(*length) <= duration(max);
            match duration(&typed).filter(fits) {
                Some(length) => *period(node) = length,
                None => {
                    let expected = (
                        format!("it must be a duration from {min} to {max}, such as 500ms, 30s, 5m or 2h"),
                        format!("應為 {min} 到 {max} 的時間長度，例如 500ms、30s、5m 或 2h"),
                    );
                    faults.note("timing", key, &typed, (&expected.0, &expected.1));
                }
            }
        }
        if node.redial_min > node.redial_max {
            let (first, longest) = (node.redial_min, node.redial_max);
            let expected = (
                format!("redial_min must not be longer than redial_max: the waits grow from {first:?} to {longest:?}"),
                format!("redial_min 不可長於 redial_max：等待時間由 {first:?} 增至 {longest:?}"),
            );
            // Whichever was typed; both, and the first is named.
            if let Some((key, Some(typed))) = redial_typed.into_iter().find(|(_, typed)| typed.is_some()) {
                faults.note("timing", key, &typed, (&expected.0, &expected.1));
            }
        }
    }
}

/// Reads `500ms`, `30s`, `5m`, `2h`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3_600)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
