//! A server that is nobody's instance receives: one made by hand, with an authority and a password of its own.

use serde_json::{Value, json};

use crate::{
    directory::manifest,
    fleet::{Operator, resource},
    ldap::Client,
    pods::issue,
};

const AGREEMENT: &str = "ds389agreement/outside";
const PASSWORD: &str = "word of the sender";
const ADMINISTRATOR: &str = "change this password";
/// Finds the entry of a certificate by its subject.
const MAPPING: &str = "certmap default default\ndefault:CmapLdapAttr nsCertSubjectDN\n";
/// As whom the sender binds by each.
const BY_PASSWORD: &str = "cn=from outside,cn=config";
const BY_CERTIFICATE: &str = "cn=sender,cn=config";

fn sender() -> Value {
    let backend = json!({"name": "userroot", "suffix": "dc=example,dc=com", "replicaRole": "supplier", "sampleEntries": true});
    resource("DS389Instance", "sender", &json!({"backends": [backend]}))
}

fn agreement(host: &str) -> Value {
    let server = json!({
        "name": "legacy", "host": host, "port": 3636, "bindDn": BY_PASSWORD, "secretName": "legacy-login",
    });
    resource("DS389Agreement", "outside", &json!({"instance": "sender", "external": [server]}))
}

/// The manifest for a directory by hand, as a consumer that lets the sender in by a password or by its certificate, and has one of an
/// authority of its own. Entries say for whom certificates are.
fn consumer(host: &str) -> String {
    let options = format!(
        "        full_machine_name: {host}\n        nsslapd_certmap_basedn: cn=config\n        tls_cert: /tls/tls.crt\n        \
         tls_key: /tls/tls.key\n        tls_ca: [/tls/ca.crt, /sender/ca.crt]\n"
    );
    let role = format!(
        "replicarole: consumer\n            replicabinddn: ['{BY_PASSWORD}', '{BY_CERTIFICATE}']\n            \
         replicacredentials: {PASSWORD}"
    );
    let mounts = "          volumeMounts:\n            - {name: tls, mountPath: /tls}\n            - {name: sender, mountPath: /sender}\n            \
                  - {name: mapping, mountPath: /etc/dirsrv/config/certmap.conf, subPath: certmap.conf}\n";
    let volumes = "      volumes:\n        - {name: tls, secret: {secretName: legacy-tls, defaultMode: 0440}}\n        \
                   - {name: sender, secret: {secretName: sender-tls, defaultMode: 0440, items: [{key: ca.crt, path: ca.crt}]}}\n        \
                   - {name: mapping, configMap: {name: mapping}}\n";
    let changed = [
        ("        nsslapd_listenhost: 127.0.0.1\n", options.as_str()),
        ("sample_entries: yes", &role),
        ("          volumeMounts:\n", mounts),
        ("      volumes:\n", volumes),
    ];
    changed.iter().fold(manifest(), |text, (part, by)| {
        assert!(text.contains(part), "{part}");
        text.replacen(part, by, 1)
    })
}

fn login(operator: &Operator, password: &str, authority: Option<&str>) {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "legacy-login"}, "stringData": {"password": password},
    });
    if let Some(authority) = authority {
        secret["stringData"]["ca.crt"] = authority.into();
    }
    operator.namespace.apply(&secret.to_string());
}

fn pair(operator: &Operator) -> Value {
    operator.namespace.json(&["get", AGREEMENT])["status"]["pairs"][0].clone()
}

#[track_caller]
fn until_state(operator: &Operator, expected: &str) {
    // A certificate gets into a pod when the kubelet brings it.
    operator.namespace.until_late(&format!("{expected} of the pair"), || {
        let pair = pair(operator);
        (&pair["source"], &pair["target"], &pair["state"]) == (&json!("sender.userroot"), &json!("legacy"), &json!(expected))
    });
}

