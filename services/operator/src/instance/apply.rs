//! Makes the cluster have an instance's objects as they were built, tells its agent, and has its pod made anew when it has to be.

use std::{collections::BTreeSet, fmt::Debug, time::Instant};

use aviary_proto::directory::v1::{Activity, Status};
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Preconditions},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    agents,
    instance::{
        Context, Error,
        build::{self, Built},
        check,
        dereference::{Certificate, Referenced},
        names::Names,
    },
    objects,
    topology::Topology,
};

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The number of what the agent should have taken; 0 while the operator leaves the instance alone.
    pub(crate) revision: u64,
    /// Why the agent has not taken it.
    pub(crate) untold: Option<agents::Error>,
    /// The server has got a certificate.
    pub(crate) is_certified: bool,
    /// The pod is not what it should be: another one takes its place.
    pub(crate) is_pod_outdated: bool,
    /// It is being made anew.
    pub(crate) is_pod_replaced: bool,
    /// Those that do not trust the authority of the server's next certificate yet, if that waits for them.
    pub(crate) distrusted_by: Option<BTreeSet<String>>,
    /// What a restart waits for.
    pub(crate) waits: Option<String>,
    /// What would become of its objects, if it is only checked.
    pub(crate) planned: Vec<String>,
}

/// Keeps the certificate of the agent, whatever else the resource says.
pub(crate) async fn keep_certificate_of_agent(names: &Names, referenced: &Referenced, context: &Context) -> Result<(), Error> {
    keep_certificate(names, names.agent(), &referenced.agent, context).await
}

/// Keeps the certificate of the server, which gets it whether or not it is told.
pub(crate) async fn keep_certificate_of_server(names: &Names, referenced: &Referenced, context: &Context) -> Result<(), Error> {
    keep_certificate(names, names.tls(), &referenced.server, context).await
}

async fn keep_certificate(names: &Names, name: String, certificate: &Certificate, context: &Context) -> Result<(), Error> {
    let secrets = Api::namespaced(context.client.clone(), &names.namespace);
    objects::apply(&secrets, certificate.secret.as_deref(), &build::certificate(names, name, certificate)).await?;
    Ok(())
}

/// Does it. What interrupts the server - a pod that is made anew, or what the agent is told, in whichever way - waits until it is
/// the turn of the instance. What does not is told at once, for others may wait for it.
pub(crate) async fn apply(
    names: &Names,
    built: &Built,
    referenced: &Referenced,
    topology: &Topology,
    context: &Context,
) -> Result<Done, Error> {
    let (client, namespace) = (&context.client, names.namespace.as_str());
    let secrets = Api::namespaced(client.clone(), namespace);
    if built.only_checks
        && let Some(planned) = check::planned(built, referenced)
    {
        specify(built, referenced, &secrets).await?;
        let untold = tell(names, built, referenced, context).await;
        return Ok(Done { revision: built.revision, untold, planned, ..Done::default() });
    }
    if let Some(password) = &built.password {
        objects::create(&secrets, password).await?;
    }
    let password = Secret { metadata: built.password_metadata.clone(), ..Secret::default() };
    // One that a user has made under this name is the user's.
    if let Some(known) = referenced.password_secret.as_ref().filter(|known| objects::check_owner(&password, known).is_ok()) {
        objects::own(&secrets, known, &password.metadata).await?;
    }
    if let Some(passwords) = &built.replication {
        objects::apply(&secrets, referenced.replication.secret.as_ref(), passwords).await?;
    }
    let is_pod_outdated = is_pod_outdated(built, referenced);
    let heard = referenced.heard.status();
    let is_told = heard.is_some_and(|heard| heard.revision == built.revision);
    let is_interrupted = built.interrupts && !is_told;
    let waits = match is_pod_outdated || is_interrupted {
        true => take_turn(names, referenced, topology, context).err(),
        false => None,
    };
    if is_told && !is_pod_outdated && heard.is_some_and(|heard| is_over(built, heard)) {
        context.turns.release(&names.key());
    }
    let is_withheld = is_interrupted && waits.is_some();
    if !is_withheld {
        keep_certificate_of_server(names, referenced, context).await?;
    }
    if !is_withheld || referenced.specification.is_none() {
        specify(built, referenced, &secrets).await?;
    }
    let services = Api::namespaced(client.clone(), namespace);
    objects::apply(&services, referenced.service.as_ref(), &built.service).await?;
    serve_clients(&built.client_services, &referenced.client_services, &services).await?;
    let policies = Api::namespaced(client.clone(), namespace);
    match (&built.policy, &referenced.policy) {
        (Some(policy), known) => drop(objects::apply(&policies, known.as_ref(), policy).await?),
        (None, Some(known)) => objects::delete(&policies, known, &DeleteParams::default()).await?,
        (None, None) => {}
    }
    if let Some(accounts) = &built.accounts {
        keep(accounts, &Api::namespaced(client.clone(), namespace)).await?;
    }
    let sets = Api::namespaced(client.clone(), namespace);
    let is_set_changed = objects::apply(&sets, referenced.stateful_set.as_ref(), &built.stateful_set).await?;
    let is_pod_replaced = waits.is_none() && is_pod_outdated && !is_set_changed && is_set_current(built, referenced);
    if is_pod_replaced {
        replace_pod(names, referenced, context).await?;
    }
    // The one that takes the place of the pod reads it at its start. The server of this one would restart for nothing.
    let is_pod_to_go = is_pod_outdated && waits.is_none();
    let untold = if is_withheld || is_pod_to_go { None } else { tell(names, built, referenced, context).await };
    if let Some(agents::Error::Refused(why)) = &untold {
        tracing::warn!(instance = %names.key(), revision = built.revision, "the agent refuses what it is told: {why}");
    }
    // The last, for a class that lets no volume grow refuses that: nothing else waits for it.
    let claims = Api::namespaced(client.clone(), namespace);
    objects::apply(&claims, referenced.claim.as_ref(), &built.claim).await?;
    let is_certified = referenced.server.is_new && !is_withheld;
    let part = topology.parts.get(&names.instance);
    let distrusted_by = referenced.server.announced.as_ref().and(part).map(|part| part.distrusted_by.clone());
    let revision = built.revision;
    Ok(Done { revision, untold, is_certified, is_pod_outdated, is_pod_replaced, distrusted_by, waits, planned: Vec::new() })
}

