//! The page's files: nothing inline, nothing from outside, data only as text, words in both languages, weight.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::api::page::ASSETS;

/// people.md 2.3, and that is after compression; this is before.
const WEIGHT_MAX: usize = 150 * 1_024;

fn index() -> &'static str {
    include_str!("../../../assets/index.html")
}

fn words(name: &str) -> BTreeMap<String, String> {
    let asset = ASSETS.iter().find(|asset| asset.path == format!("/i18n/{name}.json")).expect("embedded");
    serde_json::from_str(asset.text).expect("a flat object of texts")
}

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    ASSETS.iter().filter(|asset| asset.path.ends_with(".js")).map(|asset| (asset.path, asset.text))
}

#[tokio::test]
async fn the_page_names_its_realm_from_the_first_byte() {
    let server = Server::start().await;
    let page = server.raw("GET /", &[&server.host()], b"").await;
    assert!(page.body.contains("data-realm=\"exercise\""));
    assert!(page.body.contains("EXERCISE, NOT REAL"));
    for asset in ASSETS {
        let got = server.raw(&format!("GET {}", asset.path), &[&server.host()], b"").await;
        assert_eq!((got.status, got.header("content-type")), (200, Some(asset.kind)), "{}", asset.path);
    }
}

#[test]
fn the_page_has_no_inline_script_style_or_handler_and_loads_nothing_from_outside() {
    let page = index();
    assert_eq!(page.matches("<script").count(), page.matches("<script type=\"module\" src=\"/").count());
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains("javascript:"));
    for (at, _) in page.match_indices(" on") {
        assert!(
            !page[at + 1..].split(['=', ' ', '>']).next().is_some_and(|name| page[at + 1 + name.len()..].starts_with("=\"")),
            "{at}"
        );
    }
    for (name, text) in scripts().chain([("index.html", page), ("app.css", ASSETS[0].text)]) {
        for outside in ["http://", "https://", "//cdn", "@import", "url("] {
            assert!(!text.contains(outside), "{name} has {outside}");
        }
    }
}

#[test]
fn data_only_ever_becomes_text_so_a_name_can_hold_no_markup() {
    for (name, text) in scripts() {
        for risky in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "createContextualFragment",
            "DOMParser",
            "srcdoc",
            "setHTML",
            "\"style\"",
            "href:",
            "src:",
        ] {
            assert!(!text.contains(risky), "{name} uses {risky}");
        }
    }
}

#[test]
fn both_languages_have_the_same_keys_and_the_same_blanks() {
    let (en, zh) = (words("en"), words("zh-TW"));
    assert_eq!(en.keys().collect::<Vec<_>>(), zh.keys().collect::<Vec<_>>());
    let blanks = |text: &str| -> BTreeSet<String> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
    };
    for (key, text) in &en {
        assert_eq!(blanks(text), blanks(&zh[key]), "{key}");
        assert!(!text.is_empty() && !zh[key].is_empty(), "{key}");
        assert!(!zh[key].is_ascii() || text.len() <= 3 || key.starts_with("unit."), "{key} is not translated");
    }
}

#[test]
fn every_key_the_page_asks_for_is_there() {
    let en = words("en");
    let keys = |text: &'static str, before: &'static str| {
        text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect::<Vec<_>>()
    };
    let mut asked = keys(index(), "data-say=\"");
    asked.extend(
        scripts().flat_map(|(_, text)| keys(text, " t(\"").into_iter().chain(keys(text, "(t(\"")).chain(keys(text, "{t(\""))),
    );
    assert!(asked.len() > 40, "{}", asked.len());
    for key in asked {
        assert!(en.contains_key(key), "{key}");
    }
    for (family, members) in [
        ("status", &["open", "limited", "closed", "evacuating", "unknown"][..]),
        ("delivery", &["saved_here", "reached", "received", "acted_on"]),
        ("because", &["two_stories", "revoked", "stale", "never_said"]),
        (
            "request",
            &[
                "submitted",
                "acknowledged",
                "partly_committed",
                "committed",
                "in_transit",
                "partly_fulfilled",
                "fulfilled",
                "declined",
                "unable_to_fill",
                "duplicate",
                "cancelled",
                "closed",
                "expired",
            ],
        ),
        ("flag", &["cancel_of_older_version", "late_facts", "expired", "requester_frozen", "in_question", "duplicate_of"]),
        ("flag", &["over_covered", "older_version", "overloaded"]),
        ("goods.state", &["planned", "loaded", "departed", "arrived", "handed_over", "received", "refused", "unloaded"]),
        ("goods.state", &["lost", "returned"]),
        ("goods.held", &["received", "handed_over", "departed", "loaded", "committed"]),
        ("goods.conflict", &["over_covered", "unneeded", "older_version", "unconfirmed"]),
        ("goods.proposal", &["release", "unload", "divert", "surplus", "receive", "confirm"]),
        ("goods.flag", &["diverted", "unconfirmed_delivery", "short_shipped", "second_receipt", "in_question", "unasked"]),
        ("goods.step", &["load", "depart", "arrive", "hand_over", "unload"]),
        ("basis", &["self_reported", "sensor", "inferred", "inspected", "crowd", "carried"]),
        ("priority", &["immediate", "urgent", "routine", "low"]),
        ("role", &["store", "hub", "authority"]),
    ] {
        for member in members {
            assert!(en.contains_key(&format!("{family}.{member}")), "{family}.{member}");
        }
    }
}

#[test]
fn the_chinese_is_taiwans_with_its_own_punctuation() {
    // people.md section 6, and the everyday words the two usages differ in most.
    let mainland = [
        "結點",
        "護航",
        "治癒",
        "對等端",
        "隊列",
        "撤銷",
        "保存",
        "設置",
        "網絡",
        "服務器",
        "默認",
        "數據",
        "軟件",
        "屏幕",
        "信息",
        "登錄",
        "激活",
        "支持",
        "質量",
        "視頻",
        "打印",
        "鏈接",
        "刷新",
        "加載",
        "通過",
        "打烊",
        "你",
        "优",
        "网",
        "电",
    ];
    let pages = words("zh-TW").into_values().chain([index().to_owned(), include_str!("../error.rs").to_owned()]);
    for text in pages {
        for word in mainland {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    for (key, text) in words("zh-TW") {
        let chars: Vec<char> = text.chars().collect();
        for pair in chars.windows(2) {
            let chinese = ('\u{3400}'..='\u{9fff}').contains(&pair[0]);
            assert!(!(chinese && ",;:?!()".contains(pair[1])), "{key}: half-width punctuation in {text}");
        }
    }
}

#[test]
fn the_whole_page_is_under_its_weight() {
    let weight: usize = index().len() + ASSETS.iter().map(|asset| asset.text.len()).sum::<usize>();
    assert!(weight <= WEIGHT_MAX, "{weight}");
}
