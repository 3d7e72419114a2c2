//! A release that keeps the directories of all namespaces, with definitions and roles of its own, goes and comes back: the directories
//! go on meanwhile and are taken up again, and end with their namespace.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    apart::supplier,
    cluster::{Namespace, succeeded},
    fleet::{Operator, define, resource},
    ldap::{Client, SUFFIX},
    release::{RELEASE, install},
};

const MESH: &str = "ds389agreement/mesh";
const WELL: &str = "True/AsItShouldBe";

/// A release in a namespace of its own. What is the cluster's goes with it.
struct Release(Namespace);

impl Release {
    /// Has the definitions that there are belong to the release, as for one that was installed by other means.
    fn adopt(&self) {
        let namespace = format!("meta.helm.sh/release-namespace={}", self.0.name);
        let name = format!("meta.helm.sh/release-name={RELEASE}");
        for arguments in [&["annotate", &namespace, &name][..], &["label", "app.kubernetes.io/managed-by=Helm"]] {
            let definitions = ["crd/ds389instances.ds389.aviary.dev", "crd/ds389agreements.ds389.aviary.dev", "--overwrite"];
            let mut command = Command::new("kubectl");
            command.arg(arguments[0]).args(definitions).args(&arguments[1..]);
            succeeded("kubectl", &command.output().unwrap());
        }
    }

    fn install(&self) {
        install(&self.0, &["reports.enabled=false", "operator.enabled=true"]);
    }

    fn uninstall(&self) {
        self.0.helm(&["uninstall", RELEASE, "--wait", "--timeout", "120s"]);
        let operators = ["get", "pods", "--selector", "app.kubernetes.io/component=operator", "--output", "name"];
        self.0.until("no operator", || self.0.kubectl(&operators).is_empty());
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        self.0.try_helm(&["uninstall", RELEASE]);
    }
}

/// Whether somebody with a role of the cluster may do something with instances.
fn may(namespace: &Namespace, role: &str, verb: &str) -> bool {
    let user = format!("--as=system:serviceaccount:{}:{role}", namespace.name);
    namespace.try_kubectl(&["auth", "can-i", verb, "ds389instances.ds389.aviary.dev", &user]).status.success()
}

#[test]
fn directories_outlive_the_release_and_end_with_their_namespace() {
    define();
    let release = Release(Namespace::new("release"));
    release.adopt();
    release.install();
    // Of which the release was told nothing.
    let directories = Operator { namespace: Namespace::new("directories") };
    let namespace = &directories.namespace;
    for (name, has_entries) in [("a", true), ("b", false)] {
        namespace.apply(&supplier(name, has_entries).to_string());
    }
    namespace.apply(&resource("DS389Agreement", "mesh", &json!({"suffix": SUFFIX, "targets": ["*"]})).to_string());
    let until_well = || {
        for resource in ["ds389instance/a", "ds389instance/b", MESH] {
            directories.until(resource, "Ready", WELL);
        }
    };
    until_well();

    // Who may view or edit a namespace may do so with its directories.
    for role in ["view", "edit"] {
        namespace.kubectl(&["create", "serviceaccount", role]);
        let account = format!("--serviceaccount={}:{role}", namespace.name);
        namespace.kubectl(&["create", "rolebinding", role, &format!("--clusterrole={role}"), &account]);
    }
    namespace.until("roles", || may(namespace, "edit", "create") && may(namespace, "view", "list"));
    assert!(!may(namespace, "view", "create"));

    // It goes: all that runs goes on.
    let pods = || -> Vec<Value> {
        let pods = namespace.json(&["get", "pods", "--selector", "app.kubernetes.io/name=ds389"]);
        let of_pod = |pod: &Value| json!([pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"]]);
        pods["items"].as_array().unwrap().iter().map(of_pod).collect()
    };
    let before = pods();
    release.uninstall();
    let [a, b] = ["a", "b"].map(|name| Client::new(&directories, name));
    a.add("meanwhile");
    b.until_has("meanwhile");
    assert_eq!(namespace.kubectl(&["get", "dsi", "--output", "name"]).lines().count(), 2);

    // It comes back, and takes all of it up as it is.
    release.install();
    directories.patch("ds389instance/a", &json!({"spec": {"config": {"nsslapdSizelimit": 4321}}}));
    until_well();
    assert_eq!(a.setting("nsslapd-sizelimit").as_deref(), Some("4321"));
    b.add("again");
    a.until_has("again");
    assert_eq!(pods(), before, "no pod was made anew");

    // A namespace that is deleted ends, whatever its resources are at. The cluster itself comes back to it only after half of the time
    // that it gives the pods.
    namespace.kubectl(&["delete", "namespace", &namespace.name, "--wait=false"]);
    let left = || namespace.kubectl(&["get", "dsi,dsa,statefulsets,pods", "--output", "name"]);
    namespace.until_late("an empty namespace", || left().is_empty());
}
