//! The words of `holdfast mode` and `holdfast order`.

use clap::{Args, Subcommand};

use super::ActArgs;

/// `mode`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ModeArgs {
    /// standby, alert, resilience, recovery, drill or suspended; absent: show it and who switched it
    pub(crate) mode: Option<String>,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT", requires = "mode")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `order`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// Order a mode for the nodes of some regions; authorities only, or who acts for one
    Give(GiveArgs),
    /// List orders, which of them are in force, and who acts for whom
    List,
    /// Make an order that a deputy gave one's own
    Ratify(JudgeArgs),
    /// End an order that a deputy gave
    Countermand(CountermandArgs),
    /// Name who acts for this authority when it is not heard; without a name: nobody
    Deputies(DeputiesArgs),
}

/// `order give`.
#[derive(Clone, Debug, Args)]
pub(crate) struct GiveArgs {
    /// standby, alert, resilience, recovery, drill or suspended; none: nothing is ordered any more
    pub(crate) mode: String,
    /// County or city, such as HUA, or all; repeat for each
    #[arg(long = "region", value_name = "CODE", required = true)]
    pub(crate) regions: Vec<String>,
    /// The authority that is not heard and that named this node to act for it
    #[arg(long, value_name = "NODE")]
    pub(crate) acting_for: Option<String>,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `order ratify`.
#[derive(Clone, Debug, Args)]
pub(crate) struct JudgeArgs {
    /// O-...
    pub(crate) id: String,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `order countermand`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CountermandArgs {
    #[command(flatten)]
    pub(crate) judge: JudgeArgs,
    /// The mode ordered in its place; nothing is ordered where absent
    #[arg(long, value_name = "MODE")]
    pub(crate) mode: Option<String>,
}

/// `order deputies`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DeputiesArgs {
    /// Hubs or authorities by id or name, the first first
    pub(crate) nodes: Vec<String>,
    /// After how long unheard they may act, such as 2h
    #[arg(long, value_name = "LENGTH", default_value = "2h")]
    pub(crate) after: String,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}
