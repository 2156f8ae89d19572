//! Expectations and what is looked at for them.

use std::collections::BTreeSet;

use super::super::form::Form;
use super::super::problem::{Wrong, quoted};
use super::super::selector::{self, Index};
use super::super::text;
use super::super::{After, Check, Counted, Expect, Micros, Origin, Ppm, SiteNo, Subject};
use super::effect;
use super::inject::Injects;

/// What can be counted, as files spell it.
const COUNTS: [&str; 8] = ["requests-open", "conflicts", "suppliers", "reachable", "forked", "revoked", "running", "open"];

/// All expectations of a file.
pub(super) fn all(top: &Form<'_>, index: &Index<'_>, injects: &Injects, torn: &mut BTreeSet<(String, u32)>) -> Vec<Expect> {
    let mut out = Vec::new();
    for form in top.tables("expect") {
        let before = form.notes.count();
        out.extend(expect(&form, index, injects));
        form.done();
        if form.notes.count() > before {
            torn.insert((form.file.to_owned(), form.row));
        }
    }
    out
}

fn expect(form: &Form<'_>, index: &Index<'_>, injects: &Injects) -> Option<Expect> {
    let reader = Reader { index, injects };
    let id = form.need("id", selector::id);
    let after = form.or("after", After::Time(0), |typed| reader.after(typed));
    let within = within(form, &after);
    let mut checks = Vec::new();
    for check in form.tables("check") {
        checks.extend(reader.check(&check));
        check.done();
    }
    if !form.has("check") {
        form.missing::<()>("check");
    }
    Some(Expect {
        objective: form.get("objective", selector::id),
        text: form.text("text").unwrap_or_default(),
        origin: Origin { file: form.file.to_owned(), row: form.row },
        id: id?,
        after,
        // Noted where it is missing; the id stands, for those that speak of it.
        within: within.unwrap_or(0),
        checks,
    })
}

/// `within` a length, or `until` an exercise time.
fn within(form: &Form<'_>, after: &After) -> Option<Micros> {
    let (within, until) = (form.get("within", text::duration), form.get("until", text::time));
    match (form.has("within"), form.has("until")) {
        (true, true) => {
            form.wrong(Wrong::new("It has both within and until.", "Keep one of them."));
            None
        }
        (false, false) => form.missing("within"),
        (true, false) => within,
        (false, true) => match (after, until?) {
            (After::Time(from), until) if until > *from => Some(until - from),
            (After::Time(_), _) => {
                form.wrong(Wrong::new("It ends before it begins to count.", "Write a later until."));
                None
            }
            (After::Inject(_), _) => {
                form.wrong(Wrong::new("After an inject the end is not a time of the clock.", "Write within, such as 15m."));
                None
            }
        },
    }
}

struct Reader<'f, 'i> {
    index: &'f Index<'i>,
    injects: &'f Injects,
}

impl Reader<'_, '_> {
    /// `inject:3`, `name:heal`, or an exercise time.
    fn after(&self, typed: &str) -> Result<After, Wrong> {
        match self.inject(typed) {
            Some(number) => number.map(After::Inject),
            None => text::time(typed).map(After::Time).map_err(|wrong| wrong.among(["inject:3", "name:heal", "00:20"])),
        }
    }

    /// The number of an inject that a text names.
    fn inject(&self, typed: &str) -> Option<Result<u32, Wrong>> {
        let plain = typed.trim();
        if let Some(number) = plain.strip_prefix("inject:") {
            return Some(text::whole(number));
        }
        let name = plain.strip_prefix("name:")?.trim();
        let found = self.injects.done.iter().find(|inject| inject.name.as_deref() == Some(name));
        let names = || self.injects.done.iter().filter_map(|inject| inject.name.as_deref());
        let wrong = || {
            Wrong::new(
                format!("No inject has the name {}.", quoted(name)),
                "Give one this name, or write inject: and its number.",
            )
        };
        Some(found.map(|inject| inject.nr).ok_or_else(|| wrong().near(name, names())))
    }

