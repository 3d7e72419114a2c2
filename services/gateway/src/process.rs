//! The process `aviary-gateway`: the HTTP side in a process of its own, in front of replicas of the query service.

use std::time::Duration;

use runtime::{
    Process, ProcessArgs,
    args::seconds,
    process::announce,
    tls::{OperatorTlsArgs, TlsClientArgs},
};

use crate::{
    Args, Gateway,
    replicas::{self, Callee, Limits, Targets},
};

/// Answers ARA's REST API over HTTP by asking replicas of aviary-query.
#[derive(Debug, clap::Parser)]
#[command(name = "aviary-gateway", version)]
pub struct Command {
    /// Replicas to ask: http://HOST:PORT, comma-separated, or srv://NAME for those that DNS has SRV records of
    #[arg(long, env = "AVIARY_QUERY", value_name = "TARGET", value_delimiter = ',', required = true)]
    query: Vec<String>,

    /// Operators to ask for the fleet, in the same words: of several, the one that works answers
    #[arg(long, env = "AVIARY_OPERATOR", value_name = "TARGET", value_delimiter = ',')]
    operator: Vec<String>,

    /// Address and port to serve HTTP and gRPC on
    #[arg(long, env = "AVIARY_LISTEN", default_value = "0.0.0.0:8000")]
    listen: String,

    /// Calls to query at the same time; more are refused
    #[arg(long, env = "AVIARY_MAX_REQUESTS", default_value = "1024", value_parser = clap::value_parser!(u16).range(1..))]
    max_requests: u16,

    /// Seconds that a call to query may take
    #[arg(long, env = "AVIARY_TIMEOUT", default_value = "30", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    http: Args,
    #[command(flatten)]
    tls: TlsClientArgs,
    #[command(flatten)]
    operator_tls: OperatorTlsArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

impl Command {
    /// Serves until a signal comes.
    ///
    /// # Errors
    /// When something that it needs cannot be had; the error says what, and what to do.
    pub fn run(self) -> anyhow::Result<()> {
        runtime::process::run(self.serve())
    }

    async fn serve(self) -> anyhow::Result<()> {
        let Self { query, operator, listen, max_requests, timeout, http, tls, operator_tls, process } = self;
        let targets = Targets::parse("--query", &query)?;
        let operators = if operator.is_empty() { None } else { Some(Targets::parse("--operator", &operator)?) };
        let config = http.into_config()?;
        let base_path = config.mounts.base_path.clone();
        let process = Process::start(&process, "aviary-gateway").await?;
        crate::describe_metrics();
        let limits = Limits { timeout, max_requests: usize::from(max_requests) };
        let stopping = process.stopping_token();
        let connected = replicas::connect(Callee::Query, targets, tls.load().await?, limits, stopping.clone())?;
        let operator_tls = operator_tls.load().await?;
        let operator = match operators {
            Some(targets) => Some(replicas::connect(Callee::Operator, targets, operator_tls, limits, stopping)?.backend),
            None => None,
        };
        let listener = runtime::process::listen(&listen).await?;
        // Nobody reads it where standard output is closed.
        let _ = announce(&format!("Serving reports at http://{}{base_path}/", listener.local_addr()?));
        let readiness = process.readiness().clone();
        let any_healthy = connected.any_healthy;
        let ready = async move {
            any_healthy.cancelled().await;
            readiness.set_ready();
        };
        let gateway = Gateway::new(config, connected.backend, operator);
        let serve = crate::serve(listener, gateway, process.stopping());
        let work = async {
            let ready = tokio::spawn(ready);
            serve.await;
            ready.abort();
        };
        process.work(work).await?;
        Ok(())
    }
}
