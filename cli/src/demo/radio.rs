//! The air of a demo: pseudo terminals that look like modems, joined by one channel of 1,200 bit/s on which one sends at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use holdfast_proto::link::airtime::Airtime;
use holdfast_proto::link::radio::framing::{Deframer, Framing};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::house::{RADIO_KEY_UP_MS, RADIO_RATE};

/// How often modems are looked at.
const LOOK: Duration = Duration::from_millis(5);
/// Frames a modem holds; like a real one it drops what comes on top, and says nothing.
const QUEUE_MAX: usize = 256;

/// The channel while it runs.
#[derive(Debug)]
pub(super) struct Air {
    /// One port for each station.
    pub(super) ports: Vec<PathBuf>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One modem.
struct Modem {
    far: File,
    /// Kept open, so that a daemon that comes and goes does not hang up the line.
    _near: File,
    deframer: Deframer,
    queue: VecDeque<Vec<u8>>,
}

impl Air {
    /// Makes so many modems and joins them.
    ///
    /// # Errors
    /// The system gives no pseudo terminals.
    pub(super) fn open(stations: usize) -> std::io::Result<Self> {
        let made: std::io::Result<Vec<(Modem, PathBuf)>> = (0..stations).map(|_| modem()).collect();
        let (modems, ports) = made?.into_iter().unzip();
        let ended = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || carry(modems, &ended)
        });
        Ok(Self { ports, ended, thread: Some(thread) })
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It ends within a look, unless it panicked, which was told already.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn modem() -> std::io::Result<(Modem, PathBuf)> {
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&far)?;
    unlockpt(&far)?;
    let path = PathBuf::from(String::from_utf8_lossy(ptsname(&far, Vec::new())?.as_bytes()).into_owned());
    let near = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, rustix::fs::Mode::empty())?;
    // Raw from the start: nothing that comes before a daemon opens it is sent back.
    let mut settings = tcgetattr(&near)?;
    settings.make_raw();
    tcsetattr(&near, OptionalActions::Now, &settings)?;
    rustix::io::ioctl_fionbio(&far, true)?;
    let modem = Modem { far: far.into(), _near: near.into(), deframer: Deframer::new(Framing::Kiss), queue: VecDeque::new() };
    Ok((modem, path))
}

impl Modem {
    fn listen(&mut self) {
        let mut buffer = [0; 4_096];
        while let Ok(count @ 1..) = self.far.read(&mut buffer) {
            let frames = self.deframer.push(buffer.get(..count).unwrap_or_default());
            self.queue.extend(frames.iter().map(|frame| frame.to_vec()));
            self.queue.truncate(QUEUE_MAX);
        }
    }
}

/// One frame is on the air at a time; who has it goes on while there is more, then the next one has its turn.
fn carry(mut modems: Vec<Modem>, ended: &AtomicBool) {
    let air = Airtime::new(RADIO_RATE, RADIO_KEY_UP_MS * 1_000, 1_000_000);
    let mut on_air: Option<(Instant, usize, Vec<u8>)> = None;
    let mut last = 0;
    while !ended.load(Ordering::Relaxed) {
        modems.iter_mut().for_each(Modem::listen);
        let now = Instant::now();
        let mut keyed = false;
        if let Some((_, from, frame)) = on_air.take_if(|(until, ..)| *until <= now) {
            let line = Framing::Kiss.wrap(&frame);
            for (_, modem) in modems.iter_mut().enumerate().filter(|(to, _)| *to != from) {
                // What a daemon does not read is lost, as on the air.
                drop(modem.far.write_all(&line));
            }
            (last, keyed) = (from, true);
        }
        if on_air.is_none() {
            let count = modems.len();
            let order = (0..count).map(|step| (last + usize::from(!keyed) + step) % count.max(1));
            for from in order {
                let Some(frame) = modems.get_mut(from).and_then(|modem| modem.queue.pop_front()) else { continue };
                let bytes = Framing::Kiss.on_air(frame.len());
                let takes = if keyed && from == last { air.bytes(bytes) } else { air.burst(bytes) };
                on_air = Some((now + Duration::from_micros(takes), from, frame));
                break;
            }
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_modem_is_given_the_others_hear_after_its_time_on_the_air() {
        let air = Air::open(3).expect("pseudo terminals");
        let open = |port: &PathBuf| File::options().read(true).write(true).open(port).expect("a port");
        let mut ports: Vec<File> = air.ports.iter().map(open).collect();
        let begun = Instant::now();
        for frame in [[1; 60], [2; 60]] {
            ports[0].write_all(&Framing::Kiss.wrap(&frame)).expect("it takes it");
        }
        for port in ports.iter_mut().skip(1) {
            let mut deframer = Deframer::new(Framing::Kiss);
            let (mut heard, mut buffer) = (Vec::new(), [0; 512]);
            while heard.len() < 2 {
                let count = port.read(&mut buffer).expect("it says something");
                heard.extend(deframer.push(&buffer[..count]));
            }
            assert_eq!(heard, [vec![1; 60], vec![2; 60]]);
        }
        // 300 ms, and twice 65 bytes of 6.7 ms each.
        assert!(begun.elapsed() >= Duration::from_millis(1_100), "{:?}", begun.elapsed());
    }
}
