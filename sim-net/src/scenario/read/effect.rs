//! What an inject does: one word of the closed vocabulary and the keys that belong to it.

mod goods;

use std::sync::LazyLock;

use holdfast_proto::domain::field::{self, Kind, MODE};
use holdfast_proto::domain::item::{self, Catalogue};
use holdfast_proto::domain::service;

use super::super::form::Form;
use super::super::problem::{Wrong, quoted};
use super::super::selector::{self, Index};
use super::super::text;
use super::super::tree::Node;
use super::super::words::{EFFECTS_TO_COME, ForgeKind, What};
use super::super::{Effect, Micros, Path, SiteNo, When};
use super::world;

/// After how long unheard deputies act, where nothing is said.
const DEPUTIES_AFTER: Micros = 2 * 3_600 * 1_000_000;
/// How urgent a request can be.
pub(in crate::scenario) const PRIORITIES: [&str; 4] = ["immediate", "urgent", "routine", "low"];
/// What staff can count.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| toml::from_str(item::BUILT_IN).unwrap_or_default());

/// The effect of an inject; nothing where something was wrong, which is noted.
pub(super) fn read(form: &Form<'_>, index: &Index<'_>, when: Option<&When>) -> Option<Effect> {
    let what = form.need("what", what)?;
    let reader = Reader { form, index };
    // Both keys of a pair are read before either is missed.
    let sites = || reader.sites("where");
    Some(match what {
        What::PowerLoss => Effect::PowerLoss(sites()?),
        What::PowerBack => Effect::PowerBack(sites()?),
        What::Cut => Effect::Cut(form.need("where", |text| index.elements(text))?),
        What::Restore => Effect::Restore(form.need("where", |text| index.elements(text))?),
        What::Degrade => {
            let (sites, path) = sites().zip(reader.path())?;
            Effect::Degrade { sites, path }
        }
        What::Partition => {
            let one_way = form.or("one_way", false, text::yes);
            Effect::Partition { groups: reader.groups()?, one_way }
        }
        What::Heal => Effect::Heal(reader.some_sites("where")?),
        What::Flap => {
            let (sites, period) = sites().zip(form.need("period", text::duration))?;
            Effect::Flap { sites, period }
        }
        What::Swizzle => Effect::Swizzle(sites()?),
        What::FirmOutage => Effect::FirmOutage(form.need("owner", |text| reader.owner(text))?),
        What::Crash => Effect::Crash(sites()?),
        What::Restart => Effect::Restart(sites()?),
        What::ReplacePc => Effect::ReplacePc(sites()?),
        What::DiskFull => Effect::DiskFull(sites()?),
        What::DiskCorrupt => Effect::DiskCorrupt(sites()?),
        What::OldBackup => {
            let machine = form.or("machine", false, text::yes);
            let (sites, age) = sites().zip(form.need("age", text::duration))?;
            Effect::OldBackup { sites, age, machine }
        }
        What::ClockJump => {
            let (sites, by_ms) = sites().zip(form.need("jump", text::jump))?;
            Effect::ClockJump { sites, by_ms }
        }
        What::ClockDrift => {
            let (sites, ppm) = sites().zip(form.need("ppm", text::signed))?;
            Effect::ClockDrift { sites, ppm }
        }
        What::Jam => {
            let (channel, sites) = form.need("channel", selector::id).zip(reader.some_sites("where"))?;
            Effect::Jam { channel, sites }
        }
        What::AntennaDown => Effect::AntennaDown(sites()?),
        What::Courier => {
            let (from, to) = reader.site("from").zip(reader.site("to"))?;
            Effect::Courier { from, to }
        }
        What::Forge => {
            let (kind, site) = form.need("kind", forge).zip(reader.site("where"))?;
            Effect::Forge { kind, site }
        }
        What::Revoke => {
            let (site, at) = reader.site("where").zip(reader.site("as"))?;
            Effect::Revoke { site, at }
        }
        What::Report => {
            let (sites, values) = reader.sites("as").zip(reader.values())?;
            Effect::Report { sites, values }
        }
        What::Request => reader.request(when)?,
        What::Cancel => Effect::Cancel(form.need("request", selector::id)?),
        What::Close => Effect::Close(form.need("request", selector::id)?),
        What::Commit | What::Consign | What::Receive | What::Resolve | What::Stock => goods::read(&reader, what)?,
        What::Observe => {
            let ((site, of), values) = reader.site("as").zip(reader.site("of")).zip(reader.values())?;
            Effect::Observe { site, of, values }
        }
        What::Order => {
            let (site, acting_for) = (reader.site("as"), form.get("of", |text| index.site(text)));
            let Some(data) = form.table("data") else { return form.missing("data") };
            let mode = data.need("mode", mode);
            data.done();
            let (site, mode) = site.zip(mode)?;
            Effect::Order { site, acting_for, mode }
        }
        What::Deputies => {
            let (site, of) = reader.site("as").zip(reader.sites("of"))?;
            let data = form.table("data");
            let after = data.as_ref().map_or(Some(DEPUTIES_AFTER), |data| data.need("after", text::duration));
            data.iter().for_each(Form::done);
            Effect::Deputies { site, of, after: after? }
        }
        What::OperatorAbsent => Effect::OperatorAbsent(sites()?),
        What::Say => Effect::Say,
        What::TellController => Effect::TellController,
        What::StopExercise => Effect::StopExercise,
    })
}

