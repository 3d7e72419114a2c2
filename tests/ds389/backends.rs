//! Backends and indexes of the real server.

use crate::machine::{Machine, instance};

fn backend(name: &str, lines: &str) -> String {
    instance(name, &format!(", backends: [{{name: root, suffix: 'dc=test'{lines}}}]"))
}

/// A unit that everybody may read, at a place.
async fn unit(machine: &Machine, instance: &str, name: &str, place: &str) {
    let aci = "(targetattr=\"*\")(version 3.0; acl \"all\"; allow (read, search) userdn=\"ldap:///anyone\";)";
    let attributes: [(&str, &[&str]); 4] =
        [("objectClass", &["top", "organizationalUnit"]), ("ou", &[name]), ("l", &[place]), ("aci", &[aci])];
    machine.add(instance, &format!("ou={name},dc=test"), &attributes).await;
}

#[tokio::test]
async fn an_index_that_comes_later_finds_what_was_there_before() {
    let machine = Machine::new();
    let one = backend("indexed", ", require_index: on");
    machine.apply(&one).await;
    machine
        .add("indexed", "ou=a,dc=test", &[("objectClass", &["top", "organizationalUnit"]), ("ou", &["a"]), ("l", &["Leipzig"])])
        .await;
    assert!(machine.search("indexed", "dc=test", "(l=Leipzig)").unwrap_err().contains("53"));
    let more = one.replace("require_index: on", "require_index: on, indexes: [{name: l, indextype: eq}]");
    let expected = ["Creating index l on backend root", "Indexing l of backend root"];
    assert_eq!(machine.apply(&more).await, expected);
    assert_eq!(machine.search("indexed", "dc=test", "(l=Leipzig)").unwrap(), ["ou=a,dc=test"]);
}
