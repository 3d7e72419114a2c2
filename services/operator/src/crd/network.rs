//! How an instance is reached: Services for clients, and what its certificate says.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::options;

/// A Service that leads clients to an instance while it is ready. It is called as the instance with its name behind that.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.nodePort) || self.type != 'ClusterIP'")
        .message("nodePort is given, but type is ClusterIP; only NodePort and LoadBalancer have one"),
    validation = Rule::new("(!has(self.loadBalancerClass) && !has(self.loadBalancerSourceRanges)) || self.type == 'LoadBalancer'")
        .message("loadBalancerClass and loadBalancerSourceRanges are for the type LoadBalancer")
)]
pub(crate) struct ClientService {
    /// What stands behind the name of the instance.
    #[schemars(schema_with = "options::label")]
    pub(crate) name: String,

    /// Who reaches it.
    #[serde(default, rename = "type")]
    pub(crate) kind: ServiceKind,

    /// Its port, for LDAPS.
    #[serde(default = "ldaps")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) port: i32,

    /// The port of each node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub(crate) node_port: Option<i32>,

    /// What load balancers and name servers read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,

    /// Further labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,

    /// Which of several load balancers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) load_balancer_class: Option<String>,

    /// Whom the load balancer lets through, as `10.0.0.0/8`; everybody without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::texts")]
    pub(crate) load_balancer_source_ranges: Vec<String>,

    /// Local keeps the addresses of clients, and uses only nodes with the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external_traffic_policy: Option<TrafficPolicy>,
}

/// Who reaches a Service.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ServiceKind {
    /// The cluster.
    #[default]
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// Also whoever reaches a node.
    NodePort,
    /// Also whoever reaches the load balancer that the cluster makes.
    LoadBalancer,
}

impl ServiceKind {
    /// As Services say it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// Through which nodes a Service is reached from outside.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TrafficPolicy {
    /// Each.
    Cluster,
    /// The one with the pod.
    Local,
}

impl TrafficPolicy {
    /// As Services say it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::Local => "Local",
        }
    }
}

fn ldaps() -> i32 {
    636
}

/// The certificate of an instance.
#[derive(KubeSchema, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.secretName) || !has(self.hosts)")
        .message("tls.hosts is for certificates of the operator; the one in tls.secretName names its hosts itself")
)]
pub(crate) struct Tls {
    /// Secret with a certificate of yours in `tls.crt`, its key in `tls.key`, and the certificate of its authority in `ca.crt`, as
    /// cert-manager makes them. It has to name the host of `status.fqdn`. Without it, the operator issues one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret_name: Option<String>,

    /// Further host names of the certificate that the operator issues. Those of Services are among them anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "options::hosts")]
    pub(crate) hosts: Vec<String>,
}
