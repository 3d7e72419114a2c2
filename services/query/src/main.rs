//! The `aviary-query` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    query::Command::parse().run().map_or_else(
        |error| {
            eprintln!("aviary-query: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
