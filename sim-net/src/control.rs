//! A controller's hold on a play: pause, go on, step, set the speed, inject, go back, end. The keyboard and the API give the same
//! orders and read the same state; whoever drives this type brings the clock and the thread, here is neither.
//!
//! Going back to a checkpoint begins another line of play. The line that was left is kept for the report, the one that is played is
//! the record, and whatever was done by hand in it stands there as an inject: a replay is the same run.

mod order;
mod refuse;
#[cfg(test)]
mod tests;
mod view;

use holdfast_proto::domain::refusal::Refusal;

use crate::exercise::Play;
use crate::record::{Happened, Line, Phrase, Record, Told};
use crate::scenario::{self, Inject, Micros, Problem};

pub use self::order::{Order, Speed, Step, Until, Wish};
pub use self::refuse::{busy, no_site, over};
pub use self::view::{CheckpointView, CheckpointsView, News, SitesView, StateView};

/// Checkpoints that nobody asked for are so far apart at least.
const CHECKPOINT: Micros = 300_000_000;
/// So many checkpoints are kept; the oldest that nobody asked for makes room.
const CHECKPOINTS_MAX: usize = 24;
/// Above so many sites a copy of the world is too dear to be made.
const COPIED_SITES_MAX: usize = 1_000;
/// Lines of play that are remembered; the oldest makes room.
const LINES_MAX: usize = 64;
/// Characters of a note or of the name of a checkpoint.
const TEXT_MAX: usize = 1_000;

/// What play is on its way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Its end, at the speed set.
    End,
    /// A time, as fast as it goes.
    Time(Micros),
    /// The next broken rule, as fast as it goes; so many are known.
    Violation(usize),
}

/// A moment of play to go back to.
#[derive(Clone, Debug)]
struct Checkpoint {
    name: String,
    /// Somebody asked for it.
    asked: bool,
    at: Micros,
    line: u32,
    play: Play,
}

/// A play under control.
#[derive(Debug)]
pub struct Control {
    play: Play,
    /// Number of the line that is played, from 1.
    line: u32,
    /// The line it left, and when.
    parent: Option<(u32, Micros)>,
    /// Lines begun so far.
    lines: u32,
    left: Vec<Line>,
    speed: Speed,
    goal: Option<Goal>,
    kept: Vec<Checkpoint>,
    next_keep: Micros,
    news: Vec<News>,
}

/// What an order brought about, besides a change of state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Number of the inject that was done.
    pub inject: Option<u32>,
}

impl Control {
    /// Takes hold of a play that stands at STARTEX; it is paused.
    #[must_use]
    pub fn new(mut play: Play) -> Self {
        play.keep_news();
        Self {
            play,
            line: 1,
            parent: None,
            lines: 1,
            left: Vec::new(),
            speed: Speed::Times(60),
            goal: None,
            kept: Vec::new(),
            next_keep: 0,
            news: Vec::new(),
        }
    }

    /// The play, to be looked at.
    pub fn play(&mut self) -> &mut Play {
        &mut self.play
    }

