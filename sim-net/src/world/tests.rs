//! Every effect of a scenario does what it says, and is undone as it says.

use super::*;
use crate::run::run_scenario;
use crate::scenario::words::{ElementKind, ForgeKind, Medium};
use crate::scenario::{Effect, Element, Operators, Origin, Path, Tempo, When};
use crate::swarm;

mod courier;
mod flood;
mod goods;
mod radio;

const SILENT: Tempo = Tempo { boards: 0, entries: 0, needs: 0, acts: 0 };
const HOUR: Micros = 60 * MINUTE;

/// Six hubs, nothing happens, half an hour and the settling.
fn calm() -> Scenario {
    let mut scenario = swarm::calm(6, (1, 1), Path { delay: 10_000, ..Path::LAN }, 30, SILENT);
    scenario.exercise.settle = swarm::SETTLE;
    scenario
}

fn inject(nr: u32, at: Micros, effect: Effect) -> Inject {
    Inject {
        nr,
        when: When::At(at),
        effect,
        lasts: None,
        name: None,
        say: None,
        objective: None,
        expect: Vec::new(),
        by_hand: false,
        origin: Origin::default(),
    }
}

fn lasting(nr: u32, at: Micros, lasts: Micros, effect: Effect) -> Inject {
    Inject { lasts: Some(lasts), ..inject(nr, at, effect) }
}

fn report(site: SiteNo) -> Effect {
    Effect::Report { sites: vec![site], values: vec![("operating.status".to_owned(), "limited".to_owned())] }
}

fn request(site: SiteNo, label: &str) -> Effect {
    let (label, lines, priority) = (label.to_owned(), vec![("water".to_owned(), 40)], "urgent".to_owned());
    Effect::Request { site, label, lines, priority, needed_by: None }
}

fn world(scenario: Scenario) -> World {
    World::new(scenario, 5).unwrap()
}

/// What happened and when, seconds.
fn story(world: &mut World, wanted: impl Fn(&Happened) -> bool) -> Vec<(u64, Happened)> {
    let logged = world.drain_log().into_iter();
    logged.filter(|logged| wanted(&logged.what)).map(|logged| (logged.at / 1_000_000, logged.what)).collect()
}

fn who_knows(world: &World, what: &Subject) -> Vec<SiteNo> {
    (0..world.slots.len()).filter(|site| world.holds(*site, what) == Some(true)).collect()
}

/// To the end, with the verdict: no rule broken.
fn good(mut world: World) -> World {
    assert!(world.run_until(world.end()));
    world.verdict();
    assert_eq!(world.checker.violations, []);
    world
}

#[test]
fn what_is_said_behind_a_cut_cable_is_heard_when_it_works_again() {
    let mut scenario = calm();
    scenario.elements = vec![Element { id: "CABLE".to_owned(), kind: ElementKind::Cable, used_by: vec![0, 1, 2] }];
    scenario.injects = vec![
        lasting(1, 2 * MINUTE, 10 * MINUTE, Effect::Cut(vec![0])),
        inject(2, 5 * MINUTE, request(0, "R-1")),
        inject(3, 5 * MINUTE, report(1)),
    ];
    let mut world = world(scenario);
    let subjects = [Subject::Request("R-1".to_owned()), Subject::Inject(3)];
    world.run_until(MINUTE);
    assert_eq!(world.holds(0, &subjects[0]), None, "nothing was said yet");
    world.run_until(11 * MINUTE);
    for subject in &subjects {
        assert_eq!(who_knows(&world, subject), [0, 1, 2]);
    }
    world.run_until(14 * MINUTE);
    for subject in &subjects {
        assert_eq!(who_knows(&world, subject), [0, 1, 2, 3, 4, 5]);
    }
    let links = story(&mut world, |what| matches!(what, Happened::Links { cut, .. } if *cut > 0));
    assert_eq!(links.len(), 1, "{links:?}");
    good(world);
}

#[test]
fn a_pc_runs_on_ups_and_tank_then_stops_and_starts_with_the_mains() {
    let mut scenario = calm();
    (scenario.sites[2].ups, scenario.sites[2].generator) = (3 * MINUTE, 4 * MINUTE);
    scenario.sites[3].ups = 20 * MINUTE;
    scenario.injects = vec![lasting(1, MINUTE, 15 * MINUTE, Effect::PowerLoss(vec![2, 3]))];
    let mut world = world(scenario);
    world.run_until(2 * MINUTE);
    story(&mut world, |_| true);
    world.run_until(10 * MINUTE);
    assert!(world.is_dark(2) && !world.runs(2) && world.runs(3));
    world.run_until(20 * MINUTE);
    let seen = story(&mut world, |what| matches!(what, Happened::SiteDown { .. } | Happened::SiteUp { .. }));
    assert_eq!(seen, [(480, Happened::SiteDown { site: 2, dark: true }), (960, Happened::SiteUp { site: 2 })]);
    good(world);
}

