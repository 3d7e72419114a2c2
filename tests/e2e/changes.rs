//! What users change of directories that are there: it is said before exactly as it is done, the server is restarted only where it has
//! to be, and what goes goes only where the policy says so.

use std::process::Command;

use directory::{
    options::{Change, Definition, Scope},
    version::Version,
};
use serde_json::{Value, json};
use tests::{
    options::{changeable, other},
    served::program,
};

use crate::{
    cluster::succeeded,
    fleet::{Operator, resource},
    ldap::{Client, SUFFIX},
};

const RESOURCE: &str = "ds389instance/ldap";
const MESH: &str = "ds389agreement/mesh";

fn backend(more: Value) -> Value {
    let mut backend = json!({"name": "userroot", "suffix": SUFFIX, "sampleEntries": true});
    backend.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    backend
}

/// An instance that is there.
struct There {
    operator: Operator,
}

impl There {
    /// The pod and the process of its server.
    fn running(&self) -> (String, String) {
        let namespace = &self.operator.namespace;
        let uid = namespace.kubectl(&["get", "pod", "ldap-0", "--output", "jsonpath={.metadata.uid}"]);
        (uid, namespace.kubectl(&["exec", "ldap-0", "--", "cat", "/run/ds/slapd-ldap.pid"]))
    }

