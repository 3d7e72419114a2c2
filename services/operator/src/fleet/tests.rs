//! What is told of a fleet that tests make up: resources in stores, agents' words, and what follows from them; over a real socket too.

use std::collections::BTreeMap;

use aviary_proto::directory::v1::{
    FleetChange, ListRequest, PairState, Replica, WatchFleetRequest,
    fleet_change::{About, Kind},
    fleet_client::FleetClient,
};
use k8s_openapi::jiff::Timestamp;
use kube::runtime::{
    reflector::{self, store::Writer},
    watcher::Event,
};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tonic::{Code, Streaming, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::*;
use crate::{
    crd::DS389Agreement,
    topology::{Found, PairState as KnownPair, Record, Seed, State, Topology},
    watches::Known,
};

/// A cluster as its watches have it.
struct Cluster {
    known: Known,
    instances: Writer<DS389Instance>,
    agreements: Writer<DS389Agreement>,
    topologies: BTreeMap<String, Arc<Topology>>,
    heard: Vec<(String, Replica)>,
}

impl Cluster {
    fn new() -> Self {
        let (instance_store, instances) = reflector::store();
        let (agreement_store, agreements) = reflector::store();
        let known = Known {
            stateful_sets: reflector::store().0,
            services: reflector::store().0,
            claims: reflector::store().0,
            policies: reflector::store().0,
            secrets: reflector::store().0,
            pods: reflector::store().0,
            instances: instance_store,
            agreements: agreement_store,
        };
        Self { known, instances, agreements, topologies: BTreeMap::new(), heard: Vec::new() }
    }

    fn instance(&mut self, namespace: &str, name: &str, role: &str, ready: &str) -> DS389Instance {
        let resource: DS389Instance = serde_json::from_value(json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Instance",
            "metadata": {"name": name, "namespace": namespace, "generation": 3},
            "spec": {
                "directoryManager": {"secretName": "my-secret"},
                "config": {"rootpw": "hunter2"},
                "backends": [{"name": "root", "suffix": "dc=Test", "replicaRole": role}, {"name": "other", "suffix": "dc=other"}],
            },
            "status": {
                "observedGeneration": 2, "conditions": [condition("Ready", ready)], "fqdn": format!("{name}.{namespace}.svc"),
                "image": "image:1", "version": "3.1.2", "agentVersion": "0.1.0", "certificateNotAfter": "2030-01-01T00:00:00Z",
            },
        }))
        .unwrap();
        self.instances.apply_watcher_event(&Event::Apply(resource.clone()));
        resource
    }

    fn agreement(&mut self, namespace: &str, name: &str, pairs: &[Value]) {
        let resource: DS389Agreement = serde_json::from_value(json!({
            "apiVersion": "ds389.aviary.dev/v1alpha1", "kind": "DS389Agreement",
            "metadata": {"name": name, "namespace": namespace, "generation": 1},
            "spec": {"suffix": "dc=test", "targets": ["*"]},
            "status": {"observedGeneration": 1, "conditions": [condition("Ready", "True")], "inSync": "1/2", "pairs": pairs},
        }))
        .unwrap();
        self.agreements.apply_watcher_event(&Event::Apply(resource));
    }

    fn take(&self, before: &Snapshot) -> Snapshot {
        let heard = |key: &ObjectRef<DS389Instance>| {
            let own = self.heard.iter().filter(|(name, _)| *name == key.name);
            Some(own.map(|(_, replica)| replica.clone()).collect())
        };
        snapshot::take(&self.known, heard, &self.topologies, before)
    }
}

