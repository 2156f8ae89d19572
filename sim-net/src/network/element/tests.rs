//! The backhaul against a plain reading of its rules, pair by pair.

use holdfast_proto::identity::Region;
use proptest::prelude::*;

use super::*;
use crate::scenario::words::SiteRole;

const SITES: usize = 8;

/// Sites 0 and 1 share a LAN, 7 has no WAN.
fn sites() -> Vec<scenario::Site> {
    (0..SITES)
        .map(|number| scenario::Site {
            id: format!("S{number}"),
            name: String::new(),
            lat: 0,
            lon: 0,
            role: SiteRole::Store,
            owner: String::new(),
            region: Region::new(0).unwrap(),
            power_area: String::new(),
            lan: if number < 2 { "MALL".to_owned() } else { String::new() },
            ups: 0,
            generator: 0,
            media: if number == 7 { vec![Medium::Radio("R1".to_owned())] } else { vec![Medium::Wan, Medium::Lan] },
        })
        .collect()
}

fn element(kind: ElementKind, used_by: &[SiteNo]) -> scenario::Element {
    scenario::Element { id: String::new(), kind, used_by: used_by.to_vec() }
}

fn elements() -> Vec<scenario::Element> {
    vec![
        element(ElementKind::Cable, &[3, 2, 2, 4]),
        element(ElementKind::Exchange, &[2, 3]),
        element(ElementKind::Mast, &[0, 5]),
        element(ElementKind::Cable, &[4, 5, 6]),
    ]
}

const WAN: Path = Path { delay: 18_000, ..Path::LAN };

fn backhaul() -> Backhaul {
    Backhaul::new(&sites(), &elements(), WAN, Path::LAN)
}

/// One change.
#[derive(Clone, Debug)]
enum Change {
    Cut(Cause, Vec<usize>),
    Restore(Vec<usize>),
    Partition(Cause, Vec<Vec<SiteNo>>, bool),
    Flap(Cause, Vec<SiteNo>),
    Swing(Cause),
    Degrade(Cause, Vec<SiteNo>, Path),
    End(Cause),
    Heal(Vec<SiteNo>),
    MendAll,
}

/// The rules read plainly: what is in force, in the order it came.
#[derive(Default)]
struct Plain {
    cuts: Vec<(Cause, usize)>,
    partitions: Vec<(Cause, Vec<Vec<SiteNo>>, bool)>,
    flaps: Vec<(Cause, Vec<SiteNo>, bool)>,
    degraded: Vec<(Cause, Vec<SiteNo>, Path)>,
}

impl Plain {
    fn end(&mut self, cause: Cause) {
        self.cuts.retain(|(other, _)| *other != cause);
        self.partitions.retain(|(other, ..)| *other != cause);
        self.flaps.retain(|(other, ..)| *other != cause);
        self.degraded.retain(|(other, ..)| *other != cause);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Cut(cause, numbers) => self.cuts.extend(numbers.iter().map(|number| (*cause, *number))),
            Change::Restore(numbers) => self.cuts.retain(|(_, number)| !numbers.contains(number)),
            Change::Partition(cause, groups, one_way) => {
                self.partitions.retain(|(other, ..)| other != cause);
                self.partitions.push((*cause, groups.clone(), *one_way));
            }
            Change::Flap(cause, sites) => {
                self.flaps.retain(|(other, ..)| other != cause);
                self.flaps.push((*cause, sites.clone(), true));
            }
            Change::Swing(cause) => {
                self.flaps.iter_mut().filter(|(other, ..)| other == cause).for_each(|(_, _, down)| *down = !*down);
            }
            Change::Degrade(cause, sites, path) => {
                self.degraded.retain(|(other, ..)| other != cause);
                self.degraded.push((*cause, sites.clone(), *path));
            }
            Change::End(cause) => self.end(*cause),
            Change::Heal(sites) => {
                let named = |members: &[SiteNo]| sites.is_empty() || members.iter().any(|site| sites.contains(site));
                self.cuts.retain(|(_, number)| !named(&elements()[*number].used_by));
                self.partitions.retain(|(_, groups, _)| !(sites.is_empty() || groups.iter().any(|group| named(group))));
                self.flaps.retain(|(_, members, _)| !named(members));
            }
            Change::MendAll => *self = Self::default(),
        }
    }

    fn open(&self, a: SiteNo, b: SiteNo) -> bool {
        let lan = a.max(b) == 1;
        let (a_wan, b_wan) = (a != 7, b != 7);
        let parted = self.partitions.iter().any(|(_, groups, one_way)| {
            let group = |site| groups.iter().position(|group| group.contains(&site));
            let group = |site| if groups.len() == 1 { Some(group(site).unwrap_or(1)) } else { group(site) };
            match (group(a), group(b)) {
                (Some(from), Some(to)) => from != to && (!one_way || from == 0),
                _ => false,
            }
        });
        let flapped = self.flaps.iter().any(|(_, sites, down)| *down && (sites.contains(&a) || sites.contains(&b)));
        let cut = self.cuts.iter().any(|(_, number)| {
            let element = &elements()[*number];
            let (a, b) = (element.used_by.contains(&a), element.used_by.contains(&b));
            if element.kind == ElementKind::Cable { a != b } else { a || b }
        });
        !parted && !flapped && (lan || (a_wan && b_wan && !cut))
    }

    fn path(&self, a: SiteNo, b: SiteNo) -> Path {
        let degraded = self.degraded.iter().rfind(|(_, sites, _)| sites.contains(&a) || sites.contains(&b));
        if a.max(b) == 1 { Path::LAN } else { degraded.map_or(WAN, |(_, _, path)| *path) }
    }
}

