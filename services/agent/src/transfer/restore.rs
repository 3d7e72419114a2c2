//! Putting a backup in the place of what an instance has. It either happens or not: the databases that it replaces are kept until
//! it is done, and come back when it fails, or when something is done with the instance after it was interrupted. Once a server
//! has run on those that are there, what it has written would be lost so, and both are left alone.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::{
    Error, Progress, Restored, Subject, absolute,
    access::{Account, remove},
    archive::{Archive, SCHEMA, blocking, clear, entries, readable},
    beside,
    renumber::{make_hubs, spent},
};
use crate::{
    host::Host,
    paths::Paths,
    whole::{self, Rights},
};

/// What follows the name of the databases' folder while others are put in its place.
const REPLACED: &str = ".before-restore";

/// And when that is done.
const DONE: &str = ".replaced";

impl Host {
    /// Puts the databases of a backup in the place of an instance's, and its schema, where the instance has none of its own. All
    /// else stays as it is. The server is stopped for it, and runs afterwards if it ran before.
    pub async fn restore(&self, instance: &str, folder: &Path, progress: Progress<'_>) -> Result<Restored, Error> {
        let _lock = self.lock().await?;
        let subject = self.subject(instance).await?;
        let folder = absolute(folder)?;
        let archive = Archive::open(&folder)?;
        archive.check(&subject, &folder)?;
        let (account, inside) = (Account::of(&subject.paths)?, archive.folder.clone());
        blocking(move || readable(&inside, &account)).await?;
        let name = subject.found.name.clone();
        let was_running = subject.found.is_running;
        if was_running {
            progress("stopping the server");
            self.stop(&name).await?;
        }
        progress("restoring the databases");
        let restored = subject.replace(&archive).await;
        let schema = restored.as_ref().ok().map(|()| self.restore_schema(&folder, &subject.paths));
        let started = match was_running {
            true => {
                progress("starting the server");
                self.start(&name).await
            }
            false => Ok(()),
        };
        restored?;
        started?;
        let other_schema = schema.transpose()?.unwrap_or_default();
        let is_replicated = subject.is_replicated();
        let backends = archive.backends.into_keys().collect();
        let paths = subject.paths;
        let renumber = blocking(move || spent(&paths)).await?;
        Ok(Restored { instance: name, backends, folder, is_running: was_running, is_replicated, renumber, other_schema })
    }

    /// Gives an instance the schema of a backup, file by file. What somebody has changed since is left alone, and told.
    fn restore_schema(&self, folder: &Path, paths: &Paths) -> Result<Vec<PathBuf>, Error> {
        let (from, mut others) = (folder.join(SCHEMA), Vec::new());
        if !from.is_dir() {
            return Ok(others);
        }
        for (name, path) in entries(&from)? {
            let (to, original) = (paths.schema_dir.join(&name), self.installation().originals().join("schema").join(&name));
            let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
            let found = fs::read(&to).ok();
            if found.as_ref() == Some(&bytes) {
                continue;
            }
            if found.is_some() && found != fs::read(&original).ok() {
                others.push(path);
                continue;
            }
            let metadata = fs::metadata(&paths.schema_dir).map_err(Error::file("read", &paths.schema_dir))?;
            whole::write(&to, Rights::of(&metadata, 0o640), &bytes).map_err(Error::file("write", &to))?;
        }
        Ok(others)
    }
}

impl Subject {
    /// Replaces the databases of a stopped instance. When that fails, they are what they were.
    async fn replace(&self, archive: &Archive) -> Result<(), Error> {
        let paths = self.paths.clone();
        blocking(move || settle(&paths)).await?;
        let db = &self.paths.db_dir;
        let [kept, _] = leftovers(&self.paths);
        if kept.exists() {
            let problem = format!(
                "it holds the databases of before a restore that was interrupted, and the server has run since on those in {}: \
                 keep it elsewhere or delete it, then restore again",
                db.display()
            );
            return Err(Error::Access { path: kept, problem });
        }
        let metadata = fs::metadata(db).map_err(Error::file("read", db))?;
        fs::rename(db, &kept).map_err(Error::file("move", db))?;
        let rights = Rights::of(&metadata, metadata.mode() & 0o7777);
        let made = DirBuilder::new().mode(0o700).create(db).and_then(|()| whole::hand_over(db, rights));
        let restored = match made.map_err(Error::file("make", db)) {
            Ok(()) => self.program("restore", &["archive2db", "-a", &archive.folder.display().to_string()]).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if restored.is_ok() {
            let done = beside(db, DONE);
            fs::rename(&kept, &done).map_err(Error::file("move", &kept))?;
        }
        let paths = self.paths.clone();
        blocking(move || settle(&paths)).await?;
        restored
    }
}

/// Ends what an interrupted restore has begun: the databases are those of before until all of the others are there.
pub(crate) fn settle(paths: &Paths) -> Result<(), Error> {
    let db = &paths.db_dir;
    let [kept, done] = leftovers(paths);
    if kept.is_dir() && has_run_since(paths, &kept)? {
        tracing::warn!(
            kept = %kept.display(), databases = %db.display(),
            "a restore was interrupted, and the server has run since; what there was before is kept"
        );
        return Ok(());
    }
    let was_interrupted = kept.is_dir() || done.is_dir();
    if kept.is_dir() {
        clear(db)?;
        fs::rename(&kept, db).map_err(Error::file("put back", db))?;
        // Where the server notes that it is restoring; it would take these databases for damaged.
        remove(&db.with_file_name(".restore"))?;
    }
    // What is in shared memory belongs to the databases that were there.
    if was_interrupted && paths.db_home_dir.is_dir() {
        for (name, path) in entries(&paths.db_home_dir)? {
            if name.starts_with("__db.") {
                fs::remove_file(&path).map_err(Error::file("delete", &path))?;
            }
        }
    }
    if done.is_dir() {
        make_hubs(paths)?;
    }
    clear(&done)
}

/// Whether a server has started after the databases were put aside. At each start it links its configuration anew, as one that
/// it could start with.
fn has_run_since(paths: &Paths, kept: &Path) -> Result<bool, Error> {
    let changed = |path: &Path| fs::metadata(path).map(|metadata| (metadata.ctime(), metadata.ctime_nsec()));
    let moved = changed(kept).map_err(Error::file("read", kept))?;
    Ok(changed(&beside(&paths.dse(), ".startOK")).is_ok_and(|started| started > moved))
}

/// What an interrupted restore may have left beside the databases.
pub(crate) fn leftovers(paths: &Paths) -> [PathBuf; 2] {
    [beside(&paths.db_dir, REPLACED), beside(&paths.db_dir, DONE)]
}
