//! The keys a configuration may have and what may stand there. What does not fit is told in both languages, before it is read.

use std::net::SocketAddr;

use holdfast_proto::domain::nearest;
use holdfast_proto::domain::refusal::Words;
use toml::Value;
use toml::de::DeTable;

use super::{Fault, both, line_of};
use crate::code::Code;

/// What may stand behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text in quotes.
    Text,
    /// An IP address and a port, in quotes.
    Address,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    Texts,
    /// A whole number.
    Number,
    /// One of two words, in quotes.
    Either(&'static str, &'static str),
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_str(),
            Self::Address => value.as_str().is_some_and(|text| text.parse::<SocketAddr>().is_ok()),
            Self::Switch => value.is_bool(),
            Self::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_str)),
            Self::Number => value.is_integer(),
            Self::Either(one, other) => value.as_str().is_some_and(|text| text == one || text == other),
        }
    }

    fn expected(self) -> Words {
        match self {
            Self::Text => both("it must be a text in quotes", "應為加引號的文字"),
            Self::Address => both("it must be an IP address and a port, in quotes", "應為加引號的 IP 位址與連接埠"),
            Self::Switch => both("it must be true or false, without quotes", "應為 true 或 false，不加引號"),
            Self::Texts => both("it must be a list of texts in quotes", "應為清單，每一項都加引號"),
            Self::Number => both("it must be a whole number, without quotes", "應為整數，不加引號"),
            Self::Either(one, other) => both(
                format!("it must be \"{one}\" or \"{other}\", in quotes"),
                format!("應為 \"{one}\" 或 \"{other}\"，要加引號"),
            ),
        }
    }
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    section: &'static str,
    pub(super) name: &'static str,
    kind: Kind,
    /// As it may be written.
    example: &'static str,
    /// Nothing starts without it.
    needed: bool,
}

const fn may(section: &'static str, name: &'static str, kind: Kind, example: &'static str) -> Key {
    Key { section, name, kind, example, needed: false }
}

const fn must(section: &'static str, name: &'static str, example: &'static str) -> Key {
    Key { section, name, kind: Kind::Text, example, needed: true }
}

/// All there are; a section is what some key stands in.
const KEYS: &[Key] = &[
    must("node", "data_dir", "\"/var/lib/holdfast/data\""),
    must("node", "key_file", "\"/etc/holdfast/node.key\""),
    must("node", "alliance_file", "\"/etc/holdfast/alliance.hf\""),
    must("node", "stamp_file", "\"/var/lib/holdfast/continuity.stamp\""),
    may("node", "home_hub", Kind::Text, "\"1-2\""),
    may("node", "catalogue_file", Kind::Text, "\"/etc/holdfast/items.toml\""),
    may("api", "listen", Kind::Address, "\"127.0.0.1:8787\""),
    may("api", "token_file", Kind::Text, "\"/var/lib/holdfast/api.token\""),
    may("public", "listen", Kind::Address, "\"0.0.0.0:8080\""),
    may("public", "address", Kind::Text, "\"http://192.0.2.10:8080/\""),
    may("sync", "enabled", Kind::Switch, "true"),
    may("sync", "listen", Kind::Address, "\"0.0.0.0:4401\""),
    may("sync", "peers", Kind::Texts, "[\"192.0.2.10:4401\"]"),
    may("sync", "advertise", Kind::Texts, "[\"192.0.2.10:4401\"]"),
    may("gossip", "enabled", Kind::Switch, "true"),
    may("gossip", "listen", Kind::Address, "\"0.0.0.0:4501\""),
    may("gossip", "mdns", Kind::Switch, "true"),
    may("gossip", "peers", Kind::Texts, "[\"192.0.2.10:4501\"]"),
    may("radio", "port", Kind::Text, "\"/dev/ttyUSB0\""),
    may("radio", "framing", Kind::Text, "\"ax25\""),
    may("radio", "callsign", Kind::Text, "\"BV2ABC-7\""),
    may("radio", "baud", Kind::Number, "9600"),
    may("radio", "rate", Kind::Number, "1200"),
    may("radio", "key_up", Kind::Text, "\"300ms\""),
    may("radio", "mtu", Kind::Number, "200"),
    may("radio", "duty_percent", Kind::Number, "10"),
    may("log", "format", Kind::Either("text", "json"), "\"text\""),
    may("log", "filter", Kind::Text, "\"info\""),
    may("log", "record", Kind::Switch, "false"),
    may("crisis", "probe", Kind::Text, "\"eoc.example:443\""),
    may("crisis", "every", Kind::Text, "\"1m\""),
    may("crisis", "silent_after", Kind::Text, "\"10m\""),
    may("crisis", "agree", Kind::Number, "2"),
    may("crisis", "mode", Kind::Text, "\"resilience\""),
    may("timing", "probe", Kind::Text, "\"30s\""),
    may("timing", "redial_min", Kind::Text, "\"1s\""),
    may("timing", "redial_max", Kind::Text, "\"60s\""),
    may("timing", "beacon", Kind::Text, "\"120s\""),
    may("timing", "broadcast_batch", Kind::Text, "\"1s\""),
    may("timing", "reserve_mib", Kind::Number, "16"),
];

pub(super) fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

fn listed(names: impl Iterator<Item = &'static str>) -> (String, String) {
    let names: Vec<&str> = names.collect();
    (names.join(", "), names.join("、"))
}

pub(super) fn sections() -> Vec<&'static str> {
    let mut names: Vec<&str> = KEYS.iter().map(|key| key.section).collect();
    names.dedup();
    names
}

