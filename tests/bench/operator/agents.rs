//! Agents that take what they are told and say at once that it is so. Each has an address of this machine, and the certificate that the
//! operator has made for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use aviary_proto::directory::v1::agent_service_server::{AgentService, AgentServiceServer};
use aviary_proto::directory::v1::{
    Activity, Agreement, AgreementState, ApplyRequest, ApplyResponse, FetchReportRequest, ForgetReportRequest,
    ForgetReportResponse, LagRequest, LagResponse, Replica, ReportChunk, Status, WatchRequest,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use futures::stream::BoxStream;
use runtime::grpc_port::{self, Port};
use runtime::tls::TlsServerArgs;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response};

use super::cluster::Cluster;

/// The port of agents.
const PORT: u16 = 8002;
/// Between two looks for certificates.
const LOOK: Duration = Duration::from_millis(500);
/// What all data is called.
const GENERATION: &str = "6928f2a0000000010000";

pub(super) struct Agents {
    runtime: Runtime,
    namespace: String,
    agents: Vec<(String, Agent)>,
    certificates: TempDir,
}

/// One of them.
#[derive(Clone)]
struct Agent(Arc<watch::Sender<Status>>);

/// Addresses below 127.1, from one on.
fn address(number: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + u32::try_from(number).unwrap())
}

impl Agents {
    /// Those of these instances. None can be called before it has a certificate.
    pub(super) fn new(namespace: &str, names: &[String]) -> Self {
        let status = Status { activity: Activity::Idle.into(), serves: true, replicas_known: true, ..Status::default() };
        let agent = |name: &String| (name.clone(), Agent(Arc::new(watch::Sender::new(status.clone()))));
        Self {
            runtime: Runtime::new().unwrap(),
            namespace: namespace.to_owned(),
            agents: names.iter().map(agent).collect(),
            certificates: tempfile::tempdir().unwrap(),
        }
    }

    /// Where they are, as a file of hosts says it.
    pub(super) fn hosts(&self) -> String {
        let mut hosts = String::new();
        for (number, (name, _)) in self.agents.iter().enumerate() {
            writeln!(hosts, "{} {name}.{}.svc.cluster.local", address(number), self.namespace).unwrap();
        }
        hosts
    }

    /// Lets each be called as soon as there is its certificate.
    pub(super) fn serve(&mut self, cluster: &Cluster) {
        let mut left: BTreeMap<String, (usize, Agent)> = BTreeMap::new();
        for (number, (name, agent)) in self.agents.iter().enumerate() {
            left.insert(format!("{name}-agent"), (number, agent.clone()));
        }
        let end = Instant::now() + Duration::from_secs(300);
        while !left.is_empty() {
            assert!(Instant::now() < end, "the operator has made no certificates for {:?}", left.keys());
            let mut made = cluster.made("secrets");
            made.retain(|name| left.contains_key(name));
            for secret in cluster.objects("secrets", &made) {
                let Some((number, agent)) = secret["metadata"]["name"].as_str().and_then(|name| left.remove(name)) else {
                    continue;
                };
                self.runtime.spawn(serve(number, agent, self.certificate(number, &secret)));
            }
            park_timeout(LOOK);
        }
    }

    fn certificate(&self, number: usize, secret: &Value) -> TlsServerArgs {
        let file = |key: &str| {
            let file = self.certificates.path().join(format!("{number}-{key}"));
            fs::write(&file, BASE64_STANDARD.decode(secret["data"][key].as_str().unwrap()).unwrap()).unwrap();
            Some(file)
        };
        TlsServerArgs { tls_cert: file("tls.crt"), tls_key: file("tls.key"), tls_client_ca: file("ca.crt") }
    }

    /// Has one say that its server answers no more.
    pub(super) fn stop_serving(&self, number: usize) {
        let what = || "userroot: the server does not answer".to_owned();
        self.agents[number].1.0.send_modify(|status| (status.serves, status.not_serving) = (false, what()));
    }
}

async fn serve(number: usize, agent: Agent, tls: TlsServerArgs) {
    let tls = tls.load().await.unwrap();
    let listener = TcpListener::bind((address(number), PORT)).await.expect("nobody else listens there");
    let port = Port { max_streams: 64, last_words: None, descriptors: &[] };
    let service = AgentServiceServer::new(agent).max_decoding_message_size(4 << 20);
    port.serve(listener, tls, service, grpc_port::always(), std::future::pending()).await;
}

#[tonic::async_trait]
impl AgentService for Agent {
    async fn apply(&self, request: Request<ApplyRequest>) -> Result<Response<ApplyResponse>, tonic::Status> {
        let document: Value = serde_json::from_str(&request.into_inner().document).unwrap();
        self.0.send_modify(|status| {
            status.revision = document["revision"].as_u64().unwrap();
            status.generation = document["generation"].as_i64().unwrap();
            status.activity = Activity::Settled.into();
            status.server_version = "3.1.2".to_owned();
            status.agent_version = env!("CARGO_PKG_VERSION").to_owned();
            status.replicas = document["ds389_instances"][0]["backends"].as_array().unwrap().iter().map(replica).collect();
        });
        Ok(Response::new(ApplyResponse {}))
    }

    type WatchStream = BoxStream<'static, Result<Status, tonic::Status>>;

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, tonic::Status> {
        Ok(Response::new(WatchStream::new(self.0.subscribe()).map(Ok).boxed()))
    }

    async fn lag(&self, _: Request<LagRequest>) -> Result<Response<LagResponse>, tonic::Status> {
        Ok(Response::new(LagResponse::default()))
    }

    type FetchReportStream = BoxStream<'static, Result<ReportChunk, tonic::Status>>;

    async fn fetch_report(&self, _: Request<FetchReportRequest>) -> Result<Response<Self::FetchReportStream>, tonic::Status> {
        Err(tonic::Status::not_found("there are no reports"))
    }

    async fn forget_report(&self, _: Request<ForgetReportRequest>) -> Result<Response<ForgetReportResponse>, tonic::Status> {
        Ok(Response::new(ForgetReportResponse {}))
    }
}

/// A backend as an agent would tell of it that has just done what it was told.
fn replica(backend: &Value) -> Replica {
    let text = |of: &Value, key: &str| of[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| backend[key].as_array().cloned().unwrap_or_default();
    let agreement = |told: &Value| Agreement {
        name: text(told, "name"),
        state: AgreementState::InSync.into(),
        bind_dn: text(told, "replicabinddn"),
        ..Agreement::default()
    };
    let id = u32::try_from(backend["replicaid"].as_u64().unwrap_or_default()).unwrap();
    Replica {
        backend: text(backend, "name"),
        suffix: text(backend, "suffix"),
        role: text(backend, "replicarole"),
        id,
        generation: GENERATION.to_owned(),
        agreements: list("agmts").iter().filter(|told| told["state"] != "absent").map(agreement).collect(),
        suppliers: vec![id],
        bind_dns: list("replicabinddn").iter().filter_map(|dn| dn.as_str().map(str::to_owned)).collect(),
        ..Replica::default()
    }
}
