//! The words of delegations to persons.

use std::path::PathBuf;

use clap::Args;

/// `alliance delegate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DelegateArgs {
    /// The person's public key, 64 hex digits, as `holdfast person` printed it on that person's computer
    #[arg(long, value_name = "KEY")]
    pub(crate) to: String,
    /// Who it is, for people
    #[arg(long)]
    pub(crate) name: String,
    /// The issuer that delegates, signed with its key in --dir
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32_767), required_unless_present = "by_node")]
    pub(crate) issuer: Option<u16>,
    /// Or the node that delegates for itself: the folder with its node.key and alliance.hf
    #[arg(long, value_name = "FOLDER", conflicts_with = "issuer")]
    pub(crate) by_node: Option<PathBuf>,
    /// Number of the delegation below who gives it; the next free one where absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) number: Option<u8>,
    // Backticks would stand in the help.
    #[arg(
        long = "allow",
        value_name = "ACT",
        required = true,
        help = "What may be said: request, update, cancel, confirm, close, observation, order, ratify, countermand; one of commit, receive, ... or supply for all that is done with goods; repeat for each"
    )]
    pub(crate) allow: Vec<String>,
    /// County or city whose nodes may serve and that orders may be for; repeat for each; all of the issuer's where absent
    #[arg(long = "region", value_name = "CODE")]
    pub(crate) regions: Vec<String>,
    /// The one node that may serve; each of the firm in these regions where absent
    #[arg(long, value_name = "ID")]
    pub(crate) node: Option<String>,
    /// In so many days it begins; today where absent
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=365))]
    pub(crate) after: u32,
    /// Days it holds, up to 30
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub(crate) days: u32,
}

/// `alliance undelegate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct UndelegateArgs {
    /// Which, such as 1/3 or 1-118/3
    pub(crate) delegation: String,
    /// Where a node gave it: the folder with its node.key and alliance.hf
    #[arg(long, value_name = "FOLDER")]
    pub(crate) by_node: Option<PathBuf>,
    /// Nothing that was said by it counts; no daemon is asked
    #[arg(long)]
    pub(crate) nothing_counts: bool,
}
