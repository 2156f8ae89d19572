//! Figures in virtual time: how late an entry can be when frames are lost, and how many frames the core carries per second of
//! processor time. The wires here have no faults but the loss that is asked for.

use crate::scenario::{Path, Ppm, Tempo};
use crate::swarm;
use crate::world::{CannotRun, Latencies, MINUTE, World};

/// How entries are offered.
#[derive(Clone, Copy, Debug)]
pub struct Repair {
    /// First seed; each round takes the next.
    pub seed: u64,
    /// Nodes, every one a hub.
    pub nodes: usize,
    /// Entries in all.
    pub entries: u64,
    /// Entries of one round, in a fresh alliance.
    pub round: u64,
    /// New entries a second, over all nodes.
    pub per_second: u64,
    /// Frames lost.
    pub loss: Ppm,
    /// Links repair losses themselves (QUIC) instead of leaving it to the core.
    pub reliable: bool,
}

/// Others each node is configured with where delays are measured: up to ten nodes all are linked to all, as on a LAN.
const KNOWN: usize = 8;

/// The distribution of delays, microseconds, each sorted.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// Acknowledged to durable at the last node, one per entry.
    pub last: Vec<u64>,
    /// Acknowledged to durable, one per delivery.
    pub each: Vec<u64>,
    /// Entries that some node did not have when the run ended.
    pub missing: u64,
    /// Frames sent.
    pub frames: u64,
    /// Frames lost.
    pub lost: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Measures how late entries are at a frame loss.
///
/// # Errors
/// [`CannotRun`].
pub fn repair(wanted: &Repair) -> Result<Repaired, CannotRun> {
    let mut out = Repaired::default();
    let mut left = wanted.entries;
    let mut seed = wanted.seed;
    while left > 0 {
        let entries = left.min(wanted.round.max(1));
        repair_round(wanted, seed, entries, &mut out)?;
        left -= entries;
        seed += 1;
    }
    out.last.sort_unstable();
    out.each.sort_unstable();
    Ok(out)
}

fn repair_round(wanted: &Repair, seed: u64, entries: u64, out: &mut Repaired) -> Result<(), CannotRun> {
    let path = Path { reliable: wanted.reliable, ..Path::LAN };
    let minutes = 2 + entries / wanted.per_second.max(1) / 60;
    let silent = Tempo { boards: 0, entries: 0, needs: 0, acts: 0 };
    let mut scenario = swarm::calm(wanted.nodes, (1, 1), path, minutes, silent);
    scenario.world.known = KNOWN;
    let mut world = World::new(scenario, seed)?;
    world.steady_disks();
    // Links come up undisturbed; the loss begins with the entries.
    world.run_until(MINUTE / 2);
    world.set_wan(Path { loss: wanted.loss, ..path });
    let before = world.tally();
    world.latencies = Some(Latencies::default());
    let gap = 1_000_000 / wanted.per_second.max(1);
    for number in 0..entries {
        let next = world.now + gap;
        world.run_until(next);
        let node = usize::try_from(number).unwrap_or(0) % wanted.nodes;
        world.plain_request(node);
    }
    let end = world.now + MINUTE;
    world.run_until(end);
    let after = world.tally();
    out.frames += after.sent - before.sent;
    out.lost += (after.lost + after.late) - (before.lost + before.late);
    out.bytes += after.bytes - before.bytes;
    if let Some(latencies) = world.latencies.take() {
        out.missing += latencies.missing();
        out.last.extend(latencies.last);
        out.each.extend(latencies.each.into_iter().map(|(_, _, took)| took));
    }
    Ok(())
}

/// The value below which `permille` of a sorted list lie; 0 for an empty list.
#[must_use]
pub fn quantile(sorted: &[u64], permille: usize) -> u64 {
    let place = (sorted.len() * permille / 1_000).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0)
}

/// What a calm run carried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    /// Virtual seconds.
    pub seconds: u64,
    /// Events carried out.
    pub events: u64,
    /// Frames handed to cores.
    pub frames: u64,
    /// Their bytes as sent.
    pub bytes: u64,
    /// Acknowledged words.
    pub words: u64,
    /// Entries written, hubs' acknowledgements among them.
    pub entries: u64,
}

/// A county of 1,000 sites has 25 hubs (`domain.md` 5.3). Stores ask the nearest.
const HUB_EVERY: usize = 40;
/// Chains of stores there are (`domain.md` 5.1): each one's exact counts go to its own sites and to the hubs.
const FIRMS: usize = 4;

/// How much is said in `domain.md` 5.3: a status every five minutes, a request a day.
pub const CRISIS: Tempo = Tempo { boards: 5 * MINUTE, entries: 24 * 60 * MINUTE, needs: 0, acts: 0 };

/// So many entries per node and hour, and a board per half hour.
#[must_use]
pub fn quiet(per_hour: u64) -> Tempo {
    Tempo { boards: 30 * MINUTE, entries: 60 * MINUTE / per_hour.max(1), needs: 0, acts: 0 }
}

/// A calm alliance in which so much is said; it stands at STARTEX.
///
/// # Errors
/// [`CannotRun`].
pub fn calm(seed: u64, nodes: usize, minutes: u64, tempo: Tempo) -> Result<World, CannotRun> {
    World::new(swarm::calm(nodes, (HUB_EVERY, FIRMS), Path::LAN, minutes, tempo), seed)
}

impl Carried {
    /// What a world carried so far.
    #[must_use]
    pub fn by(world: &World) -> Self {
        Self {
            seconds: world.now / 1_000_000,
            events: world.events,
            frames: world.delivered,
            bytes: world.tally().bytes,
            words: world.checker.words.len() as u64,
            entries: world.checker.entries_written(),
        }
    }
}
