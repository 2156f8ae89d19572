//! A certified node that pours words in: what it costs everybody else.

use super::*;
use crate::figure::quantile;
use crate::world::log::Latencies;

const SITES: usize = 12;
/// Which of them has a stolen key, and for how long words are poured in with it.
const LIAR: SiteNo = 11;
const FROM: Micros = 5 * MINUTE;
const TO: Micros = 15 * MINUTE;
/// Between two pourings of 300 words: 30 a second, where the people of each site here say one in two minutes.
const EVERY: Micros = 10_000_000;

/// What honest words took to get to each other site over ordinary fixed lines, microseconds, shortest first.
fn honest(seed: u64, flooded: bool) -> Vec<u64> {
    let tempo = Tempo { boards: 30 * MINUTE, entries: 2 * MINUTE, needs: 0, acts: 0 };
    let mut scenario = swarm::calm(SITES, (6, 3), Path::WAN, 20, tempo);
    scenario.exercise.settle = swarm::SETTLE;
    if flooded {
        let times = (FROM..TO).step_by(usize::try_from(EVERY).expect("small"));
        let pours = (1..).zip(times).map(|(nr, at)| inject(nr, at, Effect::Forge { kind: ForgeKind::Flood, site: LIAR }));
        scenario.injects = pours.collect();
    }
    let mut world = World::new(scenario, seed).expect("runs");
    world.run_until(FROM);
    world.latencies = Some(Latencies::default());
    world.run_until(TO);
    let mut took: Vec<u64> = world.latencies.as_ref().expect("set").each.iter().map(|(_, _, took)| *took).collect();
    took.sort_unstable();
    // Queues and memory within their bounds, nothing lost, all of it: the always-on rules.
    let world = good(world);
    assert_eq!(world.accepted(1).count() > 0, flooded, "the flood itself is believed");
    took
}

#[test]
fn under_a_flood_of_a_certified_node_honest_words_take_at_most_twice_as_long_and_queues_stay_bounded() {
    for seed in [1, 2] {
        let [calm, flooded] = [false, true].map(|flooded| honest(seed, flooded));
        assert!(calm.len() > 700 && flooded.len() > 700, "{} and {}", calm.len(), flooded.len());
        for permille in [500, 990] {
            let (calm, flooded) = (quantile(&calm, permille), quantile(&flooded, permille));
            eprintln!("seed {seed}, {permille} permille: {calm} us calm, {flooded} us flooded");
            assert!(flooded <= 2 * calm, "seed {seed}, {permille} permille: {calm} us calm, {flooded} us flooded");
        }
    }
}
