//! What IP links between sites depend on: LAN segments, cables, exchanges, masts and providers, partitions, flapping, degraded
//! paths. Says whether frames pass from one site to another, over what, and after a change where to look for links that felt it.
//!
//! All elements of both ends are in series: each must be up. Redundancy is written as one element that fails when all of it does.

mod reach;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use self::reach::Reach;
use super::Cause;
use crate::scenario::words::{ElementKind, Medium};
use crate::scenario::{self, Micros, Path, SiteNo};

/// What a link between two sites runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The LAN of their compound.
    Lan,
    /// The internet.
    Wan,
}

/// A named thing that links depend on.
#[derive(Clone, Debug)]
struct Element {
    kind: ElementKind,
    users: Vec<SiteNo>,
    /// What keeps it down.
    down: BTreeSet<Cause>,
}

/// What of the backhaul one site has.
#[derive(Clone, Debug, Default)]
struct Access {
    wan: bool,
    /// Number of its LAN segment.
    lan: Option<u32>,
    /// Elements it uses, ascending.
    elements: Vec<usize>,
    /// Its group in each partition that names it, ascending by cause.
    sides: Vec<(Cause, u32)>,
    /// Flaps that have it down at the moment.
    flapped: BTreeSet<Cause>,
    /// What its WAN links became, the latest last.
    degraded: Vec<(u64, Cause, Path)>,
}

/// Groups between which nothing passes.
#[derive(Clone, Debug)]
struct Partition {
    groups: u32,
    one_way: bool,
    members: Vec<SiteNo>,
}

/// Sites that go down and up together.
#[derive(Clone, Debug)]
struct Flap {
    sites: Vec<SiteNo>,
    half: Micros,
    down: bool,
}

/// The backhaul of a scenario. Changes answer with sites, ascending: every link that opened, closed or changed its path has an end
/// among them.
#[derive(Clone, Debug)]
pub struct Backhaul {
    wan: Path,
    lan: Path,
    sites: Vec<Access>,
    elements: Vec<Element>,
    partitions: BTreeMap<Cause, Partition>,
    flaps: BTreeMap<Cause, Flap>,
    degradings: BTreeMap<Cause, Vec<SiteNo>>,
    latest: u64,
    /// Empty after each change.
    reach: OnceCell<Reach>,
}

impl Backhaul {
    /// Everything up; links between sites behave as `wan`, inside a compound as `lan`.
    #[must_use]
    pub fn new(places: &[scenario::Site], named: &[scenario::Element], wan: Path, lan: Path) -> Self {
        let mut segments: BTreeMap<&str, u32> = BTreeMap::new();
        let mut sites: Vec<Access> = Vec::with_capacity(places.len());
        for site in places {
            let lan = (!site.lan.is_empty() && site.media.contains(&Medium::Lan)).then(|| {
                let next = u32::try_from(segments.len()).unwrap_or(u32::MAX);
                *segments.entry(&site.lan).or_insert(next)
            });
            sites.push(Access { wan: site.media.contains(&Medium::Wan), lan, ..Access::default() });
        }
        let mut elements = Vec::with_capacity(named.len());
        for (number, element) in named.iter().enumerate() {
            let users: BTreeSet<SiteNo> = element.used_by.iter().copied().collect();
            users.iter().for_each(|site| sites[*site].elements.push(number));
            elements.push(Element { kind: element.kind, users: users.into_iter().collect(), down: BTreeSet::new() });
        }
        Self {
            wan,
            lan,
            sites,
            elements,
            partitions: BTreeMap::new(),
            flaps: BTreeMap::new(),
            degradings: BTreeMap::new(),
            latest: 0,
            reach: OnceCell::new(),
        }
    }

    /// What a link between two sites runs over while nothing is broken; none: they have no medium in common but radio.
    #[must_use]
    pub fn route(&self, a: SiteNo, b: SiteNo) -> Option<Route> {
        let (a, b) = (&self.sites[a], &self.sites[b]);
        if a.lan.is_some() && a.lan == b.lan { Some(Route::Lan) } else { (a.wan && b.wan).then_some(Route::Wan) }
    }

    /// How frames from `a` to `b` behave. Of several degradings at the two ends the latest counts.
    #[must_use]
    pub fn path(&self, a: SiteNo, b: SiteNo) -> &Path {
        if self.route(a, b) == Some(Route::Lan) {
            return &self.lan;
        }
        let ends = [a, b].map(|site| self.sites[site].degraded.last());
        ends.into_iter().flatten().max_by_key(|(latest, ..)| *latest).map_or(&self.wan, |(_, _, path)| path)
    }

    /// Frames pass from `a` to `b`. Costs the elements and partitions of the two, whatever else there is.
    #[must_use]
    pub fn open(&self, a: SiteNo, b: SiteNo) -> bool {
        let Some(route) = self.route(a, b) else { return false };
        let (from, to) = (&self.sites[a], &self.sites[b]);
        if !from.flapped.is_empty() || !to.flapped.is_empty() || self.parted(&from.sides, &to.sides) {
            return false;
        }
        route == Route::Lan || self.carried(&from.elements, &to.elements)
    }

