//! A scenario being played: injects happen at their times or by hand, contingencies where what was hoped for did not come,
//! expectations are watched, and the record grows. One play is one thread of time; a clone of it is another branch.

mod disputes;
mod expect;
mod islands;
mod requests;
mod spread;
mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use holdfast_proto::control::{Question, StatusView};

use crate::record::{ExpectRecord, Happened, Phrase, Record};
use crate::scenario::{self, Inject, Micros, Origin, Ppm, Problem, Scenario, SiteNo, When};
use crate::world::{CannotRun, MINUTE, World};

use self::disputes::Disputes;
use self::expect::Watch;
use self::story::Story;

/// Expectations are looked at so often, unless the exercise is short or long.
const LOOKS: u64 = 2_000;
/// Never more often: nothing an operator does is quicker.
const LOOK_MIN: Micros = 1_000_000;
/// Never more rarely: a report says minutes.
const LOOK_MAX: Micros = 60_000_000;

/// Events of one piece of play: some ten milliseconds of work, whatever the scale.
const PIECE: u64 = 1_000;
/// To stop and look at what is waited for counts as so many events: of a large alliance many nodes are asked.
const STOP: u64 = PIECE / 8;

/// A scenario being played.
#[derive(Clone, Debug)]
pub struct Play {
    world: World,
    watches: Vec<Watch>,
    story: Story,
    disputes: Disputes,
    look_every: Micros,
    next_look: Micros,
    next_due: Option<Micros>,
    /// Broken rules that the story knows of.
    told: usize,
    judged: bool,
}

/// How many injects of the plan came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Plan {
    /// Of the scenario, contingencies not counted.
    pub planned: u32,
    /// Of these, carried out.
    pub done: u32,
    /// Of these, due by now and not carried out, or carried out late.
    pub late: u32,
    /// Contingencies of the scenario.
    pub contingencies: u32,
    /// Of these, carried out.
    pub contingencies_done: u32,
    /// Done by hand.
    pub by_hand: u32,
}

impl Play {
    /// Founds the alliance of a scenario and stands at STARTEX. `source` is where the scenario was read from, for the record.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing runs then.
    pub fn new(scenario: Scenario, seed: u64, source: &str) -> Result<Self, CannotRun> {
        Self::found(scenario, seed, source, &mut || true)
    }

    /// The same, which for thousands of sites takes a while: again and again `go_on` is asked whether to.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing runs then.
    pub fn found(scenario: Scenario, seed: u64, source: &str, go_on: &mut dyn FnMut() -> bool) -> Result<Self, CannotRun> {
        let look_every = (scenario.exercise.duration / LOOKS).clamp(LOOK_MIN, LOOK_MAX);
        let watches = scenario.expects.iter().cloned().map(Watch::new).collect();
        let story = Story::new(&scenario, source);
        let mut world = World::found(scenario, seed, go_on)?;
        world.measure();
        let disputes = Disputes::default();
        let mut play = Self { world, watches, story, disputes, look_every, next_look: 0, next_due: None, told: 0, judged: false };
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
        self.advance_some(until, u64::MAX);
    }

