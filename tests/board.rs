//! The public's board at a real node's door: what visitors see, what staff hides, the board as files, and all of it in a browser
//! without scripts.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::Path;

use holdfast_proto::identity::RealmKind;
use holdfast_tests::{Alliance, Answered, Api, BLINK, Browser, Driver, Plan, SOON, eventually, free_port, missing, raw};
use serde_json::{Value, json};

/// Two nodes in an exercise; the first one has a board at its door.
fn alliance() -> Alliance {
    alliance_known_as(None)
}

/// The same, where people are given this address.
fn alliance_known_as(address: Option<&str>) -> Alliance {
    let mut alliance = Plan::of(2).in_realm(RealmKind::Exercise).make();
    if let Some(address) = address {
        alliance.node_mut(0).env.insert("HOLDFAST_PUBLIC__ADDRESS".to_owned(), address.to_owned());
    }
    alliance.node_mut(0).settings.public_port = Some(free_port());
    alliance.start();
    let (own, other) = (alliance.node(0).api(), alliance.node(1).api());
    let said = [
        ("operating.status", "open"),
        ("access.status", "normal"),
        ("power.source", "generator"),
        ("network.mobile", "on"),
        ("message.public", "每人限領 2 瓶，10:00 發號碼牌"),
        ("stock.water", "120"),
        ("stock.rice", "low"),
        ("stock.bread", "none"),
        ("stock.batteries_aa", "nearly_out"),
        ("service.charging", "adequate"),
        ("service.wifi", "insufficient"),
        ("service.toilet", "not_offered"),
        ("message.staff", "ask for Lin at the back door"),
        ("capacity.people", "4321"),
    ];
    let _ = own.report(&said).expect("a report");
    let _ = other.report(&[("operating.status", "closed"), ("stock.blankets", "plenty")]).expect("a report");
    alliance.wait_reading(0, 1, "operating.status", &json!("closed"), SOON);
    alliance
}

fn door(alliance: &Alliance) -> Api {
    Api::new(alliance.node(0).settings.public_port.expect("a board"), "")
}

/// Waits until the first page has these words.
#[track_caller]
fn wait_page(door: &Api, words: &[&str]) -> Answered {
    eventually(SOON, &format!("the board shows {words:?}"), || {
        let page = door.get("/?lang=zh-TW")?;
        if words.iter().all(|words| page.body.contains(words)) { Ok(page) } else { Err(page.body) }
    })
}

