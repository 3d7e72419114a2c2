//! The process of an instance: whether it runs, starting it until it answers, stopping it until it is gone. Where systemd is the
//! first process, it starts and stops, so that there is never a second supervisor.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use directory::{dn::Dn, secret::Secret};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Command, time::Instant};

use crate::{
    installation::Installation,
    journal::{self, Journal},
    ldap,
    paths::Paths,
};

/// How long a start may take. Recovering a large database after a crash takes minutes.
const START: Duration = Duration::from_secs(600);

/// How long a stop may take. A server writes its caches out first.
const STOP: Duration = Duration::from_secs(600);

/// How long a server that was killed may take to be gone.
const ENDING: Duration = Duration::from_secs(30);

/// Between two looks at whether it has come or gone.
const LOOK: Duration = Duration::from_millis(50);

/// How much of the server's log an error tells.
const LOG_LINES: usize = 5;

/// Why an instance could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program could not be run.
    #[error("failed to run {}: {source}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// The server ended instead of answering.
    #[error("instance slapd-{instance} does not start: {reason}")]
    Start {
        /// The instance.
        instance: String,
        /// What the server or its log says.
        reason: String,
    },
    /// The server is not this user's to stop.
    #[error("instance slapd-{instance} cannot be stopped: {source}; run this as root, or as the user whom it runs as")]
    Kill {
        /// The instance.
        instance: String,
        /// What the system said.
        source: io::Error,
    },
    /// systemd did not do what it was asked for.
    #[error("systemd does not {verb} instance slapd-{instance}: {reason}")]
    Systemd {
        /// `start` or `stop`.
        verb: &'static str,
        /// The instance.
        instance: String,
        /// What it, or the server's log, says.
        reason: String,
    },
    /// The server neither ended nor answered in time.
    #[error("instance slapd-{instance} does not answer after {} seconds: {last}; it is left to itself, for it may be recovering", START.as_secs())]
    Silent {
        /// The instance.
        instance: String,
        /// What the last attempt to connect said.
        last: String,
    },
    /// The server did not end in time.
    #[error("instance slapd-{instance} does not stop within {} seconds; it is left to itself, for killing it may lose data", STOP.as_secs())]
    Stop {
        /// The instance.
        instance: String,
    },
}

/// What has to be known of an instance to start and stop it.
#[derive(Debug, Clone)]
pub struct Process {
    /// Its name, without `slapd-`.
    pub instance: String,
    /// The server's program.
    pub program: PathBuf,
    /// Folder of its configuration.
    pub config_dir: PathBuf,
    /// The file into which the server writes its number.
    pub pid_file: PathBuf,
    /// The socket on which it listens for this host.
    pub socket: PathBuf,
    /// Folder of its locks.
    pub lock_dir: PathBuf,
    /// Folder of the shared memory of its databases.
    pub db_home_dir: PathBuf,
    /// Its log of errors.
    pub error_log: PathBuf,
    /// Whether systemd looks after the servers of this host, and so after this one, if its unit is enabled or it runs in it.
    pub has_systemd: bool,
    /// Whether only its unit may start it there, even one that somebody has disabled.
    pub keeps_unit: bool,
}

impl Process {
    /// The process of an instance. Waits for a file.
    pub(crate) fn of(installation: &Installation, name: &str, paths: &Paths) -> Self {
        Self {
            instance: name.to_owned(),
            program: installation.ns_slapd(),
            config_dir: paths.config_dir.clone(),
            pid_file: paths.pid_file.clone(),
            socket: paths.ldapi.clone(),
            lock_dir: paths.lock_dir.clone(),
            db_home_dir: paths.db_home_dir.clone(),
            error_log: paths.log_dir.join("errors"),
            has_systemd: installation.has_systemd(),
            // Whoever changes the instance is told of a journal that cannot be read.
            keeps_unit: keeps_unit(journal::read(&paths.config_dir).ok().flatten().as_ref()),
        }
    }

    /// The number of the process, if it runs. The file alone says nothing: servers leave it behind, numbers are used again, and
    /// a server writes it late.
    pub fn id(&self) -> Option<Pid> {
        serving(&self.program, &self.config_dir, &self.pid_file)
    }

