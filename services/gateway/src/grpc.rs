//! gRPC on the gateway's port: the report service passed on as it is, health and reflection of our own.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tonic::body::Body;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{
    answer::Shared,
    backend::{Backend, Unreachable},
};

type Own = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The service whose calls are passed on.
pub(crate) const REPORTS: &str = "aviary.report.v1.ReportService";

/// Answers gRPC requests.
#[derive(Clone)]
pub(crate) struct Grpc {
    backend: Backend,
    /// Health and reflection.
    own: Own,
}

impl Grpc {
    pub(crate) fn new(gateway: &Shared) -> Self {
        let reflection = |version_1: bool| {
            let builder =
                tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(aviary_proto::DESCRIPTORS);
            let builder = builder.register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
            // So that clients can show the details of errors.
            let builder = builder.register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
            (builder, version_1)
        };
        let (health_reporter, health) = tonic_health::server::health_reporter();
        let mut routes = tonic::service::Routes::new(health);
        if let Ok(service) = reflection(true).0.build_v1() {
            routes = routes.add_service(service);
        }
        // Clients of the older protocol are still around.
        if let Ok(service) = reflection(false).0.build_v1alpha() {
            routes = routes.add_service(service);
        }
        tokio::spawn(async move { health_reporter.set_service_status(REPORTS, tonic_health::ServingStatus::Serving).await });
        Self { backend: gateway.backend.clone(), own: BoxCloneSyncService::new(routes.prepare()) }
    }

    /// Answers one call.
    pub(crate) async fn call(mut self, request: Request<Incoming>) -> Response<Body> {
        let request = request.map(|body| Body::new(body.map_err(|error| tonic::Status::from_error(Box::new(error)))));
        metrics::counter!("aviary_gateway_grpc_calls_total").increment(1);
        let passed_on = request
            .uri()
            .path()
            .strip_prefix('/')
            .and_then(|path| path.split_once('/'))
            .is_some_and(|(service, _)| service == REPORTS);
        if passed_on {
            let answer = match self.backend.ready().await {
                Ok(backend) => backend.call(request).await,
                Err(error) => Err(error),
            };
            return answer.unwrap_or_else(|error| unavailable(&error));
        }
        match self.own.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn unavailable(error: &Unreachable) -> Response<Body> {
    tracing::warn!(error = error as &dyn std::error::Error, "the query service cannot be reached");
    let mut response = tonic::Status::unavailable("the query service cannot be reached").into_http();
    *response.status_mut() = StatusCode::OK;
    response
}
