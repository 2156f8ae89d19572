//! Radio carries what lines don't: in range, one at a time, as long as the hour allows and nothing breaks it.

use super::*;
use crate::scenario::{Channel, Modulation};
use crate::swarm::Scale;
use holdfast_proto::link::airtime::HOUR as LEDGER_HOUR;

/// Frames as the nodes make them today fit.
fn wide() -> Channel {
    Channel { mtu: 1_000, loss: 0, range_m: 10_000, ..Channel::named("R1") }
}

/// Three stations in a row without any line, two of them in range of each other: the third is 100 km away.
fn by_radio(channel: Channel) -> Scenario {
    let mut scenario = swarm::calm(3, (3, 1), Path::LAN, 120, SILENT);
    scenario.sites.iter_mut().for_each(|site| site.media = vec![Medium::Radio(channel.name.clone())]);
    scenario.sites[2].lat += 900_000;
    scenario.world.channels = vec![channel];
    scenario
}

fn knows(world: &World, label: &str) -> Vec<SiteNo> {
    who_knows(world, &Subject::Request(label.to_owned()))
}

#[test]
fn a_request_is_heard_by_radio_within_range_where_there_is_no_line() {
    let mut scenario = by_radio(wide());
    scenario.injects = vec![inject(1, 10 * MINUTE, request(0, "R-1")), inject(2, 20 * MINUTE, report(1))];
    let mut world = world(scenario);
    world.run_until(11 * MINUTE);
    assert_eq!(knows(&world, "R-1"), [0, 1]);
    world.run_until(21 * MINUTE);
    assert_eq!(who_knows(&world, &Subject::Inject(2)), [0, 1]);
    assert!(world.in_reach(0, 1) && !world.in_reach(0, 2));
    let on_air = world.on_air().next().unwrap();
    assert_eq!((on_air.channel.as_str(), on_air.collisions), ("R1", 0));
    assert!(on_air.frames > 4 && on_air.bytes > on_air.frames * 30, "{on_air:?}");
    // Each is on the air for the keying up and its bytes at 9,600 bit/s.
    let least = on_air.frames * 60_000 + on_air.bytes * 8 * 1_000_000 / 9_600;
    assert!((least..least + on_air.frames * 11_000).contains(&on_air.airtime), "{on_air:?}, at least {least}");
    assert!(on_air.busiest_sender < on_air.busiest_hour && on_air.busiest_hour <= on_air.airtime);
    good(world);
}

#[test]
fn nobody_is_heard_through_noise_or_without_an_antenna_and_all_are_again_when_it_is_over() {
    for (broken, healed_by_hand) in [
        (Effect::Jam { channel: "R1".to_owned(), sites: Vec::new() }, false),
        (Effect::Jam { channel: "R1".to_owned(), sites: vec![1] }, true),
        (Effect::AntennaDown(vec![1]), false),
        (Effect::AntennaDown(vec![0]), true),
    ] {
        let mut scenario = by_radio(wide());
        scenario.injects = vec![
            Inject { lasts: (!healed_by_hand).then_some(20 * MINUTE), ..inject(1, 10 * MINUTE, broken.clone()) },
            inject(2, 15 * MINUTE, request(0, "R-1")),
            inject(4, 35 * MINUTE, request(0, "R-2")),
        ];
        if healed_by_hand {
            scenario.injects.insert(2, inject(3, 30 * MINUTE, Effect::Heal(vec![0, 1])));
        }
        let mut world = world(scenario);
        world.run_until(29 * MINUTE);
        assert_eq!(knows(&world, "R-1"), [0], "{broken:?}");
        world.run_until(40 * MINUTE);
        assert_eq!(knows(&world, "R-2"), [0, 1], "{broken:?}");
        good(world);
    }
}

