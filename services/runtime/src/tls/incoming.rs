//! Connections as they come, over TLS or without: so many at a time, so many of them still agreeing on TLS, and none of
//! them in the way of another one.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::Server;

/// Connections at a time; more wait to be accepted.
const MAX_CONNECTIONS: usize = 1024;
/// Of these, how many may still be agreeing on TLS.
const MAX_HANDSHAKES: usize = 64;
/// Connections that may wait to be served.
const MAX_WAITING: usize = 16;
/// How long to leave `accept` alone after it failed, which it does for as long as file descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A connection with a client.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    peer: TcpConnectInfo,
    _place: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Accepts connections until the receiver is dropped, which closes the listener.
pub fn incoming(listener: TcpListener, tls: Option<Server>) -> mpsc::Receiver<Stream> {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    tokio::spawn(accept(listener, tls, sender));
    receiver
}

async fn accept(listener: TcpListener, tls: Option<Server>, sender: mpsc::Sender<Stream>) {
    let (places, handshakes) = (Arc::new(Semaphore::new(MAX_CONNECTIONS)), Arc::new(Semaphore::new(MAX_HANDSHAKES)));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.ok()?;
            let handshake = Arc::clone(&handshakes).acquire_owned().await.ok()?;
            Some((listener.accept().await, place, handshake))
        };
        let accepted = tokio::select! {
            () = sender.closed() => return,
            accepted = next => accepted,
        };
        let Some((accepted, place, handshake)) = accepted else { return };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        let (tls, sender) = (tls.clone(), sender.clone());
        tokio::spawn(async move {
            let peer = stream.connect_info();
            let io = match tls {
                None => Io::Plain(stream),
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => Io::Tls(Box::new(stream)),
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, peer = ?peer.remote_addr, "no connection");
                        return;
                    }
                },
            };
            drop(handshake);
            // Nobody is there to serve it when the process ends.
            let _ = sender.send(Stream { io, peer, _place: place }).await;
        });
    }
}

impl Connected for Stream {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.peer.clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Io::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Io::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Io::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(context),
            Io::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Io::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
