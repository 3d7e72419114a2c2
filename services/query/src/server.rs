//! The port of the service: gRPC over HTTP/2, with TLS or without, health, limits of a connection, and an orderly end. What
//! is answered is decided elsewhere.

use std::{convert::Infallible, future::Future, time::Duration};

use aviary_proto::report::v1::report_service_server::ReportServiceServer;
use futures::future::BoxFuture;
use runtime::tls;
use tokio::net::TcpListener;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{body::Body, transport::Server};
use tonic_health::ServingStatus;
use tower::util::BoxCloneSyncService;

use crate::Service;

/// Calls at a time on one connection; more wait for their turn on the caller's side.
const MAX_STREAMS: u32 = 1024;
/// Bytes of a call's headers.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Longest question. Questions are filters of a few texts.
const MAX_QUESTION_BYTES: usize = 1 << 20;
/// How soon a caller that has vanished without a word is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until `shutdown` is done, then finishes what is in hand. Callers are told first: health turns to not serving
/// before the listener closes.
pub fn serve(
    listener: TcpListener,
    service: Service,
    tls: Option<tls::Server>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> BoxFuture<'static, ()> {
    boxed(listener, service, tls, Box::pin(shutdown))
}

/// The service for callers in the same process.
pub type InProcess = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

/// Answers gRPC requests without a port.
pub fn in_process(service: Service) -> InProcess {
    BoxCloneSyncService::new(ReportServiceServer::new(service))
}

/// Without type parameters, so that all of this is compiled once, here, and not again by each command.
fn boxed(
    listener: TcpListener,
    service: Service,
    tls: Option<tls::Server>,
    shutdown: BoxFuture<'static, ()>,
) -> BoxFuture<'static, ()> {
    Box::pin(serve_until(listener, service, tls, shutdown))
}

async fn serve_until(listener: TcpListener, service: Service, tls: Option<tls::Server>, shutdown: BoxFuture<'static, ()>) {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<ReportServiceServer<Service>>().await;
    let reports = ReportServiceServer::new(service).max_decoding_message_size(MAX_QUESTION_BYTES);
    let stopping = async move {
        shutdown.await;
        reporter.set_not_serving::<ReportServiceServer<Service>>().await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
    };
    let incoming = ReceiverStream::new(tls::incoming(listener, tls)).map(Ok::<_, Infallible>);
    let served = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(health)
        .add_service(reports)
        .serve_with_incoming_shutdown(incoming, stopping)
        .await;
    if let Err(error) = served {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to go on serving");
    }
}
