//! The port of the service: gRPC, with TLS or without; and the service without a port. What is answered is decided elsewhere.

use std::{convert::Infallible, future::Future};

use aviary_proto::report::v1::report_service_server::ReportServiceServer;
use futures::future::BoxFuture;
use runtime::{
    grpc_port::{self, Port},
    tls,
};
use tokio::net::TcpListener;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

use crate::Service;

/// Longest question. Questions are filters of a few texts.
const MAX_QUESTION_BYTES: usize = 1 << 20;
const PORT: Port = Port { max_streams: 1024, last_words: None, descriptors: &[] };

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
    let reports = ReportServiceServer::new(service).max_decoding_message_size(MAX_QUESTION_BYTES);
    Box::pin(PORT.serve(listener, tls, reports, grpc_port::always(), shutdown))
}
