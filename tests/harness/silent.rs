//! A query service that says that it is well and answers nothing: it tells the test what it was asked, and when nobody
//! waits for the answer any more.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderMap;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Server;

const DEADLINE: Duration = Duration::from_secs(20);

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A call came, with these headers.
    Asked(HeaderMap),
    /// Nobody waits for its answer any more.
    Abandoned,
}

/// The service, in threads of its own; dropping it ends it.
pub struct Silent {
    pub url: String,
    events: Receiver<Event>,
    runtime: Option<tokio::runtime::Runtime>,
}

#[derive(Clone)]
struct Service(Sender<Event>);

struct Waiting(Sender<Event>);

impl Silent {
    pub fn start() -> Silent {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, events) = mpsc::channel();
        runtime.spawn(async move {
            let (reporter, health) = tonic_health::server::health_reporter();
            reporter.set_serving::<Service>().await;
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
            Server::builder().add_service(health).add_service(Service(sender)).serve_with_incoming(incoming).await
        });
        Silent { url, events, runtime: Some(runtime) }
    }

    /// The headers of the next call.
    pub fn asked(&self) -> HeaderMap {
        match self.events.recv_timeout(DEADLINE).expect("it is asked") {
            Event::Asked(headers) => headers,
            Event::Abandoned => panic!("a question was abandoned before the next one came"),
        }
    }

    /// Waits until nobody waits for an answer.
    pub fn abandoned(&self) {
        match self.events.recv_timeout(DEADLINE).expect("the question is abandoned") {
            Event::Abandoned => {}
            Event::Asked(_) => panic!("another question came"),
        }
    }

    /// Whether nothing has happened that was not told yet.
    pub fn is_quiet(&self) -> bool {
        self.events.try_recv().is_err()
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl NamedService for Service {
    const NAME: &'static str = "aviary.report.v1.ReportService";
}

impl tower::Service<http::Request<Body>> for Service {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let _ = self.0.send(Event::Asked(request.headers().clone()));
        let waiting = Waiting(self.0.clone());
        Box::pin(async move {
            let _waiting = waiting;
            std::future::pending().await
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.send(Event::Abandoned);
    }
}
