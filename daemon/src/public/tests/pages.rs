//! The page as text: what stands on it, what never does, how old words are told, what it weighs.

use std::io::Write;

use super::*;
use crate::public::asked::{Asked, Links};
use crate::public::lang::Lang;

/// people.md 2.3.
const WEIGHT_MAX: usize = 60 << 10;

/// All tags and attribute names of a page, in order: what a browser would make elements of.
fn skeleton(page: &str) -> Vec<String> {
    page.split('<')
        .skip(1)
        .map(|part| part.split('>').next().unwrap_or_default().split('"').step_by(2).collect::<String>())
        .collect()
}

/// One page of a live board.
async fn page(house: &House, asked: Asked) -> String {
    let made = house.board.show(crate::public::answer::Wanted::Page(Links::Live, asked)).await.expect("the node answers");
    String::from_utf8(made.plain.to_vec()).expect("text")
}

fn chinese() -> Asked {
    Asked::in_lang(Lang::Zh)
}

/// What people have put into names to be taken for markup, five hundred ways.
fn hostile() -> Vec<String> {
    let parts = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "</title><b>",
        "</h2></article><h1>",
        "<!--",
        "-->",
        "]]>",
        "<style>*{display:none}</style>",
        "javascript:alert(1)",
        "&lt;b&gt;",
        "&#x3c;b&#62;",
        "<a href=//evil.example>x</a>",
        "<meta http-equiv=refresh content=0;url=//x>",
        "<base href=//x>",
        "<iframe srcdoc='<b>'>",
        "\" autofocus onfocus=\"alert(1)",
        "<form action=//x>",
        "{{7*7}}",
        "${7*7}",
        "<%=7%>",
        "\u{0}<b>",
        "<\u{200b}b>",
        "＜b＞",
    ];
    (0..500).map(|n| format!("{}{}", parts[n % parts.len()], parts[(n / parts.len() + n) % parts.len()])).collect()
}

#[tokio::test]
async fn five_hundred_hostile_names_make_no_new_element() {
    let texts = hostile();
    let nodes = |harmless: bool| -> Vec<Value> {
        let text = |n: usize| if harmless { format!("甲{n}") } else { texts[n].clone() };
        let site = |n: usize| {
            let readings = json!({"operating.status": reading("open", 9), "message.public": reading(&text(n), 9), "stock.water": reading("low", 9)});
            node(&format!("1-{}", n + 2), &text(n), "TPE", &readings)
        };
        (0..texts.len()).map(site).collect()
    };
    let (tame, wild) = (House::of(&nodes(true), RealmKind::Exercise), House::of(&nodes(false), RealmKind::Exercise));
    let files = tame.board.files().await.expect("the node answers");
    assert_eq!(files, wild.board.files().await.expect("the node answers"));
    for file in files.iter().filter(|file| file.ends_with(".html")) {
        assert_eq!(skeleton(&tame.file(file).await), skeleton(&wild.file(file).await), "{file}");
    }
    for text in texts.iter().step_by(5) {
        let (one, other) = (
            page(&tame, Asked { search: "甲".to_owned(), ..chinese() }).await,
            page(&wild, Asked { search: text.clone(), ..chinese() }).await,
        );
        let head = |page: &str| skeleton(page).into_iter().take_while(|tag| !tag.starts_with("main")).collect::<Vec<_>>();
        assert_eq!(head(&one), head(&other), "{text}");
    }
}

#[tokio::test]
async fn no_count_no_person_no_address_and_no_note_for_colleagues_is_on_any_page_or_file() {
    let house = House::of(&[own()], RealmKind::Exercise);
    for file in house.board.files().await.expect("the node answers") {
        let text = house.file(&file).await;
        for secret in [
            "4711",
            "815",
            "1234",
            "77 ",
            "王小明",
            "0912",
            "陳大文",
            "runner",
            "192.0.2",
            "4401",
            "no mains",
            "Example Mart",
            "H-402",
        ] {
            assert!(!text.contains(secret), "{file} has {secret}");
        }
    }
}

#[tokio::test]
async fn levels_and_services_are_told_in_words_and_by_what_is_there_and_what_is_not() {
    let house = House::of(&[own()], RealmKind::Exercise);
    let text = page(&house, chinese()).await;
    let group = |name: &str| {
        text.split(&format!("group {name}")).nth(1).unwrap_or_default().split("</section>").next().unwrap_or_default().to_owned()
    };
    let (here, lacking, unknown) = (group("here"), group("lacking"), group("unknown"));
    assert!(here.contains("飲用水") && here.contains("偏少") && here.contains("手機充電"), "{here}");
    assert!(lacking.contains("廁所") && lacking.contains("不提供") && lacking.contains("沒有"), "{lacking}");
    // Over four hours: its last word stands there as its last, and nowhere as what is.
    assert!(unknown.contains("先前：充足") && !here.contains("電池"), "{unknown}");
    assert!(text.contains("每人限領 2 瓶，10:00 發號碼牌") && text.contains("領取方式"));
}

