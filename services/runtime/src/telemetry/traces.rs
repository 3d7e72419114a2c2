//! The export of spans by OTLP: exporter, resource and flushing. The only file that names the OTLP exporter.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::{Error, TelemetryArgs};

/// How long the end of a process may wait for a collector that does not answer.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The running export of spans; clones share it.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts the export if the arguments ask for one.
    pub(super) fn new(args: &TelemetryArgs, service_name: &'static str) -> Result<Option<Self>, Error> {
        let Some(endpoint) = args.endpoint() else {
            return Ok(None);
        };
        // The channel to the collector panics where there is no runtime to spawn it on.
        tokio::runtime::Handle::try_current().map_err(Error::Runtime)?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter(endpoint)?)
            .with_resource(resource(args.service_name(), service_name))
            .build();
        Ok(Some(Self { provider }))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.provider.tracer("aviary")
    }

    /// Sends the finished spans that are waiting, and says in the log if that fails.
    pub async fn flush(&self) {
        let provider = self.provider.clone();
        blocking("flush", move || provider.force_flush()).await;
    }

    /// Sends the finished spans that are waiting and ends the export, within five seconds.
    pub async fn shutdown(self) {
        let provider = self.provider;
        blocking("end", move || provider.shutdown_with_timeout(FLUSH_TIMEOUT)).await;
    }
}

/// The export waits on a thread of its own, so waiting for it must not hold up the runtime that carries the bytes.
async fn blocking<F>(step: &'static str, work: F)
where
    F: FnOnce() -> opentelemetry_sdk::error::OTelSdkResult + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "failed to {step} the export of spans"),
        Err(error) => tracing::warn!(%error, "failed to {step} the export of spans"),
    }
}

fn exporter(endpoint: &str) -> Result<SpanExporter, Error> {
    let builder = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
    let builder = match endpoint.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") => builder,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
            // A process may have chosen its provider before; then that one serves here as well.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots())
        }
        _ => {
            return Err(Error::Endpoint { endpoint: endpoint.to_owned() });
        }
    };
    builder.build().map_err(|source| Error::Export { endpoint: endpoint.to_owned(), source })
}

/// Later attributes win, so they stand in the order that OpenTelemetry prescribes.
fn resource(named_by_environment: Option<&str>, service_name: &'static str) -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name(service_name)
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match named_by_environment {
        Some(name) => resource.with_service_name(name.to_owned()),
        None => resource,
    }
    .build()
}
