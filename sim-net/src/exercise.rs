//! A scenario being played: injects happen at their times or by hand, contingencies where what was hoped for did not come,
//! expectations are watched, and the record grows. One play is one thread of time; a clone of it is another branch.

mod expect;
mod islands;
mod spread;
mod story;
#[cfg(test)]
mod tests;

use holdfast_proto::control::{Answer, Question, StatusView};

use crate::record::Record;
use crate::scenario::{Inject, Micros, Ppm, Scenario, SiteNo, When};
use crate::world::{CannotRun, MINUTE, World};

use self::expect::Watch;
use self::story::Story;

/// Expectations are looked at so often, unless the exercise is short or long.
const LOOKS: u64 = 2_000;
/// Never more often: nothing an operator does is quicker.
const LOOK_MIN: Micros = 1_000_000;
/// Never more rarely: a report says minutes.
const LOOK_MAX: Micros = 60_000_000;

/// A scenario being played.
#[derive(Clone, Debug)]
pub struct Play {
    world: World,
    watches: Vec<Watch>,
    story: Story,
    look_every: Micros,
    next_look: Micros,
    judged: bool,
}

impl Play {
    /// Founds the alliance of a scenario and stands at STARTEX. `source` is where the scenario was read from, for the record.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing runs then.
    pub fn new(scenario: Scenario, seed: u64, source: &str) -> Result<Self, CannotRun> {
        let look_every = (scenario.exercise.duration / LOOKS).clamp(LOOK_MIN, LOOK_MAX);
        let watches = scenario.expects.iter().cloned().map(Watch::new).collect();
        let story = Story::new(&scenario, source);
        let mut world = World::new(scenario, seed)?;
        world.measure();
        let mut play = Self { world, watches, story, look_every, next_look: 0, judged: false };
        play.absorb();
        Ok(play)
    }

    /// The world, to be asked.
    pub fn world(&mut self) -> &mut World {
        &mut self.world
    }

