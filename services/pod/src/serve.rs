//! The agent as a process: probes, metrics and, if it listens, its gRPC around the work.

use std::sync::Arc;

use runtime::{Process, tls};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{args::Settings, lag::Lags, reports::Reports, server, service::Service, status::Board, work::Agent};

/// Why the agent does not listen.
#[derive(Debug, thiserror::Error)]
#[error("--listen is given without {missing}: whoever can call the agent administers the directory, so it wants all of TLS")]
struct Open {
    missing: &'static str,
}

/// Serves until a signal comes and the server has stopped.
pub(crate) fn run(settings: Settings) -> anyhow::Result<()> {
    runtime::process::run(async {
        let process = Process::start(&settings.process, "aviary-agent").await?;
        describe_metrics();
        let board = Board::new();
        let lags = Lags::default();
        // Where nobody calls, nobody fetches any.
        let reports = Arc::new(Reports::new(settings.state.as_deref().filter(|_| settings.listen.is_some())));
        let (service, proposals) = Service::new(board.watch(), lags.watch(), Arc::clone(&reports));
        let (end, over) = oneshot::channel::<()>();
        let served = port(&settings).await?.map(|(listener, tls)| {
            let over = async { drop(over.await) };
            tokio::spawn(server::serve(listener, service, tls, over))
        });
        let agent = Agent::new(&settings, process.readiness().clone(), board, lags, proposals, reports);
        let stopping = process.stopping();
        let work = async {
            agent.run(stopping).await;
            drop(end);
            if let Some(served) = served {
                // Nothing is to be done about a task that died.
                let _ = served.await;
            }
        };
        Ok(process.work(work).await?)
    })
}

/// Where to listen, and who may call, if anybody may.
async fn port(settings: &Settings) -> anyhow::Result<Option<(TcpListener, tls::Server)>> {
    let (Some(address), args) = (&settings.listen, &settings.tls) else { return Ok(None) };
    let given = [
        ("--tls-cert", args.tls_cert.is_some()),
        ("--tls-key", args.tls_key.is_some()),
        ("--tls-client-ca", args.tls_client_ca.is_some()),
    ];
    let missing = |missing| Open { missing };
    if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| !is_given) {
        return Err(missing(flag).into());
    }
    let tls = args.load().await?.ok_or_else(|| missing("--tls-cert"))?;
    let listener = runtime::process::listen(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    Ok(Some((listener, tls)))
}

fn describe_metrics() {
    metrics::describe_gauge!("aviary_agent_serving", "1 while the server serves each suffix, 0 while it does not.");
    metrics::describe_counter!(
        "aviary_agent_settled_total",
        "How often the instance was compared, by outcome: settled or failed."
    );
    metrics::describe_counter!("aviary_agent_server_ends_total", "How often the server has ended without being asked to.");
    metrics::describe_gauge!(
        "aviary_agent_replication_lag_seconds",
        metrics::Unit::Seconds,
        "By how much who receives is behind, by backend and agreement; absent while that is not known."
    );
}
