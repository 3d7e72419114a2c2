//! Takes directories out of servers and puts them back: LDIF of some backends, backups of the whole. A server that runs does
//! it as a task of its own; one that is stopped stays so, and its program does it. Which files a backup is made of, and whether
//! one fits, is in `archive`; putting one back in `restore`; whether the server may get at a file, in `access`.

mod access;
mod archive;
mod renumber;
mod restore;

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use directory::{dn::Dn, observed, specification::Role};
use tokio::process::Command;

use crate::{
    host::{self, Host},
    paths::Paths,
    process::{Process, finds},
    tasks,
};

pub(crate) use restore::{leftovers, settle};

/// Hears how far the server is.
pub type Progress<'a> = &'a mut (dyn FnMut(&str) + Send);

/// Why nothing, or not all, was taken out or put back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host could not be looked at, or the server not started or stopped.
    #[error(transparent)]
    Host(#[from] host::Error),
    /// There is no such instance.
    #[error("there is no instance '{name}' on this host; {known}")]
    Instance {
        /// The name.
        name: String,
        /// Which there are.
        known: String,
    },
    /// There is no such backend.
    #[error("instance slapd-{instance} has no backend '{backend}'; {known}")]
    Backend {
        /// The instance.
        instance: String,
        /// The name.
        backend: String,
        /// Which there are.
        known: String,
    },
    /// The server's user cannot get at a file.
    #[error("{} cannot be used: {problem}", path.display())]
    Access {
        /// The file or folder.
        path: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// A backup is not for this instance.
    #[error("the backup {} does not fit instance slapd-{instance}: {problem}", path.display())]
    Unfit {
        /// The backup.
        path: PathBuf,
        /// The instance.
        instance: String,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// A file or folder could not be read or written.
    #[error("failed to {step} {}: {source}", path.display())]
    File {
        /// What was done.
        step: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server could not be asked.
    #[error("failed to {what} instance slapd-{instance}: {source}")]
    Server {
        /// What was being done.
        what: &'static str,
        /// The instance.
        instance: String,
        /// What went wrong.
        source: crate::ldap::Error,
    },
    /// The server's task failed.
    #[error("failed to {what} instance slapd-{instance}: {source}")]
    Task {
        /// What was being done.
        what: &'static str,
        /// The instance.
        instance: String,
        /// What went wrong.
        source: tasks::Error,
    },
    /// The program of a stopped server failed.
    #[error("failed to {what} instance slapd-{instance}: ns-slapd ended with {code}: {said}")]
    Program {
        /// What was being done.
        what: &'static str,
        /// The instance.
        instance: String,
        /// How it ended.
        code: String,
        /// What it said.
        said: String,
    },
}

impl Error {
    fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { step, path: path.to_owned(), source }
    }
}

/// What was written as LDIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The instance.
    pub instance: String,
    /// Its backends.
    pub backends: Vec<String>,
    /// The file.
    pub file: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

/// What was read from LDIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The instance.
    pub instance: String,
    /// Its backend.
    pub backend: String,
    /// The file.
    pub file: PathBuf,
    /// How many entries were taken, if the server said.
    pub entries: Option<u64>,
    /// What the server says of each entry that it left out.
    pub skipped: Vec<String>,
    /// Whether other servers have the suffix too: they need it anew, for this is another set of data now.
    pub is_replicated: bool,
}

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// The instance.
    pub instance: String,
    /// Its backends.
    pub backends: Vec<String>,
    /// The folder of the backup.
    pub folder: PathBuf,
    /// How many bytes it has.
    pub bytes: u64,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The instance.
    pub instance: String,
    /// Its backends.
    pub backends: Vec<String>,
    /// The folder of the backup.
    pub folder: PathBuf,
    /// Whether the server runs, as it did before.
    pub is_running: bool,
    /// Whether other servers have one of the suffixes too.
    pub is_replicated: bool,
    /// Backends that were suppliers, with the numbers that they had and are not to have again. Until then they are hubs.
    pub renumber: Vec<(String, u16)>,
    /// Files of the backup's schema that are not what the instance has, and were left alone.
    pub other_schema: Vec<PathBuf>,
}

/// An instance while something of it is moved.
struct Subject {
    found: observed::Instance,
    paths: Paths,
    process: Process,
    program: PathBuf,
}

