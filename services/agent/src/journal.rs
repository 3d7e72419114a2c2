//! What an apply has still to do, kept beside an instance's configuration while it is done. That there is such a file also says
//! that the instance is ours. Blocking file work.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use directory::observed::Unfinished;

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

/// What is left to do for an instance; `None` if it is not ours.
pub fn read(config_dir: &Path) -> Result<Option<Vec<Unfinished>>, Error> {
    let path = config_dir.join(NAME);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|source| Error::Understand { path, source }),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}

/// Writes down what is left to do, and that the instance is ours. It is on disk when this returns.
pub fn write(config_dir: &Path, unfinished: &[Unfinished]) -> Result<(), Error> {
    let path = config_dir.join(NAME);
    let written = || {
        let mut file = tempfile::NamedTempFile::new_in(config_dir)?;
        serde_json::to_writer(&mut file, unfinished)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        File::open(config_dir)?.sync_all()
    };
    written().map_err(|source: io::Error| Error::Write { path: path.clone(), source })
}
