//! Data that is not what the other servers have: an older copy of it that somebody restores, and data of another beginning. Nothing of
//! anybody's is lost, and what is not for a program to decide is asked for.

use serde_json::{Value, json};

use crate::{
    fleet::{Operator, resource},
    ldap::{Client, SUFFIX},
    replication::pair,
};

const MESH: &str = "ds389agreement/mesh";

/// A supplier, with entries of its own or without.
pub(crate) fn supplier(name: &str, has_entries: bool) -> Value {
    let backend = json!({"name": "userroot", "suffix": SUFFIX, "replicaRole": "supplier", "sampleEntries": has_entries});
    resource("DS389Instance", name, &json!({"backends": [backend]}))
}

fn state(operator: &Operator, source: &str, target: &str) -> Value {
    pair(operator, MESH, source, target)["state"].clone()
}

#[test]
fn an_older_copy_catches_up_and_data_of_another_beginning_is_nobodys_until_somebody_asks() {
    let operator = Operator::new("apart");
    let namespace = &operator.namespace;
    for (name, has_entries) in [("a", true), ("b", false)] {
        namespace.apply(&supplier(name, has_entries).to_string());
    }
    let mesh = resource("DS389Agreement", "mesh", &json!({"suffix": SUFFIX, "targets": ["*"]}));
    namespace.apply(&mesh.to_string());
    operator.until(MESH, "Ready", "True/AsItShouldBe");
    let [a, b] = ["a", "b"].map(|name| Client::new(&operator, name));
    let agent = |arguments: &[&str]| namespace.kubectl(&[&["exec", "b-0", "--", "aviary-agent", "ds389"], arguments].concat());

    // An older copy of one server: what came since comes back, its own changes too, however soon it is written to again.
    b.add("before");
    a.until_has("before");
    agent(&["backup", "b", "/data/backup"]);
    a.add("since-a");
    b.add("since-b");
    a.until_has("since-b");
    b.until_has("since-a");
    agent(&["restore", "b", "/data/backup", "--yes"]);
    namespace.until("b to take changes again", || b.try_add("newer").is_ok_and(|added| added.status.success()));
    for name in ["before", "since-a", "since-b", "newer"] {
        b.until_has(name);
        a.until_has(name);
    }
    a.add("later-a");
    b.add("later-b");
    a.until_has("later-b");
    b.until_has("later-a");
    operator.until(MESH, "Ready", "True/AsItShouldBe");
    let record = || operator.record(SUFFIX);
    assert_eq!((&record()["numbers"]["b.userroot"], &record()["retired"]), (&json!(3), &json!([2])));
    namespace
        .until_late("the first number of b to be forgotten", || record()["restored"].is_null() && record()["gone"].is_null());

    // Data of another beginning: both keep what they have, and it is told.
    let foreign = format!(
        "dn: {SUFFIX}\nobjectClass: domain\ndc: example\n\ndn: ou=foreign,{SUFFIX}\nobjectClass: organizationalUnit\nou: foreign\n"
    );
    namespace.kubectl(&["exec", "b-0", "--", "sh", "-c", &format!("printf '%s' \"{foreign}\" >/data/foreign.ldif")]);
    agent(&["import", "b", "userroot", "/data/foreign.ldif", "--yes"]);
    for (source, target) in [("a", "b"), ("b", "a")] {
        namespace.until(&format!("other data of {source} and {target}"), || state(&operator, source, target) == "OtherData");
    }
    operator.until(MESH, "InSync", "False/OtherData");
    a.add("of-a");
    b.until_has("foreign");
    assert!(!b.has("of-a") && !b.has("before") && a.has("before") && !a.has("foreign"));
    let message = "jsonpath={.status.conditions[?(@.type==\"InSync\")].message}";
    let told = namespace.kubectl(&["get", MESH, "--output", message]);
    assert!(told.contains("initialise.policy to OnRequest"), "{told}");

    // Somebody decides.
    operator.patch(MESH, &json!({"spec": {"initialise": {"policy": "OnRequest", "requestId": "a-is-right", "from": "a"}}}));
    b.until_has("of-a");
    operator.until(MESH, "Ready", "True/AsItShouldBe");
    assert!(b.has("before") && !b.has("foreign"));
    b.add("again");
    a.until_has("again");
}
