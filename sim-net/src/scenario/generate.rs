//! Synthetic sites where people live: chains in their real proportions, counties by people, towns by density. No site is real.

use std::collections::BTreeMap;

use holdfast_proto::identity::Region;

use super::read::world::STARTEX;
use super::text::{HOUR, MINUTE};
use super::words::{ElementKind, Medium, SiteRole, Status};
use super::{Element, Exercise, Micros, Ppm, Scenario, Site, WorldModel};
use crate::dice::{Dice, Purpose};
use crate::geo::{self, Point, Town};

/// Shops of the four chains in Taiwan, 2026, rounded to hundreds.
const CHAINS: [(&str, u32); 4] = [("Chain A", 72), ("Chain B", 45), ("Chain C", 18), ("Chain D", 7)];
/// Providers and how many of ten sites they have. Guessed.
const PROVIDERS: [(&str, u32); 3] = [("ISP-1", 5), ("ISP-2", 3), ("ISP-3", 2)];
/// Sites that lose mains together, where nobody says how many areas there are.
const AREA_SITES: usize = 10;
/// Most metres from the middle of a town.
const SPREAD_MAX: u64 = 4_000;
/// Tries to find a place on land.
const TRIES: usize = 12;

/// What to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// All sites, hubs and authorities among them; 2 to 20,000, and at least one store for every region.
    pub sites: usize,
    /// Of them hubs.
    pub hubs: usize,
    /// Of them authorities.
    pub authorities: usize,
    /// Where.
    pub regions: Vec<Region>,
    /// Power areas, which are towns too; 0: one for every 10 sites.
    pub areas: usize,
    /// Stores with a generator, parts per million. Hubs and authorities always have one.
    pub generator_share: Ppm,
    /// How long it runs a store; 0: drawn from 8 to 24 hours.
    pub generator: Micros,
    /// A radio channel, which hubs and authorities always have.
    pub radio: Option<String>,
    /// Stores that have it.
    pub radio_share: Ppm,
    /// Same seed, same sites.
    pub seed: u64,
}

impl Scenario {
    /// Six hours of an exercise in which nothing happens yet, without sites: something to go on from.
    #[must_use]
    pub fn blank(seed: u64) -> Self {
        Self {
            exercise: Exercise {
                id: "NEW".to_owned(),
                title: "Synthetic sites, to be filled with injects".to_owned(),
                status: Status::Test,
                startex_ms: STARTEX.0,
                offset_s: STARTEX.1,
                duration: 6 * HOUR,
                seed,
                objectives: Vec::new(),
                settle: 10 * MINUTE,
            },
            sites: Vec::new(),
            elements: Vec::new(),
            world: WorldModel::default(),
            injects: Vec::new(),
            expects: Vec::new(),
        }
    }
}

impl Draw {
    /// So many sites in these regions with everything else as usual.
    #[must_use]
    pub fn new(sites: usize, hubs: usize, regions: Vec<Region>, seed: u64) -> Self {
        Self {
            sites,
            hubs,
            authorities: 0,
            regions,
            areas: 0,
            generator_share: 300_000,
            generator: 0,
            radio: None,
            radio_share: 0,
            seed,
        }
    }

    /// The sites, by region and power area, and what their links depend on: a cable for every region, an exchange for every power
    /// area, three providers.
    #[must_use]
    pub fn make(&self) -> (Vec<Site>, Vec<Element>) {
        let people: Vec<u64> = self.regions.iter().map(|region| u64::from(geo::people(*region))).collect();
        let counts = share_out(self.sites, &people);
        let parts: Vec<u64> = counts.iter().map(|count| *count as u64).collect();
        let authorities = self.authorities(&counts);
        let shops: Vec<u64> = counts.iter().zip(&authorities).map(|(count, desks)| count.saturating_sub(*desks) as u64).collect();
        let hubs = share_out(self.hubs, &shops);
        let areas = if self.areas == 0 {
            counts.iter().map(|count| count.div_ceil(AREA_SITES)).collect()
        } else {
            share_out(self.areas, &parts)
        };
        let mut made = Made::default();
        for (place, region) in self.regions.iter().enumerate() {
            let at = |counts: &[usize]| counts.get(place).copied().unwrap_or(0);
            self.region(*region, at(&counts), at(&areas).max(1), (at(&hubs), at(&authorities)), &mut made);
        }
        made.finish()
    }

    /// One for each county first, the others by size.
    fn authorities(&self, counts: &[usize]) -> Vec<usize> {
        let each = usize::from(self.authorities >= counts.len());
        let room: Vec<u64> = counts.iter().map(|count| count.saturating_sub(each) as u64).collect();
        let more = share_out(self.authorities - each * counts.len(), &room);
        more.into_iter().zip(counts).map(|(more, count)| (more + each).min(*count)).collect()
    }

