//! A scenario as files: `scenario.toml`, `sites.csv`, `elements.csv` and `msel.csv`, which read back to the same scenario. Sheets
//! bear a byte order mark, so that spreadsheet programs show them right.

use std::fs;
use std::io;
use std::path::Path as Folder;

use super::goods::{GoodsDeed, Lines, line_text};
use super::read::{FILE, FORMAT, inject, sites, world};
use super::selector::Index;
use super::text::{show_bits, show_degrees, show_duration, show_jump, show_rate, show_share, show_time, wrap};
use super::words::What;
use super::{
    After, Channel, Check, Counted, Effect, Expect, Inject, Modulation, Path, Scenario, Subject, Tempo, When, WorldModel, sheet,
};

/// Writes a scenario into a folder, which is made where there is none. What stands there under these names is replaced.
///
/// # Errors
/// The folder can't be written, or STARTEX lies beyond the calendar.
pub fn write(scenario: &Scenario, folder: &Folder) -> io::Result<()> {
    let index = Index::new(&scenario.sites, &scenario.elements);
    let head = head(scenario, &index)?;
    let mut files = vec![(FILE, head.into_bytes()), ("sites.csv", sites_sheet(scenario)?)];
    if !scenario.elements.is_empty() {
        files.push(("elements.csv", elements_sheet(scenario, &index)?));
    }
    if !scenario.injects.is_empty() {
        files.push(("msel.csv", events_sheet(scenario, &index)?));
    }
    fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// A text as TOML spells it.
fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `{ a = "1", b = "2" }`.
fn table(pairs: &[(&str, String)]) -> String {
    let inside: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {}", text(value))).collect();
    format!("{{ {} }}", inside.join(", "))
}

/// Everything that is in no sheet.
fn head(scenario: &Scenario, index: &Index<'_>) -> io::Result<String> {
    let Scenario { exercise, sites: _, elements, world, injects, expects } = scenario;
    let startex = world::show_wall(exercise.startex_ms, exercise.offset_s)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "STARTEX lies beyond the calendar"))?;
    let objectives: Vec<String> =
        exercise.objectives.iter().map(|(id, words)| table(&[("id", id.clone()), ("text", words.clone())])).collect();
    let mut out = format!("format = {}\n", text(FORMAT));
    if !injects.is_empty() {
        out.push_str("msel = \"msel.csv\"\n");
    }
    out.push_str("\n[exercise]\n");
    for (key, value) in [
        ("id", exercise.id.clone()),
        ("title", exercise.title.clone()),
        ("status", exercise.status.text().to_owned()),
        ("startex", startex),
        ("duration", show_duration(exercise.duration)),
        ("seed", exercise.seed.to_string()),
        ("settle", show_duration(exercise.settle)),
    ] {
        out.push_str(&format!("{key} = {}\n", text(&value)));
    }
    out.push_str(&format!("objectives = [{}]\n", objectives.join(", ")));
    out.push_str("\n[world]\nsites = \"sites.csv\"\n");
    if !elements.is_empty() {
        out.push_str("elements = \"elements.csv\"\n");
    }
    out.push_str(&world_text(world));
    for expect in expects {
        out.push_str(&expect_text(expect, index));
    }
    Ok(out)
}

