//! The command line: commands, flags and their help. Reads words, does nothing.

mod alliance;
mod board;
mod courier;
mod enrol;
mod order;
mod person;
mod supply;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::alliance::{
    AllianceCommand, IssueCommand, IssueDeputy, IssueIssuer, IssueNode, Kind, Renew, Revoke, Rotate,
};
pub(crate) use self::board::{BoardCommand, ExportCommand, LineArgs, LinesArgs, PaperArgs, PublicArgs, SheetsArgs};
pub(crate) use self::courier::{CourierCommand, CourierInArgs, CourierOutArgs};
pub(crate) use self::enrol::{CodeArgs, EnterArgs, GuestCommand, HostArgs, InviteArgs, JoinArgs, ReplaceArgs, VouchArgs};
pub(crate) use self::order::{DeputiesArgs, GiveArgs, JudgeArgs, ModeArgs, OrderCommand};
pub(crate) use self::person::{DelegateArgs, UndelegateArgs};
pub(crate) use self::supply::{
    CommitArgs, ConflictsCommand, ConvoyCommand, GoodsArgs, ListArgs, PlanArgs, PositionArgs, ReceiveArgs, RefuseArgs,
    ReleaseArgs, ResolveArgs, StepArgs, StockArgs, StockCommand, StockLines, UnableArgs,
};
use crate::report_args::ReportArgs;

/// `holdfast`.
#[derive(Debug, Parser)]
#[command(
    name = "holdfast",
    version,
    about = "Keep resilience nodes coordinated when the central systems are down",
    disable_help_subcommand = true,
    infer_long_args = false,
    max_term_width = 110
)]
pub(crate) struct Cli {
    /// What to do; without one: the demo, or its status where it runs
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Flags every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Speak to this node of the running demo: a, b, c, ...
    #[arg(long, global = true, value_name = "NAME", conflicts_with_all = ["api", "token_file"])]
    pub(crate) demo_node: Option<String>,
    /// Folder of the demo; of the alliance with `alliance`, `invite` and `replace`; of the new node with `join` and `guest`
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Speak to the daemon at this address, such as http://127.0.0.1:8787
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) api: Option<String>,
    /// File with that daemon's token
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Act as the person whose key and delegation lie in this folder, through the node named with --hub
    #[arg(long = "as", global = true, value_name = "FOLDER", requires = "hub", conflicts_with_all = ["api", "token_file", "demo_node"])]
    pub(crate) person: Option<PathBuf>,
    /// With --as: the sync address of a node that serves, such as 192.168.1.20:4401
    #[arg(long, global = true, value_name = "ADDRESS", requires = "person")]
    pub(crate) hub: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language: zh-TW or en
    #[arg(long, global = true, value_name = "LANG", value_parser = clap::builder::PossibleValuesParser::new([
        clap::builder::PossibleValue::new("zh-TW").aliases(["zh", "zh-tw", "zh_TW", "zh-Hant", "zh-Hant-TW"]),
        clap::builder::PossibleValue::new("en"),
    ]))]
    pub(crate) lang: Option<String>,
    /// Say nothing but data and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// No colour
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a practice alliance of real daemons on this computer, or steer the one that runs
    Demo(DemoArgs),
    /// Found an alliance, certify issuers and nodes, read certificates
    #[command(subcommand)]
    Alliance(AllianceCommand),
    /// Let a PC join: makes a code for it, waits for it and certifies it
    Invite(InviteArgs),
    /// Make this PC a node of an alliance, with the code somebody gave for it
    Join(JoinArgs),
    /// Let another PC take the place of a node whose PC is dead or gone
    Replace(ReplaceArgs),
    /// Let a PC that no firm certified say how it is: three nodes of two firms vouch for it, for a week
    #[command(subcommand)]
    Guest(GuestCommand),
    /// Make the key of who works at this computer, to act through nodes by a delegation; it stays here
    Person {
        /// Folder for the key, and later for the delegation
        folder: PathBuf,
    },
    /// Show who is open, what is left, and what needs attention
    Status,
    /// Say how this node is: status, access, power, stock, services, ...
    Report(ReportArgs),
    /// Ask for supplies and follow what was asked
    #[command(subcommand)]
    Request(RequestCommand),
    /// Promise goods to a request
    Commit(CommitArgs),
    /// Tell a request that asks this node that nothing will come from here
    Unable(UnableArgs),
    /// Take a promise back, or part of it
    Release(ReleaseArgs),
    /// Send goods on their way and say where they are
    #[command(subcommand)]
    Convoy(ConvoyCommand),
    /// Sign for what came with a convoy, as it was counted
    Receive(ReceiveArgs),
    /// Take nothing of what a convoy brings
    Refuse(RefuseArgs),
    /// Show this site's stock and what holds it; count it, change it, keep some for the place
    Stock(StockArgs),
    /// Show what was promised too much or no longer fits, and settle it
    #[command(subcommand)]
    Conflicts(ConflictsCommand),
    /// Show of each open request what is promised, on the road, there and lacking
    Coverage,
    /// Tell what was done about a request, in order of time
    Timeline {
        /// R-...
        id: String,
    },
    /// Write down what somebody saw of another node
    Observe(ObserveArgs),
    /// Switch the mode in which this site works, or show it
    Mode(ModeArgs),
    /// Order modes for whole regions, ratify or countermand, name deputies
    #[command(subcommand)]
    Order(OrderCommand),
    /// Say what the public's board at the door leaves out
    #[command(subcommand)]
    Board(BoardCommand),
    /// Write what is known as files for others
    #[command(subcommand)]
    Export(ExportCommand),
    /// Let somebody carry what no link brings: a file out, a file in
    #[command(subcommand)]
    Courier(CourierCommand),
    /// Show whom this node reaches, and how
    Peers,
    /// Print one line per change until Ctrl-C; a daemon that restarts is waited for
    Watch,
    /// Wait until something is so; exit code 7 if it is not in time
    Wait(WaitArgs),
    /// Print one hash of the state: equal exactly where the state is equal
    Digest,
    /// Check this node and say how to mend what is wrong
    Doctor,
    /// Show settings and files, check a daemon's configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Print the version
    Version,
}

