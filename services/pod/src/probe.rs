//! Whether a server serves: it takes its administrator over its socket, answers for the root of each suffix, and greets whoever
//! comes to its port with TLS. A suffix that is being given all its entries answers with somebody else's address, which is no answer.

use std::time::Duration;

use agent::ldap::Connection;
use directory::dn::Dn;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::settle::Server;

/// How long each part of it may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at a port that was answered at: each is two lines in the server's log.
const LISTENS_FOR: Duration = Duration::from_secs(10);

/// Why a server does not serve.
pub(crate) const SILENT: &str = "the server does not answer";
/// The same.
pub(crate) const UNSERVED: &str = "the server does not answer for a suffix";
/// The same.
pub(crate) const DEAF: &str = "the server does not answer with TLS at its port";

/// The same.
pub(crate) const BARE: &str = "the server has none of its suffixes yet";

/// Asks a server, over one connection for as long as that lasts.
#[derive(Default)]
pub(crate) struct Probe {
    connection: Option<Connection>,
    /// When its port was answered at.
    heard: Option<Instant>,
}

impl Probe {
    /// Why the server does not serve; `None` if it does.
    pub(crate) async fn ask(&mut self, server: &Server) -> Option<&'static str> {
        if server.is_bare {
            return Some(BARE);
        }
        // One that did not answer may be another the next time.
        let heard = self.heard.take();
        match timeout(PATIENCE, ask(self.connection.take(), server)).await {
            Ok(Ok(connection)) => self.connection = Some(connection),
            Ok(Err(reason)) => return Some(reason),
            Err(_) => return Some(SILENT),
        }
        self.heard = match heard {
            Some(heard) if heard.elapsed() < LISTENS_FOR => Some(heard),
            _ => listens(server.secure.as_ref()).await.then(Instant::now),
        };
        self.heard.is_none().then_some(DEAF)
    }
}

/// Whether it greets strangers where it is said to.
async fn listens(secure: Option<&(String, u16)>) -> bool {
    let Some((host, port)) = secure else { return true };
    let greeted = async {
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        runtime::tls::greet(stream, host).await?;
        Ok::<_, anyhow::Error>(())
    };
    match timeout(PATIENCE, greeted).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::debug!(host, port, "{error:#}");
            false
        }
        Err(_) => false,
    }
}

async fn ask(known: Option<Connection>, server: &Server) -> Result<Connection, &'static str> {
    let (process, suffixes) = (&server.process, &server.suffixes);
    let mut connection = match known {
        Some(connection) => connection,
        None => Connection::open(&process.socket).await.map_err(|_| SILENT)?,
    };
    if suffixes.is_empty() {
        connection.entry(&Dn::root(), &["1.1"]).await.map_err(|_| SILENT)?;
    }
    for suffix in suffixes {
        // One that has no entry yet is served all the same: somebody may want to add it.
        connection.entry(suffix, &["1.1"]).await.map_err(|error| if error.is_refused() { UNSERVED } else { SILENT })?;
    }
    Ok(connection)
}
