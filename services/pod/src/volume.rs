//! What an agent keeps on the volume of its server: a lock, so that no two agents look after the server of one volume, the highest
//! revision that was taken, so that no agent goes back to a lower one, and which suffixes another server may fill. Without a folder
//! all of it lasts as long as the process.

use std::{
    fs::{DirBuilder, File, TryLockError},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::receive::Consent;

/// Between two looks at whether nobody else has the volume.
pub(crate) const LOOK: Duration = Duration::from_millis(500);

/// The file that is locked.
const LOCK: &str = "lock";

/// The file with the highest revision.
const REVISION: &str = "revision";

/// Bytes without which nothing can be written: a server takes more for a change.
const ROOM: u64 = 1 << 20;

/// The file with the suffixes that may be filled.
const RECEIVES: &str = "receives.json";

/// Why a volume cannot be used, or a revision not be taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is somebody else's for now.
    #[error("another agent still has the volume")]
    Taken,
    /// The folder or a file of it cannot be used.
    #[error("failed to use {}: {source}", path.display())]
    Use {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file with the revision holds something else.
    #[error("{} holds no revision; write the highest revision there, or remove the file if it is not known", path.display())]
    Strange {
        /// The file.
        path: PathBuf,
    },
    /// The file with the suffixes that may be filled holds something else.
    #[error("failed to understand {}: {source}; remove it if no suffix of this server is to be filled by another", path.display())]
    Receives {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The thread for work on files was stopped.
    #[error("the agent is being stopped")]
    Stopped,
    /// A later one was taken before.
    #[error("revision {revision} is not taken: revision {highest} was taken before")]
    Older {
        /// The one that was to be taken.
        revision: u64,
        /// The later one.
        highest: u64,
    },
}

/// The volume of this agent, until it is dropped.
#[derive(Debug)]
pub(crate) struct Volume {
    folder: Option<PathBuf>,
    /// The highest that was taken. Held while a higher one is written, so that none that is lower is written after it.
    highest: Mutex<Option<u64>>,
    /// What may be filled.
    consent: Mutex<Consent>,
    _lock: Option<File>,
}

impl Volume {
    /// Has the volume for this agent alone, by this folder of it.
    fn enter(folder: Option<&Path>) -> Result<Self, Error> {
        let Some(folder) = folder else {
            return Ok(Self { folder: None, highest: Mutex::new(None), consent: Mutex::default(), _lock: None });
        };
        let failed = |path: &Path, source| Error::Use { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| failed(folder, source))?;
        let path = folder.join(LOCK);
        let lock = File::options().create(true).append(true).open(&path).map_err(|source| failed(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Taken),
            Err(TryLockError::Error(source)) => return Err(failed(&path, source)),
        }
        let path = folder.join(REVISION);
        let highest = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().parse().map_err(|_| Error::Strange { path })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(failed(&path, source)),
        };
        let path = folder.join(RECEIVES);
        let consent = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| Error::Receives { path, source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Consent::new(),
            Err(source) => return Err(failed(&path, source)),
        };
        let (highest, consent) = (Mutex::new(highest), Mutex::new(consent));
        Ok(Self { folder: Some(folder.to_owned()), highest, consent, _lock: Some(lock) })
    }

    /// Takes a revision, unless a higher one was taken. That it was is on disk when this returns.
    fn take(&self, revision: u64) -> Result<(), Error> {
        let mut highest = self.highest.lock().unwrap_or_else(PoisonError::into_inner);
        match *highest {
            Some(highest) if revision < highest => return Err(Error::Older { revision, highest }),
            Some(highest) if revision == highest => return Ok(()),
            _ => {}
        }
        if let Some(folder) = &self.folder {
            let text = format!("{revision}\n");
            write(folder, REVISION, text.as_bytes()).map_err(|source| Error::Use { path: folder.join(REVISION), source })?;
        }
        *highest = Some(revision);
        Ok(())
    }

    /// Bytes that are free on it.
    fn room(&self) -> Option<u64> {
        let statistics = rustix::fs::statvfs(self.folder.as_deref()?).ok()?;
        statistics.f_bavail.checked_mul(statistics.f_frsize)
    }

    /// What may be filled.
    pub(crate) fn consent(&self) -> Consent {
        self.consent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// This may be filled from now on. That it may is on disk when this returns.
    fn permit(&self, consent: Consent) -> Result<(), Error> {
        let mut known = self.consent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &self.folder {
            let path = || folder.join(RECEIVES);
            let bytes = serde_json::to_vec(&consent).map_err(|source| Error::Receives { path: path(), source })?;
            write(folder, RECEIVES, &bytes).map_err(|source| Error::Use { path: path(), source })?;
        }
        *known = consent;
        Ok(())
    }
}

/// Whether there is no room left on it. Where that cannot be told, as without a folder, there is.
pub(crate) async fn is_full(volume: &Arc<Volume>) -> bool {
    let volume = Arc::clone(volume);
    tokio::task::spawn_blocking(move || volume.room().is_some_and(|room| room < ROOM)).await.unwrap_or(false)
}

/// Has the volume for this agent alone, by this folder of it. Waits for nobody else.
pub(crate) async fn enter(folder: Option<PathBuf>) -> Result<Volume, Error> {
    tokio::task::spawn_blocking(move || Volume::enter(folder.as_deref())).await.map_err(|_| Error::Stopped)?
}

/// Takes a revision, unless a higher one was taken. That it was is on disk when this returns.
pub(crate) async fn take(volume: &Arc<Volume>, revision: u64) -> Result<(), Error> {
    let volume = Arc::clone(volume);
    tokio::task::spawn_blocking(move || volume.take(revision)).await.map_err(|_| Error::Stopped)?
}

/// This may be filled from now on. That it may is on disk when this returns.
pub(crate) async fn permit(volume: &Arc<Volume>, consent: Consent) -> Result<(), Error> {
    let volume = Arc::clone(volume);
    tokio::task::spawn_blocking(move || volume.permit(consent)).await.map_err(|_| Error::Stopped)?
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name))?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt};

    use super::*;

    #[test]
    fn a_volume_is_one_agents_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("agent");
        let first = Volume::enter(Some(&folder)).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert!(matches!(Volume::enter(Some(&folder)), Err(Error::Taken)));
        drop(first);
        Volume::enter(Some(&folder)).unwrap();
    }

    #[test]
    fn no_agent_goes_back_to_a_lower_revision() {
        let folder = tempfile::tempdir().unwrap();
        for folder in [None, Some(folder.path())] {
            let volume = Volume::enter(folder).unwrap();
            for revision in [0, 3, 3, 7] {
                volume.take(revision).unwrap();
            }
            assert_eq!(volume.take(6).unwrap_err().to_string(), "revision 6 is not taken: revision 7 was taken before");
        }
        let volume = Volume::enter(Some(folder.path())).unwrap();
        assert!(matches!(volume.take(6), Err(Error::Older { revision: 6, highest: 7 })));
        volume.take(7).unwrap();
        volume.take(u64::MAX).unwrap();
        let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, ["lock", "revision"]);
    }

    #[test]
    fn what_may_be_filled_is_known_to_the_next_agent() {
        let folder = tempfile::tempdir().unwrap();
        let permit = serde_json::json!({"with": "g", "held": "own", "first": "own", "is_partial": true});
        let consent: Consent = serde_json::from_value(serde_json::json!({"dc=test": permit})).unwrap();
        let volume = Volume::enter(Some(folder.path())).unwrap();
        assert_eq!(volume.consent(), Consent::new());
        volume.permit(consent.clone()).unwrap();
        drop(volume);
        assert_eq!(Volume::enter(Some(folder.path())).unwrap().consent(), consent);
        fs::write(folder.path().join(RECEIVES), "g").unwrap();
        assert!(matches!(Volume::enter(Some(folder.path())), Err(Error::Receives { .. })));
    }

    #[test]
    fn a_file_that_holds_no_revision_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(REVISION), "seven").unwrap();
        assert!(matches!(Volume::enter(Some(folder.path())), Err(Error::Strange { .. })));
    }
}