#[test]
fn staff_take_their_time_longer_at_night_and_not_while_nobody_is_there_or_the_pc_is_off() {
    let mut scenario = calm();
    // STARTEX is midnight; the night ends ten minutes later.
    scenario.world.operators = Operators { confirm: (MINUTE, MINUTE), night: (23 * HOUR, MINUTE * 10), night_slower: 4 };
    scenario.injects = vec![
        inject(1, 0, report(0)),
        inject(2, 15 * MINUTE, report(1)),
        lasting(3, 14 * MINUTE, 6 * MINUTE, Effect::OperatorAbsent(vec![2])),
        inject(4, 15 * MINUTE, report(2)),
        lasting(5, 14 * MINUTE, 8 * MINUTE, Effect::Crash(vec![3])),
        inject(6, 15 * MINUTE, report(3)),
    ];
    let mut world = world(scenario);
    world.run_until(29 * MINUTE);
    let told = story(&mut world, |what| matches!(what, Happened::Acknowledged { nr: Some(_), .. }));
    let told: Vec<(u64, Option<u32>)> = told
        .into_iter()
        .map(|(at, what)| (at / 60, if let Happened::Acknowledged { nr, .. } = what { nr } else { None }))
        .collect();
    assert_eq!(told, [(4, Some(1)), (16, Some(2)), (21, Some(4)), (23, Some(6))]);
    good(world);
}

#[test]
fn a_request_is_taken_back_by_its_label_even_if_told_so_before_it_was_made() {
    let mut scenario = calm();
    scenario.world.operators.confirm = (MINUTE, MINUTE);
    let cancel = Effect::Cancel("R-7".to_owned());
    scenario.injects = vec![
        lasting(1, 0, 5 * MINUTE, Effect::DiskFull(vec![4])),
        inject(2, MINUTE, request(4, "R-7")),
        inject(3, 2 * MINUTE, cancel),
        inject(
            4,
            20 * MINUTE,
            Effect::Observe { site: 1, of: 4, values: vec![("operating.status".to_owned(), "closed".to_owned())] },
        ),
    ];
    let mut world = world(scenario);
    world.run_until(29 * MINUTE);
    let id = world.request_id("R-7").unwrap().to_owned();
    let Some(Answer::Request(seen)) = world.ask(0, &Question::Request(id.clone())) else { panic!("not known at site 0") };
    assert_eq!(seen.status, "cancelled");
    let log = story(&mut world, |what| matches!(what, Happened::Refused { .. } | Happened::Acknowledged { .. }));
    assert!(matches!(&log[0].1, Happened::Refused { nr: 2, code, again: true, .. } if code == "H-503"), "{log:?}");
    let done: Vec<Option<u32>> =
        log.iter().filter_map(|(_, what)| if let Happened::Acknowledged { nr, .. } = what { Some(*nr) } else { None }).collect();
    assert_eq!(done, [Some(2), Some(3), Some(4)]);
    assert_eq!(who_knows(&world, &Subject::Inject(4)).len(), 6);
    good(world);
}

#[test]
fn disks_that_are_lost_turned_or_put_back_are_filled_again_from_peers() {
    let age = 8 * MINUTE;
    let effects = [
        Effect::ReplacePc(vec![1]),
        Effect::DiskCorrupt(vec![1]),
        Effect::OldBackup { sites: vec![1], age, machine: false },
        Effect::OldBackup { sites: vec![1], age: HOUR, machine: false },
        Effect::OldBackup { sites: vec![1], age, machine: true },
    ];
    for effect in effects {
        let mut scenario = calm();
        scenario.world.tempo = Tempo { boards: 4 * MINUTE, entries: 2 * MINUTE, needs: 0, acts: 0 };
        scenario.injects = vec![lasting(1, 12 * MINUTE, 2 * MINUTE, effect.clone())];
        let mut world = world(scenario);
        world.run_until(13 * MINUTE);
        assert!(!world.runs(1), "{effect:?}");
        let held = world.slots[1].disk.entries().count();
        let world = good(world);
        assert!(world.slots[1].disk.entries().count() > held, "{effect:?}");
        let changed = world.checker.seen.contains_key(&Sometimes::LostStore);
        assert!(changed, "{effect:?}");
    }
}

