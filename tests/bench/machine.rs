//! The machine, seeds, medians and tables: what every measurement is printed with. Measures nothing of the project.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// A measurement or the sentence that says why there is none.
pub(crate) type Outcome<T> = Result<T, String>;

/// An error as a sentence.
pub(crate) fn words(error: impl Display) -> String {
    error.to_string()
}

/// Deterministic dice (splitmix64): load and payload of a round follow from its seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// So many random letters and digits.
    pub(crate) fn text(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let letter = |dice: &mut Self| usize::try_from(dice.below(LETTERS.len() as u64)).unwrap_or(0);
        (0..length).map(|_| char::from(LETTERS[letter(self)])).collect()
    }
}

/// The value below which `share` of the values lie; sorts them. NaN where there are none.
pub(crate) fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let place = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
    values.get(place).copied().unwrap_or(f64::NAN)
}

/// Median and range over rounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        let median = quantile(&mut values, 0.5);
        Self { median, min: values.first().copied().unwrap_or(f64::NAN), max: values.last().copied().unwrap_or(f64::NAN) }
    }

    pub(crate) fn text(&self, unit: &str) -> String {
        let digits = |value: f64| if value.abs() >= 100.0 { 0 } else { 2 };
        let one = |value: f64| format!("{:.*}", digits(value), value);
        if (self.max - self.min).abs() < f64::EPSILON {
            return format!("{} {unit}", one(self.median));
        }
        format!("{} ({}..{}) {unit}", one(self.median), one(self.min), one(self.max))
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// Shown beside, no goal of its own.
    None,
    /// At most.
    Most(f64),
    /// At least.
    Least(f64),
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    what: String,
    value: String,
    goal: String,
    verdict: String,
}

/// One measurement's table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    title: String,
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new(), notes: Vec::new() }
    }

    /// A figure over its rounds beside its goal; the verdict says by how much.
    pub(crate) fn add(&mut self, what: impl Into<String>, spread: Spread, unit: &str, goal: Goal) {
        let ratio = |limit: f64| spread.median / limit;
        let (goal, verdict) = match goal {
            Goal::None => (String::new(), String::new()),
            Goal::Most(limit) if limit == 0.0 && spread.median == 0.0 => ("none".to_owned(), "met".to_owned()),
            Goal::Most(limit) if spread.median <= limit => {
                (format!("<= {limit} {unit}"), format!("met, {:.2} of it", ratio(limit)))
            }
            Goal::Most(limit) => (format!("<= {limit} {unit}"), format!("MISSED, {:.2} times it", ratio(limit))),
            Goal::Least(limit) if spread.median >= limit => {
                (format!(">= {limit} {unit}"), format!("met, {:.2} times it", ratio(limit)))
            }
            Goal::Least(limit) => (format!(">= {limit} {unit}"), format!("MISSED, {:.2} of it", ratio(limit))),
        };
        self.lines.push(Line { what: what.into(), value: spread.text(unit), goal, verdict });
    }

    /// A sentence below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// As markdown.
    pub(crate) fn text(&self) -> String {
        let mut out =
            format!("### {}\n\n| what | median (min..max of rounds) | goal | |\n| --- | --- | --- | --- |\n", self.title);
        for line in &self.lines {
            out += &format!("| {} | {} | {} | {} |\n", line.what, line.value, line.goal, line.verdict);
        }
        out += "\n";
        for note in &self.notes {
            out += &format!("{note}\n");
        }
        out
    }
}

/// Model, cores, kernel and how long a 4 KiB write and sync takes in `dir`.
pub(crate) fn describe(dir: &Path) -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let sync = disk_sync(dir).map_or_else(|error| format!("not measured ({error})"), |spread| spread.text("ms"));
    format!("{model}, {cores} cores, Linux {}, load {load}; 4 KiB write and sync {sync}", kernel.trim())
}

fn disk_sync(dir: &Path) -> std::io::Result<Spread> {
    const WRITES: usize = 200;
    let path = dir.join("sync-probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let start = Instant::now();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(millis(start.elapsed()));
    }
    std::fs::remove_file(&path)?;
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Ok(Spread { median: p50, min: times.first().copied().unwrap_or(p50), max: p99 })
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Bytes the loopback of this network carried so far.
pub(crate) fn loopback_bytes() -> Outcome<u64> {
    let text = std::fs::read_to_string("/proc/net/dev").map_err(words)?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("lo:")).ok_or("there is no loopback")?;
    line.split_whitespace().next().and_then(|word| word.parse().ok()).ok_or_else(|| "the counters can't be read".to_owned())
}

/// Nanoseconds all threads of a process ran so far.
pub(crate) fn cpu_nanos(pid: u32) -> Outcome<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).map_err(words)?.flatten() {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        sum += text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// The most memory a process had at once so far (VmHWM), in MiB.
pub(crate) fn memory_high_mib(pid: u32) -> Outcome<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(words)?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<f64>().ok());
    kib.map(|kib| kib / 1_024.0).ok_or_else(|| "the system does not tell how much memory a process had".to_owned())
}

/// Proportional and private memory of a process in MiB.
pub(crate) fn memory_mib(pid: u32) -> Outcome<(f64, f64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(words)?;
    let kib = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0)
    };
    Ok((kib("Pss:") / 1_024.0, (kib("Private_Clean:") + kib("Private_Dirty:")) / 1_024.0))
}