fn condition(kind: &str, status: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": "AsItShouldBe", "message": "words", "observedGeneration": 2,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

/// Two servers that send to each other, in a namespace of a cluster.
fn pair() -> Cluster {
    let mut cluster = Cluster::new();
    cluster.instance("here", "a", "supplier", "True");
    cluster.instance("here", "b", "supplier", "False");
    cluster.agreement(
        "here",
        "mesh",
        &[
            json!({"source": "a.root", "target": "b.root", "state": "InSync", "since": "2026-01-01T00:00:00Z"}),
            json!({"source": "b.root", "target": "a.root", "state": "Behind", "message": "busy", "requestId": "word"}),
        ],
    );
    let known = |source: &str, target: &str, state| {
        let (source, target) = (source.to_owned(), target.to_owned());
        KnownPair { source, target, state, message: String::new(), request: None, unsure: None, is_early: false }
    };
    let pairs = vec![known("a.root", "b.root", State::InSync), known("b.root", "a.root", State::Behind)];
    let record = Record {
        seed: Some(Seed { source: "a.root".to_owned(), generation: "g1".to_owned() }),
        numbers: [("a.root".to_owned(), 1), ("gone.root".to_owned(), 2), ("b.root".to_owned(), 3)].into(),
        retired: [7].into(),
        ..Record::default()
    };
    let topology = Topology {
        agreements: [("mesh".to_owned(), Arc::new(Found { generation: Some(1), refused: None, pairs }))].into(),
        records: [("dc=test".to_owned(), record)].into(),
        ..Topology::default()
    };
    cluster.topologies.insert("here".to_owned(), Arc::new(topology));
    let replica = Replica { backend: "Root".to_owned(), id: 1, generation: "g1".to_owned(), ..Replica::default() };
    cluster.heard.push(("a".to_owned(), replica));
    cluster
}

/// A fleet that serves, and clients of it.
struct Served {
    fleet: Fleet,
    channel: Channel,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let fleet = Fleet::new();
        let served = tokio::spawn(fleet.serve(listener, None, async { drop(stopped.await) }));
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { fleet, channel, stop, served }
    }

    fn client(&self) -> FleetClient<Channel> {
        FleetClient::new(self.channel.clone())
    }

    fn tell(&self, cluster: &Cluster) {
        self.fleet.tell(&ALL, cluster.take(&Snapshot::new()), silent());
    }

    async fn health(&self) -> [ServingStatus; 2] {
        let mut client = HealthClient::new(self.channel.clone());
        let mut status = async |service: &str| {
            let request = HealthCheckRequest { service: service.to_owned() };
            client.check(request).await.unwrap().into_inner().status()
        };
        [status("aviary.directory.v1.Fleet").await, status("").await]
    }

    async fn until_health(&self, expected: ServingStatus) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        while self.health().await != [expected; 2] {
            assert!(tokio::time::Instant::now() < deadline, "never {expected:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

const ALL: Scope = Scope(None);

fn silent() -> Ask {
    Arc::new(|_| async { Err("nobody is there".to_owned()) }.boxed())
}

fn everything() -> ListRequest {
    ListRequest::default()
}

async fn next(changes: &mut Streaming<FleetChange>) -> String {
    let change = tokio::time::timeout(Duration::from_secs(10), changes.message()).await.expect("in time").unwrap().unwrap();
    let about = match &change.about {
        Some(About::Instance(instance)) => format!(" {}/{}", instance.namespace, instance.name),
        Some(About::Agreement(agreement)) => format!(" {}:{}", agreement.namespace, agreement.name),
        Some(About::Topology(topology)) => format!(" {}", topology.namespace),
        None => String::new(),
    };
    format!("{:?}{about}", change.kind())
}

#[tokio::test]
async fn an_operator_that_does_not_work_says_so() {
    let served = Served::start().await;
    assert_eq!(served.health().await, [ServingStatus::NotServing; 2]);
    let refused = served.client().list_instances(everything()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("another one"), "{refused:?}");
    assert_eq!(served.client().watch(WatchFleetRequest::default()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(served.client().list_lags(everything()).await.unwrap_err().code(), Code::Unavailable);

    // Before it has seen everything, it does not answer with a part.
    let others = Scope(Some("there".to_owned()));
    served.fleet.begin(&[ALL, others.clone(), ALL]);
    served.tell(&pair());
    assert_eq!(served.health().await, [ServingStatus::NotServing; 2]);
    served.fleet.tell(&others, Snapshot::new(), silent());
    served.until_health(ServingStatus::Serving).await;
    assert_eq!(served.client().list_instances(everything()).await.unwrap().into_inner().instances.len(), 2);
}

#[tokio::test]
async fn instances_agreements_and_topologies_are_told_over_a_socket() {
    let served = Served::start().await;
    served.fleet.begin(&[ALL]);
    served.tell(&pair());
    let mut client = served.client();
    let instances = client.list_instances(everything()).await.unwrap().into_inner().instances;
    let [a, b] = instances.as_slice() else { panic!("{instances:?}") };
    assert_eq!((a.name.as_str(), a.generation, a.observed_generation, a.is_going), ("a", 3, 2, false));
    assert_eq!((a.host.as_str(), a.server_version.as_str()), ("a.here.svc", "3.1.2"));
    assert_eq!((a.conditions[0].r#type.as_str(), a.conditions[0].status.as_str()), ("Ready", "True"));
    let since = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap().as_second();
    assert_eq!(a.conditions[0].since.unwrap().seconds, since);
    let held = a.backends[0].held.clone().unwrap();
    assert_eq!((held.id, held.generation.as_str(), held.waits), (1, "g1", false));
    assert_eq!((b.backends[0].role.as_str(), &b.backends[0].held, b.backends[1].role.as_str()), ("supplier", &None, ""));
    // Options, among which passwords may be, are no part of it.
    let all = format!("{instances:?}");
    assert!(!all.contains("hunter2") && !all.contains("my-secret"), "{all}");

    let agreements = client.list_agreements(everything()).await.unwrap().into_inner().agreements;
    let [mesh] = agreements.as_slice() else { panic!("{agreements:?}") };
    assert_eq!((mesh.pairs_in_sync, mesh.pairs_total), (1, 2));
    assert_eq!([mesh.pairs[0].state(), mesh.pairs[1].state()], [PairState::InSync, PairState::Behind]);
    assert_eq!((mesh.pairs[1].message.as_str(), mesh.pairs[1].request_id.as_str()), ("busy", "word"));

    let topologies = client.list_topologies(everything()).await.unwrap().into_inner().topologies;
    let [topology] = topologies.as_slice() else { panic!("{topologies:?}") };
    let [suffix] = topology.suffixes.as_slice() else { panic!("{topology:?}") };
    assert_eq!((topology.namespace.as_str(), suffix.suffix.as_str()), ("here", "dc=Test"));
    assert_eq!(suffix.seed.as_ref().unwrap().generation, "g1");
    assert_eq!(suffix.servers.iter().map(|server| server.instance.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let links: Vec<_> = suffix.links.iter().map(|link| (link.source.as_str(), link.agreement.as_str(), link.state())).collect();
    assert_eq!(links, [("a.root", "mesh", PairState::InSync), ("b.root", "mesh", PairState::Behind)]);
    assert_eq!((suffix.numbers["gone.root"], suffix.retired_numbers.as_slice()), (2, &[7][..]));

    let elsewhere = ListRequest { namespace: "elsewhere".to_owned(), ..everything() };
    assert!(client.list_instances(elsewhere.clone()).await.unwrap().into_inner().instances.is_empty());
    assert!(client.list_topologies(elsewhere).await.unwrap().into_inner().topologies.is_empty());
}

#[tokio::test]
async fn an_agent_that_does_not_answer_makes_its_own_lag_unknown() {
    let served = Served::start().await;
    served.fleet.begin(&[ALL]);
    let mut cluster = pair();
    cluster.instance("here", "c", "consumer", "True");
    cluster.instance("here", "alone", "", "True");
    let ask: Ask = Arc::new(|key| {
        async move {
            match key.name.as_str() {
                "a" => {
                    Ok(vec![AgreementLag { backend: "root".to_owned(), agreement: "b.root".to_owned(), ..Default::default() }])
                }
                "b" => Err("broken".to_owned()),
                _ => std::future::pending().await,
            }
        }
        .boxed()
    });
    served.fleet.tell(&ALL, cluster.take(&Snapshot::new()), ask);
    let lags = served.client().list_lags(everything()).await.unwrap().into_inner().instances;
    let told: Vec<_> = lags.iter().map(|lag| (lag.name.as_str(), lag.agreements.len(), lag.unknown.as_str())).collect();
    assert_eq!(told, [("a", 1, ""), ("b", 0, "broken"), ("c", 0, "the agent has not answered within 2 s")]);
}

#[tokio::test]
async fn whoever_watches_hears_all_that_there_is_and_then_what_changes() {
    let served = Served::start().await;
    served.fleet.begin(&[ALL]);
    let mut cluster = pair();
    served.tell(&cluster);
    let mut all = served.client().watch(WatchFleetRequest::default()).await.unwrap().into_inner();
    let mut elsewhere = served.client().watch(WatchFleetRequest { namespace: "there".to_owned() }).await.unwrap().into_inner();
    for expected in ["Added here/a", "Added here/b", "Added here:mesh", "Added here", "Complete"] {
        assert_eq!(next(&mut all).await, expected);
    }
    assert_eq!(next(&mut elsewhere).await, "Complete");
    let gone = cluster.instance("here", "b", "supplier", "True");
    served.tell(&cluster);
    assert_eq!(next(&mut all).await, "Changed here/b");
    // Nothing is told of what is as it was.
    served.tell(&cluster);
    cluster.instances.apply_watcher_event(&Event::Delete(gone));
    cluster.instance("there", "c", "", "True");
    served.tell(&cluster);
    for expected in ["Gone here/b", "Added there/c", "Changed here"] {
        assert_eq!(next(&mut all).await, expected);
    }
    assert_eq!(next(&mut elsewhere).await, "Added there/c");

    served.fleet.end();
    let ended = all.message().await.unwrap_err();
    assert_eq!(ended.code(), Code::Unavailable);
    served.until_health(ServingStatus::NotServing).await;
    drop(served.stop);
    tokio::time::timeout(Duration::from_secs(10), served.served).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_slow_reader_misses_what_was_meanwhile_and_never_the_last() {
    let fleet = Fleet::new();
    fleet.begin(&[ALL]);
    let mut cluster = Cluster::new();
    cluster.instance("here", "a", "", "Unknown");
    fleet.tell(&ALL, cluster.take(&Snapshot::new()), silent());
    let mut told = fleet.told.subscribe();
    let seen = told.borrow_and_update().clone().unwrap();
    let permit = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().unwrap();
    let mut stream = std::pin::pin!(changes::stream(told, seen, String::new(), permit));
    let mut next = async || futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
    assert_eq!([next().await.kind(), next().await.kind()], [Kind::Added, Kind::Complete]);
    for number in 0..1000 {
        cluster.instance("here", "a", "", &number.to_string());
        fleet.tell(&ALL, cluster.take(&Snapshot::new()), silent());
    }
    let Some(About::Instance(instance)) = next().await.about else { panic!("no instance") };
    assert_eq!(instance.conditions[0].status, "999");
    cluster.instance("here", "a", "", "last");
    fleet.tell(&ALL, cluster.take(&Snapshot::new()), silent());
    let Some(About::Instance(instance)) = next().await.about else { panic!("no instance") };
    assert_eq!(instance.conditions[0].status, "last");
}

#[test]
fn what_is_the_same_is_shared_with_the_snapshot_before() {
    let mut cluster = pair();
    let before = cluster.take(&Snapshot::new());
    cluster.instance("here", "b", "supplier", "Unknown");
    let after = cluster.take(&before);
    let shared: Vec<_> =
        after.iter().filter(|(key, object)| Arc::ptr_eq(object, &before[key])).map(|(key, _)| key.place.as_str()).collect();
    assert_eq!(shared, ["here/a", "here/mesh", "here"]);
}
