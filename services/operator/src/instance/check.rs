//! What would become of the objects of an instance that is only checked: nothing does, and this is told. Of its server, the agent
//! tells.

use std::fmt::Debug;

use kube::{Resource, ResourceExt};
use serde::Serialize;

use crate::{
    instance::{
        apply::{is_pod_outdated, unwanted},
        build::Built,
        dereference::Referenced,
    },
    objects,
};

/// What would be done, if the instance has a pod already. Of one that has none, that comes first.
pub(crate) fn planned(built: &Built, referenced: &Referenced) -> Option<Vec<String>> {
    referenced.stateful_set.as_ref()?;
    let services = |wanted| referenced.client_services.iter().find(|known| known.name_any() == ResourceExt::name_any(wanted));
    let policy = match (&built.policy, &referenced.policy) {
        (Some(wanted), known) => change(known.as_ref(), wanted),
        (None, Some(known)) => Some(format!("Deleting the NetworkPolicy {}", known.name_any())),
        (None, None) => None,
    };
    let mut planned = vec![
        is_pod_outdated(built, referenced).then(|| "Making the pod anew".to_owned()),
        referenced.server.is_to_go.then(|| "Giving the server another certificate, or others to trust".to_owned()),
        built.password.as_ref().map(|password| format!("Making another password, in the Secret {}", password.name_any())),
        change(referenced.claim.as_ref(), &built.claim),
        // What it says of another pod is told of that.
        change(referenced.stateful_set.as_ref(), &built.stateful_set).filter(|_| !is_pod_outdated(built, referenced)),
        policy,
        change(referenced.service.as_ref(), &built.service),
    ];
    planned.extend(built.client_services.iter().map(|wanted| change(services(wanted), wanted)));
    let gone = unwanted(&built.client_services, &referenced.client_services);
    planned.extend(gone.map(|service| Some(format!("Deleting the Service {}", service.name_any()))));
    Some(planned.into_iter().flatten().collect())
}

fn change<K: Resource<DynamicType = ()> + Serialize + Debug>(known: Option<&K>, wanted: &K) -> Option<String> {
    let verb = if known.is_some() { "Changing" } else { "Creating" };
    (!objects::is_as_wanted(known, wanted)).then(|| format!("{verb} the {} {}", K::kind(&()), wanted.name_any()))
}
