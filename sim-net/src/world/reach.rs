//! Whether frames pass from one site to another: from what each of them is cut off from, never from a table of pairs.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::words::{ElementKind, Medium};
use crate::scenario::{Element, Path, Site, SiteNo};

/// What joins two sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One compound.
    Lan,
    /// The internet.
    Wan,
}

/// A partition that stands.
#[derive(Clone, Copy, Debug)]
struct Partition {
    one_way: bool,
    /// Only one group was named: everybody else is the other.
    rest: bool,
}

/// What one site is cut off from.
#[derive(Clone, Debug, Default)]
struct Footing {
    /// Which LAN, 0 for none.
    lan: u32,
    wan: bool,
    /// Injects that cut it off from everybody.
    alone: BTreeSet<u32>,
    /// Failing elements that were its way to anybody.
    stranded: usize,
    /// Failing cables it depends on, ascending.
    cables: Vec<usize>,
    /// Its group in each partition that names it, by inject.
    groups: BTreeMap<u32, usize>,
    /// What its WAN links became, by turn; the last counts.
    degraded: Vec<(u64, u32, Path)>,
}

/// All sites and what stands between them.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    sites: Vec<Footing>,
    elements: Vec<(Element, BTreeSet<u32>)>,
    partitions: BTreeMap<u32, Partition>,
    turn: u64,
}

impl Reach {
    pub(super) fn new(sites: &[Site], elements: &[Element]) -> Self {
        let mut lans: BTreeMap<&str, u32> = BTreeMap::new();
        let footings = sites.iter().map(|site| {
            let next = u32::try_from(lans.len() + 1).unwrap_or(u32::MAX);
            let lan = if site.lan.is_empty() { 0 } else { *lans.entry(site.lan.as_str()).or_insert(next) };
            Footing { lan, wan: site.media.contains(&Medium::Wan), ..Footing::default() }
        });
        Self {
            sites: footings.collect(),
            elements: elements.iter().map(|element| (element.clone(), BTreeSet::new())).collect(),
            partitions: BTreeMap::new(),
            turn: 0,
        }
    }

    /// Frames pass from `a` to `b`.
    pub(super) fn open(&self, a: SiteNo, b: SiteNo) -> bool {
        let (from, to) = (&self.sites[a], &self.sites[b]);
        if !from.alone.is_empty() || !to.alone.is_empty() || self.parted(from, to) {
            return false;
        }
        match self.way(a, b) {
            Some(Way::Lan) => true,
            Some(Way::Wan) => from.stranded == 0 && to.stranded == 0 && from.cables == to.cables,
            None => false,
        }
    }

    /// Frames pass both ways.
    pub(super) fn open_both(&self, a: SiteNo, b: SiteNo) -> bool {
        self.open(a, b) && (self.partitions.is_empty() || self.open(b, a))
    }

    /// What joins them when nothing is broken.
    pub(super) fn way(&self, a: SiteNo, b: SiteNo) -> Option<Way> {
        let (from, to) = (&self.sites[a], &self.sites[b]);
        if from.lan != 0 && from.lan == to.lan {
            return Some(Way::Lan);
        }
        (from.wan && to.wan).then_some(Way::Wan)
    }

    /// What the WAN between them became, where it was degraded.
    pub(super) fn degraded(&self, a: SiteNo, b: SiteNo) -> Option<Path> {
        let last = |site: SiteNo| self.sites[site].degraded.last();
        last(a).into_iter().chain(last(b)).max_by_key(|(turn, ..)| *turn).map(|(.., path)| *path)
    }

    fn parted(&self, from: &Footing, to: &Footing) -> bool {
        let blocks = |partition: &Partition, here: usize, there: usize| here != there && (!partition.one_way || here == 0);
        let named = |nr: &u32, here: Option<usize>, there: Option<usize>| {
            let Some(partition) = self.partitions.get(nr) else { return false };
            let or_rest = |group: Option<usize>| group.or_else(|| partition.rest.then_some(1));
            or_rest(here).zip(or_rest(there)).is_some_and(|(here, there)| blocks(partition, here, there))
        };
        from.groups.iter().any(|(nr, here)| named(nr, Some(*here), to.groups.get(nr).copied()))
            || to.groups.iter().any(|(nr, there)| named(nr, from.groups.get(nr).copied(), Some(*there)))
    }

    /// Parts these groups. Whose links are touched.
    pub(super) fn part(&mut self, nr: u32, groups: &[Vec<SiteNo>], one_way: bool) -> Vec<SiteNo> {
        self.partitions.insert(nr, Partition { one_way, rest: groups.len() == 1 });
        for (place, group) in groups.iter().enumerate() {
            for site in group {
                self.sites[*site].groups.insert(nr, place);
            }
        }
        groups.concat()
    }

