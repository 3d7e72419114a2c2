//! What users say of pods and of what surrounds them: another user id, entries to begin with, Services for clients, certificates of
//! their own, and fences.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    cluster::{Namespace, succeeded},
    fleet::Operator,
};

const RESOURCE: &str = "ds389instance/own";
const SERVICE: &str = "own-clients";
/// Such as OpenShift gives to a namespace.
const USER: u64 = 1_000_660_000;

const LDIF: &str = "dn: dc=example,dc=com\nobjectClass: top\nobjectClass: domain\ndc: example\n\n\
                    dn: ou=brought,dc=example,dc=com\nobjectClass: organizationalUnit\nou: brought\n";

fn instance() -> Value {
    json!({
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance", "metadata": {"name": "own"},
        "spec": {
            "backends": [{"name": "userroot", "suffix": "dc=example,dc=com"}],
            "initialData": [{"backend": "userroot", "configMap": {"name": "entries", "key": "first.ldif"}}],
            "services": [{"name": "clients", "port": 1636, "annotations": {"team": "a"}}],
            "podTemplate": {
                "metadata": {"labels": {"team": "a"}},
                "spec": {"securityContext": {"runAsUser": USER, "runAsGroup": USER, "fsGroup": USER}},
            },
        },
    })
}

/// Whether clients of the Service, who know an authority, are shown a certificate for a host.
fn greets(namespace: &Namespace, authority: &Path, host: &str) -> bool {
    let (port, _forward) = namespace.forward(&format!("service/{SERVICE}"), 1636);
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-verify_return_error", "-verify_hostname", host, "-CAfile"])
        .arg(authority)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).contains("Verify return code: 0 (ok)")
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    succeeded(&format!("openssl {}", arguments.join(" ")), &output);
}

/// An authority of a user's own, and what it has issued for a host, as a Secret.
pub(crate) fn issue(namespace: &Namespace, folder: &Path, secret: &str, host: &str) {
    let subject = ["-subj", "/CN=authority of a user", "-addext", "basicConstraints=critical,CA:TRUE"];
    if !folder.join("ca.crt").exists() {
        let authority = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-keyout", "ca.key", "-out", "ca.crt"];
        openssl(folder, &[&authority[..], &subject].concat());
    }
    vouch(folder, host, 9);
    let file = |key: &str| format!("--from-file={}", folder.join(key).display());
    let arguments = ["create", "secret", "generic", secret, &file("tls.crt"), &file("tls.key"), &file("ca.crt")];
    namespace.kubectl(&arguments);
}

/// A certificate for a host of the authority in a folder, which ends in so many days.
pub(crate) fn vouch(folder: &Path, host: &str, days: i32) {
    openssl(folder, &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=own"]);
    fs::write(folder.join("names"), format!("subjectAltName=DNS:{host}\n")).unwrap();
    let signed = ["x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-out", "tls.crt", "-days"];
    openssl(folder, &[&signed[..], &[&days.to_string(), "-extfile", "names", "-CAcreateserial"]].concat());
}

#[test]
fn a_pod_is_what_its_user_says_and_clients_reach_it_by_names_of_their_own() {
    let operator = Operator::new("pods");
    let namespace = &operator.namespace;
    namespace.kubectl(&["create", "configmap", "entries", &format!("--from-literal=first.ldif={LDIF}")]);
    namespace.apply(&instance().to_string());
    operator.until(RESOURCE, "Ready", "True/AsItShouldBe");

    let exec = |arguments: &[&str]| namespace.kubectl(&[&["exec", "own-0", "--"], arguments].concat());
    assert_eq!(exec(&["id", "-u"]).trim(), USER.to_string());
    let pod = namespace.json(&["get", "pod", "own-0"]);
    assert_eq!((&pod["metadata"]["labels"]["team"], &pod["spec"]["securityContext"]["runAsUser"]), (&json!("a"), &json!(USER)));
    exec(&["aviary-agent", "ds389", "export", "own", "/tmp/entries.ldif", "--backend", "userroot"]);
    assert!(exec(&["cat", "/tmp/entries.ldif"]).contains("dn: ou=brought,dc=example,dc=com"));
    let policy = namespace.json(&["get", "networkpolicy", "own"]);
    assert_eq!(policy["spec"]["ingress"][1]["ports"][0]["port"], "agent");

    // The certificate names the Service.
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours.crt");
    fs::write(&ours, operator.secret("own-tls", "ca.crt")).unwrap();
    let host = |name: &str| format!("{name}.{}.svc.cluster.local", namespace.name);
    assert!(greets(namespace, &ours, &host(SERVICE)) && greets(namespace, &ours, &host("own")));

    // One that is fenced runs, and is left out.
    let ready = || {
        let slices = namespace.json(&["get", "endpointslices", "--selector", &format!("kubernetes.io/service-name={SERVICE}")]);
        slices["items"][0]["endpoints"][0]["conditions"]["ready"].clone()
    };
    let uid = || namespace.kubectl(&["get", "pod", "own-0", "--output", "jsonpath={.metadata.uid}"]);
    let before = uid();
    operator.patch(RESOURCE, &json!({"spec": {"fenced": true}}));
    operator.until(RESOURCE, "Serving", "False/Fenced");
    namespace.until("no ready endpoint", || ready() == json!(false));
    exec(&["aviary-agent", "ds389", "status"]);
    operator.patch(RESOURCE, &json!({"spec": {"fenced": false}}));
    operator.until(RESOURCE, "Ready", "True/AsItShouldBe");
    namespace.until("a ready endpoint", || ready() == json!(true));

    // A certificate of a user that is for another host is refused with that, and one that is for this one is shown.
    issue(namespace, folder.path(), "wrong", "elsewhere.example");
    operator.patch(RESOURCE, &json!({"spec": {"tls": {"secretName": "wrong"}}}));
    operator.until(RESOURCE, "Accepted", "False/Invalid");
    let message = "jsonpath={.status.conditions[?(@.type==\"Accepted\")].message}";
    let told = namespace.kubectl(&["get", RESOURCE, "--output", message]);
    assert!(told.contains("is for elsewhere.example, not for own."), "{told}");
    issue(namespace, folder.path(), "right", &host("own"));
    operator.patch(RESOURCE, &json!({"spec": {"tls": {"secretName": "right"}}}));
    let theirs = folder.path().join("ca.crt");
    namespace.until_late("the certificate of the user", || greets(namespace, &theirs, &host("own")));
    operator.until(RESOURCE, "Ready", "True/AsItShouldBe");
    assert_eq!(uid(), before, "none of this needs another pod");

    operator.patch(RESOURCE, &json!({"spec": {"services": []}}));
    namespace.until("no Service for clients", || !namespace.try_kubectl(&["get", "service", SERVICE]).status.success());
}