fn word(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn world_text(world: &WorldModel) -> String {
    let mut out = String::new();
    for (key, value) in [
        ("known", world.known.to_string()),
        ("slow_disks", word(world.slow_disks)),
        ("wrong_clocks", word(world.wrong_clocks)),
        ("partial_roster", word(world.partial_roster)),
        ("home_hubs", word(world.home_hubs)),
    ] {
        out.push_str(&format!("{key} = {}\n", text(&value)));
    }
    let (low, high) = world.operators.confirm;
    let (from, until) = world.operators.night;
    let night = format!("{}-{} slower x{}", show_time(from), show_time(until), world.operators.night_slower);
    let confirm = format!("{}..{}", show_duration(low), show_duration(high));
    let Tempo { boards, entries, needs, acts } = world.tempo;
    let tempo = [("boards", boards), ("entries", entries), ("needs", needs), ("acts", acts)];
    let gossip = world.gossip.as_ref().map_or_else(|| text("no"), |path| table(&path_pairs(path)));
    let radios: Vec<String> = world.channels.iter().map(|channel| table(&channel_pairs(channel))).collect();
    out.push_str("\n[world.defaults]\n");
    out.push_str(&format!("wan = {}\n", table(&path_pairs(&world.wan))));
    out.push_str(&format!("lan = {}\n", table(&path_pairs(&world.lan))));
    out.push_str(&format!("gossip = {gossip}\n"));
    out.push_str(&format!("radio = [{}]\n", radios.join(", ")));
    out.push_str(&format!("operators = {}\n", table(&[("confirm", confirm), ("night", night)])));
    out.push_str(&format!("tempo = {}\n", table(&tempo.map(|(key, mean)| (key, show_duration(mean))))));
    out
}

fn path_pairs(path: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("delay", show_duration(path.delay)),
        ("jitter", show_duration(path.jitter)),
        ("loss", show_share(path.loss)),
        ("burst_enter", show_share(path.burst.0)),
        ("burst_leave", show_share(path.burst.1)),
        ("burst_loss", show_share(path.burst.2)),
        ("duplicate", show_share(path.duplicate)),
        ("reorder", show_share(path.reorder)),
        ("corrupt", show_share(path.corrupt)),
        ("rate", show_rate(path.rate)),
        ("queue", path.queue.to_string()),
        ("mtu", path.mtu.to_string()),
        ("reliable", word(path.reliable)),
    ]
}

fn channel_pairs(channel: &Channel) -> Vec<(&'static str, String)> {
    let modulation = match channel.modulation {
        Modulation::Rate(bits) => ("rate", show_bits(u64::from(bits))),
        Modulation::Lora { sf, bw, cr } => ("lora", format!("sf{sf} bw{bw} cr4/{}", 4 + u32::from(cr))),
    };
    vec![
        ("channel", channel.name.clone()),
        modulation,
        ("keyup", show_duration(channel.keyup)),
        ("turnaround", show_duration(channel.turnaround)),
        ("sense", show_duration(channel.sense)),
        ("duty", show_share(channel.duty)),
        ("capture_db", channel.capture_db.to_string()),
        ("range_m", channel.range_m.to_string()),
        ("mtu", channel.mtu.to_string()),
        ("loss", show_share(channel.loss)),
    ]
}

fn expect_text(expect: &Expect, index: &Index<'_>) -> String {
    let mut pairs = vec![("id", expect.id.clone())];
    pairs.extend(expect.objective.clone().map(|objective| ("objective", objective)));
    pairs.push(("text", expect.text.clone()));
    pairs.push((
        "after",
        match expect.after {
            After::Time(at) => show_time(at),
            After::Inject(nr) => format!("inject:{nr}"),
        },
    ));
    pairs.push(("within", show_duration(expect.within)));
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} = {}\n", text(value))).collect();
    let checks: Vec<String> = expect.checks.iter().map(|check| table(&check_pairs(check, index))).collect();
    format!("\n[[expect]]\n{}check = [{}]\n", lines.concat(), checks.join(", "))
}

