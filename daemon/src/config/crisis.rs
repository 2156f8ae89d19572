//! The section `[crisis]`: which central system is asked, and when its silence switches the mode.

use std::time::Duration;

use holdfast_proto::config::{Config, Crisis};
use holdfast_proto::domain::field::{MODE, choice_named};
use serde::Deserialize;

use super::{Faults, duration};
use crate::probe::{ProbeSettings, Target};

/// Nodes that can be asked to agree: more than a region has would never be reached.
const AGREE_MAX: i64 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCrisis {
    probe: Option<String>,
    every: String,
    silent_after: String,
    agree: i64,
    mode: String,
}

impl Default for RawCrisis {
    fn default() -> Self {
        Self { probe: None, every: "1m".to_owned(), silent_after: "10m".to_owned(), agree: 2, mode: "resilience".to_owned() }
    }
}

impl RawCrisis {
    /// Reads the section; without a probe it does nothing, and what else stands in it is checked all the same.
    pub(super) fn check(self, node: &mut Config, faults: &mut Faults<'_>) -> Option<ProbeSettings> {
        let every = length(faults, "every", &self.every, ("1s", "1h"));
        let silent_after = length(faults, "silent_after", &self.silent_after, ("1s", "24h"));
        let agree = u32::try_from(self.agree).ok().filter(|_| self.agree <= AGREE_MAX);
        if agree.is_none() {
            let expected = ("it must be from 0, nobody need agree, to 1000", "應為 0（不需其他據點同意）到 1000");
            faults.note("crisis", "agree", &self.agree.to_string(), expected);
        }
        let mode = choice_named(MODE, &self.mode).and_then(|mode| u8::try_from(mode.number).ok());
        if mode.is_none() {
            let words = MODE.iter().map(|mode| mode.code).collect::<Vec<_>>();
            let expected = (format!("it must be one of {}", words.join(", ")), format!("應為 {} 之一", words.join("、")));
            faults.note("crisis", "mode", &self.mode, (&expected.0, &expected.1));
        }
        let typed = self.probe?;
        let target = typed.parse::<Target>().ok();
        if target.is_none() {
            let expected = (
                "it must be HOST:PORT, or an address that begins with http:// or https://",
                "應為加引號的「HOST:PORT」，或以 http:// 或 https:// 開頭的網址",
            );
            faults.note("crisis", "probe", &typed, expected);
        }
        node.crisis = Some(Crisis { silent_after: silent_after?, agree: agree?, mode: mode? });
        Some(ProbeSettings { target: target?, every: every? })
    }
}

fn length(faults: &mut Faults<'_>, key: &str, typed: &str, (min, max): (&str, &str)) -> Option<Duration> {
    let found = duration(typed).filter(|length| duration(min) <= Some(*length) && Some(*length) <= duration(max));
    if found.is_none() {
        let expected = (
            format!("it must be a duration from {min} to {max}, such as 30s, 5m or 2h"),
            format!("應為 {min} 到 {max} 的時間長度，例如 30s、5m 或 2h"),
        );
        faults.note("crisis", key, typed, (&expected.0, &expected.1));
    }
    found
}
