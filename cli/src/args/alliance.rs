//! The words of `holdfast alliance`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::person::{DelegateArgs, UndelegateArgs};

/// Kinds of alliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// No drill
    Actual,
    /// A drill on real machines
    Exercise,
    /// Demo and tests; the only kind that obeys faults
    Simulation,
}

/// Founding and certifying.
#[derive(Debug, Subcommand)]
pub(crate) enum AllianceCommand {
    /// Make root keys and the charter in --dir
    Init {
        /// Which kind; kinds can't mix
        #[arg(long, value_enum)]
        kind: Kind,
        /// How many of the root keys must sign, such as 2/3
        #[arg(long, value_name = "K/N", default_value = "2/3")]
        roots: String,
        /// A firm of the alliance; repeat for each
        #[arg(long = "firm", value_name = "NAME")]
        firms: Vec<String>,
        /// A root whose key was made elsewhere with `alliance key`; repeat for each
        #[arg(long = "root", value_name = "FIRM=KEY")]
        elsewhere: Vec<String>,
    },
    /// Make a root key in --dir, where it stays, and print what others need of it
    Key {
        /// The firm that keeps it
        #[arg(long, value_name = "NAME")]
        firm: String,
    },
    /// Change who the roots are, or how many must sign; issuers and revocations are signed again
    Rotate(Rotate),
    /// Sign with the root keys in --dir what others drafted, or take in what is signed by enough
    Sign {
        /// A file of drafts
        file: PathBuf,
        /// Do not ask here
        #[arg(long)]
        yes: bool,
    },
    /// Certify an issuer or a node; its key is made in place
    #[command(subcommand)]
    Issue(IssueCommand),
    /// Let certificates hold longer: same node, same key. Everybody is told at once, as far as lines go
    Renew(Renew),
    /// Take a node's key away: stolen, lost, replaced. Everybody is told at once, as far as lines go
    Revoke(Revoke),
    /// Show the last word that the daemon here holds of each life of a node, and two stories where it told two
    Heads {
        /// The node, ISSUER-SERIAL, such as 1-118
        id: String,
    },
    /// Let a person act through nodes for a time, signed by an issuer in --dir or by a node for itself
    Delegate(DelegateArgs),
    /// Take a delegation away; what was said by it until now stands. Everybody is told at once, as far as lines go
    Undelegate(UndelegateArgs),
    /// Take certificates given elsewhere, by a deputy, another firm or those who vouch for a guest, into the alliance file in --dir
    Take {
        /// File with certificates
        file: PathBuf,
    },
    /// Give the daemon here certificates or revocations from a file, for everybody in reach
    HandIn {
        /// An alliance file, a revocation, or the paper of a node's key
        file: PathBuf,
    },
    /// Read certificates and keys from a file, secrets left out
    Show {
        /// An alliance file, certificate or key
        file: PathBuf,
    },
    /// Check a folder or file as the nodes would: signatures, dates, keys and who may read them
    Verify {
        /// An alliance file, or a folder with one and with keys
        path: PathBuf,
    },
}

/// What can be certified.
#[derive(Debug, Subcommand)]
pub(crate) enum IssueCommand {
    /// An issuer, signed by the roots in --dir
    Issuer(IssueIssuer),
    /// Somebody who may certify a few nodes in an issuer's stead, signed by that issuer in --dir
    Deputy(IssueDeputy),
    /// A node, signed by an issuer in --dir
    Node(IssueNode),
}

/// `alliance issue deputy`.
#[derive(Clone, Debug, Args)]
pub(crate) struct IssueDeputy {
    /// Whose deputy
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32_767))]
    pub(crate) issuer: u16,
    /// Number of the deputy below that issuer, never used again
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) number: u8,
    /// Who it is, for people
    #[arg(long)]
    pub(crate) name: String,
    /// First of the serials it may give, which lie in the issuer's
    #[arg(long, value_name = "N")]
    pub(crate) first: u16,
    /// Serials it may give, up to 50
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=50))]
    pub(crate) max_nodes: u16,
    /// County or city its nodes may stand in; repeat for each; all of the issuer's where absent
    #[arg(long = "region", value_name = "CODE")]
    pub(crate) regions: Vec<String>,
    /// What its nodes may be; repeat for each; store where absent
    #[arg(long = "role", value_parser = ["store", "hub", "authority"])]
    pub(crate) roles: Vec<String>,
    /// Days it holds, up to ten years
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub(crate) days: u32,
}