fn apply(backhaul: &mut Backhaul, change: &Change) -> Vec<SiteNo> {
    match change {
        Change::Cut(cause, numbers) => backhaul.cut(*cause, numbers),
        Change::Restore(numbers) => backhaul.restore(numbers),
        Change::Partition(cause, groups, one_way) => backhaul.partition(*cause, groups, *one_way),
        Change::Flap(cause, sites) => backhaul.flap(*cause, sites, 10),
        Change::Swing(cause) => backhaul.swing(*cause),
        Change::Degrade(cause, sites, path) => backhaul.degrade(*cause, sites, *path),
        Change::End(cause) => backhaul.end(*cause),
        Change::Heal(sites) => backhaul.heal(sites),
        Change::MendAll => backhaul.mend_all(),
    }
}

fn any_change() -> impl Strategy<Value = Change> {
    let cause = || 0..6_u64;
    let some_sites = || prop::collection::vec(0..SITES, 1..5);
    let numbers = || prop::collection::vec(0..4_usize, 1..3);
    prop_oneof![
        4 => (cause(), numbers()).prop_map(|(cause, numbers)| Change::Cut(cause, numbers)),
        1 => numbers().prop_map(Change::Restore),
        4 => (cause(), prop::collection::vec(some_sites(), 1..4), any::<bool>())
            .prop_map(|(cause, groups, one_way)| Change::Partition(cause, groups, one_way)),
        2 => (cause(), some_sites()).prop_map(|(cause, sites)| Change::Flap(cause, sites)),
        2 => cause().prop_map(Change::Swing),
        2 => (cause(), some_sites(), 1..9_u64)
            .prop_map(|(cause, sites, delay)| Change::Degrade(cause, sites, Path { delay, ..WAN })),
        4 => cause().prop_map(Change::End),
        1 => prop::collection::vec(0..SITES, 0..3).prop_map(Change::Heal),
        1 => Just(Change::MendAll),
    ]
}

proptest! {
    #[test]
    fn every_pair_is_open_as_the_rules_say_and_every_change_names_an_end_of_what_it_touched(
        changes in prop::collection::vec(any_change(), 1..25)
    ) {
        let (mut backhaul, mut plain) = (backhaul(), Plain::default());
        for change in &changes {
            let before = backhaul.clone();
            let touched = apply(&mut backhaul, change);
            plain.change(change);
            prop_assert!(touched.is_sorted_by(|a, b| a < b));
            for a in 0..SITES {
                let plain = &plain;
                let open = |both: bool| (0..SITES).filter(move |b| *b != a && plain.open(a, *b) && (!both || plain.open(*b, a)));
                let others = |sites: &[SiteNo]| sites.iter().copied().filter(|b| *b != a).collect::<Vec<_>>();
                prop_assert_eq!(others(backhaul.open_from(a)), open(false).collect::<Vec<_>>(), "from {} after {:?}", a, change);
                prop_assert_eq!(others(backhaul.open_with(a)), open(true).collect::<Vec<_>>(), "with {} after {:?}", a, change);
            }
            for (a, b) in (0..SITES).flat_map(|a| (0..SITES).map(move |b| (a, b))).filter(|(a, b)| a != b) {
                prop_assert_eq!(backhaul.open(a, b), plain.open(a, b), "{} to {} after {:?}", a, b, change);
                prop_assert_eq!(*backhaul.path(a, b), plain.path(a, b), "{} to {} after {:?}", a, b, change);
                let same = before.open(a, b) == backhaul.open(a, b) && before.path(a, b) == backhaul.path(a, b);
                prop_assert!(same || touched.contains(&a) || touched.contains(&b), "{} to {} by {:?}", a, b, change);
            }
        }
    }
}

#[test]
fn users_of_a_cut_cable_go_on_among_themselves_and_those_of_a_dead_exchange_do_not() {
    let mut backhaul = backhaul();
    assert_eq!(backhaul.cut(1, &[0]), [2, 3, 4]);
    assert!(backhaul.open_both(2, 3) && backhaul.open_both(3, 4) && !backhaul.open(2, 6) && backhaul.open(5, 6));
    assert_eq!(backhaul.cut(2, &[1]), [2, 3]);
    assert!(!backhaul.open(2, 3) && !backhaul.open(3, 4));
    assert_eq!(backhaul.end(2), [2, 3]);
    assert!(backhaul.open(2, 3));
}

#[test]
fn neighbours_on_one_lan_do_not_notice_that_the_mast_is_down() {
    let mut backhaul = backhaul();
    backhaul.cut(1, &[2]);
    assert!(backhaul.open_both(0, 1) && !backhaul.open(0, 2));
    assert_eq!(backhaul.route(0, 1), Some(Route::Lan));
    assert_eq!((backhaul.route(0, 2), backhaul.route(0, 7)), (Some(Route::Wan), None));
}

#[test]
fn an_element_stays_down_until_all_that_failed_it_is_over() {
    let mut backhaul = backhaul();
    backhaul.cut(1, &[2]);
    assert!(backhaul.cut(2, &[2]).is_empty());
    assert!(backhaul.end(1).is_empty());
    assert!(!backhaul.open(5, 2));
    assert_eq!(backhaul.end(2), [0, 5]);
    assert!(backhaul.open(5, 2));
}

#[test]
fn a_flapping_site_is_down_for_half_of_each_period() {
    let mut backhaul = backhaul();
    assert_eq!(backhaul.flap(4, &[2], 60), [2]);
    assert_eq!(backhaul.swings_after(4), Some(30));
    for open in [true, false, true, false] {
        assert_eq!(backhaul.swing(4), [2]);
        assert_eq!(backhaul.open(2, 3), open);
    }
    assert_eq!(backhaul.end(4), [2]);
    assert!(backhaul.open(2, 3) && backhaul.swings_after(4).is_none());
}