    /// Starts the server and waits until it answers.
    pub async fn start(&self) -> Result<(), Error> {
        self.await_ends().await;
        let deadline = Instant::now() + START;
        // One that an interrupted apply has begun to start is waited for: a second one would take its socket away, and end.
        if self.id().is_some() && self.answers(deadline).await? {
            return Ok(());
        }
        self.forget();
        let log_from = fs::metadata(&self.error_log).map_or(0, |log| log.len());
        if self.has_systemd && (self.keeps_unit || self.is_enabled().await?) {
            self.systemctl("start", log_from).await?;
        } else {
            let mut command = Command::new(&self.program);
            command.arg("-D").arg(&self.config_dir).arg("-i").arg(&self.pid_file);
            // A start that an interrupted apply had begun may have come first.
            if let Some(said) = self.run(command).await?
                && self.id().is_none()
            {
                let reason = if said.is_empty() { self.log(log_from) } else { said };
                return Err(Error::Start { instance: self.instance.clone(), reason });
            }
        }
        match self.answers(deadline).await? {
            true => Ok(()),
            false => Err(Error::Start { instance: self.instance.clone(), reason: self.log(log_from) }),
        }
    }

    /// Waits until the server answers; false if it ends before.
    async fn answers(&self, deadline: Instant) -> Result<bool, Error> {
        loop {
            let last = match ldap::Connection::open(&self.socket).await {
                Ok(_) => return Ok(true),
                Err(error) => error.to_string(),
            };
            if self.id().is_none() {
                return Ok(false);
            }
            if Instant::now() > deadline {
                return Err(Error::Silent { instance: self.instance.clone(), last });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A connection to the server. One that is about to start, as when whoever started it was interrupted, is waited for.
    pub async fn connect(&self) -> Result<ldap::Connection, ldap::Error> {
        let deadline = Instant::now() + START;
        loop {
            match ldap::Connection::open(&self.socket).await {
                Err(error) if self.may_answer(&error, deadline) => tokio::time::sleep(LOOK).await,
                answered => return answered,
            }
        }
    }

    /// Whether a name and a password are a pair that the server lets in. It is waited for in the same way.
    pub async fn is_password(&self, dn: &Dn, password: &Secret) -> Result<bool, ldap::Error> {
        let deadline = Instant::now() + START;
        loop {
            match ldap::Connection::is_password(&self.socket, dn, password).await {
                Err(error) if self.may_answer(&error, deadline) => tokio::time::sleep(LOOK).await,
                answered => return answered,
            }
        }
    }

    fn may_answer(&self, error: &ldap::Error, deadline: Instant) -> bool {
        matches!(error, ldap::Error::Silent { .. }) && self.id().is_some() && Instant::now() < deadline
    }

    /// Waits for servers that were killed a moment ago. While the system takes their memory back they have their ports, and
    /// nothing more that tells whose they are.
    async fn await_ends(&self) {
        let deadline = Instant::now() + ENDING;
        while is_any_ending(&self.program) && Instant::now() < deadline {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Removes what an earlier server has left: its number, which would be taken for this one's, and its locks. A server that was
    /// killed leaves those, and does not start while any process has the number that is written there. One that was killed while it
    /// made the shared memory of BDB leaves that so that none starts again; after a start of the host there is none either.
    fn forget(&self) {
        let _ = fs::remove_file(&self.pid_file);
        for kind in ["server", "imports", "exports"] {
            for lock in fs::read_dir(self.lock_dir.join(kind)).into_iter().flatten().flatten() {
                let number = lock.file_name().to_str().and_then(|name| name.parse().ok());
                if number.is_some_and(|number| !is_of(number, &self.program, &self.config_dir)) {
                    let _ = fs::remove_file(lock.path());
                }
            }
        }
        if !processes().any(|number| is_of(number, &self.program, &self.config_dir)) {
            let files = fs::read_dir(&self.db_home_dir).into_iter().flatten().flatten();
            for file in files.filter(|file| file.file_name().as_bytes().starts_with(b"__db.")) {
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Stops the server and waits until it is gone. One that does not run is left so.
    pub async fn stop(&self) -> Result<(), Error> {
        let Some(id) = self.id() else { return Ok(()) };
        let groups = fs::read_to_string(format!("/proc/{}/cgroup", id.as_raw_nonzero())).unwrap_or_default();
        if self.has_systemd && is_in_unit(&groups, &self.unit()) {
            self.systemctl("stop", 0).await?;
        } else if let Err(error) = kill_process(id, Signal::TERM) {
            if self.id().is_none() {
                return Ok(());
            }
            return Err(Error::Kill { instance: self.instance.clone(), source: error.into() });
        }
        let deadline = Instant::now() + STOP;
        while self.id().is_some() {
            if Instant::now() > deadline {
                return Err(Error::Stop { instance: self.instance.clone() });
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// The unit of systemd that starts it.
    fn unit(&self) -> String {
        format!("dirsrv@{}.service", self.instance)
    }

    /// Whether systemd is to start it with the host.
    async fn is_enabled(&self) -> Result<bool, Error> {
        let mut command = Command::new("systemctl");
        command.arg("is-enabled").arg(self.unit());
        Ok(self.run(command).await?.is_none())
    }

    async fn systemctl(&self, verb: &'static str, log_from: u64) -> Result<(), Error> {
        let mut command = Command::new("systemctl");
        command.arg(verb).arg(self.unit());
        let Some(said) = self.run(command).await? else { return Ok(()) };
        let reason = if said.is_empty() { self.log(log_from) } else { said };
        Err(Error::Systemd { verb, instance: self.instance.clone(), reason })
    }

    /// Runs a program to its end. Gives what it said if it failed; one that takes too long is left to itself.
    async fn run(&self, mut command: Command) -> Result<Option<String>, Error> {
        let program = PathBuf::from(command.as_std().get_program());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(false);
        // Ctrl-C is for us, who stop when this is done.
        command.process_group(0);
        let Ok(output) = tokio::time::timeout(START, command.output()).await else {
            let last = format!("{} has not ended", program.display());
            return Err(Error::Silent { instance: self.instance.clone(), last });
        };
        let output = output.map_err(|source| Error::Run { program, source })?;
        let said = || String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        Ok((!output.status.success()).then(said))
    }

    /// The last lines that the server has logged since then.
    fn log(&self, from: u64) -> String {
        let bytes = fs::read(&self.error_log).unwrap_or_default();
        let new = bytes.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default();
        let text = String::from_utf8_lossy(new).into_owned();
        let is_wrong = |line: &str| [" - ERR", " - EMERG", " - CRIT"].iter().any(|level| line.contains(level));
        let (wrong, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| is_wrong(line));
        // The log of a new instance is gone when somebody reads this.
        let lines = if wrong.is_empty() { others } else { wrong };
        let lines = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        if lines.is_empty() { format!("it ended without a word in {}", self.error_log.display()) } else { lines.join("; ") }
    }
}

/// The process that serves the instance with this configuration, whatever the file with its number says.
pub(crate) fn serving(program: &Path, config_dir: &Path, pid_file: &Path) -> Option<Pid> {
    let written = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse().ok());
    let running = || processes().find_map(|number| server(number, program, config_dir));
    written.and_then(|number| server(number, program, config_dir)).or_else(running)
}

/// The numbers of all processes.
fn processes() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc").into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Whether any process of a program has lost its arguments and not its files.
fn is_any_ending(program: &Path) -> bool {
    let name = program.file_name().unwrap_or_default().as_bytes();
    let lives = |thread: io::Result<fs::DirEntry>| {
        thread.is_ok_and(|thread| fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| !stat.contains(") Z ")))
    };
    let is_ending = |process: &Path| {
        fs::read(process.join("comm")).is_ok_and(|comm| comm.trim_ascii_end() == name)
            && fs::read(process.join("cmdline")).is_ok_and(|arguments| arguments.is_empty())
            && fs::read_dir(process.join("task")).is_ok_and(|mut threads| threads.any(lives))
    };
    fs::read_dir("/proc").is_ok_and(|processes| processes.flatten().any(|process| is_ending(&process.path())))
}

/// The process with this number, if it is the server of this configuration.
fn server(number: i32, program: &Path, config_dir: &Path) -> Option<Pid> {
    let arguments = arguments(number, program)?;
    let folder = folder_of(&arguments).filter(|_| is_server(&arguments))?;
    is_folder_of(number, folder, config_dir).then(|| Pid::from_raw(number)).flatten()
}

/// Whether the process with this number is the server of this configuration, or does something with its files.
fn is_of(number: i32, program: &Path, config_dir: &Path) -> bool {
    let arguments = arguments(number, program).unwrap_or_default();
    folder_of(&arguments).is_some_and(|folder| is_folder_of(number, folder, config_dir))
}

/// The arguments of a process that is a server's program.
fn arguments(number: i32, program: &Path) -> Option<Vec<OsString>> {
    let command = fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let mut arguments = command.split(|byte| *byte == 0).map(|argument| OsStr::from_bytes(argument).to_owned());
    let name = arguments.next()?;
    (Path::new(&name).file_name() == program.file_name()).then(|| arguments.collect())
}

/// The configuration that a process has.
fn folder_of(arguments: &[OsString]) -> Option<&OsStr> {
    arguments.iter().skip_while(|argument| *argument != "-D").nth(1).map(OsString::as_os_str)
}

/// The same program exports and imports, when another word comes first.
fn is_server(arguments: &[OsString]) -> bool {
    arguments.first().is_some_and(|first| first.as_bytes().starts_with(b"-"))
}

/// Whether a folder, as a process sees it, is this one: by links, it may have another name, and a process in a container may
/// call another one so.
fn is_folder_of(number: i32, folder: &OsStr, this: &Path) -> bool {
    finds(number, Path::new(folder), this).unwrap_or_else(|| {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        real(Path::new(folder)) == real(this)
    })
}

/// Whether a process finds by a path what this one finds by another: it may live in a root, or with a `/tmp`, of its own. `None`
/// if that cannot be seen, which often only root can.
pub(crate) fn finds(number: i32, theirs: &Path, ours: &Path) -> Option<bool> {
    let mut theirs_here = OsString::from(format!("/proc/{number}/root"));
    theirs_here.push(theirs);
    let identity = |path: &Path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    match (identity(Path::new(&theirs_here)), identity(ours)) {
        (Ok(theirs), Ok(ours)) => Some(theirs == ours),
        (Err(error), _) if error.kind() == io::ErrorKind::PermissionDenied => None,
        _ => Some(false),
    }
}

/// Whether an instance, by its journal if it has one, is for its unit alone to start: started beside a unit that somebody has
/// disabled, it would have two supervisors once that is enabled again. How others start theirs is not known.
fn keeps_unit(journal: Option<&Journal>) -> bool {
    journal.is_some_and(|journal| !journal.without_systemd)
}

/// Whether a process belongs to a unit of systemd, by what `/proc` says of its control groups.
fn is_in_unit(groups: &str, unit: &str) -> bool {
    groups.lines().any(|line| line.split('/').any(|group| group == unit))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use directory::{
        options::Scope,
        setting::{Setting, Settings},
    };

    use super::*;

    #[test]
    fn a_server_is_told_from_a_program_that_exports() {
        for (arguments, folder, serves) in [
            (&["-D", "/etc/dirsrv/slapd-a", "-i", "/run/a.pid"][..], Some("/etc/dirsrv/slapd-a"), true),
            (&["-d", "0", "-D", "/etc/dirsrv/slapd-a"], Some("/etc/dirsrv/slapd-a"), true),
            (&["ldif2db", "-D", "/etc/dirsrv/slapd-a", "-n", "userroot"], Some("/etc/dirsrv/slapd-a"), false),
            (&["-v"], None, true),
            (&["-D"], None, true),
            (&[], None, false),
        ] {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            assert_eq!((folder_of(&arguments), is_server(&arguments)), (folder.map(OsStr::new), serves), "{arguments:?}");
        }
    }

    #[test]
    fn a_folder_is_the_same_by_any_name() {
        let own = i32::try_from(std::process::id()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (one, other, link) = (folder.path().join("one"), folder.path().join("other"), folder.path().join("link"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&other).unwrap();
        symlink(&one, &link).unwrap();
        for (seen, is_it) in [(&one, true), (&link, true), (&other, false), (&folder.path().join("none"), false)] {
            assert_eq!(is_folder_of(own, seen.as_os_str(), &one), is_it, "{}", seen.display());
        }
    }

    #[test]
    fn an_instance_of_ours_is_for_its_unit_unless_it_was_made_to_do_without() {
        let made = |option: &str, is_on| {
            let (mut journal, mut settings) = (Journal::default(), Settings::new());
            settings.insert(Scope::Instance.option(option).unwrap(), Setting::Switch(is_on));
            journal.created(&settings);
            Some(journal)
        };
        for (journal, keeps) in [
            (Some(Journal::default()), true),
            (made("systemd", true), true),
            (made("selinux", false), true),
            (made("systemd", false), false),
            (None, false),
        ] {
            assert_eq!(keeps_unit(journal.as_ref()), keeps, "{journal:?}");
        }
    }

    #[test]
    fn a_unit_is_seen_in_the_groups_of_a_process() {
        let groups = "0::/system.slice/system-dirsrv.slice/dirsrv@one.service\n";
        for (unit, is_it) in [("dirsrv@one.service", true), ("dirsrv@on.service", false), ("dirsrv@one", false)] {
            assert_eq!(is_in_unit(groups, unit), is_it, "{unit}");
        }
    }
}
