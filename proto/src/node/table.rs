//! All links of a node: by name, and by the place each has while it is up.
//!
//! A node may hold a hundred links, and an input is about one or two of them. So whoever changes a link is noted, and what follows
//! from all of them (who is there, what waits to go out, which deadline is next) is worked out anew for those alone.

use super::Timer;
use super::link::Link;
use crate::config::LINKS_MAX;
use crate::id::NodeId;
use crate::link::{LinkId, LinkProfile};
use crate::time::Instant;

/// Where a link stands; free again once it is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u8);

impl Place {
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The place of this number, for tests without links.
    #[cfg(test)]
    pub(super) fn of(number: u8) -> Self {
        Self(number)
    }
}

/// Some of a node's links, by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u128);

impl Set {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(super) fn has(self, place: Place) -> bool {
        self.0 & (1 << place.0) != 0
    }

    pub(super) fn insert(&mut self, place: Place) {
        self.0 |= 1 << place.0;
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.0 &= !(1 << place.0);
    }

    pub(super) fn set(&mut self, place: Place, member: bool) {
        if member { self.insert(place) } else { self.remove(place) }
    }

    pub(super) fn places(self) -> impl Iterator<Item = Place> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = u8::try_from(left.trailing_zeros()).ok().filter(|_| left != 0)?;
            left &= left - 1;
            Some(Place(place))
        })
    }
}

impl std::ops::BitOr for Set {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Set {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::ops::Sub for Set {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<Place> for Set {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Self {
        let mut set = Self::default();
        places.into_iter().for_each(|place| set.insert(place));
        set
    }
}

/// All links.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    places: Vec<Option<Box<Link>>>,
    /// Ascending by name: the order in which all of them are gone through.
    names: Vec<(LinkId, Place)>,
    /// Perhaps changed since the last look.
    touched: Set,
    // What follows from the links, as of the last look.
    busy: Set,
    greeted: Set,
    broadcast: Set,
    lossy: Set,
    content: Set,
    nodes: Vec<Option<NodeId>>,
    deadlines: Vec<Option<(Instant, Timer)>>,
    next: Option<(Instant, Timer)>,
    /// The comparison that a change brings is planned, and nothing about it changed since.
    settled: Set,
    /// What is announced goes out in time; one more mention makes it no sooner.
    gathering: Set,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Where a link stands.
    pub(super) fn place(&self, id: LinkId) -> Option<Place> {
        self.names.binary_search_by_key(&id, |(name, _)| *name).ok().and_then(|at| self.names.get(at)).map(|(_, place)| *place)
    }

    pub(super) fn get(&self, id: &LinkId) -> Option<&Link> {
        self.at(self.place(*id)?)
    }

    /// The link at a place.
    pub(super) fn at(&self, place: Place) -> Option<&Link> {
        self.places.get(place.index())?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: &LinkId) -> Option<&mut Link> {
        self.at_mut(self.place(*id)?)
    }

    /// The link at a place, for change.
    pub(super) fn at_mut(&mut self, place: Place) -> Option<&mut Link> {
        self.touched.insert(place);
        self.settled.remove(place);
        self.places.get_mut(place.index())?.as_deref_mut()
    }

    /// A link is up. `None` where there is no place left.
    pub(super) fn open(&mut self, id: LinkId, profile: LinkProfile, now: Instant) -> Option<&mut Link> {
        const { assert!(LINKS_MAX <= 128, "a bit for each link") };
        let free = self.places.iter().position(Option::is_none).unwrap_or(self.places.len());
        let place = Place(u8::try_from(free).ok().filter(|_| free < LINKS_MAX)?);
        let at = self.names.binary_search_by_key(&id, |(name, _)| *name).err()?;
        self.names.insert(at, (id, place));
        if free == self.places.len() {
            self.places.push(None);
            self.nodes.push(None);
            self.deadlines.push(None);
        }
        *self.places.get_mut(free)? = Some(Box::new(Link::new(profile, place, now)));
        self.at_mut(place)
    }

