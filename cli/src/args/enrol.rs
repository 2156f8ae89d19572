//! The words of `holdfast invite`, `join`, `replace` and `guest`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// How a waiting host is reached and asked.
#[derive(Clone, Debug, Args)]
pub(crate) struct HostArgs {
    /// Where to wait for PCs: all addresses of this computer where absent
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:4402")]
    pub(crate) listen: std::net::SocketAddr,
    /// The address to print with the code, where PCs reach this computer by another one
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) address: Option<std::net::SocketAddr>,
    /// Do not ask here whether the words are the same: whoever has the code joins
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only make the code; wait for the PC later, with `holdfast invite`
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// What a new node is told besides its certificate, and for how long a code holds.
#[derive(Clone, Debug, Args)]
pub(crate) struct CodeArgs {
    /// Minutes that the code holds, up to a day
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_440))]
    pub(crate) minutes: u32,
    /// Sign with the key of this deputy, not with the issuer's
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) deputy: u8,
    /// A neighbour it shall always try; repeat for each, up to 8. On one network nodes find each other
    #[arg(long = "peer", value_name = "IP:PORT")]
    pub(crate) peers: Vec<std::net::SocketAddr>,
    /// The hub that its requests ask
    #[arg(long, value_name = "ID")]
    pub(crate) home_hub: Option<String>,
}

/// `invite`.
#[derive(Clone, Debug, Args)]
pub(crate) struct InviteArgs {
    /// Who it will be, ISSUER-SERIAL, such as 1-118; absent: wait for those invited before
    #[arg(requires = "name", requires = "region")]
    pub(crate) id: Option<String>,
    /// Its name, as people say it
    #[arg(long, requires = "id")]
    pub(crate) name: Option<String>,
    /// store, hub or authority
    #[arg(long, default_value = "store", value_parser = ["store", "hub", "authority"])]
    pub(crate) role: String,
    /// 1..=3
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) tier: u8,
    /// County or city it stands in, ISO 3166-2:TW, such as TPE
    #[arg(long, value_name = "CODE", requires = "id")]
    pub(crate) region: Option<String>,
    /// Days it holds, up to ten years
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub(crate) days: u32,
    /// An authority whose orders are for every region, not for its own alone
    #[arg(long, requires = "id")]
    pub(crate) everywhere: bool,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) host: HostArgs,
}

/// `join`.
#[derive(Clone, Debug, Args)]
pub(crate) struct JoinArgs {
    /// The code, such as 7Q4K-M2X2, or all that the QR says
    pub(crate) code: String,
    /// Where whoever gave it waits; looked for on the local network where absent
    #[arg(long, value_name = "IP:PORT")]
    pub(crate) at: Option<std::net::SocketAddr>,
    /// Do not ask here whether the words are the same
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `replace`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReplaceArgs {
    /// The node, ISSUER-SERIAL, such as 1-118
    pub(crate) id: String,
    /// Days the new certificate holds, up to ten years
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub(crate) days: u32,
    /// Only what the daemon here had heard so long ago still counts, such as 2h; otherwise all it holds
    #[arg(long, value_name = "LENGTH", conflicts_with_all = ["in_question", "nothing_counts"])]
    pub(crate) lost: Option<String>,
    /// Do not say what still counts: all of it is in question until somebody does. Needs no daemon
    #[arg(long, conflicts_with = "nothing_counts")]
    pub(crate) in_question: bool,
    /// Nothing it ever said counts. Needs no daemon
    #[arg(long)]
    pub(crate) nothing_counts: bool,
    /// A deputy's only: the paper of the dead PC's key; papers/ID-N.hf in --dir where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) paper: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) code: CodeArgs,
    #[command(flatten)]
    pub(crate) host: HostArgs,
}

/// `guest`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum GuestCommand {
    /// On the PC that is to be a guest: make its key in --dir; it stays there
    Key,
    /// On a node: give its word for a guest, as the first with --key, or as another with the file of those before
    Vouch(VouchArgs),
    /// On the PC that is to be a guest: take the file that all signed into --dir
    Enter(EnterArgs),
}

/// `guest vouch`.
#[derive(Clone, Debug, Args)]
pub(crate) struct VouchArgs {
    /// The file that those before signed
    #[arg(required_unless_present = "key", conflicts_with = "key")]
    pub(crate) file: Option<PathBuf>,
    /// The folder with this node's node.key and alliance.hf
    #[arg(long, value_name = "FOLDER")]
    pub(crate) by_node: PathBuf,
    // Backticks would stand in the help.
    #[arg(
        long,
        value_name = "KEY",
        requires = "name",
        requires = "region",
        help = "The guest's public key, 64 hex digits, as holdfast guest key printed it there"
    )]
    pub(crate) key: Option<String>,
    /// The guest's name, as people say it
    #[arg(long, requires = "key")]
    pub(crate) name: Option<String>,
    /// County or city the guest stands in, ISO 3166-2:TW, such as TPE
    #[arg(long, value_name = "CODE", requires = "key")]
    pub(crate) region: Option<String>,
    /// Days it may stay, up to 7
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=7))]
    pub(crate) days: u32,
    /// Do not ask before signing what is in the file
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `guest enter`.
#[derive(Clone, Debug, Args)]
pub(crate) struct EnterArgs {
    /// The file that all signed
    pub(crate) file: PathBuf,
    /// A neighbour it shall always try; repeat for each, up to 8. On one network nodes find each other
    #[arg(long = "peer", value_name = "IP:PORT")]
    pub(crate) peers: Vec<std::net::SocketAddr>,
}
