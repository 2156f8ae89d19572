//! An inject typed by a controller during play: the same words as in the files, on one line.
//!
//! `cut where=element:CABLE-HUA lasts=20m say="the cable is cut"`

use super::form::Form;
use super::problem::{Notes, Problem};
use super::read::inject::Injects;
use super::selector::Index;
use super::text;
use super::tree::{Entry, Node};
use super::{Inject, Micros, Scenario};

/// What problems name as the file.
const KEYBOARD: &str = "keyboard";

/// Reads a line: the word of the effect, then `key=value`, values with spaces in quotes. It happens at `now`.
///
/// # Errors
/// Every [`Problem`] of the line; at least one.
pub fn read_line(line: &str, scenario: &Scenario, now: Micros) -> Result<Inject, Vec<Problem>> {
    let notes = Notes::default();
    let mut parts = text::split(line, ' ').into_iter().map(str::trim).filter(|part| !part.is_empty());
    let what = parts.next().unwrap_or_default();
    let mut pairs = vec![("what", what.to_owned()), ("at", text::show_time(now)), ("by_hand", "yes".to_owned())];
    // A word without a value is left to be found unknown by name.
    pairs.extend(parts.map(|part| part.split_once('=').map_or((part, String::new()), |(key, value)| (key, text::unwrap(value)))));
    let entries = pairs.into_iter().map(|(key, value)| Entry { key: key.to_owned(), row: 1, node: Node::text(1, value) });
    let form = Form::new(KEYBOARD, 1, entries.collect(), &notes);
    let mut injects = Injects::default();
    injects.take(&form, &Index::new(&scenario.sites, &scenario.elements));
    let (_, problems) = notes.done();
    injects.only().filter(|_| problems.is_empty()).ok_or(problems)
}
