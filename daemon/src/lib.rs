//! The only place with a runtime: one loop owns the node; links, store and API are tasks on bounded channels.

pub mod api;
pub mod code;
pub mod config;
pub mod handle;
pub mod link;
pub mod log;
pub mod paper;
pub mod probe;
pub mod public;
pub mod recorder;
pub mod run;
pub mod stamp;
pub mod start;
pub mod store;
mod told;
mod visitors;