fn check_pairs(check: &Check, index: &Index<'_>) -> Vec<(&'static str, String)> {
    let show = |sites: &[usize]| index.show(sites);
    match check {
        Check::Knows { sites, alive, what, at_least } => {
            let subject = match what {
                Subject::Request(label) => format!("request:{label}"),
                Subject::Inject(nr) => format!("inject:{nr}"),
                Subject::Commitment(label) => format!("commitment:{label}"),
            };
            // `alive` stands first: behind an owner it would be part of the name.
            let every = if *alive { format!("alive {}", show(sites)) } else { show(sites) };
            vec![("every", every), ("knows", subject), ("at_least", show_share(*at_least))]
        }
        Check::Count { what, at_least, at_most } => {
            let (word, key, sites) = match what {
                Counted::RequestsOpen(site) => ("requests-open", "at", show(&[*site])),
                Counted::Reachable(site) => ("reachable", "at", show(&[*site])),
                Counted::Revoked(site) => ("revoked", "at", show(&[*site])),
                Counted::Conflicts(site) => ("conflicts", "at", show(&[*site])),
                Counted::Suppliers { at, .. } => ("suppliers", "at", show(&[*at])),
                Counted::Forked(site) => ("forked", "at", show(&[*site])),
                Counted::Running(sites) => ("running", "of", show(sites)),
                Counted::Open(sites) => ("open", "of", show(sites)),
            };
            let mut pairs = vec![("count", word.to_owned()), (key, sites)];
            if let Counted::Suppliers { request, .. } = what {
                pairs.push(("request", request.clone()));
            }
            pairs.extend(range(*at_least, *at_most));
            pairs
        }
        Check::Shows { at, of, field, value } => {
            vec![("every", show(at)), ("of", show(of)), ("shows", format!("{field}={value}"))]
        }
        Check::Equal(sites) => vec![("equal", show(sites))],
        Check::TimeToKnowP95 { sites, at_most } => {
            vec![("every", show(sites)), ("p95_time_to_know", show_duration(*at_most))]
        }
        Check::AirtimeBelow { channel, share } => vec![("airtime", channel.clone()), ("below", show_share(*share))],
        Check::NeverAccepted(nr) => vec![("never_accepted", format!("inject:{nr}"))],
        Check::NeverAcceptedFrom(site) => vec![("never_accepted_from", show(&[*site]))],
        Check::Never(check) => [vec![("never", word(true))], check_pairs(check, index)].concat(),
        Check::ShowsAge { at, of, age } => {
            vec![("every", show(at)), ("of", show(of)), ("shows_age", show_duration(*age))]
        }
        Check::Sum { field, at, of, at_least, at_most } => {
            let pairs = vec![("sum", field.clone()), ("at", show(&[*at])), ("of", show(of))];
            [pairs, range(*at_least, *at_most)].concat()
        }
    }
}

fn range(at_least: u64, at_most: u64) -> Vec<(&'static str, String)> {
    let most = (at_most != u64::MAX).then(|| ("at_most", at_most.to_string()));
    std::iter::once(("at_least", at_least.to_string())).chain(most).collect()
}

fn sites_sheet(scenario: &Scenario) -> io::Result<Vec<u8>> {
    let columns: Vec<&str> =
        sites::SITES.iter().copied().filter(|column| !matches!(*column, "ups_min" | "generator_h")).collect();
    let row = |site: &super::Site| {
        vec![
            site.id.clone(),
            site.name.clone(),
            show_degrees(site.lat),
            show_degrees(site.lon),
            site.role.text().to_owned(),
            site.owner.clone(),
            site.region.code().to_owned(),
            site.power_area.clone(),
            site.lan.clone(),
            show_duration(site.ups),
            show_duration(site.generator),
            site.media.iter().map(super::words::Medium::text).collect::<Vec<_>>().join(" "),
        ]
    };
    sheet::write(&columns, &scenario.sites.iter().map(row).collect::<Vec<_>>())
}

fn elements_sheet(scenario: &Scenario, index: &Index<'_>) -> io::Result<Vec<u8>> {
    let row = |element: &super::Element| vec![element.id.clone(), element.kind.text().to_owned(), index.show(&element.used_by)];
    sheet::write(sites::ELEMENTS, &scenario.elements.iter().map(row).collect::<Vec<_>>())
}

/// The sheet of events, with those columns alone that something stands in.
fn events_sheet(scenario: &Scenario, index: &Index<'_>) -> io::Result<Vec<u8>> {
    let rows: Vec<Vec<(&str, String)>> = scenario.injects.iter().map(|inject| cells(inject, index)).collect();
    let used = |column: &&&str| rows.iter().flatten().any(|(key, _)| *key == **column);
    let columns: Vec<&str> = inject::COLUMNS.iter().filter(used).copied().collect();
    let cell = |row: &[(&str, String)], column: &str| {
        row.iter().find(|(key, _)| *key == column).map_or(String::new(), |(_, v)| v.clone())
    };
    let lines: Vec<Vec<String>> = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect()).collect();
    sheet::write(&columns, &lines)
}

