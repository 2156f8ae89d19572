//! Pure models of what lies between nodes; none knows a node. [`path`] is one direction of a link, [`element`] what links depend
//! on, [`radio`] a shared channel, [`courier`] a stick in a pocket. They say when a frame arrives or why not; [`crate::world`]
//! makes it happen.

pub mod courier;
pub mod element;
pub mod path;
pub mod radio;

/// Who brought something about, to take it back by; the caller's numbers, never used for two things at once.
pub type Cause = u64;