#[test]
fn flap_swizzle_firm_outage_degrade_and_heal_come_and_go() {
    let mut scenario = calm();
    scenario.sites[5].owner = "another firm".to_owned();
    let slow = Path { delay: 400_000, ..scenario.world.wan };
    scenario.injects = vec![
        lasting(1, MINUTE, 3 * MINUTE, Effect::Flap { sites: vec![0], period: 20_000_000 }),
        lasting(2, 6 * MINUTE, 4 * MINUTE, Effect::Swizzle(vec![1, 2, 3])),
        lasting(3, 11 * MINUTE, MINUTE, Effect::FirmOutage("another firm".to_owned())),
        lasting(4, 13 * MINUTE, MINUTE, Effect::Degrade { sites: vec![2], path: slow }),
        inject(5, 15 * MINUTE, Effect::Partition { groups: vec![vec![0, 1], vec![2, 3]], one_way: false }),
        inject(6, 16 * MINUTE, Effect::Heal(Vec::new())),
    ];
    let mut world = world(scenario);
    let mut cuts = Vec::new();
    for (from, to) in [(1, 5), (6, 11), (15, 16)] {
        world.run_until(from * MINUTE - 1);
        story(&mut world, |_| true);
        world.run_until(to * MINUTE - 1);
        cuts.push(story(&mut world, |what| matches!(what, Happened::Links { cut, .. } if *cut > 0)).len());
    }
    assert!(cuts[0] >= 5, "every other ten seconds: {cuts:?}");
    assert!(cuts[1] >= 2, "one after the other: {cuts:?}");
    assert_eq!(cuts[2], 1, "{cuts:?}");
    let open = |world: &World| (0..6).all(|a| (0..6).all(|b| a == b || world.backhaul.open_both(a, b)));
    assert!(!open(&world));
    world.run_until(17 * MINUTE);
    assert!(open(&world) && world.standing().count() == 0, "the heal ended the partition");
    let undone = story(&mut world, |what| matches!(what, Happened::Undone { nr: 5 }));
    assert_eq!(undone.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [16 * 60]);
    good(world);
}

#[test]
fn whatever_is_carried_out_at_once_it_is_the_same_run() {
    let scenario = swarm::draw(3, swarm::Scale { nodes: 6, minutes: 3 });
    let mut whole = World::new(scenario.clone(), 3).unwrap();
    whole.run_until(whole.end());
    for bound in [1, 7, 1_000] {
        let mut parts = World::new(scenario.clone(), 3).unwrap();
        while parts.now < parts.end() {
            let (before, at) = (parts.events, parts.now);
            assert!(parts.run_some(parts.end(), bound));
            let more = parts.events - before;
            assert!(more <= bound + 200 && (more > 0 || parts.now > at), "{more} events of {bound}");
            assert!(parts.next_event().is_none_or(|next| next > parts.now), "nothing of a moment is left");
        }
        assert_eq!((parts.fingerprint(), parts.events), (whole.fingerprint(), whole.events), "{bound} at once");
    }
}

#[test]
fn a_large_alliance_is_not_founded_any_further_than_it_is_allowed_to() {
    let mut asked = 0;
    let founded = World::found(swarm::calm(200, (5, 1), Path::LAN, 1, SILENT), 1, &mut || {
        asked += 1;
        asked < 2
    });
    assert_eq!((founded.err(), asked), (Some(CannotRun::GivenUp), 2));
}

#[test]
fn the_delay_of_a_degraded_link_is_felt_and_ends() {
    let mut scenario = calm();
    let slow = Path { delay: 2_000_000, ..scenario.world.wan };
    let ask = |nr, at, label: &str| inject(nr, at, request(0, label));
    scenario.injects = vec![
        ask(1, 2 * MINUTE, "before"),
        lasting(2, 5 * MINUTE, 5 * MINUTE, Effect::Degrade { sites: vec![0], path: slow }),
        ask(3, 6 * MINUTE, "during"),
        ask(4, 15 * MINUTE, "after"),
    ];
    let mut world = world(scenario);
    let mut known = Vec::new();
    for (minute, label) in [(2, "before"), (6, "during"), (15, "after")] {
        world.run_until(minute * MINUTE + 1_000_000);
        known.push(who_knows(&world, &Subject::Request(label.to_owned())).len());
    }
    assert_eq!(known, [6, 1, 6]);
    good(world);
}

#[test]
fn a_clone_goes_on_alike_until_it_is_told_something_else() {
    let mut scenario = calm();
    scenario.world.tempo = Tempo { boards: 5 * MINUTE, entries: 5 * MINUTE, needs: 0, acts: 0 };
    let mut one = world(scenario);
    one.run_until(10 * MINUTE);
    let (mut two, mut three) = (one.clone(), one.clone());
    three.inject(inject(9, 11 * MINUTE, report(3))).unwrap();
    for world in [&mut one, &mut two, &mut three] {
        world.run_until(12 * MINUTE);
    }
    assert_eq!(one.fingerprint(), two.fingerprint());
    assert_ne!(one.fingerprint(), three.fingerprint());
    good(three);
}

