//! From the words typed to the exit code: parses, finds the daemon, hands over to the command, tells a failure.

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::json;

use crate::args::{self, Cli, Command, Global, RequestCommand};
use crate::client::Client;
use crate::desk::{Desk, Manner, Surroundings};
use crate::failure::{Exit, Failure, words};
use crate::target::{self, DemoFile, Target, Wish};
use crate::{act, alliance, demo, doctor, look, settings, wait};

/// Runs one command line in these surroundings.
pub(crate) fn run(typed: Vec<OsString>, world: Surroundings<'_>) -> Exit {
    let wants_json = typed.iter().any(|word| word == "--json");
    let cli = match Cli::try_parse_from(typed) {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error, wants_json, world),
    };
    let mut desk = Desk::new(world, &manner(&cli.global));
    let wish = wish(&cli.global);
    match command(&mut desk, &wish, cli.command) {
        Ok(exit) => exit,
        Err(failure) => {
            desk.fail(&failure);
            failure.exit()
        }
    }
}

/// The code of a command line that can't be read.
const UNPARSED: &str = "H-820";

/// Help and version go to stdout, wrong usage to stderr with exit 2.
fn unparsed(error: &clap::Error, wants_json: bool, world: Surroundings<'_>) -> Exit {
    let helps = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let text = if world.terminal && (world.env)("NO_COLOR").is_none_or(|value| value.is_empty()) {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    if helps {
        // A reader that hung up has seen enough.
        drop(world.out.write_all(text.as_bytes()));
        return Exit::Done;
    }
    if wants_json {
        let plain = error.render().to_string();
        let failure = Failure::usage(
            UNPARSED,
            words(plain.trim(), format!("看不懂這個指令:{}", plain.trim())),
            words("See `holdfast --help`.", "請見 `holdfast --help`。"),
        );
        let manner = Manner { json: true, ..Manner::default() };
        Desk::new(world, &manner).fail(&failure);
    } else {
        drop(writeln!(world.err, "{text}code: {UNPARSED}"));
    }
    Exit::Usage
}

fn manner(global: &Global) -> Manner {
    Manner {
        lang: global.lang.clone(),
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose,
        no_color: global.no_color,
    }
}

fn wish(global: &Global) -> Wish {
    Wish {
        demo_node: global.demo_node.clone(),
        dir: global.dir.clone(),
        api: global.api.clone(),
        token_file: global.token_file.clone(),
    }
}

fn command(desk: &mut Desk<'_>, wish: &Wish, command: Option<Command>) -> Result<Exit, Failure> {
    match command {
        None => alone(desk, wish),
        Some(Command::Demo(args)) => demo::demo(desk, wish, args),
        Some(Command::Alliance(command)) => alliance::alliance(desk, wish.dir.as_deref(), command),
        Some(Command::Doctor) => doctor::doctor(desk, wish),
        Some(Command::Config(command)) => settings::config(desk, wish, command),
        Some(Command::Completions { shell }) => Ok(completions(desk, shell)),
        Some(Command::Man) => Ok(man(desk)),
        Some(Command::Version) => Ok(version(desk)),
        Some(Command::Status) => with(desk, wish, |desk, _, client| look::status(desk, client)),
        Some(Command::Report(args)) => with(desk, wish, |desk, _, client| act::report(desk, client, args)),
        Some(Command::Request(command)) => with(desk, wish, |desk, _, client| request(desk, client, command)),
        Some(Command::Observe(args)) => with(desk, wish, |desk, _, client| act::observe(desk, client, args)),
        Some(Command::Peers) => with(desk, wish, |desk, _, client| look::peers(desk, client)),
        Some(Command::Watch) => with(desk, wish, |desk, _, client| look::watch(desk, client)),
        Some(Command::Wait(args)) => {
            // Without a name the whole demo is meant here, so no single node is told.
            let (target, client) = target::open(desk, wish)?;
            wait::wait(desk, &target, &client, &args).map_err(|failure| no_answer(failure, &target))
        }
        Some(Command::Digest) => with(desk, wish, |desk, _, client| look::digest(desk, client)),
    }
}

/// Without a command: status where a daemon is named or a demo runs, else a demo is started.
fn alone(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let named = wish.api.is_some() || wish.demo_node.is_some() || desk.env("HOLDFAST_API").is_some();
    let dir = target::demo_dir(desk, wish.dir.as_deref())?;
    if named || DemoFile::read(&dir).is_some_and(|file| demo::is_alive(&file)) {
        return with(desk, wish, |desk, _, client| look::status(desk, client));
    }
    demo::start_default(desk, wish)
}

fn with(
    desk: &mut Desk<'_>,
    wish: &Wish,
    then: impl FnOnce(&mut Desk<'_>, &Target, &Client) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let (target, client) = target::open(desk, wish)?;
    target::tell_default(desk, &target);
    then(desk, &target, &client).map_err(|failure| no_answer(failure, &target))
}

/// A node of a running demo that does not answer was killed there and is started there, not by a service.
fn no_answer(failure: Failure, target: &Target) -> Failure {
    let running = target.demo.as_ref().filter(|demo| failure.exit() == Exit::NotRunning && demo::is_alive(demo));
    match running.and_then(|demo| demo.nodes.iter().find(|node| node.api == target.address.api)) {
        Some(node) => {
            let start = format!("holdfast demo start {}", node.name);
            failure.with_fix(words(format!("Start it again: `{start}`."), format!("請重新啟動:`{start}`。")))
        }
        None => failure,
    }
}

fn request(desk: &mut Desk<'_>, client: &Client, command: RequestCommand) -> Result<Exit, Failure> {
    match command {
        RequestCommand::New(args) => act::request_new(desk, client, args),
        RequestCommand::List { all } => look::requests(desk, client, all),
        RequestCommand::Show { id } => look::request(desk, client, &id),
        RequestCommand::Update(args) => act::request_update(desk, client, args),
        RequestCommand::Cancel(args) => act::request_act(desk, client, "cancel", args),
        RequestCommand::Close(args) => act::request_act(desk, client, "close", args),
        RequestCommand::Confirm(args) => act::request_act(desk, client, "confirm", args),
    }
}

fn completions(desk: &mut Desk<'_>, shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "holdfast", &mut script);
    desk.say(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}

/// One page with all commands, as roff.
fn man(desk: &mut Desk<'_>) -> Exit {
    let mut command = args::command();
    command.build();
    let mut page = Vec::new();
    // Writing to memory does not fail.
    drop(clap_mangen::Man::new(command.clone()).render(&mut page));
    let mut below = Vec::new();
    each_command(&command, "holdfast", &mut below);
    for (name, about) in below {
        let text = format!(".SH \"{}\"\n{about}\n", name.to_uppercase());
        page.extend_from_slice(text.as_bytes());
    }
    desk.say(String::from_utf8_lossy(&page).trim_end());
    Exit::Done
}

fn each_command(command: &clap::Command, path: &str, out: &mut Vec<(String, String)>) {
    for sub in command.get_subcommands() {
        let name = format!("{path} {}", sub.get_name());
        let mut body = Vec::new();
        let page = clap_mangen::Man::new(sub.clone().bin_name(&name));
        drop(page.render_description_section(&mut body));
        drop(page.render_options_section(&mut body));
        // Sections of one command become sub-sections of the whole page.
        let text = String::from_utf8_lossy(&body).replace("\n.SH ", "\n.SS ").replacen(".SH ", ".SS ", 1);
        out.push((name.clone(), text));
        each_command(sub, &name, out);
    }
}

fn version(desk: &mut Desk<'_>) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    if desk.json {
        desk.object(&json!({"schema": "holdfast.version/1", "name": "holdfast", "version": version}));
    } else {
        desk.say(&format!("holdfast {version}"));
    }
    Exit::Done
}

#[cfg(test)]
mod tests;
