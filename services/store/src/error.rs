//! Why a store has no answer, told by what a caller can do about it. Texts are ours: servers' answers may hold what belongs
//! in no log.

use std::{io, path::PathBuf};

use crate::location;

/// A store's refusal or failure.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Nothing is there.
    #[error("there is no report at this location")]
    NotFound,
    /// A link leads out of the store.
    #[error("a link leads out of the store")]
    Outside,
    /// The location cannot be the name of an object, or an object's name no location.
    #[error("the store has no such names: {0}")]
    Key(String),
    /// The store has no listings, so that only what is known by name can be had.
    #[error("the store does not list its folders")]
    NotListed,
    /// Credentials are missing, wrong, or not enough.
    #[error("the store refused: {0}")]
    Denied(String),
    /// The bucket, the container or the folder of the store is not there.
    #[error("the store is not there: {0}")]
    Missing(String),
    /// It cannot be reached, failed, or asked to be left alone for a while.
    #[error("the store cannot be read: {0}")]
    Unavailable(String),
    /// Reports cannot be put into a store of this kind.
    #[error("the store takes no reports: {0}")]
    ReadOnly(String),
    /// A report could not be put into it; what was there is there still.
    #[error("the report was not put into the store: {0}")]
    NotWritten(String),
    /// A report could not be removed from it.
    #[error("the report was not removed from the store: {0}")]
    NotRemoved(String),
    /// The object was replaced while it was read.
    #[error("the object was replaced while it was read")]
    Changed,
    /// The URL is not understood.
    #[error("{url}: {problem}")]
    Url {
        /// As given, without what may be secret.
        url: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The folder or file of this machine cannot be opened.
    #[error(
        "failed to open {path} as a store: {problem}; give a folder of reports, an ansible.sqlite, or a URL such as s3://bucket/path"
    )]
    Open {
        /// The path as given.
        path: PathBuf,
        /// What the file system said.
        problem: String,
    },
}

impl From<location::Error> for Error {
    fn from(error: location::Error) -> Self {
        Self::Key(error.to_string())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => Self::NotFound,
            // ELOOP, for which the standard library has no stable name: a ring of links names nothing.
            _ if error.raw_os_error() == Some(40) => Self::NotFound,
            kind => Self::Unavailable(kind.to_string()),
        }
    }
}
