//! `aviary ds389`: the directory servers of this host. All of it is the agent's.

use std::process::ExitCode;

pub(crate) use agent::command::Args;

/// Carries the command out.
pub(crate) fn run(args: Args) -> ExitCode {
    args.run()
}
