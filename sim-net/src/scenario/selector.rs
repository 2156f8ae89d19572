//! Selectors: how a scenario names sites and elements. `region:HUA role:store` is both at once, `site:S1; site:S2` either.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_proto::identity::Region;

use super::problem::{Wrong, quoted};
use super::words::SiteRole;
use super::{Element, Site, SiteNo};
use crate::geo::{Point, metres};

/// The words before the colon.
const KEYS: [&str; 8] = ["site", "region", "owner", "power_area", "element", "role", "lan", "nearest"];

/// Sites and elements by what selectors call them.
#[derive(Debug)]
pub(super) struct Index<'a> {
    pub(super) sites: &'a [Site],
    pub(super) elements: &'a [Element],
    /// Some of them could not be read as they stand: what is not found may be there once that is mended.
    some: bool,
    /// Of some sites nobody knows how they are called.
    nameless: bool,
    by_id: BTreeMap<&'a str, SiteNo>,
    by_element: BTreeMap<&'a str, usize>,
    owners: BTreeMap<&'a str, Vec<SiteNo>>,
    areas: BTreeMap<&'a str, Vec<SiteNo>>,
    lans: BTreeMap<&'a str, Vec<SiteNo>>,
    regions: BTreeMap<Region, Vec<SiteNo>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(sites: &'a [Site], elements: &'a [Element]) -> Self {
        let mut index = Self {
            sites,
            elements,
            some: false,
            nameless: false,
            by_id: BTreeMap::new(),
            by_element: elements.iter().enumerate().map(|(no, element)| (element.id.as_str(), no)).collect(),
            owners: BTreeMap::new(),
            areas: BTreeMap::new(),
            lans: BTreeMap::new(),
            regions: BTreeMap::new(),
        };
        for (no, site) in sites.iter().enumerate() {
            index.by_id.insert(&site.id, no);
            index.owners.entry(&site.owner).or_default().push(no);
            index.areas.entry(&site.power_area).or_default().push(no);
            index.regions.entry(site.region).or_default().push(no);
            if !site.lan.is_empty() {
                index.lans.entry(&site.lan).or_default().push(no);
            }
        }
        index
    }

    /// Where not all could be read: it is not said again of whoever names those.
    pub(super) fn of_some(sites: &'a [Site], elements: &'a [Element], nameless: bool) -> Self {
        Self { some: true, nameless, ..Self::new(sites, elements) }
    }

    /// The sites of a selector, ascending; at least one.
    pub(super) fn sites(&self, text: &str) -> Result<Vec<SiteNo>, Wrong> {
        if self.sites.is_empty() {
            // Told already; every selector would only say it again.
            return Ok(Vec::new());
        }
        let found = self.union(text)?;
        if found.is_empty() && !self.some {
            return Err(Wrong::new(format!("{} matches no site.", quoted(text)), "Nothing would happen: mend the selector."));
        }
        Ok(found.into_iter().collect())
    }

    /// The one site of a selector.
    pub(super) fn site(&self, text: &str) -> Result<SiteNo, Wrong> {
        match self.sites(text)?.as_slice() {
            [one] => Ok(*one),
            [] => Ok(0),
            many => Err(Wrong::new(
                format!("{} matches {} sites; here one is meant.", quoted(text), many.len()),
                "Write site: and one id.",
            )),
        }
    }

    /// The elements of a selector, ascending; at least one.
    pub(super) fn elements(&self, text: &str) -> Result<Vec<usize>, Wrong> {
        let mut found = BTreeSet::new();
        if self.sites.is_empty() {
            return Ok(Vec::new());
        }
        for part in parts(text) {
            match terms(&part).as_slice() {
                [(key, name)] if key == "element" => match self.by_element.get(name.as_str()) {
                    Some(no) => _ = found.insert(*no),
                    None if self.some => return Ok(Vec::new()),
                    None => return Err(self.no_element(name)),
                },
                [(key, _)] if key == "*" => found.extend(0..self.elements.len()),
                _ => {
                    let wrong = Wrong::new(format!("{} names no element.", quoted(&part)), "Write element: and an id.");
                    return Err(wrong.near(&part, self.elements.iter().map(|element| element.id.as_str())));
                }
            }
        }
        if found.is_empty() {
            return Err(Wrong::new("This names no element.", "Write element: and an id of the sheet of elements."));
        }
        Ok(found.into_iter().collect())
    }

    fn union(&self, text: &str) -> Result<BTreeSet<SiteNo>, Wrong> {
        let mut found = BTreeSet::new();
        let parts = parts(text);
        if parts.is_empty() {
            return Err(Wrong::new("Nobody is named here.", "Write a selector, such as site:S1, region:HUA or *.").among(KEYS));
        }
        for part in parts {
            let mut both: Option<BTreeSet<SiteNo>> = None;
            for (key, name) in terms(&part) {
                let one = self.term(&key, &name, &part)?;
                both = Some(match both {
                    Some(so_far) => so_far.intersection(&one).copied().collect(),
                    None => one,
                });
            }
            found.extend(both.unwrap_or_default());
        }
        Ok(found)
    }

    fn term(&self, key: &str, name: &str, whole: &str) -> Result<BTreeSet<SiteNo>, Wrong> {
        let group = |what: &str, groups: &BTreeMap<&str, Vec<SiteNo>>| match groups.get(name) {
            Some(sites) => Ok(sites.iter().copied().collect()),
            None if self.some => Ok(BTreeSet::new()),
            None => Err(Wrong::new(format!("There is no {what} {}.", quoted(name)), "Write one that the sheet of sites has.")
                .near(name, groups.keys().copied())),
        };
        match key {
            "*" | "sites" => Ok((0..self.sites.len()).collect()),
            "site" => match self.by_id.get(name) {
                Some(no) => Ok(BTreeSet::from([*no])),
                None if self.nameless => Ok(BTreeSet::new()),
                None => Err(self.no_site(name)),
            },
            "owner" => group("owner", &self.owners),
            "power_area" => group("power area", &self.areas),
            "lan" => group("LAN", &self.lans),
            "region" => {
                let region = region(name)?;
                Ok(self.regions.get(&region).into_iter().flatten().copied().collect())
            }
            "role" => {
                let role = role(name)?;
                Ok((0..self.sites.len()).filter(|no| self.sites.get(*no).is_some_and(|site| site.role == role)).collect())
            }
            "element" => match self.by_element.get(name).and_then(|no| self.elements.get(*no)) {
                Some(element) => Ok(element.used_by.iter().copied().collect()),
                None if self.some => Ok(BTreeSet::new()),
                None => Err(self.no_element(name)),
            },
            "nearest" => self.nearest(name),
            _ => {
                let wrong = Wrong::new(
                    format!("{} is no selector.", quoted(whole)),
                    "Write a word, a colon and a name, such as site:S1; or * for all.",
                );
                Err(if self.by_id.contains_key(key) { wrong.among([format!("site:{key}")]) } else { wrong.among(KEYS) })
            }
        }
    }

    /// `5:store:H3`: the five stores nearest to H3.
    fn nearest(&self, text: &str) -> Result<BTreeSet<SiteNo>, Wrong> {
        let wrong = || {
            Wrong::new(
                format!("{} does not say which are nearest to what.", quoted(&format!("nearest:{text}"))),
                "Write nearest:COUNT:ROLE:SITE, such as nearest:5:store:H3; the role site stands for any.",
            )
        };
        let parts: Vec<&str> = text.splitn(3, ':').collect();
        let [count, kind, id] = parts.as_slice() else { return Err(wrong()) };
        let count: usize = count.parse().map_err(|_| wrong())?;
        let wanted = if *kind == "site" { None } else { Some(role(kind)?) };
        let from = self.by_id.get(id).copied().ok_or_else(|| self.no_site(id))?;
        let place = |site: &Site| Point { lat: site.lat, lon: site.lon };
        let Some(here) = self.sites.get(from).map(place) else { return Err(wrong()) };
        let others =
            self.sites.iter().enumerate().filter(|(no, site)| *no != from && wanted.is_none_or(|role| site.role == role));
        let mut ranked: Vec<(u64, SiteNo)> = others.map(|(no, site)| (metres(here, place(site)), no)).collect();
        ranked.sort_unstable();
        Ok(ranked.into_iter().take(count).map(|(_, no)| no).collect())
    }

    fn no_site(&self, name: &str) -> Wrong {
        Wrong::new(format!("There is no site {}.", quoted(name)), "Write an id that the sheet of sites has.")
            .near(name, self.by_id.keys().copied())
    }

    fn no_element(&self, name: &str) -> Wrong {
        Wrong::new(format!("There is no element {}.", quoted(name)), "Write an id that the sheet of elements has.")
            .near(name, self.by_element.keys().copied())
    }

    /// The shortest selector of exactly these sites.
    pub(super) fn show(&self, sites: &[SiteNo]) -> String {
        if sites.len() == self.sites.len() && sites.iter().copied().eq(0..self.sites.len()) {
            return "*".to_owned();
        }
        let first = sites.first().and_then(|no| self.sites.get(*no));
        if let Some(site) = first.filter(|_| sites.len() > 1) {
            let same = |group: Option<&Vec<SiteNo>>| group.is_some_and(|group| group.as_slice() == sites);
            if same(self.areas.get(site.power_area.as_str())) {
                return format!("power_area:{}", site.power_area);
            }
            if same(self.regions.get(&site.region)) {
                return format!("region:{}", site.region.code());
            }
            if same(self.owners.get(site.owner.as_str())) {
                return format!("owner:{}", site.owner);
            }
            let role = self.sites.iter().enumerate().filter(|(_, other)| other.role == site.role).map(|(no, _)| no);
            if role.eq(sites.iter().copied()) {
                return format!("role:{}", site.role.text());
            }
        }
        let ids = sites.iter().filter_map(|no| self.sites.get(*no)).map(|site| format!("site:{}", site.id));
        ids.collect::<Vec<_>>().join("; ")
    }

    /// These elements by their ids.
    pub(super) fn show_elements(&self, elements: &[usize]) -> String {
        let ids = elements.iter().filter_map(|no| self.elements.get(*no)).map(|element| format!("element:{}", element.id));
        ids.collect::<Vec<_>>().join("; ")
    }
}