    fn planned(&self) -> Vec<String> {
        let planned = self.operator.namespace.json(&["get", RESOURCE])["status"]["planned"].clone();
        planned.as_array().cloned().unwrap_or_default().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// Has it said what a change would do, and then makes the change.
    #[track_caller]
    fn make(&self, spec: &Value) -> Vec<String> {
        let before = self.running();
        let mut checked = spec.clone();
        checked["check"] = true.into();
        self.operator.patch(RESOURCE, &json!({"spec": checked}));
        self.operator.until(RESOURCE, "ConfigurationApplied", "False/WouldChange");
        let planned = self.planned();
        assert_eq!(self.running(), before, "nothing is done yet");
        self.operator.patch(RESOURCE, &json!({"spec": {"check": false}}));
        self.operator.until(RESOURCE, "Ready", "True/AsItShouldBe");
        planned
    }

    /// The same, and this was done and nothing else.
    #[track_caller]
    fn change(&self, spec: &Value) -> Vec<String> {
        let planned = self.make(spec);
        let done = planned.join("; ");
        self.operator.namespace.until(&format!("an event that tells {done}"), || {
            self.operator.events("DS389Instance").iter().any(|(reason, note)| reason == "Changed" && *note == done)
        });
        planned
    }

    fn has_suffix(&self, suffix: &str) -> bool {
        let client = Client::new(&self.operator, "ldap");
        client.ldap("ldapsearch", &["-LLL", "-b", suffix, "-s", "base", "1.1"], "").status.success()
    }

    fn has_index(&self, attribute: &str) -> bool {
        self.operator.namespace.kubectl(&["exec", "ldap-0", "--", "aviary-agent", "ds389", "facts"]).contains(attribute)
    }
}

#[test]
fn changes_are_what_was_said_of_them_and_restart_a_server_only_where_they_have_to() {
    let there = There { operator: Operator::new("changes") };
    there.operator.namespace.apply(&resource("DS389Instance", "ldap", &json!({"backends": [backend(json!({}))]})).to_string());
    there.operator.until(RESOURCE, "Ready", "True/AsItShouldBe");

    let second = json!({"name": "second", "suffix": "dc=second", "indexes": [{"name": "uid", "indexType": ["eq"]}]});
    let indexed = backend(json!({"indexes": [{"name": "roomNumber", "indexType": ["eq", "pres"]}]}));
    let before = there.running();
    let planned = there.change(&json!({
        "config": {"nsslapdSizelimit": 77, "nsslapdIdletimeout": 600, "passwordMinLength": 9},
        "backends": [indexed, second],
    }));
    assert!(planned.iter().any(|one| one.contains("nsslapd-sizelimit:77")) && planned.len() > 4, "{planned:?}");
    assert_eq!(there.running(), before, "none of this needs a restart");
    assert!(there.has_suffix("dc=second") && there.has_index("roomNumber"));

    let planned = there.change(&json!({"config": {"nsslapdDbcachesize": 134_217_728}}));
    assert!(planned.iter().any(|one| one.starts_with("Restarting")), "{planned:?}");
    let after = there.running();
    assert!(after.0 == before.0 && after.1 != before.1, "another server in the same pod");

    // What is not written any more stays, until the policy says otherwise.
    there.operator.patch(RESOURCE, &json!({"spec": {"backends": [backend(json!({}))]}}));
    there.operator.until(RESOURCE, "Ready", "True/AsItShouldBe");
    assert!(there.has_suffix("dc=second") && there.has_index("roomNumber"));
    let planned = there.change(&json!({"policy": "Updated"}));
    for part in ["Deleting backend second", "Deleting index roomNumber"] {
        assert!(planned.iter().any(|one| one.starts_with(part)), "{part}: {planned:?}");
    }
    assert!(!there.has_suffix("dc=second") && !there.has_index("roomNumber") && there.has_suffix(SUFFIX));
    assert_eq!(there.running(), after, "none of this needs a restart");

    // Names that are only thought of are in no certificate.
    let planned = there.make(&json!({"services": [{"name": "clients"}]}));
    for part in ["Creating the Service ldap-clients", "Giving the server another certificate"] {
        assert!(planned.iter().any(|one| one.starts_with(part)), "{part}: {planned:?}");
    }

    // Neither is anything done to the pod before it is to be.
    let large = json!({"resources": {"limits": {"memory": "1Gi"}}, "config": {"nsslapdDbcachesize": 419_430_400}});
    let planned = there.make(&large);
    assert!(planned.iter().any(|one| one == "Making the pod anew"), "{planned:?}");
    let larger = there.running();
    assert_ne!(larger.0, after.0);
    // The next has no room for the cache that the server has until then.
    there.make(&json!({"resources": {"limits": {"memory": "400Mi"}}, "config": {"nsslapdDbcachesize": null}}));
    assert_ne!(there.running().0, larger.0);
    assert!(there.has_suffix(SUFFIX));

    // What becomes of the volume becomes of the password that its server knows.
    let owner = || {
        let path = "jsonpath={.metadata.ownerReferences[*].name}";
        there.operator.namespace.kubectl(&["get", "secret", "ldap-directory-manager", "--output", path])
    };
    for (when, expected) in [("Delete", "ldap"), ("Retain", "")] {
        there.operator.patch(RESOURCE, &json!({"spec": {"storage": {"whenDeleted": when}}}));
        there.operator.namespace.until(&format!("a Secret that is of {expected:?}"), || owner() == expected);
    }
}

/// Other values for options, as a resource has them which is made of a file for a host.
fn config<'a>(options: impl Iterator<Item = &'a &'static Definition>) -> Value {
    let given: String = options.map(|option| format!("\n  {}: {}", option.name, other(option, (0, 0)))).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("ds389_instances:\n- name: ldap\n  rootpw: secret12{given}\n")).unwrap();
    let mut command = Command::new(program("aviary-ds389"));
    let output = command.args(["resources", "--output", "json"]).arg(file.path()).output().unwrap();
    let made: Value = serde_json::from_str(&succeeded("aviary-ds389 resources", &output)).unwrap();
    made["items"][0]["spec"]["config"].clone()
}

#[test]
fn every_option_of_an_instance_changes_and_restarts_it_once_where_it_has_to() {
    let there = There { operator: Operator::new("options") };
    there.operator.namespace.apply(&resource("DS389Instance", "ldap", &json!({"backends": [backend(json!({}))]})).to_string());
    there.operator.until(RESOURCE, "Ready", "True/AsItShouldBe");
    let version = there.operator.namespace.kubectl(&["get", RESOURCE, "--output", "jsonpath={.status.version}"]);
    let version = Version::parse(&version).unwrap();
    let all: Vec<_> = changeable(Scope::Instance, version, "bdb").filter(|option| Scope::Instance.offers(option)).collect();
    let (live, later): (Vec<_>, Vec<_>) = all.iter().partition(|option| option.change == Change::Live);
    assert!(live.len() > 50 && later.len() > 20, "{} and {}", live.len(), later.len());

    let before = there.running();
    let planned = there.make(&json!({"config": config(live.into_iter())}));
    assert_eq!(there.running(), before, "{planned:?}");

    let planned = there.make(&json!({"config": config(later.into_iter())}));
    assert_eq!(planned.iter().filter(|one| one.starts_with("Restarting")).count(), 1, "{planned:?}");
    let after = there.running();
    assert!(after.0 == before.0 && after.1 != before.1, "another server in the same pod");
    assert!(there.has_suffix(SUFFIX));
}

