//! The one-machine command: puts the services together in one process. What they do is theirs.

mod check;
mod ds389;
mod first_look;
mod serve;
mod store;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Serves ARA reports straight from where they lie.
#[derive(Debug, Parser)]
#[command(name = "aviary", version, propagate_version = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve every report of a folder, a bucket, or one ansible.sqlite, at its URL.
    Serve(Box<serve::Args>),
    /// Look at a store.
    #[command(subcommand)]
    Store(store::Command),
    /// Ask a running Aviary whether it works.
    Check(check::Args),
    /// Keep the 389 Directory Servers of this host as they are described.
    Ds389(Box<ds389::Args>),
}

impl Args {
    /// Carries the command out.
    ///
    /// # Errors
    /// When something that it needs cannot be had; the error says what, and what to do.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(args) => serve::run(*args),
            Command::Store(command) => store::run(command),
            Command::Check(args) => check::run(args),
            Command::Ds389(args) => return Ok(ds389::run(*args)),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}
