//! Finds out what the instance should be, makes it so, once, and starts its server; and stops that. Where nothing is known that
//! it should be, the server is started as it is.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use agent::{
    host::{self, Event, Host},
    process::Process,
};
use directory::{
    dn::Dn,
    observed::{self, Initialised, Unfinished},
    place::Problems,
    setting::Settings,
    specification::Specification,
};
use record::Playbook;

use crate::{
    account::{Account, Worth},
    initial,
    logs::{From, Logs},
    reports::Reports,
    status::Board,
    volume::{self, Volume},
    wanted::{self, Wanted},
};

/// For how long a certificate is waited for, and between two looks at its file.
const CERTIFICATE_IN: Duration = Duration::from_secs(180);
const LOOK: Duration = Duration::from_secs(1);

/// Whether a server runs.
pub(crate) async fn is_running(process: &Process) -> bool {
    let process = process.clone();
    tokio::task::spawn_blocking(move || process.id().is_some()).await.unwrap_or(false)
}

/// Why the instance is not what it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file says nothing that can be done.
    #[error(transparent)]
    Wanted(#[from] wanted::Error),
    /// The revision could not be taken.
    #[error(transparent)]
    Volume(#[from] volume::Error),
    /// No action can make the instance so.
    #[error("failed to plan: {0}")]
    Plan(Problems),
    /// There are no entries to begin with.
    #[error(transparent)]
    Initial(#[from] initial::Error),
    /// The server could not be observed or changed.
    #[error(transparent)]
    Host(#[from] host::Error),
}

/// What came of settling.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was in the file.
    pub(crate) seen: Option<Vec<u8>>,
    /// What the instance should be, if that is known.
    pub(crate) wanted: Option<Arc<Wanted>>,
    /// The instance's server, if there is an instance.
    pub(crate) server: Option<Server>,
    /// Why the instance is not what it should be.
    pub(crate) error: Option<Error>,
}

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Its process.
    pub(crate) process: Process,
    /// Where it listens with TLS: host and port.
    pub(crate) secure: Option<(String, u16)>,
    /// Whether it has none of the suffixes that it is to serve.
    pub(crate) is_bare: bool,
    /// What it serves.
    pub(crate) suffixes: Vec<Dn>,
    /// Of that, what has a part in replication.
    pub(crate) replicated: Vec<observed::Backend>,
    /// Requests to initialise consumers that were met.
    pub(crate) initialised: Vec<Initialised>,
    /// What is still to be done with it.
    pub(crate) unfinished: Vec<Unfinished>,
    /// Whether its databases are LMDB.
    pub(crate) is_lmdb: bool,
}

impl Server {
    /// Numbers that a backend had when it was restored, and is not to have again.
    pub(crate) fn spent(&self, backend: &str) -> impl Iterator<Item = u16> {
        let spent = self.unfinished.iter().filter_map(Unfinished::spent);
        spent.filter(move |(known, _)| known.eq_ignore_ascii_case(backend)).map(|(_, id)| id)
    }
}

/// What is needed for it.
pub(crate) struct Settle {
    pub(crate) file: PathBuf,
    /// Whether there need be no file, because documents come by gRPC too.
    pub(crate) may_lack_file: bool,
    /// What came by gRPC. A file, which is slower, counts only if it is later than that.
    pub(crate) given: Option<Arc<Wanted>>,
    /// What was wanted before. A file that cannot be understood does not keep the server from being started again.
    pub(crate) last: Option<Arc<Wanted>>,
    pub(crate) volume: Arc<Volume>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) board: Board,
    /// Numbers of suppliers that are gone, and that the server still knows.
    pub(crate) gone: Vec<(Dn, u16)>,
    pub(crate) reports: Arc<Reports>,
    /// Whether its server runs also while it is only checked.
    pub(crate) runs: bool,
    /// Set when nothing further is to be begun.
    pub(crate) interrupt: Arc<AtomicBool>,
    /// Set when something else is wanted by now, which need not wait for what may never come.
    pub(crate) outdated: Arc<AtomicBool>,
}

impl Settle {
    /// Does it.
    pub(crate) async fn run(self) -> Outcome {
        let mut outcome = Outcome::default();
        let chosen = self.choose(&mut outcome.seen).await;
        let (wanted, error) = match chosen {
            Ok(wanted) => (wanted, None),
            Err(error) => (None, Some(error)),
        };
        outcome.error = error;
        outcome.wanted = wanted.or_else(|| self.given.clone()).or_else(|| self.last.clone());
        let done = match &outcome.wanted {
            Some(wanted) => self.carry_out(wanted).await,
            None => {
                let prefix = outcome.seen.as_deref().and_then(wanted::prefix);
                self.leave(prefix).await
            }
        };
        match done {
            Ok(server) => outcome.server = server,
            Err(error) => {
                outcome.server = self.found(outcome.wanted.as_deref(), &error).await;
                outcome.error = outcome.error.or(Some(error));
            }
        }
        outcome
    }

