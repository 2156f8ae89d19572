//! The laws of the replica, for any set of logbooks and boards: order, repetition, loss and grouping of what is delivered leave no
//! trace once two sides have exchanged what they lack (rules 3 to 8, P7); and what a hostile leaf may cost.
//!
//! The default number of cases is moderate. The long run, and how to repeat one case from the seed that a failure prints:
//!
//! ```text
//! PROPTEST_CASES=100000 cargo test -p holdfast-proto --lib replica::laws
//! ```

mod bench;
mod convergence;
mod hostile;
mod rules;