    /// A link is down.
    pub(super) fn remove(&mut self, id: &LinkId) -> Option<Link> {
        let at = self.names.binary_search_by_key(id, |(name, _)| *name).ok()?;
        let (_, place) = self.names.remove(at);
        self.touched.insert(place);
        self.settled.remove(place);
        self.gathering.remove(place);
        self.places.get_mut(place.index())?.take().map(|link| *link)
    }

    /// All of them, ascending by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.names.iter().filter_map(|(id, place)| Some((*id, self.at(*place)?)))
    }

    /// All of them, ascending by name.
    pub(super) fn values(&self) -> impl Iterator<Item = &Link> {
        self.iter().map(|(_, link)| link)
    }

    /// All names, ascending.
    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.names.iter().map(|(id, _)| *id).collect()
    }

    /// Works out what follows from the links that were handed out for change.
    pub(super) fn look(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        if touched.is_empty() {
            return;
        }
        for place in touched.places() {
            let link = self.places.get(place.index()).and_then(Option::as_deref);
            self.busy.set(place, link.is_some_and(Link::is_busy));
            self.broadcast.set(place, link.is_some_and(|link| link.profile.broadcast));
            self.greeted.set(place, link.is_some_and(|link| link.node.is_some() && !link.profile.broadcast));
            self.content.set(place, link.is_some_and(Link::is_content));
            self.lossy.set(place, link.is_some_and(|link| !link.profile.reliable));
            if let (Some(node), Some(deadline)) = (self.nodes.get_mut(place.index()), self.deadlines.get_mut(place.index())) {
                *node = link.and_then(|link| link.node);
                *deadline = link.and_then(Link::deadline);
            }
        }
        self.next = self.deadlines.iter().flatten().min().copied();
    }

    /// The next deadline of any link, as of the last look.
    pub(super) fn deadline(&self) -> Option<(Instant, Timer)> {
        debug_assert!(self.touched.is_empty(), "a change nobody looked at");
        self.next
    }

    /// Links whose deadline is over, ascending by name.
    pub(super) fn due(&mut self, now: Instant) -> Vec<LinkId> {
        self.look();
        if self.next.is_none_or(|(at, _)| at > now) {
            return Vec::new();
        }
        let over = |place: Place| self.deadlines.get(place.index()).copied().flatten().is_some_and(|(at, _)| at <= now);
        self.names.iter().filter(|(_, place)| over(*place)).map(|(id, _)| *id).collect()
    }

    /// Links on which something waits to go out, ascending by name.
    pub(super) fn busy(&mut self) -> Vec<LinkId> {
        self.look();
        self.named(self.busy)
    }

    /// Their names, ascending.
    fn named(&self, set: Set) -> Vec<LinkId> {
        if set.is_empty() {
            return Vec::new();
        }
        self.names.iter().filter(|(_, place)| set.has(*place)).map(|(id, _)| *id).collect()
    }

    /// Point-to-point links whose other end has shown who it is.
    pub(super) fn greeted(&mut self) -> Set {
        self.look();
        self.greeted
    }

    /// Broadcast links.
    pub(super) fn broadcast(&mut self) -> Set {
        self.look();
        self.broadcast
    }

    /// Links that may lose frames.
    pub(super) fn lossy(&mut self) -> Set {
        self.look();
        self.lossy
    }

    /// Links whose peer never wants what is only mentioned to it.
    pub(super) fn content(&mut self) -> Set {
        self.look();
        self.content
    }

    /// Links to this node; mostly none or one.
    pub(super) fn to(&mut self, node: NodeId) -> Set {
        self.look();
        let its = |(place, of): (u8, &Option<NodeId>)| (*of == Some(node)).then_some(Place(place));
        (0..).zip(&self.nodes).filter_map(its).collect()
    }