    fn subject(&self, typed: &str) -> Result<Subject, Wrong> {
        match (self.inject(typed), typed.trim().split_once(':')) {
            (Some(number), _) => number.map(Subject::Inject),
            (None, Some(("request", label))) => selector::id(label).map(Subject::Request),
            (None, Some(("commitment", label))) => selector::id(label).map(Subject::Commitment),
            (None, _) => {
                let wrong =
                    Wrong::new(format!("{} is nothing a site can know.", quoted(typed)), "Write one of these with a name.");
                Err(wrong.among(["request:R-17", "commitment:R-17", "inject:3", "name:heal"]))
            }
        }
    }

    /// Sites, and whether only those that are running count.
    fn alive(&self, typed: &str) -> Result<(Vec<SiteNo>, bool), Wrong> {
        let spaced = typed.replace(';', " ; ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let alive = words.contains(&"alive");
        let mut rest: Vec<&str> = words.into_iter().filter(|word| *word != "alive").collect();
        // `site alive`, `site region:HUA alive`: the noun says nothing more.
        if rest.first().is_some_and(|word| matches!(*word, "site" | "sites")) {
            rest.remove(0);
        }
        let sites = if rest.is_empty() && alive { "*".to_owned() } else { rest.join(" ") };
        Ok((self.index.sites(&sites)?, alive))
    }

    fn check(&self, form: &Form<'_>) -> Option<Check> {
        let never = form.or("never", false, text::yes);
        let check = self.plain_check(form)?;
        if never && check.lasts() {
            let wrong = Wrong::new("This is looked at as a whole, not from moment to moment.", "Write it without never.");
            form.wrong_at("never", form.row_of("never"), wrong);
            return None;
        }
        Some(if never { Check::Never(Box::new(check)) } else { check })
    }

    fn plain_check(&self, form: &Form<'_>) -> Option<Check> {
        let sites = |text: &str| self.index.sites(text);
        if form.has("knows") {
            let (at, what) = (form.need("every", |text| self.alive(text)), form.need("knows", |text| self.subject(text)));
            let at_least: Ppm = form.or("at_least", 1_000_000, text::share);
            let (sites, alive) = at?;
            return Some(Check::Knows { sites, alive, what: what?, at_least });
        }
        if form.has("shows") {
            let (at, of, shown) = (form.need("every", sites), form.need("of", sites), form.need("shows", shown));
            let (field, value) = shown?;
            return Some(Check::Shows { at: at?, of: of?, field, value });
        }
        if form.has("shows_age") {
            let (at, of, age) = (form.need("every", sites), form.need("of", sites), form.need("shows_age", text::duration));
            return Some(Check::ShowsAge { at: at?, of: of?, age: age? });
        }
        if form.has("count") {
            return self.count(form);
        }
        if form.has("sum") {
            let (field, at) = (form.need("sum", summed), form.need("at", |text| self.index.site(text)));
            let (of, range) = (form.need("of", sites), range(form));
            let (at_least, at_most) = range?;
            return Some(Check::Sum { field: field?, at: at?, of: of?, at_least, at_most });
        }
        if form.has("equal") {
            return form.get("equal", sites).map(Check::Equal);
        }
        if form.has("p95_time_to_know") {
            let at_most = form.need("p95_time_to_know", text::duration);
            return Some(Check::TimeToKnowP95 { sites: form.need("every", sites)?, at_most: at_most? });
        }
        if form.has("airtime") {
            let (channel, share) = (form.need("airtime", selector::id), form.need("below", text::share));
            return Some(Check::AirtimeBelow { channel: channel?, share: share? });
        }
        if form.has("never_accepted") {
            let number = form.get("never_accepted", |typed| {
                let wrong = || {
                    Wrong::new(
                        format!("{} names no inject.", quoted(typed)),
                        "Write inject: and its number, or name: and its name.",
                    )
                };
                self.inject(typed).unwrap_or_else(|| Err(wrong()))
            });
            return number.map(Check::NeverAccepted);
        }
        if form.has("never_accepted_from") {
            return form.get("never_accepted_from", |text| self.index.site(text)).map(Check::NeverAcceptedFrom);
        }
        let known = [
            "knows",
            "shows",
            "shows_age",
            "count",
            "sum",
            "equal",
            "p95_time_to_know",
            "airtime",
            "never_accepted",
            "never_accepted_from",
        ];
        form.wrong(Wrong::new("Nothing is looked at here.", "Write one of these keys.").among(known));
        // What else stands there was named with it.
        for key in ["every", "of", "at", "at_least", "at_most", "equals", "below", "request"] {
            form.has(key);
        }
        None
    }

    fn count(&self, form: &Form<'_>) -> Option<Check> {
        let what = form.need("count", |typed| {
            let word = typed.trim().replace([' ', '_'], "-");
            let wrong = || Wrong::new(format!("{} can't be counted.", quoted(typed)), "Write one of these words.").among(COUNTS);
            COUNTS.iter().find(|count| **count == word).copied().ok_or_else(wrong)
        });
        let Some(what) = what else {
            // Whichever of them belongs to what is counted.
            for key in ["at", "of", "request", "equals", "at_least", "at_most"] {
                form.has(key);
            }
            return None;
        };
        let at = || form.need("at", |text| self.index.site(text));
        let of = || form.need("of", |text| self.index.sites(text));
        let what = match what {
            "requests-open" => at().map(Counted::RequestsOpen),
            "reachable" => at().map(Counted::Reachable),
            "conflicts" => at().map(Counted::Conflicts),
            "forked" => at().map(Counted::Forked),
            "revoked" => at().map(Counted::Revoked),
            "suppliers" => {
                let (at, request) = (at(), form.need("request", selector::id));
                at.zip(request).map(|(at, request)| Counted::Suppliers { at, request })
            }
            "running" => of().map(Counted::Running),
            _ => of().map(Counted::Open),
        };
        let (at_least, at_most) = range(form)?;
        Some(Check::Count { what: what?, at_least, at_most })
    }
}

/// `equals`, or `at_least` and `at_most`.
fn range(form: &Form<'_>) -> Option<(u64, u64)> {
    let equals = form.get("equals", text::whole::<u64>);
    let (least, most) = (form.get("at_least", text::whole), form.get("at_most", text::whole));
    if !["equals", "at_least", "at_most"].into_iter().any(|key| form.has(key)) {
        return form.missing("equals");
    }
    let (at_least, at_most) = (equals.or(least).unwrap_or(0), equals.or(most).unwrap_or(u64::MAX));
    if at_least > at_most {
        form.wrong(Wrong::new("at_least is more than at_most: no number is both.", "Write the smaller one first."));
        return None;
    }
    Some((at_least, at_most))
}

/// A reading that is a number: `stock.water`, `people.present`.
fn summed(typed: &str) -> Result<String, Wrong> {
    effect::value(typed, "0").map(|(field, _)| field)
}

/// `operating.status=closed`; the value may be `unknown`.
fn shown(typed: &str) -> Result<(String, String), Wrong> {
    let wrong = || Wrong::new(format!("{} is no reading.", quoted(typed)), "Write such as operating.status=closed.");
    let (field, value) = typed.split_once('=').ok_or_else(wrong)?;
    if value.trim() == "unknown" {
        // The field must exist all the same; any number of its values would do to ask.
        return match effect::value(field, "unknown") {
            Err(wrong) if wrong.what.contains("no field") => Err(wrong),
            _ => Ok((field.trim().to_owned(), "unknown".to_owned())),
        };
    }
    effect::value(field, value)
}
