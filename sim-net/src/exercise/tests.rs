//! Small exercises, read from text as a controller would write them.

use super::*;
use crate::record::Verdict;
use crate::scenario::{read, read_line, write};

/// Six sites of two power areas, twenty minutes, and whatever `more` says.
fn exercise(more: &str) -> Scenario {
    let text = format!(
        "[exercise]\nid = \"T\"\nduration = \"20m\"\nsettle = \"4m\"\n\
         [world]\ngenerate = {{ sites = 6, hubs = 1, region = \"HUA\", areas = 2 }}\n\
         [world.defaults]\noperators = {{ confirm = \"5s..10s\", night = \"none\" }}\ntempo = {{ boards = \"never\", entries = \"never\" }}\n{more}"
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("scenario.toml"), text).unwrap();
    read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}")).0
}

fn played(more: &str) -> Record {
    let mut play = Play::new(exercise(more), 7, "").unwrap();
    play.advance(Micros::MAX);
    assert!(play.is_over());
    play.record()
}

fn by_line(play: &mut Play, line: &str) -> u32 {
    let now = play.now();
    let inject = read_line(line, play.world().scenario(), now).unwrap();
    play.by_hand(inject).unwrap()
}

const ASK: &str = "[[inject]]\nat = \"00:04\"\nwhat = \"request\"\nas = \"site:S1\"\nname = \"ask\"\n\
                   data = { id = \"R-1\", item = \"water\", qty = 40, priority = \"urgent\" }\n";

fn verdict(record: &Record, id: &str) -> (Verdict, Option<u64>) {
    let expect = record.expectations.iter().find(|expect| expect.id == id).unwrap();
    (expect.result, expect.late)
}

#[test]
fn an_expectation_is_met_late_missed_or_never_looked_at() {
    let cut = "[[inject]]\nat = \"00:02\"\nwhat = \"partition\"\ngroups = [\"site:S1\"]\nlasts = \"8m\"\n";
    let knows = |id: &str, after: &str, within: &str, who: &str| {
        format!(
            "[[expect]]\nid = \"{id}\"\ntext = \"t\"\nafter = \"{after}\"\nwithin = \"{within}\"\n\
             check = {{ every = \"{who}\", knows = \"request:R-1\" }}\n"
        )
    };
    let never = "[[inject]]\nif_not = \"SELF\"\nby = \"00:19\"\nwhat = \"say\"\nsay = \"t\"\nname = \"unused\"\n";
    let more = [
        ASK,
        cut,
        &knows("SELF", "name:ask", "2m", "site:S1"),
        &knows("LATE", "name:ask", "2m", "site alive"),
        "[[expect]]\nid = \"MISSED\"\ntext = \"t\"\nafter = \"00:00\"\nwithin = \"5m\"\n\
         check = { count = \"requests_open\", at = \"site:S1\", at_least = 2 }\n",
        &knows("UNSEEN", "name:unused", "30s", "site:S1"),
        never,
    ]
    .concat();
    let record = played(&more);
    assert_eq!(verdict(&record, "SELF"), (Verdict::Met, None));
    let (result, late) = verdict(&record, "LATE");
    assert_eq!(result, Verdict::MetLate);
    assert!(
        late.is_some_and(|late| (200_000_000..300_000_000).contains(&late)),
        "the cut ends at 10:00, due was 06:00: {late:?}"
    );
    assert_eq!(verdict(&record, "MISSED"), (Verdict::NotMet, None));
    assert_eq!(verdict(&record, "UNSEEN"), (Verdict::NotObserved, None));
    let unused = record.injects.iter().find(|inject| inject.contingency).unwrap();
    assert_eq!((unused.happened, unused.why_not.clone()), (None, Some(Phrase::MetBefore { expect: "SELF".to_owned() })));
    assert!(record.invariants.iter().all(|rule| rule.violations == 0), "{:#?}", record.invariants);
    assert_eq!((record.run.lost, record.run.converged_after_heal.is_some()), (0, true));
}

#[test]
fn a_contingency_comes_where_what_was_hoped_for_did_not() {
    let more = [
        ASK,
        "[[inject]]\nat = \"00:01\"\nwhat = \"operator-absent\"\nwhere = \"site:S1\"\n",
        "[[expect]]\nid = \"X\"\ntext = \"t\"\nafter = \"00:00\"\nwithin = \"6m\"\ncheck = { every = \"site:S1\", knows = \"request:R-1\" }\n",
        "[[inject]]\nif_not = \"X\"\nby = \"00:08\"\nwhat = \"report\"\nas = \"site:S2\"\ndata = { \"operating.status\" = \"closed\" }\n",
    ]
    .concat();
    let record = played(&more);
    assert_eq!(verdict(&record, "X").0, Verdict::NotMet);
    let contingency = record.injects.iter().find(|inject| inject.contingency).unwrap();
    assert_eq!(contingency.happened, Some(8 * 60_000_000));
    assert!(contingency.first_effect.as_ref().is_some_and(|(_, what)| *what == Phrase::Saved), "{contingency:?}");
}

#[test]
fn what_was_done_by_hand_is_played_again_to_the_last_event() {
    let mut play = Play::new(exercise(ASK), 11, "").unwrap();
    play.advance(5 * 60_000_000 + 123_457);
    let first = by_line(&mut play, "partition groups=power_area:HUA-01 lasts=3m");
    play.advance(7 * 60_000_000);
    let second = by_line(&mut play, "report as=site:S3 data=\"power.source=generator\" say=\"on the generator now\"");
    play.advance(Micros::MAX);
    let record = play.record();
    let hand: Vec<u32> = record.injects.iter().filter(|inject| inject.by_hand).map(|inject| inject.nr).collect();
    assert_eq!(hand, [first, second]);
    assert!(
        record.injects.iter().filter(|inject| inject.by_hand).all(|inject| inject.happened.is_some() && inject.planned.is_none())
    );
    let dir = tempfile::tempdir().unwrap();
    write(&play.as_played(), dir.path()).unwrap();
    let (scenario, _) = read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let mut again = Play::new(scenario, 11, "").unwrap();
    again.advance(Micros::MAX);
    assert_eq!(again.record().run.fingerprint, record.run.fingerprint);
}