    /// What the file says, if it counts.
    async fn choose(&self, seen: &mut Option<Vec<u8>>) -> Result<Option<Arc<Wanted>>, Error> {
        let read = match wanted::bytes(&self.file).await {
            Ok(bytes) => {
                let read = wanted::read(&self.file.display().to_string(), &bytes);
                *seen = Some(bytes);
                read
            }
            Err(wanted::Error::Read { source, .. }) if self.may_lack_file && source.kind() == io::ErrorKind::NotFound => {
                // One that comes is a change.
                *seen = Some(Vec::new());
                return Ok(None);
            }
            Err(error) => Err(error),
        };
        let wanted = match (read, &self.given) {
            (Ok(wanted), Some(given)) if wanted.revision <= given.revision => return Ok(None),
            (Ok(wanted), _) => wanted,
            (Err(error), Some(_)) => {
                tracing::debug!("{error}");
                return Ok(None);
            }
            (Err(error), None) => return Err(error.into()),
        };
        let Some(revision) = wanted.revision else { return Ok(Some(Arc::new(wanted))) };
        match volume::take(&self.volume, revision).await {
            Ok(()) => Ok(Some(Arc::new(wanted))),
            Err(error @ volume::Error::Older { .. }) => {
                tracing::info!("{}: {error}", self.file.display());
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn carry_out(&self, wanted: &Arc<Wanted>) -> Result<Option<Server>, Error> {
        if self.last.as_ref() == Some(wanted) {
            self.board.retry()
        } else {
            self.board.begin(Some(wanted))
        }
        let host = self.locate(wanted.specification.prefix.clone()).await?;
        let name = &wanted.instance.name;
        if let Ok(process) = host.process(name).await {
            self.follow(&process, From::End);
            self.await_certificate(wanted, &process).await;
            if self.outdated.load(Ordering::Relaxed) {
                return as_it_is(&host, Some(wanted)).await;
            }
        }
        if wanted.check
            && self.runs
            && let Some(server) = as_it_is(&host, Some(wanted)).await?
        {
            self.start(&host, &server).await?;
        }
        let began = SystemTime::now();
        let specification = Specification { gone: self.gone.clone(), ..wanted.specification.clone() };
        let actions = host.plan(&specification).await?.map_err(Error::Plan)?;
        host.foresee(&actions).await?;
        if wanted.check {
            self.board.plan(&actions);
            return as_it_is(&host, Some(wanted)).await;
        }
        let needed = initial::needed(&wanted.initial, &actions);
        for initial in &needed {
            let mut progress = |action: String| self.board.prepare(action, actions.len());
            initial.fetch(&self.interrupt, &mut progress).await?;
        }
        let mut account = match self.reports.are_kept() && !actions.is_empty() {
            true => Some(Account::begin(&self.file, wanted, &host, began, &actions).await),
            false => None,
        };
        let is_enough = || self.interrupt.load(Ordering::Relaxed);
        let mut done = 0;
        let mut hear = |event: Event<'_>| {
            match event {
                Event::Begins(action) => tracing::info!("{}", action.messages().join(", ")),
                Event::Says(_, text) => tracing::info!("{text}"),
                Event::Done(_) => done += 1,
                Event::Failed(action, error) => tracing::warn!("{}: {error}", action.messages().join(", ")),
            }
            self.board.hear(event, done, actions.len());
            if let Some(account) = &mut account {
                account.hear(event);
            }
        };
        let carried_out = host.carry_out_plan(&specification, &actions, &is_enough, &mut hear).await;
        for initial in needed {
            initial.remove().await;
        }
        // Also of one that did not start: its log says why.
        let process = host.process(name).await;
        if let Ok(process) = &process {
            self.follow(process, From::Beginning);
        }
        if let Some(account) = account {
            let worth = account.end(&host, &carried_out).await;
            let failure = worth.as_ref().and_then(|worth| worth.failure.as_deref());
            let is_known = self.reports.has_failed_so(failure);
            if let Some(Worth { playbook, .. }) = worth.filter(|worth| worth.is_change || !is_known) {
                self.report(playbook).await;
            }
        }
        carried_out?;
        let server = as_it_is(&host, Some(wanted)).await?;
        Ok(server.map(|server| Server { suffixes: wanted.suffixes(), ..server }))
    }

    /// Waits for files that the document tells of. They come by another way, which takes up to a minute or two. One whose server
    /// does not run has no time for that.
    async fn await_certificate(&self, wanted: &Wanted, process: &Process) {
        let Some(tls) = &wanted.tls else { return };
        let settings = &wanted.instance.settings;
        let authorities = settings.list("tls_ca").and_then(<[String]>::first);
        let (Some(certificate), Some(authorities)) = (settings.text("tls_cert"), authorities) else { return };
        let (due, mut is_told) = (Instant::now() + CERTIFICATE_IN, false);
        let is_over = || self.interrupt.load(Ordering::Relaxed) || self.outdated.load(Ordering::Relaxed);
        while is_running(process).await && !is_over() {
            let files = [certificate, authorities].map(tokio::fs::read_to_string);
            let files = futures::future::join_all(files).await;
            let texts: Vec<&str> = files.iter().filter_map(|file| file.as_deref().ok()).collect();
            if texts == [tls.certificate.as_str(), tls.authorities.as_str()] {
                return;
            }
            if Instant::now() >= due {
                tracing::warn!("the certificate has not come within {} s", CERTIFICATE_IN.as_secs());
                return;
            }
            if !is_told {
                is_told = true;
                self.board.prepare("Waiting for a certificate or an authority to come into the pod".to_owned(), 0);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Keeps a report for whoever fetches it. That it cannot be kept is told here and nowhere else.
    async fn report(&self, playbook: Playbook) {
        let reports = Arc::clone(&self.reports);
        match tokio::task::spawn_blocking(move || reports.keep(&playbook, SystemTime::now())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("no report is kept of what was done: {error}"),
            Err(_) => tracing::error!("no report is kept of what was done: the agent is being stopped"),
        }
    }

    /// Starts the one server of the host as it is.
    async fn leave(&self, prefix: Option<String>) -> Result<Option<Server>, Error> {
        let host = self.locate(prefix).await?;
        let Some(server) = as_it_is(&host, None).await? else { return Ok(None) };
        self.start(&host, &server).await?;
        Ok(Some(server))
    }

    /// The server as it is when something went wrong. If no action at all can make it what it should be, it is at least started.
    async fn found(&self, wanted: Option<&Wanted>, error: &Error) -> Option<Server> {
        let wanted = wanted?;
        let found = async {
            let host = Host::locate(wanted.specification.prefix.clone()).await?;
            let server = as_it_is(&host, Some(wanted)).await?;
            let starts = matches!(error, Error::Plan(_)) && !wanted.check && wanted.instance.started != Some(false);
            if let Some(server) = server.as_ref().filter(|_| starts) {
                self.start(&host, server).await?;
            }
            Ok::<_, Error>(server)
        };
        found.await.unwrap_or_else(|error| {
            tracing::error!("{error}");
            None
        })
    }

    async fn start(&self, host: &Host, server: &Server) -> Result<(), Error> {
        self.follow(&server.process, From::End);
        Ok(host.start_unchanged(&server.process.instance).await?)
    }

    async fn locate(&self, prefix: Option<String>) -> Result<Host, Error> {
        let host = Host::locate(prefix).await?;
        self.board.version(&host.version().to_string());
        Ok(host)
    }

    fn follow(&self, process: &Process, from: From) {
        self.logs.follow(&[process.error_log.clone(), process.error_log.with_file_name("access")], from);
    }
}

/// The server of an instance as it is; without one to look for, that of the one that the host has.
async fn as_it_is(host: &Host, wanted: Option<&Wanted>) -> Result<Option<Server>, Error> {
    let mut instances = host.observe().await?.instances;
    if let Some(wanted) = wanted {
        instances.retain(|instance| wanted.instance.is_called(&instance.name));
    }
    let [instance] = instances.as_slice() else { return Ok(None) };
    let mapped = || instance.backends.iter().filter(|backend| backend.is_mapped);
    let to_serve = wanted.map(Wanted::suffixes).unwrap_or_default();
    let has = |suffix: &Dn| mapped().any(|backend| backend.suffix == *suffix);
    Ok(Some(Server {
        process: host.process(&instance.name).await?,
        secure: secure(&instance.settings),
        is_bare: !to_serve.is_empty() && !to_serve.iter().any(has),
        suffixes: mapped().map(|backend| backend.suffix.clone()).collect(),
        replicated: mapped().filter(|backend| backend.role.is_some()).cloned().collect(),
        initialised: instance.initialised.clone(),
        unfinished: instance.unfinished.clone(),
        is_lmdb: instance.settings.text("db_lib") == Some("mdb"),
    }))
}

/// Where a server listens with TLS.
fn secure(settings: &Settings) -> Option<(String, u16)> {
    let host = settings.text("nsslapd_securelistenhost").unwrap_or("127.0.0.1").to_owned();
    let port = settings.number("secure_port").and_then(|port| u16::try_from(port).ok())?;
    (settings.switch("nsslapd_security") == Some(true) && port != 0).then_some((host, port))
}

/// Stops the server, if there is one.
pub(crate) async fn stop(wanted: Option<Arc<Wanted>>, known: Option<Process>) {
    let stopped = async {
        let process = match (wanted, known) {
            (Some(wanted), _) => {
                let host = Host::locate(wanted.specification.prefix.clone()).await?;
                host.process(&wanted.instance.name).await?
            }
            (None, Some(process)) => process,
            (None, None) => return Ok(()),
        };
        process.stop().await?;
        tracing::info!("the server has stopped");
        Ok::<_, host::Error>(())
    };
    if let Err(error) = stopped.await {
        tracing::error!("{error}");
    }
}