/// `key=value; key=value`.
fn joined<K: AsRef<str>>(pairs: impl IntoIterator<Item = (K, String)>) -> String {
    let parts = pairs.into_iter().map(|(key, value)| format!("{}={}", wrap(key.as_ref()), wrap(&value)));
    parts.collect::<Vec<_>>().join("; ")
}

fn cells(inject: &Inject, index: &Index<'_>) -> Vec<(&'static str, String)> {
    let mut out = vec![("nr", inject.nr.to_string()), ("what", inject.effect.what().text().to_owned())];
    match &inject.when {
        When::At(at) => out.push(("at", show_time(*at))),
        When::Unless { expect, by } => out.extend([("if_not", expect.clone()), ("by", show_time(*by))]),
    }
    out.extend(inject.lasts.map(|lasts| ("lasts", show_duration(lasts))));
    out.extend(inject.name.clone().map(|name| ("name", name)));
    out.extend(inject.say.clone().map(|say| ("say", say)));
    out.extend(inject.objective.clone().map(|objective| ("objective", objective)));
    if !inject.expect.is_empty() {
        out.push(("expect", inject.expect.join("; ")));
    }
    if inject.by_hand {
        out.push(("by_hand", word(true)));
    }
    out.extend(effect_cells(&inject.effect, index));
    out
}

fn effect_cells(effect: &Effect, index: &Index<'_>) -> Vec<(&'static str, String)> {
    let at = |sites: &[usize]| ("where", index.show(sites));
    let one = |key: &'static str, site: usize| (key, index.show(&[site]));
    let some = |sites: &[usize]| if sites.is_empty() { Vec::new() } else { vec![at(sites)] };
    match effect {
        Effect::PowerLoss(sites)
        | Effect::PowerBack(sites)
        | Effect::Swizzle(sites)
        | Effect::Crash(sites)
        | Effect::Restart(sites)
        | Effect::ReplacePc(sites)
        | Effect::DiskFull(sites)
        | Effect::DiskCorrupt(sites)
        | Effect::AntennaDown(sites)
        | Effect::OperatorAbsent(sites) => vec![at(sites)],
        Effect::Cut(elements) | Effect::Restore(elements) => vec![("where", index.show_elements(elements))],
        Effect::Degrade { sites, path } => vec![at(sites), ("path", joined(path_pairs(path)))],
        Effect::Partition { groups, one_way } => {
            let shown: Vec<String> = groups.iter().map(|group| index.show(group)).collect();
            vec![("groups", shown.join(" | ")), ("one_way", word(*one_way))]
        }
        Effect::Heal(sites) => some(sites),
        Effect::Flap { sites, period } => vec![at(sites), ("period", show_duration(*period))],
        Effect::FirmOutage(owner) => vec![("owner", owner.clone())],
        Effect::OldBackup { sites, age, machine } => vec![at(sites), ("age", show_duration(*age)), ("machine", word(*machine))],
        Effect::ClockJump { sites, by_ms } => vec![at(sites), ("jump", show_jump(*by_ms))],
        Effect::ClockDrift { sites, ppm } => vec![at(sites), ("ppm", ppm.to_string())],
        Effect::Jam { channel, sites } => [vec![("channel", channel.clone())], some(sites)].concat(),
        Effect::Courier { from, to } => vec![one("from", *from), one("to", *to)],
        Effect::Forge { kind, site } => vec![("kind", kind.text().to_owned()), one("where", *site)],
        Effect::Revoke { site, at } => vec![one("where", *site), one("as", *at)],
        Effect::Report { sites, values } => vec![("as", index.show(sites)), ("data", joined(values.iter().cloned()))],
        Effect::Request { site, label, lines, priority, needed_by } => {
            let mut data = vec![("id", label.clone()), ("lines", lines_cell(lines)), ("priority", priority.clone())];
            data.extend(needed_by.map(|within| ("need_within", show_duration(within))));
            vec![one("as", *site), ("data", joined(data))]
        }
        Effect::Cancel(label) | Effect::Close(label) => vec![("request", label.clone())],
        Effect::Goods { site, deed } => std::iter::once(one("as", *site)).chain(goods_cells(deed)).collect(),
        Effect::Observe { site, of, values } => {
            vec![one("as", *site), one("of", *of), ("data", joined(values.iter().cloned()))]
        }
        Effect::Order { site, acting_for, mode } => {
            let of = acting_for.map(|principal| one("of", principal));
            std::iter::once(one("as", *site)).chain(of).chain([("data", joined([("mode", mode.clone())]))]).collect()
        }
        Effect::Deputies { site, of, after } => {
            vec![one("as", *site), ("of", index.show(of)), ("data", joined([("after", show_duration(*after))]))]
        }
        Effect::Say | Effect::TellController | Effect::StopExercise => Vec::new(),
    }
}

