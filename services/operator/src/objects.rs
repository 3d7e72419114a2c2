//! Objects of the cluster as the operator wants them: whether one is so already, and making it so by server-side apply, as one
//! field manager that takes what it needs from others.

use aws_lc_rs::digest::{SHA256, digest};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// As whom the operator changes objects.
pub(crate) const MANAGER: &str = "aviary-operator";

/// The labels of all that the operator makes.
pub(crate) const NAME_LABEL: &str = "app.kubernetes.io/name";
/// The same.
pub(crate) const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// The same.
pub(crate) const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// What the pods are.
pub(crate) const NAME: &str = "ds389";

/// What says of an object what the operator said of it last.
const SAID: &str = "ds389.aviary.dev/said";
/// Bytes of a hash that tell it from others.
const SHORT: usize = 8;

/// An object that the API server does not take.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The API server refuses.
    #[error("failed to change the {kind} {name}: {}", why(said))]
    Refused {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// What the API server said.
        said: Box<kube::Error>,
    },
    /// There is one of that name which the operator has not made, or for something else.
    #[error("the {kind} {name} is there already, and not of this instance: delete it, or call the instance otherwise")]
    Foreign {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
}

impl Error {
    /// Whether the API server does not want it so, whoever asks and when.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self.code(), Some(400 | 403 | 422))
    }

    /// Whether somebody else has changed the object meanwhile.
    pub(crate) fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// The status with which the API server refuses.
    fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { said, .. } => match &**said {
                kube::Error::Api(status) => Some(status.code),
                _ => None,
            },
            Self::Foreign { .. } => None,
        }
    }
}

/// What the API server said, or what kept it from saying anything.
pub(crate) fn why(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

/// Makes an object so, unless the one that is known is so already. True if it has become another one. Objects of others are left
/// alone.
pub(crate) async fn apply<K>(api: &Api<K>, known: Option<&K>, wanted: &K) -> Result<bool, Error>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + std::fmt::Debug,
{
    let failed = |source| failed(wanted, source);
    let mut json = serde_json::to_value(wanted).map_err(|error| failed(kube::Error::SerdeError(error)))?;
    sign(&mut json);
    let version = known.and_then(ResourceExt::resource_version);
    if is_as_wanted(known, wanted) {
        return Ok(false);
    }
    if known.is_none()
        && let Some(there) = api.get_opt(&wanted.name_any()).await.map_err(failed)?
    {
        check_owner(wanted, &there)?;
    }
    if let Value::Object(object) = &mut json {
        object.insert("apiVersion".to_owned(), K::api_version(&()).into());
        object.insert("kind".to_owned(), K::kind(&()).into());
    }
    let params = PatchParams::apply(MANAGER).force();
    let now = api.patch(&wanted.name_any(), &params, &Patch::Apply(json)).await.map_err(failed)?;
    // Numbers can be written in several ways: what was said may be the same in other words.
    Ok(now.resource_version() != version)
}

/// Whether an object is as it is wanted, and needs no change.
pub(crate) fn is_as_wanted<K: Serialize>(known: Option<&K>, wanted: &K) -> bool {
    let (Ok(mut wanted), Some(Ok(known))) = (serde_json::to_value(wanted), known.map(serde_json::to_value)) else { return false };
    sign(&mut wanted);
    is_within(&wanted, &known)
}

/// Whether an object is of the instance that another one is wanted for.
pub(crate) fn check_owner<K: Resource<DynamicType = ()>>(wanted: &K, there: &K) -> Result<(), Error> {
    let of = |object: &K| [MANAGED_BY_LABEL, INSTANCE_LABEL].map(|label| object.labels().get(label).cloned());
    if of(wanted) == of(there) {
        return Ok(());
    }
    Err(Error::Foreign { kind: K::kind(&()).into_owned(), name: wanted.name_any() })
}

/// Creates an object, which must not be there yet.
pub(crate) async fn create<K>(api: &Api<K>, wanted: &K) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Serialize + DeserializeOwned + Clone + std::fmt::Debug,
{
    let params = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
    api.create(&params, wanted).await.map(|_| ()).map_err(|source| failed(wanted, source))
}

/// Has an object that was created go with whatever owns it, or stay. What it holds may be somebody else's to change.
pub(crate) async fn own<K>(api: &Api<K>, known: &K, wanted: &ObjectMeta) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + std::fmt::Debug,
{
    let owners = |metadata: &ObjectMeta| metadata.owner_references.clone().unwrap_or_default();
    let wanted = owners(wanted);
    if owners(known.meta()) == wanted {
        return Ok(());
    }
    let patch = Patch::Merge(json!({"metadata": {"ownerReferences": wanted}}));
    api.patch(&known.name_any(), &PatchParams::default(), &patch).await.map(|_| ()).map_err(|source| failed(known, source))
}

/// Deletes an object, which may be gone already.
pub(crate) async fn delete<K>(api: &Api<K>, object: &K, params: &DeleteParams) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + DeserializeOwned + Clone + std::fmt::Debug,
{
    match api.delete(&object.name_any(), params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(failed(object, source)),
    }
}

/// Puts a hash of all that is said into it: what is no longer said could not be seen in the object otherwise.
fn sign(object: &mut Value) {
    let mut said = object.clone();
    if let Some(metadata) = said.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
    let hash = short_hash(said.to_string().as_bytes());
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(annotations) = annotations {
            annotations.insert(SAID.to_owned(), hash.into());
        }
    }
}

/// Some characters that tell bytes from others.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref().iter().take(SHORT).map(|byte| format!("{byte:02x}")).collect()
}

/// The error of a change.
pub(crate) fn failed<K: Resource<DynamicType = ()>>(object: &K, said: kube::Error) -> Error {
    let name = object.meta().name.clone().unwrap_or_default();
    Error::Refused { kind: K::kind(&()).into_owned(), name, said: Box::new(said) }
}

/// Whether all that one value says is said by the other. What the API server adds of its own does not count.
fn is_within(wanted: &Value, known: &Value) -> bool {
    match (wanted, known) {
        (Value::Object(wanted), Value::Object(known)) => wanted.iter().all(|(key, wanted)| match known.get(key) {
            Some(known) => is_within(wanted, known),
            None => is_nothing(wanted),
        }),
        (Value::Array(wanted), Value::Array(known)) => {
            wanted.len() == known.len() && wanted.iter().zip(known).all(|(wanted, known)| is_within(wanted, known))
        }
        _ => wanted == known,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(wanted: Value, known: Value, expected: bool) {
        assert_eq!(is_within(&wanted, &known), expected, "{wanted} {known}");
    }

    #[test]
    fn an_object_is_as_wanted_whatever_else_it_has() {
        check(json!({"a": 1}), json!({"a": 1, "b": 2}), true);
        check(json!({"a": {"b": [{"c": 1}]}}), json!({"a": {"b": [{"c": 1, "default": true}]}}), true);
        check(json!({"a": [], "b": {}, "c": null}), json!({}), true);
        check(json!({"a": 1}), json!({"a": 2}), false);
        check(json!({"a": 1}), json!({}), false);
        check(json!({"a": [1]}), json!({"a": [1, 2]}), false);
        check(json!({"a": [1, 2]}), json!({"a": [2, 1]}), false);
    }
}
