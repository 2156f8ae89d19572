//! What fell short, worst first. The order: broken rules, lost words, believed forgeries, unmet expectations, states that stayed
//! apart, requests nobody or too many took, what came late, what was not seen.

use super::checks::{demand, name};
use super::html::Text;
use super::show::{Clock, count, length, site};
use super::words::{self, Words};
use crate::record::{ExpectRecord, InjectRecord, Record, Verdict};

/// How many expectations had which result: met, late, not met, not observed.
pub(super) fn tally<'a>(expectations: impl Iterator<Item = &'a ExpectRecord>) -> [u64; 4] {
    let mut out = [0; 4];
    for one in expectations {
        let place = match one.result {
            Verdict::Met => 0,
            Verdict::MetLate => 1,
            Verdict::NotMet => 2,
            Verdict::NotObserved => 3,
        };
        if let Some(number) = out.get_mut(place) {
            *number += 1;
        }
    }
    out
}

/// Violations of all rules together.
pub(super) fn breaches(record: &Record) -> u64 {
    record.invariants.iter().map(|rule| rule.violations).sum()
}

/// An inject that should have happened and did not: by plan, not a contingency, and within what was played.
pub(super) fn skipped(record: &Record, inject: &InjectRecord) -> bool {
    let due = inject.planned.is_some_and(|at| at <= record.run.reached);
    inject.happened.is_none() && !inject.contingency && due
}

/// How many words never reached a site.
pub(super) fn never(never: &[u64; 3]) -> u64 {
    never.iter().sum()
}

/// All findings, worst first.
pub(super) fn all(record: &Record) -> Vec<Text> {
    let mut out = Vec::new();
    let text = |words: &str| Text::from(words);

    let mut broken: Vec<_> = record.invariants.iter().filter(|rule| rule.violations > 0).collect();
    broken.sort_by_key(|rule| std::cmp::Reverse(rule.violations));
    out.extend(broken.iter().map(|rule| words::FOUND_RULE.with(&[name(rule), count(rule.violations), demand(rule)])));

    let missing = record.run.lost.saturating_sub(record.run.excused);
    if missing > 0 {
        out.push(words::FOUND_LOST.with(&[count(missing)]));
    }
    for one in record.forged.iter().filter(|one| one.accepted_by > 0) {
        out.push(words::FOUND_FORGED.with(&[
            count(one.inject),
            count(one.accepted_by),
            words::look_up(words::MEANINGS, &one.kind).map_or_else(|| text(&one.note), Text::from),
        ]));
    }
    out.extend(expectations(record, Verdict::NotMet, words::FOUND_NOT_MET));
    let mended = record
        .injects
        .iter()
        .any(|inject| inject.happened.is_some() && (inject.undone.is_some() || MENDING.contains(&&*inject.what)));
    if mended && record.run.converged_after_heal.is_none() && record.run.ended_early.is_none() {
        out.push(words::FOUND_APART.into());
    }
    for request in &record.requests {
        let name = text(&request.label);
        match request.acknowledged.len() {
            0 if !ENDED.contains(&&*request.state) => out.push(words::FOUND_UNHEARD.with(&[name, site(record, request.site)])),
            0 | 1 => {}
            hubs => out.push(words::FOUND_TWICE.with(&[name, count(hubs)])),
        }
    }
    let mut late: Vec<_> = record.expectations.iter().filter(|one| one.result == Verdict::MetLate).collect();
    late.sort_by_key(|one| std::cmp::Reverse(one.late));
    out.extend(late.iter().map(|one| {
        let by = one.late.map_or_else(Text::none, length);
        words::FOUND_LATE.with(&[text(&one.id), by, text(&one.text)])
    }));
    out.extend(expectations(record, Verdict::NotObserved, words::FOUND_UNSEEN));
    for inject in record.injects.iter().filter(|inject| skipped(record, inject)) {
        out.push(words::FOUND_SKIPPED.with(&[count(inject.nr), inject.why_not.as_ref().map_or_else(Text::none, Text::from)]));
    }
    if let Some(all) = record.knowledge.iter().find(|one| one.of.is_empty() && never(&one.never) > 0) {
        let lost = never(&all.never);
        out.push(words::FOUND_NEVER.with(&[count(lost), count(all.deliveries.saturating_add(lost))]));
    }
    out
}

/// Injects that mend.
const MENDING: [&str; 3] = ["heal", "restore", "power-back"];
/// States in which a request needs nobody any more.
const ENDED: [&str; 2] = ["cancelled", "closed"];

fn expectations(record: &Record, result: Verdict, words: Words) -> impl Iterator<Item = Text> {
    let of = record.expectations.iter().filter(move |one| one.result == result);
    of.map(move |one| words.with(&[Text::from(one.id.as_str()), Text::from(one.text.as_str())]))
}

/// Why and when play ended before its end; `None`: it did not.
pub(super) fn ended_early(record: &Record) -> Option<Text> {
    let why = record.run.ended_early.as_deref()?;
    let why = words::look_up(words::ENDINGS, why).map_or_else(|| Text::from(why), Text::from);
    let clock = Clock::of(&record.exercise);
    Some(words::ENDED_EARLY.with(&[clock.inline(record.run.reached), clock.inline(record.exercise.duration), why]))
}
