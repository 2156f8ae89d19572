//! `holdfast`: the command of dispatchers and scripts. Parses, sends, renders; what is true is the daemon's to say.

mod act;
mod alliance;
mod args;
mod board;
mod client;
mod conflicts;
mod courier;
mod demo;
mod desk;
mod doctor;
mod enrol;
mod export;
mod failure;
mod fields;
mod files;
mod help;
mod holdfastd;
mod lang;
mod look;
mod order;
mod person;
mod report_args;
mod run;
mod settings;
mod story;
mod supply;
mod target;
mod text;
mod usage;
mod view;
mod wait;
mod watch;
mod when;
mod words;

use std::io::IsTerminal;
use std::process::ExitCode;

use crate::desk::Surroundings;

fn main() -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let terminal = out.is_terminal();
    let width = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| usize::from(width.0));
    let (mut input, now) = (std::io::stdin().lock(), jiff::Zoned::now());
    let world = Surroundings { env: &env, out: &mut out, err: &mut err, input: &mut input, terminal, width, now };
    ExitCode::from(run::run(std::env::args_os().collect(), world).code())
}
