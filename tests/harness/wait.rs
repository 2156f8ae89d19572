//! Waiting for a condition with a limit. The only place of the tests that sleeps.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// A local answer. Generous: two cores run many daemons at once.
pub const BLINK: Duration = Duration::from_secs(10);
/// What takes a dial, a heal or a restart.
pub const SOON: Duration = Duration::from_secs(30);
/// What takes several of those.
pub const LONG: Duration = Duration::from_secs(90);
/// Between two looks: short beside what is waited for, long beside the cost of looking.
const LOOK: Duration = Duration::from_millis(25);

/// Looks until `probe` gives a value.
///
/// # Panics
/// After `limit`, with what `probe` said last.
#[track_caller]
pub fn eventually<T, E: Display>(limit: Duration, what: &str, mut probe: impl FnMut() -> Result<T, E>) -> T {
    match eventually_or(limit, &mut probe) {
        Ok(value) => value,
        Err(error) => panic!("not within {} s: {what}: {error}", limit.as_secs()),
    }
}

/// [`eventually`] that tells instead of panicking.
///
/// # Errors
/// After `limit`, what `probe` said last.
pub fn eventually_or<T, E>(limit: Duration, mut probe: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(error) if begun.elapsed() >= limit => return Err(error),
            Err(_) => std::thread::sleep(LOOK),
        }
    }
}

/// Looks again and again that nothing changes: for what must *not* happen.
///
/// # Panics
/// When `probe` fails within `span`.
#[track_caller]
pub fn holds_for<E: Display>(span: Duration, what: &str, mut probe: impl FnMut() -> Result<(), E>) {
    let begun = Instant::now();
    while begun.elapsed() < span {
        if let Err(error) = probe() {
            panic!("no longer true after {} ms: {what}: {error}", begun.elapsed().as_millis());
        }
        std::thread::sleep(LOOK);
    }
}
