//! gRPC in, SQL over a report's database: finds the file, opens it as what it is, and reads rows from it. It never writes a
//! report, and it knows nothing of HTTP.

mod args;
mod cache;
mod database;
mod error;
mod opening;
mod outbox;
mod process;
mod question;
mod report;
mod reports;
mod rows;
mod schema;
mod select;
pub mod server;
mod service;
mod start;

use std::{path::PathBuf, time::Duration};

pub use args::{Args, Command};
pub use cache::Unusable;
pub use error::{DOMAIN, Error};
pub use service::Service;
pub use start::NotStarted;

/// Says what the service's metrics mean, once a recorder is there.
pub fn describe_metrics() {
    metrics::describe_counter!("aviary_query_reports_opened_total", "Reports opened: for the first time, or after they changed.");
    metrics::describe_counter!("aviary_query_overloaded_total", "Questions that did not get their turn in time.");
    metrics::describe_counter!("aviary_query_store_requests_total", "Reports that stores were asked for, by outcome.");
    metrics::describe_counter!("aviary_query_fetched_total", "Reports fetched from stores.");
    metrics::describe_counter!("aviary_query_fetched_bytes_total", "Bytes of reports fetched, as stored.");
    metrics::describe_histogram!(
        "aviary_query_fetch_duration_seconds",
        metrics::Unit::Seconds,
        "Time from a store's first byte to a report that can be asked."
    );
    metrics::describe_counter!("aviary_query_stale_total", "Questions answered from a copy that the store could not vouch for.");
    metrics::describe_gauge!(
        "aviary_query_cache_bytes",
        metrics::Unit::Bytes,
        "Databases in the cache, when they were counted last."
    );
    metrics::describe_counter!("aviary_query_cache_evicted_total", "Databases that made room for others.");
}

/// How to serve.
#[derive(Debug)]
pub struct Config {
    /// Where the reports are.
    pub stores: store::Stores,
    /// Names of folders that are reports.
    pub prefixes: Vec<String>,
    /// How reports are kept near.
    pub cache: CacheConfig,
    /// Reports kept open.
    pub max_open_reports: usize,
    /// Questions in hand at a time; more wait for their turn.
    pub max_questions: usize,
    /// Longest time that a question may take.
    pub deadline: Duration,
    /// Longest text that a packed value may hold, in bytes.
    pub max_text: usize,
}

/// How reports are kept near.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// Where copies go; a folder of our own, removed at the end, when absent.
    pub folder: Option<PathBuf>,
    /// Bytes of copies to keep.
    pub bytes: u64,
    /// Largest database that a packed object may hold, in bytes.
    pub max_unpacked: u64,
    /// How long what is known of a report in another store is good.
    pub revalidate: Duration,
    /// How long what was seen of a file of this machine is good.
    pub in_place: Duration,
    /// How long a report that is not there, or of no use, is not asked for again.
    pub negative: Duration,
    /// How long a question waits for a report that is on its way.
    pub wait: Duration,
}
