//! What a host is, as the files of its instances have it. Everything here waits for files.

use directory::{entry::Tree, observed};

use crate::{dse, host::Error, installation::Installation, journal, paths::Paths, process};

/// What the host has.
pub(super) fn host(installation: &Installation) -> Result<observed::Host, Error> {
    let instances = installation.instances()?.iter().map(|name| instance(installation, name)).collect::<Result<_, _>>()?;
    let template = dse::tree(&installation.template())?;
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
    let journal = journal.unwrap_or_default();
    instance.unfinished = journal.unfinished;
    instance.initialised = journal.initialised;
    instance.is_running = process::serving(&installation.ns_slapd(), &paths.config_dir, &paths.pid_file).is_some();
    Ok(instance)
}

/// The configuration as its file has it, and the paths that it says.
pub(super) fn stored(installation: &Installation, name: &str) -> Result<(Paths, Tree), Error> {
    let tree = dse::tree(&installation.home(name).join(dse::NAME))?;
    Ok((Paths::existing(installation, name, &tree), tree))
}
