//! `.deny.toml`, as far as it is checked here: cargo-deny reads the same file and knows more of it.

use std::path::Path;

use jiff::civil::Date;
use semver::{Version, VersionReq};
use serde::Deserialize;

/// What the file says.
#[derive(Clone, Debug)]
pub struct Rules {
    /// SPDX names of the licences that are allowed.
    pub licences: Vec<String>,
    /// Where crates may come from.
    pub registries: Vec<String>,
    /// What is not to be built in.
    pub banned: Vec<(Spec, String)>,
    /// Second versions of a crate that are borne.
    pub twice: Vec<(Spec, Exception)>,
    /// Advisories that are borne; `what` is the id.
    pub borne: Vec<Exception>,
    /// Which features of a crate may be on.
    pub features: Vec<Features>,
}

/// Something that is borne for a while, and why.
#[derive(Clone, Debug)]
pub struct Exception {
    /// What it is for.
    pub what: String,
    /// The day it was made.
    pub since: Date,
    /// The day from which on it no longer counts.
    pub until: Date,
    /// Why.
    pub why: String,
}

/// A crate, in all or some versions: `name` or `name:requirement`.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The crate.
    pub name: String,
    versions: VersionReq,
}

/// What may be switched on in a crate.
#[derive(Clone, Debug, Deserialize)]
pub struct Features {
    /// The crate.
    #[serde(rename = "crate")]
    pub name: String,
    /// Those that may be on.
    #[serde(default)]
    pub allow: Vec<String>,
    /// Whether `allow` is all there may be.
    #[serde(default)]
    pub exact: bool,
    /// Those that may not.
    #[serde(default)]
    pub deny: Vec<String>,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
struct File {
    advisories: Advisories,
    licenses: Licences,
    sources: Sources,
    bans: Bans,
}

#[derive(Deserialize)]
struct Advisories {
    #[serde(default)]
    ignore: Vec<Ignored>,
}

#[derive(Deserialize)]
struct Ignored {
    id: String,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    #[serde(default)]
    deny: Vec<Named>,
    #[serde(default)]
    skip: Vec<Named>,
    #[serde(default)]
    features: Vec<Features>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    spec: String,
    #[serde(default)]
    reason: String,
}

impl Exception {
    /// From a reason of the form "2026-11-29 to 2027-05-29: why".
    fn read(what: &str, reason: &str) -> Result<Self, String> {
        let form = || {
            format!(
                "the exception for {what} says {reason:?}. Each says when it was made, when it ends and why: \"2026-11-29 to 2027-05-29: why\""
            )
        };
        let (days, why) = reason.split_once(": ").ok_or_else(form)?;
        let (since, until) = days.split_once(" to ").ok_or_else(form)?;
        let day = |text: &str| text.parse::<Date>().map_err(|_| form());
        let (since, until) = (day(since)?, day(until)?);
        if until <= since || why.trim().is_empty() {
            return Err(form());
        }
        Ok(Self { what: what.to_owned(), since, until, why: why.trim().to_owned() })
    }

    /// Whether it counts on that day.
    #[must_use]
    pub fn counts(&self, today: Date) -> bool {
        today < self.until
    }
}

impl Spec {
    fn read(text: &str) -> Result<Self, String> {
        let (name, versions) = text.split_once(':').unwrap_or((text, "*"));
        let versions = versions.parse().map_err(|error| format!("{text:?} names no version of a crate: {error}"))?;
        Ok(Self { name: name.to_owned(), versions })
    }

    /// Whether it means that version of that crate.
    #[must_use]
    pub fn means(&self, name: &str, version: &Version) -> bool {
        self.name == name && self.versions.matches(version)
    }
}

/// Reads a file of rules.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn read_rules(path: &Path) -> Result<Rules, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("no rules: {}: {error}", path.display()))?;
    rules(&text).map_err(|why| format!("{} is no file of rules: {why}", path.display()))
}

fn rules(text: &str) -> Result<Rules, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let banned = file.bans.deny.iter().map(|ban| Ok((Spec::read(&ban.spec)?, ban.reason.clone())));
    let twice = file.bans.skip.iter().map(|skip| Ok((Spec::read(&skip.spec)?, Exception::read(&skip.spec, &skip.reason)?)));
    Ok(Rules {
        licences: file.licenses.allow,
        registries: file.sources.allow_registry,
        banned: banned.collect::<Result<_, String>>()?,
        twice: twice.collect::<Result<_, String>>()?,
        borne: file.advisories.ignore.iter().map(|i| Exception::read(&i.id, &i.reason)).collect::<Result<_, _>>()?,
        features: file.bans.features,
    })
}
