//! Replicated directories by resources: instances and agreements are applied together, and what is written to any supplier is read
//! everywhere.

use std::{collections::BTreeSet, time::Instant};

use serde_json::{Value, json};

use crate::{
    fleet::{Operator, sample},
    ldap::{Client, SUFFIX, unit},
};

const MESH: &str = "ds389agreement/suppliers";

pub(crate) fn pair(operator: &Operator, resource: &str, source: &str, target: &str) -> Value {
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

    restarts_come_one_at_a_time(&operator, ["supplier-1", "supplier-2", "hub-1"]);
    passwords_change_without_interruption(&operator);
    a_supplier_that_is_deleted_is_forgotten_by_all(&operator, "supplier-2", ["supplier-1", "hub-1"]);

    // No password is told anywhere.
    let password = operator.secret("hub-1-replication", "supplier-1.userroot");
    let told = namespace.kubectl(&["get", "dsi,dsa,sts,pods,events,configmaps", "--output", "yaml"]);
    let log = namespace.kubectl(&["logs", "deployment/aviary-operator", "--all-pods"]);
    assert!(password.len() >= 32 && !told.contains(&password) && !log.contains(&password));
}

/// Who loses its passwords gets others, and those who send go on.
fn passwords_change_without_interruption(operator: &Operator) {
    let namespace = &operator.namespace;
    let identities = || {
        let client = Client::new(operator, "supplier-1");
        let found =
            client.ldap("ldapsearch", &["-LLL", "-b", "cn=config", "-s", "one", "(cn=aviary supplier-2.userroot *)", "1.1"], "");
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        String::from_utf8_lossy(&found.stdout)
            .lines()
            .filter(|line| line.starts_with("dn:"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let since = || pair(operator, MESH, "supplier-2", "supplier-1")["since"].clone();
    let (before, in_sync, begun) = (identities(), since(), Instant::now());
    assert_eq!(before.len(), 1, "{before:?}");
    let password = operator.secret("supplier-1-replication", "supplier-2.userroot");
    namespace.kubectl(&["delete", "secret", "supplier-1-replication"]);
    namespace.until("another identity alone", || {
        let now = identities();
        now.len() == 1 && now != before
    });
    println!("from the loss of passwords to others: {:.1} s", begun.elapsed().as_secs_f64());
    assert_ne!(operator.secret("supplier-1-replication", "supplier-2.userroot"), password);
    Client::new(operator, "supplier-2").add("renewed");
    Client::new(operator, "supplier-1").until_has("renewed");
    let now = pair(operator, MESH, "supplier-2", "supplier-1");
    assert_eq!((&now["state"], &now["since"]), (&json!("InSync"), &in_sync), "it was in sync all the time");
}

fn until_in_sync(operator: &Operator) {
    for resource in [MESH, "ds389agreement/hubs"] {
        operator.until(resource, "InSync", "True/AsItShouldBe");
    }
}

/// Asked for all at once.
fn restarts_come_one_at_a_time(operator: &Operator, instances: [&'static str; 3]) {
    let namespace = &operator.namespace;
    let begun = Instant::now();
    let pods = || namespace.json(&["get", "pods", "--selector", "app.kubernetes.io/name=ds389"])["items"].clone();
    let ready = || {
        let pods = pods().as_array().unwrap().clone();
        let is_ready = |pod: &Value| {
            let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
            pod["metadata"]["deletionTimestamp"].is_null()
                && conditions.iter().any(|known| known["type"] == "Ready" && known["status"] == "True")
        };
        let ready = pods.iter().filter(|pod| is_ready(pod));
        ready.map(|pod| pod["metadata"]["uid"].as_str().unwrap().to_owned()).collect::<BTreeSet<String>>()
    };
    // The cluster may hear of a server that has just been filled later than others are told that it is in sync.
    namespace.until("all pods ready", || ready().len() == pods().as_array().unwrap().len());
    let (before, mut most) = (ready(), 0);
    for instance in instances {
        let patch = json!({"spec": {"restartRequestedAt": "2026-01-01T00:00:00Z"}});
        operator.patch(&format!("ds389instance/{instance}"), &patch);
    }
    let mut has_waited = false;
    for done in 1..=instances.len() {
        namespace.until(&format!("{done} restarted servers"), || {
            let now = ready();
            most = most.max(before.len() - now.len());
            has_waited |= instances.iter().any(|instance| {
                operator.condition(&format!("ds389instance/{instance}"), "Ready").as_deref() == Some("False/WaitingForTurn")
            });
            now.len() == before.len() && before.intersection(&now).count() <= before.len() - done
        });
    }
    until_in_sync(operator);
    println!("from asking for {} restarts to in sync: {:.1} s", instances.len(), begun.elapsed().as_secs_f64());
    assert!(most == 1 && has_waited, "{most} at a time");
}

/// Its agreements, and what the others know of it. What it has taken until then the others have.
fn a_supplier_that_is_deleted_is_forgotten_by_all(operator: &Operator, gone: &'static str, others: [&'static str; 2]) {
    let begun = Instant::now();
    let record = || operator.record(SUFFIX);
    let id = record()["numbers"][format!("{gone}.userroot")].as_u64().unwrap();
    let knows = |instance: &'static str| {
        let replica =
            ["-LLL", "-o", "ldif-wrap=no", "-b", "cn=mapping tree,cn=config", "(objectclass=nsds5replica)", "nsds50ruv"];
        let found = Client::new(operator, instance).ldap("ldapsearch", &replica, "");
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(text.contains("{replicageneration}"), "{instance}: {text}{}", String::from_utf8_lossy(&found.stderr));
        text.contains(&format!("{{replica {id} "))
    };
    for instance in others {
        assert!(knows(instance), "{instance} knows of {gone}");
    }
    let last: BTreeSet<String> = (0..300).map(|number| format!("last-{number}")).collect();
    let added = Client::new(operator, gone).ldap("ldapadd", &[], &last.iter().map(|name| unit(name)).collect::<String>());
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    operator.namespace.kubectl(&["delete", "ds389instance", gone]);
    operator.namespace.until("a forgotten supplier", || {
        record()["retired"].to_string().contains(&id.to_string()) && record()["gone"].is_null()
    });
    println!("from deleting a supplier to its being forgotten: {:.1} s", begun.elapsed().as_secs_f64());
    for instance in others {
        assert_eq!(Client::new(operator, instance).try_units("last-"), Some(last.clone()), "{instance}");
        assert!(!knows(instance), "{instance} knows of {gone}");
        let agreements = ["-LLL", "-b", "cn=config", "(objectclass=nsds5replicationagreement)", "cn"];
        let found = Client::new(operator, instance).ldap("ldapsearch", &agreements, "");
        assert!(found.status.success() && !String::from_utf8_lossy(&found.stdout).contains(gone), "{instance}");
    }
    until_in_sync(operator);
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