    /// Frames pass both ways.
    #[must_use]
    pub fn open_both(&self, a: SiteNo, b: SiteNo) -> bool {
        self.open(a, b) && self.open(b, a)
    }

    /// All elements between users of these are up.
    fn carried(&self, of_a: &[usize], of_b: &[usize]) -> bool {
        merged(of_a, of_b, |element| *element).all(|(number, a, b)| {
            let element = &self.elements[number];
            match element.kind {
                _ if element.down.is_empty() => true,
                ElementKind::Cable => a.is_some() && b.is_some(),
                ElementKind::Exchange | ElementKind::Mast | ElementKind::Provider => false,
            }
        })
    }

    /// Some partition lets nothing pass from the one to the other.
    fn parted(&self, from: &[(Cause, u32)], to: &[(Cause, u32)]) -> bool {
        merged(from, to, |(cause, _)| *cause).any(|(cause, from, to)| {
            let partition = &self.partitions[&cause];
            // Everybody else is the other group of a partition that names one.
            let group = |side: Option<&(Cause, u32)>| side.map(|(_, group)| *group).or((partition.groups == 1).then_some(1));
            match (group(from), group(to)) {
                (Some(from), Some(to)) => from != to && (from == 0 || !partition.one_way),
                (None, _) | (_, None) => false,
            }
        })
    }

    /// Elements fail until [`Self::end`] of the same cause or [`Self::restore`].
    pub fn cut(&mut self, cause: Cause, elements: &[usize]) -> Vec<SiteNo> {
        self.change(elements, |element| element.down.insert(cause) && element.down.len() == 1)
    }

    /// Elements work again, whatever failed them.
    pub fn restore(&mut self, elements: &[usize]) -> Vec<SiteNo> {
        self.change(elements, |element| !std::mem::take(&mut element.down).is_empty())
    }

    fn change(&mut self, elements: &[usize], mut change: impl FnMut(&mut Element) -> bool) -> Vec<SiteNo> {
        self.reach.take();
        let mut touched = BTreeSet::new();
        for number in elements {
            let element = &mut self.elements[*number];
            if change(element) {
                touched.extend(&element.users);
            }
        }
        touched.into_iter().collect()
    }

    /// Nothing passes between these groups until [`Self::end`] of the same cause; a single group is cut from everybody else.
    /// One way: only what the first group sends to the others is lost. A site named twice counts where it is named first.
    pub fn partition(&mut self, cause: Cause, groups: &[Vec<SiteNo>], one_way: bool) -> Vec<SiteNo> {
        let mut touched: BTreeSet<SiteNo> = self.end_partition(cause).into_iter().collect();
        self.reach.take();
        let mut members = BTreeSet::new();
        for (group, site) in (0..).zip(groups).flat_map(|(group, sites)| sites.iter().map(move |site| (group, *site))) {
            if members.insert(site) {
                let sides = &mut self.sites[site].sides;
                let place = sides.partition_point(|(other, _)| *other < cause);
                sides.insert(place, (cause, group));
            }
        }
        touched.extend(&members);
        let groups = u32::try_from(groups.len()).unwrap_or(u32::MAX);
        self.partitions.insert(cause, Partition { groups, one_way, members: members.into_iter().collect() });
        touched.into_iter().collect()
    }

    /// All IP links of these sites go down now, and down and up by [`Self::swing`], until [`Self::end`] of the same cause.
    pub fn flap(&mut self, cause: Cause, sites: &[SiteNo], period: Micros) -> Vec<SiteNo> {
        let mut touched: BTreeSet<SiteNo> = self.end_flap(cause).into_iter().collect();
        let sites: BTreeSet<SiteNo> = sites.iter().copied().collect();
        touched.extend(&sites);
        for site in &sites {
            self.sites[*site].flapped.insert(cause);
        }
        self.reach.take();
        let flap = Flap { sites: sites.into_iter().collect(), half: (period / 2).max(1), down: true };
        self.flaps.insert(cause, flap);
        touched.into_iter().collect()
    }

    /// How long until the next [`Self::swing`] of this flap; none: it is over.
    #[must_use]
    pub fn swings_after(&self, cause: Cause) -> Option<Micros> {
        self.flaps.get(&cause).map(|flap| flap.half)
    }

    /// What was down by this flap comes up, what was up goes down.
    pub fn swing(&mut self, cause: Cause) -> Vec<SiteNo> {
        let Some(flap) = self.flaps.get_mut(&cause) else { return Vec::new() };
        self.reach.take();
        flap.down = !flap.down;
        for site in &flap.sites {
            let flapped = &mut self.sites[*site].flapped;
            if flap.down {
                flapped.insert(cause)
            } else {
                flapped.remove(&cause)
            };
        }
        flap.sites.clone()
    }

