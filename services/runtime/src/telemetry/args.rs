//! The arguments of telemetry, each with its environment variable; what they lead to is in the sibling modules.

use std::fmt;

const DEFAULT_DIRECTIVES: &str = "info";

/// How a process logs and whether it exports traces.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Telemetry")]
pub struct TelemetryArgs {
    /// Log as lines for people (text) or as one JSON object per line (json)
    #[arg(long, env = "AVIARY_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,

    /// What to log: a level, or directives per module such as `info,gateway=debug`
    #[arg(
        long,
        env = "AVIARY_LOG",
        value_name = "DIRECTIVES",
        default_value = DEFAULT_DIRECTIVES
    )]
    pub log: String,

    /// Send traces to the OTLP gRPC receiver at this address, for example `http://localhost:4317`; without it none are
    /// made. The other OTEL_ variables of the OTLP exporter, the batches and the sampler are honoured too
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// As --otlp-endpoint, and wins over it
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub otlp_traces_endpoint: Option<String>,

    /// The service.name of the traces, if it is not to be the name of the service
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME")]
    pub otlp_service_name: Option<String>,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, spans, target, message and fields, coloured on a terminal.
    #[default]
    Text,
    /// For machines: one flat JSON object.
    Json,
}

impl Default for TelemetryArgs {
    fn default() -> Self {
        Self {
            log_format: LogFormat::default(),
            log: DEFAULT_DIRECTIVES.to_owned(),
            otlp_endpoint: None,
            otlp_traces_endpoint: None,
            otlp_service_name: None,
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl TelemetryArgs {
    /// Where spans go, if anywhere. A variable that is set but empty counts as not set, as OpenTelemetry wants it.
    pub(super) fn endpoint(&self) -> Option<&str> {
        [&self.otlp_traces_endpoint, &self.otlp_endpoint]
            .into_iter()
            .flatten()
            .map(|endpoint| endpoint.trim())
            .find(|endpoint| !endpoint.is_empty())
    }

    /// The name that the environment gives the service, if it gives one.
    pub(super) fn service_name(&self) -> Option<&str> {
        self.otlp_service_name.as_deref().filter(|name| !name.is_empty())
    }
}
