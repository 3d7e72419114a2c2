//! A release of the chart in a namespace, and what is asked of it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cluster::{Namespace, chart, registry, tag};

/// The name of every release; each has a namespace of its own.
pub(crate) const RELEASE: &str = "aviary";

/// Installs the chart with these values, or changes the release to them, and waits until all pods are ready.
#[track_caller]
pub(crate) fn install(namespace: &Namespace, values: &[&str]) {
    let chart = chart();
    let images = format!("image.registry={},image.tag={}", registry(), tag());
    let mut arguments =
        vec!["upgrade", "--install", RELEASE, chart.to_str().unwrap(), "--wait", "--timeout", "120s", "--set", &images];
    for value in values {
        arguments.extend(["--set", value]);
    }
    namespace.helm(&arguments);
}

/// Scales query and waits until the replicas are there and those that are too many are gone.
#[track_caller]
pub(crate) fn scale(namespace: &Namespace, replicas: usize) {
    namespace.kubectl(&["scale", "statefulset/aviary-query", "--replicas", &replicas.to_string()]);
    until_replicas(namespace, replicas);
}

/// Waits until so many replicas of query are there, and for so long that gateways know of them.
#[track_caller]
pub(crate) fn until_replicas(namespace: &Namespace, replicas: usize) {
    namespace.until("as many replicas of query as asked for", || {
        let set = namespace.json(&["get", "statefulset/aviary-query"]);
        let status = &set["status"];
        let all = |field: &str| status[field].as_u64().unwrap_or_default() == replicas as u64;
        status["observedGeneration"] == set["metadata"]["generation"]
            && status["updateRevision"] == status["currentRevision"]
            && all("replicas")
            && all("availableReplicas")
    });
}

/// Ends a pod without a word, and waits until another with its name is there.
#[track_caller]
pub(crate) fn kill(namespace: &Namespace, pod: &str) {
    let uid = |namespace: &Namespace| {
        let output = namespace.try_kubectl(&["get", "pod", pod, "--output", "jsonpath={.metadata.uid}"]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let before = uid(namespace);
    namespace.kubectl(&["delete", "pod", pod, "--grace-period=0", "--force", "--wait=false"]);
    namespace.until("another pod in place of the killed one", || {
        let now = uid(namespace);
        !now.is_empty() && now != before
    });
}

/// Names of the pods of a component that are not on their way out.
pub(crate) fn pods(namespace: &Namespace, component: &str) -> BTreeSet<String> {
    let pods = namespace.json(&["get", "pods", "--selector", &format!("app.kubernetes.io/component={component}")]);
    let alive = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    alive.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

/// One answer of the gateway.
pub(crate) fn get(namespace: &Namespace, target: &str) -> tests::http::Response {
    let (port, _forward) = namespace.forward("service/aviary-gateway", 80);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    tests::http::Connection::new(address).with_timeout(Duration::from_secs(30)).get(target).unwrap()
}
