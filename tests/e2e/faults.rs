//! What befalls directories, while somebody writes to them all the time and somebody else compares what the resources say with what
//! the servers do: each ends with all in sync, nothing is lost that a server has taken, and nothing untrue is said for long. On a node
//! that the tests own, for some of it is done to the node's processes.

mod fleet;
mod witness;

use std::{
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::{Value, json};

use self::fleet::{AGREEMENTS, ALL, FAR, Fleet, signal};
use crate::{
    cluster::{agent_image, image, until_within},
    fleet::{Operator, resource},
    ldap::{Client, SUFFIX, unit},
    pods::{issue, vouch},
    replication::pair,
};

const OPERATOR: &str = "deployment/aviary-operator";
const WELL: &str = "True/AsItShouldBe";

/// Lets nobody through from these pods to this one.
fn cut(to: &str, from: &str) -> Value {
    let others = json!({"matchExpressions": [{"key": "app.kubernetes.io/instance", "operator": "NotIn", "values": [from]}]});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": format!("cut-{to}")},
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/instance": to}}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": others}]}, {"ports": [{"port": "agent"}, {"port": "admin"}]}],
        },
    })
}

fn of_pods(fleet: &Fleet) {
    for arguments in [&["--wait=false"][..], &["--grace-period=0", "--force"]] {
        let before = fleet.uid("supplier-1-0");
        fleet.befalls(&format!("a pod is deleted {}", arguments.join(" ")), || {
            fleet.kubectl(&[&["delete", "pod", "supplier-1-0"], arguments].concat());
            fleet.until_another("supplier-1-0", &before);
        });
    }
    let before = fleet.processes("supplier-2-0", "ns-slapd");
    fleet.befalls("a server is killed", || {
        fleet.kill("supplier-2-0", "ns-slapd");
        fleet.operator.namespace.until_late("another server", || {
            let now = fleet.processes("supplier-2-0", "ns-slapd");
            !now.is_empty() && now != before
        });
    });
    let before = fleet.restarts("supplier-2-0");
    fleet.befalls("an agent is killed", || {
        fleet.kill("supplier-2-0", "aviary-agent");
        fleet.operator.namespace.until_late("another agent", || fleet.restarts("supplier-2-0") != before);
    });
}

#[track_caller]
fn until_no_operator(fleet: &Fleet) {
    let operators = "app.kubernetes.io/component=operator";
    fleet.operator.namespace.until("no operator", || fleet.kubectl(&["get", "pods", "--selector", operators]).is_empty());
}

fn of_operators(fleet: &Fleet) {
    let namespace = &fleet.operator.namespace;
    let before = ["supplier-1-0", "hub-1-0"].map(|pod| fleet.uid(pod));
    fleet.befalls("pods are deleted and processes killed while there is no operator", || {
        fleet.unkept(|| {
            fleet.kubectl(&["scale", OPERATOR, "--replicas", "0"]);
            until_no_operator(fleet);
            fleet.kill("supplier-2-0", "ns-slapd");
            fleet.kill("consumer-1-0", "aviary-agent");
            fleet.kubectl(&["delete", "pod", "hub-1-0", "--grace-period=0", "--force"]);
            fleet.until_another("hub-1-0", &before[1]);
            fleet.kubectl(&["delete", "pod", "supplier-1-0"]);
            fleet.until_another("supplier-1-0", &before[0]);
            let path = "jsonpath={.status.containerStatuses[0].ready}";
            namespace.until_late("a ready pod", || fleet.kubectl(&["get", "pod", "supplier-1-0", "--output", path]) == "true");
            fleet.kubectl(&["scale", OPERATOR, "--replicas", "2"]);
        })
    });
    fleet.befalls("the leader is killed while it is at something", || {
        let holder = fleet.kubectl(&["get", "lease", "aviary-operator", "--output", "jsonpath={.spec.holderIdentity}"]);
        for name in ALL {
            let patch = json!({"spec": {"config": {"nsslapdSizelimit": 4321}}});
            fleet.operator.patch(&format!("ds389instance/{name}"), &patch);
        }
        fleet.unkept(|| {
            fleet.kubectl(&["delete", "pod", &holder, "--grace-period=0", "--force"]);
        });
    });
    fleet.befalls("the API server does not answer for a minute", || {
        let servers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
        let is_it = |process: &i32| {
            let name = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            name.split(|byte| *byte == 0).next().is_some_and(|name| name.ends_with(b"kube-apiserver"))
        };
        let servers: Vec<i32> = servers.filter(is_it).collect();
        assert!(!servers.is_empty(), "the API server is no process of this machine");
        fleet.unkept(|| {
            servers.iter().for_each(|server| signal(*server, Signal::STOP));
            std::thread::sleep(Duration::from_secs(60));
            servers.iter().for_each(|server| signal(*server, Signal::CONT));
        });
    });
}

