//! What a user says of the pod of an instance: where it runs, what it has beside what it needs, and the entries that new databases
//! begin with.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::options;

/// Where a pod runs. Changes are for the next pod: set restartRequestedAt to have it made.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scheduling {
    /// Labels that the node has to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) node_selector: Option<BTreeMap<String, String>>,

    /// What of nodes the pod does not mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tolerations: Option<Vec<Toleration>>,

    /// Which nodes and which neighbours the pod wants or avoids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) affinity: Option<Affinity>,

    /// Name of a PriorityClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority_class_name: Option<String>,
}

/// What is laid over the pod that the operator builds. Containers, volumes and variables are matched by their names, mounts by their
/// paths; other lists take the place of the operator's. A change has the pod made anew.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodTemplate {
    /// Labels and annotations of the pod.
    #[serde(default, skip_serializing_if = "TemplateMetadata::is_empty")]
    pub(crate) metadata: TemplateMetadata,

    /// Fields as of v1 Pod, spec. The server is in the container `agent`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schemars(schema_with = "options::anything")]
    pub(crate) spec: Map<String, Value>,
}

/// Labels and annotations.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplateMetadata {
    /// Labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,

    /// Annotations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl TemplateMetadata {
    fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }
}

/// The entries that a backend begins with when it is made. One that is there keeps what it has.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.configMap), has(self.secret), has(self.store)].filter(one, one).size() == 1")
        .message("initialData wants either configMap or secret, with the LDIF in one of its keys, or store, with the URL of a file")
)]
pub(crate) struct InitialData {
    /// Name of the backend.
    #[schemars(schema_with = "options::name")]
    pub(crate) backend: String,

    /// ConfigMap with LDIF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config_map: Option<DataKey>,

    /// Secret with LDIF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<DataKey>,

    /// File of LDIF in a store, which may be packed with gzip or Zstandard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) store: Option<InStore>,
}

/// An object of a store.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InStore {
    /// Where it is, as `s3://bucket/path/first.ldif`, with options of the store behind a `?`; `gs`, `az` and `https` are known too.
    #[schemars(schema_with = "options::store_url")]
    pub(crate) url: String,

    /// Secret of the namespace: in its key `credentials`, if it is there, lines of NAME=VALUE as in the environment of clients of the
    /// store; in `ca.crt` the authority of the store's certificate, if that is not a public one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "options::name")]
    pub(crate) secret_name: Option<String>,
}

/// A key of a ConfigMap or Secret.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DataKey {
    /// Name of the object.
    #[schemars(schema_with = "options::name")]
    pub(crate) name: String,

    /// The key in it.
    #[schemars(schema_with = "options::name")]
    pub(crate) key: String,
}