    /// One partition ends.
    pub(super) fn join(&mut self, nr: u32) -> Vec<SiteNo> {
        self.partitions.remove(&nr);
        self.everybody(|footing| footing.groups.remove(&nr).is_some())
    }

    /// All partitions and element cuts end; with `only`, theirs.
    pub(super) fn heal(&mut self, only: &[SiteNo]) -> Vec<SiteNo> {
        if only.is_empty() {
            self.partitions.clear();
            let mut touched = self.everybody(|footing| {
                let named = !footing.groups.is_empty();
                footing.groups.clear();
                named
            });
            touched.extend(self.restore(&(0..self.elements.len()).collect::<Vec<_>>()));
            return touched;
        }
        for site in only {
            self.sites[*site].groups.clear();
        }
        let users = |(element, _): &(Element, BTreeSet<u32>)| only.iter().any(|site| element.used_by.contains(site));
        let theirs: Vec<usize> = (0..self.elements.len()).filter(|place| users(&self.elements[*place])).collect();
        let mut touched = self.restore(&theirs);
        touched.extend(only);
        touched
    }

    /// Every site of which `change` says that it was touched.
    fn everybody(&mut self, mut change: impl FnMut(&mut Footing) -> bool) -> Vec<SiteNo> {
        self.sites.iter_mut().enumerate().filter_map(|(site, footing)| change(footing).then_some(site)).collect()
    }

    /// Elements fail because of this inject.
    pub(super) fn cut(&mut self, nr: u32, elements: &[usize]) -> Vec<SiteNo> {
        let mut touched = Vec::new();
        for place in elements {
            let (element, causes) = &mut self.elements[*place];
            if causes.is_empty() {
                touched.extend(&element.used_by);
            }
            causes.insert(nr);
        }
        self.weigh(&touched);
        touched
    }

    /// Elements work again, whatever cut them.
    pub(super) fn restore(&mut self, elements: &[usize]) -> Vec<SiteNo> {
        self.mend(elements, BTreeSet::clear)
    }

    /// What this inject cut works again, unless another cut it too.
    pub(super) fn uncut(&mut self, nr: u32, elements: &[usize]) -> Vec<SiteNo> {
        self.mend(elements, |causes| {
            causes.remove(&nr);
        })
    }

    fn mend(&mut self, elements: &[usize], change: impl Fn(&mut BTreeSet<u32>)) -> Vec<SiteNo> {
        let mut touched = Vec::new();
        for place in elements {
            let (element, causes) = &mut self.elements[*place];
            let failed = !causes.is_empty();
            change(causes);
            if failed && causes.is_empty() {
                touched.extend(&element.used_by);
            }
        }
        self.weigh(&touched);
        touched
    }

    /// What failing elements mean for these sites.
    fn weigh(&mut self, touched: &[SiteNo]) {
        for site in touched {
            (self.sites[*site].stranded, self.sites[*site].cables) = (0, Vec::new());
        }
        let touched: BTreeSet<SiteNo> = touched.iter().copied().collect();
        for (place, (element, _)) in self.elements.iter().enumerate().filter(|(_, (_, causes))| !causes.is_empty()) {
            for site in element.used_by.iter().filter(|site| touched.contains(site)) {
                match element.kind {
                    ElementKind::Cable => self.sites[*site].cables.push(place),
                    ElementKind::Exchange | ElementKind::Mast | ElementKind::Provider => self.sites[*site].stranded += 1,
                }
            }
        }
    }

    /// A site is cut off from everybody because of this inject, or no longer because of it.
    pub(super) fn cut_off(&mut self, nr: u32, site: SiteNo, off: bool) {
        if off {
            self.sites[site].alone.insert(nr);
        } else {
            self.sites[site].alone.remove(&nr);
        }
    }

    /// The WAN links of these sites become `path`.
    pub(super) fn degrade(&mut self, nr: u32, sites: &[SiteNo], path: Path) {
        self.turn += 1;
        for site in sites {
            self.sites[*site].degraded.push((self.turn, nr, path));
        }
    }

    /// They are again what they were before this inject.
    pub(super) fn upgrade(&mut self, nr: u32, sites: &[SiteNo]) {
        for site in sites {
            self.sites[*site].degraded.retain(|(_, cause, _)| *cause != nr);
        }
    }

