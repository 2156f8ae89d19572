//! `holdfast-advisories`: which crates of the lock file an advisory export speaks of. Offline: the export is a folder that somebody brought.
#![expect(clippy::print_stdout, reason = "a program whose output is its findings")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use holdfast_tests::supply::{
    Advisory, Exception, Export, Kind, Locked, PUBLIC_REGISTRY, Rules, read_export, read_lock, read_rules,
};
use jiff::civil::Date;

/// Says which locked crates an advisory export speaks of.
///
/// Exit codes: 0 none but those borne, 1 at least one, 2 not known: wrong usage, or something could not be read. A crate counts if it
/// stands in the lock file, even if no program here has it built in.
#[derive(Debug, Parser)]
#[command(name = "holdfast-advisories", version)]
struct Arguments {
    /// A folder of RustSec's advisory-db, or one of OSV's JSON files; or one such file
    export: PathBuf,
    /// The lock file
    #[arg(long, default_value = "Cargo.lock")]
    lock: PathBuf,
    /// The rules: which advisories are borne, why, and until when
    #[arg(long, default_value = ".deny.toml")]
    rules: PathBuf,
    /// The day on which exceptions are judged [default: today]
    #[arg(long)]
    today: Option<Date>,
}

fn main() -> ExitCode {
    match check(&Arguments::parse()) {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            eprintln!("holdfast-advisories can't tell: {why}.");
            ExitCode::from(2)
        }
    }
}

fn check(arguments: &Arguments) -> Result<u8, String> {
    let (rules, locked) = (read_rules(&arguments.rules)?, read_lock(&arguments.lock)?);
    let export = read_export(&arguments.export)?;
    let today = arguments.today.unwrap_or_else(|| jiff::Zoned::now().date());
    let findings = findings(&export, &locked, &rules);
    let mut affected = 0;
    for finding in &findings {
        println!("{}", finding.line(today));
        affected += usize::from(finding.counts(today));
    }
    for borne in rules.borne.iter().filter(|borne| !findings.iter().any(|f| f.advisory.is_called(&borne.what))) {
        println!("unneeded    {}: the export says it of no locked crate; take the exception out of the rules", borne.what);
    }
    for why in &export.unreadable {
        println!("unreadable  {why}");
    }
    let newest = export.newest().map_or_else(|| "of an unknown day".to_owned(), |day| format!("of {day}"));
    println!(
        "{} advisories, the newest {newest}; {} locked crates: {affected} findings to act on, {} others, {} files unreadable",
        export.advisories.len(),
        locked.len(),
        findings.len() - affected,
        export.unreadable.len()
    );
    Ok(if affected > 0 {
        1
    } else if export.unreadable.is_empty() {
        0
    } else {
        2
    })
}

/// An advisory that speaks of a locked crate, and what the rules say to that.
struct Finding<'a> {
    advisory: &'a Advisory,
    locked: &'a Locked,
    borne: Option<&'a Exception>,
}

fn findings<'a>(export: &'a Export, locked: &'a [Locked], rules: &'a Rules) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for locked in locked.iter().filter(|locked| locked.source == PUBLIC_REGISTRY) {
        for advisory in export.advisories.values().filter(|a| a.affects(&locked.name, &locked.version)) {
            let borne = rules.borne.iter().find(|borne| advisory.is_called(&borne.what));
            found.push(Finding { advisory, locked, borne });
        }
    }
    found
}

impl Finding<'_> {
    /// Whether something has to be done.
    fn counts(&self, today: Date) -> bool {
        match self.borne {
            Some(borne) => !borne.counts(today),
            None => self.advisory.kind != Kind::Notice,
        }
    }

    fn line(&self, today: Date) -> String {
        let (Advisory { id, title, kind, .. }, Locked { name, version, .. }) = (self.advisory, self.locked);
        // The export is somebody's file: its words do not steer the terminal.
        let title: String = title.chars().filter(|c| !c.is_control()).collect();
        let (word, end) = match self.borne {
            Some(borne) if borne.counts(today) => ("borne", format!("; until {}: {}", borne.until, borne.why)),
            Some(borne) => ("LAPSED", format!("; the exception of {} ended on {}: {}", borne.since, borne.until, borne.why)),
            None if self.counts(today) => ("AFFECTED", String::new()),
            None => ("notice", String::new()),
        };
        format!("{word:<11} {name} {version}: {id} ({}) {title}{end}", kind.word())
    }
}
