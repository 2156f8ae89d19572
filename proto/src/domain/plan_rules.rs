//! What a person can type, and what comes of it, one sentence each. Nothing that is refused changes anything.

use std::collections::BTreeMap;

use super::bench::*;
use super::reading::{self, Subject};
use super::refusal::{Refusal, RefusalKind};
use super::view::Which;
use super::wish::{Act, Observe, Report, RequestAct, RequestNew, RequestUpdate};
use super::{About, DocKind, Document, Operating, PlanInput, VoidReason, spoken};
use crate::id::FactId;
use crate::time::UtcMillis;

fn values(said: &[(&str, &str)]) -> BTreeMap<String, String> {
    said.iter().map(|(name, value)| ((*name).to_string(), (*value).to_string())).collect()
}

fn report(said: &[(&str, &str)]) -> Report {
    Report { values: values(said), act: Act::default() }
}

fn say(bench: &mut Bench, said: &[(&str, &str)]) -> Result<super::Plan, Refusal> {
    bench.wish(1, &PlanInput::Report(&report(said))).map(|(plan, _)| plan)
}

fn new(items: &[&str]) -> RequestNew {
    RequestNew { items: items.iter().map(|item| (*item).to_string()).collect(), ..RequestNew::default() }
}

fn ask(bench: &mut Bench, items: &[&str]) -> FactId {
    bench.wish(1, &PlanInput::RequestNew(&new(items))).expect("a good request").1.expect("written")
}

fn refused(bench: &mut Bench, input: &PlanInput<'_>) -> Refusal {
    let before = bench.domain.canonical_view();
    let refusal = bench.wish(1, input).expect_err("refused");
    assert_eq!(bench.domain.canonical_view(), before);
    for words in [&refusal.what, &refusal.means, &refusal.fix] {
        assert!(!words.en.is_empty() && !words.zh.is_empty(), "{refusal:?}");
    }
    refusal
}

fn report_refused(said: &[(&str, &str)]) -> Refusal {
    refused(&mut Bench::new(), &PlanInput::Report(&report(said)))
}

fn request_refused(request: &RequestNew) -> Refusal {
    refused(&mut Bench::new(), &PlanInput::RequestNew(request))
}

fn shown(bench: &Bench, name: &str) -> Option<serde_json::Value> {
    bench.domain.readings(node(1), Some(0), Some(0)).get(name).map(|view| view.value.clone())
}

#[test]
fn a_report_replaces_what_it_gives_and_leaves_the_rest_older() {
    let mut bench = Bench::new();
    say(&mut bench, &[("operating.status", "open"), ("capacity.people", "200")]).unwrap();
    bench.pass(600);
    let plan = say(&mut bench, &[("operating.status", "部分開放")]).unwrap();
    assert!(plan.detail.is_none() && plan.body.is_none());
    let views = bench.domain.readings(node(1), Some(5_000), None);
    assert_eq!((views["operating.status"].value.as_str(), views["operating.status"].age_s), (Some("limited"), Some(5)));
    assert_eq!((views["capacity.people"].value.as_u64(), views["capacity.people"].age_s), (Some(200), Some(605)));
    assert_eq!(views["capacity.people"].observed_at, Some(UtcMillis(START)));
    assert_eq!(views["capacity.people"].unit.as_deref(), Some("C62"));
}

#[test]
fn many_small_reports_do_not_make_old_readings_young() {
    let mut bench = Bench::new();
    say(&mut bench, &[("operating.status", "open")]).unwrap();
    for _ in 0..1_000 {
        bench.now.wall.0 += 999;
        say(&mut bench, &[("message.public", "水到了")]).unwrap();
    }
    let age = bench.domain.readings(node(1), Some(0), None)["operating.status"].age_s;
    assert!((998..=1_000).contains(&age.unwrap()), "{age:?}");
}

