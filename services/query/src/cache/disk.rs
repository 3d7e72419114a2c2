//! The cache's folder: databases that were fetched, each with a record of what it is. Several processes may share one. What is
//! in it can be lost at any moment, but what is found in it is whole: a database counts only once its record is there, which
//! comes last. When to fetch is decided elsewhere.
//!
//! ```text
//! objects/ab/abcd….json           record; its time is when the store was last asked
//! objects/ab/abcd…-1234….sqlite   database; its time is when it was last used
//! locks/abcd…                     held while that report is fetched
//! work/123-4567/                  files in the making of one process, which holds `lock` in it
//! ```

mod evict;
mod record;
mod sweep;

use std::{
    fs::{self, File, FileTimes, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

use tempfile::{NamedTempFile, TempDir, TempPath};

pub(crate) use record::Record;
pub(crate) use sweep::{Swept, hash};

/// Folders of [`Disk`].
const OBJECTS: &str = "objects";
const LOCKS: &str = "locks";
const WORK: &str = "work";

/// Why a folder cannot be the cache.
#[derive(Debug, thiserror::Error)]
#[error("failed to use {path} as the cache: {source}; give a folder that can be written by --cache")]
pub struct Unusable {
    path: PathBuf,
    source: io::Error,
}

/// Names what is kept of one report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(String);

impl Key {
    pub(crate) fn new(store: &str, location: &store::Location) -> Self {
        let text = format!("{store}\0{location}");
        Self(format!("{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes())))
    }
}

/// A database that is kept.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) path: PathBuf,
    pub(crate) record: Record,
}

/// The folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    /// This process's folder below [`WORK`].
    work: PathBuf,
    /// Bytes of databases to keep at most.
    limit: u64,
    /// Bytes of databases that are kept, as far as this process knows.
    total: AtomicU64,
    /// Held for as long as the process lives.
    _lock: File,
    /// Without a folder of the user's: one that goes with us.
    _own: Option<TempDir>,
}

/// Keeps other processes from fetching the same report.
#[derive(Debug)]
pub(crate) struct KeyLock {
    path: PathBuf,
    _file: File,
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // While it is still held: whoever waits for it finds out that it is another file's.
        let _ = fs::remove_file(&self.path);
    }
}

impl Disk {
    /// Makes what is missing of it, and sees whether it can be written.
    pub(crate) fn open(root: Option<&Path>, limit: u64) -> Result<Self, Unusable> {
        let own = match root {
            Some(_) => None,
            None => Some(
                tempfile::Builder::new()
                    .prefix("aviary-")
                    .tempdir()
                    .map_err(|source| Unusable { path: std::env::temp_dir(), source })?,
            ),
        };
        let root = root.or(own.as_ref().map(TempDir::path)).unwrap_or(Path::new(".")).to_owned();
        let unusable = |source| Unusable { path: root.clone(), source };
        for folder in [OBJECTS, LOCKS, WORK] {
            fs::create_dir_all(root.join(folder)).map_err(unusable)?;
        }
        let root = fs::canonicalize(&root).map_err(unusable)?;
        let unusable = |source| Unusable { path: root.clone(), source };
        let work = tempfile::Builder::new()
            .prefix(&format!("{}-", std::process::id()))
            .tempdir_in(root.join(WORK))
            .map_err(unusable)?
            .keep();
        let lock = File::create(work.join("lock")).map_err(unusable)?;
        lock.lock().map_err(unusable)?;
        let disk = Self { work, limit, total: AtomicU64::new(0), _lock: lock, _own: own, root };
        Ok(disk)
    }

    /// Where this process's copies go.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// Nothing is kept here.
    pub(crate) fn is_empty(&self) -> bool {
        self.records().next().is_none()
    }

    /// What is kept of a report, and when the store was last asked.
    pub(crate) fn read(&self, key: &Key) -> Option<(Entry, SystemTime)> {
        let path = self.record_path(key);
        let record = Record::read(&path)?;
        let checked = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()?;
        let path = self.database_path(key, &record.generation);
        let bytes = fs::metadata(&path).ok()?.len();
        (bytes == record.bytes).then_some((Entry { key: key.clone(), path, record }, checked))
    }

    /// Puts a database where it is kept. It does not count before [`Disk::seal`].
    pub(crate) fn publish(&self, key: &Key, file: TempPath, record: Record) -> io::Result<Entry> {
        let path = self.database_path(key, &record.generation);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // The same content may be kept already: its readers go on with what they have.
        file.persist(&path).map_err(|error| error.error)?;
        self.total.fetch_add(record.bytes, Ordering::Relaxed);
        Ok(Entry { key: key.clone(), path, record })
    }

    /// Makes an entry outlast the process, whatever ends it, in place of the one before.
    pub(crate) fn seal(&self, entry: &Entry) -> io::Result<()> {
        File::open(&entry.path)?.sync_all()?;
        let (_, hash) = sweep::hash(&entry.path)?;
        let before = Record::read(&self.record_path(&entry.key));
        let mut file = NamedTempFile::new_in(&self.work)?;
        entry.record.write(hash, &mut file)?;
        file.as_file().sync_all()?;
        file.persist(self.record_path(&entry.key)).map_err(|error| error.error)?;
        if let Some(before) = before.filter(|before| before.generation != entry.record.generation) {
            self.remove_database(&self.database_path(&entry.key, &before.generation), before.bytes);
        }
        Ok(())
    }

    /// The store has just said that the entry is what it has.
    pub(crate) fn confirm(&self, entry: &Entry) -> io::Result<()> {
        set_time(&self.record_path(&entry.key))
    }

    /// The entry is in use.
    pub(crate) fn touch(&self, entry: &Entry) -> io::Result<()> {
        set_time(&entry.path)
    }

    /// Forgets a report.
    pub(crate) fn remove(&self, key: &Key) {
        let path = self.record_path(key);
        let record = Record::read(&path);
        let _ = fs::remove_file(&path);
        if let Some(record) = record {
            self.remove_database(&self.database_path(key, &record.generation), record.bytes);
        }
    }

    /// The lock of a report; nothing while another process, or task, has it.
    pub(crate) fn try_lock(&self, key: &Key) -> io::Result<Option<KeyLock>> {
        let path = self.root.join(LOCKS).join(&key.0);
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The one who had it before has removed it: this file is no longer the one that others lock.
        let same = fs::metadata(&path).is_ok_and(|now| file.metadata().is_ok_and(|ours| ours.ino() == now.ino()));
        Ok(same.then_some(KeyLock { path, _file: file }))
    }

    fn remove_database(&self, path: &Path, bytes: u64) {
        if fs::remove_file(path).is_ok() {
            let less = |total: u64| Some(total.saturating_sub(bytes));
            let _ = self.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    fn record_path(&self, key: &Key) -> PathBuf {
        self.shelf(key).join(format!("{}.json", key.0))
    }

    fn database_path(&self, key: &Key, generation: &str) -> PathBuf {
        self.shelf(key).join(format!("{}-{generation}.sqlite", key.0))
    }

    /// The folder that a report's files are in: one of 256, as some file systems are slow with very many in one.
    fn shelf(&self, key: &Key) -> PathBuf {
        self.root.join(OBJECTS).join(key.0.get(..2).unwrap_or_default())
    }

    /// Files of all reports, with their folders.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let entries = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
        entries(self.root.join(OBJECTS)).flat_map(entries)
    }

    /// The keys of all records.
    fn records(&self) -> impl Iterator<Item = Key> {
        self.files().filter(|path| path.extension().is_some_and(|extension| extension == "json")).filter_map(|path| {
            let name = path.file_stem()?.to_str()?;
            (name.len() == 32).then(|| Key(name.to_owned()))
        })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.work);
    }
}

fn set_time(path: &Path) -> io::Result<()> {
    File::open(path)?.set_times(FileTimes::new().set_modified(SystemTime::now()))
}

#[cfg(test)]
mod tests;
