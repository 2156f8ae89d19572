//! A flood on real daemons: people write on each, first in peace, then while a certified node says a hundred times as much as all of
//! them together. What is measured is theirs: how soon a word is acknowledged, how soon all others hear it, how much memory it took.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::daemons::{Daemon, token};
use crate::driver::wait_until;
use crate::kill::get;
use crate::machine::{Dice, Goal, Outcome, Spread, Table, cpu_nanos, memory_high_mib, millis, quantile, words};
use crate::puppet::{Load, Puppet};
use crate::round::{Place, apart, hand_back};
use crate::world::{Shape, World};

/// Daemons that people write on; one more node is certified, and floods.
const DAEMONS: usize = 4;
/// How long the last words of a part may take to reach everybody.
const STRAGGLERS_MAX: Duration = Duration::from_secs(10);
/// How long all may take to be equal after the flood.
const EQUAL_MAX: Duration = Duration::from_secs(120);

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Seconds of flood.
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Seconds of peace before it.
    #[arg(long, default_value_t = 60)]
    calm: u64,
    /// How many times as much as all writers together the hostile node says: of entries, of boards, and of frames that are none.
    #[arg(long, default_value_t = 100)]
    times: u64,
    /// Facts in each entry of the flood, 1 to 64.
    #[arg(long, default_value_t = 1)]
    facts: usize,
    /// It raises its floor over all before after so many entries, so that its window never ends; 0: it never does, and fills it.
    #[arg(long, default_value_t = 1_000)]
    floor: u32,
    /// Rounds.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Seed of names and payload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Each writer writes once a second.
const TEMPO: u64 = 1;

/// What a part of a round showed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Part {
    words: f64,
    refused: f64,
    missed: f64,
    ack_p50: f64,
    ack_p99: f64,
    ack_max: f64,
    spread_p50: f64,
    spread_p99: f64,
    spread_max: f64,
    /// Of one core, all daemons' mean, in percent.
    cpu: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Result {
    calm: Part,
    flood: Part,
    memory_before: f64,
    memory: f64,
    held: f64,
    entries_s: f64,
    boards_s: f64,
    junk_s: f64,
    served: f64,
    withheld: f64,
    ended: f64,
    /// Seconds from the end of the flood to equal digests; not a number where they never were.
    equal_s: Option<f64>,
}

pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    let Settings { seconds, calm, times, facts, floor, seed, .. } = settings;
    let line = format!("round flood --seconds {seconds} --calm {calm} --times {times} --facts {facts} --floor {floor}");
    let results: Vec<Result> = (0..settings.rounds as u64)
        .map(|n| apart(&format!("{line} --seed {}", seed + n).split(' ').map(str::to_owned).collect::<Vec<_>>()))
        .collect::<Outcome<_>>()?;
    let over = |read: fn(&Result) -> f64| Spread::of(results.iter().map(read));
    let mut table = Table::new(format!(
        "Flood: {DAEMONS} daemons, {TEMPO} word a second on each; a certified node says {times} times as much as all of them \
         for {seconds} s, {facts} fact(s) an entry, a floor after every {floor}"
    ));
    table.add("own word acknowledged, p50, in peace", over(|r| r.calm.ack_p50), "ms", Goal::None);
    table.add("the same in the flood", over(|r| r.flood.ack_p50), "ms", Goal::None);
    table.add("own word acknowledged, p99, in peace", over(|r| r.calm.ack_p99), "ms", Goal::None);
    table.add("the same in the flood", over(|r| r.flood.ack_p99), "ms", Goal::Most(50.0));
    table.add("worst, in the flood", over(|r| r.flood.ack_max), "ms", Goal::None);
    table.add("most memory of a daemon, before", over(|r| r.memory_before), "MiB", Goal::None);
    table.add("the same after the flood", over(|r| r.memory), "MiB", Goal::Most(256.0));
    table.add("acknowledged to the last of the others, p50, in peace", over(|r| r.calm.spread_p50), "ms", Goal::None);
    table.add("the same in the flood", over(|r| r.flood.spread_p50), "ms", Goal::None);
    table.add("acknowledged to the last of the others, p99, in peace", over(|r| r.calm.spread_p99), "ms", Goal::None);
    table.add("the same in the flood", over(|r| r.flood.spread_p99), "ms", Goal::None);
    table.add("worst, in the flood", over(|r| r.flood.spread_max), "ms", Goal::None);
    let lost = |r: &Result| r.calm.missed + r.flood.missed + r.calm.refused + r.flood.refused;
    table.add("words refused, or not everywhere within 10 s", over(lost), "", Goal::Most(0.0));
    table.add("end of the flood to all daemons equal", over(|r| r.equal_s.unwrap_or(f64::NAN)), "s", Goal::None);
    table.add("CPU of a daemon, of one core, in peace", over(|r| r.calm.cpu), "%", Goal::None);
    table.add("the same in the flood", over(|r| r.flood.cpu), "%", Goal::None);
    table.add("entries of the flood taken from the wire by each daemon", over(|r| r.entries_s), "/s", Goal::None);
    table.add("boards", over(|r| r.boards_s), "/s", Goal::None);
    table.add("frames that are none", over(|r| r.junk_s), "/s", Goal::None);
    table.add("entries served when asked, each daemon", over(|r| r.served), "", Goal::None);
    table.add("frames a link had no room for", over(|r| r.withheld), "", Goal::None);
    table.add("links ended", over(|r| r.ended), "", Goal::None);
    table.add("entries that the first daemon holds at the end", over(|r| r.held), "", Goal::None);
    table.note(format!("{} words in the flood and {} before, each round.", words_of(&results, false), words_of(&results, true)));
    Ok(table)
}

