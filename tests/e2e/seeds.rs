//! A directory that begins with entries of a store.

use std::{fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use crate::{
    bucket::{self, bucket},
    fleet::{Operator, resource},
    ldap::{Client, SUFFIX},
};

const RESOURCE: &str = "ds389instance/seeded";

#[test]
fn a_backend_begins_with_a_packed_file_of_a_bucket_once_that_can_be_had() {
    let operator = Operator::new("seeds");
    let namespace = &operator.namespace;
    let folder = tempfile::tempdir().unwrap();
    let mut ldif = GzEncoder::new(fs::File::create(folder.path().join("first.ldif.gz")).unwrap(), Compression::default());
    let entries = format!(
        "dn: {SUFFIX}\nobjectClass: domain\ndc: example\n\ndn: ou=seed,{SUFFIX}\nobjectClass: organizationalUnit\nou: seed\n"
    );
    ldif.write_all(entries.as_bytes()).unwrap();
    ldif.finish().unwrap();
    let url = bucket(namespace, folder.path()).replacen("/ansible?", "/ansible/first.ldif.gz?", 1);
    let credentials = |secret: &str| {
        let lines = format!("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={secret}\n", bucket::KEY);
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "seeds"}, "stringData": {"credentials": lines},
        })
    };
    namespace.apply(&credentials("not the word").to_string());
    let spec = json!({
        "backends": [{"name": "userroot", "suffix": SUFFIX}],
        "initialData": [{"backend": "userroot", "store": {"url": url, "secretName": "seeds"}}],
    });
    namespace.apply(&resource("DS389Instance", "seeded", &spec).to_string());
    // What is wrong is told, without any of it that is secret.
    operator.until(RESOURCE, "ConfigurationApplied", "False/Failed");
    let message = "jsonpath={.status.conditions[?(@.type==\"ConfigurationApplied\")].message}";
    let told = || namespace.kubectl(&["get", RESOURCE, "--output", message]);
    namespace.until("why there are no entries", || told().contains("failed to fetch the entries"));
    assert!(!told().contains("not the word"));

    namespace.apply(&credentials(bucket::SECRET).to_string());
    // The kubelet brings it, and the next attempt takes it.
    namespace
        .until_late("entries of the bucket", || operator.condition(RESOURCE, "Ready").as_deref() == Some("True/AsItShouldBe"));
    Client::new(&operator, "seeded").until_has("seed");
    let left = namespace.kubectl(&["exec", "seeded-0", "--", "ls", "/data/initial"]);
    assert_eq!(left.trim(), "", "nothing is left on the volume");
    let log = namespace.kubectl(&["logs", "seeded-0"]);
    assert!(!log.contains(bucket::SECRET) && !log.contains("not the word"));
}
