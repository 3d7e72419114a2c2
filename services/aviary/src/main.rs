//! The `aviary` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match aviary::Args::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("aviary: {error:#}");
            ExitCode::FAILURE
        }
    }
}
