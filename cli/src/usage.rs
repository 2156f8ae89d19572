//! What is wrong with a command line that can't be read, in both languages, with the usage of the command that was meant.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ErrorKind};
use holdfast_proto::domain::refusal::Words;

use crate::failure::{Failure, words};
use crate::help;
use crate::lang::Lang;

/// The code of a command line that can't be read.
const UNPARSED: &str = "H-820";

/// What was found wrong, and what mends it.
type Told = (Words, Words);

/// Tells what the parser found, as every failure is told: what, what it means, what to do.
pub(crate) fn failure(error: &clap::Error, typed: &[OsString]) -> Failure {
    let mut root = help::command(Lang::En);
    root.build();
    let (command, path) = meant(&root, typed);
    let usage = usage_of(command);
    let name = std::iter::once("holdfast").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let (what, fix) = told(error, command, &name);
    let blank = |text: &str| if text.is_empty() { "" } else { " " };
    let fix = words(
        format!("{}{}Usage: `{usage}`; see `{name} --help`.", fix.en, blank(&fix.en)),
        format!("{}用法：`{usage}`；說明請看 `{name} --help`。", fix.zh),
    );
    Failure::usage(UNPARSED, what, fix)
}

/// The command named, as far as it is one, and the way to it.
fn meant<'a>(root: &'a Command, typed: &[OsString]) -> (&'a Command, Vec<String>) {
    let (mut at, mut path) = (root, Vec::new());
    let mut rest = typed.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = rest.next() {
        if let Some(flag) = word.strip_prefix("--") {
            let takes_value = |arg: &&clap::Arg| arg.get_long() == Some(flag) && arg.get_action().takes_values();
            if at.get_arguments().any(|arg| takes_value(&arg)) {
                rest.next();
            }
            continue;
        }
        if word.starts_with('-') {
            continue;
        }
        let Some(sub) = at.find_subcommand(&*word) else { break };
        path.push(sub.get_name().to_owned());
        at = sub;
    }
    (at, path)
}

fn usage_of(command: &Command) -> String {
    let text = command.clone().render_usage().to_string();
    let lines = text.trim_start_matches("Usage: ").lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" | ")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what cannot come from this command line, and what clap may add")]
fn told(error: &clap::Error, command: &Command, name: &str) -> Told {
    let of = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (arg, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            unknown_command(&of(ContextKind::InvalidSubcommand), &of(ContextKind::SuggestedSubcommand), command, name)
        }
        ErrorKind::MissingSubcommand => {
            (words(format!("What to do is missing after `{name}`."), format!("`{name}` 之後缺少指令。")), commands_of(command))
        }
        ErrorKind::UnknownArgument => unknown_argument(&arg, &of(ContextKind::SuggestedArg), name),
        ErrorKind::MissingRequiredArgument => {
            (words(format!("{arg} is missing."), format!("缺少 {arg}。")), hints(command, &arg))
        }
        ErrorKind::TooFewValues => {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let zh = help::chinese(&about).unwrap_or_default();
            (
                words(format!("`{name}` was given nothing to say."), format!("`{name}` 沒有填寫任何內容。")),
                words(format!("Give at least one. {about}."), format!("請至少填寫一項。{zh}。")),
            )
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            (words(format!("{arg} has no value."), format!("{arg} 沒有填值。")), hints(command, &arg))
        }
        ErrorKind::InvalidValue => {
            let valid = of(ContextKind::ValidValue);
            (unfit(&value, &arg), words(format!("Give one of: {valid}."), format!("可填：{}。", valid.replace(", ", "、"))))
        }
        ErrorKind::ValueValidation => (unfit(&value, &arg), range(error).unwrap_or_else(|| hints(command, &arg))),
        ErrorKind::ArgumentConflict => conflict(&arg, &of(ContextKind::PriorArg)),
        ErrorKind::InvalidUtf8 => (
            words("A word typed is not UTF-8 text.", "輸入的文字不是 UTF-8。"),
            words("Type it again on a terminal set to UTF-8.", "請在 UTF-8 終端機重新輸入。"),
        ),
        _ => (words("The command line can't be read.", "看不懂這個指令。"), Words::default()),
    }
}

fn unknown_command(typed: &str, near: &str, command: &Command, name: &str) -> Told {
    let what = words(format!("`{name}` has no command \"{typed}\"."), format!("`{name}` 沒有「{typed}」這個指令。"));
    if near.is_empty() {
        return (what, commands_of(command));
    }
    // The nearest stands last.
    let near = near.rsplit(", ").next().unwrap_or(near);
    (what, words(format!("Did you mean `{name} {near}`?"), format!("您是指 `{name} {near}` 嗎？")))
}

fn unknown_argument(typed: &str, near: &str, name: &str) -> Told {
    let what = words(format!("`{name}` does not take \"{typed}\"."), format!("`{name}` 不接受「{typed}」。"));
    let fix = if near.is_empty() {
        words("Leave it out.", "請刪除它。")
    } else {
        words(format!("Did you mean {near}?"), format!("您是指 {near} 嗎？"))
    };
    (what, fix)
}

