//! HTTP and gRPC in, gRPC out: maps URLs to reports, answers ARA's REST API with its own bytes, and keeps what it rendered.
//! It reads no store and no database; all it knows of a report it asks the query service for.

mod answer;
mod api;
mod args;
mod backend;
mod cache;
mod compress;
mod cors;
pub mod error;
mod grpc;
pub mod json;
mod negotiate;
mod origin;
pub mod param;
mod process;
pub mod replicas;
mod reply;
mod retries;
mod router;
mod server;
mod target;
mod ui;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub use args::Args;
pub use backend::{Backend, backend};
pub use cors::Cors;
pub use origin::{Network, NotANetwork, Proxies};
pub use process::Command;
pub use server::serve;
pub use target::Mounts;

/// How to serve.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// How paths are read.
    pub mounts: Mounts,
    /// What is believed of proxies.
    pub proxies: Proxies,
    /// Which other origins may read answers.
    pub cors: Cors,
    /// Most rows of a list; ARA has no such bound, so there is none unless it is set.
    pub max_limit: Option<i64>,
    /// Bytes of rendered answers to keep; 0 keeps none.
    pub cache_bytes: u64,
    /// What the folder pages call the whole.
    pub title: String,
}

/// Says what the gateway's metrics mean, once a recorder is there.
pub fn describe_metrics() {
    metrics::describe_histogram!(
        "aviary_gateway_request_duration_seconds",
        metrics::Unit::Seconds,
        "Time from a request's head to its answer's head, by class of status."
    );
    metrics::describe_counter!("aviary_gateway_errors_total", "Requests without an answer, by reason of the table of errors.");
    metrics::describe_counter!("aviary_gateway_grpc_calls_total", "gRPC calls that came in.");
    metrics::describe_counter!("aviary_gateway_rendered_hits_total", "Answers that were kept.");
    metrics::describe_counter!("aviary_gateway_rendered_misses_total", "Answers that had to be rendered.");
    metrics::describe_gauge!("aviary_gateway_replicas", "Replicas of the query service, by how they are.");
    metrics::describe_gauge!(
        "aviary_gateway_operators",
        "Operators, by how they are: of several one is healthy, the one that works."
    );
    metrics::describe_counter!(
        "aviary_gateway_replica_failures_total",
        "Calls that one replica did not answer, or not to the end."
    );
    metrics::describe_counter!("aviary_gateway_retries_total", "Calls that were made again, to another replica or once more.");
    metrics::describe_counter!("aviary_gateway_shed_total", "Calls that were refused because too many were in hand.");
}

/// Longest message that is taken from the query service. Long texts come in chunks, but a row may hang on many others.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Answers that may be asked for again within ten seconds, however few are asked for at all.
const ASK_AGAIN: usize = 100;

/// The state of a gateway.
pub struct Gateway {
    config: Config,
    backend: Backend,
    /// Whom the fleet is asked for.
    operator: Option<Backend>,
    client: backend::Client,
    cache: cache::Cache,
    /// How many answers that broke off may be asked for again.
    retries: retries::Retries,
    /// Counts requests that came without an id.
    requests: AtomicU64,
    /// Tells this process's ids from another one's.
    instance: u64,
}

impl Gateway {
    /// A gateway to a query service, and to an operator if there is one.
    pub fn new(config: Config, backend: Backend, operator: Option<Backend>) -> Arc<Self> {
        let client = backend::Client::new(backend.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let cache = cache::Cache::new(config.cache_bytes);
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
        let instance =
            xxhash_rust::xxh3::xxh3_64(&[now.as_nanos().to_le_bytes().as_slice(), &std::process::id().to_le_bytes()].concat());
        let retries = retries::Retries::new(ASK_AGAIN);
        Arc::new(Self { config, backend, operator, client, cache, retries, requests: AtomicU64::new(0), instance })
    }

    fn next_request_id(&self) -> http::HeaderValue {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        http::HeaderValue::try_from(format!("{:08x}-{number:x}", self.instance as u32))
            .unwrap_or_else(|_| http::HeaderValue::from_static("-"))
    }
}
