//! Where a command reads its surroundings and writes its answer: data on stdout, messages on stderr, colour only where wanted.

use std::io::{BufRead, Write};

use jiff::Zoned;
use serde_json::Value;

use crate::failure::Failure;
use crate::lang::{self, Lang};
use crate::text::{Hue, clean, clean_json};

/// What the process was given; tests give their own.
pub(crate) struct Surroundings<'a> {
    /// Looks up an environment variable.
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// Data.
    pub(crate) out: &'a mut dyn Write,
    /// Messages.
    pub(crate) err: &'a mut dyn Write,
    /// What people type when asked.
    pub(crate) input: &'a mut dyn BufRead,
    /// Stdout is a terminal.
    pub(crate) terminal: bool,
    /// Places in a line of that terminal, where known.
    pub(crate) width: Option<usize>,
    /// The time and zone here.
    pub(crate) now: Zoned,
}

/// How this command speaks.
pub(crate) struct Desk<'a> {
    world: Surroundings<'a>,
    /// Language of everything for people.
    pub(crate) lang: Lang,
    /// One JSON object instead of text.
    pub(crate) json: bool,
    /// No messages that are not errors.
    pub(crate) quiet: bool,
    /// More messages.
    pub(crate) verbose: u8,
    /// Colour is wanted and can be shown.
    pub(crate) colour: bool,
    /// `holdfast` with the flags that reach the same daemon: what a hint begins with.
    pub(crate) own: String,
    broken: bool,
}

/// The flags that decide how a command speaks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// `--lang`.
    pub(crate) lang: Option<String>,
    /// `--json`.
    pub(crate) json: bool,
    /// `-q`.
    pub(crate) quiet: bool,
    /// `-v`, counted.
    pub(crate) verbose: u8,
    /// `--no-color`.
    pub(crate) no_color: bool,
    /// This command with the flags that name the daemon.
    pub(crate) own: String,
}

impl<'a> Desk<'a> {
    /// A desk in these surroundings.
    pub(crate) fn new(world: Surroundings<'a>, manner: &Manner) -> Self {
        let set = |name: &str| (world.env)(name).is_some_and(|value| !value.is_empty());
        let dumb = (world.env)("TERM").is_some_and(|term| term == "dumb");
        let colour = world.terminal && !manner.no_color && !manner.json && !set("NO_COLOR") && !dumb;
        let lang = Lang::choose(manner.lang.as_deref(), world.env);
        Self {
            world,
            lang,
            json: manner.json,
            quiet: manner.quiet,
            verbose: manner.verbose,
            colour,
            own: manner.own.clone(),
            broken: false,
        }
    }

    /// Says that the language asked for is none of ours. The flag takes no other; the system's may be any.
    pub(crate) fn tell_unknown_language(&mut self) {
        let Some(said) = self.env(lang::VARIABLE).filter(|said| lang::of_name(said).is_none()) else { return };
        let text = format!("({} is \"{}\"; there are en and zh-TW, and English is shown)", lang::VARIABLE, clean(&said));
        self.note(&text, &text);
    }

    /// An environment variable that is set and not empty.
    pub(crate) fn env(&self, name: &str) -> Option<String> {
        (self.world.env)(name).filter(|value| !value.is_empty())
    }

    /// When the command began.
    pub(crate) fn now(&self) -> &Zoned {
        &self.world.now
    }

    /// Places in a line, where stdout is a terminal that says so.
    pub(crate) fn width(&self) -> Option<usize> {
        self.world.width
    }

    /// False once nobody reads our output any more.
    pub(crate) fn is_heard(&self) -> bool {
        !self.broken
    }

    /// A line of data.
    pub(crate) fn say(&mut self, line: &str) {
        let failed = writeln!(self.world.out, "{line}").and_then(|()| self.world.out.flush()).is_err();
        self.broken |= failed;
    }

    /// Several lines of data.
    pub(crate) fn say_all(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            self.say(&line);
        }
    }

    /// A JSON object on a line of its own, as it came.
    pub(crate) fn object(&mut self, value: &Value) {
        let line = clean_json(&value.to_string());
        self.say(&line);
    }

    /// A JSON object in the daemon's own words, on a line of its own.
    pub(crate) fn raw(&mut self, json: &str) {
        let line = clean_json(&json.trim().replace(['\r', '\n'], " "));
        self.say(&line);
    }

    /// A message that is not data.
    pub(crate) fn note(&mut self, en: &str, zh: &str) {
        if self.quiet {
            return;
        }
        let line = self.lang.of(en, zh).to_owned();
        self.complain(&line);
    }

    /// What is typed, or piped in.
    pub(crate) fn input(&mut self) -> &mut dyn BufRead {
        &mut *self.world.input
    }

    /// Asks for yes or no. Whoever does not answer has not agreed.
    pub(crate) fn agrees(&mut self, en: &str, zh: &str) -> bool {
        let line = self.lang.of(format!("{en} [y/N] "), format!("{zh} [y/N] "));
        // Nobody is left to ask if stderr is closed.
        if write!(self.world.err, "{line}").and_then(|()| self.world.err.flush()).is_err() {
            return false;
        }
        let mut typed = String::new();
        let read = self.world.input.read_line(&mut typed).is_ok();
        read && ["y", "yes", "是", "對", "一樣"].contains(&typed.trim().to_lowercase().as_str())
    }

    /// A message for those who asked for more.
    pub(crate) fn detail(&mut self, en: &str, zh: &str) {
        if self.verbose > 0 {
            self.note(en, zh);
        }
    }

    /// A line on stderr, always.
    pub(crate) fn complain(&mut self, line: &str) {
        // Nobody is left to tell if stderr is closed too.
        let failed = writeln!(self.world.err, "{line}").is_err();
        self.broken |= failed;
    }

    /// Tells a failure on stderr: an object with `--json`, else sentences.
    pub(crate) fn fail(&mut self, failure: &Failure) {
        if self.json {
            let line = clean_json(&failure.object().to_string());
            self.complain(&line);
            return;
        }
        for line in failure.lines(self.lang) {
            self.complain(&line);
        }
    }

    /// A word in colour where colour is shown.
    pub(crate) fn paint(&self, hue: Hue, text: &str) -> String {
        hue.paint(text, self.colour)
    }
}
