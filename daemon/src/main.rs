//! `holdfastd`: arguments, logging, settings, signals and the exit code. Everything else is in the library.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use holdfast_daemon::code::Code;
use holdfast_daemon::config::{Fault, Settings};
use holdfast_daemon::run::RunError;
use holdfast_daemon::{log, paper, run, start};

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
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and the files it names, start nothing; print what is wrong as JSON
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => return unparsed(&told),
    };
    if arguments.check {
        return check(&arguments.config);
    }
    match begin(&arguments) {
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
    // A reader that hung up has seen enough; the exit code says the same.
    drop(told.print());
    if !told.use_stderr() {
        return ExitCode::SUCCESS;
    }
    eprintln!("code: {}", Code::Usage);
    ExitCode::from(2)
}

/// What `holdfast config check` shows to people.
fn check(file: &Path) -> ExitCode {
    let faults = match Settings::load(file) {
        Ok(settings) => [
            paper::check_papers(&settings).err().map(|error| Fault::of_paper(&error)),
            start::check_folders(&settings).err().map(|error| Fault::of_start(&error)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        Err(error) => error.faults(),
    };
    let ok = faults.is_empty();
    let told = serde_json::json!({"schema": "holdfast.config_check/1", "ok": ok, "file": file, "faults": faults});
    // Whoever asked may have gone away; the exit code says the same.
    drop(writeln!(std::io::stdout(), "{told}"));
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn begin(arguments: &Arguments) -> Result<(), RunError> {
    let settings = Settings::load(&arguments.config)?;
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
