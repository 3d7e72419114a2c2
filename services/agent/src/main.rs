//! The `aviary-ds389` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    agent::command::Program::parse().run()
}