impl Host {
    /// Writes entries of backends, or of all if none is named, to a file on this host. With the state of replicas, a server
    /// that gets them is a replica at once. A file that is there is replaced when all is written.
    pub async fn export(
        &self,
        instance: &str,
        backends: &[String],
        file: &Path,
        with_replica_state: bool,
        progress: Progress<'_>,
    ) -> Result<Exported, Error> {
        let _lock = self.lock().await?;
        let subject = self.subject(instance).await?;
        let backends = subject.backends(backends)?;
        let account = access::Account::of(&subject.paths)?;
        let file = absolute(file)?;
        account.may_write_into(&file)?;
        subject.sees(file.parent().unwrap_or(&file))?;
        let new = beside(&file, ".new");
        access::remove(&new)?;
        let written = subject.write_ldif(&backends, &new, with_replica_state, progress).await;
        if let Err(error) = written {
            access::remove(&new)?;
            return Err(error);
        }
        let bytes = access::close(&new)?;
        std::fs::rename(&new, &file).map_err(Error::file("rename to", &file))?;
        Ok(Exported { instance: subject.found.name, backends, file, bytes })
    }

    /// Replaces all entries of a backend by those of a file on this host.
    pub async fn import(&self, instance: &str, backend: &str, file: &Path, progress: Progress<'_>) -> Result<Imported, Error> {
        let _lock = self.lock().await?;
        let subject = self.subject(instance).await?;
        let mut backends = subject.backends(&[backend.to_owned()])?;
        let backend = backends.pop().unwrap_or_default();
        let file = absolute(file)?;
        access::Account::of(&subject.paths)?.may_read(&file)?;
        subject.sees(&file)?;
        let found = subject.found.backend(&backend);
        if let Some(found) = found {
            // The server would delete all entries before it finds that none of these is for the backend.
            let (suffix, file) = (found.suffix.clone(), file.clone());
            archive::blocking(move || access::holds(&file, &suffix)).await?;
        }
        let path = file.display().to_string();
        let log = if subject.found.is_running {
            let attributes = [("nsFilename", vec![path]), ("nsInstance", vec![backend.clone()])];
            let log = subject.task("import into", "import", &attributes, progress).await?;
            subject.wait_for(found.map(|backend| &backend.suffix)).await?;
            log
        } else {
            subject.program("import into", &["ldif2db", "-n", &backend, "-i", &path]).await?
        };
        let is_replicated = found.is_some_and(|backend| backend.role.is_some());
        let is_mdb = subject.found.settings.text("db_lib") == Some("mdb");
        let (entries, skipped) = outcome(&log, is_mdb);
        Ok(Imported { instance: subject.found.name, backend, file, entries, skipped, is_replicated })
    }

    async fn subject(&self, name: &str) -> Result<Subject, Error> {
        let name = name.strip_prefix("slapd-").unwrap_or(name);
        let host = self.observe().await?;
        let Some(found) = host.instance(name).cloned() else {
            let names: Vec<&str> = host.instances.iter().map(|instance| instance.name.as_str()).collect();
            return Err(Error::Instance { name: name.to_owned(), known: list("instances", &names) });
        };
        let paths = self.paths(&found.name).await?;
        let process = self.process(&found.name).await?;
        if !found.is_running {
            let paths = paths.clone();
            archive::blocking(move || settle(&paths)).await?;
        }
        Ok(Subject { found, paths, process, program: self.installation().ns_slapd() })
    }
}

impl Subject {
    /// The backends that are meant, as they are spelled; all if none is named.
    fn backends(&self, names: &[String]) -> Result<Vec<String>, Error> {
        let known: Vec<&str> = self.found.backends.iter().map(|backend| backend.name.as_str()).collect();
        if names.is_empty() && !known.is_empty() {
            return Ok(known.into_iter().map(str::to_owned).collect());
        }
        let missing = |name: &str| Error::Backend {
            instance: self.found.name.clone(),
            backend: name.to_owned(),
            known: list("backends", &known),
        };
        if names.is_empty() {
            return Err(missing("*"));
        }
        let found = names.iter().map(|name| self.found.backend(name).map(|backend| backend.name.clone()).ok_or(name));
        found.collect::<Result<_, _>>().map_err(|name| missing(name))
    }

    /// Whether its server, if it runs, has the same file or folder by this name as this process.
    fn sees(&self, path: &Path) -> Result<(), Error> {
        match self.process.id().filter(|_| self.found.is_running) {
            Some(id) if finds(id.as_raw_nonzero().get(), path, path) == Some(false) => {
                let problem = format!(
                    "the server has another folder of this name, as systemd may have given it; choose another place, such as {}",
                    self.paths.ldif_dir.display()
                );
                Err(Error::Access { path: path.to_owned(), problem })
            }
            _ => Ok(()),
        }
    }

    async fn write_ldif(&self, backends: &[String], file: &Path, with_state: bool, progress: Progress<'_>) -> Result<(), Error> {
        let path = file.display().to_string();
        if self.found.is_running {
            let attributes = [
                ("nsFilename", vec![path]),
                ("nsInstance", backends.to_vec()),
                ("nsUseOneFile", vec!["true".to_owned()]),
                ("nsExportReplica", vec![with_state.to_string()]),
            ];
            self.task("export from", "export", &attributes, progress).await?;
            return Ok(());
        }
        let mut arguments = vec!["db2ldif", "-a", &path];
        for backend in backends {
            arguments.extend(["-n", backend]);
        }
        arguments.extend(with_state.then_some("-r"));
        self.program("export from", &arguments).await.map(|_| ())
    }

