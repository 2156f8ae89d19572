//! Network namespaces: two PCs on one cable, without a real network.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::process::try_run;

/// A network namespace; removed when dropped.
#[derive(Debug)]
pub struct Namespace {
    /// As `ip netns` calls it.
    pub name: String,
    /// Its address on the cable.
    pub address: String,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    let run = try_run(Command::new("ip").args(args), Duration::from_secs(10))?;
    if run.code == 0 { Ok(()) } else { Err(format!("ip {}: {}", args.join(" "), run.err.trim())) }
}

/// Two namespaces joined by a pair of virtual cards that carry multicast.
///
/// # Errors
/// Why this machine can't: no `ip`, or no right to.
pub fn namespaces_joined() -> Result<[Namespace; 2], String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let (pid, made) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let (left, right) = (format!("hf{pid}-{made}a"), format!("hf{pid}-{made}b"));
    ip(&["netns", "add", &left])?;
    let a = Namespace { name: left, address: "10.77.0.1".to_owned() };
    ip(&["netns", "add", &right])?;
    let b = Namespace { name: right, address: "10.77.0.2".to_owned() };
    ip(&["link", "add", "wire", "netns", &a.name, "type", "veth", "peer", "name", "wire", "netns", &b.name])?;
    for namespace in [&a, &b] {
        let name = namespace.name.as_str();
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        ip(&["-n", name, "addr", "add", &format!("{}/24", namespace.address), "dev", "wire"])?;
        ip(&["-n", name, "link", "set", "wire", "multicast", "on", "up"])?;
        ip(&["-n", name, "route", "add", "default", "dev", "wire"])?;
    }
    Ok([a, b])
}