/// Starting a demo, or steering the one that runs.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DemoArgs {
    /// Steer a running demo
    #[command(subcommand)]
    pub(crate) act: Option<DemoCommand>,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=9))]
    pub(crate) nodes: u8,
    /// First port: P+i for the page and API, P+100+i for links and the public board, P+200+i for links
    #[arg(long, value_name = "P", default_value_t = 8787, value_parser = clap::value_parser!(u16).range(1024..=65_000))]
    pub(crate) port_base: u16,
    /// Print one JSON line when ready, nothing else
    #[arg(long)]
    pub(crate) headless: bool,
    /// Give a and b a radio each: one channel of 1,200 bit/s that no cut touches
    #[arg(long)]
    pub(crate) radio: bool,
}

/// What a running demo can be told.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DemoCommand {
    /// Show its nodes
    Status,
    /// Cut node a off from the others on every IP link
    Cut,
    /// End all cuts
    Heal,
    /// Pull a node's plug: kill -9
    Kill {
        /// a, b, c, ...
        name: String,
    },
    /// Start a node again
    Start {
        /// a, b, c, ...
        name: String,
    },
}

/// When it was so, by whom, how it is known: on every act.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ActArgs {
    /// When it was so, if written down late, at most 30 days: 20m (ago), 14:05, "2026-11-23 14:05" or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) at: Option<String>,
    /// Label of the desk or person, up to 32 bytes
    #[arg(long, value_name = "LABEL")]
    pub(crate) desk: Option<String>,
    // Backticks would stand in the help.
    #[arg(long, value_name = "WORD", help = "How it is known: self_reported, sensor, inferred, inspected, crowd, carried")]
    pub(crate) basis: Option<String>,
    /// How long it holds, such as 2h
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    pub(crate) valid: Option<String>,
}

