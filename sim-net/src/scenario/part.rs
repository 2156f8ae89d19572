//! A part of a scenario: fewer sites, elements or injects, renumbered wherever they are named, and nothing left that names what is
//! gone. Works on the data alone.

use std::collections::{BTreeMap, BTreeSet};

use super::words::Medium;
use super::{After, Check, Counted, Effect, Expect, Inject, Scenario, Site, SiteNo, Subject, When};

/// Where what is kept stands afterwards.
struct Places(BTreeMap<usize, usize>);

impl Places {
    fn new(kept: &BTreeSet<usize>) -> Self {
        Self(kept.iter().enumerate().map(|(new, old)| (*old, new)).collect())
    }

    fn keeps(&self, old: usize) -> bool {
        self.0.contains_key(&old)
    }

    /// Renumbers one; false where it is gone.
    fn one(&self, no: &mut usize) -> bool {
        self.0.get(no).map(|new| *no = *new).is_some()
    }

    /// Renumbers those that are left; false where none is.
    fn some(&self, list: &mut Vec<usize>) -> bool {
        list.retain_mut(|no| self.one(no));
        !list.is_empty()
    }

    /// The same where an empty list means everybody.
    fn some_or_all(&self, list: &mut Vec<usize>) -> bool {
        list.is_empty() || self.some(list)
    }

    fn of<T>(&self, list: &mut Vec<T>) {
        let mut no = 0;
        list.retain(|_| {
            no += 1;
            self.keeps(no - 1)
        });
    }
}

impl Scenario {
    /// The same with these sites alone. What named others, too, names fewer; what is left without any site goes, and with it
    /// whatever refers to it.
    #[must_use]
    pub fn with_sites(mut self, kept: &BTreeSet<SiteNo>) -> Self {
        let places = Places::new(kept);
        places.of(&mut self.sites);
        let count = self.sites.len();
        self.elements.iter_mut().for_each(|element| element.used_by.retain_mut(|site| places.one(site)));
        self.injects.retain_mut(|inject| touches(&mut inject.effect, &places, count));
        for expect in &mut self.expects {
            expect.checks.retain_mut(|check| looks(check, &places));
        }
        self.drop_silent_channels();
        let used =
            self.elements.iter().enumerate().filter(|(_, element)| !element.used_by.is_empty()).map(|(no, _)| no).collect();
        self.with_elements(&used)
    }

    /// A radio channel that no site has left goes, and what disturbs or measures it.
    fn drop_silent_channels(&mut self) {
        let has = |site: &Site, name: &str| site.media.iter().any(|medium| matches!(medium, Medium::Radio(one) if one == name));
        let sites = &self.sites;
        self.world.channels.retain(|channel| sites.iter().any(|site| has(site, &channel.name)));
        let heard: BTreeSet<&str> = self.world.channels.iter().map(|channel| channel.name.as_str()).collect();
        let jams_nothing = |effect: &Effect| matches!(effect, Effect::Jam { channel, .. } if !heard.contains(channel.as_str()));
        let radio = |site: &SiteNo| heard.iter().any(|name| has(&sites[*site], name));
        let breaks_nothing = |effect: &Effect| matches!(effect, Effect::AntennaDown(down) if !down.iter().any(radio));
        self.injects.retain(|inject| !jams_nothing(&inject.effect) && !breaks_nothing(&inject.effect));
        for expect in &mut self.expects {
            expect
                .checks
                .retain(|check| !matches!(check, Check::AirtimeBelow { channel, .. } if !heard.contains(channel.as_str())));
        }
    }

    /// The same with these elements alone.
    #[must_use]
    pub fn with_elements(mut self, kept: &BTreeSet<usize>) -> Self {
        let places = Places::new(kept);
        places.of(&mut self.elements);
        self.injects.retain_mut(|inject| {
            let (Effect::Cut(elements) | Effect::Restore(elements)) = &mut inject.effect else { return true };
            places.some(elements)
        });
        self.without_loose_ends()
    }

    /// The same with the injects of these numbers alone.
    #[must_use]
    pub fn with_injects(mut self, kept: &BTreeSet<u32>) -> Self {
        self.injects.retain(|inject| kept.contains(&inject.nr));
        self.without_loose_ends()
    }

    /// What refers to an inject, a request, an expectation or a firm that is not there goes, until nothing does.
    fn without_loose_ends(mut self) -> Self {
        loop {
            let before = self.size();
            let labels: BTreeSet<String> =
                self.injects.iter().filter_map(|inject| inject.effect.request().map(str::to_owned)).collect();
            let numbers: BTreeSet<u32> = self.injects.iter().map(|inject| inject.nr).collect();
            self.expects.retain_mut(|expect| expect_holds(expect, &labels, &numbers));
            let expects: BTreeSet<&str> = self.expects.iter().map(|expect| expect.id.as_str()).collect();
            let owners: BTreeSet<&str> = self.sites.iter().map(|site| site.owner.as_str()).collect();
            self.injects.retain_mut(|inject| inject_holds(inject, &labels, &expects, &owners));
            if self.size() == before {
                return self;
            }
        }
    }

