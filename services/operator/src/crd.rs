//! The resources: what a user writes, and what the operator answers; here that of instances. Their options come from the engine's table, by
//! `crd::options`; what a resource means is for `instance` to say.

mod agreement;
mod external;
mod network;
mod options;
mod pod;
mod print;

use k8s_openapi::{
    api::core::v1::{LocalObjectReference, ResourceRequirements},
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{Condition, Time},
    },
};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use agreement::{AgreementSpec, AgreementStatus, DS389Agreement, InitialisePolicy, PairStatus};
pub(crate) use external::{BindMethod, ExternalServer};
pub(crate) use network::{ClientService, Tls};
pub(crate) use pod::{DataKey, InitialData, PodTemplate, Scheduling};
pub(crate) use print::print;

/// One 389 Directory Server: one pod, one volume, one name that other servers and clients know it by.
#[derive(CustomResource, KubeSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ds389.aviary.dev",
    version = "v1alpha1",
    kind = "DS389Instance",
    plural = "ds389instances",
    singular = "ds389instance",
    shortname = "dsi",
    category = "ds389",
    namespaced,
    status = "InstanceStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "One 389 Directory Server: one pod, one volume, one name that other servers and clients know it by.",
    validation = Rule::new("self.metadata.name.size() <= 52")
        .message("the name has more than 52 characters; pods and their labels are named after it"),
    validation = Rule::new("!self.metadata.name.contains('.')")
        .message("the name has a dot; it becomes a host name, such as ldap-1"),
    validation = Rule::new("!has(self.spec.initialData) || self.spec.initialData.all(one, has(self.spec.backends) && \
        self.spec.backends.exists(known, known.name.lowerAscii() == one.backend.lowerAscii()))")
        .message("spec.initialData names a backend that is not in spec.backends"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Host", type_ = "string", json_path = ".status.fqdn", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceSpec {
    /// Image of the pod, with 389 Directory Server and the agent. Without it, the one of the operator at the time at which the
    /// instance is made; it stays so until another one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,

    /// Secrets with which the image is pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) image_pull_secrets: Vec<LocalObjectReference>,

    /// CPU and memory of the pod. Caches are sized by the limit of memory, which is 512Mi unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<ResourceRequirements>,

    /// On which nodes the pod runs, and how urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scheduling: Option<Scheduling>,

    /// What else the pod has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pod_template: Option<PodTemplate>,

    /// The volume with configuration and data.
    #[serde(default)]
    pub(crate) storage: Storage,

    /// Services for clients, beside the one that other servers know it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::services")]
    pub(crate) services: Vec<ClientService>,

    /// The certificate that it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,

    /// The entries that new backends begin with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::initial_data")]
    pub(crate) initial_data: Vec<InitialData>,

    /// The password of the administrator, cn=Directory Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) directory_manager: Option<DirectoryManager>,

    /// Whether backends, indexes and agreements that are not written here are left alone or removed, with their data.
    #[serde(default)]
    pub(crate) policy: Policy,

    /// Whether the server runs. Its pod stays.
    #[serde(default = "yes")]
    pub(crate) started: bool,

    /// With true, clients are kept away: the pod is not ready, so that Services leave it out. The server goes on, and sends and
    /// receives changes. Its own name still leads to it.
    #[serde(default)]
    pub(crate) fenced: bool,

    /// When a restart was asked for. Another time than before has the pod made anew once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) restart_requested_at: Option<Time>,

    /// With true, only what would be done is said, in the status and in an event; nothing of the server changes.
    #[serde(default)]
    pub(crate) check: bool,

    /// With true, the operator leaves everything as it is until this is false again. The server goes on.
    #[serde(default)]
    pub(crate) suspend: bool,

    /// Options of the server.
    #[serde(default)]
    #[schemars(schema_with = "options::instance")]
    pub(crate) config: Map<String, Value>,

    /// The databases, each with the suffix that it holds, its indexes and its part in replication.
    #[serde(default)]
    #[schemars(schema_with = "options::backends")]
    pub(crate) backends: Vec<Map<String, Value>>,
}

impl InstanceSpec {
    /// Whether it says so of a backend.
    pub(crate) fn has_backend(&self, name: &str) -> bool {
        let names = self.backends.iter().filter_map(|backend| backend.get("name").and_then(Value::as_str));
        names.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The volume of an instance.
#[derive(KubeSchema, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0")
        .message("storage.size is less than it was; volumes can only grow"),
    validation = Rule::new("has(self.storageClassName) == has(oldSelf.storageClassName) && \
        (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)")
        .message("storage.storageClassName cannot be changed; make another instance")
)]
pub(crate) struct Storage {
    /// Size of the volume.
    #[serde(default = "one_gibibyte")]
    pub(crate) size: Quantity,

    /// Class of the volume; without it, the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class_name: Option<String>,

    /// What becomes of the volume when the instance is deleted.
    #[serde(default)]
    pub(crate) when_deleted: WhenDeleted,
}

impl Default for Storage {
    fn default() -> Self {
        Self { size: one_gibibyte(), storage_class_name: None, when_deleted: WhenDeleted::default() }
    }
}

/// What becomes of a volume.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum WhenDeleted {
    /// It stays, and an instance of the same name takes it again.
    #[default]
    Retain,
    /// It is deleted with all data.
    Delete,
}

/// The administrator of an instance.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DirectoryManager {
    /// Secret with the password, in the key `password`. Without it the operator makes one, called as the instance with
    /// `-directory-manager` behind it.
    pub(crate) secret_name: String,
}

/// What becomes of what is not written.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Policy {
    /// It stays.
    #[default]
    Present,
    /// It is removed, with its data.
    Updated,
}

/// How an instance is.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InstanceStatus {
    /// The generation of the resource that all of this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,

    /// What is so and what is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::conditions")]
    pub(crate) conditions: Vec<Condition>,

    /// The name that clients and other servers know it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fqdn: Option<String>,

    /// Image of the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<String>,

    /// Version of 389 Directory Server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,

    /// Version of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent_version: Option<String>,

    /// When the certificate of the server ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_not_after: Option<Time>,

    /// With `check`: what would be done, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) planned: Vec<String>,

    /// The report of what was done last to the server, where reports are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_report: Option<LastReport>,
}

/// A report of what was done to a server.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastReport {
    /// Where it is in the store of reports, and below which path Aviary serves it.
    pub(crate) location: String,

    /// When what it tells of ended.
    pub(crate) time: Time,

    /// Whether all was done that was to be done.
    pub(crate) succeeded: bool,
}

fn yes() -> bool {
    true
}

fn one_gibibyte() -> Quantity {
    Quantity("1Gi".to_owned())
}
