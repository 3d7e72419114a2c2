//! The connection to one replica: made when it is needed, given up when nobody is at its other end, and made again.

use std::{io, sync::Arc, time::Duration};

use hyper_util::rt::TokioIo;
use runtime::tls;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{discovery::Names, target::Target};

/// How long a replica may take to be there: its name, its port, and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How soon a replica is noticed that has vanished without a word: after both of these.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes of one answer that may wait here for a client who reads slowly.
const STREAM_WINDOW: u32 = 128 * 1024;
/// Bytes of an answer's headers, which may quote what a client asked.
const MAX_HEADER_BYTES: u32 = 256 * 1024;

/// A replica that cannot be connected with.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Its name has no address, or nobody listens there.
    #[error("failed to connect")]
    Connect(#[source] io::Error),
    /// It is not who it should be.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// It does not answer.
    #[error("failed to connect within {} s", CONNECT_TIMEOUT.as_secs())]
    TooSlow,
}

/// A replica whose name is no name.
#[derive(Debug, thiserror::Error)]
#[error("failed to use {name} as the name of a replica")]
pub(super) struct NotAName {
    name: String,
    source: tonic::transport::Error,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How replicas are connected with.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) names: Arc<Names>,
    pub(super) tls: Option<tls::Client>,
    /// Calls that may be in hand at a time.
    pub(super) max_requests: usize,
}

impl Dialer {
    /// A connection that is made with the first call.
    pub(super) fn channel(&self, target: &Target) -> Result<Channel, NotAName> {
        let authority = format!("{}:{}", target.host, target.port);
        let not_a_name = |source| NotAName { name: authority.clone(), source };
        // Slow readers must not keep others from reading: there is room for all of them at once.
        let window = u32::try_from(self.max_requests)
            .unwrap_or(u32::MAX)
            .saturating_mul(STREAM_WINDOW)
            .clamp(STREAM_WINDOW, i32::MAX as u32);
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("http://{authority}"))
            .map_err(not_a_name)?
            .origin(
                http::Uri::builder().scheme(scheme).authority(authority.as_str()).path_and_query("/").build().unwrap_or_default(),
            )
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(window)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .buffer_size(self.max_requests);
        let (dialer, target) = (self.clone(), target.clone());
        Ok(endpoint.connect_with_connector_lazy(service_fn(move |_| {
            let (dialer, target) = (dialer.clone(), target.clone());
            async move {
                let dial = tokio::time::timeout(CONNECT_TIMEOUT, dialer.dial(&target)).await;
                dial.unwrap_or(Err(Error::TooSlow)).map(TokioIo::new)
            }
        })))
    }

    async fn dial(&self, target: &Target) -> Result<Box<dyn Io>, Error> {
        let addresses = self.names.addresses(&target.host, target.port).await.map_err(Error::Connect)?;
        let stream = TcpStream::connect(addresses.as_slice()).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => Ok(Box::new(tls.connect(stream, &target.host).await?)),
        }
    }
}