#[test]
fn a_clock_set_back_adds_nothing_and_a_lost_clock_makes_old_readings_unknown() {
    let mut bench = Bench::new();
    say(&mut bench, &[("operating.status", "open")]).unwrap();
    bench.pass(-3_600);
    say(&mut bench, &[("message.public", "a")]).unwrap();
    assert_eq!(bench.domain.readings(node(1), Some(0), None)["operating.status"].age_s, Some(0));
    bench.now.wall = UtcMillis::UNKNOWN;
    say(&mut bench, &[("message.public", "b")]).unwrap();
    let view = &bench.domain.readings(node(1), Some(0), None)["operating.status"];
    assert_eq!((view.age_s, view.stale), (None, true));
    assert_eq!(bench.domain.operating_status(node(1), Some(0)).because, Some("stale"));
}

#[test]
fn past_its_validity_the_word_becomes_unknown() {
    let mut bench = Bench::new();
    let status = |bench: &Bench, age_ms| bench.domain.operating_status(node(1), age_ms);
    let unknown = |was, because| Operating { word: "unknown", was, because: Some(because) };
    assert_eq!(status(&bench, None), unknown(None, "never_said"));
    let act = Act { valid: Some("2h".into()), ..Act::default() };
    let wish = Report { values: values(&[("operating.status", "open")]), act };
    bench.wish(1, &PlanInput::Report(&wish)).unwrap();
    assert_eq!(status(&bench, Some(7_200_999)).word, "open");
    assert_eq!(status(&bench, Some(7_201_000)), unknown(Some("open"), "stale"));
    assert_eq!(status(&bench, None), unknown(Some("open"), "stale"));
    for (reason, word) in [(VoidReason::TwoStories, "two_stories"), (VoidReason::Revoked, "revoked")] {
        bench.domain.set_document(node(1), DocKind::Board, Document::Void(reason));
        assert_eq!(status(&bench, Some(0)), unknown(None, word));
        assert!(bench.domain.readings(node(1), Some(0), None).is_empty());
    }
}

#[test]
fn a_count_goes_to_the_detail_and_its_level_to_the_board() {
    let mut bench = Bench::new();
    let plan = say(&mut bench, &[("stock.water", "40")]).unwrap();
    assert!(plan.board.is_some() && plan.detail.is_some());
    assert_eq!(shown(&bench, "stock.water"), Some("low".into()));
    assert_eq!(shown(&bench, "stock.water.count"), Some(40.into()));
    assert_eq!(bench.domain.readings(node(1), Some(0), Some(0))["stock.water.count"].unit.as_deref(), Some("LTR"));
    for (count, level) in [("0", "none"), ("23", "nearly_out"), ("120", "plenty"), ("2packs", "low")] {
        say(&mut bench, &[("stock.飲用水", count)]).unwrap();
        assert_eq!(shown(&bench, "stock.water"), Some(level.into()), "{count}");
    }
}

#[test]
fn a_level_without_a_count_withdraws_the_outdated_count() {
    let mut bench = Bench::new();
    say(&mut bench, &[("stock.water", "400")]).unwrap();
    say(&mut bench, &[("stock.water", "快沒了")]).unwrap();
    assert_eq!((shown(&bench, "stock.water"), shown(&bench, "stock.water.count")), (Some("nearly_out".into()), None));
    say(&mut bench, &[("stock.water", "")]).unwrap();
    assert_eq!(shown(&bench, "stock.water"), None);
}

#[test]
fn hours_of_fuel_follow_from_fuel_and_burn_for_everybody() {
    let mut bench = Bench::new();
    say(&mut bench, &[("power.fuel", "120"), ("power.burn", "8.5"), ("power.source", "generator")]).unwrap();
    // Entitled peers see fuel and burn; everybody sees the hours.
    let everybody = reading::decode(&bench.domain.reissue(node(1), DocKind::Board, bench.now));
    assert_eq!(everybody[&Subject::Field(super::field::POWER_HOURS)].value, reading::Value::Number(14));
    let views = bench.domain.readings(node(1), Some(0), Some(0));
    assert_eq!((views["power.hours"].value.as_u64(), views["power.hours"].derived), (Some(14), true));
    assert_eq!(views["power.burn"].value, serde_json::json!(8.5));
    say(&mut bench, &[("power.fuel", "")]).unwrap();
    assert_eq!(shown(&bench, "power.hours"), None);
}

