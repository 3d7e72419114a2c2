//! The command line of `aviary-operator`.

use std::io::Write;

use runtime::ProcessArgs;

use crate::{conditions, crd, process};

/// Keeps 389 Directory Servers in a cluster as DS389Instance resources say.
#[derive(Debug, clap::Parser)]
#[command(name = "aviary-operator", version, propagate_version = true)]
pub struct Command {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// Keep the directories of a cluster, until SIGTERM
    ///
    /// Of several, one works: the one that has the Lease. The others wait for it to go.
    Run(Box<Settings>),

    /// Print the definitions of the resources, for `kubectl apply --server-side -f -`
    Crd,

    /// Print the tables of conditions and events
    #[command(hide = true)]
    Reference,
}

/// What the operator can be told.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Settings {
    /// Namespaces whose resources are kept, with commas between them [default: all]
    #[arg(long, env = "AVIARY_NAMESPACES", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) namespaces: Vec<String>,

    /// Namespace of the operator itself, in which its Lease and its authorities are
    #[arg(long, env = "AVIARY_OWN_NAMESPACE", value_name = "NAME")]
    pub(crate) own_namespace: String,

    /// What its Lease and its authorities are called after
    #[arg(long, env = "AVIARY_NAME", value_name = "NAME", default_value = "aviary-operator")]
    pub(crate) name: String,

    /// Who it is among several: the name of its pod
    #[arg(long, env = "AVIARY_IDENTITY", value_name = "NAME")]
    pub(crate) identity: String,

    /// Image of the pods of instances that name none
    #[arg(long, env = "AVIARY_AGENT_IMAGE", value_name = "IMAGE")]
    pub(crate) agent_image: String,

    /// When the kubelet pulls images: Always, IfNotPresent or Never
    #[arg(long, env = "AVIARY_AGENT_PULL_POLICY", value_name = "POLICY", default_value = "IfNotPresent")]
    pub(crate) agent_pull_policy: String,

    /// The cluster's DNS domain. It becomes part of the names of servers: it cannot change while there are any
    #[arg(long, env = "AVIARY_CLUSTER_DOMAIN", value_name = "DOMAIN", default_value = "cluster.local")]
    pub(crate) cluster_domain: String,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    /// When the operator cannot start, or has to give up its Lease.
    pub fn run(self) -> anyhow::Result<()> {
        match self.role {
            Role::Run(settings) => runtime::process::run(process::run(*settings)),
            Role::Crd => Ok(std::io::stdout().lock().write_all(crd::print()?.as_bytes())?),
            Role::Reference => Ok(std::io::stdout().lock().write_all(conditions::reference().as_bytes())?),
        }
    }
}
