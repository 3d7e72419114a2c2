//! An instance, from its resource to its status: five steps, each in its file. Of these, `validate` and `build` are functions of
//! their arguments; `dereference` reads, `apply` changes and `status` tells.

mod apply;
mod build;
mod check;
mod dereference;
mod document;
mod interrupts;
mod memory;
mod names;
mod sizes;
mod status;
mod validate;

use std::{sync::Arc, time::Duration};

use kube::{
    Client, Resource, ResourceExt,
    runtime::{controller::Action, events::Recorder},
};

use crate::{
    agents::Agents,
    args::Settings,
    authorities::Authorities,
    authority,
    conditions::{Reason, Refused},
    crd::DS389Instance,
    objects,
    reports::Reports,
    topology::{self, Topologies},
    turns::Turns,
    watches::Known,
};

pub(crate) use dereference::{ANNOUNCED, ISSUER, PASSWORD, SALT, get_secret};
pub(crate) use document::SECURE_PORT;
pub(crate) use memory::Memory;
pub(crate) use names::{Names, SPECIFICATION};

/// How long to wait after a failure: somebody else has changed what was to be changed, or the API server refuses.
pub(crate) const AFTER_CONFLICT: Duration = Duration::from_secs(1);
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long what an agent did not take waits.
const UNTOLD: Duration = Duration::from_secs(5);
/// How soon it is looked again whether it is somebody's turn.
const TURN: Duration = Duration::from_secs(2);
/// How often all is looked at though nothing has changed, spread by the controller: for certificates that end.
const LOOK: Duration = Duration::from_secs(6 * 3600);

/// Why an instance is not dealt with now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A resource without a namespace, which the API server does not let be.
    #[error("the resource is in no namespace")]
    NoNamespace,
    /// An object cannot be read.
    #[error("failed to read the {kind} {name}: {}", objects::why(said))]
    Read {
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What the API server said.
        said: Box<kube::Error>,
    },
    /// An object cannot be changed.
    #[error(transparent)]
    Change(#[from] objects::Error),
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] authority::Error),
    /// The system gives no random numbers.
    #[error("failed to make a password: the system gives no random numbers")]
    Random,
    /// Somebody has seen a later state of the resource than we have.
    #[error("the resource is known as it was before")]
    Outdated,
    /// What the instances of a namespace mean together cannot be said.
    #[error(transparent)]
    Topology(#[from] topology::Error),
    /// What is kept of an object cannot be read.
    #[error("failed to understand an object of the cluster")]
    Kept(#[source] serde_json::Error),
    /// What a user says of the pod cannot be laid over it.
    #[error("failed to build the pod: {0}")]
    Overlay(String),
    /// What the agent is told cannot be written.
    #[error("failed to write the document for the agent")]
    Document(#[from] serde_json::Error),
}

/// What all instances share.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    pub(crate) known: Known,
    pub(crate) agents: Agents,
    pub(crate) authorities: Arc<Authorities>,
    pub(crate) topologies: Topologies,
    pub(crate) turns: Turns,
    pub(crate) recorder: Recorder,
    pub(crate) memory: Memory,
    /// `None` if there is no store for them.
    pub(crate) reports: Option<Reports>,
}

/// Makes an instance what its resource says, as far as that is up to the operator, and says how it is.
pub(crate) async fn reconcile(instance: Arc<DS389Instance>, context: Arc<Context>) -> Result<Action, Error> {
    // What it owns goes with it.
    if instance.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let names = Names::of(&instance, &context.settings.cluster_domain).ok_or(Error::NoNamespace)?;
    let topology = context.topologies.of(&names.namespace, &context.known, &context.agents).await?;
    let part = topology.parts.get(&names.instance).filter(|part| part.generation == instance.metadata.generation);
    // It is about the resource as it was: who watches for that comes back with what it is now.
    let Some(part) = part else { return Ok(Action::requeue(AFTER_CONFLICT)) };
    let referenced = dereference::dereference(&instance, &names, part, &context).await?;
    if let (Some(reports), Some(heard)) = (&context.reports, referenced.heard.status()) {
        reports.offer(&names.key(), &heard.reports);
    }
    if !instance.spec.suspend {
        apply::keep_certificate_of_agent(&names, &referenced, &context).await?;
    }
    let done = match validate::validate(&instance, &names, part, &referenced) {
        Ok(_) if instance.spec.suspend => Ok(apply::Done::default()),
        Ok(valid) => {
            let built = build::build(&instance, &names, &valid, &referenced, &context.settings)?;
            match apply::apply(&names, &built, &referenced, &topology, &context).await {
                Err(Error::Change(foreign @ objects::Error::Foreign { .. })) => {
                    Err(Refused { reason: Reason::NameTaken, message: foreign.to_string() })
                }
                Err(Error::Change(refused)) if refused.is_final() => {
                    Err(Refused { reason: Reason::ClusterRefuses, message: refused.to_string() })
                }
                applied => Ok(applied?),
            }
        }
        Err(refused) => Err(refused),
    };
    // One that is left alone, or cannot be what it should be, is not about to be interrupted.
    if instance.spec.suspend || done.is_err() {
        context.turns.release(&names.key());
    }
    // Nobody is told of it then; it must not end for that.
    if done.is_err() && !instance.spec.suspend && referenced.certificate_problem.is_none() {
        apply::keep_certificate_of_server(&names, &referenced, &context).await?;
    }
    let requeue = match &done {
        // Of objects that are not the operator's, and of quotas, it does not hear.
        Err(Refused { reason: Reason::NameTaken | Reason::ClusterRefuses, .. }) => AFTER_FAILURE,
        Ok(done) if done.waits.is_some() => TURN,
        Ok(done) if done.untold.is_some() => UNTOLD,
        _ => LOOK.min(referenced.until_renewal()),
    };
    status::tell(&instance, &names, &referenced, done, &context).await?;
    Ok(Action::requeue(requeue))
}

/// When to try again with a resource, an instance or an agreement.
pub(crate) fn after_error<K: Resource<DynamicType = ()>>(resource: &K, error: &Error) -> Action {
    let is_conflict = match error {
        Error::Change(failed) | Error::Topology(topology::Error::Write(failed)) => failed.is_conflict(),
        Error::Outdated => true,
        _ => false,
    };
    metrics::counter!("aviary_operator_failures_total").increment(1);
    let (kind, place) = (K::kind(&()), format!("{}/{}", resource.namespace().unwrap_or_default(), resource.name_any()));
    if is_conflict {
        tracing::debug!(%kind, resource = place, error = error as &dyn std::error::Error, "trying again");
    } else {
        tracing::warn!(%kind, resource = place, error = error as &dyn std::error::Error, "trying again");
    }
    Action::requeue(if is_conflict { AFTER_CONFLICT } else { AFTER_FAILURE })
}
