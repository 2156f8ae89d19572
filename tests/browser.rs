//! The page in a real browser, in both languages, with every host but loopback blocked: what node staff do in their first minutes.

use std::sync::Mutex;

use holdfast_tests::{Alliance, BLINK, Browser, Driver, Plan, SOON, eventually, missing};
use serde_json::{Value, json};

/// One browser at a time: two cores, and a browser takes both.
pub(crate) static ONE: Mutex<()> = Mutex::new(());

pub(crate) fn driver(test: &str) -> Option<Driver> {
    match Driver::start() {
        Ok(driver) => Some(driver),
        Err(what) => {
            missing(test, &what);
            None
        }
    }
}

/// The words of one language that the tests look for.
pub(crate) struct Words {
    pub(crate) language: &'static str,
    need: &'static str,
    linked: &'static str,
    cut: &'static str,
    exercise: &'static str,
}

pub(crate) const CHINESE: Words =
    Words {
        language: "zh-TW", need: "需要補給", linked: "已連線", cut: "網路中斷", exercise: "演練，非真實狀況"
    };
pub(crate) const ENGLISH: Words =
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
pub(crate) fn always_fits_and_runs(browser: &Browser<'_>) {
    let wide = "return [document.documentElement.scrollWidth, window.innerWidth]";
    let sizes = browser.script(wide, &[]).expect("the page runs scripts");
    assert!(sizes[0].as_i64() <= sizes[1].as_i64(), "the page is wider than its window: {sizes}");
    let errors = browser.errors().expect("the console can be read");
    assert!(errors.is_empty(), "{errors:?}");
}

#[track_caller]
pub(crate) fn page(browser: &Browser<'_>, alliance: &Alliance, place: usize, words: &Words) {
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
    browser.click("#lang-zh");
    browser.wait_text("大於 0 的整數", BLINK);
    browser.click("#lang-en");
    browser.wait_text("whole number above 0", BLINK);
    browser.type_into("#own input[aria-labelledby=\"l-capacity.people\"]", "2.5\t");
    browser.wait_text("Give a whole number from 0 to 1000000.", BLINK);
    browser.click(&button("operating.status", "open"));
    wait_line(&browser, "Operating: open");
    assert_eq!(value(&browser, "#own input[aria-labelledby=\"l-capacity.people\"]"), "2.5");
    browser.type_into("#board input[type=\"search\"]", "nowhere");
    browser.wait_text("No site found.", BLINK);
    assert!(alliance.node(0).api().requests().expect("requests").requests.is_empty());
    always_fits_and_runs(&browser);
}

/// All words of the page, those that are only spoken included, with every number as 0.
const WORDS: &str = "const spoken = [...document.querySelectorAll('main *, header *, nav *')].flatMap(one =>
    [one.getAttribute('aria-label'), one.getAttribute('placeholder'), one.childElementCount ? '' : one.textContent]);
    return [document.body.innerText, ...spoken].join('|').replace(/\\d+/g, '0');";

#[test]
fn a_switched_page_has_every_word_that_one_opened_in_that_language_has() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("a switched page") else { return };
    let alliance = Plan::of(2).start();
    let api = alliance.node(0).api();
    let _ = api.report(&[("operating.status", "open"), ("stock.water", "low"), ("message.public", "x")]).expect("a report");
    let _ = api.ask_for("water:40", "x", None).expect("a request");
    for (from, to, switch) in [(&ENGLISH, &CHINESE, "#lang-zh"), (&CHINESE, &ENGLISH, "#lang-en")] {
        let (switched, opened) = (driver.open(from.language, 1_024, 768), driver.open(to.language, 1_024, 768));
        page(&switched, &alliance, 0, from);
        page(&opened, &alliance, 0, to);
        switched.click(switch);
        eventually(SOON, "both pages have the same words", || {
            let (have, want) = (switched.script(WORDS, &[])?, opened.script(WORDS, &[])?);
            if have == want { Ok(()) } else { Err(format!("{have}\n{want}")) }
        });
    }
}

/// Everything on the page that a person types, chooses, presses or opens, as it stands.
const FILLED: &str = "return [...document.querySelectorAll(arguments[0])].flatMap(part =>
    [...part.querySelectorAll('input, select, button[aria-pressed], details')]).map(one =>
    one.matches('details') ? one.open : [one.id, one.getAttribute('aria-pressed') ?? one.value, one.hidden]);";

