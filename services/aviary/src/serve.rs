//! `aviary serve`: gateway and query in one process, over one store.

mod args;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use aviary_proto::report::v1::report_service_server::ReportServiceServer;
use runtime::{AdminState, Readiness};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use args::Args;
use args::Config;

use crate::first_look;

/// Starts, serves until a signal comes, and finishes what is in hand.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let config = args.into_config()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("failed to start the runtime")?;
    let result = runtime.block_on(serve(config));
    // A question that is still read from a slow disk must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let Config { listen, telemetry, admin, shutdown, query, gateway } = config;
    let telemetry = runtime::telemetry::init(&telemetry, "aviary")?;
    gateway::describe_metrics();
    query::describe_metrics();
    let (store, prefixes) = (query.store.clone(), query.prefixes.clone());
    let base_path = gateway.mounts.base_path.clone();

    let listener = TcpListener::bind(&listen)
        .await
        .with_context(|| format!("failed to listen on {listen}: is something else there? choose another --listen"))?;
    let admin_listener = admin.bind().await.context("choose another --admin-listen, or off")?;
    let service =
        query::Service::new(query).context("failed to make a folder for copies: give one that can be written by --cache")?;
    let gateway = gateway::Gateway::new(gateway, gateway::backend(ReportServiceServer::new(service)));

    let signal = runtime::shutdown::on_signal();
    let end = CancellationToken::new();
    let readiness = Readiness::new();
    let admin_task = admin_listener.map(|listener| {
        let state = AdminState { readiness: readiness.clone(), metrics: telemetry.metrics() };
        let end = end.clone();
        tokio::spawn(runtime::admin::serve(listener, state, end))
    });

    let url = first_look::url(listener.local_addr()?, &base_path);
    // Nobody reads it where standard output is closed.
    let _ = first_look::announce(&store, &url);
    tokio::task::spawn_blocking(move || first_look::look(&store, &prefixes, &url));
    readiness.set_ready();

    let stopping = signal.clone();
    let leaving = readiness.clone();
    let work = gateway::serve(listener, Arc::clone(&gateway), async move {
        stopping.cancelled().await;
        leaving.set_stopping();
    });
    let drained = runtime::shutdown::drain(work, &signal, shutdown.drain_timeout).await;
    end.cancel();
    if let Some(task) = admin_task {
        let _ = task.await;
    }
    telemetry.shutdown().await;
    drained.context("some requests were cut off")?;
    Ok(())
}
