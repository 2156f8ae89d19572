//! Bytes that two nodes need to find out that they are equal, or what they lack: the core alone, wired in memory, QUIC left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use holdfast_proto::config::Config;
use holdfast_proto::control::{Answer, Question};
use holdfast_proto::id::EntryId;
use holdfast_proto::identity::Alliance;
use holdfast_proto::io::{EntryRow, Input, Output, Row};
use holdfast_proto::link::{LinkId, LinkProfile};
use holdfast_proto::message::Message;
use holdfast_proto::node::{Known, Node, Setup};
use holdfast_proto::time::{Instant, Now, UtcMillis};

use crate::machine::{Dice, Goal, Outcome, Spread, Table, words};
use crate::world::{Author, alliance, body, catalogue, others_words, wall};

/// Nodes that write nothing themselves.
const ONLOOKERS: usize = 3;
/// Credit given again after each frame.
const ROOM: u32 = 262_144;

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Authors.
    #[arg(long, default_value_t = 1_000)]
    authors: usize,
    /// Entries both sides hold.
    #[arg(long, default_value_t = 10_000)]
    entries: usize,
    /// Entries one side lacks.
    #[arg(long, default_value_t = 10_000)]
    lacking: usize,
    /// By so many authors.
    #[arg(long, default_value_t = 50)]
    lacking_authors: usize,
    /// Seed of names and payload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// One node with its disk.
struct Host {
    node: Node,
    disk: BTreeMap<EntryId, EntryRow>,
}

/// Nodes that carry the others' words, and the wires between them.
struct Wired<'a> {
    alliance: &'a Alliance,
    hosts: Vec<Host>,
    /// A wire ends at each host as the link with the other's number.
    wires: BTreeSet<(usize, usize)>,
    inputs: VecDeque<(usize, Input)>,
    now: Now,
    /// Bytes by kind of message since the last [`Wired::take`].
    bytes: BTreeMap<&'static str, u64>,
}

/// A node over rows, as a daemon would start it.
pub(crate) fn boot(alliance: &Alliance, place: usize, rows: Vec<Row>, now: Now) -> Outcome<Node> {
    let issued = alliance.nodes.get(place).ok_or("no such node")?;
    let setup = Setup {
        config: Config::default(),
        me: issued.node,
        signer: issued.secret.clone().into(),
        known: Known::of(alliance.roster.clone()),
        catalogue: catalogue()?,
        seed: [u8::try_from(place).unwrap_or(0); 32],
        stamp: None,
    };
    Node::restore(setup, rows, now).map_err(words)
}

/// What a QUIC link between certified nodes looks like to the core.
pub(crate) fn profile(alliance: &Alliance, other: usize, dialled: bool) -> LinkProfile {
    LinkProfile {
        mtu: 65_536,
        rate: 0,
        reliable: true,
        broadcast: false,
        peer: alliance.nodes.get(other).map(|node| node.secret.public()),
        dialled: dialled.then(|| "memory".to_owned()),
        label: "memory".to_owned(),
    }
}

/// The link of a host to another.
fn link(other: usize) -> LinkId {
    LinkId(u32::try_from(other).unwrap_or(u32::MAX))
}

impl<'a> Wired<'a> {
    fn new(alliance: &'a Alliance, rows: Vec<Vec<Row>>) -> Outcome<Self> {
        let now = Now { mono: Instant(1_000_000), wall: wall() };
        let hosts =
            rows.into_iter().enumerate().map(|(n, rows)| Host::new(alliance, n, rows, now)).collect::<Outcome<Vec<_>>>()?;
        let mut wired = Self { alliance, hosts, wires: BTreeSet::new(), inputs: VecDeque::new(), now, bytes: BTreeMap::new() };
        for n in 0..wired.hosts.len() {
            wired.drain(n);
        }
        Ok(wired)
    }

    fn connect(&mut self, one: usize, other: usize) {
        for (n, other) in [(one, other), (other, one)] {
            self.wires.insert((n, other));
            self.inputs.push_back((n, Input::LinkUp { link: link(other), profile: profile(self.alliance, other, n == one) }));
            self.inputs.push_back((n, Input::Writable { link: link(other), room: ROOM }));
        }
        self.settle();
    }

