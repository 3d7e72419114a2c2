//! Backups: the databases as the server itself archives them, in `database`, and beside them what it leaves out, so that an
//! instance can be made again of nothing but its backup: `configuration` with `dse.ldif` and the schema, `certificates` with the
//! keys. All of it is for the server's user alone. Putting one back is for `restore`.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use directory::{
    dn::Dn,
    entry::{Entry, Tree},
    layout, ldif,
};

use super::{BackedUp, Error, Progress, Subject, absolute, access::Account, beside};
use crate::{dse, host::Host, whole};

/// Where in a backup the databases are.
const DATABASE: &str = "database";

/// Where in a backup `dse.ldif` and its like are; the schema is in a folder of it.
const CONFIGURATION: &str = "configuration";

/// Where in a backup the schema is.
pub(super) const SCHEMA: &str = "configuration/schema";

/// Where in a backup certificates and keys are.
const CERTIFICATES: &str = "certificates";

/// What the server lists its backends in.
const BACKENDS: &str = "dse_instance.ldif";

/// What follows the name of a backup that is not whole yet.
const UNFINISHED: &str = ".unfinished";

impl Host {
    /// Backs all of an instance up into a folder that is not there yet.
    pub async fn backup(&self, instance: &str, folder: &Path, progress: Progress<'_>) -> Result<BackedUp, Error> {
        let _lock = self.lock().await?;
        let subject = self.subject(instance).await?;
        let backends = subject.backends(&[])?;
        let account = Account::of(&subject.paths)?;
        let folder = absolute(folder)?;
        let is_there = folder.is_dir() && fs::read_dir(&folder).map_err(Error::file("read", &folder))?.next().is_some();
        if is_there || folder.is_file() {
            return Err(Error::Access { path: folder, problem: "it is there already; choose another name".to_owned() });
        }
        account.may_reach(&folder)?;
        subject.sees(folder.parent().unwrap_or(&folder))?;
        let unfinished = beside(&folder, UNFINISHED);
        clear(&unfinished)?;
        make(&unfinished, &account)?;
        let filled = subject.fill(&unfinished, progress).await;
        let to = folder.clone();
        let finished = move || {
            let finished = filled.and_then(|()| finish(&unfinished, &to, &account));
            if finished.is_err() {
                clear(&unfinished)?;
            }
            finished
        };
        let bytes = blocking(finished).await?;
        Ok(BackedUp { instance: subject.found.name, backends, folder, bytes })
    }
}

impl Subject {
    /// Puts into a folder what a backup consists of.
    async fn fill(&self, folder: &Path, progress: Progress<'_>) -> Result<(), Error> {
        let database = folder.join(DATABASE);
        let path = database.display().to_string();
        if self.found.is_running {
            let attributes = [("nsArchiveDir", vec![path]), ("nsDatabaseType", vec!["ldbm database".to_owned()])];
            self.task("back up", "backup", &attributes, progress).await?;
        } else {
            self.program("back up", &["db2archive", "-a", &path]).await?;
        }
        let paths = &self.paths;
        let configuration: &[&str] = &["certmap.conf", "slapd-collations.conf"];
        let certificates: &[&str] = &["cert9.db", "key4.db", "pkcs11.txt", "pwdfile.txt", "pin.txt"];
        for (from, names, to) in
            [(&paths.config_dir, configuration, CONFIGURATION), (&paths.cert_dir, certificates, CERTIFICATES)]
        {
            for name in names {
                copy(&from.join(name), &folder.join(to).join(name))?;
            }
        }
        // A server that runs has it under another name for a moment when it writes it.
        let dse = dse::read(&paths.dse()).map_err(Error::file("read", &paths.dse()))?;
        put(&dse, &folder.join(CONFIGURATION).join(dse::NAME))?;
        for (name, path) in entries(&paths.schema_dir)? {
            copy(&path, &folder.join(SCHEMA).join(name))?;
        }
        Ok(())
    }
}

/// The databases of a backup.
pub(super) struct Archive {
    /// Where they are.
    pub(super) folder: PathBuf,
    /// `bdb` or `mdb`.
    kind: &'static str,
    /// The backends, each with its suffix.
    pub(super) backends: BTreeMap<String, Dn>,
}