#[test]
fn room_left_is_derived_and_as_old_as_the_older_figure() {
    let mut bench = Bench::new();
    say(&mut bench, &[("capacity.people", "200")]).unwrap();
    bench.pass(60);
    say(&mut bench, &[("capacity.occupancy", "230")]).unwrap();
    let view = &bench.domain.readings(node(1), Some(0), None)["capacity.available"];
    assert_eq!((view.value.as_u64(), view.age_s, view.derived), (Some(0), Some(60), true));
}

#[test]
fn what_a_node_does_not_offer_is_said_too() {
    let mut bench = Bench::new();
    say(&mut bench, &[("service.toilet", "not_offered"), ("service.手機充電", "adequate"), ("service.hot water", "不足")])
        .unwrap();
    assert_eq!(shown(&bench, "service.toilet"), Some("not_offered".into()));
    assert_eq!(shown(&bench, "service.charging"), Some("adequate".into()));
    assert_eq!(shown(&bench, "service.hot_water"), Some("insufficient".into()));
}

#[test]
fn a_reading_written_down_late_is_as_old_as_it_was() {
    let mut bench = Bench::new();
    let act = Act { at: Some(UtcMillis(START - 1_200_000)), basis: Some("inspected".into()), ..Act::default() };
    let wish = Report { values: values(&[("operating.status", "closed")]), act };
    bench.wish(1, &PlanInput::Report(&wish)).unwrap();
    let view = &bench.domain.readings(node(1), Some(0), None)["operating.status"];
    assert_eq!((view.age_s, view.basis.as_str()), (Some(1_200), "inspected"));
}

#[test]
fn fields_of_a_later_version_are_kept_through_a_report() {
    let mut bench = Bench::new();
    let later = reading::Reading { value: reading::Value::Raw(vec![1, 2]), seen: reading::Seen::default() };
    let payload = reading::encode(&reading::Readings::from([(Subject::Field(9_999), later)]));
    bench.publish(1, DocKind::Board, &payload);
    say(&mut bench, &[("operating.status", "open")]).unwrap();
    assert_eq!(shown(&bench, "field.9999"), Some("0102".into()));
}

#[test]
fn what_a_report_can_get_wrong_is_told_with_what_to_type() {
    let cases = [
        (("stock.watr", "4"), "H-111", "water"),
        (("powr.fuel", "4"), "H-112", "power.fuel"),
        (("service.chargin", "adequate"), "H-113", "charging"),
        (("operating.status", "opne"), "H-114", "open, limited"),
        (("stock.water", "lots"), "H-115", "plenty"),
        (("stock.water", "-4"), "H-115", "whole number"),
        (("stock.water", "4.5"), "H-115", "whole number"),
        (("stock.water", "10000001"), "H-116", "10000000"),
        (("stock.salt", "99999999999999999999999"), "H-116", "10000000"),
        (("stock.tents", "2packs"), "H-132", "pieces"),
        (("power.battery", "101"), "H-116", "0 to 100"),
        (("power.burn", "8.55"), "H-133", "Round"),
        (("power.burn", "lots"), "H-115", "from 0 to 10000 L/h, with at most 1 digit"),
        (("power.fuel", "-1"), "H-115", "whole number from 0 to 1000000 L."),
        (("power.fuel", "2.5"), "H-115", "whole number from 0 to 1000000 L."),
        (("capacity.people", "many"), "H-115", "whole number from 0 to 1000000."),
        (("stats", "closed"), "H-112", "operating.status, access.status, capacity.state"),
    ];
    for ((name, value), code, fix) in cases {
        let refusal = report_refused(&[(name, value)]);
        assert_eq!((refusal.code.as_str(), refusal.kind), (code, RefusalKind::Usage), "{name} {value}: {refusal:?}");
        assert!(refusal.fix.en.contains(fix), "{name} {value}: {}", refusal.fix.en);
    }
    assert_eq!(report_refused(&[("power.burn", "lots")]).fix.zh, "請填 0 到 10000 公升/小時，小數最多 1 位。");
    let long = report_refused(&[("message.public", &"x".repeat(65))]);
    assert_eq!((long.code.as_str(), long.what.zh.as_str()), ("H-117", "「公告」的文字超過 64 位元組。"));
    assert_eq!(report_refused(&[("message.public", "open\u{202e}desolc")]).code, "H-118");
    assert_eq!(report_refused(&[]).code, "H-110");
}

