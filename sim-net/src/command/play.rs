//! Play with a controller: at the keyboard, over the API, or both. One thread plays; lines and requests come to it through a channel
//! of bounded length and become orders to one [`Control`]. What is done by hand goes into the record.

mod api;
mod routes;
mod talk;

use std::io::{self, BufRead, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use holdfast_sim::control::{Control, News, Order};
use holdfast_sim::scenario;

use self::api::Api;
use self::talk::{Ask, Call, Heard};
use super::limits::{Guard, Limits};
use super::{Failed, files};
use crate::command::bench::Clock;

/// While it plays at a speed, the channel is looked at so often.
const TICK: Duration = Duration::from_millis(20);
/// While it stands, limits are looked at so often.
const REST: Duration = Duration::from_secs(1);
/// Listeners are told the time so often at most, microseconds on the clock.
const TIME_EVERY: u64 = 250_000;
/// Play that falls behind its speed by more than this, microseconds on the clock, does not run after it.
const BEHIND_MAX: u64 = 1_000_000;
/// Lines and requests that wait; more are refused or wait outside.
const QUEUE: usize = 64;
/// Said first, and to whoever asks for help.
const HELP: &str = "\
go TIME | go +20m     play on to an exercise time, or for so long; go alone: to the end
resume, pause         play on by itself at the speed set, and stop
speed 60x | max       so many times real time
step [event|inject|violation|minute]
inject WHAT KEY=VALUE do something now, in the words of the files: inject partition groups=region:HUA lasts=20m
note TEXT             an evaluator's note, with its time
keep NAME, back NAME  a checkpoint, and back to it on another line of play; back alone lists them
show                  where it stands
real-event            a real emergency: play stops at once, and the record says so
end                   stop here; report and record are written; so does the end of input";

/// How it was asked for.
pub(super) struct Wanted<'a> {
    pub scenario: &'a Path,
    pub seed: Option<u64>,
    pub dir: Option<&'a Path>,
    pub api: Option<SocketAddr>,
    pub token_file: PathBuf,
    pub force: bool,
    pub limits: Limits,
}

/// A controller's session.
struct Session<'a, W> {
    out: &'a mut W,
    control: Control,
    api: Option<Api>,
    clock: Clock,
    /// Where the clock and play stood when play was last on time.
    anchor: Option<(u64, u64)>,
    told: u64,
    /// The line that waits until play is where it was sent, and whom to tell that it was taken.
    line: Option<(String, SyncSender<()>)>,
    keyboard: bool,
}

/// Plays a scenario with orders from standard input and over the API.
pub(super) fn play(out: &mut impl Write, wanted: &Wanted<'_>) -> Result<bool, Failed> {
    files::room(wanted.dir, wanted.force)?;
    let (scenario, remarks) = scenario::read(wanted.scenario).map_err(Failed::Scenario)?;
    for remark in remarks {
        writeln!(out, "note: {remark}")?;
    }
    let seed = wanted.seed.unwrap_or(scenario.exercise.seed);
    let mut guard = Guard::new(&wanted.limits)?;
    let mut control = Control::new(files::found(scenario, seed, &wanted.scenario.display().to_string(), &mut guard)?);
    writeln!(out, "EXERCISE, NOT REAL. {}\n{HELP}", control.play().world().scenario().exercise.shown())?;
    let (send, heard) = sync_channel(QUEUE);
    let api = wanted.api.map(|address| Api::start(address, &wanted.token_file, send.clone())).transpose()?;
    if let Some(api) = &api {
        writeln!(out, "api: http://{} token: {}", api.address(), wanted.token_file.display())?;
    }
    listen(send);
    let (clock, anchor) = (Clock::start(), None);
    let mut session = Session { out, control, api, clock, anchor, told: 0, line: None, keyboard: true };
    session.show()?;
    while !session.control.is_over() {
        session.turn(&heard)?;
        if let Some(why) = guard.exceeded() {
            session.control.end(why);
        }
    }
    // Whoever still waits for an answer is told that play is over.
    drop(heard);
    session.finish(wanted.dir)
}

/// Lines of standard input, read beside the play: the next is read when one was taken.
#[expect(clippy::disallowed_methods, reason = "reads the keyboard; the run is one thread")]
fn listen(send: SyncSender<Heard>) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            let (taken, wait) = sync_channel(1);
            if send.send(Heard::Line(line, taken)).is_err() || wait.recv().is_err() {
                return;
            }
        }
        // Where nobody listens any more nobody needs to know.
        let _over = send.send(Heard::KeyboardGone);
    });
}

