//! The one place that speaks LDAP: to a server of this host over its socket, as its administrator. What is asked and changed
//! is for others to say.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use directory::{dn::Dn, entry::Entry, secret::Secret};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Mod, Scope, SearchEntry, SearchOptions};

/// How long a connection may take to be made. The server may be busy, but it is on this host.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one operation may take.
const OPERATION: Duration = Duration::from_secs(120);

/// Result codes that callers act on.
const OPERATIONS_ERROR: u32 = 1;
const SIZE_LIMIT_EXCEEDED: u32 = 4;
const BUSY: u32 = 51;
const NO_SUCH_OBJECT: u32 = 32;
const INVALID_CREDENTIALS: u32 = 49;
const ENTRY_ALREADY_EXISTS: u32 = 68;

/// Why the server did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens on the socket: the server does not run, or is about to start.
    #[error("failed to connect to the server on {}: {source}", socket.display())]
    Silent {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server refuses to take this user for its administrator, or is not what listens there.
    #[error("failed to connect to the server on {}: {problem}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// The connection broke: the outcome is not known.
    #[error("failed to {what} {dn}: the connection was lost: {problem}; see whether the server runs, then try again")]
    Lost {
        /// What was asked for.
        what: &'static str,
        /// The entry.
        dn: String,
        /// What went wrong.
        problem: String,
    },
    /// The server said no.
    #[error("failed to {what} {dn}: the server says {code} {text}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The entry.
        dn: String,
        /// LDAP's result code.
        code: u32,
        /// What the server says of it.
        text: String,
    },
}

impl Error {
    /// Whether there is no such entry.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { code: NO_SUCH_OBJECT, .. })
    }

    /// Whether the server has answered, and the answer is no.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether the server cannot answer yet: its database is being exchanged.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Refused { code: OPERATIONS_ERROR | BUSY, .. })
    }

    /// Whether there is such an entry already.
    pub fn is_there_already(&self) -> bool {
        matches!(self, Self::Refused { code: ENTRY_ALREADY_EXISTS, .. })
    }
}

/// A connection to a server of this host.
pub struct Connection {
    ldap: Ldap,
}

impl Connection {
    /// Connects as the user that this process runs as, which the server takes for its administrator.
    pub async fn open(socket: &Path) -> Result<Self, Error> {
        let mut connection = Self::connect(socket).await?;
        let bound = connection.ldap.with_timeout(CONNECT).sasl_external_bind().await.and_then(LdapResult::success);
        match bound {
            Ok(_) => Ok(connection),
            Err(error) => Err(Error::Connect { socket: socket.to_owned(), problem: describe(&error) }),
        }
    }

    async fn connect(socket: &Path) -> Result<Self, Error> {
        let path =
            percent_encoding::utf8_percent_encode(&socket.to_string_lossy(), percent_encoding::NON_ALPHANUMERIC).to_string();
        let settings = LdapConnSettings::new().set_conn_timeout(CONNECT);
        let connected = LdapConnAsync::with_settings(settings, &format!("ldapi://{path}")).await;
        let (connection, ldap) = connected.map_err(|error| unconnected(socket, error))?;
        // It ends when the connection does, and whoever waits for an answer is told.
        tokio::spawn(connection.drive());
        Ok(Self { ldap })
    }

    /// Whether a name and a password are a pair that the server lets in.
    pub async fn is_password(socket: &Path, dn: &Dn, password: &Secret) -> Result<bool, Error> {
        let mut connection = Self::connect(socket).await?;
        let bound = connection.ldap.with_timeout(OPERATION).simple_bind(dn.as_str(), password.reveal()).await;
        let result = bound.map_err(|error| lost("bind as", dn, &error))?;
        let _ = connection.ldap.unbind().await;
        match result.rc {
            0 => Ok(true),
            INVALID_CREDENTIALS | NO_SUCH_OBJECT => Ok(false),
            _ => Err(refused("bind as", dn, &result)),
        }
    }

    /// The entry of a name and all below it, with all their attributes.
    pub async fn tree(&mut self, dn: &Dn) -> Result<Vec<Entry>, Error> {
        self.search(dn, Scope::Subtree, &["*"]).await
    }

