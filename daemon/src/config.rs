//! The configuration file as written, checked into [`Settings`]: unknown keys refused, every error names file, line and key.
//!
//! `HOLDFAST_SECTION__KEY` in the environment overrides a key, such as `HOLDFAST_API__LISTEN=127.0.0.1:9000`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_proto::id::NodeId;
use serde::Deserialize;

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
    /// Something in it is not understood.
    #[error("the configuration {path} is not understood, so nothing was started:\n{cause}Correct that line and start again")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong there.
        cause: toml::de::Error,
    },
    /// A variable of the environment overrides a key with something not understood.
    #[error("the environment variable {variable} is not understood, so nothing was started: {cause}")]
    Environment {
        /// Which.
        variable: String,
        /// What is wrong.
        cause: String,
    },
    /// A value is readable but makes no sense.
    #[error("{key} in the configuration {path} is {value:?}, but {expected}. Correct it and start again")]
    Value {
        /// The file.
        path: PathBuf,
        /// `[section] key`.
        key: &'static str,
        /// As written.
        value: String,
        /// What would do.
        expected: &'static str,
    },
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
}

impl Default for RawLog {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
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
    /// Who shows it may write.
    pub token_file: PathBuf,
    /// The sync link, where switched on: address and static peers.
    pub sync: Option<(SocketAddr, Vec<String>)>,
    /// The gossip link, where switched on: address, static peers, mDNS.
    pub gossip: Option<(SocketAddr, Vec<String>, bool)>,
    /// Log lines.
    pub log_format: LogFormat,
    /// Which.
    pub log_filter: String,
    /// Bytes held back on disk for urgent rows; the store's own default where absent.
    pub reserve_bytes: Option<u64>,
    /// Limits and periods of the node.
    pub node: holdfast_proto::config::Config,
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
        let wrong = |cause| ConfigError::Wrong { path: path.to_owned(), cause };
        // Read once as it stands, so that an error can show the line; overrides come after.
        let mut raw: RawSettings = toml::from_str(text).map_err(wrong)?;
        let mut table: toml::Table = toml::from_str(text).map_err(wrong)?;
        for (variable, value) in variables {
            let Some((section, key)) = variable.strip_prefix("HOLDFAST_").and_then(|rest| rest.split_once("__")) else {
                continue;
            };
            let fault = |cause: String| ConfigError::Environment { variable: variable.clone(), cause };
            let value = value.parse().unwrap_or(toml::Value::String(value));
            let section = table.entry(section.to_lowercase()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let section = section.as_table_mut().ok_or_else(|| fault("there is no such section".to_owned()))?;
            section.insert(key.to_lowercase(), value);
            raw = table.clone().try_into().map_err(|cause: toml::de::Error| fault(cause.message().to_owned()))?;
        }
        raw.check(path)
    }
}

impl RawSettings {
    fn check(self, path: &Path) -> Result<Settings, ConfigError> {
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        let file = |name: PathBuf| base.join(name);
        let fault =
            |key, value: &str, expected| ConfigError::Value { path: path.to_owned(), key, value: value.to_owned(), expected };
        if !self.api.listen.ip().is_loopback() {
            return Err(fault(
                "[api] listen",
                &self.api.listen.to_string(),
                "the API may only listen on this computer: 127.0.0.1:PORT",
            ));
        }
        let home_hub = self
            .node
            .home_hub
            .map(|text| text.parse::<NodeId>().map_err(|_| fault("[node] home_hub", &text, "it must be a node id such as 1-2")));
        for peer in self.sync.peers.iter().chain(&self.sync.advertise).chain(&self.gossip.peers) {
            if peer.parse::<SocketAddr>().is_err() {
                return Err(fault("an address", peer, "it must be an IP address and a port, such as 192.168.1.20:4401"));
            }
        }
        let mut node = holdfast_proto::config::Config { home_hub: home_hub.transpose()?, ..Default::default() };
        node.advertise = self.sync.advertise;
        let timing = self.timing;
        let periods = [
            ("[timing] probe", timing.probe, &mut node.probe),
            ("[timing] redial_min", timing.redial_min, &mut node.redial_min),
            ("[timing] redial_max", timing.redial_max, &mut node.redial_max),
            ("[timing] beacon", timing.beacon, &mut node.beacon),
            ("[timing] broadcast_batch", timing.broadcast_batch, &mut node.broadcast_batch),
        ];
        for (key, text, period) in periods {
            if let Some(text) = text {
                *period =
                    duration(&text).ok_or_else(|| fault(key, &text, "it must be a duration such as 500ms, 30s, 5m or 2h"))?;
            }
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
            reserve_bytes: timing.reserve_mib.map(|mib| u64::from(mib) << 20),
            node,
        })
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
    fn values_that_make_no_sense_say_what_would_do() {
        for (bad, hint) in [
            ("[api]\nlisten = \"0.0.0.0:8787\"\n", "only listen on this computer"),
            ("[timing]\nprobe = \"soon\"\n", "30s"),
            ("[sync]\npeers = [\"store-b\"]\n", "192.168.1.20:4401"),
        ] {
            let error = parse(&format!("{GOOD}{bad}")).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
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
