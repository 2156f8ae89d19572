//! Goods on the page in a real browser: a hub promises and sends by pressing, the store counts and signs, and what two halves promised
//! is decided with one press.

use holdfast_tests::{Alliance, BLINK, Browser, Driver, Plan, SOON, eventually};
use serde_json::{Value, json};

use crate::browser::{CHINESE, ENGLISH, ONE, Words, always_fits_and_runs, driver, page};

/// The store that asks and the hubs that send.
const STORE: usize = 0;
const HUB: usize = 1;
const OTHER: usize = 2;

/// Presses the button of a card once it is there.
#[track_caller]
fn press(browser: &Browser<'_>, act: &str) {
    let css = format!("[data-act^=\"{act} \"]");
    let there = "return document.querySelectorAll(arguments[0]).length";
    eventually(SOON, &format!("a button to {act}"), || match browser.script(there, &[json!(css)])?.as_u64() {
        Some(1) => Ok(()),
        found => Err(format!("{found:?} of them: {}", browser.text()?)),
    });
    browser.click(&css);
}

/// The same, and yes to the question that follows.
#[track_caller]
fn press_yes(browser: &Browser<'_>, act: &str) {
    press(browser, act);
    browser.click("#ask button.main");
}

/// Sets a number of the receipt, by its place in the row.
#[track_caller]
fn counted(browser: &Browser<'_>, place: usize, number: u32) {
    let set = "const input = document.querySelectorAll('#goods .receipt input')[arguments[0]]; input.value = arguments[1];";
    browser.script(set, &[json!(place), json!(number)]).expect("the receipt has fields");
}

fn told(alliance: &Alliance, place: usize, args: &[&str]) -> Value {
    alliance.node(place).cli(&[args, &["--json"]].concat()).exits(0).json()
}

/// Waits until the one line of coverage is so: asked, promised, on the road, there, lacking.
#[track_caller]
fn covered(alliance: &Alliance, place: usize, wanted: [u64; 5]) {
    eventually(SOON, &format!("coverage is {wanted:?}"), || {
        let told = told(alliance, place, &["coverage"]);
        let stages = ["requested", "committed", "in_transit", "accepted", "lacking"];
        let found = stages.map(|stage| told["lines"][0][stage].as_u64().unwrap_or(u64::MAX));
        if found == wanted { Ok(()) } else { Err(told.to_string()) }
    });
}

fn asked(alliance: &Alliance, places: &[usize]) {
    for place in places {
        let _ = alliance.node(*place).cli(&["stock", "count", "water=120"]).saved();
    }
    let _ = alliance.node(STORE).cli(&["request", "new", "--item", "water:40", "--priority", "urgent"]).saved();
    alliance.wait_equal(SOON);
}

fn from_need_to_receipt(driver: &Driver, words: &Words, width: u32, height: u32) {
    let alliance = Plan::of(2).start();
    asked(&alliance, &[HUB]);
    let (store, hub) = (driver.open(words.language, width, height), driver.open(words.language, width, height));
    page(&store, &alliance, STORE, words);
    page(&hub, &alliance, HUB, words);
    press_yes(&hub, "promise");
    covered(&alliance, STORE, [40, 40, 0, 0, 0]);
    press(&hub, "consign");
    press(&hub, "load");
    press(&hub, "depart");
    hub.screenshot(&format!("goods-{}-{width}-hub", words.language));
    covered(&alliance, STORE, [40, 0, 40, 0, 0]);
    press(&store, "count");
    counted(&store, 0, 37);
    counted(&store, 1, 1);
    store.screenshot(&format!("goods-{}-{width}-store", words.language));
    press(&store, "sign");
    covered(&alliance, HUB, [40, 0, 0, 37, 3]);
    always_fits_and_runs(&store);
    always_fits_and_runs(&hub);
    let shown = told(&alliance, HUB, &["convoy", "list"]);
    let line = &shown["consignments"][0]["lines"][0];
    assert_eq!((&line["accepted"], &line["damaged"], &line["missing"]), (&json!(37), &json!(1), &json!(2)), "{shown}");
}

#[test]
fn goods_are_promised_sent_counted_and_signed_for_on_the_page_in_chinese() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("goods on the page") else { return };
    from_need_to_receipt(&driver, &CHINESE, 1_024, 768);
}

#[test]
fn goods_are_promised_sent_counted_and_signed_for_on_a_phone_in_english() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("goods on a phone") else { return };
    from_need_to_receipt(&driver, &ENGLISH, 390, 844);
}

#[test]
fn what_two_halves_promised_is_decided_with_one_press_by_whom_it_concerns() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("a conflict on the page") else { return };
    let alliance = Plan::of(3).start();
    asked(&alliance, &[HUB, OTHER]);
    let (hub, other) = (driver.open("zh-TW", 1_024, 768), driver.open("zh-TW", 1_024, 768));
    page(&hub, &alliance, HUB, &CHINESE);
    page(&other, &alliance, OTHER, &CHINESE);
    let request = told(&alliance, HUB, &["request", "list"])["requests"][0]["request"].as_str().expect("a request").to_owned();
    alliance.cut_off(OTHER);
    let _ = alliance.node(HUB).cli(&["commit", &request, "--arrival", "2h"]).saved();
    let _ = alliance.node(OTHER).cli(&["commit", &request, "--arrival", "5h"]).saved();
    alliance.heal();
    hub.wait_text("承諾超過需求", SOON);
    other.wait_text("承諾超過需求", SOON);
    other.screenshot("conflict-zh-TW");
    press_yes(&other, "resolve");
    covered(&alliance, STORE, [40, 40, 0, 0, 0]);
    eventually(SOON, "nothing is left to decide", || {
        let text = hub.text()?;
        if text.contains("承諾超過需求") { Err(text) } else { Ok(()) }
    });
    hub.wait_text("目前沒有運送中的物資", BLINK);
    always_fits_and_runs(&hub);
    always_fits_and_runs(&other);
}