/// How much older than the last word that all is in sync a change may be that goes with a volume, as the documentation says.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(10);

fn of_volumes(fleet: &Fleet) {
    let before = fleet.uid("supplier-1-0");
    fleet.befalls("a volume is lost with its server, all at once", || {
        fleet.until_well();
        let in_sync = Instant::now();
        fleet.kubectl(&["delete", "pvc", "supplier-1-data", "--wait=false"]);
        fleet.kubectl(&["delete", "pod", "supplier-1-0", "--grace-period=0", "--force"]);
        fleet.until_another("supplier-1-0", &before);
        let lost = Instant::now();
        fleet.until_well();
        fleet.forgive(in_sync - IN_SYNC_WITHIN, lost);
    });
    let namespace = &fleet.operator.namespace;
    fleet.befalls("a volume is full until somebody makes room", || {
        // All but what the server has taken for itself.
        namespace.try_kubectl(&["exec", "consumer-1-0", "--", "sh", "-c", "dd if=/dev/zero of=/data/ballast bs=1M 2>/dev/null"]);
        let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
        let told = || fleet.kubectl(&["get", "ds389instance", "consumer-1", "--output", path]);
        namespace.until("that it is told", || told().contains("full") || told().contains("space"));
        let room = ["exec", "consumer-1-0", "--", "rm", "-f", "/data/ballast"];
        namespace.until_late("room", || namespace.try_kubectl(&room).status.success());
    });
}

fn of_networks(fleet: &Fleet) {
    let namespace = &fleet.operator.namespace;
    let state = |source: &str, target: &str| pair(&fleet.operator, AGREEMENTS[0], source, target)["state"].clone();
    fleet.befalls("two suppliers are cut off from each other", || {
        namespace.apply(&cut("supplier-1", "supplier-2").to_string());
        namespace.apply(&cut("supplier-2", "supplier-1").to_string());
        // Connections that there are may go on.
        fleet.kill("supplier-1-0", "ns-slapd");
        fleet.kill("supplier-2-0", "ns-slapd");
        for (source, target) in [("supplier-1", "supplier-2"), ("supplier-2", "supplier-1")] {
            namespace.until_late(&format!("{source} to {target} not in sync"), || {
                matches!(state(source, target).as_str(), Some("Failing" | "Behind"))
            });
        }
        assert!(AGREEMENTS.iter().any(|agreement| !fleet.is(agreement, "InSync", "True/AsItShouldBe")));
        fleet.kubectl(&["delete", "networkpolicy", "cut-supplier-1", "cut-supplier-2"]);
    });
}

