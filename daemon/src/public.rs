//! The public's board at the door: who is open, what is there and how old that is, for anybody on the shop's network. It only reads.
//!
//! Nothing of the staff's API can be reached through it: it has no router, only [`answer`]'s short list of addresses, and all it holds
//! is a [`Board`], which asks one question of the loop. What may be shown stands in [`site`]: a list of what is public, so that a
//! reading nobody thought of stays out.

mod answer;
mod asked;
mod board;
mod data;
mod door;
mod hidden;
mod lang;
mod page;
mod poster;
mod site;
#[cfg(test)]
mod tests;

pub use crate::visitors::Limits;
pub(crate) use board::NotHidden;
pub use board::{Board, BoardSettings};
pub use door::serve;

/// Whether what the staff hid can be read, as far as that can be seen without leaving anything behind.
pub(crate) fn check(folder: &std::path::Path) -> std::io::Result<()> {
    hidden::Shelf::new(folder).read().map(drop)
}
