//! Which running sites can reach each other, directly or through others: the picture at a turning point.

use crate::scenario::SiteNo;
use crate::world::World;

/// Per site: 0 where it is off, otherwise the number of its island, 1 the largest.
pub(super) fn islands(world: &World, sites: usize) -> Vec<u16> {
    let mut left: Vec<SiteNo> = (0..sites).filter(|site| world.runs(*site)).collect();
    let mut groups: Vec<Vec<SiteNo>> = Vec::new();
    while let Some(first) = left.pop() {
        let mut group = vec![first];
        let mut next = 0;
        while let Some(site) = group.get(next).copied() {
            let (near, far) = left.into_iter().partition(|other| world.in_reach(site, *other));
            left = far;
            group.extend::<Vec<SiteNo>>(near);
            next += 1;
        }
        group.sort_unstable();
        groups.push(group);
    }
    groups.sort_by_key(|group| (usize::MAX - group.len(), group.first().copied()));
    let mut out = vec![0; sites];
    for (number, group) in groups.iter().enumerate() {
        let number = u16::try_from(number + 1).unwrap_or(u16::MAX);
        group.iter().for_each(|site| out[*site] = number);
    }
    out
}
