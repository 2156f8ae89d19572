//! Ingest: signed entries of 1,000 authors through the gate, the store and the fold, in this process; counted per second of CPU.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as Clock};

use bytes::Bytes;
use holdfast_daemon::store::{Options, Store, StoreEvent, Writer};
use holdfast_proto::identity::{Alliance, Signed, Tag};
use holdfast_proto::io::{Input, Output, Row};
use holdfast_proto::link::LinkId;
use holdfast_proto::message::{Message, WireEntry};
use holdfast_proto::node::Node;
use holdfast_proto::time::{Instant, Now};

use crate::digest::{boot, profile};
use crate::machine::{Goal, Outcome, Spread, Table, cpu_nanos, words};
use crate::round::Place;
use crate::world::{alliance, others_words, wall};

const LINK: LinkId = LinkId(1);
/// Entries handed in and not yet durable: below what a node holds pending.
const UNDER_WAY: usize = 4_096;
/// Bytes of a frame of a heal.
const FRAME_GOAL: usize = 32_768;

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Authors.
    #[arg(long, default_value_t = 1_000)]
    authors: usize,
    /// Entries of one fact.
    #[arg(long, default_value_t = 20_000)]
    entries: usize,
    /// Entries of 16 facts.
    #[arg(long, default_value_t = 10_000)]
    of_sixteen: usize,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seed of names and payload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Rate {
    per_cpu_s: f64,
    per_s: f64,
}

/// Runs all rounds.
pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    let alliance = alliance(settings.authors + 2, settings.seed)?;
    let (mut alone, mut sixteen) = (Vec::new(), Vec::new());
    let (single, packed) = (frames(&alliance, settings.entries, 1)?, frames(&alliance, settings.of_sixteen, 16)?);
    for _ in 0..settings.rounds {
        alone.push(run(&alliance, &single, settings.entries)?);
        sixteen.push(run(&alliance, &packed, settings.of_sixteen)?);
    }
    let checks: Vec<f64> = (0..settings.rounds).map(|_| checks_per_cpu_s(&alliance)).collect::<Outcome<_>>()?;
    let over = |list: &[Rate], facts: f64, read: fn(&Rate) -> f64| Spread::of(list.iter().map(|rate| read(rate) * facts));
    let mut table =
        Table::new(format!("Ingest, verified singly, durable and folded in: {} authors, per second of CPU", settings.authors));
    table.add("entries of one request (154 B body)", over(&alone, 1.0, |r| r.per_cpu_s), "entries/s", Goal::Least(20_000.0));
    table.add("the same by the clock, two threads", over(&alone, 1.0, |r| r.per_s), "entries/s", Goal::None);
    table.add("facts in entries of 16 requests", over(&sixteen, 16.0, |r| r.per_cpu_s), "facts/s", Goal::Least(200_000.0));
    table.add("the same by the clock, two threads", over(&sixteen, 16.0, |r| r.per_s), "facts/s", Goal::None);
    table.add("floor: signatures checked, nothing else", Spread::of(checks), "checks/s", Goal::None);
    table.note(format!(
        "CPU of the node's and the store's thread together; {} and {} entries a round, {} rounds, seed {}.",
        settings.entries, settings.of_sixteen, settings.rounds, settings.seed
    ));
    Ok(table)
}

/// Signatures of entries checked for a second of one core: what no way of taking entries in one by one can beat.
pub(crate) fn checks_per_cpu_s(alliance: &Alliance) -> Outcome<f64> {
    const CHECKS: usize = 4_000;
    let rows = others_words(alliance, 0, CHECKS, 1)?;
    let entries = rows.into_iter().filter_map(|row| if let Row::Entry(entry) = row { Some(entry) } else { None });
    let signed = entries.map(|entry| {
        let log = entry.id.log;
        Signed {
            tag: Tag::Entry,
            author: log.author,
            generation: log.generation,
            bytes: entry.header,
            signature: entry.signature,
        }
    });
    let signed: Vec<Signed> = signed.collect();
    let cpu = cpu_nanos(std::process::id())?;
    for one in signed {
        one.verify(&alliance.roster).map_err(words)?;
    }
    Ok(CHECKS as f64 * 1e9 / (cpu_nanos(std::process::id())? - cpu) as f64)
}

