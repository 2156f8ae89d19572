//! What an inject has people do about goods: promise them, send them, sign for them, count them anew.

use super::words::{JourneyStep, What};

/// Items and how many of each, as requests have them: `water`, 40.
pub type Lines = Vec<(String, u64)>;

/// One thing that somebody does about goods. Requests are named by their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoodsDeed {
    /// Promises to a request.
    Commit {
        /// To which.
        request: String,
        /// What; where empty, all that nobody covers yet, as far as the site knows.
        lines: Lines,
    },
    /// What the site promised to a request goes on its way.
    Consign {
        /// To which.
        request: String,
        /// How far it comes.
        step: JourneyStep,
        /// With [`JourneyStep::Divert`]: for which request instead.
        to: Option<String>,
    },
    /// What came for a request is signed for.
    Receive {
        /// For which.
        request: String,
        /// What is taken in; where empty, everything came. What was sent and is not named is missing.
        lines: Lines,
    },
    /// The site does its part of what is proposed in a conflict.
    Resolve {
        /// The request that the goods in it are for.
        request: String,
    },
    /// Goods of the site became more or less otherwise: item and by how much.
    Stock(Vec<(String, i64)>),
}

impl GoodsDeed {
    /// The word for it.
    #[must_use]
    pub fn what(&self) -> What {
        match self {
            Self::Commit { .. } => What::Commit,
            Self::Consign { .. } => What::Consign,
            Self::Receive { .. } => What::Receive,
            Self::Resolve { .. } => What::Resolve,
            Self::Stock(_) => What::Stock,
        }
    }

    /// The requests it names.
    pub fn requests(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Commit { request, .. } | Self::Receive { request, .. } | Self::Resolve { request } => (Some(request), None),
            Self::Consign { request, to, .. } => (Some(request), to.as_ref()),
            Self::Stock(_) => (None, None),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

/// A line as files and desks spell it: `water:40`, `other:tents=3`.
#[must_use]
pub fn line_text(item: &str, quantity: u64) -> String {
    format!("{item}{}{quantity}", if item.starts_with("other:") { '=' } else { ':' })
}

/// A change of the count as files and desks spell it: `water=-3`, `other:tents=+12`.
#[must_use]
pub fn change_text(item: &str, by: i64) -> String {
    format!("{item}={by:+}")
}
