//! The driver contract: how a round talks to one node of whatever is measured, through pipes, so that the loopback carries peer
//! traffic only. Knows no protocol; a peer is added by a small adapter that speaks these lines.
//!
//! | direction | line | meaning |
//! | --- | --- | --- |
//! | in | `SEQ TEXT` | publish TEXT; SEQ counts from 0 on each node |
//! | in | `!WORDS` | for adapters that know it: `!digest`, `!metrics`, `!cut IDS`, `!heal` |
//! | out | `M n` | n members or neighbours are seen |
//! | out | `A SEQ` | acknowledged; an adapter without acknowledgements says it before it sends |
//! | out | `R SEQ` | delivered at this node; of the first node's words only |
//! | out | `E SEQ WHY` | refused |
//! | out | `D HEX ENTRIES` | answer to `!digest` |
//! | out | `X NAME=VALUE ...` | answer to `!metrics` |
//! | end | input closed | the adapter ends |

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::machine::{Outcome, words};

/// How long an adapter may take to end.
const END_MAX: Duration = Duration::from_secs(10);

/// Numbers of entries, and when each was read.
pub(crate) type Times = Vec<(usize, Instant)>;

/// What a node said, and when it was read.
#[derive(Debug, Default)]
struct Heard {
    acknowledged: Mutex<Vec<(usize, Instant)>>,
    delivered: Mutex<Vec<(usize, Instant)>>,
    members: AtomicUsize,
    acknowledged_count: AtomicUsize,
    delivered_count: AtomicUsize,
    refused: AtomicUsize,
}

/// One adapter process.
#[derive(Debug)]
pub(crate) struct Driver {
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Heard>,
    answers: Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Driver {
    /// Starts this program again as an adapter.
    pub(crate) fn start(arguments: &[String], log: &Path) -> Outcome<Self> {
        let own = std::env::current_exe().map_err(words)?;
        let log = std::fs::File::create(log).map_err(words)?;
        let mut command = Command::new(own);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(words)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or("the adapter has no output")?;
        let heard = Arc::new(Heard::default());
        let (tx, answers) = channel();
        let ears = Arc::clone(&heard);
        let reader = std::thread::spawn(move || listen(BufReader::new(output), &ears, &tx));
        Ok(Self { child, input, heard, answers, reader: Some(reader) })
    }

    /// Sends one line.
    pub(crate) fn say(&mut self, line: &str) -> Outcome<()> {
        let input = self.input.as_mut().ok_or("the adapter's input is closed")?;
        input.write_all(format!("{line}\n").as_bytes()).map_err(|error| format!("an adapter has ended: {error}"))
    }

    /// Sends one line and waits for the answer to it.
    pub(crate) fn ask(&mut self, line: &str) -> Outcome<String> {
        self.say(line)?;
        self.answer().map_err(|_| format!("no answer to {line}"))
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Outcome<String> {
        self.answers.recv_timeout(Duration::from_secs(30)).map_err(|_| "no answer".to_owned())
    }

    pub(crate) fn members(&self) -> usize {
        self.heard.members.load(Ordering::Relaxed)
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.heard.acknowledged_count.load(Ordering::Relaxed)
    }

    pub(crate) fn delivered(&self) -> usize {
        self.heard.delivered_count.load(Ordering::Relaxed)
    }

    pub(crate) fn refused(&self) -> usize {
        self.heard.refused.load(Ordering::Relaxed)
    }

    /// What was acknowledged and delivered, with the time each line was read.
    pub(crate) fn heard(&self) -> (Times, Times) {
        let copy = |list: &Mutex<Vec<_>>| list.lock().map(|list| list.clone()).unwrap_or_default();
        (copy(&self.heard.acknowledged), copy(&self.heard.delivered))
    }

    /// Closes its input and waits for its end.
    pub(crate) fn end(&mut self) {
        self.input = None;
        let until = Instant::now() + END_MAX;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Fails where it has ended, as it should.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(output: impl BufRead, heard: &Heard, answers: &Sender<String>) {
    for line in output.lines() {
        let now = Instant::now();
        let Ok(line) = line else { return };
        let Some((kind, rest)) = line.split_once(' ') else { continue };
        let number = rest.split(' ').next().and_then(|word| word.parse::<usize>().ok()).unwrap_or(0);
        let note = |list: &Mutex<Vec<(usize, Instant)>>, count: &AtomicUsize| {
            if let Ok(mut list) = list.lock() {
                list.push((number, now));
            }
            count.fetch_add(1, Ordering::Relaxed);
        };
        match kind {
            "A" => note(&heard.acknowledged, &heard.acknowledged_count),
            "R" => note(&heard.delivered, &heard.delivered_count),
            "M" => heard.members.store(number, Ordering::Relaxed),
            "E" => {
                heard.refused.fetch_add(1, Ordering::Relaxed);
                eprintln!("refused: {rest}");
            }
            _ => drop(answers.send(line)),
        }
    }
}

/// Waits until `done`, looking every few milliseconds.
pub(crate) fn wait_until(what: &str, limit: Duration, mut done: impl FnMut() -> Outcome<bool>) -> Outcome<()> {
    let until = Instant::now() + limit;
    while !done()? {
        if Instant::now() > until {
            return Err(format!("{what}: not within {limit:?}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