fn what(typed: &str) -> Result<What, Wrong> {
    let word = typed.trim().to_lowercase().replace(['_', ' '], "-");
    if EFFECTS_TO_COME.contains(&word.as_str()) {
        let wrong =
            Wrong::new(format!("{} is not there yet: allocation comes with a later version.", quoted(typed)), "Leave it out.");
        return Err(wrong);
    }
    What::parse(&word).ok_or_else(|| {
        let wrong = Wrong::new(
            format!("{} is nothing that can happen.", quoted(typed)),
            "All words stand in configs/scenarios/README.md.",
        );
        wrong.near(&word, What::ALL.iter().map(|what| what.text()))
    })
}

/// The modes an authority may order, as nodes take them.
fn mode(typed: &str) -> Result<String, Wrong> {
    let known = || MODE.iter().map(|mode| mode.code).chain(["none"]);
    let word = typed.trim();
    known()
        .any(|mode| mode == word)
        .then(|| word.to_owned())
        .ok_or_else(|| Wrong::new(format!("{} is no mode.", quoted(typed)), "").among(known()))
}

fn forge(typed: &str) -> Result<ForgeKind, Wrong> {
    ForgeKind::parse(typed.trim()).ok_or_else(|| {
        Wrong::new(format!("{} is no kind of forgery.", quoted(typed)), "").among(ForgeKind::ALL.iter().map(|kind| kind.text()))
    })
}

/// The keys of one inject.
struct Reader<'f, 'n, 'i> {
    form: &'f Form<'n>,
    index: &'f Index<'i>,
}

impl Reader<'_, '_, '_> {
    /// Sites by one selector, or a list of them.
    fn sites(&self, key: &'static str) -> Option<Vec<SiteNo>> {
        let Some(node) = self.form.node(key) else { return self.form.missing(key) };
        self.sites_of(key, node)
    }

    /// The same; no sites where nothing is said.
    fn some_sites(&self, key: &'static str) -> Option<Vec<SiteNo>> {
        if self.form.has(key) { self.sites(key) } else { Some(Vec::new()) }
    }

    fn sites_of(&self, key: &str, node: &Node) -> Option<Vec<SiteNo>> {
        self.form.parse(key, node, |text| self.index.sites(text))
    }

    fn site(&self, key: &'static str) -> Option<SiteNo> {
        self.form.need(key, |text| self.index.site(text))
    }

    fn groups(&self) -> Option<Vec<Vec<SiteNo>>> {
        let Some(nodes) = self.form.list("groups", '|') else { return self.form.missing("groups") };
        let groups: Vec<_> = nodes.iter().map(|node| self.sites_of("groups", node)).collect();
        groups.into_iter().collect()
    }

    fn path(&self) -> Option<Path> {
        let Some(form) = self.form.table("path") else { return self.form.missing("path") };
        let path = world::path(&form, Path::WAN);
        form.done();
        Some(path)
    }

    fn owner(&self, typed: &str) -> Result<String, Wrong> {
        let plain = selector::name(typed.trim().trim_start_matches("owner:"))?;
        self.index.sites(&format!("owner:{plain}"))?;
        Ok(plain)
    }

    fn values(&self) -> Option<Vec<(String, String)>> {
        let Some(form) = self.form.table("data") else { return self.form.missing("data") };
        let mut values = Vec::new();
        for (name, typed) in form.pairs() {
            match value(&name, &typed) {
                Ok((name, typed)) => values.push((name, typed)),
                Err(wrong) => self.form.wrong_at(&format!("data.{name}"), form.row, wrong),
            }
        }
        if form.pairs().is_empty() {
            self.form.wrong_at("data", form.row, Wrong::new("Nothing is reported.", "Write such as operating.status=closed."));
        }
        Some(values)
    }

    fn request(&self, when: Option<&When>) -> Option<Effect> {
        let site = self.site("as");
        let Some(form) = self.form.table("data") else { return self.form.missing("data") };
        let label = form.need("id", selector::id);
        let priority = form.or("priority", "routine".to_owned(), |word| {
            let word = word.trim();
            let wrong = || Wrong::new(format!("{} is no priority.", quoted(word)), "").among(PRIORITIES);
            PRIORITIES.contains(&word).then(|| word.to_owned()).ok_or_else(wrong)
        });
        let (item, qty) = (form.get("item", item_code), form.get("qty", quantity));
        let mut lines: Vec<(String, u64)> = item.zip(qty).into_iter().collect();
        if form.has("item") != form.has("qty") {
            form.wrong(Wrong::new("One of item and qty is missing.", "Write both, such as item=water; qty=40."));
        }
        for node in form.list("lines", ';').unwrap_or_default() {
            lines.extend(form.parse("lines", &node, line));
        }
        if !form.has("item") && !form.has("lines") {
            form.missing::<()>("item");
        }
        let needed_by = self.needed_by(&form, when);
        form.done();
        Some(Effect::Request { site: site?, label: label?, lines, priority, needed_by })
    }

    /// `need_within` is a length; `need_by` an exercise time, counted from when the request is made.
    fn needed_by(&self, form: &Form<'_>, when: Option<&When>) -> Option<Micros> {
        let (within, by) = (form.get("need_within", text::duration), form.get("need_by", text::time));
        let asked = when.map(|when| match when {
            When::At(at) => *at,
            When::Unless { by, .. } => *by,
        });
        match (within, by, asked) {
            (None, Some(by), Some(asked)) if by <= asked => {
                let wrong =
                    Wrong::new("The goods are needed before they are asked for.", "Write a later exercise time, or need_within.");
                form.wrong_at("need_by", form.row_of("need_by"), wrong);
                None
            }
            (None, Some(by), Some(asked)) => Some(by - asked),
            (within, _, _) => within,
        }
    }
}