fn words_of(results: &[Result], calm: bool) -> f64 {
    results.first().map_or(0.0, |one| if calm { one.calm.words } else { one.flood.words })
}

/// When each daemon heard each word of the writers: (author, number).
type Heard = Vec<Mutex<BTreeMap<(String, u64), Instant>>>;

/// A word that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Word {
    place: usize,
    number: u64,
    took: Duration,
    at: Instant,
}

struct Stage {
    names: Vec<String>,
    tokens: Vec<String>,
    pids: Vec<u32>,
    heard: Arc<Heard>,
    seed: u64,
}

/// One round, inside its own network.
pub(crate) fn round(settings: &Settings) -> Outcome<()> {
    let place = Place::new("flood")?;
    let shape = Shape { authors: DAEMONS + 1, daemons: DAEMONS, peers: DAEMONS - 1, gossip: true };
    let world = World::make(place.path(), shape, settings.seed)?;
    let mut daemons: Vec<Daemon> = (0..DAEMONS).map(|n| Daemon::start(&world, n)).collect::<Outcome<_>>()?;
    for daemon in &mut daemons {
        daemon.answers("/readyz")?;
    }
    let stage = Stage {
        names: world.alliance.nodes.iter().map(|node| node.node.to_string()).collect(),
        tokens: (0..DAEMONS).map(|n| token(&world.folder(n))).collect::<Outcome<_>>()?,
        pids: daemons.iter().map(|daemon| daemon.child.id()).collect(),
        heard: Arc::new((0..DAEMONS).map(|_| Mutex::default()).collect()),
        seed: settings.seed,
    };
    wait_until("all daemons linked", Duration::from_secs(60), || {
        let digests = stage.digests()?;
        Ok(digests.iter().all(|digest| digest["neighbours"].as_u64() >= Some(DAEMONS as u64 - 1)))
    })?;
    for n in 0..DAEMONS {
        stage.listen(n)?;
    }
    // Boards that say where a daemon is reached go round first.
    std::thread::sleep(Duration::from_secs(4));
    let calm = stage.part(settings.calm)?;
    let memory_before = stage.memory()?;
    let load = Load { each: settings.times * TEMPO * DAEMONS as u64, facts: settings.facts, floor: settings.floor };
    let victims = (0..DAEMONS).map(World::sync).collect();
    let puppet = Puppet::start(world.alliance.clone(), DAEMONS, victims, load);
    let flood = stage.part(settings.seconds)?;
    let said = puppet.end()?;
    let ended = Instant::now();
    let equal = wait_until("equal digests", EQUAL_MAX, || {
        let digests = stage.digests()?;
        Ok(digests.windows(2).all(|pair| pair[0]["digest"] == pair[1]["digest"]))
    });
    let each = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64 / DAEMONS as f64;
    let seconds = settings.seconds as f64;
    hand_back(&Result {
        calm,
        flood,
        memory_before,
        memory: stage.memory()?,
        held: stage.digests()?[0]["entries"].as_f64().unwrap_or(f64::NAN),
        entries_s: each(&said.entries) / seconds,
        boards_s: each(&said.boards) / seconds,
        junk_s: each(&said.junk) / seconds,
        served: each(&said.served),
        withheld: said.withheld.load(Ordering::Relaxed) as f64,
        ended: said.ended.load(Ordering::Relaxed) as f64,
        equal_s: equal.is_ok().then(|| ended.elapsed().as_secs_f64()),
    })
}

impl Stage {
    fn digests(&self) -> Outcome<Vec<Value>> {
        self.tokens.iter().enumerate().map(|(n, token)| get(n, token, "digest")).collect()
    }

    /// The most that any daemon had at once so far.
    fn memory(&self) -> Outcome<f64> {
        self.pids.iter().map(|pid| memory_high_mib(*pid)).try_fold(0.0, |most, one| Ok(one?.max(most)))
    }

    fn cpu(&self) -> Outcome<u64> {
        self.pids.iter().map(|pid| cpu_nanos(*pid)).sum()
    }