    fn region(&self, region: Region, count: usize, areas: usize, (hubs, authorities): (usize, usize), made: &mut Made) {
        let mut dice = Dice::new(self.seed, Purpose::Places, u64::from(region.index()));
        let towns = towns(region, areas, &mut dice);
        for no in 0..count {
            let area = no * areas / count.max(1);
            let Some(town) = towns.get(area) else { continue };
            // Spread over the areas, so that no area holds all hubs.
            let role = match no.checked_sub(authorities) {
                None => SiteRole::Authority,
                Some(no) if chosen(no, hubs, count - authorities) => SiteRole::Hub,
                Some(_) => SiteRole::Store,
            };
            let id = made.next_id(role);
            let place = somewhere(region, town, &mut dice);
            let owner = weighted(&CHAINS, &mut dice);
            let provider = weighted(&PROVIDERS, &mut dice);
            let store = role == SiteRole::Store;
            let (ups, drawn, powered, heard) = (
                dice.between(10, 60),
                dice.between(8, 24),
                ppm(self.generator_share, &mut dice),
                ppm(self.radio_share, &mut dice),
            );
            let tank = if self.generator > 0 { self.generator } else { drawn * HOUR };
            let mut media = vec![Medium::Wan];
            media.extend(self.radio.iter().filter(|_| heard || !store).cloned().map(Medium::Radio));
            let power_area = format!("{}-{:02}", region.code(), area + 1);
            made.uses(ElementKind::Cable, format!("CABLE-{}", region.code()));
            made.uses(ElementKind::Exchange, format!("EX-{power_area}"));
            made.uses(ElementKind::Provider, provider.to_owned());
            made.sites.push(Site {
                name: format!("{} {id}", town.name),
                id,
                lat: place.lat,
                lon: place.lon,
                role,
                owner: if role == SiteRole::Authority { format!("County {}", region.code()) } else { owner.to_owned() },
                region,
                power_area,
                lan: String::new(),
                ups: if store { ups * MINUTE } else { 2 * HOUR },
                generator: if !store {
                    72 * HOUR
                } else if powered {
                    tank
                } else {
                    0
                },
                media,
            });
        }
    }
}

/// What is made so far.
#[derive(Default)]
struct Made {
    sites: Vec<Site>,
    elements: BTreeMap<(ElementKind, String), Vec<usize>>,
    ids: BTreeMap<SiteRole, usize>,
}

impl Made {
    /// S1, S2, H1 ..
    fn next_id(&mut self, role: SiteRole) -> String {
        let count = self.ids.entry(role).or_default();
        *count += 1;
        let letter = match role {
            SiteRole::Store => 'S',
            SiteRole::Hub => 'H',
            SiteRole::Authority => 'A',
        };
        format!("{letter}{count}")
    }

    /// The site about to be made depends on this.
    fn uses(&mut self, kind: ElementKind, id: String) {
        self.elements.entry((kind, id)).or_default().push(self.sites.len());
    }

    fn finish(self) -> (Vec<Site>, Vec<Element>) {
        let elements = self.elements.into_iter().map(|((kind, id), used_by)| Element { id, kind, used_by }).collect();
        (self.sites, elements)
    }
}

/// Shares a number out by weight, largest remainders first; the sum is exact.
fn share_out(whole: usize, weights: &[u64]) -> Vec<usize> {
    let sum = weights.iter().sum::<u64>().max(1);
    let exact = |weight: u64| u128::from(weight) * (whole as u128);
    let mut parts: Vec<usize> = weights.iter().map(|w| usize::try_from(exact(*w) / u128::from(sum)).unwrap_or(0)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|place| {
        let rest = weights.get(*place).map_or(0, |weight| exact(*weight) % u128::from(sum));
        (std::cmp::Reverse(rest), *place)
    });
    let missing = whole.saturating_sub(parts.iter().sum());
    for place in order.into_iter().cycle().take(if weights.is_empty() { 0 } else { missing }) {
        if let Some(part) = parts.get_mut(place) {
            *part += 1;
        }
    }
    parts
}

/// Whether this is one of `some` evenly spread among `all`.
fn chosen(no: usize, some: usize, all: usize) -> bool {
    let before = |no: usize| (no * some).div_ceil(all.max(1));
    no < all && before(no + 1) > before(no)
}

fn weighted<'a>(choices: &[(&'a str, u32)], dice: &mut Dice) -> &'a str {
    let mut left = dice.below(choices.iter().map(|(_, weight)| u64::from(*weight)).sum());
    for (name, weight) in choices {
        match left.checked_sub(u64::from(*weight)) {
            Some(rest) => left = rest,
            None => return name,
        }
    }
    choices.first().map_or("", |(name, _)| name)
}

fn ppm(share: Ppm, dice: &mut Dice) -> bool {
    dice.below(1_000_000) < u64::from(share)
}