    fn part(&mut self, one: usize, other: usize) {
        for (n, other) in [(one, other), (other, one)] {
            self.wires.remove(&(n, other));
            self.inputs.push_back((n, Input::LinkDown { link: link(other), cause: "parted".to_owned() }));
        }
        self.settle();
    }

    fn drain(&mut self, n: usize) {
        while let Some(output) = self.hosts[n].node.poll_output() {
            match output {
                Output::Transmit { link: to, frame } => {
                    let other = usize::try_from(to.0).unwrap_or(usize::MAX);
                    if !self.wires.contains(&(n, other)) {
                        continue;
                    }
                    *self.bytes.entry(kind(&frame)).or_default() += frame.len() as u64;
                    self.inputs.push_back((other, Input::Received { link: link(n), frame }));
                    self.inputs.push_back((n, Input::Writable { link: to, room: ROOM }));
                }
                Output::Persist { token, rows, .. } => {
                    self.hosts[n].keep(rows);
                    self.inputs.push_back((n, Input::Persisted { token }));
                }
                Output::Fetch { token, entries } => {
                    let rows = entries.iter().filter_map(|id| self.hosts[n].disk.get(id).cloned()).collect();
                    self.inputs.push_back((n, Input::Fetched { token, rows }));
                }
                Output::Dial { .. } | Output::Hangup { .. } | Output::Admit { .. } | Output::Reply { .. } | Output::Notify(_) => {
                }
            }
        }
    }

    fn settle(&mut self) {
        while let Some((n, input)) = self.inputs.pop_front() {
            self.hosts[n].node.handle(self.now, input);
            self.drain(n);
        }
    }

    /// Lets time pass, waking the nodes when they asked for it.
    fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        loop {
            self.settle();
            let next = self.hosts.iter().filter_map(|host| host.node.deadline()).map(|(at, _)| at).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.advance(at.since(self.now.mono).max(Duration::from_micros(1)));
            for n in 0..self.hosts.len() {
                self.inputs.push_back((n, Input::Wake));
            }
        }
        self.advance(end.since(self.now.mono));
    }

    fn advance(&mut self, step: Duration) {
        self.now.mono = self.now.mono.after(step);
        self.now.wall = UtcMillis(self.now.wall.0.saturating_add(i64::try_from(step.as_millis()).unwrap_or(0)));
    }

    /// True where the first two hold the same.
    fn equal(&mut self) -> bool {
        let now = self.now;
        let digest = |host: &mut Host| match host.node.answer(now, &Question::Digest) {
            Answer::Digest(view) => Some(view.digest),
            Answer::Status(_)
            | Answer::Requests(_)
            | Answer::Request(_)
            | Answer::Peers(_)
            | Answer::Delivery(_)
            | Answer::Metrics(_)
            | Answer::Refused(_) => None,
        };
        let digests: Vec<_> = self.hosts.iter_mut().take(2).map(digest).collect();
        digests.windows(2).all(|pair| pair[0] == pair[1])
    }

    /// Bytes by kind since the last time.
    fn take(&mut self) -> BTreeMap<&'static str, u64> {
        std::mem::take(&mut self.bytes)
    }
}

impl Host {
    fn new(alliance: &Alliance, place: usize, rows: Vec<Row>, now: Now) -> Outcome<Self> {
        let mut host = Self { node: boot(alliance, place, rows.clone(), now)?, disk: BTreeMap::new() };
        host.keep(rows);
        Ok(host)
    }

    fn keep(&mut self, rows: Vec<Row>) {
        for row in rows {
            if let Row::Entry(entry) = row {
                self.disk.insert(entry.id, entry);
            }
        }
    }
}

fn kind(frame: &[u8]) -> &'static str {
    match Message::from_frame(frame) {
        Ok(Message::Hello { .. } | Message::RosterList { .. } | Message::Roster { .. }) => "greeting",
        Ok(Message::Entries { .. } | Message::Docs { .. } | Message::Forks { .. }) => "entries",
        Ok(Message::Probe { .. }) => "probe",
        Ok(Message::Same { .. }) => "same",
        Ok(Message::Buckets { .. }) => "buckets",
        Ok(Message::Changed { .. }) => "changed",
        Ok(Message::Leaves { .. }) => "leaves",
        Ok(Message::Want(_)) => "wants",
        Ok(Message::Done { .. }) => "done",
        Ok(Message::Details { .. }) => "details",
        Ok(Message::Have { .. } | Message::Prune { .. } | Message::Held { .. } | Message::Beacon { .. }) => "other",
        Err(_) => "unread",
    }
}