fn quantity(typed: &str) -> Result<u64, Wrong> {
    match text::whole(typed)? {
        0 => Err(Wrong::new("Nothing is asked for.", "Write a quantity of at least 1.")),
        count => Ok(count),
    }
}

/// How the built-in catalogue calls an item, in Chinese and English; none: it is not in it.
pub(crate) fn item_names(code: &str) -> Option<(&'static str, &'static str)> {
    CATALOGUE.named(code).map(|item| (item.zh.as_str(), item.en.as_str()))
}

/// The code of an item of the built-in catalogue, by code or name; `other:TEXT` for anything else.
fn item_code(typed: &str) -> Result<String, Wrong> {
    let plain = typed.trim();
    if let Some(other) = plain.strip_prefix("other:") {
        return selector::name(other).map(|name| format!("other:{name}"));
    }
    CATALOGUE.named(plain).map(|item| item.code.clone()).ok_or_else(|| {
        let near = CATALOGUE.nearest(plain);
        let wrong = Wrong::new(
            format!("{} is no item of the catalogue.", quoted(plain)),
            "Write one of configs/items.toml, or other:TEXT.",
        );
        wrong.among(near.iter().map(|item| item.code.as_str()))
    })
}

/// `water:40`, `other:tents=3`.
fn line(typed: &str) -> Result<(String, u64), Wrong> {
    let mark = if typed.trim().starts_with("other:") { '=' } else { ':' };
    let wrong = || Wrong::new(format!("{} is no line of a request.", quoted(typed)), "Write such as water:40 or other:tents=3.");
    let (item, qty) = typed.rsplit_once(mark).ok_or_else(wrong)?;
    Ok((item_code(item)?, quantity(qty)?))
}

/// A reading as the command line takes it: a field, `stock.ITEM` or `service.NAME`.
pub(super) fn value(name: &str, typed: &str) -> Result<(String, String), Wrong> {
    let (name, typed) = (name.trim(), typed.trim());
    let taken = Ok((name.to_owned(), typed.to_owned()));
    if let Some(item) = name.strip_prefix("stock.") {
        let code = item_code(item)?;
        return Ok((format!("stock.{code}"), typed.to_owned()));
    }
    if let Some(service) = name.strip_prefix("service.") {
        let wrong = || Wrong::new(format!("{} is no service.", quoted(service)), "See holdfast report --help.");
        return service::service_named(service).map(|_| ()).ok_or_else(wrong).and(taken);
    }
    let Some(field) = field::field_named(name) else {
        let known = field::fields().map(|field| field.name).chain(["stock.water"]);
        let wrong =
            Wrong::new(format!("{} is no field of a report.", quoted(name)), "Write a field, or stock.ITEM, or service.NAME.");
        return Err(wrong.near(name, known));
    };
    if typed.is_empty() {
        // Withdraws the reading.
        return taken;
    }
    let unfit = |what: &str| Wrong::new(format!("{} is no {what} of {name}.", quoted(typed)), "Write another.");
    match field.value {
        Kind::Choice { words } => match field::choice_named(words, typed) {
            Some(word) => Ok((name.to_owned(), word.code.to_owned())),
            None => Err(unfit("word").among(words.iter().map(|word| word.code))),
        },
        Kind::Integer { decimals, .. } => {
            let (whole, part) = typed.split_once('.').unwrap_or((typed, ""));
            let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
            let fits = !whole.is_empty() && digits(whole) && digits(part) && part.len() <= usize::from(decimals);
            if fits { taken } else { Err(unfit("number")) }
        }
        Kind::Text { bytes_max } => {
            if typed.len() <= bytes_max {
                taken
            } else {
                Err(unfit(&format!("text of at most {bytes_max} bytes")))
            }
        }
    }
}
