//! The least of a scenario in which the same thing still goes wrong: injects are left out, then what nodes say by themselves and
//! what makes the world hard, then elements and sites, then times get shorter; again from the start until nothing more can go.
//! Whatever goes wrong can be looked for: who shrinks says how it is seen.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::exercise::Play;
use crate::run::{self, Broken};
use crate::scenario::{Inject, Micros, Path, Scenario, When, check};
use crate::world::MINUTE;

/// One second.
const SECOND: Micros = 1_000_000;

/// Looks at a run that was played to its end: what is wrong with it, if it is what is looked for.
pub type Judge<'a> = &'a dyn Fn(&mut Play) -> Option<Broken>;

/// When to be content with what there is.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Runs at most.
    pub runs: u32,
    /// Asked before each run: it has taken long enough.
    pub late: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// What is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// Its title says in one sentence what goes wrong.
    pub scenario: Scenario,
    /// What goes wrong in it.
    pub broken: Broken,
    /// Runs it took.
    pub runs: u32,
    /// Nothing more can be left out; false where it was broken off.
    pub least: bool,
}

/// Sees that a rule is broken, or an expectation not met, as it was before: [`Broken::what`].
pub fn same(what: &str) -> impl Fn(&mut Play) -> Option<Broken> {
    move |play| {
        // The one rule that one run alone can't break.
        let differs = if what.starts_with("rule P6") { run::differs(play).ok().flatten() } else { None };
        run::report(play).broken.into_iter().chain(differs).find(|broken| broken.what == what)
    }
}

/// Shrinks a scenario for as long as `judge` still sees what is looked for. `None` where it is not to be seen at all.
#[must_use]
pub fn shrink(mut scenario: Scenario, seed: u64, judge: Judge<'_>, limits: Limits<'_>) -> Option<Shrunk> {
    scenario.exercise.seed = seed;
    let broken = play(&scenario, judge)?;
    let mut search = Search { best: scenario, broken, runs: 1, stopped: false, judge, limits };
    loop {
        let before = search.best.clone();
        search.injects();
        search.world();
        search.sites();
        search.times();
        if search.stopped || search.best == before {
            break;
        }
    }
    let mut scenario = search.best;
    scenario.exercise.title = format!("Seed {seed}: {}", search.broken);
    Some(Shrunk { scenario, broken: search.broken, runs: search.runs, least: !search.stopped })
}

fn play(scenario: &Scenario, judge: Judge<'_>) -> Option<Broken> {
    let mut play = Play::new(scenario.clone(), scenario.exercise.seed, "").ok()?;
    play.advance(Micros::MAX);
    judge(&mut play)
}

/// The way down.
struct Search<'a> {
    best: Scenario,
    broken: Broken,
    runs: u32,
    stopped: bool,
    judge: Judge<'a>,
    limits: Limits<'a>,
}