    fn size(&self) -> (usize, usize) {
        (self.injects.len(), self.expects.iter().map(|expect| expect.checks.len()).sum())
    }
}

fn expect_holds(expect: &mut Expect, labels: &BTreeSet<String>, numbers: &BTreeSet<u32>) -> bool {
    expect.checks.retain(|check| check_holds(check, labels, numbers));
    let starts = match expect.after {
        After::Time(_) => true,
        After::Inject(nr) => numbers.contains(&nr),
    };
    starts && !expect.checks.is_empty()
}

fn check_holds(check: &Check, labels: &BTreeSet<String>, numbers: &BTreeSet<u32>) -> bool {
    match check {
        Check::Knows { what: Subject::Request(label) | Subject::Commitment(label), .. }
        | Check::Count { what: Counted::Suppliers { request: label, .. }, .. } => labels.contains(label),
        Check::Knows { what: Subject::Inject(nr), .. } | Check::NeverAccepted(nr) => numbers.contains(nr),
        Check::Never(check) => check_holds(check, labels, numbers),
        Check::Count { .. }
        | Check::Shows { .. }
        | Check::ShowsAge { .. }
        | Check::Sum { .. }
        | Check::Equal(_)
        | Check::TimeToKnowP95 { .. }
        | Check::NeverAcceptedFrom(_)
        | Check::AirtimeBelow { .. } => true,
    }
}

fn inject_holds(inject: &mut Inject, labels: &BTreeSet<String>, expects: &BTreeSet<&str>, owners: &BTreeSet<&str>) -> bool {
    inject.expect.retain(|id| expects.contains(id.as_str()));
    if let When::Unless { expect, .. } = &inject.when
        && !expects.contains(expect.as_str())
    {
        return false;
    }
    if let Effect::Cancel(label) | Effect::Close(label) = &inject.effect {
        return labels.contains(label);
    }
    if let Effect::Goods { deed, .. } = &inject.effect {
        return deed.requests().all(|label| labels.contains(label));
    }
    if let Effect::FirmOutage(owner) = &inject.effect { owners.contains(owner.as_str()) } else { true }
}

/// Renumbers the sites of an effect; false where it touches nobody any more. `count` sites are left.
fn touches(effect: &mut Effect, places: &Places, count: usize) -> bool {
    match effect {
        Effect::PowerLoss(sites)
        | Effect::PowerBack(sites)
        | Effect::Degrade { sites, .. }
        | Effect::Flap { sites, .. }
        | Effect::Swizzle(sites)
        | Effect::Crash(sites)
        | Effect::Restart(sites)
        | Effect::ReplacePc(sites)
        | Effect::DiskFull(sites)
        | Effect::DiskCorrupt(sites)
        | Effect::OldBackup { sites, .. }
        | Effect::ClockJump { sites, .. }
        | Effect::ClockDrift { sites, .. }
        | Effect::AntennaDown(sites)
        | Effect::Report { sites, .. }
        | Effect::OperatorAbsent(sites) => places.some(sites),
        Effect::Heal(sites) | Effect::Jam { sites, .. } => places.some_or_all(sites),
        Effect::Partition { groups, .. } => {
            // A single group is cut from everybody, several from each other: one that lost its partners would become another thing.
            let several = groups.len() > 1;
            groups.retain_mut(|group| places.some(group));
            if several { groups.len() > 1 } else { groups.first().is_some_and(|group| group.len() < count) }
        }
        Effect::Courier { from, to } => places.one(from) && places.one(to),
        Effect::Forge { site, .. } | Effect::Request { site, .. } | Effect::Goods { site, .. } => places.one(site),
        Effect::Observe { site, of, .. } => places.one(site) && places.one(of),
        Effect::Revoke { site, at } => places.one(site) && places.one(at),
        Effect::Order { site, acting_for, .. } => {
            places.one(site) && acting_for.as_mut().is_none_or(|principal| places.one(principal))
        }
        Effect::Deputies { site, of, .. } => places.one(site) && places.some(of),
        Effect::Cut(_)
        | Effect::Restore(_)
        | Effect::FirmOutage(_)
        | Effect::Cancel(_)
        | Effect::Close(_)
        | Effect::Say
        | Effect::TellController
        | Effect::StopExercise => true,
    }
}

