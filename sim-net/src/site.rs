//! One node's surroundings as pure models: what it stores on, what it reads its time from, what feeds it, who sits at its desk.
//! None of them knows the node or the world.

pub mod adversary;
pub mod clock;
pub mod disk;
pub mod operator;
pub mod power;
