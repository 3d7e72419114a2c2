//! The process of an instance: whether it runs, starting it until it answers, stopping it until it is gone. Where systemd is the
//! first process, it starts and stops, so that there is never a second supervisor.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use directory::{dn::Dn, secret::Secret};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Command, time::Instant};

use crate::ldap;

/// How long a start may take. Recovering a large database after a crash takes minutes.
const START: Duration = Duration::from_secs(600);

/// How long a stop may take. A server writes its caches out first.
const STOP: Duration = Duration::from_secs(600);

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
    /// Its log of errors.
    pub error_log: PathBuf,
    /// Whether systemd starts and stops it.
    pub by_systemd: bool,
}

impl Process {
    /// The number of the process, if it runs. The file alone says nothing: servers leave it behind, numbers are used again, and
    /// a server writes it late.
    pub fn id(&self) -> Option<Pid> {
        serving(&self.program, &self.config_dir, &self.pid_file)
    }

    /// Starts the server and waits until it answers.
    pub async fn start(&self) -> Result<(), Error> {
        self.forget();
        let log_from = fs::metadata(&self.error_log).map_or(0, |log| log.len());
        if self.by_systemd {
            self.systemctl("start").await?;
        } else {
            let mut command = Command::new(&self.program);
            command.arg("-D").arg(&self.config_dir).arg("-i").arg(&self.pid_file);
            self.run(command, log_from).await?;
        }
        let deadline = Instant::now() + START;
        loop {
            let last = match ldap::Connection::open(&self.socket).await {
                Ok(_) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if self.id().is_none() {
                return Err(Error::Start { instance: self.instance.clone(), reason: self.log(log_from) });
            }
            if Instant::now() > deadline {
                return Err(Error::Silent { instance: self.instance.clone(), last });
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A connection to the server.
    pub async fn connect(&self) -> Result<ldap::Connection, ldap::Error> {
        self.answer(|| ldap::Connection::open(&self.socket)).await
    }

    /// Whether a name and a password are a pair that the server lets in.
    pub async fn is_password(&self, dn: &Dn, password: &Secret) -> Result<bool, ldap::Error> {
        self.answer(|| ldap::Connection::is_password(&self.socket, dn, password)).await
    }

    /// What the server answers. One that is about to start, as when whoever started it was interrupted, is waited for.
    async fn answer<T>(&self, ask: impl AsyncFn() -> Result<T, ldap::Error>) -> Result<T, ldap::Error> {
        let deadline = Instant::now() + START;
        loop {
            match ask().await {
                Err(ldap::Error::Silent { .. }) if self.id().is_some() && Instant::now() < deadline => {}
                answered => return answered,
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Removes what an earlier server has left: its number, which would be taken for this one's, and its locks. A server that was
    /// killed leaves those, and does not start while any process has the number that is written there.
    fn forget(&self) {
        let _ = fs::remove_file(&self.pid_file);
        for kind in ["server", "imports", "exports"] {
            for lock in fs::read_dir(self.lock_dir.join(kind)).into_iter().flatten().flatten() {
                let number = lock.file_name().to_str().and_then(|name| name.parse().ok());
                if number.is_some_and(|number| server(number, &self.program, &self.config_dir).is_none()) {
                    let _ = fs::remove_file(lock.path());
                }
            }
        }
    }

    /// Stops the server and waits until it is gone. One that does not run is left so.
    pub async fn stop(&self) -> Result<(), Error> {
        let Some(id) = self.id() else { return Ok(()) };
        if self.by_systemd {
            self.systemctl("stop").await?;
        } else if kill_process(id, Signal::TERM).is_err() && self.id().is_none() {
            return Ok(());
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

    async fn systemctl(&self, verb: &str) -> Result<(), Error> {
        let mut command = Command::new("systemctl");
        command.arg(verb).arg(format!("dirsrv@{}.service", self.instance));
        self.run(command, 0).await
    }

    /// Runs a program that ends when the server is up or has failed.
    async fn run(&self, mut command: Command, log_from: u64) -> Result<(), Error> {
        let program = PathBuf::from(command.as_std().get_program());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(false);
        // Ctrl-C is for us, who stop when this is done.
        command.process_group(0);
        let output = command.output().await.map_err(|source| Error::Run { program, source })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        let reason = if said.is_empty() { self.log(log_from) } else { said };
        Err(Error::Start { instance: self.instance.clone(), reason })
    }

    /// The last lines that the server has logged since then.
    fn log(&self, from: u64) -> String {
        let bytes = fs::read(&self.error_log).unwrap_or_default();
        let new = bytes.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default();
        let text = String::from_utf8_lossy(new).into_owned();
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.contains(" - ERR") || line.contains(" - EMERG") || line.contains(" - CRIT"))
            .collect();
        let lines = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        if lines.is_empty() { format!("see {}", self.error_log.display()) } else { lines.join("; ") }
    }
}

/// The process that serves the instance with this configuration, whatever the file with its number says.
pub(crate) fn serving(program: &Path, config_dir: &Path, pid_file: &Path) -> Option<Pid> {
    let written = fs::read_to_string(pid_file).ok().and_then(|text| text.trim().parse().ok());
    written.and_then(|number| server(number, program, config_dir)).or_else(|| {
        let mut numbers = fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        numbers.find_map(|number| server(number, program, config_dir))
    })
}

/// The process with this number, if it is the server of this configuration.
fn server(number: i32, program: &Path, config_dir: &Path) -> Option<Pid> {
    let command = fs::read(format!("/proc/{number}/cmdline")).ok()?;
    let mut arguments = command.split(|byte| *byte == 0).map(|argument| Path::new(OsStr::from_bytes(argument)));
    let is_server = arguments.next().and_then(Path::file_name) == program.file_name();
    (is_server && arguments.any(|argument| argument == config_dir)).then(|| Pid::from_raw(number)).flatten()
}
