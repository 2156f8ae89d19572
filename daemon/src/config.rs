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

use crate::code::Code;
use crate::start::StartError;

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
    /// What is wrong with a file that the configuration names.
    #[must_use]
    pub fn of_paper(error: &StartError) -> Self {
        let words = both(error.to_string(), format!("設定所列的檔案無法使用:{error}"));
        Self { line: None, code: error.code(), words }
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
    #[error("the configuration {path} can't be read: {cause}. Check the path given with --config")]
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
                let words = both(format!("the file can't be read: {cause}"), format!("無法讀取設定檔:{cause}"));
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
    log: RawLog,
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
    reserve_mib: Option<u32>,
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
    /// The sync link, where switched on: address and static peers.
    pub sync: Option<(SocketAddr, Vec<String>)>,
    /// The gossip link, where switched on: address, static peers, mDNS.
    pub gossip: Option<(SocketAddr, Vec<String>, bool)>,
    /// Log lines.
    pub log_format: LogFormat,
    /// Which.
    pub log_filter: String,
    /// Whether all that happens to the node is written down, to be played again elsewhere.
    pub record: bool,
    /// Bytes held back on disk for urgent rows; the store's own default where absent.
    pub reserve_bytes: Option<u64>,
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
        // Read once as it stands, so that a fault has its line; overrides come after.
        let unread = |cause: toml::de::Error| {
            let line = cause.span().map(|span| line_of(text, span.start));
            let written = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default().trim();
            let said = format!("{}: {written}", cause.message());
            wrong(vec![Fault { line, code: Code::ConfigUnknown, words: both(said.as_str(), said.as_str()) }])
        };
        let mut raw: RawSettings = toml::from_str(text).map_err(unread)?;
        let mut table: toml::Table = toml::from_str(text).map_err(unread)?;
        for (variable, value) in variables {
            let Some((section, key)) = variable.strip_prefix("HOLDFAST_").and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let unread = |cause: &str| {
                let en = format!("the environment variable {variable} is not understood: {cause}");
                let words = both(en, format!("無法理解環境變數 {variable}:{cause}"));
                wrong(vec![Fault { line: None, code: Code::ConfigVariable, words }])
            };
            let value = value.parse().unwrap_or(toml::Value::String(value));
            let section = table.entry(section.to_lowercase()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let section = section.as_table_mut().ok_or_else(|| unread("there is no such section"))?;
            section.insert(key.to_lowercase(), value);
            raw = table.clone().try_into().map_err(|cause: toml::de::Error| unread(cause.message()))?;
        }
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
        let words = both(en, format!("[{section}] {key} 是 {value:?},{}", expected.1));
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
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Addresses said on a board; more would crowd out what it is for.
const ADVERTISE_MAX: usize = 4;
/// More than a day of a county's rows; beyond it the reserve itself would be what fills the disk.
const RESERVE_MIB_MAX: u32 = 1_024;

impl RawSettings {
    fn check(self, path: &Path, text: &str) -> Result<Settings, Vec<Fault>> {
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let file = |name: PathBuf| base.join(name);
        let mut faults = Faults::new(text);
        if !self.api.listen.ip().is_loopback() {
            let expected =
                ("the API may only listen on this computer: 127.0.0.1:PORT", "API 只能在這台電腦上使用:請填 127.0.0.1:連接埠");
            faults.note("api", "listen", &self.api.listen.to_string(), expected);
        }
        let mut node = Config::default();
        if let Some(typed) = self.node.home_hub {
            node.home_hub = typed.parse::<NodeId>().ok();
            if node.home_hub.is_none() {
                faults.note("node", "home_hub", &typed, ("it must be a node id such as 1-2", "應為據點代號,例如 1-2"));
            }
        }
        let addresses = [("sync", "peers", &self.sync.peers), ("sync", "advertise", &self.sync.advertise)];
        for (section, key, list) in addresses.into_iter().chain([("gossip", "peers", &self.gossip.peers)]) {
            for address in list.iter().filter(|address| address.parse::<SocketAddr>().is_err()) {
                let expected = (
                    "it must be an IP address and a port, such as 192.168.1.20:4401",
                    "應為 IP 位址與連接埠,例如 192.168.1.20:4401",
                );
                faults.note(section, key, address, expected);
            }
        }
        if let Some(more) = self.sync.advertise.get(ADVERTISE_MAX) {
            let expected = (
                format!("a node advertises at most {ADVERTISE_MAX} addresses: take this one and those after it out"),
                format!("一個據點最多公布 {ADVERTISE_MAX} 個位址:請刪去這個和之後的位址"),
            );
            faults.note("sync", "advertise", more, (&expected.0, &expected.1));
        }
        node.advertise = self.sync.advertise;
        let reserve_mib = self.timing.reserve_mib;
        if let Some(mib) = reserve_mib.filter(|mib| *mib > RESERVE_MIB_MAX) {
            let expected = (
                format!("it must be from 0 to {RESERVE_MIB_MAX}, in MiB: it is held back on the disk"),
                format!("應為 0 到 {RESERVE_MIB_MAX}(MiB):這是磁碟上預留的空間"),
            );
            faults.note("timing", "reserve_mib", &mib.to_string(), (&expected.0, &expected.1));
        }
        self.timing.check(&mut node, &mut faults);
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
            sync: self.sync.enabled.then_some((self.sync.listen, self.sync.peers)),
            gossip: self.gossip.enabled.then_some((self.gossip.listen, self.gossip.peers, self.gossip.mdns)),
            log_format: self.log.format,
            log_filter: self.log.filter,
            record: self.log.record,
            reserve_bytes: reserve_mib.map(|mib| u64::from(mib) << 20),
            node,
        })
    }
}