fn filled(browser: &Browser<'_>, part: &str) -> Vec<Value> {
    let found = browser.script(FILLED, &[json!(part)]).expect("what is filled in");
    found.as_array().expect("a list").clone()
}

/// Puts 10:00 on 5 January, two years from now, into the form as the time when it is needed; gives back the year.
fn needed_far_ahead(browser: &Browser<'_>) -> u64 {
    browser.click("#by option[value=\"own\"]");
    let pick = "const at = document.querySelector('#need input[type=\"datetime-local\"]'), year = new Date().getFullYear() + 2;
        at.value = `${year}-01-05T10:00`;
        for (const name of ['input', 'change']) at.dispatchEvent(new Event(name, { bubbles: true }));
        return year";
    browser.script(pick, &[]).expect("a date is picked").as_u64().expect("a year")
}

/// Fills in all of the request form.
fn fill_the_form(browser: &Browser<'_>) -> u64 {
    browser.click("#need select.item option[value=\"rice\"]");
    browser.type_into("#need input.count", "7");
    browser.click("#need .lines + button");
    browser.click("#need .line:nth-child(2) option[value=\"other\"]");
    browser.type_into("#need .line:nth-child(2) input.other", "bolts");
    browser.type_into("#need .line:nth-child(2) input.count", "3");
    browser.click("#need .choices button:nth-child(2)");
    browser.click("#to option:last-child");
    browser.type_into("#note", "half");
    needed_far_ahead(browser)
}

/// The notice to everybody, among the details of one's own site.
const NOTICE: &str = "#own input[aria-labelledby=\"l-message.public\"]";

fn value(browser: &Browser<'_>, input: &str) -> Value {
    browser.script("return document.querySelector(arguments[0]).value", &[json!(input)]).expect("a value")
}

/// A picture with this part of the page in the middle.
fn picture_of(browser: &Browser<'_>, part: &str, name: &str) {
    let look = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
    browser.script(look, &[json!(part)]).expect("the page scrolls");
    browser.screenshot(name);
}

#[test]
fn what_is_typed_or_chosen_stays_when_the_language_is_switched_or_something_else_is_pressed() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("half-typed forms") else { return };
    let alliance = Plan::of(2).start();
    let browser = driver.open("en", 1_280, 900);
    page(&browser, &alliance, 0, &ENGLISH);
    let _ = fill_the_form(&browser);
    browser.type_into("#board input[type=\"search\"]", "a");
    browser.script("for (const more of document.querySelectorAll('#own details')) more.open = true", &[]).expect("all is open");
    browser.type_into(NOTICE, "half a notice");
    // Another press, and news from elsewhere, about this field too.
    browser.click(&button("operating.status", "open"));
    wait_line(&browser, "Reached 1 node");
    let _ = alliance.node(0).api().report(&[("power.source", "generator"), ("message.public", "other")]).expect("a report");
    let generator = format!("return document.querySelector('{}').ariaPressed", button("power.source", "generator"));
    eventually(SOON, "the news is on the page", || {
        let pressed = browser.script(&generator, &[])?;
        if pressed == "true" { Ok(()) } else { Err(pressed.to_string()) }
    });
    assert_eq!(value(&browser, NOTICE), "half a notice");
    browser.wait_text("Not saved yet", BLINK);
    browser.click("#board .find button");
    let before = filled(&browser, "main");
    for value in ["rice", "7", "other", "bolts", "3", "own", "half", "half a notice", "a"] {
        assert!(before.iter().any(|one| one[1] == value), "{value} is not among {before:?}");
    }
    picture_of(&browser, "#need", "page-en-1280-filled");
    for (switch, words) in [("#lang-zh", &CHINESE), ("#lang-en", &ENGLISH)] {
        browser.click(switch);
        browser.wait_text(words.need, BLINK);
        assert_eq!(filled(&browser, "main"), before, "{}", words.language);
        picture_of(&browser, NOTICE, &format!("page-{}-1280-switched", words.language));
    }
    browser.click(&format!("{NOTICE} + button"));
    alliance.wait_reading(1, 0, "message.public", &json!("half a notice"), SOON);
    // Once saved it follows what is reported again.
    let _ = alliance.node(0).api().report(&[("message.public", "other")]).expect("a report");
    eventually(SOON, "the notice follows", || {
        let shown = value(&browser, NOTICE);
        if shown == "other" { Ok(()) } else { Err(shown.to_string()) }
    });
    always_fits_and_runs(&browser);
}