#[test]
fn one_bad_value_refuses_the_whole_report() {
    let mut bench = Bench::new();
    let wish = report(&[("operating.status", "open"), ("stock.water", "-1")]);
    refused(&mut bench, &PlanInput::Report(&wish));
    assert!(bench.domain.readings(node(1), Some(0), Some(0)).is_empty());
}

#[test]
fn what_an_act_can_get_wrong_is_told() {
    let with = |act: Act| {
        refused(&mut Bench::new(), &PlanInput::Report(&Report { act, ..report(&[("operating.status", "open")]) })).code
    };
    assert_eq!(with(Act { valid: Some("soon".into()), ..Act::default() }), "H-121");
    assert_eq!(with(Act { valid: Some("31d".into()), ..Act::default() }), "H-121");
    assert_eq!(with(Act { valid: Some("0h".into()), ..Act::default() }), "H-121");
    assert_eq!(with(Act { at: Some(UtcMillis(START + 120_000)), ..Act::default() }), "H-126");
    assert_eq!(with(Act { basis: Some("gossip".into()), ..Act::default() }), "H-114");
    assert_eq!(with(Act { desk: Some("x".repeat(33)), ..Act::default() }), "H-117");
}

#[test]
fn a_request_reads_as_it_was_asked() {
    let mut bench = Bench::new();
    let wish = RequestNew {
        priority: Some("速件".into()),
        needed_by: Some(UtcMillis(START + 3_600_000)),
        on_behalf_of: Some("neihu".into()),
        to: Some("1-2".into()),
        note: Some("back door".into()),
        act: Act { desk: Some("Lin".into()), ..Act::default() },
        ..new(&["water:2packs", "白米:1,000", "other:wheel chair=2"])
    };
    let (plan, written) = bench.wish(1, &PlanInput::RequestNew(&wish)).unwrap();
    assert_eq!(plan.about, Some(About::New { index: 0 }));
    let view = bench.view(written.unwrap());
    assert_eq!(view.request, spoken(written.unwrap()));
    assert_eq!((view.consignee.name.as_str(), view.requested_by.name.as_str()), ("Neihu", "Songshan"));
    assert_eq!((view.priority.as_str(), view.status.as_str(), view.version), ("urgent", "submitted", 1));
    let lines: Vec<_> = view.lines.iter().map(|line| (line.item.as_str(), line.unit.as_str(), line.requested)).collect();
    assert_eq!(lines, [("water", "LTR", 24), ("rice", "KGM", 1_000), ("other", "H87", 2)]);
    assert_eq!(
        (view.lines[2].text.as_deref(), view.note.as_deref(), view.desk.as_deref()),
        (Some("wheel chair"), Some("back door"), Some("Lin"))
    );
    assert_eq!((view.needed_by, view.asked_at), (Some(UtcMillis(START + 3_600_000)), Some(UtcMillis(START))));
    bench.check_order();
}

#[test]
fn retrying_with_one_key_adds_nothing() {
    let mut bench = Bench::new();
    let wish = RequestNew { key: Some("0c5f6f5e-8b56-4c9e".into()), ..new(&["water:40"]) };
    let (_, first) = bench.wish(1, &PlanInput::RequestNew(&wish)).unwrap();
    let (plan, second) = bench.wish(1, &PlanInput::RequestNew(&wish)).unwrap();
    assert_eq!((plan.already, second, plan.body), (first, None, None));
    // The same a day later: "6h" has another end by then, or has passed.
    let later = RequestNew { needed_by: Some(UtcMillis(START - 1)), ..wish.clone() };
    assert_eq!(bench.wish(1, &PlanInput::RequestNew(&later)).unwrap().0.already, first);
    let update = RequestUpdate { request: spoken(first.unwrap()), items: vec!["water:70".into()], ..RequestUpdate::default() };
    bench.wish(1, &PlanInput::RequestUpdate(&update)).unwrap();
    assert_eq!(bench.wish(1, &PlanInput::RequestNew(&wish)).unwrap().0.already, first, "as it was first asked");
    for other in [
        RequestNew { items: vec!["water:70".into()], ..wish.clone() },
        RequestNew { priority: Some("urgent".into()), ..wish.clone() },
        RequestNew { note: Some("back door".into()), ..wish.clone() },
        RequestNew { to: Some("1-2".into()), ..wish.clone() },
    ] {
        let refusal = refused(&mut bench, &PlanInput::RequestNew(&other));
        assert_eq!((refusal.code.as_str(), refusal.fix.en.contains(&spoken(first.unwrap()))), ("H-137", true));
    }
    let for_another = RequestNew { on_behalf_of: Some("1-3".into()), ..wish };
    assert!(bench.wish(1, &PlanInput::RequestNew(&for_another)).unwrap().1.is_some());
}