fn goods_cells(deed: &GoodsDeed) -> Vec<(&'static str, String)> {
    let counted = |lines: &Lines| (!lines.is_empty()).then(|| ("data", joined([("lines", lines_cell(lines))])));
    match deed {
        GoodsDeed::Commit { request, lines } | GoodsDeed::Receive { request, lines } => {
            std::iter::once(("request", request.clone())).chain(counted(lines)).collect()
        }
        GoodsDeed::Resolve { request } => vec![("request", request.clone())],
        GoodsDeed::Consign { request, step, to } => {
            let to = to.iter().map(|to| ("to", to.clone()));
            let data = std::iter::once(("step", step.text().to_owned())).chain(to);
            vec![("request", request.clone()), ("data", joined(data))]
        }
        GoodsDeed::Stock(changes) => {
            vec![("data", joined(changes.iter().map(|(item, by)| (item.clone(), format!("{by:+}")))))]
        }
    }
}

fn lines_cell(lines: &Lines) -> String {
    lines.iter().map(|(item, quantity)| wrap(&line_text(item, *quantity))).collect::<Vec<_>>().join("; ")
}

impl Effect {
    /// The word for it.
    #[must_use]
    pub fn what(&self) -> What {
        match self {
            Self::PowerLoss(_) => What::PowerLoss,
            Self::PowerBack(_) => What::PowerBack,
            Self::Cut(_) => What::Cut,
            Self::Restore(_) => What::Restore,
            Self::Degrade { .. } => What::Degrade,
            Self::Partition { .. } => What::Partition,
            Self::Heal(_) => What::Heal,
            Self::Flap { .. } => What::Flap,
            Self::Swizzle(_) => What::Swizzle,
            Self::FirmOutage(_) => What::FirmOutage,
            Self::Crash(_) => What::Crash,
            Self::Restart(_) => What::Restart,
            Self::ReplacePc(_) => What::ReplacePc,
            Self::DiskFull(_) => What::DiskFull,
            Self::DiskCorrupt(_) => What::DiskCorrupt,
            Self::OldBackup { .. } => What::OldBackup,
            Self::ClockJump { .. } => What::ClockJump,
            Self::ClockDrift { .. } => What::ClockDrift,
            Self::Jam { .. } => What::Jam,
            Self::Revoke { .. } => What::Revoke,
            Self::AntennaDown(_) => What::AntennaDown,
            Self::Courier { .. } => What::Courier,
            Self::Forge { .. } => What::Forge,
            Self::Report { .. } => What::Report,
            Self::Request { .. } => What::Request,
            Self::Cancel(_) => What::Cancel,
            Self::Close(_) => What::Close,
            Self::Goods { deed, .. } => deed.what(),
            Self::Observe { .. } => What::Observe,
            Self::Order { .. } => What::Order,
            Self::Deputies { .. } => What::Deputies,
            Self::OperatorAbsent(_) => What::OperatorAbsent,
            Self::Say => What::Say,
            Self::TellController => What::TellController,
            Self::StopExercise => What::StopExercise,
        }
    }
}