#[test]
fn after_sending_the_whole_form_is_empty_again_and_a_far_date_has_its_year() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("sending a whole form") else { return };
    let alliance = Plan::of(2).start();
    let browser = driver.open("en", 1_280, 900);
    page(&browser, &alliance, 0, &ENGLISH);
    let empty = filled(&browser, "#need form");
    let year = fill_the_form(&browser);
    browser.click("#need button[type=\"submit\"]");
    let request = eventually(SOON, "the request is saved", || {
        alliance.node(0).api().requests()?.requests.pop().ok_or_else(|| "none".to_owned())
    });
    assert_eq!((request.lines.len(), request.priority.as_str(), request.note.as_deref()), (2, "urgent", Some("half")));
    assert_eq!(request.to.map(|to| to.name).as_deref(), Some("b"));
    browser.wait_text(&request.request, BLINK);
    eventually(SOON, "the form is empty", || {
        let left = filled(&browser, "#need form");
        if left == empty { Ok(()) } else { Err(format!("{left:?}")) }
    });
    browser.wait_text(&format!("Needed by {year}/01/05 10:00"), BLINK);
    always_fits_and_runs(&browser);
}

#[test]
fn the_date_of_a_request_keeps_to_its_place_in_the_form() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("the date in the form") else { return };
    let alliance = Plan::of(1).start();
    let boxes = "const of = id => document.querySelector(id).getBoundingClientRect();
        const [by, at, note] = [of('#by'), of('#need input[type=\"datetime-local\"]'), of('#note')];
        const beside = Math.max(by.right, at.right) <= note.left, below = Math.max(by.bottom, at.bottom) <= note.top;
        return [beside || below, at.width >= 300, by.height === note.height]";
    for (words, width) in [(&ENGLISH, 390), (&CHINESE, 390), (&ENGLISH, 1_280), (&CHINESE, 1_280), (&CHINESE, 1_440)] {
        let browser = driver.open(words.language, width, 900);
        page(&browser, &alliance, 0, words);
        let _ = needed_far_ahead(&browser);
        let found = browser.script(boxes, &[]).expect("the boxes");
        picture_of(&browser, "#by", &format!("page-{}-{width}-date", words.language));
        assert_eq!(found, json!([true, true, true]), "{width} {}", words.language);
        always_fits_and_runs(&browser);
    }
}

/// Asks for so much water, waits until the page lists it, and says whom it asks.
#[track_caller]
fn ask(browser: &Browser<'_>, alliance: &Alliance, count: u64) -> Option<String> {
    browser.type_into("#need input.count", &count.to_string());
    browser.click("#need button[type=\"submit\"]");
    let request = eventually(SOON, "the request is saved", || {
        let requests = alliance.node(0).api().requests()?.requests;
        requests.into_iter().find(|request| request.lines[0].requested == count).ok_or_else(|| "not there".to_owned())
    });
    browser.wait_text(&request.request, BLINK);
    request.to.map(|to| to.name)
}

#[test]
fn a_request_asks_whom_the_page_names_and_the_list_says_whom_it_asked() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("whom a request asks") else { return };
    let mut alliance = Plan::of(2).make();
    alliance.start();
    let browser = driver.open("en", 1_024, 768);
    let choices = "return [...document.querySelectorAll('#to option')].map(option => option.textContent)";
    page(&browser, &alliance, 0, &ENGLISH);
    let hub = format!("b ({})", alliance.node(1).id);
    assert_eq!(browser.script(choices, &[]).expect("the choices"), json!(["Every hub", hub]));
    assert_eq!(ask(&browser, &alliance, 41), None);
    browser.wait_text("Asks: Every hub", BLINK);
    browser.click("#to option:last-child");
    assert_eq!(ask(&browser, &alliance, 42).as_deref(), Some("b"));
    browser.wait_text("Asks: b", BLINK);
    // With a home hub that is what asking nobody by name means, as on the command line.
    alliance.node_mut(0).stop();
    alliance.node_mut(0).settings.home_hub = Some(alliance.node(1).id);
    alliance.node_mut(0).start();
    page(&browser, &alliance, 0, &ENGLISH);
    assert_eq!(browser.script(choices, &[]).expect("the choices"), json!(["Home hub: b", "Every hub"]));
    assert_eq!(ask(&browser, &alliance, 43).as_deref(), Some("b"));
    browser.click("#to option[value=\"all\"]");
    assert_eq!(ask(&browser, &alliance, 44), None);
    let look = "document.getElementById('to').scrollIntoView({ block: 'start', behavior: 'instant' }); window.scrollBy(0, -150)";
    browser.script(look, &[]).expect("the page scrolls");
    browser.screenshot("page-en-whom");
    browser.click("#lang-zh");
    browser.wait_text("所屬集散中心：b", BLINK);
    browser.wait_text("對象：所有集散中心", BLINK);
    browser.script(look, &[]).expect("the page scrolls");
    browser.screenshot("page-zh-TW-whom");
    always_fits_and_runs(&browser);
}