/// The selectors of a list in one text. The full-width colon and semicolon of Chinese keyboards count as well.
fn parts(text: &str) -> Vec<String> {
    let plain = text.replace('\u{ff1a}', ":").replace('\u{ff1b}', ";");
    plain.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The terms of one selector. A word without a colon belongs to the name before it: `owner:Chain A role:hub`.
fn terms(part: &str) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for word in part.split_whitespace() {
        match (word.split_once(':'), out.last_mut()) {
            (Some((key, name)), _) => out.push((key.to_owned(), name.to_owned())),
            (None, Some((key, name))) if word != "*" && key != "*" && key != "sites" => {
                if !name.is_empty() {
                    name.push(' ');
                }
                name.push_str(word);
            }
            (None, _) => out.push((word.to_owned(), String::new())),
        }
    }
    out
}

/// A county by its code or its name in either language.
pub(super) fn region(text: &str) -> Result<Region, Wrong> {
    let plain = text.trim();
    let code = plain.to_ascii_uppercase();
    let chinese = plain.replace('台', "臺");
    let found = Region::from_code(code.trim_start_matches("TW-"))
        .or_else(|| Region::all().find(|region| region.zh() == chinese || region.en().eq_ignore_ascii_case(plain)));
    found.ok_or_else(|| {
        Wrong::new(
            format!("{} is no county or city of Taiwan.", quoted(text)),
            "Write a code such as HUA, or a name such as Hualien or 花蓮縣.",
        )
        .among(Region::all().map(Region::code))
    })
}