    /// The WAN links of these sites get this path until [`Self::end`] of the same cause.
    pub fn degrade(&mut self, cause: Cause, sites: &[SiteNo], path: Path) -> Vec<SiteNo> {
        let mut touched: BTreeSet<SiteNo> = self.end_degrading(cause).into_iter().collect();
        let sites: BTreeSet<SiteNo> = sites.iter().copied().collect();
        touched.extend(&sites);
        self.latest += 1;
        for site in &sites {
            self.sites[*site].degraded.push((self.latest, cause, path));
        }
        self.degradings.insert(cause, sites.into_iter().collect());
        touched.into_iter().collect()
    }

    /// Something that this cause brought about is still there.
    #[must_use]
    pub fn holds(&self, cause: Cause) -> bool {
        let down = || self.elements.iter().any(|element| element.down.contains(&cause));
        self.partitions.contains_key(&cause) || self.flaps.contains_key(&cause) || self.degradings.contains_key(&cause) || down()
    }

    /// Takes back whatever this cause brought about; nothing if it is over already.
    pub fn end(&mut self, cause: Cause) -> Vec<SiteNo> {
        let all: Vec<usize> = (0..self.elements.len()).collect();
        let mut touched: BTreeSet<SiteNo> =
            self.change(&all, |element| element.down.remove(&cause) && element.down.is_empty()).into_iter().collect();
        touched.extend(self.end_partition(cause));
        touched.extend(self.end_flap(cause));
        touched.extend(self.end_degrading(cause));
        touched.into_iter().collect()
    }

    fn end_partition(&mut self, cause: Cause) -> Vec<SiteNo> {
        self.reach.take();
        let members = self.partitions.remove(&cause).map_or_else(Vec::new, |partition| partition.members);
        for site in &members {
            self.sites[*site].sides.retain(|(other, _)| *other != cause);
        }
        members
    }

    fn end_flap(&mut self, cause: Cause) -> Vec<SiteNo> {
        self.reach.take();
        let sites = self.flaps.remove(&cause).map_or_else(Vec::new, |flap| flap.sites);
        for site in &sites {
            self.sites[*site].flapped.remove(&cause);
        }
        sites
    }

    fn end_degrading(&mut self, cause: Cause) -> Vec<SiteNo> {
        let sites = self.degradings.remove(&cause).unwrap_or_default();
        for site in &sites {
            self.sites[*site].degraded.retain(|(_, other, _)| *other != cause);
        }
        sites
    }

    /// Partitions and flaps that name one of these sites end, for all they name, and elements that one of them uses work again.
    /// No sites: all do.
    pub fn heal(&mut self, sites: &[SiteNo]) -> Vec<SiteNo> {
        let whose: BTreeSet<SiteNo> = sites.iter().copied().collect();
        let theirs = |members: &[SiteNo]| whose.is_empty() || members.iter().any(|site| whose.contains(site));
        let elements: Vec<usize> = (0..self.elements.len()).filter(|number| theirs(&self.elements[*number].users)).collect();
        let partitions = self.partitions.iter().filter(|(_, partition)| theirs(&partition.members));
        let partitions: Vec<Cause> = partitions.map(|(cause, _)| *cause).collect();
        let flaps: Vec<Cause> = self.flaps.iter().filter(|(_, flap)| theirs(&flap.sites)).map(|(cause, _)| *cause).collect();
        let mut touched: BTreeSet<SiteNo> = self.restore(&elements).into_iter().collect();
        partitions.into_iter().for_each(|cause| touched.extend(self.end_partition(cause)));
        flaps.into_iter().for_each(|cause| touched.extend(self.end_flap(cause)));
        touched.into_iter().collect()
    }

    /// Everything is as it was at the start.
    pub fn mend_all(&mut self) -> Vec<SiteNo> {
        let mut touched: BTreeSet<SiteNo> = self.heal(&[]).into_iter().collect();
        let over: Vec<Cause> = self.degradings.keys().copied().collect();
        over.into_iter().for_each(|cause| touched.extend(self.end_degrading(cause)));
        touched.into_iter().collect()
    }
}

/// Two lists that ascend by key, walked side by side: each key once, with who has it.
fn merged<'a, T, K: Ord + Copy>(
    a: &'a [T],
    b: &'a [T],
    key: impl Fn(&T) -> K,
) -> impl Iterator<Item = (K, Option<&'a T>, Option<&'a T>)> {
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    std::iter::from_fn(move || {
        let first = [a.peek(), b.peek()].into_iter().flatten().map(|item| key(item)).min()?;
        let mine = a.next_if(|item| key(item) == first);
        let theirs = b.next_if(|item| key(item) == first);
        Some((first, mine, theirs))
    })
}

#[cfg(test)]
mod tests;
