//! Puts the log lines and the span export together into one `tracing` subscriber, without installing it.

use std::io::{self, IsTerminal};

use tracing::{Dispatch, Metadata};
use tracing_subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use tracing_subscriber::fmt::{MakeWriter, format::JsonFields};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::json::FlatJson;
use super::{Error, LogFormat, TelemetryArgs, Traces};

/// What sending a span itself makes spans and events of, beside all that begins with `opentelemetry`; exporting those
/// would never end.
const EXPORT_MACHINERY: [&str; 5] = ["h2", "hyper", "hyper_util", "tonic", "tower"];

/// A subscriber that is not installed yet, and the export that it feeds.
#[derive(Debug)]
pub struct Subscriber {
    /// For `tracing::dispatcher::with_default` or `WithSubscriber`.
    pub dispatch: Dispatch,
    /// Present if spans are exported.
    pub traces: Option<Traces>,
}

/// Builds what [`super::init`] installs, with log lines going to `writer`, never coloured.
///
/// With an OTLP endpoint it must be called inside the async runtime.
pub fn subscriber<W>(args: &TelemetryArgs, service_name: &'static str, writer: W) -> Result<Subscriber, Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    build(args, service_name, writer, false)
}

/// Builds the subscriber whose lines go to stderr, coloured if somebody looks at them.
pub(super) fn to_stderr(args: &TelemetryArgs, service_name: &'static str) -> Result<Subscriber, Error> {
    let is_terminal = io::stderr().is_terminal();
    build(args, service_name, io::stderr, is_terminal)
}

fn build<W>(args: &TelemetryArgs, service_name: &'static str, writer: W, is_terminal: bool) -> Result<Subscriber, Error>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter(&args.log)?;
    let traces = Traces::new(args, service_name)?;

    // The two layers are filtered apart: fewer log lines must not mean fewer spans.
    let export = traces.as_ref().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer())
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_exported).with_max_level_hint(LevelFilter::INFO))
    });
    let registry = Registry::default().with(export);
    let log = lines(args.log_format, writer, is_terminal).with_filter(filter);
    Ok(Subscriber { dispatch: Dispatch::new(registry.with(log)), traces })
}

fn filter(directives: &str) -> Result<EnvFilter, Error> {
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(directives)
        .map_err(|source| Error::Filter { directives: directives.to_owned(), source })
}

fn lines<S, W>(format: LogFormat, writer: W, is_terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Json => layer.with_ansi(false).fmt_fields(JsonFields::new()).event_format(FlatJson).boxed(),
        // Left alone on a terminal, the layer decides by NO_COLOR.
        LogFormat::Text if is_terminal => layer.boxed(),
        LogFormat::Text => layer.with_ansi(false).boxed(),
    }
}

fn is_exported(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let root = target.split("::").next().unwrap_or(target);
    *metadata.level() <= tracing::Level::INFO && !EXPORT_MACHINERY.contains(&root) && !root.starts_with("opentelemetry")
}