impl Search<'_> {
    /// Takes a smaller scenario if the same still goes wrong in it.
    fn take(&mut self, smaller: Scenario) -> bool {
        self.stopped |= self.runs >= self.limits.runs || (self.limits.late)();
        if self.stopped || smaller == self.best || !check(&smaller).1.is_empty() {
            return false;
        }
        self.runs += 1;
        let Some(broken) = play(&smaller, self.judge) else { return false };
        (self.best, self.broken) = (smaller, broken);
        true
    }

    /// The best with a change made to it.
    fn change(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut smaller = self.best.clone();
        change(&mut smaller);
        self.take(smaller)
    }

    /// Leaves out all, then halves, quarters and so on down to one alone, from the end.
    fn leave_out<K: Ord + Copy>(&mut self, keys: fn(&Scenario) -> Vec<K>, with: fn(Scenario, &BTreeSet<K>) -> Scenario) {
        let mut chunk = keys(&self.best).len();
        while chunk > 0 && !self.stopped {
            let mut end = keys(&self.best).len();
            while end > 0 {
                let (all, start) = (keys(&self.best), end.saturating_sub(chunk));
                let kept = all[..start].iter().chain(&all[end..]).copied().collect();
                self.take(with(self.best.clone(), &kept));
                // What referred to it may be gone, too.
                end = start.min(keys(&self.best).len());
            }
            chunk /= 2;
        }
    }

    fn injects(&mut self) {
        self.leave_out(|scenario| scenario.injects.iter().map(|inject| inject.nr).collect(), Scenario::with_injects);
    }

    /// Nodes say less by themselves, and what makes the world hard goes.
    fn world(&mut self) {
        let plainer: [fn(&mut Scenario); 17] = [
            |s| s.world.tempo.acts = 0,
            |s| s.world.tempo.needs = 0,
            |s| s.world.tempo.boards = 0,
            |s| s.world.tempo.entries = 0,
            |s| s.world.tempo.acts = rarer(s.world.tempo.acts, s.exercise.duration),
            |s| s.world.tempo.boards = rarer(s.world.tempo.boards, s.exercise.duration),
            |s| s.world.tempo.entries = rarer(s.world.tempo.entries, s.exercise.duration),
            |s| s.world.gossip = None,
            |s| s.world.slow_disks = false,
            |s| s.world.wrong_clocks = false,
            |s| s.world.partial_roster = false,
            |s| s.world.home_hubs = false,
            |s| s.world.wan = Path { loss: 0, burst: (0, 0, 0), ..s.world.wan },
            |s| s.world.wan = Path { duplicate: 0, reorder: 0, corrupt: 0, ..s.world.wan },
            |s| s.world.wan.jitter = 0,
            |s| s.sites.iter_mut().for_each(|site| (site.ups, site.generator) = (0, 0)),
            |s| s.sites.iter_mut().for_each(|site| site.lan.clear()),
        ];
        for change in plainer {
            self.change(change);
        }
    }

    fn sites(&mut self) {
        self.leave_out(|scenario| (0..scenario.elements.len()).collect(), Scenario::with_elements);
        self.leave_out(|scenario| (0..scenario.sites.len()).collect(), with_sites);
    }

    /// The exercise ends earlier, what happens lasts less long, and happens at round times.
    fn times(&mut self) {
        let last = self.best.injects.iter().map(|inject| inject.order().1).max().unwrap_or(0) + SECOND;
        let half = self.best.exercise.duration / 2;
        for end in [last, self.broken.at_us.unwrap_or(Micros::MAX), half] {
            let end = end.max(last).div_ceil(MINUTE).saturating_mul(MINUTE);
            if end < self.best.exercise.duration && self.change(|scenario| scenario.exercise.duration = end) {
                break;
            }
        }
        for place in 0..self.best.injects.len() {
            for shorter in [|lasts| lasts / 4, |lasts| lasts / 2, |lasts: Micros| lasts] {
                self.change(|scenario| {
                    let lasts = &mut scenario.injects[place].lasts;
                    *lasts = lasts.map(|lasts| round(shorter(lasts)));
                });
            }
            for step in [MINUTE, SECOND] {
                self.change(|scenario| {
                    if let When::At(at) = &mut scenario.injects[place].when {
                        *at -= *at % step;
                    }
                    scenario.injects.sort_by_key(Inject::order);
                });
            }
        }
    }
}

/// So few sites are short of one certificate too many.
fn with_sites(scenario: Scenario, kept: &BTreeSet<usize>) -> Scenario {
    let mut fewer = scenario.with_sites(kept);
    fewer.world.partial_roster &= fewer.sites.len() > 3;
    fewer
}

/// Half as often, as long as that is still something.
fn rarer(mean: Micros, duration: Micros) -> Micros {
    if mean > 0 && mean * 2 <= duration { mean * 2 } else { mean }
}

/// Whole seconds where it is more than one.
fn round(lasts: Micros) -> Micros {
    if lasts > SECOND { lasts - lasts % SECOND } else { lasts }
}
