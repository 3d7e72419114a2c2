//! A namespace of the cluster: made for one test, gone with it. kubectl and helm do the work, as they do for users.
//!
//! What is installed in it, others know.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::process::{Process, feed};

/// Images of the services and of the tests: where `tests/run e2e` put them.
pub(crate) fn image(service: &str) -> String {
    format!("{}/{service}:{}", registry(), tag())
}

/// The image of agents with the 389 DS of another release of Debian.
pub(crate) fn agent_image(release: &str) -> String {
    format!("{}-{release}", image("aviary-agent"))
}

pub(crate) fn registry() -> String {
    std::env::var("E2E_REGISTRY").unwrap_or_else(|_| "localhost".to_owned())
}

pub(crate) fn tag() -> String {
    std::env::var("E2E_TAG").unwrap_or_else(|_| env!("CARGO_PKG_VERSION").to_owned())
}

pub(crate) fn chart() -> PathBuf {
    tests::target_dir().parent().expect("target is in the tree").join("charts/aviary")
}

/// A namespace that asks of its pods what the standard `restricted` asks.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

impl Namespace {
    pub(crate) fn new(purpose: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let namespace = Self { name: format!("aviary-e2e-{purpose}-{now}") };
        namespace.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n",
            namespace.name
        ));
        namespace.until("service account", || namespace.try_kubectl(&["get", "serviceaccount", "default"]).status.success());
        namespace
    }

    /// kubectl in this namespace; its standard output.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        succeeded(&format!("kubectl {}", arguments.join(" ")), &self.try_kubectl(arguments))
    }

    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Output {
        self.command("kubectl", arguments).output().expect("kubectl is in PATH")
    }

    /// helm in this namespace; its standard output.
    #[track_caller]
    pub(crate) fn helm(&self, arguments: &[&str]) -> String {
        succeeded(&format!("helm {}", arguments.join(" ")), &self.try_helm(arguments))
    }

    pub(crate) fn try_helm(&self, arguments: &[&str]) -> Output {
        self.command("helm", arguments).output().expect("helm is in PATH")
    }

    /// A command of this namespace, not started yet.
    pub(crate) fn command(&self, program: &str, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(program);
        command.args(["--namespace", &self.name]).args(arguments).stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub(crate) fn apply(&self, manifest: &str) {
        succeeded("kubectl apply", &feed(&mut self.command("kubectl", &["apply", "--filename", "-"]), manifest));
    }

    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(&[arguments, &["--output", "json"]].concat())).unwrap()
    }

    /// Waits until something holds, for a minute.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, holds: impl FnMut() -> bool) {
        until_within(Duration::from_secs(60), what, holds);
    }

    /// The same of what has to get into files of pods, for which the kubelet takes its time.
    #[track_caller]
    pub(crate) fn until_late(&self, what: &str, holds: impl FnMut() -> bool) {
        until_within(Duration::from_secs(180), what, holds);
    }

    /// A port of this machine that leads to one pod: for set-up and single requests, as it ends with that pod.
    pub(crate) fn forward(&self, object: &str, port: u16) -> (u16, Process) {
        self.try_forward(object, port).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// The same of a pod that may not be there.
    pub(crate) fn try_forward(&self, object: &str, port: u16) -> Result<(u16, Process), String> {
        let command = self.command("kubectl", &["port-forward", object, &format!(":{port}")]);
        let process = Process::start(command, Duration::ZERO);
        let local = process.try_wait_for("a forwarded port", Duration::from_secs(30), |line| {
            line.strip_prefix("Forwarding from 127.0.0.1:")?.split(' ').next()?.parse().ok()
        });
        let local = local.map_err(|problem| format!("{problem}; output:\n{}", process.output()))?;
        Ok((local, process))
    }

    fn tell_what_is_there(&self) {
        for arguments in [
            &["get", "pods,endpointslices,pvc", "--output", "wide"][..],
            &["get", "events", "--sort-by", ".lastTimestamp"],
            &["describe", "pods"],
        ] {
            let output = self.try_kubectl(arguments);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            println!("--- kubectl {}\n{}", arguments.join(" "), lines[lines.len().saturating_sub(80)..].join("\n"));
        }
        let pods = self.try_kubectl(&["get", "pods", "--output", "name"]);
        for pod in String::from_utf8_lossy(&pods.stdout).lines() {
            let logs = self.try_kubectl(&["logs", "--all-containers", "--prefix", "--tail", "40", pod]);
            println!("--- logs of {pod}\n{}", String::from_utf8_lossy(&logs.stdout));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell_what_is_there();
        }
        let _ = Command::new("kubectl").args(["delete", "namespace", &self.name, "--wait=false"]).output();
    }
}

#[track_caller]
pub(crate) fn until_within(time: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + time;
    while !holds() {
        assert!(std::time::Instant::now() < end, "not within {} s: {what}", time.as_secs());
        std::thread::park_timeout(Duration::from_millis(200));
    }
}

#[track_caller]
pub(crate) fn succeeded(what: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what} failed: {}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
