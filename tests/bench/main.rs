//! `holdfast-bench`: the figures of the design, measured on this machine by a command a person can run. No test: nothing here fails
//! because a machine is slow.
#![expect(clippy::print_stdout, reason = "a program whose output is its tables")]

mod adapter;
mod daemons;
mod digest;
mod driver;
mod flood;
mod heal;
mod ingest;
mod kill;
mod machine;
mod puppet;
mod round;
mod spread;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::machine::{Outcome, Table, words};
use crate::spread::System;

/// Measures Holdfast on this machine: real daemons, each round in a network of its own.
///
/// Needs `unshare` and `ip`. Run it on a quiet machine: cargo run --release -p holdfast-tests --bin holdfast-bench -- all
#[derive(Debug, Parser)]
#[command(name = "holdfast-bench", version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Fresh entries: acknowledged to visible at the last of N daemons, wire bytes, beside a UDP floor.
    Spread(spread::Settings),
    /// One of five daemons is cut off, both sides go on writing; time and bytes from heal to equal.
    Heal(heal::Settings),
    /// Bytes of telling equal states apart from unequal ones, 1,000 authors; without QUIC.
    Digest(digest::Settings),
    /// kill -9 under load: is an acknowledged word lost, is one there twice?
    Kill(kill::Settings),
    /// A certified node says a hundred times as much as all others: acknowledgements, memory, and how late the others' words come.
    Flood(flood::Settings),
    /// Memory of a daemon that carries 1,000 authors.
    Memory(daemons::Memory),
    /// CPU and bytes of idle daemons with five links each.
    Idle(daemons::Idle),
    /// From exec to the first answer with 50,000 entries in the store.
    Start(daemons::Start),
    /// Entries verified and made durable for a second of one core.
    Ingest(ingest::Settings),
    /// All of the above in moderate sizes; writes target/bench/DATE.md.
    All {
        /// Fewer rounds and entries: a first look, not a figure.
        #[arg(long)]
        quick: bool,
    },
    /// For the rounds: one round inside its own network.
    #[command(hide = true)]
    Round {
        #[command(subcommand)]
        what: Round,
    },
    /// An adapter of the driver contract: a daemon in this process.
    #[command(hide = true)]
    DriveNode {
        #[arg(long)]
        config: PathBuf,
        /// Whose entries are said as delivered.
        #[arg(long)]
        first: String,
    },
    /// An adapter of the driver contract: the UDP floor.
    #[command(hide = true)]
    DriveFloor {
        #[arg(long)]
        place: u16,
        #[arg(long)]
        nodes: u16,
        /// Where each hearer writes and syncs; without it none does.
        #[arg(long)]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Round {
    Spread(spread::Settings),
    Floor(spread::Settings),
    DiskFloor(spread::Settings),
    Heal(heal::Settings),
    Kill(kill::Settings),
    Flood(flood::Settings),
    Memory(daemons::Memory),
    Idle(daemons::Idle),
    Start(daemons::Start),
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("holdfast-bench could not measure: {why}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(what: What) -> Outcome<()> {
    match what {
        What::Spread(settings) => show(&[spread::measure(&settings)?]).map(|_| ()),
        What::Heal(settings) => show(&[heal::measure(&settings)?]).map(|_| ()),
        What::Digest(settings) => show(&[digest::measure(&settings)?]).map(|_| ()),
        What::Kill(settings) => show(&[kill::measure(&settings)?]).map(|_| ()),
        What::Flood(settings) => show(&[flood::measure(&settings)?]).map(|_| ()),
        What::Memory(settings) => show(&[settings.measure()?]).map(|_| ()),
        What::Idle(settings) => show(&[settings.measure()?]).map(|_| ()),
        What::Start(settings) => show(&[settings.measure()?]).map(|_| ()),
        What::Ingest(settings) => show(&[ingest::measure(&settings)?]).map(|_| ()),
        What::All { quick } => all(quick),
        What::Round { what } => match what {
            Round::Spread(settings) => spread::round(&settings, System::Holdfast),
            Round::Floor(settings) => spread::round(&settings, System::Floor),
            Round::DiskFloor(settings) => spread::round(&settings, System::DiskFloor),
            Round::Heal(settings) => heal::round(&settings),
            Round::Kill(settings) => kill::round(&settings),
            Round::Flood(settings) => flood::round(&settings),
            Round::Memory(settings) => settings.round(),
            Round::Idle(settings) => settings.round(),
            Round::Start(settings) => settings.round(),
        },
        What::DriveNode { config, first } => adapter::node(&config, &first),
        What::DriveFloor { place, nodes, file } => adapter::floor(place, nodes, file.as_deref()),
    }
}

/// Settings of a subcommand as if they had been typed.
fn typed(line: &str) -> Outcome<What> {
    Ok(Arguments::try_parse_from(["holdfast-bench"].into_iter().chain(line.split_whitespace())).map_err(words)?.what)
}

fn all(quick: bool) -> Outcome<()> {
    let lines: &[&str] = if quick {
        &[
            "spread --nodes 5 --rounds 1 --count 200",
            "spread --nodes 20 --rounds 1 --count 200",
            "heal --rounds 1",
            "digest",
            "kill --times 5",
            "flood --seconds 20 --calm 10",
            "memory",
            "idle --seconds 30",
            "start --rounds 3",
            "ingest --rounds 1",
        ]
    } else {
        &[
            "spread --nodes 5",
            "spread --nodes 20",
            "heal",
            "digest",
            "kill --times 50",
            "flood",
            "memory",
            "idle",
            "start",
            "ingest",
        ]
    };
    let mut tables = Vec::new();
    for line in lines {
        eprintln!("== {line}");
        let table = match typed(line)? {
            What::Spread(settings) => spread::measure(&settings),
            What::Heal(settings) => heal::measure(&settings),
            What::Digest(settings) => digest::measure(&settings),
            What::Kill(settings) => kill::measure(&settings),
            What::Flood(settings) => flood::measure(&settings),
            What::Memory(settings) => settings.measure(),
            What::Idle(settings) => settings.measure(),
            What::Start(settings) => settings.measure(),
            What::Ingest(settings) => ingest::measure(&settings),
            What::All { .. } | What::Round { .. } | What::DriveNode { .. } | What::DriveFloor { .. } => continue,
        };
        // One that can't be measured here is said, and the others go on.
        tables.push(table.unwrap_or_else(|why| Table::new(format!("{line}: not measured: {why}"))));
    }
    let text = show(&tables)?;
    let path = round::bench_dir()?.join(format!("{}.md", jiff::Zoned::now().date()));
    std::fs::write(&path, text).map_err(words)?;
    eprintln!("written to {}", path.display());
    Ok(())
}

fn show(tables: &[Table]) -> Outcome<String> {
    let mut text = format!("Measured on: {}\n\n", machine::describe(&round::bench_dir()?));
    for table in tables {
        text += &table.text();
        text += "\n";
    }
    println!("{text}");
    Ok(text)
}
