//! The command `aviary-operator`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    operator::Command::parse().run().map_or_else(
        |error| {
            eprintln!("aviary-operator: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