    /// Of these links those to a node of which this holds.
    pub(super) fn to_such(&self, links: Set, holds: impl Fn(NodeId) -> bool) -> Set {
        let node = |place: &Place| self.nodes.get(place.index()).copied().flatten();
        links.places().filter(|place| node(place).is_some_and(&holds)).collect()
    }

    /// Greeted links whose next comparison is not planned yet, to be planned now.
    pub(super) fn settle(&mut self) -> Set {
        let open = self.greeted() - self.settled;
        self.settled = self.settled | open;
        open
    }

    /// After [`Self::settle`]: the link at this place for planning, which leaves it settled.
    pub(super) fn planned(&mut self, place: Place) -> Option<&mut Link> {
        self.touched.insert(place);
        self.places.get_mut(place.index())?.as_deref_mut()
    }

    /// Links that one more mention does not hurry.
    pub(super) fn gathering(&self) -> Set {
        self.gathering
    }

    /// What is announced there goes out in time.
    pub(super) fn gathers(&mut self, place: Place) {
        self.gathering.insert(place);
    }

    /// The next announcement there may have to go sooner than planned, or nothing is planned.
    pub(super) fn scattered(&mut self, place: Place) {
        self.gathering.remove(place);
    }
}

#[cfg(test)]
impl std::ops::Index<&LinkId> for Links {
    type Output = Link;
    fn index(&self, id: &LinkId) -> &Link {
        self.get(id).expect("the link is up")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn profile() -> LinkProfile {
        LinkProfile { mtu: 1_000, rate: 0, reliable: true, broadcast: false, peer: None, dialled: None, label: String::new() }
    }

    #[test]
    fn a_place_is_used_again_and_nothing_is_inherited() {
        let mut links = Links::default();
        let start = Instant::default();
        for number in 1..=3 {
            links.open(LinkId(number), profile(), start).expect("there is a place");
        }
        let place = links.place(LinkId(2)).expect("it is up");
        links.gathers(place);
        links.get_mut(&LinkId(2)).expect("it is up").node = Some(NodeId { issuer: 1, serial: 7 });
        assert!(links.greeted().has(place) && links.settle().has(place));
        links.remove(&LinkId(2));
        assert!(!links.greeted().has(place) && !links.gathering().has(place));
        links.open(LinkId(9), profile(), start.after(Duration::from_secs(1))).expect("there is a place");
        assert_eq!(links.place(LinkId(9)), Some(place));
        assert_eq!(links.ids(), [LinkId(1), LinkId(3), LinkId(9)]);
        assert!(links.greeted().is_empty() && links.settle().is_empty());
    }

    #[test]
    fn the_next_deadline_follows_whatever_changes() {
        let mut links = Links::default();
        let start = Instant::default();
        let later = |seconds| start.after(Duration::from_secs(seconds));
        links.open(LinkId(1), profile(), start).expect("there is a place");
        links.open(LinkId(2), profile(), start).expect("there is a place");
        let greeting = links.get(&LinkId(1)).and_then(Link::deadline);
        links.look();
        assert_eq!(links.deadline(), greeting);
        for (id, at) in [(1, 40), (2, 30)] {
            let link = links.get_mut(&LinkId(id)).expect("it is up");
            (link.greet_by, link.probe_at) = (None, Some(later(at)));
        }
        assert!(links.due(later(29)).is_empty());
        assert_eq!(links.due(later(30)), [LinkId(2)]);
        links.remove(&LinkId(2));
        links.look();
        assert_eq!(links.deadline(), Some((later(40), Timer::Probe)));
    }

    #[test]
    fn as_many_links_as_there_are_places() {
        let mut links = Links::default();
        for number in 0..LINKS_MAX as u32 {
            assert!(links.open(LinkId(number), profile(), Instant::default()).is_some());
        }
        assert!(links.open(LinkId(999), profile(), Instant::default()).is_none());
        let all: Set = (0..LINKS_MAX as u8).map(Place::of).collect();
        assert_eq!(all.places().count(), LINKS_MAX);
        assert_eq!((all - Set::default()) & all, all);
    }
}
