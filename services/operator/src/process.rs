//! The process `aviary-operator`: waits for the Lease, then keeps the instances of each namespace that it is to keep, until a
//! signal comes or the Lease is lost.

use std::sync::Arc;

use anyhow::Context as _;
use futures::StreamExt;
use kube::{
    Client,
    runtime::{
        Controller,
        controller::{self, Config},
        events::{Recorder, Reporter},
        watcher,
    },
};
use runtime::Process;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::{
    agents::Agents,
    agreement,
    args::Settings,
    authorities::Authorities,
    crd::{DS389Agreement, DS389Instance},
    instance::{self, Context, Memory},
    lease::Candidate,
    objects::MANAGER,
    topology::{Concerned, Topologies},
    watches::{Scope, Watches},
};

/// Instances that may wait to be looked at; who tells of more waits.
const TOLD: usize = 1024;
/// How many instances are dealt with at a time.
const AT_A_TIME: u16 = 8;
/// How long changes are gathered that come one after the other.
const GATHERED: std::time::Duration = std::time::Duration::from_millis(100);

/// Runs until the end.
pub(crate) async fn run(settings: Settings) -> anyhow::Result<()> {
    let process = Process::start(&settings.process, "aviary-operator").await?;
    describe_metrics();
    let client = Client::try_default().await.context("failed to find the cluster")?;
    process.readiness().set_ready();
    let stop = CancellationToken::new();
    let (stopping, stopped) = (process.stopping(), stop.clone());
    tokio::spawn(async move {
        stopping.await;
        stopped.cancel();
    });
    let mut outcome = Ok(());
    process.work(async { outcome = lead(client, settings, stop).await }).await?;
    outcome
}

fn describe_metrics() {
    metrics::describe_counter!(
        "aviary_operator_failures_total",
        "How often a resource could not be dealt with and is tried again."
    );
    metrics::describe_counter!("aviary_operator_reconciles_total", "How often a resource was dealt with.");
    metrics::describe_gauge!("aviary_operator_leads", "1 while this operator has the lease, 0 while it waits for it.");
}

/// Waits for the Lease, and works for as long as it has it.
async fn lead(client: Client, settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    metrics::gauge!("aviary_operator_leads").set(0.0);
    let candidate = Candidate::new(client.clone(), &settings.own_namespace, &settings.name, &settings.identity);
    tokio::select! {
        () = candidate.acquire() => {}
        () = stop.cancelled() => return Ok(()),
    }
    tracing::info!("this operator has the lease");
    metrics::gauge!("aviary_operator_leads").set(1.0);
    let kept = tokio::select! {
        error = candidate.keep() => Err(anyhow::Error::new(error)),
        ended = keep(client, settings, stop) => ended,
    };
    if kept.is_ok() {
        candidate.release().await;
    }
    kept
}

/// Keeps all instances until the end.
async fn keep(client: Client, settings: Settings, stop: CancellationToken) -> anyhow::Result<()> {
    let authorities = Authorities::load(client.clone(), &settings.own_namespace, &settings.name).await?;
    let authorities = Arc::new(authorities);
    let mut controllers = JoinSet::new();
    for scope in Scope::of(&settings.namespaces) {
        controllers.spawn(control(client.clone(), settings.clone(), scope, Arc::clone(&authorities), stop.clone()));
    }
    while let Some(ended) = controllers.join_next().await {
        ended.context("the work was cut off")??;
    }
    Ok(())
}

/// Keeps the instances of a namespace, or all.
async fn control(
    client: Client,
    settings: Settings,
    scope: Scope,
    authorities: Arc<Authorities>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (told, mut instances) = mpsc::channel(TOLD);
    let concerned = Concerned::default();
    let config = Config::default().concurrency(AT_A_TIME).debounce(GATHERED);
    let controller = Controller::new(scope.api::<DS389Instance>(&client), watcher::Config::default()).with_config(config.clone());
    let of_agreements = Controller::new(scope.api::<DS389Agreement>(&client), watcher::Config::default()).with_config(config);
    let mut watches = Watches::new(client.clone(), scope, told.clone(), concerned.clone());
    let known = {
        let mut starting = std::pin::pin!(watches.start());
        loop {
            tokio::select! {
                known = &mut starting => break known?,
                // The controller begins with all of them anyway. Were nobody to take them, the watches would wait for that.
                Some(_) = instances.recv() => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    };
    watches.secrets(controller.store());
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(settings.identity.clone()) };
    let context = Context {
        recorder: Recorder::new(client.clone(), reporter),
        memory: Memory::new(controller.store()),
        agents: Agents::new(Arc::clone(&authorities), controller.store(), told),
        topologies: Topologies::new(client.clone(), settings.cluster_domain.clone(), concerned),
        client,
        settings,
        known,
        authorities,
    };
    let context = Arc::new(context);
    let policy =
        |instance: Arc<DS389Instance>, error: &instance::Error, _: Arc<Context>| instance::after_error(&*instance, error);
    let agreement_policy =
        |agreement: Arc<DS389Agreement>, error: &instance::Error, _: Arc<Context>| instance::after_error(&*agreement, error);
    let (stopped, agreements_stopped) = (stop.clone(), stop);
    let instances = controller
        .reconcile_on(ReceiverStream::new(instances))
        .reconcile_on(context.topologies.instances.stream())
        .graceful_shutdown_on(async move { stopped.cancelled().await })
        .run(instance::reconcile, policy, Arc::clone(&context))
        .for_each(async |done| count(done));
    let agreements = of_agreements
        .reconcile_on(context.topologies.agreements.stream())
        .graceful_shutdown_on(async move { agreements_stopped.cancelled().await })
        .run(agreement::reconcile, agreement_policy, context)
        .for_each(async |done| count(done));
    tokio::join!(instances, agreements);
    Ok(())
}

/// Counts what was done. Of failures it was told where it is decided when to try again.
fn count<T>(done: Result<T, controller::Error<instance::Error, watcher::Error>>) {
    match done {
        Ok(_) => metrics::counter!("aviary_operator_reconciles_total").increment(1),
        Err(error @ controller::Error::QueueError(_)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to watch the resources; trying again");
        }
        Err(_) => {}
    }
}
