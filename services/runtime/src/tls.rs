//! TLS from PEM files, for both ends of a connection: made by rustls with aws-lc-rs, and read again when the files change,
//! so that a new certificate needs no restart. Who may call whom, certificates say; names and ports, the services.

mod args;
mod files;
mod greeting;
mod incoming;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::ServerName,
    server::{VerifierBuilderError, WebPkiClientVerifier},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tokio_util::task::AbortOnDropHandle;

pub use args::{OperatorTlsArgs, TlsClientArgs, TlsServerArgs};
use files::{Files, Identity};
pub use greeting::greet;
pub use incoming::{Stream, incoming};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How long a handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// What is spoken inside.
const HTTP_2: &[u8] = b"h2";

/// What can be wrong with an identity, or with the other side of a connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag is missing beside another one.
    #[error("{given} is given without {missing}")]
    Incomplete {
        /// What is there.
        given: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// A file cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// Which one.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no PEM file, or has nothing of what it should have.
    #[error("failed to find {what} in {path}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: String,
    },
    /// rustls does not take the certificates or the key: they do not belong together, for example.
    #[error("failed to use the certificates")]
    Certificates(#[source] rustls::Error),
    /// The certificates of the clients' authority cannot be used.
    #[error("failed to use the certificates of the clients' authority")]
    ClientAuthority(#[source] VerifierBuilderError),
    /// The name that the other side should have is no name.
    #[error("{0:?} is no name of a server")]
    Name(String),
    /// The other side is not who it should be, or does not speak TLS.
    #[error("failed to agree on TLS")]
    Handshake(#[source] std::io::Error),
    /// The other side was too slow.
    #[error("failed to agree on TLS within {} s", HANDSHAKE_TIMEOUT.as_secs())]
    TooSlow,
}

/// The side that is called.
#[derive(Clone, Debug)]
pub struct Server(Arc<Reloaded<ServerConfig>>);

/// The side that calls.
#[derive(Clone, Debug)]
pub struct Client {
    config: Arc<Reloaded<ClientConfig>>,
    /// Whom every server has to prove to be, whatever it was called as.
    name: Option<ServerName<'static>>,
}

/// A configuration that follows its files.
#[derive(Debug)]
struct Reloaded<C> {
    current: Arc<ArcSwap<C>>,
    /// Where there are files.
    _look: Option<AbortOnDropHandle<()>>,
}

impl<C: Send + Sync + 'static> Reloaded<C> {
    /// Reads the files now, and again when they change.
    async fn start(files: Files, build: fn(&Files, &files::Contents) -> Result<C, Error>) -> Result<Self, Error> {
        let contents = files.read().await?;
        let current = Arc::new(ArcSwap::from_pointee(build(&files, &contents)?));
        let look = tokio::spawn(follow(files, contents, Arc::clone(&current), build));
        Ok(Self { current, _look: Some(AbortOnDropHandle::new(look)) })
    }
}

/// Puts what the files say in place whenever they say something new. What cannot be used is told once and left alone.
async fn follow<C>(
    files: Files,
    mut seen: files::Contents,
    current: Arc<ArcSwap<C>>,
    build: fn(&Files, &files::Contents) -> Result<C, Error>,
) {
    let mut unreadable = false;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let contents = match files.read().await {
            Ok(contents) => contents,
            Err(error) => {
                if !unreadable {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the certificates before stay in use");
                }
                unreadable = true;
                continue;
            }
        };
        unreadable = false;
        if contents == seen {
            continue;
        }
        match build(&files, &contents) {
            Ok(config) => {
                current.store(Arc::new(config));
                tracing::info!(files = %files, "new certificates are in use");
            }
            // While several files are being replaced they do not belong together.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the certificates before stay in use");
            }
        }
        seen = contents;
    }
}

impl Server {
    async fn start(files: Files) -> Result<Self, Error> {
        Ok(Self(Arc::new(Reloaded::start(files, server_config).await?)))
    }

    /// Agrees on TLS with a client, within a few seconds.
    ///
    /// # Errors
    /// When the client is too slow, does not speak TLS, or lacks a certificate that we know.
    pub async fn accept(&self, stream: TcpStream) -> Result<server::TlsStream<TcpStream>, Error> {
        let acceptor = TlsAcceptor::from(self.0.current.load_full());
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
        handshake.map_err(|_| Error::TooSlow)?.map_err(Error::Handshake)
    }
}

impl Client {
    async fn start(files: Files, name: Option<&str>) -> Result<Self, Error> {
        let name = name.map(server_name).transpose()?;
        Ok(Self { config: Arc::new(Reloaded::start(files, client_config).await?), name })
    }

    /// The side that calls with this certificate and key, and knows servers by this authority, all as PEM.
    ///
    /// # Errors
    /// When there is nothing that can be used in one of them.
    pub fn from_pem(certificate: &str, key: &str, authority: &str) -> Result<Self, Error> {
        let (files, contents) = files::in_memory(certificate, key, authority);
        let current = Arc::new(ArcSwap::from_pointee(client_config(&files, &contents)?));
        Ok(Self { config: Arc::new(Reloaded { current, _look: None }), name: None })
    }

    /// Agrees on TLS with a server that was called by this host name or address, within a few seconds.
    ///
    /// # Errors
    /// When the server is too slow, does not speak TLS, or cannot prove to be who it should be.
    pub async fn connect(&self, stream: TcpStream, host: &str) -> Result<client::TlsStream<TcpStream>, Error> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => server_name(host)?,
        };
        let connector = TlsConnector::from(self.config.current.load_full());
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, connector.connect(name, stream)).await;
        handshake.map_err(|_| Error::TooSlow)?.map_err(Error::Handshake)
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    // An IPv6 address has brackets in a URL, and a name from DNS a dot at its end.
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    ServerName::try_from(bare.to_owned()).map_err(|_| Error::Name(host.to_owned()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn roots(files: &Files, contents: &files::Contents) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in files.authority(contents)? {
        roots.add(certificate).map_err(Error::Certificates)?;
    }
    Ok(Arc::new(roots))
}

fn server_config(files: &Files, contents: &files::Contents) -> Result<ServerConfig, Error> {
    let Identity { chain, key } = files.identity(contents)?;
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(Error::Certificates)?;
    let builder = if contents.authority.is_some() {
        let verifier = WebPkiClientVerifier::builder_with_provider(roots(files, contents)?, provider());
        builder.with_client_cert_verifier(verifier.build().map_err(Error::ClientAuthority)?)
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_single_cert(chain, key).map_err(Error::Certificates)?;
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(config)
}

fn client_config(files: &Files, contents: &files::Contents) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(Error::Certificates)?
        .with_root_certificates(roots(files, contents)?);
    let mut config = if contents.certificate.is_some() {
        let Identity { chain, key } = files.identity(contents)?;
        builder.with_client_auth_cert(chain, key).map_err(Error::Certificates)?
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(config)
}
