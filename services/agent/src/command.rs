//! The command for the directory servers of a host: `aviary ds389`, and by itself `aviary-ds389`. It reads what is asked for,
//! shows what the engine says, and asks before data is lost. A file for each subcommand.

mod apply;
mod console;
mod error;
mod facts;
mod forget;
mod log;
mod module;
mod plan;
mod progress;
mod resolve;
mod resources;
mod source;
mod status;
mod stop;
mod transfer;
mod validate;
mod wire;

use std::process::ExitCode;

use self::console::Console;
pub use self::{console::Format, error::Error};
use crate::report::{FoldersOnly, Publish};

/// Nothing was to be done, or all of it was.
pub const DONE: u8 = 0;

/// Something is wrong, and standard error says what.
pub const FAILED: u8 = 1;

/// The command line is wrong. clap ends with it.
pub const USAGE: u8 = 2;

/// There is something to do, and `--detailed-exitcode` asked.
pub const CHANGES: u8 = 3;

/// A second signal ended the command at once.
pub const KILLED: u8 = 130;

/// Keeps the 389 Directory Servers of this host as they are described.
#[derive(Debug, clap::Parser)]
#[command(name = "aviary-ds389", version, propagate_version = true)]
pub struct Program {
    #[command(flatten)]
    args: Args,
}

/// What to do with the directory servers of this host.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    console: console::Args,

    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Exit codes:
  0  nothing was to be done, or all of it was
  1  something is wrong; standard error says what
  2  the command line is wrong
  3  plan --detailed-exitcode: there is something to do

Examples:
  plan directory.yml                      what apply would do
  apply directory.yml                     do it
  ansible-inventory --list | COMMAND plan - --host vm1
  facts > directory.yml                   what is there, as a file that apply takes
  resources directory.yml | kubectl apply -f -";

#[derive(Debug, clap::Subcommand)]
enum Command {
    Validate(validate::Args),
    Plan(plan::Args),
    Apply(apply::Args),
    Facts(facts::Args),
    Status(status::Args),
    Module(module::Args),
    Resources(resources::Args),
    Resolve(resolve::Args),
    Backup(transfer::Backup),
    Restore(transfer::Restore),
    Export(transfer::Export),
    Import(transfer::Import),
    Forget(forget::Args),
}

impl Program {
    /// Carries the command out and says how it went.
    pub fn run(self) -> ExitCode {
        self.args.run(&FoldersOnly)
    }
}

impl Args {
    /// Carries the command out and says how it went. Reports go into stores by `publish`.
    pub fn run(self, publish: &dyn Publish) -> ExitCode {
        let console = Console::new(&self.console);
        log::start(self.console.verbose);
        let outcome = match self.command {
            Command::Validate(args) => args.run(&console),
            Command::Plan(args) => wait(args.run(&console)),
            Command::Apply(args) => wait(args.run(&console, publish)),
            Command::Facts(args) => wait(args.run(&console)),
            Command::Status(args) => wait(args.run(&console)),
            Command::Module(args) => wait(args.run(&console)),
            Command::Resources(args) => args.run(&console),
            Command::Resolve(args) => args.run(&console),
            Command::Backup(args) => wait(args.run(&console)),
            Command::Restore(args) => wait(args.run(&console)),
            Command::Export(args) => wait(args.run(&console)),
            Command::Import(args) => wait(args.run(&console)),
            Command::Forget(args) => wait(args.run(&console)),
        };
        match outcome {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                console.fail(&error);
                ExitCode::from(FAILED)
            }
        }
    }
}

/// Runs what waits for servers. A thread of its own is left for signals, whatever the work is at.
fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.map_err(Error::Runtime)?.block_on(work)
}
