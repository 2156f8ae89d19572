//! From the words typed to the exit code: parses, finds the daemon, hands over to the command, tells a failure.

use std::ffi::OsString;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use serde_json::json;

use crate::args::{Cli, Command, ExportCommand, Global, LinesArgs, PaperArgs, RequestCommand, SheetsArgs};
use crate::client::Client;
use crate::desk::{Desk, Manner, Surroundings};
use crate::failure::{Exit, Failure, words};
use crate::lang::Lang;
use crate::target::{self, DemoFile, Target, Wish};
use crate::{
    act, alliance, board, conflicts, courier, demo, doctor, enrol, export, help, look, order, settings, story, supply, usage,
    wait, watch,
};

/// Runs one command line in these surroundings.
pub(crate) fn run(typed: Vec<OsString>, world: Surroundings<'_>) -> Exit {
    let lang = Lang::choose(lang_typed(&typed).as_deref(), world.env);
    let parsed = help::command(lang).try_get_matches_from(typed.iter());
    let cli = match parsed.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)) {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error, &typed, lang, world),
    };
    let wish = wish(&cli.global);
    let mut desk = Desk::new(world, &Manner { own: wish.command(), ..manner(&cli.global) });
    desk.tell_unknown_language();
    match command(&mut desk, &wish, cli.command) {
        Ok(exit) => exit,
        Err(failure) => {
            desk.fail(&failure);
            failure.exit()
        }
    }
}

/// The language asked for, also on a line that can't be read otherwise.
fn lang_typed(typed: &[OsString]) -> Option<String> {
    let words: Vec<_> = typed.iter().map(|word| word.to_string_lossy()).collect();
    let joined = words.iter().find_map(|word| word.strip_prefix("--lang=").map(str::to_owned));
    let next = || words.iter().position(|word| word == "--lang").and_then(|place| words.get(place + 1)).map(ToString::to_string);
    joined.or_else(next)
}

/// Help and version go to stdout, wrong usage to stderr with exit 2.
fn unparsed(error: &clap::Error, typed: &[OsString], lang: Lang, world: Surroundings<'_>) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let plain = !world.terminal || (world.env)("NO_COLOR").is_some_and(|value| !value.is_empty());
        let text = if plain { error.render().to_string() } else { error.render().ansi().to_string() };
        // A reader that hung up has seen enough.
        drop(world.out.write_all(text.as_bytes()));
        return Exit::Done;
    }
    let manner = Manner { json: typed.iter().any(|word| word == "--json"), ..Manner::default() };
    let mut desk = Desk::new(world, &manner);
    desk.lang = lang;
    desk.fail(&usage::failure(error, typed));
    Exit::Usage
}

fn manner(global: &Global) -> Manner {
    Manner {
        lang: global.lang.clone(),
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose,
        no_color: global.no_color,
        own: String::new(),
    }
}

fn wish(global: &Global) -> Wish {
    Wish {
        demo_node: global.demo_node.clone(),
        dir: global.dir.clone(),
        api: global.api.clone(),
        token_file: global.token_file.clone(),
        person: global.person.clone(),
        hub: global.hub.clone(),
    }
}

