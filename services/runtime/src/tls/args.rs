//! The flags of TLS, for a service that is called and for one that calls another.

use std::path::PathBuf;

use super::{Client, Error, Server, files::Files};

/// How a service proves who it is, and whom it lets in.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsServerArgs {
    /// File with the certificate to be called by over TLS, and those above it, as PEM; read again when it changes
    #[arg(long, env = "AVIARY_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// File with the key of the certificate, as PEM
    #[arg(long, env = "AVIARY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Let in only clients with a certificate of an authority in this PEM file
    #[arg(long, env = "AVIARY_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
}

/// How a service that calls query tells that it is query, and proves who it is itself.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsClientArgs {
    /// Call query over TLS; its certificate must be of an authority in this PEM file, which is read again when it changes
    #[arg(long, env = "AVIARY_QUERY_TLS_CA", value_name = "FILE")]
    pub query_tls_ca: Option<PathBuf>,

    /// File with our own certificate for query, as PEM
    #[arg(long, env = "AVIARY_QUERY_TLS_CERT", value_name = "FILE")]
    pub query_tls_cert: Option<PathBuf>,

    /// File with the key of our own certificate, as PEM
    #[arg(long, env = "AVIARY_QUERY_TLS_KEY", value_name = "FILE")]
    pub query_tls_key: Option<PathBuf>,

    /// The name that query's certificate must have [default: the host name that it is called by]
    #[arg(long, env = "AVIARY_QUERY_TLS_NAME", value_name = "NAME")]
    pub query_tls_name: Option<String>,
}

/// The same for a service that calls the operator.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "TLS")]
pub struct OperatorTlsArgs {
    /// Call the operator over TLS; its certificate must be of an authority in this PEM file, which is read again when it changes
    #[arg(long, env = "AVIARY_OPERATOR_TLS_CA", value_name = "FILE")]
    pub operator_tls_ca: Option<PathBuf>,

    /// File with our own certificate for the operator, as PEM
    #[arg(long, env = "AVIARY_OPERATOR_TLS_CERT", value_name = "FILE")]
    pub operator_tls_cert: Option<PathBuf>,

    /// File with the key of our own certificate, as PEM
    #[arg(long, env = "AVIARY_OPERATOR_TLS_KEY", value_name = "FILE")]
    pub operator_tls_key: Option<PathBuf>,

    /// The name that the operator's certificate must have [default: the host name that it is called by]
    #[arg(long, env = "AVIARY_OPERATOR_TLS_NAME", value_name = "NAME")]
    pub operator_tls_name: Option<String>,
}

impl TlsServerArgs {
    /// Reads the files, if there are to be any, and follows them.
    ///
    /// # Errors
    /// When a file is missing, cannot be read, or has nothing that can be used.
    pub async fn load(&self) -> Result<Option<Server>, Error> {
        let Self { tls_cert, tls_key, tls_client_ca } = self;
        both(tls_cert, "--tls-cert", tls_key, "--tls-key")?;
        if tls_cert.is_none() {
            return match tls_client_ca {
                Some(_) => Err(Error::Incomplete { given: "--tls-client-ca", missing: "--tls-cert" }),
                None => Ok(None),
            };
        }
        let files = Files { certificate: tls_cert.clone(), key: tls_key.clone(), authority: tls_client_ca.clone() };
        Server::start(files).await.map(Some)
    }
}

impl TlsClientArgs {
    /// Reads the files, if there are to be any, and follows them.
    ///
    /// # Errors
    /// When a file is missing, cannot be read, or has nothing that can be used.
    pub async fn load(&self) -> Result<Option<Client>, Error> {
        let Self { query_tls_ca, query_tls_cert, query_tls_key, query_tls_name } = self;
        let files = Files { certificate: query_tls_cert.clone(), key: query_tls_key.clone(), authority: query_tls_ca.clone() };
        let flags = ["--query-tls-ca", "--query-tls-cert", "--query-tls-key", "--query-tls-name"];
        client(files, query_tls_name.as_deref(), flags).await
    }
}

impl OperatorTlsArgs {
    /// Reads the files, if there are to be any, and follows them.
    ///
    /// # Errors
    /// When a file is missing, cannot be read, or has nothing that can be used.
    pub async fn load(&self) -> Result<Option<Client>, Error> {
        let Self { operator_tls_ca, operator_tls_cert, operator_tls_key, operator_tls_name } = self;
        let files =
            Files { certificate: operator_tls_cert.clone(), key: operator_tls_key.clone(), authority: operator_tls_ca.clone() };
        let flags = ["--operator-tls-ca", "--operator-tls-cert", "--operator-tls-key", "--operator-tls-name"];
        client(files, operator_tls_name.as_deref(), flags).await
    }
}

/// The side that calls, from the files and the name that its flags give.
async fn client(files: Files, name: Option<&str>, flags: [&'static str; 4]) -> Result<Option<Client>, Error> {
    let [authority, certificate, key, its_name] = flags;
    both(&files.certificate, certificate, &files.key, key)?;
    if files.authority.is_none() {
        let given = [(files.certificate.is_some(), certificate), (name.is_some(), its_name)];
        return match given.into_iter().find(|(given, _)| *given) {
            // Whoever gives these believes that the calls are safe.
            Some((_, given)) => Err(Error::Incomplete { given, missing: authority }),
            None => Ok(None),
        };
    }
    Client::start(files, name).await.map(Some)
}

fn both(one: &Option<PathBuf>, its_flag: &'static str, other: &Option<PathBuf>, other_flag: &'static str) -> Result<(), Error> {
    match (one, other) {
        (Some(_), None) => Err(Error::Incomplete { given: its_flag, missing: other_flag }),
        (None, Some(_)) => Err(Error::Incomplete { given: other_flag, missing: its_flag }),
        _ => Ok(()),
    }
}