fn no_section(section: &str) -> Words {
    // Typed above every section, or in none.
    let homes: Vec<String> = KEYS.iter().filter(|key| key.name == section).map(|key| format!("[{}]", key.section)).collect();
    if !homes.is_empty() {
        return both(
            format!("{section} stands in no section. Move it below {}", homes.join(" or ")),
            format!("{section} 不在任何區段內。請移到 {} 之下", homes.join(" 或 ")),
        );
    }
    let (en, zh) = listed(sections().into_iter());
    both(
        format!("there is no section [{section}]. The sections are: {en}"),
        format!("沒有 [{section}] 這個區段。可用的區段：{zh}"),
    )
}

fn no_key(section: &str, name: &str) -> Words {
    if let Some(home) = KEYS.iter().find(|key| key.name == name) {
        let home = home.section;
        return both(
            format!("[{section}] has no key {name}. Move it below [{home}]"),
            format!("[{section}] 沒有 {name} 這個設定。請移到 [{home}] 之下"),
        );
    }
    let near = nearest(name, keys_of(section).map(|key| (key.name, [key.name]))).into_iter().next().unwrap_or_default();
    let (en, zh) = listed(keys_of(section).map(|key| key.name));
    both(
        format!("[{section}] has no key {name}. Did you mean {near}? Its keys are: {en}"),
        format!("[{section}] 沒有 {name} 這個設定。您是指 {near} 嗎？可用的設定：{zh}"),
    )
}

/// What is wrong with one value where it stands; nothing if it may be read.
pub(super) fn misfit(section: &str, name: &str, value: &Value) -> Option<Words> {
    if keys_of(section).next().is_none() {
        return Some(no_section(section));
    }
    let Some(key) = keys_of(section).find(|key| key.name == name) else { return Some(no_key(section, name)) };
    if key.kind.takes(value) {
        return None;
    }
    let (expected, example) = (key.kind.expected(), key.example);
    Some(both(
        format!("[{section}] {name} is {value}, but {}, such as {name} = {example}", expected.en),
        format!("[{section}] {name} 是 {value}，{}，例如 {name} = {example}", expected.zh),
    ))
}

/// Everything in a file that can't be read for what it is, and every key that it lacks, in the order of the lines.
pub(super) fn check(text: &str, table: &toml::Table) -> Vec<Fault> {
    let places = DeTable::parse(text).ok();
    let line = |section: &str, name: Option<&str>| {
        let (at, inside) = places.as_ref()?.get_ref().get_key_value(section)?;
        let at = match name {
            Some(name) => inside.get_ref().as_table()?.get_key_value(name)?.0,
            None => at,
        };
        Some(line_of(text, at.span().start))
    };
    let fault = |line, words| Fault { line, code: Code::ConfigUnknown, words };
    let mut faults = Vec::new();
    for (section, inside) in table {
        let known = keys_of(section).next().is_some();
        match inside.as_table().filter(|_| known) {
            Some(inside) => {
                faults.extend(inside.iter().filter_map(|(name, value)| {
                    misfit(section, name, value).map(|words| fault(line(section, Some(name)), words))
                }))
            }
            None if known => {
                let words = both(
                    format!("{section} is a section, not a value. Write [{section}] on a line of its own, its keys below it"),
                    format!("{section} 是區段，不是設定值。請單獨一行寫 [{section}]，設定寫在其下"),
                );
                faults.push(fault(line(section, None), words));
            }
            None => faults.push(fault(line(section, None), no_section(section))),
        }
    }
    for key in KEYS.iter().filter(|key| key.needed) {
        let there = table.get(key.section).and_then(Value::as_table).is_some_and(|inside| inside.contains_key(key.name));
        if !there {
            let Key { section, name, example, .. } = key;
            let words = both(
                format!("[{section}] {name} is missing. Add a line below [{section}], such as {name} = {example}"),
                format!("[{section}] 缺少 {name}。請在 [{section}] 之下加一行，例如 {name} = {example}"),
            );
            faults.push(fault(line(section, None), words));
        }
    }
    faults.sort_by_key(|fault| fault.line);
    faults
}

/// Text that is no TOML at all.
pub(super) fn broken(text: &str, cause: &toml::de::Error) -> Fault {
    let line = cause.span().map(|span| line_of(text, span.start));
    let written = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default().trim();
    let said = cause.message();
    let told = |of: &[&str]| of.iter().any(|part| said.contains(part));
    let words = if told(&["duplicate key"]) {
        both(
            format!("this stands here a second time: {written}. Keep the one that is right and delete the other"),
            format!("重複設定：{written}。請保留正確的一行，刪去另一行"),
        )
    } else if told(&["escape", "unicode"]) {
        both(
            format!("a backslash in quotes means something else: {written}. Write each \\ as /"),
            format!("引號內的反斜線另有意義：{written}。請把 \\ 改寫成 /"),
        )
    } else if told(&["string", "array", "invalid"]) {
        both(
            format!(
                "the value can't be read: {written}. Text stands in \"quotes\", lists in [ ]; true, false and numbers stand alone"
            ),
            format!("看不懂設定值：{written}。文字要加\"引號\"，清單用 [ ]；true、false 與數字不加引號"),
        )
    } else if told(&["key", "table"]) {
        both(
            format!("this line can't be read: {written}. Write [section], or key = value, one on each line"),
            format!("看不懂這一行：{written}。請寫 [區段]，或 設定 = 值，每行一項"),
        )
    } else {
        both(
            format!("this line can't be read: {written}. Compare it with configs/store.toml ({said})"),
            format!("看不懂這一行：{written}。請對照 configs/store.toml（{said}）"),
        )
    };
    Fault { line, code: Code::ConfigUnknown, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_takes_its_own_example() {
        for key in KEYS {
            let value = key.example.parse().unwrap();
            assert_eq!(misfit(key.section, key.name, &value), None, "{key:?}");
        }
    }
}