/// A catalogue with nothing of the built-in one.
const OWN_GOODS: &str = "[[item]]\ncode = \"sandbag\"\nen = \"Sandbag\"\nzh = \"沙包\"\nunit = \"H87\"\ngroup = \"flood\"\nlow = 50\nnearly_out = 10\n";

#[test]
fn goods_of_an_alliances_own_catalogue_are_called_by_its_names_on_the_page_and_the_command_line() {
    let mut alliance = Plan::of(1).make();
    std::fs::write(alliance.node(0).dir().join("items.toml"), OWN_GOODS).expect("the catalogue");
    alliance.node_mut(0).env.insert("HOLDFAST_NODE__CATALOGUE_FILE".to_owned(), "items.toml".to_owned());
    alliance.start();
    let node = alliance.node(0);
    let _ = node.cli(&["report", "stock", "sandbag=120"]).saved();
    let _ = node.cli(&["request", "new", "--item", "sandbag:40"]).saved();
    for (lang, stock, asked) in
        [("en", "Sandbag plenty 120 pieces", "Sandbag 40 pieces"), ("zh-TW", "沙包 充足 120 個", "沙包 40 個")]
    {
        let said = node.cli(&["status", "--lang", lang]).exits(0).out;
        assert!(said.contains(stock) && said.contains(asked) && !said.contains("sandbag"), "{said}");
        let said = node.cli(&["request", "list", "--lang", lang]).exits(0).out;
        assert!(said.contains(asked) && !said.contains("sandbag"), "{said}");
    }
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("the names of goods") else { return };
    for (words, name) in [(&CHINESE, "沙包"), (&ENGLISH, "Sandbag")] {
        let browser = driver.open(words.language, 1_024, 768);
        page(&browser, &alliance, 0, words);
        browser.wait_text(&format!("{name} 40"), BLINK);
        let text = browser.text().expect("the page has text");
        assert!(!text.contains("sandbag"), "{text}");
        browser.screenshot(&format!("page-{}-own-goods", words.language));
    }
}

/// The line below the buttons of one's own site.
fn own_line(browser: &Browser<'_>) -> Result<String, String> {
    let line = browser.script("return document.querySelector('#own .foot').innerText", &[])?;
    Ok(line.as_str().unwrap_or_default().to_owned())
}

#[track_caller]
fn wait_line(browser: &Browser<'_>, part: &str) {
    eventually(SOON, &format!("the line says {part:?}"), || {
        let line = own_line(browser)?;
        if line.contains(part) { Ok(()) } else { Err(line) }
    });
}

#[test]
fn after_a_restart_of_the_node_the_page_says_how_far_the_last_report_got() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("a report followed over a restart") else { return };
    let mut alliance = Plan::of(2).start();
    let browser = driver.open("en", 1_024, 768);
    page(&browser, &alliance, 0, &ENGLISH);
    browser.click(&button("operating.status", "open"));
    wait_line(&browser, "Reached 1 node");
    alliance.node_mut(0).kill();
    alliance.node_mut(0).start();
    page(&browser, &alliance, 0, &ENGLISH);
    wait_line(&browser, "Reached 1 node");
    browser.click("#lang-zh");
    wait_line(&browser, "已傳到 1 個據點");
    // A store that was lost knows nothing of it: then nothing is claimed.
    alliance.node_mut(0).kill();
    alliance.node_mut(1).kill();
    std::fs::remove_dir_all(alliance.node(0).data_dir()).expect("the store is lost");
    alliance.node_mut(0).start();
    page(&browser, &alliance, 0, &CHINESE);
    wait_line(&browser, "營運狀況：開放");
    let line = own_line(&browser).expect("the line");
    assert!(!line.contains("尚未送出") && !line.contains("已傳到"), "{line}");
}

