//! The words of `holdfast board` and `holdfast export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `board`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// Show where the board is and what it leaves out
    List,
    /// Leave something out of this node's board, from the next visitor on; the alliance still sees it
    Hide(LineArgs),
    /// Show it on the board again
    Show(LineArgs),
}

/// `board hide`, `board show`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LineArgs {
    /// An item, a service, or a reading such as power.source; absent: the whole site
    #[arg(required_unless_present = "site")]
    pub(crate) line: Option<String>,
    /// Whose, by id or name; this node's where absent
    #[arg(long, value_name = "NODE")]
    pub(crate) site: Option<String>,
}

/// `export`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// The public's board as files for any web server or a USB stick
    Public(PublicArgs),
    /// All that is known of sites, requests, promises, convoys and conflicts, and every act, as sheets
    Csv(SheetsArgs),
    /// The same as JSON lines
    Jsonl(LinesArgs),
    /// A request on paper, as an ICS 213 RR form to print; without an id an empty form, for the time without a PC
    Ics213rr(PaperArgs),
}

/// `export ics213rr`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PaperArgs {
    /// R-...; absent: an empty form
    pub(crate) id: Option<String>,
    /// The file, which any browser shows and prints
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// `export csv`.
#[derive(Clone, Debug, Args)]
pub(crate) struct SheetsArgs {
    /// Where to; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

/// `export jsonl`.
#[derive(Clone, Debug, Args)]
pub(crate) struct LinesArgs {
    /// The file; absent: to the terminal
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// `export public`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PublicArgs {
    /// Where to; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write them again and again, such as every 60s, until Ctrl-C; from 10s to 24h
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    pub(crate) every: Option<String>,
}