/// Measures all figures once: nothing here depends on the machine.
pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    // Three onlookers carry the others' words; none of them writes.
    let alliance = alliance(settings.authors + ONLOOKERS, settings.seed)?;
    let rows: Vec<Row> = others_words(&alliance, 0, settings.entries, 1)?;
    let mut equal = Wired::new(&alliance, vec![rows.clone(), rows.clone()])?;
    equal.connect(0, 1);
    equal.pass(Duration::from_secs(5));
    equal.take();
    equal.pass(Duration::from_secs(120));
    let idle = equal.take();
    let all: u64 = idle.values().sum();
    let probes = idle.get("probe").copied().unwrap_or(0);
    let one = exchanges(&mut equal, probes)?;

    let mut more = rows.clone();
    let mut dice = Dice::new(settings.seed);
    for node in alliance.nodes.iter().skip(ONLOOKERS).take(settings.lacking_authors) {
        let mut author = Author::new(node);
        author.follow(&rows);
        for _ in 0..settings.lacking / settings.lacking_authors.max(1) {
            more.push(Row::Entry(author.entry(&alliance, body(&mut dice, 1))?));
        }
    }
    let met = met_before(&alliance, &rows, &more)?;
    let mut unequal = Wired::new(&alliance, vec![more, rows])?;
    let never = heal(&mut unequal);

    let once = |value: u64| Spread::of([value as f64]);
    let title = format!("Digest: {} authors, {} entries, frame bytes both ways", settings.authors, settings.entries);
    let mut table = Table::new(title);
    table.add("equal states: one exchange", once(one), "B", Goal::Most(600.0));
    table.add("equal states: all frames of 2 minutes", once(all), "B", Goal::None);
    let what = format!("{} entries by {} authors lacking: told, beyond one exchange", settings.lacking, settings.lacking_authors);
    for (case, told, goal) in [("were equal before", met, Goal::Most(500.0)), ("never met", never, Goal::None)] {
        let (told, healed) = told;
        let telling = told.iter().filter(|(kind, _)| !matches!(**kind, "greeting" | "entries"));
        let telling: u64 = telling.map(|(_, bytes)| bytes).sum();
        table.add(format!("{what}; {case}"), once(telling.saturating_sub(one)), "B", goal);
        let parts: Vec<String> = told.iter().map(|(kind, bytes)| format!("{kind} {bytes}")).collect();
        table.note(format!(
            "Two that {case}, bytes by kind until both were equal ({}): {}.",
            if healed { "they are" } else { "they are NOT" },
            parts.join(", ")
        ));
    }
    Ok(table)
}

type Told = (BTreeMap<&'static str, u64>, bool);

/// Two that were equal over a link; while it is down one of them hears more from a third.
fn met_before(alliance: &Alliance, rows: &[Row], more: &[Row]) -> Outcome<Told> {
    let mut wired = Wired::new(alliance, vec![rows.to_vec(), rows.to_vec(), more.to_vec()])?;
    wired.connect(0, 1);
    wired.pass(Duration::from_secs(5));
    wired.part(0, 1);
    wired.connect(0, 2);
    wired.pass(Duration::from_secs(10));
    wired.part(0, 2);
    wired.take();
    if wired.equal() {
        return Err("the one side heard nothing of the third".to_owned());
    }
    Ok(heal(&mut wired))
}

/// What the first two tell each other from their link coming up until long after they are equal.
fn heal(wired: &mut Wired<'_>) -> Told {
    wired.connect(0, 1);
    wired.pass(Duration::from_secs(10));
    let healed = wired.equal();
    (wired.take(), healed)
}

/// Bytes of one probe and its answer.
fn exchanges(pair: &mut Wired<'_>, probes: u64) -> Outcome<u64> {
    if probes == 0 {
        return Err("no node probed in two minutes".to_owned());
    }
    // One by one until one exchange is caught alone.
    for _ in 0..120 {
        pair.pass(Duration::from_millis(500));
        let bytes = pair.take();
        let (probe, same) = (bytes.get("probe").copied().unwrap_or(0), bytes.get("same").copied().unwrap_or(0));
        if probe > 0 && same > 0 {
            return Ok(bytes.values().sum());
        }
    }
    Err("no probe was answered in a minute".to_owned())
}
