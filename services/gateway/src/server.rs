//! The listener: connections, one HTTP and gRPC port, limits on what a client may send, and an orderly end. What a request
//! is answered with is decided elsewhere.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tracing::Instrument;

use crate::{
    answer::{Asked, Shared},
    cors::Cors,
    error::{Error, Reason},
    grpc::Grpc,
    negotiate::prefers_html,
    reply::{self, Body, Reply},
    router,
    target::{self, Target},
    ui,
};

/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;
/// Bytes of a request's line and headers that are read at all; more breaks the connection.
const MAX_HEAD_BYTES: usize = 256 * 1024;
/// Bytes of a request's headers.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// Bytes of a query string.
const MAX_QUERY_BYTES: usize = 64 * 1024;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves until `shutdown` is done, then finishes what is in hand.
pub fn serve(
    listener: TcpListener,
    gateway: Shared,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> BoxFuture<'static, ()> {
    boxed(listener, gateway, Box::pin(shutdown))
}

/// Without type parameters, so that all of this is compiled once, here, and not again by each command.
fn boxed(listener: TcpListener, gateway: Shared, shutdown: BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    Box::pin(accept_until(listener, gateway, shutdown))
}

async fn accept_until(listener: TcpListener, gateway: Shared, mut shutdown: BoxFuture<'static, ()>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let grpc = Grpc::new(&gateway);
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD_BYTES);
    http.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEAD_BYTES as u32).max_concurrent_streams(256);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let (gateway, grpc) = (Arc::clone(&gateway), grpc.clone());
        let service = hyper::service::service_fn(move |request| {
            let (gateway, grpc) = (Arc::clone(&gateway), grpc.clone());
            async move { Ok::<_, Infallible>(handle(&gateway, grpc, peer, request).await) }
        });
        let connection = graceful.watch(http.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Small answers must not wait for more.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(error = %error, "failed to accept a connection");
            // Out of file descriptors, most likely: connections have to end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn handle(gateway: &Shared, grpc: Grpc, peer: SocketAddr, request: Request<Incoming>) -> Response<Body> {
    if request.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc")) {
        return grpc.call(request).await.map(reply::stream);
    }
    let started = Instant::now();
    let id = request_id(gateway, request.headers().get(REQUEST_ID));
    let span = tracing::info_span!("request", http.method = %request.method(), http.path = request.uri().path(), request.id = id.to_str().unwrap_or_default());
    runtime::trace_context::set_parent(&span, request.headers());
    let mut reply = answer(gateway, peer, &request).instrument(span.clone()).await;
    let status = reply.status().as_u16();
    let seconds = started.elapsed();
    metrics::histogram!("aviary_gateway_request_duration_seconds", "status" => status_class(status))
        .record(seconds.as_secs_f64());
    tracing::debug!(parent: &span, http.status = status, duration_ms = seconds.as_millis() as u64, "answered");
    reply.headers_mut().insert(REQUEST_ID, id);
    if request.method() == Method::HEAD {
        return without_body(reply);
    }
    reply
}

fn status_class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

async fn answer(gateway: &Shared, peer: SocketAddr, request: &Request<Incoming>) -> Reply {
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return reply::read_only();
    }
    let accept = request.headers().get(http::header::ACCEPT).and_then(|value| value.to_str().ok());
    match route(gateway, peer, request, accept).await {
        Ok(reply) => reply,
        Err(error) => {
            let row = error.reason.row();
            if row.status.is_server_error() {
                tracing::warn!(error.reason = row.name, error.detail = %error.detail, "no answer");
            }
            metrics::counter!("aviary_gateway_errors_total", "reason" => row.name).increment(1);
            reply::error(&error, prefers_html(accept))
        }
    }
}

async fn route(gateway: &Shared, peer: SocketAddr, request: &Request<Incoming>, accept: Option<&str>) -> Result<Reply, Error> {
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MAX_HEADER_BYTES {
        return Err(Error::new(Reason::HeadersTooLarge, "the headers are too large"));
    }
    let query = request.uri().query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        return Err(Error::new(Reason::UriTooLong, "the query string is too long"));
    }
    let target = gateway.config.mounts.target(request.uri().path()).map_err(|error| {
        let reason = match error {
            target::Error::TooLong => Reason::UriTooLong,
            target::Error::NotText | target::Error::NotALocation => Reason::LocationInvalid,
            target::Error::OutsideBase => Reason::PageNotFound,
        };
        Error::new(reason, error.to_string())
    })?;
    let origin = gateway.config.proxies.origin(peer, request.uri(), request.headers())?;
    match target {
        Target::Healthcheck => Ok(reply::plain_json(http::StatusCode::OK, "{\"status\":\"working\"}".to_owned())),
        Target::Own(page) => Err(Error::new(Reason::PageNotFound, format!("there is no page /-/{page}"))),
        Target::Folder { location, slash } => {
            ui::folder::folder(gateway, &location, slash, query, accept, &origin).await.map_err(missing_folder)
        }
        Target::Report { location, script, inside } => {
            if let Some(mut reply) = Cors::preflight(request.method(), request.headers()) {
                gateway.config.cors.allow(request.method(), request.headers(), reply.headers_mut());
                return Ok(reply);
            }
            let asked = Asked {
                method: request.method(),
                headers: request.headers(),
                query,
                script: &script,
                inside: &inside,
                location: &location,
                origin,
                suffix: None,
            };
            let mut reply = router::report(gateway, asked).await?;
            gateway.config.cors.allow(request.method(), request.headers(), reply.headers_mut());
            Ok(reply)
        }
    }
}

/// A path that is no folder either.
fn missing_folder(error: Error) -> Error {
    match error.reason {
        Reason::ReportNotFound => Error::new(Reason::ReportNotFound, "there is no report and no folder at this path"),
        _ => error,
    }
}

/// The id that a request came with, if it can be repeated; otherwise one of ours.
fn request_id(gateway: &Shared, given: Option<&HeaderValue>) -> HeaderValue {
    let good = |id: &&HeaderValue| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    given.filter(good).cloned().unwrap_or_else(|| gateway.next_request_id())
}

/// The same headers without the body, its length included.
fn without_body(mut reply: Reply) -> Reply {
    use http_body::Body as _;
    if let Some(length) = reply.body().size_hint().exact()
        && !reply.headers().contains_key(http::header::CONTENT_LENGTH)
        && length > 0
    {
        reply.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    reply.map(|_| reply::full(""))
}
