//! Directories by resources: the operator makes a server of a DS389Instance, changes it as the resource changes, tells how it is,
//! and leaves it running whatever becomes of the operator itself.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cluster::{Namespace, succeeded},
    release::install,
};

const INSTANCE: &str = "ldap-1";
const POD: &str = "ldap-1-0";
const OPERATOR: &str = "deployment/aviary-operator";

fn tree() -> std::path::PathBuf {
    tests::target_dir().parent().unwrap().to_owned()
}

/// An operator of this namespace alone, and the instance of the sample in it.
struct Fleet {
    namespace: Namespace,
}

impl Fleet {
    fn new() -> Self {
        let crds = tree().join("charts/aviary/files/crds.yaml");
        // Not with the release: they are the cluster's, and stay.
        let arguments = ["apply", "--server-side", "--force-conflicts", "--filename", crds.to_str().unwrap()];
        succeeded("kubectl apply of the definitions", &Command::new("kubectl").args(arguments).output().unwrap());
        let namespace = Namespace::new("instances");
        let namespaces = format!("operator.namespaces={{{}}}", namespace.name);
        let values = ["reports.enabled=false", "operator.enabled=true", "operator.crds=false", &namespaces];
        install(&namespace, &[&values[..], &["operator.aggregatedRoles=false"]].concat());
        Self { namespace }
    }

    fn sample() -> String {
        fs::read_to_string(tree().join("deploy/samples/instance.yaml")).unwrap()
    }

    fn resource(&self) -> Value {
        self.namespace.json(&["get", "ds389instance", INSTANCE])
    }

    /// A condition that is about the resource as it is now, as `Status/Reason`.
    fn condition(&self, kind: &str) -> Option<String> {
        let found = self.namespace.try_kubectl(&["get", "ds389instance", INSTANCE, "--output", "json"]);
        let resource: Value = serde_json::from_slice(&found.stdout).ok()?;
        let condition = resource["status"]["conditions"].as_array()?.iter().find(|known| known["type"] == kind)?.clone();
        let is_current = condition["observedGeneration"] == resource["metadata"]["generation"];
        is_current.then(|| format!("{}/{}", condition["status"].as_str().unwrap(), condition["reason"].as_str().unwrap()))
    }

    #[track_caller]
    fn until(&self, kind: &str, expected: &str) {
        self.namespace.until(&format!("{kind}={expected}"), || self.condition(kind).as_deref() == Some(expected));
    }

    #[track_caller]
    fn until_ready(&self) -> Duration {
        let begun = Instant::now();
        self.until("Ready", "True/AsItShouldBe");
        begun.elapsed()
    }

    #[track_caller]
    fn patch(&self, patch: &Value) {
        self.namespace.kubectl(&["patch", "ds389instance", INSTANCE, "--type", "merge", "--patch", &patch.to_string()]);
    }

    /// Runs something in the pod.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        self.namespace.kubectl(&[&["exec", POD, "--", "timeout", "60"], arguments].concat())
    }

    fn facts(&self) -> String {
        self.run(&["aviary-agent", "ds389", "facts"])
    }

    fn pod(&self) -> String {
        self.namespace.kubectl(&["get", "pod", POD, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"])
    }

    /// Deletes the pod, and waits for the next one.
    fn replace_pod(&self) {
        let before = self.pod();
        self.namespace.kubectl(&["delete", "pod", POD]);
        self.namespace.until("another pod", || !self.pod().is_empty() && self.pod() != before);
    }

    fn is_pod_ready(&self) -> bool {
        let path = "jsonpath={.status.containerStatuses[0].ready}";
        self.namespace.try_kubectl(&["get", "pod", POD, "--output", path]).stdout == b"true"
    }

    fn password(&self) -> String {
        let secret = self.namespace.json(&["get", "secret", "ldap-1-directory-manager"]);
        let mut decode = Command::new("base64")
            .arg("-d")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        use std::io::Write as _;
        decode.stdin.take().unwrap().write_all(secret["data"]["password"].as_str().unwrap().as_bytes()).unwrap();
        String::from_utf8(decode.wait_with_output().unwrap().stdout).unwrap()
    }

    /// Reasons and messages of the instance's events.
    fn events(&self) -> Vec<(String, String)> {
        let events = self.namespace.json(&["get", "events.events.k8s.io"]);
        let of_instance =
            events["items"].as_array().unwrap().iter().filter(|event| event["regarding"]["kind"] == "DS389Instance");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        of_instance.map(|event| (text(&event["reason"]), text(&event["note"]))).collect()
    }

    #[track_caller]
    fn until_event(&self, reason: &str, part: &str) {
        let is_there = || self.events().iter().any(|(known, note)| known == reason && note.contains(part));
        self.namespace.until(&format!("an event {reason} with {part}"), is_there);
    }

    /// What the server shows to a client that knows the authority and the name.
    fn greets_over_tls(&self) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.crt");
        let path = "go-template={{index .data \"ca.crt\" | base64decode}}";
        fs::write(&authority, self.namespace.kubectl(&["get", "secret", "ldap-1-tls", "--output", path])).unwrap();
        let (port, _forward) = self.namespace.forward(&format!("pod/{POD}"), 3636);
        let name = format!("{INSTANCE}.{}.svc.cluster.local", self.namespace.name);
        let output = Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-verify_return_error", "-verify_hostname", &name])
            .args(["-CAfile", authority.to_str().unwrap()])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("Verify return code: 0 (ok)")
    }
}

