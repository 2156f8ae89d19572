//! Orders as a controller gives them, on small exercises.

use super::*;
use crate::scenario::{read, write};

const TEXT: &str = r#"
exercise = { id = "T", duration = "20m", settle = "4m" }
inject = [{ at = "00:04", what = "partition", groups = ["site:S1"], lasts = "3m" }]
[world]
generate = { sites = 6, hubs = 1, region = "HUA", areas = 2 }
[world.defaults]
operators = { confirm = "5s..10s", night = "none" }
tempo = { boards = "5m", entries = "10m" }
[[expect]]
id = "X1"
text = "All say they are the same"
within = "20m"
check = { equal = "*" }
"#;

fn control(seed: u64) -> Control {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("scenario.toml"), TEXT).unwrap();
    let scenario = read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}")).0;
    Control::new(Play::new(scenario, seed, "").unwrap())
}

/// Gives an order as it is written at the keyboard, and plays until it is done.
#[track_caller]
fn order(control: &mut Control, line: &str) -> Done {
    let done = control.obey(line.parse().unwrap()).unwrap_or_else(|refused| panic!("{line}: {refused:?}"));
    while control.is_playing() {
        control.play_on(u64::MAX);
    }
    done
}

fn minutes(control: &mut Control) -> u64 {
    control.play().now() / 60_000_000
}

/// What a line is refused with.
#[track_caller]
fn refused(control: &mut Control, line: &str) -> String {
    let refused = line.parse().and_then(|order| control.obey(order)).expect_err("must be refused");
    format!("{} {}", refused.what.en, refused.fix.en)
}

#[test]
fn a_slip_is_answered_with_what_is_wrong_and_nothing_is_played() {
    let mut control = control(1);
    order(&mut control, "go 00:03");
    for (line, words) in [
        ("go 99:00", "4d 03:00 is beyond the end: play ends at 00:24."),
        ("go +2h", "02:03 is beyond the end"),
        ("go 00:01", "00:01 is not after 00:03, where play stands."),
        ("back nosuch", "There is no checkpoint \"nosuch\". Checkpoints: 00:00."),
        ("inject", "It is not said what is to happen. Write such as inject power-loss where=site:S1"),
        ("inject request as=site:S1 data={id=R-1,item=water,qty=40}", "data=\"id=R-1; item=water; qty=40\""),
        ("inject request as=site:S1 data={ id = \"R-1\", item = \"water\" }", "\"data\" is written with braces"),
    ] {
        let told = refused(&mut control, line);
        assert!(told.contains(words) && !told.contains("Should"), "{line}: {told}");
    }
    assert_eq!(minutes(&mut control), 3);
    assert_eq!(order(&mut control, "inject request as=site:S1 data=\"id=R-1; item=water; qty=40\"").inject, Some(2));
    order(&mut control, "go 00:24");
    assert!(control.is_over());
}

#[test]
fn play_goes_where_it_is_sent_and_stands_there() {
    let mut control = control(1);
    order(&mut control, "go 00:02");
    assert_eq!((minutes(&mut control), control.state().play), (2, "paused"));
    order(&mut control, "step minute");
    assert_eq!(minutes(&mut control), 3);
    order(&mut control, "step inject");
    let state = control.state();
    assert_eq!((state.at_us, state.in_force.len(), state.injects.done), (240_000_001, 1, 1));
    order(&mut control, "go +3m");
    assert_eq!((minutes(&mut control), control.state().in_force.len()), (7, 0), "it lasted three minutes");
    let before = control.play().world().events;
    order(&mut control, "step");
    assert!(control.play().world().events > before);
    order(&mut control, "step violation");
    assert_eq!((control.is_over(), control.state().play), (false, "paused"), "none was broken: it stands just before its end");
    assert_eq!(control.obey(Order::Step(Step::Inject)).unwrap_err().code, "H-634", "none is left");
    order(&mut control, "keep late");
    assert_eq!(control.obey(Order::Keep("late".to_owned())).unwrap_err().code, "H-635");
    order(&mut control, "go");
    assert_eq!((control.is_over(), control.state().play), (true, "over"));
    assert_eq!(control.state().expectations[0].result, "met");
    assert_eq!(control.obey(Order::Resume).unwrap_err().code, "H-630");
}

#[test]
fn speed_counts_where_play_goes_on_by_itself_and_pausing_stops_any_way() {
    let mut control = control(1);
    assert_eq!(control.pace(), None, "it stands");
    for (line, pace) in [("speed 5x", None), ("resume", Some(5)), ("go 00:10", None), ("speed max", None), ("resume", None)] {
        control.obey(line.parse().unwrap()).unwrap();
        assert_eq!(control.pace(), pace, "{line}");
        control.play_on(control.play.now() + 1_000_000);
    }
    control.obey(Order::Pause).unwrap();
    let at = control.play().now();
    control.play_on(u64::MAX);
    assert_eq!((control.play().now(), control.is_playing()), (at, false));
}