/// Requests.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Ask for supplies
    New(RequestNewArgs),
    /// List requests, open ones first
    List(ListArgs),
    /// Show one request with its promises, its convoys and its history
    Show {
        /// R-...
        id: String,
    },
    /// Change a request; what is given replaces, the rest stays
    Update(RequestUpdateArgs),
    /// The need is gone
    Cancel(RequestActArgs),
    /// The need is met or given up; ends the request
    Close(RequestActArgs),
    /// A cancel of an older version was flagged: the need still stands
    Confirm(RequestActArgs),
}

/// `request new`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RequestNewArgs {
    /// ITEM:QTY such as water:40, or other:TEXT=QTY; repeat for each
    #[arg(long = "item", value_name = "ITEM:QTY", required = true)]
    pub(crate) items: Vec<String>,
    /// immediate, urgent, routine or low
    #[arg(long, value_name = "WORD")]
    pub(crate) priority: Option<String>,
    /// 6h (from now), 14:05, 2026-11-24 (by the end of that day), "2026-11-24 14:05" or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) needed_by: Option<String>,
    /// The node the goods are for, where not this one
    #[arg(long = "for", value_name = "NODE")]
    pub(crate) on_behalf_of: Option<String>,
    /// The node asked, or `all` hubs; absent = this node's home hub, or all hubs
    #[arg(long, value_name = "NODE")]
    pub(crate) to: Option<String>,
    /// Free text, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Repeating with the same key adds nothing; another request needs another key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `request update`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RequestUpdateArgs {
    /// R-...
    pub(crate) id: String,
    /// The version you saw; the newest where absent
    #[arg(long = "seen", value_name = "VERSION")]
    pub(crate) version: Option<u32>,
    /// Replaces all lines; repeat for each
    #[arg(long = "item", value_name = "ITEM:QTY")]
    pub(crate) items: Vec<String>,
    /// Replaces the priority
    #[arg(long, value_name = "WORD")]
    pub(crate) priority: Option<String>,
    /// Replaces the time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) needed_by: Option<String>,
    /// Replaces the note
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `request cancel`, `close`, `confirm`.
#[derive(Clone, Debug, Args)]
pub(crate) struct RequestActArgs {
    /// R-...
    pub(crate) id: String,
    /// The version you saw; the newest where absent
    #[arg(long = "seen", value_name = "VERSION")]
    pub(crate) version: Option<u32>,
    /// Why, up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `observe`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ObserveArgs {
    /// The node seen, by id or name
    pub(crate) node: String,
    /// What was seen, such as status=closed power.source=none stock.water=low
    #[arg(value_name = "FIELD=VALUE")]
    pub(crate) values: Vec<String>,
    /// Said by whom, how; up to 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) act: ActArgs,
}

/// `wait`.
#[derive(Clone, Debug, Args)]
pub(crate) struct WaitArgs {
    /// For what
    #[command(subcommand)]
    pub(crate) what: WaitFor,
    /// How long at most, such as 30s
    #[arg(long, global = true, value_name = "LENGTH", default_value = "30s", allow_hyphen_values = true)]
    pub(crate) timeout: String,
}

/// What can be waited for.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum WaitFor {
    /// Until this node and its neighbours hold the same; all nodes of a demo, where none is named: each must run
    Converged,
    /// Until a write got somewhere
    Delivered {
        /// The ticket printed with the write
        ticket: String,
        /// How far
        #[arg(long, value_enum, default_value = "reached")]
        state: Reach,
    },
    /// Until this node knows a request
    Request {
        /// R-...
        id: String,
        /// Or until it has come so far
        #[arg(long, value_enum, default_value = "known")]
        state: RequestState,
    },
}

/// How far a write got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reach {
    /// A neighbour has it
    Reached,
    /// The addressee has it
    Received,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequestState {
    /// This node holds it
    Known,
    /// An addressee received it
    Acknowledged,
    /// It is over
    Closed,
}

