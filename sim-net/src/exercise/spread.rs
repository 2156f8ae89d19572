//! How long words take to get around: one histogram a site, so that a region, a firm or any selection can be asked about later.

use std::collections::BTreeMap;

use crate::record::Knowledge;
use crate::scenario::{Micros, SiteNo};
use crate::world::{Via, World};

/// Steps within a doubling: a quantile is at most a quarter too high.
const PER_DOUBLING: u32 = 4;
/// Everything quicker falls into the first bucket.
const FIRST: u32 = 10;
/// Two to this many microseconds are 50 days.
const LAST: u32 = 42;
const BUCKETS: usize = ((LAST - FIRST) * PER_DOUBLING) as usize + 1;

/// Deliveries by how long they took, per site.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    sites: Vec<BTreeMap<u8, u64>>,
    slowest: Vec<Micros>,
    /// The same by what brought them.
    media: BTreeMap<Via, (BTreeMap<u8, u64>, Micros)>,
}

impl Spread {
    /// Takes what the world has measured since the last time.
    pub(super) fn take(&mut self, world: &mut World) {
        let Some(latencies) = &mut world.latencies else { return };
        for (site, via, took) in latencies.each.drain(..) {
            if self.sites.len() <= site {
                self.sites.resize_with(site + 1, BTreeMap::new);
                self.slowest.resize(site + 1, 0);
            }
            *self.sites[site].entry(bucket(took)).or_default() += 1;
            self.slowest[site] = self.slowest[site].max(took);
            let (medium, slowest) = self.media.entry(via).or_default();
            *medium.entry(bucket(took)).or_default() += 1;
            *slowest = took.max(*slowest);
        }
        latencies.last.clear();
    }

    /// Deliveries at these sites and the time that `permille` of them took at most.
    pub(super) fn quantile(&self, sites: &[SiteNo], permille: u64) -> (u64, Micros) {
        let sum = self.sum(sites);
        let all: u64 = sum.values().sum();
        (all, at_most(&sum, all, permille).min(self.slowest(sites)))
    }

    /// The longest that any delivery to these sites took: nothing said of them is later.
    fn slowest(&self, sites: &[SiteNo]) -> Micros {
        sites.iter().filter_map(|site| self.slowest.get(*site)).copied().max().unwrap_or(0)
    }

    /// What is known of these sites, for the record.
    pub(super) fn knowledge(&self, region: &str, sites: &[SiteNo], never: [u64; 3]) -> Knowledge {
        knowledge(region.to_owned(), &self.sum(sites), self.slowest(sites), never)
    }

    /// The same of all sites by what brought the words; `name` names a medium, or says that it is none.
    pub(super) fn by_medium(&self, name: impl Fn(Via) -> Option<String>) -> Vec<Knowledge> {
        let named = self.media.iter().filter_map(|(via, (sum, slowest))| Some((name(*via)?, sum, *slowest)));
        named.map(|(name, sum, slowest)| knowledge(name, sum, slowest, [0; 3])).collect()
    }

    fn sum(&self, sites: &[SiteNo]) -> BTreeMap<u8, u64> {
        let mut sum = BTreeMap::new();
        for (bucket, count) in sites.iter().filter_map(|site| self.sites.get(*site)).flatten() {
            *sum.entry(*bucket).or_default() += count;
        }
        sum
    }
}

/// A histogram as the record tells it.
fn knowledge(of: String, sum: &BTreeMap<u8, u64>, slowest: Micros, never: [u64; 3]) -> Knowledge {
    let all: u64 = sum.values().sum();
    let mut so_far = 0;
    let curve = sum.iter().map(|(bucket, count)| {
        so_far += count;
        (upper(*bucket).min(slowest), so_far)
    });
    Knowledge {
        of,
        deliveries: all,
        p50: at_most(sum, all, 500).min(slowest),
        p95: at_most(sum, all, 950).min(slowest),
        slowest,
        never,
        curve: curve.collect(),
    }
}

fn at_most(sum: &BTreeMap<u8, u64>, all: u64, permille: u64) -> Micros {
    let wanted = (all * permille).div_ceil(1_000);
    let mut so_far = 0;
    for (bucket, count) in sum {
        so_far += count;
        if so_far >= wanted && so_far > 0 {
            return upper(*bucket);
        }
    }
    0
}

/// The bucket of a length of time.
fn bucket(took: Micros) -> u8 {
    let exponent = took.max(1).ilog2();
    if exponent < FIRST {
        return 0;
    }
    let quarter = (took >> (exponent - 2)) as u32 & 3;
    let index = (exponent - FIRST) * PER_DOUBLING + quarter + 1;
    u8::try_from((index as usize).min(BUCKETS - 1)).unwrap_or(u8::MAX)
}

/// The longest time that falls into a bucket.
fn upper(bucket: u8) -> Micros {
    if bucket == 0 {
        return 1 << FIRST;
    }
    let index = u32::from(bucket) - 1;
    let (exponent, quarter) = (FIRST + index / PER_DOUBLING, index % PER_DOUBLING);
    (1 << exponent) + ((u64::from(quarter) + 1) << (exponent - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_within_a_quarter_below_the_end_of_its_bucket() {
        for took in (0..50).map(|step| 1_100_u64 + step * step * step * 977).chain([1 << 20, (1 << 20) - 1, 1 << 40]) {
            let end = upper(bucket(took));
            assert!(took <= end && end <= took + took / 4 + 1, "{took} in a bucket that ends at {end}");
        }
        assert_eq!(upper(bucket(3)), 1 << FIRST);
    }

    #[test]
    fn quantiles_count_all_sites_asked_for_and_no_other() {
        let mut spread = Spread { sites: vec![BTreeMap::new(); 3], slowest: vec![0; 3], ..Spread::default() };
        for (site, took) in [(0, 2_000), (0, 2_000), (1, 4_000_000), (2, 1 << 40)] {
            *spread.sites[site].entry(bucket(took)).or_default() += 1;
            spread.slowest[site] = spread.slowest[site].max(took);
        }
        assert_eq!(spread.quantile(&[0, 1], 500).0, 3);
        assert!(spread.quantile(&[0, 1], 500).1 < 2_600);
        assert_eq!(spread.quantile(&[0, 1], 950).1, 4_000_000, "never later than the slowest of them");
        assert_eq!(spread.quantile(&[], 950), (0, 0));
        let knowledge = spread.knowledge("HUA", &[0, 1], [0; 3]);
        assert!(knowledge.p50 <= knowledge.p95 && knowledge.p95 <= knowledge.slowest, "{knowledge:?}");
        assert!(knowledge.curve.iter().all(|(took, _)| *took <= knowledge.slowest), "{knowledge:?}");
    }
}
