//! Reports in a bucket: an S3 server in the namespace, filled with a stock client, and a release over it.

use std::path::Path;
use std::process::Command;

use crate::answers::Reports;
use crate::cluster::{Namespace, image, succeeded};
use crate::load::{self, Load};
use crate::release::{self, get, install};

pub(crate) const KEY: &str = "e2e-access";
pub(crate) const SECRET: &str = "e2e-secret-key";

/// An S3 server with these reports in it; returns the values that make a release serve them.
pub(crate) fn filled(namespace: &Namespace, reports: &Reports) -> Vec<String> {
    vec![
        format!("stores[0].url={}", bucket(namespace, reports.folder())),
        "credentials.environmentSecret=s3".to_owned(),
        // As the answers of other replicas are asked for over and over.
        "query.cache.volumeSize=1Gi".to_owned(),
        "query.cache.size=800M".to_owned(),
    ]
}

/// An S3 server with the files of a folder in it; returns the URL at which pods find that folder.
pub(crate) fn bucket(namespace: &Namespace, folder: &Path) -> String {
    serve(namespace);
    let (port, _forward) = namespace.forward("pod/s3", 7070);
    let aws = tests::target_dir().join("tools/s3/bin/aws");
    assert!(aws.exists(), "{} is missing: tests/run e2e", aws.display());
    let endpoint = format!("http://127.0.0.1:{port}");
    for arguments in [
        &["s3", "mb", "s3://ci-logs"][..],
        &["s3", "cp", "--quiet", "--recursive", folder.to_str().unwrap(), "s3://ci-logs/ansible"],
    ] {
        let output = Command::new(&aws)
            .args(["--endpoint-url", &endpoint])
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .output()
            .unwrap();
        succeeded("aws", &output);
    }
    format!("s3://ci-logs/ansible?endpoint=http://s3.{}.svc:7070&region=us-east-1", namespace.name)
}

fn serve(namespace: &Namespace) {
    namespace.apply(&format!(
        r#"
apiVersion: v1
kind: Secret
metadata: {{name: s3}}
stringData: {{AWS_ACCESS_KEY_ID: {KEY}, AWS_SECRET_ACCESS_KEY: {SECRET}}}
---
apiVersion: v1
kind: Service
metadata: {{name: s3}}
spec: {{selector: {{app: s3}}, ports: [{{port: 7070}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: s3, labels: {{app: s3}}}}
spec:
  automountServiceAccountToken: false
  securityContext: {{runAsNonRoot: true, runAsUser: 65532, fsGroup: 65532, seccompProfile: {{type: RuntimeDefault}}}}
  containers:
    - name: s3
      image: {}
      command: [/usr/bin/versitygw, --quiet, posix, --sidecar, /data/attributes, /data/buckets]
      env:
        - {{name: ROOT_ACCESS_KEY, value: {KEY}}}
        - {{name: ROOT_SECRET_KEY, value: {SECRET}}}
      readinessProbe: {{tcpSocket: {{port: 7070}}, periodSeconds: 1}}
      securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
      volumeMounts:
        - {{name: data, mountPath: /data/buckets, subPath: buckets}}
        - {{name: data, mountPath: /data/attributes, subPath: attributes}}
  volumes: [{{name: data, emptyDir: {{}}}}]
"#,
        image("aviary-e2e")
    ));
    namespace.kubectl(&["wait", "--for=condition=Ready", "pod/s3", "--timeout", "60s"]);
}

#[test]
fn a_release_over_a_bucket_answers_as_the_one_machine_command_does() {
    let namespace = Namespace::new("bucket");
    let reports = Reports::of_the_corpus();
    let answers = reports.answers();
    let values = filled(&namespace, &reports);
    install(&namespace, &values.iter().map(String::as_str).collect::<Vec<_>>());
    load::pod(&namespace);

    let mut load = Load::start(&namespace, &answers, 4, 2000);
    let phase = load.requests(&namespace, "every answer once at least", answers.len() as u64 * 5 / 4);
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);
    drop(load);

    namespace.helm(&["test", release::RELEASE]);
    let page = get(&namespace, "/demo-of-nothing/");
    assert_eq!(page.status, 404, "{}", page.text());
}