    /// Virtual time since STARTEX.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.world.now
    }

    /// When play ends: ENDEX and the settling after it.
    #[must_use]
    pub fn end(&self) -> Micros {
        self.world.end()
    }

    /// Whether there is nothing left to play.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.judged
    }

    /// Plays on until a time or the end, whichever is first. At the end the last look is taken.
    pub fn advance(&mut self, until: Micros) {
        while !self.judged && self.world.now < until.min(self.world.end()) {
            let next = self.next_stop().min(until).min(self.world.end());
            let alive = self.world.run_until(next.max(self.world.now + 1));
            self.absorb();
            if self.world.now >= self.next_look {
                self.look();
                self.next_look = self.world.now + self.look_every;
            }
            self.decide();
            if !alive {
                return self.judge("a node ran away: see the invariants");
            }
        }
        if self.world.now >= self.world.end() {
            self.judge("");
        }
    }

    /// Plays one event further. True while there is one.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.world.next_event() else {
            self.advance(self.world.end());
            return false;
        };
        self.advance(next.max(self.world.now + 1));
        !self.judged
    }

    /// Plays on to just after the next inject that has a time, or to the end. True where there was one.
    pub fn step_to_inject(&mut self) -> bool {
        let next = self.story.planned().filter(|at| *at >= self.world.now).min();
        self.advance(next.map_or(self.world.end(), |at| at + 1));
        next.is_some()
    }

    /// Does something by hand, now. It gets the next free number, which is returned, and is kept for a replay.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing was changed.
    pub fn by_hand(&mut self, mut inject: Inject) -> Result<u32, CannotRun> {
        inject.nr = self.story.next_nr();
        // At the next moment: whatever is due now has been carried out.
        inject.when = When::At(self.world.now + 1);
        inject.by_hand = true;
        self.world.inject(inject.clone())?;
        self.story.add(&inject);
        Ok(inject.nr)
    }

    /// Everything that was done by hand so far, with its time: the scenario and these make the same run again.
    #[must_use]
    pub fn done_by_hand(&self) -> Vec<Inject> {
        self.story.by_hand()
    }

    /// The scenario with everything that was done by hand in it.
    #[must_use]
    pub fn as_played(&self) -> Scenario {
        let mut scenario = self.world.scenario().clone();
        scenario.exercise.seed = self.world.seed();
        scenario.injects.extend(self.done_by_hand());
        scenario.injects.sort_by_key(Inject::order);
        scenario
    }

    /// Ends play where it stands: a real event, or somebody stopped it. What was reached is judged and said to be partial.
    pub fn end_now(&mut self, why: &str) {
        if !self.judged {
            self.story.say(self.world.now, if why == "real-event" { "real-event" } else { "note" }, None, why);
            self.story.ended_early = Some(why.to_owned());
            self.absorb();
            self.look();
            self.close();
        }
    }

    /// A note of an evaluator, with the time it was taken.
    pub fn note(&mut self, text: &str) {
        self.story.say(self.world.now, "note", None, text);
    }

    /// Number of standing rules broken so far.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.world.checker.violations.len()
    }

    /// Everything that is known of it so far.
    pub fn record(&mut self) -> Record {
        self.story.record(&mut self.world, &self.watches)
    }

    /// The next time at which anything has to be decided.
    fn next_stop(&self) -> Micros {
        let contingency = self.world.pending_injects().filter_map(|inject| match &inject.when {
            When::Unless { by, .. } => Some(*by),
            When::At(_) => None,
        });
        contingency.filter(|by| *by > self.world.now).min().unwrap_or(Micros::MAX).min(self.next_look.max(self.world.now + 1))
    }

    /// What happened goes into the story.
    fn absorb(&mut self) {
        let log = self.world.drain_log();
        for logged in log {
            self.story.take(&logged, &mut self.world);
        }
        self.story.spread.take(&mut self.world);
    }

    /// Looks at every expectation that is being waited for, until ENDEX: after it everything is mended.
    fn look(&mut self) {
        if self.story.endex_seen {
            return;
        }
        for watch in &mut self.watches {
            let before = watch.result();
            let from = self.story.start_of(&watch.expect.after);
            watch.look(&mut self.world, from, &self.story.spread);
            if watch.result() != before
                && let Some(result) = watch.result()
            {
                let what = format!("{} {result:?}: {}", watch.expect.id, watch.expect.text);
                self.story.say(self.world.now, "expectation", None, &what);
            }
        }
        self.story.turn(&mut self.world);
    }

    /// Contingencies whose time has come.
    fn decide(&mut self) {
        let now = self.world.now;
        let due: Vec<Inject> = self.world.pending_injects().filter(|inject| due_by(inject, now)).cloned().collect();
        for mut inject in due {
            let When::Unless { expect, .. } = &inject.when else { continue };
            let met = self.watches.iter().any(|watch| watch.expect.id == *expect && watch.is_met());
            if met {
                self.story.waived(inject.nr, expect);
                self.world.waive(inject.nr);
            } else {
                let nr = inject.nr;
                inject.when = When::At(now);
                if let Err(why) = self.world.inject(inject) {
                    self.story.impossible(nr, &why);
                    self.world.waive(nr);
                }
            }
        }
    }

    fn judge(&mut self, ended: &str) {
        if ended.is_empty() {
            self.world.verdict();
        } else {
            self.story.ended_early = Some(ended.to_owned());
        }
        self.absorb();
        self.close();
    }

    fn close(&mut self) {
        for watch in &mut self.watches {
            let from = self.story.start_of(&watch.expect.after);
            watch.close(from, self.world.now.min(self.world.endex()));
        }
        self.judged = true;
    }
}

/// The contingency's time has come.
fn due_by(inject: &Inject, now: Micros) -> bool {
    matches!(&inject.when, When::Unless { by, .. } if *by <= now)
}

/// So much of an hour.
fn per_hour(time: Micros) -> Ppm {
    u32::try_from(time / (60 * MINUTE / 1_000_000)).unwrap_or(u32::MAX)
}

/// What a running site's own node shows.
fn status(world: &mut World, site: SiteNo) -> Option<Box<StatusView>> {
    match world.ask(site, &Question::Status)? {
        Answer::Status(view) => Some(Box::new(view)),
        Answer::Digest(_)
        | Answer::Requests(_)
        | Answer::Request(_)
        | Answer::Peers(_)
        | Answer::Delivery(_)
        | Answer::Metrics(_)
        | Answer::Refused(_) => None,
    }
}
