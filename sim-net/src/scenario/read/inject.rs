//! Injects, out of `[[inject]]` or a row of the sheet of events; both are read here.

use std::collections::BTreeSet;

use super::super::form::Form;
use super::super::problem::Wrong;
use super::super::selector::{self, Index};
use super::super::text;
use super::super::tree::Value;
use super::super::{Effect, Inject, Origin, When};
use super::effect;

/// Columns of the sheet of events: what every inject may have, then what some effects need.
pub(in crate::scenario) const COLUMNS: &[&str] = &[
    "nr",
    "at",
    "if_not",
    "by",
    "what",
    "where",
    "lasts",
    "name",
    "say",
    "objective",
    "expect",
    "by_hand",
    "as",
    "of",
    "from",
    "to",
    "data",
    "request",
    "groups",
    "one_way",
    "path",
    "period",
    "owner",
    "age",
    "machine",
    "jump",
    "ppm",
    "channel",
    "kind",
];

/// The injects read so far.
#[derive(Debug, Default)]
pub(in crate::scenario) struct Injects {
    /// With a number once [`Self::number`] was called.
    pub(super) done: Vec<Inject>,
    unnumbered: Vec<usize>,
}

impl Injects {
    /// Reads one; what is wrong with it is noted, and something stands in its place.
    pub(in crate::scenario) fn take(&mut self, form: &Form<'_>, index: &Index<'_>) {
        let nr = form.get("nr", text::whole::<u32>);
        let when = when(form);
        let effect = effect::read(form, index, when.as_ref());
        let (lasts, name, say) = (form.get("lasts", text::duration), form.get("name", selector::id), form.text("say"));
        let (objective, expect) = (form.get("objective", selector::id), names(form));
        let by_hand = form.or("by_hand", false, text::yes);
        // Without its effect nobody knows which other keys it may have. Its number and name stand, for those that speak of them.
        if effect.is_some() {
            form.done();
        }
        let effect = effect.unwrap_or(Effect::TellController);
        let origin = Origin { file: form.file.to_owned(), row: form.row };
        let when = when.unwrap_or(When::At(0));
        let inject = Inject { nr: nr.unwrap_or(0), when, effect, lasts, name, say, objective, expect, by_hand, origin };
        if nr.is_none() {
            self.unnumbered.push(self.done.len());
        }
        self.done.push(inject);
    }

    /// The only one read, still without a number.
    pub(in crate::scenario) fn only(mut self) -> Option<Inject> {
        self.done.pop().filter(|_| self.done.is_empty())
    }

    /// Gives numbers to those without, in the order in which they stand, and sorts all by time.
    pub(super) fn number(&mut self) {
        let mut taken: BTreeSet<u32> = self.done.iter().map(|inject| inject.nr).collect();
        let mut next = 1;
        for place in self.unnumbered.drain(..) {
            while !taken.insert(next) {
                next += 1;
            }
            if let Some(inject) = self.done.get_mut(place) {
                inject.nr = next;
            }
        }
        self.done.sort_by_key(Inject::order);
    }
}

/// `at`, or `if_not` with `by`.
fn when(form: &Form<'_>) -> Option<When> {
    let at = form.get("at", text::time);
    let (expect, by) = (form.get("if_not", selector::id), form.get("by", text::time));
    match (form.has("at"), form.has("if_not"), form.has("by")) {
        (true, false, false) => at.map(When::At),
        (false, true, true) => Some(When::Unless { expect: expect?, by: by? }),
        (false, true, false) => form.missing("by"),
        (false, false, true) => form.missing("if_not"),
        (false, false, false) => form.missing("at"),
        (true, ..) => {
            let what = "It has both a time and a condition.";
            form.wrong(Wrong::new(what, "Keep at, or keep if_not and by: if the expectation is not met by then."));
            None
        }
    }
}

fn names(form: &Form<'_>) -> Vec<String> {
    let nodes = form.list("expect", ';').unwrap_or_default();
    let one = |node| form.parse("expect", node, selector::id);
    nodes.iter().filter(|node| node.value != Value::Text(String::new())).filter_map(one).collect()
}
