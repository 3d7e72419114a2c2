//! An agreement, from its resource to its status. What it means is for `topology` to say and each server's part of that is
//! carried out with its instance; here it is told how it went.

mod status;

use std::sync::Arc;

use kube::{ResourceExt, runtime::controller::Action};

use crate::{
    crd::DS389Agreement,
    instance::{AFTER_CONFLICT, Context, Error},
};

/// Says how an agreement is.
pub(crate) async fn reconcile(agreement: Arc<DS389Agreement>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = agreement.namespace().ok_or(Error::NoNamespace)?;
    let topology = context.topologies.of(&namespace, &context.known, &context.agents).await?;
    let found = topology.agreements.get(&agreement.name_any());
    let Some(found) = found.filter(|found| found.generation == agreement.metadata.generation) else {
        // It goes, or is known as it was.
        return Ok(Action::requeue(AFTER_CONFLICT));
    };
    status::tell(&agreement, found, &context).await?;
    Ok(Action::await_change())
}