    /// Nothing is left to play.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.play.is_over()
    }

    /// Play is on its way somewhere: [`Self::play_on`] brings it there.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.goal.is_some() && !self.is_over()
    }

    /// It was sent to a time or to an event: the next order at the keyboard waits until it is there.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.is_playing() && self.goal != Some(Goal::End)
    }

    /// So many times real time at most; `None`: as fast as it goes.
    #[must_use]
    pub fn pace(&self) -> Option<u64> {
        match (self.goal, self.speed) {
            (Some(Goal::End), Speed::Times(times)) => Some(times),
            (Some(Goal::End), Speed::Max) | (Some(Goal::Time(_) | Goal::Violation(_)) | None, _) => None,
        }
    }

    /// What happened since the last call, in order.
    pub fn take_news(&mut self) -> Vec<News> {
        self.gather();
        std::mem::take(&mut self.news)
    }

    /// Plays a bounded piece towards where play is on its way to, never past `until`.
    pub fn play_on(&mut self, until: Micros) {
        let Some(goal) = self.goal.filter(|_| !self.is_over()) else { return };
        let last = self.play.end().saturating_sub(1);
        let until = match goal {
            Goal::Time(time) => until.min(time),
            // No rule broken is no reason to end play: it stands just before its end.
            Goal::Violation(_) => until.min(last),
            Goal::End => until,
        };
        if self.play.now() >= self.next_keep {
            let name = scenario::show_time(self.play.now());
            self.next_keep = self.play.now() + CHECKPOINT.max(self.play.end() / CHECKPOINTS_MAX as u64);
            self.keep(name, false);
        }
        self.play.advance_a_piece(until.min(self.next_keep));
        let arrived = match goal {
            Goal::End => false,
            Goal::Time(time) => self.play.now() >= time,
            Goal::Violation(known) => self.play.violations() > known || self.play.now() >= last,
        };
        if arrived || self.is_over() {
            self.halt();
        }
    }

    /// Carries out an order, or refuses it and changes nothing.
    ///
    /// # Errors
    /// A refusal in both languages: what, what it means, what to do.
    pub fn obey(&mut self, order: Order) -> Result<Done, Box<Refusal>> {
        if self.is_over() {
            return Err(refuse::over());
        }
        let mut done = Done::default();
        match order {
            Order::Pause => self.halt(),
            Order::Resume => self.set_out(Goal::End),
            Order::Speed(speed) => {
                self.speed = speed;
                let at = self.play.now();
                self.news.push(News::Speed { at, speed: speed.to_string() });
            }
            Order::Go(until) => {
                let time = until.after(self.play.now()).unwrap_or(self.play.end());
                if time > self.play.end() {
                    return Err(refuse::beyond(time, self.play.end()));
                }
                if time <= self.play.now() {
                    return Err(refuse::past(time, self.play.now()));
                }
                self.set_out(Goal::Time(time));
            }
            Order::Step(Step::Event) => {
                self.play.step();
                self.halt();
            }
            Order::Step(Step::Inject) => {
                let next = self.play.next_inject().ok_or_else(refuse::no_inject)?;
                self.set_out(Goal::Time(next));
            }
            Order::Step(Step::Minute) => self.set_out(Goal::Time((self.play.now() + 60_000_000).min(self.play.end()))),
            Order::Step(Step::Violation) => self.set_out(Goal::Violation(self.play.violations())),
            Order::Inject(wish) => {
                let inject = self.read(&wish).map_err(|problems| refuse::not_understood(&problems))?;
                let against = self.play.against(&inject);
                if !against.is_empty() {
                    return Err(refuse::not_understood(&against));
                }
                done.inject = Some(self.play.by_hand(inject).map_err(|why| refuse::impossible(&why))?);
            }
            Order::Note(text) => {
                let text = one_line(&text)?;
                self.play.note(&text);
            }
            Order::Keep(name) => {
                let name = one_line(&name)?;
                if self.kept.iter().any(|kept| kept.name == name) {
                    return Err(refuse::kept_already(&name));
                }
                if !self.keep(name, true) {
                    return Err(refuse::too_large(COPIED_SITES_MAX));
                }
            }
            Order::Back(name) => self.back(&name)?,
            Order::RealEvent => self.end("real-event"),
            Order::End => self.end("stopped"),
        }
        Ok(done)
    }

    /// Ends play where it stands and says why.
    pub fn end(&mut self, why: &str) {
        self.play.end_now(why);
        self.goal = None;
    }

    /// The record of the line that was played to here, with those that were left.
    pub fn record(&mut self) -> Record {
        let mut record = self.play.record();
        record.run.line = self.line;
        record.run.parent = self.parent;
        record.left.clone_from(&self.left);
        record
    }

    fn set_out(&mut self, goal: Goal) {
        self.goal = Some(goal);
        self.news.push(News::Playing { at: self.play.now() });
    }

    fn halt(&mut self) {
        self.goal = None;
        self.gather();
        self.news.push(News::Paused { at: self.play.now() });
    }

    /// What the play has to tell comes before what is told of it from here on.
    fn gather(&mut self) {
        let happened = self.play.take_news();
        let sites = &self.play.world().scenario().sites;
        self.news.extend(happened.into_iter().map(|one| {
            let site = one.site.and_then(|site| sites.get(site)).map(|site| site.id.clone());
            News::Happened { kind: one.kind, at: one.at, site, text: one.what.both(), what: one.what }
        }));
    }

    fn read(&mut self, wish: &Wish) -> Result<Inject, Vec<Problem>> {
        let now = self.play.now();
        let scenario = self.play.world().scenario();
        match wish {
            Wish::Line(line) => scenario::read_line(line, scenario, now),
            Wish::Fields(fields) => scenario::read_fields(fields, scenario, now),
        }
    }

    fn keep(&mut self, name: String, asked: bool) -> bool {
        if self.play.world().scenario().sites.len() > COPIED_SITES_MAX {
            return false;
        }
        self.gather();
        self.kept.retain(|kept| kept.name != name);
        if self.kept.len() >= CHECKPOINTS_MAX {
            let oldest = self.kept.iter().position(|kept| !kept.asked).unwrap_or(0);
            self.kept.remove(oldest);
        }
        let at = self.play.now();
        self.news.push(News::Checkpoint { at, name: name.clone() });
        self.kept.push(Checkpoint { name, asked, at, line: self.line, play: self.play.clone() });
        true
    }

    /// Leaves the line that is played and begins another at a checkpoint.
    fn back(&mut self, name: &str) -> Result<(), Box<Refusal>> {
        let Some(to) = self.kept.iter().find(|kept| kept.name == name) else {
            return Err(refuse::no_checkpoint(name, self.kept.iter().map(|kept| kept.name.as_str())));
        };
        let (at, of) = (to.at, to.line);
        let play = to.play.clone();
        self.gather();
        let left = self.leave();
        if self.left.len() >= LINES_MAX {
            self.left.remove(0);
        }
        self.left.push(left);
        self.play = play;
        self.lines += 1;
        self.line = self.lines;
        self.parent = Some((of, at));
        self.next_keep = at + CHECKPOINT.max(self.play.end() / CHECKPOINTS_MAX as u64);
        self.news.push(News::Branch { at, line: self.line, of });
        self.play.begin_line(self.line, of);
        self.halt();
        Ok(())
    }

    /// What is kept of the line that is played.
    fn leave(&mut self) -> Line {
        let began = self.parent.map_or(0, |(_, at)| at);
        let record = self.play.record();
        let own = |at: Option<u64>| at.is_none_or(|at| at >= began);
        Line {
            nr: self.line,
            parent: self.parent,
            reached: self.play.now(),
            notes: record.timeline.iter().filter(|event| own(Some(event.at))).filter_map(note).collect(),
            by_hand: record.injects.into_iter().filter(|inject| inject.by_hand && own(inject.happened)).collect(),
            expectations: record.expectations,
            violations: record.invariants.iter().map(|rule| rule.violations).sum(),
            fingerprint: record.run.fingerprint,
        }
    }
}

/// An evaluator's note, with its time.
fn note(event: &Happened) -> Option<(u64, String)> {
    if let Phrase::Note { text } = &event.what { Some((event.at, text.clone())) } else { None }
}

/// A text that people gave: not empty, not too long, without what a terminal could obey.
fn one_line(text: &str) -> Result<String, Box<Refusal>> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_MAX {
        return Err(refuse::text(TEXT_MAX));
    }
    Ok(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}