fn commands_of(command: &Command) -> Words {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    words(format!("Give one of: {}.", names.join(", ")), format!("可用的指令：{}。", names.join("、")))
}

fn unfit(value: &str, arg: &str) -> Words {
    let arg = arg.trim_end_matches('.');
    words(format!("\"{value}\" does not fit {arg}."), format!("「{value}」不能用在 {arg}。"))
}

fn conflict(arg: &str, prior: &str) -> Told {
    if prior.is_empty() || arg == prior {
        return (words(format!("{arg} is given twice."), format!("{arg} 重複了。")), words("Give it once.", "請只填一次。"));
    }
    (
        words(format!("{arg} can't stand together with {prior}."), format!("{arg} 不能和 {prior} 一起使用。")),
        words("Leave one of them out.", "請擇一使用。"),
    )
}

/// From `10 is not in 2..=9`, and from what is no number at all.
fn range(error: &clap::Error) -> Option<Words> {
    let cause = error.source()?.to_string();
    let Some((_, bounds)) = cause.rsplit_once(" is not in ") else {
        return Some(words("Give a whole number.", "請填整數。"));
    };
    let (low, high) = bounds.split_once("..")?;
    let high = high.trim_start_matches('=');
    Some(words(format!("Give a whole number from {low} to {high}."), format!("請填 {low} 到 {high} 的整數。")))
}

/// The help of each argument named.
fn hints(command: &Command, shown: &str) -> Words {
    let meant = |arg: &&clap::Arg| shown.split(", ").any(|one| one == arg.to_string());
    let mut hints = Words::default();
    for arg in command.get_arguments().filter(meant) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        hints.zh.push_str(&help::chinese(&help).map(|zh| format!("{arg}：{zh}。")).unwrap_or_default());
        let gap = if hints.en.is_empty() { "" } else { " " };
        hints.en.push_str(&format!("{gap}{arg}: {help}."));
    }
    hints
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::args::Cli;

    fn said(line: &str, lang: Lang) -> Vec<String> {
        let typed: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let parsed = help::command(lang).try_get_matches_from(&typed);
        let error = parsed.and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches)).expect_err(line);
        failure(&error, &typed).lines(lang)
    }

    #[test]
    fn each_slip_is_named_with_what_to_type_instead() {
        for (line, what, fix) in [
            ("holdfast requst", "has no command \"requst\"", "Did you mean `holdfast request`?"),
            ("holdfast report stok a=1", "`holdfast report` has no command \"stok\"", "`holdfast report stock`"),
            ("holdfast xyzzy", "has no command \"xyzzy\"", "Give one of: demo, alliance, invite"),
            ("holdfast request", "missing after `holdfast request`", "Give one of: new, list, show"),
            ("holdfast report", "missing after `holdfast report`", "Give one of: status"),
            ("holdfast report stock", "<ITEM=QTY|LEVEL>... is missing", "Counts (water=120)"),
            ("holdfast report stock water", "\"water\" does not fit <ITEM=QTY|LEVEL>", "Usage: `holdfast report stock"),
            ("holdfast report stock water=1 water=2", "water is given twice.", "Give it once."),
            ("holdfast report stock water", "does not fit <ITEM=QTY|LEVEL>.", ""),
            ("holdfast alliance issue node --days 0", "\"0\" does not fit --days", "from 1 to 3660"),
            ("holdfast report set water", "\"water\" does not fit <FIELD=VALUE>", "status=open"),
            (
                "holdfast report power --desk 1",
                "`holdfast report power` was given nothing to say",
                "at least one. Readings: utility, source",
            ),
            ("holdfast request new", "--item <ITEM:QTY> is missing", "water:40"),
            ("holdfast alliance init --kind real", "\"real\" does not fit --kind <KIND>", "actual, exercise, simulation"),
            ("holdfast alliance issue node --role shop", "\"shop\" does not fit --role", "store, hub, authority"),
            ("holdfast demo --nodes 10", "\"10\" does not fit --nodes <N>", "from 2 to 9"),
            ("holdfast demo --nodes many", "\"many\" does not fit --nodes <N>", "a whole number"),
            ("holdfast status --jsn", "does not take \"--jsn\"", "Did you mean --json?"),
            ("holdfast status now", "does not take \"now\"", "Usage: `holdfast status"),
            ("holdfast --demo-node a --token-file x status", "can't stand together", "Leave one of them out"),
            ("holdfast status --lang", "--lang <LANG> has no value", "zh-TW"),
            ("holdfast --api x --dir y wait --timeout 3s delivered", "<TICKET> is missing", "holdfast wait delivered"),
        ] {
            let lines = said(line, Lang::En);
            assert!(lines[0].contains(what) && lines[2].contains(fix) && lines[3].ends_with("H-820"), "{line}: {lines:#?}");
            let zh = said(line, Lang::Zh);
            let is_chinese = |text: &String| text.contains(|c: char| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(zh.iter().take(3).all(is_chinese), "{line}: {zh:#?}");
            for english in ["Usage", "missing", "does not", "Give", "Leave", "one of"] {
                assert!(!zh.concat().contains(english), "{line}: {zh:#?}");
            }
        }
    }
}