/// Towns for the areas of a region, each once as long as there are any. Small towns are dense ones: they are drawn more often.
fn towns(region: Region, areas: usize, dice: &mut Dice) -> Vec<&'static Town> {
    let (mut out, mut left): (Vec<&Town>, Vec<&Town>) = (Vec::new(), Vec::new());
    while out.len() < areas {
        if left.is_empty() {
            left = geo::towns(region).iter().collect();
        }
        let weight = |town: &&Town| 1_000_000 / u64::from(town.km2).max(1);
        let mut ticket = dice.below(left.iter().map(weight).sum());
        let place = left.iter().position(|town| match ticket.checked_sub(weight(town)) {
            Some(rest) => {
                ticket = rest;
                false
            }
            None => true,
        });
        let Some(place) = place else { return out };
        out.push(left.swap_remove(place));
    }
    out
}

/// A place in a town, on the land of its county; the middle of the town where none is found.
fn somewhere(region: Region, town: &Town, dice: &mut Dice) -> Point {
    let spread = (u64::from(town.km2) * 1_000_000 / 9).isqrt().clamp(300, SPREAD_MAX);
    let mut off = |from: i32, steps: &dyn Fn(i64) -> i64| {
        let metres = i64::try_from(dice.below(2 * spread + 1)).unwrap_or(0) - i64::try_from(spread).unwrap_or(0);
        i32::try_from(i64::from(from) + steps(metres)).unwrap_or(from)
    };
    for _ in 0..TRIES {
        let place = Point {
            lat: off(town.centre.lat, &geo::north_of),
            lon: off(town.centre.lon, &|metres| geo::east_of(town.centre.lat, metres)),
        };
        if geo::contains(region, place) {
            return place;
        }
    }
    town.centre
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Region> {
        Region::all().collect()
    }

    #[test]
    fn shares_add_up() {
        for whole in [0, 1, 7, 1_000] {
            for weights in [&[1_u64][..], &[1, 1, 1], &[5, 0, 3], &[0, 0]] {
                assert_eq!(share_out(whole, weights).iter().sum::<usize>(), whole, "{weights:?}");
            }
        }
        assert_eq!((0..50).filter(|no| chosen(*no, 2, 50)).count(), 2);
        assert_eq!((0..7).filter(|no| chosen(*no, 7, 7)).count(), 7);
    }

    #[test]
    fn stores_stand_where_people_live_and_belong_to_chains_as_in_life() {
        let draw = Draw { authorities: 22, ..Draw::new(5_668, 368, all(), 1) };
        let (sites, elements) = draw.make();
        let count = |role| sites.iter().filter(|site| site.role == role).count();
        assert_eq!((sites.len(), count(SiteRole::Hub), count(SiteRole::Authority)), (5_668, 368, 22));
        let of_a = sites.iter().filter(|site| site.owner == "Chain A").count();
        assert!((2_650..2_950).contains(&of_a), "half of them: {of_a}");
        let in_county = |code| sites.iter().filter(|site| site.region.code() == code).count();
        assert!(in_county("NWT") > 8 * in_county("HUA") && in_county("LIE") > 0);
        let astray = sites.iter().filter(|site| !geo::contains(site.region, Point { lat: site.lat, lon: site.lon })).count();
        assert!(astray < 60, "{astray} stand in the sea or next door");
        let ids: std::collections::BTreeSet<&str> = sites.iter().map(|site| site.id.as_str()).collect();
        assert_eq!(ids.len(), sites.len());
        let used = |kind| elements.iter().filter(|e| e.kind == kind).map(|e| e.used_by.len()).sum::<usize>();
        for kind in [ElementKind::Cable, ElementKind::Exchange, ElementKind::Provider] {
            assert_eq!(used(kind), sites.len(), "each site is on one {}", kind.text());
        }
    }

    #[test]
    fn a_seed_is_its_sites() {
        let two = vec![Region::from_code("HUA").unwrap(), Region::from_code("TTT").unwrap()];
        assert_eq!(Draw::new(60, 2, two.clone(), 5).make(), Draw::new(60, 2, two.clone(), 5).make());
        assert_ne!(Draw::new(60, 2, two.clone(), 5).make(), Draw::new(60, 2, two, 6).make());
    }

    #[test]
    fn areas_radio_and_generators_are_as_asked() {
        let hua = vec![Region::from_code("HUA").unwrap()];
        let draw = Draw {
            areas: 6,
            radio: Some("R1".into()),
            radio_share: 1_000_000,
            generator_share: 900_000,
            generator: 24 * HOUR,
            ..Draw::new(300, 6, hua, 3)
        };
        let (sites, _) = draw.make();
        let areas: std::collections::BTreeSet<&str> = sites.iter().map(|site| site.power_area.as_str()).collect();
        assert_eq!(areas.len(), 6);
        assert!(sites.iter().all(|site| site.media.contains(&Medium::Radio("R1".into()))));
        let powered = sites.iter().filter(|site| site.generator == 24 * HOUR).count();
        assert!((240..290).contains(&powered), "{powered}");
    }
}
