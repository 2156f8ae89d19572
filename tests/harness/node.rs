//! One node: its folder, its configuration, and the `holdfastd` that perhaps runs on it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{OpenOptions, read_to_string, write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use holdfast_proto::id::NodeId;

use crate::binaries::binaries;
use crate::http::Api;
use crate::process::{Run, run, signal, wait_for_end};
use crate::wait::{BLINK, SOON, eventually};

/// Longest a command of the CLI may take in a test.
const COMMAND_MAX: Duration = Duration::from_secs(60);
/// Lines of a log shown when a test fails.
const LOG_LINES: usize = 60;

/// A modem on a serial port that wants call signs.
#[derive(Clone, Debug)]
pub struct RadioSettings {
    /// The port.
    pub port: PathBuf,
    /// The node's call sign.
    pub callsign: String,
    /// Bits a second on the air.
    pub rate: u32,
}

/// What is written into a node's configuration file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port of the API, on loopback.
    pub api_port: u16,
    /// Port of the public's board on loopback, where it is switched on.
    pub public_port: Option<u16>,
    /// Address that sync and gossip listen on.
    pub address: String,
    /// Port of sync.
    pub sync_port: u16,
    /// Port of gossip.
    pub gossip_port: u16,
    /// Where the store lies; relative to the node's folder.
    pub data_dir: PathBuf,
    /// Sync switched on.
    pub sync: bool,
    /// Gossip switched on.
    pub gossip: bool,
    /// Looks for neighbours by multicast.
    pub mdns: bool,
    /// Static sync addresses.
    pub sync_peers: Vec<String>,
    /// Static gossip addresses.
    pub gossip_peers: Vec<String>,
    /// A radio.
    pub radio: Option<RadioSettings>,
    /// The hub that requests ask.
    pub home_hub: Option<NodeId>,
    /// `[timing]`, key and duration.
    pub timing: BTreeMap<String, String>,
    /// Lines put before everything else, to make the file wrong.
    pub first_lines: String,
}

impl Settings {
    /// On loopback, with ports of its own, no neighbours and quick timers.
    #[must_use]
    pub fn on_loopback() -> Self {
        let timing = [("redial_min", "100ms"), ("redial_max", "1s"), ("probe", "1s"), ("beacon", "1s")];
        Self {
            api_port: crate::free_port(),
            public_port: None,
            address: "127.0.0.1".to_owned(),
            sync_port: crate::free_port(),
            gossip_port: crate::free_port(),
            data_dir: PathBuf::from("data"),
            sync: true,
            gossip: true,
            mdns: false,
            sync_peers: Vec::new(),
            gossip_peers: Vec::new(),
            radio: None,
            home_hub: None,
            timing: timing.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            first_lines: String::new(),
        }
    }

    /// Where sync can be reached.
    #[must_use]
    pub fn sync_address(&self) -> String {
        format!("{}:{}", self.address, self.sync_port)
    }

    /// Where gossip can be reached.
    #[must_use]
    pub fn gossip_address(&self) -> String {
        format!("{}:{}", self.address, self.gossip_port)
    }

    /// The configuration file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = self.first_lines.clone();
        let mut line =
            |args: std::fmt::Arguments<'_>| text.write_fmt(args).expect("invariant: a String takes all that is written to it");
        line(format_args!("[node]\ndata_dir = {:?}\n", self.data_dir.display().to_string()));
        line(format_args!("key_file = \"node.key\"\nalliance_file = \"alliance.hf\"\nstamp_file = \"continuity.stamp\"\n"));
        if let Some(hub) = self.home_hub {
            line(format_args!("home_hub = \"{hub}\"\n"));
        }
        line(format_args!("\n[api]\nlisten = \"127.0.0.1:{}\"\ntoken_file = \"api.token\"\n", self.api_port));
        if let Some(port) = self.public_port {
            line(format_args!("\n[public]\nlisten = \"127.0.0.1:{port}\"\n"));
        }
        line(format_args!("\n[sync]\nenabled = {}\nlisten = {:?}\n", self.sync, self.sync_address()));
        line(format_args!("peers = {:?}\nadvertise = [{:?}]\n", self.sync_peers, self.sync_address()));
        line(format_args!("\n[gossip]\nenabled = {}\nlisten = {:?}\nmdns = {}\n", self.gossip, self.gossip_address(), self.mdns));
        line(format_args!("peers = {:?}\n", self.gossip_peers));
        if let Some(radio) = &self.radio {
            let port = radio.port.display().to_string();
            line(format_args!("\n[radio]\nport = {port:?}\nframing = \"ax25\"\ncallsign = {:?}\n", radio.callsign));
            line(format_args!("rate = {}\nkey_up = \"200ms\"\n", radio.rate));
        }
        line(format_args!("\n[log]\nformat = \"text\"\nfilter = \"info,holdfast_daemon=debug\"\n"));
        if !self.timing.is_empty() {
            line(format_args!("\n[timing]\n"));
        }
        for (key, value) in &self.timing {
            line(format_args!("{key} = {value:?}\n"));
        }
        text
    }
}

/// A node of a test. Dropping it kills its daemon.
#[derive(Debug)]
pub struct Node {
    /// Name in its certificate.
    pub name: String,
    /// Certified id.
    pub id: NodeId,
    /// Written to the file at each start.
    pub settings: Settings,
    /// Environment of the daemon beside what the test inherited.
    pub env: BTreeMap<String, String>,
    /// Network namespace the daemon and the CLI run in.
    pub namespace: Option<String>,
    dir: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// A node whose folder holds its key and alliance file already.
    #[must_use]
    pub fn new(name: &str, id: NodeId, dir: PathBuf, settings: Settings) -> Self {
        Self { name: name.to_owned(), id, settings, env: BTreeMap::new(), namespace: None, dir, child: None }
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join(&self.settings.data_dir)
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("holdfast.toml")
    }

