//! An operator of one namespace, and what its resources say of themselves.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    cluster::{Namespace, chart, succeeded},
    release::install,
};

/// A sample that users begin with.
pub(crate) fn sample(name: &str) -> String {
    let path = tests::target_dir().parent().unwrap().join("deploy/samples").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A resource of the operator's.
pub(crate) fn resource(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "ds389.aviary.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Installs the definitions of the resources. Not with a release: they are the cluster's, and stay.
pub(crate) fn define() {
    let crds = chart().join("files/crds.yaml");
    let arguments = ["apply", "--server-side", "--force-conflicts", "--filename", crds.to_str().unwrap()];
    succeeded("kubectl apply of the definitions", &Command::new("kubectl").args(arguments).output().unwrap());
}

/// A condition of a resource, if it is about it as it is now.
pub(crate) fn current<'a>(resource: &'a Value, kind: &str) -> Option<&'a Value> {
    let condition = resource["status"]["conditions"].as_array()?.iter().find(|known| known["type"] == kind)?;
    (condition["observedGeneration"] == resource["metadata"]["generation"]).then_some(condition)
}

/// An operator of this namespace alone.
pub(crate) struct Operator {
    pub(crate) namespace: Namespace,
}

impl Operator {
    pub(crate) fn new(purpose: &str) -> Self {
        Self::with(purpose, &[])
    }

    /// The same with further values.
    pub(crate) fn with(purpose: &str, more: &[&str]) -> Self {
        define();
        let namespace = Namespace::new(purpose);
        let namespaces = format!("operator.namespaces={{{}}}", namespace.name);
        let values = ["reports.enabled=false", "operator.enabled=true", "operator.crds=false", &namespaces];
        install(&namespace, &[&values[..], &["operator.aggregatedRoles=false"], more].concat());
        Self { namespace }
    }

    /// A condition of a resource, such as `ds389instance/ldap-1`, that is about it as it is now, as `Status/Reason`.
    pub(crate) fn condition(&self, resource: &str, kind: &str) -> Option<String> {
        let found = self.namespace.try_kubectl(&["get", resource, "--output", "json"]);
        let resource: Value = serde_json::from_slice(&found.stdout).ok()?;
        let condition = current(&resource, kind)?;
        Some(format!("{}/{}", condition["status"].as_str().unwrap(), condition["reason"].as_str().unwrap()))
    }

    #[track_caller]
    pub(crate) fn until(&self, resource: &str, kind: &str, expected: &str) {
        let holds = || self.condition(resource, kind).as_deref() == Some(expected);
        self.namespace.until(&format!("{kind}={expected} of {resource}"), holds);
    }

    #[track_caller]
    pub(crate) fn patch(&self, resource: &str, patch: &Value) {
        self.namespace.kubectl(&["patch", resource, "--type", "merge", "--patch", &patch.to_string()]);
    }

    /// Reasons and messages of the events of resources of a kind.
    pub(crate) fn events(&self, kind: &str) -> Vec<(String, String)> {
        let events = self.namespace.json(&["get", "events.events.k8s.io"]);
        let of_kind = events["items"].as_array().unwrap().iter().filter(|event| event["regarding"]["kind"] == kind);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        of_kind.map(|event| (text(&event["reason"]), text(&event["note"]))).collect()
    }

    /// What the operator has noted of a suffix.
    pub(crate) fn record(&self, suffix: &str) -> Value {
        let map = self.namespace.json(&["get", "configmap", "aviary-ds389-suffixes"]);
        serde_json::from_str::<Value>(map["data"]["suffixes.json"].as_str().unwrap()).unwrap()[suffix].clone()
    }

    /// A key of a Secret.
    pub(crate) fn secret(&self, name: &str, key: &str) -> String {
        let path = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
        self.namespace.kubectl(&["get", "secret", name, "--output", &path])
    }
}
