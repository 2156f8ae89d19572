//! The words of promises, convoys, receipts, stock and conflicts.

use clap::{Args, Subcommand};

use super::ActArgs;

/// `commit`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CommitArgs {
    /// R-...
    pub(crate) id: String,
    /// ITEM:QTY such as water:40; repeat for each; absent: all that nobody covers yet
    #[arg(long = "item", value_name = "ITEM:QTY")]
    pub(crate) items: Vec<String>,
    /// When it is to be there: 6h (from now), 14:05, 2026-11-24, "2026-11-24 14:05" or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) arrival: Option<String>,
    /// Free text, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Repeating with the same key adds nothing; another promise needs another key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `unable`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UnableArgs {
    /// R-...
    pub(crate) id: String,
    /// It could, but will not
    #[arg(long)]
    pub(crate) decline: bool,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `release`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// P-...
    pub(crate) id: String,
    /// ITEM:QTY; repeat for each; absent: all of it that is on no vehicle
    #[arg(long = "item", value_name = "ITEM:QTY")]
    pub(crate) items: Vec<String>,
    /// not_needed, shortfall (the goods are not there) or other
    #[arg(long, value_name = "WORD")]
    pub(crate) cause: Option<String>,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `convoy`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConvoyCommand {
    /// Plan a journey for goods promised, or sent without a promise, to one consignee
    Plan(PlanArgs),
    /// The goods are on the vehicle
    Load(StepArgs),
    /// It left
    Depart(StepArgs),
    /// It does not leave: the goods are off the vehicle again
    Unload(StepArgs),
    /// Where it is; a newer word takes the place of an older one
    Position(PositionArgs),
    /// It is there
    Arrive(StepArgs),
    /// Goods were handed over, says whoever drives; the consignee signs with `receive`
    HandOver(GoodsArgs),
    /// It goes to another node, or to the node of another request
    Divert(DivertArgs),
    /// Goods were lost on the way
    Lost(GoodsArgs),
    /// Goods are back at the sender's
    Return(GoodsArgs),
    /// List convoys, those under way first
    List,
    /// Show one convoy with what happened to it
    Show {
        /// V-...
        id: String,
    },
}

/// `convoy plan`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArgs {
    /// Promises whose goods go, all that is left of each: P-... P-...
    pub(crate) promises: Vec<String>,
    /// Goods sent without a promise, ITEM:QTY; repeat for each
    #[arg(long = "item", value_name = "ITEM:QTY")]
    pub(crate) items: Vec<String>,
    /// Who signs for the goods, by id or name; whom the promises are for where absent
    #[arg(long, value_name = "NODE")]
    pub(crate) to: Option<String>,
    /// The node that drives and says where it is, by id or name; this node where absent
    #[arg(long, value_name = "NODE")]
    pub(crate) carrier: Option<String>,
    /// When it is to be there: 6h (from now), 14:05, 2026-11-24, "2026-11-24 14:05" or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) arrival: Option<String>,
    /// Free text, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `convoy load` and the like.
#[derive(Clone, Debug, Args)]
pub(crate) struct StepArgs {
    /// V-...
    pub(crate) id: String,
    /// Free text, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `convoy position`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PositionArgs {
    /// V-...
    pub(crate) id: String,
    /// Where, in words, up to 64 bytes
    pub(crate) place: String,
    /// Free text, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `convoy hand-over`, `lost` and `return`.
#[derive(Clone, Debug, Args)]
pub(crate) struct GoodsArgs {
    #[command(flatten)]
    pub(crate) step: StepArgs,
    /// ITEM:QTY; repeat for each; absent: all
    #[arg(long = "item", value_name = "ITEM:QTY")]
    pub(crate) items: Vec<String>,
}

/// `convoy divert`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DivertArgs {
    #[command(flatten)]
    pub(crate) step: StepArgs,
    /// The node, by id or name, or the request, R-...
    #[arg(long, value_name = "NODE|R-...")]
    pub(crate) to: String,
}

/// `receive`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReceiveArgs {
    /// V-...
    pub(crate) id: String,
    /// Taken in, ITEM:QTY; repeat for each; what is not counted is missing; absent: all that is not bad
    #[arg(long, value_name = "ITEM:QTY")]
    pub(crate) accepted: Vec<String>,
    /// Sent back, ITEM:QTY; repeat for each
    #[arg(long, value_name = "ITEM:QTY")]
    pub(crate) rejected: Vec<String>,
    /// Unusable, ITEM:QTY; repeat for each
    #[arg(long, value_name = "ITEM:QTY")]
    pub(crate) damaged: Vec<String>,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `refuse`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RefuseArgs {
    /// V-...
    pub(crate) id: String,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `stock`; without a word the list.
#[derive(Clone, Debug, Args)]
pub(crate) struct StockArgs {
    /// What to do; absent: the list
    #[command(subcommand)]
    pub(crate) command: Option<StockCommand>,
}

/// What can be said of stock.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum StockCommand {
    /// What is there, kept, promised and left, and what holds it
    List,
    /// Say what was counted: water=120, or a level: rice=low
    Count(StockLines),
    /// Change a count by what came or went without a convoy: water=-3, water=+12
    Adjust(StockLines),
    /// What is kept for the people of the place and never promised: water=40
    Floor(StockLines),
}

/// Lines of stock.
#[derive(Clone, Debug, Args)]
pub(crate) struct StockLines {
    /// Item and number
    #[arg(value_name = "ITEM=QTY", required = true, allow_hyphen_values = false)]
    pub(crate) lines: Vec<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `conflicts`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConflictsCommand {
    /// List what people must settle; the same on every node
    List,
    /// Show one with its goods and what is proposed to whom
    Show {
        /// C1-...
        id: String,
    },
    /// Do what is proposed to this node
    Resolve(ResolveArgs),
}

/// `conflicts resolve`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ResolveArgs {
    /// C1-...
    pub(crate) id: String,
    /// Do not ask here
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// Which requests a list shows.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ListArgs {
    /// Those that are over too
    #[arg(long)]
    pub(crate) all: bool,
    /// Only those of which something is promised by nobody
    #[arg(long, conflicts_with = "all")]
    pub(crate) open: bool,
    /// Only those that this node asked for, is asked, or promised something to
    #[arg(long)]
    pub(crate) mine: bool,
    /// Only those that still wait for goods after so long, such as 1h
    #[arg(long, value_name = "LENGTH", conflicts_with = "all")]
    pub(crate) waiting_over: Option<String>,
}
