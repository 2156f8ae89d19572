//! The page in a real browser, in both languages, with every host but loopback blocked: what node staff do in their first minutes.

use std::sync::Mutex;

use holdfast_tests::{Alliance, BLINK, Browser, Driver, Plan, SOON, eventually, missing};
use serde_json::json;

/// One browser at a time: two cores, and a browser takes both.
static ONE: Mutex<()> = Mutex::new(());

fn driver(test: &str) -> Option<Driver> {
    match Driver::start() {
        Ok(driver) => Some(driver),
        Err(what) => {
            missing(test, &what);
            None
        }
    }
}

/// The words of one language that the tests look for.
struct Words {
    language: &'static str,
    need: &'static str,
    linked: &'static str,
    cut: &'static str,
    exercise: &'static str,
}

const CHINESE: Words =
    Words {
        language: "zh-TW", need: "需要補給", linked: "已連線", cut: "網路中斷", exercise: "演練，非真實狀況"
    };
const ENGLISH: Words =
    Words { language: "en", need: "Need supplies", linked: "connected", cut: "Network is cut", exercise: "EXERCISE, NOT REAL" };

fn button(field: &str, word: &str) -> String {
    format!("#own [aria-labelledby=\"l-{field}\"] button[data-word=\"{word}\"]")
}

/// Waits until the card of a node on the board shows an operating status.
#[track_caller]
fn wait_card(browser: &Browser<'_>, node: &str, status: &str) {
    let find = "for (const card of document.querySelectorAll('#board article'))
        if (card.querySelector('h3').textContent === arguments[0]) return card.dataset.status;
        return 'no card';";
    eventually(SOON, &format!("the board shows {node} as {status}"), || {
        let shown = browser.script(find, &[json!(node)])?;
        if shown == status { Ok(()) } else { Err(shown.to_string()) }
    });
}

/// Nothing of the page is wider than the window, and no script broke.
#[track_caller]
fn always_fits_and_runs(browser: &Browser<'_>) {
    let wide = "return [document.documentElement.scrollWidth, window.innerWidth]";
    let sizes = browser.script(wide, &[]).expect("the page runs scripts");
    assert!(sizes[0].as_i64() <= sizes[1].as_i64(), "the page is wider than its window: {sizes}");
    let errors = browser.errors().expect("the console can be read");
    assert!(errors.is_empty(), "{errors:?}");
}

#[track_caller]
fn page(browser: &Browser<'_>, alliance: &Alliance, place: usize, words: &Words) {
    browser.go(&format!("http://127.0.0.1:{}/", alliance.node(place).settings.api_port));
    browser.wait_text(words.need, SOON);
    browser.wait_text(words.exercise, BLINK);
}

/// Status, stock and a request by hand; the other node's page shows them; a cut is said, and so is its end.
fn first_minutes(words: &Words, width: u32, height: u32) {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("the page in a browser") else { return };
    let alliance = Plan::of(2).start();
    let here = driver.open(words.language, width, height);
    let there = driver.open(words.language, width, height);
    page(&here, &alliance, 0, words);
    page(&there, &alliance, 1, words);
    here.wait_text(words.linked, SOON);
    here.click(&button("operating.status", "open"));
    here.click(&button("power.source", "generator"));
    here.click(&button("stock.water", "low"));
    wait_card(&there, "a", "open");
    alliance.wait_reading(1, 0, "stock.water", &json!("low"), BLINK);
    alliance.wait_reading(1, 0, "power.source", &json!("generator"), BLINK);
    here.click("#need select.item option[value=\"water\"]");
    here.type_into("#need input.count", "40");
    here.click("#need button[type=\"submit\"]");
    let id = eventually(SOON, "the request is on the other node", || {
        let requests = alliance.node(1).api().requests()?.requests;
        requests.first().map(|r| r.request.clone()).ok_or("none").map_err(str::to_owned)
    });
    here.wait_text(&id, BLINK);
    there.wait_text(&id, SOON);
    here.screenshot(&format!("page-{}-{width}", words.language));
    always_fits_and_runs(&here);
    always_fits_and_runs(&there);
    alliance.cut_off(0);
    here.wait_text(words.cut, BLINK);
    here.click(&button("operating.status", "limited"));
    here.screenshot(&format!("page-{}-{width}-cut", words.language));
    alliance.heal();
    wait_card(&there, "a", "limited");
    here.wait_text(words.linked, SOON);
    eventually(SOON, "the banner goes with the cut", || {
        let text = here.text()?;
        if text.contains(words.cut) { Err(text) } else { Ok(()) }
    });
    // A page without its daemon says so instead of showing old words as new.
    drop(alliance);
    here.wait_text("holdfastd", SOON);
}

#[test]
fn a_browser_can_be_driven_and_reaches_nothing_but_loopback() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("driving a browser") else { return };
    let browser = driver.open("zh-TW", 390, 844);
    browser.go("data:text/html,<body><input id=i><button onclick=\"this.textContent=i.value\">?</button>");
    browser.type_into("#i", "水 40");
    browser.click("button");
    browser.wait_text("水 40", BLINK);
    assert_eq!(browser.script("return navigator.language", &[]).expect("a script"), "zh-TW");
    let reached =
        browser.script("return fetch('http://example.com/', { mode: 'no-cors' }).then(() => 'reached', () => 'blocked')", &[]);
    assert_eq!(reached.expect("a script"), "blocked");
    assert!(browser.screenshot("driven").metadata().expect("a picture").len() > 1_000);
}

#[test]
fn staff_use_the_page_in_chinese_on_a_desk() {
    first_minutes(&CHINESE, 1_024, 768);
}

#[test]
fn staff_use_the_page_in_english_on_a_phone() {
    first_minutes(&ENGLISH, 390, 844);
}

#[test]
fn the_language_can_be_switched_and_a_slip_of_the_finger_is_said() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("switching the language") else { return };
    let alliance = Plan::of(1).start();
    let browser = driver.open("en", 1_024, 768);
    page(&browser, &alliance, 0, &ENGLISH);
    browser.click("#lang-zh");
    browser.wait_text(CHINESE.need, BLINK);
    browser.click("#lang-en");
    browser.wait_text(ENGLISH.need, BLINK);
    browser.click("#need button[type=\"submit\"]");
    browser.wait_text("whole number above 0", BLINK);
    assert!(alliance.node(0).api().requests().expect("requests").requests.is_empty());
    always_fits_and_runs(&browser);
}
