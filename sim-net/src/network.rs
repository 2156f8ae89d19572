//! Pure models of what lies between nodes; none knows a node. [`path`] is one direction of a WAN or LAN link.

pub mod path;
