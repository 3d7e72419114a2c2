//! The port of a gRPC service: HTTP/2, with TLS or without, health, limits of a connection, and an orderly end. What is
//! answered, the service decides.

use std::{convert::Infallible, time::Duration};

use http::{Request, Response};
use tokio::{net::TcpListener, sync::watch};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService, service::Routes, transport::Server};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::Service;

use crate::{grpc_reflection, tls};

/// Bytes of a call's headers.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
/// How soon a caller that has vanished without a word is noticed.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// In what one port differs from another.
#[derive(Debug, Clone, Copy)]
pub struct Port {
    /// Calls at a time on one connection; more wait for their turn on the caller's side.
    pub max_streams: u32,
    /// How long calls that are in hand may go on at the end; without it, for as long as they take.
    pub last_words: Option<Duration>,
    /// Descriptor sets that reflection tells clients; without any there is no reflection.
    pub descriptors: &'static [&'static [u8]],
}

/// Says of a port that it always serves.
pub fn always() -> watch::Receiver<bool> {
    watch::Sender::new(true).subscribe()
}

impl Port {
    /// Serves until `over` is done, then finishes what is in hand. Callers are told first: health turns to not serving before the
    /// listener closes. Before that it is what `serves` says, whatever the service answers meanwhile.
    pub async fn serve<S>(
        self,
        listener: TcpListener,
        tls: Option<tls::Server>,
        service: S,
        serves: watch::Receiver<bool>,
        over: impl Future<Output = ()> + Send,
    ) where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let (reporter, health) = tonic_health::server::health_reporter();
        let at_first = *serves.borrow();
        report::<S>(&reporter, at_first).await;
        let mut routes = Routes::new(health).add_service(service);
        if !self.descriptors.is_empty() {
            routes = grpc_reflection::add(routes, self.descriptors);
        }
        let stopped = CancellationToken::new();
        let stopping = async {
            tokio::select! {
                () = over => {}
                () = follow::<S>(&reporter, serves) => {}
            }
            report::<S>(&reporter, false).await;
            stopped.cancel();
        };
        let cut_off = async {
            stopped.cancelled().await;
            match self.last_words {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        let incoming = ReceiverStream::new(tls::incoming(listener, tls)).map(Ok::<_, Infallible>);
        let served = Server::builder()
            .max_concurrent_streams(self.max_streams)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stopping);
        tokio::select! {
            served = served => if let Err(error) = served {
                tracing::error!(error = &error as &dyn std::error::Error, "failed to go on serving");
            },
            () = cut_off => {}
        }
    }
}

/// Reports what is said, whenever that is something else. Never ends.
async fn follow<S: NamedService>(reporter: &HealthReporter, mut serves: watch::Receiver<bool>) {
    while serves.changed().await.is_ok() {
        let now = *serves.borrow_and_update();
        report::<S>(reporter, now).await;
    }
    std::future::pending().await
}

/// Of the service, and of the process as a whole.
async fn report<S: NamedService>(reporter: &HealthReporter, serves: bool) {
    let status = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in [S::NAME, ""] {
        reporter.set_service_status(name, status).await;
    }
}
