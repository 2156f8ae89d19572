//! What an expectation looks at.

use serde::{Deserialize, Serialize};

use super::{Micros, Ppm, SiteNo};

/// Something that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// So many of these sites (all that are running, where `at_least` is none) hold a request, or the word of an inject.
    Knows {
        /// Who.
        sites: Vec<SiteNo>,
        /// Only those that are running then.
        alive: bool,
        /// What.
        what: Subject,
        /// Parts per million of them.
        at_least: Ppm,
    },
    /// A number read off one site's own answers lies in a range.
    Count {
        /// What is counted.
        what: Counted,
        /// Inclusive.
        at_least: u64,
        /// Inclusive.
        at_most: u64,
    },
    /// Every site of `of` is shown by every site of `at` as this.
    Shows {
        /// Who looks.
        at: Vec<SiteNo>,
        /// At whom.
        of: Vec<SiteNo>,
        /// Field.
        field: String,
        /// Value, or `unknown`.
        value: String,
    },
    /// All running sites of these hold the same state.
    Equal(Vec<SiteNo>),
    /// 95 of 100 deliveries of entries to running sites of these took at most so long.
    TimeToKnowP95 {
        /// Where.
        sites: Vec<SiteNo>,
        /// At most.
        at_most: Micros,
    },
    /// A channel was on the air for at most so much of any hour.
    AirtimeBelow {
        /// Channel.
        channel: String,
        /// Of an hour.
        share: Ppm,
    },
    /// Nothing forged by this inject is held by any site, ever.
    NeverAccepted(u32),
    /// What staff of this site have said since the expectation began to count is held by none of the others that run.
    NeverAcceptedFrom(SiteNo),
    /// This holds at no moment.
    Never(Box<Self>),
    /// Every site of `of` is shown by every site of `at` as last heard of so long ago or longer, or as never heard of.
    ShowsAge {
        /// Who looks.
        at: Vec<SiteNo>,
        /// At whom.
        of: Vec<SiteNo>,
        /// At least.
        age: Micros,
    },
    /// A number that sites report, as one site shows it and added up, lies in a range. What is not known adds nothing.
    Sum {
        /// Which: `stock.water`, `people.present`.
        field: String,
        /// Who looks.
        at: SiteNo,
        /// At whom.
        of: Vec<SiteNo>,
        /// Inclusive.
        at_least: u64,
        /// Inclusive.
        at_most: u64,
    },
}

/// What a site may know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A request by its label.
    Request(String),
    /// Everything an inject made staff say.
    Inject(u32),
    /// What was promised to a request by injects, by its label.
    Commitment(String),
}

/// What can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests open in the eyes of this site.
    RequestsOpen(SiteNo),
    /// Sites reachable in the eyes of this site.
    Reachable(SiteNo),
    /// Things that people must settle, as this site lists them.
    Conflicts(SiteNo),
    /// Suppliers whose promise to a request, by its label, stands in the eyes of this site.
    Suppliers {
        /// Who looks.
        at: SiteNo,
        /// To which.
        request: String,
    },
    /// Sites that told two stories, as this site has found.
    Forked(SiteNo),
    /// Sites whose key was taken away, as this site has heard.
    Revoked(SiteNo),
    /// Sites of these that are running.
    Running(Vec<SiteNo>),
    /// Sites of these that say they are open or open with limits.
    Open(Vec<SiteNo>),
}

impl Check {
    /// It must hold all the time, not at one moment.
    #[must_use]
    pub fn lasts(&self) -> bool {
        match self {
            Self::TimeToKnowP95 { .. }
            | Self::AirtimeBelow { .. }
            | Self::NeverAccepted(_)
            | Self::NeverAcceptedFrom(_)
            | Self::Never(_) => true,
            Self::Knows { .. }
            | Self::Count { .. }
            | Self::Shows { .. }
            | Self::ShowsAge { .. }
            | Self::Sum { .. }
            | Self::Equal(_) => false,
        }
    }
}
