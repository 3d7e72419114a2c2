//! What befalls directories, while somebody writes to them all the time: each ends with all in sync, and nothing is lost that a
//! server has taken. On a node that the tests own, for some of it is done to the node's processes.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    fleet::{Operator, sample},
    ldap::{Client, SUFFIX},
    replication::pair,
};

const ALL: [&str; 4] = ["supplier-1", "supplier-2", "hub-1", "consumer-1"];
const AGREEMENTS: [&str; 2] = ["ds389agreement/suppliers", "ds389agreement/hubs"];
const OPERATOR: &str = "deployment/aviary-operator";

/// A fleet, and what was written to it.
struct Fleet {
    operator: Operator,
    /// Units that a supplier has taken.
    taken: Mutex<BTreeSet<String>>,
    is_over: AtomicBool,
}

impl Fleet {
    /// Of the sample, in sync. Without policies, so that those of the tests can cut servers off.
    fn new() -> Self {
        let operator = Operator::with("faults", &["networkPolicy.enabled=false"]);
        operator.namespace.apply(&sample("replication.yaml"));
        let fleet = Self { operator, taken: Mutex::default(), is_over: AtomicBool::new(false) };
        fleet.until_well();
        fleet
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        self.operator.namespace.kubectl(arguments)
    }

    fn is(&self, resource: &str, kind: &str, expected: &str) -> bool {
        self.operator.condition(resource, kind).as_deref() == Some(expected)
    }

    fn is_well(&self) -> bool {
        let instances = ALL.map(|name| format!("ds389instance/{name}"));
        let mut all = instances.iter().map(String::as_str).chain(AGREEMENTS);
        all.all(|resource| self.is(resource, "Ready", "True/AsItShouldBe"))
    }

    #[track_caller]
    fn until_well(&self) {
        self.operator.namespace.until_late("a fleet that is well", || self.is_well());
    }

    /// Writes to one supplier and the other until it is over.
    fn write(&self) {
        let clients = [Client::new(&self.operator, "supplier-1"), Client::new(&self.operator, "supplier-2")];
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("w{number:05}");
            if clients[number % 2].try_add(&name).is_ok_and(|output| output.status.success()) {
                self.taken.lock().unwrap().insert(name);
            }
        }
    }

    /// What was taken so far is everywhere as soon as the resources say so, but for the changes of the last seconds.
    #[track_caller]
    fn until_told_and_true(&self, what: &str) {
        let (begun, taken) = (Instant::now(), self.taken.lock().unwrap().clone());
        self.until_well();
        let told = begun.elapsed();
        for name in ALL {
            let client = Client::new(&self.operator, name);
            let mut missing = BTreeSet::new();
            let is_complete = |missing: &mut BTreeSet<String>| {
                let has = client.units("w");
                *missing = taken.difference(&has).cloned().collect();
                missing.is_empty()
            };
            let due = Instant::now() + Duration::from_secs(15);
            while !is_complete(&mut missing) {
                assert!(Instant::now() < due, "{what}: {name} lacks {missing:?} though all is said to be well");
            }
        }
        println!("{what}: well after {:.1} s, {} entries written so far", told.as_secs_f64(), taken.len());
    }

    /// What is done makes the fleet unwell, or has made another pod, before it ends well.
    #[track_caller]
    fn befalls(&self, what: &str, act: impl FnOnce()) {
        let begun = Instant::now();
        act();
        println!("{what}: done in {:.1} s", begun.elapsed().as_secs_f64());
        self.until_told_and_true(what);
    }

    fn uid(&self, pod: &str) -> String {
        self.kubectl(&["get", "pod", pod, "--ignore-not-found", "--output", "jsonpath={.metadata.uid}"])
    }

    #[track_caller]
    fn until_another(&self, pod: &str, before: &str) {
        self.operator.namespace.until_late("another pod", || {
            let now = self.uid(pod);
            !now.is_empty() && now != before
        });
    }

    /// The processes of a pod by this name, as the node knows them.
    fn processes(&self, pod: &str, name: &str) -> Vec<i32> {
        let uid = self.uid(pod);
        let known = [uid.clone(), uid.replace('-', "_")];
        let processes =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
        let is_it = |process: &i32| {
            let read = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
            read("comm").trim() == name && known.iter().any(|uid| read("cgroup").contains(uid))
        };
        processes.filter(is_it).collect()
    }

    fn kill(&self, pod: &str, name: &str) {
        let processes = self.processes(pod, name);
        assert!(!processes.is_empty(), "{pod} has no process {name}");
        for process in processes {
            signal(process, rustix::process::Signal::KILL);
        }
    }

    fn restarts(&self, pod: &str) -> String {
        self.kubectl(&["get", "pod", pod, "--output", "jsonpath={.status.containerStatuses[0].restartCount}"])
    }
}