/// A role by its word.
pub(super) fn role(text: &str) -> Result<SiteRole, Wrong> {
    SiteRole::parse(text.trim()).ok_or_else(|| {
        Wrong::new(format!("{} is no role of a site.", quoted(text)), "").among(SiteRole::ALL.iter().map(|role| role.text()))
    })
}

/// Whether a text can be the name of something selectors name.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bad = |c: char| c.is_control() || matches!(c, ':' | ';' | '|' | '"' | '\\' | '=' | '*' | '\u{ff1a}' | '\u{ff1b}');
    if plain.is_empty() || plain.chars().any(bad) || plain.chars().count() > 64 {
        return Err(Wrong::new(
            format!("{} can't be a name.", quoted(text)),
            "Write 1 to 64 characters without : ; | = * \" and \\, which selectors need.",
        ));
    }
    Ok(plain)
}

/// The same without spaces, for ids.
pub(super) fn id(text: &str) -> Result<String, Wrong> {
    let plain = name(text)?;
    if plain.contains(' ') || plain.chars().count() > 32 {
        return Err(Wrong::new(format!("{} can't be an id.", quoted(text)), "Write 1 to 32 characters without spaces."));
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::super::words::{ElementKind, Medium};
    use super::*;

    fn site(id: &str, role: SiteRole, owner: &str, code: &str, east: i32) -> Site {
        Site {
            id: id.to_owned(),
            name: id.to_owned(),
            lat: 24_000_000,
            lon: 121_000_000 + east * 10_000,
            role,
            owner: owner.to_owned(),
            region: Region::from_code(code).unwrap(),
            power_area: format!("{code}-1"),
            lan: if owner == "Chain A" { "mall".to_owned() } else { String::new() },
            ups: 0,
            generator: 0,
            media: vec![Medium::Wan],
        }
    }

    fn sites() -> Vec<Site> {
        vec![
            site("S1", SiteRole::Store, "Chain A", "HUA", 0),
            site("S2", SiteRole::Store, "Chain B", "HUA", 1),
            site("S3", SiteRole::Store, "Chain A", "TPE", 2),
            site("H1", SiteRole::Hub, "Chain A", "TPE", 3),
        ]
    }

    #[test]
    fn every_selector_finds_its_sites() {
        let sites = sites();
        let elements = [Element { id: "C1".into(), kind: ElementKind::Cable, used_by: vec![0, 3] }];
        let index = Index::new(&sites, &elements);
        for (text, found) in [
            ("*", vec![0, 1, 2, 3]),
            ("site:S2", vec![1]),
            ("region:HUA", vec![0, 1]),
            ("region:花蓮縣", vec![0, 1]),
            ("region:台北市", vec![2, 3]),
            ("region:hualien", vec![0, 1]),
            ("owner:Chain A", vec![0, 2, 3]),
            ("owner:Chain A role:hub", vec![3]),
            ("role:store region:TPE", vec![2]),
            ("power_area:TPE-1", vec![2, 3]),
            ("lan:mall", vec![0, 2, 3]),
            ("element:C1", vec![0, 3]),
            ("nearest:2:store:H1", vec![1, 2]),
            ("nearest:1:site:S1", vec![1]),
            ("site:S2;  site:S1", vec![0, 1]),
            ("site:S1", vec![0]),
        ] {
            assert_eq!(index.sites(text), Ok(found.clone()), "{text}");
            assert_eq!(index.sites(&index.show(&found)), Ok(found), "{text}");
        }
        assert_eq!(index.elements("element:C1"), Ok(vec![0]));
    }

    #[test]
    fn what_is_misspelled_names_the_nearest() {
        let sites = sites();
        let index = Index::new(&sites, &[]);
        let wrong = |text: &str| index.sites(text).unwrap_err();
        assert_eq!(wrong("owner:Chian A").accepted[0], "Chain A");
        assert_eq!(wrong("site:H2").accepted[0], "H1");
        assert!(wrong("region:HUX").accepted.contains(&"HUA".to_owned()));
        assert_eq!(wrong("S1").accepted, ["site:S1"]);
        assert!(wrong("").accepted.contains(&"region".to_owned()));
        assert!(wrong("region:TPE owner:Chain B").what.contains("matches no site"));
        assert!(index.site("region:HUA").unwrap_err().what.contains("matches 2 sites"));
        assert!(wrong("nearest:x:hub:H1").todo.contains("nearest:COUNT"));
        assert!(index.elements("region:HUA").is_err() && index.elements("").is_err());
    }
}
