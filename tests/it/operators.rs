//! The fleet through the gateway's port: asked of the operator that works, out of several.

use std::sync::Arc;
use std::time::Duration;

use aviary_proto::directory::v1::fleet_client::FleetClient;
use aviary_proto::directory::v1::fleet_server::{Fleet, FleetServer};
use aviary_proto::directory::v1::*;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use runtime::grpc_port::Port;
use tests::fleet::free_port;
use tests::served::{Serve, Served, wait_until};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_types::StatusExt;

const PORT: Port = Port { max_streams: 100, last_words: Some(Duration::ZERO), descriptors: &[] };
const FLEET: &str = "aviary.directory.v1.Fleet";

/// An operator that knows of one instance, called as it is itself.
struct Operator {
    url: String,
    /// Whether its health says that it works, and whether it does.
    healthy: watch::Sender<bool>,
    works: Arc<watch::Sender<bool>>,
    _served: AbortOnDropHandle<()>,
}

struct Service {
    name: &'static str,
    works: Arc<watch::Sender<bool>>,
}

impl Operator {
    async fn start(name: &'static str, works: bool) -> Operator {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (healthy, works) = (watch::Sender::new(works), Arc::new(watch::Sender::new(works)));
        let service = FleetServer::new(Service { name, works: Arc::clone(&works) });
        let served = PORT.serve(listener, None, service, healthy.subscribe(), std::future::pending());
        Operator { url, healthy, works, _served: AbortOnDropHandle::new(tokio::spawn(served)) }
    }

    fn work(&self, works: bool) {
        self.works.send_replace(works);
        self.healthy.send_replace(works);
    }
}

impl Service {
    fn instance(&self) -> Result<Instance, Status> {
        match *self.works.borrow() {
            true => Ok(Instance { name: self.name.to_owned(), ..Instance::default() }),
            false => Err(Status::unavailable("another one works")),
        }
    }
}

#[tonic::async_trait]
impl Fleet for Service {
    type WatchStream = BoxStream<'static, Result<FleetChange, Status>>;

    async fn list_instances(&self, request: Request<ListRequest>) -> Result<Response<ListInstancesResponse>, Status> {
        let ListRequest { namespace, page_size, page_token } = request.into_inner();
        match namespace.as_str() {
            "slow" => std::future::pending::<()>().await,
            // As its server says of calls whose time is over, if its clock is the faster one.
            "given up" => return Err(Status::cancelled("Timeout expired")),
            "wrong" => return Err(Status::invalid_argument(format!("{page_size} of {page_token}"))),
            _ => {}
        }
        Ok(Response::new(ListInstancesResponse { instances: vec![self.instance()?], ..Default::default() }))
    }

    async fn list_agreements(&self, _: Request<ListRequest>) -> Result<Response<ListAgreementsResponse>, Status> {
        Ok(Response::new(ListAgreementsResponse::default()))
    }

    async fn list_topologies(&self, _: Request<ListRequest>) -> Result<Response<ListTopologiesResponse>, Status> {
        Ok(Response::new(ListTopologiesResponse::default()))
    }

    async fn list_lags(&self, _: Request<ListRequest>) -> Result<Response<ListLagsResponse>, Status> {
        Ok(Response::new(ListLagsResponse::default()))
    }

    async fn watch(&self, _: Request<WatchFleetRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let about = Some(fleet_change::About::Instance(Box::new(self.instance()?)));
        let change = FleetChange { kind: fleet_change::Kind::Added.into(), about };
        // One each 0.2 seconds, for ever.
        let changes = stream::repeat(change).then(|change| tokio::time::sleep(Duration::from_millis(200)).map(|()| Ok(change)));
        Ok(Response::new(changes.boxed()))
    }
}

/// A gateway before these operators. Nobody answers for reports.
fn gateway(operators: &[&Operator], arguments: &[&str]) -> Served {
    let serve = Serve::gateway(&format!("http://{}", free_port())).args(arguments).watched();
    let urls: Vec<&str> = operators.iter().map(|operator| operator.url.as_str()).collect();
    let serve = if urls.is_empty() { serve } else { serve.args(&["--operator", &urls.join(",")]) };
    tokio::task::block_in_place(|| serve.start())
}

async fn channel(gateway: &Served) -> Channel {
    Channel::from_shared(format!("http://{}", gateway.address)).unwrap().connect().await.unwrap()
}

