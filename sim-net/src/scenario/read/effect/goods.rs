//! Injects about goods: the request they are about, and their `data`.

use super::super::super::form::Form;
use super::super::super::goods::{GoodsDeed, Lines};
use super::super::super::problem::{Wrong, quoted};
use super::super::super::words::{JourneyStep, What};
use super::super::super::{Effect, selector, text};
use super::{Reader, item_code, line};

/// The effect of `commit`, `consign`, `receive`, `resolve` or `stock`; nothing where something was wrong, which is noted.
pub(super) fn read(reader: &Reader<'_, '_, '_>, what: What) -> Option<Effect> {
    let (site, form) = (reader.site("as"), reader.form);
    let request = || form.need("request", selector::id);
    let deed = if what == What::Resolve {
        GoodsDeed::Resolve { request: request()? }
    } else if what == What::Stock {
        GoodsDeed::Stock(changes(form)?)
    } else if what == What::Consign {
        let (request, (step, to)) = request().zip(journey(form))?;
        GoodsDeed::Consign { request, step, to }
    } else {
        let (request, lines) = (request()?, lines(form));
        if what == What::Receive { GoodsDeed::Receive { request, lines } } else { GoodsDeed::Commit { request, lines } }
    };
    Some(Effect::Goods { site: site?, deed })
}

/// `data = { lines = ["water:40"] }`; nothing where nothing is counted.
fn lines(form: &Form<'_>) -> Lines {
    let Some(data) = form.table("data") else { return Lines::new() };
    let typed = data.list("lines", ';').unwrap_or_default();
    let lines = typed.iter().filter_map(|node| data.parse("lines", node, line)).collect();
    data.done();
    lines
}

/// `data = { step = "depart" }`, with `divert` also where to.
fn journey(form: &Form<'_>) -> Option<(JourneyStep, Option<String>)> {
    let Some(data) = form.table("data") else { return form.missing("data") };
    let step = data.need("step", |typed| {
        let word = typed.trim().to_lowercase().replace(['_', ' '], "-");
        JourneyStep::parse(&word).ok_or_else(|| {
            let wrong = Wrong::new(format!("{} is no step of a journey.", quoted(typed)), "");
            wrong.among(JourneyStep::ALL.iter().map(|step| step.text()))
        })
    });
    let diverts = step == Some(JourneyStep::Divert);
    let to = if diverts { data.need("to", selector::id) } else { None };
    data.done();
    (!diverts || to.is_some()).then_some(())?;
    Some((step?, to))
}

/// `data = { water = "-3" }`.
fn changes(form: &Form<'_>) -> Option<Vec<(String, i64)>> {
    let Some(data) = form.table("data") else { return form.missing("data") };
    let mut changes = Vec::new();
    for (item, typed) in data.pairs() {
        match item_code(&item).and_then(|item| Ok((item, change(&typed)?))) {
            Ok(change) => changes.push(change),
            Err(wrong) => form.wrong_at(&format!("data.{item}"), form.row, wrong),
        }
    }
    if data.pairs().is_empty() {
        form.wrong_at("data", form.row, Wrong::new("No goods are named.", "Write such as water=-3."));
    }
    Some(changes)
}

fn change(typed: &str) -> Result<i64, Wrong> {
    match text::signed::<i64>(typed)? {
        0 => Err(Wrong::new("Nothing changes.", "Write by how much: -3, or +12.")),
        by => Ok(by),
    }
}
