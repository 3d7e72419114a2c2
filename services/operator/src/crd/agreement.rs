//! The resource of agreements: who sends updates to whom.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ExternalServer, options};

/// Who sends updates to whom: each pair of a backend that sends and one that receives gets an agreement of 389 Directory Server.
#[derive(CustomResource, KubeSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "ds389.aviary.dev",
    version = "v1alpha1",
    kind = "DS389Agreement",
    plural = "ds389agreements",
    singular = "ds389agreement",
    shortname = "dsa",
    category = "ds389",
    namespaced,
    status = "AgreementStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Who sends updates to whom: each pair of a backend that sends and one that receives gets an agreement of 389 Directory Server.",
    validation = Rule::new("has(self.spec.instance) || has(self.spec.suffix)")
        .message("nothing says who sends: give spec.instance, or spec.suffix for each supplier and hub of it"),
    validation = Rule::new("(has(self.spec.targets) && size(self.spec.targets) > 0) || (has(self.spec.external) && size(self.spec.external) > 0)")
        .message("nothing says who receives: give spec.targets, or spec.external for servers outside of the namespace"),
    validation = Rule::new("!has(self.spec.backend) || has(self.spec.instance)")
        .message("spec.backend is one of an instance: give spec.instance too"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "In Sync", type_ = "string", json_path = ".status.inSync"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgreementSpec {
    /// Instance that sends; `*` stands for a name or a part of one. Without it, every supplier and hub of the suffix does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,

    /// Backend of the instance that sends. Without it, each of its suppliers and hubs does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<String>,

    /// Suffix that is sent. Without it, that of each backend that sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suffix: Option<String>,

    /// Who receives: names of instances, of backends, or of both with a dot between them; `*` stands for a name or a part of
    /// one. Of these, the backends of the same suffix that have a part in replication, but the one that sends, receive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::targets")]
    pub(crate) targets: Vec<String>,

    /// Servers outside of the namespace that receive. What they hold is not looked at: they are given all entries only when
    /// initialise.policy is OnRequest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::external")]
    pub(crate) external: Vec<ExternalServer>,

    /// With true, nothing is sent until this is false again.
    #[serde(default)]
    pub(crate) paused: bool,

    /// When updates are sent: `HHMM-HHMM` and days from 0, Sunday, to 6. Always, if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::texts")]
    pub(crate) schedule: Vec<String>,

    /// Attributes that are not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::texts")]
    pub(crate) excluded_attributes: Vec<String>,

    /// Whether who receives is given all entries.
    #[serde(default)]
    pub(crate) initialise: Initialise,

    /// Other options of the agreements.
    #[serde(default)]
    #[schemars(schema_with = "options::agreement")]
    pub(crate) config: Map<String, Value>,
}

/// Whether who receives is given all entries. What it held before is lost.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.policy != 'OnRequest' || has(self.requestId)")
        .message("initialise.policy is OnRequest: give initialise.requestId, a word that you have not used before")
)]
pub(crate) struct Initialise {
    /// When.
    #[serde(default)]
    pub(crate) policy: InitialisePolicy,

    /// With OnRequest: a word. Each other word than before has it done once, whatever those who receive at that time hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "options::word")]
    pub(crate) request_id: Option<String>,

    /// With OnRequest: the instance whose entries replace those of others. It is needed where several send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "options::word")]
    pub(crate) from: Option<String>,
}

/// When who receives is given all entries.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum InitialisePolicy {
    /// When it holds none below the root of the suffix.
    #[default]
    IfEmpty,
    /// Not by the operator.
    Never,
    /// When it holds none, and once for each requestId whatever it holds.
    OnRequest,
}

/// How the agreements are.
#[derive(JsonSchema, Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgreementStatus {
    /// The generation of the resource that all of this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,

    /// What is so and what is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::conditions")]
    pub(crate) conditions: Vec<Condition>,

    /// How many of the pairs are in sync, of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) in_sync: Option<String>,

    /// Each pair of who sends and who receives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::pairs")]
    pub(crate) pairs: Vec<PairStatus>,
}

/// How one pair is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PairStatus {
    /// Who sends: instance and backend.
    pub(crate) source: String,
    /// Who receives: the same, or the name of an external server.
    pub(crate) target: String,
    /// How it is, in a word.
    pub(crate) state: String,
    /// Since when that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Time>,
    /// What the server says, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The request to initialise that was met last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}