fn of(namespace: &str) -> ListRequest {
    ListRequest { namespace: namespace.to_owned(), ..ListRequest::default() }
}

/// Who answers.
async fn asked(client: &mut FleetClient<Channel>) -> Result<String, Status> {
    let answer = client.list_instances(of("")).await?.into_inner();
    Ok(answer.instances[0].name.clone())
}

fn until_healthy(gateway: &Served, count: f64) {
    tokio::task::block_in_place(|| {
        wait_until("so many operators are healthy", || gateway.metric("aviary_gateway_operators{state=\"healthy\"}") == count);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_an_operator_says_how_to_give_it_one() {
    let gateway = gateway(&[], &[]);
    let refused = asked(&mut FleetClient::new(channel(&gateway).await)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(refused.message().contains("--operator"), "{refused:?}");
    let mut health = HealthClient::new(channel(&gateway).await);
    let request = HealthCheckRequest { service: FLEET.to_owned() };
    assert_eq!(health.check(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_that_works_is_asked_whichever_that_is() {
    let (first, second) = (Operator::start("first", true).await, Operator::start("second", false).await);
    let gateway = gateway(&[&first, &second], &[]);
    let mut client = FleetClient::new(channel(&gateway).await);
    until_healthy(&gateway, 1.0);
    assert_eq!(asked(&mut client).await.unwrap(), "first");
    // Whoever has not heard yet which of them works asks one after the other.
    first.works.send_replace(false);
    second.works.send_replace(true);
    assert_eq!(asked(&mut client).await.unwrap(), "second");
    first.work(false);
    second.work(true);
    until_healthy(&gateway, 1.0);
    for _ in 0..20 {
        assert_eq!(asked(&mut client).await.unwrap(), "second");
    }

    second.work(false);
    let refused = asked(&mut client).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("REPLICAS_UNAVAILABLE", "aviary"));
    first.work(true);
    until_healthy(&gateway, 1.0);
    assert_eq!(asked(&mut client).await.unwrap(), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_the_fleet_are_passed_on_as_they_are_and_have_deadlines() {
    let operator = Operator::start("only", true).await;
    let gateway = gateway(&[&operator], &["--timeout", "0.7"]);
    let mut client = FleetClient::new(channel(&gateway).await);
    let request = ListRequest { page_size: 7, page_token: "here/a".to_owned(), ..of("wrong") };
    let refused = client.list_instances(request).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "7 of here/a"));
    for namespace in ["slow", "given up"] {
        let late = client.list_instances(of(namespace)).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
    }
    let large = client.list_instances(ListRequest { page_token: "x".repeat(2 << 20), ..of("") }).await.unwrap_err();
    assert_eq!(large.code(), Code::InvalidArgument, "{large:?}");

    let mut health = HealthClient::new(channel(&gateway).await);
    let request = HealthCheckRequest { service: FLEET.to_owned() };
    assert_eq!(health.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving);
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_tells_of_the_fleet_where_there_is_one() {
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
        server_reflection_response::MessageResponse,
    };
    let operator = Operator::start("only", true).await;
    for (operators, expected) in [(&[][..], false), (&[&operator], true)] {
        let gateway = gateway(operators, &[]);
        let mut client = ServerReflectionClient::new(channel(&gateway).await);
        let message_request = Some(MessageRequest::ListServices(String::new()));
        let request = ServerReflectionRequest { host: String::new(), message_request };
        let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response else {
            panic!("no list of services")
        };
        let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names.contains(&FLEET), expected, "{names:?}");
        // What agents are told is for nobody else.
        assert!(!names.iter().any(|name| name.contains("AgentService")), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlasts_deadlines_of_questions_and_ends_with_the_gateway() {
    let operator = Operator::start("only", true).await;
    let mut gateway = gateway(&[&operator], &["--timeout", "0.5"]);
    let mut client = FleetClient::new(channel(&gateway).await);
    let mut changes = client.watch(WatchFleetRequest::default()).await.unwrap().into_inner();
    for _ in 0..8 {
        assert!(changes.message().await.unwrap().is_some());
    }
    gateway.signal("TERM");
    let ended = loop {
        if let Err(status) = changes.message().await {
            break status;
        }
    };
    assert_eq!(ended.code(), Code::Unavailable, "{ended:?}");
    drop((changes, client));
    let status = tokio::task::block_in_place(|| gateway.wait());
    assert_eq!(status.code(), Some(0), "{}", gateway.output());
}