#[test]
fn a_contingency_waits_until_those_above_decide() {
    let unless = || When::Unless { expect: "X1".to_owned(), by: 5 * MINUTE };
    let mut scenario = calm();
    scenario.injects =
        vec![Inject { when: unless(), ..inject(1, 0, report(0)) }, Inject { when: unless(), ..inject(2, 0, report(1)) }];
    let mut world = world(scenario);
    world.run_until(5 * MINUTE);
    let pending: Vec<Inject> = world.pending_injects().cloned().collect();
    assert_eq!(pending.len(), 2);
    world.waive(2);
    world.inject(Inject { when: When::At(world.now), ..pending[0].clone() }).unwrap();
    assert_eq!(world.pending_injects().count(), 0);
    assert!(world.inject(pending[0].clone()).is_err(), "its number is taken");
    world.run_until(6 * MINUTE);
    assert_eq!(who_knows(&world, &Subject::Inject(1)).len(), 6);
    assert_eq!(world.holds(1, &Subject::Inject(2)), None);
}

#[test]
fn an_exercise_that_is_stopped_is_mended_and_settles_from_then_on() {
    let mut scenario = calm();
    scenario.injects = vec![
        inject(1, MINUTE, Effect::Partition { groups: vec![vec![0, 1]], one_way: true }),
        inject(2, 5 * MINUTE, Effect::StopExercise),
        inject(3, 6 * MINUTE, Effect::Crash(vec![0])),
    ];
    let mut world = world(scenario);
    world.run_until(7 * MINUTE);
    assert_eq!((world.endex(), world.end()), (5 * MINUTE, 5 * MINUTE + swarm::SETTLE));
    assert!(world.runs(0), "no inject after ENDEX");
    good(world);
}

#[test]
fn what_cannot_be_run_is_said_before_anything_runs() {
    let cannot = |effect: Effect| {
        let mut scenario = calm();
        scenario.injects = vec![inject(1, MINUTE, effect)];
        World::new(scenario, 1).unwrap_err()
    };
    let jam = Effect::Jam { channel: "R1".to_owned(), sites: Vec::new() };
    assert!(matches!(cannot(jam), CannotRun::Bad(why) if why.contains("the channel R1")));
    assert!(matches!(cannot(Effect::Courier { from: 1, to: 1 }), CannotRun::Bad(why) if why.contains("goes nowhere")));
    let mut scenario = calm();
    scenario.sites[3].media.push(Medium::Radio("R9".to_owned()));
    assert!(matches!(World::new(scenario, 1).unwrap_err(), CannotRun::Bad(why) if why.contains("R9")));
    assert!(matches!(cannot(Effect::Crash(vec![6])), CannotRun::Bad(why) if why.contains("site number 6")));
    assert!(matches!(cannot(Effect::Cut(vec![0])), CannotRun::Bad(why) if why.contains("element number 0")));
}

#[test]
fn nothing_made_without_a_key_is_kept_and_what_a_stolen_key_says_is() {
    for kind in ForgeKind::ALL {
        let mut scenario = calm();
        scenario.world.tempo = Tempo { boards: 4 * MINUTE, entries: 4 * MINUTE, needs: 0, acts: 0 };
        scenario.injects = vec![inject(1, 10 * MINUTE, Effect::Forge { kind: *kind, site: 2 })];
        let world = good(world(scenario));
        assert!(world.checker.seen[&Sometimes::Forged] >= 1, "{kind:?}");
        let believed = world.accepted(1).count();
        let stolen = match kind {
            ForgeKind::BadSignature
            | ForgeKind::ForeignCertificate
            | ForgeKind::Replay
            | ForgeKind::Malformed
            | ForgeKind::HostileIssuer => false,
            ForgeKind::Equivocate | ForgeKind::Flood | ForgeKind::AbsurdQuantity | ForgeKind::StolenKey => true,
        };
        assert_eq!(believed > 0, stolen, "{kind:?} is kept by {believed} sites");
        let bad = world.checker.checked.get(&Rule::NeverForgedKept).copied().unwrap_or(0);
        assert!(bad > 0 || *kind == ForgeKind::Replay, "{kind:?}");
    }
}

#[test]
fn a_scenario_without_a_settling_ends_as_it_is() {
    let mut scenario = calm();
    scenario.exercise.settle = 0;
    scenario.injects = vec![inject(1, MINUTE, Effect::Crash(vec![0]))];
    let report = run_scenario(scenario, 1).unwrap();
    assert_eq!(report.broken, []);
    assert_eq!(report.healed_us, None);
}