#[tokio::test]
async fn words_age_into_may_be_out_of_date_and_then_unknown_and_never_outlive_what_the_node_holds_them_for() {
    for (age, valid, stale, word) in [
        (Some(59 * 60), 21_600, false, "●"),
        (Some(61 * 60), 21_600, false, "可能已過時"),
        (Some(4 * 3_600 + 60), 21_600, false, "狀況不明"),
        (Some(60), 30, false, "狀況不明"),
        (Some(60), 21_600, true, "狀況不明"),
        (None, 21_600, false, "狀況不明"),
    ] {
        let reading = json!({"value": "open", "age_s": age, "valid_s": valid, "stale": stale, "basis": "self_reported"});
        let house = House::of(&[node("1-1", "復興店", "TPE", &json!({"operating.status": reading}))], RealmKind::Actual);
        let text = page(&house, chinese()).await;
        let card = text.split("<article").nth(1).and_then(|card| card.split("</article>").next()).expect("a card");
        assert!(card.contains(word), "{age:?} {valid} {stale}: {card}");
        let known = word != "狀況不明";
        assert_eq!(card.contains("data-status=\"open\""), known, "{card}");
        assert_eq!(
            page(&house, Asked { open: true, ..chinese() }).await.contains("復興店</h2>"),
            known,
            "open now shows only what is known to be"
        );
    }
}

#[tokio::test]
async fn what_a_revoked_or_two_tongued_node_said_is_not_shown_and_an_authority_is_no_place_to_go() {
    let said = json!({"operating.status": reading("open", 5), "stock.water": reading("plenty", 5)});
    let mut revoked = node("1-2", "失竊店", "TPE", &said);
    (revoked["unknown_because"], revoked["revoked"]) = (json!("revoked"), json!("stolen"));
    let mut authority = node("9-1", "應變中心", "TPE", &said);
    authority["role"] = json!("authority");
    let house = House::of(&[own(), revoked, authority], RealmKind::Exercise);
    let text = page(&house, chinese()).await;
    let card = text.split("失竊店").nth(1).expect("it is listed").split("</article>").next().expect("its end").to_owned();
    assert!(card.contains("狀況不明") && !card.contains("充足") && !card.contains("stolen"), "{card}");
    assert!(!text.contains("應變中心"));
}

#[tokio::test]
async fn a_search_folds_tai_and_a_filter_keeps_its_language_and_nothing_found_is_said() {
    let house = House::of(
        &[own(), node("1-2", "臺北車站店", "HUA", &json!({"operating.status": reading("closed", 5)}))],
        RealmKind::Exercise,
    );
    for search in ["台北車站", "臺北車站", "Hualien", "花蓮", "1-2"] {
        let text = page(&house, Asked { search: search.to_owned(), ..Asked::in_lang(Lang::En) }).await;
        assert!(text.contains("臺北車站店</h2>") && !text.contains("復興店</h2>"), "{search}");
        let links: Vec<&str> = text.split("href=\"./?").skip(1).filter_map(|link| link.split('"').next()).collect();
        assert!(links.len() >= 4 && links.iter().filter(|link| link.contains("lang=zh-TW")).count() == 1, "{links:?}");
        assert!(links.iter().all(|link| link.contains("&amp;q=")), "{links:?}");
    }
    let none = page(&house, Asked { search: "nowhere".to_owned(), ..Asked::in_lang(Lang::En) }).await;
    assert!(none.contains("No site fits"));
    assert!(!page(&house, Asked { open: true, ..chinese() }).await.contains("臺北車站店</h2>"));
}

#[tokio::test]
async fn an_exercise_is_marked_on_every_page_and_file_in_both_languages_and_a_real_alliance_is_not() {
    let (drill, real) = (House::of(&[own()], RealmKind::Exercise), House::of(&[own()], RealmKind::Actual));
    for file in drill.board.files().await.expect("the node answers") {
        let (marked, plain) = (drill.file(&file).await, real.file(&file).await);
        let words = |text: &str| text.contains("演練，非真實狀況") && text.contains("EXERCISE, NOT REAL");
        if !file.ends_with(".css") && !file.ends_with(".svg") {
            assert!(words(&marked), "{file}");
        }
        assert!(!plain.contains("演練") && !plain.contains("EXERCISE"), "{file}");
    }
    let simulated = House::of(&[own()], RealmKind::Simulation);
    assert!(page(&simulated, chinese()).await.contains("EXERCISE, NOT REAL"));
}

