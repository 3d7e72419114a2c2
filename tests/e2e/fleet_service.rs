//! The fleet by gRPC: what the operator tells of its directories, asked of its pods and through the gateway.

use aviary_proto::directory::v1::{
    ListRequest, PairState, WatchFleetRequest,
    fleet_change::{About, Kind},
    fleet_client::FleetClient,
};
use tests::process::Process;
use tonic::{Code, Status, transport::Channel};

use crate::{
    cluster::Namespace,
    fleet::{Operator, sample},
    release::install,
};

/// Calls by a port of this machine that leads into the cluster.
struct Client {
    runtime: tokio::runtime::Runtime,
    fleet: FleetClient<Channel>,
    _forward: Process,
}

impl Client {
    fn new(namespace: &Namespace, object: &str, port: u16) -> Self {
        let (port, forward) = namespace.forward(object, port);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let endpoint = Channel::from_shared(format!("http://127.0.0.1:{port}")).unwrap();
        let fleet = FleetClient::new(runtime.block_on(endpoint.connect()).unwrap());
        Self { runtime, fleet, _forward: forward }
    }

    /// Names of the instances.
    fn instances(&mut self, namespace: &str) -> Result<Vec<String>, Status> {
        let request = ListRequest { namespace: namespace.to_owned(), ..ListRequest::default() };
        let answer = self.runtime.block_on(self.fleet.list_instances(request))?.into_inner();
        Ok(answer.instances.into_iter().map(|instance| instance.name).collect())
    }
}

/// The pod that has the Lease.
fn leader(namespace: &Namespace) -> String {
    let lease = namespace.json(&["get", "lease", "aviary-operator"]);
    lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_operator_that_works_tells_of_the_fleet_and_a_gateway_finds_it() {
    let operator = Operator::new("fleet");
    let namespace = &operator.namespace;
    namespace.apply(&sample("replication.yaml"));
    for resource in ["ds389agreement/suppliers", "ds389agreement/hubs"] {
        operator.until(resource, "Ready", "True/AsItShouldBe");
    }
    let all = ["consumer-1", "hub-1", "supplier-1", "supplier-2"];
    for instance in all {
        operator.until(&format!("ds389instance/{instance}"), "Ready", "True/AsItShouldBe");
    }

    let leading = leader(namespace);
    let pods = namespace.json(&["get", "pods", "--selector", "app.kubernetes.io/component=operator"]);
    let names: Vec<&str> =
        pods["items"].as_array().unwrap().iter().map(|pod| pod["metadata"]["name"].as_str().unwrap()).collect();
    assert!(names.len() == 2 && names.contains(&leading.as_str()), "{leading} of {names:?}");
    for name in &names {
        let told = Client::new(namespace, &format!("pod/{name}"), 9090).instances("");
        match *name == leading {
            true => assert_eq!(told.unwrap(), all),
            false => assert_eq!(told.unwrap_err().code(), Code::Unavailable),
        }
    }

    let mut client = Client::new(namespace, &format!("pod/{leading}"), 9090);
    let Client { runtime, fleet, .. } = &mut client;
    let agreements = runtime.block_on(fleet.list_agreements(ListRequest::default())).unwrap().into_inner().agreements;
    assert!(agreements.iter().all(|agreement| agreement.pairs_in_sync == agreement.pairs_total), "{agreements:?}");
    let topologies = runtime.block_on(fleet.list_topologies(ListRequest::default())).unwrap().into_inner().topologies;
    let [topology] = topologies.as_slice() else { panic!("{topologies:?}") };
    let [suffix] = topology.suffixes.as_slice() else { panic!("{topology:?}") };
    assert_eq!((suffix.suffix.as_str(), suffix.servers.len(), suffix.links.len()), ("dc=example,dc=com", 4, 5));
    assert!(suffix.links.iter().all(|link| link.state() == PairState::InSync), "{suffix:?}");
    assert!(suffix.seed.is_some() && suffix.numbers.len() == 2, "{suffix:?}");
    let lags = runtime.block_on(fleet.list_lags(ListRequest::default())).unwrap().into_inner().instances;
    assert_eq!(lags.iter().map(|lag| lag.name.as_str()).collect::<Vec<_>>(), all);
    assert!(lags.iter().all(|lag| lag.unknown.is_empty()), "{lags:?}");
    let known = lags.iter().flat_map(|lag| &lag.agreements).filter(|agreement| agreement.lag.is_some()).count();
    assert_eq!(known, 5, "{lags:?}");

    // An instance that goes is told of to whoever watches.
    let mut changes = runtime.block_on(fleet.watch(WatchFleetRequest::default())).unwrap().into_inner();
    while runtime.block_on(changes.message()).unwrap().unwrap().kind() != Kind::Complete {}
    namespace.kubectl(&["delete", "ds389instance/consumer-1", "--wait=false"]);
    loop {
        let change = runtime.block_on(changes.message()).unwrap().unwrap();
        if let (Kind::Gone, Some(About::Instance(instance))) = (change.kind(), change.about) {
            assert_eq!(instance.name, "consumer-1");
            break;
        }
    }
    drop(client);

    // With reports there is a gateway, which asks the operator that works, also when that is another one.
    let namespaces = format!("operator.namespaces={{{}}}", namespace.name);
    let values = ["operator.enabled=true", "operator.crds=false", "operator.aggregatedRoles=false", &namespaces];
    install(namespace, &values);
    let mut gateway = Client::new(namespace, "service/aviary-gateway", 80);
    namespace.until("the fleet through the gateway", || gateway.instances("").is_ok());
    assert_eq!(gateway.instances(&namespace.name).unwrap(), all[1..]);
    let pairs = || namespace.kubectl(&["get", "ds389agreement/suppliers", "--output", "jsonpath={.status.pairs}"]);
    operator.until("ds389agreement/suppliers", "Ready", "True/AsItShouldBe");
    let (before, leading) = (pairs(), leader(namespace));
    namespace.kubectl(&["delete", "pod", &leading, "--wait=false"]);
    namespace.until("another operator leads", || ![leading.as_str(), ""].contains(&leader(namespace).as_str()));
    namespace.until("the fleet through the gateway again", || gateway.instances("").is_ok_and(|names| names == all[1..]));
    // Who leads from then on says nothing else of it, nor since when.
    operator.until("ds389agreement/suppliers", "Ready", "True/AsItShouldBe");
    assert_eq!(pairs(), before);
}
