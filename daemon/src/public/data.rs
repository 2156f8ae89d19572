//! The board for programs: JSON, GeoJSON and a spreadsheet. The same choice as on the page, and the same ages.

use holdfast_proto::domain::no_formula;
use holdfast_proto::domain::service::AVAILABILITY;
use serde_json::{Value as Json, json};

use super::board::Scene;
use super::lang::Lang;
use super::site::{Freshness, Line, Said, Site};

/// What marks everything that is not real, in both languages.
pub(super) const EXERCISE: (&str, &str) = ("EXERCISE, NOT REAL", "演練，非真實狀況");

/// The mark of an exercise, nothing for an actual alliance.
fn notice(scene: &Scene) -> Option<Json> {
    scene.is_exercise().then(|| json!({ "en": EXERCISE.0, "zh": EXERCISE.1 }))
}

/// When something was so, as programs read it.
fn as_of(scene: &Scene, said: &Said) -> Option<String> {
    said.age_s(scene.since_s).map(|age| scene.at(age).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// Code and words that count now: "unknown" once nobody can rely on what was said.
fn state(said: &Said, freshness: Freshness) -> (&str, &str, &str) {
    if freshness == Freshness::Unknown {
        return ("unknown", "unknown", "狀況不明");
    }
    // A text has no code: its words are all there is.
    let code = if said.code().is_empty() { "said" } else { said.code() };
    (code, said.words(Lang::En), said.words(Lang::Zh))
}

fn line(scene: &Scene, line: &Line) -> Json {
    let freshness = line.said.freshness(scene.since_s);
    let (code, en, zh) = state(&line.said, freshness);
    let (names, lang) = (scene.names(), (Lang::En, Lang::Zh));
    json!({
        "line": names.code(&line.key),
        "label": { "en": names.label(&line.key, lang.0), "zh": names.label(&line.key, lang.1) },
        "state": code,
        "words": { "en": en, "zh": zh },
        "freshness": freshness.code(),
        "as_of": as_of(scene, &line.said),
    })
}

fn site(scene: &Scene, site: &Site) -> Json {
    let freshness = site.status.as_ref().map_or(Freshness::Unknown, |said| said.freshness(scene.since_s));
    json!({
        "site": site.id,
        "name": site.name,
        "county": site.region.map(|region| json!({ "code": region.code(), "en": region.en(), "zh": region.zh() })),
        "status": site.operating(scene.since_s),
        "open": site.is_open(scene.since_s),
        "freshness": freshness.code(),
        "as_of": site.status.as_ref().and_then(|said| as_of(scene, said)),
        "lines": scene.lines(site).map(|one| line(scene, one)).collect::<Vec<_>>(),
    })
}

/// `status.json`.
pub(super) fn status(scene: &Scene) -> String {
    let sites: Vec<Json> = scene.sites().map(|one| site(scene, one)).collect();
    let mut all = json!({
        "schema": "holdfast.public/1",
        "realm": scene.kind().text(),
        "made_at": scene.now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        "made_by": { "site": scene.node().id, "name": holdfast_proto::domain::plain(&scene.node().name) },
        "sites": sites,
    });
    all["notice"] = notice(scene).unwrap_or(Json::Null);
    all.to_string()
}

/// `sites.geojson`. The alliance knows the county of a site and no more, so that features have no geometry: RFC 7946 calls them unlocated.
pub(super) fn geojson(scene: &Scene) -> String {
    let feature = |one: &Site| {
        let mut properties = site(scene, one);
        properties["notice"] = notice(scene).unwrap_or(Json::Null);
        json!({ "type": "Feature", "id": one.id, "geometry": null, "properties": properties })
    };
    let features: Vec<Json> = scene.sites().map(feature).collect();
    let mut all = json!({ "type": "FeatureCollection", "features": features });
    all["notice"] = notice(scene).unwrap_or(Json::Null);
    all.to_string()
}

const HEAD: [&str; 10] = [
    "notice 註記",
    "site 據點代號",
    "name 名稱",
    "county 縣市",
    "line 項目代碼",
    "item 項目",
    "state 狀況代碼",
    "words 狀況",
    "freshness 新舊",
    "as of 資料時間",
];

/// `sites.csv`: one row for each thing said, marked as UTF-8 so that spreadsheets show Chinese.
pub(super) fn csv(scene: &Scene) -> String {
    let mark = if scene.is_exercise() { format!("{} {}", EXERCISE.1, EXERCISE.0) } else { String::new() };
    let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory can't fail.
    drop(rows.write_record(HEAD));
    for site in scene.sites() {
        let county = site.region.map_or_else(String::new, |region| format!("{} {}", region.zh(), region.en()));
        let status = ("operating.status", "營運狀況 Operating".to_owned(), site.status.as_ref());
        let names = scene.names();
        let lines = scene.lines(site).map(|line| {
            let label = format!("{} {}", names.label(&line.key, Lang::Zh), names.label(&line.key, Lang::En));
            (names.code(&line.key), label, Some(&line.said))
        });
        for (code, label, said) in std::iter::once((status.0.to_owned(), status.1, status.2)).chain(lines) {
            let freshness = said.map_or(Freshness::Unknown, |said| said.freshness(scene.since_s));
            let (state, en, zh) = said.map_or(("unknown", "unknown", "狀況不明"), |said| state(said, freshness));
            let words = if en == zh { zh.to_owned() } else { format!("{zh} {en}") };
            let at = said.and_then(|said| as_of(scene, said)).unwrap_or_default();
            let row = [&*mark, &site.id, &site.name, &county, &code, &label, state, &words, freshness.code(), &at];
            drop(rows.write_record(row.map(no_formula)));
        }
    }
    let text = rows.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    format!("\u{feff}{text}")
}

/// A service that is there, at least in part.
pub(super) fn is_offered(said: &Said) -> bool {
    AVAILABILITY.iter().any(|word| word.code == said.code()) && matches!(said.code(), "adequate" | "insufficient")
}