#[test]
fn a_backend_takes_every_part_in_replication_and_keeps_its_entries() {
    let operator = Operator::new("roles");
    let namespace = &operator.namespace;
    let instance = |name: &str, role: &str| {
        let entries = name == "fixed";
        let backend = backend(json!({"replicaRole": role, "sampleEntries": entries}));
        resource("DS389Instance", name, &json!({"backends": [backend]})).to_string()
    };
    namespace.apply(&instance("fixed", "supplier"));
    namespace.apply(&instance("changing", "consumer"));
    namespace.apply(&resource("DS389Agreement", "mesh", &json!({"suffix": SUFFIX, "targets": ["*"]})).to_string());
    operator.until(MESH, "Ready", "True/AsItShouldBe");
    let (fixed, changing) = (Client::new(&operator, "fixed"), Client::new(&operator, "changing"));
    for (number, role) in ["hub", "supplier", "hub", "consumer", "supplier", "consumer"].into_iter().enumerate() {
        namespace.apply(&instance("changing", role));
        namespace.until_late(&format!("{role} that is ready"), || {
            let is_well = |resource| operator.condition(resource, "Ready").as_deref() == Some("True/AsItShouldBe");
            is_well("ds389instance/changing") && is_well(MESH)
        });
        fixed.add(&format!("to-{role}-{number}"));
        changing.until_has(&format!("to-{role}-{number}"));
        if role == "supplier" {
            changing.add(&format!("from-{number}"));
            fixed.until_has(&format!("from-{number}"));
        }
    }
    // An agreement that somebody has made by hand.
    let replica = "cn=replica,cn=dc\\3Dexample\\2Cdc\\3Dcom,cn=mapping tree,cn=config";
    let by_hand = format!(
        "dn: cn=by hand,{replica}\nobjectClass: nsDS5ReplicationAgreement\ncn: by hand\nnsDS5ReplicaHost: nowhere.invalid\n\
         nsDS5ReplicaPort: 636\nnsDS5ReplicaTransportInfo: LDAPS\nnsDS5ReplicaBindMethod: SIMPLE\nnsDS5ReplicaBindDN: cn=nobody\n\
         nsDS5ReplicaCredentials: secret12\nnsDS5ReplicaRoot: {SUFFIX}\nnsDS5ReplicaEnabled: off\n"
    );
    let added = fixed.ldap("ldapadd", &[], &by_hand);
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let has_it = || fixed.agreements().map(|names| names.iter().any(|name| name == "by hand"));
    operator.patch("ds389instance/fixed", &json!({"spec": {"config": {"nsslapdSizelimit": 4321}}}));
    namespace.until("a change", || fixed.setting("nsslapd-sizelimit").as_deref() == Some("4321"));
    operator.until("ds389instance/fixed", "Ready", "True/AsItShouldBe");
    assert_eq!(has_it(), Some(true), "what is not listed stays");
    operator.patch("ds389instance/fixed", &json!({"spec": {"policy": "Updated"}}));
    namespace.until("what is not listed to go", || has_it() == Some(false));
    operator.until("ds389instance/fixed", "Ready", "True/AsItShouldBe");
    assert!(fixed.agreements().unwrap().iter().any(|name| name.starts_with("changing")));

    namespace.apply(&instance("changing", "None"));
    // Of the group one is left.
    let in_sync = || namespace.kubectl(&["get", MESH, "--output", "jsonpath={.status.inSync}"]);
    namespace.until("a mesh of one", || in_sync() == "0/0");
    operator.until(MESH, "Ready", "True/AsItShouldBe");
    operator.until("ds389instance/changing", "Ready", "True/AsItShouldBe");
    assert!(changing.has("from-1") && changing.has("to-hub-0"));
    changing.add("alone");
}
