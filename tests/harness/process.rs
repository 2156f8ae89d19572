//! Running a program to its end, with a limit, its words kept.

use std::fs::{File, read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a program ended and what it said.
#[derive(Clone, Debug)]
pub struct Run {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// If it isn't JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.out) {
            Ok(value) => value,
            Err(error) => panic!("not JSON ({error}): {self:?}"),
        }
    }

    /// Itself, if the exit code is `code`.
    ///
    /// # Panics
    /// If it isn't.
    #[track_caller]
    #[must_use]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Checks that what was written is saved; how far it got within the moment the command looks depends on how busy this machine is.
    #[track_caller]
    #[must_use]
    pub fn saved(self) -> Self {
        if self.code == 6 { self } else { self.exits(0) }
    }

    /// Both outputs, for looking for words in either.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{}\n{}", self.out, self.err)
    }
}

/// Runs to the end.
///
/// # Panics
/// If it can't be started or takes longer than `limit`; then it is killed.
#[track_caller]
pub fn run(command: &mut Command, limit: Duration) -> Run {
    match try_run(command, limit) {
        Ok(run) => run,
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Runs to the end; where it asks, `typed` is what it reads.
///
/// # Panics
/// As [`run`].
#[track_caller]
pub fn run_typed(command: &mut Command, typed: &str, limit: Duration) -> Run {
    match ended(command, typed, limit) {
        Ok(run) => run,
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// Runs to the end.
///
/// # Errors
/// If it can't be started or takes longer than `limit`; then it is killed.
pub fn try_run(command: &mut Command, limit: Duration) -> Result<Run, String> {
    ended(command, "", limit)
}

fn ended(command: &mut Command, typed: &str, limit: Duration) -> Result<Run, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let file = |path| File::create(path).map_err(|e| e.to_string());
    let typing = folder.path().join("in");
    std::fs::write(&typing, typed).map_err(|e| e.to_string())?;
    let input = File::open(&typing).map_err(|e| e.to_string())?;
    command.stdin(input).stdout(file(&out)?).stderr(file(&err)?);
    let begun = Instant::now();
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let ended = wait_for_end(&mut child, limit);
    let text = |path| read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let (out, err, took) = (text(&out), text(&err), begun.elapsed());
    match ended {
        Some(status) => Ok(Run { code: status.code().unwrap_or(-1), out, err, took }),
        None => Err(format!("still running after {} s\n--- stdout\n{out}\n--- stderr\n{err}", limit.as_secs())),
    }
}

/// Waits; kills at the limit and gives `None`.
pub(crate) fn wait_for_end(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

/// Sends a signal such as `TERM` to one process that a test started.
///
/// # Panics
/// If there is no shell.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).stderr(Stdio::null()).status();
    status.expect("a shell to send signals with");
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{run, try_run};

    #[test]
    fn exit_code_and_both_outputs_are_kept() {
        let run = run(Command::new("sh").args(["-c", "echo one; echo two >&2; exit 6"]), Duration::from_secs(10)).exits(6);
        assert_eq!((run.out.as_str(), run.err.as_str()), ("one\n", "two\n"));
    }

    #[test]
    fn a_program_that_hangs_is_killed_at_the_limit() {
        assert!(try_run(Command::new("sh").args(["-c", "exec sleep 60"]), Duration::from_millis(100)).is_err());
    }
}