#[tokio::test]
async fn a_file_says_until_when_it_is_good_because_nobody_counts_its_minutes() {
    let house = House::of(&[own()], RealmKind::Actual);
    let (file, live) = (house.file("index.html").await, page(&house, chinese()).await);
    assert!(
        file.contains("請視為可能已過時")
            && !file.contains("分鐘前")
            && !file.contains("http-equiv=\"refresh\"")
            && !file.contains("<form")
    );
    assert!(live.contains("分鐘前") && live.contains("http-equiv=\"refresh\""));
    assert!(!page(&house, Asked { still: true, ..chinese() }).await.contains("http-equiv=\"refresh\""));
    let short = json!({"value": "open", "age_s": 60, "valid_s": 900, "stale": false, "basis": "self_reported"});
    let brief = House::of(&[node("1-1", "復興店", "TPE", &json!({"operating.status": short}))], RealmKind::Actual);
    assert!(brief.file("index.html").await.contains("前有效") && !page(&brief, chinese()).await.contains("前有效"));
    for text in [file, live] {
        assert!(!text.contains("<script") && !text.contains(" style=") && !text.contains("href=\"/"));
    }
}

/// A site that has as much to say as fits on its board, in its own words.
fn talkative(n: usize) -> Value {
    let mut readings = json!({
        "operating.status": reading("open", n as u64 % 9_000), "power.source": reading("generator", 60), "network.mobile": reading("on", 60),
        "message.public": reading(&format!("第{}號櫃台，每人限領{}瓶，{}點發號碼牌", n * 7 % 91, n % 5, n % 24), n as u64 % 9_000),
    });
    for (place, item) in
        ["water", "rice", "bread", "batteries_aa", "infant_formula", "blankets", "salt", "gas"].into_iter().enumerate()
    {
        readings[format!("stock.{item}")] =
            reading(["plenty", "low", "nearly_out", "none"][(n + place) % 4], (n * 37 + place * 11) as u64 % 20_000);
    }
    for (place, service) in ["charging", "wifi", "toilet", "hot_water", "first_aid", "shelter"].into_iter().enumerate() {
        readings[format!("service.{service}")] =
            reading(["adequate", "insufficient", "not_offered"][(n + place) % 3], n as u64 % 9_000);
    }
    node(
        &format!("{}-{n}", n % 7 + 1),
        &format!("第{n}號據點{}", ["復興", "信義", "松山", "南港"][n % 4]),
        ["TPE", "HUA", "KHH"][n % 3],
        &readings,
    )
}

#[tokio::test]
async fn a_page_of_a_large_alliance_is_light_and_short_and_every_site_is_on_one() {
    let nodes: Vec<Value> = (1..=5_000).map(talkative).collect();
    let house = House::of(&nodes, RealmKind::Exercise);
    let mut seen = std::collections::BTreeSet::new();
    for at in 1..=125 {
        let text = page(&house, Asked { page: at, ..chinese() }).await;
        seen.extend(
            text.split("<article class=\"card\" id=\"s").skip(1).filter_map(|card| card.split('"').next()).map(str::to_owned),
        );
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(text.as_bytes()).expect("packed");
        let packed = packer.finish().expect("packed").len();
        assert!(packed <= WEIGHT_MAX, "page {at} weighs {packed} bytes");
    }
    assert_eq!(seen.len(), 5_000);
    let beyond = page(&house, Asked { page: 9_999, ..chinese() }).await;
    assert!(beyond.contains("第 125 頁，共 125 頁"));
}

#[tokio::test]
async fn the_poster_carries_the_boards_own_address_in_letters_and_as_a_code() {
    let house = House::of(&[own()], RealmKind::Exercise);
    let of = |address: Option<&str>| crate::public::answer::Wanted::Poster(Lang::Zh, address.map(str::to_owned));
    let made = house.board.show(of(Some("http://192.168.1.20:8080/"))).await.expect("made");
    let text = String::from_utf8(made.plain.to_vec()).expect("text");
    assert!(text.contains("http://192.168.1.20:8080/</p>") && text.contains("<svg") && text.contains("演練，非真實狀況"));
    let made = house.board.show(of(None)).await.expect("made");
    let text = String::from_utf8(made.plain.to_vec()).expect("text");
    assert!(!text.contains("<svg") && text.contains("[public]"));
}