    /// Nothing is broken any more.
    pub(super) fn mend_all(&mut self) {
        self.partitions.clear();
        self.elements.iter_mut().for_each(|(_, causes)| causes.clear());
        for footing in &mut self.sites {
            *footing = Footing { lan: footing.lan, wan: footing.wan, ..Footing::default() };
        }
    }

    /// Sites on the LAN of this one.
    pub(super) fn mates(&self, site: SiteNo) -> impl Iterator<Item = SiteNo> {
        let lan = self.sites[site].lan;
        (0..self.sites.len()).filter(move |other| lan != 0 && *other != site && self.sites[*other].lan == lan)
    }
}

#[cfg(test)]
mod tests {
    use holdfast_proto::identity::Region;

    use super::*;
    use crate::scenario::words::SiteRole;

    fn site(place: usize, lan: &str) -> Site {
        Site {
            id: format!("S{place}"),
            name: String::new(),
            lat: 0,
            lon: 0,
            role: SiteRole::Store,
            owner: String::new(),
            region: Region::new(0).unwrap(),
            power_area: String::new(),
            lan: lan.to_owned(),
            ups: 0,
            generator: 0,
            media: vec![Medium::Wan],
        }
    }

    fn element(kind: ElementKind, used_by: &[SiteNo]) -> Element {
        Element { id: String::new(), kind, used_by: used_by.to_vec() }
    }

    /// Sites 0 and 1 share a LAN; a cable joins 0, 1 and 2 to 3 and 4; an exchange carries 2 and 3.
    fn reach() -> Reach {
        let sites: Vec<Site> = ["a", "a", "", "", ""].iter().enumerate().map(|(place, lan)| site(place, lan)).collect();
        Reach::new(&sites, &[element(ElementKind::Cable, &[0, 1, 2]), element(ElementKind::Exchange, &[2, 3])])
    }

    /// Pairs that are not open, `a` below `b`.
    fn shut(reach: &Reach) -> Vec<(SiteNo, SiteNo)> {
        let pairs = (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b)));
        pairs.filter(|(a, b)| !reach.open_both(*a, *b)).collect()
    }

    #[test]
    fn a_cable_joins_its_users_to_everybody_else_and_an_exchange_each_to_anybody() {
        let mut reach = reach();
        assert_eq!(reach.cut(1, &[0]), [0, 1, 2]);
        assert_eq!(shut(&reach), [(0, 3), (0, 4), (1, 3), (1, 4), (2, 3), (2, 4)]);
        reach.cut(2, &[0, 1]);
        assert_eq!(shut(&reach), [(0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]);
        assert!(reach.uncut(1, &[0]).is_empty(), "the other inject still cuts it");
        reach.restore(&[0]);
        assert_eq!(shut(&reach), [(0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4)]);
        reach.heal(&[]);
        assert!(shut(&reach).is_empty());
    }

    #[test]
    fn groups_are_parted_from_each_other_and_one_group_from_everybody() {
        let mut reach = reach();
        reach.part(1, &[vec![0], vec![1, 2]], false);
        assert_eq!(shut(&reach), [(0, 1), (0, 2)], "a LAN is an IP link too");
        reach.part(2, &[vec![4]], true);
        assert!(!reach.open(4, 3) && reach.open(3, 4) && !reach.open(4, 0));
        reach.heal(&[0]);
        assert!(reach.open_both(0, 1) && !reach.open_both(3, 4));
        assert_eq!(reach.join(2), [4]);
        assert!(shut(&reach).is_empty());
    }

    #[test]
    fn the_last_word_about_a_degraded_link_counts_until_it_is_taken_back() {
        let mut reach = reach();
        let path = |delay| Path { delay, ..Path::LAN };
        reach.degrade(1, &[0], path(1));
        reach.degrade(2, &[3], path(2));
        assert_eq!(reach.degraded(0, 3).map(|path| path.delay), Some(2));
        reach.upgrade(2, &[3]);
        assert_eq!(reach.degraded(3, 0).map(|path| path.delay), Some(1));
        assert_eq!(reach.degraded(3, 4), None);
    }

    #[test]
    fn a_site_off_the_net_reaches_nobody() {
        let mut reach = reach();
        reach.cut_off(1, 0, true);
        reach.cut_off(2, 0, true);
        reach.cut_off(1, 0, false);
        assert_eq!(shut(&reach), [(0, 1), (0, 2), (0, 3), (0, 4)]);
        reach.cut_off(2, 0, false);
        assert!(shut(&reach).is_empty());
        assert_eq!(reach.mates(0).collect::<Vec<_>>(), [1]);
    }
}
