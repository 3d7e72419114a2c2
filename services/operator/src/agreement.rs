//! An agreement, from its resource to its status. What it means is for `topology` to say and each server's part of that is
//! carried out with its instance; here it is told how it went.

mod status;

use std::{sync::Arc, time::Duration};

use kube::{ResourceExt, runtime::controller::Action};

use crate::{
    crd::DS389Agreement,
    instance::{Context, Error},
};

/// How long to wait after a failure, and until what is known of the resource is about what it is now.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
const OUTDATED: Duration = Duration::from_secs(1);

/// Says how an agreement is.
pub(crate) async fn reconcile(agreement: Arc<DS389Agreement>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = agreement.namespace().ok_or(Error::NoNamespace)?;
    let topology = context.topologies.of(&namespace, &context.known, &context.agents).await?;
    let found = topology.agreements.get(&agreement.name_any());
    let Some(found) = found.filter(|found| found.generation == agreement.metadata.generation) else {
        // It goes, or is known as it was.
        return Ok(Action::requeue(OUTDATED));
    };
    status::tell(&agreement, found, &context).await?;
    Ok(Action::await_change())
}

/// When to try again.
pub(crate) fn after_error(agreement: &DS389Agreement, error: &Error) -> Action {
    metrics::counter!("aviary_operator_failures_total").increment(1);
    let place = format!("{}/{}", agreement.namespace().unwrap_or_default(), agreement.name_any());
    tracing::warn!(agreement = place, error = error as &dyn std::error::Error, "trying again");
    Action::requeue(AFTER_FAILURE)
}
