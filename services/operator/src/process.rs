//! The process `aviary-operator`: waits for the Lease, then keeps the instances of each namespace that it is to keep, until a
//! signal comes or the Lease is lost. From its beginning to its end clients may ask it for the fleet.

use std::{fmt::Debug, sync::Arc};

use anyhow::Context as _;
use futures::{StreamExt, stream};
use http::Request;
use kube::{
    Client, Resource,
    client::{Body, ClientBuilder},
    runtime::{
        Controller,
        controller::Config,
        events::{Recorder, Reporter},
        reflector::{ObjectRef, Store},
    },
};
use runtime::{Process, tls};
use serde::de::DeserializeOwned;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tower::util::MapRequestLayer;

use crate::{
    agents::Agents,
    agreement,
    args::Settings,
    authorities::Authorities,
    crd::{DS389Agreement, DS389Instance},
    fleet::Fleet,
    instance::{self, Context, Memory},
    lease::Candidate,
    objects::MANAGER,
    reports::{self, Reports, Shelf},
    topology::{Concerned, Topologies},
    turns::Turns,
    watches::{Scope, Watches},
};

/// Instances that may wait to be looked at; who tells of more waits.
const TOLD: usize = 1024;
/// How many instances are dealt with at a time.
const AT_A_TIME: u16 = 8;
/// How long changes are gathered that come one after the other.
const GATHERED: std::time::Duration = std::time::Duration::from_millis(100);

/// What those need who work.
#[derive(Clone)]
struct Work {
    client: Client,
    settings: Settings,
    shelf: Option<Shelf>,
    fleet: Arc<Fleet>,
    /// Ends it.
    stop: CancellationToken,
}

/// Runs until the end.
pub(crate) async fn run(settings: Settings, shelf: Option<Shelf>) -> anyhow::Result<()> {
    let process = Process::start(&settings.process, "aviary-operator").await?;
    describe_metrics();
    let port = port(&settings).await?;
    let client = client().await.context("failed to find the cluster")?;
    process.readiness().set_ready();
    let stop = process.stopping_token();
    let (fleet, ended) = (Arc::new(Fleet::new()), CancellationToken::new());
    let over = ended.clone();
    let served = port.map(|(listener, tls)| tokio::spawn(fleet.serve(listener, tls, over.cancelled_owned())));
    let mut outcome = Ok(());
    let work = async {
        outcome = lead(Work { client, settings, shelf, fleet: Arc::clone(&fleet), stop }).await;
        fleet.end();
        ended.cancel();
        if let Some(served) = served {
            // Nothing is to be done about a task that died.
            let _ = served.await;
        }
    };
    process.work(work).await?;
    outcome
}

/// Where clients are told of the fleet, if they are.
async fn port(settings: &Settings) -> anyhow::Result<Option<(TcpListener, Option<tls::Server>)>> {
    let Some(address) = &settings.listen else { return Ok(None) };
    let tls = settings.tls.load().await?;
    let listener = runtime::process::listen(address).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    Ok(Some((listener, tls)))
}

/// The API server, whose requests are counted.
async fn client() -> anyhow::Result<Client> {
    let counted = MapRequestLayer::new(|request: Request<Body>| {
        metrics::counter!("aviary_operator_api_requests_total", "method" => request.method().to_string()).increment(1);
        request
    });
    let config = kube::Config::infer().await?;
    Ok(ClientBuilder::try_from(config)?.with_layer(&counted).build())
}

fn describe_metrics() {
    metrics::describe_counter!("aviary_operator_api_requests_total", "Requests to the API server, watches included, by method.");
    metrics::describe_counter!(
        "aviary_operator_failures_total",
        "How often a resource could not be dealt with and is tried again."
    );
    metrics::describe_counter!("aviary_operator_reconciles_total", "How often a resource was dealt with.");
    metrics::describe_counter!("aviary_operator_reports_total", "How many reports were put into their store.");
    metrics::describe_counter!(
        "aviary_operator_report_failures_total",
        "How often reports of an instance could not be brought into their store and are tried again."
    );
    metrics::describe_gauge!("aviary_operator_leads", "1 while this operator has the lease, 0 while it waits for it.");
}

/// Waits for the Lease, and works for as long as it has it.
async fn lead(work: Work) -> anyhow::Result<()> {
    metrics::gauge!("aviary_operator_leads").set(0.0);
    let Work { client, settings, .. } = &work;
    let candidate = Candidate::new(client.clone(), &settings.own_namespace, &settings.name, &settings.identity);
    tokio::select! {
        () = candidate.acquire() => {}
        () = work.stop.cancelled() => return Ok(()),
    }
    tracing::info!("this operator has the lease");
    metrics::gauge!("aviary_operator_leads").set(1.0);
    let kept = tokio::select! {
        error = candidate.keep() => Err(anyhow::Error::new(error)),
        ended = keep(&work) => ended,
    };
    if kept.is_ok() {
        candidate.release().await;
    }
    kept
}

