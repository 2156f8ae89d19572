//! What can be said of an effect without carrying it out.

use super::goods::GoodsDeed;
use super::words::ForgeKind;
use super::{Effect, SiteNo};

impl Effect {
    /// What it has people do about goods, if anything.
    #[must_use]
    pub fn goods(&self) -> Option<&GoodsDeed> {
        if let Self::Goods { deed, .. } = self { Some(deed) } else { None }
    }

    /// The sites it names. An owner or an element stands for more.
    #[must_use]
    pub fn sites(&self) -> Vec<SiteNo> {
        match self {
            Self::PowerLoss(sites)
            | Self::PowerBack(sites)
            | Self::Degrade { sites, .. }
            | Self::Heal(sites)
            | Self::Flap { sites, .. }
            | Self::Swizzle(sites)
            | Self::Crash(sites)
            | Self::Restart(sites)
            | Self::ReplacePc(sites)
            | Self::DiskFull(sites)
            | Self::DiskCorrupt(sites)
            | Self::OldBackup { sites, .. }
            | Self::ClockJump { sites, .. }
            | Self::ClockDrift { sites, .. }
            | Self::Jam { sites, .. }
            | Self::AntennaDown(sites)
            | Self::Report { sites, .. }
            | Self::OperatorAbsent(sites) => sites.clone(),
            Self::Partition { groups, .. } => groups.concat(),
            Self::Courier { from, to } => vec![*from, *to],
            Self::Forge { site, .. } | Self::Request { site, .. } | Self::Goods { site, .. } => vec![*site],
            Self::Observe { site, of, .. } => vec![*site, *of],
            Self::Revoke { site, at } => vec![*site, *at],
            Self::Order { site, acting_for, .. } => std::iter::once(*site).chain(*acting_for).collect(),
            Self::Deputies { site, of, .. } => std::iter::once(*site).chain(of.iter().copied()).collect(),
            Self::Cut(_)
            | Self::Restore(_)
            | Self::FirmOutage(_)
            | Self::Cancel(_)
            | Self::Close(_)
            | Self::Say
            | Self::TellController
            | Self::StopExercise => Vec::new(),
        }
    }

    /// Whether it changes who can reach whom: a turning point of the exercise.
    #[must_use]
    pub fn turns(&self) -> bool {
        match self {
            Self::PowerLoss(_)
            | Self::PowerBack(_)
            | Self::Cut(_)
            | Self::Restore(_)
            | Self::Partition { .. }
            | Self::Heal(_)
            | Self::Flap { .. }
            | Self::Swizzle(_)
            | Self::FirmOutage(_)
            | Self::Crash(_)
            | Self::Restart(_)
            | Self::ReplacePc(_)
            | Self::Jam { .. }
            | Self::AntennaDown(_) => true,
            Self::Degrade { .. }
            | Self::DiskFull(_)
            | Self::DiskCorrupt(_)
            | Self::OldBackup { .. }
            | Self::ClockJump { .. }
            | Self::ClockDrift { .. }
            | Self::Courier { .. }
            | Self::Forge { .. }
            | Self::Revoke { .. }
            | Self::Report { .. }
            | Self::Request { .. }
            | Self::Cancel(_)
            | Self::Close(_)
            | Self::Goods { .. }
            | Self::Observe { .. }
            | Self::Order { .. }
            | Self::Deputies { .. }
            | Self::OperatorAbsent(_)
            | Self::Say
            | Self::TellController
            | Self::StopExercise => false,
        }
    }

    /// How the scenario calls the request that it files.
    #[must_use]
    pub fn request(&self) -> Option<&str> {
        if let Self::Request { label, .. } = self { Some(label) } else { None }
    }

    /// What an adversary does, and where.
    #[must_use]
    pub fn forgery(&self) -> Option<(ForgeKind, SiteNo)> {
        if let Self::Forge { kind, site } = self { Some((*kind, *site)) } else { None }
    }
}