/// Renumbers the sites of a check; false where it looks at nobody any more.
fn looks(check: &mut Check, places: &Places) -> bool {
    match check {
        Check::Knows { sites, .. }
        | Check::Equal(sites)
        | Check::TimeToKnowP95 { sites, .. }
        | Check::Count { what: Counted::Running(sites) | Counted::Open(sites), .. } => places.some(sites),
        Check::Count {
            what:
                Counted::RequestsOpen(site)
                | Counted::Conflicts(site)
                | Counted::Reachable(site)
                | Counted::Forked(site)
                | Counted::Revoked(site)
                | Counted::Suppliers { at: site, .. },
            ..
        }
        | Check::NeverAcceptedFrom(site) => places.one(site),
        Check::Shows { at, of, .. } | Check::ShowsAge { at, of, .. } => places.some(at) && places.some(of),
        Check::Sum { at, of, .. } => places.one(at) && places.some(of),
        Check::Never(check) => looks(check, places),
        Check::AirtimeBelow { .. } | Check::NeverAccepted(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::{Scale, draw};

    const SCALE: Scale = Scale { nodes: 8, minutes: 4 };

    /// Everything a scenario names, by its name: numbers say nothing once sites are gone.
    fn named(scenario: &Scenario, inject: &Inject) -> (BTreeSet<String>, BTreeSet<String>) {
        let sites = inject.effect.sites().iter().map(|no| scenario.sites[*no].id.clone()).collect();
        let (Effect::Cut(elements) | Effect::Restore(elements)) = &inject.effect else { return (sites, BTreeSet::new()) };
        (sites, elements.iter().map(|no| scenario.elements[*no].id.clone()).collect())
    }

    #[test]
    fn whatever_is_left_out_the_rest_names_whom_it_named_before_and_can_be_played() {
        for seed in 0..60 {
            let whole = draw(seed, SCALE);
            for kept in [vec![0, 1], vec![2, 5, 7], vec![0, 3, 4, 5, 6], (1..8).collect()] {
                let kept: BTreeSet<usize> = kept.into_iter().collect();
                let part = whole.clone().with_sites(&kept);
                assert_eq!(part.sites.len(), kept.len());
                let problems = super::super::check(&part).1;
                assert!(problems.is_empty(), "seed {seed}: {problems:?}");
                let left: BTreeSet<String> = part.sites.iter().map(|site| site.id.clone()).collect();
                for inject in &part.injects {
                    let before = whole.injects.iter().find(|one| one.nr == inject.nr).unwrap();
                    let (sites, elements) = named(&whole, before);
                    let still: BTreeSet<String> = sites.intersection(&left).cloned().collect();
                    let (now, now_elements) = named(&part, inject);
                    assert_eq!(now, still, "seed {seed} inject {}", inject.nr);
                    assert!(now_elements.is_subset(&elements));
                }
                for element in &part.elements {
                    let before = whole.elements.iter().find(|one| one.id == element.id).unwrap();
                    let ids = |scenario: &Scenario, list: &[usize]| -> BTreeSet<String> {
                        list.iter().map(|no| scenario.sites[*no].id.clone()).collect()
                    };
                    let still = ids(&whole, &before.used_by).intersection(&left).cloned().collect();
                    assert_eq!(ids(&part, &element.used_by), still);
                }
            }
        }
    }

    #[test]
    fn what_refers_to_something_that_is_gone_goes_with_it() {
        let mut scenario = draw(1, SCALE);
        let plain = |nr, effect| Inject { nr, effect, ..scenario.injects[0].clone() };
        let lines = vec![("water".to_owned(), 1)];
        let request = Effect::Request { site: 1, label: "R-1".into(), lines, priority: String::new(), needed_by: None };
        let mut contingency = plain(5, Effect::Crash(vec![3]));
        contingency.when = When::Unless { expect: "X1".into(), by: 100_000_000 };
        scenario.injects =
            vec![plain(1, request), plain(2, Effect::Cancel("R-1".into())), plain(3, Effect::Crash(vec![1, 2])), contingency];
        let knows = Check::Knows { sites: vec![2, 3], alive: false, what: Subject::Request("R-1".into()), at_least: 1_000_000 };
        scenario.expects = vec![Expect {
            id: "X1".into(),
            objective: None,
            text: "known".into(),
            after: After::Inject(1),
            within: 60_000_000,
            checks: vec![knows],
            origin: super::super::Origin::default(),
        }];
        let without = scenario.with_sites(&[0, 2, 3].into());
        let left: Vec<(u32, Effect)> = without.injects.into_iter().map(|inject| (inject.nr, inject.effect)).collect();
        assert_eq!(left, [(3, Effect::Crash(vec![1]))]);
        assert!(without.expects.is_empty());
    }

    #[test]
    fn a_group_that_lost_its_partner_does_not_part_others() {
        let mut scenario = draw(1, SCALE);
        let groups = vec![vec![0], vec![1, 2]];
        scenario.injects.truncate(1);
        scenario.injects[0].effect = Effect::Partition { groups, one_way: false };
        assert!(scenario.clone().with_sites(&[1, 2, 3].into()).injects.is_empty());
        let kept = scenario.with_sites(&[0, 2, 3].into());
        assert_eq!(kept.injects[0].effect, Effect::Partition { groups: vec![vec![0], vec![1]], one_way: false });
    }
}