/// `alliance issue issuer`.
#[derive(Clone, Debug, Args)]
pub(crate) struct IssueIssuer {
    /// Number of the issuer, never used again
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=32_767))]
    pub(crate) number: u16,
    /// The firm it certifies for
    #[arg(long, value_name = "NAME")]
    pub(crate) firm: String,
    /// Serials it may give
    #[arg(long, value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) max_nodes: u16,
    /// First of these serials
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) first: u16,
}

/// `alliance issue node`.
#[derive(Clone, Debug, Args)]
pub(crate) struct IssueNode {
    /// ISSUER-SERIAL, such as 1-118
    #[arg(long)]
    pub(crate) id: String,
    /// Its name, as people say it
    #[arg(long)]
    pub(crate) name: String,
    /// store, hub or authority
    #[arg(long, default_value = "store", value_parser = ["store", "hub", "authority"])]
    pub(crate) role: String,
    /// 1..=3
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) tier: u8,
    /// County or city it stands in, ISO 3166-2:TW, such as TPE
    #[arg(long, value_name = "CODE")]
    pub(crate) region: String,
    /// Days it holds, up to ten years
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub(crate) days: u32,
    /// Sign with the key of this deputy, not with the issuer's
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) deputy: u8,
    /// An authority whose orders are for every region, not for its own alone
    #[arg(long)]
    pub(crate) everywhere: bool,
    /// Folder for its key and its alliance file; DIR/nodes/ID where absent
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

/// `alliance rotate`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Rotate {
    /// A root that goes: its firm, or the first digits of its key; repeat for each
    #[arg(long, value_name = "ROOT")]
    pub(crate) drop: Vec<String>,
    /// A firm that comes, whose key is made here; repeat for each
    #[arg(long = "firm", value_name = "NAME")]
    pub(crate) firms: Vec<String>,
    /// A root whose key was made elsewhere with `alliance key`; repeat for each
    #[arg(long = "root", value_name = "FIRM=KEY")]
    pub(crate) roots: Vec<String>,
    /// How many of the roots must sign from then on, such as 3/5; as before where absent
    #[arg(long, value_name = "K/N")]
    pub(crate) sign: Option<String>,
}

/// `alliance renew`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Renew {
    /// Nodes, ISSUER-SERIAL, such as 1-118
    #[arg(required_unless_present_any = ["within", "deputies"])]
    pub(crate) ids: Vec<String>,
    /// A deputy, ISSUER-NUMBER, such as 1-3; repeat for each
    #[arg(long = "deputy", value_name = "DEPUTY")]
    pub(crate) deputies: Vec<String>,
    /// All that end within so many days and whose key to sign with is here
    #[arg(long, value_name = "DAYS", conflicts_with_all = ["ids", "deputies"])]
    pub(crate) within: Option<u32>,
    /// Days they hold from today, up to ten years; nodes 400 and deputies 30 where absent
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub(crate) days: Option<u32>,
}

/// `alliance revoke`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Revoke {
    /// The node, ISSUER-SERIAL, such as 1-118
    pub(crate) id: String,
    /// Why, for people
    #[arg(long, default_value = "stolen", value_parser = ["stolen", "replaced", "closed", "misused", "other"])]
    pub(crate) reason: String,
    /// Sign with the root keys at hand, not with the issuer's: what the roots say takes the place of what an issuer said
    #[arg(long)]
    pub(crate) by_roots: bool,
    /// Only what the daemon here had heard so long ago still counts, such as 2h; otherwise all it holds
    #[arg(long, value_name = "LENGTH", conflicts_with_all = ["in_question", "nothing_counts", "cuts"])]
    pub(crate) lost: Option<String>,
    // Backticks would stand in the help.
    #[arg(
        long = "cut",
        value_name = "LIFE/NUMBER/HASH",
        conflicts_with_all = ["in_question", "nothing_counts"],
        help = "The last word that still counts, as alliance heads shows it; repeat for each life, others do not count. Needs no daemon"
    )]
    pub(crate) cuts: Vec<String>,
    /// Do not say what still counts: all of it is in question until somebody does. Needs no daemon
    #[arg(long, conflicts_with = "nothing_counts")]
    pub(crate) in_question: bool,
    /// Nothing it ever said counts. Needs no daemon
    #[arg(long)]
    pub(crate) nothing_counts: bool,
}
