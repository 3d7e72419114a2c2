//! The `aviary` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match aviary::Args::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("aviary: {error:#}");
            ExitCode::FAILURE
        }
    }
}
