//! The same node in virtual time: one process, one thread, one seed. Drives [`holdfast_proto::node::Node`] through its boundary,
//! models the wires, the stores and the clocks around it, breaks them on purpose, and checks what must hold.
//!
//! Read [`world`] for the loop, [`plan`] for what a seed does, [`checker`] for the rules, [`figure`] for the measured figures.
//! A run is a function of its seed and of this build: no wall clock, no threads, no hash order, no floats.

pub mod checker;
pub mod clock;
pub mod dice;
pub mod disk;
pub mod driver;
pub mod figure;
pub mod network;
pub mod plan;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod workload;
pub mod world;