#[test]
fn a_press_that_nothing_answered_is_said_in_one_wording_until_the_next_press() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("a press that nothing answered") else { return };
    let mut alliance = Plan::of(2).start();
    let browser = driver.open("en", 1_024, 768);
    page(&browser, &alliance, 0, &ENGLISH);
    browser.click(&button("operating.status", "open"));
    wait_line(&browser, "Reached 1 node");
    browser.type_into("#need input.count", "41");
    alliance.node_mut(0).kill();
    browser.click(&button("stock.water", "low"));
    wait_line(&browser, "does not answer, so this may not be saved");
    // The links that the header counted went with the program.
    let header = "return document.querySelector('header').innerText";
    eventually(SOON, "the header claims no links", || {
        let said = browser.script(header, &[])?;
        let said = said.as_str().unwrap_or_default();
        if said.contains("not known") && !said.contains(ENGLISH.linked) { Ok(()) } else { Err(said.to_owned()) }
    });
    browser.click("#need button[type=\"submit\"]");
    let trouble = "return document.querySelector('#need form .trouble').innerText";
    let form_says = |part: &str| {
        eventually(SOON, &format!("the form says {part}"), || {
            let said = browser.script(trouble, &[])?;
            if said.as_str().is_some_and(|said| said.contains(part)) { Ok(()) } else { Err(said.to_string()) }
        });
    };
    form_says("may not be saved");
    browser.click("#lang-zh");
    wait_line(&browser, "本機程式沒有回應，這次可能沒有儲存");
    let line = own_line(&browser).expect("the line");
    assert!(line.matches("沒有儲存").count() == 1 && line.contains("H-620") && !line.contains("營運狀況"), "{line}");
    browser.screenshot("page-zh-TW-1024-gone");
    alliance.node_mut(0).start();
    wait_line(&browser, "請再按一次");
    browser.click("#lang-en");
    wait_line(&browser, "answers again, but this may not be saved. Press again.");
    form_says("Press again.");
    browser.wait_text(ENGLISH.linked, SOON);
    let text = browser.text().expect("the page has text");
    assert!(!text.contains("Not saved.") && !text.contains("does not answer"), "{text}");
    browser.screenshot("page-en-1024-back");
    browser.click(&button("stock.water", "low"));
    wait_line(&browser, "Drinking water: Low");
    assert!(!own_line(&browser).expect("the line").contains("H-620"));
    // The form was kept, and pressing again asks once.
    browser.click("#need button[type=\"submit\"]");
    eventually(SOON, "the request is saved", || {
        let requests = alliance.node(0).api().requests()?.requests;
        if requests.len() == 1 && requests[0].lines[0].requested == 41 { Ok(()) } else { Err(format!("{requests:?}")) }
    });
}

#[test]
fn a_question_rests_on_no_and_a_request_says_once_who_received_it() {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("a question") else { return };
    let alliance = Plan::of(2).start();
    let browser = driver.open("en", 390, 844);
    page(&browser, &alliance, 0, &ENGLISH);
    browser.type_into("#need input.count", "40");
    browser.screenshot("page-en-390-form");
    browser.click("#need button[type=\"submit\"]");
    let card = "return document.querySelector('#need article')?.innerText ?? ''";
    eventually(SOON, "the hub received it", || {
        let card = browser.script(card, &[])?;
        let said = card.as_str().unwrap_or_default().matches("Received: b").count();
        if said == 1 { Ok(()) } else { Err(card.to_string()) }
    });
    let badge = browser.script("return document.querySelector('#need article .chip:last-child').textContent", &[]);
    assert_eq!(badge.expect("the badge"), "Received");
    let listed = alliance.node(0).cli(&["request", "list", "--lang", "en"]).exits(0).out;
    assert!(listed.contains("received") && !listed.contains("acknowledged"), "{listed}");
    browser.click("#need article button[data-act^=\"cancel\"]");
    let focused = browser.script("return document.activeElement.textContent", &[]).expect("the focus");
    assert_eq!(focused, "No");
    browser.click("#ask button:not(.main)");
    assert_eq!(alliance.node(0).api().requests().expect("requests").requests[0].status, "acknowledged");
    always_fits_and_runs(&browser);
}
