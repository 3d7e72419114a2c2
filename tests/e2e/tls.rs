//! Who reaches query: its gateway, and nobody else, neither by the network nor by TLS.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::answers::Reports;
use crate::bucket::filled;
use crate::cluster::{Namespace, succeeded};
use crate::load::{self, Load};
use crate::release::{RELEASE, install};

#[test]
fn query_answers_its_gateway_and_nobody_else() {
    let namespace = Namespace::new("tls");
    let reports = Reports::of_the_readme();
    let answers = reports.answers();
    let folder = tempfile::tempdir().unwrap();
    certificates(&namespace, folder.path());
    let mut values = filled(&namespace, &reports);
    values.extend(
        ["tls.enabled=true", "tls.gatewaySecret=gateway-tls", "tls.querySecret=query-tls", "query.replicas=2"].map(str::to_owned),
    );
    install(&namespace, &values.iter().map(String::as_str).collect::<Vec<_>>());
    load::pod(&namespace);

    let mut load = Load::start(&namespace, &answers, 4, 400);
    let phase = load.requests(&namespace, "over mTLS", answers.len() as u64 * 2);
    assert_eq!((phase.wrong, phase.failed), (0, 0), "{:?}", phase.examples);
    drop(load);
    namespace.helm(&["test", RELEASE]);

    let replica = format!("aviary-query-0.aviary-query.{}.svc.cluster.local", namespace.name);
    assert!(load::reaches(&namespace, &format!("{replica}:8001")), "scrapers reach the admin port");
    assert!(!load::reaches(&namespace, &format!("{replica}:9090")), "a pod beside the gateway reaches query");

    // A forwarded port comes from the node, which policies do not keep out.
    let (port, _forward) = namespace.forward("pod/aviary-query-0", 9090);
    let ours = ["-cert", "gateway.crt", "-key", "gateway.key"];
    let strangers = ["-cert", "stranger.crt", "-key", "stranger.key"];
    assert!(handshake(folder.path(), port, &ours), "the gateway's certificate is taken");
    assert!(!handshake(folder.path(), port, &[]), "somebody without a certificate is let in");
    assert!(!handshake(folder.path(), port, &strangers), "a certificate of another authority is let in");
}

/// Whether the other side goes on after it has seen the certificate, or its absence: it then speaks HTTP/2 first.
fn handshake(folder: &Path, port: u16, certificate: &[&str]) -> bool {
    let mut child = Command::new("openssl")
        .args(["s_client", "-quiet", "-alpn", "h2", "-CAfile", "ca.crt", "-verify_return_error", "-connect"])
        .arg(format!("127.0.0.1:{port}"))
        .args(certificate)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is in PATH");
    let mut first = [0; 9];
    let spoke = std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut first).is_ok();
    let _ = child.kill();
    let _ = child.wait();
    // A SETTINGS frame.
    spoke && first[3] == 4
}

/// An authority, what it issued to gateway and query as Secrets in cert-manager's layout, and what another one issued.
fn certificates(namespace: &Namespace, folder: &Path) {
    let names = format!("DNS:*.aviary-query.{}.svc.cluster.local", namespace.name);
    let script = r#"
authority() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.crt"; }
issue() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$2.key" -out "$2.csr"
    openssl x509 -req -in "$2.csr" -CA "$1.crt" -CAkey "$1.key" -CAcreateserial -days 2 -out "$2.crt" -extfile <(printf '%s\n' "$3")
}
authority ca
authority other
issue ca query "$(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth' "$NAMES")"
issue ca gateway "extendedKeyUsage=clientAuth"
issue other stranger "extendedKeyUsage=clientAuth"
"#;
    let output = Command::new("bash").args(["-euc", script]).env("NAMES", names).current_dir(folder).output().unwrap();
    succeeded("openssl", &output);
    for owner in ["gateway", "query"] {
        let file = |key: &str, name: &str| format!("--from-file={key}={}", folder.join(name).display());
        let secret = format!("{owner}-tls");
        namespace.kubectl(&[
            "create",
            "secret",
            "generic",
            &secret,
            &file("tls.crt", &format!("{owner}.crt")),
            &file("tls.key", &format!("{owner}.key")),
            &file("ca.crt", "ca.crt"),
        ]);
    }
}