impl RawTiming {
    /// Sets the periods that are given, each within what it is good for: shorter, a node would burn its own CPU and its
    /// neighbours'; longer, nobody would see that it still does anything.
    fn check(self, node: &mut Config, faults: &mut Faults<'_>) {
        let redial_typed = [("redial_min", self.redial_min.clone()), ("redial_max", self.redial_max.clone())];
        let periods = [
            ("probe", self.probe, &mut node.probe, ("100ms", "24h")),
            ("redial_min", self.redial_min, &mut node.redial_min, ("10ms", "1h")),
            ("redial_max", self.redial_max, &mut node.redial_max, ("10ms", "24h")),
            ("beacon", self.beacon, &mut node.beacon, ("100ms", "24h")),
            ("broadcast_batch", self.broadcast_batch, &mut node.broadcast_batch, ("10ms", "1h")),
        ];
        for (key, typed, period, (min, max)) in periods {
            let Some(typed) = typed else { continue };
            let fits = |length: &Duration| duration(min) <= Some(*length) && Some(*length) <= duration(max);
            match duration(&typed).filter(fits) {
                Some(length) => *period = length,
                None => {
                    let expected = (
                        format!("it must be a duration from {min} to {max}, such as 500ms, 30s, 5m or 2h"),
                        format!("應為 {min} 到 {max} 的時間長度,例如 500ms、30s、5m 或 2h"),
                    );
                    faults.note("timing", key, &typed, (&expected.0, &expected.1));
                }
            }
        }
        if node.redial_min > node.redial_max {
            let longest = node.redial_max.as_secs_f64();
            let expected = (
                format!(
                    "redial_min must not be longer than redial_max: the waits grow from {:?} to {longest} s",
                    node.redial_min
                ),
                format!("redial_min 不可長於 redial_max:等待時間由 {:?} 增至 {longest} 秒", node.redial_min),
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
mod tests {
    use super::*;

    const GOOD: &str = "[node]\ndata_dir = \"data\"\nkey_file = \"node.key\"\nalliance_file = \"a.hf\"\nstamp_file = \"s\"\n";

    fn parse(text: &str) -> Result<Settings, ConfigError> {
        Settings::parse(Path::new("/etc/holdfast/node.toml"), text, std::iter::empty())
    }

    #[test]
    fn paths_are_relative_to_the_file_and_the_rest_has_defaults() {
        let settings = parse(GOOD).unwrap();
        assert_eq!(settings.data_dir, Path::new("/etc/holdfast/data"));
        assert!(settings.sync.is_some() && settings.gossip.is_some());
    }

    #[test]
    fn an_unknown_key_and_a_wrong_type_name_their_line() {
        for (bad, line) in [("[api]\nlisten_on = \"x\"\n", "line 7"), ("[sync]\nenabled = \"yes\"\n", "line 7")] {
            let error = parse(&format!("{GOOD}{bad}")).unwrap_err().to_string();
            assert!(error.contains(line), "{error}");
        }
    }

    #[test]
    fn values_that_make_no_sense_name_their_line_and_say_what_would_do() {
        for (bad, line, hint) in [
            ("[api]\nlisten = \"0.0.0.0:8787\"\n", "line 7: [api] listen", "only listen on this computer"),
            ("[timing]\nprobe = \"soon\"\n", "line 7: [timing] probe", "30s"),
            ("[sync]\npeers = [\n  \"127.0.0.1:1\",\n  \"store-b\",\n]\n", "line 9: [sync] peers", "192.168.1.20:4401"),
        ] {
            let error = parse(&format!("{GOOD}{bad}")).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(hint), "{error}");
        }
    }

    #[test]
    fn values_out_of_their_range_name_their_line_and_the_range() {
        let addresses = ["1", "2", "3", "4", "5"].map(|host| format!("\"192.0.2.{host}:4401\"")).join(",\n");
        for (bad, line, range) in [
            ("[timing]\nprobe = \"0s\"\n", 7, "from 100ms to 24h"),
            ("[timing]\nprobe = \"25h\"\n", 7, "from 100ms to 24h"),
            ("[timing]\nprobe = \"18446744073709551615ms\"\n", 7, "from 100ms to 24h"),
            ("[timing]\nbeacon = \"99ms\"\n", 7, "from 100ms to 24h"),
            ("[timing]\n\nredial_min = \"9ms\"\n", 8, "from 10ms to 1h"),
            ("[timing]\nredial_max = \"0s\"\n", 7, "from 10ms to 24h"),
            ("[timing]\nbroadcast_batch = \"0ms\"\n", 7, "from 10ms to 1h"),
            ("[timing]\nredial_max = \"1s\"\nredial_min = \"2s\"\n", 8, "2s to 1 s"),
            ("[timing]\nredial_max = \"500ms\"\n", 7, "1s to 0.5 s"),
            ("[timing]\nredial_min = \"2m\"\n", 7, "120s to 60 s"),
            ("[timing]\nreserve_mib = 1025\n", 7, "from 0 to 1024"),
            ("[timing]\nreserve_mib = 4_294_967_295\n", 7, "from 0 to 1024"),
            (&*format!("[sync]\nadvertise = [{addresses}]\n"), 11, "at most 4 addresses"),
        ] {
            let error = parse(&format!("{GOOD}{bad}")).unwrap_err();
            assert_eq!(error.code(), Code::ConfigValue, "{bad}");
            let faults = error.faults();
            let [fault] = &*faults else { panic!("{bad}: {faults:?}") };
            assert_eq!(fault.line, Some(line), "{bad}: {fault}");
            assert!(fault.words.en.contains(range) && !fault.words.zh.is_empty(), "{bad}: {fault}");
        }
        let edges = "probe = \"24h\"\nredial_min = \"10ms\"\nredial_max = \"10ms\"\nbeacon = \"100ms\"\nreserve_mib = 1024\n";
        assert_eq!(parse(&format!("{GOOD}[timing]\n{edges}")).unwrap().reserve_bytes, Some(1 << 30));
    }

    #[test]
    fn all_wrong_values_are_told_together_in_both_languages() {
        let text = format!("{GOOD}home_hub = \"the depot\"\n[gossip]\npeers = [\"x\"]\n[timing]\nbeacon = \"1\"\n");
        let faults = parse(&text).unwrap_err().faults();
        assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [Some(6), Some(8), Some(10)]);
        assert!(faults.iter().all(|fault| !fault.words.en.is_empty() && !fault.words.zh.is_empty()));
    }

    #[test]
    fn the_environment_overrides_and_its_faults_name_the_variable() {
        let with = |name: &str, value: &str| {
            Settings::parse(Path::new("x.toml"), GOOD, [(name.to_owned(), value.to_owned())].into_iter())
        };
        assert!(with("HOLDFAST_GOSSIP__ENABLED", "false").unwrap().gossip.is_none());
        assert_eq!(with("HOLDFAST_API__LISTEN", "127.0.0.1:9000").unwrap().api_listen.port(), 9000);
        let error = with("HOLDFAST_API__LISTEN", "nowhere").unwrap_err().to_string();
        assert!(error.contains("HOLDFAST_API__LISTEN"), "{error}");
    }
}
