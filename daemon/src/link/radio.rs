//! The radio link: a serial port with a modem on it, opened once and held, and opened again for ever after it went away. When to send
//! and how much is decided by [`Station`]; here bytes are moved and clocks read.

mod port;
#[cfg(test)]
mod tests;
pub(super) mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_proto::io::Input;
use holdfast_proto::link::radio::MESSAGE_MAX;
use holdfast_proto::link::radio::station::{Act, Manner, Report as Heard, Station};
use holdfast_proto::link::{LinkId, LinkProfile};
use holdfast_proto::message::Message;
use holdfast_proto::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_serial::SerialStream;

pub use self::port::Trouble;
use super::port::{Desk, Port};
use super::{Report, Shared};

/// First wait before a port that could not be opened is tried again; it doubles.
const REOPEN_MIN: Duration = Duration::from_secs(1);
/// Longest wait: a modem that is plugged in again is used within so long.
const REOPEN_MAX: Duration = Duration::from_secs(5);
/// A port that takes nothing for so long is closed and opened again: its other end has stopped reading.
const STUCK: Duration = Duration::from_secs(30);
/// Most that is read at once.
const READ_BYTES: usize = 4_096;

/// Settings of the radio link.
#[derive(Clone, Debug)]
pub struct RadioSettings {
    /// The serial port: `/dev/ttyUSB0`.
    pub port: String,
    /// Its speed in baud: what the modem wants, not what it sends at.
    pub baud: u32,
    /// What kind of station this is.
    pub manner: Manner,
}

/// How a radio link is, for people.
#[derive(Clone, Debug)]
pub struct RadioState {
    /// The port.
    pub port: String,
    /// Why it is not open; none where it is.
    pub trouble: Option<Trouble>,
    /// What the station knows.
    pub report: Heard,
}

/// The running radio link.
#[derive(Debug)]
pub(super) struct RadioLink {
    task: JoinHandle<()>,
    /// Dropped when it is to end.
    open: watch::Sender<()>,
    post: Arc<Mutex<Post>>,
    begun: std::time::Instant,
}

/// What the task and whoever asks share.
#[derive(Debug)]
struct Post {
    station: Station,
    port: String,
    trouble: Option<Trouble>,
}

impl RadioLink {
    /// Starts. A port that is not there is no error: it is tried for ever, and people are told.
    pub(super) fn open(settings: RadioSettings, shared: Shared) -> Self {
        let (open, ended) = watch::channel(());
        let station = Station::new(settings.manner);
        let post = Arc::new(Mutex::new(Post { station, port: settings.port.clone(), trouble: None }));
        let begun = std::time::Instant::now();
        let radio = Radio { settings, shared, post: Arc::clone(&post), begun };
        Self { task: tokio::spawn(radio.run(ended)), open, post, begun }
    }

    pub(super) fn state(&self) -> RadioState {
        let post = self.post.lock().unwrap_or_else(PoisonError::into_inner);
        RadioState { port: post.port.clone(), trouble: post.trouble.clone(), report: post.station.report(since(self.begun)) }
    }

    pub(super) async fn close(self) {
        drop(self.open);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the radio link did not end in order");
        }
    }
}

fn since(begun: std::time::Instant) -> Instant {
    Instant(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX))
}

struct Radio {
    settings: RadioSettings,
    shared: Shared,
    post: Arc<Mutex<Post>>,
    begun: std::time::Instant,
}

/// What waits to be written.
struct Line {
    out: Vec<u8>,
    /// Since when the port takes nothing of it.
    since: Option<std::time::Instant>,
}

impl Line {
    async fn write(&mut self, writer: &mut WriteHalf<SerialStream>) -> std::io::Result<()> {
        self.since.get_or_insert_with(std::time::Instant::now);
        let count = writer.write(&self.out).await?;
        self.out.drain(..count);
        self.since = None;
        Ok(())
    }

    fn is_stuck(&self) -> bool {
        !self.out.is_empty() && self.since.is_some_and(|since| since.elapsed() >= STUCK)
    }
}

/// Why a port is used no longer.
enum End {
    /// It went away, or takes nothing.
    Port(Trouble),
    /// Hung up, or the daemon ends.
    Over(String),
}