    /// Writes the configuration file.
    ///
    /// # Panics
    /// If the folder is gone.
    pub fn write_config(&self) {
        write(self.config(), self.settings.to_toml()).expect("the node's folder can be written");
    }

    fn program(&self, program: &Path) -> Command {
        let mut command = match &self.namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(program);
                command
            }
        };
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("HOLDFAST_") {
                command.env_remove(key);
            }
        }
        command
    }

    fn daemon(&self) -> Command {
        let mut command = self.program(&binaries().holdfastd);
        command.arg("--config").arg(self.config()).envs(&self.env);
        command
    }

    /// Starts the daemon without waiting until it answers.
    ///
    /// # Panics
    /// If it runs already or can't be started.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        self.write_config();
        let log =
            OpenOptions::new().create(true).append(true).open(self.dir.join("log")).expect("the node's folder can be written");
        let out = log.try_clone().expect("a file handle can be doubled");
        let mut command = self.daemon();
        command.stdin(Stdio::null()).stdout(out).stderr(log);
        self.child = Some(command.spawn().expect("holdfastd can be started"));
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Panics
    /// If it ends or does not answer.
    #[track_caller]
    pub fn start(&mut self) {
        self.spawn();
        self.wait_ready();
    }

    /// Waits until the daemon answers.
    ///
    /// # Panics
    /// If it ends or does not answer.
    #[track_caller]
    pub fn wait_ready(&mut self) {
        let limit = SOON;
        eventually(limit, &format!("{} answers", self.name), || {
            if let Some(code) = self.ended() {
                panic!("holdfastd of {} ended with {code}\n{}", self.name, self.log());
            }
            if self.namespace.is_some() {
                let run = self.cli(&["status", "--json"]);
                return if run.code == 0 { Ok(()) } else { Err(run.words()) };
            }
            match Api::new(self.settings.api_port, "").get("/readyz")? {
                answer if answer.status == 200 => Ok(()),
                answer => Err(format!("HTTP {}: {}", answer.status, answer.body)),
            }
        });
    }

    /// Starts the daemon where it must refuse to run, and gives back what it said.
    ///
    /// # Panics
    /// If it still runs after ten seconds.
    #[track_caller]
    pub fn refuses(&self) -> Run {
        self.write_config();
        self.refuses_as_written()
    }

    /// [`Self::refuses`] with the configuration file that is there.
    ///
    /// # Panics
    /// If it still runs after ten seconds.
    #[track_caller]
    pub fn refuses_as_written(&self) -> Run {
        run(&mut self.daemon(), BLINK)
    }

    /// The exit code, if the daemon was started and has ended.
    pub fn ended(&mut self) -> Option<i32> {
        let status = self.child.as_mut()?.try_wait().ok()??;
        Some(status.code().unwrap_or(-1))
    }

    /// Whether the daemon runs.
    pub fn running(&mut self) -> bool {
        self.child.is_some() && self.ended().is_none()
    }

    /// Pulls the plug: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the daemon as a service manager would: SIGTERM.
    ///
    /// # Panics
    /// If it does not end within ten seconds with exit code 0.
    #[track_caller]
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        signal(child.id(), "TERM");
        let status = wait_for_end(&mut child, BLINK);
        let code = status.and_then(|s| s.code());
        assert_eq!(code, Some(0), "holdfastd of {} was asked to end\n{}", self.name, self.log());
    }

    /// Its API.
    ///
    /// # Panics
    /// If there is no token file: it never ran.
    #[must_use]
    pub fn api(&self) -> Api {
        let token = read_to_string(self.token_file()).expect("the daemon made its token file");
        Api::new(self.settings.api_port, &token)
    }

    /// The file with the API's token.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.dir.join("api.token")
    }

    /// `holdfast ARGS` against this node's API, in English.
    ///
    /// # Panics
    /// If it hangs.
    #[track_caller]
    #[must_use]
    pub fn cli(&self, args: &[&str]) -> Run {
        self.cli_with(args, &[])
    }

    /// [`Self::cli`] with environment.
    ///
    /// # Panics
    /// If it hangs.
    #[track_caller]
    #[must_use]
    pub fn cli_with(&self, args: &[&str], env: &[(&str, &str)]) -> Run {
        run(self.command(args).envs(env.iter().copied()), COMMAND_MAX)
    }

    /// What [`Self::cli`] runs, for a test that runs it itself.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(&binaries().holdfast);
        command.arg("--api").arg(format!("http://127.0.0.1:{}", self.settings.api_port));
        command.arg("--token-file").arg(self.token_file()).args(args);
        command.env("LC_ALL", "C.UTF-8").env("HOME", &self.dir);
        command
    }

    /// The end of its log.
    #[must_use]
    pub fn log(&self) -> String {
        let text = read_to_string(self.dir.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        format!("--- log of {} ({} lines)\n{}", self.name, lines.len(), end.join("\n"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() && self.dir.join("log").exists() {
            eprintln!("{}", self.log());
        }
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;

    #[test]
    fn the_configuration_file_is_toml_and_says_what_was_set() {
        let mut settings = Settings::on_loopback();
        settings.gossip = false;
        settings.sync_peers = vec!["127.0.0.1:1".to_owned()];
        let file: toml::Table = settings.to_toml().parse().expect("TOML");
        assert_eq!(file["gossip"]["enabled"].as_bool(), Some(false));
        assert_eq!(file["sync"]["peers"][0].as_str(), Some("127.0.0.1:1"));
        assert_eq!(file["timing"]["probe"].as_str(), Some("1s"));
    }
}