/// Keeps what the agent is told, for a pod that starts.
async fn specify(built: &Built, referenced: &Referenced, secrets: &Api<Secret>) -> Result<(), Error> {
    match &referenced.specification {
        None => objects::create(secrets, &built.specification).await?,
        Some(known) => {
            objects::check_owner(&built.specification, known)?;
            objects::apply(secrets, Some(known), &built.specification).await.map(|_| ())?;
        }
    }
    Ok(())
}

/// Makes an object so that is not watched.
async fn keep<K>(wanted: &K, api: &Api<K>) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + Debug,
{
    let there = api.get_opt(&wanted.name_any()).await.map_err(|source| objects::failed(wanted, source))?;
    if let Some(there) = &there {
        objects::check_owner(wanted, there)?;
    }
    objects::apply(api, there.as_ref(), wanted).await?;
    Ok(())
}

/// Makes the Services for clients, and deletes those that are wanted no more.
async fn serve_clients(wanted: &[Service], known: &[Service], api: &Api<Service>) -> Result<(), Error> {
    for service in wanted {
        let there = known.iter().find(|known| known.name_any() == service.name_any());
        objects::apply(api, there, service).await?;
    }
    for service in unwanted(wanted, known) {
        objects::delete(api, service, &DeleteParams::default()).await?;
    }
    Ok(())
}

/// Those that there are, but are not to be.
pub(crate) fn unwanted<'a>(wanted: &'a [Service], known: &'a [Service]) -> impl Iterator<Item = &'a Service> {
    known.iter().filter(|known| wanted.iter().all(|wanted| wanted.name_any() != known.name_any()))
}

/// Takes the turn of an instance to be interrupted, or says what for it has to wait.
fn take_turn(names: &Names, referenced: &Referenced, topology: &Topology, context: &Context) -> Result<(), String> {
    let suffixes = topology.parts.get(&names.instance).map(|part| part.suffixes()).unwrap_or_default();
    let (key, serves) = (names.key(), serves(referenced));
    context.turns.take(&key, &suffixes, serves, topology, Instant::now())
}

/// Whether there is anything to interrupt. Of one whose agent is not heard, the kubelet knows.
fn serves(referenced: &Referenced) -> bool {
    let conditions = referenced.pod.iter().filter_map(|pod| pod.status.as_ref()?.conditions.as_ref()).flatten();
    let is_ready = || conditions.filter(|known| known.type_ == "Ready").any(|known| known.status == "True");
    referenced.heard.status().map_or_else(is_ready, |heard| heard.serves)
}

/// Whether an agent that knows all has done all, and its server serves, if it is to.
fn is_over(built: &Built, heard: &Status) -> bool {
    heard.activity() == Activity::Settled && (heard.serves || built.is_kept_away)
}

/// Tells the agent, unless it has taken it already or cannot be heard.
async fn tell(names: &Names, built: &Built, referenced: &Referenced, context: &Context) -> Option<agents::Error> {
    let heard = referenced.heard.status()?;
    if heard.revision == built.revision {
        return None;
    }
    context.agents.apply(&names.key(), &built.document).await.err()
}

/// Whether the pod was made from something else.
pub(crate) fn is_pod_outdated(built: &Built, referenced: &Referenced) -> bool {
    referenced.pod.as_ref().is_some_and(|pod| !built.origin.is_that_of(pod.annotations()))
}

/// Whether a new pod would be made from what is wanted, and the one that is there is not on its way out.
fn is_set_current(built: &Built, referenced: &Referenced) -> bool {
    let Some(set) = &referenced.stateful_set else { return false };
    let template = set.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let annotations = template.and_then(|metadata| metadata.annotations.as_ref());
    let says = annotations.is_some_and(|annotations| built.origin.is_that_of(annotations));
    let observed = set.status.as_ref().and_then(|status| status.observed_generation);
    let goes = referenced.pod.as_ref().is_some_and(|pod| pod.metadata.deletion_timestamp.is_some());
    says && observed >= set.metadata.generation && !goes
}

async fn replace_pod(names: &Names, referenced: &Referenced, context: &Context) -> Result<(), Error> {
    let Some(pod) = &referenced.pod else { return Ok(()) };
    let pods: Api<Pod> = Api::namespaced(context.client.clone(), &names.namespace);
    // Not one that has come since.
    let preconditions = Some(Preconditions { uid: pod.metadata.uid.clone(), resource_version: None });
    let params = DeleteParams { preconditions, ..DeleteParams::default() };
    Ok(objects::delete(&pods, pod, &params).await?)
}