impl Radio {
    async fn run(self, mut ended: watch::Receiver<()>) {
        let mut wait = REOPEN_MIN;
        loop {
            let trouble = match port::open(&self.settings.port, self.settings.baud) {
                Ok(stream) => {
                    self.is(None);
                    wait = REOPEN_MIN;
                    match self.serve(stream, &mut ended).await {
                        End::Over(_) => None,
                        End::Port(trouble) => Some(trouble),
                    }
                }
                Err(trouble) => Some(trouble),
            };
            // Hung up by the node for want of room it is tried again too.
            if trouble.is_some() {
                self.is(trouble);
            }
            tokio::select! {
                _ = ended.changed() => return,
                () = sleep(wait) => wait = (wait * 2).min(REOPEN_MAX),
            }
        }
    }

    /// Notes how the port is, and logs where that is news.
    fn is(&self, trouble: Option<Trouble>) {
        let mut post = self.post.lock().unwrap_or_else(PoisonError::into_inner);
        if post.trouble == trouble {
            return;
        }
        match &trouble {
            Some(trouble) => tracing::warn!(code = %trouble.code(), "{}", trouble.words(&self.settings.port).en),
            None => tracing::info!(port = self.settings.port, "the radio port is open again"),
        }
        post.trouble = trouble;
    }

    fn station<T>(&self, act: impl FnOnce(&mut Station, Instant) -> T) -> T {
        let mut post = self.post.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut post.station, since(self.begun))
    }

    /// Uses an open port until it goes away.
    async fn serve(&self, stream: SerialStream, ended: &mut watch::Receiver<()>) -> End {
        let link = self.shared.fresh_id();
        let mtu = u32::try_from(MESSAGE_MAX).unwrap_or(u32::MAX);
        let profile = LinkProfile {
            mtu,
            rate: self.settings.manner.rate / 8,
            reliable: false,
            broadcast: true,
            peer: None,
            dialled: None,
            label: format!("radio {}", self.settings.port),
        };
        // All credit comes from the station.
        let (port, desk) = Port::new(0, mtu);
        self.station(|station, _| station.reopened());
        if self.shared.reports.send(Report::Up(link, profile, port)).await.is_err() {
            return End::Over(String::new());
        }
        let end = self.carry(stream, link, desk, ended).await;
        let cause = match &end {
            End::Port(trouble) => trouble.words(&self.settings.port).en,
            End::Over(cause) => cause.clone(),
        };
        drop(self.shared.reports.send(Report::Down(link, cause)).await);
        end
    }

    async fn carry(&self, stream: SerialStream, link: LinkId, desk: Desk, ended: &mut watch::Receiver<()>) -> End {
        let Desk { mut frames, mut hangup, .. } = desk;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut line = Line { out: self.settings.manner.setup(), since: None };
        let mut buffer = vec![0; READ_BYTES];
        loop {
            if let Err(cause) = self.turn(link, &mut line).await {
                return End::Over(cause);
            }
            let (now, at) = self.station(|station, now| (now, station.deadline(now)));
            let wake = at.since(now).min(STUCK);
            tokio::select! {
                biased;
                reason = &mut hangup => return End::Over(reason.unwrap_or_else(|_| "the node is shutting down".to_owned())),
                _ = ended.changed() => return End::Over("the node is shutting down".to_owned()),
                Some(frame) = frames.recv() => {
                    let urgent = Message::from_frame(&frame).is_ok_and(|message| message.is_urgent());
                    self.station(|station, now| station.say(now, &frame, urgent));
                }
                read = reader.read(&mut buffer) => match read {
                    Ok(0) => return End::Port(Trouble::Gone("the port ended".to_owned())),
                    Ok(count) => {
                        let bytes = buffer.get(..count).unwrap_or_default();
                        self.station(|station, now| station.received(now, bytes));
                    }
                    Err(error) => return End::Port(Trouble::Gone(error.to_string())),
                },
                written = line.write(&mut writer), if !line.out.is_empty() => if let Err(error) = written {
                    return End::Port(Trouble::Gone(error.to_string()));
                },
                () = sleep(wake) => {}
            }
            if line.is_stuck() {
                return End::Port(Trouble::Stuck);
            }
        }
    }

    /// Does what the station wants done now.
    async fn turn(&self, link: LinkId, line: &mut Line) -> Result<(), String> {
        while let Some(act) = self.station(|station, now| station.poll(now)) {
            let report = match act {
                Act::Write(bytes) => {
                    line.out.extend(bytes);
                    continue;
                }
                Act::Credit { room, urgent } => Report::Credit { link, room, urgent },
                Act::Near(nodes) => Report::Other(Input::Near { link, nodes }),
                Act::Message(frame) => Report::Frame(link, frame),
            };
            self.shared.reports.send(report).await.map_err(|_| "the node is shutting down".to_owned())?;
        }
        Ok(())
    }
}
