//! The end-to-end tests: real daemons, real sockets, real disks. One binary, so that linking happens once.
//!
//! Each module is a theme. What a machine may lack (a browser, network namespaces) is named by the test and printed by
//! `tests/run.sh`; in CI it is a failure. `HOLDFAST_BIN_DIR` points at programs built elsewhere.

mod acquainted;
mod alone;
mod board;
mod browser;
mod carried;
mod clock;
mod commands;
mod crash;
mod delegated;
mod demo;
mod disk;
mod founded;
mod fuzzed;
mod guests;
mod joined;
mod namespaces;
mod on_the_air;
mod ordered;
mod parted;
mod promised;
mod recorded;
mod refused;
mod revoked;
mod signed_for;
mod stranger;
mod supplied;
mod tidy;
mod together;
mod watched;
mod written_out;
