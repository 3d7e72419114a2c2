//! `aviary serve`: gateway and query in one process, over the stores it is given.

mod args;

use std::sync::Arc;

use runtime::Process;

pub(crate) use args::Args;
use args::Config;

use crate::first_look;

/// Starts, serves until a signal comes, and finishes what is in hand.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    runtime::process::run(serve(args.into_config()?))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let Config { listen, process, query, mut gateway } = config;
    let process = Process::start(&process, "aviary").await?;
    gateway::describe_metrics();
    query::describe_metrics();
    let (stores, prefixes) = (query.stores.clone(), query.prefixes.clone());
    let base_path = gateway.mounts.base_path.clone();

    let listener = runtime::process::listen(&listen).await?;
    let service = query::Service::start(query).await?;
    gateway.mounts.root_report = stores.has_root_report().await;
    let gateway = gateway::Gateway::new(gateway, gateway::backend(query::server::in_process(service)), None);

    let url = first_look::url(listener.local_addr()?, &base_path);
    // Nobody reads it where standard output is closed.
    let _ = first_look::announce(&stores, &url);
    tokio::task::spawn_blocking(move || first_look::look(&stores, &prefixes, &url));
    process.readiness().set_ready();

    let work = gateway::serve(listener, Arc::clone(&gateway), process.stopping());
    process.work(work).await?;
    Ok(())
}