/// Keeps all instances until the end.
async fn keep(work: &Work) -> anyhow::Result<()> {
    let Work { client, settings, fleet, .. } = work;
    let authorities = Authorities::load(client.clone(), &settings.own_namespace, &settings.name).await?;
    let authorities = Arc::new(authorities);
    let mut controllers = JoinSet::new();
    let scopes = Scope::of(&settings.namespaces);
    fleet.begin(&scopes);
    for scope in scopes {
        controllers.spawn(control(work.clone(), scope, Arc::clone(&authorities)));
    }
    while let Some(ended) = controllers.join_next().await {
        ended.context("the work was cut off")??;
    }
    Ok(())
}

/// Keeps the instances of a namespace, or all.
async fn control(work: Work, scope: Scope, authorities: Arc<Authorities>) -> anyhow::Result<()> {
    let Work { client, settings, shelf, fleet, stop } = work;
    let (told, mut instances) = mpsc::channel(TOLD);
    let concerned = Concerned::default();
    let config = Config::default().concurrency(AT_A_TIME).debounce(GATHERED);
    let mut watches = Watches::new(client.clone(), scope.clone(), told.clone(), concerned.clone());
    let known = {
        let mut starting = std::pin::pin!(watches.start());
        loop {
            tokio::select! {
                known = &mut starting => break known?,
                // All of them are looked at first anyway. Were nobody to take them, the watches would wait for that.
                Some(_) = instances.recv() => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    };
    watches.secrets(known.instances.clone(), known.agreements.clone());
    let all: Vec<_> = known.instances.state().iter().map(|instance| ObjectRef::from_obj(&**instance)).collect();
    let instances = stream::iter(all).chain(ReceiverStream::new(instances));
    let controller = of_known(known.instances.clone()).with_config(config.clone());
    let of_agreements = of_known(known.agreements.clone()).with_config(config);
    let reporter = Reporter { controller: MANAGER.to_owned(), instance: Some(settings.identity.clone()) };
    let context = Context {
        recorder: Recorder::new(client.clone(), reporter),
        memory: Memory::new(known.instances.clone()),
        agents: Agents::new(Arc::clone(&authorities), known.instances.clone(), told),
        topologies: Topologies::new(client.clone(), settings.cluster_domain.clone(), concerned),
        turns: Turns::default(),
        reports: shelf.map(Reports::new),
        client,
        settings,
        known,
        authorities,
    };
    let context = Arc::new(context);
    let following = {
        let (context, resources) = (Arc::clone(&context), watches.resources());
        async move {
            match &context.settings.listen {
                Some(_) => fleet.follow(scope, Arc::clone(&context), resources).await,
                // Nobody is told.
                None => std::future::pending().await,
            }
        }
    };
    let _reporting = AbortOnDropHandle::new(tokio::spawn(reports::run(Arc::clone(&context))));
    let policy =
        |instance: Arc<DS389Instance>, error: &instance::Error, _: Arc<Context>| instance::after_error(&*instance, error);
    let agreement_policy =
        |agreement: Arc<DS389Agreement>, error: &instance::Error, _: Arc<Context>| instance::after_error(&*agreement, error);
    let (stopped, agreements_stopped) = (stop.clone(), stop);
    let instances = controller
        .reconcile_on(instances)
        .reconcile_on(context.topologies.instances.stream())
        .graceful_shutdown_on(async move { stopped.cancelled().await })
        .run(instance::reconcile, policy, Arc::clone(&context))
        .for_each(async |done| count(done));
    let agreements = of_agreements
        .reconcile_on(context.topologies.agreements.stream())
        .graceful_shutdown_on(async move { agreements_stopped.cancelled().await })
        .run(agreement::reconcile, agreement_policy, context)
        .for_each(async |done| count(done));
    tokio::select! {
        _ = futures::future::join(instances, agreements) => {}
        () = following => {}
    }
    Ok(())
}

/// Deals with those resources of a kind that it is told of, whoever watches them.
fn of_known<K>(known: Store<K>) -> Controller<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    Controller::for_stream(stream::pending(), known)
}

/// Counts what was done. Of failures it was told where it is decided when to try again.
fn count<T, E>(done: Result<T, E>) {
    if done.is_ok() {
        metrics::counter!("aviary_operator_reconciles_total").increment(1);
    }
}
