//! The board for programs: three files with the same choice and the same ages.

use super::*;

#[tokio::test]
async fn json_and_geojson_say_the_same_and_name_their_ages() {
    let house = House::of(&[own()], RealmKind::Exercise);
    let status: Value = serde_json::from_str(&house.file("status.json").await).expect("JSON");
    assert_eq!((&status["schema"], &status["realm"]), (&json!("holdfast.public/1"), &json!("exercise")));
    let site = &status["sites"][0];
    assert_eq!((&site["site"], &site["status"], &site["open"]), (&json!("1-1"), &json!("open"), &json!(true)));
    let line = |name: &str| {
        site["lines"].as_array().expect("lines").iter().find(|line| line["line"] == name).cloned().unwrap_or(Value::Null)
    };
    assert_eq!((&line("stock.water")["state"], &line("stock.water")["freshness"]), (&json!("low"), &json!("fresh")));
    assert_eq!(line("stock.rice")["freshness"], "may_be_out_of_date");
    assert_eq!(
        (&line("stock.batteries_aa")["state"], &line("stock.batteries_aa")["freshness"]),
        (&json!("unknown"), &json!("unknown"))
    );
    let at = line("stock.water")["as_of"].as_str().expect("a time").parse::<jiff::Timestamp>().expect("RFC 3339");
    let age = jiff::Timestamp::now().duration_since(at).as_secs();
    assert!((60..90).contains(&age), "{age}");
    let map: Value = serde_json::from_str(&house.file("sites.geojson").await).expect("JSON");
    assert_eq!(
        (&map["type"], &map["features"][0]["type"], &map["features"][0]["geometry"]),
        (&json!("FeatureCollection"), &json!("Feature"), &Value::Null)
    );
    assert_eq!(map["features"][0]["properties"]["lines"], site["lines"]);
    assert_eq!(map["features"][0]["properties"]["notice"]["en"], "EXERCISE, NOT REAL");
}

#[tokio::test]
async fn a_spreadsheet_shows_chinese_and_carries_nothing_out() {
    let mut evil = own();
    evil["name"] = json!("=HYPERLINK(\"http://evil.example\",\"x\")");
    evil["readings"]["message.public"] = reading("@SUM(1+1)*cmd|' /C calc'!A0", 5);
    let house = House::of(&[evil, node("1-2", "a,\"b\"", "TPE", &json!({}))], RealmKind::Exercise);
    let text = house.file("sites.csv").await;
    assert!(text.starts_with('\u{feff}'));
    let mut rows = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut count = 0;
    for row in rows.records() {
        let row = row.expect("a row");
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t'])), "{row:?}");
        assert_eq!(&row[0], "演練，非真實狀況 EXERCISE, NOT REAL");
        count += 1;
    }
    // Two statuses, and each public word of the first.
    assert_eq!(count, 2 + 9);
    assert!(text.contains("\"a,\"\"b\"\"\""));
}