fn command(desk: &mut Desk<'_>, wish: &Wish, command: Option<Command>) -> Result<Exit, Failure> {
    match command {
        None => alone(desk, wish),
        Some(Command::Demo(args)) => demo::demo(desk, wish, args),
        Some(Command::Alliance(command)) => alliance::alliance(desk, wish, command),
        Some(Command::Invite(args)) => enrol::invite(desk, wish, &args),
        Some(Command::Join(args)) => enrol::join(desk, wish, &args),
        Some(Command::Replace(args)) => enrol::replace(desk, wish, &args),
        Some(Command::Guest(command)) => alliance::guest::guest(desk, wish, command),
        Some(Command::Person { folder }) => alliance::delegate::person(desk, &folder),
        Some(Command::Doctor) => doctor::doctor(desk, wish),
        Some(Command::Config(command)) => settings::config(desk, wish, command),
        Some(Command::Completions { shell }) => Ok(completions(desk, shell)),
        Some(Command::Man) => Ok(man(desk)),
        Some(Command::Version) => Ok(version(desk)),
        Some(Command::Status) => with(desk, wish, |desk, _, client| look::status(desk, client)),
        Some(Command::Report(args)) => with(desk, wish, |desk, _, client| act::report(desk, client, args)),
        Some(Command::Request(command)) => with(desk, wish, |desk, _, client| request(desk, client, command)),
        Some(Command::Commit(args)) => with(desk, wish, |desk, _, client| supply::commit(desk, client, args)),
        Some(Command::Unable(args)) => with(desk, wish, |desk, _, client| supply::unable(desk, client, args)),
        Some(Command::Release(args)) => with(desk, wish, |desk, _, client| supply::release(desk, client, args)),
        Some(Command::Convoy(command)) => with(desk, wish, |desk, _, client| supply::convoy(desk, client, command)),
        Some(Command::Receive(args)) => with(desk, wish, |desk, _, client| supply::receive(desk, client, args)),
        Some(Command::Refuse(args)) => with(desk, wish, |desk, _, client| supply::refuse(desk, client, args)),
        Some(Command::Stock(args)) => with(desk, wish, |desk, _, client| supply::stock(desk, client, args)),
        Some(Command::Conflicts(command)) => with(desk, wish, |desk, _, client| conflicts::conflicts(desk, client, command)),
        Some(Command::Coverage) => with(desk, wish, |desk, _, client| supply::coverage(desk, client)),
        Some(Command::Timeline { id }) => with(desk, wish, |desk, _, client| story::timeline(desk, client, &id)),
        Some(Command::Observe(args)) => with(desk, wish, |desk, _, client| act::observe(desk, client, args)),
        Some(Command::Mode(args)) => with(desk, wish, |desk, _, client| order::mode(desk, client, args)),
        Some(Command::Order(command)) => with(desk, wish, |desk, _, client| order::order(desk, client, command)),
        Some(Command::Board(command)) => with(desk, wish, |desk, _, client| board::board(desk, client, command)),
        Some(Command::Export(command)) => with(desk, wish, |desk, _, client| match command {
            ExportCommand::Public(args) => board::export(desk, client, args),
            ExportCommand::Csv(SheetsArgs { out }) => export::sheets(desk, client, &out),
            ExportCommand::Jsonl(LinesArgs { out }) => export::lines(desk, client, out.as_deref()),
            ExportCommand::Ics213rr(PaperArgs { id, out }) => export::paper::request_sheet(desk, client, id.as_deref(), &out),
        }),
        Some(Command::Courier(command)) => with(desk, wish, |desk, _, client| courier::courier(desk, client, command)),
        Some(Command::Peers) => with(desk, wish, |desk, _, client| look::peers(desk, client)),
        Some(Command::Watch) => with(desk, wish, |desk, _, client| watch::watch(desk, client)),
        Some(Command::Wait(args)) => {
            // Without a name the whole demo is meant here, so no single node is told.
            let (target, client) = target::open(desk, wish)?;
            wait::wait(desk, &target, &client, &args).map_err(|failure| no_answer(desk, failure, &target))
        }
        Some(Command::Digest) => with(desk, wish, |desk, _, client| look::digest(desk, client)),
    }
}

/// Without a command: status where a daemon is named or a demo runs, else a demo is started.
fn alone(desk: &mut Desk<'_>, wish: &Wish) -> Result<Exit, Failure> {
    let named = wish.api.is_some() || wish.person.is_some() || wish.demo_node.is_some() || desk.env("HOLDFAST_API").is_some();
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
    then(desk, &target, &client).map_err(|failure| no_answer(desk, failure, &target))
}

/// A node of a running demo that does not answer was killed there and is started there, not by a service.
fn no_answer(desk: &Desk<'_>, failure: Failure, target: &Target) -> Failure {
    let running = target.demo.as_ref().filter(|demo| failure.exit() == Exit::NotRunning && demo::is_alive(demo));
    let node = running.and_then(|demo| Some((demo, demo.nodes.iter().find(|node| node.api == target.address.api)?)));
    match node {
        Some((demo, node)) => {
            let start = format!("holdfast demo start {}{}", node.name, demo.dir_flag(desk));
            failure.with_fix(words(format!("Start it again: `{start}`."), format!("請重新啟動：`{start}`。")))
        }
        None => failure,
    }
}

fn request(desk: &mut Desk<'_>, client: &Client, command: RequestCommand) -> Result<Exit, Failure> {
    match command {
        RequestCommand::New(args) => act::request_new(desk, client, args),
        RequestCommand::List(args) => look::requests(desk, client, &args),
        RequestCommand::Show { id } => look::request(desk, client, &id),
        RequestCommand::Update(args) => act::request_update(desk, client, args),
        RequestCommand::Cancel(args) => act::request_act(desk, client, "cancel", args),
        RequestCommand::Close(args) => act::request_act(desk, client, "close", args),
        RequestCommand::Confirm(args) => act::request_act(desk, client, "confirm", args),
    }
}

fn completions(desk: &mut Desk<'_>, shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(desk.lang), "holdfast", &mut script);
    desk.say(String::from_utf8_lossy(&script).trim_end());
    Exit::Done
}

/// One page with all commands, as roff.
fn man(desk: &mut Desk<'_>) -> Exit {
    let mut command = help::command(desk.lang);
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
    // Its commands stand on this page, not on pages of their own.
    let mut page = String::from_utf8_lossy(&page).into_owned();
    for sub in command.get_subcommands() {
        page = page.replace(&format!("holdfast\\-{}(1)", sub.get_name()), &format!("holdfast {}", sub.get_name()));
    }
    desk.say(page.trim_end());
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