#[test]
fn going_back_begins_a_line_and_the_record_names_what_was_left() {
    let mut control = control(3);
    order(&mut control, "go 00:06");
    order(&mut control, "keep before");
    let first = order(&mut control, "inject crash where=site:S2 lasts=10m").inject;
    order(&mut control, "go 00:09");
    order(&mut control, "back before");
    let second = order(&mut control, "inject partition groups=power_area:HUA-01 lasts=2m").inject;
    assert_eq!(first, second, "numbers begin again where the line does");
    order(&mut control, "go 00:08");
    order(&mut control, "keep later");
    order(&mut control, "back later");
    order(&mut control, "go");
    let record = control.record();
    assert_eq!((record.run.line, record.run.parent), (3, Some((2, 480_000_000))));
    let left: Vec<_> = record.left.iter().map(|line| (line.nr, line.parent, line.reached, line.by_hand.len())).collect();
    assert_eq!(left, [(1, None, 540_000_000, 1), (2, Some((1, 360_000_000)), 480_000_000, 1)]);
    assert_eq!(record.left[0].by_hand[0].what, "crash");
    let by_hand: Vec<&str> = record.injects.iter().filter(|one| one.by_hand).map(|one| one.what.as_str()).collect();
    assert_eq!(by_hand, ["partition"], "the crash is on another line");

    let dir = tempfile::tempdir().unwrap();
    write(&control.play().as_played(), dir.path()).unwrap();
    let mut again = Play::new(read(dir.path()).unwrap().0, 3, "").unwrap();
    again.advance(u64::MAX);
    assert_eq!(again.record().run.fingerprint, record.run.fingerprint);
}

#[test]
fn what_is_refused_changes_nothing_and_says_so_in_both_languages() {
    let mut control = control(5);
    order(&mut control, "go 00:05");
    let before = control.state();
    for (line, code) in [
        ("frobnicate", "H-620"),
        ("speed fast", "H-621"),
        ("speed 0x", "H-621"),
        ("step second", "H-622"),
        ("go soon", "H-623"),
        ("go +", "H-623"),
        ("go 00:04", "H-624"),
        ("inject", "H-625"),
        ("inject explode where=site:S1", "H-625"),
        ("inject crash where=site:S99", "H-625"),
        ("inject crash where=site:S1 at=00:09", "H-625"),
        ("inject crash where=site:S1 where=site:S2", "H-625"),
        ("inject jam channel=R9", "H-625"),
        ("inject cancel request=R-77", "H-625"),
        ("inject partition groups=*", "H-625"),
        ("inject crash where=site:S1 expect=\"none\"", "H-625"),
        ("back nowhere", "H-627"),
        ("note", "H-629"),
        ("keep", "H-629"),
    ] {
        let refused = line.parse().and_then(|order| control.obey(order)).expect_err(line);
        assert_eq!(refused.code, code, "{line}: {refused:?}");
        for words in [&refused.what, &refused.means, &refused.fix] {
            assert!(!words.en.is_empty() && !words.zh.is_empty() && words.zh != words.en, "{refused:?}");
        }
    }
    assert_eq!(control.state(), before);
    assert_eq!(control.sites(Some("S99")).unwrap_err().code, "H-632");
}

#[test]
fn an_inject_is_the_same_as_a_line_and_as_fields() {
    let mut by_line = control(2);
    let mut by_fields = control(2);
    let fields = |text: &str| Wish::Fields(serde_json::from_str(text).unwrap());
    let line = |text: &str| Wish::Line(text.to_owned());
    for (one, other) in [
        (
            line("partition groups=site:S1|site:S2 lasts=2m"),
            fields(r#"{"what":"partition","groups":["site:S1","site:S2"],"lasts":"2m"}"#),
        ),
        (
            line("request as=site:S3 data=\"id=R-1; item=water; qty=40\""),
            fields(r#"{"what":"request","as":"site:S3","data":{"id":"R-1","item":"water","qty":40}}"#),
        ),
        (line("say say=\"two words\""), fields(r#"{"what":"say","say":"two words"}"#)),
    ] {
        by_line.obey(Order::Inject(one)).unwrap();
        by_fields.obey(Order::Inject(other)).unwrap();
        for control in [&mut by_line, &mut by_fields] {
            order(control, "go +3m");
        }
    }
    assert_eq!(by_line.play().done_by_hand(), by_fields.play().done_by_hand());
    assert_eq!(by_line.state().fingerprint, by_fields.state().fingerprint);
    let refused = by_fields.obey(Order::Inject(fields(r#"{"what":"say","say":"t","at":"00:30"}"#))).unwrap_err();
    assert!(refused.what.en.contains("\"at\""), "{refused:?}");
}

#[test]
fn news_are_told_in_order_and_once() {
    let mut control = control(1);
    order(&mut control, "keep start");
    order(&mut control, "go 00:05");
    let news = control.take_news();
    let place = |wanted: &dyn Fn(&News) -> bool| news.iter().position(wanted).unwrap_or_else(|| panic!("{news:#?}"));
    let kept = place(&|one| matches!(one, News::Checkpoint { name, .. } if name == "start"));
    let playing = place(&|one| matches!(one, News::Playing { at: 0 }));
    let inject = place(&|one| matches!(one, News::Happened { kind, at: 240_000_000, .. } if kind == "inject"));
    let paused = place(&|one| matches!(one, News::Paused { at: 300_000_000 }));
    assert!(kept < playing && playing < inject && inject < paused, "{news:#?}");
    assert_eq!(control.take_news(), []);
}

#[test]
fn sites_are_shown_as_somebody_sees_them() {
    let mut control = control(1);
    order(&mut control, "go 00:06");
    let sites = control.sites(None).unwrap();
    let hub = sites.sites.iter().find(|site| site.role == "hub").unwrap();
    assert_eq!(sites.as_seen_by.as_ref(), Some(&hub.id));
    let cut = sites.sites.iter().find(|site| site.id == "S1").unwrap();
    assert!(cut.running && !cut.reachable && cut.lat > 23_000_000 && cut.lon > 120_000_000, "{cut:?}");
    let own = control.sites(Some("S1")).unwrap();
    assert!(own.sites.iter().filter(|site| site.id != "S1").all(|site| !site.reachable), "{own:?}");
}
