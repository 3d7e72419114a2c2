//! A directory in a pod, from the manifest that users begin with: it is there, it stays whatever ends, and its data too.

use std::fs;
use std::time::Instant;

use crate::cluster::{Namespace, image};

const POD: &str = "directory-0";

/// The sample, with the images of the tests.
pub(crate) fn manifest() -> String {
    let path = tests::target_dir().parent().unwrap().join("deploy/samples/pod.yaml");
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("image: localhost/aviary-agent:"), "{text}");
    let lines = text.lines().map(|line| match line.split_once("image: ") {
        Some((start, _)) => format!("{start}image: {}\n", image("aviary-agent")),
        None => format!("{line}\n"),
    });
    lines.collect()
}

struct Directory {
    namespace: Namespace,
}

impl Directory {
    /// Runs something in the pod.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> String {
        self.namespace.kubectl(&[&["exec", POD, "--", "timeout", "60"], arguments].concat())
    }

    /// Runs a script in the pod. What it ends may end before it can say so.
    fn script(&self, script: &str) {
        let _ = self.namespace.try_kubectl(&["exec", POD, "--", "timeout", "60", "sh", "-c", script]);
    }

    fn is_ready(&self) -> bool {
        let found = self.namespace.try_kubectl(&["get", "pod", POD, "--output", "jsonpath={.status.containerStatuses[0].ready}"]);
        found.stdout == b"true"
    }

    /// The number of the server's process in the pod, if it runs.
    fn server(&self) -> Option<String> {
        let found = self.namespace.try_kubectl(&["exec", POD, "--", "cat", "/run/ds/slapd-directory.pid"]);
        found.status.success().then(|| String::from_utf8(found.stdout).unwrap().trim().to_owned())
    }

    /// All entries, as LDIF.
    fn entries(&self) -> String {
        self.run(&["aviary-agent", "ds389", "export", "directory", "/tmp/entries.ldif", "--backend", "userroot"]);
        let entries = self.run(&["cat", "/tmp/entries.ldif"]);
        self.run(&["rm", "/tmp/entries.ldif"]);
        entries
    }

    fn restarts(&self) -> String {
        self.namespace.kubectl(&["get", "pod", POD, "--output", "jsonpath={.status.containerStatuses[0].restartCount}"])
    }
}

#[test]
fn a_directory_made_by_hand_survives_its_server_its_agent_and_its_pod() {
    let directory = Directory { namespace: Namespace::new("directory") };
    let namespace = &directory.namespace;
    let begun = Instant::now();
    namespace.apply(&manifest());
    namespace.until("a ready pod", || directory.is_ready());
    println!("from apply to ready: {:.1} s", begun.elapsed().as_secs_f64());

    let facts = directory.run(&["aviary-agent", "ds389", "facts"]);
    for part in ["dc=example,dc=com", "nsslapd_dbcachesize: 67108864", "db_lib: bdb", "entry_cache_size: 33554432"] {
        assert!(facts.contains(part), "{part}: {facts}");
    }
    let before = directory.entries();
    assert!(before.contains("dn: ou=people,dc=example,dc=com"), "{before}");

    // The server is killed: the agent starts it, in the same container.
    let first = directory.server().unwrap();
    directory.script("kill -KILL $(cat /run/ds/slapd-directory.pid)");
    namespace.until("another server", || directory.server().is_some_and(|server| server != first) && directory.is_ready());

    // The agent is killed: the server goes on, and the next agent finds it.
    let second = directory.server().unwrap();
    directory.script(
        "for process in /proc/[0-9]*; do case \"$(tr '\\0' ' ' <$process/cmdline)\" in
        '/usr/bin/aviary-agent serve'*) kill -KILL ${process#/proc/} ;; esac; done",
    );
    namespace.until("another agent", || namespace.kubectl(&["logs", POD]).contains("the agent was killed; starting it again"));
    namespace.until("a ready pod", || directory.is_ready());
    assert_eq!((directory.server(), directory.restarts().as_str()), (Some(second), "0"));

    // A change of what is wanted.
    let changed = manifest().replace("        # A pod sees", "        nsslapd_sizelimit: 77\n        # A pod sees");
    namespace.apply(&changed);

    // The pod is deleted: the server stops in order, and its data is there in the next one.
    let uid = || namespace.kubectl(&["get", "pod", POD, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"]);
    let old = uid();
    namespace.kubectl(&["delete", "pod", POD]);
    namespace.until("another pod", || !uid().is_empty() && uid() != old && directory.is_ready());
    assert_eq!(directory.entries(), before);
    let logs = namespace.kubectl(&["logs", POD]);
    assert!(logs.contains("slapd started.  Listening on Loopback port 3389"), "{logs}");
    assert!(!logs.contains("Disorderly Shutdown"), "{logs}");
    namespace.until("the change", || directory.run(&["aviary-agent", "ds389", "facts"]).contains("nsslapd_sizelimit: 77"));
    for (text, what) in [(&logs, "logs"), (&facts, "facts"), (&namespace.kubectl(&["describe", "pod", POD]), "pod")] {
        assert!(!text.contains("change this password"), "the {what} tell the password");
    }
}
