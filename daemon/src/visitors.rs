//! How much one visitor may take: connections open at once and requests in a while, by address. Bounded whatever comes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Addresses remembered. More at once than any shop's network has; beyond them all newcomers share one place.
const ADDRESSES_MAX: usize = 4_096;

/// What a door allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once, of all visitors; more wait in the kernel.
    pub connections: usize,
    /// The same of one address: a guest network may put all its phones behind one.
    pub per_address: u32,
    /// Requests of one address at once, and so many more each second a thirtieth of it.
    pub burst: u32,
    /// A visitor that has not sent its whole request head by then is hung up.
    pub head_wait: Duration,
    /// Nor does it take longer over all of its answer.
    pub whole_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            per_address: 64,
            burst: 300,
            head_wait: Duration::from_secs(5),
            whole_wait: Duration::from_secs(60),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Visitor {
    open: u32,
    /// Thousandths of a request.
    credit: u64,
    at: Instant,
}

/// All visitors of the last while.
#[derive(Clone, Debug)]
pub(crate) struct Visitors {
    limits: Limits,
    all: Arc<Mutex<BTreeMap<IpAddr, Visitor>>>,
}

/// A connection of one address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    visitors: Visitors,
    address: IpAddr,
}

impl Visitors {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, all: Arc::default() }
    }

    /// A seat for one more connection of this address; none if it has too many.
    pub(crate) fn sit(&self, address: IpAddr, now: Instant) -> Option<Seat> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut address = one_home(address);
        if all.len() >= ADDRESSES_MAX && !all.contains_key(&address) {
            let full = self.full();
            all.retain(|_, visitor| visitor.open > 0 || self.credit(visitor, now) < full);
            if all.len() >= ADDRESSES_MAX {
                address = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let visitor = all.entry(address).or_insert(Visitor { open: 0, credit: self.full(), at: now });
        if visitor.open >= self.limits.per_address {
            return None;
        }
        visitor.open += 1;
        Some(Seat { visitors: self.clone(), address })
    }

    fn full(&self) -> u64 {
        u64::from(self.limits.burst) * 1_000
    }

    /// What a visitor may still ask: it grows back within half a minute.
    fn credit(&self, visitor: &Visitor, now: Instant) -> u64 {
        let passed = u64::try_from(now.saturating_duration_since(visitor.at).as_millis()).unwrap_or(u64::MAX);
        visitor.credit.saturating_add(passed.saturating_mul(u64::from(self.limits.burst)) / 30).min(self.full())
    }
}

impl Seat {
    /// Whether one more request may be answered now.
    pub(crate) fn may_ask(&self, now: Instant) -> bool {
        let mut all = self.visitors.all.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(visitor) = all.get_mut(&self.address) else { return false };
        let credit = self.visitors.credit(visitor, now);
        (visitor.credit, visitor.at) = (credit.saturating_sub(1_000), now);
        credit >= 1_000
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.visitors.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(visitor) = all.get_mut(&self.address) {
            visitor.open = visitor.open.saturating_sub(1);
        }
    }
}

/// One home has a whole /64: there are as many addresses in it as anybody likes.
fn one_home(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => IpAddr::V6(Ipv6Addr::from(u128::from(long) >> 64 << 64)),
        short @ IpAddr::V4(_) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_gets_its_seats_and_its_requests_and_others_keep_theirs() {
        let visitors = Visitors::new(Limits { per_address: 2, burst: 30, ..Limits::default() });
        let now = Instant::now();
        let (greedy, other) = ("192.0.2.1".parse().expect("an address"), "192.0.2.2".parse().expect("an address"));
        let first = visitors.sit(greedy, now).expect("a seat");
        let second = visitors.sit(greedy, now).expect("a seat");
        assert!(visitors.sit(greedy, now).is_none() && visitors.sit(other, now).is_some());
        drop(second);
        assert!(visitors.sit(greedy, now).is_some());
        assert_eq!((0..100).filter(|_| first.may_ask(now)).count(), 30);
        assert!(visitors.sit(other, now).expect("a seat").may_ask(now));
        assert_eq!((0..100).filter(|_| first.may_ask(now + Duration::from_secs(2))).count(), 2);
        assert_eq!((0..100).filter(|_| first.may_ask(now + Duration::from_secs(3_600))).count(), 30);
    }

    #[test]
    fn a_crowd_of_addresses_takes_bounded_room_and_a_home_counts_once() {
        let visitors = Visitors::new(Limits { per_address: 2, ..Limits::default() });
        let now = Instant::now();
        let mut seats = Vec::new();
        for n in 0..10_000_u32 {
            seats.extend(visitors.sit(IpAddr::V4(n.into()), now));
        }
        assert!(seats.len() <= ADDRESSES_MAX + 2);
        assert!(visitors.all.lock().expect("no panic").len() <= ADDRESSES_MAX + 1);
        drop(seats);
        let home = |tail: &str| format!("2001:db8::{tail}").parse().expect("an address");
        let _one = visitors.sit(home("1"), now).expect("a seat");
        let _two = visitors.sit(home("2"), now).expect("a seat");
        assert!(visitors.sit(home("3"), now).is_none());
    }
}
