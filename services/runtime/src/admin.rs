//! The admin port: `/livez`, `/readyz` and `/metrics` over plain HTTP/1.1, for probes and scrapers.
//!
//! Every connection carries one request and lives for seconds, and there are only so many of them, so that the port
//! needs no further protection inside a cluster. It knows nothing of the service beside it but its readiness.

mod process;
mod readiness;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use readiness::Readiness;

const DEFAULT_LISTEN: &str = "127.0.0.1:8001";
const MAX_CONNECTIONS: usize = 64;
const MAX_HEAD_BYTES: usize = 16 * 1024;
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to leave `accept` alone after it failed, which it does for as long as file descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Where a process is watched.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Process")]
pub struct AdminArgs {
    /// Serve /livez, /readyz and /metrics on this address, or `off` for no such port
    #[arg(
        long,
        env = "AVIARY_ADMIN_LISTEN",
        value_name = "ADDR|off",
        default_value = DEFAULT_LISTEN
    )]
    pub admin_listen: AdminListen,
}

/// The address of the admin port, if there is to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminListen {
    /// Listen here.
    Address(SocketAddr),
    /// Do without an admin port.
    Off,
}

/// What the admin port tells.
#[derive(Clone, Debug)]
pub struct AdminState {
    /// What `/readyz` answers.
    pub readiness: Readiness,
    /// What `/metrics` answers, beside the figures of the process itself.
    pub metrics: PrometheusHandle,
}

/// Setting up the admin port failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The value of `--admin-listen` is no address.
    #[error("failed to read {0:?} as an address with a port, or `off`")]
    Parse(String),
    /// The address cannot be listened on.
    #[error("failed to bind the admin port to {address}")]
    Bind {
        /// What was to be bound.
        address: SocketAddr,
        /// Why it was not.
        source: std::io::Error,
    },
}

impl AdminArgs {
    /// Binds the admin port; `None` if it is off.
    pub async fn bind(&self) -> Result<Option<TcpListener>, Error> {
        match self.admin_listen {
            AdminListen::Off => Ok(None),
            AdminListen::Address(address) => match TcpListener::bind(address).await {
                Ok(listener) => Ok(Some(listener)),
                Err(source) => Err(Error::Bind { address, source }),
            },
        }
    }
}

impl FromStr for AdminListen {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.parse().map(Self::Address).map_err(|_| Error::Parse(text.to_owned()))
    }
}

impl fmt::Display for AdminListen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

/// Serves the admin port until `shutdown` is cancelled.
///
/// Probes and scrapers want answers while a service drains, so `shutdown` should be cancelled after the drain; that the
/// service takes no more work is told by [`Readiness::set_stopping`].
pub async fn serve(listener: TcpListener, state: AdminState, shutdown: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, state.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection on the admin port");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let closed = async { while connections.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, closed).await;
}

async fn serve_connection(stream: TcpStream, state: AdminState) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), &state);
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A client that stalls or leaves concerns nobody but itself.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
}

fn answer(method: &Method, path: &str, state: &AdminState) -> Response<Full<Bytes>> {
    let route: fn(&AdminState) -> Response<Full<Bytes>> = match path {
        "/livez" => |_| response(StatusCode::OK, TEXT, "ok\n"),
        "/readyz" => ready,
        "/metrics" => metrics,
        _ => |_| response(StatusCode::NOT_FOUND, TEXT, "not found: this port serves /livez, /readyz and /metrics\n"),
    };
    if method == Method::GET || method == Method::HEAD {
        route(state)
    } else {
        let mut response = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "method not allowed: this port answers GET and HEAD\n");
        set(&mut response, ALLOW, "GET, HEAD");
        response
    }
}

fn ready(state: &AdminState) -> Response<Full<Bytes>> {
    let reasons = state.readiness.reasons();
    if reasons.is_empty() {
        return response(StatusCode::OK, TEXT, "ok\n");
    }
    let body = format!("not ready: {}\n", reasons.join(", "));
    response(StatusCode::SERVICE_UNAVAILABLE, TEXT, body)
}

fn metrics(state: &AdminState) -> Response<Full<Bytes>> {
    let mut body = present(&state.metrics.render());
    body.push_str(&process::render());
    response(StatusCode::OK, METRICS, body)
}

/// Leaves out samples that are not a number: so it is said of what a gauge was about that it is gone, as the recorder forgets none.
fn present(rendered: &str) -> String {
    rendered.split_inclusive('\n').filter(|line| !line.trim_end().ends_with(" NaN")).collect()
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

fn set(response: &mut Response<Full<Bytes>>, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::recorder;

    #[test]
    fn what_a_gauge_was_about_is_gone_when_it_is_no_number() {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        let set = |what: &str, value: f64| {
            metrics::with_local_recorder(&recorder, || metrics::gauge!("gauge", "of" => what.to_owned()).set(value));
        };
        set("a", 1.5);
        set("b", f64::NAN);
        let rendered = handle.render();
        assert!(rendered.contains("NaN"), "{rendered}");
        assert_eq!(present(&rendered), rendered.replace("gauge{of=\"b\"} NaN\n", ""));
        assert!(!present(&rendered).contains("\"b\""), "{rendered}");
        set("b", 2.0);
        assert!(present(&handle.render()).contains("gauge{of=\"b\"} 2\n"));
    }
}
