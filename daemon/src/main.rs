//! `holdfastd`: arguments, logging, settings, signals and the exit code. Everything else is in the library.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use holdfast_daemon::code::Code;
use holdfast_daemon::config::{Fault, Settings};
use holdfast_daemon::link::desk::{Desk, NoDesk};
use holdfast_daemon::run::RunError;
use holdfast_daemon::{log, run};
use holdfast_proto::domain::refusal::Words;

/// The Holdfast daemon: keeps one node of an alliance running.
#[derive(Debug, Parser)]
#[command(
    name = "holdfastd",
    version,
    about,
    after_help = "Exit codes: 0 ended as asked, 1 could not start or run, 2 wrong usage."
)]
struct Arguments {
    /// Configuration file (TOML). See configs/store.toml.
    #[arg(long, value_name = "FILE", required_unless_present = "desk")]
    config: Option<PathBuf>,
    /// Check the configuration and the files it names, start nothing; print what is wrong as JSON
    #[arg(long)]
    check: bool,
    /// Run no node: carry the API of one to this computer, for the person whose key and delegation lie in FOLDER
    #[arg(long, value_name = "FOLDER", requires = "hub", conflicts_with_all = ["config", "check"])]
    desk: Option<PathBuf>,
    /// With --desk: the node's sync address
    #[arg(long, value_name = "ADDRESS", requires = "desk")]
    hub: Option<String>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => return unparsed(&told),
    };
    if let Some((folder, hub)) = arguments.desk.as_ref().zip(arguments.hub.as_ref()) {
        return desk(folder, hub);
    }
    let config = arguments.config.unwrap_or_default();
    if arguments.check {
        return check(&config);
    }
    match begin(&config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let words = error.words();
            eprintln!("holdfastd could not run: {}\nholdfastd 無法執行：{}\ncode: {}", words.en, words.zh, error.code());
            ExitCode::FAILURE
        }
    }
}

/// Help and version go to standard output, wrong usage to standard error with its code and exit 2.
fn unparsed(told: &clap::Error) -> ExitCode {
    if !told.use_stderr() {
        // A reader that hung up has seen enough; the exit code says the same.
        drop(told.print());
        return ExitCode::SUCCESS;
    }
    let words = misused(told);
    eprintln!(
        "holdfastd could not run: {}. Nothing was started. Usage: holdfastd --config FILE [--check]; see holdfastd --help\n\
         holdfastd 無法執行：{}。沒有啟動。用法：holdfastd --config 檔案 [--check]；說明請看 holdfastd --help\ncode: {}",
        words.en,
        words.zh,
        Code::Usage
    );
    ExitCode::from(2)
}

/// What is wrong with the words typed.
fn misused(told: &clap::Error) -> Words {
    let of = |kind| told.get(kind).map(ToString::to_string).unwrap_or_default();
    let (arg, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let (en, zh) = if told.kind() == ErrorKind::MissingRequiredArgument {
        (format!("{arg} is missing"), format!("缺少 {arg}"))
    } else if told.kind() == ErrorKind::UnknownArgument {
        (format!("it does not take \"{arg}\""), format!("不接受「{arg}」"))
    } else if told.kind() == ErrorKind::ArgumentConflict {
        (format!("{arg} is given twice"), format!("{arg} 重複了"))
    } else if value.is_empty() && !arg.is_empty() {
        (format!("{arg} has no value"), format!("{arg} 沒有填值"))
    } else {
        ("its command line can't be read".to_owned(), "看不懂這個指令".to_owned())
    };
    Words { en, zh }
}

/// What `holdfast config check` shows to people.
fn check(file: &Path) -> ExitCode {
    let faults = match Settings::load(file) {
        Ok(settings) => run::check(&settings).iter().map(Fault::of_run).collect(),
        Err(error) => error.faults(),
    };
    let ok = faults.is_empty();
    let told = serde_json::json!({"schema": "holdfast.config_check/1", "ok": ok, "file": file, "faults": faults});
    // Whoever asked may have gone away; the exit code says the same.
    drop(writeln!(std::io::stdout(), "{told}"));
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A desk: one line of JSON says that it is open or why not; then it stays until it is asked to end.
fn desk(folder: &Path, hub: &str) -> ExitCode {
    let Ok(runtime) = run::runtime() else { return ExitCode::FAILURE };
    runtime.block_on(async {
        match Desk::open(folder, hub).await {
            Ok(desk) => {
                // Whoever asked may have gone away; then there is nobody to serve.
                drop(writeln!(std::io::stdout(), "{}", desk.ready));
                desk.serve(asked_to_end()).await;
                ExitCode::SUCCESS
            }
            Err(NoDesk(why)) => {
                drop(writeln!(std::io::stdout(), "{why}"));
                ExitCode::FAILURE
            }
        }
    })
}

fn begin(config: &Path) -> Result<(), RunError> {
    let settings = Settings::load(config)?;
    log::start(settings.log_format, &settings.log_filter)?;
    let runtime = run::runtime().map_err(RunError::Runtime)?;
    runtime.block_on(run::run(settings, asked_to_end(), |_| {}))
}

/// Resolves at Ctrl-C, at SIGTERM, and, where whoever started us asked for that, when standard input closes.
async fn asked_to_end() {
    let with_stdin = std::env::var_os("HOLDFAST_EXIT_WITH_STDIN").is_some();
    let closed = async {
        if !with_stdin {
            return std::future::pending().await;
        }
        let (tx, rx) = tokio::sync::oneshot::channel::<()>();
        // A thread of its own: a blocked read of standard input would keep the runtime from ending.
        std::thread::spawn(move || {
            let _ended = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            drop(tx);
        });
        drop(rx.await);
    };
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(term) => term,
        Err(error) => {
            tracing::warn!(%error, "SIGTERM can't be listened for");
            return drop(tokio::signal::ctrl_c().await);
        }
    };
    let by = tokio::select! {
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
        _ = term.recv() => "SIGTERM",
        () = closed => "end of standard input",
    };
    tracing::info!(by, "asked to end");
}