#[test]
fn an_update_replaces_what_it_gives_and_keeps_the_rest() {
    let mut bench = Bench::new();
    let need = ask(&mut bench, &["water:40"]);
    let wish =
        RequestUpdate { request: spoken(need).to_lowercase(), priority: Some("immediate".into()), ..RequestUpdate::default() };
    bench.wish(1, &PlanInput::RequestUpdate(&wish)).unwrap();
    let view = bench.view(need);
    assert_eq!((view.version, view.priority.as_str(), view.lines[0].requested), (2, "immediate", 40));
    let wish = RequestUpdate { request: spoken(need), items: vec!["water:70".into()], ..RequestUpdate::default() };
    bench.wish(1, &PlanInput::RequestUpdate(&wish)).unwrap();
    let view = bench.view(need);
    assert_eq!((view.version, view.priority.as_str(), view.lines[0].requested), (3, "immediate", 70));
    bench.check_order();
}

#[test]
fn a_request_is_cancelled_confirmed_and_closed_with_reasons() {
    let mut bench = Bench::new();
    let need = ask(&mut bench, &["water:40"]);
    let act = RequestAct { request: spoken(need), reason: Some("arrived".into()), ..RequestAct::default() };
    assert_eq!(refused(&mut bench, &PlanInput::RequestConfirm(&act)).code, "H-135", "nobody cancelled it");
    let steps: [(PlanInput<'_>, &str); 3] = [
        (PlanInput::RequestCancel(&act), "cancelled"),
        (PlanInput::RequestConfirm(&act), "submitted"),
        (PlanInput::RequestClose(&act), "closed"),
    ];
    for (step, status) in steps {
        let (plan, _) = bench.wish(1, &step).unwrap();
        assert_eq!((plan.about, bench.view(need).status.as_str()), (Some(About::Held(need)), status));
    }
    assert!(bench.view(need).history.iter().skip(1).all(|act| act.reason.as_deref() == Some("arrived")));
    assert_eq!(refused(&mut bench, &PlanInput::RequestClose(&act)).code, "H-130");
}

#[test]
fn what_a_request_can_get_wrong_is_told() {
    let cases = [
        (new(&["watre:40"]), "H-111"),
        (new(&["water"]), "H-123"),
        (new(&["water:"]), "H-115"),
        (new(&["water:0"]), "H-116"),
        (new(&["water:-1"]), "H-115"),
        (new(&["other:=2"]), "H-123"),
        (new(&["other:tent"]), "H-123"),
        (new(&[]), "H-110"),
        (new(&["water:1"; 17]), "H-122"),
        (new(&["water:1", "rice:2", "飲用水:3"]), "H-136"),
        (new(&["other:wheel chair=1", "other:Wheel-chair=2"]), "H-136"),
        (new(&[&format!("other:{}=1", "x".repeat(65))]), "H-117"),
        (RequestNew { priority: Some("asap".into()), ..new(&["water:1"]) }, "H-114"),
        (RequestNew { needed_by: Some(UtcMillis(START - 1)), ..new(&["water:1"]) }, "H-120"),
        (RequestNew { to: Some("1-1".into()), ..new(&["water:1"]) }, "H-125"),
        (RequestNew { note: Some("a\nb".into()), ..new(&["water:1"]) }, "H-118"),
        (RequestNew { key: Some(" ".into()), ..new(&["water:1"]) }, "H-128"),
    ];
    for (wish, code) in cases {
        assert_eq!(request_refused(&wish).code, code, "{wish:?}");
    }
    let below = |refusal: Refusal| refusal.fix.en.contains("plenty");
    assert!(!below(request_refused(&new(&["water:-1"]))) && below(report_refused(&[("stock.water", "-1")])));
    let long = request_refused(&new(&[&format!("other:{}=1", "x".repeat(65))]));
    assert!(long.what.zh.starts_with("「其他物資」"), "{}", long.what.zh);
    assert!(request_refused(&new(&["water:1", "water:2"])).what.zh.contains("飲用水"));
    let unknown = request_refused(&RequestNew { to: Some("Taipei Hbu".into()), ..new(&["water:1"]) });
    assert_eq!((unknown.code.as_str(), unknown.kind), ("H-210", RefusalKind::NotFound));
    assert!(unknown.fix.en.contains("Taipei Hub (1-2)"), "{}", unknown.fix.en);
}

#[test]
fn an_item_under_two_of_its_names_is_refused_in_a_report() {
    assert_eq!(report_refused(&[("stock.water", "1"), ("stock.飲用水", "2")]).code, "H-136");
}

#[test]
fn what_was_so_longer_ago_than_anything_holds_is_refused() {
    let ago = |seconds: i64| Report {
        act: Act { at: Some(UtcMillis(START - seconds * 1_000)), ..Act::default() },
        ..report(&[("operating.status", "open")])
    };
    let month = i64::from(super::reading::VALID_S_MAX);
    assert_eq!(refused(&mut Bench::new(), &PlanInput::Report(&ago(month + 1))).code, "H-138");
    assert!(Bench::new().wish(1, &PlanInput::Report(&ago(month))).is_ok());
}

#[test]
fn nodes_of_one_name_must_be_told_apart_by_id() {
    let mut bench = Bench::new();
    bench.directory.nodes.get_mut(&node(3)).unwrap().name = "Taipei Hub".into();
    let wish = RequestNew { to: Some("taipei hub".into()), ..new(&["water:1"]) };
    let refusal = refused(&mut bench, &PlanInput::RequestNew(&wish));
    assert_eq!((refusal.code.as_str(), refusal.fix.en.contains("1-2, 1-3")), ("H-211", true));
}

#[test]
fn a_mistyped_request_id_names_the_request_that_was_meant() {
    let mut bench = Bench::new();
    let need = ask(&mut bench, &["water:40"]);
    let right = spoken(need);
    let wrong = format!("{}{}", &right[..8], if right.ends_with('2') { '3' } else { '2' });
    let act = |request: String| RequestAct { request, ..RequestAct::default() };
    let refusal = refused(&mut bench, &PlanInput::RequestCancel(&act(wrong)));
    assert_eq!((refusal.code.as_str(), refusal.fix.en.contains(&right)), ("H-213", true));
    let other = spoken(FactId { index: 9, ..need });
    assert_eq!(refused(&mut bench, &PlanInput::RequestCancel(&act(other))).code, "H-212");
    let theirs = bench.say(log(3, 1), &[request(1)]);
    let refusal = refused(&mut bench, &PlanInput::RequestCancel(&act(spoken(theirs))));
    assert_eq!((refusal.code.as_str(), refusal.kind), ("H-220", RefusalKind::Rights));
    let unknown = RequestAct { version: Some(2), ..act(right) };
    assert_eq!(refused(&mut bench, &PlanInput::RequestCancel(&unknown)).code, "H-129");
}

#[test]
fn an_observation_stands_beside_the_nodes_own_word() {
    let mut bench = Bench::new();
    say(&mut bench, &[("operating.status", "open")]).unwrap();
    let wish = Observe {
        node: "Songshan".into(),
        values: values(&[("operating.status", "closed")]),
        note: Some("shutter down".into()),
        act: Act { at: Some(UtcMillis(START - 10_800_000)), basis: Some("carried".into()), ..Act::default() },
    };
    bench.wish(2, &PlanInput::Observe(&wish)).unwrap();
    assert_eq!(bench.domain.operating_status(node(1), Some(0)).word, "open");
    let views = bench.domain.observations_of(node(1), &bench.directory, &|_| Some(60_000));
    assert_eq!(
        (views[0].by.name.as_str(), views[0].note.as_deref(), views[0].age_s),
        ("Taipei Hub", Some("shutter down"), Some(10_860))
    );
    let reading = &views[0].readings["operating.status"];
    assert_eq!((reading.value.as_str(), reading.age_s, reading.basis.as_str()), (Some("closed"), Some(10_860), "carried"));
    let oneself = Observe { node: "1-1".into(), ..wish };
    assert_eq!(refused(&mut bench, &PlanInput::Observe(&oneself)).code, "H-124");
    let nothing = Observe { node: "1-2".into(), ..Observe::default() };
    assert_eq!(refused(&mut bench, &PlanInput::Observe(&nothing)).code, "H-110");
}

fn observe(bench: &mut Bench, author: u16, target: &str, status: &str) -> Result<FactId, Refusal> {
    let said = values(&[("operating.status", status)]);
    let wish = Observe { node: target.into(), values: said, ..Observe::default() };
    bench.wish(author, &PlanInput::Observe(&wish)).map(|(_, written)| written.expect("written"))
}

#[test]
fn a_slip_in_an_observation_is_put_right_at_once_and_chatter_is_told_when_to_come_back() {
    let mut bench = Bench::new();
    observe(&mut bench, 1, "Neihu", "open").unwrap();
    bench.pass(60);
    let corrected = observe(&mut bench, 1, "Neihu", "closed").unwrap();
    observe(&mut bench, 1, "Neihu", "closed").unwrap();
    let too_often = observe(&mut bench, 1, "Neihu", "limited").unwrap_err();
    assert_eq!((too_often.code.as_str(), too_often.kind), ("H-134", RefusalKind::Unable));
    assert!(too_often.what.en.contains("Neihu (1-3)") && too_often.fix.en.contains("in 9 min"), "{too_often:?}");
    assert!(too_often.what.zh.contains("Neihu (1-3)") && too_often.fix.zh.contains("9 分鐘"), "{too_often:?}");
    let stands = bench.domain.live_about(node(3));
    assert_eq!((stands.len(), stands[0] > corrected), (1, true), "what was saved stands");
    observe(&mut bench, 1, "Taipei Hub", "open").expect("another node's turn is its own");
    observe(&mut bench, 2, "Neihu", "limited").expect("another observer's turn is its own");
    bench.pass(539);
    assert!(observe(&mut bench, 1, "Neihu", "limited").is_err());
    bench.pass(1);
    observe(&mut bench, 1, "Neihu", "limited").expect("at the time named");
}

#[test]
fn a_clock_that_was_wrong_holds_no_observation_up() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        observe(&mut bench, 1, "Neihu", "open").unwrap();
    }
    bench.now.wall = UtcMillis(START - 86_400_000);
    observe(&mut bench, 1, "Neihu", "closed").expect("what a clock a day ahead stamped is not recent");
    bench.now.wall = UtcMillis::UNKNOWN;
    observe(&mut bench, 1, "Neihu", "limited").expect("without a clock nothing is recent");
}

#[test]
fn requests_are_listed_open_first_then_by_priority() {
    let mut bench = Bench::new();
    let cancelled = ask(&mut bench, &["water:1"]);
    ask(&mut bench, &["water:2"]);
    let urgent = RequestNew { priority: Some("immediate".into()), ..new(&["water:3"]) };
    bench.wish(1, &PlanInput::RequestNew(&urgent)).unwrap();
    let act = RequestAct { request: spoken(cancelled), ..RequestAct::default() };
    bench.wish(1, &PlanInput::RequestCancel(&act)).unwrap();
    let listed: Vec<_> =
        bench.domain.requests(&bench.directory, bench.now, Which::All).iter().map(|(_, view)| view.lines[0].requested).collect();
    assert_eq!(listed, [3, 2, 1]);
}