/// Settings.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// What this command would use, and whence
    Show,
    /// Files and folders this command uses
    Path,
    /// Check a daemon's configuration file
    Check {
        /// Such as holdfast.toml
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_words_scripts_depend_on_are_taken() {
        for line in [
            "holdfast",
            "holdfast demo",
            "holdfast demo --nodes 5 --dir /tmp/x --port-base 9000 --headless",
            "holdfast demo status --dir /tmp/x --json",
            "holdfast demo cut",
            "holdfast demo heal --json",
            "holdfast demo kill b",
            "holdfast demo start b --dir /tmp/x",
            "holdfast --demo-node b --dir /tmp/x status --json",
            "holdfast --api http://127.0.0.1:1 --token-file /t status",
            "holdfast status --json --lang zh-TW",
            "holdfast report stock water=120 rice=30",
            "holdfast report power --source generator --fuel-litres 120 --burn 8 --at 20m --desk 1",
            "holdfast report status open",
            "holdfast request new --item water:40 --priority urgent --needed-by 6h --key K --json",
            "holdfast request new --item water:40 --item other:tarps=3 --for 1-2 --to hub --note hi",
            "holdfast request new --item water:40 --needed-by -3h",
            "holdfast request list --json",
            "holdfast request show R-7Q4KABC",
            "holdfast request list --open --mine --waiting-over 1h",
            "holdfast commit R-7Q4KABC",
            "holdfast commit R-7Q4KABC --item water:40 --item rice:5 --arrival 6h --note truck --key K",
            "holdfast unable R-7Q4KABC --decline --reason empty",
            "holdfast release P-7Q4KABC --item water:10 --cause shortfall --reason broken",
            "holdfast convoy plan P-7Q4KABC P-7Q4KABD --item rice:5 --to 1-2 --carrier 1-3 --arrival 16:00",
            "holdfast convoy plan --item rice:5 --to 1-2",
            "holdfast convoy load V-7Q4KABC",
            "holdfast convoy position V-7Q4KABC km-12 --at 5m",
            "holdfast convoy hand-over V-7Q4KABC --item water:38",
            "holdfast convoy divert V-7Q4KABC --to R-7Q4KABC",
            "holdfast convoy list --json",
            "holdfast receive V-7Q4KABC --accepted water:38 --damaged water:1 --rejected water:1 --reason wet",
            "holdfast refuse V-7Q4KABC",
            "holdfast stock",
            "holdfast stock count water=120 rice=low",
            "holdfast stock adjust water=-3 --desk 1F",
            "holdfast stock floor water=40",
            "holdfast conflicts list",
            "holdfast conflicts resolve C1-7Q4KABC --yes",
            "holdfast coverage --json",
            "holdfast timeline R-7Q4KABC",
            "holdfast export csv --out after",
            "holdfast export jsonl --out after.jsonl",
            "holdfast export jsonl",
            "holdfast export ics213rr R-7Q4KABC --out sheet.html",
            "holdfast export ics213rr --out empty.html",
            "holdfast request update R-7Q4KABC --item water:20",
            "holdfast request cancel R-7Q4KABC --reason found",
            "holdfast request close R-7Q4KABC",
            "holdfast request confirm R-7Q4KABC --seen 2",
            "holdfast observe 1-2 status=closed --note runner --at 3h",
            "holdfast peers",
            "holdfast watch --json",
            "holdfast wait converged --timeout 30s",
            "holdfast wait delivered T-1",
            "holdfast wait request R-7Q4KABC --timeout 1m",
            "holdfast digest",
            "holdfast doctor",
            "holdfast config show",
            "holdfast config check f.toml",
            "holdfast alliance init --dir d --kind exercise --roots 2/3 --firm A --firm B",
            "holdfast alliance issue issuer --dir d --number 1 --firm X",
            "holdfast alliance issue node --dir d --id 1-118 --name X --region TPE",
            "holdfast alliance show f",
            "holdfast completions bash",
            "holdfast man",
            "holdfast version",
        ] {
            parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }

    #[test]
    fn wrong_usage_is_refused_with_code_two() {
        for line in [
            "holdfast requst",
            "holdfast demo --nodes 1",
            "holdfast demo --nodes 10",
            "holdfast demo kill",
            "holdfast --lang fr status",
            "holdfast request new",
            "holdfast --demo-node a --api http://x status",
            "holdfast --demo-node a --token-file x status",
            "holdfast status -q -v",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_mistyped_command_is_answered_with_the_nearest_one() {
        assert!(parse("holdfast requst").unwrap_err().to_string().contains("request"));
    }
}
