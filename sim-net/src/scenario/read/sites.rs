//! The sheets of sites and elements, or sites drawn by `generate`.

use std::collections::BTreeMap;

use holdfast_proto::identity::Region;

use super::super::form::Form;
use super::super::generate::Draw;
use super::super::problem::{Wrong, quoted};
use super::super::selector::{self, Index};
use super::super::text::{self, HOUR, MINUTE};
use super::super::words::{ElementKind, Medium, SiteRole};
use super::super::{Element, Micros, Site};
use super::Files;
use crate::geo;

/// Most nodes of a world.
pub(in crate::scenario) const SITES_MAX: usize = 20_000;
/// Columns of the sheet of sites.
pub(in crate::scenario) const SITES: &[&str] = &[
    "id",
    "name",
    "lat",
    "lon",
    "role",
    "owner",
    "region",
    "power_area",
    "lan",
    "ups_min",
    "ups",
    "generator_h",
    "generator",
    "media",
];
/// Columns of the sheet of elements.
pub(in crate::scenario) const ELEMENTS: &[&str] = &["id", "kind", "used_by"];

/// Sites and elements of `[world]`, and whether there are sites of whom nobody knows how they are called.
pub(super) fn read(files: &Files, world: &Form<'_>, seed: u64) -> (Vec<Site>, Vec<Element>, bool) {
    let (mut sites, mut elements, mut nameless) = (Vec::new(), Vec::new(), false);
    let before = world.notes.count();
    match (world.table("generate"), world.has("sites")) {
        (Some(form), false) => {
            if let Some(draw) = draw(&form, seed) {
                (sites, elements) = draw.make();
            }
        }
        (Some(_), true) => {
            let wrong = Wrong::new("Sites are both in a sheet and to be generated.", "Keep one of sites and generate.");
            world.wrong_at("generate", world.row_of("generate"), wrong);
        }
        (None, true) => {
            let sheet = files.sheet(world, "sites", SITES);
            for (file, row) in sheet.iter().flat_map(|(file, rows)| rows.iter().map(move |row| (file, row))) {
                let form = Form::new(file, row.row, row.cells.clone(), world.notes);
                let site = site(&form);
                nameless |= site.is_none();
                sites.extend(site);
                form.done();
            }
        }
        (None, false) => {
            let wrong = Wrong::new(
                "Nobody takes part.",
                "Add sites = \"sites.csv\", or generate = { sites = 25, hubs = 2, region = \"HUA\" }.",
            );
            world.wrong(wrong);
        }
    }
    unique(world, "sites", "site", sites.iter().map(|site| site.id.as_str()));
    let sheet = files.sheet(world, "elements", ELEMENTS);
    if let Some((file, rows)) = sheet {
        let whole = world.notes.count() == before;
        let index = if whole { Index::new(&sites, &elements) } else { Index::of_some(&sites, &elements, nameless) };
        let mut more = Vec::new();
        for row in rows {
            let form = Form::new(&file, row.row, row.cells, world.notes);
            more.extend(element(&form, &index));
            form.done();
        }
        elements.extend(more);
    }
    unique(world, "elements", "element", elements.iter().map(|element| element.id.as_str()));
    (sites, elements, nameless)
}

/// Ids stand once.
fn unique<'a>(world: &Form<'_>, key: &str, what: &str, ids: impl Iterator<Item = &'a str>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ids {
        let times = seen.entry(id).or_default();
        *times += 1;
        if *times == 2 {
            let wrong = Wrong::new(format!("The {what} {} is there twice.", quoted(id)), "Give each its own id.");
            world.wrong_at(key, world.row_of(key), wrong);
        }
    }
}

fn site(form: &Form<'_>) -> Option<Site> {
    let id = form.need("id", selector::id);
    let region = form.need("region", selector::region);
    let place = (form.get("lat", |text| text::degrees(text, 90)), form.get("lon", |text| text::degrees(text, 180)));
    if form.has("lat") != form.has("lon") {
        form.wrong(Wrong::new("One of lat and lon is missing.", "Write both, or none: then the site stands in the county seat."));
    }
    let seat = region.map(geo::seat);
    let role = form.or("role", SiteRole::Store, selector::role);
    let owner = form.or("owner", "Chain A".to_owned(), selector::name);
    let area = form.get("power_area", selector::name);
    let lan = form.or("lan", String::new(), selector::name);
    let ups = span(form, ("ups", "ups_min"), MINUTE).unwrap_or(30 * MINUTE);
    let tank = if role == SiteRole::Store { 0 } else { 72 * HOUR };
    let generator = span(form, ("generator", "generator_h"), HOUR).unwrap_or(tank);
    let usual = if lan.is_empty() { vec![Medium::Wan] } else { vec![Medium::Wan, Medium::Lan] };
    let media = form.or("media", usual, media);
    // All columns are read before anything is given up: none of them is unknown.
    let name = form.text("name");
    // Its id stands wherever the county does not, for those that speak of it.
    let (id, region) = (id?, region.or_else(|| Region::all().next())?);
    Some(Site {
        name: name.unwrap_or_else(|| id.clone()),
        id,
        lat: place.0.or(seat.map(|seat| seat.lat)).unwrap_or(0),
        lon: place.1.or(seat.map(|seat| seat.lon)).unwrap_or(0),
        role,
        owner,
        region,
        power_area: area.unwrap_or_else(|| region.code().to_owned()),
        lan,
        ups,
        generator,
        media,
    })
}

