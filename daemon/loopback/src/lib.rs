//! HTTP for this computer alone, as the daemon and the simulator serve it: who may ask, how answers and refusals look, events for
//! listeners, and limits on everything a caller could exhaust. Knows neither nodes nor exercises.
//!
//! Read [`guard`] for who is let in and why, [`token`] for the secret, [`error`] for refusals, [`feed`] for server-sent events,
//! [`body`] for what is read of a request, [`server`] for connections.

pub mod answer;
pub mod body;
pub mod error;
pub mod feed;
pub mod guard;
pub mod server;
pub mod token;