fn of_what_users_do(fleet: &Fleet) {
    let namespace = &fleet.operator.namespace;
    fleet.befalls("a password for replication is changed by hand", || {
        let password = json!({"stringData": {"supplier-1.userroot": "another-password-of-somebody"}});
        fleet.operator.patch("secret/supplier-2-replication", &password);
    });
    fleet.befalls("a certificate is deleted", || {
        let before = fleet.operator.secret("supplier-2-tls", "tls.crt");
        fleet.kubectl(&["delete", "secret", "supplier-2-tls"]);
        namespace.until("another certificate", || {
            let now = namespace.try_kubectl(&["get", "secret", "supplier-2-tls"]).status.success();
            now && fleet.operator.secret("supplier-2-tls", "tls.crt") != before
        });
    });
    fleet.befalls("an image that is not there", || {
        let before = fleet.uid("consumer-1-0");
        fleet.operator.patch("ds389instance/consumer-1", &json!({"spec": {"image": "localhost/nowhere:1"}}));
        fleet.until_another("consumer-1-0", &before);
        namespace
            .until_late("a pod that does not come up", || fleet.is("ds389instance/consumer-1", "Ready", "False/PodStarting"));
        let message = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
        namespace.until_late("the kubelet's words", || {
            fleet.kubectl(&["get", "ds389instance/consumer-1", "--output", message]).contains("Image")
        });
        fleet.operator.patch("ds389instance/consumer-1", &json!({"spec": {"image": null}}));
        fleet.operator.patch("ds389instance/consumer-1", &json!({"spec": {"image": image("aviary-agent")}}));
    });
    fleet.befalls("a twin of a number, and one that is deleted while it is being filled", || {
        let record = namespace.json(&["get", "configmap", "aviary-ds389-suffixes"]);
        let records: Value = serde_json::from_str(record["data"]["suffixes.json"].as_str().unwrap()).unwrap();
        let number = &records[SUFFIX]["numbers"]["supplier-1.userroot"];
        let instance = |name: &str, more: Value| {
            let mut backend = json!({"name": "userroot", "suffix": SUFFIX, "replicaRole": "supplier"});
            backend.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let kind = json!({"apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance", "metadata": {"name": name}});
            let mut resource = kind.as_object().unwrap().clone();
            resource.insert("spec".to_owned(), json!({"backends": [backend]}));
            Value::Object(resource).to_string()
        };
        namespace.apply(&instance("twin", json!({"replicaId": number})));
        namespace.until("a conflict", || fleet.is("ds389instance/twin", "Accepted", "False/Conflict"));
        fleet.kubectl(&["delete", "ds389instance", "twin"]);
        namespace.apply(&instance("supplier-3", json!({})));
        // It stands still when it is about to be filled.
        let servers = || fleet.processes("supplier-3-0", "ns-slapd");
        let is_filled = |source: &str| pair(&fleet.operator, AGREEMENTS[0], source, "supplier-3")["state"] == "Initialising";
        namespace.until_late("one that is being filled", || {
            !servers().is_empty() && ["supplier-1", "supplier-2"].into_iter().any(is_filled)
        });
        servers().into_iter().for_each(|server| signal(server, Signal::STOP));
        fleet.kubectl(&["delete", "ds389instance", "supplier-3"]);
        let ends = ["get", "pod", "supplier-3-0", "--output", "jsonpath={.metadata.deletionTimestamp}"];
        namespace.until("a pod that is to end", || !fleet.kubectl(&ends).is_empty());
        servers().into_iter().for_each(|server| signal(server, Signal::CONT));
        namespace.until_late("no pod", || fleet.uid("supplier-3-0").is_empty());
    });
}

/// What a host's certificate is to be replaced by: another one's, one for somebody else, one that has ended.
fn of_certificates(fleet: &Fleet) {
    let (namespace, resource) = (&fleet.operator.namespace, "ds389instance/supplier-2");
    let (folder, host) = (tempfile::tempdir().unwrap(), format!("supplier-2.{}.svc.cluster.local", namespace.name));
    let ends = || namespace.kubectl(&["get", resource, "--output", "jsonpath={.status.certificateNotAfter}"]);
    let own = ends();
    fleet.befalls("a certificate of another authority", || {
        issue(namespace, folder.path(), "theirs", &host);
        fleet.operator.patch(resource, &json!({"spec": {"tls": {"secretName": "theirs"}}}));
        fleet.operator.until(resource, "Ready", "False/WaitingForTrust");
        until_within(FAR, "the certificate of the other authority", || ends() != own && fleet.is(resource, "Ready", WELL));
    });
    fleet.befalls("a certificate for another host", || {
        let theirs = ends();
        issue(namespace, folder.path(), "wrong", "elsewhere.example");
        fleet.operator.patch(resource, &json!({"spec": {"tls": {"secretName": "wrong"}}}));
        fleet.operator.until(resource, "Accepted", "False/Invalid");
        assert_eq!(ends(), theirs, "it shows what it has shown");
        let kept = || fleet.operator.secret("supplier-2-tls", "tls.crt");
        let theirs = kept();
        fleet.operator.patch(resource, &json!({"spec": {"tls": null}}));
        until_within(FAR, "a certificate of the operator's", || kept() != theirs);
    });
    fleet.befalls("a certificate that ends while there is no operator", || {
        let (authority, path) = (folder.path().join("ended"), |name: &str| folder.path().join("ended").join(name));
        fs::create_dir(&authority).unwrap();
        for (key, name) in [("tls.crt", "ca.crt"), ("tls.key", "ca.key")] {
            fs::write(path(name), fleet.operator.secret("aviary-operator-directories-ca", key)).unwrap();
        }
        vouch(&authority, &host, -1);
        let read = |name: &str| fs::read_to_string(path(name)).unwrap();
        let (ended, before) =
            (json!({"stringData": {"tls.crt": read("tls.crt"), "tls.key": read("tls.key")}}), fleet.uid("supplier-2-0"));
        fleet.unkept(|| {
            fleet.kubectl(&["scale", OPERATOR, "--replicas", "0"]);
            until_no_operator(fleet);
            fleet.operator.patch("secret/supplier-2-tls", &ended);
            fleet.kubectl(&["delete", "pod", "supplier-2-0"]);
            fleet.until_another("supplier-2-0", &before);
            let mounted = || namespace.try_kubectl(&["exec", "supplier-2-0", "--", "cat", "/etc/aviary/tls/tls.crt"]).stdout;
            namespace.until_late("the certificate that has ended", || mounted() == read("tls.crt").as_bytes());
            fleet.kubectl(&["scale", OPERATOR, "--replicas", "2"]);
        });
        namespace.until_late("another certificate", || fleet.operator.secret("supplier-2-tls", "tls.crt") != read("tls.crt"));
    });
}

