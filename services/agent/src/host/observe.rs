//! What a host is, as the files of its instances have it. Everything here waits for files.

use std::{fs, io, path::Path};

use directory::{entry::Tree, ldif, observed};

use crate::{host::Error, installation::Installation, journal, paths::Paths, process};

/// What the host has.
pub(super) fn host(installation: &Installation) -> Result<observed::Host, Error> {
    let instances = installation.instances()?.iter().map(|name| instance(installation, name)).collect::<Result<_, _>>()?;
    let template = configuration(&installation.template())?;
    let default_indexes = observed::Instance::read("", &template).default_indexes;
    Ok(observed::Host { version: Some(installation.version()), default_indexes, instances })
}

/// What an instance is.
pub(super) fn instance(installation: &Installation, name: &str) -> Result<observed::Instance, Error> {
    let (paths, tree) = stored(installation, name)?;
    // The server writes its file before it says that a change is done. What it tells over LDAP is the same, mixed with what it
    // has worked out for itself, such as the number of its threads.
    let mut instance = observed::Instance::read(name, &tree);
    let journal = journal::read(&paths.config_dir)?;
    instance.is_ours = journal.is_some();
    instance.unfinished = journal.unwrap_or_default().unfinished;
    instance.is_running = process::serving(&installation.ns_slapd(), &paths.config_dir, &paths.pid_file).is_some();
    Ok(instance)
}

/// The configuration as its file has it, and the paths that it says.
pub(super) fn stored(installation: &Installation, name: &str) -> Result<(Paths, Tree), Error> {
    let tree = configuration(&installation.home(name).join("dse.ldif"))?;
    Ok((Paths::existing(installation, name, &tree), tree))
}

fn configuration(path: &Path) -> Result<Tree, Error> {
    let unreadable = |problem: String| Error::Configuration { path: path.to_owned(), problem };
    let bytes = read(path).map_err(|error| unreadable(error.to_string()))?;
    let records = ldif::parse(&bytes).map_err(|error| unreadable(error.to_string()))?;
    Tree::from_records(records).map_err(|error| unreadable(error.to_string()))
}

/// Reads a file that the server writes anew while this goes on: the new one has another name until it is whole and the old one is
/// out of the way. A server that was killed in between has left it so, and would itself begin with the new one.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut new, mut old) = (path.as_os_str().to_owned(), path.as_os_str().to_owned());
    new.push(".tmp");
    old.push(".bak");
    let names = [path, Path::new(&new), path, Path::new(&old), path];
    let mut missing = None;
    for name in names {
        match fs::read(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing = missing.or(Some(error)),
            done => return done,
        }
    }
    Err(missing.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}
