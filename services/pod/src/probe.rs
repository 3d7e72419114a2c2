//! Whether a server serves: it takes its administrator over its socket, and answers for the root of each suffix. A suffix that is
//! being given all its entries answers with somebody else's address, which is no answer.

use std::time::Duration;

use agent::{ldap::Connection, process::Process};
use directory::dn::Dn;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a server does not serve.
pub(crate) const SILENT: &str = "the server does not answer";
/// The same.
pub(crate) const UNSERVED: &str = "the server does not answer for a suffix";

/// Asks a server, over one connection for as long as that lasts.
#[derive(Default)]
pub(crate) struct Probe {
    connection: Option<Connection>,
}

impl Probe {
    /// Why the server does not serve these suffixes; `None` if it does.
    pub(crate) async fn ask(&mut self, process: &Process, suffixes: &[Dn]) -> Option<&'static str> {
        match tokio::time::timeout(PATIENCE, ask(self.connection.take(), process, suffixes)).await {
            Ok(Ok(connection)) => {
                self.connection = Some(connection);
                None
            }
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some(SILENT),
        }
    }
}

async fn ask(known: Option<Connection>, process: &Process, suffixes: &[Dn]) -> Result<Connection, &'static str> {
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
