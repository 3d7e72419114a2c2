//! How an instance is reached: the Service that it is known by, those for clients, and who is let through to its pod.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        core::v1::{Service, ServicePort, ServiceSpec},
        networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec},
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use crate::{
    crd::{ClientService, DS389Instance},
    instance::{document::SECURE_PORT, names::Names},
};

/// What tells Services for clients from the one that servers know each other by: their names in the resource.
pub(crate) const SERVICE_LABEL: &str = "ds389.aviary.dev/service";
/// What namespaces are called, as the API server labels them.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";

/// The Service that the server is known by.
pub(super) fn service(names: &Names) -> Service {
    let spec = ServiceSpec {
        cluster_ip: Some("None".to_owned()),
        // Agents and other servers have to find it while it is not ready, too.
        publish_not_ready_addresses: Some(true),
        selector: Some(names.selector()),
        ports: Some(vec![port(SECURE_PORT.into(), None)]),
        ..ServiceSpec::default()
    };
    Service { metadata: names.owned(names.instance.clone()), spec: Some(spec), ..Service::default() }
}

/// Those for clients.
pub(super) fn client_services(instance: &DS389Instance, names: &Names) -> Vec<Service> {
    instance.spec.services.iter().map(|service| client_service(service, names)).collect()
}

fn client_service(wanted: &ClientService, names: &Names) -> Service {
    let mut metadata = names.owned(names.service(&wanted.name));
    let own = metadata.labels.take().unwrap_or_default();
    let mut labels: BTreeMap<String, String> = wanted.labels.clone();
    labels.extend(own);
    labels.insert(SERVICE_LABEL.to_owned(), wanted.name.clone());
    metadata.labels = Some(labels);
    metadata.annotations = (!wanted.annotations.is_empty()).then(|| wanted.annotations.clone());
    let ranges = &wanted.load_balancer_source_ranges;
    let spec = ServiceSpec {
        type_: Some(wanted.kind.name().to_owned()),
        selector: Some(names.selector()),
        ports: Some(vec![port(wanted.port, wanted.node_port)]),
        load_balancer_class: wanted.load_balancer_class.clone(),
        load_balancer_source_ranges: (!ranges.is_empty()).then(|| ranges.clone()),
        external_traffic_policy: wanted.external_traffic_policy.map(|policy| policy.name().to_owned()),
        ..ServiceSpec::default()
    };
    Service { metadata, spec: Some(spec), ..Service::default() }
}

fn port(port: i32, node_port: Option<i32>) -> ServicePort {
    ServicePort {
        name: Some("ldaps".to_owned()),
        port,
        node_port,
        target_port: Some(IntOrString::String("ldaps".to_owned())),
        ..ServicePort::default()
    }
}

/// Who is let through: everybody to the server, and to what tells how the pod is; to the agent only the operator.
pub(super) fn policy(names: &Names, own_namespace: &str) -> NetworkPolicy {
    let selector = |key: &str, value: &str| LabelSelector {
        match_labels: Some([(key.to_owned(), value.to_owned())].into()),
        ..LabelSelector::default()
    };
    let port =
        |name: &str| NetworkPolicyPort { port: Some(IntOrString::String(name.to_owned())), ..NetworkPolicyPort::default() };
    let operator = NetworkPolicyPeer {
        namespace_selector: Some(selector(NAMESPACE_LABEL, own_namespace)),
        pod_selector: Some(selector("app.kubernetes.io/component", "operator")),
        ..NetworkPolicyPeer::default()
    };
    let spec = NetworkPolicySpec {
        pod_selector: Some(LabelSelector { match_labels: Some(names.selector()), ..LabelSelector::default() }),
        policy_types: Some(vec!["Ingress".to_owned()]),
        ingress: Some(vec![
            NetworkPolicyIngressRule { ports: Some(vec![port("ldaps"), port("admin")]), from: None },
            NetworkPolicyIngressRule { ports: Some(vec![port("agent")]), from: Some(vec![operator]) },
        ]),
        ..NetworkPolicySpec::default()
    };
    NetworkPolicy { metadata: names.owned(names.instance.clone()), spec: Some(spec) }
}
