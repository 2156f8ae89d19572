//! Shrinking towards things that do happen: what is left still shows them, is never larger, and nothing in it can be spared.

use super::*;
use crate::scenario::{self, After, Check, Effect, Expect, Origin};
use crate::swarm::{Scale, calm, draw};

const NO_LIMIT: Limits<'_> = Limits { runs: 5_000, late: &|| false };

/// A rule that the world does not keep, and need not: no site stops twice.
fn stopped_twice(play: &mut Play) -> Option<Broken> {
    let timeline = play.record().timeline;
    let stops = |site| timeline.iter().filter(move |line| line.kind == "down" && line.site == Some(site));
    let (site, second) = (0..play.world().scenario().sites.len()).find_map(|site| Some((site, stops(site).nth(1)?)))?;
    Some(Broken {
        what: "rule twice broken".to_owned(),
        text: "No site stops twice.".to_owned(),
        at_us: Some(second.at),
        site: Some(play.world().scenario().sites[site].id.clone()),
        seen: second.what.to_string(),
    })
}

/// Everything that may only become less.
fn size(scenario: &Scenario) -> [u64; 7] {
    let count = |count: usize| count as u64;
    let named: usize = scenario.injects.iter().map(|inject| inject.effect.sites().len()).sum();
    [
        count(scenario.sites.len()),
        count(scenario.elements.len()),
        count(scenario.injects.len()),
        count(scenario.expects.len()),
        count(named),
        scenario.exercise.duration,
        scenario.injects.iter().filter_map(|inject| inject.lasts).sum(),
    ]
}

/// What is left shows the same, is not larger, and without any one inject does not show it.
#[track_caller]
fn is_least(before: &Scenario, shrunk: &Shrunk, judge: Judge<'_>) {
    let after = &shrunk.scenario;
    assert!(shrunk.least);
    assert_eq!(play(after, judge).as_ref(), Some(&shrunk.broken));
    assert!(size(before).iter().zip(size(after)).all(|(before, after)| after <= *before), "{:?}", size(after));
    let numbers: BTreeSet<u32> = after.injects.iter().map(|inject| inject.nr).collect();
    for nr in &numbers {
        let kept = numbers.iter().copied().filter(|other| other != nr).collect();
        assert_eq!(play(&after.clone().with_injects(&kept), judge), None, "inject {nr} can be spared");
    }
    let dir = tempfile::tempdir().unwrap();
    scenario::write(after, dir.path()).unwrap();
    let (read, _) = scenario::read(dir.path()).expect("what is left can be read");
    assert_eq!(read.unplaced(), after.clone().unplaced());
    assert_eq!(play(&scenario::read(dir.path()).expect("as before").0, judge).as_ref(), Some(&shrunk.broken));
}

#[test]
fn a_drawn_scenario_shrinks_to_the_two_stops_that_are_looked_for() {
    let mut found = 0;
    for seed in 0..4 {
        let mut drawn = draw(seed, Scale { nodes: 5, minutes: 2 });
        drawn.exercise.settle = 0;
        let shrunk = shrink(drawn.clone(), seed, &stopped_twice, NO_LIMIT);
        assert_eq!(shrunk.is_some(), play(&drawn, &stopped_twice).is_some());
        let Some(shrunk) = shrunk else { continue };
        found += 1;
        is_least(&drawn, &shrunk, &stopped_twice);
        assert!(shrunk.scenario.injects.len() <= 2, "seed {seed}: {:#?}", shrunk.scenario.injects);
        assert_eq!((shrunk.scenario.sites.len(), shrunk.scenario.world.tempo.acts), (2, 0), "seed {seed}");
    }
    assert!(found >= 1, "{found} of these seeds stop a site twice");
}

/// A calm hour of six sites, and what happens in it.
fn hour(injects: Vec<(u64, Effect)>, expects: Vec<Expect>) -> Scenario {
    let tempo = scenario::Tempo { boards: 10 * MINUTE, entries: 10 * MINUTE, needs: 0, acts: 0 };
    let plain = |(nr, (minute, effect)): (usize, (u64, Effect))| Inject {
        nr: u32::try_from(nr + 1).unwrap(),
        when: When::At(minute * MINUTE + 7 * SECOND),
        lasts: matches!(effect, Effect::Crash(_) | Effect::Partition { .. }).then_some(20 * MINUTE),
        effect,
        name: None,
        say: None,
        objective: None,
        expect: Vec::new(),
        by_hand: false,
        origin: Origin::default(),
    };
    Scenario { injects: injects.into_iter().enumerate().map(plain).collect(), expects, ..calm(6, (6, 1), Path::WAN, 60, tempo) }
}

fn expect(after: u64, checks: Vec<Check>) -> Expect {
    let text = "All know the request within ten minutes".to_owned();
    let after = After::Time(after * MINUTE);
    Expect { id: "X1".to_owned(), objective: None, text, after, within: 10 * MINUTE, checks, origin: Origin::default() }
}

#[test]
fn an_expectation_that_is_not_met_shrinks_to_what_is_in_its_way() {
    let lines = vec![("water".to_owned(), 40)];
    let request = Effect::Request { site: 4, label: "R-1".into(), lines, priority: "urgent".into(), needed_by: None };
    let word = vec![("operating.status".to_owned(), "limited".to_owned())];
    let injects = vec![
        (5, Effect::Crash(vec![1])),
        (8, Effect::Report { sites: vec![0, 3], values: word }),
        (10, Effect::Partition { groups: vec![vec![0, 1, 2], vec![3, 4, 5]], one_way: false }),
        (12, request),
        (40, Effect::Crash(vec![5])),
    ];
    let what = crate::scenario::Subject::Request("R-1".into());
    let knows = Check::Knows { sites: (0..6).collect(), alive: true, what, at_least: 1_000_000 };
    let before = hour(injects, vec![expect(13, vec![knows])]);
    let first = run::run_scenario(before.clone(), 3).unwrap().broken.remove(0);
    assert_eq!(first.what, "expectation X1 not met in time");
    let judge = same(&first.what);
    let shrunk = shrink(before.clone(), 3, &judge, NO_LIMIT).expect("it fails");
    is_least(&before, &shrunk, &judge);
    let left: Vec<u32> = shrunk.scenario.injects.iter().map(|inject| inject.nr).collect();
    assert_eq!(left, [3, 4], "{:#?}", shrunk.scenario.injects);
    assert_eq!(shrunk.scenario.sites.len(), 2);
    let title = &shrunk.scenario.exercise.title;
    assert!(title.starts_with("Seed 3: expectation X1 not met in time at ") && !title.contains('\n'), "{title}");
}

#[test]
fn what_does_not_fail_is_not_shrunk_and_a_limit_is_kept() {
    let calm = hour(vec![(5, Effect::Crash(vec![1])), (40, Effect::Crash(vec![1])), (45, Effect::Crash(vec![2]))], Vec::new());
    assert_eq!(run::run_scenario(calm.clone(), 1).unwrap().broken, []);
    assert_eq!(shrink(calm.clone(), 1, &same("rule P7.same-digest broken"), NO_LIMIT), None);
    let few = Limits { runs: 3, late: &|| false };
    let shrunk = shrink(calm.clone(), 1, &stopped_twice, few).expect("it stops twice");
    assert!((shrunk.runs, shrunk.least) == (3, false) && play(&shrunk.scenario, &stopped_twice).is_some());
    let late = Limits { runs: 100, late: &|| true };
    assert_eq!(shrink(calm, 1, &stopped_twice, late).map(|shrunk| (shrunk.runs, shrunk.least)), Some((1, false)));
}
