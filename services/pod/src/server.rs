//! The port of the service: gRPC with TLS on both sides. What is answered is decided elsewhere.

use std::time::Duration;

use aviary_proto::directory::v1::agent_service_server::AgentServiceServer;
use runtime::{
    grpc_port::{self, Port},
    tls,
};
use tokio::net::TcpListener;

use crate::service::Service;

/// Longest document.
const MAX_DOCUMENT_BYTES: usize = 4 << 20;
/// Those who watch hear of the end within this time.
const LAST_WORDS: Duration = Duration::from_secs(2);
const PORT: Port = Port { max_streams: 64, last_words: Some(LAST_WORDS), descriptors: &[] };

/// Serves until `over` is done, and a moment longer for those who do not go at once.
pub(crate) async fn serve(listener: TcpListener, service: Service, tls: tls::Server, over: impl Future<Output = ()> + Send) {
    let agent = AgentServiceServer::new(service).max_decoding_message_size(MAX_DOCUMENT_BYTES);
    PORT.serve(listener, Some(tls), agent, grpc_port::always(), over).await;
}
