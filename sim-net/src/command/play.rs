//! Play with a controller at the keyboard. One line, one order; what is done by hand goes into the record.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use holdfast_sim::exercise::Play;
use holdfast_sim::scenario::{self, Micros};

use super::{Failed, files};

/// While it runs the keyboard is listened to so often, and the screen told so often at most.
const TICK: Duration = Duration::from_millis(100);
/// Checkpoints are kept so far apart at least.
const CHECKPOINT: Micros = 300_000_000;
/// So many of them; the oldest make room.
const CHECKPOINTS_MAX: usize = 24;
/// Above so many sites a copy of the world is too dear to be made unasked, or at all.
const COPIED_SITES_MAX: usize = 1_000;
/// Said first, and to whoever asks for help.
const HELP: &str = "\
go TIME | go +20m     play on to an exercise time, or for so long
resume, pause         play on by itself at the speed set, and stop
speed 60x | max       so many times real time
step [event|inject|violation|minute]
inject WHAT KEY=VALUE do something now, in the words of the files: inject partition groups=region:HUA lasts=20m
note TEXT             an evaluator's note, with its time
keep NAME, back NAME  a checkpoint, and back to it; back alone lists them
show                  where it stands
real-event            a real emergency: play stops at once, and the record says so
end                   stop here; report and record are written";

/// A controller's session.
struct Session {
    play: Play,
    /// Virtual microseconds a real second; `None`: as fast as it goes.
    speed: Option<u64>,
    running: bool,
    kept: Vec<(String, Play)>,
    next_keep: Micros,
}

/// Plays a scenario with orders from standard input.
pub(super) fn play(out: &mut impl Write, path: &Path, seed: Option<u64>, dir: Option<&Path>) -> Result<bool, Failed> {
    let (scenario, remarks) = scenario::read(path).map_err(Failed::Scenario)?;
    for remark in remarks {
        writeln!(out, "note: {remark}")?;
    }
    let seed = seed.unwrap_or(scenario.exercise.seed);
    let play = Play::new(scenario, seed, &path.display().to_string())?;
    let mut session = Session { play, speed: Some(60_000_000), running: false, kept: Vec::new(), next_keep: 0 };
    writeln!(out, "EXERCISE, NOT REAL. {}\n{HELP}", session.play.world().scenario().exercise.shown())?;
    let orders = listen();
    session.show(out)?;
    while !session.play.is_over() {
        let wait = if session.running { TICK } else { Duration::MAX };
        let order = if session.running && session.speed.is_none() {
            orders.try_recv().ok()
        } else {
            match orders.recv_timeout(wait.min(Duration::from_secs(3_600))) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout) => None,
                // The keyboard is gone: what was ordered is played to its end.
                Err(RecvTimeoutError::Disconnected) => {
                    session.play.advance(Micros::MAX);
                    None
                }
            }
        };
        if let Some(order) = order {
            session.obey(out, order.trim())?;
        } else if session.running {
            session.tick();
        }
    }
    session.show(out)?;
    let record = session.play.record();
    if let Some(dir) = dir {
        files::keep(&session.play, &record, dir)?;
        writeln!(out, "report: {}", dir.join("report.html").display())?;
    }
    writeln!(out, "fingerprint {}", record.run.fingerprint)?;
    Ok(files::good(&record))
}

/// Lines of standard input, read beside the play.
#[expect(clippy::disallowed_methods, reason = "reads the keyboard; the run is one thread")]
fn listen() -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

impl Session {
    /// A moment of play that goes on by itself.
    fn tick(&mut self) {
        let step = self.speed.map_or(60_000_000, |speed| speed / 10);
        self.advance(self.play.now() + step);
    }

    fn advance(&mut self, until: Micros) {
        while self.play.now() < until && !self.play.is_over() {
            if self.play.now() >= self.next_keep {
                self.next_keep = self.play.now() + CHECKPOINT.max(self.play.end() / CHECKPOINTS_MAX as u64);
                self.keep(&scenario::show_time(self.play.now()));
            }
            self.play.advance(until.min(self.next_keep));
        }
    }

    fn keep(&mut self, name: &str) -> bool {
        if self.play.world().scenario().sites.len() > COPIED_SITES_MAX {
            return false;
        }
        self.kept.retain(|(kept, _)| kept != name);
        if self.kept.len() >= CHECKPOINTS_MAX {
            self.kept.remove(0);
        }
        self.kept.push((name.to_owned(), self.play.clone()));
        true
    }

