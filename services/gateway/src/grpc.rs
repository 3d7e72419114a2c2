//! gRPC on the gateway's port: reports and the fleet passed on as they are, health and reflection of our own.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tonic::{Status, body::Body, service::Routes};
use tonic_health::ServingStatus;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{
    answer::Shared,
    backend::{Backend, Unreachable},
};

type Own = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The service whose calls are passed on to query.
pub(crate) const REPORTS: &str = "aviary.report.v1.ReportService";
/// The one whose calls are passed on to the operator, where there is one.
pub(crate) const FLEET: &str = "aviary.directory.v1.Fleet";

const NO_OPERATOR: &str = "this gateway knows of no operator to ask for the fleet: start aviary-gateway with --operator";

/// Answers gRPC requests.
#[derive(Clone)]
pub(crate) struct Grpc {
    query: Backend,
    operator: Option<Backend>,
    /// Health and reflection.
    own: Own,
}

impl Grpc {
    pub(crate) fn new(gateway: &Shared) -> Self {
        let (query, operator) = (gateway.backend.clone(), gateway.operator.clone());
        let mut descriptors = vec![aviary_proto::DESCRIPTORS];
        let mut services = vec![REPORTS];
        if operator.is_some() {
            descriptors.push(aviary_proto::FLEET_DESCRIPTORS);
            services.push(FLEET);
        }
        let (reporter, health) = tonic_health::server::health_reporter();
        let routes = runtime::grpc_reflection::add(Routes::new(health), &descriptors);
        tokio::spawn(async move {
            for service in services {
                reporter.set_service_status(service, ServingStatus::Serving).await;
            }
        });
        Self { query, operator, own: BoxCloneSyncService::new(routes.prepare()) }
    }

    /// Answers one call.
    pub(crate) async fn call(mut self, request: Request<Incoming>) -> Response<Body> {
        let request = request.map(|body| Body::new(body.map_err(|error| Status::from_error(Box::new(error)))));
        metrics::counter!("aviary_gateway_grpc_calls_total").increment(1);
        let path = request.uri().path().strip_prefix('/').and_then(|path| path.split_once('/'));
        match (path.map(|(service, _)| service), self.operator) {
            (Some(REPORTS), _) => pass_on(self.query, request, "the query service cannot be reached").await,
            (Some(FLEET), Some(operator)) => pass_on(operator, request, "the operator cannot be reached").await,
            (Some(FLEET), None) => status(Status::unimplemented(NO_OPERATOR)),
            _ => match self.own.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }
}

async fn pass_on(mut to: Backend, request: Request<Body>, unreachable: &'static str) -> Response<Body> {
    let answer: Result<_, Unreachable> = async { to.ready().await?.call(request).await }.await;
    answer.unwrap_or_else(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, unreachable);
        status(Status::unavailable(unreachable))
    })
}

fn status(status: Status) -> Response<Body> {
    let mut response = status.into_http();
    *response.status_mut() = StatusCode::OK;
    response
}