#[test]
fn a_server_outside_of_the_namespace_receives_over_tls_and_is_filled_only_when_asked_for() {
    let operator = Operator::new("external");
    let namespace = &operator.namespace;
    let host = format!("directory.{}.svc.cluster.local", namespace.name);
    let folder = tempfile::tempdir().unwrap();
    issue(namespace, folder.path(), "legacy-tls", &host);
    let authority = std::fs::read_to_string(folder.path().join("ca.crt")).unwrap();
    namespace.kubectl(&["create", "configmap", "mapping", &format!("--from-literal=certmap.conf={MAPPING}")]);
    namespace.apply(&consumer(&host));
    namespace.kubectl(&[
        "create",
        "secret",
        "generic",
        "directory-directory-manager",
        &format!("--from-literal=password={ADMINISTRATOR}"),
    ]);
    namespace.apply(&sender().to_string());
    namespace.apply(&agreement(&host).to_string());
    operator.until(AGREEMENT, "Accepted", "False/SecretMissing");
    operator.until("ds389instance/sender", "Ready", "True/AsItShouldBe");
    namespace.until("a ready consumer", || {
        let ready = ["get", "pod", "directory-0", "--output", "jsonpath={.status.containerStatuses[0].ready}"];
        namespace.try_kubectl(&ready).stdout == b"true"
    });

    // Nobody sends to a server whose authority is not known.
    login(&operator, PASSWORD, None);
    operator.until(AGREEMENT, "Accepted", "True/AsItShouldBe");
    until_state(&operator, "Failing");

    // Nobody knows what it holds.
    login(&operator, PASSWORD, Some(&authority));
    operator.until(AGREEMENT, "Accepted", "True/AsItShouldBe");
    until_state(&operator, "OtherData");
    operator.patch(AGREEMENT, &json!({"spec": {"initialise": {"policy": "OnRequest", "requestId": "first"}}}));
    until_state(&operator, "InSync");
    let (sender, consumer) = (Client::new(&operator, "sender"), Client::new(&operator, "directory"));
    consumer.until_has("people");
    sender.add("one");
    consumer.until_has("one");
    assert_eq!(pair(&operator)["requestId"], "first");
    operator.until(AGREEMENT, "Ready", "True/AsItShouldBe");

    // The same over the other port, with TLS from the first word on.
    operator.patch(
        AGREEMENT,
        &json!({"spec": {"external": [{
            "name": "legacy", "host": host, "port": 3389, "transport": "StartTLS", "bindDn": BY_PASSWORD,
            "secretName": "legacy-login",
        }]}}),
    );
    let agreement = |attribute: &str| {
        let found = sender.ldap("ldapsearch", &["-LLL", "-b", "cn=mapping tree,cn=config", "(cn=legacy)", attribute], "");
        String::from_utf8_lossy(&found.stdout).into_owned()
    };
    let transport = || agreement("nsDS5ReplicaTransportInfo");
    namespace.until("the other transport", || transport().contains("StartTLS") || transport().contains("TLS\n"));
    sender.add("two");
    consumer.until_has("two");

    // What is wrong with the password is told, and another one in the Secret is taken.
    login(&operator, "not the word", Some(&authority));
    until_state(&operator, "Failing");
    login(&operator, PASSWORD, Some(&authority));
    sender.add("three");
    consumer.until_has("three");
    until_state(&operator, "InSync");

    // The certificate of the sender says who it is.
    let subject = format!("CN=sender.{}.svc.cluster.local", namespace.name);
    let known = format!("dn: {BY_CERTIFICATE}\nchangetype: modify\nadd: nsCertSubjectDN\nnsCertSubjectDN: {subject}\n");
    let added = consumer.ldap("ldapmodify", &[], &known);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    operator.patch(
        AGREEMENT,
        &json!({"spec": {"external": [{
            "name": "legacy", "host": host, "port": 3636, "bindMethod": "Certificate", "secretName": "legacy-login",
        }]}}),
    );
    namespace.until("the other way to bind", || agreement("nsDS5ReplicaBindMethod").contains("SSLCLIENTAUTH"));
    sender.add("four");
    consumer.until_has("four");
    until_state(&operator, "InSync");

    login(&operator, PASSWORD, Some("no certificate"));
    operator.until(AGREEMENT, "Accepted", "False/Invalid");
    login(&operator, PASSWORD, Some(&authority));
    operator.until(AGREEMENT, "Accepted", "True/AsItShouldBe");

    let told = namespace.kubectl(&["get", "dsi,dsa,sts,events,configmaps", "--output", "yaml"]);
    let log = namespace.kubectl(&["logs", "deployment/aviary-operator", "--all-pods"]);
    assert!(!told.contains(PASSWORD) && !log.contains(PASSWORD));
    namespace.kubectl(&["delete", AGREEMENT]);
    namespace.until_late("no agreement of the server", || transport().is_empty());
    operator.until("ds389instance/sender", "Ready", "True/AsItShouldBe");
}