    fn obey(&mut self, out: &mut impl Write, order: &str) -> Result<(), Failed> {
        let (word, rest) = order.split_once(' ').unwrap_or((order, ""));
        let rest = rest.trim();
        match word {
            "" | "show" => self.show(out)?,
            "help" => writeln!(out, "{HELP}")?,
            "pause" => {
                self.running = false;
                self.show(out)?;
            }
            "resume" => self.running = true,
            "speed" => match files::pace(rest) {
                Ok(times) => self.speed = times.map(|times| times * 1_000_000),
                Err(why) => writeln!(out, "{why}")?,
            },
            "go" => self.go(out, rest)?,
            "step" => self.step(out, rest)?,
            "inject" => self.inject(out, rest)?,
            "note" => self.play.note(rest),
            "keep" => {
                let kept = !rest.is_empty() && self.keep(rest);
                writeln!(out, "{}", if kept { "kept" } else { "give it a name; above 1,000 sites no checkpoint is made" })?;
            }
            "back" => self.back(out, rest)?,
            "real-event" => self.play.end_now("real-event"),
            "end" => self.play.end_now("stopped"),
            _ => writeln!(out, "{word:?} is no order.\n{HELP}")?,
        }
        Ok(())
    }

    fn go(&mut self, out: &mut impl Write, to: &str) -> io::Result<()> {
        let until = match to.strip_prefix('+') {
            Some(length) => scenario::exercise_time(length).map(|length| self.play.now() + length),
            None if to.is_empty() => Some(self.play.end()),
            None => scenario::exercise_time(to),
        };
        let Some(until) = until else {
            return writeln!(out, "{to:?} is no exercise time; write 01:30, or +20m for so long");
        };
        self.advance(until);
        self.show(out)
    }

    fn step(&mut self, out: &mut impl Write, what: &str) -> io::Result<()> {
        match what {
            "" | "event" => {
                self.play.step();
            }
            "inject" => {
                self.play.step_to_inject();
            }
            "minute" => self.advance(self.play.now() + 60_000_000),
            "violation" => {
                let before = self.play.violations();
                while self.play.violations() == before && !self.play.is_over() {
                    self.advance(self.play.now() + 1_000_000);
                }
            }
            _ => return writeln!(out, "step event, inject, violation or minute"),
        }
        self.show(out)
    }

    fn inject(&mut self, out: &mut impl Write, line: &str) -> io::Result<()> {
        let now = self.play.now();
        let read = scenario::read_line(line, self.play.world().scenario(), now);
        match read {
            Ok(inject) => match self.play.by_hand(inject) {
                Ok(nr) => writeln!(out, "inject {nr} at H+{}", scenario::show_time(now)),
                Err(why) => writeln!(out, "not done: {why}"),
            },
            Err(problems) => problems.iter().try_for_each(|problem| writeln!(out, "{problem}")),
        }
    }

    fn back(&mut self, out: &mut impl Write, name: &str) -> io::Result<()> {
        match self.kept.iter().find(|(kept, _)| kept == name) {
            Some((_, play)) => {
                self.play = play.clone();
                self.running = false;
                self.show(out)
            }
            None => {
                let names: Vec<&str> = self.kept.iter().map(|(name, _)| name.as_str()).collect();
                writeln!(out, "checkpoints: {}", if names.is_empty() { "none yet".to_owned() } else { names.join(", ") })
            }
        }
    }

    fn show(&mut self, out: &mut impl Write) -> io::Result<()> {
        let (now, end, broken) = (self.play.now(), self.play.end(), self.play.violations());
        let world = self.play.world();
        let sites = world.scenario().sites.len();
        let running = world.running().count();
        let standing: Vec<String> =
            world.standing().map(|inject| format!("{} {}", inject.nr, inject.effect.what().text())).collect();
        writeln!(
            out,
            "H+{} of {}: {running} of {sites} sites running, {broken} rules broken{}",
            scenario::show_time(now),
            scenario::show_time(end),
            if standing.is_empty() { String::new() } else { format!("; in force: {}", standing.join(", ")) }
        )?;
        out.flush()
    }
}