/// A length with its unit, or a plain number in the unit that the column names.
fn span(form: &Form<'_>, (with_unit, plain): (&'static str, &'static str), unit: Micros) -> Option<Micros> {
    let letter = if unit == HOUR { "h" } else { "m" };
    let counted = form.get(plain, |number| match text::duration(&format!("{}{letter}", number.trim())) {
        Ok(length) => Ok(length),
        Err(_) => Err(Wrong::new(format!("{} is no number.", quoted(number)), format!("Write how many {letter}, such as 40."))),
    });
    let spelled = form.get(with_unit, text::duration);
    if form.has(plain) && form.has(with_unit) {
        form.wrong(Wrong::new(format!("Both {plain} and {with_unit} are given."), "Keep one of them."));
    }
    spelled.or(counted)
}

fn media(typed: &str) -> Result<Vec<Medium>, Wrong> {
    let mut out = Vec::new();
    for word in typed.split([' ', ';', ',']).filter(|word| !word.is_empty()) {
        let medium = Medium::parse(word).ok_or_else(|| {
            Wrong::new(format!("{} is nothing a site can speak over.", quoted(word)), "").among(["wan", "lan", "radio:R1"])
        })?;
        if let Medium::Radio(channel) = &medium {
            selector::id(channel)?;
        }
        if !out.contains(&medium) {
            out.push(medium);
        }
    }
    Ok(out)
}

fn element(form: &Form<'_>, index: &Index<'_>) -> Option<Element> {
    let kind = |text: &str| match text.trim() {
        "isp" => Ok(ElementKind::Provider),
        word => ElementKind::parse(word).ok_or_else(|| {
            Wrong::new(format!("{} is no kind of element.", quoted(text)), "")
                .among(ElementKind::ALL.iter().map(|kind| kind.text()))
        }),
    };
    let (id, kind) = (form.need("id", selector::id), form.need("kind", kind));
    let used_by = if form.has("used_by") { form.get("used_by", |text| index.sites(text)) } else { Some(Vec::new()) };
    Some(Element { id: id?, kind: kind?, used_by: used_by? })
}

/// `generate = { sites = 25, hubs = 2, region = "HUA" }`.
fn draw(form: &Form<'_>, seed: u64) -> Option<Draw> {
    let sites = form.need("sites", text::whole::<usize>);
    let (mut regions, mut torn) = (Vec::new(), sites.is_none() && form.has("sites"));
    for node in form.list("region", ';').into_iter().chain(form.list("regions", ';')).flatten() {
        let one = |text: &str| {
            if text.trim() == "*" { Ok(Region::all().collect()) } else { selector::region(text).map(|one| vec![one]) }
        };
        let read = form.parse("region", &node, one);
        torn |= read.is_none();
        regions.extend(read.unwrap_or_default());
    }
    regions.sort_unstable();
    regions.dedup();
    let mut draw = Draw::new(sites.unwrap_or(2), form.or("hubs", 1, text::whole), regions, form.or("seed", seed, text::whole));
    draw.authorities = form.or("authorities", 0, text::whole);
    draw.areas = form.or("areas", 0, text::whole);
    draw.generator_share = form.or("generator_share", draw.generator_share, text::share);
    draw.generator = form.or("generator", 0, text::duration);
    draw.radio = form.get("radio", selector::id);
    draw.radio_share = form.or("radio_share", 1_000_000, text::share);
    form.done();
    if !form.has("region") && !form.has("regions") {
        return form.missing("region");
    }
    if torn {
        return None;
    }
    let least = draw.hubs.saturating_add(draw.authorities).saturating_add(draw.regions.len());
    if draw.sites > SITES_MAX || draw.sites < 2 || draw.sites < least {
        let what = format!(
            "{} sites can't hold {} hubs, {} authorities and a store for each of {} regions.",
            draw.sites,
            draw.hubs,
            draw.authorities,
            draw.regions.len()
        );
        form.wrong(Wrong::new(what, format!("Write 2 to {SITES_MAX} sites, and fewer hubs or regions.")));
        return None;
    }
    if draw.areas > draw.sites {
        form.wrong(Wrong::new("There are more power areas than sites.", "Write fewer areas."));
        return None;
    }
    (sites.is_some() && !draw.regions.is_empty()).then_some(draw)
}