    /// Follows what a daemon tells, as the page does, until the daemon ends.
    fn listen(&self, n: usize) -> Outcome<()> {
        let request = ureq::get(format!("{}/api/v1/events", World::api(n)));
        let answer = request.header("Authorization", &format!("Bearer {}", self.tokens[n])).call().map_err(words)?;
        let writers = self.names[..DAEMONS].to_vec();
        let heard = Arc::clone(&self.heard);
        std::thread::spawn(move || {
            for line in BufReader::new(answer.into_body().into_reader()).lines().map_while(std::result::Result::ok) {
                let Some(data) = line.strip_prefix("data: ") else { continue };
                let now = Instant::now();
                let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
                let author = event["author"].as_str().unwrap_or_default().to_owned();
                if event["event"] != "entries" || !writers.contains(&author) {
                    continue;
                }
                let (first, count) = (event["first"].as_u64().unwrap_or(0), event["count"].as_u64().unwrap_or(0));
                if let Ok(mut list) = heard[n].lock() {
                    list.extend((first..first + count).map(|number| ((author.clone(), number), now)));
                }
            }
        });
        Ok(())
    }

    /// People write on all daemons for so long.
    fn part(&self, seconds: u64) -> Outcome<Part> {
        let (begun, before) = (Instant::now(), self.cpu()?);
        let written: Vec<(Vec<Word>, usize)> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..DAEMONS).map(|n| scope.spawn(move || self.write(n, seconds))).collect();
            writers.into_iter().filter_map(|writer| writer.join().ok()).collect()
        });
        let cpu = (self.cpu()? - before) as f64 / begun.elapsed().as_nanos() as f64 / DAEMONS as f64 * 100.0;
        let refused: usize = written.iter().map(|(_, refused)| refused).sum();
        let said: Vec<Word> = written.into_iter().flat_map(|(words, _)| words).collect();
        // What is not there by then is counted as missed.
        let _ = wait_until("stragglers", STRAGGLERS_MAX, || Ok(said.iter().all(|word| self.last(word).is_some())));
        let mut acks: Vec<f64> = said.iter().map(|word| millis(word.took)).collect();
        let last = said.iter().filter_map(|word| Some(self.last(word)?.saturating_duration_since(word.at)));
        let mut spread: Vec<f64> = last.map(millis).collect();
        Ok(Part {
            words: said.len() as f64,
            refused: refused as f64,
            missed: (said.len() - spread.len()) as f64,
            ack_p50: quantile(&mut acks, 0.5),
            ack_p99: quantile(&mut acks, 0.99),
            ack_max: quantile(&mut acks, 1.0),
            spread_p50: quantile(&mut spread, 0.5),
            spread_p99: quantile(&mut spread, 0.99),
            spread_max: quantile(&mut spread, 1.0),
            cpu,
        })
    }

    /// When the last of the other daemons heard a word.
    fn last(&self, word: &Word) -> Option<Instant> {
        let name = (self.names[word.place].clone(), word.number);
        let others = self.heard.iter().enumerate().filter(|(n, _)| *n != word.place);
        let times: Option<Vec<Instant>> = others.map(|(_, heard)| heard.lock().ok()?.get(&name).copied()).collect();
        times?.into_iter().max()
    }

    /// One who writes on time, whatever became of the words before, and how many were refused.
    fn write(&self, n: usize, seconds: u64) -> (Vec<Word>, usize) {
        let mut dice = Dice::new(self.seed.wrapping_mul(31).wrapping_add(n as u64));
        let agent = ureq::Agent::new_with_defaults();
        let (url, token) = (format!("{}/api/v1/requests", World::api(n)), format!("Bearer {}", self.tokens[n]));
        // Nobody writes in step with the others.
        let start = Instant::now() + Duration::from_millis(1_000 / TEMPO * n as u64 / DAEMONS as u64);
        let (mut written, mut refused) = (Vec::new(), 0);
        for turn in 0..seconds * TEMPO {
            std::thread::sleep((start + Duration::from_millis(turn * 1_000 / TEMPO)).saturating_duration_since(Instant::now()));
            let wish = json!({ "items": [format!("water:{}", dice.below(500) + 1)], "note": dice.text(48) });
            let asked = Instant::now();
            let answer = agent.post(&url).header("Authorization", &token).send_json(wish);
            let at = Instant::now();
            let saved = answer.map_err(words).and_then(|mut answer| answer.body_mut().read_json::<Value>().map_err(words));
            match saved.map(|saved| number_of(&saved)) {
                Ok(Some(number)) => written.push(Word { place: n, number, took: at - asked, at }),
                Ok(None) => refused += 1,
                Err(why) => {
                    refused += 1;
                    eprintln!("daemon {n} did not take a word: {why}");
                }
            }
        }
        (written, refused)
    }
}

/// The number of the entry behind a ticket: `e`, ten bytes of logbook, four of number, one of place, in hex.
fn number_of(saved: &Value) -> Option<u64> {
    let ticket = saved["ticket"].as_str()?;
    u64::from_str_radix(ticket.get(21..29)?, 16).ok()
}
