//! The `aviary-agent` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    pod::Command::parse().run()
}
