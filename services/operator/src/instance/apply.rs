//! Makes the cluster have an instance's objects as they were built, tells its agent, and has its pod made anew when it has to be.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Preconditions},
};

use crate::{
    agents,
    instance::{
        Context, Error,
        build::{self, Built, MADE_FROM},
        dereference::Referenced,
        names::Names,
    },
    objects,
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
}

/// Keeps the certificates, whatever else the resource says.
pub(crate) async fn keep_certificates(names: &Names, referenced: &Referenced, context: &Context) -> Result<(), Error> {
    let secrets = Api::namespaced(context.client.clone(), &names.namespace);
    let (agent, server) = build::certificates(names, referenced);
    objects::apply(&secrets, referenced.agent.secret.as_deref(), &agent).await?;
    objects::apply(&secrets, referenced.server.secret.as_deref(), &server).await?;
    Ok(())
}

/// Does it.
pub(crate) async fn apply(names: &Names, built: &Built, referenced: &Referenced, context: &Context) -> Result<Done, Error> {
    let (client, namespace) = (&context.client, names.namespace.as_str());
    let secrets = Api::namespaced(client.clone(), namespace);
    for password in [&built.password, &built.replication].into_iter().flatten() {
        objects::create(&secrets, password).await?;
    }
    match &referenced.specification {
        None => objects::create(&secrets, &built.specification).await?,
        Some(known) => {
            objects::check_owner(&built.specification, known)?;
            objects::apply(&secrets, Some(known), &built.specification).await.map(|_| ())?;
        }
    }
    let services = Api::namespaced(client.clone(), namespace);
    objects::apply(&services, referenced.service.as_deref(), &built.service).await?;
    let sets = Api::namespaced(client.clone(), namespace);
    let is_set_changed = objects::apply(&sets, referenced.stateful_set.as_deref(), &built.stateful_set).await?;
    let is_pod_outdated = is_pod_outdated(built, referenced);
    let is_pod_replaced = is_pod_outdated && !is_set_changed && is_set_current(built, referenced);
    if is_pod_replaced {
        replace_pod(names, referenced, context).await?;
    }
    let untold = tell(names, built, referenced, context).await;
    if let Some(agents::Error::Refused(why)) = &untold {
        tracing::warn!(instance = %names.key(), revision = built.revision, "the agent refuses what it is told: {why}");
    }
    // The last, for a class that lets no volume grow refuses that: nothing else waits for it.
    let claims = Api::namespaced(client.clone(), namespace);
    objects::apply(&claims, referenced.claim.as_deref(), &built.claim).await?;
    let is_certified = referenced.server.is_new;
    Ok(Done { revision: built.revision, untold, is_certified, is_pod_outdated, is_pod_replaced })
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
fn is_pod_outdated(built: &Built, referenced: &Referenced) -> bool {
    referenced.pod.as_ref().is_some_and(|pod| pod.annotations().get(MADE_FROM) != Some(&built.made_from))
}

/// Whether a new pod would be made from what is wanted, and the one that is there is not on its way out.
fn is_set_current(built: &Built, referenced: &Referenced) -> bool {
    let Some(set) = &referenced.stateful_set else { return false };
    let template = set.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let says = template.and_then(|metadata| metadata.annotations.as_ref()?.get(MADE_FROM)) == Some(&built.made_from);
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
    match pods.delete(&names.pod(), &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(objects::failed(&**pod, source).into()),
    }
}