#[test]
fn the_public_reads_a_real_node_and_can_do_nothing_else() {
    let mut alliance = alliance();
    let door = door(&alliance);
    let page = wait_page(&door, &["偏少", "每人限領 2 瓶", "關閉", "演練，非真實狀況", "EXERCISE, NOT REAL"]);
    for secret in
        ["120", "4321", "Lin", &alliance.node(1).settings.sync_address(), &alliance.node(0).settings.sync_port.to_string()]
    {
        assert!(!page.body.contains(secret), "{secret}");
    }
    let status = door.get("/status.json").expect("an answer").json();
    assert_eq!(status["notice"]["zh"], "演練，非真實狀況");
    assert_eq!(status["sites"].as_array().map(Vec::len), Some(2));
    for path in ["/api/v1/status", "/metrics", "/healthz", "/app.js", "/api/v1/report"] {
        assert_eq!(door.get(path).expect("an answer").status, 404, "{path}");
        assert_eq!(door.post(path, &json!({})).expect("an answer").status, 405, "{path}");
    }
    let port = alliance.node(0).settings.public_port.expect("a board");
    let told = raw(port, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").expect("an answer");
    assert!(told.starts_with("HTTP/1.1 421") && !told.contains("<html"), "{told}");
    // Cut off, the board goes on with what is known; without its node it is gone, and never shows a stale page of its own.
    alliance.node_mut(1).kill();
    assert_eq!(door.get("/").expect("an answer").status, 200);
    alliance.node_mut(0).stop();
    assert!(door.get("/").is_err());
}

#[test]
fn what_staff_hides_is_gone_at_once_survives_a_restart_and_comes_back() {
    let mut alliance = alliance();
    let door = door(&alliance);
    let node = alliance.node(0);
    wait_page(&door, &["飲用水", "白米"]);
    let said = node.cli(&["board", "hide", "water", "--lang", "en"]).exits(0).out;
    assert!(said.contains("leaves out Drinking water") && said.contains("board show stock.water --site 1-1"), "{said}");
    assert!(!door.get("/?lang=zh-TW").expect("an answer").body.contains("飲用水"));
    assert!(!door.get("/sites.csv").expect("an answer").body.contains("stock.water"));
    let _ = node.cli(&["board", "hide", "--site", "b"]).exits(0);
    assert_eq!(door.get("/status.json").expect("an answer").json()["sites"].as_array().map(Vec::len), Some(1));
    // Everybody in the alliance still sees it.
    alliance.wait_reading(1, 0, "stock.water", &json!("plenty"), BLINK);
    let status = node.cli(&["status", "--lang", "zh-TW"]).exits(0).out;
    assert!(status.contains("民眾看板：http://127.0.0.1:") && status.contains("已隱藏"), "{status}");
    let doctor = node.cli(&["doctor", "--lang", "en"]).out;
    assert!(doctor.contains("public board: http://127.0.0.1:") && doctor.contains("leaves out"), "{doctor}");
    for wrong in [&["board", "hide", "capacity.people"][..], &["board", "hide", "--site", "nowhere"]] {
        assert!(node.cli(wrong).exits(4).err.contains("H-64"), "{wrong:?}");
    }
    let _ = node.cli(&["board", "hide"]).exits(2);
    alliance.node_mut(0).kill();
    alliance.node_mut(0).start();
    let page = wait_page(&door, &["白米"]);
    assert!(!page.body.contains("飲用水"));
    let node = alliance.node(0);
    let _ = node.cli(&["board", "show", "飲用水"]).exits(0);
    let _ = node.cli(&["board", "show", "--site", "b"]).exits(0);
    let page = door.get("/?lang=zh-TW").expect("an answer").body;
    assert!(page.contains("飲用水") && page.contains("關閉"));
    assert_eq!(node.cli(&["board", "list", "--json"]).exits(0).json()["hidden"], json!([]));
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = read_dir(folder).expect("the folder").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_board_goes_out_as_files_that_are_whole_and_marked_and_need_no_door() {
    let alliance = Plan::of(2).in_realm(RealmKind::Exercise).start();
    let node = alliance.node(0);
    let _ = node.api().report(&[("operating.status", "open"), ("stock.water", "low")]).expect("a report");
    alliance.wait_reading(0, 0, "stock.water", &json!("low"), BLINK);
    let out = node.dir().join("site");
    let folder = out.display().to_string();
    let written = node.cli(&["export", "public", "--out", &folder, "--json"]).exits(0).json();
    assert_eq!(written["schema"], "holdfast.export/1");
    let expected = [
        "board.css",
        "en-open.html",
        "en.html",
        "icon.svg",
        "index.html",
        "sites.csv",
        "sites.geojson",
        "status.json",
        "zh-open.html",
    ];
    assert_eq!(names(&out), expected.map(str::to_owned).into());
    // A page of an earlier, larger alliance goes; what is not the board's stays.
    for name in ["zh-7.html", "mine-7.html"] {
        std::fs::write(out.join(name), "x").expect("written");
    }
    let _ = node.cli(&["board", "hide", "water"]).exits(0);
    let _ = node.cli(&["export", "public", "--out", &folder]).exits(0);
    assert!(names(&out).contains("mine-7.html") && !names(&out).contains("zh-7.html"));
    for name in expected.into_iter().filter(|name| !name.ends_with(".css") && !name.ends_with(".svg")) {
        let text = read_to_string(out.join(name)).expect("a file");
        assert!(text.contains("演練，非真實狀況") && !text.contains("飲用水"), "{name}");
    }
    let refused = node.cli(&["export", "public", "--out", &folder, "--every", "1s"]).exits(2).err;
    assert!(refused.contains("H-855"), "{refused}");
}

fn driver(test: &str) -> Option<Driver> {
    match Driver::start() {
        Ok(driver) => Some(driver),
        Err(what) => {
            missing(test, &what);
            None
        }
    }
}

/// Everything that a visitor could not read: wider than the window, cut off, or too faint (WCAG 2.2 AA: 4.5, large text 3).
const UNREADABLE: &str = r#"
    const found = [], wide = window.innerWidth;
    const rgb = (text) => text.match(/[\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = (node) => {
        for (let up = node; up; up = up.parentElement) {
            const colour = rgb(getComputedStyle(up).backgroundColor);
            if (colour.length < 4 || colour[3] > 0.99) return colour;
        }
        return [255, 255, 255];
    };
    if (document.documentElement.scrollWidth > wide) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const node of document.querySelectorAll('body *')) {
        const box = node.getBoundingClientRect(), style = getComputedStyle(node);
        if (!box.width || node.closest('.skip')) continue;
        if (box.right > wide + 1 || box.left < -1) found.push(`outside: ${node.tagName} ${node.className}`);
        const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
        if (!own || node.closest('svg')) continue;
        if (style.overflow !== 'visible' && node.scrollWidth > node.clientWidth + 1) found.push(`cut: ${node.textContent}`);
        const [one, other] = [light(rgb(style.color)), light(ground(node))].sort((a, b) => b - a);
        const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const ratio = (one + 0.05) / (other + 0.05);
        if (ratio < (large ? 3 : 4.5)) found.push(`faint (${ratio.toFixed(2)}): ${node.className} ${node.textContent}`);
        if (size < 14) found.push(`small (${size}): ${node.textContent}`);
    }
    for (const node of document.querySelectorAll('nav a, button, input:not([type=hidden]), select'))
        if (node.getBoundingClientRect().height < 44) found.push(`hard to hit: ${node.textContent}`);
    return found;
"#;
/// Addresses that the page loaded anything from, but for this computer.
const ELSEWHERE: &str =
    "return performance.getEntriesByType('resource').map((one) => one.name).filter((name) => !name.startsWith(location.origin))";

#[track_caller]
fn is_readable(browser: &Browser<'_>) {
    for look in [UNREADABLE, ELSEWHERE] {
        assert_eq!(browser.script(look, &[]).expect("a look"), json!([]));
    }
    assert_eq!(browser.errors().expect("the console"), Vec::<String>::new());
}

/// What a visitor does: reads, filters, searches, changes the language; all without a script.
fn visit(language: &str, width: u32, height: u32) {
    let _one = crate::browser::ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("the board in a browser") else { return };
    let alliance = alliance();
    wait_page(&door(&alliance), &["偏少", "關閉"]);
    let address = door(&alliance).base().to_owned();
    let browser = driver.open(language, width, height);
    // Away from the browser's own first page, which is made by scripts and says so on the console.
    browser.go("about:blank");
    browser.without_scripts();
    browser.go("data:text/html,<title>off</title><script>document.title = 'on'</script>");
    assert_eq!(browser.script("return document.title", &[]).expect("a look"), "off");
    let shot = |name: &str| browser.screenshot(&format!("board-{language}-{width}-{name}"));
    let (here, lacking, open, poster, other) = match language {
        "en" => ("Here", "Not here", "Open now", "Poster for the door", "中文"),
        _ => ("這裡有", "這裡沒有", "現在開放", "門口告示", "English"),
    };
    browser.go(&address);
    browser.wait_text(here, SOON);
    for words in [lacking, "演練，非真實狀況", "EXERCISE, NOT REAL", "每人限領 2 瓶"] {
        browser.wait_text(words, BLINK);
    }
    is_readable(&browser);
    shot("list");
    browser.look("screen", true);
    is_readable(&browser);
    shot("night");
    browser.look("screen", false);
    let cards = |expected: u64| {
        eventually(SOON, &format!("{expected} cards"), || {
            let cards = browser.script("return document.querySelectorAll('article').length", &[])?;
            if cards == expected { Ok(()) } else { Err(cards.to_string()) }
        });
    };
    cards(2);
    browser.click(".tabs a:last-child");
    cards(1);
    browser.wait_text(open, BLINK);
    browser.type_into("input[type=search]", "nowhere");
    browser.click("form button");
    cards(0);
    is_readable(&browser);
    shot("none");
    let kept: Value = browser
        .script("return [document.querySelector('input[type=search]').value, document.documentElement.lang]", &[])
        .expect("a look");
    assert_eq!(kept, json!(["nowhere", if language == "en" { "en" } else { "zh-Hant-TW" }]));
    browser.go(&address);
    browser.click(".langs a:not([aria-current])");
    browser.wait_text(if language == "en" { "這裡有" } else { "Not here" }, SOON);
    assert!(!browser.text().expect("text").contains(here) || here == "Here", "{other}");
    browser.go(&format!("{address}/poster?lang={language}"));
    browser.wait_text("192.168.1.20", SOON);
    is_readable(&browser);
    shot("poster-unknown");
    assert!(browser.script("return document.title", &[]).expect("a look").as_str().is_some_and(|title| title.contains(poster)));
}

#[test]
fn the_public_reads_the_board_without_scripts_in_chinese_on_a_phone() {
    visit("zh-TW", 390, 844);
}

#[test]
fn the_public_reads_the_board_without_scripts_in_english_on_a_desk() {
    visit("en", 1_024, 768);
}

#[test]
fn the_board_can_be_read_in_the_other_sizes_and_printed() {
    let _one = crate::browser::ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("the board printed") else { return };
    let alliance = alliance_known_as(Some("http://192.168.1.20:8080/"));
    wait_page(&door(&alliance), &["偏少", "關閉"]);
    let address = door(&alliance).base().to_owned();
    for (language, width, height) in [("en", 390, 844), ("zh-TW", 1_024, 768)] {
        let browser = driver.open(language, width, height);
        browser.go(&address);
        browser.wait_text("每人限領 2 瓶", SOON);
        is_readable(&browser);
        browser.screenshot(&format!("board-{language}-{width}-list"));
        browser.look("print", false);
        browser.screenshot(&format!("board-{language}-{width}-print"));
        assert_eq!(
            browser.script("return getComputedStyle(document.querySelector('.realm')).display", &[]).expect("a look"),
            "block"
        );
        browser.look("screen", false);
        browser.go(&format!("{address}/poster?lang={language}"));
        browser.wait_text("http://192.168.1.20:8080/", SOON);
        is_readable(&browser);
        browser.screenshot(&format!("board-{language}-{width}-poster"));
        browser.look("print", false);
        browser.screenshot(&format!("board-{language}-{width}-poster-print"));
    }
}

#[test]
fn staff_hides_and_shows_an_item_from_the_page() {
    let _one = crate::browser::ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(driver) = driver("hiding from the page") else { return };
    let alliance = alliance();
    let door = door(&alliance);
    wait_page(&door, &["飲用水", "關閉"]);
    let browser = driver.open("zh-TW", 1_024, 768);
    browser.go(&format!("http://127.0.0.1:{}/", alliance.node(0).settings.api_port));
    browser.click("#door summary");
    browser.click("#door option[value=\"stock.water\"]");
    browser.click("#door-hide");
    browser.wait_text("門口看板已隱藏：飲用水", SOON);
    assert!(!door.get("/?lang=zh-TW").expect("an answer").body.contains("飲用水"));
    browser.screenshot("page-zh-TW-1024-hidden");
    browser.click("#door li button");
    eventually(SOON, "it is shown again", || {
        let page = door.get("/?lang=zh-TW")?.body;
        if page.contains("飲用水") { Ok(()) } else { Err(page) }
    });
}
