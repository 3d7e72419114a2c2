//! The command line of `aviary-agent`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use agent::report::FoldersOnly;
use runtime::{ProcessArgs, args::seconds, tls::TlsServerArgs};

use crate::{init, serve};

/// Looks after the 389 Directory Server of a pod.
#[derive(Debug, clap::Parser)]
#[command(name = "aviary-agent", version, propagate_version = true)]
pub struct Command {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Keep the instance that a file describes, until SIGTERM
    ///
    /// To be the first process of a container: it collects processes whose parents have ended, and starts itself anew if it is
    /// killed, which the server survives. /livez of the admin port answers for as long as it lives; /readyz while the server
    /// serves each suffix. What the server logs comes out on standard output.
    Run(Settings),

    /// The same without being the first process
    #[command(hide = true)]
    Serve(Settings),

    /// Administer the instance by hand, as `aviary-ds389` does
    Ds389(agent::command::Args),
}

/// What the agent can be told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// File that describes the instance: YAML or JSON with ds389_instances, as `aviary ds389 apply` takes it. A change of it is
    /// carried out
    #[arg(long, env = "AVIARY_SPECIFICATION", value_name = "FILE", default_value = "/etc/aviary/instance.yaml")]
    pub(crate) specification: PathBuf,

    /// Seconds after which a server that nobody was told of any change is compared with what it should be
    #[arg(long, env = "AVIARY_INTERVAL", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) interval: Duration,

    /// Folder on the volume of the instance, for what the agent has to remember and to keep other agents off
    #[arg(long, env = "AVIARY_STATE", value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,

    /// Also take what the instance should be by gRPC on this address, and tell how it is; wants all of TLS
    #[arg(long, env = "AVIARY_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<String>,

    #[command(flatten)]
    pub(crate) tls: TlsServerArgs,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Command {
    /// Does what the command line says.
    pub fn run(self) -> ExitCode {
        match self.role {
            Role::Run(_) => told(init::run(arguments())),
            Role::Serve(settings) => told(serve::run(settings).map(|()| ExitCode::SUCCESS)),
            Role::Ds389(args) => args.run(&FoldersOnly),
        }
    }
}

/// The arguments of this process for the one that serves.
fn arguments() -> impl Iterator<Item = OsString> {
    ["serve".into()].into_iter().chain(std::env::args_os().skip(2))
}

fn told(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("aviary-agent: {error:#}");
        ExitCode::FAILURE
    })
}
