//! Orders, and how they are written at the keyboard and in requests.

use std::fmt;
use std::str::FromStr;

use holdfast_proto::domain::refusal::Refusal;

use super::refuse;
use crate::scenario::{self, Micros};

/// How fast play goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As fast as it goes.
    Max,
    /// So many times real time, 1..=1,000,000.
    Times(u64),
}

impl FromStr for Speed {
    type Err = Box<Refusal>;

    fn from_str(text: &str) -> Result<Self, Box<Refusal>> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').and_then(|times| times.parse().ok()).filter(|times| (1..=1_000_000).contains(times));
        times.map(Self::Times).ok_or_else(|| refuse::speed(text))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max => f.write_str("max"),
            Self::Times(times) => write!(f, "{times}x"),
        }
    }
}

/// How far one step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next event of the engine.
    Event,
    /// Just after the next inject.
    Inject,
    /// The next broken rule.
    Violation,
    /// A minute.
    Minute,
}

impl FromStr for Step {
    type Err = Box<Refusal>;

    fn from_str(text: &str) -> Result<Self, Box<Refusal>> {
        match text {
            "event" => Ok(Self::Event),
            "inject" => Ok(Self::Inject),
            "violation" => Ok(Self::Violation),
            "minute" => Ok(Self::Minute),
            other => Err(refuse::step(other)),
        }
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// The end.
    End,
    /// Exercise time.
    Time(Micros),
    /// So long from now.
    More(Micros),
}

impl Until {
    /// As exercise time; `None`: the end.
    #[must_use]
    pub fn after(self, now: Micros) -> Option<Micros> {
        match self {
            Self::End => None,
            Self::Time(time) => Some(time),
            Self::More(length) => Some(now.saturating_add(length)),
        }
    }
}

/// `01:30`, `+20m`, `+00:20`; `end` or nothing.
impl FromStr for Until {
    type Err = Box<Refusal>;

    fn from_str(text: &str) -> Result<Self, Box<Refusal>> {
        if matches!(text, "" | "end") {
            return Ok(Self::End);
        }
        let read = match text.strip_prefix('+') {
            Some(length) => scenario::exercise_time(length).map(Self::More),
            None => scenario::exercise_time(text).map(Self::Time),
        };
        read.ok_or_else(|| refuse::time(text))
    }
}

/// An inject as it was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// One line in the words of the files.
    Line(String),
    /// The fields of `[[inject]]`.
    Fields(serde_json::Map<String, serde_json::Value>),
}

/// What a controller may want.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Stop here, for now.
    Pause,
    /// Go on by itself, at the speed set.
    Resume,
    /// That speed.
    Speed(Speed),
    /// Go on to a time as fast as it goes, and pause there.
    Go(Until),
    /// Go on a little and pause.
    Step(Step),
    /// Do something now.
    Inject(Wish),
    /// An evaluator's note, with its time.
    Note(String),
    /// Make a checkpoint of this name.
    Keep(String),
    /// Back to the checkpoint of this name, on another line of play.
    Back(String),
    /// A real emergency: play ends at once.
    RealEvent,
    /// Play ends here.
    End,
}

/// A line of the keyboard: the word, then what belongs to it.
impl FromStr for Order {
    type Err = Box<Refusal>;

    fn from_str(line: &str) -> Result<Self, Box<Refusal>> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        Ok(match word {
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "speed" => Self::Speed(rest.parse()?),
            "go" => Self::Go(rest.parse()?),
            "step" => Self::Step(if rest.is_empty() { Step::Event } else { rest.parse()? }),
            "inject" => Self::Inject(Wish::Line(rest.to_owned())),
            "note" => Self::Note(rest.to_owned()),
            "keep" => Self::Keep(rest.to_owned()),
            "back" => Self::Back(rest.to_owned()),
            "real-event" => Self::RealEvent,
            "end" => Self::End,
            other => return Err(refuse::order(other)),
        })
    }
}