#[test]
fn an_instance_is_made_changed_and_kept_as_its_resource_says() {
    let fleet = Fleet::new();
    let namespace = &fleet.namespace;

    let begun = Instant::now();
    namespace.apply(&Fleet::sample());
    fleet.until_ready();
    println!("from apply to ready: {:.1} s", begun.elapsed().as_secs_f64());
    fleet.until_event("CertificateIssued", INSTANCE);
    assert!(fleet.greets_over_tls());
    let facts = fleet.facts();
    for part in ["dc=example,dc=com", "nsslapd_sizelimit: 2000", "db_lib: bdb", "roomNumber", "full_machine_name: ldap-1."] {
        assert!(facts.contains(part), "{part}: {facts}");
    }
    let table = namespace.kubectl(&["get", "dsi"]);
    assert!(table.contains("ldap-1   True    AsItShouldBe   3."), "{table}");

    // A change is carried out at once, by the same pod.
    let pod = fleet.pod();
    let changed = Instant::now();
    fleet.patch(&json!({"spec": {"config": {"nsslapdSizelimit": 77}}}));
    fleet.until_ready();
    println!("from change to ready: {:.1} s", changed.elapsed().as_secs_f64());
    assert!(fleet.facts().contains("nsslapd_sizelimit: 77"));
    fleet.until_event("Changed", "nsslapd-sizelimit:77");

    // What would be done is said, and nothing is.
    fleet.patch(&json!({"spec": {"check": true, "config": {"nsslapdSizelimit": 78}}}));
    fleet.until("Ready", "False/WouldChange");
    let planned = fleet.resource()["status"]["planned"].clone();
    assert_eq!(planned, json!(["Set nsslapd-sizelimit:78 in cn=config"]));
    assert!(fleet.facts().contains("nsslapd_sizelimit: 77"));
    fleet.patch(&json!({"spec": {"check": false}}));
    fleet.until_ready();
    fleet.until_event("Changed", planned[0].as_str().unwrap());

    // What cannot be is refused with its reason, and the server goes on.
    let good = fleet.resource()["spec"]["backends"].clone();
    let mut bad = good.clone();
    bad.as_array_mut().unwrap().push(json!({"name": "other", "suffix": "no name"}));
    fleet.patch(&json!({"spec": {"backends": bad}}));
    fleet.until("Accepted", "False/Invalid");
    fleet.until_event("Invalid", "suffix");
    assert_eq!(fleet.condition("Serving").as_deref(), Some("True/AsItShouldBe"));
    fleet.patch(&json!({"spec": {"backends": good}}));
    fleet.until_ready();
    assert_eq!(fleet.pod(), pod, "none of this needs another pod");

    // One that does not run is told so.
    fleet.patch(&json!({"spec": {"started": false}}));
    fleet.until("Ready", "False/Stopped");
    fleet.patch(&json!({"spec": {"started": true}}));
    fleet.until_ready();

    // A restart takes another pod, where the new one may run.
    let scheduling = json!({"nodeSelector": {"kubernetes.io/os": "linux"}});
    fleet.patch(&json!({"spec": {"scheduling": scheduling, "restartRequestedAt": "2026-01-01T00:00:00Z"}}));
    namespace.until("another pod", || !fleet.pod().is_empty() && fleet.pod() != pod);
    fleet.until_ready();
    fleet.until_event("PodReplaced", "made anew");
    assert_eq!(namespace.json(&["get", "pod", POD])["spec"]["nodeSelector"], scheduling["nodeSelector"]);

    // What is somebody else's is left alone.
    namespace.kubectl(&["create", "service", "clusterip", "taken", "--tcp", "389"]);
    namespace.apply(&Fleet::sample().replace("name: ldap-1", "name: taken"));
    let reason = "jsonpath={.status.conditions[?(@.type==\"Accepted\")].reason}";
    namespace.until("a name that is taken", || {
        namespace.kubectl(&["get", "ds389instance", "taken", "--output", reason]) == "NameTaken"
    });
    let ports = "jsonpath={.spec.ports[*].port}";
    assert_eq!(namespace.kubectl(&["get", "service", "taken", "--output", ports]), "389");

    // No secret is told anywhere.
    let password = fleet.password();
    assert!(password.len() >= 32, "{}", password.len());
    let logs = [fleet.namespace.kubectl(&["logs", POD]), namespace.kubectl(&["logs", OPERATOR, "--all-pods"])].concat();
    let told = [namespace.kubectl(&["get", "dsi,sts,pods,events", "--output", "yaml"]), logs].concat();
    assert!(!told.contains(&password));
}

