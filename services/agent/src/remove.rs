//! Deletes the files of a stopped instance. The folder of its configuration is the last to go, so that a removal that was
//! interrupted can be done again: until then the instance is listed. Stopping the server is for others. The authority that
//! `dscreate` shares between the instances of a host, `ssca`, stays.
//!
//! Everything here waits for files: call it where blocking is allowed.

mod rules;

use std::{
    fs, io,
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use directory::{entry::Tree, specification::is_instance_name};

use crate::{
    certificates, dse,
    installation::{self, Installation},
    paths::Paths,
    ports,
    process::serving,
    selinux,
    selinux::Selinux,
    systemd,
    systemd::Systemd,
    transfer,
};
use rules::Rules;

/// Why an instance, or a part of it, is still there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name can be none.
    #[error("'{name}' can be no instance's name; correct the name")]
    Name {
        /// The name.
        name: String,
    },
    /// Other instances cannot be looked at, so nobody knows what belongs to them.
    #[error("failed to look for other instances: {0}")]
    Others(#[from] installation::Error),
    /// Its server runs.
    #[error("the instance '{name}' still runs, as process {process}; stop it first")]
    Running {
        /// Its name.
        name: String,
        /// The number of its process.
        process: i32,
    },
    /// Its configuration does not say where its files are.
    #[error("{0}; it says where the instance has its files: restore it from dse.ldif.startOK")]
    Configuration(#[from] dse::Unreadable),
    /// systemd was not told of it.
    #[error(transparent)]
    Systemd(#[from] systemd::Error),
    /// Labels of SELinux could not be taken back.
    #[error(transparent)]
    Selinux(#[from] selinux::Error),
    /// Something could not be deleted.
    #[error("failed to delete {path}: {source}; correct its permissions and remove the instance again")]
    Delete {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// Files that are known in folders which may hold other things as well; `*` stands for any text.
const DATABASE: &[&str] = &["DBVERSION", "__db.*", "guardian", "log.00*", "data.mdb", "lock.mdb", "INFO.mdb"];
const LOGS: &[&str] = &["access", "access.*", "errors", "errors.*", "audit", "audit.*", "security", "security.*", "referint"];
const LOCKS: &[&str] = &["server", "imports", "exports"];
const CERTIFICATES: &[&str] = &[
    "cert9.db",
    "key4.db",
    "pkcs11.txt",
    "pwdfile.txt",
    "pin.txt",
    "noise.txt",
    "noise.new",
    "Server-Cert.pem",
    "Server-Cert-Key.pem",
];
const SCHEMA: &[&str] = &["99user.ldif", "99user.ldif.*"];
const CONFIGURATION: &[&str] = &["certmap.conf", "slapd-collations.conf", "aviary.json", "dse.ldif.*", "dse_original.ldif"];

/// Removes a stopped instance with all its data. Removing one that is not there does nothing.
pub fn remove(installation: &Installation, name: &str) -> Result<(), Error> {
    sweep(installation, name)?;
    let home = installation.home(name);
    let Some(config) = fs::canonicalize(&home).ok().filter(|config| config.is_dir()) else { return Ok(()) };
    let tree = configuration(&config)?;
    let paths = Paths::existing(installation, name, &tree);
    if let Some(process) = serving(&installation.ns_slapd(), &paths.config_dir, &paths.pid_file) {
        return Err(Error::Running { name: name.to_owned(), process: process.as_raw_nonzero().get() });
    }
    if let Some(systemd) = Systemd::of(installation) {
        systemd.disable(name)?;
    }
    if let Some(selinux) = Selinux::of_instance(installation, name) {
        let usual = Paths::usual(installation, name);
        selinux.unlabel(&paths, &usual, &ports::own(installation, name, &tree))?;
    }
    let rules = Rules::new(installation, name, &config, &others(installation, name)?);

    let backends = databases(&tree, &paths);
    for (folder, _) in backends.iter().filter(|(folder, _)| !folder.starts_with(&paths.db_dir)) {
        rules.delete(folder, &[])?;
    }
    let names: Vec<&str> = backends.iter().map(|(_, name)| name.as_str()).collect();
    rules.delete_folders(&paths.db_dir, &names)?;
    rules.delete(&paths.db_dir, DATABASE)?;
    for folder in transfer::leftovers(&paths) {
        rules.delete(&folder, &[])?;
    }
    rules.delete(&paths.db_home_dir, DATABASE)?;
    rules.delete(&paths.log_dir, LOGS)?;
    delete_locks(&rules, &paths.lock_dir)?;
    rules.delete_folders(&paths.cert_dir, &[certificates::COPY])?;
    rules.delete(&paths.cert_dir, CERTIFICATES)?;
    rules.delete(&paths.schema_dir, SCHEMA)?;
    for folder in [&paths.backup_dir, &paths.ldif_dir, &paths.inst_dir] {
        rules.delete(folder, &[])?;
    }
    for folder in [&paths.db_dir, &paths.backup_dir, &paths.ldif_dir] {
        rules.delete_empty(folder.parent());
    }
    delete_files(installation, name, &paths)?;
    delete_configuration(&rules, &home, &config)
}

/// Deletes what an interrupted removal has left of the configuration.
pub(crate) fn sweep(installation: &Installation, name: &str) -> Result<(), Error> {
    if !is_instance_name(name) {
        return Err(Error::Name { name: name.to_owned() });
    }
    delete_tree(&removed(&installation.home(name)))
}

/// What the folder of a configuration is called while it is deleted.
fn removed(home: &Path) -> PathBuf {
    let mut name = home.as_os_str().to_owned();
    name.push(".removed");
    name.into()
}

/// What is left of the configuration. A folder without any has nothing elsewhere but by default.
fn configuration(config: &Path) -> Result<Tree, Error> {
    Ok(dse::remains(config)?.unwrap_or_default())
}

/// The paths of all other instances.
fn others(installation: &Installation, name: &str) -> Result<Vec<Paths>, Error> {
    let names = installation.instances()?;
    let others = names.iter().filter(|other| *other != name);
    others.map(|other| Ok(Paths::existing(installation, other, &configuration(&installation.home(other))?))).collect()
}

/// The folders of the backends, and the backends' names.
fn databases(tree: &Tree, paths: &Paths) -> Vec<(PathBuf, String)> {
    let backends = tree.iter().filter(|entry| entry.is_a("nsBackendInstance"));
    let folder = |name: &str, given: Option<&str>| given.map_or_else(|| paths.db_dir.join(name), PathBuf::from);
    let named = backends.map(|entry| (entry.dn.rdn().1, entry.text("nsslapd-directory")));
    named.filter(|(name, _)| !name.is_empty()).map(|(name, given)| (folder(name, given), name.to_owned())).collect()
}

/// Locks of servers: files whose names are numbers of processes.
fn delete_locks(rules: &Rules, folder: &Path) -> Result<(), Error> {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    if !fs::canonicalize(folder).is_ok_and(|real| rules.is_own(&real)) {
        for kind in LOCKS {
            let folder = folder.join(kind);
            for lock in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if lock.file_name().to_str().is_some_and(is_number) {
                    delete_file(&lock.path())?;
                }
            }
            // Whoever has put something else there keeps it.
            let _ = fs::remove_dir(&folder);
        }
    }
    rules.delete(folder, &[])
}

/// Files that lie in folders of others.
fn delete_files(installation: &Installation, name: &str, paths: &Paths) -> Result<(), Error> {
    let is_socket = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    if is_socket(&paths.ldapi) {
        delete_file(&paths.ldapi)?;
    }
    delete_file(&paths.pid_file)?;
    delete_file(&paths.run_dir.join(format!("slapd-{name}.stats")))?;
    delete_file(&Path::new("/dev/shm").join(format!("sem.slapd-{name}.stats")))?;
    for file in
        [systemd::folders_file(installation, name), installation.path("initconfig_dir", name).join(format!("dirsrv-{name}"))]
    {
        if file.is_absolute() {
            delete_file(&file)?;
        }
    }
    Ok(())
}

/// The end: a folder of the instance's own goes by its name first. Of any other, `dse.ldif` is the last file to go, then the
/// link that leads there, unless the host does not let it.
fn delete_configuration(rules: &Rules, home: &Path, config: &Path) -> Result<(), Error> {
    if !home.is_symlink() {
        let removed = removed(home);
        fs::rename(home, &removed).map_err(|source| Error::Delete { path: home.to_owned(), source })?;
        return delete_tree(&removed);
    }
    for known in [CONFIGURATION, CERTIFICATES] {
        rules.delete_known(config, known)?;
    }
    delete_file(&config.join(dse::NAME))?;
    if rules.is_own(config) {
        delete_tree(config)?;
    }
    if let Err(error) = fs::remove_file(home) {
        tracing::debug!(path = %home.display(), %error, "the link to a removed instance stays");
    }
    Ok(())
}

/// Deletes a folder and all that is in it; of links, the links.
fn delete_tree(path: &Path) -> Result<(), Error> {
    done(path, fs::remove_dir_all(path))
}

fn delete_file(path: &Path) -> Result<(), Error> {
    done(path, fs::remove_file(path))
}

fn done(path: &Path, result: io::Result<()>) -> Result<(), Error> {
    match result {
        Err(source) if !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(Error::Delete { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
