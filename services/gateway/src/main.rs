//! The `aviary-gateway` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    gateway::Command::parse().run().map_or_else(
        |error| {
            eprintln!("aviary-gateway: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