impl<W: Write> Session<'_, W> {
    /// Plays a piece, or waits for somebody; then does what was asked for.
    fn turn(&mut self, heard: &Receiver<Heard>) -> Result<(), Failed> {
        let word = match self.play_on() {
            None => match heard.try_recv() {
                Ok(word) => Some(word),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Heard::KeyboardGone),
            },
            Some(wait) => match heard.recv_timeout(wait) {
                Ok(word) => Some(word),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Heard::KeyboardGone),
            },
        };
        match word {
            Some(Heard::Line(line, taken)) => self.line = Some((line, taken)),
            Some(Heard::Call(call)) => self.answer(call),
            Some(Heard::KeyboardGone) => self.keyboard = false,
            None => {}
        }
        if !self.control.is_sent()
            && let Some((line, taken)) = self.line.take()
        {
            self.obey(line.trim())?;
            // Gone only with its thread.
            let _gone = taken.send(());
        }
        // What was ordered is done, and nobody is left who could order anything.
        if !self.keyboard && self.api.is_none() && !self.control.is_playing() && !self.control.is_over() {
            self.control.end("no-orders");
        }
        self.tell()
    }

    /// Plays a piece if it is time; how long to wait for anything else, where there is nothing to play now.
    fn play_on(&mut self) -> Option<Duration> {
        if !self.control.is_playing() {
            self.anchor = None;
            return Some(REST);
        }
        let Some(times) = self.control.pace() else {
            self.anchor = None;
            self.control.play_on(u64::MAX);
            return None;
        };
        let (real, now) = (self.clock.elapsed_us(), self.control.play().now());
        let (since, from) = *self.anchor.get_or_insert((real, now));
        let due = from.saturating_add((real - since).saturating_mul(times));
        if due <= now {
            return Some(TICK);
        }
        if due - now > BEHIND_MAX.saturating_mul(times) {
            self.anchor = None;
        }
        self.control.play_on(due);
        None
    }

    /// A line of the keyboard.
    fn obey(&mut self, line: &str) -> Result<(), Failed> {
        match line {
            "" | "show" => self.show()?,
            "help" => writeln!(self.out, "{HELP}")?,
            "back" => {
                let names: Vec<String> = self.control.checkpoints().checkpoints.into_iter().map(|kept| kept.name).collect();
                let mut names = names;
                names.sort();
                writeln!(self.out, "checkpoints: {}", if names.is_empty() { "none yet".to_owned() } else { names.join(", ") })?;
            }
            line => match line.parse().and_then(|order| self.order(order)) {
                Ok(Some(nr)) => writeln!(self.out, "inject {nr} at H+{}", scenario::show_time(self.control.play().now()))?,
                Ok(None) => {}
                Err(refused) => writeln!(self.out, "{} {} ({})", refused.what.en, refused.fix.en, refused.code)?,
            },
        }
        Ok(())
    }

    fn order(&mut self, order: Order) -> Result<Option<u32>, Box<holdfast_proto::domain::refusal::Refusal>> {
        let done = self.control.obey(order)?;
        // As for a request.
        self.anchor = None;
        Ok(done.inject)
    }

    /// A request of the API.
    fn answer(&mut self, call: Call) {
        let Call { ask, answer } = call;
        if matches!(ask, Ask::Order(_)) {
            // Whatever it changes, speed is counted from here.
            self.anchor = None;
        }
        let answered = ask.of(&mut self.control);
        // Whoever asked may have left.
        let _left = answer.send(answered);
    }

    /// What is new goes to listeners, and to the screen where play came to a stand.
    fn tell(&mut self) -> Result<(), Failed> {
        let news = self.control.take_news();
        let paused = news.iter().any(|one| matches!(one, News::Paused { .. }));
        if let Some(api) = &self.api {
            news.iter().for_each(|one| api.say(one));
            let now = self.clock.elapsed_us();
            if self.control.is_playing() && now >= self.told + TIME_EVERY {
                self.told = now;
                api.say(&News::Time { at: self.control.play().now() });
            }
        }
        for one in &news {
            self.print(one)?;
        }
        if paused && !self.control.is_over() {
            self.show()?;
        }
        Ok(())
    }

    /// What a controller wants to see without asking: words to players and to the controller, what was done, what it came to.
    fn print(&mut self, news: &News) -> Result<(), Failed> {
        let time = |at: &u64| scenario::show_time(*at / 1_000_000 * 1_000_000);
        match news {
            News::Happened { kind, at, text, site, .. }
                if matches!(
                    kind.as_str(),
                    "inject" | "undone" | "down" | "up" | "expectation" | "violation" | "real-event" | "note"
                ) =>
            {
                let site = site.as_ref().map_or_else(String::new, |site| format!("{site}: "));
                writeln!(self.out, "  H+{}  {site}{}", time(at), text.en)?;
            }
            News::Checkpoint { at, name } if *name != scenario::show_time(*at) => {
                writeln!(self.out, "  H+{}  checkpoint {name}", time(at))?;
            }
            News::Branch { at, line, of } => {
                writeln!(self.out, "  H+{}  line {line} of play begins, leaving line {of}", time(at))?
            }
            News::Happened { .. }
            | News::Checkpoint { .. }
            | News::Playing { .. }
            | News::Paused { .. }
            | News::Speed { .. }
            | News::Time { .. }
            | News::Ended { .. } => {}
        }
        Ok(())
    }

    fn show(&mut self) -> Result<(), Failed> {
        let state = self.control.state();
        let in_force: Vec<String> = state.in_force.iter().map(|inject| format!("no. {} {}", inject.nr, inject.what)).collect();
        writeln!(
            self.out,
            "H+{} of {}: {} of {} sites running, rules broken: {}{}{}",
            state.at,
            scenario::show_time(state.end_us),
            state.sites_running,
            state.sites,
            state.violations,
            if state.line == 1 { String::new() } else { format!("; line {} of play", state.line) },
            if in_force.is_empty() { String::new() } else { format!("; in force: {}", in_force.join(", ")) }
        )?;
        Ok(self.out.flush()?)
    }

    /// The record, and the last word to everybody.
    fn finish(mut self, dir: Option<&Path>) -> Result<bool, Failed> {
        self.tell()?;
        self.show()?;
        let record = self.control.record();
        if let Some(api) = self.api.take() {
            let (early, fingerprint) = (record.run.ended_early.clone(), record.run.fingerprint.clone());
            api.say(&News::Ended { at: record.run.reached, early, fingerprint });
            api.stop();
        }
        if let Some(why) = &record.run.ended_early {
            writeln!(self.out, "ended early: {}. What was not reached is not observed.", holdfast_sim::report::why_early(why))?;
        }
        if let Some(dir) = dir {
            files::keep(self.control.play(), &record, dir)?;
            writeln!(self.out, "report: {}", dir.join("report.html").display())?;
        }
        writeln!(self.out, "fingerprint {}", record.run.fingerprint)?;
        Ok(files::good(&record))
    }
}