#[test]
fn nobody_sends_more_of_an_hour_than_the_channel_allows() {
    let mut scenario = by_radio(Channel { duty: 2_000, ..wide() });
    scenario.world.tempo = Tempo { boards: MINUTE, entries: MINUTE, needs: 0, acts: 0 };
    let mut world = world(scenario);
    world.run_until(120 * MINUTE);
    let on_air = world.on_air().next().unwrap();
    let share = LEDGER_HOUR / 1_000_000 * 2_000;
    assert!(on_air.busiest_sender <= share && on_air.busiest_sender > share / 2, "{on_air:?}");
    good(world);
}

#[test]
fn what_is_longer_than_the_channel_takes_is_not_sent_and_nothing_spins() {
    let mut scenario = by_radio(Channel { mtu: 60, ..wide() });
    scenario.world.tempo = Tempo { boards: MINUTE, entries: MINUTE, needs: 0, acts: 0 };
    let mut world = world(scenario);
    world.run_until(120 * MINUTE);
    assert!(world.on_air().next().unwrap().frames > 60, "beacons are short");
    let other = (0..2).find(|site| world.slots[*site].disk.entries().any(|entry| entry.id.log.author == world.id(1 - site)));
    assert_eq!(other, None);
    good(world);
}

#[test]
fn a_station_is_off_with_its_pc() {
    let mut scenario = by_radio(wide());
    scenario.injects = vec![
        lasting(1, 10 * MINUTE, 60 * MINUTE, Effect::Crash(vec![1])),
        inject(2, 20 * MINUTE, request(0, "R-1")),
        inject(3, 80 * MINUTE, request(0, "R-2")),
    ];
    let mut world = world(scenario);
    world.run_until(11 * MINUTE);
    let before = world.on_air().next().unwrap().frames;
    world.run_until(70 * MINUTE - 1);
    assert_eq!(world.on_air().next().unwrap().frames, before, "nobody speaks to nobody");
    world.run_until(85 * MINUTE);
    assert_eq!(knows(&world, "R-1"), [0], "it was not there");
    assert_eq!(knows(&world, "R-2"), [0, 1]);
    good(world);
}

/// Everything a seed brings, and radio besides: some slow, some with lines, some with noise.
fn with_radio(seed: u64) -> Scenario {
    let mut scenario = swarm::draw(seed, Scale { nodes: 5, minutes: 3 });
    let modulation =
        if seed.is_multiple_of(2) { Modulation::Rate(1_200) } else { Modulation::Lora { sf: 7, bw: 250_000, cr: 1 } };
    let mtu = if seed.is_multiple_of(3) { 1_000 } else { 240 };
    scenario.world.channels = vec![Channel { modulation, mtu, range_m: 250, ..Channel::named("R1") }];
    scenario.sites.iter_mut().for_each(|site| site.media.push(Medium::Radio("R1".to_owned())));
    let first = scenario.injects.iter().map(|inject| inject.nr).max().unwrap_or(0) + 1;
    let channel = "R1".to_owned();
    scenario.injects.push(lasting(first, MINUTE, MINUTE / 2, Effect::Jam { channel, sites: vec![1] }));
    scenario.injects.push(inject(first + 1, MINUTE, Effect::AntennaDown(vec![2, 3])));
    scenario.injects.push(lasting(first + 2, MINUTE, MINUTE / 2, Effect::Courier { from: 0, to: 4 }));
    scenario
}

#[test]
fn with_radio_too_the_same_seed_is_the_same_run_and_every_rule_is_kept() {
    let mut frames = 0;
    for seed in 0..12 {
        let mut one = World::new(with_radio(seed), seed).unwrap();
        one.run_until(one.end());
        frames += one.on_air().next().unwrap().frames;
        one.verdict();
        assert_eq!(one.checker.violations, [], "seed {seed}");
        assert!(seed > 2 || one.fingerprint() == run_scenario(with_radio(seed), seed).unwrap().fingerprint, "seed {seed}");
    }
    assert!(frames > 100, "{frames} frames by radio");
}