fn signal(process: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(process).unwrap(), signal).unwrap();
}

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

fn of_operators(fleet: &Fleet) {
    let namespace = &fleet.operator.namespace;
    let before = fleet.uid("supplier-1-0");
    fleet.befalls("a pod is deleted while there is no operator", || {
        fleet.kubectl(&["scale", OPERATOR, "--replicas", "0"]);
        let operators = "app.kubernetes.io/component=operator";
        namespace.until("no operator", || fleet.kubectl(&["get", "pods", "--selector", operators]).is_empty());
        fleet.kubectl(&["delete", "pod", "supplier-1-0"]);
        fleet.until_another("supplier-1-0", &before);
        let path = "jsonpath={.status.containerStatuses[0].ready}";
        namespace.until_late("a ready pod", || fleet.kubectl(&["get", "pod", "supplier-1-0", "--output", path]) == "true");
        fleet.kubectl(&["scale", OPERATOR, "--replicas", "2"]);
    });
    fleet.befalls("the leader is killed while it is at something", || {
        let holder = fleet.kubectl(&["get", "lease", "aviary-operator", "--output", "jsonpath={.spec.holderIdentity}"]);
        for name in ALL {
            let patch = json!({"spec": {"config": {"nsslapdSizelimit": 4321}}});
            fleet.operator.patch(&format!("ds389instance/{name}"), &patch);
        }
        fleet.kubectl(&["delete", "pod", &holder, "--grace-period=0", "--force"]);
    });
    fleet.befalls("the API server does not answer for half a minute", || {
        let servers = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
        let is_it = |process: &i32| {
            let name = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            name.split(|byte| *byte == 0).next().is_some_and(|name| name.ends_with(b"kube-apiserver"))
        };
        let servers: Vec<i32> = servers.filter(is_it).collect();
        assert!(!servers.is_empty(), "the API server is no process of this machine");
        servers.iter().for_each(|server| signal(*server, rustix::process::Signal::STOP));
        std::thread::sleep(Duration::from_secs(30));
        servers.iter().for_each(|server| signal(*server, rustix::process::Signal::CONT));
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
        fleet.operator.patch("ds389instance/consumer-1", &json!({"spec": {"image": crate::cluster::image("aviary-agent")}}));
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
        namespace.apply(&instance("brief", json!({})));
        namespace.until_late("a pod of its own", || !fleet.uid("brief-0").is_empty());
        fleet.kubectl(&["delete", "ds389instance", "brief"]);
    });
}

#[test]
#[ignore = "takes long, and kills processes of the node: tests/run e2e-node"]
fn whatever_befalls_a_fleet_nothing_that_was_taken_is_lost() {
    let fleet = Fleet::new();
    std::thread::scope(|scope| {
        scope.spawn(|| fleet.write());
        // The writer ends with what is asserted here, too.
        let ends = End(&fleet.is_over);
        of_pods(&fleet);
        of_operators(&fleet);
        of_networks(&fleet);
        of_what_users_do(&fleet);
        drop(ends);
    });
    fleet.until_told_and_true("at the end");
    assert!(fleet.taken.lock().unwrap().len() > 100);
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
    namespace.kubectl(&["delete", "pod", "full-0"]);
    let message = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
    let told = || namespace.kubectl(&["get", "ds389instance", "full", "--output", message]);
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
