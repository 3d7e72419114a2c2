//! The process `aviary-query`: the service behind a port of its own. What it answers, the service knows.

use runtime::{Process, process::announce};

use crate::{Service, args::Settings, server};

/// Starts, serves until a signal comes, and finishes what is in hand.
pub(crate) async fn serve(settings: Settings) -> anyhow::Result<()> {
    let Settings { listen, tls, process, config } = settings;
    let process = Process::start(&process, "aviary-query").await?;
    crate::describe_metrics();
    let tls = tls.load().await?;
    let listener = runtime::process::listen(&listen).await?;
    let stores: Vec<String> = config.stores.iter().map(|named| named.store.name()).collect();
    let service = Service::start(config).await?;
    process.readiness().set_ready();
    // Nobody reads it where standard output is closed.
    let _ = announce(&format!("Serving {} at http://{}", stores.join(", "), listener.local_addr()?));
    let work = server::serve(listener, service, tls, process.stopping());
    process.work(work).await?;
    Ok(())
}
