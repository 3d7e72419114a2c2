//! The port of the service: gRPC over HTTP/2 with TLS on both sides, health, limits of a connection, and an end. What is answered
//! is decided elsewhere.

use std::{convert::Infallible, time::Duration};

use aviary_proto::directory::v1::agent_service_server::AgentServiceServer;
use futures::FutureExt;
use runtime::tls;
use tokio::net::TcpListener;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::transport::Server;
use tonic_health::ServingStatus;

use crate::service::Service;

/// Calls at a time on one connection; more wait for their turn on the caller's side.
const MAX_STREAMS: u32 = 64;
/// Bytes of a call's headers.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// Longest document.
const MAX_DOCUMENT_BYTES: usize = 4 << 20;
/// How soon a caller that has vanished without a word is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long those who watch may take to hear the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Serves until `over` is done, and a moment longer for those who do not go at once.
pub(crate) async fn serve(listener: TcpListener, service: Service, tls: tls::Server, over: impl Future<Output = ()> + Send) {
    let over = over.shared();
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<AgentServiceServer<Service>>().await;
    let agent = AgentServiceServer::new(service).max_decoding_message_size(MAX_DOCUMENT_BYTES);
    let stopping = async {
        over.clone().await;
        reporter.set_not_serving::<AgentServiceServer<Service>>().await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
    };
    let incoming = ReceiverStream::new(tls::incoming(listener, Some(tls))).map(Ok::<_, Infallible>);
    let served = Server::builder()
        .max_concurrent_streams(MAX_STREAMS)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(health)
        .add_service(agent)
        .serve_with_incoming_shutdown(incoming, stopping);
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to go on serving");
        },
        () = async { over.clone().await; tokio::time::sleep(LAST_WORDS).await } => {}
    }
}
