//! A namespace of the cluster that KUBECONFIG leads to. It goes in the end; the definitions of the resources stay.

use std::process::{Command, Stdio};
use std::thread::park_timeout;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::process::feed;

/// How long all resources may take, and how often they are looked at.
const LONGEST: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Cluster {
    pub(super) namespace: String,
}

impl Cluster {
    /// With the definitions of the resources as this tree has them.
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let cluster = Self { namespace: format!("aviary-bench-{now}") };
        let definitions = super::process::program().arg("crd").output().expect("the operator starts");
        cluster.apply(&String::from_utf8(definitions.stdout).unwrap());
        cluster.kubectl(&["wait", "--for=condition=Established", "crd/ds389instances.ds389.aviary.dev"]);
        cluster.kubectl(&["wait", "--for=condition=Established", "crd/ds389agreements.ds389.aviary.dev"]);
        cluster.kubectl(&["create", "namespace", &cluster.namespace]);
        cluster
    }

    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("kubectl is in PATH");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "kubectl {} failed: {}", arguments.join(" "), text(&output.stderr));
        text(&output.stdout)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.args(["--namespace", &self.namespace]).args(arguments).stdin(Stdio::null());
        command
    }

    pub(super) fn apply(&self, manifest: &str) {
        let output = feed(&mut self.command(&["apply", "--server-side", "--filename", "-"]), manifest);
        assert!(output.status.success(), "kubectl apply failed: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The names of the objects of a kind that the operator has made.
    pub(super) fn made(&self, kind: &str) -> Vec<String> {
        let selector = "app.kubernetes.io/managed-by=aviary-operator";
        let names = self.kubectl(&["get", kind, "--selector", selector, "--output", "name"]);
        names.lines().filter_map(|name| Some(name.split_once('/')?.1.to_owned())).collect()
    }

    /// Objects of these names.
    pub(super) fn objects(&self, kind: &str, names: &[String]) -> Vec<Value> {
        if names.is_empty() {
            return Vec::new();
        }
        // Of one alone there would be no list.
        let arguments = ["get", kind, "--output", "jsonpath-as-json={}", "--ignore-not-found"].into_iter();
        let found = self.kubectl(&arguments.chain(names.iter().map(String::as_str)).collect::<Vec<_>>());
        let found: Vec<Value> = serde_json::from_str(&found).unwrap();
        found.into_iter().flat_map(|one| one["items"].as_array().cloned().unwrap_or_else(|| vec![one])).collect()
    }

    /// Waits until all resources of a kind say that something is so.
    pub(super) fn wait(&self, condition: &str, kind: &str) {
        let each = format!("jsonpath={{range .items[*]}}{{.status.conditions[?(@.type=='{condition}')].status}}{{'\\n'}}{{end}}");
        let end = Instant::now() + LONGEST;
        loop {
            let found = self.kubectl(&["get", kind, "--output", &each]);
            let missing = found.lines().filter(|status| *status != "True").count();
            if missing == 0 {
                return;
            }
            assert!(Instant::now() < end, "{missing} {kind} do not say {condition} after {} s", LONGEST.as_secs());
            park_timeout(LOOK);
        }
    }

    /// Waits until one says so.
    pub(super) fn until_said(&self, name: &str, condition: &str) {
        self.kubectl(&["wait", &format!("--for=condition={condition}"), &format!("dsi/{name}"), "--timeout=60s"]);
    }

    /// Milliseconds that kubectl takes to say something of one.
    pub(super) fn time_of_asking(&self, name: &str) -> f64 {
        let since = Instant::now();
        self.kubectl(&["get", &format!("dsi/{name}"), "--output", "name"]);
        since.elapsed().as_secs_f64() * 1000.0
    }

    /// Milliseconds from the deletion of an instance's Service until there is another one.
    pub(super) fn until_restored(&self, name: &str) -> f64 {
        let object = format!("service/{name}");
        let since = Instant::now();
        self.kubectl(&["delete", &object, "--wait=false"]);
        self.kubectl(&["wait", "--for=create", &object, "--timeout=60s"]);
        since.elapsed().as_secs_f64() * 1000.0
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.command(&["delete", "namespace", &self.namespace, "--wait=false"]).output();
    }
}
