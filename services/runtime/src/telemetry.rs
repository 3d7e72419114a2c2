//! Logs, traces and metrics of a process: what is written, where it goes, and how it is flushed at the end.
//!
//! Logs go to stderr; spans are exported by OTLP only if an endpoint is configured, so that one program serves both;
//! metrics are kept in memory until [`crate::admin`] renders them. Which spans, events and metrics exist is the
//! business of the code that makes them.

mod args;
mod json;
mod metrics;
mod subscriber;
mod traces;

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::task::AbortOnDropHandle;
use tracing_subscriber::util::SubscriberInitExt;

pub use args::{LogFormat, TelemetryArgs};
pub use metrics::recorder;
pub use subscriber::{Subscriber, subscriber};
pub use traces::Traces;

/// Histograms keep every sample until somebody drains them; this bounds how many that can be without a scrape.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// A step of setting telemetry up that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directives of `--log` are not understood.
    #[error("failed to parse the log filter {directives:?}")]
    Filter {
        /// What was given.
        directives: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The OTLP endpoint is not an address that spans can be sent to.
    #[error("failed to use {endpoint:?} as an OTLP endpoint: it must begin with http:// or https://")]
    Endpoint {
        /// What was given.
        endpoint: String,
    },
    /// The span exporter refused its configuration.
    #[error("failed to set up the export of spans to {endpoint:?}")]
    Export {
        /// Where spans were to be sent.
        endpoint: String,
        /// What the exporter objects to.
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Telemetry was asked for outside an async runtime, which its background work needs.
    #[error("failed to find the async runtime that telemetry works on")]
    Runtime(#[source] tokio::runtime::TryCurrentError),
    /// The process has a log subscriber already.
    #[error("failed to install the log subscriber")]
    InstallSubscriber(#[source] tracing_subscriber::util::TryInitError),
    /// The buckets of the histograms were refused.
    #[error("failed to set up the metrics recorder")]
    Buckets(#[source] metrics_exporter_prometheus::BuildError),
    /// The process has a metrics recorder already.
    #[error("failed to install the metrics recorder")]
    InstallRecorder(#[source] ::metrics::SetRecorderError<metrics_exporter_prometheus::PrometheusRecorder>),
}

/// The installed telemetry of a process; dropping it without [`Telemetry::shutdown`] loses the last spans.
#[derive(Debug)]
#[must_use = "spans are flushed by `shutdown`"]
pub struct Telemetry {
    traces: Option<Traces>,
    metrics: PrometheusHandle,
    upkeep: AbortOnDropHandle<()>,
}

/// Installs logs, traces and metrics for the whole process; to be called once, inside the async runtime.
///
/// `service_name` is what the spans are attributed to unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` name
/// something else.
pub fn init(args: &TelemetryArgs, service_name: &'static str) -> Result<Telemetry, Error> {
    let runtime = tokio::runtime::Handle::try_current().map_err(Error::Runtime)?;
    let recorder = recorder()?;
    let Subscriber { dispatch, traces } = subscriber::to_stderr(args, service_name)?;

    let metrics = recorder.handle();
    ::metrics::set_global_recorder(recorder).map_err(Error::InstallRecorder)?;
    dispatch.try_init().map_err(Error::InstallSubscriber)?;

    let upkeep = AbortOnDropHandle::new(runtime.spawn(keep_up(metrics.clone())));
    Ok(Telemetry { traces, metrics, upkeep })
}

impl Telemetry {
    /// The recorded metrics, for [`crate::admin::AdminState`] to render.
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }

    /// Sends the spans that are still waiting, for a few seconds at most, and ends the background work.
    pub async fn shutdown(self) {
        let Self { traces, metrics: _, upkeep } = self;
        drop(upkeep);
        if let Some(traces) = traces {
            traces.shutdown().await;
        }
    }
}

async fn keep_up(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP_INTERVAL).await;
        metrics.run_upkeep();
    }
}
