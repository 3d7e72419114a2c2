//! The command line of `aviary-operator`.

use std::{io::Write, path::PathBuf};

use runtime::{ProcessArgs, tls::TlsServerArgs};
use store::{Options, Source};

use crate::{conditions, crd, process, reports::Shelf};

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

    /// Also let only the operator through to the agents of pods, by a NetworkPolicy for each instance
    #[arg(long, env = "AVIARY_NETWORK_POLICIES")]
    pub(crate) network_policies: bool,

    /// The cluster's DNS domain. It becomes part of the names of servers: it cannot change while there are any
    #[arg(long, env = "AVIARY_CLUSTER_DOMAIN", value_name = "DOMAIN", default_value = "cluster.local")]
    pub(crate) cluster_domain: String,

    /// Also tell clients of the directories by gRPC on this address
    #[arg(long, env = "AVIARY_LISTEN", value_name = "ADDR")]
    pub(crate) listen: Option<String>,

    #[command(flatten)]
    pub(crate) tls: TlsServerArgs,

    /// Where reports of what was done to directories are put: a folder, or a URL such as s3://bucket/path [default: nowhere]
    #[arg(long, env = "AVIARY_REPORTS", value_name = "STORE", hide_env_values = true)]
    pub(crate) reports: Option<Source>,

    /// Reports of each instance that are kept there; older ones are removed
    #[arg(long, env = "AVIARY_REPORTS_KEPT", value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) reports_kept: u16,

    /// PEM file of authorities that the certificate of that store may come from, besides the system's
    #[arg(long, env = "AVIARY_STORE_CA", value_name = "FILE")]
    pub(crate) store_ca: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Settings {
    /// The store of reports, if there is one.
    fn shelf(&self) -> Result<Option<Shelf>, store::Error> {
        let options = Options { ca: self.store_ca.clone() };
        self.reports.as_ref().map(|source| Shelf::open(source, &options, self.reports_kept.into())).transpose()
    }
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    /// When the operator cannot start, or has to give up its Lease.
    pub fn run(self) -> anyhow::Result<()> {
        match self.role {
            Role::Run(settings) => {
                let shelf = settings.shelf()?;
                runtime::process::run_on_one_thread(process::run(*settings, shelf))
            }
            Role::Crd => Ok(std::io::stdout().lock().write_all(crd::print()?.as_bytes())?),
            Role::Reference => Ok(std::io::stdout().lock().write_all(conditions::reference().as_bytes())?),
        }
    }
}
