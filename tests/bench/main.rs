//! The benches: programs that measure the product beside others, on one machine, and say whether it reaches what it must.
//!
//! `tests/run bench` builds and starts them. Each bench is a module of its own; what they share stands beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod criterion;
mod directory;
mod docs;
mod machine;
mod operator;
mod reports;
mod storage;

use std::process::ExitCode;

use clap::Parser;

/// Measures, and says which criteria are met.
#[derive(Debug, Parser)]
struct Args {
    /// Which bench [default: all but operator, which wants a cluster]
    #[arg(value_parser = ["reports", "storage", "directory", "operator"])]
    name: Option<String>,

    /// Rewrite the bench's part of docs/benchmarks.md
    #[arg(long)]
    write: bool,

    #[command(flatten)]
    settings: Settings,
}

/// How long to measure, and what.
#[derive(Clone, Debug, clap::Args, serde::Serialize)]
struct Settings {
    /// Seconds of load for each server, URL and round
    #[arg(long, default_value_t = 4)]
    seconds: u64,

    /// Most seconds of load for a server that is slow
    #[arg(long, default_value_t = 30)]
    slow_seconds: u64,

    /// Times that everything is measured; medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Only URLs that contain this
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let wanted = |name: &str| args.name.as_deref().is_none_or(|only| only == name);
    let mut criteria = Vec::new();
    if wanted("reports") {
        criteria.extend(reports::run(&args.settings, args.write));
    }
    if wanted("storage") {
        criteria.extend(storage::run(&args.settings, args.write));
    }
    if wanted("directory") {
        criteria.extend(directory::run(&args.settings, args.write));
    }
    if args.name.as_deref() == Some("operator") {
        criteria.extend(operator::run(args.write));
    }
    let missed: Vec<_> = criteria.iter().filter(|criterion| !criterion.met).collect();
    if !missed.is_empty() {
        println!("\nMissed:");
    }
    for criterion in &missed {
        println!("  {}: {}, wanted {}", criterion.what, criterion.got, criterion.wanted);
    }
    println!("\n{} passed, {} failed", criteria.len() - missed.len(), missed.len());
    if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
