//! Replicated directories by resources: instances and agreements are applied together, and what is written to any supplier is read
//! everywhere.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    process::{Command, Output, Stdio},
    time::Instant,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{Operator, sample};

const SUFFIX: &str = "dc=example,dc=com";
const MESH: &str = "ds389agreement/suppliers";

/// A client of one server.
struct Client<'a> {
    operator: &'a Operator,
    instance: &'static str,
    folder: TempDir,
}

impl<'a> Client<'a> {
    fn new(operator: &'a Operator, instance: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.path().join("password")).unwrap();
        file.write_all(operator.secret(&format!("{instance}-directory-manager"), "password").as_bytes()).unwrap();
        Self { operator, instance, folder }
    }

    fn ldap(&self, program: &str, arguments: &[&str], input: &str) -> Output {
        // It ends with the first client that goes.
        let (port, _forward) = self.operator.namespace.forward(&format!("pod/{}-0", self.instance), 3636);
        let mut child = Command::new(program)
            // The way to the server leads over this machine, whose name is not in the certificate.
            .env("LDAPTLS_REQCERT", "never")
            .args(["-x", "-H", &format!("ldaps://localhost:{}", port), "-D", "cn=Directory Manager", "-y"])
            .arg(self.folder.path().join("password"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Adds a unit of this name.
    #[track_caller]
    fn add(&self, name: &str) {
        let entry = format!("dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit\nou: {name}\n");
        let output = self.ldap("ldapadd", &[], &entry);
        assert!(output.status.success(), "{}: {}", self.instance, String::from_utf8_lossy(&output.stderr));
    }

    fn has(&self, name: &str) -> bool {
        let output = self.ldap("ldapsearch", &["-LLL", "-b", &format!("ou={name},{SUFFIX}"), "-s", "base", "ou"], "");
        output.status.success() && String::from_utf8_lossy(&output.stdout).contains(&format!("ou: {name}"))
    }

    #[track_caller]
    fn until_has(&self, name: &str) {
        self.operator.namespace.until(&format!("ou={name} at {}", self.instance), || self.has(name));
    }
}

fn pair(operator: &Operator, resource: &str, source: &str, target: &str) -> Value {
    let name = |instance: &str| format!("{instance}.userroot");
    let found = operator.namespace.json(&["get", resource]);
    let pairs = found["status"]["pairs"].as_array().cloned().unwrap_or_default();
    pairs.into_iter().find(|pair| pair["source"] == name(source) && pair["target"] == name(target)).unwrap_or_default()
}

#[test]
fn what_is_written_to_any_supplier_is_read_everywhere_and_a_lost_volume_is_filled_again() {
    let operator = Operator::new("replication");
    let namespace = &operator.namespace;
    let begun = Instant::now();
    namespace.apply(&sample("replication.yaml"));
    for resource in [MESH, "ds389agreement/hubs"] {
        operator.until(resource, "Ready", "True/AsItShouldBe");
    }
    println!("from apply to in sync: {:.1} s", begun.elapsed().as_secs_f64());
    for instance in ["supplier-1", "supplier-2", "hub-1", "consumer-1"] {
        operator.until(&format!("ds389instance/{instance}"), "Ready", "True/AsItShouldBe");
    }
    println!("from apply to all ready: {:.1} s", begun.elapsed().as_secs_f64());
    let table = namespace.kubectl(&["get", "dsa"]);
    assert!(table.contains("4/4") && table.contains("1/1"), "{table}");

    let all = ["supplier-1", "supplier-2", "hub-1", "consumer-1"].map(|instance| Client::new(&operator, instance));
    let [first, second, ..] = &all;
    for client in &all {
        client.until_has("people");
    }
    first.add("one");
    second.add("two");
    for client in &all {
        client.until_has("one");
        client.until_has("two");
    }

    // A new consumer is filled by itself, and by its name alone.
    let consumer = sample("replication.yaml").split("---").find(|part| part.contains("name: consumer-1")).unwrap().to_owned();
    let begun = Instant::now();
    namespace.apply(&consumer.replace("consumer-1", "consumer-2"));
    namespace.until("a pair with the new consumer", || {
        pair(&operator, "ds389agreement/hubs", "hub-1", "consumer-2")["state"] == "InSync"
    });
    println!("from apply of another consumer to in sync: {:.1} s", begun.elapsed().as_secs_f64());
    Client::new(&operator, "consumer-2").until_has("two");

    // A supplier that has lost its volume gets all back from the other one, and gives nobody its emptiness.
    drop(all);
    let lost = Instant::now();
    let pod = || namespace.kubectl(&["get", "pod", "supplier-1-0", "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"]);
    let before = pod();
    namespace.kubectl(&["delete", "pvc", "supplier-1-data", "--wait=false"]);
    namespace.kubectl(&["delete", "pod", "supplier-1-0"]);
    namespace.until("another pod", || !pod().is_empty() && pod() != before);
    namespace.until("a filled supplier", || {
        ["supplier-1", "supplier-2"]
            .into_iter()
            .all(|name| operator.condition(&format!("ds389instance/{name}"), "Ready").as_deref() == Some("True/AsItShouldBe"))
            && pair(&operator, MESH, "supplier-2", "supplier-1")["state"] == "InSync"
    });
    println!("from the loss of a volume to in sync: {:.1} s", lost.elapsed().as_secs_f64());
    let first = Client::new(&operator, "supplier-1");
    first.until_has("one");
    first.until_has("two");
    first.add("three");
    Client::new(&operator, "consumer-1").until_has("three");

    // No password is told anywhere.
    let password = operator.secret("supplier-1-replication", "password");
    let told = namespace.kubectl(&["get", "dsi,dsa,sts,pods,events,configmaps", "--output", "yaml"]);
    let log = namespace.kubectl(&["logs", "deployment/aviary-operator", "--all-pods"]);
    assert!(password.len() >= 32 && !told.contains(&password) && !log.contains(&password));
}

#[test]
fn suppliers_that_both_have_data_keep_it_until_somebody_asks() {
    let operator = Operator::new("apart");
    let namespace = &operator.namespace;
    let instance = |name: &str| {
        let backend = json!({"name": "userroot", "suffix": SUFFIX, "replicaRole": "supplier", "sampleEntries": true});
        json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance", "metadata": {"name": name},
            "spec": {"backends": [backend]},
        })
    };
    for name in ["left", "right"] {
        namespace.apply(&instance(name).to_string());
        operator.until(&format!("ds389instance/{name}"), "Ready", "True/AsItShouldBe");
    }
    let (left, right) = (Client::new(&operator, "left"), Client::new(&operator, "right"));
    left.add("of-left");
    right.add("of-right");
    let mesh = json!({
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Agreement", "metadata": {"name": "suppliers"},
        "spec": {"instance": "left", "targets": ["right"]},
    });
    namespace.apply(&mesh.to_string());
    operator.until(MESH, "InSync", "False/OtherData");
    let is_told =
        || operator.events("DS389Agreement").iter().any(|(reason, note)| reason == "OtherData" && note.contains("OnRequest"));
    namespace.until("an event OtherData", is_told);
    assert!(left.has("of-left") && right.has("of-right") && !right.has("of-left"));

    operator.patch(MESH, &json!({"spec": {"initialise": {"policy": "OnRequest", "requestId": "left-wins", "from": "left"}}}));
    operator.until(MESH, "InSync", "True/AsItShouldBe");
    assert!(right.has("of-left") && !right.has("of-right"));
    assert_eq!(operator.namespace.json(&["get", MESH])["status"]["pairs"][0]["requestId"], "left-wins");

    // What an agreement names that is not there is told, and what one says twice too.
    let mut other = mesh.clone();
    other["metadata"]["name"] = "other".into();
    other["spec"] = json!({"suffix": SUFFIX, "targets": ["*"]});
    namespace.apply(&other.to_string());
    operator.until("ds389agreement/other", "Accepted", "False/Conflict");
    operator.patch("ds389agreement/other", &json!({"spec": {"targets": ["nobody"]}}));
    operator.until("ds389agreement/other", "Accepted", "False/NotFound");
    operator.until(MESH, "InSync", "True/AsItShouldBe");
}