    /// The entry of a name with these attributes; `None` if there is none.
    pub async fn entry(&mut self, dn: &Dn, attributes: &[&str]) -> Result<Option<Entry>, Error> {
        match self.search(dn, Scope::Base, attributes).await {
            Ok(entries) => Ok(entries.into_iter().next()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether an entry has any right below it that a filter lets through.
    pub async fn has_children(&mut self, dn: &Dn, filter: &str) -> Result<bool, Error> {
        let one = SearchOptions::new().sizelimit(1);
        let found = self.ldap.with_timeout(OPERATION).with_search_options(one);
        let found = found.search(dn.as_str(), Scope::OneLevel, filter, vec!["1.1"]).await;
        let ldap3::SearchResult(entries, result) = found.map_err(|error| lost("read", dn, &error))?;
        match result.rc {
            0 | SIZE_LIMIT_EXCEEDED => Ok(!entries.is_empty()),
            NO_SUCH_OBJECT => Ok(false),
            _ => Err(refused("read", dn, &result)),
        }
    }

    async fn search(&mut self, dn: &Dn, scope: Scope, attributes: &[&str]) -> Result<Vec<Entry>, Error> {
        let found = self.ldap.with_timeout(OPERATION).search(dn.as_str(), scope, "(objectClass=*)", attributes.to_vec()).await;
        let ldap3::SearchResult(entries, result) = found.map_err(|error| lost("read", dn, &error))?;
        if result.rc != 0 {
            return Err(refused("read", dn, &result));
        }
        Ok(entries.into_iter().map(SearchEntry::construct).filter_map(entry).collect())
    }

    /// Adds an entry.
    pub async fn add(&mut self, entry: &Entry, secrets: &[(&'static str, Secret)]) -> Result<(), Error> {
        let values = entry.attributes().map(|(name, values)| (name.as_bytes().to_vec(), values.iter().cloned().collect()));
        let secrets = secrets.iter().map(|(name, secret)| (name.as_bytes().to_vec(), one(secret.reveal())));
        let attributes: Vec<(Vec<u8>, HashSet<Vec<u8>>)> = values.chain(secrets).collect();
        let done = self.ldap.with_timeout(OPERATION).add(entry.dn.as_str(), attributes).await;
        finish("add", &entry.dn, done)
    }

    /// Gives attributes other values.
    pub async fn replace(
        &mut self,
        dn: &Dn,
        values: &[(&'static str, Vec<String>)],
        secrets: &[(&'static str, Secret)],
    ) -> Result<(), Error> {
        let bytes = |values: &[String]| values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let values = values.iter().map(|(name, values)| Mod::Replace(name.as_bytes().to_vec(), bytes(values)));
        let secrets = secrets.iter().map(|(name, secret)| Mod::Replace(name.as_bytes().to_vec(), one(secret.reveal())));
        let done = self.ldap.with_timeout(OPERATION).modify(dn.as_str(), values.chain(secrets).collect()).await;
        finish("change", dn, done)
    }

    /// Deletes an entry and all below it, the deepest first. What is gone already, or goes meanwhile, is no failure.
    pub async fn delete(&mut self, dn: &Dn) -> Result<(), Error> {
        let found = match self.search(dn, Scope::Subtree, &["1.1"]).await {
            Err(error) if error.is_missing() => Vec::new(),
            found => found?,
        };
        let mut names: Vec<Dn> = found.into_iter().map(|entry| entry.dn).collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.depth()));
        for name in names {
            let done = self.ldap.with_timeout(OPERATION).delete(name.as_str()).await;
            match finish("delete", &name, done) {
                Err(error) if error.is_missing() => {}
                done => done?,
            }
        }
        Ok(())
    }
}

fn unconnected(socket: &Path, error: LdapError) -> Error {
    let socket = socket.to_owned();
    match error {
        LdapError::Io { source } if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Error::Silent { socket, source }
        }
        error => Error::Connect { socket, problem: describe(&error) },
    }
}

fn one(text: &str) -> HashSet<Vec<u8>> {
    HashSet::from([text.as_bytes().to_vec()])
}

fn entry(found: SearchEntry) -> Option<Entry> {
    let mut entry = Entry::new(Dn::parse(&found.dn).ok()?);
    let texts = found.attrs.into_iter().map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
    for (name, values) in texts.chain(found.bin_attrs) {
        entry.replace(&name, values);
    }
    Some(entry)
}

fn finish(what: &'static str, dn: &Dn, done: Result<LdapResult, LdapError>) -> Result<(), Error> {
    let result = done.map_err(|error| lost(what, dn, &error))?;
    if result.rc == 0 { Ok(()) } else { Err(refused(what, dn, &result)) }
}

fn lost(what: &'static str, dn: &Dn, error: &LdapError) -> Error {
    Error::Lost { what, dn: dn.to_string(), problem: describe(error) }
}

fn refused(what: &'static str, dn: &Dn, result: &LdapResult) -> Error {
    let text = Some(result.text.trim()).filter(|text| !text.is_empty()).unwrap_or_else(|| meaning(result.rc));
    Error::Refused { what, dn: dn.to_string(), code: result.rc, text: text.to_owned() }
}

/// What a code means, where the server has no words of its own.
fn meaning(code: u32) -> &'static str {
    match code {
        16 => "(it has no such attribute)",
        17 => "(no such attribute is known)",
        19 => "(a value is not allowed)",
        20 => "(it has this value already)",
        21 => "(a value is not of its attribute's kind)",
        32 => "(there is no such entry)",
        34 => "(this is no name of an entry)",
        49 => "(the name or the password is wrong)",
        50 => "(this user may not do that)",
        51 => "(it is busy)",
        52 => "(it is not available)",
        53 => "(it is unwilling to do that)",
        65 => "(its object classes do not allow that)",
        66 => "(there are entries below it)",
        68 => "(there is such an entry already)",
        _ => "(and no more)",
    }
}

/// What ldap3 says, without the request: that may have a secret in it.
fn describe(error: &LdapError) -> String {
    match error {
        LdapError::LdapResult { result } => format!(
            "the server says {} {}",
            result.rc,
            Some(result.text.trim()).filter(|text| !text.is_empty()).unwrap_or_else(|| meaning(result.rc))
        ),
        LdapError::Io { source } => source.to_string(),
        LdapError::Timeout { .. } => "it took too long".to_owned(),
        LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::EndOfStream => "it was closed".to_owned(),
        _ => "the answer could not be understood".to_owned(),
    }
}
