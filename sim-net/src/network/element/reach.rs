//! Who reaches whom, for thousands of sites at once: sites that have everything in common fare alike, so one question is answered
//! for all of them.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::{Access, Backhaul};
use crate::scenario::SiteNo;

/// Sites by what they have in common, and what each lot reaches as far as it was asked. Good until the backhaul changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// The lot of each site.
    lot: Vec<usize>,
    /// A site that stands for each lot, and another of it where there is one.
    stands: Vec<(SiteNo, Option<SiteNo>)>,
    from: Vec<OnceCell<Vec<SiteNo>>>,
    both: Vec<OnceCell<Vec<SiteNo>>>,
}

impl Reach {
    pub(super) fn new(sites: &[Access]) -> Self {
        let mut lots = BTreeMap::new();
        let mut reach = Self::default();
        for (number, site) in sites.iter().enumerate() {
            let next = reach.stands.len();
            let lot = *lots.entry((site.wan, site.lan, &site.elements, &site.sides, !site.flapped.is_empty())).or_insert(next);
            reach.lot.push(lot);
            match reach.stands.get_mut(lot) {
                Some((_, second)) => _ = second.get_or_insert(number),
                None => reach.stands.push((number, None)),
            }
        }
        reach.from = vec![OnceCell::new(); reach.stands.len()];
        reach.both = reach.from.clone();
        reach
    }

    /// All sites of the lots for which this holds, ascending; asked once for each lot.
    fn sites(&self, lot: usize, holds: impl Fn(SiteNo, SiteNo) -> bool) -> Vec<SiteNo> {
        let (first, second) = self.stands[lot];
        let of = |other: usize| if other == lot { second } else { Some(self.stands[other].0) };
        let open: Vec<bool> = (0..self.stands.len()).map(|other| of(other).is_some_and(|site| holds(first, site))).collect();
        (0..self.lot.len()).filter(|site| open[self.lot[*site]]).collect()
    }
}

impl Backhaul {
    /// Sites that frames of this one come to, ascending; itself may be among them.
    pub fn open_from(&self, site: SiteNo) -> &[SiteNo] {
        let reach = self.reach.get_or_init(|| Reach::new(&self.sites));
        let lot = reach.lot[site];
        reach.from[lot].get_or_init(|| reach.sites(lot, |from, to| self.open(from, to)))
    }

    /// Sites with which this one has frames pass both ways, ascending; itself may be among them.
    pub fn open_with(&self, site: SiteNo) -> &[SiteNo] {
        let reach = self.reach.get_or_init(|| Reach::new(&self.sites));
        let lot = reach.lot[site];
        reach.both[lot].get_or_init(|| reach.sites(lot, |here, there| self.open_both(here, there)))
    }
}
