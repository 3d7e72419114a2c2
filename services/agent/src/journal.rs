//! What is known of an instance that its configuration does not say, kept beside that: what an apply has still to do, what was
//! said when it was created and shows nowhere else, and which secrets were given to a server that tells nobody what it has. That
//! there is such a file also says that the instance is ours. Blocking file work.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use directory::{
    dn::Dn,
    observed::{Initialised, Unfinished},
    secret::Secret,
    setting::Settings,
};
use serde::{Deserialize, Serialize};

use crate::{
    create::{self, password},
    whole::{self, Rights},
};

/// Name of the file in the folder of an instance's configuration.
const NAME: &str = "aviary.json";

/// Why the journal could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It is not what this program writes.
    #[error("failed to understand {}: {source}; delete it and apply again", path.display())]
    Understand {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// What is left to do.
    pub unfinished: Vec<Unfinished>,
    /// Requests that were met.
    #[serde(default)]
    pub initialised: Vec<Initialised>,
    /// Secrets that servers store so that nobody can compare them: encrypted, or with a hash that is not known here.
    #[serde(default)]
    secrets: Vec<Given>,
    /// It was created to do without labels of SELinux.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_selinux: bool,
    /// It was created to do without a unit of systemd.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_systemd: bool,
}

/// A secret that was given to the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Given {
    dn: String,
    attribute: String,
    /// A hash of what the server made of it. Whatever else stands there now, somebody else has set.
    stored: String,
    /// A hash of the secret.
    secret: String,
}

impl Journal {
    /// Keeps what an instance was created to do without.
    pub fn created(&mut self, settings: &Settings) {
        let is_off = |option| settings.switch(option) == Some(false);
        self.without_selinux |= is_off("selinux");
        self.without_systemd |= is_off("systemd");
    }

    /// Whether what the server has stored was made of this secret; `None` if it was made of one that nobody noted.
    pub fn is_given(&self, dn: &Dn, attribute: &str, stored: &str, secret: &Secret) -> Option<bool> {
        let given = self.secrets.iter().find(|given| given.is_of(dn, attribute))?;
        password::is_fingerprint(&given.stored, stored).then(|| password::is_fingerprint(&given.secret, secret.reveal()))
    }

    /// Notes what a server has stored of a secret.
    pub fn note(&mut self, dn: &Dn, attribute: &str, stored: &str, secret: &Secret) -> Result<(), create::Error> {
        self.secrets.retain(|given| !given.is_of(dn, attribute));
        self.secrets.push(Given {
            dn: dn.normal().to_owned(),
            attribute: attribute.to_lowercase(),
            stored: password::fingerprint(stored)?,
            secret: password::fingerprint(secret.reveal())?,
        });
        Ok(())
    }

    /// Forgets the secrets of entries that are gone.
    pub fn forget(&mut self, is_gone: impl Fn(&Dn) -> bool) {
        self.secrets.retain(|given| Dn::parse(&given.dn).is_ok_and(|dn| !is_gone(&dn)));
    }
}

impl Given {
    fn is_of(&self, dn: &Dn, attribute: &str) -> bool {
        self.dn == dn.normal() && self.attribute.eq_ignore_ascii_case(attribute)
    }
}

/// What is kept of an instance; `None` if it is not ours.
pub fn read(config_dir: &Path) -> Result<Option<Journal>, Error> {
    let path = config_dir.join(NAME);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::Understand { path, source }),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Changes what is kept of an instance. Nothing is written if that leaves it as it was.
pub fn change<E: From<Error>>(config_dir: &Path, change: impl FnOnce(&mut Journal) -> Result<(), E>) -> Result<(), E> {
    let known = read(config_dir)?.unwrap_or_default();
    let mut changed = known.clone();
    change(&mut changed)?;
    if changed != known {
        write(config_dir, &changed)?;
    }
    Ok(())
}

/// Keeps this, and with it that the instance is ours. It is on disk when this returns.
pub fn write(config_dir: &Path, journal: &Journal) -> Result<(), Error> {
    let path = config_dir.join(NAME);
    let written = || {
        // Whoever the server runs as may administer it too.
        let rights = Rights::of(&fs::metadata(config_dir)?, 0o600);
        whole::write(&path, rights, &serde_json::to_vec(journal)?)
    };
    written().map_err(|source: io::Error| Error::Write { path: path.clone(), source })
}