/// What every pod is, which none of this should have changed.
fn pods(fleet: &Fleet) -> [(String, String); 4] {
    ALL.map(|name| format!("{name}-0")).map(|pod| (fleet.uid(&pod), fleet.restarts(&pod)))
}

fn of_upgrades(fleet: &Fleet) {
    let before = pods(fleet);
    fleet.befalls("an operator of another version, which makes new instances of another image", || {
        let default = |image: &str| fleet.kubectl(&["set", "env", OPERATOR, &format!("AVIARY_AGENT_IMAGE={image}")]);
        default("localhost/next:1");
        fleet.kubectl(&["rollout", "status", OPERATOR, "--timeout", "120s"]);
        for name in ALL {
            fleet.operator.patch(&format!("ds389instance/{name}"), &json!({"spec": {"config": {"nsslapdSizelimit": 4322}}}));
        }
        fleet.until_well();
        default(&image("aviary-agent"));
        fleet.kubectl(&["rollout", "status", OPERATOR, "--timeout", "120s"]);
    });
    assert_eq!(pods(fleet), before, "no pod restarts for it");
}

#[test]
#[ignore = "takes long, and kills processes of the node: tests/run e2e-node"]
fn whatever_befalls_a_fleet_nothing_that_was_taken_is_lost_and_nothing_untrue_is_said() {
    Fleet::new("faults", None).endures(|fleet| {
        of_pods(fleet);
        of_volumes(fleet);
        of_operators(fleet);
        of_networks(fleet);
    });
}

#[test]
#[ignore = "takes long: tests/run e2e-node"]
fn what_users_do_to_a_fleet_loses_nothing_that_was_taken_and_nothing_untrue_is_said() {
    Fleet::new("users", None).endures(|fleet| {
        of_upgrades(fleet);
        of_what_users_do(fleet);
        of_certificates(fleet);
    });
}

#[test]
#[ignore = "takes long, and wants an image of its own: tests/run e2e-node"]
fn another_version_of_389_ds_takes_over_one_server_after_the_other() {
    Fleet::new("versions", Some(&agent_image("bookworm"))).endures(|fleet| {
        let namespace = &fleet.operator.namespace;
        let version =
            |name: &str| namespace.kubectl(&["get", &format!("ds389instance/{name}"), "--output", "jsonpath={.status.version}"]);
        assert!(ALL.iter().all(|name| version(name).starts_with("2.3.")), "{:?}", ALL.map(version));
        fleet.befalls("the 389 DS of another Debian", || {
            for name in ALL {
                let image = json!({"spec": {"image": image("aviary-agent")}});
                fleet.operator.patch(&format!("ds389instance/{name}"), &image);
            }
            until_within(FAR, "the other version", || ALL.iter().all(|name| version(name).starts_with("3.1.")));
        });
    });
}

