//! kill -9 under load: three daemons are written to over HTTP while one after the other is killed; then every word is counted.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::daemons::{Daemon, token};
use crate::driver::wait_until;
use crate::machine::{Dice, Goal, Outcome, Spread, Table, words};
use crate::round::{Place, apart, hand_back};
use crate::world::{Shape, World};

const DAEMONS: usize = 3;
/// Between two words of one writer: 1,000 kills stay far below the window.
const PACE: Duration = Duration::from_millis(40);
/// Longest life of a daemon between two kills, beyond its start, in milliseconds.
const LIFE_MS: u64 = 200;

/// What to measure.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Kills.
    #[arg(long, default_value_t = 50)]
    times: usize,
    /// Seed of whom to kill, when, and of the payload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Result {
    acknowledged: f64,
    repeated: f64,
    lost: f64,
    twice: f64,
    unequal: f64,
}

pub(crate) fn measure(settings: &Settings) -> Outcome<Table> {
    let (times, seed) = (settings.times.to_string(), settings.seed.to_string());
    let result: Result = apart(&["round", "kill", "--times", &times, "--seed", &seed].map(str::to_owned))?;
    let once = |value: f64| Spread::of([value]);
    let mut table = Table::new(format!("kill -9 under load, {} times, {DAEMONS} daemons", settings.times));
    table.add("acknowledged words lost, on any daemon", once(result.lost), "", Goal::Most(0.0));
    table.add("words there twice, on any daemon", once(result.twice), "", Goal::Most(0.0));
    table.add("daemons unequal at the end", once(result.unequal), "", Goal::Most(0.0));
    table.add("words acknowledged", once(result.acknowledged), "", Goal::None);
    table.add("of these, asked again because a kill took the answer", once(result.repeated), "", Goal::None);
    table.note(format!("Seed {}. The documented figure takes 1,000: kill --times 1000.", settings.seed));
    Ok(table)
}

/// Words that were acknowledged, and how many had to be asked for again.
#[derive(Debug, Default)]
struct Written {
    words: Mutex<Vec<String>>,
    repeated: Mutex<usize>,
}

/// One round, inside its own network.
pub(crate) fn round(settings: &Settings) -> Outcome<()> {
    let place = Place::new("kill")?;
    let shape = Shape { authors: DAEMONS, daemons: DAEMONS, peers: DAEMONS - 1, gossip: true };
    let world = World::make(place.path(), shape, settings.seed)?;
    let mut daemons: Vec<Daemon> = (0..DAEMONS).map(|n| Daemon::start(&world, n)).collect::<Outcome<_>>()?;
    for daemon in &mut daemons {
        daemon.answers("/readyz")?;
    }
    let tokens: Vec<String> = (0..DAEMONS).map(|n| token(&world.folder(n))).collect::<Outcome<_>>()?;
    let (written, stop) = (Written::default(), AtomicBool::new(false));
    let killed = std::thread::scope(|scope| {
        for (n, token) in tokens.iter().enumerate() {
            let (written, stop) = (&written, &stop);
            scope.spawn(move || write(n, token, settings.seed, written, stop));
        }
        let killed = kill(settings, &world, &mut daemons);
        stop.store(true, Ordering::Relaxed);
        killed
    });
    killed?;
    let unequal = wait_until("equal digests", Duration::from_secs(60), || {
        let digests: Vec<Value> = (0..DAEMONS).map(|n| get(n, &tokens[n], "digest")).collect::<Outcome<_>>()?;
        Ok(digests.windows(2).all(|pair| pair[0]["digest"] == pair[1]["digest"]))
    });
    let words = written.words.lock().map_err(words)?.clone();
    let (mut lost, mut twice) = (0, 0);
    for (n, token) in tokens.iter().enumerate() {
        let list = get(n, token, "requests")?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for note in list["requests"].as_array().into_iter().flatten().filter_map(|request| request["note"].as_str()) {
            *counts.entry(note).or_default() += 1;
        }
        lost += words.iter().filter(|word| !counts.contains_key(word.as_str())).count();
        twice += counts.values().filter(|count| **count > 1).count();
    }
    let repeated = written.repeated.lock().map_or(0, |count| *count);
    let number = |value: usize| value as f64;
    hand_back(&Result {
        acknowledged: number(words.len()),
        repeated: number(repeated),
        lost: number(lost),
        twice: number(twice),
        unequal: f64::from(u8::from(unequal.is_err())),
    })
}

/// Kills one after the other at random moments and starts it again.
fn kill(settings: &Settings, world: &World, daemons: &mut [Daemon]) -> Outcome<()> {
    let mut dice = Dice::new(settings.seed);
    for time in 1..=settings.times {
        std::thread::sleep(Duration::from_millis(dice.below(LIFE_MS)));
        let n = usize::try_from(dice.below(DAEMONS as u64)).unwrap_or(0);
        daemons[n].child.kill().map_err(words)?;
        daemons[n].child.wait().map_err(words)?;
        daemons[n] = Daemon::start(world, n)?;
        daemons[n].answers("/readyz")?;
        if time % 100 == 0 {
            eprintln!("{time} kills");
        }
    }
    Ok(())
}

/// Writes requests one after the other; one whose answer is lost is asked for again under the same key.
fn write(n: usize, token: &str, seed: u64, written: &Written, stop: &AtomicBool) {
    let mut dice = Dice::new(seed.wrapping_mul(31).wrapping_add(n as u64));
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let note = format!("{n} {count} {}", dice.text(24));
        let wish = json!({ "items": [format!("water:{}", dice.below(500) + 1)], "note": note, "key": note });
        let mut tries = 0;
        // After the last kill the daemon is up, so this ends.
        while let Err(why) = post(n, token, &wish) {
            tries += 1;
            if tries % 500 == 0 {
                eprintln!("daemon {n} has not taken a word for {tries} tries: {why}");
            }
            std::thread::sleep(Duration::from_millis(10));
            if tries > 5_000 {
                return;
            }
        }
        if let Ok(mut words) = written.words.lock() {
            words.push(note);
        }
        if let Ok(mut repeated) = written.repeated.lock() {
            *repeated += usize::from(tries > 0);
        }
        std::thread::sleep(PACE);
    }
}

fn post(n: usize, token: &str, wish: &Value) -> Outcome<()> {
    let url = format!("{}/api/v1/requests", World::api(n));
    let request = ureq::post(&url).config().timeout_global(Some(Duration::from_secs(10))).build();
    request.header("Authorization", &format!("Bearer {token}")).send_json(wish).map(|_| ()).map_err(words)
}

/// One answer of a daemon's API.
pub(crate) fn get(n: usize, token: &str, what: &str) -> Outcome<Value> {
    let url = format!("{}/api/v1/{what}", World::api(n));
    let request = ureq::get(&url).config().timeout_global(Some(Duration::from_secs(60))).build();
    let mut answer = request.header("Authorization", &format!("Bearer {token}")).call().map_err(words)?;
    answer.body_mut().with_config().limit(256 << 20).read_json().map_err(words)
}
