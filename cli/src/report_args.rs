//! `holdfast report ...`: groups and flags made from the domain's table of fields, so that a new field needs no line here.

use std::collections::BTreeMap;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::args::ActArgs;
use crate::fields::{Given, full_name, group_doc, rows};

/// The group that takes any field by its name.
const SET: &str = "set";
/// What it takes.
const PAIR: &str = "FIELD=VALUE";
/// Help of the group that takes any field.
const SET_DOC: (&str, &str) = ("Say several things at once", "一次回報多項");
/// Help of its values.
const PAIR_DOC: (&str, &str) = (
    "Field and value, such as status=open power.source=mains stock.water=120; an empty value withdraws",
    "欄位與值，例如 status=open power.source=mains stock.water=120；值留空即撤回",
);

/// Readings as typed, by full field name, and the act.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReportArgs {
    /// Field name to value.
    pub(crate) values: BTreeMap<String, String>,
    /// When, by whom.
    pub(crate) act: ActArgs,
}

/// The groups in the order of the table.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&'static str> = Vec::new();
    for row in rows() {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    groups
}

/// The Chinese help of a group or field of a report, by the English one.
pub(crate) fn chinese(english: &str) -> Option<String> {
    if let Some((_, zh)) = [SET_DOC, PAIR_DOC].iter().find(|(en, _)| *en == english) {
        return Some((*zh).to_owned());
    }
    let field = rows().iter().find(|row| row.doc.en == english).map(|row| row.doc.zh.clone());
    field.or_else(|| groups().into_iter().map(group_doc).find(|doc| doc.en == english).map(|doc| doc.zh))
}

fn group_command(group: &'static str) -> Command {
    let mut command = Command::new(group);
    for row in rows().iter().filter(|row| row.group == group) {
        let arg = Arg::new(row.name).value_name(row.value.as_str()).help(row.doc.en.as_str());
        command = command.arg(match row.given {
            Given::Place => arg.required(true),
            Given::Flag(flag) => arg.long(flag).allow_hyphen_values(true),
            Given::Each => arg.required(true).num_args(1..).action(ArgAction::Append),
        });
    }
    // The act's own sentence would stand in place of the group's.
    ActArgs::augment_args(command).about(group_doc(group).en)
}

/// `report set status=open power.source=mains stock.water=120`: readings of several groups at once.
fn set_command() -> Command {
    let pairs = Arg::new(SET).value_name(PAIR).required(true).num_args(1..).action(ArgAction::Append);
    let pairs = pairs.help(PAIR_DOC.0);
    ActArgs::augment_args(Command::new(SET).arg(pairs)).about(SET_DOC.0)
}

impl Args for ReportArgs {
    fn augment_args(command: Command) -> Command {
        let groups = groups().into_iter().map(group_command);
        command.subcommand_required(true).subcommands(groups).subcommand(set_command())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ReportArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut out = Self::default();
        out.update_from_arg_matches(matches)?;
        Ok(out)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let Some((group, matches)) = matches.subcommand() else {
            return Err(clap::Error::new(ErrorKind::MissingSubcommand));
        };
        if group == SET {
            for pair in matches.get_many::<String>(SET).into_iter().flatten() {
                let (name, value) = split(pair, PAIR)?;
                self.put(name, full_name(name), value)?;
            }
        }
        for row in rows().iter().filter(|row| row.group == group) {
            match row.given {
                Given::Place | Given::Flag(_) => {
                    if let Some(value) = matches.get_one::<String>(row.name) {
                        self.values.insert(row.name.to_owned(), value.clone());
                    }
                }
                Given::Each => {
                    for pair in matches.get_many::<String>(row.name).into_iter().flatten() {
                        let (name, value) = split(pair, &row.value)?;
                        self.put(name, format!("{}.{name}", row.name), value)?;
                    }
                }
            }
        }
        if self.values.is_empty() {
            return Err(clap::Error::new(ErrorKind::TooFewValues));
        }
        self.act = ActArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

impl ReportArgs {
    /// Which of two values is meant nobody can tell.
    fn put(&mut self, typed: &str, field: String, value: &str) -> Result<(), clap::Error> {
        if self.values.insert(field, value.to_owned()).is_none() {
            return Ok(());
        }
        let mut error = clap::Error::new(ErrorKind::ArgumentConflict);
        error.insert(ContextKind::InvalidArg, ContextValue::String(typed.to_owned()));
        Err(error)
    }
}

/// Splits `water=120`; an empty value withdraws the reading.
fn split<'a>(pair: &'a str, shape: &str) -> Result<(&'a str, &'a str), clap::Error> {
    match pair.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value.trim())),
        Some(_) | None => {
            let mut error = clap::Error::new(ErrorKind::ValueValidation);
            error.insert(ContextKind::InvalidArg, ContextValue::String(format!("<{shape}>...")));
            error.insert(ContextKind::InvalidValue, ContextValue::String(pair.to_owned()));
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command as Top};

    fn check(line: &str, expect: &[(&str, &str)]) -> ReportArgs {
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let Some(Top::Report(report)) = cli.command else { panic!("{line}: not a report") };
        let expect: BTreeMap<String, String> = expect.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(report.values, expect, "{line}");
        report
    }

    #[test]
    fn readings_go_out_under_their_field_names() {
        check("holdfast report status open", &[("operating.status", "open")]);
        check("holdfast report stock water=120 rice=low", &[("stock.water", "120"), ("stock.rice", "low")]);
        check("holdfast report set status=open stock.water=3", &[("operating.status", "open"), ("stock.water", "3")]);
        check("holdfast report access lockdown", &[("access.status", "lockdown")]);
        check("holdfast report service charging=adequate", &[("service.charging", "adequate")]);
        check("holdfast report stock water=", &[("stock.water", "")]);
        check("holdfast report power --source generator --burn 8", &[("power.source", "generator"), ("power.burn", "8")]);
    }

    #[test]
    fn time_and_desk_stand_on_the_report() {
        let report = check("holdfast report status open --at 20m --desk 1F --json", &[("operating.status", "open")]);
        assert_eq!(report.act.at.as_deref(), Some("20m"));
        assert_eq!(report.act.desk.as_deref(), Some("1F"));
    }

    #[test]
    fn one_thing_said_twice_is_wrong_usage() {
        for line in ["holdfast report stock water=1 water=2", "holdfast report set status=open operating.status=closed"] {
            let error = Cli::try_parse_from(line.split_whitespace()).unwrap_err();
            assert_eq!((error.exit_code(), error.kind()), (2, ErrorKind::ArgumentConflict), "{line}");
        }
    }

    #[test]
    fn a_report_without_a_reading_is_wrong_usage() {
        for line in ["holdfast report", "holdfast report power", "holdfast report stock water", "holdfast report power --desk 1"]
        {
            assert_eq!(Cli::try_parse_from(line.split_whitespace()).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
