//! From names to replicas and addresses: SRV records of a service asked for again and again, and addresses looked up when
//! a connection is made. What was known stays known while DNS does not answer.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};

use super::{
    pool::Pool,
    target::{Target, Targets},
};

/// How often DNS is asked who is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(1500);
/// How soon it is asked again when a replica could not be reached.
const LOOK_PAUSE: Duration = Duration::from_millis(200);
/// How long DNS may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// One try of a question to DNS.
const TRY_TIMEOUT: Duration = Duration::from_millis(700);
/// Replicas beyond these are left out.
const MAX_REPLICAS: usize = 256;

/// Names cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system's configuration is missing or cannot be understood.
    #[error("failed to set up DNS")]
    SetUp(#[source] NetError),
}

/// Who resolves names.
pub(super) enum Names {
    /// The system.
    System,
    /// DNS, for replicas that are named by it.
    Dns { resolver: Box<TokioResolver>, service: String },
}

impl Names {
    pub(super) fn new(targets: &Targets) -> Result<Self, Error> {
        let Targets::Service { server, name } = targets else { return Ok(Self::System) };
        let mut builder = match server {
            None => TokioResolver::builder_tokio().map_err(Error::SetUp)?,
            Some(server) => {
                let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
                name_server.connections.iter_mut().for_each(|connection| connection.port = server.port());
                let config = ResolverConfig::from_name_servers(vec![name_server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = TRY_TIMEOUT;
        options.attempts = 2;
        // What DNS said a moment ago is what we want to know better.
        options.cache_size = 0;
        let resolver = builder.build().map_err(Error::SetUp)?;
        Ok(Self::Dns { resolver: Box::new(resolver), service: name.clone() })
    }

    /// Where a replica is now.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => {
                let host = host.trim_start_matches('[').trim_end_matches(']');
                Ok(tokio::net::lookup_host((host, port)).await?.collect())
            }
            Self::Dns { resolver, .. } => {
                // With the dot it is the whole name, which needs no search.
                let found = resolver.lookup_ip(format!("{host}.")).await.map_err(io::Error::other)?;
                Ok(found.iter().map(|ip| SocketAddr::new(ip, port)).collect())
            }
        }
    }
}

/// Keeps the pool as DNS has it, for ever.
pub(super) async fn follow(names: Arc<Names>, pool: Arc<Pool>) {
    let Names::Dns { resolver, service } = &*names else { return };
    let mut fails = false;
    loop {
        let answer = tokio::time::timeout(LOOK_TIMEOUT, resolver.srv_lookup(service.as_str())).await;
        let targets = answer.map_err(|_| "it does not answer".to_owned()).and_then(|answer| {
            let answer = answer.map_err(|error| error.to_string())?;
            let target = |data: &RData| match data {
                RData::SRV(record) => Some(Target::named(&record.target.to_ascii(), record.port)),
                _ => None,
            };
            let targets: Vec<Target> =
                answer.answers().iter().filter_map(|record| target(&record.data)).take(MAX_REPLICAS).collect();
            if targets.is_empty() { Err("it has no SRV records".to_owned()) } else { Ok(targets) }
        });
        match targets {
            Ok(targets) => {
                fails = false;
                pool.set(targets);
            }
            Err(error) => {
                if !fails {
                    tracing::warn!(name = service, error, "DNS does not name replicas; those that are known stay in use");
                }
                fails = true;
            }
        }
        let sooner = async {
            tokio::time::sleep(LOOK_PAUSE).await;
            pool.wanted().await;
        };
        // Either way it is time to look again.
        let _ = tokio::time::timeout(LOOK_INTERVAL, sooner).await;
    }
}
