//! Real daemons for tests: builds them, gives them certificates, ports and folders, waits for conditions, ends them. No test is in here.
//!
//! ```text
//! Plan -> Alliance -> Node (a folder, a configuration, perhaps a running `holdfastd`) -> Api, Run (of `holdfast`)
//! ```
//! Everything started is ended, and every folder and network namespace removed, when its owner is dropped. A failing test prints
//! the end of each daemon's log.

#[path = "harness/alliance.rs"]
mod alliance;
#[path = "harness/binaries.rs"]
mod binaries;
#[path = "harness/http.rs"]
mod http;
#[path = "harness/modems.rs"]
mod modems;
#[path = "harness/namespace.rs"]
mod namespace;
#[path = "harness/node.rs"]
mod node;
#[path = "harness/papers.rs"]
mod papers;
#[path = "harness/ports.rs"]
mod ports;
#[path = "harness/process.rs"]
mod process;
#[path = "harness/skip.rs"]
mod skip;
pub mod supply;
#[path = "harness/wait.rs"]
mod wait;
#[path = "harness/webdriver.rs"]
mod webdriver;

pub use alliance::{Alliance, Plan};
pub use binaries::{Binaries, binaries, workspace_root};
pub use http::{Answered, Api, raw};
pub use modems::Modems;
pub use namespace::{Namespace, namespaces_joined};
pub use node::{Node, RadioSettings, Settings};
pub use papers::Papers;
pub use ports::{free_base, free_port};
pub use process::{Run, run, run_typed, signal, try_run};
pub use skip::{artefacts, missing};
pub use wait::{BLINK, LONG, SOON, eventually, eventually_or, holds_for};
pub use webdriver::{Browser, Driver};
