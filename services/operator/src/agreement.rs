//! An agreement, from its resource to its status. What it means is for `topology` to say and each server's part of that is
//! carried out with its instance; here it is told how it went.

mod status;

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt, runtime::controller::Action};

use crate::{
    conditions::Refused,
    crd::DS389Agreement,
    externals,
    instance::{self, AFTER_CONFLICT, Context, Error},
    topology::{ASKED_EVERY, Found},
};

/// Says how an agreement is.
pub(crate) async fn reconcile(agreement: Arc<DS389Agreement>, context: Arc<Context>) -> Result<Action, Error> {
    let namespace = agreement.namespace().ok_or(Error::NoNamespace)?;
    let topology = context.topologies.asked(&namespace, &context.known, &context.agents).await?;
    let found = topology.agreements.get(&agreement.name_any());
    let Some(found) = found.filter(|found| found.generation == agreement.metadata.generation) else {
        // It goes, or is known as it was.
        return Ok(Action::requeue(AFTER_CONFLICT));
    };
    let refused = match &found.refused {
        Some(refused) => Some(refused.clone()),
        None => unreachable(&agreement, &namespace, &context.client).await?,
    };
    status::tell(&agreement, &Found { refused, ..Found::clone(found) }, &context).await?;
    // Who has all changes by other ways does not say so by itself.
    let is_unsure = found.pairs.iter().any(|pair| pair.unsure.is_some());
    Ok(if is_unsure { Action::requeue(ASKED_EVERY) } else { Action::await_change() })
}

/// What is missing to reach servers outside of the namespace.
async fn unreachable(agreement: &DS389Agreement, namespace: &str, client: &Client) -> Result<Option<Refused>, Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    for server in &agreement.spec.external {
        let Some(name) = &server.secret_name else { continue };
        let secret = instance::get_secret(&secrets, name.clone()).await?;
        if let Some(problem) = externals::problem(server, secret.as_ref()) {
            return Ok(Some(problem));
        }
    }
    Ok(None)
}