/// Frames as an answer to a want has them, authors mixed.
fn frames(alliance: &Alliance, entries: usize, facts: usize) -> Outcome<Vec<Bytes>> {
    let rows = others_words(alliance, 0, entries, facts)?;
    let wire =
        rows.iter().filter_map(|row| if let Row::Entry(entry) = row { WireEntry::pack(entry, true, Some(0)) } else { None });
    let (mut out, mut waiting, mut bytes) = (Vec::new(), Vec::new(), 0);
    for entry in wire {
        bytes += entry.size();
        waiting.push(entry);
        if bytes > FRAME_GOAL {
            let entries = std::mem::take(&mut waiting);
            out.push(Message::Entries { want: Some(1), entries }.to_frame());
            bytes = 0;
        }
    }
    out.push(Message::Entries { want: Some(1), entries: waiting }.to_frame());
    Ok(out)
}

struct Machine {
    node: Node,
    writer: Writer,
    answers: Receiver<StoreEvent>,
    /// Rows of each job the store has not answered.
    jobs: BTreeMap<u64, usize>,
    under_way: usize,
    started: Clock,
}

impl Machine {
    fn now(&self) -> Now {
        let mono = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now { mono: Instant(1_000_000 + mono), wall: wall() }
    }

    fn handle(&mut self, input: Input) -> Outcome<()> {
        let now = self.now();
        self.node.handle(now, input);
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Persist { token, rows, stamp } => {
                    self.under_way += rows.len();
                    self.jobs.insert(token, rows.len());
                    self.writer.persist(token, rows, stamp).map_err(words)?;
                }
                Output::Fetch { token, entries } => self.writer.fetch(token, entries).map_err(words)?,
                Output::Notify(holdfast_proto::control::Event::Rejected { reason, .. }) => return Err(reason),
                Output::Transmit { .. }
                | Output::Dial { .. }
                | Output::Hangup { .. }
                | Output::Admit { .. }
                | Output::Reply { .. }
                | Output::Notify(_) => {}
            }
        }
        Ok(())
    }

    /// Takes answers of the store until at most `left` entries are under way.
    fn until(&mut self, left: usize) -> Outcome<()> {
        while self.under_way > left {
            let event = self.answers.recv_timeout(Duration::from_secs(60)).map_err(words)?;
            let done = match &event {
                StoreEvent::Persisted { token } => self.jobs.remove(token).unwrap_or(0),
                StoreEvent::PersistFailed { cause, .. } => return Err(cause.clone()),
                StoreEvent::Fetched { .. } => 0,
            };
            self.under_way = self.under_way.saturating_sub(done);
            self.handle(event.into())?;
        }
        Ok(())
    }
}

fn run(alliance: &Alliance, frames: &[Bytes], entries: usize) -> Outcome<Rate> {
    let place = Place::new("ingest")?;
    let opened = Store::open(&place.path().join("data"), Options::default()).map_err(words)?;
    let stamp = holdfast_daemon::stamp::StampFile::open(&place.path().join("stamp")).map_err(words)?;
    let (tx, answers) = channel();
    let writer = opened.store.start(stamp, move |event| drop(tx.send(event))).map_err(words)?;
    let started = Clock::now();
    let now = Now { mono: Instant(1_000_000), wall: wall() };
    let mut machine =
        Machine { node: boot(alliance, 0, Vec::new(), now)?, writer, answers, jobs: BTreeMap::new(), under_way: 0, started };
    machine.handle(Input::LinkUp { link: LINK, profile: profile(alliance, 1, true) })?;
    machine.handle(Input::Writable { link: LINK, room: u32::MAX })?;
    let peer = alliance.nodes.get(1).ok_or("no peer")?;
    let hello = Message::Hello { chain: alliance.roster.chain(peer.node), wall: wall(), roster: [0; 16] };
    machine.handle(Input::Received { link: LINK, frame: hello.to_frame() })?;

    let own = std::process::id();
    let (cpu, clock) = (cpu_nanos(own)?, Clock::now());
    for frame in frames {
        machine.handle(Input::Received { link: LINK, frame: frame.clone() })?;
        machine.until(UNDER_WAY)?;
    }
    machine.until(0)?;
    let (cpu, clock) = (cpu_nanos(own)? - cpu, clock.elapsed());
    let held: u64 = machine.node.heads().iter().map(|dot| dot.counter).sum();
    let Machine { writer, .. } = machine;
    writer.close().map_err(words)?;
    if held != entries as u64 {
        return Err(format!("{held} of {entries} entries were taken in"));
    }
    Ok(Rate { per_cpu_s: entries as f64 * 1e9 / cpu as f64, per_s: entries as f64 / clock.as_secs_f64() })
}
