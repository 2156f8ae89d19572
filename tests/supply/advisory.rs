//! One advisory, in either form an export has: RustSec's Markdown with TOML on top, or OSV's JSON.

use std::cmp::Ordering;

use jiff::civil::Date;
use semver::{Version, VersionReq};
use serde::Deserialize;

/// What an advisory says, whichever form it had.
#[derive(Clone, Debug)]
pub struct Advisory {
    /// Its id.
    pub id: String,
    /// What others call it.
    pub aliases: Vec<String>,
    /// What it says in one line.
    pub title: String,
    /// What kind it is of.
    pub kind: Kind,
    /// The day it was last said.
    pub day: Option<Date>,
    affected: Vec<Affected>,
}

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It can be attacked.
    Vulnerable,
    /// It can break memory.
    Unsound,
    /// Nobody mends it any more.
    Unmaintained,
    /// Something its users should know; by itself no reason to act.
    Notice,
}

#[derive(Clone, Debug)]
struct Affected {
    package: String,
    versions: Versions,
}

#[derive(Clone, Debug)]
enum Versions {
    /// All but those that one of these takes.
    AllBut(Vec<VersionReq>),
    /// Those that are listed or lie in one of the ranges.
    Those(Vec<Version>, Vec<Range>),
}

/// From its first version, as far as its end.
#[derive(Clone, Debug)]
struct Range {
    introduced: Version,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Before(Version),
    With(Version),
    Open,
}

impl Range {
    fn contains(&self, version: &Version) -> bool {
        let at_least = version.cmp_precedence(&self.introduced) != Ordering::Less;
        let before_end = match &self.end {
            End::Before(end) => version.cmp_precedence(end) == Ordering::Less,
            End::With(end) => version.cmp_precedence(end) != Ordering::Greater,
            End::Open => true,
        };
        at_least && before_end
    }
}

impl Advisory {
    /// Whether it speaks of that version of that crate.
    #[must_use]
    pub fn affects(&self, package: &str, version: &Version) -> bool {
        self.affected.iter().filter(|a| a.package == package).any(|a| match &a.versions {
            Versions::AllBut(safe) => !safe.iter().any(|safe| safe.matches(version)),
            Versions::Those(listed, ranges) => listed.contains(version) || ranges.iter().any(|range| range.contains(version)),
        })
    }

    /// Whether it is known by that id.
    #[must_use]
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }
}

impl Kind {
    fn read(informational: Option<&str>) -> Self {
        match informational {
            None => Self::Vulnerable,
            Some("unsound") => Self::Unsound,
            Some("unmaintained") => Self::Unmaintained,
            Some(_) => Self::Notice,
        }
    }

    /// As it is printed.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Vulnerable => "vulnerable",
            Self::Unsound => "unsound",
            Self::Unmaintained => "unmaintained",
            Self::Notice => "notice",
        }
    }
}

fn day(text: &str) -> Option<Date> {
    text.get(..10).and_then(|day| day.parse().ok())
}

#[derive(Deserialize)]
struct RustSec {
    advisory: RustSecHead,
    versions: RustSecVersions,
}

#[derive(Deserialize)]
struct RustSecHead {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    aliases: Vec<String>,
    informational: Option<String>,
    withdrawn: Option<String>,
}

#[derive(Deserialize)]
struct RustSecVersions {
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

/// A file `RUSTSEC-YEAR-NUMBER.md`; `None` where it was withdrawn.
pub(super) fn rustsec(text: &str) -> Result<Option<Advisory>, String> {
    let body = text.trim_start().strip_prefix("```toml").ok_or("it does not begin with ```toml")?;
    let (head, prose) = body.split_once("\n```").ok_or("its TOML has no end")?;
    let read: RustSec = toml::from_str(head).map_err(|error| error.to_string())?;
    if read.advisory.withdrawn.is_some() {
        return Ok(None);
    }
    let title = prose.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("no title").trim().to_owned();
    let safe = read.versions.patched.into_iter().chain(read.versions.unaffected).collect();
    Ok(Some(Advisory {
        id: read.advisory.id,
        aliases: read.advisory.aliases,
        title,
        kind: Kind::read(read.advisory.informational.as_deref()),
        day: day(&read.advisory.date),
        affected: vec![Affected { package: read.advisory.package, versions: Versions::AllBut(safe) }],
    }))
}

#[derive(Deserialize)]
struct Osv {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    modified: String,
    withdrawn: Option<String>,
    #[serde(default)]
    affected: Vec<OsvAffected>,
}

#[derive(Deserialize)]
struct OsvAffected {
    package: Option<OsvPackage>,
    #[serde(default)]
    ranges: Vec<OsvRange>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    database_specific: OsvSpecific,
}

#[derive(Deserialize)]
struct OsvPackage {
    ecosystem: String,
    name: String,
}

#[derive(Default, Deserialize)]
struct OsvSpecific {
    informational: Option<String>,
}

#[derive(Deserialize)]
struct OsvRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<OsvEvent>,
}

#[derive(Deserialize)]
struct OsvEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

/// A file of OSV; `None` where it was withdrawn or speaks of no crate.
pub(super) fn osv(text: &str) -> Result<Option<Advisory>, String> {
    let read: Osv = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let (mut affected, mut informational) = (Vec::new(), None);
    for part in read.affected {
        let Some(package) = part.package.filter(|package| package.ecosystem == "crates.io") else { continue };
        let mut ranges = Vec::new();
        for range in part.ranges.iter().filter(|range| range.kind != "GIT") {
            ranges.extend(read_range(&range.events)?);
        }
        let listed = part.versions.iter().map(|version| read_version(version)).collect::<Result<_, _>>()?;
        informational = informational.or(part.database_specific.informational);
        affected.push(Affected { package: package.name, versions: Versions::Those(listed, ranges) });
    }
    if read.withdrawn.is_some() || affected.is_empty() {
        return Ok(None);
    }
    Ok(Some(Advisory {
        id: read.id,
        aliases: read.aliases,
        title: if read.summary.is_empty() { "no title".to_owned() } else { read.summary },
        kind: Kind::read(informational.as_deref()),
        day: day(&read.modified),
        affected,
    }))
}

/// "0" is OSV's word for the lowest version there can be.
fn read_version(text: &str) -> Result<Version, String> {
    let text = if text == "0" { "0.0.0-0" } else { text };
    text.parse().map_err(|error| format!("{text:?} is no version: {error}"))
}

/// Events stand in order of versions, not of the file: from each that introduces as far as the next that ends it.
fn read_range(events: &[OsvEvent]) -> Result<Vec<Range>, String> {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    for event in events {
        match (&event.introduced, &event.fixed, &event.last_affected) {
            (Some(from), _, _) => begins.push(read_version(from)?),
            (_, Some(end), _) => ends.push(End::Before(read_version(end)?)),
            (_, _, Some(end)) => ends.push(End::With(read_version(end)?)),
            // "limit" and what may come later narrow nothing: rather too many than too few.
            (None, None, None) => {}
        }
    }
    let at = |end: &End| match end {
        End::Before(version) | End::With(version) => Some(version.clone()),
        End::Open => None,
    };
    let range = |introduced: Version| {
        let later = ends.iter().filter(|end| at(end).is_some_and(|end| end.cmp_precedence(&introduced) != Ordering::Less));
        let end = later.min_by(|a, b| at(a).cmp(&at(b))).cloned().unwrap_or(End::Open);
        Range { introduced, end }
    };
    Ok(begins.into_iter().map(range).collect())
}