#[test]
fn a_branch_goes_its_own_way_and_leaves_the_other_as_it_was() {
    let mut play = Play::new(exercise(ASK), 3, "").unwrap();
    play.advance(3 * 60_000_000);
    let (mut branch, mut plain) = (play.clone(), play.clone());
    let _ = by_line(&mut branch, "crash where=site:S1 lasts=10m");
    for play in [&mut play, &mut branch, &mut plain] {
        play.advance(Micros::MAX);
    }
    let [one, other, same] = [play, branch, plain].map(|mut play| play.record());
    assert_eq!(one.run.fingerprint, same.run.fingerprint);
    assert_ne!(one.run.fingerprint, other.run.fingerprint);
    assert!(other.requests.is_empty() || other.requests[0].at > one.requests[0].at);
}

#[test]
fn a_real_event_stops_play_at_once_and_the_record_says_so() {
    let mut play = Play::new(exercise(ASK), 5, "").unwrap();
    play.advance(6 * 60_000_000);
    play.end_now("real-event");
    assert!(play.is_over());
    let record = play.record();
    assert_eq!((record.run.ended_early.as_deref(), record.run.reached), (Some("real-event"), 6 * 60_000_000));
    assert!(record.timeline.iter().any(|line| line.kind == "real-event"));
    let words = (record.requests[0].label.as_str(), record.requests[0].known, record.requests[0].lines.clone());
    assert_eq!(words, ("R-1", (6, 6), vec!["water 40".to_owned()]));
}

#[test]
fn played_in_pieces_or_at_once_it_is_the_same_to_the_last_word_of_the_record() {
    let more = format!("{ASK}[[inject]]\nat = \"00:06\"\nwhat = \"crash\"\nwhere = \"site:S2\"\nlasts = \"3m\"\n");
    let mut pieces = Play::new(exercise(&more), 7, "").unwrap();
    let mut count = 0;
    while !pieces.is_over() {
        pieces.advance_a_piece(Micros::MAX);
        count += 1;
    }
    assert!(count > 10, "{count}");
    assert_eq!(pieces.record(), played(&more));
}

#[test]
fn what_must_last_and_what_must_come_are_judged_together_when_they_are_due() {
    let forge =
        "[[inject]]\nat = \"00:03\"\nwhat = \"forge\"\nkind = \"bad-signature\"\nwhere = \"site:S2\"\nname = \"forged\"\n";
    let expect = |id: &str, within: &str, check: &str| {
        format!("[[expect]]\nid = \"{id}\"\ntext = \"t\"\nwithin = \"{within}\"\ncheck = {check}\n")
    };
    let more = [
        ASK,
        forge,
        &expect("BOTH", "10m", "[{ never_accepted = \"name:forged\" }, { every = \"*\", knows = \"request:R-1\" }]"),
        &expect("SOON", "2m", "{ never_accepted = \"name:forged\" }"),
        &expect("SWIFT", "10m", "{ p95_time_to_know = \"1m\", every = \"*\" }"),
        &expect("SLOW", "10m", "{ p95_time_to_know = \"1ms\", every = \"*\" }"),
        &expect("NOTHING", "3m", "{ p95_time_to_know = \"1m\", every = \"*\" }"),
        // Met between two looks and due in the same second.
        &expect("JUST", "4m11s", "{ every = \"site:S1\", knows = \"request:R-1\" }"),
    ]
    .concat();
    let record = played(&more);
    for (id, result) in [
        ("BOTH", Verdict::Met),
        ("SOON", Verdict::NotObserved),
        ("SWIFT", Verdict::Met),
        ("SLOW", Verdict::NotMet),
        ("NOTHING", Verdict::NotObserved),
        ("JUST", Verdict::Met),
    ] {
        assert_eq!(verdict(&record, id), (result, None), "{id}");
    }
}

#[test]
fn a_record_of_what_a_controller_did_can_be_read_and_played_whatever_was_drifted_by_hand_or_planned_so() {
    let planned =
        "[[inject]]\nnr = 3\nat = \"00:02\"\nwhat = \"crash\"\nwhere = \"site:S2\"\nlasts = \"1m\"\nby_hand = \"yes\"\n";
    let mut play = Play::new(exercise(planned), 3, "").unwrap();
    play.advance(180_000_000);
    by_line(&mut play, "clock-drift where=site:S1 ppm=-400000");
    by_line(&mut play, "clock-jump where=site:S4 jump=1970 lasts=3m");
    play.advance(Micros::MAX);
    let record = play.record();
    assert!(record.invariants.iter().all(|rule| rule.violations == 0), "{:#?}", record.invariants);
    let dir = tempfile::tempdir().unwrap();
    write(&play.as_played(), dir.path()).unwrap();
    let mut again = Play::new(read(dir.path()).unwrap_or_else(|problems| panic!("{problems:#?}")).0, 3, "").unwrap();
    again.advance(Micros::MAX);
    let again = again.record();
    assert_eq!((&again.run.fingerprint, &again.run.played_hash), (&record.run.fingerprint, &record.run.played_hash));
}
