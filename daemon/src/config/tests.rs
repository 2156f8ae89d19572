//! What a configuration may say, and what is said of one that can't be used.

use std::collections::BTreeSet;

use super::*;
use crate::store::Options;

const GOOD: &str = "[node]\ndata_dir = \"data\"\nkey_file = \"node.key\"\nalliance_file = \"a.hf\"\nstamp_file = \"s\"\n";

fn parse(text: &str) -> Result<Settings, ConfigError> {
    Settings::parse(Path::new("/etc/holdfast/node.toml"), text, std::iter::empty())
}

/// What is wrong with a file of these lines beside the needed ones.
pub(super) fn faults_of(lines: &str) -> Vec<String> {
    match parse(&format!("{GOOD}{lines}")) {
        Ok(_) => Vec::new(),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn paths_are_relative_to_the_file_and_the_rest_has_defaults() {
    let settings = parse(GOOD).unwrap();
    assert_eq!(settings.data_dir, Path::new("/etc/holdfast/data"));
    assert!(settings.sync.is_some() && settings.gossip.is_some());
}

#[test]
fn an_unknown_key_and_a_wrong_type_name_their_line() {
    for (bad, line) in [("[api]\nlisten_on = \"x\"\n", "line 7"), ("[sync]\nenabled = \"yes\"\n", "line 7")] {
        let error = parse(&format!("{GOOD}{bad}")).unwrap_err().to_string();
        assert!(error.contains(line), "{error}");
    }
}

#[test]
fn values_that_make_no_sense_name_their_line_and_say_what_would_do() {
    for (bad, line, hint) in [
        ("[api]\nlisten = \"0.0.0.0:8787\"\n", "line 7: [api] listen", "only listen on this computer"),
        ("[timing]\nprobe = \"soon\"\n", "line 7: [timing] probe", "30s"),
        ("[sync]\npeers = [\n  \"127.0.0.1:1\",\n  \"store-b\",\n]\n", "line 9: [sync] peers", "192.168.1.20:4401"),
        ("[sync]\nadvertise = [\"0.0.0.0:1\"]\n", "line 7: [sync] advertise", "nobody can dial that"),
        ("[sync]\npeers = [\"[::]:4401\"]\n", "line 7: [sync] peers", "nobody can dial that"),
        ("[gossip]\npeers = [\"192.0.2.1:0\"]\n", "line 7: [gossip] peers", "nobody can dial that"),
        ("[log]\nfilter = \"loud\"\n", "line 7: [log] filter", "error, warn, info, debug, trace"),
        ("[log]\nfilter = \"info,holdfast_daemon=loud\"\n", "line 7: [log] filter", "error, warn, info, debug, trace"),
        ("[log]\nfilter = \"\"\n", "line 7: [log] filter", "error, warn, info, debug, trace"),
    ] {
        let error = parse(&format!("{GOOD}{bad}")).unwrap_err().to_string();
        assert!(error.contains(line) && error.contains(hint), "{error}");
    }
}

#[test]
fn a_log_filter_is_a_level_with_others_for_single_parts() {
    for filter in ["error", "trace", "info,holdfast_daemon=debug", "warn,quinn=error,libp2p=error"] {
        assert_eq!(parse(&format!("{GOOD}[log]\nfilter = \"{filter}\"\n")).unwrap().log_filter, filter);
    }
}

#[test]
fn values_out_of_their_range_name_their_line_and_the_range() {
    let addresses = ["1", "2", "3", "4", "5"].map(|host| format!("\"192.0.2.{host}:4401\"")).join(",\n");
    for (bad, line, range) in [
        ("[timing]\nprobe = \"0s\"\n", 7, "from 100ms to 24h"),
        ("[timing]\nprobe = \"25h\"\n", 7, "from 100ms to 24h"),
        ("[timing]\nprobe = \"18446744073709551615ms\"\n", 7, "from 100ms to 24h"),
        ("[timing]\nbeacon = \"99ms\"\n", 7, "from 100ms to 24h"),
        ("[timing]\n\nredial_min = \"9ms\"\n", 8, "from 10ms to 1h"),
        ("[timing]\nredial_max = \"0s\"\n", 7, "from 10ms to 24h"),
        ("[timing]\nbroadcast_batch = \"0ms\"\n", 7, "from 10ms to 1h"),
        ("[timing]\nredial_max = \"1s\"\nredial_min = \"2s\"\n", 8, "2s to 1s"),
        ("[timing]\nredial_max = \"500ms\"\n", 7, "1s to 500ms"),
        ("[timing]\nredial_min = \"2m\"\n", 7, "120s to 60s"),
        ("[timing]\nreserve_mib = 1025\n", 7, "from 0 to 1024"),
        ("[timing]\nreserve_mib = -1\n", 7, "from 0 to 1024"),
        ("[timing]\nreserve_mib = 4_294_967_295\n", 7, "from 0 to 1024"),
        (&*format!("[sync]\nadvertise = [{addresses}]\n"), 11, "at most 4 addresses"),
    ] {
        let error = parse(&format!("{GOOD}{bad}")).unwrap_err();
        assert_eq!(error.code(), Code::ConfigValue, "{bad}");
        let faults = error.faults();
        let [fault] = &*faults else { panic!("{bad}: {faults:?}") };
        assert_eq!(fault.line, Some(line), "{bad}: {fault}");
        assert!(fault.words.en.contains(range) && !fault.words.zh.is_empty(), "{bad}: {fault}");
    }
    let edges = "probe = \"24h\"\nredial_min = \"10ms\"\nredial_max = \"10ms\"\nbeacon = \"100ms\"\nreserve_mib = 1024\n";
    assert_eq!(parse(&format!("{GOOD}[timing]\n{edges}")).unwrap().reserve_bytes, Some(1 << 30));
}

#[test]
fn all_wrong_values_are_told_together_in_both_languages() {
    let text = format!("{GOOD}home_hub = \"the depot\"\n[gossip]\npeers = [\"x\"]\n[timing]\nbeacon = \"1\"\n");
    let faults = parse(&text).unwrap_err().faults();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [Some(6), Some(8), Some(10)]);
    assert!(faults.iter().all(|fault| !fault.words.en.is_empty() && !fault.words.zh.is_empty()));
}

#[test]
fn the_environment_overrides_and_its_faults_name_the_variable() {
    let with =
        |name: &str, value: &str| Settings::parse(Path::new("x.toml"), GOOD, [(name.to_owned(), value.to_owned())].into_iter());
    assert!(with("HOLDFAST_GOSSIP__ENABLED", "false").unwrap().gossip.is_none());
    assert_eq!(with("HOLDFAST_API__LISTEN", "127.0.0.1:9000").unwrap().api_listen.port(), 9000);
    let error = with("HOLDFAST_API__LISTEN", "nowhere").unwrap_err().to_string();
    assert!(error.contains("HOLDFAST_API__LISTEN"), "{error}");
}

/// Fault by fault: what is wrong below [`GOOD`], its line, and what both languages say of it.
const UNREADABLE: [(&str, usize, &str, &str); 16] = [
    ("[satellite]\nbaud = 1200\n", 6, "no section [satellite]", "沒有 [satellite]"),
    ("[api]\nlisten_on = \"x\"\n", 7, "Did you mean listen?", "您是指 listen 嗎"),
    ("[sync]\nmdns = true\n", 7, "Move it below [gossip]", "請移到 [gossip] 之下"),
    ("[sync]\nenabled = \"yes\"\n", 7, "it must be true or false", "應為 true 或 false"),
    ("[sync]\npeers = \"192.0.2.1:1\"\n", 7, "list of texts", "應為清單"),
    ("[sync]\nlisten = \"the till\"\n", 7, "an IP address and a port", "應為加引號的 IP 位址與連接埠"),
    ("[timing]\nreserve_mib = \"16\"\n", 7, "whole number", "應為整數"),
    ("[log]\nformat = \"xml\"\n", 7, "\"text\" or \"json\"", "應為 \"text\" 或 \"json\""),
    ("home_hub = \"1-2\"\nhome_hub = \"1-3\"\n", 7, "second time: home_hub", "重複設定：home_hub"),
    ("[api]\nlisten = 127.0.0.1:8787\n", 7, "Text stands in \"quotes\"", "文字要加"),
    ("[sync]\nenabled = yes\n", 7, "true, false and numbers stand alone", "true、false"),
    ("[sync]\npeers = [\"a\" \"b\"]\n", 7, "lists in [ ]", "清單用 [ ]"),
    ("catalogue_file = \"C:\\data\\i.toml\"\n", 6, "Write each \\ as /", "請把 \\ 改寫成 /"),
    ("[api\n", 6, "Write [section], or key = value", "請寫 [區段]"),
    ("[api]\nlisten: \"127.0.0.1:1\"\n", 7, "can't be read: listen:", "看不懂這一行：listen:"),
    ("[timing]\nreserve_mib = 99999999999999999999\n", 7, "the value can't be read", "看不懂設定值"),
];

#[test]
fn whatever_can_not_be_read_is_told_in_both_languages_with_its_line_and_without_the_words_of_the_parser() {
    for (bad, line, en, zh) in UNREADABLE {
        let error = parse(&format!("{GOOD}{bad}")).unwrap_err();
        assert_eq!(error.code(), Code::ConfigUnknown, "{bad}");
        let faults = error.faults();
        let [fault] = &*faults else { panic!("{bad}: {faults:?}") };
        assert_eq!(fault.line, Some(line), "{bad}: {fault}");
        assert!(fault.words.en.contains(en) && fault.words.zh.contains(zh), "{bad}: {:?}", fault.words);
        for parser in ["expected", "invalid", "unknown", "unclosed", "missing", "no value"] {
            assert!(!fault.words.zh.contains(parser), "{bad}: {}", fault.words.zh);
        }
    }
}

#[test]
fn keys_that_are_missing_or_stand_in_no_section_are_named_together() {
    let faults = parse("listen = \"127.0.0.1:1\"\n[node]\ndata_dir = \"d\"\nstamp_file = \"s\"\n").unwrap_err().faults();
    let told: Vec<_> = faults.iter().map(|fault| (fault.line, &*fault.words.zh)).collect();
    let expected = [
        (Some(1), "listen 不在任何區段內。請移到 [api] 或 [public] 或 [sync] 或 [gossip] 之下"),
        (Some(2), "[node] 缺少 key_file。請在 [node] 之下加一行，例如 key_file = \"/etc/holdfast/node.key\""),
        (Some(2), "[node] 缺少 alliance_file。請在 [node] 之下加一行，例如 alliance_file = \"/etc/holdfast/alliance.hf\""),
    ];
    assert_eq!(told, expected);
    assert_eq!(parse("").unwrap_err().faults().len(), 4);
}

/// The keys that reading takes in a section, or the sections: what it says to one that is none.
fn read_by(section: &str) -> BTreeSet<String> {
    let told = toml::from_str::<RawSettings>(&format!("{section}\nzzz = 1\n")).unwrap_err();
    let (_, names) = told.message().split_once("expected").expect("what would do");
    names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schema_names_what_is_read_and_nothing_else() {
    assert_eq!(schema::sections().into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), read_by(""));
    for section in schema::sections() {
        let named: BTreeSet<String> = schema::keys_of(section).map(|key| key.name.to_owned()).collect();
        assert_eq!(named, read_by(&format!("[{section}]")), "{section}");
    }
}

/// `configs/store.toml` with the keys that it only explains as if they were set.
fn store_in_full() -> String {
    let text = include_str!("../../../configs/store.toml");
    let set = |line: &str| {
        let bare = line.strip_prefix("# ").filter(|rest| rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')));
        bare.unwrap_or(line).to_owned()
    };
    text.lines().map(set).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_of_a_store_holds_every_key_and_no_other() {
    let text = store_in_full();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(schema::check(&text, &table), Vec::new());
    for section in schema::sections() {
        let there: BTreeSet<&str> = table[section].as_table().unwrap().keys().map(String::as_str).collect();
        assert_eq!(there, schema::keys_of(section).map(|key| key.name).collect(), "{section}");
    }
}

#[test]
fn the_example_of_a_store_tells_the_range_and_default_of_each_period() {
    let text = store_in_full();
    let settings = parse(&text).unwrap();
    let mut shown = settings.node.clone();
    let mut default = Config::default();
    let (_, timing) = text.split_once("[timing]").unwrap();
    for (key, min, max, period) in PERIODS {
        assert_eq!(period(&mut shown), period(&mut default), "{key}");
        let (explained, _) = timing.split_once(&format!("\n{key} = ")).unwrap();
        assert!(explained.lines().last().unwrap().contains(&format!("{min} to {max}")), "{key}");
    }
    assert_eq!(settings.reserve_bytes, Some(Options::default().reserve));
    assert!(timing.contains(&format!("0 to {RESERVE_MIB_MAX}")));
}
