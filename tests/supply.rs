//! What others supply: the crates of the lock file, the rules of `.deny.toml` for them, and what an advisory export says of them.

mod advisory;
mod export;
mod licence;
mod lock;
mod rules;

pub use advisory::{Advisory, Kind};
pub use export::{Export, read_export};
pub use licence::permitted;
pub use lock::{Locked, PUBLIC_REGISTRY, read_lock};
pub use rules::{Exception, Features, Rules, Spec, read_rules};
