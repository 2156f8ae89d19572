//! Radio modems without a sound card: Direwolf stations that share one channel. What each sends goes as audio into a named pipe; a mixer
//! gives every station the sum of all others, so that they hear, defer and collide as on the air.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Mode, OFlags};
use tempfile::TempDir;

use crate::wait::{SOON, eventually};

/// Samples a second, 16 bits each.
const SAMPLE_RATE: u64 = 48_000;
/// Samples that are mixed at once: 10 ms.
const CHUNK: usize = 480;
/// What a station is to hear takes no more: what waits there is heard late, and a station that hears late speaks into others.
const PIPE_BYTES: usize = 4_096;

/// Stations of one channel. Dropping it ends them.
#[derive(Debug)]
pub struct Modems {
    stations: Vec<Option<Child>>,
    baud: u32,
    /// The mixer ends when this goes.
    on: Option<Sender<()>>,
    mixer: Option<JoinHandle<()>>,
    folder: TempDir,
}

impl Modems {
    /// Whether this machine has the modem's program.
    #[must_use]
    pub fn are_there() -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join("direwolf").is_file())
    }

    /// Starts so many stations at 1,200 or 9,600 baud.
    ///
    /// # Panics
    /// If the program can't be started or names no port.
    #[must_use]
    #[track_caller]
    pub fn start(stations: usize, baud: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("holdfast-air-").tempdir().expect("a temporary folder");
        let mut sound = String::new();
        for n in 0..stations {
            for pipe in [sent(folder.path(), n), heard(folder.path(), n)] {
                rustix::fs::mknodat(rustix::fs::CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a named pipe");
            }
            let file = sent(folder.path(), n);
            sound += &format!("pcm.air{n} {{ type file slave.pcm \"null\" file {file:?} format \"raw\" }}\n");
        }
        fs::write(folder.path().join(".asoundrc"), sound).expect("a file in the temporary folder");
        let open = |path: PathBuf| {
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag");
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).expect("the pipe")
        };
        let lines: Vec<Line> = (0..stations)
            .map(|n| {
                let heard = open(heard(folder.path(), n));
                rustix::pipe::fcntl_setpipe_size(&heard, PIPE_BYTES).expect("a small pipe");
                Line { sent: open(sent(folder.path(), n)), heard, odd: Vec::new() }
            })
            .collect();
        let (on, ended) = channel();
        let mixer = std::thread::spawn(move || mix(lines, &ended));
        let stations = (0..stations).map(|_| None).collect();
        let mut modems = Self { stations, baud, on: Some(on), mixer: Some(mixer), folder };
        (0..modems.stations.len()).for_each(|n| modems.switch_on(n));
        modems
    }

    /// The serial port of a station: a name that stays when the modem comes back.
    #[must_use]
    pub fn port(&self, station: usize) -> PathBuf {
        self.folder.path().join(format!("port{station}"))
    }

    /// Switches a station on.
    ///
    /// # Panics
    /// If the program can't be started or names no port.
    #[track_caller]
    pub fn switch_on(&mut self, station: usize) {
        let folder = self.folder.path();
        let config = folder.join(format!("station{station}.conf"));
        let baud = self.baud;
        let text = format!(
            "ADEVICE stdin air{station}\nARATE {SAMPLE_RATE}\nACHANNELS 1\nCHANNEL 0\nMYCALL N0CALL-{}\nMODEM {baud}\n\
             AGWPORT 0\nKISSPORT 0\n",
            station + 1
        );
        fs::write(&config, text).expect("a file in the temporary folder");
        let log = folder.join(format!("station{station}.log"));
        let out = File::create(&log).expect("a file in the temporary folder");
        let audio = OpenOptions::new().read(true).write(true).open(heard(folder, station)).expect("the pipe");
        let mut command = Command::new("direwolf");
        command.args(["-q", "hd", "-p", "-t", "0", "-c"]).arg(&config).env("HOME", folder).current_dir(folder);
        command.stdin(audio).stdout(out.try_clone().expect("a file handle can be doubled")).stderr(out);
        self.stations[station] = Some(command.spawn().expect("direwolf can be started"));
        let port = eventually(SOON, "the modem names its port", || {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let named = said.split("available on ").nth(1).and_then(|rest| rest.split_whitespace().next());
            named.map(PathBuf::from).ok_or(said)
        });
        drop(fs::remove_file(self.port(station)));
        symlink(port, self.port(station)).expect("a link in the temporary folder");
    }

    /// Switches a station off, as somebody does who stumbles over its cable.
    ///
    /// # Panics
    /// If it can't be ended.
    pub fn switch_off(&mut self, station: usize) {
        if let Some(mut child) = self.stations[station].take() {
            child.kill().expect("direwolf can be ended");
            child.wait().expect("direwolf ends");
        }
        drop(fs::remove_file(self.port(station)));
    }
}

impl Drop for Modems {
    fn drop(&mut self) {
        for child in self.stations.iter_mut().flatten() {
            drop(child.kill());
            drop(child.wait());
        }
        drop(self.on.take());
        drop(self.mixer.take().map(JoinHandle::join));
    }
}

fn sent(folder: &Path, station: usize) -> PathBuf {
    folder.join(format!("sent{station}"))
}

fn heard(folder: &Path, station: usize) -> PathBuf {
    folder.join(format!("heard{station}"))
}

/// The two pipes of one station.
struct Line {
    sent: File,
    heard: File,
    /// Half a sample.
    odd: Vec<u8>,
}

impl Line {
    /// What the station sends now; silence where it does not.
    fn sends(&mut self) -> Vec<i32> {
        let mut bytes = std::mem::take(&mut self.odd);
        let mut buffer = [0; 2 * CHUNK];
        let room = buffer.len() - bytes.len();
        let count = self.sent.read(&mut buffer[..room]).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let (samples, odd) = bytes.as_chunks::<2>();
        self.odd = odd.to_vec();
        let mut samples: Vec<i32> = samples.iter().map(|sample| i32::from(i16::from_le_bytes(*sample))).collect();
        samples.resize(CHUNK, 0);
        samples
    }
}

/// In real time, each hears what all others send.
fn mix(mut lines: Vec<Line>, ended: &Receiver<()>) {
    let begun = Instant::now();
    let mut chunks: u64 = 0;
    loop {
        let sent: Vec<Vec<i32>> = lines.iter_mut().map(Line::sends).collect();
        for (to, line) in lines.iter_mut().enumerate() {
            let others = || sent.iter().enumerate().filter(|(from, _)| *from != to).map(|(_, samples)| samples);
            let sum = (0..CHUNK).map(|at| others().map(|samples| samples[at]).sum::<i32>());
            let bytes: Vec<u8> = sum
                .flat_map(|sample| {
                    let clipped = sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
                    i16::try_from(clipped).unwrap_or_default().to_le_bytes()
                })
                .collect();
            // A station that does not listen misses it.
            drop(line.heard.write(&bytes));
        }
        chunks += 1;
        let due = Duration::from_micros(chunks * CHUNK as u64 * 1_000_000 / SAMPLE_RATE);
        if ended.recv_timeout(due.saturating_sub(begun.elapsed())) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}
