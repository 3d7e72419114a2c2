//! The `aviary` command.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    aviary::Args::parse().run()
}