    /// Has the server do a task. Gives what it has logged.
    async fn task(
        &self,
        what: &'static str,
        kind: &'static str,
        attributes: &[(&'static str, Vec<String>)],
        progress: Progress<'_>,
    ) -> Result<String, Error> {
        let instance = || self.found.name.clone();
        let mut connection =
            self.process.connect().await.map_err(|source| Error::Server { what, instance: instance(), source })?;
        let done = tasks::run(&mut connection, kind, attributes, false, progress).await;
        done.map_err(|source| Error::Task { what, instance: instance(), source })
    }

    /// Waits until a suffix answers again.
    async fn wait_for(&self, suffix: Option<&Dn>) -> Result<(), Error> {
        let Some(suffix) = suffix else { return Ok(()) };
        let failed = |source| Error::Server { what: "import into", instance: self.found.name.clone(), source };
        let mut connection = self.process.connect().await.map_err(failed)?;
        tasks::wait_for(&mut connection, suffix).await.map_err(failed)
    }

    /// Has the program of a stopped server do something. Gives what it said.
    async fn program(&self, what: &'static str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(&self.program);
        let (verb, rest) = arguments.split_first().unwrap_or((&"", &[]));
        command.arg(verb).arg("-D").arg(&self.paths.config_dir).args(rest);
        // Ctrl-C is for us, and this goes on to its end.
        command.stdin(Stdio::null()).kill_on_drop(false).process_group(0);
        let output = command.output().await.map_err(Error::file("run", &self.program))?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        // Eight says that an import left entries out.
        if output.status.success() || (*verb == "ldif2db" && output.status.code() == Some(8)) {
            return Ok(said);
        }
        let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
        let said = said.lines().filter(|line| line.contains(" - ERR")).map(message).collect::<Vec<_>>().join("; ");
        Err(Error::Program { what, instance: self.found.name.clone(), code, said })
    }

    fn is_replicated(&self) -> bool {
        self.found.backends.iter().any(|backend| backend.role >= Some(Role::Consumer))
    }
}

/// A line of the server's log without its time.
fn message(line: &str) -> &str {
    line.split_once("] - ").map_or(line, |(_, message)| message)
}

/// How many entries an import took, and what it says of those that it did not. With LMDB it counts these too.
fn outcome(log: &str, counts_all: bool) -> (Option<u64>, Vec<String>) {
    let lines = || log.lines().map(message);
    let number = |line: &str| line.split_once("Processed ")?.1.split(' ').next()?.parse::<u64>().ok();
    let left_out = |line: &str| line.split_once(" were skipped)")?.0.rsplit('(').next()?.parse::<u64>().ok();
    let entries = lines().filter(|line| line.contains("Import complete.")).find_map(|line| {
        let left_out = left_out(line).filter(|_| counts_all).unwrap_or(0);
        number(line).map(|all| all.saturating_sub(left_out))
    });
    let skipped = lines().filter_map(|line| line.find("Skipping entry").map(|at| line.get(at..).unwrap_or(line).to_owned()));
    (entries, skipped.collect())
}

/// The server has another working folder than this process.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::file("find", path))
}

/// The path with something after its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// `its backends are a, b`.
fn list(noun: &str, names: &[&str]) -> String {
    if names.is_empty() { format!("there are no {noun}") } else { format!("its {noun} are {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_says_what_it_took_and_what_not() {
        for (log, entries, skipped) in [
            ("Import complete.  Processed 2 entries in 1 seconds. (2.00 entries/sec)", Some(2), vec![]),
            (
                "Beginning import job...\nSkipping entry \"ou=p\" which violates schema, ending line 27 of file \"/x\"\n\
                 Import complete.  Processed 1 entries (1 were skipped) in 0 seconds. (0.00 entries/sec)",
                Some(1),
                vec!["Skipping entry \"ou=p\" which violates schema, ending line 27 of file \"/x\""],
            ),
            (
                "[25/Nov/2026:13:36:41 +0000] - INFO - import - import userroot: Import complete.  Processed 12 entries in 1 seconds.",
                Some(12),
                vec![],
            ),
            ("", None, vec![]),
        ] {
            assert_eq!(outcome(log, false), (entries, skipped.into_iter().map(str::to_owned).collect()), "{log}");
        }
        let lmdb = "Import complete.  Processed 2 entries (1 were skipped) in 0 seconds. (0.00 entries/sec)";
        assert_eq!(outcome(lmdb, true).0, Some(1));
    }
}
