//! The same node in virtual time: one process, one thread, one seed. Drives [`holdfast_proto::node::Node`] through its boundary,
//! models the wires, the stores and the clocks around it, breaks them on purpose, and checks what must hold.
//!
//! Read [`scenario`] for what a run is a function of, [`world`] for the loop, [`swarm`] for what a seed does, [`checker`] for the
//! rules, [`control`] for a controller's hold on a play, [`figure`] for the measured figures, [`sweep`] for many seeds, [`shrink`] for the least of one that fails. A run is a
//! function of its scenario, its seed and of this build: no wall clock, no threads, no hash order, no floats.

pub mod checker;
pub mod control;
pub mod dice;
pub mod driver;
pub mod exercise;
pub mod figure;
pub mod geo;
pub mod network;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
mod shelf;
pub mod shrink;
pub mod site;
pub mod swarm;
pub mod sweep;
pub mod workload;
pub mod world;