#[test]
#[ignore = "takes long, and fills a volume: tests/run e2e-node"]
fn a_volume_that_is_full_is_told_and_a_server_goes_on_when_there_is_room() {
    let operator = Operator::new("full");
    let namespace = &operator.namespace;
    let instance = json!({
        "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance", "metadata": {"name": "full"},
        "spec": {
            "storage": {"size": "300Mi", "storageClassName": "sized"},
            "backends": [{"name": "userroot", "suffix": SUFFIX, "sampleEntries": true}],
        },
    });
    namespace.apply(&instance.to_string());
    let ready = || operator.condition("ds389instance/full", "Ready");
    namespace.until_late("a ready instance", || ready().as_deref() == Some("True/AsItShouldBe"));
    Client::new(&operator, "full").add("before");
    // All but what the server has taken for itself.
    namespace.try_kubectl(&["exec", "full-0", "--", "sh", "-c", "dd if=/dev/zero of=/data/ballast bs=1M 2>/dev/null"]);
    let message = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
    let told = || namespace.kubectl(&["get", "ds389instance", "full", "--output", message]);
    namespace.until("that it is told while the server runs", || told().contains("the volume is full"));
    namespace.kubectl(&["delete", "pod", "full-0"]);
    namespace
        .until_late("that it is told", || ready().is_some_and(|ready| ready.starts_with("False/")) && told().contains("space"));
    println!("of a full volume: {}", told());
    namespace
        .until_late("room", || namespace.try_kubectl(&["exec", "full-0", "--", "rm", "-f", "/data/ballast"]).status.success());
    namespace.until_late("a ready instance", || ready().as_deref() == Some("True/AsItShouldBe"));
    let client = Client::new(&operator, "full");
    client.until_has("before");
    client.add("after");
}

#[test]
#[ignore = "takes long, and kills servers: tests/run e2e-node"]
fn a_supplier_on_lmdb_that_is_killed_while_it_is_written_to_says_what_a_request_would_do() {
    let operator = Operator::new("lmdb");
    let namespace = &operator.namespace;
    for (name, has_entries) in [("a", true), ("b", false)] {
        let backend = json!({"name": "userroot", "suffix": SUFFIX, "replicaRole": "supplier", "sampleEntries": has_entries});
        let spec = json!({"config": {"dbLib": "mdb"}, "backends": [backend]});
        namespace.apply(&resource("DS389Instance", name, &spec).to_string());
    }
    const MESH: &str = "ds389agreement/mesh";
    namespace.apply(&resource("DS389Agreement", "mesh", &json!({"suffix": SUFFIX, "targets": ["*"]})).to_string());
    operator.until(MESH, "Ready", WELL);
    let [a, b] = ["a", "b"].map(|name| Client::new(&operator, name));
    let told = || pair(&operator, MESH, "a", "b");
    let is_stuck =
        || told()["state"] == "Failing" && told()["message"].as_str().unwrap().contains("has lost what it had not sent");
    let mut taken = BTreeSet::new();
    for round in 0.. {
        assert!(round < 6, "never stuck: {}", told());
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0.. {
                    let numbers = number * 50..(number + 1) * 50;
                    let entries: String = numbers.map(|number: u32| unit(&format!("w{round}-{number}"))).collect();
                    let _ = a.try_ldap("ldapadd", &["-c", "-o", "nettimeout=5"], &entries);
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
            namespace.until("changes", || a.try_units(&format!("w{round}")).is_some_and(|units| units.len() > 100));
            namespace.kubectl(&["exec", "a-0", "--", "sh", "-c", "kill -9 $(cat /run/ds/slapd-a.pid)"]);
            is_over.store(true, Ordering::Relaxed);
        });
        namespace.until_late("a server that is back", || a.try_units("w").map(|units| taken.extend(units)).is_some());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) && told()["state"] != "InSync" && !is_stuck() {
            std::thread::park_timeout(Duration::from_millis(500));
        }
        println!("killed {} times: {}", round + 1, told());
        if is_stuck() {
            break;
        }
    }
    operator.until(MESH, "Ready", "False/ReplicationFails");
    let request = json!({"policy": "OnRequest", "requestId": "after-the-kill", "from": "a"});
    operator.patch(MESH, &json!({"spec": {"initialise": request}}));
    operator.until(MESH, "Ready", WELL);
    namespace.until("all entries of the one that was killed", || b.try_units("w").is_some_and(|units| units.is_superset(&taken)));
    a.add("after");
    b.until_has("after");
}
