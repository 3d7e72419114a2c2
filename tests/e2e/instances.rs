//! Directories by resources: the operator makes a server of a DS389Instance, changes it as the resource changes, tells how it is,
//! and leaves it running whatever becomes of the operator itself.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cluster::Namespace,
    fleet::{Operator, define, sample},
    release::{get, install},
};

const INSTANCE: &str = "ldap-1";
const RESOURCE: &str = "ds389instance/ldap-1";
const POD: &str = "ldap-1-0";
const OPERATOR: &str = "deployment/aviary-operator";

/// The instance of the sample, and the operator that keeps it.
struct Fleet {
    operator: Operator,
}

impl Fleet {
    fn new() -> Self {
        Self { operator: Operator::new("instances") }
    }

    /// One whose operator puts reports where the release serves them.
    fn with_reports() -> Self {
        define();
        let namespace = Namespace::new("reports");
        let namespaces = format!("operator.namespaces={{{}}}", namespace.name);
        let values = ["operator.enabled=true", "operator.crds=false", "operator.aggregatedRoles=false", &namespaces];
        let reports = ["operator.replicas=1", "operator.reports.volume=true", "operator.reports.kept=2"];
        install(&namespace, &[&values[..], &reports].concat());
        Self { operator: Operator { namespace } }
    }

    /// The last report, once it is another one than `before`.
    #[track_caller]
    fn until_reported(&self, before: &Value) -> Value {
        let last = || self.resource()["status"]["lastReport"].clone();
        self.namespace().until("another report", || !last().is_null() && last() != *before);
        last()
    }

    fn namespace(&self) -> &Namespace {
        &self.operator.namespace
    }

    fn resource(&self) -> Value {
        self.namespace().json(&["get", "ds389instance", INSTANCE])
    }

    fn condition(&self, kind: &str) -> Option<String> {
        self.operator.condition(RESOURCE, kind)
    }

    #[track_caller]
    fn until(&self, kind: &str, expected: &str) {
        self.operator.until(RESOURCE, kind, expected);
    }

    #[track_caller]
    fn until_ready(&self) -> Duration {
        let begun = Instant::now();
        self.until("Ready", "True/AsItShouldBe");
        begun.elapsed()
    }

    #[track_caller]
    fn patch(&self, patch: &Value) {
        self.operator.patch(RESOURCE, patch);
    }

    /// Runs something in the pod.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        self.namespace().kubectl(&[&["exec", POD, "--", "timeout", "60"], arguments].concat())
    }

    fn facts(&self) -> String {
        self.run(&["aviary-agent", "ds389", "facts"])
    }

    fn pod(&self) -> String {
        self.namespace().kubectl(&["get", "pod", POD, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"])
    }

    /// Deletes the pod, and waits for the next one.
    fn replace_pod(&self) {
        let before = self.pod();
        self.namespace().kubectl(&["delete", "pod", POD]);
        self.namespace().until("another pod", || !self.pod().is_empty() && self.pod() != before);
    }

    fn is_pod_ready(&self) -> bool {
        let path = "jsonpath={.status.containerStatuses[0].ready}";
        self.namespace().try_kubectl(&["get", "pod", POD, "--output", path]).stdout == b"true"
    }

    fn password(&self) -> String {
        self.operator.secret("ldap-1-directory-manager", "password")
    }

    #[track_caller]
    fn until_event(&self, reason: &str, part: &str) {
        let is_there =
            || self.operator.events("DS389Instance").iter().any(|(known, note)| known == reason && note.contains(part));
        self.namespace().until(&format!("an event {reason} with {part}"), is_there);
    }

    /// What the server shows to a client that knows the authority and the name.
    fn greets_over_tls(&self) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("ca.crt");
        fs::write(&authority, self.operator.secret("ldap-1-tls", "ca.crt")).unwrap();
        let (port, _forward) = self.namespace().forward(&format!("pod/{POD}"), 3636);
        let name = format!("{INSTANCE}.{}.svc.cluster.local", self.namespace().name);
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
    let namespace = fleet.namespace();

    let begun = Instant::now();
    namespace.apply(&sample("instance.yaml"));
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
    namespace.apply(&sample("instance.yaml").replace("name: ldap-1", "name: taken"));
    let reason = "jsonpath={.status.conditions[?(@.type==\"Accepted\")].reason}";
    namespace.until("a name that is taken", || {
        namespace.kubectl(&["get", "ds389instance", "taken", "--output", reason]) == "NameTaken"
    });
    let ports = "jsonpath={.spec.ports[*].port}";
    assert_eq!(namespace.kubectl(&["get", "service", "taken", "--output", ports]), "389");

    // No secret is told anywhere.
    let password = fleet.password();
    assert!(password.len() >= 32, "{}", password.len());
    let logs = [namespace.kubectl(&["logs", POD]), namespace.kubectl(&["logs", OPERATOR, "--all-pods"])].concat();
    let told = [namespace.kubectl(&["get", "dsi,sts,pods,events", "--output", "yaml"]), logs].concat();
    assert!(!told.contains(&password));
}

#[test]
fn directories_go_on_without_the_operator_and_are_taken_up_again() {
    let fleet = Fleet::new();
    let namespace = fleet.namespace();
    namespace.apply(&sample("instance.yaml"));
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
    namespace.apply(&sample("instance.yaml"));
    fleet.until_ready();
    assert_eq!((export(), fleet.password()), (before, password));
}

#[test]
fn what_was_done_to_a_directory_is_served_as_a_report() {
    let fleet = Fleet::with_reports();
    let namespace = fleet.namespace();
    namespace.apply(&sample("instance.yaml"));
    fleet.until_ready();
    let first = fleet.until_reported(&Value::Null);
    assert_eq!(first["succeeded"], true, "{first}");
    let location = first["location"].as_str().unwrap();
    let expected = format!("ds389/{}/{INSTANCE}/", namespace.name);
    assert!(location.starts_with(&expected) && location.ends_with("/ara-report"), "{location}");
    fleet.until_event("Reported", location);

    let ask = |location: &str, noun: &str| get(namespace, &format!("/{location}/api/v1/{noun}?limit=1000"));
    // What was missing a moment ago may be taken to be missing for a few seconds more.
    namespace.until("the report", || ask(location, "playbooks").status == 200);
    let tasks: Value = serde_json::from_str(&ask(location, "tasks").text()).unwrap();
    let names: Vec<&str> = tasks["results"].as_array().unwrap().iter().filter_map(|task| task["name"].as_str()).collect();
    assert!(names.contains(&"Creating instance slapd-ldap-1"), "{names:?}");

    // Each change is another one, and the oldest go.
    let (mut last, mut all) = (first.clone(), vec![location.to_owned()]);
    for limit in [77, 78] {
        fleet.patch(&json!({"spec": {"config": {"nsslapdSizelimit": limit}}}));
        last = fleet.until_reported(&last);
        all.push(last["location"].as_str().unwrap().to_owned());
    }
    fleet.until_ready();
    namespace.until("the last report", || ask(&all[2], "playbooks").status == 200);
    assert_eq!(ask(&all[1], "playbooks").status, 200);
    namespace.until("no first report", || ask(&all[0], "playbooks").status == 404);
    // Nothing is left to be fetched.
    namespace.until("no report in the pod", || {
        let listed = fleet.run(&["sh", "-c", "find / -name '*-succeeded.sqlite' -o -name '*-failed.sqlite' 2>/dev/null || true"]);
        listed.trim().is_empty()
    });
    let password = fleet.password();
    let told = ["results", "files", "hosts"].map(|noun| ask(&all[2], noun).text()).concat();
    assert!(!told.contains(&password));
}
