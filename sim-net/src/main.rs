//! `holdfast-sim`: scenarios, sweeps and figures from the command line. Prints what came of them; decides nothing.

mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::main()
}
