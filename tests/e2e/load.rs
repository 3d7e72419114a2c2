//! The load client in a pod of the cluster, held by a test: what it asks and how it is told is in `tests::load`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use tests::load::{Expected, Phase};

use crate::cluster::{Namespace, image, succeeded};

const POD: &str = "client";

/// A load that goes on until it is dropped.
pub(crate) struct Load {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

/// A pod that has the client and waits for `kubectl exec`.
pub(crate) fn pod(namespace: &Namespace) {
    namespace.apply(&format!(
        r#"
apiVersion: v1
kind: Pod
metadata: {{name: {POD}}}
spec:
  automountServiceAccountToken: false
  securityContext: {{runAsNonRoot: true, runAsUser: 65532, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
    - name: client
      image: {}
      command: [/usr/bin/e2e-client, wait]
      securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
"#,
        image("aviary-e2e")
    ));
    namespace.kubectl(&["wait", "--for=condition=Ready", "pod/client", "--timeout", "60s"]);
}

/// Whether a TCP connection to this address can be made out of the client's pod.
pub(crate) fn reaches(namespace: &Namespace, address: &str) -> bool {
    let output = namespace.try_kubectl(&["exec", POD, "--", "/usr/bin/e2e-client", "reach", address]);
    succeeded("the client", &output).trim() == "reached"
}

impl Load {
    /// Asks the gateway's Service, through so many connections and so often in a second.
    pub(crate) fn start(namespace: &Namespace, wanted: &[Expected], connections: u32, per_second: u32) -> Self {
        let (connections, per_second) = (connections.to_string(), per_second.to_string());
        let command = ["exec", "--stdin", POD, "--", "/usr/bin/e2e-client", "aviary-gateway:80", &connections, &per_second];
        let mut child = namespace
            .command("kubectl", &command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("kubectl is in PATH");
        let mut stdin = child.stdin.take().unwrap();
        let lines: String = wanted.iter().map(|wanted| format!("{wanted}\n")).collect();
        stdin.write_all(lines.as_bytes()).unwrap();
        stdin.write_all(b"\n").unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin: Some(stdin), lines }
    }

    /// What happened since the mark before this one.
    #[track_caller]
    pub(crate) fn mark(&mut self, name: &str) -> Phase {
        let phase = self.since(name);
        tell(name, &phase);
        phase
    }

    fn since(&mut self, name: &str) -> Phase {
        writeln!(self.stdin.as_mut().unwrap(), "{name}").unwrap();
        let line = self.lines.next().expect("the client has ended").unwrap();
        let phase: BTreeMap<String, Phase> = serde_json::from_str(&line).unwrap();
        phase[name].clone()
    }

    /// Goes on until so many more requests have been answered than at the mark before, and marks.
    #[track_caller]
    pub(crate) fn requests(&mut self, namespace: &Namespace, name: &str, least: u64) -> Phase {
        let mut sum = Phase::default();
        namespace.until("requests of the load", || {
            let phase = self.since(name);
            sum.requests += phase.requests;
            sum.failed += phase.failed;
            sum.wrong += phase.wrong;
            sum.slowest_ms = sum.slowest_ms.max(phase.slowest_ms);
            sum.examples.extend(phase.examples);
            sum.requests >= least
        });
        tell(name, &sum);
        sum
    }
}

/// For those who read what a test printed.
fn tell(name: &str, phase: &Phase) {
    let Phase { requests, failed, wrong, slowest_ms, examples } = phase;
    println!("{name}: {requests} requests, {failed} failed, {wrong} wrong, slowest {slowest_ms} ms {examples:?}");
}

impl Drop for Load {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