#[test]
fn directories_go_on_without_the_operator_and_are_taken_up_again() {
    let fleet = Fleet::new();
    let namespace = &fleet.namespace;
    namespace.apply(&Fleet::sample());
    fleet.until_ready();
    let export = || {
        fleet.run(&["aviary-agent", "ds389", "export", INSTANCE, "/tmp/entries.ldif", "--backend", "userroot"]);
        let entries = fleet.run(&["cat", "/tmp/entries.ldif"]);
        fleet.run(&["rm", "/tmp/entries.ldif"]);
        entries
    };
    let before = export();
    assert!(before.contains("dn: ou=people,dc=example,dc=com"), "{before}");

    // Without any operator a pod comes up by itself.
    namespace.kubectl(&["scale", OPERATOR, "--replicas", "0"]);
    let operators = "app.kubernetes.io/component=operator";
    namespace.until("no operator", || namespace.kubectl(&["get", "pods", "--selector", operators]).is_empty());
    fleet.replace_pod();
    namespace.until("a ready pod", || fleet.is_pod_ready());
    assert_eq!(export(), before);

    // Operators that come back leave it as it is; when the one that leads is killed, the other one goes on.
    let pod = fleet.pod();
    namespace.kubectl(&["scale", OPERATOR, "--replicas", "2"]);
    namespace.kubectl(&["rollout", "status", OPERATOR, "--timeout", "60s"]);
    let holder = || {
        let path = "jsonpath={.spec.holderIdentity}";
        namespace.kubectl(&["get", "lease", "aviary-operator", "--output", path])
    };
    let listed = || namespace.kubectl(&["get", "pods", "--selector", operators, "--output", "name"]);
    namespace.until("a leader", || !holder().is_empty() && listed().contains(&holder()));
    namespace.kubectl(&["delete", "pod", &holder(), "--grace-period=0", "--force"]);
    let killed = Instant::now();
    fleet.patch(&json!({"spec": {"config": {"nsslapdSizelimit": 79}}}));
    fleet.until_ready();
    println!("from the kill of the leader to a change by the other: {:.1} s", killed.elapsed().as_secs_f64());
    assert!(fleet.facts().contains("nsslapd_sizelimit: 79"));
    assert_eq!(fleet.pod(), pod);

    // A deleted instance leaves its volume and its password, and one of the same name takes both up again.
    let password = fleet.password();
    namespace.kubectl(&["delete", "ds389instance", INSTANCE]);
    namespace.until("no pod", || fleet.pod().is_empty());
    namespace.apply(&Fleet::sample());
    fleet.until_ready();
    assert_eq!((export(), fleet.password()), (before, password));
}