    /// The same for about so many events: the run does not depend on how many.
    fn advance_some(&mut self, until: Micros, events: u64) {
        let mut left = events;
        while !self.judged && left > 0 && self.world.now < until.min(self.world.end()) {
            self.next_due = self.due();
            let next = self.next_stop().min(until).min(self.world.end());
            let before = self.world.events;
            let alive = self.world.run_some(next.max(self.world.now + 1), left);
            left = left.saturating_sub((self.world.events - before).max(STOP));
            self.absorb();
            let due = self.next_due == Some(self.world.now);
            if due || self.world.now >= self.next_look {
                self.look();
                if !due {
                    self.next_look = self.world.now + self.look_every;
                    self.disputes.look_by_and_by(&mut self.world);
                }
            }
            if self.world.now == self.world.endex().saturating_sub(1) {
                self.story.spread.take(&mut self.world);
                self.story.know(&self.world);
            }
            self.decide();
            if !alive {
                return self.judge("runaway");
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

    /// Plays on for a bounded piece of work, never past `until`. In pieces or at once, it is the same run.
    pub fn advance_a_piece(&mut self, until: Micros) {
        self.advance_some(until, PIECE);
    }

    /// Just after the next inject that has a time; `None` where no more is planned.
    #[must_use]
    pub fn next_inject(&self) -> Option<Micros> {
        self.story.planned().filter(|at| *at >= self.world.now).min().map(|at| at + 1)
    }

    /// Does something by hand, now. It gets the next free number, which is returned, and is kept for a replay.
    ///
    /// # Errors
    /// [`CannotRun`]; nothing was changed.
    pub fn by_hand(&mut self, inject: Inject) -> Result<u32, CannotRun> {
        let inject = self.next_by_hand(inject);
        self.world.inject(inject.clone())?;
        self.story.add(&inject);
        Ok(inject.nr)
    }

    /// An inject as it would be done by hand now.
    fn next_by_hand(&self, inject: Inject) -> Inject {
        // At the next moment: whatever is due now has been carried out.
        Inject { nr: self.story.next_nr(), when: When::At(self.world.now + 1), by_hand: true, ..inject }
    }

    /// What would be wrong with the record if this were done by hand now: a file that says so could not be played again.
    #[must_use]
    pub fn against(&self, inject: &Inject) -> Vec<Problem> {
        let mut scenario = self.as_played();
        let inject = self.next_by_hand(inject.clone());
        let origin = inject.origin.clone();
        scenario.injects.iter_mut().for_each(|other| other.origin = Origin::default());
        scenario.injects.push(inject);
        let (_, problems) = scenario::check(&scenario);
        problems.into_iter().filter(|problem| problem.place.file == origin.file).collect()
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
        let played: BTreeSet<u32> = scenario.injects.iter().map(|inject| inject.nr).collect();
        scenario.injects.extend(self.done_by_hand().into_iter().filter(|inject| !played.contains(&inject.nr)));
        scenario.injects.sort_by_key(Inject::order);
        scenario
    }

    /// Ends play where it stands, for a reason that [`crate::record::Run::ended_early`] knows. What was reached is judged and said to be partial.
    pub fn end_now(&mut self, why: &str) {
        if !self.judged {
            let (kind, what) = match why {
                "real-event" => ("real-event", Phrase::RealEvent),
                _ => ("note", Phrase::EndedEarly),
            };
            self.story.say(self.world.now, kind, None, what);
            self.story.ended_early = Some(why.to_owned());
            self.absorb();
            self.look();
            self.close();
        }
    }

    /// From now on what happens is kept for [`Self::take_news`], too.
    pub fn keep_news(&mut self) {
        self.story.news.get_or_insert_default();
    }

    /// What happened since the last call, where [`Self::keep_news`] was called.
    pub fn take_news(&mut self) -> Vec<Happened> {
        self.story.news.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What was planned and what came of it so far.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.story.plan(self.world.now)
    }

    /// Every expectation as it stands, and whether that is certain.
    pub fn expectations(&self) -> impl Iterator<Item = (ExpectRecord, bool)> {
        self.watches.iter().map(|watch| (self.story.expectation(watch), watch.result().is_some()))
    }

    /// From here on this is another line of play.
    pub fn begin_line(&mut self, line: u32, of: u32) {
        self.story.say(self.world.now, "note", None, Phrase::LineBegins { line, of });
    }

    /// A note of an evaluator, with the time it was taken.
    pub fn note(&mut self, text: &str) {
        self.story.say(self.world.now, "note", None, Phrase::Note { text: text.to_owned() });
    }

    /// Number of standing rules broken so far.
    #[must_use]
    pub fn violations(&self) -> usize {
        self.world.checker.violations.len()
    }

    /// Everything that is known of it so far.
    pub fn record(&mut self) -> Record {
        let mut record = self.story.record(&mut self.world, &self.watches);
        record.conflicts = self.disputes.record();
        record.run.played_hash = self.as_played().unplaced().hash();
        record
    }

    /// The next time at which anything has to be decided.
    fn next_stop(&self) -> Micros {
        let contingency = self.world.pending_injects().filter_map(|inject| match &inject.when {
            When::Unless { by, .. } => Some(*by),
            When::At(_) => None,
        });
        let endex = self.world.endex();
        // Just before it, too: what is mended then must not count as known.
        let decisions = contingency.chain([endex.saturating_sub(1), endex]).filter(|at| *at > self.world.now);
        let due = self.next_due.unwrap_or(Micros::MAX);
        decisions.min().unwrap_or(Micros::MAX).min(due).min(self.next_look.max(self.world.now + 1))
    }

    /// When the next expectation is due of which it is not certain what came of it.
    fn due(&self) -> Option<Micros> {
        let open = self.watches.iter().filter(|watch| watch.result().is_none());
        let due = open.filter_map(|watch| watch.due(self.story.start_of(&watch.expect.after)));
        due.filter(|due| *due > self.world.now).min()
    }

    /// What happened goes into the story.
    fn absorb(&mut self) {
        let log = self.world.drain_log();
        for logged in log {
            self.story.take(&logged, &mut self.world);
        }
        self.story.spread.take(&mut self.world);
        for violation in self.world.checker.violations.iter().skip(self.told) {
            let (rule, seen) = (violation.rule.described().0.to_owned(), violation.what.clone());
            self.story.say(violation.at, "violation", violation.node, Phrase::Broken { rule, seen });
        }
        self.told = self.world.checker.violations.len();
    }

    /// Looks at every expectation that is being waited for, until ENDEX: after it everything is mended.
    fn look(&mut self) {
        if self.story.endex_seen {
            return;
        }
        for watch in &mut self.watches {
            let before = watch.result();
            let from = self.story.start_of(&watch.expect.after);
            watch.look(&mut self.world, from, &self.story);
            if watch.result() != before
                && let Some(result) = watch.result()
            {
                let (id, text) = (watch.expect.id.clone(), watch.expect.text.clone());
                self.story.say(self.world.now, "expectation", None, Phrase::Expected { id, result, text });
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
        self.disputes.look(&mut self.world);
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
pub(crate) fn status(world: &mut World, site: SiteNo) -> Option<StatusView> {
    world.ask(site, &Question::Status)?.status()
}