impl Archive {
    /// Looks into a backup of ours, or into what the server or its tools have archived.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let ours = folder.join(DATABASE);
        let inside = if ours.is_dir() { ours } else { folder.to_owned() };
        let list = inside.join(BACKENDS);
        let no_backup = |problem: String| Error::Access { path: folder.to_owned(), problem };
        let bytes = match fs::read(&list) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(no_backup(format!("it holds no backup: there is no {}", list.display())));
            }
            Err(error) => return Err(Error::file("read", &list)(error)),
        };
        let damaged = |problem: String| no_backup(format!("its {BACKENDS} cannot be understood: {problem}"));
        let records = ldif::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        let tree = Tree::from_records(records).map_err(|error| damaged(error.to_string()))?;
        let backend = |entry: &Entry| Some((entry.text("cn")?.to_owned(), Dn::parse(entry.text("nsslapd-suffix")?).ok()?));
        let all = tree.iter().filter(|entry| entry.is_a("nsBackendInstance")).filter_map(backend);
        // One that the server makes for itself needs nobody to make it.
        let backends = all.filter(|(_, suffix)| *suffix != layout::retro_changelog()).collect();
        let kind = if inside.join("data.mdb").exists() { "mdb" } else { "bdb" };
        Ok(Self { folder: inside, kind, backends })
    }

    /// Whether it can take the place of what an instance has.
    pub(super) fn check(&self, subject: &Subject, folder: &Path) -> Result<(), Error> {
        let unfit =
            |problem: String| Err(Error::Unfit { path: folder.to_owned(), instance: subject.found.name.clone(), problem });
        let kind = subject.found.settings.text("db_lib").unwrap_or("bdb");
        if kind != self.kind {
            let (is, wanted) = (self.kind, kind);
            return unfit(format!("its databases are {is}, those of the instance {wanted}; export and import LDIF instead"));
        }
        for (name, suffix) in &self.backends {
            match subject.found.backend(name) {
                Some(backend) if backend.suffix == *suffix => {}
                Some(backend) => {
                    return unfit(format!("backend {name} is for {suffix} there and for {} here", backend.suffix));
                }
                None => return unfit(format!("the instance has no backend {name} for {suffix}; create it first")),
            }
        }
        let lost = subject
            .found
            .backends
            .iter()
            .find(|backend| !self.backends.keys().any(|name| name.eq_ignore_ascii_case(&backend.name)));
        match lost {
            Some(lost) => {
                let name = &lost.name;
                unfit(format!("it has no backend {name}, whose data would be lost; export it and delete the backend first"))
            }
            None => Ok(()),
        }
    }
}

/// Work on many files, where it keeps nobody waiting.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Host(crate::host::Error::Stopped))?
}

/// Secures a backup that is whole, and gives it its name. Gives its size.
fn finish(unfinished: &Path, folder: &Path, account: &Account) -> Result<u64, Error> {
    let bytes = secure(unfinished, account)?;
    let synced = File::open(unfinished).and_then(|folder| rustix::fs::syncfs(&folder).map_err(io::Error::from));
    synced.map_err(Error::file("write", unfinished))?;
    fs::rename(unfinished, folder).map_err(Error::file("rename to", folder))?;
    let parent = folder.parent().unwrap_or(folder);
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(Error::file("write", parent))?;
    Ok(bytes)
}

/// The files of a folder, with their names.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
        let path = entry.map_err(Error::file("read", folder))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name().and_then(|name| name.to_str())) {
            files.push((name.to_owned(), path.clone()));
        }
    }
    files.sort();
    Ok(files)
}

/// Copies a file, if it is there.
fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::read(from) {
        Ok(bytes) => put(&bytes, to),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file("read", from)(error)),
    }
}

/// Writes a file into a folder that is made for it.
fn put(bytes: &[u8], to: &Path) -> Result<(), Error> {
    let folder = to.parent().unwrap_or(to);
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::file("make", folder))?;
    let mut options = File::options();
    options.write(true).create_new(true);
    let written = std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600)
        .open(to)
        .and_then(|mut file| io::Write::write_all(&mut file, bytes));
    written.map_err(Error::file("write", to))
}

/// Makes a folder for the server's user.
fn make(folder: &Path, account: &Account) -> Result<(), Error> {
    let made = DirBuilder::new().mode(0o700).create(folder).and_then(|()| whole::hand_over(folder, account.rights(0o700)));
    made.map_err(Error::file("make", folder))
}

/// Deletes a folder with all that is in it, if it is there.
pub(super) fn clear(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::file("delete", folder)(error)),
        _ => Ok(()),
    }
}

/// Lets the server's user alone get at a backup. Gives its size.
fn secure(folder: &Path, account: &Account) -> Result<u64, Error> {
    let mut bytes = 0;
    each(folder, &mut |path, metadata| {
        bytes += if metadata.is_dir() { 0 } else { metadata.len() };
        let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
        whole::hand_over(path, account.rights(mode)).map_err(Error::file("change the permissions of", path))
    })?;
    Ok(bytes)
}

/// Whether the server's user can read all of an archive.
pub(super) fn readable(folder: &Path, account: &Account) -> Result<(), Error> {
    each(folder, &mut |path, metadata| {
        if metadata.is_dir() { account.may_reach(&path.join("x")) } else { account.may_read(path) }
    })
}

/// Looks at a folder and all that is in it; no link is followed.
fn each(path: &Path, look: &mut dyn FnMut(&Path, &fs::Metadata) -> Result<(), Error>) -> Result<(), Error> {
    let metadata = fs::symlink_metadata(path).map_err(Error::file("read", path))?;
    if metadata.is_symlink() {
        return Ok(());
    }
    look(path, &metadata)?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path).map_err(Error::file("read", path))? {
            each(&entry.map_err(Error::file("read", path))?.path(), look)?;
        }
    }
    Ok(())
}
