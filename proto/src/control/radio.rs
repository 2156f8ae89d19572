//! What a node says of its radio.

use serde::{Deserialize, Serialize};

use super::NodeName;

/// The radio of this node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RadioView {
    /// Its serial port.
    pub port: String,
    /// The port is open.
    pub open: bool,
    /// Who was heard of late, by their own word; the latest first.
    pub heard: Vec<HeardView>,
    /// How much of what an hour may hold is used: 0 to 100.
    pub hour_percent: u32,
    /// Words waiting to be sent.
    pub waiting: u32,
    /// Seconds until they are out, about.
    pub wait_s: u64,
    /// Frames given to the modem since start.
    pub sent: u64,
    /// Good frames heard.
    pub received: u64,
    /// What was heard and is no frame of this alliance.
    pub noise: u64,
    /// All of it in one line.
    pub en: String,
    /// The same in Traditional Chinese.
    pub zh: String,
}

/// Somebody heard by radio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeardView {
    /// Who.
    pub node: NodeName,
    /// Seconds ago.
    pub ago_s: u64,
}
