//! After processes that ended badly: what they left is removed, and what they kept is compared with its hash. Done once, in
//! the background, one file at a time.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::atomic::Ordering,
};

use xxhash_rust::xxh3::Xxh3;

use super::{Disk, Key, Record, WORK};

/// What the sweep found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Databases that are as they were written.
    pub(crate) sound: usize,
    /// Databases that are not, and are gone now.
    pub(crate) spoiled: usize,
    /// Files that nobody needs, and that are gone now.
    pub(crate) left_over: usize,
}

impl Disk {
    /// Goes through the folder. `go_on` is asked between files.
    pub(crate) fn sweep(&self, go_on: impl Fn() -> bool) -> Swept {
        let mut swept = Swept { left_over: self.remove_dead_work(), ..Swept::default() };
        let mut total = 0;
        let mut known = HashSet::new();
        for key in self.records().collect::<Vec<_>>() {
            if !go_on() {
                return swept;
            }
            let Some(record) = Record::read(&self.record_path(&key)) else {
                swept.left_over += usize::from(self.remove_locked(&key, || fs::remove_file(self.record_path(&key))));
                continue;
            };
            let path = self.database_path(&key, &record.generation);
            if is_whole(&path, &record) {
                swept.sound += 1;
                total += record.bytes;
                known.insert(path);
            } else if self.remove_locked(&key, || self.remove_spoiled(&key, &record)) {
                tracing::warn!(report = record.origin, "a kept report was spoiled; it is fetched again when it is asked for");
                swept.spoiled += 1;
            }
        }
        for path in self.databases() {
            let key = path.file_stem().and_then(|name| name.to_str()?.split_once('-')).map(|(key, _)| Key(key.to_owned()));
            let Some(key) = key.filter(|_| !known.contains(&path)) else { continue };
            // Whoever is about to write its record has the lock.
            swept.left_over += usize::from(self.remove_locked(&key, || self.remove_orphan(&key, &path)));
        }
        self.total.fetch_max(total, Ordering::Relaxed);
        metrics::gauge!("aviary_query_cache_bytes").set(total as f64);
        swept
    }

    fn databases(&self) -> Vec<std::path::PathBuf> {
        self.files().filter(|path| path.extension().is_some_and(|extension| extension == "sqlite")).collect()
    }

    /// Removes the work of processes that are no more.
    fn remove_dead_work(&self) -> usize {
        let mut removed = 0;
        for folder in fs::read_dir(self.root.join(WORK)).into_iter().flatten().flatten().map(|entry| entry.path()) {
            // One that is just being made has no lock yet.
            let is_dead = folder != self.work && File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
            removed += usize::from(is_dead && fs::remove_dir_all(&folder).is_ok());
        }
        removed
    }

    fn remove_locked(&self, key: &Key, remove: impl FnOnce() -> io::Result<()>) -> bool {
        match self.try_lock(key) {
            Ok(Some(_lock)) => remove().is_ok(),
            _ => false,
        }
    }

    fn remove_spoiled(&self, key: &Key, record: &Record) -> io::Result<()> {
        // It may have been fetched again since it was looked at.
        if Record::read(&self.record_path(key)).as_ref() != Some(record) {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::remove_file(self.record_path(key))?;
        match fs::remove_file(self.database_path(key, &record.generation)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn remove_orphan(&self, key: &Key, path: &Path) -> io::Result<()> {
        let is_known = |record: Record| self.database_path(key, &record.generation) == path;
        if Record::read(&self.record_path(key)).is_some_and(is_known) {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::remove_file(path)
    }
}

/// The database is byte for byte what was written.
fn is_whole(path: &Path, record: &Record) -> bool {
    hash(path).is_ok_and(|(bytes, hash)| bytes == record.bytes && hash == record.hash)
}

/// Size and hash of a file.
pub(crate) fn hash(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Xxh3::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, format!("{:032x}", hasher.digest128())));
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
        bytes += count as u64;
    }
}
