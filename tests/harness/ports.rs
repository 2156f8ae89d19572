//! Free ports for daemons that will be killed and come back to the same port.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below Linux's range for outgoing sockets (32,768 and up): nothing grabs the port while a killed daemon is away.
const FIRST: u32 = 12_000;
/// Ports tried in turn from a start that differs per process.
const SPAN: u32 = 20_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port free for both TCP and UDP on loopback, given to no other test of this process.
///
/// # Panics
/// If 20,000 ports are taken.
#[must_use]
pub fn free_port() -> u16 {
    let offset = std::process::id().wrapping_mul(97);
    for _ in 0..SPAN {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + offset.wrapping_add(step) % SPAN).expect("invariant: FIRST + SPAN is below 65,536");
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
        if tcp.is_ok() && udp.is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

/// A port base for `holdfast demo`: free at P+i, P+100+i and P+200+i for so many nodes. From a range that [`free_port`] leaves alone.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn free_base(nodes: u16) -> u16 {
    static NEXT_BASE: AtomicU32 = AtomicU32::new(0);
    let offset = std::process::id().wrapping_mul(7);
    for _ in 0..1_000 {
        let step = offset.wrapping_add(NEXT_BASE.fetch_add(1, Ordering::Relaxed)) % 30;
        let base = u16::try_from(2_000 + step * 300).expect("invariant: at most 10,700");
        let mut wanted = [0, 100, 200].into_iter().flat_map(|plus| (0..nodes).map(move |n| base + plus + n));
        let free =
            |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if wanted.all(free) {
            return base;
        }
    }
    panic!("no free ports between 2,000 and 11,000");
}

#[cfg(test)]
mod tests {
    use super::free_port;

    #[test]
    fn two_ports_differ() {
        assert_ne!(free_port(), free_port());
    }
}
