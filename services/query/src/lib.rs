//! gRPC in, SQL over a report's database: finds the file, opens it as what it is, and reads rows from it. It never writes a
//! report, and it knows nothing of HTTP.

mod database;
mod error;
mod opening;
mod outbox;
mod question;
mod report;
mod reports;
mod rows;
mod schema;
mod select;
mod service;

use std::{path::PathBuf, time::Duration};

pub use error::{DOMAIN, Error};
pub use service::Service;

/// Says what the service's metrics mean, once a recorder is there.
pub fn describe_metrics() {
    metrics::describe_counter!("aviary_query_reports_opened_total", "Reports opened: for the first time, or after they changed.");
    metrics::describe_counter!("aviary_query_overloaded_total", "Questions that did not get their turn in time.");
}

/// How to serve a store.
#[derive(Debug)]
pub struct Config {
    /// Where the reports are.
    pub store: store::Store,
    /// Names of folders that are reports.
    pub prefixes: Vec<String>,
    /// Where unpacked and rebuilt copies go; the system's folder for temporary files when absent.
    pub scratch: Option<PathBuf>,
    /// Reports kept open.
    pub max_open_reports: usize,
    /// Questions in hand at a time; more wait for their turn.
    pub max_questions: usize,
    /// Longest time that a question may take.
    pub deadline: Duration,
    /// How long an answer may be used without asking again.
    pub revalidate: Duration,
    /// Largest database that a packed object may hold, in bytes.
    pub max_unpacked: u64,
    /// Longest text that a packed value may hold, in bytes.
    pub max_text: usize,
}
