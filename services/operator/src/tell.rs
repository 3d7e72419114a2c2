//! Tells users of resources: events, and statuses by server-side apply.

use std::fmt::Debug;

use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
    runtime::events::{Event, EventType, Recorder},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    conditions::{Told, shortened},
    objects,
};

/// Tells an event of a resource.
pub(crate) async fn event<K: Resource<DynamicType = ()>>(recorder: &Recorder, resource: &K, told: Told, note: &str) {
    let type_ = if told.is_warning() { EventType::Warning } else { EventType::Normal };
    let note = shortened(note);
    // Events that differ in their note alone would be counted as one, with the first note.
    let action = format!("Reconcile-{}", objects::short_hash(note.as_bytes()));
    let event = Event { type_, reason: told.name().to_owned(), note: Some(note), action, secondary: None };
    // They are for information only; the next one may get through.
    if let Err(error) = recorder.publish(&event, &resource.object_ref(&())).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "failed to tell an event");
    }
}

/// Writes what a manager says of the status of a resource. False if the resource is gone.
pub(crate) async fn status<K>(
    client: &Client,
    manager: &str,
    resource: &K,
    status: &impl Serialize,
) -> Result<bool, objects::Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
    let patch = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "status": status});
    let params = PatchParams::apply(manager).force();
    match api.patch_status(&resource.name_any(), &params, &Patch::Apply(patch)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(source) => Err(objects::failed(resource, source)),
    }
}
