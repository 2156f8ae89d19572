//! The words of `holdfast courier`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `courier`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum CourierCommand {
    /// Write all that a node out of reach may lack into a file for it
    Out(CourierOutArgs),
    /// Take in a file that somebody carried here; reading it twice does no harm
    In(CourierInArgs),
}

/// `courier out`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CourierOutArgs {
    /// The node it is carried to, by id or name
    #[arg(long, value_name = "NODE")]
    pub(crate) to: String,
    /// The file, such as one on a USB stick; courier-ID.hfc here where absent
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show it as a row of QR codes instead, as far as that goes: what is urgent first
    #[arg(long, conflicts_with = "out")]
    pub(crate) qr: bool,
}

/// `courier in`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CourierInArgs {
    /// The file that was carried here; - for QR codes, as a scanner types them
    pub(crate) file: PathBuf,
    /// How long it was on its way, such as 3h; without it nobody knows how old its reports are
    #[arg(long, value_name = "LENGTH")]
    pub(crate) carried: Option<String>,
}
